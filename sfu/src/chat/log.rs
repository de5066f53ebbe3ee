//! The last updates of a room: what its followers are told next, and what those who come back missed. Pure.
//!
//! Updates are gathered into batches: at once when the room is quiet, each 100 ms when it is busy. A batch is serialised
//! once, and whoever follows gets that text.

use shared::{chat::HISTORY, event::Cursor, id::MessageId};
use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

/// Updates of a busy room are gathered for this long.
pub const GATHER: Duration = Duration::from_millis(100);
/// Updates that are kept in memory. The oldest goes first; the database has all.
pub const KEPT: usize = 1_000;
/// Bytes of them.
const BYTES_KEPT: usize = 1 << 20;
/// Bytes of one batch, unless a single update has more.
const BATCH_BYTES: usize = 8 * 1024;
/// Messages that are kept for newcomers: some more than they get, as some may be deleted.
const RECENT_KEPT: usize = HISTORY + HISTORY / 2;

/// One update.
#[derive(Debug, Clone)]
pub struct Item {
    /// Its place.
    pub sequence: Cursor,
    /// What it does to the ones before.
    pub kind: Kind,
    /// As JSON.
    pub text: Arc<str>,
}

/// What an update does to the ones before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// It is a message.
    Message(MessageId),
    /// It takes messages away.
    Deleted(Vec<MessageId>),
    /// It takes all before it away.
    Cleared,
    /// It shows a message above all others, with its words.
    Pinned(MessageId),
    /// None of them.
    Other,
}

/// Updates that are told together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// What one who gets it must have seen.
    pub after: Cursor,
    /// What they have seen with it.
    pub cursor: Cursor,
    /// The payload as JSON: [`shared::chat::ChatUpdates`].
    pub text: Arc<str>,
}

/// Batches, one after the other; cheap to clone.
pub type Batches = Arc<[Arc<Batch>]>;

/// What comes after a cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum After {
    /// Nothing yet.
    Nothing,
    /// This, and perhaps more behind it.
    Batch(Arc<Batch>),
    /// More than is kept, or a cursor that is none of ours: the database knows.
    NotKept,
}

/// What a newcomer is given first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum First {
    /// The last messages, and the cursor after them; nothing if there are none.
    Known(Batches, Cursor),
    /// The last messages up to this cursor must be read again, as many were deleted.
    Unknown(Cursor),
}

/// A room's last updates.
#[derive(Debug)]
pub struct Log {
    /// Everything after this is kept.
    floor: Cursor,
    /// Followers may know of everything up to here.
    told: Cursor,
    kept: VecDeque<Item>,
    bytes: usize,
    batches: VecDeque<Arc<Batch>>,
    gathered: Vec<Item>,
    told_at: Option<Duration>,
    recent: VecDeque<Item>,
    /// There are older messages than those in `recent`.
    has_older: bool,
    first: Option<Batches>,
}

impl Log {
    /// From what is written: the last place, and the last messages.
    pub fn new(last: Cursor, recent: Vec<Item>) -> Self {
        Self {
            floor: last,
            told: last,
            kept: VecDeque::new(),
            bytes: 0,
            batches: VecDeque::new(),
            gathered: Vec::new(),
            told_at: None,
            has_older: recent.len() >= HISTORY,
            recent: recent.into(),
            first: None,
        }
    }

    /// Forgets everything before `next`, which is pushed next: something may be written in between that was never pushed.
    /// Whoever has seen all up to there goes on; whoever hasn't comes back by their cursor.
    pub fn start_anew(&mut self, next: Cursor) {
        let last = Cursor(next.0.saturating_sub(1));
        *self = Self { has_older: true, ..Self::new(last, Vec::new()) };
    }

    /// The place of the newest update that was pushed, told or not.
    pub fn written(&self) -> Cursor {
        self.gathered.last().map_or(self.told, |item| item.sequence)
    }

    /// Whether something waits to be told.
    pub fn has_gathered(&self) -> bool {
        !self.gathered.is_empty()
    }

    /// Something was written. When to tell it: at once if that is now or before.
    pub fn push(&mut self, item: Item, now: Duration) -> Duration {
        self.gathered.push(item);
        self.told_at.map_or(now, |told_at| told_at + GATHER)
    }

    /// Makes a batch of what was gathered; whether there was anything.
    pub fn tell(&mut self, now: Duration) -> bool {
        if self.gathered.is_empty() {
            return false;
        }
        self.told_at = Some(now);
        let gathered = std::mem::take(&mut self.gathered);
        let after = self.told;
        self.told = gathered.last().map_or(after, |item| item.sequence);
        // Who is behind what takes words away is told what is left, and not what was told before.
        if gathered.iter().any(|item| matches!(item.kind, Kind::Deleted(_) | Kind::Cleared)) {
            self.batches.clear();
        }
        self.batches.extend(batches(after, self.told, left(gathered.iter())).iter().cloned());
        for item in gathered {
            self.keep(item);
        }
        while self.batches.front().is_some_and(|batch| batch.after < self.floor) {
            self.batches.pop_front();
        }
        self.first = None;
        true
    }

