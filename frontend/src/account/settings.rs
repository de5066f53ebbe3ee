//! An account's settings.

use super::{
    profile::{ChangePassword, Profile},
    tokens::Tokens,
};
use crate::{
    api::{Failure, Load, Who, rest, use_site},
    browser::{self, page, time},
    route::{Link, Route},
    ui::{Button, Kind, Skeleton, format_state, portrait, use_toast},
};
use shared::account::{Login, Me, Role};
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
                    Err(failure) => toast.emit(failure.sentence()),
                }
            });
        })
    };
    let me = &props.me;
    html! {
        <article class="settings">
            <h1>{ "You" }</h1>
            <section class="card me" aria-label="Account">
                { portrait(me.avatar.as_deref(), me.display_name.as_str(), me.name.as_str(), "medium") }
                <div class="me-words"><b>{ me.display_name.as_str() }</b>
                    <p class="quiet">{ format!("Signed in as {}", me.name) }</p></div>
                if me.role != Role::Member {
                    <Link to={Route::Admin} classes="button">{ "This instance" }</Link>
                }
                <Button label="Sign out" on={sign_out} testid="sign-out" />
            </section>
            <details class="card more">
                <summary><h2>{ "Your profile" }</h2></summary>
                <Profile key={me.id.to_string()} me={me.clone()} />
            </details>
            { props.channels.clone() }
            <details class="card more">
                <summary><h2>{ "Password" }</h2></summary>
                <ChangePassword />
            </details>
            <section class="card" aria-labelledby="tokens-title">
                <h2 id="tokens-title">{ "API tokens" }</h2>
                <Tokens />
            </section>
            <section class="card" aria-labelledby="logins-title">
                <h2 id="logins-title">{ "Where you are signed in" }</h2>
                <Logins />
            </section>
        </article>
    }
}

#[component]
fn Logins() -> Html {
    let load = use_state(Load::<Vec<Login>, Failure>::default);
    let toast = use_toast();
    {
        let load = load.clone();
        use_effect_with((), move |()| {
            browser::spawn(async move {
                load.set(Load::default().after(rest::logins().await.map(|page| page.items)))
            });
        });
    }
    let end_others = {
        let (load, toast) = (load.clone(), toast.clone());
        Callback::from(move |()| {
            let (load, toast) = (load.clone(), toast.clone());
            browser::spawn(async move {
                match rest::end_other_logins().await {
                    Ok(()) => {
                        let mut logins = load.data.clone().unwrap_or_default();
                        logins.retain(|login| login.current);
                        load.set(Load { data: Some(logins), error: None });
                        toast.emit("Every other browser is signed out".to_owned());
                    }
                    Err(failure) => toast.emit(failure.sentence()),
                }
            });
        })
    };
    let now = time::wall();
    let entry = |login: &Login| {
        let revoke = {
            let (load, toast, id) = (load.clone(), toast.clone(), login.id.clone());
            Callback::from(move |()| {
                let (load, toast, id) = (load.clone(), toast.clone(), id.clone());
                browser::spawn(async move {
                    match rest::revoke(&id).await {
                        Ok(()) => {
                            let mut logins = load.data.clone().unwrap_or_default();
                            logins.retain(|login| login.id != id);
                            load.set(Load { data: Some(logins), error: None });
                            toast.emit("Signed out there".to_owned());
                        }
                        Err(failure) => toast.emit(failure.sentence()),
                    }
                });
            })
        };
        let ago =
            |at: shared::unit::Timestamp| format_state::ago((now - at.as_millis()).max(0) as u64 / 1000);
        let device = match login.device.as_str() {
            "" => "Unknown browser",
            device => device,
        };
        html! {
            <li key={login.id.to_string()} class="login">
                <div>
                    <b>{ device }</b>
                    <p class="quiet">
                        { if login.current { "This browser".to_owned() } else { format!("Used {}", ago(login.last_used_at)) } }
                        { format!(" · signed in {}", ago(login.created_at)) }
                    </p>
                </div>
                if !login.current { <Button label="Sign out" kind={Kind::Plain} on={revoke} /> }
            </li>
        }
    };
    html! {
        <>
            if let Some(logins) = &load.data { <ul class="plain-list" data-testid="logins">{ for logins.iter().map(entry) }</ul> }
            if load.data.as_ref().is_some_and(|logins| logins.len() > 1) {
                <div class="actions"><Button label="Sign out everywhere else" on={end_others} testid="end-others" /></div>
            }
            if load.is_pending() { <Skeleton class="skeleton-line" /> }
            if let Some(failure) = &load.error { <p class="field-note field-error" role="alert">{ failure.sentence() }</p> }
        </>
    }
}
