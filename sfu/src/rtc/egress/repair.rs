//! How much is sent again to one viewer. A NACK of 1.4 KB can ask for thousands of packets, and be sent a hundred times in
//! a batch: what answers it is bounded here. And whether repairs go out twice.

use std::time::{Duration, Instant};

/// Repairs in a row: those of a very bad moment.
const BURST: f64 = 600.0;
/// Repairs a second in the long run.
const A_SECOND: f64 = 1000.0;
/// The largest share of repairs in what is sent. Beyond it the network is full, and more would only make it worse.
const SHARE: f64 = 0.25;
/// Bytes that may be repaired whatever is sent.
const LEAST_BYTES: f64 = 30_000.0;
/// Over what time that share is taken.
const WINDOW: f64 = 1.0;

/// Whether something may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowed {
    /// It may.
    Now,
    /// Repairs are too much of what is sent; it may be asked for once more.
    Later,
    /// More is asked for than can have been lost: nothing that was sent before is to be sent again.
    Storm,
}

/// What one viewer may still be sent again.
#[derive(Debug)]
pub struct Allowance {
    left: f64,
    filled: Instant,
    /// Bytes sent and bytes sent again, of which less counts the longer it is ago.
    sent: f64,
    again: f64,
}

impl Allowance {
    /// A full one.
    pub fn new(now: Instant) -> Self {
        Self { left: BURST, filled: now, sent: 0.0, again: 0.0 }
    }

    /// Media was sent.
    pub fn sent(&mut self, bytes: usize) {
        self.sent += bytes as f64;
    }

    /// Whether so much may be sent again now; then it counts.
    pub fn allows(&mut self, bytes: usize, now: Instant) -> Allowed {
        let elapsed = now.saturating_duration_since(self.filled).as_secs_f64();
        if elapsed > 0.0 {
            self.filled = now;
            self.left = (self.left + elapsed * A_SECOND).min(BURST);
            let stays = (-elapsed / WINDOW).exp();
            self.sent *= stays;
            self.again *= stays;
        }
        let again = self.again + bytes as f64;
        if self.left < 1.0 {
            return Allowed::Storm;
        }
        if again > (self.sent + again) * SHARE + LEAST_BYTES {
            return Allowed::Later;
        }
        self.left -= 1.0;
        self.again = again;
        Allowed::Now
    }
}

/// Loss from which on a repair is sent twice: asked for once more it comes too late for its picture.
const LOSSY: f32 = 0.03;
/// Loss beyond which it would only add to it.
const RUINOUS: f32 = 0.25;
/// A round trip that is so much longer than its least goes through a queue, which more would only fill.
const QUEUE: Duration = Duration::from_millis(60);

/// Whether a viewer's repairs are sent twice: where the air loses them, and not a queue that is full. The receiver passes
/// over the second one.
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
        self.is_on = loss.is_some_and(|loss| (LOSSY..RUINOUS).contains(&loss))
            && queue.is_some_and(|queue| queue < QUEUE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_tenth_lost_is_repaired_twice() {
        let start = Instant::now();
        let mut allowance = Allowance::new(start);
        // 4 Mbit/s: 400 packets a second, 40 of them again, twice.
        for tick in 0..1000u32 {
            let now = start + MS * 10 * tick;
            allowance.sent(4 * 1_200);
            if tick % 10 < 4 {
                for _ in 0..2 {
                    assert_eq!(allowance.allows(1_200, now), Allowed::Now, "at {tick}");
                }
            }
        }
    }

    #[test]
    fn a_storm_gets_its_burst_and_then_its_rate() {
        let start = Instant::now();
        let mut allowance = Allowance::new(start);
        allowance.sent(100_000_000);
        let sent = (0..100_000).take_while(|_| allowance.allows(1_200, start) == Allowed::Now).count();
        assert_eq!(allowance.allows(1_200, start), Allowed::Storm);
        assert_eq!(sent, BURST as usize);
        let mut sent = 0;
        for tick in 1..=1000u32 {
            allowance.sent(100_000);
            sent +=
                (0..1000).filter(|_| allowance.allows(1_200, start + MS * 10 * tick) == Allowed::Now).count();
        }
        assert!((9_000..=10_010).contains(&sent), "{sent} in ten seconds");
    }

    #[test]
    fn no_more_than_a_quarter_is_repair() {
        let start = Instant::now();
        let mut allowance = Allowance::new(start);
        let (mut media, mut again) = (0, 0);
        for tick in 0..2000u32 {
            media += 4_800;
            allowance.sent(4_800);
            let now = start + MS * 10 * tick;
            again += (0..50).filter(|_| allowance.allows(1_200, now) == Allowed::Now).count() * 1_200;
        }
        let share = again as f64 / (again + media) as f64;
        assert!((0.2..0.3).contains(&share), "{share}");
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
