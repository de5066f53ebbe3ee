//! The bar under the picture.

use super::{
    latency_state,
    player_state::View,
    quality_state::{self, Choice, Entry},
    snapshot::Snapshot,
    sound::Sound,
};
use crate::{
    browser::{page, rtc},
    ui::{IconButton, Item, Menu, Shape, format_state, icon},
};
use shared::broadcast::Rendition;
use yew::prelude::*;

/// Properties of [`Controls`].
#[derive(Properties, PartialEq)]
pub struct ControlsProps {
    /// What there is to show.
    pub snapshot: Snapshot,
    /// How loud it is.
    pub sound: Sound,
    /// It fills the page.
    pub theatre: bool,
    /// It fills the screen.
    pub full: bool,
    /// Statistics are shown.
    pub stats: bool,
    /// Play or pause.
    pub on_play: Callback<()>,
    /// Louder, quieter, silent.
    pub on_sound: Callback<Sound>,
    /// Statistics on or off.
    pub on_stats: Callback<()>,
    /// What the viewer wants of the picture.
    pub on_quality: Callback<Choice>,
    /// The list of qualities opens, or closes.
    pub on_look: Callback<bool>,
    /// Theatre on or off.
    pub on_theatre: Option<Callback<()>>,
    /// Full screen on or off.
    pub on_full: Callback<()>,
    /// A window of its own.
    pub on_window: Callback<()>,
    /// The list of keys.
    pub on_help: Callback<()>,
}

/// What there is to choose from.
fn qualities(snapshot: &Snapshot, on: &Callback<Choice>) -> Vec<Item> {
    let none: &[Rendition] = &[];
    let all = snapshot.channel.as_ref().map_or(none, |channel| &channel.renditions);
    let entries = quality_state::entries(
        all,
        &snapshot.choice,
        snapshot.playing.as_deref(),
        (&snapshot.quality.codec, snapshot.quality.size),
        |codec| rtc::can_receive(codec.name()),
        format_state::bitrate,
    );
    let is_choice = entries.len() > 1;
    let item = |entry: Entry| {
        let (on, choice) = (on.clone(), entry.choice);
        Item {
            label: entry.label.into(),
            icon: None,
            picked: Some(entry.picked),
            on: (is_choice && entry.can).then(|| Callback::from(move |()| on.emit(choice.clone()))),
            testid: None,
        }
    };
    entries.into_iter().map(item).collect()
}

/// Play, volume, live badge; quality, statistics, windows.
#[component]
pub fn Controls(props: &ControlsProps) -> Html {
    let (sound, paused) = (props.sound, props.snapshot.paused);
    let silent = sound.muted || sound.volume == 0.0;
    let speaker = match () {
        () if silent => Shape::Muted,
        () if sound.volume < 0.5 => Shape::Quiet,
        () => Shape::Sound,
    };
    let mute = {
        let on = props.on_sound.clone();
        Callback::from(move |()| {
            // Turning on from zero would change nothing that can be heard.
            let volume = if silent && sound.volume < 0.05 { 0.5 } else { sound.volume };
            on.emit(Sound { volume, muted: !silent });
        })
    };
    let slide = {
        let on = props.on_sound.clone();
        move |event: InputEvent| {
            let volume = f64::from(page::typed(&event).parse::<u8>().unwrap_or(100)) / 100.0;
            on.emit(Sound { volume, muted: volume == 0.0 });
        }
    };
    let shown = if silent { 0.0 } else { sound.volume };
    let items = qualities(&props.snapshot, &props.on_quality);
    html! {
        <div class="controls">
            <IconButton icon={if paused { Shape::Play } else { Shape::Pause }} on={props.on_play.clone()}
                label={if paused { "Play (K)" } else { "Pause (K)" }} testid="play" />
            <div class="volume">
                <IconButton icon={speaker} label={if silent { "Sound on (M)" } else { "Sound off (M)" }} on={mute}
                    testid="mute" />
                <input type="range" min="0" max="100" step="1" value={format!("{:.0}", shown * 100.0)}
                    style={format!("--filled:{:.0}%", shown * 100.0)}
                    aria-label="Volume" oninput={slide} data-testid="volume" />
            </div>
            { live_badge(&props.snapshot, &props.on_play) }
            <span class="controls-space"></span>
            if !items.is_empty() {
                <Menu label="Quality" items={items} up=true testid="quality"
                    on_open={props.on_look.clone()}>{ icon(Shape::Gear) }</Menu>
            }
            <IconButton icon={Shape::Chart} label="Statistics (S)" pressed={props.stats} on={props.on_stats.clone()}
                testid="stats-toggle" />
            <span class="controls-wide">
                <IconButton icon={Shape::Keyboard} label="Keys (?)" on={props.on_help.clone()} testid="keys" />
                if page::has_picture_in_picture() {
                    <IconButton icon={Shape::Window} label="Picture in picture (I)" on={props.on_window.clone()}
                        testid="pip" />
                }
                if let Some(on) = &props.on_theatre {
                    <IconButton icon={Shape::Theatre} label="Theatre (T)" pressed={props.theatre} on={on.clone()}
                        testid="theatre" />
                }
            </span>
            <IconButton icon={if props.full { Shape::Shrink } else { Shape::Enlarge }} label="Full screen (F)"
                on={props.on_full.clone()} testid="full-screen" />
        </div>
    }
}

/// Live, and how far behind.
fn live_badge(snapshot: &Snapshot, on_play: &Callback<()>) -> Html {
    match snapshot.view {
        // What plays on is always the live edge.
        View::Live if snapshot.paused => {
            let on = on_play.clone();
            html! {
                <button type="button" class="badge badge-go" onclick={move |_: MouseEvent| on.emit(())}
                    data-testid="go-to-live"><span class="dot"></span>{ "Go live" }</button>
            }
        }
        View::Live => html! {
            <span class="badge badge-live" title="Measured, from the streamer's computer to this screen"
                data-testid="live-badge">
                { "Live" }
                if let Some(latency) = snapshot.latency {
                    <span>{ format!("· {}", latency_state::words(latency)) }</span>
                }
            </span>
        },
        View::Waiting => html! { <span class="badge badge-warn">{ "Waiting" }</span> },
        _ => html! { <span class="badge">{ "Not live" }</span> },
    }
}
