//! What is drawn: paths of lines, areas and bars out of more values than there are pixels, and the rows of the table.

use super::{
    axis_state::Axis,
    scale_state::{Scale, round_length},
};
use std::fmt::Write;

/// How values look, which is also how several of them become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// A filled line of what is highest: of several, the highest.
    Area,
    /// A line: of several, the mean.
    Line,
    /// Bars of what is counted: of several, the sum.
    Bars,
}

/// Bars are at least this wide, with the gap behind them.
const BAR: f64 = 5.0;

impl Look {
    /// Several values as one; `None` if there is none among them.
    pub fn merge(self, values: &[Option<f64>]) -> Option<f64> {
        let (mut count, mut sum, mut high) = (0.0, 0.0, f64::MIN);
        for value in values.iter().flatten() {
            count += 1.0;
            sum += value;
            high = high.max(*value);
        }
        match self {
            _ if count == 0.0 => None,
            Self::Area => Some(high),
            Self::Line => Some(sum / count),
            Self::Bars => Some(sum),
        }
    }

    /// How many steps make one thing that is drawn and read: one, or for bars as many as give them some width.
    pub fn bucket(self, axis: &Axis) -> usize {
        if self != Self::Bars {
            return 1;
        }
        let least = BAR / axis.pitch().max(f64::MIN_POSITIVE) * axis.step;
        (f64::from(round_length(least.max(axis.step))) / axis.step).round().max(1.0) as usize
    }
}

/// The values in buckets of so many steps.
pub fn buckets(values: &[Option<f64>], size: usize, look: Look) -> Vec<Option<f64>> {
    values.chunks(size.max(1)).map(|chunk| look.merge(chunk)).collect()
}

/// The largest value; 0 if there is none.
pub fn highest(values: &[Option<f64>]) -> f64 {
    values.iter().flatten().copied().fold(0.0, f64::max)
}

type Run = Vec<(f64, f64)>;

/// Unbroken pieces of the line. Where several values share a column of pixels, its first, lowest, highest and last stay,
/// so that no peak is lost.
fn runs(values: &[Option<f64>], axis: &Axis, scale: Scale, height: f64) -> Vec<Run> {
    let dense = axis.pitch() < 1.0;
    let mut runs: Vec<Run> = Vec::new();
    let mut run: Run = Vec::new();
    let mut column: Vec<(f64, f64)> = Vec::new();
    let mut place = -1.0;
    let flush = |column: &mut Vec<(f64, f64)>, run: &mut Run| {
        if column.len() <= 4 {
            run.append(column);
            return;
        }
        let (mut low, mut high) = (0, 0);
        for (at, point) in column.iter().enumerate() {
            if point.1 > column[low].1 {
                low = at;
            }
            if point.1 < column[high].1 {
                high = at;
            }
        }
        let mut kept = [0, low.min(high), low.max(high), column.len() - 1].to_vec();
        kept.dedup();
        run.extend(kept.into_iter().map(|at| column[at]));
        column.clear();
    };
    for (index, value) in values.iter().enumerate() {
        let x = axis.x_of(index);
        let pixel = x.floor();
        if pixel != place {
            flush(&mut column, &mut run);
            // A gap that is narrower than a pixel can't be seen; one of a pixel or more is.
            if dense && pixel > place + 1.5 && !run.is_empty() {
                runs.push(std::mem::take(&mut run));
            }
        }
        match value {
            Some(value) => {
                column.push((x, scale.y(*value, height)));
                place = pixel;
            }
            None if !dense => {
                flush(&mut column, &mut run);
                if !run.is_empty() {
                    runs.push(std::mem::take(&mut run));
                }
            }
            None => {}
        }
    }
    flush(&mut column, &mut run);
    if !run.is_empty() {
        runs.push(run);
    }
    runs
}

/// A number of pixels with one digit behind the point. By whole numbers, which are lighter to write.
pub fn px(value: f64) -> String {
    let mut text = String::new();
    write_px(&mut text, value);
    text
}

/// Writes [`px`] into a path.
pub fn write_px(text: &mut String, value: f64) {
    let tenths = (value * 10.0).round() as i64;
    let sign = if tenths < 0 { "-" } else { "" };
    let (whole, rest) = (tenths.unsigned_abs() / 10, tenths.unsigned_abs() % 10);
    // Writing to a text can't fail.
    let _ = match rest {
        0 => write!(text, "{sign}{whole}"),
        _ => write!(text, "{sign}{whole}.{rest}"),
    };
}

