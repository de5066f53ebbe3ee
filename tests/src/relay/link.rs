//! What one direction of a bad network does to a datagram: nothing but arithmetic on a seed and the time it is told.

use std::time::{Duration, Instant};

/// How a direction of a [`super::Relay`] treats what passes. The default is a cable: everything at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conditions {
    /// Share of datagrams that are lost, 0 to 1.
    pub loss: f64,
    /// How many are lost in a row, on average; 1 is each by itself.
    pub burst: f64,
    /// Added to everything.
    pub delay: Duration,
    /// Added on top, drawn anew between nothing and this every [`Self::JITTER_EVERY`]; order is kept, as in a queue.
    pub jitter: Duration,
    /// Share of datagrams that are held back by [`Self::reorder_by`], so that later ones overtake them.
    pub reorder: f64,
    /// How long those are held back.
    pub reorder_by: Duration,
    /// Bits a second that pass, if it is limited.
    pub rate: Option<u64>,
    /// How much waits for its turn at a limited rate, in time; what comes to a full queue is lost.
    pub queue: Duration,
}

impl Conditions {
    /// How long a level of jitter lasts.
    pub const JITTER_EVERY: Duration = Duration::from_millis(30);
}

impl Default for Conditions {
    fn default() -> Self {
        Self {
            loss: 0.0,
            burst: 1.0,
            delay: Duration::ZERO,
            jitter: Duration::ZERO,
            reorder: 0.0,
            reorder_by: Duration::from_millis(15),
            rate: None,
            queue: Duration::from_millis(200),
        }
    }
}

/// One direction. The same seed and the same datagrams at the same times give the same fate.
#[derive(Debug)]
pub struct Link {
    conditions: Conditions,
    random: Random,
    losing: bool,
    level: Duration,
    level_until: Option<Instant>,
    /// When the last datagram that kept its place leaves.
    last: Option<Instant>,
    /// When a limited link has sent all that waits.
    busy_until: Option<Instant>,
}

impl Link {
    /// A link with its own chance.
    pub fn new(seed: u64) -> Self {
        Self {
            conditions: Conditions::default(),
            random: Random::new(seed),
            losing: false,
            level: Duration::ZERO,
            level_until: None,
            last: None,
            busy_until: None,
        }
    }

    /// From now on. What is on its way stays as it was.
    pub fn set(&mut self, conditions: Conditions) {
        self.conditions = conditions;
        self.level_until = None;
    }

    /// As it is.
    pub fn conditions(&self) -> Conditions {
        self.conditions
    }

    /// When a datagram of `bytes` that enters now comes out; `None` if it never does.
    pub fn pass(&mut self, bytes: usize, now: Instant) -> Option<Instant> {
        if self.is_lost() {
            return None;
        }
        let mut at = now;
        if let Some(rate) = self.conditions.rate {
            let start = self.busy_until.map_or(now, |busy| busy.max(now));
            if start.duration_since(now) > self.conditions.queue {
                return None;
            }
            at = start + Duration::from_secs_f64(bytes as f64 * 8.0 / rate.max(1) as f64);
            self.busy_until = Some(at);
        }
        if self.level_until.is_none_or(|until| now >= until) {
            self.level = self.conditions.jitter.mul_f64(self.random.share());
            self.level_until = Some(now + Conditions::JITTER_EVERY);
        }
        at += self.conditions.delay + self.level;
        if self.conditions.reorder > 0.0 && self.random.share() < self.conditions.reorder {
            return Some(at + self.conditions.reorder_by);
        }
        let at = self.last.map_or(at, |last| at.max(last));
        self.last = Some(at);
        Some(at)
    }

    /// Gilbert's two states: in the bad one everything is lost. Their lengths make the share and the burst that are wanted.
    fn is_lost(&mut self) -> bool {
        let Conditions { loss, burst, .. } = self.conditions;
        if loss <= 0.0 {
            self.losing = false;
            return false;
        }
        let chance = if self.losing {
            1.0 - 1.0 / burst.max(1.0)
        } else if burst <= 1.0 {
            loss
        } else {
            loss / ((1.0 - loss).max(1e-9) * burst)
        };
        self.losing = self.random.share() < chance;
        if burst <= 1.0 {
            return std::mem::take(&mut self.losing);
        }
        self.losing
    }
}

