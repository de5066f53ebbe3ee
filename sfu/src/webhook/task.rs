//! The task that empties the outbox.

use super::{
    schedule::{self, Outcome},
    service::Webhooks,
    sign,
    store::{Due, Tried},
};
use crate::{fresh, store::StoreError};
use axum::http::{HeaderName, HeaderValue, header};
use shared::{
    id::WebhookId,
    unit::Timestamp,
    webhook::{DeliveryState, WebhookEnd},
};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};
use tokio::{
    sync::watch,
    task::{self, JoinSet},
    time::{sleep, timeout},
};

/// Webhooks that are told something at once: each one thing after the other.
const AT_ONCE: usize = 32;
/// Deliveries to one of them before others have their turn.
const IN_A_ROW: usize = 16;
/// How often the outbox is looked into: what fills it are others' transactions, which nobody hears of.
const LOOK: Duration = Duration::from_millis(500);
/// When the database can't be read, it is tried again after this.
const AGAIN: Duration = Duration::from_secs(5);
/// Deliveries are kept for so long.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How long those that are under way have when the server stops. What isn't taken by then is sent again later.
const LAST: Duration = Duration::from_secs(3);

/// Empties the outbox as it fills, until the server stops.
pub async fn run(webhooks: Webhooks, mut stopping: watch::Receiver<bool>) {
    let mut running = JoinSet::new();
    let mut busy: HashMap<task::Id, WebhookId> = HashMap::new();
    let mut cleared = None::<Instant>;
    while !*stopping.borrow() {
        if cleared.is_none_or(|last| last.elapsed() >= Duration::from_secs(3600)) {
            cleared = Some(Instant::now());
            let before = fresh::now().as_millis() - KEPT.as_millis() as i64;
            if let Err(error) = webhooks.store().forget(Timestamp::from_millis(before)).await {
                tracing::warn!(%error, "old deliveries of webhooks were not cleared away");
            }
        }
        let wait = match webhooks.store().due(fresh::now(), AT_ONCE + busy.len()).await {
            Ok(due) => {
                for id in due {
                    if running.len() < AT_ONCE && !busy.values().any(|other| *other == id) {
                        let task = running.spawn(serve(webhooks.clone(), id.clone()));
                        busy.insert(task.id(), id);
                    }
                }
                LOOK
            }
            Err(error) => {
                tracing::warn!(%error, "the outbox of webhooks can't be read");
                AGAIN
            }
        };
        tokio::select! {
            Some(done) = running.join_next_with_id(), if !running.is_empty() => {
                let task = done.map_or_else(|error| error.id(), |(task, ())| task);
                busy.remove(&task);
            }
            () = sleep(wait) => {}
            () = webhooks.filled() => {}
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
    }
    let _ = timeout(LAST, async { while running.join_next().await.is_some() {} }).await;
}

/// Tells one webhook what is due, one thing after the other.
async fn serve(webhooks: Webhooks, id: WebhookId) {
    for _ in 0..IN_A_ROW {
        let done = match webhooks.store().next(&id, fresh::now()).await {
            Ok(Some(due)) => deliver(&webhooks, &id, due).await,
            Ok(None) => return,
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            // It goes once more, which its receiver knows by its id.
            tracing::warn!(%error, webhook = %id, "what became of a delivery was not written");
            sleep(AGAIN).await;
            return;
        }
    }
}

async fn deliver(webhooks: &Webhooks, id: &WebhookId, mut due: Due) -> Result<(), StoreError> {
    due.body = webhooks.body_of(&due).await?;
    let (at, began) = (fresh::now(), Instant::now());
    let sent = webhooks.outgoing().post(&due.url, headers(&due, at), due.body.clone().into_bytes()).await;
    let (outcome, status, error) = match sent {
        Ok(reply) => {
            let words = match reply.status {
                200..300 => None,
                300..400 => Some("redirects are not followed".to_owned()),
                _ => Some(format!("answered {}", reply.status)),
            };
            (schedule::outcome(reply.status, reply.retry_after), Some(reply.status), words)
        }
        Err(error) => (Outcome::Failed(None), None, Some(error.to_string())),
    };
    let now = fresh::now();
    let chance = u16::from(fresh::bytes()[0]) * 3;
    let next = match outcome {
        Outcome::Failed(retry_after) => schedule::next(due.tries + 1, now, retry_after, chance),
        Outcome::Taken | Outcome::Gone => None,
    };
    let ends = match outcome {
        Outcome::Gone => Some(WebhookEnd::Gone),
        Outcome::Failed(_) if due.failing_since.is_some_and(|since| schedule::is_hopeless(since, now)) => {
            Some(WebhookEnd::Failing)
        }
        _ => None,
    };
    let state = match (outcome, next) {
        (Outcome::Taken, _) => DeliveryState::Delivered,
        (_, Some(_)) => DeliveryState::Waiting,
        (_, None) => DeliveryState::Failed,
    };
    if let Some(end) = ends {
        tracing::info!(webhook = %id, ?end, "a webhook is told nothing any more");
    }
    let took = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let tried = Tried { state, next_at: next.unwrap_or(now), at, status, error, took, ends };
    webhooks.store().tried(id, &due.event, &tried).await
}

fn headers(due: &Due, at: Timestamp) -> Vec<(HeaderName, HeaderValue)> {
    let seconds = at.as_millis() / 1000;
    let name = HeaderName::from_static;
    let signatures = sign::signatures(&due.secrets, due.event.as_str(), seconds, &due.body);
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (name("webhook-id"), due.event.as_str().to_owned()),
        (name("webhook-timestamp"), seconds.to_string()),
        (name("webhook-signature"), signatures),
    ];
    headers
        .into_iter()
        .filter_map(|(name, value)| Some((name, HeaderValue::from_str(&value).ok()?)))
        .collect()
}
