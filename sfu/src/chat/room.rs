//! Who may write in a room, and how often. Pure: what the wall clock says and what has passed since any start are arguments.

use self::{names::Names, raids::Raids};
use super::{
    ban::{Bans, NetworkHash},
    filter::Filter,
    mode::{self, Barred, Lately, Said},
};
use crate::{
    limit::{Limiter, Rate},
    permission::{Permission, Standing, Standings},
};
use shared::{
    chat::{BadgePicture, ChatMessage, ChatSettings, Emote, Sent},
    id::{MessageId, PersonId, RequestId},
    moderation::Silence,
    poll::Poll,
    unit::Timestamp,
};
use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    net::IpAddr,
    sync::Arc,
    time::Duration,
};

/// A quick exchange passes; nobody fills the room alone.
pub const PER_PERSON: Rate = Rate { burst: 5, every: Duration::from_secs(2) };
/// Guests of one network together: a school passes, somebody with twenty names gains little.
pub const PER_NETWORK: Rate = Rate { burst: 20, every: Duration::from_millis(500) };
/// Guests of one network that write within one interval of slow mode.
const SLOW_GUESTS: u32 = 4;
/// As many as a page shows and a person can still see pass by.
pub const PER_ROOM: Rate = Rate { burst: 200, every: Duration::from_millis(10) };
/// The longest slow mode.
pub const SLOW_MOST: u32 = 600;
/// Messages whose sender's key is remembered, so that one sent again costs nothing. The oldest goes first; the database
/// knows them all.
const KEYS_MOST: usize = 1_000;
/// People whose last message is remembered for slow mode. When there are more, those who may write again are forgotten:
/// no more than this can have written within the longest slow mode, by [`PER_ROOM`].
const LAST_MOST: usize = 70_000;
/// The same for guests' networks: a quarter of the time, a quarter of the number.
const SLOW_NETWORKS_MOST: usize = 20_000;
/// What is said again within this time is said over and over.
const AGAIN: Duration = Duration::from_secs(60);
/// Networks that time-outs hold for. When there are more, further ones hold for the name alone.
const SILENCED_NETWORKS_MOST: usize = 5_000;
/// People whose address is remembered.
const SEEN_FROM_MOST: usize = 10_000;

/// When something happens, by both clocks: time-outs outlive the process, limits must not jump with the wall clock.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// The wall clock.
    pub wall: Timestamp,
    /// What has passed since any fixed start.
    pub passed: Duration,
}

/// Who writes, as far as the rules care.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writer {
    /// Who.
    pub person: PersonId,
    /// What they are to the channel; a room adds whether they moderate there.
    pub is: Standings,
    /// Since when they follow it.
    pub follows_since: Option<Timestamp>,
    /// Where they write from; kept in memory alone.
    pub network: Option<IpAddr>,
    /// What they say.
    pub said: Said,
}

impl Writer {
    /// Whether they have no account.
    fn is_guest(&self) -> bool {
        !self.is.has(Standing::Viewer)
    }

    /// The network that rules hold for, beside the person: an account's is many people's.
    pub fn guests_network(&self) -> Option<IpAddr> {
        self.network.filter(|_| self.is_guest())
    }
}

/// Why somebody may not write now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// People without an account may not write here.
    #[error("only people with an account write here")]
    GuestsOff,
    /// They are banned.
    #[error("banned")]
    Banned,
    /// A mode of the room.
    #[error(transparent)]
    Barred(#[from] Barred),
    /// A time-out runs.
    #[error("timed out")]
    Silenced {
        /// Until when.
        until: Timestamp,
    },
    /// Slow mode.
    #[error("slow mode")]
    Slow {
        /// How long to wait.
        wait: Duration,
    },
    /// More than one person may write.
    #[error("too many messages")]
    TooFast {
        /// How long to wait.
        wait: Duration,
    },
    /// More than a room takes.
    #[error("too many messages in this room")]
    RoomBusy {
        /// How long to wait.
        wait: Duration,
    },
}

