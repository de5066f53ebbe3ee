//! What people do in rooms, step by step.

use super::{
    Person, Place, Ports, StreamChatService, Tie,
    appeal::APPEALS,
    ban::Bans,
    cache::Cache,
    command::{self, CommandError, Word},
    commit::work::{Done, Draft, Work},
    emote,
    error::{self, ChatError},
    everywhere::Everywhere,
    feed::{Follower, LiveRoom},
    filter::{Filter, Verdict},
    fragment::{self, Lookup},
    held::HELD_MOST,
    identity::{PER_ADDRESS, Speaker},
    log::{self, Batches, First, KEPT, Log},
    mode::Said,
    name::Taken,
    room::{Admitted, Now, Room, Writer as RoomWriter},
    store::{self, ChatStore, Guest, Since},
    task::Writer,
    text::{self, ChatText},
};
use crate::{
    actor::{Actor, Embed, Visitor},
    fresh,
    limit::{Limiter, Rate, network_of},
    page::Wanted,
    permission::{Permission, Standings},
    secret::Secret,
    store::{Store, StoreError},
};
use futures_util::{FutureExt, future::BoxFuture};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};
use shared::{
    chat::{ChatMessage, ChatRoom, ChatUpdate, Fragment, HISTORY, NewMessage, ReplyTo, Sent},
    emote::EMOTES_MOST,
    event::Cursor,
    id::{AccountId, ChannelId, ChannelName, MessageId, PersonId, RequestId},
    moderation::HoldReason,
    text::AccountName,
};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::OnceCell;

/// Rooms in memory. When there are more, those that nobody follows go.
const ROOMS_MOST: usize = 4096;
/// Letters of an answered message that are shown above the answer.
pub(super) const EXCERPT: usize = 80;
/// Who doesn't follow or subscribe any more writes on for at most this long; of a new follower the room is told.
const TIE_LASTS: Duration = Duration::from_secs(15);
/// How long the emotes of all channels are taken as they were read; each change of them is known at once.
const EVERYWHERE_LASTS: Duration = Duration::from_secs(24 * 60 * 60);
/// Pictures that one person uploads: a whole set passes, a script that tries what breaks doesn't.
const UPLOADS: Rate = Rate { burst: 30, every: Duration::from_secs(5) };
/// Names of a message that are looked up among accounts.
const MENTIONS_MOST: usize = 5;

/// Who asks: somebody signed in, a guest by their token, or nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct By<'a> {
    /// Signed in.
    pub who: Option<&'a Actor>,
    /// A guest's token.
    pub guest: Option<&'a str>,
    /// With a signed embed.
    pub embed: Option<Embed<'a>>,
    /// Where they ask from; kept in memory alone.
    pub address: Option<IpAddr>,
}

impl<'a> By<'a> {
    /// As whom they see the room.
    pub(super) fn visitor(&self) -> Visitor<'a> {
        Visitor { actor: self.who, embed: self.embed }
    }
}

/// A room that is followed, from here on.
#[derive(Debug)]
pub struct Followed {
    /// Nothing is missing.
    pub complete: bool,
    /// How far the follower has seen; none if something comes first.
    pub cursor: Option<Cursor>,
    /// What comes.
    pub follower: Follower,
}

/// The service; cheap to clone.
#[derive(Clone)]
pub struct Chat(pub(super) Arc<Inner>);

