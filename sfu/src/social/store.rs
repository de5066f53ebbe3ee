//! Who follows whom, in SQL.

use crate::{
    page::{Place, Wanted},
    store::{Store, StoreError},
};
use shared::{
    id::{AccountId, ChannelId, ChannelName},
    page::Page,
    social::{Follower, Following},
    unit::Timestamp,
};
use sqlx::{Row, any::AnyRow};
use std::str::FromStr;

/// The most channels that one account follows.
pub const FOLLOWED_MOST: i64 = 2000;

/// Reads and writes who follows whom.
#[derive(Debug, Clone)]
pub struct FollowStore(Store);

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
        let done = sqlx::query(
            "INSERT INTO follows (channel_id, account_id, followed_at)
             SELECT $1, $2, $3 WHERE (SELECT COUNT(*) FROM follows WHERE account_id = $2) < $4
             ON CONFLICT (channel_id, account_id) DO NOTHING",
        )
        .bind(channel.as_str())
        .bind(who.as_str())
        .bind(at.as_millis())
        .bind(FOLLOWED_MOST)
        .execute(self.0.pool())
        .await?;
        if done.rows_affected() > 0 {
            return Ok(Followed::New);
        }
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
