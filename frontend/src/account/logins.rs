//! Where an account is signed in.

use super::since;
use crate::{
    api::{Order, text, use_desk},
    ui::{Button, Kind, Question, Skeleton, el, format_state::told_apart, use_question, words},
};
use serde_json::Value;
use yew::prelude::*;

fn is_current(login: &Value) -> bool {
    login["current"] == true
}

fn device(login: &Value) -> &str {
    match text(login, "device") {
        "" => "Unknown browser",
        device => device,
    }
}

/// The newest 200 logins, with a way to end each other one, and all of them.
#[component]
pub fn Logins() -> Html {
    let desk = use_desk("me/logins?limit=200".to_owned());
    let (ask, question) = use_question();
    let names =
        desk.items().iter().map(|login| format!("{}, used {}", device(login), since(login, "lastUsedAt")));
    let names = told_apart(names.collect());
    let entry = |(login, name): (&Value, String)| {
        let used = match is_current(login) {
            true => "This browser".to_owned(),
            false => format!("Used {}", since(login, "lastUsedAt")),
        };
        let facts = format!("{used} · signed in {}", since(login, "createdAt"));
        let said = vec![words("b", "", device(login).to_owned()), words("p", "quiet", facts)];
        let on = {
            let order = Order {
                method: "DELETE",
                path: format!("me/logins/{}", text(login, "id")),
                done: "Signed out there",
                ..Order::default()
            };
            let (ask, act) = (ask.clone(), desk.act(order));
            let title = format!("Sign out {}?", device(login));
            Callback::from(move |()| {
                ask.emit(Question {
                    title: title.clone(),
                    text: "Whoever uses that browser has to sign in again.",
                    keep: "Leave it",
                    label: "Sign out",
                    kind: Kind::Danger,
                    act: act.clone(),
                })
            })
        };
        html! {
            <li key={text(login, "id").to_owned()} class="login">
                { el("div", "grow", said) }
                if !is_current(login) { <Button label="Sign out" name={format!("Sign out {name}")} on={on} /> }
            </li>
        }
    };
    let end_others = {
        let order = Order {
            method: "POST",
            path: "me/logins/end-others".to_owned(),
            done: "Every other browser is signed out",
            ..Order::default()
        };
        let (ask, act) = (ask.clone(), desk.act(order));
        Callback::from(move |()| {
            ask.emit(Question {
                title: "Sign out everywhere else?".to_owned(),
                text: "Every browser but this one has to sign in again. API tokens and stream keys go on working.",
                keep: "Leave them",
                label: "Sign out everywhere else",
                kind: Kind::Danger,
                act: act.clone(),
            })
        })
    };
    html! {
        <>
            if desk.is_pending { <Skeleton class="skeleton-line" /> }
            { desk.trouble("the list of logins") }
            if !desk.items().is_empty() {
                <ul class="plain-list" data-testid="logins">{ for desk.items().iter().zip(names).map(entry) }</ul>
            }
            if desk.items().len() > 1 {
                <div class="actions"><Button label="Sign out everywhere else" on={end_others} testid="end-others" /></div>
            }
            { question }
        </>
    }
}
