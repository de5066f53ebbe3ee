//! The sessions of all shards, by the names they have outside, and what their lives mean for broadcasts.

mod dismiss;
mod present;

use super::{
    machine::Ladders,
    room::Measurement,
    router::{Message, Report, RoomKey, ShardRouter, Usher},
};
use crate::{
    audience::Audience,
    broadcast::registry::Input,
    fresh,
    publish::whip::{Grant, Ingest},
    rtc::{
        peer::{Peer, PeerKey, Side},
        plane::{Command, Full, Plane, Seat},
        sdp::{self, OfferError},
        session::{IfMatch, OpenError, Opened, PatchError, Patched, Sessions},
        shard::Closed,
    },
    watch::whep::{Arrival, Egress, Ticket},
};
use futures_util::{FutureExt, future::BoxFuture};
use shared::{
    broadcast::Codec,
    id::{AccountId, ChannelId, ChannelName, SessionId, ViewId},
    publish::RoomAction,
    unit::Timestamp,
    watch::{ChooseRendition, Playing, PlayoutClock},
};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

/// How many offers are answered at once; each costs about a millisecond of a core.
const ANSWERING: usize = 16;
/// How long an offer waits for its turn before it is answered 503.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a shard may take to restart a session's ICE.
const SHARD_ANSWERS: Duration = Duration::from_secs(2);
/// How many publishers that closed without a word are remembered for their goodbye; beyond it the oldest is forgotten.
const CLOSED: usize = 64;
/// The most candidates that are taken of one session.
const CANDIDATES: usize = 64;
/// A session's ICE is restarted at most this often; each costs its shard a new answer.
const RESTART_EVERY: Duration = Duration::from_millis(500);

/// What is live, as far as a viewer's offer must know.
pub trait Program: Send + Sync + 'static {
    /// The video codecs of a channel's broadcast; `None` if nothing is live. Empty while nothing was measured.
    fn video_codecs(&self, channel: &ChannelId) -> Option<Vec<Codec>>;
}

/// Somebody who wants to go on with a view; answered with whether it is one of the broadcast that is on.
pub struct Return {
    /// Where.
    pub channel: ChannelId,
    /// Which.
    pub view: ViewId,
    /// To answer to.
    pub reply: oneshot::Sender<bool>,
}

/// A session's view.
#[derive(Debug, Clone)]
struct Watch {
    id: ViewId,
    comes_back: bool,
    audience: Audience,
}

/// What somebody comes for.
enum Role {
    Publisher,
    Viewer {
        /// None for a preview.
        view: Option<Watch>,
        by_embed: bool,
        account: Option<AccountId>,
    },
}

#[derive(Debug, Clone)]
struct Entry {
    seat: Seat,
    channel: ChannelId,
    name: ChannelName,
    is_publisher: bool,
    /// What it counts as, if it is a viewer's and not a preview.
    view: Option<Watch>,
    /// It watches by a signed embed.
    by_embed: bool,
    /// Who watches, if they are signed in. Nothing is told or kept of it.
    account: Option<AccountId>,
    offer: Arc<str>,
    remote_ufrag: String,
    etag: String,
    restarted: Option<Instant>,
    candidates: usize,
    /// It said goodbye by DELETE.
    said: bool,
    /// Since when its transport is up.
    connected_at: Option<Timestamp>,
}

/// Somebody came to a channel's media room, or left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// Where.
    pub channel: ChannelId,
    /// Its address.
    pub name: ChannelName,
    /// Which of the two.
    pub action: RoomAction,
}

impl Entry {
    /// What logs call a session. A viewer's id is its key, so that only its number is told.
    /// It is in the room as far as anybody is told: previews aren't.
    fn is_told(&self) -> bool {
        self.is_publisher || self.view.is_some()
    }

    fn label(&self, id: &SessionId) -> String {
        if self.is_publisher { id.to_string() } else { format!("viewer-{}", self.seat.key.0) }
    }
}

