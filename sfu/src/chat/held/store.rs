//! Messages that wait for moderators, and what is known of people, in SQL.

use crate::{
    chat::{
        commit::{store::Commit, work::Draft},
        fragment,
        mode::Said,
        store::{ChatStore, broken, column, json, optional},
    },
    page::Wanted,
    store::StoreError,
};
use serde::{Deserialize, Serialize};
use shared::{
    chat::{ChatAuthor, Fragment, ReplyTo, Sent},
    event::Cursor,
    id::{ChannelId, MessageId, PersonId},
    moderation::{Decided, Filters, HeldMessage, HoldReason, PastMessage},
    unit::Timestamp,
};
use sqlx::{Row, any::AnyRow};

/// A held message as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    author: ChatAuthor,
    fragments: Vec<Fragment>,
    reply_to: Option<ReplyTo>,
    action: bool,
}

fn kept(row: &AnyRow, index: usize) -> Result<Kept, StoreError> {
    serde_json::from_str(&row.try_get::<String, _>(index)?).map_err(broken)
}

/// What somebody wrote in a room, in figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// How many messages.
    pub messages: u64,
    /// When they first wrote.
    pub first_at: Option<Timestamp>,
    /// The last ones, newest first.
    pub recent: Vec<PastMessage>,
    /// As whom they wrote last.
    pub author: Option<ChatAuthor>,
}

impl ChatStore {
    /// How many messages wait in a room.
    pub async fn waiting(&self, channel: &ChannelId) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT COUNT(*) FROM chat_held WHERE channel_id = $1 AND decided_at IS NULL")
            .bind(channel.as_str())
            .fetch_one(self.pool())
            .await?;
        Ok(row.try_get::<i64, _>(0)?.unsigned_abs())
    }

    /// Messages that wait in a room, oldest first.
    pub async fn held(&self, channel: &ChannelId, wanted: &Wanted) -> Result<Vec<HeldMessage>, StoreError> {
        let (at, id) = wanted.after.as_ref().map_or((i64::MIN, ""), |place| (place.at, place.id.as_str()));
        let rows = sqlx::query(
            "SELECT id, held_at, message, reasons FROM chat_held
             WHERE channel_id = $1 AND decided_at IS NULL AND (held_at > $2 OR (held_at = $2 AND id > $3))
             ORDER BY held_at, id LIMIT $4",
        )
        .bind(channel.as_str())
        .bind(at)
        .bind(id)
        .bind(wanted.rows())
        .fetch_all(self.pool())
        .await?;
        let held = |row: &AnyRow| {
            let Kept { author, fragments, reply_to, action } = kept(row, 2)?;
            Ok(HeldMessage {
                id: column(row, 0)?,
                at: Timestamp::from_millis(row.try_get(1)?),
                author,
                fragments,
                reply_to,
                action,
                reasons: serde_json::from_str(&row.try_get::<String, _>(3)?).map_err(broken)?,
            })
        };
        rows.iter().map(held).collect()
    }

    /// As whom somebody wrote what was held last.
    pub async fn held_author(
        &self,
        channel: &ChannelId,
        person: &PersonId,
    ) -> Result<Option<ChatAuthor>, StoreError> {
        let row = sqlx::query(
            "SELECT message FROM chat_held WHERE channel_id = $1 AND person_id = $2 ORDER BY held_at DESC LIMIT 1",
        )
        .bind(channel.as_str())
        .bind(person.as_str())
        .fetch_optional(self.pool())
        .await?;
        row.map(|row| Ok(kept(&row, 0)?.author)).transpose()
    }

    /// What somebody wrote in a room: all of it in figures, and the last messages.
    pub async fn written_by(
        &self,
        channel: &ChannelId,
        person: &PersonId,
        most: i64,
    ) -> Result<Written, StoreError> {
        let figures = sqlx::query(
            "SELECT COUNT(*), MIN(sent_at) FROM chat_messages WHERE channel_id = $1 AND person_id = $2",
        )
        .bind(channel.as_str())
        .bind(person.as_str())
        .fetch_one(self.pool())
        .await?;
        let rows = sqlx::query(
            "SELECT id, sent_at, fragments, deleted_at, author_name, author_account, badges, author_colour
             FROM chat_messages
             WHERE channel_id = $1 AND person_id = $2 ORDER BY sent_at DESC, id DESC LIMIT $3",
        )
        .bind(channel.as_str())
        .bind(person.as_str())
        .bind(most)
        .fetch_all(self.pool())
        .await?;
        let past = |row: &AnyRow| -> Result<PastMessage, StoreError> {
            let fragments: Vec<Fragment> =
                serde_json::from_str(&row.try_get::<String, _>(2)?).map_err(broken)?;
            Ok(PastMessage {
                id: column(row, 0)?,
                at: Timestamp::from_millis(row.try_get(1)?),
                text: fragment::plain(&fragments),
                deleted: row.try_get::<Option<i64>, _>(3)?.is_some(),
            })
        };
        let author = match rows.first() {
            Some(row) => Some(ChatAuthor {
                id: person.clone(),
                name: column(row, 4)?,
                account: optional(row, 5)?,
                badges: serde_json::from_str(&row.try_get::<String, _>(6)?).map_err(broken)?,
                colour: optional(row, 7)?,
            }),
            None => self.held_author(channel, person).await?,
        };
        Ok(Written {
            messages: figures.try_get::<i64, _>(0)?.unsigned_abs(),
            first_at: figures.try_get::<Option<i64>, _>(1)?.map(Timestamp::from_millis),
            recent: rows.iter().map(past).collect::<Result<_, _>>()?,
            author,
        })
    }
}

