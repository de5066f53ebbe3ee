//! What a room's owner and its moderators do: rules, deletions, time-outs, who moderates.

pub mod routes;
pub mod store;

use super::{
    Person, Place,
    ban::NetworkHash,
    command::FOLLOWERS_MINUTES_MOST,
    commit::work::{Act, Done, Work},
    error::{ChatError, refused},
    feed::LiveRoom,
    identity::Speaker,
    room::SLOW_MOST,
    service::{By, Chat, EXCERPT, person_of},
    text,
};
use crate::{
    actor::Actor, fresh, limit::network_of, page::Wanted, permission::Permission, store::StoreError,
};
use shared::{
    chat::{ChatSettings, EditChat},
    id::{AccountId, ChannelId, ChannelName, MessageId, PersonId},
    moderation::{ActionKind, Ban, ChatAction, Moderator, NewBan, NewPin, NewSilence, Silence},
    text::{AccountName, DisplayName},
    unit::Timestamp,
};
use std::sync::Arc;

/// The longest time-out.
pub(super) const SILENCE_MOST: u32 = 14 * 24 * 60 * 60;
const REASON_MOST: usize = 200;
/// The most moderators of a channel.
pub const MODERATORS_MOST: usize = 100;

impl Chat {
    /// Changes the room's rules.
    pub async fn edit(
        &self,
        who: &Actor,
        channel: &ChannelName,
        edit: EditChat,
    ) -> Result<ChatSettings, ChatError> {
        let moderated = self.allowed(who, channel, Permission::RuleChat).await?;
        if edit.slow_seconds.is_some_and(|seconds| seconds > SLOW_MOST) {
            return Err(ChatError::Invalid {
                field: "slowSeconds",
                detail: "Slow mode is 0 to 600 seconds.",
            });
        }
        if edit.followers_minutes.is_some_and(|minutes| minutes > FOLLOWERS_MINUTES_MOST) {
            let detail = "Followers may have to have followed for 0 to 129,600 minutes (90 days).";
            return Err(ChatError::Invalid { field: "followersMinutes", detail });
        }
        let act = moderated.act(ActionKind::Rules);
        match self.write(&moderated, Work::Settings(edit), act).await? {
            Done::Settings(settings) => Ok(settings),
            _ => Ok(moderated.room.rules().settings()),
        }
    }

    /// A room, for one who may do this there; and who they are.
    pub(super) async fn allowed(
        &self,
        who: &Actor,
        channel: &ChannelName,
        permission: Permission,
    ) -> Result<Moderated, ChatError> {
        let place = self.place(Some(who).into(), channel).await?;
        let room = self.room(&place).await?;
        let by = person_of(&who.account).ok_or(ChatError::NotModerator)?;
        if !room.rules().standings(&by, place.is).may(permission) {
            return Err(refused(permission));
        }
        let name = self.person(&who.account).await?.ok_or(ChatError::Nobody)?.name;
        Ok(Moderated { place, room, actor: who.clone(), by, name })
    }

    /// A channel, for one who may do this there by what they are, also as a moderator, of whom chat alone knows.
    pub async fn channel_for(
        &self,
        who: &Actor,
        channel: &ChannelName,
        permission: Permission,
    ) -> Result<ChannelId, ChatError> {
        Ok(self.allowed(who, channel, permission).await?.place.channel)
    }

    /// Writes something that a moderator does, and the record of it.
    pub(super) async fn write(&self, moderated: &Moderated, work: Work, act: Act) -> Result<Done, ChatError> {
        Ok(self.0.writer.write(moderated.room.clone(), work, Some(act)).await?)
    }

    /// Deletes a message: the owner's, a moderator's or its author's right.
    pub async fn delete(
        &self,
        by: By<'_>,
        channel: &ChannelName,
        message: &MessageId,
    ) -> Result<(), ChatError> {
        let place = self.place(by.visitor(), channel).await?;
        let room = self.room(&place).await?;
        let Speaker { author: you, is, .. } =
            self.author(by, &place, &room).await?.ok_or(ChatError::Nobody)?;
        let found = self.0.store.message(&place.channel, message).await?.ok_or(ChatError::UnknownMessage)?;
        let is_own = found.author.id == you.id;
        if !is_own && !is.may(Permission::ModerateChat) {
            return Err(ChatError::NotModerator);
        }
        // What somebody does with their own words is no deed of a moderator's.
        let act = (!is_own).then(|| Act {
            who: by.who.cloned(),
            by: you.id.clone(),
            by_name: you.name.clone(),
            kind: ActionKind::Delete,
            person: Some((found.author.id.clone(), found.author.name.clone())),
            message: Some(found.id.clone()),
            detail: text::excerpt(&super::fragment::plain(&found.fragments), EXCERPT),
        });
        match self.0.writer.write(room, Work::Delete { message: message.clone(), by: you.id }, act).await? {
            Done::Nothing => Err(ChatError::UnknownMessage),
            _ => Ok(()),
        }
    }