/// What it works with.
pub(super) struct Inner {
    pub(super) store: ChatStore,
    pub(super) ports: Ports,
    pub(super) writer: Writer,
    pub(super) rooms: Mutex<HashMap<ChannelId, Arc<OnceCell<Arc<LiveRoom>>>>>,
    pub(super) began: Instant,
    pub(super) people: Mutex<Cache<AccountId, Person>>,
    pub(super) guests: Mutex<Cache<String, Guest>>,
    pub(super) ties: Mutex<Cache<(ChannelId, AccountId), Tie>>,
    pub(super) taken: Mutex<Cache<(), Arc<Taken>>>,
    pub(super) everywhere: Mutex<Cache<(), Arc<Everywhere>>>,
    pub(super) addresses: Mutex<Limiter<IpAddr>>,
    pub(super) uploads: Mutex<Limiter<AccountId>>,
    pub(super) appeals: Mutex<Limiter<AccountId>>,
    pub(super) rejected: Family<Reason, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Reason {
    reason: &'static str,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn person_of(account: &AccountId) -> Option<PersonId> {
    account.as_str().parse().ok()
}

impl Chat {
    /// On this database.
    pub fn new(store: Store, ports: Ports) -> Self {
        let store = ChatStore::new(store);
        let writer = Writer::start(store.clone(), ports.clone());
        let minute = Duration::from_secs(60);
        let inner = Inner {
            store,
            ports,
            writer,
            rooms: Mutex::default(),
            began: Instant::now(),
            people: Mutex::new(Cache::new(10_000, minute)),
            guests: Mutex::new(Cache::new(20_000, minute * 10)),
            ties: Mutex::new(Cache::new(10_000, TIE_LASTS)),
            taken: Mutex::new(Cache::new(1, Duration::from_secs(10))),
            everywhere: Mutex::new(Cache::new(1, EVERYWHERE_LASTS)),
            addresses: Mutex::new(Limiter::new(PER_ADDRESS)),
            uploads: Mutex::new(Limiter::new(UPLOADS)),
            appeals: Mutex::new(Limiter::new(APPEALS)),
            rejected: Family::default(),
        };
        Self(Arc::new(inner))
    }

    /// Waits until what was handed in is written, or was told that it can't be.
    pub async fn written(&self) {
        self.0.writer.written().await;
    }

    /// Counts there.
    pub fn register(&self, registry: &mut Registry) {
        self.0.writer.register(registry);
        let rejected = self.0.rejected.clone();
        registry.register("chat_rejected", "Chat messages that were not taken, by reason", rejected);
    }

    /// Somebody's account is gone: rooms forget them, and read anew what they remember of messages, which say no more who
    /// wrote them.
    pub async fn forget_person(&self, account: &AccountId) {
        self.person_changed(Some(account));
        let Some(person) = person_of(account) else { return };
        let loaded: Vec<Arc<LiveRoom>> = {
            let mut rooms = lock(&self.0.rooms);
            rooms.retain(|_, room| is_in_use(room));
            rooms.values().filter_map(|room| room.get().cloned()).collect()
        };
        for room in loaded {
            room.forget();
            let pinned = {
                let mut rules = room.rules();
                rules.forget_person(&person, fresh::now());
                let names = |pin: &&ChatMessage| pin.author.id == person || pin.reply_to.is_some();
                rules.pin().filter(names).map(|pin| pin.id.clone())
            };
            let Some(pinned) = pinned else { continue };
            match self.0.store.message(&room.channel, &pinned).await {
                Ok(pin) => {
                    let mut rules = room.rules();
                    // Another may have taken its place meanwhile.
                    if rules.pinned() == Some(&pinned) {
                        rules.set_pin(pin.map(Box::new));
                    }
                }
                Err(error) => tracing::warn!(%error, "a pinned message could not be read without a name"),
            }
        }
    }

    pub(super) fn now(&self) -> Duration {
        self.0.began.elapsed()
    }

    pub(super) async fn place(&self, who: Visitor<'_>, channel: &ChannelName) -> Result<Place, ChatError> {
        self.0.ports.channels.place(who, channel).await
    }

    /// A channel's room, read from the database if it isn't in memory.
    pub(super) async fn room(&self, place: &Place) -> Result<Arc<LiveRoom>, ChatError> {
        let cell = {
            let mut rooms = lock(&self.0.rooms);
            if rooms.len() >= ROOMS_MOST && !rooms.contains_key(&place.channel) {
                rooms.retain(|_, room| is_in_use(room));
            }
            rooms.entry(place.channel.clone()).or_default().clone()
        };
        let room = cell.get_or_try_init(|| self.load(place)).await?;
        Ok(room.clone())
    }

