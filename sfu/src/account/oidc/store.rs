//! Whom a provider names, in SQL.

use crate::{
    account::{
        join::{rules::Way, store::enter},
        store::{Account, column, time},
    },
    actor::Actor,
    store::{
        Store, StoreError,
        audit::{self, Entry},
    },
};
use shared::{audit::AuditAction, id::AccountId, unit::Timestamp};
use sqlx::{AnyConnection, AssertSqlSafe, Row};

/// Somebody at a provider: known again by the first two.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// The provider.
    pub issuer: &'a str,
    /// Who, there.
    pub subject: &'a str,
    /// What it calls them.
    pub known_as: &'a str,
    /// What people call the provider.
    pub provider: &'a str,
}

/// What is known of an account's connection.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Since when, and as whom; `None` if there is none.
    pub connected: Option<(Timestamp, String)>,
    /// Whether there is another way to sign in.
    pub has_other_way: bool,
    /// Whether there is a password.
    pub has_password: bool,
}

/// Reads and writes connections.
#[derive(Debug, Clone)]
pub struct OidcStore(Store);

/// Whether the account `$1` can be signed in to without a provider.
const OTHER_WAY: &str = "EXISTS (SELECT 1 FROM accounts WHERE id = $1 AND password_hash <> '')";

async fn insert(
    connection: &mut AnyConnection,
    account: &AccountId,
    named: Named<'_>,
    at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO oidc_identities (issuer, subject, account_id, known_as, created_at)
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(named.issuer)
    .bind(named.subject)
    .bind(account.as_str())
    .bind(named.known_as)
    .bind(at.as_millis())
    .execute(connection)
    .await?;
    Ok(())
}

impl OidcStore {
    /// On this database.
    pub fn new(store: Store) -> Self {
        Self(store)
    }

    /// Whose account it is.
    pub async fn account_of(&self, issuer: &str, subject: &str) -> Result<Option<AccountId>, StoreError> {
        let row = sqlx::query("SELECT account_id FROM oidc_identities WHERE issuer = $1 AND subject = $2")
            .bind(issuer)
            .bind(subject)
            .fetch_optional(self.0.pool())
            .await?;
        row.map(|row| column(&row, 0)).transpose()
    }

    /// Makes an account for somebody, by the invite that it takes: all of it or nothing. False if the invite doesn't work.
    ///
    /// # Errors
    /// [`StoreError::Taken`] if the name is somebody's, or they have an account already.
    pub async fn join(
        &self,
        way: &Way,
        by: &Actor,
        account: &Account,
        named: Named<'_>,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        if !enter(&mut transaction, way, account, "", at).await? {
            return Ok(false);
        }
        insert(&mut transaction, &account.id, named, at).await?;
        let entry = Entry::new(AuditAction::AccountJoined, Some(by)).to(account.id.as_str());
        audit::record(&mut transaction, entry.saying(format!("by {}", named.provider))).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Connects an account.
    ///
    /// # Errors
    /// [`StoreError::Taken`] if one of the two is connected already.
    pub async fn connect(&self, by: &Actor, named: Named<'_>, at: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        insert(&mut transaction, &by.account, named, at).await?;
        let entry = Entry::new(AuditAction::AccountConnected, Some(by)).to(by.account.as_str());
        audit::record(&mut transaction, entry.saying(said(named.provider, named.known_as))).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Ends an account's connection, unless it is the only way to sign in; whether there was one that could be ended.
    pub async fn disconnect(&self, by: &Actor, issuer: &str, provider: &str) -> Result<bool, StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        let gone = sqlx::query(AssertSqlSafe(format!(
            "DELETE FROM oidc_identities WHERE account_id = $1 AND issuer = $2 AND {OTHER_WAY} RETURNING known_as"
        )))
        .bind(by.account.as_str())
        .bind(issuer)
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(gone) = gone else { return Ok(false) };
        let known_as: String = gone.try_get(0)?;
        let entry = Entry::new(AuditAction::AccountDisconnected, Some(by)).to(by.account.as_str());
        audit::record(&mut transaction, entry.saying(said(provider, &known_as))).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// How an account is connected.
    pub async fn connection(&self, account: &AccountId, issuer: &str) -> Result<Connection, StoreError> {
        let row = sqlx::query(
            "SELECT created_at, known_as FROM oidc_identities WHERE account_id = $1 AND issuer = $2",
        )
        .bind(account.as_str())
        .bind(issuer)
        .fetch_optional(self.0.pool())
        .await?;
        let connected = row.map(|row| Ok::<_, StoreError>((time(&row, 0)?, row.try_get(1)?))).transpose()?;
        let ways = sqlx::query(AssertSqlSafe(format!(
            "SELECT CASE WHEN {OTHER_WAY} THEN 1 ELSE 0 END, CASE WHEN password_hash <> '' THEN 1 ELSE 0 END
             FROM accounts WHERE id = $1"
        )))
        .bind(account.as_str())
        .fetch_optional(self.0.pool())
        .await?;
        let is = |index: usize| -> Result<bool, StoreError> {
            let number: Option<i64> = ways.as_ref().map(|row| row.try_get(index)).transpose()?;
            Ok(number == Some(1))
        };
        Ok(Connection { connected, has_other_way: is(0)?, has_password: is(1)? })
    }
}

fn said(provider: &str, known_as: &str) -> String {
    if known_as.is_empty() { provider.to_owned() } else { format!("{provider}, as {known_as}") }
}
