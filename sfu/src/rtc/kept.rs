//! How many of the packets that were sent to a peer are worth keeping, to be sent again: as many as there are in the time
//! within which a repair isn't too late, and no more, as they are most of what a viewer costs in memory.

use std::time::{Duration, Instant};

/// The most: three quarters of a second of 11 Mbit/s. A newcomer's replay needs them too.
pub const MOST: usize = 1024;
/// The least: a keyframe and some.
const LEAST: usize = 96;
/// What is sent again later than this after it was sent first comes too late for a live picture.
const WORTH: Duration = Duration::from_millis(750);
/// How long packets are counted before a size is chosen.
const COUNTED: Duration = Duration::from_secs(2);

/// See the module.
#[derive(Debug, Clone, Copy)]
pub struct Kept {
    size: usize,
    since: Option<Instant>,
    packets: u32,
}

impl Default for Kept {
    fn default() -> Self {
        Self { size: MOST, since: None, packets: 0 }
    }
}

impl Kept {
    /// A packet was sent for the first time. Answers another size where the one so far doesn't fit: what was kept is then
    /// dropped, so that this isn't done lightly.
    pub fn sent(&mut self, now: Instant) -> Option<usize> {
        let since = *self.since.get_or_insert(now);
        self.packets += 1;
        let counted = now.saturating_duration_since(since);
        if counted < COUNTED {
            return None;
        }
        let rate = f64::from(self.packets) / counted.as_secs_f64();
        (self.since, self.packets) = (Some(now), 0);
        // Frames aren't all of one size.
        let wanted = ((rate * WORTH.as_secs_f64() * 1.2) as usize).clamp(LEAST, MOST);
        let fits = self.size >= wanted - wanted / 5 && self.size < wanted * 2;
        if fits {
            return None;
        }
        self.size = wanted;
        Some(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends so many packets a second for `seconds`; what it answers.
    fn send(kept: &mut Kept, now: &mut Instant, rate: u32, seconds: u32) -> Vec<usize> {
        let mut answers = Vec::new();
        for _ in 0..rate * seconds {
            answers.extend(kept.sent(*now));
            *now += Duration::from_secs(1) / rate;
        }
        answers
    }

    #[test]
    fn after_a_replay_it_shrinks_once_to_what_the_stream_needs() {
        let (mut kept, mut now) = (Kept::default(), Instant::now());
        for _ in 0..2000 {
            assert_eq!(kept.sent(now), None, "the replay's own packets stay");
        }
        let answers = send(&mut kept, &mut now, 170, 60);
        assert_eq!(answers, [153]);
    }

    #[test]
    fn it_grows_with_the_bitrate_and_is_bounded() {
        let (mut kept, mut now) = (Kept::default(), Instant::now());
        send(&mut kept, &mut now, 170, 10);
        assert_eq!(send(&mut kept, &mut now, 500, 10).last(), Some(&450));
        assert_eq!(send(&mut kept, &mut now, 5000, 10).last(), Some(&MOST));
        assert_eq!(send(&mut kept, &mut now, 10, 10).last(), Some(&LEAST));
    }

    #[test]
    fn a_bitrate_that_sways_changes_nothing() {
        let (mut kept, mut now) = (Kept::default(), Instant::now());
        send(&mut kept, &mut now, 200, 10);
        for rate in [180, 220, 150, 210, 200] {
            assert!(send(&mut kept, &mut now, rate, 5).is_empty());
        }
    }
}
