//! When what is planned is next. Pure: clocks are changed twice a year in many places, and the time is an argument.
//!
//! What is planned for an hour that the clocks leave out begins as much later; what is planned for one that comes twice begins
//! at the first.

use jiff::{
    Span, Timestamp as Instant,
    civil::{Date, Weekday as Day},
    tz::TimeZone,
};
use shared::{
    schedule::{Airing, LocalDate, On, ScheduleEntry, SetSchedule, TimeZoneName, Weekday},
    unit::Timestamp,
};

/// A time zone by its name, written as the database writes it; `None` if there is none.
pub fn zone(name: &TimeZoneName) -> Option<(TimeZoneName, TimeZone)> {
    let zone = TimeZone::get(name.as_str()).ok()?;
    let name = zone.iana_name()?.parse().ok()?;
    Some((name, zone))
}

fn day(weekday: Weekday) -> Day {
    match weekday {
        Weekday::Monday => Day::Monday,
        Weekday::Tuesday => Day::Tuesday,
        Weekday::Wednesday => Day::Wednesday,
        Weekday::Thursday => Day::Thursday,
        Weekday::Friday => Day::Friday,
        Weekday::Saturday => Day::Saturday,
        Weekday::Sunday => Day::Sunday,
    }
}

fn date(date: LocalDate) -> Option<Date> {
    Date::new(i16::try_from(date.year()).ok()?, date.month() as i8, date.day() as i8).ok()
}

/// When an entry that is on a day begins and ends.
fn on_day(entry: &ScheduleEntry, day: Date, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
    let clock = day.at(entry.time.hour() as i8, entry.time.minute() as i8, 0, 0);
    let begins = zone.to_ambiguous_timestamp(clock).compatible().ok()?.as_millisecond();
    let ends = begins + i64::from(entry.minutes.get()) * 60_000;
    Some((Timestamp::from_millis(begins), Timestamp::from_millis(ends)))
}

/// The first time of an entry that isn't over.
fn next_of(entry: &ScheduleEntry, zone: &TimeZone, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
    match entry.on {
        On::Date(on) => on_day(entry, date(on)?, zone).filter(|(_, ends)| *ends > now),
        On::Weekday(weekday) => {
            let today = zone.to_datetime(Instant::from_millisecond(now.as_millis()).ok()?).date();
            // One that takes a day, and began late, began the day before yesterday at the earliest; and a place may leave out a
            // whole day, as Samoa did.
            (-2..=15).find_map(|days| {
                let at = today.checked_add(Span::new().days(days)).ok()?;
                let is_it = at.weekday() == day(weekday);
                is_it.then(|| on_day(entry, at, zone)).flatten().filter(|(_, ends)| *ends > now)
            })
        }
    }
}

