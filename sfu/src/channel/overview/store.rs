//! Suspending channels in SQL.

use crate::{
    actor::Actor,
    channel::store::ChannelStore,
    store::{
        StoreError,
        audit::{self, Entry},
    },
};
use shared::{
    account::Role,
    audit::AuditAction,
    id::{AccountId, ChannelId},
    unit::Timestamp,
};
use sqlx::Row;

impl ChannelStore {
    /// What an account may do on the instance.
    pub async fn role_of(&self, account: &AccountId) -> Result<Role, StoreError> {
        let row = sqlx::query("SELECT role FROM accounts WHERE id = $1")
            .bind(account.as_str())
            .fetch_optional(self.0.pool())
            .await?;
        let role = row.map(|row| row.try_get::<String, _>(0)).transpose()?;
        Ok(match role.as_deref() {
            Some("owner") => Role::Owner,
            Some("admin") => Role::Admin,
            // Whoever is gone meanwhile runs nothing.
            _ => Role::Member,
        })
    }

    /// Keeps a channel from publishing and from being watched, or lets it again.
    pub async fn suspend(
        &self,
        by: &Actor,
        channel: &ChannelId,
        since: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        let changed = sqlx::query(match since {
            Some(_) => "UPDATE channels SET suspended_at = $2 WHERE id = $1 AND suspended_at IS NULL",
            None => "UPDATE channels SET suspended_at = $2 WHERE id = $1 AND suspended_at IS NOT NULL",
        })
        .bind(channel.as_str())
        .bind(since.map(Timestamp::as_millis))
        .execute(&mut *transaction)
        .await?;
        // What is so already is no deed, and keeps its time.
        if changed.rows_affected() == 0 {
            return Ok(());
        }
        let action =
            if since.is_some() { AuditAction::ChannelSuspended } else { AuditAction::ChannelRestored };
        audit::record(&mut transaction, Entry::new(action, Some(by)).on(channel)).await?;
        transaction.commit().await?;
        Ok(())
    }
}
