//! Subscriptions: what viewers are to a channel that they support.

use crate::{
    id::{AccountId, ChannelName, GiftBatchId},
    text::{AccountName, DisplayName, InviteLabel},
    unit::Timestamp,
};
use serde::{Deserialize, Serialize};

/// How much somebody supports a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum Tier {
    /// The first.
    One,
    /// The second.
    Two,
    /// The third.
    Three,
}

impl Tier {
    /// Every tier, the first one first.
    pub const ALL: [Self; 3] = [Self::One, Self::Two, Self::Three];

    /// 1 to 3.
    pub fn number(self) -> u8 {
        self as u8 + 1
    }

    /// From 1 to 3.
    pub fn of_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.number() == number)
    }

    /// What somebody of this tier gets; each has what those before it have.
    pub fn benefits(self) -> Benefits {
        Benefits { badge: true, emotes: true, ad_free: self >= Self::Three }
    }
}

/// What subscribers get beside the broadcasts that are for them alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Benefits {
    /// A badge of this tier beside their name in the channel's chat.
    pub badge: bool,
    /// The channel's own emotes that are for this tier or one below it.
    pub emotes: bool,
    /// No advertisement, should the channel show any.
    pub ad_free: bool,
}

/// The longest subscription that is given at once, in days.
pub const DAYS_MOST: u32 = 366;
/// The most gift codes that are made at once.
pub const CODES_MOST: u32 = 100;
/// The longest that gift codes can be redeemed, in days.
pub const CODE_DAYS_MOST: u32 = 366;
/// The most batches of gift codes of one channel.
pub const BATCHES_MOST: u32 = 200;

/// Somebody's own subscription to a channel: of `GET /api/v1/channels/{name}/subscription`, and in `GET
/// /api/v1/me/subscriptions`, which ends last first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    /// To which channel.
    pub channel: ChannelName,
    /// How much.
    pub tier: Tier,
    /// Since when.
    pub since: Timestamp,
    /// Until when.
    pub ends_at: Timestamp,
    /// What it brings.
    pub benefits: Benefits,
}

/// `GET /api/v1/channels/{name}/subscription`: what whoever asks has of it, and what there is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SubscriptionOffer {
    /// What whoever asks has now; null for nothing.
    pub own: Option<Subscription>,
    /// The tiers there are.
    pub tiers: Vec<TierOffer>,
}

/// A tier, and how it is come by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct TierOffer {
    /// Which.
    pub tier: Tier,
    /// What it brings.
    pub benefits: Benefits,
    /// Where it is paid for; null where its provider sells nothing, as the one that is built in.
    pub checkout_url: Option<String>,
}

/// Somebody who subscribes: `GET /api/v1/channels/{name}/subscribers`, a page, the latest end first. One who has two tiers is
/// there twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Subscriber {
    /// Their stable id.
    pub id: AccountId,
    /// What they sign in with.
    pub account: AccountName,
    /// What others see.
    pub name: DisplayName,
    /// How much.
    pub tier: Tier,
    /// Since when.
    pub since: Timestamp,
    /// Until when.
    pub ends_at: Timestamp,
}

/// `PUT /api/v1/channels/{name}/subscribers/{account}`: the owner gives somebody a tier. What they have of that tier already is
/// made longer. `DELETE` there ends what they have.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GrantSubscription {
    /// How much.
    pub tier: Tier,
    /// For how many days, 1 to 366.
    pub days: u32,
}

/// `POST /api/v1/channels/{name}/gift-codes`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateGiftCodes {
    /// What they are for, in the owner's words.
    #[serde(default)]
    pub label: InviteLabel,
    /// What each brings.
    pub tier: Tier,
    /// For how many days, 1 to 366.
    pub days: u32,
    /// How many, 1 to 100.
    pub count: u32,
    /// For how many days they can be redeemed, 1 to 366; 90 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redeem_within_days: Option<u32>,
}

/// Gift codes that were made together: `GET /api/v1/channels/{name}/gift-codes`, a page, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct GiftBatch {
    /// To withdraw them by.
    pub id: GiftBatchId,
    /// What they are for.
    pub label: InviteLabel,
    /// What each brings.
    pub tier: Tier,
    /// For how many days.
    pub days: u32,
    /// How many there are.
    pub count: u32,
    /// How many of them were redeemed.
    pub redeemed: u32,
    /// When they were made.
    pub created_at: Timestamp,
    /// Until when they can be redeemed.
    pub expires_at: Timestamp,
}

/// Gift codes that were just made. They are shown this once.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct NewGiftCodes {
    /// The batch.
    pub batch: GiftBatch,
    /// The codes, as people type them.
    pub codes: Vec<String>,
}

/// `POST /api/v1/me/subscriptions`: redeems a gift code for whoever asks. Answered with [`Subscription`]. Asked again by the same
/// person, it changes nothing and is answered with what they have.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RedeemCode {
    /// As it was typed; case and hyphens don't matter.
    pub code: String,
}

impl std::fmt::Debug for RedeemCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RedeemCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tier_has_what_those_before_it_have() {
        for (number, tier) in Tier::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(tier.number()), number + 1);
            assert_eq!(Tier::of_number(tier.number()), Some(tier));
        }
        assert_eq!((Tier::of_number(0), Tier::of_number(4)), (None, None));
        let of = |tier: Tier| {
            let Benefits { badge, emotes, ad_free } = tier.benefits();
            [badge, emotes, ad_free]
        };
        for (low, high) in Tier::ALL.into_iter().zip(Tier::ALL.into_iter().skip(1)) {
            assert!(of(low).into_iter().zip(of(high)).all(|(low, high)| high || !low));
        }
    }
}
