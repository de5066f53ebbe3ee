//! One shard: a thread with its own socket, peers and timers, sharing nothing. What the packets mean is its
//! [`Router`]'s business.

use super::{
    demux::{self, Demux, Kind},
    keyed::PeerMap,
    path::Route,
    peer::{Addresses, Event, Outgoing, Peer, PeerKey},
    plane::{Command, Gauges},
    segment::Segmenter,
    socket::{Came, MediaSocket},
    tcp::{Framed, TcpPort, Verdict},
    timers::Timers,
};
use crate::telemetry::panic::{Panic, caught};
use mio::{Events, Interest, Poll, Token};
use std::{
    io,
    sync::{
        Arc,
        atomic::Ordering::Relaxed,
        mpsc::{Receiver, TryRecvError},
    },
    time::{Duration, Instant},
};
use str0m::{
    media::{Mid, Rid},
    net::Protocol,
};

/// A peer that has not connected by then is dropped.
const CONNECT_WITHIN: Duration = Duration::from_secs(15);
/// A connected peer that nothing comes from is dropped: every browser checks its pairs (RFC 7675) or reports what it
/// receives at least each 5 s.
const SILENCE: Duration = Duration::from_secs(12);
const TICK: Duration = Duration::from_millis(100);
/// How many commands and receive batches are handled before timers and sends get their turn.
const TURN: usize = 64;

const SOCKET: Token = Token(0);
/// The token of the waker that [`Command`]s come with.
pub(super) const WAKER: Token = Token(1);

/// Why a peer is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// It said goodbye, or its transport broke.
    ByPeer,
    /// Somebody here asked.
    Asked,
    /// It never came.
    NeverConnected,
    /// Nothing was heard from it, or nothing that says that it wants what it gets.
    Silent,
    /// Its state machine failed on what it sent, or its room did.
    Failed,
}

/// What a shard does with what its peers send. Called on the shard's thread alone.
pub trait Router: Send + 'static {
    /// What a peer is for.
    type Role: Send + 'static;
    /// What shards tell each other.
    type Message: Send + 'static;

    /// A peer was added.
    fn opened(&mut self, key: PeerKey, role: Self::Role, peers: &mut Peers, now: Instant);
    /// Something happened at a peer.
    fn event(&mut self, key: PeerKey, event: Event, peers: &mut Peers, now: Instant);
    /// Another shard, or the control plane, said something.
    fn message(&mut self, message: Self::Message, peers: &mut Peers, now: Instant);
    /// A batch of input is through: forward what came of it. Answers by when it is to be called again, if what came isn't
    /// whole yet.
    fn flush(&mut self, peers: &mut Peers, now: Instant) -> Option<Instant>;
    /// A tenth of a second passed.
    fn tick(&mut self, peers: &mut Peers, now: Instant);
    /// A peer is gone, from which nothing was heard for so long.
    fn closed(&mut self, key: PeerKey, why: Closed, peers: &mut Peers, quiet: Duration);
    /// One of the calls above panicked; `culprit` is the peer whose event it was for, if it was for one. Whatever may be
    /// half changed is to be thrown away: the peers that it answers end, and no others.
    fn panicked(&mut self, culprit: Option<PeerKey>) -> Vec<PeerKey>;
}

/// The peers of a shard, as its router sees them.
#[derive(Default)]
pub struct Peers {
    /// Boxed: a peer is large, and the map moves what is in it when it grows.
    map: PeerMap<Box<Peer>>,
    /// What the router wrote, in this order, and how many in a row are whose. It writes peer by peer, so that each one's
    /// packets leave in one go, while what is theirs is at hand. Grows with what came in one batch, for every peer that gets
    /// it.
    outbox: Vec<Outgoing>,
    owners: Vec<(PeerKey, usize)>,
    /// Those that something was asked of since the last drain.
    dirty: Vec<PeerKey>,
    closing: Vec<PeerKey>,
    arrived: Option<Instant>,
    /// Those that panicked when something was written to or asked of them.
    broken: Vec<(PeerKey, Panic)>,
}

impl Peers {
    /// One alone, for what needs no shard around it.
    pub fn one(key: PeerKey, peer: Peer) -> Self {
        Self { map: PeerMap::from_iter([(key, Box::new(peer))]), ..Self::default() }
    }

