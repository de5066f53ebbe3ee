//! The task that empties the outbox of e-mail: one letter at a time, as mail servers like it.

use super::service::Mail;
use crate::{
    fresh,
    notification::{
        delivery::task::{AGAIN, paused, until},
        service::Notifications,
    },
};
use std::time::Duration;
use tokio::sync::watch;

/// Sends letters as they are due, until the server stops.
pub async fn run(mail: Mail, notifications: Notifications, mut stopping: watch::Receiver<bool>) {
    let mut filled = notifications.outbox();
    loop {
        let now = fresh::now();
        let wait = match mail.deliver_next(now).await {
            Ok(true) => Duration::ZERO,
            Ok(false) => until(mail.next_due(now).await, now),
            Err(error) => {
                tracing::warn!(%error, "letters can't be read, or what became of one was not written");
                AGAIN
            }
        };
        if !paused(wait, &mut filled, &mut stopping).await {
            return;
        }
    }
}
