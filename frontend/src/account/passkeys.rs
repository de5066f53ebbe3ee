//! The account's passkeys.

use super::since;
use crate::{
    api::{Failure, Order, rest, text, use_desk},
    browser::{
        self,
        passkey::{self, NoPasskey},
    },
    ui::{
        Button, Kind, Question, Skeleton, TextField, alert, el, format_state::told_apart, use_question,
        use_toast, words,
    },
};
use serde_json::{Value, json};
use yew::prelude::*;

/// Why a passkey was not added.
enum Wrong {
    /// The password is needed, or is wrong.
    Password(String),
    Other(String),
}

impl From<Failure> for Wrong {
    fn from(failure: Failure) -> Self {
        match failure.field() {
            Some("password") => Self::Password(failure.refusal()),
            _ => Self::Other(failure.refusal()),
        }
    }
}

async fn add(label: String, password: String) -> Result<(), Wrong> {
    let start = if password.is_empty() { json!({}) } else { json!({ "password": password }) };
    let options = rest::start_passkey(start).await?;
    let made = passkey::make(&options["publicKey"].to_string()).await.map_err(|why| {
        Wrong::Other(
            match why {
                NoPasskey::GivenUp => "No passkey was made. Try again when you are ready.",
                NoPasskey::Known => "This device has a passkey for your account already.",
                NoPasskey::Failed => "This browser or device can't make a passkey. Try another one.",
            }
            .to_owned(),
        )
    })?;
    let mut body = json!({ "credential": serde_json::from_str::<Value>(&made).unwrap_or_default() });
    let label = label.trim();
    if !label.is_empty() {
        body["label"] = label.into();
    }
    rest::add_passkey(body).await?;
    Ok(())
}

