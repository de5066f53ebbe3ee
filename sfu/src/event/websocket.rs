//! The event socket: carries [`super::gateway`] over a WebSocket.

use super::{
    Bells, Chat, Source, ToSend,
    bus::{Bus, Rooms},
    feed::Feeds,
    gateway::{Body, Command, Connection, Key, MESSAGE_MOST, Outgoing},
    places::Places,
    task::{Ask, Following, Happened, Payload, follow, open},
    wire,
};
use crate::{
    actor::Embed,
    fresh,
    http::{
        csrf,
        endings::{Endings, EndingsOf},
        line::{Heard, Line},
        login::{self, Credential, Logins, SignedIn},
        passes,
        peer::{Peer, Site, is_same_origin},
        problem::ProblemResponse,
    },
};
use axum::{
    extract::{
        State, WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use futures_util::{
    FutureExt, StreamExt,
    future::{AbortHandle, Abortable, BoxFuture},
    stream::FuturesUnordered,
};
use prometheus_client::{metrics::gauge::Gauge, registry::Registry};
use shared::event::Phase;
use std::{
    collections::HashMap,
    future::{pending, poll_fn},
    net::IpAddr,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{Instant, Interval, MissedTickBehavior, interval, sleep_until},
};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The most connections; the next one gets 503.
pub const CONNECTIONS_MOST: u32 = 20_000;
/// A client that takes no message for this long is gone.
const WRITE_MOST: Duration = Duration::from_secs(20);
/// How often it is asked whether the login still holds, beside each time that one of its person's ended.
const LOGIN_CHECK: Duration = Duration::from_secs(60);
/// The same, when the store couldn't say.
const LOGIN_CHECK_AGAIN: Duration = Duration::from_secs(1);

/// The gateway's parts; cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    pub(super) source: Arc<dyn Source>,
    pub(super) chat: Arc<dyn Chat>,
    pub(super) bells: Arc<dyn Bells>,
    logins: Arc<dyn Logins>,
    endings: Endings,
    pub(super) bus: Bus,
    pub(super) rooms: Rooms,
    pub(super) feeds: Feeds,
    site: Site,
    places: Arc<Semaphore>,
    of_networks: Arc<Mutex<Places>>,
    draining: watch::Receiver<bool>,
    metrics: Metrics,
}

#[derive(Debug, Clone, Default)]
struct Metrics {
    connections: Gauge,
    requests: Gauge,
}

impl Gateway {
    /// `draining` turns true when the server is about to stop.
    pub fn new(
        source: Arc<dyn Source>,
        chat: Arc<dyn Chat>,
        bells: Arc<dyn Bells>,
        (logins, endings): (Arc<dyn Logins>, Endings),
        (bus, rooms): (Bus, Rooms),
        site: Site,
        draining: watch::Receiver<bool>,
    ) -> Self {
        let feeds = Feeds::new(source.clone(), bus.clone());
        let places = Arc::new(Semaphore::new(CONNECTIONS_MOST as usize));
        let (of_networks, metrics) = (Arc::default(), Metrics::default());
        Self {
            source,
            chat,
            bells,
            logins,
            endings,
            bus,
            rooms,
            feeds,
            site,
            places,
            of_networks,
            draining,
            metrics,
        }
    }

    /// A place for a connection; none if there are too many, of all or of one network.
    fn enter(&self, address: Option<IpAddr>) -> Option<Place> {
        let permit = self.places.clone().try_acquire_owned().ok()?;
        let may = self.of_networks.lock().unwrap_or_else(PoisonError::into_inner).enter(address);
        may.then(|| Place { _permit: permit, address, of_networks: self.of_networks.clone() })
    }

    /// Counts connections and requests there.
    pub fn register(&self, registry: &mut Registry) {
        let Metrics { connections, requests } = self.metrics.clone();
        registry.register("event_connections", "Open event sockets", connections);
        registry.register("event_requests", "Open requests on event sockets", requests);
    }

    /// The bus that it follows.
    pub fn bus(&self) -> &Bus {
        &self.bus
    }

    /// Waits until no connection is open.
    pub async fn closed(&self) {
        // The semaphore is never closed.
        let _ = self.places.acquire_many(CONNECTIONS_MOST).await;
    }
}

/// `GET /events`.
pub fn routes(gateway: Gateway) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(upgrade)).with_state(gateway)
}

