//! API tokens: what programs of the account's owner ask with.

use crate::{
    api::{Failure, Load, rest},
    browser::{self, page, time},
    ui::{
        Button, Choice, CopyField, Dialog, Kind, Select, Skeleton, TextField,
        format_state::{ago, sentence},
        use_toast,
    },
};
use shared::{
    account::{ApiToken, CreateApiToken, NewApiToken, Scope},
    text::TokenLabel,
    unit::Timestamp,
};
use yew::prelude::*;

/// What each scope lets a program do.
const SCOPES: [(Scope, &str, &str); 4] = [
    (Scope::Read, "read", "See what you see: private channels, analytics, logins"),
    (Scope::ChatWrite, "chat-write", "Write in chat as you"),
    (Scope::ChatModerate, "chat-moderate", "Delete messages and time people out, where you may"),
    (
        Scope::ChannelWrite,
        "channel-write",
        "Make and edit channels, start and end broadcasts, make stream keys",
    ),
];

const DAY: i64 = 86_400_000;

/// How long ago, or in how long.
fn when(at: Timestamp, now: i64) -> String {
    let millis = at.as_millis();
    if millis <= now {
        return ago((now - millis) as u64 / 1000);
    }
    match (millis - now + DAY - 1) / DAY {
        1 => "within a day".to_owned(),
        days => format!("in {days} days"),
    }
}

/// The list of tokens, and the form for another one.
#[component]
pub fn Tokens() -> Html {
    let load = use_state(Load::<Vec<ApiToken>, Failure>::default);
    let made = use_state(|| None::<NewApiToken>);
    let asking = use_state(|| None::<ApiToken>);
    let toast = use_toast();
    {
        let load = load.clone();
        use_effect_with((), move |()| {
            browser::spawn(async move {
                load.set(Load::default().after(rest::tokens().await.map(|page| page.items)))
            });
        });
    }
    let on_made = {
        let (load, made) = (load.clone(), made.clone());
        Callback::from(move |new: NewApiToken| {
            let mut tokens = load.data.clone().unwrap_or_default();
            tokens.insert(0, new.token.clone());
            load.set(Load { data: Some(tokens), error: None });
            made.set(Some(new));
        })
    };
    let dismiss = {
        let asking = asking.clone();
        Callback::from(move |()| asking.set(None))
    };
    let revoke = {
        let (load, asking, made) = (load.clone(), asking.clone(), made.clone());
        Callback::from(move |()| {
            let (load, asking, made, toast) = (load.clone(), asking.clone(), made.clone(), toast.clone());
            let Some(id) = asking.as_ref().map(|token| token.id.clone()) else { return };
            asking.set(None);
            browser::spawn(async move {
                let result = rest::revoke_token(&id).await;
                let gone = matches!(&result, Err(failure) if failure.status() == Some(404));
                if let (Err(failure), false) = (&result, gone) {
                    return toast.emit(failure.sentence());
                }
                let mut tokens = load.data.clone().unwrap_or_default();
                tokens.retain(|token| token.id != id);
                load.set(Load { data: Some(tokens), error: None });
                if made.as_ref().is_some_and(|made| made.token.id == id) {
                    made.set(None);
                }
                toast.emit("The token doesn't work any more".to_owned());
            });
        })
    };
    let now = time::wall();
    let entry = |token: &ApiToken| {
        let ask = {
            let (asking, token) = (asking.clone(), token.clone());
            Callback::from(move |()| asking.set(Some(token.clone())))
        };
        let may = token.scopes.iter().filter_map(|scope| SCOPES.iter().find(|(one, ..)| one == scope));
        let mut facts = vec![format!("made {}", when(token.created_at, now))];
        facts
            .push(token.last_used_at.map_or("never used".to_owned(), |at| format!("used {}", when(at, now))));
        if let Some(at) = token.expires_at {
            let over = at.as_millis() <= now;
            facts.push(format!(
                "{} {}",
                if over { "stopped working" } else { "stops working" },
                when(at, now)
            ));
        }
        html! {
            <li key={token.id.to_string()} class="login">
                <div>
                    <b>{ token.label.as_str() }</b>
                    { for may.map(|(.., words)| html! { <p>{ *words }</p> }) }
                    <p class="quiet">{ sentence(&facts.join(" · ")) }</p>
                </div>
                <Button label="Revoke" on={ask} />
            </li>
        }
    };
    html! {
        <>
            <p class="quiet">{ "For your own programs: they send one as “Authorization: Bearer …” with each request. " }
                <a class="link" href="/api/docs">{ "What there is to ask" }</a></p>
            if let Some(tokens) = &load.data {
                if !tokens.is_empty() {
                    <ul class="plain-list" data-testid="tokens">{ for tokens.iter().map(entry) }</ul>
                }
            }
            if load.is_pending() { <Skeleton class="skeleton-line" /> }
            if let Some(failure) = &load.error { <p class="field-note field-error" role="alert">{ failure.sentence() }</p> }
            if let Some(new) = &*made {
                <div class="callout form">
                    <CopyField id="token-secret" label={format!("Secret of “{}”", new.token.label)} value={new.secret.clone()}
                        secret=true testid="token-secret" />
                    <p class="field-note">{ "Shown this once: copy it now. Whoever has it can do what you allowed it to." }</p>
                </div>
            }
            <NewToken on={on_made} />
            if let Some(token) = &*asking {
                <Dialog title={format!("Revoke “{}”?", token.label)} on_close={dismiss.clone()}>
                    <p>{ "Programs that use it are refused from now on. This can't be undone." }</p>
                    <div class="dialog-actions">
                        <Button label="Keep it" on={dismiss} />
                        <Button label="Revoke" kind={Kind::Danger} on={revoke} testid="revoke-token" />
                    </div>
                </Dialog>
            }
        </>
    }
}