    /// When the datagram arrived in the kernel that the router is told of, if it is one.
    pub fn arrived(&self) -> Option<Instant> {
        self.arrived
    }

    /// Writes a packet to a peer. It leaves when the router returns.
    pub fn write(&mut self, key: PeerKey, packet: Outgoing) {
        self.outbox.push(packet);
        match self.owners.last_mut() {
            Some((last, count)) if *last == key => *count += 1,
            _ => self.owners.push((key, 1)),
        }
    }

    /// Asks a publisher for a keyframe.
    pub fn request_keyframe(&mut self, key: PeerKey, mid: Mid, rid: Option<Rid>) {
        if let Some(peer) = self.map.get_mut(&key) {
            if let Err(panic) = caught(|| peer.request_keyframe(mid, rid)) {
                return self.broken.push((key, panic));
            }
            self.dirty.push(key);
        }
    }

    /// Tells a viewer's congestion controller how many bits a second there would be use for.
    pub fn want(&mut self, key: PeerKey, bits: u64) {
        if let Some(peer) = self.map.get_mut(&key) {
            peer.want(bits);
        }
    }

    /// Closes a peer when the router returns.
    pub fn close(&mut self, key: PeerKey) {
        self.closing.push(key);
    }

    /// One peer.
    pub fn get(&self, key: PeerKey) -> Option<&Peer> {
        self.map.get(&key).map(Box::as_ref)
    }

    /// One peer, to ask what needs its state machine.
    pub fn get_mut(&mut self, key: PeerKey) -> Option<&mut Peer> {
        self.map.get_mut(&key).map(Box::as_mut)
    }
}

/// See the module.
pub(super) struct Shard<R: Router> {
    router: R,
    commands: Receiver<Command<R>>,
    addresses: Addresses,
    socket: MediaSocket,
    tcp: Option<TcpPort>,
    poll: Poll,
    core: Core,
    /// By when the router is to be flushed again.
    gathers: Option<Instant>,
    gauges: Arc<Gauges>,
}

/// What handling one peer touches, apart from the socket that datagrams are being read from.
struct Core {
    peers: Peers,
    demux: Demux,
    timers: Timers,
    out: Segmenter,
    framed: Vec<Framed>,
    /// What happened, and when the datagram arrived that it came with.
    events: Vec<(PeerKey, Event, Option<Instant>)>,
    arrived: Option<Instant>,
    failed: Vec<(PeerKey, Closed)>,
    /// Panics that were caught, since the start.
    panics: u64,
    mapped: bool,
}

impl Core {
    /// Does something with a peer, takes out what comes of it and of `packets` that are written to it, and sets its timer. A
    /// panic in it ends this peer alone: it shares nothing.
    fn with_peer(
        &mut self,
        key: PeerKey,
        packets: &[Outgoing],
        act: impl FnOnce(&mut Peer) -> Result<bool, str0m::RtcError>,
    ) -> bool {
        let Self { peers, timers, out, framed, events, failed, mapped, arrived, .. } = self;
        let Some(peer) = peers.map.get_mut(&key) else { return false };
        let acted = caught(|| {
            let accepted = act(peer)?;
            let due =
                peer.drain(packets, out, framed, |event| events.push((key, event, *arrived)), *mapped)?;
            Ok::<_, str0m::RtcError>((accepted, due))
        });
        match acted {
            Ok(Ok((accepted, due))) => {
                if let Some(due) = due {
                    timers.set(key, due);
                }
                if !peer.is_alive() {
                    failed.push((key, Closed::ByPeer));
                }
                accepted
            }
            Ok(Err(error)) => {
                tracing::debug!(peer = key.0, %error, "a peer's state machine refused to go on");
                failed.push((key, Closed::Failed));
                false
            }
            Err(panic) => {
                self.panicked(key, &panic);
                false
            }
        }
    }

    /// A panic inside a peer's own state machine ends this peer alone.
    fn panicked(&mut self, key: PeerKey, panic: &Panic) {
        self.panics += 1;
        tracing::error!(peer = key.0, "a peer's state machine {panic}; this peer ends, no other is touched");
        self.failed.push((key, Closed::Failed));
    }

