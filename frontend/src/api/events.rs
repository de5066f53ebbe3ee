//! The page's one event socket: carries out what [`SocketState`] decides.

use super::socket_state::{Output, Reader, SocketState, SubscriptionId};
use crate::browser::{
    listen::{self, Listener},
    socket::{Socket, SocketEvent},
    time::{self, Timer},
};
use shared::{
    event::{ClientMessage, Payload, RequestPayload, Topic},
    id::ChannelName,
    unit::Timestamp,
};
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::{Rc, Weak},
};

type Subscriber = Rc<dyn Fn(Payload, Timestamp)>;
type Watcher = Rc<dyn Fn(bool)>;

struct Inner {
    state: RefCell<SocketState>,
    socket: RefCell<Option<Socket>>,
    subscribers: RefCell<HashMap<u32, (SubscriptionId, Subscriber)>>,
    watchers: RefCell<HashMap<u32, Watcher>>,
    next: Cell<u32>,
    /// Counts connections, so that the end of an old one isn't taken for the end of the new one.
    generation: Cell<u32>,
    restarts: Cell<bool>,
    keep: RefCell<Vec<Listener>>,
    timer: RefCell<Option<Timer>>,
}

/// The server closes with this when it is about to be started anew.
const RESTART: u16 = 1012;

/// The event socket, shared by everything on the page.
#[derive(Clone)]
pub struct Events(Rc<Inner>);

impl PartialEq for Events {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

/// Ends a subscription when dropped.
pub struct Subscription {
    inner: Weak<Inner>,
    key: u32,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let Some(inner) = self.inner.upgrade() else { return };
        inner.watchers.borrow_mut().remove(&self.key);
        let subscriber = inner.subscribers.borrow_mut().remove(&self.key);
        if let Some((id, _)) = subscriber {
            inner.state.borrow_mut().unsubscribe(id);
            inner.run();
        }
    }
}

impl Events {
    /// A socket that opens with the first subscription.
    pub fn new(read: Reader) -> Self {
        let inner = Rc::new(Inner {
            state: RefCell::new(SocketState::new(read)),
            socket: RefCell::default(),
            subscribers: RefCell::default(),
            watchers: RefCell::default(),
            next: Cell::new(0),
            generation: Cell::new(0),
            restarts: Cell::new(false),
            keep: RefCell::default(),
            timer: RefCell::default(),
        });
        let weak = Rc::downgrade(&inner);
        *inner.timer.borrow_mut() = Some(time::every(250, move || {
            if let Some(inner) = weak.upgrade() {
                inner.state.borrow_mut().tick(time::now(), time::random());
                inner.run();
            }
        }));
        for name in ["online", "focus"] {
            let weak = Rc::downgrade(&inner);
            let listener = listen::window(name, move || {
                if let Some(inner) = weak.upgrade() {
                    inner.state.borrow_mut().hurry(time::now());
                    inner.run();
                }
            });
            inner.keep.borrow_mut().extend(listener);
        }
        Self(inner)
    }

    /// Calls `on` with each payload of a topic, until the subscription is dropped.
    pub fn subscribe(
        &self,
        topic: Topic,
        channel: Option<ChannelName>,
        on: impl Fn(Payload) + 'static,
    ) -> Subscription {
        self.subscribe_dated(topic, channel, move |payload, _| on(payload))
    }

    /// The same for who wants to know when the server sent it.
    pub fn subscribe_dated(
        &self,
        topic: Topic,
        channel: Option<ChannelName>,
        on: impl Fn(Payload, Timestamp) + 'static,
    ) -> Subscription {
        let token = super::embed_token().filter(|_| channel.is_some());
        let payload = RequestPayload { channel, token, ..RequestPayload::default() };
        let id = self.0.state.borrow_mut().subscribe(topic, payload, time::now());
        self.keep(id, Rc::new(on))
    }

    /// Wants something done and calls `on` with its one answer, after as many connections as it takes. Dropping the
    /// subscription asks no more; what was already asked may still be done.
    pub fn request(
        &self,
        topic: Topic,
        mut payload: RequestPayload,
        on: impl Fn(Payload, Timestamp) + 'static,
    ) -> Subscription {
        payload.token = super::embed_token();
        let id = self.0.state.borrow_mut().request(topic, payload, time::now());
        self.keep(id, Rc::new(on))
    }

    fn keep(&self, id: SubscriptionId, on: Subscriber) -> Subscription {
        let key = self.0.key();
        self.0.subscribers.borrow_mut().insert(key, (id, on));
        self.0.run();
        Subscription { inner: Rc::downgrade(&self.0), key }
    }

    /// Connects anew, after signing in or out.
    pub fn renew(&self) {
        self.0.state.borrow_mut().renew(time::now());
        self.0.run();
    }

    /// Whether the server said that it restarts, and isn't back.
    pub fn restarts(&self) -> bool {
        self.0.restarts.get()
    }

    /// Calls `on` when the server goes away or comes back, until the subscription is dropped.
    pub fn watch_reachable(&self, on: impl Fn(bool) + 'static) -> Subscription {
        let key = self.0.key();
        self.0.watchers.borrow_mut().insert(key, Rc::new(on));
        Subscription { inner: Rc::downgrade(&self.0), key }
    }
}

impl Inner {
    fn key(&self) -> u32 {
        let key = self.next.get();
        self.next.set(key.wrapping_add(1));
        key
    }

    fn send(&self, message: &ClientMessage) {
        if let (Some(socket), Ok(text)) = (self.socket.borrow().as_ref(), serde_json::to_string(message)) {
            socket.send(&text);
        }
    }

    /// Does all that the state wants done. Subscribers may subscribe or leave while they are called.
    fn run(self: &Rc<Self>) {
        loop {
            let output = self.state.borrow_mut().poll();
            match output {
                None => return,
                Some(Output::Connect) => self.connect(),
                Some(Output::Disconnect) => {
                    self.generation.set(self.generation.get() + 1);
                    self.socket.take();
                }
                Some(Output::Send(message)) => self.send(&message),
                Some(Output::Deliver(id, payload, timestamp)) => {
                    let on = self
                        .subscribers
                        .borrow()
                        .values()
                        .find(|(of, _)| *of == id)
                        .map(|(_, on)| on.clone());
                    if let Some(on) = on {
                        on(*payload, timestamp);
                    }
                }
                Some(Output::Reachable(reachable)) => {
                    let watchers: Vec<_> = self.watchers.borrow().values().cloned().collect();
                    for watcher in watchers {
                        watcher(reachable);
                    }
                }
            }
        }
    }

    fn connect(self: &Rc<Self>) {
        let generation = self.generation.get() + 1;
        self.generation.set(generation);
        let weak = Rc::downgrade(self);
        let socket = Socket::open("/api/v1/events", move |event| {
            let Some(inner) = weak.upgrade() else { return };
            if inner.generation.get() != generation {
                return;
            }
            let now = time::now();
            match event {
                SocketEvent::Opened => {
                    inner.restarts.set(false);
                    inner.state.borrow_mut().opened(now);
                }
                SocketEvent::Closed(code) => {
                    inner.restarts.set(inner.restarts.get() || code == RESTART);
                    inner.state.borrow_mut().closed(now, time::random());
                }
                SocketEvent::Text(text) => {
                    if let Some(message) = crate::api::parse(&text) {
                        inner.state.borrow_mut().heard(message, now);
                    }
                }
            }
            inner.run();
        });
        if socket.is_none() {
            self.state.borrow_mut().closed(time::now(), time::random());
        }
        *self.socket.borrow_mut() = socket;
    }
}
