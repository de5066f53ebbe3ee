//! How fast a cache is replayed to one viewer: much faster than real time, and not so fast that the datagrams overflow what
//! takes them in on the way.

use std::time::{Duration, Instant};

/// Bytes that leave at once: most keyframes. Systems give a socket room for twice as much where nobody asked for more.
const AT_ONCE: usize = 64 << 10;
/// Bytes a second at least: 40 Mbit/s.
const PACE: usize = 5_000_000;
/// How long the longest replay takes, as what is replayed has its places in the viewer's stream for a while only.
const LONGEST: Duration = Duration::from_secs(1);

/// See the module. Meanwhile what is live isn't sent: it goes into the cache, and comes from there in its turn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Replay<T> {
    /// The track.
    pub track: T,
    /// The sequence number that is next. What comes late and is lower has had its turn.
    pub next: u64,
    pace: usize,
    may_send: usize,
    at: Instant,
}

impl<T: Copy + PartialEq> Replay<T> {
    /// A replay of `bytes` of `track`, from sequence number `first` on.
    pub fn new(track: T, first: u64, bytes: usize, now: Instant) -> Self {
        let pace = PACE.max((bytes as f64 / LONGEST.as_secs_f64()) as usize);
        Self { track, next: first, pace, may_send: AT_ONCE, at: now }
    }

    /// Whether a live packet has to wait for its turn.
    pub fn holds(&self, track: T, seq: u64) -> bool {
        self.track == track && seq >= self.next
    }

    /// Time passed: more may leave.
    pub fn advance(&mut self, now: Instant) {
        let earned = now.saturating_duration_since(self.at).as_secs_f64() * self.pace as f64;
        self.may_send = (self.may_send + earned as usize).min(AT_ONCE.max(self.pace / 50));
        self.at = now;
    }

    /// Whether a packet of so many bytes may leave now; it has, if so. The last one may be larger than what is left.
    pub fn take(&mut self, seq: u64, bytes: usize) -> bool {
        let may = self.may_send > 0;
        if may {
            self.may_send = self.may_send.saturating_sub(bytes);
            self.next = seq + 1;
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: usize = 1100;

    /// How long a replay of `packets` takes if it is gone on with each `step`, and the most bytes that left at once.
    fn replayed(packets: u64, step: Duration) -> (Duration, usize) {
        let start = Instant::now();
        let mut now = start;
        let mut replay = Replay::new(7, 1, packets as usize * PACKET, now);
        let mut most = 0;
        loop {
            replay.advance(now);
            let before = replay.next;
            while replay.next <= packets && replay.take(replay.next, PACKET) {}
            most = most.max((replay.next - before) as usize * PACKET);
            if replay.next > packets {
                return (now - start, most);
            }
            now += step;
        }
    }

    #[test]
    fn a_keyframe_leaves_at_once_and_a_long_group_in_portions() {
        let ten_ms = Duration::from_millis(10);
        assert_eq!(replayed(50, ten_ms).0, Duration::ZERO);
        let (took, most) = replayed(850, ten_ms);
        assert!((Duration::from_millis(150)..Duration::from_millis(250)).contains(&took), "{took:?}");
        assert!(most <= AT_ONCE + PACKET, "{most}");
    }

    #[test]
    fn the_longest_takes_a_second_and_seldom_turns_do_not_make_it_burst() {
        let (took, _) = replayed(15_000, Duration::from_millis(10));
        assert!(took <= LONGEST + Duration::from_millis(100), "{took:?}");
        let (_, most) = replayed(850, Duration::from_millis(500));
        assert!(most <= PACE / 50 + PACKET, "{most}");
    }

    #[test]
    fn what_is_live_waits_for_its_turn_and_what_is_late_does_not() {
        let mut replay = Replay::new(7, 10, 3 * PACKET, Instant::now());
        assert!(replay.holds(7, 10) && replay.holds(7, 99));
        assert!(!replay.holds(8, 99), "another track");
        assert!(replay.take(10, PACKET));
        assert!(!replay.holds(7, 10));
    }
}