    fn datagram(&mut self, addresses: &Addresses, came: Came, datagram: &[u8], now: Instant) {
        let source = came.from;
        let Some(key) = self.demux.peer(source, datagram) else { return };
        let Some(destination) = addresses.candidate(came.to, source) else { return };
        let route = Route { proto: Protocol::Udp, local: destination, remote: source };
        self.arrived = now.checked_sub(came.waited);
        let accepted = self.with_peer(key, &[], |peer| peer.receive(route, datagram, now));
        self.arrived = None;
        if accepted && demux::kind(datagram) == Kind::Stun {
            self.demux.validate(source, key);
        }
    }

    /// A datagram of a TCP connection, of which it is the first until the connection has an owner.
    fn framed(&mut self, route: Route, owner: Option<PeerKey>, datagram: &[u8], now: Instant) -> Verdict {
        let Some(key) = owner.or_else(|| self.demux.named(datagram)) else { return Verdict::Stranger };
        let accepted = self.with_peer(key, &[], |peer| peer.receive(route, datagram, now));
        match (accepted, owner) {
            (true, None) => Verdict::Belongs(key),
            (false, None) => Verdict::Stranger,
            // Also what is refused: it may be meant for the ICE session before this one.
            (_, Some(_)) => Verdict::Fine,
        }
    }
}

/// How many peers ahead of its turn the memory of one is asked for, in three steps.
const AHEAD: [usize; 3] = [6, 4, 2];

/// An outbox that grew larger than this for once is let go.
const OUTBOX_KEPT: usize = 16_384;

impl<R: Router> Shard<R> {
    pub(super) fn new(
        router: R,
        commands: Receiver<Command<R>>,
        addresses: Addresses,
        (mut socket, tcp): (MediaSocket, Option<TcpPort>),
        poll: Poll,
        gauges: Arc<Gauges>,
    ) -> io::Result<Self> {
        poll.registry().register(socket.source(), SOCKET, Interest::READABLE)?;
        let core = Core {
            peers: Peers::default(),
            demux: Demux::default(),
            timers: Timers::default(),
            out: Segmenter::new(socket.most_segments()),
            framed: Vec::new(),
            events: Vec::new(),
            arrived: None,
            failed: Vec::new(),
            panics: 0,
            mapped: addresses.mapped,
        };
        Ok(Self { router, commands, addresses, socket, tcp, poll, core, gathers: None, gauges })
    }

    /// Runs until the plane is dropped.
    pub(super) fn run(mut self) {
        let mut ready = Events::with_capacity(256);
        let mut now = Instant::now();
        let mut next_tick = now + TICK;
        let mut ticks = 0u32;
        let mut more = false;
        loop {
            let due = self.core.timers.next().into_iter().chain(self.gathers).fold(next_tick, Instant::min);
            let wait = if more { Duration::ZERO } else { due.saturating_duration_since(now) };
            if let Err(error) = self.poll.poll(&mut ready, Some(wait))
                && error.kind() != io::ErrorKind::Interrupted
            {
                tracing::error!(%error, "a media shard can't wait for its socket and stops");
                return;
            }
            now = Instant::now();
            more = false;

            for turn in 0..=TURN {
                match self.commands.try_recv() {
                    Ok(Command::Stop) | Err(TryRecvError::Disconnected) => return,
                    Ok(command) => self.command(command, now),
                    Err(TryRecvError::Empty) => break,
                }
                more = turn == TURN;
            }
            self.settle(now);

            for turn in 0..=TURN {
                let Self { socket, core, addresses, .. } = &mut self;
                match socket.receive(|came, datagram| core.datagram(addresses, came, datagram, now)) {
                    Ok(true) => {
                        self.settle(now);
                        now = Instant::now();
                    }
                    Ok(false) => break,
                    Err(error) => {
                        tracing::warn!(%error, "a media socket could not receive");
                        break;
                    }
                }
                more |= turn == TURN;
            }

            if let Some(tcp) = &mut self.tcp {
                ready.iter().for_each(|event| tcp.note(event));
                more |= tcp.accept(&self.addresses, now);
                let core = &mut self.core;
                more |= tcp.receive(|route, owner, datagram| core.framed(route, owner, datagram, now));
            }
            self.settle(now);

            while let Some(key) = self.core.timers.pop(now) {
                self.core.peers.map.get_mut(&key).into_iter().for_each(|peer| peer.timer_ran());
                self.core.with_peer(key, &[], |peer| peer.advance(now).map(|()| true));
                self.send();
            }
            if now >= next_tick {
                next_tick = now + TICK;
                ticks = ticks.wrapping_add(1);
                self.route(None, |router, peers| router.tick(peers, now));
                if ticks.is_multiple_of(10) {
                    self.drop_silent(now);
                    if let Some(tcp) = &mut self.tcp {
                        tcp.tick(now);
                    }
                }
            }
            self.settle(now);
        }
    }

