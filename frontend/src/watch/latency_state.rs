//! How old the picture is, from the frames that were shown: measured or absent, never guessed.
//!
//! The server says when a frame was captured, by its clock and by the frame's RTP timestamp; the browser says which frame
//! it shows. Two clocks meet, so the server's is read off the answer that took the least time to come.

use shared::watch::PlayoutClock;
use std::collections::VecDeque;

/// The answers that the server's clock is read off.
const ANSWERS: usize = 6;
/// The frames that the shown value is the median of.
const FRAMES: usize = 45;
/// Fewer say nothing yet.
const FRAMES_LEAST: usize = 10;
/// Clocks that disagree give nonsense: beyond this nothing is said.
const PLAUSIBLE: f64 = 30_000.0;
/// Ticks of an RTP timestamp in a millisecond.
const TICKS: f64 = 90.0;

/// An answer of the session's clock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answer {
    /// When it was asked for, in milliseconds of the page's clock.
    pub asked: f64,
    /// When it came.
    pub came: f64,
    /// What it says.
    pub clock: PlayoutClock,
}

impl Answer {
    fn took(&self) -> f64 {
        self.came - self.asked
    }

    /// The server's clock minus the page's.
    fn offset(&self) -> f64 {
        self.clock.server_time - f64::midpoint(self.asked, self.came)
    }

    fn makes_sense(&self) -> bool {
        let numbers = [self.asked, self.came, self.clock.captured_at, self.clock.server_time];
        numbers.into_iter().all(f64::is_finite) && self.took() >= 0.0
    }
}

/// Latency, of one session.
#[derive(Debug, Default)]
pub struct Latency {
    answers: VecDeque<Answer>,
    ages: VecDeque<u32>,
}

impl Latency {
    /// The server answered.
    pub fn heard(&mut self, answer: Answer) {
        if !answer.makes_sense() {
            return;
        }
        if self.answers.len() == ANSWERS {
            self.answers.pop_front();
        }
        self.answers.push_back(answer);
    }

    /// A frame with this RTP timestamp is on the screen at `at`, by the page's clock.
    pub fn shown(&mut self, rtp_timestamp: u32, at: f64) {
        let quickest =
            self.answers.iter().reduce(|best, one| if one.took() < best.took() { one } else { best });
        let (Some(quickest), Some(Answer { clock, .. })) = (quickest, self.answers.back()) else { return };
        // The frame may be older or newer than the one the server named: the shorter way round the circle.
        let ahead = rtp_timestamp.wrapping_sub(clock.rtp_timestamp) as i32;
        let captured = clock.captured_at + f64::from(ahead) / TICKS;
        let age = at + quickest.offset() - captured;
        if (0.0..PLAUSIBLE).contains(&age) {
            if self.ages.len() == FRAMES {
                self.ages.pop_front();
            }
            self.ages.push_back(age.round() as u32);
        }
    }

    /// The median of the last frames in milliseconds, once there are enough.
    pub fn millis(&self) -> Option<u32> {
        let middle = self.ages.len() / 2;
        let is_median = |age: &&u32| {
            let below = self.ages.iter().filter(|other| other < age).count();
            let up_to = self.ages.iter().filter(|other| other <= age).count();
            below <= middle && middle < up_to
        };
        self.ages.iter().find(is_median).copied().filter(|_| self.ages.len() >= FRAMES_LEAST)
    }
}

