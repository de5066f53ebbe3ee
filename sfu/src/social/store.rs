//! Who follows whom, in SQL.

use super::recommendation;
use crate::{
    fresh,
    page::{Place, Wanted},
    store::{
        Store, StoreError,
        activity::{self, Happened},
        outbox,
    },
};
use serde_json::json;
use shared::{
    activity::ActivityKind,
    id::{AccountId, ChannelId, ChannelName, EventId},
    page::Page,
    social::{Follower, Following},
    unit::Timestamp,
    webhook::WebhookKind,
};
use sqlx::{AnyConnection, AssertSqlSafe, Row, any::AnyRow};
use std::str::FromStr;

/// The most channels that one account follows.
pub const FOLLOWED_MOST: i64 = 2000;
/// Whoever stops to follow and follows again is news once in so long.
const NEWS_AGAIN: i64 = 30 * 24 * 60 * 60 * 1000;

/// Reads and writes who follows whom.
#[derive(Debug, Clone)]
pub struct FollowStore(Store);

/// What people follow who follow the same as somebody, as far as it is looked at.
#[derive(Debug, Clone)]
pub struct Beside {
    /// All that somebody follows, the last first.
    pub own: Vec<ChannelId>,
    /// Who else follows the last of those.
    pub shared: Vec<(ChannelId, AccountId)>,
    /// What those follow that anybody may see.
    pub theirs: Vec<(AccountId, ChannelId)>,
}

/// What became of a wish to follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Followed {
    /// They do, and didn't.
    New,
    /// They did already.
    Already,
    /// They follow as many as one may.
    TooMany,
}

fn column<T: FromStr>(row: &AnyRow, index: usize) -> Result<T, StoreError>
where
    T::Err: std::fmt::Display,
{
    let text: String = row.try_get(index)?;
    text.parse().map_err(|error: T::Err| StoreError::Row(error.to_string()))
}

fn time(row: &AnyRow, index: usize) -> Result<Timestamp, StoreError> {
    Ok(Timestamp::from_millis(row.try_get(index)?))
}

impl FollowStore {
    /// On this database.
    pub fn new(store: Store) -> Self {
        Self(store)
    }

    /// How many follow a channel, and since when somebody does.
    pub async fn of(&self, channel: &ChannelId, who: Option<&AccountId>) -> Result<Following, StoreError> {
        let row = sqlx::query(
            "SELECT COUNT(*), (SELECT followed_at FROM follows WHERE channel_id = $1 AND account_id = $2)
             FROM follows WHERE channel_id = $1",
        )
        .bind(channel.as_str())
        .bind(who.map_or("", AccountId::as_str))
        .fetch_one(self.0.pool())
        .await?;
        let followers: i64 = row.try_get(0)?;
        let since: Option<i64> = row.try_get(1)?;
        Ok(Following { followers: followers.max(0) as u64, since: since.map(Timestamp::from_millis) })
    }

    /// Since when somebody follows a channel.
    pub async fn since(&self, channel: &ChannelId, who: &AccountId) -> Result<Option<Timestamp>, StoreError> {
        let row = sqlx::query("SELECT followed_at FROM follows WHERE channel_id = $1 AND account_id = $2")
            .bind(channel.as_str())
            .bind(who.as_str())
            .fetch_optional(self.0.pool())
            .await?;
        row.map(|row| time(&row, 0)).transpose()
    }

