//! What people do with API tokens, and what tokens do for programs.

use super::{
    rules::{self, ApiSecret},
    store::TokenStore,
};
use crate::{
    account::{
        join::service::runs_instance,
        rules::is_worth_a_write,
        service::{AccountError, Accounts},
    },
    actor::Actor,
    fresh,
    http::{
        endings::Endings,
        login::{SignedIn, Through},
    },
    page::Wanted,
    store::{Store, StoreError},
};
use shared::{
    account::{ApiToken, CreateApiToken, NewApiToken},
    id::{LoginId, TokenId},
    page::Page,
    unit::Timestamp,
};

/// Why something was not done with a token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It may do nothing.
    #[error("a token has at least one scope")]
    NoScope,
    /// Days that can't be.
    #[error("a token is good for 1 to {} days", rules::DAYS_MOST)]
    Days,
    /// The account has as many as it may.
    #[error("an account has at most {} tokens", rules::TOKENS_MOST)]
    TooMany,
    /// No such token of this account.
    #[error("there is no such token")]
    Unknown,
    /// They may not, or showed no proof that it is they.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The store could not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Accounts {
    /// Makes a token. One that runs the instance is for those who do, and who show that it is they: at a browser that was left
    /// it would be the whole instance, and with anybody else it would wait for the day that they help to run it.
    pub async fn create_token(
        &self,
        (who, login): (&Actor, &LoginId),
        mut request: CreateApiToken,
    ) -> Result<NewApiToken, TokenError> {
        let password = request.password.take();
        if rules::runs_instance(&request.scopes) {
            runs_instance(who)?;
            self.prove(who, login, password).await?;
        }
        self.tokens().create(who, request).await
    }
}

/// The service; cheap to clone.
#[derive(Debug, Clone)]
pub struct Tokens(TokenStore, Endings);

impl Tokens {
    /// On this database, telling there whose end.
    pub fn new(store: Store, endings: Endings) -> Self {
        Self(TokenStore::new(store), endings)
    }

    /// Makes a token, whatever it may do; its secret comes back this once.
    async fn create(&self, who: &Actor, request: CreateApiToken) -> Result<NewApiToken, TokenError> {
        let now = fresh::now();
        let token = ApiToken {
            id: fresh::id(),
            label: request.label,
            scopes: rules::scopes(request.scopes).ok_or(TokenError::NoScope)?,
            created_at: now,
            last_used_at: None,
            expires_at: rules::expiry(request.days, now).ok_or(TokenError::Days)?,
        };
        let secret = ApiSecret::from_random(fresh::bytes());
        if !self.0.add(who, &token, &secret.hash()).await? {
            return Err(TokenError::TooMany);
        }
        tracing::info!(account = %who.account, token = %token.id, "an API token was made");
        Ok(NewApiToken { token, secret: secret.reveal() })
    }

    /// A person's tokens, newest first.
    pub async fn list(&self, who: &Actor, wanted: &Wanted) -> Result<Page<ApiToken>, TokenError> {
        Ok(self.0.list(&who.account, wanted).await?)
    }

    /// Ends a token of this person.
    pub async fn revoke(&self, who: &Actor, id: &TokenId) -> Result<(), TokenError> {
        if !self.0.revoke(who, id).await? {
            return Err(TokenError::Unknown);
        }
        self.1.tell(&who.account);
        tracing::info!(account = %who.account, token = %id, "an API token was revoked");
        Ok(())
    }

    /// Whose a Bearer is.
    pub async fn look_up(&self, bearer: &str, now: Timestamp) -> Result<Option<SignedIn>, StoreError> {
        let Some(secret) = ApiSecret::parse(bearer) else { return Ok(None) };
        let Some(found) = self.0.by_secret(&secret.hash()).await? else { return Ok(None) };
        let ApiToken { id, scopes, last_used_at, expires_at, .. } = found.token;
        if rules::is_over(expires_at, now) {
            return Ok(None);
        }
        if last_used_at.is_none_or(|last| is_worth_a_write(last, now))
            && let Err(error) = self.0.touch(&id, now).await
        {
            // A full disk should not stop programs that read.
            tracing::warn!(%error, "the use of a token was not written");
        }
        Ok(Some(SignedIn { actor: found.actor, through: Through::Token { id, scopes } }))
    }
}
