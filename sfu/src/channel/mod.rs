//! Channels: a streamer's lasting address, who may do what with it, and what it says of itself.

pub mod access;
pub mod door;
pub mod embed;
pub mod gone;
pub mod listing;
pub mod live;
pub mod naming;
pub mod overview;
pub mod page;
pub mod role;
pub mod routes;
pub mod rules;
pub mod service;
pub mod store;

use crate::{secret::SecretHash, store::StoreError};
use futures_util::future::BoxFuture;
use shared::{
    broadcast::{BroadcastState, Rendition},
    id::{AccountId, BroadcastId, ChannelId, ChannelName},
    ladder::LadderState,
    text::Title,
    unit::{Seconds, Timestamp},
};

/// What a channel's current or last broadcast is doing, in this capability's own words.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Live {
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
    /// What viewers can choose from.
    pub renditions: Vec<Rendition>,
}

/// Reads what is live. Never waits.
pub trait LiveSource: Send + Sync + 'static {
    /// One channel's.
    fn of(&self, channel: &ChannelId) -> Live;

    /// Channels that are live or waiting.
    fn live(&self) -> Vec<ChannelId>;
}

/// Ends what is live.
pub trait LiveControl: Send + Sync + 'static {
    /// Ends the live session of a channel, and returns once nothing of it is forwarded any more; whether there was one.
    fn end<'a>(&'a self, channel: &'a ChannelId) -> BoxFuture<'a, bool>;

    /// Makes this the broadcast that begins with the next media of a channel; false, and without effect, while one is on.
    fn reserve<'a>(&'a self, channel: &'a ChannelId, id: &'a BroadcastId) -> BoxFuture<'a, bool>;

    /// The owner gave the channel another title.
    fn titled<'a>(&'a self, channel: &'a ChannelId, title: &'a Title) -> BoxFuture<'a, ()>;

    /// What is made of a channel's picture.
    fn ladder<'a>(&'a self, channel: &'a ChannelId) -> BoxFuture<'a, LadderState>;

    /// The owner wants renditions made of what the channel publishes, or none.
    fn set_ladder(&self, channel: &ChannelId, is_wanted: bool);

    /// Lets everybody go who watches a channel; those who still may come back by themselves.
    fn hide(&self, channel: &ChannelId);

    /// Lets those go who watch a channel by a signed embed.
    fn hide_from_embeds(&self, channel: &ChannelId);

    /// Lets somebody go, whatever they watch; what anybody may watch they come back to by themselves.
    fn let_go(&self, account: &AccountId);
}

/// Remembers broadcasts that are over.
pub trait PastSource: Send + Sync + 'static {
    /// When the channel's last broadcast started and ended.
    fn last_ended<'a>(&'a self, channel: &'a ChannelId) -> BoxFuture<'a, Result<Option<Past>, StoreError>>;
}

/// A broadcast that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Past {
    /// When it started.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
}

/// Hears of changes.
pub trait Announce: Send + Sync + 'static {
    /// The owner changed what the channel says of itself.
    fn edited(&self, channel: &ChannelName);
}

/// A secret that was just made: the text is shown once, the hash is kept.
pub struct Minted {
    /// To show.
    pub text: String,
    /// To keep.
    pub hash: SecretHash,
}

impl std::fmt::Debug for Minted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Minted(…)")
    }
}

/// What a publisher gave as its Bearer.
#[derive(Debug, Clone)]
pub enum BearerHash {
    /// A channel's stream key.
    Key(SecretHash),
    /// A studio's token.
    Token(SecretHash),
}

/// Makes and reads publishers' secrets.
pub trait Keys: Send + Sync + 'static {
    /// A new stream key.
    fn stream_key(&self) -> Minted;

    /// A new publish token.
    fn publish_token(&self) -> Minted;

    /// What a Bearer can be; `None` if it can be neither.
    fn read(&self, bearer: &str) -> Option<BearerHash>;
}
