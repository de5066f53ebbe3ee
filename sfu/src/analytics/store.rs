//! What the record has of broadcasts, views and reports, in SQL.

use super::{
    report::Statement,
    statements::{Batch, StepRow},
    tally::{Chat, Evidence, Figures, Heard, Span},
};
use crate::{
    audience::{Audience, Region, device_of},
    page::Wanted,
    store::{Store, StoreError},
};
use shared::{
    analytics::{Marker, MarkerKind},
    broadcast::Codec,
    id::{BroadcastId, ChannelId, ChannelName, ViewId},
    text::{Category, Title},
    unit::Timestamp,
};
use sqlx::{Any, AnyConnection, Row, Transaction, any::AnyRow};
use std::{collections::HashMap, str::FromStr, sync::Arc};

/// Rows written in one transaction: others wait for it.
const CHUNK: usize = 500;

/// A broadcast, as it is listed.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Which.
    pub id: BroadcastId,
    /// Whose.
    pub channel: ChannelId,
    /// That channel's address.
    pub name: ChannelName,
    /// Its title when it started.
    pub title: Title,
    /// Its category when it started.
    pub category: Category,
    /// When it started.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Its figures, if it is over and they were worked out.
    pub figures: Option<Figures>,
}

/// Sums over the whole instance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// Broadcasts, those that are on included.
    pub broadcasts: u64,
    /// Started watches.
    pub views: u64,
    /// Milliseconds of all views together.
    pub watch_time: u64,
    /// Views that are open.
    pub concurrent: u64,
}

/// Where analytics reads and writes; cheap to clone.
#[derive(Debug, Clone)]
pub struct AnalyticsStore {
    store: Store,
    /// Names this process, in rows that another one may go on with.
    process: Arc<str>,
}

const LISTED: &str = "SELECT b.id, b.channel_id, c.name, b.title, b.category, b.started_at, b.ended_at,
        f.views, f.peak_viewers, f.watch_time
     FROM broadcasts b JOIN channels c ON c.id = b.channel_id
     LEFT JOIN broadcast_figures f ON f.broadcast_id = b.id AND b.ended_at IS NOT NULL";

/// In PostgreSQL a sum of BIGINTs is NUMERIC, which nothing here reads.
const SUMS: &str = "SELECT (SELECT COUNT(*) FROM broadcasts), (SELECT COUNT(*) FROM views),
        (SELECT COUNT(*) FROM view_spans WHERE ended_at IS NULL),
        (SELECT CAST(COALESCE(SUM(f.watch_time), 0) AS BIGINT) FROM broadcast_figures f)
        + (SELECT CAST(COALESCE(SUM(CASE WHEN COALESCE(s.ended_at, h.at + b.clock_offset) > s.started_at
                THEN COALESCE(s.ended_at, h.at + b.clock_offset) - s.started_at ELSE 0 END), 0) AS BIGINT)
            FROM broadcasts b JOIN view_spans s ON s.broadcast_id = b.id
            LEFT JOIN heartbeat h ON h.only_row = 1
            WHERE NOT EXISTS (SELECT 1 FROM broadcast_figures f WHERE f.broadcast_id = b.id))";

impl AnalyticsStore {
    /// On this database, for a process with a name of its own.
    pub fn new(store: Store, process: &str) -> Self {
        Self { store, process: process.into() }
    }

    /// A channel's broadcasts, newest first.
    pub async fn list(&self, channel: &ChannelId, wanted: &Wanted) -> Result<Vec<Listed>, StoreError> {
        let (at, id) = wanted.before();
        let query = format!(
            "{LISTED} WHERE b.channel_id = $1 AND (b.started_at < $2 OR (b.started_at = $2 AND b.id < $3))
             ORDER BY b.started_at DESC, b.id DESC LIMIT $4"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(channel.as_str())
            .bind(at)
            .bind(id)
            .bind(wanted.rows())
            .fetch_all(self.store.pool())
            .await?;
        rows.iter().map(listed).collect()
    }

    /// One broadcast.
    pub async fn find(&self, id: &BroadcastId) -> Result<Option<Listed>, StoreError> {
        let query = format!("{LISTED} WHERE b.id = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(id.as_str())
            .fetch_optional(self.store.pool())
            .await?;
        row.as_ref().map(listed).transpose()
    }

    /// The broadcast of a channel that is on, or else its last.
    pub async fn last(&self, channel: &ChannelId) -> Result<Option<Listed>, StoreError> {
        Ok(self.list(channel, &Wanted { after: None, limit: 1 }).await?.into_iter().next())
    }

    /// The broadcast of the same channel before this one, that is over.
    pub async fn before(&self, this: &Listed) -> Result<Option<Listed>, StoreError> {
        let query = format!(
            "{LISTED} WHERE b.channel_id = $1 AND b.ended_at IS NOT NULL
                AND (b.started_at < $2 OR (b.started_at = $2 AND b.id < $3))
             ORDER BY b.started_at DESC, b.id DESC LIMIT 1"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(this.channel.as_str())
            .bind(this.started_at.as_millis())
            .bind(this.id.as_str())
            .fetch_optional(self.store.pool())
            .await?;
        row.as_ref().map(listed).transpose()
    }

    /// Keeps the figures of a broadcast that is over.
    pub async fn keep(&self, id: &BroadcastId, figures: Figures) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO broadcast_figures (broadcast_id, views, peak_viewers, watch_time)
             SELECT id, CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS BIGINT) FROM broadcasts
             WHERE id = $1 AND ended_at IS NOT NULL ON CONFLICT (broadcast_id) DO NOTHING",
        )
        .bind(id.as_str())
        .bind(signed(figures.views))
        .bind(i64::from(figures.peak))
        .bind(signed(figures.watch_time))
        .execute(self.store.pool())
        .await?;
        Ok(())
    }

