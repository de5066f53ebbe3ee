//! One broadcast's analytics.

use super::{
    breakdown::breakdown,
    engine::Snapshot,
    figures_state::{self, Figure},
    list, merge_state,
    words_state::{By, date},
};
use crate::{
    api::rest,
    browser::time,
    ui::{
        Chart, Clock, Look, Mark, Notice, Panel, Shape, Skeleton, Toggle, Unit, Zone, el, el_with,
        format_state::{exact, viewers},
        icon, words,
    },
};
use shared::analytics::BroadcastAnalytics;
use std::rc::Rc;
use yew::prelude::*;

/// Four numbers, the evening, how long people stayed, how well it played, and who they were.
pub fn dashboard(snapshot: &Snapshot, compare: Callback<bool>) -> Html {
    let Some(all) = &snapshot.all else {
        let (title, text) = match &snapshot.error {
            Some(failure) if failure.status() == Some(404) => (
                "There is no broadcast here.",
                "It never was, or it is another channel's. Pick one from the list.".to_owned(),
            ),
            Some(failure) => ("The numbers didn't come.", failure.sentence()),
            None => return html! { <Skeleton class="skeleton-hero" /> },
        };
        return html! { <Notice icon={Shape::Alert} title={title} text={text} /> };
    };
    let summary = &all.summary;
    let offset = time::offset(summary.start_time.as_millis());
    let mut parts = vec![head(all, offset)];
    if let Some(failure) = &snapshot.error {
        parts.push(el_with("p", "callout", &[("role", "status")], vec![failure.sentence().into()]));
    }
    let figures = figures_state::figures(summary, all.previous.as_ref()).map(figure);
    parts.push(el_with("section", "figures", &[("aria-label", "In short")], figures.into()));
    let mut evening_head = vec![titled("evening-title", "Over time")];
    if all.previous.is_some() {
        let label = "Compare with the last broadcast";
        evening_head.push(html! { <Toggle label={label} on={snapshot.compares} change={compare} /> });
    }
    let ghost = snapshot.before.as_deref().filter(|_| snapshot.compares);
    parts.push(card("evening-title", vec![el("div", "card-head", evening_head), evening(all, ghost)]));
    parts.push(el("div", "halves", vec![staying(all), quality(all)]));
    let by = [
        (By::Region, &all.regions),
        (By::Device, &all.devices),
        (By::Browser, &all.browsers),
        (By::Referrer, &all.referrers),
        (By::Embed, &all.embeds),
    ];
    parts.push(el("div", "breakdowns", by.map(|(by, shares)| breakdown(by, shares)).into()));
    parts.into_iter().collect()
}

fn titled(id: &str, title: &'static str) -> Html {
    el_with("h2", "", &[("id", id)], vec![title.into()])
}

fn card(title: &str, parts: Vec<Html>) -> Html {
    el_with("section", "card", &[("aria-labelledby", title)], parts)
}

/// Which broadcast, whether it is on, and its exports.
fn head(all: &BroadcastAnalytics, offset: i32) -> Html {
    let summary = &all.summary;
    let mut facts = Vec::new();
    if summary.end_time.is_none() {
        let badge = el_with("span", "badge badge-live", &[("data-testid", "live-now")], vec!["Live".into()]);
        facts.push(el("li", "", vec![badge]));
        let now = format!("{} now", viewers(all.concurrent_viewers));
        facts.push(el_with("li", "number", &[("data-testid", "watching")], vec![now.into()]));
    }
    facts.push(words("li", "", date(summary.start_time.as_millis(), offset)));
    facts.push(words("li", "number", figures_state::spell(summary.duration.0 as f64)));
    if !summary.category.as_str().is_empty() {
        facts.push(words("li", "", summary.category.to_string()));
    }
    let export = |(kind, label): (&'static str, &'static str)| {
        let (href, id) = (rest::analytics_file(&summary.stream_id, kind), format!("export-{kind}"));
        let attributes = [("href", href.as_str()), ("download", ""), ("data-testid", id.as_str())];
        el_with("a", "button", &attributes, vec![icon(Shape::Download), words("span", "", label)])
    };
    let title = vec![list::title(summary).to_owned().into()];
    let title = el_with("h2", "", &[("data-testid", "broadcast-title")], title);
    let parts = vec![
        el("div", "", vec![title, el("ul", "facts", facts)]),
        el("div", "actions", [("csv", "CSV"), ("json", "JSON")].map(export).into()),
    ];
    el_with("section", "broadcast-head", &[("aria-label", "Broadcast")], parts)
}

fn figure(figure: Figure) -> Html {
    let arrow = el_with("span", "", &[("aria-hidden", "true")], vec![figure.way.arrow().into()]);
    let parts = vec![
        words("dt", "", figure.name),
        words("dd", "figure-value", figure.value),
        el("dd", figure.way.class(), vec![arrow, figure.change.into()]),
    ];
    el_with("dl", "figure", &[("data-testid", &format!("figure-{}", figure.id))], parts)
}