/// A command of a path, with its numbers.
fn command(path: &mut String, letter: char, numbers: &[f64]) {
    path.push(letter);
    for (at, number) in numbers.iter().enumerate() {
        if at > 0 {
            path.push(' ');
        }
        write_px(path, *number);
    }
}

/// The line, and the area between it and zero.
pub fn line(values: &[Option<f64>], axis: &Axis, scale: Scale, height: f64) -> (String, String) {
    let (mut line, mut area) = (String::new(), String::new());
    for run in runs(values, axis, scale, height) {
        let start = line.len();
        for (at, (x, y)) in run.iter().enumerate() {
            command(&mut line, if at == 0 { 'M' } else { 'L' }, &[*x, *y]);
        }
        if run.len() == 1 {
            // One value alone is a dot.
            command(&mut line, 'h', &[0.1]);
        }
        let (first, last) = (run[0].0, run[run.len() - 1].0);
        area.push_str(&line[start..]);
        command(&mut area, 'L', &[last, height]);
        command(&mut area, 'L', &[first, height]);
        area.push('z');
    }
    (line, area)
}

/// Bars of buckets of so many steps.
pub fn bars(buckets: &[Option<f64>], size: usize, axis: &Axis, scale: Scale, height: f64) -> String {
    let mut path = String::new();
    let wide = axis.step * size as f64;
    for (at, value) in buckets.iter().enumerate() {
        let Some(value) = value.filter(|value| *value > 0.0) else { continue };
        let from = axis.x(at as f64 * wide);
        let to = axis.x((at + 1) as f64 * wide);
        let width = (to - from - if to - from > 3.0 { 1.0 } else { 0.0 }).max(0.5);
        command(&mut path, 'M', &[from, height]);
        command(&mut path, 'V', &[scale.y(value, height)]);
        command(&mut path, 'h', &[width]);
        command(&mut path, 'V', &[height]);
        path.push('z');
    }
    path
}

