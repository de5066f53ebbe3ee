//! Whether packets queue on their way: each group of packets that left together takes a little longer than the one before
//! (draft-ietf-rmcat-gcc-02, 5.1 to 5.4, with the least-squares line in place of the Kalman filter).
//!
//! Frames leave whole here. So groups are compared by their first packets: that the rest of a large frame takes long on a
//! narrow link is no queue as long as it is over before the next one.

use std::collections::VecDeque;

/// What leaves within this time of a group's first packet belongs to it.
const GROUP_MICROS: i64 = 5_000;
/// A group that comes faster than it left is part of the one before: something on the way held both back.
const BURST_MICROS: i64 = 5_000;
const LONGEST_BURST_MICROS: i64 = 100_000;
/// How many groups the line goes through.
const WINDOW: usize = 20;
/// How much of what was known stays with each new group.
const SMOOTHING: f64 = 0.9;
/// What a slope is multiplied with before it is held against the threshold, and the most groups that count.
const GAIN: f64 = 4.0;
const MOST_GROUPS: f64 = 60.0;
/// The threshold's pace up and down, its bounds in milliseconds, and how far above it nothing is learnt any more.
const PACE_UP: f64 = 0.0087;
const PACE_DOWN: f64 = 0.039;
const BOUNDS: (f64, f64) = (6.0, 600.0);
const OUTLIER: f64 = 15.0;
/// It has to last so long, in milliseconds, before it counts.
const LASTS: f64 = 10.0;

/// What the way does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// Nothing queues, or as much as before.
    Normal,
    /// Queues grow.
    Over,
    /// Queues shrink.
    Under,
}

#[derive(Debug, Clone, Copy)]
struct Group {
    left: i64,
    last_left: i64,
    came: i64,
    last_came: i64,
}

/// See the module.
#[derive(Debug)]
pub struct Trend {
    group: Option<Group>,
    before: Option<Group>,
    groups: f64,
    delay: f64,
    smoothed: f64,
    /// When each group came and how late it was, smoothed; milliseconds.
    line: VecDeque<(f64, f64)>,
    began: i64,
    threshold: f64,
    learnt: Option<i64>,
    over_for: Option<f64>,
    over_count: u32,
    last_slope: f64,
    usage: Usage,
}

impl Default for Trend {
    fn default() -> Self {
        Self {
            group: None,
            before: None,
            groups: 0.0,
            delay: 0.0,
            smoothed: 0.0,
            line: VecDeque::new(),
            began: 0,
            threshold: 12.5,
            learnt: None,
            over_for: None,
            over_count: 0,
            last_slope: 0.0,
            usage: Usage::Normal,
        }
    }
}

impl Trend {
    /// What is known by now.
    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// A packet that `left` and `came`, in microseconds on each side's own clock; in the order in which they came.
    pub fn packet(&mut self, left: i64, came: i64) {
        let Some(group) = &mut self.group else {
            self.group = Some(Group { left, last_left: left, came, last_came: came });
            self.began = came;
            return;
        };
        if left < group.left {
            return;
        }
        let since = left - group.last_left;
        let apart = came - group.last_came;
        let is_burst = (since == 0 || apart - since < 0 && apart <= BURST_MICROS)
            && came - group.came < LONGEST_BURST_MICROS;
        if left - group.left <= GROUP_MICROS || is_burst {
            group.last_left = group.last_left.max(left);
            group.came = group.came.min(came);
            group.last_came = group.last_came.max(came);
            return;
        }
        let whole = *group;
        *group = Group { left, last_left: left, came, last_came: came };
        if let Some(before) = self.before.replace(whole) {
            let left = (whole.left - before.left) as f64 / 1e3;
            let came_after = (whole.came - before.came) as f64 / 1e3;
            if !(0.0..=3_000.0).contains(&came_after) {
                // Their clock jumped, or they were away.
                *self = Self { group: self.group, threshold: self.threshold, ..Self::default() };
                return;
            }
            self.step(came_after - left, left, whole.came);
        }
    }

