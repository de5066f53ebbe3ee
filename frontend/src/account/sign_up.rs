//! Making an account.

use super::oidc::{self, ContinueWith};
use crate::{
    api::{Who, rest, use_site},
    browser::{self, page},
    route::{Link, Redirect, Route},
    ui::{Button, Kind, Notice, Shape, Skeleton, TextField, alert, word_mark},
};
use serde_json::json;
use shared::instance::SignUp;
use std::rc::Rc;
use yew::prelude::*;

/// The page to make an account.
#[component]
pub fn SignUpPage() -> Html {
    let site = use_site();
    let fields = use_state(|| {
        let invite = page::query("invite").unwrap_or_default();
        [String::new(), String::new(), String::new(), invite]
    });
    let refused = use_state(|| None::<(String, String)>);
    let busy = use_state(|| false);
    use_effect_with(site.name(), |name| page::set_title(&format!("Make an account · {name}")));
    if matches!(site.who, Who::Somebody(_)) {
        return html! { <Redirect to={Route::Home} /> };
    }
    let Some(instance) = &site.instance.data else {
        return html! { <div class="page-state"><Skeleton class="skeleton-about" /></div> };
    };
    if instance.sign_up == SignUp::Closed {
        return html! {
            <div class="page-state">
                <Notice icon={Shape::Person} title="No accounts are made here."
                    text="Watching needs none, and guests may write in chat. To go live, ask whoever runs this instance.">
                    <Link to={Route::Home} classes="button button-primary">{ "See what is live" }</Link>
                </Notice>
            </div>
        };
    }
    let onsubmit = {
        let (site, fields, refused, busy) = (site.clone(), fields.clone(), refused.clone(), busy.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            let [name, shown, password, invite] = &*fields;
            let shown = if shown.trim().is_empty() { name } else { shown };
            let mut body = json!({ "name": name, "displayName": shown, "password": password });
            if !invite.trim().is_empty() {
                body["invite"] = json!(invite.trim());
            }
            busy.set(true);
            let (site, refused, busy) = (site.clone(), refused.clone(), busy.clone());
            browser::spawn(async move {
                match rest::sign_up(body).await {
                    Ok(me) => site.set_who.emit(Who::Somebody(Rc::new(me))),
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
    let known = ["name", "displayName", "password", "invite"];
    let other = (*refused).clone().filter(|(of, _)| !known.contains(&of.as_str())).map(|(_, words)| words);
    let needs_invite = instance.sign_up == SignUp::Invite;
    let [name, shown, password, invite] = &*fields;
    html! {
        <div class="page-state">
            <section class="card sheet">
                { word_mark() }
                <h1>{ "Make an account" }</h1>
                <p class="quiet">{ format!("To follow channels, chat under your own name, and go live on {}.", site.name()) }</p>
                { oidc::trouble(instance.provider.as_deref().unwrap_or("The provider")) }
                <form class="form" onsubmit={onsubmit} novalidate=true>
                    if needs_invite {
                        <TextField id="invite" label="Invite" value={invite.clone()} on={set(3)} error={error("invite")}
                            testid="invite" hint="From whoever runs this instance. A link to here has it already." />
                    }
                    <TextField id="name" label="Name to sign in with" value={name.clone()} on={set(0)}
                        error={error("name")} autocomplete="username" testid="name"
                        hint="2 to 25 letters, digits, hyphens or underscores." />
                    <TextField id="display-name" label="Name that people see (optional)" value={shown.clone()} on={set(1)}
                        error={error("displayName")} autocomplete="nickname" testid="display-name" />
                    <TextField id="password" label="Password" kind="password" value={password.clone()} on={set(2)}
                        error={error("password")} autocomplete="new-password" testid="password"
                        hint="At least 10 characters. A few words are easy to keep in mind." />
                    { alert(other) }
                    <Button label="Make the account" kind={Kind::Primary} busy={*busy} testid="sign-up" />
                </form>
                if let Some(provider) = instance.provider.clone() {
                    <ContinueWith provider={provider} invite={invite.clone()} />
                }
                <p class="quiet">{ "You have one already? " }<Link to={Route::SignIn} classes="link">{ "Sign in" }</Link></p>
            </section>
        </div>
    }
}
