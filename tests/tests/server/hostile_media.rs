//! Every kind of malformed media traffic, before the handshake and after, while an honest publisher and an honest viewer on
//! the same server go on: nothing of theirs is lost, memory stays bounded, nothing panics, nobody is answered with more
//! than was asked.

use crate::SOON;
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::{
    collections::BTreeSet,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    time::Instant,
};
use weir_tests::{
    attacker::{Attacker, rtp_header},
    eventually,
    http::Request,
    peer::{Offering, Peer, Source, post_whep},
    server::{NewChannel, Weir},
    vp8,
};

/// What a server may grow by under attack: buffers find their size, and no more.
const MOST_GROWTH_KB: u64 = 64 << 10;
/// Packets that repair may still be under way for.
const REPAIRED: u64 = 120;
/// The headers of a DTLS record and of the handshake's message in it.
const HEADERS: usize = 25;

/// A server with an honest broadcast, and how it was before.
struct Stage {
    weir: Weir,
    publisher: Peer,
    viewer: Peer,
    /// A channel for whoever attacks.
    evil: NewChannel,
    memory: u64,
}

impl Stage {
    fn set() -> Self {
        let weir = Weir::start();
        let (channel, evil) = (weir.create_channel("ada"), weir.create_channel("eve"));
        let publisher = Peer::publish(weir.http, "ada", &channel.key, Source::new(1));
        weir.until_state("ada", "live", SOON);
        let viewer = Peer::watch(weir.http, "ada");
        viewer.more_video(30);
        let memory = resident(weir.pid());
        Self { weir, publisher, viewer, evil, memory }
    }

    /// Holds what must hold whatever somebody else does.
    #[track_caller]
    fn assert_undisturbed(mut self) {
        self.viewer.more_video(60);
        self.weir.assert_healthy();
        assert!(!self.publisher.seen().closed && !self.viewer.seen().closed);
        self.viewer.until("every packet of the picture", SOON, |seen| {
            let came: BTreeSet<u64> = seen.video().map(|packet| packet.sequence).collect();
            let (first, last) = (*came.first()?, *came.last()?);
            // What is lost to a full buffer of the kernel's is repaired, but for what is only just asked for.
            (first..last.saturating_sub(REPAIRED)).all(|sequence| came.contains(&sequence)).then_some(())
        });
        let seen = self.viewer.seen();
        assert!(seen.video().all(|packet| packet.parsed().label.source == 1), "somebody else's packet");
        drop(seen);
        assert_eq!(self.weir.state("ada")["state"], "live");
        let memory = resident(self.weir.pid());
        assert!(memory < self.memory + MOST_GROWTH_KB, "memory grew from {} to {memory} KB", self.memory);
        let metrics = Request::new("GET", "/metrics").send(self.weir.http).text();
        assert!(metrics.contains("weir_media_panics_total 0"), "{metrics}");
    }

    /// Does something so often, at a rate that the receiver's socket takes: what the honest lose must not be lost to a
    /// full buffer of the kernel's.
    fn paced(&self, count: usize, mut act: impl FnMut(usize)) {
        for turn in 0..count {
            act(turn);
            if turn % 50 == 49 {
                self.viewer.more_video(1);
            }
        }
    }

    fn ports(&self) -> Vec<SocketAddr> {
        let shards = std::thread::available_parallelism().map_or(1, usize::from) as u16;
        (0..shards)
            .map(|shard| SocketAddr::from((Ipv4Addr::LOCALHOST, self.weir.media.port() + shard)))
            .collect()
    }
}

/// The memory that a process has in use, in KB.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the process's status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    socket.set_nonblocking(true).expect("nonblocking");
    socket
}

/// How many bytes came to a socket.
fn heard(socket: &UdpSocket) -> usize {
    let mut buffer = [0; 2000];
    std::iter::from_fn(|| socket.recv_from(&mut buffer).ok().map(|(size, _)| size)).sum()
}

