//! What channels are called: nobody's may be taken for somebody else's.

mod service;

pub(super) use self::service::Naming;

use crate::store::StoreError;
use futures_util::future::BoxFuture;
use shared::{id::AccountId, text::DisplayName};
use std::sync::Arc;

/// The names of everybody else, and what makes two of them look alike.
pub trait Names: Send + Sync + 'static {
    /// Every account's names but one's, those to sign in with and those that people read.
    fn of_accounts_but<'a>(
        &'a self,
        account: Option<&'a AccountId>,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>>;

    /// Whether a name is too much like one of these, or can't be shown.
    fn is_unfit<'a>(&'a self, name: &'a DisplayName, others: &'a Arc<[String]>) -> BoxFuture<'a, bool>;
}
