//! Subscribing to a channel: what there is, what one has, and the way to redeem a gift code.

use crate::{
    api::{Order, Who, text, use_desk, use_site},
    browser::time,
    route::to_sign_in,
    ui::{Button, Dialog, Kind, Skeleton, TextField, el, words},
};
use serde_json::{Value, json};
use shared::{id::ChannelName, unit::Timestamp};
use yew::prelude::*;

/// Properties of [`Subscribe`].
#[derive(Properties, PartialEq)]
pub struct SubscribeProps {
    /// To which channel.
    pub channel: ChannelName,
}

/// A tier's name, as people read it.
pub fn tier_name(tier: &str) -> &'static str {
    match tier {
        "one" => "Tier 1",
        "two" => "Tier 2",
        _ => "Tier 3",
    }
}

/// For how long something goes on, by a field that holds its end.
pub fn left(value: &Value, field: &str) -> String {
    let at = serde_json::from_value::<Timestamp>(value[field].clone()).map_or(0, Timestamp::as_millis);
    let days = (at - time::wall()).max(0) / (24 * 60 * 60 * 1000);
    match days {
        0 => "less than a day left".to_owned(),
        1 => "1 day left".to_owned(),
        days => format!("{days} days left"),
    }
}

/// What a tier brings. Emotes are said of one that opens any, which the channel may not have.
fn brings(benefits: &Value, opens: usize) -> String {
    let emotes = if opens == 1 { "an emote".to_owned() } else { format!("{opens} emotes") };
    let all = [("badge", "a badge in chat"), ("emotes", &*emotes), ("adFree", "no advertisements")];
    let has = |field: &str| benefits[field] == true && (field != "emotes" || opens > 0);
    let has: Vec<&str> = all.into_iter().filter(|(field, _)| has(field)).map(|(_, says)| says).collect();
    has.join(", ")
}

/// A button that opens what there is.
#[component]
pub fn Subscribe(props: &SubscribeProps) -> Html {
    let open = use_state(|| false);
    let set = |on: bool| {
        let open = open.clone();
        Callback::from(move |()| open.set(on))
    };
    html! {
        <>
            <Button label="Subscribe" on={set(true)} testid="subscribe" />
            if *open {
                <Dialog title="Subscribe" on_close={set(false)}><Offer channel={props.channel.clone()} /></Dialog>
            }
        </>
    }
}

#[component]
fn Offer(props: &SubscribeProps) -> Html {
    let site = use_site();
    let desk = use_desk(format!("channels/{}/subscription", props.channel));
    let emotes = use_desk(format!("channels/{}/emotes?limit=200", props.channel));
    let code = use_state(String::new);
    // Which channel the last code was for.
    let redeemed = use_state(|| None::<String>);
    let onsubmit = {
        let (order, code, redeemed) = (desk.order.clone(), code.clone(), redeemed.setter());
        move |event: SubmitEvent| {
            event.prevent_default();
            if code.trim().is_empty() {
                return;
            }
            let body = Some(json!({ "code": code.trim() }));
            let (path, typed, redeemed) = ("me/subscriptions".to_owned(), code.setter(), redeemed.clone());
            let post = Order { method: "POST", path, body, in_form: true, ..Order::default() };
            order.emit(post.then(move |subscription| {
                typed.set(String::new());
                redeemed.set(Some(text(&subscription, "channel").to_owned()));
            }));
        }
    };
    let on_code = {
        let code = code.clone();
        Callback::from(move |text: String| code.set(text))
    };
    let tier = |offer: &Value| {
        let place = |tier: &str| ["one", "two", "three"].iter().position(|name| *name == tier);
        let most = place(text(offer, "tier"));
        let is_opened = |emote: &&Value| place(text(emote, "tier")).is_some_and(|least| Some(least) <= most);
        let opened: Vec<&Value> = emotes.items().iter().filter(is_opened).collect();
        let mut said = vec![
            words("b", "", tier_name(text(offer, "tier"))),
            words("p", "quiet", brings(&offer["benefits"], opened.len())),
        ];
        let picture = |emote: &&Value| {
            let name = text(emote, "name").to_owned();
            html! {
                <img class="chat-emote" src={text(emote, "url").to_owned()} alt={name.clone()} title={name} height="28" loading="lazy" />
            }
        };
        if !opened.is_empty() {
            said.push(el("p", "", opened.iter().map(picture).collect()));
        }
        if let Some(url) = offer["checkoutUrl"].as_str() {
            let name = format!("Subscribe: {}", tier_name(text(offer, "tier")));
            said.push(html! { <a class="button" href={url.to_owned()} rel="noopener" aria-label={name}>{ "Subscribe" }</a> });
        }
        el("li", "login", vec![el("div", "", said)])
    };
    let own = &desk.data["own"];
    let elsewhere = redeemed.as_deref().filter(|name| *name != props.channel.as_str());
    html! {
        <div class="form" data-testid="subscription">
            if desk.is_pending { <Skeleton class="skeleton-line" /> }
            { desk.trouble("what there is to subscribe to") }
            if own.is_object() {
                <p class="callout" role="status" data-testid="own-subscription">
                    { format!("You subscribe: {}, {}.", tier_name(text(own, "tier")), left(own, "endsAt")) }</p>
            }
            if let Some(name) = elsewhere {
                <p class="callout" role="status">{ format!("That code was for another channel: you subscribe to {name} now.") }</p>
            }
            if let Some(tiers) = desk.data["tiers"].as_array() {
                <ul class="plain-list">{ for tiers.iter().map(tier) }</ul>
            }
            if site.who == Who::Nobody {
                // Nothing to type into: it would be lost on the way to sign in and back.
                <Button label="Sign in to redeem a code" on={Callback::from(|()| to_sign_in())} testid="redeem-sign-in" />
            } else {
                <form class="form" onsubmit={onsubmit} novalidate=true>
                    <TextField id="gift-code" label="Gift code" value={(*code).clone()} on={on_code} autocomplete="off"
                        hint="Whoever runs the channel gives these away: XXXX-XXXX-XXXX-XXXX-XXXX." testid="gift-code"
                        error={desk.wrong.clone().map(AttrValue::from)} />
                    <Button label="Redeem" kind={Kind::Primary} busy={desk.is_busy} testid="redeem" />
                </form>
            }
        </div>
    }
}
