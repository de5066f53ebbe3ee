//! The room's moving parts: carries messages between the server and the pure states, and reports what there is to show.

mod deeds;

use super::{
    emotes_state,
    log_state::LogState,
    outbox_state::{OutboxState, Refused},
    snapshot::{Heard, Snapshot},
    text_state,
};
use crate::{
    api::{
        Failure, chat as rest,
        events::{Events, Subscription},
    },
    browser::{
        self, storage,
        time::{self, Frame, Timer},
    },
};
use shared::{
    appeal::SHORT_SILENCE,
    chat::{Badge, ChatMessage, ChatRoom, ChatUpdate, ReplyTo},
    event::{Payload, RequestPayload, Topic},
    id::{ChannelName, PollId, RequestId},
    raid::Raid,
    text::DisplayName,
    unit::Timestamp,
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use yew::Callback;

const GUEST: &str = "weir.guest";
/// How often it is looked whether something is due.
const TICK: i32 = 250;
/// Two clocks apart by so many milliseconds more than before: the machine slept, or one was set.
const SLEPT: i64 = 2000;

struct Inner {
    channel: ChannelName,
    events: Events,
    report: Callback<Heard>,
    log: RefCell<LogState>,
    outbox: RefCell<OutboxState>,
    room: RefCell<Option<Rc<ChatRoom>>>,
    failure: RefCell<Option<Failure>>,
    /// Why its messages don't come.
    refused: RefCell<Option<Failure>>,
    reachable: Cell<bool>,
    /// A guest's token.
    guest: RefCell<Option<String>>,
    /// The server's clock minus the one that only goes forward, in milliseconds.
    offset: Cell<i64>,
    /// This machine's clock minus that one.
    drift: Cell<i64>,
    silenced_until: Cell<Option<Timestamp>>,
    banned: Cell<bool>,
    /// Which ban that is, counted from when the room was opened.
    ban: Cell<u32>,
    /// A poll that was told of here; what was over before is nobody's concern.
    poll: RefCell<Option<PollId>>,
    /// The composer is empty.
    free: Cell<bool>,
    /// Seconds after which a message is no longer shown.
    fade: Option<u64>,
    /// What countdowns said last, and whether news were read out.
    said: Cell<((u64, u64), u64, bool)>,
    sending: RefCell<Option<Subscription>>,
    keep: RefCell<Vec<Subscription>>,
    timer: RefCell<Option<Timer>>,
    frame: RefCell<Option<Frame>>,
    /// Asking for the room again makes an older answer worthless.
    asked: Cell<u32>,
}

fn drift() -> i64 {
    time::wall() - time::now() as i64
}

/// Slow mode doesn't hold for VIPs.
fn is_vip(room: &ChatRoom) -> bool {
    room.you.as_ref().is_some_and(|you| you.badges.contains(&Badge::Vip))
}

/// One room, followed as long as it is kept.
#[derive(Clone)]
pub struct Engine(Rc<Inner>);

impl PartialEq for Engine {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Engine {
    /// Follows a room. `fade`: seconds after which messages go.
    pub fn new(channel: ChannelName, events: &Events, fade: Option<u64>, report: Callback<Heard>) -> Self {
        let inner = Rc::new(Inner {
            channel: channel.clone(),
            events: events.clone(),
            report,
            log: RefCell::default(),
            outbox: RefCell::default(),
            room: RefCell::default(),
            failure: RefCell::default(),
            refused: RefCell::default(),
            reachable: Cell::new(true),
            guest: RefCell::new(storage::read(GUEST).filter(|token| !token.is_empty())),
            offset: Cell::new(drift()),
            drift: Cell::new(drift()),
            silenced_until: Cell::new(None),
            banned: Cell::new(false),
            ban: Cell::new(0),
            poll: RefCell::default(),
            free: Cell::new(true),
            fade,
            said: Cell::default(),
            sending: RefCell::default(),
            keep: RefCell::default(),
            timer: RefCell::default(),
            frame: RefCell::default(),
            asked: Cell::new(0),
        });
        let weak = Rc::downgrade(&inner);
        let messages = events.subscribe_dated(Topic::Chat, Some(channel), move |payload, at| {
            if let Some(inner) = weak.upgrade() {
                inner.heard(payload, at);
            }
        });
        let weak = Rc::downgrade(&inner);
        let reachable = events.watch_reachable(move |is| {
            if let Some(inner) = weak.upgrade() {
                inner.reachable.set(is);
                inner.schedule();
            }
        });
        inner.keep.borrow_mut().extend([messages, reachable]);
        let weak = Rc::downgrade(&inner);
        *inner.timer.borrow_mut() = Some(time::every(TICK, move || {
            if let Some(inner) = weak.upgrade() {
                inner.tick();
            }
        }));
        Self(inner)
    }

    /// Asks who this person is here and what they may do.
    pub fn identify(&self) {
        self.0.identify();
    }

    /// Whose room it is.
    pub fn channel(&self) -> &ChannelName {
        &self.0.channel
    }

    /// Now, by the server's clock.
    pub fn server_time(&self) -> Timestamp {
        self.0.server_time()
    }

    /// Whether the composer is empty, so that a text can go back there.
    pub fn set_free(&self, free: bool) {
        self.0.free.set(free);
    }

    /// Takes a message; `false` if too many wait.
    pub fn write(&self, text: String, reply_to: Option<ReplyTo>) -> bool {
        let mut key = String::new();
        for _ in 0..2 {
            key += &format!("{:08x}", (time::random() * f64::from(u32::MAX)) as u32);
        }
        let Ok(key) = format!("{key}-{}", time::wall()).parse::<RequestId>() else { return false };
        let taken = self.0.outbox.borrow_mut().push(key, text, reply_to);
        self.pause(false);
        self.0.send();
        taken
    }

    /// Sends a message that failed again.
    pub fn retry(&self, key: &RequestId) {
        self.0.outbox.borrow_mut().retry(key);
        self.0.send();
        self.0.schedule();
    }

    /// Lets a message go that was not taken.
    pub fn discard(&self, key: &RequestId) {
        self.0.outbox.borrow_mut().remove(key);
        self.0.schedule();
    }

    /// Somebody reads further up, or is back at the end.
    pub fn pause(&self, paused: bool) {
        if self.0.log.borrow().is_paused() != paused {
            self.0.log.borrow_mut().pause(paused);
        }
        self.0.schedule();
    }

    /// Who can be mentioned, who wrote last first.
    pub fn people(&self) -> Vec<String> {
        self.0.log.borrow().people()
    }

    /// Writes as a guest of this name from now on.
    pub fn become_guest(&self, name: DisplayName) -> impl Future<Output = Result<(), Failure>> + use<> {
        let inner = self.0.clone();
        async move {
            let made = rest::create_guest(name).await?;
            storage::write(GUEST, &made.token);
            *inner.guest.borrow_mut() = Some(made.token);
            if let Some(room) = inner.room.borrow_mut().as_mut() {
                Rc::make_mut(room).you = Some(made.author);
            }
            inner.schedule();
            inner.identify();
            Ok(())
        }
    }

    /// Forgets the guest's name.
    pub fn forget_guest(&self) {
        storage::write(GUEST, "");
        self.0.guest.take();
        self.0.identify();
    }
}

impl Inner {
    fn server_time(&self) -> Timestamp {
        Timestamp::from_millis(time::now() as i64 + self.offset.get())
    }

    fn heard(self: &Rc<Self>, payload: Payload, at: Timestamp) {
        let now = time::now();
        self.offset.set(at.as_millis() - now as i64);
        match payload {
            Payload::Started(started) => {
                let is_return = self.log.borrow().newest() > 0;
                self.log.borrow_mut().started(started.complete, at, now);
                self.refused.take();
                if is_return {
                    self.identify();
                }
            }
            Payload::Chat(updates) => {
                for update in updates.updates {
                    self.update(&update, at);
                    self.log.borrow_mut().apply(update, at, now);
                }
                self.send();
            }
            Payload::Failed(problem) => {
                let failure = Failure::Problem(Box::new(problem));
                // Who may not read any more doesn't write either: that is said where they would.
                if failure.embed_expired().is_some() {
                    self.room.take();
                    *self.failure.borrow_mut() = Some(failure.clone());
                }
                *self.refused.borrow_mut() = Some(failure);
            }
            _ => return,
        }
        self.schedule();
    }

    fn set_banned(&self, is_banned: bool) {
        if !self.banned.replace(is_banned) && is_banned {
            self.ban.set(self.ban.get().wrapping_add(1));
        }
    }

    /// What an update means beside the log.
    fn update(&self, update: &ChatUpdate, at: Timestamp) {
        let you = self.room.borrow().as_ref().and_then(|room| room.you.as_ref().map(|you| you.id.clone()));
        match update {
            ChatUpdate::Message(message) => {
                self.outbox.borrow_mut().heard(message, you.as_ref() == Some(&message.author.id));
            }
            ChatUpdate::Deleted { messages } if self.outbox.borrow_mut().deleted(messages) => {
                let words = "A moderator did not let your message through.".to_owned();
                self.log.borrow_mut().say(words);
            }
            ChatUpdate::Silenced { person, until, .. } if you.as_ref() == Some(person) => {
                self.silenced_until.set(Some(*until).filter(|until| *until > at));
            }
            ChatUpdate::Unsilenced { person } if you.as_ref() == Some(person) => {
                let left = self.silenced_until.take().map_or(0, |until| until.since(at).as_secs());
                // A short one is over soon in any case: that needs no words.
                if left > u64::from(SHORT_SILENCE) {
                    let words = text_state::lifted("time-out", self.banned.get());
                    self.log.borrow_mut().say(words);
                }
                self.outbox.borrow_mut().release();
            }
            ChatUpdate::Banned { person, .. } if you.as_ref() == Some(person) => self.set_banned(true),
            ChatUpdate::Unbanned { person } if you.as_ref() == Some(person) && self.banned.get() => {
                self.banned.set(false);
                let is_silenced = self.silenced_until.get().is_some_and(|until| until > at);
                self.log.borrow_mut().say(text_state::lifted("ban", is_silenced));
            }
            ChatUpdate::Poll { poll } => {
                if let Some(room) = self.room.borrow_mut().as_mut() {
                    let room = Rc::make_mut(room);
                    if room.poll.as_ref().is_none_or(|known| known.id != poll.id) {
                        room.vote = None;
                    }
                    room.poll = Some(poll.as_ref().clone());
                    *self.poll.borrow_mut() = Some(poll.id.clone());
                }
            }
            // Who comes back after it has left isn't sent after it.
            ChatUpdate::Raid { raid } => self.set_raid(Some(raid).filter(|raid| raid.leaves_at > at)),
            ChatUpdate::Emotes { emotes } => {
                if let Some(room) = self.room.borrow_mut().as_mut() {
                    Rc::make_mut(room).emotes = emotes.clone();
                }
            }
            ChatUpdate::EmoteEverywhere { code, url } => {
                if let Some(room) = self.room.borrow_mut().as_mut() {
                    emotes_state::change(&mut Rc::make_mut(room).emotes, code, url.as_deref());
                }
            }
            ChatUpdate::Badges { badges } => {
                if let Some(room) = self.room.borrow_mut().as_mut() {
                    Rc::make_mut(room).badges = badges.clone();
                }
            }
            ChatUpdate::RaidOff {} => self.set_raid(None),
            ChatUpdate::Pinned { pin } => self.set_pin(Some(pin)),
            ChatUpdate::Unpinned {} => self.set_pin(None),
            ChatUpdate::Settings { settings } => {
                if let Some(room) = self.room.borrow_mut().as_mut() {
                    if settings.slow_seconds < room.settings.slow_seconds {
                        self.outbox.borrow_mut().release();
                    }
                    Rc::make_mut(room).settings = *settings;
                }
            }
            _ => {}
        }
    }

    fn set_raid(&self, raid: Option<&Raid>) {
        if let Some(room) = self.room.borrow_mut().as_mut() {
            Rc::make_mut(room).raid = raid.cloned();
        }
    }

    /// Where the raid goes that leaves now.
    fn leaving(&self) -> Option<ChannelName> {
        let raid = self.room.borrow().as_ref()?.raid.clone()?;
        if raid.leaves_at > self.server_time() {
            return None;
        }
        self.set_raid(None);
        Some(raid.to)
    }

    fn set_pin(&self, pin: Option<&ChatMessage>) {
        if let Some(room) = self.room.borrow_mut().as_mut() {
            Rc::make_mut(room).pin = pin.cloned();
        }
    }

    fn identify(self: &Rc<Self>) {
        let mine = self.asked.get().wrapping_add(1);
        self.asked.set(mine);
        let weak = Rc::downgrade(self);
        browser::spawn(async move {
            let mut wait = 1000;
            while let Some(inner) = weak.upgrade().filter(|inner| inner.asked.get() == mine) {
                let guest = inner.guest.borrow().clone();
                let answer = rest::room(&inner.channel, guest).await;
                if inner.asked.get() != mine {
                    return;
                }
                match answer {
                    Ok(room) => {
                        inner.silenced_until.set(room.silenced_until);
                        inner.set_banned(room.banned);
                        inner.log.borrow_mut().set_settings(room.settings);
                        let mut room = room;
                        // Who comes later has no use for what is over, nor who put it away.
                        let is_known = |id: &PollId| inner.poll.borrow().as_ref() == Some(id);
                        room.poll = room.poll.filter(|poll| !poll.ended || is_known(&poll.id));
                        *inner.room.borrow_mut() = Some(Rc::new(room));
                        *inner.failure.borrow_mut() = None;
                        return inner.schedule();
                    }
                    Err(failure) => {
                        let lasts = matches!(failure, Failure::Problem(ref problem) if problem.status < 500);
                        *inner.failure.borrow_mut() = Some(failure);
                        inner.schedule();
                        if lasts {
                            return;
                        }
                    }
                }
                // A room that was left must not live on for as long as the server is away.
                drop(inner);
                time::sleep(wait).await;
                wait = (wait * 2).min(8000);
            }
        });
    }

    /// Sends the next message whose turn it is.
    fn send(self: &Rc<Self>) {
        let Some(next) = self.outbox.borrow_mut().next(time::now()) else { return };
        let is_guest = self
            .room
            .borrow()
            .as_ref()
            .is_some_and(|room| room.you.as_ref().is_some_and(|you| you.badges.contains(&Badge::Guest)));
        let payload = RequestPayload {
            channel: Some(self.channel.clone()),
            text: Some(next.text),
            reply_to: next.reply_to.map(|reply| reply.id),
            key: Some(next.key.clone()),
            guest: self.guest.borrow().clone().filter(|_| is_guest),
            token: None,
        };
        let weak = Rc::downgrade(self);
        let subscription = self.events.request(Topic::SendChat, payload, move |payload, _| {
            if let Some(inner) = weak.upgrade() {
                inner.answered(&next.key, &payload);
            }
        });
        *self.sending.borrow_mut() = Some(subscription);
        self.schedule();
    }

    fn answered(self: &Rc<Self>, key: &RequestId, payload: &Payload) {
        let now = time::now();
        match payload {
            Payload::Sent(sent) => {
                let newest = self.log.borrow().newest();
                self.outbox.borrow_mut().sent(key, sent, newest);
                let slow = self
                    .room
                    .borrow()
                    .as_ref()
                    .filter(|room| !room.can_moderate && !is_vip(room))
                    .map_or(0, |room| room.settings.slow_seconds);
                if slow > 0 {
                    self.outbox.borrow_mut().hold(now, u64::from(slow));
                }
            }
            Payload::Failed(problem) => {
                let refused = self.outbox.borrow_mut().refused(key, problem, self.free.get(), now);
                if let Refused::Returned { text, reply_to } = refused {
                    self.report.emit(Heard::Returned(text, reply_to));
                }
                if matches!(problem.status, 401 | 403) {
                    self.identify();
                }
            }
            _ => return,
        }
        self.send();
        self.schedule();
    }

    /// Seconds until a poll ends or a raid leaves, so that what says so is drawn anew.
    fn ahead(&self) -> u64 {
        let now = self.server_time();
        let room = self.room.borrow();
        let room = room.as_ref();
        let poll = room.and_then(|room| room.poll.as_ref()).map(|poll| poll.ends_at);
        let raid = room.and_then(|room| room.raid.as_ref()).map(|raid| raid.leaves_at);
        let seconds = |at: Timestamp| at.since(now).as_millis().div_ceil(1000) as u64;
        poll.into_iter().chain(raid).map(seconds).sum()
    }

    fn countdowns(&self) -> (u64, u64) {
        let now = self.server_time();
        let silenced = self.silenced_until.get().map_or(0, |until| until.since(now).as_millis());
        (self.outbox.borrow().wait(time::now()), (silenced as u64).div_ceil(1000))
    }

    fn tick(self: &Rc<Self>) {
        // Chromium draws no frames of another site's page while nothing else on that page moves.
        self.show();
        // While the machine sleeps, time stands still here: what was counted is asked for again.
        let drift = drift();
        if (self.drift.replace(drift) - drift).abs() > SLEPT {
            self.outbox.borrow_mut().release();
            self.identify();
        }
        self.send();
        if let Some(to) = self.leaving() {
            self.report.emit(Heard::Leaves(to));
            self.schedule();
        }
        if let Some(seconds) = self.fade {
            let at = self.server_time().as_millis() - (seconds * 1000) as i64;
            self.log.borrow_mut().expire(Timestamp::from_millis(at));
            self.schedule();
        }
        // History has settled by the first tick after it; countdowns count.
        let said = (self.countdowns(), self.ahead(), self.log.borrow().announces(time::now()));
        if self.said.replace(said) != said {
            self.schedule();
        }
    }

    /// Shows what changed with the next frame, however much that is.
    fn schedule(self: &Rc<Self>) {
        if self.frame.borrow().is_some() {
            return;
        }
        let weak = Rc::downgrade(self);
        let frame = time::next_frame(move || {
            if let Some(inner) = weak.upgrade() {
                inner.show();
            }
        });
        *self.frame.borrow_mut() = Some(frame);
    }

    /// Shows what is scheduled, now.
    fn show(&self) {
        if self.frame.take().is_some() {
            self.report.emit(Heard::Snapshot(Rc::new(self.snapshot())));
        }
    }

    fn snapshot(&self) -> Snapshot {
        let (log, outbox) = (self.log.borrow(), self.outbox.borrow());
        let (wait, silenced) = self.countdowns();
        Snapshot {
            lines: log.shown(),
            pending: outbox.shown(),
            room: self.room.borrow().clone(),
            failure: self.failure.borrow().clone(),
            refused: self.refused.borrow().clone(),
            is_loaded: log.is_loaded(time::now()),
            announces: log.announces(time::now()),
            paused: log.is_paused(),
            unseen: log.unseen(),
            reachable: self.reachable.get(),
            wait,
            silenced,
            banned: self.banned.get(),
            barrier: match (self.banned.get(), self.silenced_until.get()) {
                (true, _) => format!("ban {}", self.ban.get()),
                (false, Some(until)) => format!("time-out until {}", until.as_millis()),
                (false, None) => String::new(),
            },
            full: outbox.is_full(),
        }
    }
}
