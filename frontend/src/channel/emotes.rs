//! A channel's own emotes: adding them, and taking them away.

use crate::{
    api::{Order, text, use_desk},
    browser::{self, file},
    ui::{Button, Skeleton, TextField, alert, el, words},
};
use serde_json::json;
use shared::{
    emote::{EMOTE_BYTES_MOST, EmoteName},
    id::ChannelName,
};
use yew::prelude::*;

/// Properties of [`Emotes`].
#[derive(Properties, PartialEq)]
pub struct EmotesProps {
    /// Whose.
    pub channel: ChannelName,
}

/// The list, and a form to add one.
#[component]
pub fn Emotes(props: &EmotesProps) -> Html {
    let path = format!("channels/{}/emotes", props.channel);
    let desk = use_desk(format!("{path}?limit=200"));
    let (name, wrong) = (use_state(String::new), use_state(|| None::<&'static str>));
    {
        let name = name.setter();
        use_effect_with(desk.answer.clone(), move |_| name.set(String::new()));
    }
    let on_file = {
        let (order, name, wrong, path) = (desk.order.clone(), name.clone(), wrong.setter(), path.clone());
        move |event: Event| {
            let Some(file) = file::picked(&event) else { return };
            let Ok(emote) = name.trim().trim_matches(':').parse::<EmoteName>() else {
                return wrong
                    .set(Some("Give it a name first: 2 to 24 letters from a to z, digits and underscores."));
            };
            if file.size() > EMOTE_BYTES_MOST as f64 {
                return wrong.set(Some("A picture has at most 1 MB. Make it smaller."));
            }
            wrong.set(None);
            let (order, path) = (order.clone(), format!("{path}/{emote}"));
            browser::spawn(async move {
                let Some(image) = file.base64().await else { return };
                let body = Some(json!({ "image": image }));
                let done = "It can be typed in your chat now";
                order.emit(Order { method: "PUT", path, body, done, in_form: true, ..Order::default() });
            });
        }
    };
    let entry = |emote: &serde_json::Value| {
        let code = text(emote, "name").to_owned();
        let at = format!("{path}/{code}");
        let remove = desk.order.reform(move |()| Order {
            method: "DELETE",
            path: at.clone(),
            done: "The emote is gone",
            ..Order::default()
        });
        let picture = html! { <img class="chat-emote" src={text(emote, "url").to_owned()} alt="" height="28" loading="lazy" /> };
        let said = vec![picture, words("b", "", format!(" :{code}:"))];
        let label = format!("Remove {code}");
        el("li", "login", vec![el("div", "", said), html! { <Button label={label} on={remove} /> }])
    };
    let set = {
        let name = name.clone();
        Callback::from(move |text: String| name.set(text))
    };
    html! {
        <div class="form">
            if !desk.items().is_empty() {
                <ul class="plain-list" data-testid="own-emotes">{ for desk.items().iter().map(entry) }</ul>
            }
            if desk.is_pending { <Skeleton class="skeleton-line" /> }
            { alert(desk.failure.clone().or(desk.wrong.clone()).or((*wrong).map(str::to_owned))) }
            <TextField id={format!("{}-emote", props.channel)} label="Name of a new emote" value={(*name).clone()} on={set}
                testid="emote-name" hint="What is typed between two colons." />
            <label class="button file-button">
                <input type="file" accept="image/png,image/jpeg,image/webp,image/gif" onchange={on_file}
                    disabled={desk.is_busy} data-testid="emote-file" />
                <span>{ "Choose its picture" }</span>
            </label>
        </div>
    }
}
