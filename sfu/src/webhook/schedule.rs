//! When a delivery is tried again, and when it or its webhook is given up. Pure.

use shared::unit::Timestamp;
use std::time::Duration;

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// How long after each failed try the next one is, as Standard Webhooks has it: more than three days in all.
const AFTER: [i64; 10] = [
    5 * SECOND,
    MINUTE,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    24 * HOUR,
];
/// A webhook that took nothing for so long is told nothing more.
const PATIENCE: i64 = 5 * 24 * HOUR;
/// The longest that a webhook may ask to be left alone.
const ASKED_MOST: i64 = 24 * HOUR;
/// No try is later than this after the one before; what is, is so by a clock that was set.
pub const WAIT_MOST: Duration = Duration::from_secs(27 * 3600);

/// What came of a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken.
    Taken,
    /// Whoever was there says that the address is gone for good.
    Gone,
    /// It wasn't taken; after so many seconds it may be, if it is known.
    Failed(Option<u64>),
}

/// What a status says. A redirect is followed by nobody, and so takes nothing.
pub fn outcome(status: u16, retry_after: Option<u64>) -> Outcome {
    match status {
        200..300 => Outcome::Taken,
        410 => Outcome::Gone,
        _ => Outcome::Failed(retry_after),
    }
}

/// When a delivery is tried after its `tries`th failed try; never again if that was the last. `chance` is from 0 to 999 and
/// spreads what failed together.
pub fn next(tries: u32, now: Timestamp, retry_after: Option<u64>, chance: u16) -> Option<Timestamp> {
    let after = AFTER.get((tries as usize).checked_sub(1)?)?;
    let spread = after / 10 * i64::from(chance.min(999)) / 1000;
    let asked = i64::try_from(retry_after.unwrap_or(0)).unwrap_or(i64::MAX).saturating_mul(SECOND);
    let wait = (after + spread).max(asked.min(ASKED_MOST));
    Some(Timestamp::from_millis(now.as_millis() + wait))
}

/// Whether a webhook has failed for too long.
pub fn is_hopeless(failing_since: Timestamp, now: Timestamp) -> bool {
    now.as_millis() - failing_since.as_millis() >= PATIENCE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn what_fails_is_tried_for_three_days_ever_more_seldom() {
        let mut now = at(1_000_000);
        let (began, mut tries, mut last) = (now, 1, 0);
        while let Some(again) = next(tries, now, None, 0) {
            let wait = again.as_millis() - now.as_millis();
            assert!(wait > last, "{tries}");
            (last, now, tries) = (wait, again, tries + 1);
        }
        assert_eq!(tries, AFTER.len() as u32 + 1);
        let hours = (now.as_millis() - began.as_millis()) / HOUR;
        assert!((72..80).contains(&hours), "{hours}");
        assert_eq!(next(0, now, None, 0), None);
        assert_eq!(next(u32::MAX, now, None, 0), None);
    }

    #[test]
    fn chance_spreads_by_a_tenth_and_never_hastens() {
        for tries in 1..=AFTER.len() as u32 {
            let plain = next(tries, at(0), None, 0).unwrap().as_millis();
            for chance in [0, 1, 500, 999, u16::MAX] {
                let wait = next(tries, at(0), None, chance).unwrap().as_millis();
                assert!(wait >= plain && wait <= plain + plain / 10, "{tries} {chance} {wait}");
                assert!(wait < WAIT_MOST.as_millis() as i64);
            }
        }
    }

    #[test]
    fn who_asks_to_be_left_alone_is_for_a_day_at_most() {
        assert_eq!(next(1, at(0), Some(3600), 0), Some(at(HOUR)));
        assert_eq!(next(1, at(0), Some(1), 0), Some(at(5 * SECOND)), "not sooner than by itself");
        assert_eq!(next(1, at(0), Some(u64::MAX), 0), Some(at(24 * HOUR)));
    }

    #[test]
    fn a_webhook_is_given_up_after_five_days() {
        assert!(!is_hopeless(at(0), at(5 * 24 * HOUR - 1)));
        assert!(is_hopeless(at(0), at(5 * 24 * HOUR)));
        assert!(!is_hopeless(at(HOUR), at(0)), "a clock that was set back");
    }

    #[test]
    fn statuses_are_understood() {
        for taken in [200, 201, 202, 204, 299] {
            assert_eq!(outcome(taken, None), Outcome::Taken);
        }
        assert_eq!(outcome(410, None), Outcome::Gone);
        for failed in [100, 301, 302, 307, 308, 400, 401, 403, 404, 429, 500, 502, 503] {
            assert_eq!(outcome(failed, Some(3)), Outcome::Failed(Some(3)), "{failed}");
        }
    }
}
