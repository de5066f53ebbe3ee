//! How many bits a second the way to a viewer carries, from what it reports of each packet: by the delay that grows when too
//! much is sent, by loss, and by probes (draft-ietf-rmcat-gcc-02; libwebrtc's controller, from which this departs where it
//! says so). Pure: time comes with every call.

mod probe;
mod throughput;
mod trend;

use super::log::Fate;
use probe::Prober;
use std::time::{Duration, Instant};
use throughput::{Losses, Throughput};
use trend::{Trend, Usage};

/// What a network is taken to carry before anything is known.
const START: f64 = 2e6;
/// The least and the most of an estimate.
const BOUNDS: (f64, f64) = (50e3, 100e6);
/// What is left of what arrives when queues grow.
const BACK_OFF: f64 = 0.85;
/// How fast it grows where nobody knows how much there is, a second.
const GROWTH: f64 = 1.08;
/// It doesn't grow beyond this share of what arrives: more was never tried.
const TRIED: f64 = 1.5;
/// Loss that matters, and loss that says by itself that too much is sent. Between them it may be the air's.
const LOSS: (f32, f32) = (0.10, 0.20);
/// What is kept to of what was sent where the air loses: what is measured sways.
const AIR: f64 = 1.2;
/// How long one step down takes to show.
const SETTLES: Duration = Duration::from_millis(200);
/// The first probe asks for so much more than is known, later ones for that.
const PROBES: (f64, f64) = (3.0, 2.0);
/// A probe asks for no more than this share of what there would be use for.
const ENOUGH: f64 = 1.25;
/// There is use for more if that is this share of the estimate.
const MORE: f64 = 1.02;
/// No probe begins so soon after queues grew, or if nothing was heard for so long.
const CALM: Duration = Duration::from_secs(1);
const SILENT: Duration = Duration::from_millis(500);

/// See the module.
#[derive(Debug)]
pub struct Estimator {
    bits: f64,
    desired: f64,
    trend: Trend,
    throughput: Throughput,
    losses: Losses,
    prober: Prober,
    has_probed: bool,
    /// What the way was found to carry when queues grew: mean, and how far single findings are off.
    capacity: Option<(f64, f64)>,
    grows: bool,
    stepped: Option<Instant>,
    fell: Option<Instant>,
    fell_by_loss: Option<Instant>,
    heard: Option<Instant>,
    /// When the last packet left.
    left: Option<Instant>,
    round_trip: Duration,
    /// Those of one report that came, in order of their coming.
    came: Vec<(i64, i64, usize)>,
}

impl Default for Estimator {
    fn default() -> Self {
        Self {
            bits: START,
            desired: 0.0,
            trend: Trend::default(),
            throughput: Throughput::default(),
            losses: Losses::default(),
            prober: Prober::default(),
            has_probed: false,
            capacity: None,
            grows: false,
            stepped: None,
            fell: None,
            fell_by_loss: None,
            heard: None,
            left: None,
            round_trip: Duration::from_millis(100),
            came: Vec::new(),
        }
    }
}

impl Estimator {
    /// Bits a second; `None` before the viewer has reported anything.
    pub fn estimate(&self) -> Option<u64> {
        self.heard.map(|_| self.bits as u64)
    }

    /// The share of packets that was lost in the last second or so.
    pub fn loss(&self, now: Instant) -> Option<f32> {
        self.losses.share(now)
    }

    /// How many bits a second there would be use for; 0: no probes.
    pub fn want(&mut self, bits: u64) {
        self.desired = bits as f64;
    }

    /// The round trip was measured.
    pub fn round_trip(&mut self, time: Duration) {
        self.round_trip = time;
    }

    /// A packet leaves; what probe it is part of.
    pub fn left(&mut self, size: usize, now: Instant) -> Option<u8> {
        let last = self.left.replace(now);
        if last.is_some_and(|last| now.saturating_duration_since(last) > CALM) {
            // Queues are empty by now, and what arrived says nothing of what will.
            self.trend = Trend::default();
            self.throughput = Throughput::default();
        }
        let probe = self.prober.current();
        self.prober.left(size);
        probe
    }

    /// Whether [`Self::probes`] is worth asking.
    pub fn may_probe(&self, now: Instant) -> bool {
        self.prober.next().is_some() || self.wants_probe(now)
    }

    /// Whether a packet is to leave now to find out whether there is more. Only to be asked by who has one that can leave.
    pub fn probes(&mut self, now: Instant) -> bool {
        self.begin_probe(now);
        self.prober.is_due(now)
    }

    /// Time passed.
    pub fn expire(&mut self, now: Instant) {
        self.prober.expire(now);
    }

    /// When [`Self::probes`] is to be asked again, at the latest.
    pub fn next(&self) -> Option<Instant> {
        self.prober.next()
    }

