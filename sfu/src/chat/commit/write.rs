//! The writing of what is to be written, piece by piece. Told and answered by the writer after the commit.

use super::{
    store::Commit,
    work::{Act, Arrival, Closed, Done, Draft, Work, Written},
};
use crate::{
    chat::{
        Community, appeal::store::Tried, ban::NetworkHash, emote, feed::LiveRoom, mode::Said, record,
        room::Refused,
    },
    fresh,
    permission::Permission,
    store::{
        StoreError,
        activity::{self, Happened},
        audit,
        outbox::{self, GATHERED_MOST, Gathered, Interest},
    },
};
use serde_json::json;
use shared::{
    activity::ActivityKind,
    appeal::Against,
    chat::{ChatAuthor, ChatMessage, ChatSettings, ChatUpdate, Sent},
    event::Cursor,
    id::{ChannelId, MessageId, PersonId},
    moderation::{Ban, ChatAction, Decided, Silence},
    unit::Timestamp,
    webhook::WebhookKind,
};
use std::{collections::HashMap, time::Duration};

/// What somebody wrote this long before a time-out goes with it.
pub const SILENCE_DELETES: Duration = Duration::from_secs(10 * 60);
/// What somebody wrote this long before a ban goes with it.
pub const BAN_DELETES: Duration = Duration::from_secs(60 * 60);

/// What a commit changes of its rooms before their rules know of it.
#[derive(Debug, Default)]
pub struct Changes {
    settings: HashMap<ChannelId, ChatSettings>,
    pins: HashMap<ChannelId, Option<MessageId>>,
    /// Whether a raid is ahead.
    raids: HashMap<ChannelId, bool>,
    /// Who is banned, or not any more.
    bans: HashMap<(ChannelId, PersonId), bool>,
    /// Until when who is timed out; not any more if that is past.
    silences: HashMap<(ChannelId, PersonId), Timestamp>,
    /// Whose bans and time-outs of these hold for guests of a network, too.
    networks: HashMap<(ChannelId, NetworkHash), Vec<PersonId>>,
    /// What webhooks are told of.
    interest: Interest,
    /// What is to be told of messages.
    said: HashMap<ChannelId, Spoken>,
}

/// Messages of a room that webhooks are told of.
#[derive(Debug)]
struct Spoken {
    /// How the channel is called.
    name: String,
    /// The first and the last.
    ids: (MessageId, MessageId),
    /// Where they are.
    places: (i64, i64),
    count: i64,
    at: Timestamp,
}

/// Takes places in a room, one after the other.
struct Places<'a>(&'a mut u64);

impl Places<'_> {
    fn take(&mut self) -> Cursor {
        *self.0 += 1;
        Cursor(*self.0)
    }
}

