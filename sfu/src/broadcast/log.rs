//! The lasting record of broadcasts and views: what the registry writes down, and the port it writes through.

use crate::store::StoreError;
use futures_util::future::BoxFuture;
use shared::{
    id::{BroadcastId, ChannelId, ChannelName, ViewId},
    text::{Category, Title},
    unit::Timestamp,
};

/// One thing to write down. Each may be written twice with the same effect as once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A broadcast began.
    BroadcastStarted {
        /// Which.
        id: BroadcastId,
        /// Whose.
        channel: ChannelId,
        /// Its title at the start.
        title: Title,
        /// Its category at the start.
        category: Category,
        /// When.
        at: Timestamp,
    },
    /// A broadcast is still on.
    BroadcastSeen {
        /// Which.
        id: BroadcastId,
        /// When.
        at: Timestamp,
    },
    /// A broadcast is over, and with it its open views.
    BroadcastEnded {
        /// Which.
        id: BroadcastId,
        /// When.
        at: Timestamp,
    },
    /// How tall the largest picture is, where that changed.
    BroadcastMeasured {
        /// Of which.
        id: BroadcastId,
        /// Pixels.
        height: u16,
    },
    /// Somebody began to watch.
    ViewStarted {
        /// Which watch.
        id: ViewId,
        /// What.
        broadcast: BroadcastId,
        /// When.
        at: Timestamp,
    },
    /// Every open view of a broadcast is still on.
    ViewSeen {
        /// Of what.
        broadcast: BroadcastId,
        /// When.
        at: Timestamp,
    },
    /// Somebody stopped watching.
    ViewEnded {
        /// Which watch.
        id: ViewId,
        /// When.
        at: Timestamp,
    },
}

/// A broadcast whose end was never written: it is live, or the server was killed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenBroadcast {
    /// Which.
    pub id: BroadcastId,
    /// Whose.
    pub channel: ChannelId,
    /// That channel's address.
    pub name: ChannelName,
    /// When it started.
    pub started_at: Timestamp,
    /// When it was last known to be live.
    pub last_seen_at: Timestamp,
}

/// A broadcast that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastBroadcast {
    /// When it started.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
}

/// Writing failed; the records are kept by whoever has them, and written again later.
#[derive(Debug, thiserror::Error)]
#[error("the broadcast log can't be written: {0}")]
pub struct LogError(#[from] pub StoreError);

/// Where records go. Media never waits for it.
pub trait BroadcastLog: Send + Sync + 'static {
    /// Writes all or none, and returns once they would survive a power cut. The same records again change nothing.
    fn append(&self, records: Vec<Record>) -> BoxFuture<'_, Result<(), LogError>>;

    /// Broadcasts without an end, oldest first.
    fn open_broadcasts(&self) -> BoxFuture<'_, Result<Vec<OpenBroadcast>, LogError>>;

    /// A channel's last broadcast that is over.
    fn last_ended(&self, channel: ChannelId) -> BoxFuture<'_, Result<Option<PastBroadcast>, LogError>>;

    /// Ends the open views of a process that is gone, at the time they were last seen; how many there were.
    fn close_stale_views(&self) -> BoxFuture<'_, Result<u64, LogError>>;
}
