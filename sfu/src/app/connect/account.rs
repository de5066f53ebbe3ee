//! What accounts need of everybody else.

use crate::{account, channel::service::Channels, store::StoreError};
use futures_util::{FutureExt, future::BoxFuture};
use shared::{
    channel::Channel,
    id::{AccountId, ChannelName},
    text::DisplayName,
};

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
}
