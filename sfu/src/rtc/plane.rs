//! The media plane: all shards, and how the rest of the server speaks to them.

use super::{
    latency::Latencies,
    peer::{Addresses, Peer, PeerKey},
    sdp::OfferError,
    shard::{Router, Shard, WAKER},
    socket::MediaSocket,
    tcp::TcpPort,
};
use mio::{Poll, Waker};
use socket2::{Domain, Socket, Type};
use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
        mpsc::{self, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::Duration,
};
use str0m::{Candidate, change::SdpOffer};
use tokio::sync::oneshot;

/// What a shard's queue of commands and media from other shards holds. When it is full, media is dropped and counted, and
/// a new session is answered 503.
const QUEUE: usize = 4096;
/// The most peers of one shard.
const MOST_PEERS: usize = 5_000;

/// How often the machine is asked for its addresses.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// The most addresses that an answer names. A machine with more of them has mostly bridges that lead nowhere.
const MOST_ADDRESSES: usize = 16;

/// What a shard is told.
pub enum Command<R: Router> {
    /// Takes a peer on.
    Open {
        /// Its key.
        key: PeerKey,
        /// The peer, with its offer answered.
        peer: Box<Peer>,
        /// What it is for.
        role: R::Role,
    },
    /// Restarts a peer's ICE.
    Restart {
        /// Whose.
        key: PeerKey,
        /// The offer with new credentials.
        offer: Box<SdpOffer>,
        /// Gets the answer; `None` if there is no such peer.
        reply: oneshot::Sender<Option<Result<String, OfferError>>>,
    },
    /// Adds what a peer trickled.
    Candidates {
        /// Whose.
        key: PeerKey,
        /// Which.
        candidates: Vec<Candidate>,
    },
    /// Ends a peer.
    Close {
        /// Which.
        key: PeerKey,
    },
    /// The machine has other addresses now.
    Addresses(Addresses),
    /// Something for the router.
    Message(R::Message),
    /// Ends the shard.
    Stop,
}

/// What a shard tells of itself without being asked.
#[derive(Debug, Default)]
pub struct Gauges {
    /// Peers it has.
    pub peers: AtomicUsize,
    /// Datagrams that the kernel had no room for, since the start.
    pub dropped: AtomicU64,
    /// From a media packet's arrival until the kernel has it for a viewer, of one packet in eight.
    pub forwarding: Latencies,
    /// Panics that ended a session or a room, since the start.
    pub panics: AtomicU64,
    /// It has stopped, as it should never.
    pub is_down: AtomicBool,
    /// Commands and batches that its own queue had no room for, since the start.
    pub refused: AtomicU64,
}

/// The way to one shard.
pub struct ShardHandle<R: Router> {
    commands: SyncSender<Command<R>>,
    waker: Arc<Waker>,
    addresses: Arc<RwLock<Addresses>>,
    gauges: Arc<Gauges>,
}

impl<R: Router> Clone for ShardHandle<R> {
    fn clone(&self) -> Self {
        Self {
            commands: self.commands.clone(),
            waker: Arc::clone(&self.waker),
            addresses: Arc::clone(&self.addresses),
            gauges: Arc::clone(&self.gauges),
        }
    }
}

/// A shard can't take anything now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the media plane is at its limit")]
pub struct Full;

impl<R: Router> ShardHandle<R> {
    /// Tells the shard something. Never waits.
    pub fn tell(&self, command: Command<R>) -> Result<(), Full> {
        match self.commands.try_send(command) {
            Ok(()) => {
                // A wake that fails only delays the command to the shard's next tick.
                let _ = self.waker.wake();
                Ok(())
            }
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.gauges.refused.fetch_add(1, Relaxed);
                Err(Full)
            }
        }
    }
}

#[cfg(test)]
impl<R: Router> ShardHandle<R> {
    /// The way to a shard that a test plays, with room for so much; wakes end at the poll.
    pub(crate) fn stuck(room: usize) -> (Self, mpsc::Receiver<Command<R>>, Poll) {
        let poll = Poll::new().unwrap();
        let waker = Arc::new(Waker::new(poll.registry(), WAKER).unwrap());
        let (commands, queue) = sync_channel(room);
        let addresses = Addresses { candidates: Vec::new(), mapped: false, tcp: false };
        let addresses = Arc::new(RwLock::new(addresses));
        (Self { commands, waker, addresses, gauges: Arc::default() }, queue, poll)
    }

    /// What it refused.
    pub(crate) fn refused(&self) -> u64 {
        self.gauges.refused.load(Relaxed)
    }
}

