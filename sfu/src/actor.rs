//! Who asks, in the words that every capability's rules share.

use shared::{account::Role, id::AccountId};

/// A signed-in person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Their account.
    pub account: AccountId,
    /// What it may do on this instance.
    pub role: Role,
}
