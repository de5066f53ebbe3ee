//! A room's settings: for everybody what is read out, for moderators the rules and who may not write, for the owner who
//! moderates.

use super::{
    appeals::{Appeals, Decision},
    engine::Engine,
    rules::rules_form,
    sheet::Sheet,
    snapshot::Snapshot,
    text_state,
};
use crate::{
    api::{Failure, chat as rest},
    browser::{self, page},
    ui::{Button, CopyField, TextField, Toggle, format_state, use_toast},
};
use shared::{
    appeal::DecideAppeal,
    chat::EditChat,
    id::{ChannelName, PersonId},
    moderation::{Ban, Moderator, Silence},
    text::AccountName,
};
use std::rc::Rc;
use yew::prelude::*;

/// Properties of [`Settings`].
#[derive(Properties, PartialEq)]
pub struct SettingsProps {
    /// Whose room.
    pub channel: ChannelName,
    /// What there is.
    pub snapshot: Rc<Snapshot>,
    /// The room.
    pub engine: Engine,
    /// Nothing is read out.
    pub silent: bool,
    /// To have nothing read out.
    pub on_silent: Callback<bool>,
    /// When it is closed.
    pub on_close: Callback<()>,
}

/// What can be asked of the server here.
#[derive(Clone)]
enum Ask {
    /// Who is trusted and who is timed out.
    Lists,
    Rules(EditChat),
    Moderator(AccountName, bool),
    Lift(PersonId),
    Unban(PersonId),
    Appeal(Decision),
}

/// Who is trusted and who is timed out.
#[derive(Clone, Default, PartialEq)]
struct Lists {
    moderators: Vec<Moderator>,
    silences: Vec<Silence>,
    bans: Vec<Ban>,
    appeals: rest::WaitingAppeals,
}

async fn lists(channel: &ChannelName, is_owner: bool) -> Result<Lists, Failure> {
    let moderators = if is_owner { rest::moderators(channel).await? } else { Vec::new() };
    Ok(Lists {
        moderators,
        silences: rest::silences(channel).await?,
        bans: rest::bans(channel).await?,
        appeals: rest::appeals(channel).await?,
    })
}

