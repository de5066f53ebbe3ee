//! The page where moderators work: what waits, the chat itself, who did what, and the rules.

use super::{
    appeals::Appeals,
    badge,
    desk::{Deed, Desk, use_desk},
    panel::{ChatPanel, Place},
    row::pieces,
    rules::rules_form,
};
use crate::{
    api::{Failure, use_site},
    browser::{page, scroll, time},
    route::{Link, Route},
    ui::{
        Button, Choice, Kind, Notice, Question, Select, Shape, Skeleton, Tags, Toggle, Told, Trouble, icon,
        use_question,
    },
};
use shared::{
    id::{ChannelName, PersonId},
    moderation::{ActionKind, ChatAction, Filters, HeldMessage, HoldReason, LinkRule, PersonCard},
    text::DisplayName,
};
use std::rc::Rc;
use yew::prelude::*;

const QUEUE: &str = "queue";
/// The title of the card of the person who is looked at.
const PERSON: &str = "person";

/// Properties of [`Moderation`].
#[derive(Properties, PartialEq)]
pub struct ModerationProps {
    /// Whose chat.
    pub channel: ChannelName,
    /// What happened on the channel, given how somebody's card is shown.
    pub activity: Callback<Callback<PersonId>, Html>,
}

/// The page.
#[component]
pub fn Moderation(props: &ModerationProps) -> Html {
    let site = use_site();
    let (desk, act) = use_desk(&props.channel, &site);
    let list = use_node_ref();
    use_effect_with((props.channel.clone(), site.name()), |(channel, name)| {
        page::set_title(&format!("Moderation of {channel} · {name}"));
    });
    {
        // Another page leads here with somebody to look at.
        let act = act.clone();
        use_effect_with(props.channel.clone(), move |_| {
            if let Some(Ok(person)) = page::query("person").map(|text| text.parse::<PersonId>()) {
                act.emit(Deed::Look(Some(person)));
            }
        });
    }
    let (ask, question) = use_question();
    use_effect_with(desk.card.as_ref().map(|card| card.person.clone()), |person| {
        let focused = person.as_ref().map(|_| {
            let focused = scroll::focused();
            page::focus_id(PERSON);
            focused
        });
        move || {
            // The card is gone with what had the focus there: that goes back, unless it went elsewhere.
            if focused.is_some_and(|focused| scroll::has_focus("body") && !focused.give_back()) {
                page::focus_id(QUEUE);
            }
        }
    });
    let trouble = |failure: &Failure| {
        html! {
            <Trouble what="what there is to moderate" why={failure.sentence()} stale={desk.is_loaded} busy={desk.is_retrying}
                again={act.reform(|()| Deed::Again)} />
        }
    };
    let inside = match &desk.failure {
        Some(failure) if matches!(failure.status(), Some(403 | 404)) => html! {
            <div class="page-state">
                <Notice icon={Shape::Shield} title="This is for moderators." text={failure.sentence()} />
            </div>
        },
        Some(failure) if !desk.is_loaded => trouble(failure),
        _ if !desk.is_loaded => html! { <Skeleton class="skeleton-hero" /> },
        failure => html! {
            <>
                { failure.as_ref().map_or_else(Html::default, trouble) }
                <div class="moderation-grid">
                    <div class="moderation-side">
                        { queue(&desk, &list, &act) }
                        <Appeals id="desk-appeals" appeals={desk.appeals.clone()} decide={act.reform(Deed::Appeal)}
                            look={act.reform(|person| Deed::Look(Some(person)))} />
                    </div>
                    <div class="moderation-chat"><ChatPanel channel={props.channel.clone()} place={Place::Beside} /></div>
                    <div class="moderation-side">
                        if let Some(card) = &desk.card { { person(card, &act, &ask) } }
                        { record("What was done", &desk.actions, Some(&act)) }
                        { props.activity.emit(act.reform(|person| Deed::Look(Some(person)))) }
                        { people(&desk, &act) }
                        <details class="card" data-testid="desk-rules">
                            <summary>{ "Rules" }</summary>
                            { rules_form("desk", &desk.rules, &act.reform(Deed::Rules)) }
                        </details>
                        { filters(&desk.filters, &act) }
                    </div>
                </div>
            </>
        },
    };
    html! {
        <article class="moderation" data-testid="moderation">
            <header class="moderation-head">
                <h1>{ "Moderation" }</h1>
                <Link to={Route::Channel { channel: props.channel.to_string() }} classes="button button-bare">
                    <span>{ props.channel.as_str() }</span>
                </Link>
            </header>
            { inside }
            { question }
        </article>
    }
}

