//! People with an account: set-up, signing up and in, logins, profiles, who runs the instance.

pub mod argon2;
pub mod device;
pub mod gone;
pub mod join;
pub mod oidc;
pub mod passkey;
pub mod people;
pub mod profile;
pub mod proof;
pub mod reset;
pub mod routes;
pub mod rules;
pub mod service;
pub mod store;
pub mod threat;
pub mod token;

use crate::store::StoreError;
use futures_util::future::BoxFuture;
use shared::{
    channel::Channel,
    id::{AccountId, ChannelName},
    text::{DeviceLabel, DisplayName, PasskeyLabel},
};

/// Whether a name could be taken for somebody else's.
pub trait Names: Send + Sync + 'static {
    /// Whether it is too much like one of these, or can't be shown.
    fn is_unfit(&self, name: &DisplayName, others: &[String]) -> bool;
}

/// What accounts need of channels.
pub trait Channels: Send + Sync + 'static {
    /// Every channel's names, as addresses and as people read them, but for those of one account.
    fn names_but_of<'a>(
        &'a self,
        owner: Option<&'a AccountId>,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>>;

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

    /// Ends what an account publishes and watches.
    fn shut_out<'a>(&'a self, account: &'a AccountId) -> BoxFuture<'a, Result<(), StoreError>>;

    /// What channels show of their owner has changed.
    fn owner_changed(&self, owner: &AccountId);

    /// An account is gone, and these channels of it: ends what goes on there.
    fn gone<'a>(&'a self, account: &'a AccountId, channels: &'a [Channel]) -> BoxFuture<'a, ()>;

    /// Others' channels whose chat an account moderates, by name.
    fn moderated_by<'a>(
        &'a self,
        moderator: &'a AccountId,
    ) -> BoxFuture<'a, Result<Vec<Channel>, StoreError>>;

    /// Others' channels that an account is an editor of, by name.
    fn edited_by<'a>(&'a self, editor: &'a AccountId) -> BoxFuture<'a, Result<Vec<Channel>, StoreError>>;
}

/// What happened to a passkey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasskeyChange {
    /// It is a new one.
    Added,
    /// It is gone.
    Removed,
}

/// Tells people what they should know of their own account.
pub trait Warns: Send + Sync + 'static {
    /// Their password is another one; it is on disk.
    fn password_changed<'a>(&'a self, who: &'a AccountId) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Somebody signed in as them from a network and with a device that they never used before.
    fn signed_in_elsewhere<'a>(
        &'a self,
        who: &'a AccountId,
        device: &'a DeviceLabel,
    ) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Something happens on the instance, which they run, more often than it should.
    fn alerted<'a>(
        &'a self,
        who: &'a AccountId,
        title: &'a str,
        detail: &'a str,
    ) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Somebody can sign in as them with this passkey, or can't any more; it is on disk.
    fn passkeys_changed<'a>(
        &'a self,
        who: &'a AccountId,
        label: &'a PasskeyLabel,
        change: PasskeyChange,
    ) -> BoxFuture<'a, Result<(), StoreError>>;
}