    /// All that the record has of a broadcast but its chat, as of one moment.
    pub async fn evidence(&self, of: &Listed) -> Result<Evidence, StoreError> {
        let mut transaction = self.store.pool().begin().await?;
        let (spans, numbers) = spans(&mut transaction, &of.id).await?;
        let marks = marks(&mut transaction, &of.id).await?;
        let mut until = match of.ended_at {
            Some(ended_at) => ended_at,
            None => seen(&mut transaction, &of.id).await?,
        };
        if of.ended_at.is_none() {
            let times = spans.iter().map(|span| span.to.unwrap_or(span.from));
            let last = times.chain(marks.iter().map(|mark| mark.at)).max();
            until = until.max(of.started_at).max(last.unwrap_or(of.started_at));
        }
        let evidence = Evidence {
            started_at: of.started_at,
            until,
            is_on: of.ended_at.is_none(),
            spans,
            audiences: audiences(&mut transaction, &of.id).await?,
            statements: statements(&mut transaction, &of.id, &numbers).await?,
            heard: heard(&mut transaction, &of.id).await?,
            chat: Chat::default(),
            marks,
        };
        transaction.rollback().await?;
        Ok(evidence)
    }

    /// When a view began, and what its player said of it.
    pub async fn statement(&self, view: &ViewId) -> Result<Option<(Timestamp, Statement)>, StoreError> {
        let query = format!(
            "SELECT {STATEMENT}, v.started_at FROM views v LEFT JOIN view_reports r ON r.view_id = v.id WHERE v.id = $1"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(view.as_str())
            .fetch_optional(self.store.pool())
            .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some((time(&row, 11)?, statement(&row, 0)?)))
    }

    /// Writes reports. Gives what is of views and broadcasts that are not written yet.
    pub async fn write(&self, batch: &Batch) -> Result<Batch, StoreError> {
        let mut early = Batch { ticket: batch.ticket, ..Batch::default() };
        for statements in batch.statements.chunks(CHUNK) {
            let mut transaction = self.store.pool().begin().await?;
            for (view, broadcast, statement) in statements {
                if !write_statement(&mut transaction, view, broadcast, statement).await? {
                    early.statements.push((view.clone(), broadcast.clone(), statement.clone()));
                }
            }
            transaction.commit().await?;
        }
        for steps in batch.steps.chunks(CHUNK) {
            let mut transaction = self.store.pool().begin().await?;
            for step in steps {
                if !write_step(&mut transaction, step, &self.process).await? {
                    early.steps.push(step.clone());
                }
            }
            transaction.commit().await?;
        }
        Ok(early)
    }

    /// Sums over everything that was written.
    pub async fn sums(&self) -> Result<Sums, StoreError> {
        let row = sqlx::query(SUMS).fetch_one(self.store.pool()).await?;
        let number = |column: usize| unsigned(&row, column);
        Ok(Sums { broadcasts: number(0)?, views: number(1)?, concurrent: number(2)?, watch_time: number(3)? })
    }
}

async fn spans(
    connection: &mut AnyConnection,
    broadcast: &BroadcastId,
) -> Result<(Vec<Span>, HashMap<String, u32>), StoreError> {
    let rows = sqlx::query("SELECT view_id, started_at, ended_at FROM view_spans WHERE broadcast_id = $1")
        .bind(broadcast.as_str())
        .fetch_all(connection)
        .await?;
    let mut numbers: HashMap<String, u32> = HashMap::with_capacity(rows.len());
    let mut spans = Vec::with_capacity(rows.len());
    for row in &rows {
        let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        let view = *numbers.entry(row.try_get(0)?).or_insert(next);
        let to: Option<i64> = row.try_get(2)?;
        spans.push(Span { view, from: time(row, 1)?, to: to.map(Timestamp::from_millis) });
    }
    Ok((spans, numbers))
}