    fn step(&mut self, later: f64, interval: f64, came: i64) {
        self.groups = (self.groups + 1.0).min(MOST_GROUPS);
        self.delay += later;
        self.smoothed = SMOOTHING * self.smoothed + (1.0 - SMOOTHING) * self.delay;
        self.line.push_back(((came - self.began) as f64 / 1e3, self.smoothed));
        if self.line.len() > WINDOW {
            self.line.pop_front();
        }
        let slope = if self.line.len() == WINDOW { slope(&self.line) } else { self.last_slope };
        self.detect(slope, interval, came);
    }

    fn detect(&mut self, slope: f64, interval: f64, came: i64) {
        let against = self.groups * slope * GAIN;
        if against > self.threshold {
            let lasts = self.over_for.map_or(interval / 2.0, |lasts| lasts + interval);
            self.over_count += 1;
            self.over_for = Some(lasts);
            if lasts > LASTS && self.over_count > 1 && slope >= self.last_slope {
                self.over_for = Some(0.0);
                self.over_count = 0;
                self.usage = Usage::Over;
            }
        } else {
            self.over_for = None;
            self.over_count = 0;
            self.usage = if against < -self.threshold { Usage::Under } else { Usage::Normal };
        }
        self.last_slope = slope;
        let distance = against.abs() - self.threshold;
        let since =
            self.learnt.replace(came).map_or(0.0, |last| (came - last) as f64 / 1e3).clamp(0.0, 100.0);
        if distance <= OUTLIER {
            let pace = if distance < 0.0 { PACE_DOWN } else { PACE_UP };
            self.threshold = (self.threshold + pace * distance * since).clamp(BOUNDS.0, BOUNDS.1);
        }
    }
}

/// The slope of the line through points, by least squares.
fn slope(points: &VecDeque<(f64, f64)>) -> f64 {
    let count = points.len() as f64;
    let (x, y) = points.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0, y + point.1));
    let (x, y) = (x / count, y / count);
    let (above, below) = points.iter().fold((0.0, 0.0), |(above, below), point| {
        (above + (point.0 - x) * (point.1 - y), below + (point.0 - x).powi(2))
    });
    if below == 0.0 { 0.0 } else { above / below }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames of `packets`, 30 a second, each `later` microseconds later than the one before for its place.
    fn usages(frames: u64, packets: i64, later: impl Fn(u64) -> i64) -> Vec<Usage> {
        let mut trend = Trend::default();
        (0..frames)
            .map(|frame| {
                let micros = frame * 33_333;
                (0..packets)
                    .for_each(|at| trend.packet(micros as i64, micros as i64 + later(frame) + at * 2_000));
                trend.usage()
            })
            .collect()
    }

    #[test]
    fn a_queue_that_grows_is_told_of_within_a_second_and_one_that_shrinks_too() {
        let grows = usages(60, 4, |frame| frame.saturating_sub(30) as i64 * 8_000);
        assert!(grows[..30].iter().all(|usage| *usage == Usage::Normal));
        assert!(grows[30..45].contains(&Usage::Over), "{grows:?}");
        let shrinks = usages(60, 4, |frame| 300_000 - frame.saturating_sub(30) as i64 * 8_000);
        assert!(shrinks[30..].contains(&Usage::Under), "{shrinks:?}");
        assert!(!shrinks.contains(&Usage::Over));
    }

    #[test]
    fn neither_jitter_nor_large_frames_are_a_queue() {
        let mut state = 1u64;
        for seed in 1..100u64 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(seed);
            let mix = |frame: u64| {
                (frame.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ state).wrapping_mul(state | 1) >> 40
            };
            let jitter = usages(300, 4, |frame| (mix(frame) % 8_000) as i64);
            assert!(!jitter.contains(&Usage::Over), "seed {seed}");
        }
        let mut trend = Trend::default();
        for frame in 0..300u64 {
            let micros = frame * 33_333;
            // Each thirtieth takes all the time that there is before the next one.
            let packets = if frame % 30 == 0 { 16 } else { 3 };
            for at in 0..packets {
                trend.packet(micros as i64, micros as i64 + at * 2_000);
            }
            assert_ne!(trend.usage(), Usage::Over, "at {frame}");
        }
    }
}
