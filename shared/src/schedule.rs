//! When a channel plans to be live. Written in one place's time, told in UTC.

use crate::{
    text::{Category, ScheduleTitle},
    unit::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The most entries of a schedule.
pub const ENTRIES_MOST: usize = 20;

/// `PUT /api/v1/channels/{name}/schedule`: all that is planned, in the place of what was. Answered with [`Schedule`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetSchedule {
    /// Whose clocks the times are by.
    pub time_zone: TimeZoneName,
    /// Up to 20.
    pub entries: Vec<ScheduleEntry>,
}

/// Something that is planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScheduleEntry {
    /// What it is.
    pub title: ScheduleTitle,
    /// What is broadcast; may be empty.
    #[serde(default)]
    pub category: Category,
    /// On which days.
    pub on: On,
    /// When it begins, by the clocks there.
    pub time: LocalTime,
    /// How long it takes.
    pub minutes: PlannedMinutes,
}

/// On which days something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum On {
    /// Each week on this one.
    Weekday(Weekday),
    /// On this one alone.
    Date(LocalDate),
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "they say it themselves")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// `GET /api/v1/channels/{name}/schedule`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Schedule {
    /// Whose clocks the entries' times are by.
    pub time_zone: TimeZoneName,
    /// What is planned.
    pub entries: Vec<ScheduleEntry>,
    /// The next time of each entry that has one, soonest first. What should be on now is among them.
    pub next: Vec<Airing>,
    /// The server's clock.
    pub server_time: Timestamp,
}

/// One time that something is planned for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Airing {
    /// Which entry it is of, counted from 0.
    pub entry: u32,
    /// What it is.
    pub title: ScheduleTitle,
    /// What is broadcast; may be empty.
    pub category: Category,
    /// When it begins.
    pub starts_at: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
}

/// The text is not what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// No time of day.
    #[error("a time of day is like 20:00")]
    Time,
    /// No date.
    #[error("a date is like 2028-02-29, and one that there is")]
    Date,
    /// Too short or too long.
    #[error("what is planned takes 1 minute to 24 hours")]
    Minutes,
    /// No name of a time zone.
    #[error("a time zone is like Europe/Vienna")]
    TimeZone,
}

macro_rules! as_text {
    ($name:ident, $what:literal, $pattern:literal) => {
        impl TryFrom<String> for $name {
            type Error = ScheduleError;

            fn try_from(text: String) -> Result<Self, ScheduleError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.to_string()
            }
        }

        #[cfg(feature = "openapi")]
        crate::openapi::schema!($name, { crate::openapi::text($what).pattern(Some($pattern)).build() });
    };
}

/// A time of day, `20:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LocalTime {
    hour: u8,
    minute: u8,
}

impl LocalTime {
    /// 0 to 23.
    pub fn hour(self) -> u8 {
        self.hour
    }

    /// 0 to 59.
    pub fn minute(self) -> u8 {
        self.minute
    }
}

/// A number of exactly so many digits.
fn digits<T: FromStr>(text: &str, count: usize) -> Option<T> {
    let fits = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}

impl FromStr for LocalTime {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let (hour, minute) = text.split_once(':').ok_or(ScheduleError::Time)?;
        let hour = digits(hour, 2).filter(|hour| *hour < 24).ok_or(ScheduleError::Time)?;
        let minute = digits(minute, 2).filter(|minute| *minute < 60).ok_or(ScheduleError::Time)?;
        Ok(Self { hour, minute })
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour, self.minute)
    }
}

as_text!(LocalTime, "A time of day, like 20:00", "^([01][0-9]|2[0-3]):[0-5][0-9]$");

/// A day of the calendar that there is, `2028-02-29`, from 2000 to 2999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LocalDate {
    year: u16,
    month: u8,
    day: u8,
}

impl LocalDate {
    /// 2000 to 2999.
    pub fn year(self) -> u16 {
        self.year
    }

    /// 1 to 12.
    pub fn month(self) -> u8 {
        self.month
    }

    /// 1 to 31.
    pub fn day(self) -> u8 {
        self.day
    }
}

fn days_in(year: u16, month: u8) -> u8 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl FromStr for LocalDate {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let parts: Vec<&str> = text.split('-').collect();
        let [year, month, day] = parts[..] else { return Err(ScheduleError::Date) };
        let year: u16 = digits(year, 4).ok_or(ScheduleError::Date)?;
        let month: u8 = digits(month, 2).ok_or(ScheduleError::Date)?;
        let day: u8 = digits(day, 2).ok_or(ScheduleError::Date)?;
        let is_there = (2000..3000).contains(&year)
            && (1..=12).contains(&month)
            && (1..=days_in(year, month)).contains(&day);
        if is_there { Ok(Self { year, month, day }) } else { Err(ScheduleError::Date) }
    }
}

impl fmt::Display for LocalDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

