//! Rooms, messages, time-outs, moderators and guests in SQL.

use super::{
    appeal,
    ban::NetworkHash,
    commit::store::Commit,
    log::{Item, Kind},
};
use crate::{
    secret::SecretHash,
    store::{Store, StoreError},
};
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};
use shared::{
    chat::{ChatAuthor, ChatMessage, ChatSettings, ChatUpdate},
    event::Cursor,
    id::{AccountId, BroadcastId, ChannelId, MessageId, PersonId},
    moderation::{Filters, Moderator, Silence},
    text::DisplayName,
    unit::Timestamp,
};
use sqlx::{AssertSqlSafe, Row, any::AnyRow};
use std::str::FromStr;

/// Reads and writes chat; cheap to clone.
#[derive(Debug, Clone)]
pub struct ChatStore(Store);

/// A room as it is kept.
#[derive(Debug, Clone)]
pub struct KeptRoom {
    /// The place of its last update.
    pub last: Cursor,
    /// Its rules.
    pub settings: ChatSettings,
    /// Its moderators.
    pub moderators: Vec<PersonId>,
    /// Its time-outs that run.
    pub silences: Vec<Silence>,
    /// The networks that they hold for.
    pub silenced_networks: Vec<(PersonId, NetworkHash)>,
    /// What it salts networks' hashes with.
    pub salt: String,
    /// Its bans, guests' with their network.
    pub bans: Vec<(PersonId, Option<NetworkHash>)>,
    /// The message that is shown above all others.
    pub pin: Option<ChatMessage>,
    /// What it holds.
    pub filters: Filters,
    /// How many messages wait for moderators.
    pub held: u64,
}

/// What was missed after a cursor.
#[derive(Debug, Clone)]
pub enum Since {
    /// All of it, in order.
    All(Vec<(Cursor, ChatUpdate)>),
    /// More than is told to one who comes back.
    TooMuch,
}

/// Bytes that one who comes back is told at most.
const SINCE_BYTES: usize = 1 << 20;

/// A guest as kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guest {
    /// Stable.
    pub id: PersonId,
    /// What others see.
    pub name: DisplayName,
    /// When the token was last used, to the day.
    pub last_used_at: Timestamp,
}

/// A change as it is kept.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Change<U> {
    /// That a message was pinned: which one. Its words are kept with it alone, and go when it goes.
    Pinned {
        /// Which.
        pinned: MessageId,
    },
    /// Any other, as clients are told.
    Other(U),
}

impl<'a> From<&'a ChatUpdate> for Change<&'a ChatUpdate> {
    fn from(update: &'a ChatUpdate) -> Self {
        match update {
            ChatUpdate::Pinned { pin } => Self::Pinned { pinned: pin.id.clone() },
            other => Self::Other(other),
        }
    }
}

/// A statement on the columns that [`message`] reads, in its order.
macro_rules! select {
    ($($rest:expr),+) => {
        concat!(
            "SELECT id, sequence, sent_at, person_id, author_name, author_account, badges, fragments, reply_to, ",
            "is_action, author_colour ",
            "FROM chat_messages ",
            $($rest),+
        )
    };
}

/// Up to where a room was cleared.
macro_rules! cleared {
    () => {
        "COALESCE((SELECT cleared FROM chat_rooms WHERE chat_rooms.channel_id = $1), 0)"
    };
}

pub(super) fn broken(error: impl std::fmt::Display) -> StoreError {
    StoreError::Row(error.to_string())
}

pub(super) fn column<T: FromStr>(row: &AnyRow, index: usize) -> Result<T, StoreError>
where
    T::Err: std::fmt::Display,
{
    row.try_get::<String, _>(index)?.parse().map_err(broken)
}

pub(super) fn optional<T: FromStr>(row: &AnyRow, index: usize) -> Result<Option<T>, StoreError>
where
    T::Err: std::fmt::Display,
{
    row.try_get::<Option<String>, _>(index)?.map(|text| text.parse().map_err(broken)).transpose()
}

pub(super) fn cursor(row: &AnyRow, index: usize) -> Result<Cursor, StoreError> {
    Ok(Cursor(row.try_get::<i64, _>(index)?.unsigned_abs()))
}

pub(super) fn place(cursor: Cursor) -> i64 {
    i64::try_from(cursor.0).unwrap_or(i64::MAX)
}

pub(super) fn json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(broken)
}

