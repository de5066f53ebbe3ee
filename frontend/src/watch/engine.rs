//! The player's moving parts: carries out what [`PlayerState`] decides and reports what there is to show.

use super::{
    latency_state::{Answer, Latency},
    player_state::{Output, PlayerState, Refusal},
    quality_state::Choice,
    reports::Reports,
    snapshot::{QUALITY, Snapshot},
    stats::read,
    stats_state::{Reading, quality},
};
use crate::{
    api::{
        Failure,
        events::{Events, Subscription},
        precedence, rest,
        session::Declined,
        whep::{Watching, Why},
    },
    browser::{
        self,
        listen::{self, Listener, Resized},
        media::{Stream, Track},
        page,
        rtc::Link,
        storage,
        time::{self, Timer},
        video::{self, Frames},
    },
};
use shared::{
    broadcast::{BroadcastState, ChannelState},
    event::{Payload, Topic},
    id::ChannelName,
    watch::ChooseRendition,
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use yew::{Callback, NodeRef};

/// The session's clock is asked so often, in milliseconds.
const CLOCK_EVERY: u64 = 5_000;
/// The same while it doesn't answer.
const CLOCK_AGAIN: u64 = 1_000;

pub(super) struct Inner {
    channel: ChannelName,
    pub(super) video: NodeRef,
    report: Callback<Snapshot>,
    state: RefCell<PlayerState>,
    pub(super) snapshot: RefCell<Snapshot>,
    watching: RefCell<Option<Watching>>,
    pub(super) stream: RefCell<Option<Stream>>,
    latency: RefCell<Latency>,
    reading: RefCell<Option<Reading>>,
    pub(super) reports: Reports,
    /// When the session's clock is asked again.
    clock_at: Cell<u64>,
    /// Counts sessions, so that news of an old one isn't taken for news of the new one.
    generation: Cell<u32>,
    heard_from_socket: Cell<bool>,
    left: Cell<bool>,
    /// What the session was told to send, if it was told anything.
    told: RefCell<Option<ChooseRendition>>,
    /// What there is to tell may have changed: said with the next second.
    stirred: Cell<bool>,
    /// The picture's line, while the viewer wants sound alone.
    held: RefCell<Option<Track>>,
    /// Who looks at what the server sends and why: the menu, the statistics.
    looks: Cell<u8>,
}

/// One running player. Dropping it ends the session.
pub struct Engine {
    pub(super) inner: Rc<Inner>,
    _timers: [Timer; 2],
    _subscriptions: [Subscription; 2],
    _listeners: Vec<Listener>,
    _frames: Option<Frames>,
    _resized: Option<Resized>,
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.inner.left.set(true);
        self.inner.reports.left();
        self.inner.close();
    }
}

