//! Webhooks, their outbox and the log of their deliveries in SQL.

use super::{
    rules::{WEBHOOKS_MOST, kinds_of, kinds_text},
    schedule::WAIT_MOST,
    sign::SigningSecret,
};
use crate::{
    actor::Actor,
    page::{Place, Wanted},
    store::{
        Store, StoreError,
        audit::{self, Entry},
        outbox::{WAITING_MOST, gathered_body},
    },
};
use shared::{
    audit::AuditAction,
    id::{ChannelId, EventId, WebhookId},
    page::Page,
    unit::Timestamp,
    webhook::{Delivery, DeliveryState, EditWebhook, Webhook, WebhookEnd, WebhookKind},
};
use sqlx::{Any, Row, Transaction, any::AnyRow};
use std::str::FromStr;
use url::Url;

/// Reads and writes webhooks.
#[derive(Debug, Clone)]
pub struct WebhookStore(Store);

/// A delivery that is to be tried.
#[derive(Debug, Clone)]
pub struct Due {
    /// Which.
    pub event: EventId,
    /// Just what is sent; of chat without the messages.
    pub body: String,
    /// Where the messages are that go into it.
    pub said: Option<Said>,
    /// How often it was tried.
    pub tries: u32,
    /// Where to.
    pub url: String,
    /// What it is signed with, the newest first.
    pub secrets: Vec<SigningSecret>,
    /// When its webhook failed first since it last took something.
    pub failing_since: Option<Timestamp>,
}

/// Messages of a chat that a delivery tells.
#[derive(Debug, Clone)]
pub struct Said {
    /// Whose chat.
    pub channel: ChannelId,
    /// The places of the first and last.
    pub places: (i64, i64),
    /// How many they were.
    pub count: i64,
}

/// What is written down of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// How the delivery stands now.
    pub state: DeliveryState,
    /// When it is tried next, if it waits.
    pub next_at: Timestamp,
    /// When it was tried.
    pub at: Timestamp,
    /// What came back.
    pub status: Option<u16>,
    /// Why it wasn't taken.
    pub error: Option<String>,
    /// Milliseconds.
    pub took: u64,
    /// Why the webhook is told nothing more.
    pub ends: Option<WebhookEnd>,
}

fn parsed<T: FromStr<Err: ToString>>(row: &AnyRow, column: usize) -> Result<T, StoreError> {
    let text: String = row.try_get(column)?;
    text.parse().map_err(|error: T::Err| StoreError::Row(error.to_string()))
}

fn time(row: &AnyRow, column: usize) -> Result<Timestamp, StoreError> {
    Ok(Timestamp::from_millis(row.try_get(column)?))
}

fn time_if_any(row: &AnyRow, column: usize) -> Result<Option<Timestamp>, StoreError> {
    Ok(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_millis))
}

fn end_text(end: WebhookEnd) -> &'static str {
    match end {
        WebhookEnd::Owner => "owner",
        WebhookEnd::Failing => "failing",
        WebhookEnd::Gone => "gone",
    }
}

fn end(text: &str) -> Result<WebhookEnd, StoreError> {
    let all = [WebhookEnd::Owner, WebhookEnd::Failing, WebhookEnd::Gone];
    let known = all.into_iter().find(|end| end_text(*end) == text);
    known.ok_or_else(|| StoreError::Row(format!("the end {text}")))
}

fn state_text(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Waiting => "waiting",
        DeliveryState::Delivered => "delivered",
        DeliveryState::Failed => "failed",
    }
}

/// From `id, label, url, kinds, created_at, failing_since, disabled_at, disabled_by`.
fn webhook(row: &AnyRow) -> Result<Webhook, StoreError> {
    let kinds: String = row.try_get(3)?;
    let disabled_by: Option<String> = row.try_get(7)?;
    Ok(Webhook {
        id: parsed(row, 0)?,
        label: parsed(row, 1)?,
        url: row.try_get(2)?,
        kinds: kinds_of(&kinds).ok_or_else(|| StoreError::Row(format!("the kinds {kinds}")))?,
        created_at: time(row, 4)?,
        failing_since: time_if_any(row, 5)?,
        disabled_at: time_if_any(row, 6)?,
        disabled_by: disabled_by.as_deref().map(end).transpose()?,
    })
}

