//! Asking before something is done that can't be undone: whoever does it types what it is called.

use super::{
    Dialog,
    button::{Button, Kind},
    element::{alert, words},
    field::TextField,
};
use yew::prelude::*;

/// What goes with a channel, whoever deletes it.
pub const GONE_WITH_A_CHANNEL: &str = "Its broadcast ends and everybody who watches is let go. Its chat, emotes, pictures, roles, \
    subscriptions, webhooks, stream key and figures are deleted, for ever. Nobody else is given its address for 30 days.";

/// What was typed, and whom to tell how it went.
#[derive(Clone, PartialEq)]
pub struct Typed {
    /// What it is called, as it was typed.
    pub confirm: String,
    /// Their password, once it was asked for.
    pub password: Option<String>,
    /// Told how it went: nothing once it is done; or what is wrong, and whether it is the password that is wanted.
    pub told: Callback<Option<(bool, String)>>,
}

/// Something that can't be undone.
#[derive(Clone, PartialEq)]
pub struct Erasure {
    /// What, as a question.
    pub title: String,
    /// What goes with it.
    pub text: String,
    /// What is to be typed.
    pub word: String,
    /// What that is.
    pub what: &'static str,
    /// The way on, by what it does.
    pub label: &'static str,
    /// Does it.
    pub act: Callback<Typed>,
}

#[derive(Default)]
struct State {
    asked: Option<Erasure>,
    /// Which question it is: what comes of an earlier one is not said in a later one.
    round: u32,
    confirm: String,
    password: String,
    asks_password: bool,
    is_busy: bool,
    /// What is wrong with the password, and with the rest.
    wrong: (Option<String>, Option<String>),
}

/// A way to ask, and the dialog to show.
#[hook]
pub fn use_erasure() -> (Callback<Erasure>, Html) {
    let state = use_mut_ref(State::default);
    let update = use_force_update();
    let set = {
        let (state, update) = (state.clone(), update.clone());
        move |asked: Option<Erasure>| {
            let mut now = state.borrow_mut();
            *now = State { asked, round: now.round + 1, ..State::default() };
            drop(now);
            update.force_update();
        }
    };
    let ask = {
        let set = set.clone();
        Callback::from(move |erasure: Erasure| set(Some(erasure)))
    };
    let typed = |change: fn(&mut State, String)| {
        let (state, update) = (state.clone(), update.clone());
        Callback::from(move |text: String| {
            change(&mut state.borrow_mut(), text);
            update.force_update();
        })
    };
    let now = state.borrow();
    let Some(erasure) = now.asked.clone() else { return (ask, Html::default()) };
    let close = Callback::from(move |()| set(None));
    let is_meant = now.confirm.trim().eq_ignore_ascii_case(&erasure.word);
    let onsubmit = {
        let (state, update, round, act) = (state.clone(), update.clone(), now.round, erasure.act.clone());
        let missing = format!("Type “{}” first, so that nothing else is meant.", erasure.word);
        move |event: SubmitEvent| {
            event.prevent_default();
            let mut now = state.borrow_mut();
            now.wrong = (None, None);
            if !is_meant {
                now.wrong.1 = Some(missing.clone());
                drop(now);
                update.force_update();
                return;
            }
            if std::mem::replace(&mut now.is_busy, true) {
                return;
            }
            let (confirm, asks) = (now.confirm.clone(), now.asks_password);
            let password = Some(now.password.clone()).filter(|_| asks);
            drop(now);
            update.force_update();
            let (state, update) = (state.clone(), update.clone());
            let told = Callback::from(move |went: Option<(bool, String)>| {
                let mut now = state.borrow_mut();
                if now.round != round {
                    return;
                }
                match went {
                    None => *now = State { round: round + 1, ..State::default() },
                    Some((true, why)) => {
                        (now.is_busy, now.asks_password, now.wrong) = (false, true, (Some(why), None));
                    }
                    Some((false, why)) => (now.is_busy, now.wrong) = (false, (None, Some(why))),
                }
                drop(now);
                update.force_update();
            });
            act.emit(Typed { confirm, password, told });
        }
    };
    let Erasure { title, text, word, what, label, act: _ } = erasure;
    let dialog = html! {
        <Dialog title={title} on_close={close.clone()}>
            <form class="form" onsubmit={onsubmit} novalidate=true>
                { words("p", "", text) }
                <TextField id="erase-confirm" label={format!("Type {what}: {word}")} value={now.confirm.clone()}
                    on={typed(|state, text| state.confirm = text)} autocomplete="off" autofocus=true testid="erase-confirm" />
                if now.asks_password {
                    <TextField id="erase-password" label="Your password" kind="password" value={now.password.clone()}
                        on={typed(|state, text| state.password = text)} autocomplete="current-password"
                        testid="erase-password" error={now.wrong.0.clone().map(AttrValue::from)} />
                }
                { alert(now.wrong.1.clone()) }
                <div class="dialog-actions">
                    <Button label="Keep it" on={close} testid="keep" />
                    <Button label={label} kind={Kind::Danger} busy={now.is_busy} testid="erase" />
                </div>
            </form>
        </Dialog>
    };
    (ask, dialog)
}
