//! What opens over the log's end: a message's actions, the emotes, the settings.

use crate::{
    browser::{listen, page, scroll},
    ui::{IconButton, Shape},
};
use yew::prelude::*;

/// Where the focus goes when what had it is gone.
pub const FIELD: &str = "chat-text";

/// Properties of [`Sheet`].
#[derive(Properties, PartialEq)]
pub struct SheetProps {
    /// What it is about.
    pub title: AttrValue,
    /// When the person closes it.
    pub on_close: Callback<()>,
    /// Gives the focus to the field and not to what had it.
    #[prop_or_default]
    pub to_field: bool,
    /// What it says.
    pub children: Html,
}

/// A sheet, open as long as it is there. It takes the focus and gives it back; Escape and a press outside close it.
#[component]
pub fn Sheet(props: &SheetProps) -> Html {
    let node = use_node_ref();
    {
        let (node, close, to_field) = (node.clone(), props.on_close.clone(), props.to_field);
        use_effect_with((), move |()| {
            let focused = scroll::focused();
            scroll::focus_first(&node, ".sheet-body :is(input, button)");
            let listener = listen::press_outside(".chat-sheet, .chat-opens", move || close.emit(()));
            move || {
                drop(listener);
                if to_field || !focused.give_back() {
                    page::focus_id(FIELD);
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
