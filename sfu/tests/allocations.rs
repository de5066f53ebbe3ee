//! What a packet costs each viewer in memory: nothing is allocated for it once everything has found its size.

#![allow(unsafe_code, reason = "an allocator is an unsafe trait; this one only counts")]

use sfu::rtc::{
    path::Route,
    peer::{Addresses, Outgoing, Peer, Side},
    segment::Segmenter,
};
use shared::broadcast::Codec;
use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};
use str0m::{
    Candidate, Input, Output, Rtc, RtcConfig,
    change::SdpAnswer,
    media::{Direction, MediaKind},
    net::{Protocol, Receive},
};

const MS: Duration = Duration::from_millis(1);
/// A frame each, as 30 a second are.
const FRAME: Duration = Duration::from_millis(33);
/// In which every buffer has reached the most that it holds: the longest is of 2,048 packets.
const WARM_UP: u32 = 20_000 / 33;
const FRAMES: u32 = 600;

struct Counting;

thread_local! {
    static ALLOCATED: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    // A thread that ends has no cell any more.
    let _ = ALLOCATED.try_with(|allocated| allocated.set(allocated.get() + 1));
}

// SAFETY: everything is the system's; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as the caller promised.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as the caller promised.
        unsafe { System.realloc(at, layout, size) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// What something allocates, added to `all`.
fn counted<T>(all: &mut u64, act: impl FnOnce() -> T) -> T {
    let before = ALLOCATED.get();
    let done = act();
    *all += ALLOCATED.get() - before;
    done
}

/// How often something was allocated.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
struct Allocations {
    /// For media that is written to the viewer, and its way into the datagrams that the kernel gets.
    media: u64,
    /// For what is due by the clock: reports, ICE, measuring.
    clock: u64,
    /// For the viewer's reports.
    heard: u64,
}

/// A viewer, and the peer that sends to it.
struct Session {
    client: Rtc,
    peer: Peer,
    now: Instant,
    out: Segmenter,
    allocations: Allocations,
    /// Datagrams to the viewer, and reports of it.
    sent: usize,
    reports: usize,
    seq: u64,
    written: Vec<Outgoing>,
    payloads: [Arc<[u8]>; 2],
}

fn client_address() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 9))
}

fn server_address() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 7880))
}

impl Session {
    fn connected() -> Self {
        let now = Instant::now();
        let mut client = RtcConfig::new().set_rtp_mode(true).build(now);
        client.add_local_candidate(Candidate::host(client_address(), "udp").expect("a candidate"));
        let mut api = client.sdp_api();
        api.add_media(MediaKind::Audio, Direction::RecvOnly, None, None, None);
        api.add_media(MediaKind::Video, Direction::RecvOnly, None, None, None);
        let (offer, pending) = api.apply().expect("an offer");
        let ours = Addresses { candidates: vec![server_address()], mapped: false, tcp: false };
        let (peer, answer) =
            Peer::answer(&offer.to_sdp_string(), &ours, Side::Egress, now).expect("an answer");
        let answer = SdpAnswer::from_sdp_string(&answer).expect("SDP");
        client.sdp_api().accept_answer(pending, answer).expect("to be accepted");
        let mut session = Self {
            client,
            peer,
            now,
            out: Segmenter::new(64),
            allocations: Allocations::default(),
            sent: 0,
            reports: 0,
            seq: 0,
            written: Vec::new(),
            payloads: [vec![0x10; 1100].into(), vec![0x20; 160].into()],
        };
        for _ in 0..2000 {
            session.pass(MS * 5);
            if session.peer.connected && session.client.is_connected() {
                return session;
            }
        }
        panic!("they don't connect");
    }

