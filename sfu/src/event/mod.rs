//! The one event bus, and the WebSocket gateway through which pages follow it.
//!
//! Occurrences go over [`bus`]; states are read through the port [`Source`], once a second for each topic however many
//! follow it ([`feed`]). [`gateway`] decides what one connection is told; [`websocket`] carries it.

pub mod bus;
pub mod change;
pub mod feed;
pub mod gateway;
pub mod ring;
pub mod websocket;
pub mod wire;

use crate::http::login::SignedIn;
use futures_util::future::BoxFuture;
use shared::{
    event::{Payload, Topic},
    id::ChannelName,
    problem::Problem,
};

/// A state, as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// What it says.
    pub payload: Payload,
    /// Not everybody may have it: each follower is checked before it is told.
    pub restricted: bool,
}

/// Where states come from, and who may have them.
pub trait Source: Send + Sync + 'static {
    /// Whether somebody may follow a topic.
    fn authorise<'a>(
        &'a self,
        who: Option<&'a SignedIn>,
        topic: Topic,
        channel: Option<&'a ChannelName>,
    ) -> BoxFuture<'a, Result<(), Problem>>;

    /// A topic's state now; `None` when there is none any more, and the topic is over.
    fn read<'a>(
        &'a self,
        topic: Topic,
        channel: Option<&'a ChannelName>,
    ) -> BoxFuture<'a, Result<Option<Reading>, Problem>>;
}
