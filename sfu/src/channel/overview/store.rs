//! Suspending channels in SQL.

use crate::{
    actor::Actor,
    channel::store::ChannelStore,
    store::{
        StoreError,
        audit::{self, Entry},
    },
};
use shared::{audit::AuditAction, id::ChannelId, unit::Timestamp};

impl ChannelStore {
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