/// The settings.
#[component]
pub fn Settings(props: &SettingsProps) -> Html {
    let toast = use_toast();
    let found = use_state(Lists::default);
    let (name, error) = (use_state(String::new), use_state(|| None::<String>));
    // Once there, it stays: the focus is in it when the last one is decided.
    let had_appeals = use_mut_ref(|| false);
    *had_appeals.borrow_mut() |= !found.appeals.appeals.is_empty();
    let snapshot = &props.snapshot;
    let (is_owner, can_moderate) = (snapshot.is_owner(), snapshot.can_moderate());
    let ask = {
        let (found, name, error, channel) =
            (found.setter(), name.setter(), error.setter(), props.channel.clone());
        Callback::from(move |what: Ask| {
            let (found, name, error, channel, toast) =
                (found.clone(), name.clone(), error.clone(), channel.clone(), toast.clone());
            browser::spawn(async move {
                let done = match &what {
                    Ask::Lists => Ok(()),
                    Ask::Rules(rules) => rest::set_rules(&channel, rules).await,
                    Ask::Moderator(account, is) => rest::set_moderator(&channel, account, *is).await,
                    Ask::Lift(person) => rest::lift(&channel, person).await,
                    Ask::Unban(person) => rest::unban(&channel, person).await,
                    Ask::Appeal(Decision { appeal, accept, answer, .. }) => {
                        let decide = DecideAppeal { accept: *accept, answer: answer.clone() };
                        rest::decide_appeal(&channel, appeal, &decide).await
                    }
                };
                match (done, what) {
                    (Ok(()), Ask::Rules(_)) => return,
                    (Ok(()), Ask::Moderator(..)) => name.set(String::new()),
                    (Err(failure), Ask::Moderator(..)) => return error.set(Some(failure.refusal())),
                    // Another moderator was first: what is shown is old.
                    (Err(failure), Ask::Appeal(decision)) => {
                        decision.told.emit(Some(failure.refusal()));
                        toast.emit(failure.refusal());
                    }
                    (Err(failure), _) => return toast.emit(failure.refusal()),
                    _ => {}
                }
                match lists(&channel, is_owner).await {
                    Ok(next) => found.set(next),
                    Err(failure) => toast.emit(failure.sentence()),
                }
            });
        })
    };
    {
        let ask = ask.clone();
        use_effect_with((), move |()| {
            if can_moderate {
                ask.emit(Ask::Lists);
            }
        });
    }
    let room = snapshot.room.as_ref();
    let rules = room.map(|room| room.settings).unwrap_or_default();
    let guest = room.and_then(|room| room.you.as_ref()).filter(|you| you.account.is_none());
    let forget = {
        let (engine, close) = (props.engine.clone(), props.on_close.clone());
        Callback::from(move |()| {
            engine.forget_guest();
            close.emit(());
        })
    };
    let entry = |name: &str, about: String, label: &'static str, on: Callback<()>| {
        html! {
            <li class="chat-set">
                <span><bdi>{ name }</bdi>{ " " }<span class="quiet">{ about }</span></span>
                <Button label={label} name={format!("{label}: {name}")} on={on} />
            </li>
        }
    };
    let moderator = |one: &Moderator| {
        let account = one.account.clone();
        let remove = ask.reform(move |()| Ask::Moderator(account.clone(), false));
        entry(one.name.as_str(), format!("@{}", one.account), "Remove", remove)
    };
    let now = props.engine.server_time();
    let silence = |one: &Silence| {
        let person = one.person.clone();
        let left = (one.until.since(now).as_millis() as u64).div_ceil(1000);
        let lift = ask.reform(move |()| Ask::Lift(person.clone()));
        entry(one.name.as_str(), text_state::countdown(left), "Let write again", lift)
    };
    let ban = |one: &Ban| {
        let person = one.person.clone();
        let lift = ask.reform(move |()| Ask::Unban(person.clone()));
        entry(one.name.as_str(), one.reason.clone(), "Lift the ban", lift)
    };
    let onsubmit = {
        let (name, error, ask) = (name.clone(), error.setter(), ask.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            match name.trim().trim_start_matches('@').parse::<AccountName>() {
                Ok(account) => ask.emit(Ask::Moderator(account, true)),
                Err(wrong) => error.set(Some(format_state::sentence(&wrong.to_string()))),
            }
        }
    };
    let typed = {
        let (name, error) = (name.setter(), error.setter());
        Callback::from(move |text: String| {
            name.set(text);
            error.set(None);
        })
    };
    let overlay = format!("{}/embed/{}/chat?overlay", page::origin(), props.channel);
    html! {
        <Sheet title="Chat settings" on_close={props.on_close.clone()}>
            <Toggle label="Screen readers read new messages out" on={!props.silent} change={props.on_silent.reform(|on: bool| !on)} />
            if let Some(guest) = guest {
                <div class="chat-set">
                    <span>{ "You write as " }<b><bdi>{ guest.name.as_str() }</bdi></b></span>
                    <Button label="Change" on={forget} testid="change-name" />
                </div>
            }
            if can_moderate {
                { rules_form("chat", &rules, &ask.reform(Ask::Rules)) }
            }
            if is_owner {
                <form class="chat-people" onsubmit={onsubmit} novalidate=true>
                    <h4>{ "Moderators" }</h4>
                    <p class="quiet">{ "They can delete messages and time people out." }</p>
                    <ul class="plain-list" data-testid="moderators">{ for found.moderators.iter().map(moderator) }</ul>
                    <TextField id="chat-moderator" label="Account name" value={(*name).clone()} on={typed}
                        testid="moderator-name" error={(*error).clone().map(AttrValue::from)} />
                    <Button label="Add moderator" testid="moderator-add" />
                </form>
            }
            if *had_appeals.borrow() {
                <Appeals id="chat-appeals" appeals={found.appeals.clone()} decide={ask.reform(Ask::Appeal)} />
            }
            if !found.silences.is_empty() {
                <div class="chat-people">
                    <h4>{ "Timed out" }</h4>
                    <ul class="plain-list" data-testid="silences">{ for found.silences.iter().map(silence) }</ul>
                </div>
            }
            if !found.bans.is_empty() {
                <div class="chat-people">
                    <h4>{ "Banned" }</h4>
                    <ul class="plain-list" data-testid="bans">{ for found.bans.iter().map(ban) }</ul>
                </div>
            }
            if is_owner {
                <CopyField id="chat-overlay" label="Chat over your picture: a browser source in OBS with this address"
                    value={overlay} testid="overlay-address" />
            }
        </Sheet>
    }
}
