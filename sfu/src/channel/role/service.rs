//! Roles on channels, step by step.

use super::store::Given;
use crate::{
    actor::Actor,
    channel::service::{ChannelError, Channels},
    fresh,
    page::Wanted,
    permission::Permission,
    settle::settle,
};
use shared::{
    channel::{ChannelRole, RoleHolder, Visibility},
    id::ChannelName,
    page::Page,
    text::AccountName,
};

impl Channels {
    /// Everybody with a role on a channel.
    pub async fn roles(
        &self,
        who: &Actor,
        name: &ChannelName,
        wanted: &Wanted,
    ) -> Result<Page<RoleHolder>, ChannelError> {
        let record = self.allowed(who, name, Permission::SeeRoles).await?;
        Ok(self.role_store().holders(&record.channel.id, wanted).await?)
    }

    /// Gives somebody a role.
    pub async fn set_role(
        &self,
        who: &Actor,
        name: &ChannelName,
        account: AccountName,
        role: ChannelRole,
    ) -> Result<RoleHolder, ChannelError> {
        let record = self.allowed(who, name, Permission::Appoint).await?;
        let (channels, by) = (self.clone(), who.clone());
        settle(async move {
            let channel = &record.channel;
            let given = channels.role_store().give(&by, &channel.id, &account, role, fresh::now()).await;
            channels.cache.forget(&channel.name);
            match given? {
                Given::Done => {}
                Given::Nobody => return Err(ChannelError::UnknownAccount),
                Given::IsOwner => return Err(ChannelError::IsOwner),
                Given::TooMany => return Err(ChannelError::TooManyRoles),
            }
            tracing::info!(channel = %channel.name, "a role was given");
            // It may be less than what they had before.
            channels.ports.announce.edited(&channel.name);
            let holder = channels.role_store().holder(&channel.id, &account).await?;
            holder.ok_or(ChannelError::UnknownAccount)
        })
        .await
    }

    /// Somebody was made a VIP, or isn't one any more; it is on disk. Of a private channel, who may not see it any more is let go.
    pub fn vip_changed(&self, name: &ChannelName, is_vip: bool) {
        self.cache.forget(name);
        // Whoever follows the channel on the event socket is asked again whether they may.
        self.ports.announce.edited(name);
        if is_vip {
            return;
        }
        let (channels, name) = (self.clone(), name.clone());
        tokio::spawn(async move {
            match channels.record(&name).await {
                Ok(Some(record)) if record.channel.visibility == Visibility::Private => {
                    channels.ports.control.hide(&record.channel.id);
                }
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "somebody who is no VIP any more could not be let go"),
            }
        });
    }

    /// Takes somebody's role away. Of a private channel, who may not see it any more is let go.
    pub async fn remove_role(
        &self,
        who: &Actor,
        name: &ChannelName,
        account: AccountName,
    ) -> Result<(), ChannelError> {
        let record = match self.allowed(who, name, Permission::Appoint).await {
            // Anybody may lay down what they were given without being asked.
            Err(ChannelError::NotYours) => {
                let record = self.seen(Some(who).into(), name).await?;
                let holder = self.role_store().holder(&record.channel.id, &account).await?;
                holder.filter(|holder| holder.id == who.account).ok_or(ChannelError::NotYours)?;
                record
            }
            other => other?,
        };
        let (channels, by) = (self.clone(), who.clone());
        settle(async move {
            let channel = &record.channel;
            let taken = channels.role_store().take(&by, &channel.id, &account).await;
            channels.cache.forget(&channel.name);
            if !taken? {
                return Err(ChannelError::UnknownAccount);
            }
            tracing::info!(channel = %channel.name, "a role was taken away");
            if channel.visibility == Visibility::Private {
                channels.ports.control.hide(&channel.id);
            }
            // Whoever follows the channel on the event socket is asked again whether they may.
            channels.ports.announce.edited(&channel.name);
            Ok(())
        })
        .await
    }
}
