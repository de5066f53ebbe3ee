//! An account's settings.

use super::{
    colour::Colour,
    delete::Delete,
    logins::Logins,
    oidc::{self, Connection},
    passkeys::Passkeys,
    profile::{ChangePassword, Profile},
    tokens::Tokens,
};
use crate::{
    api::{Who, rest, use_site},
    browser::{self, page},
    route::{Link, Route},
    ui::{Button, portrait, use_toast},
};
use shared::account::{Me, Role};
use std::rc::Rc;
use yew::prelude::*;

/// Properties of [`Settings`].
#[derive(Properties, PartialEq)]
pub struct SettingsProps {
    /// Whose.
    pub me: Rc<Me>,
    /// The sections about their channels.
    pub channels: Html,
}

/// Who is signed in and where, and what they own.
#[component]
pub fn Settings(props: &SettingsProps) -> Html {
    let site = use_site();
    let toast = use_toast();
    use_effect_with(site.name(), |name| page::set_title(&format!("Settings · {name}")));
    let sign_out = {
        let (site, toast) = (site.clone(), toast.clone());
        Callback::from(move |()| {
            let (site, toast) = (site.clone(), toast.clone());
            browser::spawn(async move {
                match rest::sign_out().await {
                    Ok(()) => site.set_who.emit(Who::Nobody),
                    Err(failure) => toast.emit(failure.refusal()),
                }
            });
        })
    };
    let me = &props.me;
    let instance = site.instance.data.as_ref();
    let provider = instance.and_then(|instance| instance.provider.clone()).map(AttrValue::from);
    html! {
        <article class="settings">
            <h1>{ "You" }</h1>
            { oidc::trouble(provider.as_deref().unwrap_or("The provider")) }
            <section class="card me" aria-label="Account">
                { portrait(me.avatar.as_deref(), me.display_name.as_str(), me.name.as_str(), "medium") }
                <div class="me-words"><b>{ me.display_name.as_str() }</b>
                    <p class="quiet">{ format!("Signed in as {}", me.name) }</p></div>
                <Link to={Route::Person { name: me.name.to_string() }} classes="button">{ "Your page" }</Link>
                if me.role != Role::Member {
                    <Link to={Route::Admin} classes="button">{ "This instance" }</Link>
                }
                <Button label="Sign out" on={sign_out} testid="sign-out" />
            </section>
            <details class="card more">
                <summary><h2>{ "Your profile" }</h2></summary>
                <Profile key={me.id.to_string()} me={me.clone()} />
                <Colour me={me.clone()} />
            </details>
            { props.channels.clone() }
            <details class="card more">
                <summary><h2>{ "Password" }</h2></summary>
                <ChangePassword provided={provider.is_some()} />
            </details>
            <section class="card" aria-labelledby="passkeys-title">
                <h2 id="passkeys-title">{ "Passkeys" }</h2>
                <Passkeys />
            </section>
            if let Some(provider) = provider {
                <section class="card" aria-labelledby="provider-title" data-testid="provider">
                    <h2 id="provider-title">{ provider.clone() }</h2>
                    <Connection provider={provider} />
                </section>
            }
            <section class="card" aria-labelledby="tokens-title">
                <h2 id="tokens-title">{ "API tokens" }</h2>
                <Tokens />
            </section>
            <section class="card" aria-labelledby="logins-title">
                <h2 id="logins-title">{ "Where you are signed in" }</h2>
                <Logins />
            </section>
            <details class="card more">
                <summary><h2>{ "Delete your account" }</h2></summary>
                <Delete me={me.clone()} />
            </details>
        </article>
    }
}
