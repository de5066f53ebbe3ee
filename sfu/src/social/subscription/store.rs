//! Subscriptions in SQL.

use super::{
    billing::{Receipt, Settled},
    gift,
    rules::{self, Term},
    tenure,
};
use crate::{
    actor::Actor,
    fresh,
    page::{Place, Wanted},
    store::{
        Store, StoreError,
        activity::{self, Happened},
        audit::{self, Entry},
        outbox,
    },
};
use serde_json::json;
use shared::{
    activity::{ActivityKind, SubscribedBy},
    audit::AuditAction,
    id::{AccountId, ChannelId, ChannelName, EventId},
    page::Page,
    subscription::{Subscriber, Subscription, Tier},
    text::AccountName,
    unit::Timestamp,
    webhook::WebhookKind,
};
use sqlx::{Any, AnyConnection, Executor, Row, any::AnyRow};
use std::str::FromStr;

/// Reads and writes subscriptions.
#[derive(Debug, Clone)]
pub struct SubscriptionStore(pub(super) Store);

/// What became of something that was settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credited {
    /// What they had before; nothing, or something that was over.
    pub before: Option<Tier>,
    /// It was credited now, and not before.
    pub is_new: bool,
}

/// What somebody has that ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// To which channel.
    pub channel: ChannelId,
    /// Whose it is.
    pub account: AccountId,
    /// In which tier.
    pub tier: Tier,
    /// From when until when.
    pub term: Term,
}

pub(super) fn column<T: FromStr>(row: &AnyRow, index: usize) -> Result<T, StoreError>
where
    T::Err: std::fmt::Display,
{
    let text: String = row.try_get(index)?;
    text.parse().map_err(|error: T::Err| StoreError::Row(error.to_string()))
}

pub(super) fn time(row: &AnyRow, index: usize) -> Result<Timestamp, StoreError> {
    Ok(Timestamp::from_millis(row.try_get(index)?))
}

pub(super) fn tier(row: &AnyRow, index: usize) -> Result<Tier, StoreError> {
    let number: i64 = row.try_get(index)?;
    let tier = u8::try_from(number).ok().and_then(Tier::of_number);
    tier.ok_or_else(|| StoreError::Row(format!("the tier {number}")))
}

pub(super) fn number(row: &AnyRow, index: usize) -> Result<u32, StoreError> {
    let number: i64 = row.try_get(index)?;
    u32::try_from(number).map_err(|error| StoreError::Row(error.to_string()))
}

async fn terms<'a>(
    executor: impl Executor<'a, Database = Any>,
    channel: &ChannelId,
    who: &AccountId,
) -> Result<Vec<(Tier, Term)>, StoreError> {
    let rows = sqlx::query(
        "SELECT tier, since, ends_at FROM subscriptions WHERE channel_id = $1 AND account_id = $2",
    )
    .bind(channel.as_str())
    .bind(who.as_str())
    .fetch_all(executor)
    .await?;
    rows.iter()
        .map(|row| Ok((tier(row, 0)?, Term { since: time(row, 1)?, ends_at: time(row, 2)? })))
        .collect()
}

impl SubscriptionStore {
    /// On this database.
    pub fn new(store: Store) -> Self {
        Self(store)
    }

    /// What somebody has of each tier of a channel, those that are over, too.
    pub async fn terms(&self, channel: &ChannelId, who: &AccountId) -> Result<Vec<(Tier, Term)>, StoreError> {
        terms(self.0.pool(), channel, who).await
    }

    /// The highest tier in which somebody subscribes to a channel now.
    pub async fn tier(
        &self,
        channel: &ChannelId,
        who: &AccountId,
        now: Timestamp,
    ) -> Result<Option<Tier>, StoreError> {
        Ok(rules::highest(&self.terms(channel, who).await?, now).map(|(tier, _)| tier))
    }

