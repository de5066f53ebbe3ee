//! Links to a new password in SQL.

use super::rules::Asked;
use crate::{
    account::store::column,
    secret::SecretHash,
    store::{
        Store, StoreError,
        audit::{self, Entry},
    },
};
use shared::{
    audit::AuditAction,
    id::AccountId,
    text::{AccountName, EmailAddress},
    unit::Timestamp,
};
use sqlx::{Any, Row, Transaction};

/// The most accounts that one address is of, as far as letters go.
const OF_ADDRESS: i64 = 5;

/// Somebody whom a letter reaches.
#[derive(Debug, Clone)]
pub struct Reached {
    /// Their account.
    pub account: AccountId,
    /// What they sign in with.
    pub name: AccountName,
    /// Where the letter goes.
    pub address: EmailAddress,
}

/// Reads and writes links to a new password.
#[derive(Debug, Clone)]
pub struct ResetStore(Store);

impl ResetStore {
    /// On this database.
    pub fn new(store: Store) -> Self {
        Self(store)
    }

    /// Those who are asked for, may sign in, and confirmed an address.
    pub async fn reached(&self, asked: &Asked) -> Result<Vec<Reached>, StoreError> {
        let (name, address) = asked.keys();
        let rows = sqlx::query(
            "SELECT accounts.id, accounts.name, emails.address
             FROM emails JOIN accounts ON accounts.id = emails.account_id
             WHERE emails.confirmed_at IS NOT NULL AND accounts.suspended_at IS NULL
             AND (accounts.name = $1 OR LOWER(emails.address) = $2)
             ORDER BY accounts.created_at, accounts.id LIMIT $3",
        )
        .bind(name)
        .bind(address)
        .bind(OF_ADDRESS)
        .fetch_all(self.0.pool())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Reached { account: column(row, 0)?, name: column(row, 1)?, address: column(row, 2)? })
            })
            .collect()
    }

    /// Writes a link, and clears away those that are over. `from_shell` has it on the record.
    pub async fn put(
        &self,
        account: &AccountId,
        token: &SecretHash,
        (now, expires_at): (Timestamp, Timestamp),
        from_shell: bool,
    ) -> Result<(), StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        sqlx::query("DELETE FROM password_resets WHERE expires_at <= $1")
            .bind(now.as_millis())
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "INSERT INTO password_resets (token_hash, account_id, created_at, expires_at)
             VALUES ($1, $2, $3, $4)",
        )
        .bind(token.to_hex())
        .bind(account.as_str())
        .bind(now.as_millis())
        .bind(expires_at.as_millis())
        .execute(&mut *transaction)
        .await?;
        if from_shell {
            let entry = Entry::new(AuditAction::PasswordLinkMade, None).to(account.as_str());
            audit::record(&mut transaction, entry).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Whose link it is, while it works.
    pub async fn of(&self, token: &SecretHash, now: Timestamp) -> Result<Option<AccountId>, StoreError> {
        let row = sqlx::query(
            "SELECT token_hash, account_id FROM password_resets WHERE token_hash = $1 AND expires_at > $2",
        )
        .bind(token.to_hex())
        .bind(now.as_millis())
        .fetch_optional(self.0.pool())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let kept: String = row.try_get(0)?;
        // Found by its hash, and compared once more in constant time.
        let is_it = SecretHash::from_hex(&kept).is_some_and(|kept| kept == *token);
        if is_it { column(&row, 1).map(Some) } else { Ok(None) }
    }

    /// Uses up a link, sets the new password, and ends every login and every other link of the account: all or nothing. False, if
    /// the link doesn't work any more, or its account is suspended.
    pub async fn redeem(
        &self,
        account: &AccountId,
        token: &SecretHash,
        password_hash: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        let used = sqlx::query(
            "DELETE FROM password_resets WHERE token_hash = $1 AND account_id = $2 AND expires_at > $3",
        )
        .bind(token.to_hex())
        .bind(account.as_str())
        .bind(now.as_millis())
        .execute(&mut *transaction)
        .await?;
        if used.rows_affected() == 0 || !set(&mut transaction, account, password_hash).await? {
            return Ok(false);
        }
        let entry = Entry::by_account(AuditAction::PasswordReset, Some(account)).to(account.as_str());
        audit::record(&mut transaction, entry).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Sets a password from the shell, in the same way; false if the account is suspended or gone.
    pub async fn set(&self, account: &AccountId, password_hash: &str) -> Result<bool, StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        if !set(&mut transaction, account, password_hash).await? {
            return Ok(false);
        }
        let entry = Entry::new(AuditAction::PasswordReset, None).to(account.as_str());
        audit::record(&mut transaction, entry).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

/// A new password, after which every login is over; passkeys, a provider and API tokens stay their owner's to end. False if the
/// account is suspended or gone.
async fn set(
    transaction: &mut Transaction<'_, Any>,
    account: &AccountId,
    password_hash: &str,
) -> Result<bool, StoreError> {
    let written =
        sqlx::query("UPDATE accounts SET password_hash = $2 WHERE id = $1 AND suspended_at IS NULL")
            .bind(account.as_str())
            .bind(password_hash)
            .execute(&mut **transaction)
            .await?;
    if written.rows_affected() == 0 {
        return Ok(false);
    }
    for statement in
        ["DELETE FROM logins WHERE account_id = $1", "DELETE FROM password_resets WHERE account_id = $1"]
    {
        sqlx::query(statement).bind(account.as_str()).execute(&mut **transaction).await?;
    }
    Ok(true)
}
