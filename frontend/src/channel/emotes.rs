//! A channel's own emotes, or those of all channels: adding them, saying who may type them, and taking them away.

use crate::{
    api::{Desk, Order, text, use_desk},
    browser::{self, file},
    ui::{Button, Choice, Kind, Question, Select, Skeleton, TextField, alert, el, use_question, words},
};
use serde_json::{Value, json};
use shared::{
    emote::{EMOTE_BYTES_MOST, EmoteName},
    id::ChannelName,
};
use yew::prelude::*;

/// Properties of [`Emotes`].
#[derive(Properties, PartialEq)]
pub struct EmotesProps {
    /// Whose; none for those of all channels.
    #[prop_or_default]
    pub channel: Option<ChannelName>,
}

/// The list, and a form to add one.
#[component]
pub fn Emotes(props: &EmotesProps) -> Html {
    let path = match &props.channel {
        Some(channel) => format!("channels/{channel}/emotes"),
        None => "emotes".to_owned(),
    };
    let (id, done, gone) = match &props.channel {
        Some(channel) => (
            channel.as_str(),
            "It can be typed in your chat now",
            "It can't be typed any more. To have it back, you need its picture again.",
        ),
        None => (
            "everywhere",
            "It can be typed in every chat now",
            "It can't be typed in any chat any more. To have it back, you need its picture again.",
        ),
    };
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
    let entry = |emote: &Value| {
        let code = text(emote, "name").to_owned();
        let name = format!("Remove the emote “{code}”");
        let remove = {
            let (path, done) = (format!("{path}/{code}"), "The emote is gone");
            let order = Order { method: "DELETE", path, done, ..Order::default() };
            let (ask, act, title) = (ask.clone(), desk.act(order), format!("{name}?"));
            Callback::from(move |()| {
                ask.emit(Question {
                    title: title.clone(),
                    text: gone,
                    keep: "Keep it",
                    label: "Remove",
                    kind: Kind::Danger,
                    act: act.clone(),
                })
            })
        };
        let picture = html! { <img class="chat-emote" src={text(emote, "url").to_owned()} alt="" height="28" loading="lazy" /> };
        let said = vec![picture, words("b", "", format!(" :{code}:"))];
        let whose = if props.channel.is_some() { whose(&desk, &path, id, emote) } else { Html::default() };
        let button = html! { <Button label="Remove" name={name} on={remove} /> };
        el("li", "login emote-entry", vec![el("div", "grow", said), whose, button])
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
            <TextField id={format!("{id}-emote")} label="Name of a new emote" value={(*name).clone()} on={set}
                testid="emote-name" hint={if props.channel.is_some() {
                    "What is typed between two colons."
                } else {
                    "What is typed between two colons, in every channel. A channel's own emote of the same name is shown there instead."
                }} />
            <label class="button file-button">
                <input type="file" accept="image/png,image/jpeg,image/webp,image/gif" onchange={on_file}
                    disabled={desk.is_busy || desk.data.is_null()} data-testid="emote-file" />
                <span>{ "Choose its picture" }</span>
            </label>
            { question }
        </div>
    }
}

/// Who may type an emote, to be changed.
fn whose(desk: &Desk, path: &str, id: &str, emote: &Value) -> Html {
    let code = text(emote, "name").to_owned();
    let on = {
        let (order, path) = (desk.order.clone(), format!("{path}/{code}/tier"));
        Callback::from(move |tier: String| {
            let body = Some(json!({ "tier": Some(tier).filter(|tier| !tier.is_empty()) }));
            let done = "Who may type it is changed";
            order.emit(Order { method: "PUT", path: path.clone(), body, done, ..Order::default() });
        })
    };
    let choices = vec![
        Choice::new("", "Everybody"),
        Choice::new("one", "Tier 1 and up"),
        Choice::new("two", "Tier 2 and up"),
        Choice::new("three", "Tier 3"),
    ];
    html! {
        <Select id={format!("{id}-tier-{code}")} label={format!("Who may type :{code}:")} value={text(emote, "tier").to_owned()}
            on={on} choices={choices} disabled={desk.is_busy} testid={format!("emote-tier-{code}")} />
    }
}
