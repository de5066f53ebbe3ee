//! A channel's own emotes, step by step.

use super::picture::{self, PictureError};
use crate::{
    actor::{Actor, Visitor},
    chat::{
        commit::work::{Done, Made, Work},
        emote,
        error::ChatError,
        service::{Chat, lock},
    },
    page::Wanted,
    permission::Permission,
    store::StoreError,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use shared::{
    emote::{ChannelEmote, EMOTE_BYTES_MOST, EmoteName, NewEmote},
    id::ChannelName,
    moderation::ActionKind,
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
        // Four letters of base64 are three bytes.
        if new.image.len() / 4 * 3 > EMOTE_BYTES_MOST + 3 {
            return Err(PictureError::TooLarge.into());
        }
        lock(&self.0.uploads)
            .take(&who.account, self.now())
            .map_err(|wait| ChatError::TooManyUploads { wait })?;
        let inside = INSIDE.try_acquire().map_err(|_| ChatError::Busy)?;
        let file = STANDARD.decode(new.image.trim()).map_err(|_| ChatError::Invalid {
            field: "image",
            detail: "The picture has to come in base64.",
        })?;
        let permit = MAKING.acquire().await.map_err(|_| ChatError::Busy)?;
        let made = tokio::task::spawn_blocking(move || {
            // Held by the work itself: who goes away makes no room.
            let _permits = (permit, inside);
            picture::picture(&file)
        });
        let made = made.await.map_err(|_| PictureError::Broken)??;
        let shown = made.moving.as_ref().unwrap_or(&made.still);
        let hash: String = Sha256::digest(shown).iter().map(|byte| format!("{byte:02x}")).collect();
        let act = moderated.act(ActionKind::SetEmote).saying(name.to_string());
        let url = emote::picture_url(&hash, made.moving.is_some());
        let made = Box::new(Made { name: name.clone(), hash, picture: made });
        match self.write(&moderated, Work::SetEmote(made), act).await? {
            Done::Nothing => Err(ChatError::TooManyEmotes),
            _ => Ok(ChannelEmote { name, url }),
        }
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