/// What becomes of a message that may be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admitted {
    /// It is to be written.
    New,
    /// The same one is on its way or was written, and costs nothing.
    Again(Option<Sent>),
}

/// A room's rules, and what its people did lately.
#[derive(Debug)]
pub struct Room {
    settings: ChatSettings,
    moderators: BTreeSet<PersonId>,
    silences: HashMap<PersonId, Silence>,
    /// Whose time-outs hold for guests from a network, and until when.
    networks: HashMap<NetworkHash, HashMap<PersonId, Timestamp>>,
    /// Where people wrote from lately.
    seen_from: HashMap<PersonId, IpAddr>,
    people: Limiter<PersonId>,
    guests: Limiter<IpAddr>,
    /// When guests of a network may write a whole burst again, in slow mode.
    slow_guests: HashMap<IpAddr, Duration>,
    all: Limiter<()>,
    last: HashMap<PersonId, Duration>,
    names: Names,
    keys: HashMap<(PersonId, RequestId), Option<Sent>>,
    keys_by_age: VecDeque<(PersonId, RequestId)>,
    bans: Bans,
    lately: Lately,
    pin: Option<Box<ChatMessage>>,
    poll: Option<Poll>,
    /// The channel's own, in the picker's order; and where each is, by its code.
    emotes: Vec<Emote>,
    by_code: HashMap<String, usize>,
    badges: Vec<BadgePicture>,
    raids: Raids,
    /// Word of a poll's results is on its way.
    tells_results: bool,
    filter: Arc<Filter>,
    /// How many messages wait for moderators.
    held: u64,
    /// What people said last, how often in a row, and when.
    again: HashMap<PersonId, (u64, u32, Duration)>,
}

impl Room {
    /// As it was kept.
    pub fn new(settings: ChatSettings, moderators: Vec<PersonId>, silences: Vec<Silence>) -> Self {
        Self {
            settings,
            moderators: moderators.into_iter().collect(),
            silences: silences.into_iter().map(|silence| (silence.person.clone(), silence)).collect(),
            networks: HashMap::new(),
            seen_from: HashMap::new(),
            people: Limiter::new(PER_PERSON),
            guests: Limiter::new(PER_NETWORK),
            slow_guests: HashMap::new(),
            all: Limiter::new(PER_ROOM),
            last: HashMap::new(),
            names: Names::default(),
            keys: HashMap::new(),
            keys_by_age: VecDeque::new(),
            bans: Bans::default(),
            lately: Lately::default(),
            pin: None,
            poll: None,
            emotes: Vec::new(),
            by_code: HashMap::new(),
            badges: Vec::new(),
            raids: Raids::default(),
            tells_results: false,
            filter: Arc::default(),
            held: 0,
            again: HashMap::new(),
        }
    }

    /// The same, with what it holds, and how many wait.
    #[must_use]
    pub fn holding(mut self, filter: Filter, held: u64) -> Self {
        self.filter = Arc::new(filter);
        self.held = held;
        self
    }

    /// The same, with the networks that its time-outs hold for.
    #[must_use]
    pub fn silencing(mut self, networks: Vec<(PersonId, NetworkHash)>) -> Self {
        for (person, network) in networks {
            if let Some(until) = self.silences.get(&person).map(|silence| silence.until) {
                self.silence_network(person, network, until);
            }
        }
        self
    }

    /// The last poll, as it was told last.
    pub fn poll(&self) -> Option<&Poll> {
        self.poll.as_ref()
    }

    /// A poll was told.
    pub fn set_poll(&mut self, poll: Poll) {
        self.poll = Some(poll);
    }

    /// The channel's own emotes, in the picker's order.
    pub fn emotes(&self) -> &[Emote] {
        &self.emotes
    }

    /// The channel's own emote of this code.
    pub fn emote(&self, code: &str) -> Option<&Emote> {
        self.emotes.get(*self.by_code.get(code)?)
    }

    /// Sets the channel's own emotes.
    pub fn set_emotes(&mut self, own: Vec<Emote>) {
        self.by_code = own.iter().enumerate().map(|(place, emote)| (emote.code.clone(), place)).collect();
        self.emotes = own;
    }

