//! How names, links and times of a chat are written. Letters in, letters out.

use shared::chat::{ChatSettings, NameColour};

/// How many colours names have: `--name-0` and on in the tokens.
pub const COLOURS: u32 = 12;

/// The colour that always is the same for a person.
pub fn colour(person: &str) -> u32 {
    // FNV-1a, folded, as ids that were made one after the other differ in their last letters alone.
    let hash =
        person.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash ^ (hash >> 15)) % COLOURS
}

/// The number of the colour of somebody's name: the one that they chose, or else their own.
pub fn name_colour(chosen: Option<NameColour>, person: &str) -> u32 {
    chosen.map_or_else(|| colour(person), |chosen| chosen as u32)
}

/// Whether a link may be followed: the server says so too, but what is clicked is decided here.
pub fn is_web(url: &str) -> bool {
    let start = url.get(..8).or(url.get(..7)).unwrap_or_default().to_ascii_lowercase();
    start.starts_with("http://") || start.starts_with("https://")
}

/// Host and port of an address of the web: what is between the scheme and the path, without a name before an `@`.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let place = &rest[..end];
    place.rsplit_once('@').map_or(place, |(_, host)| host)
}

/// Where a link leads, if its text doesn't say so itself.
pub fn elsewhere<'a>(text: &str, url: &'a str) -> Option<&'a str> {
    let leads = host(url);
    let rest = text.trim().split_once("://").map_or(text.trim(), |(_, rest)| rest);
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    // With whatever stands before an `@`: a name that looks like a host is what this is about.
    (!rest[..end].eq_ignore_ascii_case(leads)).then_some(leads)
}

/// An emote's name, as it is said: without its colons.
pub fn said(code: &str) -> &str {
    code.trim_matches(':')
}

/// A picture is of this server alone.
pub fn is_own(url: &str) -> bool {
    url.starts_with('/') && !url.starts_with("//") && !url.contains('\\')
}

/// The address of the same picture as it stands still, of one that moves.
pub fn still(url: &str) -> Option<String> {
    url.contains(".moving.").then(|| url.replace(".moving.", "."))
}

/// A time that runs down: `7 s`, `4 min 10 s`, `2 h 5 min`, `3 days`.
pub fn countdown(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes, seconds % 60) {
        (0, 0, 0, seconds) => format!("{seconds} s"),
        (0, 0, minutes, 0) => format!("{minutes} min"),
        (0, 0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (0, hours, 0, _) => format!("{hours} h"),
        (0, hours, minutes, _) => format!("{hours} h {minutes} min"),
        (1, 0, ..) => "1 day".to_owned(),
        (days, 0, ..) => format!("{days} days"),
        (days, hours, ..) => format!("{days} d {hours} h"),
    }
}

/// The modes of a room that are on, in a few words each.
pub fn modes(rules: &ChatSettings) -> String {
    let least = |unit: u32, count: u32| countdown(u64::from(unit) * u64::from(count));
    let mut modes = Vec::new();
    if rules.slow_seconds > 0 {
        modes.push(format!("Slow: {}", least(1, rules.slow_seconds)));
    }
    if rules.followers {
        modes.push(match rules.followers_minutes {
            0 => "Followers only".to_owned(),
            minutes => format!("Followers of {} only", least(60, minutes)),
        });
    }
    let others = [
        (rules.subscribers, "Subscribers only"),
        (rules.emote_only, "Emotes only"),
        (rules.unique, "No repeats"),
    ];
    modes.extend(others.iter().filter(|(is, _)| *is).map(|(_, words)| (*words).to_owned()));
    modes.join(" · ")
}

/// `1 new message`, `2 new messages`.
pub fn new_messages(count: usize) -> String {
    match count {
        0 => "Go to the newest".to_owned(),
        1 => "1 new message".to_owned(),
        count if count > 999 => "More than 999 new messages".to_owned(),
        count => format!("{count} new messages"),
    }
}

