//! The door of the instance: who may make an account, and invites.

use super::since;
use crate::{
    api::{Desk, Order, count, text, use_desk},
    browser::time,
    ui::{
        Button, Choice, CopyField, Kind, Question, Select, Skeleton, TextField, Told, alert, el,
        format_state::told_apart, use_question, words,
    },
};
use serde_json::{Value, json};
use shared::unit::Timestamp;
use std::{cell::RefCell, rc::Rc};
use yew::prelude::*;

fn is_over(invite: &Value) -> bool {
    let at = serde_json::from_value::<Timestamp>(invite["expiresAt"].clone()).map_or(0, Timestamp::as_millis);
    at <= time::wall() || count(invite, "uses") >= count(invite, "usesMost")
}

/// Which invite it is, as it is spoken of.
fn called(invite: &Value) -> String {
    match text(invite, "label") {
        "" => format!("the invite made {}", since(invite, "createdAt")),
        label => format!("the invite for {label}"),
    }
}

/// Both parts.
#[component]
pub fn Joining() -> Html {
    html! { <><Mode /><Invites /></> }
}

/// Who may make an account.
#[component]
fn Mode() -> Html {
    let desk = use_desk("instance/settings".to_owned());
    let (ask, question) = use_question();
    // What was picked, until the server has it.
    let wanted = use_state(|| None::<String>);
    let order = |mode: &str| Order {
        method: "PATCH",
        path: "instance/settings".to_owned(),
        body: Some(json!({ "signUp": mode })),
        done: "Saved",
        ..Order::default()
    };
    let on_mode = {
        let opens = desk.act(order("open"));
        let (order_from, wanted) = (desk.order.clone(), wanted.clone());
        Callback::from(move |mode: String| {
            if mode != "open" {
                let settle = wanted.setter();
                wanted.set(Some(mode.clone()));
                let told = Callback::from(move |_| settle.set(None));
                return order_from.emit(Order { told: Some(told), in_form: true, ..order(&mode) });
            }
            // Drawn anew, the list shows what still holds.
            wanted.set(None);
            ask.emit(Question {
                title: "Let anybody make an account?".to_owned(),
                text: "Whoever finds this instance can then sign up, chat under their own name and go live. You can change it back; the accounts stay.",
                keep: "Leave it",
                label: "Let anybody in",
                kind: Kind::Primary,
                act: opens.clone(),
            });
        })
    };
    if desk.data.is_null() {
        return html! {
            <>
                if desk.is_pending { <Skeleton class="skeleton-line" /> }
                { desk.trouble("the sign-up setting") }
            </>
        };
    }
    let modes = vec![
        Choice::new("open", "Anybody may make an account"),
        Choice::new("invite", "Whoever has an invite"),
        Choice::new("closed", "Nobody"),
    ];
    let value = (*wanted).clone().unwrap_or_else(|| text(&desk.data, "signUp").to_owned());
    html! {
        <>
            <Select id="sign-up-mode" label="Who may make an account" value={value} choices={modes} on={on_mode}
                testid="sign-up-mode" disabled={desk.is_busy} />
            { alert(desk.wrong.clone()) }
            { desk.trouble("the sign-up setting") }
            { question }
        </>
    }
}

