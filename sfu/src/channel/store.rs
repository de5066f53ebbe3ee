//! Channels, stream keys and publish tokens in SQL.

use super::{Past, door::Doors, embed::token::EmbedKey, page, rules::Record};
use crate::{
    actor::Actor,
    fresh,
    page::{Place, Wanted},
    secret::SecretHash,
    store::{
        Store, StoreError,
        audit::{self, Entry},
        erase,
        like::pattern,
        outbox,
    },
};
use serde_json::json;
use shared::{
    audit::AuditAction,
    channel::{CategoryCard, Channel, EditChannel, Visibility},
    embed::Embedding,
    id::{AccountId, ChannelId, ChannelName, EventId},
    page::Page,
    text::{AccountName, DisplayName},
    unit::Timestamp,
    webhook::WebhookKind,
};
use sqlx::{Any, Row, Transaction, any::AnyRow};
use std::str::FromStr;

/// Reads and writes channels.
#[derive(Debug, Clone)]
pub struct ChannelStore(pub(super) Store);

/// A channel, as those who run the instance see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Overviewed {
    /// The channel.
    pub record: Record,
    /// Whose it is.
    pub owner: Option<AccountName>,
    /// What they are called.
    pub owner_name: Option<DisplayName>,
    /// How many follow it.
    pub followers: u64,
    /// Since when it is suspended.
    pub suspended_at: Option<Timestamp>,
}

/// A statement on the columns that [`record`] reads, in its order.
macro_rules! select {
    ($($rest:literal),+) => {
        concat!(
            "SELECT channels.id, channels.name, channels.display_name, channels.title, channels.description, ",
            "channels.category, channels.tags, channels.visibility, channels.created_at, channels.owner_id, ",
            "channels.embedding, channels.embed_key, channels.ladder, ",
            "(SELECT avatar FROM accounts WHERE accounts.id = channels.owner_id), ",
            "(SELECT hash FROM channel_pictures WHERE channel_id = channels.id AND place = 'avatar'), ",
            "(SELECT hash FROM channel_pictures WHERE channel_id = channels.id AND place = 'banner'), ",
            "channels.suspended_at",
            $($rest),+
        )
    };
}

/// What is read of one, after the columns of [`record`].
macro_rules! overview {
    ($($rest:literal),+) => {
        select!(
            ", accounts.name, accounts.display_name, ",
            "(SELECT COUNT(*) FROM follows WHERE follows.channel_id = channels.id) ",
            "FROM channels LEFT JOIN accounts ON accounts.id = channels.owner_id ",
            $($rest),+
        )
    };
}

pub(super) fn column<T: FromStr>(row: &AnyRow, index: usize) -> Result<T, StoreError>
where
    T::Err: std::fmt::Display,
{
    let text: String = row.try_get(index)?;
    text.parse().map_err(|error: T::Err| StoreError::Row(error.to_string()))
}

fn visibility_text(visibility: Visibility) -> &'static str {
    match visibility {
        Visibility::Public => "PUBLIC",
        Visibility::Unlisted => "UNLISTED",
        Visibility::Private => "PRIVATE",
    }
}

fn visibility(row: &AnyRow, index: usize) -> Result<Visibility, StoreError> {
    match row.try_get::<String, _>(index)?.as_str() {
        "PUBLIC" => Ok(Visibility::Public),
        "UNLISTED" => Ok(Visibility::Unlisted),
        "PRIVATE" => Ok(Visibility::Private),
        other => Err(StoreError::Row(format!("the visibility {other}"))),
    }
}

fn embedding(row: &AnyRow, index: usize) -> Result<Embedding, StoreError> {
    let text: String = row.try_get(index)?;
    serde_json::from_str(&text).map_err(|error| StoreError::Row(error.to_string()))
}

fn embedding_text(channel: &Channel) -> Result<String, StoreError> {
    serde_json::to_string(&channel.embedding).map_err(|error| StoreError::Row(error.to_string()))
}

fn tags_text(channel: &Channel) -> String {
    serde_json::to_string(&channel.tags).unwrap_or_else(|_| "[]".to_owned())
}

