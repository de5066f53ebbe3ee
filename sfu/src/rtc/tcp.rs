//! ICE over TCP (RFC 6544): a shard's listener on the port of its UDP socket, for peers whose network lets no UDP through.
//! A connection belongs to the peer whose check (STUN binding request) came first on it, and to no other, ever.

use super::{
    framing::{Backlog, Unframer},
    path::Route,
    peer::{Addresses, PeerKey},
};
use crate::limit::network_of;
use mio::{Interest, Registry, Token, event::Event, net::TcpStream};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::{
    collections::HashMap,
    io::{self, ErrorKind, Read, Write},
    net::{IpAddr, Shutdown, SocketAddr},
    time::{Duration, Instant},
};
use str0m::net::Protocol as Proto;

/// The most connections of one shard. Whoever comes beyond is closed at once.
const MOST: usize = 2_000;
/// The most of one network: an office behind one address has this many viewers.
const MOST_OF_NETWORK: usize = 256;
/// The most that have not shown yet whose they are.
const MOST_STRANGERS: usize = 256;
/// The most of one network that have not shown yet whose they are.
const MOST_STRANGERS_OF_NETWORK: usize = 16;
/// The most of one peer; the oldest goes.
const MOST_OF_PEER: usize = 4;
/// By then a connection has shown whose it is.
const FIRST_FRAME_WITHIN: Duration = Duration::from_secs(5);
/// A reader that takes nothing for so long, while something waits for it, is gone.
const STALLED: Duration = Duration::from_secs(10);
/// What the kernel keeps for a reader. More would only be older.
const SEND_BUFFER: usize = 128 << 10;
const RECEIVE_BUFFER: usize = 64 << 10;
/// What is read of one connection before others get their turn.
const READ: usize = 32 << 10;
/// How many connections are accepted before others get their turn.
const ACCEPTS: usize = 32;
const LISTENING: i32 = 128;

/// The token of the listener.
pub(super) const LISTENER: Token = Token(2);
const FIRST: usize = 3;

/// What a connection's datagram was to whoever it was handed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The connection is this peer's from now on.
    Belongs(PeerKey),
    /// Nothing to say.
    Fine,
    /// Whoever sends this is none of ours.
    Stranger,
}

/// A datagram that leaves by TCP.
#[derive(Debug)]
pub struct Framed {
    /// By which connection.
    pub route: Route,
    /// What.
    pub datagram: Vec<u8>,
}

struct Connection {
    stream: TcpStream,
    route: Route,
    network: IpAddr,
    owner: Option<PeerKey>,
    opened: Instant,
    unframer: Unframer,
    backlog: Backlog,
    /// When something was last written, or there was nothing to write.
    progress: Instant,
}

#[derive(Debug, Default)]
struct Count {
    all: usize,
    strangers: usize,
}

/// See the module.
pub struct TcpPort {
    listener: mio::net::TcpListener,
    registry: Registry,
    connections: HashMap<Token, Connection>,
    routes: HashMap<Route, Token>,
    /// Each peer's connections, the oldest first.
    owners: HashMap<PeerKey, Vec<Token>>,
    networks: HashMap<IpAddr, Count>,
    strangers: usize,
    next: usize,
    waiting: bool,
    /// Those that may have more to read.
    readable: Vec<Token>,
    /// Those that got something to write.
    dirty: Vec<Token>,
    buffer: Vec<u8>,
    /// Ways to peers that are no more, for whoever wants to know.
    pub lost: Vec<(PeerKey, Route)>,
    /// Datagrams that were dropped because their reader is slow.
    pub dropped: u64,
}

