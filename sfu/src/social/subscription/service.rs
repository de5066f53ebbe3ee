//! Subscriptions, step by step.

use super::{
    Channels, Heard,
    billing::{Billing, Receipt, Settled, Unsettled},
    code::GiftCode,
    gift::store::GiftStore,
    rules::{self, OutOfRange, Term},
    store::{self, SubscriptionStore},
};
use crate::{
    actor::{Actor, Visitor},
    fresh,
    http::problem::ProblemResponse,
    limit::{Limiter, Rate, network_of},
    page::Wanted,
    settle::settle,
    store::{Store, StoreError},
};
use shared::{
    id::{AccountId, ChannelId, ChannelName, GiftBatchId},
    page::Page,
    subscription::{
        CreateGiftCodes, GiftBatch, GrantSubscription, NewGiftCodes, Subscriber, Subscription,
        SubscriptionOffer, Tier, TierOffer,
    },
    text::AccountName,
};
use std::{
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Who mistypes has some tries; a code of 100 bits is not found by so many.
const TRIES: Rate = Rate { burst: 10, every: Duration::from_secs(30) };
/// Each rings somewhere: enough for a raffle, and too few to pester anybody with.
const GRANTS: Rate = Rate { burst: 100, every: Duration::from_secs(10) };
/// What receipts of owners' own giving begin with.
const GRANT: &str = "grant";

/// Why somebody doesn't subscribe, or nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum SubscriptionError {
    /// The code or receipt brings nothing.
    #[error(transparent)]
    Unsettled(#[from] Unsettled),
    /// A number that can't be.
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
    /// Too many tries.
    #[error("too many tries: wait before the next")]
    TooMany {
        /// How long.
        wait: Duration,
    },
    /// Nobody has an account of this name.
    #[error("there is nobody of this name")]
    UnknownAccount,
    /// They have no subscription.
    #[error("they don't subscribe")]
    NotSubscribed,
    /// As many batches of codes as a channel has.
    #[error("there are too many batches of codes")]
    TooManyBatches,
    /// No such batch.
    #[error("there is no such batch of codes")]
    UnknownBatch,
    /// The channel says no.
    #[error("the channel can't be subscribed to")]
    Refused(ProblemResponse),
    /// The store could not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Taster {
    Account(AccountId),
    Network(Option<IpAddr>),
}

/// The service; cheap to clone.
#[derive(Clone)]
pub struct Subscriptions {
    store: SubscriptionStore,
    gifts: GiftStore,
    billing: Arc<dyn Billing>,
    channels: Arc<dyn Channels>,
    heard: Arc<dyn Heard>,
    since: Instant,
    tries: Arc<Mutex<Limiter<Taster>>>,
    given: Arc<Mutex<Limiter<AccountId>>>,
}

impl Subscriptions {
    /// On this database, settled by `billing`.
    pub fn new(
        store: Store,
        billing: Arc<dyn Billing>,
        channels: Arc<dyn Channels>,
        heard: Arc<dyn Heard>,
    ) -> Self {
        Self {
            store: SubscriptionStore::new(store.clone()),
            gifts: GiftStore::new(store),
            billing,
            channels,
            heard,
            since: Instant::now(),
            tries: Arc::new(Mutex::new(Limiter::new(TRIES))),
            given: Arc::new(Mutex::new(Limiter::new(GRANTS))),
        }
    }

    /// What whoever asks has of a channel, and what there is.
    pub async fn offer(
        &self,
        who: Visitor<'_>,
        name: &ChannelName,
    ) -> Result<SubscriptionOffer, SubscriptionError> {
        let channel = self.channels.seen(who, name).await.map_err(SubscriptionError::Refused)?;
        let own = match who.actor {
            Some(who) => {
                let terms = self.store.terms(&channel, &who.account).await?;
                rules::highest(&terms, fresh::now()).map(|one| store::subscription(name.clone(), one))
            }
            None => None,
        };
        let tiers = Tier::ALL.into_iter().map(|tier| TierOffer {
            tier,
            benefits: tier.benefits(),
            checkout_url: self.billing.checkout(name, tier),
        });
        Ok(SubscriptionOffer { own, tiers: tiers.collect() })
    }

    /// What somebody subscribes to, the latest end first.
    pub async fn of(&self, who: &Actor, wanted: &Wanted) -> Result<Page<Subscription>, SubscriptionError> {
        Ok(self.store.of(&who.account, wanted, fresh::now()).await?)
    }

    /// Redeems what somebody shows. Redeemed by them before, it changes nothing, and they are told what they have.
    pub async fn redeem(
        &self,
        who: &Actor,
        shown: String,
        address: Option<IpAddr>,
    ) -> Result<Subscription, SubscriptionError> {
        let tasters = [Taster::Account(who.account.clone()), Taster::Network(address.map(network_of))];
        self.take(&tasters)?;
        let (this, account) = (self.clone(), who.account.clone());
        let subscription = settle(async move {
            let settled = this.billing.settle(&account, &shown, fresh::now()).await?;
            this.credit(None, &account, &settled).await
        })
        .await?;
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        tasters.iter().for_each(|taster| tries.give_back(taster));
        Ok(subscription)
    }

    fn take(&self, tasters: &[Taster]) -> Result<(), SubscriptionError> {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.since.elapsed();
        tasters
            .iter()
            .try_for_each(|taster| tries.take(taster, now))
            .map_err(|wait| SubscriptionError::TooMany { wait })
    }

    /// Credits what was settled, and tells of it if there is anything new.
    async fn credit(
        &self,
        by: Option<&Actor>,
        account: &AccountId,
        settled: &Settled,
    ) -> Result<Subscription, SubscriptionError> {
        let (now, channel, tier) = (fresh::now(), &settled.channel, settled.tier);
        let credited = self.store.credit(by, account, settled, now).await?;
        let name = self.channels.name(channel).await?.ok_or(Unsettled::Unknown)?;
        if credited.is_new && credited.before.is_none_or(|before| before < tier) {
            let subscribers = self.store.count(channel, now).await?;
            self.heard.subscribed(&name, channel, account, tier, subscribers);
        }
        if credited.is_new && by.is_some() {
            let gift = (settled.receipt.as_str(), tier, settled.days);
            self.heard.given(channel, account, gift).await;
        }
        let terms = self.store.terms(channel, account).await?;
        // What they show brought this tier, whatever else they have; if it ended since, what is left.
        let running = |(of, term): &&(Tier, Term)| *of == tier && term.runs(now);
        let one = terms.iter().find(running).copied().or_else(|| rules::highest(&terms, now));
        Ok(store::subscription(name, one.ok_or(Unsettled::Over)?))
    }

    fn give(&self, who: &Actor) -> Result<(), SubscriptionError> {
        let mut gifts = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        gifts.take(&who.account, self.since.elapsed()).map_err(|wait| SubscriptionError::TooMany { wait })
    }

    async fn granted(&self, who: &Actor, name: &ChannelName) -> Result<ChannelId, SubscriptionError> {
        self.channels.granted(who, name).await.map_err(SubscriptionError::Refused)
    }

    /// Who subscribes to a channel, the latest end first.
    pub async fn subscribers(
        &self,
        who: &Actor,
        name: &ChannelName,
        wanted: &Wanted,
    ) -> Result<Page<Subscriber>, SubscriptionError> {
        let channel = self.granted(who, name).await?;
        Ok(self.store.subscribers(&channel, wanted, fresh::now()).await?)
    }

    /// Gives somebody a tier.
    pub async fn grant(
        &self,
        who: &Actor,
        name: &ChannelName,
        account: &AccountName,
        grant: GrantSubscription,
    ) -> Result<Subscription, SubscriptionError> {
        let channel = self.granted(who, name).await?;
        let days = rules::days(grant.days)?;
        self.give(who)?;
        let account = self.store.account(account).await?.ok_or(SubscriptionError::UnknownAccount)?;
        let (this, by) = (self.clone(), who.clone());
        settle(async move {
            let name: GiftBatchId = fresh::id();
            let receipt = Receipt::new(GRANT, name.as_str());
            this.credit(Some(&by), &account, &Settled { receipt, channel, tier: grant.tier, days }).await
        })
        .await
    }

    /// Ends all that somebody has of a channel.
    pub async fn end(
        &self,
        who: &Actor,
        name: &ChannelName,
        account: &AccountName,
    ) -> Result<(), SubscriptionError> {
        let channel = self.granted(who, name).await?;
        let account = self.store.account(account).await?.ok_or(SubscriptionError::UnknownAccount)?;
        let (this, by) = (self.clone(), who.clone());
        settle(async move {
            let had = this.store.end(&by, &channel, &account).await?;
            // Asked again after something failed, it is done to its end all the same.
            this.billing.ended(&channel, &account).await?;
            this.channels.ended(&channel, &account).await?;
            if !had {
                return Err(SubscriptionError::NotSubscribed);
            }
            this.heard.ended(&channel, &account).await;
            Ok(())
        })
        .await
    }

    /// Makes gift codes, which come back this once.
    pub async fn make_codes(
        &self,
        who: &Actor,
        name: &ChannelName,
        wanted: CreateGiftCodes,
    ) -> Result<NewGiftCodes, SubscriptionError> {
        let channel = self.granted(who, name).await?;
        let now = fresh::now();
        let expires_at = rules::codes_expire(&wanted, now)?;
        let codes: Vec<GiftCode> = (0..wanted.count).map(|_| GiftCode::from_random(fresh::bytes())).collect();
        let hashes: Vec<_> = codes.iter().map(GiftCode::hash).collect();
        let batch = GiftBatch {
            id: fresh::id(),
            label: wanted.label,
            tier: wanted.tier,
            days: wanted.days,
            count: wanted.count,
            redeemed: 0,
            created_at: now,
            expires_at,
        };
        if !self.gifts.add(who, &channel, &batch, &hashes).await? {
            return Err(SubscriptionError::TooManyBatches);
        }
        Ok(NewGiftCodes { batch, codes: codes.iter().map(GiftCode::reveal).collect() })
    }

    /// A channel's batches of codes, newest first.
    pub async fn batches(
        &self,
        who: &Actor,
        name: &ChannelName,
        wanted: &Wanted,
    ) -> Result<Page<GiftBatch>, SubscriptionError> {
        let channel = self.granted(who, name).await?;
        Ok(self.gifts.batches(&channel, wanted).await?)
    }

    /// Withdraws the codes of a batch that nobody redeemed.
    pub async fn withdraw(
        &self,
        who: &Actor,
        name: &ChannelName,
        batch: &GiftBatchId,
    ) -> Result<(), SubscriptionError> {
        let channel = self.granted(who, name).await?;
        if self.gifts.withdraw(who, &channel, batch).await? {
            Ok(())
        } else {
            Err(SubscriptionError::UnknownBatch)
        }
    }
}