fn record(row: &AnyRow) -> Result<Record, StoreError> {
    let tags: String = row.try_get(6)?;
    let owner: Option<String> = row.try_get(9)?;
    let owner = owner.map(|id| id.parse::<AccountId>()).transpose();
    let own_avatar: Option<String> = row.try_get(14)?;
    let owner_s = row.try_get::<Option<String>, _>(13)?.map(|hash| format!("/avatars/{hash}"));
    let channel = Channel {
        id: column(row, 0)?,
        name: column(row, 1)?,
        display_name: column(row, 2)?,
        own_avatar: own_avatar.is_some(),
        avatar: own_avatar.map(|hash| page::picture_url(&hash)).or(owner_s),
        banner: row.try_get::<Option<String>, _>(15)?.map(|hash| page::picture_url(&hash)),
        title: column(row, 3)?,
        description: column(row, 4)?,
        category: column(row, 5)?,
        tags: serde_json::from_str(&tags).map_err(|error| StoreError::Row(error.to_string()))?,
        visibility: visibility(row, 7)?,
        embedding: embedding(row, 10)?,
        created_at: Timestamp::from_millis(row.try_get(8)?),
        suspended: row.try_get::<Option<i64>, _>(16)?.is_some(),
    };
    let owner = owner.map_err(|error| StoreError::Row(error.to_string()))?;
    let key: Option<String> = row.try_get(11)?;
    let embed_key =
        key.map(|text| EmbedKey::from_text(&text).ok_or_else(|| StoreError::Row("an embed key".into())));
    let ladder = row.try_get::<i64, _>(12)? != 0;
    let embed_key = embed_key.transpose()?;
    Ok(Record { channel, owner, past: None, embed_key, ladder, roles: Vec::new(), doors: Doors::default() })
}

fn overviewed(row: &AnyRow) -> Result<Overviewed, StoreError> {
    let broken = |error: String| StoreError::Row(error);
    let owner = row.try_get::<Option<String>, _>(17)?.map(|name| name.parse()).transpose();
    let owner_name = row.try_get::<Option<String>, _>(18)?.map(|name| name.parse()).transpose();
    Ok(Overviewed {
        record: record(row)?,
        owner: owner.map_err(|_| broken("an account's name".to_owned()))?,
        owner_name: owner_name.map_err(|_| broken("what an account is called".to_owned()))?,
        followers: row.try_get::<i64, _>(19)?.max(0) as u64,
        suspended_at: row.try_get::<Option<i64>, _>(16)?.map(Timestamp::from_millis),
    })
}

impl ChannelStore {
    /// Every channel whose names, or whose owner's, hold a text, by address.
    pub async fn overview(&self, search: &str, wanted: &Wanted) -> Result<Page<Overviewed>, StoreError> {
        let after = wanted.after.as_ref().map_or("", |place| place.id.as_str());
        let rows = sqlx::query(overview!(
            r"WHERE channels.name > $1 AND (channels.name LIKE $2 ESCAPE '\' OR LOWER(channels.display_name) LIKE $2 ",
            r"ESCAPE '\' OR channels.display_name LIKE $4 ESCAPE '\' OR accounts.name LIKE $2 ESCAPE '\') ",
            "ORDER BY channels.name LIMIT $3"
        ))
        .bind(after)
        .bind(pattern(&search.to_lowercase()))
        .bind(wanted.rows())
        // SQLite lowers no letters but ASCII's: of others, what is typed as it is written.
        .bind(pattern(search))
        .fetch_all(self.0.pool())
        .await?;
        let all: Result<Vec<Overviewed>, StoreError> = rows.iter().map(overviewed).collect();
        Ok(wanted.page(all?, |one| Place { at: 0, id: one.record.channel.name.as_str().to_owned() }))
    }

    /// One of them.
    pub async fn overview_of(&self, name: &ChannelName) -> Result<Option<Overviewed>, StoreError> {
        let row = sqlx::query(overview!("WHERE channels.name = $1"))
            .bind(name.as_str())
            .fetch_optional(self.0.pool())
            .await?;
        row.as_ref().map(overviewed).transpose()
    }

    /// On this database.
    pub fn new(store: Store) -> Self {
        Self(store)
    }

