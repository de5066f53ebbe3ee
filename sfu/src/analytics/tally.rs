//! From what the record has of a broadcast to its figures. Pure, and exact: every count is of distinct views, every time
//! is in whole milliseconds until it is shown.

use super::report::{Statement, freezes_in};
use crate::audience::{Audience, Region, device_name};
use shared::{
    analytics::{GROUP_LEAST, Marker, MarkerKind, Quality, Share, Spread, Timeline},
    unit::{Seconds, Timestamp},
};
use std::{collections::BTreeMap, time::Duration};

/// A step of the timeline, while it has no more than [`STEPS_MOST`].
const STEP: u64 = 5;
/// A day of steps; a broadcast that is longer has longer ones.
const STEPS_MOST: u64 = 24 * 60 * 60 / STEP;
/// The most parts that a breakdown is told in; the smallest are together `other`.
const PARTS_MOST: usize = 50;
/// A view that ends this soon after a freeze ended because of it.
const EXIT_WITHIN: Duration = Duration::from_secs(10);
/// What is too small to be shown alone.
const OTHER: &str = "other";

/// A stretch of time in which a view was watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// A number for the view: the same for all its spans.
    pub view: u32,
    /// From when.
    pub from: Timestamp,
    /// Until when; `None` if it is watched still.
    pub to: Option<Timestamp>,
}

/// What players said within a step of 5 s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// Counted from the broadcast's start.
    pub step: u64,
    /// Freezes.
    pub freezes: u32,
    /// The players' median latency in milliseconds.
    pub latency: Option<u32>,
    /// How many players told it.
    pub samples: u32,
}

/// What was written in the chat.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chat {
    /// Messages by second of the broadcast.
    pub seconds: Vec<(u64, u32)>,
}

/// What the record has of a broadcast.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// When it started.
    pub started_at: Timestamp,
    /// When it ended, or until when it is known.
    pub until: Timestamp,
    /// It isn't over.
    pub is_on: bool,
    /// When its views were watched.
    pub spans: Vec<Span>,
    /// How many views each audience has.
    pub audiences: Vec<(Audience, u64)>,
    /// What players said of their views, by the views' numbers.
    pub statements: Vec<(u32, Statement)>,
    /// What players said, step by step.
    pub heard: Vec<Heard>,
    /// What was written.
    pub chat: Chat,
    /// What happened beside start and end.
    pub marks: Vec<Marker>,
}

/// A broadcast's figures, without its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Tally {
    /// The short ones.
    pub figures: Figures,
    /// How many watch at the end of what is known.
    pub concurrent: u32,
    /// When the most watched for the first time.
    pub peak_at: Option<Timestamp>,
    /// By type of device.
    pub devices: Vec<Share>,
    /// By browser.
    pub browsers: Vec<Share>,
    /// By country.
    pub regions: Vec<Share>,
    /// By the site that linked here, of the views of which one was told.
    pub referrers: Vec<Share>,
    /// By the page around the player, of the views that are embedded.
    pub embeds: Vec<Share>,
    /// How well it played.
    pub quality: Quality,
    /// In steps of time.
    pub timeline: Timeline,
    /// The part of all views that lasted into each minute.
    pub retention: Vec<f64>,
    /// What to mark.
    pub markers: Vec<Marker>,
}

/// The figures of a broadcast that a list shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Started watches.
    pub views: u64,
    /// The most that watched at one time.
    pub peak: u32,
    /// Milliseconds of all views together.
    pub watch_time: u64,
}

