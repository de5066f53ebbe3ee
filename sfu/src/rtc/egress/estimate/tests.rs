//! The estimator over a link of a limited rate, in virtual time: frames 30 a second, reports 20 a second.

use super::*;

const MS: Duration = Duration::from_millis(1);

/// A way to a viewer, and who sends over it.
struct Way {
    estimator: Estimator,
    start: Instant,
    ms: u64,
    /// Bits a second; how long it queues before the rest is lost; the share that is lost anyway; jitter in microseconds.
    link: f64,
    queue: f64,
    loss: f64,
    jitter: f64,
    busy: f64,
    chance: u64,
    /// What is sent at most, in bits a second.
    media: f64,
    /// When each report is there, and of what.
    reports: Vec<(u64, Vec<Fate>)>,
    pending: Vec<Fate>,
    probes: usize,
    longest_queue: f64,
}

impl Way {
    fn new(seed: u64, link: f64, media: f64) -> Self {
        let mut estimator = Estimator::default();
        estimator.want(media as u64 * 6 / 5);
        Self {
            estimator,
            start: Instant::now(),
            ms: 0,
            link,
            queue: 300.0,
            loss: 0.0,
            jitter: 1_000.0,
            busy: 0.0,
            chance: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            media,
            reports: Vec::new(),
            pending: Vec::new(),
            probes: 0,
            longest_queue: 0.0,
        }
    }