    fn keep(&mut self, item: Item) {
        match &item.kind {
            Kind::Message(_) => {
                if self.recent.len() == RECENT_KEPT {
                    self.recent.pop_front();
                    self.has_older = true;
                }
                self.recent.push_back(item.clone());
            }
            Kind::Deleted(gone) => {
                self.recent.retain(|item| !matches!(&item.kind, Kind::Message(id) if gone.contains(id)));
            }
            Kind::Cleared => {
                self.recent.clear();
                self.has_older = false;
            }
            Kind::Pinned(_) | Kind::Other => {}
        }
        self.bytes += item.text.len();
        self.kept.push_back(item);
        while self.kept.len() > KEPT || self.bytes > BYTES_KEPT {
            let Some(oldest) = self.kept.pop_front() else { break };
            self.bytes -= oldest.text.len();
            self.floor = oldest.sequence;
        }
    }

    /// What a newcomer is given.
    pub fn first(&mut self) -> First {
        if self.has_older && self.recent.len() < HISTORY {
            return First::Unknown(self.told);
        }
        let last = self.recent.len().saturating_sub(HISTORY)..;
        let first = self.first.get_or_insert_with(|| match self.recent.is_empty() {
            true => Batches::default(),
            false => batches(Cursor(0), self.told, self.recent.range(last)),
        });
        First::Known(first.clone(), self.told)
    }

    /// Forgets what was told, so that it is read anew: what is written there may be another by now. Who hasn't seen all of it
    /// comes back by their cursor.
    pub fn forget(&mut self) {
        self.floor = self.told;
        self.kept.clear();
        self.bytes = 0;
        self.batches.clear();
        self.recent.clear();
        self.has_older = true;
        self.first = None;
    }

    /// The last messages up to a cursor, read again.
    pub fn set_recent(&mut self, up_to: Cursor, recent: Vec<Item>) {
        if up_to == self.told {
            self.has_older = recent.len() >= HISTORY;
            self.recent = recent.into();
            self.first = None;
        }
    }

    /// What somebody is told next who has seen as far as `seen`.
    pub fn after(&self, seen: Cursor) -> After {
        if seen == self.told {
            return After::Nothing;
        }
        if seen < self.floor || seen > self.told {
            return After::NotKept;
        }
        if let Some(batch) = self.batches.iter().rev().find(|batch| batch.after == seen) {
            return After::Batch(batch.clone());
        }
        let missed = self.missed(seen).and_then(|missed| missed.first().cloned());
        missed.map_or(After::NotKept, After::Batch)
    }

    /// Everything after `seen` at once, for somebody who comes back, without what was deleted since; `None` if it isn't all
    /// kept.
    pub fn missed(&self, seen: Cursor) -> Option<Batches> {
        if seen == self.told {
            return Some(Batches::default());
        }
        if seen < self.floor || seen > self.told {
            return None;
        }
        let missed = self.kept.iter().filter(|item| item.sequence > seen);
        Some(batches(seen, self.told, left(missed)))
    }

    /// Followers may know of everything up to here.
    pub fn told(&self) -> Cursor {
        self.told
    }
}

/// What is left of them once what they delete and clear is gone.
fn left<'a>(items: impl Iterator<Item = &'a Item> + Clone) -> impl Iterator<Item = &'a Item> {
    let gone: HashSet<&MessageId> = items
        .clone()
        .filter_map(|item| match &item.kind {
            Kind::Deleted(gone) => Some(gone),
            _ => None,
        })
        .flatten()
        .collect();
    let cleared = items.clone().filter(|item| item.kind == Kind::Cleared).last().map(|item| item.sequence);
    items.filter(move |item| match &item.kind {
        Kind::Message(id) | Kind::Pinned(id) => {
            cleared.is_none_or(|cleared| item.sequence > cleared) && !gone.contains(id)
        }
        _ => true,
    })
}

/// Updates as payloads, at least one. Each is small, as a connection's buffer stays as large as the largest.
pub fn batches<'a>(after: Cursor, cursor: Cursor, items: impl Iterator<Item = &'a Item>) -> Batches {
    const EMPTY: &str = r#"{"updates":["#;
    let mut batches = Vec::new();
    let (mut text, mut seen, mut last) = (EMPTY.to_owned(), after, after);
    for item in items {
        if text.len() > EMPTY.len() {
            if text.len() + item.text.len() > BATCH_BYTES {
                text.push_str("]}");
                let text = std::mem::replace(&mut text, EMPTY.to_owned());
                batches.push(Arc::new(Batch { after: seen, cursor: last, text: text.into() }));
                seen = last;
            } else {
                text.push(',');
            }
        }
        text.push_str(&item.text);
        last = item.sequence;
    }
    text.push_str("]}");
    batches.push(Arc::new(Batch { after: seen, cursor, text: text.into() }));
    batches.into()
}

#[cfg(test)]
mod tests;
