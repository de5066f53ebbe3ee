//! The studio.

use super::{
    arrival,
    arrival_state::{self, Announcer},
    engine::{Engine, Snapshot, codecs},
    ladder,
    live::{Level, OnAir, Strip},
    obs::ObsCard,
    sources::{Mode, Sources},
    studio_state::{self, Mark, Qualities, Stage},
};
use crate::{
    api::{context::use_reachable, use_events},
    browser::{media::DeviceKind, video},
    route::{Link, Route},
    ui::{Button, Choice, Kind, Notice, Select, Shape, icon},
};
use shared::{channel::Channel, id::ChannelName};
use std::rc::Rc;
use yew::prelude::*;

/// Properties of [`Studio`].
#[derive(Properties, PartialEq)]
pub struct StudioProps {
    /// Where it publishes to.
    pub channel: Rc<Channel>,
    /// The form with title and the like.
    pub details: Html,
    /// What people write, while it is live.
    pub chat: Html,
    /// What happened on the channel.
    pub activity: Html,
    /// What else stands beside the heading.
    #[prop_or_default]
    pub switch: Html,
}

/// Preview and sources on one side, what is ready and the button on the other.
#[component]
pub fn Studio(props: &StudioProps) -> Html {
    let events = use_events();
    let snapshot = use_state(Engine::empty);
    let engine = use_state(|| None::<Engine>);
    let preview = use_node_ref();
    let name = props.channel.name.clone();
    {
        let (snapshot, slot) = (snapshot.clone(), engine.clone());
        use_effect_with((name.clone(), events), move |(name, events)| {
            let report = Callback::from(move |next: Snapshot| snapshot.set(next));
            let started = Engine::new(name.clone(), events, report);
            slot.set(Some(started.clone()));
            move || started.leave()
        });
    }
    {
        let preview = preview.clone();
        use_effect_with(snapshot.preview.clone(), move |stream| video::attach(&preview, stream.as_ref()));
    }
    let reachable = use_reachable();
    let announcer = use_mut_ref(Announcer::default);
    let Some(engine) = (*engine).clone() else { return Html::default() };
    let snapshot: &Snapshot = &snapshot;
    let on_air = !matches!(snapshot.stage, Stage::Ready | Stage::TakenOver);
    let sent = snapshot.charts.sent();
    let news = match arrival::arrives(snapshot) {
        Some(health) => announcer.borrow_mut().words(arrival_state::shown(&health.findings, snapshot.paused)),
        None => {
            announcer.take();
            String::new()
        }
    };
    let wake = {
        let engine = engine.clone();
        move |_: PointerEvent| engine.wake()
    };
    html! {
        <article class="studio" onpointerdown={wake}>
            <header class="studio-head">
                <h1>{ "Studio" }</h1>
                { props.switch.clone() }
                <Link to={Route::Analytics { channel: Some(name.to_string()), broadcast: None }} classes="button button-bare">
                    <span>{ "Analytics" }</span></Link>
                <Link to={Route::Channel { channel: name.to_string() }} classes="button button-bare">
                    <span>{ "Open channel page" }</span></Link>
            </header>
            <div class="studio-main">
                <div class="preview" data-testid="preview-box">
                    <video ref={preview} autoplay=true playsinline=true muted=true data-testid="preview"></video>
                    if let Err(why) = &snapshot.video {
                        <div class="screen"><Notice icon={Shape::Camera} title="No picture yet" text={why.clone()} /></div>
                    }
                    if snapshot.paused && on_air { <span class="badge badge-warn preview-badge">{ "Paused" }</span> }
                    else if on_air { <span class="badge badge-live preview-badge">{ "Live" }</span> }
                </div>
                <Level engine={engine.clone()} />
                // Figures change each second and aren't read out; what is new is, once.
                <p class="hidden-words" role="status" data-testid="news">{ news }</p>
                { arrival::findings(snapshot) }
                if on_air { <Strip snapshot={snapshot.clone()} engine={engine.clone()} /> }
                { arrival::arrival(snapshot, on_air.then_some(&sent)) }
                if on_air { { ladder::ladder(snapshot, &engine) } }
                <Devices snapshot={snapshot.clone()} engine={engine.clone()} fixed={on_air} />
            </div>
            <aside class="studio-side">
                if on_air {
                    <OnAir snapshot={snapshot.clone()} engine={engine.clone()} />
                    { props.chat.clone() }
                } else {
                    <Ready snapshot={snapshot.clone()} engine={engine.clone()} reachable={reachable}
                        title={props.channel.title.to_string()} channel={name.clone()} />
                }
                { props.activity.clone() }
                <section class="card" aria-label="About the broadcast">{ props.details.clone() }</section>
                if !on_air { <ObsCard key={name.to_string()} channel={name.clone()} /> }
            </aside>
        </article>
    }
}

#[derive(Properties, PartialEq)]
struct ReadyProps {
    snapshot: Snapshot,
    engine: Engine,
    reachable: bool,
    title: AttrValue,
    channel: ChannelName,
}

