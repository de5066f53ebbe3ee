//! What moderators work with: the queue, the record, the people and the rules, kept up to date, and what they do there.

use super::appeals::Decision;
use crate::{
    api::{Failure, Site, Who, chat as rest, events::Events, use_events},
    browser::{self, time},
    ui::{Told, use_toast},
};
use shared::{
    appeal::DecideAppeal,
    chat::{ChatSettings, EditChat},
    event::Topic,
    id::{ChannelName, MessageId, PersonId},
    moderation::{Ban, ChatAction, Filters, HeldMessage, Moderator, PersonCard, Silence},
};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
};
use yew::prelude::*;

/// It is asked what is new at most so often, in milliseconds, however much happens.
const PACE: i32 = 1000;
/// And at least so often while it doesn't come.
const SLOWEST: i32 = 8000;

/// All of it, as it was last read.
#[derive(Clone, Default, PartialEq)]
pub struct Desk {
    /// What waits, oldest first.
    pub held: Vec<HeldMessage>,
    /// Appeals that wait.
    pub appeals: rest::WaitingAppeals,
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
    /// Why it wasn't, or not again.
    pub failure: Option<Failure>,
    /// After a failure, it is being read again.
    pub is_retrying: bool,
}

/// What a moderator does.
#[derive(Clone)]
pub enum Deed {
    /// Lets a held message through, or refuses it.
    Decide(MessageId, bool),
    /// Accepts an appeal, or declines it.
    Appeal(Decision),
    /// Times somebody out for so many seconds.
    TimeOut(PersonId, u32),
    /// Lifts a time-out.
    Lift(PersonId),
    /// Bans somebody, and tells whoever asked how it went.
    Ban(PersonId, Told),
    /// Lifts a ban.
    Unban(PersonId),
    /// Changes the rules.
    Rules(EditChat),
    /// Changes what is held.
    Filters(Rc<dyn Fn(&mut Filters)>),
    /// Looks at somebody, or at nobody any more.
    Look(Option<PersonId>),
    /// Reads it again at once.
    Again,
}

