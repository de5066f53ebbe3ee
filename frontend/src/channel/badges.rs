//! A channel's own pictures for the badges of its subscribers, one a tier. Each is kept as soon as it is picked.

use crate::{
    api::{Order, text, use_desk},
    browser::{self, file},
    ui::{Button, Kind, Question, Shape, Skeleton, alert, named_icon, use_question},
};
use serde_json::json;
use shared::{emote::EMOTE_BYTES_MOST, id::ChannelName, subscription::Tier};
use yew::prelude::*;

/// Properties of [`Badges`].
#[derive(Properties, PartialEq)]
pub struct BadgesProps {
    /// Whose.
    pub channel: ChannelName,
}

/// A tier as the API calls it.
fn word(tier: Tier) -> &'static str {
    match tier {
        Tier::One => "one",
        Tier::Two => "two",
        Tier::Three => "three",
    }
}

/// The three tiers, each with what is shown for it.
#[component]
pub fn Badges(props: &BadgesProps) -> Html {
    let path = format!("channels/{}/badges", props.channel);
    let desk = use_desk(path.clone());
    let wrong = use_state(|| None::<&'static str>);
    let (ask, question) = use_question();
    let entry = |tier: Tier| {
        let (number, path) = (tier.number(), format!("{path}/{}", word(tier)));
        let url = desk.items().iter().find(|one| text(one, "tier") == word(tier)).map(|one| text(one, "url"));
        let on_file = {
            let (order, wrong, path) = (desk.order.clone(), wrong.setter(), path.clone());
            move |event: Event| {
                let Some(file) = file::picked(&event) else { return };
                if file.size() > EMOTE_BYTES_MOST as f64 {
                    return wrong.set(Some("A picture has at most 1 MB. Make it smaller."));
                }
                wrong.set(None);
                let (order, wrong, path) = (order.clone(), wrong.clone(), path.clone());
                browser::spawn(async move {
                    let Some(image) = file.base64().await else {
                        return wrong.set(Some("This file can't be read. Pick it again, or another one."));
                    };
                    let body = Some(json!({ "image": image }));
                    let done = "Chat shows it now";
                    order.emit(Order { method: "PUT", path, body, done, in_form: true, ..Order::default() });
                });
            }
        };
        let remove = {
            let done = "The badge is that of every channel again";
            let order = Order { method: "DELETE", path, done, ..Order::default() };
            let (ask, act) = (ask.clone(), desk.act(order));
            Callback::from(move |()| {
                ask.emit(Question {
                    title: format!("Remove the badge of tier {number}?"),
                    text: "A heart is shown in its place. To have it back, you need its picture again.",
                    keep: "Keep it",
                    label: "Remove",
                    kind: Kind::Danger,
                    act: act.clone(),
                })
            })
        };
        html! {
            <li class="login" key={number}>
                <div class="grow">
                    if let Some(url) = url {
                        <img class="chat-emote" src={url.to_owned()} alt="The channel's own badge" height="28" loading="lazy" />
                    } else {
                        { named_icon(Shape::Heart, "A heart, as in every channel") }
                    }
                    <b>{ format!(" Tier {number}") }</b>
                </div>
                <label class="button file-button">
                    <input type="file" accept="image/png,image/jpeg,image/webp,image/gif" onchange={on_file}
                        aria-label={format!("Choose a picture for the badge of tier {number}")}
                        disabled={desk.is_busy || desk.data.is_null()} data-testid={format!("badge-{number}")} />
                    <span>{ "Choose a picture" }</span>
                </label>
                if url.is_some() {
                    <Button label="Remove" name={format!("Remove the badge of tier {number}")} on={remove}
                        testid={format!("remove-badge-{number}")} />
                }
            </li>
        }
    };
    html! {
        <div class="form">
            <p class="quiet">{ "Shown beside the names of those who subscribe, in the place of a heart. Square pictures look best." }</p>
            if desk.is_pending { <Skeleton class="skeleton-line" /> }
            { desk.trouble("the list of badges") }
            <ul class="plain-list" data-testid="own-badges">{ for Tier::ALL.into_iter().map(entry) }</ul>
            { alert((*wrong).map(str::to_owned).or(desk.wrong.clone())) }
            { question }
        </div>
    }
}
