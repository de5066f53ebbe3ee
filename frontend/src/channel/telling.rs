//! What a channel tells of itself at length: Markdown, with what it becomes under it.

use crate::{
    api::{Order, text, use_desk},
    browser::time,
    ui::{Button, Lines, Skeleton, alert, el_with, prose},
};
use serde_json::{Value, json};
use shared::id::ChannelName;
use yew::prelude::*;

/// So long after the last key it is shown what the text becomes, in milliseconds.
const PAUSE: i32 = 400;

/// Properties of [`Telling`].
#[derive(Properties, PartialEq)]
pub struct TellingProps {
    /// Whose.
    pub channel: ChannelName,
}

/// The text, and a look at it.
#[component]
pub fn Telling(props: &TellingProps) -> Html {
    let path = format!("channels/{}", props.channel);
    let desk = use_desk(format!("{path}/about"));
    let look = use_desk(String::new());
    let draft = use_state(|| None::<String>);
    // What the server made of what was typed last.
    let looked = use_state(|| None::<Value>);
    let timer = use_mut_ref(|| None::<time::Timer>);
    let on = {
        let (draft, order, timer, path) = (draft.setter(), look.order.clone(), timer.clone(), path.clone());
        let looked = looked.setter();
        Callback::from(move |text: String| {
            draft.set(Some(text.clone()));
            let (order, path, looked) = (order.clone(), format!("{path}/about/preview"), looked.clone());
            // Only the last text is asked about, as each key starts the wait anew.
            *timer.borrow_mut() = Some(time::after(PAUSE, move || {
                let body = Some(json!({ "about": text }));
                let wanted =
                    Order { method: "POST", path, body, in_form: true, quiet: true, ..Order::default() };
                order.emit(wanted.then(move |blocks| looked.set(Some(blocks))));
            }));
        })
    };
    let save = {
        let (order, draft, path) = (desk.order.clone(), draft.clone(), path.clone());
        Callback::from(move |()| {
            // Nothing was changed until something was typed.
            let Some(text) = (*draft).clone() else { return };
            order.emit(Order {
                method: "PATCH",
                path: path.clone(),
                body: Some(json!({ "about": text })),
                done: "Saved",
                in_form: true,
                ..Order::default()
            });
        })
    };
    if desk.data.is_null() {
        return html! { <>{ desk.trouble("What the channel tells of itself") }if desk.is_pending { <Skeleton class="skeleton-line" /> }</> };
    }
    let written = (*draft).clone().unwrap_or_else(|| text(&desk.data, "text").to_owned());
    // Until something was typed, what is kept; and then what was answered last.
    let shown = looked.as_ref().unwrap_or(&desk.data);
    let preview = [("role", "region"), ("aria-label", "How it looks"), ("data-testid", "about-preview")];
    html! {
        <div class="form">
            <Lines id={format!("{}-about", props.channel)} label="About the channel, at length" value={written} on={on} testid="about-text"
                hint="Markdown, up to 5,000 characters: # headings, **strong**, *stressed*, lists, > quotes, [links](https://…). HTML stays text." />
            if shown["blocks"].as_array().is_some_and(|blocks| !blocks.is_empty()) {
                { el_with("div", "prose preview", &preview, prose(&shown["blocks"])) }
            }
            { alert(desk.wrong.clone().or(look.wrong.clone())) }
            <Button label="Save" name="Save what the channel tells" on={save} busy={desk.is_busy} testid="save-about" />
        </div>
    }
}
