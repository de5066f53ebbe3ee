//! Deleting channels in SQL.

use crate::{
    actor::Actor,
    channel::store::ChannelStore,
    store::{StoreError, erase},
};
use shared::id::ChannelId;

impl ChannelStore {
    /// Deletes a channel with all that is its own; whether there was one.
    pub async fn delete(&self, by: Option<&Actor>, channel: &ChannelId) -> Result<bool, StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        if !erase::channel(&mut transaction, by, channel, false).await? {
            return Ok(false);
        }
        transaction.commit().await?;
        Ok(true)
    }
}