#[derive(Properties, PartialEq)]
struct NewTokenProps {
    on: Callback<NewApiToken>,
}

/// Label, scopes and days.
#[component]
fn NewToken(props: &NewTokenProps) -> Html {
    let label = use_state(String::new);
    let scopes = use_state(|| vec![Scope::Read]);
    let days = use_state(|| "90".to_owned());
    let wrong = use_state(|| (None::<String>, None::<String>));
    let busy = use_state(|| false);
    let onsubmit = {
        let (label, scopes, days, wrong, busy, on) =
            (label.clone(), scopes.clone(), days.clone(), wrong.clone(), busy.clone(), props.on.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            let parsed = label.parse::<TokenLabel>();
            let missing =
                scopes.is_empty().then(|| "Choose at least one thing that the token may do.".to_owned());
            wrong.set((parsed.as_ref().err().map(|error| sentence(&error.to_string())), missing));
            let (Ok(name), false) = (parsed, scopes.is_empty()) else { return };
            let body = CreateApiToken { label: name, scopes: (*scopes).clone(), days: days.parse().ok() };
            busy.set(true);
            let (label, wrong, busy, on) = (label.clone(), wrong.clone(), busy.clone(), on.clone());
            browser::spawn(async move {
                match rest::create_token(&body).await {
                    Ok(new) => {
                        label.set(String::new());
                        on.emit(new);
                    }
                    Err(failure) if failure.field() == Some("label") => {
                        wrong.set((Some(failure.sentence()), None))
                    }
                    Err(failure) => wrong.set((None, Some(failure.sentence()))),
                }
                busy.set(false);
            });
        }
    };
    let on_label = {
        let label = label.clone();
        Callback::from(move |text: String| label.set(text))
    };
    let on_days = {
        let days = days.clone();
        Callback::from(move |value: String| days.set(value))
    };
    let choice = |(scope, id, words): &(Scope, &'static str, &'static str)| {
        let (scopes, scope) = (scopes.clone(), *scope);
        let checked = scopes.contains(&scope);
        let onchange = move |event: Event| {
            let mut next: Vec<Scope> = scopes.iter().copied().filter(|one| *one != scope).collect();
            if page::is_checked(&event) {
                next.push(scope);
            }
            scopes.set(next);
        };
        html! {
            <label class="check"><input type="checkbox" checked={checked} onchange={onchange}
                data-testid={format!("scope-{id}")} /><span>{ *words }</span></label>
        }
    };
    html! {
        <form class="form" onsubmit={onsubmit} novalidate=true>
            <TextField id="token-label" label="What the new token is for" value={(*label).clone()} on={on_label}
                error={wrong.0.clone().map(AttrValue::from)} testid="token-label" hint="Your own words, e.g. “Chat bot”." />
            <fieldset class="checks">
                <legend>{ "What it may do" }</legend>
                { for SCOPES.iter().map(choice) }
                if let Some(error) = &wrong.1 { <p class="field-note field-error" role="alert">{ error }</p> }
            </fieldset>
            <Select id="token-days" label="How long it works" value={(*days).clone()} on={on_days} testid="token-days"
                choices={vec![
                    Choice::new("7", "7 days"),
                    Choice::new("30", "30 days"),
                    Choice::new("90", "90 days"),
                    Choice::new("365", "A year"),
                    Choice::new("", "Until you revoke it"),
                ]} />
            <Button label="Make a token" busy={*busy} testid="create-token" />
        </form>
    }
}
