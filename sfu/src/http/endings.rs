//! Word that somebody's logins or tokens ended, for those who serve them long after they asked.

use shared::id::AccountId;
use std::{
    collections::HashMap,
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;

type People = HashMap<AccountId, watch::Sender<()>>;

/// Everybody's; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Endings(Arc<Mutex<People>>);

/// One person's, for one who follows them.
#[derive(Debug)]
pub struct EndingsOf {
    account: AccountId,
    word: watch::Receiver<()>,
    all: Endings,
}

impl Endings {
    fn people(&self) -> MutexGuard<'_, People> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Follows a person's. What ended before is not told: ask once what still holds.
    pub fn of(&self, account: &AccountId) -> EndingsOf {
        let word = self.people().entry(account.clone()).or_default().subscribe();
        EndingsOf { account: account.clone(), word, all: self.clone() }
    }

    /// Some of a person's logins or tokens ended, or may do something else from now on; it is on disk.
    pub fn tell(&self, account: &AccountId) {
        if let Some(person) = self.people().get(account) {
            person.send_replace(());
        }
    }
}

impl EndingsOf {
    /// Waits until some ended. May be dropped while it waits, and asked again.
    pub async fn told(&mut self) {
        // The other end is kept for as long as this one.
        if self.word.changed().await.is_err() {
            pending().await
        }
    }
}

impl Drop for EndingsOf {
    fn drop(&mut self) {
        let mut people = self.all.people();
        // This one's own receiver is still counted.
        if people.get(&self.account).is_some_and(|person| person.receiver_count() <= 1) {
            people.remove(&self.account);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn word_reaches_those_who_follow_that_person_and_nobody_is_kept() {
        let (ada, ben) = ("ada".parse().unwrap(), "ben".parse().unwrap());
        let all = Endings::default();
        all.tell(&ada);
        let (mut one, mut other, mut bens) = (all.of(&ada), all.of(&ada), all.of(&ben));
        assert!(one.told().now_or_never().is_none(), "it was before");
        all.tell(&ada);
        assert!(one.told().now_or_never().is_some() && other.told().now_or_never().is_some());
        assert!(one.told().now_or_never().is_none(), "once");
        assert!(bens.told().now_or_never().is_none());
        drop(one);
        all.tell(&ada);
        assert!(other.told().now_or_never().is_some());
        drop((other, bens));
        assert!(all.people().is_empty());
    }
}