fn message(row: &AnyRow) -> Result<ChatMessage, StoreError> {
    let parsed = |index| -> Result<String, StoreError> { Ok(row.try_get(index)?) };
    let reply: Option<String> = row.try_get(8)?;
    Ok(ChatMessage {
        id: column(row, 0)?,
        sequence: cursor(row, 1)?,
        at: Timestamp::from_millis(row.try_get(2)?),
        author: ChatAuthor {
            id: column(row, 3)?,
            name: column(row, 4)?,
            account: optional(row, 5)?,
            badges: serde_json::from_str(&parsed(6)?).map_err(broken)?,
            colour: optional(row, 10)?,
        },
        fragments: serde_json::from_str(&parsed(7)?).map_err(broken)?,
        reply_to: reply.map(|text| serde_json::from_str(&text).map_err(broken)).transpose()?,
        action: row.try_get::<i64, _>(9)? != 0,
    })
}

/// An update as followers are told it.
pub fn item(sequence: Cursor, update: &ChatUpdate) -> Item {
    let kind = match update {
        ChatUpdate::Message(message) => Kind::Message(message.id.clone()),
        ChatUpdate::Deleted { messages } => Kind::Deleted(messages.clone()),
        ChatUpdate::Cleared {} => Kind::Cleared,
        ChatUpdate::Pinned { pin } => Kind::Pinned(pin.id.clone()),
        _ => Kind::Other,
    };
    let text = serde_json::to_string(update).unwrap_or_else(|_| "{}".to_owned());
    Item { sequence, kind, text: text.into() }
}

impl ChatStore {
    /// On this database.
    pub fn new(store: Store) -> Self {
        Self(store)
    }

    /// What webhooks are told of.
    pub(super) fn interest(&self) -> crate::store::outbox::Interest {
        self.0.interest().clone()
    }

    pub(super) fn pool(&self) -> &sqlx::AnyPool {
        self.0.pool()
    }

    /// A room as it is kept; a new one if nothing is.
    pub async fn room(&self, channel: &ChannelId, now: Timestamp) -> Result<KeptRoom, StoreError> {
        let row = sqlx::query(
            "SELECT sequence, guests, slow_seconds, followers, followers_minutes, subscribers, emote_only, unique_only,
             salt, pinned, filters, raids FROM chat_rooms WHERE channel_id = $1",
        )
        .bind(channel.as_str())
        .fetch_optional(self.0.pool())
        .await?;
        let mut pinned = None;
        let mut salt = String::new();
        let mut filters = Filters::default();
        let (last, settings) = match row {
            Some(row) => {
                let is = |index| -> Result<bool, StoreError> { Ok(row.try_get::<i64, _>(index)? != 0) };
                let number = |index| -> Result<u32, StoreError> {
                    Ok(row.try_get::<i64, _>(index)?.clamp(0, i64::from(u32::MAX)) as u32)
                };
                let settings = ChatSettings {
                    guests: is(1)?,
                    slow_seconds: number(2)?,
                    followers: is(3)?,
                    followers_minutes: number(4)?,
                    subscribers: is(5)?,
                    emote_only: is(6)?,
                    unique: is(7)?,
                    raids: is(11)?,
                };
                salt = row.try_get::<Option<String>, _>(8)?.unwrap_or_default();
                pinned = optional::<MessageId>(&row, 9)?;
                if let Some(kept) = row.try_get::<Option<String>, _>(10)? {
                    filters = serde_json::from_str(&kept).map_err(broken)?;
                }
                (cursor(&row, 0)?, settings)
            }
            None => (Cursor(0), ChatSettings::default()),
        };
        let pin = match pinned {
            Some(id) => self.message(channel, &id).await?,
            None => None,
        };
        let bans = sqlx::query("SELECT person_id, network_hash FROM chat_bans WHERE channel_id = $1")
            .bind(channel.as_str())
            .fetch_all(self.0.pool())
            .await?;
        let ban = |row: &AnyRow| -> Result<_, StoreError> {
            Ok((column(row, 0)?, row.try_get::<Option<String>, _>(1)?.map(NetworkHash::kept)))
        };
        let moderators = sqlx::query("SELECT account_id FROM chat_moderators WHERE channel_id = $1")
            .bind(channel.as_str())
            .fetch_all(self.0.pool())
            .await?;
        let silences = sqlx::query(
            "SELECT person_id, name, silenced_at, until_at, silenced_by, reason, network_hash FROM chat_silences
             WHERE channel_id = $1 AND until_at > $2",
        )
        .bind(channel.as_str())
        .bind(now.as_millis())
        .fetch_all(self.0.pool())
        .await?;
        let silenced_network = |row: &AnyRow| -> Result<_, StoreError> {
            let network = row.try_get::<Option<String>, _>(6)?.map(NetworkHash::kept);
            Ok(Some(column(row, 0)?).zip(network))
        };
        Ok(KeptRoom {
            last,
            settings,
            moderators: moderators.iter().map(|row| column(row, 0)).collect::<Result<_, _>>()?,
            silences: silences.iter().map(silence).collect::<Result<_, _>>()?,
            silenced_networks: silences
                .iter()
                .filter_map(|row| silenced_network(row).transpose())
                .collect::<Result<_, _>>()?,
            salt,
            filters,
            held: self.waiting(channel).await?,
            bans: bans.iter().map(ban).collect::<Result<_, _>>()?,
            pin,
        })
    }

