//! Writing chat in SQL: groups of updates that are on disk together or not at all.

use crate::{
    chat::{
        ban::NetworkHash,
        store::{Change, column, cursor, json, place},
    },
    store::StoreError,
};
use shared::{
    chat::{ChatMessage, ChatSettings, ChatUpdate, Sent},
    event::Cursor,
    id::{AccountId, BroadcastId, ChannelId, MessageId, PersonId, RequestId},
    moderation::{Ban, ChatAction, Silence},
    unit::Timestamp,
};
use sqlx::{Any, Transaction};

/// A group of updates that are written together or not at all. For the writer alone.
pub struct Commit(Transaction<'static, Any>);

impl Commit {
    pub(in crate::chat) fn transaction(&mut self) -> &mut Transaction<'static, Any> {
        &mut self.0
    }

    /// In a transaction.
    pub(in crate::chat) fn new(transaction: Transaction<'static, Any>) -> Self {
        Self(transaction)
    }

    /// Takes places in a room; the last of them.
    pub async fn places(&mut self, channel: &ChannelId, count: u64) -> Result<Cursor, StoreError> {
        let row = sqlx::query(
            "INSERT INTO chat_rooms (channel_id, sequence, guests, slow_seconds) VALUES ($1, $2, 1, 0)
             ON CONFLICT (channel_id) DO UPDATE SET sequence = chat_rooms.sequence + excluded.sequence
             RETURNING sequence",
        )
        .bind(channel.as_str())
        .bind(count as i64)
        .fetch_one(&mut *self.0)
        .await?;
        cursor(&row, 0)
    }

    /// Whether somebody is still there to write: a guest, or whose account is not deleted.
    pub async fn is_there(&mut self, person: &PersonId) -> Result<bool, StoreError> {
        if person.as_str().starts_with("guest-") {
            return Ok(true);
        }
        let row = sqlx::query("SELECT 1 FROM accounts WHERE id = $1")
            .bind(person.as_str())
            .fetch_optional(&mut *self.0)
            .await?;
        Ok(row.is_some())
    }

    /// Writes a message; what was written before, if it was sent with the same key.
    pub async fn message(
        &mut self,
        channel: &ChannelId,
        message: &ChatMessage,
        key: Option<&RequestId>,
        broadcast: Option<&BroadcastId>,
    ) -> Result<Option<Sent>, StoreError> {
        let ChatMessage { id, sequence, at, author, fragments, reply_to, action } = message;
        let done = sqlx::query(
            "INSERT INTO chat_messages
             (id, channel_id, sequence, sent_at, person_id, author_name, author_account, badges, fragments, reply_to,
              sender_key, broadcast_id, is_action, author_colour)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
             ON CONFLICT (channel_id, person_id, sender_key) DO NOTHING",
        )
        .bind(id.as_str())
        .bind(channel.as_str())
        .bind(place(*sequence))
        .bind(at.as_millis())
        .bind(author.id.as_str())
        .bind(author.name.as_str())
        .bind(author.account.as_ref().map(|account| account.as_str().to_owned()))
        .bind(json(&author.badges)?)
        .bind(json(fragments)?)
        .bind(reply_to.as_ref().map(json).transpose()?)
        .bind(key.map(|key| key.as_str().to_owned()))
        .bind(broadcast.map(|broadcast| broadcast.as_str().to_owned()))
        .bind(i64::from(*action))
        .bind(author.colour.map(|colour| colour.name().to_owned()))
        .execute(&mut *self.0)
        .await?;
        let Some(key) = key.filter(|_| done.rows_affected() == 0) else { return Ok(None) };
        let row = sqlx::query(
            "SELECT id, sequence FROM chat_messages WHERE channel_id = $1 AND person_id = $2 AND sender_key = $3",
        )
        .bind(channel.as_str())
        .bind(author.id.as_str())
        .bind(key.as_str())
        .fetch_one(&mut *self.0)
        .await?;
        Ok(Some(Sent { id: column(&row, 0)?, sequence: cursor(&row, 1)?, held: false }))
    }

    /// Marks a message as deleted; whether it was there.
    pub async fn delete(
        &mut self,
        channel: &ChannelId,
        message: &MessageId,
        by: &PersonId,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE chat_messages SET deleted_at = $3, deleted_by = $4
             WHERE channel_id = $1 AND id = $2 AND deleted_at IS NULL",
        )
        .bind(channel.as_str())
        .bind(message.as_str())
        .bind(at.as_millis())
        .bind(by.as_str())
        .execute(&mut *self.0)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Marks what somebody wrote since then as deleted; which messages.
    pub async fn delete_of(
        &mut self,
        channel: &ChannelId,
        person: &PersonId,
        since: Timestamp,
        by: &PersonId,
        at: Timestamp,
    ) -> Result<Vec<MessageId>, StoreError> {
        let rows = sqlx::query(
            "UPDATE chat_messages SET deleted_at = $4, deleted_by = $5
             WHERE channel_id = $1 AND person_id = $2 AND sent_at >= $3 AND deleted_at IS NULL RETURNING id",
        )
        .bind(channel.as_str())
        .bind(person.as_str())
        .bind(since.as_millis())
        .bind(at.as_millis())
        .bind(by.as_str())
        .fetch_all(&mut *self.0)
        .await?;
        rows.iter().map(|row| column(row, 0)).collect()
    }

    /// Writes what else changed.
    pub async fn change(
        &mut self,
        channel: &ChannelId,
        sequence: Cursor,
        update: &ChatUpdate,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO chat_changes (channel_id, sequence, changed_at, change) VALUES ($1, $2, $3, $4)",
        )
        .bind(channel.as_str())
        .bind(place(sequence))
        .bind(at.as_millis())
        .bind(json(&Change::from(update))?)
        .execute(&mut *self.0)
        .await?;
        Ok(())
    }

    /// Writes a time-out, in the place of an earlier one of the same person. No network is kept of those that are over.
    pub async fn silence(
        &mut self,
        channel: &ChannelId,
        silence: &Silence,
        network: Option<&NetworkHash>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE chat_silences SET network_hash = NULL
             WHERE channel_id = $1 AND until_at <= $2 AND network_hash IS NOT NULL",
        )
        .bind(channel.as_str())
        .bind(now.as_millis())
        .execute(&mut *self.0)
        .await?;
        sqlx::query(
            "INSERT INTO chat_silences
             (channel_id, person_id, name, until_at, silenced_by, reason, silenced_at, network_hash)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (channel_id, person_id) DO UPDATE SET name = excluded.name, until_at = excluded.until_at,
             silenced_by = excluded.silenced_by, reason = excluded.reason, silenced_at = excluded.silenced_at,
             network_hash = COALESCE(excluded.network_hash, chat_silences.network_hash)",
        )
        .bind(channel.as_str())
        .bind(silence.person.as_str())
        .bind(silence.name.as_str())
        .bind(silence.until.as_millis())
        .bind(silence.by.as_str())
        .bind(silence.reason.as_str())
        .bind(silence.at.map_or(0, Timestamp::as_millis))
        .bind(network.map(|network| network.as_str().to_owned()))
        .execute(&mut *self.0)
        .await?;
        Ok(())
    }

    /// Lifts a time-out; whether one ran.
    pub async fn unsilence(
        &mut self,
        channel: &ChannelId,
        person: &PersonId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE chat_silences SET until_at = $3, network_hash = NULL
             WHERE channel_id = $1 AND person_id = $2 AND until_at > $3",
        )
        .bind(channel.as_str())
        .bind(person.as_str())
        .bind(now.as_millis())
        .execute(&mut *self.0)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Writes a room's rules.
    pub async fn settings(&mut self, channel: &ChannelId, settings: ChatSettings) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE chat_rooms SET guests = $2, slow_seconds = $3, followers = $4, followers_minutes = $5,
             subscribers = $6, emote_only = $7, unique_only = $8, raids = $9 WHERE channel_id = $1",
        )
        .bind(channel.as_str())
        .bind(i64::from(settings.guests))
        .bind(i64::from(settings.slow_seconds))
        .bind(i64::from(settings.followers))
        .bind(i64::from(settings.followers_minutes))
        .bind(i64::from(settings.subscribers))
        .bind(i64::from(settings.emote_only))
        .bind(i64::from(settings.unique))
        .bind(i64::from(settings.raids))
        .execute(&mut *self.0)
        .await?;
        Ok(())
    }

    /// Makes somebody a moderator; whether they weren't.
    pub async fn add_moderator(
        &mut self,
        channel: &ChannelId,
        account: &AccountId,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "INSERT INTO chat_moderators (channel_id, account_id, added_at) VALUES ($1, $2, $3)
             ON CONFLICT (channel_id, account_id) DO NOTHING",
        )
        .bind(channel.as_str())
        .bind(account.as_str())
        .bind(at.as_millis())
        .execute(&mut *self.0)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Takes that away; whether they were.
    pub async fn remove_moderator(
        &mut self,
        channel: &ChannelId,
        account: &AccountId,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM chat_moderators WHERE channel_id = $1 AND account_id = $2")
            .bind(channel.as_str())
            .bind(account.as_str())
            .execute(&mut *self.0)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Writes a ban, unless one stands; whether none did.
    pub async fn ban(
        &mut self,
        channel: &ChannelId,
        ban: &Ban,
        network: Option<&NetworkHash>,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "INSERT INTO chat_bans (channel_id, person_id, name, banned_at, banned_by, reason, network_hash)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (channel_id, person_id) DO NOTHING",
        )
        .bind(channel.as_str())
        .bind(ban.person.as_str())
        .bind(ban.name.as_str())
        .bind(ban.at.as_millis())
        .bind(ban.by.as_str())
        .bind(ban.reason.as_str())
        .bind(network.map(|network| network.as_str().to_owned()))
        .execute(&mut *self.0)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Lifts a ban; whether there was one.
    pub async fn unban(&mut self, channel: &ChannelId, person: &PersonId) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM chat_bans WHERE channel_id = $1 AND person_id = $2")
            .bind(channel.as_str())
            .bind(person.as_str())
            .execute(&mut *self.0)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Writes what a room salts hashes with, once and for all.
    pub async fn salt(&mut self, channel: &ChannelId, salt: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE chat_rooms SET salt = $2 WHERE channel_id = $1 AND salt IS NULL")
            .bind(channel.as_str())
            .bind(salt)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    /// Writes which message is pinned, if it is there still; whether it is.
    pub async fn pin(&mut self, channel: &ChannelId, message: &MessageId) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE chat_rooms SET pinned = $2 WHERE channel_id = $1 AND EXISTS
             (SELECT 1 FROM chat_messages WHERE id = $2 AND channel_id = $1 AND deleted_at IS NULL
             AND sequence > COALESCE(chat_rooms.cleared, 0))",
        )
        .bind(channel.as_str())
        .bind(message.as_str())
        .execute(&mut *self.0)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Writes that none is.
    pub async fn unpin(&mut self, channel: &ChannelId) -> Result<(), StoreError> {
        sqlx::query("UPDATE chat_rooms SET pinned = NULL WHERE channel_id = $1")
            .bind(channel.as_str())
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    /// Writes up to where the room is cleared.
    pub async fn clear(&mut self, channel: &ChannelId, up_to: Cursor) -> Result<(), StoreError> {
        sqlx::query("UPDATE chat_rooms SET cleared = $2 WHERE channel_id = $1")
            .bind(channel.as_str())
            .bind(place(up_to))
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    /// Writes what a moderator did.
    pub async fn action(&mut self, channel: &ChannelId, action: &ChatAction) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO chat_actions
             (id, channel_id, done_at, done_by, by_name, kind, person_id, person_name, message_id, detail)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(action.id.as_str())
        .bind(channel.as_str())
        .bind(action.at.as_millis())
        .bind(action.by.as_str())
        .bind(action.by_name.as_str())
        .bind(action.kind.name())
        .bind(action.person.as_ref().map(|person| person.as_str().to_owned()))
        .bind(action.person_name.as_ref().map(|name| name.as_str().to_owned()))
        .bind(action.message.as_ref().map(|message| message.as_str().to_owned()))
        .bind(action.detail.as_str())
        .execute(&mut *self.0)
        .await?;
        Ok(())
    }

    /// Makes all of it durable.
    pub async fn finish(self) -> Result<(), StoreError> {
        Ok(self.0.commit().await?)
    }
}
