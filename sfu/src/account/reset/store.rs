//! Links to a new password in SQL.

use super::rules::{self, Asked};
use crate::{
    account::store::column,
    fresh,
    secret::SecretHash,
    store::{
        Store, StoreError,
        audit::{self, Entry},
    },
};
use shared::{
    audit::AuditAction,
    id::{AccountId, EventId},
    text::{AccountName, EmailAddress},
    unit::Timestamp,
};
use sqlx::{Any, Row, Transaction};
use std::sync::Arc;
use tokio::sync::Notify;

/// The most accounts that one address is of, as far as letters go.
const OF_ADDRESS: i64 = 5;
/// The most letters that wait.
const LETTERS_MOST: i64 = 1000;

/// Somebody whom a letter reaches.
#[derive(Debug, Clone)]
pub struct Reached {
    /// Their account.
    pub account: AccountId,
    /// Where the letter goes.
    pub address: EmailAddress,
}

/// A letter that is to leave.
#[derive(Debug, Clone)]
pub struct DueLetter {
    /// By which it is one and the same however often it is tried.
    pub id: String,
    /// Whose it is.
    pub account: AccountId,
    /// What they sign in with.
    pub name: AccountName,
    /// Where it goes.
    pub address: EmailAddress,
    /// How often it was tried.
    pub tries: usize,
}

/// Reads and writes links to a new password.
#[derive(Debug, Clone)]
pub struct ResetStore {
    store: Store,
    /// There is a letter to send.
    queued: Arc<Notify>,
}

impl ResetStore {
    /// On this database.
    pub fn new(store: Store) -> Self {
        Self { store, queued: Arc::default() }
    }

    /// Those who are asked for, may sign in, and confirmed an address.
    pub async fn reached(&self, asked: &Asked) -> Result<Vec<Reached>, StoreError> {
        let (name, address) = asked.keys();
        let rows = sqlx::query(
            "SELECT accounts.id, emails.address
             FROM emails JOIN accounts ON accounts.id = emails.account_id
             WHERE emails.confirmed_at IS NOT NULL AND accounts.suspended_at IS NULL
             AND (accounts.name = $1 OR LOWER(emails.address) = $2)
             ORDER BY accounts.created_at, accounts.id LIMIT $3",
        )
        .bind(name)
        .bind(address)
        .bind(OF_ADDRESS)
        .fetch_all(self.store.pool())
        .await?;
        rows.iter().map(|row| Ok(Reached { account: column(row, 0)?, address: column(row, 1)? })).collect()
    }

