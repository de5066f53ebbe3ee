//! The broadcast log in SQL.

use super::log::{BroadcastLog, Heartbeat, Left, LogError, Mark, OpenBroadcast, PastBroadcast, Record};
use crate::{
    audience::device_name,
    store::{
        Store, StoreError,
        activity::{self, Happened},
        outbox::{self, Gathered},
    },
};
use futures_util::{FutureExt, future::BoxFuture};
use serde_json::json;
use shared::{
    activity::ActivityKind,
    id::{BroadcastId, ChannelId, ViewId},
    unit::Timestamp,
    webhook::WebhookKind,
};
use sqlx::{
    Any, Row, Transaction,
    any::{AnyArguments, AnyRow},
    query::Query,
};
use std::{collections::HashMap, str::FromStr};

/// Those who began to watch a broadcast.
#[derive(Debug)]
struct Joined {
    /// The first and the last.
    ids: (ViewId, ViewId),
    count: i64,
    /// When the first did.
    at: Timestamp,
}

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
        let mut joined = HashMap::new();
        for record in records {
            write_one(&mut transaction, record, &mut joined).await?;
        }
        self.tell_of(&mut transaction, joined).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Counts who began to watch, for webhooks that are told of it.
    async fn tell_of(
        &self,
        transaction: &mut Transaction<'_, Any>,
        joined: HashMap<BroadcastId, Joined>,
    ) -> Result<(), StoreError> {
        let kind = WebhookKind::ViewerJoined;
        for (broadcast, Joined { ids: (first, last), count, at }) in joined {
            let interest = self.0.interest();
            let Some((channel, name)) = interest.of_broadcast(transaction, &broadcast, kind).await? else {
                continue;
            };
            let some = Gathered {
                kind,
                ids: (first.as_str(), last.as_str()),
                count,
                of: broadcast.as_str(),
                places: None,
                at,
                data: json!({ "streamId": broadcast }),
            };
            outbox::gather(transaction, (&channel, &name), some).await?;
        }
        Ok(())
    }

    async fn heartbeat(&self) -> Result<Option<Heartbeat>, StoreError> {
        let row = sqlx::query("SELECT at, wall FROM heartbeat").fetch_optional(self.0.pool()).await?;
        let Some(row) = row else { return Ok(None) };
        let time = |column: usize| row.try_get(column).map(Timestamp::from_millis);
        Ok(Some(Heartbeat { at: time(0)?, wall: time(1)? }))
    }

    async fn open(&self, views: usize) -> Result<Vec<OpenBroadcast>, StoreError> {
        let rows = sqlx::query(
            "SELECT b.id, b.channel_id, c.name, b.category, b.started_at,
                COALESCE((SELECT at FROM heartbeat) + b.clock_offset, b.started_at),
                (SELECT m.at FROM broadcast_marks m WHERE m.broadcast_id = b.id AND m.kind = 'interrupted'
                    AND NOT EXISTS (SELECT 1 FROM broadcast_marks r WHERE r.broadcast_id = b.id
                        AND r.kind = 'resumed' AND r.at >= m.at) ORDER BY m.at DESC LIMIT 1),
                COALESCE((SELECT m.text FROM broadcast_marks m WHERE m.broadcast_id = b.id AND m.kind = 'title'
                    ORDER BY m.at DESC LIMIT 1), b.title),
                b.clock_offset
             FROM broadcasts b JOIN channels c ON c.id = b.channel_id
             WHERE b.ended_at IS NULL ORDER BY b.started_at, b.id",
        )
        .fetch_all(self.0.pool())
        .await?;
        let mut open = Vec::with_capacity(rows.len());
        for row in rows {
            let started_at = Timestamp::from_millis(row.try_get(4)?);
            let interrupted_at: Option<i64> = row.try_get(6)?;
            let id = parsed(&row, 0)?;
            open.push(OpenBroadcast {
                channel: parsed(&row, 1)?,
                name: parsed(&row, 2)?,
                category: parsed(&row, 3)?,
                started_at,
                last_seen_at: Timestamp::from_millis(row.try_get(5)?).max(started_at),
                interrupted_at: interrupted_at.map(Timestamp::from_millis),
                title: parsed(&row, 7)?,
                clock_offset: row.try_get(8)?,
                views: self.views_of(&id, views).await?,
                id,
            });
        }
        Ok(open)
    }

    async fn views_of(&self, broadcast: &BroadcastId, most: usize) -> Result<Vec<(ViewId, u32)>, StoreError> {
        let rows = sqlx::query(
            "SELECT view_id, MAX(span) FROM view_spans WHERE broadcast_id = $1
             GROUP BY view_id ORDER BY MAX(started_at) DESC, view_id LIMIT $2",
        )
        .bind(broadcast.as_str())
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .fetch_all(self.0.pool())
        .await?;
        rows.iter()
            .map(|row| Ok((parsed(row, 0)?, u32::try_from(row.try_get::<i64, _>(1)?).unwrap_or(u32::MAX))))
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

/// A text of a row, in its type.
fn parsed<T: FromStr<Err: ToString>>(row: &AnyRow, column: usize) -> Result<T, StoreError> {
    let text: String = row.try_get(column)?;
    text.parse().map_err(|error: T::Err| StoreError::Row(error.to_string()))
}

/// Every statement may run twice: what is there stays, and an end stays the end that was written first.
async fn write_one(
    transaction: &mut Transaction<'_, Any>,
    record: Record,
    joined: &mut HashMap<BroadcastId, Joined>,
) -> Result<(), StoreError> {
    let query = match &record {
        // From `channels`, so that a broadcast of a channel that is gone is left out instead of failing all.
        Record::BroadcastStarted { id, channel, title, category, at, clock_offset } => sqlx::query(
            "INSERT INTO broadcasts (id, channel_id, title, category, started_at, clock_offset)
             SELECT $1, id, $3, $4, CAST($5 AS BIGINT), CAST($6 AS BIGINT) FROM channels WHERE id = $2
             ON CONFLICT (id) DO NOTHING",
        )
        .bind(id.as_str())
        .bind(channel.as_str())
        .bind(title.as_str())
        .bind(category.as_str())
        .bind(at.as_millis())
        .bind(*clock_offset),
        Record::Heartbeat(Heartbeat { at, wall }) => sqlx::query(
            "INSERT INTO heartbeat (only_row, at, wall) VALUES (1, $1, $2)
             ON CONFLICT (only_row) DO UPDATE SET at = excluded.at, wall = excluded.wall",
        )
        .bind(at.as_millis())
        .bind(wall.as_millis()),
        Record::Marked { broadcast, at, mark } => sqlx::query(
            "INSERT INTO broadcast_marks (broadcast_id, at, kind, text)
             SELECT id, CAST($2 AS BIGINT), $3, $4 FROM broadcasts WHERE id = $1
             ON CONFLICT (broadcast_id, at, kind) DO NOTHING",
        )
        .bind(broadcast.as_str())
        .bind(at.as_millis())
        .bind(mark.kind())
        .bind(mark.text()),
        Record::BroadcastEnded { id, at } => {
            sqlx::query(
                "UPDATE view_spans SET ended_at = CASE WHEN started_at > $2 THEN started_at ELSE $2 END
                 WHERE broadcast_id = $1 AND ended_at IS NULL",
            )
            .bind(id.as_str())
            .bind(at.as_millis())
            .execute(&mut **transaction)
            .await?;
            sqlx::query("UPDATE broadcasts SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL")
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
        Record::ViewStarted { id, broadcast, audience, at } => {
            sqlx::query(
                "INSERT INTO views (id, broadcast_id, started_at, device, browser, region)
                 SELECT $1, id, CAST($3 AS BIGINT), $4, $5, $6 FROM broadcasts WHERE id = $2
                 ON CONFLICT (id) DO NOTHING",
            )
            .bind(id.as_str())
            .bind(broadcast.as_str())
            .bind(at.as_millis())
            .bind(device_name(audience.device))
            .bind(audience.browser.name())
            .bind(audience.region.to_string())
            .execute(&mut **transaction)
            .await?;
            span(id, 1, *at)
        }
        Record::ViewResumed { id, span: number, broadcast: _, at } => span(id, *number, *at),
        Record::ViewEnded { id, span, at } => sqlx::query(
            "UPDATE view_spans SET ended_at = CASE WHEN started_at > $3 THEN started_at ELSE $3 END
             WHERE view_id = $1 AND span = $2 AND ended_at IS NULL",
        )
        .bind(id.as_str())
        .bind(i64::from(*span))
        .bind(at.as_millis()),
    };
    let is_new = query.execute(&mut **transaction).await?.rows_affected() > 0;
    match record {
        _ if !is_new => Ok(()),
        Record::ViewStarted { id, broadcast, at, .. } => {
            let all = joined.entry(broadcast).or_insert_with(|| Joined {
                ids: (id.clone(), id.clone()),
                count: 0,
                at,
            });
            (all.ids.1, all.count) = (id, all.count + 1);
            Ok(())
        }
        record => tell(transaction, &record).await,
    }
}

/// Has it among what happened on the channel, and puts what its webhooks are told into the outbox.
async fn tell(transaction: &mut Transaction<'_, Any>, record: &Record) -> Result<(), StoreError> {
    let (id, kind, at) = match record {
        Record::BroadcastStarted { id, at, .. } => (id, WebhookKind::StreamStarted, at),
        Record::BroadcastEnded { id, at } => (id, WebhookKind::StreamEnded, at),
        Record::Marked { broadcast, at, mark: Mark::Interrupted } => {
            (broadcast, WebhookKind::StreamInterrupted, at)
        }
        Record::Marked { broadcast, at, mark: Mark::Resumed } => (broadcast, WebhookKind::StreamResumed, at),
        _ => return Ok(()),
    };
    let row = sqlx::query("SELECT channel_id, title, started_at FROM broadcasts WHERE id = $1")
        .bind(id.as_str())
        .fetch_optional(&mut **transaction)
        .await?;
    let Some(row) = row else { return Ok(()) };
    let mut data = json!({ "streamId": id });
    match kind {
        WebhookKind::StreamStarted => data["title"] = row.try_get::<String, _>(1)?.into(),
        WebhookKind::StreamEnded => {
            let length = at.since(Timestamp::from_millis(row.try_get(2)?));
            data["duration"] = length.as_secs().into();
        }
        _ => {}
    }
    let event = match kind {
        WebhookKind::StreamStarted => format!("{id}-started"),
        WebhookKind::StreamEnded => format!("{id}-ended"),
        WebhookKind::StreamInterrupted => format!("{id}-waits-{}", at.as_millis()),
        _ => format!("{id}-goes-on-{}", at.as_millis()),
    };
    let channel = parsed(&row, 0)?;
    let noted = match kind {
        WebhookKind::StreamStarted => Some(ActivityKind::StreamStarted),
        WebhookKind::StreamEnded => Some(ActivityKind::StreamEnded),
        _ => None,
    };
    if let Some(kind) = noted {
        let (data, at) = (data.clone(), *at);
        let happened = Happened { occasion: &event, kind, at, who: None, data, again_after: None };
        activity::put(transaction, &channel, happened).await?;
    }
    outbox::put(transaction, &channel, (&event, kind, *at), data).await
}

/// A span of a view that was written, of a broadcast that isn't over in the record.
fn span<'q>(view: &'q ViewId, number: u32, at: Timestamp) -> Query<'q, Any, AnyArguments> {
    sqlx::query(
        "INSERT INTO view_spans (view_id, span, broadcast_id, started_at)
         SELECT v.id, CAST($2 AS BIGINT), v.broadcast_id, CAST($3 AS BIGINT)
         FROM views v JOIN broadcasts b ON b.id = v.broadcast_id WHERE v.id = $1 AND b.ended_at IS NULL
         ON CONFLICT (view_id, span) DO NOTHING",
    )
    .bind(view.as_str())
    .bind(i64::from(number))
    .bind(at.as_millis())
}

