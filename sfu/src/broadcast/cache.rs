//! The packets since a track's last keyframe, kept so that a newcomer can start without asking the publisher.

use super::packet::Packet;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// The longest group of pictures that is kept: OBS's longest usual one is 10 s.
const LONGEST: Duration = Duration::from_secs(12);
/// The most payload bytes kept for one track.
const MOST_BYTES: usize = 16 << 20;
/// Bounds the bookkeeping where packets are tiny.
const MOST_PACKETS: usize = 16_384;
/// From this age, or this share of the bytes or packets, on it is about to be outgrown.
const ALMOST: Duration = Duration::from_millis(10_500);
const ALMOST_OF: usize = 4;
/// How far behind the newest packet (in ticks of 90 kHz: 1 s) one that is missing may still be repaired.
const REPAIRABLE: u32 = 90_000;

/// One track's packets from its last keyframe on, in order of sequence number. A group that outgrows it is forgotten whole,
/// until the next keyframe: what begins anywhere else can't be decoded.
#[derive(Debug, Default)]
pub struct KeyframeCache {
    packets: Vec<Arc<Packet>>,
    bytes: usize,
    started: Option<Instant>,
}

impl KeyframeCache {
    /// Takes the next packet as it arrived. A late one is put in its place; one from before the keyframe is left out.
    pub fn push(&mut self, packet: &Arc<Packet>, now: Instant) {
        if self.holds(packet.seq) {
            return;
        }
        let first = self.packets.first().map(|first| (first.seq, first.time));
        if packet.starts_keyframe && first.is_none_or(|(seq, _)| seq < packet.seq) {
            // Its first packet may come after others of it.
            let older = self.packets.partition_point(|kept| kept.seq < packet.seq);
            self.bytes -= self.packets.drain(..older).map(|packet| packet.payload.len()).sum::<usize>();
            self.started = Some(now);
        } else if first
            .is_some_and(|(seq, time)| packet.seq < seq && !(packet.starts_keyframe && packet.time == time))
        {
            return;
        }
        let Some(started) = self.started else { return };
        if now.saturating_duration_since(started) > LONGEST
            || self.bytes + packet.payload.len() > MOST_BYTES
            || self.packets.len() >= MOST_PACKETS
        {
            self.clear();
            return;
        }
        let at = self.packets.iter().rposition(|kept| kept.seq < packet.seq);
        self.packets.insert(at.map_or(0, |at| at + 1), Arc::clone(packet));
        self.bytes += packet.payload.len();
    }

    /// Whether it has the packet of that sequence number.
    pub fn holds(&self, seq: u64) -> bool {
        self.packets.binary_search_by_key(&seq, |packet| packet.seq).is_ok()
    }

    /// What a newcomer needs, oldest first; empty if there is no keyframe to start from.
    pub fn packets(&self) -> &[Arc<Packet>] {
        &self.packets
    }

    /// The payload bytes of [`Self::packets`].
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// How long ago the keyframe came that a newcomer would start from. `None`: there is none, or what came since has a
    /// hole that nobody will repair any more.
    pub fn age(&self, now: Instant) -> Option<Duration> {
        let started = self.started.filter(|_| !self.packets.is_empty() && !self.has_hole())?;
        Some(now.saturating_duration_since(started))
    }

    /// Whether it will be outgrown soon, if no keyframe comes; also where it has been, or never was any.
    pub fn is_almost_outgrown(&self, now: Instant) -> bool {
        let most = |most: usize| most - most / ALMOST_OF;
        self.started.is_none_or(|started| now.saturating_duration_since(started) >= ALMOST)
            || self.bytes >= most(MOST_BYTES)
            || self.packets.len() >= most(MOST_PACKETS)
    }

    fn has_hole(&self) -> bool {
        let (Some(first), Some(last)) = (self.packets.first(), self.packets.last()) else { return false };
        if last.seq - first.seq + 1 == self.packets.len() as u64 {
            return false;
        }
        let hole = self.packets.windows(2).find(|pair| pair[1].seq != pair[0].seq + 1);
        hole.is_some_and(|pair| last.time.wrapping_sub(pair[1].time).cast_signed() > REPAIRABLE.cast_signed())
    }

    /// Forgets everything until the next keyframe.
    pub fn clear(&mut self) {
        self.packets.clear();
        self.bytes = 0;
        self.started = None;
    }
}

#[cfg(test)]
mod tests {
    use super::{super::hub::tests::packet, *};