/// Writes one piece of work, and the record of it.
pub async fn write(
    commit: &mut Commit,
    room: &LiveRoom,
    (work, act): (&Work, Option<&Act>),
    place: &mut u64,
    now: Timestamp,
    (changes, community): (&mut Changes, &dyn Community),
) -> Result<Written, StoreError> {
    let channel = &room.channel;
    let mut places = Places(place);
    let mut updates = Vec::new();
    let mut held = 0;
    // Whom it turns out to be about.
    let mut about: Option<ChatAuthor> = None;
    let done = match work {
        // A ban or a time-out was before it in the queue.
        Work::Message(draft) | Work::Hold { draft, .. }
            if let Some(refused) = changes.bar(room, draft, now) =>
        {
            Done::Refused(refused)
        }
        // Their account was deleted while it waited, and their name with it.
        Work::Message(draft) | Work::Hold { draft, .. } if !commit.is_there(&draft.author.id).await? => {
            Done::Nothing
        }
        Work::Hold { draft, reasons } => {
            let sent = commit.hold(channel, draft, reasons, now).await?;
            held += i64::from(sent.id == draft.id);
            Done::Sent(sent)
        }
        Work::Decide { message, decided } => match commit.decide(channel, message, decided, now).await? {
            Some(draft) => {
                held -= 1;
                about = Some(draft.author.clone());
                if decided.approved {
                    self::message(commit, channel, &draft, places.take(), now, &mut updates).await?;
                } else {
                    // Nobody but its author knows of it: this tells them.
                    updates.push((places.take(), ChatUpdate::Deleted { messages: vec![message.clone()] }));
                }
                Done::Decided(decided.clone(), true)
            }
            None => {
                let before = commit.decided(channel, message).await?;
                before.map_or(Done::Nothing, |before| Done::Decided(before, false))
            }
        },
        Work::Filters(filter) => {
            commit.filters(channel, filter.filters()).await?;
            Done::Changed
        }
        Work::Message(draft) => message(commit, channel, draft, places.take(), now, &mut updates).await?,
        Work::Delete { message, by } => {
            if commit.delete(channel, message, by, now).await? {
                updates.push((places.take(), ChatUpdate::Deleted { messages: vec![message.clone()] }));
            }
            changed(&updates)
        }
        Work::Silence { silence, network, salt } => {
            commit.salt(channel, salt).await?;
            commit.silence(channel, silence, network.as_ref(), now).await?;
            let Silence { person, name, until, by, .. } = silence.as_ref();
            commit.close_appeals(channel, person, Against::TimeOut).await?;
            changes.silence(channel, person, *until);
            changes.of_network(channel, person, network.as_ref());
            let silenced = ChatUpdate::Silenced { person: person.clone(), name: name.clone(), until: *until };
            updates.push((places.take(), silenced));
            let mut messages =
                commit.delete_of(channel, person, before(now, SILENCE_DELETES), by, now).await?;
            held -= refuse_all(commit, channel, person, act, now, &mut messages).await?;
            if !messages.is_empty() {
                updates.push((places.take(), ChatUpdate::Deleted { messages }));
            }
            Done::Changed
        }
        Work::Unsilence { person } => {
            if commit.unsilence(channel, person, now).await? {
                commit.close_appeals(channel, person, Against::TimeOut).await?;
                changes.silence(channel, person, now);
                updates.push((places.take(), ChatUpdate::Unsilenced { person: person.clone() }));
            }
            changed(&updates)
        }
        Work::Ban { ban, network, salt } => {
            let Ban { person, name, by, .. } = ban.as_ref();
            commit.salt(channel, salt).await?;
            // Of two moderators at once, the first did it.
            if commit.ban(channel, ban, network.as_ref()).await? {
                commit.close_appeals(channel, person, Against::Ban).await?;
                changes.ban(channel, person, true);
                changes.of_network(channel, person, network.as_ref());
                let banned = ChatUpdate::Banned { person: person.clone(), name: name.clone() };
                updates.push((places.take(), banned));
                let mut messages =
                    commit.delete_of(channel, person, before(now, BAN_DELETES), by, now).await?;
                held -= refuse_all(commit, channel, person, act, now, &mut messages).await?;
                if !messages.is_empty() {
                    updates.push((places.take(), ChatUpdate::Deleted { messages }));
                }
                Done::Changed
            } else {
                Done::Again
            }
        }
        Work::Unban { person } => {
            if commit.unban(channel, person).await? {
                commit.close_appeals(channel, person, Against::Ban).await?;
                changes.ban(channel, person, false);
                updates.push((places.take(), ChatUpdate::Unbanned { person: person.clone() }));
            }
            changed(&updates)
        }
        Work::Appeal(new) => match commit.appeal(channel, new, now).await? {
            Some(true) => Done::Changed,
            Some(false) => Done::Again,
            None => Done::Nothing,
        },
        Work::DecideAppeal { appeal, decided, answer } => {
            match commit.decide_appeal(channel, appeal, (decided, answer), now).await? {
                Tried::Decided(person, against) => {
                    if decided.accepted {
                        updates.push((places.take(), changes.lift(channel, &person, against, now)));
                    }
                    Done::Appeal(Closed::Decided(decided.clone()), true)
                }
                Tried::Before(closed) => Done::Appeal(closed, false),
                Tried::Unknown => Done::Nothing,
            }
        }
        Work::Clear => {
            let at = places.take();
            commit.clear(channel, at).await?;
            updates.push((at, ChatUpdate::Cleared {}));
            Done::Changed
        }
        Work::Pin(pin) => {
            if changes.pinned(room).as_ref() == Some(&pin.id) {
                Done::Again
            } else {
                // Another moderator may have deleted it since it was looked up.
                if commit.pin(channel, &pin.id).await? {
                    changes.pins.insert(channel.clone(), Some(pin.id.clone()));
                    updates.push((places.take(), ChatUpdate::Pinned { pin: pin.clone() }));
                }
                changed(&updates)
            }
        }
        Work::Unpin => {
            if changes.pinned(room).is_some() {
                unpin(commit, channel, changes, places.take(), &mut updates).await?;
            }
            changed(&updates)
        }
        Work::Settings(edit) => {
            let before = changes.settings.get(channel).copied().unwrap_or_else(|| room.rules().settings());
            let settings = edit.on(before);
            // What is so already is told nobody and is no deed.
            if settings != before {
                commit.settings(channel, settings).await?;
                changes.settings.insert(channel.clone(), settings);
                updates.push((places.take(), ChatUpdate::Settings { settings }));
            }
            Done::Settings(settings)
        }
        Work::Moderator { account, is_moderator } => {
            let is_changed = match is_moderator {
                true => commit.add_moderator(channel, account, now).await?,
                false => commit.remove_moderator(channel, account).await?,
            };
            if is_changed { Done::Changed } else { Done::Nothing }
        }
        Work::StartPoll(poll) => {
            if commit.start_poll(channel, poll, now).await? {
                // Guests vote as their networks, whose hashes must be the same after a restart.
                let salt = room.rules().bans().salt().to_owned();
                commit.salt(channel, &salt).await?;
                updates.push((places.take(), ChatUpdate::Poll { poll: poll.clone() }));
            }
            changed(&updates)
        }
        Work::Vote { poll, voter, option } => {
            commit.vote(channel, poll, voter, *option).await?.map_or(Done::Nothing, Done::Voted)
        }
        Work::TellPoll(id) | Work::EndPoll(id) => {
            let is_end = matches!(work, Work::EndPoll(_));
            // Its end tells the results once more, and nothing comes after it.
            let is_due = if is_end { commit.end_poll(channel, id, now).await? } else { true };
            if let Some(poll) =
                commit.poll(channel, id).await?.filter(|poll| is_due && (is_end || !poll.ended))
            {
                updates.push((places.take(), ChatUpdate::Poll { poll: Box::new(poll) }));
            }
            changed(&updates)
        }
        Work::SetEmote(made) => {
            if commit.set_emote(channel, made, now).await? {
                updates.push((places.take(), emotes(commit, channel).await?));
            }
            changed(&updates)
        }
        Work::RemoveEmote(name) => {
            if commit.remove_emote(channel, name).await? {
                updates.push((places.take(), emotes(commit, channel).await?));
            }
            changed(&updates)
        }
        Work::TierEmote(name, tier) => {
            if commit.set_emote_tier(channel, name, *tier).await? {
                updates.push((places.take(), emotes(commit, channel).await?));
            }
            changed(&updates)
        }
        Work::TellEverywhere(name) => {
            // Of two changes in a row, word of the first may come last: both tell what the second left.
            let url = commit.one_everywhere(name).await?.map(|emote| emote.url);
            let told = ChatUpdate::EmoteEverywhere { code: emote::code(name.as_str()), url };
            updates.push((places.take(), told));
            Done::Changed
        }
        Work::SetBadge(tier, picture) => {
            commit.set_badge(channel, *tier, picture, now).await?;
            updates.push((places.take(), badges(commit, channel).await?));
            Done::Changed
        }
        Work::RemoveBadge(tier) => {
            if commit.remove_badge(channel, *tier).await? {
                updates.push((places.take(), badges(commit, channel).await?));
            }
            changed(&updates)
        }
        Work::StartRaid(raid) => {
            let is_rested = room.rules().raids().wait(now).is_none();
            if is_rested && !changes.raids.contains_key(channel) {
                changes.raids.insert(channel.clone(), true);
                updates.push((places.take(), ChatUpdate::Raid { raid: raid.as_ref().clone() }));
            }
            changed(&updates)
        }
        Work::EndRaid => {
            let known = || room.rules().raids().ahead(now).is_some();
            if changes.raids.get(channel).copied().unwrap_or_else(known) {
                changes.raids.insert(channel.clone(), false);
                updates.push((places.take(), ChatUpdate::RaidOff {}));
            }
            changed(&updates)
        }
        Work::Raided(arrival) => {
            let Arrival { from, name, viewers, .. } = arrival.as_ref();
            let raided = ChatUpdate::Raided { from: from.clone(), name: name.clone(), viewers: *viewers };
            updates.push((places.take(), raided));
            noted(commit, channel, arrival, now).await?;
            Done::Changed
        }
        Work::Vip { by, account, is_vip } => {
            let set = community.set_vip(commit.transaction(), (by, channel), account, *is_vip).await?;
            Done::Vip(set)
        }
    };
    // What is deleted or cleared is shown above the others no more, either.
    if let Some(pinned) = changes.pinned(room)
        && updates.iter().any(|(_, update)| takes_away(update, &pinned))
    {
        unpin(commit, channel, changes, places.take(), &mut updates).await?;
    }
    for (sequence, update) in &updates {
        match update {
            ChatUpdate::Message(message) => changes.tell(commit, channel, message).await?,
            _ => commit.change(channel, *sequence, update, now).await?,
        }
    }
    let is_deed = match &done {
        Done::Nothing | Done::Again | Done::Refused(_) | Done::Voted(_) => false,
        Done::Decided(_, is_now) | Done::Appeal(_, is_now) => *is_now,
        Done::Vip(set) => *set == Ok(true),
        Done::Settings(_) => !updates.is_empty(),
        Done::Sent(_) | Done::Changed => true,
    };
    let action = act.filter(|_| is_deed).map(|act| record(act, &done, about, now));
    if let Some(action) = &action {
        commit.action(channel, action).await?;
        if let Some(entry) = act.and_then(|act| record::entry(channel, act, action, work)) {
            audit::record(commit.transaction(), entry).await?;
        }
    }
    Ok(Written { done, updates, action, held })
}

