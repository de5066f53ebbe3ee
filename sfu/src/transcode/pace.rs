//! Real time, decided without a clock: which of the source's pictures are encoded, when the next keyframe is due in all
//! rungs, whether a picture has come too late, and whether a rung has bits left for it.

use super::frame::MediaTime;
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Ticks of media time in a second.
const SECOND: i64 = 90_000;
/// Pictures a second that rungs have at most; what comes faster is thinned.
pub const FASTEST: i64 = 30;
/// From one keyframe of all rungs to the next.
pub const CADENCE: i64 = 2 * SECOND;
/// Both clocks may differ by this much from one picture to the next; more is a jump, and all is measured anew.
const JUMP: i64 = SECOND;
/// How late a picture may be and still be encoded.
const LATE: Duration = Duration::from_millis(80);

/// Takes the source's pictures at an even pace and numbers those it takes.
#[derive(Debug, Default)]
pub struct Thinning {
    last: Option<MediaTime>,
    due: i64,
    next: u64,
    /// The usual distance of two pictures, smoothed.
    interval: Option<f64>,
}

impl Thinning {
    /// The number of this picture if it is taken.
    pub fn take(&mut self, time: MediaTime) -> Option<u64> {
        let step = SECOND / FASTEST;
        let since = self.last.map(|last| time.0.saturating_sub(last.0));
        match since {
            Some(since @ 1..JUMP) => {
                // A third of a step early is on time: sources jitter.
                if time.0 < self.due - step / 3 {
                    return None;
                }
                let since = since as f64;
                self.interval = Some(self.interval.map_or(since, |usual| usual + (since - usual) / 16.0));
                self.due = (self.due + step).max(time.0 + step / 2);
            }
            // The first, or the clock has jumped.
            _ => self.due = time.0.saturating_add(step),
        }
        self.last = Some(time);
        let number = self.next;
        self.next += 1;
        Some(number)
    }

    /// How many pictures a second are taken, if that is known.
    pub fn rate(&self) -> Option<f64> {
        const ENOUGH: u64 = 10;
        self.interval.filter(|_| self.next > ENOUGH).map(|interval| SECOND as f64 / interval)
    }

    /// The usual distance of two pictures that are taken, in ticks.
    fn interval(&self) -> i64 {
        self.interval.map_or(SECOND / FASTEST, |interval| interval as i64)
    }
}

/// Plans one keyframe for all rungs every two seconds, as far ahead as their encoders want to know.
#[derive(Debug, Default)]
pub struct Cadence {
    planned: Option<u64>,
    last: Option<MediaTime>,
}

impl Cadence {
    /// Number of the picture that is the next keyframe of every rung, if it is settled. `lead`: how many pictures ahead it has
    /// to be; `every`: its number is a multiple of this.
    pub fn next(
        &mut self,
        number: u64,
        time: MediaTime,
        pace: &Thinning,
        lead: u64,
        every: u64,
    ) -> Option<u64> {
        if self.planned.is_some_and(|planned| planned <= number) {
            self.planned = None;
            self.last = Some(time);
        }
        let since = self.last.map_or(i64::MAX, |last| time.0.saturating_sub(last.0));
        if !(0..CADENCE + JUMP).contains(&since) {
            // Begins here, or the source's clock has jumped.
            self.last = Some(time);
            return self.planned;
        }
        if self.planned.is_none() {
            let ahead = lead as i64 * pace.interval();
            if since + ahead >= CADENCE {
                self.planned = Some((number + lead).next_multiple_of(every.max(1)));
            }
        }
        self.planned
    }
}

/// How late pictures come, by the fastest of late.
#[derive(Debug, Default)]
pub struct Punctuality {
    begin: Option<(Instant, MediaTime)>,
    /// The smallest distance of both clocks in this span and in the one before, in seconds.
    least: [Option<f64>; 2],
    turned: Option<Instant>,
}

impl Punctuality {
    /// How late this picture is, against the most punctual of the last ten to twenty seconds.
    pub fn late(&mut self, time: MediaTime, now: Instant) -> Duration {
        const SPAN: Duration = Duration::from_secs(10);
        let (first, media) = *self.begin.get_or_insert((now, time));
        let passed = now.saturating_duration_since(first).as_secs_f64();
        let distance = passed - time.0.saturating_sub(media.0) as f64 / SECOND as f64;
        let known = self.least.iter().flatten().copied().reduce(f64::min);
        if known.is_some_and(|known| (distance - known).abs() > 2.0) {
            // One of the clocks jumped.
            *self = Self { begin: Some((now, time)), least: [Some(0.0), None], turned: Some(now) };
            return Duration::ZERO;
        }
        if now.saturating_duration_since(*self.turned.get_or_insert(now)) > SPAN {
            self.turned = Some(now);
            self.least = [None, self.least[0]];
        }
        self.least[0] = Some(self.least[0].map_or(distance, |least| least.min(distance)));
        let least = self.least.iter().flatten().copied().fold(distance, f64::min);
        Duration::from_secs_f64((distance - least).max(0.0))
    }

    /// Whether a picture this late isn't encoded any more.
    pub fn too_late(late: Duration) -> bool {
        late > LATE
    }
}

/// What a rung may still send: its rate over any two seconds.
#[derive(Debug)]
pub struct Budget {
    /// Bytes a second.
    rate: f64,
    sent: VecDeque<(MediaTime, usize)>,
    sum: usize,
    usual: f64,
}

impl Budget {
    /// For so many bits a second.
    pub fn new(bits: u64) -> Self {
        Self { rate: bits as f64 / 8.0, sent: VecDeque::new(), sum: 0, usual: 0.0 }
    }

    /// Whether there is room for a picture at this time, as large as they usually are.
    pub fn room(&mut self, time: MediaTime) -> bool {
        self.forget(time);
        self.sum as f64 + self.usual <= self.rate * 2.0 * 1.1
    }

    /// Counts what was encoded.
    pub fn spend(&mut self, time: MediaTime, keyframe: bool, bytes: usize) {
        self.forget(time);
        self.sent.push_back((time, bytes));
        self.sum += bytes;
        if !keyframe {
            self.usual += (bytes as f64 - self.usual) / 8.0;
        }
    }

    fn forget(&mut self, time: MediaTime) {
        while let Some(&(first, bytes)) = self.sent.front()
            && !(0..2 * SECOND).contains(&time.0.saturating_sub(first.0))
        {
            self.sent.pop_front();
            self.sum -= bytes;
        }
    }
}
