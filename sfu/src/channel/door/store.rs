//! Ways into private channels in SQL.

use super::{Doors, pass::PassKey};
use crate::{
    actor::Actor,
    channel::store::column,
    page::{Place, Wanted},
    secret::SecretHash,
    store::{
        Store, StoreError,
        audit::{self, Entry},
    },
};
use shared::{
    access::{AccessLink, Admitted, LINKS_MOST, LISTED_MOST},
    audit::AuditAction,
    id::{AccessLinkId, AccountId, ChannelId},
    page::Page,
    subscription::Tier,
    text::AccountName,
    unit::Timestamp,
};
use sqlx::{Row, any::AnyRow};

/// Reads and writes ways in.
#[derive(Debug, Clone)]
pub struct DoorStore(Store);

/// What became of a wish to put somebody on a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listed {
    /// They are on it.
    Done,
    /// Nobody has an account of this name.
    Nobody,
    /// It is as long as it may be.
    TooMany,
}

fn pass_key(text: &str) -> Result<PassKey, StoreError> {
    PassKey::from_text(text).ok_or_else(|| StoreError::Row("a key of passes".to_owned()))
}

fn tier(number: i64) -> Result<Tier, StoreError> {
    let tier = u8::try_from(number).ok().and_then(Tier::of_number);
    tier.ok_or_else(|| StoreError::Row(format!("the tier {number}")))
}

fn time(row: &AnyRow, index: usize) -> Result<Timestamp, StoreError> {
    Ok(Timestamp::from_millis(row.try_get(index)?))
}

fn number(value: i64) -> Result<u32, StoreError> {
    u32::try_from(value).map_err(|error| StoreError::Row(error.to_string()))
}

impl DoorStore {
    /// On this database.
    pub fn new(store: Store) -> Self {
        Self(store)
    }

    /// A channel's ways in.
    pub async fn of(&self, channel: &ChannelId) -> Result<Doors, StoreError> {
        let mut doors = Doors::default();
        let row =
            sqlx::query("SELECT password_key, subscriber_tier FROM channel_access WHERE channel_id = $1")
                .bind(channel.as_str())
                .fetch_optional(self.0.pool())
                .await?;
        if let Some(row) = row {
            let (key, number): (Option<String>, Option<i64>) = (row.try_get(0)?, row.try_get(1)?);
            doors.keys.extend(key.as_deref().map(pass_key).transpose()?);
            doors.subscribers = number.map(tier).transpose()?;
        }
        let rows = sqlx::query("SELECT pass_key FROM channel_access_links WHERE channel_id = $1")
            .bind(channel.as_str())
            .fetch_all(self.0.pool())
            .await?;
        for row in rows {
            doors.keys.push(pass_key(&row.try_get::<String, _>(0)?)?);
        }
        let rows = sqlx::query("SELECT account_id FROM channel_admitted WHERE channel_id = $1")
            .bind(channel.as_str())
            .fetch_all(self.0.pool())
            .await?;
        doors.listed = rows.iter().map(|row| column(row, 0)).collect::<Result<_, _>>()?;
        Ok(doors)
    }

    /// A channel's password as it is kept, and what signs its passes.
    pub async fn password(&self, channel: &ChannelId) -> Result<Option<(String, PassKey)>, StoreError> {
        let row = sqlx::query(
            "SELECT password_hash, password_key FROM channel_access
             WHERE channel_id = $1 AND password_hash IS NOT NULL AND password_key IS NOT NULL",
        )
        .bind(channel.as_str())
        .fetch_optional(self.0.pool())
        .await?;
        row.map(|row| Ok((row.try_get(0)?, pass_key(&row.try_get::<String, _>(1)?)?))).transpose()
    }

    /// Writes a channel's password, or that it has none; and what signs its passes.
    pub async fn set_password(
        &self,
        by: &Actor,
        channel: &ChannelId,
        password: Option<(String, PassKey)>,
    ) -> Result<(), StoreError> {
        let (hash, key) = password.unzip();
        let words = if hash.is_some() { "set" } else { "removed" };
        let mut transaction = self.0.pool().begin().await?;
        sqlx::query(
            "INSERT INTO channel_access (channel_id, password_hash, password_key) VALUES ($1, $2, $3)
             ON CONFLICT (channel_id) DO UPDATE
             SET password_hash = excluded.password_hash, password_key = excluded.password_key",
        )
        .bind(channel.as_str())
        .bind(hash)
        .bind(key.map(|key| key.to_text()))
        .execute(&mut *transaction)
        .await?;
        let entry = Entry::new(AuditAction::AccessPassword, Some(by)).on(channel);
        audit::record(&mut transaction, entry.saying(words)).await?;
        Ok(transaction.commit().await?)
    }

