//! What a poll does by itself: its results are told while people vote, and it ends.

use crate::{
    chat::{commit::work::Work, feed::LiveRoom, service::Chat},
    fresh,
};
use shared::{id::PollId, poll::Poll};
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;

/// A poll's results are told so often while people vote.
const RESULTS: Duration = Duration::from_secs(1);

impl Chat {
    /// Ends a poll when its time is over.
    pub(in crate::chat) fn end_in_time(&self, room: Arc<LiveRoom>, poll: &Poll) {
        let (writer, id) = (self.0.writer.clone(), poll.id.clone());
        let wait = poll.ends_at.since(fresh::now());
        tokio::spawn(async move {
            sleep(wait).await;
            if let Err(error) = writer.write(room, Work::EndPoll(id), None).await {
                // The next time that the room is read from the database, it ends.
                tracing::warn!(%error, "a poll could not be ended");
            }
        });
    }

    /// Tells a poll's results within a second, however many vote.
    pub(in crate::chat) fn tell_results_soon(&self, room: Arc<LiveRoom>, id: PollId) {
        if room.rules().tells_results(true) {
            return;
        }
        let writer = self.0.writer.clone();
        tokio::spawn(async move {
            sleep(RESULTS).await;
            room.rules().tells_results(false);
            if let Err(error) = writer.write(room, Work::TellPoll(id), None).await {
                tracing::warn!(%error, "a poll's results could not be told");
            }
        });
    }
}
