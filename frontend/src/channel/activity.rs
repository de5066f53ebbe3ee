//! What happened on a channel, as it happens: who followed, subscribed and raided, and when it was live.

use super::activity_state::{Line, Someone, lines};
use crate::{
    api::{text, use_desk, use_events},
    browser::time,
    ui::{Button, Choice, Select, Shape, Skeleton, el, format_state::ago, icon, words},
};
use shared::{
    event::Topic,
    id::{ChannelName, PersonId},
};
use yew::prelude::*;

/// What is shown at first, and what more of it is, each time.
const SHOWN: (u32, u32) = (20, 100);
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
#[derive(Clone, Properties, PartialEq)]
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
    let pick = Callback::from({
        let kind = kind.setter();
        move |chosen: String| kind.set(chosen)
    });
    let choices: Vec<Choice> = KINDS.iter().map(|(kind, label)| Choice::new(*kind, *label)).collect();
    let ActivityProps { channel, look } = props.clone();
    let key = format!("{channel} {}", *kind);
    html! {
        <section class="card activity" aria-label="Activity" data-testid="activity">
            <h2>{ "Activity" }</h2>
            <Select id="activity-kind" label="Show" value={(*kind).clone()} choices={choices} on={pick} testid="activity-kind" />
            // Another kind is another list: nothing of the one before stands under its name.
            <Entries key={key} channel={channel} look={look} kind={(*kind).clone()} />
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct EntriesProps {
    channel: ChannelName,
    look: Option<Callback<PersonId>>,
    /// Of one kind alone, if it is named.
    kind: String,
    /// `next` of the page before; none for the first.
    #[prop_or_default]
    cursor: String,
    /// How far the server's clock is ahead of this machine's, as the first page knows it.
    #[prop_or_default]
    ahead: i64,
}

/// A page of it, and behind it the next ones, once somebody wants them.
#[component]
fn Entries(props: &EntriesProps) -> Html {
    let is_open = use_state(|| false);
    let heard = use_state(|| 0);
    let is_first = props.cursor.is_empty();
    let limit = if is_first { SHOWN.0 } else { SHOWN.1 };
    let mut path = format!("channels/{}/activity?limit={limit}", props.channel);
    for (name, value) in [("kind", &props.kind), ("cursor", &props.cursor)] {
        if !value.is_empty() {
            path.push_str(&format!("&{name}={value}"));
        }
    }
    let desk = use_desk(path.clone());
    let events = use_events();
    {
        let (again, heard) = (desk.again.clone(), heard.setter());
        use_effect_with((props.channel.clone(), events, path), move |(channel, events, path)| {
            // What is new comes on the first page, and the others go on from where that ends.
            let followed = (!path.contains("&cursor=")).then(|| {
                events.subscribe_dated(Topic::Activity, Some(channel.clone()), move |_, sent| {
                    heard.set(sent.as_millis() - time::wall());
                    again.emit(());
                })
            });
            move || drop(followed)
        });
    }
    let ahead = if is_first { *heard } else { props.ahead };
    let now = time::wall() + ahead;
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
    let open = {
        let is_open = is_open.setter();
        Callback::from(move |()| is_open.set(true))
    };
    let next = text(&desk.data, "next").to_owned();
    let testid = if is_first { "activity-list" } else { "activity-older" };
    html! {
        <>
            { desk.trouble("what happened here") }
            if desk.is_pending && desk.data.is_null() {
                <Skeleton class="skeleton-line" />
            } else if !desk.items().is_empty() {
                <ul class="plain-list desk-list" data-testid={testid}>{ for lines(desk.items()).iter().map(entry) }</ul>
            } else if is_first && desk.failure.is_none() {
                <p class="quiet">{ "Nothing yet. Who follows, subscribes and raids is listed here." }</p>
            }
            if !next.is_empty() && *is_open {
                <Entries channel={props.channel.clone()} look={props.look.clone()} kind={props.kind.clone()}
                    cursor={next} ahead={ahead} />
            } else if !next.is_empty() {
                <Button label="Show more" on={open} testid="activity-more" />
            }
        </>
    }
}