fn ufrag(sdp: &str) -> &str {
    sdp.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:")).expect("a ufrag")
}

fn stun(random: &mut StdRng, kind: u16, user: &str) -> Vec<u8> {
    let mut attributes = vec![0, 6, 0, user.len() as u8];
    attributes.extend(user.as_bytes());
    attributes.resize(attributes.len().next_multiple_of(4), 0);
    attributes.extend([0, 8, 0, 20]);
    attributes.extend((0..20).map(|_| random.random::<u8>()));
    let mut message = kind.to_be_bytes().to_vec();
    message.extend((attributes.len() as u16).to_be_bytes());
    message.extend([0x21, 0x12, 0xa4, 0x42]);
    message.extend((0..12).map(|_| random.random::<u8>()));
    message.extend(attributes);
    message
}

#[test]
fn floods_of_stun_are_answered_with_less_than_they_bring() {
    let stage = Stage::set();
    let offered = post_whep(stage.weir.http, "ada", &Offering::to_receive().sdp).text();
    let mut random = StdRng::seed_from_u64(1);
    let flooder = socket();
    let (mut asked, mut answered) = (0, 0);
    let names = [ufrag(&offered), ufrag(&stage.viewer.answer), ufrag(&stage.publisher.answer), "nobody"];
    let ports = stage.ports();
    stage.paced(4000, |turn| {
        let user = format!("{}:abcd", names[turn % names.len()]);
        // Requests, indications, successes and errors of nobody's.
        let message = stun(&mut random, [0x0001, 0x0011, 0x0101, 0x0111][turn / 4 % 4], &user);
        asked += message.len();
        let _ = flooder.send_to(&message, ports[turn % ports.len()]);
        answered += heard(&flooder);
    });
    assert!(answered <= asked, "{answered} bytes for {asked}");
    stage.assert_undisturbed();
}

#[test]
fn what_was_captured_is_worth_nothing_from_another_address() {
    let stage = Stage::set();
    let mut eve = Attacker::publish(stage.weir.http, "eve", &stage.evil.key);
    eve.connect();
    for _ in 0..50 {
        eve.honest_turn();
    }
    let stranger = socket();
    let mut sent = 0;
    let captured: Vec<_> = eve
        .sent
        .iter()
        .filter(|datagram| datagram.first().is_some_and(|first| *first > 3))
        .cloned()
        .collect();
    stage.paced(captured.len() * 20, |turn| {
        let datagram = &captured[turn % captured.len()];
        sent += datagram.len();
        let _ = stranger.send_to(datagram, eve.server);
    });
    assert!(sent > 0);
    assert_eq!(heard(&stranger), 0, "a stranger was answered");
    stage.assert_undisturbed();
}

#[test]
fn hellos_that_race_come_twice_in_pieces_or_broken_end_in_one_handshake() {
    let stage = Stage::set();
    let mut random = StdRng::seed_from_u64(2);
    for round in 0..6 {
        let mut eve = Attacker::publish(stage.weir.http, "eve", &stage.evil.key);
        let stranger = socket();
        let deadline = Instant::now() + SOON * 3;
        while !eve.connected {
            assert!(Instant::now() < deadline, "round {round}: the handshake was not done");
            let broken: u8 = random.random();
            eve.turn(|own, to, datagram| {
                let is_dtls = matches!(datagram.first(), Some(20..=63));
                match round {
                    // Each flight from two addresses at once, the wrong one first.
                    0 if is_dtls => drop(stranger.send_to(datagram, to)),
                    // Three times.
                    1 => (0..2).for_each(|_| drop(own.send_to(datagram, to))),
                    // First as pieces that are no records.
                    2 if is_dtls => datagram.chunks(20).for_each(|piece| drop(own.send_to(piece, to))),
                    // First with a byte in its headers that is another.
                    3 if is_dtls => {
                        let mut other = datagram.to_vec();
                        let at = usize::from(broken) % HEADERS;
                        other[at] ^= 0x55;
                        let _ = own.send_to(&other, to);
                    }
                    // Behind a hello of nobody's: a record whose handshake message says that it is longer.
                    4 if is_dtls => {
                        let mut hello = vec![
                            22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 17, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 5,
                        ];
                        hello.extend([broken; 5]);
                        let _ = own.send_to(&hello, to);
                    }
                    // Behind media that can't be any yet.
                    5 => (0..3).for_each(|_| drop(own.send_to(&rtp_header(96, true, 1, 1, 1), to))),
                    _ => {}
                }
                let _ = own.send_to(datagram, to);
            });
        }
        assert_eq!(heard(&stranger), 0, "round {round}: an address was answered that ICE never saw");
    }
    stage.assert_undisturbed();
}

