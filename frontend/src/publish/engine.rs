//! The studio's moving parts: carries out what [`PublishState`] decides and reports what there is to show.

use super::{
    charts::Charts,
    ladder::Ladder,
    sources::{Mode, Sources, words},
    studio_state::{Hearing, Output, PublishState, Qualities, Stage},
};
use crate::{
    api::{
        events::{Events, Subscription},
        rest,
        whip::Publishing,
    },
    browser::{
        self,
        listen::{self, Listener},
        media::{self, Device, Refused, Stream, Track},
        rtc, storage,
        time::{self, Timer},
    },
};
use shared::{
    broadcast::ChannelState,
    event::{Payload, Topic},
    id::ChannelName,
    publish::PublisherHealth,
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use yew::Callback;

const CODEC: &str = "weir.codec";
const BITRATE: &str = "weir.bitrate";
const QUALITIES: &str = "weir.qualities";

/// What there is to show.
#[derive(Clone, PartialEq)]
pub struct Snapshot {
    /// What the picture is made of.
    pub mode: Mode,
    /// What there is to pick from.
    pub devices: Rc<Vec<Device>>,
    /// The camera in use.
    pub camera: Option<String>,
    /// The microphone in use.
    pub microphone: Option<String>,
    /// The picture is there; an error says why not.
    pub video: Result<bool, String>,
    /// The microphone is there; an error says why not.
    pub audio: Result<bool, String>,
    /// The picture to preview.
    pub preview: Option<Stream>,
    /// The microphone has been silent for a while.
    pub silent: bool,
    /// Where publishing stands.
    pub stage: Stage,
    /// Black and silent by the streamer's wish.
    pub paused: bool,
    /// What kept it from starting.
    pub error: Option<String>,
    /// The last minute.
    pub charts: Rc<Charts>,
    /// The codec that is sent.
    pub sends: String,
    /// What arrives at the server.
    pub health: Option<Rc<PublisherHealth>>,
    /// What the server makes of it.
    pub ladder: Option<Rc<Ladder>>,
    /// What viewers see of it.
    pub channel: Option<Rc<ChannelState>>,
    /// The server's clock minus this machine's, in milliseconds.
    pub clock_offset: i64,
    /// The codec to send; empty leaves it to the browser.
    pub codec: String,
    /// The most bits a second.
    pub bitrate: u32,
    /// Who makes the sizes that viewers choose from.
    pub qualities: Qualities,
}

pub(super) struct Inner {
    pub(super) channel: ChannelName,
    report: Callback<Snapshot>,
    pub(super) state: RefCell<PublishState>,
    pub(super) sources: RefCell<Sources>,
    pub(super) snapshot: RefCell<Snapshot>,
    pub(super) publishing: RefCell<Option<Rc<Publishing>>>,
    pub(super) token: RefCell<String>,
    hearing: RefCell<Hearing>,
    pub(super) last: Cell<Option<(f64, f64)>>,
    warning: RefCell<Option<Listener>>,
    pub(super) generation: Cell<u32>,
    left: Cell<bool>,
}

/// One running studio. Clones share it.
#[derive(Clone)]
pub struct Engine {
    inner: Rc<Inner>,
    _keep: Rc<(Vec<Timer>, Vec<Subscription>, Vec<Listener>)>,
}

impl PartialEq for Engine {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.inner, &other.inner)
    }
}

/// The codecs to pick from that this browser can send.
pub fn codecs() -> Vec<&'static str> {
    ["AV1", "VP9", "VP8", "H264"].into_iter().filter(|codec| rtc::can_send(codec)).collect()
}