impl Engine {
    /// Starts to watch: the offer goes out before anything else is known. One that is `silent` begins so, whatever the
    /// browser remembers.
    pub fn new(
        channel: ChannelName,
        video: NodeRef,
        events: &Events,
        silent: bool,
        report: Callback<Snapshot>,
    ) -> Self {
        let mut snapshot = Snapshot::default();
        snapshot.sound.muted |= silent;
        let inner = Rc::new(Inner {
            channel: channel.clone(),
            video: video.clone(),
            report,
            state: RefCell::default(),
            snapshot: RefCell::new(snapshot),
            watching: RefCell::default(),
            stream: RefCell::default(),
            latency: RefCell::default(),
            reading: RefCell::default(),
            reports: Reports::default(),
            clock_at: Cell::new(u64::MAX),
            generation: Cell::new(0),
            heard_from_socket: Cell::new(false),
            left: Cell::new(false),
            told: RefCell::default(),
            stirred: Cell::new(false),
            held: RefCell::default(),
            looks: Cell::new(0),
        });
        inner.rest();
        precedence::hold();
        inner.with(|state, _| state.start());
        let weak = Rc::downgrade(&inner);
        let frames = video::frames(&video, move |shown| {
            if let Some(inner) = weak.upgrade() {
                inner.reports.shown(shown.at);
                if let Some(timestamp) = shown.rtp_timestamp {
                    inner.latency.borrow_mut().shown(timestamp, shown.at);
                    // The first picture: until then there is nothing to date.
                    if inner.clock_at.get() == u64::MAX {
                        inner.ask_clock();
                    }
                }
                inner.pictured();
            }
        });
        let on_state = Rc::downgrade(&inner);
        let topic = events.subscribe(Topic::ChannelState, Some(channel), move |payload| {
            let Some(inner) = on_state.upgrade() else { return };
            match payload {
                Payload::ChannelState(state) => {
                    inner.heard_from_socket.set(true);
                    inner.heard(*state);
                }
                Payload::Failed(problem) => inner.failed(&Failure::Problem(Box::new(problem))),
                _ => {}
            }
        });
        let weak = Rc::downgrade(&inner);
        let source = events.clone();
        let reachable = events.watch_reachable(move |reachable| {
            if let Some(inner) = weak.upgrade() {
                inner.snapshot.borrow_mut().restarts = source.restarts();
                inner.with(|state, now| state.reachable(reachable, now));
            }
        });
        let (ticks, polls) = (Rc::downgrade(&inner), Rc::downgrade(&inner));
        let timers = [
            time::every(250, move || {
                if let Some(inner) = ticks.upgrade() {
                    inner.with(|state, now| state.tick(now));
                }
            }),
            time::every(1000, move || {
                if let Some(inner) = polls.upgrade() {
                    inner.measure();
                }
            }),
        ];
        let (hide, show, look) = (Rc::downgrade(&inner), Rc::downgrade(&inner), Rc::downgrade(&inner));
        let listeners = [
            listen::document("visibilitychange", move || {
                if let Some(inner) = look.upgrade() {
                    inner.reports.looked_at(!page::is_hidden());
                    inner.rest();
                    inner.tell();
                }
            }),
            listen::window("pagehide", move || {
                if let Some(inner) = hide.upgrade() {
                    inner.left.set(true);
                    inner.reports.left();
                    inner.close();
                }
            }),
            // A page that comes back from the browser's cache finds its session ended.
            listen::window("pageshow", move || {
                if let Some(inner) = show.upgrade()
                    && inner.left.replace(false)
                {
                    inner.with(|state, _| state.retry());
                }
            }),
        ];
        let listeners = listeners.into_iter().flatten().collect();
        let weak = Rc::downgrade(&inner);
        let resized = listen::resized(&video, move || {
            if let Some(inner) = weak.upgrade() {
                inner.stirred.set(true);
            }
        });
        let first = inner.clone();
        browser::spawn(async move {
            match rest::channel_state(&first.channel).await {
                Ok(state) if !first.heard_from_socket.get() => first.heard(state),
                Err(failure) => first.failed(&failure),
                Ok(_) => {}
            }
        });
        Self {
            inner,
            _timers: timers,
            _subscriptions: [topic, reachable],
            _listeners: listeners,
            _frames: frames,
            _resized: resized,
        }
    }

    /// The viewer doesn't want to wait for the next attempt.
    pub fn retry(&self) {
        self.inner.with(|state, _| state.retry());
    }

    /// What the viewer wants of the picture; remembered.
    pub fn choose(&self, choice: Choice) {
        let inner = &self.inner;
        storage::write(QUALITY, choice.to_remember());
        // That the picture stops and comes back by the viewer's wish is no freeze.
        inner.reports.rested();
        inner.update(|snapshot| (snapshot.choice, snapshot.playing) = (choice, None));
        inner.rest();
        inner.tell();
    }

    /// Somebody looks at what the server sends and why, or no longer does.
    pub fn look(&self, is: bool) {
        let looks = self.inner.looks.get();
        self.inner.looks.set(if is { looks + 1 } else { looks.saturating_sub(1) });
        if is {
            self.inner.ask_playing();
        }
    }
}

impl Inner {
    /// Lets the state decide something and does what comes of it.
    fn with(self: &Rc<Self>, decide: impl FnOnce(&mut PlayerState, u64)) {
        decide(&mut self.state.borrow_mut(), time::now());
        loop {
            let output = self.state.borrow_mut().poll();
            match output {
                Some(Output::Open) => self.open(),
                Some(Output::Close) => self.close(),
                None => break,
            }
        }
        let (view, alone, has_picture) = {
            let state = self.state.borrow();
            (state.view(), state.is_alone(), state.has_picture())
        };
        self.update(|snapshot| {
            snapshot.view = view;
            snapshot.alone = alone;
            snapshot.has_picture = has_picture;
        });
    }

