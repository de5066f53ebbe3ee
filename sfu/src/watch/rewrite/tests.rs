//! The rewriter, case by case and by the hundred.

use super::*;
use std::collections::{BTreeMap, HashSet};

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

/// xorshift: each seed is another evening.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

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
    let seqs: Vec<_> = [100, 103, 102, 101, 104].map(|seq| rewriter.place(seq, 0, now).unwrap().seq).into();
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
    let late = rewriter.place(30, times[29], now + SECOND / 2).unwrap();
    assert_eq!(late.time, places[29], "a repaired packet still belongs to its frame");
}

#[test]
fn what_is_a_second_late_is_left_out() {
    let now = Instant::now();
    let mut rewriter = Rewriter::new(90_000);
    rewriter.switch(1, &[0], now);
    for frame in 0..60u32 {
        if frame != 20 && frame != 50 {
            let at = now + SECOND * frame / 30;
            assert!(rewriter.place(1 + u64::from(frame), frame * 3000, at).is_some());
        }
    }
    let late = now + SECOND * 2;
    assert_eq!(rewriter.place(21, 20 * 3000, late), None);
    assert!(rewriter.place(51, 50 * 3000, late).is_some(), "a third of a second can still be waited for");
}

#[test]
fn a_jump_in_sequence_is_a_gap_that_a_receiver_survives() {
    let now = Instant::now();
    let mut rewriter = Rewriter::new(90_000);
    rewriter.switch(10, &[0], now);
    rewriter.place(10, 0, now);
    let mut last = 1;
    for jump in [30_000, 60_000, 1_000_000, u64::from(u32::MAX)] {
        let seq = last * 7 + jump;
        let place = rewriter.place(seq, 0, now).unwrap();
        assert_eq!(place.seq, last + WIDEST_GAP);
        assert_eq!(rewriter.place(seq + 1, 0, now).unwrap().seq, place.seq + 1);
        assert_eq!(rewriter.place(seq - 1, 0, now), None, "from before the jump");
        last = place.seq + 1;
    }
}

#[test]
fn a_jump_in_time_is_put_where_the_capture_clock_says() {
    for jump in [90_000 * 6, 90_000 * 3600, u32::MAX / 2 + 5, u32::MAX - 90_000 * 60] {
        let now = Instant::now();
        let mut rewriter = Rewriter::new(90_000);
        rewriter.switch(1, &[0], now);
        rewriter.place(1, 0, now);
        let place = rewriter.place(2, jump, now + MS * 40).unwrap();
        assert_eq!(place.time, 3600, "a jump by {jump}");
        assert_eq!(rewriter.place(3, jump.wrapping_add(3000), now + MS * 73).unwrap().time, 6600);
    }
}

#[test]
fn a_pause_is_no_jump() {
    let now = Instant::now();
    let mut rewriter = Rewriter::new(90_000);
    rewriter.switch(1, &[0], now);
    rewriter.place(1, 0, now);
    let hour = SECOND * 3600;
    assert_eq!(rewriter.place(2, 90_000 * 3600, now + hour).unwrap().time, 90_000 * 3600);
}

/// Whatever sources do (start anywhere, wrap, lose, reorder, repeat, jump, be switched, be replayed), a viewer's sequence
/// numbers stay unique a packet, new ones stay within what a receiver can follow, and time stays with the capture clock.
#[test]
fn whatever_the_sources_do_a_viewer_can_follow() {
    for seed in 0..400 {
        let mut random = Random::new(seed);
        let rate = if seed % 2 == 0 { 90_000 } else { 48_000 };
        let mut now = Instant::now();
        let mut rewriter = Rewriter::new(rate);
        let (mut taken, mut highest) = (HashSet::new(), 0);
        let mut edge: Option<(u32, Instant)> = None;
        for _ in 0..12 {
            let mut seq = random.below(1 << 40) + 100;
            let mut time = random.below(1 << 32) as u32;
            let replayed: Vec<u32> =
                (0..1 + random.below(90) as u32).map(|frame| time.wrapping_add(frame * 3000)).collect();
            rewriter.switch(seq, &replayed, now);
            let mut given = HashSet::new();
            for (i, frame) in replayed.iter().enumerate() {
                let place = rewriter.place(seq, *frame, now).unwrap();
                assert!(taken.insert(place.seq), "seed {seed}: {} twice", place.seq);
                assert_eq!(place.seq, highest + 1, "seed {seed}: a switch leaves no gap");
                highest = place.seq;
                given.insert(seq);
                if i + 1 == replayed.len() {
                    edge = Some((place.time, now));
                }
                seq += 1;
            }
            time = *replayed.last().unwrap();
            for _ in 0..random.below(120) {
                let passed = MS * random.below(60) as u32;
                now += passed;
                time = time.wrapping_add((passed.as_secs_f64() * f64::from(rate)) as u32);
                match random.below(20) {
                    0 => seq += random.below(50),
                    1 => seq += random.below(100_000),
                    2 => time = time.wrapping_add(random.below(1 << 32) as u32),
                    3 => {
                        // Something late, or sent twice by the network.
                        let late = seq.saturating_sub(random.below(40));
                        if !given.contains(&late)
                            && let Some(place) = rewriter.place(late, time, now)
                        {
                            given.insert(late);
                            assert!(taken.insert(place.seq), "seed {seed}: {} twice", place.seq);
                            highest = highest.max(place.seq);
                        }
                        continue;
                    }
                    _ => {}
                }
                if !given.insert(seq) {
                    seq += 1;
                    continue;
                }
                let place = rewriter.place(seq, time, now).unwrap();
                assert!(taken.insert(place.seq), "seed {seed}: {} twice", place.seq);
                assert!((highest + 1..=highest + WIDEST_GAP).contains(&place.seq), "seed {seed}");
                highest = place.seq;
                let (edge_time, edge_at) = edge.unwrap();
                let expected = ((now - edge_at).as_secs_f64() * f64::from(rate)) as u32;
                let off = place.time.wrapping_sub(edge_time).wrapping_sub(expected).cast_signed();
                // Jumps of less than five seconds may be meant, also several.
                assert!(off.unsigned_abs() <= 6 * rate, "seed {seed}: {off} ticks off the clock");
                edge = Some((place.time, now));
                seq += 1;
            }
        }
    }
}

