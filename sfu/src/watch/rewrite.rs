//! Makes one unbroken RTP stream for a viewer out of the sources it is switched between.

use std::time::{Duration, Instant};

/// How far apart the frames of a replayed cache are put, in ticks of a 90 kHz clock: 1 ms. The player then shows them as
/// fast as it can decode them and is at the live edge at once, instead of lagging by the age of the keyframe.
const REPLAY_STEP: u32 = 90;
/// How long late packets of replayed frames are still placed by the replay's times.
const REPLAY_MEMORY: Duration = Duration::from_secs(2);

/// Where a packet goes in the viewer's stream.
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
    /// Times of replayed frames in the source and in the viewer's stream.
    replayed: Vec<(u32, u32)>,
    started: Instant,
}

/// See the module. One for each of a viewer's lines.
#[derive(Debug)]
pub struct Rewriter {
    clock_rate: u32,
    source: Option<Source>,
    highest_seq: u64,
    last: Option<(u32, Instant)>,
}

impl Rewriter {
    /// For a line whose clock ticks `clock_rate` times a second.
    pub fn new(clock_rate: u32) -> Self {
        Self { clock_rate, source: None, highest_seq: 0, last: None }
    }

    /// Switches to a source whose first packet to come has `first_seq`. `times` are the timestamps of the frames that are
    /// replayed at once, oldest first, the last being the newest frame's; at least one.
    pub fn switch(&mut self, first_seq: u64, times: &[u32], now: Instant) {
        let Some((&newest, replayed)) = times.split_last() else { return };
        let base = self.last.map_or(0, |(time, at)| {
            let elapsed = now.saturating_duration_since(at).as_secs_f64() * f64::from(self.clock_rate);
            time.wrapping_add((elapsed as u32).max(1))
        });
        let place = |index: usize| base.wrapping_add(REPLAY_STEP.wrapping_mul(index as u32));
        let newest_place = place(replayed.len());
        self.source = Some(Source {
            first_seq,
            seq_offset: (self.highest_seq + 1).wrapping_sub(first_seq),
            time_offset: newest_place.wrapping_sub(newest),
            replayed: replayed.iter().enumerate().map(|(index, &time)| (time, place(index))).collect(),
            started: now,
        });
    }

    /// Where a packet of the current source goes. `None`: it is from before the switch.
    pub fn place(&mut self, seq: u64, time: u32, now: Instant) -> Option<Place> {
        let source = self.source.as_mut()?;
        if seq < source.first_seq {
            return None;
        }
        if !source.replayed.is_empty() && now.saturating_duration_since(source.started) > REPLAY_MEMORY {
            source.replayed = Vec::new();
        }
        let replayed = source.replayed.iter().find(|(from, _)| *from == time).map(|(_, to)| *to);
        let place = Place {
            seq: seq.wrapping_add(source.seq_offset),
            time: replayed.unwrap_or_else(|| time.wrapping_add(source.time_offset)),
        };
        if place.seq > self.highest_seq {
            self.highest_seq = place.seq;
            self.last = Some((place.time, now));
        }
        Some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_first_packet_is_rebased_however_far_the_source_has_come() {
        let now = Instant::now();
        let mut rewriter = Rewriter::new(90_000);
        rewriter.switch(5_000_000_000, &[4_000_000_000], now);
        assert_eq!(rewriter.place(5_000_000_000, 4_000_000_000, now), Some(Place { seq: 1, time: 0 }));
        assert_eq!(rewriter.place(5_000_000_001, 4_000_003_000, now), Some(Place { seq: 2, time: 3000 }));
    }

    #[test]
    fn gaps_and_reordering_stay_as_they_are_so_that_repair_still_fits() {
        let now = Instant::now();
        let mut rewriter = Rewriter::new(90_000);
        rewriter.switch(100, &[0], now);
        let seqs: Vec<_> =
            [100, 103, 102, 101, 104].map(|seq| rewriter.place(seq, 0, now).unwrap().seq).into();
        assert_eq!(seqs, [1, 4, 3, 2, 5]);
        assert_eq!(rewriter.place(99, 0, now), None, "from before the switch");
    }

    #[test]
    fn a_switch_goes_on_after_the_last_packet_and_moves_time_by_what_passed() {
        let now = Instant::now();
        let mut rewriter = Rewriter::new(90_000);
        rewriter.switch(100, &[7], now);
        rewriter.place(100, 7, now);
        rewriter.place(105, 7, now);
        let later = now + SECOND;
        rewriter.switch(9, &[50], later);
        assert_eq!(rewriter.place(9, 50, later), Some(Place { seq: 7, time: 90_000 }));
    }

    #[test]
    fn timestamps_go_on_across_the_source_s_wrap() {
        let now = Instant::now();
        let mut rewriter = Rewriter::new(90_000);
        rewriter.switch(1, &[u32::MAX - 1000], now);
        let before = rewriter.place(1, u32::MAX - 1000, now).unwrap();
        let after = rewriter.place(2, 1999, now).unwrap();
        assert_eq!(after.time.wrapping_sub(before.time), 3000);
    }

    #[test]
    fn replayed_frames_are_put_a_millisecond_apart_and_the_live_edge_keeps_its_pace() {
        let now = Instant::now();
        let mut rewriter = Rewriter::new(90_000);
        let times: Vec<u32> = (0..60).map(|frame| frame * 3000).collect();
        rewriter.switch(1, &times, now);
        let places: Vec<_> = times
            .iter()
            .enumerate()
            .map(|(i, time)| rewriter.place(1 + i as u64, *time, now).unwrap().time)
            .collect();
        assert!(places.windows(2).all(|pair| pair[1] - pair[0] == REPLAY_STEP));
        let live = rewriter.place(61, 60 * 3000, now).unwrap();
        assert_eq!(live.time - places[59], 3000);
        let late = rewriter.place(30, times[29], now + SECOND).unwrap();
        assert_eq!(late.time, places[29], "a repaired packet still belongs to its frame");
    }

    #[test]
    fn whatever_the_sources_do_a_viewer_s_sequence_never_repeats() {
        let mut state = 88_172_645_463_325_252_u64;
        let mut random = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        let mut now = Instant::now();
        for _ in 0..200 {
            let mut rewriter = Rewriter::new(90_000);
            let mut seen = std::collections::HashSet::new();
            for _ in 0..20 {
                let first = random() % 1_000_000;
                rewriter.switch(first, &[random() as u32], now);
                for step in 0..random() % 50 {
                    let place = rewriter.place(first + step, random() as u32, now).unwrap();
                    assert!(seen.insert(place.seq), "sequence number {} twice", place.seq);
                    now += Duration::from_millis(random() % 40);
                }
            }
        }
    }
}
