//! A raid's leaving, when its time has come.

use crate::{
    chat::{
        Place,
        commit::work::{Arrival, Work},
        error::ChatError,
        feed::LiveRoom,
        service::Chat,
    },
    fresh,
};
use shared::raid::Raid;
use std::sync::Arc;
use tokio::time::sleep;

impl Chat {
    /// Tells the channel that is raided who comes, unless the raid is called off meanwhile. A server that stops before
    /// tells nobody: those who watch go all the same, as their pages know when.
    pub(in crate::chat) fn leave_in_time(&self, from: Place, room: Arc<LiveRoom>, raid: Raid) {
        let chat = self.clone();
        tokio::spawn(async move {
            sleep(raid.leaves_at.since(fresh::now())).await;
            if room.rules().raids().last() != Some(&raid) {
                return;
            }
            if let Err(error) = chat.arrive(&from, &raid).await {
                tracing::warn!(%error, "a raid was not told where it went");
            }
        });
    }

    async fn arrive(&self, from: &Place, raid: &Raid) -> Result<(), ChatError> {
        let (_, room) = self.raid_target(from, &raid.to).await?;
        let viewers = self.0.ports.surroundings.viewers(&from.channel);
        let arrival = Arrival {
            from: from.name.clone(),
            from_channel: from.channel.clone(),
            name: from.display_name.clone(),
            raid: raid.clone(),
            viewers,
        };
        self.0.writer.write(room, Work::Raided(Box::new(arrival)), None).await?;
        Ok(())
    }
}