    /// Hands events to the router, drains whoever it wrote to, and sends, until nothing is left to do.
    fn settle(&mut self, now: Instant) {
        loop {
            for (key, event, arrived) in std::mem::take(&mut self.core.events) {
                // What it said besides what it ended with is nobody's concern any more.
                if self.core.failed.iter().any(|(ended, _)| *ended == key) {
                    continue;
                }
                self.core.peers.arrived = arrived;
                match event {
                    Event::Closed => self.core.failed.push((key, Closed::ByPeer)),
                    event => self.route(Some(key), |router, peers| router.event(key, event, peers, now)),
                }
            }
            self.core.peers.arrived = None;
            let mut gathers = None;
            self.route(None, |router, peers| gathers = router.flush(peers, now));
            self.gathers = gathers;
            for (key, panic) in std::mem::take(&mut self.core.peers.broken) {
                self.core.panicked(key, &panic);
            }
            self.deliver(now);
            let mut dirty = std::mem::take(&mut self.core.peers.dirty);
            dirty.sort_unstable();
            dirty.dedup();
            for key in dirty {
                self.core.with_peer(key, &[], |peer| peer.advance(now).map(|()| true));
                self.send();
            }
            let asked =
                std::mem::take(&mut self.core.peers.closing).into_iter().map(|key| (key, Closed::Asked));
            let gone: Vec<_> = self.core.failed.drain(..).chain(asked).collect();
            self.gauges.panics.store(self.core.panics, Relaxed);
            for (key, why) in gone {
                self.remove(key, why, now);
            }
            let Core { peers, events, failed, .. } = &self.core;
            if events.is_empty() && peers.dirty.is_empty() && peers.outbox.is_empty() && failed.is_empty() {
                break;
            }
        }
        self.send();
        let Self { socket, tcp, core, gauges, .. } = self;
        let mut dropped = socket.dropped;
        if let Some(tcp) = tcp {
            core.framed.drain(..).for_each(|framed| tcp.push(framed, now));
            tcp.flush(now);
            for (key, route) in tcp.lost.drain(..) {
                core.peers.map.get_mut(&key).into_iter().for_each(|peer| peer.lost(route));
            }
            dropped += tcp.dropped;
        }
        gauges.dropped.store(dropped, Relaxed);
    }

    /// Lets the router act. A panic in it costs what it was working on, and not the shard.
    fn route(&mut self, culprit: Option<PeerKey>, act: impl FnOnce(&mut R, &mut Peers)) {
        let Self { router, core, .. } = self;
        let Err(panic) = caught(|| act(router, &mut core.peers)) else { return };
        core.panics += 1;
        let ended = caught(|| router.panicked(culprit)).unwrap_or_else(|_| culprit.into_iter().collect());
        let peers: Vec<u64> = ended.iter().map(|key| key.0).collect();
        tracing::error!(?peers, "the shard's router {panic}; these peers end, no others are touched");
        core.failed.extend(ended.into_iter().map(|key| (key, Closed::Failed)));
    }

    /// Hands each peer what the router wrote to it, and sends what comes of it before the next one's turn.
    fn deliver(&mut self, now: Instant) {
        let (mut outbox, mut owners) =
            (std::mem::take(&mut self.core.peers.outbox), std::mem::take(&mut self.core.peers.owners));
        let mut rest = &outbox[..];
        for (at, &(key, count)) in owners.iter().enumerate() {
            // Those behind this one, the farthest first: what one step finds is what the next one starts from.
            for (step, ahead) in AHEAD.into_iter().enumerate() {
                if let Some(peer) = owners.get(at + ahead).and_then(|(key, _)| self.core.peers.map.get(key)) {
                    peer.prefetch(step);
                }
            }
            let (packets, others) = rest.split_at(count);
            rest = others;
            self.core.with_peer(key, packets, |peer| peer.advance(now).map(|()| true));
            self.send();
        }
        outbox.clear();
        owners.clear();
        if outbox.capacity() <= OUTBOX_KEPT {
            (self.core.peers.outbox, self.core.peers.owners) = (outbox, owners);
        }
    }

