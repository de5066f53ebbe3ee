//! API tokens: what programs of the account's owner ask with.

use crate::{
    api::{Failure, Load, rest},
    browser::{self, time},
    ui::{
        Button, Choice, CopyField, Kind, Question, Select, Skeleton, TextField, Told, Trouble, alert, el,
        format_state::{ago, sentence, told_apart},
        use_question, use_toast, words,
    },
};
use shared::{
    account::{ApiToken, CreateApiToken, NewApiToken, Scope},
    text::{Password, TokenLabel},
    unit::Timestamp,
};
use std::{cell::RefCell, rc::Rc};
use yew::prelude::*;

/// What each scope lets a program do.
const SCOPES: [(Scope, &str, &str); 8] = [
    (Scope::Read, "read", "See what you see: private channels, analytics, logins"),
    (Scope::ChatWrite, "chat-write", "Write in chat as you"),
    (Scope::ChatModerate, "chat-moderate", "Delete messages and time people out, where you may"),
    (Scope::FollowWrite, "follow-write", "Follow channels, and stop to"),
    (
        Scope::ChannelWrite,
        "channel-write",
        "Make and edit channels, start and end broadcasts, make stream keys",
    ),
    (Scope::NotificationsRead, "notifications-read", "See your notifications, and nothing else"),
    (Scope::InstanceRead, "instance-read", "See who and what is on this instance, where you may"),
    (
        Scope::InstanceManage,
        "instance-manage",
        "Run this instance: invites, suspensions, settings, where you may",
    ),
];

/// For how many days it can work.
const DAYS: [(&str, &str); 5] =
    [("7", "7 days"), ("30", "30 days"), ("90", "90 days"), ("365", "A year"), ("", "Until you revoke it")];

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

/// All there is to show.
struct State {
    load: Load<Vec<ApiToken>, Failure>,
    made: Option<NewApiToken>,
    label: String,
    scopes: Vec<Scope>,
    days: String,
    /// The password, and whether the server asked for it.
    password: String,
    asks: bool,
    /// What is wrong with the label, and with the rest.
    wrong: (Option<String>, Option<String>),
    /// What is wrong with the password.
    wrong_password: Option<String>,
    busy: bool,
}

impl Default for State {
    fn default() -> Self {
        Self {
            load: Load::default(),
            made: None,
            label: String::new(),
            scopes: vec![Scope::Read],
            days: "90".to_owned(),
            password: String::new(),
            asks: false,
            wrong: (None, None),
            wrong_password: None,
            busy: false,
        }
    }
}

type Shared = Rc<RefCell<State>>;

