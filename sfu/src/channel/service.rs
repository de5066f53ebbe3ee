//! What people and programs do with channels, step by step.

mod cache;

use super::{
    Announce, Keys, Live, LiveControl, LiveSource, PastSource,
    door::{
        Doors, Passwords, Regulars,
        service::{Door, DoorError},
    },
    listing::{self, Filter, Place},
    live::store::StartStore,
    naming::{Names, Naming},
    page::service as page,
    role::store::RoleStore,
    rules::{self, Admission, Hidden, Record},
    store::ChannelStore,
};
use crate::{
    actor::{Actor, EmbedError, Visitor},
    fresh,
    permission::Permission,
    settle::settle,
    store::{Store, StoreError},
};
use shared::{
    broadcast::ChannelState,
    channel::{CategoryCard, Channel, ChannelCard, Directory, EditChannel, Visibility},
    embed::Embedding,
    id::{AccountId, ChannelId, ChannelName},
    ladder::LadderState,
    page::Page,
    text::{Category, Description, DisplayName, Title},
    unit::Timestamp,
};
use std::{
    cmp::Reverse,
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::{Duration, Instant},
};

/// Why something was not done with a channel.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// No such channel, as far as the one who asks may know.
    #[error("there is no such channel")]
    Unknown,
    /// It is somebody else's.
    #[error("this channel is somebody else's")]
    NotYours,
    /// The name is in use.
    #[error("a channel with this name exists already")]
    Taken,
    /// A name that could be taken for somebody else's.
    #[error("this name is too much like somebody's")]
    LookAlike {
        /// Which of the names, as requests call it.
        field: &'static str,
    },
    /// Too often.
    #[error("too often: wait before the next")]
    TooFast {
        /// How long.
        wait: Duration,
    },
    /// More tags than a channel has.
    #[error("a channel has at most {} tags", shared::channel::TAGS_MOST)]
    TooManyTags,
    /// More sites may embed it than are kept.
    #[error("too many sites")]
    TooManySites,
    /// A signed embed can't be good for so long.
    #[error("a signed embed is good for a second to a year")]
    EmbedTime,
    /// The signed embed doesn't admit.
    #[error(transparent)]
    Embed(EmbedError),
    /// Nobody has an account of this name, or a role.
    #[error("there is nobody of this name")]
    UnknownAccount,
    /// The owner needs no role.
    #[error("the owner may everything already")]
    IsOwner,
    /// More people with a role than a channel has.
    #[error("a channel gives at most {} people a role", shared::channel::ROLES_MOST)]
    TooManyRoles,
    /// Only those who run the instance may.
    #[error("only those who run the instance may do this")]
    NotAllowed,
    /// It is kept from publishing and from being watched.
    #[error("this channel is suspended")]
    Suspended,
    /// Another name was typed than that of the channel.
    #[error("this is not the channel's name")]
    Confirm,
    /// More channels than an account has.
    #[error("an account has at most {} channels", rules::CHANNELS_MOST)]
    TooMany,
    /// A way into a private channel.
    #[error(transparent)]
    Door(DoorError),
    /// What its page shows.
    #[error(transparent)]
    Page(page::PageError),
    /// The store could not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What channels need of the rest of the server.
#[derive(Clone)]
pub struct Ports {
    /// What is live.
    pub live: Arc<dyn LiveSource>,
    /// Ends what is live.
    pub control: Arc<dyn LiveControl>,
    /// What was live.
    pub past: Arc<dyn PastSource>,
    /// Publishers' secrets.
    pub keys: Arc<dyn Keys>,
    /// Everybody else's names.
    pub names: Arc<dyn Names>,
    /// Hears of changes.
    pub announce: Arc<dyn Announce>,
    /// Hashes the passwords of private channels.
    pub passwords: Arc<dyn Passwords>,
    /// Knows who moderates and subscribes.
    pub regulars: Arc<dyn Regulars>,
}