/// As the badge says it: `0.4 s`, or `40 ms` where tenths of a second say too little. No more digits than hold still.
pub fn words(millis: u32) -> String {
    match millis {
        0..95 => format!("{} ms", ((millis + 5) / 10 * 10).max(10)),
        _ => {
            let tenths = (millis + 50) / 100;
            format!("{}.{} s", tenths / 10, tenths % 10)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The server's clock is an hour ahead of the page's in these.
    const AHEAD: f64 = 3_600_000.0;

    fn answer(asked: f64, there: f64, back: f64, rtp_timestamp: u32, captured_at: f64) -> Answer {
        let clock = PlayoutClock { rtp_timestamp, captured_at, server_time: asked + there + AHEAD };
        Answer { asked, came: asked + there + back, clock }
    }

    /// Shows `count` frames, 33 ms apart from `from` on, each `age` after its capture.
    fn show(latency: &mut Latency, count: u32, from: f64, age: f64, first_timestamp: u32) {
        for frame in 0..count {
            let timestamp = first_timestamp.wrapping_add(frame * 2970);
            latency.shown(timestamp, from + f64::from(frame) * 33.0 + age);
        }
    }

    #[test]
    fn nothing_is_said_before_it_is_measured() {
        let mut latency = Latency::default();
        show(&mut latency, 100, 0.0, 40.0, 0);
        assert_eq!(latency.millis(), None, "no answer yet");
        latency.heard(answer(0.0, 1.0, 1.0, 0, AHEAD));
        show(&mut latency, 9, 0.0, 40.0, 0);
        assert_eq!(latency.millis(), None, "too few frames");
        show(&mut latency, 1, 297.0, 40.0, 9 * 2970);
        assert_eq!(latency.millis(), Some(40));
    }

    #[test]
    fn timestamps_go_around() {
        let mut latency = Latency::default();
        // The named frame is ten frames after the first shown one, and past the end of the circle.
        let first = u32::MAX - 5 * 2970;
        latency.heard(answer(330.0, 1.0, 1.0, first.wrapping_add(10 * 2970), AHEAD + 330.0));
        show(&mut latency, 30, 0.0, 120.0, first);
        assert_eq!(latency.millis(), Some(120));
    }

    #[test]
    fn the_quickest_answer_tells_the_servers_clock() {
        let mut latency = Latency::default();
        // 400 ms there and nothing back: taken alone it would put the server's clock 200 ms wrong.
        latency.heard(answer(0.0, 400.0, 0.0, 0, AHEAD));
        latency.heard(answer(1000.0, 2.0, 2.0, 0, AHEAD));
        latency.heard(answer(2000.0, 300.0, 0.0, 0, AHEAD));
        show(&mut latency, 20, 3000.0, 80.0, 3000 * 90);
        assert_eq!(latency.millis(), Some(80));
        // An answer is forgotten after six: clocks drift apart.
        for late in 0..6_u32 {
            latency.heard(answer(4000.0 + f64::from(late), 100.0, 0.0, 0, AHEAD));
        }
        show(&mut latency, 90, 5000.0, 80.0, 5000 * 90);
        assert_eq!(latency.millis(), Some(130));
    }

    #[test]
    fn a_frame_that_is_counted_anew_is_dated_by_the_newest_answer() {
        let mut latency = Latency::default();
        latency.heard(answer(0.0, 1.0, 1.0, 0, AHEAD));
        latency.heard(answer(5000.0, 5.0, 5.0, 77, AHEAD + 5000.0));
        show(&mut latency, 20, 5000.0, 60.0, 77);
        assert_eq!(latency.millis(), Some(60));
    }

    #[test]
    fn nonsense_is_dropped() {
        let mut latency = Latency::default();
        let mut bad = answer(10.0, 1.0, 1.0, 0, AHEAD);
        bad.came = 5.0;
        latency.heard(bad);
        latency.heard(answer(10.0, 1.0, 1.0, 0, f64::NAN));
        show(&mut latency, 20, 10.0, 40.0, 0);
        assert_eq!(latency.millis(), None, "answers that can't be");
        latency.heard(answer(0.0, 1.0, 1.0, 0, AHEAD));
        show(&mut latency, 50, 0.0, -20.0, 0);
        show(&mut latency, 50, 0.0, 40_000.0, 0);
        assert_eq!(latency.millis(), None, "shown before captured, or much too late");
        show(&mut latency, 11, 0.0, 45.0, 0);
        show(&mut latency, 5, 0.0, 3000.0, 0);
        assert_eq!(latency.millis(), Some(45), "a few that are off move nothing");
    }

    #[test]
    fn it_reads_without_more_digits_than_hold_still() {
        assert_eq!(
            [3, 27, 44, 94, 95, 380, 1249].map(words),
            ["10 ms", "30 ms", "40 ms", "90 ms", "0.1 s", "0.4 s", "1.2 s"]
        );
    }
}
