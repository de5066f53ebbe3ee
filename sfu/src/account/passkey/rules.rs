//! Pure rules of passkeys: how many there are, how long a challenge is good, when a password is asked for.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

/// The most passkeys of one account.
pub const PASSKEYS_MOST: i64 = 20;
/// A challenge is good for this long: people look for a phone or a key meanwhile.
pub const CHALLENGE_LASTS: Duration = Duration::from_secs(5 * 60);
/// The most challenges of one kind that wait for an answer. When there are more, the oldest is forgotten: whoever asks for
/// many makes others ask again, and shuts nobody out.
pub const CHALLENGES_MOST: usize = 10_000;

/// Challenges that wait for an answer, each with what is known of it. Every one is taken once at most, whatever came of it
/// (section 13.4.3). Time is what has passed since any fixed start.
#[derive(Debug)]
pub struct Challenges<T> {
    waiting: HashMap<u128, (Duration, T)>,
    /// All that were put, oldest first, those that were taken meanwhile with them.
    order: VecDeque<(Duration, u128)>,
    most: usize,
}

impl<T> Challenges<T> {
    /// With room for so many.
    pub fn new(most: usize) -> Self {
        Self { waiting: HashMap::new(), order: VecDeque::new(), most }
    }

    /// One more that waits.
    pub fn put(&mut self, challenge: u128, what: T, now: Duration) {
        let is_full = |order: &VecDeque<_>| order.len() >= self.most;
        while self.order.front().is_some_and(|(at, _)| is_over(*at, now)) || is_full(&self.order) {
            let Some((_, oldest)) = self.order.pop_front() else { break };
            self.waiting.remove(&oldest);
        }
        self.order.push_back((now, challenge));
        self.waiting.insert(challenge, (now, what));
    }

    /// What is known of a challenge that is answered now; `None` if it was never put, was answered, or is over.
    pub fn take(&mut self, challenge: u128, now: Duration) -> Option<T> {
        let (at, what) = self.waiting.remove(&challenge)?;
        (!is_over(at, now)).then_some(what)
    }
}

fn is_over(put_at: Duration, now: Duration) -> bool {
    now.saturating_sub(put_at) >= CHALLENGE_LASTS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_challenge_is_answered_once_and_within_five_minutes() {
        let mut challenges = Challenges::new(10);
        challenges.put(1, "adding", s(0));
        challenges.put(2, "signing in", s(10));
        assert_eq!(challenges.take(1, s(299)), Some("adding"));
        assert_eq!(challenges.take(1, s(299)), None, "a replay");
        assert_eq!(challenges.take(3, s(299)), None, "never put");
        assert_eq!(challenges.take(2, s(310)), None, "over");
        assert_eq!(challenges.take(2, s(11)), None, "and taken by the try");
    }

    #[test]
    fn however_many_are_asked_for_memory_is_bounded_and_the_newest_work() {
        let mut challenges = Challenges::new(100);
        for challenge in 0..10_000 {
            challenges.put(challenge, (), s(1));
            assert!(challenges.waiting.len() <= 100 && challenges.order.len() <= 100);
        }
        assert_eq!(challenges.take(9_899, s(1)), None, "one too many is behind it");
        assert_eq!(challenges.take(9_900, s(1)), Some(()));
        assert_eq!(challenges.take(9_999, s(1)), Some(()));
        // Those that are over make room at once.
        challenges.put(20_000, (), s(301));
        assert_eq!((challenges.waiting.len(), challenges.order.len()), (1, 1));
    }

    #[test]
    fn answering_makes_room_for_no_more_than_there_is() {
        let mut challenges = Challenges::new(3);
        for challenge in 0..50 {
            challenges.put(challenge, (), s(0));
            assert_eq!(challenges.take(challenge, s(0)), Some(()));
            assert!(challenges.order.len() <= 3);
        }
    }
}
