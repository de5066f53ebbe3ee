//! What happened on a channel, in lines that people read. Many who follow at once are one line.

use crate::ui::format_state::length;
use serde_json::Value;
use shared::unit::Timestamp;

/// Those who follow within so many milliseconds of the last are one crowd.
const CROWD_WITHIN: i64 = 10 * 60 * 1000;
/// From so many on.
const CROWD_LEAST: usize = 3;

/// Somebody with an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Someone {
    /// Their stable id.
    pub id: String,
    /// What others see.
    pub name: String,
}

/// One line: whose deed it is, if it is anybody's, and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Of the newest entry in it.
    pub id: String,
    /// What it tells of, in the server's words.
    pub kind: String,
    /// When, in milliseconds; of a crowd the last one.
    pub at: i64,
    /// Whose deed it is. Several are a crowd, the last one first.
    pub people: Vec<Someone>,
    /// What it is: after the name, where there is one.
    pub words: String,
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

fn counted(number: u64, one: &str, several: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {several}") }
}

fn time(months: u64) -> String {
    match (months / 12, months % 12) {
        (1, 0) => "a year".to_owned(),
        (years, 0) if years > 0 => format!("{years} years"),
        _ => counted(months, "month", "months"),
    }
}

/// Names that people chose stand apart from the sentence, whichever way they are written.
fn apart(name: &str) -> String {
    format!("\u{2068}{name}\u{2069}")
}

fn words(entry: &Value) -> String {
    let viewers = counted(entry["viewers"].as_u64().unwrap_or_default(), "viewer", "viewers");
    match text(entry, "kind") {
        "follow" => "follows".to_owned(),
        "subscription" => {
            let tier = match text(entry, "tier") {
                "three" => 3,
                "two" => 2,
                _ => 1,
            };
            let days = counted(entry["days"].as_u64().unwrap_or_default(), "day", "days");
            let got = format!("tier {tier} for {days}");
            match (text(entry, "by"), entry["new"] == true) {
                ("granted", _) => format!("was given {got}"),
                ("code", true) => format!("subscribed with a gift code: {got}"),
                ("code", false) => format!("subscribed for longer with a gift code: {got}"),
                (_, true) => format!("subscribed: {got}"),
                (_, false) => format!("subscribed for longer: {got}"),
            }
        }
        "milestone" => {
            format!("has subscribed for {}", time(entry["months"].as_u64().unwrap_or_default()))
        }
        "raidIn" => format!("{} came with {viewers}", apart(text(entry, "name"))),
        "raidOut" => format!("Raided {} with {viewers}", apart(text(entry, "name"))),
        "streamStarted" if text(entry, "title").is_empty() => "The broadcast began".to_owned(),
        "streamStarted" => format!("The broadcast began: {}", apart(text(entry, "title"))),
        "streamEnded" => {
            format!("The broadcast ended after {}", length(entry["duration"].as_u64().unwrap_or_default()))
        }
        // A newer server tells what this page has no words for.
        other => other.to_owned(),
    }
}

fn line(entry: &Value) -> Line {
    let at = serde_json::from_value::<Timestamp>(entry["at"].clone()).map_or(0, Timestamp::as_millis);
    let person = &entry["person"];
    let known = person.is_object();
    let someone = || Someone { id: text(person, "id").to_owned(), name: text(person, "name").to_owned() };
    Line {
        id: text(entry, "id").to_owned(),
        kind: text(entry, "kind").to_owned(),
        at,
        people: known.then(someone).into_iter().collect(),
        words: words(entry),
    }
}

