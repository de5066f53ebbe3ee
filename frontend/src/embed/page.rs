//! The page in the frame: a picture, controls that hide, and a word mark that leads to the channel.

use super::remote::{Remote, Wish};
use crate::{
    api::{self, events::Events, rest, socket_state},
    browser::{self, page},
    ui::{Shape, icon, monogram, word_mark},
    watch::{Engine, Player, Snapshot, View},
};
use shared::id::ChannelName;
use std::rc::Weak;
use yew::prelude::*;

/// `/embed/{channel}`, with `?autoplay=0` to wait for a press and `?muted=1` to begin silent.
#[component]
pub fn EmbedPage() -> Html {
    let channel = use_memo((), |()| {
        let path = page::path_and_query();
        let name = path.split(['/', '?']).nth(2).unwrap_or_default();
        name.parse::<ChannelName>().ok()
    });
    match &*channel {
        Some(channel) => html! { <Framed channel={channel.clone()} /> },
        // The server answers such an address itself; a page that was changed by hand still says something.
        None => html! { <main class="embed"><p>{ "There is no channel here." }</p></main> },
    }
}

fn is(parameter: &str, value: &str) -> bool {
    page::query(parameter).as_deref() == Some(value)
}

#[derive(Properties, PartialEq)]
struct FramedProps {
    channel: ChannelName,
}

#[component]
fn Framed(props: &FramedProps) -> Html {
    let channel = &props.channel;
    let events = use_memo((), |()| Events::new(socket_state::state_alone));
    let started = use_state(|| !is("autoplay", "0"));
    let silent = use_state(|| is("muted", "1"));
    let snapshot = use_mut_ref(Snapshot::default);
    let engine = use_mut_ref(|| None::<Weak<Engine>>);
    let display_name = use_state(|| None::<AttrValue>);
    let rests = use_state(|| false);
    let remote = {
        let (engine, started) = (engine.clone(), started.clone());
        use_memo(channel.clone(), move |channel| {
            let begins = *started;
            let wish = Wish { engine, start: Callback::from(move |()| started.set(true)) };
            Remote::new(channel.clone(), begins, wish)
        })
    };
    // How people call the channel is worth a request only where it is said.
    {
        let (display_name, channel) = (display_name.clone(), channel.clone());
        use_effect_with(*rests, move |&rests| {
            if rests && display_name.is_none() {
                browser::spawn(async move {
                    if let Ok(name) = rest::display_name(&channel).await {
                        page::set_title(&name);
                        display_name.set(Some(name.into()));
                    }
                });
            }
        });
    }
    let on_snapshot = {
        let (remote, rests) = (remote.clone(), rests.clone());
        use_callback((), move |next: Snapshot, ()| {
            remote.looks(&next);
            rests.set(!matches!(next.view, View::Live | View::Connecting));
            *snapshot.borrow_mut() = next;
        })
    };
    let on_engine = use_callback((), move |next: Option<Weak<Engine>>, ()| *engine.borrow_mut() = next);
    let name = display_name.as_ref().map_or_else(|| channel.to_string().into(), Clone::clone);
    let start = {
        let started = started.clone();
        move |_: MouseEvent| started.set(true)
    };
    // Whoever watches by a signed embed may not see the channel's own page.
    let by_token = api::embed_token().is_some();
    let home = if by_token { "/".to_owned() } else { format!("/{channel}") };
    let label = if by_token { "Weir".to_owned() } else { format!("Watch {name} on Weir") };
    let mark = html! {
        <a class="embed-mark" href={home.clone()} target="_blank" rel="noopener"
            aria-label={label} data-testid="mark">{ word_mark() }<span>{ "Weir" }</span></a>
    };
    let others = html! {
        if !by_token { <a class="button" href={home} target="_blank" rel="noopener">{ "Open the channel" }</a> }
    };
    html! {
        <ContextProvider<Events> context={(*events).clone()}>
            <main class="embed">
                if *started {
                    <Player channel={channel.clone()} display_name={name} silent={*silent} on_snapshot={on_snapshot}
                        on_engine={on_engine} others={others}>{ mark }</Player>
                } else {
                    <section class="player" aria-label="Player" data-testid="player" data-state="paused">
                        <div class="screen">{ monogram(&name, &channel.to_string(), "art") }</div>
                        <button type="button" class="tap-to-hear" onclick={start} data-testid="start">
                            { icon(Shape::Play) }<span>{ "Play" }</span></button>
                        { mark }
                    </section>
                }
            </main>
        </ContextProvider<Events>>
    }
}
