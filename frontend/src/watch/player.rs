//! The player: picture, what is said over it, controls and keys.

use super::{
    controls::Controls,
    engine::Engine,
    keys_state::{self, Act, KEYS},
    player_state::View,
    quality_state::Choice,
    screen::Screen,
    snapshot::Snapshot,
    sound::{self, Sound},
    stats::Stats,
};
use crate::{
    api::use_events,
    browser::{
        self, listen, page,
        time::{self, Timer},
    },
    ui::{Dialog, Shape, Toggle, icon},
};
use shared::id::ChannelName;
use std::rc::{Rc, Weak};
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
    #[prop_or_default]
    pub theatre: bool,
    /// Theatre on or off; a player that is all of its page has none.
    #[prop_or_default]
    pub on_theatre: Option<Callback<()>>,
    /// Each time there is something new to show.
    pub on_snapshot: Callback<Snapshot>,
    /// The engine, for who else presses buttons; nothing when it is gone.
    #[prop_or_default]
    pub on_engine: Option<Callback<Option<Weak<Engine>>>>,
    /// How it is to begin, in the place of what the browser remembers.
    #[prop_or_default]
    pub silent: bool,
    /// A way to something else, where there is nothing to see here.
    pub others: Html,
    /// Stands over the picture, and goes with the controls.
    #[prop_or_default]
    pub children: Html,
}

