//! Gift codes in SQL.

use crate::{
    actor::Actor,
    page::{Place, Wanted},
    secret::SecretHash,
    social::subscription::store::{column, number, tier, time},
    store::{
        Store, StoreError,
        audit::{self, Entry},
    },
};
use shared::{
    audit::AuditAction,
    id::{AccountId, ChannelId, GiftBatchId},
    page::Page,
    subscription::{BATCHES_MOST, GiftBatch, Tier},
    unit::Timestamp,
};
use sqlx::{Row, any::AnyRow};

/// Reads and writes gift codes.
#[derive(Debug, Clone)]
pub struct GiftStore(Store);

/// What a code is to somebody who shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// They redeemed it, now or before.
    Theirs {
        /// Where.
        channel: ChannelId,
        /// How much it brings.
        tier: Tier,
        /// For how many days.
        days: u32,
    },
    /// Somebody else did.
    Others,
    /// Nobody did in time.
    Over,
    /// There is none, or it was withdrawn.
    Nothing,
}

impl GiftStore {
    /// On this database.
    pub fn new(store: Store) -> Self {
        Self(store)
    }

    /// Writes a batch and its codes, all or nothing; false if the channel has as many as it may.
    pub async fn add(
        &self,
        by: &Actor,
        channel: &ChannelId,
        batch: &GiftBatch,
        codes: &[SecretHash],
    ) -> Result<bool, StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        let added = sqlx::query(
            "INSERT INTO gift_batches (id, channel_id, label, tier, days, count, created_at, expires_at)
             SELECT $1, $2, $3, $4, $5, $6, $7, $8
             WHERE (SELECT COUNT(*) FROM gift_batches WHERE channel_id = $2) < $9",
        )
        .bind(batch.id.as_str())
        .bind(channel.as_str())
        .bind(batch.label.as_str())
        .bind(i64::from(batch.tier.number()))
        .bind(i64::from(batch.days))
        .bind(i64::from(batch.count))
        .bind(batch.created_at.as_millis())
        .bind(batch.expires_at.as_millis())
        .bind(i64::from(BATCHES_MOST))
        .execute(&mut *transaction)
        .await?;
        if added.rows_affected() == 0 {
            return Ok(false);
        }
        for code in codes {
            sqlx::query("INSERT INTO gift_codes (code_hash, batch_id) VALUES ($1, $2)")
                .bind(code.to_hex())
                .bind(batch.id.as_str())
                .execute(&mut *transaction)
                .await?;
        }
        let entry = Entry::new(AuditAction::GiftCodesMade, Some(by)).on(channel).to(batch.id.as_str());
        let words = format!("{} of tier {} for {} days", batch.count, batch.tier.number(), batch.days);
        audit::record(&mut transaction, entry.called(batch.label.as_str()).saying(words)).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Redeems a code for somebody, if it is anybody's to redeem. Of several at once, one does.
    pub async fn redeem(
        &self,
        code: &SecretHash,
        who: &AccountId,
        now: Timestamp,
    ) -> Result<Found, StoreError> {
        sqlx::query(
            "UPDATE gift_codes SET redeemed_by = $2, redeemed_at = $3
             WHERE code_hash = $1 AND redeemed_at IS NULL AND EXISTS
             (SELECT 1 FROM gift_batches WHERE gift_batches.id = gift_codes.batch_id AND gift_batches.expires_at > $3)",
        )
        .bind(code.to_hex())
        .bind(who.as_str())
        .bind(now.as_millis())
        .execute(self.0.pool())
        .await?;
        // Whoever redeemed it before is told the same again, as the answer may have got lost.
        let row = sqlx::query(
            "SELECT gift_batches.channel_id, gift_batches.tier, gift_batches.days, gift_codes.redeemed_by,
             gift_codes.redeemed_at
             FROM gift_codes JOIN gift_batches ON gift_batches.id = gift_codes.batch_id
             WHERE gift_codes.code_hash = $1",
        )
        .bind(code.to_hex())
        .fetch_optional(self.0.pool())
        .await?;
        let Some(row) = row else { return Ok(Found::Nothing) };
        let (by, at): (Option<String>, Option<i64>) = (row.try_get(3)?, row.try_get(4)?);
        Ok(match (by, at) {
            (Some(by), _) if by == who.as_str() => {
                Found::Theirs { channel: column(&row, 0)?, tier: tier(&row, 1)?, days: number(&row, 2)? }
            }
            (_, Some(_)) => Found::Others,
            (_, None) => Found::Over,
        })
    }

    /// A channel's batches, newest first.
    pub async fn batches(&self, channel: &ChannelId, wanted: &Wanted) -> Result<Page<GiftBatch>, StoreError> {
        let (at, id) = wanted.before();
        let rows = sqlx::query(
            "SELECT id, label, tier, days, count, created_at, expires_at,
             (SELECT COUNT(*) FROM gift_codes WHERE batch_id = gift_batches.id AND redeemed_at IS NOT NULL)
             FROM gift_batches WHERE channel_id = $1 AND (created_at < $2 OR (created_at = $2 AND id < $3))
             ORDER BY created_at DESC, id DESC LIMIT $4",
        )
        .bind(channel.as_str())
        .bind(at)
        .bind(id)
        .bind(wanted.rows())
        .fetch_all(self.0.pool())
        .await?;
        let batches: Result<Vec<GiftBatch>, StoreError> = rows.iter().map(batch).collect();
        Ok(wanted.page(batches?, |batch| Place {
            at: batch.created_at.as_millis(),
            id: batch.id.as_str().to_owned(),
        }))
    }

    /// Withdraws what nobody redeemed of a batch; whether there is such a batch. Deleted, and not only over, so that no clock that is
    /// set back brings it back.
    pub async fn withdraw(
        &self,
        by: &Actor,
        channel: &ChannelId,
        id: &GiftBatchId,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        sqlx::query(
            "DELETE FROM gift_codes WHERE redeemed_at IS NULL
             AND batch_id IN (SELECT id FROM gift_batches WHERE id = $1 AND channel_id = $2)",
        )
        .bind(id.as_str())
        .bind(channel.as_str())
        .execute(&mut *transaction)
        .await?;
        let done = sqlx::query(
            "UPDATE gift_batches SET count = (SELECT COUNT(*) FROM gift_codes WHERE batch_id = gift_batches.id)
             WHERE id = $1 AND channel_id = $2 RETURNING label",
        )
        .bind(id.as_str())
        .bind(channel.as_str())
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(row) = done else { return Ok(false) };
        let label: String = row.try_get(0)?;
        let entry = Entry::new(AuditAction::GiftCodesWithdrawn, Some(by)).on(channel).to(id.as_str());
        audit::record(&mut transaction, entry.called(&label)).await?;
        sqlx::query("DELETE FROM gift_batches WHERE id = $1 AND channel_id = $2 AND count = 0")
            .bind(id.as_str())
            .bind(channel.as_str())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(true)
    }
}

fn batch(row: &AnyRow) -> Result<GiftBatch, StoreError> {
    Ok(GiftBatch {
        id: column(row, 0)?,
        label: column(row, 1)?,
        tier: tier(row, 2)?,
        days: number(row, 3)?,
        count: number(row, 4)?,
        created_at: time(row, 5)?,
        expires_at: time(row, 6)?,
        redeemed: number(row, 7)?,
    })
}