impl Engine {
    /// What there is before anything happened.
    pub fn empty() -> Snapshot {
        let codec =
            storage::read(CODEC).filter(|codec| codecs().contains(&codec.as_str())).unwrap_or_default();
        let bitrate = storage::read(BITRATE).and_then(|text| text.parse().ok()).unwrap_or(2_500_000);
        Snapshot {
            mode: Mode::Camera,
            devices: Rc::default(),
            camera: None,
            microphone: None,
            video: Ok(false),
            audio: Ok(false),
            preview: None,
            silent: false,
            stage: Stage::Ready,
            paused: false,
            error: None,
            charts: Rc::default(),
            sends: String::new(),
            health: None,
            ladder: None,
            channel: None,
            clock_offset: 0,
            codec,
            bitrate,
            qualities: Qualities::named(&storage::read(QUALITIES).unwrap_or_default()),
        }
    }

    /// Opens the studio of a channel: asks for camera and microphone.
    pub fn new(channel: ChannelName, events: &Events, report: Callback<Snapshot>) -> Self {
        let inner = Rc::new(Inner {
            channel: channel.clone(),
            report,
            state: RefCell::default(),
            sources: RefCell::default(),
            snapshot: RefCell::new(Self::empty()),
            publishing: RefCell::default(),
            token: RefCell::default(),
            hearing: RefCell::default(),
            last: Cell::default(),
            warning: RefCell::default(),
            generation: Cell::default(),
            left: Cell::default(),
        });
        let (ticks, measures) = (Rc::downgrade(&inner), Rc::downgrade(&inner));
        let timers = vec![
            time::every(250, move || {
                if let Some(inner) = ticks.upgrade() {
                    inner.with(|state, now| state.tick(now));
                }
            }),
            time::every(1000, move || {
                if let Some(inner) = measures.upgrade() {
                    inner.measure();
                    if inner.state.borrow().is_on_air() {
                        inner.ask_ladder(None);
                    }
                }
            }),
        ];
        let (healths, states) = (Rc::downgrade(&inner), Rc::downgrade(&inner));
        let subscriptions = vec![
            events.subscribe(Topic::Webrtc, Some(channel.clone()), move |payload| {
                if let (Some(inner), Payload::PublisherHealth(health)) = (healths.upgrade(), payload) {
                    inner.with(|state, _| state.publisher(health.session.as_ref().map(|id| id.as_str())));
                    inner.update(|snapshot| snapshot.health = Some(Rc::new(*health)));
                }
            }),
            events.subscribe(Topic::ChannelState, Some(channel), move |payload| {
                if let (Some(inner), Payload::ChannelState(state)) = (states.upgrade(), payload) {
                    inner.update(|snapshot| {
                        snapshot.clock_offset = state.server_time.as_millis() - time::wall();
                        snapshot.channel = Some(Rc::new(*state));
                    });
                }
            }),
        ];
        let (leaves, changes) = (Rc::downgrade(&inner), Rc::downgrade(&inner));
        let listeners = [
            listen::window("pagehide", move || {
                if let Some(publishing) = leaves.upgrade().and_then(|inner| inner.publishing.take()) {
                    publishing.leave();
                }
            }),
            media::on_devices_change(move || {
                if let Some(inner) = changes.upgrade() {
                    inner.list_devices();
                }
            }),
        ];
        let keep = (timers, subscriptions, listeners.into_iter().flatten().collect());
        let engine = Self { inner, _keep: Rc::new(keep) };
        engine.ask_both();
        engine
    }

    fn ask_both(&self) {
        let inner = self.inner.clone();
        browser::spawn(async move {
            match media::camera_and_microphone(None, None).await {
                Ok(stream) => {
                    inner.took_camera(Ok(stream.clone()));
                    inner.took_microphone(Ok(stream));
                }
                // One of the two may be there all the same.
                Err(_) => {
                    let camera = media::camera(None).await;
                    inner.took_camera(camera);
                    let microphone = media::microphone(None).await;
                    inner.took_microphone(microphone);
                }
            }
            inner.list_devices();
        });
    }

    /// Another camera.
    pub fn pick_camera(&self, device: String) {
        let inner = self.inner.clone();
        browser::spawn(async move {
            let camera =
                media::camera(Some(&device).filter(|device| !device.is_empty()).map(String::as_str)).await;
            inner.took_camera(camera);
        });
    }

