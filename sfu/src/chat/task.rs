//! The one writer: commits updates of all rooms in groups, and only then tells anybody of them.
//!
//! What arrives while a commit runs is the next group, so that one wait for the disk serves everybody who waits. The queue
//! is bounded: what doesn't fit is refused, to be sent again. When the database can't write, everything that waits is told
//! so, and nothing of it is on disk.

use super::{
    Surroundings,
    feed::LiveRoom,
    store::{self, ChatStore},
};
use crate::{actor::Actor, fresh, store::StoreError};
use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use shared::{
    chat::{ChatAuthor, ChatMessage, ChatSettings, ChatUpdate, EditChat, Fragment, ReplyTo, Sent, Silence},
    event::Cursor,
    id::{AccountId, BroadcastId, ChannelId, MessageId, PersonId, RequestId},
    unit::Timestamp,
};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::{mpsc, oneshot, watch};

/// Updates that wait for the disk. When it is full, the next one is answered 503.
pub const WAITING_MOST: usize = 1024;
/// The most updates of one commit.
const GROUP_MOST: usize = 256;
/// What somebody wrote this long before a time-out goes with it.
pub const SILENCE_DELETES: Duration = Duration::from_secs(10 * 60);

/// A message that is to be written.
#[derive(Debug)]
pub struct Draft {
    /// Its id.
    pub id: MessageId,
    /// Who writes.
    pub author: ChatAuthor,
    /// What.
    pub fragments: Vec<Fragment>,
    /// In answer to what.
    pub reply_to: Option<ReplyTo>,
    /// The sender's own name for it.
    pub key: Option<RequestId>,
    /// What is live beside it.
    pub broadcast: Option<BroadcastId>,
    /// Whether it was counted, which is taken back if it can't be written.
    pub is_counted: bool,
}

/// What is to be written.
#[derive(Debug)]
pub enum Work {
    /// A message.
    Message(Box<Draft>),
    /// A message is to be deleted.
    Delete {
        /// Which.
        message: MessageId,
        /// By whom.
        by: PersonId,
    },
    /// A time-out begins.
    Silence(Box<Silence>),
    /// A time-out is lifted.
    Unsilence {
        /// Whose.
        person: PersonId,
    },
    /// The room's rules change.
    Settings(EditChat),
    /// Somebody becomes a moderator, or isn't one any more.
    Moderator {
        /// Who.
        account: AccountId,
        /// Which of the two.
        is_moderator: bool,
    },
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// The message is on disk, now or since it was sent with the same key before.
    Sent(Sent),
    /// It is written.
    Changed,
    /// The rules as they are now.
    Settings(ChatSettings),
    /// There was nothing to change.
    Nothing,
}

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
    /// Who does it, where the record is to have it.
    by: Option<Actor>,
    answer: oneshot::Sender<Answer>,
}

