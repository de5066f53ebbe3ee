//! Forgets addresses when their time is over.

use super::store::AuditStore;
use crate::fresh;
use shared::unit::Timestamp;
use std::time::Duration;
use tokio::{sync::watch, time::sleep};

const EVERY: Duration = Duration::from_secs(3600);
const DAY: i64 = 24 * 60 * 60 * 1000;

/// Forgets what is older than so many days, until the server stops.
pub async fn run(store: AuditStore, days: u32, mut stopping: watch::Receiver<bool>) {
    loop {
        let before = Timestamp::from_millis(fresh::now().as_millis() - i64::from(days) * DAY);
        if let Err(error) = store.forget_addresses(before).await {
            tracing::warn!(%error, "old addresses were not forgotten; this is tried again in an hour");
        }
        tokio::select! {
            () = sleep(EVERY) => {}
            _ = stopping.wait_for(|stopping| *stopping) => return,
        }
    }
}