    /// Another microphone.
    pub fn pick_microphone(&self, device: String) {
        let inner = self.inner.clone();
        browser::spawn(async move {
            let device = Some(&device).filter(|device| !device.is_empty());
            let microphone = media::microphone(device.map(String::as_str)).await;
            inner.took_microphone(microphone);
        });
    }

    /// Camera, screen or both. A screen that the person doesn't pick after all changes nothing.
    pub fn set_mode(&self, mode: Mode) {
        let inner = self.inner.clone();
        let has_screen = inner.sources.borrow().screen.is_some();
        if mode == Mode::Camera {
            inner.sources.borrow_mut().set_screen(None, mode);
            inner.changed_video(Ok(()));
        } else if has_screen {
            let screen = inner.sources.borrow().screen.clone();
            inner.sources.borrow_mut().set_screen(screen, mode);
            inner.changed_video(Ok(()));
        } else {
            browser::spawn(async move {
                let Ok(screen) = media::screen().await else { return };
                let weak = Rc::downgrade(&inner);
                let ended = screen.video().map(|track| {
                    track.on_ended(move || {
                        // Not from within the listener that goes with it.
                        let weak = weak.clone();
                        browser::spawn(async move {
                            if let Some(inner) = weak.upgrade() {
                                inner.sources.borrow_mut().set_screen(None, Mode::Camera);
                                inner.changed_video(Ok(()));
                            }
                        });
                    })
                });
                inner.sources.borrow_mut().set_screen(Some(screen), mode);
                inner.sources.borrow_mut().screen_ended = ended;
                inner.changed_video(Ok(()));
            });
        }
    }

    /// The codec to send from the next start on; empty leaves it to the browser.
    pub fn set_codec(&self, codec: String) {
        storage::write(CODEC, &codec);
        self.inner.update(|snapshot| snapshot.codec = codec);
    }

    /// The most bits a second from the next start on.
    pub fn set_bitrate(&self, bitrate: u32) {
        storage::write(BITRATE, &bitrate.to_string());
        self.inner.update(|snapshot| snapshot.bitrate = bitrate);
    }

    /// Who makes the sizes that viewers choose from, from the next start on.
    pub fn set_qualities(&self, name: &str) {
        storage::write(QUALITIES, name);
        self.inner.update(|snapshot| snapshot.qualities = Qualities::named(name));
    }

    /// Goes live.
    pub fn go_live(&self) {
        self.inner.sources.borrow_mut().pause(false);
        self.inner.update(|snapshot| {
            snapshot.error = None;
            snapshot.charts = Rc::default();
        });
        self.inner.with(|state, _| state.go_live());
    }

    /// Black and silence, or on.
    pub fn pause(&self, paused: bool) {
        self.inner.sources.borrow_mut().pause(paused);
        self.inner.with(|state, _| state.pause(paused));
    }

    /// Ends, in a moment.
    pub fn end(&self) {
        self.inner.with(PublishState::end);
    }

    /// Ends now.
    pub fn end_now(&self) {
        self.inner.with(|state, _| state.end_now());
    }

    /// Goes on after all.
    pub fn undo(&self) {
        self.inner.with(|state, _| state.undo());
    }

    /// Turns the ladder on or off, or only looks at it.
    pub fn ask_ladder(&self, enabled: Option<bool>) {
        self.inner.ask_ladder(enabled);
    }

    /// How loud the microphone is, 0 to 1; also tells silence from a pause.
    pub fn peak(&self) -> f32 {
        let sources = self.inner.sources.borrow();
        let peak = sources.peak();
        let silent = sources.microphone.is_some() && self.inner.hearing.borrow_mut().level(peak, time::now());
        drop(sources);
        self.inner.update(|snapshot| snapshot.silent = silent);
        peak
    }

    /// The person did something: browsers let sound be measured from now on.
    pub fn wake(&self) {
        self.inner.sources.borrow().wake();
    }

