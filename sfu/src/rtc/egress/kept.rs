//! What was sent of a picture lately, to be sent again: as long as a repair isn't too late, and no longer, as it is most of
//! what a viewer costs in memory.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

/// What comes later than that is of a picture that is over.
const KEPT_FOR: Duration = Duration::from_secs(1);
/// The most packets: a second of 11 Mbit/s.
const MOST: usize = 1024;

/// A packet that was sent.
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
    /// When it left.
    pub left: Instant,
    /// When it left again.
    pub again: Option<Instant>,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Kept {
    /// In order of their numbers.
    packets: VecDeque<Sent>,
}

impl Kept {
    /// A packet leaves.
    pub fn keep(&mut self, packet: Sent) {
        let now = packet.left;
        while let Some(first) = self.packets.front()
            && (self.packets.len() >= MOST || now.saturating_duration_since(first.left) > KEPT_FOR)
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

    /// The packet with that number, if it is worth to be sent again.
    pub fn missing(&mut self, number: u16, now: Instant) -> Option<&mut Sent> {
        let newest = self.packets.back()?.seq;
        let seq = newest.checked_sub((newest as u16).wrapping_sub(number).into())?;
        let at = self.packets.binary_search_by_key(&seq, |kept| kept.seq).ok()?;
        let is_fresh = |sent: &&mut Sent| now.saturating_duration_since(sent.left) <= KEPT_FOR;
        self.packets.get_mut(at).filter(is_fresh)
    }

    /// The newest packet, if any is worth to be sent again.
    pub fn newest(&self, now: Instant) -> Option<&Sent> {
        self.packets.back().filter(|sent| now.saturating_duration_since(sent.left) <= KEPT_FOR)
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

    fn sent(seq: u64, left: Instant) -> Sent {
        Sent {
            seq,
            time: 0,
            marker: false,
            payload_type: 97,
            payload: [seq as u8].into(),
            picture: None,
            quarter_turns: None,
            left,
            again: None,
        }
    }

    #[test]
    fn what_left_within_the_last_second_is_found_by_its_number_also_where_that_wraps() {
        let start = Instant::now();
        let mut kept = Kept::default();
        for seq in 65_500..65_600 {
            // One of three was never sent, and two came in the other order.
            if seq % 3 != 0 {
                kept.keep(sent(seq ^ u64::from(seq % 3 == 1) << 1, start));
            }
        }
        assert!(kept.packets.iter().is_sorted_by_key(|sent| sent.seq));
        let all: Vec<u64> = kept.packets.iter().map(|sent| sent.seq).collect();
        for seq in &all {
            assert_eq!(kept.missing(*seq as u16, start + KEPT_FOR).map(|sent| sent.seq), Some(*seq));
        }
        assert!(kept.missing(all[0] as u16 - 1, start).is_none() && kept.missing(9_999, start).is_none());
        assert!(kept.missing(all[5] as u16, start + KEPT_FOR + MS).is_none());
        kept.keep(sent(70_000, start + KEPT_FOR + MS));
        assert_eq!(kept.packets.len(), 1);
    }

    #[test]
    fn there_are_never_more_than_the_most() {
        let start = Instant::now();
        let mut kept = Kept::default();
        (0..5_000).for_each(|seq| kept.keep(sent(seq, start)));
        assert_eq!(kept.packets.len(), MOST);
        (0..200).for_each(|seq| kept.keep(sent(6_000 + seq, start + MS * 10 * seq as u32 + MS * 900)));
        assert!(kept.packets.capacity() <= 512, "{}", kept.packets.capacity());
    }
}