/// xorshift64*: enough chance for a network.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// Any seed will do.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// The next one in 0 to 1, without 1.
    pub fn share(&mut self) -> f64 {
        (self.number() >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// The fates of `count` datagrams of 1,000 bytes, one each `every`.
    fn fates(conditions: Conditions, seed: u64, count: u32, every: Duration) -> Vec<Option<Duration>> {
        let start = Instant::now();
        let mut link = Link::new(seed);
        link.set(conditions);
        (0..count)
            .map(|i| {
                let now = start + every * i;
                link.pass(1000, now).map(|at| at - now)
            })
            .collect()
    }

    #[test]
    fn a_cable_changes_nothing() {
        assert!(fates(Conditions::default(), 1, 100, MS).iter().all(|fate| *fate == Some(Duration::ZERO)));
    }

    #[test]
    fn loss_is_as_much_and_as_bursty_as_asked_and_the_seed_decides_which() {
        for (loss, burst) in [(0.01, 1.0), (0.1, 1.0), (0.05, 4.0), (0.1, 3.0)] {
            let conditions = Conditions { loss, burst, ..Conditions::default() };
            let fates_of = |seed| fates(conditions, seed, 100_000, MS);
            let lost: Vec<bool> = fates_of(7).iter().map(Option::is_none).collect();
            let share = lost.iter().filter(|lost| **lost).count() as f64 / lost.len() as f64;
            assert!((share - loss).abs() < loss * 0.15, "{share} lost of {loss}");
            let bursts = lost.windows(2).filter(|pair| !pair[0] && pair[1]).count();
            let length = share * lost.len() as f64 / bursts as f64;
            assert!((length - burst).abs() < burst * 0.2, "{length} in a row, not {burst}");
            assert_eq!(fates_of(7), fates_of(7));
            assert_ne!(fates_of(7), fates_of(8));
        }
    }

    #[test]
    fn jitter_stays_in_its_bounds_and_keeps_the_order() {
        let conditions = Conditions { delay: MS * 20, jitter: MS * 50, ..Conditions::default() };
        let fates: Vec<Duration> = fates(conditions, 3, 5000, MS * 3).into_iter().flatten().collect();
        assert_eq!(fates.len(), 5000);
        assert!(fates.iter().all(|delay| (MS * 20..=MS * 70).contains(delay)));
        assert!(fates.iter().any(|delay| *delay > MS * 60) && fates.iter().any(|delay| *delay < MS * 30));
        let mut out: Vec<_> = fates.iter().enumerate().map(|(i, delay)| MS * 3 * i as u32 + *delay).collect();
        let sent = out.clone();
        out.sort();
        assert_eq!(sent, out);
    }

    #[test]
    fn as_many_are_overtaken_as_asked() {
        let conditions = Conditions { reorder: 0.03, ..Conditions::default() };
        let fates = fates(conditions, 5, 20_000, MS * 4);
        let held = fates.iter().flatten().filter(|delay| **delay == conditions.reorder_by).count();
        assert!((500..700).contains(&held), "{held} of 20,000");
    }

    #[test]
    fn a_limited_link_passes_its_rate_queues_a_little_and_loses_the_rest() {
        // 1,000 bytes a millisecond are 8 Mbit/s; 2 pass.
        let conditions = Conditions { rate: Some(2_000_000), queue: MS * 100, ..Conditions::default() };
        let fates = fates(conditions, 1, 4000, MS);
        let passed = fates.iter().flatten().count();
        assert!((980..1040).contains(&passed), "{passed} datagrams in four seconds");
        let longest = fates.iter().flatten().max().copied().unwrap_or_default();
        assert!((MS * 95..MS * 110).contains(&longest), "{longest:?} at most");
    }

    #[test]
    fn what_changes_holds_from_then_on() {
        let start = Instant::now();
        let mut link = Link::new(1);
        assert_eq!(link.pass(100, start), Some(start));
        link.set(Conditions { delay: MS * 40, ..Conditions::default() });
        assert_eq!(link.pass(100, start + MS), Some(start + MS * 41));
        link.set(Conditions::default());
        assert_eq!(link.pass(100, start + MS * 2), Some(start + MS * 41), "not before the one ahead of it");
        link.set(Conditions { loss: 1.0, ..Conditions::default() });
        assert_eq!(link.pass(100, start + MS * 3), None);
    }
}
