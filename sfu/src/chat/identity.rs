//! As whom somebody writes: an account, or a guest with a name that is nobody's.

use super::{
    Person, Place, Tie,
    badge::badges,
    error::ChatError,
    feed::LiveRoom,
    name::Taken,
    service::{By, Chat, lock, person_of},
    store::Guest,
};
use crate::{
    fresh,
    limit::{Rate, network_of},
    permission::Standings,
    secret::Secret,
    store::StoreError,
};
use shared::{
    chat::{Badge, ChatAuthor, NewGuest},
    id::{AccountId, MessageId},
    text::DisplayName,
    unit::Timestamp,
};
use std::{net::IpAddr, sync::Arc, time::Duration};

/// Guests that one address makes: a household or a school passes, a script doesn't.
pub const PER_ADDRESS: Rate = Rate { burst: 20, every: Duration::from_secs(15) };
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const GUEST_LASTS: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Somebody in a room.
#[derive(Debug)]
pub(super) struct Speaker {
    /// As others see them.
    pub(super) author: ChatAuthor,
    /// All that they are there.
    pub(super) is: Standings,
    /// Since when they follow the channel.
    pub(super) follows_since: Option<Timestamp>,
}

impl Chat {
    /// As whom somebody writes in a room; `None` for nobody.
    pub(super) async fn author(
        &self,
        by: By<'_>,
        place: &Place,
        room: &LiveRoom,
    ) -> Result<Option<Speaker>, ChatError> {
        if let Some(actor) = by.who {
            let person = self.person(&actor.account).await?.ok_or(ChatError::Nobody)?;
            let id = person_of(&person.id).ok_or(ChatError::Nobody)?;
            let Tie { follows_since, tier } = self.tie(place, &person.id).await?;
            let is = room.rules().standings(&id, place.is).with_tier(tier);
            let Person { id: _, account, name, colour } = person;
            let badges = badges(is, follows_since, fresh::now());
            let author = ChatAuthor { id, name, account: Some(account), badges, colour };
            return Ok(Some(Speaker { author, is, follows_since }));
        }
        let Some(token) = by.guest else { return Ok(None) };
        let guest = self.guest(token).await?.ok_or(ChatError::UnknownGuest)?;
        Ok(Some(Speaker { author: guest_author(guest), is: Standings::GUEST, follows_since: None }))
    }

    pub(super) async fn person(&self, id: &AccountId) -> Result<Option<Person>, StoreError> {
        let turn = match lock(&self.0.people).get(id, self.now()) {
            Ok(known) => return Ok(Some(known)),
            Err(turn) => turn,
        };
        let person = self.0.ports.accounts.by_id(id).await?;
        if let Some(person) = &person {
            lock(&self.0.people).put(turn, id.clone(), person.clone(), self.now());
        }
        Ok(person)
    }

    async fn guest(&self, token: &str) -> Result<Option<Guest>, StoreError> {
        let Some(hash) = Secret::parse(token).map(|secret| secret.hash()) else { return Ok(None) };
        let key = hash.to_hex();
        let turn = match lock(&self.0.guests).get(&key, self.now()) {
            Ok(known) => return Ok(Some(known)),
            Err(turn) => turn,
        };
        let guest = self.0.store.guest(&hash).await?;
        if let Some(guest) = &guest {
            let now = fresh::now();
            if now.since(guest.last_used_at) >= DAY
                && let Err(error) = self.0.store.touch_guest(&guest.id, now).await
            {
                // A full disk should not take a guest's name away.
                tracing::warn!(%error, "the use of a guest's name was not written");
            }
            lock(&self.0.guests).put(turn, key, guest.clone(), self.now());
        }
        Ok(guest)
    }

    /// Makes a guest.
    pub async fn new_guest(&self, name: DisplayName, address: Option<IpAddr>) -> Result<NewGuest, ChatError> {
        if let Some(address) = address {
            let wait = lock(&self.0.addresses).take(&network_of(address), self.now());
            wait.map_err(|wait| ChatError::TooManyGuests { wait })?;
        }
        self.taken().await?.check(&name)?;
        let token = Secret::from_random(fresh::bytes());
        let now = fresh::now();
        let id: MessageId = fresh::id();
        let id = format!("guest-{id}").parse().map_err(|_| ChatError::UnknownGuest)?;
        let guest = Guest { id, name, last_used_at: now };
        let forget = Timestamp::from_millis(now.as_millis() - GUEST_LASTS.as_millis() as i64);
        self.0.store.add_guest(&guest, &token.hash(), forget).await?;
        Ok(NewGuest { author: guest_author(guest), token: token.reveal() })
    }

    /// Names that guests can't have.
    async fn taken(&self) -> Result<Arc<Taken>, StoreError> {
        let turn = match lock(&self.0.taken).get(&(), self.now()) {
            Ok(known) => return Ok(known),
            Err(turn) => turn,
        };
        let mut names = self.0.ports.accounts.names().await?;
        names.extend(self.0.ports.channels.names().await?);
        let taken = Arc::new(Taken::new(names.iter().map(String::as_str)));
        lock(&self.0.taken).put(turn, (), taken.clone(), self.now());
        Ok(taken)
    }
}

fn guest_author(guest: Guest) -> ChatAuthor {
    ChatAuthor { id: guest.id, name: guest.name, account: None, badges: vec![Badge::Guest], colour: None }
}