    /// Gives the kernel what peers had to send.
    fn send(&mut self) {
        let Self { socket, core, gauges, .. } = self;
        core.out.drain(|run| {
            socket.send(run);
            if !run.arrived.is_empty() {
                let sent = Instant::now();
                for arrived in run.arrived {
                    gauges.forwarding.record(sent.saturating_duration_since(*arrived));
                }
            }
        });
    }

    fn remove(&mut self, key: PeerKey, why: Closed, now: Instant) {
        let Some(mut peer) = self.core.peers.map.remove(&key) else { return };
        if matches!(why, Closed::Asked | Closed::Silent) && peer.has_consent(now) {
            let core = &mut self.core;
            // Whatever goes wrong in a goodbye doesn't matter any more.
            let goodbye = caught(|| {
                peer.close();
                let _ = peer.advance(now);
                let _ = peer.drain(&[], &mut core.out, &mut core.framed, |_| {}, core.mapped);
            });
            if let Err(panic) = goodbye {
                core.panicked(key, &panic);
            }
        }
        if let Some(tcp) = &mut self.tcp {
            self.core.framed.drain(..).for_each(|framed| tcp.push(framed, now));
            tcp.remove(key, now);
        }
        self.core.demux.remove(key);
        self.core.timers.remove(key);
        self.core.events.retain(|(owner, ..)| *owner != key);
        self.gauges.peers.fetch_sub(1, Relaxed);
        let quiet = now.saturating_duration_since(peer.heard);
        self.route(None, |router, peers| router.closed(key, why, peers, quiet));
    }

    fn command(&mut self, command: Command<R>, now: Instant) {
        match command {
            Command::Open { key, peer, role } => {
                self.core.demux.add_ufrag(peer.ufrag.clone(), key);
                self.core.peers.map.insert(key, peer);
                self.route(Some(key), |router, peers| router.opened(key, role, peers, now));
                self.core.with_peer(key, &[], |peer| peer.advance(now).map(|()| true));
            }
            Command::Restart { key, offer, reply } => {
                let mut answer = None;
                self.core.with_peer(key, &[], |peer| {
                    answer = Some(peer.restart_ice(*offer).map(|sdp| (sdp, peer.ufrag.clone())));
                    peer.advance(now).map(|()| true)
                });
                if let Some(Ok((_, ufrag))) = &answer {
                    self.core.demux.add_ufrag(ufrag.clone(), key);
                }
                // Whoever asked may be gone; then nobody needs the answer.
                let _ = reply.send(answer.map(|answer| answer.map(|(sdp, _)| sdp)));
            }
            Command::Candidates { key, candidates } => {
                self.core.with_peer(key, &[], |peer| {
                    candidates.into_iter().for_each(|candidate| peer.add_candidate(candidate));
                    peer.advance(now).map(|()| true)
                });
            }
            Command::Addresses(addresses) => {
                let keys: Vec<PeerKey> = self.core.peers.map.keys().copied().collect();
                for key in keys {
                    self.core.with_peer(key, &[], |peer| {
                        peer.add_addresses(&addresses);
                        peer.advance(now).map(|()| true)
                    });
                }
                self.addresses = addresses;
            }
            Command::Close { key } => self.core.peers.close(key),
            // The loop has looked for it already.
            Command::Stop => {}
            Command::Message(message) => {
                self.route(None, |router, peers| router.message(message, peers, now));
            }
        }
    }

    fn drop_silent(&mut self, now: Instant) {
        for (key, peer) in &self.core.peers.map {
            let is_over = |since: Instant, most: Duration| now.saturating_duration_since(since) > most;
            if peer.connected && (is_over(peer.heard, SILENCE) || !peer.has_consent(now)) {
                self.core.failed.push((*key, Closed::Silent));
            } else if !peer.connected && is_over(peer.opened, CONNECT_WITHIN) {
                self.core.failed.push((*key, Closed::NeverConnected));
            }
        }
    }
}

#[cfg(test)]
mod tests;
