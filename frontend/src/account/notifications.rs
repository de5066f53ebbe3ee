//! What one was told, and what one wants to be told.

use crate::{
    api::{Order, count, text, use_desk, use_site},
    browser::{self, page, push, time},
    route::{Link, Route},
    ui::{
        Button, Kind, Notice, Question, Shape, Skeleton, TextField, Toggle, alert, el, el_with,
        format_state::ago, icon, portrait, use_question, use_toast, words,
    },
};
use serde_json::{Value, json};
use shared::unit::Timestamp;
use std::{cell::RefCell, rc::Rc};
use yew::prelude::*;

/// What there is to be told, in the server's words and in people's.
const KINDS: [(&str, &str); 6] = [
    ("wentLive", "A channel you follow goes live"),
    ("mention", "Somebody mentions you in a chat"),
    ("follower", "Somebody follows your channel"),
    ("moderation", "Moderators time you out, ban you, or let you write again"),
    (
        "subscription",
        "You are given a subscription, one of yours ends, or somebody has subscribed to you for long",
    ),
    ("system", "Word from this server"),
];
const WAYS: [(&str, &str); 3] = [("inApp", "Bell"), ("push", "Push"), ("email", "E-mail")];

fn at_of(value: &Value, field: &str) -> i64 {
    serde_json::from_value::<Timestamp>(value[field].clone()).map_or(0, Timestamp::as_millis)
}

/// The page.
#[component]
pub fn NotificationsPage() -> Html {
    let site = use_site();
    let desk = use_desk("me/notifications?limit=100".to_owned());
    use_effect_with(site.name(), |name| page::set_title(&format!("Notifications · {name}")));
    {
        // What is shown is read. It stays marked until the page is left.
        let newest = desk.items().iter().find(|one| one["read"] == false).map(|one| one["at"].clone());
        let order = desk.order.clone();
        use_effect_with(newest, move |newest| {
            if let Some(until) = newest.clone() {
                order.emit(Order {
                    method: "PUT",
                    path: "me/notifications/read".to_owned(),
                    body: Some(json!({ "until": until })),
                    quiet: true,
                    ..Order::default()
                });
            }
        });
    }
    let now = time::wall();
    let entry = |one: &Value| {
        let fresh = one["read"] == false;
        let mut said = vec![words("b", "", text(one, "title").to_owned())];
        if !text(one, "detail").is_empty() {
            said.push(words("p", "", text(one, "detail").to_owned()));
        }
        let when = ago((now - at_of(one, "at")).max(0) as u64 / 1000);
        said.push(words("p", "quiet", if fresh { format!("{when} · new") } else { when }));
        let picture = match one["picture"].as_str() {
            Some(_) => portrait(one["picture"].as_str(), "", "", "small"),
            None => el_with(
                "span",
                "told-icon",
                &[("aria-hidden", "true")],
                vec![icon(match text(one, "kind") {
                    "wentLive" => Shape::Live,
                    "mention" => Shape::Chat,
                    "follower" => Shape::Heart,
                    _ => Shape::Bell,
                })],
            ),
        };
        let to = Route::recognize(text(one, "url"));
        html! {
            <li key={text(one, "id").to_owned()} class={if fresh { "told told-new" } else { "told" }}>
                <Link to={to} classes="told-link">{ picture }{ el("div", "grow", said) }</Link>
            </li>
        }
    };
    html! {
        <article class="settings">
            <h1>{ "Notifications" }</h1>
            <section class="card" aria-label="What you were told">
                { desk.trouble("what you were told") }
                if desk.is_pending && desk.items().is_empty() {
                    <Skeleton class="skeleton-line" />
                } else if desk.items().is_empty() && desk.failure.is_none() {
                    <Notice icon={Shape::Bell} title="Nothing yet."
                        text="Follow a channel, and you are told here when it goes live." />
                } else {
                    <ul class="plain-list" data-testid="notifications">{ for desk.items().iter().map(entry) }</ul>
                }
            </section>
            <section class="card" aria-labelledby="wishes-title">
                <h2 id="wishes-title">{ "What you want to be told" }</h2>
                <Wishes />
            </section>
            <section class="card" aria-labelledby="email-title">
                <h2 id="email-title">{ "E-mail" }</h2>
                <Email />
            </section>
            <section class="card" aria-labelledby="push-title">
                <h2 id="push-title">{ "Push" }</h2>
                <Browsers />
            </section>
        </article>
    }
}

