//! What is noted of a publisher's packets as they pass, for the doctor: what got lost and came again, how far keyframes are
//! apart, whether there are B-frames. Costs a few comparisons a packet and no allocation.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// A packet that is missing for this long won't come any more: several round trips of asking again.
const GIVEN_UP: Duration = Duration::from_secs(1);
/// The most packets that are waited for; a larger jump is a stream that began anew.
const MOST_MISSING: usize = 512;
/// The most tracks that are noted; the hub keeps no more either.
const MOST_TRACKS: usize = 8;

/// What a packet says that matters here.
#[derive(Debug, Clone, Copy)]
pub struct Passed<'a> {
    /// Which track of its publisher.
    pub track: u8,
    /// Its name as a rendition.
    pub rendition: &'a str,
    /// Sound or picture.
    pub is_audio: bool,
    /// Sequence number, extended beyond 16 bits.
    pub seq: u64,
    /// RTP timestamp.
    pub time: u32,
    /// The first packet of a keyframe.
    pub starts_keyframe: bool,
    /// Whether a slice that is predicted from both sides begins here; `None` where the codec has nothing like it.
    pub b_slice: Option<bool>,
}

/// What was noted of one track since the last time.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackVitals {
    /// Its name as a rendition.
    pub rendition: String,
    /// Sound or picture.
    pub is_audio: bool,
    /// For how long nothing came.
    pub quiet: Duration,
    /// Packets that should have come.
    pub expected: u32,
    /// Packets that were missing when later ones came.
    pub missed: u32,
    /// Of all that were missed, those that never came.
    pub lost: u32,
    /// Frames.
    pub frames: u32,
    /// Frames that are predicted from later ones.
    pub b_frames: u32,
    /// How far the last two keyframes are apart, or how long ago the last one is if that is more.
    pub keyframe_interval: Option<Duration>,
}

/// What was noted of a publisher since the last time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Vitals {
    /// Its tracks, in the order in which they appeared.
    pub tracks: Vec<TrackVitals>,
    /// Times that missing packets were asked for.
    pub asked: u32,
}

#[derive(Debug)]
struct Chart {
    track: u8,
    rendition: String,
    is_audio: bool,
    highest: u64,
    last_packet: Instant,
    /// What is missing, and since when, oldest first.
    missing: VecDeque<(u64, Instant)>,
    expected: u32,
    missed: u32,
    lost: u32,
    frames: u32,
    b_frames: u32,
    /// The frame that was counted last.
    frame: Option<u32>,
    /// The last frame that was counted as a B-frame.
    b_frame: Option<u32>,
    /// The latest timestamp.
    latest: u32,
    keyframe: Option<Instant>,
    keyframe_interval: Option<Duration>,
}

/// Notes what passes.
#[derive(Debug, Default)]
pub struct Monitor {
    charts: Vec<Chart>,
    /// Requests for missing packets by line, as last told and since the last time.
    asked: Vec<(u8, u64)>,
    asked_since: u32,
}

impl Monitor {
    /// A packet passed.
    pub fn passed(&mut self, packet: Passed<'_>, now: Instant) {
        let at = match self.charts.iter().position(|chart| chart.track == packet.track) {
            Some(at) => at,
            None if self.charts.len() < MOST_TRACKS => {
                self.charts.push(Chart::new(packet, now));
                self.charts.len() - 1
            }
            None => return,
        };
        self.charts[at].passed(packet, now);
    }

    /// How often missing packets have been asked for on one line in all, by a number of the line's own.
    pub fn asked(&mut self, line: u8, total: u64) {
        if self.asked.len() >= MOST_TRACKS && self.asked.iter().all(|(known, _)| *known != line) {
            return;
        }
        let at = self.asked.iter().position(|(known, _)| *known == line).unwrap_or_else(|| {
            self.asked.push((line, 0));
            self.asked.len() - 1
        });
        let since = total.saturating_sub(std::mem::replace(&mut self.asked[at].1, total));
        self.asked_since = self.asked_since.saturating_add(u32::try_from(since).unwrap_or(u32::MAX));
    }

    /// What was noted since the last time.
    pub fn take(&mut self, now: Instant) -> Vitals {
        Vitals {
            tracks: self.charts.iter_mut().map(|chart| chart.take(now)).collect(),
            asked: std::mem::take(&mut self.asked_since),
        }
    }
}

impl Chart {
    fn new(packet: Passed<'_>, now: Instant) -> Self {
        Self {
            track: packet.track,
            rendition: packet.rendition.to_owned(),
            is_audio: packet.is_audio,
            // The first packet is expected, and nothing before it.
            highest: packet.seq.wrapping_sub(1),
            last_packet: now,
            missing: VecDeque::new(),
            expected: 0,
            missed: 0,
            lost: 0,
            frames: 0,
            b_frames: 0,
            frame: None,
            b_frame: None,
            latest: packet.time,
            keyframe: None,
            keyframe_interval: None,
        }
    }

