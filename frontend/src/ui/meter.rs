//! A bar that shows how loud something is.

use yew::prelude::*;

/// Properties of [`Meter`].
#[derive(Properties, PartialEq)]
pub struct MeterProps {
    /// What is measured.
    pub label: AttrValue,
    /// From 0 to 1.
    pub value: f32,
    /// To find it in tests.
    #[prop_or_default]
    pub testid: Option<AttrValue>,
}

/// A level meter.
#[component]
pub fn Meter(props: &MeterProps) -> Html {
    let percent = (props.value.clamp(0.0, 1.0) * 100.0).round();
    let hot = (props.value > 0.95).then_some("meter-hot");
    html! {
        <div class={classes!("meter", hot)} role="meter" aria-label={props.label.clone()} aria-valuemin="0"
            aria-valuemax="100" aria-valuenow={percent.to_string()} data-testid={props.testid.clone()}>
            <div style={format!("inline-size:{percent}%")}></div>
        </div>
    }
}