/// Has a raid among what happened on both channels.
async fn noted(
    commit: &mut Commit,
    to: &ChannelId,
    arrival: &Arrival,
    at: Timestamp,
) -> Result<(), StoreError> {
    let Arrival { from, from_channel, name, raid, viewers } = arrival;
    let left = raid.leaves_at.as_millis();
    let here = json!({ "channel": from, "name": name, "viewers": viewers });
    let there = json!({ "channel": raid.to, "name": raid.name, "viewers": viewers });
    for (channel, occasion, kind, data) in [
        (to, format!("raid from {from_channel} {left}"), ActivityKind::RaidIn, here),
        (from_channel, format!("raid to {to} {left}"), ActivityKind::RaidOut, there),
    ] {
        let happened = Happened { occasion: &occasion, kind, at, who: None, data, again_after: None };
        activity::put(commit.transaction(), channel, happened).await?;
    }
    Ok(())
}

/// What waits of somebody who is timed out or banned is refused with it; how many that were.
async fn refuse_all(
    commit: &mut Commit,
    channel: &ChannelId,
    person: &PersonId,
    act: Option<&Act>,
    now: Timestamp,
    messages: &mut Vec<MessageId>,
) -> Result<i64, StoreError> {
    let Some(act) = act else { return Ok(0) };
    let decided = Decided { approved: false, by: act.by.clone(), by_name: act.by_name.clone() };
    let refused = commit.refuse_of(channel, person, &decided, now).await?;
    let count = refused.len() as i64;
    messages.extend(refused);
    Ok(count)
}

