//! Appeals: what somebody who is banned or timed out says against it, and what moderators decide.

pub mod routes;
pub mod rules;
pub mod store;

use super::{
    Person,
    commit::work::{Closed, Done, NewAppealed, Work},
    error::ChatError,
    moderation::Moderated,
    service::{Chat, lock, person_of},
};
use crate::{actor::Actor, fresh, limit::Rate, page::Wanted, permission::Permission};
use shared::{
    appeal::{Appeal, AppealDecided, Appealing, DecideAppeal, NewAppeal},
    id::{AppealId, ChannelName, PersonId},
    moderation::ActionKind,
};
use std::time::Duration;

/// Appeals of one person, in all rooms: who was banned in some at once says so in each, and a script soon waits.
pub const APPEALS: Rate = Rate { burst: 5, every: Duration::from_secs(10 * 60) };

impl Chat {
    /// What somebody can appeal against in a room, and the appeal that they made.
    pub async fn appealing(&self, who: &Actor, channel: &ChannelName) -> Result<Appealing, ChatError> {
        let place = self.place(Some(who).into(), channel).await?;
        let room = self.room(&place).await?;
        let person = person_of(&who.account).ok_or(ChatError::Nobody)?;
        // A ban from before somebody became a moderator keeps them from nothing.
        if room.rules().standings(&person, place.is).may(Permission::ModerateChat) {
            return Ok(Appealing::default());
        }
        Ok(self.0.store.appealing(&place.channel, &person, fresh::now()).await?)
    }

    /// Appeals against what keeps somebody from writing in a room.
    pub async fn appeal(
        &self,
        who: &Actor,
        channel: &ChannelName,
        new: NewAppeal,
    ) -> Result<Appealing, ChatError> {
        let text = rules::said(&new.text).map_err(|detail| ChatError::Invalid { field: "text", detail })?;
        let before = self.appealing(who, channel).await?;
        if before.against.is_none() {
            return Err(ChatError::NothingToAppeal);
        }
        if before.appeal.is_some() {
            return Err(ChatError::Appealed);
        }
        lock(&self.0.appeals)
            .take(&who.account, self.now())
            .map_err(|wait| ChatError::TooManyAppeals { wait })?;
        let place = self.place(Some(who).into(), channel).await?;
        let room = self.room(&place).await?;
        let Person { id, name, .. } = self.person(&who.account).await?.ok_or(ChatError::Nobody)?;
        let person = person_of(&id).ok_or(ChatError::Nobody)?;
        let appeal = NewAppealed { id: fresh::id(), person, name, text };
        match self.0.writer.write(room, Work::Appeal(Box::new(appeal)), None).await? {
            Done::Changed => self.appealing(who, channel).await,
            Done::Again => Err(ChatError::Appealed),
            _ => Err(ChatError::NothingToAppeal),
        }
    }

    /// Appeals that wait in a room, oldest first.
    pub async fn appeals(
        &self,
        who: &Actor,
        channel: &ChannelName,
        wanted: &Wanted,
    ) -> Result<Vec<Appeal>, ChatError> {
        let moderated = self.allowed(who, channel, Permission::ModerateChat).await?;
        Ok(self.0.store.appeals(&moderated.place.channel, wanted, fresh::now()).await?)
    }

    /// Accepts an appeal, which lifts what it is against, or declines it. Whoever is second is told what the first decided.
    pub async fn decide_appeal(
        &self,
        who: &Actor,
        channel: &ChannelName,
        appeal: &AppealId,
        decide: DecideAppeal,
    ) -> Result<AppealDecided, ChatError> {
        let moderated = self.allowed(who, channel, Permission::ModerateChat).await?;
        let answer =
            rules::answer(&decide.answer).map_err(|detail| ChatError::Invalid { field: "answer", detail })?;
        let by = self.0.store.appeal_by(&moderated.place.channel, appeal).await?;
        let (person, name) = by.ok_or(ChatError::UnknownAppeal)?;
        not_their_own(&moderated, &person)?;
        let decided = AppealDecided {
            accepted: decide.accept,
            by: moderated.by.clone(),
            by_name: moderated.name.clone(),
        };
        let kind = if decide.accept { ActionKind::AcceptAppeal } else { ActionKind::DeclineAppeal };
        let act = moderated.act(kind).to(&person, &name).saying(answer.clone());
        let work = Work::DecideAppeal { appeal: appeal.clone(), decided, answer };
        match self.write(&moderated, work, act).await? {
            Done::Appeal(Closed::Decided(decided), true) => Ok(decided),
            Done::Appeal(Closed::Decided(before), false) => Err(ChatError::AppealDecided(before)),
            Done::Appeal(Closed::Over, _) => Err(ChatError::AppealOver),
            _ => Err(ChatError::UnknownAppeal),
        }
    }
}

/// Who became a moderator meanwhile is no judge of their own ban.
fn not_their_own(moderated: &Moderated, person: &PersonId) -> Result<(), ChatError> {
    if moderated.by == *person { Err(ChatError::Untouchable) } else { Ok(()) }
}
