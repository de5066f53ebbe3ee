//! Which sound a viewer gets: the source's, or the low-bitrate one that the server makes of it.
//!
//! The low one is for whoever has no picture, and for whom not even the smallest picture and the source's sound fit together. It
//! begins quickly, so that the sound doesn't break up, and ends with care, as each change can be heard.

use super::{path::Path, select::Since};
use std::time::{Duration, Instant};

/// The low one is of use if the source's takes so many times as much.
const WORTH: f64 = 1.5;
/// For so long the network has been too narrow, before the low one is taken,
const POOR_FOR: Duration = Duration::from_millis(700);
/// and for so long it has had room for the source's, so many times as much as it takes, before that is taken again.
const FINE_FOR: Duration = Duration::from_secs(6);
const ROOM: f64 = 1.3;
/// Too narrow is what has less than this share of what is sent, or less than that and a queue or loss to show for it: the
/// congestion controller errs downward.
const SHORT: f64 = 0.8;
/// Beside a picture that takes more than so many times as much, the sound makes no difference.
const MATTERS: f64 = 10.0;

/// What there is to be heard. `T` names a track.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sounds<T> {
    /// What the publisher sends, and its bits a second.
    pub source: Option<(T, u64)>,
    /// What is made of it, or would be if somebody wanted it, and its bits a second.
    pub low: Option<(T, u64)>,
}

impl<T> Default for Sounds<T> {
    fn default() -> Self {
        Self { source: None, low: None }
    }
}

/// What is sent beside the sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    /// A picture that isn't the smallest there is: the network has room.
    Picture,
    /// The smallest picture, of so many bits a second; 0 where there is none to be had.
    Smallest(u64),
    /// No picture, as the viewer wants none, or as not even the smallest fits.
    Nothing,
}

/// See the module. One for each viewer.
#[derive(Debug, Default)]
pub struct SoundSelector {
    low: bool,
    /// Since when the network is too narrow.
    poor: Since,
    /// Since when it has had room.
    fine: Since,
}

