//! Making a channel.

use crate::{
    api::{Site, Who, rest, use_site},
    browser::{self, page},
    ui::{Button, CopyField, Kind, TextField, format_state},
};
use shared::{
    channel::{CreateChannel, NewChannel},
    id::ChannelName,
    text::DisplayName,
};
use std::rc::Rc;
use yew::prelude::*;

/// Takes a new channel into what the page knows of the account.
fn add(site: &Site, new: &NewChannel) {
    if let Some(me) = site.me() {
        let mut me = (*me).clone();
        me.channels.push(new.channel.clone());
        site.set_who.emit(Who::Somebody(Rc::new(me)));
    }
}

/// A form that makes a channel, and then shows its key this once.
#[component]
pub fn CreateForm() -> Html {
    let site = use_site();
    let (name, display) = (use_state(String::new), use_state(String::new));
    let (name_error, display_error, error) =
        (use_state(|| None::<String>), use_state(|| None::<String>), use_state(|| None::<String>));
    let busy = use_state(|| false);
    let made = use_state(|| None::<NewChannel>);
    let onsubmit = {
        let (name, display, name_error, display_error, error, busy, made) = (
            name.clone(),
            display.clone(),
            name_error.clone(),
            display_error.clone(),
            error.clone(),
            busy.clone(),
            made.clone(),
        );
        move |event: SubmitEvent| {
            event.prevent_default();
            let parsed = name.trim().parse::<ChannelName>();
            let shown = (!display.trim().is_empty()).then(|| display.parse::<DisplayName>()).transpose();
            name_error.set(parsed.as_ref().err().map(|error| format_state::sentence(&error.to_string())));
            display_error.set(shown.as_ref().err().map(|error| format_state::sentence(&error.to_string())));
            error.set(None);
            let (Ok(name), Ok(display_name)) = (parsed, shown) else { return };
            busy.set(true);
            let (name_error, error, busy, made) =
                (name_error.clone(), error.clone(), busy.clone(), made.clone());
            browser::spawn(async move {
                match rest::create_channel(&CreateChannel { name, display_name }).await {
                    Ok(new) => made.set(Some(new)),
                    Err(failure) if failure.field() == Some("name") => {
                        name_error.set(Some(failure.refusal()))
                    }
                    Err(failure) => error.set(Some(failure.refusal())),
                }
                busy.set(false);
            });
        }
    };
    if let Some(new) = &*made {
        let done = {
            let (site, new, made) = (site.clone(), new.clone(), made.clone());
            Callback::from(move |()| {
                made.set(None);
                add(&site, &new);
            })
        };
        return html! {
            <div class="form">
                <p>{ format!("The channel {} is yours.", new.channel.name) }</p>
                <CopyField id="new-key" label="Stream key" value={new.stream_key.clone()} secret=true testid="new-stream-key" />
                <p class="field-note">{ "You need it for OBS only. It is shown this once; you can make another at any time." }</p>
                <Button label="Go on" kind={Kind::Primary} on={done} testid="created" />
            </div>
        };
    }
    let set = |state: &UseStateHandle<String>| {
        let state = state.clone();
        Callback::from(move |text: String| state.set(text))
    };
    html! {
        <form class="form" onsubmit={onsubmit} novalidate=true>
            <TextField id="new-channel" label="Address" prefix={format!("{}/", page::origin())} value={(*name).clone()}
                on={set(&name)} error={(*name_error).clone().map(AttrValue::from)} testid="new-channel"
                hint="2 to 25 letters, digits, hyphens or underscores." />
            <TextField id="new-channel-name" label="Name that people see (optional)" value={(*display).clone()}
                on={set(&display)} error={(*display_error).clone().map(AttrValue::from)} />
            if let Some(error) = &*error { <p class="field-note field-error" role="alert">{ error }</p> }
            <Button label="Make the channel" kind={Kind::Primary} busy={*busy} testid="create-channel" />
        </form>
    }
}
