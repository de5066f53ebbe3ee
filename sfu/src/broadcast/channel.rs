//! One channel's broadcasts: who publishes, who watches, and what is recorded, shown and told of it.

use super::{
    life::{self, Life},
    live::{Health, LiveState},
    log::{Mark, Record},
    registry::Output,
    views::{Coming, Views},
};
use crate::audience::Audience;
use shared::{
    broadcast::{BroadcastState, Rendition},
    event::Occurrence,
    id::{BroadcastId, ChannelId, ChannelName, SessionId, ViewId},
    ladder::LadderState,
    text::{Category, Title},
    unit::Timestamp,
};
use std::collections::HashMap;

/// See the module.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) id: ChannelId,
    pub(super) name: ChannelName,
    pub(super) title: Title,
    pub(super) category: Category,
    pub(super) life: Life,
    /// Open publishers' sessions and their programs. Several only while one takes over.
    pub(super) publishers: HashMap<SessionId, String>,
    /// The one whose media is on.
    pub(super) current: Option<SessionId>,
    /// The one whose media was on and that closed without a word; it may still say goodbye.
    pub(super) vanished: Option<SessionId>,
    /// Who watches what is on.
    pub(super) views: Views,
    /// The id of the broadcast that begins next, where one was announced.
    pub(super) reserved: Option<BroadcastId>,
    pub(super) renditions: Vec<Rendition>,
    /// What is made of them.
    pub(super) made: Vec<Rendition>,
    pub(super) ladder: LadderState,
    /// The height that was written down last.
    pub(super) height: Option<u16>,
    pub(super) health: Option<Health>,
    /// By how many milliseconds the broadcast's clock is ahead of the registry's. Fixed while one is on: nothing within
    /// a broadcast sees the system's clock being set.
    pub(super) clock_offset: i64,
    pub(super) shown: LiveState,
}

impl Channel {
    pub(super) fn new(id: ChannelId, name: ChannelName) -> Self {
        Self {
            id,
            name,
            title: Title::default(),
            category: Category::default(),
            life: Life::default(),
            publishers: HashMap::new(),
            current: None,
            vanished: None,
            views: Views::default(),
            reserved: None,
            renditions: Vec::new(),
            made: Vec::new(),
            ladder: LadderState::default(),
            height: None,
            health: None,
            clock_offset: 0,
            shown: LiveState::default(),
        }
    }

    /// The id of a broadcast that would begin now: the announced one, if it hasn't been on already.
    pub(super) fn next_id(&mut self, fresh: BroadcastId) -> BroadcastId {
        if self.life.is_on() {
            return fresh;
        }
        self.reserved.take().filter(|id| !self.life.was(id)).unwrap_or(fresh)
    }

    pub(super) fn joined(
        &mut self,
        session: SessionId,
        view: ViewId,
        comes_back: bool,
        audience: Audience,
        now: Timestamp,
        outputs: &mut Vec<Output>,
    ) {
        let Some(broadcast) = self.life.current().cloned() else {
            outputs.push(Output::Close(session));
            return;
        };
        match self.views.come(session.clone(), view.clone(), comes_back) {
            // The old session may be one that nobody noticed yet is over.
            Coming::Replaces(old) => return outputs.push(Output::Close(old)),
            // A view of a broadcast that ended since the offer came: the player asks again.
            Coming::Strange => return outputs.push(Output::Close(session)),
            Coming::GoesOn(span) => {
                let broadcast = broadcast.clone();
                outputs.push(Output::Record(Record::ViewResumed { id: view, span, broadcast, at: now }));
            }
            Coming::Begins => {
                let broadcast = broadcast.clone();
                outputs.push(Output::Record(Record::ViewStarted { id: view, broadcast, audience, at: now }));
            }
        }
        outputs.push(Output::Tell(self.name.clone(), Occurrence::ViewerJoined { stream_id: broadcast }));
    }

    pub(super) fn titled(&mut self, title: Title, now: Timestamp, outputs: &mut Vec<Output>) {
        if let Some(broadcast) = self.life.current().cloned()
            && self.title != title
        {
            let mark = Mark::Title(title.clone());
            outputs.push(Output::Record(Record::Marked { broadcast, at: now, mark }));
        }
        self.title = title;
    }

    pub(super) fn live(&mut self, input: life::Input, now: Timestamp, outputs: &mut Vec<Output>) {
        let Some(output) = self.life.handle(input, now) else { return };
        let mut marked = |broadcast: &BroadcastId, mark| {
            let broadcast = broadcast.clone();
            outputs.push(Output::Record(Record::Marked { broadcast, at: now, mark }));
        };
        let occurrence = match output {
            life::Output::Started(id) => {
                self.height = None;
                outputs.push(Output::Record(Record::BroadcastStarted {
                    id: id.clone(),
                    channel: self.id.clone(),
                    title: self.title.clone(),
                    category: self.category.clone(),
                    at: now,
                    clock_offset: self.clock_offset,
                }));
                Occurrence::StreamStarted { stream_id: id }
            }
            life::Output::Interrupted(id) => {
                marked(&id, Mark::Interrupted);
                Occurrence::StreamInterrupted { stream_id: id }
            }
            life::Output::Resumed(id) => {
                marked(&id, Mark::Resumed);
                Occurrence::StreamResumed { stream_id: id }
            }
            life::Output::Ended { id, at } => {
                outputs.push(Output::Record(Record::BroadcastEnded { id: id.clone(), at }));
                outputs.push(Output::CloseViewers(self.id.clone()));
                // Their spans end with it, and their sessions are let go.
                self.views = Views::default();
                Occurrence::StreamEnded { stream_id: id }
            }
        };
        outputs.push(Output::Tell(self.name.clone(), occurrence));
    }

    /// Writes down how tall the picture is, where that changed.
    pub(super) fn measure(&mut self, outputs: &mut Vec<Output>) {
        let height =
            self.renditions.iter().filter_map(|rendition| rendition.size).map(|size| size.height).max();
        if let (Some(id), Some(height)) = (self.life.current(), height)
            && self.height.replace(height) != Some(height)
        {
            outputs.push(Output::Record(Record::BroadcastMeasured { id: id.clone(), height }));
        }
    }

    pub(super) fn show(&mut self, now: Timestamp, outputs: &mut Vec<Output>) {
        let view = self.life.view(now);
        let state = LiveState {
            state: view.state,
            stream_id: view.id,
            viewer_count: self.views.watched() as u32,
            start_time: view.start_time,
            waiting_since: view.waiting_since,
            ended_at: view.ended_at,
            duration: view.duration,
            renditions: self.renditions.clone(),
            made: self.made.clone(),
            ladder: self.ladder.clone(),
            health: self.health.clone(),
        };
        if state != self.shown {
            self.shown = state.clone();
            outputs.push(Output::Show(self.id.clone(), Box::new(state)));
        }
    }

    /// Nothing is left that anybody could ask for here; the store remembers the rest.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        let view = self.life.view(now);
        view.state == BroadcastState::Offline && self.publishers.is_empty() && self.views.watched() == 0
    }
}

/// A time by a clock that is ahead by `offset` milliseconds.
pub(super) fn later(at: Timestamp, offset: i64) -> Timestamp {
    Timestamp::from_millis(at.as_millis().saturating_add(offset))
}
