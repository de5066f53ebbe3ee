//! Browsers and the outbox in SQL.

use crate::{
    notification::{
        push::Vapid,
        store::{column, kind, moments, preferences},
    },
    store::{Store, StoreError},
};
use shared::{
    id::{AccountId, LoginId, NotificationId, PushId},
    notification::{NotificationKind, Preferences, PushBrowser},
    unit::Timestamp,
};
use sqlx::Row;

/// The most browsers of one account.
pub const BROWSERS_MOST: i64 = 20;

/// Reads and writes browsers and the outbox.
#[derive(Debug, Clone)]
pub struct DeliveryStore(Store);

/// A message that is to leave.
#[derive(Debug, Clone)]
pub struct Due {
    /// Its place in the outbox.
    pub id: String,
    /// For which browser.
    pub browser: PushId,
    /// Where its push service takes it.
    pub endpoint: String,
    /// What it is encrypted with.
    pub keys: (String, String),
    /// How often it was tried.
    pub tries: u32,
    /// What it tells.
    pub notification: NotificationId,
    /// In a sentence.
    pub title: String,
    /// More of it.
    pub detail: String,
    /// Where it leads.
    pub url: String,
    /// A picture of it.
    pub picture: Option<String>,
    /// When it happened last.
    pub at: Timestamp,
    /// What it is about.
    pub kind: NotificationKind,
    /// What its reader wants to be told by now.
    pub preferences: Preferences,
}

impl DeliveryStore {
    /// On this database.
    pub fn new(store: Store) -> Self {
        Self(store)
    }

    /// The key that is kept; `made` if there is none yet.
    pub async fn vapid(&self, made: &Vapid) -> Result<Vapid, StoreError> {
        sqlx::query(
            "INSERT INTO push_key (only_row, private_key) VALUES (1, $1) ON CONFLICT (only_row) DO NOTHING",
        )
        .bind(made.to_text())
        .execute(self.0.pool())
        .await?;
        let row = sqlx::query("SELECT private_key FROM push_key WHERE only_row = 1")
            .fetch_one(self.0.pool())
            .await?;
        let text: String = row.try_get(0)?;
        Vapid::from_text(&text).ok_or_else(|| StoreError::Row("the key for push".to_owned()))
    }

