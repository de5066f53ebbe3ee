//! A broadcast's figures in words, and how they changed since the one before.

use crate::ui::format_state::{decimal, exact, percent};
use shared::{
    analytics::{BroadcastAnalytics, BroadcastSummary, Marker, MarkerKind, Spread},
    unit::Timestamp,
};

/// Where a figure went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// More.
    Up,
    /// Less.
    Down,
    /// The same, or nothing to compare with.
    Level,
}

impl Way {
    /// A sign that needs no colour.
    pub fn arrow(self) -> &'static str {
        match self {
            Self::Up => "▲",
            Self::Down => "▼",
            Self::Level => "",
        }
    }

    /// As a class.
    pub fn class(self) -> &'static str {
        match self {
            Self::Up => "figure-change way-up",
            Self::Down => "figure-change way-down",
            Self::Level => "figure-change",
        }
    }
}

/// One of the four numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// To find it in tests.
    pub id: &'static str,
    /// What it counts.
    pub name: &'static str,
    /// How much.
    pub value: String,
    /// Where it went since the broadcast before.
    pub way: Way,
    /// By how much.
    pub change: String,
}

/// A length of time with its seconds: `48 s`, `4 min 12 s`, `1 h 12 min`, `1,240 h`.
pub fn spell(seconds: f64) -> String {
    let all = seconds.max(0.0).round() as u64;
    let (hours, minutes, seconds) = (all / 3600, all / 60 % 60, all % 60);
    match (hours, minutes, seconds) {
        (0, 0, _) => format!("{seconds} s"),
        (0, _, 0) => format!("{minutes} min"),
        (0, ..) => format!("{minutes} min {seconds} s"),
        (100.., ..) | (_, 0, _) => format!("{} h", exact(hours)),
        _ => format!("{hours} h {minutes} min"),
    }
}

fn change(
    now: f64,
    before: Option<f64>,
    live: bool,
    write: fn(f64) -> String,
    more: [&str; 2],
) -> (Way, String) {
    let Some(before) = before else { return (Way::Level, "First broadcast".to_owned()) };
    let (now, before) = (now.round(), before.round());
    let (way, word) = match now - before {
        by if by > 0.0 => (Way::Up, more[0]),
        by if by < 0.0 => (Way::Down, more[1]),
        _ => return (Way::Level, "The same as last time".to_owned()),
    };
    let by = (now - before).abs();
    // Against nothing or next to nothing, a percentage says nothing.
    let part = by / before;
    let part = if before > 0.0 && part <= 9.995 {
        // No line breaks inside.
        format!(" ({}{:.0}\u{a0}%)", if way == Way::Up { "+" } else { "−" }, part * 100.0)
    } else {
        String::new()
    };
    // More is more for good; less may still become more.
    let far = if live && way == Way::Down { " so far" } else { "" };
    (way, format!("{} {word} than last time{far}{part}", write(by)))
}

/// Peak, views, average watch time and hours watched, each with its change.
pub fn figures(now: &BroadcastSummary, before: Option<&BroadcastSummary>) -> [Figure; 4] {
    let live = now.end_time.is_none();
    let figure = |id, name, of: fn(&BroadcastSummary) -> f64, write: fn(f64) -> String, more| {
        let (way, change) = change(of(now), before.map(of), live, write, more);
        Figure { id, name, value: write(of(now)), way, change }
    };
    let count = |value: f64| exact(value as u64);
    [
        figure("peak", "Peak viewers", |one| f64::from(one.peak_viewers), count, ["more", "fewer"]),
        figure("views", "Views", |one| one.total_views as f64, count, ["more", "fewer"]),
        figure(
            "watch-time",
            "Average watch time",
            |one| one.average_watch_time,
            spell,
            ["longer", "shorter"],
        ),
        figure("hours", "Hours watched", |one| one.total_watch_time, spell, ["more", "less"]),
    ]
}

/// A marker's words, from when (seconds from the start), and until when if it lasted.
#[derive(Debug, Clone, PartialEq)]
pub struct Happening {
    /// Seconds from the broadcast's start.
    pub at: f64,
    /// Until when.
    pub until: Option<f64>,
    /// What.
    pub text: String,
}

/// What happened, in order. An interruption and its end are one.
pub fn happenings(start: Timestamp, markers: &[Marker]) -> Vec<Happening> {
    let at = |marker: &Marker| marker.at.since(start).as_millis() as f64 / 1000.0;
    let mut list: Vec<Happening> = Vec::with_capacity(markers.len());
    let mut waits: Option<usize> = None;
    for marker in markers {
        let now = at(marker);
        // The end of an interruption is the interruption's, whatever ended it.
        if matches!(marker.kind, MarkerKind::Resumed | MarkerKind::Ended)
            && let Some(open) = waits.take().and_then(|index| list.get_mut(index))
        {
            open.until = Some(now);
            open.text = format!("Interrupted for {}", spell(now - open.at));
            if marker.kind == MarkerKind::Resumed {
                continue;
            }
        }
        let text = match marker.kind {
            MarkerKind::Started => "Started".to_owned(),
            MarkerKind::Interrupted => "Interrupted: the picture stopped arriving".to_owned(),
            MarkerKind::Resumed => "The picture came back".to_owned(),
            MarkerKind::Title => format!("New title: “{}”", marker.text),
            MarkerKind::Ended => "Ended".to_owned(),
        };
        if marker.kind == MarkerKind::Interrupted {
            waits = Some(list.len());
        }
        list.push(Happening { at: now, until: None, text });
    }
    list
}

