//! What webhooks are to be told, written in the very transaction in which it happens: a crash loses none of it. Sent by `webhook`.

use super::StoreError;
use crate::fresh;
use serde_json::{Value, json};
use shared::{
    id::{BroadcastId, ChannelId},
    unit::Timestamp,
    webhook::WebhookKind,
};
use sqlx::{AnyConnection, Row, any::AnyRow};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

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

/// Of each kind that is gathered, deliveries that wait for one webhook. What comes while there are as many, it isn't told: the rest
/// has its room.
pub const GATHERED_WAITING_MOST: i64 = 1_000;

/// For how long it is known without asking whether a webhook is told of something.
const KNOWN_FOR: Duration = Duration::from_secs(5);
/// The most of which that is known.
const KNOWN_MOST: usize = 10_000;

/// Whether webhooks are told of what happens often, so that where none is, nobody asks each time.
#[derive(Debug, Clone, Default)]
pub struct Interest(Arc<Mutex<Known>>);

/// A channel, and how it is called.
type Called = (ChannelId, String);

#[derive(Debug, Default)]
struct Known {
    /// Webhooks were made or changed so often.
    turn: u64,
    of: HashMap<(WebhookKind, String), (Instant, Option<Called>)>,
}

impl Interest {
    /// A webhook was made or changed: what was known isn't any more.
    pub fn changed(&self) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.turn += 1;
        known.of.clear();
    }

    fn known(&self, key: &(WebhookKind, String)) -> Result<Option<Called>, u64> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match known.of.get(key) {
            Some((at, called)) if at.elapsed() < KNOWN_FOR => Ok(called.clone()),
            _ => Err(known.turn),
        }
    }

    /// Keeps what was found out, if no webhook was changed since it was begun to be.
    fn keep(&self, key: (WebhookKind, String), turn: u64, called: Option<Called>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.turn != turn {
            return;
        }
        if known.of.len() >= KNOWN_MOST {
            known.of.clear();
        }
        known.of.insert(key, (Instant::now(), called));
    }

    /// A channel's name, if a webhook of it is told of this. The transaction must have written something before.
    pub async fn of_channel(
        &self,
        connection: &mut AnyConnection,
        channel: &ChannelId,
        kind: WebhookKind,
    ) -> Result<Option<String>, StoreError> {
        let key = (kind, channel.as_str().to_owned());
        let called = match self.known(&key) {
            Ok(called) => called,
            Err(turn) => {
                let called = wanted(connection, channel, kind).await?.map(|name| (channel.clone(), name));
                self.keep(key, turn, called.clone());
                called
            }
        };
        Ok(called.map(|(_, name)| name))
    }

    /// The channel of a broadcast and its name, if a webhook of it is told of this.
    pub async fn of_broadcast(
        &self,
        connection: &mut AnyConnection,
        broadcast: &BroadcastId,
        kind: WebhookKind,
    ) -> Result<Option<(ChannelId, String)>, StoreError> {
        let key = (kind, broadcast.as_str().to_owned());
        let turn = match self.known(&key) {
            Ok(called) => return Ok(called),
            Err(turn) => turn,
        };
        let row = sqlx::query(
            "SELECT channels.id, channels.name FROM broadcasts JOIN channels ON channels.id = broadcasts.channel_id
             WHERE broadcasts.id = $1 AND EXISTS (SELECT 1 FROM webhooks
             WHERE webhooks.channel_id = channels.id AND webhooks.disabled_at IS NULL AND webhooks.kinds LIKE $2)",
        )
        .bind(broadcast.as_str())
        .bind(pattern(kind))
        .fetch_optional(connection)
        .await?;
        let called = |row: AnyRow| {
            let (id, name): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            let id = id.parse().map_err(|_| StoreError::Row("the id of a channel".to_owned()))?;
            Ok::<_, StoreError>((id, name))
        };
        let called = row.map(called).transpose()?;
        self.keep(key, turn, called.clone());
        Ok(called)
    }
}

/// Some of what happens often, so that what happens within a while goes as one delivery.
#[derive(Debug)]
pub struct Gathered<'a> {
    /// What it is.
    pub kind: WebhookKind,
    /// The ids of the first and the last of it, by which it is gathered once.
    pub ids: (&'a str, &'a str),
    /// How much it is.
    pub count: i64,
    /// What alone it is gathered with; nothing in particular if empty.
    pub of: &'a str,
    /// The places of the first and the last in the room, if these are messages.
    pub places: Option<(i64, i64)>,
    /// When the first was.
    pub at: Timestamp,
    /// The rest of the first of it.
    pub data: Value,
}

/// For how long after the first more is gathered, and the most in one delivery.
fn gathering(kind: WebhookKind) -> (i64, i64) {
    match kind {
        WebhookKind::ChatMessageSent => (2_000, GATHERED_MOST),
        _ => (10_000, i64::MAX),
    }
}

