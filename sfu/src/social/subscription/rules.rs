//! Pure rules of subscriptions: how long they last, what several of them come to, what gift codes may be.

use shared::{
    subscription::{CODE_DAYS_MOST, CODES_MOST, CreateGiftCodes, DAYS_MOST, Tier},
    unit::Timestamp,
};

const DAY: i64 = 24 * 60 * 60 * 1000;
/// Who subscribes is told so long before the end.
pub const SOON: i64 = 3 * DAY;
/// What lasts no longer than this ends without a word.
const SHORT: i64 = 7 * DAY;
/// However much is given, a subscription ends at most so many days from now.
const AHEAD_MOST: i64 = 10 * 366;
/// How long gift codes can be redeemed if nothing is said.
const CODE_DAYS: u32 = 90;

/// From when until when somebody has a tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// Since when.
    pub since: Timestamp,
    /// Until when.
    pub ends_at: Timestamp,
}

impl Term {
    /// Whether it goes on.
    pub fn runs(self, now: Timestamp) -> bool {
        now < self.ends_at
    }
}

/// A number that can't be, by what requests call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is out of range")]
pub struct OutOfRange(pub &'static str);

fn after(from: Timestamp, days: i64) -> Timestamp {
    Timestamp::from_millis(from.as_millis().saturating_add(days.saturating_mul(DAY)))
}

/// For how many days a subscription may be given.
pub fn days(days: u32) -> Result<u32, OutOfRange> {
    if (1..=DAYS_MOST).contains(&days) { Ok(days) } else { Err(OutOfRange("days")) }
}

/// What somebody has of a tier after they are given so many days more: what runs is made longer, what is over begins anew.
pub fn extended(current: Option<Term>, days: u32, now: Timestamp) -> Term {
    let running = current.filter(|term| term.runs(now));
    let since = running.map_or(now, |term| term.since);
    let from = running.map_or(now, |term| term.ends_at);
    Term { since, ends_at: after(from, days.into()).min(after(now, AHEAD_MOST)) }
}

/// The highest tier that runs.
pub fn highest(terms: &[(Tier, Term)], now: Timestamp) -> Option<(Tier, Term)> {
    terms.iter().copied().filter(|(_, term)| term.runs(now)).max_by_key(|(tier, _)| *tier)
}

/// In how many days, begun ones counted, something runs out that somebody should know of: what lasts for some days only is no
/// surprise, and neither is what ends while more of the same runs on.
pub fn runs_out_in(terms: &[(Tier, Term)], (tier, term): (Tier, Term), now: Timestamp) -> Option<u32> {
    let lasts = term.ends_at.as_millis().saturating_sub(term.since.as_millis());
    let left = term.ends_at.as_millis().saturating_sub(now.as_millis());
    let is_covered = terms
        .iter()
        .any(|(other, longer)| *other >= tier && longer.ends_at > term.ends_at && longer.runs(now));
    let days = u32::try_from(left.saturating_add(DAY - 1) / DAY).ok()?;
    (term.runs(now) && left <= SOON && lasts > SHORT && !is_covered).then_some(days)
}

/// Whether codes can be made like this, and until when they can be redeemed.
pub fn codes_expire(wanted: &CreateGiftCodes, now: Timestamp) -> Result<Timestamp, OutOfRange> {
    days(wanted.days)?;
    if !(1..=CODES_MOST).contains(&wanted.count) {
        return Err(OutOfRange("count"));
    }
    let within = wanted.redeem_within_days.unwrap_or(CODE_DAYS);
    if !(1..=CODE_DAYS_MOST).contains(&within) {
        return Err(OutOfRange("redeemWithinDays"));
    }
    Ok(after(now, within.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(days: i64) -> Timestamp {
        Timestamp::from_millis(days * DAY)
    }

    fn term(since: i64, ends_at: i64) -> Term {
        Term { since: at(since), ends_at: at(ends_at) }
    }

    #[test]
    fn what_runs_is_made_longer_and_what_is_over_begins_anew() {
        assert_eq!(extended(None, 30, at(100)), term(100, 130));
        assert_eq!(extended(Some(term(90, 120)), 30, at(100)), term(90, 150));
        assert_eq!(extended(Some(term(50, 100)), 30, at(100)), term(100, 130), "it ended in this moment");
        assert_eq!(extended(Some(term(50, 80)), 1, at(100)), term(100, 101));
    }

    #[test]
    fn clocks_that_jump_take_nothing_away_and_give_nothing_for_good() {
        let mut given = extended(None, 30, at(100));
        // Back: it runs, for longer by this clock, and what is added is added to its end.
        assert!(given.runs(at(0)) && given.runs(at(129)));
        given = extended(Some(given), 30, at(50));
        assert_eq!(given, term(100, 160));
        // Ahead: it is over there, and runs again when the clock is right.
        assert!(!given.runs(at(5000)) && given.runs(at(110)));
        // What is given while the clock is far ahead or behind has an end all the same.
        let far = extended(None, 366, Timestamp::from_millis(i64::MAX));
        assert_eq!(far.ends_at, Timestamp::from_millis(i64::MAX));
        let long = (0..10_000).fold(None, |term, _| Some(extended(term, 366, at(0)))).unwrap();
        assert_eq!(long.ends_at, at(AHEAD_MOST));
        assert_eq!(
            extended(None, 1, Timestamp::from_millis(i64::MIN)).since,
            Timestamp::from_millis(i64::MIN)
        );
    }

    #[test]
    fn of_several_tiers_the_highest_that_runs_counts() {
        let terms = [(Tier::One, term(0, 100)), (Tier::Three, term(0, 10)), (Tier::Two, term(0, 50))];
        let highest_at = |day| highest(&terms, at(day)).map(|(tier, _)| tier);
        assert_eq!(highest_at(0), Some(Tier::Three));
        assert_eq!(highest_at(10), Some(Tier::Two));
        assert_eq!(highest_at(50), Some(Tier::One));
        assert_eq!((highest_at(100), highest(&[], at(0))), (None, None));
    }

    #[test]
    fn an_end_is_told_of_three_days_before_unless_it_is_no_surprise() {
        let all = [(Tier::One, term(0, 30)), (Tier::Two, term(0, 5))];
        let one = all[0];
        let cases = [(26, None), (27, Some(3)), (28, Some(2)), (29, Some(1)), (30, None), (31, None)];
        for (day, expected) in cases {
            assert_eq!(runs_out_in(&all, one, at(day)), expected, "{day}");
        }
        let later = Timestamp::from_millis(at(29).as_millis() + 1);
        assert_eq!(runs_out_in(&all, one, later), Some(1), "a day that has begun counts");
        assert_eq!(runs_out_in(&all, all[1], at(4)), None, "it was for five days");
        let with_more = [one, (Tier::Three, term(0, 60))];
        assert_eq!(runs_out_in(&with_more, one, at(28)), None, "a higher tier runs on");
        let with_less = [one, (Tier::Two, term(0, 30))];
        assert_eq!(runs_out_in(&with_less, one, at(28)), Some(2), "the other one ends as soon");
        let odd = (
            Tier::One,
            Term { since: Timestamp::from_millis(i64::MIN), ends_at: Timestamp::from_millis(i64::MAX) },
        );
        assert_eq!(runs_out_in(&[odd], odd, at(0)), None);
    }

    #[test]
    fn codes_are_bounded() {
        let good = CreateGiftCodes {
            label: Default::default(),
            tier: Tier::One,
            days: 30,
            count: 10,
            redeem_within_days: None,
        };
        assert_eq!(codes_expire(&good, at(0)), Ok(at(90)));
        let soon = CreateGiftCodes { redeem_within_days: Some(1), ..good.clone() };
        assert_eq!(codes_expire(&soon, at(0)), Ok(at(1)));
        for (bad, field) in [
            (CreateGiftCodes { days: 0, ..good.clone() }, "days"),
            (CreateGiftCodes { days: DAYS_MOST + 1, ..good.clone() }, "days"),
            (CreateGiftCodes { count: 0, ..good.clone() }, "count"),
            (CreateGiftCodes { count: CODES_MOST + 1, ..good.clone() }, "count"),
            (CreateGiftCodes { redeem_within_days: Some(0), ..good.clone() }, "redeemWithinDays"),
            (CreateGiftCodes { redeem_within_days: Some(u32::MAX), ..good }, "redeemWithinDays"),
        ] {
            assert_eq!(codes_expire(&bad, at(0)), Err(OutOfRange(field)));
        }
    }
}