async fn marks(connection: &mut AnyConnection, broadcast: &BroadcastId) -> Result<Vec<Marker>, StoreError> {
    let rows =
        sqlx::query("SELECT at, kind, text FROM broadcast_marks WHERE broadcast_id = $1 ORDER BY at, kind")
            .bind(broadcast.as_str())
            .fetch_all(connection)
            .await?;
    rows.iter()
        .map(|row| {
            let kind: String = row.try_get(1)?;
            let kind = match kind.as_str() {
                "interrupted" => MarkerKind::Interrupted,
                "resumed" => MarkerKind::Resumed,
                "title" => MarkerKind::Title,
                _ => return Err(StoreError::Row(format!("a mark of the kind {kind}"))),
            };
            Ok(Marker { at: time(row, 0)?, kind, text: row.try_get(2)? })
        })
        .collect()
}

/// Until when a broadcast that is on is known, by its own clock.
async fn seen(connection: &mut AnyConnection, broadcast: &BroadcastId) -> Result<Timestamp, StoreError> {
    let row = sqlx::query("SELECT h.at + b.clock_offset FROM heartbeat h, broadcasts b WHERE b.id = $1")
        .bind(broadcast.as_str())
        .fetch_optional(connection)
        .await?;
    row.map_or(Ok(Timestamp::from_millis(0)), |row| time(&row, 0))
}

async fn audiences(
    connection: &mut AnyConnection,
    broadcast: &BroadcastId,
) -> Result<Vec<(Audience, u64)>, StoreError> {
    let rows = sqlx::query(
        "SELECT device, browser, region, COUNT(*) FROM views WHERE broadcast_id = $1
         GROUP BY device, browser, region",
    )
    .bind(broadcast.as_str())
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let text = |column: usize| row.try_get::<String, _>(column);
            let audience = Audience {
                device: device_of(&text(0)?),
                browser: text(1)?.parse().unwrap_or_default(),
                region: Region::of(&text(2)?),
            };
            Ok((audience, unsigned(row, 3)?))
        })
        .collect()
}

const STATEMENT: &str = "r.sequence, r.join_time, r.freezes, r.frozen_time, r.last_freeze_at, r.latency_sum,
    r.latency_count, r.codec, r.height, r.embedded_by, r.referrer";

async fn statements(
    connection: &mut AnyConnection,
    broadcast: &BroadcastId,
    numbers: &HashMap<String, u32>,
) -> Result<Vec<(u32, Statement)>, StoreError> {
    let query = format!("SELECT {STATEMENT}, r.view_id FROM view_reports r WHERE r.broadcast_id = $1");
    let rows = sqlx::query(sqlx::AssertSqlSafe(query)).bind(broadcast.as_str()).fetch_all(connection).await?;
    let mut statements = Vec::with_capacity(rows.len());
    for row in &rows {
        let view: String = row.try_get(11)?;
        if let Some(number) = numbers.get(&view) {
            statements.push((*number, statement(row, 0)?));
        }
    }
    Ok(statements)
}

/// The columns of [`STATEMENT`], all NULL if nothing was said.
fn statement(row: &AnyRow, first: usize) -> Result<Statement, StoreError> {
    let number = |column: usize| row.try_get::<Option<i64>, _>(first + column);
    let text = |column: usize| row.try_get::<Option<String>, _>(first + column);
    let small = |column: usize| number(column).map(|value| value.and_then(|value| u32::try_from(value).ok()));
    Ok(Statement {
        sequence: small(0)?,
        join_time: small(1)?,
        freezes: small(2)?.unwrap_or(0),
        frozen_time: small(3)?.unwrap_or(0),
        last_freeze_at: number(4)?.map(Timestamp::from_millis),
        latency_sum: number(5)?.and_then(|sum| u64::try_from(sum).ok()).unwrap_or(0),
        latency_count: small(6)?.unwrap_or(0),
        codec: text(7)?.and_then(|name| codec(&name)),
        height: number(8)?.and_then(|height| u16::try_from(height).ok()),
        embedded_by: text(9)?.map(Into::into),
        referrer: text(10)?.map(Into::into),
    })
}

fn codec(name: &str) -> Option<Codec> {
    [Codec::Av1, Codec::Vp9, Codec::Vp8, Codec::H264, Codec::Opus]
        .into_iter()
        .find(|codec| codec.name() == name)
}

