//! Following a channel: the button, and the page of what one follows.

use super::card::Card;
use crate::{
    api::{Order, Who, count, use_desk, use_site},
    browser::{page, time},
    route::{Link, Route},
    ui::{Kind, Notice, Shape, Skeleton, alert, format_state, icon, use_seconds},
};
use shared::{channel::ChannelCard, id::ChannelName};
use yew::prelude::*;

/// Properties of [`Follow`].
#[derive(Properties, PartialEq)]
pub struct FollowProps {
    /// Which channel.
    pub channel: ChannelName,
    /// It is the visitor's own: they see how many follow it.
    pub own: bool,
}

/// A button that follows or stops to, with how many do.
#[component]
pub fn Follow(props: &FollowProps) -> Html {
    let site = use_site();
    let path = format!("channels/{}/follow", props.channel);
    let desk = use_desk(path.clone());
    let follows = desk.data["since"].is_string();
    let followers = count(&desk.data, "followers");
    let many = match followers {
        1 => "1 follower".to_owned(),
        many => format!("{} followers", format_state::count(many)),
    };
    if props.own {
        return html! { <span class="quiet number followers" data-testid="followers">{ many }</span> };
    }
    let press = {
        let (desk, who, path) = (desk.clone(), site.who.clone(), path.clone());
        move |_: MouseEvent| {
            if !matches!(who, Who::Somebody(_)) {
                return crate::route::to_sign_in();
            }
            let (method, done) =
                if follows { ("DELETE", "") } else { ("PUT", "Now under Following, first when it is live") };
            let path = path.clone();
            desk.order.emit(Order { method, path, done, touches: "me/following", ..Order::default() });
        }
    };
    let (kind, label) = if follows { (Kind::Plain, "Following") } else { (Kind::Primary, "Follow") };
    html! {
        <button type="button" class={kind.class()} onclick={press} aria-pressed={if follows { "true" } else { "false" }}
            disabled={desk.is_busy} data-testid="follow">
            { icon(Shape::Heart) }<span>{ label }</span>
            if followers > 0 {
                <span class="number followers" aria-hidden="true">{ format_state::count(followers) }</span>
                <span class="unseen">{ format!(", {many}") }</span>
            }
        </button>
    }
}

/// What one follows: what is live first.
#[component]
pub fn FollowingPage() -> Html {
    let site = use_site();
    let desk = use_desk("me/following?limit=200".to_owned());
    let now = use_seconds(true);
    use_effect_with(site.name(), |name| page::set_title(&format!("Following · {name}")));
    let mut cards: Vec<ChannelCard> =
        desk.items().iter().filter_map(|item| serde_json::from_value(item.clone()).ok()).collect();
    cards.sort_by_key(|card| !super::card::is_on(card));
    let offset = cards.first().map_or(0, |card| card.state.server_time.as_millis() - time::wall());
    let item = |card: &ChannelCard| {
        html! {
            <li key={card.channel.name.to_string()}>
                <Card card={card.clone()} offset={offset} now={now} plays=false />
            </li>
        }
    };
    html! {
        <div class="home">
            <h1>{ "Following" }</h1>
            { alert(desk.failure.clone()) }
            if cards.is_empty() && desk.is_pending {
                <div class="grid">{ for (0..4).map(|_| html! { <Skeleton class="skeleton-card" /> }) }</div>
            } else if cards.is_empty() {
                <Notice icon={Shape::Heart} title="You follow nobody yet."
                    text="Press Follow on a channel, and it is here, first when it is live.">
                    <Link to={Route::Search { query: String::new() }} classes="button button-primary">{ "Look around" }</Link>
                </Notice>
            } else {
                <ul class="grid" data-testid="following">{ for cards.iter().map(item) }</ul>
            }
        </div>
    }
}