impl Changes {
    /// None yet; webhooks are told what these are interested in.
    pub fn new(interest: Interest) -> Self {
        Self { interest, ..Self::default() }
    }

    /// Has webhooks told of a message, if any wants to be: its place alone is kept there. What a commit says in a room goes together.
    async fn tell(
        &mut self,
        commit: &mut Commit,
        channel: &ChannelId,
        message: &ChatMessage,
    ) -> Result<(), StoreError> {
        let kind = WebhookKind::ChatMessageSent;
        let Some(name) = self.interest.of_channel(commit.transaction(), channel, kind).await? else {
            return Ok(());
        };
        let place = i64::try_from(message.sequence.0).unwrap_or(i64::MAX);
        let id = &message.id;
        let said = self.said.entry(channel.clone()).or_insert_with(|| Spoken {
            name,
            ids: (id.clone(), id.clone()),
            places: (place, place),
            count: 0,
            at: message.at,
        });
        (said.ids.1, said.places.1, said.count) = (id.clone(), place, said.count + 1);
        if said.count >= GATHERED_MOST
            && let Some(said) = self.said.remove(channel)
        {
            gather(commit, channel, &said).await?;
        }
        Ok(())
    }

    /// Puts what is still to be told of the commit into the outbox, before it is finished.
    pub async fn told(&mut self, commit: &mut Commit) -> Result<(), StoreError> {
        for (channel, said) in std::mem::take(&mut self.said) {
            gather(commit, &channel, &said).await?;
        }
        Ok(())
    }

    /// Which message is pinned in a room, as far as this commit has come.
    fn pinned(&self, room: &LiveRoom) -> Option<MessageId> {
        match self.pins.get(&room.channel) {
            Some(pin) => pin.clone(),
            None => room.rules().pinned().cloned(),
        }
    }

