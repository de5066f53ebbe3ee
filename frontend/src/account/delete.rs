//! Deleting one's account.

use crate::{
    api::erase,
    browser::history,
    ui::{Button, Erasure, Kind, use_erasure, words},
};
use shared::account::{Me, Role};
use std::rc::Rc;
use yew::prelude::*;

/// What goes with an account, and what stays.
pub const GONE_WITH_IT: &str = "Logins, passkeys, e-mail address, notifications, what is followed, subscriptions and roles go, \
    for ever. What was written in others' chats stays, without name and picture. Nobody is given the name for 30 days.";

/// Properties of [`Delete`].
#[derive(Properties, PartialEq)]
pub struct DeleteProps {
    /// Whose.
    pub me: Rc<Me>,
}

/// A button that asks first, and says which channels go, too.
#[component]
pub fn Delete(props: &DeleteProps) -> Html {
    let (ask, question) = use_erasure();
    let me = &props.me;
    if me.role == Role::Owner {
        return words(
            "p",
            "quiet",
            "You own this instance, and somebody has to: your account can't be deleted.",
        );
    }
    let channels: Vec<String> = me.channels.iter().map(|channel| format!("/{}", channel.name)).collect();
    let owned = match channels.len() {
        0 => String::new(),
        1 => format!("Your channel {} is deleted with it. ", channels.concat()),
        _ => format!("Your channels {} are deleted with it. ", channels.join(", ")),
    };
    let text = format!("{owned}{GONE_WITH_IT}");
    let on = {
        let (text, name) = (text.clone(), me.name.to_string());
        Callback::from(move |()| {
            ask.emit(Erasure {
                title: "Delete your account?".to_owned(),
                text: text.clone(),
                word: name.clone(),
                what: "what you sign in with",
                label: "Delete my account",
                // Loaded anew, so that nothing of it stays in the page.
                act: erase("me/delete".to_owned(), || history::load("/", true)),
            });
        })
    };
    html! {
        <div class="form">
            { words("p", "quiet", text) }
            <Button label="Delete my account" kind={Kind::Danger} on={on} testid="delete-account" />
            { question }
        </div>
    }
}
