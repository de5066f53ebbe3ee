//! Real time, decided without a clock: which of the source's pictures are encoded, when the next keyframe is due in all
//! rungs, whether a picture has come too late, and whether a rung has bits left for it.

use super::frame::{MediaTime, Rung};
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Ticks of media time in a second.
const SECOND: i64 = 90_000;
const FASTEST: i64 = Rung::FASTEST as i64;
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
        if self.planned == Some(number) {
            self.last = Some(time);
        } else if self.planned.is_some_and(|planned| planned < number) {
            self.planned = None;
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

    /// The keyframe that was to be this picture couldn't be made of it: it is the next one that every rung takes.
    pub fn postpone(&mut self, number: u64, every: u64) {
        if self.planned == Some(number) {
            self.planned = Some((number + 1).next_multiple_of(every.max(1)));
        }
    }
}

/// How late pictures come, by the fastest of late.
#[derive(Debug, Default)]
pub struct Punctuality {
    begin: Option<(Instant, MediaTime)>,
    last: Option<MediaTime>,
    /// The smallest distance of both clocks in this span and in the one before, in seconds.
    least: [Option<f64>; 2],
    turned: Option<Instant>,
}

impl Punctuality {
    /// How late this picture is, against the most punctual of the last ten to twenty seconds.
    pub fn late(&mut self, time: MediaTime, now: Instant) -> Duration {
        const SPAN: Duration = Duration::from_secs(10);
        let step = self.last.replace(time).map_or(1, |last| time.0.saturating_sub(last.0));
        if !(1..JUMP).contains(&step) {
            // The source's clock jumped, which is no lateness.
            *self = Self { last: Some(time), ..Self::default() };
        }
        let (first, media) = *self.begin.get_or_insert((now, time));
        let passed = now.saturating_duration_since(first).as_secs_f64();
        let distance = passed - time.0.saturating_sub(media.0) as f64 / SECOND as f64;
        let known = self.least.iter().flatten().copied().reduce(f64::min);
        if known.is_some_and(|known| (distance - known).abs() > 2.0) {
            // One of the clocks jumped.
            *self = Self {
                begin: Some((now, time)),
                last: Some(time),
                least: [Some(0.0), None],
                turned: Some(now),
            };
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
    /// Bytes of a picture that is no keyframe, and of one that is, smoothed.
    usual: f64,
    usual_key: f64,
    begun: bool,
}

/// Of what two seconds may hold, this much is planned with: pictures differ,
const PLANNED: f64 = 2.0 * 1.07;
/// and this much is never exceeded.
const HELD: f64 = 2.0 * 1.1;

impl Budget {
    /// For so many bits a second.
    pub fn new(bits: u64) -> Self {
        Self {
            rate: bits as f64 / 8.0,
            sent: VecDeque::new(),
            sum: 0,
            usual: 0.0,
            usual_key: 0.0,
            begun: false,
        }
    }

    /// Whether there is room for a picture at this time, as large as they usually are. `begins`: it has to be a keyframe.
    pub fn room(&mut self, time: MediaTime, begins: bool) -> bool {
        self.forget(time);
        let expected = if begins { self.usual_key } else { self.usual };
        self.sum as f64 + expected <= self.rate * PLANNED
    }

    /// Bytes of the largest picture that may be sent now: half a second of the rate, within what two seconds may hold.
    pub fn most(&self) -> f64 {
        (self.rate / 2.0).min(self.rate * HELD - self.sum as f64).max(1.0)
    }

    /// Whether a picture is larger than may be. The first one may.
    pub fn is_too_large(&self, bytes: usize) -> bool {
        self.begun && bytes as f64 > self.most()
    }

    /// Counts what was encoded.
    pub fn spend(&mut self, time: MediaTime, keyframe: bool, bytes: usize) {
        self.forget(time);
        self.begun = true;
        self.sent.push_back((time, bytes));
        self.sum += bytes;
        let (usual, weight) = if keyframe { (&mut self.usual_key, 2.0) } else { (&mut self.usual, 8.0) };
        *usual += (bytes as f64 - *usual) / weight;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(thinning: &mut Thinning, times: impl Iterator<Item = i64>) -> Vec<i64> {
        times.filter(|time| thinning.take(MediaTime(*time)).is_some()).collect()
    }

    #[test]
    fn thirty_a_second_pass_and_more_are_thinned_to_that() {
        for (fps, expected) in [(15, 150), (24, 240), (30, 300), (50, 300), (60, 300), (120, 300), (240, 300)]
        {
            let mut thinning = Thinning::default();
            let times = taken(&mut thinning, (0..fps * 10).map(|number| number * SECOND / fps));
            let count = times.len() as i64;
            assert!((count - expected).abs() <= 3, "{count} of {fps} a second");
            let rate = thinning.rate().unwrap();
            assert!((rate - expected as f64 / 10.0).abs() < 1.0, "{rate} of {fps} a second");
        }
    }

    #[test]
    fn jitter_drops_nothing_of_thirty_a_second() {
        let mut thinning = Thinning::default();
        let jitter = |number: i64| (number * 7919 % 11 - 5) * 90;
        let times = taken(&mut thinning, (0..300).map(|number| number * 3000 + jitter(number)));
        assert!(times.len() > 290, "{}", times.len());
    }

    #[test]
    fn a_clock_that_jumps_both_ways_stops_nothing() {
        let mut thinning = Thinning::default();
        let times =
            [0, 3000, 6000, 900_000_000, 900_003_000, -5_000_000_000, -4_999_997_000, i64::MAX, i64::MIN, 0];
        assert_eq!(taken(&mut thinning, times.into_iter()).len(), times.len());
    }

    #[test]
    fn keyframes_are_planned_every_two_seconds_at_a_number_that_every_rung_takes() {
        let (mut thinning, mut cadence) = (Thinning::default(), Cadence::default());
        let mut keys = Vec::new();
        for number in 0..900 {
            let time = MediaTime(number * 3000);
            let number = thinning.take(time).unwrap();
            if let Some(key) = cadence.next(number, time, &thinning, 8, 2)
                && keys.last() != Some(&key)
            {
                assert!(key >= number + 8 || keys.last() == Some(&key), "known in time");
                keys.push(key);
            }
        }
        assert_eq!(keys[0], 60);
        assert!(keys.windows(2).all(|pair| pair[1] - pair[0] == 60), "{keys:?}");
    }

    #[test]
    fn the_cadence_outlives_a_jump_of_the_clock() {
        let (mut thinning, mut cadence) = (Thinning::default(), Cadence::default());
        let mut keys = 0;
        let mut last = None;
        for number in 0..600 {
            let time = MediaTime(number * 3000 + if number > 100 { 1 << 40 } else { 0 });
            let number = thinning.take(time).unwrap();
            let key = cadence.next(number, time, &thinning, 8, 2);
            keys += i32::from(key.is_some() && key != last);
            last = key;
        }
        assert!((9..=10).contains(&keys), "{keys}");
    }

    #[test]
    fn late_is_what_comes_later_than_the_rest() {
        let mut clock = Punctuality::default();
        let begin = Instant::now();
        let at = |millis: i64| MediaTime(millis * 90);
        let now = |millis: u64| begin + Duration::from_millis(millis);
        assert_eq!(clock.late(at(0), now(50)), Duration::ZERO);
        assert_eq!(clock.late(at(33), now(63)), Duration::ZERO, "this one was quicker");
        let late = clock.late(at(66), now(216));
        assert!(Punctuality::too_late(late) && late < Duration::from_millis(130), "{late:?}");
        assert!(!Punctuality::too_late(clock.late(at(100), now(140))));
        // A jump of the media clock is no lateness.
        assert_eq!(clock.late(at(-500_000), now(173)), Duration::ZERO);
        assert_eq!(clock.late(at(-499_967), now(206)), Duration::ZERO);
    }

    #[test]
    fn a_drifting_clock_is_not_late_for_ever() {
        let mut clock = Punctuality::default();
        let begin = Instant::now();
        let mut late = 0;
        // The source's clock is slow by one in a thousand: a second in a quarter of an hour.
        for number in 0..30_000i64 {
            let now = begin + Duration::from_micros(number as u64 * 33_333);
            late += u32::from(Punctuality::too_late(clock.late(MediaTime(number * 2997), now)));
        }
        assert_eq!(late, 0);
    }

    #[test]
    fn a_rung_sends_no_more_than_its_rate_and_a_tenth_over_any_two_seconds() {
        let mut budget = Budget::new(800_000);
        let mut sent: Vec<(i64, usize)> = Vec::new();
        for number in 0..600i64 {
            let time = MediaTime(number * 3000);
            let keyframe = number % 60 == 0;
            // Half as much again as it should be, and now and then three times.
            let bytes = if keyframe { 30_000 } else { 4500 + 9000 * usize::from(number % 23 == 0) };
            if budget.room(time, keyframe) && !budget.is_too_large(bytes) {
                budget.spend(time, keyframe, bytes);
                sent.push((number, bytes));
            }
        }
        let mut most = 0;
        for from in 0..540 {
            let sum: usize =
                sent.iter().filter(|(at, _)| (from..from + 60).contains(at)).map(|(_, bytes)| bytes).sum();
            most = most.max(sum);
        }
        assert!((200_000..=220_000).contains(&most), "{most}");
        assert!(sent.len() > 300, "{}", sent.len());
    }

    #[test]
    fn no_picture_is_larger_than_half_a_second_but_the_first() {
        let mut budget = Budget::new(800_000);
        assert!(!budget.is_too_large(1_000_000), "the first may be larger");
        budget.spend(MediaTime(0), true, 1000);
        assert!(!budget.is_too_large(50_000) && budget.is_too_large(50_001));
    }
}
