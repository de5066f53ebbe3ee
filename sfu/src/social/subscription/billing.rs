//! The port to whatever settles subscriptions: a shop, or the provider that is built in. Pure.
//!
//! A provider says what was settled under a name of its own, the [`Receipt`], and says the same when it is asked again. Each receipt
//! is credited once, so that an answer that got lost costs nobody anything and gives nobody anything twice.

use crate::store::StoreError;
use futures_util::future::BoxFuture;
use shared::{
    id::{AccountId, ChannelId, ChannelName},
    subscription::Tier,
    unit::Timestamp,
};

/// The provider's own name for something that was settled.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Receipt(Box<str>);

impl Receipt {
    /// `provider` keeps those of several apart; `name` is unique within one.
    pub fn new(provider: &str, name: &str) -> Self {
        Self(format!("{provider}:{name}").into())
    }

    /// By which provider.
    pub fn provider(&self) -> &str {
        self.0.split(':').next().unwrap_or_default()
    }

    /// As it is kept.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What somebody gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// By what.
    pub receipt: Receipt,
    /// Where.
    pub channel: ChannelId,
    /// How much.
    pub tier: Tier,
    /// For how many days.
    pub days: u32,
}

/// Why nothing was settled.
#[derive(Debug, thiserror::Error)]
pub enum Unsettled {
    /// It is none, was withdrawn, or somebody else's.
    #[error("this settles nothing")]
    Unknown,
    /// Somebody else used it.
    #[error("this was used already")]
    Used,
    /// It was good until before now.
    #[error("this is over")]
    Over,
    /// The store could not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Settles subscriptions.
pub trait Billing: Send + Sync + 'static {
    /// Where a tier of a channel is paid for; nowhere, if nothing is sold.
    fn checkout(&self, channel: &ChannelName, tier: Tier) -> Option<String>;

    /// What somebody gets for what they show: a gift code, or what a shop gave them. It is used up, and theirs alone.
    fn settle<'a>(
        &'a self,
        who: &'a AccountId,
        shown: &'a str,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Settled, Unsettled>>;

    /// The channel's owner ended what somebody had: nothing may be charged for it any more.
    fn ended<'a>(
        &'a self,
        channel: &'a ChannelId,
        who: &'a AccountId,
    ) -> BoxFuture<'a, Result<(), StoreError>>;
}