fn clock(minutes: u64) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

fn minutes(clock: &str) -> Option<u64> {
    let (hours, minutes) = clock.split_once(':')?;
    Some(hours.parse::<u64>().ok()? * 60 + minutes.get(..2)?.parse::<u64>().ok()?)
}

/// What somebody wishes and the server may not have: as it is now, and as it was when it was sent last. None once what the
/// server has is known again.
#[derive(Default)]
struct Draft {
    wishes: Option<Value>,
    sent: Option<Value>,
}

/// The way to change wishes. All are sent at once, so each change is one to the draft: two that are made in a row both count.
#[derive(Clone)]
struct Wisher {
    read: Rc<Value>,
    draft: Rc<RefCell<Draft>>,
    order: Callback<Order>,
    update: UseForceUpdateHandle,
    /// Nobody asked for it, so that nobody is told if it fails.
    quietly: bool,
}

impl Wisher {
    fn change(&self, edit: impl FnOnce(&mut Value)) {
        let mut now = self.draft.borrow_mut();
        edit(now.wishes.get_or_insert_with(|| (*self.read).clone()));
        let is_sending = now.sent.is_some();
        drop(now);
        if !is_sending {
            self.clone().send();
        }
        self.update.force_update();
    }

    /// Sends the draft, and again what it has become meanwhile: one after another, as two could overtake each other.
    fn send(self) {
        let mut now = self.draft.borrow_mut();
        now.sent = now.wishes.clone();
        let body = now.sent.clone();
        drop(now);
        let (order, quietly) = (self.order.clone(), self.quietly);
        let told = Callback::from(move |_: Result<Value, String>| {
            let mut now = self.draft.borrow_mut();
            if now.wishes == now.sent {
                *now = Draft::default();
                drop(now);
                self.update.force_update();
            } else {
                drop(now);
                self.clone().send();
            }
        });
        order.emit(Order {
            method: "PUT",
            path: "me/notification-preferences".to_owned(),
            body,
            in_form: !quietly,
            told: Some(told),
            ..Order::default()
        });
    }
}

