//! Announced broadcasts in SQL, and what is looked up of those that began.

use super::rules::{Logged, Start, quality_text};
use crate::{
    channel::store::update,
    fresh,
    secret::SecretHash,
    store::{Store, StoreError},
};
use shared::{
    channel::{Channel, EditChannel},
    id::{BroadcastId, ChannelId},
    live::Quality,
    unit::Timestamp,
};
use sqlx::{Row, any::AnyRow};
use std::{str::FromStr, time::Duration};

/// An announcement that came to nothing is told of for this long after it was over.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Reads and writes announced broadcasts.
#[derive(Debug, Clone)]
pub struct StartStore(Store);

fn column<T: FromStr>(row: &AnyRow, index: usize) -> Result<T, StoreError>
where
    T::Err: std::fmt::Display,
{
    let text: String = row.try_get(index)?;
    text.parse().map_err(|error: T::Err| StoreError::Row(error.to_string()))
}

fn quality(text: &str) -> Result<Quality, StoreError> {
    let all = [Quality::P720, Quality::P1080, Quality::K4];
    let known = all.into_iter().find(|quality| quality_text(*quality) == text);
    known.ok_or_else(|| StoreError::Row(format!("the quality {text}")))
}

impl StartStore {
    /// On this database.
    pub fn new(store: Store) -> Self {
        Self(store)
    }

    /// Writes an announced broadcast and its secret, in the place of an earlier one that hasn't begun, and what its channel
    /// says of itself: all or nothing. Clears away old ones that never began.
    pub async fn announce(
        &self,
        id: &BroadcastId,
        start: &Start,
        (channel, edit): (&Channel, &EditChannel),
        secret: &SecretHash,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        update(&mut *transaction, channel, edit).await?;
        let old = now.as_millis() - KEPT.as_millis() as i64;
        sqlx::query(
            "DELETE FROM live_starts WHERE channel_id = $1 AND expires_at < $2
             AND NOT EXISTS (SELECT 1 FROM broadcasts b WHERE b.id = live_starts.broadcast_id)",
        )
        .bind(start.channel.as_str())
        .bind(old)
        .execute(&mut *transaction)
        .await?;
        sqlx::query("UPDATE live_starts SET replaced_at = $2 WHERE channel_id = $1 AND replaced_at IS NULL")
            .bind(start.channel.as_str())
            .bind(now.as_millis())
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "INSERT INTO live_starts (broadcast_id, channel_id, token_hash, quality, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(id.as_str())
        .bind(start.channel.as_str())
        .bind(secret.to_hex())
        .bind(quality_text(start.quality))
        .bind(now.as_millis())
        .bind(start.expires_at.as_millis())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The channel that an announced broadcast's secret publishes to, and which broadcast that is: until it is over, was replaced, or has ended.
    pub async fn begun_by(
        &self,
        secret: &SecretHash,
    ) -> Result<Option<(ChannelId, BroadcastId)>, StoreError> {
        let row = sqlx::query(
            "SELECT s.channel_id, s.broadcast_id FROM live_starts s LEFT JOIN broadcasts b ON b.id = s.broadcast_id
             WHERE s.token_hash = $1 AND s.replaced_at IS NULL AND s.expires_at > $2 AND b.ended_at IS NULL",
        )
        .bind(secret.to_hex())
        .bind(fresh::now().as_millis())
        .fetch_optional(self.0.pool())
        .await?;
        row.map(|row| Ok((column(&row, 0)?, column(&row, 1)?))).transpose()
    }

    /// The broadcast that begins next on a channel, if one was announced.
    pub async fn reserved(&self, channel: &ChannelId) -> Result<Option<BroadcastId>, StoreError> {
        let row = sqlx::query(
            "SELECT s.broadcast_id FROM live_starts s
             WHERE s.channel_id = $1 AND s.replaced_at IS NULL AND s.expires_at > $2
             AND NOT EXISTS (SELECT 1 FROM broadcasts b WHERE b.id = s.broadcast_id)",
        )
        .bind(channel.as_str())
        .bind(fresh::now().as_millis())
        .fetch_optional(self.0.pool())
        .await?;
        row.map(|row| column(&row, 0)).transpose()
    }

    /// An announced broadcast.
    pub async fn start(&self, id: &BroadcastId) -> Result<Option<Start>, StoreError> {
        let row = sqlx::query(
            "SELECT channel_id, quality, expires_at, replaced_at FROM live_starts WHERE broadcast_id = $1",
        )
        .bind(id.as_str())
        .fetch_optional(self.0.pool())
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Start {
            channel: column(&row, 0)?,
            quality: quality(&row.try_get::<String, _>(1)?)?,
            expires_at: Timestamp::from_millis(row.try_get(2)?),
            is_replaced: row.try_get::<Option<i64>, _>(3)?.is_some(),
        }))
    }

    /// A broadcast that began.
    pub async fn logged(&self, id: &BroadcastId) -> Result<Option<Logged>, StoreError> {
        let row = sqlx::query(
            "SELECT b.channel_id, b.started_at, b.ended_at, h.height
             FROM broadcasts b LEFT JOIN broadcast_heights h ON h.broadcast_id = b.id WHERE b.id = $1",
        )
        .bind(id.as_str())
        .fetch_optional(self.0.pool())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let height: Option<i64> = row.try_get(3)?;
        Ok(Some(Logged {
            channel: column(&row, 0)?,
            started_at: Timestamp::from_millis(row.try_get(1)?),
            ended_at: row.try_get::<Option<i64>, _>(2)?.map(Timestamp::from_millis),
            height: height.and_then(|height| u32::try_from(height).ok()),
        }))
    }
}
