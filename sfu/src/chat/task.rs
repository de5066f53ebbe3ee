//! The one writer: commits updates of all rooms in groups, and only then tells anybody of them.
//!
//! What arrives while a commit runs is the next group, so that one wait for the disk serves everybody who waits. The queue
//! is bounded: what doesn't fit is refused, to be sent again. When the database can't write, everything that waits is told
//! so, and nothing of it is on disk.

use super::{
    Ports,
    commit::{
        work::{Act, Done, Work, Written},
        write::{self, Changes},
    },
    feed::LiveRoom,
    store::{self, ChatStore},
};
use crate::{fresh, store::StoreError};
use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use shared::{chat::ChatUpdate, event::Cursor, id::ChannelId};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Instant,
};
use tokio::sync::{mpsc, oneshot, watch};

/// Updates that wait for the disk. When it is full, the next one is answered 503.
pub const WAITING_MOST: usize = 1024;
/// The most updates of one commit.
const GROUP_MOST: usize = 256;

/// Why something was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// More waits than may.
    #[error("more messages wait for the disk than may")]
    Full,
    /// The database can't.
    #[error(transparent)]
    Store(#[from] Arc<StoreError>),
    /// The server stops.
    #[error("the server is about to stop")]
    Stopped,
}

type Answer = Result<Done, Arc<StoreError>>;

struct Job {
    room: Arc<LiveRoom>,
    work: Work,
    act: Option<Act>,
    answer: oneshot::Sender<Answer>,
}

impl Job {
    /// It is not written: it counts for nothing.
    fn uncount(&self) {
        if let Work::Message(draft) | Work::Hold { draft, .. } = &self.work
            && draft.is_counted
        {
            // What is held was not said.
            let said = matches!(self.work, Work::Message(_)).then_some(draft.said);
            self.room.rules().unsent(&draft.author.id, draft.key.as_ref(), said);
        }
    }
}

#[derive(Debug, Clone)]
struct Metrics {
    messages: Counter,
    failed: Counter,
    waiting: Gauge,
    commits: Histogram,
}

/// The way to the writer; cheap to clone.
#[derive(Clone)]
pub struct Writer {
    jobs: mpsc::Sender<Job>,
    /// How much was handed in and not answered.
    pending: Arc<watch::Sender<usize>>,
    metrics: Metrics,
}

impl Writer {
    /// Starts it. It ends when every handle is gone and everything is written.
    pub fn start(store: ChatStore, ports: Ports) -> Self {
        let (jobs, queue) = mpsc::channel(WAITING_MOST);
        let metrics = Metrics {
            messages: Counter::default(),
            failed: Counter::default(),
            waiting: Gauge::default(),
            commits: Histogram::new([0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2.0, 10.0]),
        };
        let pending = Arc::new(watch::Sender::new(0));
        tokio::spawn(run(store, ports, queue, pending.clone(), metrics.clone()));
        Self { jobs, pending, metrics }
    }

    /// Counts there.
    pub fn register(&self, registry: &mut Registry) {
        let Metrics { messages, failed, waiting, commits } = self.metrics.clone();
        registry.register("chat_messages", "Chat messages that were written", messages);
        registry.register("chat_writes_failed", "Chat updates that the database could not write", failed);
        registry.register("chat_waiting", "Chat updates that wait for the disk", waiting);
        registry.register("chat_commit_seconds", "How long commits of chat updates took", commits);
    }

    /// Waits until nothing is in the queue and nothing is being written.
    pub async fn written(&self) {
        // The sender is here: it can't be gone.
        let _ = self.pending.subscribe().wait_for(|pending| *pending == 0).await;
    }

    /// Writes something, and `act` for the record if it changes anything; comes back when both are on disk.
    pub async fn write(&self, room: Arc<LiveRoom>, work: Work, act: Option<Act>) -> Result<Done, WriteError> {
        let (answer, answered) = oneshot::channel();
        self.pending.send_modify(|pending| *pending += 1);
        if let Err(refused) = self.jobs.try_send(Job { room, work, act, answer }) {
            self.pending.send_modify(|pending| *pending -= 1);
            let (job, error) = match refused {
                mpsc::error::TrySendError::Full(job) => (job, WriteError::Full),
                mpsc::error::TrySendError::Closed(job) => (job, WriteError::Stopped),
            };
            job.uncount();
            return Err(error);
        }
        self.metrics.waiting.inc();
        Ok(answered.await.map_err(|_| WriteError::Stopped)??)
    }
}

async fn run(
    store: ChatStore,
    ports: Ports,
    mut queue: mpsc::Receiver<Job>,
    pending: Arc<watch::Sender<usize>>,
    metrics: Metrics,
) {
    let mut writing = Writing { store, ports, pending, metrics, uncertain: HashSet::new() };
    let mut group = Vec::with_capacity(GROUP_MOST);
    while queue.recv_many(&mut group, GROUP_MOST).await > 0 {
        let Err(error) = writing.write(&mut group).await else { continue };
        tracing::warn!(%error, "chat can't be written; whoever waits is told so");
        // Those who came meanwhile would wait as long again, for the same answer.
        while let Ok(job) = queue.try_recv() {
            group.push(job);
        }
        writing.fail(&mut group, &Arc::new(error));
    }
}

