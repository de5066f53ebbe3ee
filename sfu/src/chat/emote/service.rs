//! A channel's own emotes, step by step.

use super::picture::{self, PictureError};
use crate::{
    actor::{Actor, Visitor},
    chat::{
        commit::work::{Done, Hashed, Made, Work},
        emote,
        error::ChatError,
        moderation::Moderated,
        service::{Chat, lock},
    },
    page::Wanted,
    permission::Permission,
    secret::hex,
    store::StoreError,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use shared::{
    emote::{ChannelEmote, EMOTE_BYTES_MOST, EmoteName, NewEmote},
    id::{AccountId, ChannelName},
    moderation::ActionKind,
    subscription::Tier,
};
use tokio::sync::Semaphore;

/// Pictures that are made at once: each takes memory by its pixels.
static MAKING: Semaphore = Semaphore::const_new(1);
/// Those that are made or wait for it, as what waits takes memory, too.
static INSIDE: Semaphore = Semaphore::const_new(4);

impl Chat {
    /// A channel's own emotes, by name.
    pub async fn emotes(
        &self,
        who: Visitor<'_>,
        channel: &ChannelName,
        wanted: &Wanted,
    ) -> Result<Vec<ChannelEmote>, ChatError> {
        let place = self.place(who, channel).await?;
        let (_, after) = wanted.before();
        Ok(self.0.store.emotes(&place.channel, after, wanted.rows() as usize).await?)
    }

    /// Makes an emote of a picture, in the place of the one that may have the name.
    pub async fn set_emote(
        &self,
        who: &Actor,
        channel: &ChannelName,
        name: EmoteName,
        new: &NewEmote,
    ) -> Result<ChannelEmote, ChatError> {
        let moderated = self.allowed(who, channel, Permission::EditChannel).await?;
        if emote::drawing(name.as_str()).is_some() {
            return Err(ChatError::EmoteTaken);
        }
        let picture = self.picture(&who.account, &new.image).await?;
        let act = moderated.act(ActionKind::SetEmote).saying(name.to_string());
        let made = Box::new(Made { name: name.clone(), picture });
        match self.write(&moderated, Work::SetEmote(made), act).await? {
            Done::Nothing => Err(ChatError::TooManyEmotes),
            _ => self.emote_as_it_is(&moderated, &name),
        }
    }

    /// Says who may type an emote.
    pub async fn set_emote_tier(
        &self,
        who: &Actor,
        channel: &ChannelName,
        name: EmoteName,
        tier: Option<Tier>,
    ) -> Result<ChannelEmote, ChatError> {
        let moderated = self.allowed(who, channel, Permission::EditChannel).await?;
        let whose = tier.map_or("everybody".to_owned(), |tier| format!("tier {}", tier.number()));
        let act = moderated.act(ActionKind::TierEmote).saying(format!("{name}: {whose}"));
        match self.write(&moderated, Work::TierEmote(name.clone(), tier), act).await? {
            Done::Nothing => Err(ChatError::UnknownEmote),
            _ => self.emote_as_it_is(&moderated, &name),
        }
    }

    /// An emote that was just written.
    fn emote_as_it_is(&self, moderated: &Moderated, name: &EmoteName) -> Result<ChannelEmote, ChatError> {
        let rules = moderated.room.rules();
        // Somebody else may have taken it away meanwhile.
        let emote = rules.emote(&emote::code(name.as_str())).ok_or(ChatError::UnknownEmote)?;
        Ok(ChannelEmote { name: name.clone(), url: emote.url.clone(), tier: emote.tier })
    }

    /// What the server makes of a picture that somebody uploads for chats.
    pub(in crate::chat) async fn picture(&self, who: &AccountId, image: &str) -> Result<Hashed, ChatError> {
        // Four letters of base64 are three bytes.
        if image.len() / 4 * 3 > EMOTE_BYTES_MOST + 3 {
            return Err(PictureError::TooLarge.into());
        }
        lock(&self.0.uploads).take(who, self.now()).map_err(|wait| ChatError::TooManyUploads { wait })?;
        let inside = INSIDE.try_acquire().map_err(|_| ChatError::Busy)?;
        let file = STANDARD.decode(image.trim()).map_err(|_| ChatError::Invalid {
            field: "image",
            detail: "The picture has to come in base64.",
        })?;
        let permit = MAKING.acquire().await.map_err(|_| ChatError::Busy)?;
        let made = tokio::task::spawn_blocking(move || {
            // Held by the work itself: who goes away makes no room.
            let _permits = (permit, inside);
            picture::picture(&file)
        });
        let picture = made.await.map_err(|_| PictureError::Broken)??;
        let shown = picture.moving.as_ref().unwrap_or(&picture.still);
        let hash = hex(Sha256::digest(shown));
        Ok(Hashed { hash, picture })
    }

    /// Takes an emote away. Where it was used, its name stands.
    pub async fn remove_emote(
        &self,
        who: &Actor,
        channel: &ChannelName,
        name: EmoteName,
    ) -> Result<(), ChatError> {
        let moderated = self.allowed(who, channel, Permission::EditChannel).await?;
        let act = moderated.act(ActionKind::RemoveEmote).saying(name.to_string());
        match self.write(&moderated, Work::RemoveEmote(name), act).await? {
            Done::Nothing => Err(ChatError::UnknownEmote),
            _ => Ok(()),
        }
    }

    /// The picture in a file of this name.
    pub async fn emote_picture(&self, file: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let Some((hash, is_moving)) = emote::picture_of(file) else { return Ok(None) };
        self.0.store.emote_picture(hash, is_moving).await
    }
}