    /// The last messages that are not deleted, up to a cursor, oldest first.
    pub async fn last(
        &self,
        channel: &ChannelId,
        up_to: Cursor,
        most: usize,
    ) -> Result<Vec<ChatMessage>, StoreError> {
        let before = Cursor(up_to.0.saturating_add(1));
        let mut messages = self.page(channel, before, most).await?;
        messages.reverse();
        Ok(messages)
    }

    /// Messages that are not deleted, newest first, from before a place.
    pub async fn page(
        &self,
        channel: &ChannelId,
        before: Cursor,
        most: usize,
    ) -> Result<Vec<ChatMessage>, StoreError> {
        let rows = sqlx::query(select!(
            "WHERE channel_id = $1 AND sequence < $2 AND deleted_at IS NULL AND sequence > ",
            cleared!(),
            " ORDER BY sequence DESC LIMIT $3"
        ))
        .bind(channel.as_str())
        .bind(place(before))
        .bind(most as i64)
        .fetch_all(self.0.pool())
        .await?;
        rows.iter().map(message).collect()
    }

    /// Messages that are not deleted from one place to another, oldest first.
    pub async fn between(
        &self,
        channel: &ChannelId,
        (first, last): (i64, i64),
        most: i64,
    ) -> Result<Vec<ChatMessage>, StoreError> {
        let rows = sqlx::query(select!(
            "WHERE channel_id = $1 AND sequence >= $2 AND sequence <= $3 AND deleted_at IS NULL AND sequence > ",
            cleared!(),
            " ORDER BY sequence LIMIT $4"
        ))
        .bind(channel.as_str())
        .bind(first)
        .bind(last)
        .bind(most)
        .fetch_all(self.0.pool())
        .await?;
        rows.iter().map(message).collect()
    }

    /// A message that is not deleted.
    pub async fn message(
        &self,
        channel: &ChannelId,
        id: &MessageId,
    ) -> Result<Option<ChatMessage>, StoreError> {
        let row = sqlx::query(select!(
            "WHERE channel_id = $1 AND id = $2 AND deleted_at IS NULL AND sequence > ",
            cleared!()
        ))
        .bind(channel.as_str())
        .bind(id.as_str())
        .fetch_optional(self.0.pool())
        .await?;
        row.as_ref().map(message).transpose()
    }

    /// Messages of all rooms after an id that mention somebody and are not deleted, oldest first.
    pub async fn mentioning(
        &self,
        after: &str,
        most: i64,
    ) -> Result<Vec<(ChannelId, MessageId)>, StoreError> {
        let rows = sqlx::query(
            "SELECT channel_id, id FROM chat_messages
             WHERE id > $1 AND deleted_at IS NULL AND fragments LIKE '%\"type\":\"mention\"%' ORDER BY id LIMIT $2",
        )
        .bind(after)
        .bind(most)
        .fetch_all(self.0.pool())
        .await?;
        rows.iter().map(|row| Ok((column(row, 0)?, column(row, 1)?))).collect()
    }

    /// The last name that somebody wrote under in a room.
    pub async fn name_of(
        &self,
        channel: &ChannelId,
        person: &PersonId,
    ) -> Result<Option<DisplayName>, StoreError> {
        let row = sqlx::query(
            "SELECT author_name FROM chat_messages WHERE channel_id = $1 AND person_id = $2
             ORDER BY sent_at DESC LIMIT 1",
        )
        .bind(channel.as_str())
        .bind(person.as_str())
        .fetch_optional(self.0.pool())
        .await?;
        match row {
            Some(row) => column(&row, 0).map(Some),
            // Somebody of whom nothing was shown yet.
            None => Ok(self.held_author(channel, person).await?.map(|author| author.name)),
        }
    }

