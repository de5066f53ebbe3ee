//! The first run: the owner's account and channel.

use crate::{
    api::{Who, rest, use_site},
    browser::{self, page},
    route::{Link, Redirect, Route},
    ui::{Button, Kind, Notice, Shape, TextField, format_state, word_mark},
};
use shared::{
    account::SetUp,
    id::ChannelName,
    text::{AccountName, DisplayName, Password},
};
use std::{collections::HashMap, rc::Rc};
use yew::prelude::*;

#[derive(Clone, Default, PartialEq)]
struct Form {
    name: String,
    display_name: String,
    password: String,
    channel: String,
    /// The channel's address was written by hand and no longer follows the name.
    own_channel: bool,
}

fn wrong<T, E: ToString>(parsed: Result<T, E>, written: bool) -> Option<String> {
    parsed.err().filter(|_| written).map(|error| format_state::sentence(&error.to_string()))
}

impl Form {
    /// What is wrong with what is written so far; with `all`, also with what isn't written.
    fn errors(&self, all: bool) -> HashMap<&'static str, String> {
        let is = |text: &String| all || !text.is_empty();
        [
            ("name", wrong(self.name.parse::<AccountName>(), is(&self.name))),
            ("displayName", wrong(self.display_name.parse::<DisplayName>(), is(&self.display_name))),
            ("password", wrong(Password::try_from(self.password.clone()), is(&self.password))),
            ("channel", wrong(self.channel.trim().parse::<ChannelName>(), is(&self.channel))),
        ]
        .into_iter()
        .filter_map(|(field, error)| Some((field, error?)))
        .collect()
    }

    fn into_request(self, token: String) -> Option<SetUp> {
        Some(SetUp {
            token,
            name: self.name.parse().ok()?,
            display_name: self.display_name.parse().ok()?,
            password: Password::try_from(self.password).ok()?,
            channel: self.channel.trim().parse().ok()?,
        })
    }
}

/// The page that the console's link opens.
#[component]
pub fn SetUpPage() -> Html {
    let site = use_site();
    let form = use_state(Form::default);
    // A field is judged once the person has left it.
    let left = use_state(Vec::<&'static str>::new);
    let all = use_state(|| false);
    let refused = use_state(|| None::<(Option<String>, String)>);
    let busy = use_state(|| false);
    let done = use_state(|| false);
    use_effect_with(site.name(), |name| page::set_title(&format!("Set up · {name}")));
    let token = page::query("token");
    let onsubmit = {
        let (site, form, all, refused, busy, token, done) = (
            site.clone(),
            form.clone(),
            all.clone(),
            refused.clone(),
            busy.clone(),
            token.clone(),
            done.clone(),
        );
        move |event: SubmitEvent| {
            event.prevent_default();
            all.set(true);
            refused.set(None);
            let request = token.clone().and_then(|token| (*form).clone().into_request(token));
            let Some(request) = request else { return };
            busy.set(true);
            let (site, refused, busy, done) = (site.clone(), refused.clone(), busy.clone(), done.clone());
            browser::spawn(async move {
                match rest::set_up(&request).await {
                    Ok(me) => {
                        done.set(true);
                        site.set_who.emit(Who::Somebody(Rc::new(me)));
                    }
                    Err(failure) => {
                        refused.set(Some((failure.field().map(str::to_owned), failure.refusal())))
                    }
                }
                busy.set(false);
            });
        }
    };
    if *done {
        return html! { <Redirect to={Route::Studio} /> };
    }
    let is_set_up = site.instance.data.as_ref().is_some_and(|instance| !instance.needs_set_up);
    if token.is_none() || is_set_up {
        let (title, text) = if is_set_up {
            ("This instance is set up already.", "The set-up link works once. Sign in instead.")
        } else {
            (
                "The link is not whole.",
                "Copy all of the set-up link from the console, with what follows “token=”.",
            )
        };
        return html! {
            <div class="page-state">
                <Notice icon={Shape::Alert} title={title} text={text}>
                    <Link to={Route::SignIn} classes="button">{ "Sign in" }</Link>
                </Notice>
            </div>
        };
    }
    let found = form.errors(*all);
    let error = |field: &'static str| -> Option<AttrValue> {
        let server =
            (*refused).clone().filter(|(of, _)| of.as_deref() == Some(field)).map(|(_, words)| words);
        let here = found.get(field).cloned().filter(|_| *all || left.contains(&field));
        server.or(here).map(AttrValue::from)
    };
    let other = (*refused)
        .clone()
        .filter(|(of, _)| !matches!(of.as_deref(), Some("name" | "displayName" | "password" | "channel")));
    let leave = |field: &'static str| {
        let left = left.clone();
        Callback::from(move |()| {
            if !left.contains(&field) {
                let mut next = (*left).clone();
                next.push(field);
                left.set(next);
            }
        })
    };
    let change = |set: fn(&mut Form, String)| {
        let (form, refused) = (form.clone(), refused.clone());
        Callback::from(move |text: String| {
            let mut next = (*form).clone();
            set(&mut next, text);
            if !next.own_channel {
                next.channel = next.name.trim().to_ascii_lowercase();
            }
            form.set(next);
            refused.set(None);
        })
    };
    html! {
        <div class="page-state">
            <section class="card sheet">
                { word_mark() }
                <h1>{ "Welcome" }</h1>
                <p class="quiet">{ "You own this instance. Make your account and your first channel." }</p>
                <form class="form" onsubmit={onsubmit} novalidate=true>
                    <TextField id="name" label="Name to sign in with" value={form.name.clone()} error={error("name")}
                        on={change(|form, text| form.name = text)} on_left={leave("name")} autocomplete="username"
                        testid="name" />
                    <TextField id="display-name" label="Name that people see" value={form.display_name.clone()}
                        error={error("displayName")} on={change(|form, text| form.display_name = text)}
                        on_left={leave("displayName")} autocomplete="nickname" testid="display-name" />
                    <TextField id="password" label="Password" kind="password" value={form.password.clone()}
                        error={error("password")} on={change(|form, text| form.password = text)}
                        on_left={leave("password")} autocomplete="new-password" testid="password"
                        hint="At least 10 characters. A few words are easy to keep in mind." />
                    <TextField id="channel" label="Address of your channel" value={form.channel.clone()}
                        prefix={format!("{}/", page::origin())} error={error("channel")} testid="channel"
                        on={change(|form, text| { form.own_channel = true; form.channel = text })}
                        on_left={leave("channel")} />
                    if let Some((_, words)) = other { <p class="field-note field-error" role="alert">{ words }</p> }
                    <Button label="Create and go to the studio" kind={Kind::Primary} busy={*busy} testid="set-up" />
                </form>
            </section>
        </div>
    }
}
