//! The chart on the page.

use super::{
    axis_state::{Axis, spread},
    draw_state::{self, Look},
    panel::Panel,
    scale_state::{Clock, Scale},
    table::Behind,
};
use crate::browser::{listen, page};
use yew::prelude::*;

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
/// Something that happened at a time.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// Seconds from the axis' zero.
    pub at: f64,
    /// Until when it lasted, if it did.
    pub until: Option<f64>,
    /// What, in words.
    pub text: AttrValue,
}

/// Properties of [`Chart`].
#[derive(Properties, PartialEq)]
pub struct ChartProps {
    /// Stable, unique on the page.
    pub id: &'static str,
    /// What it shows, for who doesn't see it.
    pub label: AttrValue,
    /// From top to bottom; all of the same length.
    pub panels: Vec<Panel>,
    /// Seconds a step.
    pub step: f64,
    /// See [`Axis::lead`].
    pub lead: f64,
    /// What the axis counts.
    pub clock: Clock,
    /// What the first column of the table is called.
    pub time_name: &'static str,
    /// What happened, in order.
    #[prop_or_default]
    pub marks: Vec<Mark>,
}

/// A panel's place and numbers.
struct Drawn {
    top: f64,
    scale: Scale,
    bucket: usize,
    values: Vec<Option<f64>>,
}

