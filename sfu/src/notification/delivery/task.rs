//! The task that empties the outbox of push.

use super::{service::Push, store::Due};
use crate::{
    fresh,
    notification::{
        push::{self, BrowserKeys},
        rules::{self, Leave},
        service::Notifications,
    },
    store::StoreError,
};
use axum::http::{HeaderName, HeaderValue, header};
use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use shared::unit::Timestamp;
use std::{collections::HashSet, time::Duration};
use tokio::{sync::watch, time::sleep};

/// Messages that are under way at once.
const AT_ONCE: usize = 64;
/// The outbox is looked into at least this often, should the clock be set.
const LOOK: Duration = Duration::from_secs(60);
/// When the database can't be read, it is tried again after this.
pub(in crate::notification) const AGAIN: Duration = Duration::from_secs(5);
/// For how long push services keep a message for a browser that is away, in seconds.
const KEPT: i64 = 4 * 60 * 60;

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// The push service has it.
    Delivered,
    /// The push service doesn't know the browser any more.
    Gone,
    /// It will never be taken.
    Refused,
    /// It may be taken later, after so many seconds if it is known.
    Later(Option<u64>),
}

fn outcome(status: u16, retry_after: Option<u64>) -> Outcome {
    match status {
        200..300 => Outcome::Delivered,
        404 | 410 => Outcome::Gone,
        408 | 425 | 429 | 500.. => Outcome::Later(retry_after),
        _ => Outcome::Refused,
    }
}

/// Empties the outbox of push as it fills, until the server stops.
pub async fn run(push: Push, notifications: Notifications, mut stopping: watch::Receiver<bool>) {
    let mut filled = notifications.outbox();
    let mut last_cleared = None::<Timestamp>;
    // Each by itself: a push service that is slow to answer holds up no other.
    let (mut under_way, mut ids) = (FuturesUnordered::new(), HashSet::new());
    loop {
        let now = fresh::now();
        if last_cleared.is_none_or(|last| now.since(last) >= Duration::from_secs(3600)) {
            last_cleared = Some(now);
            if let Err(error) = notifications.store().forget_old(now).await {
                tracing::warn!(%error, "old notifications were not cleared away");
            }
        }
        let mut wait = LOOK;
        let room = AT_ONCE - under_way.len();
        if room > 0 {
            // As many as are under way may be among them.
            match push.store().due(now, 2 * AT_ONCE).await {
                Ok(mut due) => {
                    due.retain(|message| !ids.contains(&message.id));
                    for message in due.into_iter().take(room) {
                        ids.insert(message.id.clone());
                        under_way.push(deliver(&push, message));
                    }
                    wait = until(push.store().next_due(now).await, now);
                }
                Err(error) => {
                    tracing::warn!(%error, "the outbox can't be read");
                    wait = AGAIN;
                }
            }
        }
        tokio::select! {
            biased;
            _ = stopping.wait_for(|stopping| *stopping) => return,
            Some(id) = under_way.next(), if !under_way.is_empty() => {
                ids.remove(&id);
                while let Some(Some(id)) = under_way.next().now_or_never() {
                    ids.remove(&id);
                }
            }
            () = sleep(wait) => {}
            changed = filled.changed() => if changed.is_err() {
                return;
            }
        }
    }
}

/// How long to wait for what is next in an outbox.
pub(in crate::notification) fn until(
    next: Result<Option<Timestamp>, StoreError>,
    now: Timestamp,
) -> Duration {
    match next {
        Ok(Some(next)) => next.since(now).min(LOOK),
        Ok(None) => LOOK,
        Err(_) => AGAIN,
    }
}

/// Waits for so long, or until an outbox is filled; false when the server stops.
pub(in crate::notification) async fn paused(
    wait: Duration,
    filled: &mut watch::Receiver<()>,
    stopping: &mut watch::Receiver<bool>,
) -> bool {
    tokio::select! {
        biased;
        _ = stopping.wait_for(|stopping| *stopping) => false,
        () = sleep(wait) => true,
        changed = filled.changed() => changed.is_ok(),
    }
}

