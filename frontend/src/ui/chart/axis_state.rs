//! The horizontal axis: equal steps of time, where they are on the screen, and the cursor that goes along them.

/// Equal steps along a width.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axis {
    /// Seconds a step.
    pub step: f64,
    /// How many steps.
    pub count: usize,
    /// Where in its step a value is: 0.5 for what was counted over the step, 0 for what was so at its start.
    pub lead: f64,
    /// Pixels.
    pub width: f64,
}

impl Axis {
    /// Seconds from end to end.
    pub fn span(&self) -> f64 {
        let steps = self.count.max(1) as f64 - 1.0 + 2.0 * self.lead;
        self.step * if steps > 0.0 { steps } else { 1.0 }
    }

    /// Where a time is, in pixels; within the plot.
    pub fn x(&self, seconds: f64) -> f64 {
        (seconds / self.span()).clamp(0.0, 1.0) * self.width
    }

    /// Where a step's value is.
    pub fn x_of(&self, index: usize) -> f64 {
        self.x((index as f64 + self.lead) * self.step)
    }

    /// The step whose value is nearest to a place.
    pub fn index(&self, x: f64) -> usize {
        let steps = x / self.width.max(1.0) * self.span() / self.step - self.lead;
        // A cast saturates: what is left of the plot is its first step.
        (steps.round() as usize).min(self.count.saturating_sub(1))
    }

    /// Pixels a step.
    pub fn pitch(&self) -> f64 {
        self.width * self.step / self.span()
    }

    /// Where a key moves the cursor; `None` if the key isn't one of the chart's. Without a cursor, back starts at the end.
    pub fn moved(&self, cursor: Option<usize>, key: &str, shift: bool) -> Option<usize> {
        let last = self.count.checked_sub(1)?;
        let far = (self.count / 20).max(2);
        let near = if shift { far } else { 1 };
        Some(match (key, cursor) {
            ("Home", _) => 0,
            ("End", _) => last,
            ("ArrowLeft" | "ArrowDown" | "PageDown", None) => last,
            ("ArrowRight" | "ArrowUp" | "PageUp", None) => 0,
            ("ArrowLeft" | "ArrowDown", Some(at)) => at.saturating_sub(near),
            ("ArrowRight" | "ArrowUp", Some(at)) => (at + near).min(last),
            ("PageDown", Some(at)) => at.saturating_sub(far),
            ("PageUp", Some(at)) => (at + far).min(last),
            _ => return None,
        })
    }
}

/// Where a label is held: by its start at the plot's start, by its end at the plot's end, else by its middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// The label begins at its place.
    Start,
    /// It is centred on its place.
    Middle,
    /// It ends at its place.
    End,
}

/// A letter of a label is about so wide, in pixels; digits are narrower than most letters.
const LETTER: f64 = 7.8;
/// The least room between two labels.
const ROOM: f64 = 10.0;

/// Which labels (place and number of letters, in order) can be written without touching, and how they are held.
pub fn labels(places: &[(f64, usize)], width: f64) -> Vec<(usize, Hold)> {
    let mut written = Vec::with_capacity(places.len());
    let mut end = f64::MIN;
    for (index, &(x, letters)) in places.iter().enumerate() {
        let wide = letters as f64 * LETTER;
        let (hold, left) = match () {
            () if x < wide / 2.0 => (Hold::Start, x),
            () if x > width - wide / 2.0 => (Hold::End, x - wide),
            () => (Hold::Middle, x - wide / 2.0),
        };
        if left >= end + ROOM || written.is_empty() {
            written.push((index, hold));
            end = left + wide;
        }
    }
    written
}

