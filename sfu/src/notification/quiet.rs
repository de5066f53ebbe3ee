//! When somebody is left alone, and until when. Pure: clocks are put forward and back, and the time is an argument.
//!
//! What begins or ends in an hour that the clocks leave out does so as much later; in one that comes twice, the first time.

use jiff::{
    Span, Timestamp as Instant,
    civil::Date,
    tz::{Offset, TimeZone},
};
use shared::{notification::QuietHours, unit::Timestamp};

/// By whose clocks it is. A zone that is not known any more counts as if there were none.
fn zone(quiet: &QuietHours) -> Option<TimeZone> {
    let named = quiet.zone.as_ref().and_then(|name| TimeZone::get(name.as_str()).ok());
    let fixed = || Offset::from_seconds(i32::from(quiet.offset) * 60).ok().map(TimeZone::fixed);
    named.or_else(fixed)
}

/// When it is so many minutes after midnight by the clocks there.
fn instant(day: Date, minutes: u16, zone: &TimeZone) -> Option<Timestamp> {
    let clock = day.at(i8::try_from(minutes / 60).ok()?, i8::try_from(minutes % 60).ok()?, 0, 0);
    let instant = zone.to_ambiguous_timestamp(clock).compatible().ok()?;
    Some(Timestamp::from_millis(instant.as_millisecond()))
}

/// The quiet hours that begin on a day.
fn of_day(quiet: &QuietHours, day: Date, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
    let over_midnight = i32::from(quiet.to <= quiet.from);
    let end = day.checked_add(Span::new().days(over_midnight)).ok()?;
    Some((instant(day, quiet.from, zone)?, instant(end, quiet.to, zone)?))
}

/// Where the clocks have one night reach into the next, it is looked on so often.
const NIGHTS_MOST: usize = 3;
/// Nobody is left alone for longer, whatever the clocks do.
const QUIET_MOST: i64 = 48 * 60 * 60 * 1000;

/// When a person's quiet hours are over: now, if it isn't quiet.
pub fn awake(quiet: &QuietHours, now: Timestamp) -> Timestamp {
    let mut awake = now;
    for _ in 0..NIGHTS_MOST {
        let end = end(quiet, awake);
        if end == awake {
            break;
        }
        awake = end;
    }
    awake.min(Timestamp::from_millis(now.as_millis().saturating_add(QUIET_MOST)))
}

/// When the night is over that it is then.
fn end(quiet: &QuietHours, now: Timestamp) -> Timestamp {
    let until = || {
        let zone = zone(quiet)?;
        let today = zone.to_datetime(Instant::from_millisecond(now.as_millis()).ok()?).date();
        // What runs now began today or yesterday; or before that, where a whole day was left out.
        (-2..=0)
            .filter_map(|days| of_day(quiet, today.checked_add(Span::new().days(days)).ok()?, &zone))
            .filter(|(begin, end)| *begin <= now && now < *end)
            .map(|(_, end)| end)
            .max()
    };
    until().unwrap_or(now)
}

