//! Gift codes as what settles subscriptions.

use super::store::{Found, GiftStore};
use crate::{
    social::subscription::{
        billing::{Billing, Receipt, Settled, Unsettled},
        code::GiftCode,
    },
    store::StoreError,
};
use futures_util::{FutureExt, future::BoxFuture};
use shared::{
    id::{AccountId, ChannelId, ChannelName},
    subscription::Tier,
    unit::Timestamp,
};

/// What receipts of this provider begin with.
pub const PROVIDER: &str = "gift";

/// See the module.
#[derive(Debug, Clone)]
pub struct BuiltIn(GiftStore);

impl BuiltIn {
    /// With these codes.
    pub fn new(store: GiftStore) -> Self {
        Self(store)
    }
}

impl Billing for BuiltIn {
    fn checkout(&self, _: &ChannelName, _: Tier) -> Option<String> {
        None
    }

    fn settle<'a>(
        &'a self,
        who: &'a AccountId,
        shown: &'a str,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Settled, Unsettled>> {
        async move {
            let hash = GiftCode::parse(shown).ok_or(Unsettled::Unknown)?.hash();
            match self.0.redeem(&hash, who, now).await? {
                Found::Theirs { channel, tier, days } => {
                    let receipt = Receipt::new(PROVIDER, &hash.to_hex());
                    Ok(Settled { receipt, channel, tier, days })
                }
                Found::Others => Err(Unsettled::Used),
                Found::Over => Err(Unsettled::Over),
                Found::Nothing => Err(Unsettled::Unknown),
            }
        }
        .boxed()
    }

    fn ended<'a>(&'a self, _: &'a ChannelId, _: &'a AccountId) -> BoxFuture<'a, Result<(), StoreError>> {
        // What was a gift costs nobody anything.
        async { Ok(()) }.boxed()
    }
}
