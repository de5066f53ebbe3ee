//! What happened on channels, in SQL.

use crate::{
    page::{Place, Wanted},
    store::{Store, StoreError},
};
use serde_json::{Value, json};
use shared::{
    activity::{Activity, ActivityKind, ActivityState},
    id::{ChannelId, EventId},
    page::Page,
    unit::Timestamp,
};
use sqlx::{Row, any::AnyRow};

/// Reads what happened on channels.
#[derive(Debug, Clone)]
pub struct ActivityStore(Store);

/// From `id, kind, at, data` and the person's `id, name, display_name`.
fn entry(row: &AnyRow) -> Result<Activity, StoreError> {
    let wrong = |error: serde_json::Error| StoreError::Row(error.to_string());
    let data: String = row.try_get(3)?;
    let mut whole: Value = serde_json::from_str(&data).map_err(wrong)?;
    whole["id"] = row.try_get::<String, _>(0)?.into();
    whole["kind"] = row.try_get::<String, _>(1)?.into();
    whole["at"] = json!(Timestamp::from_millis(row.try_get(2)?));
    let person: Option<String> = row.try_get(4)?;
    if let Some(id) = person {
        let (account, name): (String, String) = (row.try_get(5)?, row.try_get(6)?);
        whole["person"] = json!({ "id": id, "account": account, "name": name });
    }
    serde_json::from_value(whole).map_err(wrong)
}

impl ActivityStore {
    /// On this database.
    pub fn new(store: Store) -> Self {
        Self(store)
    }

    /// What happened on a channel, newest first; of one kind alone, if one is named.
    pub async fn list(
        &self,
        channel: &ChannelId,
        kind: Option<ActivityKind>,
        wanted: &Wanted,
    ) -> Result<Page<Activity>, StoreError> {
        let (at, id) = wanted.before();
        let statement = if kind.is_some() {
            "SELECT activities.id, activities.kind, activities.at, activities.data, accounts.id, accounts.name,
             accounts.display_name FROM activities LEFT JOIN accounts ON accounts.id = activities.account_id
             WHERE activities.channel_id = $1 AND activities.kind = $5
             AND (activities.at < $2 OR (activities.at = $2 AND activities.id < $3))
             ORDER BY activities.at DESC, activities.id DESC LIMIT $4"
        } else {
            "SELECT activities.id, activities.kind, activities.at, activities.data, accounts.id, accounts.name,
             accounts.display_name FROM activities LEFT JOIN accounts ON accounts.id = activities.account_id
             WHERE activities.channel_id = $1
             AND (activities.at < $2 OR (activities.at = $2 AND activities.id < $3))
             ORDER BY activities.at DESC, activities.id DESC LIMIT $4"
        };
        let mut query = sqlx::query(statement).bind(channel.as_str()).bind(at).bind(id).bind(wanted.rows());
        if let Some(kind) = kind {
            query = query.bind(kind.name());
        }
        let rows = query.fetch_all(self.0.pool()).await?;
        let entries: Result<Vec<Activity>, StoreError> = rows.iter().map(entry).collect();
        Ok(wanted.page(entries?, |one| Place { at: one.at.as_millis(), id: one.id.as_str().to_owned() }))
    }

    /// The newest of it.
    pub async fn newest(&self, channel: &ChannelId) -> Result<ActivityState, StoreError> {
        let row = sqlx::query(
            "SELECT id, at FROM activities WHERE channel_id = $1 ORDER BY at DESC, id DESC LIMIT 1",
        )
        .bind(channel.as_str())
        .fetch_optional(self.0.pool())
        .await?;
        let Some(row) = row else { return Ok(ActivityState::default()) };
        let id: String = row.try_get(0)?;
        let newest: EventId = id.parse().map_err(|_| StoreError::Row(format!("the entry {id}")))?;
        Ok(ActivityState { newest: Some(newest), at: Some(Timestamp::from_millis(row.try_get(1)?)) })
    }

    /// Forgets what happened before a time.
    pub async fn forget(&self, before: Timestamp) -> Result<u64, StoreError> {
        let done = sqlx::query("DELETE FROM activities WHERE at < $1")
            .bind(before.as_millis())
            .execute(self.0.pool())
            .await?;
        Ok(done.rows_affected())
    }
}