    /// Has a letter sent to somebody; false if very many wait.
    pub async fn queue(&self, account: &AccountId, now: Timestamp) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "INSERT INTO reset_letters (id, account_id, asked_at, due_at, tries)
             SELECT $1, $2, CAST($3 AS BIGINT), CAST($3 AS BIGINT), 0
             WHERE (SELECT COUNT(*) FROM reset_letters) < $4",
        )
        .bind(fresh::id::<EventId>().as_str())
        .bind(account.as_str())
        .bind(now.as_millis())
        .bind(LETTERS_MOST)
        .execute(self.store.pool())
        .await?;
        self.queued.notify_one();
        Ok(done.rows_affected() > 0)
    }

    /// Comes back when there is a letter to send.
    pub async fn queued(&self) {
        self.queued.notified().await;
    }

    /// The next letter that may leave, to whoever may still sign in, at the address that is theirs by now.
    pub async fn due_letter(&self, now: Timestamp) -> Result<Option<DueLetter>, StoreError> {
        let row = sqlx::query(
            "SELECT reset_letters.id, accounts.id, accounts.name, emails.address, reset_letters.tries
             FROM reset_letters
             JOIN accounts ON accounts.id = reset_letters.account_id AND accounts.suspended_at IS NULL
             JOIN emails ON emails.account_id = accounts.id AND emails.confirmed_at IS NOT NULL
             WHERE (reset_letters.due_at <= $1 OR reset_letters.due_at > $3)
             AND reset_letters.asked_at > $2 AND reset_letters.asked_at <= $3
             ORDER BY reset_letters.due_at, reset_letters.id LIMIT 1",
        )
        .bind(now.as_millis())
        .bind(now.as_millis() - rules::LASTS)
        .bind(rules::expires(now).as_millis())
        .fetch_optional(self.store.pool())
        .await?;
        row.map(|row| {
            Ok(DueLetter {
                id: row.try_get(0)?,
                account: column(&row, 1)?,
                name: column(&row, 2)?,
                address: column(&row, 3)?,
                tries: usize::try_from(row.try_get::<i64, _>(4)?).unwrap_or(usize::MAX),
            })
        })
        .transpose()
    }

    /// When the next letter may leave.
    pub async fn next_letter(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let row = sqlx::query("SELECT MIN(due_at) FROM reset_letters WHERE due_at > $1 AND due_at <= $2")
            .bind(now.as_millis())
            .bind(rules::expires(now).as_millis())
            .fetch_one(self.store.pool())
            .await?;
        Ok(row.try_get::<Option<i64>, _>(0)?.map(Timestamp::from_millis))
    }

    /// Writes a try at a letter and the link that it brings, before it leaves; false if it is gone meanwhile.
    pub async fn letter_leaves(
        &self,
        id: &str,
        account: &AccountId,
        (token, expires_at): &(SecretHash, Timestamp),
        (now, later): (Timestamp, Timestamp),
    ) -> Result<bool, StoreError> {
        let mut transaction = self.store.pool().begin().await?;
        let tried = sqlx::query("UPDATE reset_letters SET tries = tries + 1, due_at = $2 WHERE id = $1")
            .bind(id)
            .bind(later.as_millis())
            .execute(&mut *transaction)
            .await?;
        if tried.rows_affected() == 0 {
            return Ok(false);
        }
        put(&mut transaction, account, token, (now, *expires_at)).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// A letter was sent, or is given up.
    pub async fn letter_done(&self, id: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM reset_letters WHERE id = $1").bind(id).execute(self.store.pool()).await?;
        Ok(())
    }

    /// Gives up letters that nobody waits for any more, be it that the clock was set back since.
    pub async fn forget_letters(&self, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM reset_letters WHERE asked_at <= $1 OR asked_at > $2")
            .bind(now.as_millis() - rules::LASTS)
            .bind(rules::expires(now).as_millis())
            .execute(self.store.pool())
            .await?;
        Ok(())
    }

    /// Writes a link, and clears away those that are over. `from_shell` has it on the record.
    pub async fn put(
        &self,
        account: &AccountId,
        token: &SecretHash,
        (now, expires_at): (Timestamp, Timestamp),
        from_shell: bool,
    ) -> Result<(), StoreError> {
        let mut transaction = self.store.pool().begin().await?;
        put(&mut transaction, account, token, (now, expires_at)).await?;
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
            "SELECT token_hash, account_id FROM password_resets
             WHERE token_hash = $1 AND expires_at > $2 AND expires_at <= $3",
        )
        .bind(token.to_hex())
        .bind(now.as_millis())
        .bind(rules::expires(now).as_millis())
        .fetch_optional(self.store.pool())
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
        let mut transaction = self.store.pool().begin().await?;
        let used = sqlx::query(
            "DELETE FROM password_resets
             WHERE token_hash = $1 AND account_id = $2 AND expires_at > $3 AND expires_at <= $4",
        )
        .bind(token.to_hex())
        .bind(account.as_str())
        .bind(now.as_millis())
        .bind(rules::expires(now).as_millis())
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
        let mut transaction = self.store.pool().begin().await?;
        if !set(&mut transaction, account, password_hash).await? {
            return Ok(false);
        }
        let entry = Entry::new(AuditAction::PasswordReset, None).to(account.as_str());
        audit::record(&mut transaction, entry).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

/// Writes a link, and clears away those that are over.
async fn put(
    transaction: &mut Transaction<'_, Any>,
    account: &AccountId,
    token: &SecretHash,
    (now, expires_at): (Timestamp, Timestamp),
) -> Result<(), StoreError> {
    // None lasts for longer than it may by this clock, should it have been set back.
    sqlx::query("DELETE FROM password_resets WHERE expires_at <= $1 OR expires_at > $2")
        .bind(now.as_millis())
        .bind(rules::expires(now).as_millis())
        .execute(&mut **transaction)
        .await?;
    sqlx::query(
        "INSERT INTO password_resets (token_hash, account_id, created_at, expires_at)
         VALUES ($1, $2, $3, $4)",
    )
    .bind(token.to_hex())
    .bind(account.as_str())
    .bind(now.as_millis())
    .bind(expires_at.as_millis())
    .execute(&mut **transaction)
    .await?;
    Ok(())
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
    for statement in [
        "DELETE FROM logins WHERE account_id = $1",
        "DELETE FROM password_resets WHERE account_id = $1",
        "DELETE FROM reset_letters WHERE account_id = $1",
    ] {
        sqlx::query(statement).bind(account.as_str()).execute(&mut **transaction).await?;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::profile::store::ProfileStore;

    const HOUR: i64 = 60 * 60 * 1000;
    /// So many hours from now on.
    fn at(hours: i64) -> Timestamp {
        Timestamp::from_millis((1_000_000 + hours) * HOUR)
    }

    async fn world() -> (Store, ResetStore, AccountId, tempfile::TempDir) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open_in(dir.path()).await.unwrap();
        for statement in [
            "INSERT INTO accounts (id, name, display_name, role, password_hash, created_at)
             VALUES ('a', 'ada', 'Ada', 'member', 'old', 0)",
            "INSERT INTO emails (account_id, address, asked_at, confirmed_at) VALUES ('a', 'ada@example.org', 0, 0)",
        ] {
            sqlx::query(statement).execute(store.pool()).await.unwrap();
        }
        (store.clone(), ResetStore::new(store), "a".parse().unwrap(), dir)
    }

    fn token() -> SecretHash {
        SecretHash::from_hex(&"ab".repeat(32)).unwrap()
    }

    #[tokio::test]
    async fn neither_a_link_nor_a_letter_that_waits_outlives_a_change_of_the_password() {
        let ((store, resets, ada, _dir), now) = (world().await, at(0));
        assert!(resets.queue(&ada, now).await.unwrap());
        resets.put(&ada, &token(), (now, rules::expires(now)), false).await.unwrap();
        assert!(resets.due_letter(now).await.unwrap().is_some());
        assert_eq!(resets.of(&token(), now).await.unwrap(), Some(ada.clone()));
        let profiles = ProfileStore::new(store);
        let keep = "l".parse().unwrap();
        assert!(!profiles.set_password(&ada, ("other", "new"), &keep).await.unwrap());
        assert!(resets.due_letter(now).await.unwrap().is_some(), "nothing was changed");
        assert!(profiles.set_password(&ada, ("old", "new"), &keep).await.unwrap());
        assert!(resets.due_letter(now).await.unwrap().is_none());
        assert_eq!(resets.of(&token(), now).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_clock_that_was_set_back_holds_nothing_for_long() {
        let ((store, resets, ada, _dir), now) = (world().await, at(0));
        assert!(resets.queue(&ada, now).await.unwrap());
        resets.put(&ada, &token(), (now, rules::expires(now)), false).await.unwrap();
        // A letter that is to be tried again soon, as the clock was; it is tried at once where that is too far.
        let later = |due: i64| {
            sqlx::query("UPDATE reset_letters SET due_at = $1")
                .bind(now.as_millis() + due)
                .execute(store.pool())
        };
        later(HOUR / 2).await.unwrap();
        assert!(resets.due_letter(now).await.unwrap().is_none());
        assert_eq!(resets.next_letter(now).await.unwrap().unwrap().as_millis(), now.as_millis() + HOUR / 2);
        later(2 * HOUR).await.unwrap();
        assert!(resets.due_letter(now).await.unwrap().is_some());
        assert_eq!(resets.next_letter(now).await.unwrap(), None);
        // Two hours back, nobody waits for it any more, and the link that was made works no more.
        assert!(resets.due_letter(at(-2)).await.unwrap().is_none());
        assert_eq!(resets.of(&token(), at(-2)).await.unwrap(), None);
        assert!(!resets.redeem(&ada, &token(), "new", at(-2)).await.unwrap());
        resets.forget_letters(at(-2)).await.unwrap();
        assert!(resets.due_letter(now).await.unwrap().is_none(), "it is gone");
        let other = SecretHash::from_hex(&"cd".repeat(32)).unwrap();
        resets.put(&ada, &other, (at(-2), rules::expires(at(-2))), false).await.unwrap();
        assert_eq!(resets.of(&token(), now).await.unwrap(), None, "it is gone, too");
    }
}
