//! VIPs in SQL.

use crate::{
    chat::store::column,
    store::{Store, StoreError},
};
use shared::{
    id::{AccountId, ChannelId},
    moderation::Moderator,
    unit::Timestamp,
};
use sqlx::any::AnyRow;

/// Reads and writes them; cheap to clone.
#[derive(Debug, Clone)]
pub struct VipStore(Store);

impl VipStore {
    /// On this database.
    pub fn new(store: Store) -> Self {
        Self(store)
    }

    /// Whether somebody is one.
    pub async fn is(&self, channel: &ChannelId, account: &AccountId) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT 1 FROM chat_vips WHERE channel_id = $1 AND account_id = $2")
            .bind(channel.as_str())
            .bind(account.as_str())
            .fetch_optional(self.0.pool())
            .await?;
        Ok(row.is_some())
    }

    /// Makes somebody one, or takes that away; whether it changed anything.
    pub async fn set(
        &self,
        channel: &ChannelId,
        account: &AccountId,
        is_vip: bool,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let query = match is_vip {
            true => sqlx::query(
                "INSERT INTO chat_vips (channel_id, account_id, added_at) VALUES ($1, $2, $3)
                 ON CONFLICT (channel_id, account_id) DO NOTHING",
            )
            .bind(channel.as_str())
            .bind(account.as_str())
            .bind(at.as_millis()),
            false => sqlx::query("DELETE FROM chat_vips WHERE channel_id = $1 AND account_id = $2")
                .bind(channel.as_str())
                .bind(account.as_str()),
        };
        Ok(query.execute(self.0.pool()).await?.rows_affected() > 0)
    }

    /// A channel's, by what they sign in with.
    pub async fn list(
        &self,
        channel: &ChannelId,
        after: &str,
        most: usize,
    ) -> Result<Vec<Moderator>, StoreError> {
        let rows = sqlx::query(
            "SELECT accounts.id, accounts.name, accounts.display_name
             FROM chat_vips JOIN accounts ON accounts.id = chat_vips.account_id
             WHERE chat_vips.channel_id = $1 AND accounts.name > $2 ORDER BY accounts.name LIMIT $3",
        )
        .bind(channel.as_str())
        .bind(after)
        .bind(most as i64)
        .fetch_all(self.0.pool())
        .await?;
        let one = |row: &AnyRow| {
            Ok(Moderator { id: column(row, 0)?, account: column(row, 1)?, name: column(row, 2)? })
        };
        rows.iter().map(one).collect()
    }
}
