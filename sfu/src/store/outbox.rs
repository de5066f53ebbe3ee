//! What webhooks are to be told, written in the very transaction in which it happens: a crash loses none of it. Sent by `webhook`.

use super::StoreError;
use crate::fresh;
use serde_json::{Value, json};
use shared::{id::ChannelId, unit::Timestamp, webhook::WebhookKind};
use sqlx::{AnyConnection, Row};

/// Deliveries that wait for one webhook. What comes while there are as many, it isn't told.
pub const WAITING_MOST: i64 = 10_000;

fn pattern(kind: WebhookKind) -> String {
    format!("% {} %", kind.name())
}

/// A channel's name, if a webhook of it is told of this. The transaction must have written something before.
pub async fn wanted(
    connection: &mut AnyConnection,
    channel: &ChannelId,
    kind: WebhookKind,
) -> Result<Option<String>, StoreError> {
    let row = sqlx::query(
        "SELECT name FROM channels WHERE id = $1 AND EXISTS (SELECT 1 FROM webhooks
         WHERE channel_id = $1 AND disabled_at IS NULL AND kinds LIKE $2)",
    )
    .bind(channel.as_str())
    .bind(pattern(kind))
    .fetch_optional(connection)
    .await?;
    row.map(|row| Ok(row.try_get(0)?)).transpose()
}

/// Puts what happened into the outbox, once for each webhook of the channel that is told of it. The id must be the same
/// whenever it is written down, so that what is written down twice is told once.
pub async fn put(
    connection: &mut AnyConnection,
    channel: &ChannelId,
    what: (&str, WebhookKind, Timestamp),
    data: Value,
) -> Result<(), StoreError> {
    match wanted(connection, channel, what.1).await? {
        Some(name) => put_for(connection, channel, &name, what, data).await,
        None => Ok(()),
    }
}

/// The same, where it is known that a webhook is told of it and how the channel is called.
pub(super) async fn put_for(
    connection: &mut AnyConnection,
    channel: &ChannelId,
    name: &str,
    (id, kind, at): (&str, WebhookKind, Timestamp),
    data: Value,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO webhook_deliveries (webhook_id, event_id, kind, body, created_at, state, tries, next_at)
         SELECT id, $2, $3, $4, CAST($5 AS BIGINT), 'waiting', 0, CAST($5 AS BIGINT) FROM webhooks
         WHERE channel_id = $1 AND disabled_at IS NULL AND kinds LIKE $6
         AND (SELECT COUNT(*) FROM webhook_deliveries waiting
             WHERE waiting.webhook_id = webhooks.id AND waiting.state = 'waiting') < $7
         ON CONFLICT (webhook_id, event_id) DO NOTHING",
    )
    .bind(channel.as_str())
    .bind(id)
    .bind(kind.name())
    .bind(body(name, kind, at, data))
    // When it was written down, which is by the clock that it is sent by: broadcasts have one of their own.
    .bind(fresh::now().as_millis())
    .bind(pattern(kind))
    .bind(WAITING_MOST)
    .execute(connection)
    .await?;
    Ok(())
}

/// What is sent: what happened, when, and the rest with the channel's name.
pub fn body(channel: &str, kind: WebhookKind, at: Timestamp, mut data: Value) -> String {
    if let Value::Object(fields) = &mut data {
        fields.insert("channel".to_owned(), json!(channel));
    }
    json!({ "type": kind, "timestamp": at, "data": data }).to_string()
}
