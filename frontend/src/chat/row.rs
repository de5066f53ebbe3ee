//! One line of the log. What people wrote is set as text, piece by piece; nothing of it is ever taken for HTML.

use super::{
    badge,
    log_state::{FOLLOWERS, Line, SLOW, What},
    outbox_state::{Pending, Stage},
    text_state,
};
use crate::{
    browser::time,
    ui::{Shape, icon},
};
use shared::{
    chat::{Badge, BadgePicture, ChatAuthor, ChatMessage, Fragment, ReplyTo},
    id::PersonId,
};
use std::rc::Rc;
use yew::prelude::*;

/// Properties of [`Row`].
#[derive(Properties, PartialEq)]
pub struct RowProps {
    /// What it shows.
    pub line: Line,
    /// Whoever reads, if it mentions them.
    #[prop_or_default]
    pub to: Option<PersonId>,
    /// With its time and what can be done: the pointer or the focus is on it.
    #[prop_or_default]
    pub active: bool,
    /// Without anything to press, as over a picture.
    #[prop_or_default]
    pub plain: bool,
    /// The channel's own pictures for its subscribers.
    #[prop_or_default]
    pub badges: Rc<[BadgePicture]>,
}

/// A message, or what happened.
#[component]
pub fn Row(props: &RowProps) -> Html {
    match &props.line.what {
        What::Message(message) => written(message, props),
        What::Silenced(name, seconds) => note(
            html! { <><bdi>{ name.as_str() }</bdi>{ format!(" was timed out for {}.", text_state::countdown(*seconds)) }</> },
        ),
        What::Rules(SLOW, seconds) => note(html! {
            { format!("Slow mode is on: one message every {}.", text_state::countdown(u64::from(*seconds))) }
        }),
        What::Rules(FOLLOWERS, minutes) => note(html! {
            { format!("Who writes must have followed for {}.", text_state::countdown(u64::from(*minutes) * 60)) }
        }),
        What::Banned(name) => note(html! { <><bdi>{ name.as_str() }</bdi>{ " was banned." }</> }),
        What::Raided(name, viewers) => {
            let with = if *viewers == 1 { "a viewer".to_owned() } else { format!("{viewers} viewers") };
            note(html! { <><bdi>{ name.as_str() }</bdi>{ format!(" raids with {with}. Say hello!") }</> })
        }
        What::Said(words) => html! { <li class="chat-note chat-said" data-testid="chat-said">{ words }</li> },
        What::Rules(words, _) => note(html! { { *words } }),
        What::Gap => note(html! { { "Some messages are missing: this page was away for too long." } }),
    }
}

fn note(words: Html) -> Html {
    html! { <li class="chat-note" data-testid="chat-note">{ words }</li> }
}

/// A name with its badges; `colon` before what they say, none before what they do.
fn author(author: &ChatAuthor, own: &[BadgePicture], plain: bool, colon: &'static str) -> Html {
    let style = badge::colour(author.colour, &author.id);
    let name = html! { <bdi>{ author.name.as_str() }</bdi> };
    html! {
        <>
            { for author.badges.iter().filter(|one| !plain || **one != Badge::Guest).map(|one| badge::badge(*one, own)) }
            if author.is_deleted() {
                <span class="chat-name quiet">{ name }</span>
            } else if plain {
                <span class="chat-name" style={style}>{ name }</span>
            } else {
                <button type="button" class="chat-name" style={style} tabindex="-1" data-act="open"
                    data-testid="chat-name">{ name }</button>
            }
            <span class="chat-colon">{ colon }</span>
        </>
    }
}

/// An emote's picture. One that moves stands still for who wants less motion.
pub fn emote(code: &str, url: &str, alt: &str) -> Html {
    let picture = html! {
        <img class="chat-emote" src={url.to_owned()} alt={alt.to_owned()} title={code.to_owned()} height="28" decoding="async" />
    };
    match text_state::still(url) {
        Some(still) => html! {
            <picture><source srcset={still} media="(prefers-reduced-motion: reduce)" />{ picture }</picture>
        },
        None => picture,
    }
}