    #[test]
    fn it_holds_what_came_since_the_last_keyframe_in_order() {
        let now = Instant::now();
        let mut cache = KeyframeCache::default();
        cache.push(&packet(1, false), now);
        assert!(cache.packets().is_empty(), "nothing can start before a keyframe");
        for (seq, key) in [(2, true), (4, false), (3, false), (3, false), (1, false)] {
            cache.push(&packet(seq, key), now);
        }
        let seqs: Vec<_> = cache.packets().iter().map(|p| p.seq).collect();
        assert_eq!(seqs, [2, 3, 4]);
        cache.push(&packet(9, true), now);
        assert_eq!(cache.packets().len(), 1);
        cache.push(&packet(2, true), now);
        assert_eq!(cache.packets()[0].seq, 9, "a late old keyframe does not throw away a newer one");
    }

    #[test]
    fn it_is_bounded_in_time_bytes_and_packets() {
        let start = Instant::now();
        let mut cache = KeyframeCache::default();
        cache.push(&packet(1, true), start);
        cache.push(&packet(2, false), start + LONGEST + Duration::from_millis(1));
        assert!(cache.packets().is_empty());
        cache.push(&packet(3, false), start + LONGEST);
        assert!(cache.packets().is_empty(), "only a keyframe starts it again");

        cache.push(&packet(10, true), start);
        for seq in 11..11 + MOST_PACKETS as u64 {
            cache.push(&packet(seq, false), start);
        }
        assert!(cache.packets().is_empty());

        let payload: Arc<[u8]> = vec![0; MOST_BYTES / 8].into();
        let large =
            |seq, key| Arc::new(Packet { payload: Arc::clone(&payload), ..Packet::clone(&packet(seq, key)) });
        cache.push(&large(20, true), start);
        for seq in 21..28 {
            cache.push(&large(seq, false), start);
            cache.push(&large(seq, false), start);
        }
        assert_eq!(cache.packets().len(), 8, "a repetition takes no room");
        cache.push(&large(28, false), start);
        assert!(cache.packets().is_empty());
        assert_eq!(cache.bytes(), 0);
    }

    #[test]
    fn it_says_ahead_of_time_that_it_will_be_outgrown() {
        let start = Instant::now();
        let mut cache = KeyframeCache::default();
        assert!(cache.is_almost_outgrown(start), "there is none");
        cache.push(&packet(1, true), start);
        assert!(!cache.is_almost_outgrown(start + Duration::from_secs(10)));
        assert!(cache.is_almost_outgrown(start + ALMOST));
        let payload: Arc<[u8]> = vec![0; MOST_BYTES / 4].into();
        for seq in 2..5 {
            assert!(!cache.is_almost_outgrown(start));
            cache.push(
                &Arc::new(Packet { payload: Arc::clone(&payload), ..Packet::clone(&packet(seq, false)) }),
                start,
            );
        }
        assert!(cache.is_almost_outgrown(start));
    }

    #[test]
    fn a_keyframe_whose_packets_come_in_any_order_is_kept_whole() {
        let now = Instant::now();
        let mut cache = KeyframeCache::default();
        cache.push(&packet(1, true), now);
        let of_frame = |seq, starts| Arc::new(Packet { time: 90_000, ..Packet::clone(&packet(seq, starts)) });
        for (seq, starts) in [(4, false), (3, true), (5, false), (2, true)] {
            cache.push(&of_frame(seq, starts), now);
        }
        let seqs: Vec<_> = cache.packets().iter().map(|p| p.seq).collect();
        assert_eq!(seqs, [2, 3, 4, 5]);
        assert_eq!(cache.bytes(), cache.packets().iter().map(|p| p.payload.len()).sum::<usize>());
    }

    #[test]
    fn a_hole_that_can_still_be_repaired_is_none() {
        let now = Instant::now();
        let mut cache = KeyframeCache::default();
        cache.push(&packet(1, true), now);
        // Each packet is a thirtieth of a second.
        for seq in (2..=60).filter(|seq| *seq != 29) {
            cache.push(&packet(seq, false), now);
            assert_eq!(cache.age(now).is_some(), seq <= 60, "{seq}");
        }
        cache.push(&packet(61, false), now);
        assert_eq!(cache.age(now), None, "a newcomer's picture would stop there");
        cache.push(&packet(29, false), now);
        assert!(cache.age(now).is_some(), "repaired after all");
    }
}