    /// Milliseconds until the end, if it is coming.
    pub fn until_end(&self) -> Option<u64> {
        match self.inner.state.borrow().stage() {
            Stage::Ending { at } => Some(at.saturating_sub(time::now())),
            _ => None,
        }
    }

    /// Closes the studio: ends what is live and gives all devices back.
    pub fn leave(&self) {
        let inner = &self.inner;
        inner.left.set(true);
        inner.warning.take();
        if inner.state.borrow().is_on_air() {
            inner.finish();
        }
        inner.sources.borrow_mut().stop();
    }
}

impl Inner {
    pub(super) fn with(self: &Rc<Self>, decide: impl FnOnce(&mut PublishState, u64)) {
        decide(&mut self.state.borrow_mut(), time::now());
        loop {
            let output = self.state.borrow_mut().poll();
            match output {
                None => break,
                Some(Output::GetToken) => self.get_token(),
                Some(Output::Publish) => self.publish(),
                Some(Output::Drop) => {
                    self.generation.set(self.generation.get() + 1);
                    self.publishing.take();
                }
                Some(Output::End) => {
                    self.sources.borrow_mut().pause(false);
                    self.finish();
                }
            }
        }
        let (stage, paused, on_air) = {
            let state = self.state.borrow();
            (state.stage(), state.is_paused(), state.is_on_air())
        };
        let warns = self.warning.borrow().is_some();
        if on_air != warns && !self.left.get() {
            *self.warning.borrow_mut() = if on_air { listen::warn_before_leaving() } else { None };
        }
        self.update(|snapshot| {
            snapshot.stage = stage;
            snapshot.paused = paused;
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

    fn ask_ladder(self: &Rc<Self>, enabled: Option<bool>) {
        let inner = self.clone();
        browser::spawn(async move {
            let ladder = rest::ladder(&inner.channel, enabled).await.ok();
            let ladder = ladder.map(|value| Rc::new(Ladder::read(&value)));
            inner.update(|snapshot| snapshot.ladder = ladder);
        });
    }

    fn list_devices(self: &Rc<Self>) {
        let inner = self.clone();
        browser::spawn(async move {
            let devices = media::devices().await;
            inner.update(|snapshot| snapshot.devices = Rc::new(devices));
        });
    }

    fn took_camera(self: &Rc<Self>, camera: Result<Stream, Refused>) {
        if self.left.get() {
            return camera.into_iter().for_each(|stream| stream.stop());
        }
        match camera {
            Ok(stream) => {
                self.sources.borrow_mut().set_camera(stream.video());
                self.changed_video(Ok(()));
            }
            Err(refused) => self.changed_video(Err(refused)),
        }
    }

    fn took_microphone(self: &Rc<Self>, microphone: Result<Stream, Refused>) {
        if self.left.get() {
            return microphone.into_iter().for_each(|stream| stream.stop());
        }
        let refused = microphone.as_ref().err().map(|refused| words(*refused, "microphone"));
        if let Ok(stream) = microphone {
            self.sources.borrow_mut().set_microphone(stream.audio());
        }
        let device = self.sources.borrow().microphone.as_ref().and_then(Track::device);
        let is_there = device.is_some();
        self.update(|snapshot| {
            snapshot.audio = refused.filter(|_| !is_there).map_or(Ok(is_there), Err);
            snapshot.microphone = device;
        });
        self.send_again();
    }

    fn changed_video(self: &Rc<Self>, attempt: Result<(), Refused>) {
        let (mode, preview, device) = {
            let sources = self.sources.borrow();
            (
                sources.mode,
                sources.video().as_ref().and_then(Stream::of),
                sources.camera.as_ref().and_then(Track::device),
            )
        };
        self.update(|snapshot| {
            snapshot.mode = mode;
            snapshot.video = match (&preview, attempt) {
                (Some(_), _) => Ok(true),
                (None, Err(refused)) => Err(words(refused, "camera")),
                (None, Ok(())) => Err("No camera yet: pick one, or share your screen".to_owned()),
            };
            snapshot.preview = preview;
            snapshot.camera = device;
        });
        self.send_again();
    }
}
