//! Asking before something is done that takes something away or gives somebody power.

use super::{
    Dialog,
    button::{Button, Kind},
    element::{alert, words},
    use_toast,
};
use yew::prelude::*;

/// Told how it went: nothing once it is done, or what is wrong.
pub type Told = Callback<Option<String>>;

/// Something that is asked before it is done.
#[derive(Clone, PartialEq)]
pub struct Question {
    /// What, with to whom, as a question.
    pub title: String,
    /// What it means, and whether it can be undone.
    pub text: &'static str,
    /// The way back.
    pub keep: &'static str,
    /// The way on, by what it does.
    pub label: &'static str,
    /// Whether it takes something away.
    pub kind: Kind,
    /// Does it, and tells how it went.
    pub act: Callback<Told>,
}

#[derive(Default)]
struct State {
    asked: Option<Question>,
    /// Which question it is: what comes of an earlier one is not said in a later one.
    round: u32,
    is_busy: bool,
    wrong: Option<String>,
}

/// A way to ask, and the dialog to show. It stays until what was asked for is done, and says what is wrong if it isn't.
#[hook]
pub fn use_question() -> (Callback<Question>, Html) {
    let state = use_mut_ref(State::default);
    let update = use_force_update();
    let toast = use_toast();
    let set = {
        let (state, update) = (state.clone(), update.clone());
        move |asked: Option<Question>| {
            let mut now = state.borrow_mut();
            *now = State { asked, round: now.round + 1, ..State::default() };
            drop(now);
            update.force_update();
        }
    };
    let ask = {
        let set = set.clone();
        Callback::from(move |question: Question| set(Some(question)))
    };
    let now = state.borrow();
    let Some(question) = now.asked.clone() else { return (ask, Html::default()) };
    let close = Callback::from(move |()| set(None));
    let Question { title, text, keep, label, kind, act } = question;
    let sure = {
        let (state, round) = (state.clone(), now.round);
        Callback::from(move |()| {
            let mut now = state.borrow_mut();
            if std::mem::replace(&mut now.is_busy, true) {
                return;
            }
            now.wrong = None;
            drop(now);
            update.force_update();
            let (state, update, toast) = (state.clone(), update.clone(), toast.clone());
            act.emit(Callback::from(move |wrong: Option<String>| {
                let mut now = state.borrow_mut();
                match wrong {
                    None if now.round == round => *now = State { round: round + 1, ..State::default() },
                    Some(words) if now.round == round => (now.is_busy, now.wrong) = (false, Some(words)),
                    // Whoever asked has closed the dialog.
                    Some(words) => toast.emit(words),
                    None => {}
                }
                drop(now);
                update.force_update();
            }));
        })
    };
    let dialog = html! {
        <Dialog title={title} on_close={close.clone()}>
            { words("p", "", text) }
            { alert(now.wrong.clone()) }
            <div class="dialog-actions">
                <Button label={keep} on={close} testid="keep" autofocus=true />
                <Button label={label} kind={kind} busy={now.is_busy} on={sure} testid="sure" />
            </div>
        </Dialog>
    };
    (ask, dialog)
}
