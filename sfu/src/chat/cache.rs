//! What was looked up lately. Pure; time is what has passed since any start.

use std::{collections::HashMap, hash::Hash, time::Duration};

/// Values by key, each for a while; when there are too many, all are forgotten.
#[derive(Debug)]
pub struct Cache<K, V> {
    most: usize,
    lasts: Duration,
    kept: HashMap<K, (Duration, V)>,
    /// Moves whenever something is forgotten.
    turn: u64,
}

/// What was forgotten before something is looked up: a change that comes meanwhile makes what is found old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Turn(u64);

impl<K: Hash + Eq, V: Clone> Cache<K, V> {
    /// With nothing in it.
    pub fn new(most: usize, lasts: Duration) -> Self {
        Self { most, lasts, kept: HashMap::new(), turn: 0 }
    }

    /// What is known of `key`, or the turn to look it up in.
    pub fn get(&self, key: &K, now: Duration) -> Result<V, Turn> {
        match self.kept.get(key) {
            Some((at, value)) if *at + self.lasts > now => Ok(value.clone()),
            _ => Err(Turn(self.turn)),
        }
    }

    /// Forgets it, also what is being looked up.
    pub fn forget(&mut self, key: &K) {
        self.turn += 1;
        self.kept.remove(key);
    }

    /// Forgets all, also what is being looked up.
    pub fn forget_all(&mut self) {
        self.turn += 1;
        self.kept.clear();
    }

    /// Remembers what was looked up in a turn, unless something was forgotten since: it may be from before that.
    pub fn put(&mut self, turn: Turn, key: K, value: V, now: Duration) {
        if turn.0 != self.turn {
            return;
        }
        if self.kept.len() >= self.most && !self.kept.contains_key(&key) {
            self.kept.retain(|_, (at, _)| *at + self.lasts > now);
            if self.kept.len() >= self.most {
                self.kept.clear();
            }
        }
        self.kept.insert(key, (now, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_old_or_too_much_is_forgotten() {
        let s = Duration::from_secs;
        let mut cache = Cache::new(2, s(10));
        let turn = cache.get(&"a", s(0)).unwrap_err();
        cache.put(turn, "a", 1, s(0));
        assert_eq!(
            (cache.get(&"a", s(9)), cache.get(&"a", s(10)), cache.get(&"b", s(0))),
            (Ok(1), Err(turn), Err(turn))
        );
        cache.put(turn, "b", 2, s(9));
        cache.put(turn, "c", 3, s(11));
        assert_eq!((cache.get(&"b", s(11)), cache.get(&"c", s(11))), (Ok(2), Ok(3)), "only the old one went");
        cache.put(turn, "d", 4, s(12));
        assert_eq!((cache.get(&"c", s(12)), cache.get(&"d", s(12))), (Err(turn), Ok(4)));
    }

    #[test]
    fn what_was_read_before_a_change_is_not_remembered_after_it() {
        let s = Duration::from_secs;
        let mut cache = Cache::new(8, s(10));
        for all in [false, true] {
            let forget = |cache: &mut Cache<&str, u32>| {
                if all {
                    cache.forget_all();
                } else {
                    cache.forget(&"a");
                }
            };
            let early = cache.get(&"a", s(0)).unwrap_err();
            forget(&mut cache);
            cache.put(early, "a", 1, s(1));
            let turn = cache.get(&"a", s(1)).unwrap_err();
            cache.put(turn, "a", 2, s(1));
            cache.put(early, "a", 1, s(1));
            assert_eq!(cache.get(&"a", s(2)), Ok(2), "what was read after it is");
            forget(&mut cache);
            assert!(cache.get(&"a", s(2)).is_err());
        }
    }
}