#[derive(Debug, Default)]
struct Table {
    sessions: HashMap<SessionId, Entry>,
    peers: HashMap<PeerKey, SessionId>,
    rooms: HashMap<ChannelId, RoomKey>,
    channels: HashMap<RoomKey, ChannelId>,
    /// Publishers and viewers that are connected, by channel.
    connected: HashMap<ChannelId, u32>,
    /// The last publishers whose connection closed before they said goodbye, oldest first: OBS closes first and sends its
    /// DELETE after.
    closed: VecDeque<(SessionId, ChannelId)>,
}

impl Table {
    fn room(&mut self, channel: &ChannelId) -> RoomKey {
        if let Some(room) = self.rooms.get(channel) {
            return *room;
        }
        let room = RoomKey(self.rooms.len() as u32);
        self.rooms.insert(channel.clone(), room);
        self.channels.insert(room, channel.clone());
        room
    }
}

/// See the module.
pub struct MediaSessions {
    plane: Plane<ShardRouter>,
    /// What viewers' sessions are.
    egress: Side,
    table: Mutex<Table>,
    overdue: Mutex<Vec<Seat>>,
    turns: Semaphore,
    inputs: mpsc::Sender<Input>,
    returns: mpsc::Sender<Return>,
    program: Arc<dyn Program>,
    ladders: Ladders,
    draining: watch::Receiver<bool>,
}

impl MediaSessions {
    /// With what the registry hears by `inputs` and is asked by `returns`.
    pub fn new(
        (plane, egress): (Plane<ShardRouter>, Side),
        inputs: mpsc::Sender<Input>,
        returns: mpsc::Sender<Return>,
        program: Arc<dyn Program>,
        ladders: Ladders,
        draining: watch::Receiver<bool>,
    ) -> Self {
        Self {
            plane,
            egress,
            table: Mutex::default(),
            overdue: Mutex::default(),
            turns: Semaphore::new(ANSWERING),
            inputs,
            returns,
            program,
            ladders,
            draining,
        }
    }

