//! Makes one unbroken RTP stream out of the sources that it is switched between.
//!
//! Sequence numbers go on; gaps and reordering stay, so that repair still fits. Timestamps move by what passed between the
//! captures, so that one report ties them to the clock whatever they are switched to. What jumps is caught: a receiver that is
//! led astray stays there.
//!
//! What is replayed from a cache gets the timestamps that live frames would have if they came at the same moments. A receiver
//! then has no reason to wait: told anything else it takes the replay for jitter, or for a clock of another pace, and shows
//! everything late for seconds.

use std::time::{Duration, Instant};

/// How long late packets of replayed frames are still placed by the replay's times.
const REPLAY_MEMORY: Duration = Duration::from_secs(2);
/// What is this much older than the newest is of a picture that is over: it is left out.
const DEADLINE: Duration = Duration::from_secs(1);
/// The largest gap that is passed on. It is more than a receiver has repaired (it asks for a keyframe instead), and far
/// less than half of the 65,536 numbers, at which it would lose count.
const WIDEST_GAP: u64 = 1200;
/// A timestamp that is this far from what the capture clock says has jumped.
const TIME_JUMP: Duration = Duration::from_secs(5);
/// The most ticks that a replay is pushed back to leave room for what follows in it: more packets than a cache has.
const MOST_ROOM: u64 = 30_000;

/// Where a packet goes in the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Extended sequence number; the first is below 65,536, as a receiver starts at rollover zero.
    pub seq: u64,
    /// RTP timestamp.
    pub time: u32,
    /// The moment that the timestamp stands for: when it was captured, unless it is replayed. Whatever ties the stream to a
    /// clock has to go by this.
    pub stands_for: Instant,
}

/// The newest packet of a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// Extended sequence number.
    pub seq: u64,
    /// RTP timestamp.
    pub time: u32,
    /// When it was captured.
    pub captured: Instant,
    /// When it came.
    pub arrived: Instant,
}

/// What is to be known of a packet that comes out of a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// When it leaves.
    pub leaves: Instant,
    /// The newest packet behind it.
    pub edge: Edge,
}

#[derive(Debug)]
struct Source {
    first_seq: u64,
    /// Added to the source's sequence number.
    seq_offset: u64,
    /// Added to the source's timestamp.
    time_offset: u32,
    /// A timestamp of the stream, and the moment that it stands for.
    tie: (u32, Instant),
    /// How long after its capture a live packet comes.
    lag: Duration,
    /// Times of replayed frames in the source and in the stream, as they left, and the last replayed packet's number in the
    /// stream.
    replayed: Vec<(u32, u32)>,
    replayed_to: u64,
}

/// See the module. One for each line of a viewer, and one for each track of a publisher.
#[derive(Debug)]
pub struct Rewriter {
    clock_rate: u32,
    source: Option<Source>,
    highest_seq: u64,
    /// The timestamp of the packet with the highest number, and the moment that it stands for.
    last: Option<(u32, Instant)>,
}

impl Rewriter {
    /// For a line whose clock ticks `clock_rate` times a second.
    pub fn new(clock_rate: u32) -> Self {
        Self { clock_rate, source: None, highest_seq: 0, last: None }
    }

    /// Switches to a source whose first packet to come is this.
    pub fn switch(&mut self, seq: u64, time: u32, captured: Instant) {
        self.begin(seq, 0, Edge { seq, time, captured, arrived: captured });
    }

    /// Switches to a source whose packets from `first_seq` to `edge` are replayed.
    pub fn replay(&mut self, first_seq: u64, edge: Edge) {
        self.begin(first_seq, edge.seq.saturating_sub(first_seq).min(MOST_ROOM) as u32, edge);
    }

    /// `room` is how many ticks there have to be between what was last and the edge.
    fn begin(&mut self, first_seq: u64, room: u32, edge: Edge) {
        // It is where its capture puts it, unless what is replayed before it needs more room.
        let time = self.last.map_or(room, |(time, at)| {
            time.wrapping_add(self.ticks(edge.captured.saturating_duration_since(at)).max(room + 1))
        });
        self.source = Some(Source {
            first_seq,
            seq_offset: (self.highest_seq + 1).wrapping_sub(first_seq),
            time_offset: time.wrapping_sub(edge.time),
            tie: (time, edge.captured),
            lag: edge.arrived.saturating_duration_since(edge.captured),
            replayed: Vec::new(),
            replayed_to: 0,
        });
    }

