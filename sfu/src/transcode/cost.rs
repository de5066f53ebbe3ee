//! What a rung costs on this machine: CPU time for a picture, by its size.
//!
//! It begins with a guess, which is corrected as a whole by one measurement and for each size by what children measure while
//! they run.

use super::{
    frame::Rung,
    wire::{RungStats, Stats},
};
use shared::unit::Size;
use std::{collections::BTreeMap, time::Duration};

/// CPU time for a picture, whatever its size, and for each of its pixels: on a core that nobody has measured yet.
const EACH_PICTURE: f64 = 0.003;
const EACH_PIXEL: f64 = 35e-9;
/// To decode a picture of a source, for each pixel, and to scale it for a rung.
const DECODE_PIXEL: f64 = 3e-9;
/// A measurement of a second counts for this much.
const WEIGHT: f64 = 0.15;
/// Fewer pictures tell nothing.
const ENOUGH: u64 = 5;
/// A core is never so much faster or slower than the guess; what says so was measured wrongly.
const MOST_OFF: f64 = 30.0;

/// Pictures that something makes of a source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Source {
    /// Their size.
    pub size: Size,
    /// In a second.
    pub frame_rate: f32,
}

/// See the module. Costs are in cores: CPU seconds a second.
#[derive(Debug, Clone)]
pub struct Cost {
    /// How many times the guess this machine takes.
    off: f64,
    /// CPU seconds for a picture, by its pixels.
    sizes: BTreeMap<u32, f64>,
    /// CPU seconds for each pixel that is decoded.
    decode: f64,
}

impl Default for Cost {
    fn default() -> Self {
        Self { off: 1.0, sizes: BTreeMap::new(), decode: DECODE_PIXEL }
    }
}

fn pixels(size: Size) -> u32 {
    u32::from(size.width) * u32::from(size.height)
}

fn guess(pixels: u32) -> f64 {
    EACH_PICTURE + EACH_PIXEL * f64::from(pixels)
}

impl Cost {
    /// A measurement before anything runs: so much CPU time for a picture of this size.
    pub fn calibrate(&mut self, size: Size, picture: Duration) {
        let off = picture.as_secs_f64() / guess(pixels(size));
        if (1.0 / MOST_OFF..=MOST_OFF).contains(&off) {
            self.off = off;
            self.decode = DECODE_PIXEL * off;
        }
    }

    /// CPU time for a picture of a rung.
    pub fn picture(&self, size: Size) -> Duration {
        let wanted = pixels(size);
        // The nearest size that was measured tells how this machine is off the guess.
        let above = self.sizes.range(wanted..).next();
        let below = self.sizes.range(..wanted).next_back();
        let near = |(pixels, _): &(&u32, &f64)| {
            f64::from((**pixels).max(wanted)) / f64::from((**pixels).min(wanted).max(1))
        };
        let nearest = above.into_iter().chain(below).min_by(|a, b| near(a).total_cmp(&near(b)));
        let off = nearest.map_or(self.off, |(pixels, seconds)| seconds / guess(*pixels));
        Duration::from_secs_f64(off * guess(wanted))
    }

    /// CPU time to decode a picture of a source.
    pub fn decoding(&self, source: Source) -> Duration {
        Duration::from_secs_f64(self.decode * f64::from(pixels(source.size)))
    }

    /// Cores that a rung takes.
    pub fn rung(&self, rung: &Rung, source: Source) -> f32 {
        let pictures = rate(source) / f64::from(rung.divisor.max(1));
        (self.picture(rung.size).as_secs_f64() * pictures) as f32
    }

    /// Cores that these rungs take together, with decoding; nothing if there are none.
    pub fn all(&self, rungs: &[Rung], source: Source) -> f32 {
        if rungs.is_empty() {
            return 0.0;
        }
        let decoding = self.decoding(source).as_secs_f64() * rate(source);
        decoding as f32 + rungs.iter().map(|rung| self.rung(rung, source)).sum::<f32>()
    }

    /// Learns from what a child measured between two looks.
    pub fn learn(&mut self, before: &Stats, now: &Stats, source: Option<Size>) {
        let cpu = now.cpu.saturating_sub(before.cpu).as_secs_f64();
        let differences: Vec<(RungStats, f64)> = now.rungs.iter().map(|rung| since(rung, before)).collect();
        let busy: f64 = differences.iter().map(|(_, busy)| busy).sum();
        // Encoders are timed by the clock: where they waited for a core, they were busy for less.
        let share = if busy > cpu { cpu / busy } else { 1.0 };
        for (rung, busy) in &differences {
            if rung.encoded >= ENOUGH {
                self.learn_size(rung.size, busy * share / rung.encoded as f64);
            }
        }
        let decoded = now.decoded.saturating_sub(before.decoded);
        if let Some(size) = source
            && decoded >= ENOUGH
            && busy > 0.0
        {
            let pixel = (cpu - busy * share).max(0.0) / decoded as f64 / f64::from(pixels(size).max(1));
            if pixel <= DECODE_PIXEL * MOST_OFF {
                self.decode += (pixel - self.decode) * WEIGHT;
            }
        }
    }

