//! Makes one unbroken RTP stream out of the sources that it is switched between.
//!
//! Sequence numbers go on; gaps and reordering stay, so that repair still fits. Timestamps move by what passed between the
//! captures, so that one report ties them to the clock whatever they are switched to. What jumps is caught: a receiver that is
//! led astray stays there.

use std::time::{Duration, Instant};

/// How far apart the frames of a replayed cache are put, in ticks of a 90 kHz clock: 1 ms. The player then shows them as
/// fast as it can decode them and is at the live edge at once, instead of lagging by the age of the keyframe.
const REPLAY_STEP: u32 = 90;
/// How long late packets of replayed frames are still placed by the replay's times.
const REPLAY_MEMORY: Duration = Duration::from_secs(2);
/// What is this much older than the newest is of a picture that is over: it is left out.
const DEADLINE: Duration = Duration::from_secs(1);
/// The largest gap that is passed on. It is more than a receiver has repaired (it asks for a keyframe instead), and far
/// less than half of the 65,536 numbers, at which it would lose count.
const WIDEST_GAP: u64 = 1200;
/// A timestamp that is this far from what the capture clock says has jumped.
const TIME_JUMP: Duration = Duration::from_secs(5);

/// Where a packet goes in the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Extended sequence number; the first is below 65,536, as a receiver starts at rollover zero.
    pub seq: u64,
    /// RTP timestamp.
    pub time: u32,
}

#[derive(Debug)]
struct Source {
    first_seq: u64,
    /// Added to the source's sequence number.
    seq_offset: u64,
    /// Added to the source's timestamp.
    time_offset: u32,
    /// Times of replayed frames in the source and in the stream.
    replayed: Vec<(u32, u32)>,
    started: Instant,
}

/// See the module. One for each line of a viewer, and one for each track of a publisher.
#[derive(Debug)]
pub struct Rewriter {
    clock_rate: u32,
    source: Option<Source>,
    highest_seq: u64,
    /// The timestamp of the packet with the highest number, and when it was captured.
    last: Option<(u32, Instant)>,
}

impl Rewriter {
    /// For a line whose clock ticks `clock_rate` times a second.
    pub fn new(clock_rate: u32) -> Self {
        Self { clock_rate, source: None, highest_seq: 0, last: None }
    }

    /// Switches to a source whose first packet to come has `first_seq`. `times` are the timestamps of the frames that are
    /// replayed at once, oldest first, the last being the newest frame's, which was captured at `captured`; at least one.
    pub fn switch(&mut self, first_seq: u64, times: &[u32], captured: Instant) {
        let Some((&newest, replayed)) = times.split_last() else { return };
        let replay = REPLAY_STEP.wrapping_mul(replayed.len() as u32);
        // The newest frame is where its capture puts it, unless the replayed ones need more room behind the last.
        let newest_place = self.last.map_or(replay, |(time, at)| {
            time.wrapping_add(self.ticks(captured.saturating_duration_since(at)).max(replay + 1))
        });
        let base = newest_place.wrapping_sub(replay);
        let place = |index: usize| base.wrapping_add(REPLAY_STEP.wrapping_mul(index as u32));
        self.source = Some(Source {
            first_seq,
            seq_offset: (self.highest_seq + 1).wrapping_sub(first_seq),
            time_offset: newest_place.wrapping_sub(newest),
            replayed: replayed.iter().enumerate().map(|(index, &time)| (time, place(index))).collect(),
            started: captured,
        });
    }

    /// Where a packet of the current source goes. `None`: it is from before the switch, or too late.
    pub fn place(&mut self, seq: u64, time: u32, captured: Instant) -> Option<Place> {
        let (deadline, jump) = (self.ticks(DEADLINE), self.ticks(TIME_JUMP));
        let (rate, highest, last) = (self.clock_rate, self.highest_seq, self.last);
        let source = self.source.as_mut()?;
        if seq < source.first_seq {
            return None;
        }
        if !source.replayed.is_empty() && captured.saturating_duration_since(source.started) > REPLAY_MEMORY {
            source.replayed = Vec::new();
        }
        let mut placed = seq.wrapping_add(source.seq_offset);
        if placed > highest + WIDEST_GAP {
            let too_much = placed - highest - WIDEST_GAP;
            source.seq_offset = source.seq_offset.wrapping_sub(too_much);
            source.first_seq = seq;
            placed -= too_much;
        }
        let replayed = source.replayed.iter().find(|(from, _)| *from == time).map(|(_, to)| *to);
        let mut place =
            Place { seq: placed, time: replayed.unwrap_or_else(|| time.wrapping_add(source.time_offset)) };
        let Some((last_time, at)) = last else {
            self.highest_seq = place.seq;
            self.last = Some((place.time, captured));
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
        self.last = Some((place.time, captured));
        Some(place)
    }

    fn ticks(&self, time: Duration) -> u32 {
        ticks(self.clock_rate, time)
    }
}

/// As many as fit: what lasts longer than a clock can tell is as long as it can.
fn ticks(clock_rate: u32, time: Duration) -> u32 {
    (time.as_secs_f64() * f64::from(clock_rate)) as u32
}

#[cfg(test)]
mod tests;
