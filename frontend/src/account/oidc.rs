//! Signing in by the provider that this instance has: the button, what became of it, the choice of a name, the connection.

use super::since;
use crate::{
    api::{Failure, Order, Who, rest, text, use_desk, use_site},
    browser::{self, history, page, time},
    route::{Link, Redirect, Route, go},
    ui::{
        Button, Kind, Notice, Question, Shape, Skeleton, TextField, alert, el_with, use_question, use_toast,
        word_mark, words,
    },
};
use serde_json::{Value, json};
use std::rc::Rc;
use yew::prelude::*;

/// Why nothing came of it, as the address of the page says.
pub fn trouble(provider: &str) -> Option<Html> {
    let kind = page::query("trouble")?;
    let said = match kind.as_str() {
        "expired" => "That took too long, or was begun in another window. Try again.".to_owned(),
        "refused" => format!("{provider} did not sign you in. Try again, or take another way."),
        "unreachable" => format!(
            "{provider} does not answer at this moment. Try again in a minute, or sign in with a password if you have one."
        ),
        "untrue" => format!(
            "What {provider} answered can't be trusted, so nobody was signed in. Whoever runs this instance finds the reason in the server's log."
        ),
        "suspended" => "This account is suspended. Ask whoever runs this instance.".to_owned(),
        "closed" => format!(
            "{provider} knows you by no account here, and new ones aren't made. If you have one, sign in with its password and connect it in the settings."
        ),
        "invite" => format!(
            "{provider} knows you by no account here, and a new one takes an invite that works. Open the invite's link first, then continue with {provider} from there."
        ),
        "often" => "There were too many tries. Wait a minute, then try again.".to_owned(),
        "taken" => format!(
            "Whom {provider} names is connected with another account here, or this account with somebody else there."
        ),
        "signed-out" => "You were signed out meanwhile. Sign in, then connect again.".to_owned(),
        "fault" => "The server could not finish this. Try again in a moment.".to_owned(),
        _ => return None,
    };
    let attributes = [("role", "alert"), ("data-testid", "oidc-trouble")];
    Some(el_with("p", "field-note field-error", &attributes, vec![said.into()]))
}

/// How long the way there may take before the button can be pressed again, in milliseconds.
const LEAVING: i32 = 3000;

/// A way to the provider's page, and what is wrong if there is none at this moment: of the provider, or of the body.
#[hook]
fn use_provider(path: &'static str, body: Value) -> (Callback<()>, bool, Option<(String, bool)>) {
    let (busy, wrong) = (use_state(|| false), use_state(|| None::<(String, bool)>));
    let leaving = use_mut_ref(|| None::<time::Timer>);
    let on = {
        let (busy, wrong) = (busy.clone(), wrong.clone());
        Callback::from(move |()| {
            busy.set(true);
            wrong.set(None);
            let (busy, wrong, body, leaving) = (busy.clone(), wrong.clone(), body.clone(), leaving.clone());
            browser::spawn(async move {
                match rest::to_provider(path, &body).await {
                    Ok(url) => {
                        history::load(&url, false);
                        // Who comes back by the browser's own button may find the page as it was left.
                        *leaving.borrow_mut() = Some(time::after(LEAVING, move || busy.set(false)));
                    }
                    Err(failure) => {
                        let is_of_body = failure.status() == Some(422);
                        wrong.set(Some((failure.refusal(), is_of_body)));
                        busy.set(false);
                    }
                }
            });
        })
    };
    (on, *busy, (*wrong).clone())
}

/// Properties of [`ContinueWith`].
#[derive(Properties, PartialEq)]
pub struct ContinueWithProps {
    /// The provider.
    pub provider: AttrValue,
    /// The page to go to afterwards.
    #[prop_or_default]
    pub return_to: Option<String>,
    /// The invite that somebody has.
    #[prop_or_default]
    pub invite: String,
}

