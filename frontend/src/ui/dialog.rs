//! A dialog: the browser's own, which keeps focus inside, closes on Escape and gives focus back.

use super::{button::IconButton, icon::Shape};
use crate::browser::page;
use yew::prelude::*;

/// Properties of [`Dialog`].
#[derive(Properties, PartialEq)]
pub struct DialogProps {
    /// What it is about.
    pub title: AttrValue,
    /// When the person closes it.
    pub on_close: Callback<()>,
    /// What it says.
    pub children: Html,
}

/// A dialog, open as long as it is there.
#[component]
pub fn Dialog(props: &DialogProps) -> Html {
    let node = use_node_ref();
    {
        let node = node.clone();
        use_effect_with((), move |()| {
            page::show_dialog(&node);
            move || page::close_dialog(&node)
        });
    }
    let close = props.on_close.clone();
    let onclose = {
        let close = close.clone();
        move |_: Event| close.emit(())
    };
    let oncancel = {
        let close = close.clone();
        move |event: Event| {
            event.prevent_default();
            close.emit(());
        }
    };
    html! {
        <dialog ref={node} class="dialog" aria-label={props.title.clone()} onclose={onclose} oncancel={oncancel}>
            <header>
                <h2>{ props.title.clone() }</h2>
                <IconButton icon={Shape::Close} label="Close" on={close} />
            </header>
            { props.children.clone() }
        </dialog>
    }
}
