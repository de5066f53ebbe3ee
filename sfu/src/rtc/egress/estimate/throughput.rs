//! What arrives at a viewer, and what doesn't.

use super::super::log::Fate;
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Over how long it is counted: a dozen frames, so that one large one changes little, and short enough to follow a fall.
const WINDOW_MICROS: i64 = 400_000;
/// The most packets that are counted, whatever times the viewer tells: those of 190 Mbit/s.
const MOST: usize = 8192;
/// Loss is counted in halves of its window.
const HALF: Duration = Duration::from_millis(500);
/// Of fewer packets a share says nothing.
const LEAST: u32 = 20;

/// Bits a second as they arrive.
#[derive(Debug, Default)]
pub struct Throughput {
    came: VecDeque<(i64, usize)>,
    bytes: usize,
    is_full: bool,
}

impl Throughput {
    /// A packet came, in microseconds on the viewer's clock.
    pub fn came(&mut self, at: i64, size: usize) {
        if self
            .came
            .back()
            .is_some_and(|(last, _)| at - last > 2 * WINDOW_MICROS || last - at > WINDOW_MICROS)
        {
            *self = Self::default();
        }
        self.came.push_back((at, size));
        self.bytes += size;
        while let Some((first, size)) = self.came.front().copied()
            && (at - first > WINDOW_MICROS || self.came.len() > MOST)
        {
            self.came.pop_front();
            self.bytes -= size;
            self.is_full = true;
        }
    }

    /// Bits a second, once there is enough to tell.
    pub fn bits(&self) -> Option<f64> {
        self.is_full.then(|| self.bytes as f64 * 8e6 / WINDOW_MICROS as f64)
    }
}

/// The share that is lost.
#[derive(Debug, Default)]
pub struct Losses {
    /// Packets and lost ones of this half and of the one before.
    halves: [(u32, u32); 2],
    began: Option<Instant>,
}

impl Losses {
    /// What became of a packet.
    pub fn count(&mut self, fate: &Fate, now: Instant) {
        let began = *self.began.get_or_insert(now);
        let since = now.saturating_duration_since(began);
        if since >= HALF {
            self.halves = [(0, 0), if since < HALF * 2 { self.halves[0] } else { (0, 0) }];
            self.began = Some(now);
        }
        let (all, lost) = &mut self.halves[0];
        match (fate.came, fate.was_lost) {
            // Late, and not lost.
            (Some(_), true) => *lost = lost.saturating_sub(1),
            (came, _) => {
                *all += 1;
                *lost += u32::from(came.is_none());
            }
        }
    }

    /// 0 to 1; `None` of few packets, or if nothing was heard of any lately.
    pub fn share(&self, now: Instant) -> Option<f32> {
        let is_fresh = self.began.is_some_and(|began| now.saturating_duration_since(began) < HALF * 3);
        let [(all, lost), (all_before, lost_before)] = self.halves;
        let all = all + all_before;
        (is_fresh && all >= LEAST).then(|| (lost + lost_before) as f32 / all as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_arrives_is_told_as_it_is_and_follows_a_fall_within_its_window() {
        let mut throughput = Throughput::default();
        assert_eq!(throughput.bits(), None);
        (0..100).for_each(|at| throughput.came(at * 10_000, 1_250));
        assert!((throughput.bits().unwrap() / 1e6 - 1.0).abs() < 0.05);
        (0..9).for_each(|at| throughput.came(1_000_000 + at * 50_000, 625));
        assert!((throughput.bits().unwrap() / 100e3 - 1.0).abs() < 0.15, "{:?}", throughput.bits());
        throughput.came(90_000_000, 1);
        assert_eq!(throughput.bits(), None, "after a silence it begins anew");
        (0..100_000).for_each(|_| throughput.came(90_000_000, 1));
        assert!(throughput.came.len() <= MOST, "a clock that stands still");
    }

    #[test]
    fn what_is_only_late_is_not_lost() {
        let now = Instant::now();
        let mut losses = Losses::default();
        let fate = |came, was_lost| Fate { left: 0, came, size: 1, probe: None, was_lost };
        (0..30).for_each(|_| losses.count(&fate(Some(1), false), now));
        (0..10).for_each(|_| losses.count(&fate(None, false), now));
        assert_eq!(losses.share(now), Some(0.25));
        (0..10).for_each(|_| losses.count(&fate(Some(1), true), now));
        assert_eq!(losses.share(now), Some(0.0));
        assert_eq!(losses.share(now + HALF * 4), None);
    }
}
