//! How long packets take through a shard, counted in buckets that grow by a quarter: cheap to count, exact enough for a
//! quantile.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// The upper end of the first bucket.
const FIRST: f64 = 10e-6;
/// Each bucket ends where the one before does, times this.
const GROWTH: f64 = 1.25;
/// The last one ends at 0.7 s; beyond is counted without an end.
const BUCKETS: usize = 51;

/// Times, counted. Written by one thread, read by any.
#[derive(Debug)]
pub struct Latencies {
    counts: [AtomicU64; BUCKETS],
    nanos: AtomicU64,
}

impl Default for Latencies {
    fn default() -> Self {
        Self { counts: std::array::from_fn(|_| AtomicU64::new(0)), nanos: AtomicU64::new(0) }
    }
}

impl Latencies {
    /// Counts one.
    pub fn record(&self, took: Duration) {
        let steps = (took.as_secs_f64() / FIRST).ln() / GROWTH.ln();
        // What took no time at all has a logarithm below every number, and the conversion makes it 0.
        let at = (steps.ceil().max(0.0) as usize).min(BUCKETS - 1);
        self.counts[at].fetch_add(1, Relaxed);
        self.nanos.fetch_add(took.as_nanos() as u64, Relaxed);
    }

    /// The sum of all times in seconds, and how many ended in each bucket, by its upper end in seconds.
    pub fn read<'a>(all: impl Iterator<Item = &'a Self>) -> (f64, Vec<(f64, u64)>) {
        let mut buckets: Vec<(f64, u64)> =
            (0..BUCKETS - 1).map(|at| (FIRST * GROWTH.powi(at as i32), 0)).chain([(f64::MAX, 0)]).collect();
        let mut nanos = 0;
        for latencies in all {
            nanos += latencies.nanos.load(Relaxed);
            for (bucket, count) in buckets.iter_mut().zip(&latencies.counts) {
                bucket.1 += count.load(Relaxed);
            }
        }
        (nanos as f64 / 1e9, buckets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_counted_in_the_bucket_that_it_fits_in() {
        for micros in [0, 1, 10, 11, 12, 13, 100, 999, 5_000, 100_000, 600_000] {
            let latencies = Latencies::default();
            latencies.record(Duration::from_micros(micros));
            let (_, buckets) = Latencies::read([&latencies].into_iter());
            let at = buckets.iter().position(|(_, count)| *count == 1).unwrap();
            let seconds = micros as f64 / 1e6;
            assert!(buckets[at].0 * 1.000_001 >= seconds, "{micros} µs in {}", buckets[at].0);
            assert!(at == 0 || buckets[at - 1].0 < seconds, "{micros} µs in {}", buckets[at].0);
        }
    }

    #[test]
    fn several_are_added_up_and_what_takes_for_ever_is_in_the_last() {
        let (one, other) = (Latencies::default(), Latencies::default());
        one.record(Duration::from_millis(1));
        other.record(Duration::from_secs(3600));
        let (sum, buckets) = Latencies::read([&one, &other].into_iter());
        assert_eq!(sum, 3600.001);
        assert_eq!(buckets.iter().map(|(_, count)| count).sum::<u64>(), 2);
        assert_eq!(buckets.last().unwrap().1, 1);
    }
}
