//! What is shown to whoever isn't let into a channel. It is the same where there is none, so that nobody is told which.

use crate::{
    api::{Failure, Who, rest, use_site},
    browser::{self, history, page},
    route::{Link, Route, to_sign_in},
    ui::{Button, Kind, TextField, alert, word_mark},
};
use serde_json::json;
use shared::id::ChannelName;
use std::cell::RefCell;
use yew::prelude::*;

thread_local! {
    /// The secret of the link that somebody came by, and to which channel. It is kept while the page is open, also by way of
    /// signing in, as it stays neither in the address nor in the history.
    static LINK: RefCell<Option<(ChannelName, String)>> = const { RefCell::new(None) };
}

/// The secret of the link to this channel, which the address loses.
fn link(channel: &ChannelName) -> Option<String> {
    if let Some(secret) = page::fragment("link") {
        LINK.set(Some((channel.clone(), secret)));
        history::replace(&page::path_and_query());
    }
    LINK.with_borrow(|link| link.clone().filter(|(of, _)| of == channel).map(|(_, secret)| secret))
}

/// What is shown to get in, as the server calls it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum By {
    Link,
    Password,
}

/// Properties of [`Door`].
#[derive(Properties, PartialEq)]
pub struct DoorProps {
    /// The channel that the address names.
    pub channel: ChannelName,
}

/// The ways in: a password, a link that the address holds, signing in.
#[component]
pub fn Door(props: &DoorProps) -> Html {
    let site = use_site();
    let password = use_state(String::new);
    // What is tried, and what came of what was tried last.
    let (tried, wrong) = (use_state(|| None::<By>), use_state(|| None::<(By, Failure)>));
    let enter = {
        let (channel, tried, wrong) = (props.channel.clone(), tried.setter(), wrong.setter());
        Callback::from(move |(by, secret): (By, String)| {
            let (channel, tried, wrong) = (channel.clone(), tried.clone(), wrong.clone());
            tried.set(Some(by));
            wrong.set(None);
            browser::spawn(async move {
                let shown = match by {
                    By::Link => json!({ "link": secret }),
                    By::Password => json!({ "password": secret }),
                };
                match rest::enter(&channel, &shown).await {
                    // Loaded anew, so that the event socket comes with the cookie, too.
                    Ok(()) => history::load(&Route::Channel { channel: channel.to_string() }.to_path(), true),
                    Err(failure) => {
                        wrong.set(Some((by, failure)));
                        tried.set(None);
                    }
                }
            });
        })
    };
    let open = {
        let (enter, channel) = (enter.clone(), props.channel.clone());
        Callback::from(move |()| {
            if let Some(secret) = link(&channel) {
                enter.emit((By::Link, secret));
            }
        })
    };
    {
        let open = open.clone();
        use_effect_with((), move |()| open.emit(()));
    }
    let onsubmit = {
        let (enter, password) = (enter.clone(), password.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            if !password.is_empty() {
                enter.emit((By::Password, (*password).clone()));
            }
        }
    };
    let on_password = {
        let (password, wrong) = (password.clone(), wrong.clone());
        Callback::from(move |text: String| {
            password.set(text);
            wrong.set(None);
        })
    };
    let why = |of: By| wrong.as_ref().filter(|(by, _)| *by == of).map(|(_, failure)| failure);
    let is_opening = *tried == Some(By::Link);
    html! {
        <div class="page-state" data-testid="door">
            <section class="card sheet">
                { word_mark() }
                <h1>{ "There is no channel here." }</h1>
                <p class="quiet">{ "Check the address: a letter may be wrong, or the channel has gone. Or it is private: then its owner lets you in by name, by a link, or by a password." }</p>
                if is_opening { <p class="quiet" role="status">{ "Opening the link …" }</p> }
                { alert(why(By::Link).map(Failure::refusal)) }
                <form class="form" onsubmit={onsubmit} novalidate=true>
                    <TextField id="door-password" label="Password of the channel" kind="password" value={(*password).clone()}
                        on={on_password} autocomplete="off" testid="door-password"
                        error={why(By::Password).map(|failure| AttrValue::from(failure.refusal()))} />
                    <Button label="Go in" kind={Kind::Primary} busy={tried.is_some()} testid="enter" />
                </form>
                <div class="actions">
                    if why(By::Link).is_some_and(Failure::may_pass) {
                        <Button label="Open the link again" on={open} testid="door-again" />
                    }
                    if matches!(site.who, Who::Nobody) {
                        <Button label="Sign in" on={Callback::from(|()| to_sign_in())} testid="door-sign-in" />
                    }
                    <Link to={Route::Home} classes="button">{ "See what is live" }</Link>
                </div>
            </section>
        </div>
    }
}