    /// A channel by name.
    pub async fn by_name(&self, name: &ChannelName) -> Result<Option<Record>, StoreError> {
        let row = sqlx::query(select!(" FROM channels WHERE name = $1")).bind(name.as_str());
        row.fetch_optional(self.0.pool()).await?.as_ref().map(record).transpose()
    }

    /// A channel by id.
    pub async fn by_id(&self, id: &ChannelId) -> Result<Option<Record>, StoreError> {
        let row = sqlx::query(select!(" FROM channels WHERE id = $1")).bind(id.as_str());
        row.fetch_optional(self.0.pool()).await?.as_ref().map(record).transpose()
    }

    /// Every channel's names, as addresses and as people read them, with those that are kept of channels that are gone.
    pub async fn names(&self) -> Result<Vec<String>, StoreError> {
        self.names_but(None, None).await
    }

    /// Whether a name is kept from somebody, as a channel had it that is gone.
    pub async fn is_kept(&self, name: &ChannelName, owner: Option<&AccountId>) -> Result<bool, StoreError> {
        let mut connection = self.0.pool().acquire().await?;
        erase::is_kept(&mut connection, (erase::Kind::Channel, name.as_str()), owner).await
    }

    /// The same, but for those of one account, and of one channel.
    pub async fn names_but(
        &self,
        owner: Option<&AccountId>,
        channel: Option<&ChannelId>,
    ) -> Result<Vec<String>, StoreError> {
        // No id is empty.
        let rows = sqlx::query(
            "SELECT name, display_name FROM channels WHERE (owner_id IS NULL OR owner_id <> $1) AND id <> $2",
        )
        .bind(owner.map_or("", AccountId::as_str))
        .bind(channel.map_or("", ChannelId::as_str))
        .fetch_all(self.0.pool())
        .await?;
        let pairs = rows.iter().map(|row| Ok([row.try_get(0)?, row.try_get(1)?]));
        let pairs = pairs.collect::<Result<Vec<[String; 2]>, sqlx::Error>>()?;
        let mut connection = self.0.pool().acquire().await?;
        let kept = erase::kept(&mut connection, erase::Kind::Channel, owner).await?;
        Ok(pairs.into_iter().flatten().chain(kept).collect())
    }

    /// Whether a channel's owner is kept from the instance, and the channel from being published to with it.
    pub async fn is_suspended(&self, channel: &ChannelId) -> Result<bool, StoreError> {
        let row = sqlx::query(
            "SELECT 1 FROM channels JOIN accounts ON accounts.id = channels.owner_id
             WHERE channels.id = $1 AND accounts.suspended_at IS NOT NULL",
        )
        .bind(channel.as_str())
        .fetch_optional(self.0.pool())
        .await?;
        Ok(row.is_some())
    }

    /// An account's channels, oldest first.
    pub async fn owned_by(&self, owner: &AccountId) -> Result<Vec<Record>, StoreError> {
        let rows = sqlx::query(select!(" FROM channels WHERE owner_id = $1 ORDER BY created_at, id"))
            .bind(owner.as_str());
        rows.fetch_all(self.0.pool()).await?.iter().map(record).collect()
    }

    /// Others' channels that an account is an editor of, by name.
    pub async fn edited_by(&self, editor: &AccountId) -> Result<Vec<Record>, StoreError> {
        let rows = sqlx::query(select!(
            " FROM channels JOIN channel_roles ON channel_roles.channel_id = channels.id ",
            "WHERE channel_roles.account_id = $1 AND channel_roles.role = 'editor' ORDER BY channels.name LIMIT 200"
        ))
        .bind(editor.as_str());
        rows.fetch_all(self.0.pool()).await?.iter().map(record).collect()
    }

