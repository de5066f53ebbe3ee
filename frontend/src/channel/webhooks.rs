//! Where a channel's events are sent: the list, a form for another one, and what became of what was sent.

use crate::{
    api::{Order, count, text, use_desk},
    ui::{Button, CopyField, Dialog, Kind, Skeleton, TextField, alert, words},
};
use serde_json::{Value, json};
use shared::id::ChannelName;
use yew::prelude::*;

/// Properties of [`Webhooks`].
#[derive(Properties, PartialEq)]
pub struct WebhooksProps {
    /// Whose.
    pub channel: ChannelName,
}

/// What can be chosen, and what it is called.
const KINDS: [(&str, &str); 8] = [
    ("StreamStarted", "A broadcast begins"),
    ("StreamInterrupted", "The connection drops"),
    ("StreamResumed", "It goes on"),
    ("StreamEnded", "A broadcast ends"),
    ("ChannelEdited", "The channel is changed"),
    ("FollowCreated", "Somebody follows"),
    ("SubscriptionCreated", "Somebody subscribes"),
    ("ActionTaken", "You or those who help do something"),
];

fn label_of(kind: &str) -> &str {
    KINDS.iter().find(|(name, _)| *name == kind).map_or(kind, |(_, label)| label)
}

/// How a webhook stands, in words.
fn standing(hook: &Value) -> &'static str {
    match (text(hook, "disabledBy"), hook["failingSince"].is_null()) {
        ("owner", _) => "Switched off",
        ("failing", _) => "Switched off: it took nothing for days",
        ("gone", _) => "Switched off: it said that it is gone",
        (_, false) => "Fails; what it doesn't take is sent again",
        _ => "Works",
    }
}

