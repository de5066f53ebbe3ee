//! E-mail, step by step.

use super::{
    rules::{self, Letter},
    smtp::{MailError, Smtp},
    store::{DueLetter, MailStore},
};
use crate::{
    actor::Actor,
    fresh,
    limit::{Limiter, Rate},
    notification::{
        rules::{Leave, again, leave},
        store::NotificationStore,
    },
    secret::Secret,
    store::{Store, StoreError},
};
use prometheus_client::{metrics::counter::Counter, registry::Registry};
use shared::{id::AccountId, notification::EmailState, text::EmailAddress, unit::Timestamp};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Letters that ask whether an address is somebody's: nobody's mailbox is filled by that.
const ASKING: Rate = Rate { burst: 3, every: Duration::from_secs(20 * 60) };
/// Where the last try is not written off, it is made again after so many milliseconds.
const LAST_TRY: i64 = 60 * 60 * 1000;

/// Why something was not done about e-mail.
#[derive(Debug, thiserror::Error)]
pub enum EmailError {
    /// No mail server is set.
    #[error("this server sends no e-mail")]
    Unavailable,
    /// Too often.
    #[error("too many letters were asked for")]
    TooMany {
        /// How long to wait.
        wait: Duration,
    },
    /// The mail server didn't take it.
    #[error("the mail server did not take the letter")]
    NotSent,
    /// A link that is over, or none of ours.
    #[error("this link doesn't work any more")]
    StaleLink,
    /// The store could not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The service; cheap to clone.
#[derive(Clone)]
pub struct Mail(Arc<Inner>);

struct Inner {
    store: MailStore,
    notifications: NotificationStore,
    smtp: Option<Smtp>,
    instance: String,
    base_url: String,
    /// What links to unsubscribe are signed with.
    key: [u8; 32],
    since: Instant,
    /// By who asks and by who is asked: nobody's mailbox is filled by many accounts either.
    asking: Mutex<(Limiter<AccountId>, Limiter<String>)>,
    sent: Counter,
    failed: Counter,
}

impl Mail {
    /// On this database, by this mail server if there is one.
    pub fn new(
        store: Store,
        smtp: Option<Smtp>,
        (instance, base_url): (String, String),
        key: [u8; 32],
    ) -> Self {
        Self(Arc::new(Inner {
            store: MailStore::new(store.clone()),
            notifications: NotificationStore::new(store),
            smtp,
            instance,
            base_url,
            key,
            since: Instant::now(),
            asking: Mutex::new((Limiter::new(ASKING), Limiter::new(ASKING))),
            sent: Counter::default(),
            failed: Counter::default(),
        }))
    }

    /// Counts letters there.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("mail_sent", "Letters that the mail server took", self.0.sent.clone());
        registry.register("mail_failed", "Tries at a letter that failed", self.0.failed.clone());
    }

    /// Somebody's address, as they see it.
    pub async fn state(&self, who: &AccountId) -> Result<EmailState, EmailError> {
        let available = self.0.smtp.is_some();
        let nothing = EmailState { available, address: None, confirmed: false, pending: None };
        let known = self.0.store.of(who).await?;
        Ok(known.map_or(nothing, |known| EmailState { available, ..known }))
    }

    /// Takes an address, and asks there whether it is theirs. One that was confirmed before stays until then.
    pub async fn set(
        &self,
        who: &Actor,
        name: &str,
        address: EmailAddress,
    ) -> Result<EmailState, EmailError> {
        let smtp = self.0.smtp.as_ref().ok_or(EmailError::Unavailable)?;
        let known = self.0.store.of(&who.account).await?;
        if known.is_some_and(|known| known.confirmed && known.address.as_ref() == Some(&address)) {
            // Theirs already: what was to take its place doesn't any more.
            self.0.store.keep(&who.account).await?;
            return self.state(&who.account).await;
        }
        let taken = {
            let mut asking = self.0.asking.lock().unwrap_or_else(PoisonError::into_inner);
            let (by, now) = (address.as_str().to_ascii_lowercase(), self.0.since.elapsed());
            asking.0.take(&who.account, now).and_then(|()| asking.1.take(&by, now))
        };
        taken.map_err(|wait| EmailError::TooMany { wait })?;
        let token = Secret::from_random(fresh::bytes());
        self.0.store.put(&who.account, &address, &token.hash(), fresh::now()).await?;
        let letter = rules::confirmation(&self.0.instance, &self.0.base_url, name, &token.reveal());
        self.send(smtp, &address, &fresh::id::<AccountId>().to_string(), &letter).await.map_err(|error| {
            tracing::warn!(%error, "a letter to confirm an address was not sent");
            EmailError::NotSent
        })?;
        self.state(&who.account).await
    }

