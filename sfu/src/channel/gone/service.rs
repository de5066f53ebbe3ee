//! Deleting channels, step by step.

use crate::{
    actor::Actor,
    channel::{
        overview::ruling::{self, RulingError},
        rules::Record,
        service::{ChannelError, Channels},
    },
    permission::Permission,
    settle::settle,
};
use shared::id::{AccountId, ChannelId, ChannelName};
use std::sync::Arc;

impl Channels {
    /// A channel that somebody may delete, and that they mean. Its owner deletes no suspended one: made anew, it would be let in.
    pub async fn to_delete(
        &self,
        who: &Actor,
        name: &ChannelName,
        confirm: &str,
    ) -> Result<Arc<Record>, RulingError> {
        let record = self.allowed(who, name, Permission::DeleteChannel).await?;
        if !confirm.trim().eq_ignore_ascii_case(name.as_str()) {
            return Err(ChannelError::Confirm.into());
        }
        let owner = self.owner_of(&record).await?;
        ruling::may_delete(who, &owner, record.channel.suspended)?;
        Ok(record)
    }

    /// Deletes a channel with all that is its own, and ends what goes on there. Once this says so, it is on disk.
    pub async fn delete(&self, who: &Actor, record: &Record) -> Result<(), ChannelError> {
        if record.owner.as_ref() == Some(&who.account) {
            self.naming.take_deletion(who)?;
        }
        let (channels, by) = (self.clone(), who.clone());
        let (id, name) = (record.channel.id.clone(), record.channel.name.clone());
        settle(async move {
            let deleted = channels.store.delete(Some(&by), &id).await;
            channels.cache.forget(&name);
            if !deleted? {
                return Err(ChannelError::Unknown);
            }
            tracing::info!(channel = %name, by = %by.account, "a channel was deleted");
            channels.gone(&id, &name).await;
            Ok(())
        })
        .await
    }

    /// Deletes a channel from the shell, beside a server that runs or doesn't.
    pub async fn delete_from_shell(&self, name: &ChannelName) -> Result<(), ChannelError> {
        let record = self.store.by_name(name).await?.ok_or(ChannelError::Unknown)?;
        if self.store.delete(None, &record.channel.id).await? { Ok(()) } else { Err(ChannelError::Unknown) }
    }

    /// Ends what an account watches.
    pub fn let_go(&self, account: &AccountId) {
        self.ports.control.let_go(account);
    }

    /// Ends what goes on where a channel was: who publishes or watches is let go, and who follows must ask again.
    pub async fn gone(&self, channel: &ChannelId, name: &ChannelName) {
        self.cache.forget(name);
        self.ports.control.end(channel).await;
        self.ports.control.hide(channel);
        self.ports.announce.edited(name);
    }
}
