//! Every channel there is, step by step.

use super::ruling::{self, Owner, RulingError};
use crate::{
    actor::Actor,
    channel::{
        rules::Record,
        service::{ChannelError, Channels},
        store::Overviewed,
    },
    fresh,
    page::Wanted,
    permission,
    settle::settle,
    store::StoreError,
};
use shared::{
    account::Role,
    channel::{EditInstanceChannel, InstanceChannel},
    id::ChannelName,
    page::Page,
};

fn runs_instance(who: &Actor) -> Result<(), ChannelError> {
    if permission::runs_instance(who.role) { Ok(()) } else { Err(ChannelError::NotAllowed) }
}

impl Channels {
    fn overviewed(&self, one: Overviewed) -> InstanceChannel {
        let Overviewed { record, owner, owner_name, followers, suspended_at } = one;
        let live = self.ports.live.of(&record.channel.id);
        InstanceChannel {
            channel: record.channel,
            owner,
            owner_name,
            state: live.state,
            viewer_count: live.viewer_count,
            followers,
            suspended_at,
        }
    }

    /// Every channel whose names, or whose owner's, hold a text.
    pub async fn overview(
        &self,
        who: &Actor,
        search: &str,
        wanted: &Wanted,
    ) -> Result<Page<InstanceChannel>, ChannelError> {
        runs_instance(who)?;
        let page = self.store.overview(search, wanted).await?;
        let items = page.items.into_iter().map(|one| self.overviewed(one)).collect();
        Ok(Page { items, next: page.next })
    }

    /// Whose a channel is, as far as those who run the instance must know before they do anything to it.
    pub(in crate::channel) async fn owner_of(&self, record: &Record) -> Result<Owner, StoreError> {
        let Some(account) = record.owner.clone() else {
            return Ok(Owner { account: None, role: Role::Owner });
        };
        let role = self.store.role_of(&account).await?;
        Ok(Owner { account: Some(account), role })
    }

    /// Keeps a channel from publishing and from being watched, or lets it again. What goes on there ends.
    pub async fn edit_as_instance(
        &self,
        who: &Actor,
        name: &ChannelName,
        edit: EditInstanceChannel,
    ) -> Result<InstanceChannel, RulingError> {
        runs_instance(who)?;
        let record = self.record(name).await?.ok_or(ChannelError::Unknown)?;
        if let Some(suspended) = edit.suspended {
            ruling::may_suspend(who, &self.owner_of(&record).await?)?;
            let (channels, by) = (self.clone(), who.clone());
            settle(async move {
                let channel = &record.channel;
                let written = channels.store.suspend(&by, &channel.id, suspended.then(fresh::now)).await;
                channels.cache.forget(&channel.name);
                written?;
                tracing::info!(channel = %channel.name, by = %by.account, suspended, "a channel was suspended or let in again");
                if suspended {
                    channels.gone(&channel.id, &channel.name).await;
                } else {
                    channels.ports.announce.edited(&channel.name);
                }
                Ok::<_, ChannelError>(())
            })
            .await?;
        }
        let one = self.store.overview_of(name).await?.ok_or(ChannelError::Unknown)?;
        Ok(self.overviewed(one))
    }
}