    pub(super) fn update(&self, change: impl FnOnce(&mut Snapshot)) {
        let mut next = self.snapshot.borrow().clone();
        change(&mut next);
        if *self.snapshot.borrow() != next {
            *self.snapshot.borrow_mut() = next.clone();
            if !self.left.get() {
                self.report.emit(next);
            }
        }
    }

    fn heard(self: &Rc<Self>, channel: ChannelState) {
        let offset = channel.server_time.as_millis() - time::wall();
        let over = matches!(channel.state, BroadcastState::Ended | BroadcastState::Offline);
        self.reports.heard(&channel);
        self.with(|state, now| state.channel(&channel, now));
        if over {
            video::attach(&self.video, None);
        }
        self.update(|snapshot| {
            snapshot.clock_offset = offset;
            snapshot.channel = Some(Rc::new(channel));
        });
        // Whether there is sound may be news.
        self.rest();
        self.tell();
    }

    /// The channel's state can't be had.
    fn failed(self: &Rc<Self>, failure: &Failure) {
        match (failure.embed_expired(), failure.status()) {
            (Some(expired), _) => self.with(|state, now| state.shut_out(expired, now)),
            // Or it is suspended, which the page says.
            (None, Some(403 | 404)) => self.with(|state, _| state.gone()),
            _ => {}
        }
    }

    fn pictured(self: &Rc<Self>) {
        self.with(|state, now| state.pictured(now));
        if self.reports.pictured() {
            self.measure();
        }
        if self.snapshot.borrow().first_picture.is_none()
            && let Some(wait) = self.reports.wanted_for()
        {
            precedence::release();
            self.update(|snapshot| {
                snapshot.first_picture = Some(wait);
                snapshot.page_picture = Some(time::now());
            });
        }
    }

    fn open(self: &Rc<Self>) {
        let generation = self.generation.get() + 1;
        self.generation.set(generation);
        self.watching.take();
        self.stream.take();
        self.told.take();
        self.held.take();
        *self.latency.borrow_mut() = Latency::default();
        self.reading.take();
        self.clock_at.set(u64::MAX);
        let (links, tracks) = (Rc::downgrade(self), Rc::downgrade(self));
        let watching = Watching::new(
            move |link| {
                let Some(inner) = links.upgrade().filter(|inner| inner.generation.get() == generation) else {
                    return;
                };
                inner.with(|state, now| match link {
                    Link::Connected => state.connected(),
                    Link::Disconnected => state.cut(now),
                    Link::Failed => state.failed(now),
                    Link::Connecting => {}
                });
            },
            move |track| {
                let Some(inner) = tracks.upgrade().filter(|inner| inner.generation.get() == generation)
                else {
                    return;
                };
                if track.is_video() && inner.snapshot.borrow().is_sound_alone() {
                    *inner.held.borrow_mut() = Some(track);
                    return;
                }
                let is_new = inner.stream.borrow().is_none();
                if is_new {
                    *inner.stream.borrow_mut() = Stream::empty();
                }
                if let Some(stream) = inner.stream.borrow().as_ref() {
                    stream.add(&track);
                    if is_new {
                        video::attach(&inner.video, Some(stream));
                    }
                }
                if is_new {
                    browser::spawn(async move {
                        inner.play().await;
                    });
                }
            },
        );
        let Some(watching) = watching else {
            self.state.borrow_mut().refused(Refusal::NoCodec, time::now());
            return;
        };
        let view = self.reports.asking();
        let asking = watching.ask(&self.channel, view.as_deref().map_or(Why::Watch, Why::Return));
        *self.watching.borrow_mut() = Some(watching);
        let weak = Rc::downgrade(self);
        browser::spawn(async move {
            let answer = asking.await;
            let Some(inner) = weak.upgrade().filter(|inner| inner.generation.get() == generation) else {
                return;
            };
            if answer.is_ok() {
                inner.tell();
            }
            inner.with(|state, now| match answer {
                Ok(view) => {
                    inner.reports.opened(view);
                    state.accepted(now);
                }
                Err(declined) => {
                    precedence::release();
                    state.refused(refusal(&declined), now);
                }
            });
        });
    }