/// The button under the form to sign in or up.
#[component]
pub fn ContinueWith(props: &ContinueWithProps) -> Html {
    let mut body = json!({});
    if let Some(path) = &props.return_to {
        body["returnTo"] = json!(path);
    }
    if !props.invite.trim().is_empty() {
        body["invite"] = json!(props.invite.trim());
    }
    let (on, busy, wrong) = use_provider("oidc/start", body);
    let label = format!("Continue with {}", props.provider);
    html! {
        <div class="form">
            <p class="either quiet" aria-hidden="true"><span>{ "or" }</span></p>
            <Button label={label} on={on} busy={busy} testid="continue-with" />
            { alert(wrong.map(|(words, _)| words)) }
        </div>
    }
}

/// The page to choose a name, coming from the provider.
#[component]
pub fn NewNamePage() -> Html {
    let site = use_site();
    let known = use_state(|| None::<Result<Value, Failure>>);
    let fields = use_state(|| [String::new(), String::new()]);
    let (refused, busy) = (use_state(|| None::<(String, String)>), use_state(|| false));
    use_effect_with(site.name(), |name| page::set_title(&format!("Choose a name · {name}")));
    {
        let (known, fields) = (known.setter(), fields.setter());
        use_effect_with((), move |()| {
            browser::spawn(async move {
                let answer = rest::newcomer().await;
                if let Ok(newcomer) = &answer {
                    fields.set(["name", "displayName"].map(|field| text(newcomer, field).to_owned()));
                }
                known.set(Some(answer));
            });
        });
    }
    if matches!(site.who, Who::Somebody(_)) && !matches!(&*known, Some(Ok(_))) {
        return html! { <Redirect to={Route::Home} /> };
    }
    let newcomer = match &*known {
        None => return html! { <div class="page-state"><Skeleton class="skeleton-about" /></div> },
        Some(Err(failure)) => {
            return html! {
                <div class="page-state">
                    <Notice icon={Shape::Person} title="There is no name to choose." text={failure.refusal()}>
                        <Link to={Route::SignIn} classes="button button-primary">{ "Begin again" }</Link>
                    </Notice>
                </div>
            };
        }
        Some(Ok(newcomer)) => newcomer,
    };
    let onsubmit = {
        let return_to = text(newcomer, "returnTo").to_owned();
        let (site, fields, refused, busy) = (site.clone(), fields.clone(), refused.clone(), busy.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            let [name, shown] = &*fields;
            let shown = if shown.trim().is_empty() { name } else { shown };
            let body = json!({ "name": name, "displayName": shown });
            busy.set(true);
            let (site, refused, busy, return_to) =
                (site.clone(), refused.clone(), busy.clone(), return_to.clone());
            browser::spawn(async move {
                match rest::name_newcomer(&body).await {
                    Ok(me) => {
                        site.set_who.emit(Who::Somebody(Rc::new(me)));
                        go(&return_to, true);
                    }
                    Err(failure) => {
                        let field = failure.field().unwrap_or_default().to_owned();
                        refused.set(Some((field, failure.refusal())));
                    }
                }
                busy.set(false);
            });
        }
    };
    let set = |place: usize| {
        let (fields, refused) = (fields.clone(), refused.clone());
        Callback::from(move |text: String| {
            let mut next = (*fields).clone();
            next[place] = text;
            fields.set(next);
            refused.set(None);
        })
    };
    let error = |field: &str| {
        (*refused).clone().filter(|(of, _)| of == field).map(|(_, words)| AttrValue::from(words))
    };
    let known = ["name", "displayName"];
    let other = (*refused).clone().filter(|(of, _)| !known.contains(&of.as_str())).map(|(_, words)| words);
    let [name, shown] = &*fields;
    let provider = text(newcomer, "provider");
    html! {
        <div class="page-state">
            <section class="card sheet">
                { word_mark() }
                <h1>{ "Choose a name" }</h1>
                <p class="quiet">{ format!("You come from {provider} and are new here. The name that it knows you by is taken, or doesn't fit.") }</p>
                <form class="form" onsubmit={onsubmit} novalidate=true>
                    <TextField id="name" label="Name of your account" value={name.clone()} on={set(0)}
                        error={error("name")} autocomplete="username" testid="name"
                        hint="2 to 25 letters, digits, hyphens or underscores." />
                    <TextField id="display-name" label="Name that people see (optional)" value={shown.clone()} on={set(1)}
                        error={error("displayName")} autocomplete="nickname" testid="display-name" />
                    { alert(other) }
                    <Button label="Make the account" kind={Kind::Primary} busy={*busy} testid="choose-name" />
                </form>
                <p class="quiet">{ "You have an account here already? " }
                    <Link to={Route::SignIn} classes="link">{ "Sign in" }</Link>
                    { format!(" with its password and connect {provider} in the settings.") }</p>
            </section>
        </div>
    }
}

