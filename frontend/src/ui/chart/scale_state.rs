//! Round numbers: for heights, for times of day, for lengths of time.

/// A vertical scale from zero to a round number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// What its upper end stands for; above zero.
    pub top: f64,
    /// From one line to the next.
    pub step: f64,
}

impl Scale {
    /// The scale for whole numbers up to `max`, with at most `most` steps of 1, 2 or 5 times a power of ten.
    pub fn to(max: f64, most: u32) -> Self {
        let max = if max.is_finite() && max > 0.0 { max } else { 1.0 };
        let mut unit = 1.0;
        // Far above any count of viewers or milliseconds; whatever is larger gets one step.
        for _ in 0..18 {
            for times in [1.0, 2.0, 5.0] {
                let step = unit * times;
                let steps = (max / step - 1e-9).ceil().max(1.0);
                if steps <= f64::from(most.max(1)) {
                    return Self { top: step * steps, step };
                }
            }
            unit *= 10.0;
        }
        Self { top: max, step: max }
    }

    /// The values that get a line, zero first.
    pub fn lines(self) -> impl Iterator<Item = f64> {
        let count = (self.top / self.step + 1e-9) as u32;
        (0..=count).map(move |at| f64::from(at) * self.step)
    }

    /// Where a value is, in pixels from the top of a plot of that height.
    pub fn y(self, value: f64, height: f64) -> f64 {
        height - (value / self.top).clamp(0.0, 1.0) * height
    }
}

/// Round lengths of time in seconds.
const ROUND: [u32; 19] = [
    5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800,
    345_600, 691_200,
];

/// The shortest round length of time that isn't shorter than `seconds`.
pub fn round_length(seconds: f64) -> u32 {
    ROUND.into_iter().find(|&round| f64::from(round) >= seconds - 1e-6).unwrap_or(691_200)
}

/// How far a place's time is ahead of UTC over some stretch of time, in which it may change once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Zone {
    /// Minutes, at first.
    offset: i32,
    /// From when on it is another, in milliseconds since 1970, and what it is then.
    change: Option<(i64, i32)>,
}

impl Zone {
    /// That of a place which is `offset_at` an instant (milliseconds since 1970) so many minutes ahead, from one instant to
    /// another.
    pub fn between(from: i64, to: i64, offset_at: impl Fn(i64) -> i32) -> Self {
        let (offset, last) = (offset_at(from), offset_at(to.max(from)));
        let (mut before, mut after) = (from, to);
        if offset == last {
            return Self { offset, change: None };
        }
        while after - before > 1 {
            let middle = before + (after - before) / 2;
            if offset_at(middle) == offset { before = middle } else { after = middle }
        }
        Self { offset, change: Some((after, last)) }
    }

    fn at(self, millis: i64) -> i32 {
        self.change.filter(|(at, _)| millis >= *at).map_or(self.offset, |(_, offset)| offset)
    }
}

/// What a horizontal axis counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Clock {
    /// Times of day.
    Local {
        /// The axis' zero, in milliseconds since 1970.
        zero: i64,
        /// How far this place's time is ahead of UTC.
        zone: Zone,
    },
    /// The time since the axis' zero.
    Since,
}

impl Clock {
    /// Round times between two ends (seconds from zero), at most `most` of them, with what to write there.
    pub fn ticks(self, from: f64, to: f64, most: u32) -> Vec<(f64, String)> {
        let step = round_length((to - from).max(1.0) / f64::from(most.max(1)));
        let every = f64::from(step);
        // Round where people are, not where the axis begins.
        let shift = |zero: i64, offset: i32| {
            ((zero + i64::from(offset) * 60_000).rem_euclid(i64::from(step) * 1000)) as f64 / 1000.0
        };
        // Where clocks are changed, what is round changes too.
        let parts = match self {
            Self::Local { zero, zone } => {
                let change =
                    zone.change.map(|(at, offset)| ((at - zero) as f64 / 1000.0, shift(zero, offset)));
                [Some((f64::NEG_INFINITY, shift(zero, zone.offset))), change]
            }
            Self::Since => [Some((f64::NEG_INFINITY, 0.0)), None],
        };
        let end = parts[1].map_or(f64::INFINITY, |(change, _)| change);
        let mut ticks: Vec<(f64, String)> = Vec::new();
        for ((begins, shift), ends) in parts.into_iter().flatten().zip([end, f64::INFINITY]) {
            let mut at = ((from.max(begins) + shift) / every - 1e-9).ceil() * every - shift;
            while at <= to + 1e-6 && at < ends - 1e-6 {
                // An hour that comes twice doesn't make ticks denser.
                if ticks.last().is_none_or(|(last, _)| at - last >= every - 1e-6) {
                    ticks.push((at, self.tick(at, step)));
                }
                at += every;
            }
        }
        ticks
    }

