//! A channel's own emotes: adding them, and taking them away.

use crate::{
    api::{Order, text, use_desk},
    browser::{self, file},
    ui::{Button, Kind, Question, Skeleton, TextField, alert, el, use_question, words},
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
    let (ask, question) = use_question();
    let on_file = {
        let (desk, ask, path) = (desk.clone(), ask.clone(), path.clone());
        let (name, wrong) = (name.clone(), wrong.setter());
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
            let is_there = desk.items().iter().any(|one| text(one, "name") == emote.as_str());
            let (desk, ask, path) = (desk.clone(), ask.clone(), format!("{path}/{emote}"));
            let (typed, wrong) = (name.setter(), wrong.clone());
            browser::spawn(async move {
                let Some(image) = file.base64().await else {
                    return wrong.set(Some("This file can't be read. Pick it again, or another one."));
                };
                let body = Some(json!({ "image": image }));
                let done = "It can be typed in your chat now";
                let put = Order { method: "PUT", path, body, done, in_form: !is_there, ..Order::default() }
                    .then(move |_| typed.set(String::new()));
                if !is_there {
                    return desk.order.emit(put);
                }
                ask.emit(Question {
                    title: format!("Replace the emote “{emote}”?"),
                    text: "Whoever types it gets the new picture. To have the old one back, you need its file again.",
                    keep: "Keep it",
                    label: "Replace",
                    kind: Kind::Danger,
                    act: desk.act(put),
                });
            });
        }
    };
    let entry = |emote: &serde_json::Value| {
        let code = text(emote, "name").to_owned();
        let name = format!("Remove the emote “{code}”");
        let remove = {
            let (path, done) = (format!("{path}/{code}"), "The emote is gone");
            let order = Order { method: "DELETE", path, done, ..Order::default() };
            let (ask, act, title) = (ask.clone(), desk.act(order), format!("{name}?"));
            Callback::from(move |()| {
                ask.emit(Question {
                    title: title.clone(),
                    text: "It can't be typed any more. To have it back, you need its picture again.",
                    keep: "Keep it",
                    label: "Remove",
                    kind: Kind::Danger,
                    act: act.clone(),
                })
            })
        };
        let picture = html! { <img class="chat-emote" src={text(emote, "url").to_owned()} alt="" height="28" loading="lazy" /> };
        let said = vec![picture, words("b", "", format!(" :{code}:"))];
        el(
            "li",
            "login",
            vec![el("div", "grow", said), html! { <Button label="Remove" name={name} on={remove} /> }],
        )
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
            { desk.trouble("the list of emotes") }
            { alert((*wrong).map(str::to_owned).or(desk.wrong.clone())) }
            <TextField id={format!("{}-emote", props.channel)} label="Name of a new emote" value={(*name).clone()} on={set}
                testid="emote-name" hint="What is typed between two colons." />
            <label class="button file-button">
                <input type="file" accept="image/png,image/jpeg,image/webp,image/gif" onchange={on_file}
                    disabled={desk.is_busy || desk.data.is_null()} data-testid="emote-file" />
                <span>{ "Choose its picture" }</span>
            </label>
            { question }
        </div>
    }
}
