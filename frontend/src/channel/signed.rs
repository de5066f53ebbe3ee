//! Signed embeds: what lets others watch a private channel on pages of the owner's choice.

use crate::{
    api::rest,
    browser,
    ui::{Button, Choice, CopyField, Kind, Question, Select, Told, el_with, use_question},
};
use shared::id::ChannelName;
use std::{cell::RefCell, rc::Rc};
use yew::prelude::*;

/// How long one can be good for, in seconds.
const TIMES: [(&str, &str); 4] =
    [("3600", "1 hour"), ("86400", "1 day"), ("604800", "1 week"), ("2592000", "30 days")];

/// Properties of [`SignedEmbeds`].
#[derive(Properties, PartialEq)]
pub struct SignedEmbedsProps {
    /// Whose.
    pub channel: ChannelName,
}

#[derive(Default)]
struct State {
    seconds: Option<String>,
    /// The iframe that was made last.
    made: Option<String>,
    busy: bool,
    /// What was done, and what wasn't.
    said: &'static str,
    wrong: Option<String>,
}

/// Makes a signed embed, and revokes all of them.
#[component]
pub fn SignedEmbeds(props: &SignedEmbedsProps) -> Html {
    let state: Rc<RefCell<State>> = use_mut_ref(State::default);
    let update = use_force_update();
    let set = |change: fn(&mut State, String)| {
        let (state, update) = (state.clone(), update.clone());
        Callback::from(move |text: String| {
            change(&mut state.borrow_mut(), text);
            update.force_update();
        })
    };
    let (ask, question) = use_question();
    // Makes one; or revokes all, and tells the question behind which it stands.
    let act = {
        let (state, update, channel) = (state.clone(), update.clone(), props.channel.clone());
        Callback::from(move |told: Option<Told>| {
            let (state, update, channel) = (state.clone(), update.clone(), channel.clone());
            let seconds = {
                let mut now = state.borrow_mut();
                *now = State { seconds: now.seconds.take(), busy: true, ..State::default() };
                now.seconds.clone()
            };
            update.force_update();
            browser::spawn(async move {
                let answer = if told.is_some() {
                    rest::revoke_embed_links(&channel).await.map(|()| None)
                } else {
                    rest::embed_link(&channel, seconds.as_deref().unwrap_or(TIMES[0].0)).await.map(Some)
                };
                let mut wrong = None;
                let mut now = state.borrow_mut();
                now.busy = false;
                match answer {
                    Ok(made) => {
                        now.said = if made.is_some() {
                            "Made: copy it into your page."
                        } else {
                            "Revoked: none of them works any more."
                        };
                        now.made = made;
                    }
                    Err(failure) => wrong = Some(failure.refusal()),
                }
                if told.is_none() {
                    now.wrong = wrong.take();
                }
                drop(now);
                update.force_update();
                if let Some(told) = told {
                    told.emit(wrong);
                }
            });
        })
    };
    let on_time = set(|state, seconds| state.seconds = Some(seconds));
    let make = act.reform(|()| None);
    let revoke = Callback::from(move |()| {
        ask.emit(Question {
            title: "Revoke all signed embeds?".to_owned(),
            text: "Whoever watches by one is cut off, on every page that has one. This can't be undone, but you can make new ones.",
            keep: "Keep them",
            label: "Revoke all",
            kind: Kind::Danger,
            act: act.reform(Some),
        })
    });
    let now = state.borrow();
    let id = |field: &str| format!("{}-{field}", props.channel);
    html! {
        <div class="form" data-testid="signed-embeds">
            <Select id={id("embed-time")} label="Signed embed, good for" value={now.seconds.clone().unwrap_or_else(|| TIMES[0].0.to_owned())}
                on={on_time} testid="embed-time" choices={TIMES.map(|(seconds, label)| Choice::new(seconds, label)).to_vec()}
                hint="For a page of your choice: people watch there even while the channel is private. Whoever has it can begin to watch until its time is over." />
            <div class="actions">
                <Button label="Make a signed embed" busy={now.busy} on={make} testid="make-embed" />
                <Button label="Revoke all signed embeds" kind={Kind::Danger} disabled={now.busy} on={revoke} testid="revoke-embeds" />
            </div>
            if let Some(html) = &now.made {
                <CopyField id={id("embed-html")} label="Player in an iframe" value={html.clone()} rows=4 testid="embed-html" />
            }
            if let Some(wrong) = &now.wrong {
                { el_with("p", "field-note field-error", &[("role", "alert")], vec![wrong.clone().into()]) }
            }
            { el_with("p", "field-note form-state", &[("role", "status")], vec![now.said.into()]) }
            { question }
        </div>
    }
}
