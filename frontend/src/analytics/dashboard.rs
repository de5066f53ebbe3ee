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
        Chart, Clock, Look, Mark, Notice, Panel, Shape, Skeleton, Toggle, Unit, Values,
        format_state::{decimal, exact, viewers},
        icon,
    },
};
use shared::analytics::BroadcastAnalytics;
use std::rc::Rc;
use yew::prelude::*;

fn values<T: Copy + Into<f64>>(list: &[T]) -> Values {
    Rc::new(list.iter().map(|value| Some((*value).into())).collect())
}

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
    let clock = Clock::Local { zero: summary.start_time.as_millis() + line.from.0 as i64 * 1000, offset };
    let peak = match all.peak_at {
        Some(at) => {
            let seconds = at.since(summary.start_time).as_secs_f64() - line.from.0 as f64;
            format!("Peak {} at {}", exact(summary.peak_viewers.into()), clock.words(seconds))
        }
        None => String::new(),
    };
    let chat = format!("{} a minute, {} wrote", decimal(all.chat_rate, 1), people(all.chatters));
    let latency: Values = Rc::new(line.latency.iter().map(|value| value.map(f64::from)).collect());
    let middle = all.quality.latency.map(|spread| format!("Median {}", figures_state::seconds(spread.p50)));
    let frozen = format!("{} in all", exact(all.quality.freezes));
    let panel = |id, name, note: String, look, tone, unit, values, height, silence| Panel {
        id,
        name,
        note: note.into(),
        look,
        tone,
        unit,
        values,
        ghost: None,
        height,
        least: 1.0,
        peak: id == "viewers",
        silence,
    };
    let mut watching = panel(
        "viewers",
        "Viewers",
        peak,
        Look::Area,
        "tone-accent",
        Unit::Count("viewer", "viewers"),
        values(&line.viewers),
        220.0,
        "nobody counted",
    );
    watching.ghost = before
        .map(|before| ("last time".into(), values(&merge_state::aligned(&before.timeline, line.step.0))));
    let panels = vec![
        watching,
        panel(
            "chat",
            "Chat messages",
            chat,
            Look::Bars,
            "tone-quiet",
            Unit::Count("message", "messages"),
            values(&line.chat_messages),
            64.0,
            "no messages",
        ),
        panel(
            "latency",
            "Latency",
            middle.unwrap_or_default(),
            Look::Line,
            "tone-good",
            Unit::Millis("behind"),
            latency,
            64.0,
            "latency not told",
        ),
        panel(
            "freezes",
            "Freezes",
            frozen,
            Look::Bars,
            "tone-live",
            Unit::Count("freeze", "freezes"),
            values(&line.freezes),
            48.0,
            "no freezes",
        ),
    ];
    let marks = figures_state::happenings(summary.start_time, &all.markers).into_iter();
    let marks: Vec<Mark> = marks
        .map(|one| Mark {
            at: one.at - line.from.0 as f64,
            until: one.until.map(|until| until - line.from.0 as f64),
            text: one.text.into(),
        })
        .collect();
    html! {
        <Chart id="evening" panels={panels} step={line.step.0 as f64} lead=0.5 clock={clock} marks={marks} time_name="Time"
            label="Viewers, chat messages, latency and freezes over time. Arrow keys read the values out." />
    }
}

fn people(count: u64) -> String {
    if count == 1 { "1 person".to_owned() } else { format!("{} people", exact(count)) }
}

fn staying(all: &BroadcastAnalytics) -> Html {
    let parts: Vec<f64> = all.retention.iter().map(|part| part * 100.0).collect();
    let panel = Panel {
        id: "retention",
        name: "Still watching",
        note: figures_state::staying(&all.retention).into(),
        look: Look::Area,
        tone: "tone-accent",
        unit: Unit::Percent("of all views"),
        values: values(&parts),
        ghost: None,
        height: 240.0,
        least: 100.0,
        peak: false,
        silence: "not told",
    };
    html! {
        <section class="card" aria-labelledby="staying-title">
            <h2 id="staying-title">{ "How long people stay" }</h2>
            if parts.is_empty() {
                <p class="quiet">{ "No views yet." }</p>
            } else {
                <Chart id="staying" panels={vec![panel]} step=60.0 lead=0.0 clock={Clock::Since} time_name="After"
                    label="The part of all views that lasted so many minutes. Arrow keys read the values out." />
            }
        </section>
    }
}

fn quality(all: &BroadcastAnalytics) -> Html {
    let quality = &all.quality;
    let fact = |id: &'static str, name: &'static str, (value, note): (String, String)| {
        html! {
            <div data-testid={id}>
                <dt>{ name }</dt><dd class="fact-value">{ value }</dd><dd class="quiet">{ note }</dd>
            </div>
        }
    };
    let left = (
        exact(quality.exits_after_freeze),
        match quality.exits_after_freeze {
            0 => "No view ended within 10 s of a freeze".to_owned(),
            _ => "views ended within 10 s of a freeze".to_owned(),
        },
    );
    html! {
        <section class="card" aria-labelledby="quality-title">
            <h2 id="quality-title">{ "How well it played" }</h2>
            <dl class="quality">
                { fact("join-time", "To the first picture", figures_state::spread(quality.join_time)) }
                { fact("latency", "Behind the streamer", figures_state::spread(quality.latency)) }
                { fact("freezes", "Freezes", figures_state::freezes(all)) }
                { fact("exits", "Left after a freeze", left) }
            </dl>
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
