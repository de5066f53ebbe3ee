//! A channel's own emotes in SQL.

use crate::{
    chat::{
        commit::{
            store::Commit,
            work::{Hashed, Made},
        },
        emote,
        store::{ChatStore, column},
    },
    store::{StoreError, erase},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use shared::{
    emote::{ChannelEmote, EMOTES_MOST, EmoteName},
    id::ChannelId,
    subscription::Tier,
    unit::Timestamp,
};
use sqlx::{Row, any::AnyRow};

const LIST: &str =
    "SELECT chat_emotes.name, chat_emotes.hash, chat_pictures.moving IS NOT NULL, chat_emotes.tier
    FROM chat_emotes JOIN chat_pictures ON chat_pictures.hash = chat_emotes.hash
    WHERE chat_emotes.channel_id = $1 AND chat_emotes.name > $2 ORDER BY chat_emotes.name LIMIT $3";

fn one(row: &AnyRow) -> Result<ChannelEmote, StoreError> {
    Ok(ChannelEmote { name: column(row, 0)?, url: shown(row, 1)?, tier: tier(row, 3)? })
}

/// Where a picture is, of whose columns the first is its hash and the next whether it moves.
pub(in crate::chat) fn shown(row: &AnyRow, index: usize) -> Result<String, StoreError> {
    let hash: String = row.try_get(index)?;
    // Databases differ in what a comparison is.
    let moves = row.try_get::<bool, _>(index + 1);
    let is_moving = moves.or_else(|_| row.try_get::<i64, _>(index + 1).map(|is| is != 0))?;
    Ok(emote::picture_url(&hash, is_moving))
}

/// A tier as it is written: 0 for none.
pub(in crate::chat) fn tier(row: &AnyRow, index: usize) -> Result<Option<Tier>, StoreError> {
    Ok(u8::try_from(row.try_get::<i64, _>(index)?).ok().and_then(Tier::of_number))
}

impl ChatStore {
    /// A channel's own, by name: some behind that name.
    pub async fn emotes(
        &self,
        channel: &ChannelId,
        after: &str,
        most: usize,
    ) -> Result<Vec<ChannelEmote>, StoreError> {
        let query = sqlx::query(LIST).bind(channel.as_str()).bind(after).bind(most as i64);
        query.fetch_all(self.pool()).await?.iter().map(one).collect()
    }

    /// A picture by its hash.
    pub async fn emote_picture(&self, hash: &str, is_moving: bool) -> Result<Option<Vec<u8>>, StoreError> {
        let row = sqlx::query(
            "SELECT still, moving FROM chat_pictures WHERE hash = $1
             UNION ALL SELECT still, moving FROM instance_emotes WHERE hash = $1 LIMIT 1",
        )
        .bind(hash)
        .fetch_optional(self.pool())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let data: Option<String> = row.try_get(usize::from(is_moving))?;
        let decoded = data.map(|data| STANDARD.decode(data)).transpose();
        decoded.map_err(|error| StoreError::Row(error.to_string()))
    }
}

impl Commit {
    /// Writes an emote and its picture; `false` if the channel has as many as it may.
    pub async fn set_emote(
        &mut self,
        channel: &ChannelId,
        made: &Made,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let Made { name, picture } = made;
        self.keep_picture(picture).await?;
        let done = sqlx::query(
            "INSERT INTO chat_emotes (channel_id, name, hash, added_at) SELECT $1, $2, $3, $4
             WHERE (SELECT COUNT(*) FROM chat_emotes WHERE channel_id = $1) < $5
             OR EXISTS (SELECT 1 FROM chat_emotes WHERE channel_id = $1 AND name = $2)
             ON CONFLICT (channel_id, name) DO UPDATE SET hash = excluded.hash",
        )
        .bind(channel.as_str())
        .bind(name.as_str())
        .bind(picture.hash.as_str())
        .bind(at.as_millis())
        .bind(EMOTES_MOST as i64)
        .execute(&mut **self.transaction())
        .await?;
        self.forget_pictures().await?;
        Ok(done.rows_affected() > 0)
    }

    /// Keeps a picture, for something that shows it.
    pub(in crate::chat) async fn keep_picture(&mut self, made: &Hashed) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO chat_pictures (hash, still, moving) VALUES ($1, $2, $3) ON CONFLICT (hash) DO NOTHING",
        )
        .bind(made.hash.as_str())
        .bind(STANDARD.encode(&made.picture.still))
        .bind(made.picture.moving.as_ref().map(|moving| STANDARD.encode(moving)))
        .execute(&mut **self.transaction())
        .await?;
        Ok(())
    }

    /// Writes who may type an emote; whether there is such a one.
    pub async fn set_emote_tier(
        &mut self,
        channel: &ChannelId,
        name: &EmoteName,
        tier: Option<Tier>,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query("UPDATE chat_emotes SET tier = $3 WHERE channel_id = $1 AND name = $2")
            .bind(channel.as_str())
            .bind(name.as_str())
            .bind(tier.map_or(0, |tier| i64::from(tier.number())))
            .execute(&mut **self.transaction())
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Takes an emote away; whether there was one.
    pub async fn remove_emote(&mut self, channel: &ChannelId, name: &EmoteName) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM chat_emotes WHERE channel_id = $1 AND name = $2")
            .bind(channel.as_str())
            .bind(name.as_str())
            .execute(&mut **self.transaction())
            .await?;
        self.forget_pictures().await?;
        Ok(done.rows_affected() > 0)
    }

    /// What neither an emote nor a badge shows any more is kept no longer.
    pub(in crate::chat) async fn forget_pictures(&mut self) -> Result<(), StoreError> {
        erase::pictures(self.transaction()).await
    }

    /// A channel's own, as far as this commit has come.
    pub async fn emotes(&mut self, channel: &ChannelId) -> Result<Vec<ChannelEmote>, StoreError> {
        let query = sqlx::query(LIST).bind(channel.as_str()).bind("").bind(EMOTES_MOST as i64);
        query.fetch_all(&mut **self.transaction()).await?.iter().map(one).collect()
    }
}