    fn close(&self) {
        self.generation.set(self.generation.get() + 1);
        self.watching.take();
        self.stream.take();
    }

    /// Tells the server what the viewer wants and how much of it is seen, if that is news to it.
    fn tell(&self) {
        self.stirred.set(false);
        let wanted = {
            let snapshot = self.snapshot.borrow();
            let alone = snapshot.is_sound_alone();
            snapshot.choice.asks(alone, page::device_pixels(&self.video), page::is_out_of_sight())
        };
        if let Some(watching) = self.watching.borrow().as_ref()
            && self.told.borrow().as_ref() != Some(&wanted)
            && watching.choose(&wanted)
        {
            *self.told.borrow_mut() = Some(wanted);
        }
    }

    /// Whether there may be nothing to see: of a page that is hidden, or of sound alone.
    fn rest(self: &Rc<Self>) {
        let alone = self.snapshot.borrow().is_sound_alone();
        // A picture that doesn't come would keep the sound waiting: its line joins when it is wanted.
        if let Some(stream) = self.stream.borrow().as_ref().filter(|_| !alone)
            && let Some(track) = self.held.take()
        {
            stream.add(&track);
        }
        self.with(|state, now| state.rest(alone, page::is_out_of_sight(), now));
    }

    fn ask_playing(self: &Rc<Self>) {
        let Some(asking) = self.watching.borrow().as_ref().map(Watching::playing) else { return };
        let (inner, generation) = (self.clone(), self.generation.get());
        browser::spawn(async move {
            let playing = asking.await;
            if inner.generation.get() == generation {
                inner.update(|snapshot| snapshot.playing = playing.map(Rc::new));
            }
        });
    }

    fn ask_clock(self: &Rc<Self>) {
        let Some(asking) = self.watching.borrow().as_ref().map(Watching::clock) else { return };
        // Sooner, if no answer comes.
        self.clock_at.set(time::now() + CLOCK_AGAIN);
        let (inner, generation) = (self.clone(), self.generation.get());
        browser::spawn(async move {
            let Some((asked, came, clock)) = asking.await else { return };
            if inner.generation.get() == generation {
                inner.clock_at.set(time::now() + CLOCK_EVERY);
                inner.latency.borrow_mut().heard(Answer { asked, came, clock });
            }
        });
    }

    fn measure(self: &Rc<Self>) {
        if time::now() >= self.clock_at.get() {
            self.ask_clock();
        }
        if self.stirred.get() {
            self.tell();
        }
        if self.looks.get() > 0 {
            self.ask_playing();
        }
        let Some(stats) = self.watching.borrow().as_ref().map(Watching::stats) else { return };
        let (inner, generation) = (self.clone(), self.generation.get());
        browser::spawn(async move {
            let reading = read(&stats.await);
            if inner.generation.get() != generation {
                return;
            }
            let quality = quality(inner.reading.borrow().as_ref(), &reading);
            *inner.reading.borrow_mut() = Some(reading);
            if quality.flows {
                inner.with(|state, now| state.flowed(now));
            }
            let latency = inner.latency.borrow().millis();
            inner.reports.measured(&quality, latency);
            inner.update(|snapshot| {
                snapshot.quality = quality;
                snapshot.latency = latency;
            });
        });
    }
}

fn refusal(declined: &Declined) -> Refusal {
    if let Some(expired) = declined.failure.embed_expired() {
        return Refusal::Embed { expired };
    }
    match &declined.failure {
        Failure::Unreachable => Refusal::Unreachable,
        failure => match failure.status() {
            Some(404 | 401 | 403) => Refusal::Unknown,
            Some(400 | 406 | 415 | 422) => Refusal::NoCodec,
            Some(409) => Refusal::NotLive,
            Some(503) if failure.is("draining") => Refusal::Unreachable,
            Some(429 | 503) => Refusal::Full(declined.retry_after),
            _ => Refusal::Unreachable,
        },
    }
}
