//! What happened on a channel, as it happens: who followed, subscribed and raided, and when it was live.

use super::activity_state::{Line, Someone, lines};
use crate::{
    api::{use_desk, use_events},
    browser::time,
    ui::{Button, Choice, Select, Shape, Skeleton, el, format_state::ago, icon, words},
};
use shared::{
    event::Topic,
    id::{ChannelName, PersonId},
};
use yew::prelude::*;

/// What is shown at first, and what more of it is.
const SHOWN: (u32, u32) = (20, 200);
const KINDS: [(&str, &str); 8] = [
    ("", "Everything"),
    ("follow", "Followers"),
    ("subscription", "Subscriptions"),
    ("milestone", "Milestones"),
    ("raidIn", "Raids that came"),
    ("raidOut", "Raids that left"),
    ("streamStarted", "Beginnings"),
    ("streamEnded", "Ends"),
];

/// Properties of [`Activity`].
#[derive(Properties, PartialEq)]
pub struct ActivityProps {
    /// Of which channel.
    pub channel: ChannelName,
    /// Shows somebody's card; without it, names lead to where it is shown.
    #[prop_or_default]
    pub look: Option<Callback<PersonId>>,
}

fn shape(kind: &str) -> Shape {
    match kind {
        "follow" => Shape::Heart,
        "subscription" => Shape::Star,
        "milestone" => Shape::Gem,
        "raidIn" | "raidOut" => Shape::People,
        _ => Shape::Live,
    }
}

/// The list, newest first.
#[component]
pub fn Activity(props: &ActivityProps) -> Html {
    let kind = use_state(String::new);
    let shown = use_state(|| SHOWN.0);
    let mut path = format!("channels/{}/activity?limit={}", props.channel, *shown);
    if !kind.is_empty() {
        path.push_str(&format!("&kind={}", *kind));
    }
    let desk = use_desk(path.clone());
    let (now, events) = (time::wall(), use_events());
    {
        let again = desk.again.clone();
        use_effect_with((props.channel.clone(), events, path), move |(channel, events, _)| {
            let followed = events.subscribe(Topic::Activity, Some(channel.clone()), move |_| again.emit(()));
            move || drop(followed)
        });
    }
    let name = |one: &Someone| {
        let inside = words("bdi", "", one.name.clone());
        match (&props.look, one.id.parse::<PersonId>()) {
            (Some(look), Ok(person)) => {
                let look = look.clone();
                let onclick = move |_: MouseEvent| look.emit(person.clone());
                html! { <button type="button" class="link" onclick={onclick} data-testid="look">{ inside }</button> }
            }
            _ => html! {
                <a class="link" href={format!("/moderation/{}?person={}", props.channel, one.id)}>{ inside }</a>
            },
        }
    };
    let entry = |line: &Line| {
        let when = words("time", "quiet", ago((now - line.at).max(0) as u64 / 1000));
        let told = match line.people.as_slice() {
            [] => words("span", "", line.words.clone()),
            [one] => el("span", "", vec![name(one), words("span", "", format!(" {}", line.words))]),
            crowd => html! {
                <details class="activity-crowd">
                    <summary>{ line.words.clone() }</summary>
                    <ul>{ for crowd.iter().map(|one| html! { <li key={one.id.clone()}>{ name(one) }</li> }) }</ul>
                </details>
            },
        };
        html! {
            <li key={line.id.clone()} class="activity-line" data-kind={line.kind.clone()}>
                { icon(shape(&line.kind)) }{ el("div", "grow", vec![told, when]) }
            </li>
        }
    };
    let pick = {
        let (kind, shown) = (kind.setter(), shown.setter());
        Callback::from(move |chosen: String| {
            shown.set(SHOWN.0);
            kind.set(chosen);
        })
    };
    let choices: Vec<Choice> = KINDS.iter().map(|(kind, label)| Choice::new(*kind, *label)).collect();
    let more = {
        let shown = shown.setter();
        Callback::from(move |()| shown.set(SHOWN.1))
    };
    let has_more = !desk.data["next"].is_null() && *shown < SHOWN.1;
    html! {
        <section class="card activity" aria-label="Activity" data-testid="activity">
            <h2>{ "Activity" }</h2>
            <Select id="activity-kind" label="Show" value={(*kind).clone()} choices={choices} on={pick} testid="activity-kind" />
            { desk.trouble("what happened here") }
            if desk.is_pending && desk.data.is_null() {
                <Skeleton class="skeleton-line" />
            } else if desk.items().is_empty() && desk.failure.is_none() {
                <p class="quiet">{ "Nothing yet. Who follows, subscribes and raids is listed here." }</p>
            } else {
                <ul class="plain-list desk-list" data-testid="activity-list">{ for lines(desk.items()).iter().map(entry) }</ul>
            }
            if has_more { <Button label="Show more" on={more} testid="activity-more" /> }
        </section>
    }
}