    fn ban(&mut self, channel: &ChannelId, person: &PersonId, is_banned: bool) {
        self.bans.insert((channel.clone(), person.clone()), is_banned);
    }

    fn silence(&mut self, channel: &ChannelId, person: &PersonId, until: Timestamp) {
        self.silences.insert((channel.clone(), person.clone()), until);
    }

    fn of_network(&mut self, channel: &ChannelId, person: &PersonId, network: Option<&NetworkHash>) {
        if let Some(network) = network {
            self.networks.entry((channel.clone(), network.clone())).or_default().push(person.clone());
        }
    }

    /// What an appeal was against is lifted: what followers are told.
    fn lift(
        &mut self,
        channel: &ChannelId,
        person: &PersonId,
        against: Against,
        now: Timestamp,
    ) -> ChatUpdate {
        match against {
            Against::Ban => {
                self.ban(channel, person, false);
                ChatUpdate::Unbanned { person: person.clone() }
            }
            Against::TimeOut => {
                self.silence(channel, person, now);
                ChatUpdate::Unsilenced { person: person.clone() }
            }
        }
    }

    /// What keeps a message's author from writing, as far as this commit has come. They were asked when they sent it, too.
    fn bar(&self, room: &LiveRoom, draft: &Draft, now: Timestamp) -> Option<Refused> {
        let writer = draft.writer.as_ref()?;
        let mut rules = room.rules();
        if rules.standings(&writer.person, writer.is).may(Permission::ModerateChat) {
            return None;
        }
        // Most commits change nothing of the kind.
        let is_changed = !self.bans.is_empty() || !self.silences.is_empty();
        let key = |person: &PersonId| (room.channel.clone(), person.clone());
        let own = is_changed.then(|| key(&writer.person));
        let network = writer.guests_network().filter(|_| !self.networks.is_empty());
        let network = network.map(|network| (room.channel.clone(), rules.bans().hash(network)));
        let others: Vec<_> =
            network.and_then(|of| self.networks.get(&of)).into_iter().flatten().map(key).collect();
        let ban = own.as_ref().and_then(|own| self.bans.get(own));
        let is_banned = ban.copied().unwrap_or_else(|| rules.is_banned(writer));
        if is_banned || others.iter().any(|other| self.bans.get(other) == Some(&true)) {
            return Some(Refused::Banned);
        }
        let until = match own.as_ref().and_then(|own| self.silences.get(own)) {
            Some(until) => Some(*until),
            None => rules.silenced_until(writer, now),
        };
        let until = until.max(others.iter().filter_map(|other| self.silences.get(other)).max().copied());
        until.filter(|until| *until > now).map(|until| Refused::Silenced { until })
    }
}

async fn gather(commit: &mut Commit, channel: &ChannelId, said: &Spoken) -> Result<(), StoreError> {
    let (first, last) = &said.ids;
    let some = Gathered {
        kind: WebhookKind::ChatMessageSent,
        ids: (first.as_str(), last.as_str()),
        count: said.count,
        of: "",
        places: Some(said.places),
        at: said.at,
        data: json!({}),
    };
    outbox::gather(commit.transaction(), (channel, &said.name), some).await
}

fn record(act: &Act, done: &Done, about: Option<ChatAuthor>, now: Timestamp) -> ChatAction {
    let detail = match done {
        Done::Settings(settings) => serde_json::to_string(settings).unwrap_or_default(),
        _ => act.detail.clone(),
    };
    let person = act.person.clone().or_else(|| about.map(|author| (author.id, author.name)));
    let (person, person_name) = person.unzip();
    ChatAction {
        id: fresh::id(),
        at: now,
        by: act.by.clone(),
        by_name: act.by_name.clone(),
        kind: act.kind,
        person,
        person_name,
        message: act.message.clone(),
        detail,
    }
}

async fn message(
    commit: &mut Commit,
    channel: &ChannelId,
    draft: &Draft,
    sequence: Cursor,
    at: Timestamp,
    updates: &mut Vec<(Cursor, ChatUpdate)>,
) -> Result<Done, StoreError> {
    let message = ChatMessage {
        id: draft.id.clone(),
        sequence,
        at,
        author: draft.author.clone(),
        fragments: draft.fragments.clone(),
        reply_to: draft.reply_to.clone(),
        action: draft.action,
    };
    let before = commit.message(channel, &message, draft.key.as_ref(), draft.broadcast.as_ref()).await?;
    Ok(Done::Sent(match before {
        Some(before) => before,
        None => {
            let sent = Sent { id: message.id.clone(), sequence, held: false };
            updates.push((sequence, ChatUpdate::Message(Box::new(message))));
            sent
        }
    }))
}