    /// Times somebody out.
    pub async fn silence(
        &self,
        who: &Actor,
        channel: &ChannelName,
        new: NewSilence,
    ) -> Result<Silence, ChatError> {
        let moderated = self.allowed(who, channel, Permission::ModerateChat).await?;
        let NewSilence { person, seconds, reason } = new;
        if !(1..=SILENCE_MOST).contains(&seconds) {
            let detail = "A time-out lasts 1 second to two weeks (1,209,600 seconds).";
            return Err(ChatError::Invalid { field: "seconds", detail });
        }
        let reason = checked_reason(&reason)?;
        let name = self.touchable(&moderated, &person).await?;
        let (network, salt) = network(&moderated.room, &person);
        let at = fresh::now();
        let until = Timestamp::from_millis(at.as_millis() + i64::from(seconds) * 1000);
        let by = moderated.by.clone();
        let silence = Silence { person, name, at: Some(at), until, by, reason: reason.clone() };
        let detail = format!("{seconds} s {reason}").trim_end().to_owned();
        let act = moderated.act(ActionKind::TimeOut).to(&silence.person, &silence.name).saying(detail);
        let work = Work::Silence { silence: Box::new(silence.clone()), network, salt };
        self.write(&moderated, work, act).await?;
        Ok(silence)
    }

    /// The name of somebody who can be timed out and banned.
    async fn touchable(&self, moderated: &Moderated, person: &PersonId) -> Result<DisplayName, ChatError> {
        let Moderated { place, room, by, .. } = moderated;
        let is_owner = place.owner.as_ref().and_then(person_of).as_ref() == Some(person);
        if is_owner || person == by || room.rules().is_moderator(person) {
            return Err(ChatError::Untouchable);
        }
        self.name_of(place, person).await?.ok_or(ChatError::UnknownPerson)
    }

    /// The name that somebody wrote under here last, or their account's.
    pub(super) async fn name_of(
        &self,
        place: &Place,
        person: &PersonId,
    ) -> Result<Option<DisplayName>, StoreError> {
        match self.0.store.name_of(&place.channel, person).await? {
            Some(name) => Ok(Some(name)),
            None => self.account_name(person).await,
        }
    }

    /// Bans somebody. Of two moderators at once, both get the ban of the first.
    pub async fn ban(&self, who: &Actor, channel: &ChannelName, new: NewBan) -> Result<Ban, ChatError> {
        let moderated = self.allowed(who, channel, Permission::ModerateChat).await?;
        let NewBan { person, reason } = new;
        let reason = checked_reason(&reason)?;
        let name = self.touchable(&moderated, &person).await?;
        let (network, salt) = network(&moderated.room, &person);
        let by = moderated.by.clone();
        let ban = Ban { person, name, at: fresh::now(), by, reason: reason.clone() };
        let act = moderated.act(ActionKind::Ban).to(&ban.person, &ban.name).saying(reason);
        let work = Work::Ban { ban: Box::new(ban.clone()), network, salt };
        match self.write(&moderated, work, act).await? {
            Done::Again => {
                let stands = self.0.store.ban(&moderated.place.channel, &ban.person).await?;
                // Lifted again in between, it was there all the same.
                Ok(stands.unwrap_or(ban))
            }
            _ => Ok(ban),
        }
    }

    /// Lifts a ban.
    pub async fn unban(&self, who: &Actor, channel: &ChannelName, person: PersonId) -> Result<(), ChatError> {
        let moderated = self.allowed(who, channel, Permission::ModerateChat).await?;
        let act = self.about(&moderated, ActionKind::Unban, &person).await?;
        match self.write(&moderated, Work::Unban { person }, act).await? {
            Done::Nothing => Err(ChatError::NotBanned),
            _ => Ok(()),
        }
    }

    /// What is to be recorded of something done to somebody who may be gone.
    async fn about(
        &self,
        moderated: &Moderated,
        kind: ActionKind,
        person: &PersonId,
    ) -> Result<Act, ChatError> {
        let act = moderated.act(kind);
        let name = self.name_of(&moderated.place, person).await?;
        Ok(match name {
            Some(name) => act.to(person, &name),
            None => act,
        })
    }

