//! Signed embeds, step by step: what lets others watch a private channel on pages of the owner's choice, for a while.

use super::{oembed, token, token::EmbedKey};
use crate::{
    actor::Actor,
    channel::service::{ChannelError, Channels, settle},
    fresh,
    permission::Permission,
    store::StoreError,
};
use shared::{
    embed::{EMBED_LINK_MOST_SECONDS, EmbedLink},
    id::ChannelName,
    unit::Timestamp,
};

/// Pixels of the player in the iframe to paste.
const SIZE: (u32, u32) = (640, 360);

impl Channels {
    /// Makes a signed embed that is good for so long. `base_url` is where the server is found.
    pub async fn embed_link(
        &self,
        who: &Actor,
        name: &ChannelName,
        seconds: u32,
        base_url: &str,
    ) -> Result<EmbedLink, ChannelError> {
        let record = self.allowed(who, name, Permission::Admit).await?;
        if !(1..=EMBED_LINK_MOST_SECONDS).contains(&seconds) {
            return Err(ChannelError::EmbedTime);
        }
        let key = match &record.embed_key {
            Some(key) => key.clone(),
            None => self.first_embed_key(name).await?,
        };
        let channel = &record.channel;
        let expires_at = Timestamp::from_millis(fresh::now().as_millis() + i64::from(seconds) * 1000);
        let token = token::encode(&key, &channel.id, expires_at);
        let embed_url = format!("{base_url}/embed/{name}?token={token}");
        let chat_url = format!("{base_url}/embed/{name}/chat?token={token}");
        let html = oembed::iframe(&embed_url, oembed::title(channel), SIZE);
        Ok(EmbedLink { token, embed_url, chat_url, html, expires_at })
    }

    /// The key that a channel's first signed embed is made with; of two that are made at once, both get the same.
    async fn first_embed_key(&self, name: &ChannelName) -> Result<EmbedKey, ChannelError> {
        let record = self.record(name).await?.ok_or(ChannelError::Unknown)?;
        let written =
            self.store.add_embed_key(&record.channel.id, &EmbedKey::from_random(fresh::bytes())).await;
        self.cache.forget(name);
        written?;
        let record = self.record(name).await?.ok_or(ChannelError::Unknown)?;
        let none = || StoreError::Row("a key for signed embeds is missing".to_owned());
        Ok(record.embed_key.clone().ok_or_else(none)?)
    }

    /// Makes every signed embed of a channel worthless, and ends what is watched by one.
    pub async fn revoke_embeds(&self, who: &Actor, name: &ChannelName) -> Result<(), ChannelError> {
        let record = self.allowed(who, name, Permission::Admit).await?;
        let channels = self.clone();
        settle(async move {
            let channel = &record.channel;
            let key = EmbedKey::from_random(fresh::bytes());
            let written = channels.store.replace_embed_key(&channel.id, &key).await;
            channels.cache.forget(&channel.name);
            written?;
            channels.ports.control.hide_from_embeds(&channel.id);
            // Whoever follows the channel on the event socket is asked again whether they may.
            channels.ports.announce.edited(&channel.name);
            tracing::info!(channel = %channel.name, "the signed embeds were revoked");
            Ok(())
        })
        .await
    }
}
