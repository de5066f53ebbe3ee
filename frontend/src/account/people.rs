//! Everybody with an account, for those who run the instance.

use super::{delete::GONE_WITH_IT, since};
use crate::{
    api::{Desk, Order, erase, text, use_desk},
    browser::page,
    ui::{
        Button, Erasure, Kind, Question, Skeleton, TextField, el, format_state, portrait, use_erasure,
        use_question, use_settled, words,
    },
};
use serde_json::{Value, json};
use shared::account::{Me, Role};
use std::rc::Rc;
use yew::prelude::*;

/// How many show at once.
const MOST: u64 = 50;

/// Properties of [`People`].
#[derive(Properties, PartialEq)]
pub struct PeopleProps {
    /// Who looks.
    pub me: Rc<Me>,
}

/// What can be done about somebody.
#[derive(Clone, Copy)]
enum Act {
    MakeAdmin,
    MakeMember,
    Suspend,
    LetIn,
}

impl Act {
    /// What the button says.
    fn label(self) -> &'static str {
        match self {
            Self::MakeAdmin => "Make an admin",
            Self::MakeMember => "Make a member",
            Self::Suspend => "Suspend",
            Self::LetIn => "Let in again",
        }
    }

    /// The same with to whom.
    fn name(self, account: &str) -> String {
        match self {
            Self::MakeAdmin | Self::MakeMember => format!("{}: {account}", self.label()),
            Self::Suspend => format!("Suspend {account}"),
            Self::LetIn => format!("Let in again: {account}"),
        }
    }

    fn order(self, account: &str) -> Order {
        let (body, done) = match self {
            Self::MakeAdmin => (json!({ "role": "admin" }), "They help to run it now"),
            Self::MakeMember => (json!({ "role": "member" }), "They are a member now"),
            Self::Suspend => (json!({ "suspended": true }), "They can't sign in any more"),
            Self::LetIn => (json!({ "suspended": false }), "They may sign in again"),
        };
        let path = format!("people/{account}");
        Order { method: "PATCH", path, body: Some(body), done, ..Order::default() }
    }

    /// What is asked first; nothing where it only gives back what somebody had.
    fn question(self, desk: &Desk, account: &str) -> Option<Question> {
        let (title, text, kind) = match self {
            Self::MakeAdmin => (
                format!("Make {account} an admin?"),
                "They can then say who may make an account, make and revoke invites, suspend people and end anybody's broadcast. You can take it back.",
                Kind::Primary,
            ),
            Self::MakeMember => (
                format!("Make {account} a member again?"),
                "They can't help to run the instance any more. What they did stays, and you can make them an admin again.",
                Kind::Danger,
            ),
            Self::Suspend => (
                format!("Suspend {account}?"),
                "They are signed out everywhere, their tokens stop working and what they broadcast ends. You can let them in again.",
                Kind::Danger,
            ),
            Self::LetIn => return None,
        };
        let act = desk.act(self.order(account));
        Some(Question { title, text, keep: "Leave it", label: self.label(), kind, act })
    }
}

/// Everybody, to be looked for.
#[component]
pub fn People(props: &PeopleProps) -> Html {
    let search = use_state(String::new);
    let settled = use_settled(&search);
    let desk = use_desk(format!("people?limit={MOST}&search={}", page::encoded(settled.trim())));
    let (ask, question) = use_question();
    let (ask_typed, erasure) = use_erasure();
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
            "@{account}{is} · joined {}{}",
            since(person, "createdAt"),
            if is_suspended { " · suspended" } else { "" }
        );
        let said = vec![words("b", "", text(person, "name").to_owned()), words("p", "quiet", facts)];
        let own = account == props.me.name.as_str();
        let may = !own && role != "owner" && (appoints || role != "admin");
        let appoint =
            (may && appoints).then_some(if role == "admin" { Act::MakeMember } else { Act::MakeAdmin });
        // Who can't sign in can't help to run it, either.
        let appoint = appoint.filter(|act| !(is_suspended && matches!(act, Act::MakeAdmin)));
        let admit = may.then_some(if is_suspended { Act::LetIn } else { Act::Suspend });
        let button = |act: Act| {
            let on = {
                let (desk, ask, account) = (desk.clone(), ask.clone(), account.clone());
                Callback::from(move |()| match act.question(&desk, &account) {
                    Some(question) => ask.emit(question),
                    None => desk.order.emit(act.order(&account)),
                })
            };
            html! { <Button label={act.label()} name={act.name(&account)} busy={desk.is_busy} on={on} /> }
        };
        let mut buttons: Vec<Html> = appoint.into_iter().chain(admit).map(button).collect();
        if may {
            let on = {
                let (ask, again, account) = (ask_typed.clone(), desk.again.clone(), account.clone());
                Callback::from(move |()| {
                    let again = again.clone();
                    ask.emit(Erasure {
                        title: format!("Delete the account of {account}?"),
                        text: format!("Their channels are deleted with it. {GONE_WITH_IT}"),
                        word: account.clone(),
                        what: "what they sign in with",
                        label: "Delete the account",
                        act: erase(format!("people/{account}/delete"), move || again.emit(())),
                    });
                })
            };
            let name = format!("Delete {account}");
            buttons.push(html! { <Button label="Delete" name={name} busy={desk.is_busy} on={on} /> });
        }
        html! {
            <li class="login" key={account.clone()}>
                { portrait(person["avatar"].as_str(), text(person, "name"), &account, "small") }
                { el("div", "grow", said) }
                if !buttons.is_empty() { { el("div", "actions", buttons) } }
            </li>
        }
    };
    let on_search = {
        let search = search.clone();
        Callback::from(move |text: String| search.set(text))
    };
    let is_there = !desk.data.is_null();
    html! {
        <>
            <TextField id="people-search" label="Search by name" kind="search" value={(*search).clone()} on={on_search}
                testid="people-search" />
            if desk.is_pending { <Skeleton class="skeleton-line" /> }
            { desk.trouble("the list of people") }
            if is_there && !desk.is_pending && desk.items().is_empty() {
                { words("p", "quiet", "Nobody is called that here. Try fewer letters.") }
            }
            <ul class="plain-list" data-testid="people">{ for desk.items().iter().map(entry) }</ul>
            if desk.data["next"].is_string() {
                <p class="quiet">{ format!("The first {} of them. Search for others.", format_state::count(MOST)) }</p>
            }
            { question }
            { erasure }
        </>
    }
}
