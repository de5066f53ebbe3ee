//! Notifications, preferences and the outbox in SQL.

use super::rules::{self, Open, Plan, Told};
use crate::{
    actor::Actor,
    fresh,
    page::{Place, Wanted},
    store::{Store, StoreError},
};
use shared::{
    account::Role,
    id::{AccountId, ChannelId, NotificationId},
    notification::{Bell, Notification, NotificationKind, Preferences},
    page::Page,
    unit::Timestamp,
};
use sqlx::{Any, Row, Transaction, any::AnyRow};
use std::str::FromStr;

/// Notifications are kept this long, and what was told is remembered.
const KEPT: i64 = 30 * 24 * 60 * 60 * 1000;
/// The most notifications of one person; the oldest go first.
const KEPT_MOST: i64 = 500;

/// Reads and writes notifications.
#[derive(Debug, Clone)]
pub struct NotificationStore(pub(super) Store);

/// Somebody who follows a channel.
#[derive(Debug, Clone)]
pub struct Follower {
    /// Who, and what they are on the instance.
    pub who: Actor,
    /// What they want to be told.
    pub preferences: Preferences,
}

fn kind_text(kind: NotificationKind) -> &'static str {
    match kind {
        NotificationKind::WentLive => "went_live",
        NotificationKind::Mention => "mention",
        NotificationKind::Follower => "follower",
        NotificationKind::Moderation => "moderation",
        NotificationKind::Subscription => "subscription",
        NotificationKind::System => "system",
    }
}

pub(super) fn kind(row: &AnyRow, index: usize) -> Result<NotificationKind, StoreError> {
    let text: String = row.try_get(index)?;
    let known = NotificationKind::ALL.into_iter().find(|kind| kind_text(*kind) == text);
    known.ok_or_else(|| StoreError::Row(format!("the kind {text}")))
}

pub(super) fn column<T: FromStr>(row: &AnyRow, index: usize) -> Result<T, StoreError>
where
    T::Err: std::fmt::Display,
{
    let text: String = row.try_get(index)?;
    text.parse().map_err(|error: T::Err| StoreError::Row(error.to_string()))
}

/// Nothing in an outbox waits for longer: quiet hours are over within two days, whatever the clocks do in between.
const WAIT_MOST: i64 = 49 * 60 * 60 * 1000;

/// Until when something is due; and beyond what it is, too, since a clock that was set back must not hold it for long.
pub(super) fn moments(now: Timestamp) -> (i64, i64) {
    (now.as_millis(), now.as_millis().saturating_add(WAIT_MOST))
}

/// From `id, kind, title, detail, url, picture, times, at, read_at`.
fn notification(row: &AnyRow) -> Result<Notification, StoreError> {
    let times: i64 = row.try_get(6)?;
    Ok(Notification {
        id: column(row, 0)?,
        kind: kind(row, 1)?,
        title: row.try_get(2)?,
        detail: row.try_get(3)?,
        url: row.try_get(4)?,
        picture: row.try_get(5)?,
        count: u32::try_from(times).unwrap_or(u32::MAX),
        at: Timestamp::from_millis(row.try_get(7)?),
        read: row.try_get::<Option<i64>, _>(8)?.is_some(),
    })
}

impl NotificationStore {
    /// On this database.
    pub fn new(store: Store) -> Self {
        Self(store)
    }

    /// Who follows a channel, behind an account, and what each wants to be told.
    pub async fn followers(
        &self,
        channel: &ChannelId,
        after: &str,
        limit: i64,
    ) -> Result<Vec<Follower>, StoreError> {
        let rows = sqlx::query(
            "SELECT follows.account_id, notification_preferences.choices, accounts.role FROM follows
             JOIN accounts ON accounts.id = follows.account_id AND accounts.suspended_at IS NULL
             LEFT JOIN notification_preferences ON notification_preferences.account_id = follows.account_id
             WHERE follows.channel_id = $1 AND follows.account_id > $2 ORDER BY follows.account_id LIMIT $3",
        )
        .bind(channel.as_str())
        .bind(after)
        .bind(limit)
        .fetch_all(self.0.pool())
        .await?;
        rows.iter()
            .map(|row| {
                let role = match row.try_get::<String, _>(2)?.as_str() {
                    "owner" => Role::Owner,
                    "admin" => Role::Admin,
                    _ => Role::Member,
                };
                let who = Actor { account: column(row, 0)?, role, address: None };
                Ok(Follower { who, preferences: preferences(row, 1)? })
            })
            .collect()
    }