/// The lines of entries, which come newest first.
pub fn lines(entries: &[Value]) -> Vec<Line> {
    let single: Vec<Line> = entries.iter().map(line).collect();
    let mut lines: Vec<Line> = Vec::new();
    let mut rest = single.as_slice();
    while let Some(first) = rest.first() {
        let joins = |one: &&Line| one.kind == "follow" && (first.at - one.at).abs() <= CROWD_WITHIN;
        let crowd = if first.kind == "follow" { rest.iter().take_while(joins).count() } else { 1 };
        if crowd < CROWD_LEAST {
            lines.push(first.clone());
            rest = &rest[1..];
            continue;
        }
        let people: Vec<Someone> = rest[..crowd].iter().flat_map(|one| one.people.clone()).collect();
        lines.push(Line { words: format!("{crowd} people followed"), people, ..first.clone() });
        rest = &rest[crowd..];
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn follow(id: &str, seconds: i64) -> Value {
        let at = Timestamp::from_millis(seconds * 1000);
        let person = json!({ "id": id, "account": id, "name": format!("The {id}") });
        json!({ "id": format!("e-{id}"), "at": at, "kind": "follow", "person": person })
    }

    #[test]
    fn many_who_follow_at_once_are_one_line_and_the_others_stay_apart() {
        let started = json!({ "id": "s", "at": Timestamp::from_millis(0), "kind": "streamStarted", "streamId": "b",
            "title": "Evening" });
        let entries = [
            follow("f", 5000),
            follow("e", 2000),
            follow("d", 1900),
            follow("c", 1600),
            started,
            follow("b", 0),
        ];
        let lines = lines(&entries);
        let told: Vec<(&str, usize, &str)> =
            lines.iter().map(|line| (line.id.as_str(), line.people.len(), line.words.as_str())).collect();
        let expected = [
            ("e-f", 1, "follows"),
            ("e-e", 3, "3 people followed"),
            ("s", 0, "The broadcast began: \u{2068}Evening\u{2069}"),
            ("e-b", 1, "follows"),
        ];
        assert_eq!(told, expected);
        assert_eq!(lines[1].people[0], Someone { id: "e".to_owned(), name: "The e".to_owned() });
        assert_eq!(lines[1].at, 2_000_000);
        let two = super::lines(&[follow("b", 10), follow("a", 5)]);
        assert_eq!(two.len(), 2, "two are no crowd");
        assert!(super::lines(&[]).is_empty());
    }

    #[test]
    fn a_crowd_reaches_back_ten_minutes_from_its_last() {
        let entries: Vec<Value> = (0..10).map(|n| follow(&format!("p{n}"), 3000 - n * 240)).collect();
        let counts: Vec<usize> = lines(&entries).iter().map(|line| line.people.len()).collect();
        assert_eq!(counts, [3, 3, 3, 1]);
    }

    #[test]
    fn each_kind_is_told_in_a_sentence() {
        let said = |entry: Value| lines(&[entry])[0].words.clone();
        let subscription = |by: &str, new: bool, days: u64| {
            said(json!({ "kind": "subscription", "tier": "two", "days": days, "by": by, "new": new }))
        };
        assert_eq!(subscription("granted", true, 1), "was given tier 2 for 1 day");
        assert_eq!(
            subscription("code", false, 30),
            "subscribed for longer with a gift code: tier 2 for 30 days"
        );
        assert_eq!(subscription("billing", true, 30), "subscribed: tier 2 for 30 days");
        for (months, words) in [(3, "3 months"), (12, "a year"), (36, "3 years")] {
            let milestone = said(json!({ "kind": "milestone", "months": months }));
            assert_eq!(milestone, format!("has subscribed for {words}"));
        }
        let raid =
            |kind: &str, viewers: u64| said(json!({ "kind": kind, "name": "Ben", "viewers": viewers }));
        assert_eq!(raid("raidIn", 1), "\u{2068}Ben\u{2069} came with 1 viewer");
        assert_eq!(raid("raidOut", 7), "Raided \u{2068}Ben\u{2069} with 7 viewers");
        assert_eq!(
            said(json!({ "kind": "streamEnded", "duration": 4320 })),
            "The broadcast ended after 1 h 12 min"
        );
        assert_eq!(said(json!({ "kind": "streamStarted", "title": "" })), "The broadcast began");
        assert_eq!(said(json!({ "kind": "somethingNew" })), "somethingNew");
        assert_eq!(said(json!(null)), "");
    }
}