    /// Public channels, the most recently live first: as many, behind a place in that order (milliseconds of the end of
    /// the last broadcast, 0 for none; a name).
    pub async fn public(&self, ended_at: i64, name: &str, limit: i64) -> Result<Vec<Record>, StoreError> {
        let rows = sqlx::query(select!(
            ", past.started_at, past.ended_at FROM channels ",
            // The newest one that is over: ids sort by age, so equal ends have one winner.
            "LEFT JOIN broadcasts AS past ON past.id = (SELECT latest.id FROM broadcasts AS latest ",
            "WHERE latest.channel_id = channels.id AND latest.ended_at IS NOT NULL ",
            "ORDER BY latest.ended_at DESC, latest.id DESC LIMIT 1) ",
            "LEFT JOIN accounts ON accounts.id = channels.owner_id ",
            "WHERE channels.visibility = 'PUBLIC' AND accounts.suspended_at IS NULL AND channels.suspended_at IS NULL AND (COALESCE(past.ended_at, 0) < $1 ",
            "OR (COALESCE(past.ended_at, 0) = $1 AND channels.name > $2)) ",
            "ORDER BY COALESCE(past.ended_at, 0) DESC, channels.name LIMIT $3"
        ))
        .bind(ended_at)
        .bind(name)
        .bind(limit)
        .fetch_all(self.0.pool())
        .await?;
        rows.iter()
            .map(|row| {
                let times: (Option<i64>, Option<i64>) = (row.try_get(17)?, row.try_get(18)?);
                let past = times.0.zip(times.1).map(|(started, ended)| Past {
                    started_at: Timestamp::from_millis(started),
                    ended_at: Timestamp::from_millis(ended),
                });
                Ok(Record { past, ..record(row)? })
            })
            .collect()
    }

    /// The address of a person's picture.
    pub async fn avatar_of(&self, owner: Option<&AccountId>) -> Result<Option<String>, StoreError> {
        let Some(owner) = owner else { return Ok(None) };
        let row = sqlx::query("SELECT avatar FROM accounts WHERE id = $1")
            .bind(owner.as_str())
            .fetch_optional(self.0.pool())
            .await?;
        let hash: Option<Option<String>> = row.map(|row| row.try_get(0)).transpose()?;
        Ok(hash.flatten().map(|hash| format!("/avatars/{hash}")))
    }

    /// What public channels broadcast, and how many do.
    pub async fn categories(&self) -> Result<Vec<CategoryCard>, StoreError> {
        let rows = sqlx::query(
            "SELECT category, COUNT(*) FROM channels WHERE visibility = 'PUBLIC' AND suspended_at IS NULL AND category <> ''
             GROUP BY category ORDER BY COUNT(*) DESC, category LIMIT 1000",
        )
        .fetch_all(self.0.pool())
        .await?;
        rows.iter()
            .map(|row| {
                let channels: i64 = row.try_get(1)?;
                Ok(CategoryCard {
                    category: column(row, 0)?,
                    channels: channels.max(0) as u64,
                    live: 0,
                    viewers: 0,
                })
            })
            .collect()
    }

    /// Writes a new channel and its key, both or neither.
    pub async fn create(&self, new: &Record, key: &SecretHash) -> Result<(), StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        insert(&mut transaction, new).await?;
        let name = (erase::Kind::Channel, new.channel.name.as_str());
        if erase::is_kept(&mut transaction, name, new.owner.as_ref()).await? {
            return Err(StoreError::Taken);
        }
        put_key(&mut transaction, &new.channel.id, key, new.channel.created_at).await?;
        let entry = Entry::by_account(AuditAction::ChannelMade, new.owner.as_ref());
        audit::record(&mut transaction, entry.on(&new.channel.id)).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Writes what a channel says of itself.
    pub async fn update(&self, by: &Actor, channel: &Channel, edit: &EditChannel) -> Result<(), StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        update(&mut transaction, by, channel, edit).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Gives channels without an owner one.
    pub async fn adopt(&self, owner: &AccountId) -> Result<(), StoreError> {
        sqlx::query("UPDATE channels SET owner_id = $1 WHERE owner_id IS NULL")
            .bind(owner.as_str())
            .execute(self.0.pool())
            .await?;
        Ok(())
    }

