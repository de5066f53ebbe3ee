//! Addresses and letters in SQL.

use super::rules::Line;
use crate::{
    fresh,
    notification::store::{column, kind, moments, preferences},
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
                text.parse::<EmailAddress>().map_err(|_| StoreError::Row("an e-mail address".to_owned()))
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

    /// Takes an address as confirmed; whether the token was good for that. Links to a new password that went to the mailbox before
    /// work no more.
    pub async fn confirm(&self, token: &SecretHash, now: Timestamp) -> Result<bool, StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        let done = sqlx::query(
            "UPDATE emails SET address = COALESCE(new_address, address), new_address = NULL, confirmed_at = $2,
             token_hash = NULL WHERE token_hash = $1 AND asked_at > $3 RETURNING account_id",
        )
        .bind(token.to_hex())
        .bind(now.as_millis())
        .bind(now.as_millis() - CONFIRMED_WITHIN)
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(row) = done else { return Ok(false) };
        let account: AccountId = column(&row, 0)?;
        for statement in [
            "DELETE FROM password_resets WHERE account_id = $1",
            "DELETE FROM reset_letters WHERE account_id = $1",
        ] {
            sqlx::query(statement).bind(account.as_str()).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(true)
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
        let (at, far) = moments(now);
        let first = sqlx::query(
            "SELECT mail_outbox.account_id, emails.address, mail_outbox.letter, notification_preferences.choices
             FROM mail_outbox
             JOIN emails ON emails.account_id = mail_outbox.account_id AND emails.confirmed_at IS NOT NULL
             JOIN accounts ON accounts.id = mail_outbox.account_id AND accounts.suspended_at IS NULL
             LEFT JOIN notification_preferences ON notification_preferences.account_id = mail_outbox.account_id
             WHERE mail_outbox.due_at <= $1 OR mail_outbox.due_at > $2
             ORDER BY mail_outbox.due_at, mail_outbox.id LIMIT 1",
        )
        .bind(at)
        .bind(far)
        .fetch_optional(self.0.pool())
        .await?;
        let Some(first) = first else { return Ok(None) };
        let (account, address): (AccountId, EmailAddress) = (column(&first, 0)?, column(&first, 1)?);
        let letter: Option<String> = first.try_get(2)?;
        let rows = sqlx::query(
            "SELECT mail_outbox.id, mail_outbox.tries, notifications.kind, notifications.title,
             notifications.detail, notifications.url
             FROM mail_outbox JOIN notifications ON notifications.id = mail_outbox.notification_id
             WHERE mail_outbox.account_id = $1 AND (mail_outbox.due_at <= $2 OR mail_outbox.due_at > $5)
             AND COALESCE(mail_outbox.letter, '') = $4
             ORDER BY mail_outbox.due_at, mail_outbox.id LIMIT $3",
        )
        .bind(account.as_str())
        .bind(at)
        .bind(LINES_MOST)
        .bind(letter.clone().unwrap_or_default())
        .bind(far)
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
    pub async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let (at, far) = moments(now);
        let row = sqlx::query(
            "SELECT MIN(CASE WHEN mail_outbox.due_at > $2 THEN $1 ELSE mail_outbox.due_at END) FROM mail_outbox
             JOIN emails ON emails.account_id = mail_outbox.account_id AND emails.confirmed_at IS NOT NULL
             JOIN accounts ON accounts.id = mail_outbox.account_id AND accounts.suspended_at IS NULL",
        )
        .bind(at)
        .bind(far)
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

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 60 * 60 * 1000;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_millis((1_000_000 + hours) * HOUR)
    }

    async fn world() -> (Store, MailStore, AccountId, tempfile::TempDir) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open_in(dir.path()).await.unwrap();
        for statement in [
            "INSERT INTO accounts (id, name, display_name, role, password_hash, created_at)
             VALUES ('a', 'ada', 'Ada', 'member', '', 0), ('b', 'bob', 'Bob', 'member', '', 0)",
            "INSERT INTO emails (account_id, address, asked_at, confirmed_at)
             VALUES ('a', 'old@example.org', 0, 0), ('b', 'bob@example.org', 0, 0)",
            "INSERT INTO notifications (id, account_id, kind, gathered_by, title, detail, url, times, at, in_app)
             VALUES ('n', 'a', 'system', '', 'Title', '', '/', 1, 0, 1)",
        ] {
            sqlx::query(statement).execute(store.pool()).await.unwrap();
        }
        (store.clone(), MailStore::new(store), "a".parse().unwrap(), dir)
    }

    #[tokio::test]
    async fn links_to_a_new_password_that_went_to_the_mailbox_before_work_no_more() {
        let (store, mail, ada, _dir) = world().await;
        for account in ["a", "b"] {
            for statement in [
                "INSERT INTO password_resets (token_hash, account_id, created_at, expires_at) VALUES ($1, $1, 0, 1)",
                "INSERT INTO reset_letters (id, account_id, asked_at, due_at, tries) VALUES ($1, $1, 0, 0, 0)",
            ] {
                sqlx::query(statement).bind(account).execute(store.pool()).await.unwrap();
            }
        }
        let left = async || {
            let row = sqlx::query(
                "SELECT (SELECT COUNT(*) FROM password_resets) + (SELECT COUNT(*) FROM reset_letters)",
            );
            row.fetch_one(store.pool()).await.unwrap().get::<i64, _>(0)
        };
        let token = SecretHash::from_hex(&"ab".repeat(32)).unwrap();
        mail.put(&ada, &"new@example.org".parse().unwrap(), &token, at(0)).await.unwrap();
        let other = SecretHash::from_hex(&"cd".repeat(32)).unwrap();
        assert!(!mail.confirm(&other, at(1)).await.unwrap());
        assert_eq!(left().await, 4, "until it is confirmed, the mailbox before is theirs");
        assert!(mail.confirm(&token, at(1)).await.unwrap());
        assert_eq!(left().await, 2, "nobody else's go");
        let state = mail.of(&ada).await.unwrap().unwrap();
        assert_eq!((state.address.unwrap().as_str(), state.pending), ("new@example.org", None));
    }

    #[tokio::test]
    async fn a_clock_that_was_set_back_holds_nothing_for_long() {
        let (store, mail, _, _dir) = world().await;
        let insert = "INSERT INTO mail_outbox (id, notification_id, account_id, due_at, tries) VALUES ('m', 'n', 'a', $1, 0)";
        sqlx::query(insert).bind(at(0).as_millis()).execute(store.pool()).await.unwrap();
        let due = async |hours: i64| mail.due(at(hours)).await.unwrap().map(|letter| letter.lines.len());
        assert_eq!(due(0).await, Some(1));
        assert_eq!(due(-48).await, None, "quiet hours are waited for");
        assert_eq!(mail.next_due(at(-48)).await.unwrap(), Some(at(0)));
        assert_eq!(due(-50).await, Some(1), "days are not");
        assert_eq!(mail.next_due(at(-50)).await.unwrap(), Some(at(-50)));
    }
}