/// What it says; mentions of `you` are marked.
pub fn pieces(fragments: &[Fragment], you: Option<&PersonId>) -> Html {
    let piece = |fragment: &Fragment| match fragment {
        Fragment::Text { text } => html! { { text } },
        Fragment::Mention { text, person } => {
            let me = (you == Some(person)).then_some("chat-mention-me");
            html! { <bdi class={classes!("chat-mention", me)}>{ text }</bdi> }
        }
        Fragment::Emote { text, url } if text_state::is_own(url) => emote(text, url, text_state::said(text)),
        Fragment::Link { text, url } if text_state::is_web(url) => html! {
            <>
                <a href={url.clone()} target="_blank" rel="noopener noreferrer nofollow ugc"><bdi>{ text }</bdi></a>
                if let Some(host) = text_state::elsewhere(text, url) {
                    <bdi class="chat-host">{ format!(" (leads to {host})") }</bdi>
                }
            </>
        },
        Fragment::Emote { text, .. } | Fragment::Link { text, .. } => html! { { text } },
    };
    fragments.iter().map(piece).collect()
}

fn answered(reply: &ReplyTo, plain: bool) -> Html {
    let words = if reply.excerpt.is_empty() { "a deleted message" } else { &reply.excerpt };
    let inside = html! {
        <>
            { icon(Shape::Reply) }<span class="hidden-words">{ "Answers " }</span>
            <span class="chat-reply-words"><bdi>{ reply.name.as_str() }</bdi>{ ": " }<bdi>{ words }</bdi></span>
        </>
    };
    if plain {
        return html! { <span class="chat-reply">{ inside }</span> };
    }
    html! {
        <button type="button" class="chat-reply" tabindex="-1" title="Go to that message" data-act={format!("to {}", reply.id)}
            data-testid="chat-reply">{ inside }</button>
    }
}

fn written(message: &ChatMessage, props: &RowProps) -> Html {
    let (to, plain) = (props.to.as_ref(), props.plain);
    let id = message.id.to_string();
    let name = message.author.name.as_str();
    html! {
        <li class={classes!("chat-line", to.map(|_| "chat-line-me"))} id={format!("chat-{id}")} tabindex="-1"
            data-id={id} data-testid="chat-line">
            if let Some(reply) = &message.reply_to { { answered(reply, plain) } }
            { author(&message.author, &props.badges, plain, if message.action { " " } else { ": " }) }
            <span class={classes!("chat-text", message.action.then_some("chat-does"))} dir="auto">{ pieces(&message.fragments, to) }</span>
            if props.active {
                <span class="chat-tools">
                    <time>{ time::of_day(message.at.as_millis()) }</time>
                    <button type="button" class="chat-tool" tabindex="-1" data-act="reply" title="Reply"
                        aria-label={format!("Reply to {name}")} data-testid="chat-tool-reply">{ icon(Shape::Reply) }</button>
                    <button type="button" class="chat-tool" tabindex="-1" data-act="open" title="More"
                        aria-label={format!("More for {name}'s message")} data-testid="chat-tool-more">{ icon(Shape::More) }</button>
                </span>
            }
        </li>
    }
}

/// A message of this person's that the room doesn't show yet. It is read out when the room does, or fails to.
pub fn pending(pending: &Pending, you: Option<&ChatAuthor>, own: &[BadgePicture], reachable: bool) -> Html {
    let words = match &pending.stage {
        Stage::Failed(why) => Some(why.clone()),
        Stage::Sending if !reachable => Some("Goes out as soon as the server is back.".to_owned()),
        Stage::Held(_) => Some("Waits for a moderator.".to_owned()),
        Stage::Waiting => Some("Waits for its turn.".to_owned()),
        _ => None,
    };
    let failed = matches!(pending.stage, Stage::Failed(_));
    html! {
        <li key={pending.key.to_string()} class={classes!("chat-line", "chat-pending", failed.then_some("chat-failed"))}
            aria-live="off" data-id={pending.key.to_string()} data-testid="chat-pending">
            if let Some(reply) = &pending.reply_to { { answered(reply, true) } }
            if let Some(you) = you { { author(you, own, true, ": ") } }
            <span class="chat-text" dir="auto">{ &pending.text }</span>
            if let Some(words) = words { <span class="chat-why" role={failed.then_some("alert")}>{ words }</span> }
            if failed {
                <span class="chat-again">
                    <button type="button" class="button" data-act="again" data-testid="chat-again">{ "Try again" }</button>
                    <button type="button" class="button" data-act="discard" data-testid="chat-discard">{ "Delete" }</button>
                </span>
            }
        </li>
    }
}