/// The list, and the form.
#[component]
pub fn Webhooks(props: &WebhooksProps) -> Html {
    let path = format!("channels/{}/webhooks", props.channel);
    let desk = use_desk(path.clone());
    let (url, chosen) = (use_state(String::new), use_state(|| vec!["StreamStarted", "StreamEnded"]));
    let (asking, open) = (use_state(|| None::<String>), use_state(|| None::<String>));
    let onsubmit = {
        let (order, url, chosen, path) = (desk.order.clone(), url.clone(), chosen.clone(), path.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            let body = Some(json!({ "url": url.trim(), "kinds": *chosen }));
            order.emit(Order { method: "POST", path: path.clone(), body, in_form: true, ..Order::default() });
        }
    };
    {
        let url = url.setter();
        use_effect_with(desk.answer.clone(), move |answer| {
            if answer["secret"].is_string() {
                url.set(String::new());
            }
        });
    }
    let act = |method: &'static str, id: &str, rest: &str, body: Option<Value>, done: &'static str| {
        let path = format!("{path}/{id}{rest}");
        desk.order.reform(move |()| Order {
            method,
            path: path.clone(),
            body: body.clone(),
            done,
            touches: "channels/",
            ..Order::default()
        })
    };
    let entry = |hook: &Value| {
        let id = text(hook, "id").to_owned();
        let kinds: Vec<&str> =
            hook["kinds"].as_array().into_iter().flatten().filter_map(Value::as_str).map(label_of).collect();
        let off = !hook["disabledAt"].is_null();
        let is_open = open.as_deref() == Some(id.as_str());
        let show = {
            let (open, id) = (open.clone(), id.clone());
            Callback::from(move |()| open.set((!is_open).then(|| id.clone())))
        };
        let ask = {
            let (asking, id) = (asking.clone(), id.clone());
            Callback::from(move |()| asking.set(Some(id.clone())))
        };
        html! {
            <li key={id.clone()}>
                <div class="login">
                    <div class="grow">
                        <b>{ text(hook, "url").to_owned() }</b>
                        { words("p", "", kinds.join(" · ")) }
                        { words("p", "quiet", standing(hook).to_owned()) }
                    </div>
                    <div class="actions">
                        if off {
                            <Button label="Switch on" on={act("PATCH", &id, "", Some(json!({ "enabled": true })), "It is told again")} />
                        } else {
                            <Button label="Try it" on={act("POST", &id, "/test", None, "Sent: see what became of it")} />
                        }
                        <Button label={if is_open { "Hide what was sent" } else { "What was sent" }} on={show} />
                        <Button label="Remove" on={ask} />
                    </div>
                </div>
                if is_open { <Deliveries path={format!("{path}/{id}/deliveries")} /> }
            </li>
        }
    };
    let choice = |(kind, label): &(&'static str, &'static str)| {
        let (chosen, kind) = (chosen.clone(), *kind);
        let is = chosen.contains(&kind);
        let onchange = move |_: Event| {
            let mut now = (*chosen).clone();
            match now.iter().position(|one| *one == kind) {
                Some(at) => drop(now.remove(at)),
                None => now.push(kind),
            }
            chosen.set(now);
        };
        html! {
            <label class="check"><input type="checkbox" checked={is} onchange={onchange} /><span>{ *label }</span></label>
        }
    };
    let dismiss = {
        let asking = asking.clone();
        Callback::from(move |()| asking.set(None))
    };
    let remove = {
        let (order, asking, path) = (desk.order.clone(), asking.clone(), path.clone());
        Callback::from(move |()| {
            if let Some(id) = &*asking {
                let (path, done) = (format!("{path}/{id}"), "It is told nothing more");
                order.emit(Order { method: "DELETE", path, done, ..Order::default() });
            }
            asking.set(None);
        })
    };
    let set_url = {
        let url = url.clone();
        Callback::from(move |text: String| url.set(text))
    };
    let id = |field: &str| format!("{}-{field}", props.channel);
    html! {
        <form class="form" onsubmit={onsubmit} novalidate=true>
            <p class="quiet">{ "Have what happens here sent to a program of yours. " }
                <a class="link" href="/api/docs">{ "What there is to ask" }</a></p>
            if !desk.items().is_empty() {
                <ul class="plain-list" data-testid="webhooks">{ for desk.items().iter().map(entry) }</ul>
            }
            if desk.is_pending { <Skeleton class="skeleton-line" /> }
            { alert(desk.failure.clone()) }
            if let Some(secret) = desk.answer["secret"].as_str() {
                <div class="callout form">
                    <CopyField id={id("webhook-secret")} label="Its secret, to check signatures with" value={secret.to_owned()}
                        secret=true testid="webhook-secret" />
                    <p class="field-note">{ "Shown this once: copy it now." }</p>
                </div>
            }
            <TextField id={id("webhook-url")} label="Address" kind="url" value={(*url).clone()} on={set_url}
                testid="webhook-url" hint="Begins with https://" />
            <fieldset class="checks">
                <legend>{ "Tell it when" }</legend>
                { for KINDS.iter().map(choice) }
            </fieldset>
            { alert(desk.wrong.clone()) }
            <Button label="Add the webhook" busy={desk.is_busy} testid="create-webhook" />
            if asking.is_some() {
                <Dialog title="Remove this webhook?" on_close={dismiss.clone()}>
                    { words("p", "", "It is told nothing more, and what it was still to be told is lost. This can't be undone.") }
                    <div class="dialog-actions">
                        <Button label="Keep it" on={dismiss} />
                        <Button label="Remove" kind={Kind::Danger} on={remove} testid="remove-webhook" />
                    </div>
                </Dialog>
            }
        </form>
    }
}

#[derive(Properties, PartialEq)]
struct DeliveriesProps {
    path: String,
}

/// The last things that one was told, or is to be.
#[component]
fn Deliveries(props: &DeliveriesProps) -> Html {
    let desk = use_desk(format!("{}?limit=20", props.path));
    let entry = |one: &Value| {
        let path = format!("{}/{}/replay", props.path, text(one, "id"));
        let again = desk.order.reform(move |()| Order {
            method: "POST",
            path: path.clone(),
            done: "It is sent again",
            ..Order::default()
        });
        let state = match text(one, "state") {
            "delivered" => "Taken".to_owned(),
            "failed" => "Given up".to_owned(),
            _ if count(one, "tries") == 0 => "On its way".to_owned(),
            _ => format!("Tried {} times", count(one, "tries")),
        };
        let why = text(one, "lastError");
        let facts = if why.is_empty() { state } else { format!("{state}: {why}") };
        html! {
            <li class="login" key={text(one, "id").to_owned()}>
                <div class="grow">
                    { words("b", "", label_of(text(one, "kind")).to_owned()) }
                    { words("p", "quiet", facts) }
                </div>
                <Button label="Send again" on={again} />
            </li>
        }
    };
    html! {
        <>
            if desk.is_pending { <Skeleton class="skeleton-line" /> }
            { alert(desk.failure.clone()) }
            if !desk.is_pending && desk.items().is_empty() { <p class="quiet">{ "Nothing was sent yet." }</p> }
            <ul class="plain-list" data-testid="deliveries">{ for desk.items().iter().map(entry) }</ul>
        </>
    }
}
