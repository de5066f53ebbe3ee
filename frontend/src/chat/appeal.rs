//! One's own appeal: where it says that one is banned or timed out, one says something against it and reads what became of that.

use crate::{
    api::{Order, text, use_desk, use_events},
    browser::{page, scroll, time},
    ui::{Button, Kind, Lines},
};
use serde_json::json;
use shared::{appeal::APPEAL_MOST, event::Topic, id::ChannelName};
use yew::prelude::*;

/// What became of it is asked at most so often, in milliseconds, however much moderators do.
const PACE: i32 = 1000;

/// Properties of [`OwnAppeal`].
#[derive(Properties, PartialEq)]
pub struct OwnAppealProps {
    /// Whose room.
    pub channel: ChannelName,
}

/// The field's id.
const FIELD: &str = "chat-appeal";

/// Where it stands; nothing where there is nothing to appeal against.
#[component]
pub fn OwnAppeal(props: &OwnAppealProps) -> Html {
    let path = format!("channels/{}/chat/appeal", props.channel);
    let desk = use_desk(path.clone());
    let (is_open, typed, is_empty) = (use_state(|| false), use_state(String::new), use_state(|| false));
    let events = use_events();
    let state = text(&desk.data["appeal"], "state").to_owned();
    // While it waits, a moderator may be about to decide it.
    {
        let again = desk.again.clone();
        let waits = state == "waiting";
        use_effect_with((props.channel.clone(), events, waits), move |(channel, events, waits)| {
            let timer = std::rc::Rc::new(std::cell::RefCell::new(None::<time::Timer>));
            let followed = waits.then(|| {
                let timer = timer.clone();
                events.subscribe(Topic::ChannelEvents, Some(channel.clone()), move |_| {
                    if timer.borrow().is_some() {
                        return;
                    }
                    let (again, done) = (again.clone(), std::rc::Rc::downgrade(&timer));
                    let next = time::after(PACE, move || {
                        if let Some(timer) = done.upgrade() {
                            timer.take();
                        }
                        again.emit(());
                    });
                    *timer.borrow_mut() = Some(next);
                })
            });
            move || drop((followed, timer))
        });
    }
    // What was pressed goes: the focus goes on to the field, back to the button, or to what became of it.
    let (node, was_open) = (use_node_ref(), use_mut_ref(|| false));
    {
        let (node, is_made) = (node.clone(), !state.is_empty());
        use_effect_with(*is_open, move |is_open| {
            let was_open = was_open.replace(*is_open);
            match (was_open, is_open) {
                (_, true) => page::focus_id(FIELD),
                (true, false) => scroll::focus_first(&node, if is_made { "[role=status]" } else { "button" }),
                (false, false) => {}
            }
        });
    }
    let is_barred = !desk.data["against"].is_null();
    let answer = text(&desk.data["appeal"], "answer").to_owned();
    let words = match &*state {
        _ if !is_barred => "",
        "" => "",
        "waiting" => "Your appeal is with the moderators.",
        _ => "Your appeal was declined.",
    };
    let shown = |rest: Html| {
        html! {
            <div class="chat-appeal" ref={node.clone()}>
                // There from the start: what comes into it is read out.
                <div role="status" tabindex="-1" data-testid="own-appeal">
                    if !words.is_empty() {
                        <p>{ words }</p>
                        if !answer.is_empty() {
                            <p class="quiet">{ "They answered: " }<span dir="auto">{ answer.clone() }</span></p>
                        }
                    }
                </div>
                { rest }
            </div>
        }
    };
    if !is_barred || !state.is_empty() {
        return shown(Html::default());
    }
    let open = {
        let is_open = is_open.setter();
        Callback::from(move |()| is_open.set(true))
    };
    if !*is_open {
        return shown(html! {
            <Button label="Appeal" name="Appeal against it" on={open} testid="appeal-open" />
        });
    }
    let close = {
        let is_open = is_open.setter();
        Callback::from(move |()| is_open.set(false))
    };
    let on = {
        let (typed, is_empty) = (typed.setter(), is_empty.setter());
        Callback::from(move |said: String| {
            is_empty.set(false);
            typed.set(said);
        })
    };
    let count = typed.trim().chars().count();
    let onsubmit = {
        let (order, typed, is_empty, close) =
            (desk.order.clone(), typed.clone(), is_empty.setter(), close.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            match typed.trim() {
                "" => is_empty.set(true),
                said if said.chars().count() > APPEAL_MOST => {}
                said => {
                    let (path, body) = (path.clone(), Some(json!({ "text": said })));
                    let sent = Order { method: "POST", path, body, in_form: true, ..Order::default() };
                    let close = close.clone();
                    order.emit(sent.then(move |_| close.emit(())));
                }
            }
        }
    };
    let error = match count {
        0 if *is_empty => Some("Say why it should be lifted.".to_owned()),
        count if count > APPEAL_MOST => Some(format!("{} characters too many.", count - APPEAL_MOST)),
        _ => desk.wrong.clone(),
    };
    shown(html! {
        <form class="form" onsubmit={onsubmit} novalidate=true>
            <Lines id={FIELD} label="Why should it be lifted?" value={(*typed).clone()} on={on}
                error={error.map(AttrValue::from)} hint="The moderators read it. You can appeal once." testid="appeal-text" />
            <p class="queue-acts">
                <Button label="Send the appeal" kind={Kind::Primary} busy={desk.is_busy} testid="appeal-send" />
                <Button label="Not now" on={close} testid="appeal-close" />
            </p>
        </form>
    })
}