    /// Who is banned, newest first.
    pub async fn bans(
        &self,
        who: &Actor,
        channel: &ChannelName,
        wanted: &Wanted,
    ) -> Result<Vec<Ban>, ChatError> {
        let moderated = self.allowed(who, channel, Permission::ModerateChat).await?;
        Ok(self.0.store.bans(&moderated.place.channel, wanted).await?)
    }

    /// What moderators did, newest first; to one person, if that is asked.
    pub async fn actions(
        &self,
        who: &Actor,
        channel: &ChannelName,
        person: Option<&PersonId>,
        wanted: &Wanted,
    ) -> Result<Vec<ChatAction>, ChatError> {
        let moderated = self.allowed(who, channel, Permission::ModerateChat).await?;
        Ok(self.0.store.actions(&moderated.place.channel, person, wanted).await?)
    }

    /// Shows a message above all others.
    pub async fn pin(&self, who: &Actor, channel: &ChannelName, new: NewPin) -> Result<(), ChatError> {
        let moderated = self.allowed(who, channel, Permission::ModerateChat).await?;
        let found = self.0.store.message(&moderated.place.channel, &new.message).await?;
        let pin = found.ok_or(ChatError::UnknownMessage)?;
        let mut act = moderated.act(ActionKind::Pin).to(&pin.author.id, &pin.author.name);
        act.message = Some(pin.id.clone());
        match self.write(&moderated, Work::Pin(Box::new(pin)), act).await? {
            Done::Nothing => Err(ChatError::UnknownMessage),
            _ => Ok(()),
        }
    }

    /// Shows none above the others any more.
    pub async fn unpin(&self, who: &Actor, channel: &ChannelName) -> Result<(), ChatError> {
        let moderated = self.allowed(who, channel, Permission::ModerateChat).await?;
        let act = moderated.act(ActionKind::Unpin);
        match self.write(&moderated, Work::Unpin, act).await? {
            Done::Nothing => Err(ChatError::NotPinned),
            _ => Ok(()),
        }
    }

    /// Takes everything away that was written so far.
    pub async fn clear(&self, who: &Actor, channel: &ChannelName) -> Result<(), ChatError> {
        let moderated = self.allowed(who, channel, Permission::ModerateChat).await?;
        let act = moderated.act(ActionKind::Clear);
        self.write(&moderated, Work::Clear, act).await?;
        Ok(())
    }

    async fn account_name(&self, person: &PersonId) -> Result<Option<DisplayName>, StoreError> {
        let Ok(account) = person.as_str().parse::<AccountId>() else { return Ok(None) };
        Ok(self.person(&account).await?.map(|person| person.name))
    }

    /// Time-outs that run, by person.
    pub async fn silences(
        &self,
        who: &Actor,
        channel: &ChannelName,
        wanted: &Wanted,
    ) -> Result<Vec<Silence>, ChatError> {
        let Moderated { room, .. } = self.allowed(who, channel, Permission::ModerateChat).await?;
        let running = room.rules().silences(fresh::now());
        let (_, after) = wanted.before();
        let rest = running.into_iter().filter(|silence| silence.person.as_str() > after);
        Ok(rest.take(wanted.rows() as usize).collect())
    }

    /// Lifts a time-out.
    pub async fn unsilence(
        &self,
        who: &Actor,
        channel: &ChannelName,
        person: PersonId,
    ) -> Result<(), ChatError> {
        let moderated = self.allowed(who, channel, Permission::ModerateChat).await?;
        let act = self.about(&moderated, ActionKind::LiftTimeOut, &person).await?;
        match self.write(&moderated, Work::Unsilence { person }, act).await? {
            Done::Nothing => Err(ChatError::NotSilenced),
            _ => Ok(()),
        }
    }

    /// Moderators, for the owner and for themselves, by what they sign in with.
    pub async fn moderators(
        &self,
        who: &Actor,
        channel: &ChannelName,
        wanted: &Wanted,
    ) -> Result<Vec<Moderator>, ChatError> {
        let Moderated { place, .. } = self.allowed(who, channel, Permission::ModerateChat).await?;
        let (_, after) = wanted.before();
        Ok(self.0.store.moderators(&place.channel, after, wanted.rows() as usize).await?)
    }

