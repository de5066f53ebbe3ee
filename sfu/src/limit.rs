//! Token buckets, one per key: pure, with the time as an argument.

use std::{collections::HashMap, hash::Hash, net::IpAddr, time::Duration};

/// The most keys that are remembered. When there are more, those with the most tokens are forgotten first.
const KEYS_MOST: usize = 10_000;

/// How fast a bucket empties and fills.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// Tries in a row before any wait.
    pub burst: u32,
    /// After which one more is allowed.
    pub every: Duration,
}

/// A bucket for each key. Time is what has passed since any fixed start.
#[derive(Debug)]
pub struct Limiter<K> {
    rate: Rate,
    buckets: HashMap<K, Bucket>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    /// When it will be full again.
    full_at: Duration,
}

impl<K: Hash + Eq + Clone> Limiter<K> {
    /// With full buckets.
    pub fn new(rate: Rate) -> Self {
        Self { rate, buckets: HashMap::new() }
    }

    /// Takes one token of `key`, or says how long to wait for it.
    pub fn take(&mut self, key: &K, now: Duration) -> Result<(), Duration> {
        let full_at = self.buckets.get(key).map_or(now, |bucket| bucket.full_at.max(now));
        let full_after = full_at + self.rate.every;
        let most = now + self.rate.every * self.rate.burst;
        if full_after > most {
            return Err(full_after - most);
        }
        if self.buckets.len() >= KEYS_MOST && !self.buckets.contains_key(key) {
            self.make_room(now);
        }
        self.buckets.insert(key.clone(), Bucket { full_at: full_after });
        Ok(())
    }

    /// Gives back a token that was taken for nothing.
    pub fn give_back(&mut self, key: &K) {
        if let Some(bucket) = self.buckets.get_mut(key) {
            bucket.full_at = bucket.full_at.saturating_sub(self.rate.every);
        }
    }

    /// Fills the bucket of `key`.
    pub fn forget(&mut self, key: &K) {
        self.buckets.remove(key);
    }

    fn make_room(&mut self, now: Duration) {
        self.buckets.retain(|_, bucket| bucket.full_at > now);
        if self.buckets.len() < KEYS_MOST {
            return;
        }
        let mut times: Vec<Duration> = self.buckets.values().map(|bucket| bucket.full_at).collect();
        let middle = times.len() / 2;
        let median = *times.select_nth_unstable(middle).1;
        self.buckets.retain(|_, bucket| bucket.full_at > median);
    }
}

/// Whose address it is: a home has a whole /64 of IPv6 addresses to try from.
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { burst: 3, every: Duration::from_secs(10) };

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_burst_passes_and_then_one_each_while() {
        let mut limiter = Limiter::new(RATE);
        for _ in 0..3 {
            assert_eq!(limiter.take(&"ada", s(0)), Ok(()));
        }
        assert_eq!(limiter.take(&"ada", s(0)), Err(s(10)));
        assert_eq!(limiter.take(&"ada", s(4)), Err(s(6)));
        assert_eq!(limiter.take(&"bob", s(4)), Ok(()), "keys don't share a bucket");
        assert_eq!(limiter.take(&"ada", s(10)), Ok(()));
        assert_eq!(limiter.take(&"ada", s(10)), Err(s(10)));
        assert_eq!(limiter.take(&"ada", s(1000)), Ok(()));
        limiter.forget(&"ada");
        for _ in 0..3 {
            assert_eq!(limiter.take(&"ada", s(1000)), Ok(()));
        }
    }

    #[test]
    fn many_keys_cost_bounded_memory_and_don_t_free_the_one_that_is_blocked() {
        let mut limiter = Limiter::new(RATE);
        for _ in 0..3 {
            limiter.take(&0, s(0)).unwrap();
        }
        for key in 1..50_000u32 {
            limiter.take(&key, s(1)).unwrap();
            assert!(limiter.buckets.len() <= KEYS_MOST);
        }
        assert!(limiter.take(&0, s(1)).is_err());
    }
}