#[test]
fn rtp_and_rtcp_that_are_protected_and_wrong_harm_their_own_sender_alone() {
    let stage = Stage::set();
    let mut random = StdRng::seed_from_u64(3);
    let mut eve = Attacker::publish(stage.weir.http, "eve", &stage.evil.key);
    eve.connect();
    let mut packets = Vec::new();
    stage.paced(3000, |turn| {
        if turn % 100 == 99 {
            eve.honest_turn();
        }
        let (seq, time): (u16, u32) = (random.random(), random.random());
        let ssrc = 1000 + random.random_range(0..300);
        let mut packet = rtp_header(random.random_range(0..128), random.random(), seq, time, ssrc);
        match turn % 4 {
            // Payload types and sources that nobody offered, bodies of any codec or none.
            0 => {
                packet.extend((0..random.random_range(0..1200)).map(|_| random.random::<u8>()));
                packets.push(eve.rtp(&packet, 12, 0));
            }
            // Contributors, padding and extensions that aren't there or don't fit.
            1 => {
                packet[0] = random.random_range(0x80..=0xbf);
                packet.extend([0xbe, 0xde, 0, random.random_range(0..4)]);
                packet.extend((0..random.random_range(0..200)).map(|_| random.random::<u8>()));
                packets.push(eve.rtp(&packet, 12, 0));
            }
            // RTCP of any kind, with any length and count.
            2 => {
                let mut report = vec![random.random_range(0x80..=0xbf), random.random_range(192..=213)];
                report.extend(random.random_range(0_u16..64).to_be_bytes());
                report.extend(ssrc.to_be_bytes());
                report.extend((0..random.random_range(0..300)).map(|_| random.random::<u8>()));
                eve.rtcp(&report);
            }
            // What was sent before, once more; nothing; as much as a datagram holds.
            _ => match turn % 3 {
                0 if !packets.is_empty() => eve.raw(&packets[random.random_range(0..packets.len())]),
                1 => eve.raw(&[]),
                _ => eve.raw(&vec![0x80; 60_000]),
            },
        }
    });
    stage.assert_undisturbed();
}

#[test]
fn a_publisher_that_jumps_takes_nobody_with_it() {
    let stage = Stage::set();
    let mut eve = Attacker::publish(stage.weir.http, "eve", &stage.evil.key);
    eve.connect();
    let declared = eve.sources[1];
    let key = [0x10, 0, 0, 0, 0x9d, 0x01, 0x2a, 0, 5, 0xd0, 2];
    let send = |eve: &Attacker, index: i64, time: u32| {
        let mut packet = rtp_header(96, true, index as u16, time, declared);
        packet.extend(key);
        eve.rtp(&packet, 12, (index >> 16) as u32);
    };
    let (mut index, mut time) = (40_000_i64, 0_u32);
    eventually("a picture to be live", SOON, || {
        (index, time) = (index + 1, time.wrapping_add(3000));
        send(&eve, index, time);
        eve.honest_turn();
        (stage.weir.state("eve")["state"] == "live").then_some(())
    });
    let viewer = Peer::watch(stage.weir.http, "eve");
    // As far as SRTP follows (RFC 3711, 3.3.1): farther than that nothing can be decrypted.
    let jumps: [(i64, u32); 8] = [
        (1, 3000),
        ((1 << 15) - 1, 0),
        (1, 1 << 31),
        (20_000, 3000),
        (-1, u32::MAX),
        (0, 0),
        (-10_000, 1),
        (1, 3 << 30),
    ];
    stage.paced(2000, |turn| {
        if turn % 50 == 49 {
            eve.honest_turn();
        }
        let (far, long) = if turn % 10 == 0 { jumps[turn / 10 % jumps.len()] } else { (1, 3000) };
        (index, time) = (index + far, time.wrapping_add(long));
        send(&eve, index, time);
    });
    assert!(viewer.seen().video().count() > 100, "what jumps is passed on as well as it can be");
    drop(viewer);
    stage.assert_undisturbed();
}

