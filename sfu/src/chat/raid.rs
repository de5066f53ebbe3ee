//! Raids: who watches one channel is sent on to another, which is told who comes.

pub mod routes;
pub mod task;

use super::{
    Place,
    commit::work::{Done, Work},
    error::ChatError,
    feed::LiveRoom,
    service::{Chat, person_of},
};
use crate::{
    actor::{Actor, Visitor},
    fresh,
    permission::Permission,
};
use shared::{
    id::ChannelName,
    moderation::ActionKind,
    raid::{NewRaid, RAID_SECONDS, Raid},
    unit::Timestamp,
};
use std::sync::Arc;

impl Chat {
    /// Says that a raid leaves soon.
    pub async fn start_raid(
        &self,
        who: &Actor,
        channel: &ChannelName,
        new: NewRaid,
    ) -> Result<Raid, ChatError> {
        let moderated = self.allowed(who, channel, Permission::Raid).await?;
        let (target, _) = self.raid_target(&moderated.place, &new.to).await?;
        let now = fresh::now();
        let leaves_at = Timestamp::from_millis(now.as_millis() + i64::from(RAID_SECONDS) * 1000);
        let raid = Raid { to: target.name, name: target.display_name, leaves_at };
        let act = moderated.act(ActionKind::Raid).saying(raid.to.to_string());
        match self.write(&moderated, Work::StartRaid(Box::new(raid.clone())), act).await? {
            Done::Nothing => {
                let wait = moderated.room.rules().raids().wait(now).unwrap_or_default();
                Err(ChatError::RaidTooSoon { wait })
            }
            _ => {
                self.leave_in_time(moderated.place, moderated.room, raid.clone());
                Ok(raid)
            }
        }
    }

    /// Calls a raid off that hasn't left.
    pub async fn end_raid(&self, who: &Actor, channel: &ChannelName) -> Result<(), ChatError> {
        let moderated = self.allowed(who, channel, Permission::Raid).await?;
        let act = moderated.act(ActionKind::EndRaid);
        match self.write(&moderated, Work::EndRaid, act).await? {
            Done::Nothing => Err(ChatError::NoRaid),
            _ => Ok(()),
        }
    }

    /// Where a raid goes, if it may go there: anybody may see it, both are live, and it doesn't keep the sender out.
    pub(super) async fn raid_target(
        &self,
        from: &Place,
        to: &ChannelName,
    ) -> Result<(Place, Arc<LiveRoom>), ChatError> {
        let target = self.place(Visitor::default(), to).await?;
        let is_live = |place: &Place| self.0.ports.surroundings.broadcast(&place.channel).is_some();
        if target.channel == from.channel {
            return Err(ChatError::Invalid { field: "to", detail: "A raid goes to another channel." });
        }
        if !is_live(from) {
            return Err(ChatError::RaidNotLive("A raid leaves while your channel is live. Go live first."));
        }
        if !is_live(&target) {
            return Err(ChatError::RaidNotLive("That channel isn't live. Choose one that is."));
        }
        let room = self.room(&target).await?;
        let sender = from.owner.as_ref().and_then(person_of);
        let is_barred = {
            let mut rules = room.rules();
            !rules.settings().raids || sender.is_some_and(|sender| rules.bans().holds(&sender, None))
        };
        if is_barred { Err(ChatError::RaidRefused) } else { Ok((target, room)) }
    }
}
