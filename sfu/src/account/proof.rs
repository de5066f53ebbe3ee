//! Whether it is the person themselves who asks for another way into their account, and not somebody at a browser that they left.

use super::service::{AccountError, Accounts};
use crate::{actor::Actor, fresh};
use shared::{id::LoginId, text::Password, unit::Timestamp};
use std::time::Duration;

/// Who signed in this recently needs no password.
pub const RECENTLY: Duration = Duration::from_secs(10 * 60);

/// Whether a login that was made then is recent enough now. One from the future is not: somebody set the clock back.
pub fn is_recent(signed_in_at: Timestamp, now: Timestamp) -> bool {
    signed_in_at <= now && now.since(signed_in_at) < RECENTLY
}

impl Accounts {
    /// Whether somebody signed in just now.
    ///
    /// # Errors
    /// What the store says.
    pub async fn signed_in_recently(&self, login: &LoginId) -> Result<bool, AccountError> {
        let at = self.profiles.signed_in_at(login).await?;
        Ok(at.is_some_and(|at| is_recent(at, fresh::now())))
    }

    /// That they signed in just now, or know the password.
    ///
    /// # Errors
    /// [`AccountError::PasswordNeeded`] where neither was shown, [`AccountError::NotThePassword`] for a wrong one,
    /// [`AccountError::SignInAgain`] where the account has none, and [`AccountError::TooMany`].
    pub async fn prove(
        &self,
        who: &Actor,
        login: &LoginId,
        password: Option<Password>,
    ) -> Result<(), AccountError> {
        if self.signed_in_recently(login).await? {
            return Ok(());
        }
        let account = self.store.by_id(&who.account).await?.ok_or(AccountError::SignedOut)?;
        let hash = self.profiles.password_hash(&who.account).await?;
        if hash.as_deref() == Some("") {
            return Err(AccountError::SignInAgain);
        }
        let password = password.ok_or(AccountError::PasswordNeeded)?;
        // Guessed here, a password is as good as at the sign-in.
        let failed = || self.threats.failed(Some(&account.name), who.address);
        self.limits.take_name(&account.name).inspect_err(|_| failed())?;
        if !self.hasher.verify(password, hash).await? {
            failed();
            return Err(AccountError::NotThePassword);
        }
        self.limits.forget_name(&account.name);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_asked_for_ten_minutes_after_signing_in() {
        let at = |seconds: i64| Timestamp::from_millis(1_000_000_000 + seconds * 1000);
        assert!(is_recent(at(0), at(0)) && is_recent(at(0), at(599)));
        assert!(!is_recent(at(0), at(600)) && !is_recent(at(0), at(100_000)));
        assert!(!is_recent(at(1), at(0)), "the clock was set back");
    }
}