    /// Writes that somebody follows a channel.
    pub async fn follow(
        &self,
        channel: &ChannelId,
        who: &AccountId,
        at: Timestamp,
    ) -> Result<Followed, StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        let done = sqlx::query(
            "INSERT INTO follows (channel_id, account_id, followed_at)
             SELECT $1, $2, $3 WHERE (SELECT COUNT(*) FROM follows WHERE account_id = $2) < $4
             ON CONFLICT (channel_id, account_id) DO NOTHING",
        )
        .bind(channel.as_str())
        .bind(who.as_str())
        .bind(at.as_millis())
        .bind(FOLLOWED_MOST)
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() > 0 {
            let occasion = format!("follow {who}");
            let happened = Happened {
                occasion: &occasion,
                kind: ActivityKind::Follow,
                at,
                who: Some(who),
                data: json!({}),
                again_after: Some(Timestamp::from_millis(at.as_millis() - NEWS_AGAIN)),
            };
            activity::put(&mut transaction, channel, happened).await?;
            let kind = WebhookKind::FollowCreated;
            if outbox::wanted(&mut transaction, channel, kind).await?.is_some() {
                let follower = follower(&mut transaction, channel, who).await?;
                let id: EventId = fresh::id();
                outbox::put(&mut transaction, channel, (id.as_str(), kind, at), follower).await?;
            }
            transaction.commit().await?;
            return Ok(Followed::New);
        }
        drop(transaction);
        let known = self.since(channel, who).await?.is_some();
        Ok(if known { Followed::Already } else { Followed::TooMany })
    }

    /// Writes that somebody doesn't any more.
    pub async fn unfollow(&self, channel: &ChannelId, who: &AccountId) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM follows WHERE channel_id = $1 AND account_id = $2")
            .bind(channel.as_str())
            .bind(who.as_str())
            .execute(self.0.pool())
            .await?;
        Ok(())
    }

    /// The same by the channel's name.
    pub async fn unfollow_unseen(&self, channel: &ChannelName, who: &AccountId) -> Result<(), StoreError> {
        sqlx::query(
            "DELETE FROM follows WHERE account_id = $2
             AND channel_id = (SELECT id FROM channels WHERE name = $1)",
        )
        .bind(channel.as_str())
        .bind(who.as_str())
        .execute(self.0.pool())
        .await?;
        Ok(())
    }

    /// Who follows a channel, newest first.
    pub async fn followers(
        &self,
        channel: &ChannelId,
        wanted: &Wanted,
    ) -> Result<Page<Follower>, StoreError> {
        let (at, id) = wanted.before();
        let rows = sqlx::query(
            "SELECT accounts.id, accounts.name, accounts.display_name, accounts.avatar, follows.followed_at
             FROM follows JOIN accounts ON accounts.id = follows.account_id
             WHERE follows.channel_id = $1
             AND (follows.followed_at < $2 OR (follows.followed_at = $2 AND follows.account_id < $3))
             ORDER BY follows.followed_at DESC, follows.account_id DESC LIMIT $4",
        )
        .bind(channel.as_str())
        .bind(at)
        .bind(id)
        .bind(wanted.rows())
        .fetch_all(self.0.pool())
        .await?;
        let followers: Result<Vec<Follower>, StoreError> = rows
            .iter()
            .map(|row| {
                let avatar: Option<String> = row.try_get(3)?;
                Ok(Follower {
                    id: column(row, 0)?,
                    account: column(row, 1)?,
                    name: column(row, 2)?,
                    avatar: avatar.map(|hash| format!("/avatars/{hash}")),
                    since: time(row, 4)?,
                })
            })
            .collect();
        Ok(wanted.page(followers?, |one| Place { at: one.since.as_millis(), id: one.id.as_str().to_owned() }))
    }

    /// All channels that somebody follows, the last one first.
    pub async fn followed_by(&self, who: &AccountId) -> Result<Vec<ChannelId>, StoreError> {
        let rows = sqlx::query(
            "SELECT channel_id FROM follows WHERE account_id = $1
             ORDER BY followed_at DESC, channel_id DESC LIMIT $2",
        )
        .bind(who.as_str())
        .bind(FOLLOWED_MOST)
        .fetch_all(self.0.pool())
        .await?;
        rows.iter().map(|row| column(row, 0)).collect()
    }

    /// Of the channels that somebody followed last: each with others who follow it, and what they follow besides.
    pub async fn beside(&self, who: &AccountId) -> Result<Beside, StoreError> {
        let own = self.followed_by(who).await?;
        let last: Vec<&ChannelId> = own.iter().take(recommendation::OWN_MOST as usize).collect();
        if last.is_empty() {
            return Ok(Beside { own, shared: Vec::new(), theirs: Vec::new() });
        }
        // All in one statement, of which each part reads no more of an index than it gives.
        let part = |index: usize| {
            format!(
                "SELECT * FROM (SELECT channel_id, account_id FROM follows WHERE channel_id = ${}
                 ORDER BY followed_at DESC, account_id DESC LIMIT $1) part{index}",
                index + 2
            )
        };
        let parts: Vec<String> = (0..last.len()).map(part).collect();
        let mut query =
            sqlx::query(AssertSqlSafe(parts.join(" UNION ALL "))).bind(recommendation::OTHERS_OF_EACH);
        for channel in last {
            query = query.bind(channel.as_str());
        }
        let rows = query.fetch_all(self.0.pool()).await?;
        let mut shared: Vec<(ChannelId, AccountId)> = Vec::new();
        for row in &rows {
            let other: AccountId = column(row, 1)?;
            if other != *who {
                shared.push((column(row, 0)?, other));
            }
        }
        let others = recommendation::others(&shared);
        if others.is_empty() {
            return Ok(Beside { own, shared, theirs: Vec::new() });
        }
        let places: Vec<String> = (0..others.len()).map(|index| format!("${}", index + 3)).collect();
        let statement = format!(
            "SELECT account_id, channel_id FROM (SELECT follows.account_id, follows.channel_id,
             ROW_NUMBER() OVER (PARTITION BY follows.account_id
                 ORDER BY follows.followed_at DESC, follows.channel_id DESC) AS place
             FROM follows JOIN channels ON channels.id = follows.channel_id
             WHERE channels.visibility = 'PUBLIC' AND COALESCE(channels.owner_id, '') <> $2
             AND follows.account_id IN ({})) ranked WHERE place <= $1",
            places.join(", ")
        );
        let mut query =
            sqlx::query(AssertSqlSafe(statement)).bind(recommendation::THEIRS_MOST).bind(who.as_str());
        for other in &others {
            query = query.bind(other.as_str());
        }
        let rows = query.fetch_all(self.0.pool()).await?;
        let theirs: Result<Vec<_>, StoreError> =
            rows.iter().map(|row| Ok((column(row, 0)?, column(row, 1)?))).collect();
        let theirs = theirs?;
        Ok(Beside { own, shared, theirs })
    }

    /// Which channels somebody follows, the last one first.
    pub async fn followed(
        &self,
        who: &AccountId,
        wanted: &Wanted,
    ) -> Result<Page<(ChannelId, Timestamp)>, StoreError> {
        let (at, id) = wanted.before();
        let rows = sqlx::query(
            "SELECT channel_id, followed_at FROM follows WHERE account_id = $1
             AND (followed_at < $2 OR (followed_at = $2 AND channel_id < $3))
             ORDER BY followed_at DESC, channel_id DESC LIMIT $4",
        )
        .bind(who.as_str())
        .bind(at)
        .bind(id)
        .bind(wanted.rows())
        .fetch_all(self.0.pool())
        .await?;
        let followed: Result<Vec<_>, StoreError> =
            rows.iter().map(|row| Ok((column(row, 0)?, time(row, 1)?))).collect();
        Ok(wanted
            .page(followed?, |(channel, at)| Place { at: at.as_millis(), id: channel.as_str().to_owned() }))
    }
}

/// Who just followed, and how many do now, as the channel's owner is told.
async fn follower(
    connection: &mut AnyConnection,
    channel: &ChannelId,
    who: &AccountId,
) -> Result<serde_json::Value, StoreError> {
    let row = sqlx::query(
        "SELECT name, display_name, (SELECT COUNT(*) FROM follows WHERE channel_id = $2) FROM accounts WHERE id = $1",
    )
    .bind(who.as_str())
    .bind(channel.as_str())
    .fetch_one(connection)
    .await?;
    let (account, name): (String, String) = (row.try_get(0)?, row.try_get(1)?);
    let followers: i64 = row.try_get(2)?;
    Ok(json!({ "follower": { "id": who, "account": account, "name": name }, "followers": followers }))
}
