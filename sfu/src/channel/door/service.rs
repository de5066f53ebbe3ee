//! Ways into private channels, step by step.

use super::{
    HashFailed, Passwords, Regulars,
    limits::Guesses,
    pass::{self, PassKey},
    rules::{self, LinkSecret},
    store::{DoorStore, Listed},
};
use crate::{
    actor::{Actor, Visitor},
    channel::{
        rules::{Admission, Hidden, Record, admission, is_shut, may_see, standings},
        service::{ChannelError, Channels},
    },
    fresh,
    page::Wanted,
    permission::{Permission, Standing},
    settle::settle,
    store::{Store, StoreError},
};
use shared::{
    access::{AccessLink, Admitted, ChannelAccess, CreateAccessLink, EditAccess, Enter},
    channel::{Channel, Visibility},
    id::{AccessLinkId, AccountId, ChannelId, ChannelName},
    page::Page,
    subscription::Tier,
    text::{AccountName, Password},
};
use std::{
    collections::HashSet,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Why nobody was let in, or a way in was left as it is.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// The password or the link lets nobody into such a channel: whether there is one is not told.
    #[error("this lets nobody in")]
    Wrong,
    /// Neither a password nor a link was shown, or both.
    #[error("show a password or a link")]
    Nothing,
    /// Too many tries.
    #[error("too many tries: wait before the next")]
    TooMany {
        /// How long.
        wait: Duration,
    },
    /// The password couldn't be looked at.
    #[error(transparent)]
    Hash(#[from] HashFailed),
    /// Nobody of this name is on the list.
    #[error("nobody of this name is on the list")]
    NotListed,
    /// The list is as long as it may be.
    #[error("the list is full")]
    ListFull,
    /// The channel has as many links as it may.
    #[error("there are too many links")]
    TooManyLinks,
    /// No such link.
    #[error("there is no such link")]
    UnknownLink,
    /// A number that can't be.
    #[error("{0} is out of range")]
    OutOfRange(&'static str),
}

/// What ways in need.
#[derive(Clone)]
pub struct Door {
    store: DoorStore,
    passwords: Arc<dyn Passwords>,
    regulars: Arc<dyn Regulars>,
    since: Instant,
    guesses: Arc<Mutex<Guesses>>,
}

/// Who is to be let go.
enum Out {
    /// Nobody.
    Nobody,
    /// Those who came by a pass; others come back by themselves.
    Passes,
    /// One person.
    Person(AccountId),
    /// Everybody; who still may comes back by themselves.
    All,
}

impl Door {
    /// On this database.
    pub fn new(store: Store, passwords: Arc<dyn Passwords>, regulars: Arc<dyn Regulars>) -> Self {
        let (store, guesses) = (DoorStore::new(store), Arc::default());
        Self { store, passwords, regulars, since: Instant::now(), guesses }
    }

    /// The database's part.
    pub fn store(&self) -> &DoorStore {
        &self.store
    }

    fn take(&self, address: Option<IpAddr>, channel: &ChannelName) -> Result<(), DoorError> {
        let mut guesses = self.guesses.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = guesses.take(address, channel, self.since.elapsed());
        taken.map_err(|wait| DoorError::TooMany { wait })
    }

    fn was_right(&self, address: Option<IpAddr>, channel: &ChannelName) {
        self.guesses.lock().unwrap_or_else(PoisonError::into_inner).was_right(address, channel);
    }

    /// Whether somebody may see a private channel by what its own record doesn't tell. Asked of those alone whom the record
    /// refuses, and never kept: who stops to moderate or to subscribe is out with the next question.
    async fn is_regular(&self, who: &Actor, record: &Record) -> Result<bool, StoreError> {
        let channel = &record.channel.id;
        if let Some(least) = record.doors.subscribers
            && self.regulars.tier(channel, &who.account).await?.is_some_and(|tier| tier >= least)
        {
            return Ok(true);
        }
        let moderator = standings(Some(who), record).and(Standing::Moderator);
        Ok(moderator.may(Permission::SeePrivate) && self.regulars.moderates(channel, &who.account).await?)
    }
}

/// Of one that somebody might see: unless it is suspended, which they are told.
fn open_to(who: Visitor<'_>, record: &Record, by: Admission) -> Result<Admission, Hidden> {
    if is_shut(who.actor, record) { Err(Hidden::Suspended) } else { Ok(by) }
}

impl Channels {
    /// By what somebody may see a channel, whichever way in there is.
    pub(in crate::channel) async fn admission(
        &self,
        who: Visitor<'_>,
        record: Option<&Record>,
    ) -> Result<Result<Admission, Hidden>, StoreError> {
        let by = admission(who, record, fresh::now());
        if by.is_err()
            && let (Some(actor), Some(record)) = (who.actor, record)
            && self.door.is_regular(actor, record).await?
        {
            return Ok(open_to(who, record, Admission::Anyway));
        }
        Ok(match (by, record) {
            (Ok(by), Some(record)) => open_to(who, record, by),
            (by, _) => by,
        })
    }

    /// Of these people, who are in the order of their ids, those who may see a channel without showing anything. What the record
    /// doesn't tell is asked once for all of them.
    pub async fn those_who_see(
        &self,
        people: &[Actor],
        record: &Record,
    ) -> Result<HashSet<AccountId>, StoreError> {
        let open = people.iter().filter(|who| !is_shut(Some(who), record));
        let (inside, others): (Vec<&Actor>, Vec<&Actor>) = open.partition(|who| may_see(Some(who), record));
        let mut inside: HashSet<AccountId> = inside.into_iter().map(|who| who.account.clone()).collect();
        let (Some(first), Some(last)) = (others.first(), others.last()) else { return Ok(inside) };
        let ids = (&first.account, &last.account);
        let known = self.door.regulars.between(&record.channel.id, ids, record.doors.subscribers).await?;
        let is_in = |who: &Actor| {
            let moderates = known.moderators.contains(&who.account)
                && standings(Some(who), record).and(Standing::Moderator).may(Permission::SeePrivate);
            moderates || known.subscribers.contains(&who.account)
        };
        inside.extend(others.into_iter().filter(|who| is_in(who)).map(|who| who.account.clone()));
        Ok(inside)
    }

    /// Others' channels whose chat an account moderates, by name.
    pub async fn moderated_by(&self, moderator: &AccountId) -> Result<Vec<Channel>, StoreError> {
        let mut channels = Vec::new();
        for id in self.door.regulars.moderated_by(moderator).await? {
            if let Some(record) = self.record_by_id(&id).await?
                && record.owner.as_ref() != Some(moderator)
                && !record.channel.suspended
            {
                channels.push(record.channel.clone());
            }
        }
        channels.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(channels)
    }

    /// Whether somebody who shows nothing may see a channel.
    pub async fn sees(&self, who: Option<&Actor>, record: &Record) -> Result<bool, StoreError> {
        Ok(self.admission(who.into(), Some(record)).await?.is_ok())
    }

    /// Lets somebody in who shows the password or a link: the cookie of their passes from then on, or nothing where they were in
    /// already. Whether there is such a channel, nobody is told who isn't.
    pub async fn enter(
        &self,
        who: Visitor<'_>,
        name: &ChannelName,
        shown: Enter,
        address: Option<IpAddr>,
    ) -> Result<Option<String>, ChannelError> {
        let Enter { password, link } = shown;
        if password.is_some() == link.is_some() {
            return Err(DoorError::Nothing.into());
        }
        let record = self.record(name).await?;
        if self.admission(who, record.as_deref()).await?.is_ok() {
            return Ok(None);
        }
        self.door.take(address, name)?;
        let channel = record.as_ref().map(|record| &record.channel.id);
        let key = match (password, link) {
            (Some(password), _) => self.key_of_password(channel, password).await?,
            (None, link) => self.key_of_link(channel, &link.unwrap_or_default()).await?,
        };
        let (Some(key), Some(record)) = (key, record) else { return Err(DoorError::Wrong.into()) };
        self.door.was_right(address, name);
        let cookie = who.embed.map(|embed| embed.token).filter(|token| pass::are_passes(token));
        // Of this channel, it keeps this pass alone.
        let mut keys = record.doors.keys.clone();
        keys.push(key.clone());
        Ok(Some(pass::with(cookie, &key, &keys, &record.channel.id, fresh::now())))
    }

    /// Costs the same work whether there is such a channel, and whether it has a password.
    async fn key_of_password(
        &self,
        channel: Option<&ChannelId>,
        password: String,
    ) -> Result<Option<PassKey>, ChannelError> {
        let kept = match channel {
            Some(channel) => self.door.store.password(channel).await?,
            None => None,
        };
        let (hash, key) = kept.unzip();
        // What is too short or too long to be a password is nobody's.
        let Ok(password) = Password::try_from(password) else { return Ok(None) };
        let is_right = self.door.passwords.verify(password, hash).await.map_err(DoorError::from)?;
        Ok(key.filter(|_| is_right))
    }

    async fn key_of_link(
        &self,
        channel: Option<&ChannelId>,
        link: &str,
    ) -> Result<Option<PassKey>, ChannelError> {
        let (Some(channel), Some(secret)) = (channel, LinkSecret::parse(link)) else { return Ok(None) };
        Ok(self.door.store.use_link(channel, &secret.hash(), fresh::now()).await?)
    }

    /// The ways into a channel.
    pub async fn access(&self, who: &Actor, name: &ChannelName) -> Result<ChannelAccess, ChannelError> {
        let record = self.allowed(who, name, Permission::Admit).await?;
        self.access_of(&record).await
    }

    async fn access_of(&self, record: &Record) -> Result<ChannelAccess, ChannelError> {
        let channel = &record.channel.id;
        Ok(ChannelAccess {
            has_password: self.door.store.password(channel).await?.is_some(),
            subscribers: record.doors.subscribers,
            listed: record.doors.listed.len().try_into().unwrap_or(u32::MAX),
            links: self.door.store.count_links(channel).await?,
        })
    }

    /// Says which subscribers get in.
    pub async fn edit_access(
        &self,
        who: &Actor,
        name: &ChannelName,
        edit: EditAccess,
    ) -> Result<ChannelAccess, ChannelError> {
        let record = self.allowed(who, name, Permission::Admit).await?;
        let (channels, by) = (self.clone(), who.clone());
        settle(async move {
            let channel = &record.channel.id;
            let written = channels.door.store.set_subscribers(&by, channel, edit.subscribers).await;
            channels.doors_changed(&record, written, Out::All)?;
            let record = channels.record(&record.channel.name).await?.ok_or(ChannelError::Unknown)?;
            channels.access_of(&record).await
        })
        .await
    }

    /// Gives a channel a password, another one, or none any more.
    pub async fn set_channel_password(
        &self,
        who: &Actor,
        name: &ChannelName,
        password: Option<Password>,
    ) -> Result<(), ChannelError> {
        let record = self.allowed(who, name, Permission::Admit).await?;
        let kept = match password {
            Some(password) => {
                let hash = self.door.passwords.hash(password).await.map_err(DoorError::from)?;
                Some((hash, PassKey::from_random(fresh::bytes())))
            }
            None => None,
        };
        let (channels, by) = (self.clone(), who.clone());
        settle(async move {
            let written = channels.door.store.set_password(&by, &record.channel.id, kept).await;
            channels.doors_changed(&record, written, Out::Passes)
        })
        .await
    }

    /// A channel's list.
    pub async fn admitted_people(
        &self,
        who: &Actor,
        name: &ChannelName,
        wanted: &Wanted,
    ) -> Result<Page<Admitted>, ChannelError> {
        let record = self.allowed(who, name, Permission::Admit).await?;
        Ok(self.door.store.all_listed(&record.channel.id, wanted).await?)
    }

    /// Puts somebody on a channel's list.
    pub async fn admit(
        &self,
        who: &Actor,
        name: &ChannelName,
        account: AccountName,
    ) -> Result<Admitted, ChannelError> {
        let record = self.allowed(who, name, Permission::Admit).await?;
        let (channels, by) = (self.clone(), who.clone());
        settle(async move {
            let channel = &record.channel.id;
            let listed = channels.door.store.admit(&by, channel, &account, fresh::now()).await;
            let listed = channels.doors_changed(&record, listed, Out::Nobody)?;
            match listed {
                Listed::Done => {}
                Listed::Nobody => return Err(ChannelError::UnknownAccount),
                Listed::TooMany => return Err(DoorError::ListFull.into()),
            }
            let listed = channels.door.store.listed(channel, &account).await?;
            listed.ok_or(ChannelError::UnknownAccount)
        })
        .await
    }

    /// Takes somebody off a channel's list, and out of the channel if nothing else lets them in.
    pub async fn unadmit(
        &self,
        who: &Actor,
        name: &ChannelName,
        account: AccountName,
    ) -> Result<(), ChannelError> {
        let record = self.allowed(who, name, Permission::Admit).await?;
        let (channels, by) = (self.clone(), who.clone());
        settle(async move {
            let taken = channels.door.store.unlist(&by, &record.channel.id, &account).await;
            channels.cache.forget(&record.channel.name);
            let person = taken?.ok_or(DoorError::NotListed)?;
            channels.doors_changed(&record, Ok(()), Out::Person(person))
        })
        .await
    }

    /// Links into a channel, newest first.
    pub async fn access_links(
        &self,
        who: &Actor,
        name: &ChannelName,
        wanted: &Wanted,
    ) -> Result<Page<AccessLink>, ChannelError> {
        let record = self.allowed(who, name, Permission::Admit).await?;
        Ok(self.door.store.links(&record.channel.id, wanted).await?)
    }

    /// Makes a link into a channel; its secret comes back this once.
    pub async fn add_access_link(
        &self,
        who: &Actor,
        name: &ChannelName,
        wanted: CreateAccessLink,
    ) -> Result<(AccessLink, LinkSecret), ChannelError> {
        let record = self.allowed(who, name, Permission::Admit).await?;
        let now = fresh::now();
        let range = |field| move |_| DoorError::OutOfRange(field);
        let link = AccessLink {
            id: fresh::id(),
            label: wanted.label,
            created_at: now,
            expires_at: rules::expiry(wanted.days, now).map_err(range("days"))?,
            uses: 0,
            uses_most: rules::uses(wanted.uses).map_err(range("uses"))?,
        };
        let secret = LinkSecret::from_random(fresh::bytes());
        let key = PassKey::from_random(fresh::bytes());
        let (channels, by) = (self.clone(), who.clone());
        settle(async move {
            let added =
                channels.door.store.add_link(&by, &record.channel.id, &link, &secret.hash(), &key).await;
            // Its passes must be known to whoever asks with one.
            channels.cache.forget(&record.channel.name);
            if added? { Ok((link, secret)) } else { Err(DoorError::TooManyLinks.into()) }
        })
        .await
    }

    /// Ends a link. Who came by it is out.
    pub async fn revoke_access_link(
        &self,
        who: &Actor,
        name: &ChannelName,
        id: AccessLinkId,
    ) -> Result<(), ChannelError> {
        let record = self.allowed(who, name, Permission::Admit).await?;
        let (channels, by) = (self.clone(), who.clone());
        settle(async move {
            let revoked = channels.door.store.revoke_link(&by, &record.channel.id, &id).await;
            channels.cache.forget(&record.channel.name);
            if !revoked? {
                return Err(DoorError::UnknownLink.into());
            }
            channels.doors_changed(&record, Ok(()), Out::Passes)
        })
        .await
    }

    /// The highest tier in which somebody subscribes to a channel now.
    pub async fn tier(&self, channel: &ChannelId, who: &AccountId) -> Result<Option<Tier>, StoreError> {
        self.door.regulars.tier(channel, who).await
    }

    /// Somebody doesn't moderate or subscribe to a channel any more: if that let them in, they are out.
    pub async fn regular_left(&self, channel: &ChannelId, who: &AccountId) -> Result<(), StoreError> {
        if let Some(record) = self.record_by_id(channel).await? {
            // The store's answer is theirs to wait for; who is let go but may stay comes back by themselves.
            let _ = self.doors_changed(&record, Ok(()), Out::Person(who.clone()));
        }
        Ok(())
    }

    /// Forgets what was known of a channel, lets those go who may be out now, and makes followers be asked again.
    fn doors_changed<T>(
        &self,
        record: &Record,
        written: Result<T, StoreError>,
        out: Out,
    ) -> Result<T, ChannelError> {
        let channel = &record.channel;
        self.cache.forget(&channel.name);
        let written = written?;
        if channel.visibility == Visibility::Private {
            match &out {
                Out::Nobody => {}
                Out::Passes => self.ports.control.hide_from_embeds(&channel.id),
                Out::Person(account) => self.ports.control.let_go(account),
                Out::All => self.ports.control.hide(&channel.id),
            }
            self.ports.announce.edited(&channel.name);
            tracing::info!(channel = %channel.name, "a way into a private channel changed");
        }
        Ok(written)
    }
}