    fn passed(&mut self, packet: Passed<'_>, now: Instant) {
        self.last_packet = now;
        let ahead = packet.seq.wrapping_sub(self.highest);
        if ahead == 0 || ahead > u64::MAX / 2 {
            // Late, asked for, or twice.
            if let Ok(at) = self.missing.binary_search_by_key(&packet.seq, |(seq, _)| *seq) {
                self.missing.remove(at);
            }
        } else if ahead as usize > MOST_MISSING {
            self.missing.clear();
            self.highest = packet.seq;
            self.expected += 1;
        } else {
            for seq in self.highest.wrapping_add(1)..packet.seq {
                if self.missing.len() == MOST_MISSING {
                    self.missing.pop_front();
                    self.lost += 1;
                }
                self.missing.push_back((seq, now));
            }
            self.missed += ahead as u32 - 1;
            self.expected += ahead as u32;
            self.highest = packet.seq;
            self.in_order(packet);
        }
        if let (Some(true), false) = (packet.b_slice, self.b_frame == Some(packet.time)) {
            self.b_frame = Some(packet.time);
            self.b_frames += 1;
        }
        if packet.starts_keyframe {
            self.keyframe_interval = self.keyframe.map(|last| now.saturating_duration_since(last));
            self.keyframe = Some(now);
        }
    }

    /// A packet that is newer than all before.
    fn in_order(&mut self, packet: Passed<'_>) {
        if self.frame != Some(packet.time) {
            self.frame = Some(packet.time);
            self.frames += 1;
        }
        let step = packet.time.wrapping_sub(self.latest) as i32;
        if step > 0 || step.unsigned_abs() > 10 * 90_000 {
            self.latest = packet.time;
        } else if step < 0 && packet.b_slice.is_some() && self.b_frame != Some(packet.time) {
            // Sent after a frame that is shown later, which is what B-frames do to timestamps.
            self.b_frame = Some(packet.time);
            self.b_frames += 1;
        }
    }