    /// Writes a browser, in the place of one at the same push service's address; false if the account has as many as it may.
    /// It goes with its login.
    pub async fn add(
        &self,
        (account, login): (&AccountId, &LoginId),
        browser: &PushBrowser,
        endpoint: &str,
        keys: (&str, &str),
    ) -> Result<bool, StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        sqlx::query("DELETE FROM push_browsers WHERE endpoint = $1")
            .bind(endpoint)
            .execute(&mut *transaction)
            .await?;
        let added = sqlx::query(
            "INSERT INTO push_browsers (id, account_id, endpoint, public_key, secret, device, created_at, login_id)
             SELECT $1, $2, $3, $4, $5, $6, $7, $9
             WHERE (SELECT COUNT(*) FROM push_browsers WHERE account_id = $2) < $8",
        )
        .bind(browser.id.as_str())
        .bind(account.as_str())
        .bind(endpoint)
        .bind(keys.0)
        .bind(keys.1)
        .bind(browser.device.as_str())
        .bind(browser.created_at.as_millis())
        .bind(BROWSERS_MOST)
        .bind(login.as_str())
        .execute(&mut *transaction)
        .await?;
        if added.rows_affected() == 0 {
            return Ok(false);
        }
        transaction.commit().await?;
        Ok(true)
    }

    /// An account's browsers, newest first.
    pub async fn browsers(&self, account: &AccountId) -> Result<Vec<PushBrowser>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, device, created_at FROM push_browsers WHERE account_id = $1
             ORDER BY created_at DESC, id DESC",
        )
        .bind(account.as_str())
        .fetch_all(self.0.pool())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(PushBrowser {
                    id: column(row, 0)?,
                    device: column(row, 1)?,
                    created_at: Timestamp::from_millis(row.try_get(2)?),
                })
            })
            .collect()
    }

    /// Stops telling a browser; whether it was one of the account's.
    pub async fn remove(&self, account: &AccountId, id: &PushId) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM push_browsers WHERE id = $1 AND account_id = $2")
            .bind(id.as_str())
            .bind(account.as_str())
            .execute(self.0.pool())
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Forgets a browser that its push service doesn't know any more, and what was to go there.
    pub async fn forget(&self, id: &PushId) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM push_browsers WHERE id = $1")
            .bind(id.as_str())
            .execute(self.0.pool())
            .await?;
        Ok(())
    }

    /// So many messages that may leave now.
    pub async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError> {
        let (at, far) = moments(now);
        let rows = sqlx::query(
            "SELECT outbox.id, outbox.push_id, push_browsers.endpoint, push_browsers.public_key,
             push_browsers.secret, outbox.tries, notifications.id, notifications.title, notifications.detail,
             notifications.url, notifications.picture, notifications.at, notifications.kind,
             notification_preferences.choices
             FROM outbox JOIN push_browsers ON push_browsers.id = outbox.push_id
             JOIN notifications ON notifications.id = outbox.notification_id
             LEFT JOIN notification_preferences ON notification_preferences.account_id = notifications.account_id
             WHERE outbox.due_at <= $1 OR outbox.due_at > $3 ORDER BY outbox.due_at, outbox.id LIMIT $2",
        )
        .bind(at)
        .bind(limit as i64)
        .bind(far)
        .fetch_all(self.0.pool())
        .await?;
        rows.iter()
            .map(|row| {
                let tries: i64 = row.try_get(5)?;
                Ok(Due {
                    id: row.try_get(0)?,
                    browser: column(row, 1)?,
                    endpoint: row.try_get(2)?,
                    keys: (row.try_get(3)?, row.try_get(4)?),
                    tries: u32::try_from(tries).unwrap_or(u32::MAX),
                    notification: column(row, 6)?,
                    title: row.try_get(7)?,
                    detail: row.try_get(8)?,
                    url: row.try_get(9)?,
                    picture: row.try_get(10)?,
                    at: Timestamp::from_millis(row.try_get(11)?),
                    kind: kind(row, 12)?,
                    preferences: preferences(row, 13)?,
                })
            })
            .collect()
    }

    /// When the next message may leave of those that may not yet.
    pub async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let (at, far) = moments(now);
        let row = sqlx::query("SELECT MIN(due_at) FROM outbox WHERE due_at > $1 AND due_at <= $2")
            .bind(at)
            .bind(far)
            .fetch_one(self.0.pool())
            .await?;
        Ok(row.try_get::<Option<i64>, _>(0)?.map(Timestamp::from_millis))
    }

    /// A message was delivered, or is given up.
    pub async fn done(&self, id: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM outbox WHERE id = $1").bind(id).execute(self.0.pool()).await?;
        Ok(())
    }

    /// A message is tried again then.
    pub async fn later(&self, id: &str, tries: u32, due: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE outbox SET tries = $2, due_at = $3 WHERE id = $1")
            .bind(id)
            .bind(i64::from(tries))
            .bind(due.as_millis())
            .execute(self.0.pool())
            .await?;
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

    #[tokio::test]
    async fn a_clock_that_was_set_back_holds_nothing_for_long() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open_in(dir.path()).await.unwrap();
        for statement in [
            "INSERT INTO accounts (id, name, display_name, role, password_hash, created_at)
             VALUES ('a', 'ada', 'Ada', 'member', '', 0)",
            "INSERT INTO logins (id, account_id, token_hash, device, created_at, last_used_at)
             VALUES ('l', 'a', '', '', 0, 0)",
            "INSERT INTO notifications (id, account_id, kind, gathered_by, title, detail, url, times, at, in_app)
             VALUES ('n', 'a', 'system', '', 'Title', '', '/', 1, 0, 1)",
            "INSERT INTO push_browsers (id, account_id, login_id, endpoint, public_key, secret, device, created_at)
             VALUES ('p', 'a', 'l', 'https://example.org/', '', '', '', 0)",
        ] {
            sqlx::query(statement).execute(store.pool()).await.unwrap();
        }
        let insert =
            "INSERT INTO outbox (id, notification_id, push_id, due_at, tries) VALUES ('o', 'n', 'p', $1, 0)";
        sqlx::query(insert).bind(at(0).as_millis()).execute(store.pool()).await.unwrap();
        let push = DeliveryStore::new(store);
        let due = async |hours: i64| push.due(at(hours), 10).await.unwrap().len();
        assert_eq!((due(0).await, due(-48).await), (1, 0), "quiet hours are waited for");
        assert_eq!(push.next_due(at(-48)).await.unwrap(), Some(at(0)));
        assert_eq!(due(-50).await, 1, "days are not");
        assert_eq!(push.next_due(at(-50)).await.unwrap(), None);
    }
}
