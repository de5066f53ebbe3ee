//! One broadcast's analytics.

use super::{
    breakdown::breakdown,
    engine::Snapshot,
    figures_state::{self, Figure},
    merge_state,
    words_state::{By, date},
};
use crate::{
    api::rest,
    browser::time,
    ui::{
        Chart, Clock, Look, Mark, Notice, Panel, Shape, Skeleton, Toggle, Unit,
        format_state::{exact, viewers},
        icon,
    },
};
use shared::analytics::BroadcastAnalytics;
use std::rc::Rc;
use yew::prelude::*;

/// Four numbers, the evening, how long people stayed, how well it played, and who they were.
pub fn dashboard(snapshot: &Snapshot, compare: Callback<bool>) -> Html {
    let Some(all) = &snapshot.all else {
        return match &snapshot.error {
            Some(failure) if failure.status() == Some(404) => html! {
                <Notice icon={Shape::Alert} title="There is no broadcast here."
                    text="It never was, or it is another channel's. Pick one from the list." />
            },
            Some(failure) => html! {
                <Notice icon={Shape::Alert} title="The numbers didn't come." text={failure.sentence()} />
            },
            None => html! { <Skeleton class="skeleton-hero" /> },
        };
    };
    let summary = &all.summary;
    let start = summary.start_time.as_millis();
    let offset = time::offset(start);
    let live = summary.end_time.is_none();
    let export = |kind: &'static str, label: &'static str| {
        html! {
            <a class="button" href={rest::analytics_file(&summary.stream_id, kind)} download="" data-testid={format!("export-{kind}")}>
                { icon(Shape::Download) }<span>{ label }</span></a>
        }
    };
    let title = match summary.title.as_str() {
        "" => "Without a title",
        title => title,
    };
    let ghost = snapshot.before.as_deref().filter(|_| snapshot.compares);
    html! {
        <>
            <section class="broadcast-head" aria-label="Broadcast">
                <div>
                    <h2 data-testid="broadcast-title">{ title }</h2>
                    <ul class="facts">
                        if live {
                            <li><span class="badge badge-live" data-testid="live-now">{ "Live" }</span></li>
                            <li class="number" data-testid="watching">{ format!("{} now", viewers(all.concurrent_viewers)) }</li>
                        }
                        <li>{ date(start, offset) }</li>
                        <li class="number">{ figures_state::spell(summary.duration.0 as f64) }</li>
                        if !summary.category.as_str().is_empty() { <li>{ summary.category.as_str() }</li> }
                    </ul>
                </div>
                <div class="actions">{ export("csv", "CSV") }{ export("json", "JSON") }</div>
            </section>
            if let Some(failure) = &snapshot.error {
                <p class="callout" role="status">{ failure.sentence() }</p>
            }
            <section class="figures" aria-label="In short">
                { for figures_state::figures(summary, all.previous.as_ref()).into_iter().map(figure) }
            </section>
            <section class="card" aria-labelledby="evening-title">
                <div class="card-head">
                    <h2 id="evening-title">{ "Over time" }</h2>
                    if all.previous.is_some() {
                        <Toggle label="Compare with the last broadcast" on={snapshot.compares} change={compare} />
                    }
                </div>
                { evening(all, ghost, offset) }
            </section>
            <div class="halves">
                { staying(all) }
                { quality(all) }
            </div>
            <div class="breakdowns">
                { breakdown(By::Region, &all.regions) }
                { breakdown(By::Device, &all.devices) }
                { breakdown(By::Browser, &all.browsers) }
                { breakdown(By::Referrer, &all.referrers) }
                { breakdown(By::Embed, &all.embeds) }
            </div>
        </>
    }
}

fn figure(figure: Figure) -> Html {
    html! {
        <dl class="figure" data-testid={format!("figure-{}", figure.id)}>
            <dt>{ figure.name }</dt>
            <dd class="figure-value">{ figure.value }</dd>
            <dd class={classes!("figure-change", figure.way.class())}>
                <span aria-hidden="true">{ figure.way.arrow() }</span>{ figure.change }
            </dd>
        </dl>
    }
}

/// Audience and quality on one axis: whoever sees the viewers leave sees what they saw.
fn evening(all: &BroadcastAnalytics, before: Option<&BroadcastAnalytics>, offset: i32) -> Html {
    let (summary, line) = (&all.summary, &all.timeline);
    if line.viewers.is_empty() {
        return html! { <p class="quiet">{ "The first step of five seconds isn't over yet." }</p> };
    }
    let from = line.from.0 as f64;
    let clock = Clock::Local { zero: summary.start_time.as_millis() + line.from.0 as i64 * 1000, offset };
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
    html! {
        <section class="card" aria-labelledby="staying-title">
            <h2 id="staying-title">{ "How long people stay" }</h2>
            if none {
                <p class="quiet">{ "No views yet." }</p>
            } else {
                <Chart id="staying" panels={panels} step=60.0 lead=0.0 clock={Clock::Since} time_name="After"
                    label="The part of all views that lasted so many minutes. Arrow keys read the values out." />
            }
        </section>
    }
}

fn quality(all: &BroadcastAnalytics) -> Html {
    let quality = &all.quality;
    let fact = |(id, name, value, note): figures_state::Fact| {
        html! {
            <div data-testid={id}><dt>{ name }</dt><dd class="fact-value">{ value }</dd><dd class="quiet">{ note }</dd></div>
        }
    };
    html! {
        <section class="card" aria-labelledby="quality-title">
            <h2 id="quality-title">{ "How well it played" }</h2>
            <dl class="quality">{ for figures_state::facts(all).into_iter().map(fact) }</dl>
            <div class="played">
                { breakdown(By::Codec, &quality.codecs) }
                { breakdown(By::Size, &quality.sizes) }
            </div>
            <p class="field-note">
                { format!("As measured by the players of {} of {} views.", exact(quality.reports), exact(all.summary.total_views)) }
            </p>
        </section>
    }
}
