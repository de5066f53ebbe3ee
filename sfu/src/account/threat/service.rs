//! What looks like an attack, step by step.

use super::{
    rules::{self, Alert, Watch},
    store::ThreatStore,
};
use crate::{
    account::Warns,
    actor::Actor,
    fresh,
    limit::{Limiter, Rate, network_of},
    secret::Secret,
    store::{Store, StoreError},
};
use shared::{
    audit::AuditAction,
    id::AccountId,
    text::{AccountName, DeviceLabel},
};
use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::{
    sync::{OnceCell, watch},
    time::sleep,
};

/// Sign-ins of one person that the record has in a row, and after which time one more: nobody fills the disk with their own.
const RECORDED: Rate = Rate { burst: 20, every: Duration::from_secs(10 * 60) };
/// How often it is looked whether the record is to say something.
const EVERY: Duration = Duration::from_secs(20);

/// How somebody comes to sign in.
#[derive(Debug, Clone, Copy)]
pub struct Came<'a> {
    /// What their browser says it is.
    pub user_agent: &'a str,
    /// From where; kept in memory alone.
    pub address: Option<IpAddr>,
    /// The same, where the instance keeps it.
    pub kept_address: Option<IpAddr>,
}

/// Watches sign-ins; cheap to clone.
#[derive(Clone)]
pub struct Threats(Arc<Inner>);

struct Inner {
    store: ThreatStore,
    since: Instant,
    watch: Mutex<Watch>,
    recorded: Mutex<Limiter<AccountId>>,
    salt: OnceCell<String>,
    warns: Mutex<Option<Arc<dyn Warns>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Threats {
    /// On this database.
    pub fn new(store: Store) -> Self {
        Self(Arc::new(Inner {
            store: ThreatStore::new(store),
            since: Instant::now(),
            watch: Mutex::default(),
            recorded: Mutex::new(Limiter::new(RECORDED)),
            salt: OnceCell::new(),
            warns: Mutex::default(),
        }))
    }

    /// From now on people are told.
    pub fn warning(&self, warns: Arc<dyn Warns>) {
        *lock(&self.0.warns) = Some(warns);
    }

    fn now(&self) -> Duration {
        self.0.since.elapsed()
    }

    /// Nobody was let in: into whose account they wanted, if they said so, and from where.
    pub fn failed(&self, name: Option<&AccountName>, address: Option<IpAddr>) {
        let alerts = lock(&self.0.watch).failed(name, address.map(network_of), self.now());
        alerts.into_iter().for_each(|alert| self.raise(alert));
    }

    /// The same, as somebody whom there isn't.
    pub fn failed_as_nobody(&self, name: &AccountName, address: Option<IpAddr>) {
        let alert = lock(&self.0.watch).failed_as(Some(name), address.map(network_of), self.now());
        alert.into_iter().for_each(|alert| self.raise(alert));
    }

    /// Somebody made an account.
    pub fn signed_up(&self) {
        let alert = lock(&self.0.watch).signed_up(self.now());
        alert.into_iter().for_each(|alert| self.raise(alert));
    }

    /// A stream key was wrong.
    pub fn wrong_key(&self) {
        let alert = lock(&self.0.watch).wrong_key(self.now());
        alert.into_iter().for_each(|alert| self.raise(alert));
    }

    /// Somebody signed in. That this could not be written down keeps nobody out.
    pub async fn signed_in(&self, who: &Actor, way: &str, device: &DeviceLabel, came: Came<'_>) {
        let is_recorded = lock(&self.0.recorded).take(&who.account, self.now()).is_ok();
        if is_recorded && let Err(error) = self.0.store.signed_in(who, way).await {
            tracing::warn!(%error, account = %who.account, "a sign-in could not be written down");
        }
        if let Err(error) = self.look(who, device, came).await {
            tracing::warn!(%error, account = %who.account, "it could not be seen whether somebody signed in from elsewhere");
        }
    }

    async fn look(&self, who: &Actor, device: &DeviceLabel, came: Came<'_>) -> Result<(), StoreError> {
        let made = || async { self.0.store.salt(&Secret::from_random(fresh::bytes()).reveal()).await };
        let salt = self.0.salt.get_or_try_init(made).await?;
        let network =
            came.address.map(|address| rules::mark(salt, &who.account, &network_of(address).to_string()));
        let mark = rules::mark(salt, &who.account, device.as_str());
        let places = self.0.store.been(&who.account, (network.as_deref(), &mark), fresh::now()).await?;
        let warns = lock(&self.0.warns).clone();
        match warns.filter(|_| places.is_strange()) {
            Some(warns) => warns.signed_in_elsewhere(&who.account, device).await,
            None => Ok(()),
        }
    }

    /// Tells those who run the instance, beside whatever raised it.
    fn raise(&self, alert: Alert) {
        tracing::warn!(kind = ?alert.kind, detail = alert.detail, "an alert was raised");
        let threats = self.clone();
        tokio::spawn(async move {
            if let Err(error) = threats.tell(&alert).await {
                tracing::warn!(%error, kind = ?alert.kind, "somebody was not told of an alert");
            }
        });
    }

    async fn tell(&self, alert: &Alert) -> Result<(), StoreError> {
        let Alert { title, detail, .. } = alert;
        self.0.store.saw(AuditAction::Alerted, &format!("{title}: {detail}")).await?;
        let Some(warns) = lock(&self.0.warns).clone() else { return Ok(()) };
        for who in self.0.store.runners().await? {
            warns.alerted(&who, title, detail).await?;
        }
        Ok(())
    }

    /// Writes down now and then how many sign-ins failed, until the server stops.
    pub async fn run(self, mut stopping: watch::Receiver<bool>) {
        loop {
            let stops = tokio::select! {
                () = sleep(EVERY) => false,
                _ = stopping.wait_for(|stopping| *stopping) => true,
            };
            let counted = lock(&self.0.watch).counted(self.now(), stops);
            if let Some(failures) = counted
                && let Err(error) = self.0.store.saw(AuditAction::SignInsFailed, &failures.words()).await
            {
                tracing::warn!(%error, "failed sign-ins could not be written down");
            }
            if stops {
                return;
            }
        }
    }
}
