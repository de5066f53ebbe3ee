//! The task that sends letters with links to new passwords: one at a time, as mail servers like it.

use super::{Letters, rules, store::DueLetter};
use crate::{account::service::Accounts, fresh, secret::Secret, store::StoreError};
use shared::unit::Timestamp;
use std::time::Duration;
use tokio::{sync::watch, time::sleep};

/// The outbox is looked into at least so often.
const LOOK: Duration = Duration::from_secs(60);
/// When the database can't be read, it is tried again after this.
const AGAIN: Duration = Duration::from_secs(5);

/// Sends letters as they are due, until the server stops.
pub async fn run(accounts: Accounts, mut stopping: watch::Receiver<bool>) {
    let Some(letters) = accounts.letters.clone().filter(|letters| letters.are_sent()) else { return };
    loop {
        let wait = match send_next(&accounts, letters.as_ref()).await {
            Ok(None) => Duration::ZERO,
            Ok(Some(wait)) => wait.min(LOOK),
            Err(error) => {
                tracing::warn!(%error, "letters for new passwords can't be read, or what became of one was not written");
                AGAIN
            }
        };
        if *stopping.borrow() {
            return;
        }
        if wait.is_zero() {
            continue;
        }
        tokio::select! {
            () = sleep(wait) => {}
            () = accounts.resets.queued() => {}
            _ = stopping.wait_for(|stopping| *stopping) => return,
        }
    }
}

/// Sends the next letter that is due; if there is none, how long until there is.
async fn send_next(accounts: &Accounts, letters: &dyn Letters) -> Result<Option<Duration>, StoreError> {
    let now = fresh::now();
    let Some(due) = accounts.resets.due_letter(now).await? else {
        accounts.resets.forget_letters(now).await?;
        let next = accounts.resets.next_letter(now).await?;
        return Ok(Some(next.map_or(LOOK, |next| next.since(now).max(Duration::from_millis(100)))));
    };
    let DueLetter { id, account, name, address, tries } = due;
    let secret = Secret::from_random(fresh::bytes());
    let again = rules::again(tries.saturating_add(1));
    // The try is written first: where nothing can be written, nothing is sent, instead of the same again and again. What a try
    // before this one may have brought goes on working.
    let later = Timestamp::from_millis(now.as_millis() + again.unwrap_or(LOOK * 60).as_millis() as i64);
    let link = (secret.hash(), rules::expires(now));
    if !accounts.resets.letter_leaves(&id, &account, &link, (now, later)).await? {
        return Ok(None);
    }
    let is_settled = letters.reset(&address, &name, &secret.reveal(), &id).await;
    if is_settled || again.is_none() {
        if !is_settled {
            tracing::warn!(%account, "a letter for a new password was given up after several tries");
        }
        accounts.resets.letter_done(&id).await?;
    }
    Ok(None)
}