as_text!(LocalDate, "A day of the calendar, like 2028-02-29", "^2[0-9]{3}-[0-9]{2}-[0-9]{2}$");

/// How long something is planned to take: 1 minute to 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct PlannedMinutes(u16);

impl PlannedMinutes {
    /// The most.
    pub const MOST: u16 = 24 * 60;

    /// As a number.
    pub fn get(self) -> u16 {
        self.0
    }
}

impl TryFrom<u16> for PlannedMinutes {
    type Error = ScheduleError;

    fn try_from(minutes: u16) -> Result<Self, ScheduleError> {
        if (1..=Self::MOST).contains(&minutes) { Ok(Self(minutes)) } else { Err(ScheduleError::Minutes) }
    }
}

impl From<PlannedMinutes> for u16 {
    fn from(minutes: PlannedMinutes) -> u16 {
        minutes.0
    }
}

#[cfg(feature = "openapi")]
crate::openapi::schema!(PlannedMinutes, {
    utoipa::openapi::ObjectBuilder::new()
        .schema_type(utoipa::openapi::schema::Type::Integer)
        .description(Some("How long it takes, in minutes"))
        .minimum(Some(1))
        .maximum(Some(PlannedMinutes::MOST))
        .build()
});

/// A time zone as the IANA database calls it. Whether there is one of this name, the server knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeZoneName(Box<str>);

impl TimeZoneName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for TimeZoneName {
    fn default() -> Self {
        Self("UTC".into())
    }
}

impl FromStr for TimeZoneName {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let text = text.trim();
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"_+-/".contains(&byte);
        let fits = (1..=64).contains(&text.len()) && text.bytes().all(letter);
        if fits { Ok(Self(text.into())) } else { Err(ScheduleError::TimeZone) }
    }
}

impl fmt::Display for TimeZoneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

as_text!(
    TimeZoneName,
    "A time zone as the IANA database calls it, like Europe/Vienna",
    "^[A-Za-z0-9_+/-]{1,64}$"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_has_four_digits() {
        for good in ["00:00", "20:05", "23:59"] {
            assert_eq!(good.parse::<LocalTime>().unwrap().to_string(), good);
        }
        for bad in ["", "24:00", "20:60", "8:00", "+8:00", "20:00:00", "20", "２０:00"] {
            assert_eq!(bad.parse::<LocalTime>(), Err(ScheduleError::Time), "{bad}");
        }
    }

    #[test]
    fn a_date_is_one_that_there_is() {
        for good in ["2028-02-29", "2000-02-29", "2027-02-28", "2999-12-31"] {
            assert_eq!(good.parse::<LocalDate>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "2027-02-29",
            "2100-02-29",
            "2027-04-31",
            "2027-13-01",
            "2027-00-01",
            "2027-01-00",
            "1999-12-31",
            "27-01-01",
            "2027-1-1",
            "2027-01-01T00:00",
            "-2027-01-01",
        ] {
            assert_eq!(bad.parse::<LocalDate>(), Err(ScheduleError::Date), "{bad}");
        }
    }

    #[test]
    fn an_entry_reads_as_it_is_written() {
        let weekly =
            r#"{"title":"Talk","category":"","on":{"weekday":"friday"},"time":"20:00","minutes":120}"#;
        let once = r#"{"title":"Eve","on":{"date":"2028-02-29"},"time":"09:30","minutes":1}"#;
        let read: ScheduleEntry = serde_json::from_str(weekly).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), weekly);
        assert!(matches!(serde_json::from_str::<ScheduleEntry>(once).unwrap().on, On::Date(_)));
        for bad in [
            r#"{"title":"","on":{"weekday":"friday"},"time":"20:00","minutes":120}"#,
            r#"{"title":"x","on":{"weekday":"someday"},"time":"20:00","minutes":120}"#,
            r#"{"title":"x","on":{"weekday":"friday"},"time":"20:00","minutes":0}"#,
            r#"{"title":"x","on":{"weekday":"friday"},"time":"20:00","minutes":1441}"#,
            r#"{"title":"x","on":{},"time":"20:00","minutes":1}"#,
            r#"{"title":"x","on":{"weekday":"friday","date":"2028-02-29"},"time":"20:00","minutes":1}"#,
        ] {
            assert!(serde_json::from_str::<ScheduleEntry>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_time_zone_s_name_is_no_path() {
        for good in ["UTC", "Europe/Vienna", "America/Argentina/Buenos_Aires", "Etc/GMT+5"] {
            assert!(good.parse::<TimeZoneName>().is_ok(), "{good}");
        }
        for bad in ["", "../etc/passwd", "Europe Vienna", "Europe\\Vienna", &"a".repeat(65)] {
            assert_eq!(bad.parse::<TimeZoneName>(), Err(ScheduleError::TimeZone), "{bad}");
        }
    }
}
