//! A channel as a card.

use super::preview::Preview;
use crate::{
    route::{Link, Route},
    ui::{Shape, format_state, monogram, named_icon, portrait},
};
use shared::{broadcast::BroadcastState, channel::ChannelCard, unit::Timestamp};
use yew::prelude::*;

/// Live, or waiting for its publisher to come back.
pub fn is_on(card: &ChannelCard) -> bool {
    matches!(card.state.state, BroadcastState::Live | BroadcastState::Waiting)
}

/// The title of what is on, or was; the name if it has none.
pub fn title(card: &ChannelCard) -> &str {
    [card.state.title.as_str(), card.channel.title.as_str(), card.channel.display_name.as_str()]
        .into_iter()
        .find(|title| !title.is_empty())
        .unwrap_or_default()
}

/// What it is of.
pub fn category(card: &ChannelCard) -> &str {
    match card.state.category.as_str() {
        "" => card.channel.category.as_str(),
        category => category,
    }
}

/// How long it is on, or how long ago it was.
pub fn time(card: &ChannelCard, offset: i64, now: i64) -> Option<String> {
    let now = Timestamp::from_millis(now + offset);
    if is_on(card) {
        return card.state.start_time.map(|start| format_state::clock(now.since(start).as_secs()));
    }
    card.state.ended_at.map(|end| format!("Last live {}", format_state::ago(now.since(end).as_secs())))
}

/// Properties of [`Card`].
#[derive(Properties, PartialEq)]
pub struct CardProps {
    /// Which.
    pub card: ChannelCard,
    /// The server's clock minus this machine's, in milliseconds.
    pub offset: i64,
    /// This machine's clock.
    pub now: i64,
    /// It plays in its picture.
    pub plays: bool,
}

/// A channel and what it is doing.
#[component]
pub fn Card(props: &CardProps) -> Html {
    let card = &props.card;
    let (channel, on) = (&card.channel, is_on(card));
    let name = channel.display_name.to_string();
    let time = time(card, props.offset, props.now);
    let past = time.as_deref().filter(|_| !on);
    let facts: Vec<&str> =
        [category(card), past.unwrap_or_default()].into_iter().filter(|fact| !fact.is_empty()).collect();
    let facts = facts.join(" · ");
    html! {
        <Link to={Route::Channel { channel: channel.name.to_string() }} classes="channel-card">
            <div class="channel-art">
                { monogram(&name.clone(), &channel.name.to_string(), "art") }
                if on && props.plays { <Preview channel={channel.name.clone()} /> }
                if on {
                    if card.state.state == BroadcastState::Waiting {
                        <span class="badge badge-warn">{ "Waiting" }</span>
                    } else {
                        <span class="badge badge-live">{ "Live" }</span>
                    }
                    <span class="badge badge-over number">{ named_icon(Shape::People, "Viewers") }
                        { format_state::count(card.state.viewer_count.into()) }</span>
                    if let Some(time) = &time { <span class="badge badge-over badge-end number">{ time }</span> }
                }
            </div>
            <div class="channel-line">
                { portrait(channel.avatar.as_deref(), &name, channel.name.as_str(), "small") }
                <div>
                    <h3>{ title(card) }</h3>
                    if title(card) != name { <p class="quiet">{ name.clone() }</p> }
                    <p class="quiet">{ facts }</p>
                </div>
            </div>
        </Link>
    }
}