/// Milliseconds as seconds, on one line: `0.42 s`.
fn seconds(millis: f64) -> String {
    format!("{}\u{a0}s", decimal(millis / 1000.0, 2))
}

fn people(count: u64) -> String {
    if count == 1 { "1 person".to_owned() } else { format!("{} people", exact(count)) }
}

/// What stands beside viewers, chat, latency and freezes. `time` writes seconds since the start as a time of day.
pub fn notes(all: &BroadcastAnalytics, time: impl Fn(f64) -> String) -> [String; 4] {
    let summary = &all.summary;
    let peak = all.peak_at.map(|at| {
        let at = time(at.since(summary.start_time).as_secs_f64());
        format!("Peak {} at {at}", exact(summary.peak_viewers.into()))
    });
    let chat = format!("{} a minute, {} wrote", decimal(all.chat_rate, 1), people(all.chatters));
    let latency = all.quality.latency.map(|spread| format!("Median {}", seconds(spread.p50)));
    let freezes = format!("{} in all", exact(all.quality.freezes));
    [peak.unwrap_or_default(), chat, latency.unwrap_or_default(), freezes]
}

/// Id, name, value and what more there is to say.
pub type Fact = (&'static str, &'static str, String, String);

/// How well it played, in four facts.
pub fn facts(all: &BroadcastAnalytics) -> [Fact; 4] {
    let (join, join_note) = spread(all.quality.join_time);
    let (latency, latency_note) = spread(all.quality.latency);
    let (freezes, freezes_note) = freezes(all);
    let exits = match all.quality.exits_after_freeze {
        0 => "No view ended within 10 s of a freeze",
        _ => "views ended within 10 s of a freeze",
    };
    [
        ("join-time", "To the first picture", join, join_note),
        ("latency", "Behind the streamer", latency, latency_note),
        ("freezes", "Freezes", freezes, freezes_note),
        ("exits", "Left after a freeze", exact(all.quality.exits_after_freeze), exits.to_owned()),
    ]
}

/// A distribution in words.
fn spread(spread: Option<Spread>) -> (String, String) {
    match spread {
        Some(spread) => (seconds(spread.p50), format!("for half; 19 of 20 within {}", seconds(spread.p95))),
        None => ("–".to_owned(), "No player has said yet".to_owned()),
    }
}

/// Freezes in words.
fn freezes(all: &BroadcastAnalytics) -> (String, String) {
    let quality = &all.quality;
    let note = match quality.freezes {
        0 => "The picture never stood still".to_owned(),
        _ if quality.frozen_share < 0.0005 => {
            format!("{}, less than 0.1 % of the watched time", spell(quality.frozen_time))
        }
        _ => format!("{}, {} of the watched time", spell(quality.frozen_time), percent(quality.frozen_share)),
    };
    (exact(quality.freezes), note)
}

