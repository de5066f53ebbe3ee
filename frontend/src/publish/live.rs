//! What the studio shows while it is live.

use super::{
    engine::{Engine, Snapshot},
    studio_state::Stage,
};
use crate::{
    browser::time,
    ui::{Button, Kind, Meter, Shape, Sparkline, format_state, icon, use_seconds},
};
use shared::unit::Timestamp;
use yew::prelude::*;

/// Properties of [`Strip`] and [`OnAir`].
#[derive(Properties, PartialEq)]
pub struct LiveProps {
    /// What it shows.
    pub snapshot: Snapshot,
    /// What it moves.
    pub engine: Engine,
}

/// How well it goes out and arrives, over the last minute.
#[component]
pub fn Strip(props: &LiveProps) -> Html {
    let charts = &props.snapshot.charts;
    let last = |values: &[f32]| values.last().copied().unwrap_or_default();
    let (loss, round_trip) = (last(&charts.loss), last(&charts.round_trip));
    let tone = |bad: bool| if bad { "warn" } else { "good" };
    let slow = last(&charts.frame_rate) < 20.0 && !props.snapshot.paused && charts.frame_rate.len() > 5;
    html! {
        <section class="strip" aria-label="Health over the last minute" data-testid="health">
            <Sparkline label="Sent" now={format_state::bitrate(last(&charts.bitrate) as u64)}
                values={charts.bitrate.clone()} least_top=1e6 />
            <Sparkline label="Frame rate" now={format!("{:.0} fps", last(&charts.frame_rate))}
                values={charts.frame_rate.clone()} least_top=30.0 tone={tone(slow)} />
            <Sparkline label="Loss" now={format_state::percent(loss.into())} values={charts.loss.clone()}
                least_top=0.05 tone={tone(loss > 0.02)} />
            <Sparkline label="Round trip" now={format!("{round_trip:.0} ms")} values={charts.round_trip.clone()}
                least_top=100.0 tone={tone(round_trip > 200.0)} />
        </section>
    }
}

/// State, viewers, time; pause and end.
#[component]
pub fn OnAir(props: &LiveProps) -> Html {
    let (snapshot, engine) = (&props.snapshot, &props.engine);
    let now = use_seconds(true);
    let channel = snapshot.channel.as_deref();
    let started = channel.and_then(|channel| channel.start_time);
    let clock = started.map(|started| {
        format_state::clock(Timestamp::from_millis(now + snapshot.clock_offset).since(started).as_secs())
    });
    let viewers = channel.map_or(0, |channel| channel.viewer_count);
    let (badge, tone, words) = match snapshot.stage {
        Stage::Starting => ("Starting", "badge", "Connecting to the server …"),
        Stage::Reconnecting => (
            "Reconnecting",
            "badge badge-warn",
            "The connection to the server is lost. Weir tries again until you end; your viewers wait.",
        ),
        Stage::Ending { .. } => ("Ending", "badge badge-warn", ""),
        _ if snapshot.paused => {
            ("Paused", "badge badge-warn", "Viewers see black and hear nothing. You are still live.")
        }
        _ => ("Live", "badge badge-live", "You are live. People can watch now."),
    };
    let on = |act: fn(&Engine)| {
        let engine = engine.clone();
        Callback::from(move |()| act(&engine))
    };
    html! {
        <section class="card on-air" aria-label="Broadcast">
            <div class="on-air-head">
                <span class={tone} role="status" data-testid="stage">{ badge }</span>
                if let Some(clock) = clock { <span class="number" data-testid="duration">{ clock }</span> }
                <span class="number facts-right" data-testid="viewers">
                    { icon(Shape::People) }{ format_state::viewers(viewers) }</span>
            </div>
            if let Stage::Ending { .. } = snapshot.stage {
                <Countdown engine={engine.clone()} />
                <div class="actions">
                    <Button label="Undo" kind={Kind::Primary} on={on(Engine::undo)} testid="undo" />
                    <Button label="End now" kind={Kind::Danger} on={on(Engine::end_now)} testid="end-now" />
                </div>
            } else {
                <p>{ words }</p>
                <div class="actions">
                    if snapshot.stage != Stage::Starting {
                        if snapshot.paused {
                            <Button label="Go on" icon={Shape::Play} kind={Kind::Primary}
                                on={on(|engine| engine.pause(false))} testid="resume" />
                        } else {
                            <Button label="Pause" icon={Shape::Pause} on={on(|engine| engine.pause(true))} testid="pause" />
                        }
                    }
                    <Button label={if snapshot.stage == Stage::Starting { "Cancel" } else { "End" }} kind={Kind::Danger}
                        on={on(Engine::end)} testid="end" />
                </div>
            }
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct CountdownProps {
    engine: Engine,
}

#[component]
fn Countdown(props: &CountdownProps) -> Html {
    let left = use_state(|| props.engine.until_end());
    {
        let (left, engine) = (left.clone(), props.engine.clone());
        use_effect_with((), move |()| {
            let timer = time::every(200, move || left.set(engine.until_end()));
            move || drop(timer)
        });
    }
    let seconds = left.unwrap_or_default().div_ceil(1000);
    html! { <p class="number" role="timer">{ format!("The broadcast ends in {seconds} s. Viewers see you until then.") }</p> }
}

/// Properties of [`Level`].
#[derive(Properties, PartialEq)]
pub struct LevelProps {
    /// Whose microphone.
    pub engine: Engine,
}

/// The microphone's level, ten times a second, without drawing the rest of the studio again.
#[component]
pub fn Level(props: &LevelProps) -> Html {
    let level = use_state(|| 0.0_f32);
    {
        let (level, engine) = (level.clone(), props.engine.clone());
        use_effect_with((), move |()| {
            let mut shown = 0.0_f32;
            let timer = time::every(66, move || {
                let now = super::studio_state::meter(engine.peak());
                // Up at once, down slowly, as meters do.
                shown = now.max(shown - 0.04);
                level.set(shown);
            });
            move || drop(timer)
        });
    }
    html! { <Meter label="Microphone level" value={*level} testid="level" /> }
}
