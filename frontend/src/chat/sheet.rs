//! What opens over the log's end: a message's actions, the emotes, the settings.

use crate::{
    browser::{listen, page, scroll},
    ui::{IconButton, Shape},
};
use yew::prelude::*;

/// Where people write.
pub const FIELD: &str = "chat-text";
/// The messages: where the focus goes when what had it is gone.
pub const LOG: &str = "chat-log";

/// Properties of [`Sheet`].
#[derive(Properties, PartialEq)]
pub struct SheetProps {
    /// What it is about.
    pub title: AttrValue,
    /// When the person closes it.
    pub on_close: Callback<()>,
    /// What it says.
    pub children: Html,
}

/// A sheet, open as long as it is there. It takes the focus and gives it back, unless it went elsewhere; Escape and a press outside close it.
#[component]
pub fn Sheet(props: &SheetProps) -> Html {
    let node = use_node_ref();
    {
        let (node, close) = (node.clone(), props.on_close.clone());
        use_effect_with((), move |()| {
            let focused = scroll::focused();
            // A keyboard on the screen would cover what there is to choose from.
            let coarse = scroll::matches("(pointer: coarse)");
            let typed = if coarse { "input:not([type=search])" } else { "input" };
            scroll::focus_first(&node, &format!(".sheet-body :is({typed}, button)"));
            let listener = listen::press_outside(".chat-sheet, .chat-opens", move || close.emit(()));
            move || {
                drop(listener);
                if scroll::has_focus("body, .chat-sheet *") && !focused.give_back() {
                    page::focus_id(LOG);
                }
            }
        });
    }
    let onkeydown = {
        let close = props.on_close.clone();
        move |event: KeyboardEvent| {
            if event.key() == "Escape" {
                event.prevent_default();
                event.stop_propagation();
                close.emit(());
            }
        }
    };
    html! {
        <section ref={node} class="chat-sheet" role="dialog" aria-label={props.title.clone()} onkeydown={onkeydown}
            data-testid="chat-sheet">
            <header>
                <h3><bdi>{ props.title.clone() }</bdi></h3>
                <IconButton icon={Shape::Close} label="Close" on={props.on_close.clone()} />
            </header>
            <div class="sheet-body">{ props.children.clone() }</div>
        </section>
    }
}