/// Those there are, those made just now with their links, and a form for another one.
#[component]
fn Invites() -> Html {
    let desk = use_desk("invites?limit=200".to_owned());
    let (ask, question) = use_question();
    // A link is shown this once: it stays in sight until the page is left or the invite is revoked.
    let made = Made { links: use_mut_ref(Vec::new), update: use_force_update() };
    let (label, uses, days) =
        (use_state(String::new), use_state(|| "1".to_owned()), use_state(|| "7".to_owned()));
    let onsubmit = {
        let (order, label, uses, days, made) =
            (desk.order.clone(), label.clone(), uses.clone(), days.clone(), made.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            let number = |text: &str| text.parse::<u32>().unwrap_or(0);
            let body = Some(json!({ "label": *label, "uses": number(&uses), "days": number(&days) }));
            let told = {
                let (label, made) = (label.setter(), made.clone());
                Callback::from(move |answer: Result<Value, String>| {
                    if let Ok(new) = answer {
                        label.set(String::new());
                        made.change(|links| links.insert(0, new));
                    }
                })
            };
            let path = "invites".to_owned();
            order.emit(Order {
                method: "POST",
                path,
                body,
                in_form: true,
                told: Some(told),
                ..Order::default()
            });
        }
    };
    let names: Vec<String> = desk.items().iter().map(called).collect();
    let names = told_apart(names);
    let entry = |(invite, called): (&Value, String)| {
        let facts = format!(
            "{} of {} used · made {} by {}{}",
            count(invite, "uses"),
            count(invite, "usesMost"),
            since(invite, "createdAt"),
            text(invite, "madeBy"),
            if is_over(invite) { " · over" } else { "" }
        );
        let name = match text(invite, "label") {
            "" => "An invite".to_owned(),
            label => label.to_owned(),
        };
        let said = vec![words("b", "", name), words("p", "quiet", facts)];
        let name = format!("Revoke {called}");
        let on = {
            let (ask, desk, made, id) =
                (ask.clone(), desk.clone(), made.clone(), text(invite, "id").to_owned());
            Callback::from(move |()| ask.emit(revoke(&desk, &made, &id, &called)))
        };
        el(
            "li",
            "login",
            vec![el("div", "grow", said), html! { <Button label="Revoke" name={name} on={on} /> }],
        )
    };
    let link = |new: &Value| {
        let (id, called) = (
            text(&new["invite"], "id").to_owned(),
            match text(&new["invite"], "label") {
                "" => "Link of the new invite".to_owned(),
                label => format!("Link of the invite for {label}"),
            },
        );
        html! {
            <CopyField key={id.clone()} id={format!("link-{id}")} label={called} value={text(new, "url").to_owned()} testid="invite-link" />
        }
    };
    let set = |state: &UseStateHandle<String>| {
        let state = state.clone();
        Callback::from(move |text: String| state.set(text))
    };
    let times = [("1", "a day"), ("7", "a week"), ("30", "30 days"), ("365", "a year")];
    html! {
        <>
            if desk.is_pending && desk.data.is_null() { <Skeleton class="skeleton-line" /> }
            { desk.trouble("the list of invites") }
            if !desk.items().is_empty() {
                <ul class="plain-list" data-testid="invites">{ for desk.items().iter().zip(names).map(entry) }</ul>
            }
            if !made.links.borrow().is_empty() {
                <div class="callout form">
                    { for made.links.borrow().iter().map(link) }
                    <p class="field-note">{ "Shown this once: copy it now. Whoever has the link can make an account." }</p>
                </div>
            }
            <form class="form" onsubmit={onsubmit} novalidate=true>
                <TextField id="invite-label" label="Whom a new invite is for (optional)" value={(*label).clone()}
                    on={set(&label)} testid="invite-label" />
                <TextField id="invite-uses" label="How many people may use it" kind="number" value={(*uses).clone()}
                    on={set(&uses)} testid="invite-uses" />
                <Select id="invite-days" label="It works for" value={(*days).clone()} on={set(&days)}
                    choices={times.map(|(days, label)| Choice::new(days, label)).to_vec()} />
                { alert(desk.wrong.clone()) }
                <Button label="Make an invite" busy={desk.is_busy} testid="create-invite" />
            </form>
            { question }
        </>
    }
}

/// Invites that were made since the page was opened, with their links, newest first.
#[derive(Clone)]
struct Made {
    links: Rc<RefCell<Vec<Value>>>,
    update: UseForceUpdateHandle,
}

impl Made {
    fn change(&self, change: impl FnOnce(&mut Vec<Value>)) {
        change(&mut self.links.borrow_mut());
        self.update.force_update();
    }
}

fn revoke(desk: &Desk, made: &Made, id: &str, called: &str) -> Question {
    let order = Order {
        method: "DELETE",
        path: format!("invites/{id}"),
        done: "The invite doesn't work any more",
        ..Order::default()
    };
    let (act, made, id) = (desk.act(order), made.clone(), id.to_owned());
    let act = act.reform(move |told: Told| {
        let (made, id) = (made.clone(), id.clone());
        told.reform(move |wrong: Option<String>| {
            if wrong.is_none() {
                made.change(|links| links.retain(|new| text(&new["invite"], "id") != id));
            }
            wrong
        })
    });
    Question {
        title: format!("Revoke {called}?"),
        text: "Its link stops working. Who came by it stays. This can't be undone, but you can make another one.",
        keep: "Keep it",
        label: "Revoke",
        kind: Kind::Danger,
        act,
    }
}
