//! The rewriter, case by case and by the hundred.

use super::{
    super::{
        line::{Arrival, Line},
        replay::Replay,
    },
    *,
};
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

impl Rewriter {
    fn live(&mut self, seq: u64, time: u32, captured: Instant) -> Option<Place> {
        self.place(seq, time, captured, None)
    }
}

fn placed(seq: u64, time: u32, captured: Instant) -> Option<Place> {
    Some(Place { seq, time, stands_for: captured })
}

#[test]
fn the_first_packet_is_rebased_however_far_the_source_has_come() {
    let now = Instant::now();
    let mut rewriter = Rewriter::new(90_000);
    rewriter.switch(5_000_000_000, 4_000_000_000, now);
    assert_eq!(rewriter.live(5_000_000_000, 4_000_000_000, now), placed(1, 0, now));
    assert_eq!(rewriter.live(5_000_000_001, 4_000_003_000, now), placed(2, 3000, now));
}

#[test]
fn gaps_and_reordering_stay_as_they_are_so_that_repair_still_fits() {
    let now = Instant::now();
    let mut rewriter = Rewriter::new(90_000);
    rewriter.switch(100, 0, now);
    let seqs: Vec<_> = [100, 103, 102, 101, 104].map(|seq| rewriter.live(seq, 0, now).unwrap().seq).into();
    assert_eq!(seqs, [1, 4, 3, 2, 5]);
    assert_eq!(rewriter.live(99, 0, now), None, "from before the switch");
}

#[test]
fn a_switch_goes_on_after_the_last_packet_and_moves_time_by_what_passed() {
    let now = Instant::now();
    let mut rewriter = Rewriter::new(90_000);
    rewriter.switch(100, 7, now);
    rewriter.live(100, 7, now);
    rewriter.live(105, 7, now);
    let later = now + SECOND;
    rewriter.switch(9, 50, later);
    assert_eq!(rewriter.live(9, 50, later), placed(7, 90_000, later));
}

#[test]
fn timestamps_go_on_across_the_source_s_wrap() {
    let now = Instant::now();
    let mut rewriter = Rewriter::new(90_000);
    rewriter.switch(1, u32::MAX - 1000, now);
    let before = rewriter.live(1, u32::MAX - 1000, now).unwrap();
    let after = rewriter.live(2, 1999, now).unwrap();
    assert_eq!(after.time.wrapping_sub(before.time), 3000);
}

/// Frames of two packets each, thirty a second.
fn frame_of(seq: u64) -> u32 {
    ((seq - 1) / 2) as u32
}

#[test]
fn what_leaves_at_once_stands_just_before_the_live_edge() {
    let captured = Instant::now();
    let now = captured + MS * 25;
    let edge = Edge { seq: 120, time: 59 * 3000, captured, arrived: captured + MS * 5 };
    let mut rewriter = Rewriter::new(90_000);
    rewriter.replay(1, edge);
    let turn = Some(Turn { leaves: now, edge });
    let places: Vec<_> = (1..=120)
        .map(|seq| {
            let age = SECOND * (59 - frame_of(seq)) / 30;
            rewriter.place(seq, frame_of(seq) * 3000, captured - age, turn).unwrap()
        })
        .collect();
    assert!(places.chunks(2).all(|frame| frame[0].time == frame[1].time), "a frame has one time");
    let steps: Vec<_> = places.chunks(2).map(|frame| frame[0].time).collect();
    assert!(steps.windows(2).all(|pair| (1..=10).contains(&(pair[1] - pair[0]))), "{steps:?}");
    assert!(places.iter().all(|place| captured.duration_since(place.stands_for) < MS * 2));
    let live = rewriter.live(121, 60 * 3000, captured + SECOND / 30).unwrap();
    let step = live.time - places[119].time;
    assert!((3000..3010).contains(&step), "from there on time passes as it did before: {step}");
    let late = rewriter.live(30, frame_of(30) * 3000, now).unwrap();
    assert_eq!(late.time, places[29].time, "a repaired packet still belongs to its frame");
}

/// A packet on its way from a publisher.
#[derive(Clone, Copy)]
struct Sent {
    seq: u64,
    time: u32,
    captured: Instant,
    arrives: Instant,
    starts: bool,
}

impl Sent {
    fn arrival(self, turn: Option<Turn>) -> Arrival<u8> {
        let Self { seq, time, captured, starts, .. } = self;
        Arrival { track: 7, seq, time, captured, can_start: starts, turn }
    }

    fn edge(self) -> Edge {
        Edge { seq: self.seq, time: self.time, captured: self.captured, arrived: self.arrives }
    }
}