/// Works it out.
pub fn tally(evidence: &Evidence) -> Tally {
    let length = ms(evidence.until, evidence.started_at);
    let watched = watched(evidence, length);
    let curve = curve(&watched, length);
    let audience = |name: fn(&Audience) -> String| {
        shares(evidence.audiences.iter().map(|(audience, views)| (name(audience), *views)))
    };
    let statements = || evidence.statements.iter().map(|(_, statement)| statement);
    let told = |text: fn(&Statement) -> &Option<Box<str>>| {
        shares(
            statements().filter_map(|statement| text(statement).as_deref()).map(|text| (text.to_owned(), 1)),
        )
    };
    Tally {
        figures: Figures {
            views: evidence.audiences.iter().map(|(_, views)| views).sum(),
            peak: curve.peak,
            watch_time: watched.iter().map(|view| view.time).sum(),
        },
        concurrent: u32::try_from(watched.iter().filter(|view| view.is_open).count()).unwrap_or(u32::MAX),
        peak_at: curve.peak_at.map(|at| after(evidence.started_at, at)),
        devices: audience(|audience| device_name(audience.device).to_owned()),
        browsers: audience(|audience| audience.browser.name().to_owned()),
        regions: regions(&evidence.audiences),
        referrers: told(|statement| &statement.referrer),
        embeds: told(|statement| &statement.embedded_by),
        quality: quality(evidence, &watched),
        timeline: timeline(evidence, curve, length),
        retention: retention(&watched),
        markers: markers(evidence),
    }
}

/// One view, in milliseconds from the broadcast's start.
#[derive(Debug, Clone)]
struct Watched {
    number: u32,
    /// In order, apart from each other; the last may be open.
    spans: Vec<(u64, u64)>,
    is_open: bool,
    time: u64,
    /// When it was left for the last time.
    left: Option<Timestamp>,
}

/// The views, each with its spans cut to the broadcast's time and made one where they overlap.
fn watched(evidence: &Evidence, length: u64) -> Vec<Watched> {
    let mut spans = evidence.spans.clone();
    spans.sort_unstable_by_key(|span| (span.view, span.from));
    spans
        .chunk_by(|a, b| a.view == b.view)
        .map(|spans| {
            let mut view =
                Watched { number: spans[0].view, spans: Vec::new(), is_open: false, time: 0, left: None };
            for span in spans {
                let from = ms(span.from, evidence.started_at).min(length);
                let is_open = span.to.is_none() && evidence.is_on;
                let to = span.to.map_or(length, |to| ms(to, evidence.started_at).min(length)).max(from);
                view.is_open |= is_open;
                view.left = view.left.max(span.to);
                match view.spans.last_mut() {
                    Some((_, last)) if from <= *last => *last = to.max(*last),
                    _ => view.spans.push((from, to)),
                }
            }
            view.time = view.spans.iter().map(|(from, to)| to - from).sum();
            view
        })
        .collect()
}

/// How many watch, over time.
struct Curve {
    peak: u32,
    /// In milliseconds from the broadcast's start.
    peak_at: Option<u64>,
    /// Milliseconds a step.
    step: u64,
    /// The most within each step.
    steps: Vec<u32>,
}

/// A sweep over all comings and goings. A view is watched from the moment of its coming until just before its going.
fn curve(watched: &[Watched], length: u64) -> Curve {
    let step = step(length) * 1000;
    let count = length.div_ceil(step).max(1);
    let mut changes: Vec<(u64, i32)> = Vec::with_capacity(watched.len() * 2);
    for view in watched {
        for (at, (from, to)) in view.spans.iter().enumerate() {
            let is_open = view.is_open && at + 1 == view.spans.len();
            if is_open {
                changes.push((*from, 1));
            } else if from < to {
                changes.extend([(*from, 1), (*to, -1)]);
            }
        }
    }
    changes.sort_unstable_by_key(|(at, _)| *at);
    let mut curve = Curve { peak: 0, peak_at: None, step, steps: vec![0; count as usize] };
    let mut now: u32 = 0;
    let mut reached = 0;
    for moment in changes.chunk_by(|a, b| a.0 == b.0) {
        let at = moment[0].0;
        // Whoever watched until now did so in each step that began before.
        for steps in curve.steps.iter_mut().take(at.div_ceil(step) as usize).skip(reached) {
            *steps = (*steps).max(now);
        }
        now = now.saturating_add_signed(moment.iter().map(|(_, change)| change).sum());
        let index = (at / step).min(count - 1) as usize;
        curve.steps[index] = curve.steps[index].max(now);
        reached = index;
        if now > curve.peak {
            (curve.peak, curve.peak_at) = (now, Some(at));
        }
    }
    for steps in curve.steps.iter_mut().skip(reached) {
        *steps = (*steps).max(now);
    }
    curve
}