fn number<T: TryFrom<i64>>(row: &AnyRow, column: usize) -> Result<Option<T>, StoreError> {
    Ok(row.try_get::<Option<i64>, _>(column)?.and_then(|number| T::try_from(number).ok()))
}

/// From `event_id, kind, body, created_at, state, tries, next_at, last_at, last_status, last_error, last_took, gathered`.
fn delivery(row: &AnyRow) -> Result<Delivery, StoreError> {
    let state = match row.try_get::<String, _>(4)?.as_str() {
        "waiting" => DeliveryState::Waiting,
        "delivered" => DeliveryState::Delivered,
        "failed" => DeliveryState::Failed,
        other => return Err(StoreError::Row(format!("the state {other}"))),
    };
    let (kind, body): (WebhookKind, String) = (parsed(row, 1)?, row.try_get(2)?);
    Ok(Delivery {
        id: parsed(row, 0)?,
        kind,
        body: match row.try_get::<Option<i64>, _>(11)? {
            Some(gathered) => gathered_body(&body, kind, gathered, None),
            None => body,
        },
        created_at: time(row, 3)?,
        state,
        tries: number(row, 5)?.unwrap_or_default(),
        next_at: if state == DeliveryState::Waiting { time_if_any(row, 6)? } else { None },
        last_at: time_if_any(row, 7)?,
        last_status: number(row, 8)?,
        last_error: row.try_get(9)?,
        last_took: number(row, 10)?,
    })
}