    /// What somebody wants to be told; `None` if there is nobody, or nobody who may be here.
    pub async fn preferences(&self, account: &AccountId) -> Result<Option<Preferences>, StoreError> {
        let row = sqlx::query(
            "SELECT notification_preferences.choices FROM accounts
             LEFT JOIN notification_preferences ON notification_preferences.account_id = accounts.id
             WHERE accounts.id = $1 AND accounts.suspended_at IS NULL",
        )
        .bind(account.as_str())
        .fetch_optional(self.0.pool())
        .await?;
        row.map(|row| preferences(&row, 0)).transpose()
    }

    /// Writes what somebody wants to be told. What waits is looked at anew: it may go now, or not at all.
    pub async fn set_preferences(
        &self,
        account: &AccountId,
        preferences: &Preferences,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let choices =
            serde_json::to_string(preferences).map_err(|error| StoreError::Row(error.to_string()))?;
        let mut transaction = self.0.pool().begin().await?;
        sqlx::query(
            "INSERT INTO notification_preferences (account_id, choices) VALUES ($1, $2)
             ON CONFLICT (account_id) DO UPDATE SET choices = excluded.choices",
        )
        .bind(account.as_str())
        .bind(choices)
        .execute(&mut *transaction)
        .await?;
        // What failed waits for its next try, and what gathers for its minute.
        for (statement, soonest) in [
            (
                "UPDATE outbox SET due_at = $2 WHERE due_at > $2 AND tries = 0
                 AND notification_id IN (SELECT id FROM notifications WHERE account_id = $1)",
                now.as_millis(),
            ),
            (
                "UPDATE mail_outbox SET due_at = $2 WHERE due_at > $2 AND tries = 0 AND account_id = $1",
                now.as_millis() + rules::GATHER,
            ),
        ] {
            sqlx::query(statement).bind(account.as_str()).bind(soonest).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Tells each of these people of one occasion, all or nobody, and puts into the outbox what is to leave. Whoever was told
    /// of it already isn't again. Gives who was told now.
    pub async fn tell(
        &self,
        people: &[(AccountId, Preferences)],
        told: &Told,
        now: Timestamp,
    ) -> Result<Vec<AccountId>, StoreError> {
        let mut heard = Vec::new();
        let mut transaction = self.0.pool().begin().await?;
        for (account, preferences) in people {
            let plan = Plan::of(preferences, told.kind, now);
            if tell_one(&mut transaction, account, &plan, told, now).await? {
                heard.push(account.clone());
            }
        }
        transaction.commit().await?;
        Ok(heard)
    }

    /// Somebody's notifications, newest first.
    pub async fn list(&self, account: &AccountId, wanted: &Wanted) -> Result<Page<Notification>, StoreError> {
        let (at, id) = wanted.before();
        let rows = sqlx::query(
            "SELECT id, kind, title, detail, url, picture, times, at, read_at FROM notifications
             WHERE account_id = $1 AND in_app = 1 AND (at < $2 OR (at = $2 AND id < $3))
             ORDER BY at DESC, id DESC LIMIT $4",
        )
        .bind(account.as_str())
        .bind(at)
        .bind(id)
        .bind(wanted.rows())
        .fetch_all(self.0.pool())
        .await?;
        let found: Result<Vec<_>, StoreError> = rows.iter().map(notification).collect();
        Ok(wanted.page(found?, |one| Place { at: one.at.as_millis(), id: one.id.as_str().to_owned() }))
    }

    /// How many wait for somebody, and the newest of them.
    pub async fn bell(&self, account: &AccountId) -> Result<Bell, StoreError> {
        let row = sqlx::query(
            "SELECT COUNT(*) FROM notifications WHERE account_id = $1 AND in_app = 1 AND read_at IS NULL",
        )
        .bind(account.as_str())
        .fetch_one(self.0.pool())
        .await?;
        let unread: i64 = row.try_get(0)?;
        let row = sqlx::query(
            "SELECT id, kind, title, detail, url, picture, times, at, read_at FROM notifications
             WHERE account_id = $1 AND in_app = 1 AND read_at IS NULL ORDER BY at DESC, id DESC LIMIT 1",
        )
        .bind(account.as_str())
        .fetch_optional(self.0.pool())
        .await?;
        let latest = row.as_ref().map(notification).transpose()?;
        Ok(Bell { unread: u32::try_from(unread).unwrap_or(u32::MAX), latest })
    }

    /// Marks what came until then as read. What of it hasn't left yet stays here.
    pub async fn mark_read(
        &self,
        account: &AccountId,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        for statement in [
            "DELETE FROM outbox WHERE notification_id IN
             (SELECT id FROM notifications WHERE account_id = $1 AND at <= $2 AND read_at IS NULL)",
            "DELETE FROM mail_outbox WHERE notification_id IN
             (SELECT id FROM notifications WHERE account_id = $1 AND at <= $2 AND read_at IS NULL)",
        ] {
            let statement = sqlx::query(statement).bind(account.as_str()).bind(until.as_millis());
            statement.execute(&mut *transaction).await?;
        }
        sqlx::query(
            "UPDATE notifications SET read_at = $3 WHERE account_id = $1 AND at <= $2 AND read_at IS NULL",
        )
        .bind(account.as_str())
        .bind(until.as_millis())
        .bind(now.as_millis())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Forgets what is too old.
    pub async fn forget_old(&self, now: Timestamp) -> Result<(), StoreError> {
        for statement in ["DELETE FROM notified WHERE at < $1", "DELETE FROM notifications WHERE at < $1"] {
            sqlx::query(statement).bind(now.as_millis() - KEPT).execute(self.0.pool()).await?;
        }
        Ok(())
    }
}

/// What somebody wants to be told; a column that is NULL for who said nothing.
pub(super) fn preferences(row: &AnyRow, index: usize) -> Result<Preferences, StoreError> {
    let choices: Option<String> = row.try_get(index)?;
    // What an older or newer version wrote and can't be read is as if nothing had been said.
    Ok(choices.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}

/// From `id, times, in_app, at` and how many of its messages wait.
fn found(row: &AnyRow) -> Result<(NotificationId, i64, Open), StoreError> {
    let (in_app, at, waiting): (i64, i64, i64) = (row.try_get(2)?, row.try_get(3)?, row.try_get(4)?);
    let open = Open { in_app: in_app != 0, waits: waiting > 0, at: Timestamp::from_millis(at) };
    Ok((column(row, 0)?, row.try_get(1)?, open))
}

async fn tell_one(
    transaction: &mut Transaction<'_, Any>,
    account: &AccountId,
    plan: &Plan,
    told: &Told,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let is_new = sqlx::query(
        "INSERT INTO notified (account_id, occasion, at) VALUES ($1, $2, $3)
         ON CONFLICT (account_id, occasion) DO UPDATE SET at = excluded.at WHERE notified.at <= $4",
    )
    .bind(account.as_str())
    .bind(&told.occasion)
    .bind(now.as_millis())
    // By then it was forgotten, or is about to be: whether that was done yet makes no difference.
    .bind(now.as_millis() - KEPT)
    .execute(&mut **transaction)
    .await?;
    // Who wants to hear nothing of it now isn't told later either, having changed their mind.
    if is_new.rows_affected() == 0 || plan.is_nothing() {
        return Ok(false);
    }
    let row = sqlx::query(
        "SELECT id, times, in_app, at,
         (SELECT COUNT(*) FROM outbox WHERE notification_id = notifications.id)
         + (SELECT COUNT(*) FROM mail_outbox WHERE notification_id = notifications.id AND letter IS NULL)
         FROM notifications
         WHERE account_id = $1 AND gathered_by = $2 AND read_at IS NULL ORDER BY at DESC, id DESC LIMIT 1",
    )
    .bind(account.as_str())
    .bind(&told.gathered_by)
    .fetch_optional(&mut **transaction)
    .await?;
    let found = row.map(|row| found(&row)).transpose()?.filter(|(.., open)| rules::is_gathered(*open));
    // Who hasn't read of the first isn't rung up for the next of its kind.
    let rings = found.as_ref().is_none_or(|(.., open)| rules::rings_again(told, *open, now));
    let id: NotificationId = match found {
        Some((id, times, _)) => {
            let times = times.saturating_add(1);
            sqlx::query(
                "UPDATE notifications SET title = $2, detail = $3, url = $4, picture = $5, times = $6, at = $7,
                 in_app = CASE WHEN in_app = 1 THEN 1 ELSE $8 END WHERE id = $1",
            )
            .bind(id.as_str())
            .bind(rules::title(told, u32::try_from(times).unwrap_or(u32::MAX)))
            .bind(&told.detail)
            .bind(&told.url)
            .bind(told.picture.clone())
            .bind(times)
            .bind(now.as_millis())
            .bind(i64::from(plan.in_app))
            .execute(&mut **transaction)
            .await?;
            id
        }
        None => {
            let id: NotificationId = fresh::id();
            sqlx::query(
                "INSERT INTO notifications
                 (id, account_id, kind, gathered_by, title, detail, url, picture, times, at, in_app)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $10)",
            )
            .bind(id.as_str())
            .bind(account.as_str())
            .bind(kind_text(told.kind))
            .bind(&told.gathered_by)
            .bind(rules::title(told, 1))
            .bind(&told.detail)
            .bind(&told.url)
            .bind(told.picture.clone())
            .bind(now.as_millis())
            .bind(i64::from(plan.in_app))
            .execute(&mut **transaction)
            .await?;
            sqlx::query(
                "DELETE FROM notifications WHERE account_id = $1 AND id IN
                 (SELECT id FROM notifications WHERE account_id = $1 ORDER BY at DESC, id DESC
                  LIMIT 1000 OFFSET $2)",
            )
            .bind(account.as_str())
            .bind(KEPT_MOST)
            .execute(&mut **transaction)
            .await?;
            id
        }
    };
    if let Some(due) = plan.email.filter(|_| rings) {
        sqlx::query(
            "INSERT INTO mail_outbox (id, notification_id, account_id, due_at, tries)
             SELECT $1, $2, $3, $4, 0
             WHERE EXISTS (SELECT 1 FROM emails WHERE account_id = $3 AND confirmed_at IS NOT NULL)
             AND NOT EXISTS (SELECT 1 FROM mail_outbox WHERE notification_id = $2 AND letter IS NULL)",
        )
        .bind(fresh::id::<NotificationId>().as_str())
        .bind(id.as_str())
        .bind(account.as_str())
        .bind(due.as_millis())
        .execute(&mut **transaction)
        .await?;
    }
    if let Some(due) = plan.push.filter(|_| rings) {
        // A message for each browser, so that one that fails keeps none of the others. What still waits to leave says it
        // with the newest words.
        sqlx::query(
            "INSERT INTO outbox (id, notification_id, push_id, due_at, tries)
             SELECT $1 || '-' || push_browsers.id, $2, push_browsers.id, $4, 0 FROM push_browsers
             WHERE push_browsers.account_id = $3 AND NOT EXISTS (SELECT 1 FROM outbox
             WHERE outbox.notification_id = $2 AND outbox.push_id = push_browsers.id AND outbox.due_at > $5)",
        )
        .bind(fresh::id::<NotificationId>().as_str())
        .bind(id.as_str())
        .bind(account.as_str())
        .bind(due.as_millis())
        .bind(now.as_millis())
        .execute(&mut **transaction)
        .await?;
    }
    Ok(true)
}
