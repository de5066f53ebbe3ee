//! What people follow who follow the same as somebody.

use super::card::Card;
use crate::{
    api::{text, use_desk, use_site},
    ui::words,
};
use serde_json::Value;
use shared::channel::ChannelCard;
use yew::prelude::*;

/// Properties of [`Recommended`].
#[derive(Properties, PartialEq)]
pub struct RecommendedProps {
    /// By how much the server's clock is ahead.
    pub offset: i64,
    /// What time it is here.
    pub now: i64,
}

/// The channels, if there are any to recommend; nothing where they don't come, as nobody waits for them.
#[component]
pub fn Recommended(props: &RecommendedProps) -> Html {
    let path = if use_site().me().is_some() { "me/recommendations" } else { "" };
    let desk = use_desk(path.to_owned());
    let entry = |item: &Value| {
        let card: ChannelCard = serde_json::from_value(item["card"].clone()).ok()?;
        let because = format!("People who follow \u{2068}{}\u{2069} follow this too", text(item, "because"));
        Some(html! {
            <li key={card.channel.name.to_string()}>
                <Card card={card} offset={props.offset} now={props.now} plays=false />
                { words("p", "quiet", because) }
            </li>
        })
    };
    let cards: Vec<Html> =
        if path.is_empty() { Vec::new() } else { desk.items().iter().filter_map(entry).collect() };
    if cards.is_empty() {
        return Html::default();
    }
    html! {
        <section aria-labelledby="recommended-title" data-testid="recommended">
            <h2 id="recommended-title">{ "You may like" }</h2>
            <ul class="grid">{ for cards }</ul>
        </section>
    }
}
