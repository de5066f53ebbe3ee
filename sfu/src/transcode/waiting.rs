//! Frames of a source that wait to be decoded: few, and none for long.
//!
//! A frame can only be left out together with all that follow it up to the next keyframe, as they are decoded from it. So
//! whoever is behind goes on at a keyframe: the newest wins.

use super::{frame::SourceFrame, wire::Sound};
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// The most frames that wait: half a second at 60 a second.
const MOST_FRAMES: usize = 30;
/// The most bytes of frames that wait.
const MOST_BYTES: usize = 8 << 20;
/// The most packets of sound that wait: a second. The oldest goes when there are more.
const MOST_SOUNDS: usize = 50;
/// A frame that has waited so long is late: it goes when a keyframe comes.
const LATE: Duration = Duration::from_millis(300);

/// A frame was left out. So will be those up to the next keyframe, which should be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many frames wait")]
pub struct Full;

/// What waits next.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// A frame, and since when.
    Frame(SourceFrame, Instant),
    /// A packet of sound.
    Sound(Sound),
}

/// A short queue of frames and sound.
#[derive(Debug, Default)]
pub struct Waiting {
    frames: VecDeque<(SourceFrame, Instant)>,
    bytes: usize,
    sounds: VecDeque<Sound>,
    /// Frames are left out up to the next keyframe.
    skips: bool,
    /// The next frame that is taken comes after some that weren't.
    gap: bool,
    left_out: u64,
}

impl Waiting {
    /// Takes a frame.
    ///
    /// # Errors
    /// When it was left out, and with it those that waited.
    pub fn push(&mut self, mut frame: SourceFrame, now: Instant) -> Result<(), Full> {
        if frame.keyframe {
            let late = |at: Instant| now.saturating_duration_since(at) >= LATE;
            if self.frames.front().is_some_and(|(_, at)| late(*at)) {
                self.leave_out_all();
            }
            self.skips = false;
        }
        let length = frame.data.len();
        let is_full = self.frames.len() >= MOST_FRAMES || self.bytes + length > MOST_BYTES;
        if is_full && !self.skips {
            self.leave_out_all();
            self.skips = !frame.keyframe;
        }
        if self.skips {
            self.left_out += 1;
            self.gap = true;
            return Err(Full);
        }
        frame.after_gap |= std::mem::take(&mut self.gap);
        self.bytes += length;
        self.frames.push_back((frame, now));
        Ok(())
    }

    /// Takes a packet of sound.
    pub fn push_sound(&mut self, sound: Sound) {
        if self.sounds.len() >= MOST_SOUNDS {
            self.sounds.pop_front();
        }
        self.sounds.push_back(sound);
    }

    /// What is to be done next; sound first, as it is done at once.
    pub fn pop(&mut self) -> Option<Next> {
        if let Some(sound) = self.sounds.pop_front() {
            return Some(Next::Sound(sound));
        }
        let (frame, at) = self.frames.pop_front()?;
        self.bytes -= frame.data.len();
        Some(Next::Frame(frame, at))
    }

    /// Leaves out what waits and what comes, up to the next keyframe.
    pub fn restart(&mut self) {
        self.leave_out_all();
        self.sounds.clear();
        self.skips = true;
    }

    /// Frames that were left out so far.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty() && self.sounds.is_empty()
    }

    fn leave_out_all(&mut self) {
        self.gap |= !self.frames.is_empty();
        self.left_out += self.frames.len() as u64;
        self.frames.clear();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcode::frame::MediaTime;
    use shared::broadcast::Codec;

    fn frame(number: i64, keyframe: bool, length: usize) -> SourceFrame {
        SourceFrame {
            codec: Codec::Vp8,
            time: MediaTime(number),
            keyframe,
            after_gap: false,
            data: vec![0; length].into(),
        }
    }

    fn drain(waiting: &mut Waiting) -> Vec<(i64, bool)> {
        std::iter::from_fn(|| match waiting.pop()? {
            Next::Frame(frame, _) => Some((frame.time.0, frame.after_gap)),
            Next::Sound(_) => None,
        })
        .collect()
    }

    #[test]
    fn frames_go_through_in_order() {
        let (mut waiting, now) = (Waiting::default(), Instant::now());
        for number in 0..5 {
            waiting.push(frame(number, number == 0, 9), now).unwrap();
        }
        assert_eq!(drain(&mut waiting), (0..5).map(|number| (number, false)).collect::<Vec<_>>());
        assert_eq!((waiting.left_out(), waiting.bytes), (0, 0));
    }

    #[test]
    fn too_many_are_left_out_up_to_the_next_keyframe() {
        let (mut waiting, now) = (Waiting::default(), Instant::now());
        for number in 0..30 {
            waiting.push(frame(number, number == 0, 9), now).unwrap();
        }
        assert_eq!(waiting.push(frame(30, false, 9), now), Err(Full));
        assert!(waiting.is_empty());
        assert_eq!(waiting.push(frame(31, false, 9), now), Err(Full));
        waiting.push(frame(32, true, 9), now).unwrap();
        waiting.push(frame(33, false, 9), now).unwrap();
        assert_eq!(drain(&mut waiting), [(32, true), (33, false)]);
        assert_eq!(waiting.left_out(), 32);
    }

    #[test]
    fn a_keyframe_pushes_late_frames_out_but_not_those_in_time() {
        let (mut waiting, start) = (Waiting::default(), Instant::now());
        waiting.push(frame(0, true, 9), start).unwrap();
        waiting.push(frame(1, true, 9), start + LATE / 2).unwrap();
        waiting.push(frame(2, true, 9), start + LATE).unwrap();
        assert_eq!(drain(&mut waiting), [(2, true)]);
    }

    #[test]
    fn after_a_restart_only_a_keyframe_will_do() {
        let (mut waiting, now) = (Waiting::default(), Instant::now());
        waiting.restart();
        assert_eq!(waiting.push(frame(0, false, 9), now), Err(Full));
        assert_eq!(waiting.push(frame(1, true, 9), now), Ok(()));
        assert_eq!(drain(&mut waiting), [(1, true)]);
    }

    #[test]
    fn whatever_comes_it_stays_small() {
        let mut state = 7_u64;
        let mut below = |most: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % most
        };
        let (mut waiting, mut now) = (Waiting::default(), Instant::now());
        let (mut taken, mut given) = (0, 0);
        for number in 0..20_000 {
            now += Duration::from_millis(below(40));
            let length = below(if number % 100 == 0 { 9 << 20 } else { 500 }) as usize;
            let is_key = below(40) == 0;
            let keyframe_fits = is_key && length <= MOST_BYTES;
            let pushed = waiting.push(frame(number, is_key, length), now);
            assert!(pushed.is_ok() || !keyframe_fits, "a keyframe that fits is always taken");
            waiting.push_sound(Sound { time: number, data: [0].into() });
            given += 1;
            for _ in 0..below(5) {
                taken += u64::from(matches!(waiting.pop(), Some(Next::Frame(..))));
            }
            assert!(waiting.frames.len() <= MOST_FRAMES && waiting.bytes <= MOST_BYTES);
            assert!(waiting.sounds.len() <= MOST_SOUNDS);
        }
        waiting.restart();
        assert_eq!(taken + waiting.left_out(), given, "each frame is taken or counted");
    }
}
