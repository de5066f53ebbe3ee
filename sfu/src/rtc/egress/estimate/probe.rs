//! Finds out whether a network carries more than is sent: for some milliseconds as much is sent as would be worth to know of,
//! and the pace at which it arrives tells (as libwebrtc's probe clusters do).

use super::super::log::Fate;
use std::time::{Duration, Instant};

/// How long a probe lasts, and how many packets it has at least.
const LASTS: Duration = Duration::from_millis(20);
const LEAST_PACKETS: usize = 6;
/// It is over after this time, whatever could be sent.
const LONGEST: Duration = Duration::from_millis(100);
/// Of its packets and bytes, what has to come for a result.
const WHOLE: f64 = 0.8;
/// How long after its end it is waited for.
const PATIENCE: Duration = Duration::from_millis(800);
/// Arriving slower than this share of the pace it left with, the way is full; a little less than it carries is kept to.
const FULL: f64 = 0.9;
const BELOW: f64 = 0.95;
/// A result of at least this share of what was probed for promises that there is more.
const PROMISING: f64 = 0.7;
/// What isn't so much more than was known gained nothing.
const GAIN: f64 = 1.05;
/// What doesn't promise more is tried again after this time, and each time later.
const AGAIN: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(10));

#[derive(Debug, Clone, Copy)]
struct Probe {
    id: u8,
    /// Bits a second.
    rate: f64,
    began: Instant,
    ended: Option<Instant>,
    bytes: usize,
    packets: usize,
    arrived: Option<Arrived>,
}

#[derive(Debug, Clone, Copy)]
struct Arrived {
    packets: usize,
    bytes: usize,
    /// The first and the last that left, and the last one's size.
    left: (i64, i64, usize),
    /// The first and the last that came, and the first one's size.
    came: (i64, i64, usize),
}

/// See the module.
#[derive(Debug)]
pub struct Prober {
    probe: Option<Probe>,
    next_id: u8,
    not_before: Option<Instant>,
    again: Duration,
}

impl Default for Prober {
    fn default() -> Self {
        Self { probe: None, next_id: 0, not_before: None, again: AGAIN.0 }
    }
}

impl Prober {
    /// Whether a probe may begin.
    pub fn may_begin(&self, now: Instant) -> bool {
        self.probe.is_none() && self.not_before.is_none_or(|at| at <= now)
    }

    /// Begins one, for `rate` bits a second.
    pub fn begin(&mut self, rate: f64, now: Instant) {
        // 0 stands for none.
        self.next_id = self.next_id.checked_add(1).unwrap_or(1);
        let (id, began) = (self.next_id, now);
        self.probe = Some(Probe { id, rate, began, ended: None, bytes: 0, packets: 0, arrived: None });
    }

    /// The probe that whatever leaves now is part of.
    pub fn current(&self) -> Option<u8> {
        self.probe.filter(|probe| probe.ended.is_none()).map(|probe| probe.id)
    }

    /// A packet of it leaves.
    pub fn left(&mut self, size: usize) {
        if let Some(probe) = self.probe.as_mut().filter(|probe| probe.ended.is_none()) {
            probe.bytes += size;
            probe.packets += 1;
        }
    }

    /// Whether a packet is to leave now for the probe's sake.
    pub fn is_due(&mut self, now: Instant) -> bool {
        self.expire(now);
        let Some(probe) = self.probe.as_mut().filter(|probe| probe.ended.is_none()) else { return false };
        let wanted = (probe.rate * LASTS.as_secs_f64() / 8.0) as usize;
        if probe.bytes >= wanted && probe.packets >= LEAST_PACKETS {
            probe.ended = Some(now);
            return false;
        }
        probe.next() <= now
    }

    /// Ends what has lasted too long, and gives up what has been waited for too long: there may be nothing to send, or nobody
    /// who reports.
    pub fn expire(&mut self, now: Instant) {
        let Some(probe) = &mut self.probe else { return };
        match probe.ended {
            None if now.saturating_duration_since(probe.began) > LONGEST => probe.ended = Some(now),
            Some(ended) if now.saturating_duration_since(ended) > PATIENCE => self.failed(now),
            _ => {}
        }
    }

    /// When the next packet is due, or the probe is over or given up.
    pub fn next(&self) -> Option<Instant> {
        let probe = self.probe?;
        let at =
            probe.ended.map_or_else(|| probe.next().min(probe.began + LONGEST), |ended| ended + PATIENCE);
        // What lasts too long lasts longer than that.
        Some(at + Duration::from_millis(1))
    }

    /// What became of one of its packets.
    pub fn fate(&mut self, fate: &Fate) {
        let (Some(probe), Some(came)) = (&mut self.probe, fate.came) else { return };
        if fate.probe != Some(probe.id) {
            return;
        }
        let first = Arrived {
            packets: 0,
            bytes: 0,
            left: (fate.left, fate.left, fate.size),
            came: (came, came, fate.size),
        };
        let arrived = probe.arrived.get_or_insert(first);
        arrived.packets += 1;
        arrived.bytes += fate.size;
        if fate.left >= arrived.left.1 {
            (arrived.left.1, arrived.left.2) = (fate.left, fate.size);
        }
        arrived.left.0 = arrived.left.0.min(fate.left);
        if came < arrived.came.0 {
            (arrived.came.0, arrived.came.2) = (came, fate.size);
        }
        arrived.came.1 = arrived.came.1.max(came);
    }

