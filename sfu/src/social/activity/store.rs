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
        // By their ids, which are made as they are written: when something happened may be by another clock.
        let after = wanted.after.as_ref().map(|place| place.id.clone());
        let statement = if kind.is_some() {
            "SELECT activities.id, activities.kind, activities.at, activities.data, accounts.id, accounts.name,
             accounts.display_name FROM activities LEFT JOIN accounts ON accounts.id = activities.account_id
             WHERE activities.channel_id = $1 AND activities.kind = $4
             AND (activities.id < $2 OR $2 IS NULL) ORDER BY activities.id DESC LIMIT $3"
        } else {
            "SELECT activities.id, activities.kind, activities.at, activities.data, accounts.id, accounts.name,
             accounts.display_name FROM activities LEFT JOIN accounts ON accounts.id = activities.account_id
             WHERE activities.channel_id = $1
             AND (activities.id < $2 OR $2 IS NULL) ORDER BY activities.id DESC LIMIT $3"
        };
        let mut query = sqlx::query(statement).bind(channel.as_str()).bind(after).bind(wanted.rows());
        if let Some(kind) = kind {
            query = query.bind(kind.name());
        }
        let rows = query.fetch_all(self.0.pool()).await?;
        let entries: Result<Vec<Activity>, StoreError> = rows.iter().map(entry).collect();
        Ok(wanted.page(entries?, |one| Place { at: one.at.as_millis(), id: one.id.as_str().to_owned() }))
    }

    /// The newest of it.
    pub async fn newest(&self, channel: &ChannelId) -> Result<ActivityState, StoreError> {
        let row = sqlx::query("SELECT id, at FROM activities WHERE channel_id = $1 ORDER BY id DESC LIMIT 1")
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

    /// Forgets what is beyond so many entries of each channel, the oldest first.
    pub async fn forget_beyond(&self, most: i64) -> Result<(), StoreError> {
        let rows = sqlx::query("SELECT channel_id FROM activities GROUP BY channel_id HAVING COUNT(*) > $1")
            .bind(most)
            .fetch_all(self.0.pool())
            .await?;
        for row in &rows {
            let channel: String = row.try_get(0)?;
            sqlx::query(
                "DELETE FROM activities WHERE channel_id = $1 AND id <=
                 (SELECT id FROM activities WHERE channel_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)",
            )
            .bind(channel)
            .bind(most)
            .execute(self.0.pool())
            .await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::activity::{self, Happened};

    async fn world() -> (Store, ActivityStore, ChannelId, tempfile::TempDir) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open_in(dir.path()).await.unwrap();
        let insert =
            "INSERT INTO channels (id, name, display_name, title, description, category, tags, visibility, created_at)
             VALUES ('c', 'ada', 'Ada', '', '', '', '[]', 'PUBLIC', 0)";
        sqlx::query(insert).execute(store.pool()).await.unwrap();
        (store.clone(), ActivityStore::new(store), "c".parse().unwrap(), dir)
    }

    /// Something happens at a time, by whichever clock.
    async fn happens(store: &Store, channel: &ChannelId, occasion: &str, at: i64) {
        let mut transaction = store.pool().begin().await.unwrap();
        let happened = Happened {
            occasion,
            kind: ActivityKind::StreamEnded,
            at: Timestamp::from_millis(at),
            who: None,
            data: json!({ "streamId": "b", "duration": 1 }),
            again_after: None,
        };
        assert!(activity::put(&mut transaction, channel, happened).await.unwrap());
        transaction.commit().await.unwrap();
    }

    #[tokio::test]
    async fn what_is_dated_earlier_is_the_newest_all_the_same() {
        let (store, activities, channel, _dir) = world().await;
        happens(&store, &channel, "first", 9000).await;
        let before = activities.newest(&channel).await.unwrap().newest;
        happens(&store, &channel, "second", 5000).await;
        let newest = activities.newest(&channel).await.unwrap();
        assert_ne!(newest.newest, before, "the topic rings");
        assert_eq!(newest.at, Some(Timestamp::from_millis(5000)));
        let one = Wanted { after: None, limit: 1 };
        let page = activities.list(&channel, None, &one).await.unwrap();
        assert_eq!(Some(&page.items[0].id), newest.newest.as_ref());
        let after = Place::parse(&page.next.unwrap());
        let rest = Wanted { after, limit: 1 };
        let page = activities.list(&channel, Some(ActivityKind::StreamEnded), &rest).await.unwrap();
        assert_eq!((Some(&page.items[0].id), page.next), (before.as_ref(), None));
    }

    #[tokio::test]
    async fn beyond_so_many_the_oldest_go_and_never_the_new_one() {
        let (store, activities, channel, _dir) = world().await;
        for n in 0..5 {
            happens(&store, &channel, &format!("n{n}"), 1000 - n).await;
        }
        activities.forget_beyond(5).await.unwrap();
        let all = Wanted { after: None, limit: 100 };
        let before = activities.list(&channel, None, &all).await.unwrap().items;
        assert_eq!(before.len(), 5);
        activities.forget_beyond(2).await.unwrap();
        let left = activities.list(&channel, None, &all).await.unwrap().items;
        assert_eq!(left, before[..2]);
    }
}
