//! Emotes of all channels in SQL.

use crate::{
    actor::Actor,
    chat::{
        commit::{
            store::Commit,
            work::{Hashed, Made},
        },
        emote::store::shown,
        store::{ChatStore, column},
    },
    store::{
        StoreError,
        audit::{self, Entry},
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use shared::{
    audit::AuditAction,
    emote::{EmoteName, INSTANCE_EMOTES_MOST, InstanceEmote},
    unit::Timestamp,
};
use sqlx::any::AnyRow;

const LIST: &str =
    "SELECT name, hash, moving IS NOT NULL FROM instance_emotes WHERE name > $1 ORDER BY name LIMIT $2";

const ONE: &str = "SELECT name, hash, moving IS NOT NULL FROM instance_emotes WHERE name = $1";

fn one(row: &AnyRow) -> Result<InstanceEmote, StoreError> {
    Ok(InstanceEmote { name: column(row, 0)?, url: shown(row, 1)? })
}

impl ChatStore {
    /// By name: some behind that name.
    pub async fn everywhere(&self, after: &str, most: usize) -> Result<Vec<InstanceEmote>, StoreError> {
        let query = sqlx::query(LIST).bind(after).bind(most as i64);
        query.fetch_all(self.pool()).await?.iter().map(one).collect()
    }

    /// Writes one and the record of it; `false` if there are as many as there may be.
    pub async fn set_everywhere(&self, who: &Actor, made: &Made, at: Timestamp) -> Result<bool, StoreError> {
        let mut transaction = self.pool().begin().await?;
        let Made { name, picture: Hashed { hash, picture } } = made;
        let done = sqlx::query(
            "INSERT INTO instance_emotes (name, hash, still, moving, added_at) SELECT $1, $2, $3, $4, $5
             WHERE (SELECT COUNT(*) FROM instance_emotes) < $6
             OR EXISTS (SELECT 1 FROM instance_emotes WHERE name = $1)
             ON CONFLICT (name) DO UPDATE SET hash = excluded.hash, still = excluded.still, moving = excluded.moving",
        )
        .bind(name.as_str())
        .bind(hash.as_str())
        .bind(STANDARD.encode(&picture.still))
        .bind(picture.moving.as_ref().map(|moving| STANDARD.encode(moving)))
        .bind(at.as_millis())
        .bind(INSTANCE_EMOTES_MOST as i64)
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        let entry = Entry::new(AuditAction::InstanceEmoteSet, Some(who)).saying(name.as_str());
        audit::record(&mut transaction, entry).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Takes one away, with a record of it; whether there was one.
    pub async fn remove_everywhere(&self, who: &Actor, name: &EmoteName) -> Result<bool, StoreError> {
        let mut transaction = self.pool().begin().await?;
        let done = sqlx::query("DELETE FROM instance_emotes WHERE name = $1")
            .bind(name.as_str())
            .execute(&mut *transaction)
            .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        let entry = Entry::new(AuditAction::InstanceEmoteRemoved, Some(who)).saying(name.as_str());
        audit::record(&mut transaction, entry).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

impl Commit {
    /// All of them.
    pub async fn everywhere(&mut self) -> Result<Vec<InstanceEmote>, StoreError> {
        let query = sqlx::query(LIST).bind("").bind(INSTANCE_EMOTES_MOST as i64);
        query.fetch_all(&mut **self.transaction()).await?.iter().map(one).collect()
    }

    /// The one of this name.
    pub async fn one_everywhere(&mut self, name: &EmoteName) -> Result<Option<InstanceEmote>, StoreError> {
        let query = sqlx::query(ONE).bind(name.as_str());
        query.fetch_optional(&mut **self.transaction()).await?.as_ref().map(one).transpose()
    }
}