/// Why the plane can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A port is taken or not allowed.
    #[error(
        "the media port {address} (UDP) can't be opened: {source}. Set media.listen or WEIR_MEDIA_LISTEN to a free port"
    )]
    Bind {
        /// Which.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// Threads or polls are not to be had.
    #[error("a media shard can't start: {0}")]
    System(#[from] io::Error),
}

/// Where media is let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doors {
    /// The first shard's address.
    pub listen: SocketAddr,
    /// The addresses that peers reach this machine by, if not its own.
    pub public: Vec<IpAddr>,
    /// Whether the same ports are opened for TCP.
    pub tcp: bool,
}

/// Where a new peer goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seat {
    /// The shard.
    pub shard: usize,
    /// The new peer's key.
    pub key: PeerKey,
}

/// See the module.
pub struct Plane<R: Router> {
    shards: Vec<ShardHandle<R>>,
    next_key: AtomicU64,
    /// Ends the thread that looks for other addresses, with the plane.
    _watch: Option<mpsc::Sender<()>>,
}

impl<R: Router> Plane<R> {
    /// Opens the sockets, `listen` and the ports after it, and starts a thread for each. `segmentation` lets one send carry
    /// several datagrams. `router` makes each shard's router, given all shards.
    pub fn start(
        Doors { listen, public, tcp }: &Doors,
        (shards, segmentation): (usize, bool),
        mut router: impl FnMut(usize, Vec<ShardHandle<R>>) -> R,
    ) -> Result<Self, StartError> {
        let listen = usable(*listen);
        let mut opened = Vec::with_capacity(shards);
        let mut handles = Vec::with_capacity(shards);
        for index in 0..shards {
            let port = if listen.port() == 0 { 0 } else { listen.port().wrapping_add(index as u16) };
            let address = SocketAddr::new(listen.ip(), port);
            let socket = MediaSocket::bind(address, segmentation)
                .map_err(|source| StartError::Bind { address, source })?;
            let mut addresses = addresses(listen.ip(), public, socket.port());
            let poll = Poll::new()?;
            let port = if *tcp { tcp_port(SocketAddr::new(listen.ip(), socket.port()), &poll) } else { None };
            addresses.tcp = port.is_some();
            let waker = Arc::new(Waker::new(poll.registry(), WAKER)?);
            let (commands, queue) = sync_channel(QUEUE);
            let gauges = Arc::new(Gauges::default());
            handles.push(ShardHandle {
                commands,
                waker,
                addresses: Arc::new(RwLock::new(addresses.clone())),
                gauges: Arc::clone(&gauges),
            });
            opened.push((queue, addresses, (socket, port), poll, gauges));
        }
        for (index, (queue, addresses, ports, poll, gauges)) in opened.into_iter().enumerate() {
            let own = Arc::clone(&gauges);
            let shard = Shard::new(router(index, handles.clone()), queue, addresses, ports, poll, gauges)?;
            thread::Builder::new().name(format!("media-{index}")).spawn(move || {
                // Sessions' and rooms' own panics are caught closer by; this one would be the shard's.
                if catch_unwind(AssertUnwindSafe(|| shard.run())).is_err() {
                    tracing::error!(shard = index, "a media shard panicked and is gone: restart the server");
                }
                own.is_down.store(true, Relaxed);
            })?;
        }
        // Addresses that were given don't change.
        let changes = listen.ip().is_unspecified() && public.is_empty();
        let watch = if changes { Some(watch_addresses(listen.ip(), handles.clone())?) } else { None };
        Ok(Self { shards: handles, next_key: AtomicU64::new(1), _watch: watch })
    }

    /// A seat on the shard with the fewest peers.
    pub fn seat(&self) -> Result<Seat, Full> {
        let load = |shard: &ShardHandle<R>| shard.gauges.peers.load(Relaxed);
        let up = self.shards.iter().enumerate().filter(|(_, shard)| !shard.gauges.is_down.load(Relaxed));
        let (shard, handle) = up.min_by_key(|(_, shard)| load(shard)).ok_or(Full)?;
        if load(handle) >= MOST_PEERS {
            return Err(Full);
        }
        Ok(Seat { shard, key: PeerKey(self.next_key.fetch_add(1, Relaxed)) })
    }