    async fn load(&self, place: &Place) -> Result<Arc<LiveRoom>, StoreError> {
        let kept = self.0.store.room(&place.channel, fresh::now()).await?;
        let recent = self.0.store.last(&place.channel, kept.last, HISTORY).await?;
        let salt =
            if kept.salt.is_empty() { Secret::from_random(fresh::bytes()).reveal() } else { kept.salt };
        // What an older server took is taken.
        let filter = Filter::new(kept.filters).unwrap_or_default();
        let rules = Room::new(kept.settings, kept.moderators, kept.silences).holding(filter, kept.held);
        let mut rules = rules.with(Bans::new(salt, kept.bans), kept.pin).silencing(kept.silenced_networks);
        rules.set_emotes(emote::own(self.0.store.emotes(&place.channel, "", EMOTES_MOST).await?));
        rules.set_badges(self.0.store.badges(&place.channel).await?);
        for message in &recent {
            rules.names().met(&message.author.id, message.author.name.as_str());
            rules.heard(Said::of(&message.fragments));
        }
        let log = Log::new(kept.last, recent.into_iter().map(item).collect());
        let room = LiveRoom::start(place.channel.clone(), place.name.clone(), rules, log);
        self.load_poll(place, &room).await?;
        Ok(room)
    }

    /// Takes a message; comes back when it is on disk.
    pub async fn send(&self, by: By<'_>, channel: &ChannelName, new: NewMessage) -> Result<Sent, ChatError> {
        let sent = self.try_send(by, channel, new).await;
        if let Err(error) = &sent {
            self.0.rejected.get_or_create(&Reason { reason: error::reason(error) }).inc();
        }
        sent
    }

    async fn try_send(&self, by: By<'_>, channel: &ChannelName, new: NewMessage) -> Result<Sent, ChatError> {
        let place = self.place(by.visitor(), channel).await?;
        let room = self.room(&place).await?;
        let you = self.author(by, &place, &room).await?.ok_or(ChatError::Nobody)?;
        let NewMessage { text, reply_to, key } = new;
        let (text, action) = as_message(&text)?;
        let text = ChatText::parse(text)?;
        // Looked up before it is counted: a message that can't be is nobody's turn.
        let reply_to = match reply_to {
            Some(id) => Some(self.reply_to(&place, &id).await?),
            None => None,
        };
        let fragments = self.fragments(&room, &text, you.is).await?;
        let said = Said::of(&fragments);
        let writer = room_writer(&you, by, said);
        let now = room.now();
        let (admitted, reasons) = admit(&room, &writer, key.as_ref(), now, &fragments)?;
        if let Admitted::Again(Some(sent)) = admitted {
            return Ok(sent);
        }
        let draft = Draft {
            id: fresh::id(),
            author: you.author,
            fragments,
            action,
            reply_to,
            key,
            broadcast: self.0.ports.surroundings.broadcast(&place.channel),
            is_counted: admitted == Admitted::New,
            said,
            writer: Some(writer),
        };
        // From here on it is the writer's: whoever asked may go away, and it is written all the same.
        let draft = Box::new(draft);
        let work = match reasons.is_empty() {
            true => Work::Message(draft),
            false => Work::Hold { draft, reasons },
        };
        match self.0.writer.write(room, work, None).await? {
            Done::Sent(sent) => Ok(sent),
            Done::Refused(refused) => Err(refused.into()),
            // Their account went while it waited.
            Done::Nothing => Err(ChatError::Nobody),
            _ => Err(ChatError::UnknownMessage),
        }
    }

    /// What ties somebody to the channel.
    pub(super) async fn tie(&self, place: &Place, account: &AccountId) -> Result<Tie, StoreError> {
        let key = (place.channel.clone(), account.clone());
        let turn = match lock(&self.0.ties).get(&key, self.now()) {
            Ok(known) => return Ok(known),
            Err(turn) => turn,
        };
        let tie = self.0.ports.community.tie(&place.channel, account).await?;
        lock(&self.0.ties).put(turn, key, tie, self.now());
        Ok(tie)
    }

    /// Somebody changed what others see of them, or anybody did: who they are is asked for again.
    pub fn person_changed(&self, account: Option<&AccountId>) {
        let mut people = lock(&self.0.people);
        match account {
            Some(account) => people.forget(account),
            None => people.forget_all(),
        }
    }

