//! How long somebody has subscribed in all, and when that is worth a word. Pure.

use shared::unit::Timestamp;

/// As long as a month is in subscriptions.
pub const MONTH: i64 = 30 * 24 * 60 * 60 * 1000;

/// What somebody has had of a channel, whichever tiers and with whatever gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tenure {
    /// Milliseconds of the runs that are over.
    pub earlier: i64,
    /// When the run began that goes on, or was last.
    pub since: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
    /// The last milestone that was told, in months; 0 if none was.
    pub told: u32,
}

/// The first milestone after so many months: 3, 6, 12, and then each year.
fn after(months: u32) -> u32 {
    match months {
        0..3 => 3,
        3..6 => 6,
        _ => (months / 12).saturating_add(1).saturating_mul(12),
    }
}

/// The last milestone in so many months; 0 if there is none.
fn within(months: u32) -> u32 {
    match months {
        0..3 => 0,
        3..6 => 3,
        6..12 => 6,
        _ => months / 12 * 12,
    }
}

fn span(from: Timestamp, to: Timestamp) -> i64 {
    to.as_millis().saturating_sub(from.as_millis()).max(0)
}

impl Tenure {
    /// Of somebody who never subscribed before.
    pub fn new(now: Timestamp, ends_at: Timestamp) -> Self {
        Self { earlier: 0, since: now, ends_at, told: 0 }
    }

    /// After they are given more, which ends then: what runs goes on, what is over begins anew.
    #[must_use]
    pub fn lengthened(self, ends_at: Timestamp, now: Timestamp) -> Self {
        if now < self.ends_at {
            return Self { ends_at: self.ends_at.max(ends_at), ..self };
        }
        let earlier = self.earlier.saturating_add(span(self.since, self.ends_at));
        Self { earlier, since: now, ends_at, ..self }
    }

    /// After all that they have was ended.
    #[must_use]
    pub fn ended(self, now: Timestamp) -> Self {
        Self { ends_at: self.ends_at.min(now).max(self.since), ..self }
    }

    /// The milestone that was reached by now and not told; of several the last.
    pub fn reached(self, now: Timestamp) -> Option<u32> {
        let total = self.earlier.saturating_add(span(self.since, self.ends_at.min(now)));
        let milestone = within(u32::try_from(total / MONTH).unwrap_or(u32::MAX));
        (milestone > self.told).then_some(milestone)
    }

    /// With all that was reached by now as if it had been told.
    #[must_use]
    pub fn settled(self, now: Timestamp) -> Self {
        Self { told: self.reached(now).unwrap_or(self.told), ..self }
    }

    /// When the next milestone is reached, if they subscribe for so long.
    pub fn next_at(self) -> Option<Timestamp> {
        let needed = i64::from(after(self.told)).saturating_mul(MONTH).saturating_sub(self.earlier).max(0);
        let at = Timestamp::from_millis(self.since.as_millis().saturating_add(needed));
        (at <= self.ends_at).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(months: i64) -> Timestamp {
        Timestamp::from_millis(months * MONTH)
    }

    #[test]
    fn milestones_come_after_three_six_and_twelve_months_and_then_each_year() {
        let all: Vec<u32> =
            std::iter::successors(Some(after(0)), |last| Some(after(*last))).take(6).collect();
        assert_eq!(all, [3, 6, 12, 24, 36, 48]);
        for (months, milestone) in
            [(0, 0), (2, 0), (3, 3), (5, 3), (6, 6), (11, 6), (12, 12), (23, 12), (25, 24)]
        {
            assert_eq!(within(months), milestone, "{months}");
        }
        assert!(after(u32::MAX) >= u32::MAX - 12 && within(u32::MAX) > 0);
    }

    #[test]
    fn what_is_paid_ahead_counts_once_it_has_passed() {
        let year = Tenure::new(at(0), at(12));
        assert_eq!(year.reached(at(0)), None);
        assert_eq!(year.next_at(), Some(at(3)));
        assert_eq!(year.reached(Timestamp::from_millis(at(3).as_millis() - 1)), None);
        assert_eq!(year.reached(at(3)), Some(3));
        let told = Tenure { told: 3, ..year };
        assert_eq!((told.reached(at(5)), told.next_at()), (None, Some(at(6))));
        // Nobody looked for a while: the last counts.
        assert_eq!(told.reached(at(30)), Some(12));
        assert_eq!(Tenure { told: 12, ..year }.next_at(), None, "it ends before");
    }

    #[test]
    fn gaps_count_for_nothing_and_take_nothing() {
        let first = Tenure::new(at(0), at(2));
        assert_eq!(first.next_at(), None);
        let second = first.lengthened(at(11), at(10));
        assert_eq!((second.earlier, second.since, second.ends_at), (2 * MONTH, at(10), at(11)));
        assert_eq!(second.next_at(), Some(at(11)), "with its last moment");
        assert_eq!(second.reached(at(11)), Some(3));
        assert_eq!(second.reached(at(40)), Some(3), "what is over grows no more");
        let longer = first.lengthened(at(4), at(1));
        assert_eq!((longer.earlier, longer.since, longer.ends_at), (0, at(0), at(4)));
        assert_eq!(longer.lengthened(at(3), at(1)).ends_at, at(4), "a lower tier that ends before");
    }

    #[test]
    fn what_is_ended_counts_until_then() {
        let ended = Tenure::new(at(0), at(12)).ended(at(2));
        assert_eq!((ended.ends_at, ended.next_at()), (at(2), None));
        assert_eq!(ended.ended(at(7)).ends_at, at(2), "once");
        assert_eq!(ended.ended(at(-1)).ends_at, at(0), "a clock that was set back takes no more than all");
        let again = ended.lengthened(at(9), at(8));
        assert_eq!(again.reached(at(9)), Some(3));
    }

    #[test]
    fn no_clock_makes_it_overflow() {
        let far = Timestamp::from_millis(i64::MAX);
        let long = Tenure { earlier: i64::MAX, since: far, ends_at: far, told: u32::MAX };
        let _ = (long.reached(far), long.next_at(), long.lengthened(far, far), long.ended(far));
        let odd = Tenure::new(Timestamp::from_millis(i64::MIN), far);
        assert!(odd.reached(far).is_some());
    }
}
