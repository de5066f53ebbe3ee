//! What a person says of themselves, their picture, their password.

use crate::{
    api::{Order, Who, rest, use_desk, use_site},
    browser::{self, file},
    ui::{Button, Kind, Lines, Question, TextField, Told, alert, portrait, use_question, use_toast},
};
use serde_json::{Value, json};
use shared::account::Me;
use std::rc::Rc;
use yew::prelude::*;

/// The most bytes of a picture.
const PICTURE_MOST: f64 = 4.0 * 1024.0 * 1024.0;

/// Of a file that is gone, or that the browser may not open.
const UNREADABLE: &str = "This file can't be read: it may have been moved, or another program holds it. Pick it again, or another one.";

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
    // What is wrong, with the field that it is about.
    let wrong = use_state(|| None::<(String, String)>);
    let busy = use_state(|| false);
    let taken = {
        let set_who = site.set_who.clone();
        Rc::new(move |me: Me, said: &'static str| {
            set_who.emit(Who::Somebody(Rc::new(me)));
            toast.emit(said.to_owned());
        })
    };
    let onsubmit = {
        let (taken, wrong, busy, name, bio) =
            (taken.clone(), wrong.setter(), busy.setter(), name.clone(), bio.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            wrong.set(None);
            busy.set(true);
            let (taken, wrong, busy) = (taken.clone(), wrong.clone(), busy.clone());
            let body = json!({ "displayName": *name, "bio": *bio });
            browser::spawn(async move {
                match rest::edit_me(body).await {
                    Ok(me) => taken(me, "Saved"),
                    Err(failure) => {
                        let field = failure.field().unwrap_or_default().to_owned();
                        wrong.set(Some((field, failure.refusal())));
                    }
                }
                busy.set(false);
            });
        }
    };
    let set = |state: &UseStateHandle<String>| {
        let state = state.clone();
        Callback::from(move |text: String| state.set(text))
    };
    let known = ["displayName", "bio"];
    let error =
        |field: &str| (*wrong).clone().filter(|(of, _)| of == field).map(|(_, words)| AttrValue::from(words));
    let other = (*wrong).clone().filter(|(of, _)| !known.contains(&of.as_str())).map(|(_, words)| words);
    html! {
        <form class="form" onsubmit={onsubmit} novalidate=true>
            <Picture me={me.clone()} taken={Callback::from(move |(me, said)| taken(me, said))} />
            <TextField id="me-name" label="Name that people see" value={(*name).clone()} on={set(&name)}
                error={error("displayName")} autocomplete="nickname" testid="me-name" />
            <Lines id="me-bio" label="About you" value={(*bio).clone()} on={set(&bio)} error={error("bio")} testid="me-bio"
                hint="Up to 300 characters." />
            { alert(other) }
            <Button label="Save" name="Save your profile" busy={*busy} testid="save-me" />
        </form>
    }
}