    /// Writes which subscribers get in.
    pub async fn set_subscribers(
        &self,
        by: &Actor,
        channel: &ChannelId,
        tier: Option<Tier>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        sqlx::query(
            "INSERT INTO channel_access (channel_id, subscriber_tier) VALUES ($1, $2)
             ON CONFLICT (channel_id) DO UPDATE SET subscriber_tier = excluded.subscriber_tier",
        )
        .bind(channel.as_str())
        .bind(tier.map(|tier| i64::from(tier.number())))
        .execute(&mut *transaction)
        .await?;
        let words = tier.map_or("none".to_owned(), |tier| format!("tier {} and above", tier.number()));
        let entry = Entry::new(AuditAction::AccessSubscribers, Some(by)).on(channel);
        audit::record(&mut transaction, entry.saying(words)).await?;
        Ok(transaction.commit().await?)
    }

    /// Puts somebody on a channel's list.
    pub async fn admit(
        &self,
        by: &Actor,
        channel: &ChannelId,
        account: &AccountName,
        at: Timestamp,
    ) -> Result<Listed, StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        let added = sqlx::query(
            "INSERT INTO channel_admitted (channel_id, account_id, added_at)
             SELECT $1, accounts.id, $3 FROM accounts WHERE accounts.name = $2
             AND (SELECT COUNT(*) FROM channel_admitted WHERE channel_id = $1) < $4
             ON CONFLICT (channel_id, account_id) DO NOTHING RETURNING account_id",
        )
        .bind(channel.as_str())
        .bind(account.as_str())
        .bind(at.as_millis())
        .bind(LISTED_MOST as i64)
        .fetch_optional(&mut *transaction)
        .await?;
        if let Some(row) = added {
            let id: String = row.try_get(0)?;
            let entry = Entry::new(AuditAction::AccessGiven, Some(by)).on(channel).to(&id);
            audit::record(&mut transaction, entry).await?;
            transaction.commit().await?;
            return Ok(Listed::Done);
        }
        drop(transaction);
        if self.listed(channel, account).await?.is_some() {
            return Ok(Listed::Done);
        }
        let known = sqlx::query("SELECT 1 FROM accounts WHERE name = $1")
            .bind(account.as_str())
            .fetch_optional(self.0.pool())
            .await?;
        Ok(if known.is_some() { Listed::TooMany } else { Listed::Nobody })
    }

    /// Somebody on a channel's list.
    pub async fn listed(
        &self,
        channel: &ChannelId,
        account: &AccountName,
    ) -> Result<Option<Admitted>, StoreError> {
        let row = sqlx::query(
            "SELECT accounts.id, accounts.name, accounts.display_name, channel_admitted.added_at
             FROM channel_admitted JOIN accounts ON accounts.id = channel_admitted.account_id
             WHERE channel_admitted.channel_id = $1 AND accounts.name = $2",
        )
        .bind(channel.as_str())
        .bind(account.as_str())
        .fetch_optional(self.0.pool())
        .await?;
        row.as_ref().map(admitted).transpose()
    }

    /// A channel's list, by what people sign in with.
    pub async fn all_listed(
        &self,
        channel: &ChannelId,
        wanted: &Wanted,
    ) -> Result<Page<Admitted>, StoreError> {
        let after = wanted.after.as_ref().map_or("", |place| place.id.as_str());
        let rows = sqlx::query(
            "SELECT accounts.id, accounts.name, accounts.display_name, channel_admitted.added_at
             FROM channel_admitted JOIN accounts ON accounts.id = channel_admitted.account_id
             WHERE channel_admitted.channel_id = $1 AND accounts.name > $2 ORDER BY accounts.name LIMIT $3",
        )
        .bind(channel.as_str())
        .bind(after)
        .bind(wanted.rows())
        .fetch_all(self.0.pool())
        .await?;
        let listed: Result<Vec<Admitted>, StoreError> = rows.iter().map(admitted).collect();
        Ok(wanted.page(listed?, |one| Place { at: 0, id: one.account.as_str().to_owned() }))
    }

    /// Takes somebody off a channel's list; who it is, if they were on it.
    pub async fn unlist(
        &self,
        by: &Actor,
        channel: &ChannelId,
        account: &AccountName,
    ) -> Result<Option<AccountId>, StoreError> {
        let Some(Admitted { id, .. }) = self.listed(channel, account).await? else { return Ok(None) };
        let mut transaction = self.0.pool().begin().await?;
        let done = sqlx::query("DELETE FROM channel_admitted WHERE channel_id = $1 AND account_id = $2")
            .bind(channel.as_str())
            .bind(id.as_str())
            .execute(&mut *transaction)
            .await?;
        // Of two who do it at once, one did.
        if done.rows_affected() > 0 {
            let entry = Entry::new(AuditAction::AccessTaken, Some(by)).on(channel).to(id.as_str());
            audit::record(&mut transaction, entry).await?;
        }
        transaction.commit().await?;
        Ok(Some(id))
    }

    /// Writes a new link; false if the channel has as many as it may.
    pub async fn add_link(
        &self,
        by: &Actor,
        channel: &ChannelId,
        link: &AccessLink,
        hash: &SecretHash,
        key: &PassKey,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        let added = sqlx::query(
            "INSERT INTO channel_access_links
             (id, channel_id, token_hash, pass_key, label, created_at, expires_at, uses, uses_most)
             SELECT $1, $2, $3, $4, $5, $6, $7, 0, $8
             WHERE (SELECT COUNT(*) FROM channel_access_links WHERE channel_id = $2) < $9",
        )
        .bind(link.id.as_str())
        .bind(channel.as_str())
        .bind(hash.to_hex())
        .bind(key.to_text())
        .bind(link.label.as_str())
        .bind(link.created_at.as_millis())
        .bind(link.expires_at.map(Timestamp::as_millis))
        .bind(link.uses_most.map(i64::from))
        .bind(LINKS_MOST as i64)
        .execute(&mut *transaction)
        .await?;
        if added.rows_affected() == 0 {
            return Ok(false);
        }
        let entry = Entry::new(AuditAction::AccessLinkMade, Some(by)).on(channel).to(link.id.as_str());
        audit::record(&mut transaction, entry.called(link.label.as_str())).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// A channel's links, newest first.
    pub async fn links(&self, channel: &ChannelId, wanted: &Wanted) -> Result<Page<AccessLink>, StoreError> {
        let (at, id) = wanted.before();
        let rows = sqlx::query(
            "SELECT id, label, created_at, expires_at, uses, uses_most FROM channel_access_links
             WHERE channel_id = $1 AND (created_at < $2 OR (created_at = $2 AND id < $3))
             ORDER BY created_at DESC, id DESC LIMIT $4",
        )
        .bind(channel.as_str())
        .bind(at)
        .bind(id)
        .bind(wanted.rows())
        .fetch_all(self.0.pool())
        .await?;
        let links: Result<Vec<AccessLink>, StoreError> = rows.iter().map(link).collect();
        Ok(wanted
            .page(links?, |link| Place { at: link.created_at.as_millis(), id: link.id.as_str().to_owned() }))
    }

    /// How many links a channel has, those that are over counted.
    pub async fn count_links(&self, channel: &ChannelId) -> Result<u32, StoreError> {
        let row = sqlx::query("SELECT COUNT(*) FROM channel_access_links WHERE channel_id = $1")
            .bind(channel.as_str())
            .fetch_one(self.0.pool())
            .await?;
        number(row.try_get(0)?)
    }

    /// Lets somebody in by a link, if it still does: what signs their pass. Of several at once, no more than it is for.
    pub async fn use_link(
        &self,
        channel: &ChannelId,
        hash: &SecretHash,
        now: Timestamp,
    ) -> Result<Option<PassKey>, StoreError> {
        let used = sqlx::query(
            "UPDATE channel_access_links SET uses = uses + 1 WHERE token_hash = $1 AND channel_id = $2
             AND (uses_most IS NULL OR uses < uses_most) AND (expires_at IS NULL OR expires_at > $3)",
        )
        .bind(hash.to_hex())
        .bind(channel.as_str())
        .bind(now.as_millis())
        .execute(self.0.pool())
        .await?;
        if used.rows_affected() == 0 {
            return Ok(None);
        }
        // Revoked in between, it lets nobody in.
        let row = sqlx::query("SELECT pass_key FROM channel_access_links WHERE token_hash = $1")
            .bind(hash.to_hex())
            .fetch_optional(self.0.pool())
            .await?;
        row.map(|row| pass_key(&row.try_get::<String, _>(0)?)).transpose()
    }

    /// Ends a link; whether there was one.
    pub async fn revoke_link(
        &self,
        by: &Actor,
        channel: &ChannelId,
        id: &AccessLinkId,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        let gone =
            sqlx::query("DELETE FROM channel_access_links WHERE channel_id = $1 AND id = $2 RETURNING label")
                .bind(channel.as_str())
                .bind(id.as_str())
                .fetch_optional(&mut *transaction)
                .await?;
        let Some(row) = gone else { return Ok(false) };
        let label: String = row.try_get(0)?;
        let entry = Entry::new(AuditAction::AccessLinkRevoked, Some(by)).on(channel).to(id.as_str());
        audit::record(&mut transaction, entry.called(&label)).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

fn admitted(row: &AnyRow) -> Result<Admitted, StoreError> {
    Ok(Admitted {
        id: column(row, 0)?,
        account: column(row, 1)?,
        name: column(row, 2)?,
        since: time(row, 3)?,
    })
}

fn link(row: &AnyRow) -> Result<AccessLink, StoreError> {
    let (expires_at, uses_most): (Option<i64>, Option<i64>) = (row.try_get(3)?, row.try_get(5)?);
    Ok(AccessLink {
        id: column(row, 0)?,
        label: column(row, 1)?,
        created_at: time(row, 2)?,
        expires_at: expires_at.map(Timestamp::from_millis),
        uses: number(row.try_get(4)?)?,
        uses_most: uses_most.map(number).transpose()?,
    })
}
