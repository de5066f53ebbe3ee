//! What a channel's page shows, step by step.

use super::{Place, markdown, schedule, store::PageStore};
use crate::{
    actor::{Actor, Visitor},
    channel::service::{ChannelError, Channels},
    fresh,
    limit::{Limiter, Rate},
    permission::Permission,
    portrait::{self, Portrait, PortraitError},
    secret::hex,
    settle::settle,
    store::{Store, StoreError},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use shared::{
    channel::{About, Channel},
    id::{AccountId, ChannelName},
    schedule::{ENTRIES_MOST, Schedule, SetSchedule},
    text::AboutText,
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::Semaphore;

/// Pictures that are made at once: each takes memory by its pixels.
static MAKING: Semaphore = Semaphore::const_new(1);
/// Those that are made or wait for it, as what waits takes memory, too.
static INSIDE: Semaphore = Semaphore::const_new(4);
/// How often one person uploads pictures.
const UPLOADS: Rate = Rate { burst: 20, every: Duration::from_secs(15) };

/// Why a page was left as it is.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The picture isn't in base64.
    #[error("the picture is not in base64")]
    NotBase64,
    /// No picture is made of the file.
    #[error(transparent)]
    Picture(#[from] PortraitError),
    /// Too many pictures in a short time.
    #[error("too many pictures: wait before the next")]
    TooMany {
        /// How long.
        wait: Duration,
    },
    /// Many pictures are made at this moment.
    #[error("too many pictures are made at once")]
    Busy,
    /// More is planned than a schedule has room for.
    #[error("a schedule has at most {ENTRIES_MOST} entries")]
    TooManyEntries,
    /// There is no such time zone.
    #[error("there is no such time zone")]
    UnknownZone,
}

/// What pages need beside channels.
#[derive(Clone)]
pub struct Page {
    store: PageStore,
    since: Instant,
    uploads: Arc<Mutex<Limiter<AccountId>>>,
}

impl Page {
    /// On this database.
    pub fn new(store: Store) -> Self {
        let uploads = Arc::new(Mutex::new(Limiter::new(UPLOADS)));
        Self { store: PageStore::new(store), since: Instant::now(), uploads }
    }

    fn take_upload(&self, who: &Actor) -> Result<(), PageError> {
        let mut uploads = self.uploads.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = uploads.take(&who.account, self.since.elapsed());
        taken.map_err(|wait| PageError::TooMany { wait })
    }

    /// Makes a picture for a place of what somebody uploads.
    async fn made(&self, who: &Actor, place: Place, image: &str) -> Result<Portrait, PageError> {
        // Four letters of base64 are three bytes.
        if image.len() / 4 * 3 > portrait::BYTES_MOST + 3 {
            return Err(PortraitError::TooLarge.into());
        }
        self.take_upload(who)?;
        let inside = INSIDE.try_acquire().map_err(|_| PageError::Busy)?;
        let file = STANDARD.decode(image.trim()).map_err(|_| PageError::NotBase64)?;
        let permit = MAKING.acquire().await.map_err(|_| PageError::Busy)?;
        let made = tokio::task::spawn_blocking(move || {
            // Held by the work itself: who goes away makes no room.
            let _permits = (permit, inside);
            match place {
                Place::Avatar => portrait::portrait(&file),
                Place::Banner => portrait::banner(&file),
            }
        });
        Ok(made.await.map_err(|_| PortraitError::Broken)??)
    }
}

impl Channels {
    /// What a channel tells of itself at length.
    pub async fn about(&self, who: Visitor<'_>, name: &ChannelName) -> Result<About, ChannelError> {
        let record = self.seen(who, name).await?;
        let text = self.page.store.about(&record.channel.id).await?;
        Ok(About { blocks: markdown::blocks(text.as_str()), text })
    }

    /// What a text would become.
    pub async fn preview_about(
        &self,
        who: &Actor,
        name: &ChannelName,
        text: AboutText,
    ) -> Result<About, ChannelError> {
        self.allowed(who, name, Permission::EditChannel).await?;
        Ok(About { blocks: markdown::blocks(text.as_str()), text })
    }

    /// What a channel plans, and when that is next.
    pub async fn schedule(&self, who: Visitor<'_>, name: &ChannelName) -> Result<Schedule, ChannelError> {
        let record = self.seen(who, name).await?;
        Ok(told(self.page.store.schedule(&record.channel.id).await?))
    }

    /// Another plan in the place of the one that was.
    pub async fn set_schedule(
        &self,
        who: &Actor,
        name: &ChannelName,
        mut plan: SetSchedule,
    ) -> Result<Schedule, ChannelError> {
        let record = self.allowed(who, name, Permission::EditChannel).await?;
        if plan.entries.len() > ENTRIES_MOST {
            return Err(PageError::TooManyEntries.into());
        }
        (plan.time_zone, _) = schedule::zone(&plan.time_zone).ok_or(PageError::UnknownZone)?;
        let (channels, by) = (self.clone(), who.clone());
        settle(async move {
            channels.page.store.set_schedule(&by, &record.channel.id, &plan).await?;
            channels.ports.announce.edited(&record.channel.name);
            Ok(told(plan))
        })
        .await
    }

    /// Makes a picture of what is uploaded, and puts it in its place.
    pub async fn set_picture(
        &self,
        who: &Actor,
        name: &ChannelName,
        place: Place,
        image: &str,
    ) -> Result<Channel, ChannelError> {
        let record = self.allowed(who, name, Permission::EditChannel).await?;
        let made = self.page.made(who, place, image).await?;
        let hash = hex(Sha256::digest(&made.bytes));
        let (channels, by) = (self.clone(), who.clone());
        settle(async move {
            let of = (&record.channel.id, place);
            let written = channels.page.store.set_picture(&by, of, (&hash, &made)).await;
            channels.pictured(&record.channel, written).await
        })
        .await
    }

    /// Takes a picture away.
    pub async fn remove_picture(
        &self,
        who: &Actor,
        name: &ChannelName,
        place: Place,
    ) -> Result<Channel, ChannelError> {
        let record = self.allowed(who, name, Permission::EditChannel).await?;
        let (channels, by) = (self.clone(), who.clone());
        settle(async move {
            let written = channels.page.store.remove_picture(&by, (&record.channel.id, place)).await;
            channels.pictured(&record.channel, written).await
        })
        .await
    }

    /// Tells everybody of a channel that has another picture, or forgets what it may have now.
    async fn pictured(
        &self,
        before: &Channel,
        written: Result<(), StoreError>,
    ) -> Result<Channel, ChannelError> {
        self.cache.forget(&before.name);
        written?;
        self.ports.announce.edited(&before.name);
        let record = self.record(&before.name).await?.ok_or(ChannelError::Unknown)?;
        Ok(record.channel.clone())
    }

    /// A channel's picture by its hash, which nobody knows who wasn't told of the channel.
    pub async fn picture(&self, hash: &str) -> Result<Option<Portrait>, StoreError> {
        if hash.len() != 64 { Ok(None) } else { self.page.store.picture(hash).await }
    }
}

/// A plan with what is next.
fn told(plan: SetSchedule) -> Schedule {
    let now = fresh::now();
    let next = schedule::next(&plan, now);
    let SetSchedule { time_zone, entries } = plan;
    Schedule { time_zone, entries, next, server_time: now }
}
