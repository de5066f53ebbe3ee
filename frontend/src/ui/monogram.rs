//! A picture made of a name, where there is no picture.

use super::{el_with, format_state};
use yew::prelude::*;

/// Somebody's picture from this server; where they have none, a monogram.
pub fn portrait(picture: Option<&str>, name: &str, seed: &str, size: &'static str) -> Html {
    let Some(address) = picture else { return monogram(name, seed, size) };
    let class = if size == "small" { "monogram monogram-small" } else { "monogram" };
    el_with("img", class, &[("src", address), ("alt", "")], Vec::new())
}

/// Up to two letters of `name` on calm water. Its colour comes from `seed`, which stays when the name changes; its size is
/// `small`, `medium` or `art`.
pub fn monogram(name: &str, seed: &str, size: &'static str) -> Html {
    html! {
        <span class={classes!("monogram", format!("monogram-{size}"))} aria-hidden="true"
            style={format!("--hue:{}", format_state::hue(seed))}>
            if size == "art" {
                <svg viewBox="0 0 320 180" preserveAspectRatio="none">
                    <path d="M0 118h120c50 0 42 26 92 26h108M0 136h112c50 0 42 20 92 20h116M0 100h128c50 0 42 32 92 32h100" />
                </svg>
            }
            <span>{ format_state::monogram(name) }</span>
        </span>
    }
}