#[derive(Properties, PartialEq)]
struct PictureProps {
    me: Rc<Me>,
    /// The account as it is now, and what to say.
    taken: Callback<(Me, &'static str)>,
}

/// The picture, kept as soon as one is picked.
#[component]
fn Picture(props: &PictureProps) -> Html {
    let (me, taken) = (&props.me, &props.taken);
    let (wrong, busy) = (use_state(|| None::<String>), use_state(|| false));
    let (ask, question) = use_question();
    let on_file = {
        let (taken, wrong, busy) = (taken.clone(), wrong.setter(), busy.setter());
        move |event: Event| {
            let Some(file) = file::picked(&event) else { return };
            if file.size() > PICTURE_MOST {
                return wrong.set(Some(
                    "A picture has at most 4 MB. Make it smaller, or pick another one.".to_owned(),
                ));
            }
            wrong.set(None);
            busy.set(true);
            let (taken, wrong, busy) = (taken.clone(), wrong.clone(), busy.clone());
            browser::spawn(async move {
                let said = match file.base64().await {
                    None => Some(UNREADABLE.to_owned()),
                    Some(image) => match rest::set_avatar(Some(json!({ "image": image }))).await {
                        Ok(me) => {
                            taken.emit((me, "That is you now"));
                            None
                        }
                        Err(failure) => Some(failure.refusal()),
                    },
                };
                wrong.set(said);
                busy.set(false);
            });
        }
    };
    let remove = {
        let act = {
            let (taken, wrong) = (taken.clone(), wrong.setter());
            Callback::from(move |told: Told| {
                let (taken, wrong) = (taken.clone(), wrong.clone());
                browser::spawn(async move {
                    match rest::set_avatar(None).await {
                        Ok(me) => {
                            wrong.set(None);
                            taken.emit((me, "Your picture is gone"));
                            told.emit(None);
                        }
                        Err(failure) => told.emit(Some(failure.refusal())),
                    }
                });
            })
        };
        Callback::from(move |()| {
            ask.emit(Question {
                title: "Remove your picture?".to_owned(),
                text: "People see the letters of your name in its place. To have it back, you need the file again.",
                keep: "Keep it",
                label: "Remove",
                kind: Kind::Danger,
                act: act.clone(),
            })
        })
    };
    html! {
        <>
            <div class="picture">
                { portrait(me.avatar.as_deref(), me.display_name.as_str(), me.name.as_str(), "medium") }
                <label class="button file-button">
                    <input type="file" accept="image/png,image/jpeg,image/webp,image/gif" onchange={on_file}
                        disabled={*busy} data-testid="avatar" />
                    <span>{ if *busy { "Sending …" } else { "Choose a picture" } }</span>
                </label>
                if me.avatar.is_some() {
                    <Button label="Remove" name="Remove your picture" on={remove} disabled={*busy} testid="remove-avatar" />
                }
            </div>
            { alert((*wrong).clone()) }
            { question }
        </>
    }
}

/// Properties of [`ChangePassword`].
#[derive(Properties, PartialEq)]
pub struct ChangePasswordProps {
    /// People may have come by a provider, and have no password yet.
    pub provided: bool,
}

/// Another password, or the first one.
#[component]
pub fn ChangePassword(props: &ChangePasswordProps) -> Html {
    let desk = use_desk(if props.provided { "me/oidc".to_owned() } else { String::new() });
    let is_first = desk.data["hasPassword"] == false;
    let (current, new) = (use_state(String::new), use_state(String::new));
    let onsubmit = {
        let (desk, current, new) = (desk.clone(), current.clone(), new.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            let current_one = (!is_first).then(|| current.to_string());
            let body = Some(json!({ "current": current_one, "new": *new }));
            let done = "The new password works; every other browser is signed out";
            let path = "me/password".to_owned();
            // What was typed stays until it is done.
            let told = {
                let (current, new) = (current.setter(), new.setter());
                Callback::from(move |answer: Result<Value, String>| {
                    if answer.is_ok() {
                        current.set(String::new());
                        new.set(String::new());
                    }
                })
            };
            let told = Some(told);
            desk.order.emit(Order {
                method: "PUT",
                path,
                body,
                done,
                in_form: true,
                touches: "me/oidc",
                told,
                ..Order::default()
            });
        }
    };
    let set = |state: &UseStateHandle<String>| {
        let state = state.clone();
        Callback::from(move |text: String| state.set(text))
    };
    html! {
        <form class="form" onsubmit={onsubmit} novalidate=true>
            if is_first {
                <p class="quiet">{ "You have none yet. With one, you can sign in with it, too." }</p>
            } else {
                <TextField id="current-password" label="Current password" kind="password" value={(*current).clone()}
                    on={set(&current)} autocomplete="current-password" testid="current-password" />
            }
            <TextField id="new-password" label="New password" kind="password" value={(*new).clone()} on={set(&new)}
                autocomplete="new-password" testid="new-password"
                hint="At least 10 characters. Every other browser is signed out." />
            { alert(desk.wrong.clone()) }
            <Button label={if is_first { "Set the password" } else { "Change the password" }} busy={desk.is_busy} testid="change-password" />
        </form>
    }
}
