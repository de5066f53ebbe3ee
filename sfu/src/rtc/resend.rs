//! How much is sent again to one viewer. A NACK of 1.4 KB can ask for thousands of packets, and be sent a hundred times in
//! a batch: what answers it is bounded here, by counting what leaves beyond what was written.

use std::time::{Duration, Instant};

/// Datagrams in a row that are sent beyond those written: the repair of a very bad moment, or a probe for bandwidth.
const BURST: f64 = 600.0;
/// Such datagrams a second in the long run.
const A_SECOND: f64 = 1000.0;

/// What one peer may still be sent beyond what is written to it.
#[derive(Debug)]
pub struct Allowance {
    left: f64,
    filled: Instant,
}

impl Allowance {
    /// A full one.
    pub fn new(now: Instant) -> Self {
        Self { left: BURST, filled: now }
    }

    /// A datagram was written: one that leaves is owed to it.
    pub fn written(&mut self) {
        self.left += 1.0;
    }

    /// A datagram leaves. False: it is one too many, and all that is kept for repair should be forgotten.
    pub fn leaves(&mut self, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.filled).min(Duration::from_secs(1));
        self.filled = now;
        self.left += elapsed.as_secs_f64() * A_SECOND;
        self.left -= 1.0;
        if self.left < 0.0 {
            self.left = 0.0;
            return false;
        }
        true
    }

    /// All that was written has left; what remains is what it may still be sent beyond that.
    pub fn settled(&mut self) {
        self.left = self.left.min(BURST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn what_is_written_always_leaves_however_much() {
        let start = Instant::now();
        let mut allowance = Allowance::new(start);
        for second in 0..20u32 {
            for _ in 0..3000 {
                allowance.written();
            }
            assert!((0..3000).all(|_| allowance.leaves(start + MS * 1000 * second)));
            allowance.settled();
        }
    }

    #[test]
    fn a_tenth_lost_is_repaired_and_reports_have_their_place() {
        let start = Instant::now();
        let mut allowance = Allowance::new(start);
        // 4 Mbit/s: 400 packets a second, 40 of them again, twice; 20 reports.
        for tick in 0..1000u32 {
            let now = start + MS * 10 * tick;
            for _ in 0..4 {
                allowance.written();
            }
            assert!((0..6).all(|_| allowance.leaves(now)), "at {tick}");
            allowance.settled();
        }
    }

    #[test]
    fn a_storm_gets_its_burst_and_then_its_rate() {
        let start = Instant::now();
        let mut allowance = Allowance::new(start);
        let sent = (0..100_000).filter(|_| allowance.leaves(start)).count();
        assert_eq!(sent, BURST as usize);
        let mut sent = 0;
        for tick in 1..=1000u32 {
            sent += (0..1000).filter(|_| allowance.leaves(start + MS * 10 * tick)).count();
            allowance.settled();
        }
        assert!((9_000..=10_010).contains(&sent), "{sent} in ten seconds");
    }
}
