//! Which peer is due when, without looking at all of them.

use super::{keyed::PeerMap, peer::PeerKey};
use std::{cmp::Reverse, collections::BinaryHeap, time::Instant};

/// A queue of deadlines, one for each peer. Setting a later deadline costs no heap operation: the entry is moved when it
/// comes up, so the heap holds at most about two entries a peer.
#[derive(Debug, Default)]
pub struct Timers {
    heap: BinaryHeap<Reverse<(Instant, PeerKey)>>,
    /// The wanted deadline, and the earliest one in the heap.
    peers: PeerMap<(Instant, Instant)>,
}

impl Timers {
    /// `peer` is due at `deadline`, and no longer when it was before.
    pub fn set(&mut self, peer: PeerKey, deadline: Instant) {
        match self.peers.get_mut(&peer) {
            Some((wanted, queued)) => {
                *wanted = deadline;
                if deadline < *queued {
                    *queued = deadline;
                    self.heap.push(Reverse((deadline, peer)));
                }
            }
            None => {
                self.peers.insert(peer, (deadline, deadline));
                self.heap.push(Reverse((deadline, peer)));
            }
        }
    }

    /// `peer` is gone.
    pub fn remove(&mut self, peer: PeerKey) {
        self.peers.remove(&peer);
    }

    /// When the next look is worth it; it may turn out that nobody is due.
    pub fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// The next peer that is due at `now`. It is not asked again before [`Self::set`].
    pub fn pop(&mut self, now: Instant) -> Option<PeerKey> {
        while let Some(&Reverse((at, peer))) = self.heap.peek() {
            if at > now {
                return None;
            }
            self.heap.pop();
            let Some((wanted, queued)) = self.peers.get_mut(&peer) else { continue };
            if *queued != at {
                continue;
            }
            if *wanted <= now {
                self.peers.remove(&peer);
                return Some(peer);
            }
            *queued = *wanted;
            self.heap.push(Reverse((*wanted, peer)));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn peers_come_up_once_at_their_last_set_deadline() {
        let now = Instant::now();
        let mut timers = Timers::default();
        timers.set(PeerKey(1), now + MS * 10);
        timers.set(PeerKey(2), now + MS * 20);
        timers.set(PeerKey(1), now + MS * 30);
        assert_eq!(timers.pop(now + MS * 15), None);
        assert_eq!(timers.pop(now + MS * 25), Some(PeerKey(2)));
        assert_eq!(timers.pop(now + MS * 25), None);
        timers.set(PeerKey(1), now + MS * 5);
        assert_eq!(timers.pop(now + MS * 40), Some(PeerKey(1)));
        assert_eq!(timers.pop(now + MS * 40), None);
    }

    #[test]
    fn moving_a_deadline_a_million_times_does_not_grow_the_heap() {
        let now = Instant::now();
        let mut timers = Timers::default();
        for step in 0..1_000_000 {
            timers.set(PeerKey(1), now + MS * (step + 1));
        }
        assert!(timers.heap.len() <= 2);
        timers.remove(PeerKey(1));
        assert_eq!(timers.pop(now + MS * 2_000_000), None);
    }
}
