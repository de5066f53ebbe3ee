//! The ways into a private channel beside roles: its list, its password, links that its owner hands out, subscriptions. Who came
//! by a password or a link has a pass ([`pass`]), which dies with what it was given for.

pub mod limits;
pub mod pass;
pub mod routes;
pub mod rules;
pub mod service;
pub mod store;

use self::pass::PassKey;
use crate::store::StoreError;
use futures_util::future::BoxFuture;
use shared::{
    id::{AccountId, ChannelId},
    subscription::Tier,
    text::Password,
};
use std::collections::HashSet;

/// A channel's ways in, as they are kept with its record.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Doors {
    /// Who is on its list.
    pub listed: HashSet<AccountId>,
    /// What signs the passes that are good: the password's, and each link's.
    pub keys: Vec<PassKey>,
    /// Subscribers of this tier or a higher one get in.
    pub subscribers: Option<Tier>,
}

/// Why a password could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum HashFailed {
    /// Too many wait already.
    #[error("too many passwords are looked at in this moment")]
    Busy,
    /// It could not be hashed.
    #[error("the password could not be hashed: {0}")]
    Broken(String),
}

/// Hashes passwords, slowly.
pub trait Passwords: Send + Sync + 'static {
    /// What is kept of one.
    fn hash(&self, password: Password) -> BoxFuture<'_, Result<String, HashFailed>>;

    /// Whether it is the one that was hashed; with no hash, no after the same work.
    fn verify(&self, password: Password, hash: Option<String>) -> BoxFuture<'_, Result<bool, HashFailed>>;
}

/// Knows what somebody is on a channel that its own record doesn't tell.
pub trait Regulars: Send + Sync + 'static {
    /// Whether they moderate its chat.
    fn moderates<'a>(
        &'a self,
        channel: &'a ChannelId,
        who: &'a AccountId,
    ) -> BoxFuture<'a, Result<bool, StoreError>>;

    /// The highest tier in which they subscribe to it now.
    fn tier<'a>(
        &'a self,
        channel: &'a ChannelId,
        who: &'a AccountId,
    ) -> BoxFuture<'a, Result<Option<Tier>, StoreError>>;

    /// The channels whose chat somebody moderates, at most 200.
    fn moderated_by<'a>(&'a self, who: &'a AccountId) -> BoxFuture<'a, Result<Vec<ChannelId>, StoreError>>;

    /// Of those whose ids lie between two, these included: who moderates its chat, and with `least` also who subscribes in that
    /// tier or a higher one. It costs the same however many they are.
    fn between<'a>(
        &'a self,
        channel: &'a ChannelId,
        ids: (&'a AccountId, &'a AccountId),
        least: Option<Tier>,
    ) -> BoxFuture<'a, Result<Between, StoreError>>;
}

/// Some people whom a channel's own record doesn't tell of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Between {
    /// They moderate its chat.
    pub moderators: HashSet<AccountId>,
    /// They subscribe.
    pub subscribers: HashSet<AccountId>,
}
