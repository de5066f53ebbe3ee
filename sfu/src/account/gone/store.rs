//! Deleting accounts in SQL.

use crate::{
    account::store::AccountStore,
    actor::Actor,
    store::{StoreError, erase},
};
use shared::id::AccountId;

impl AccountStore {
    /// Deletes an account with its channels and all that is its own; false if there is none, or it is the last that runs the
    /// instance.
    pub(super) async fn delete(&self, by: &Actor, account: &AccountId) -> Result<bool, StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        if !erase::account(&mut transaction, Some(by), account).await? {
            return Ok(false);
        }
        transaction.commit().await?;
        Ok(true)
    }
}
