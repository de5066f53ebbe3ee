//! The account's passkeys.

use super::since;
use crate::{
    api::{Failure, Order, rest, text, use_desk},
    browser::{
        self, page,
        passkey::{self, NoPasskey},
        scroll,
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

/// Where a passkey gets its new name.
const NEW_NAME: &str = "passkey-rename";

/// The id of a passkey's line.
fn line(id: &str) -> String {
    format!("passkey-{id}")
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
    // Which could not be renamed, and why.
    let refused = use_state(|| None::<(String, String)>);
    use_effect_with(renaming.as_ref().map(|(which, _)| line(which)), |renamed| {
        if renamed.is_some() {
            page::focus_id(NEW_NAME);
        }
        let renamed = renamed.clone();
        move || {
            // What had the focus is gone: it stays with the passkey, unless it went elsewhere.
            if let Some(line) = renamed.filter(|_| scroll::has_focus("body")) {
                page::focus_id(&line);
            }
        }
    });
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
                let (path, id, refused) = (path.clone(), id.clone(), refused.setter());
                move |event: SubmitEvent| {
                    event.prevent_default();
                    let told = {
                        let (renaming, refused, id) = (renaming.setter(), refused.clone(), id.clone());
                        Callback::from(move |answer: Result<Value, String>| match answer {
                            Ok(_) => renaming.set(None),
                            Err(why) => refused.set(Some((id.clone(), why))),
                        })
                    };
                    let body = Some(json!({ "label": new }));
                    let (path, told) = (path.clone(), Some(told));
                    let done = "Renamed";
                    refused.set(None);
                    desk.order.emit(Order { method: "PATCH", path, body, done, told, ..Order::default() });
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
            let wrong = refused.as_ref().filter(|(which, _)| *which == id);
            return html! {
                <li key={id.clone()} id={line(&id)} class="login" tabindex="-1">
                    <form class="form grow" onsubmit={save} novalidate=true>
                        <TextField id={NEW_NAME} label={format!("A new name for “{called}”")} value={new.clone()} on={on}
                            error={wrong.map(|(_, why)| AttrValue::from(why.clone()))} testid="passkey-rename" />
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
            let (renaming, refused, id, called) =
                (renaming.clone(), refused.setter(), id.clone(), called.clone());
            Callback::from(move |()| {
                refused.set(None);
                renaming.set(Some((id.clone(), called.clone())));
            })
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
            <li key={id.clone()} id={line(&id)} class="login" tabindex="-1">
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
