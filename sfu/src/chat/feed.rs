//! A room that is followed: its rules and its last updates, and word of new ones to everybody who follows.
//!
//! A follower has a place in the room's log and no queue of its own: it takes the next batch when it has passed on the one
//! before. One that is slower than the log is long is told so, and comes back by its cursor.

use super::{
    log::{After, Batch, First, Item, Log},
    room::{Now, Room},
};
use crate::fresh;
use shared::{
    event::Cursor,
    id::{ChannelId, ChannelName},
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::{sync::watch, time::sleep};

/// A room in memory.
#[derive(Debug)]
pub struct LiveRoom {
    /// The channel it is beside.
    pub channel: ChannelId,
    /// That channel's address.
    pub name: ChannelName,
    rules: Mutex<Room>,
    log: Mutex<Log>,
    /// Wakes followers; counts how often they had to ask again whether they may follow.
    word: watch::Sender<u64>,
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
    first: Option<Arc<Batch>>,
    word: watch::Receiver<u64>,
    asked: u64,
}

impl LiveRoom {
    /// As it is kept.
    pub fn new(channel: ChannelId, name: ChannelName, rules: Room, log: Log) -> Self {
        let word = watch::Sender::new(0);
        Self { channel, name, rules: Mutex::new(rules), log: Mutex::new(log), word, began: Instant::now() }
    }

    /// Its rules. Not to be held while waiting for anything.
    pub fn rules(&self) -> MutexGuard<'_, Room> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Both clocks.
    pub fn now(&self) -> Now {
        Now { wall: fresh::now(), passed: self.began.elapsed() }
    }

    /// Updates that are on disk: told at once, or with what else comes within a tenth of a second.
    pub fn push(self: &Arc<Self>, items: impl IntoIterator<Item = Item>) {
        let now = self.began.elapsed();
        let mut due = None;
        let mut log = self.log();
        let is_waited_for = log.has_gathered();
        for item in items {
            due = Some(log.push(item, now));
        }
        let Some(due) = due else { return };
        if due <= now {
            log.tell(now);
            drop(log);
            self.word.send_modify(|_| {});
        } else if !is_waited_for {
            drop(log);
            tokio::spawn(self.clone().tell_later(due - now));
        }
    }

    async fn tell_later(self: Arc<Self>, wait: Duration) {
        sleep(wait).await;
        if self.log().tell(self.began.elapsed()) {
            self.word.send_modify(|_| {});
        }
    }

    /// Something may be on disk that nobody was told of: whoever follows comes back by their cursor, and gets it from there.
    pub fn start_anew(&self) {
        self.log().start_anew();
        self.word.send_modify(|_| {});
    }

    /// Up to where followers may know.
    pub fn told(&self) -> Cursor {
        self.log().told()
    }

    /// What a newcomer is given.
    pub fn first(&self) -> First {
        self.log().first()
    }

    /// The last messages up to a cursor, read again.
    pub fn set_recent(&self, up_to: Cursor, recent: Vec<Item>) {
        self.log().set_recent(up_to, recent);
    }

    /// Everything after a cursor at once, and the cursor after it; `None` if it isn't all in memory.
    pub fn missed(&self, seen: Cursor) -> Option<(Option<Arc<Batch>>, Cursor)> {
        let mut log = self.log();
        // Who sent a message may know its place before anybody was told of it.
        if seen > log.told() && seen <= log.written() && log.tell(self.began.elapsed()) {
            self.word.send_modify(|_| {});
        }
        log.missed(seen).map(|missed| (missed, log.told()))
    }

    /// Everybody who follows must ask again whether they may.
    pub fn ask_again(&self) {
        self.word.send_modify(|asked| *asked += 1);
    }

    /// Whether anybody follows.
    pub fn is_followed(&self) -> bool {
        self.word.receiver_count() > 0
    }

    /// Follows from a place on. To be made before it is asked whether the follower may, so that no change is missed.
    pub fn follow(self: &Arc<Self>) -> Follower {
        let word = self.word.subscribe();
        let asked = *word.borrow();
        Follower { room: self.clone(), seen: self.told(), first: None, word, asked }
    }
}

impl Follower {
    /// Begins with this, and goes on from there.
    pub fn start(&mut self, first: Option<Arc<Batch>>, seen: Cursor) {
        self.first = first;
        self.seen = seen;
    }

    /// What is next, once there is something. May be dropped while it waits, and asked again.
    pub async fn next(&mut self) -> News {
        if let Some(first) = self.first.take() {
            return News::Batch(first);
        }
        loop {
            let asked = *self.word.borrow_and_update();
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