    /// The channel's own pictures for its subscribers' badges.
    pub fn badges(&self) -> &[BadgePicture] {
        &self.badges
    }

    /// Sets them.
    pub fn set_badges(&mut self, badges: Vec<BadgePicture>) {
        self.badges = badges;
    }

    /// Its raids.
    pub fn raids(&mut self) -> &mut Raids {
        &mut self.raids
    }

    /// Whether word of a poll's results was on its way, which is set to this.
    pub fn tells_results(&mut self, tells: bool) -> bool {
        std::mem::replace(&mut self.tells_results, tells)
    }

    /// What it holds.
    pub fn filter(&self) -> Arc<Filter> {
        self.filter.clone()
    }

    /// Sets what it holds.
    pub fn set_filter(&mut self, filter: Arc<Filter>) {
        self.filter = filter;
    }

    /// How many messages wait for moderators.
    pub fn held(&self) -> u64 {
        self.held
    }

    /// So many more wait, or fewer.
    pub fn add_held(&mut self, more: i64) {
        self.held = self.held.saturating_add_signed(more);
    }

    /// For which time in a row within a minute somebody would say this now.
    pub fn time_said(&self, person: &PersonId, said: Said, now: Duration) -> u32 {
        match self.again.get(person) {
            Some((print, times, at)) if *print == said.print && *at + AGAIN > now => times + 1,
            _ => 1,
        }
    }

    /// Somebody said this. What was refused or is held nobody heard: it is not said over and over.
    pub fn said(&mut self, person: &PersonId, said: Said, now: Duration) {
        let times = self.time_said(person, said, now);
        if self.again.len() >= SEEN_FROM_MOST {
            self.again.retain(|_, (_, _, at)| *at + AGAIN > now);
            if self.again.len() >= SEEN_FROM_MOST {
                self.again.clear();
            }
        }
        self.again.insert(person.clone(), (said.print, times, now));
    }

    /// What was admitted is held: nobody has heard it yet.
    pub fn unheard(&mut self, said: Said) {
        self.lately.take_back(said);
    }

    /// The same, with its bans and its pinned message.
    #[must_use]
    pub fn with(mut self, bans: Bans, pin: Option<ChatMessage>) -> Self {
        self.bans = bans;
        self.pin = pin.map(Box::new);
        self
    }

    /// The message that is shown above all others.
    pub fn pin(&self) -> Option<&ChatMessage> {
        self.pin.as_deref()
    }

    /// The id of that message.
    pub fn pinned(&self) -> Option<&MessageId> {
        self.pin.as_ref().map(|pin| &pin.id)
    }

    /// Shows a message above all others, or none.
    pub fn set_pin(&mut self, pin: Option<Box<ChatMessage>>) {
        self.pin = pin;
    }

    /// Its bans.
    pub fn bans(&mut self) -> &mut Bans {
        &mut self.bans
    }

    /// Whether somebody is banned, by themselves or, as a guest, by where they write from.
    pub fn is_banned(&self, writer: &Writer) -> bool {
        self.bans.holds(&writer.person, writer.guests_network())
    }

    /// Where somebody wrote from lately.
    pub fn network_of(&self, person: &PersonId) -> Option<IpAddr> {
        self.seen_from.get(person).copied()
    }

    /// Somebody said this.
    pub fn heard(&mut self, said: Said) {
        self.lately.add(said);
    }

    /// Its rules.
    pub fn settings(&self) -> ChatSettings {
        self.settings
    }

    /// Sets its rules.
    pub fn set_settings(&mut self, settings: ChatSettings) {
        self.settings = settings;
    }

    /// Whether somebody is a moderator here.
    pub fn is_moderator(&self, person: &PersonId) -> bool {
        self.moderators.contains(person)
    }

    /// What somebody is here, of whom it is known what else they are.
    pub fn standings(&self, person: &PersonId, is: Standings) -> Standings {
        if self.is_moderator(person) { is.and(Standing::Moderator) } else { is }
    }

