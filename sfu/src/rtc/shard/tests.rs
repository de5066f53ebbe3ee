//! A real shard with a router that panics, and real sessions that must not notice.

use super::*;
use crate::rtc::{
    peer::{Side, wire_tests::Pair},
    plane::{Doors, Plane, Seat},
};
use shared::broadcast::Codec;
use std::{
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    sync::mpsc::{Sender, channel, sync_channel},
};
use str0m::{
    Candidate, Input, Output, Rtc, RtcConfig,
    change::SdpAnswer,
    media::{Direction, MediaKind},
    net::{Protocol, Receive},
};

const LONG: Duration = Duration::from_secs(20);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Told {
    Opened(PeerKey),
    Connected(PeerKey),
    Ticked,
    Said(u32),
    Closed(PeerKey, Closed),
}

/// Panics at the events of bad sessions, at bad messages and, if told to, at its next tick.
struct Clumsy {
    told: Sender<Told>,
    bad: Vec<PeerKey>,
    trips: Option<PeerKey>,
}

impl Router for Clumsy {
    type Role = bool;
    type Message = u32;

    fn opened(&mut self, key: PeerKey, is_bad: bool, _: &mut Peers, _: Instant) {
        if is_bad {
            self.bad.push(key);
        }
        let _ = self.told.send(Told::Opened(key));
    }

    fn event(&mut self, key: PeerKey, event: Event, _: &mut Peers, _: Instant) {
        assert!(!self.bad.contains(&key), "on purpose, at an event");
        if matches!(event, Event::Connected) {
            let _ = self.told.send(Told::Connected(key));
        }
    }

    fn message(&mut self, message: u32, _: &mut Peers, _: Instant) {
        assert!(message != 13, "on purpose, at a message");
        if message >= 100 {
            self.trips = Some(PeerKey(u64::from(message - 100)));
        }
        let _ = self.told.send(Told::Said(message));
    }

    fn flush(&mut self, _: &mut Peers, _: Instant) -> Option<Instant> {
        None
    }

    fn tick(&mut self, _: &mut Peers, _: Instant) {
        assert!(self.trips.is_none(), "on purpose, at a tick");
        let _ = self.told.send(Told::Ticked);
    }

    fn closed(&mut self, key: PeerKey, why: Closed, _: &mut Peers, _: Duration) {
        let _ = self.told.send(Told::Closed(key, why));
    }

    fn panicked(&mut self, culprit: Option<PeerKey>) -> Vec<PeerKey> {
        culprit.or(self.trips.take()).into_iter().collect()
    }
}

/// A browser's side of a session.
struct Client {
    rtc: Rtc,
    socket: UdpSocket,
}

impl Client {
    fn open(plane: &Plane<Clumsy>, is_bad: bool) -> (Self, Seat) {
        Self::open_by(plane, is_bad, str::to_owned)
    }

    /// One that is told another answer than the server's.
    fn open_by(plane: &Plane<Clumsy>, is_bad: bool, told: impl Fn(&str) -> String) -> (Self, Seat) {
        let now = Instant::now();
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let own = socket.local_addr().unwrap();
        let mut rtc = RtcConfig::new().set_crypto_provider(crate::rtc::dtls::provider()).build(now);
        rtc.add_local_candidate(Candidate::host(own, "udp").unwrap());
        let mut changes = rtc.sdp_api();
        changes.add_media(MediaKind::Audio, Direction::RecvOnly, None, None, None);
        let (offer, pending) = changes.apply().unwrap();
        let seat = plane.seat().unwrap();
        let (peer, answer) =
            Peer::answer(&offer.to_sdp_string(), &plane.addresses(seat.shard), Side::Egress, now).unwrap();
        plane.open(seat, peer, is_bad).unwrap();
        let answer = SdpAnswer::from_sdp_string(&told(&answer)).unwrap();
        rtc.sdp_api().accept_answer(pending, answer).unwrap();
        (Self { rtc, socket }, seat)
    }

    /// Sends and receives what there is; waits a little if there is nothing.
    fn turn(&mut self) {
        let own = self.socket.local_addr().unwrap();
        while let Ok(output) = self.rtc.poll_output() {
            match output {
                Output::Transmit(sent) => drop(self.socket.send_to(&sent.contents, sent.destination)),
                Output::Event(_) => {}
                Output::Timeout(_) => break,
            }
        }
        self.socket.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
        let mut buffer = [0; 2000];
        let now = Instant::now();
        let input = match self.socket.recv_from(&mut buffer) {
            Ok((size, from)) => {
                let receive = Receive::new(Protocol::Udp, from, own, &buffer[..size]);
                receive.map_or(Input::Timeout(now), |receive| Input::Receive(now, receive))
            }
            Err(_) => Input::Timeout(now),
        };
        self.rtc.handle_input(input).unwrap();
    }
}