impl SoundSelector {
    /// The track that the viewer is to hear, if there is any.
    pub fn choose<T: Copy>(
        &mut self,
        sounds: &Sounds<T>,
        beside: Beside,
        path: Path,
        now: Instant,
    ) -> Option<T> {
        let Some((source, takes)) = sounds.source else {
            *self = Self::default();
            return None;
        };
        let is_worth = |(_, bits): &(T, u64)| takes as f64 >= *bits as f64 * WORTH || self.low;
        let Some((low, _)) = sounds.low.filter(is_worth) else {
            *self = Self::default();
            return Some(source);
        };
        let with = |picture: u64| (picture + takes) as f64;
        let carries = path.estimate.map_or(f64::INFINITY, |bits| bits as f64);
        let (is_poor, is_fine) = match beside {
            Beside::Nothing => (true, false),
            Beside::Smallest(picture) if picture as f64 <= takes as f64 * MATTERS => {
                let share = carries / with(picture);
                (share < SHORT || share < 1.0 && path.is_congested(), share >= ROOM)
            }
            Beside::Picture | Beside::Smallest(_) => (false, true),
        };
        let poor = self.poor.held(is_poor, POOR_FOR, now);
        let fine = self.fine.held(is_fine && !path.is_congested(), FINE_FOR, now);
        if beside == Beside::Nothing || poor {
            self.low = true;
        } else if fine {
            self.low = false;
        }
        Some(if self.low { low } else { source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const SOURCE: u8 = 1;
    const LOW: u8 = 2;
    const BOTH: Sounds<u8> = Sounds { source: Some((SOURCE, 64_000)), low: Some((LOW, 24_000)) };

    fn path(bits: u64) -> Path {
        Path { estimate: Some(bits), loss: 0.0, queueing: Duration::ZERO }
    }

    /// What is heard at the end of so long, looked at ten times a second; and how often it changed.
    fn after(
        selector: &mut SoundSelector,
        now: &mut Instant,
        beside: Beside,
        path: Path,
        long: Duration,
    ) -> (Option<u8>, u32) {
        let (mut heard, mut changes) = (None, 0);
        let until = *now + long;
        while *now < until {
            *now += MS * 100;
            let next = selector.choose(&BOTH, beside, path, *now);
            changes += u32::from(heard.is_some() && next != heard);
            heard = next;
        }
        (heard, changes)
    }

    #[test]
    fn without_a_picture_the_low_one_is_heard_at_once() {
        let now = Instant::now();
        let mut selector = SoundSelector::default();
        assert_eq!(selector.choose(&BOTH, Beside::Nothing, path(9_000_000), now), Some(LOW));
        let none = Sounds { low: None, ..BOTH };
        assert_eq!(
            selector.choose(&none, Beside::Nothing, path(9_000_000), now),
            Some(SOURCE),
            "there is none"
        );
        let silent: Sounds<u8> = Sounds::default();
        assert_eq!(selector.choose(&silent, Beside::Nothing, path(9_000_000), now), None);
    }

    #[test]
    fn what_is_not_much_larger_stays() {
        let now = Instant::now();
        let mut selector = SoundSelector::default();
        let small = Sounds { source: Some((SOURCE, 30_000)), ..BOTH };
        assert_eq!(selector.choose(&small, Beside::Nothing, path(20_000), now), Some(SOURCE));
        // What is measured of sound goes up and down with what is said.
        assert_eq!(selector.choose(&BOTH, Beside::Nothing, path(20_000), now), Some(LOW));
        assert_eq!(
            selector.choose(&small, Beside::Nothing, path(20_000), now),
            Some(LOW),
            "it is heard already"
        );
    }

    #[test]
    fn a_narrow_network_gets_the_low_one_quickly_and_the_source_again_with_care() {
        let mut now = Instant::now();
        let mut selector = SoundSelector::default();
        let smallest = Beside::Smallest(110_000);
        assert_eq!(
            after(&mut selector, &mut now, Beside::Picture, path(900_000), MS * 3000),
            (Some(SOURCE), 0)
        );
        assert_eq!(after(&mut selector, &mut now, smallest, path(130_000), MS * 600), (Some(SOURCE), 0));
        assert_eq!(after(&mut selector, &mut now, smallest, path(130_000), MS * 400), (Some(LOW), 1));
        // A little more is no room, and neither is a moment of much more.
        assert_eq!(after(&mut selector, &mut now, smallest, path(200_000), MS * 20_000), (Some(LOW), 0));
        assert_eq!(after(&mut selector, &mut now, smallest, path(400_000), MS * 5500), (Some(LOW), 0));
        let crowded = Path { queueing: Duration::from_secs(1), ..path(400_000) };
        assert_eq!(after(&mut selector, &mut now, smallest, crowded, MS * 9000), (Some(LOW), 0));
        assert_eq!(after(&mut selector, &mut now, smallest, path(400_000), MS * 6200), (Some(SOURCE), 1));
    }

    #[test]
    fn a_picture_that_comes_back_brings_the_source_s_sound_back_later() {
        let mut now = Instant::now();
        let mut selector = SoundSelector::default();
        assert_eq!(after(&mut selector, &mut now, Beside::Nothing, path(40_000), MS * 200), (Some(LOW), 0));
        assert_eq!(after(&mut selector, &mut now, Beside::Picture, path(900_000), MS * 5900), (Some(LOW), 0));
        assert_eq!(
            after(&mut selector, &mut now, Beside::Picture, path(900_000), MS * 500),
            (Some(SOURCE), 1)
        );
    }

    #[test]
    fn an_estimate_that_sways_changes_it_seldom() {
        let mut now = Instant::now();
        let mut selector = SoundSelector::default();
        let mut changes = 0;
        let mut heard = Some(SOURCE);
        // Two minutes around what the picture and the sound take.
        for tick in 0..1200_u64 {
            now += MS * 100;
            let bits = 174_000 + (tick * 7919 % 121) * 1000 - 60_000;
            let next = selector.choose(&BOTH, Beside::Smallest(110_000), path(bits), now);
            changes += u32::from(next != heard);
            heard = next;
        }
        assert!(changes <= 1, "{changes}");
    }

    #[test]
    fn a_queue_shows_what_an_estimate_alone_does_not() {
        let mut now = Instant::now();
        let mut selector = SoundSelector::default();
        let smallest = Beside::Smallest(110_000);
        assert_eq!(after(&mut selector, &mut now, smallest, path(160_000), MS * 9000), (Some(SOURCE), 0));
        let crowded = Path { queueing: Duration::from_secs(1), ..path(160_000) };
        assert_eq!(after(&mut selector, &mut now, smallest, crowded, MS * 1000), (Some(LOW), 1));
        // Beside two megabits, forty kilobits are nothing.
        let mut other = SoundSelector::default();
        let crowded = Path { estimate: Some(900_000), ..crowded };
        let large = Beside::Smallest(2_000_000);
        assert_eq!(after(&mut other, &mut now, large, crowded, MS * 9000), (Some(SOURCE), 0));
    }

    #[test]
    fn what_is_not_known_of_a_network_is_no_reason() {
        let mut now = Instant::now();
        let mut selector = SoundSelector::default();
        let unknown = Path { estimate: None, loss: 0.0, queueing: Duration::ZERO };
        let smallest = Beside::Smallest(0);
        assert_eq!(after(&mut selector, &mut now, smallest, unknown, MS * 9000), (Some(SOURCE), 0));
    }
}
