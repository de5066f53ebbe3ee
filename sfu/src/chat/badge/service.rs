//! Pictures for subscribers' badges, step by step.

use crate::{
    actor::{Actor, Visitor},
    chat::{
        commit::work::{Done, Work},
        error::ChatError,
        service::Chat,
    },
    permission::Permission,
};
use shared::{
    badge::NewBadge, chat::BadgePicture, id::ChannelName, moderation::ActionKind, subscription::Tier,
};

impl Chat {
    /// A channel's own, by tier.
    pub async fn badge_pictures(
        &self,
        who: Visitor<'_>,
        channel: &ChannelName,
    ) -> Result<Vec<BadgePicture>, ChatError> {
        let place = self.place(who, channel).await?;
        Ok(self.0.store.badges(&place.channel).await?)
    }

    /// Shows a picture for a tier's badge, made of what is uploaded.
    pub async fn set_badge(
        &self,
        who: &Actor,
        channel: &ChannelName,
        tier: Tier,
        new: &NewBadge,
    ) -> Result<BadgePicture, ChatError> {
        let moderated = self.allowed(who, channel, Permission::EditChannel).await?;
        let picture = Box::new(self.picture(&who.account, &new.image).await?);
        let url = picture.url();
        let act = moderated.act(ActionKind::SetBadge).saying(format!("tier {}", tier.number()));
        self.write(&moderated, Work::SetBadge(tier, picture), act).await?;
        Ok(BadgePicture { tier, url })
    }

    /// Shows what every channel has for it again.
    pub async fn remove_badge(
        &self,
        who: &Actor,
        channel: &ChannelName,
        tier: Tier,
    ) -> Result<(), ChatError> {
        let moderated = self.allowed(who, channel, Permission::EditChannel).await?;
        let act = moderated.act(ActionKind::RemoveBadge).saying(format!("tier {}", tier.number()));
        match self.write(&moderated, Work::RemoveBadge(tier), act).await? {
            Done::Nothing => Err(ChatError::NoBadge),
            _ => Ok(()),
        }
    }
}
