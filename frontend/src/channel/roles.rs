//! Who helps with a channel: editors and VIPs.

use crate::{
    api::{Order, text, use_desk},
    ui::{Button, Choice, Select, Skeleton, TextField, alert, el, words},
};
use serde_json::json;
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
    let at = move |account: &str| format!("{path}/{account}");
    let onsubmit = {
        let (desk, account, role, at) = (desk.clone(), account.clone(), role.clone(), at.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            let name = account.trim().trim_start_matches('@');
            if name.is_empty() {
                return;
            }
            let body = Some(json!({ "role": *role }));
            let done = "They have the role";
            desk.order.emit(Order { method: "PUT", path: at(name), body, done, in_form: true, touches: "" });
        }
    };
    {
        let account = account.setter();
        use_effect_with(desk.answer.clone(), move |_| account.set(String::new()));
    }
    let entry = |holder: &serde_json::Value| {
        let account = text(holder, "account").to_owned();
        let is = if text(holder, "role") == "editor" { "Editor" } else { "VIP" };
        let path = at(&account);
        let remove = desk.order.reform(move |()| Order {
            method: "DELETE",
            path: path.clone(),
            done: "They have no role any more",
            ..Order::default()
        });
        let said = vec![
            words("b", "", text(holder, "name").to_owned()),
            words("p", "quiet", format!("{is} · @{account}")),
        ];
        let label = format!("Remove {account}");
        el("li", "login", vec![el("div", "", said), html! { <Button label={label} on={remove} /> }])
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
    html! {
        <form class="form" onsubmit={onsubmit} novalidate=true>
            if !desk.items().is_empty() {
                <ul class="plain-list" data-testid="roles">{ for desk.items().iter().map(entry) }</ul>
            }
            if desk.is_pending { <Skeleton class="skeleton-line" /> }
            { alert(desk.failure.clone().or(desk.wrong.clone())) }
            <TextField id={id("role-account")} label="Account name" value={(*account).clone()} on={set(&account)}
                testid="role-account" hint="What they sign in with." />
            <Select id={id("role")} label="What they are" value={(*role).clone()} on={set(&role)} choices={choices}
                testid="role" />
            <Button label="Give the role" busy={desk.is_busy} testid="give-role" />
        </form>
    }
}
