//! A new password for whoever forgot theirs: by a link in a letter, or from the server's shell.
//!
//! Asking is answered before anybody looks whether there is such an account, so that neither the answer nor how long it takes
//! tells. The letter leaves from an outbox that holds no link: one is made as the letter leaves ([`task`]), and its hash kept, so
//! that none ever lies in the database in clear. One that was taken just before a crash goes once more under the same Message-ID,
//! with another link; both work until one is used.

pub mod routes;
pub mod rules;
pub mod service;
pub mod store;
pub mod task;

use futures_util::future::BoxFuture;
use shared::text::{AccountName, EmailAddress};

/// Sends letters.
pub trait Letters: Send + Sync + 'static {
    /// Whether this server sends any at all.
    fn are_sent(&self) -> bool;

    /// Sends the letter with the link of this token, which is known by an id; whether that is settled, and need not be tried again
    /// later.
    fn reset<'a>(
        &'a self,
        to: &'a EmailAddress,
        name: &'a AccountName,
        token: &'a str,
        id: &'a str,
    ) -> BoxFuture<'a, bool>;
}