/// Properties of [`Connection`].
#[derive(Properties, PartialEq)]
pub struct ConnectionProps {
    /// The provider.
    pub provider: AttrValue,
}

/// Whether the account is connected with the provider, to be changed.
#[component]
pub fn Connection(props: &ConnectionProps) -> Html {
    let provider = &props.provider;
    let desk = use_desk("me/oidc".to_owned());
    let toast = use_toast();
    use_effect_with((), move |()| {
        if let Some(provider) = page::query("connected") {
            toast.emit(format!("Connected with {provider}"));
            // Not once more when the page is loaded again.
            history::replace(&Route::Settings.to_path());
        }
    });
    let (ask, question) = use_question();
    let (password, asks) = (use_state(String::new), use_mut_ref(|| false));
    let body = if password.is_empty() { json!({}) } else { json!({ "password": *password }) };
    let (connect, busy, wrong) = use_provider("me/oidc", body);
    if desk.data.is_null() {
        return html! {
            <>
                if desk.is_pending { <Skeleton class="skeleton-line" /> }
                { desk.trouble("the connection") }
            </>
        };
    }
    if desk.data["since"].is_null() {
        let typed = {
            let password = password.clone();
            Callback::from(move |text: String| password.set(text))
        };
        // Once it was asked for it stays, also while what was typed is being sent.
        let (of_body, wrong) = match wrong {
            Some((words, true)) => (Some(words), None),
            other => (None, other.map(|(words, _)| words)),
        };
        *asks.borrow_mut() |= of_body.is_some();
        let is_asked = *asks.borrow();
        return html! {
            <>
                <p class="quiet">{ format!("Connect {provider} to sign in with it, too.") }</p>
                if is_asked {
                    <TextField id="oidc-password" label="Your password" kind="password" value={(*password).clone()} on={typed}
                        autocomplete="current-password" testid="oidc-password" error={of_body.map(AttrValue::from)} />
                }
                <div class="actions">
                    <Button label={format!("Connect {provider}")} on={connect} busy={busy} testid="connect-oidc" />
                </div>
                { alert(wrong) }
            </>
        };
    }
    let can_disconnect = desk.data["canDisconnect"] == true;
    let disconnect = {
        let order =
            Order { method: "DELETE", path: "me/oidc".to_owned(), done: "Disconnected", ..Order::default() };
        let (act, title) = (desk.act(order), format!("Disconnect {provider}?"));
        Callback::from(move |()| {
            ask.emit(Question {
                title: title.clone(),
                text: "You sign in with your password from then on. Where you are signed in now you stay so.",
                keep: "Keep it",
                label: "Disconnect",
                kind: Kind::Danger,
                act: act.clone(),
            })
        })
    };
    let known_as = text(&desk.data, "knownAs");
    let as_whom = if known_as.is_empty() { String::new() } else { format!(" as {known_as}") };
    let said = format!("Connected{as_whom} {}.", since(&desk.data, "since"));
    html! {
        <>
            { words("p", "", said) }
            if !can_disconnect {
                { words("p", "quiet", "It is your only way to sign in. To disconnect it, set a password first.".to_owned()) }
            }
            <div class="actions">
                <Button label={format!("Disconnect {provider}")} on={disconnect} disabled={!can_disconnect} testid="disconnect-oidc" />
            </div>
            { question }
        </>
    }
}
