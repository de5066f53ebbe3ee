//! Who watched, and how well it played.
//!
//! The record of views and spans is written by the media plane's stage ([`crate::app`] connects it); what players report
//! comes over HTTP ([`routes`]), is held against what can be ([`report`]), waits in [`statements`] and is written by
//! [`service`]. [`tally`] makes figures of all of it, and [`csv`] a file of them.

pub mod agent;
pub mod csv;
pub mod maxminddb;
pub mod report;
pub mod routes;
pub mod service;
pub mod statements;
pub mod store;
pub mod tally;

use crate::{actor::Actor, http::problem::ProblemResponse, store::StoreError};
use futures_util::future::BoxFuture;
use shared::{
    id::{BroadcastId, ChannelId, ChannelName},
    unit::Timestamp,
};
use std::collections::HashMap;

/// Who may see a channel's figures.
pub trait Owners: Send + Sync + 'static {
    /// The channel, if the one who asks manages it.
    fn managed<'a>(
        &'a self,
        who: &'a Actor,
        channel: &'a ChannelName,
    ) -> BoxFuture<'a, Result<ChannelId, ProblemResponse>>;
}

/// How much was written in a broadcast's chat.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChatTotal {
    /// Messages.
    pub messages: u64,
    /// Who wrote them.
    pub chatters: u64,
}

/// What the chat remembers of broadcasts.
pub trait ChatSource: Send + Sync + 'static {
    /// How much was written in each; nothing where one is missing.
    fn totals<'a>(
        &'a self,
        broadcasts: &'a [BroadcastId],
    ) -> BoxFuture<'a, Result<HashMap<BroadcastId, ChatTotal>, StoreError>>;

    /// Messages by second after `start`: those seconds in which there were some.
    fn seconds<'a>(
        &'a self,
        broadcast: &'a BroadcastId,
        start: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<(u64, u32)>, StoreError>>;
}
