//! Messages that wait for a moderator: what is held, deciding, and what is known of the people who wrote.

pub mod routes;
pub mod store;

use super::{
    commit::work::{Done, Work},
    error::ChatError,
    filter::Filter,
    moderation::Moderated,
    service::Chat,
};
use crate::{actor::Actor, fresh, page::Wanted, permission::Permission};
use shared::{
    id::{ChannelName, MessageId, PersonId},
    moderation::{ActionKind, Decide, Decided, Filters, HeldMessage, PersonCard},
};
use std::sync::Arc;

/// Messages that wait in a room. When there are so many, further ones are refused.
pub const HELD_MOST: u64 = 500;
/// Messages and actions on somebody's card.
const CARD: u32 = 50;

impl Chat {
    /// What a room holds.
    pub async fn filters(&self, who: &Actor, channel: &ChannelName) -> Result<Filters, ChatError> {
        let Moderated { room, .. } = self.allowed(who, channel, Permission::ModerateChat).await?;
        let filter = room.rules().filter();
        Ok(filter.filters().clone())
    }

    /// Sets what a room holds.
    pub async fn set_filters(
        &self,
        who: &Actor,
        channel: &ChannelName,
        filters: Filters,
    ) -> Result<Filters, ChatError> {
        let moderated = self.allowed(who, channel, Permission::RuleChat).await?;
        let filter = Arc::new(Filter::new(filters)?);
        // The words themselves stay out of the record: it is read aloud, and shown to more people.
        let Filters { words, links, hosts, repeats, capitals, look_alikes } = filter.filters();
        let detail = serde_json::json!({
            "words": words.len(), "links": links, "hosts": hosts.len(), "repeats": repeats, "capitals": capitals,
            "lookAlikes": look_alikes,
        });
        let act = moderated.act(ActionKind::Filters).saying(detail.to_string());
        self.write(&moderated, Work::Filters(filter.clone()), act).await?;
        Ok(filter.filters().clone())
    }

    /// Messages that wait, oldest first.
    pub async fn held(
        &self,
        who: &Actor,
        channel: &ChannelName,
        wanted: &Wanted,
    ) -> Result<Vec<HeldMessage>, ChatError> {
        let moderated = self.allowed(who, channel, Permission::ModerateChat).await?;
        Ok(self.0.store.held(&moderated.place.channel, wanted).await?)
    }

    /// Lets a held message through, or refuses it. Whoever is second gets what the first decided.
    pub async fn decide(
        &self,
        who: &Actor,
        channel: &ChannelName,
        message: &MessageId,
        decide: Decide,
    ) -> Result<Decided, ChatError> {
        let moderated = self.allowed(who, channel, Permission::ModerateChat).await?;
        let (by, by_name) = (moderated.by.clone(), moderated.name.clone());
        let decided = Decided { approved: decide.approve, by, by_name };
        let kind = if decide.approve { ActionKind::Approve } else { ActionKind::Refuse };
        let mut act = moderated.act(kind);
        act.message = Some(message.clone());
        let work = Work::Decide { message: message.clone(), decided };
        match self.write(&moderated, work, act).await? {
            Done::Decided(decided, _) => Ok(decided),
            _ => Err(ChatError::UnknownHeld),
        }
    }

    /// What is known of somebody who wrote here, or has an account.
    pub async fn card(
        &self,
        who: &Actor,
        channel: &ChannelName,
        person: PersonId,
    ) -> Result<PersonCard, ChatError> {
        let moderated = self.allowed(who, channel, Permission::ModerateChat).await?;
        let channel = &moderated.place.channel;
        let written = self.0.store.written_by(channel, &person, i64::from(CARD)).await?;
        let wanted = Wanted { after: None, limit: CARD };
        let actions = self.0.store.actions(channel, Some(&person), &wanted).await?;
        let (name, account, badges, colour) = match written.author {
            Some(author) => (author.name, author.account, author.badges, author.colour),
            None => {
                let name = self.name_of(&moderated.place, &person).await?;
                (name.ok_or(ChatError::UnknownPerson)?, None, Vec::new(), None)
            }
        };
        let now = fresh::now();
        let mut rules = moderated.room.rules();
        let silence = rules.silences(now).into_iter().find(|silence| silence.person == person);
        Ok(PersonCard {
            name,
            account,
            badges,
            colour,
            first_at: written.first_at,
            messages: written.messages,
            silenced_until: silence.map(|silence| silence.until),
            banned: rules.bans().holds(&person, None),
            recent: written.recent,
            actions: actions.into_iter().take(CARD as usize).collect(),
            person,
        })
    }
}
