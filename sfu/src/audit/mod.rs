//! The record of what was done by those who run the instance, own channels and moderate. It is written by `store::audit`, with
//! what it records; here it is read.

pub mod export;
pub mod routes;
pub mod rules;
pub mod service;
pub mod store;
pub mod task;

use crate::{actor::Actor, http::problem::ProblemResponse};
use futures_util::future::BoxFuture;
use shared::id::{ChannelId, ChannelName};

/// What the record needs of channels.
pub trait Channels: Send + Sync + 'static {
    /// A channel, for one who may see what was done there.
    fn audited<'a>(
        &'a self,
        who: &'a Actor,
        channel: &'a ChannelName,
    ) -> BoxFuture<'a, Result<ChannelId, ProblemResponse>>;
}