    /// The addresses that a peer of that shard is to use.
    pub fn addresses(&self, shard: usize) -> Addresses {
        self.shards[shard].addresses.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts a peer on its seat.
    pub fn open(&self, seat: Seat, peer: Peer, role: R::Role) -> Result<(), Full> {
        let shard = &self.shards[seat.shard];
        shard.tell(Command::Open { key: seat.key, peer: Box::new(peer), role })?;
        shard.gauges.peers.fetch_add(1, Relaxed);
        Ok(())
    }

    /// Tells the shard of a seat something.
    pub fn tell(&self, shard: usize, command: Command<R>) -> Result<(), Full> {
        self.shards[shard].tell(command)
    }

    /// What each shard tells of itself.
    pub fn gauges(&self) -> impl Iterator<Item = &Gauges> {
        self.shards.iter().map(|shard| &*shard.gauges)
    }
}

impl<R: Router> Drop for Plane<R> {
    /// Shards hold each other's queues, so that they have to be told.
    fn drop(&mut self) {
        for shard in &self.shards {
            let _ = shard.tell(Command::Stop);
        }
    }
}

/// Looks now and then whether the machine has other addresses, and tells the shards: laptops move, leases end.
fn watch_addresses<R: Router>(listen: IpAddr, shards: Vec<ShardHandle<R>>) -> io::Result<mpsc::Sender<()>> {
    let (stop, stopped) = mpsc::channel();
    thread::Builder::new().name("media-addresses".into()).spawn(move || {
        while stopped.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
            for shard in &shards {
                let known = shard.addresses.read().unwrap_or_else(PoisonError::into_inner).clone();
                let Some(first) = known.candidates.first() else { continue };
                let found = Addresses { tcp: known.tcp, ..addresses(listen, &[], first.port()) };
                if found == known {
                    continue;
                }
                tracing::info!(addresses = ?found.candidates, "this machine has other addresses");
                if shard.tell(Command::Addresses(found.clone())).is_ok() {
                    *shard.addresses.write().unwrap_or_else(PoisonError::into_inner) = found;
                }
            }
        }
    })?;
    Ok(stop)
}

/// The address to listen on: a wildcard of both families is one of IPv4 where the system has no IPv6.
fn usable(listen: SocketAddr) -> SocketAddr {
    let has_ipv6 = || Socket::new(Domain::IPV6, Type::DGRAM, None).is_ok();
    if listen.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED) && !has_ipv6() {
        return SocketAddr::from((Ipv4Addr::UNSPECIFIED, listen.port()));
    }
    listen
}

/// A shard's listener. Without it peers that have no UDP stay out, which is no reason to keep all others out.
fn tcp_port(address: SocketAddr, poll: &Poll) -> Option<TcpPort> {
    match TcpPort::bind(address, poll.registry()) {
        Ok(port) => Some(port),
        Err(error) => {
            tracing::warn!(%address, %error, "the media port can't be opened for TCP: viewers without UDP won't be reached");
            None
        }
    }
}

