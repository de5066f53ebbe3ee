//! Who helps with a channel: editors and VIPs.

use crate::{
    api::{Order, text, use_desk},
    browser::page,
    ui::{Button, Choice, Kind, Question, Select, Skeleton, TextField, alert, el, use_question, words},
};
use serde_json::{Value, json};
use shared::id::ChannelName;
use yew::prelude::*;

/// Properties of [`Roles`].
#[derive(Properties, PartialEq)]
pub struct RolesProps {
    /// Whose.
    pub channel: ChannelName,
}

/// The list, and a form to put somebody on it.
#[component]
pub fn Roles(props: &RolesProps) -> Html {
    let path = format!("channels/{}/roles", props.channel);
    let desk = use_desk(format!("{path}?limit=200"));
    let (account, role) = (use_state(String::new), use_state(|| "editor".to_owned()));
    let is_empty = use_state(|| false);
    let empty = is_empty.setter();
    let at = move |account: &str| format!("{path}/{}", page::encoded(account));
    let (ask, question) = use_question();
    let onsubmit = {
        let (desk, account, role, at) = (desk.clone(), account.clone(), role.clone(), at.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            let name = account.trim().trim_start_matches('@');
            if name.is_empty() {
                return empty.set(true);
            }
            let told = {
                let account = account.setter();
                Callback::from(move |answer: Result<Value, String>| {
                    if answer.is_ok() {
                        account.set(String::new());
                    }
                })
            };
            let (path, body) = (at(name), Some(json!({ "role": *role })));
            let (done, told) = ("They have the role", Some(told));
            desk.order.emit(Order {
                method: "PUT",
                path,
                body,
                done,
                in_form: true,
                told,
                ..Order::default()
            });
        }
    };
    let entry = |holder: &Value| {
        let account = text(holder, "account").to_owned();
        let (is, title, meaning) = if text(holder, "role") == "editor" {
            (
                "Editor",
                "an editor",
                "They can't change the channel's page, see who watched or end broadcasts any more. You can give the role again.",
            )
        } else {
            (
                "VIP",
                "a VIP",
                "They can't watch any more while the channel is private. You can give the role again.",
            )
        };
        let remove = {
            let order = Order {
                method: "DELETE",
                path: at(&account),
                done: "They have no role any more",
                ..Order::default()
            };
            let (ask, act) = (ask.clone(), desk.act(order));
            let title = format!("Remove {account} as {title} of {}?", props.channel);
            Callback::from(move |()| {
                ask.emit(Question {
                    title: title.clone(),
                    text: meaning,
                    keep: "Leave it",
                    label: "Remove",
                    kind: Kind::Danger,
                    act: act.clone(),
                })
            })
        };
        let said = vec![
            words("b", "", text(holder, "name").to_owned()),
            words("p", "quiet", format!("{is} · @{account}")),
        ];
        let name = format!("Remove {account} as {title} of {}", props.channel);
        el(
            "li",
            "login",
            vec![el("div", "grow", said), html! { <Button label="Remove" name={name} on={remove} /> }],
        )
    };
    let set = |state: &UseStateHandle<String>| {
        let state = state.clone();
        Callback::from(move |text: String| state.set(text))
    };
    let id = |field: &str| format!("{}-{field}", props.channel);
    let choices = vec![
        Choice::new("editor", "Editor: changes the page, sees who watched, ends broadcasts"),
        Choice::new("vip", "VIP: is always welcome, also while the channel is private"),
    ];
    let on_account = {
        let (set, missing) = (set(&account), is_empty.setter());
        Callback::from(move |text: String| {
            missing.set(false);
            set.emit(text);
        })
    };
    let error = is_empty.then_some("Say who: the name that they sign in with.").map(AttrValue::from);
    html! {
        <>
            if desk.is_pending { <Skeleton class="skeleton-line" /> }
            { desk.trouble("the list of editors and VIPs") }
            if !desk.items().is_empty() {
                <ul class="plain-list" data-testid="roles">{ for desk.items().iter().map(entry) }</ul>
            }
            <form class="form" onsubmit={onsubmit} novalidate=true>
                <TextField id={id("role-account")} label="Account name" value={(*account).clone()} on={on_account}
                    error={error} testid="role-account" hint="What they sign in with." />
                <Select id={id("role")} label="What they are" value={(*role).clone()} on={set(&role)} choices={choices}
                    testid="role" />
                { alert(desk.wrong.clone()) }
                <Button label="Give the role" name={format!("Give the role on {}", props.channel)} busy={desk.is_busy}
                    testid="give-role" />
            </form>
            { question }
        </>
    }
}