/// The list that turns green, and the button.
#[component]
fn Ready(props: &ReadyProps) -> Html {
    let snapshot = &props.snapshot;
    let (lines, can) = studio_state::readiness(&studio_state::Sources {
        picture: snapshot.mode.name(),
        video: snapshot.video.clone(),
        audio: snapshot.audio.clone(),
        silent: snapshot.silent,
        server: props.reachable,
        title: props.title.to_string(),
    });
    let line = |line: studio_state::Line| {
        let (shape, class) = match line.mark {
            Mark::Ready => (Shape::Check, "ready"),
            Mark::Pending => (Shape::Clock, "pending"),
            Mark::Missing => (Shape::Alert, "missing"),
            Mark::Optional => (Shape::Circle, "optional"),
        };
        html! {
            <li class={class} data-mark={class}>
                { icon(shape) }<span><b>{ line.name }</b><span class="quiet">{ line.words }</span></span>
            </li>
        }
    };
    let go = {
        let engine = props.engine.clone();
        Callback::from(move |()| engine.go_live())
    };
    // A key of this channel that is in use elsewhere would be thrown out without a word.
    let elsewhere = snapshot
        .health
        .as_ref()
        .and_then(|health| health.session.as_ref().map(|_| health.user_agent.clone()));
    let taken = snapshot.stage == Stage::TakenOver;
    html! {
        <section class="card ready-card" aria-label="Ready to go live">
            if taken || elsewhere.is_some() {
                <p class="callout" role="status">
                    { if taken { "Another program went live here and took over from this page." }
                      else { "Another program is live on this channel." } }
                    { " Going live here takes over; viewers stay." }
                </p>
            }
            <ul class="ready-list" data-testid="readiness">{ for lines.into_iter().map(line) }</ul>
            if let Some(error) = &snapshot.error { <p class="field-note field-error" role="alert">{ error }</p> }
            <Button label={if taken || elsewhere.is_some() { "Take over here" } else { "Go live" }} icon={Shape::Live}
                kind={Kind::Primary} disabled={!can} on={go} testid="go-live" />
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct DevicesProps {
    snapshot: Snapshot,
    engine: Engine,
    /// What can't change while live.
    fixed: bool,
}

/// What to send: sources, devices, codec.
#[component]
fn Devices(props: &DevicesProps) -> Html {
    let (snapshot, engine) = (&props.snapshot, &props.engine);
    let modes = [
        (Mode::Camera, Shape::Camera, "Camera", "source-camera"),
        (Mode::Screen, Shape::Screen, "Screen", "source-screen"),
        (Mode::Both, Shape::Both, "Both", "source-both"),
    ];
    let shares = Sources::can_share();
    let mode = |(mode, shape, label, testid): (Mode, Shape, &'static str, &'static str)| {
        let engine = engine.clone();
        html! {
            <button type="button" class="segment" aria-pressed={if snapshot.mode == mode { "true" } else { "false" }}
                onclick={move |_: MouseEvent| engine.set_mode(mode)} data-testid={testid}>
                { icon(shape) }<span>{ label }</span>
            </button>
        }
    };
    let choices = |kind: DeviceKind, what: &str, none: &str| -> Vec<Choice> {
        let devices = snapshot.devices.iter().filter(|device| device.kind == kind);
        let named = devices.enumerate().map(|(at, device)| {
            let label =
                if device.label.is_empty() { format!("{what} {}", at + 1) } else { device.label.clone() };
            Choice::new(device.id.clone(), label)
        });
        let found: Vec<_> = named.collect();
        if found.is_empty() { vec![Choice::new("", none.to_owned())] } else { found }
    };
    let with = |act: fn(&Engine, String)| {
        let engine = engine.clone();
        Callback::from(move |value: String| act(&engine, value))
    };
    let codecs = std::iter::once(Choice::new("", "Auto")).chain(
        codecs().into_iter().map(|codec| Choice::new(codec, if codec == "H264" { "H.264" } else { codec })),
    );
    let bitrates = [(1_500_000, "1.5 Mbit/s"), (2_500_000, "2.5 Mbit/s"), (4_000_000, "4 Mbit/s")];
    let bitrates: Vec<_> =
        bitrates.iter().map(|(bits, label)| Choice::new(bits.to_string(), *label)).collect();
    html! {
        <section class="card devices" aria-label="Sources">
            if shares {
                <div class="segments" role="group" aria-label="Picture">{ for modes.into_iter().map(mode) }</div>
            }
            <div class="devices-grid">
                <Select id="camera" label="Camera" value={snapshot.camera.clone().unwrap_or_default()} testid="camera"
                    choices={choices(DeviceKind::Camera, "Camera", "No camera found")} on={with(Engine::pick_camera)} />
                <Select id="microphone" label="Microphone" value={snapshot.microphone.clone().unwrap_or_default()}
                    testid="microphone" choices={choices(DeviceKind::Microphone, "Microphone", "No microphone found")}
                    on={with(Engine::pick_microphone)} />
                <Select id="codec" label="Codec" value={snapshot.codec.clone()} testid="codec" disabled={props.fixed}
                    choices={codecs.collect::<Vec<_>>()} on={with(Engine::set_codec)} />
                <Select id="bitrate" label="At most" value={snapshot.bitrate.to_string()} testid="bitrate"
                    disabled={props.fixed} choices={bitrates}
                    on={with(|engine, value| engine.set_bitrate(value.parse().unwrap_or(2_500_000)))} />
                <Select id="qualities" label="Qualities" value={snapshot.qualities.name()} testid="qualities"
                    disabled={props.fixed} hint={snapshot.qualities.hint()}
                    choices={Qualities::ALL.map(|one| Choice::new(one.name(), one.label())).to_vec()}
                    on={with(|engine, value| engine.set_qualities(&value))} />
            </div>
            if !snapshot.sends.is_empty() && props.fixed {
                <p class="field-note">{ format!("Sending {}. This can be changed after the end.", snapshot.sends) }</p>
            }
        </section>
    }
}
