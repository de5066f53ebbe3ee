//! How much is sent again to one viewer. A NACK of 1.4 KB can ask for thousands of packets, and be sent a hundred times in
//! a batch: what answers it is bounded here, by counting what leaves beyond what was written. And whether repairs go out
//! twice.

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

/// Loss from which on a repair is sent twice: asked for once more it comes too late for its picture.
const LOSSY: f32 = 0.03;
/// Loss beyond which it would only add to it.
const RUINOUS: f32 = 0.25;
/// A round trip that is so much longer than its least goes through a queue, which more would only fill.
const QUEUE: Duration = Duration::from_millis(60);

/// Whether a viewer's repairs are sent twice: where the air loses them, and not a queue that is full. The same datagram
/// once more costs nothing to make, and the receiver passes over the second one (RFC 3711, 3.3.2).
#[derive(Debug, Default)]
pub struct Doubling {
    least: Option<Duration>,
    /// As the last measurement says.
    pub is_on: bool,
}

impl Doubling {
    /// A measurement: the share that was lost lately, and the round trip.
    pub fn measured(&mut self, loss: Option<f32>, round_trip: Option<Duration>) {
        let queue =
            round_trip.map(|now| now - *self.least.insert(self.least.map_or(now, |least| least.min(now))));
        self.is_on = std::env::var_os("ONCE").is_none()
            && loss.is_some_and(|loss| (LOSSY..RUINOUS).contains(&loss))
            && queue.is_some_and(|queue| queue < QUEUE);
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

    #[test]
    fn repairs_go_out_twice_where_the_air_loses_and_once_where_a_queue_is_full() {
        let mut doubling = Doubling::default();
        for (loss, round_trip, is_on) in [
            (None, None, false),
            (Some(0.1), None, false),
            (Some(0.1), Some(40), true),
            (Some(0.0), Some(40), false),
            (Some(0.1), Some(160), false),
            (Some(0.1), Some(60), true),
            (Some(0.5), Some(40), false),
            (Some(f32::NAN), Some(40), false),
        ] {
            doubling.measured(loss, round_trip.map(|ms| MS * ms));
            assert_eq!(doubling.is_on, is_on, "{loss:?} {round_trip:?}");
        }
    }
}
