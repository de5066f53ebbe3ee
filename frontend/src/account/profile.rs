//! What a person says of themselves, their picture, their password.

use crate::{
    api::{Failure, Order, Who, rest, use_desk, use_site},
    browser::{self, file},
    ui::{Button, Lines, TextField, alert, portrait, use_toast},
};
use serde_json::{Value, json};
use shared::account::Me;
use std::rc::Rc;
use yew::prelude::*;

/// The most bytes of a picture.
const PICTURE_MOST: f64 = 4.0 * 1024.0 * 1024.0;

/// Properties of [`Profile`].
#[derive(Properties, PartialEq)]
pub struct ProfileProps {
    /// Whose.
    pub me: Rc<Me>,
}

/// Name, words and picture, to be changed.
#[component]
pub fn Profile(props: &ProfileProps) -> Html {
    let (site, toast) = (use_site(), use_toast());
    let me = &props.me;
    let (name, bio) = (use_state(|| me.display_name.to_string()), use_state(|| me.bio.to_string()));
    let (wrong, busy) = (use_state(|| None::<String>), use_state(|| false));
    let taken = {
        let (wrong, busy) = (wrong.setter(), busy.setter());
        Rc::new(move |answer: Result<Me, Failure>, said: &'static str| {
            busy.set(false);
            match answer {
                Ok(me) => {
                    site.set_who.emit(Who::Somebody(Rc::new(me)));
                    toast.emit(said.to_owned());
                }
                Err(failure) => wrong.set(Some(failure.sentence())),
            }
        })
    };
    let begin = {
        let (wrong, busy) = (wrong.setter(), busy.setter());
        move || {
            wrong.set(None);
            busy.set(true);
        }
    };
    let onsubmit = {
        let (taken, begin, name, bio) = (taken.clone(), begin.clone(), name.clone(), bio.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            begin();
            let (taken, body) = (taken.clone(), json!({ "displayName": *name, "bio": *bio }));
            browser::spawn(async move { taken(rest::edit_me(body).await, "Saved") });
        }
    };
    let set_picture = {
        let (taken, begin) = (taken.clone(), begin.clone());
        Rc::new(move |body: Option<Value>, said| {
            begin();
            let taken = taken.clone();
            browser::spawn(async move { taken(rest::set_avatar(body).await, said) });
        })
    };
    let on_file = {
        let (set_picture, wrong) = (set_picture.clone(), wrong.setter());
        move |event: Event| {
            let Some(file) = file::picked(&event) else { return };
            if file.size() > PICTURE_MOST {
                return wrong.set(Some("A picture has at most 4 MB. Make it smaller.".to_owned()));
            }
            let set_picture = set_picture.clone();
            browser::spawn(async move {
                if let Some(image) = file.base64().await {
                    set_picture(Some(json!({ "image": image })), "That is you now");
                }
            });
        }
    };
    let remove = Callback::from(move |()| set_picture(None, "Your picture is gone"));
    let set = |state: &UseStateHandle<String>| {
        let state = state.clone();
        Callback::from(move |text: String| state.set(text))
    };
    html! {
        <form class="form" onsubmit={onsubmit} novalidate=true>
            <div class="picture">
                { portrait(me.avatar.as_deref(), me.display_name.as_str(), me.name.as_str(), "medium") }
                <label class="button file-button">
                    <input type="file" accept="image/png,image/jpeg,image/webp,image/gif" onchange={on_file}
                        disabled={*busy} data-testid="avatar" />
                    <span>{ "Choose a picture" }</span>
                </label>
                if me.avatar.is_some() { <Button label="Remove it" on={remove} disabled={*busy} testid="remove-avatar" /> }
            </div>
            <TextField id="me-name" label="Name that people see" value={(*name).clone()} on={set(&name)}
                autocomplete="nickname" testid="me-name" />
            <Lines id="me-bio" label="About you" value={(*bio).clone()} on={set(&bio)} testid="me-bio"
                hint="Up to 300 characters." />
            { alert((*wrong).clone()) }
            <Button label="Save" busy={*busy} testid="save-me" />
        </form>
    }
}

/// Another password.
#[component]
pub fn ChangePassword() -> Html {
    let desk = use_desk(String::new());
    let (current, new) = (use_state(String::new), use_state(String::new));
    let onsubmit = {
        let (desk, current, new) = (desk.clone(), current.clone(), new.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            let body = Some(json!({ "current": *current, "new": *new }));
            let done = "The new password works; every other browser is signed out";
            let (method, path) = ("PUT", "me/password".to_owned());
            desk.order.emit(Order { method, path, body, done, in_form: true, touches: "" });
            current.set(String::new());
            new.set(String::new());
        }
    };
    let set = |state: &UseStateHandle<String>| {
        let state = state.clone();
        Callback::from(move |text: String| state.set(text))
    };
    html! {
        <form class="form" onsubmit={onsubmit} novalidate=true>
            <TextField id="current-password" label="Current password" kind="password" value={(*current).clone()}
                on={set(&current)} autocomplete="current-password" testid="current-password" />
            <TextField id="new-password" label="New password" kind="password" value={(*new).clone()} on={set(&new)}
                autocomplete="new-password" testid="new-password"
                hint="At least 10 characters. Every other browser is signed out." />
            { alert(desk.wrong.clone()) }
            <Button label="Change the password" busy={desk.is_busy} testid="change-password" />
        </form>
    }
}