    /// Credits what was settled for somebody, once, however often it is. `by` is who gives it; nobody where it was settled.
    pub async fn credit(
        &self,
        by: Option<&Actor>,
        who: &AccountId,
        settled: &Settled,
        now: Timestamp,
    ) -> Result<Credited, StoreError> {
        let Settled { receipt, channel, tier, days } = settled;
        let mut transaction = self.0.pool().begin().await?;
        // First, as what writes holds everybody else's writing off: what is read next stays as it is.
        let taken = sqlx::query(
            "INSERT INTO subscription_receipts (receipt, channel_id, account_id, tier, days, settled_at)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (receipt) DO NOTHING",
        )
        .bind(receipt.as_str())
        .bind(channel.as_str())
        .bind(who.as_str())
        .bind(i64::from(tier.number()))
        .bind(i64::from(*days))
        .bind(now.as_millis())
        .execute(&mut *transaction)
        .await?;
        let terms = terms(&mut *transaction, channel, who).await?;
        let before = rules::highest(&terms, now).map(|(tier, _)| tier);
        if taken.rows_affected() == 0 {
            return Ok(Credited { before, is_new: false });
        }
        let current = terms.iter().find(|(of, _)| of == tier).map(|(_, term)| *term);
        let Term { since, ends_at } = rules::extended(current, *days, now);
        sqlx::query(
            "INSERT INTO subscriptions (channel_id, account_id, tier, since, ends_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (channel_id, account_id, tier) DO UPDATE
             SET since = excluded.since, ends_at = excluded.ends_at",
        )
        .bind(channel.as_str())
        .bind(who.as_str())
        .bind(i64::from(tier.number()))
        .bind(since.as_millis())
        .bind(ends_at.as_millis())
        .execute(&mut *transaction)
        .await?;
        if let Some(by) = by {
            let entry = Entry::new(AuditAction::SubscriptionGranted, Some(by)).on(channel).to(who.as_str());
            let words = format!("tier {} for {days} days", tier.number());
            audit::record(&mut transaction, entry.saying(words)).await?;
        }
        tenure::store::lengthened(&mut transaction, channel, who, ends_at, now).await?;
        let is_new = before.is_none_or(|before| before < *tier);
        let occasion = format!("subscription {}", receipt.as_str());
        let got = json!({ "tier": tier, "days": days, "by": subscribed_by(by, receipt), "new": is_new });
        let happened = Happened {
            occasion: &occasion,
            kind: ActivityKind::Subscription,
            at: now,
            who: Some(who),
            data: got,
            again_after: None,
        };
        activity::put(&mut transaction, channel, happened).await?;
        if is_new {
            tell(&mut transaction, channel, who, *tier, now).await?;
        }
        transaction.commit().await?;
        Ok(Credited { before, is_new: true })
    }

