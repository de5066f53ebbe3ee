//! For how long people have subscribed in all, in SQL.

use super::rules::Tenure;
use crate::{
    social::subscription::store::{SubscriptionStore, column, number, time},
    store::{
        StoreError,
        activity::{self, Happened},
    },
};
use serde_json::json;
use shared::{
    activity::ActivityKind,
    id::{AccountId, ChannelId},
    unit::Timestamp,
};
use sqlx::{AnyConnection, Row, any::AnyRow};

/// Somebody who reached a milestone that wasn't told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Where.
    pub channel: ChannelId,
    /// Who.
    pub account: AccountId,
    /// What they have had.
    pub tenure: Tenure,
    /// What they had is from before this was counted: it is looked at, and what they reached isn't told.
    pub is_old: bool,
}

/// As the last milestone of those is kept who subscribed before this was counted.
const OLD: i64 = -1;

/// From `earlier, since, ends_at, told`, which begin there; and whether it is from before this was counted.
fn tenure(row: &AnyRow, first: usize, now: Timestamp) -> Result<(Tenure, bool), StoreError> {
    let is_old = row.try_get::<i64, _>(first + 3)? == OLD;
    let tenure = Tenure {
        earlier: row.try_get(first)?,
        since: time(row, first + 1)?,
        ends_at: time(row, first + 2)?,
        told: if is_old { 0 } else { number(row, first + 3)? },
    };
    Ok((if is_old { tenure.settled(now) } else { tenure }, is_old))
}

async fn write(
    connection: &mut AnyConnection,
    channel: &ChannelId,
    who: &AccountId,
    tenure: Tenure,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE subscription_tenures SET earlier = $3, since = $4, ends_at = $5, told = $6, next_at = $7
         WHERE channel_id = $1 AND account_id = $2",
    )
    .bind(channel.as_str())
    .bind(who.as_str())
    .bind(tenure.earlier)
    .bind(tenure.since.as_millis())
    .bind(tenure.ends_at.as_millis())
    .bind(i64::from(tenure.told))
    .bind(tenure.next_at().map(Timestamp::as_millis))
    .execute(connection)
    .await?;
    Ok(())
}

/// Somebody was given something that ends then; in the transaction in which they are.
pub(in crate::social::subscription) async fn lengthened(
    connection: &mut AnyConnection,
    channel: &ChannelId,
    who: &AccountId,
    ends_at: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    // Written before it is read, so that nobody else changes it in between. What is made here is as long as nothing.
    let row = sqlx::query(
        "INSERT INTO subscription_tenures (channel_id, account_id, earlier, since, ends_at, told, next_at)
         VALUES ($1, $2, 0, $3, $3, 0, NULL)
         ON CONFLICT (channel_id, account_id) DO UPDATE SET told = subscription_tenures.told
         RETURNING earlier, since, ends_at, told",
    )
    .bind(channel.as_str())
    .bind(who.as_str())
    .bind(now.as_millis())
    .fetch_one(&mut *connection)
    .await?;
    let (known, _) = tenure(&row, 0, now)?;
    write(connection, channel, who, known.lengthened(ends_at, now)).await
}

/// All that somebody had was ended; in the transaction in which it is.
pub(in crate::social::subscription) async fn ended(
    connection: &mut AnyConnection,
    channel: &ChannelId,
    who: &AccountId,
    now: Timestamp,
) -> Result<(), StoreError> {
    // Written before it is read, as above.
    let row = sqlx::query(
        "UPDATE subscription_tenures SET told = told WHERE channel_id = $1 AND account_id = $2
         RETURNING earlier, since, ends_at, told",
    )
    .bind(channel.as_str())
    .bind(who.as_str())
    .fetch_optional(&mut *connection)
    .await?;
    let Some(row) = row else { return Ok(()) };
    let (known, _) = tenure(&row, 0, now)?;
    write(connection, channel, who, known.ended(now)).await
}

impl SubscriptionStore {
    /// Those who reached a milestone that wasn't told, behind a place of the list that it is: each, if it can be read, and its place.
    pub async fn milestones_due(
        &self,
        now: Timestamp,
        behind: &str,
        most: i64,
    ) -> Result<Vec<(Result<Due, StoreError>, String)>, StoreError> {
        let rows = sqlx::query(
            "SELECT channel_id, account_id, earlier, since, ends_at, told, channel_id || ' ' || account_id
             FROM subscription_tenures WHERE next_at <= $1 AND channel_id || ' ' || account_id > $2
             ORDER BY channel_id || ' ' || account_id LIMIT $3",
        )
        .bind(now.as_millis())
        .bind(behind)
        .bind(most)
        .fetch_all(self.0.pool())
        .await?;
        let due = |row: &AnyRow| {
            let (tenure, is_old) = tenure(row, 2, now)?;
            Ok(Due { channel: column(row, 0)?, account: column(row, 1)?, tenure, is_old })
        };
        rows.iter().map(|row| Ok((due(row), row.try_get(6)?))).collect()
    }