    /// Puts a new key in the old one's place, and ends every publish token and every announced start.
    pub async fn rotate(
        &self,
        by: &Actor,
        channel: &ChannelId,
        key: &SecretHash,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        put_key(&mut transaction, channel, key, at).await?;
        sqlx::query("DELETE FROM publish_tokens WHERE channel_id = $1")
            .bind(channel.as_str())
            .execute(&mut *transaction)
            .await?;
        sqlx::query("UPDATE live_starts SET expires_at = $2 WHERE channel_id = $1 AND expires_at > $2")
            .bind(channel.as_str())
            .bind(at.as_millis())
            .execute(&mut *transaction)
            .await?;
        let entry = Entry::new(AuditAction::StreamKeyReplaced, Some(by)).on(channel);
        audit::record(&mut transaction, entry).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Puts a key for signed embeds where there is none; the one that is there stays.
    pub async fn add_embed_key(&self, channel: &ChannelId, key: &EmbedKey) -> Result<(), StoreError> {
        sqlx::query("UPDATE channels SET embed_key = $2 WHERE id = $1 AND embed_key IS NULL")
            .bind(channel.as_str())
            .bind(key.to_text())
            .execute(self.0.pool())
            .await?;
        Ok(())
    }

    /// Puts another key for signed embeds in the place of the one that is there.
    pub async fn replace_embed_key(
        &self,
        by: &Actor,
        channel: &ChannelId,
        key: &EmbedKey,
    ) -> Result<(), StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        sqlx::query("UPDATE channels SET embed_key = $2 WHERE id = $1")
            .bind(channel.as_str())
            .bind(key.to_text())
            .execute(&mut *transaction)
            .await?;
        let entry = Entry::new(AuditAction::EmbedsRevoked, Some(by)).on(channel);
        audit::record(&mut transaction, entry).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Writes whether a channel's owner wants a ladder.
    pub async fn set_ladder(
        &self,
        by: &Actor,
        channel: &ChannelId,
        is_wanted: bool,
    ) -> Result<(), StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        sqlx::query("UPDATE channels SET ladder = $2 WHERE id = $1")
            .bind(channel.as_str())
            .bind(i64::from(is_wanted))
            .execute(&mut *transaction)
            .await?;
        let entry = Entry::new(AuditAction::LadderSet, Some(by)).on(channel);
        audit::record(&mut transaction, entry.saying(if is_wanted { "on" } else { "off" })).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Writes that somebody is about to end a channel's broadcast.
    pub async fn ends(&self, by: &Actor, channel: &ChannelId) -> Result<(), StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        let entry = Entry::new(AuditAction::BroadcastEnded, Some(by)).on(channel);
        audit::record(&mut transaction, entry).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Writes a publish token, and clears away those that are over.
    pub async fn add_token(
        &self,
        channel: &ChannelId,
        token: &SecretHash,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        sqlx::query("DELETE FROM publish_tokens WHERE expires_at <= $1")
            .bind(now.as_millis())
            .execute(&mut *transaction)
            .await?;
        sqlx::query("INSERT INTO publish_tokens (token_hash, channel_id, expires_at) VALUES ($1, $2, $3)")
            .bind(token.to_hex())
            .bind(channel.as_str())
            .bind(expires_at.as_millis())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The channel that a stream key belongs to.
    pub async fn of_key(&self, key: &SecretHash) -> Result<Option<ChannelId>, StoreError> {
        let row = sqlx::query("SELECT key_hash, channel_id FROM stream_keys WHERE key_hash = $1")
            .bind(key.to_hex())
            .fetch_optional(self.0.pool())
            .await?;
        channel_of_secret(row, key)
    }

    /// The channel that a publish token belongs to, while it is good.
    pub async fn of_token(
        &self,
        token: &SecretHash,
        now: Timestamp,
    ) -> Result<Option<ChannelId>, StoreError> {
        let row = sqlx::query(
            "SELECT token_hash, channel_id FROM publish_tokens WHERE token_hash = $1 AND expires_at > $2",
        )
        .bind(token.to_hex())
        .bind(now.as_millis())
        .fetch_optional(self.0.pool())
        .await?;
        channel_of_secret(row, token)
    }
}

/// Writes within a transaction what an edit changed of a channel; what it left alone may be another by now.
pub async fn update(
    transaction: &mut Transaction<'_, Any>,
    by: &Actor,
    channel: &Channel,
    edit: &EditChannel,
) -> Result<(), StoreError> {
    let embedding = embedding_text(channel)?;
    sqlx::query(
        "UPDATE channels SET display_name = COALESCE($2, display_name), title = COALESCE($3, title),
         description = COALESCE($4, description), category = COALESCE($5, category), tags = COALESCE($6, tags),
         visibility = COALESCE($7, visibility), embedding = COALESCE($8, embedding), about = COALESCE($9, about)
         WHERE id = $1",
    )
    .bind(channel.id.as_str())
    .bind(edit.display_name.as_ref().map(|_| channel.display_name.as_str().to_owned()))
    .bind(edit.title.as_ref().map(|_| channel.title.as_str().to_owned()))
    .bind(edit.description.as_ref().map(|_| channel.description.as_str().to_owned()))
    .bind(edit.category.as_ref().map(|_| channel.category.as_str().to_owned()))
    .bind(edit.tags.as_ref().map(|_| tags_text(channel)))
    .bind(edit.visibility.map(|_| visibility_text(channel.visibility).to_owned()))
    .bind(edit.embedding.as_ref().and(Some(embedding)))
    .bind(edit.about.as_ref().map(|about| about.as_str().to_owned()))
    .execute(&mut **transaction)
    .await?;
    note_edit(transaction, by, &channel.id, changes(edit)).await
}

/// Writes within a transaction that somebody changed these things of a channel, for the record and for webhooks.
pub(super) async fn note_edit(
    transaction: &mut Transaction<'_, Any>,
    by: &Actor,
    channel: &ChannelId,
    changed: Vec<String>,
) -> Result<(), StoreError> {
    if changed.is_empty() {
        return Ok(());
    }
    let entry = Entry::new(AuditAction::ChannelEdited, Some(by)).on(channel);
    audit::record(transaction, entry.saying(changed.join(", "))).await?;
    let (id, kind): (EventId, _) = (fresh::id(), WebhookKind::ChannelEdited);
    let data = json!({ "changed": changed });
    outbox::put(transaction, channel, (id.as_str(), kind, fresh::now()), data).await
}

/// Which fields an edit sets, as requests call them.
fn changes(edit: &EditChannel) -> Vec<String> {
    let EditChannel { display_name, title, description, category, tags, visibility, embedding, about } = edit;
    let visibility = visibility.map(|is| format!("visibility ({})", visibility_text(is)));
    let plain = [
        (display_name.is_some(), "displayName"),
        (title.is_some(), "title"),
        (description.is_some(), "description"),
        (category.is_some(), "category"),
        (tags.is_some(), "tags"),
        (embedding.is_some(), "embedding"),
        (about.is_some(), "about"),
    ];
    let plain = plain.into_iter().filter(|(is, _)| *is).map(|(_, name)| name.to_owned());
    plain.chain(visibility).collect()
}

/// The look-up is by hash, and the hashes are compared once more in constant time.
fn channel_of_secret(row: Option<AnyRow>, secret: &SecretHash) -> Result<Option<ChannelId>, StoreError> {
    let Some(row) = row else { return Ok(None) };
    let kept: String = row.try_get(0)?;
    let is_it = SecretHash::from_hex(&kept).is_some_and(|kept| kept == *secret);
    if is_it { column(&row, 1).map(Some) } else { Ok(None) }
}

async fn insert(transaction: &mut Transaction<'_, Any>, new: &Record) -> Result<(), StoreError> {
    let channel = &new.channel;
    sqlx::query(
        "INSERT INTO channels
         (id, name, display_name, title, description, category, tags, visibility, created_at, owner_id, embedding)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(channel.id.as_str())
    .bind(channel.name.as_str())
    .bind(channel.display_name.as_str())
    .bind(channel.title.as_str())
    .bind(channel.description.as_str())
    .bind(channel.category.as_str())
    .bind(tags_text(channel))
    .bind(visibility_text(channel.visibility))
    .bind(channel.created_at.as_millis())
    .bind(new.owner.as_ref().map(AccountId::as_str))
    .bind(embedding_text(channel)?)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

async fn put_key(
    transaction: &mut Transaction<'_, Any>,
    channel: &ChannelId,
    key: &SecretHash,
    at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO stream_keys (channel_id, key_hash, created_at) VALUES ($1, $2, $3)
         ON CONFLICT (channel_id) DO UPDATE SET key_hash = excluded.key_hash, created_at = excluded.created_at",
    )
    .bind(channel.as_str())
    .bind(key.to_hex())
    .bind(at.as_millis())
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
