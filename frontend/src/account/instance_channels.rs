//! Every channel there is, for those who run the instance.

use super::since;
use crate::{
    api::{Desk, Order, count, erase, text, use_desk},
    browser::page,
    route::{Link, Route},
    ui::{
        Button, Erasure, GONE_WITH_A_CHANNEL, Kind, Question, Skeleton, TextField, el, format_state,
        portrait, use_erasure, use_question, use_settled, words,
    },
};
use serde_json::{Value, json};
use yew::prelude::*;

/// How many show at once.
const MOST: u64 = 50;

/// What can be done about a channel, beside deleting it.
#[derive(Clone, Copy)]
enum Act {
    End,
    Suspend,
    LetIn,
}

impl Act {
    /// What the button says.
    fn label(self) -> &'static str {
        match self {
            Self::End => "End the broadcast",
            Self::Suspend => "Suspend",
            Self::LetIn => "Let in again",
        }
    }

    fn order(self, channel: &str) -> Order {
        let suspend = |suspended: bool| Some(json!({ "suspended": suspended }));
        let (method, path, body, done) = match self {
            Self::End => ("POST", format!("channels/{channel}/end"), None, "The broadcast is over"),
            Self::Suspend => {
                ("PATCH", format!("instance/channels/{channel}"), suspend(true), "The channel is suspended")
            }
            Self::LetIn => {
                ("PATCH", format!("instance/channels/{channel}"), suspend(false), "The channel is back")
            }
        };
        Order { method, path, body, done, ..Order::default() }
    }

    /// What is asked first; nothing where it only gives back what there was.
    fn question(self, desk: &Desk, channel: &str) -> Option<Question> {
        let (title, text) = match self {
            Self::End => (
                format!("End the broadcast of /{channel}?"),
                "It is over for everybody at once. Its owner can go live again: suspend the channel, if they should not.",
            ),
            Self::Suspend => (
                format!("Suspend /{channel}?"),
                "It can't publish any more, and nobody but its owner and those who run this instance sees it: all others are \
                 told that it is suspended. Nothing of it is deleted, and you can let it in again.",
            ),
            Self::LetIn => return None,
        };
        let act = desk.act(self.order(channel));
        Some(Question { title, text, keep: "Leave it", label: self.label(), kind: Kind::Danger, act })
    }
}

/// What is known of a channel, in a line.
fn facts(one: &Value, name: &str) -> String {
    let owner = match text(one, "owner") {
        "" => "nobody's yet".to_owned(),
        owner => format!("of @{owner}"),
    };
    let visibility = match text(&one["channel"], "visibility") {
        "UNLISTED" => " · unlisted",
        "PRIVATE" => " · private",
        _ => "",
    };
    let followers = match count(one, "followers") {
        1 => "1 follower".to_owned(),
        many => format!("{} followers", format_state::count(many)),
    };
    let watched = match is_on(one) {
        true => format!(" · live, {} watching", format_state::count(count(one, "viewerCount"))),
        false => String::new(),
    };
    let suspended = match one["suspendedAt"].is_null() {
        true => String::new(),
        false => format!(" · suspended {}", since(one, "suspendedAt")),
    };
    format!("/{name} · {owner}{visibility} · {followers}{watched}{suspended}")
}

fn is_on(one: &Value) -> bool {
    matches!(text(one, "state"), "live" | "waiting")
}

/// Every channel, to be looked for.
#[component]
pub fn InstanceChannels() -> Html {
    let search = use_state(String::new);
    let settled = use_settled(&search);
    // The cursors of the pages up to this one, and the search that they are of.
    let pages = use_state(|| (String::new(), Vec::<String>::new()));
    let behind = pages.1.last().filter(|_| pages.0 == settled).cloned();
    let cursor = behind.as_ref().map_or_else(String::new, |at| format!("&cursor={}", page::encoded(at)));
    let wanted = page::encoded(settled.trim());
    let desk = use_desk(format!("instance/channels?limit={MOST}&search={wanted}{cursor}"));
    let (ask, question) = use_question();
    let (ask_typed, erasure) = use_erasure();
    let entry = |one: &Value| {
        let channel = &one["channel"];
        let (name, called) = (text(channel, "name").to_owned(), text(channel, "displayName").to_owned());
        let said = vec![words("b", "", called.clone()), words("p", "quiet", facts(one, &name))];
        let button = |act: Act| {
            let on = {
                let (desk, ask, name) = (desk.clone(), ask.clone(), name.clone());
                Callback::from(move |()| match act.question(&desk, &name) {
                    Some(question) => ask.emit(question),
                    None => desk.order.emit(act.order(&name)),
                })
            };
            let label = format!("{}: {name}", act.label());
            html! { <Button label={act.label()} name={label} busy={desk.is_busy} on={on} /> }
        };
        let mut buttons = vec![html! {
            <Link to={Route::Channel { channel: name.clone() }} classes="button">{ "Open" }
                <span class="unseen">{ format!(" {called}") }</span></Link>
        }];
        if is_on(one) {
            buttons.push(button(Act::End));
        }
        buttons.push(button(if one["suspendedAt"].is_null() { Act::Suspend } else { Act::LetIn }));
        let on = {
            let (ask, again, name, called) =
                (ask_typed.clone(), desk.again.clone(), name.clone(), called.clone());
            Callback::from(move |()| {
                let again = again.clone();
                ask.emit(Erasure {
                    title: format!("Delete the channel {called}?"),
                    text: GONE_WITH_A_CHANNEL.to_owned(),
                    word: name.clone(),
                    what: "its address",
                    label: "Delete the channel",
                    act: erase(format!("channels/{name}/delete"), move || again.emit(())),
                });
            })
        };
        let label = format!("Delete: {name}");
        buttons.push(html! { <Button label="Delete" name={label} busy={desk.is_busy} on={on} /> });
        html! {
            <li class="login" key={name.clone()}>
                { portrait(channel["avatar"].as_str(), &called, &name, "small") }
                { el("div", "grow", said) }
                { el("div", "actions", buttons) }
            </li>
        }
    };
    let on_search = {
        let search = search.clone();
        Callback::from(move |text: String| search.set(text))
    };
    let turn = |next: Option<String>| {
        let (pages, settled) = (pages.clone(), settled.clone());
        Callback::from(move |()| {
            let mut cursors = if pages.0 == settled { pages.1.clone() } else { Vec::new() };
            match next.clone() {
                Some(next) => cursors.push(next),
                None => drop(cursors.pop()),
            }
            pages.set((settled.clone(), cursors));
        })
    };
    html! {
        <>
            <TextField id="channels-search" label="Search by name or owner" kind="search" value={(*search).clone()}
                on={on_search} testid="channels-search" />
            if desk.is_pending { <Skeleton class="skeleton-line" /> }
            { desk.trouble("the list of channels") }
            if !desk.data.is_null() && !desk.is_pending && desk.items().is_empty() {
                { words("p", "quiet", "No channel is called that here. Try fewer letters.") }
            }
            <ul class="plain-list" data-testid="instance-channels">{ for desk.items().iter().map(entry) }</ul>
            <div class="actions">
                if behind.is_some() { <Button label="Earlier channels" on={turn(None)} testid="channels-back" /> }
                if let Some(next) = desk.data["next"].as_str() {
                    <Button label="More channels" on={turn(Some(next.to_owned()))} testid="channels-more" />
                }
            </div>
            { question }
            { erasure }
        </>
    }
}
