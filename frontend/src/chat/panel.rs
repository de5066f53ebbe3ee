//! Chat as a panel: what it is called, the log, and where people write.

use super::{
    actions::actions,
    composer::{Composer, may_write},
    engine::Engine,
    log::{faded, log},
    poll::poll,
    raid::raid,
    row::pieces,
    settings::Settings,
    sheet::FIELD,
    snapshot::{Heard, Snapshot, use_room},
};
use crate::{
    browser::{history, page, scroll, storage},
    route::{Link, Route},
    ui::{IconButton, Shape, icon, named_icon, use_toast},
};
use shared::{
    chat::{ChatMessage, Fragment, ReplyTo},
    id::ChannelName,
};
use std::rc::Rc;
use yew::prelude::*;

const SILENT: &str = "weir.chat.silent";
/// Letters of what is answered, as the composer shows it; the server keeps its own.
const EXCERPT: usize = 80;

/// Seconds that a message stays over a picture if nothing is said.
const FADE: u64 = 15;
/// The size of its letters, in pixels, if nothing is said; and what it may be.
const SIZE: u64 = 24;
const SIZES: (u64, u64) = (12, 96);

/// Where a chat is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On a page with other things.
    Beside,
    /// In a window or a frame of its own.
    Alone,
    /// Over a picture: letters alone, which go after a while.
    Over,
}

/// Properties of [`ChatPanel`].
#[derive(Properties, PartialEq)]
pub struct ChatPanelProps {
    /// Whose room.
    pub channel: ChannelName,
    /// Where it is.
    pub place: Place,
    /// To put it out of sight.
    #[prop_or_default]
    pub on_hide: Option<Callback<()>>,
}

/// What is open over the log's end.
#[derive(Clone, PartialEq)]
enum Open {
    Nothing,
    Actions(Rc<ChatMessage>),
    Settings,
}

fn excerpt(message: &ChatMessage) -> String {
    let text = |fragment: &Fragment| match fragment {
        Fragment::Text { text }
        | Fragment::Mention { text, .. }
        | Fragment::Emote { text, .. }
        | Fragment::Link { text, .. } => text.clone(),
    };
    let whole: String = message.fragments.iter().map(text).collect();
    whole.chars().take(EXCERPT).collect()
}

fn answer_to(message: &ChatMessage) -> ReplyTo {
    ReplyTo { id: message.id.clone(), name: message.author.name.clone(), excerpt: excerpt(message) }
}

/// May this person write here at all.
fn can_write(snapshot: &Snapshot) -> bool {
    snapshot.room.as_ref().is_some_and(|room| may_write(room))
}

/// Whether the page that this is on is a channel's, where people watch.
fn is_channel_page() -> bool {
    matches!(Route::recognize(&history::path()), Route::Channel { .. })
}

/// A number of the address, within what makes sense.
fn number(name: &str, or: u64, (least, most): (u64, u64)) -> u64 {
    page::query(name).and_then(|text| text.parse::<u64>().ok()).map_or(or, |number| number.clamp(least, most))
}

/// The message that is shown above all others.
fn pinned(snapshot: &Snapshot, engine: Option<&Engine>) -> Html {
    let Some(pin) = snapshot.room.as_ref().and_then(|room| room.pin.as_ref()) else { return Html::default() };
    let take_down = engine.cloned().filter(|_| snapshot.can_moderate()).map(|engine| {
        let on = Callback::from(move |()| engine.pin(None));
        html! { <IconButton icon={Shape::Close} label="Take the pinned message down" on={on} testid="chat-unpin" /> }
    });
    html! {
        <aside class="chat-pin" aria-label="Pinned message" data-testid="chat-pin">
            { icon(Shape::Pin) }
            <p><b><bdi>{ pin.author.name.as_str() }</bdi></b>{ ": " }<span dir="auto">{ pieces(&pin.fragments, None) }</span></p>
            { take_down }
        </aside>
    }
}

