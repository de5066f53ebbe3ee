//! What waits for a browser to come back: bounded in number and in time, and each taken once. Pure.

use crate::secret::SecretHash;
use shared::unit::Timestamp;
use std::{collections::HashMap, time::Duration};

/// How long somebody may take at the provider, or to choose a name.
pub const WAITS: Duration = Duration::from_secs(10 * 60);
/// The most that wait. When there are more, the oldest is dropped: its browser is told to begin again.
const MOST: usize = 4096;

/// Things that wait, each found by a secret that its browser has.
#[derive(Debug)]
pub struct Shelf<T>(HashMap<String, (Timestamp, T)>);

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

fn is_over(since: Timestamp, now: Timestamp) -> bool {
    now.since(since) >= WAITS
}

impl<T> Shelf<T> {
    /// Lets something wait.
    pub fn put(&mut self, key: &SecretHash, thing: T, now: Timestamp) {
        if self.0.len() >= MOST {
            self.0.retain(|_, (since, _)| !is_over(*since, now));
        }
        if self.0.len() >= MOST
            && let Some(oldest) =
                self.0.iter().min_by_key(|(_, (since, _))| *since).map(|(key, _)| key.clone())
        {
            self.0.remove(&oldest);
        }
        self.0.insert(key.to_hex(), (now, thing));
    }

    /// Takes it away, if it still waits.
    pub fn take(&mut self, key: &SecretHash, now: Timestamp) -> Option<T> {
        let (since, thing) = self.0.remove(&key.to_hex())?;
        (!is_over(since, now)).then_some(thing)
    }

    /// Looks at it, if it still waits.
    pub fn get(&self, key: &SecretHash, now: Timestamp) -> Option<&T> {
        let (since, thing) = self.0.get(&key.to_hex())?;
        (!is_over(*since, now)).then_some(thing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn key(number: u32) -> SecretHash {
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        Secret::from_random(bytes).hash()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_000_000 + seconds * 1000)
    }

    #[test]
    fn what_waits_is_taken_once_and_not_after_ten_minutes() {
        let mut shelf = Shelf::default();
        shelf.put(&key(1), "a", at(0));
        shelf.put(&key(2), "b", at(1));
        assert_eq!(shelf.get(&key(1), at(599)), Some(&"a"));
        assert_eq!(shelf.take(&key(1), at(599)), Some("a"));
        assert_eq!(shelf.take(&key(1), at(599)), None, "once");
        assert_eq!(shelf.get(&key(2), at(601)), None);
        assert_eq!(shelf.take(&key(2), at(601)), None, "too late");
        assert_eq!(shelf.take(&key(3), at(0)), None, "never there");
    }

    #[test]
    fn more_than_fit_push_the_oldest_out_and_what_is_over_first() {
        let mut shelf = Shelf::default();
        for number in 0..MOST as u32 {
            shelf.put(&key(number), number, at(i64::from(number / 100)));
        }
        shelf.put(&key(100_000), 0, at(50));
        assert_eq!(shelf.0.len(), MOST);
        assert!(shelf.get(&key(4000), at(50)).is_some() && shelf.get(&key(100_000), at(50)).is_some());
        assert_eq!((0..100).filter(|number| shelf.get(&key(*number), at(50)).is_none()).count(), 1);
        shelf.put(&key(100_001), 0, at(620));
        assert!(shelf.0.len() < MOST / 2, "what is over went at once");
    }
}