    /// Where a packet of the current source goes; `turn` is for one that is replayed. `None`: it is from before the switch, or
    /// too late.
    pub fn place(&mut self, seq: u64, time: u32, captured: Instant, turn: Option<Turn>) -> Option<Place> {
        let (deadline, jump) = (self.ticks(DEADLINE), self.ticks(TIME_JUMP));
        let (rate, highest, last) = (self.clock_rate, self.highest_seq, self.last);
        let source = self.source.as_mut()?;
        if seq < source.first_seq {
            return None;
        }
        if !source.replayed.is_empty()
            && captured.saturating_duration_since(source.tie.1) > REPLAY_MEMORY
            && turn.is_none()
        {
            source.replayed = Vec::new();
        }
        let mut placed = seq.wrapping_add(source.seq_offset);
        if placed > highest + WIDEST_GAP {
            let too_much = placed - highest - WIDEST_GAP;
            source.seq_offset = source.seq_offset.wrapping_sub(too_much);
            source.first_seq = seq;
            placed -= too_much;
        }
        let replayed = source.replayed_time(placed, time, turn, last.map(|(time, _)| time), rate);
        let mut place = match replayed {
            Some(time) => Place { seq: placed, time, stands_for: source.moment(time, rate) },
            None => Place { seq: placed, time: time.wrapping_add(source.time_offset), stands_for: captured },
        };
        let Some((last_time, at)) = last else {
            self.highest_seq = place.seq;
            self.last = Some((place.time, place.stands_for));
            return Some(place);
        };
        if place.seq <= highest {
            let behind = last_time.wrapping_sub(place.time).cast_signed();
            // A frame from before a jump in time is as late as one can be.
            return (behind.unsigned_abs() <= deadline).then_some(place);
        }
        if replayed.is_none() {
            let elapsed = ticks(rate, captured.saturating_duration_since(at));
            let off = place.time.wrapping_sub(last_time).wrapping_sub(elapsed).cast_signed();
            if off.unsigned_abs() > jump {
                let expected = last_time.wrapping_add(elapsed.max(1));
                source.time_offset = source.time_offset.wrapping_add(expected.wrapping_sub(place.time));
                place.time = expected;
            }
        }
        self.highest_seq = place.seq;
        self.last = Some((place.time, place.stands_for));
        Some(place)
    }

    fn ticks(&self, time: Duration) -> u32 {
        ticks(self.clock_rate, time)
    }
}

impl Source {
    /// The time in the stream of a frame that is replayed, or was: the same for all its packets.
    fn replayed_time(
        &mut self,
        placed: u64,
        time: u32,
        turn: Option<Turn>,
        last: Option<u32>,
        rate: u32,
    ) -> Option<u32> {
        // Beyond what was replayed only the rest of the last frame is left.
        let newest_first = self.replayed.iter().rev();
        let most = if placed <= self.replayed_to { usize::MAX } else { 1 };
        let known = newest_first.take(most).find(|(from, _)| *from == time).map(|(_, to)| *to);
        let Some(turn) = turn else { return known };
        self.replayed_to = self.replayed_to.max(placed);
        if known.is_some() {
            return known;
        }
        // All are counted from the tie. A live frame that came now would be there:
        let leaves = ticks(rate, turn.leaves.saturating_duration_since(self.tie.1 + self.lag));
        // But what is behind it in the cache comes between it and the next live one.
        let edge = turn.edge.time.wrapping_add(self.time_offset).wrapping_sub(self.tie.0).cast_signed();
        let seq = placed.wrapping_sub(self.seq_offset);
        let behind = turn.edge.seq.saturating_sub(seq).min(MOST_ROOM) as i32;
        let at = (leaves.min(i32::MAX as u32) as i32).min(edge.saturating_sub(behind));
        let to = match last {
            Some(last) => {
                let after = last.wrapping_add(1).wrapping_sub(self.tie.0).cast_signed();
                self.tie.0.wrapping_add_signed(at.max(after))
            }
            None => self.tie.0.wrapping_add_signed(at),
        };
        self.replayed.push((time, to));
        Some(to)
    }

    /// The moment that a time in the stream stands for.
    fn moment(&self, time: u32, rate: u32) -> Instant {
        let (tie, at) = self.tie;
        let off = time.wrapping_sub(tie).cast_signed();
        let by = Duration::from_secs_f64(f64::from(off.unsigned_abs()) / f64::from(rate));
        if off < 0 { at.checked_sub(by).unwrap_or(at) } else { at + by }
    }
}

/// As many as fit: what lasts longer than a clock can tell is as long as it can.
fn ticks(clock_rate: u32, time: Duration) -> u32 {
    (time.as_secs_f64() * f64::from(clock_rate)) as u32
}

#[cfg(test)]
mod tests;