impl Job {
    /// It is not written: it counts for nothing.
    fn uncount(&self) {
        if let Work::Message(draft) = &self.work
            && draft.is_counted
        {
            self.room.rules().unsent(&draft.author.id, draft.key.as_ref());
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
    pub fn start(store: ChatStore, surroundings: Arc<dyn Surroundings>) -> Self {
        let (jobs, queue) = mpsc::channel(WAITING_MOST);
        let metrics = Metrics {
            messages: Counter::default(),
            failed: Counter::default(),
            waiting: Gauge::default(),
            commits: Histogram::new([0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2.0, 10.0]),
        };
        let pending = Arc::new(watch::Sender::new(0));
        tokio::spawn(run(store, surroundings, queue, pending.clone(), metrics.clone()));
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

    /// Writes something; comes back when it is on disk.
    pub async fn write(&self, room: Arc<LiveRoom>, work: Work) -> Result<Done, WriteError> {
        self.write_as(room, work, None).await
    }

    /// The same, and with it that somebody did it.
    pub async fn write_as(
        &self,
        room: Arc<LiveRoom>,
        work: Work,
        by: Option<&Actor>,
    ) -> Result<Done, WriteError> {
        let by = by.cloned();
        let (answer, answered) = oneshot::channel();
        self.pending.send_modify(|pending| *pending += 1);
        if let Err(refused) = self.jobs.try_send(Job { room, work, by, answer }) {
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
    surroundings: Arc<dyn Surroundings>,
    mut queue: mpsc::Receiver<Job>,
    pending: Arc<watch::Sender<usize>>,
    metrics: Metrics,
) {
    let mut writing = Writing { store, surroundings, pending, metrics, uncertain: HashSet::new() };
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
    surroundings: Arc<dyn Surroundings>,
    pending: Arc<watch::Sender<usize>>,
    metrics: Metrics,
    /// Rooms of which the end of a commit failed: it may be on disk all the same, unknown to its followers.
    uncertain: HashSet<ChannelId>,
}

/// What came of a piece of work, and what followers are told.
type Written = (Done, Updates);

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
        // Rules that this very group changes.
        let mut settings: HashMap<ChannelId, ChatSettings> = HashMap::new();
        for job in group {
            let place = next.entry(&job.room.channel).or_default();
            let done = write_one(&mut commit, &job.room, &job.work, place, now, &mut settings).await?;
            if let Some(by) = &job.by
                && done.0 != Done::Nothing
            {
                commit.record(&job.room.channel, by, &job.work).await?;
            }
            written.push(done);
        }
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
        for (job, (done, updates)) in done {
            self.metrics.waiting.dec();
            if let (Work::Message(_), [(_, ChatUpdate::Message(message))]) = (&job.work, updates.as_slice()) {
                self.metrics.messages.inc();
                self.surroundings.sent(&job.room.name, &message.id);
            }
            apply(&job.room, job.work, &done);
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

impl Work {
    /// How many places in the room it may take.
    fn places(&self) -> u64 {
        match self {
            Self::Silence(_) => 2,
            _ => 1,
        }
    }
}

/// Nothing can be written now, whatever it is.
fn is_outage(error: &StoreError) -> bool {
    matches!(error, StoreError::Busy | StoreError::Full | StoreError::ReadOnly | StoreError::Damaged)
}

async fn write_one(
    commit: &mut store::Commit,
    room: &LiveRoom,
    work: &Work,
    place: &mut u64,
    now: Timestamp,
    settings: &mut HashMap<ChannelId, ChatSettings>,
) -> Result<Written, StoreError> {
    let channel = &room.channel;
    let mut take = || {
        *place += 1;
        Cursor(*place)
    };
    let mut updates = Vec::new();
    let done = match work {
        Work::Message(draft) => {
            let Draft { id, author, fragments, reply_to, key, broadcast, is_counted: _ } = draft.as_ref();
            let message = ChatMessage {
                id: id.clone(),
                sequence: take(),
                at: now,
                author: author.clone(),
                fragments: fragments.clone(),
                reply_to: reply_to.clone(),
            };
            match commit.message(channel, &message, key.as_ref(), broadcast.as_ref()).await? {
                Some(before) => Done::Sent(before),
                None => {
                    let sent = Sent { id: message.id.clone(), sequence: message.sequence };
                    updates.push((message.sequence, ChatUpdate::Message(Box::new(message))));
                    Done::Sent(sent)
                }
            }
        }
        Work::Delete { message, by } => {
            if commit.delete(channel, message, by, now).await? {
                updates.push((take(), ChatUpdate::Deleted { messages: vec![message.clone()] }));
            }
            changed(&updates)
        }
        Work::Silence(silence) => {
            commit.silence(channel, silence).await?;
            let Silence { person, name, until, by, reason: _ } = silence.as_ref();
            let since = Timestamp::from_millis(now.as_millis() - SILENCE_DELETES.as_millis() as i64);
            let messages = commit.delete_of(channel, person, since, by, now).await?;
            let silenced = ChatUpdate::Silenced { person: person.clone(), name: name.clone(), until: *until };
            updates.push((take(), silenced));
            if !messages.is_empty() {
                updates.push((take(), ChatUpdate::Deleted { messages }));
            }
            changed(&updates)
        }
        Work::Unsilence { person } => {
            if commit.unsilence(channel, person, now).await? {
                updates.push((take(), ChatUpdate::Unsilenced { person: person.clone() }));
            }
            changed(&updates)
        }
        Work::Settings(edit) => {
            let settings = settings.entry(channel.clone()).or_insert_with(|| room.rules().settings());
            settings.guests = edit.guests.unwrap_or(settings.guests);
            settings.slow_seconds = edit.slow_seconds.unwrap_or(settings.slow_seconds);
            commit.settings(channel, *settings).await?;
            updates.push((take(), ChatUpdate::Settings { settings: *settings }));
            Done::Settings(*settings)
        }
        Work::Moderator { account, is_moderator } => {
            let is_changed = match is_moderator {
                true => commit.add_moderator(channel, account, now).await?,
                false => commit.remove_moderator(channel, account).await?,
            };
            if is_changed { Done::Changed } else { Done::Nothing }
        }
    };
    for (sequence, update) in &updates {
        if !matches!(update, ChatUpdate::Message(_)) {
            commit.change(channel, *sequence, update, now).await?;
        }
    }
    Ok((done, updates))
}

fn changed(updates: &[(Cursor, ChatUpdate)]) -> Done {
    if updates.is_empty() { Done::Nothing } else { Done::Changed }
}

/// What the room's rules know of it from now on.
fn apply(room: &LiveRoom, work: Work, done: &Done) {
    let now = fresh::now();
    let mut rules = room.rules();
    match (work, done) {
        (Work::Message(draft), Done::Sent(sent)) => {
            rules.sent(&draft.author.id, draft.author.name.as_str(), draft.key.as_ref(), sent);
        }
        (Work::Silence(silence), _) => rules.silence(*silence, now),
        (Work::Unsilence { person }, _) => {
            rules.unsilence(&person, now);
        }
        (Work::Settings(_), Done::Settings(settings)) => rules.set_settings(*settings),
        (Work::Moderator { account, is_moderator }, _) => {
            if let Ok(person) = account.as_str().parse() {
                rules.set_moderator(person, is_moderator);
            }
        }
        _ => {}
    }
}
