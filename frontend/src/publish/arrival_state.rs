//! What arrives at the server beside what this browser sends, and which findings are news. Pure: words come in by functions.

use shared::publish::{Finding, FindingKind, PublisherHealth};

/// What this browser sends now.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sent {
    /// Bits a second.
    pub bitrate: f32,
    /// Frames a second.
    pub frame_rate: f32,
    /// Pixels across and down.
    pub size: Option<(u32, u32)>,
    /// Of one, as the server last told the browser.
    pub loss: f32,
    /// Milliseconds.
    pub round_trip: f32,
}

/// One line: what it is of, what is sent, what arrives, and what there is to say of the difference.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What it is of.
    pub name: &'static str,
    /// What is sent, where this browser does.
    pub sent: Option<String>,
    /// What arrives.
    pub arrives: String,
    /// In a word, and whether it is much.
    pub difference: Option<(String, bool)>,
}

/// Less than this part is the time between two measurements.
const SAME: f32 = 0.08;
/// From this part on it is much.
const MUCH: f32 = 0.25;

fn difference(sent: f32, arrives: f32) -> Option<(String, bool)> {
    if sent <= 0.0 {
        return None;
    }
    let part = (arrives - sent) / sent;
    let words = match part {
        part if part.abs() < SAME => return Some(("same".to_owned(), false)),
        part => format!("{}{:.0} %", if part < 0.0 { "−" } else { "+" }, part.abs() * 100.0),
    };
    // More than was sent a moment ago is a matter of time, never of harm.
    Some((words, part <= -MUCH))
}

/// The lines of the table.
pub fn rows(
    sent: Option<&Sent>,
    health: &PublisherHealth,
    bitrate: impl Fn(u64) -> String,
    percent: impl Fn(f64) -> String,
) -> Vec<Row> {
    let unknown = || "–".to_owned();
    let size = |(width, height): (u32, u32)| format!("{width} × {height}");
    let sizes = health.renditions.iter().filter_map(|rendition| rendition.size);
    let largest = sizes
        .map(|size| (u32::from(size.width), u32::from(size.height)))
        .max_by_key(|(width, height)| width * height);
    let sent_size = sent.and_then(|sent| sent.size);
    let resized = sent_size
        .zip(largest)
        .map(|(sent, arrives)| (if sent == arrives { "same" } else { "changing" }.to_owned(), false));
    let arrives_bits = health.bitrate.0 as f32;
    let round_trip = health.round_trip.map_or_else(unknown, |millis| format!("{} ms", millis.0));
    let compare = |of: fn(&Sent) -> f32, arrives: f32| sent.and_then(|sent| difference(of(sent), arrives));
    vec![
        Row {
            name: "Bitrate",
            sent: sent.map(|sent| bitrate(sent.bitrate as u64)),
            arrives: bitrate(health.bitrate.0),
            difference: compare(|sent| sent.bitrate, arrives_bits),
        },
        Row {
            name: "Frame rate",
            sent: sent.map(|sent| format!("{:.0} fps", sent.frame_rate)),
            arrives: format!("{:.0} fps", health.frame_rate),
            difference: compare(|sent| sent.frame_rate, health.frame_rate),
        },
        Row {
            name: "Picture",
            sent: sent.map(|_| sent_size.map_or_else(unknown, size)),
            arrives: largest.map_or_else(unknown, size),
            difference: resized,
        },
        Row {
            name: "Loss",
            sent: sent.map(|sent| percent(sent.loss.into())),
            arrives: percent(health.loss.into()),
            difference: sent.filter(|_| health.loss >= 0.02).map(|_| ("high".to_owned(), true)),
        },
        Row {
            name: "Round trip",
            sent: sent.map(|sent| format!("{:.0} ms", sent.round_trip)),
            arrives: round_trip,
            difference: sent.filter(|sent| sent.round_trip > 200.0).map(|_| ("long".to_owned(), true)),
        },
    ]
}

/// The findings to show: one who paused knows that there is no sound.
pub fn shown(findings: &[Finding], paused: bool) -> impl Iterator<Item = &Finding> {
    findings.iter().filter(move |finding| {
        !(paused && matches!(finding.kind, FindingKind::Silence | FindingKind::AudioWithoutVideo))
    })
}

/// Reads out what is found once, when it is new; figures change each second and aren't.
#[derive(Debug, Default)]
pub struct Announcer {
    known: Vec<FindingKind>,
    words: String,
}