    /// The shards, for their gauges.
    pub fn plane(&self) -> &Plane<ShardRouter> {
        &self.plane
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nobody publishes and nobody watches.
    pub fn is_idle(&self) -> bool {
        self.table().sessions.is_empty()
    }

    /// A channel's owner wants a ladder, or none.
    pub fn set_ladder(&self, channel: &ChannelId, is_wanted: bool) {
        let room = self.table().room(channel);
        self.ladders.set(room, is_wanted);
    }

    /// Who comes or goes by what a shard is about to tell. To be asked before [`Self::hear`].
    pub fn moved(&self, report: &Report) -> Option<Moved> {
        let mut table = self.table();
        let table = &mut *table;
        let (peer, action) = match report {
            Report::Connected(peer) => (peer, RoomAction::PeerJoined),
            Report::Closed(peer, ..) => (peer, RoomAction::PeerLeft),
            _ => return None,
        };
        let entry = table.sessions.get_mut(table.peers.get(peer)?)?;
        let was_connected = entry.connected_at.is_some();
        if action == RoomAction::PeerJoined && !was_connected {
            entry.connected_at = Some(fresh::now());
        }
        let counts = entry.is_told() && was_connected != (action == RoomAction::PeerJoined);
        let (channel, name) = (entry.channel.clone(), entry.name.clone());
        if !counts {
            return None;
        }
        let connected = table.connected.entry(channel.clone()).or_default();
        match action {
            RoomAction::PeerJoined => *connected += 1,
            _ => *connected = connected.saturating_sub(1),
        }
        if *connected == 0 {
            table.connected.remove(&channel);
        }
        Some(Moved { channel, name, action })
    }

    /// How many publishers and viewers of a channel are connected.
    pub fn connected(&self, channel: &ChannelId) -> u32 {
        self.table().connected.get(channel).copied().unwrap_or(0)
    }

    /// Turns what a shard tells into what the registry needs to hear.
    pub fn hear(&self, report: Report) -> Option<Input> {
        let mut table = self.table();
        match report {
            Report::Connected(peer) => {
                let id = table.peers.get(&peer)?;
                let entry = table.sessions.get(id)?;
                tracing::info!(channel = %entry.name, session = entry.label(id), publisher = entry.is_publisher, "a session is connected");
                let Watch { id: view, comes_back, audience } = entry.view.clone()?;
                let (channel, session) = (entry.channel.clone(), id.clone());
                Some(Input::ViewerJoined { channel, session, view, comes_back, audience })
            }
            Report::Closed(peer, why, quiet) => {
                let id = table.peers.remove(&peer)?;
                let entry = table.sessions.remove(&id)?;
                let (session, why_text) = (entry.label(&id), reason(why, entry.said));
                let Entry { channel, name, is_publisher, said, .. } = entry;
                tracing::info!(channel = %name, session, publisher = is_publisher, why = why_text, "a session is over");
                if is_publisher && !said && why == Closed::ByPeer {
                    if table.closed.len() >= CLOSED {
                        table.closed.pop_front();
                    }
                    table.closed.push_back((id.clone(), channel.clone()));
                }
                Some(if is_publisher {
                    Input::PublisherGone { channel, session: id, said }
                } else {
                    // Who was let go or said goodbye was there until now; who is missed was there when last heard.
                    let quiet = if why == Closed::Asked { Duration::ZERO } else { quiet };
                    Input::ViewerLeft { channel, session: id, quiet }
                })
            }
            Report::Flows(room, peer) => {
                let (channel, session) =
                    (table.channels.get(&room)?.clone(), table.peers.get(&peer)?.clone());
                Some(Input::Flows { channel, session, fresh: fresh::id() })
            }
            Report::Stopped(room, peer) => {
                let (channel, session) =
                    (table.channels.get(&room)?.clone(), table.peers.get(&peer)?.clone());
                Some(Input::Stopped { channel, session })
            }
            Report::Measured(room, measured) => {
                let Measurement {
                    publisher,
                    renditions,
                    made,
                    ladder,
                    loss,
                    round_trip,
                    keyframe_interval,
                    ..
                } = measured;
                let (channel, session) =
                    (table.channels.get(&room)?.clone(), table.peers.get(&publisher)?.clone());
                Some(Input::Measured {
                    channel,
                    session,
                    renditions,
                    made,
                    ladder,
                    loss,
                    round_trip,
                    keyframe_interval,
                    findings: Vec::new(),
                })
            }
            // For the doctor alone.
            Report::Heard(..) => None,
        }
    }

    async fn open(
        &self,
        channel: ChannelId,
        name: ChannelName,
        role: Role,
        offer: &str,
        check: impl FnOnce(&Peer) -> Result<(), OpenError>,
        announce: impl FnOnce(&SessionId),
    ) -> Result<Opened, OpenError> {
        if *self.draining.borrow() {
            return Err(OpenError::Draining);
        }
        let is_publisher = matches!(role, Role::Publisher);
        let seat = self.plane.seat().map_err(|Full| OpenError::Full)?;
        let addresses = self.plane.addresses(seat.shard);
        let turn = tokio::time::timeout(PATIENCE, self.turns.acquire()).await;
        let turn = turn.map_err(|_| OpenError::Full)?.map_err(|_| OpenError::Full)?;
        let text: Arc<str> = sdp::completed(offer).into();
        let copy = Arc::clone(&text);
        let side = if is_publisher { Side::Ingest } else { self.egress };
        // A panic on hostile SDP ends this task alone.
        let answered =
            tokio::task::spawn_blocking(move || Peer::answer(&copy, &addresses, side, Instant::now())).await;
        drop(turn);
        let (peer, answer) = answered
            .map_err(|_| OfferError::Refused("it can't be understood".into()))?
            .map_err(OpenError::Offer)?;
        check(&peer)?;
        let id: SessionId = fresh::id();
        let etag = format!("\"{}\"", peer.ufrag);
        let (view, by_embed, account) = match role {
            Role::Publisher => (None, false, None),
            Role::Viewer { view, by_embed, account } => (view, by_embed, account),
        };
        let entry = Entry {
            seat,
            channel: channel.clone(),
            name,
            is_publisher,
            view,
            by_embed,
            account,
            remote_ufrag: sdp::ufrag(&text).unwrap_or_default().to_owned(),
            offer: text,
            etag: etag.clone(),
            restarted: None,
            candidates: 0,
            said: false,
            connected_at: None,
        };
        let room = {
            let mut table = self.table();
            table.sessions.insert(id.clone(), entry);
            table.peers.insert(seat.key, id.clone());
            table.room(&channel)
        };
        // Whoever hears of the session must have heard of its opening first.
        announce(&id);
        let usher = if is_publisher { Usher::Publisher(room) } else { Usher::Viewer(room) };
        if self.plane.open(seat, peer, usher).is_err() {
            let mut table = self.table();
            table.sessions.remove(&id);
            table.peers.remove(&seat.key);
            if is_publisher {
                let gone = Input::PublisherGone { channel, session: id, said: false };
                if self.inputs.try_send(gone).is_err() {
                    tracing::warn!("the registry is too busy to hear that a publisher found no room");
                }
            }
            return Err(OpenError::Full);
        }
        Ok(Opened { id, etag, answer })
    }

    /// What a viewer counts as: the view that it comes back to, if that can go on, or a new one.
    async fn view(&self, channel: &ChannelId, arrival: Arrival) -> Option<Watch> {
        let Arrival::Counted { returns_to, audience } = arrival else { return None };
        if let Some(view) = returns_to {
            let (reply, goes_on) = oneshot::channel();
            let asked = Return { channel: channel.clone(), view: view.clone(), reply };
            // The registry stops only with the server.
            if self.returns.send(asked).await.is_ok() && goes_on.await == Ok(true) {
                return Some(Watch { id: view, comes_back: true, audience });
            }
        }
        Some(Watch { id: fresh::id(), comes_back: false, audience })
    }

    async fn patched(&self, id: &SessionId, condition: IfMatch, text: &str) -> Result<Patched, PatchError> {
        let fragment = sdp::fragment(text)?;
        let entry = self.table().sessions.get(id).cloned().ok_or(PatchError::Unknown)?;
        let is_new = fragment.credentials.as_ref().is_some_and(|(ufrag, _)| *ufrag != entry.remote_ufrag);
        match (&condition, is_new) {
            (IfMatch::Etag(etag), _) if *etag != entry.etag => return Err(PatchError::Outdated),
            (IfMatch::Etag(_), true) => return Err(PatchError::Outdated),
            (IfMatch::Any, true) => {
                let Some((ufrag, pwd)) = &fragment.credentials else { return Err(PatchError::Outdated) };
                return self.restarted(id, &entry, ufrag, pwd).await;
            }
            (_, false) => {}
        }
        let fits = {
            let mut table = self.table();
            let entry = table.sessions.get_mut(id).ok_or(PatchError::Unknown)?;
            entry.candidates += fragment.candidates.len();
            entry.candidates <= CANDIDATES
        };
        // Beyond what an honest client finds they are passed over: the server learns a peer's addresses from its checks.
        if fits && !fragment.candidates.is_empty() {
            let command = Command::Candidates { key: entry.seat.key, candidates: fragment.candidates };
            self.plane.tell(entry.seat.shard, command).map_err(|Full| PatchError::Full)?;
        }
        Ok(Patched::Accepted)
    }

    async fn restarted(
        &self,
        id: &SessionId,
        entry: &Entry,
        ufrag: &str,
        pwd: &str,
    ) -> Result<Patched, PatchError> {
        if entry.restarted.is_some_and(|last| last.elapsed() < RESTART_EVERY) {
            return Err(PatchError::Full);
        }
        let text = sdp::with_credentials(&entry.offer, ufrag, pwd);
        let offer = Box::new(sdp::offer(&text)?);
        let (reply, answer) = oneshot::channel();
        let command = Command::Restart { key: entry.seat.key, offer, reply };
        self.plane.tell(entry.seat.shard, command).map_err(|Full| PatchError::Full)?;
        let answer = tokio::time::timeout(SHARD_ANSWERS, answer).await.map_err(|_| PatchError::Full)?;
        let answer = answer.ok().flatten().ok_or(PatchError::Unknown)??;
        let etag = format!("\"{}\"", sdp::ufrag(&answer).unwrap_or_default());
        if let Some(entry) = self.table().sessions.get_mut(id) {
            ufrag.clone_into(&mut entry.remote_ufrag);
            entry.etag.clone_from(&etag);
            entry.restarted = Some(Instant::now());
            entry.offer = text.into();
        }
        Ok(Patched::Restarted { etag, fragment: sdp::answer_fragment(&answer) })
    }
}

fn reason(why: Closed, said: bool) -> &'static str {
    match why {
        Closed::Asked if said => "it said goodbye",
        Closed::Asked => "the server ended it",
        Closed::ByPeer => "its peer is gone",
        Closed::NeverConnected => "it never connected",
        Closed::Silent => "nothing was heard from it",
        Closed::Failed => "its state machine failed",
    }
}