async fn heard(connection: &mut AnyConnection, broadcast: &BroadcastId) -> Result<Vec<Heard>, StoreError> {
    let rows =
        sqlx::query("SELECT step, freezes, latency, samples FROM broadcast_steps WHERE broadcast_id = $1")
            .bind(broadcast.as_str())
            .fetch_all(connection)
            .await?;
    rows.iter()
        .map(|row| {
            let small = |column: usize| {
                row.try_get::<Option<i64>, _>(column)
                    .map(|value| value.and_then(|value| u32::try_from(value).ok()))
            };
            Ok(Heard {
                step: unsigned(row, 0)?,
                freezes: small(1)?.unwrap_or(0),
                latency: small(2)?,
                samples: small(3)?.unwrap_or(0),
            })
        })
        .collect()
}

/// Whether the view is there to be said something of.
async fn write_statement(
    transaction: &mut Transaction<'_, Any>,
    view: &ViewId,
    broadcast: &BroadcastId,
    statement: &Statement,
) -> Result<bool, StoreError> {
    let number = |value: Option<u32>| value.map(i64::from);
    let done = sqlx::query(
        "INSERT INTO view_reports (view_id, broadcast_id, sequence, join_time, freezes, frozen_time,
            last_freeze_at, latency_sum, latency_count, codec, height, embedded_by, referrer)
         SELECT id, $2, CAST($3 AS BIGINT), CAST($4 AS BIGINT), CAST($5 AS BIGINT), CAST($6 AS BIGINT),
            CAST($7 AS BIGINT), CAST($8 AS BIGINT), CAST($9 AS BIGINT), $10, CAST($11 AS BIGINT), $12, $13
         FROM views WHERE id = $1
         ON CONFLICT (view_id) DO UPDATE SET sequence = excluded.sequence, join_time = excluded.join_time,
            freezes = excluded.freezes, frozen_time = excluded.frozen_time,
            last_freeze_at = excluded.last_freeze_at, latency_sum = excluded.latency_sum,
            latency_count = excluded.latency_count, codec = excluded.codec, height = excluded.height,
            embedded_by = excluded.embedded_by, referrer = excluded.referrer",
    )
    .bind(view.as_str())
    .bind(broadcast.as_str())
    .bind(i64::from(statement.sequence.unwrap_or(0)))
    .bind(number(statement.join_time))
    .bind(i64::from(statement.freezes))
    .bind(i64::from(statement.frozen_time))
    .bind(statement.last_freeze_at.map(Timestamp::as_millis))
    .bind(signed(statement.latency_sum))
    .bind(i64::from(statement.latency_count))
    .bind(statement.codec.map(Codec::name))
    .bind(statement.height.map(i64::from))
    .bind(statement.embedded_by.as_deref())
    .bind(statement.referrer.as_deref())
    .execute(&mut **transaction)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Whether the broadcast is there to have steps.
async fn write_step(
    transaction: &mut Transaction<'_, Any>,
    row: &StepRow,
    process: &str,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "INSERT INTO broadcast_steps (broadcast_id, step, process, freezes, latency, samples)
         SELECT id, CAST($2 AS BIGINT), $3, CAST($4 AS BIGINT), CAST($5 AS BIGINT), CAST($6 AS BIGINT)
         FROM broadcasts WHERE id = $1
         ON CONFLICT (broadcast_id, step, process) DO UPDATE SET freezes = excluded.freezes,
            latency = excluded.latency, samples = excluded.samples",
    )
    .bind(row.broadcast.as_str())
    .bind(signed(row.step))
    .bind(process)
    .bind(i64::from(row.freezes))
    .bind(row.latency.map(i64::from))
    .bind(i64::from(row.samples))
    .execute(&mut **transaction)
    .await?;
    Ok(done.rows_affected() > 0)
}

fn listed(row: &AnyRow) -> Result<Listed, StoreError> {
    let ended_at: Option<i64> = row.try_get(6)?;
    let views: Option<i64> = row.try_get(7)?;
    let figures = match views {
        Some(_) => Some(Figures {
            views: unsigned(row, 7)?,
            peak: u32::try_from(unsigned(row, 8)?).unwrap_or(u32::MAX),
            watch_time: unsigned(row, 9)?,
        }),
        None => None,
    };
    Ok(Listed {
        id: parsed(row, 0)?,
        channel: parsed(row, 1)?,
        name: parsed(row, 2)?,
        title: parsed(row, 3)?,
        category: parsed(row, 4)?,
        started_at: time(row, 5)?,
        ended_at: ended_at.map(Timestamp::from_millis),
        figures,
    })
}

fn parsed<T: FromStr<Err: ToString>>(row: &AnyRow, column: usize) -> Result<T, StoreError> {
    let text: String = row.try_get(column)?;
    text.parse().map_err(|error: T::Err| StoreError::Row(error.to_string()))
}

fn time(row: &AnyRow, column: usize) -> Result<Timestamp, StoreError> {
    Ok(Timestamp::from_millis(row.try_get(column)?))
}

fn unsigned(row: &AnyRow, column: usize) -> Result<u64, StoreError> {
    Ok(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or(0))
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
