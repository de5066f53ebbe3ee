//! What happened on a channel, for those who look after it. It is written by `store::activity`, in the transaction of what it
//! tells; here it is read, and what is old goes.

pub mod routes;
pub mod service;
pub mod store;
pub mod task;

use crate::{actor::Actor, http::problem::ProblemResponse};
use futures_util::future::BoxFuture;
use shared::id::{ChannelId, ChannelName};

/// What activity needs of channels.
pub trait Channels: Send + Sync + 'static {
    /// A channel, for one who may see what happened there.
    fn watched<'a>(
        &'a self,
        who: &'a Actor,
        channel: &'a ChannelName,
    ) -> BoxFuture<'a, Result<ChannelId, ProblemResponse>>;
}