impl BroadcastLog for SqlBroadcastLog {
    fn append(&self, records: Vec<Record>) -> BoxFuture<'_, Result<(), LogError>> {
        async move { self.write(records).await.map_err(LogError) }.boxed()
    }

    fn left(&self, views: usize) -> BoxFuture<'_, Result<Left, LogError>> {
        async move { Ok(Left { heartbeat: self.heartbeat().await?, broadcasts: self.open(views).await? }) }
            .boxed()
    }

    fn last_ended(&self, channel: ChannelId) -> BoxFuture<'_, Result<Option<PastBroadcast>, LogError>> {
        async move { self.last(channel).await.map_err(LogError) }.boxed()
    }

    fn close_stale_spans(&self) -> BoxFuture<'_, Result<u64, LogError>> {
        async move {
            let done = sqlx::query(
                "UPDATE view_spans SET ended_at = COALESCE((
                    SELECT CASE WHEN h.at + b.clock_offset > view_spans.started_at
                        THEN h.at + b.clock_offset ELSE view_spans.started_at END
                    FROM heartbeat h, broadcasts b WHERE b.id = view_spans.broadcast_id), started_at)
                 WHERE ended_at IS NULL",
            )
            .execute(self.0.pool())
            .await
            .map_err(|error| LogError(error.into()))?;
            Ok(done.rows_affected())
        }
        .boxed()
    }
}
