//! API tokens in SQL.

use super::rules::TOKENS_MOST;
use crate::{
    account::store::{column, role, time},
    actor::Actor,
    page::{Place, Wanted},
    secret::SecretHash,
    store::{
        Store, StoreError,
        audit::{self, Entry},
    },
};
use shared::{
    account::{ApiToken, Scope},
    audit::AuditAction,
    id::{AccountId, TokenId},
    page::Page,
    unit::Timestamp,
};
use sqlx::{Row, any::AnyRow};

/// Reads and writes API tokens.
#[derive(Debug, Clone)]
pub struct TokenStore(Store);

/// A token that was looked up by its secret.
#[derive(Debug, Clone)]
pub struct Found {
    /// Whose.
    pub actor: Actor,
    /// The token.
    pub token: ApiToken,
}

fn scopes_text(scopes: &[Scope]) -> String {
    scopes.iter().map(|scope| crate::http::login::name_of(*scope)).collect::<Vec<_>>().join(" ")
}

fn scopes(text: &str) -> Result<Vec<Scope>, StoreError> {
    let scope = |name: &str| {
        let known = Scope::ALL.into_iter().find(|scope| crate::http::login::name_of(*scope) == name);
        known.ok_or_else(|| StoreError::Row(format!("the scope {name}")))
    };
    text.split(' ').filter(|name| !name.is_empty()).map(scope).collect()
}

/// From `id, label, scopes, created_at, last_used_at, expires_at`, behind `first` other columns.
fn token(row: &AnyRow, first: usize) -> Result<ApiToken, StoreError> {
    let optional = |index: usize| -> Result<Option<Timestamp>, StoreError> {
        Ok(row.try_get::<Option<i64>, _>(index)?.map(Timestamp::from_millis))
    };
    Ok(ApiToken {
        id: column(row, first)?,
        label: column(row, first + 1)?,
        scopes: scopes(&row.try_get::<String, _>(first + 2)?)?,
        created_at: time(row, first + 3)?,
        last_used_at: optional(first + 4)?,
        expires_at: optional(first + 5)?,
    })
}

impl TokenStore {
    /// On this database.
    pub fn new(store: Store) -> Self {
        Self(store)
    }

    /// Writes a new token; false if the account has as many as it may.
    pub async fn add(&self, by: &Actor, token: &ApiToken, hash: &SecretHash) -> Result<bool, StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        let added = sqlx::query(
            "INSERT INTO api_tokens (id, account_id, token_hash, label, scopes, created_at, expires_at)
             SELECT $1, $2, $3, $4, $5, $6, $7
             WHERE (SELECT COUNT(*) FROM api_tokens WHERE account_id = $2) < $8",
        )
        .bind(token.id.as_str())
        .bind(by.account.as_str())
        .bind(hash.to_hex())
        .bind(token.label.as_str())
        .bind(scopes_text(&token.scopes))
        .bind(token.created_at.as_millis())
        .bind(token.expires_at.map(Timestamp::as_millis))
        .bind(TOKENS_MOST)
        .execute(&mut *transaction)
        .await?;
        if added.rows_affected() == 0 {
            return Ok(false);
        }
        let entry = Entry::new(AuditAction::TokenMade, Some(by)).to(token.id.as_str());
        let entry = entry.called(token.label.as_str()).saying(scopes_text(&token.scopes));
        audit::record(&mut transaction, entry).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// The token with a secret, whether it is over or not.
    pub async fn by_secret(&self, hash: &SecretHash) -> Result<Option<Found>, StoreError> {
        let row = sqlx::query(
            "SELECT accounts.id, accounts.role, api_tokens.id, api_tokens.label, api_tokens.scopes,
             api_tokens.created_at, api_tokens.last_used_at, api_tokens.expires_at
             FROM api_tokens JOIN accounts ON accounts.id = api_tokens.account_id
             WHERE api_tokens.token_hash = $1 AND accounts.suspended_at IS NULL",
        )
        .bind(hash.to_hex())
        .fetch_optional(self.0.pool())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let actor = Actor { account: column(&row, 0)?, role: role(&row, 1)?, address: None };
        Ok(Some(Found { actor, token: token(&row, 2)? }))
    }

    /// Writes that a token was used.
    pub async fn touch(&self, id: &TokenId, at: Timestamp) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE api_tokens SET last_used_at = $2 WHERE id = $1 AND COALESCE(last_used_at, 0) < $2",
        )
        .bind(id.as_str())
        .bind(at.as_millis())
        .execute(self.0.pool())
        .await?;
        Ok(())
    }

    /// An account's tokens, newest first.
    pub async fn list(&self, account: &AccountId, wanted: &Wanted) -> Result<Page<ApiToken>, StoreError> {
        let (at, id) = wanted.before();
        let rows = sqlx::query(
            "SELECT id, label, scopes, created_at, last_used_at, expires_at FROM api_tokens
             WHERE account_id = $1 AND (created_at < $2 OR (created_at = $2 AND id < $3))
             ORDER BY created_at DESC, id DESC LIMIT $4",
        )
        .bind(account.as_str())
        .bind(at)
        .bind(id)
        .bind(wanted.rows())
        .fetch_all(self.0.pool())
        .await?;
        let tokens: Result<Vec<_>, _> = rows.iter().map(|row| token(row, 0)).collect();
        Ok(wanted.page(tokens?, |token| Place {
            at: token.created_at.as_millis(),
            id: token.id.as_str().to_owned(),
        }))
    }

    /// Ends one token of an account; whether there was one.
    pub async fn revoke(&self, by: &Actor, id: &TokenId) -> Result<bool, StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        let row = sqlx::query("DELETE FROM api_tokens WHERE id = $1 AND account_id = $2 RETURNING label")
            .bind(id.as_str())
            .bind(by.account.as_str())
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(row) = row else { return Ok(false) };
        let label: String = row.try_get(0)?;
        let entry = Entry::new(AuditAction::TokenRevoked, Some(by)).to(id.as_str());
        audit::record(&mut transaction, entry.called(&label)).await?;
        transaction.commit().await?;
        Ok(true)
    }
}