/// The service; cheap to clone.
#[derive(Clone)]
pub struct Channels {
    pub(super) store: ChannelStore,
    starts: StartStore,
    roles: RoleStore,
    pub(super) ports: Ports,
    pub(super) naming: Naming,
    pub(super) door: Door,
    pub(super) page: page::Page,
    pub(super) cache: Arc<Cache>,
}

/// The most channels that are kept in memory; beyond, all are read anew.
const CACHED_MOST: usize = 10_000;
/// So many public channels are searched through, those that were live most recently.
const SEARCHED_MOST: i64 = 10_000;
/// The directory's list is read this often, as the shell may have made a channel.
const LIST_LASTS: Duration = Duration::from_secs(10);

/// Channels as last read. One process edits them, and it forgets what it edits.
#[derive(Default)]
pub(super) struct Cache {
    records: RwLock<Records>,
    public: Mutex<Option<(Instant, Arc<Vec<Record>>)>>,
    searched: tokio::sync::Mutex<Option<Searched>>,
}

/// What is searched through.
struct Searched {
    read_at: Instant,
    /// The count of edits when it was read.
    edits: u64,
    list: Arc<Vec<Record>>,
}

#[derive(Default)]
struct Records {
    by_name: HashMap<ChannelName, Arc<Record>>,
    names: HashMap<ChannelId, ChannelName>,
    /// Counts edits, so that a read that began before one is not kept after it.
    edits: u64,
}

impl Channels {
    /// On this database.
    pub fn new(store: Store, ports: Ports) -> Self {
        let (starts, roles) = (StartStore::new(store.clone()), RoleStore::new(store.clone()));
        let naming = Naming::new(ports.names.clone());
        let door = Door::new(store.clone(), ports.passwords.clone(), ports.regulars.clone());
        let page = page::Page::new(store.clone());
        Self {
            store: ChannelStore::new(store),
            starts,
            roles,
            ports,
            naming,
            door,
            page,
            cache: Arc::default(),
        }
    }

    /// Broadcasts that were announced.
    pub(super) fn starts(&self) -> &StartStore {
        &self.starts
    }

    /// Who has which role where.
    pub(super) fn role_store(&self) -> &RoleStore {
        &self.roles
    }

    /// A channel's record, whoever asks.
    pub async fn record(&self, name: &ChannelName) -> Result<Option<Arc<Record>>, StoreError> {
        let edits = match self.cache.get(name) {
            Ok(record) => return Ok(Some(record)),
            Err(edits) => edits,
        };
        let read = self.store.by_name(name).await?;
        self.keep(read, edits).await
    }

    /// A channel's record by id.
    pub async fn record_by_id(&self, id: &ChannelId) -> Result<Option<Arc<Record>>, StoreError> {
        let edits = match self.cache.get_by_id(id) {
            Ok(record) => return Ok(Some(record)),
            Err(edits) => edits,
        };
        let read = self.store.by_id(id).await?;
        self.keep(read, edits).await
    }

    async fn keep(&self, read: Option<Record>, edits: u64) -> Result<Option<Arc<Record>>, StoreError> {
        let Some(mut record) = read else { return Ok(None) };
        record.past = self.ports.past.last_ended(&record.channel.id).await?;
        record.roles = self.roles.of(&record.channel.id).await?;
        record.doors = self.door.store().of(&record.channel.id).await?;
        let record = Arc::new(record);
        self.cache.put(&record, edits);
        Ok(Some(record))
    }

    /// A channel, for one who may see it.
    pub async fn seen(&self, who: Visitor<'_>, name: &ChannelName) -> Result<Arc<Record>, ChannelError> {
        self.admitted(who, name).await.map(|(record, _)| record)
    }

    /// The same, and by what.
    pub async fn admitted(
        &self,
        who: Visitor<'_>,
        name: &ChannelName,
    ) -> Result<(Arc<Record>, Admission), ChannelError> {
        let record = self.record(name).await?;
        match (self.admission(who, record.as_deref()).await?, record) {
            (Ok(by), Some(record)) => Ok((record, by)),
            (Err(Hidden::Embed(error)), _) => Err(ChannelError::Embed(error)),
            (Err(Hidden::Suspended), _) => Err(ChannelError::Suspended),
            (Ok(_) | Err(Hidden::Unknown), _) => Err(ChannelError::Unknown),
        }
    }

