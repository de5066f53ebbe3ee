//! The low-bitrate sound: the publisher's packets on their way to a child, and what comes back as packets of a track.

use crate::{
    broadcast::packet::{Epoch, Packet, Track, TrackKey},
    transcode::{frame::RungId, wire::Sound},
};
use shared::{broadcast::Codec, unit::Bitrate, watch::LOW_SOUND};
use std::{collections::VecDeque, sync::Arc, time::Instant};

/// Its number among what is made of a publisher's media; no rung has it.
pub const SOUND: RungId = RungId(32);
/// What it is held to.
pub const BITRATE: Bitrate = Bitrate(24_000);
/// Packets that may be on their way through the child: two seconds of 20 ms each.
const ON_THE_WAY: usize = 100;
const CLOCK: u32 = 48_000;

/// See the module. One for each publisher: what numbers it had, it goes on with when it is made again.
#[derive(Debug)]
pub struct LowSound {
    track: Arc<Track>,
    /// Which of the publisher's tracks it is made of, and the time of the last packet.
    source: Option<(TrackKey, i64)>,
    /// Times of the last packets, and when they were captured.
    captured: VecDeque<(i64, Instant)>,
    next: u64,
}

impl LowSound {
    /// Of what this publisher sends.
    pub fn new(epoch: Epoch) -> Self {
        let key = TrackKey::made(epoch, SOUND.0);
        let (codec, rid) = (Codec::Opus, Some(LOW_SOUND.to_owned()));
        let track = Arc::new(Track { key, codec, rid, clock_rate: CLOCK });
        Self { track, source: None, captured: VecDeque::new(), next: 1 }
    }

    /// The track that it is.
    pub fn track(&self) -> &Arc<Track> {
        &self.track
    }

    /// A packet of the publisher's sound goes in.
    pub fn push(&mut self, packet: &Packet) -> Sound {
        // Times unwrap to numbers whose lower half the timestamps are.
        let time = match self.source {
            Some((key, last)) if key == packet.track.key => {
                last + i64::from(packet.time.wrapping_sub(last as u32).cast_signed())
            }
            _ => i64::from(packet.time),
        };
        self.source = Some((packet.track.key, time));
        if self.captured.len() >= ON_THE_WAY {
            self.captured.pop_front();
        }
        self.captured.push_back((time, packet.captured));
        Sound { time, data: Arc::clone(&packet.payload) }
    }

    /// A packet that came back; none if nothing is known of the one that it was made of.
    pub fn packet(&mut self, made: &Sound, now: Instant) -> Option<Packet> {
        let (_, captured) = *self.captured.iter().rev().find(|(time, _)| *time == made.time)?;
        let seq = self.next;
        self.next += 1;
        Some(Packet {
            track: Arc::clone(&self.track),
            seq,
            time: made.time as u32,
            marker: false,
            starts_keyframe: false,
            picture: None,
            captured,
            arrived: now,
            payload: Arc::clone(&made.data),
            quarter_turns: None,
            redundant: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn packet(index: u8, time: u32, captured: Instant) -> Packet {
        let key = TrackKey { epoch: Epoch(1), index };
        Packet {
            track: Arc::new(Track { key, codec: Codec::Opus, rid: None, clock_rate: CLOCK }),
            seq: 1,
            time,
            marker: false,
            starts_keyframe: false,
            picture: None,
            captured,
            arrived: captured,
            payload: [1, 2, 3].into(),
            quarter_turns: None,
            redundant: None,
        }
    }

    #[test]
    fn it_was_captured_when_the_source_was_and_its_numbers_go_on() {
        let start = Instant::now();
        let mut low = LowSound::new(Epoch(1));
        let (mut given, begin) = (Vec::new(), u32::MAX - 2000);
        for number in 0..5u32 {
            let at = start + Duration::from_millis(20) * number;
            given.push(low.push(&packet(1, begin.wrapping_add(number * 960), at)));
        }
        assert!(given.windows(2).all(|pair| pair[1].time - pair[0].time == 960), "{given:?}");
        for (number, sound) in given.iter().enumerate() {
            let made = Sound { time: sound.time, data: [9].into() };
            let out = low.packet(&made, start + Duration::from_secs(1)).unwrap();
            assert_eq!(out.captured, start + Duration::from_millis(20) * number as u32);
            assert_eq!((out.seq, out.time), (number as u64 + 1, begin.wrapping_add(number as u32 * 960)));
            assert_eq!((out.track.rendition(), out.track.key.made_number()), ("mono", Some(SOUND.0)));
        }
        let unknown = Sound { time: 7, data: [9].into() };
        assert!(low.packet(&unknown, start).is_none());
        // Another track has another clock.
        assert_eq!(low.push(&packet(2, 77, start)).time, 77);
    }
}