impl Announcer {
    /// What is to be read out now: the same as before as long as nothing is new.
    pub fn words<'a>(&mut self, findings: impl Iterator<Item = &'a Finding>) -> String {
        let (mut now, mut news) = (Vec::new(), String::new());
        for finding in findings {
            if !self.known.contains(&finding.kind) {
                for words in [&finding.what, " ", &finding.advice, " "] {
                    news.push_str(words);
                }
            }
            now.push(finding.kind);
        }
        if !news.is_empty() {
            self.words = news;
        } else if now.is_empty() && !self.known.is_empty() {
            self.words = "All is well again.".to_owned();
        }
        self.known = now;
        self.words.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{
        broadcast::{Codec, Rendition},
        publish::Severity,
        unit::{Bitrate, Millis, Size},
    };

    fn health(bits: u64, frame_rate: f32) -> PublisherHealth {
        let rendition = |codec, width, height| Rendition {
            name: "source".into(),
            codec,
            size: Some(Size { width, height }).filter(|size| size.width > 0),
            frame_rate,
            bitrate: Bitrate(bits),
        };
        PublisherHealth {
            channel: "ada".parse().unwrap(),
            session: Some("abcdefghijkl".parse().unwrap()),
            user_agent: String::new(),
            viewers: 0,
            bitrate: Bitrate(bits),
            frame_rate,
            loss: 0.031,
            round_trip: Some(Millis(23)),
            keyframe_interval: None,
            renditions: vec![
                rendition(Codec::Vp8, 320, 180),
                rendition(Codec::Vp8, 1280, 720),
                rendition(Codec::Opus, 0, 0),
            ],
            findings: Vec::new(),
        }
    }

    fn table(sent: Option<&Sent>, health: &PublisherHealth) -> Vec<Row> {
        rows(sent, health, |bits| format!("{bits}"), |part| format!("{:.1} %", part * 100.0))
    }

    const SENT: Sent =
        Sent { bitrate: 2_000_000.0, frame_rate: 30.0, size: Some((1280, 720)), loss: 0.0, round_trip: 20.0 };

    #[test]
    fn what_is_sent_stands_beside_what_arrives() {
        let rows = table(Some(&SENT), &health(1_000_000, 29.7));
        let find = |name| rows.iter().find(|row| row.name == name).unwrap();
        assert_eq!(find("Bitrate").sent.as_deref(), Some("2000000"));
        assert_eq!(find("Bitrate").difference, Some(("−50 %".into(), true)));
        assert_eq!(find("Frame rate").difference, Some(("same".into(), false)));
        assert_eq!(find("Picture").arrives, "1280 × 720");
        assert_eq!(find("Picture").difference, Some(("same".into(), false)));
        assert_eq!(find("Loss").difference, Some(("high".into(), true)));
        assert_eq!(find("Round trip").arrives, "23 ms");
    }

    #[test]
    fn small_differences_are_none_and_more_than_was_sent_is_no_harm() {
        for (arrives, words, much) in [
            (2_000_000, "same", false),
            (1_850_000, "same", false),
            (1_700_000, "−15 %", false),
            (1_500_000, "−25 %", true),
            (0, "−100 %", true),
            (3_000_000, "+50 %", false),
        ] {
            let rows = table(Some(&SENT), &health(arrives, 30.0));
            assert_eq!(rows[0].difference, Some((words.into(), much)), "{arrives}");
        }
        let nothing = Sent::default();
        assert_eq!(table(Some(&nothing), &health(1, 1.0))[0].difference, None);
    }

    #[test]
    fn of_another_program_there_is_only_what_arrives() {
        let rows = table(None, &health(1_000_000, 30.0));
        assert!(rows.iter().all(|row| row.sent.is_none() && row.difference.is_none()));
    }

    #[test]
    fn what_is_found_is_read_out_once() {
        let finding = |kind, what: &str| Finding {
            kind,
            severity: Severity::Warning,
            what: what.into(),
            advice: "Do.".into(),
        };
        let mut announcer = Announcer::default();
        let mut say = |findings: &[Finding]| announcer.words(findings.iter());
        assert_eq!(say(&[]), "");
        assert_eq!(say(&[finding(FindingKind::Silence, "Silent for 10 s.")]), "Silent for 10 s. Do. ");
        assert_eq!(say(&[finding(FindingKind::Silence, "Silent for 12 s.")]), "Silent for 10 s. Do. ");
        let both = [finding(FindingKind::Silence, "14 s."), finding(FindingKind::Loss, "3 %.")];
        assert_eq!(say(&both), "3 %. Do. ");
        assert_eq!(say(&both[..1]), "3 %. Do. ");
        assert_eq!(say(&[]), "All is well again.");
        assert_eq!(say(&[]), "All is well again.");
        assert_eq!(say(&both[1..]), "3 %. Do. ");
    }

    #[test]
    fn who_paused_is_not_told_of_silence() {
        let mut health = health(1, 1.0);
        for kind in [FindingKind::Silence, FindingKind::Loss] {
            let (what, advice) = (String::new(), String::new());
            health.findings.push(Finding { kind, severity: Severity::Hint, what, advice });
        }
        assert_eq!(shown(&health.findings, false).count(), 2);
        assert_eq!(shown(&health.findings, true).count(), 1);
    }
}
