//! What people do with passkeys, step by step.

use super::{
    rules::{self, Challenges},
    store::{Added, PasskeyStore},
    webauthn::{self, Adding, Party, SigningIn},
};
use crate::{
    account::{
        PasskeyChange, device,
        service::{AccountError, Accounts},
        threat::service::Came,
    },
    actor::Actor,
    fresh,
    limit::{Limiter, Rate, network_of},
    page::Wanted,
    secret::Secret,
    store::{Store, StoreError},
};
use serde_json::Value;
use shared::{
    account::Me,
    id::{AccountId, LoginId, PasskeyId},
    page::Page,
    passkey::{AddPasskey, Passkey, PasskeyOptions, StartPasskey},
    text::PasskeyLabel,
};
use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Why something was not done with a passkey.
#[derive(Debug, thiserror::Error)]
pub enum PasskeyError {
    /// The site has no name in its address.
    #[error("browsers take passkeys for a site with a name alone")]
    NoName,
    /// What should be a browser's answer isn't.
    #[error("this is no answer of a browser")]
    Unreadable,
    /// Its challenge was never put, was answered, is over, or was put to somebody else.
    #[error("this was asked too long ago, or was answered already")]
    Stale,
    /// What a browser made doesn't hold.
    #[error("the passkey can't be taken")]
    Refused,
    /// It is on an account already.
    #[error("this passkey is in use already")]
    Known,
    /// The account has as many as it may.
    #[error("an account has at most {} passkeys", rules::PASSKEYS_MOST)]
    TooMany,
    /// No such passkey of this account.
    #[error("there is no such passkey")]
    Unknown,
    /// Nobody is signed in with it: why is not told.
    #[error("this passkey doesn't work here")]
    Wrong,
    /// Its counter went back: there may be a copy of it. Told as [`Self::Wrong`].
    #[error("this passkey may have been copied")]
    Copied,
    /// What is kept can't be read.
    #[error("what is kept of a passkey can't be read")]
    Broken,
    /// As with every way to sign in.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The store could not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Challenges cost memory: as many tries from one address as somebody needs who can't decide.
const ASKING: Rate = Rate { burst: 30, every: Duration::from_secs(2) };
/// And of one account to add a passkey.
const ADDING: Rate = Rate { burst: 40, every: Duration::from_secs(5) };

/// Passkeys, and what waits for an answer; cheap to clone.
#[derive(Clone)]
pub struct Passkeys {
    store: PasskeyStore,
    open: Arc<Open>,
}

/// What waits for an answer, in memory alone: after a restart, people ask again.
struct Open {
    since: Instant,
    adding: Mutex<Challenges<(AccountId, LoginId, Adding)>>,
    signing_in: Mutex<Challenges<SigningIn>>,
    addresses: Mutex<Limiter<IpAddr>>,
    accounts: Mutex<Limiter<AccountId>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn too_many(wait: Duration) -> PasskeyError {
    AccountError::TooMany { wait }.into()
}

impl Passkeys {
    /// On this database.
    pub fn new(store: Store) -> Self {
        let open = Open {
            since: Instant::now(),
            adding: Mutex::new(Challenges::new(rules::CHALLENGES_MOST)),
            signing_in: Mutex::new(Challenges::new(rules::CHALLENGES_MOST)),
            addresses: Mutex::new(Limiter::new(ASKING)),
            accounts: Mutex::new(Limiter::new(ADDING)),
        };
        Self { store: PasskeyStore::new(store), open: Arc::new(open) }
    }

    fn now(&self) -> Duration {
        self.open.since.elapsed()
    }

    /// A person's passkeys, newest first.
    pub async fn list(&self, who: &Actor, wanted: &Wanted) -> Result<Page<Passkey>, PasskeyError> {
        Ok(self.store.list(&who.account, wanted).await?)
    }

    /// Gives one another name.
    pub async fn rename(
        &self,
        who: &Actor,
        id: &PasskeyId,
        label: &PasskeyLabel,
    ) -> Result<Passkey, PasskeyError> {
        self.store.rename(&who.account, id, label).await?.ok_or(PasskeyError::Unknown)
    }
}

impl Accounts {
    /// What a browser needs to make a passkey for this person.
    pub async fn start_passkey(
        &self,
        (who, login): (&Actor, &LoginId),
        request: StartPasskey,
        base_url: &str,
    ) -> Result<PasskeyOptions, PasskeyError> {
        let party = Party::at(base_url).ok_or(PasskeyError::NoName)?;
        let now = self.passkeys.now();
        lock(&self.passkeys.open.accounts).take(&who.account, now).map_err(too_many)?;
        self.prove(who, login, request.password).await?;
        let account = self.by_id(&who.account).await?.ok_or(AccountError::SignedOut)?;
        let known = self.passkeys.store.keys(&who.account).await?;
        if known.len() as i64 >= rules::PASSKEYS_MOST {
            return Err(PasskeyError::TooMany);
        }
        let (challenge, adding, public_key) = webauthn::start_adding(&party, &account, &known)?;
        let waiting = (who.account.clone(), login.clone(), adding);
        lock(&self.passkeys.open.adding).put(challenge, waiting, now);
        Ok(PasskeyOptions { public_key })
    }