/// Sends a message if it is still wanted, and writes what became of it; gives its place in the outbox.
async fn deliver(push: &Push, message: Due) -> String {
    let now = fresh::now();
    let is_wanted = message.preferences.ways(message.kind).push;
    let left = match rules::leave(&message.preferences, is_wanted, now) {
        Leave::Now => None,
        Leave::At(then) => Some(push.store().later(&message.id, message.tries, then).await),
        Leave::Never => Some(push.store().done(&message.id).await),
    };
    if let Some(written) = left {
        note(written).await;
        return message.id;
    }
    let outcome = send(push, &message, now).await;
    let written = match outcome {
        Outcome::Delivered => push.store().done(&message.id).await,
        Outcome::Gone => push.store().forget(&message.browser).await,
        Outcome::Refused => {
            tracing::warn!(browser = %message.browser, "a push service refused a message");
            push.store().done(&message.id).await
        }
        Outcome::Later(wanted) => match rules::again(message.tries + 1, now) {
            Some(due) => {
                let asked = now.as_millis() + wanted.unwrap_or(0).min(3600) as i64 * 1000;
                let due = Timestamp::from_millis(due.as_millis().max(asked));
                push.store().later(&message.id, message.tries + 1, due).await
            }
            None => {
                tracing::warn!(browser = %message.browser, "a message was given up after many tries");
                push.store().done(&message.id).await
            }
        },
    };
    push.count(outcome == Outcome::Delivered);
    note(written).await;
    message.id
}

async fn note(written: Result<(), StoreError>) {
    if let Err(error) = written {
        // It goes once more, which push service and browser show as one.
        tracing::warn!(%error, "what became of a message was not written");
        sleep(AGAIN).await;
    }
}

async fn send(push: &Push, message: &Due, now: Timestamp) -> Outcome {
    let Some(keys) = BrowserKeys::parse(&message.keys.0, &message.keys.1) else { return Outcome::Gone };
    let text = serde_json::json!({
        "id": message.notification, "title": message.title, "body": message.detail, "url": message.url,
        "icon": message.picture, "at": message.at,
    });
    let mut salt = [0; 16];
    salt.copy_from_slice(&fresh::bytes()[..16]);
    let body = match push::encrypt(text.to_string().as_bytes(), &keys, &fresh::bytes(), &salt) {
        Ok(body) => body,
        Err(push::PushError::Unlucky) => return Outcome::Later(None),
        Err(_) => return Outcome::Refused,
    };
    let Ok(url) = push.outgoing().check(&message.endpoint) else { return Outcome::Gone };
    let origin = url.origin().ascii_serialization();
    let Ok(authorization) = push.vapid().authorization(&origin, push.contact(), now) else {
        return Outcome::Refused;
    };
    let name = HeaderName::from_static;
    let headers = [
        (header::AUTHORIZATION, authorization),
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_ENCODING, "aes128gcm".to_owned()),
        (name("ttl"), KEPT.to_string()),
        (name("urgency"), "normal".to_owned()),
        (name("topic"), message.notification.as_str().to_owned()),
    ];
    let headers =
        headers.into_iter().filter_map(|(name, value)| Some((name, HeaderValue::from_str(&value).ok()?)));
    match push.outgoing().post(&message.endpoint, headers.collect(), body).await {
        Ok(reply) => outcome(reply.status, reply.retry_after),
        Err(error) => {
            tracing::debug!(%error, "a push service was not reached");
            Outcome::Later(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_push_services_answer_is_understood() {
        assert_eq!(outcome(201, None), Outcome::Delivered);
        for gone in [404, 410] {
            assert_eq!(outcome(gone, None), Outcome::Gone);
        }
        for refused in [301, 400, 401, 403, 413] {
            assert_eq!(outcome(refused, None), Outcome::Refused);
        }
        assert_eq!(outcome(429, Some(7)), Outcome::Later(Some(7)));
        assert_eq!(outcome(503, None), Outcome::Later(None));
    }
}