/// The player.
#[component]
pub fn Player(props: &PlayerProps) -> Html {
    let events = use_events();
    let (root, screen) = (use_node_ref(), use_node_ref());
    let snapshot = use_state(Snapshot::default);
    let engine = use_mut_ref(|| None::<Rc<Engine>>);
    let (stats, help, full) = (use_state(|| false), use_state(|| false), use_state(|| false));
    let active = use_state(|| true);
    let note = use_state(|| None::<&'static str>);
    let keys_on = use_state(sound::keys_are_on);
    let idle = use_mut_ref(|| None::<Timer>);
    {
        let (slot, screen, snapshot) = (engine.clone(), screen.clone(), snapshot.clone());
        let (outside, handle, silent) = (props.on_snapshot.clone(), props.on_engine.clone(), props.silent);
        use_effect_with((props.channel.clone(), events), move |(channel, events)| {
            let report = Callback::from(move |next: Snapshot| {
                outside.emit(next.clone());
                snapshot.set(next);
            });
            let started = Rc::new(Engine::new(channel.clone(), screen, events, silent, report));
            if let Some(handle) = &handle {
                handle.emit(Some(Rc::downgrade(&started)));
            }
            *slot.borrow_mut() = Some(started);
            move || {
                drop(slot.take());
                if let Some(handle) = handle {
                    handle.emit(None);
                }
            }
        });
    }
    let with_engine = |act: fn(&Engine)| {
        let engine = engine.clone();
        Callback::from(move |()| {
            if let Some(engine) = engine.borrow().as_ref() {
                act(engine);
            }
        })
    };
    let stir = {
        let (active, idle) = (active.clone(), idle.clone());
        Callback::from(move |()| {
            active.set(true);
            let active = active.clone();
            *idle.borrow_mut() = Some(time::after(STAY, move || active.set(false)));
        })
    };
    let on_play = {
        let (toggle, stir) = (with_engine(Engine::toggle), stir.clone());
        Callback::from(move |()| {
            stir.emit(());
            toggle.emit(());
        })
    };
    let on_sound = {
        let (engine, stir) = (engine.clone(), stir.clone());
        Callback::from(move |next: Sound| {
            stir.emit(());
            if let Some(engine) = engine.borrow().as_ref() {
                engine.hear(next);
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
    let (help_is_open, stats_are_open) = (help.clone(), stats.clone());
    let heard = snapshot.heard();
    {
        let full = full.clone();
        use_effect_with((), move |()| {
            let listener = listen::document("fullscreenchange", move || full.set(page::is_full_screen()));
            move || drop(listener)
        });
    }
    {
        let (play, set_sound, full, window) =
            (on_play.clone(), on_sound.clone(), on_full.clone(), on_window.clone());
        let (stats, help, theatre, note) =
            (on_stats.clone(), on_help.clone(), props.on_theatre.clone(), note.clone());
        let deps = (heard, *keys_on, props.theatre, *help_is_open, *stats_are_open);
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
                    Act::Theatre => {
                        if let Some(theatre) = &theatre {
                            theatre.emit(());
                        }
                    }
                    Act::PictureInPicture => window.emit(()),
                    Act::Statistics => stats.emit(()),
                    Act::Help => help.emit(()),
                    Act::Say(words) => note.set(Some(words)),
                }
            });
            move || drop(listener)
        });
    }
    {
        let set = note.clone();
        use_effect_with(*note, move |note| {
            let timer = note.map(|_| time::after(STAY, move || set.set(None)));
            move || drop(timer)
        });
    }
    let on_quality = {
        let engine = engine.clone();
        Callback::from(move |choice: Choice| {
            if let Some(engine) = engine.borrow().as_ref() {
                engine.choose(choice);
            }
        })
    };
    let on_look = {
        let engine = engine.clone();
        Callback::from(move |is: bool| {
            if let Some(engine) = engine.borrow().as_ref() {
                engine.look(is);
            }
        })
    };
    {
        let look = on_look.clone();
        use_effect_with(*stats, move |&is| {
            if is {
                look.emit(true);
            }
            move || {
                if is {
                    look.emit(false);
                }
            }
        });
    }
    let on_picture = on_quality.reform(|()| Choice::Auto);
    let (on_retry, noticed) = (with_engine(Engine::retry), with_engine(Engine::noticed));
    let onplay = {
        let noticed = noticed.clone();
        move |_: Event| noticed.emit(())
    };
    let onpause = move |_: Event| noticed.emit(());
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
        let (on, volume) = (on_sound.clone(), snapshot.sound.volume.max(0.05));
        move |_: MouseEvent| on.emit(Sound { volume, muted: false })
    };
    let switch_keys = {
        let keys_on = keys_on.clone();
        Callback::from(move |on: bool| {
            sound::switch_keys(on);
            keys_on.set(on);
        })
    };
    let quiet = !*active && !snapshot.paused && snapshot.view == View::Live;
    // Where there is nothing to play, there is nothing to control.
    let plays = matches!(snapshot.view, View::Connecting | View::Live | View::Waiting);
    let number = |number: Option<u64>| number.map(|number| number.to_string());
    html! {
        <section ref={root} class={classes!("player", quiet.then_some("player-quiet"))} aria-label="Player"
            data-testid="player" data-state={snapshot.view.name()}
            data-latency-ms={number(snapshot.latency.map(u64::from))} data-first-picture-ms={number(snapshot.first_picture)} data-page-picture-ms={number(snapshot.page_picture)}
            onpointermove={onpointermove} onfocusin={onfocusin} onpointerleave={onpointerleave}>
            <video ref={screen} class={classes!((!snapshot.has_picture).then_some("video-hidden"))} autoplay=true
                playsinline=true onpointerup={press_picture} ondblclick={double} onplay={onplay} onpause={onpause}
                data-picture="" data-testid="video"></video>
            <Screen channel={props.channel.clone()} display_name={props.display_name.clone()}
                snapshot={(*snapshot).clone()} others={props.others.clone()} on_retry={on_retry} on_picture={on_picture} />
            if snapshot.view == View::Live && snapshot.blocked {
                <button type="button" class="tap-to-hear" onclick={hear} data-testid="tap-to-hear">
                    { icon(Shape::Muted) }<span>{ "Tap to hear" }</span>
                </button>
            }
            if snapshot.alone && !matches!(snapshot.view, View::Trouble(_)) {
                <p class="player-note" role="status">{ snapshot.away() }</p>
            }
            if let Some(words) = *note { <p class="player-note" role="status">{ words }</p> }
            if *stats { <Stats snapshot={(*snapshot).clone()} on_close={on_stats.clone()} /> }
            if plays {
                <Controls snapshot={(*snapshot).clone()} sound={heard} theatre={props.theatre}
                    full={*full} stats={*stats} on_play={on_play} on_sound={on_sound} on_stats={on_stats} on_quality={on_quality} on_look={on_look}
                    on_theatre={props.on_theatre.clone()} on_full={on_full} on_window={on_window}
                    on_help={on_help.clone()} />
            }
            { props.children.clone() }
            if *help {
                <Dialog title="Keys" on_close={on_help}>
                    <dl class="keys">
                        { for KEYS.iter().filter(|(key, _)| *key != "T" || props.on_theatre.is_some()).map(|(key, what)| html! { <><dt><kbd>{ *key }</kbd></dt><dd>{ *what }</dd></> }) }
                    </dl>
                    <Toggle label="Listen to these keys" on={*keys_on} change={switch_keys} />
                </Dialog>
            }
        </section>
    }
}