    /// What happened after a cursor and up to another: messages that are not deleted, and everything else.
    pub async fn since(
        &self,
        channel: &ChannelId,
        after: Cursor,
        up_to: Cursor,
        most: usize,
    ) -> Result<Since, StoreError> {
        let messages = sqlx::query(select!(
            "WHERE channel_id = $1 AND sequence > $2 AND sequence <= $3 AND deleted_at IS NULL AND sequence > ",
            cleared!(),
            " ORDER BY sequence LIMIT $4"
        ));
        let changes = sqlx::query(
            "SELECT sequence, change FROM chat_changes
             WHERE channel_id = $1 AND sequence > $2 AND sequence <= $3 ORDER BY sequence LIMIT $4",
        );
        let mut updates = Vec::new();
        let mut pins = Vec::new();
        let mut bytes = 0;
        for (query, is_messages) in [(messages, true), (changes, false)] {
            let query =
                query.bind(channel.as_str()).bind(place(after)).bind(place(up_to)).bind(most as i64 + 1);
            let mut rows = query.fetch(self.0.pool());
            while let Some(row) = rows.try_next().await? {
                let update = if is_messages {
                    bytes += row.try_get::<String, _>(7)?.len();
                    let message = message(&row)?;
                    (message.sequence, ChatUpdate::Message(Box::new(message)))
                } else {
                    let change: String = row.try_get(1)?;
                    bytes += change.len();
                    match serde_json::from_str::<Change<Box<ChatUpdate>>>(&change).map_err(broken)? {
                        Change::Pinned { pinned } => {
                            pins.push((cursor(&row, 0)?, pinned));
                            continue;
                        }
                        Change::Other(update) => (cursor(&row, 0)?, *update),
                    }
                };
                updates.push(update);
                if updates.len() + pins.len() > most || bytes > SINCE_BYTES {
                    return Ok(Since::TooMuch);
                }
            }
        }
        // Only the last one is still shown above the others, and no words outlive their message.
        if let Some((sequence, id)) = pins.pop()
            && let Some(pin) = self.message(channel, &id).await?
        {
            updates.push((sequence, ChatUpdate::Pinned { pin: Box::new(pin) }));
        }
        updates.sort_by_key(|(sequence, _)| *sequence);
        Ok(Since::All(updates))
    }

