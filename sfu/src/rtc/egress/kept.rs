//! What was sent of a picture lately, to be sent again: as long as a repair isn't too late, and no longer, as it is most of
//! what a viewer costs in memory.

use crate::rtc::prefetch::prefetch;
use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

/// What comes later than that, in milliseconds, is of a picture that is over.
const KEPT_FOR: u32 = 1_000;
/// How many packets are looked through for a large one.
const LATE: usize = 32;
/// The most packets: a second of 11 Mbit/s.
const MOST: usize = 1024;

/// A packet that was sent. Small, as there are hundreds of them a viewer.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Extended sequence number.
    pub seq: u64,
    /// RTP timestamp.
    pub time: u32,
    /// RTP marker bit.
    pub marker: bool,
    /// The payload type of its repairs.
    pub payload_type: u8,
    /// Shared payload.
    pub payload: Arc<[u8]>,
    /// Numbers that a VP8 payload gets in place of its own.
    pub picture: Option<(u16, Option<u8>)>,
    /// Quarter turns clockwise.
    pub quarter_turns: Option<u8>,
    /// When it left, and when it left again, in milliseconds since the first one did.
    left: u32,
    again: Option<u32>,
}

impl Sent {
    /// A packet that leaves with the next [`Kept::keep`].
    pub fn new(seq: u64, (time, marker): (u32, bool), payload_type: u8, payload: Arc<[u8]>) -> Self {
        let (picture, quarter_turns) = (None, None);
        Self { seq, time, marker, payload_type, payload, picture, quarter_turns, left: 0, again: None }
    }
}

/// See the module.
#[derive(Debug, Default)]
pub struct Kept {
    /// In order of their numbers.
    packets: VecDeque<Sent>,
    began: Option<Instant>,
}

impl Kept {
    fn millis(&self, now: Instant) -> u32 {
        self.began.map_or(0, |began| now.saturating_duration_since(began).as_millis() as u32)
    }

    /// Asks for the memory that [`Self::keep`] looks at: both ends.
    pub fn prefetch(&self) {
        self.packets.iter().take(6).for_each(prefetch);
        self.packets.back().into_iter().for_each(prefetch);
    }

    /// A packet leaves.
    pub fn keep(&mut self, mut packet: Sent, now: Instant) {
        self.began.get_or_insert(now);
        let now = self.millis(now);
        packet.left = now;
        while let Some(first) = self.packets.front()
            && (self.packets.len() >= MOST || now.wrapping_sub(first.left) > KEPT_FOR)
        {
            self.packets.pop_front();
        }
        let is_next = self.packets.back().is_none_or(|last| last.seq < packet.seq);
        if is_next {
            self.packets.push_back(packet);
        } else {
            let at = self.packets.partition_point(|kept| kept.seq < packet.seq);
            self.packets.insert(at, packet);
        }
        // After the burst of a join, say.
        if self.packets.capacity() > 4 * self.packets.len().max(64) {
            self.packets.shrink_to(2 * self.packets.len());
        }
    }

    /// How large the packet with that number is, if it is worth to be sent again and wasn't within `patience`.
    pub fn missing(&self, number: u16, patience: Duration, now: Instant) -> Option<usize> {
        let now = self.millis(now);
        let sent = &self.packets[self.at(number, now)?];
        let waits = sent.again.is_some_and(|at| u128::from(now.wrapping_sub(at)) < patience.as_millis());
        (!waits).then_some(sent.payload.len())
    }

    /// The packet with that number leaves again.
    pub fn again(&mut self, number: u16, now: Instant) -> Option<Sent> {
        let now = self.millis(now);
        let at = self.at(number, now)?;
        self.packets[at].again = Some(now);
        Some(self.packets[at].clone())
    }

    fn at(&self, number: u16, now: u32) -> Option<usize> {
        let newest = self.packets.back()?.seq;
        let seq = newest.checked_sub((newest as u16).wrapping_sub(number).into())?;
        let at = self.packets.binary_search_by_key(&seq, |kept| kept.seq).ok()?;
        (now.wrapping_sub(self.packets[at].left) <= KEPT_FOR).then_some(at)
    }

    /// What is probed with: the largest one of late, as networks carry few large packets as easily as many small ones only on
    /// paper. How long ago it left doesn't matter, as only its pace counts.
    pub fn largest(&self) -> Option<&Sent> {
        self.packets.iter().rev().take(LATE).max_by_key(|sent| sent.payload.len())
    }

    /// Keeps nothing of what was sent before.
    pub fn forget(&mut self) {
        self.packets.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn sent(seq: u64) -> Sent {
        Sent::new(seq, (0, false), 97, [seq as u8].into())
    }

    #[test]
    fn what_left_within_the_last_second_is_found_by_its_number_also_where_that_wraps() {
        let start = Instant::now();
        let mut kept = Kept::default();
        for seq in 65_500..65_600 {
            // One of three was never sent, and two came in the other order.
            if seq % 3 != 0 {
                kept.keep(sent(seq ^ u64::from(seq % 3 == 1) << 1), start);
            }
        }
        assert!(kept.packets.iter().is_sorted_by_key(|sent| sent.seq));
        let mut all: Vec<u64> = kept.packets.iter().map(|sent| sent.seq).collect();
        all.dedup();
        let later = start + MS * KEPT_FOR;
        for seq in &all {
            assert_eq!(kept.missing(*seq as u16, MS, later), Some(1));
            assert_eq!(kept.again(*seq as u16, later).map(|sent| sent.seq), Some(*seq));
            assert_eq!(kept.missing(*seq as u16, MS * 20, later), None, "it has just left");
        }
        assert_eq!(kept.missing(all[0] as u16 - 1, MS, start), None);
        assert_eq!(kept.missing(9_999, MS, start), None);
        assert_eq!(kept.missing(all[5] as u16, MS, later + MS), None);
        kept.keep(sent(70_000), later + MS);
        assert_eq!(kept.packets.len(), 1);
    }

    #[test]
    fn what_left_again_is_sent_once_more_when_it_has_been_waited_for() {
        let start = Instant::now();
        let mut kept = Kept::default();
        kept.keep(sent(1), start);
        kept.again(1, start + MS * 50);
        assert_eq!(kept.missing(1, MS * 40, start + MS * 89), None);
        assert_eq!(kept.missing(1, MS * 40, start + MS * 90), Some(1));
    }

    #[test]
    fn there_are_never_more_than_the_most_and_each_is_small() {
        let start = Instant::now();
        let mut kept = Kept::default();
        (0..5_000).for_each(|seq| kept.keep(sent(seq), start));
        assert_eq!(kept.packets.len(), MOST);
        (0..200).for_each(|seq| kept.keep(sent(6_000 + seq), start + MS * 10 * seq as u32 + MS * 900));
        assert!(kept.packets.capacity() <= 512, "{}", kept.packets.capacity());
        assert!(size_of::<Sent>() <= 56, "{}", size_of::<Sent>());
    }
}
