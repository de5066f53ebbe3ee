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
    let (at, began) = (fresh::now(), Instant::now());
    let chance = u16::from(fresh::bytes()[0]) * 3;
    match webhooks.body_of(&due).await {
        Ok(body) => due.body = body,
        Err(error) => {
            tracing::warn!(%error, webhook = %id, event = %due.event, "what a delivery tells can't be read");
            // What else the webhook is told doesn't wait for it.
            let next = schedule::next(due.tries + 1, at, None, chance);
            let state = if next.is_some() { DeliveryState::Waiting } else { DeliveryState::Failed };
            let error = Some("what it tells could not be read".to_owned());
            let tried =
                Tried { state, next_at: next.unwrap_or(at), at, status: None, error, took: 0, ends: None };
            return webhooks.store().tried(id, &due.event, &tried).await;
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        actor::Actor,
        http::{outgoing::Outgoing, problem::ProblemResponse},
        page::Wanted,
        store::{Store, outbox},
        webhook::{Channels, Messages, sign::SigningSecret},
    };
    use futures_util::{FutureExt, future::BoxFuture};
    use shared::{
        account::Role,
        chat::ChatMessage,
        id::{ChannelId, ChannelName},
        webhook::{Webhook, WebhookKind},
    };
    use std::sync::Arc;

    /// A chat that can't be read.
    struct Broken;

    impl Messages for Broken {
        fn between<'a>(
            &'a self,
            _: &'a ChannelId,
            _: (i64, i64),
            _: i64,
        ) -> BoxFuture<'a, Result<Vec<ChatMessage>, StoreError>> {
            async { Err(StoreError::Row("a message".to_owned())) }.boxed()
        }
    }

    impl Channels for Broken {
        fn hooked<'a>(
            &'a self,
            _: &'a Actor,
            _: &'a ChannelName,
        ) -> BoxFuture<'a, Result<ChannelId, ProblemResponse>> {
            async { Ok("c".parse().unwrap()) }.boxed()
        }
    }

    #[tokio::test]
    async fn what_can_t_be_read_holds_up_nothing_else_that_a_webhook_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open_in(dir.path()).await.unwrap();
        let insert =
            "INSERT INTO channels (id, name, display_name, title, description, category, tags, visibility, created_at)
             VALUES ('c', 'ada', 'Ada', '', '', '', '[]', 'PUBLIC', 0)";
        sqlx::query(insert).execute(store.pool()).await.unwrap();
        // An address that nobody may call: what is tried fails without leaving the machine.
        let outgoing = Outgoing::new([].into());
        let webhooks = Webhooks::new(store.clone(), Arc::new(Broken), Arc::new(Broken), outgoing);
        let (channel, now): (ChannelId, _) = ("c".parse().unwrap(), fresh::now());
        let hook = Webhook {
            id: "h".parse().unwrap(),
            label: Default::default(),
            url: "https://127.0.0.1/".to_owned(),
            kinds: vec![WebhookKind::ChatMessageSent, WebhookKind::StreamEnded],
            created_at: now,
            failing_since: None,
            disabled_at: None,
            disabled_by: None,
        };
        let actor = Actor { account: "a".parse().unwrap(), role: Role::Member, address: None };
        let secret = SigningSecret::from_random([1; 32]);
        assert!(webhooks.store().add(&actor, &channel, &hook, &secret).await.unwrap());
        let mut transaction = store.pool().begin().await.unwrap();
        sqlx::query("UPDATE channels SET title = 'x'").execute(&mut *transaction).await.unwrap();
        let (kind, places) = (WebhookKind::ChatMessageSent, Some((1, 1)));
        let data = serde_json::json!({});
        let said =
            outbox::Gathered { kind, ids: ("m", "m"), count: 1, of: "", places, at: now, data: data.clone() };
        outbox::gather(&mut transaction, (&channel, "ada"), said).await.unwrap();
        outbox::put(&mut transaction, &channel, ("e", WebhookKind::StreamEnded, now), data).await.unwrap();
        sqlx::query("UPDATE webhook_deliveries SET next_at = 0").execute(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
        serve(webhooks.clone(), hook.id.clone()).await;
        let all = Wanted { after: None, limit: 10 };
        let told = webhooks.store().deliveries(&channel, &hook.id, &all).await.unwrap().unwrap().items;
        assert_eq!(told.iter().map(|one| one.tries).collect::<Vec<_>>(), [1, 1], "each was tried once");
        let chat = told.iter().find(|one| one.id.as_str() == "m-on").unwrap();
        assert_eq!(chat.state, DeliveryState::Waiting);
        assert!(chat.next_at.unwrap() > now, "it is tried again later");
        assert_eq!(chat.last_error.as_deref(), Some("what it tells could not be read"));
    }
}
