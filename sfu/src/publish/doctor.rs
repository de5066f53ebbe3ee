//! The publisher doctor: from what is measured of a publisher's media it says what is the matter and what to change.
//!
//! A finding appears after it has held for some seconds and goes after all has been well for some, so that nothing flickers
//! before the eyes of somebody who is live.

use super::{
    advice::{self, Program},
    level::Level,
    vitals::{TrackVitals, Vitals},
};
use shared::publish::{Finding, FindingKind, Severity};
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Rates of loss are taken over so long, as it comes in bursts.
const WINDOW: Duration = Duration::from_secs(6);
/// A level that is older than this says nothing any more.
const LEVEL_HOLDS: Duration = Duration::from_secs(4);
/// A track that nothing came of for so long has stopped. Opus in silence sends a packet each 0.4 s.
const STOPPED: Duration = Duration::from_secs(3);

/// Each thing to look for, how long it has to be there before it is told, and how long gone before it is no more.
const WATCHED: [(FindingKind, Duration, Duration); 7] = [
    (FindingKind::KeyframeInterval, Duration::from_secs(2), Duration::from_secs(5)),
    (FindingKind::BFrames, Duration::from_secs(1), Duration::from_secs(5)),
    (FindingKind::Loss, Duration::from_secs(3), Duration::from_secs(5)),
    (FindingKind::UnansweredNacks, Duration::from_secs(3), Duration::from_secs(10)),
    (FindingKind::AudioWithoutVideo, Duration::from_secs(4), Duration::from_secs(1)),
    (FindingKind::Silence, Duration::from_secs(10), Duration::from_secs(1)),
    (FindingKind::Clipping, Duration::from_secs(3), Duration::from_secs(5)),
];

/// What one look says of one thing.
#[derive(Debug, Clone, PartialEq)]
enum Sign {
    /// It is there, with this figure.
    Ill(Figure),
    /// It isn't.
    Well,
    /// Between the two: whatever was the case goes on.
    Unclear,
}

/// The figure of a finding, and what of.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Figure {
    /// Seconds, or a part of one, by what it is of.
    pub value: f64,
    /// The rendition, where there are several and it matters.
    pub rendition: Option<String>,
    /// How much it matters.
    pub severity: Severity,
}

/// Where one thing stands.
#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Well,
    Failing { since: Instant },
    Ill,
    Recovering { since: Instant },
}

impl State {
    fn next(self, sign: &Sign, appears: Duration, goes: Duration, now: Instant) -> Self {
        let held = |since: Instant, duration: Duration| now.saturating_duration_since(since) >= duration;
        match (self, sign) {
            (Self::Well, Sign::Ill(_)) => Self::Failing { since: now },
            (Self::Failing { .. }, Sign::Well) => Self::Well,
            (Self::Failing { since }, _) if held(since, appears) => Self::Ill,
            (Self::Ill, Sign::Well) => Self::Recovering { since: now },
            (Self::Recovering { .. }, Sign::Ill(_)) => Self::Ill,
            (Self::Recovering { since }, Sign::Well) if held(since, goes) => Self::Well,
            (same, _) => same,
        }
    }

    fn is_told(self) -> bool {
        matches!(self, Self::Ill | Self::Recovering { .. })
    }
}

/// What was lost, and what was asked for again, between two looks.
#[derive(Debug, Clone, Copy)]
struct Lost {
    at: Instant,
    expected: u32,
    missed: u32,
    lost: u32,
    asked: u32,
}

/// Looks after one publisher's session.
#[derive(Debug)]
pub struct Doctor {
    states: [(State, Option<Figure>); WATCHED.len()],
    losses: VecDeque<Lost>,
    level: Option<(Level, Instant)>,
    /// Since when the sound has been silent, and when there last was a picture.
    silent_since: Option<Instant>,
    pictured: Option<Instant>,
    first: Option<Instant>,
    /// Frames a second, for those who count keyframes in frames.
    frame_rate: f32,
    looked: Option<Instant>,
}

