//! Addresses and letters in SQL.

use super::rules::Line;
use crate::{
    fresh,
    notification::store::{column, kind, preferences},
    secret::SecretHash,
    store::{Store, StoreError},
};
use shared::{
    id::{AccountId, EventId},
    notification::{EmailState, Preferences},
    text::EmailAddress,
    unit::Timestamp,
};
use sqlx::Row;

/// How long a link to confirm an address works.
const CONFIRMED_WITHIN: i64 = 24 * 60 * 60 * 1000;
/// The most that one letter tells of.
const LINES_MOST: i64 = 50;

/// Reads and writes addresses and letters.
#[derive(Debug, Clone)]
pub struct MailStore(Store);

/// A letter that is to leave.
#[derive(Debug, Clone)]
pub struct DueLetter {
    /// For whom.
    pub account: AccountId,
    /// Where to.
    pub address: EmailAddress,
    /// By which it is one and the same however often it is tried; none if it was never sealed.
    pub letter: Option<String>,
    /// What it tells, each with its place in the outbox.
    pub lines: Vec<(String, Line)>,
    /// How often it was tried.
    pub tries: u32,
    /// What its reader wants to be told by now.
    pub preferences: Preferences,
}

impl MailStore {
    /// On this database.
    pub fn new(store: Store) -> Self {
        Self(store)
    }

    /// Somebody's address, as they see it.
    pub async fn of(&self, account: &AccountId) -> Result<Option<EmailState>, StoreError> {
        let row = sqlx::query("SELECT address, confirmed_at, new_address FROM emails WHERE account_id = $1")
            .bind(account.as_str())
            .fetch_optional(self.0.pool())
            .await?;
        row.map(|row| {
            let confirmed: Option<i64> = row.try_get(1)?;
            let pending: Option<String> = row.try_get(2)?;
            let broken = |text: String| {
                text.parse::<EmailAddress>().map_err(|_| StoreError::Row(format!("the address {text}")))
            };
            Ok(EmailState {
                available: true,
                address: Some(column(&row, 0)?),
                confirmed: confirmed.is_some(),
                pending: pending.map(broken).transpose()?,
            })
        })
        .transpose()
    }

    /// Writes an address that isn't confirmed yet: beside the one that is, or in the place of one that isn't.
    pub async fn put(
        &self,
        account: &AccountId,
        address: &EmailAddress,
        token: &SecretHash,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO emails (account_id, address, token_hash, asked_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (account_id) DO UPDATE SET
             address = CASE WHEN emails.confirmed_at IS NULL THEN excluded.address ELSE emails.address END,
             new_address = CASE WHEN emails.confirmed_at IS NULL THEN NULL ELSE excluded.address END,
             token_hash = excluded.token_hash, asked_at = excluded.asked_at",
        )
        .bind(account.as_str())
        .bind(address.as_str())
        .bind(token.to_hex())
        .bind(at.as_millis())
        .execute(self.0.pool())
        .await?;
        Ok(())
    }

