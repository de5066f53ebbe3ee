//! The channels at the side of a wide screen, live ones on top.

use super::card::{category, is_on};
use crate::{
    api::{use_desk, use_directory, use_site},
    route::{Link, Route},
    ui::{Skeleton, format_state, portrait},
};
use shared::channel::ChannelCard;
use yew::prelude::*;

/// How many fit.
const MOST: usize = 30;

/// The channels there are.
#[component]
pub fn Rail() -> Html {
    let directory = use_directory();
    let path = if use_site().me().is_some() { "me/following?limit=100" } else { "" };
    let desk = use_desk(path.to_owned());
    let known = directory.data.as_ref().map(|directory| directory.channels.as_slice()).unwrap_or_default();
    // As it was when the list was read, or as the directory knows it now.
    let now = |card: ChannelCard| {
        known.iter().find(|one| one.channel.id == card.channel.id).cloned().unwrap_or(card)
    };
    let items = desk.items().iter().filter_map(|item| serde_json::from_value(item.clone()).ok());
    let mut followed: Vec<ChannelCard> = items.map(now).collect();
    followed.sort_by_key(|card| !is_on(card));
    let is_other = |card: &&ChannelCard| followed.iter().all(|one| one.channel.id != card.channel.id);
    let others: Vec<&ChannelCard> = known.iter().filter(is_other).take(MOST).collect();
    let entry = |card: &ChannelCard| {
        let on = is_on(card);
        let name = card.channel.display_name.to_string();
        html! {
            <li key={card.channel.name.to_string()}>
                <Link to={Route::Channel { channel: card.channel.name.to_string() }} classes="rail-entry">
                    { portrait(card.channel.avatar.as_deref(), &name, card.channel.name.as_str(), "small") }
                    <span class="rail-words">
                        <b>{ name }</b>
                        <span class="quiet">{ if on { category(card) } else { "Offline" } }</span>
                    </span>
                    if on {
                        <span class="rail-live number" title={format_state::viewers(card.state.viewer_count)}>
                            <span class="dot" role="img" aria-label="Live,"></span>
                            { format_state::count(card.state.viewer_count.into()) }
                        </span>
                    }
                </Link>
            </li>
        }
    };
    // All there is may be followed.
    let is_all = !followed.is_empty() && directory.data.is_some() && others.is_empty();
    html! {
        <nav class="rail" aria-label="Channels">
            if !followed.is_empty() {
                <h2>{ "Following" }</h2>
                <ul data-testid="rail-following">{ for followed.iter().take(MOST).map(entry) }</ul>
            }
            if desk.failure.is_some() && desk.data.is_null() {
                <h2>{ "Following" }</h2>
                <p class="quiet rail-empty" role="status">{ "What you follow didn't come." }</p>
            }
            if !is_all {
                <h2>{ if followed.is_empty() { "Channels" } else { "More channels" } }</h2>
            }
            if let Some(directory) = &directory.data {
                if directory.channels.is_empty() { <p class="quiet rail-empty">{ "None yet." }</p> }
                <ul>{ for others.iter().copied().map(entry) }</ul>
            } else if directory.is_pending() {
                <Skeleton class="skeleton-rail" />
            }
        </nav>
    }
}
