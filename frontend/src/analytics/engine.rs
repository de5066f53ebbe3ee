//! The page's moving parts: loads, listens and keeps what there is to show.

use super::{loads_state::Loads, merge_state};
use crate::{
    api::{
        Failure,
        events::{Events, Subscription},
        rest,
    },
    browser::{
        self,
        time::{self, Timer},
    },
};
use shared::{
    analytics::{BroadcastAnalytics, BroadcastSummary},
    event::{Payload, Topic},
    id::{BroadcastId, ChannelName},
};
use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
};
use yew::Callback;

/// How often what live steps don't tell is loaded, in milliseconds.
const AGAIN: i32 = 60_000;
/// The least time between two loadings because a step didn't fit, in milliseconds.
const PATIENCE: u64 = 15_000;

/// What there is to show.
#[derive(Clone, Default, PartialEq)]
pub struct Snapshot {
    /// The channel's broadcasts, newest first, as far as they are loaded.
    pub list: Vec<BroadcastSummary>,
    /// The first page of the list came.
    pub listed: bool,
    /// A page of the list is on its way.
    pub busy: bool,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
    /// What went wrong with the list last.
    pub list_error: Option<Failure>,
    /// Which broadcast is open.
    pub open: Option<BroadcastId>,
    /// Its numbers, once they came.
    pub all: Option<Rc<BroadcastAnalytics>>,
    /// What went wrong with them last.
    pub error: Option<Failure>,
    /// The broadcast before is laid over it.
    pub compares: bool,
    /// That broadcast's numbers, once they came.
    pub before: Option<Rc<BroadcastAnalytics>>,
}

/// What to load.
#[derive(Clone, PartialEq)]
enum What {
    List,
    Broadcast(BroadcastId),
}

struct Inner {
    channel: ChannelName,
    report: Callback<Snapshot>,
    snapshot: RefCell<Snapshot>,
    /// The one that the address names.
    wanted: RefCell<Option<BroadcastId>>,
    asked_at: Cell<u64>,
    loads: RefCell<Loads<What>>,
    keep: RefCell<Option<(Subscription, Timer)>>,
}

/// One running page. Dropping it stops everything.
pub struct Engine(Rc<Inner>);

impl Engine {
    /// Starts. What there is to show goes to `report`.
    pub fn new(channel: ChannelName, events: &Events, report: Callback<Snapshot>) -> Self {
        let inner = Rc::new(Inner {
            channel: channel.clone(),
            report,
            snapshot: RefCell::default(),
            wanted: RefCell::default(),
            asked_at: Cell::new(0),
            loads: RefCell::default(),
            keep: RefCell::default(),
        });
        let (heard, ticked) = (Rc::downgrade(&inner), Rc::downgrade(&inner));
        let subscription = events.subscribe(Topic::Analytics, Some(channel), move |payload| {
            if let (Some(inner), Payload::Analytics(step)) = (heard.upgrade(), payload) {
                inner.hear(*step);
            }
        });
        let timer = time::every(AGAIN, move || {
            if let Some(inner) = ticked.upgrade() {
                inner.reload_if_live();
            }
        });
        *inner.keep.borrow_mut() = Some((subscription, timer));
        inner.load(What::List);
        Self(inner)
    }

    /// Opens a broadcast; the live or last one if none is named.
    pub fn show(&self, wanted: Option<BroadcastId>) {
        *self.0.wanted.borrow_mut() = wanted;
        self.0.open();
    }

    /// Loads another page of the list.
    pub fn more(&self) {
        self.0.load(What::List);
    }

    /// Lays the broadcast before over the open one, or takes it away.
    pub fn compare(&self, on: bool) {
        self.0.snapshot.borrow_mut().compares = on;
        self.0.give_up();
        self.0.load_before();
        self.0.tell();
    }
}

impl Inner {
    fn tell(&self) {
        self.report.emit(self.snapshot.borrow().clone());
    }

    /// Opens what is wanted, as far as it is known which that is.
    fn open(self: &Rc<Self>) {
        let mut snapshot = self.snapshot.borrow_mut();
        let first = snapshot.list.first().map(|summary| summary.stream_id.clone());
        let open = self.wanted.borrow().clone().or(first);
        if open != snapshot.open {
            (snapshot.all, snapshot.before, snapshot.error) = (None, None, None);
            snapshot.open.clone_from(&open);
            drop(snapshot);
            self.give_up();
            self.tell();
            if let Some(id) = open {
                self.load(What::Broadcast(id));
            }
        }
    }