    /// Whether a mail server is set.
    pub fn is_set(&self) -> bool {
        self.0.smtp.is_some()
    }

    /// Sends a link to a new password in a letter that is known by an id; whether that is settled, and need not be tried again.
    pub async fn reset(&self, to: &EmailAddress, (name, token): (&str, &str), id: &str) -> bool {
        let Some(smtp) = &self.0.smtp else { return true };
        let letter = rules::password_reset(&self.0.instance, &self.0.base_url, name, token);
        match self.send(smtp, to, id, &letter).await {
            Ok(()) => true,
            Err(MailError::Refused(error)) => {
                tracing::warn!(%error, "a letter for a new password was refused");
                true
            }
            Err(MailError::Later(error)) => {
                tracing::debug!(%error, "a letter for a new password waits for the mail server");
                false
            }
        }
    }

    /// Takes an address as its owner's.
    pub async fn confirm(&self, token: &str) -> Result<(), EmailError> {
        let token = Secret::parse(token.trim()).ok_or(EmailError::StaleLink)?;
        let done = self.0.store.confirm(&token.hash(), fresh::now()).await?;
        if done { Ok(()) } else { Err(EmailError::StaleLink) }
    }

    /// Forgets somebody's address.
    pub async fn remove(&self, who: &Actor) -> Result<EmailState, EmailError> {
        self.0.store.remove(&who.account).await?;
        self.state(&who.account).await
    }

    /// No more e-mail of some kinds for one person, by the link in a letter. What waits doesn't go either.
    pub async fn unsubscribe(&self, token: &str) -> Result<(), EmailError> {
        let (account, kinds) = rules::unsubscribed(&self.0.key, token.trim()).ok_or(EmailError::StaleLink)?;
        let known = self.0.notifications.preferences(&account).await?;
        let mut preferences = known.ok_or(EmailError::StaleLink)?;
        for kind in kinds {
            preferences.ways_mut(kind).email = false;
        }
        Ok(self.0.notifications.set_preferences(&account, &preferences, fresh::now()).await?)
    }

    async fn send(&self, smtp: &Smtp, to: &EmailAddress, id: &str, letter: &Letter) -> Result<(), MailError> {
        let sent = smtp.send(to, id, letter).await;
        let counter = if sent.is_ok() { &self.0.sent } else { &self.0.failed };
        counter.inc();
        sent
    }

    /// Sends the next letter that is due; whether there was one.
    pub async fn deliver_next(&self, now: Timestamp) -> Result<bool, StoreError> {
        let Some(smtp) = &self.0.smtp else { return Ok(false) };
        let Some(due) = self.0.store.due(now).await? else { return Ok(false) };
        let DueLetter { account, address, letter, lines, tries, preferences } = due;
        let (mut ids, mut wanted, mut unwanted, mut asleep) = (Vec::new(), Vec::new(), Vec::new(), None);
        for (id, line) in lines {
            match leave(&preferences, preferences.ways(line.kind).email, now) {
                Leave::Never => unwanted.push(id),
                rest => {
                    if let Leave::At(then) = rest {
                        asleep = Some(then);
                    }
                    ids.push(id);
                    wanted.push(line);
                }
            }
        }
        self.0.store.done(&unwanted).await?;
        if let Some(then) = asleep {
            self.0.store.later(&ids, tries, then).await?;
            return Ok(true);
        }
        if ids.is_empty() {
            return Ok(true);
        }
        let id = match letter {
            Some(letter) => letter,
            None => self.0.store.seal(&ids).await?,
        };
        let letter = rules::letter(&self.0.instance, &self.0.base_url, &self.0.key, &account, &wanted);
        // The try is written first: where nothing can be written, nothing is sent, instead of the same again and again.
        let due = again(tries + 1, now);
        let later = due.unwrap_or_else(|| Timestamp::from_millis(now.as_millis() + LAST_TRY));
        self.0.store.later(&ids, tries + 1, later).await?;
        match self.send(smtp, &address, &id, &letter).await {
            Ok(()) => self.0.store.done(&ids).await?,
            Err(MailError::Refused(error)) => {
                tracing::warn!(%error, account = %account, "a letter was refused");
                self.0.store.done(&ids).await?;
            }
            Err(MailError::Later(error)) => match due {
                Some(_) => tracing::debug!(%error, "a letter waits for the mail server"),
                None => {
                    tracing::warn!(%error, account = %account, "a letter was given up after many tries");
                    self.0.store.done(&ids).await?;
                }
            },
        }
        Ok(true)
    }

    /// When the next letter may leave.
    pub async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        if self.0.smtp.is_none() { Ok(None) } else { self.0.store.next_due(now).await }
    }
}