    /// Makes somebody a moderator, or takes that away.
    pub fn set_moderator(&mut self, person: PersonId, is_moderator: bool) {
        if is_moderator {
            self.moderators.insert(person);
        } else {
            self.moderators.remove(&person);
        }
    }

    /// Somebody's account is gone, and with it what is remembered of them.
    pub fn forget_person(&mut self, person: &PersonId, now: Timestamp) {
        self.unsilence(person, now);
        self.bans.lift(person);
        self.names.forget(person);
        self.moderators.remove(person);
        self.seen_from.remove(person);
    }

    /// Whether somebody may write this now. If so, it is counted.
    pub fn admit(&mut self, writer: &Writer, key: Option<&RequestId>, now: Now) -> Result<Admitted, Refused> {
        if let Some(barred) = self.barred(writer, now) {
            return Err(barred);
        }
        let key = key.map(|key| (writer.person.clone(), key.clone()));
        if let Some(sent) = key.as_ref().and_then(|key| self.keys.get(key)) {
            return Ok(Admitted::Again(sent.clone()));
        }
        let is = self.standings(&writer.person, writer.is);
        if !is.may(Permission::ModerateChat) {
            mode::check(&self.settings, is, writer.follows_since, writer.said, &self.lately, now.wall)?;
            self.count(writer, now.passed)?;
            self.remember_network(writer);
        }
        self.lately.add(writer.said);
        if let Some(key) = key {
            self.remember_key(key);
        }
        Ok(Admitted::New)
    }

    /// What keeps somebody from writing anything at all.
    pub fn barred(&self, writer: &Writer, now: Now) -> Option<Refused> {
        if self.standings(&writer.person, writer.is).may(Permission::ModerateChat) {
            return None;
        }
        if writer.is_guest() && !self.settings.guests {
            return Some(Refused::GuestsOff);
        }
        if self.is_banned(writer) {
            return Some(Refused::Banned);
        }
        self.silenced_until(writer, now.wall).map(|until| Refused::Silenced { until })
    }

    fn count(&mut self, writer: &Writer, now: Duration) -> Result<(), Refused> {
        let person = &writer.person;
        let network = writer.guests_network();
        let slow = match writer.is.may(Permission::WriteAtWill) {
            true => Duration::ZERO,
            false => Duration::from_secs(u64::from(self.settings.slow_seconds)),
        };
        if let Some(last) = self.last.get(person)
            && *last + slow > now
        {
            return Err(Refused::Slow { wait: *last + slow - now });
        }
        if let Some(network) = network {
            self.check_slow_guests(network, slow, now)?;
        }
        self.people.take(person, now).map_err(|wait| Refused::TooFast { wait })?;
        if let Some(network) = &network
            && let Err(wait) = self.guests.take(network, now)
        {
            self.people.give_back(person);
            return Err(Refused::TooFast { wait });
        }
        if let Err(wait) = self.all.take(&(), now) {
            self.people.give_back(person);
            if let Some(network) = &network {
                self.guests.give_back(network);
            }
            return Err(Refused::RoomBusy { wait });
        }
        if !slow.is_zero() {
            if self.last.len() >= LAST_MOST {
                self.last.retain(|_, last| *last + slow > now);
            }
            self.last.insert(person.clone(), now);
            if let Some(network) = network {
                let full_at = self.slow_guests.entry(network).or_default();
                *full_at = (*full_at).max(now) + slow / SLOW_GUESTS;
            }
        }
        Ok(())
    }

    /// New names don't get around slow mode.
    fn check_slow_guests(&mut self, network: IpAddr, slow: Duration, now: Duration) -> Result<(), Refused> {
        if self.slow_guests.len() >= SLOW_NETWORKS_MOST {
            self.slow_guests.retain(|_, full_at| *full_at > now);
        }
        let full_at = self.slow_guests.get(&network).map_or(now, |full_at| (*full_at).max(now));
        let (after, most) = (full_at + slow / SLOW_GUESTS, now + slow);
        if after > most { Err(Refused::Slow { wait: after - most }) } else { Ok(()) }
    }

