//! A chart's picture: where everything is, and what it reads.

use super::{
    axis_state::{Axis, Hold, labels, spread},
    draw_state::{self, Look},
    panel::Panel,
    scale_state::{Clock, Scale},
    shape::{circle, group, line, path, rect, shape, text},
    view::{ChartProps, Mark},
};
use yew::{AttrValue, Html};

/// Left of the plot, for what the lines are called.
const GUTTER: f64 = 44.0;
/// Right of it, for half of the last time.
const EDGE: f64 = 8.0;
/// Above each panel, for its name; and what it says, under it where both don't fit on a line.
const HEAD: f64 = 30.0;
const HEAD_NARROW: f64 = 50.0;
/// A plot narrower than this is narrow.
const NARROW: f64 = 560.0;
/// Under each panel but the last.
const GAP: f64 = 10.0;
/// Under the last one, for times.
const FOOT: f64 = 26.0;
/// For the marks, at the top.
const LANE: f64 = 26.0;
/// How wide a mark is.
const MARK: f64 = 22.0;
/// The chip with the cursor's time.
const CHIP: f64 = 70.0;
/// A time under the axis, with the room around it.
const TICK: f64 = 76.0;
/// A panel's place and numbers.
struct Drawn {
    top: f64,
    scale: Scale,
    bucket: usize,
    values: Vec<Option<f64>>,
}

/// Everything but the cursor and what it reads.
pub struct Picture {
    /// The horizontal axis.
    pub axis: Axis,
    /// Pixels.
    pub height: f64,
    /// The elements.
    pub html: Html,
    width: f64,
    narrow: bool,
    panels: Vec<Drawn>,
}

impl Drawn {
    fn value(&self, at: usize) -> Option<f64> {
        self.values.get(at / self.bucket).copied().flatten()
    }

    /// What the panel says of a step.
    fn words(&self, panel: &Panel, at: usize, step: f64) -> String {
        let mut words = match self.value(at) {
            // Nothing counted is said like nothing heard.
            Some(value) if panel.look == Look::Bars && value == 0.0 => panel.silence.to_owned(),
            Some(value) if self.bucket > 1 => {
                format!("{} in {}", panel.unit.words(value), Clock::Since.words(self.bucket as f64 * step))
            }
            Some(value) => panel.unit.words(value),
            None => panel.silence.to_owned(),
        };
        let ghost = panel.ghost.as_ref().and_then(|(name, values)| Some((name, values.get(at).copied()??)));
        if let Some((name, value)) = ghost {
            words += &format!(" ({name}: {})", panel.unit.short(value));
        }
        words
    }
}

impl Picture {
    /// Draws it.
    pub fn of(props: &ChartProps, width: f64) -> Self {
        let long = |panel: &Panel| {
            panel.values.len().max(panel.ghost.as_ref().map_or(0, |(_, values)| values.len()))
        };
        let count = props.panels.iter().map(long).max().unwrap_or_default();
        let axis =
            Axis { step: props.step, count, lead: props.lead, width: (width - GUTTER - EDGE).max(1.0) };
        let narrow = axis.width < NARROW;
        let mut top = if props.marks.is_empty() { 0.0 } else { LANE };
        let mut panels = Vec::with_capacity(props.panels.len());
        let mut parts: Vec<Html> = Vec::new();
        for panel in &props.panels {
            top += if narrow { HEAD_NARROW } else { HEAD };
            let (drawn, html) = draw(panel, &axis, top);
            panels.push(drawn);
            parts.push(html);
            top += panel.height + GAP;
        }
        let foot = top - GAP;
        marks(&props.marks, &axis, foot, &mut parts);
        let most = ((axis.width / TICK) as u32).max(1);
        let ticks = props.clock.ticks(0.0, axis.span(), most);
        let places: Vec<(f64, usize)> = ticks.iter().map(|(at, words)| (axis.x(*at), words.len())).collect();
        for (index, hold) in labels(&places, axis.width) {
            let class = match hold {
                Hold::Start => "chart-tick chart-below",
                Hold::Middle => "chart-tick chart-below chart-middle",
                Hold::End => "chart-tick chart-below chart-left",
            };
            let at = (places[index].0 + GUTTER, foot + 18.0);
            parts.push(text(class, at, ticks[index].1.clone()).into());
        }
        Self { axis, height: foot + FOOT, html: parts.into_iter().collect(), width, narrow, panels }
    }

    /// What is said of a step: its time, each panel, and what happened then.
    pub fn reading(&self, props: &ChartProps, at: usize) -> String {
        let mut words = props.clock.words(at as f64 * props.step);
        let mut add = |part: &str| {
            words.push_str(", ");
            words.push_str(part);
        };
        for (drawn, panel) in self.panels.iter().zip(&props.panels) {
            add(&drawn.words(panel, at, props.step));
        }
        for mark in props.marks.iter().filter(|mark| (mark.at / props.step) as usize == at) {
            add(&mark.text);
        }
        words
    }