    /// Leaves a confirmed address as it is, without the one that was to take its place.
    pub async fn keep(&self, account: &AccountId) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE emails SET new_address = NULL, token_hash = NULL
             WHERE account_id = $1 AND confirmed_at IS NOT NULL",
        )
        .bind(account.as_str())
        .execute(self.0.pool())
        .await?;
        Ok(())
    }

    /// Takes an address as confirmed; whether the token was good for that.
    pub async fn confirm(&self, token: &SecretHash, now: Timestamp) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE emails SET address = COALESCE(new_address, address), new_address = NULL, confirmed_at = $2,
             token_hash = NULL WHERE token_hash = $1 AND asked_at > $3",
        )
        .bind(token.to_hex())
        .bind(now.as_millis())
        .bind(now.as_millis() - CONFIRMED_WITHIN)
        .execute(self.0.pool())
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Forgets somebody's address, and what was to go there.
    pub async fn remove(&self, account: &AccountId) -> Result<(), StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        sqlx::query("DELETE FROM mail_outbox WHERE account_id = $1")
            .bind(account.as_str())
            .execute(&mut *transaction)
            .await?;
        sqlx::query("DELETE FROM emails WHERE account_id = $1")
            .bind(account.as_str())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The next letter that may leave: one that was tried before, or everything for one person that is due.
    pub async fn due(&self, now: Timestamp) -> Result<Option<DueLetter>, StoreError> {
        let first = sqlx::query(
            "SELECT mail_outbox.account_id, emails.address, mail_outbox.letter, notification_preferences.choices
             FROM mail_outbox
             JOIN emails ON emails.account_id = mail_outbox.account_id AND emails.confirmed_at IS NOT NULL
             JOIN accounts ON accounts.id = mail_outbox.account_id AND accounts.suspended_at IS NULL
             LEFT JOIN notification_preferences ON notification_preferences.account_id = mail_outbox.account_id
             WHERE mail_outbox.due_at <= $1 ORDER BY mail_outbox.due_at, mail_outbox.id LIMIT 1",
        )
        .bind(now.as_millis())
        .fetch_optional(self.0.pool())
        .await?;
        let Some(first) = first else { return Ok(None) };
        let (account, address): (AccountId, EmailAddress) = (column(&first, 0)?, column(&first, 1)?);
        let letter: Option<String> = first.try_get(2)?;
        let rows = sqlx::query(
            "SELECT mail_outbox.id, mail_outbox.tries, notifications.kind, notifications.title,
             notifications.detail, notifications.url
             FROM mail_outbox JOIN notifications ON notifications.id = mail_outbox.notification_id
             WHERE mail_outbox.account_id = $1 AND mail_outbox.due_at <= $2
             AND COALESCE(mail_outbox.letter, '') = $4
             ORDER BY mail_outbox.due_at, mail_outbox.id LIMIT $3",
        )
        .bind(account.as_str())
        .bind(now.as_millis())
        .bind(LINES_MOST)
        .bind(letter.clone().unwrap_or_default())
        .fetch_all(self.0.pool())
        .await?;
        let (mut lines, mut tries) = (Vec::new(), 0);
        for row in &rows {
            tries = tries.max(u32::try_from(row.try_get::<i64, _>(1)?).unwrap_or(u32::MAX));
            let line = Line {
                kind: kind(row, 2)?,
                title: row.try_get(3)?,
                detail: row.try_get(4)?,
                url: row.try_get(5)?,
            };
            lines.push((row.try_get(0)?, line));
        }
        let preferences = preferences(&first, 3)?;
        Ok(Some(DueLetter { account, address, letter, lines, tries, preferences }))
    }

    /// Makes one letter of what waits, before it leaves for the first time; gives what it is known by.
    pub async fn seal(&self, ids: &[String]) -> Result<String, StoreError> {
        let letter = fresh::id::<EventId>();
        let mut transaction = self.0.pool().begin().await?;
        for id in ids {
            sqlx::query("UPDATE mail_outbox SET letter = $2 WHERE id = $1")
                .bind(id)
                .bind(letter.as_str())
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(letter.as_str().to_owned())
    }

    /// When the next letter may leave.
    pub async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let row = sqlx::query(
            "SELECT MIN(mail_outbox.due_at) FROM mail_outbox
             JOIN emails ON emails.account_id = mail_outbox.account_id AND emails.confirmed_at IS NOT NULL
             JOIN accounts ON accounts.id = mail_outbox.account_id AND accounts.suspended_at IS NULL",
        )
        .fetch_one(self.0.pool())
        .await?;
        Ok(row.try_get::<Option<i64>, _>(0)?.map(Timestamp::from_millis))
    }

    /// A letter was delivered, or is given up.
    pub async fn done(&self, ids: &[String]) -> Result<(), StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        for id in ids {
            sqlx::query("DELETE FROM mail_outbox WHERE id = $1").bind(id).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// A letter is tried again then.
    pub async fn later(&self, ids: &[String], tries: u32, due: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        for id in ids {
            sqlx::query("UPDATE mail_outbox SET tries = $2, due_at = $3 WHERE id = $1")
                .bind(id)
                .bind(i64::from(tries))
                .bind(due.as_millis())
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}