/// A publisher with frames of any size, and the cache of what has come of them.
struct Evening {
    random: Random,
    start: Instant,
    group: u64,
    lag: Duration,
    jitter: u64,
    first_time: u32,
    frame: u64,
    seq: u64,
    cache: Vec<Sent>,
}

const PACKET: usize = 1100;

impl Evening {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        Self {
            start: Instant::now() + SECOND * 100,
            group: [60, 300][random.below(2) as usize],
            lag: MS * random.below(200) as u32,
            jitter: [1, 8][seed as usize % 2],
            first_time: random.below(1 << 32) as u32,
            frame: 0,
            seq: 1 + random.below(1 << 40),
            cache: Vec::new(),
            random,
        }
    }

    /// The next frame.
    fn send(&mut self) -> Vec<Sent> {
        let starts = self.frame.is_multiple_of(self.group);
        let packets = if starts { 60 } else { 3 + self.random.below(10) };
        let captured = self.start + SECOND * self.frame as u32 / 30;
        let arrives = captured + self.lag + MS * self.random.below(self.jitter) as u32;
        let time = self.first_time.wrapping_add(self.frame as u32 * 3000);
        let first = self.seq;
        (self.seq, self.frame) = (first + packets, self.frame + 1);
        (0..packets)
            .map(|i| Sent { seq: first + i, time, captured, arrives, starts: starts && i == 0 })
            .collect()
    }

    fn arrive(&mut self, frame: &[Sent]) {
        if frame[0].starts {
            self.cache.clear();
        }
        self.cache.extend(frame);
    }

    fn begin_replay(&self, line: &mut Line<u8>, now: Instant) -> Replay<u8> {
        let first = self.cache[0].seq;
        line.replay(7, first, self.cache.last().unwrap().edge());
        Replay::new(7, first, self.cache.len() * PACKET, now)
    }
}

/// Somebody joins somewhere in a group of pictures of 2 or 10 s, and stays for 3 s; sometimes another keyframe comes before
/// the replay is over.
#[test]
fn whenever_somebody_joins_they_are_at_the_live_edge_and_nothing_looks_late() {
    let mut restarted = 0;
    for seed in 0..300 {
        let mut evening = Evening::new(seed);
        for _ in 0..=evening.random.below(evening.group * 2 - 1) {
            let frame = evening.send();
            evening.arrive(&frame);
        }
        let mut coming = evening.send();
        let joined = coming[0].arrives - MS * (1 + evening.random.below(20)) as u32;
        let mut now = joined;
        let mut line = Line::new(90_000);
        let mut replay = Some(evening.begin_replay(&mut line, now));
        let mut seen: Vec<(Place, Instant)> = Vec::new();
        let mut live_since = None;
        while now < joined + SECOND * 3 {
            while coming[0].arrives <= now {
                evening.arrive(&coming);
                for sent in std::mem::replace(&mut coming, evening.send()) {
                    if replay.is_none_or(|replay| !replay.holds(7, sent.seq)) {
                        live_since.get_or_insert(now);
                        seen.push((line.place(sent.arrival(None)).unwrap(), now));
                    }
                }
            }
            if replay.is_some_and(|replay| evening.cache[0].seq > replay.next) {
                replay = Some(evening.begin_replay(&mut line, now));
                restarted += 1;
            }
            if let Some(mut going) = replay.take() {
                going.advance(now);
                let turn = Some(Turn { leaves: now, edge: evening.cache.last().unwrap().edge() });
                let next = going.next;
                let mut left = evening.cache.iter().filter(|sent| sent.seq >= next).peekable();
                while let Some(sent) = left.next_if(|sent| going.take(sent.seq, PACKET)) {
                    seen.push((line.place(sent.arrival(turn)).unwrap(), now));
                }
                replay = left.peek().is_some().then_some(going);
            }
            now += MS * 2;
        }
        let waited = live_since.unwrap() - joined;
        assert!(waited < MS * 1100, "seed {seed}: live after {waited:?}");
        let (first, _) = seen[0];
        for pair in seen.windows(2) {
            let (before, after) = (pair[0].0, pair[1].0);
            assert_eq!(after.seq, before.seq + 1, "seed {seed}");
            let step = after.time.wrapping_sub(before.time).cast_signed();
            assert!(step >= 0, "seed {seed}: {step} ticks");
        }
        for (place, left) in seen {
            // One report ties all of it to the clock: what is replayed, what is live, and what was before another keyframe.
            let ticks = f64::from(place.time.wrapping_sub(first.time).cast_signed());
            let stands = place.stands_for.saturating_duration_since(first.stands_for).as_secs_f64()
                - first.stands_for.saturating_duration_since(place.stands_for).as_secs_f64();
            let off = ticks / 90.0 - stands * 1000.0;
            assert!(off.abs() < 1.0, "seed {seed}: the clock moved by {off} ms");
            // And it leaves as late as what is live does: by the lag, what comes behind it, and at most a frame.
            let late = left - place.stands_for;
            let usual = evening.lag..evening.lag + MS * (34 + 36);
            assert!(usual.contains(&late), "seed {seed}: {late:?} late where {:?} is usual", evening.lag);
        }
    }
    assert!(restarted > 5, "{restarted}");
}