    fn share(&mut self) -> f64 {
        self.chance ^= self.chance >> 12;
        self.chance ^= self.chance << 25;
        self.chance ^= self.chance >> 27;
        (self.chance.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn send(&mut self, size: usize) {
        let now = self.ms as f64 * 1e3;
        let probe = self.estimator.left(size, self.start + MS * self.ms as u32);
        let start = self.busy.max(now);
        self.longest_queue = self.longest_queue.max((start - now) / 1e3);
        let is_lost = (start - now) / 1e3 > self.queue || self.share() < self.loss;
        let mut came = None;
        if !is_lost {
            self.busy = start + size as f64 * 8e6 / self.link;
            came = Some((self.busy + 20_000.0 + self.share() * self.jitter) as i64);
        }
        let left = self.ms as i64 * 1_000;
        self.pending.push(Fate { left, came, size, probe, was_lost: false });
    }

    fn run(&mut self, seconds: f64) {
        for _ in 0..(seconds * 1e3) as u64 {
            self.ms += 1;
            let now = self.start + MS * self.ms as u32;
            if self.ms.is_multiple_of(33) {
                // A selector leaves some room.
                let rate = self.media.min(self.estimator.bits * 0.9);
                let scale = 0.7 + 0.6 * self.share();
                let mut left = (rate / 240.0 * scale) as usize;
                while left > 0 {
                    let size = left.min(1_100);
                    self.send(size);
                    left -= size;
                }
            }
            while self.estimator.may_probe(now) && self.estimator.probes(now) {
                self.probes += 1;
                self.send(900);
            }
            if self.ms.is_multiple_of(50) {
                // What hasn't come yet is reported next time; what is lost is told once something after it came.
                let at = self.ms as f64 * 1e3;
                let (told, later) = std::mem::take(&mut self.pending)
                    .into_iter()
                    .partition(|fate| fate.came.is_none_or(|came| came as f64 <= at));
                self.pending = later;
                self.reports.push((self.ms + 20, told));
            }
            while let Some((_, fates)) = self.reports.first().filter(|(at, _)| *at <= self.ms).cloned() {
                self.reports.remove(0);
                self.estimator.report(&fates, now);
            }
            self.estimator.round_trip(MS * 40);
        }
    }

    /// How many milliseconds it takes until `holds`, at most so many seconds.
    fn until(&mut self, most: f64, holds: impl Fn(f64) -> bool) -> Option<u64> {
        let from = self.ms;
        while (self.ms - from) as f64 <= most * 1e3 {
            self.run(0.05);
            if holds(self.estimator.bits) {
                return Some(self.ms - from);
            }
        }
        None
    }
}

#[test]
fn an_open_way_is_found_within_two_seconds() {
    for seed in 1..=30 {
        let mut way = Way::new(seed, 50e6, 6e6);
        let took = way.until(2.0, |bits| bits > 6e6);
        assert!(took.is_some(), "seed {seed}: {:.1} Mbit/s", way.estimator.bits / 1e6);
    }
}

#[test]
fn a_narrow_way_is_kept_to_and_its_queue_stays_short() {
    let (mut failed, mut queues) = (Vec::new(), 0.0);
    for seed in 1..=30 {
        let link = [300e3, 500e3, 800e3, 1.2e6, 2.5e6][seed as usize % 5];
        let mut way = Way::new(seed, link, 4e6);
        way.run(10.0);
        let (mut most, mut sum) = (0.0f64, 0.0);
        way.longest_queue = 0.0;
        for _ in 0..200 {
            way.run(0.1);
            most = most.max(way.estimator.bits);
            sum += way.estimator.bits;
        }
        let mean = sum / 200.0;
        queues += way.longest_queue;
        if most >= link * 1.6 || !(0.8..1.1).contains(&(mean / link)) {
            failed.push(seed);
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
    // Of 300 ms that the way queues before it loses; the longest of twenty seconds each.
    assert!(queues / 30.0 < 180.0, "{} ms", queues / 30.0);
}

#[test]
fn a_fall_is_followed_within_a_second_and_a_half_and_the_way_back_found_within_eight() {
    for seed in 1..=60 {
        let mut way = Way::new(seed, 5e6, 2.5e6);
        way.run(8.0);
        assert!(way.estimator.bits > 2.5e6, "seed {seed}");
        let narrow = 300e3 + (seed % 6) as f64 * 80e3;
        way.link = narrow;
        let down = way.until(3.0, |bits| bits < narrow * 1.3);
        assert!(down.is_some_and(|ms| ms <= 1_500), "seed {seed}: down in {down:?}");
        way.run(15.0);
        way.link = 5e6;
        let up = way.until(15.0, |bits| bits > 2.5e6);
        assert!(up.is_some_and(|ms| ms <= 12_000), "seed {seed}: up in {up:?}");
    }
}

#[test]
fn air_that_loses_a_tenth_or_shakes_is_not_taken_for_a_full_queue() {
    for seed in 1..=30 {
        let mut way = Way::new(seed, 8e6, 2e6);
        way.loss = 0.1;
        way.run(20.0);
        assert!(way.estimator.bits > 2e6, "seed {seed}, loss: {:.0}", way.estimator.bits);
        let mut way = Way::new(seed, 8e6, 2e6);
        way.jitter = 30_000.0;
        way.run(20.0);
        assert!(way.estimator.bits > 1.9e6, "seed {seed}, jitter: {:.0}", way.estimator.bits);
    }
}

#[test]
fn a_queue_that_is_lost_from_at_once_is_found_by_its_loss() {
    for seed in 1..=20 {
        let mut way = Way::new(seed, 700e3, 3e6);
        way.queue = 5.0;
        way.run(15.0);
        let mut sum = 0.0;
        for _ in 0..100 {
            way.run(0.1);
            sum += way.estimator.bits;
        }
        assert!(sum / 100.0 < 1.4e6, "seed {seed}: {:.0}", sum / 100.0);
    }
}

#[test]
fn whom_nothing_was_sent_to_for_long_is_found_to_carry_more_again() {
    for seed in 1..=20 {
        let mut way = Way::new(seed, 200e3, 2.5e6);
        way.run(10.0);
        assert!(way.estimator.bits < 300e3, "seed {seed}");
        // The picture is left out, and there is no sound.
        way.media = 0.0;
        way.estimator.want(0);
        way.run(10.0);
        way.link = 8e6;
        way.estimator.want(3_000_000);
        let up = way.until(15.0, |bits| bits > 2.5e6);
        assert!(up.is_some(), "seed {seed}: {:.0}", way.estimator.bits);
    }
}

#[test]
fn nothing_is_probed_where_nothing_more_is_wanted() {
    let mut way = Way::new(1, 50e6, 1e6);
    way.run(20.0);
    assert_eq!(way.probes, 0, "2 Mbit/s are known of, and 1.2 wanted");
}

#[test]
fn whatever_is_reported_the_estimate_stays_within_its_bounds() {
    let mut state = 3u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 20
    };
    let start = Instant::now();
    let mut estimator = Estimator::default();
    estimator.want(10_000_000);
    for ms in 0..20_000u32 {
        let now = start + MS * ms;
        let fates: Vec<_> = (0..next() % 5)
            .map(|_| Fate {
                left: next() as i64 % 20_000_000 - 1_000,
                came: (next() % 3 != 0).then(|| next() as i64 - (1 << 40)),
                size: next() as usize % 65_536,
                probe: (next() % 2 == 0).then(|| next() as u8),
                was_lost: next() % 4 == 0,
            })
            .collect();
        estimator.report(&fates, now);
        while estimator.probes(now) {
            estimator.left(900, now);
        }
        let bits = estimator.estimate().unwrap();
        assert!((50_000..=100_000_000).contains(&bits), "{bits}");
    }
}