/// The chat of a channel.
#[component]
pub fn ChatPanel(props: &ChatPanelProps) -> Html {
    let toast = use_toast();
    let open = use_state(|| Open::Nothing);
    let reply_to = use_state(|| None::<ReplyTo>);
    let returned = use_state(|| (0, String::new()));
    let times = use_mut_ref(|| 0);
    let silent = use_state(|| storage::read(SILENT).as_deref() == Some("true"));
    let on_heard = {
        let (toast, returned, reply_to) = (toast.clone(), returned.setter(), reply_to.setter());
        use_callback((), move |heard: Heard, ()| match heard {
            Heard::Returned(text, answers) => {
                *times.borrow_mut() += 1;
                returned.set((*times.borrow(), text));
                if answers.is_some() {
                    reply_to.set(answers);
                }
            }
            Heard::Said(words) => toast.emit(words),
            // In the studio or a window of its own, chat alone would go and leave the picture behind.
            Heard::Leaves(to) if is_channel_page() => Route::Channel { channel: to.to_string() }.open(),
            Heard::Leaves(_) | Heard::Snapshot(_) => {}
        })
    };
    let over = props.place == Place::Over;
    let fade = if over { number("fade", FADE, (0, 86_400)) } else { 0 };
    let (engine, snapshot) = use_room(&props.channel, Some(fade).filter(|fade| *fade > 0), on_heard);
    let list = use_node_ref();
    let active = use_state(String::new);
    // Own words are at the end: that is where to look after writing.
    {
        let list = list.clone();
        use_effect_with((snapshot.pending.len(), snapshot.paused), move |&(_, paused)| {
            if !paused {
                scroll::to_end(&list);
            }
        });
    }
    use_effect_with(props.place, {
        let channel = props.channel.clone();
        move |&place| {
            let alone = (place != Place::Beside).then(|| {
                page::set_title(&format!("Chat · {channel}"));
                let mark = if place == Place::Over { "data-overlay" } else { "data-chat-alone" };
                page::mark(mark, true);
                (mark, scroll::seen())
            });
            move || {
                if let Some((mark, _seen)) = alone {
                    page::mark(mark, false);
                }
            }
        }
    });
    if over {
        let lasts = if fade == 0 { "none".to_owned() } else { format!("{fade}s") };
        let style = format!("--size:{}px;--fade:{lasts}", number("size", SIZE, SIZES));
        return html! { <div class="overlay" style={style}>{ faded(&snapshot) }</div> };
    }
    let set_open = open.setter();
    let close = {
        let open = set_open.clone();
        use_callback((), move |(), ()| open.set(Open::Nothing))
    };
    let on_answered = {
        let reply_to = reply_to.setter();
        use_callback((), move |(), ()| reply_to.set(None))
    };
    let on_silent = {
        let silent = silent.setter();
        Callback::from(move |on: bool| {
            storage::write(SILENT, if on { "true" } else { "false" });
            silent.set(on);
        })
    };
    let on_pause = {
        let engine = engine.clone();
        Callback::from(move |paused: bool| {
            if let Some(engine) = &engine {
                engine.pause(paused);
            }
        })
    };
    let reply = {
        let reply_to = reply_to.setter();
        Callback::from(move |message: Rc<ChatMessage>| {
            reply_to.set(Some(answer_to(&message)));
            page::focus_id(FIELD);
        })
    };
    let on_act = {
        let (engine, open, reply, toast, snapshot) =
            (engine.clone(), set_open.clone(), reply.clone(), toast.clone(), snapshot.clone());
        Callback::from(move |(act, id): (String, String)| {
            let message = snapshot
                .lines
                .iter()
                .filter_map(|line| line.message())
                .find(|message| message.id.as_str() == id);
            match (act.as_str(), message, &engine) {
                ("open", Some(message), _) => open.set(Open::Actions(message.clone())),
                ("reply", Some(message), _) if can_write(&snapshot) => reply.emit(message.clone()),
                ("reply", Some(_), _) => toast.emit("Give yourself a name first, or sign in.".to_owned()),
                ("again" | "discard", _, Some(engine)) => {
                    if let Ok(key) = id.parse() {
                        if act == "again" { engine.retry(&key) } else { engine.discard(&key) }
                    }
                }
                (to, ..) => {
                    let wanted = to.strip_prefix("to ").unwrap_or_default();
                    if !scroll::show(&format!("chat-{wanted}")) {
                        toast.emit(
                            "That message is further up than this page reaches, or deleted.".to_owned(),
                        );
                    }
                }
            }
        })
    };
    let is_set = *open == Open::Settings;
    let settings = {
        let open = set_open.clone();
        Callback::from(move |()| open.set(if is_set { Open::Nothing } else { Open::Settings }))
    };
    let pop_out = {
        let channel = props.channel.clone();
        Callback::from(move |()| {
            scroll::open_window(&format!("/embed/{channel}/chat"), &format!("weir-chat-{channel}"));
        })
    };
    let sheet = match (&*open, &engine) {
        (Open::Actions(message), Some(engine)) => {
            let on_reply = {
                let (reply, open, message) = (reply.clone(), set_open.clone(), message.clone());
                Callback::from(move |()| {
                    reply.emit(message.clone());
                    open.set(Open::Nothing);
                })
            };
            actions(message, &snapshot, engine, can_write(&snapshot).then_some(on_reply), &close)
        }
        (Open::Settings, Some(engine)) => html! {
            <Settings channel={props.channel.clone()} snapshot={snapshot.clone()} engine={engine.clone()} silent={*silent}
                on_silent={on_silent} on_close={close.clone()} />
        },
        _ => Html::default(),
    };
    html! {
        <section class="chat" aria-label="Chat" data-testid="chat">
            <header class="chat-head">
                <h2>{ "Chat" }</h2>
                if snapshot.can_moderate() {
                    <Link to={Route::Moderation { channel: props.channel.to_string() }} classes="icon-button">
                        { named_icon(Shape::Shield, "Moderation") }
                    </Link>
                }
                <span class="chat-opens">
                    <IconButton icon={Shape::Gear} label="Chat settings" pressed={is_set} on={settings} testid="chat-settings" />
                </span>
                if props.place == Place::Beside {
                    <span class="chat-wide">
                        <IconButton icon={Shape::Window} label="Chat in a window of its own" on={pop_out} testid="chat-pop-out" />
                    </span>
                }
                if let Some(on) = &props.on_hide {
                    <IconButton icon={Shape::Hide} label="Hide the chat" on={on.clone()} testid="chat-hide" />
                }
            </header>
            { pinned(&snapshot, engine.as_ref()) }
            { raid(&snapshot, engine.as_ref(), is_channel_page()) }
            { poll(&snapshot, engine.as_ref()) }
            { log(&snapshot, &list, &active, *silent, &on_pause, &on_act) }
            <div class="chat-foot">
                { sheet }
                if let Some(engine) = engine {
                    <Composer channel={props.channel.clone()} snapshot={snapshot} engine={engine} reply_to={(*reply_to).clone()}
                        on_answered={on_answered} returned={(*returned).clone()} />
                } else {
                    <div class="chat-write"></div>
                }
            </div>
        </section>
    }
}