async fn emotes(commit: &mut Commit, channel: &ChannelId) -> Result<ChatUpdate, StoreError> {
    let own = emote::own(commit.emotes(channel).await?);
    let everywhere = commit.everywhere().await?;
    Ok(ChatUpdate::Emotes { emotes: emote::all(&own, &everywhere) })
}

async fn badges(commit: &mut Commit, channel: &ChannelId) -> Result<ChatUpdate, StoreError> {
    Ok(ChatUpdate::Badges { badges: commit.badges(channel).await? })
}

async fn unpin(
    commit: &mut Commit,
    channel: &ChannelId,
    changes: &mut Changes,
    at: Cursor,
    updates: &mut Vec<(Cursor, ChatUpdate)>,
) -> Result<(), StoreError> {
    commit.unpin(channel).await?;
    changes.pins.insert(channel.clone(), None);
    updates.push((at, ChatUpdate::Unpinned {}));
    Ok(())
}

fn takes_away(update: &ChatUpdate, message: &MessageId) -> bool {
    match update {
        ChatUpdate::Deleted { messages } => messages.contains(message),
        ChatUpdate::Cleared {} => true,
        _ => false,
    }
}

fn before(now: Timestamp, back: Duration) -> Timestamp {
    Timestamp::from_millis(now.as_millis() - back.as_millis() as i64)
}

fn changed(updates: &[(Cursor, ChatUpdate)]) -> Done {
    if updates.is_empty() { Done::Nothing } else { Done::Changed }
}

/// What the room's rules know of it from now on.
pub fn apply(room: &LiveRoom, work: Work, written: &Written) {
    let now = fresh::now();
    let mut rules = room.rules();
    rules.add_held(written.held);
    for (_, update) in &written.updates {
        match update {
            ChatUpdate::Poll { poll } => rules.set_poll(poll.as_ref().clone()),
            ChatUpdate::Raid { raid } => rules.raids().begin(raid.clone()),
            ChatUpdate::RaidOff {} => rules.raids().call_off(),
            ChatUpdate::Emotes { emotes } => {
                rules.set_emotes(emotes.iter().filter(|emote| emote.own).cloned().collect());
            }
            ChatUpdate::Badges { badges } => rules.set_badges(badges.clone()),
            ChatUpdate::Unbanned { person } => {
                rules.bans().lift(person);
            }
            ChatUpdate::Unsilenced { person } => {
                rules.unsilence(person, now);
            }
            _ => {}
        }
    }
    if written.updates.iter().any(|(_, update)| matches!(update, ChatUpdate::Unpinned {})) {
        rules.set_pin(None);
    }
    let is_told = matches!(work, Work::Message(_));
    match (work, &written.done) {
        (Work::Filters(filter), _) => rules.set_filter(filter),
        (Work::Message(draft) | Work::Hold { draft, .. }, Done::Sent(sent)) => {
            rules.sent(&draft.author.id, draft.author.name.as_str(), draft.key.as_ref(), sent);
        }
        (Work::Message(draft) | Work::Hold { draft, .. }, Done::Refused(_)) if draft.is_counted => {
            rules.unsent(&draft.author.id, draft.key.as_ref(), is_told.then_some(draft.said));
        }
        // It is said now, and not when it was held.
        (Work::Decide { .. }, Done::Decided(..)) => {
            for (_, update) in &written.updates {
                if let ChatUpdate::Message(message) = update {
                    rules.heard(Said::of(&message.fragments));
                }
            }
        }
        (Work::Silence { silence, network, .. }, _) => rules.silence(*silence, network, now),
        (Work::Ban { ban, network, .. }, Done::Changed) => rules.bans().ban(ban.person, network),
        (Work::Pin(pin), Done::Changed) => rules.set_pin(Some(pin)),
        (Work::Settings(_), Done::Settings(settings)) => rules.set_settings(*settings),
        (Work::Moderator { account, is_moderator }, _) => {
            if let Ok(person) = account.as_str().parse() {
                rules.set_moderator(person, is_moderator);
            }
        }
        _ => {}
    }
}