struct Inner {
    channel: ChannelName,
    desk: RefCell<Desk>,
    looked_at: RefCell<Option<PersonId>>,
    /// Something happened since it was last read.
    is_old: Cell<bool>,
    is_reading: Cell<bool>,
    /// Until it is read again, and how long that is after the next failure.
    timer: RefCell<Option<time::Timer>>,
    wait: Cell<i32>,
    /// Changes of rules and filters. They are shown at once and sent one after another, so that none overtakes another.
    changes: RefCell<VecDeque<Deed>>,
    is_changing: Cell<bool>,
    /// Some of them are newer than what is being read.
    is_changed: Cell<bool>,
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
        if self.timer.borrow().is_none() {
            self.start();
        }
    }

    fn start(self: &Rc<Self>) {
        if self.is_reading.replace(true) {
            return;
        }
        if self.desk.borrow().failure.is_some() {
            self.desk.borrow_mut().is_retrying = true;
            self.show();
        }
        let inner = self.clone();
        browser::spawn(async move {
            *inner.timer.borrow_mut() = None;
            inner.is_old.set(false);
            inner.is_changed.set(inner.is_changing.get());
            let looked_at = inner.looked_at.borrow().clone();
            let read = inner.read(looked_at.as_ref()).await;
            let wait = inner.take(read, looked_at.as_ref());
            inner.show();
            inner.is_reading.set(false);
            let weak = Rc::downgrade(&inner);
            let next = time::after(wait, move || {
                let Some(inner) = weak.upgrade() else { return };
                if inner.is_old.get() {
                    inner.start();
                } else {
                    *inner.timer.borrow_mut() = None;
                }
            });
            *inner.timer.borrow_mut() = Some(next);
        });
    }

    /// Takes over what was read; answers for how long it isn't read again.
    fn take(&self, read: Result<Desk, Failure>, looked_at: Option<&PersonId>) -> i32 {
        let mut desk = self.desk.borrow_mut();
        match read {
            Ok(mut next) => {
                if self.is_changed.get() {
                    (next.rules, next.filters) = (desk.rules, desk.filters.clone());
                }
                // Meanwhile somebody else is looked at, or nobody.
                if self.looked_at.borrow().as_ref() != looked_at {
                    next.card = None;
                }
                *desk = next;
                self.wait.set(PACE);
                PACE
            }
            Err(failure) => {
                self.is_old.set(self.is_old.get() || failure.may_pass());
                (desk.failure, desk.is_retrying) = (Some(failure), false);
                self.wait.replace((self.wait.get() * 2).min(SLOWEST))
            }
        }
    }

    async fn read(&self, looked_at: Option<&PersonId>) -> Result<Desk, Failure> {
        let channel = &self.channel;
        let card = match looked_at {
            Some(person) => self.card(person).await?,
            None => None,
        };
        Ok(Desk {
            held: rest::held(channel).await?,
            appeals: rest::appeals(channel).await?,
            actions: rest::actions(channel).await?,
            silences: rest::silences(channel).await?,
            bans: rest::bans(channel).await?,
            moderators: rest::moderators(channel).await?,
            rules: rest::room(channel, None).await?.settings,
            filters: rest::filters(channel).await?,
            card,
            is_loaded: true,
            failure: None,
            is_retrying: false,
        })
    }

    /// Somebody's card. One that the server doesn't give is closed: all the rest can be read without it.
    async fn card(&self, person: &PersonId) -> Result<Option<Rc<PersonCard>>, Failure> {
        match rest::card(&self.channel, person).await {
            Ok(card) => Ok(Some(Rc::new(card))),
            Err(failure) if failure.status().is_none() => Err(failure),
            Err(failure) => {
                self.looked_at.borrow_mut().take_if(|now| now == person);
                self.said.emit(format!("This person's card didn't come. {}", failure.refusal()));
                Ok(None)
            }
        }
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
            Deed::Appeal(Decision { appeal, accept, answer, .. }) => {
                let decide = DecideAppeal { accept: *accept, answer: answer.clone() };
                rest::decide_appeal(channel, appeal, &decide).await?;
            }
            Deed::TimeOut(person, seconds) => rest::silence(channel, person.clone(), *seconds).await?,
            Deed::Lift(person) => rest::lift(channel, person).await?,
            Deed::Ban(person, _) => rest::ban(channel, person.clone()).await?,
            Deed::Unban(person) => rest::unban(channel, person).await?,
            Deed::Rules(edit) => rest::set_rules(channel, edit).await?,
            Deed::Filters(_) => {
                let filters = self.desk.borrow().filters.clone();
                rest::set_filters(channel, &filters).await?;
            }
            Deed::Look(_) | Deed::Again => {}
        }
        Ok(None)
    }

    fn act(self: &Rc<Self>, deed: Deed) {
        let mut desk = self.desk.borrow_mut();
        match &deed {
            // Gone from here at once: the next one is what counts.
            Deed::Decide(message, _) => desk.held.retain(|held| held.id != *message),
            Deed::Rules(edit) => desk.rules = edit.on(desk.rules),
            Deed::Filters(change) => change(&mut desk.filters),
            Deed::Look(person) => {
                *self.looked_at.borrow_mut() = person.clone();
                if person.is_none() {
                    desk.card = None;
                }
            }
            Deed::Again => {
                drop(desk);
                self.is_old.set(true);
                return self.start();
            }
            _ => {}
        }
        drop(desk);
        self.show();
        if matches!(deed, Deed::Rules(_) | Deed::Filters(_)) {
            return self.change(deed);
        }
        let inner = self.clone();
        browser::spawn(async move {
            let done = inner.carry_out(&deed).await.map_err(|failure| failure.refusal());
            match (done, &deed) {
                (done, Deed::Ban(_, told)) => told.emit(done.err()),
                (Ok(_), Deed::Appeal(decision)) => {
                    let waiting = &mut inner.desk.borrow_mut().appeals.appeals;
                    waiting.retain(|appeal| appeal.id != decision.appeal);
                }
                (Err(words), Deed::Appeal(decision)) => {
                    decision.told.emit(Some(words.clone()));
                    inner.said.emit(words);
                }
                (Ok(Some(words)) | Err(words), _) => inner.said.emit(words),
                (Ok(None), _) => {}
            }
            inner.show();
            inner.refresh();
        });
    }

    /// Sends a change of the rules or filters, and those that are made meanwhile.
    fn change(self: &Rc<Self>, deed: Deed) {
        self.changes.borrow_mut().push_back(deed);
        self.is_changed.set(true);
        if self.is_changing.replace(true) {
            return;
        }
        let inner = self.clone();
        browser::spawn(async move {
            while let Some(deed) = inner.next_change() {
                if let Err(failure) = inner.carry_out(&deed).await {
                    inner.said.emit(failure.refusal());
                }
            }
            inner.is_changing.set(false);
            // Also what could not be changed shows again as it is.
            inner.refresh();
        });
    }

    /// What is to be sent next. Filters are sent whole and as they are by then, so once is enough.
    fn next_change(&self) -> Option<Deed> {
        let mut changes = self.changes.borrow_mut();
        let next = changes.pop_front()?;
        if matches!(next, Deed::Filters(_)) {
            changes.retain(|deed| !matches!(deed, Deed::Filters(_)));
        }
        Some(next)
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
                timer: RefCell::default(),
                wait: Cell::new(PACE),
                changes: RefCell::default(),
                is_changing: Cell::new(false),
                is_changed: Cell::new(false),
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