/// The list of passkeys, and the way to another one.
#[component]
pub fn Passkeys() -> Html {
    let desk = use_desk("me/passkeys?limit=200".to_owned());
    let toast = use_toast();
    let (ask, question) = use_question();
    let (label, password) = (use_state(String::new), use_state(String::new));
    // Whether the password is asked for, what is wrong with it, and with the rest.
    let (asks, wrong, busy) = (use_state(|| false), use_state(|| (None, None)), use_state(|| false));
    // Which is being renamed, and to what.
    let renaming = use_state(|| None::<(String, String)>);
    let onsubmit = {
        let (desk, toast, label, password) = (desk.clone(), toast, label.clone(), password.clone());
        let (asks, wrong, busy) = (asks.clone(), wrong.clone(), busy.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            let (again, toast) = (desk.again.clone(), toast.clone());
            let (label, password) = (label.clone(), password.clone());
            let (asks, wrong, busy) = (asks.clone(), wrong.clone(), busy.clone());
            busy.set(true);
            wrong.set((None, None));
            browser::spawn(async move {
                match add((*label).clone(), (*password).clone()).await {
                    Ok(()) => {
                        label.set(String::new());
                        password.set(String::new());
                        asks.set(false);
                        again.emit(());
                        toast.emit("You can sign in with this passkey now".to_owned());
                    }
                    Err(Wrong::Password(why)) => {
                        asks.set(true);
                        wrong.set((Some(why), None));
                    }
                    Err(Wrong::Other(why)) => wrong.set((None, Some(why))),
                }
                busy.set(false);
            });
        }
    };
    let names = desk.items().iter().map(|one| format!("the passkey “{}”", text(one, "label")));
    let names = told_apart(names.collect());
    let entry = |(one, name): (&Value, String)| {
        let (id, called) = (text(one, "id").to_owned(), text(one, "label").to_owned());
        let path = format!("me/passkeys/{id}");
        if let Some((_, new)) = renaming.as_ref().filter(|(which, _)| *which == id) {
            let save = {
                let (desk, renaming, new) = (desk.clone(), renaming.clone(), new.clone());
                let path = path.clone();
                move |event: SubmitEvent| {
                    event.prevent_default();
                    let told = {
                        let renaming = renaming.setter();
                        Callback::from(move |answer: Result<Value, String>| {
                            if answer.is_ok() {
                                renaming.set(None);
                            }
                        })
                    };
                    let body = Some(json!({ "label": new }));
                    let (path, told) = (path.clone(), Some(told));
                    let done = "Renamed";
                    let order =
                        Order { method: "PATCH", path, body, done, in_form: true, told, ..Order::default() };
                    desk.order.emit(order);
                }
            };
            let on = {
                let (renaming, id) = (renaming.clone(), id.clone());
                Callback::from(move |text: String| renaming.set(Some((id.clone(), text))))
            };
            let leave = {
                let renaming = renaming.clone();
                Callback::from(move |()| renaming.set(None))
            };
            return html! {
                <li key={id} class="login">
                    <form class="form grow" onsubmit={save} novalidate=true>
                        <TextField id="passkey-rename" label={format!("A new name for “{called}”")} value={new.clone()} on={on}
                            error={desk.wrong.clone().map(AttrValue::from)} testid="passkey-rename" />
                        <div class="actions">
                            <Button label="Save" busy={desk.is_busy} testid="passkey-save" />
                            <Button label="Leave it" on={leave} />
                        </div>
                    </form>
                </li>
            };
        }
        let used = match one["lastUsedAt"].is_null() {
            true => "Never used".to_owned(),
            false => format!("Used {}", since(one, "lastUsedAt")),
        };
        let facts = format!("{used} · added {}", since(one, "createdAt"));
        let said = vec![words("b", "", called.clone()), words("p", "quiet", facts)];
        let rename = {
            let (renaming, id, called) = (renaming.clone(), id.clone(), called.clone());
            Callback::from(move |()| renaming.set(Some((id.clone(), called.clone()))))
        };
        let remove = {
            let done = "Nobody can sign in with it any more";
            let order = Order { method: "DELETE", path, done, ..Order::default() };
            let (ask, act) = (ask.clone(), desk.act(order));
            Callback::from(move |()| {
                ask.emit(Question {
                    title: format!("Remove the passkey “{called}”?"),
                    text: "Nobody can sign in with it from now on, and this can't be undone. Your device may still show it: \
                           remove it there, too. Browsers that signed in with it stay signed in.",
                    keep: "Keep it",
                    label: "Remove",
                    kind: Kind::Danger,
                    act: act.clone(),
                })
            })
        };
        let buttons = vec![
            html! { <Button label="Rename" name={format!("Rename {name}")} on={rename} /> },
            html! { <Button label="Remove" name={format!("Remove {name}")} on={remove} /> },
        ];
        html! {
            <li key={id} class="login">
                { el("div", "grow", said) }
                { el("div", "actions", buttons) }
            </li>
        }
    };
    let set = |state: &UseStateHandle<String>| {
        let state = state.clone();
        Callback::from(move |text: String| state.set(text))
    };
    html! {
        <>
            <p class="quiet">{ "Sign in with your fingerprint, your face or your device's PIN, and without a password. \
                A passkey can't be guessed or given to a false site." }</p>
            if desk.is_pending { <Skeleton class="skeleton-line" /> }
            { desk.trouble("the list of passkeys") }
            if !desk.items().is_empty() {
                <ul class="plain-list" data-testid="passkeys">{ for desk.items().iter().zip(names).map(entry) }</ul>
            }
            if passkey::is_known() {
                <form class="form" onsubmit={onsubmit} novalidate=true>
                    <TextField id="passkey-label" label="What to call the new passkey" value={(*label).clone()} on={set(&label)}
                        testid="passkey-label" hint="Your own words, e.g. “My phone”. Left empty, it is called like this browser." />
                    if *asks {
                        <TextField id="passkey-password" label="Your password" kind="password" value={(*password).clone()}
                            on={set(&password)} autocomplete="current-password" testid="passkey-password"
                            error={wrong.0.clone().map(AttrValue::from)} />
                    }
                    { alert(wrong.1.clone()) }
                    <Button label="Add a passkey" busy={*busy} testid="add-passkey" />
                </form>
            } else {
                <p class="quiet">{ "This browser can't make one here: passkeys need a new browser, and an address that is a name \
                    with HTTPS." }</p>
            }
            { question }
        </>
    }
}
