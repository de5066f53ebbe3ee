//! Looking for channels: by words, by category, by tag.

use super::card::Card;
use crate::{
    api::{count, text, use_desk, use_site},
    browser::{page, time},
    ui::{Notice, Shape, Skeleton, TextField, alert, use_seconds, use_settled},
};
use serde_json::Value;
use shared::channel::ChannelCard;
use yew::prelude::*;

/// The page.
#[component]
pub fn SearchPage() -> Html {
    let site = use_site();
    let search = use_state(|| page::query("q").unwrap_or_default());
    let category = use_state(|| page::query("category").unwrap_or_default());
    let tag = use_state(|| page::query("tag").unwrap_or_default());
    let categories = use_desk("categories".to_owned());
    let part = |name: &str, text: &str| match text.trim() {
        "" => String::new(),
        text => format!("&{name}={}", page::encoded(text)),
    };
    let words = use_settled(&search);
    let found = use_desk(format!(
        "channels?limit=60{}{}{}",
        part("search", &words),
        part("category", &category),
        part("tag", &tag)
    ));
    let now = use_seconds(true);
    use_effect_with(site.name(), |name| page::set_title(&format!("Search · {name}")));
    use_effect_with((), |()| page::focus_id("search"));
    let set = |state: &UseStateHandle<String>| {
        let state = state.clone();
        Callback::from(move |text: String| state.set(text))
    };
    let chip = |card: &Value| {
        let name = text(card, "category").to_owned();
        let on = *category == name;
        let (category, next) = (category.clone(), if on { String::new() } else { name.clone() });
        let live = count(card, "live");
        html! {
            <button type="button" class="chip" key={name.clone()} aria-pressed={if on { "true" } else { "false" }}
                onclick={move |_: MouseEvent| category.set(next.clone())}>
                { name }
                if live > 0 { <span class="dot" role="img" aria-label="live"></span><span class="number">{ live }</span> }
            </button>
        }
    };
    let chosen = |state: &UseStateHandle<String>| {
        let (name, state) = ((**state).clone(), state.clone());
        html! {
            <button type="button" class="chip" aria-pressed="true" onclick={move |_: MouseEvent| state.set(String::new())}>
                { format!("#{name}") }<span class="unseen">{ ": remove" }</span></button>
        }
    };
    let cards: Vec<ChannelCard> =
        found.items().iter().filter_map(|item| serde_json::from_value(item.clone()).ok()).collect();
    let offset = cards.first().map_or(0, |card| card.state.server_time.as_millis() - time::wall());
    let item = |card: &ChannelCard| {
        html! {
            <li key={card.channel.name.to_string()}>
                <Card card={card.clone()} offset={offset} now={now} plays=false />
            </li>
        }
    };
    let said = match cards.len() {
        _ if found.is_pending => String::new(),
        1 => "1 channel".to_owned(),
        many => format!("{many}{} channels", if found.data["next"].is_string() { " and more" } else { "" }),
    };
    html! {
        <div class="home">
            <h1 class="unseen">{ "Search" }</h1>
            <div class="search">
                <TextField id="search" label="Search for channels" kind="search" value={(*search).clone()} on={set(&search)}
                    testid="search" />
                <div class="chips" role="group" aria-label="Categories">
                    if !tag.is_empty() { { chosen(&tag) } }
                    { for categories.items().iter().take(24).map(chip) }
                </div>
            </div>
            { alert(found.failure.clone()) }
            <p class="quiet" role="status" data-testid="found">{ said }</p>
            if found.is_pending && cards.is_empty() {
                <div class="grid">{ for (0..4).map(|_| html! { <Skeleton class="skeleton-card" /> }) }</div>
            } else if cards.is_empty() {
                <Notice icon={Shape::Search} title="Nothing is called that here."
                    text="Try fewer letters, another word, or a category." />
            } else {
                <ul class="grid" data-testid="results">{ for cards.iter().map(item) }</ul>
            }
        </div>
    }
}