fn why(reason: &HoldReason) -> &'static str {
    match reason {
        HoldReason::Word => "A word of your list",
        HoldReason::Link => "A link",
        HoldReason::Repeats => "The same over and over",
        HoldReason::Capitals => "Capitals",
        HoldReason::LookAlikes => "Look-alike letters",
    }
}

/// What waits. Keys work on the line that has the focus.
fn queue(desk: &Desk, list: &NodeRef, act: &Callback<Deed>) -> Html {
    let go = {
        let (list, act, held) = (list.clone(), act.clone(), desk.held.clone());
        Callback::from(move |(what, id): (String, String)| {
            let Some(at) = held.iter().position(|one| one.id.as_str() == id) else { return };
            let HeldMessage { id, author, .. } = &held[at];
            let person = author.id.clone();
            let deed = match what.as_str() {
                "approve" => Deed::Decide(id.clone(), true),
                "refuse" => Deed::Decide(id.clone(), false),
                "silence" => Deed::TimeOut(person, 600),
                "look" => Deed::Look(Some(person)),
                _ => return,
            };
            if what != "look" {
                // The line goes: the focus goes on to the next one, or to the one before the last.
                let by = if at + 1 < held.len() { 1 } else { -1 };
                if held.len() == 1 || !scroll::walk(&list, "li[tabindex]", by) {
                    page::focus_id(QUEUE);
                }
            }
            act.emit(deed);
        })
    };
    let onclick =
        go.reform(|event: MouseEvent| scroll::pressed(&event, "data-act", "data-id").unwrap_or_default());
    let onkeydown = {
        let (list, go) = (list.clone(), go.clone());
        move |event: KeyboardEvent| {
            if event.ctrl_key() || event.alt_key() || event.meta_key() {
                return;
            }
            let key = event.key();
            let by = match key.as_str() {
                "ArrowDown" | "j" | "J" => 1,
                "ArrowUp" | "k" | "K" => -1,
                _ => 0,
            };
            if by != 0 {
                scroll::walk(&list, "li[tabindex]", by);
                return event.prevent_default();
            }
            let what = match key.as_str() {
                "a" | "A" => "approve",
                "r" | "R" => "refuse",
                "t" | "T" => "silence",
                "h" | "H" => "look",
                _ => return,
            };
            if let Some((_, id)) = scroll::pressed(&event, "data-id", "data-id") {
                event.prevent_default();
                go.emit((what.to_owned(), id));
            }
        }
    };
    let button = |what: &'static str, key: &'static str, label: &'static str, kind: Kind| {
        html! {
            <button type="button" class={kind.class()} data-act={what} title={format!("{label} ({key})")} aria-keyshortcuts={key}
                data-testid={format!("queue-{what}")}><span>{ label }</span></button>
        }
    };
    let one = |held: &HeldMessage| {
        let reasons: Vec<&str> = held.reasons.iter().map(why).collect();
        html! {
            <li key={held.id.to_string()} class="queue-line" tabindex="0" data-id={held.id.to_string()} data-testid="queue-line">
                <p class="queue-why">
                    <span class="queue-reasons">{ icon(Shape::Alert) }{ reasons.join(" · ") }</span>
                    <time class="quiet">{ time::of_day(held.at.as_millis()) }</time>
                </p>
                <p class="queue-text">
                    <b><bdi>{ held.author.name.as_str() }</bdi></b>{ if held.action { " " } else { ": " } }
                    <span dir="auto">{ pieces(&held.fragments, None) }</span>
                </p>
                <p class="queue-acts">
                    { button("approve", "A", "Let it through", Kind::Primary) }
                    { button("refuse", "R", "Refuse", Kind::Plain) }
                    { button("silence", "T", "Time out 10 min", Kind::Danger) }
                    { button("look", "H", "History", Kind::Plain) }
                </p>
            </li>
        }
    };
    let count = desk.held.len();
    html! {
        <section class="card moderation-queue" aria-labelledby={QUEUE}>
            <h2 id={QUEUE} tabindex="-1">{ format!("Waiting: {count}") }</h2>
            if count == 0 {
                <p class="quiet" role="status" data-testid="queue-empty">{ "Nothing waits. What your filters hold shows up here." }</p>
            } else {
                <p class="quiet queue-keys">{ "Keys on a message: arrows move, A lets through, R refuses, T times out, H shows the history." }</p>
            }
            <ul ref={list.clone()} class="plain-list" onclick={onclick} onkeydown={onkeydown} data-testid="queue">
                { for desk.held.iter().map(one) }
            </ul>
        </section>
    }
}

