//! What a room shows at a moment, and following one.

use super::{engine::Engine, log_state::Line, outbox_state::Pending};
use crate::api::{Failure, Who, use_events, use_site};
use shared::{
    chat::{Badge, ChatRoom, ReplyTo},
    id::ChannelName,
};
use std::rc::Rc;
use yew::prelude::*;

/// What there is to show. Made anew each time: the same one is the same picture.
#[derive(Default)]
pub struct Snapshot {
    /// The log, oldest first.
    pub lines: Vec<Line>,
    /// What this person wrote and the room doesn't show yet.
    pub pending: Vec<Pending>,
    /// The room, once it is known.
    pub room: Option<Rc<ChatRoom>>,
    /// Why it isn't.
    pub failure: Option<Failure>,
    /// Why its messages don't come.
    pub refused: Option<Failure>,
    /// The log's first messages are there.
    pub is_loaded: bool,
    /// What comes now is read out.
    pub announces: bool,
    /// Somebody reads further up.
    pub paused: bool,
    /// What came meanwhile.
    pub unseen: usize,
    /// The server is there.
    pub reachable: bool,
    /// Seconds until this person can write.
    pub wait: u64,
    /// Seconds that this person is timed out for.
    pub silenced: u64,
    /// This person is banned.
    pub banned: bool,
    /// Which ban or time-out that is; another one is appealed against anew.
    pub barrier: String,
    /// Too many messages wait.
    pub full: bool,
}

impl PartialEq for Snapshot {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Snapshot {
    /// Whether this person sets the rules.
    pub fn is_owner(&self) -> bool {
        let you = self.room.as_ref().and_then(|room| room.you.as_ref());
        you.is_some_and(|you| you.badges.contains(&Badge::Owner))
    }

    /// Whether this person may delete and time out.
    pub fn can_moderate(&self) -> bool {
        self.room.as_ref().is_some_and(|room| room.can_moderate)
    }
}

/// What the composer and the page hear of.
#[derive(Clone, PartialEq)]
pub enum Heard {
    /// Something to show.
    Snapshot(Rc<Snapshot>),
    /// A text came back, to be written on.
    Returned(String, Option<ReplyTo>),
    /// A sentence for the person.
    Said(String),
    /// A raid leaves for this channel.
    Leaves(ChannelName),
}

/// Follows a room. `fade`: seconds after which messages go. `on` hears what isn't in the snapshot.
#[hook]
pub fn use_room(
    channel: &ChannelName,
    fade: Option<u64>,
    on: Callback<Heard>,
) -> (Option<Engine>, Rc<Snapshot>) {
    let events = use_events();
    let site = use_site();
    let snapshot = use_state(|| Rc::new(Snapshot { reachable: true, ..Snapshot::default() }));
    let engine = use_state(|| None::<Engine>);
    {
        let (snapshot, slot) = (snapshot.setter(), engine.setter());
        use_effect_with((channel.clone(), events), move |(channel, events)| {
            let report = Callback::from(move |heard| match heard {
                Heard::Snapshot(next) => snapshot.set(next),
                other => on.emit(other),
            });
            slot.set(Some(Engine::new(channel.clone(), events, fade, report)));
        });
    }
    // Who signs in or out is somebody else from then on.
    let who = match &site.who {
        Who::Somebody(me) => Some(me.id.clone()),
        _ => None,
    };
    use_effect_with(((*engine).clone(), who), |(engine, _)| {
        if let Some(engine) = engine {
            engine.identify();
        }
    });
    ((*engine).clone(), (*snapshot).clone())
}
