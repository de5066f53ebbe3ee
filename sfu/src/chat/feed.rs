//! A room that is followed: its rules and its last updates, and word of new ones to everybody who follows.
//!
//! A follower has a place in the room's log and no queue of its own: it takes the next batch when it has passed on the one
//! before. One that is slower than the log is long is told so, and comes back by its cursor.

use super::{
    log::{After, Batch, Batches, First, Item, Log},
    room::{Now, Room},
};
use crate::fresh;
use shared::{
    event::Cursor,
    id::{ChannelId, ChannelName},
};
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::{
    sync::{Notify, watch},
    task::yield_now,
    time::sleep,
};

/// Followers that are woken together.
const GROUP: usize = 64;

/// A room in memory.
#[derive(Debug)]
pub struct LiveRoom {
    /// The channel it is beside.
    pub channel: ChannelId,
    /// That channel's address.
    pub name: ChannelName,
    rules: Mutex<Room>,
    log: Mutex<Log>,
    /// Followers in groups, each with what wakes it.
    groups: Mutex<Vec<watch::Sender<()>>>,
    /// Wakes the crier.
    told: Arc<Notify>,
    /// Counts how often followers had to ask again whether they may follow.
    asked: AtomicU64,
    began: Instant,
}

/// What a follower hears.
#[derive(Debug)]
pub enum News {
    /// Updates.
    Batch(Arc<Batch>),
    /// The channel changed: ask whether this may still be followed.
    AskAgain,
    /// More happened than is kept in memory for one who is this slow.
    FellBehind,
}

/// A place in a room's updates.
#[derive(Debug)]
pub struct Follower {
    room: Arc<LiveRoom>,
    seen: Cursor,
    first: VecDeque<Arc<Batch>>,
    word: watch::Receiver<()>,
    asked: u64,
}

impl LiveRoom {
    /// As it is kept.
    pub fn start(channel: ChannelId, name: ChannelName, rules: Room, log: Log) -> Arc<Self> {
        let room = Arc::new(Self {
            channel,
            name,
            rules: Mutex::new(rules),
            log: Mutex::new(log),
            groups: Mutex::default(),
            told: Arc::default(),
            asked: AtomicU64::new(0),
            began: Instant::now(),
        });
        tokio::spawn(cry(Arc::downgrade(&room), room.told.clone()));
        room
    }

    /// Its rules. Not to be held while waiting for anything.
    pub fn rules(&self) -> MutexGuard<'_, Room> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn groups(&self) -> MutexGuard<'_, Vec<watch::Sender<()>>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Both clocks.
    pub fn now(&self) -> Now {
        Now { wall: fresh::now(), passed: self.began.elapsed() }
    }

    /// Updates that are on disk: told at once, or with what else comes within a tenth of a second.
    /// `has_gap`: something may be on disk before them that nobody was told of.
    pub fn push(self: &Arc<Self>, items: impl IntoIterator<Item = Item>, has_gap: bool) {
        let now = self.began.elapsed();
        let mut due = None;
        let mut items = items.into_iter().peekable();
        let mut log = self.log();
        if let (true, Some(first)) = (has_gap, items.peek()) {
            log.start_anew(first.sequence);
        }
        let is_waited_for = log.has_gathered();
        for item in items {
            due = Some(log.push(item, now));
        }
        let Some(due) = due else { return };
        if due <= now {
            log.tell(now);
            drop(log);
            self.told.notify_one();
        } else if !is_waited_for {
            drop(log);
            tokio::spawn(self.clone().tell_later(due - now));
        }
    }

    async fn tell_later(self: Arc<Self>, wait: Duration) {
        sleep(wait).await;
        if self.log().tell(self.began.elapsed()) {
            self.told.notify_one();
        }
    }

    /// Up to where followers may know.
    pub fn told(&self) -> Cursor {
        self.log().told()
    }

    /// What a newcomer is given.
    pub fn first(&self) -> First {
        self.log().first()
    }

    /// What newcomers are given is read anew from the database.
    pub fn forget(&self) {
        self.log().forget();
    }

    /// The last messages up to a cursor, read again.
    pub fn set_recent(&self, up_to: Cursor, recent: Vec<Item>) {
        self.log().set_recent(up_to, recent);
    }

    /// Everything after a cursor at once, and the cursor after it; `None` if it isn't all in memory.
    pub fn missed(&self, seen: Cursor) -> Option<(Batches, Cursor)> {
        let mut log = self.log();
        // Who sent a message may know its place before anybody was told of it.
        if seen > log.told() && seen <= log.written() && log.tell(self.began.elapsed()) {
            self.told.notify_one();
        }
        log.missed(seen).map(|missed| (missed, log.told()))
    }

    /// Everybody who follows must ask again whether they may.
    pub fn ask_again(&self) {
        self.asked.fetch_add(1, Relaxed);
        self.told.notify_one();
    }

    /// Whether anybody follows.
    pub fn is_followed(&self) -> bool {
        self.groups().iter().any(|group| group.receiver_count() > 0)
    }

    /// Follows from a place on. To be made before it is asked whether the follower may, so that no change is missed.
    pub fn follow(self: &Arc<Self>) -> Follower {
        let asked = self.asked.load(Relaxed);
        let word = {
            let mut groups = self.groups();
            match groups.iter().find(|group| group.receiver_count() < GROUP) {
                Some(group) => group.subscribe(),
                None => {
                    let (group, word) = watch::channel(());
                    groups.push(group);
                    word
                }
            }
        };
        Follower { room: self.clone(), seen: self.told(), first: VecDeque::new(), word, asked }
    }
}

impl Drop for LiveRoom {
    fn drop(&mut self) {
        self.told.notify_one();
    }
}

/// Wakes followers group by group. Thousands at once would stand in line before everybody else's work, and the answer to
/// whoever wrote would wait for all of them.
async fn cry(room: Weak<LiveRoom>, told: Arc<Notify>) {
    loop {
        told.notified().await;
        let Some(room) = room.upgrade() else { return };
        let groups = room.groups().len();
        for group in 0..groups {
            if let Some(group) = room.groups().get(group) {
                group.send_modify(|()| {});
            }
            yield_now().await;
        }
    }
}

impl Follower {
    /// Begins with this, and goes on from there.
    pub fn start(&mut self, first: &Batches, seen: Cursor) {
        self.first = first.iter().cloned().collect();
        self.seen = seen;
    }

    /// What is next, once there is something. May be dropped while it waits, and asked again.
    pub async fn next(&mut self) -> News {
        if let Some(first) = self.first.pop_front() {
            if self.first.is_empty() {
                self.first = VecDeque::new();
            }
            return News::Batch(first);
        }
        loop {
            self.word.mark_unchanged();
            let asked = self.room.asked.load(Relaxed);
            if asked != self.asked {
                self.asked = asked;
                return News::AskAgain;
            }
            let after = self.room.log().after(self.seen);
            match after {
                After::Batch(batch) => {
                    self.seen = batch.cursor;
                    return News::Batch(batch);
                }
                After::NotKept => return News::FellBehind,
                // The room holds the other end.
                After::Nothing => drop(self.word.changed().await),
            }
        }
    }
}