impl Default for Doctor {
    fn default() -> Self {
        Self {
            states: std::array::from_fn(|_| (State::Well, None)),
            losses: VecDeque::new(),
            level: None,
            silent_since: None,
            pictured: None,
            first: None,
            frame_rate: 0.0,
            looked: None,
        }
    }
}

impl Doctor {
    /// How loud the sound was lately.
    pub fn heard(&mut self, level: Level, now: Instant) {
        self.level = Some((level, now));
    }

    /// What passed since the last look; about each second while media flows. `program` is who publishes.
    pub fn look(&mut self, vitals: &Vitals, program: Program, now: Instant) {
        self.first.get_or_insert(now);
        self.note(vitals, now);
        let signs = WATCHED.map(|(kind, ..)| match kind {
            FindingKind::KeyframeInterval => keyframe_interval(vitals, program),
            FindingKind::BFrames => b_frames(vitals),
            FindingKind::Loss => self.loss(),
            FindingKind::UnansweredNacks => self.unanswered(),
            FindingKind::AudioWithoutVideo => self.no_picture(vitals, now),
            FindingKind::Silence => self.silence(vitals, now),
            FindingKind::Clipping => self.clipping(now),
        });
        let watched = WATCHED.iter().zip(&mut self.states).zip(signs);
        for (((_, appears, goes), (state, figure)), sign) in watched {
            *state = state.next(&sign, *appears, *goes, now);
            if let Sign::Ill(found) = sign {
                *figure = Some(found);
            }
        }
    }

    /// What there is to tell, the gravest first.
    pub fn findings(&self, program: Program) -> Vec<Finding> {
        let told = WATCHED.iter().zip(&self.states).filter(|(_, (state, _))| state.is_told());
        let mut findings: Vec<Finding> = told
            .filter_map(|((kind, ..), (_, figure))| {
                Some(advice::finding(*kind, figure.as_ref()?, program, self.frame_rate))
            })
            .collect();
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        findings
    }

    fn note(&mut self, vitals: &Vitals, now: Instant) {
        let sum = |of: fn(&TrackVitals) -> u32| vitals.tracks.iter().map(of).fold(0_u32, u32::saturating_add);
        self.losses.push_back(Lost {
            at: now,
            expected: sum(|track| track.expected),
            missed: sum(|track| track.missed),
            lost: sum(|track| track.lost),
            asked: vitals.asked,
        });
        while self.losses.front().is_some_and(|lost| now.saturating_duration_since(lost.at) >= WINDOW) {
            self.losses.pop_front();
        }
        let passed = self.looked.replace(now).map(|last| now.saturating_duration_since(last));
        let frames = vitals.tracks.iter().filter(|track| !track.is_audio).map(|track| track.frames).max();
        if let (Some(passed), Some(frames)) = (passed, frames)
            && passed >= Duration::from_millis(500)
        {
            self.frame_rate = (f64::from(frames) / passed.as_secs_f64()) as f32;
        }
        if vitals.tracks.iter().any(|track| !track.is_audio && track.quiet < STOPPED) {
            self.pictured = Some(now);
        }
    }

    fn lately(&self, of: fn(&Lost) -> u32) -> f64 {
        self.losses.iter().map(|lost| f64::from(of(lost))).sum()
    }

    /// What viewers miss: lost and not repaired.
    fn loss(&self) -> Sign {
        let expected = self.lately(|lost| lost.expected);
        if expected < 100.0 {
            return Sign::Unclear;
        }
        let value = (self.lately(|lost| lost.lost) / expected).min(1.0);
        let severity = if value >= 0.05 { Severity::Problem } else { Severity::Warning };
        graded(value, 0.01, 0.005, severity)
    }

    fn unanswered(&self) -> Sign {
        let (missed, asked) = (self.lately(|lost| lost.missed), self.lately(|lost| lost.asked));
        if missed < 10.0 || asked < 3.0 {
            // With so little missing it says nothing, and does no harm.
            return Sign::Well;
        }
        let value = (self.lately(|lost| lost.lost) / missed).min(1.0);
        graded(value, 0.8, 0.5, Severity::Warning)
    }

