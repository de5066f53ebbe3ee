//! One broadcast's analytics, kept current: by REST at first and whenever something is missing, live steps in between.

use super::merge_state;
use crate::{
    api::{Failure, Load, rest, use_events},
    browser::{self, time},
};
use shared::{
    analytics::BroadcastAnalytics,
    event::{Payload, Topic},
    id::{BroadcastId, ChannelName},
};
use std::{cell::Cell, rc::Rc};
use yew::prelude::*;

/// How often what live steps don't tell is loaded, in milliseconds.
const AGAIN: i32 = 60_000;
/// The least time between two loadings because a step didn't fit, in milliseconds.
const PATIENCE: u64 = 15_000;

/// The channel's live steps: what was heard last, of whichever broadcast is on.
#[hook]
pub fn use_steps(channel: &ChannelName) -> Option<Rc<BroadcastAnalytics>> {
    let events = use_events();
    let last = use_state(|| None);
    {
        let last = last.clone();
        use_effect_with((channel.clone(), events), move |(channel, events)| {
            let subscription = events.subscribe(Topic::Analytics, Some(channel.clone()), move |payload| {
                if let Payload::Analytics(step) = payload {
                    last.set(Some(Rc::from(step)));
                }
            });
            move || drop(subscription)
        });
    }
    (*last).clone()
}

/// A broadcast, brought up to date by `step` where it is of the same one.
#[hook]
pub fn use_analytics(
    id: Option<BroadcastId>,
    step: Option<Rc<BroadcastAnalytics>>,
) -> Load<Rc<BroadcastAnalytics>, Failure> {
    let load = use_state(Load::<Rc<BroadcastAnalytics>, Failure>::default);
    let round = use_state(|| 0_u32);
    {
        let load = load.clone();
        use_effect_with((id.clone(), *round), move |(id, _)| {
            let alive = Rc::new(Cell::new(true));
            if let Some(id) = id.clone() {
                let still = alive.clone();
                browser::spawn(async move {
                    let (mut wait, mut latest) = (1000, (*load).clone());
                    while still.get() {
                        latest = latest.after(rest::analytics(&id).await.map(Rc::new));
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
            }
            move || alive.set(false)
        });
    }
    let asked = use_memo((), |()| Cell::new(0));
    {
        let (load, round) = (load.clone(), round.clone());
        use_effect_with(step, move |step| {
            let (Some(loaded), Some(step)) = (&load.data, step) else { return };
            if loaded.summary.stream_id != step.summary.stream_id {
                return;
            }
            match merge_state::merge(loaded, step) {
                Some(merged) => load.set(Load { data: Some(Rc::new(merged)), error: None }),
                // Not each time, should it go on like this.
                None if time::now() >= asked.get() + PATIENCE => {
                    asked.set(time::now());
                    round.set(*round + 1);
                }
                None => {}
            }
        });
    }
    let live = load.data.as_ref().is_some_and(|data| data.summary.end_time.is_none());
    use_effect_with((live, *round), move |&(live, at)| {
        let timer = live.then(|| time::after(AGAIN, move || round.set(at + 1)));
        move || drop(timer)
    });
    (*load).clone()
}