    /// A live step.
    fn hear(self: &Rc<Self>, step: BroadcastAnalytics) {
        let mut snapshot = self.snapshot.borrow_mut();
        if snapshot.listed {
            merge_state::list(&mut snapshot.list, &step.summary);
        }
        let open = snapshot.all.as_ref().filter(|all| all.summary.stream_id == step.summary.stream_id);
        if let Some(all) = open {
            match merge_state::merge(all, &step) {
                Some(merged) => snapshot.all = Some(Rc::new(merged)),
                // Not each time, should it go on like this.
                None if time::now() >= self.asked_at.get() + PATIENCE => {
                    self.asked_at.set(time::now());
                    self.load(What::Broadcast(step.summary.stream_id));
                }
                None => {}
            }
        }
        drop(snapshot);
        self.tell();
        self.open();
    }

    fn reload_if_live(self: &Rc<Self>) {
        let snapshot = self.snapshot.borrow();
        let all = snapshot.all.as_ref().filter(|all| all.summary.end_time.is_none());
        if let Some(all) = all {
            self.load(What::Broadcast(all.summary.stream_id.clone()));
        }
    }

    fn load_before(self: &Rc<Self>) {
        let snapshot = self.snapshot.borrow();
        let before = snapshot.all.as_ref().and_then(|all| all.previous.as_ref());
        if let Some(before) = before.filter(|_| snapshot.compares && snapshot.before.is_none()) {
            self.load(What::Broadcast(before.stream_id.clone()));
        }
    }

    /// Whatever is not to be shown any more is not waited for.
    fn give_up(&self) {
        let snapshot = self.snapshot.borrow();
        let before = snapshot.all.as_ref().and_then(|all| all.previous.as_ref());
        let before = before.filter(|_| snapshot.compares).map(|before| &before.stream_id);
        self.loads.borrow_mut().keep(|what| match what {
            What::List => true,
            What::Broadcast(id) => snapshot.open.as_ref() == Some(id) || before == Some(id),
        });
    }

    /// Loads something, again and again while the server is away.
    fn load(self: &Rc<Self>, what: What) {
        let Some(number) = self.loads.borrow_mut().begin(what.clone()) else { return };
        let weak = Rc::downgrade(self);
        browser::spawn(async move {
            let mut wait = 1000;
            while attempt(&weak, &what, number).await == Some(true) {
                time::sleep(wait).await;
                wait = (wait * 2).min(8000);
            }
            if let Some(inner) = weak.upgrade() {
                inner.loads.borrow_mut().end(number);
            }
        });
    }

    /// Whether that loading is waited for.
    fn awaits(self: &Rc<Self>, number: u32) -> bool {
        self.loads.borrow().runs(number)
    }

    fn failed(&self, what: &What, failure: Failure) -> bool {
        let again = matches!(failure, Failure::Unreachable | Failure::Unexpected(_));
        let mut snapshot = self.snapshot.borrow_mut();
        match what {
            What::List => (snapshot.list_error, snapshot.busy) = (Some(failure), again),
            What::Broadcast(_) => snapshot.error = Some(failure),
        }
        drop(snapshot);
        self.tell();
        again
    }

    fn loaded(self: &Rc<Self>, all: BroadcastAnalytics) {
        let mut snapshot = self.snapshot.borrow_mut();
        let id = &all.summary.stream_id;
        if snapshot.open.as_ref() == Some(id) {
            snapshot.all = Some(Rc::new(all));
        } else if snapshot.all.as_ref().and_then(|all| all.previous.as_ref()).map(|one| &one.stream_id)
            == Some(id)
        {
            snapshot.before = Some(Rc::new(all));
        }
        snapshot.error = None;
        drop(snapshot);
        self.tell();
        self.load_before();
    }
}

/// One attempt; answers whether to try again, and nothing if nobody waits for it any more.
async fn attempt(weak: &Weak<Inner>, what: &What, number: u32) -> Option<bool> {
    let inner = weak.upgrade().filter(|inner| inner.awaits(number))?;
    match what {
        What::List => {
            inner.snapshot.borrow_mut().busy = true;
            inner.tell();
            let (channel, next) = (inner.channel.clone(), inner.snapshot.borrow().next.clone());
            drop(inner);
            let answer = rest::broadcasts(&channel, next.as_deref()).await;
            let inner = weak.upgrade()?;
            match answer {
                Err(failure) => Some(inner.failed(what, failure)),
                Ok(page) => {
                    let mut snapshot = inner.snapshot.borrow_mut();
                    snapshot.list.extend(page.items);
                    (snapshot.next, snapshot.listed) = (page.next, true);
                    (snapshot.busy, snapshot.list_error) = (false, None);
                    drop(snapshot);
                    inner.tell();
                    inner.open();
                    Some(false)
                }
            }
        }
        What::Broadcast(id) => {
            drop(inner);
            let answer = rest::analytics(id).await;
            let inner = weak.upgrade().filter(|inner| inner.awaits(number))?;
            match answer {
                Err(failure) => Some(inner.failed(what, failure)),
                Ok(all) => {
                    inner.loaded(all);
                    Some(false)
                }
            }
        }
    }
}
