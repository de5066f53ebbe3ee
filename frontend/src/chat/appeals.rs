//! Appeals, as moderators see them: what people say against their bans and time-outs, to be decided.

use crate::{
    api::chat::WaitingAppeals,
    browser::{page, time},
    ui::{Button, Kind, Shape, TextField, Told, icon},
};
use shared::{
    appeal::{APPEAL_MOST, Against, Appeal},
    id::{AppealId, PersonId},
    unit::Timestamp,
};
use yew::prelude::*;

/// What a moderator decides: about which appeal, whether it is accepted, and what the person is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Which.
    pub appeal: AppealId,
    /// Whether.
    pub accept: bool,
    /// What they are told beside it.
    pub answer: String,
    /// Told how it went.
    pub told: Told,
}

/// Properties of [`Appeals`].
#[derive(Properties, PartialEq)]
pub struct AppealsProps {
    /// Unique on the page.
    pub id: &'static str,
    /// Those that wait.
    pub appeals: WaitingAppeals,
    /// When one is decided.
    pub decide: Callback<Decision>,
    /// To look at somebody, where their card can be shown.
    #[prop_or_default]
    pub look: Option<Callback<PersonId>>,
}

/// All of them.
#[component]
pub fn Appeals(props: &AppealsProps) -> Html {
    let WaitingAppeals { appeals, has_more } = &props.appeals;
    let count = appeals.len();
    let id = props.id;
    let decide = props.decide.reform(move |decision: Decision| {
        // What is pressed goes once it is done.
        page::focus_id(id);
        decision
    });
    html! {
        <section class="card moderation-appeals" aria-labelledby={id} data-testid={id}>
            <h2 id={id} tabindex="-1">{ format!("Appeals: {count}{}", if *has_more { "+" } else { "" }) }</h2>
            if count == 0 {
                <p class="quiet" role="status" data-testid="appeals-empty">{ "Nobody appeals against a ban or a time-out." }</p>
            }
            <ul class="plain-list">
                { for appeals.iter().map(|appeal| html! {
                    <Line key={appeal.id.to_string()} within={id} appeal={appeal.clone()} decide={decide.clone()} look={props.look.clone()} />
                }) }
            </ul>
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct LineProps {
    within: &'static str,
    appeal: Appeal,
    decide: Callback<Decision>,
    look: Option<Callback<PersonId>>,
}

/// What it is against, in words.
fn against(appeal: &Appeal) -> String {
    let said = |word: &str, at: Option<Timestamp>| {
        at.map(|at| format!(" {word} {}", time::of_day(at.as_millis()))).unwrap_or_default()
    };
    match appeal.against {
        Against::TimeOut => {
            format!("Timed out{}{}", said("from", appeal.since), said("until", appeal.until))
        }
        Against::Ban => format!("Banned{}", said("at", appeal.since)),
    }
}

/// One of them, with what is answered.
#[component]
fn Line(props: &LineProps) -> Html {
    // Being decided: the line goes only once that is done, so that what is typed is not lost if the server refuses.
    let (answer, is_busy) = (use_state(String::new), use_state(|| false));
    let Appeal { id, person, name, account, text, reason, by_name, .. } = &props.appeal;
    let is_long = answer.chars().count() > APPEAL_MOST;
    let button = |accept: bool, label: &'static str, kind: Kind| {
        let (decide, appeal, answer) = (props.decide.clone(), id.clone(), (*answer).clone());
        let (set_busy, is_busy) = (is_busy.setter(), *is_busy);
        let on = Callback::from(move |()| {
            set_busy.set(true);
            let set_busy = set_busy.clone();
            let told = Callback::from(move |wrong: Option<String>| set_busy.set(wrong.is_none()));
            decide.emit(Decision { appeal: appeal.clone(), accept, answer: answer.clone(), told });
        });
        let testid = if accept { "appeal-accept" } else { "appeal-decline" };
        html! { <Button label={label} name={format!("{label}: {name}")} kind={kind} on={on} disabled={is_long} busy={is_busy}
        testid={testid} /> }
    };
    let look = props.look.clone().map(|look| {
        let person = person.clone();
        let on = Callback::from(move |()| look.emit(person.clone()));
        html! { <Button label="History" name={format!("History: {name}")} on={on} testid="appeal-look" /> }
    });
    let on_answer = {
        let answer = answer.setter();
        Callback::from(move |text: String| answer.set(text))
    };
    let error = is_long.then_some("An answer has at most 500 characters.").map(AttrValue::from);
    html! {
        <li class="queue-line" data-testid="appeal-line">
            <p class="queue-why">
                <span class="queue-reasons">{ icon(Shape::Shield) }{ against(&props.appeal) }</span>
                <time class="quiet">{ time::of_day(props.appeal.at.as_millis()) }</time>
            </p>
            <p class="quiet">
                if let Some(by) = by_name { { "By " }<bdi>{ by.as_str() }</bdi> }
                if !reason.is_empty() { { ": " }<bdi>{ reason }</bdi> }
            </p>
            <p class="queue-text">
                <b><bdi>{ name.as_str() }</bdi></b><span class="quiet">{ format!(" @{account}") }</span>{ ": " }
                <span dir="auto">{ text }</span>
            </p>
            <TextField id={format!("{}-answer-{id}", props.within)} label="Your answer (optional)" value={(*answer).clone()} on={on_answer}
                error={error} hint="They read it, and not who wrote it." testid="appeal-answer" />
            <p class="queue-acts">
                { button(true, if props.appeal.against == Against::Ban { "Lift the ban" } else { "Let write again" }, Kind::Primary) }
                { button(false, "Decline", Kind::Plain) }
                { look.unwrap_or_default() }
            </p>
        </li>
    }
}