    fn remember_network(&mut self, writer: &Writer) {
        let Some(network) = writer.network else { return };
        if self.seen_from.len() >= SEEN_FROM_MOST {
            self.seen_from.clear();
        }
        self.seen_from.insert(writer.person.clone(), network);
    }

    /// The message was not written after all: it counts for nothing. `said`: what was counted as said, which nothing is of one
    /// that is held.
    pub fn unsent(&mut self, person: &PersonId, key: Option<&RequestId>, said: Option<Said>) {
        if let Some(said) = said {
            self.lately.take_back(said);
            if let Some((print, times, _)) = self.again.get_mut(person)
                && *print == said.print
            {
                *times = times.saturating_sub(1);
            }
        }
        self.people.give_back(person);
        self.all.give_back(&());
        self.last.remove(person);
        if let Some(network) = self.seen_from.get(person) {
            self.guests.give_back(network);
            self.slow_guests.remove(network);
        }
        if let Some(key) = key {
            self.keys.remove(&(person.clone(), key.clone()));
        }
    }

    /// The message is written.
    pub fn sent(&mut self, person: &PersonId, name: &str, key: Option<&RequestId>, sent: &Sent) {
        if let Some(key) = key {
            let key = (person.clone(), key.clone());
            if let Some(known) = self.keys.get_mut(&key) {
                *known = Some(sent.clone());
            }
        }
        self.names.met(person, name);
    }

    /// People who wrote lately, by their names.
    pub fn names(&mut self) -> &mut Names {
        &mut self.names
    }

    fn remember_key(&mut self, key: (PersonId, RequestId)) {
        self.keys.insert(key.clone(), None);
        self.keys_by_age.push_back(key);
        if self.keys_by_age.len() > KEYS_MOST
            && let Some(oldest) = self.keys_by_age.pop_front()
        {
            self.keys.remove(&oldest);
        }
    }

    /// Until when somebody is timed out, by themselves or by where they write from.
    pub fn silenced_until(&self, writer: &Writer, now: Timestamp) -> Option<Timestamp> {
        let own = self.silences.get(&writer.person).map(|silence| silence.until);
        // Most rooms have no such network: nothing is hashed there.
        let network = writer.guests_network().filter(|_| !self.networks.is_empty());
        let network =
            network.and_then(|network| self.networks.get(&self.bans.hash(network))?.values().max().copied());
        own.max(network).filter(|until| *until > now)
    }

    /// A time-out begins. It holds for guests from the same network, too.
    pub fn silence(&mut self, silence: Silence, network: Option<NetworkHash>, now: Timestamp) {
        self.silences.retain(|_, other| other.until > now);
        let mut known = None;
        self.networks.retain(|network, people| {
            if people.remove(&silence.person).is_some_and(|until| until > now) {
                known = Some(network.clone());
            }
            people.retain(|_, until| *until > now);
            !people.is_empty()
        });
        // Timed out again, they are of the network that was known, if none is now.
        if let Some(network) = network.or(known) {
            self.silence_network(silence.person.clone(), network, silence.until);
        }
        self.silences.insert(silence.person.clone(), silence);
    }

    fn silence_network(&mut self, person: PersonId, network: NetworkHash, until: Timestamp) {
        if self.networks.len() < SILENCED_NETWORKS_MOST || self.networks.contains_key(&network) {
            self.networks.entry(network).or_default().insert(person, until);
        }
    }

    /// A time-out is lifted, for the person and for their address; whether there was one.
    pub fn unsilence(&mut self, person: &PersonId, now: Timestamp) -> bool {
        self.networks.retain(|_, people| {
            people.remove(person);
            !people.is_empty()
        });
        self.silences.remove(person).is_some_and(|silence| silence.until > now)
    }

    /// Time-outs that run, by person.
    pub fn silences(&self, now: Timestamp) -> Vec<Silence> {
        let mut running: Vec<Silence> =
            self.silences.values().filter(|silence| silence.until > now).cloned().collect();
        running.sort_by(|one, other| one.person.cmp(&other.person));
        running
    }
}

pub mod names;
pub mod raids;
#[cfg(test)]
mod tests;
