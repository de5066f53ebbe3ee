//! Carries out what [`RemoteState`] decides: hears the page around, asks for the channel's rules, tells what happens.

use super::remote_state::{Heard, Output, RemoteState};
use crate::{
    api::rest,
    browser::{
        self,
        frame::{self, Message},
        listen::Listener,
        page,
        time::{self, Timer},
    },
    watch::{Engine, Played, Snapshot, Sound, View},
};
use shared::{
    embed::{PlayerCommand, PlayerEvent},
    id::ChannelName,
};
use std::{
    cell::RefCell,
    rc::{Rc, Weak},
};
use yew::Callback;

const TAP_FIRST: &str = "The browser lets sound play only after a tap or key inside the player.";

/// What a page around can have done.
pub struct Wish {
    /// The engine, once there is one.
    pub engine: Rc<RefCell<Option<Weak<Engine>>>>,
    /// Begins, where it didn't by itself.
    pub start: Callback<()>,
}

struct Inner {
    channel: ChannelName,
    state: RefCell<RemoteState>,
    wish: Wish,
    /// When the rules are asked for again.
    again: RefCell<Option<Timer>>,
}

/// The steering of one player from outside. Where there is no page around, nothing happens.
pub struct Remote {
    inner: Rc<Inner>,
    _listener: Option<Listener>,
}

fn looks(channel: &ChannelName, playback: &str, sound: Sound, latency: Option<u32>) -> PlayerEvent {
    PlayerEvent::State {
        channel: channel.to_string(),
        playback: playback.to_owned(),
        muted: sound.muted,
        volume: sound.volume,
        latency_ms: latency.map(f64::from),
    }
}

impl Remote {
    /// Listens. The player begins by itself, or not.
    pub fn new(channel: ChannelName, begins: bool, wish: Wish) -> Self {
        let snapshot = Snapshot::default();
        let playback = if begins { snapshot.view.name() } else { "paused" };
        let state = looks(&channel, playback, snapshot.sound, None);
        let state = RefCell::new(RemoteState::new(&page::origin(), state, time::now()));
        let inner = Rc::new(Inner { channel, state, wish, again: RefCell::default() });
        let weak = Rc::downgrade(&inner);
        let hear = move |message: Message| {
            let Some(inner) = weak.upgrade() else { return };
            let heard = Heard {
                from_parent: message.from_parent,
                origin: &message.origin,
                version: message.version,
                kind: &message.kind,
                volume: message.volume,
            };
            inner.with(|state, now| state.heard(heard, now));
        };
        // Not before all of this is there: what came early is heard at once.
        let listener = if frame::is_framed() { frame::messages(hear) } else { None };
        Self { inner, _listener: listener }
    }

    /// This is how the player looks now.
    pub fn looks(&self, snapshot: &Snapshot) {
        let playback = match snapshot.view {
            View::Live if snapshot.paused => "paused",
            View::Live => "playing",
            view => view.name(),
        };
        let state = looks(&self.inner.channel, playback, snapshot.heard(), snapshot.latency);
        self.inner.with(|remote, _| remote.looks(state));
    }
}

impl Inner {
    fn with(self: &Rc<Self>, decide: impl FnOnce(&mut RemoteState, u64)) {
        // What is done may tell of itself at once: that is told in its turn.
        let Ok(mut state) = self.state.try_borrow_mut() else { return };
        decide(&mut state, time::now());
        drop(state);
        loop {
            let output = self.state.borrow_mut().poll();
            match output {
                None => return,
                Some(Output::AskRules) => self.ask_rules(),
                Some(Output::AskLater(wait)) => self.ask_later(wait),
                Some(Output::Do(command)) => self.obey(&command),
                Some(Output::Tell(origin, message)) => {
                    if let Ok(json) = serde_json::to_string(&message) {
                        frame::tell_parent(&origin, &json);
                    }
                }
            }
        }
    }

    fn ask_rules(self: &Rc<Self>) {
        let inner = self.clone();
        browser::spawn(async move {
            let rules = rest::embed_rules(&inner.channel).await.ok().map(|rules| rules.embedding);
            inner.with(|state, now| state.rules(rules, now));
        });
    }

    fn ask_later(self: &Rc<Self>, wait: u64) {
        let weak = Rc::downgrade(self);
        let timer = time::after(wait as i32, move || {
            if let Some(inner) = weak.upgrade() {
                inner.with(|state, _| state.again());
            }
        });
        *self.again.borrow_mut() = Some(timer);
    }

    fn obey(self: &Rc<Self>, command: &PlayerCommand) {
        let engine = self.wish.engine.borrow().as_ref().and_then(Weak::upgrade);
        let Some(engine) = engine else {
            match command {
                PlayerCommand::Play => self.wish.start.emit(()),
                PlayerCommand::Pause | PlayerCommand::Hello => {}
                _ => self.refuse(command.name(), "There is no sound yet: play first."),
            }
            return;
        };
        let (inner, name) = (self.clone(), command.name());
        let refuse = move || inner.refuse(name, TAP_FIRST);
        match command {
            PlayerCommand::Hello => {}
            // That it plays without sound is told by its state.
            PlayerCommand::Play => engine.play(move |played| {
                if played == Played::Not {
                    refuse();
                }
            }),
            PlayerCommand::Pause => engine.pause(),
            PlayerCommand::Mute => engine.mute(true, |_| ()),
            PlayerCommand::Unmute => engine.mute(false, move |played| {
                if played != Played::AsWanted {
                    refuse();
                }
            }),
            PlayerCommand::SetVolume { volume } => engine.set_volume(*volume),
        }
    }

    fn refuse(self: &Rc<Self>, command: &str, detail: &str) {
        self.with(|state, _| state.refused(command, detail));
    }
}
