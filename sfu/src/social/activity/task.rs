//! Clears away what is old.

use super::store::ActivityStore;
use crate::fresh;
use shared::unit::Timestamp;
use std::time::Duration;
use tokio::{sync::watch, time::sleep};

/// Entries are kept for so long.
const KEPT: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// The most entries of one channel; the oldest go first.
const KEPT_MOST: i64 = 5000;
/// How often those that are older, or too many, go.
const EVERY: Duration = Duration::from_secs(60 * 60);

/// Clears away what is old, until the server stops.
pub async fn run(store: ActivityStore, mut stopping: watch::Receiver<bool>) {
    loop {
        let before = Timestamp::from_millis(fresh::now().as_millis() - KEPT.as_millis() as i64);
        if let Err(error) = store.forget(before).await {
            tracing::warn!(%error, "what happened long ago on channels was not cleared away");
        }
        if let Err(error) = store.forget_beyond(KEPT_MOST).await {
            tracing::warn!(%error, "what happened most on channels was not cleared away");
        }
        tokio::select! {
            () = sleep(EVERY) => {}
            _ = stopping.wait_for(|stopping| *stopping) => return,
        }
    }
}