/// The event socket
///
/// A WebSocket of JSON messages: request a topic, and be told of its lifecycle. A browser's page must be Weir's own;
/// programs send no `Origin`. See docs/events.md.
#[utoipa::path(
    get,
    path = "/events",
    operation_id = "openEvents",
    tag = "events",
    responses(
        (status = 101, description = "From here on, WebSocket: `ClientMessage` one way and `ServerMessage` the other"),
        (status = 400, description = "It is no WebSocket handshake"),
        (status = 403, description = "Another site's page asks"),
        (status = 503, description = "The server has as many open as it can, or is about to stop"),
    ),
    security((), ("login" = []), ("token" = []))
)]
async fn upgrade(
    State(gateway): State<Gateway>,
    peer: Peer,
    headers: HeaderMap,
    socket: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ProblemResponse> {
    let socket = socket.map_err(|_| {
        ProblemResponse::new(
            StatusCode::BAD_REQUEST,
            "not-a-websocket",
            "A WebSocket is needed",
            "This address speaks WebSocket alone: connect with ws:// or wss://.",
        )
    })?;
    // Programs send no origin; a browser always does, and can't forge it.
    if let Some(origin) = headers.get(header::ORIGIN)
        && !is_same_origin(origin.to_str().unwrap_or("null"), &headers, &gateway.site)
    {
        return Err(csrf::cross_origin());
    }
    let full = |detail| {
        ProblemResponse::new(StatusCode::SERVICE_UNAVAILABLE, "full", "The server is at its limit", detail)
            .retry_after(5)
    };
    if *gateway.draining.borrow() {
        let detail = "It takes no new connections. Try again in a few seconds.";
        let problem = ProblemResponse::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "draining",
            "The server is about to restart",
            detail,
        );
        return Err(problem.retry_after(5));
    }
    let place = gateway.enter(peer.address);
    let place =
        place.ok_or_else(|| full("This server has as many pages open as it can. Try again in a moment."))?;
    let credential = login::credential(&headers);
    let passes: Option<Arc<str>> = passes::of(&headers).map(Into::into);
    let who = login::who(&headers, gateway.logins.as_ref()).await?;
    let socket = socket
        // The gateway answers one that is a little too large; far larger ones aren't even read.
        .max_message_size(MESSAGE_MOST * 2)
        .max_frame_size(MESSAGE_MOST * 2)
        .read_buffer_size(4 * 1024)
        .write_buffer_size(0)
        .max_write_buffer_size(1024 * 1024);
    Ok(socket.on_upgrade(move |socket| async move {
        let credential = credential.filter(|_| who.is_some());
        Session::new(gateway, who, passes, peer.address, place).run(socket, credential).await;
    }))
}

/// One connection's, among all and among those of its network.
struct Place {
    _permit: OwnedSemaphorePermit,
    address: Option<IpAddr>,
    of_networks: Arc<Mutex<Places>>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.of_networks.lock().unwrap_or_else(PoisonError::into_inner).leave(self.address);
    }
}

type Work = Abortable<BoxFuture<'static, Happened>>;

struct Session {
    gateway: Gateway,
    who: Option<Arc<SignedIn>>,
    /// The passes that the page's browser has, which are shown where no signed embed is.
    passes: Option<Arc<str>>,
    address: Option<IpAddr>,
    core: Connection<Payload>,
    since: Instant,
    work: FuturesUnordered<Work>,
    running: HashMap<Key, AbortHandle>,
    /// What goes on when the client was sent what came before.
    held: Vec<(Key, Following)>,
    counted: i64,
    /// The token of the last signed embed that admitted here: what has begun with it goes on when it has expired.
    proven: Option<Arc<str>>,
    is_draining: bool,
    _place: Place,
}

impl Session {
    fn new(
        gateway: Gateway,
        who: Option<SignedIn>,
        passes: Option<Arc<str>>,
        address: Option<IpAddr>,
        place: Place,
    ) -> Self {
        gateway.metrics.connections.inc();
        Self {
            gateway,
            who: who.map(Arc::new),
            passes,
            address,
            core: Connection::new(Duration::ZERO),
            since: Instant::now(),
            work: FuturesUnordered::new(),
            running: HashMap::new(),
            held: Vec::new(),
            counted: 0,
            proven: None,
            is_draining: false,
            _place: place,
        }
    }

    fn now(&self) -> Duration {
        self.since.elapsed()
    }

