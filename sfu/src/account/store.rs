//! Accounts and logins in SQL.

use super::{profile::store::address, rules};
use crate::{
    actor::Actor,
    page::{Place, Wanted},
    secret::SecretHash,
    store::{Store, StoreError, erase},
};
use shared::{
    account::Role,
    badge::NameColour,
    id::{AccountId, LoginId},
    page::Page,
    text::{AccountName, Bio, DeviceLabel, DisplayName},
    unit::Timestamp,
};
use sqlx::{
    Any, Row,
    any::{AnyArguments, AnyRow},
    query::Query,
};
use std::str::FromStr;

/// An account as it is kept.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its stable id.
    pub id: AccountId,
    /// What the person signs in with.
    pub name: AccountName,
    /// What others see.
    pub display_name: DisplayName,
    /// What they say of themselves.
    pub bio: Bio,
    /// The address of their picture, if they have one.
    pub avatar: Option<String>,
    /// The colour of their name, if they chose one.
    pub colour: Option<NameColour>,
    /// What it may do.
    pub role: Role,
    /// They may not sign in.
    pub is_suspended: bool,
}

impl Account {
    /// One that was just made.
    pub fn new(id: AccountId, name: AccountName, display_name: DisplayName, role: Role) -> Self {
        let (bio, avatar, colour) = (Bio::default(), None, None);
        Self { id, name, display_name, bio, avatar, colour, role, is_suspended: false }
    }
}

/// A login as it is kept.
#[derive(Debug, Clone)]
pub struct LoginRow {
    /// To revoke it by.
    pub id: LoginId,
    /// The browser.
    pub device: DeviceLabel,
    /// When it signed in.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Timestamp,
}

/// What an unused set-up link leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// The account is made.
    Made,
    /// The token is not the current one, or was used.
    Stale,
}

/// Reads and writes accounts.
#[derive(Debug, Clone)]
pub struct AccountStore(pub(super) Store);

pub(super) fn role_text(role: Role) -> &'static str {
    match role {
        Role::Owner => "owner",
        Role::Admin => "admin",
        Role::Member => "member",
    }
}

pub(super) fn column<T: FromStr>(row: &AnyRow, index: usize) -> Result<T, StoreError>
where
    T::Err: std::fmt::Display,
{
    let text: String = row.try_get(index)?;
    text.parse().map_err(|error: T::Err| StoreError::Row(error.to_string()))
}

pub(super) fn role(row: &AnyRow, index: usize) -> Result<Role, StoreError> {
    match row.try_get::<String, _>(index)?.as_str() {
        "owner" => Ok(Role::Owner),
        "admin" => Ok(Role::Admin),
        "member" => Ok(Role::Member),
        other => Err(StoreError::Row(format!("the role {other}"))),
    }
}

pub(super) fn time(row: &AnyRow, index: usize) -> Result<Timestamp, StoreError> {
    Ok(Timestamp::from_millis(row.try_get(index)?))
}

impl AccountStore {
    /// On this database.
    pub fn new(store: Store) -> Self {
        Self(store)
    }

    /// Whether nobody runs the instance yet. The shell may have made accounts of others.
    pub async fn has_no_owner(&self) -> Result<bool, StoreError> {
        Ok(self.owner().await?.is_none())
    }

    /// The account that runs the instance, once there is one.
    pub async fn owner(&self) -> Result<Option<AccountId>, StoreError> {
        let row = sqlx::query("SELECT id FROM accounts WHERE role = 'owner' ORDER BY created_at LIMIT 1")
            .fetch_optional(self.0.pool())
            .await?;
        row.map(|row| column(&row, 0)).transpose()
    }

    /// Everybody's names, those to sign in with and those that people read, with those that are kept of who is gone.
    pub async fn names(&self) -> Result<Vec<String>, StoreError> {
        self.names_but(None).await
    }

    /// Whether a name is kept, as somebody had it who is gone.
    pub async fn is_kept(&self, name: &AccountName) -> Result<bool, StoreError> {
        let mut connection = self.0.pool().acquire().await?;
        erase::is_kept(&mut connection, (erase::Kind::Account, name.as_str()), None).await
    }

