//! The instance, for those who run it: who may come, who is here.

use crate::{
    api::{Desk, Order, count, text, use_desk, use_site},
    browser::{page, time},
    ui::{
        Button, Choice, CopyField, Dialog, Kind, Notice, Select, Shape, Skeleton, TextField, alert, el,
        format_state::{self, ago},
        portrait, use_settled, words,
    },
};
use serde_json::{Value, json};
use shared::{
    account::{Me, Role},
    unit::Timestamp,
};
use std::rc::Rc;
use yew::prelude::*;

/// Properties of [`Admin`].
#[derive(Properties, PartialEq)]
pub struct AdminProps {
    /// Who looks.
    pub me: Rc<Me>,
}

/// The page.
#[component]
pub fn Admin(props: &AdminProps) -> Html {
    let site = use_site();
    use_effect_with(site.name(), |name| page::set_title(&format!("This instance · {name}")));
    if props.me.role == Role::Member {
        return html! {
            <div class="page-state">
                <Notice icon={Shape::Alert} title="This page is for those who run the instance."
                    text="Ask its owner, if you should be one of them." />
            </div>
        };
    }
    html! {
        <article class="settings">
            <h1>{ format!("Run {}", site.name()) }</h1>
            <section class="card" aria-labelledby="joining-title">
                <h2 id="joining-title">{ "Who may come" }</h2>
                <Joining />
            </section>
            <section class="card" aria-labelledby="people-title">
                <h2 id="people-title">{ "People" }</h2>
                <People me={props.me.clone()} />
            </section>
        </article>
    }
}

/// How long ago, by a field that holds a time.
fn since(value: &Value, field: &str) -> String {
    let at = serde_json::from_value::<Timestamp>(value[field].clone()).map_or(0, Timestamp::as_millis);
    ago((time::wall() - at).max(0) as u64 / 1000)
}

fn is_over(value: &Value) -> bool {
    let at = serde_json::from_value::<Timestamp>(value["expiresAt"].clone()).map_or(0, Timestamp::as_millis);
    at <= time::wall() || count(value, "uses") >= count(value, "usesMost")
}

/// The door, and invites.
#[component]
fn Joining() -> Html {
    let settings = use_desk("instance/settings".to_owned());
    let invites = use_desk("invites?limit=200".to_owned());
    let (label, uses, days) =
        (use_state(String::new), use_state(|| "1".to_owned()), use_state(|| "7".to_owned()));
    let on_mode = settings.order.reform(|mode: String| Order {
        method: "PATCH",
        path: "instance/settings".to_owned(),
        body: Some(json!({ "signUp": mode })),
        done: "Saved",
        ..Order::default()
    });
    let onsubmit = {
        let (order, label, uses, days) = (invites.order.clone(), label.clone(), uses.clone(), days.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            let number = |text: &str| text.parse::<u32>().unwrap_or(0);
            let body = Some(json!({ "label": *label, "uses": number(&uses), "days": number(&days) }));
            let path = "invites".to_owned();
            order.emit(Order { method: "POST", path, body, in_form: true, ..Order::default() });
        }
    };
    {
        let label = label.setter();
        use_effect_with(invites.answer.clone(), move |_| label.set(String::new()));
    }
    let entry = |invite: &Value| {
        let id = text(invite, "id").to_owned();
        let revoke = invites.order.reform(move |()| Order {
            method: "DELETE",
            path: format!("invites/{id}"),
            done: "The invite doesn't work any more",
            ..Order::default()
        });
        let name = match text(invite, "label") {
            "" => "An invite".to_owned(),
            label => label.to_owned(),
        };
        let facts = format!(
            "{} of {} used · made {} by {}{}",
            count(invite, "uses"),
            count(invite, "usesMost"),
            since(invite, "createdAt"),
            text(invite, "madeBy"),
            if is_over(invite) { " · over" } else { "" }
        );
        let said = vec![words("b", "", name), words("p", "quiet", facts)];
        el("li", "login", vec![el("div", "", said), html! { <Button label="Revoke" on={revoke} /> }])
    };
    let set = |state: &UseStateHandle<String>| {
        let state = state.clone();
        Callback::from(move |text: String| state.set(text))
    };
    let modes = vec![
        Choice::new("open", "Anybody may make an account"),
        Choice::new("invite", "Whoever has an invite"),
        Choice::new("closed", "Nobody"),
    ];
    let times = [("1", "a day"), ("7", "a week"), ("30", "30 days"), ("365", "a year")];
    html! {
        <>
            <Select id="sign-up-mode" label="Sign-up" value={text(&settings.data, "signUp").to_owned()} choices={modes}
                on={on_mode} testid="sign-up-mode" disabled={settings.is_pending} />
            { alert(settings.failure.clone().or(invites.failure.clone())) }
            if !invites.items().is_empty() {
                <ul class="plain-list" data-testid="invites">{ for invites.items().iter().map(entry) }</ul>
            }
            if let Some(url) = invites.answer["url"].as_str() {
                <div class="callout form">
                    <CopyField id="invite-link" label="The new invite" value={url.to_owned()} testid="invite-link" />
                    <p class="field-note">{ "Shown this once. Whoever has the link can make an account." }</p>
                </div>
            }
            <form class="form" onsubmit={onsubmit} novalidate=true>
                <TextField id="invite-label" label="Whom a new invite is for (optional)" value={(*label).clone()}
                    on={set(&label)} testid="invite-label" />
                <TextField id="invite-uses" label="How many people may use it" kind="number" value={(*uses).clone()}
                    on={set(&uses)} testid="invite-uses" />
                <Select id="invite-days" label="It works for" value={(*days).clone()} on={set(&days)}
                    choices={times.map(|(days, label)| Choice::new(days, label)).to_vec()} />
                { alert(invites.wrong.clone()) }
                <Button label="Make an invite" busy={invites.is_busy} testid="create-invite" />
            </form>
        </>
    }
}