    async fn run(mut self, socket: WebSocket, credential: Option<Credential>) {
        let mut line = Line::new(socket);
        let mut draining = self.gateway.draining.clone();
        let mut draining = pin!(told(&mut draining));
        // The first one at once: a login may have ended since it was asked, and before its endings were followed.
        let mut endings = self.who.as_ref().map(|who| self.gateway.endings.of(&who.actor.account));
        let mut login_check = interval(LOGIN_CHECK);
        login_check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut alarm = pin!(sleep_until(Instant::now()));
        let close = loop {
            if let Some(close) = self.obey() {
                break Some(close);
            }
            let mut deadline = self.since + self.core.next_deadline(self.now());
            if let Some(since) = line.writing_since() {
                deadline = deadline.min(since + WRITE_MOST);
            }
            // It may go off too early, and is set anew then: most deadlines move on before they are reached.
            if alarm.is_elapsed() || deadline < alarm.deadline() {
                alarm.as_mut().reset(deadline);
            }
            let (core, since) = (&mut self.core, self.since);
            let mut next = || core.poll_outgoing(since.elapsed()).map(message_of);
            tokio::select! {
                heard = poll_fn(|context| line.poll(context, &mut next)) => match heard {
                    Heard::Message(Message::Text(text)) => self.core.text(&text, self.now()),
                    Heard::Message(Message::Binary(_)) => self.core.binary(),
                    Heard::Message(Message::Ping(_) | Message::Pong(_)) => self.core.heard(self.now()),
                    Heard::Message(Message::Close(_)) | Heard::Over => break None,
                    Heard::Broken(error) => {
                        tracing::debug!(%error, "an event socket broke");
                        self.core.disconnect(1002, "the frames are broken or too large");
                    }
                    Heard::Written => self.go_on(),
                },
                Some(done) = self.work.next(), if !self.work.is_empty() => if let Ok(happened) = done {
                    self.happened(happened);
                },
                () = &mut alarm => {
                    if line.writing_since().is_some_and(|since| since.elapsed() >= WRITE_MOST) {
                        break None;
                    }
                    self.core.tick(self.now());
                }
                _ = login_check.tick(), if credential.is_some() => {
                    self.check_login(credential.as_ref(), &mut login_check).await;
                }
                () = ended(endings.as_mut()) => {
                    self.check_login(credential.as_ref(), &mut login_check).await;
                }
                () = &mut draining, if !self.is_draining => {
                    self.is_draining = true;
                    self.core.disconnect(1012, "the server is about to restart");
                }
            }
        };
        let frame = close.map(|(code, reason)| {
            tracing::debug!(code, reason, "an event socket is closed");
            CloseFrame { code, reason: reason.into() }
        });
        line.close(frame).await;
    }

    /// Does what the core wants done; how to close, if it is over.
    fn obey(&mut self) -> Option<(u16, &'static str)> {
        while let Some(command) = self.core.poll_command() {
            match command {
                Command::Open { key, topic, channel, after, token } => {
                    let (token, is_proven) = self.shown(token);
                    let (who, gateway) = (self.who.clone(), self.gateway.clone());
                    let ask = Ask { key, topic, channel, who, token, is_proven, gateway };
                    self.start(key, open(Arc::new(ask), after).boxed());
                }
                Command::Send { key, channel, message, guest, token } => {
                    let (token, goes_on) = self.shown(token);
                    let to_send = ToSend { message: *message, guest };
                    let (chat, who, address) = (self.gateway.chat.clone(), self.who.clone(), self.address);
                    let work = async move {
                        let embed = token.as_deref().map(|token| Embed { token, goes_on });
                        match chat.send(who.as_deref(), embed, address, &channel, to_send).await {
                            Ok(sent) => Happened::Sent { key, sent },
                            Err(problem) => Happened::Refused { key, problem: Box::new(problem) },
                        }
                    };
                    self.start(key, work.boxed());
                }
                Command::Close { key } => {
                    self.held.retain(|(held, _)| *held != key);
                    if let Some(running) = self.running.remove(&key) {
                        running.abort();
                    }
                }
                Command::Disconnect { code, reason } => return Some((code, reason)),
            }
        }
        let open = self.core.open() as i64;
        self.gateway.metrics.requests.inc_by(open - self.counted);
        self.counted = open;
        None
    }

    /// What is shown, and whether it admitted on this connection before.
    fn shown(&self, token: Option<String>) -> (Option<Arc<str>>, bool) {
        let token = token.map(Into::into).or_else(|| self.passes.clone());
        let is_proven = token.is_some() && token == self.proven;
        (token, is_proven)
    }

