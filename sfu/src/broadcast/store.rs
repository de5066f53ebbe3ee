//! The broadcast log in SQL.

use super::log::{BroadcastLog, LogError, OpenBroadcast, PastBroadcast, Record};
use crate::store::{Store, StoreError};
use futures_util::{FutureExt, future::BoxFuture};
use shared::{id::ChannelId, unit::Timestamp};
use sqlx::{Any, Row, Transaction};

/// Writes broadcasts and views to the database.
#[derive(Debug, Clone)]
pub struct SqlBroadcastLog(Store);

impl SqlBroadcastLog {
    /// On this database.
    pub fn new(store: Store) -> Self {
        Self(store)
    }

    async fn write(&self, records: Vec<Record>) -> Result<(), StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        for record in records {
            write_one(&mut transaction, record).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    async fn open(&self) -> Result<Vec<OpenBroadcast>, StoreError> {
        let rows = sqlx::query(
            "SELECT b.id, b.channel_id, b.started_at, b.last_seen_at, c.name
             FROM broadcasts b JOIN channels c ON c.id = b.channel_id
             WHERE b.ended_at IS NULL ORDER BY b.started_at, b.id",
        )
        .fetch_all(self.0.pool())
        .await?;
        rows.iter()
            .map(|row| {
                let id: String = row.try_get(0)?;
                let channel: String = row.try_get(1)?;
                let name: String = row.try_get(4)?;
                let unreadable = |error: shared::id::IdError| StoreError::Row(error.to_string());
                Ok(OpenBroadcast {
                    id: id.parse().map_err(unreadable)?,
                    channel: channel.parse().map_err(unreadable)?,
                    name: name.parse().map_err(unreadable)?,
                    started_at: Timestamp::from_millis(row.try_get(2)?),
                    last_seen_at: Timestamp::from_millis(row.try_get(3)?),
                })
            })
            .collect()
    }

    async fn last(&self, channel: ChannelId) -> Result<Option<PastBroadcast>, StoreError> {
        let row = sqlx::query(
            "SELECT started_at, ended_at FROM broadcasts
             WHERE channel_id = $1 AND ended_at IS NOT NULL ORDER BY ended_at DESC LIMIT 1",
        )
        .bind(channel.as_str())
        .fetch_optional(self.0.pool())
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(PastBroadcast {
            started_at: Timestamp::from_millis(row.try_get(0)?),
            ended_at: Timestamp::from_millis(row.try_get(1)?),
        }))
    }
}

/// Every statement may run twice: times only move on, and an end stays the end that was written first.
async fn write_one(transaction: &mut Transaction<'_, Any>, record: Record) -> Result<(), StoreError> {
    let query = match &record {
        // From `channels`, so that a broadcast of a channel that is gone is left out instead of failing all.
        Record::BroadcastStarted { id, channel, title, category, at } => sqlx::query(
            "INSERT INTO broadcasts (id, channel_id, title, category, started_at, last_seen_at)
             SELECT $1, id, $3, $4, CAST($5 AS BIGINT), CAST($5 AS BIGINT) FROM channels WHERE id = $2
             ON CONFLICT (id) DO NOTHING",
        )
        .bind(id.as_str())
        .bind(channel.as_str())
        .bind(title.as_str())
        .bind(category.as_str())
        .bind(at.as_millis()),
        Record::BroadcastSeen { id, at } => sqlx::query(
            "UPDATE broadcasts SET last_seen_at = $2 WHERE id = $1 AND ended_at IS NULL AND last_seen_at < $2",
        )
        .bind(id.as_str())
        .bind(at.as_millis()),
        Record::BroadcastEnded { id, at } => {
            sqlx::query(
                "UPDATE views SET ended_at = $2, last_seen_at = $2 WHERE broadcast_id = $1 AND ended_at IS NULL",
            )
            .bind(id.as_str())
            .bind(at.as_millis())
            .execute(&mut **transaction)
            .await?;
            sqlx::query(
                "UPDATE broadcasts SET ended_at = $2, last_seen_at = $2 WHERE id = $1 AND ended_at IS NULL",
            )
            .bind(id.as_str())
            .bind(at.as_millis())
        }
        Record::BroadcastMeasured { id, height } => sqlx::query(
            "INSERT INTO broadcast_heights (broadcast_id, height)
             SELECT id, CAST($2 AS BIGINT) FROM broadcasts WHERE id = $1
             ON CONFLICT (broadcast_id) DO UPDATE SET height = excluded.height",
        )
        .bind(id.as_str())
        .bind(i64::from(*height)),
        // And so is a view of a broadcast that was never written.
        Record::ViewStarted { id, broadcast, at } => sqlx::query(
            "INSERT INTO views (id, broadcast_id, started_at, last_seen_at)
             SELECT $1, id, CAST($3 AS BIGINT), CAST($3 AS BIGINT) FROM broadcasts WHERE id = $2 ON CONFLICT (id) DO NOTHING",
        )
        .bind(id.as_str())
        .bind(broadcast.as_str())
        .bind(at.as_millis()),
        Record::ViewSeen { broadcast, at } => sqlx::query(
            "UPDATE views SET last_seen_at = $2
             WHERE broadcast_id = $1 AND ended_at IS NULL AND last_seen_at < $2",
        )
        .bind(broadcast.as_str())
        .bind(at.as_millis()),
        Record::ViewEnded { id, at } => {
            sqlx::query("UPDATE views SET ended_at = $2, last_seen_at = $2 WHERE id = $1 AND ended_at IS NULL")
                .bind(id.as_str())
                .bind(at.as_millis())
        }
    };
    query.execute(&mut **transaction).await?;
    Ok(())
}

impl BroadcastLog for SqlBroadcastLog {
    fn append(&self, records: Vec<Record>) -> BoxFuture<'_, Result<(), LogError>> {
        async move { self.write(records).await.map_err(LogError) }.boxed()
    }

    fn open_broadcasts(&self) -> BoxFuture<'_, Result<Vec<OpenBroadcast>, LogError>> {
        async move { self.open().await.map_err(LogError) }.boxed()
    }

    fn last_ended(&self, channel: ChannelId) -> BoxFuture<'_, Result<Option<PastBroadcast>, LogError>> {
        async move { self.last(channel).await.map_err(LogError) }.boxed()
    }

    fn close_stale_views(&self) -> BoxFuture<'_, Result<u64, LogError>> {
        async move {
            let done = sqlx::query("UPDATE views SET ended_at = last_seen_at WHERE ended_at IS NULL")
                .execute(self.0.pool())
                .await
                .map_err(|error| LogError(error.into()))?;
            Ok(done.rows_affected())
        }
        .boxed()
    }
}