/// Where a webhook is, without what follows the host: that is a secret at many services.
fn host(webhook: &Webhook) -> String {
    Url::parse(&webhook.url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}

/// What the record calls a webhook: its label, or where it is.
fn called(webhook: &Webhook) -> String {
    if webhook.label.as_str().is_empty() { host(webhook) } else { webhook.label.as_str().to_owned() }
}

impl WebhookStore {
    /// On this database.
    pub fn new(store: Store) -> Self {
        Self(store)
    }

    /// Writes a new webhook; false if its channel has as many as it may.
    pub async fn add(
        &self,
        by: &Actor,
        channel: &ChannelId,
        new: &Webhook,
        secret: &SigningSecret,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        let added = sqlx::query(
            "INSERT INTO webhooks (id, channel_id, url, label, kinds, secret, created_at)
             SELECT $1, $2, $3, $4, $5, $6, CAST($7 AS BIGINT)
             WHERE (SELECT COUNT(*) FROM webhooks WHERE channel_id = $2) < $8",
        )
        .bind(new.id.as_str())
        .bind(channel.as_str())
        .bind(new.url.as_str())
        .bind(new.label.as_str())
        .bind(kinds_text(&new.kinds))
        .bind(secret.to_text())
        .bind(new.created_at.as_millis())
        .bind(WEBHOOKS_MOST)
        .execute(&mut *transaction)
        .await?;
        if added.rows_affected() == 0 {
            return Ok(false);
        }
        record(&mut transaction, AuditAction::WebhookMade, by, channel, new).await?;
        transaction.commit().await?;
        self.0.interest().changed();
        Ok(true)
    }

    /// A channel's webhooks, oldest first.
    pub async fn list(&self, channel: &ChannelId) -> Result<Vec<Webhook>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, label, url, kinds, created_at, failing_since, disabled_at, disabled_by
             FROM webhooks WHERE channel_id = $1 ORDER BY created_at, id",
        )
        .bind(channel.as_str())
        .fetch_all(self.0.pool())
        .await?;
        rows.iter().map(webhook).collect()
    }

    /// Writes what an edit changes of a webhook; it as it is now, if the channel has it.
    pub async fn edit(
        &self,
        by: &Actor,
        (channel, id): (&ChannelId, &WebhookId),
        edit: &EditWebhook,
        now: Timestamp,
    ) -> Result<Option<Webhook>, StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        let row = sqlx::query(
            "UPDATE webhooks SET url = COALESCE($3, url), label = COALESCE($4, label), kinds = COALESCE($5, kinds),
             disabled_at = CASE WHEN $6 = 1 THEN NULL WHEN $6 = 0 THEN COALESCE(disabled_at, $7) ELSE disabled_at END,
             disabled_by = CASE WHEN $6 = 1 THEN NULL WHEN $6 = 0 THEN 'owner' ELSE disabled_by END,
             failing_since = CASE WHEN $6 = 1 OR $3 IS NOT NULL THEN NULL ELSE failing_since END
             WHERE channel_id = $1 AND id = $2
             RETURNING id, label, url, kinds, created_at, failing_since, disabled_at, disabled_by",
        )
        .bind(channel.as_str())
        .bind(id.as_str())
        .bind(edit.url.clone())
        .bind(edit.label.as_ref().map(|label| label.as_str().to_owned()))
        .bind(edit.kinds.as_deref().map(kinds_text))
        .bind(edit.enabled.map_or(-1, i64::from))
        .bind(now.as_millis())
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let edited = webhook(&row)?;
        record(&mut transaction, AuditAction::WebhookEdited, by, channel, &edited).await?;
        transaction.commit().await?;
        self.0.interest().changed();
        Ok(Some(edited))
    }

    /// Removes a webhook with all that it was to be told; whether the channel had it.
    pub async fn remove(&self, by: &Actor, channel: &ChannelId, id: &WebhookId) -> Result<bool, StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        let row = sqlx::query(
            "DELETE FROM webhooks WHERE channel_id = $1 AND id = $2
             RETURNING id, label, url, kinds, created_at, failing_since, disabled_at, disabled_by",
        )
        .bind(channel.as_str())
        .bind(id.as_str())
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(row) = row else { return Ok(false) };
        record(&mut transaction, AuditAction::WebhookRemoved, by, channel, &webhook(&row)?).await?;
        transaction.commit().await?;
        self.0.interest().changed();
        Ok(true)
    }

    /// Puts another secret in the place of a webhook's, which goes on signing until a time; the webhook, if the channel has it.
    pub async fn replace_secret(
        &self,
        by: &Actor,
        (channel, id): (&ChannelId, &WebhookId),
        secret: &SigningSecret,
        old_until: Timestamp,
    ) -> Result<Option<Webhook>, StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        let row = sqlx::query(
            "UPDATE webhooks SET old_secret = secret, old_secret_until = $4, secret = $3
             WHERE channel_id = $1 AND id = $2
             RETURNING id, label, url, kinds, created_at, failing_since, disabled_at, disabled_by",
        )
        .bind(channel.as_str())
        .bind(id.as_str())
        .bind(secret.to_text())
        .bind(old_until.as_millis())
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let of = webhook(&row)?;
        record(&mut transaction, AuditAction::WebhookSecret, by, channel, &of).await?;
        transaction.commit().await?;
        Ok(Some(of))
    }

    /// Puts something into the outbox for one webhook, whatever it is told else; whether the channel has it.
    pub async fn put(
        &self,
        channel: &ChannelId,
        id: &WebhookId,
        (event, kind, at): (&EventId, WebhookKind, Timestamp),
        body: &str,
    ) -> Result<bool, StoreError> {
        let added = sqlx::query(
            "INSERT INTO webhook_deliveries (webhook_id, event_id, kind, body, created_at, state, tries, next_at)
             SELECT id, $3, $4, $5, CAST($6 AS BIGINT), 'waiting', 0, CAST($6 AS BIGINT) FROM webhooks
             WHERE channel_id = $1 AND id = $2 AND (SELECT COUNT(*) FROM webhook_deliveries waiting
                 WHERE waiting.webhook_id = webhooks.id AND waiting.state = 'waiting') < $7",
        )
        .bind(channel.as_str())
        .bind(id.as_str())
        .bind(event.as_str())
        .bind(kind.name())
        .bind(body)
        .bind(at.as_millis())
        .bind(WAITING_MOST)
        .execute(self.0.pool())
        .await?;
        Ok(added.rows_affected() > 0)
    }

    /// What a webhook was told and is to be, newest first; none if the channel doesn't have it.
    pub async fn deliveries(
        &self,
        channel: &ChannelId,
        id: &WebhookId,
        wanted: &Wanted,
    ) -> Result<Option<Page<Delivery>>, StoreError> {
        let known = sqlx::query("SELECT 1 FROM webhooks WHERE channel_id = $1 AND id = $2")
            .bind(channel.as_str())
            .bind(id.as_str())
            .fetch_optional(self.0.pool())
            .await?;
        if known.is_none() {
            return Ok(None);
        }
        let (at, event) = wanted.before();
        let rows = sqlx::query(
            "SELECT event_id, kind, body, created_at, state, tries, next_at, last_at, last_status, last_error, last_took,
             gathered FROM webhook_deliveries WHERE webhook_id = $1
             AND (created_at < $2 OR (created_at = $2 AND event_id < $3))
             ORDER BY created_at DESC, event_id DESC LIMIT $4",
        )
        .bind(id.as_str())
        .bind(at)
        .bind(event)
        .bind(wanted.rows())
        .fetch_all(self.0.pool())
        .await?;
        let deliveries: Result<Vec<Delivery>, StoreError> = rows.iter().map(delivery).collect();
        Ok(Some(wanted.page(deliveries?, |one| Place {
            at: one.created_at.as_millis(),
            id: one.id.as_str().to_owned(),
        })))
    }

    /// Whether a channel has a webhook, and that one a delivery, if one is named.
    pub async fn knows(
        &self,
        channel: &ChannelId,
        id: &WebhookId,
        event: Option<&EventId>,
    ) -> Result<bool, StoreError> {
        let row = sqlx::query(
            "SELECT 1 FROM webhooks WHERE channel_id = $1 AND id = $2 AND ($3 IS NULL OR EXISTS
             (SELECT 1 FROM webhook_deliveries d WHERE d.webhook_id = webhooks.id AND d.event_id = $3))",
        )
        .bind(channel.as_str())
        .bind(id.as_str())
        .bind(event.map(|event| event.as_str().to_owned()))
        .fetch_optional(self.0.pool())
        .await?;
        Ok(row.is_some())
    }

    /// Has a delivery tried again from the beginning; it as it is now, if the channel's webhook has it.
    pub async fn replay(
        &self,
        channel: &ChannelId,
        id: &WebhookId,
        event: &EventId,
        now: Timestamp,
    ) -> Result<Option<Delivery>, StoreError> {
        let row = sqlx::query(
            "UPDATE webhook_deliveries SET state = 'waiting', tries = 0, next_at = $4
             WHERE webhook_id = (SELECT id FROM webhooks WHERE channel_id = $1 AND id = $2) AND event_id = $3
             RETURNING event_id, kind, body, created_at, state, tries, next_at, last_at, last_status, last_error, last_took,
             gathered",
        )
        .bind(channel.as_str())
        .bind(id.as_str())
        .bind(event.as_str())
        .bind(now.as_millis())
        .fetch_optional(self.0.pool())
        .await?;
        row.as_ref().map(delivery).transpose()
    }

    /// Webhooks for which something is due, those first that have waited for longest.
    pub async fn due(&self, now: Timestamp, most: usize) -> Result<Vec<WebhookId>, StoreError> {
        let (now, far) = moments(now);
        let rows = sqlx::query(
            "SELECT d.webhook_id, MIN(d.next_at) FROM webhook_deliveries d JOIN webhooks w ON w.id = d.webhook_id
             WHERE d.state = 'waiting' AND (d.next_at <= $1 OR d.next_at > $2) AND w.disabled_at IS NULL
             GROUP BY d.webhook_id ORDER BY 2 LIMIT $3",
        )
        .bind(now)
        .bind(far)
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .fetch_all(self.0.pool())
        .await?;
        rows.iter().map(|row| parsed(row, 0)).collect()
    }

    /// What is due next for a webhook.
    pub async fn next(&self, id: &WebhookId, now: Timestamp) -> Result<Option<Due>, StoreError> {
        let (at, far) = moments(now);
        let row = sqlx::query(
            "SELECT d.event_id, d.body, d.tries, w.url, w.secret, w.old_secret, w.old_secret_until, w.failing_since,
             d.kind, d.gathered, w.channel_id
             FROM webhook_deliveries d JOIN webhooks w ON w.id = d.webhook_id
             WHERE d.webhook_id = $1 AND d.state = 'waiting' AND (d.next_at <= $2 OR d.next_at > $3)
             AND w.disabled_at IS NULL
             ORDER BY CASE WHEN d.gathered IS NULL THEN 0 ELSE 1 END, d.next_at, d.event_id LIMIT 1",
        )
        .bind(id.as_str())
        .bind(at)
        .bind(far)
        .fetch_optional(self.0.pool())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let secret = |text: String| {
            let none = || StoreError::Row("the secret of a webhook".to_owned());
            SigningSecret::from_text(&text).ok_or_else(none)
        };
        let mut secrets = vec![secret(row.try_get(4)?)?];
        let old: Option<String> = row.try_get(5)?;
        if let Some(old) = old.filter(|_| matches!(time_if_any(&row, 6), Ok(Some(until)) if until > now)) {
            secrets.push(secret(old)?);
        }
        let (event, kind): (EventId, WebhookKind) = (parsed(&row, 0)?, parsed(&row, 8)?);
        let (mut body, mut said): (String, _) = (row.try_get(1)?, None);
        if row.try_get::<Option<i64>, _>(9)?.is_some() {
            let (count, places) = self.closed(id, &event).await?;
            body = gathered_body(&body, kind, count, None);
            let channel = parsed(&row, 10)?;
            said = places.map(|places| Said { channel, places, count });
        }
        Ok(Some(Due {
            event,
            body,
            said,
            tries: number(&row, 2)?.unwrap_or_default(),
            url: row.try_get(3)?,
            secrets,
            failing_since: time_if_any(&row, 7)?,
        }))
    }

    /// Adds nothing more to what was gathered: how much it is, and from where to where in the chat.
    async fn closed(&self, id: &WebhookId, event: &EventId) -> Result<(i64, Option<(i64, i64)>), StoreError> {
        // In one statement: what is gathered at this moment is in it, or opens another.
        let row = sqlx::query(
            "UPDATE webhook_deliveries SET gathers = 0 WHERE webhook_id = $1 AND event_id = $2
             RETURNING gathered, from_place, to_place",
        )
        .bind(id.as_str())
        .bind(event.as_str())
        .fetch_optional(self.0.pool())
        .await?;
        let Some(row) = row else { return Ok((0, None)) };
        let (first, last): (Option<i64>, Option<i64>) = (row.try_get(1)?, row.try_get(2)?);
        Ok((row.try_get::<Option<i64>, _>(0)?.unwrap_or_default(), first.zip(last)))
    }

    /// Writes down what came of a try.
    pub async fn tried(&self, id: &WebhookId, event: &EventId, tried: &Tried) -> Result<(), StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        sqlx::query(
            "UPDATE webhook_deliveries SET state = $3, tries = tries + 1, next_at = $4, last_at = $5,
             last_status = $6, last_error = $7, last_took = $8 WHERE webhook_id = $1 AND event_id = $2",
        )
        .bind(id.as_str())
        .bind(event.as_str())
        .bind(state_text(tried.state))
        .bind(tried.next_at.as_millis())
        .bind(tried.at.as_millis())
        .bind(tried.status.map(i64::from))
        .bind(tried.error.clone())
        .bind(i64::try_from(tried.took).unwrap_or(i64::MAX))
        .execute(&mut *transaction)
        .await?;
        let works = i64::from(tried.state == DeliveryState::Delivered);
        sqlx::query(
            "UPDATE webhooks SET failing_since = CASE WHEN $2 = 1 THEN NULL ELSE COALESCE(failing_since, $3) END,
             disabled_at = CASE WHEN $4 IS NULL THEN disabled_at ELSE COALESCE(disabled_at, $3) END,
             disabled_by = COALESCE(disabled_by, $4) WHERE id = $1",
        )
        .bind(id.as_str())
        .bind(works)
        .bind(tried.at.as_millis())
        .bind(tried.ends.map(|end| end_text(end).to_owned()))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Forgets deliveries from before a time.
    pub async fn forget(&self, before: Timestamp) -> Result<u64, StoreError> {
        let done = sqlx::query("DELETE FROM webhook_deliveries WHERE created_at < $1")
            .bind(before.as_millis())
            .execute(self.0.pool())
            .await?;
        Ok(done.rows_affected())
    }
}

/// Until when something is due; and beyond what it is, too, since a clock that was set back must not hold it for long.
fn moments(now: Timestamp) -> (i64, i64) {
    (now.as_millis(), now.as_millis() + WAIT_MOST.as_millis() as i64)
}

async fn record(
    transaction: &mut Transaction<'_, Any>,
    action: AuditAction,
    by: &Actor,
    channel: &ChannelId,
    of: &Webhook,
) -> Result<(), StoreError> {
    let state = if of.disabled_at.is_some() { "off, " } else { "" };
    let (words, called) = (format!("{state}{}:{}", host(of), kinds_text(&of.kinds).trim_end()), called(of));
    let entry = Entry::new(action, Some(by)).on(channel).to(of.id.as_str());
    audit::record(transaction, entry.called(&called).saying(words)).await
}

#[cfg(test)]
mod tests;
