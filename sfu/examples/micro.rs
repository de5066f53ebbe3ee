//! What `cargo xtask bench micro` counts: `micro NAME ROUNDS` does one small thing of a packet's path so many times. Without
//! arguments it lists the names. Counted under Valgrind with two numbers of rounds: the difference is what the rounds cost.

#![expect(clippy::unwrap_used, reason = "a program for measuring may stop")]

use sfu::{
    broadcast::{
        hub::Hub,
        packet::{Epoch, Packet, Track, TrackKey},
    },
    rtc::{demux::Demux, peer::PeerKey, segment::Segmenter, timers::Timers},
    watch::{
        line::{Arrival, Line},
        path::Path,
        picture::{Numbers, PictureIds},
        select::{Selector, Version, Wish},
    },
};
use shared::{broadcast::Codec, unit::Size};
use std::{
    hint::black_box,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

/// A shard with as many peers as one core is meant to serve.
const PEERS: u64 = 2000;
const MS: Duration = Duration::from_millis(1);

type Work = fn(u64);

const ALL: &[(&str, Work)] = &[
    ("demux-media", demux_media),
    ("demux-stun", demux_stun),
    ("hub-push", hub_push),
    ("line-place", line_place),
    ("line-switch", line_switch),
    ("picture-place", picture_place),
    ("segment-push", segment_push),
    ("select-choose", select_choose),
    ("timer-set-pop", timer_set_pop),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, rounds] = &arguments[..] else {
        return ALL.iter().for_each(|(name, _)| println!("{name}"));
    };
    let (_, work) = ALL.iter().find(|(known, _)| known == name).unwrap();
    work(rounds.parse().unwrap());
}

fn address(peer: u64) -> SocketAddr {
    SocketAddr::from(([10, 0, (peer >> 8) as u8, peer as u8], 40_000))
}

fn demux() -> Demux {
    let mut demux = Demux::default();
    for peer in 0..PEERS {
        demux.add_ufrag(format!("ufrag{peer:011}"), PeerKey(peer));
        demux.validate(address(peer), PeerKey(peer));
    }
    demux
}

/// Whose an RTCP datagram is.
fn demux_media(rounds: u64) {
    let (demux, datagram) = (demux(), [0x80, 201, 0, 7, 0, 0, 0, 1, 0, 0, 0, 2]);
    for round in 0..rounds {
        black_box(demux.peer(address(round * 7 % PEERS), black_box(&datagram)));
    }
}

/// Whose a STUN request is.
fn demux_stun(rounds: u64) {
    let demux = demux();
    let mut datagram = vec![0, 1, 0, 28, 0x21, 0x12, 0xa4, 0x42];
    datagram.extend([7; 12]);
    datagram.extend([0, 6, 0, 21]);
    datagram.extend(b"ufrag00000000007:abcd\0\0\0");
    for round in 0..rounds {
        black_box(demux.peer(address(round * 7 % PEERS), black_box(&datagram)));
    }
}

fn packet(seq: u64) -> Packet {
    let key = TrackKey { epoch: Epoch(1), index: 0 };
    let track = Arc::new(Track { key, codec: Codec::Vp8, rid: None, clock_rate: 90_000 });
    let now = Instant::now();
    let (time, marker) = ((seq / 5) as u32 * 3000, seq % 5 == 4);
    let payload = Arc::from([0x90, 0x80, 0x80, 7, 1, 0, 0, 0].as_slice());
    let (captured, arrived) = (now, now);
    Packet {
        track,
        seq,
        time,
        marker,
        starts_keyframe: false,
        picture: None,
        captured,
        arrived,
        payload,
        quarter_turns: None,
        redundant: None,
    }
}

/// What a broadcast's hub does with a publisher's packet.
fn hub_push(rounds: u64) {
    let (mut hub, now, packet) = (Hub::default(), Instant::now(), packet(0));
    for seq in 0..rounds {
        let packet = Packet { seq, time: seq as u32 / 5 * 3000, ..packet.clone() };
        black_box(hub.push(packet, now + MS * (seq as u32 * 6)));
    }
}

fn arrival(track: u8, seq: u64, start: Instant) -> Arrival<u8> {
    let frame = seq as u32 / 5;
    let captured = start + MS * 33 * frame;
    Arrival { track, seq, time: frame * 3000, captured, can_start: seq.is_multiple_of(150), turn: None }
}

/// Where a packet goes in a viewer's stream.
fn line_place(rounds: u64) {
    let (mut line, now) = (Line::new(90_000), Instant::now());
    line.want(1, now);
    for seq in 0..rounds {
        black_box(line.place(black_box(arrival(1, seq, now))));
    }
}

/// The same where the viewer is switched to another rendition each time.
fn line_switch(rounds: u64) {
    let (mut line, now) = (Line::new(90_000), Instant::now());
    for seq in 0..rounds {
        let track = (seq & 1) as u8;
        line.want(track, now);
        black_box(line.place(Arrival { can_start: true, ..arrival(track, seq, now) }));
    }
}

/// The numbers that a VP8 packet gets.
fn picture_place(rounds: u64) {
    let mut pictures = PictureIds::default();
    for round in 0..rounds {
        let numbers = Numbers { id: (round / 5) as u16 & 0x7fff, is_wide: true, base: Some(0) };
        black_box(pictures.place((round >> 12) as u8, black_box(numbers)));
    }
}

/// Which of three renditions a viewer gets, while what its network carries sways.
fn select_choose(rounds: u64) {
    let version = |track: u8, height: u16, bitrate| Version {
        track,
        decodes: true,
        flows: true,
        runs: true,
        size: Some(Size { width: height / 9 * 16, height }),
        bitrate,
    };
    let versions = [version(0, 180, 200_000), version(1, 360, 600_000), version(2, 720, 1_500_000)];
    let (mut selector, now, wish) = (Selector::default(), Instant::now(), Wish::default());
    for round in 0..rounds {
        let estimate = Some(400_000 + round * 7919 % 2_000_000);
        let path = Path { estimate, ..Path::default() };
        black_box(selector.choose(black_box(&versions), &wish, path, now + MS * (round as u32 * 100)));
    }
}

/// A datagram's way into a run and out of it.
fn segment_push(rounds: u64) {
    let (mut segmenter, datagram) = (Segmenter::new(64), [0xa5; 1100]);
    for round in 0..rounds {
        segmenter.push(address(round / 5), None, black_box(&datagram), None);
        if round % 5 == 4 {
            segmenter.drain(|run| {
                black_box(run);
            });
        }
    }
}

/// A peer's deadline is set, and comes.
fn timer_set_pop(rounds: u64) {
    let (mut timers, mut now) = (Timers::default(), Instant::now());
    (0..PEERS).for_each(|peer| timers.set(PeerKey(peer), now + MS * (peer as u32 % 40)));
    for _ in 0..rounds {
        match timers.pop(now) {
            Some(peer) => timers.set(peer, now + MS * 40),
            None => now += MS,
        }
    }
}
