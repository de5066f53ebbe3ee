//! Which rungs run: those that a viewer would get, and those that one got a moment ago.

use super::frame::RungId;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// A rung goes on for so long after its last viewer has gone: they come back, and starting costs a keyframe.
pub const LINGERS: Duration = Duration::from_secs(10);
/// One of which nothing came for so long after somebody wanted it may not be made any more,
pub const STARTS_WITHIN: Duration = Duration::from_secs(4);
/// for so long, twice as long each time in a row, up to a limit.
const BACKOFF: Duration = Duration::from_secs(10);
const LONGEST_BACKOFF: Duration = Duration::from_secs(160);

#[derive(Debug, Clone, Copy)]
struct Wanted {
    since: Instant,
    last: Instant,
    came: bool,
}

#[derive(Debug, Clone, Copy)]
struct Failed {
    until: Instant,
    after: Duration,
}

/// See the module. One for each broadcast.
#[derive(Debug, Default)]
pub struct Demand {
    wanted: BTreeMap<RungId, Wanted>,
    failed: BTreeMap<RungId, Failed>,
}

impl Demand {
    /// Some viewers would get this rung. Without effect while it may not be made.
    pub fn want(&mut self, id: RungId, now: Instant) {
        if !self.may_be_made(id, now) {
            return;
        }
        let wanted = self.wanted.entry(id).or_insert(Wanted { since: now, last: now, came: false });
        wanted.last = now;
    }

    /// The first packet of a rung came, or another one.
    pub fn came(&mut self, id: RungId) {
        if let Some(wanted) = self.wanted.get_mut(&id) {
            wanted.came = true;
            self.failed.remove(&id);
        }
    }

    /// All of them stopped: whoever made them ended, and begins again after so long.
    pub fn ended(&mut self, again_in: Duration, now: Instant) {
        for (id, wanted) in std::mem::take(&mut self.wanted) {
            let before = self.failed.get(&id).filter(|_| !wanted.came);
            let after = before.map_or(BACKOFF / 2, |failed| failed.after);
            self.failed.insert(id, Failed { until: now + again_in, after });
        }
    }

    /// Whether nothing runs, and nothing of what failed is about to be tried again.
    pub fn is_idle(&self, now: Instant) -> bool {
        self.wanted.is_empty() && self.failed.values().all(|failed| now >= failed.until + LINGERS)
    }

    /// The rungs that are to run now.
    pub fn running(&mut self, now: Instant) -> Vec<RungId> {
        let late =
            |wanted: &Wanted| !wanted.came && now.saturating_duration_since(wanted.since) > STARTS_WITHIN;
        let overdue: Vec<RungId> =
            self.wanted.iter().filter(|(_, wanted)| late(wanted)).map(|(id, _)| *id).collect();
        for id in overdue {
            self.fail(id, now);
        }
        self.wanted.retain(|_, wanted| now.saturating_duration_since(wanted.last) < LINGERS);
        self.wanted.keys().copied().collect()
    }

    /// Whether a rung may be made: not while it just failed.
    pub fn may_be_made(&self, id: RungId, now: Instant) -> bool {
        self.failed.get(&id).is_none_or(|failed| now >= failed.until)
    }

    fn fail(&mut self, id: RungId, now: Instant) {
        self.wanted.remove(&id);
        let after = self.failed.get(&id).map_or(BACKOFF, |failed| (failed.after * 2).min(LONGEST_BACKOFF));
        self.failed.insert(id, Failed { until: now + after, after });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const LOW: RungId = RungId(4);
    const MIDDLE: RungId = RungId(3);

    #[test]
    fn a_rung_runs_from_its_first_viewer_until_ten_seconds_after_the_last() {
        let start = Instant::now();
        let mut demand = Demand::default();
        assert_eq!(demand.running(start), []);
        for second in 0..30 {
            demand.want(LOW, start + SECOND * second);
            demand.came(LOW);
            assert_eq!(demand.running(start + SECOND * second), [LOW]);
        }
        let last = start + SECOND * 29;
        assert_eq!(demand.running(last + SECOND * 9), [LOW]);
        demand.want(MIDDLE, last + SECOND * 9);
        assert_eq!(demand.running(last + SECOND * 10), [MIDDLE]);
        assert_eq!(demand.running(last + SECOND * 30), [], "nobody says that it is wanted");
    }

    #[test]
    fn what_does_not_start_is_not_made_for_longer_each_time() {
        let mut now = Instant::now();
        let mut demand = Demand::default();
        for backoff in [10, 20, 40, 80, 160, 160] {
            for _ in 0..5 {
                demand.want(LOW, now);
                assert_eq!(demand.running(now), [LOW]);
                now += SECOND;
            }
            assert_eq!(demand.running(now), []);
            assert!(!demand.may_be_made(LOW, now + SECOND * (backoff - 1)));
            now += SECOND * backoff;
            assert!(demand.may_be_made(LOW, now));
            assert!(demand.may_be_made(MIDDLE, now));
        }
        demand.want(LOW, now);
        demand.came(LOW);
        demand.ended(SECOND, now);
        assert!(!demand.may_be_made(LOW, now));
        assert!(demand.may_be_made(LOW, now + SECOND), "it had proved itself");
    }

    #[test]
    fn a_viewer_that_still_wants_what_ended_does_not_bring_it_back_at_once() {
        let now = Instant::now();
        let mut demand = Demand::default();
        demand.want(LOW, now);
        demand.came(LOW);
        demand.ended(SECOND * 4, now);
        demand.want(LOW, now + SECOND);
        assert_eq!(demand.running(now + SECOND), []);
        assert!(!demand.is_idle(now + SECOND * 6) && demand.is_idle(now + SECOND * 14));
        demand.want(LOW, now + SECOND * 12);
        assert_eq!(demand.running(now + SECOND * 12), [LOW]);
    }
}
