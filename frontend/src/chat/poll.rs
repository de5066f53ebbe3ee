//! The poll that is open, or just was: a question, its options, and what was answered.

use super::{composer::may_write, engine::Engine, snapshot::Snapshot, text_state};
use crate::ui::{IconButton, Shape};
use yew::prelude::*;

/// It, above the log. Options are buttons until this person voted; then, and at the end, they show their share.
pub fn poll(snapshot: &Snapshot, engine: Option<&Engine>) -> Html {
    let room = snapshot.room.as_ref().filter(|room| room.poll.is_some());
    let (Some(room), Some(engine)) = (room, engine) else { return Html::default() };
    let Some(poll) = &room.poll else { return Html::default() };
    let all: u32 = poll.options.iter().map(|option| option.votes).sum();
    let can_vote = !poll.ended && room.vote.is_none() && !snapshot.banned && may_write(room);
    let option = |(at, option): (usize, &shared::poll::PollOption)| {
        let share = option.votes * 100 / all.max(1);
        let mine = room.vote == Some(at as u32);
        if can_vote {
            let (engine, id) = (engine.clone(), poll.id.clone());
            let onclick = move |_: MouseEvent| engine.vote(&id, at as u32);
            return html! {
                <li><button type="button" class="button" onclick={onclick} data-testid={format!("vote-{at}")}><bdi>{ &option.text }</bdi></button></li>
            };
        }
        html! {
            <li class={classes!("poll-answer", mine.then_some("poll-mine"))} data-testid={format!("answer-{at}")}>
                <bdi>{ &option.text }</bdi>
                <span class="poll-share">{ format!("{share} %") }</span>
                <meter class="poll-bar" max="100" value={share.to_string()} aria-hidden="true"></meter>
            </li>
        }
    };
    let left = poll.ends_at.since(engine.server_time()).as_millis().div_ceil(1000) as u64;
    let votes = if all == 1 { "1 vote".to_owned() } else { format!("{all} votes") };
    let state = if poll.ended { "over".to_owned() } else { format!("{} left", text_state::countdown(left)) };
    let away = {
        let engine = engine.clone();
        Callback::from(move |()| engine.put_poll_away())
    };
    html! {
        <aside class="chat-poll" aria-label="Poll" data-testid="poll">
            <header>
                <h3><bdi>{ &poll.question }</bdi></h3>
                if poll.ended { <IconButton icon={Shape::Close} label="Close the poll" on={away} testid="poll-close" /> }
            </header>
            <ul class="plain-list">{ for poll.options.iter().enumerate().map(option) }</ul>
            <p class="quiet" data-testid="poll-state">{ format!("{votes} · {state}") }</p>
        </aside>
    }
}