    /// Ends all that somebody has of a channel; whether they had anything.
    pub async fn end(&self, by: &Actor, channel: &ChannelId, who: &AccountId) -> Result<bool, StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        let done = sqlx::query("DELETE FROM subscriptions WHERE channel_id = $1 AND account_id = $2")
            .bind(channel.as_str())
            .bind(who.as_str())
            .execute(&mut *transaction)
            .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        tenure::store::ended(&mut transaction, channel, who, fresh::now()).await?;
        let entry = Entry::new(AuditAction::SubscriptionEnded, Some(by)).on(channel).to(who.as_str());
        audit::record(&mut transaction, entry).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Whose subscription to what ran out in between.
    pub async fn over(
        &self,
        after: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<(ChannelId, AccountId)>, StoreError> {
        let rows = sqlx::query(
            "SELECT DISTINCT channel_id, account_id FROM subscriptions WHERE ends_at > $1 AND ends_at <= $2",
        )
        .bind(after.as_millis())
        .bind(until.as_millis())
        .fetch_all(self.0.pool())
        .await?;
        rows.iter().map(|row| Ok((column(row, 0)?, column(row, 1)?))).collect()
    }

    /// Who subscribes to a channel in a tier or a higher one, of those whose ids lie between two.
    pub async fn between(
        &self,
        channel: &ChannelId,
        (first, last): (&AccountId, &AccountId),
        least: Tier,
        now: Timestamp,
    ) -> Result<Vec<AccountId>, StoreError> {
        let rows = sqlx::query(
            "SELECT DISTINCT account_id FROM subscriptions
             WHERE channel_id = $1 AND account_id >= $2 AND account_id <= $3 AND tier >= $4 AND ends_at > $5",
        )
        .bind(channel.as_str())
        .bind(first.as_str())
        .bind(last.as_str())
        .bind(i64::from(least.number()))
        .bind(now.as_millis())
        .fetch_all(self.0.pool())
        .await?;
        rows.iter().map(|row| column(row, 0)).collect()
    }

    /// What ends in between, behind a place of the list that it is: whose it is, to which channel, in which tier, and that place.
    pub async fn ending(
        &self,
        (after, until): (Timestamp, Timestamp),
        behind: &str,
        most: i64,
    ) -> Result<Vec<(Ending, String)>, StoreError> {
        let rows = sqlx::query(
            "SELECT channel_id, account_id, tier, since, ends_at, channel_id || ' ' || account_id || ' ' || tier
             FROM subscriptions WHERE ends_at > $1 AND ends_at <= $2
             AND channel_id || ' ' || account_id || ' ' || tier > $3
             ORDER BY channel_id || ' ' || account_id || ' ' || tier LIMIT $4",
        )
        .bind(after.as_millis())
        .bind(until.as_millis())
        .bind(behind)
        .bind(most)
        .fetch_all(self.0.pool())
        .await?;
        rows.iter()
            .map(|row| {
                let term = Term { since: time(row, 3)?, ends_at: time(row, 4)? };
                let ending =
                    Ending { channel: column(row, 0)?, account: column(row, 1)?, tier: tier(row, 2)?, term };
                Ok((ending, row.try_get(5)?))
            })
            .collect()
    }

    /// Whose an account's name is.
    pub async fn account(&self, name: &AccountName) -> Result<Option<AccountId>, StoreError> {
        let row = sqlx::query("SELECT id FROM accounts WHERE name = $1")
            .bind(name.as_str())
            .fetch_optional(self.0.pool())
            .await?;
        row.map(|row| column(&row, 0)).transpose()
    }

    /// How many subscribe to a channel.
    pub async fn count(&self, channel: &ChannelId, now: Timestamp) -> Result<u64, StoreError> {
        let row = sqlx::query(
            "SELECT COUNT(DISTINCT account_id) FROM subscriptions WHERE channel_id = $1 AND ends_at > $2",
        )
        .bind(channel.as_str())
        .bind(now.as_millis())
        .fetch_one(self.0.pool())
        .await?;
        Ok(row.try_get::<i64, _>(0)?.max(0) as u64)
    }

    /// Who subscribes to a channel, the latest end first.
    pub async fn subscribers(
        &self,
        channel: &ChannelId,
        wanted: &Wanted,
        now: Timestamp,
    ) -> Result<Page<Subscriber>, StoreError> {
        let (at, id) = wanted.before();
        let rows = sqlx::query(
            "SELECT accounts.id, accounts.name, accounts.display_name, subscriptions.tier, subscriptions.since,
             subscriptions.ends_at
             FROM subscriptions JOIN accounts ON accounts.id = subscriptions.account_id
             WHERE subscriptions.channel_id = $1 AND subscriptions.ends_at > $2
             AND (subscriptions.ends_at < $3 OR (subscriptions.ends_at = $3
             AND accounts.id || '-' || subscriptions.tier < $4))
             ORDER BY subscriptions.ends_at DESC, accounts.id || '-' || subscriptions.tier DESC LIMIT $5",
        )
        .bind(channel.as_str())
        .bind(now.as_millis())
        .bind(at)
        .bind(id)
        .bind(wanted.rows())
        .fetch_all(self.0.pool())
        .await?;
        let subscribers: Result<Vec<Subscriber>, StoreError> = rows
            .iter()
            .map(|row| {
                Ok(Subscriber {
                    id: column(row, 0)?,
                    account: column(row, 1)?,
                    name: column(row, 2)?,
                    tier: tier(row, 3)?,
                    since: time(row, 4)?,
                    ends_at: time(row, 5)?,
                })
            })
            .collect();
        Ok(wanted.page(subscribers?, |one| Place {
            at: one.ends_at.as_millis(),
            id: format!("{}-{}", one.id, one.tier.number()),
        }))
    }

    /// What somebody subscribes to, the latest end first.
    pub async fn of(
        &self,
        who: &AccountId,
        wanted: &Wanted,
        now: Timestamp,
    ) -> Result<Page<Subscription>, StoreError> {
        let (at, id) = wanted.before();
        let rows = sqlx::query(
            "SELECT channels.name, subscriptions.tier, subscriptions.since, subscriptions.ends_at
             FROM subscriptions JOIN channels ON channels.id = subscriptions.channel_id
             WHERE subscriptions.account_id = $1 AND subscriptions.ends_at > $2
             AND (subscriptions.ends_at < $3 OR (subscriptions.ends_at = $3
             AND channels.name || '-' || subscriptions.tier < $4))
             ORDER BY subscriptions.ends_at DESC, channels.name || '-' || subscriptions.tier DESC LIMIT $5",
        )
        .bind(who.as_str())
        .bind(now.as_millis())
        .bind(at)
        .bind(id)
        .bind(wanted.rows())
        .fetch_all(self.0.pool())
        .await?;
        let all: Result<Vec<Subscription>, StoreError> = rows
            .iter()
            .map(|row| {
                let term = Term { since: time(row, 2)?, ends_at: time(row, 3)? };
                Ok(subscription(column(row, 0)?, (tier(row, 1)?, term)))
            })
            .collect();
        Ok(wanted.page(all?, |one| Place {
            at: one.ends_at.as_millis(),
            id: format!("{}-{}", one.channel, one.tier.number()),
        }))
    }
}

/// How somebody came by what they got.
fn subscribed_by(by: Option<&Actor>, receipt: &Receipt) -> SubscribedBy {
    match by {
        Some(_) => SubscribedBy::Granted,
        None if receipt.provider() == gift::service::PROVIDER => SubscribedBy::Code,
        None => SubscribedBy::Billing,
    }
}

/// Puts it into the outbox of webhooks that somebody subscribes who didn't, or in a higher tier than before.
async fn tell(
    connection: &mut AnyConnection,
    channel: &ChannelId,
    who: &AccountId,
    tier: Tier,
    now: Timestamp,
) -> Result<(), StoreError> {
    let kind = WebhookKind::SubscriptionCreated;
    if outbox::wanted(connection, channel, kind).await?.is_none() {
        return Ok(());
    }
    let row = sqlx::query(
        "SELECT accounts.name, accounts.display_name, (SELECT COUNT(DISTINCT account_id) FROM subscriptions
         WHERE channel_id = $1 AND ends_at > $3) FROM accounts WHERE accounts.id = $2",
    )
    .bind(channel.as_str())
    .bind(who.as_str())
    .bind(now.as_millis())
    .fetch_one(&mut *connection)
    .await?;
    let (account, name): (String, String) = (row.try_get(0)?, row.try_get(1)?);
    let data = json!({
        "subscriber": { "id": who, "account": account, "name": name },
        "tier": tier,
        "subscribers": row.try_get::<i64, _>(2)?,
    });
    let id: EventId = fresh::id();
    outbox::put(connection, channel, (id.as_str(), kind, now), data).await
}

/// Somebody's own, as they are told of it.
pub(super) fn subscription(channel: ChannelName, (tier, term): (Tier, Term)) -> Subscription {
    let Term { since, ends_at } = term;
    Subscription { channel, tier, since, ends_at, benefits: tier.benefits() }
}