/// What was done, in words.
fn told(action: &ChatAction) -> String {
    match action.kind {
        ActionKind::Delete => format!("deleted “{}” of", action.detail),
        ActionKind::TimeOut => "timed out".to_owned(),
        ActionKind::LiftTimeOut => "lifted the time-out of".to_owned(),
        ActionKind::Ban => "banned".to_owned(),
        ActionKind::Unban => "lifted the ban of".to_owned(),
        ActionKind::AcceptAppeal => "accepted the appeal of".to_owned(),
        ActionKind::DeclineAppeal => "declined the appeal of".to_owned(),
        ActionKind::Clear => "cleared the chat".to_owned(),
        ActionKind::Rules => "changed the rules".to_owned(),
        ActionKind::AddModerator => "made a moderator of".to_owned(),
        ActionKind::RemoveModerator => "took the moderator's role from".to_owned(),
        ActionKind::AddVip => "made a VIP of".to_owned(),
        ActionKind::RemoveVip => "took the VIP's role from".to_owned(),
        ActionKind::Pin => "pinned a message of".to_owned(),
        ActionKind::Unpin => "took the pinned message down".to_owned(),
        ActionKind::Filters => "changed what is held".to_owned(),
        ActionKind::Approve => "let a message through of".to_owned(),
        ActionKind::Refuse => "refused a message of".to_owned(),
        ActionKind::StartPoll => format!("began the poll “{}”", action.detail),
        ActionKind::EndPoll => format!("ended the poll “{}”", action.detail),
        ActionKind::Raid => format!("sent everybody to {}", action.detail),
        ActionKind::SetEmote => format!("set the emote {}", action.detail),
        ActionKind::RemoveEmote => format!("took the emote {} away", action.detail),
        ActionKind::TierEmote => format!("said who may type the emote {}", action.detail),
        ActionKind::SetBadge => format!("set the badge of {}", action.detail),
        ActionKind::RemoveBadge => format!("took the picture of the badge of {} away", action.detail),
        ActionKind::EndRaid => "called the raid off".to_owned(),
    }
}

fn record(title: &'static str, actions: &[ChatAction], act: Option<&Callback<Deed>>) -> Html {
    let one = |action: &ChatAction| {
        let more = matches!(
            action.kind,
            ActionKind::TimeOut | ActionKind::Ban | ActionKind::AcceptAppeal | ActionKind::DeclineAppeal
        )
        .then(|| action.detail.clone());
        let whom = action.person.clone().zip(action.person_name.clone()).map(|(person, name)| match act {
            Some(act) => name_button(&person, &name, act),
            None => html! { <bdi>{ name.as_str() }</bdi> },
        });
        html! {
            <li key={action.id.to_string()}>
                <time class="quiet">{ time::of_day(action.at.as_millis()) }</time>{ " " }
                <bdi>{ action.by_name.as_str() }</bdi>{ format!(" {} ", told(action)) }{ whom }
                if let Some(more) = more.filter(|more| !more.is_empty()) { <span class="quiet">{ format!(": {more}") }</span> }
            </li>
        }
    };
    html! {
        <section class="card">
            <h2>{ title }</h2>
            if actions.is_empty() { <p class="quiet">{ "Nothing yet." }</p> }
            <ul class="plain-list desk-list" data-testid="record">{ for actions.iter().map(one) }</ul>
        </section>
    }
}

