//! How long to wait before a child that ended is started again.

use std::time::{Duration, Instant};

/// The first wait.
const FIRST: Duration = Duration::from_millis(500);
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(30);
/// A child that ran so long was a good one: what ends it is something new.
const GOOD: Duration = Duration::from_secs(60);

/// Doubles with each end that comes soon after a start.
#[derive(Debug, Clone, Default)]
pub struct Backoff {
    started: Option<Instant>,
    last: Option<Duration>,
}

impl Backoff {
    /// A child was started.
    pub fn started(&mut self, now: Instant) {
        self.started = Some(now);
    }

    /// It ended, or couldn't be started: wait so long.
    pub fn ended(&mut self, now: Instant) -> Duration {
        let ran =
            self.started.take().map_or(Duration::ZERO, |started| now.saturating_duration_since(started));
        let wait = match self.last {
            Some(last) if ran < GOOD => (last * 2).min(LONGEST),
            _ => FIRST,
        };
        self.last = Some(wait);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_to_half_a_minute() {
        let (mut backoff, mut now) = (Backoff::default(), Instant::now());
        let waits: Vec<u128> = (0..9)
            .map(|_| {
                backoff.started(now);
                now += Duration::from_secs(5);
                backoff.ended(now).as_millis()
            })
            .collect();
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    }

    #[test]
    fn a_good_minute_is_a_new_beginning() {
        let (mut backoff, mut now) = (Backoff::default(), Instant::now());
        for _ in 0..5 {
            backoff.started(now);
            backoff.ended(now);
        }
        backoff.started(now);
        now += GOOD;
        assert_eq!(backoff.ended(now), FIRST);
        backoff.started(now);
        assert_eq!(backoff.ended(now), FIRST * 2);
    }

    #[test]
    fn one_that_never_started_counts_too() {
        let (mut backoff, now) = (Backoff::default(), Instant::now());
        assert_eq!((backoff.ended(now), backoff.ended(now)), (FIRST, FIRST * 2));
        // A clock that seems to go back is no reason to panic.
        backoff.started(now + GOOD);
        assert_eq!(backoff.ended(now), FIRST * 4);
    }
}
