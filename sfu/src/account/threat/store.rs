//! What the record says of sign-ins, who is told of alerts, and where people signed in from, in SQL.

use super::rules::Places;
use crate::{
    account::store::column,
    actor::Actor,
    store::{
        Store, StoreError,
        audit::{self, Entry},
    },
};
use shared::{audit::AuditAction, id::AccountId, unit::Timestamp};
use sqlx::{AnyConnection, Row};

/// Networks that are remembered of one person, and devices; those that were used longest ago go.
const PLACES_MOST: i64 = 40;
/// The most people who are told of an alert.
const TOLD_MOST: i64 = 200;

/// Reads and writes it.
#[derive(Debug, Clone)]
pub(super) struct ThreatStore(Store);

impl ThreatStore {
    /// On this database.
    pub(super) fn new(store: Store) -> Self {
        Self(store)
    }

    /// What places are salted with: this, if nothing was kept before.
    pub(super) async fn salt(&self, new: &str) -> Result<String, StoreError> {
        sqlx::query(
            "INSERT INTO sign_in_salt (only_row, salt) VALUES (1, $1) ON CONFLICT (only_row) DO NOTHING",
        )
        .bind(new)
        .execute(self.0.pool())
        .await?;
        let row =
            sqlx::query("SELECT salt FROM sign_in_salt WHERE only_row = 1").fetch_one(self.0.pool()).await?;
        Ok(row.try_get(0)?)
    }

    /// Somebody signed in, in this way.
    pub(super) async fn signed_in(&self, who: &Actor, way: &str) -> Result<(), StoreError> {
        let entry = Entry::new(AuditAction::AccountSignedIn, Some(who)).to(who.account.as_str());
        self.write(entry.saying(format!("by {way}"))).await
    }

    /// What the server saw by itself.
    pub(super) async fn saw(&self, action: AuditAction, words: &str) -> Result<(), StoreError> {
        self.write(Entry::new(action, None).saying(words)).await
    }

    async fn write(&self, entry: Entry<'_>) -> Result<(), StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        audit::record(&mut transaction, entry).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Those who run the instance.
    pub(super) async fn runners(&self) -> Result<Vec<AccountId>, StoreError> {
        let rows = sqlx::query(
            "SELECT id FROM accounts WHERE role IN ('owner', 'admin') AND suspended_at IS NULL ORDER BY id LIMIT $1",
        )
        .bind(TOLD_MOST)
        .fetch_all(self.0.pool())
        .await?;
        rows.iter().map(|row| column(row, 0)).collect()
    }

    /// Remembers from where somebody signs in; what was known of it before.
    pub(super) async fn been(
        &self,
        account: &AccountId,
        (network, device): (Option<&str>, &str),
        at: Timestamp,
    ) -> Result<Places, StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        let is_device = touch(&mut transaction, account, ("device", device), at).await?;
        let is_network = match network {
            Some(network) => touch(&mut transaction, account, ("network", network), at).await?,
            None => true,
        };
        let row = sqlx::query("SELECT COUNT(*) FROM sign_in_places WHERE account_id = $1 AND last_at < $2")
            .bind(account.as_str())
            .bind(at.as_millis())
            .fetch_one(&mut *transaction)
            .await?;
        let before: i64 = row.try_get(0)?;
        for kind in ["network", "device"] {
            sqlx::query(
                "DELETE FROM sign_in_places WHERE account_id = $1 AND kind = $2 AND hash NOT IN (
                     SELECT hash FROM sign_in_places WHERE account_id = $1 AND kind = $2
                     ORDER BY last_at DESC, hash LIMIT $3)",
            )
            .bind(account.as_str())
            .bind(kind)
            .bind(PLACES_MOST)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(Places { has_been: before > 0, network: is_network, device: is_device })
    }
}

/// Writes that something was used; whether it was known.
async fn touch(
    connection: &mut AnyConnection,
    account: &AccountId,
    (kind, hash): (&str, &str),
    at: Timestamp,
) -> Result<bool, StoreError> {
    let known = sqlx::query(
        "UPDATE sign_in_places SET last_at = $4 WHERE account_id = $1 AND kind = $2 AND hash = $3",
    )
    .bind(account.as_str())
    .bind(kind)
    .bind(hash)
    .bind(at.as_millis())
    .execute(&mut *connection)
    .await?;
    if known.rows_affected() > 0 {
        return Ok(true);
    }
    // Who signs in twice at once writes it twice.
    sqlx::query(
        "INSERT INTO sign_in_places (account_id, kind, hash, last_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (account_id, kind, hash) DO UPDATE SET last_at = excluded.last_at",
    )
    .bind(account.as_str())
    .bind(kind)
    .bind(hash)
    .bind(at.as_millis())
    .execute(connection)
    .await?;
    Ok(false)
}