    /// What the way carries, in bits a second, once the probe is through. `None` before that, and if it can't tell. More is
    /// looked for at once if that is more than is `known` and about what was asked.
    pub fn result(&mut self, known: f64, now: Instant) -> Option<f64> {
        let probe = self.probe?;
        probe.ended?;
        let is_whole = probe.arrived.is_some_and(|arrived| {
            let share = |of: usize, all: usize| of as f64 >= all as f64 * WHOLE;
            share(arrived.packets, probe.packets) && share(arrived.bytes, probe.bytes)
        });
        if !is_whole {
            self.expire(now);
            return None;
        }
        let rate = probe.arrived.and_then(|arrived| arrived.rate());
        if rate.is_some_and(|rate| rate >= probe.rate * PROMISING && rate > known * GAIN) {
            self.probe = None;
            self.again = AGAIN.0;
            self.not_before = None;
        } else {
            self.failed(now);
        }
        rate
    }

    /// What a way that has become full carries is not worth to be asked at once.
    pub fn failed(&mut self, now: Instant) {
        self.probe = None;
        self.not_before = Some(now + self.again);
        self.again = self.again.mul_f64(1.5).min(AGAIN.1);
    }
}

impl Probe {
    fn next(&self) -> Instant {
        self.began + Duration::from_secs_f64(self.bytes as f64 * 8.0 / self.rate)
    }
}

impl Arrived {
    fn rate(&self) -> Option<f64> {
        let left = (self.left.1 - self.left.0) as f64 / 1e6;
        let came = (self.came.1 - self.came.0) as f64 / 1e6;
        if left < 1e-3 {
            return None;
        }
        let sent = (self.bytes - self.left.2) as f64 * 8.0 / left;
        // What came at once wasn't held up by anything.
        let arrived = (self.bytes - self.came.2) as f64 * 8.0 / came.max(1e-3);
        Some(if arrived < FULL * sent { arrived * BELOW } else { arrived.min(sent) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Runs one probe over a link of so many bits a second that loses each so-manieth packet; what it finds.
    fn probed(rate: f64, link: f64, loses: usize) -> (Option<f64>, Prober) {
        let start = Instant::now();
        let mut prober = Prober::default();
        prober.begin(rate, start);
        let (mut fates, mut busy) = (Vec::new(), 0.0f64);
        for ms in 0..200u32 {
            let now = start + MS * ms;
            let size = 600;
            while prober.is_due(now) {
                prober.left(size);
                busy = busy.max(f64::from(ms) * 1e3) + size as f64 * 8e6 / link;
                let came = (fates.len() % loses != loses - 1).then_some(busy as i64 + 20_000);
                fates.push(Fate {
                    left: i64::from(ms) * 1_000,
                    came,
                    size,
                    probe: prober.current(),
                    was_lost: false,
                });
            }
        }
        assert!(prober.result(0.0, start + MS * 200).is_none());
        fates.iter().for_each(|fate| prober.fate(fate));
        (prober.result(0.0, start + MS * 300), prober)
    }

    #[test]
    fn a_link_is_found_to_carry_what_it_does_and_not_more_than_was_asked() {
        for (rate, link, expected) in [
            (1e6, 100e6, 1e6),
            (4e6, 100e6, 4e6),
            (400e3, 100e6, 400e3),
            (4e6, 2e6, 1.9e6),
            (3e6, 600e3, 570e3),
            (20e6, 8e6, 7.6e6),
        ] {
            let (found, _) = probed(rate, link, usize::MAX);
            let found = found.expect("a result");
            assert!((found / expected - 1.0).abs() < 0.2, "{rate} over {link}: {found}");
        }
    }

    #[test]
    fn a_probe_that_nothing_leaves_for_or_nobody_reports_of_ends_by_itself() {
        let start = Instant::now();
        let mut prober = Prober::default();
        prober.begin(1e6, start);
        let mut wakes = 0;
        let mut now = start;
        while let Some(next) = prober.next() {
            // As a shard does where it is asked for a moment that is over.
            now = next.max(now + MS);
            prober.is_due(now);
            wakes += 1;
            assert!(wakes < 200);
        }
        assert!(now - start < Duration::from_secs(2) && !prober.may_begin(now));
    }

    #[test]
    fn what_gains_nothing_is_not_tried_again_at_once() {
        let start = Instant::now();
        let mut prober = Prober::default();
        prober.begin(1e6, start);
        for at in 0..8i64 {
            prober.left(600);
            let fate =
                Fate { left: at * 4_800, came: Some(at * 4_800), size: 600, probe: Some(1), was_lost: false };
            prober.fate(&fate);
        }
        prober.expire(start + LONGEST + MS);
        assert!(prober.result(0.98e6, start + LONGEST + MS * 2).is_some());
        assert!(!prober.may_begin(start + Duration::from_secs(1)));
    }

    #[test]
    fn what_is_mostly_lost_says_nothing_and_is_tried_later_each_time() {
        let (found, mut prober) = probed(2e6, 100e6, 2);
        assert_eq!(found, None);
        let start = Instant::now();
        let mut waits = Vec::new();
        for _ in 0..6 {
            prober.begin(1e6, start);
            prober.failed(start);
            waits.push(prober.not_before.unwrap() - start);
        }
        assert!(waits.is_sorted() && waits[5] == AGAIN.1, "{waits:?}");
    }
}
