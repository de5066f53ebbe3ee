//! A picture made of a name, where there is no picture.

use super::format_state::{hue, monogram};
use yew::prelude::*;

/// Properties of [`Monogram`].
#[derive(Properties, PartialEq)]
pub struct MonogramProps {
    /// What is written.
    pub name: AttrValue,
    /// What its colour comes from: stays when the name changes.
    pub seed: AttrValue,
    /// `small`, `medium` or `art`.
    #[prop_or(AttrValue::Static("medium"))]
    pub size: AttrValue,
}

/// Up to two letters on calm water.
#[component]
pub fn Monogram(props: &MonogramProps) -> Html {
    html! {
        <span class={classes!("monogram", format!("monogram-{}", props.size))} aria-hidden="true"
            style={format!("--hue:{}", hue(&props.seed))}>
            if props.size == "art" {
                <svg viewBox="0 0 320 180" preserveAspectRatio="none">
                    <path d="M0 118h120c50 0 42 26 92 26h108" />
                    <path d="M0 136h112c50 0 42 20 92 20h116" />
                    <path d="M0 100h128c50 0 42 32 92 32h100" />
                </svg>
            }
            <span>{ monogram(&props.name) }</span>
        </span>
    }
}
