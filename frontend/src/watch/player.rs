//! The player: picture, what is said over it, controls and keys.

use super::{
    controls::Controls,
    engine::{Engine, Snapshot},
    keys_state::{self, Act, KEYS},
    player_state::View,
    screen::Screen,
    sound::{self, Sound},
    stats::Stats,
};
use crate::{
    api::use_events,
    browser::{
        self, listen, page,
        time::{self, Timer},
        video,
    },
    ui::{Dialog, Shape, Toggle, icon},
};
use shared::id::ChannelName;
use yew::prelude::*;

/// How long controls stay without a move.
const STAY: i32 = 3000;

/// Properties of [`Player`].
#[derive(Properties, PartialEq)]
pub struct PlayerProps {
    /// What to watch.
    pub channel: ChannelName,
    /// What people call it.
    pub display_name: AttrValue,
    /// It fills the page.
    pub theatre: bool,
    /// Theatre on or off.
    pub on_theatre: Callback<()>,
    /// Each time there is something new to show.
    pub on_snapshot: Callback<Snapshot>,
}

/// The player.
#[component]
pub fn Player(props: &PlayerProps) -> Html {
    let events = use_events();
    let (root, screen) = (use_node_ref(), use_node_ref());
    let snapshot = use_state(Snapshot::default);
    let engine = use_mut_ref(|| None::<Engine>);
    let sound = use_state(sound::remembered);
    let paused = use_state(|| false);
    let (stats, help, full) = (use_state(|| false), use_state(|| false), use_state(|| false));
    let active = use_state(|| true);
    let keys_on = use_state(sound::keys_are_on);
    let idle = use_mut_ref(|| None::<Timer>);
    {
        let (slot, screen, snapshot) = (engine.clone(), screen.clone(), snapshot.clone());
        let outside = props.on_snapshot.clone();
        use_effect_with((props.channel.clone(), events), move |(channel, events)| {
            let report = Callback::from(move |next: Snapshot| {
                outside.emit(next.clone());
                snapshot.set(next);
            });
            let started = Engine::new(channel.clone(), screen, events, report);
            *slot.borrow_mut() = Some(started);
            move || drop(slot.take())
        });
    }
    let stir = {
        let (active, idle) = (active.clone(), idle.clone());
        Callback::from(move |()| {
            active.set(true);
            let active = active.clone();
            *idle.borrow_mut() = Some(time::after(STAY, move || active.set(false)));
        })
    };
    let on_play = {
        let (paused, screen, stir) = (paused.clone(), screen.clone(), stir.clone());
        Callback::from(move |()| {
            stir.emit(());
            if video::is_paused(&screen) {
                let screen = screen.clone();
                browser::spawn(async move {
                    video::play(&screen).await;
                });
                paused.set(false);
            } else {
                video::pause(&screen);
                paused.set(true);
            }
        })
    };
    let on_sound = {
        let (sound, screen, engine, stir) = (sound.clone(), screen.clone(), engine.clone(), stir.clone());
        Callback::from(move |next: Sound| {
            let next = Sound { volume: next.volume.clamp(0.0, 1.0), ..next };
            stir.emit(());
            video::set_sound(&screen, next.volume, next.muted);
            sound::remember(next);
            sound.set(next);
            if let Some(engine) = engine.borrow().as_ref() {
                engine.unblock();
            }
        })
    };
    let on_full = {
        let (root, screen) = (root.clone(), screen.clone());
        Callback::from(move |()| page::toggle_full_screen(&root, &screen))
    };
    let on_window = {
        let screen = screen.clone();
        Callback::from(move |()| {
            let screen = screen.clone();
            browser::spawn(async move { page::toggle_picture_in_picture(&screen).await });
        })
    };
    let flip = |state: &UseStateHandle<bool>| {
        let state = state.clone();
        Callback::from(move |()| state.set(!*state))
    };
    let (on_stats, on_help) = (flip(&stats), flip(&help));
    let help_is_open = help.clone();
    // What is heard now: silent as long as the browser insists.
    let heard = Sound { muted: sound.muted || snapshot.blocked, ..*sound };
    {
        let full = full.clone();
        use_effect_with((), move |()| {
            let listener = listen::document("fullscreenchange", move || full.set(page::is_full_screen()));
            move || drop(listener)
        });
    }
    {
        let (play, set_sound, full, window, help) =
            (on_play.clone(), on_sound.clone(), on_full.clone(), on_window.clone(), on_help.clone());
        let theatre = props.on_theatre.clone();
        let deps = (heard, *keys_on, props.theatre, *paused, *help_is_open);
        use_effect_with(deps, move |&(heard, keys_on, ..)| {
            let listener = listen::keys(move |press| {
                let Some(act) = keys_state::act(&press.key, press.taken, press.on_button, keys_on) else {
                    return;
                };
                press.prevent_default();
                match act {
                    Act::Play => play.emit(()),
                    Act::Mute => set_sound.emit(Sound { muted: !heard.muted, ..heard }),
                    Act::Volume(by) => {
                        let volume = if heard.muted { 0.0 } else { heard.volume } + f64::from(by) / 100.0;
                        set_sound.emit(Sound { volume, muted: volume <= 0.0 });
                    }
                    Act::FullScreen => full.emit(()),
                    Act::Theatre => theatre.emit(()),
                    Act::PictureInPicture => window.emit(()),
                    Act::Help => help.emit(()),
                }
            });
            move || drop(listener)
        });
    }
    let on_quality = {
        let engine = engine.clone();
        Callback::from(move |rendition: Option<String>| {
            if let Some(engine) = engine.borrow().as_ref() {
                engine.choose(rendition);
            }
        })
    };
    let on_retry = {
        let engine = engine.clone();
        Callback::from(move |()| {
            if let Some(engine) = engine.borrow().as_ref() {
                engine.retry();
            }
        })
    };
    let onpointermove = {
        let stir = stir.clone();
        move |_: PointerEvent| stir.emit(())
    };
    let onfocusin = {
        let stir = stir.clone();
        move |_: FocusEvent| stir.emit(())
    };
    let onpointerleave = {
        let active = active.clone();
        move |event: PointerEvent| {
            if event.pointer_type() == "mouse" {
                active.set(false);
            }
        }
    };
    let press_picture = {
        let (play, active, stir, live) =
            (on_play.clone(), active.clone(), stir.clone(), snapshot.view == View::Live);
        move |event: PointerEvent| match event.pointer_type().as_str() {
            "mouse" if event.button() == 0 && live => play.emit(()),
            "touch" if *active => active.set(false),
            _ => stir.emit(()),
        }
    };
    let double = {
        let full = on_full.clone();
        move |_: MouseEvent| full.emit(())
    };
    let hear = {
        let (on, volume) = (on_sound.clone(), sound.volume.max(0.05));
        move |_: MouseEvent| on.emit(Sound { volume, muted: false })
    };
    let switch_keys = {
        let keys_on = keys_on.clone();
        Callback::from(move |on: bool| {
            sound::switch_keys(on);
            keys_on.set(on);
        })
    };
    let quiet = !*active && !*paused && snapshot.view == View::Live;
    // Where there is nothing to play, there is nothing to control.
    let plays = matches!(snapshot.view, View::Connecting | View::Live | View::Waiting);
    let number = |number: Option<u64>| number.map(|number| number.to_string());
    html! {
        <section ref={root} class={classes!("player", quiet.then_some("player-quiet"))} aria-label="Player"
            data-testid="player" data-state={snapshot.view.name()}
            data-latency-ms={number(snapshot.latency.map(u64::from))} data-first-picture-ms={number(snapshot.first_picture)} data-page-picture-ms={number(snapshot.page_picture)}
            onpointermove={onpointermove} onfocusin={onfocusin} onpointerleave={onpointerleave}>
            <video ref={screen} class={classes!((!snapshot.has_picture).then_some("video-hidden"))} autoplay=true
                playsinline=true onpointerup={press_picture} ondblclick={double}
                data-testid="video"></video>
            <Screen channel={props.channel.clone()} display_name={props.display_name.clone()}
                snapshot={(*snapshot).clone()} on_retry={on_retry} />
            if snapshot.view == View::Live && snapshot.blocked {
                <button type="button" class="tap-to-hear" onclick={hear} data-testid="tap-to-hear">
                    { icon(Shape::Muted) }<span>{ "Tap to hear" }</span>
                </button>
            }
            if snapshot.alone && !matches!(snapshot.view, View::Trouble(_)) {
                <p class="player-note" role="status">{ "Lost the server. Reconnecting …" }</p>
            }
            if *stats { <Stats snapshot={(*snapshot).clone()} on_close={on_stats.clone()} /> }
            if plays {
                <Controls snapshot={(*snapshot).clone()} sound={heard} paused={*paused} theatre={props.theatre}
                    full={*full} stats={*stats} on_play={on_play} on_sound={on_sound} on_stats={on_stats} on_quality={on_quality}
                    on_theatre={props.on_theatre.clone()} on_full={on_full} on_window={on_window}
                    on_help={on_help.clone()} />
            }
            if *help {
                <Dialog title="Keys" on_close={on_help}>
                    <dl class="keys">
                        { for KEYS.iter().map(|(key, what)| html! { <><dt><kbd>{ *key }</kbd></dt><dd>{ *what }</dd></> }) }
                    </dl>
                    <Toggle label="Listen to these keys" on={*keys_on} change={switch_keys} />
                </Dialog>
            }
        </section>
    }
}
