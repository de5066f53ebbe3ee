//! What a room's owner and its moderators do: rules, deletions, time-outs, who moderates.

use super::{
    Person, Place,
    error::ChatError,
    feed::LiveRoom,
    room::SLOW_MOST,
    service::{By, Chat, person_of, standings},
    task::{Done, Work},
    text,
};
use crate::{
    actor::Actor,
    fresh,
    page::Wanted,
    permission::{Permission, Standing, Standings},
    store::StoreError,
};
use shared::{
    chat::{ChatSettings, EditChat, Moderator, NewSilence, Silence},
    id::{AccountId, ChannelName, MessageId, PersonId},
    text::{AccountName, DisplayName},
    unit::Timestamp,
};
use std::sync::Arc;

/// The longest time-out.
const SILENCE_MOST: u32 = 14 * 24 * 60 * 60;
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
        let place = self.allowed(who, channel, Permission::RuleChat).await?;
        if edit.slow_seconds.is_some_and(|seconds| seconds > SLOW_MOST) {
            return Err(ChatError::Invalid {
                field: "slowSeconds",
                detail: "Slow mode is 0 to 600 seconds.",
            });
        }
        let room = self.room(&place).await?;
        match self.0.writer.write_as(room.clone(), Work::Settings(edit), Some(who)).await? {
            Done::Settings(settings) => Ok(settings),
            _ => Ok(room.rules().settings()),
        }
    }

    /// A room's place, for one who may do there what its channel's record alone decides.
    async fn allowed(
        &self,
        who: &Actor,
        channel: &ChannelName,
        permission: Permission,
    ) -> Result<Place, ChatError> {
        let place = self.place(Some(who).into(), channel).await?;
        if place.standings.may(permission) { Ok(place) } else { Err(ChatError::NotOwner) }
    }

    /// A room, for one who may delete and time out there; and who they are.
    async fn moderated(
        &self,
        who: &Actor,
        channel: &ChannelName,
    ) -> Result<(Place, Arc<LiveRoom>, PersonId), ChatError> {
        let place = self.place(Some(who).into(), channel).await?;
        let room = self.room(&place).await?;
        let person = person_of(&who.account).ok_or(ChatError::NotModerator)?;
        let is = room.rules().standings(&person, place.standings);
        if is.may(Permission::ModerateChat) {
            Ok((place, room, person))
        } else {
            Err(ChatError::NotModerator)
        }
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
        let you = self.author(by, &place, &room).await?.ok_or(ChatError::Nobody)?;
        let found = self.0.store.message(&place.channel, message).await?.ok_or(ChatError::UnknownMessage)?;
        // One's own needs no permission.
        let is_own = found.author.id == you.id;
        if !is_own && !standings(&you, &place, &room).may(Permission::ModerateChat) {
            return Err(ChatError::NotModerator);
        }
        let (work, who) = (Work::Delete { message: message.clone(), by: you.id }, by.who.filter(|_| !is_own));
        match self.0.writer.write_as(room, work, who).await? {
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
        let (place, room, by) = self.moderated(who, channel).await?;
        let NewSilence { person, seconds, reason } = new;
        if !(1..=SILENCE_MOST).contains(&seconds) {
            let detail = "A time-out lasts 1 second to two weeks (1,209,600 seconds).";
            return Err(ChatError::Invalid { field: "seconds", detail });
        }
        let reason = text::clean(&reason);
        if reason.chars().count() > REASON_MOST {
            return Err(ChatError::Invalid {
                field: "reason",
                detail: "A reason has at most 200 characters.",
            });
        }
        let is_owner = place.owner.as_ref().and_then(person_of).as_ref() == Some(&person);
        let told = if is_owner { Standings::GUEST.and(Standing::Owner) } else { Standings::GUEST };
        if person == by || room.rules().standings(&person, told).may(Permission::ModerateChat) {
            return Err(ChatError::Untouchable);
        }
        let name = match self.0.store.name_of(&place.channel, &person).await? {
            Some(name) => name,
            None => self.account_name(&person).await?.ok_or(ChatError::UnknownPerson)?,
        };
        let until = fresh::now().as_millis() + i64::from(seconds) * 1000;
        let silence = Silence { person, name, until: Timestamp::from_millis(until), by, reason };
        self.0.writer.write_as(room, Work::Silence(Box::new(silence.clone())), Some(who)).await?;
        Ok(silence)
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
        let (_, room, _) = self.moderated(who, channel).await?;
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
        let (_, room, _) = self.moderated(who, channel).await?;
        match self.0.writer.write_as(room, Work::Unsilence { person }, Some(who)).await? {
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
        let (place, _, _) = self.moderated(who, channel).await?;
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
        let place = self.allowed(who, channel, Permission::Appoint).await?;
        let room = self.room(&place).await?;
        let Person { id, account, name } =
            self.0.ports.accounts.by_name(account).await?.ok_or(ChatError::UnknownAccount)?;
        if place.owner.as_ref() == Some(&id) {
            return Err(ChatError::IsOwner);
        }
        let person = person_of(&id).ok_or(ChatError::UnknownAccount)?;
        let others = self.0.store.moderators(&place.channel, "", MODERATORS_MOST).await?;
        let is_new = others.iter().all(|other| other.id != person);
        if is_new && others.len() >= MODERATORS_MOST {
            return Err(ChatError::TooManyModerators);
        }
        self.0.writer.write_as(room, Work::Moderator { account: id, is_moderator: true }, Some(who)).await?;
        Ok((Moderator { id: person, account, name }, is_new))
    }

    /// Takes that away from somebody.
    pub async fn remove_moderator(
        &self,
        who: &Actor,
        channel: &ChannelName,
        account: &AccountName,
    ) -> Result<(), ChatError> {
        let place = self.allowed(who, channel, Permission::Appoint).await?;
        let room = self.room(&place).await?;
        let found = self.0.ports.accounts.by_name(account).await?.ok_or(ChatError::UnknownAccount)?;
        let work = Work::Moderator { account: found.id.clone(), is_moderator: false };
        match self.0.writer.write_as(room, work, Some(who)).await? {
            Done::Nothing => Err(ChatError::UnknownAccount),
            _ => {
                self.0.ports.surroundings.moderator_left(&place.channel, &found.id);
                Ok(())
            }
        }
    }
}