/// Moves marks of a width apart, each as near to its place as its neighbours leave it; `None` if they don't fit at all.
/// The places are in order.
pub fn spread(places: &[f64], size: f64, width: f64) -> Option<Vec<f64>> {
    if places.len() as f64 * size > width {
        return None;
    }
    let half = size / 2.0;
    let mut least = half;
    let mut spread: Vec<f64> = Vec::with_capacity(places.len());
    for &place in places {
        let at = place.max(least);
        spread.push(at);
        least = at + size;
    }
    let mut most = width - half;
    for at in spread.iter_mut().rev() {
        *at = at.min(most);
        most = *at - size;
    }
    Some(spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(count: usize) -> Axis {
        Axis { step: 5.0, count, lead: 0.5, width: 100.0 }
    }

    #[test]
    fn a_step_is_found_where_it_is_drawn() {
        for count in 1..400 {
            for lead in [0.0, 0.5] {
                let axis = Axis { step: 5.0, count, lead, width: 731.0 };
                for index in 0..count {
                    assert_eq!(axis.index(axis.x_of(index)), index, "{index} of {count}");
                }
            }
        }
    }

    #[test]
    fn outside_of_the_plot_are_its_ends() {
        let axis = axis(10);
        assert_eq!([axis.index(-50.0), axis.index(1e9), axis.index(f64::NAN)], [0, 9, 0]);
        assert_eq!([axis.x(-1.0), axis.x(1e9)], [0.0, 100.0]);
    }

    #[test]
    fn counted_steps_fill_the_width_and_moments_reach_its_ends() {
        assert_eq!(axis(10).span(), 50.0);
        assert_eq!([axis(10).x_of(0), axis(10).x_of(9)], [5.0, 95.0]);
        let moments = Axis { lead: 0.0, ..axis(11) };
        assert_eq!([moments.x_of(0), moments.x_of(10)], [0.0, 100.0]);
        assert_eq!(axis(1).x_of(0), 50.0);
        assert!(Axis { lead: 0.0, ..axis(1) }.span() > 0.0);
    }

    #[test]
    fn keys_move_the_cursor_and_stop_at_the_ends() {
        let axis = axis(100);
        let key = |cursor, key| axis.moved(cursor, key, false);
        assert_eq!(key(None, "ArrowRight"), Some(0));
        assert_eq!(key(None, "ArrowLeft"), Some(99));
        assert_eq!(key(Some(7), "ArrowRight"), Some(8));
        assert_eq!(key(Some(7), "ArrowLeft"), Some(6));
        assert_eq!(key(Some(0), "ArrowLeft"), Some(0));
        assert_eq!(key(Some(99), "ArrowRight"), Some(99));
        assert_eq!([key(Some(7), "Home"), key(Some(7), "End")], [Some(0), Some(99)]);
        assert_eq!([key(Some(50), "PageUp"), key(Some(50), "PageDown")], [Some(55), Some(45)]);
        assert_eq!(axis.moved(Some(50), "ArrowRight", true), Some(55));
        assert_eq!([key(Some(7), "Tab"), key(None, "a")], [None, None]);
        assert_eq!(self::axis(0).moved(None, "Home", false), None);
    }

    #[test]
    fn labels_never_touch_and_never_leave_the_plot() {
        assert_eq!(
            labels(&[(0.0, 1), (150.0, 5), (300.0, 5)], 300.0),
            [(0, Hold::Start), (1, Hold::Middle), (2, Hold::End)]
        );
        // One that would be pushed into its neighbour is left out.
        assert_eq!(labels(&[(240.0, 3), (295.0, 10)], 300.0), [(0, Hold::Middle)]);
        for count in 1..40_usize {
            for letters in [1, 5, 8, 10] {
                let places: Vec<(f64, usize)> =
                    (0..count).map(|at| (at as f64 * 310.0 / count as f64, letters)).collect();
                let mut end = f64::MIN;
                for (index, hold) in labels(&places, 310.0) {
                    let (x, wide) = (places[index].0, letters as f64 * LETTER);
                    let left = x - match hold {
                        Hold::Start => 0.0,
                        Hold::Middle => wide / 2.0,
                        Hold::End => wide,
                    };
                    assert!(
                        left >= end && left >= 0.0 && left + wide <= 310.0 + 1e-9,
                        "{count} of {letters}"
                    );
                    end = left + wide;
                }
            }
        }
    }

    #[test]
    fn marks_move_apart_and_stay_inside() {
        assert_eq!(spread(&[10.0, 50.0], 20.0, 100.0), Some(vec![10.0, 50.0]));
        assert_eq!(spread(&[0.0, 0.0, 0.0], 20.0, 100.0), Some(vec![10.0, 30.0, 50.0]));
        assert_eq!(spread(&[100.0, 100.0], 20.0, 100.0), Some(vec![70.0, 90.0]));
        assert_eq!(spread(&[0.0; 6], 20.0, 100.0), None);
        assert_eq!(spread(&[], 20.0, 100.0), Some(vec![]));
        for seed in 0..300_u32 {
            let mut places: Vec<f64> =
                (0..12).map(|at| f64::from((seed * 7919 + at * 104_729) % 500)).collect();
            places.sort_by(f64::total_cmp);
            let spread = spread(&places, 18.0, 500.0).unwrap();
            assert!(spread.windows(2).all(|two| two[1] - two[0] >= 18.0 - 1e-9), "{spread:?}");
            assert!(spread[0] >= 9.0 && spread[11] <= 491.0, "{spread:?}");
        }
    }
}