fn name_button(person: &PersonId, name: &DisplayName, act: &Callback<Deed>) -> Html {
    let (act, person) = (act.clone(), person.clone());
    let onclick = move |_: MouseEvent| act.emit(Deed::Look(Some(person.clone())));
    html! { <button type="button" class="link" onclick={onclick} data-testid="look"><bdi>{ name.as_str() }</bdi></button> }
}

/// Somebody's card: what they wrote, what was done about them, and what can be.
fn person(card: &PersonCard, act: &Callback<Deed>, ask: &Callback<Question>) -> Html {
    let press = |label: &'static str, kind: Kind, testid: &'static str, on: Callback<()>| {
        // What is pressed goes as soon as it is done.
        let on = on.reform(|()| page::focus_id(PERSON));
        html! { <Button label={label} kind={kind} on={on} testid={testid} /> }
    };
    let button = |label: &'static str, kind: Kind, testid: &'static str, deed: Deed| {
        press(label, kind, testid, act.reform(move |()| deed.clone()))
    };
    let ban = {
        let (who, act) = (card.person.clone(), act.clone());
        let question = Question {
            title: format!("Ban “{}”?", card.name),
            text: "They can't write in this chat until you lift the ban, and what they wrote in the last hour is deleted. They \
                   can go on watching.",
            keep: "Don't ban",
            label: "Ban",
            kind: Kind::Danger,
            act: act.reform(move |told: Told| Deed::Ban(who.clone(), told)),
        };
        ask.reform(move |()| question.clone())
    };
    let who = || card.person.clone();
    let account = card.account.as_ref().map_or("No account".to_owned(), |account| format!("@{account}"));
    let wrote = match card.messages {
        1 => "1 message".to_owned(),
        count => format!("{count} messages"),
    };
    let state = match (card.banned, card.silenced_until) {
        (true, _) => Some("Banned.".to_owned()),
        (false, Some(until)) => Some(format!("Timed out until {}.", time::of_day(until.as_millis()))),
        (false, None) => None,
    };
    html! {
        <section class="card" aria-labelledby={PERSON} data-testid="person-card">
            <h2 id={PERSON} tabindex="-1"><bdi>{ card.name.as_str() }</bdi></h2>
            <p class="quiet"><b style={badge::colour(card.colour, &card.person)}>{ account }</b>{ format!(" · {wrote}") }</p>
            { badge::said(&card.badges, &[]) }
            if let Some(state) = state { <p class="desk-state" role="status">{ state }</p> }
            <p class="queue-acts">
                if card.banned {
                    { button("Lift the ban", Kind::Plain, "card-unban", Deed::Unban(who())) }
                } else {
                    if card.silenced_until.is_some() {
                        { button("Let write again", Kind::Plain, "card-lift", Deed::Lift(who())) }
                    } else {
                        { button("Time out 10 min", Kind::Danger, "card-silence", Deed::TimeOut(who(), 600)) }
                    }
                    { press("Ban", Kind::Danger, "card-ban", ban) }
                }
                { button("Close", Kind::Plain, "card-close", Deed::Look(None)) }
            </p>
            <h3>{ "Last messages" }</h3>
            if card.recent.is_empty() { <p class="quiet">{ "None." }</p> }
            <ul class="plain-list desk-list">
                { for card.recent.iter().map(|past| html! {
                    <li key={past.id.to_string()} class={past.deleted.then_some("desk-deleted")}>
                        <time class="quiet">{ time::of_day(past.at.as_millis()) }</time>{ " " }<bdi>{ &past.text }</bdi>
                        if past.deleted { <span class="quiet">{ " (deleted)" }</span> }
                    </li>
                }) }
            </ul>
            { record("What was done about them", &card.actions, None) }
        </section>
    }
}