    fn take(&mut self, now: Instant) -> TrackVitals {
        while self.missing.front().is_some_and(|(_, since)| now.saturating_duration_since(*since) >= GIVEN_UP)
        {
            self.missing.pop_front();
            self.lost += 1;
        }
        let since = self.keyframe.map(|last| now.saturating_duration_since(last));
        let quiet = now.saturating_duration_since(self.last_packet);
        // Of a track that stopped, the last keyframe only gets older.
        let since = since.filter(|_| quiet < GIVEN_UP);
        TrackVitals {
            rendition: self.rendition.clone(),
            is_audio: self.is_audio,
            quiet,
            expected: std::mem::take(&mut self.expected),
            missed: std::mem::take(&mut self.missed),
            lost: std::mem::take(&mut self.lost),
            frames: std::mem::take(&mut self.frames),
            b_frames: std::mem::take(&mut self.b_frames),
            keyframe_interval: self.keyframe_interval.max(since),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Duration = Duration::from_millis(33);

    fn video(seq: u64, time: u32) -> Passed<'static> {
        Passed {
            track: 0,
            rendition: "source",
            is_audio: false,
            seq,
            time,
            starts_keyframe: false,
            b_slice: None,
        }
    }

    /// Sends packets that are numbered by `seqs`, one a frame, and a second on takes what was noted.
    fn after(seqs: impl IntoIterator<Item = u64>) -> TrackVitals {
        let start = Instant::now();
        let mut monitor = Monitor::default();
        let mut now = start;
        for seq in seqs {
            monitor.passed(video(seq, (seq as u32).wrapping_mul(3000)), now);
            now += FRAME;
        }
        monitor.take(now + GIVEN_UP).tracks.remove(0)
    }

    #[test]
    fn what_comes_in_order_misses_nothing() {
        for first in [0, 1, 65_530, u64::from(u32::MAX), u64::MAX / 2] {
            let vitals = after(first..first + 100);
            assert_eq!((vitals.expected, vitals.missed, vitals.lost, vitals.frames), (100, 0, 0, 100));
        }
    }

    #[test]
    fn every_hole_is_missed_and_lost_unless_it_is_filled() {
        // Each length of a hole, filled at none, one or all of its places, in either direction.
        for length in 1..=60_u64 {
            let (before, behind) = (0..10, 10 + length..20 + length);
            let hole = 10..10 + length;
            let lost = after(before.clone().chain(behind.clone()));
            assert_eq!((lost.missed, lost.lost), (length as u32, length as u32), "{length}");
            let one = after(before.clone().chain(behind.clone()).chain([10]));
            assert_eq!((one.missed, one.lost), (length as u32, length as u32 - 1), "{length}");
            let slowly = length * 33 >= 1000;
            let filled = after(before.clone().chain(behind.clone()).chain(hole.clone()));
            assert_eq!(filled.missed, length as u32);
            assert!(slowly || filled.lost == 0, "{length}: {}", filled.lost);
            let backwards = after(before.chain(behind).chain(hole.rev()));
            assert!(slowly || backwards.lost == 0, "{length}: {}", backwards.lost);
            assert_eq!(backwards.expected, 20 + length as u32);
        }
    }

    #[test]
    fn what_comes_twice_or_too_late_changes_nothing() {
        let vitals = after([1, 2, 2, 4, 3, 3, 4, 1, 5]);
        assert_eq!((vitals.expected, vitals.missed, vitals.lost), (5, 1, 0));
    }

    #[test]
    fn a_jump_is_a_stream_that_began_anew_and_memory_is_bounded() {
        let vitals = after([1, 2, 3, 1_000_000, 1_000_001]);
        assert_eq!((vitals.expected, vitals.lost), (5, 0));
        let start = Instant::now();
        let mut monitor = Monitor::default();
        for i in 0..10_000_u64 {
            monitor.passed(video(i * 300, 0), start);
            assert!(monitor.charts[0].missing.len() <= MOST_MISSING);
        }
        for track in 0..=255 {
            monitor.passed(Passed { track, ..video(1, 1) }, start);
        }
        assert_eq!(monitor.take(start).tracks.len(), MOST_TRACKS);
    }

    #[test]
    fn a_packet_is_given_up_after_a_while_and_not_before() {
        let start = Instant::now();
        let mut monitor = Monitor::default();
        monitor.passed(video(1, 0), start);
        monitor.passed(video(3, 0), start);
        let lost = |vitals: Vitals| vitals.tracks[0].lost;
        assert_eq!(lost(monitor.take(start + GIVEN_UP - Duration::from_millis(1))), 0);
        assert_eq!(lost(monitor.take(start + GIVEN_UP)), 1);
        assert_eq!(lost(monitor.take(start + GIVEN_UP * 2)), 0, "each counts once");
    }

    #[test]
    fn b_frames_are_told_by_slices_or_by_timestamps_that_go_back() {
        let start = Instant::now();
        let b = |slice: bool| Some(slice);
        let mut monitor = Monitor::default();
        // Two packets a frame; every third frame is a B-frame.
        for i in 0..60_u64 {
            let frame = (i / 2) as u32;
            let packet = Passed { b_slice: b(frame % 3 == 2), ..video(i, frame * 3000) };
            monitor.passed(packet, start);
        }
        let vitals = monitor.take(start);
        assert_eq!((vitals.tracks[0].frames, vitals.tracks[0].b_frames), (30, 10));
        // Decoding order 0 2 1 4 3 …, whatever the slices say.
        let mut monitor = Monitor::default();
        for (seq, time) in [0_u32, 2, 1, 4, 3, 6, 5].into_iter().enumerate() {
            let time = 0_u32.wrapping_sub(9_000).wrapping_add(time * 3000);
            monitor.passed(Passed { b_slice: b(false), ..video(seq as u64, time) }, start);
        }
        assert_eq!(monitor.take(start).tracks[0].b_frames, 3);
        // The same of a codec without: timestamps are strange, but there are none.
        let mut monitor = Monitor::default();
        for (seq, time) in [0_u32, 2, 1].into_iter().enumerate() {
            monitor.passed(video(seq as u64, time * 3000), start);
        }
        assert_eq!(monitor.take(start).tracks[0].b_frames, 0);
    }

    #[test]
    fn what_arrives_late_is_no_b_frame() {
        let start = Instant::now();
        let mut monitor = Monitor::default();
        for seq in [1_u64, 2, 4, 5, 3, 6] {
            let packet = Passed { b_slice: Some(false), ..video(seq, seq as u32 * 3000) };
            monitor.passed(packet, start);
        }
        assert_eq!(monitor.take(start).tracks[0].b_frames, 0);
    }

    #[test]
    fn the_interval_is_the_last_one_or_the_one_that_is_still_growing() {
        let start = Instant::now();
        let mut monitor = Monitor::default();
        let mut interval = |seconds: u64, key: bool| {
            let now = start + Duration::from_secs(seconds);
            monitor.passed(Passed { starts_keyframe: key, ..video(seconds, seconds as u32) }, now);
            monitor.take(now).tracks[0].keyframe_interval.map(|interval| interval.as_secs())
        };
        assert_eq!(interval(0, false), None);
        assert_eq!(interval(1, true), Some(0));
        assert_eq!(interval(4, false), Some(3));
        assert_eq!(interval(11, true), Some(10));
        assert_eq!(interval(13, true), Some(2));
        assert_eq!(interval(14, false), Some(2));
        assert_eq!(interval(16, false), Some(3));
    }

    #[test]
    fn requests_are_counted_by_line() {
        let mut monitor = Monitor::default();
        let now = Instant::now();
        monitor.asked(1, 4);
        monitor.asked(2, 1);
        assert_eq!(monitor.take(now).asked, 5);
        monitor.asked(1, 4);
        monitor.asked(2, 3);
        monitor.asked(2, 0);
        assert_eq!(monitor.take(now).asked, 2);
    }
}