struct Picture {
    axis: Axis,
    narrow: bool,
    height: f64,
    panels: Vec<Drawn>,
    html: Html,
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

fn picture(props: &ChartProps, width: f64) -> Picture {
    let long =
        |panel: &Panel| panel.values.len().max(panel.ghost.as_ref().map_or(0, |(_, values)| values.len()));
    let count = props.panels.iter().map(long).max().unwrap_or_default();
    let axis = Axis { step: props.step, count, lead: props.lead, width: (width - GUTTER - EDGE).max(1.0) };
    let narrow = axis.width < NARROW;
    let mut top = if props.marks.is_empty() { 0.0 } else { LANE };
    let mut panels = Vec::with_capacity(props.panels.len());
    let mut parts = Vec::with_capacity(props.panels.len());
    for panel in &props.panels {
        top += if narrow { HEAD_NARROW } else { HEAD };
        let bucket = panel.look.bucket(&axis);
        let values = draw_state::buckets(&panel.values, bucket, panel.look);
        let ghost = panel.ghost.as_ref().map(|(_, values)| values);
        let most = draw_state::highest(&values)
            .max(panel.least)
            .max(ghost.map_or(0.0, |values| draw_state::highest(values)));
        let scale = Scale::to(most, if panel.height > 120.0 { 4 } else { 2 });
        let height = panel.height;
        let shape = match panel.look {
            Look::Bars => {
                html! { <path class="chart-fill" d={draw_state::bars(&values, bucket, &axis, scale, height)} /> }
            }
            look => {
                let (line, area) = draw_state::line(&values, &axis, scale, height);
                html! {
                    <>
                        if look == Look::Area { <path class="chart-area" d={area} /> }
                        <path class="chart-line" d={line} data-testid={format!("{}-line", panel.id)} />
                    </>
                }
            }
        };
        let line = |value: f64| {
            let y = scale.y(value, height);
            html! {
                <>
                    <line class="chart-grid" x1="0" x2={axis.width.to_string()} y1={y.to_string()} y2={y.to_string()} />
                    <text class="chart-tick chart-left" x="-8" y={y.to_string()} dy="0.35em">{ panel.unit.tick(value) }</text>
                </>
            }
        };
        parts.push(html! {
            <g class={panel.tone} transform={format!("translate({GUTTER} {top})")} data-testid={panel.id}
                data-top={scale.top.to_string()} data-height={height.to_string()}>
                { for scale.lines().map(line) }
                if let Some(values) = ghost {
                    <path class="chart-ghost" d={draw_state::line(values, &axis, scale, height).0} />
                }
                { shape }
                { peak(panel, &axis, scale) }
            </g>
        });
        panels.push(Drawn { top, scale, bucket, values });
        top += height + GAP;
    }
    let foot = top - GAP;
    let ticks = props.clock.ticks(0.0, axis.span(), ((axis.width / TICK) as u32).max(1));
    let tick = |(at, text): &(f64, String)| {
        let x = axis.x(*at);
        let anchor = match () {
            () if x < TICK / 4.0 => "start",
            () if x > axis.width - TICK / 4.0 => "end",
            () => "middle",
        };
        let x = (x + GUTTER).to_string();
        html! { <text class="chart-tick chart-below" x={x} y={(foot + 18.0).to_string()} text-anchor={anchor}>{ text }</text> }
    };
    let html = html! {
        <>
            { marks(&props.marks, &axis, foot) }
            { for parts }
            { for ticks.iter().map(tick) }
        </>
    };
    Picture { axis, narrow, height: foot + FOOT, panels, html }
}

/// A dot on the highest value of an area.
fn peak(panel: &Panel, axis: &Axis, scale: Scale) -> Option<Html> {
    let highest = draw_state::highest(&panel.values);
    let at = panel.values.iter().position(|value| *value == Some(highest))?;
    let shows = panel.look == Look::Area && panel.peak;
    shows.then(|| {
        let (x, y) = (axis.x_of(at).to_string(), scale.y(highest, panel.height).to_string());
        html! { <circle class="chart-dot" cx={x} cy={y} r="4" /> }
    })
}

/// Lines where something happened, with the number that it has in the list under the chart.
fn marks(marks: &[Mark], axis: &Axis, foot: f64) -> Html {
    let places: Vec<f64> = marks.iter().map(|mark| axis.x(mark.at)).collect();
    let heads = spread(&places, MARK, axis.width);
    let mark = |(at, mark): (usize, &Mark)| {
        let x = places[at];
        let inside = x > 1.0 && x < axis.width - 1.0;
        let lasted = mark.until.map(|until| axis.x(until) - x);
        html! {
            <>
                if let Some(wide) = lasted {
                    <rect class="chart-band" x={x.to_string()} y={LANE.to_string()} width={wide.max(1.0).to_string()}
                        height={(foot - LANE).to_string()} />
                }
                // The plot's own ends need no line.
                if inside {
                    <line class="chart-mark" x1={x.to_string()} x2={x.to_string()} y1={LANE.to_string()} y2={foot.to_string()} />
                }
                if let Some(heads) = &heads {
                    if inside { <line class="chart-mark" x1={heads[at].to_string()} x2={x.to_string()} y1="19" y2={LANE.to_string()} /> }
                    <circle class="chart-flag" cx={heads[at].to_string()} cy="10" r="9" />
                    <text class="chart-number" x={heads[at].to_string()} y="10" dy="0.35em">{ at + 1 }</text>
                }
            </>
        }
    };
    html! { <g transform={format!("translate({GUTTER} 0)")}>{ for marks.iter().enumerate().map(mark) }</g> }
}

/// A chart that reads itself out.
#[component]
pub fn Chart(props: &ChartProps) -> Html {
    let node = use_node_ref();
    let width = use_state(|| 0.0);
    let cursor = use_state(|| None::<usize>);
    let said = use_state(AttrValue::default);
    {
        let (node, width) = (node.clone(), width.clone());
        use_effect_with((), move |()| {
            width.set(page::width(&node));
            let observer = listen::resized(&node.clone(), move || width.set(page::width(&node)));
            move || drop(observer)
        });
    }
    let key = ((props.panels.clone(), props.marks.clone()), (props.step, props.lead, props.clock, *width));
    let picture = use_memo(key, |_| picture(props, *width));
    let at = cursor.filter(|at| *at < picture.axis.count);
    let time = |at: usize| props.clock.words(at as f64 * props.step);
    let reading = {
        let happened = props.marks.clone();
        let (picture, step, panels, clock) = (picture.clone(), props.step, props.panels.clone(), props.clock);
        move |at: usize| {
            let mut words = vec![clock.words(at as f64 * step)];
            words.extend(
                picture.panels.iter().zip(&panels).map(|(drawn, panel)| drawn.words(panel, at, step)),
            );
            let now = happened.iter().filter(|mark| (mark.at / step) as usize == at);
            words.extend(now.map(|mark| mark.text.to_string()));
            words.join(", ")
        }
    };
    let onkeydown = {
        let (cursor, said, picture) = (cursor.clone(), said.clone(), picture.clone());
        move |event: KeyboardEvent| {
            if event.key() == "Escape" && cursor.is_some() {
                event.stop_propagation();
                cursor.set(None);
                return;
            }
            if event.alt_key() || event.ctrl_key() || event.meta_key() {
                return;
            }
            if let Some(next) = picture.axis.moved(*cursor, &event.key(), event.shift_key()) {
                event.prevent_default();
                cursor.set(Some(next));
                said.set(reading(next).into());
            }
        }
    };
    let point = {
        let (cursor, picture) = (cursor.clone(), picture.clone());
        move |event: PointerEvent| {
            if picture.axis.count > 0 {
                cursor.set(Some(picture.axis.index(f64::from(event.offset_x()) - GUTTER)));
            }
        }
    };
    let onpointerleave = {
        let cursor = cursor.clone();
        // A finger that is lifted leaves what it pointed at.
        move |event: PointerEvent| {
            if event.pointer_type() == "mouse" {
                cursor.set(None);
            }
        }
    };
    let onblur = {
        let cursor = cursor.clone();
        move |_: FocusEvent| cursor.set(None)
    };
    let heads = picture.panels.iter().zip(&props.panels).map(|(drawn, panel)| {
        let y = (drawn.top - 11.0).to_string();
        let right = (GUTTER + picture.axis.width).to_string();
        let (name_y, now_x, now_class) = match picture.narrow {
            true => ((drawn.top - 30.0).to_string(), GUTTER.to_string(), "chart-now chart-now-narrow"),
            false => (y.clone(), right, "chart-now"),
        };
        let each = (panel.look == Look::Bars)
            .then(|| format!("each {}", Clock::Since.words(drawn.bucket as f64 * props.step)));
        let ghost = panel.ghost.as_ref().filter(|_| at.is_none()).map(|(name, _)| format!("╌ {name}"));
        html! {
            <>
                <text class="chart-name" x={GUTTER.to_string()} y={name_y}>
                    { panel.name }
                    if let Some(key) = each.or(ghost) { <tspan class="chart-key" dx="8">{ key }</tspan> }
                </text>
                <text class={now_class} x={now_x} y={y}>
                    { at.map_or_else(|| panel.note.clone(), |at| drawn.words(panel, at, props.step).into()) }
                </text>
            </>
        }
    });
    let pointer = at.map(|at| {
        let x = GUTTER + picture.axis.x_of(at);
        let foot = picture.height - FOOT;
        let chip = (x - CHIP / 2.0).clamp(0.0, (*width - CHIP).max(0.0));
        let first = picture.panels.first().map_or(0.0, |drawn| drawn.top);
        let dot = |(drawn, panel): (&Drawn, &Panel)| {
            let value = drawn.value(at).filter(|_| panel.look != Look::Bars)?;
            let y = drawn.top + drawn.scale.y(value, panel.height);
            Some(html! {
                <circle class={classes!("chart-dot", panel.tone)} cx={x.to_string()} cy={y.to_string()} r="4" />
            })
        };
        html! {
            <g>
                <line class="chart-cursor" x1={x.to_string()} x2={x.to_string()} y1={first.to_string()} y2={foot.to_string()} />
                { for picture.panels.iter().zip(&props.panels).filter_map(dot) }
                <rect class="chart-chip" x={chip.to_string()} y={(foot + 2.0).to_string()} width={CHIP.to_string()}
                    height="22" rx="4" />
                <text class="chart-time" x={(chip + CHIP / 2.0).to_string()} y={(foot + 17.0).to_string()}>{ time(at) }</text>
            </g>
        }
    });
    let size = format!("0 0 {} {}", *width, picture.height);
    html! {
        <div class="chart" data-testid={props.id}>
            <div class="chart-box" ref={node} style={format!("min-block-size:{}px", picture.height)}>
                if *width > 0.0 {
                    <svg class={classes!("chart-picture", at.map(|_| "chart-read"))} viewBox={size} aria-hidden="true">
                        { picture.html.clone() }
                        { pointer }
                        { for heads }
                    </svg>
                }
                <div class="chart-pad" role="application" tabindex="0" aria-roledescription="chart" aria-label={props.label.clone()}
                    onkeydown={onkeydown} onpointerdown={point.clone()} onpointermove={point} onpointerleave={onpointerleave}
                    onblur={onblur} data-testid={format!("{}-pad", props.id)}></div>
            </div>
            <p class="unseen" role="status" data-testid={format!("{}-said", props.id)}>{ (*said).clone() }</p>
            if !props.marks.is_empty() {
                <ol class="chart-marks">
                    { for props.marks.iter().map(|mark| html! {
                        <li><time class="number">{ props.clock.words(mark.at) }</time>{ " " }{ mark.text.clone() }</li>
                    }) }
                </ol>
            }
            <Behind id={props.id} panels={props.panels.clone()} step={props.step} clock={props.clock}
                time_name={props.time_name} label={props.label.clone()} />
        </div>
    }
}
