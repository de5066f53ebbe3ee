//! The channels at the side of a wide screen, live ones on top.

use super::card::{category, is_on};
use crate::{
    api::use_directory,
    route::{Link, Route},
    ui::{Skeleton, format_state, monogram},
};
use yew::prelude::*;

/// How many fit.
const MOST: usize = 30;

/// The channels there are.
#[component]
pub fn Rail() -> Html {
    let directory = use_directory();
    let entry = |card: &shared::channel::ChannelCard| {
        let on = is_on(card);
        let name = card.channel.display_name.to_string();
        html! {
            <li key={card.channel.name.to_string()}>
                <Link to={Route::Channel { channel: card.channel.name.to_string() }} classes="rail-entry">
                    { monogram(&name.clone(), &card.channel.name.to_string(), "small") }
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
    html! {
        <nav class="rail" aria-label="Channels">
            <h2>{ "Channels" }</h2>
            if let Some(directory) = &directory.data {
                if directory.channels.is_empty() { <p class="quiet rail-empty">{ "None yet." }</p> }
                <ul>{ for directory.channels.iter().take(MOST).map(entry) }</ul>
            } else if directory.is_pending() {
                <Skeleton class="skeleton-rail" />
            }
        </nav>
    }
}