    /// A channel, for one who may do this with it. One that must not be known of stays unknown.
    pub async fn allowed(
        &self,
        who: &Actor,
        name: &ChannelName,
        permission: Permission,
    ) -> Result<Arc<Record>, ChannelError> {
        let record = self.seen(Some(who).into(), name).await?;
        if rules::may(who, &record, permission) { Ok(record) } else { Err(ChannelError::NotYours) }
    }

    /// A channel's state now, whoever asks.
    pub async fn state(&self, name: &ChannelName) -> Result<Option<ChannelState>, StoreError> {
        let record = self.record(name).await?;
        Ok(record.map(|record| self.state_of(&record)))
    }

    /// The state of a channel that was read.
    pub fn state_of(&self, record: &Record) -> ChannelState {
        rules::state(record, self.ports.live.of(&record.channel.id), fresh::now())
    }

    /// Makes a channel, whatever it is called; its stream key comes back this once.
    pub async fn create(
        &self,
        owner: Option<&AccountId>,
        name: ChannelName,
        display_name: Option<DisplayName>,
    ) -> Result<(Channel, String), ChannelError> {
        if let Some(owner) = owner
            && self.store.owned_by(owner).await?.len() >= rules::CHANNELS_MOST
        {
            return Err(ChannelError::TooMany);
        }
        let named = display_name.or_else(|| name.as_str().parse().ok());
        let channel = Channel {
            id: fresh::id(),
            display_name: named.ok_or(ChannelError::Unknown)?,
            name,
            avatar: self.store.avatar_of(owner).await?,
            own_avatar: false,
            banner: None,
            title: Title::default(),
            description: Description::default(),
            category: Category::default(),
            tags: Vec::new(),
            visibility: Visibility::default(),
            embedding: Embedding::default(),
            created_at: fresh::now(),
            suspended: false,
        };
        let key = self.ports.keys.stream_key();
        let (owner, roles, doors) = (owner.cloned(), Vec::new(), Doors::default());
        let record = Record { channel, owner, past: None, embed_key: None, ladder: true, roles, doors };
        self.store.create(&record, &key.hash).await.map_err(|error| match error {
            StoreError::Taken => ChannelError::Taken,
            other => other.into(),
        })?;
        // One of this name may have gone a moment ago, by the shell.
        self.cache.forget(&record.channel.name);
        Ok((record.channel, key.text))
    }

    /// Whether set-up may use this name: nobody's, or of a channel that the shell made.
    pub async fn is_free(&self, name: &ChannelName) -> Result<bool, StoreError> {
        let is_free = self.store.by_name(name).await?.is_none_or(|record| record.owner.is_none());
        Ok(is_free && !self.store.is_kept(name, None).await?)
    }

    /// Gives the instance's owner the channels without one, and makes their first if it isn't among them.
    pub async fn open_first(
        &self,
        owner: &AccountId,
        name: &ChannelName,
        display_name: &DisplayName,
    ) -> Result<(), StoreError> {
        self.store.adopt(owner).await?;
        self.cache.forget_all();
        match self.create(Some(owner), name.clone(), Some(display_name.clone())).await {
            Ok(_) | Err(ChannelError::Taken | ChannelError::TooMany) => Ok(()),
            Err(ChannelError::Store(error)) => Err(error),
            Err(other) => Err(StoreError::Row(other.to_string())),
        }
    }

    /// Every channel's names, as addresses and as people read them.
    pub async fn names(&self) -> Result<Vec<String>, StoreError> {
        self.store.names().await
    }

    /// The same, but for those of one account.
    pub async fn names_but_of(&self, owner: Option<&AccountId>) -> Result<Vec<String>, StoreError> {
        self.store.names_but(owner, None).await
    }

    /// What channels show of their owner has changed.
    pub fn owner_changed(&self) {
        self.cache.forget_all();
    }

