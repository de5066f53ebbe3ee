//! The packets since a track's last keyframe, kept so that a newcomer can start without asking the publisher.

use super::packet::Packet;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// The longest group of pictures that is kept: OBS's default is about 8 s.
const LONGEST: Duration = Duration::from_secs(12);
/// The most payload bytes kept for one track; beyond it the cache is empty until the next keyframe.
const MOST_BYTES: usize = 16 << 20;
/// Bounds the bookkeeping where packets are tiny.
const MOST_PACKETS: usize = 16_384;

/// One track's packets from its last keyframe on, in order of sequence number.
#[derive(Debug, Default)]
pub struct KeyframeCache {
    packets: Vec<Arc<Packet>>,
    bytes: usize,
    started: Option<Instant>,
}

impl KeyframeCache {
    /// Takes the next packet as it arrived. A late one is put in its place; one from before the keyframe is left out.
    pub fn push(&mut self, packet: &Arc<Packet>, now: Instant) {
        if packet.starts_keyframe && self.packets.first().is_none_or(|first| first.seq < packet.seq) {
            self.clear();
            self.started = Some(now);
        }
        let (Some(started), first) = (self.started, self.packets.first()) else { return };
        if first.is_some_and(|first| packet.seq < first.seq) {
            return;
        }
        self.bytes += packet.payload.len();
        if now.duration_since(started) > LONGEST
            || self.bytes > MOST_BYTES
            || self.packets.len() >= MOST_PACKETS
        {
            self.clear();
            return;
        }
        let at = self.packets.iter().rposition(|kept| kept.seq <= packet.seq);
        match at {
            Some(at) if self.packets[at].seq == packet.seq => {}
            at => self.packets.insert(at.map_or(0, |at| at + 1), Arc::clone(packet)),
        }
    }

    /// Whether it has the packet of that sequence number.
    pub fn holds(&self, seq: u64) -> bool {
        self.packets.binary_search_by_key(&seq, |packet| packet.seq).is_ok()
    }

    /// What a newcomer needs, oldest first; empty if there is no keyframe to start from.
    pub fn packets(&self) -> &[Arc<Packet>] {
        &self.packets
    }

    /// How long ago the keyframe arrived that the cache begins with.
    pub fn age(&self, now: Instant) -> Option<Duration> {
        let started = self.started.filter(|_| !self.packets.is_empty())?;
        Some(now.saturating_duration_since(started))
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
    }
}
