//! How people say when something is. Pure.

const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const HOUR: i64 = 60 * 60 * 1000;

/// A time by the viewer's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// 0 is Sunday.
    pub weekday: u32,
    /// 1 to 31.
    pub date: u32,
    /// 0 is January.
    pub month: u32,
    /// The time of day, as it is said.
    pub since_midnight: String,
}

/// When something is that is so many milliseconds away: `today 20:00`, `Friday 20:00`, `Friday 4 December, 20:00`.
pub fn words(at: &Day, now: &Day, away: i64) -> String {
    let time = &at.since_midnight;
    let weekday = WEEKDAYS[at.weekday as usize % 7];
    let is_same_date = (at.date, at.month) == (now.date, now.month);
    if is_same_date && away.abs() < 48 * HOUR {
        format!("today {time}")
    } else if away < 6 * 24 * HOUR {
        format!("{weekday} {time}")
    } else {
        format!("{weekday} {} {}, {time}", at.date, MONTHS[at.month as usize % 12])
    }
}

/// How long something takes: `2 h`, `1 h 30 min`, `45 min`.
pub fn length(minutes: u64) -> String {
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(weekday: u32, date: u32, month: u32) -> Day {
        Day { weekday, date, month, since_midnight: "20:00".to_owned() }
    }

    #[test]
    fn a_time_is_said_as_shortly_as_it_is_clear() {
        let now = day(4, 10, 11);
        assert_eq!(words(&day(4, 10, 11), &now, 3 * HOUR), "today 20:00");
        assert_eq!(words(&day(5, 11, 11), &now, 24 * HOUR), "Friday 20:00");
        assert_eq!(words(&day(3, 9, 11), &now, -20 * HOUR), "Wednesday 20:00");
        assert_eq!(words(&day(4, 17, 11), &now, 7 * 24 * HOUR), "Thursday 17 December, 20:00");
        assert_eq!(words(&day(5, 10, 11), &now, 365 * 24 * HOUR), "Friday 10 December, 20:00");
    }

    #[test]
    fn a_length_has_the_units_that_it_needs() {
        assert_eq!(
            [length(45), length(120), length(90), length(1440)],
            ["45 min", "2 h", "1 h 30 min", "24 h"]
        );
    }
}