#[test]
fn a_publisher_whose_media_is_not_what_its_offer_said_confuses_itself_alone() {
    let stage = Stage::set();
    let mut random = StdRng::seed_from_u64(5);
    let mut eve = Attacker::publish(stage.weir.http, "eve", &stage.evil.key);
    eve.connect();
    let (sound, picture) = (111, 96);
    let (heard, seen) = (eve.sources[0], eve.sources[1]);
    let keyframe = |width: u16, height: u16| {
        let mut frame = vec![0x10, 0, 0, 0, 0x9d, 0x01, 0x2a];
        frame.extend(width.to_le_bytes());
        frame.extend(height.to_le_bytes());
        frame.extend([0xd0, 2]);
        frame
    };
    let h264 = [0x67, 0x42, 0xe0, 0x1f, 0x8d, 0x68, 0x05, 0x00, 0x5b, 0xa1];
    let av1 = [0x10, 0x0a, 0x0a, 0x00, 0x00, 0x00, 0x02, 0xaf, 0xff, 0x9b, 0x5f];
    stage.paced(2000, |turn| {
        if turn % 50 == 49 {
            eve.honest_turn();
        }
        let (seq, time) = (turn as u16, turn as u32 * 3000);
        let (pt, ssrc, body): (u8, u32, Vec<u8>) = match turn % 8 {
            // Sound as a picture, a picture as sound, both from one source.
            0 => (picture, heard, vec![0xfc; 60]),
            1 => (sound, seen, keyframe(640, 360)),
            // Other codecs than was said.
            2 => (picture, seen, h264.to_vec()),
            3 => (picture, seen, av1.to_vec()),
            // What nobody negotiated.
            4 => (127, seen, keyframe(640, 360)),
            // A picture of another size each time, down to none and up to what can't be.
            5 => (picture, seen, keyframe(random.random(), random.random())),
            6 => (picture, seen, keyframe(0, 0)),
            // A resend of nothing, from a source of its own.
            _ => (picture + 1, 5005, seq.to_be_bytes().to_vec()),
        };
        let mut packet = rtp_header(pt, turn % 3 == 0, seq, time, ssrc);
        packet.extend(body);
        eve.rtp(&packet, 12, 0);
    });
    // An honest publisher on the same channel takes over from it.
    let publisher = Peer::publish(stage.weir.http, "eve", &stage.evil.key, Source::new(9));
    stage.weir.until_state("eve", "live", SOON);
    let viewer = Peer::watch(stage.weir.http, "eve");
    viewer.until("the honest picture", SOON, |seen| {
        let mut labels = seen.video().filter_map(|packet| vp8::parse(&packet.payload));
        labels.any(|parsed| parsed.label.source == 9).then_some(())
    });
    drop((publisher, viewer));
    stage.assert_undisturbed();
}

