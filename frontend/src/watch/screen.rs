//! What the player says over, or in the place of, the picture.

use super::{
    player_state::{Trouble, View},
    snapshot::Snapshot,
};
use crate::ui::{Button, Delayed, Kind, Notice, Shape, format_state, monogram, use_seconds};
use shared::id::ChannelName;
use yew::prelude::*;

/// Properties of [`Screen`].
#[derive(Properties, PartialEq)]
pub struct ScreenProps {
    /// Whose player it is.
    pub channel: ChannelName,
    /// What people call them.
    pub display_name: AttrValue,
    /// What there is to say.
    pub snapshot: Snapshot,
    /// A way to something else, where there is nothing to see here.
    pub others: Html,
    /// Try again now.
    pub on_retry: Callback<()>,
    /// The picture again, in place of sound alone.
    pub on_picture: Callback<()>,
}

/// Says each state in words, with what to do.
#[component]
pub fn Screen(props: &ScreenProps) -> Html {
    let snapshot = &props.snapshot;
    let now = use_seconds(snapshot.view == View::Waiting);
    let name = &props.display_name;
    let state = snapshot.channel.as_deref();
    let others = props.others.clone();
    let again = html! {
        <Button label="Try now" kind={Kind::Plain} icon={Shape::Retry} on={props.on_retry.clone()} />
    };
    let notice = match snapshot.view {
        View::Live if snapshot.is_sound_alone() => html! {
            <Notice icon={Shape::Sound} title="Audio only" text="The picture is off, which saves data and battery.">
                <Button label="Show the picture" kind={Kind::Plain} on={props.on_picture.clone()} testid="show-picture" />
            </Notice>
        },
        View::Live => return Html::default(),
        View::Connecting => {
            return html! { <Delayed><div class="screen"><div class="skeleton screen-skeleton"></div></div></Delayed> };
        }
        View::Waiting => {
            let since =
                state.and_then(|state| state.waiting_since).map_or(0, |since| snapshot.since(since, now));
            let title =
                format!("The streamer's connection dropped. Waiting {} …", format_state::clock(since));
            html! { <Notice icon={Shape::Clock} title={title} text="The picture comes back by itself." /> }
        }
        View::Ended => {
            let length =
                state.and_then(|state| state.duration).map(|seconds| format_state::length(seconds.0));
            let title = match length {
                Some(length) => format!("Broadcast ended after {length}."),
                None => "Broadcast ended.".to_owned(),
            };
            html! { <Notice title={title} text={format!("Thank you for watching {name}.")}>{ others }</Notice> }
        }
        View::Offline => {
            let last =
                state.and_then(|state| state.ended_at).map(|at| format_state::ago(snapshot.since(at, now)));
            let title = match last {
                Some(last) => format!("{name} is offline. Last live {last}."),
                None => format!("{name} is offline."),
            };
            let text = "The picture starts by itself when the next broadcast begins.";
            html! { <Notice title={title} text={text}>{ others }</Notice> }
        }
        View::Trouble(trouble) => {
            let (title, text, action) = match trouble {
                Trouble::Unknown => {
                    ("There is no channel here.", "Check the address, or see who is live instead.", others)
                }
                Trouble::NoRoute => (
                    "Your network blocks live video.",
                    "It probably lets no UDP through: a company network or a VPN often doesn't. Weir keeps trying; another network, such as your phone's, usually works.",
                    again,
                ),
                Trouble::NoCodec => (
                    "This browser can't show this broadcast.",
                    "It is coded in a way that your browser doesn't decode. A current Chrome, Edge or Firefox does.",
                    others,
                ),
                Trouble::Full => (
                    "This server is at its limit.",
                    "As soon as someone leaves there is room for you: Weir keeps trying. Title and state of the channel stay up to date meanwhile.",
                    again,
                ),
                Trouble::EmbedExpired => (
                    "Your access to this video has expired.",
                    "The page that shows it gave it for a while. Load that page again: it may have given you a new one.",
                    Html::default(),
                ),
                Trouble::EmbedInvalid => (
                    "This page gives no access to this video any more.",
                    "It was taken back, or its address isn't whole. Ask whoever runs the page for a new one.",
                    Html::default(),
                ),
                Trouble::ServerAway => (
                    snapshot.away(),
                    "If this takes long, check your own connection. The picture comes back by itself.",
                    again,
                ),
            };
            html! { <Notice icon={Shape::Alert} title={title} text={text}>{ action }</Notice> }
        }
    };
    // The art takes the place of a picture that isn't there; the last picture stays under what is said.
    let covers = snapshot.view == View::Live;
    let art = !snapshot.has_picture || covers;
    html! {
        <div class={classes!("screen", (!art).then_some("screen-over"))}>
            if art { { monogram(&name.clone(), &props.channel.to_string(), "art") } }
            { notice }
        </div>
    }
}
