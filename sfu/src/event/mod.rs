//! The one event bus, and the WebSocket gateway through which pages follow it.
//!
//! Occurrences go over [`bus`]; states are read through the port [`Source`], once a second for each topic however many
//! follow it ([`feed`]). [`gateway`] decides what one connection is told; [`websocket`] carries it.

pub mod bus;
pub mod change;
pub mod feed;
pub mod gateway;
pub mod places;
pub mod ring;
mod task;
pub mod websocket;
pub mod wire;

use self::ring::Delivery;
use crate::{actor::Embed, http::login::SignedIn};
use futures_util::future::BoxFuture;
use shared::{
    chat::{NewMessage, Sent},
    event::{Cursor, Occurrence, Payload, Topic},
    id::{AccountId, ChannelName},
    notification::Bell,
    problem::Problem,
};
use std::{net::IpAddr, sync::Arc};
use tokio::sync::{broadcast, watch};

/// What the rest of the server tells what happens on channels by, and hears it by. Telling never waits.
pub trait StreamEventService: Send + Sync + 'static {
    /// Tells everybody what happened. Whatever a state topic says of it must be readable before.
    fn tell(&self, channel: &ChannelName, occurrence: Occurrence);

    /// All that happens, on every channel, from now on.
    fn hear_all(&self) -> broadcast::Receiver<Delivery>;
}

/// A state, as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// What it says.
    pub payload: Payload,
    /// Not everybody may have it: each follower is checked before it is told.
    pub restricted: bool,
}

/// Chat, which has a log of its own for each room.
pub trait Chat: Send + Sync + 'static {
    /// Follows a room: from its last messages, or from a cursor.
    fn follow<'a>(
        &'a self,
        who: Option<&'a SignedIn>,
        embed: Option<Embed<'a>>,
        channel: &'a ChannelName,
        after: Option<Cursor>,
    ) -> BoxFuture<'a, Result<RoomFollowed, Problem>>;

    /// Whether a room may still be followed.
    fn may_follow<'a>(
        &'a self,
        who: Option<&'a SignedIn>,
        embed: Option<Embed<'a>>,
        channel: &'a ChannelName,
    ) -> BoxFuture<'a, Result<(), Problem>>;

    /// Takes a message; comes back when it is on disk.
    fn send<'a>(
        &'a self,
        who: Option<&'a SignedIn>,
        embed: Option<Embed<'a>>,
        address: Option<IpAddr>,
        channel: &'a ChannelName,
        message: ToSend,
    ) -> BoxFuture<'a, Result<Sent, Problem>>;
}

/// A message, and the token of the guest who writes it.
#[derive(Debug, Clone)]
pub struct ToSend {
    /// What is written.
    pub message: NewMessage,
    /// As whom, without an account.
    pub guest: Option<String>,
}

/// A room that is followed.
pub struct RoomFollowed {
    /// Nothing is missing from what follows.
    pub complete: bool,
    /// How far the follower has seen; none if something comes first.
    pub cursor: Option<Cursor>,
    /// What comes.
    pub reader: Box<dyn RoomReader>,
}

/// A place in a room's updates. It holds no queue: what isn't asked for stays where it is.
pub trait RoomReader: Send {
    /// What is next, once there is something.
    fn next(&mut self) -> BoxFuture<'_, RoomNews>;
}

/// What a room's follower hears.
#[derive(Debug, Clone)]
pub enum RoomNews {
    /// Updates as JSON, the same text for everybody, and how far they have seen with it.
    Updates(Cursor, Arc<str>),
    /// The channel changed: ask whether this may still be followed.
    AskAgain,
    /// More happened than is kept for one who is this slow.
    FellBehind,
}

/// What waits for each person.
pub trait Bells: Send + Sync + 'static {
    /// Word of its changes; has changed once already.
    fn listen(&self, account: &AccountId) -> watch::Receiver<u64>;

    /// What it is now.
    fn read<'a>(&'a self, account: &'a AccountId) -> BoxFuture<'a, Result<Bell, Problem>>;
}

/// Where states come from, and who may have them.
pub trait Source: Send + Sync + 'static {
    /// Whether somebody may follow a topic.
    fn authorise<'a>(
        &'a self,
        who: Option<&'a SignedIn>,
        embed: Option<Embed<'a>>,
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