    /// Time passes, in steps of at most five milliseconds.
    fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while self.now < until {
            self.now = (self.now + MS * 5).min(until);
            let Self { peer, out, allocations, now, .. } = self;
            counted(&mut allocations.clock, || {
                peer.advance(*now).expect("to go on");
                peer.drain(&[], out, &mut Vec::new(), |_| {}, false).expect("to be drained");
            });
            self.carry();
            self.client(Input::Timeout(self.now));
        }
    }

    /// What was sent is there.
    fn carry(&mut self) {
        let mut datagrams: Vec<Vec<u8>> = Vec::with_capacity(1024);
        let Self { out, allocations, .. } = self;
        // The run's bytes are the kernel's then; here they are split after what is counted.
        let mut copied = 0;
        counted(&mut allocations.media, || {
            out.drain(|run| {
                let before = ALLOCATED.get();
                datagrams.extend(run.bytes.chunks(run.segment).map(<[u8]>::to_vec));
                copied += ALLOCATED.get() - before;
            });
        });
        allocations.media -= copied;
        self.sent += datagrams.len();
        for datagram in datagrams {
            let receive = Receive::new(Protocol::Udp, server_address(), client_address(), &datagram);
            self.client(Input::Receive(self.now, receive.expect("a datagram")));
        }
    }

    fn client(&mut self, input: Input<'_>) {
        self.client.handle_input(input).expect("to be taken");
        loop {
            match self.client.poll_output().expect("to go on") {
                Output::Transmit(transmit) => {
                    let route =
                        Route { proto: Protocol::Udp, local: server_address(), remote: client_address() };
                    let is_report = matches!(&*transmit.contents, [128..=191, ..]);
                    let Self { peer, allocations, now, .. } = self;
                    let of = if is_report { &mut allocations.heard } else { &mut allocations.clock };
                    counted(of, || peer.receive(route, &transmit.contents, *now).expect("to be heard"));
                    self.reports += usize::from(is_report);
                }
                Output::Event(_) => {}
                Output::Timeout(_) => break,
            }
        }
    }

    /// A frame of so many packets leaves, and the sound that belongs to it.
    fn frame(&mut self, packets: u64) {
        self.pass(FRAME);
        let first = self.seq * packets;
        self.seq += 1;
        let [picture, sound] = &self.payloads;
        let written = |codec, seq, time, marker, payload: &Arc<[u8]>| Outgoing {
            codec,
            seq,
            time,
            stands_for: self.now,
            captured: self.now,
            arrived: (seq % 8 == 0).then_some(self.now),
            marker,
            payload: Arc::clone(payload),
            quarter_turns: None,
            picture: None,
            redundant: None,
        };
        self.written.clear();
        for at in 1..=packets {
            let time = self.seq as u32 * 2970;
            self.written.push(written(Codec::Vp8, first + at, time, at == packets, picture));
        }
        self.written.push(written(Codec::Opus, self.seq, self.seq as u32 * 1584, false, sound));
        let Self { peer, out, allocations, written, now, .. } = self;
        // A check that came meanwhile is answered first.
        counted(&mut allocations.clock, || {
            peer.drain(&[], out, &mut Vec::new(), |_| {}, false).expect("to be drained");
        });
        counted(&mut allocations.media, || {
            peer.advance(*now).expect("to go on");
            peer.drain(written, out, &mut Vec::new(), |_| {}, false).expect("to be drained");
        });
        self.carry();
    }

    /// What so many frames of so many packets allocate, once it is warm.
    fn measured(packets: u64) -> Allocations {
        let mut session = Self::connected();
        (0..WARM_UP).for_each(|_| session.frame(packets));
        session.allocations = Allocations::default();
        (session.sent, session.reports) = (0, 0);
        (0..FRAMES).for_each(|_| session.frame(packets));
        let least = FRAMES as usize * (packets as usize + 1);
        assert!(session.sent >= least, "{} of {least} packets left", session.sent);
        assert!(session.reports > FRAMES as usize / 4, "{} reports", session.reports);
        session.allocations
    }
}

#[test]
fn nothing_is_allocated_for_a_packet_or_a_report_of_a_viewer_s() {
    let few = Session::measured(4);
    let many = Session::measured(16);
    assert_eq!((few.media, many.media), (0, 0), "packets are written where the kernel reads them");
    assert_eq!((few.heard, many.heard), (0, 0), "reports are read where they lie");
    // Reports, ICE and its clocks cost what they cost, however much is sent.
    let seconds = u64::from(FRAMES) * 33 / 1000;
    for allocations in [few, many] {
        assert!(allocations.clock < 20 * seconds, "{allocations:?} in {seconds} s");
    }
    println!("in {seconds} s: {few:?} with 4 packets a frame, {many:?} with 16");
}