/// By kind and way, and when not.
#[component]
fn Wishes() -> Html {
    let desk = use_desk("me/notification-preferences".to_owned());
    let draft = use_mut_ref(Draft::default);
    let wisher = Wisher {
        read: desk.data.clone(),
        draft: draft.clone(),
        order: desk.order.clone(),
        update: use_force_update(),
        quietly: false,
    };
    {
        // Quiet hours that were set before there were zones go by the zone of this browser from now on, if they went by its clock.
        let (wisher, quiet) = (Wisher { quietly: true, ..wisher.clone() }, &desk.data["quiet"]);
        let is_here = quiet["offset"].as_i64().unwrap_or_default() == i64::from(time::offset(time::wall()));
        let is_old = quiet.is_object() && quiet["zone"].is_null() && is_here;
        use_effect_with(is_old, move |is_old| {
            if *is_old {
                wisher.change(|wishes| {
                    if let Some(quiet) = wishes["quiet"].as_object_mut() {
                        quiet.insert("zone".to_owned(), json!(time::zone()));
                    }
                });
            }
        });
    }
    if desk.is_pending && desk.data.is_null() {
        return html! { <Skeleton class="skeleton-line" /> };
    }
    let draft = draft.borrow();
    let now = draft.wishes.as_ref().unwrap_or(&desk.data);
    let row = |(kind, label): &(&'static str, &'static str)| {
        let way = |(way, called): &(&'static str, &'static str)| {
            let (wisher, kind, way) = (wisher.clone(), *kind, *way);
            let change =
                Callback::from(move |on: bool| wisher.change(|wishes| wishes[kind][way] = json!(on)));
            html! { <Toggle label={*called} on={now[kind][way] == true} change={change} /> }
        };
        html! {
            <fieldset class="wish" key={*kind}><legend>{ *label }</legend>{ for WAYS.iter().map(way) }</fieldset>
        }
    };
    let quiet = &now["quiet"];
    let is_quiet = quiet.is_object();
    let toggle = {
        let wisher = wisher.clone();
        Callback::from(move |on: bool| {
            let night = json!({ "from": 22 * 60, "to": 7 * 60, "zone": time::zone() });
            wisher.change(|wishes| wishes["quiet"] = if on { night } else { Value::Null });
        })
    };
    let hour = |field: &'static str, label: &'static str| {
        let wisher = wisher.clone();
        let onchange = move |event: Event| {
            let Some(chosen) = minutes(&page::value_of(&event)) else { return };
            wisher.change(|wishes| wishes["quiet"][field] = json!(chosen));
        };
        html! {
            <div class="field"><label for={format!("quiet-{field}")}>{ label }</label>
                <input id={format!("quiet-{field}")} type="time" value={clock(count(quiet, field))} onchange={onchange}
                    data-testid={format!("quiet-{field}")} /></div>
        }
    };
    let zone = {
        let wisher = wisher.clone();
        let onchange = move |event: Event| {
            let chosen = page::value_of(&event).trim().to_owned();
            if !chosen.is_empty() {
                wisher.change(|wishes| wishes["quiet"]["zone"] = json!(chosen));
            }
        };
        html! {
            <div class="field"><label for="quiet-zone">{ "Time zone" }</label>
                <input id="quiet-zone" value={text(quiet, "zone").to_owned()} onchange={onchange} autocomplete="off"
                    spellcheck="false" data-testid="quiet-zone" /></div>
        }
    };
    let here = {
        let wisher = wisher.clone();
        Callback::from(move |()| wisher.change(|wishes| wishes["quiet"]["zone"] = json!(time::zone())))
    };
    html! {
        <div class="form" data-testid="wishes">
            { for KINDS.iter().map(row) }
            <Toggle label="Quiet hours: push and e-mail wait until they are over" on={is_quiet} change={toggle} />
            if is_quiet {
                <div class="hours">{ hour("from", "From") }{ hour("to", "Until") }{ zone }</div>
                if text(quiet, "zone") != time::zone() {
                    <Button label={format!("Use {}, as here", time::zone())} on={here} testid="quiet-here" />
                }
            }
            { desk.trouble("what you want to be told") }
            { alert(desk.wrong.clone()) }
        </div>
    }
}