    fn start(&mut self, key: Key, work: BoxFuture<'static, Happened>) {
        let (work, handle) = futures_util::future::abortable(work);
        self.running.insert(key, handle);
        self.work.push(work);
    }

    fn happened(&mut self, happened: Happened) {
        let now = self.now();
        let (key, next) = match happened {
            Happened::Granted { key, complete, cursor, next } => {
                self.core.granted(key, complete, cursor, now);
                if let Some(token) = next.token() {
                    self.proven = Some(token.clone());
                }
                (key, Some(next))
            }
            Happened::State { key, snapshot, next } => {
                self.core.state(key, snapshot.cursor, Payload::State(snapshot));
                (key, Some(next))
            }
            Happened::Occurred { key, events, next } => {
                for (cursor, payload) in events {
                    self.core.occurred(key, cursor, payload);
                }
                (key, Some(next))
            }
            Happened::Bell { key, cursor, text, next } => {
                self.core.state(key, cursor, Payload::Chat(text));
                (key, Some(next))
            }
            Happened::Chat { key, cursor, text, next } => {
                self.core.occurred(key, cursor, Payload::Chat(text));
                self.running.remove(&key);
                self.held.push((key, next));
                return;
            }
            Happened::Sent { key, sent } => {
                self.core.sent(key, sent);
                (key, None)
            }
            Happened::Refused { key, problem } => {
                self.core.refused(key, *problem);
                (key, None)
            }
            Happened::FellBehind { key } => {
                self.core.fell_behind(key);
                (key, None)
            }
            Happened::Over { key } => {
                self.core.over(key);
                (key, None)
            }
        };
        match next {
            Some(next) => self.start(key, follow(next).boxed()),
            None => {
                self.running.remove(&key);
            }
        }
    }

    /// Fetches more for requests of which everything is on its way: a room's follower has no queue.
    fn go_on(&mut self) {
        let core = &self.core;
        let is_ready = |(key, _): &mut (Key, Following)| core.is_passed_on(*key);
        let ready: Vec<_> = self.held.extract_if(.., is_ready).collect();
        for (key, next) in ready {
            self.start(key, follow(next).boxed());
        }
    }

    /// A login or token that was revoked takes what it followed with it, as does one that may do something else by now; the
    /// page connects again as who it is then.
    async fn check_login(&mut self, credential: Option<&Credential>, check: &mut Interval) {
        let Some(credential) = credential else { return };
        match self.gateway.logins.who(credential).await {
            Ok(who) if who.as_ref() == self.who.as_deref() => {}
            Ok(_) => self.core.disconnect(1008, "the login is over"),
            // While the store can't answer, what was granted stays granted.
            Err(_) => check.reset_after(LOGIN_CHECK_AGAIN),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.gateway.metrics.connections.dec();
        self.gateway.metrics.requests.dec_by(self.counted);
    }
}

fn message_of(outgoing: Outgoing<Payload>) -> Message {
    let Outgoing::Message { label, phase, id, cursor, body } = outgoing else {
        return Message::Ping(Default::default());
    };
    let now = fresh::now();
    let json =
        |result: serde_json::Result<String>| Arc::<str>::from(result.unwrap_or_else(|_| "{}".to_owned()));
    let payload = match body {
        Body::Started(started) => json(serde_json::to_string(&started)),
        Body::Stream(Payload::State(snapshot)) => snapshot.text(now),
        Body::Stream(Payload::Event(event)) => json(serde_json::to_string(event.as_ref())),
        Body::Stream(Payload::Media(update)) => json(serde_json::to_string(update.as_ref())),
        Body::Stream(Payload::Chat(text)) => text,
        Body::Sent(sent) => json(serde_json::to_string(&sent)),
        Body::Failed(problem) => json(serde_json::to_string(&problem)),
        Body::Empty => "{}".into(),
    };
    debug_assert!(!matches!(phase, Phase::Requested | Phase::Cancelled));
    Message::Text(wire::compose(&label, phase, &id, cursor, now, &payload).into())
}

/// Waits until some of a person's logins ended; of nobody, none do.
async fn ended(endings: Option<&mut EndingsOf>) {
    match endings {
        Some(endings) => endings.told().await,
        None => pending().await,
    }
}

/// Waits until the server is about to stop; if nobody can say so any more, it is.
async fn told(draining: &mut watch::Receiver<bool>) {
    let _ = draining.wait_for(|draining| *draining).await;
}