/// The next time of each entry that has one, soonest first; what should be on now is among them.
pub fn next(schedule: &SetSchedule, now: Timestamp) -> Vec<Airing> {
    let Some((_, zone)) = zone(&schedule.time_zone) else { return Vec::new() };
    let entries = (0..).zip(&schedule.entries);
    let mut next: Vec<Airing> = entries
        .filter_map(|(number, entry)| {
            let (starts_at, ends_at) = next_of(entry, &zone, now)?;
            let (title, category) = (entry.title.clone(), entry.category.clone());
            Some(Airing { entry: number, title, category, starts_at, ends_at })
        })
        .collect();
    next.sort_by_key(|airing| (airing.starts_at, airing.entry));
    next
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(text: &str) -> Timestamp {
        serde_json::from_value(json!(text)).unwrap()
    }

    fn said(at: Timestamp) -> String {
        serde_json::to_value(at).unwrap().as_str().unwrap().to_owned()
    }

    fn planned(zone: &str, on: serde_json::Value, time: &str, minutes: u16) -> SetSchedule {
        let entry = json!({ "title": "Talk", "on": on, "time": time, "minutes": minutes });
        serde_json::from_value(json!({ "timeZone": zone, "entries": [entry] })).unwrap()
    }

    /// When the only entry is next.
    fn first(schedule: &SetSchedule, now: &str) -> Option<(String, String)> {
        let next = next(schedule, at(now));
        next.first().map(|airing| (said(airing.starts_at), said(airing.ends_at)))
    }

    fn begins(schedule: &SetSchedule, now: &str) -> String {
        first(schedule, now).unwrap().0
    }

    fn friday() -> serde_json::Value {
        json!({ "weekday": "friday" })
    }

    #[test]
    fn each_week_at_the_same_time_by_the_clocks_there() {
        let vienna = planned("Europe/Vienna", friday(), "20:00", 120);
        // Clocks there go back on 25 October 2026 and forward on 28 March 2027.
        assert_eq!(begins(&vienna, "2026-10-22T00:00:00Z"), "2026-10-23T18:00:00Z");
        assert_eq!(begins(&vienna, "2026-10-24T00:00:00Z"), "2026-10-30T19:00:00Z");
        assert_eq!(begins(&vienna, "2027-03-25T00:00:00Z"), "2027-03-26T19:00:00Z");
        assert_eq!(begins(&vienna, "2027-03-27T00:00:00Z"), "2027-04-02T18:00:00Z");
        // And where it is still Thursday, or Saturday already.
        let auckland = planned("Pacific/Auckland", friday(), "08:00", 60);
        assert_eq!(begins(&auckland, "2026-06-10T00:00:00Z"), "2026-06-11T20:00:00Z");
        let honolulu = planned("Pacific/Honolulu", friday(), "20:00", 60);
        assert_eq!(begins(&honolulu, "2026-06-10T00:00:00Z"), "2026-06-13T06:00:00Z");
    }

    #[test]
    fn what_is_on_stays_until_it_is_over() {
        let vienna = planned("Europe/Vienna", friday(), "20:00", 120);
        for now in ["2026-06-12T17:59:59Z", "2026-06-12T18:00:00Z", "2026-06-12T19:59:59.999Z"] {
            assert_eq!(begins(&vienna, now), "2026-06-12T18:00:00Z", "{now}");
        }
        assert_eq!(begins(&vienna, "2026-06-12T20:00:00Z"), "2026-06-19T18:00:00Z");
        // Over midnight, and as long as may be.
        let long = planned("Europe/Vienna", friday(), "23:59", 1440);
        assert_eq!(begins(&long, "2026-06-13T21:58:59Z"), "2026-06-12T21:59:00Z");
        assert_eq!(begins(&long, "2026-06-13T21:59:00Z"), "2026-06-19T21:59:00Z");
    }

    #[test]
    fn an_hour_that_is_left_out_begins_later_and_one_that_comes_twice_the_first_time() {
        let sunday = json!({ "weekday": "sunday" });
        let vienna = planned("Europe/Vienna", sunday.clone(), "02:30", 60);
        // 02:30 isn't there on 28 March 2027: 03:30 summer time is as long after midnight.
        let gap = first(&vienna, "2027-03-27T00:00:00Z").unwrap();
        assert_eq!(gap, ("2027-03-28T01:30:00Z".to_owned(), "2027-03-28T02:30:00Z".to_owned()));
        assert_eq!(
            begins(&vienna, "2027-03-28T02:30:00Z"),
            "2027-04-04T00:30:00Z",
            "and on time a week later"
        );
        // 02:30 comes twice on 25 October 2026, in summer time first; an hour is an hour.
        let twice = first(&vienna, "2026-10-24T12:00:00Z").unwrap();
        assert_eq!(twice, ("2026-10-25T00:30:00Z".to_owned(), "2026-10-25T01:30:00Z".to_owned()));
        assert_eq!(begins(&vienna, "2026-10-25T01:30:00Z"), "2026-11-01T01:30:00Z", "not twice that day");
        // Half an hour, on the other side of the world.
        let howe = planned("Australia/Lord_Howe", sunday, "02:15", 30);
        assert_eq!(begins(&howe, "2026-10-03T00:00:00Z"), "2026-10-03T15:45:00Z");
    }

    #[test]
    fn a_single_date_is_once() {
        let leap = planned("America/New_York", json!({ "date": "2028-02-29" }), "20:00", 60);
        assert_eq!(begins(&leap, "2026-01-01T00:00:00Z"), "2028-03-01T01:00:00Z");
        assert_eq!(first(&leap, "2028-03-01T02:00:00Z"), None);
        let gap = planned("America/New_York", json!({ "date": "2027-03-14" }), "02:30", 60);
        assert_eq!(begins(&gap, "2027-01-01T00:00:00Z"), "2027-03-14T07:30:00Z");
        let last = planned("Pacific/Kiritimati", json!({ "date": "2999-12-31" }), "23:59", 1440);
        assert!(first(&last, "2026-01-01T00:00:00Z").is_some());
    }

    #[test]
    fn a_weekday_in_the_week_of_a_leap_day() {
        let tuesday = planned("UTC", json!({ "weekday": "tuesday" }), "12:00", 1);
        assert_eq!(begins(&tuesday, "2028-02-28T00:00:00Z"), "2028-02-29T12:00:00Z");
        assert_eq!(begins(&tuesday, "2028-02-29T12:01:00Z"), "2028-03-07T12:00:00Z");
    }

    #[test]
    fn every_hour_of_a_year_has_a_next_time_within_eight_days() {
        for zone in ["Europe/Vienna", "America/Santiago", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"] {
            let schedule = planned(zone, friday(), "02:30", 90);
            let mut before = Timestamp::from_millis(0);
            for hour in 0..366 * 24 {
                let now = Timestamp::from_millis(1_790_000_000_000 + hour * 3_600_000);
                let [airing] = &next(&schedule, now)[..] else { panic!("{zone}, hour {hour}") };
                assert!(airing.ends_at > now && airing.starts_at >= before, "{zone}, hour {hour}");
                assert!(airing.starts_at.since(now).as_secs() <= 8 * 86_400, "{zone}, hour {hour}");
                before = airing.starts_at;
            }
        }
    }

    #[test]
    fn the_soonest_comes_first_and_what_is_over_doesn_t() {
        let entry = |title: &str, on: serde_json::Value| json!({ "title": title, "on": on, "time": "10:00", "minutes": 30 });
        let schedule: SetSchedule = serde_json::from_value(json!({ "timeZone": "UTC", "entries": [
            entry("late", json!({ "weekday": "sunday" })),
            entry("past", json!({ "date": "2026-06-01" })),
            entry("soon", json!({ "weekday": "thursday" })),
        ] }))
        .unwrap();
        let next = next(&schedule, at("2026-06-10T00:00:00Z"));
        let titles: Vec<_> = next.iter().map(|airing| (airing.title.as_str(), airing.entry)).collect();
        assert_eq!(titles, [("soon", 2), ("late", 0)]);
    }

    #[test]
    fn zones_are_those_that_there_are() {
        let written = |name: &str| zone(&name.parse().unwrap()).map(|(name, _)| name.to_string());
        assert_eq!(written("europe/vienna").as_deref(), Some("Europe/Vienna"));
        assert_eq!(written("UTC").as_deref(), Some("UTC"));
        for bad in ["Europe/Atlantis", "CESTX", "posix/x", "+01"] {
            assert_eq!(written(bad), None, "{bad}");
        }
        assert!(
            next(&planned("Europe/Atlantis", friday(), "20:00", 60), at("2026-06-10T00:00:00Z")).is_empty()
        );
    }
}