struct Writing {
    store: ChatStore,
    ports: Ports,
    pending: Arc<watch::Sender<usize>>,
    metrics: Metrics,
    /// Rooms of which the end of a commit failed: it may be on disk all the same, unknown to its followers.
    uncertain: HashSet<ChannelId>,
}

type Updates = Vec<(Cursor, ChatUpdate)>;

impl Writing {
    /// Writes a group and answers it; what remains in it is not written.
    async fn write(&mut self, group: &mut Vec<Job>) -> Result<(), StoreError> {
        match self.commit(group).await {
            Ok(written) => {
                self.tell(group.drain(..).zip(written));
                Ok(())
            }
            Err(error) if group.len() > 1 && !is_outage(&error) => {
                // One of them is at fault: the others should not suffer for it.
                tracing::warn!(%error, "a group of chat updates can't be written; each is tried by itself");
                for job in group.drain(..) {
                    let mut alone = vec![job];
                    match self.commit(&alone).await {
                        Ok(written) => self.tell(alone.drain(..).zip(written)),
                        Err(error) => self.fail(&mut alone, &Arc::new(error)),
                    }
                }
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn fail(&mut self, group: &mut Vec<Job>, error: &Arc<StoreError>) {
        for job in group.drain(..) {
            self.metrics.waiting.dec();
            self.metrics.failed.inc();
            job.uncount();
            // Whoever went away needs no answer.
            let _ = job.answer.send(Err(error.clone()));
            self.pending.send_modify(|pending| *pending -= 1);
        }
    }

    async fn commit(&mut self, group: &[Job]) -> Result<Vec<Written>, StoreError> {
        let began = Instant::now();
        let now = fresh::now();
        let mut counts: HashMap<&ChannelId, u64> = HashMap::new();
        for job in group {
            *counts.entry(&job.room.channel).or_default() += job.work.places();
        }
        let mut commit = self.store.begin().await?;
        let mut next: HashMap<&ChannelId, u64> = HashMap::with_capacity(counts.len());
        for (channel, count) in counts {
            next.insert(channel, commit.places(channel, count).await?.0 - count);
        }
        let mut written = Vec::with_capacity(group.len());
        let mut changes = Changes::new(self.store.interest());
        for job in group {
            let place = next.entry(&job.room.channel).or_default();
            let what = (&job.work, job.act.as_ref());
            let with = (&mut changes, self.ports.community.as_ref());
            written.push(write::write(&mut commit, &job.room, what, place, now, with).await?);
        }
        changes.told(&mut commit).await?;
        if let Err(error) = commit.finish().await {
            self.uncertain.extend(group.iter().map(|job| job.room.channel.clone()));
            return Err(error);
        }
        self.metrics.commits.observe(began.elapsed().as_secs_f64());
        Ok(written)
    }

    fn tell(&mut self, done: impl Iterator<Item = (Job, Written)>) {
        let mut rooms: Vec<(Arc<LiveRoom>, Updates)> = Vec::new();
        let mut answers = Vec::new();
        for (job, written) in done {
            self.metrics.waiting.dec();
            for (_, update) in &written.updates {
                if let ChatUpdate::Message(message) = update {
                    self.metrics.messages.inc();
                    self.ports.surroundings.sent(&job.room.name, &message.id);
                }
            }
            let surroundings = &self.ports.surroundings;
            match (&job.work, &written.done) {
                (Work::Hold { draft, .. }, _) if written.held == 1 => {
                    surroundings.held(&job.room.name, &draft.id);
                }
                (Work::Appeal(appeal), Done::Changed) => surroundings.appealed(&job.room.name, &appeal.id),
                (Work::Vip { is_vip, .. }, Done::Vip(Ok(true))) => {
                    surroundings.vip_changed(&job.room.name, *is_vip);
                }
                _ => {}
            }
            if let Some(action) = &written.action {
                surroundings.moderated(&job.room.name, &action.id, action.kind);
            }
            write::apply(&job.room, job.work, &written);
            let Written { done, updates, .. } = written;
            match rooms.iter_mut().find(|(room, _)| Arc::ptr_eq(room, &job.room)) {
                Some((_, all)) => all.extend(updates),
                None => rooms.push((job.room, updates)),
            }
            answers.push((job.answer, done));
        }
        for (room, updates) in rooms {
            let has_gap = !updates.is_empty() && self.uncertain.remove(&room.channel);
            room.push(updates.iter().map(|(sequence, update)| store::item(*sequence, update)), has_gap);
        }
        for (answer, done) in answers {
            let _ = answer.send(Ok(done));
            self.pending.send_modify(|pending| *pending -= 1);
        }
    }
}

/// Nothing can be written now, whatever it is.
fn is_outage(error: &StoreError) -> bool {
    matches!(error, StoreError::Busy | StoreError::Full | StoreError::ReadOnly | StoreError::Damaged)
}