/// Whether quiet hours are such as there can be.
pub fn is_possible(quiet: &QuietHours) -> bool {
    let QuietHours { from, to, offset, zone } = quiet;
    let is_known = zone.as_ref().is_none_or(|name| TimeZone::get(name.as_str()).is_ok());
    *from < 1440 && *to < 1440 && from != to && (-840..=840).contains(offset) && is_known
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const MINUTE: i64 = 60_000;

    fn at(hours: i64, minutes: i64) -> Timestamp {
        Timestamp::from_millis((20_000 * 24 * 60 + hours * 60 + minutes) * MINUTE)
    }

    fn when(text: &str) -> Timestamp {
        serde_json::from_value(json!(text)).unwrap()
    }

    fn fixed(from: u16, to: u16, offset: i16) -> QuietHours {
        QuietHours { from, to, offset, zone: None }
    }

    /// From and to in hours and minutes, as people say them.
    fn by(zone: &str, from: (u16, u16), to: (u16, u16)) -> QuietHours {
        let minutes = |(hours, minutes): (u16, u16)| hours * 60 + minutes;
        QuietHours { from: minutes(from), to: minutes(to), offset: 0, zone: Some(zone.parse().unwrap()) }
    }

    #[track_caller]
    fn wakes(quiet: &QuietHours, now: &str, then: &str) {
        assert_eq!(awake(quiet, when(now)), when(then), "at {now}");
    }

    #[test]
    fn quiet_hours_hold_what_leaves_until_they_are_over_also_over_midnight() {
        let night = fixed(22 * 60, 7 * 60, 0);
        assert_eq!(awake(&night, at(21, 59)), at(21, 59));
        assert_eq!(awake(&night, at(22, 0)), at(31, 0));
        assert_eq!(awake(&night, at(2, 30)), at(7, 0));
        assert_eq!(awake(&night, at(7, 0)), at(7, 0));
        let lunch = fixed(12 * 60, 13 * 60, 120);
        assert_eq!(awake(&lunch, at(10, 30)), at(11, 0), "by the person's own clock");
        assert_eq!(awake(&lunch, at(12, 30)), at(12, 30));
        let west = fixed(0, 60, -600);
        assert_eq!(awake(&west, at(10, 1)), at(11, 0));
        let nearly = fixed(1, 0, 0);
        assert_eq!(awake(&nearly, at(0, 1)), at(24, 0));
        assert_eq!(awake(&nearly, at(0, 0)), at(0, 0));
    }

    #[test]
    fn a_zone_s_hours_are_the_same_by_its_clocks_in_summer_and_in_winter() {
        let vienna = by("Europe/Vienna", (22, 0), (7, 0));
        wakes(&vienna, "2026-07-01T20:00:00Z", "2026-07-02T05:00:00Z");
        wakes(&vienna, "2026-07-01T19:59:59Z", "2026-07-01T19:59:59Z");
        wakes(&vienna, "2026-12-01T21:00:00Z", "2026-12-02T06:00:00Z");
        wakes(&vienna, "2026-12-01T20:59:59Z", "2026-12-01T20:59:59Z");
        let kathmandu = by("Asia/Kathmandu", (0, 0), (6, 30));
        wakes(&kathmandu, "2026-06-10T18:15:00Z", "2026-06-11T00:45:00Z");
        let auckland = by("Pacific/Auckland", (22, 0), (7, 0));
        wakes(&auckland, "2026-06-10T10:00:00Z", "2026-06-10T19:00:00Z");
    }

    #[test]
    fn the_night_in_which_clocks_go_forward_ends_when_they_say_so() {
        // In Vienna 02:00 is followed by 03:00 on 28 March 2027.
        let night = by("Europe/Vienna", (22, 0), (7, 0));
        wakes(&night, "2027-03-27T21:00:00Z", "2027-03-28T05:00:00Z");
        wakes(&night, "2027-03-28T04:59:59Z", "2027-03-28T05:00:00Z");
        // What would end at 02:30 ends at 03:30, when the next has begun.
        let nearly = by("Europe/Vienna", (3, 0), (2, 30));
        wakes(&nearly, "2027-03-27T12:00:00Z", "2027-03-29T00:30:00Z");
        wakes(&nearly, "2027-03-26T12:00:00Z", "2027-03-27T01:30:00Z");
        wakes(&night, "2027-03-28T05:00:00Z", "2027-03-28T05:00:00Z");
        // An end that isn't there comes as much later.
        let early = by("Europe/Vienna", (23, 0), (2, 30));
        wakes(&early, "2027-03-28T00:59:59Z", "2027-03-28T01:30:00Z");
        wakes(&early, "2027-03-28T01:30:00Z", "2027-03-28T01:30:00Z");
        // And so does a beginning.
        let late = by("Europe/Vienna", (2, 30), (6, 0));
        wakes(&late, "2027-03-28T01:10:00Z", "2027-03-28T01:10:00Z");
        wakes(&late, "2027-03-28T01:30:00Z", "2027-03-28T04:00:00Z");
        // What begins and ends in the hour that is left out is as long after it.
        let gap = by("Europe/Vienna", (2, 10), (2, 50));
        wakes(&gap, "2027-03-28T01:10:00Z", "2027-03-28T01:50:00Z");
    }

    #[test]
    fn the_night_in_which_clocks_go_back_is_an_hour_longer_and_ends_once() {
        // In Vienna 03:00 is followed by 02:00 on 25 October 2026.
        let night = by("Europe/Vienna", (22, 0), (7, 0));
        wakes(&night, "2026-10-24T20:00:00Z", "2026-10-25T06:00:00Z");
        wakes(&night, "2026-10-25T05:59:59Z", "2026-10-25T06:00:00Z");
        // An end that comes twice is the first, and the hour that comes again isn't quiet again.
        let early = by("Europe/Vienna", (22, 0), (2, 30));
        wakes(&early, "2026-10-25T00:10:00Z", "2026-10-25T00:30:00Z");
        wakes(&early, "2026-10-25T00:30:00Z", "2026-10-25T00:30:00Z");
        wakes(&early, "2026-10-25T01:10:00Z", "2026-10-25T01:10:00Z");
        // A beginning that comes twice is the first, too.
        let late = by("Europe/Vienna", (2, 30), (6, 0));
        wakes(&late, "2026-10-25T00:29:59Z", "2026-10-25T00:29:59Z");
        wakes(&late, "2026-10-25T00:30:00Z", "2026-10-25T05:00:00Z");
        wakes(&late, "2026-10-25T01:15:00Z", "2026-10-25T05:00:00Z");
    }

    #[test]
    fn midnight_itself_may_be_left_out_and_a_day_with_it() {
        // In Beirut the day began at 01:00 on 29 March 2026.
        let beirut = by("Asia/Beirut", (0, 0), (6, 0));
        wakes(&beirut, "2026-03-28T22:00:00Z", "2026-03-29T03:00:00Z");
        // In Apia there was no 30 December 2011.
        let apia = by("Pacific/Apia", (22, 0), (7, 0));
        wakes(&apia, "2011-12-30T09:00:00Z", "2011-12-30T17:00:00Z");
    }

    #[test]
    fn hours_that_there_can_be_are_told_from_others() {
        assert!(is_possible(&fixed(0, 1439, 840)) && is_possible(&by("Europe/Vienna", (22, 0), (7, 0))));
        assert!(!is_possible(&by("Europe/Nowhere", (22, 0), (7, 0))));
        let no_more = by("Europe/Nowhere", (22, 0), (7, 0));
        assert_eq!(awake(&no_more, at(23, 0)), at(31, 0), "by the offset, where the zone is gone");
        for bad in [fixed(60, 60, 0), fixed(1440, 0, 0), fixed(0, 1440, 0), fixed(0, 60, 841)] {
            assert!(!is_possible(&bad), "{bad:?}");
        }
        for far in [i64::MIN, i64::MAX] {
            let now = Timestamp::from_millis(far);
            let waits = awake(&fixed(0, 1439, 0), now).as_millis() - now.as_millis();
            assert!((0..24 * 60 * MINUTE).contains(&waits), "{waits}");
        }
    }
}
