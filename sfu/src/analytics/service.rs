//! What is asked of analytics, and what is told to it.

use super::{
    ChatSource, ChatTotal, Owners,
    statements::{Batch, Fact, Refused, Statements},
    store::{AnalyticsStore, Listed},
    tally::{self, Chat, Figures, Tally, seconds},
};
use crate::{
    actor::Actor,
    http::problem::ProblemResponse,
    page::{Place, Wanted},
    store::StoreError,
};
use axum::http::StatusCode;
use prometheus_client::{metrics::counter::Counter, registry::Registry};
use shared::{
    analytics::{BroadcastAnalytics, BroadcastSummary, InstanceAnalytics, Share, ViewReport},
    id::{BroadcastId, ChannelId, ViewId},
    live::LiveAnalytics,
    page::Page,
    unit::{Seconds, Timestamp},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::{
    sync::{Mutex as AsyncMutex, Notify, Semaphore, watch},
    time::{MissedTickBehavior, interval, sleep, timeout},
};

/// Reports that come within this time are written together.
const GATHER: Duration = Duration::from_millis(100);
/// How long after a failed write the next is tried.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// How long a report waits to be on disk before its player is told that it isn't.
const PATIENCE: Duration = Duration::from_secs(5);
/// Tallies at a time: each holds all views of a broadcast in memory.
const TALLIES: usize = 2;
/// Working out a broadcast's figures takes at most one part in so many of a core's time, however many ask: of a huge one that
/// is on all are told the same for some seconds.
const PACE: u32 = 10;
/// Broadcasts whose tallies are kept for that; a day's timeline is 350 KB.
const KEPT_MOST: usize = 32;
/// How long the tally of a broadcast that is over is told again, once no more is said of it. What moderators do to its chat
/// shows after this.
const OVER_KEPT: Duration = Duration::from_secs(10 * 60);
/// Steps of the timeline that the topic tells: a minute.
const TOPIC_STEPS: usize = 12;

/// The service; cheap to clone.
#[derive(Clone)]
pub struct Analytics(Arc<Inner>);

struct Inner {
    store: AnalyticsStore,
    owners: Arc<dyn Owners>,
    chat: Arc<dyn ChatSource>,
    desk: Desk,
    tallies: Semaphore,
    /// Tallies that were worked out, and when each was last asked for.
    kept: Mutex<HashMap<BroadcastId, (Instant, Slot)>>,
}

/// Where a broadcast's tally is. Who holds it works it out; others wait for that.
type Slot = Arc<AsyncMutex<Option<Kept>>>;

/// A tally that is told again while working it out anew would cost too much.
struct Kept {
    /// When its evidence was read.
    at: Instant,
    /// How long it is told.
    lasts: Duration,
    ended_at: Option<Timestamp>,
    tally: Arc<Tally>,
    until: Timestamp,
}

/// Takes what happens and what players say. It knows no port, so that the media plane can have it first.
#[derive(Clone)]
pub struct Desk(Arc<DeskInner>);

struct DeskInner {
    store: AnalyticsStore,
    statements: Mutex<Statements>,
    since: Instant,
    arrived: Notify,
    /// A batch that could not be written yet. Who holds this writes.
    pending: AsyncMutex<Option<Batch>>,
    /// The last report that is on disk.
    written: watch::Sender<u64>,
    dropped: Counter,
}

impl Desk {
    /// On this database. Starts to write what comes.
    pub fn start(store: AnalyticsStore) -> Self {
        let desk = Self(Arc::new(DeskInner {
            store,
            statements: Mutex::default(),
            since: Instant::now(),
            arrived: Notify::new(),
            pending: AsyncMutex::default(),
            written: watch::Sender::new(0),
            dropped: Counter::default(),
        }));
        tokio::spawn(desk.clone().run());
        desk
    }

    /// Adds its metrics.
    pub fn register(&self, registry: &mut Registry) {
        let help = "Views' reports and steps of time that were dropped because they could not be written";
        registry.register("reports_dropped", help, self.0.dropped.clone());
    }

    /// Hears of something that happened. Doesn't wait for anything.
    pub fn heed(&self, fact: Fact) {
        let now = self.0.since.elapsed();
        self.statements().heed(fact, now);
    }

    fn statements(&self) -> MutexGuard<'_, Statements> {
        self.0.statements.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn run(self) {
        let mut second = interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_failing = false;
        loop {
            tokio::select! {
                () = self.0.arrived.notified() => {}
                _ = second.tick() => {
                    let now = self.0.since.elapsed();
                    let mut statements = self.statements();
                    statements.tick(now);
                    if !statements.is_dirty() {
                        continue;
                    }
                }
            }
            sleep(GATHER).await;
            while let Err(error) = self.flush().await {
                if !std::mem::replace(&mut is_failing, true) {
                    tracing::error!(%error, "players' reports can't be written down; trying again each second");
                }
                sleep(RETRY_AFTER).await;
                self.statements().tick(self.0.since.elapsed());
            }
            if std::mem::take(&mut is_failing) {
                tracing::info!("players' reports are written down again");
            }
        }
    }

    /// Whether everything that will ever be said of a broadcast that is over is on disk.
    fn is_settled(&self, broadcast: &BroadcastId) -> bool {
        // A batch that is being written is in neither.
        let is_idle = self.0.pending.try_lock().is_ok_and(|pending| pending.is_none());
        is_idle && !self.statements().may_change(broadcast)
    }

    /// Writes what waits to be written.
    pub async fn flush(&self) -> Result<(), StoreError> {
        let flushed = self.try_flush().await;
        let dropped = self.statements().take_dropped();
        if dropped > 0 && self.0.dropped.inc_by(dropped) == 0 {
            tracing::error!(
                dropped,
                "players' reports are dropped, as they can't be written; from now on the metrics say it"
            );
        }
        flushed
    }

    async fn try_flush(&self) -> Result<(), StoreError> {
        let mut pending = self.0.pending.lock().await;
        let batch = pending.take().unwrap_or_else(|| self.statements().take());
        if !batch.is_empty() {
            match self.0.store.write(&batch).await {
                Ok(early) => self.statements().put_back(early, self.0.since.elapsed()),
                Err(error) => {
                    *pending = Some(batch);
                    return Err(error);
                }
            }
        }
        self.0.written.send_replace(batch.ticket);
        Ok(())
    }

    /// Takes a player's report of a view; it is on disk when this returns. `own` is the origin of Weir's own pages.
    pub async fn report(&self, view: &ViewId, report: &ViewReport, own: &str) -> Result<(), ReportError> {
        let taken = || self.statements().report(view, report, own, self.0.since.elapsed());
        let mut outcome = taken();
        if outcome == Err(Refused::Unread) {
            let known = self.0.store.statement(view).await?;
            self.statements().read(view, known);
            outcome = taken();
        }
        let ticket = outcome.map_err(|refused| match refused {
            Refused::Unknown | Refused::Unread => ReportError::Unknown,
            Refused::TooMany { after } => ReportError::TooMany { after },
        })?;
        self.0.arrived.notify_one();
        let mut written = self.0.written.subscribe();
        // A view that isn't written yet has no report on disk either.
        let is_done = |written: &u64| *written >= ticket && self.statements().is_written(view);
        match timeout(PATIENCE, written.wait_for(is_done)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(ReportError::Store(StoreError::Busy)),
        }
    }
}

/// Why a report is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// No such view is watched, or was a minute ago.
    #[error("there is no such view")]
    Unknown,
    /// Too often.
    #[error("too many reports")]
    TooMany {
        /// When it may again.
        after: Duration,
    },
    /// It could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub enum AnalyticsError {
    /// No such broadcast, as far as the one who asks may know.
    #[error("there is no such broadcast")]
    Unknown,
    /// The one who asks may not see them.
    #[error("the figures are the owner's")]
    Refused(ProblemResponse),
    /// The store could not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Analytics {
    /// With the ports that it asks.
    pub fn new(
        store: AnalyticsStore,
        desk: Desk,
        owners: Arc<dyn Owners>,
        chat: Arc<dyn ChatSource>,
    ) -> Self {
        Self(Arc::new(Inner {
            store,
            owners,
            chat,
            desk,
            tallies: Semaphore::new(TALLIES),
            kept: Mutex::default(),
        }))
    }

    /// Where reports go.
    pub fn desk(&self) -> &Desk {
        &self.0.desk
    }

    /// Who may see what.
    pub fn owners(&self) -> &Arc<dyn Owners> {
        &self.0.owners
    }

    /// A broadcast, for one who manages its channel.
    pub async fn managed(&self, who: &Actor, id: &BroadcastId) -> Result<Listed, AnalyticsError> {
        let listed = self.0.store.find(id).await?.ok_or(AnalyticsError::Unknown)?;
        match self.0.owners.managed(who, &listed.name).await {
            Ok(_) => Ok(listed),
            // A channel that must not be known of has no broadcasts either.
            Err(problem) if problem.0.status == StatusCode::NOT_FOUND => Err(AnalyticsError::Unknown),
            Err(problem) => Err(AnalyticsError::Refused(problem)),
        }
    }

    /// Everything about a broadcast, for one who manages its channel.
    pub async fn of(&self, who: &Actor, id: &BroadcastId) -> Result<BroadcastAnalytics, AnalyticsError> {
        let listed = self.managed(who, id).await?;
        Ok(self.whole(&listed).await?)
    }

    /// What the compact live API tells of a broadcast (`GET /api/v1/live/analytics/{streamId}`), for one who manages its
    /// channel.
    pub async fn live(&self, who: &Actor, id: &BroadcastId) -> Result<LiveAnalytics, AnalyticsError> {
        let listed = self.managed(who, id).await?;
        let (tally, _) = self.tally(&listed).await?;
        let is_country = |share: &Share| share.name.len() == 2;
        Ok(LiveAnalytics {
            stream_id: listed.id,
            peak_viewers: tally.figures.peak,
            total_views: tally.figures.views,
            average_watch_time: average(tally.figures.watch_time, tally.figures.views),
            top_regions: tally
                .regions
                .iter()
                .filter(|share| is_country(share))
                .map(|share| share.name.clone())
                .collect(),
            device_types: tally.devices.iter().map(|share| (share.name.clone(), share.views)).collect(),
        })
    }

    /// A channel's broadcasts, newest first.
    pub async fn list(
        &self,
        channel: &ChannelId,
        wanted: &Wanted,
    ) -> Result<Page<BroadcastSummary>, StoreError> {
        let rows = self.0.store.list(channel, wanted).await?;
        let place = |row: &Listed| Place { at: row.started_at.as_millis(), id: row.id.to_string() };
        let Page { items, next } = wanted.page(rows, place);
        Ok(Page { items: self.summaries(&items).await?, next })
    }

    /// The broadcast of a channel that is on, or was last, with the timeline's last minute and no retention. `None` if there
    /// never was one.
    pub async fn latest(&self, channel: &ChannelId) -> Result<Option<BroadcastAnalytics>, StoreError> {
        let Some(listed) = self.0.store.last(channel).await? else { return Ok(None) };
        let mut analytics = self.whole(&listed).await?;
        let timeline = &mut analytics.timeline;
        let early = timeline.viewers.len().saturating_sub(TOPIC_STEPS);
        timeline.from = Seconds(early as u64 * timeline.step.0);
        timeline.viewers.drain(..early);
        timeline.chat_messages.drain(..early);
        timeline.freezes.drain(..early);
        timeline.latency.drain(..early);
        analytics.retention.clear();
        Ok(Some(analytics))
    }

    /// Where a broadcast's tally is, or is to be. Of too many the one is forgotten that was not asked for the longest.
    fn slot(&self, id: &BroadcastId) -> Slot {
        let mut kept = self.0.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if !kept.contains_key(id) && kept.len() >= KEPT_MOST {
            let oldest = kept.iter().min_by_key(|(_, (asked, _))| *asked).map(|(id, _)| id.clone());
            oldest.and_then(|id| kept.remove(&id));
        }
        let now = Instant::now();
        let (asked, slot) = kept.entry(id.clone()).or_insert_with(|| (now, Slot::default()));
        *asked = now;
        slot.clone()
    }

    /// Sums over all channels.
    pub async fn instance(&self) -> Result<InstanceAnalytics, StoreError> {
        let sums = self.0.store.sums().await?;
        Ok(InstanceAnalytics {
            broadcasts: sums.broadcasts,
            concurrent_viewers: u32::try_from(sums.concurrent).unwrap_or(u32::MAX),
            total_views: sums.views,
            total_watch_time: seconds(sums.watch_time),
            average_watch_time: average(sums.watch_time, sums.views),
        })
    }

    async fn whole(&self, listed: &Listed) -> Result<BroadcastAnalytics, StoreError> {
        let (tally, until) = self.tally(listed).await?;
        let tally = Arc::unwrap_or_clone(tally);
        let ids: Vec<BroadcastId> = [listed.id.clone()].into();
        let chat = self.0.chat.totals(&ids).await?.remove(&listed.id).unwrap_or_default();
        let summary = summary(listed, tally.figures, chat, until);
        let previous = match self.0.store.before(listed).await? {
            Some(before) => self.summaries(&[before]).await?.pop(),
            None => None,
        };
        let minutes = until.since(listed.started_at).as_secs_f64() / 60.0;
        Ok(BroadcastAnalytics {
            summary,
            concurrent_viewers: tally.concurrent,
            peak_at: tally.peak_at,
            chat_rate: if minutes > 0.0 { chat.messages as f64 / minutes } else { 0.0 },
            chatters: chat.chatters,
            devices: tally.devices,
            browsers: tally.browsers,
            regions: tally.regions,
            referrers: tally.referrers,
            embeds: tally.embeds,
            quality: tally.quality,
            timeline: tally.timeline,
            retention: tally.retention,
            markers: tally.markers,
            previous,
        })
    }

    async fn summaries(&self, rows: &[Listed]) -> Result<Vec<BroadcastSummary>, StoreError> {
        let ids: Vec<BroadcastId> = rows.iter().map(|row| row.id.clone()).collect();
        let chats: HashMap<BroadcastId, ChatTotal> = self.0.chat.totals(&ids).await?;
        let mut summaries = Vec::with_capacity(rows.len());
        for row in rows {
            let chat = chats.get(&row.id).copied().unwrap_or_default();
            let (figures, until) = match (row.figures, row.ended_at) {
                (Some(figures), Some(ended_at)) => (figures, ended_at),
                _ => {
                    let (tally, until) = self.tally(row).await?;
                    (tally.figures, until)
                }
            };
            summaries.push(summary(row, figures, chat, until));
        }
        Ok(summaries)
    }

    /// The tally of a broadcast, and until when it is. Of one that is over the short figures are kept.
    async fn tally(&self, listed: &Listed) -> Result<(Arc<Tally>, Timestamp), StoreError> {
        let slot = self.slot(&listed.id);
        let mut slot = slot.lock().await;
        if let Some(kept) = &*slot
            && kept.ended_at == listed.ended_at
            && kept.at.elapsed() < kept.lasts
        {
            return Ok((kept.tally.clone(), kept.until));
        }
        // Asked before the evidence is read: what comes in between only makes it be worked out again.
        let is_settled = listed.ended_at.is_some() && self.0.desk.is_settled(&listed.id);
        // The semaphore is never closed.
        let _turn = self.0.tallies.acquire().await;
        let at = Instant::now();
        let mut evidence = self.0.store.evidence(listed).await?;
        let seconds = self.0.chat.seconds(&listed.id, listed.started_at).await?;
        evidence.chat = Chat { seconds };
        let until = evidence.until;
        // Of a large broadcast it takes longer than others should wait for their turn.
        let tally = tokio::task::spawn_blocking(move || tally::tally(&evidence)).await;
        let tally = tally.map_err(|error| StoreError::Row(format!("a tally failed: {error}")))?;
        if listed.ended_at.is_some() && listed.figures.is_none() {
            // It is worked out again if it can't be kept.
            if let Err(error) = self.0.store.keep(&listed.id, tally.figures).await {
                tracing::warn!(%error, "a broadcast's figures can't be kept");
            }
        }
        let tally = Arc::new(tally);
        let lasts = if is_settled { OVER_KEPT } else { at.elapsed() * PACE };
        *slot = Some(Kept { at, lasts, ended_at: listed.ended_at, tally: tally.clone(), until });
        Ok((tally, until))
    }
}

fn summary(listed: &Listed, figures: Figures, chat: ChatTotal, until: Timestamp) -> BroadcastSummary {
    BroadcastSummary {
        stream_id: listed.id.clone(),
        channel: listed.name.clone(),
        title: listed.title.clone(),
        category: listed.category.clone(),
        start_time: listed.started_at,
        end_time: listed.ended_at,
        duration: Seconds(until.since(listed.started_at).as_secs()),
        peak_viewers: figures.peak,
        total_views: figures.views,
        average_watch_time: average(figures.watch_time, figures.views),
        total_watch_time: seconds(figures.watch_time),
        chat_messages: chat.messages,
    }
}

/// Seconds a view, to the millisecond.
fn average(watch_time: u64, views: u64) -> f64 {
    watch_time.checked_div(views).map_or(0.0, seconds)
}