impl Sessions for MediaSessions {
    fn patch<'a>(
        &'a self,
        id: &'a SessionId,
        condition: IfMatch,
        fragment: &'a str,
    ) -> BoxFuture<'a, Result<Patched, PatchError>> {
        self.patched(id, condition, fragment).boxed()
    }

    fn close<'a>(&'a self, id: &'a SessionId) -> BoxFuture<'a, Result<(), PatchError>> {
        async move {
            let seat = self.table().sessions.get_mut(id).map(|entry| {
                entry.said = true;
                entry.seat
            });
            if let Some(seat) = seat {
                let command = Command::Close { key: seat.key };
                return self.plane.tell(seat.shard, command).map_err(|Full| PatchError::Full);
            }
            let (session, channel) = {
                let mut table = self.table();
                let at = table.closed.iter().position(|(session, _)| session == id);
                at.and_then(|at| table.closed.remove(at)).ok_or(PatchError::Unknown)?
            };
            // The registry stops only with the server.
            let _ = self.inputs.send(Input::PublisherGone { channel, session, said: true }).await;
            Ok(())
        }
        .boxed()
    }

    fn let_go(&self, id: &SessionId) {
        self.dismiss(id);
    }
}

impl Ingest for MediaSessions {
    fn publish<'a>(
        &'a self,
        grant: Grant,
        user_agent: String,
        offer: &'a str,
    ) -> BoxFuture<'a, Result<Opened, OpenError>> {
        async move {
            let sends = offer.contains("a=sendonly") || offer.contains("a=sendrecv");
            let only_receives = offer.contains("a=recvonly") || offer.contains("a=inactive");
            if only_receives && !sends {
                let why = "the offer only receives: a publisher sends. To watch, post it to /whep instead";
                return Err(OfferError::Unusable(why).into());
            }
            let Grant { channel, name, title, category, reserved, ladder } = grant;
            self.set_ladder(&channel, ladder);
            // The registry stops only with the server.
            let permit = self.inputs.reserve().await.map_err(|_| OpenError::Draining)?;
            let announce = {
                let (channel, name) = (channel.clone(), name.clone());
                move |session: &SessionId| {
                    tracing::info!(channel = %name, %session, user_agent, "a publisher's session is open");
                    let session = session.clone();
                    permit.send(Input::Published {
                        channel,
                        name,
                        title,
                        category,
                        session,
                        user_agent,
                        reserved,
                    });
                }
            };
            self.open(channel, name, Role::Publisher, offer, |_| Ok(()), announce).await
        }
        .boxed()
    }

    fn channel_of(&self, session: &SessionId) -> Option<ChannelId> {
        let table = self.table();
        let open = table.sessions.get(session).filter(|entry| entry.is_publisher).map(|entry| &entry.channel);
        let closed = || table.closed.iter().find(|(id, _)| id == session).map(|(_, channel)| channel);
        open.or_else(closed).cloned()
    }
}