    /// Ends what an account watches, and what is live on its channels.
    pub async fn shut_out(&self, account: &AccountId) -> Result<(), StoreError> {
        self.ports.control.let_go(account);
        for record in self.store.owned_by(account).await? {
            self.ports.control.end(&record.channel.id).await;
        }
        Ok(())
    }

    /// An account's channels, oldest first.
    pub async fn owned_by(&self, owner: &AccountId) -> Result<Vec<Channel>, StoreError> {
        Ok(self.store.owned_by(owner).await?.into_iter().map(|record| record.channel).collect())
    }

    /// Others' channels that an account is an editor of, by name.
    pub async fn edited_by(&self, editor: &AccountId) -> Result<Vec<Channel>, StoreError> {
        Ok(self
            .store
            .edited_by(editor)
            .await?
            .into_iter()
            .map(|record| record.channel)
            .filter(|channel| !channel.suspended)
            .collect())
    }

    /// Changes what a channel says of itself.
    pub async fn edit(
        &self,
        who: &Actor,
        name: &ChannelName,
        edit: EditChannel,
    ) -> Result<Channel, ChannelError> {
        let record = self.allowed(who, name, rules::needed(&edit)).await?;
        self.check_edit(who, &record, &edit).await?;
        let (channels, edited) = (self.clone(), edited(record.channel.clone(), edit.clone())?);
        let by = who.clone();
        settle(async move {
            let written = channels.store.update(&by, &edited, &edit).await;
            channels.take_edit(&edited, written.map_err(ChannelError::from)).await
        })
        .await
    }

    /// Tells everybody of a channel that was written, or forgets what it may be now.
    pub(super) async fn take_edit(
        &self,
        channel: &Channel,
        written: Result<(), ChannelError>,
    ) -> Result<Channel, ChannelError> {
        self.cache.forget(&channel.name);
        written?;
        self.ports.control.titled(&channel.id, &channel.title).await;
        if channel.visibility == Visibility::Private {
            self.ports.control.hide(&channel.id);
        }
        self.ports.announce.edited(&channel.name);
        Ok(channel.clone())
    }

    /// A new stream key. What could publish before can't any more, and what does is ended.
    pub async fn rotate(&self, who: &Actor, name: &ChannelName) -> Result<String, ChannelError> {
        let record = self.allowed(who, name, Permission::Publish).await?;
        let key = self.ports.keys.stream_key();
        let (channels, by) = (self.clone(), who.clone());
        settle(async move {
            let channel = &record.channel;
            channels.store.rotate(&by, &channel.id, &key.hash, fresh::now()).await?;
            channels.ports.control.end(&channel.id).await;
            tracing::info!(channel = %channel.name, "the stream key was replaced");
            Ok(key.text)
        })
        .await
    }

    /// A token for the studio, and until when it starts sessions.
    pub async fn publish_token(
        &self,
        who: &Actor,
        name: &ChannelName,
    ) -> Result<(String, Timestamp), ChannelError> {
        let record = self.allowed(who, name, Permission::Publish).await?;
        let token = self.ports.keys.publish_token();
        let now = fresh::now();
        let expires_at = Timestamp::from_millis(now.as_millis() + rules::TOKEN_LASTS.as_millis() as i64);
        self.store.add_token(&record.channel.id, &token.hash, now, expires_at).await?;
        Ok((token.text, expires_at))
    }

    /// Ends a channel's broadcast, if there is one.
    pub async fn end(&self, who: &Actor, name: &ChannelName) -> Result<(), ChannelError> {
        let record = self.allowed(who, name, Permission::EndBroadcast).await?;
        // A full disk should keep nobody from ending what should not be seen.
        if listing::is_on(&self.ports.live.of(&record.channel.id))
            && let Err(error) = self.store.ends(who, &record.channel.id).await
        {
            tracing::warn!(%error, channel = %name, by = %who.account, "that a broadcast was ended could not be written down");
        }
        self.ports.control.end(&record.channel.id).await;
        Ok(())
    }

    /// What is made of a channel's picture, as its owner is told.
    pub async fn ladder(&self, who: &Actor, name: &ChannelName) -> Result<LadderState, ChannelError> {
        let record = self.allowed(who, name, Permission::SetLadder).await?;
        let ladder = self.ports.control.ladder(&record.channel.id).await;
        Ok(LadderState { enabled: record.ladder, ..ladder })
    }