impl Commit {
    /// Holds a message; what became of it before, if it was sent with the same key.
    pub async fn hold(
        &mut self,
        channel: &ChannelId,
        draft: &Draft,
        reasons: &[HoldReason],
        at: Timestamp,
    ) -> Result<Sent, StoreError> {
        let message = Kept {
            author: draft.author.clone(),
            fragments: draft.fragments.clone(),
            reply_to: draft.reply_to.clone(),
            action: draft.action,
        };
        let done = sqlx::query(
            "INSERT INTO chat_held (id, channel_id, held_at, person_id, message, reasons, sender_key, broadcast_id)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (channel_id, person_id, sender_key) DO NOTHING",
        )
        .bind(draft.id.as_str())
        .bind(channel.as_str())
        .bind(at.as_millis())
        .bind(draft.author.id.as_str())
        .bind(json(&message)?)
        .bind(json(&reasons)?)
        .bind(draft.key.as_ref().map(|key| key.as_str().to_owned()))
        .bind(draft.broadcast.as_ref().map(|broadcast| broadcast.as_str().to_owned()))
        .execute(&mut **self.transaction())
        .await?;
        let sent = |id| Sent { id, sequence: Cursor(0), held: true };
        let Some(key) = draft.key.as_ref().filter(|_| done.rows_affected() == 0) else {
            return Ok(sent(draft.id.clone()));
        };
        let row = sqlx::query(
            "SELECT id FROM chat_held WHERE channel_id = $1 AND person_id = $2 AND sender_key = $3",
        )
        .bind(channel.as_str())
        .bind(draft.author.id.as_str())
        .bind(key.as_str())
        .fetch_one(&mut **self.transaction())
        .await?;
        Ok(sent(column(&row, 0)?))
    }

    /// Decides what becomes of a held message, if nobody has yet: it, then.
    pub async fn decide(
        &mut self,
        channel: &ChannelId,
        message: &MessageId,
        decided: &Decided,
        at: Timestamp,
    ) -> Result<Option<Draft>, StoreError> {
        let row = sqlx::query(
            "UPDATE chat_held SET decided_at = $3, approved = $4, decided_by = $5, by_name = $6
             WHERE channel_id = $1 AND id = $2 AND decided_at IS NULL RETURNING message, sender_key, broadcast_id",
        )
        .bind(channel.as_str())
        .bind(message.as_str())
        .bind(at.as_millis())
        .bind(i64::from(decided.approved))
        .bind(decided.by.as_str())
        .bind(decided.by_name.as_str())
        .fetch_optional(&mut **self.transaction())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let Kept { author, fragments, reply_to, action } = kept(&row, 0)?;
        Ok(Some(Draft {
            id: message.clone(),
            said: Said::of(&fragments),
            author,
            fragments,
            action,
            reply_to,
            key: optional(&row, 1)?,
            broadcast: optional(&row, 2)?,
            is_counted: false,
            writer: None,
        }))
    }

    /// What was decided before.
    pub async fn decided(
        &mut self,
        channel: &ChannelId,
        message: &MessageId,
    ) -> Result<Option<Decided>, StoreError> {
        let row = sqlx::query(
            "SELECT approved, decided_by, by_name FROM chat_held
             WHERE channel_id = $1 AND id = $2 AND decided_at IS NOT NULL",
        )
        .bind(channel.as_str())
        .bind(message.as_str())
        .fetch_optional(&mut **self.transaction())
        .await?;
        let decided = |row: AnyRow| {
            Ok(Decided {
                approved: row.try_get::<i64, _>(0)? != 0,
                by: column(&row, 1)?,
                by_name: column(&row, 2)?,
            })
        };
        row.map(decided).transpose()
    }

    /// Refuses what waits of somebody; which messages.
    pub async fn refuse_of(
        &mut self,
        channel: &ChannelId,
        person: &PersonId,
        decided: &Decided,
        at: Timestamp,
    ) -> Result<Vec<MessageId>, StoreError> {
        let rows = sqlx::query(
            "UPDATE chat_held SET decided_at = $3, approved = 0, decided_by = $4, by_name = $5
             WHERE channel_id = $1 AND person_id = $2 AND decided_at IS NULL RETURNING id",
        )
        .bind(channel.as_str())
        .bind(person.as_str())
        .bind(at.as_millis())
        .bind(decided.by.as_str())
        .bind(decided.by_name.as_str())
        .fetch_all(&mut **self.transaction())
        .await?;
        rows.iter().map(|row| column(row, 0)).collect()
    }

    /// Writes what a room holds.
    pub async fn filters(&mut self, channel: &ChannelId, filters: &Filters) -> Result<(), StoreError> {
        sqlx::query("UPDATE chat_rooms SET filters = $2 WHERE channel_id = $1")
            .bind(channel.as_str())
            .bind(json(filters)?)
            .execute(&mut **self.transaction())
            .await?;
        Ok(())
    }
}