#[test]
fn what_is_a_second_late_is_left_out() {
    let now = Instant::now();
    let mut rewriter = Rewriter::new(90_000);
    rewriter.switch(1, 0, now);
    for frame in 0..60u32 {
        if frame != 20 && frame != 50 {
            let at = now + SECOND * frame / 30;
            assert!(rewriter.live(1 + u64::from(frame), frame * 3000, at).is_some());
        }
    }
    let late = now + SECOND * 2;
    assert_eq!(rewriter.live(21, 20 * 3000, late), None);
    assert!(rewriter.live(51, 50 * 3000, late).is_some(), "a third of a second can still be waited for");
}

#[test]
fn a_jump_in_sequence_is_a_gap_that_a_receiver_survives() {
    let now = Instant::now();
    let mut rewriter = Rewriter::new(90_000);
    rewriter.switch(10, 0, now);
    rewriter.live(10, 0, now);
    let mut last = 1;
    for jump in [30_000, 60_000, 1_000_000, u64::from(u32::MAX)] {
        let seq = last * 7 + jump;
        let place = rewriter.live(seq, 0, now).unwrap();
        assert_eq!(place.seq, last + WIDEST_GAP);
        assert_eq!(rewriter.live(seq + 1, 0, now).unwrap().seq, place.seq + 1);
        assert_eq!(rewriter.live(seq - 1, 0, now), None, "from before the jump");
        last = place.seq + 1;
    }
}

#[test]
fn a_jump_in_time_is_put_where_the_capture_clock_says() {
    for jump in [90_000 * 6, 90_000 * 3600, u32::MAX / 2 + 5, u32::MAX - 90_000 * 60] {
        let now = Instant::now();
        let mut rewriter = Rewriter::new(90_000);
        rewriter.switch(1, 0, now);
        rewriter.live(1, 0, now);
        let place = rewriter.live(2, jump, now + MS * 40).unwrap();
        assert_eq!(place.time, 3600, "a jump by {jump}");
        assert_eq!(rewriter.live(3, jump.wrapping_add(3000), now + MS * 73).unwrap().time, 6600);
    }
}

#[test]
fn a_pause_is_no_jump() {
    let now = Instant::now();
    let mut rewriter = Rewriter::new(90_000);
    rewriter.switch(1, 0, now);
    rewriter.live(1, 0, now);
    let hour = SECOND * 3600;
    assert_eq!(rewriter.live(2, 90_000 * 3600, now + hour).unwrap().time, 90_000 * 3600);
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
            let newest = Edge {
                seq: seq + replayed.len() as u64 - 1,
                time: *replayed.last().unwrap(),
                captured: now,
                arrived: now,
            };
            rewriter.replay(seq, newest);
            let turn = Some(Turn { leaves: now, edge: newest });
            let mut given = HashSet::new();
            for (i, frame) in replayed.iter().enumerate() {
                let place = rewriter.place(seq, *frame, now, turn).unwrap();
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
                            && let Some(place) = rewriter.live(late, time, now)
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
                let place = rewriter.live(seq, time, now).unwrap();
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
        rewriter.switch(first + i0, first_time.wrapping_add(i0 as u32 * 450), start);
        let mut received = BTreeMap::new();
        for (_, i) in &arriving {
            let time = first_time.wrapping_add(*i as u32 * 450);
            if let Some(place) = rewriter.live(first + i, time, start + MS * 5 * *i as u32) {
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
                rewriter.switch(seq, time, captured);
                on = wanted;
            }
            let place = rewriter.live(seq, time, captured).unwrap();
            assert_eq!(place.seq, u64::from(frame) + 1);
            if let Some(last) = last {
                let step = place.time.wrapping_sub(last);
                assert!(step.abs_diff(3000) <= 1, "seed {seed}: a step of {step} ticks");
            }
            last = Some(place.time);
        }
    }
}
