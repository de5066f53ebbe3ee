//! A channel's page.

use super::{
    about::About,
    player::Player,
    player_state::{Trouble, View},
    snapshot::Snapshot,
};
use crate::{
    api::{Failure, Load, rest, use_site},
    browser::{self, page, scroll, storage, time},
    route::{Link, Route},
    ui::{IconButton, Notice, Shape, Skeleton},
};
use shared::{channel::Channel, id::ChannelName};
use std::rc::Rc;
use yew::prelude::*;

const THEATRE: &str = "weir.theatre";
const CHAT: &str = "weir.chat";
/// A phone on its side, as styles know it: there the chat lies over the picture.
const SIDEWAYS: &str = "(orientation: landscape) and (max-height: 480px)";

/// Properties of [`ChannelPage`].
#[derive(Properties, PartialEq)]
pub struct ChannelPageProps {
    /// As it stands in the address.
    pub name: AttrValue,
    /// What people write, of a channel, with a way to put it out of sight.
    pub chat: Chat,
    /// The button to follow a channel, which may be the visitor's own.
    pub follow: Follow,
    /// What is shown where there is no channel, as far as the visitor may know.
    pub door: Callback<ChannelName, Html>,
}

/// See [`ChannelPageProps::follow`].
type Follow = Callback<(ChannelName, bool), Html>;

/// See [`ChannelPageProps::chat`].
type Chat = Callback<(ChannelName, Callback<()>), Html>;

/// A channel's page: the picture, under it whose it is, beside it what people write.
#[component]
pub fn ChannelPage(props: &ChannelPageProps) -> Html {
    match props.name.parse::<ChannelName>() {
        Ok(name) => {
            html! { <Known key={name.to_string()} name={name.clone()} chat={props.chat.clone()} follow={props.follow.clone()}
            door={props.door.clone()} /> }
        }
        Err(_) => unknown(),
    }
}

fn unknown() -> Html {
    html! {
        <div class="page-state">
            <Notice icon={Shape::Alert} title="There is no channel here."
                text="Check the address: a letter may be wrong, or the channel has gone.">
                <Link to={Route::Home} classes="button button-primary">{ "See what is live" }</Link>
            </Notice>
        </div>
    }
}