impl Egress for MediaSessions {
    fn watch<'a>(
        &'a self,
        ticket: Ticket,
        name: ChannelName,
        arrival: Arrival,
        offer: &'a str,
    ) -> BoxFuture<'a, Result<(Opened, Option<ViewId>), OpenError>> {
        async move {
            let Ticket { channel, by_embed, account } = ticket;
            let codecs = self.program.video_codecs(&channel).ok_or(OpenError::NotLive)?;
            let check = |peer: &Peer| {
                if !peer.has_line(true) && !peer.has_line(false) {
                    let why =
                        "the offer receives nothing: it needs an audio or a video line that is recvonly";
                    return Err(OpenError::Offer(OfferError::Unusable(why)));
                }
                if peer.has_line(false)
                    && !codecs.is_empty()
                    && !codecs.iter().any(|codec| peer.decodes(*codec))
                {
                    let names: Vec<&str> = codecs.iter().map(|codec| codec.name()).collect();
                    return Err(OpenError::NoCodec(names.join(", ")));
                }
                Ok(())
            };
            let view = self.view(&channel, arrival).await;
            let id = view.as_ref().map(|view| view.id.clone());
            let role = Role::Viewer { view, by_embed, account };
            let opened = self.open(channel, name, role, offer, check, |_| {}).await?;
            Ok((opened, id))
        }
        .boxed()
    }

    fn choose<'a>(
        &'a self,
        id: &'a SessionId,
        wish: ChooseRendition,
    ) -> BoxFuture<'a, Result<(), PatchError>> {
        async move {
            let seat = self.table().sessions.get(id).ok_or(PatchError::Unknown)?.seat;
            let message = Message::Choose { viewer: seat.key, wish };
            self.plane.tell(seat.shard, Command::Message(message)).map_err(|Full| PatchError::Full)
        }
        .boxed()
    }

    fn playing<'a>(&'a self, id: &'a SessionId) -> BoxFuture<'a, Result<Playing, PatchError>> {
        async move {
            let seat = self.table().sessions.get(id).ok_or(PatchError::Unknown)?.seat;
            let (reply, playing) = oneshot::channel();
            let message = Message::Plays { viewer: seat.key, reply };
            self.plane.tell(seat.shard, Command::Message(message)).map_err(|Full| PatchError::Full)?;
            let playing = tokio::time::timeout(SHARD_ANSWERS, playing).await.map_err(|_| PatchError::Full)?;
            playing.ok().flatten().ok_or(PatchError::Unknown)
        }
        .boxed()
    }

    fn clock<'a>(&'a self, id: &'a SessionId) -> BoxFuture<'a, Result<Option<PlayoutClock>, PatchError>> {
        async move {
            let seat = self.table().sessions.get(id).ok_or(PatchError::Unknown)?.seat;
            let (reply, shown) = oneshot::channel();
            let message = Message::Shown { viewer: seat.key, reply };
            self.plane.tell(seat.shard, Command::Message(message)).map_err(|Full| PatchError::Full)?;
            let shown = tokio::time::timeout(SHARD_ANSWERS, shown).await.map_err(|_| PatchError::Full)?;
            let Some((rtp_timestamp, captured)) = shown.ok().flatten() else { return Ok(None) };
            let server_time = fresh::now_precise();
            let captured_at = server_time - captured.elapsed().as_secs_f64() * 1000.0;
            Ok(Some(PlayoutClock { rtp_timestamp, captured_at, server_time }))
        }
        .boxed()
    }

    fn is_of(&self, session: &SessionId, name: &ChannelName) -> bool {
        self.table().sessions.get(session).is_some_and(|entry| !entry.is_publisher && entry.name == *name)
    }
}
