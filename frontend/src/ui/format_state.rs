//! Numbers and times as people read them.

/// A running clock: `0:12`, `1:12:03`.
pub fn clock(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// A length in words: `48 s`, `5 min`, `1 h 12 min`.
pub fn length(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// How long ago: `just now`, `5 minutes ago`, `3 days ago`.
pub fn ago(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..=59 => return "just now".to_owned(),
        60..=3599 => (seconds / 60, "minute"),
        3600..=86_399 => (seconds / 3600, "hour"),
        86_400..=2_591_999 => (seconds / 86_400, "day"),
        2_592_000..=31_535_999 => (seconds / 2_592_000, "month"),
        _ => (seconds / 31_536_000, "year"),
    };
    format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" })
}

/// A bitrate: `850 kbit/s`, `1.2 Mbit/s`.
pub fn bitrate(bits: u64) -> String {
    if bits < 999_500 {
        format!("{} kbit/s", (bits + 500) / 1000)
    } else {
        format!("{:.1} Mbit/s", bits as f64 / 1e6)
    }
}

/// A count: `7`, `1,234`, `12.3 K`, `1.2 M`.
pub fn count(number: u64) -> String {
    match number {
        0..=999 => number.to_string(),
        1000..=9999 => format!("{},{:03}", number / 1000, number % 1000),
        10_000..=999_949 => format!("{:.1} K", number as f64 / 1e3),
        _ => format!("{:.1} M", number as f64 / 1e6),
    }
}

/// A count to the last one: `7`, `12,345`.
pub fn exact(number: u64) -> String {
    if number < 1000 { number.to_string() } else { format!("{},{:03}", exact(number / 1000), number % 1000) }
}

/// A number with at most so many digits behind the point: `0.42`, `1.5`, `2`.
pub fn decimal(number: f64, digits: u32) -> String {
    let unit = 10_u64.pow(digits);
    // By whole numbers: the machinery that writes floating-point numbers is heavy.
    let all = (number.max(0.0) * unit as f64).round() as u64;
    let (whole, rest) = (all / unit, all % unit);
    let text = format!("{}.{rest:0digits$}", exact(whole), digits = digits as usize);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `1 viewer`, `2 viewers`.
pub fn viewers(number: u32) -> String {
    format!("{} viewer{}", count(number.into()), if number == 1 { "" } else { "s" })
}

/// A share of one as a percentage: `0 %`, `0.4 %`, `12 %`.
pub fn percent(part: f64) -> String {
    let percent = part.clamp(0.0, 1.0) * 100.0;
    if percent > 0.0 && percent < 9.95 { format!("{percent:.1} %") } else { format!("{percent:.0} %") }
}

/// A clause as a sentence: capital letter, full stop.
pub fn sentence(clause: &str) -> String {
    let mut letters = clause.chars();
    // Weir's own sentences start with ASCII; the tables for all scripts would cost every page some kilobytes.
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    let text: String = first.into_iter().chain(letters).collect();
    if text.ends_with(['.', '!', '?', '…']) { text } else { text + "." }
}

/// Names of which each is there once: what is there again is counted, `Firefox`, `Firefox (2)`.
pub fn told_apart(mut names: Vec<String>) -> Vec<String> {
    for at in (1..names.len()).rev() {
        let before = names[..at].iter().filter(|name| **name == names[at]).count();
        if before > 0 {
            names[at] += &format!(" ({})", before + 1);
        }
    }
    names
}

/// Up to two letters that stand for a name, in any script. Styles make them capitals.
pub fn monogram(name: &str) -> String {
    let mut words =
        name.split(|c: char| c.is_whitespace() || c == '-' || c == '_').filter(|word| !word.is_empty());
    let first = words.next().and_then(|word| word.chars().next());
    let last = words.next_back().and_then(|word| word.chars().next());
    first.into_iter().chain(last).collect()
}

/// A hue in degrees that always is the same for a name.
pub fn hue(name: &str) -> u32 {
    // FNV-1a: short names that differ in one letter come out far apart.
    let hash =
        name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash >> 8) % 360
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_people_say_them() {
        assert_eq!([clock(0), clock(12), clock(4323)], ["0:00", "0:12", "1:12:03"]);
        assert_eq!(
            [length(48), length(300), length(4320), length(7200)],
            ["48 s", "5 min", "1 h 12 min", "2 h"]
        );
        assert_eq!(ago(5), "just now");
        assert_eq!(ago(60), "1 minute ago");
        assert_eq!(ago(3 * 86_400 + 5), "3 days ago");
        assert_eq!(ago(400 * 86_400), "1 year ago");
    }

    #[test]
    fn numbers_keep_to_a_few_digits() {
        assert_eq!(
            [bitrate(0), bitrate(850_400), bitrate(999_600)],
            ["0 kbit/s", "850 kbit/s", "1.0 Mbit/s"]
        );
        assert_eq!(
            [count(7), count(1234), count(12_345), count(1_200_000)],
            ["7", "1,234", "12.3 K", "1.2 M"]
        );
        assert_eq!([exact(0), exact(999), exact(1000), exact(1_020_003)], ["0", "999", "1,000", "1,020,003"]);
        assert_eq!([viewers(0), viewers(1)], ["0 viewers", "1 viewer"]);
        assert_eq!(
            [percent(0.0), percent(0.004), percent(0.12), percent(7.0)],
            ["0 %", "0.4 %", "12 %", "100 %"]
        );
    }

    #[test]
    fn decimals_end_where_they_say_something() {
        let texts =
            [(0.42, 2), (1.5, 2), (2.0, 2), (0.004, 2), (1.996, 2), (12.34, 1), (1234.0, 0), (-3.0, 1)];
        let texts = texts.map(|(number, digits)| decimal(number, digits));
        assert_eq!(texts, ["0.42", "1.5", "2", "0", "2", "12.3", "1,234", "0"]);
        assert_eq!([decimal(10.0, 0), decimal(100.0, 2), decimal(f64::NAN, 1)], ["10", "100", "0"]);
    }

    #[test]
    fn a_clause_becomes_a_sentence() {
        assert_eq!(sentence("a title can't be empty"), "A title can't be empty.");
        assert_eq!(sentence("Waiting …"), "Waiting …");
    }

    #[test]
    fn the_same_name_is_told_apart_by_a_count() {
        let names = ["Firefox", "Chrome", "Firefox", "Firefox"].map(str::to_owned).to_vec();
        assert_eq!(told_apart(names), ["Firefox", "Chrome", "Firefox (2)", "Firefox (3)"]);
        assert!(told_apart(Vec::new()).is_empty());
    }

    #[test]
    fn a_monogram_takes_first_and_last_word_of_any_script() {
        assert_eq!(monogram("Ada Byron King"), "AK");
        assert_eq!(monogram("ada"), "a");
        assert_eq!(monogram("жанна-арк"), "жа");
        assert_eq!(monogram("  "), "");
        assert!(hue("ada") < 360 && hue("ada") != hue("adb"));
    }
}
