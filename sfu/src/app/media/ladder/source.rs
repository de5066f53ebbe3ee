//! What goes into a ladder: the publisher's packets as frames, on one line of media time.

use super::made::Made;
use crate::{
    broadcast::packet::{Packet, Track},
    transcode::{
        depacketize::{Depacketizer, Received},
        frame::{MediaTime, SourceFrame},
    },
};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

/// Ticks of media time a second.
const RATE: i64 = 90_000;
/// Frames that are shown in another order are this far apart at most, in ticks.
const REORDERED: i64 = RATE;
/// From one frame to the next, more is a jump of the publisher's clock.
const JUMP: i64 = 5 * RATE;
/// What is replayed begins no longer ago, in ticks.
const REPLAYED: i64 = 30 * RATE;
/// Frames whose packets are on their way through the depacketizer.
const ON_THE_WAY: usize = 64;

/// See the module. One for each publisher; its track may change.
pub struct Source {
    track: Arc<Track>,
    depacketizer: Depacketizer,
    /// Added to the track's timestamps, so that time goes on when the track is another.
    offset: u32,
    /// The time of the last frame, and when that was captured.
    last: Option<(i64, Instant)>,
    /// The next frame may be of the past: what was there already comes again.
    rewound: bool,
    /// Timestamps of the last packets, and when they were captured.
    captured: VecDeque<(u32, Instant)>,
    made: Arc<Mutex<Made>>,
}

impl Source {
    /// Of a picture's track; what it knows of time goes to `made`. `None`: it is sound.
    pub fn new(track: &Arc<Track>, made: Arc<Mutex<Made>>) -> Option<Self> {
        let depacketizer = Depacketizer::new(track.codec)?;
        let (track, captured) = (Arc::clone(track), VecDeque::new());
        Some(Self { track, depacketizer, offset: 0, last: None, rewound: false, captured, made })
    }

    /// The track that it is of.
    pub fn track(&self) -> &Arc<Track> {
        &self.track
    }

    /// Begins anew with another track, or with the same one.
    pub fn restart(&mut self, track: &Arc<Track>) {
        let Some(depacketizer) = Depacketizer::new(track.codec) else { return };
        if track.key != self.track.key {
            self.captured.clear();
            // Where its first packet will be by the clock.
            self.offset = 0;
        }
        self.rewound = true;
        self.depacketizer = depacketizer;
        self.track = Arc::clone(track);
    }

