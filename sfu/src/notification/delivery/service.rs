//! Browsers that are told by push, step by step.

use super::store::DeliveryStore;
use crate::{
    actor::Actor,
    fresh,
    http::outgoing::Outgoing,
    notification::push::{BrowserKeys, Vapid},
    store::{Store, StoreError},
};
use prometheus_client::{metrics::counter::Counter, registry::Registry};
use shared::{
    id::{LoginId, PushId},
    notification::{AddPush, PushBrowser, PushKey},
    text::DeviceLabel,
};
use std::sync::Arc;

/// Why a browser is not told by push.
#[derive(Debug, thiserror::Error)]
pub enum PushBrowserError {
    /// The push service's address can't be called.
    #[error("the push service's address can't be used")]
    Endpoint,
    /// The browser's keys are none.
    #[error("the browser's keys can't be used")]
    Keys,
    /// As many as an account may have.
    #[error("an account has at most {} such browsers", super::store::BROWSERS_MOST)]
    TooMany,
    /// No such browser of this account.
    #[error("there is no such browser")]
    Unknown,
    /// The store could not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The service; cheap to clone.
#[derive(Clone)]
pub struct Push(Arc<Inner>);

struct Inner {
    store: DeliveryStore,
    outgoing: Outgoing,
    vapid: Vapid,
    contact: String,
    delivered: Counter,
    failed: Counter,
}

impl Push {
    /// On this database, with its own key. `contact` is where whoever runs a push service finds whoever runs this server.
    pub async fn new(store: Store, outgoing: Outgoing, contact: String) -> Result<Self, StoreError> {
        let store = DeliveryStore::new(store);
        let made = std::iter::repeat_with(|| Vapid::new(fresh::bytes())).find_map(Result::ok);
        let made = made.ok_or_else(|| StoreError::Row("no key".to_owned()))?;
        let vapid = store.vapid(&made).await?;
        let (delivered, failed) = (Counter::default(), Counter::default());
        Ok(Self(Arc::new(Inner { store, outgoing, vapid, contact, delivered, failed })))
    }

    pub(super) fn store(&self) -> &DeliveryStore {
        &self.0.store
    }

    pub(super) fn outgoing(&self) -> &Outgoing {
        &self.0.outgoing
    }

    pub(super) fn vapid(&self) -> &Vapid {
        &self.0.vapid
    }

    pub(super) fn contact(&self) -> &str {
        &self.0.contact
    }

    pub(super) fn count(&self, is_delivered: bool) {
        let counter = if is_delivered { &self.0.delivered } else { &self.0.failed };
        counter.inc();
    }

    /// Counts messages there.
    pub fn register(&self, registry: &mut Registry) {
        let Inner { delivered, failed, .. } = &*self.0;
        registry.register("push_delivered", "Messages that push services took", delivered.clone());
        registry.register("push_failed", "Tries at a message that failed", failed.clone());
    }

    /// A key for something else, which is the server's own and lasts.
    pub fn key_for(&self, purpose: &str) -> [u8; 32] {
        self.0.vapid.derived(purpose)
    }

    /// What browsers subscribe with.
    pub fn key(&self) -> PushKey {
        PushKey { key: self.0.vapid.public() }
    }

    /// Tells a browser from now on.
    pub async fn add(
        &self,
        who: (&Actor, &LoginId),
        request: AddPush,
        device: DeviceLabel,
    ) -> Result<PushBrowser, PushBrowserError> {
        let AddPush { endpoint, keys } = request;
        self.0.outgoing.check(&endpoint).map_err(|_| PushBrowserError::Endpoint)?;
        BrowserKeys::parse(&keys.p256dh, &keys.auth).ok_or(PushBrowserError::Keys)?;
        let browser = PushBrowser { id: fresh::id(), device, created_at: fresh::now() };
        let keys = (keys.p256dh.as_str(), keys.auth.as_str());
        let added = self.0.store.add((&who.0.account, who.1), &browser, &endpoint, keys).await?;
        if added { Ok(browser) } else { Err(PushBrowserError::TooMany) }
    }

    /// A person's browsers, newest first.
    pub async fn browsers(&self, who: &Actor) -> Result<Vec<PushBrowser>, PushBrowserError> {
        Ok(self.0.store.browsers(&who.account).await?)
    }

    /// Stops telling a browser.
    pub async fn remove(&self, who: &Actor, id: &PushId) -> Result<(), PushBrowserError> {
        let found = self.0.store.remove(&who.account, id).await?;
        if found { Ok(()) } else { Err(PushBrowserError::Unknown) }
    }
}