/// How many steps a row of the table holds, so that there are at most `most` rows.
pub fn row_size(count: usize, step: f64, most: usize) -> usize {
    if count <= most {
        return 1;
    }
    let least = count as f64 * step / most as f64;
    (f64::from(round_length(least)) / step).ceil().max(1.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_have_one_digit_at_most() {
        let texts = [0.0, 12.0, 12.34, 12.36, -0.5, -0.04, 1e6, f64::NAN].map(px);
        assert_eq!(texts, ["0", "12", "12.3", "12.4", "-0.5", "0", "1000000", "0"]);
    }

    fn axis(count: usize, width: f64) -> Axis {
        Axis { step: 5.0, count, lead: 0.5, width }
    }

    fn some(values: &[f64]) -> Vec<Option<f64>> {
        values.iter().copied().map(Some).collect()
    }

    /// Numbers that look random and are always the same.
    fn noise(seed: u64) -> impl Iterator<Item = f64> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        std::iter::repeat_with(move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % 1000) as f64
        })
    }

    /// All coordinates of a path of lines.
    fn points(path: &str) -> Vec<(f64, f64)> {
        path.split(['M', 'L'])
            .filter(|part| !part.is_empty())
            .map(|part| {
                let part = part.split('h').next().unwrap();
                let (x, y) = part.split_once(' ').unwrap();
                (x.parse().unwrap(), y.parse().unwrap())
            })
            .collect()
    }

    #[test]
    fn few_values_are_all_drawn() {
        let scale = Scale { top: 10.0, step: 5.0 };
        let (path, area) = line(&some(&[0.0, 10.0, 5.0]), &axis(3, 90.0), scale, 100.0);
        assert_eq!(path, "M15 100L45 0L75 50");
        assert_eq!(area, "M15 100L45 0L75 50L75 100L15 100z");
    }

    #[test]
    fn nothing_said_is_a_gap_and_one_value_alone_a_dot() {
        let scale = Scale { top: 10.0, step: 5.0 };
        let values = [None, Some(10.0), None, None, Some(5.0), Some(5.0)];
        let (path, _) = line(&values, &axis(6, 60.0), scale, 100.0);
        assert_eq!(path, "M15 0h0.1M45 50L55 50");
        assert_eq!(line(&[], &axis(0, 60.0), scale, 100.0), (String::new(), String::new()));
        assert_eq!(line(&[None; 4], &axis(4, 60.0), scale, 100.0).0, "");
    }

    #[test]
    fn the_peak_is_drawn_however_many_values_share_a_pixel() {
        for seed in 1..300 {
            let count = 40 + (seed as usize * 131) % 6000;
            let mut values: Vec<Option<f64>> = noise(seed).take(count).map(Some).collect();
            let peak = (seed as usize * 7919) % count;
            values[peak] = Some(5000.0);
            let axis = axis(count, 320.0);
            let scale = Scale { top: 5000.0, step: 1000.0 };
            let (path, _) = line(&values, &axis, scale, 500.0);
            let drawn = points(&path);
            let top = drawn.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
            assert_eq!(top.1, 0.0, "seed {seed}");
            assert!(
                (top.0 - axis.x_of(peak)).abs() < 0.1,
                "seed {seed}: at {} not {}",
                top.0,
                axis.x_of(peak)
            );
            assert!(drawn.len() <= 4 * 321, "{} points", drawn.len());
            assert!(drawn.windows(2).all(|two| two[0].0 <= two[1].0), "time goes forward, seed {seed}");
            // The lowest is there too: a hole of one step is as true as a peak.
            let low = values.iter().flatten().copied().fold(f64::MAX, f64::min);
            let bottom = drawn.iter().map(|point| point.1).fold(0.0, f64::max);
            assert!((bottom - scale.y(low, 500.0)).abs() < 0.06, "seed {seed}");
        }
    }

    #[test]
    fn a_gap_of_a_pixel_shows_and_a_narrower_one_does_not() {
        let mut values = vec![Some(1.0); 3000];
        let scale = Scale { top: 1.0, step: 1.0 };
        values[1500] = None;
        let pieces =
            |values: &[Option<f64>]| line(values, &axis(3000, 300.0), scale, 9.0).0.matches('M').count();
        assert_eq!(pieces(&values), 1);
        values[1480..1520].fill(None);
        assert_eq!(pieces(&values), 2);
        values[..1480].fill(None);
        assert_eq!(pieces(&values), 1);
    }

    #[test]
    fn buckets_lose_nothing_that_was_counted() {
        for seed in 1..200 {
            let count = 1 + (seed as usize * 37) % 4000;
            let values: Vec<Option<f64>> = noise(seed).take(count).map(Some).collect();
            for width in [290.0, 700.0, 1300.0] {
                let axis = axis(count, width);
                let size = Look::Bars.bucket(&axis);
                let made = buckets(&values, size, Look::Bars);
                let sum = |values: &[Option<f64>]| values.iter().flatten().sum::<f64>();
                assert_eq!(sum(&made), sum(&values), "seed {seed}");
                assert!(
                    axis.pitch() * size as f64 >= BAR - 1e-6 || size >= 100_000,
                    "bars of {size} at {width}"
                );
                assert!(made.len() as f64 <= (width / BAR).max(1.0) + 1.0);
            }
        }
        assert_eq!(Look::Line.bucket(&axis(10_000, 100.0)), 1);
    }

    #[test]
    fn several_values_become_the_highest_the_mean_or_the_sum() {
        let values = [Some(1.0), None, Some(3.0)];
        assert_eq!(Look::Area.merge(&values), Some(3.0));
        assert_eq!(Look::Line.merge(&values), Some(2.0));
        assert_eq!(Look::Bars.merge(&values), Some(4.0));
        for look in [Look::Area, Look::Line, Look::Bars] {
            assert_eq!(look.merge(&[None, None]), None);
        }
    }

    #[test]
    fn bars_stand_side_by_side_and_zero_has_none() {
        let scale = Scale { top: 4.0, step: 1.0 };
        let values = [Some(4.0), Some(0.0), None, Some(2.0)];
        assert_eq!(bars(&values, 1, &axis(4, 40.0), scale, 20.0), "M0 20V0h9V20zM30 20V10h9V20z");
    }

    #[test]
    fn a_table_has_no_more_rows_than_people_read() {
        assert_eq!(row_size(100, 5.0, 200), 1);
        assert_eq!(row_size(200, 5.0, 200), 1);
        assert_eq!(row_size(2160, 5.0, 200), 12);
        for count in 0..20_000 {
            let size = row_size(count, 5.0, 200);
            assert!(count.div_ceil(size) <= 200, "{count} in rows of {size}");
        }
    }
}
