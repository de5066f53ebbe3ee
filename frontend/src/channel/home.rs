//! The first page: what is live.

use super::{
    card::{Card, category, is_on, time, title},
    preview::Preview,
    recommended::Recommended,
};
use crate::{
    api::{use_directory, use_site},
    browser::{page, time as clock},
    route::{Link, Route},
    ui::{Notice, Shape, Skeleton, format_state, icon, monogram, named_icon, portrait, use_seconds},
};
use shared::{broadcast::BroadcastState, channel::ChannelCard, id::ChannelName};
use yew::prelude::*;

/// A card that is pointed at for so long plays, in milliseconds.
const LINGER: i32 = 400;

/// What is live, first.
#[component]
pub fn Home() -> Html {
    let site = use_site();
    let load = use_directory();
    let now = use_seconds(true);
    // One at a time.
    let playing = use_state(|| None::<ChannelName>);
    let timer = use_mut_ref(|| None::<clock::Timer>);
    let name = site.name();
    use_effect_with(name.clone(), |name| page::set_title(name));
    let offset = use_memo(load.data.clone(), |directory| {
        let card = directory.as_ref().and_then(|directory| directory.channels.first());
        card.map_or(0, |card| card.state.server_time.as_millis() - clock::wall())
    });
    if site.instance.data.as_ref().is_some_and(|instance| instance.needs_set_up) {
        return html! { <NotSetUp /> };
    }
    let Some(directory) = &load.data else {
        return match &load.error {
            Some(failure) => html! {
                <div class="page-state">
                    <Notice icon={Shape::Alert} title="The list of channels didn't come." text={failure.sentence()} />
                </div>
            },
            None => html! {
                <div class="home" aria-busy="true">
                    <Skeleton class="skeleton-hero" />
                    <div class="grid">
                        { for (0..4).map(|_| html! { <Skeleton class="skeleton-card" /> }) }
                    </div>
                </div>
            },
        };
    };
    let (on, off): (Vec<_>, Vec<_>) = directory.channels.iter().partition(|card| is_on(card));
    let card = |card: &&ChannelCard| {
        let name = &card.channel.name;
        let point = {
            let (playing, timer, name) = (playing.clone(), timer.clone(), name.clone());
            move |()| {
                let (playing, name) = (playing.clone(), name.clone());
                *timer.borrow_mut() = Some(clock::after(LINGER, move || playing.set(Some(name))));
            }
        };
        let leave = {
            let (playing, timer) = (playing.clone(), timer.clone());
            move |()| {
                timer.take();
                playing.set(None);
            }
        };
        let (point, leave) = (Callback::from(point), Callback::from(leave));
        html! {
            <li key={name.to_string()} onpointerenter={point.reform(|_| ())} onpointerleave={leave.reform(|_| ())}
                onfocusin={point.reform(|_| ())} onfocusout={leave.reform(|_| ())}>
                <Card card={(*card).clone()} offset={*offset} now={now} plays={playing.as_ref() == Some(name)} />
            </li>
        }
    };
    html! {
        <div class="home">
            if let Some(first) = on.first() {
                <h1 class="home-title">{ "Live now" }<span class="quiet">{ format!("on {name}") }</span></h1>
                <Hero card={(*first).clone()} offset={*offset} now={now} />
                if on.len() > 1 {
                    <section aria-label="More that is live">
                        <ul class="grid">{ for on.iter().skip(1).map(card) }</ul>
                    </section>
                }
            } else {
                <section class="welcome">
                    <h1>{ "Nothing is live right now." }</h1>
                    <p>{ format!("{name} shows live video in your browser, as it happens. Be the first:") }</p>
                    <Link to={Route::Studio} classes="button button-primary button-big">
                        { icon(Shape::Live) }<span>{ "Go live" }</span>
                    </Link>
                </section>
            }
            <Recommended offset={*offset} now={now} />
            if !off.is_empty() {
                <section aria-labelledby="offline-title">
                    <h2 id="offline-title">{ "Not live now" }</h2>
                    <ul class="grid grid-offline">{ for off.iter().map(card) }</ul>
                </section>
            }
            if let Some(failure) = &load.error { <p class="quiet" role="status">{ failure.sentence() }</p> }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct HeroProps {
    card: ChannelCard,
    offset: i64,
    now: i64,
}

/// The most watched broadcast, playing.
#[component]
fn Hero(props: &HeroProps) -> Html {
    let card = &props.card;
    let channel = &card.channel;
    let name = channel.display_name.to_string();
    let broadcast = card.state.stream_id.as_ref().map(ToString::to_string).unwrap_or_default();
    let time = time(card, props.offset, props.now);
    html! {
        <Link to={Route::Channel { channel: channel.name.to_string() }} classes="hero">
            <div class="hero-picture">
                { monogram(&name.clone(), &channel.name.to_string(), "art") }
                <Preview key={format!("{}-{broadcast}", channel.name)} channel={channel.name.clone()} />
                if card.state.state == BroadcastState::Waiting {
                    <span class="badge badge-warn">{ "Waiting" }</span>
                } else {
                    <span class="badge badge-live">{ "Live" }</span>
                }
            </div>
            <div class="hero-words">
                <h2>{ title(card) }</h2>
                <p class="hero-channel">
                    { portrait(channel.avatar.as_deref(), &name, channel.name.as_str(), "small") }
                    if title(card) != name { <b>{ name.clone() }</b> }
                </p>
                <ul class="facts">
                    if !category(card).is_empty() { <li>{ category(card) }</li> }
                    { for channel.tags.iter().take(4).map(|tag| html! { <li class="chip-still">{ tag.as_str() }</li> }) }
                </ul>
                <ul class="facts facts-live">
                    <li>{ icon(Shape::People) }{ format_state::viewers(card.state.viewer_count) }</li>
                    if let Some(time) = time { <li>{ named_icon(Shape::Clock, "Live for") }{ time }</li> }
                </ul>
                <span class="button button-primary" aria-hidden="true">{ icon(Shape::Play) }<span>{ "Watch" }</span></span>
            </div>
        </Link>
    }
}

/// The instance waits for its owner.
#[component]
fn NotSetUp() -> Html {
    html! {
        <div class="page-state">
            <section class="card first-run">
                <h1>{ "Almost there" }</h1>
                <p>{ "Weir is running. What is missing is its owner: you." }</p>
                <ol class="steps">
                    <li>{ "Look at the console that Weir was started from." }</li>
                    <li>{ "Open the set-up link that it printed. It works once." }</li>
                    <li>{ "Choose a name, a password and your channel, and go live." }</li>
                </ol>
                <p class="quiet">{ "No link in sight? Start Weir again, and it prints one." }</p>
            </section>
        </div>
    }
}
