//! What a track really carries: bits and frames a second, time between keyframes, size.

use shared::unit::Size;
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Over how long rates are averaged.
const WINDOW: Duration = Duration::from_secs(2);
/// How finely the window is cut.
const SLOT: Duration = Duration::from_millis(100);

/// Measures one track from the packets that pass.
#[derive(Debug, Default)]
pub struct Meter {
    /// Start of each slot, its payload bytes and frames. At most `WINDOW / SLOT` + 1.
    slots: VecDeque<(Instant, u64, u32)>,
    first: Option<Instant>,
    last_keyframe: Option<Instant>,
    /// Time between the last two keyframes.
    pub keyframe_interval: Option<Duration>,
    /// The size that the last keyframe told.
    pub size: Option<Size>,
}

impl Meter {
    /// One packet passed; `ends_frame` for the last of a frame.
    pub fn packet(&mut self, bytes: usize, ends_frame: bool, now: Instant) {
        self.first.get_or_insert(now);
        match self.slots.back_mut() {
            Some(slot) if now.saturating_duration_since(slot.0) < SLOT => {
                slot.1 += bytes as u64;
                slot.2 += u32::from(ends_frame);
            }
            _ => self.slots.push_back((now, bytes as u64, u32::from(ends_frame))),
        }
        self.forget(now);
    }

    /// A keyframe began.
    pub fn keyframe(&mut self, size: Option<Size>, now: Instant) {
        self.keyframe_interval = self.last_keyframe.map(|last| now.saturating_duration_since(last));
        self.last_keyframe = Some(now);
        self.size = size.or(self.size);
    }

    fn forget(&mut self, now: Instant) {
        while self.slots.front().is_some_and(|slot| now.saturating_duration_since(slot.0) > WINDOW) {
            self.slots.pop_front();
        }
    }

    /// Bits and frames a second over the last two seconds, or since the first packet if that is less long ago.
    pub fn rates(&mut self, now: Instant) -> (u64, f32) {
        self.forget(now);
        let Some(first) = self.first else { return (0, 0.0) };
        let span = now.saturating_duration_since(first).clamp(SLOT * 5, WINDOW).as_secs_f64();
        let (bytes, frames) =
            self.slots.iter().fold((0, 0), |(bytes, frames), slot| (bytes + slot.1, frames + slot.2));
        ((bytes as f64 * 8.0 / span) as u64, (f64::from(frames) / span) as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_those_of_the_last_two_seconds() {
        let start = Instant::now();
        let mut meter = Meter::default();
        for i in 0..300 {
            meter.packet(5_000, true, start + Duration::from_millis(i * 1000 / 30));
        }
        let (bitrate, frame_rate) = meter.rates(start + Duration::from_secs(10));
        assert!((1_150_000..1_300_000).contains(&bitrate), "{bitrate}");
        assert!((29.0..32.0).contains(&frame_rate), "{frame_rate}");
        assert_eq!(meter.rates(start + Duration::from_secs(13)), (0, 0.0), "silence is measured too");
        assert!(meter.slots.len() <= 21);
    }

    #[test]
    fn the_interval_is_between_the_last_two_keyframes() {
        let start = Instant::now();
        let mut meter = Meter::default();
        meter.keyframe(Some(Size { width: 640, height: 360 }), start);
        assert_eq!(meter.keyframe_interval, None);
        meter.keyframe(None, start + Duration::from_secs(2));
        assert_eq!(meter.keyframe_interval, Some(Duration::from_secs(2)));
        assert_eq!(meter.size, Some(Size { width: 640, height: 360 }));
    }
}