    /// What ties somebody to a channel changed: it is asked for again.
    pub fn tie_changed(&self, channel: &ChannelId, account: &AccountId) {
        lock(&self.0.ties).forget(&(channel.clone(), account.clone()));
    }

    pub(super) async fn reply_to(&self, place: &Place, id: &MessageId) -> Result<ReplyTo, ChatError> {
        let message = self.0.store.message(&place.channel, id).await?.ok_or(ChatError::UnknownMessage)?;
        let excerpt = text::excerpt(&fragment::plain(&message.fragments), EXCERPT);
        Ok(ReplyTo { id: message.id, name: message.author.name, excerpt })
    }

    async fn fragments(
        &self,
        room: &LiveRoom,
        text: &ChatText,
        is: Standings,
    ) -> Result<Vec<Fragment>, StoreError> {
        let mut accounts = HashMap::new();
        for name in fragment::mentioned(text.as_str(), MENTIONS_MOST) {
            let is_known = room.rules().names().knows(&name);
            if !is_known
                && let Ok(account) = name.parse::<AccountName>()
                && let Some(person) = self.0.ports.accounts.by_name(&account).await?
                && let Some(id) = person_of(&person.id)
            {
                accounts.insert(name, id);
            }
        }
        let everywhere = self.everywhere().await?;
        Ok(fragment::parse(text.as_str(), &Names { room, accounts, is, everywhere }))
    }

    /// The room, and what the one who asks may do there.
    pub async fn read(&self, by: By<'_>, channel: &ChannelName) -> Result<ChatRoom, ChatError> {
        let place = self.place(by.visitor(), channel).await?;
        let room = self.room(&place).await?;
        // A guest who isn't known any more is told so by being nobody.
        let you = match self.author(by, &place, &room).await {
            Err(ChatError::UnknownGuest) => None,
            other => other?,
        };
        let writer = you.as_ref().map(|you| room_writer(you, by, Said::default()));
        let vote = match &you {
            Some(you) => self.vote_of(&room, &you.author, by).await?,
            None => None,
        };
        let now = fresh::now();
        let is = you.as_ref().map(|you| you.is);
        let can_moderate = is.is_some_and(|is| is.may(Permission::ModerateChat));
        let everywhere = self.everywhere().await?;
        let mut rules = room.rules();
        let held = writer.as_ref().filter(|_| !can_moderate);
        Ok(ChatRoom {
            settings: rules.settings(),
            can_moderate,
            silenced_until: held.and_then(|writer| rules.silenced_until(writer, now)),
            banned: held.is_some_and(|writer| rules.is_banned(writer)),
            pin: rules.pin().cloned(),
            poll: rules.poll().cloned(),
            vote,
            raid: rules.raids().ahead(now).cloned(),
            commands: is.into_iter().flat_map(command::open_to).map(command::Spec::told).collect(),
            emotes: emote::all(rules.emotes(), everywhere.emotes()),
            emote_tier: is.and_then(emote::opened),
            badges: rules.badges().to_vec(),
            you: you.map(|you| you.author),
        })
    }

    /// Messages, newest first.
    pub async fn messages(
        &self,
        who: Visitor<'_>,
        channel: &ChannelName,
        wanted: &Wanted,
    ) -> Result<Vec<ChatMessage>, ChatError> {
        let place = self.place(who, channel).await?;
        let (before, _) = wanted.before();
        let before = Cursor(before.max(0).unsigned_abs());
        Ok(self.0.store.page(&place.channel, before, wanted.rows() as usize).await?)
    }

    /// Whether somebody may follow a room.
    pub async fn may_follow(&self, who: Visitor<'_>, channel: &ChannelName) -> Result<(), ChatError> {
        self.place(who, channel).await.map(drop)
    }

