//! A small chart of the last minute.

use yew::prelude::*;

/// Properties of [`Sparkline`].
#[derive(Properties, PartialEq)]
pub struct SparklineProps {
    /// What it shows.
    pub label: AttrValue,
    /// The value now, in words.
    pub now: AttrValue,
    /// Oldest first.
    pub values: Vec<f32>,
    /// How many values fill the chart.
    #[prop_or(60)]
    pub span: usize,
    /// The least that the top of the chart stands for.
    #[prop_or(1.0)]
    pub least_top: f32,
    /// `good`, `warn` or `live`.
    #[prop_or(AttrValue::Static("good"))]
    pub tone: AttrValue,
}

/// A label, a number and the line that led to it.
#[component]
pub fn Sparkline(props: &SparklineProps) -> Html {
    let top = props.values.iter().copied().fold(props.least_top, f32::max).max(f32::EPSILON);
    let skip = props.values.len().saturating_sub(props.span);
    let shown = &props.values[skip..];
    let start = props.span.saturating_sub(shown.len());
    let step = 100.0 / (props.span.max(2) - 1) as f32;
    let points: Vec<String> = shown
        .iter()
        .enumerate()
        .map(|(at, value)| format!("{:.1},{:.1}", (start + at) as f32 * step, 30.0 - value / top * 28.0))
        .collect();
    html! {
        <div class={classes!("sparkline", format!("tone-{}", props.tone))}>
            <span class="sparkline-label">{ props.label.clone() }</span>
            <span class="sparkline-now">{ props.now.clone() }</span>
            <svg viewBox="0 0 100 32" preserveAspectRatio="none" aria-hidden="true">
                <polyline points={points.join(" ")} />
            </svg>
        </div>
    }
}
