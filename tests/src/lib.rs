//! Weir end to end: a real server process, and peers that talk to it over real sockets.
//!
//! What the tests in `tests/` share: [`server::Weir`] guards a process, [`http`] and [`events`] speak to its one port as
//! any client would, and [`peer::Peer`] is a small WHIP publisher or WHEP viewer without a browser around it.

pub mod attacker;
pub mod authenticator;
pub mod chat;
pub mod events;
pub mod http;
pub mod link;
pub mod lock;
pub mod mail;
pub mod mmdb;
pub mod oidc;
pub mod peer;
pub mod push;
pub mod receiver;
pub mod relay;
pub mod server;
pub mod simulcast;
pub mod vp8;

use std::time::{Duration, Instant};

/// How often something that can't be awaited is asked.
const POLLING: Duration = Duration::from_millis(20);

/// Asks until there is an answer.
///
/// # Panics
/// When `timeout` has passed without one.
pub fn eventually<T>(what: &str, timeout: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + timeout;
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}: not within {timeout:?}");
        std::thread::sleep(POLLING);
    }
}
