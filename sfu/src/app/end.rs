//! The last seconds of a server, which are counted: whoever told it to end kills it some time.

use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

/// How long the last steps may take.
#[derive(Debug, Clone, Copy)]
pub struct Most {
    /// What is under way finishes by then,
    finish: Duration,
    /// and then the store closes, all of it by then.
    all: Duration,
}

/// After the time to drain.
pub const MOST: Most = Most { finish: Duration::from_secs(8), all: Duration::from_secs(10) };

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    is_finished: bool,
    is_closed: bool,
}

/// Lets what is under way finish, and the store close after it, for as long as there is time.
pub async fn within(most: Most, finish: impl Future<Output = ()>, close: impl Future<Output = ()>) -> Ended {
    let by = Instant::now() + most.all;
    let is_finished = timeout(most.finish, finish).await.is_ok();
    let is_closed = timeout_at(by, close).await.is_ok();
    Ended { is_finished, is_closed }
}

impl Ended {
    /// Says what had to be left.
    pub fn report(self) {
        if !self.is_finished {
            tracing::warn!(seconds = MOST.finish.as_secs(), "some connections were cut: they did not finish");
        }
        if !self.is_closed {
            tracing::warn!("the database was not closed in time; what was acknowledged is in it");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::MOST_DRAIN;
    use std::{
        cell::Cell,
        future::{pending, ready},
    };

    const SOON: Most = Most { finish: Duration::from_millis(5), all: Duration::from_millis(10) };
    /// Never, as far as a test is concerned.
    const LATE: Most = Most { finish: Duration::from_secs(3600), all: Duration::from_secs(7200) };

    #[test]
    fn the_longest_end_is_over_before_a_supervisor_kills() {
        // Kubernetes waits for so long; systemd for three times that.
        assert!(MOST_DRAIN + MOST.all <= Duration::from_secs(30));
        assert!(MOST.finish < MOST.all, "there is time left for the store");
    }

    #[tokio::test]
    async fn a_store_that_never_closes_is_left() {
        assert_eq!(within(SOON, ready(()), pending()).await, Ended { is_finished: true, is_closed: false });
        assert_eq!(within(SOON, pending(), pending()).await, Ended { is_finished: false, is_closed: false });
    }

    #[tokio::test]
    async fn the_store_closes_whatever_did_not_finish() {
        let closed = Cell::new(false);
        let ended = within(SOON, pending(), async { closed.set(true) }).await;
        assert_eq!(ended, Ended { is_finished: false, is_closed: true });
        assert!(closed.get());
    }

    #[tokio::test]
    async fn the_store_closes_after_all_else_and_nobody_waits_longer_than_it_takes() {
        let steps = Cell::new(0);
        let step = |at| {
            assert_eq!(steps.replace(at), at - 1);
        };
        let ended = within(LATE, async { step(1) }, async { step(2) }).await;
        assert_eq!(ended, Ended { is_finished: true, is_closed: true });
        assert_eq!(steps.get(), 2);
    }
}
