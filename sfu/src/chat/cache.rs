//! What was looked up lately. Pure; time is what has passed since any start.

use std::{collections::HashMap, hash::Hash, time::Duration};

/// Values by key, each for a while; when there are too many, all are forgotten.
#[derive(Debug)]
pub struct Cache<K, V> {
    most: usize,
    lasts: Duration,
    kept: HashMap<K, (Duration, V)>,
}

impl<K: Hash + Eq, V: Clone> Cache<K, V> {
    /// With nothing in it.
    pub fn new(most: usize, lasts: Duration) -> Self {
        Self { most, lasts, kept: HashMap::new() }
    }

    /// What is known of `key`.
    pub fn get(&self, key: &K, now: Duration) -> Option<V> {
        let (at, value) = self.kept.get(key)?;
        (*at + self.lasts > now).then(|| value.clone())
    }

    /// Forgets it.
    pub fn forget(&mut self, key: &K) {
        self.kept.remove(key);
    }

    /// Forgets all.
    pub fn forget_all(&mut self) {
        self.kept.clear();
    }

    /// Remembers it.
    pub fn put(&mut self, key: K, value: V, now: Duration) {
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
        cache.put("a", 1, s(0));
        assert_eq!(
            (cache.get(&"a", s(9)), cache.get(&"a", s(10)), cache.get(&"b", s(0))),
            (Some(1), None, None)
        );
        cache.put("b", 2, s(9));
        cache.put("c", 3, s(11));
        assert_eq!(
            (cache.get(&"b", s(11)), cache.get(&"c", s(11))),
            (Some(2), Some(3)),
            "only the old one went"
        );
        cache.put("d", 4, s(12));
        assert_eq!((cache.get(&"c", s(12)), cache.get(&"d", s(12))), (None, Some(4)));
    }
}
