//! What moderators work with: the queue, the record, the people and the rules, kept up to date, and what they do there.

use crate::{
    api::{Failure, Site, Who, chat as rest, events::Events, use_events},
    browser::{self, time},
    ui::use_toast,
};
use shared::{
    chat::{ChatSettings, EditChat},
    event::Topic,
    id::{ChannelName, MessageId, PersonId},
    moderation::{Ban, ChatAction, Filters, HeldMessage, Moderator, PersonCard, Silence},
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use yew::prelude::*;

/// It is asked what is new at most so often, in milliseconds, however much happens.
const PACE: i32 = 1000;

/// All of it, as it was last read.
#[derive(Clone, Default, PartialEq)]
pub struct Desk {
    /// What waits, oldest first.
    pub held: Vec<HeldMessage>,
    /// What was done, newest first.
    pub actions: Vec<ChatAction>,
    /// Who is timed out.
    pub silences: Vec<Silence>,
    /// Who is banned.
    pub bans: Vec<Ban>,
    /// Who moderates.
    pub moderators: Vec<Moderator>,
    /// The rules.
    pub rules: ChatSettings,
    /// What is held.
    pub filters: Filters,
    /// The person who is looked at.
    pub card: Option<Rc<PersonCard>>,
    /// It was read.
    pub is_loaded: bool,
    /// Why it wasn't.
    pub failure: Option<Failure>,
}

/// What a moderator does.
#[derive(Clone)]
pub enum Deed {
    /// Lets a held message through, or refuses it.
    Decide(MessageId, bool),
    /// Times somebody out for so many seconds.
    TimeOut(PersonId, u32),
    /// Lifts a time-out.
    Lift(PersonId),
    /// Bans somebody.
    Ban(PersonId),
    /// Lifts a ban.
    Unban(PersonId),
    /// Changes the rules.
    Rules(EditChat),
    /// Sets what is held.
    Filters(Filters),
    /// Looks at somebody, or at nobody any more.
    Look(Option<PersonId>),
}

struct Inner {
    channel: ChannelName,
    desk: RefCell<Desk>,
    looked_at: RefCell<Option<PersonId>>,
    /// Something happened since it was last read.
    is_old: Cell<bool>,
    is_reading: Cell<bool>,
    report: Callback<Desk>,
    said: Callback<String>,
}

impl Inner {
    fn show(&self) {
        self.report.emit(self.desk.borrow().clone());
    }

    /// Reads everything anew, now or when it may.
    fn refresh(self: &Rc<Self>) {
        self.is_old.set(true);
        if self.is_reading.replace(true) {
            return;
        }
        let inner = self.clone();
        browser::spawn(async move {
            while inner.is_old.replace(false) {
                let read = inner.read().await;
                match read {
                    Ok(next) => *inner.desk.borrow_mut() = next,
                    Err(failure) => inner.desk.borrow_mut().failure = Some(failure),
                }
                inner.show();
                time::sleep(PACE).await;
            }
            inner.is_reading.set(false);
        });
    }

    async fn read(&self) -> Result<Desk, Failure> {
        let channel = &self.channel;
        let looked_at = self.looked_at.borrow().clone();
        let card = match &looked_at {
            Some(person) => Some(Rc::new(rest::card(channel, person).await?)),
            None => None,
        };
        Ok(Desk {
            held: rest::held(channel).await?,
            actions: rest::actions(channel).await?,
            silences: rest::silences(channel).await?,
            bans: rest::bans(channel).await?,
            moderators: rest::moderators(channel).await?,
            rules: rest::room(channel, None).await?.settings,
            filters: rest::filters(channel).await?,
            card,
            is_loaded: true,
            failure: None,
        })
    }

    async fn carry_out(&self, deed: &Deed) -> Result<Option<String>, Failure> {
        let channel = &self.channel;
        match deed {
            Deed::Decide(message, approve) => {
                let decided = rest::decide(channel, message, *approve).await?;
                // Somebody else was first, and decided otherwise.
                let words = if decided.approved { "let it through" } else { "refused it" };
                return Ok((decided.approved != *approve)
                    .then(|| format!("\u{2068}{}\u{2069} {words} already.", decided.by_name)));
            }
            Deed::TimeOut(person, seconds) => rest::silence(channel, person.clone(), *seconds).await?,
            Deed::Lift(person) => rest::lift(channel, person).await?,
            Deed::Ban(person) => rest::ban(channel, person.clone()).await?,
            Deed::Unban(person) => rest::unban(channel, person).await?,
            Deed::Rules(edit) => rest::set_rules(channel, edit).await?,
            Deed::Filters(filters) => rest::set_filters(channel, filters).await?,
            Deed::Look(_) => {}
        }
        Ok(None)
    }

    fn act(self: &Rc<Self>, deed: Deed) {
        match &deed {
            // Gone from here at once: the next one is what counts.
            Deed::Decide(message, _) => {
                self.desk.borrow_mut().held.retain(|held| held.id != *message);
                self.show();
            }
            Deed::Look(person) => {
                *self.looked_at.borrow_mut() = person.clone();
                if person.is_none() {
                    self.desk.borrow_mut().card = None;
                    self.show();
                }
            }
            _ => {}
        }
        let inner = self.clone();
        browser::spawn(async move {
            match inner.carry_out(&deed).await {
                Ok(Some(words)) => inner.said.emit(words),
                Ok(None) => {}
                Err(failure) => inner.said.emit(failure.sentence()),
            }
            inner.refresh();
        });
    }
}

/// The desk of a channel's chat, and how to do something there.
#[hook]
pub fn use_desk(channel: &ChannelName, site: &Site) -> (Desk, Callback<Deed>) {
    let events: Events = use_events();
    let toast = use_toast();
    let desk = use_state(Desk::default);
    let inner = {
        let report = desk.setter();
        use_memo(channel.clone(), move |channel| {
            Rc::new(Inner {
                channel: channel.clone(),
                desk: RefCell::default(),
                looked_at: RefCell::default(),
                is_old: Cell::new(false),
                is_reading: Cell::new(false),
                report: Callback::from(move |next| report.set(next)),
                said: toast,
            })
        })
    };
    let who = match &site.who {
        Who::Somebody(me) => Some(me.id.clone()),
        _ => None,
    };
    {
        let inner = inner.clone();
        use_effect_with((channel.clone(), events, who), move |(channel, events, who)| {
            let followed = who.as_ref().map(|_| {
                inner.refresh();
                let weak = Rc::downgrade(&inner);
                events.subscribe(Topic::ChannelEvents, Some(channel.clone()), move |_| {
                    if let Some(inner) = weak.upgrade() {
                        inner.refresh();
                    }
                })
            });
            move || drop(followed)
        });
    }
    let act = Callback::from(move |deed| inner.act(deed));
    ((*desk).clone(), act)
}
