//! What people are told of, by the bell, by push and by e-mail: once each, as they want it, also over a crash.
//!
//! [`rules`] decides what is said and when it may leave, [`store`] keeps it and fills the outbox, [`service`] tells people and
//! rings their bells, [`delivery`] empties the outbox by [`push`] and [`mail`].

pub mod delivery;
pub mod mail;
pub mod push;
pub mod quiet;
pub mod routes;
pub mod rules;
pub mod service;
pub mod store;

use self::rules::Occasion;
use crate::{actor::Actor, store::StoreError};
use futures_util::future::BoxFuture;
use shared::id::{AccountId, ChannelId};
use std::collections::HashSet;

/// What the rest of the server tells people by. Telling of the same occasion again tells nobody twice, so that whoever isn't
/// sure tells again.
pub trait StreamNotificationService: Send + Sync + 'static {
    /// Those who follow a channel and are among who may hear of it; how many were told now.
    fn tell_followers<'a>(
        &'a self,
        channel: &'a ChannelId,
        occasion: Occasion,
        audience: &'a dyn Audience,
    ) -> BoxFuture<'a, Result<usize, StoreError>>;

    /// One person; whether they were told now.
    fn tell<'a>(
        &'a self,
        account: &'a AccountId,
        occasion: Occasion,
    ) -> BoxFuture<'a, Result<bool, StoreError>>;
}

/// Knows who may hear of what happens on a channel.
pub trait Audience: Send + Sync {
    /// Of these people, who are in the order of their ids, those who may.
    fn among<'a>(&'a self, people: &'a [Actor]) -> BoxFuture<'a, Result<HashSet<AccountId>, StoreError>>;
}
