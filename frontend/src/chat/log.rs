//! The log: lines that scroll, held still while somebody reads further up. Functions and not components: each of those
//! costs every page some kilobytes.

use super::{
    log_state::Line,
    row::{Row, pending},
    sheet::LOG,
    snapshot::Snapshot,
    text_state,
};
use crate::{browser::scroll, ui::Skeleton};
use shared::{
    chat::{BadgePicture, ChatMessage, Fragment},
    id::PersonId,
};
use std::rc::Rc;
use yew::prelude::*;

/// So far from the end, in pixels, somebody reads further up.
const FURTHER_UP: f64 = 60.0;

/// Whether a message mentions this person.
fn is_to(message: &ChatMessage, you: &PersonId) -> bool {
    message
        .fragments
        .iter()
        .any(|fragment| matches!(fragment, Fragment::Mention { person, .. } if person == you))
}

/// The channel's own pictures for its subscribers' badges.
fn pictures(snapshot: &Snapshot) -> Rc<[BadgePicture]> {
    snapshot.room.as_ref().map_or_else(Rc::default, |room| Rc::from(&*room.badges))
}

/// The lines. `list` is what scrolls; `active` is the id of the message under the pointer or the focus; `silent`: the person wants nothing read out; `on_pause` hears whether somebody reads
/// further up, `on_act` of what was pressed: an act, and the message's id or key.
pub fn log(
    snapshot: &Snapshot,
    list: &NodeRef,
    active: &UseStateHandle<String>,
    silent: bool,
    on_pause: &Callback<bool>,
    on_act: &Callback<(String, String)>,
) -> Html {
    let you = snapshot.room.as_ref().and_then(|room| room.you.as_ref());
    let onscroll = {
        let (list, on) = (list.clone(), on_pause.clone());
        move |_: Event| on.emit(scroll::from_end(&list) > FURTHER_UP)
    };
    let to_end = {
        let (list, on) = (list.clone(), on_pause.clone());
        move |_: MouseEvent| {
            on.emit(false);
            scroll::to_end(&list);
        }
    };
    let onclick = {
        let on = on_act.clone();
        move |event: MouseEvent| {
            let pressed = scroll::pressed(&event, "data-act", "data-id");
            // On a touch screen there is no hovering: a tap on the line itself opens it.
            let tapped = || {
                let is_link = scroll::pressed(&event, "href", "data-id").is_some();
                let line = scroll::pressed(&event, "data-id", "data-id").filter(|_| !is_link)?;
                scroll::matches("(hover: none)").then(|| ("open".to_owned(), line.1))
            };
            if let Some(pressed) = pressed.or_else(tapped) {
                on.emit(pressed);
            }
        }
    };
    let onkeydown = {
        let (list, on) = (list.clone(), on_act.clone());
        move |event: KeyboardEvent| {
            let by = match event.key().as_str() {
                "ArrowUp" => -1,
                "ArrowDown" => 1,
                "Home" => -1000,
                "End" => 1000,
                "Enter" => {
                    let on_line = scroll::pressed(&event, "data-act", "data-id").is_none();
                    let line = scroll::pressed(&event, "data-id", "data-id").filter(|_| on_line);
                    if let Some((_, id)) = line {
                        event.prevent_default();
                        on.emit(("open".to_owned(), id));
                    }
                    return;
                }
                _ => return,
            };
            if scroll::walk(&list, "li[tabindex]", by) {
                event.prevent_default();
            }
        }
    };
    // One line at a time has buttons: on each of them they would be half of the page.
    let reach = {
        let active = active.clone();
        Callback::from(move |event: Event| {
            if let Some((_, id)) =
                scroll::pressed(&event, "data-id", "data-id").filter(|(_, id)| **active != *id)
            {
                active.set(id);
            }
        })
    };
    let onpointerover = reach.reform(|event: PointerEvent| event.into());
    let onfocusin = reach.reform(|event: FocusEvent| event.into());
    let reads_out = snapshot.announces && !silent;
    let badges = pictures(snapshot);
    let row = |line: &Line| {
        let to = line.message().zip(you).filter(|(message, you)| is_to(message, &you.id));
        let active = line.message().is_some_and(|message| message.id.as_str() == &***active);
        html! { <Row key={line.key} line={line.clone()} to={to.map(|(_, you)| you.id.clone())} active={active}
        badges={badges.clone()} /> }
    };
    let is_empty = snapshot.lines.is_empty() && snapshot.pending.is_empty();
    html! {
        <div class="chat-body">
            <div ref={list.clone()} id={LOG} class="chat-scroll" role="log" tabindex="0" aria-label="Messages"
                aria-describedby="chat-keys" aria-live={if reads_out { "polite" } else { "off" }}
                aria-relevant="additions" onscroll={onscroll} onkeydown={onkeydown} data-testid="chat-log">
                if let Some(failure) = snapshot.refused.as_ref().filter(|_| is_empty) {
                    <p class="chat-empty quiet" role="status">{ failure.sentence() }</p>
                } else if !snapshot.is_loaded && is_empty {
                    <div class="chat-empty"><Skeleton class="skeleton-chat" /></div>
                } else if is_empty {
                    <p class="chat-empty quiet">{ "Nothing has been written yet." }</p>
                } else {
                    <ol class="chat-lines" onclick={onclick} onpointerover={onpointerover} onfocusin={onfocusin}>
                        { for snapshot.lines.iter().map(row) }
                        { for snapshot.pending.iter().map(|one| pending(one, you, &badges, snapshot.reachable)) }
                    </ol>
                }
            </div>
            <span id="chat-keys" class="hidden-words">
                { "Arrow keys go from message to message, Enter shows what can be done with one." }
            </span>
            if snapshot.paused {
                <button type="button" class="button chat-newer" onclick={to_end} data-testid="chat-newer">
                    { text_state::new_messages(snapshot.unseen) }
                </button>
            }
        </div>
    }
}

/// The lines as they stand over a picture: nothing to press, nothing to scroll.
pub fn faded(snapshot: &Snapshot) -> Html {
    let badges = pictures(snapshot);
    let row = |line: &Line| {
        html! { <Row key={line.key} line={line.clone()} plain=true badges={badges.clone()} /> }
    };
    html! {
        <ol class="chat-lines" data-testid="chat-log">
            { for snapshot.lines.iter().filter(|line| line.message().is_some()).map(row) }
        </ol>
    }
}