    /// Has renditions made of what a channel publishes, or none any more.
    pub async fn set_ladder(
        &self,
        who: &Actor,
        name: &ChannelName,
        is_wanted: bool,
    ) -> Result<LadderState, ChannelError> {
        let record = self.allowed(who, name, Permission::SetLadder).await?;
        let (channels, by) = (self.clone(), who.clone());
        settle(async move {
            let channel = &record.channel;
            let written = channels.store.set_ladder(&by, &channel.id, is_wanted).await;
            channels.cache.forget(&channel.name);
            written?;
            channels.ports.control.set_ladder(&channel.id, is_wanted);
            let ladder = channels.ports.control.ladder(&channel.id).await;
            Ok(LadderState { enabled: is_wanted, ..ladder })
        })
        .await
    }

    /// Public channels and what they do.
    pub async fn directory(&self) -> Result<Directory, StoreError> {
        let listed = self.public().await?;
        let mut cards: Vec<(Record, Live)> = Vec::with_capacity(listed.len());
        // The list holds the most recently live; one that is live and not among them belongs in front.
        for id in self.ports.live.live() {
            if !listed.iter().any(|record| record.channel.id == id)
                && let Some(record) = self.record_by_id(&id).await?
                && !record.channel.suspended
            {
                cards.push((record.as_ref().clone(), self.ports.live.of(&id)));
            }
        }
        cards.extend(listed.iter().map(|record| (record.clone(), self.ports.live.of(&record.channel.id))));
        Ok(rules::directory(cards, fresh::now()))
    }

    /// A page of public channels and what they do; the first one if there is no cursor.
    pub async fn list(
        &self,
        filter: &Filter,
        after: Option<Place>,
        limit: u32,
    ) -> Result<Page<ChannelCard>, StoreError> {
        let on = self.ports.live.live();
        let mut cards: Vec<(Place, Record, Live)> = Vec::new();
        for id in &on {
            let (record, live) = (self.record_by_id(id).await?, self.ports.live.of(id));
            let is_listed = |record: &Arc<Record>| listing::is_on(&live) && !record.channel.suspended;
            let Some(record) = record.filter(is_listed) else { continue };
            if record.channel.visibility == Visibility::Public && filter.takes(&record.channel) {
                cards.push((Place::on(&record, &live), record.as_ref().clone(), live));
            }
        }
        cards.retain(|(place, ..)| after.as_ref().is_none_or(|after| place > after));
        cards.sort_by(|a, b| a.0.cmp(&b.0));
        let rows = limit as usize + 1;
        if cards.len() < rows {
            let (ended_at, name) = match &after {
                Some(Place::Off(ended_at, name)) => (ended_at.0, name.as_str()),
                _ => (i64::MAX, ""),
            };
            // Those that are on are among these too, and were listed already.
            let off = self.off(filter, (ended_at, name), rows.saturating_add(on.len())).await?;
            let off = off.into_iter().filter(|record| !on.contains(&record.channel.id));
            cards.extend(off.map(|record| {
                let live = self.ports.live.of(&record.channel.id);
                (Place::off(&record), record, live)
            }));
        }
        let has_more = cards.len() >= rows;
        cards.truncate(limit as usize);
        let next = cards.last().filter(|_| has_more).map(|(place, ..)| place.encode());
        let now = fresh::now();
        let card = |(_, record, live): (Place, Record, Live)| ChannelCard {
            state: rules::state(&record, live, now),
            channel: record.channel,
        };
        Ok(Page { items: cards.into_iter().map(card).collect(), next })
    }