fn suspended() -> Html {
    html! {
        <div class="page-state" data-testid="suspended">
            <Notice icon={Shape::Alert} title="This channel is suspended."
                text="Those who run this instance keep it from broadcasting and from being watched. Ask them why.">
                <Link to={Route::Home} classes="button button-primary">{ "See what is live" }</Link>
            </Notice>
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct KnownProps {
    name: ChannelName,
    chat: Chat,
    follow: Follow,
    door: Callback<ChannelName, Html>,
}

#[component]
fn Known(props: &KnownProps) -> Html {
    let snapshot = use_state(Snapshot::default);
    let load = use_state(Load::<Rc<Channel>, Failure>::default);
    let theatre = use_state(|| storage::read(THEATRE).as_deref() == Some("true"));
    // What the channel says of itself is asked again when a broadcast shows that it changed, and when the player hears that there
    // is no such channel: whoever is let in no more is to see nothing of it.
    let edition = snapshot.channel.as_ref().map(|state| (state.title.clone(), state.category.clone()));
    let known = load.data.as_ref().map(|channel| (channel.title.clone(), channel.category.clone()));
    {
        let load = load.clone();
        let is_news = edition != known;
        let is_unknown = snapshot.view == View::Trouble(Trouble::Unknown);
        let asks = (props.name.clone(), edition.filter(|_| is_news), is_unknown);
        use_effect_with(asks, move |(name, edition, is_unknown)| {
            let name = name.clone();
            let asks = edition.is_some() || *is_unknown || load.data.is_none();
            let alive = Rc::new(std::cell::Cell::new(asks));
            let still = alive.clone();
            browser::spawn(async move {
                let (mut wait, mut latest) = (1000, (*load).clone());
                while still.get() {
                    latest = latest.after(rest::channel(&name).await.map(Rc::new));
                    if !still.get() {
                        break;
                    }
                    load.set(latest.clone());
                    match &latest.error {
                        Some(Failure::Unreachable | Failure::Unexpected(_)) => time::sleep(wait).await,
                        _ => break,
                    }
                    wait = (wait * 2).min(8000);
                }
            });
            move || alive.set(false)
        });
    }
    let display_name: AttrValue = match &load.data {
        Some(channel) => channel.display_name.to_string().into(),
        None => props.name.to_string().into(),
    };
    {
        let site = use_site().name();
        let title =
            snapshot.channel.as_ref().map(|state| state.title.to_string()).filter(|title| !title.is_empty());
        use_effect_with((display_name.clone(), title, site), |(name, title, site)| match title {
            Some(title) => page::set_title(&format!("{title} · {name}")),
            None => page::set_title(&format!("{name} · {site}")),
        });
    }
    use_effect_with(*theatre, |&on| {
        page::mark("data-theatre", on);
        || page::mark("data-theatre", false)
    });
    let on_theatre = {
        let theatre = theatre.clone();
        Callback::from(move |()| {
            let on = !*theatre;
            storage::write(THEATRE, if on { "true" } else { "false" });
            theatre.set(on);
        })
    };
    let on_snapshot = {
        let snapshot = snapshot.clone();
        use_callback((), move |next: Snapshot, ()| snapshot.set(next))
    };
    let chat_is_open = use_state(|| storage::read(CHAT).as_deref() != Some("hidden"));
    // Once shown it stays, out of sight: what is being written there, and waits to go out, is not lost.
    let chat_is_there = use_mut_ref(|| false);
    *chat_is_there.borrow_mut() |= *chat_is_open;
    // Over the picture it comes and goes with a tap, which is nothing to remember.
    let chat_is_over = use_state(|| true);
    use_effect_with((), |()| {
        let seen = scroll::seen();
        move || drop(seen)
    });
    let show_chat = {
        let (open, over) = (chat_is_open.clone(), chat_is_over.clone());
        use_callback((), move |on: bool, ()| {
            over.set(on);
            if !scroll::matches(SIDEWAYS) {
                storage::write(CHAT, if on { "shown" } else { "hidden" });
                open.set(on);
            } else if on {
                open.set(true);
            }
        })
    };
    let hide_chat = use_callback(show_chat.clone(), |(), show| show.emit(false));
    let on_tap = {
        let over = chat_is_over.clone();
        move |event: PointerEvent| {
            let on_picture = scroll::pressed(&event, "data-picture", "data-picture").is_some();
            if on_picture && scroll::matches(SIDEWAYS) {
                over.set(false);
            }
        }
    };
    if load.error.as_ref().is_some_and(|failure| failure.is("channel-suspended")) {
        return suspended();
    }
    let gone = load.error.as_ref().is_some_and(|failure| failure.status() == Some(404));
    if gone || snapshot.view == View::Trouble(Trouble::Unknown) && load.data.is_none() && load.error.is_some()
    {
        return props.door.emit(props.name.clone());
    }
    let others = html! {
        <Link to={Route::Home} classes="button">{ "See what is live" }</Link>
    };
    html! {
        <div class={classes!("watch", chat_is_open.then_some("watch-open"), chat_is_over.then_some("watch-over"))}>
        <article class="channel-page" onpointerup={on_tap}>
            <Player channel={props.name.clone()} display_name={display_name} theatre={*theatre}
                on_theatre={on_theatre} on_snapshot={on_snapshot} others={others} />
            if let Some(channel) = &load.data {
                <About channel={channel.clone()} snapshot={(*snapshot).clone()} follow={props.follow.clone()} />
            } else if let Some(failure) = &load.error {
                <div class="about"><p class="quiet" role="status">{ failure.sentence() }</p></div>
            } else {
                <div class="about"><Skeleton class="skeleton-about" /></div>
            }
        </article>
        <aside class="watch-chat">
            if *chat_is_there.borrow() { { props.chat.emit((props.name.clone(), hide_chat.clone())) } }
            <span class="watch-show">
                <IconButton icon={Shape::Chat} label="Show the chat" on={show_chat.reform(|()| true)} testid="chat-show" />
            </span>
        </aside>
        </div>
    }
}
