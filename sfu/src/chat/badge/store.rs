//! Pictures for subscribers' badges in SQL.

use crate::{
    chat::{
        commit::{store::Commit, work::Hashed},
        emote::store::{shown, tier},
        store::{ChatStore, broken},
    },
    store::StoreError,
};
use shared::{chat::BadgePicture, id::ChannelId, subscription::Tier, unit::Timestamp};
use sqlx::any::AnyRow;

const LIST: &str = "SELECT chat_badges.tier, chat_badges.hash, chat_pictures.moving IS NOT NULL
    FROM chat_badges JOIN chat_pictures ON chat_pictures.hash = chat_badges.hash
    WHERE chat_badges.channel_id = $1 ORDER BY chat_badges.tier";

fn one(row: &AnyRow) -> Result<BadgePicture, StoreError> {
    let tier = tier(row, 0)?.ok_or_else(|| broken("a badge of no tier"))?;
    Ok(BadgePicture { tier, url: shown(row, 1)? })
}

impl ChatStore {
    /// A channel's own, by tier.
    pub async fn badges(&self, channel: &ChannelId) -> Result<Vec<BadgePicture>, StoreError> {
        let query = sqlx::query(LIST).bind(channel.as_str());
        query.fetch_all(self.pool()).await?.iter().map(one).collect()
    }
}

impl Commit {
    /// Writes a picture for a tier, in the place of the one that was.
    pub async fn set_badge(
        &mut self,
        channel: &ChannelId,
        tier: Tier,
        picture: &Hashed,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.keep_picture(picture).await?;
        sqlx::query(
            "INSERT INTO chat_badges (channel_id, tier, hash, set_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (channel_id, tier) DO UPDATE SET hash = excluded.hash, set_at = excluded.set_at",
        )
        .bind(channel.as_str())
        .bind(i64::from(tier.number()))
        .bind(picture.hash.as_str())
        .bind(at.as_millis())
        .execute(&mut **self.transaction())
        .await?;
        self.forget_pictures().await
    }

    /// Takes a tier's picture away; whether there was one.
    pub async fn remove_badge(&mut self, channel: &ChannelId, tier: Tier) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM chat_badges WHERE channel_id = $1 AND tier = $2")
            .bind(channel.as_str())
            .bind(i64::from(tier.number()))
            .execute(&mut **self.transaction())
            .await?;
        self.forget_pictures().await?;
        Ok(done.rows_affected() > 0)
    }

    /// A channel's own, as far as this commit has come.
    pub async fn badges(&mut self, channel: &ChannelId) -> Result<Vec<BadgePicture>, StoreError> {
        let query = sqlx::query(LIST).bind(channel.as_str());
        query.fetch_all(&mut **self.transaction()).await?.iter().map(one).collect()
    }
}