    fn tick(self, at: f64, step: u32) -> String {
        match self {
            Self::Local { .. } => {
                let whole = self.words(at);
                if step < 60 { whole } else { whole[..whole.len() - 3].to_owned() }
            }
            Self::Since if at < 1.0 => "0".to_owned(),
            Self::Since => super::super::format_state::length(at as u64),
        }
    }

    /// A time in words: `20:15:05`, or `4 min`.
    pub fn words(self, at: f64) -> String {
        match self {
            Self::Local { zero, zone } => {
                let instant = zero + (at * 1000.0).round() as i64;
                let seconds = (instant + i64::from(zone.at(instant)) * 60_000).div_euclid(1000);
                let day = seconds.rem_euclid(86_400);
                format!("{:02}:{:02}:{:02}", day / 3600, day / 60 % 60, day % 60)
            }
            Self::Since => super::super::format_state::length(at.max(0.0) as u64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_ends_at_a_round_number_that_nothing_is_above() {
        let scale = |max, most| {
            let scale = Scale::to(max, most);
            (scale.top, scale.step)
        };
        assert_eq!(scale(42.0, 4), (60.0, 20.0));
        assert_eq!(scale(40.0, 4), (40.0, 10.0));
        assert_eq!(scale(1.0, 4), (1.0, 1.0));
        assert_eq!(scale(3.0, 4), (3.0, 1.0));
        assert_eq!(scale(100.0, 2), (100.0, 50.0));
        assert_eq!(scale(0.0, 4), (1.0, 1.0));
        assert_eq!(scale(f64::NAN, 4), (1.0, 1.0));
        assert_eq!(scale(148.0, 4), (150.0, 50.0));
        assert_eq!(scale(0.42, 2), (1.0, 1.0));
    }

    #[test]
    fn every_scale_holds_its_maximum_in_few_steps_and_not_much_more() {
        let mut max = 1.0;
        for turn in 0..600 {
            for most in 1..=6 {
                let scale = Scale::to(max, most);
                let lines: Vec<f64> = scale.lines().collect();
                assert!(scale.top >= max - 1e-6, "{max} in {scale:?}");
                assert!(lines.len() as u32 <= most + 1, "{max}: {lines:?}");
                assert!(most < 2 || scale.top <= (max * 2.5).max(1.0), "{max} is lost in {scale:?}");
                assert_eq!(lines[0], 0.0);
                assert!((lines[lines.len() - 1] - scale.top).abs() < scale.top * 1e-9, "{lines:?} {scale:?}");
                assert!(scale.step.fract() == 0.0, "half a viewer in {scale:?}");
            }
            max = (max * 1.03_f64).max(max + f64::from(turn % 3)).round();
        }
    }

    #[test]
    fn zero_is_at_the_bottom_and_the_top_at_the_top() {
        let scale = Scale { top: 50.0, step: 10.0 };
        assert_eq!([scale.y(0.0, 100.0), scale.y(50.0, 100.0), scale.y(25.0, 100.0)], [100.0, 0.0, 50.0]);
        assert_eq!([scale.y(-5.0, 100.0), scale.y(500.0, 100.0)], [100.0, 0.0], "nothing leaves the plot");
    }

    fn texts(ticks: &[(f64, String)]) -> Vec<&str> {
        ticks.iter().map(|(_, text)| text.as_str()).collect()
    }

    fn ahead(offset: i32) -> Zone {
        Zone { offset, change: None }
    }

    #[test]
    fn over_a_change_of_clocks_each_instant_has_its_own_time() {
        // 2026-10-25T01:00:00Z: in Berlin, three o'clock becomes two o'clock.
        let autumn = 1_792_890_000_000_i64;
        let berlin = |millis: i64| if millis < autumn { 120 } else { 60 };
        let zero = autumn - 2 * 3_600_000;
        let zone = Zone::between(zero, zero + 6 * 3_600_000, berlin);
        assert_eq!(zone, Zone { offset: 120, change: Some((autumn, 60)) });
        let clock = Clock::Local { zero, zone };
        assert_eq!([7_199.0, 7_200.0].map(|at| clock.words(at)), ["02:59:59", "02:00:00"]);
        let hours = clock.ticks(0.0, 4.0 * 3600.0, 4);
        assert_eq!(texts(&hours), ["01:00", "02:00", "02:00", "03:00", "04:00"]);
        let two = clock.ticks(0.0, 6.0 * 3600.0, 3);
        assert_eq!(
            texts(&two),
            ["02:00", "04:00", "06:00"],
            "the second two o'clock is too near to the first"
        );
        assert_eq!(two[1].0, 4.0 * 3600.0);
        // 2026-03-29T01:00:00Z: two o'clock becomes three o'clock.
        let spring = 1_774_746_000_000_i64;
        let zero = spring - 2 * 3_600_000;
        let zone = Zone::between(zero, zero + 6 * 3_600_000, |millis| if millis < spring { 60 } else { 120 });
        let clock = Clock::Local { zero, zone };
        assert_eq!(texts(&clock.ticks(0.0, 6.0 * 3600.0, 3)), ["00:00", "04:00", "06:00"]);
        assert_eq!(Zone::between(zero, zero, berlin), ahead(120));
        assert_eq!(Zone::between(autumn, zero, berlin), ahead(60), "an axis of no length");
    }

    /// 2026-11-20T19:15:05Z.
    const EVENING: i64 = 1_795_202_105_000;

    #[test]
    fn times_of_day_are_round_where_people_are() {
        let berlin = Clock::Local { zero: EVENING, zone: ahead(60) };
        let ticks = berlin.ticks(0.0, 10_800.0, 6);
        assert_eq!(texts(&ticks), ["20:30", "21:00", "21:30", "22:00", "22:30", "23:00"]);
        assert_eq!(ticks[0].0, 895.0);
        assert_eq!(berlin.words(0.0), "20:15:05");
        let kathmandu = Clock::Local { zero: EVENING, zone: ahead(345) };
        assert_eq!(texts(&kathmandu.ticks(0.0, 3600.0, 4)), ["01:15", "01:30", "01:45", "02:00"]);
        assert_eq!(
            texts(&berlin.ticks(0.0, 20.0, 4)),
            ["20:15:05", "20:15:10", "20:15:15", "20:15:20", "20:15:25"]
        );
    }

    #[test]
    fn round_times_are_written_round_whatever_the_milliseconds_of_the_start() {
        for millis in 0..3000 {
            let clock = Clock::Local { zero: EVENING + i64::from(millis) * 37, zone: ahead(60) };
            for (_, text) in clock.ticks(0.0, 10_810.0, 6) {
                assert!(text.ends_with(":00") || text.ends_with(":30"), "{text} at {millis}");
            }
        }
    }

    #[test]
    fn midnight_and_places_behind_utc_are_times_like_others() {
        let clock = Clock::Local { zero: EVENING, zone: ahead(-480) };
        assert_eq!(clock.words(0.0), "11:15:05");
        let late = Clock::Local { zero: EVENING, zone: ahead(60) };
        assert_eq!(late.words(4.0 * 3600.0), "00:15:05");
        assert_eq!(texts(&late.ticks(10_800.0, 18_000.0, 3)), ["00:00", "01:00"]);
        assert_eq!(Clock::Local { zero: 0, zone: ahead(-60) }.words(0.0), "23:00:00");
    }

    #[test]
    fn lengths_of_time_start_at_zero() {
        assert_eq!(texts(&Clock::Since.ticks(0.0, 3600.0, 4)), ["0", "15 min", "30 min", "45 min", "1 h"]);
        assert_eq!(texts(&Clock::Since.ticks(0.0, 0.0, 4)), ["0"]);
    }

    #[test]
    fn ticks_are_never_more_than_asked_for_but_one_at_each_end() {
        for minutes in 1..400 {
            for most in 1..9 {
                let to = f64::from(minutes) * 61.0;
                for clock in
                    [Clock::Since, Clock::Local { zero: EVENING + i64::from(minutes) * 977, zone: ahead(60) }]
                {
                    let ticks = clock.ticks(0.0, to, most);
                    assert!(ticks.len() as u32 <= most + 1, "{minutes} {most} {ticks:?}");
                    assert!(ticks.iter().all(|(at, _)| (-1e-6..=to + 1e-6).contains(at)), "{ticks:?}");
                }
            }
        }
    }

    #[test]
    fn a_round_length_is_not_shorter() {
        assert_eq!([round_length(0.0), round_length(5.0), round_length(5.1)], [5, 5, 10]);
        assert_eq!(round_length(1e9), 691_200);
    }
}
