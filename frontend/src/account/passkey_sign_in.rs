//! Signing in with a passkey, which says who it is by itself.

use crate::{
    api::{Failure, Who, rest, use_site},
    browser::{
        self,
        passkey::{self, NoPasskey},
    },
    ui::{Button, alert},
};
use serde_json::{Value, json};
use shared::account::Me;
use std::rc::Rc;
use yew::prelude::*;

async fn sign_in() -> Result<Me, String> {
    let said = |failure: Failure| failure.refusal();
    let options = rest::start_passkey_sign_in().await.map_err(said)?;
    let chosen = passkey::choose(&options["publicKey"].to_string()).await.map_err(|why| match why {
        NoPasskey::GivenUp => "No passkey was chosen. Try again, or sign in with your name and password.",
        _ => "This browser can't use a passkey here. Sign in with your name and password.",
    })?;
    let credential: Value = serde_json::from_str(&chosen).unwrap_or_default();
    rest::sign_in_with_passkey(json!({ "credential": credential })).await.map_err(said)
}

/// The button, where the browser has passkeys.
#[component]
pub fn PasskeySignIn() -> Html {
    let site = use_site();
    let (wrong, busy) = (use_state(|| None::<String>), use_state(|| false));
    if !passkey::is_known() {
        return Html::default();
    }
    let on = {
        let (set_who, wrong, busy) = (site.set_who.clone(), wrong.clone(), busy.clone());
        Callback::from(move |()| {
            let (set_who, wrong, busy) = (set_who.clone(), wrong.clone(), busy.clone());
            wrong.set(None);
            busy.set(true);
            browser::spawn(async move {
                match sign_in().await {
                    Ok(me) => set_who.emit(Who::Somebody(Rc::new(me))),
                    Err(why) => wrong.set(Some(why)),
                }
                busy.set(false);
            });
        })
    };
    html! {
        <div class="form passkey">
            <p class="either quiet" aria-hidden="true"><span>{ "or" }</span></p>
            <Button label="Sign in with a passkey" busy={*busy} on={on} testid="passkey-sign-in" />
            { alert((*wrong).clone()) }
        </div>
    }
}
