//! One of a viewer's lines, sound or picture: which track is on it, and when another takes its place.

use super::rewrite::{Edge, Place, Rewriter, Turn};
use std::time::{Duration, Instant};

/// What a line needs to know of a packet. `T` names a track.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<T> {
    /// The track it is of.
    pub track: T,
    /// Extended sequence number.
    pub seq: u64,
    /// RTP timestamp.
    pub time: u32,
    /// When it was captured.
    pub captured: Instant,
    /// Decoding can start with it: the first packet of a keyframe, or any packet of sound.
    pub can_start: bool,
    /// Of a packet that is replayed.
    pub turn: Option<Turn>,
}

/// See the module. Starts empty: nothing is on it until a track is wanted and a packet comes that it can start with.
#[derive(Debug)]
pub struct Line<T> {
    rewriter: Rewriter,
    current: Option<T>,
    wanted: Option<(T, Instant)>,
}

impl<T: Copy + PartialEq> Line<T> {
    /// A line whose clock ticks `clock_rate` times a second.
    pub fn new(clock_rate: u32) -> Self {
        Self { rewriter: Rewriter::new(clock_rate), current: None, wanted: None }
    }

    /// The track that is on the line.
    pub fn current(&self) -> Option<T> {
        self.current
    }

    /// The track it waits for, and for how long.
    pub fn awaited(&self, now: Instant) -> Option<(T, Duration)> {
        self.wanted.map(|(track, since)| (track, now.saturating_duration_since(since)))
    }

    /// Wants `track` from its next start on. What is on the line stays until then.
    pub fn want(&mut self, track: T, now: Instant) {
        if self.current == Some(track) {
            self.wanted = None;
        } else if self.wanted.is_none_or(|(wanted, _)| wanted != track) {
            self.wanted = Some((track, now));
        }
    }

    /// Wants nothing more: what is on the line stays.
    pub fn want_nothing(&mut self) {
        self.wanted = None;
    }

    /// Takes off what is on the line, and wants nothing more. Whatever is wanted next goes on where it left off.
    pub fn stop(&mut self) {
        self.current = None;
        self.wanted = None;
    }

    /// Starts on `track` with packets that are replayed, from `first_seq` to `edge`; the caller then places each of them.
    pub fn replay(&mut self, track: T, first_seq: u64, edge: Edge) {
        self.rewriter.replay(first_seq, edge);
        self.current = Some(track);
        self.wanted = None;
    }

    /// Where a packet goes on the line. `None`: not on this line, or not yet.
    pub fn place(&mut self, packet: Arrival<T>) -> Option<Place> {
        if self.current != Some(packet.track) {
            let (wanted, _) = self.wanted?;
            if wanted != packet.track || !packet.can_start {
                return None;
            }
            self.rewriter.switch(packet.seq, packet.time, packet.captured);
            self.current = Some(packet.track);
            self.wanted = None;
        }
        self.rewriter.place(packet.seq, packet.time, packet.captured, packet.turn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival(track: u8, seq: u64, can_start: bool) -> Arrival<u8> {
        Arrival { track, seq, time: seq as u32 * 3000, captured: Instant::now(), can_start, turn: None }
    }

    #[test]
    fn nothing_passes_before_the_wanted_track_can_start() {
        let now = Instant::now();
        let mut line = Line::new(90_000);
        assert!(line.place(arrival(1, 10, true)).is_none(), "nothing is wanted");
        line.want(1, now);
        assert!(line.place(arrival(1, 11, false)).is_none());
        assert!(line.place(arrival(2, 11, true)).is_none(), "another track");
        assert_eq!(line.place(arrival(1, 12, true)).unwrap().seq, 1);
        assert_eq!(line.place(arrival(1, 13, false)).unwrap().seq, 2);
        assert_eq!(line.awaited(now), None);
    }

    #[test]
    fn the_old_track_plays_on_until_the_new_one_starts() {
        let now = Instant::now();
        let mut line = Line::new(90_000);
        line.want(1, now);
        line.place(arrival(1, 1, true));
        line.want(2, now);
        assert_eq!(line.place(arrival(1, 2, false)).unwrap().seq, 2);
        assert!(line.place(arrival(2, 70, false)).is_none());
        assert_eq!(line.place(arrival(2, 71, true)).unwrap().seq, 3);
        assert!(line.place(arrival(1, 3, true)).is_none(), "the old one is off");
    }

    #[test]
    fn wanting_the_same_track_again_does_not_restart_its_patience() {
        let now = Instant::now();
        let mut line = Line::new(90_000);
        line.want(1, now);
        line.want(1, now + Duration::from_secs(1));
        assert_eq!(line.awaited(now + Duration::from_secs(2)), Some((1, Duration::from_secs(2))));
    }
}
