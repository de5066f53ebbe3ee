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
}

/// From `earlier, since, ends_at, told`, which begin there.
fn tenure(row: &AnyRow, first: usize) -> Result<Tenure, StoreError> {
    Ok(Tenure {
        earlier: row.try_get(first)?,
        since: time(row, first + 1)?,
        ends_at: time(row, first + 2)?,
        told: number(row, first + 3)?,
    })
}

async fn known(
    connection: &mut AnyConnection,
    channel: &ChannelId,
    who: &AccountId,
) -> Result<Option<Tenure>, StoreError> {
    let row = sqlx::query(
        "SELECT earlier, since, ends_at, told FROM subscription_tenures WHERE channel_id = $1 AND account_id = $2",
    )
    .bind(channel.as_str())
    .bind(who.as_str())
    .fetch_optional(connection)
    .await?;
    row.map(|row| tenure(&row, 0)).transpose()
}

async fn write(
    connection: &mut AnyConnection,
    channel: &ChannelId,
    who: &AccountId,
    tenure: Tenure,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO subscription_tenures (channel_id, account_id, earlier, since, ends_at, told, next_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (channel_id, account_id) DO UPDATE SET earlier = excluded.earlier, since = excluded.since,
         ends_at = excluded.ends_at, told = excluded.told, next_at = excluded.next_at",
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
    let tenure = match known(connection, channel, who).await? {
        Some(known) => known.lengthened(ends_at, now),
        None => Tenure::new(now, ends_at),
    };
    write(connection, channel, who, tenure).await
}

/// All that somebody had was ended; in the transaction in which it is.
pub(in crate::social::subscription) async fn ended(
    connection: &mut AnyConnection,
    channel: &ChannelId,
    who: &AccountId,
    now: Timestamp,
) -> Result<(), StoreError> {
    match known(connection, channel, who).await? {
        Some(known) => write(connection, channel, who, known.ended(now)).await,
        None => Ok(()),
    }
}

impl SubscriptionStore {
    /// Those who reached a milestone that wasn't told.
    pub async fn milestones_due(&self, now: Timestamp, most: i64) -> Result<Vec<Due>, StoreError> {
        let rows = sqlx::query(
            "SELECT channel_id, account_id, earlier, since, ends_at, told FROM subscription_tenures
             WHERE next_at <= $1 ORDER BY next_at, channel_id, account_id LIMIT $2",
        )
        .bind(now.as_millis())
        .bind(most)
        .fetch_all(self.0.pool())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Due { channel: column(row, 0)?, account: column(row, 1)?, tenure: tenure(row, 2)? })
            })
            .collect()
    }

    /// Writes down that a milestone was told, and has it among what happened on the channel: both or neither, and once. What they
    /// had changed meanwhile is looked at anew.
    pub async fn milestone_told(
        &self,
        due: &Due,
        months: Option<u32>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Due { channel, account, tenure } = due;
        let next = Tenure { told: months.unwrap_or(tenure.told).max(tenure.told), ..*tenure };
        // One that can't be reached by this clock any more waits for what is added.
        let next_at = if months.is_some() { next.next_at() } else { None };
        let mut transaction = self.0.pool().begin().await?;
        let done = sqlx::query(
            "UPDATE subscription_tenures SET told = $3, next_at = $4
             WHERE channel_id = $1 AND account_id = $2 AND told = $5 AND earlier = $6 AND ends_at = $7",
        )
        .bind(channel.as_str())
        .bind(account.as_str())
        .bind(i64::from(next.told))
        .bind(next_at.map(Timestamp::as_millis))
        .bind(i64::from(tenure.told))
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
