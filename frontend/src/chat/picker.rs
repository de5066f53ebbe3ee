//! The emotes to pick from.

use super::{
    emotes_state::{self, Group},
    row,
    sheet::Sheet,
    text_state,
};
use crate::{
    browser::{page, scroll},
    ui::{Shape, icon},
};
use shared::{chat::Emote, subscription::Tier};
use yew::prelude::*;

/// Grids with a search. Arrows move, Enter picks, Escape closes. `most` is the highest tier whose emotes this person may type,
/// `wanted` is what is searched for, `grid` the node of all grids.
pub fn picker(
    emotes: &[Emote],
    most: Option<Tier>,
    wanted: &UseStateHandle<String>,
    grid: &NodeRef,
    on_pick: &Callback<String>,
    on_close: &Callback<()>,
) -> Html {
    let oninput = {
        let wanted = wanted.clone();
        move |event: InputEvent| wanted.set(page::typed(&event).to_ascii_lowercase())
    };
    let found = emotes_state::groups(emotes, wanted);
    let is_open = |emote: &&&Emote| emotes_state::locked(emote, most).is_none();
    let first = found.iter().flat_map(|group| &group.emotes).find(is_open).map(|emote| emote.code.clone());
    let onkeydown = {
        let (grid, on) = (grid.clone(), on_pick.clone());
        let sizes: Vec<usize> = found.iter().map(|group| group.emotes.len()).collect();
        let all = found.iter().flat_map(|group| &group.emotes);
        let codes: Vec<String> = all.map(|emote| emote.code.clone()).collect();
        move |event: KeyboardEvent| {
            let focused = scroll::pressed(&event, "data-code", "data-code");
            let at = focused.and_then(|(code, _)| codes.iter().position(|known| *known == code));
            match (event.key().as_str(), at) {
                ("ArrowDown", None) => scroll::focus_first(&grid, "button"),
                ("Enter", None) => {
                    if let Some(code) = &first {
                        on.emit(code.clone());
                    }
                }
                (key @ ("ArrowRight" | "ArrowLeft" | "ArrowDown" | "ArrowUp"), Some(at)) => {
                    let by = emotes_state::step(&sizes, at, key) as i32 - at as i32;
                    scroll::walk(&grid, "button", by);
                }
                _ => return,
            }
            event.prevent_default();
        }
    };
    let onclick = {
        let on = on_pick.clone();
        let closed = emotes.iter().filter(|emote| emotes_state::locked(emote, most).is_some());
        let locked: Vec<String> = closed.map(|emote| emote.code.clone()).collect();
        move |event: MouseEvent| {
            let pressed = scroll::pressed(&event, "data-code", "data-code");
            if let Some((code, _)) = pressed.filter(|(code, _)| !locked.contains(code)) {
                on.emit(code);
            }
        }
    };
    let emote = |emote: &&Emote| {
        let name = text_state::said(&emote.code);
        // It can be reached all the same: what opens it is worth knowing.
        let locked = emotes_state::locked(emote, most).map(Tier::number);
        let (name, title) = match locked {
            Some(tier) => {
                let opens = format!("opens with tier {tier}");
                (format!("{name}: locked, {opens}"), format!("{} {opens}", emote.code))
            }
            None => (name.to_owned(), emote.code.clone()),
        };
        html! {
            <button type="button" key={emote.code.clone()} data-code={emote.code.clone()} title={title}
                aria-label={name} aria-disabled={locked.map(|_| "true")} tabindex="-1">
                if text_state::is_own(&emote.url) {
                    { row::emote(&emote.code, &emote.url, "") }
                }
                if let Some(tier) = locked { <span class="chat-lock">{ icon(Shape::Lock) }{ tier }</span> }
            </button>
        }
    };
    let group = |group: &Group| {
        html! {
            <>
                <h4 class="chat-emotes-title">{ group.name }</h4>
                <div class="chat-emotes" role="group" aria-label={format!("Emotes: {}", group.name)}>
                    { for group.emotes.iter().map(emote) }
                </div>
            </>
        }
    };
    html! {
        <Sheet title="Emotes" on_close={on_close.clone()}>
            <div onkeydown={onkeydown}>
                <div class="field">
                    <input type="search" placeholder="Search emotes" aria-label="Search emotes" autocomplete="off"
                        oninput={oninput} data-testid="emote-search" />
                </div>
                <div ref={grid.clone()} onclick={onclick} data-testid="emotes">{ for found.iter().map(group) }</div>
                if found.is_empty() { <p class="quiet" role="status">{ "No emote is called that." }</p> }
            </div>
        </Sheet>
    }
}