/// Seconds a step, for a broadcast of so many milliseconds.
fn step(length: u64) -> u64 {
    STEP * length.div_ceil(STEPS_MOST * STEP * 1000).max(1)
}

fn timeline(evidence: &Evidence, curve: Curve, length: u64) -> Timeline {
    let count = curve.steps.len();
    let index = |second: u64| ((second * 1000 / curve.step) as usize).min(count - 1);
    let mut timeline = Timeline {
        from: Seconds(0),
        step: Seconds(step(length)),
        chat_messages: vec![0; count],
        freezes: vec![0; count],
        latency: vec![None; count],
        viewers: curve.steps,
    };
    for (second, messages) in &evidence.chat.seconds {
        let step = &mut timeline.chat_messages[index(*second)];
        *step = step.saturating_add(*messages);
    }
    let mut latencies: BTreeMap<usize, Vec<(u32, u32)>> = BTreeMap::new();
    for heard in &evidence.heard {
        let index = index(heard.step.saturating_mul(STEP));
        timeline.freezes[index] = timeline.freezes[index].saturating_add(heard.freezes);
        if let Some(latency) = heard.latency {
            latencies.entry(index).or_default().push((latency, heard.samples));
        }
    }
    for (index, mut told) in latencies {
        told.sort_unstable();
        timeline.latency[index] = weighted_median(&told);
    }
    timeline
}

/// Where several rows make one step, each stands for as many players as it was made of.
fn weighted_median(told: &[(u32, u32)]) -> Option<u32> {
    let all: u64 = told.iter().map(|(_, samples)| u64::from((*samples).max(1))).sum();
    let mut seen = 0;
    told.iter()
        .find(|(_, samples)| {
            seen += u64::from((*samples).max(1));
            seen * 2 >= all
        })
        .map(|(latency, _)| *latency)
}

/// Of all views, how many lasted into minute 0, 1, 2 …
fn retention(watched: &[Watched]) -> Vec<f64> {
    let Some(longest) = watched.iter().map(|view| view.time / 60_000).max() else { return Vec::new() };
    let mut lasted = vec![0u64; longest as usize + 1];
    for view in watched {
        lasted[(view.time / 60_000) as usize] += 1;
    }
    let mut rest = 0;
    for minute in lasted.iter_mut().rev() {
        rest += *minute;
        *minute = rest;
    }
    lasted.into_iter().map(|views| views as f64 / watched.len() as f64).collect()
}

fn quality(evidence: &Evidence, watched: &[Watched]) -> Quality {
    let find =
        |number: u32| watched.binary_search_by_key(&number, |view| view.number).ok().map(|at| &watched[at]);
    let (mut freezes, mut frozen, mut time, mut exits) = (0u64, 0u64, 0u64, 0u64);
    for (number, statement) in &evidence.statements {
        let view = find(*number);
        let watch_time = view.map_or(0, |view| view.time);
        freezes += u64::from(statement.freezes.min(freezes_in(Duration::from_millis(watch_time))));
        frozen += u64::from(statement.frozen_time).min(watch_time);
        time += watch_time;
        let left = view.filter(|view| !view.is_open).and_then(|view| view.left);
        // Who is let go at the broadcast's end didn't leave.
        let left = left.filter(|left| evidence.is_on || *left < evidence.until);
        if let (Some(left), Some(freeze)) = (left, statement.last_freeze_at)
            && left.since(freeze) <= EXIT_WITHIN
        {
            exits += 1;
        }
    }
    let statements = || evidence.statements.iter().map(|(_, statement)| statement);
    let named = |names: Vec<String>| shares(names.into_iter().map(|name| (name, 1)));
    Quality {
        reports: evidence.statements.len() as u64,
        join_time: spread(statements().filter_map(|statement| statement.join_time).collect()),
        latency: spread(statements().filter_map(Statement::latency).collect()),
        freezes,
        frozen_time: seconds(frozen),
        frozen_share: if time == 0 { 0.0 } else { frozen as f64 / time as f64 },
        exits_after_freeze: exits,
        codecs: named(
            statements().filter_map(|statement| Some(statement.codec?.name().to_owned())).collect(),
        ),
        sizes: named(statements().filter_map(|statement| Some(format!("{}p", statement.height?))).collect()),
    }
}