    /// Whether somebody moderates a channel's chat.
    pub async fn moderates(&self, channel: &ChannelId, account: &AccountId) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT 1 FROM chat_moderators WHERE channel_id = $1 AND account_id = $2")
            .bind(channel.as_str())
            .bind(account.as_str())
            .fetch_optional(self.0.pool())
            .await?;
        Ok(row.is_some())
    }

    /// The channels whose chat somebody moderates; as many as a page has room for.
    pub async fn moderated_by(&self, account: &AccountId) -> Result<Vec<ChannelId>, StoreError> {
        let rows = sqlx::query(
            "SELECT channel_id FROM chat_moderators WHERE account_id = $1 ORDER BY added_at, channel_id LIMIT 200",
        )
        .bind(account.as_str())
        .fetch_all(self.0.pool())
        .await?;
        rows.iter().map(|row| column(row, 0)).collect()
    }

    /// Who moderates a channel's chat, of those whose ids lie between two.
    pub async fn moderators_between(
        &self,
        channel: &ChannelId,
        (first, last): (&AccountId, &AccountId),
    ) -> Result<Vec<AccountId>, StoreError> {
        let rows = sqlx::query(
            "SELECT account_id FROM chat_moderators
             WHERE channel_id = $1 AND account_id >= $2 AND account_id <= $3",
        )
        .bind(channel.as_str())
        .bind(first.as_str())
        .bind(last.as_str())
        .fetch_all(self.0.pool())
        .await?;
        rows.iter().map(|row| column(row, 0)).collect()
    }

    /// A channel's moderators, by what they sign in with.
    pub async fn moderators(
        &self,
        channel: &ChannelId,
        after: &str,
        most: usize,
    ) -> Result<Vec<Moderator>, StoreError> {
        let rows = sqlx::query(
            "SELECT accounts.id, accounts.name, accounts.display_name
             FROM chat_moderators JOIN accounts ON accounts.id = chat_moderators.account_id
             WHERE chat_moderators.channel_id = $1 AND accounts.name > $2 ORDER BY accounts.name LIMIT $3",
        )
        .bind(channel.as_str())
        .bind(after)
        .bind(most as i64)
        .fetch_all(self.0.pool())
        .await?;
        rows.iter()
            .map(|row| Ok(Moderator { id: column(row, 0)?, account: column(row, 1)?, name: column(row, 2)? }))
            .collect()
    }

    /// Keeps a new guest, and forgets those who weren't seen since `forget`.
    pub async fn add_guest(
        &self,
        guest: &Guest,
        token: &SecretHash,
        forget: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        sqlx::query("DELETE FROM chat_guests WHERE last_used_at < $1")
            .bind(forget.as_millis())
            .execute(&mut *transaction)
            .await?;
        sqlx::query("INSERT INTO chat_guests (id, token_hash, name, last_used_at) VALUES ($1, $2, $3, $4)")
            .bind(guest.id.as_str())
            .bind(token.to_hex())
            .bind(guest.name.as_str())
            .bind(guest.last_used_at.as_millis())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Whose a guest's token is.
    pub async fn guest(&self, token: &SecretHash) -> Result<Option<Guest>, StoreError> {
        let row =
            sqlx::query("SELECT token_hash, id, name, last_used_at FROM chat_guests WHERE token_hash = $1")
                .bind(token.to_hex())
                .fetch_optional(self.0.pool())
                .await?;
        let Some(row) = row else { return Ok(None) };
        // The look-up is by hash, and the hashes are compared once more in constant time.
        let kept: String = row.try_get(0)?;
        if SecretHash::from_hex(&kept).is_none_or(|kept| kept != *token) {
            return Ok(None);
        }
        let last_used_at = Timestamp::from_millis(row.try_get(3)?);
        Ok(Some(Guest { id: column(&row, 1)?, name: column(&row, 2)?, last_used_at }))
    }

    /// Writes that a guest's token was used.
    pub async fn touch_guest(&self, guest: &PersonId, at: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE chat_guests SET last_used_at = $2 WHERE id = $1")
            .bind(guest.as_str())
            .bind(at.as_millis())
            .execute(self.0.pool())
            .await?;
        Ok(())
    }

    /// How many messages were written during each of these broadcasts, and by how many people; deleted ones too.
    pub async fn totals(
        &self,
        broadcasts: &[BroadcastId],
    ) -> Result<Vec<(BroadcastId, u64, u64)>, StoreError> {
        if broadcasts.is_empty() {
            return Ok(Vec::new());
        }
        let places: Vec<String> = (1..=broadcasts.len()).map(|place| format!("${place}")).collect();
        let sql = format!(
            "SELECT broadcast_id, COUNT(*), COUNT(DISTINCT person_id) FROM chat_messages
             WHERE broadcast_id IN ({}) GROUP BY broadcast_id",
            places.join(", ")
        );
        // Nothing but numbers of places was put into it.
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for broadcast in broadcasts {
            query = query.bind(broadcast.as_str());
        }
        let rows = query.fetch_all(self.0.pool()).await?;
        let count = |row: &AnyRow, index| row.try_get::<i64, _>(index).map(i64::unsigned_abs);
        rows.iter().map(|row| Ok((column(row, 0)?, count(row, 1)?, count(row, 2)?))).collect()
    }

    /// How many messages were written in each second of a broadcast, counted from `start`; deleted ones too.
    pub async fn seconds(
        &self,
        broadcast: &BroadcastId,
        start: Timestamp,
    ) -> Result<Vec<(u64, u32)>, StoreError> {
        let rows = sqlx::query(
            "SELECT (sent_at - $2) / 1000, COUNT(*) FROM chat_messages
             WHERE broadcast_id = $1 AND sent_at >= $2 GROUP BY (sent_at - $2) / 1000 ORDER BY 1",
        )
        .bind(broadcast.as_str())
        .bind(start.as_millis())
        .fetch_all(self.0.pool())
        .await?;
        let second = |row: &AnyRow| -> Result<(u64, u32), StoreError> {
            let count = row.try_get::<i64, _>(1)?;
            Ok((row.try_get::<i64, _>(0)?.unsigned_abs(), count.clamp(0, i64::from(u32::MAX)) as u32))
        };
        rows.iter().map(second).collect()
    }

    /// Begins to write.
    pub async fn begin(&self) -> Result<Commit, StoreError> {
        Ok(Commit::new(self.0.pool().begin().await?))
    }
}

fn silence(row: &AnyRow) -> Result<Silence, StoreError> {
    Ok(Silence {
        person: column(row, 0)?,
        name: column(row, 1)?,
        at: appeal::rules::beginning(row.try_get(2)?),
        until: Timestamp::from_millis(row.try_get(3)?),
        by: column(row, 4)?,
        reason: row.try_get(5)?,
    })
}