/// As many messages are gathered in one delivery before another is opened.
pub const GATHERED_MOST: i64 = 100;

/// Gathers something into the delivery that is open for it at each webhook of the channel that is told of it, or opens one. Asked
/// where [`Interest`] knows of any.
///
/// A delivery is closed in one statement before it is sent (`webhook::store`), so that nothing is added to what has left.
pub async fn gather(
    connection: &mut AnyConnection,
    (channel, name): (&ChannelId, &str),
    some: Gathered<'_>,
) -> Result<(), StoreError> {
    let Gathered { kind, ids: (first, last), count, of, places, at, data } = some;
    let ((within, most), now) = (gathering(kind), fresh::now().as_millis());
    let (from, to) = places.unzip();
    sqlx::query(
        "UPDATE webhook_deliveries SET gathered = gathered + $9, gathered_last = $2, to_place = $3
         WHERE gathers = 1 AND kind = $4 AND gathered_of = $5 AND state = 'waiting' AND next_at > $6 AND gathered < $7
         AND gathered_last <> $2 AND webhook_id IN
             (SELECT id FROM webhooks WHERE channel_id = $1 AND disabled_at IS NULL AND kinds LIKE $8)",
    )
    .bind(channel.as_str())
    .bind(last)
    .bind(to)
    .bind(kind.name())
    .bind(of)
    .bind(now)
    .bind(most)
    .bind(pattern(kind))
    .bind(count)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "INSERT INTO webhook_deliveries (webhook_id, event_id, kind, body, created_at, state, tries, next_at, gathers,
             gathered_of, gathered_last, gathered, from_place, to_place)
         SELECT id, $2, $3, $4, CAST($5 AS BIGINT), 'waiting', 0, CAST($6 AS BIGINT), 1, $7, $8, CAST($9 AS BIGINT),
             CAST($10 AS BIGINT), CAST($11 AS BIGINT)
         FROM webhooks WHERE channel_id = $1 AND disabled_at IS NULL AND kinds LIKE $12
         AND NOT EXISTS (SELECT 1 FROM webhook_deliveries open WHERE open.webhook_id = webhooks.id AND open.gathers = 1
             AND open.kind = $3 AND open.gathered_of = $7 AND open.gathered_last = $8)
         AND (SELECT COUNT(*) FROM webhook_deliveries waiting WHERE waiting.webhook_id = webhooks.id
             AND waiting.kind = $3 AND waiting.state = 'waiting') < $13
         ON CONFLICT (webhook_id, event_id) DO NOTHING",
    )
    .bind(channel.as_str())
    .bind(format!("{first}-on"))
    .bind(kind.name())
    .bind(body(name, kind, at, data))
    .bind(now)
    .bind(now.saturating_add(within))
    .bind(of)
    .bind(last)
    .bind(count)
    .bind(from)
    .bind(to)
    .bind(pattern(kind))
    .bind(GATHERED_WAITING_MOST)
    .execute(connection)
    .await?;
    Ok(())
}

/// The body of what was gathered: how much it is, and of chat what it is by now.
pub fn gathered_body(body: &str, kind: WebhookKind, gathered: i64, messages: Option<Value>) -> String {
    // What can't be read goes as it is.
    let Ok(mut whole) = serde_json::from_str::<Value>(body) else { return body.to_owned() };
    if let Some(Value::Object(data)) = whole.get_mut("data") {
        let field = if kind == WebhookKind::ViewerJoined { "joined" } else { "count" };
        data.insert(field.to_owned(), json!(gathered));
        if let Some(messages) = messages {
            data.insert("messages".to_owned(), messages);
        }
    }
    whole.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_gathered_says_how_much_it_is() {
        let at = Timestamp::from_millis(0);
        let joined = body("ada", WebhookKind::ViewerJoined, at, json!({ "streamId": "b" }));
        let told: Value =
            serde_json::from_str(&gathered_body(&joined, WebhookKind::ViewerJoined, 7, None)).unwrap();
        assert_eq!(told["data"], json!({ "channel": "ada", "streamId": "b", "joined": 7 }));
        let said = body("ada", WebhookKind::ChatMessageSent, at, json!({}));
        let kept = gathered_body(&said, WebhookKind::ChatMessageSent, 2, None);
        assert!(!kept.contains("messages"), "{kept}");
        let sent = gathered_body(&said, WebhookKind::ChatMessageSent, 2, Some(json!([{ "id": "m" }])));
        let sent: Value = serde_json::from_str(&sent).unwrap();
        assert_eq!(sent["data"], json!({ "channel": "ada", "count": 2, "messages": [{ "id": "m" }] }));
        assert_eq!(gathered_body("?", WebhookKind::ChatMessageSent, 2, None), "?");
    }
}
