//! Signing in.

use super::{
    oidc::{self, ContinueWith},
    passkey_sign_in::PasskeySignIn,
};
use crate::{
    api::{Who, rest, use_site},
    browser::{self, page},
    route::{Link, Redirect, Route},
    ui::{Button, Kind, TextField, word_mark},
};
use shared::{
    account::SignIn,
    instance::SignUp,
    text::{AccountName, Password},
};
use std::rc::Rc;
use yew::prelude::*;

/// Where to go after signing in: a path of this site, or the first page.
fn destination() -> Route {
    let wanted = page::query("return").filter(|path| path.starts_with('/') && !path.starts_with("//"));
    match wanted.as_deref().map(Route::recognize) {
        None | Some(Route::NotFound | Route::SignIn | Route::SetUp) => Route::Home,
        Some(route) => route,
    }
}

/// The page to sign in.
#[component]
pub fn SignInPage() -> Html {
    let site = use_site();
    let (name, password) = (use_state(String::new), use_state(String::new));
    let (error, busy) = (use_state(|| None::<String>), use_state(|| false));
    use_effect_with(site.name(), |name| page::set_title(&format!("Sign in · {name}")));
    use_effect_with((), |()| page::focus_id("name"));
    let onsubmit = {
        let (site, name, password, error, busy) =
            (site.clone(), name.clone(), password.clone(), error.clone(), busy.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            // What can't be an account is not told apart from what isn't one.
            let wrong = "Name or password is wrong. Check both: passwords tell capital letters apart.";
            let form = name.parse::<AccountName>().ok().zip(Password::try_from((*password).clone()).ok());
            let Some((name, password)) = form else { return error.set(Some(wrong.to_owned())) };
            busy.set(true);
            let (site, error, busy) = (site.clone(), error.clone(), busy.clone());
            browser::spawn(async move {
                match rest::sign_in(&SignIn { name, password }).await {
                    Ok(me) => site.set_who.emit(Who::Somebody(Rc::new(me))),
                    Err(failure) => error.set(Some(failure.refusal())),
                }
                busy.set(false);
            });
        }
    };
    if matches!(site.who, Who::Somebody(_)) {
        return html! { <Redirect to={destination()} /> };
    }
    let set = |state: &UseStateHandle<String>| {
        let (state, error) = (state.clone(), error.clone());
        Callback::from(move |text: String| {
            state.set(text);
            error.set(None);
        })
    };
    let instance = site.instance.data.as_ref();
    let provider = instance.and_then(|instance| instance.provider.clone()).map(AttrValue::from);
    html! {
        <div class="page-state">
            <section class="card sheet">
                { word_mark() }
                <h1>{ "Sign in" }</h1>
                <p class="quiet">{ format!("To go live on {}. Watching needs no account.", site.name()) }</p>
                { oidc::trouble(provider.as_deref().unwrap_or("The provider")) }
                <form class="form" onsubmit={onsubmit} novalidate=true>
                    <TextField id="name" label="Name" value={(*name).clone()} on={set(&name)} autocomplete="username"
                        testid="name" />
                    <TextField id="password" label="Password" kind="password" value={(*password).clone()}
                        on={set(&password)} autocomplete="current-password" testid="password"
                        error={(*error).clone().map(AttrValue::from)} />
                    <Button label="Sign in" kind={Kind::Primary} busy={*busy} testid="sign-in" />
                </form>
                <p class="quiet"><Link to={Route::ResetPassword} classes="link">{ "Forgot your password?" }</Link></p>
                <PasskeySignIn />
                if let Some(provider) = provider {
                    <ContinueWith provider={provider} return_to={page::query("return")} />
                }
                if instance.is_some_and(|instance| instance.sign_up != SignUp::Closed) {
                    <p class="quiet">{ "No account yet? " }
                        <Link to={Route::SignUp} classes="link">{ "Make one" }</Link></p>
                }
            </section>
        </div>
    }
}
