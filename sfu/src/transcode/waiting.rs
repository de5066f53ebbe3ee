//! Frames of a source that wait to be decoded: few, and none for long.
//!
//! A frame can only be left out together with all that follow it up to the next keyframe, as they are decoded from it. So
//! whoever is behind goes on at a keyframe: the newest wins. Only where there is no keyframe but one of a while ago does more
//! wait: what followed it is decoded, and not shown, until what comes is in time.

use super::{
    frame::SourceFrame,
    wire::{MOST_FRAME, Sound},
};
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// The most frames that wait: half a second at 60 a second.
const MOST_FRAMES: usize = 30;
/// The most bytes of frames that wait.
const MOST_BYTES: usize = 8 << 20;
/// The same while what is past is caught up with: what a cache of 12 s holds, and what comes meanwhile.
const MOST_FRAMES_BEHIND: usize = 1024;
const MOST_BYTES_BEHIND: usize = 24 << 20;
/// A frame that waited for less is in time.
const IN_TIME: Duration = Duration::from_millis(100);
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
    /// What waits begins in the past, and is only decoded as long as it is late.
    catches_up: bool,
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
        self.catches_up |= frame.decode_only;
        let (most_frames, most_bytes) =
            if self.catches_up { (MOST_FRAMES_BEHIND, MOST_BYTES_BEHIND) } else { (MOST_FRAMES, MOST_BYTES) };
        let length = frame.data.len();
        let fits = length <= MOST_FRAME;
        let is_full = self.frames.len() >= most_frames || self.bytes + length > most_bytes;
        if (is_full || !fits) && !self.skips {
            self.leave_out_all();
            self.skips = !(frame.keyframe && fits);
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

    /// What is to be done next at `now`; sound first, as it is done at once.
    pub fn pop(&mut self, now: Instant) -> Option<Next> {
        if let Some(sound) = self.sounds.pop_front() {
            return Some(Next::Sound(sound));
        }
        let (mut frame, at) = self.frames.pop_front()?;
        self.bytes -= frame.data.len();
        if self.catches_up && !frame.decode_only {
            // The last of all is shown, however late: nothing else may come for long.
            frame.decode_only = now.saturating_duration_since(at) >= IN_TIME && !self.frames.is_empty();
            self.catches_up = frame.decode_only;
        }
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
        self.catches_up = false;
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
            decode_only: false,
            data: vec![0; length].into(),
        }
    }

    fn drain(waiting: &mut Waiting) -> Vec<(i64, bool)> {
        let now = Instant::now();
        std::iter::from_fn(|| match waiting.pop(now)? {
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
    fn what_is_past_waits_whole_and_is_only_decoded_until_what_comes_is_in_time() {
        let (mut waiting, start) = (Waiting::default(), Instant::now());
        for number in 0..400 {
            let past = SourceFrame { decode_only: number < 399, ..frame(number, number == 0, 9) };
            waiting.push(past, start).unwrap();
        }
        let at = |frame: i64| start + Duration::from_millis(33) * frame as u32;
        let shown = |waiting: &mut Waiting, now: Instant| match waiting.pop(now) {
            Some(Next::Frame(frame, _)) => !frame.decode_only,
            other => panic!("{other:?}"),
        };
        // While they are decoded, 60 more come, and nothing is left out.
        for number in 400..460 {
            waiting.push(frame(number, false, 9), at(number - 399)).unwrap();
        }
        assert!(
            (0..400).all(|_| !shown(&mut waiting, at(60))),
            "also what was to be shown: it is late by now"
        );
        let first = (400..460).find(|_| shown(&mut waiting, at(60)));
        assert_eq!(first, Some(456), "less than 100 ms old");
        assert!(shown(&mut waiting, at(70)), "from then on all");
        assert_eq!(waiting.left_out(), 0);
        for number in 0..40 {
            let pushed = waiting.push(frame(460 + number, false, 9), at(70));
            assert_eq!(pushed.is_ok(), number < 28, "and no more waits than ever");
        }
    }

    #[test]
    fn the_last_of_the_past_is_shown_where_nothing_follows() {
        let (mut waiting, start) = (Waiting::default(), Instant::now());
        for number in 0..40 {
            waiting
                .push(SourceFrame { decode_only: number < 39, ..frame(number, number == 0, 9) }, start)
                .unwrap();
        }
        let much_later = start + Duration::from_secs(9);
        let shown = std::iter::from_fn(|| waiting.pop(much_later)).map(|next| match next {
            Next::Frame(frame, _) => !frame.decode_only,
            Next::Sound(_) => false,
        });
        assert_eq!(shown.enumerate().find(|(_, shown)| *shown), Some((39, true)));
    }

    #[test]
    fn one_that_is_too_large_to_be_sent_leaves_a_gap() {
        let (mut waiting, now) = (Waiting::default(), Instant::now());
        waiting.push(frame(0, true, 9), now).unwrap();
        assert_eq!(waiting.push(frame(1, true, MOST_FRAME + 1), now), Err(Full));
        assert_eq!(waiting.push(frame(2, false, 9), now), Err(Full), "it would be decoded from that");
        waiting.push(frame(3, true, 9), now).unwrap();
        assert_eq!(drain(&mut waiting), [(3, true)]);
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
            let keyframe_fits = is_key && length <= MOST_FRAME;
            let mut next = frame(number, is_key, length);
            next.decode_only = number / 1000 % 3 == 1 && below(2) == 0;
            let pushed = waiting.push(next, now);
            assert!(pushed.is_ok() || !keyframe_fits, "a keyframe that fits is always taken");
            waiting.push_sound(Sound { time: number, data: [0].into() });
            given += 1;
            for _ in 0..below(5) {
                taken += u64::from(matches!(waiting.pop(now), Some(Next::Frame(..))));
            }
            let behind = waiting.catches_up;
            assert!(waiting.frames.len() <= if behind { MOST_FRAMES_BEHIND } else { MOST_FRAMES } + 1);
            assert!(waiting.bytes <= MOST_BYTES_BEHIND);
            assert!(waiting.sounds.len() <= MOST_SOUNDS);
        }
        waiting.restart();
        assert_eq!(taken + waiting.left_out(), given, "each frame is taken or counted");
    }
}