    /// Writes down that a milestone was told, and has it among what happened on the channel: both or neither, and once. What they
    /// had changed meanwhile is looked at anew.
    pub async fn milestone_told(
        &self,
        due: &Due,
        months: Option<u32>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Due { channel, account, tenure, is_old } = due;
        let next = Tenure { told: months.unwrap_or(tenure.told).max(tenure.told), ..*tenure };
        // One that can't be reached by this clock any more waits for what is added.
        let next_at = if months.is_some() || *is_old { next.next_at() } else { None };
        let mut transaction = self.0.pool().begin().await?;
        let done = sqlx::query(
            "UPDATE subscription_tenures SET told = $3, next_at = $4
             WHERE channel_id = $1 AND account_id = $2 AND told = $5 AND earlier = $6 AND ends_at = $7",
        )
        .bind(channel.as_str())
        .bind(account.as_str())
        .bind(i64::from(next.told))
        .bind(next_at.map(Timestamp::as_millis))
        .bind(if *is_old { OLD } else { i64::from(tenure.told) })
        .bind(tenure.earlier)
        .bind(tenure.ends_at.as_millis())
        .execute(&mut *transaction)
        .await?;
        if let Some(months) = months.filter(|_| done.rows_affected() > 0) {
            let occasion = format!("milestone {account} {months}");
            let happened = Happened {
                occasion: &occasion,
                kind: ActivityKind::Milestone,
                at: now,
                who: Some(account),
                data: json!({ "months": months }),
                again_after: None,
            };
            activity::put(&mut transaction, channel, happened).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::rules::MONTH;
    use super::*;
    use crate::store::Store;

    const MIGRATION: &str = include_str!("../../../../migrations/1231_tenures.sql");

    fn at(months: i64) -> Timestamp {
        Timestamp::from_millis(months * MONTH)
    }

    async fn world() -> (Store, SubscriptionStore, tempfile::TempDir) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open_in(dir.path()).await.unwrap();
        for statement in [
            "INSERT INTO channels (id, name, display_name, title, description, category, tags, visibility, created_at)
             VALUES ('c', 'ada', 'Ada', '', '', '', '[]', 'PUBLIC', 0)",
            "INSERT INTO accounts (id, name, display_name, role, password_hash, created_at) VALUES
             ('gone', 'gone', '', 'member', '', 0), ('long', 'long', '', 'member', '', 0),
             ('new', 'new', '', 'member', '', 0)",
        ] {
            sqlx::query(statement).execute(store.pool()).await.unwrap();
        }
        (store.clone(), SubscriptionStore::new(store), dir)
    }

    async fn due(store: &SubscriptionStore, now: Timestamp) -> Vec<Due> {
        let all = store.milestones_due(now, "", 10).await.unwrap();
        all.into_iter().map(|(due, _)| due.unwrap()).collect()
    }

    #[tokio::test]
    async fn what_was_reached_before_it_was_counted_is_told_to_nobody() {
        let (store, subscriptions, _dir) = world().await;
        // One left long ago, one has been there for 14 months in tiers that overlap, one for a month.
        for (who, tier, since, ends_at) in [
            ("gone", 1, 0, 7),
            ("long", 1, 6, 12),
            ("long", 2, 11, 15),
            ("long", 3, 14, 40),
            ("new", 1, 19, 40),
        ] {
            sqlx::query("INSERT INTO subscriptions (channel_id, account_id, tier, since, ends_at) VALUES ('c', $1, $2, $3, $4)")
                .bind(who)
                .bind(i64::from(tier))
                .bind(at(since).as_millis())
                .bind(at(ends_at).as_millis())
                .execute(store.pool())
                .await
                .unwrap();
        }
        let start = MIGRATION.find("INSERT INTO subscription_tenures").unwrap();
        sqlx::query(MIGRATION.get(start..).unwrap()).execute(store.pool()).await.unwrap();
        let now = at(20);
        let found = due(&subscriptions, now).await;
        assert_eq!(found.len(), 3, "each is looked at once");
        for one in &found {
            assert_eq!(one.tenure.reached(now), None, "{}", one.account);
            subscriptions.milestone_told(one, None, now).await.unwrap();
        }
        let long = found.iter().find(|one| one.account.as_str() == "long").unwrap();
        assert_eq!((long.tenure.since, long.tenure.ends_at, long.tenure.told), (at(6), at(40), 12));
        assert!(due(&subscriptions, now).await.is_empty());
        let next = due(&subscriptions, at(22)).await;
        assert_eq!(next.len(), 1, "who goes on is told of what comes");
        assert_eq!((next[0].account.as_str(), next[0].tenure.reached(at(22))), ("new", Some(3)));
        assert!(due(&subscriptions, at(30)).await.iter().any(|one| one.account.as_str() == "long"));
        let told: i64 =
            sqlx::query("SELECT COUNT(*) FROM activities").fetch_one(store.pool()).await.unwrap().get(0);
        assert_eq!(told, 0);
    }

    #[tokio::test]
    async fn what_is_given_and_ended_is_counted_by_one_row() {
        let (store, subscriptions, _dir) = world().await;
        let (channel, who) = ("c".parse().unwrap(), "new".parse().unwrap());
        let mut transaction = store.pool().begin().await.unwrap();
        lengthened(&mut transaction, &channel, &who, at(1), at(0)).await.unwrap();
        lengthened(&mut transaction, &channel, &who, at(4), at(0)).await.unwrap();
        transaction.commit().await.unwrap();
        let found = due(&subscriptions, at(3)).await;
        assert_eq!((found.len(), found[0].tenure.reached(at(3)), found[0].is_old), (1, Some(3), false));
        let mut transaction = store.pool().begin().await.unwrap();
        ended(&mut transaction, &channel, &who, at(2)).await.unwrap();
        transaction.commit().await.unwrap();
        assert!(due(&subscriptions, at(9)).await.is_empty());
    }
}