/// Where one gets e-mail.
#[component]
fn Email() -> Html {
    let desk = use_desk("me/email".to_owned());
    let address = use_state(|| None::<String>);
    let (password, refused) = (use_state(String::new), use_mut_ref(|| false));
    let (ask, question) = use_question();
    let known = text(&desk.data, "address").to_owned();
    if desk.is_pending && desk.data.is_null() {
        return html! { <Skeleton class="skeleton-line" /> };
    }
    if desk.data.is_null() {
        return desk.trouble("your address");
    }
    if desk.data["available"] != true {
        return html! { <p class="quiet">{ "This server sends no e-mail. Whoever runs it may set a mail server." }</p> };
    }
    let onsubmit = {
        let (order, shown) = (desk.order.clone(), (*address).clone().unwrap_or_else(|| known.clone()));
        let password = (*password).clone();
        move |event: SubmitEvent| {
            event.prevent_default();
            let mut body = json!({ "address": shown });
            if !password.is_empty() {
                body["password"] = json!(password);
            }
            order.emit(Order {
                method: "PUT",
                path: "me/email".to_owned(),
                body: Some(body),
                done: "A letter is on its way: open the link in it",
                in_form: true,
                ..Order::default()
            });
        }
    };
    let remove = {
        let (path, done, typed) = ("me/email".to_owned(), "No more e-mail comes", address.setter());
        let order = Order { method: "DELETE", path, done, ..Order::default() };
        let act = desk.act(order.then(move |_| typed.set(None)));
        let title = format!("Remove {known}?");
        Callback::from(move |()| {
            ask.emit(Question {
                title: title.clone(),
                text: "No more e-mail comes, and a forgotten password can't be replaced by a letter. You can give an address \
                       again, and confirm it, at any time.",
                keep: "Keep it",
                label: "Remove",
                kind: Kind::Danger,
                act: act.clone(),
            })
        })
    };
    let on_password = {
        let password = password.clone();
        Callback::from(move |text: String| password.set(text))
    };
    // Once it may be wanted it stays, also while it is being sent.
    *refused.borrow_mut() |= desk.wrong.is_some();
    let is_asked = *refused.borrow();
    let typed = {
        let address = address.clone();
        Callback::from(move |text: String| address.set(Some(text)))
    };
    let pending = text(&desk.data, "pending");
    let waiting = (!pending.is_empty()).then(|| {
        format!("Open the link in the letter that was sent to \u{2068}{pending}\u{2069}. Until then e-mail goes where it went before.")
    });
    let state = match (known.is_empty(), desk.data["confirmed"] == true) {
        (true, _) => "You are told by e-mail once there is an address.",
        (false, true) => "Confirmed: what you chose above goes there.",
        (false, false) => "Not confirmed yet. Open the link in the letter that was sent there.",
    };
    let state = waiting.map_or(AttrValue::from(state), AttrValue::from);
    html! {
        <>
            <form class="form" onsubmit={onsubmit} novalidate=true>
                <TextField id="email" label="Your address" kind="email" value={(*address).clone().unwrap_or(known.clone())}
                    on={typed} autocomplete="email" hint={state} error={desk.wrong.clone().map(AttrValue::from)} testid="email" />
                if is_asked {
                    <TextField id="email-password" label="Your password" kind="password" value={(*password).clone()}
                        on={on_password} autocomplete="current-password" testid="email-password"
                        hint="Needed where you signed in a while ago." />
                }
                <div class="actions">
                    <Button label="Send a link to confirm it" busy={desk.is_busy} testid="set-email" />
                    if !known.is_empty() { <Button label="Remove it" on={remove} testid="remove-email" /> }
                </div>
            </form>
            { question }
        </>
    }
}

/// Properties of [`LetterPage`].
#[derive(Properties, PartialEq)]
pub struct LetterPageProps {
    /// The link confirms an address; or else it unsubscribes.
    pub confirms: bool,
}

/// Where links in letters lead. Nothing is done before a person presses: mail programs look at links by themselves.
#[component]
pub fn LetterPage(props: &LetterPageProps) -> Html {
    let desk = use_desk(String::new());
    let done = use_state(|| false);
    let (title, what, path, button) = if props.confirms {
        (
            "Confirm your address",
            "You are told there what you choose to be told.",
            "email/confirm",
            "Confirm it",
        )
    } else {
        (
            "No more of this e-mail?",
            "The bell and push go on as they are.",
            "email/unsubscribe",
            "Send me no more",
        )
    };
    use_effect_with(title, |title| page::set_title(title));
    let press = {
        let (desk, done) = (desk.clone(), done.clone());
        Callback::from(move |()| {
            let body = Some(json!({ "token": page::query("token").unwrap_or_default() }));
            let (method, path) = ("POST", path.to_owned());
            let done = done.clone();
            let told = Some(Callback::from(move |answer: Result<Value, String>| done.set(answer.is_ok())));
            desk.order.emit(Order { method, path, body, in_form: true, told, ..Order::default() });
        })
    };
    let is_done = *done;
    html! {
        <div class="page-state">
            <Notice icon={Shape::Bell} title={if is_done { "Done." } else { title }} text={what}>
                { alert(desk.wrong.clone()) }
                if !is_done { <Button label={button} kind={Kind::Primary} on={press} busy={desk.is_busy} testid="letter" /> }
                <Link to={Route::Notifications} classes="button">{ "All you can be told" }</Link>
            </Notice>
        </div>
    }
}

