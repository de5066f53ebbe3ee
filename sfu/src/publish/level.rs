//! How loud decoded sound is: its mean and its peak in dBFS, and whether it is cut off.
//!
//! 0 dBFS is the largest sample there is; a sine at full scale has a mean of −3 dBFS (AES17 calls that 0; here it isn't).

/// What nothing at all is called, in dBFS: below what 16 bits can say.
pub const NOTHING: f32 = -100.0;
/// From here on a sample counts as cut off. Coding moves a flat top by a few hundredths to either side.
const FULL: f32 = 0.985;
/// So many samples in a row at the top are no chance: at 48 kHz, a tone of 1 kHz that just reaches it stays for two.
const RUN: u32 = 4;
/// The channels that are told apart; Opus in WebRTC has at most two.
const CHANNELS: usize = 2;

/// What was heard over some time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// The root of the mean square, in dBFS; [`NOTHING`] at least.
    pub mean: f32,
    /// The largest sample, in dBFS; above 0 where coding made it overshoot.
    pub peak: f32,
    /// The part of the samples that are in runs at the very top, 0 to 1.
    pub clipped: f32,
}

/// Adds up decoded sound.
#[derive(Debug, Default)]
pub struct LevelMeter {
    samples: u64,
    squares: f64,
    peak: f32,
    clipped: u64,
    /// How many samples in a row have been at the top, by channel.
    runs: [u32; CHANNELS],
}

impl LevelMeter {
    /// Takes interleaved samples, −1 to 1. What is no number counts as nothing.
    pub fn add(&mut self, pcm: &[f32], channels: usize) {
        for (at, &sample) in pcm.iter().enumerate() {
            // Also for what is no number, which is larger and smaller than nothing.
            let size = if sample.is_finite() { sample.abs().min(8.0) } else { 0.0 };
            self.squares += f64::from(size * size);
            self.peak = self.peak.max(size);
            let run = &mut self.runs[at % channels.clamp(1, CHANNELS)];
            if size >= FULL {
                *run = run.saturating_add(1);
                // The first samples of a run are only known to be one with its last.
                self.clipped += match *run {
                    RUN => u64::from(RUN),
                    more if more > RUN => 1,
                    _ => 0,
                };
            } else {
                *run = 0;
            }
        }
        self.samples += pcm.len() as u64;
    }

    /// What was heard since the last time; `None` if nothing was decoded.
    pub fn take(&mut self) -> Option<Level> {
        let heard = std::mem::take(self);
        if heard.samples == 0 {
            return None;
        }
        let mean = (heard.squares / heard.samples as f64).sqrt() as f32;
        Some(Level {
            mean: decibels(mean),
            peak: decibels(heard.peak),
            clipped: heard.clipped.min(heard.samples) as f32 / heard.samples as f32,
        })
    }
}

fn decibels(amplitude: f32) -> f32 {
    (20.0 * amplitude.log10()).max(NOTHING)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(frequency: f32, amplitude: f32) -> Vec<f32> {
        let step = std::f32::consts::TAU * frequency / 48_000.0;
        (0..48_000).map(|i| (i as f32 * step).sin() * amplitude).collect()
    }

    fn level(pcm: &[f32], channels: usize) -> Level {
        let mut meter = LevelMeter::default();
        meter.add(pcm, channels);
        meter.take().unwrap()
    }

    #[test]
    fn levels_are_what_textbooks_say() {
        for (amplitude, mean, peak) in
            [(1.0, -3.01, 0.0), (0.5, -9.03, -6.02), (0.1, -23.01, -20.0), (0.001, -63.01, -60.0)]
        {
            let level = level(&sine(997.0, amplitude), 1);
            assert!((level.mean - mean).abs() < 0.05, "{amplitude}: {level:?}");
            assert!((level.peak - peak).abs() < 0.05, "{amplitude}: {level:?}");
        }
        let nothing = level(&[0.0; 960], 2);
        assert_eq!((nothing.mean, nothing.peak, nothing.clipped), (NOTHING, NOTHING, 0.0));
    }

    #[test]
    fn what_is_cut_off_is_told_from_what_is_loud() {
        for frequency in [220.0, 440.0, 997.0, 3000.0, 8000.0] {
            assert_eq!(level(&sine(frequency, 0.95), 1).clipped, 0.0, "{frequency} Hz, loud");
            let cut: Vec<f32> =
                sine(frequency, 4.0).into_iter().map(|sample| sample.clamp(-1.0, 1.0)).collect();
            let clipped = level(&cut, 1).clipped;
            // Of 8 kHz only two or three samples in a row fit into half a wave.
            assert!(frequency > 5000.0 || clipped > 0.5, "{frequency} Hz, cut: {clipped}");
        }
    }

    #[test]
    fn runs_are_counted_by_channel_and_across_packets() {
        // The left is at the top, the right is silent: no run is broken by the other channel.
        let left: Vec<f32> = (0..96).map(|i| if i % 2 == 0 { 1.0 } else { 0.0 }).collect();
        assert_eq!(level(&left, 2).clipped, 0.5);
        let mut meter = LevelMeter::default();
        for _ in 0..4 {
            meter.add(&[1.0, 0.0], 2);
        }
        assert_eq!(meter.take().unwrap().clipped, 0.5);
        assert_eq!(level(&[1.0, 1.0, 1.0, 0.5, 1.0, 1.0, 1.0, 0.5], 1).clipped, 0.0, "three are chance");
    }

    #[test]
    fn taking_begins_anew_and_nothing_heard_is_no_level() {
        let mut meter = LevelMeter::default();
        assert_eq!(meter.take(), None);
        meter.add(&[1.0; 480], 1);
        assert!(meter.take().unwrap().clipped > 0.9);
        meter.add(&[0.0; 480], 1);
        assert_eq!(meter.take().unwrap(), Level { mean: NOTHING, peak: NOTHING, clipped: 0.0 });
    }

    #[test]
    fn no_samples_whatever_make_figures_that_are_none() {
        for strange in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN, 1e-40] {
            let level = level(&[strange; 960], 2);
            assert!(level.mean.is_finite() && level.peak.is_finite() && level.clipped.is_finite());
            assert!((NOTHING..20.0).contains(&level.mean), "{strange}: {level:?}");
        }
    }
}