/// What half, and what nineteen of twenty stay below.
fn spread(mut values: Vec<u32>) -> Option<Spread> {
    values.sort_unstable();
    let (p50, p95) = (quantile(&values, 50)?, quantile(&values, 95)?);
    Some(Spread { p50: f64::from(*p50), p95: f64::from(*p95), samples: values.len() as u64 })
}

/// The smallest of sorted values that so many percent don't exceed; `None` of none.
pub fn quantile<T>(sorted: &[T], percent: usize) -> Option<&T> {
    sorted.get((sorted.len() * percent).div_ceil(100).saturating_sub(1))
}

/// The parts of a whole, most views first; those beyond [`PARTS_MOST`] are together `other`.
fn shares(parts: impl Iterator<Item = (String, u64)>) -> Vec<Share> {
    let mut sums: BTreeMap<String, u64> = BTreeMap::new();
    for (name, views) in parts {
        *sums.entry(name).or_default() += views;
    }
    let mut shares = in_order(sums);
    if shares.len() > PARTS_MOST {
        let rest = shares.split_off(PARTS_MOST - 1);
        let mut sums: BTreeMap<String, u64> =
            shares.into_iter().map(|share| (share.name, share.views)).collect();
        *sums.entry(OTHER.to_owned()).or_default() += rest.iter().map(|share| share.views).sum::<u64>();
        shares = in_order(sums);
    }
    shares
}

fn in_order(sums: BTreeMap<String, u64>) -> Vec<Share> {
    let mut shares: Vec<Share> = sums.into_iter().map(|(name, views)| Share { name, views }).collect();
    shares.sort_by(|a, b| b.views.cmp(&a.views).then_with(|| a.name.cmp(&b.name)));
    shares
}

/// Countries of few views are together `other`, so that nobody is recognised by theirs; if they are few even together, they
/// are among the `unknown`.
fn regions(audiences: &[(Audience, u64)]) -> Vec<Share> {
    let mut sums: BTreeMap<Option<&str>, u64> = BTreeMap::new();
    for (audience, views) in audiences {
        *sums.entry(audience.region.code()).or_default() += views;
    }
    let is_small = |code: Option<&str>, views: u64| code.is_some() && views < GROUP_LEAST;
    let small: u64 =
        sums.iter().filter(|(code, views)| is_small(**code, **views)).map(|(_, views)| views).sum();
    let rest = if small < GROUP_LEAST { Region::UNKNOWN } else { OTHER };
    let named = sums.into_iter().map(|(code, views)| match code {
        _ if is_small(code, views) => (rest.to_owned(), views),
        code => (code.unwrap_or(Region::UNKNOWN).to_owned(), views),
    });
    shares(named)
}

fn markers(evidence: &Evidence) -> Vec<Marker> {
    let plain = |at, kind| Marker { at, kind, text: String::new() };
    let mut markers = vec![plain(evidence.started_at, MarkerKind::Started)];
    // One that never came back ended when its media did.
    let within = |mark: &&Marker| evidence.is_on || mark.at < evidence.until;
    markers.extend(evidence.marks.iter().filter(within).cloned());
    markers[1..].sort_by_key(|mark| mark.at);
    if !evidence.is_on {
        markers.push(plain(evidence.until, MarkerKind::Ended));
    }
    markers
}

/// Milliseconds from a broadcast's start.
fn ms(at: Timestamp, start: Timestamp) -> u64 {
    u64::try_from(at.since(start).as_millis()).unwrap_or(u64::MAX)
}

fn after(start: Timestamp, ms: u64) -> Timestamp {
    Timestamp::from_millis(start.as_millis().saturating_add_unsigned(ms))
}

/// Milliseconds as seconds.
pub fn seconds(ms: u64) -> f64 {
    ms as f64 / 1000.0
}

#[cfg(test)]
mod tests;