/// Which browsers are told while no page is open.
#[component]
fn Browsers() -> Html {
    let desk = use_desk("me/push".to_owned());
    let key = use_desk("push".to_owned());
    let toast = use_toast();
    let wrong = use_state(|| None::<&'static str>);
    let (ask, question) = use_question();
    let add = {
        let (order, key, wrong) = (desk.order.clone(), text(&key.data, "key").to_owned(), wrong.clone());
        Callback::from(move |()| {
            let (order, key, wrong, toast) = (order.clone(), key.clone(), wrong.clone(), toast.clone());
            wrong.set(None);
            browser::spawn(async move {
                match push::subscribe(&key).await {
                    Ok(subscription) => order.emit(Order {
                        method: "POST",
                        path: "me/push".to_owned(),
                        body: serde_json::from_str(&subscription).ok(),
                        done: "This browser is told from now on",
                        ..Order::default()
                    }),
                    Err(push::NoPush::Denied) => wrong.set(Some(
                        "This browser may not show notifications for this site. Allow it in the site's settings, beside the address.",
                    )),
                    Err(push::NoPush::Unknown) => toast.emit("This browser knows no push".to_owned()),
                    Err(push::NoPush::Failed) => wrong.set(Some(
                        "This browser's push service doesn't answer. Try again later, or another browser.",
                    )),
                }
            });
        })
    };
    let entry = |one: &Value| {
        let remove = {
            let path = format!("me/push/{}", text(one, "id"));
            let done = "That browser isn't told any more";
            let act = desk.act(Order { method: "DELETE", path, done, ..Order::default() });
            let (ask, title) = (ask.clone(), format!("Remove {}?", text(one, "device")));
            Callback::from(move |()| {
                ask.emit(Question {
                    title: title.clone(),
                    text: "That browser isn't told anything while no page of this site is open. It can be added again from there, \
                           by whoever uses it.",
                    keep: "Keep it",
                    label: "Remove",
                    kind: Kind::Danger,
                    act: act.clone(),
                })
            })
        };
        let said = vec![
            words("b", "", text(one, "device").to_owned()),
            words(
                "p",
                "quiet",
                format!("Since {}", ago((time::wall() - at_of(one, "createdAt")).max(0) as u64 / 1000)),
            ),
        ];
        let name = format!("Remove {}", text(one, "device"));
        el(
            "li",
            "login",
            vec![el("div", "", said), html! { <Button label="Remove" name={name} on={remove} /> }],
        )
    };
    html! {
        <div class="form">
            <p class="quiet">{ "Your browser tells you then, also while no page of this site is open." }</p>
            if !desk.items().is_empty() {
                <ul class="plain-list" data-testid="push-browsers">{ for desk.items().iter().map(entry) }</ul>
            }
            { desk.trouble("the list of browsers") }
            { alert((*wrong).map(str::to_owned)) }
            if push::is_known() {
                <Button label="Tell this browser" kind={Kind::Plain} icon={Shape::Bell} on={add} busy={desk.is_busy} testid="add-push" />
            } else {
                <p class="quiet">{ "This browser knows no push, or this site isn't served over HTTPS." }</p>
            }
            { question }
        </div>
    }
}
