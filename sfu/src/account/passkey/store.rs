//! Passkeys in SQL.

use super::{rules::PASSKEYS_MOST, webauthn::Key};
use crate::{
    account::store::{column, time},
    actor::Actor,
    page::{Place, Wanted},
    store::{
        Store, StoreError,
        audit::{self, Entry},
    },
};
use shared::{
    audit::AuditAction,
    id::{AccountId, PasskeyId},
    page::Page,
    passkey::Passkey,
    text::PasskeyLabel,
    unit::Timestamp,
};
use sqlx::{Row, any::AnyRow};

/// Reads and writes passkeys.
#[derive(Debug, Clone)]
pub struct PasskeyStore(Store);

/// A passkey that somebody signs in with.
#[derive(Debug, Clone)]
pub struct Found {
    /// Which.
    pub id: PasskeyId,
    /// Whose.
    pub owner: AccountId,
    /// What it is checked against.
    pub key: Key,
}

/// What became of a passkey that was to be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It is there.
    Done,
    /// It was there before, of this account or another.
    Known,
    /// The account has as many as it may.
    TooMany,
}

/// From `id, label, created_at, last_used_at`.
fn passkey(row: &AnyRow) -> Result<Passkey, StoreError> {
    Ok(Passkey {
        id: column(row, 0)?,
        label: column(row, 1)?,
        created_at: time(row, 2)?,
        last_used_at: row.try_get::<Option<i64>, _>(3)?.map(Timestamp::from_millis),
    })
}

/// From `credential_id, public_key, key_state, transports`, behind `first` other columns.
fn key(row: &AnyRow, first: usize) -> Result<Key, StoreError> {
    let transports: i64 = row.try_get(first + 3)?;
    Ok(Key {
        credential_id: row.try_get(first)?,
        public_key: row.try_get(first + 1)?,
        state: row.try_get(first + 2)?,
        transports: transports.try_into().map_err(|_| StoreError::Row(format!("the ways {transports}")))?,
    })
}

impl PasskeyStore {
    /// On this database.
    pub fn new(store: Store) -> Self {
        Self(store)
    }

    /// Writes a new passkey.
    pub async fn add(&self, by: &Actor, passkey: &Passkey, key: &Key) -> Result<Added, StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        // Written, so that two that are added at once are counted one after the other.
        sqlx::query("UPDATE accounts SET role = role WHERE id = $1")
            .bind(by.account.as_str())
            .execute(&mut *transaction)
            .await?;
        let has: i64 = sqlx::query("SELECT COUNT(*) FROM passkeys WHERE account_id = $1")
            .bind(by.account.as_str())
            .fetch_one(&mut *transaction)
            .await?
            .try_get(0)?;
        if has >= PASSKEYS_MOST {
            return Ok(Added::TooMany);
        }
        let added = sqlx::query(
            "INSERT INTO passkeys
             (id, account_id, credential_id, public_key, key_state, transports, label, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (credential_id) DO NOTHING",
        )
        .bind(passkey.id.as_str())
        .bind(by.account.as_str())
        .bind(&key.credential_id)
        .bind(&key.public_key)
        .bind(&key.state)
        .bind(i64::from(key.transports))
        .bind(passkey.label.as_str())
        .bind(passkey.created_at.as_millis())
        .execute(&mut *transaction)
        .await?;
        if added.rows_affected() == 0 {
            return Ok(Added::Known);
        }
        let entry = Entry::new(AuditAction::PasskeyAdded, Some(by)).to(passkey.id.as_str());
        audit::record(&mut transaction, entry.called(passkey.label.as_str())).await?;
        transaction.commit().await?;
        Ok(Added::Done)
    }

    /// An account's passkeys, newest first.
    pub async fn list(&self, account: &AccountId, wanted: &Wanted) -> Result<Page<Passkey>, StoreError> {
        let (at, id) = wanted.before();
        let rows = sqlx::query(
            "SELECT id, label, created_at, last_used_at FROM passkeys
             WHERE account_id = $1 AND (created_at < $2 OR (created_at = $2 AND id < $3))
             ORDER BY created_at DESC, id DESC LIMIT $4",
        )
        .bind(account.as_str())
        .bind(at)
        .bind(id)
        .bind(wanted.rows())
        .fetch_all(self.0.pool())
        .await?;
        let passkeys: Result<Vec<_>, _> = rows.iter().map(passkey).collect();
        Ok(wanted.page(passkeys?, |passkey| Place {
            at: passkey.created_at.as_millis(),
            id: passkey.id.as_str().to_owned(),
        }))
    }

    /// What an account's authenticators have already.
    pub async fn keys(&self, account: &AccountId) -> Result<Vec<Key>, StoreError> {
        let rows = sqlx::query(
            "SELECT credential_id, public_key, key_state, transports FROM passkeys WHERE account_id = $1",
        )
        .bind(account.as_str())
        .fetch_all(self.0.pool())
        .await?;
        rows.iter().map(|row| key(row, 0)).collect()
    }

    /// By what its authenticator calls it.
    pub async fn by_credential(&self, credential_id: &str) -> Result<Option<Found>, StoreError> {
        let row = sqlx::query(
            "SELECT id, account_id, credential_id, public_key, key_state, transports FROM passkeys
             WHERE credential_id = $1",
        )
        .bind(credential_id)
        .fetch_optional(self.0.pool())
        .await?;
        let found = |row: AnyRow| -> Result<_, StoreError> {
            Ok(Found { id: column(&row, 0)?, owner: column(&row, 1)?, key: key(&row, 2)? })
        };
        row.map(found).transpose()
    }

    /// Writes that a passkey was used. False, if it was used or removed since it was read.
    pub async fn used(&self, found: &Found, state: &str, at: Timestamp) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE passkeys SET key_state = $3, last_used_at = $4 WHERE id = $1 AND key_state = $2",
        )
        .bind(found.id.as_str())
        .bind(&found.key.state)
        .bind(state)
        .bind(at.as_millis())
        .execute(self.0.pool())
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Gives a passkey of an account another name; what it is then, if there is one.
    pub async fn rename(
        &self,
        account: &AccountId,
        id: &PasskeyId,
        label: &PasskeyLabel,
    ) -> Result<Option<Passkey>, StoreError> {
        let row = sqlx::query(
            "UPDATE passkeys SET label = $3 WHERE id = $1 AND account_id = $2
             RETURNING id, label, created_at, last_used_at",
        )
        .bind(id.as_str())
        .bind(account.as_str())
        .bind(label.as_str())
        .fetch_optional(self.0.pool())
        .await?;
        row.as_ref().map(passkey).transpose()
    }

    /// Removes a passkey of an account; what it was called, if there was one.
    pub async fn remove(&self, by: &Actor, id: &PasskeyId) -> Result<Option<PasskeyLabel>, StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        let row = sqlx::query("DELETE FROM passkeys WHERE id = $1 AND account_id = $2 RETURNING label")
            .bind(id.as_str())
            .bind(by.account.as_str())
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let label: PasskeyLabel = column(&row, 0)?;
        let entry = Entry::new(AuditAction::PasskeyRemoved, Some(by)).to(id.as_str());
        audit::record(&mut transaction, entry.called(label.as_str())).await?;
        transaction.commit().await?;
        Ok(Some(label))
    }
}
