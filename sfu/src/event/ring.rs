//! The last occurrences of one kind on one channel. Pure.

use shared::{
    event::{ChannelEvent, Cursor},
    unit::Timestamp,
};
use std::{collections::VecDeque, sync::Arc};

/// How many occurrences are kept for those who come back. The oldest goes first.
pub const KEPT: usize = 256;

/// An occurrence and its place.
pub type Delivery<E = ChannelEvent> = (Cursor, Arc<E>);

/// The last [`KEPT`] occurrences.
#[derive(Debug)]
pub struct Ring<E = ChannelEvent> {
    kept: VecDeque<Delivery<E>>,
    /// Everything after this is kept.
    floor: Cursor,
    last: Cursor,
}

/// What came after a cursor.
#[derive(Debug)]
pub struct Missed<E = ChannelEvent> {
    /// As far as it is kept, oldest first.
    pub events: Vec<Delivery<E>>,
    /// Nothing is missing.
    pub complete: bool,
    /// The cursor after them.
    pub last: Cursor,
}

impl<E> Ring<E> {
    /// Cursors begin at the time, so that those of an earlier ring are lower: a server that was started again knows
    /// that it may have missed something. A thousand a millisecond keep ahead of any channel, and below 2^53.
    pub fn new(now: Timestamp) -> Self {
        let start = first_cursor(now);
        Self { kept: VecDeque::new(), floor: start, last: start }
    }

    /// Keeps an occurrence; its place.
    pub fn push(&mut self, event: Arc<E>) -> Cursor {
        self.last = Cursor(self.last.0 + 1);
        if self.kept.len() == KEPT
            && let Some((cursor, _)) = self.kept.pop_front()
        {
            self.floor = cursor;
        }
        self.kept.push_back((self.last, event));
        self.last
    }

    /// The place of the newest.
    pub fn last(&self) -> Cursor {
        self.last
    }

    /// What came after `after`. A cursor of the future is none of ours.
    pub fn since(&self, after: Cursor) -> Missed<E> {
        let events = self.kept.iter().filter(|(cursor, _)| *cursor > after).cloned().collect();
        Missed { events, complete: (self.floor..=self.last).contains(&after), last: self.last }
    }
}

/// Where counting begins at a time.
pub fn first_cursor(now: Timestamp) -> Cursor {
    Cursor(now.as_millis().unsigned_abs() << 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::event::Occurrence;

    fn event(n: usize) -> Arc<ChannelEvent> {
        Arc::new(ChannelEvent {
            event_id: format!("e{n}").parse().unwrap(),
            channel: "ada".parse().unwrap(),
            timestamp: Timestamp::from_millis(0),
            occurrence: Occurrence::ChannelEdited {},
        })
    }

    #[test]
    fn who_comes_back_gets_what_was_missed_and_is_told_if_that_is_not_all() {
        let mut ring = Ring::new(Timestamp::from_millis(1000));
        let start = ring.last();
        let cursors: Vec<Cursor> = (0..300).map(|n| ring.push(event(n))).collect();
        let tail = ring.since(cursors[297]);
        assert_eq!((tail.events.len(), tail.complete, tail.last), (2, true, cursors[299]));
        let all = ring.since(cursors[43]);
        assert_eq!((all.events.len(), all.complete), (KEPT, true));
        let early = ring.since(cursors[42]);
        assert_eq!((early.events.len(), early.complete), (KEPT, false));
        assert!(!ring.since(start).complete);
        assert!(ring.since(cursors[299]).events.is_empty() && ring.since(cursors[299]).complete);
        let future = ring.since(Cursor(u64::MAX));
        assert_eq!((future.events.len(), future.complete), (0, false));
    }

    #[test]
    fn a_cursor_from_before_a_restart_is_not_complete() {
        let mut before = Ring::new(Timestamp::from_millis(1000));
        let old = before.push(event(0));
        let mut after = Ring::new(Timestamp::from_millis(5000));
        after.push(event(1));
        let missed = after.since(old);
        assert_eq!((missed.events.len(), missed.complete), (1, false));
    }
}
