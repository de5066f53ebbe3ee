//! When a publisher's media was captured, in the server's clock, from its sender reports (RFC 3550, 6.4.1).
//!
//! A sender report ties an RTP timestamp to the publisher's wall clock, which may be off by any amount. The least time
//! that a packet took from capture to arrival, measured across all tracks, ties that clock to ours. Of that least delay half
//! the round trip is known; what stays unknown is the publisher's own share. Sound and picture keep their true distance.

use std::time::{Duration, Instant};

/// Older minima are forgotten after this, as clocks drift.
const WINDOW: Duration = Duration::from_secs(20);

/// One sender report.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Report {
    /// The publisher's wall clock, in seconds since any epoch that stays the same.
    pub wall: f64,
    /// The RTP timestamp of the same moment.
    pub time: u32,
}

/// See the module. One for a publisher's session.
#[derive(Debug, Default)]
pub struct CaptureClock {
    origin: Option<Instant>,
    /// The least of arrival minus capture, in seconds since `origin`, in this window and in the one before.
    least: [Option<f64>; 2],
    window_started: Option<Instant>,
}

impl CaptureClock {
    /// When a packet that just arrived was captured; `arrived` itself while no report is known. Never in the future.
    /// `one_way` is the time that the network takes at least.
    pub fn captured(
        &mut self,
        report: Option<Report>,
        time: u32,
        clock_rate: u32,
        one_way: Duration,
        arrived: Instant,
    ) -> Instant {
        let Some(report) = report else { return arrived };
        let origin = *self.origin.get_or_insert(arrived);
        let ticks = time.wrapping_sub(report.time).cast_signed();
        let capture = report.wall + f64::from(ticks) / f64::from(clock_rate);
        if !capture.is_finite() {
            return arrived;
        }
        let delay = arrived.saturating_duration_since(origin).as_secs_f64() - capture;
        let started = *self.window_started.get_or_insert(arrived);
        if arrived.saturating_duration_since(started) > WINDOW {
            self.least = [None, self.least[0]];
            self.window_started = Some(arrived);
        }
        self.least[0] = Some(self.least[0].map_or(delay, |least| least.min(delay)));
        let least = self.least.iter().flatten().fold(delay, |least, other| least.min(*other));
        // More than that and the report or the timestamps lie.
        let age = Duration::from_secs_f64((delay - least + one_way.as_secs_f64()).clamp(0.0, 2.0));
        arrived.checked_sub(age).unwrap_or(arrived)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn without_reports_media_is_as_old_as_its_arrival() {
        let now = Instant::now();
        assert_eq!(CaptureClock::default().captured(None, 5, 90_000, Duration::ZERO, now), now);
    }

    #[test]
    fn sound_and_picture_keep_their_distance_whatever_the_publisher_s_clock_says() {
        let start = Instant::now();
        for skew in [-4e9, 0.0, 1.7e9] {
            let mut clock = CaptureClock::default();
            // Captured together at `start`, the sound arrives after 20 ms and the picture after 60.
            let sound = clock.captured(
                Some(Report { wall: skew, time: 0 }),
                0,
                48_000,
                Duration::ZERO,
                start + MS * 20,
            );
            let picture = clock.captured(
                Some(Report { wall: skew, time: u32::MAX - 8 }),
                u32::MAX - 8,
                90_000,
                Duration::ZERO,
                start + MS * 60,
            );
            let apart = picture.duration_since(sound).max(sound.duration_since(picture));
            assert!(apart < MS, "{apart:?} with a clock {skew} s off");
        }
    }

    #[test]
    fn jitter_of_arrival_does_not_move_the_capture() {
        let start = Instant::now();
        let mut clock = CaptureClock::default();
        let report = Some(Report { wall: 100.0, time: 0 });
        let mut captured = Vec::new();
        for frame in 0..50u32 {
            let jitter = MS * (frame * 7 % 30);
            captured.push(clock.captured(
                report,
                frame * 3000,
                90_000,
                Duration::ZERO,
                start + MS * 10 + MS * frame * 100 / 3 + jitter,
            ));
        }
        for pair in captured[1..].windows(2) {
            let step = pair[1].duration_since(pair[0]);
            assert!(step.abs_diff(MS * 100 / 3) < MS, "{step:?}");
        }
    }

    #[test]
    fn what_the_network_takes_at_least_is_added_to_the_age() {
        let start = Instant::now() + Duration::from_secs(10);
        let report = Some(Report { wall: 100.0, time: 0 });
        let captured = CaptureClock::default().captured(report, 0, 90_000, MS * 30, start);
        assert!(start.duration_since(captured).abs_diff(MS * 30) < MS);
    }

    #[test]
    fn lying_reports_cannot_move_it_by_more_than_two_seconds_or_panic() {
        let now = Instant::now() + Duration::from_secs(100);
        let mut clock = CaptureClock::default();
        for wall in [0.0, 1e300, -1e300, f64::NAN, f64::INFINITY, 5.0] {
            let captured =
                clock.captured(Some(Report { wall, time: 9 }), 1 << 31, 90_000, Duration::MAX, now);
            assert!(captured <= now && now.duration_since(captured) <= Duration::from_secs(2));
        }
    }

    /// Publishers whose clocks are wrong and drift, over networks that delay and jitter, with reports now and then: captures
    /// of one moment stay together, never lie in the future, and keep the pace at which they were made.
    #[test]
    fn over_any_network_captures_keep_their_pace() {
        for seed in 1..300u64 {
            let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
            let mut below = |bound: u64| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state % bound
            };
            let start = Instant::now() + Duration::from_secs(100);
            let skew = below(4_000_000_000) as f64 - 2e9;
            // Up to 50 parts in a million: what a crystal does.
            let drift = 1.0 + (below(100) as f64 - 50.0) * 1e-6;
            let (jitter, base) = (below(80) + 1, below(100));
            let offset = below(1 << 32) as u32;
            let mut clock = CaptureClock::default();
            let mut last: Option<(Instant, Instant)> = None;
            let mut reported = 0;
            for frame in 0..900u32 {
                let made = start + MS * 100 * frame / 3;
                if frame % 30 == 0 {
                    reported = frame;
                }
                let seconds = f64::from(reported) / 30.0;
                let time = offset.wrapping_add(frame * 3000);
                let report =
                    Report { wall: skew + seconds * drift, time: offset.wrapping_add(reported * 3000) };
                let arrived = made + MS * (base + below(jitter)) as u32;
                let captured = clock.captured(Some(report), time, 90_000, MS * base as u32, arrived);
                assert!(captured <= arrived, "seed {seed}: in the future");
                // By then it has seen what the network takes at least.
                if frame > 300 {
                    let off = captured.duration_since(made).max(made.duration_since(captured));
                    assert!(off <= MS * (jitter as u32 + 3), "seed {seed}: {off:?} off at frame {frame}");
                    let (last_made, last_captured) = last.unwrap();
                    let (step, even) = (captured.duration_since(last_captured), made - last_made);
                    assert!(
                        step.abs_diff(even) < MS * 10,
                        "seed {seed}: {step:?} for {even:?} at frame {frame}"
                    );
                }
                last = Some((made, captured));
            }
        }
    }

    /// Reports that jump, repeat, go back and lie, at any timestamp: never a panic, never in the future, never far past.
    #[test]
    fn whatever_reports_say_a_capture_stays_near_its_arrival() {
        for seed in 1..300u64 {
            let mut state = seed.wrapping_mul(0xd134_2543_de82_ef95) | 1;
            let mut next = || {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state
            };
            let mut clock = CaptureClock::default();
            let mut arrived = Instant::now() + Duration::from_secs(100);
            for _ in 0..200 {
                arrived += Duration::from_micros(next() % 200_000);
                let wall = match next() % 5 {
                    0 => f64::from_bits(next()),
                    1 => (next() % 4_000_000_000) as f64,
                    _ => next() as f64 / 1e6,
                };
                let report = (next() % 7 != 0).then(|| Report { wall, time: next() as u32 });
                let rate = if next() % 2 == 0 { 90_000 } else { 48_000 };
                let one_way = Duration::from_millis(next() % 5_000);
                let captured = clock.captured(report, next() as u32, rate, one_way, arrived);
                assert!(captured <= arrived && arrived.duration_since(captured) <= Duration::from_secs(2));
            }
        }
    }
}