#[test]
fn a_panic_ends_what_it_came_from_and_the_shard_goes_on() {
    let (tell, told) = channel();
    let doors = Doors { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), public: Vec::new(), tcp: false };
    let plane =
        Plane::start(&doors, (1, true), |_, _| Clumsy { told: tell.clone(), bad: Vec::new(), trips: None })
            .unwrap();
    let mut seen = Vec::new();
    let mut until = |clients: &mut [&mut Client], wanted: &[Told]| {
        let deadline = Instant::now() + LONG;
        while !wanted.iter().all(|wanted| seen.contains(wanted)) {
            assert!(Instant::now() < deadline, "{wanted:?} in {seen:?}");
            clients.iter_mut().for_each(|client| client.turn());
            seen.extend(told.try_iter());
        }
        std::mem::take(&mut seen)
    };
    let ((mut good, good_seat), (mut bad, bad_seat)) =
        (Client::open(&plane, false), Client::open(&plane, true));
    let all = until(
        &mut [&mut good, &mut bad],
        &[Told::Connected(good_seat.key), Told::Closed(bad_seat.key, Closed::Failed)],
    );
    assert!(!all.contains(&Told::Connected(bad_seat.key)));
    let panics = || plane.gauges().map(|gauges| gauges.panics.load(Relaxed)).sum::<u64>();
    assert_eq!(panics(), 1, "one panic is counted once");

    // A message that nobody is to blame for costs nobody anything.
    plane.tell(0, Command::Message(13)).unwrap();
    plane.tell(0, Command::Message(14)).unwrap();
    let all = until(&mut [&mut good], &[Told::Said(14), Told::Ticked]);
    assert!(!all.iter().any(|told| matches!(told, Told::Closed(..))), "{all:?}");
    assert_eq!(panics(), 2);

    // A tick's costs whom the router says.
    let (mut other, other_seat) = Client::open(&plane, false);
    until(&mut [&mut good, &mut other], &[Told::Connected(other_seat.key)]);
    plane.tell(0, Command::Message(100 + other_seat.key.0 as u32)).unwrap();
    let all = until(&mut [&mut good], &[Told::Closed(other_seat.key, Closed::Failed)]);
    assert!(!all.contains(&Told::Closed(good_seat.key, Closed::Failed)));
    until(&mut [&mut good], &[Told::Ticked]);
    assert_eq!(panics(), 3);
    assert!(plane.gauges().all(|gauges| !gauges.is_down.load(Relaxed)));
    assert_eq!(plane.gauges().map(|gauges| gauges.peers.load(Relaxed)).sum::<usize>(), 1);
}

#[test]
fn an_address_that_the_machine_gets_while_it_runs_is_good_for_sessions_that_are_there() {
    let (tell, told) = channel();
    let doors =
        Doors { listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)), public: Vec::new(), tcp: false };
    let plane =
        Plane::start(&doors, (1, true), |_, _| Clumsy { told: tell.clone(), bad: Vec::new(), trips: None })
            .unwrap();
    let mut addresses = plane.addresses(0);
    let later = SocketAddr::from(([127, 0, 0, 3], addresses.candidates[0].port()));
    let (mut client, seat) = Client::open_by(&plane, false, |answer| {
        let known = answer.lines().filter(|line| !line.starts_with("a=candidate:"));
        let lines: String = known.map(|line| format!("{line}\r\n")).collect();
        let candidate = format!("a=candidate:1 1 udp 2130706431 127.0.0.3 {} typ host", later.port());
        lines.replacen("a=ice-ufrag:", &format!("{candidate}\r\na=ice-ufrag:"), 1)
    });
    let mut ticks = 0;
    let mut until = |wanted: Told, most_ticks: Option<u32>| {
        let deadline = Instant::now() + LONG;
        loop {
            assert!(Instant::now() < deadline, "not {wanted:?}");
            client.turn();
            for told in told.try_iter() {
                ticks += u32::from(told == Told::Ticked);
                if told == wanted {
                    return true;
                }
            }
            if most_ticks.is_some_and(|most| ticks >= most) {
                return false;
            }
        }
    };
    assert!(!until(Told::Connected(seat.key), Some(8)), "nobody is at home there yet");
    addresses.candidates.push(later);
    plane.tell(0, Command::Addresses(addresses)).unwrap();
    assert!(until(Told::Connected(seat.key), None));
}

/// A shard whose time is the test's.
fn still(told: &Sender<Told>) -> Shard<Clumsy> {
    let socket = MediaSocket::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), true).unwrap();
    let addresses = Addresses { candidates: Vec::new(), mapped: false, tcp: false };
    let router = Clumsy { told: told.clone(), bad: Vec::new(), trips: None };
    let (poll, gauges) = (Poll::new().unwrap(), Arc::default());
    Shard::new(router, sync_channel(1).1, addresses, (socket, None), poll, gauges).unwrap()
}

#[test]
fn a_viewer_that_reports_but_checks_no_more_gets_nothing_after_half_a_minute() {
    const MS: Duration = Duration::from_millis(1);
    let mut pair = Pair::connected(RtcConfig::new());
    pair.pass(MS * 6000);
    pair.unchecked = true;
    let checked = pair.checked;
    assert!(pair.now - checked < MS * 6000, "it did check");
    let ends = checked + Duration::from_secs(30);
    let mut seq = 0;
    while pair.now + MS * 50 <= ends {
        seq += 1;
        let now = pair.now;
        pair.write(Codec::Vp8, seq, seq as u32 * 4500, now);
        pair.pass(MS * 50);
    }
    assert!(ends - pair.peer.heard < MS * 2000, "its reports go on");

    let (tell, told) = channel();
    let mut shard = still(&tell);
    shard.core.peers.map.insert(PeerKey(1), Box::new(pair.peer));
    shard.gauges.peers.store(1, Relaxed);
    shard.drop_silent(ends);
    shard.settle(ends);
    assert_eq!(told.try_iter().collect::<Vec<_>>(), [], "consent is for thirty seconds");
    shard.drop_silent(ends + MS);
    shard.settle(ends + MS);
    assert_eq!(told.try_iter().collect::<Vec<_>>(), [Told::Closed(PeerKey(1), Closed::Silent)]);
    assert_eq!((shard.core.peers.map.len(), shard.gauges.peers.load(Relaxed)), (0, 0));
    assert_eq!(shard.core.panics, 0);
}