    /// Adds the passkey that a browser made.
    pub async fn add_passkey(
        &self,
        (who, login): (&Actor, &LoginId),
        request: AddPasskey,
        (base_url, user_agent): (&str, &str),
    ) -> Result<Passkey, PasskeyError> {
        let party = Party::at(base_url).ok_or(PasskeyError::NoName)?;
        let (challenge, registration) = webauthn::read_registration(&request.credential)?;
        let waiting = lock(&self.passkeys.open.adding).take(challenge, self.passkeys.now());
        let (account, asked_by, adding) = waiting.ok_or(PasskeyError::Stale)?;
        if account != who.account || asked_by != *login {
            return Err(PasskeyError::Stale);
        }
        let key = webauthn::finish_adding(&party, adding, &registration)?;
        let by_device = || device::label(user_agent).as_str().parse::<PasskeyLabel>();
        let passkey = Passkey {
            id: fresh::id(),
            label: request.label.map_or_else(by_device, Ok).map_err(|_| PasskeyError::Broken)?,
            created_at: fresh::now(),
            last_used_at: None,
        };
        match self.passkeys.store.add(who, &passkey, &key).await? {
            Added::Done => {}
            Added::Known => return Err(PasskeyError::Known),
            Added::TooMany => return Err(PasskeyError::TooMany),
        }
        tracing::info!(account = %who.account, passkey = %passkey.id, "a passkey was added");
        self.warn_of_passkey(&who.account, &passkey.label, PasskeyChange::Added).await;
        Ok(passkey)
    }

    /// Removes a passkey of this person. Who signed in with it stays signed in.
    pub async fn remove_passkey(&self, who: &Actor, id: &PasskeyId) -> Result<(), PasskeyError> {
        let label = self.passkeys.store.remove(who, id).await?.ok_or(PasskeyError::Unknown)?;
        tracing::info!(account = %who.account, passkey = %id, "a passkey was removed");
        self.warn_of_passkey(&who.account, &label, PasskeyChange::Removed).await;
        Ok(())
    }

    async fn warn_of_passkey(&self, who: &AccountId, label: &PasskeyLabel, change: PasskeyChange) {
        if let Some(warns) = &self.warns
            && let Err(error) = warns.passkeys_changed(who, label, change).await
        {
            tracing::warn!(%error, account = %who, "they were not told of a passkey");
        }
    }

    /// What a browser needs to sign somebody in. It is the same for everybody, whether they have a passkey or not.
    pub fn start_passkey_sign_in(
        &self,
        base_url: &str,
        address: Option<IpAddr>,
    ) -> Result<PasskeyOptions, PasskeyError> {
        let party = Party::at(base_url).ok_or(PasskeyError::NoName)?;
        let now = self.passkeys.now();
        if let Some(address) = address {
            lock(&self.passkeys.open.addresses).take(&network_of(address), now).map_err(too_many)?;
        }
        let (challenge, signing_in, public_key) = webauthn::start_signing_in(&party)?;
        lock(&self.passkeys.open.signing_in).put(challenge, signing_in, now);
        Ok(PasskeyOptions { public_key })
    }

    /// Signs in who proves that they have a passkey. There is no name to count tries by, and nothing to guess: addresses are
    /// counted with those that try passwords.
    pub async fn sign_in_with_passkey(
        &self,
        credential: &Value,
        base_url: &str,
        came: Came<'_>,
    ) -> Result<(Me, Secret), PasskeyError> {
        let signed_in = self.try_passkey(credential, base_url, came).await;
        if let Err(PasskeyError::Wrong | PasskeyError::Copied | PasskeyError::Refused) = &signed_in {
            self.threats.failed(None, came.address);
        }
        signed_in
    }

    async fn try_passkey(
        &self,
        credential: &Value,
        base_url: &str,
        came: Came<'_>,
    ) -> Result<(Me, Secret), PasskeyError> {
        let party = Party::at(base_url).ok_or(PasskeyError::NoName)?;
        self.limits.take_address(came.address)?;
        let (challenge, assertion) = webauthn::read_assertion(credential)?;
        let waiting = lock(&self.passkeys.open.signing_in).take(challenge, self.passkeys.now());
        let signing_in = waiting.ok_or(PasskeyError::Stale)?;
        let found = self.passkeys.store.by_credential(&webauthn::credential_id(&assertion)).await?;
        let found = found.ok_or(PasskeyError::Wrong)?;
        let proof = webauthn::finish_signing_in(&party, signing_in, &assertion, (&found.owner, &found.key));
        let state = proof.inspect_err(|error| {
            if matches!(error, PasskeyError::Copied) {
                let (account, passkey) = (&found.owner, &found.id);
                tracing::warn!(%account, %passkey, "a passkey's counter went back: it may have been copied");
            }
        })?;
        let account = self.by_id(&found.owner).await?.ok_or(PasskeyError::Wrong)?;
        // Told to those alone who have a passkey.
        if account.is_suspended {
            return Err(AccountError::Suspended.into());
        }
        if !self.passkeys.store.used(&found, &state, fresh::now()).await? {
            return Err(PasskeyError::Wrong);
        }
        Ok(self.sign_in_as(account, None, "passkey", came).await?)
    }
}