/// The list of tokens, and the form for another one.
#[component]
pub fn Tokens() -> Html {
    let state: Shared = use_mut_ref(State::default);
    let update = use_force_update();
    let toast = use_toast();
    let (ask, question) = use_question();
    let read = {
        let (state, update) = (state.clone(), update.clone());
        Callback::from(move |()| {
            let (state, update) = (state.clone(), update.clone());
            browser::spawn(async move {
                let answer = rest::tokens().await.map(|page| page.items);
                let mut now = state.borrow_mut();
                now.load = now.load.after(answer);
                drop(now);
                update.force_update();
            });
        })
    };
    {
        let read = read.clone();
        use_effect_with((), move |()| read.emit(()));
    }
    // Changes the state and shows it.
    let set = |change: fn(&mut State, String)| {
        let (state, update) = (state.clone(), update.clone());
        Callback::from(move |text: String| {
            change(&mut state.borrow_mut(), text);
            update.force_update();
        })
    };
    // What revoking does, behind the question.
    let revoke = |token: &ApiToken| {
        let (state, update, toast, id) = (state.clone(), update.clone(), toast.clone(), token.id.clone());
        Callback::from(move |told: Told| {
            let (state, update, toast, id) = (state.clone(), update.clone(), toast.clone(), id.clone());
            browser::spawn(async move {
                match rest::revoke_token(&id).await {
                    // One that is gone already is what was wanted.
                    Err(failure) if failure.status() != Some(404) => {
                        return told.emit(Some(failure.refusal()));
                    }
                    _ => {}
                }
                let mut now = state.borrow_mut();
                now.load.data.iter_mut().for_each(|tokens| tokens.retain(|one| one.id != id));
                now.made.take_if(|made| made.token.id == id);
                drop(now);
                update.force_update();
                told.emit(None);
                toast.emit("The token doesn't work any more".to_owned());
            });
        })
    };
    let onsubmit = {
        let (state, update) = (state.clone(), update.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            let body = state.borrow_mut().checked();
            update.force_update();
            let Some(body) = body else { return };
            let (state, update) = (state.clone(), update.clone());
            browser::spawn(async move {
                let answer = rest::create_token(&body).await;
                state.borrow_mut().created(answer);
                update.force_update();
            });
        }
    };
    let now = time::wall();
    let pick = set(|state, id| {
        let Some((scope, ..)) = SCOPES.iter().find(|(_, one, _)| *one == id) else { return };
        match state.scopes.iter().position(|one| one == scope) {
            Some(at) => drop(state.scopes.remove(at)),
            None => state.scopes.push(*scope),
        }
    });
    let (on_label, on_days) = (set(|state, text| state.label = text), set(|state, text| state.days = text));
    let on_password = set(|state, text| state.password = text);
    let state = state.borrow();
    let entry = |(token, called): (&ApiToken, String)| {
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
        let mut said = vec![words("b", "", token.label.to_string())];
        said.extend(may.map(|(.., what)| words("p", "", *what)));
        said.push(words("p", "quiet", sentence(&facts.join(" · "))));
        let on = {
            let (ask, act, title) = (ask.clone(), revoke(token), format!("Revoke “{}”?", token.label));
            Callback::from(move |()| {
                ask.emit(Question {
                    title: title.clone(),
                    text: "Programs that use it are refused from now on. This can't be undone.",
                    keep: "Keep it",
                    label: "Revoke",
                    kind: Kind::Danger,
                    act: act.clone(),
                })
            })
        };
        let button = html! { <Button label="Revoke" name={format!("Revoke {called}")} on={on} /> };
        el("li", "login", vec![el("div", "grow", said), button])
    };
    let choice = |(scope, id, words): &(Scope, &'static str, &'static str)| {
        let (pick, id) = (pick.clone(), *id);
        html! {
            <label class="check"><input type="checkbox" checked={state.scopes.contains(scope)}
                onchange={move |_: Event| pick.emit(id.to_owned())} data-testid={format!("scope-{id}")} />
                <span>{ *words }</span></label>
        }
    };
    let tokens = state.load.data.as_ref().filter(|tokens| !tokens.is_empty());
    let names = tokens.into_iter().flatten().map(|token| format!("the token “{}”", token.label)).collect();
    let names = told_apart(names);
    html! {
        <>
            <p class="quiet">{ "For your own programs: they send one as “Authorization: Bearer …” with each request. " }
                <a class="link" href="/api/docs">{ "What there is to ask" }</a></p>
            if let Some(tokens) = tokens {
                <ul class="plain-list" data-testid="tokens">{ for tokens.iter().zip(names).map(entry) }</ul>
            }
            if state.load.is_pending() { <Skeleton class="skeleton-line" /> }
            if let Some(failure) = &state.load.error {
                <Trouble what="the list of tokens" why={failure.refusal()} stale={state.load.data.is_some()} again={read} />
            }
            if let Some(new) = &state.made {
                <div class="callout form">
                    <CopyField id="token-secret" label={format!("Secret of “{}”", new.token.label)} value={new.secret.clone()}
                        secret=true testid="token-secret" />
                    <p class="field-note">{ "Shown this once: copy it now. Whoever has it can do what you allowed it to." }</p>
                </div>
            }
            <form class="form" onsubmit={onsubmit} novalidate=true>
                <TextField id="token-label" label="What the new token is for" value={state.label.clone()} on={on_label}
                    error={state.wrong.0.clone().map(AttrValue::from)} testid="token-label"
                    hint="Your own words, e.g. “Chat bot”." />
                <fieldset class="checks">
                    <legend>{ "What it may do" }</legend>
                    { for SCOPES.iter().map(choice) }
                    { alert(state.wrong.1.clone()) }
                </fieldset>
                <Select id="token-days" label="How long it works" value={state.days.clone()} on={on_days} testid="token-days"
                    choices={DAYS.map(|(days, label)| Choice::new(days, label)).to_vec()} />
                if state.asks {
                    <TextField id="token-password" label="Your password" kind="password" value={state.password.clone()}
                        on={on_password} autocomplete="current-password" testid="token-password"
                        error={state.wrong_password.clone().map(AttrValue::from)} />
                }
                <Button label="Make a token" busy={state.busy} testid="create-token" />
            </form>
            { question }
        </>
    }
}

impl State {
    /// What to send, if nothing is wrong with it.
    fn checked(&mut self) -> Option<CreateApiToken> {
        let label = self.label.parse::<TokenLabel>();
        let none = self.scopes.is_empty();
        self.wrong = (
            label.as_ref().err().map(|error| sentence(&error.to_string())),
            none.then(|| "Choose at least one thing that the token may do.".to_owned()),
        );
        // One that can't be a password is sent as none, and asked for.
        let password = Password::try_from(self.password.clone()).ok();
        let is_short = self.asks && !self.password.is_empty() && password.is_none();
        self.wrong_password =
            is_short.then(|| "This is not your password. Check it: capital letters count.".to_owned());
        let label = label.ok().filter(|_| !none && !is_short && !self.busy)?;
        self.busy = true;
        Some(CreateApiToken { label, scopes: self.scopes.clone(), days: self.days.parse().ok(), password })
    }

    /// What became of it.
    fn created(&mut self, answer: Result<NewApiToken, Failure>) {
        self.busy = false;
        match answer {
            Ok(new) => {
                self.load.data.get_or_insert_default().insert(0, new.token.clone());
                self.label.clear();
                self.password.clear();
                self.asks = false;
                self.made = Some(new);
            }
            Err(failure) if failure.field() == Some("label") => self.wrong.0 = Some(failure.refusal()),
            Err(failure) if failure.field() == Some("password") => {
                self.asks = true;
                self.wrong_password = Some(failure.refusal());
            }
            Err(failure) => self.wrong.1 = Some(failure.refusal()),
        }
    }
}
