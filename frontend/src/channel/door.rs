//! What is shown to whoever isn't let into a channel. It is the same where there is none, so that nobody is told which.

use crate::{
    api::{Who, rest, use_site},
    browser::{self, history, page},
    route::{Link, Route, to_sign_in},
    ui::{Button, Kind, TextField, word_mark},
};
use serde_json::{Value, json};
use shared::id::ChannelName;
use yew::prelude::*;

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
    let (password, wrong, busy) = (use_state(String::new), use_state(|| None::<String>), use_state(|| false));
    let enter = {
        let (channel, wrong, busy) = (props.channel.clone(), wrong.clone(), busy.clone());
        Callback::from(move |shown: Value| {
            let (channel, wrong, busy) = (channel.clone(), wrong.clone(), busy.clone());
            busy.set(true);
            browser::spawn(async move {
                match rest::enter(&channel, &shown).await {
                    // Loaded anew, so that the event socket comes with the cookie, too.
                    Ok(()) => history::load(&Route::Channel { channel: channel.to_string() }.to_path(), true),
                    Err(failure) => {
                        wrong.set(Some(failure.sentence()));
                        busy.set(false);
                    }
                }
            });
        })
    };
    {
        let enter = enter.clone();
        use_effect_with((), move |()| {
            if let Some(link) = page::fragment("link") {
                enter.emit(json!({ "link": link }));
            }
        });
    }
    let onsubmit = {
        let (enter, password) = (enter.clone(), password.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            if !password.is_empty() {
                enter.emit(json!({ "password": *password }));
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
    html! {
        <div class="page-state" data-testid="door">
            <section class="card sheet">
                { word_mark() }
                <h1>{ "There is no channel here." }</h1>
                <p class="quiet">{ "Check the address: a letter may be wrong, or the channel has gone. Or it is private: then its owner lets you in by name, by a link, or by a password." }</p>
                <form class="form" onsubmit={onsubmit} novalidate=true>
                    <TextField id="door-password" label="Password of the channel" kind="password" value={(*password).clone()}
                        on={on_password} autocomplete="off" testid="door-password"
                        error={(*wrong).clone().map(AttrValue::from)} />
                    <Button label="Go in" kind={Kind::Primary} busy={*busy} testid="enter" />
                </form>
                <div class="actions">
                    if matches!(site.who, Who::Nobody) {
                        <Button label="Sign in" on={Callback::from(|()| to_sign_in())} testid="door-sign-in" />
                    }
                    <Link to={Route::Home} classes="button">{ "See what is live" }</Link>
                </div>
            </section>
        </div>
    }
}