fn people(desk: &Desk, act: &Callback<Deed>) -> Html {
    let entry = |person: &PersonId, name: &DisplayName, about: String| {
        html! { <li key={person.to_string()}>{ name_button(person, name, act) }<span class="quiet">{ about }</span></li> }
    };
    let list = |title: &'static str, entries: Vec<Html>| {
        if entries.is_empty() {
            return Html::default();
        }
        html! { <><h3>{ title }</h3><ul class="plain-list desk-list">{ for entries }</ul></> }
    };
    let until = |at: i64| format!(" until {}", time::of_day(at));
    let silences =
        desk.silences.iter().map(|one| entry(&one.person, &one.name, until(one.until.as_millis())));
    let because = |reason: &str| if reason.is_empty() { String::new() } else { format!(": {reason}") };
    let bans = desk.bans.iter().map(|one| entry(&one.person, &one.name, because(&one.reason)));
    let account = |account: &str| format!(" @{account}");
    let moderators =
        desk.moderators.iter().map(|one| entry(&one.id, &one.name, account(one.account.as_str())));
    html! {
        <section class="card" data-testid="desk-people">
            <h2>{ "People" }</h2>
            { list("Timed out", silences.collect()) }
            { list("Banned", bans.collect()) }
            { list("Moderators", moderators.collect()) }
            if desk.silences.is_empty() && desk.bans.is_empty() && desk.moderators.is_empty() {
                <p class="quiet">{ "Nobody is timed out or banned." }</p>
            }
        </section>
    }
}

/// What is held, to be changed.
fn filters(filters: &Filters, act: &Callback<Deed>) -> Html {
    let on = |change: fn(&mut Filters, bool)| {
        act.reform(move |is: bool| Deed::Filters(Rc::new(move |all: &mut Filters| change(all, is))))
    };
    let list = |put: fn(&mut Filters, Vec<String>)| {
        let act = act.clone();
        Callback::from(move |words: Vec<String>| -> Option<String> {
            act.emit(Deed::Filters(Rc::new(move |all: &mut Filters| put(all, words.clone()))));
            None
        })
    };
    let on_links = act.reform(|value: String| {
        let links = match value.as_str() {
            "hold" => LinkRule::Hold,
            "refuse" => LinkRule::Refuse,
            _ => LinkRule::Allow,
        };
        Deed::Filters(Rc::new(move |all: &mut Filters| all.links = links))
    });
    let links = match filters.links {
        LinkRule::Allow => "allow",
        LinkRule::Hold => "hold",
        LinkRule::Refuse => "refuse",
    };
    let choices = [("allow", "Let them through"), ("hold", "Hold them"), ("refuse", "Refuse them")];
    let choices: Vec<Choice> = choices.iter().map(|(value, label)| Choice::new(*value, *label)).collect();
    html! {
        <details class="card" data-testid="desk-filters">
            <summary>{ "What is held" }</summary>
            <Tags id="desk-words" label="Words" tags={filters.words.clone()} most={200} on={list(|all, words| all.words = words)}
                hint="Case, accents and look-alike letters make no difference. A * at an end stands for any letters." />
            <Select id="desk-links" label="Links" value={links} choices={choices} on={on_links} />
            <Tags id="desk-hosts" label="Links may lead to" tags={filters.hosts.clone()} most={100}
                on={list(|all, hosts| all.hosts = hosts)} />
            <Toggle label="Hold what is said over and over" on={filters.repeats} change={on(|all, is| all.repeats = is)} />
            <Toggle label="Hold shouting in capitals" on={filters.capitals} change={on(|all, is| all.capitals = is)} />
            <Toggle label="Hold words of look-alike letters" on={filters.look_alikes} change={on(|all, is| all.look_alikes = is)} />
        </details>
    }
}
