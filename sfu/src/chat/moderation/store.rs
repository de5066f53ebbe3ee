//! Who is banned, and the record of what moderators did, in SQL.

use crate::{
    chat::store::{ChatStore, broken, column, optional},
    page::Wanted,
    store::StoreError,
};
use shared::{
    id::{ActionId, ChannelId, PersonId},
    moderation::{ActionKind, Ban, ChatAction},
    unit::Timestamp,
};
use sqlx::{Row, any::AnyRow};

impl ChatStore {
    /// A room's bans, newest first.
    pub async fn bans(&self, channel: &ChannelId, wanted: &Wanted) -> Result<Vec<Ban>, StoreError> {
        let (at, id) = wanted.before();
        let rows = sqlx::query(
            "SELECT person_id, name, banned_at, banned_by, reason FROM chat_bans
             WHERE channel_id = $1 AND (banned_at < $2 OR (banned_at = $2 AND person_id < $3))
             ORDER BY banned_at DESC, person_id DESC LIMIT $4",
        )
        .bind(channel.as_str())
        .bind(at)
        .bind(id)
        .bind(wanted.rows())
        .fetch_all(self.pool())
        .await?;
        rows.iter().map(ban).collect()
    }

    /// Somebody's ban.
    pub async fn ban(&self, channel: &ChannelId, person: &PersonId) -> Result<Option<Ban>, StoreError> {
        let row = sqlx::query(
            "SELECT person_id, name, banned_at, banned_by, reason FROM chat_bans
             WHERE channel_id = $1 AND person_id = $2",
        )
        .bind(channel.as_str())
        .bind(person.as_str())
        .fetch_optional(self.pool())
        .await?;
        row.as_ref().map(ban).transpose()
    }

    /// What moderators did in a room, newest first; to one person, if that is asked.
    pub async fn actions(
        &self,
        channel: &ChannelId,
        person: Option<&PersonId>,
        wanted: &Wanted,
    ) -> Result<Vec<ChatAction>, StoreError> {
        let (at, id) = wanted.before();
        let rows = sqlx::query(
            "SELECT id, done_at, done_by, by_name, kind, person_id, person_name, message_id, detail FROM chat_actions
             WHERE channel_id = $1 AND (done_at < $2 OR (done_at = $2 AND id < $3))
             AND ($5 = '' OR person_id = $5)
             ORDER BY done_at DESC, id DESC LIMIT $4",
        )
        .bind(channel.as_str())
        .bind(at)
        .bind(id)
        .bind(wanted.rows())
        .bind(person.map_or("", |person| person.as_str()))
        .fetch_all(self.pool())
        .await?;
        rows.iter().map(action).collect()
    }

    /// One thing that a moderator did in a room.
    pub async fn action(&self, id: &ActionId) -> Result<Option<ChatAction>, StoreError> {
        let row = sqlx::query(
            "SELECT id, done_at, done_by, by_name, kind, person_id, person_name, message_id, detail FROM chat_actions
             WHERE id = $1",
        )
        .bind(id.as_str())
        .fetch_optional(self.pool())
        .await?;
        row.as_ref().map(action).transpose()
    }

    /// Time-outs, bans, their lifting and what became of appeals in all rooms after an id, oldest first.
    pub async fn deeds(&self, after: &str, most: i64) -> Result<Vec<(ChannelId, ChatAction)>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, done_at, done_by, by_name, kind, person_id, person_name, message_id, detail, channel_id
             FROM chat_actions WHERE id > $1 AND kind IN ('timeOut', 'ban', 'unban', 'acceptAppeal', 'declineAppeal') ORDER BY id LIMIT $2",
        )
        .bind(after)
        .bind(most)
        .fetch_all(self.pool())
        .await?;
        rows.iter().map(|row| Ok((column(row, 9)?, action(row)?))).collect()
    }
}

fn ban(row: &AnyRow) -> Result<Ban, StoreError> {
    Ok(Ban {
        person: column(row, 0)?,
        name: column(row, 1)?,
        at: Timestamp::from_millis(row.try_get(2)?),
        by: column(row, 3)?,
        reason: row.try_get(4)?,
    })
}

fn action(row: &AnyRow) -> Result<ChatAction, StoreError> {
    let kind: String = row.try_get(4)?;
    Ok(ChatAction {
        id: column(row, 0)?,
        at: Timestamp::from_millis(row.try_get(1)?),
        by: column(row, 2)?,
        by_name: column(row, 3)?,
        kind: ActionKind::of_name(&kind).ok_or_else(|| broken(format!("an action of the kind {kind}")))?,
        person: optional(row, 5)?,
        person_name: optional(row, 6)?,
        message: optional(row, 7)?,
        detail: row.try_get(8)?,
    })
}
