//! Pure rules of logins: how long they last and when their use is written down.

use shared::unit::Timestamp;
use std::time::Duration;

/// A login ends this long after it was last used.
pub const LOGIN_LASTS: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Its use is written at most this often.
pub const TOUCH_EVERY: Duration = Duration::from_secs(60);

/// Whether a login that was last used then is over now.
pub fn is_over(last_used_at: Timestamp, now: Timestamp) -> bool {
    now.since(last_used_at) >= LOGIN_LASTS
}

/// Whether its use now is worth a write.
pub fn is_worth_a_write(last_used_at: Timestamp, now: Timestamp) -> bool {
    now.since(last_used_at) >= TOUCH_EVERY
}

/// Logins last used at or before this are over.
pub fn over_before(now: Timestamp) -> Timestamp {
    Timestamp::from_millis(now.as_millis() - LOGIN_LASTS.as_millis() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(10_000_000_000 + seconds * 1000)
    }

    #[test]
    fn a_login_slides_thirty_days_and_is_written_once_a_minute() {
        let day = 24 * 60 * 60;
        assert!(!is_over(at(0), at(30 * day - 1)));
        assert!(is_over(at(0), at(30 * day)));
        assert!(is_over(over_before(at(0)), at(0)));
        assert!(!is_worth_a_write(at(0), at(59)));
        assert!(is_worth_a_write(at(0), at(60)));
        // A clock that was set back ends no login.
        assert!(!is_over(at(60), at(0)));
        assert!(!is_worth_a_write(at(60), at(0)));
    }
}
