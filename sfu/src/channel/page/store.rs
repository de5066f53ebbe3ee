//! What a channel's page shows, in SQL.

use super::Place;
use crate::{
    actor::Actor,
    channel::store::note_edit,
    portrait::{Kind, Portrait},
    store::{Store, StoreError},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use shared::{id::ChannelId, schedule::SetSchedule, text::AboutText};
use sqlx::Row;

/// Reads and writes what pages show.
#[derive(Debug, Clone)]
pub struct PageStore(Store);

impl PageStore {
    /// On this database.
    pub fn new(store: Store) -> Self {
        Self(store)
    }

    /// What a channel tells of itself at length.
    pub async fn about(&self, channel: &ChannelId) -> Result<AboutText, StoreError> {
        let row = sqlx::query("SELECT about FROM channels WHERE id = $1")
            .bind(channel.as_str())
            .fetch_optional(self.0.pool())
            .await?;
        let Some(row) = row else { return Ok(AboutText::default()) };
        let text: String = row.try_get(0)?;
        text.parse().map_err(|error: shared::text::TextError| StoreError::Row(error.to_string()))
    }

    /// What a channel plans; nothing, if nothing was ever planned.
    pub async fn schedule(&self, channel: &ChannelId) -> Result<SetSchedule, StoreError> {
        let row = sqlx::query("SELECT schedule FROM channels WHERE id = $1")
            .bind(channel.as_str())
            .fetch_optional(self.0.pool())
            .await?;
        let text: Option<Option<String>> = row.map(|row| row.try_get(0)).transpose()?;
        let Some(text) = text.flatten() else { return Ok(SetSchedule::default()) };
        serde_json::from_str(&text).map_err(|error| StoreError::Row(error.to_string()))
    }

    /// Writes what a channel plans.
    pub async fn set_schedule(
        &self,
        by: &Actor,
        channel: &ChannelId,
        schedule: &SetSchedule,
    ) -> Result<(), StoreError> {
        let text = serde_json::to_string(schedule).map_err(|error| StoreError::Row(error.to_string()))?;
        let mut transaction = self.0.pool().begin().await?;
        sqlx::query("UPDATE channels SET schedule = $2 WHERE id = $1")
            .bind(channel.as_str())
            .bind(text)
            .execute(&mut *transaction)
            .await?;
        note_edit(&mut transaction, by, channel, vec!["schedule".to_owned()]).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Puts a picture in the place of the one that may be there.
    pub async fn set_picture(
        &self,
        by: &Actor,
        (channel, place): (&ChannelId, Place),
        (hash, Portrait { kind, bytes }): (&str, &Portrait),
    ) -> Result<(), StoreError> {
        let kind = match kind {
            Kind::Png => "png",
            Kind::Jpeg => "jpeg",
        };
        let mut transaction = self.0.pool().begin().await?;
        sqlx::query(
            "INSERT INTO channel_pictures (channel_id, place, hash, kind, data) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (channel_id, place)
             DO UPDATE SET hash = excluded.hash, kind = excluded.kind, data = excluded.data",
        )
        .bind(channel.as_str())
        .bind(place.name())
        .bind(hash)
        .bind(kind)
        .bind(STANDARD.encode(bytes))
        .execute(&mut *transaction)
        .await?;
        note_edit(&mut transaction, by, channel, vec![place.name().to_owned()]).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Takes a picture away. Where there is none, nothing is done, nor written down.
    pub async fn remove_picture(
        &self,
        by: &Actor,
        (channel, place): (&ChannelId, Place),
    ) -> Result<(), StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        let done = sqlx::query("DELETE FROM channel_pictures WHERE channel_id = $1 AND place = $2")
            .bind(channel.as_str())
            .bind(place.name())
            .execute(&mut *transaction)
            .await?;
        if done.rows_affected() > 0 {
            note_edit(&mut transaction, by, channel, vec![format!("{} (removed)", place.name())]).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// A picture by its hash.
    pub async fn picture(&self, hash: &str) -> Result<Option<Portrait>, StoreError> {
        let row = sqlx::query("SELECT kind, data FROM channel_pictures WHERE hash = $1 LIMIT 1")
            .bind(hash)
            .fetch_optional(self.0.pool())
            .await?;
        let Some(row) = row else { return Ok(None) };
        let kind = match row.try_get::<String, _>(0)?.as_str() {
            "png" => Kind::Png,
            _ => Kind::Jpeg,
        };
        let data: String = row.try_get(1)?;
        let bytes = STANDARD.decode(data).map_err(|error| StoreError::Row(error.to_string()))?;
        Ok(Some(Portrait { kind, bytes }))
    }
}