/// That a ban or a time-out was lifted; whether the other one still keeps this person from writing.
pub fn lifted(what: &str, is_barred: bool) -> String {
    let then = if is_barred { "" } else { " You can write again." };
    format!("Your {what} was lifted.{then}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_says_where_it_leads_needs_no_more_words() {
        for (text, url) in [
            ("https://example.org/a", "https://example.org/a"),
            ("example.org", "https://example.org/"),
            ("HTTP://Example.ORG", "http://example.org/"),
            ("http://localhost:8080/x", "http://localhost:8080/x"),
        ] {
            assert_eq!(elsewhere(text, url), None, "{text}");
        }
    }

    #[test]
    fn a_link_that_pretends_is_told_apart() {
        for (text, url, leads) in [
            ("https://bank.example@evil.example/", "https://bank.example@evil.example/", "evil.example"),
            ("https://\u{430}pple.example", "https://xn--pple-43d.example/", "xn--pple-43d.example"),
            ("bank.example", "https://evil.example/bank.example", "evil.example"),
            ("https://bank.example\\@evil.example", "https://evil.example/", "evil.example"),
            ("here", "https://evil.example", "evil.example"),
            ("https://evil.example.bank.example.evil/", "https://evil/", "evil"),
            ("", "https://evil.example", "evil.example"),
        ] {
            assert_eq!(elsewhere(text, url), Some(leads), "{text}");
        }
    }

    #[test]
    fn only_the_web_is_linked_to_and_only_own_pictures_are_shown() {
        for good in ["http://a", "https://a", "HTTPS://a", "HTTP://é"] {
            assert!(is_web(good), "{good}");
        }
        for bad in [
            "javascript:alert(1)//http://",
            "data:text/html,x",
            "//a",
            "http:/a",
            "",
            "é",
            "httpsé",
            " http://a",
        ] {
            assert!(!is_web(bad), "{bad}");
        }
        assert!(is_own("/assets/wave.svg"));
        for bad in ["//evil.example/x", "https://evil.example/x", "data:x", "", "/\\evil.example"] {
            assert!(!is_own(bad), "{bad}");
        }
    }

    #[test]
    fn what_moves_has_an_address_where_it_stands_still() {
        assert_eq!(still("/emotes/0a.moving.png").as_deref(), Some("/emotes/0a.png"));
        assert_eq!(still("/emotes/wave.svg?v=1"), None);
    }

    #[test]
    fn a_person_keeps_a_colour_and_people_spread_over_all() {
        assert_eq!(colour("guest-1"), colour("guest-1"));
        let mut seen = [0; COLOURS as usize];
        for i in 0..1200 {
            seen[colour(&format!("guest-{i}")) as usize] += 1;
        }
        assert!(seen.iter().all(|&count| (50..200).contains(&count)), "{seen:?}");
    }

    #[test]
    fn a_chosen_colour_is_one_of_the_tokens_and_takes_the_place_of_the_own_one() {
        assert_eq!(NameColour::ALL.len(), COLOURS as usize);
        assert_eq!(name_colour(None, "guest-1"), colour("guest-1"));
        for (number, chosen) in NameColour::ALL.iter().enumerate() {
            assert_eq!(name_colour(Some(*chosen), "guest-1") as usize, number);
        }
    }

    #[test]
    fn a_countdown_reads_as_people_say_it() {
        let words = [0, 7, 60, 250, 3600, 7500, 86_400, 259_200, 97_200].map(countdown);
        assert_eq!(
            words,
            ["0 s", "7 s", "1 min", "4 min 10 s", "1 h", "2 h 5 min", "1 day", "3 days", "1 d 3 h"]
        );
        assert_eq!(new_messages(1), "1 new message");
        assert_eq!(new_messages(12), "12 new messages");
        assert_eq!(said(":wave:"), "wave");
    }

    #[test]
    fn modes_are_said_in_a_few_words_each() {
        let mut rules = ChatSettings { slow_seconds: 30, ..ChatSettings::default() };
        assert_eq!(modes(&rules), "Slow: 30 s");
        (rules.followers, rules.unique) = (true, true);
        assert_eq!(modes(&rules), "Slow: 30 s · Followers only · No repeats");
        rules.followers_minutes = 60;
        assert_eq!(modes(&rules), "Slow: 30 s · Followers of 1 h only · No repeats");
        assert_eq!(modes(&ChatSettings::default()), "");
    }

    /// Relative luminance and contrast, as WCAG 2 defines them.
    fn luminance(hex: &str) -> f64 {
        let part = |at: usize| {
            let value = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.03928 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(0) + 0.7152 * part(2) + 0.0722 * part(4)
    }

    fn contrast(one: &str, other: &str) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn every_name_can_be_read_on_every_ground_of_both_themes() {
        let tokens = include_str!("../../styles/tokens.css");
        // The dark one, the light one that was chosen, and the light one of the system.
        let themes: Vec<&str> = tokens.split(" color-scheme: ").skip(1).collect();
        assert_eq!(themes.len(), 3);
        let hex = |text: &str, name: &str| {
            let (_, rest) = text.split_once(&format!("--{name}: ")).unwrap();
            rest.split(['#', ')', ';', ','])
                .map(str::trim)
                .filter(|one| one.len() == 6)
                .take(2)
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        for (at, theme) in themes.into_iter().enumerate() {
            let token = |name: &str| hex(theme, name).remove(0);
            for ground in ["ground", "raised", "hover", "told"] {
                for number in 0..COLOURS {
                    let name = format!("name-{number}");
                    let pair = hex(tokens, &name);
                    let colour = if at == 0 { &pair[1] } else { &pair[0] };
                    let contrast = contrast(colour, &token(ground));
                    assert!(contrast >= 4.5, "{name} on {ground}: {contrast:.2}");
                }
                for text in ["text", "quiet"] {
                    assert!(contrast(&token(text), &token(ground)) >= 4.5, "{text} on {ground}");
                }
            }
        }
    }
}