    fn no_picture(&self, vitals: &Vitals, now: Instant) -> Sign {
        let sounds = vitals.tracks.iter().any(|track| track.is_audio && track.quiet < STOPPED);
        if !sounds || self.pictured == Some(now) {
            return Sign::Well;
        }
        let since = self.pictured.or(self.first).unwrap_or(now);
        let value = now.saturating_duration_since(since).as_secs_f64();
        // Whoever never sent a picture may mean it so.
        let severity = if self.pictured.is_some() { Severity::Problem } else { Severity::Warning };
        Sign::Ill(Figure { value, rendition: None, severity })
    }

    fn silence(&mut self, vitals: &Vitals, now: Instant) -> Sign {
        const SILENT: f32 = -60.0;
        const AUDIBLE: f32 = -55.0;
        let mut tracks = vitals.tracks.iter().filter(|track| track.is_audio).peekable();
        let has_sound = tracks.peek().is_some();
        let stopped = has_sound && tracks.all(|track| track.quiet >= STOPPED);
        let mean = self.level.filter(|(_, at)| now.saturating_duration_since(*at) < LEVEL_HOLDS);
        let sign = match mean {
            _ if stopped => None,
            Some((level, _)) if level.mean >= AUDIBLE => Some(Sign::Well),
            Some((level, _)) if level.mean >= SILENT => Some(Sign::Unclear),
            Some(_) => None,
            // Nobody listened, or there is nothing to listen to.
            None => Some(Sign::Well),
        };
        if let Some(sign) = sign {
            if sign == Sign::Well {
                self.silent_since = None;
            }
            return sign;
        }
        let since = *self.silent_since.get_or_insert(now);
        let value = now.saturating_duration_since(since).as_secs_f64();
        Sign::Ill(Figure { value, rendition: None, severity: Severity::Warning })
    }

    fn clipping(&self, now: Instant) -> Sign {
        match self.level {
            Some((level, at)) if now.saturating_duration_since(at) < LEVEL_HOLDS => {
                let severity = if level.clipped >= 0.02 { Severity::Warning } else { Severity::Hint };
                graded(level.clipped.into(), 0.001, 0.0002, severity)
            }
            _ => Sign::Well,
        }
    }
}

/// Ill from `ill` on, well below `well`.
fn graded(value: f64, ill: f64, well: f64, severity: Severity) -> Sign {
    match value {
        value if value >= ill => Sign::Ill(Figure { value, rendition: None, severity }),
        value if value < well => Sign::Well,
        _ => Sign::Unclear,
    }
}

/// Joining and switching wait for keyframes, so they should be 2 s apart.
fn keyframe_interval(vitals: &Vitals, program: Program) -> Sign {
    // Browsers send one when they are asked and hardly ever otherwise: there is nothing to set, and nothing waits.
    if program == Program::Browser {
        return Sign::Well;
    }
    let videos = || vitals.tracks.iter().filter(|track| !track.is_audio && track.quiet < STOPPED);
    let longest = videos()
        .filter_map(|track| Some((track.keyframe_interval?, track)))
        .max_by_key(|(interval, _)| *interval);
    let Some((interval, track)) = longest else { return Sign::Unclear };
    let severity = if interval >= Duration::from_secs(6) { Severity::Warning } else { Severity::Hint };
    match graded(interval.as_secs_f64(), 4.2, 3.2, severity) {
        Sign::Ill(figure) => {
            let rendition = (videos().count() > 1).then(|| track.rendition.clone());
            Sign::Ill(Figure { rendition, ..figure })
        }
        sign => sign,
    }
}

fn b_frames(vitals: &Vitals) -> Sign {
    let shares = vitals
        .tracks
        .iter()
        .filter(|track| track.frames > 0)
        .map(|track| f64::from(track.b_frames) / f64::from(track.frames.max(track.b_frames)));
    match shares.reduce(f64::max) {
        None => Sign::Unclear,
        // One is as bad as many: it moves all others.
        Some(share) => graded(share, f64::MIN_POSITIVE, f64::MIN_POSITIVE, Severity::Problem),
    }
}

#[cfg(test)]
#[path = "doctor_tests.rs"]
mod tests;
