//! Where people write: the field, who they write as, and why they can't just now.

use super::{
    appeal::OwnAppeal,
    complete_state::{self, Completing},
    emotes_state,
    engine::Engine,
    picker::picker,
    sheet::FIELD,
    snapshot::Snapshot,
    text_state,
};
use crate::{
    browser::{self, field, page},
    ui::{IconButton, Shape, format_state, icon},
};
use shared::{
    chat::{BYTES_MOST, Badge, ChatRoom, Emote, GRAPHEMES_MOST, ReplyTo},
    id::ChannelName,
    text::DisplayName,
};
use std::rc::Rc;
use yew::prelude::*;

/// So few letters before the limit, it is said how many are left.
const LEFT: i64 = 50;
/// Messages with so few bytes are never too long, and so are not counted.
const SHORT: usize = GRAPHEMES_MOST - LEFT as usize;

/// Properties of [`Composer`].
#[derive(Properties, PartialEq)]
pub struct ComposerProps {
    /// Whose room.
    pub channel: ChannelName,
    /// What there is.
    pub snapshot: Rc<Snapshot>,
    /// The room.
    pub engine: Engine,
    /// What is being answered.
    pub reply_to: Option<ReplyTo>,
    /// To answer nothing any more.
    pub on_answered: Callback<()>,
    /// A text that came back, with a number that changes with each.
    pub returned: (u32, String),
}

/// Letters that are left; negative if there are too many. `None` as long as that is nobody's concern.
fn left(text: &str) -> Option<i64> {
    if text.len() <= SHORT {
        return None;
    }
    if text.len() > BYTES_MOST {
        return Some(-1);
    }
    Some(GRAPHEMES_MOST as i64 - field::letters(text.trim()) as i64).filter(|left| *left <= LEFT)
}

/// Whether this person could write at all, if nothing held them up.
pub fn may_write(room: &ChatRoom) -> bool {
    room.you.as_ref().is_some_and(|you| room.settings.guests || !you.badges.contains(&Badge::Guest))
}

/// Puts `whole` into the field, the caret at `caret` (in bytes).
fn put(node: &NodeRef, text: &UseStateSetter<String>, (whole, caret): (String, usize)) {
    field::write(node, &whole, complete_state::units_at(&whole, caret));
    text.set(whole);
}

/// The way to an account. In a frame on another site no login is known: there it leads to the channel's own page.
fn to_sign_in(channel: &ChannelName) -> Html {
    if page::is_framed() {
        return html! { <a class="link" href={format!("/{channel}")} target="_blank">{ "Write with your account" }</a> };
    }
    // The channel's name has no letter that an address would have to escape.
    let back = page::path_and_query();
    let back = back.split('?').next().unwrap_or_default();
    html! { <a class="link" href={format!("/sign-in?return={back}")} data-testid="chat-sign-in">{ "Sign in" }</a> }
}

