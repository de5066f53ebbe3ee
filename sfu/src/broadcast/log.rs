//! The lasting record of broadcasts and views: what the registry writes down, and the port it writes through.

use crate::{audience::Audience, store::StoreError};
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
        /// By how many milliseconds its clock is ahead of the heartbeat's.
        clock_offset: i64,
    },
    /// This process is alive, and with it everything that is open.
    Heartbeat(Heartbeat),
    /// Something happened within a broadcast.
    Marked {
        /// Which broadcast.
        broadcast: BroadcastId,
        /// When.
        at: Timestamp,
        /// What.
        mark: Mark,
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
    /// Somebody began to watch: a view, and its first span.
    ViewStarted {
        /// Which watch.
        id: ViewId,
        /// What.
        broadcast: BroadcastId,
        /// With what, and where.
        audience: Audience,
        /// When.
        at: Timestamp,
    },
    /// Somebody came back to a view that had stopped: another span of it.
    ViewResumed {
        /// Which watch.
        id: ViewId,
        /// Which span: 2 is the second.
        span: u32,
        /// What.
        broadcast: BroadcastId,
        /// When.
        at: Timestamp,
    },
    /// Somebody stopped watching: a span's end.
    ViewEnded {
        /// Which watch.
        id: ViewId,
        /// Which span of it.
        span: u32,
        /// When.
        at: Timestamp,
    },
}

/// Until when a process is known to have run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat {
    /// By the clock that never jumps.
    pub at: Timestamp,
    /// By the system's clock at that moment.
    pub wall: Timestamp,
}

/// What a process that is gone left behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Left {
    /// Its last sign of life.
    pub heartbeat: Option<Heartbeat>,
    /// Broadcasts without an end, oldest first.
    pub broadcasts: Vec<OpenBroadcast>,
}

/// What happens within a broadcast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// The publisher's media stopped.
    Interrupted,
    /// It came back.
    Resumed,
    /// The title is another.
    Title(Title),
}

impl Mark {
    /// Its name in the record.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Interrupted => "interrupted",
            Self::Resumed => "resumed",
            Self::Title(_) => "title",
        }
    }

    /// Its words.
    pub fn text(&self) -> &str {
        match self {
            Self::Interrupted | Self::Resumed => "",
            Self::Title(title) => title.as_str(),
        }
    }
}

/// A broadcast whose end was never written: the server stopped or was killed while it was on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenBroadcast {
    /// Which.
    pub id: BroadcastId,
    /// Whose.
    pub channel: ChannelId,
    /// That channel's address.
    pub name: ChannelName,
    /// Its title, as it was last.
    pub title: Title,
    /// Its category at the start.
    pub category: Category,
    /// When it started.
    pub started_at: Timestamp,
    /// When it was last known to be on: the last heartbeat, by the broadcast's clock.
    pub last_seen_at: Timestamp,
    /// By how many milliseconds its clock is ahead of the heartbeat's.
    pub clock_offset: i64,
    /// Since when its publisher was missing already.
    pub interrupted_at: Option<Timestamp>,
    /// Its views and how many spans each has, as many as are remembered, the newest.
    pub views: Vec<(ViewId, u32)>,
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

    /// What is without an end, with at most `views` views of each broadcast.
    fn left(&self, views: usize) -> BoxFuture<'_, Result<Left, LogError>>;

    /// A channel's last broadcast that is over.
    fn last_ended(&self, channel: ChannelId) -> BoxFuture<'_, Result<Option<PastBroadcast>, LogError>>;

    /// Ends the spans that a process left open that is gone, at its last heartbeat; how many there were.
    fn close_stale_spans(&self) -> BoxFuture<'_, Result<u64, LogError>>;
}
