//! New passwords for those who forgot theirs, step by step.

use super::{
    rules::{self, Asked},
    store::Reached,
};
use crate::{
    account::{
        service::{AccountError, Accounts},
        store::Account,
    },
    fresh,
    limit::{Limiter, Rate, network_of},
    secret::Secret,
    settle::settle,
    store::StoreError,
};
use shared::{
    id::AccountId,
    text::{AccountName, Password},
};
use std::{
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::Semaphore;

/// A household or an office shares an address, and few of it forget at once.
const OF_NETWORK: Rate = Rate { burst: 10, every: Duration::from_secs(60) };
/// Nobody's mailbox is filled by this, whoever asks.
const OF_PERSON: Rate = Rate { burst: 3, every: Duration::from_secs(20 * 60) };
/// Wishes that are looked at at once; beyond, one is left out.
const ASKED_MOST: usize = 64;

/// The service; cheap to clone.
#[derive(Clone)]
pub struct PasswordResets {
    accounts: Accounts,
    since: Instant,
    networks: Arc<Mutex<Limiter<IpAddr>>>,
    people: Arc<Mutex<Limiter<Asked>>>,
    /// By address, as one is asked for by two names.
    mailboxes: Arc<Mutex<Limiter<String>>>,
    room: Arc<Semaphore>,
}

impl PasswordResets {
    /// For these accounts.
    pub fn new(accounts: Accounts) -> Self {
        Self {
            accounts,
            since: Instant::now(),
            networks: Arc::new(Mutex::new(Limiter::new(OF_NETWORK))),
            people: Arc::new(Mutex::new(Limiter::new(OF_PERSON))),
            mailboxes: Arc::new(Mutex::new(Limiter::new(OF_PERSON))),
            room: Arc::new(Semaphore::new(ASKED_MOST)),
        }
    }

    /// Has a letter sent to whoever is asked for, if there is anybody. Done before it is known whether there is.
    pub fn ask(&self, asked: &str, address: Option<IpAddr>) -> Result<(), AccountError> {
        if !self.accounts.letters.as_ref().is_some_and(|letters| letters.are_sent()) {
            return Err(AccountError::NoLetters);
        }
        let too_many = |wait| AccountError::TooMany { wait };
        let now = self.since.elapsed();
        if let Some(address) = address {
            let mut networks = self.networks.lock().unwrap_or_else(PoisonError::into_inner);
            networks.take(&network_of(address), now).map_err(too_many)?;
        }
        let Some(asked) = Asked::parse(asked) else { return Ok(()) };
        self.people.lock().unwrap_or_else(PoisonError::into_inner).take(&asked, now).map_err(too_many)?;
        let resets = self.clone();
        tokio::spawn(async move {
            let Ok(_room) = resets.room.clone().try_acquire_owned() else {
                return tracing::warn!("a letter for a new password was left out: too many wait already");
            };
            if let Err(error) = resets.write(&asked).await {
                tracing::warn!(%error, "a letter for a new password was not written");
            }
        });
        Ok(())
    }

    async fn write(&self, asked: &Asked) -> Result<(), StoreError> {
        for Reached { account, address } in self.accounts.resets.reached(asked).await? {
            let mailbox = address.as_str().to_ascii_lowercase();
            let taken = {
                let mut mailboxes = self.mailboxes.lock().unwrap_or_else(PoisonError::into_inner);
                mailboxes.take(&mailbox, self.since.elapsed())
            };
            if taken.is_ok() && !self.accounts.resets.queue(&account, fresh::now()).await? {
                tracing::warn!("a letter for a new password was left out: too many wait already");
            }
        }
        Ok(())
    }

    /// Sets a new password by the link of a letter, once. Every login ends.
    pub async fn reset(
        &self,
        token: &str,
        password: Password,
        address: Option<IpAddr>,
    ) -> Result<(), AccountError> {
        let accounts = &self.accounts;
        accounts.limits.take_address(address)?;
        let stale = || {
            accounts.threats.failed(None, address);
            AccountError::StaleReset
        };
        let token = Secret::parse(token.trim()).ok_or_else(stale)?.hash();
        // Asked before a password is hashed, which is what costs.
        let account = accounts.resets.of(&token, fresh::now()).await?.ok_or_else(stale)?;
        let hash = accounts.hasher.hash(password, fresh::bytes()).await?;
        let accounts = accounts.clone();
        // Whoever asked may go away: what goes on by the old password ends all the same.
        settle(async move {
            if !accounts.resets.redeem(&account, &token, &hash, fresh::now()).await? {
                return Err(AccountError::StaleReset);
            }
            tracing::info!(%account, "a password was set anew by a link");
            accounts.password_was_changed(&account).await;
            Ok(())
        })
        .await
    }
}

impl Accounts {
    /// Ends what goes on by logins that are over now, and tells whose password is another one.
    pub(in crate::account) async fn password_was_changed(&self, account: &AccountId) {
        self.endings.tell(account);
        if let Ok(Some(known)) = self.store.by_id(account).await {
            // Who guessed before keeps nobody out who has a new one.
            self.limits.forget_name(&known.name);
        }
        if let Some(warns) = &self.warns
            && let Err(error) = warns.password_changed(account).await
        {
            tracing::warn!(%error, %account, "they were not told that their password was changed");
        }
    }

    async fn somebody(&self, name: &AccountName) -> Result<Account, AccountError> {
        let account = self.by_name(name).await?.ok_or(AccountError::UnknownPerson)?;
        if account.is_suspended { Err(AccountError::Suspended) } else { Ok(account) }
    }

    /// A link to a new password, as the shell hands it out.
    pub async fn reset_link(&self, name: &AccountName) -> Result<Secret, AccountError> {
        let account = self.somebody(name).await?;
        let (secret, now) = (Secret::from_random(fresh::bytes()), fresh::now());
        self.resets.put(&account.id, &secret.hash(), (now, rules::expires(now)), true).await?;
        Ok(secret)
    }

    /// Sets somebody's password from the shell. Every login ends.
    pub async fn set_password_of(&self, name: &AccountName, password: Password) -> Result<(), AccountError> {
        let account = self.somebody(name).await?;
        let hash = self.hasher.hash(password, fresh::bytes()).await?;
        if !self.resets.set(&account.id, &hash).await? {
            return Err(AccountError::Suspended);
        }
        self.password_was_changed(&account.id).await;
        Ok(())
    }
}