/// The foot of the chat.
#[component]
pub fn Composer(props: &ComposerProps) -> Html {
    let snapshot = &props.snapshot;
    let node = use_node_ref();
    let grid = use_node_ref();
    let text = use_state(String::new);
    let completing = use_state(|| None::<Completing>);
    // What emotes are searched by, while the picker is open.
    let (picks, wanted) = (use_state(|| false), use_state(String::new));
    let (error, busy) = (use_state(|| None::<String>), use_state(|| false));
    // A screen reader hears once how long it takes; the number that runs down is there to look at.
    let told = use_mut_ref(|| (0, String::new()));
    {
        let (text, node) = (text.clone(), node.clone());
        use_effect_with(props.returned.clone(), move |(_, returned)| {
            if !returned.is_empty() && text.trim().is_empty() {
                put(&node, &text.setter(), (returned.clone(), returned.len()));
            }
        });
    }
    {
        let (engine, node) = (props.engine.clone(), node.clone());
        use_effect_with((*text).clone(), move |text| {
            engine.set_free(text.trim().is_empty());
            field::fit(&node);
        });
    }
    let Some(room) = &snapshot.room else {
        let failure = snapshot
            .failure
            .as_ref()
            // An empty log says it in its place.
            .filter(|_| snapshot.refused.is_none() || !snapshot.lines.is_empty())
            .map(|failure| failure.sentence());
        return html! { <p class="chat-state" role="status">{ failure }</p> };
    };
    if !may_write(room) && !room.settings.guests {
        return html! {
            <p class="chat-state" data-testid="chat-no-guests">
                { "Only people with an account write here. " }{ to_sign_in(&props.channel) }
            </p>
        };
    }
    let names_itself = room.you.is_none();
    let wait = if names_itself { 0 } else { snapshot.silenced.max(snapshot.wait) };
    {
        let mut told = told.borrow_mut();
        if wait == 0 || wait > told.0 {
            told.1 = match wait {
                0 => String::new(),
                wait => format!("You can write again in {}.", text_state::countdown(wait)),
            };
        }
        told.0 = wait;
    }
    let left = left(&text);
    let too_long = left.is_some_and(|left| left < 0);
    let commands = complete_state::is_command(&text);
    // Who waits for their turn may still give commands.
    let can_send = (commands || wait == 0 && !snapshot.banned && !snapshot.full) && !too_long && !*busy;
    let submit = {
        let (text, completing, engine) = (text.clone(), completing.clone(), props.engine.clone());
        let (reply_to, answered) = (props.reply_to.clone(), props.on_answered.clone());
        let (error, busy) = (error.setter(), busy.setter());
        Callback::from(move |()| {
            let said = text.trim();
            if !can_send || said.is_empty() {
                return;
            }
            if !names_itself {
                if complete_state::is_command(said) {
                    // Freed first: what is not taken comes back.
                    engine.set_free(true);
                    engine.command(said.to_owned(), reply_to.clone());
                    text.set(String::new());
                    completing.set(None);
                    answered.emit(());
                    return;
                }
                if engine.write(said.to_owned(), reply_to.clone()) {
                    text.set(String::new());
                    completing.set(None);
                    answered.emit(());
                }
                return;
            }
            let name = match said.parse::<DisplayName>() {
                Ok(name) => name,
                Err(wrong) => return error.set(Some(format_state::sentence(&wrong.to_string()))),
            };
            busy.set(true);
            let (text, error, busy, engine) = (text.setter(), error.clone(), busy.clone(), engine.clone());
            browser::spawn(async move {
                match engine.become_guest(name).await {
                    Ok(()) => {
                        text.set(String::new());
                        page::focus_id(FIELD);
                    }
                    Err(failure) => error.set(Some(failure.refusal())),
                }
                busy.set(false);
            });
        })
    };
    let onsubmit = {
        let submit = submit.clone();
        move |event: SubmitEvent| {
            event.prevent_default();
            submit.emit(());
        }
    };
    let oninput = {
        let (text, completing, error) = (text.setter(), completing.setter(), error.setter());
        move |event: InputEvent| {
            text.set(page::typed(&event));
            completing.set(None);
            error.set(None);
        }
    };
    let onkeydown = {
        let (text, completing, node, engine) =
            (text.clone(), completing.clone(), node.clone(), props.engine.clone());
        let (room, answered, replies) = (room.clone(), props.on_answered.clone(), props.reply_to.is_some());
        move |event: KeyboardEvent| {
            // Safari has ended the composition by the Enter that ends it; 229 tells.
            if event.is_composing() || event.key_code() == 229 {
                return;
            }
            match event.key().as_str() {
                "Enter" if !event.shift_key() => {
                    event.prevent_default();
                    submit.emit(());
                }
                "Tab" if !(names_itself || event.ctrl_key() || event.alt_key() || event.meta_key()) => {
                    let next = match &*completing {
                        Some(completing) => completing.stepped(event.shift_key()),
                        None if event.shift_key() => None,
                        None => {
                            let caret = complete_state::byte_at(&text, field::caret(&node));
                            let people = engine.people();
                            let is_open =
                                |emote: &&Emote| emotes_state::locked(emote, room.emote_tier).is_none();
                            let codes = room.emotes.iter().filter(is_open).map(|emote| &*emote.code);
                            let commands = room.commands.iter().map(|command| &*command.usage);
                            let command = Completing::command(&text, caret, commands)
                                .or_else(|| Completing::colour(&text, caret));
                            command.or_else(|| {
                                Completing::new(&text, caret, codes, people.iter().map(|name| &**name))
                            })
                        }
                    };
                    if let Some(next) = next {
                        event.prevent_default();
                        put(&node, &text.setter(), next.field());
                        // Once round, Tab goes on through the page.
                        completing.set(Some(next).filter(|next| completing.is_none() || next.at > 0));
                    }
                }
                "Escape" if completing.is_some() => completing.set(None),
                "Escape" if replies => answered.emit(()),
                _ => {}
            }
        }
    };
    let show_picker = {
        let (picks, wanted, engine) = (picks.setter(), wanted.setter(), props.engine.clone());
        let is_locked = |emote: &Emote| emotes_state::locked(emote, room.emote_tier).is_some();
        let any_locked = room.emotes.iter().any(is_locked);
        Callback::from(move |on: bool| {
            // A subscription that began since opens some of them.
            if on && any_locked {
                engine.identify();
            }
            picks.set(on);
            wanted.set(String::new());
        })
    };
    let is_open = *picks;
    let toggle = show_picker.reform(move |()| !is_open);
    let close = show_picker.reform(|()| false);
    let on_pick = {
        let (text, node) = (text.clone(), node.clone());
        Callback::from(move |code: String| {
            let caret = complete_state::byte_at(&text, field::caret(&node));
            put(&node, &text.setter(), complete_state::insert(&text, caret, &code));
            show_picker.emit(false);
        })
    };
    let counted = wait > 0;
    let note = match () {
        () if error.is_some() => (*error).clone(),
        () if names_itself => None,
        () if snapshot.silenced > 0 => {
            let left = text_state::countdown(snapshot.silenced);
            Some(format!("You were timed out. You can write again in {left}."))
        }
        () if snapshot.banned => Some("You are banned from this chat. You can go on watching.".to_owned()),
        () if counted => Some(format!("You can write again in {}.", text_state::countdown(wait))),
        () if text.len() > BYTES_MOST => Some("This is too long.".to_owned()),
        () if too_long => left.map(|left| format!("{} letters too many.", -left)),
        () if snapshot.full => Some("Enough messages wait to go out.".to_owned()),
        () if !snapshot.reachable => {
            Some("Lost the server. What you write goes out when it is back.".to_owned())
        }
        () if commands => complete_state::usage(&text, &room.commands),
        () => left.map(|left| format!("{left} letters left.")),
    };
    let modes = text_state::modes(&room.settings);
    let matches = completing.as_ref().filter(|completing| completing.matches.len() > 1);
    let matched = matches.map(|completing| {
        let one = |(at, name): (usize, &String)| {
            html! { <span class={(at == completing.at).then_some("chat-match")}>{ name }</span> }
        };
        let near = completing.matches.iter().enumerate().skip(completing.at.saturating_sub(1)).take(4);
        html! { <p class="chat-matches" role="status" data-testid="chat-matches">{ for near.map(one) }</p> }
    });
    let answering = props.reply_to.as_ref().map(|reply| {
        html! {
            <p class="chat-answering" data-testid="chat-answering">
                { icon(Shape::Reply) }
                <span class="chat-reply-words">{ "Answering " }<b><bdi>{ reply.name.as_str() }</bdi></b>{ ": " }
                    <bdi>{ &reply.excerpt }</bdi></span>
                <IconButton icon={Shape::Close} label="Don't answer" on={props.on_answered.clone()} testid="chat-not-answering" />
            </p>
        }
    });
    let (words, label) = if names_itself {
        ("Your name, to write", "Your name, to write as a guest")
    } else {
        ("Say something", "Message")
    };
    // Guests come and go: an appeal is an account's.
    let has_account = room.you.as_ref().is_some_and(|you| you.account.is_some());
    let appeals = has_account && (snapshot.banned || snapshot.silenced > 0);
    html! {
        <>
        <form class="chat-write" onsubmit={onsubmit}>
            if is_open { { picker(&room.emotes, room.emote_tier, &wanted, &grid, &on_pick, &close) } }
            { answering }
            if !modes.is_empty() { <p class="chat-modes" data-testid="chat-modes">{ modes }</p> }
            { matched }
            <div class="chat-field">
                <textarea id={FIELD} ref={node} rows="1" value={(*text).clone()} placeholder={words} aria-label={label}
                    aria-describedby="chat-state" aria-invalid={(too_long || error.is_some()).then_some("true")}
                    autocomplete="off" enterkeyhint="send" oninput={oninput} onkeydown={onkeydown} dir="auto"
                    data-testid={if names_itself { "guest-name" } else { "chat-text" }} />
                if !names_itself && !room.emotes.is_empty() {
                    <span class="chat-opens">
                        <IconButton icon={Shape::Smile} label="Emotes" pressed={is_open} on={toggle} testid="emote-picker" />
                    </span>
                }
                <button class="icon-button chat-send" aria-label={if names_itself { "Take this name" } else { "Send" }}
                    disabled={!can_send || text.trim().is_empty()} data-testid={if names_itself { "guest-join" } else { "chat-send" }}>
                    { icon(Shape::Send) }</button>
            </div>
            <p id="chat-state" role={counted.then_some("timer")} data-testid="chat-state"
                class={classes!("chat-state-line", (counted || too_long || error.is_some()).then_some("chat-state-strong"))}>
                if names_itself && error.is_none() { { "Or " }{ to_sign_in(&props.channel) }{ " with an account." } }
                { note }
            </p>
            <span class="hidden-words" role="status">{ told.borrow().1.clone() }</span>
        </form>
        if appeals {
            <OwnAppeal key={snapshot.barrier.clone()} channel={props.channel.clone()} />
        }
        </>
    }
}