    /// The panels' names, and what they say: at the cursor, or in all.
    pub fn heads(&self, props: &ChartProps, cursor: Option<usize>) -> Html {
        let mut parts: Vec<Html> = Vec::new();
        for (drawn, panel) in self.panels.iter().zip(&props.panels) {
            let y = drawn.top - 11.0;
            let each = (panel.look == Look::Bars)
                .then(|| format!("each {}", Clock::Since.words(drawn.bucket as f64 * props.step)));
            let ghost =
                panel.ghost.as_ref().filter(|_| cursor.is_none()).map(|(name, _)| format!("╌ {name}"));
            let name_y = if self.narrow { y - 19.0 } else { y };
            let mut name = text("chart-name", (GUTTER, name_y), panel.name);
            if let Some(key) = each.or(ghost) {
                // No place of its own: it follows the name.
                let mut span = shape("tspan", "chart-key", &[("dx", 8.0)]);
                span.add_child(yew::virtual_dom::VText::new(key).into());
                name.add_child(span.into());
            }
            let words: AttrValue = match cursor {
                Some(at) => drawn.words(panel, at, props.step).into(),
                None => panel.note.clone(),
            };
            let now = match self.narrow {
                true => text("chart-now", (GUTTER, y), words),
                false => text("chart-now chart-left", (GUTTER + self.axis.width, y), words),
            };
            parts.push(name.into());
            parts.push(now.into());
        }
        parts.into_iter().collect()
    }

    /// The cursor at a step.
    pub fn cursor(&self, props: &ChartProps, at: usize) -> Html {
        let x = GUTTER + self.axis.x_of(at);
        let foot = self.height - FOOT;
        let chip = (x - CHIP / 2.0).clamp(0.0, (self.width - CHIP).max(0.0));
        let first = self.panels.first().map_or(0.0, |drawn| drawn.top);
        let mut parts = vec![line("chart-cursor", (x, first), (x, foot))];
        for (drawn, panel) in self.panels.iter().zip(&props.panels) {
            if let Some(value) = drawn.value(at).filter(|_| panel.look != Look::Bars) {
                let dot = circle("chart-dot", (x, drawn.scale.y(value, panel.height)), 4.0);
                parts.push(group(panel.tone, (0.0, drawn.top), vec![dot]).into());
            }
        }
        parts.push(rect("chart-chip", (chip, foot + 2.0), (CHIP, 22.0)));
        let time = props.clock.words(at as f64 * props.step);
        parts.push(text("chart-time chart-middle", (chip + CHIP / 2.0, foot + 17.0), time).into());
        group("", (0.0, 0.0), parts).into()
    }

    /// The step that is nearest to a place, in pixels from the chart's left.
    pub fn at(&self, x: f64) -> Option<usize> {
        (self.axis.count > 0).then(|| self.axis.index(x - GUTTER))
    }
}

fn draw(panel: &Panel, axis: &Axis, top: f64) -> (Drawn, Html) {
    let height = panel.height;
    let bucket = panel.look.bucket(axis);
    let values = draw_state::buckets(&panel.values, bucket, panel.look);
    let ghost = panel.ghost.as_ref().map(|(_, values)| values);
    let most = draw_state::highest(&values)
        .max(panel.least)
        .max(ghost.map_or(0.0, |values| draw_state::highest(values)));
    let scale = Scale::to(most, if height > 120.0 { 4 } else { 2 });
    let mut parts: Vec<Html> = Vec::new();
    for value in scale.lines() {
        let y = scale.y(value, height);
        parts.push(line("chart-grid", (0.0, y), (axis.width, y)));
        parts.push(text("chart-tick chart-left", (-8.0, y + 5.0), panel.unit.tick(value)).into());
    }
    if let Some(values) = ghost {
        parts.push(path("chart-ghost", draw_state::line(values, axis, scale, height).0).into());
    }
    if panel.look == Look::Bars {
        parts.push(path("chart-fill", draw_state::bars(&values, bucket, axis, scale, height)).into());
    } else {
        let (stroke, area) = draw_state::line(&values, axis, scale, height);
        if panel.look == Look::Area {
            parts.push(path("chart-area", area).into());
        }
        let mut stroke = path("chart-line", stroke);
        stroke.add_attribute("data-testid", format!("{}-line", panel.id));
        parts.push(stroke.into());
    }
    let highest = draw_state::highest(&panel.values);
    let peak = panel.values.iter().position(|value| *value == Some(highest)).filter(|_| panel.peak);
    if let Some(at) = peak {
        parts.push(circle("chart-dot", (axis.x_of(at), scale.y(highest, height)), 4.0));
    }
    let mut all = group(panel.tone, (GUTTER, top), parts);
    all.add_attribute("data-testid", panel.id);
    all.add_attribute("data-top", draw_state::px(scale.top));
    all.add_attribute("data-height", draw_state::px(height));
    (Drawn { top, scale, bucket, values }, all.into())
}

/// Lines where something happened, with the number that it has in the list under the chart.
fn marks(marks: &[Mark], axis: &Axis, foot: f64, parts: &mut Vec<Html>) {
    let places: Vec<f64> = marks.iter().map(|mark| axis.x(mark.at)).collect();
    let heads = spread(&places, MARK, axis.width);
    let mut inside = Vec::new();
    for (at, mark) in marks.iter().enumerate() {
        let x = places[at];
        // The plot's own ends need no line.
        let within = x > 1.0 && x < axis.width - 1.0;
        if let Some(until) = mark.until {
            let wide = (axis.x(until) - x).max(1.0);
            inside.push(rect("chart-band", (x, LANE), (wide, foot - LANE)));
        }
        if within {
            inside.push(line("chart-mark", (x, LANE), (x, foot)));
        }
        if let Some(heads) = &heads {
            let head = heads[at];
            if within {
                inside.push(line("chart-mark", (head, 19.0), (x, LANE)));
            }
            inside.push(circle("chart-flag", (head, 10.0), 9.0));
            inside.push(text("chart-number chart-middle", (head, 15.0), (at + 1).to_string()).into());
        }
    }
    parts.insert(0, group("", (GUTTER, 0.0), inside).into());
}