    /// A channel changed, or any did: whoever follows its room must ask again whether they may, unless everybody may.
    pub async fn ask_again(&self, channel: Option<&ChannelName>) {
        let loaded: Vec<Arc<LiveRoom>> =
            lock(&self.0.rooms).values().filter_map(|room| room.get().cloned()).collect();
        for room in loaded.into_iter().filter(|room| channel.is_none_or(|channel| room.name == *channel)) {
            if room.is_followed() && self.place(Visitor::default(), &room.name).await.is_err() {
                room.ask_again();
            }
        }
    }

    /// Follows a room: from its last messages, or from where somebody was.
    pub async fn follow(
        &self,
        who: Visitor<'_>,
        channel: &ChannelName,
        after: Option<Cursor>,
    ) -> Result<Followed, ChatError> {
        let place = self.place(who, channel).await?;
        let room = self.room(&place).await?;
        let mut follower = room.follow();
        // Asked after it follows: a channel that became private in between is seen by one of the two.
        self.may_follow(who, channel).await?;
        let (complete, first, seen) = match after {
            Some(after) => match self.missed(&room, after).await? {
                Some((missed, seen)) => (true, missed, seen),
                None => {
                    let (first, seen) = self.first(&room).await?;
                    (false, first, seen)
                }
            },
            None => {
                let (first, seen) = self.first(&room).await?;
                (true, first, seen)
            }
        };
        // With something to come first, the follower has not seen as far as that yet.
        let cursor = first.is_empty().then_some(seen);
        follower.start(&first, seen);
        Ok(Followed { complete, cursor, follower })
    }

    /// What came after a cursor, and the cursor after it; `None` if it is more than is told.
    async fn missed(&self, room: &LiveRoom, after: Cursor) -> Result<Option<(Batches, Cursor)>, StoreError> {
        if let Some(missed) = room.missed(after) {
            return Ok(Some(missed));
        }
        let told = room.told();
        // A cursor of the future is none of ours: the database is another one, or older.
        if after > told {
            return Ok(None);
        }
        let Since::All(updates) = self.0.store.since(&room.channel, after, told, KEPT).await? else {
            return Ok(None);
        };
        let items: Vec<_> = updates.iter().map(|(sequence, update)| store::item(*sequence, update)).collect();
        let missed = batches(after, told, &items);
        Ok(Some((missed, told)))
    }

    async fn first(&self, room: &LiveRoom) -> Result<(Batches, Cursor), StoreError> {
        let told = match room.first() {
            First::Known(first, seen) => return Ok((first, seen)),
            First::Unknown(told) => told,
        };
        let messages = self.0.store.last(&room.channel, told, HISTORY).await?;
        let items: Vec<_> = messages.into_iter().map(item).collect();
        let first = batches(Cursor(0), told, &items);
        room.set_recent(told, items);
        Ok((first, told))
    }
}

impl StreamChatService for Chat {
    fn read<'a>(
        &'a self,
        by: By<'a>,
        channel: &'a ChannelName,
    ) -> BoxFuture<'a, Result<ChatRoom, ChatError>> {
        Self::read(self, by, channel).boxed()
    }

    fn messages<'a>(
        &'a self,
        who: Visitor<'a>,
        channel: &'a ChannelName,
        wanted: &'a Wanted,
    ) -> BoxFuture<'a, Result<Vec<ChatMessage>, ChatError>> {
        Self::messages(self, who, channel, wanted).boxed()
    }

    fn send<'a>(
        &'a self,
        by: By<'a>,
        channel: &'a ChannelName,
        new: NewMessage,
    ) -> BoxFuture<'a, Result<Sent, ChatError>> {
        Self::send(self, by, channel, new).boxed()
    }

    fn delete<'a>(
        &'a self,
        by: By<'a>,
        channel: &'a ChannelName,
        message: &'a MessageId,
    ) -> BoxFuture<'a, Result<(), ChatError>> {
        Self::delete(self, by, channel, message).boxed()
    }
}

/// What names mean in a room: people who wrote lately, then accounts; and which emotes there are for whoever writes.
pub(super) struct Names<'a> {
    /// Where.
    pub room: &'a LiveRoom,
    /// Accounts that were looked up.
    pub accounts: HashMap<String, PersonId>,
    /// What they are there.
    pub is: Standings,
    /// What those who run the instance added.
    pub everywhere: Arc<Everywhere>,
}