/// How long people stay, in a sentence.
pub fn staying(retention: &[f64]) -> String {
    match retention.iter().position(|part| *part < 0.5) {
        _ if retention.is_empty() => String::new(),
        Some(1) => "Half left within a minute".to_owned(),
        Some(minute) => format!("Half left within {minute} min"),
        None => {
            let last = retention.last().copied().unwrap_or_default();
            format!("{} stayed to the end of this chart", percent(last))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::merge_state::tests::broadcast, *};

    fn summary(peak: u32, views: u64, average: f64, total: f64) -> BroadcastSummary {
        BroadcastSummary {
            peak_viewers: peak,
            total_views: views,
            average_watch_time: average,
            total_watch_time: total,
            end_time: Some(Timestamp::from_millis(1)),
            ..broadcast(0, &[]).summary
        }
    }

    #[test]
    fn times_keep_their_two_largest_parts() {
        let texts = [0.4, 48.0, 252.0, 300.0, 4320.0, 7200.0, 4_464_000.0].map(spell);
        assert_eq!(texts, ["0 s", "48 s", "4 min 12 s", "5 min", "1 h 12 min", "2 h", "1,240 h"]);
        assert_eq!(spell(f64::NAN), "0 s");
    }

    #[test]
    fn each_number_says_how_it_changed_without_colour() {
        let before = summary(100, 300, 240.0, 72_000.0);
        let now = summary(140, 210, 252.4, 72_000.0);
        let [peak, views, watch, hours] = figures(&now, Some(&before));
        assert_eq!((peak.value.as_str(), peak.way), ("140", Way::Up));
        assert_eq!(peak.change, "40 more than last time (+40 %)");
        assert_eq!((views.change.as_str(), views.way), ("90 fewer than last time (−30 %)", Way::Down));
        assert_eq!(
            (watch.value.as_str(), watch.change.as_str()),
            ("4 min 12 s", "12 s longer than last time (+5 %)")
        );
        assert_eq!((hours.value.as_str(), hours.change.as_str()), ("20 h", "The same as last time"));
    }

    #[test]
    fn the_first_broadcast_has_nothing_to_compare_with() {
        for figure in figures(&summary(1, 2, 3.0, 4.0), None) {
            assert_eq!((figure.way, figure.change.as_str()), (Way::Level, "First broadcast"));
        }
    }

    #[test]
    fn while_it_is_live_numbers_are_so_far() {
        let now = BroadcastSummary { end_time: None, ..summary(5, 2, 3.0, 4.0) };
        assert_eq!(figures(&now, Some(&summary(0, 9, 3.0, 4.0)))[0].change, "5 more than last time");
        assert_eq!(
            figures(&now, Some(&summary(10, 9, 3.0, 4.0)))[0].change,
            "5 fewer than last time so far (−50 %)"
        );
    }

    #[test]
    fn an_interruption_and_its_end_are_one_happening() {
        let start = 1_795_202_105_000;
        let marker = |seconds: i64, kind, text: &str| Marker {
            at: Timestamp::from_millis(start + seconds * 1000),
            kind,
            text: text.to_owned(),
        };
        let markers = [
            marker(0, MarkerKind::Started, ""),
            marker(60, MarkerKind::Interrupted, ""),
            marker(72, MarkerKind::Resumed, ""),
            marker(90, MarkerKind::Title, "Part 2"),
            marker(100, MarkerKind::Interrupted, ""),
            marker(160, MarkerKind::Ended, ""),
        ];
        let list = happenings(Timestamp::from_millis(start), &markers);
        let short: Vec<_> = list.iter().map(|one| (one.at, one.until, one.text.as_str())).collect();
        assert_eq!(
            short,
            [
                (0.0, None, "Started"),
                (60.0, Some(72.0), "Interrupted for 12 s"),
                (90.0, None, "New title: “Part 2”"),
                (100.0, Some(160.0), "Interrupted for 1 min"),
                (160.0, None, "Ended"),
            ]
        );
        let open = happenings(Timestamp::from_millis(start), &markers[..2]);
        assert_eq!((open.len(), open[1].until), (2, None));
        assert_eq!(
            happenings(Timestamp::from_millis(start), &markers[2..3])[0].text,
            "The picture came back"
        );
    }

    #[test]
    fn quality_is_said_in_sentences() {
        let some = Some(Spread { p50: 420.0, p95: 1234.0, samples: 9 });
        assert_eq!(spread(some), ("0.42 s".to_owned(), "for half; 19 of 20 within 1.23 s".to_owned()));
        assert_eq!(spread(None).0, "–");
        let mut all = broadcast(0, &[]);
        assert_eq!(freezes(&all).1, "The picture never stood still");
        (all.quality.freezes, all.quality.frozen_time, all.quality.frozen_share) = (12, 31.0, 0.004);
        assert_eq!(freezes(&all), ("12".to_owned(), "31 s, 0.4 % of the watched time".to_owned()));
    }

    #[test]
    fn notes_say_the_peak_and_how_much_was_written() {
        let mut all = broadcast(0, &[1, 42]);
        let [peak, chat, latency, freezes] = notes(&all, |at| format!("+{at}"));
        assert_eq!([peak.as_str(), latency.as_str(), freezes.as_str()], ["", "", "0 in all"]);
        assert_eq!(chat, "0 a minute, 0 people wrote");
        all.peak_at = Some(Timestamp::from_millis(all.summary.start_time.as_millis() + 5000));
        (all.chat_rate, all.chatters) = (1.25, 1);
        let [peak, chat, ..] = notes(&all, |at| format!("+{at}"));
        assert_eq!((peak.as_str(), chat.as_str()), ("Peak 42 at +5", "1.3 a minute, 1 person wrote"));
        assert_eq!(facts(&all)[3].3, "No view ended within 10 s of a freeze");
    }

    #[test]
    fn staying_is_one_sentence() {
        assert_eq!(staying(&[1.0, 0.4]), "Half left within a minute");
        assert_eq!(staying(&[1.0, 0.8, 0.6, 0.3]), "Half left within 3 min");
        assert_eq!(staying(&[1.0, 0.8]), "80 % stayed to the end of this chart");
        assert_eq!(staying(&[]), "");
    }
}
