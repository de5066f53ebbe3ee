//! What stands under the picture.

use super::{latency_state, plan, player_state::View, share, snapshot::Snapshot};
use crate::{
    api::{use_desk, use_site},
    browser::page,
    route::{Link, Route},
    ui::{Button, Shape, el_with, format_state, icon, named_icon, portrait, prose, use_seconds},
};
use shared::{account::Me, channel::Channel, id::ChannelName};
use std::rc::Rc;
use yew::prelude::*;

/// Properties of [`About`].
#[derive(Properties, PartialEq)]
pub struct AboutProps {
    /// What the channel says of itself.
    pub channel: Rc<Channel>,
    /// What it is doing.
    pub snapshot: Snapshot,
    /// The button to follow it; or, for its owner, how many do.
    pub follow: Callback<(ChannelName, bool), Html>,
}

/// A link to the channels that have the same category or tag.
fn found_by(by: &str, name: &str, classes: &'static str) -> Html {
    let query = format!("{by}={}", page::encoded(name));
    html! { <Link to={Route::Search { query }} classes={classes}>{ name.to_owned() }</Link> }
}

/// Who it is, what it is about, how many watch.
#[component]
pub fn About(props: &AboutProps) -> Html {
    let (channel, snapshot) = (&props.channel, &props.snapshot);
    let state = snapshot.channel.as_deref();
    let live = matches!(snapshot.view, View::Live | View::Waiting);
    let now = use_seconds(live);
    let sharing = use_state(|| false);
    let sharing_is = |on: bool| {
        let sharing = sharing.clone();
        Callback::from(move |()| sharing.set(on))
    };
    let title =
        state.map(|state| &state.title).filter(|title| !title.as_str().is_empty()).unwrap_or(&channel.title);
    let category = state.map(|state| &state.category).filter(|category| !category.as_str().is_empty());
    let category = category.unwrap_or(&channel.category).as_str();
    let me = use_site().me();
    let is_of = |channels: fn(&Me) -> &[Channel]| {
        me.as_ref().is_some_and(|me| channels(me).iter().any(|one| one.name == channel.name))
    };
    let (mine, edited) = (is_of(|me| &me.channels), is_of(|me| &me.edits));
    let started = state.and_then(|state| state.start_time).filter(|_| live);
    let name = channel.display_name.as_str();
    let told = use_desk(format!("channels/{}/about", channel.name));
    let planned = use_desk(format!("channels/{}/schedule", channel.name));
    let at_length = prose(&told.data["blocks"]);
    let banner = channel.banner.as_deref().map(|address| {
        el_with(
            "img",
            "banner",
            &[("src", address), ("alt", ""), ("loading", "lazy"), ("data-testid", "banner")],
            Vec::new(),
        )
    });
    html! {
        <section class="about" aria-label="About this channel">
            { banner }
            { portrait(channel.avatar.as_deref(), name, channel.name.as_str(), "medium") }
            <div class="about-words">
                <h1 data-testid="channel-title">{ if title.as_str().is_empty() { name } else { title.as_str() } }</h1>
                if !title.as_str().is_empty() { <p class="about-name">{ name }</p> }
                if !live { { plan::next(&planned.data) } }
                <ul class="facts">
                    if !category.is_empty() { <li>{ found_by("category", category, "link") }</li> }
                    { for channel.tags.iter().map(|tag| html! { <li>{ found_by("tag", tag.as_str(), "chip-still") }</li> }) }
                </ul>
            </div>
            <div class="about-side">
                <ul class="facts facts-live" aria-label="Now">
                    if live {
                        <li data-testid="viewers">{ icon(Shape::People) }
                            { format_state::viewers(state.map_or(0, |state| state.viewer_count)) }</li>
                    }
                    if let Some(started) = started {
                        <li data-testid="duration">{ named_icon(Shape::Clock, "Live for") }
                            { format_state::clock(snapshot.since(started, now)) }</li>
                    }
                    if let (View::Live, Some(latency)) = (snapshot.view, snapshot.latency) {
                        <li title="Measured, from the streamer's computer to this screen" data-testid="latency">
                            { format!("{} behind", latency_state::words(latency)) }</li>
                    }
                </ul>
                <div class="about-actions">
                    if mine {
                        <Link to={Route::StudioOf { channel: channel.name.to_string() }} classes="button">
                            { "Studio" }</Link>
                    }
                    if mine || edited {
                        <Link to={Route::Analytics { channel: Some(channel.name.to_string()), broadcast: None }}
                            classes="button">{ "Analytics" }</Link>
                    }
                    { props.follow.emit((channel.name.clone(), mine)) }
                    <Button label="Share" icon={Shape::Share} on={sharing_is(true)} testid="share" />
                </div>
            </div>
            if *sharing { { share::share(channel, mine, sharing_is(false)) } }
            <div class="about-tab">
                <h2>{ "About" }</h2>
                if !channel.description.as_str().is_empty() {
                    <p class="about-text">{ channel.description.as_str() }</p>
                } else if at_length.is_empty() && !told.is_pending {
                    <p class="quiet">{ format!("{name} hasn't written anything here yet.") }</p>
                }
                if !at_length.is_empty() {
                    { el_with("div", "prose", &[("data-testid", "about")], at_length) }
                }
                { plan::list(&planned.data) }
            </div>
        </section>
    }
}
