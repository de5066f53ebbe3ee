//! What can be done with a message.

use super::{
    badge,
    engine::Engine,
    sheet::{LOG, Sheet},
    snapshot::Snapshot,
};
use crate::{
    browser::{page, time},
    ui::{Button, Kind, Question, Shape, Told, use_question},
};
use shared::chat::{BadgePicture, ChatMessage};
use std::rc::Rc;
use yew::prelude::*;

/// Time-outs to choose from: seconds, on the button, in a sentence.
const TIME_OUTS: [(u32, &str, &str); 5] = [
    (10, "10 s", "10 seconds"),
    (60, "1 min", "a minute"),
    (600, "10 min", "10 minutes"),
    (3600, "1 h", "an hour"),
    (86_400, "1 day", "a day"),
];

/// Reply, delete, time out. `on_reply` is absent where this person can't write.
pub fn actions(
    message: &Rc<ChatMessage>,
    snapshot: &Snapshot,
    engine: &Engine,
    on_reply: Option<Callback<()>>,
    close: &Callback<()>,
) -> Html {
    let you = snapshot.room.as_ref().and_then(|room| room.you.as_ref());
    let mine = you.is_some_and(|you| you.id == message.author.id);
    html! {
        <Actions key={message.id.to_string()} message={message.clone()} can_moderate={snapshot.can_moderate()} mine={mine}
            badges={snapshot.room.as_ref().map(|room| room.badges.clone()).unwrap_or_default()}
            engine={engine.clone()} on_reply={on_reply} on_close={close.clone()} />
    }
}

#[derive(Properties, PartialEq)]
struct ActionsProps {
    message: Rc<ChatMessage>,
    can_moderate: bool,
    /// Who looks at it wrote it.
    mine: bool,
    /// The channel's own pictures for its subscribers.
    badges: Vec<BadgePicture>,
    engine: Engine,
    on_reply: Option<Callback<()>>,
    on_close: Callback<()>,
}

#[component]
fn Actions(props: &ActionsProps) -> Html {
    let ActionsProps { message, can_moderate, mine, engine, on_reply, on_close: close, .. } = props;
    let (can_moderate, mine) = (*can_moderate, *mine);
    let (ask, question) = use_question();
    // In the place of the sheet, which is there again for whoever thinks better of it.
    if question != Html::default() {
        return question;
    }
    let delete = {
        let (engine, id, close) = (engine.clone(), message.id.clone(), close.clone());
        Callback::from(move |()| {
            page::focus_id(LOG);
            close.emit(());
            engine.delete(id.clone());
        })
    };
    let time_out = |&(seconds, label, words): &(u32, &'static str, &'static str)| {
        let (engine, author, close) = (engine.clone(), message.author.clone(), close.clone());
        let on = Callback::from(move |()| {
            page::focus_id(LOG);
            close.emit(());
            engine.silence(&author, seconds, words);
        });
        html! { <Button label={label} on={on} testid={format!("time-out-{seconds}")} /> }
    };
    let pin = {
        let (engine, id, close) = (engine.clone(), message.id.clone(), close.clone());
        Callback::from(move |()| {
            close.emit(());
            engine.pin(Some(id.clone()));
        })
    };
    let ban = {
        let (engine, author, close) = (engine.clone(), message.author.clone(), close.clone());
        let act = Callback::from(move |_: Told| {
            close.emit(());
            engine.ban(&author);
        });
        let title = format!("Ban “{}”?", message.author.name);
        Callback::from(move |()| {
            // The message may be gone with those that are deleted.
            page::focus_id(LOG);
            ask.emit(Question {
                title: title.clone(),
                text: "They can't write in this chat until you lift the ban, and what they wrote in the last hour is deleted. \
                       They can go on watching.",
                keep: "Don't ban",
                label: "Ban",
                kind: Kind::Danger,
                act: act.clone(),
            })
        })
    };
    let account =
        message.author.account.as_ref().map_or("No account".to_owned(), |account| format!("@{account}"));
    html! {
        <Sheet title={message.author.name.to_string()} on_close={close.clone()}>
            <p class="quiet"><b class="chat-name" style={badge::colour(message.author.colour, &message.author.id)} data-testid="chat-account">{ account }</b>
                { format!(" · {}", time::of_day(message.at.as_millis())) }</p>
            { badge::said(&message.author.badges, &props.badges) }
            <div class="actions">
                if let Some(on) = on_reply.clone() {
                    <Button label="Reply" icon={Shape::Reply} on={on} testid="chat-reply-to" />
                }
                if can_moderate {
                    <Button label="Pin" icon={Shape::Pin} on={pin} testid="chat-pin-it" />
                }
                if can_moderate || mine {
                    <Button label="Delete for everybody" kind={Kind::Danger} on={delete} testid="chat-delete" />
                }
            </div>
            if can_moderate {
                <a class="link" href={format!("/moderation/{}?person={}", engine.channel(), message.author.id)}
                    data-testid="chat-history">{ "What they wrote before, and what was done about it" }</a>
            }
            if can_moderate && !mine {
                <fieldset class="chat-time-outs">
                    <legend>{ "Time out, and take away what they wrote in the last ten minutes" }</legend>
                    { for TIME_OUTS.iter().map(time_out) }
                    <Button label="Ban" kind={Kind::Danger} on={ban} testid="chat-ban" />
                </fieldset>
            }
        </Sheet>
    }
}