/// Audience and quality on one axis: whoever sees the viewers leave sees what they saw.
fn evening(all: &BroadcastAnalytics, before: Option<&BroadcastAnalytics>) -> Html {
    let (summary, line) = (&all.summary, &all.timeline);
    if line.viewers.is_empty() {
        return words("p", "quiet", "The first step of five seconds isn't over yet.");
    }
    let from = line.from.0 as f64;
    let zero = summary.start_time.as_millis() + line.from.0 as i64 * 1000;
    let length = (line.viewers.len() as u64 + 1) * line.step.0 * 1000;
    let clock = Clock::Local { zero, zone: Zone::between(zero, zero + length as i64, time::offset) };
    let [watching, chat, latency, freezes] = figures_state::notes(all, |at| clock.words(at - from));
    let count = |list: &[u32]| list.iter().map(|value| Some((*value).into())).collect();
    let ghost = before.map(|before| {
        ("last time".into(), Rc::new(count(&merge_state::aligned(&before.timeline, line.step.0))))
    });
    let told = line.latency.iter().map(|value| value.map(f64::from)).collect();
    let rows: [(Row, String, Vec<Option<f64>>); 4] = [
        (VIEWERS, watching, count(&line.viewers)),
        (CHAT, chat, count(&line.chat_messages)),
        (LATENCY, latency, told),
        (FREEZES, freezes, count(&line.freezes)),
    ];
    let mut panels: Vec<Panel> =
        rows.into_iter().map(|(row, note, values)| panel(row, note, values)).collect();
    panels[0].ghost = ghost;
    let mark = |one: figures_state::Happening| Mark {
        at: one.at - from,
        until: one.until.map(|until| until - from),
        text: one.text.into(),
    };
    let marks: Vec<Mark> =
        figures_state::happenings(summary.start_time, &all.markers).into_iter().map(mark).collect();
    html! {
        <Chart id="evening" panels={panels} step={line.step.0 as f64} lead=0.5 clock={clock} marks={marks} time_name="Time"
            label="Viewers, chat messages, latency and freezes over time. Arrow keys read the values out." />
    }
}

/// What is the same for every broadcast: id, name, look, colour, unit, height, what is said where there is nothing.
type Row = (&'static str, &'static str, Look, &'static str, Unit, f64, &'static str);

const VIEWERS: Row = (
    "viewers",
    "Viewers",
    Look::Area,
    "tone-accent",
    Unit::Count("viewer", "viewers"),
    220.0,
    "nobody counted",
);
const CHAT: Row = (
    "chat",
    "Chat messages",
    Look::Bars,
    "tone-quiet",
    Unit::Count("message", "messages"),
    64.0,
    "no messages",
);
const LATENCY: Row =
    ("latency", "Latency", Look::Line, "tone-good", Unit::Millis("behind"), 64.0, "latency not told");
const FREEZES: Row =
    ("freezes", "Freezes", Look::Bars, "tone-live", Unit::Count("freeze", "freezes"), 48.0, "no freezes");
const STAYING: Row = (
    "retention",
    "Still watching",
    Look::Area,
    "tone-accent",
    Unit::Percent("of all views"),
    240.0,
    "not told",
);

fn panel(row: Row, note: String, values: Vec<Option<f64>>) -> Panel {
    let (id, name, look, tone, unit, height, silence) = row;
    let least = if id == "retention" { 100.0 } else { 1.0 };
    let (values, peak) = (Rc::new(values), id == "viewers");
    Panel { id, name, note: note.into(), look, tone, unit, values, ghost: None, height, least, peak, silence }
}

fn staying(all: &BroadcastAnalytics) -> Html {
    let parts: Vec<Option<f64>> = all.retention.iter().map(|part| Some(part * 100.0)).collect();
    let none = parts.is_empty();
    let panels = vec![panel(STAYING, figures_state::staying(&all.retention), parts)];
    let chart = if none {
        words("p", "quiet", "No views yet.")
    } else {
        html! {
            <Chart id="staying" panels={panels} step=60.0 lead=0.0 clock={Clock::Since} time_name="After"
                label="The part of all views that lasted so many minutes. Arrow keys read the values out." />
        }
    };
    card("staying-title", vec![titled("staying-title", "How long people stay"), chart])
}

fn quality(all: &BroadcastAnalytics) -> Html {
    let quality = &all.quality;
    let fact = |(id, name, value, note): figures_state::Fact| {
        let parts = vec![words("dt", "", name), words("dd", "fact-value", value), words("dd", "quiet", note)];
        el_with("div", "", &[("data-testid", id)], parts)
    };
    let (reports, views) = (exact(quality.reports), exact(all.summary.total_views));
    let parts = vec![
        titled("quality-title", "How well it played"),
        el("dl", "quality", figures_state::facts(all).map(fact).into()),
        el("div", "played", vec![breakdown(By::Codec, &quality.codecs), breakdown(By::Size, &quality.sizes)]),
        words("p", "field-note", format!("As measured by the players of {reports} of {views} views.")),
    ];
    card("quality-title", parts)
}
