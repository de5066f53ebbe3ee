//! Webhooks: what happens on a channel, sent on to addresses that its owner gave.
//!
//! What is to be sent is put into an outbox with what happened (`store::outbox`); [`task`] empties it, [`schedule`] says when
//! something is tried again and when it is given up, [`sign`] how it is proved to be from here.

pub mod routes;
pub mod rules;
pub mod schedule;
pub mod service;
pub mod sign;
pub mod store;
pub mod task;

use crate::{actor::Actor, http::problem::ProblemResponse, store::StoreError};
use futures_util::future::BoxFuture;
use shared::{
    chat::ChatMessage,
    id::{ChannelId, ChannelName},
};

/// What webhooks need of channels.
pub trait Channels: Send + Sync + 'static {
    /// A channel, for one who may have its events sent elsewhere.
    fn hooked<'a>(
        &'a self,
        who: &'a Actor,
        channel: &'a ChannelName,
    ) -> BoxFuture<'a, Result<ChannelId, ProblemResponse>>;
}

/// What was written in chats.
pub trait Messages: Send + Sync + 'static {
    /// What was written from one place to another and isn't deleted, oldest first.
    fn between<'a>(
        &'a self,
        channel: &'a ChannelId,
        places: (i64, i64),
        most: i64,
    ) -> BoxFuture<'a, Result<Vec<ChatMessage>, StoreError>>;
}
