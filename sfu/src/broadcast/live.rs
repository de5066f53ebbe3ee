//! What is live now, as the registry last wrote it and everybody may read it.

use shared::{
    broadcast::{BroadcastState, Rendition},
    id::{BroadcastId, ChannelId, SessionId},
    ladder::LadderState,
    publish::Finding,
    unit::{Bitrate, Millis, Seconds, Timestamp},
};
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

/// One channel's current or last broadcast.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LiveState {
    /// Where it stands.
    pub state: BroadcastState,
    /// Which, while there is one or one just ended.
    pub stream_id: Option<BroadcastId>,
    /// How many watch.
    pub viewer_count: u32,
    /// When it started.
    pub start_time: Option<Timestamp>,
    /// Since when the publisher is missing.
    pub waiting_since: Option<Timestamp>,
    /// When the last one ended.
    pub ended_at: Option<Timestamp>,
    /// How long the last one was.
    pub duration: Option<Seconds>,
    /// What the publisher sends, which viewers can choose from.
    pub renditions: Vec<Rendition>,
    /// What viewers can choose from besides, which the server makes or would make of it.
    pub made: Vec<Rendition>,
    /// Where the ladder stands that makes them.
    pub ladder: LadderState,
    /// What arrives from the publisher.
    pub health: Option<Health>,
}

/// What arrives from a publisher, measured over the last two seconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Health {
    /// The publisher's session.
    pub session: SessionId,
    /// The program that publishes.
    pub user_agent: String,
    /// Media bits a second, audio and video.
    pub bitrate: Bitrate,
    /// Video frames a second.
    pub frame_rate: f32,
    /// Packets lost after repair, 0 to 1.
    pub loss: f32,
    /// Round trip to the publisher.
    pub round_trip: Option<Millis>,
    /// Time between the last two keyframes.
    pub keyframe_interval: Option<Millis>,
    /// What the publisher should change, the gravest first.
    pub findings: Vec<Finding>,
}

/// The board of what is live. One writer, the registry; readers never wait for media.
#[derive(Debug, Clone, Default)]
pub struct LiveBoard(Arc<RwLock<HashMap<ChannelId, LiveState>>>);

impl LiveBoard {
    /// The state of one channel; offline if it was never live since the server started.
    pub fn of(&self, channel: &ChannelId) -> LiveState {
        let board = self.0.read().unwrap_or_else(PoisonError::into_inner);
        board.get(channel).cloned().unwrap_or_default()
    }

    /// Channels that are live or waiting, with their states.
    pub fn live(&self) -> Vec<(ChannelId, LiveState)> {
        let board = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let is_on = |state: &LiveState| matches!(state.state, BroadcastState::Live | BroadcastState::Waiting);
        board
            .iter()
            .filter(|(_, state)| is_on(state))
            .map(|(id, state)| (id.clone(), state.clone()))
            .collect()
    }

    /// For the registry alone.
    pub fn set(&self, channel: ChannelId, state: LiveState) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(channel, state);
    }
}
