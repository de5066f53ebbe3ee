//! A switch.

use crate::browser::page;
use yew::prelude::*;

/// Properties of [`Toggle`].
#[derive(Properties, PartialEq)]
pub struct ToggleProps {
    /// What it switches.
    pub label: AttrValue,
    /// Whether it is on.
    pub on: bool,
    /// When it is switched.
    pub change: Callback<bool>,
}

/// A switch with its label.
#[component]
pub fn Toggle(props: &ToggleProps) -> Html {
    let change = props.change.clone();
    html! {
        <label class="toggle">
            <input type="checkbox" role="switch" checked={props.on}
                onchange={move |event: Event| change.emit(page::is_checked(&event))} />
            <span class="toggle-track" aria-hidden="true"></span>
            <span>{ props.label.clone() }</span>
        </label>
    }
}