    fn learn_size(&mut self, size: Size, seconds: f64) {
        /// Sizes are few; a publisher that changes its own all the time makes no more of them than this.
        const MOST_SIZES: usize = 32;
        let pixels = pixels(size);
        if !(1.0 / MOST_OFF..=MOST_OFF).contains(&(seconds / guess(pixels))) {
            return;
        }
        if let Some(known) = self.sizes.get_mut(&pixels) {
            *known += (seconds - *known) * WEIGHT;
        } else if self.sizes.len() < MOST_SIZES {
            self.sizes.insert(pixels, seconds);
        }
    }
}

/// What a rung did since, and for how many seconds.
fn since(rung: &RungStats, before: &Stats) -> (RungStats, f64) {
    let old = before.rungs.iter().find(|old| old.rung == rung.rung && old.size == rung.size);
    let encoded = rung.encoded.saturating_sub(old.map_or(0, |old| old.encoded));
    let encoding = rung.encoding.saturating_sub(old.map_or(Duration::ZERO, |old| old.encoding));
    (RungStats { encoded, ..*rung }, encoding.as_secs_f64())
}

fn rate(source: Source) -> f64 {
    // What comes faster is thinned before it is encoded, and a rate that nobody knows yet is most likely this.
    if source.frame_rate.is_finite() && source.frame_rate >= 1.0 {
        f64::from(source.frame_rate.min(240.0))
    } else {
        30.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcode::frame::RungId;
    use shared::unit::Bitrate;

    const SOURCE: Source = Source { size: Size { width: 1280, height: 720 }, frame_rate: 30.0 };
    const SMALL: Size = Size { width: 320, height: 180 };
    const MIDDLE: Size = Size { width: 640, height: 360 };

    fn rung(size: Size, divisor: u8) -> Rung {
        Rung { id: RungId(0), size, divisor, bitrate: Bitrate(1) }
    }

    fn stats(encoded: u64, busy: f64, cpu: f64) -> Stats {
        Stats {
            rungs: vec![RungStats {
                rung: RungId(3),
                size: MIDDLE,
                encoded,
                dropped: 0,
                encoding: Duration::from_secs_f64(busy),
                bytes: 0,
            }],
            decoded: encoded,
            cpu: Duration::from_secs_f64(cpu),
            ..Stats::default()
        }
    }

    #[test]
    fn the_guess_is_in_proportion() {
        let cost = Cost::default();
        let (low, half) = (cost.rung(&rung(SMALL, 1), SOURCE), cost.rung(&rung(SMALL, 2), SOURCE));
        assert!((low - half * 2.0).abs() < 1e-6);
        assert!((0.3..0.5).contains(&cost.rung(&rung(MIDDLE, 1), SOURCE)));
        assert_eq!(cost.all(&[], SOURCE), 0.0);
        assert!(cost.all(&[rung(MIDDLE, 1)], SOURCE) > cost.rung(&rung(MIDDLE, 1), SOURCE));
        assert!(cost.rung(&rung(MIDDLE, 1), Source { frame_rate: f32::NAN, ..SOURCE }).is_finite());
    }

    #[test]
    fn one_measurement_corrects_all_sizes() {
        let mut cost = Cost::default();
        let before = cost.picture(SMALL);
        let measured = cost.picture(MIDDLE) * 2;
        cost.calibrate(MIDDLE, measured);
        assert_eq!(cost.picture(MIDDLE).as_micros(), measured.as_micros());
        assert_eq!(cost.picture(SMALL).as_micros() / 10, before.as_micros() * 2 / 10);
        // Nonsense is not believed.
        cost.calibrate(MIDDLE, Duration::ZERO);
        cost.calibrate(MIDDLE, Duration::from_secs(100));
        assert_eq!(cost.picture(MIDDLE).as_micros(), measured.as_micros());
    }

    #[test]
    fn what_runs_is_learned_by_size() {
        let mut cost = Cost::default();
        // 30 pictures a second at 5 ms each, and 1 ms each to decode.
        for second in 0..60_u64 {
            let at = |second: u64| stats(second * 30, second as f64 * 0.15, second as f64 * 0.18);
            cost.learn(&at(second), &at(second + 1), Some(SOURCE.size));
        }
        assert!((cost.picture(MIDDLE).as_secs_f64() - 0.005).abs() < 1e-4, "{:?}", cost.picture(MIDDLE));
        assert!((cost.decoding(SOURCE).as_secs_f64() - 0.001).abs() < 1e-4, "{:?}", cost.decoding(SOURCE));
        assert!(cost.picture(SMALL) < Duration::from_millis(3), "its neighbour tells");
    }

    #[test]
    fn waiting_for_a_core_costs_nothing() {
        let mut cost = Cost::default();
        cost.learn(&stats(0, 0.0, 0.0), &stats(30, 0.9, 0.3), Some(SOURCE.size));
        assert!((cost.picture(MIDDLE).as_secs_f64() - 0.01).abs() < 1e-4);
    }

    #[test]
    fn a_child_can_say_what_it_wants() {
        let mut cost = Cost::default();
        for bad in [
            stats(u64::MAX, f64::from(u32::MAX), 0.0),
            stats(1, 1e9, 1e9),
            stats(10, 0.0, 5.0),
            stats(0, 1.0, 1.0),
        ] {
            cost.learn(&bad, &Stats::default(), None);
            cost.learn(&Stats::default(), &bad, Some(Size { width: 1, height: 1 }));
        }
        let picture = cost.picture(MIDDLE).as_secs_f64();
        assert!((guess(230_400) / MOST_OFF..guess(230_400) * MOST_OFF).contains(&picture), "{picture}");
    }
}