    /// Takes the track's next packet; answers the frames that are whole now.
    pub fn push(&mut self, packet: &Packet) -> Vec<SourceFrame> {
        if packet.track != self.track {
            if packet.track.key != self.track.key {
                return Vec::new();
            }
            // The publisher changed the codec.
            self.restart(&packet.track);
        }
        if self.captured.is_empty()
            && let Some((time, at)) = self.last
        {
            let ticks = packet.captured.saturating_duration_since(at).as_secs_f64() * 90_000.0;
            self.offset = (time as u32).wrapping_add(ticks as u32).wrapping_sub(packet.time);
        }
        if self.captured.back().is_none_or(|(time, _)| *time != packet.time) {
            self.captured.push_back((packet.time, packet.captured));
            if self.captured.len() > ON_THE_WAY {
                self.captured.pop_front();
            }
        }
        let received = Received {
            seq: packet.seq,
            time: packet.time,
            marker: packet.marker,
            payload: Arc::clone(&packet.payload),
        };
        let mut frames = self.depacketizer.push(received);
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        for frame in &mut frames {
            // Timestamps unwrap to numbers whose lower half they are.
            let stamp = frame.time.0 as u32;
            let ticks = stamp.wrapping_add(self.offset);
            let captured = self.captured.iter().rev().find(|(known, _)| *known == stamp);
            let captured = captured.map_or(packet.captured, |(_, at)| *at);
            let back = if std::mem::take(&mut self.rewound) { REPLAYED } else { REORDERED };
            let time = match self.last {
                Some((last, at)) => {
                    let step = i64::from(ticks.wrapping_sub(last as u32).cast_signed());
                    if (-back..JUMP).contains(&step) {
                        last + step
                    } else {
                        // The publisher's clock jumped; whoever encodes goes on by the time that passed.
                        let passed = captured.saturating_duration_since(at).as_secs_f64() * RATE as f64;
                        let passed = (passed as i64).clamp(1, 3600 * RATE);
                        self.offset = self.offset.wrapping_add((passed - step) as u32);
                        last + passed
                    }
                }
                None => i64::from(ticks),
            };
            self.last = Some((time, captured));
            frame.time = MediaTime(time);
            made.saw(frame.time, captured, packet.quarter_turns);
        }
        frames
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broadcast::packet::{Epoch, TrackKey};
    use shared::broadcast::Codec;
    use std::time::Duration;

    fn track(index: u8) -> Arc<Track> {
        let key = TrackKey { epoch: Epoch(1), index };
        Arc::new(Track { key, codec: Codec::Vp8, rid: None, clock_rate: 90_000 })
    }

    fn packet(track: &Arc<Track>, seq: u64, time: u32, captured: Instant) -> Packet {
        Packet {
            track: Arc::clone(track),
            seq,
            time,
            marker: true,
            starts_keyframe: false,
            picture: None,
            captured,
            arrived: captured,
            payload: [0x10, 0, 1, 2].into(),
            quarter_turns: None,
            redundant: None,
        }
    }

    #[test]
    fn time_goes_on_through_wraps_restarts_and_other_tracks() {
        let start = Instant::now();
        let made = Arc::new(Mutex::new(Made::new(Epoch(1))));
        let (one, other) = (track(0), track(1));
        let mut source = Source::new(&one, Arc::clone(&made)).unwrap();
        let mut times = Vec::new();
        let at = |frame: u64| start + Duration::from_millis(100) * frame as u32;
        for frame in 0..20u64 {
            if frame == 5 {
                source.restart(&one);
            }
            let stamp = (u32::MAX - 50_000).wrapping_add(frame as u32 * 9000);
            times.extend(source.push(&packet(&one, frame, stamp, at(frame))));
        }
        source.restart(&other);
        for frame in 20..30u64 {
            assert!(source.push(&packet(&one, frame, 0, at(frame))).is_empty(), "the old track");
            times.extend(source.push(&packet(&other, frame, 77 + frame as u32 * 9000, at(frame))));
        }
        let steps: Vec<i64> = times.windows(2).map(|pair| pair[1].time.0 - pair[0].time.0).collect();
        assert_eq!(steps.len(), 29);
        assert!(steps.iter().all(|step| (8990..=9010).contains(step)), "{steps:?}");
        let captured = made.lock().unwrap().captured(times[25].time);
        assert_eq!(captured, Some(at(25)));
    }

    #[test]
    fn time_goes_on_when_the_publishers_clock_jumps_either_way_and_rewinds_for_a_replay() {
        let start = Instant::now();
        let made = Arc::new(Mutex::new(Made::new(Epoch(1))));
        let one = track(0);
        let mut source = Source::new(&one, made).unwrap();
        let at = |frame: u64| start + Duration::from_millis(100) * frame as u32;
        let time = |source: &mut Source, seq: u64, stamp: u32, frame: u64| {
            source.push(&packet(&one, seq, stamp, at(frame)))[0].time.0
        };
        let mut stamp = 1_000_000_u32;
        let mut last = time(&mut source, 0, stamp, 0);
        for frame in 1..200_u64 {
            // By 3 s, by an hour, to and fro; each frame comes 100 ms after the one before.
            let jump: i64 = match frame {
                20 => -270_000,
                40 => 324_000_000,
                60 => -324_000_000,
                80 => i64::from(i32::MIN),
                _ => 0,
            };
            stamp = stamp.wrapping_add((9000 + jump) as u32);
            let now = time(&mut source, frame, stamp, frame);
            assert!((8990..=9010).contains(&(now - last)), "frame {frame}: {}", now - last);
            last = now;
        }
        source.restart(&one);
        let replayed = time(&mut source, 100, stamp.wrapping_sub(99 * 9000), 100);
        assert_eq!(last - replayed, 99 * 9000, "where it was before");
        assert_eq!(time(&mut source, 101, stamp.wrapping_sub(98 * 9000), 101) - replayed, 9000);
    }
}
