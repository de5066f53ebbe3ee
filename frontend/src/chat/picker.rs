//! The emotes to pick from.

use super::{row, sheet::Sheet, text_state};
use crate::browser::{page, scroll};
use shared::chat::Emote;
use yew::prelude::*;

/// Emotes in a row, for the arrow keys.
const COLUMNS: i32 = 6;

/// A grid with a search. Arrows move, Enter picks, Escape closes. `wanted` is what is searched for, `grid` the grid's node.
pub fn picker(
    emotes: &[Emote],
    wanted: &UseStateHandle<String>,
    grid: &NodeRef,
    on_pick: &Callback<String>,
    on_close: &Callback<()>,
) -> Html {
    let oninput = {
        let wanted = wanted.clone();
        move |event: InputEvent| wanted.set(page::typed(&event).to_ascii_lowercase())
    };
    let found: Vec<&Emote> =
        emotes.iter().filter(|emote| emote.code.to_ascii_lowercase().contains(&***wanted)).collect();
    let onkeydown = {
        let (grid, on, first) =
            (grid.clone(), on_pick.clone(), found.first().map(|emote| emote.code.clone()));
        move |event: KeyboardEvent| {
            let in_field = scroll::pressed(&event, "data-code", "data-code").is_none();
            let by = match event.key().as_str() {
                "ArrowDown" if in_field => 0,
                "ArrowRight" if !in_field => 1,
                "ArrowLeft" if !in_field => -1,
                "ArrowDown" => COLUMNS,
                "ArrowUp" if !in_field => -COLUMNS,
                "Enter" if in_field => {
                    event.prevent_default();
                    if let Some(code) = &first {
                        on.emit(code.clone());
                    }
                    return;
                }
                _ => return,
            };
            event.prevent_default();
            if by == 0 {
                scroll::focus_first(&grid, "button");
            } else {
                scroll::walk(&grid, "button", by);
            }
        }
    };
    let onclick = {
        let on = on_pick.clone();
        move |event: MouseEvent| {
            if let Some((code, _)) = scroll::pressed(&event, "data-code", "data-code") {
                on.emit(code);
            }
        }
    };
    let emote = |emote: &&Emote| {
        let name = text_state::said(&emote.code).to_owned();
        html! {
            <button type="button" key={emote.code.clone()} data-code={emote.code.clone()} title={emote.code.clone()}
                aria-label={name} tabindex="-1">
                if text_state::is_own(&emote.url) {
                    { row::emote(&emote.code, &emote.url, "") }
                }
            </button>
        }
    };
    html! {
        <Sheet title="Emotes" on_close={on_close.clone()}>
            <div onkeydown={onkeydown}>
                <div class="field">
                    <input type="search" placeholder="Search emotes" aria-label="Search emotes" autocomplete="off"
                        oninput={oninput} data-testid="emote-search" />
                </div>
                <div ref={grid.clone()} class="chat-emotes" role="group" aria-label="Emotes" onclick={onclick} data-testid="emotes">
                    { for found.iter().map(emote) }
                </div>
                if found.is_empty() { <p class="quiet" role="status">{ "No emote is called that." }</p> }
            </div>
        </Sheet>
    }
}
