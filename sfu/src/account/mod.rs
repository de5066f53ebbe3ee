//! People with an account: set-up, signing in, logins.

pub mod argon2;
pub mod device;
pub mod routes;
pub mod rules;
pub mod service;
pub mod store;
pub mod token;

use crate::store::StoreError;
use futures_util::future::BoxFuture;
use shared::{
    channel::Channel,
    id::{AccountId, ChannelName},
    text::DisplayName,
};

/// What accounts need of channels.
pub trait Channels: Send + Sync + 'static {
    /// Whether set-up may give this name to the owner's first channel.
    fn is_free<'a>(&'a self, name: &'a ChannelName) -> BoxFuture<'a, Result<bool, StoreError>>;

    /// Makes the owner's first channel, and gives them those that the shell made before.
    fn open_first<'a>(
        &'a self,
        owner: &'a AccountId,
        name: &'a ChannelName,
        display_name: &'a DisplayName,
    ) -> BoxFuture<'a, Result<(), StoreError>>;

    /// An account's channels, oldest first.
    fn owned_by<'a>(&'a self, owner: &'a AccountId) -> BoxFuture<'a, Result<Vec<Channel>, StoreError>>;
}
