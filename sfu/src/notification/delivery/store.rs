//! Browsers and the outbox in SQL.

use crate::{
    notification::{
        push::Vapid,
        store::{column, kind, preferences},
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
        let rows = sqlx::query(
            "SELECT outbox.id, outbox.push_id, push_browsers.endpoint, push_browsers.public_key,
             push_browsers.secret, outbox.tries, notifications.id, notifications.title, notifications.detail,
             notifications.url, notifications.picture, notifications.at, notifications.kind,
             notification_preferences.choices
             FROM outbox JOIN push_browsers ON push_browsers.id = outbox.push_id
             JOIN notifications ON notifications.id = outbox.notification_id
             LEFT JOIN notification_preferences ON notification_preferences.account_id = notifications.account_id
             WHERE outbox.due_at <= $1 ORDER BY outbox.due_at, outbox.id LIMIT $2",
        )
        .bind(now.as_millis())
        .bind(limit as i64)
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
        let row = sqlx::query("SELECT MIN(due_at) FROM outbox WHERE due_at > $1")
            .bind(now.as_millis())
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
