//! Channels' names, held against everybody else's.

use super::Names;
use crate::{
    actor::Actor,
    channel::{
        rules::Record,
        service::{ChannelError, Channels},
    },
    limit::{Limiter, Rate},
};
use shared::{
    channel::{Channel, EditChannel},
    id::{AccountId, ChannelId, ChannelName},
    text::DisplayName,
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

/// How often one person names channels: each name is held against everybody's.
const NAMINGS: Rate = Rate { burst: 60, every: std::time::Duration::from_secs(5) };

/// How often one person deletes channels of their own: each keeps its name from others for a while.
const DELETIONS: Rate = Rate { burst: 5, every: std::time::Duration::from_secs(24 * 60 * 60 / 5) };

/// Who may have which name.
#[derive(Clone)]
pub struct Naming {
    names: Arc<dyn Names>,
    since: Instant,
    namings: Arc<Mutex<Limiter<AccountId>>>,
    deletions: Arc<Mutex<Limiter<AccountId>>>,
}

impl Naming {
    /// With these names.
    pub fn new(names: Arc<dyn Names>) -> Self {
        let limiter = |rate| Arc::new(Mutex::new(Limiter::new(rate)));
        Self { names, since: Instant::now(), namings: limiter(NAMINGS), deletions: limiter(DELETIONS) }
    }

    fn take(&self, who: &Actor) -> Result<(), ChannelError> {
        let mut namings = self.namings.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = namings.take(&who.account, self.since.elapsed());
        taken.map_err(|wait| ChannelError::TooFast { wait })
    }

    /// That somebody may delete one more channel of theirs now.
    pub(in crate::channel) fn take_deletion(&self, who: &Actor) -> Result<(), ChannelError> {
        let mut deletions = self.deletions.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = deletions.take(&who.account, self.since.elapsed());
        taken.map_err(|wait| ChannelError::TooFast { wait })
    }
}

impl Channels {
    /// Makes a channel for somebody, if nobody takes it for somebody else's; its stream key comes back this once.
    pub async fn create_for(
        &self,
        who: &Actor,
        name: ChannelName,
        display_name: Option<DisplayName>,
    ) -> Result<(Channel, String), ChannelError> {
        if self.store.by_name(&name).await?.is_some() || self.store.is_kept(&name, Some(&who.account)).await?
        {
            return Err(ChannelError::Taken);
        }
        let look_alike = |field| ChannelError::LookAlike { field };
        let as_shown = name.as_str().parse::<DisplayName>().map_err(|_| look_alike("name"))?;
        let mut given = vec![("name", &as_shown)];
        given.extend(display_name.as_ref().map(|shown| ("displayName", shown)));
        self.check_names(who, Some(&who.account), None, &given).await?;
        self.create(Some(&who.account), name, display_name).await
    }

    /// That nobody takes a channel, as an edit has it called, for somebody else's. It keeps the name that it has.
    pub(in crate::channel) async fn check_edit(
        &self,
        who: &Actor,
        record: &Record,
        edit: &EditChannel,
    ) -> Result<(), ChannelError> {
        match &edit.display_name {
            Some(name) if *name != record.channel.display_name => {
                let (owner, channel) = (record.owner.as_ref(), Some(&record.channel.id));
                self.check_names(who, owner, channel, &[("displayName", name)]).await
            }
            _ => Ok(()),
        }
    }

    /// That names are like nobody's but their owner's and their channel's own.
    async fn check_names(
        &self,
        who: &Actor,
        owner: Option<&AccountId>,
        channel: Option<&ChannelId>,
        given: &[(&'static str, &DisplayName)],
    ) -> Result<(), ChannelError> {
        self.naming.take(who)?;
        let names = &self.naming.names;
        let mut others = names.of_accounts_but(owner).await?;
        others.extend(self.store.names_but(owner, channel).await?);
        let others: Arc<[String]> = others.into();
        for (field, name) in given {
            if names.is_unfit(name, &others).await {
                return Err(ChannelError::LookAlike { field });
            }
        }
        Ok(())
    }
}