impl TcpPort {
    /// Listens on `address`. Fails as the operating system says, e.g. [`io::ErrorKind::AddrInUse`].
    pub fn bind(address: SocketAddr, registry: &Registry) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        if address.is_ipv6() {
            socket.set_only_v6(!address.ip().is_unspecified())?;
        }
        // Connections of the process before may still be fading away.
        socket.set_reuse_address(true)?;
        // Connections inherit it, before their windows are agreed on. The kernel may give less; that is its right.
        let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
        let _ = socket.set_send_buffer_size(SEND_BUFFER);
        socket.bind(&address.into())?;
        socket.listen(LISTENING)?;
        socket.set_nonblocking(true)?;
        let mut listener = mio::net::TcpListener::from_std(socket.into());
        registry.register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Self {
            listener,
            registry: registry.try_clone()?,
            connections: HashMap::new(),
            routes: HashMap::new(),
            owners: HashMap::new(),
            networks: HashMap::new(),
            strangers: 0,
            next: FIRST,
            waiting: false,
            readable: Vec::new(),
            dirty: Vec::new(),
            buffer: vec![0; READ],
            lost: Vec::new(),
            dropped: 0,
        })
    }

    /// Notes what a poll says, if it is about this port.
    pub fn note(&mut self, event: &Event) {
        let token = event.token();
        if token == LISTENER {
            self.waiting = true;
        } else if self.connections.contains_key(&token) {
            if event.is_readable() || event.is_read_closed() || event.is_error() {
                self.readable.push(token);
            }
            if event.is_writable() {
                self.dirty.push(token);
            }
        }
    }

    /// Takes on who waits at the door. True: there may be more.
    pub fn accept(&mut self, addresses: &Addresses, now: Instant) -> bool {
        for _ in 0..ACCEPTS {
            if !self.waiting {
                return false;
            }
            match self.listener.accept() {
                Ok((stream, remote)) => {
                    if let Err(error) = self.welcome(stream, remote, addresses, now) {
                        tracing::debug!(%error, "a media connection could not be taken on");
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.waiting = false,
                // Whoever it was has gone again.
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    // Out of descriptors, mostly. Those who wait are looked at with the next arrival or tick.
                    tracing::warn!(%error, "a media connection could not be accepted");
                    self.waiting = false;
                }
            }
        }
        true
    }

    fn welcome(
        &mut self,
        mut stream: TcpStream,
        remote: SocketAddr,
        addresses: &Addresses,
        now: Instant,
    ) -> io::Result<()> {
        let remote = SocketAddr::new(remote.ip().to_canonical(), remote.port());
        let local = stream.local_addr()?.ip().to_canonical();
        let local = addresses.candidate(Some(local), remote).ok_or(ErrorKind::AddrNotAvailable)?;
        let route = Route { proto: Proto::Tcp, local, remote };
        let network = network_of(remote.ip());
        let count = self.networks.get(&network).map_or((0, 0), |count| (count.all, count.strangers));
        let is_full = self.connections.len() >= MOST || self.strangers >= MOST_STRANGERS;
        if is_full || count.0 >= MOST_OF_NETWORK || count.1 >= MOST_STRANGERS_OF_NETWORK {
            return Err(ErrorKind::QuotaExceeded.into());
        }
        stream.set_nodelay(true)?;
        // What was asked of the listener is not handed down everywhere.
        let _ = SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER);
        let token = Token(self.next);
        self.next = self.next.checked_add(1).unwrap_or(FIRST);
        self.registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        let count = self.networks.entry(network).or_default();
        count.all += 1;
        count.strangers += 1;
        self.strangers += 1;
        self.connections.insert(
            token,
            Connection {
                stream,
                route,
                network,
                owner: None,
                opened: now,
                unframer: Unframer::default(),
                backlog: Backlog::default(),
                progress: now,
            },
        );
        self.readable.push(token);
        Ok(())
    }

    /// Reads what arrived, a bit of each connection, and hands each datagram with its way and its owner. True: there may be
    /// more.
    pub fn receive(&mut self, mut each: impl FnMut(Route, Option<PeerKey>, &[u8]) -> Verdict) -> bool {
        let mut readable = std::mem::take(&mut self.readable);
        readable.sort_unstable();
        readable.dedup();
        for token in readable {
            let Some(connection) = self.connections.get_mut(&token) else { continue };
            let mut goes_on = true;
            match connection.stream.read(&mut self.buffer) {
                Ok(0) => goes_on = false,
                Ok(size) => {
                    let (route, before) = (connection.route, connection.owner);
                    let mut owner = before;
                    let taken = connection.unframer.take(&self.buffer[..size], |datagram| {
                        match each(route, owner, datagram) {
                            Verdict::Belongs(key) => owner = owner.or(Some(key)),
                            Verdict::Fine => {}
                            Verdict::Stranger => goes_on = false,
                        }
                        goes_on
                    });
                    goes_on &= taken.is_ok();
                    if let (None, Some(owner)) = (before, owner) {
                        self.belongs(token, owner);
                    }
                    // Edges are told once: what is left has to be looked for.
                    self.readable.push(token);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => self.readable.push(token),
                Err(_) => goes_on = false,
            }
            if !goes_on {
                self.close(token);
            }
        }
        !self.readable.is_empty()
    }

    fn belongs(&mut self, token: Token, owner: PeerKey) {
        let Some(connection) = self.connections.get_mut(&token) else { return };
        connection.owner = Some(owner);
        self.strangers -= 1;
        if let Some(count) = self.networks.get_mut(&connection.network) {
            count.strangers -= 1;
        }
        self.routes.insert(connection.route, token);
        let own = self.owners.entry(owner).or_default();
        own.push(token);
        if own.len() > MOST_OF_PEER {
            let oldest = own[0];
            self.close(oldest);
        }
    }

    /// Queues a datagram. It leaves with [`Self::flush`]; without a connection it is dropped, as on any broken path.
    pub fn push(&mut self, framed: Framed, now: Instant) {
        let Some(token) = self.routes.get(&framed.route) else { return };
        let Some(connection) = self.connections.get_mut(token) else { return };
        if connection.backlog.is_empty() {
            connection.progress = now;
        }
        self.dropped += connection.backlog.push(framed.datagram, now);
        if self.dirty.last() != Some(token) {
            self.dirty.push(*token);
        }
    }

    /// Writes what the kernel takes.
    pub fn flush(&mut self, now: Instant) {
        for token in std::mem::take(&mut self.dirty) {
            let Some(connection) = self.connections.get_mut(&token) else { continue };
            let mut is_broken = false;
            while !connection.backlog.is_empty() {
                match connection.stream.write_vectored(&connection.backlog.slices()) {
                    Ok(size) => {
                        connection.backlog.written(size);
                        connection.progress = now;
                    }
                    // The poll says when there is room again.
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(_) => {
                        is_broken = true;
                        break;
                    }
                }
            }
            if is_broken {
                self.close(token);
            }
        }
    }

    /// Ends connections that didn't say in time whose they are, and those whose readers are gone.
    pub fn tick(&mut self, now: Instant) {
        // An accept that failed for want of descriptors is tried again.
        self.waiting = true;
        let mut over = Vec::new();
        for (token, connection) in &mut self.connections {
            self.dropped += connection.backlog.drop_late(now);
            let since = |at: Instant| now.saturating_duration_since(at);
            let is_strange = connection.owner.is_none() && since(connection.opened) > FIRST_FRAME_WITHIN;
            let is_stalled = !connection.backlog.is_empty() && since(connection.progress) > STALLED;
            if is_strange || is_stalled {
                over.push(*token);
            }
        }
        over.into_iter().for_each(|token| self.close(token));
    }

    /// A peer is gone, and its connections with it; what was said last is written as far as the kernel takes it.
    pub fn remove(&mut self, owner: PeerKey, now: Instant) {
        if self.owners.contains_key(&owner) {
            self.flush(now);
        }
        for token in self.owners.remove(&owner).unwrap_or_default() {
            self.close(token);
        }
    }

    fn close(&mut self, token: Token) {
        let Some(mut connection) = self.connections.remove(&token) else { return };
        // Closing it ends both of these anyway.
        let _ = self.registry.deregister(&mut connection.stream);
        let _ = connection.stream.shutdown(Shutdown::Both);
        let is_strange = connection.owner.is_none();
        if let Some(count) = self.networks.get_mut(&connection.network) {
            count.all -= 1;
            count.strangers -= usize::from(is_strange);
            if count.all == 0 {
                self.networks.remove(&connection.network);
            }
        }
        self.strangers -= usize::from(is_strange);
        let Some(owner) = connection.owner else { return };
        if let Some(own) = self.owners.get_mut(&owner) {
            own.retain(|other| *other != token);
            if own.is_empty() {
                self.owners.remove(&owner);
            }
        }
        // The route may be a younger connection's by now.
        if self.routes.get(&connection.route) == Some(&token) {
            self.routes.remove(&connection.route);
            self.lost.push((owner, connection.route));
        }
    }
}