impl Lookup for Names<'_> {
    fn emote(&self, code: &str) -> Option<String> {
        emote::typed(code, self.room.rules().emote(code), self.is, &self.everywhere)
    }

    fn mention(&self, rest: &str) -> Option<(usize, PersonId)> {
        let known = self.room.rules().names().mentioned(rest);
        known.or_else(|| {
            let end = rest.find(|c: char| !fragment::is_name_byte(c)).unwrap_or(rest.len());
            let person = self.accounts.get(&rest[..end].to_ascii_lowercase())?;
            Some((end, person.clone()))
        })
    }
}

/// Nothing, if there is nothing.
fn batches(after: Cursor, told: Cursor, items: &[log::Item]) -> Batches {
    if items.is_empty() { Batches::default() } else { log::batches(after, told, items.iter()) }
}

fn item(message: ChatMessage) -> log::Item {
    store::item(message.sequence, &ChatUpdate::Message(Box::new(message)))
}

fn is_in_use(room: &Arc<OnceCell<Arc<LiveRoom>>>) -> bool {
    let Some(live) = room.get() else { return Arc::strong_count(room) > 1 };
    Arc::strong_count(room) > 1 || Arc::strong_count(live) > 1 || live.is_followed()
}

/// Whether it may be said now, and why a moderator has to look first.
fn admit(
    room: &LiveRoom,
    writer: &RoomWriter,
    key: Option<&RequestId>,
    now: Now,
    fragments: &[Fragment],
) -> Result<(Admitted, Vec<HoldReason>), ChatError> {
    let filter = room.rules().filter();
    let mut rules = room.rules();
    if rules.standings(&writer.person, writer.is).may(Permission::WriteAtWill) {
        return Ok((rules.admit(writer, key, now)?, Vec::new()));
    }
    let mut time = rules.time_said(&writer.person, writer.said, now.passed);
    drop(rules);
    let (verdict, mut rules) = loop {
        let verdict = filter.judge(fragments, time);
        let rules = room.rules();
        // They may have said it once more meanwhile, over another connection.
        match rules.time_said(&writer.person, writer.said, now.passed) {
            same if same == time => break (verdict, rules),
            other => time = other,
        }
    };
    let is_full = rules.held() >= HELD_MOST;
    // Who is timed out is told that, and not what else is wrong.
    let admitted = match verdict {
        Verdict::RefuseLink => {
            return Err(rules.barred(writer, now).map_or(ChatError::LinksRefused, Into::into));
        }
        Verdict::Hold(_) if is_full => {
            return Err(rules.barred(writer, now).map_or(ChatError::QueueFull, Into::into));
        }
        _ => rules.admit(writer, key, now)?,
    };
    let reasons = if let Verdict::Hold(reasons) = verdict { reasons } else { Vec::new() };
    // What is held nobody has heard: neither they nor others say it again.
    match admitted {
        Admitted::New if reasons.is_empty() => rules.said(&writer.person, writer.said, now.passed),
        Admitted::New => rules.unheard(writer.said),
        Admitted::Again(_) => {}
    }
    Ok((admitted, reasons))
}

/// What a text says as a message, and whether it tells what its author does. Commands are given elsewhere: one that slipped
/// in here would be shown to everybody.
fn as_message(typed: &str) -> Result<(&str, bool), ChatError> {
    match command::split(typed).and_then(|(name, rest)| Some((command::spec_of(name)?, rest))) {
        None => Ok((typed, false)),
        Some((spec, rest)) if spec.word == Word::Me && !rest.is_empty() => Ok((rest, true)),
        Some((spec, _)) if spec.word == Word::Me => Err(CommandError::Usage(spec.usage()).into()),
        Some((spec, _)) => Err(ChatError::IsCommand(spec.name)),
    }
}

/// Who writes, as far as the rules care.
pub(super) fn room_writer(you: &Speaker, by: By<'_>, said: Said) -> RoomWriter {
    RoomWriter {
        person: you.author.id.clone(),
        is: you.is,
        follows_since: you.follows_since,
        network: by.address.map(network_of),
        said,
    }
}
