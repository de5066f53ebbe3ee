//! A new password for whoever forgot theirs: by a link in a letter, or from the server's shell.
//!
//! Asking is answered before anybody looks whether there is such an account, so that neither the answer nor how long it takes
//! tells. The letter leaves from memory and not from the outbox, as the link would lie in the database in clear there: should the
//! server end before, whoever waits asks again.

pub mod routes;
pub mod rules;
pub mod service;
pub mod store;

use futures_util::future::BoxFuture;
use shared::text::{AccountName, EmailAddress};

/// Sends letters.
pub trait Letters: Send + Sync + 'static {
    /// Whether this server sends any at all.
    fn are_sent(&self) -> bool;

    /// Sends the letter with the link of this token; whether that is settled, and need not be tried again later.
    fn reset<'a>(
        &'a self,
        to: &'a EmailAddress,
        name: &'a AccountName,
        token: &'a str,
    ) -> BoxFuture<'a, bool>;
}