    /// The same, but for one person's.
    pub async fn names_but_of(&self, account: &AccountId) -> Result<Vec<String>, StoreError> {
        self.names_but(Some(account)).await
    }

    async fn names_but(&self, account: Option<&AccountId>) -> Result<Vec<String>, StoreError> {
        // No id is empty.
        let rows = sqlx::query("SELECT name, display_name FROM accounts WHERE id <> $1")
            .bind(account.map_or("", AccountId::as_str))
            .fetch_all(self.0.pool())
            .await?;
        let pairs = rows.iter().map(|row| Ok([row.try_get(0)?, row.try_get(1)?]));
        let pairs = pairs.collect::<Result<Vec<[String; 2]>, sqlx::Error>>()?;
        let mut connection = self.0.pool().acquire().await?;
        let kept = erase::kept(&mut connection, erase::Kind::Account, account).await?;
        Ok(pairs.into_iter().flatten().chain(kept).collect())
    }

    /// Writes a new account.
    pub async fn add(&self, account: &Account, password_hash: &str, at: Timestamp) -> Result<(), StoreError> {
        insert(account, password_hash, at).execute(self.0.pool()).await?;
        Ok(())
    }

    /// Makes this the one set-up token that works.
    pub async fn put_setup_token(&self, hash: &SecretHash) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO setup_token (only_row, token_hash) VALUES (1, $1)
             ON CONFLICT (only_row) DO UPDATE SET token_hash = excluded.token_hash",
        )
        .bind(hash.to_hex())
        .execute(self.0.pool())
        .await?;
        Ok(())
    }

    /// Whether this set-up token works now.
    pub async fn is_setup_token(&self, hash: &SecretHash) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT token_hash FROM setup_token WHERE only_row = 1")
            .fetch_optional(self.0.pool())
            .await?;
        let Some(row) = row else { return Ok(false) };
        let kept: String = row.try_get(0)?;
        Ok(SecretHash::from_hex(&kept).is_some_and(|kept| kept == *hash))
    }

    /// Uses up the set-up token and makes the owner's account, both or neither.
    pub async fn claim(
        &self,
        token: &SecretHash,
        account: &Account,
        password_hash: &str,
        at: Timestamp,
    ) -> Result<Claim, StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        let used = sqlx::query("DELETE FROM setup_token WHERE token_hash = $1")
            .bind(token.to_hex())
            .execute(&mut *transaction)
            .await?;
        if used.rows_affected() == 0 {
            return Ok(Claim::Stale);
        }
        insert(account, password_hash, at).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(Claim::Made)
    }

    /// An account and its password's hash, by name.
    pub async fn by_name(&self, name: &AccountName) -> Result<Option<(Account, String)>, StoreError> {
        let row = sqlx::query(
            "SELECT id, name, display_name, role, bio, avatar, suspended_at, colour, password_hash FROM accounts
             WHERE name = $1",
        )
        .bind(name.as_str())
        .fetch_optional(self.0.pool())
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some((account(&row)?, row.try_get(8)?)))
    }

    /// An account by id.
    pub async fn by_id(&self, id: &AccountId) -> Result<Option<Account>, StoreError> {
        let row = sqlx::query(
            "SELECT id, name, display_name, role, bio, avatar, suspended_at, colour FROM accounts WHERE id = $1",
        )
        .bind(id.as_str())
        .fetch_optional(self.0.pool())
        .await?;
        row.as_ref().map(account).transpose()
    }

    /// Writes a new login, and clears away those that are over. False, if the account is suspended, or its password isn't
    /// the one any more that was `verified` a moment ago.
    pub async fn add_login(
        &self,
        account: &AccountId,
        verified: Option<&str>,
        login: &LoginRow,
        token: &SecretHash,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        // Written, so that whoever changes the password or suspends comes wholly before or wholly after.
        let is_good = sqlx::query(
            "UPDATE accounts SET password_hash = password_hash
             WHERE id = $1 AND password_hash = COALESCE($2, password_hash) AND suspended_at IS NULL",
        )
        .bind(account.as_str())
        .bind(verified.map(str::to_owned))
        .execute(&mut *transaction)
        .await?;
        if is_good.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query("DELETE FROM logins WHERE last_used_at <= $1")
            .bind(rules::over_before(login.created_at).as_millis())
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "INSERT INTO logins (id, account_id, token_hash, device, created_at, last_used_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(login.id.as_str())
        .bind(account.as_str())
        .bind(token.to_hex())
        .bind(login.device.as_str())
        .bind(login.created_at.as_millis())
        .bind(login.last_used_at.as_millis())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Whose login a token is: who, which, and when it was last used.
    pub async fn login(&self, token: &SecretHash) -> Result<Option<(Actor, LoginId, Timestamp)>, StoreError> {
        let row = sqlx::query(
            "SELECT accounts.id, accounts.role, logins.id, logins.last_used_at
             FROM logins JOIN accounts ON accounts.id = logins.account_id
             WHERE logins.token_hash = $1 AND accounts.suspended_at IS NULL",
        )
        .bind(token.to_hex())
        .fetch_optional(self.0.pool())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let actor = Actor { account: column(&row, 0)?, role: role(&row, 1)?, address: None };
        Ok(Some((actor, column(&row, 2)?, time(&row, 3)?)))
    }

    /// Writes that a login was used.
    pub async fn touch(&self, login: &LoginId, at: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE logins SET last_used_at = $2 WHERE id = $1 AND last_used_at < $2")
            .bind(login.as_str())
            .bind(at.as_millis())
            .execute(self.0.pool())
            .await?;
        Ok(())
    }

    /// An account's logins that aren't over, newest first.
    pub async fn logins(
        &self,
        account: &AccountId,
        now: Timestamp,
        wanted: &Wanted,
    ) -> Result<Page<LoginRow>, StoreError> {
        let (at, id) = wanted.before();
        let rows = sqlx::query(
            "SELECT id, device, created_at, last_used_at FROM logins
             WHERE account_id = $1 AND last_used_at > $2 AND (created_at < $3 OR (created_at = $3 AND id < $4))
             ORDER BY created_at DESC, id DESC LIMIT $5",
        )
        .bind(account.as_str())
        .bind(rules::over_before(now).as_millis())
        .bind(at)
        .bind(id)
        .bind(wanted.rows())
        .fetch_all(self.0.pool())
        .await?;
        let logins: Result<Vec<_>, StoreError> = rows
            .iter()
            .map(|row| {
                Ok(LoginRow {
                    id: column(row, 0)?,
                    device: column(row, 1)?,
                    created_at: time(row, 2)?,
                    last_used_at: time(row, 3)?,
                })
            })
            .collect();
        Ok(wanted.page(logins?, |login| Place {
            at: login.created_at.as_millis(),
            id: login.id.as_str().to_owned(),
        }))
    }

    /// Ends one login of an account; whether there was one.
    pub async fn revoke(&self, account: &AccountId, login: &LoginId) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM logins WHERE id = $1 AND account_id = $2")
            .bind(login.as_str())
            .bind(account.as_str())
            .execute(self.0.pool())
            .await?;
        Ok(done.rows_affected() > 0)
    }
}

pub(super) fn insert<'a>(
    account: &'a Account,
    password_hash: &'a str,
    at: Timestamp,
) -> Query<'a, Any, AnyArguments> {
    sqlx::query(
        "INSERT INTO accounts (id, name, display_name, role, password_hash, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(account.id.as_str())
    .bind(account.name.as_str())
    .bind(account.display_name.as_str())
    .bind(role_text(account.role))
    .bind(password_hash)
    .bind(at.as_millis())
}

fn account(row: &AnyRow) -> Result<Account, StoreError> {
    Ok(Account {
        id: column(row, 0)?,
        name: column(row, 1)?,
        display_name: column(row, 2)?,
        role: role(row, 3)?,
        bio: column(row, 4)?,
        avatar: address(row, 5)?,
        is_suspended: row.try_get::<Option<i64>, _>(6)?.is_some(),
        // One that only a newer server knew is none.
        colour: row.try_get::<Option<String>, _>(7)?.and_then(|name| name.parse().ok()),
    })
}
