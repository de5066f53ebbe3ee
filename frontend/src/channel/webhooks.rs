//! Where a channel's events are sent: the list, a form for another one, and what became of what was sent.

use super::access::{Made, shown_once};
use crate::{
    api::{Order, count, text, use_desk},
    ui::{
        Button, CopyField, Kind, Question, Skeleton, TextField, alert, format_state::told_apart,
        use_question, words,
    },
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
const KINDS: [(&str, &str); 10] = [
    ("StreamStarted", "A broadcast begins"),
    ("StreamInterrupted", "The connection drops"),
    ("StreamResumed", "It goes on"),
    ("StreamEnded", "A broadcast ends"),
    ("ChannelEdited", "The channel is changed"),
    ("FollowCreated", "Somebody follows"),
    ("SubscriptionCreated", "Somebody subscribes"),
    ("ActionTaken", "You or those who help do something"),
    ("ViewerJoined", "People begin to watch, counted each 10 seconds"),
    ("ChatMessageSent", "Something is written in chat, each 2 seconds"),
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

/// Which webhook it is, as it is spoken of.
fn called(hook: &Value) -> String {
    format!("the webhook at {}", text(hook, "url"))
}

/// The list, and the form.
#[component]
pub fn Webhooks(props: &WebhooksProps) -> Html {
    let path = format!("channels/{}/webhooks", props.channel);
    let desk = use_desk(path.clone());
    let (url, chosen) = (use_state(String::new), use_state(|| vec!["StreamStarted", "StreamEnded"]));
    let open = use_state(|| None::<String>);
    let made: Made = use_state(|| None);
    let (ask, question) = use_question();
    let onsubmit = {
        let (order, url, chosen, path) = (desk.order.clone(), url.clone(), chosen.clone(), path.clone());
        let made = made.setter();
        move |event: SubmitEvent| {
            event.prevent_default();
            let body = Some(json!({ "url": url.trim(), "kinds": *chosen }));
            let (path, url, made) = (path.clone(), url.setter(), made.clone());
            let post = Order { method: "POST", path, body, in_form: true, ..Order::default() };
            order.emit(post.then(move |new| {
                made.set(Some(new));
                url.set(String::new());
            }));
        }
    };
    let names = told_apart(desk.items().iter().map(called).collect());
    let entry = |(hook, called): (&Value, String)| {
        let id = text(hook, "id").to_owned();
        let path = format!("{path}/{id}");
        let kinds: Vec<&str> =
            hook["kinds"].as_array().into_iter().flatten().filter_map(Value::as_str).map(label_of).collect();
        let off = !hook["disabledAt"].is_null();
        let act = |method: &'static str, path: String, body: Option<Value>, done: &'static str| {
            desk.order.reform(move |()| {
                let (path, body) = (path.clone(), body.clone());
                // What was sent is shown by a list of its own.
                Order { method, path, body, done, touches: "channels/", ..Order::default() }
            })
        };
        let is_open = open.as_deref() == Some(id.as_str());
        let show = {
            let (open, id) = (open.clone(), id.clone());
            move |_: MouseEvent| open.set((!is_open).then(|| id.clone()))
        };
        let replace = {
            let (ask, desk, made) = (ask.clone(), desk.clone(), made.setter());
            let (path, title) = (format!("{path}/secret"), format!("Make a new secret for {called}?"));
            Callback::from(move |()| {
                let (path, made) = (path.clone(), made.clone());
                let order = Order { method: "POST", path, ..Order::default() };
                ask.emit(Question {
                    title: title.clone(),
                    text: "For a day, what is sent is signed with the old secret, too. Give your program the new one by then.",
                    keep: "Keep the old secret",
                    label: "Make a new secret",
                    kind: Kind::Danger,
                    act: desk.act(order.then(move |new| made.set(Some(new)))),
                })
            })
        };
        let remove = {
            let is_shown = made.as_ref().is_some_and(|new| new["webhook"]["id"] == hook["id"]);
            let (ask, desk, made) = (ask.clone(), desk.clone(), made.setter());
            let (path, title) = (path.clone(), format!("Remove {called}?"));
            Callback::from(move |()| {
                let (path, done, made) = (path.clone(), "It is told nothing more", made.clone());
                let order = Order { method: "DELETE", path, done, ..Order::default() };
                ask.emit(Question {
                    title: title.clone(),
                    text: "It is told nothing more, and what it was still to be told is lost. This can't be undone.",
                    keep: "Keep it",
                    label: "Remove",
                    kind: Kind::Danger,
                    act: desk.act(order.then(move |_| {
                        if is_shown {
                            made.set(None);
                        }
                    })),
                })
            })
        };
        html! {
            <li key={id}>
                <div class="login">
                    <div class="grow">
                        <b>{ text(hook, "url").to_owned() }</b>
                        { words("p", "", kinds.join(" · ")) }
                        { words("p", "quiet", standing(hook).to_owned()) }
                    </div>
                    <div class="actions">
                        if off {
                            <Button label="Switch on" name={format!("Switch on {called}")}
                                on={act("PATCH", path.clone(), Some(json!({ "enabled": true })), "It is told again")} />
                        } else {
                            <Button label="Try it" name={format!("Try it: {called}")} testid="try-webhook"
                                on={act("POST", format!("{path}/test"), None, "Sent: see what became of it")} />
                        }
                        <button type="button" class={Kind::Plain.class()} onclick={show} data-testid="what-was-sent"
                            aria-expanded={if is_open { "true" } else { "false" }}
                            aria-label={format!("What was sent to {called}")}>{ "What was sent" }</button>
                        <Button label="New secret" name={format!("New secret for {called}")} on={replace} testid="replace-secret" />
                        <Button label="Remove" name={format!("Remove {called}")} on={remove} testid="remove-webhook" />
                    </div>
                </div>
                if is_open { <Deliveries path={format!("{path}/deliveries")} /> }
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
    let set_url = {
        let url = url.clone();
        Callback::from(move |text: String| url.set(text))
    };
    let id = |field: &str| format!("{}-{field}", props.channel);
    let shown = made.as_ref().map(|new| {
        let of = called(&new["webhook"]);
        let field = html! {
            <CopyField id={id("webhook-secret")} label={format!("Secret of {of}, to check signatures with")}
                value={text(new, "secret").to_owned()} secret=true testid="webhook-secret" />
        };
        shown_once(&made, &format!("the secret of {of}"), field, "Shown this once: copy it now.")
    });
    html! {
        <div class="form">
            <p class="quiet">{ "Have what happens here sent to a program of yours. " }
                <a class="link" href="/api/docs">{ "What there is to ask" }</a></p>
            if desk.is_pending { <Skeleton class="skeleton-line" /> }
            { desk.trouble("the list of webhooks") }
            if !desk.items().is_empty() {
                <ul class="plain-list" data-testid="webhooks">{ for desk.items().iter().zip(names).map(entry) }</ul>
            }
            { shown.unwrap_or_default() }
            <form class="form" onsubmit={onsubmit} novalidate=true>
                <TextField id={id("webhook-url")} label="Address" kind="url" value={(*url).clone()} on={set_url}
                    testid="webhook-url" hint="Begins with https://" />
                <fieldset class="checks">
                    <legend>{ "Tell it when" }</legend>
                    { for KINDS.iter().map(choice) }
                </fieldset>
                { alert(desk.wrong.clone()) }
                <Button label="Add the webhook" name={format!("Add the webhook to {}", props.channel)} busy={desk.is_busy}
                    testid="create-webhook" />
            </form>
            { question }
        </div>
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
    let names = desk.items().iter().map(|one| label_of(text(one, "kind")).to_owned());
    let names = told_apart(names.collect());
    let entry = |(one, called): (&Value, String)| {
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
                <Button label="Send again" name={format!("Send again: {called}")} on={again} />
            </li>
        }
    };
    html! {
        <>
            if desk.is_pending { <Skeleton class="skeleton-line" /> }
            { desk.trouble("what was sent") }
            if !desk.data.is_null() && desk.items().is_empty() { <p class="quiet">{ "Nothing was sent yet." }</p> }
            <ul class="plain-list" data-testid="deliveries">{ for desk.items().iter().zip(names).map(entry) }</ul>
        </>
    }
}
