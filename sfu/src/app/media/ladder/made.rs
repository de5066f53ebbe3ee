//! What comes out of a ladder: rungs' frames as packets of tracks, captured when the source's pictures were.

use crate::{
    broadcast::packet::{Epoch, Packet, Track, TrackKey},
    transcode::{
        frame::{MediaTime, RungFrame, RungId},
        ladder,
        packetize::Packetizer,
    },
};
use shared::broadcast::Codec;
use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

/// How many of the source's frames are remembered: more than two seconds at 60 a second. Rungs are later than that never.
const REMEMBERED: usize = 150;
/// Ticks of media time a second.
const RATE: i64 = 90_000;

/// See the module. One for each publisher: what numbers a rung had, it goes on with when it is made again.
#[derive(Debug)]
pub struct Made {
    epoch: Epoch,
    /// The source's frames, and when they were captured.
    seen: VecDeque<(i64, Instant)>,
    quarter_turns: Option<u8>,
    lines: Vec<Line>,
}

#[derive(Debug)]
struct Line {
    rung: RungId,
    track: Arc<Track>,
    packetizer: Packetizer,
    next: u64,
    last: Option<i64>,
}

impl Made {
    /// Of what this publisher sends.
    pub fn new(epoch: Epoch) -> Self {
        Self { epoch, seen: VecDeque::new(), quarter_turns: None, lines: Vec::new() }
    }

    /// A frame of the source goes in.
    pub fn saw(&mut self, time: MediaTime, captured: Instant, quarter_turns: Option<u8>) {
        if self.seen.len() >= REMEMBERED {
            self.seen.pop_front();
        }
        self.seen.push_back((time.0, captured));
        self.quarter_turns = quarter_turns.or(self.quarter_turns);
    }

    /// When the source's picture of that time was captured.
    pub fn captured(&self, time: MediaTime) -> Option<Instant> {
        let (near, at) = self.seen.iter().rev().min_by_key(|(seen, _)| seen.abs_diff(time.0))?;
        let apart = Duration::from_secs_f64(near.abs_diff(time.0).min(RATE as u64) as f64 / RATE as f64);
        if time.0 >= *near { at.checked_add(apart) } else { at.checked_sub(apart) }
    }

    /// The track of a rung.
    pub fn track(&mut self, rung: RungId) -> Arc<Track> {
        Arc::clone(&self.line(rung).track)
    }

    fn line(&mut self, rung: RungId) -> &mut Line {
        let at = self.lines.iter().position(|line| line.rung == rung).unwrap_or_else(|| {
            let key = TrackKey::made(self.epoch, rung.0);
            let track = Track { key, codec: Codec::Av1, rid: Some(ladder::name(rung)), clock_rate: 90_000 };
            let (track, packetizer) = (Arc::new(track), Packetizer::default());
            self.lines.push(Line { rung, track, packetizer, next: 1, last: None });
            self.lines.len() - 1
        });
        &mut self.lines[at]
    }

    /// A frame's packets. A rung's time never goes back: encoders count on what they made before, whatever a publisher's clock does.
    pub fn packets(&mut self, frame: &RungFrame, now: Instant) -> Vec<Packet> {
        let captured = self.captured(frame.time).unwrap_or(now).min(now);
        let quarter_turns = self.quarter_turns;
        let line = self.line(frame.rung);
        let time = line.last.map_or(frame.time.0, |last| frame.time.0.max(last + 1));
        let payloads = line.packetizer.packets(&frame.data, frame.keyframe);
        let count = payloads.len();
        if count > 0 {
            line.last = Some(time);
        }
        let first = line.next;
        line.next += count as u64;
        let packet = |(at, payload)| Packet {
            track: Arc::clone(&line.track),
            seq: first + at as u64,
            time: time as u32,
            marker: at + 1 == count,
            starts_keyframe: false,
            picture: None,
            captured,
            arrived: now,
            payload,
            quarter_turns,
            redundant: None,
        };
        payloads.into_iter().enumerate().map(packet).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(time: i64, keyframe: bool) -> RungFrame {
        // A sequence header and a frame of 3,000 bytes.
        let mut data = if keyframe { vec![0x0a, 2, 0, 7] } else { Vec::new() };
        data.extend([0x32, 0xb8, 0x17, if keyframe { 0x10 } else { 0x30 }]);
        data.extend([0; 2999]);
        RungFrame { rung: RungId(3), time: MediaTime(time), keyframe, data, encoding: Duration::ZERO }
    }

    #[test]
    fn a_rung_is_captured_when_its_picture_was_and_its_numbers_go_on() {
        let start = Instant::now();
        let mut made = Made::new(Epoch(7));
        for number in 0..300i64 {
            let at = start + Duration::from_millis(33) * number as u32;
            made.saw(MediaTime(number * 3000), at, Some(1));
        }
        let now = start + Duration::from_secs(20);
        let one = made.packets(&frame(290 * 3000, true), now);
        assert_eq!(one.len(), 3);
        assert_eq!(one[0].captured, start + Duration::from_millis(33) * 290);
        assert_eq!(one[0].track.rendition(), "360p");
        assert_eq!(one[0].track.key, TrackKey::made(Epoch(7), 3));
        assert_eq!(
            one.iter().map(|packet| (packet.seq, packet.marker)).collect::<Vec<_>>(),
            [(1, false), (2, false), (3, true)]
        );
        assert_eq!(one[0].quarter_turns, Some(1));
        let next = made.packets(&frame(291 * 3000, false), now);
        assert_eq!((next[0].seq, next[0].time), (4, 291 * 3000));
        let back = made.packets(&frame(290 * 3000, true), now);
        assert_eq!((back[0].seq, back[0].time), (7, 291 * 3000 + 1), "nothing is left out");
    }

    #[test]
    fn what_was_never_seen_is_dated_by_what_is_near_and_never_in_the_future() {
        let start = Instant::now();
        let mut made = Made::new(Epoch(7));
        assert_eq!(made.packets(&frame(0, true), start)[0].captured, start);
        made.saw(MediaTime(90_000), start, None);
        assert_eq!(made.captured(MediaTime(90_000 + 9000)), Some(start + Duration::from_millis(100)));
        let far = made.packets(&frame(i64::from(u32::MAX), true), start);
        assert_eq!(far[0].captured, start);
    }
}
