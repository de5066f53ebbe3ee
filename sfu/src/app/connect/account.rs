//! What accounts need of everybody else.

use crate::{
    account::{self, reset},
    channel::service::Channels,
    chat::name::Taken,
    notification::mail::service::Mail,
    store::StoreError,
};
use futures_util::{FutureExt, future::BoxFuture};
use shared::{
    channel::Channel,
    id::{AccountId, ChannelName},
    text::{AccountName, DisplayName, EmailAddress},
};

/// What makes two names look alike, as chat knows it of guests.
pub(in crate::app) struct Looks;

impl account::Names for Looks {
    fn is_unfit(&self, name: &DisplayName, others: &[String]) -> bool {
        Taken::new(others.iter().map(String::as_str)).check(name).is_err()
    }
}

/// Letters with links to new passwords.
pub(in crate::app) struct ResetLetters(pub(in crate::app) Mail);

impl reset::Letters for ResetLetters {
    fn are_sent(&self) -> bool {
        self.0.is_set()
    }

    fn reset<'a>(
        &'a self,
        to: &'a EmailAddress,
        name: &'a AccountName,
        token: &'a str,
        id: &'a str,
    ) -> BoxFuture<'a, bool> {
        self.0.reset(to, (name.as_str(), token), id).boxed()
    }
}

/// Channels, as accounts see them.
pub(in crate::app) struct AccountChannels(pub(in crate::app) Channels);

impl account::Channels for AccountChannels {
    fn is_free<'a>(&'a self, name: &'a ChannelName) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.0.is_free(name).boxed()
    }

    fn open_first<'a>(
        &'a self,
        owner: &'a AccountId,
        name: &'a ChannelName,
        display_name: &'a DisplayName,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.0.open_first(owner, name, display_name).boxed()
    }

    fn owned_by<'a>(&'a self, owner: &'a AccountId) -> BoxFuture<'a, Result<Vec<Channel>, StoreError>> {
        self.0.owned_by(owner).boxed()
    }

    fn names_but_of<'a>(
        &'a self,
        owner: Option<&'a AccountId>,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>> {
        self.0.names_but_of(owner).boxed()
    }

    fn shut_out<'a>(&'a self, account: &'a AccountId) -> BoxFuture<'a, Result<(), StoreError>> {
        self.0.shut_out(account).boxed()
    }

    fn owner_changed(&self, _: &AccountId) {
        self.0.owner_changed();
    }

    fn gone<'a>(&'a self, account: &'a AccountId, channels: &'a [Channel]) -> BoxFuture<'a, ()> {
        async move {
            self.0.owner_changed();
            self.0.let_go(account);
            for channel in channels {
                self.0.gone(&channel.id, &channel.name).await;
            }
        }
        .boxed()
    }

    fn moderated_by<'a>(
        &'a self,
        moderator: &'a AccountId,
    ) -> BoxFuture<'a, Result<Vec<Channel>, StoreError>> {
        self.0.moderated_by(moderator).boxed()
    }

    fn edited_by<'a>(&'a self, editor: &'a AccountId) -> BoxFuture<'a, Result<Vec<Channel>, StoreError>> {
        self.0.edited_by(editor).boxed()
    }
}