fn change(desk: &Desk, account: &str, body: Value, done: &'static str) {
    let path = format!("people/{account}");
    desk.order.emit(Order { method: "PATCH", path, body: Some(body), done, in_form: false, touches: "" });
}

/// Everybody, to be looked for.
#[component]
fn People(props: &AdminProps) -> Html {
    let search = use_state(String::new);
    let settled = use_settled(&search);
    let desk = use_desk(format!("people?limit=50&search={}", page::encoded(settled.trim())));
    let asking = use_state(|| None::<String>);
    let appoints = props.me.role == Role::Owner;
    let entry = |person: &Value| {
        let account = text(person, "account").to_owned();
        let (role, is_suspended) = (text(person, "role"), !person["suspendedAt"].is_null());
        let is = match role {
            "owner" => " · owner of the instance",
            "admin" => " · admin",
            _ => "",
        };
        let facts = format!(
            "@{account}{is} · here since {}{}",
            since(person, "createdAt"),
            if is_suspended { " · suspended" } else { "" }
        );
        let said = vec![words("b", "", text(person, "name").to_owned()), words("p", "quiet", facts)];
        let own = account == props.me.name.as_str();
        let may = !own && role != "owner" && (appoints || role != "admin");
        let act = |body: Value, done: &'static str| {
            let (desk, account) = (desk.clone(), account.clone());
            Callback::from(move |()| change(&desk, &account, body.clone(), done))
        };
        let ask = {
            let (asking, account) = (asking.clone(), account.clone());
            Callback::from(move |()| asking.set(Some(account.clone())))
        };
        html! {
            <li class="login" key={account.clone()}>
                { portrait(person["avatar"].as_str(), text(person, "name"), &account, "small") }
                { el("div", "grow", said) }
                <div class="actions">
                    if may && appoints {
                        if role == "admin" {
                            <Button label="Make a member" on={act(json!({ "role": "member" }), "They are a member now")} />
                        } else {
                            <Button label="Make an admin" on={act(json!({ "role": "admin" }), "They help to run it now")} />
                        }
                    }
                    if may && is_suspended {
                        <Button label="Let in again" on={act(json!({ "suspended": false }), "They may sign in again")} />
                    } else if may {
                        <Button label="Suspend" on={ask} />
                    }
                </div>
            </li>
        }
    };
    let dismiss = {
        let asking = asking.clone();
        Callback::from(move |()| asking.set(None))
    };
    let suspend = {
        let (desk, asking) = (desk.clone(), asking.clone());
        Callback::from(move |()| {
            if let Some(account) = &*asking {
                change(&desk, account, json!({ "suspended": true }), "They can't sign in any more");
            }
            asking.set(None);
        })
    };
    let on_search = {
        let search = search.clone();
        Callback::from(move |text: String| search.set(text))
    };
    html! {
        <>
            <TextField id="people-search" label="Search by name" kind="search" value={(*search).clone()} on={on_search}
                testid="people-search" />
            if desk.is_pending { <Skeleton class="skeleton-line" /> }
            { alert(desk.failure.clone()) }
            <ul class="plain-list" data-testid="people">{ for desk.items().iter().map(entry) }</ul>
            if desk.data["next"].is_string() {
                <p class="quiet">{ format!("The first {} of them. Search for others.", format_state::count(50)) }</p>
            }
            if let Some(account) = &*asking {
                <Dialog title={format!("Suspend {account}?")} on_close={dismiss.clone()}>
                    { words("p", "", "They are signed out everywhere, their tokens stop working and what they broadcast ends. You can let them in again.") }
                    <div class="dialog-actions">
                        <Button label="Leave it" on={dismiss} />
                        <Button label="Suspend" kind={Kind::Danger} on={suspend} testid="suspend" />
                    </div>
                </Dialog>
            }
        </>
    }
}
