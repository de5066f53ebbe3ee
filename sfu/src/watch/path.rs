//! What is known of the way to a viewer, out of what the congestion controller tells now and then.

use std::time::{Duration, Instant};

/// The least round trip is looked for in this time and in the same time before: networks change.
const WINDOW: Duration = Duration::from_secs(30);

/// What is known of the way to a viewer.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Path {
    /// Bits a second that fit, as the congestion controller estimates; `None` if it can't tell.
    pub estimate: Option<u64>,
    /// Packets lost in the last second, before repair, 0 to 1.
    pub loss: f32,
    /// How much longer than its least the round trip is.
    pub queueing: Duration,
}

/// So much more than its least means that the round trip goes through a queue.
pub(super) const QUEUE: Duration = Duration::from_millis(150);
/// Loss that comes from a full queue rather than from the air.
const LOSSY: f32 = 0.05;

impl Path {
    /// Whether more is sent than passes.
    pub fn is_congested(&self) -> bool {
        self.loss > LOSSY || self.queueing > QUEUE
    }
}

/// One measurement of the congestion controller's. What is missing wasn't measured.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sample {
    /// Bits a second that fit.
    pub estimate: Option<u64>,
    /// Packets lost in the last second, 0 to 1.
    pub loss: Option<f32>,
    /// The last round trip.
    pub round_trip: Option<Duration>,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Meter {
    path: Path,
    /// The last estimate that was told between samples.
    told: Option<u64>,
    /// The least round trip in this window and in the one before.
    least: [Option<Duration>; 2],
    window_began: Option<Instant>,
}

impl Meter {
    /// What is known by now.
    pub fn path(&self) -> Path {
        self.path
    }

    /// An estimate that was told by itself, averaged over some seconds. It counts where it is the first to tell of a fall;
    /// a rise is told better by the next sample.
    pub fn told(&mut self, bits: u64) {
        let falls = self.told.replace(bits).is_some_and(|before| bits < before);
        match &mut self.path.estimate {
            Some(known) if falls => *known = bits.min(*known),
            Some(_) => {}
            unknown => *unknown = Some(bits),
        }
    }

    /// A sample, as the controller is asked for it each second.
    pub fn sample(&mut self, sample: Sample, now: Instant) {
        if let Some(bits) = sample.estimate.filter(|_| self.told.is_some()) {
            self.path.estimate = Some(bits);
        }
        self.path.loss = sample.loss.filter(|loss| loss.is_finite()).unwrap_or(0.0).clamp(0.0, 1.0);
        let began = *self.window_began.get_or_insert(now);
        if now.saturating_duration_since(began) > WINDOW {
            self.least = [None, self.least[0]];
            self.window_began = Some(now);
        }
        self.path.queueing = sample.round_trip.map_or(Duration::ZERO, |round_trip| {
            self.least[0] = Some(self.least[0].map_or(round_trip, |least| least.min(round_trip)));
            let least = self.least.iter().flatten().min().copied().unwrap_or(round_trip);
            round_trip.saturating_sub(least)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn sample(bits: u64, round_trip: Duration) -> Sample {
        Sample { estimate: Some(bits), loss: Some(0.1), round_trip: Some(round_trip) }
    }

    #[test]
    fn the_queue_is_what_the_round_trip_has_beyond_its_least_of_late() {
        let start = Instant::now();
        let mut meter = Meter::default();
        meter.sample(sample(1, MS * 40), start);
        assert_eq!(meter.path().estimate, None, "nothing was told of an estimate");
        meter.told(1);
        assert_eq!(meter.path(), Path { estimate: Some(1), loss: 0.1, queueing: Duration::ZERO });
        meter.sample(sample(1, MS * 240), start + WINDOW / 2);
        assert_eq!(meter.path().queueing, MS * 200);
        // The network is another one: after two windows the old least is forgotten.
        for window in 1..=3 {
            meter.sample(sample(1, MS * 240), start + (WINDOW + MS) * window);
        }
        assert_eq!(meter.path().queueing, Duration::ZERO);
        meter.sample(Sample { loss: Some(f32::NAN), ..Sample::default() }, start + WINDOW * 9);
        assert_eq!(meter.path(), Path { estimate: Some(1), loss: 0.0, queueing: Duration::ZERO });
    }

    #[test]
    fn a_fall_counts_when_it_is_told_and_a_rise_when_it_is_measured() {
        let now = Instant::now();
        let mut meter = Meter::default();
        meter.told(2_000_000);
        assert_eq!(meter.path().estimate, Some(2_000_000));
        meter.sample(sample(4_000_000, MS), now);
        meter.told(3_000_000);
        assert_eq!(meter.path().estimate, Some(4_000_000), "an average that is on its way up");
        meter.told(1_000_000);
        assert_eq!(meter.path().estimate, Some(1_000_000));
        meter.sample(sample(500_000, MS), now);
        meter.told(900_000);
        assert_eq!(meter.path().estimate, Some(500_000));
    }
}
