//! Lets go of those whose subscription ran out.

use super::{Channels, store::SubscriptionStore};
use crate::{fresh, store::StoreError};
use shared::unit::Timestamp;
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, time::sleep};

/// Whom it let in alone is out at most so much later; the question is one of an index.
const EVERY: Duration = Duration::from_secs(1);

/// Looks each second who doesn't subscribe any more, until the server stops.
pub async fn run(store: SubscriptionStore, channels: Arc<dyn Channels>, mut stopping: watch::Receiver<bool>) {
    // What ran out while the server was off let nobody in since.
    let mut seen = fresh::now();
    loop {
        tokio::select! {
            () = sleep(EVERY) => {}
            _ = stopping.wait_for(|stopping| *stopping) => return,
        }
        let now = fresh::now();
        match let_go(&store, channels.as_ref(), seen, now).await {
            // A clock that was set back makes nobody run out twice, and one that jumped ahead leaves nobody out.
            Ok(()) => seen = now,
            Err(error) => {
                tracing::warn!(%error, "whose subscription ran out could not be seen; this is tried again")
            }
        }
    }
}

async fn let_go(
    store: &SubscriptionStore,
    channels: &dyn Channels,
    after: Timestamp,
    until: Timestamp,
) -> Result<(), StoreError> {
    for (channel, account) in store.over(after, until).await? {
        channels.ended(&channel, &account).await?;
    }
    Ok(())
}