    /// So many public channels that a filter takes, behind a place among those that aren't live.
    async fn off(
        &self,
        filter: &Filter,
        (ended_at, name): (i64, &str),
        most: usize,
    ) -> Result<Vec<Record>, StoreError> {
        if filter.is_empty() {
            return self.store.public(ended_at, name, most as i64).await;
        }
        let list = self.searched().await?;
        // In the list's order: the latest end first, then by name.
        let place = |record: &Record| {
            (
                Reverse(record.past.map_or(0, |past| past.ended_at.as_millis())),
                record.channel.name.to_string(),
            )
        };
        let after = (Reverse(ended_at), name.to_owned());
        let wanted = list.iter().filter(|record| place(record) > after);
        Ok(wanted.filter(|record| filter.takes(&record.channel)).take(most).cloned().collect())
    }

    /// The public channels that are searched through. Whoever comes while they are read waits for that, so that searching
    /// costs one reading at a time, however many do it.
    async fn searched(&self) -> Result<Arc<Vec<Record>>, StoreError> {
        let mut searched = self.cache.searched.lock().await;
        let edits = self.cache.edits();
        if let Some(known) = &*searched
            && known.read_at.elapsed() < LIST_LASTS
            && known.edits == edits
        {
            return Ok(known.list.clone());
        }
        let read_at = Instant::now();
        let list = Arc::new(self.store.public(i64::MAX, "", SEARCHED_MOST).await?);
        *searched = Some(Searched { read_at, edits, list: list.clone() });
        Ok(list)
    }

    /// What public channels broadcast, and how many do.
    pub async fn categories(&self) -> Result<Vec<CategoryCard>, StoreError> {
        let mut cards = self.store.categories().await?;
        for id in self.ports.live.live() {
            let live = self.ports.live.of(&id);
            let Some(record) = self.record_by_id(&id).await? else { continue };
            let channel = &record.channel;
            if !listing::is_on(&live) || channel.visibility != Visibility::Public || channel.suspended {
                continue;
            }
            if let Some(card) = cards.iter_mut().find(|card| card.category == channel.category) {
                card.live += 1;
                card.viewers += u64::from(live.viewer_count);
            }
        }
        cards.sort_by_key(|card| (Reverse(card.viewers), Reverse(card.live), Reverse(card.channels)));
        cards.truncate(rules::CARDS_MOST);
        Ok(cards)
    }

    /// Those of these channels that somebody may see, in the same order, with what they do.
    pub async fn cards_of(
        &self,
        who: &Actor,
        channels: Vec<ChannelId>,
    ) -> Result<Vec<ChannelCard>, StoreError> {
        let mut cards = Vec::with_capacity(channels.len());
        for id in channels {
            let Some(record) = self.record_by_id(&id).await? else { continue };
            if self.sees(Some(who), &record).await? {
                cards.push(ChannelCard { channel: record.channel.clone(), state: self.state_of(&record) });
            }
        }
        Ok(cards)
    }

    async fn public(&self) -> Result<Arc<Vec<Record>>, StoreError> {
        if let Some((read_at, list)) = &*self.cache.public.lock().unwrap_or_else(PoisonError::into_inner)
            && read_at.elapsed() < LIST_LASTS
        {
            return Ok(list.clone());
        }
        let read_at = Instant::now();
        let list = Arc::new(self.store.public(i64::MAX, "", rules::CARDS_MOST as i64).await?);
        *self.cache.public.lock().unwrap_or_else(PoisonError::into_inner) = Some((read_at, list.clone()));
        Ok(list)
    }
}

/// A channel after an edit.
pub(super) fn edited(mut channel: Channel, edit: EditChannel) -> Result<Channel, ChannelError> {
    // The about is read by itself.
    let EditChannel { display_name, title, description, category, tags, visibility, embedding, about: _ } =
        edit;
    if let Some(tags) = tags {
        channel.tags = rules::tags(tags).ok_or(ChannelError::TooManyTags)?;
    }
    channel.display_name = display_name.unwrap_or(channel.display_name);
    channel.title = title.unwrap_or(channel.title);
    channel.description = description.unwrap_or(channel.description);
    channel.category = category.unwrap_or(channel.category);
    channel.visibility = visibility.unwrap_or(channel.visibility);
    if let Some(embedding) = embedding {
        channel.embedding = rules::embedding(embedding).ok_or(ChannelError::TooManySites)?;
    }
    Ok(channel)
}