/// The host candidates of a shard: the public addresses if given, else the one it listens on, else every address of the
/// machine, loopback last, as browsers on this machine may need it.
fn addresses(listen: IpAddr, public: &[IpAddr], port: u16) -> Addresses {
    let with_port = |ip: &IpAddr| SocketAddr::new(*ip, port);
    if !public.is_empty() {
        return Addresses { candidates: public.iter().map(with_port).collect(), mapped: true, tcp: false };
    }
    if !listen.is_unspecified() {
        return Addresses { candidates: vec![with_port(&listen)], mapped: false, tcp: false };
    }
    let is_link_local = |ip: &IpAddr| match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    let mut ips: Vec<IpAddr> = if_addrs::get_if_addrs()
        .unwrap_or_default()
        .into_iter()
        .map(|interface| interface.ip())
        .filter(|ip| !is_link_local(ip) && (listen.is_ipv6() || ip.is_ipv4()))
        .collect();
    ips.sort_by_key(|ip| (ip.is_loopback(), ip.is_ipv6(), *ip));
    ips.dedup();
    // Loopback stays: it is last, and the only one that a browser on a machine without a network has.
    let loopback = ips.iter().position(IpAddr::is_loopback).unwrap_or(ips.len());
    ips.drain(loopback.min(MOST_ADDRESSES)..loopback);
    if ips.is_empty() {
        ips.push(IpAddr::from([127, 0, 0, 1]));
    }
    Addresses { candidates: ips.iter().map(with_port).collect(), mapped: false, tcp: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtc::{
        peer::{Event, Side},
        shard::{Closed, Peers},
    };
    use std::time::Instant;
    use str0m::{
        Rtc,
        media::{Direction, MediaKind},
    };

    #[test]
    fn public_addresses_stand_alone_and_a_bound_address_is_the_only_one() {
        let public = [IpAddr::from([203, 0, 113, 5])];
        let mapped = addresses(IpAddr::from([0, 0, 0, 0]), &public, 9000);
        assert_eq!(mapped.candidates, [SocketAddr::from(([203, 0, 113, 5], 9000))]);
        let local = Some(IpAddr::from([10, 0, 0, 2]));
        let peer = SocketAddr::from(([198, 51, 100, 7], 5));
        assert_eq!(mapped.candidate(local, peer), Some(mapped.candidates[0]));
        let bound = addresses(IpAddr::from([127, 0, 0, 1]), &[], 9000);
        assert_eq!(bound.candidates.len(), 1);
        assert_eq!(bound.candidate(local, peer), None, "it did not come to that address");
    }

    #[test]
    fn a_wildcard_of_both_families_offers_both_and_nothing_that_is_only_of_one_link() {
        let all = addresses(IpAddr::V6(Ipv6Addr::UNSPECIFIED), &[], 9000);
        assert!(all.candidates.iter().any(|address| address.ip() == IpAddr::from([127, 0, 0, 1])));
        assert!(all.candidates.iter().all(|address| match address.ip() {
            IpAddr::V4(ip) => !ip.is_link_local(),
            IpAddr::V6(ip) => !ip.is_unicast_link_local(),
        }));
        let unique: std::collections::HashSet<_> = all.candidates.iter().collect();
        assert_eq!(unique.len(), all.candidates.len());
    }

    #[test]
    fn a_wildcard_offers_loopback_last() {
        let all = addresses(IpAddr::from([0, 0, 0, 0]), &[], 9000);
        assert!(all.candidates.last().unwrap().ip().is_loopback());
        assert!(all.candidates.iter().all(SocketAddr::is_ipv4));
    }
    /// Does what a test lets it do, one message at a time.
    struct Slow {
        begun: mpsc::Sender<u32>,
        may_go_on: mpsc::Receiver<()>,
    }

    impl Router for Slow {
        type Role = ();
        type Message = u32;

        fn message(&mut self, message: u32, _: &mut Peers, _: Instant) {
            let _ = self.begun.send(message);
            let _ = self.may_go_on.recv();
        }

        fn flush(&mut self, _: &mut Peers, _: Instant) -> Option<Instant> {
            None
        }

        fn opened(&mut self, _: PeerKey, (): (), _: &mut Peers, _: Instant) {}
        fn event(&mut self, _: PeerKey, _: Event, _: &mut Peers, _: Instant) {}
        fn tick(&mut self, _: &mut Peers, _: Instant) {}
        fn closed(&mut self, _: PeerKey, _: Closed, _: &mut Peers, _: Duration) {}
        fn panicked(&mut self, _: Option<PeerKey>) -> Vec<PeerKey> {
            Vec::new()
        }
    }

    #[test]
    fn a_shard_that_is_stuck_refuses_what_it_has_no_room_for_and_then_goes_on() {
        const LONG: Duration = Duration::from_secs(20);
        let (begun, begins) = mpsc::channel();
        let (go_on, may_go_on) = mpsc::channel();
        let mut router = Some(Slow { begun, may_go_on });
        let doors = Doors { listen: ([127, 0, 0, 1], 0).into(), public: Vec::new(), tcp: false };
        let plane = Plane::start(&doors, (1, true), |_, _| router.take().unwrap()).unwrap();
        let refused = || plane.gauges().map(|gauges| gauges.refused.load(Relaxed)).sum::<u64>();
        plane.tell(0, Command::Message(0)).unwrap();
        assert_eq!(begins.recv_timeout(LONG), Ok(0), "and there it stays");
        let taken = (1..).take_while(|at| plane.tell(0, Command::Message(*at)).is_ok()).count();
        assert_eq!((taken, refused()), (QUEUE, 1));
        for at in 2..=100 {
            assert_eq!(plane.tell(0, Command::Close { key: PeerKey(at) }), Err(Full));
            assert_eq!(refused(), at, "each is counted");
        }
        // Whoever comes now is told so, and takes nobody's place.
        let seat = plane.seat().unwrap();
        let mut client = Rtc::new(Instant::now());
        let mut api = client.sdp_api();
        api.add_media(MediaKind::Video, Direction::SendOnly, None, None, None);
        let offer = api.apply().unwrap().0.to_sdp_string();
        let (peer, _) = Peer::answer(&offer, &plane.addresses(0), Side::Ingest, Instant::now()).unwrap();
        assert_eq!(plane.open(seat, peer, ()), Err(Full));
        assert_eq!(plane.gauges().map(|gauges| gauges.peers.load(Relaxed)).sum::<usize>(), 0);

        (0..=QUEUE).for_each(|_| go_on.send(()).unwrap());
        for at in 1..=QUEUE as u32 {
            assert_eq!(begins.recv_timeout(LONG), Ok(at), "in order, and what was taken is done");
        }
        plane.tell(0, Command::Message(u32::MAX)).unwrap();
        assert_eq!(begins.recv_timeout(LONG), Ok(u32::MAX));
        drop(go_on);
    }
}