    /// The viewer reported what became of packets, in the order in which they left.
    pub fn report(&mut self, fates: &[Fate], now: Instant) {
        if fates.is_empty() {
            return;
        }
        self.heard = Some(now);
        let mut came = std::mem::take(&mut self.came);
        came.clear();
        for fate in fates {
            self.losses.count(fate, now);
            self.prober.fate(fate);
            came.extend(fate.came.map(|at| (at, fate.left, fate.size)));
        }
        came.sort_unstable_by_key(|(at, ..)| *at);
        for (at, left, size) in &came {
            self.trend.packet(*left, *at);
            self.throughput.came(*at, *size);
        }
        self.came = came;
        self.follow_delay(now);
        self.follow_loss(now);
        if let Some(found) = self.prober.result(self.bits, now)
            && self.trend.usage() != Usage::Over
            && found > self.bits
        {
            self.set(found, now);
            self.capacity = None;
        }
    }

    fn set(&mut self, bits: f64, now: Instant) {
        self.bits = bits.clamp(BOUNDS.0, BOUNDS.1);
        self.stepped = Some(now);
    }

    fn follow_delay(&mut self, now: Instant) {
        match self.trend.usage() {
            Usage::Over => self.back_off(now),
            // A queue that shrinks is let go first.
            Usage::Under => self.grows = false,
            Usage::Normal if !self.grows => {
                self.grows = true;
                self.stepped = Some(now);
            }
            Usage::Normal => self.grow(now),
        }
    }

    fn back_off(&mut self, now: Instant) {
        self.grows = false;
        let arrives = self.throughput.bits();
        let settles = self.round_trip.clamp(SETTLES / 2, SETTLES);
        let is_settled = self.fell.is_none_or(|at| now.saturating_duration_since(at) >= settles);
        let is_far_off = arrives.is_some_and(|arrives| arrives < self.bits / 2.0);
        if !is_settled && !is_far_off {
            return;
        }
        self.fell = Some(now);
        if self.prober.current().is_some() {
            self.prober.failed(now);
        }
        let Some(arrives) = arrives else { return self.set(self.bits * BACK_OFF, now) };
        let (mean, off) = self.capacity.unwrap_or((arrives, arrives * 0.05));
        let is_another = (arrives - mean).abs() > 3.0 * off.max(mean * 0.05);
        self.capacity = Some(if is_another {
            (arrives, arrives * 0.05)
        } else {
            (mean * 0.95 + arrives * 0.05, off * 0.95 + (arrives - mean).abs() * 0.05)
        });
        self.set((arrives * BACK_OFF).min(self.bits), now);
    }

    fn grow(&mut self, now: Instant) {
        let since = self.stepped.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        let since = since.min(Duration::from_secs(1)).as_secs_f64();
        let Some(arrives) = self.throughput.bits() else { return };
        if let Some((mean, off)) = self.capacity
            && arrives > mean + 3.0 * off
        {
            self.capacity = None;
        }
        let grown = match self.capacity {
            // About a packet each time that it could show what the last one did.
            Some(_) => {
                let response = self.round_trip.as_secs_f64() + 0.1;
                let frame = self.bits / 30.0;
                let packet = frame / (frame / 9_600.0).ceil().max(1.0);
                self.bits + since * (packet / response).max(4_000.0)
            }
            None => self.bits * GROWTH.powf(since),
        };
        if grown <= arrives * TRIED + 10e3 {
            self.set(grown, now);
        } else {
            self.stepped = Some(now);
        }
    }

    /// The draft takes a tenth of loss for too much sent. Air that loses as much, whatever is sent, would starve by that: what
    /// arrived and what was lost of it is kept, unless so much is lost that only a full queue explains it.
    fn follow_loss(&mut self, now: Instant) {
        let Some(loss) = self.losses.share(now).filter(|loss| *loss > LOSS.0) else { return };
        let settles = self.round_trip + SETTLES;
        if self.fell_by_loss.is_some_and(|at| now.saturating_duration_since(at) < settles) {
            return;
        }
        let Some(arrives) = self.throughput.bits() else { return };
        let sent = arrives / f64::from(1.0 - loss.min(0.9));
        let floor = if loss < LOSS.1 { sent * AIR } else { arrives };
        let lower = (self.bits * f64::from(1.0 - 0.5 * loss)).max(floor);
        if lower < self.bits {
            self.fell_by_loss = Some(now);
            self.set(lower, now);
        }
    }

    fn wants_probe(&self, now: Instant) -> bool {
        let Some(heard) = self.heard else { return false };
        // Whom nothing is sent to has nothing to report.
        let is_heard = now.saturating_duration_since(heard) < SILENT
            || self.left.is_none_or(|left| left <= heard + SILENT);
        let falls = [self.fell, self.fell_by_loss];
        // What was said last of queues is no news for ever.
        let is_over = self.trend.usage() == Usage::Over && now.saturating_duration_since(heard) < CALM;
        let is_calm =
            !is_over && falls.into_iter().flatten().all(|at| now.saturating_duration_since(at) >= CALM);
        self.desired > self.bits * MORE && is_heard && is_calm && self.prober.may_begin(now)
    }

    fn begin_probe(&mut self, now: Instant) {
        if self.wants_probe(now) {
            let times = if std::mem::replace(&mut self.has_probed, true) { PROBES.1 } else { PROBES.0 };
            self.prober.begin((self.bits * times).min(self.desired * ENOUGH), now);
        }
    }
}

#[cfg(test)]
mod tests;