/// Through a lossless, a lossy and a reordering network: what a receiver puts in order is what was sent.
#[test]
fn what_arrives_in_any_order_is_in_order_again() {
    for seed in 0..300 {
        let mut random = Random::new(seed);
        let start = Instant::now();
        let first = random.below(1 << 33);
        let first_time = random.below(1 << 32) as u32;
        let mut arriving: Vec<(u64, u64)> =
            (0..400u64).map(|i| (i * 5 + random.below(if seed % 3 == 0 { 1 } else { 60 }), i)).collect();
        arriving.retain(|(_, i)| *i == 0 || seed % 5 != 0 || random.below(10) != 0);
        arriving.sort();
        let mut rewriter = Rewriter::new(90_000);
        let i0 = arriving[0].1;
        rewriter.switch(first + i0, &[first_time.wrapping_add(i0 as u32 * 450)], start);
        let mut received = BTreeMap::new();
        for (_, i) in &arriving {
            let time = first_time.wrapping_add(*i as u32 * 450);
            if let Some(place) = rewriter.place(first + i, time, start + MS * 5 * *i as u32) {
                assert!(received.insert(place.seq, (*i, place.time)).is_none());
            }
        }
        let sent: Vec<_> = received.values().collect();
        assert!(sent.windows(2).all(|pair| pair[0].0 < pair[1].0), "seed {seed}");
        let (seq0, (i0, time0)) = received.first_key_value().map(|(seq, place)| (*seq, *place)).unwrap();
        for (seq, (i, time)) in &received {
            assert_eq!(
                (seq - seq0, time.wrapping_sub(time0)),
                (i - i0, (i - i0) as u32 * 450),
                "seed {seed}"
            );
        }
        let from = arriving.iter().filter(|(_, i)| *i >= arriving[0].1).count();
        assert_eq!(received.len(), from, "seed {seed}: nothing in time is left out");
    }
}

/// Switching between encodings of one picture: their clocks differ, their captures don't, and time doesn't break.
#[test]
fn between_encodings_time_runs_evenly() {
    for seed in 0..200 {
        let mut random = Random::new(seed);
        let start = Instant::now();
        let encodings: Vec<(u64, u32)> =
            (0..3).map(|_| (random.below(1 << 30), random.below(1 << 32) as u32)).collect();
        let mut rewriter = Rewriter::new(90_000);
        let mut on = usize::MAX;
        let mut last: Option<u32> = None;
        for frame in 0..600u32 {
            let wanted = (random.below(40) == 0 || on == usize::MAX).then(|| random.below(3) as usize);
            let (seq, time) = encodings[wanted.unwrap_or(on)];
            let (seq, time) = (seq + u64::from(frame), time.wrapping_add(frame * 3000));
            let captured = start + SECOND * frame / 30;
            if let Some(wanted) = wanted.filter(|wanted| *wanted != on) {
                rewriter.switch(seq, &[time], captured);
                on = wanted;
            }
            let place = rewriter.place(seq, time, captured).unwrap();
            assert_eq!(place.seq, u64::from(frame) + 1);
            if let Some(last) = last {
                let step = place.time.wrapping_sub(last);
                assert!(step.abs_diff(3000) <= 1, "seed {seed}: a step of {step} ticks");
            }
            last = Some(place.time);
        }
    }
}