#[test]
fn feedback_that_lies_costs_the_publisher_no_more_than_a_keyframe_a_second() {
    let stage = Stage::set();
    let mut eve = Attacker::watch(stage.weir.http, "ada");
    eve.connect();
    let ssrc = eventually("the SSRC of the picture", SOON, || {
        eve.honest_turn();
        eve.video_ssrc
    });
    let before = stage.publisher.seen().keyframe_requests;
    let started = Instant::now();
    let feedback = |kind: u8, format: u8, body: &[u8]| {
        let mut packet = vec![0x80 | format, kind];
        packet.extend(((8 + body.len()) as u16 / 4).to_be_bytes());
        packet.extend(1_u32.to_be_bytes());
        packet.extend(ssrc.to_be_bytes());
        packet.extend(body);
        packet
    };
    let mut random = StdRng::seed_from_u64(4);
    stage.paced(3000, |turn| {
        if turn % 20 == 19 {
            eve.honest_turn();
        }
        match turn % 6 {
            // PLI, FIR, and FIR with a number that never changes.
            0 => eve.rtcp(&feedback(206, 1, &[])),
            1 => {
                let mut body = ssrc.to_be_bytes().to_vec();
                body.extend([turn as u8, 0, 0, 0]);
                eve.rtcp(&feedback(206, 4, &body));
            }
            // Everything was lost, again and again, and what was never sent, too.
            2 => {
                let first: u16 = random.random();
                let body: Vec<u8> = (0..60_u16)
                    .flat_map(|at| (u32::from(first.wrapping_add(at * 17)) << 16 | 0xffff).to_be_bytes())
                    .collect();
                eve.rtcp(&feedback(205, 1, &body));
            }
            // REMB: nothing, and more than a network has.
            3 => {
                let rate = if turn % 12 == 3 { [0, 0, 0] } else { [0xff, 0xff, 0xff] };
                let mut body = b"REMB\x01".to_vec();
                body.extend(rate);
                body.extend(ssrc.to_be_bytes());
                eve.rtcp(&feedback(206, 15, &body));
            }
            // Transport-wide feedback: 65,535 packets at impossible times.
            4 => {
                let (base, count): (u16, u16) = (random.random(), if turn % 12 == 4 { u16::MAX } else { 40 });
                let mut body = base.to_be_bytes().to_vec();
                body.extend(count.to_be_bytes());
                body.extend([0x7f, 0xff, 0xff, turn as u8]);
                body.extend([0x5f, 0xff, 0x5f, 0xff]);
                body.extend((0..80).map(|_| random.random::<u8>()));
                eve.rtcp(&feedback(205, 15, &body));
            }
            // A receiver report: more lost than there was, from the future, of everybody.
            _ => {
                let mut report = vec![0x81, 201, 0, 7];
                report.extend(1_u32.to_be_bytes());
                report.extend(ssrc.to_be_bytes());
                report.extend([0xff; 20]);
                eve.rtcp(&report);
            }
        }
    });
    let asked = stage.publisher.seen().keyframe_requests - before;
    let seconds = started.elapsed().as_secs() as usize + 1;
    assert!(asked <= seconds + 1, "{asked} keyframes were asked for in {seconds} s");
    stage.assert_undisturbed();
}

#[test]
fn empty_and_oversized_datagrams_are_passed_over() {
    let stage = Stage::set();
    let mut eve = Attacker::watch(stage.weir.http, "ada");
    eve.connect();
    let stranger = socket();
    let sizes = [0, 1, 2, 11, 12, 13, 20, 1471, 1472, 1473, 2000, 9000, 65_000, 65_507];
    let ports = stage.ports();
    stage.paced(1000, |turn| {
        if turn % 20 == 19 {
            eve.honest_turn();
        }
        let datagram = vec![[0, 22, 0x80, 0xff][turn % 4]; sizes[turn % sizes.len()]];
        let _ = stranger.send_to(&datagram, ports[turn % ports.len()]);
        eve.raw(&datagram);
    });
    assert_eq!(heard(&stranger), 0);
    stage.assert_undisturbed();
}