    /// Makes somebody a moderator; and whether they weren't.
    pub async fn add_moderator(
        &self,
        who: &Actor,
        channel: &ChannelName,
        account: &AccountName,
    ) -> Result<(Moderator, bool), ChatError> {
        let moderated = self.allowed(who, channel, Permission::Appoint).await?;
        let (id, one) = self.appointed(&moderated, account).await?;
        let others = self.0.store.moderators(&moderated.place.channel, "", MODERATORS_MOST).await?;
        let is_new = others.iter().all(|other| other.id != one.id);
        if is_new && others.len() >= MODERATORS_MOST {
            return Err(ChatError::TooManyModerators);
        }
        let act = moderated.act(ActionKind::AddModerator).to(&one.id, &one.name);
        self.write(&moderated, Work::Moderator { account: id, is_moderator: true }, act).await?;
        Ok((one, is_new))
    }

    /// Takes that away from somebody.
    pub async fn remove_moderator(
        &self,
        who: &Actor,
        channel: &ChannelName,
        account: &AccountName,
    ) -> Result<(), ChatError> {
        let moderated = self.allowed(who, channel, Permission::Appoint).await?;
        let (id, one) = self.appointed(&moderated, account).await?;
        let act = moderated.act(ActionKind::RemoveModerator).to(&one.id, &one.name);
        match self
            .write(&moderated, Work::Moderator { account: id.clone(), is_moderator: false }, act)
            .await?
        {
            Done::Nothing => Err(ChatError::UnknownAccount),
            _ => {
                self.0.ports.surroundings.moderator_left(&moderated.place.channel, &id);
                Ok(())
            }
        }
    }

    /// Makes somebody a VIP, or takes that away; and whether it changed anything.
    pub async fn set_vip(
        &self,
        who: &Actor,
        channel: &ChannelName,
        account: &AccountName,
        is_vip: bool,
    ) -> Result<(Moderator, bool), ChatError> {
        let moderated = self.allowed(who, channel, Permission::Appoint).await?;
        let (_, one) = self.appointed(&moderated, account).await?;
        let kind = if is_vip { ActionKind::AddVip } else { ActionKind::RemoveVip };
        let act = moderated.act(kind).to(&one.id, &one.name);
        let work = Work::Vip { by: who.clone(), account: account.clone(), is_vip };
        match self.write(&moderated, work, act).await? {
            Done::Vip(Ok(is_changed)) => Ok((one, is_changed)),
            Done::Vip(Err(refused)) => Err(refused.into()),
            _ => Err(ChatError::UnknownAccount),
        }
    }

    async fn appointed(
        &self,
        moderated: &Moderated,
        account: &AccountName,
    ) -> Result<(AccountId, Moderator), ChatError> {
        let found = self.0.ports.accounts.by_name(account).await?;
        let Person { id, account, name, .. } = found.ok_or(ChatError::UnknownAccount)?;
        if moderated.place.owner.as_ref() == Some(&id) {
            return Err(ChatError::IsOwner);
        }
        let person = person_of(&id).ok_or(ChatError::UnknownAccount)?;
        Ok((id, Moderator { id: person, account, name }))
    }
}

/// Somebody who may moderate, and where.
pub(super) struct Moderated {
    pub(super) place: Place,
    pub(super) room: Arc<LiveRoom>,
    pub(super) actor: Actor,
    pub(super) by: PersonId,
    pub(super) name: DisplayName,
}

impl Moderated {
    /// What they do, for the record.
    pub(super) fn act(&self, kind: ActionKind) -> Act {
        Act {
            who: Some(self.actor.clone()),
            by: self.by.clone(),
            by_name: self.name.clone(),
            kind,
            person: None,
            message: None,
            detail: String::new(),
        }
    }
}

impl Act {
    /// To whom.
    pub(super) fn to(self, person: &PersonId, name: &DisplayName) -> Self {
        Self { person: Some((person.clone(), name.clone())), ..self }
    }

    /// More, in words.
    pub(super) fn saying(self, detail: String) -> Self {
        Self { detail, ..self }
    }
}

/// The hash of the network that somebody wrote from lately, and what it is salted with. An account's, too: who is banned or timed
/// out must not come back at once as a guest.
fn network(room: &LiveRoom, person: &PersonId) -> (Option<NetworkHash>, String) {
    let mut rules = room.rules();
    let network = rules.network_of(person).map(network_of);
    let bans = rules.bans();
    (network.map(|network| bans.hash(network)), bans.salt().to_owned())
}

fn checked_reason(typed: &str) -> Result<String, ChatError> {
    let reason = text::clean(typed);
    if reason.chars().count() > REASON_MOST {
        return Err(ChatError::Invalid { field: "reason", detail: "A reason has at most 200 characters." });
    }
    Ok(reason)
}
