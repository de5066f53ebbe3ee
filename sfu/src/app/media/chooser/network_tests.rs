//! The choice over networks that change, in virtual time: a real peer with its congestion controller, a real client behind a
//! link of a limited rate, and the pictures that a publisher sends in three sizes.

use super::*;
use crate::{
    broadcast::packet::Epoch,
    rtc::{
        path::Route,
        peer::{Addresses, Event, Measured, Outgoing, Peer, Side},
        segment::Segmenter,
    },
};
use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
};
use str0m::{
    Candidate, Input, Output, Rtc, RtcConfig,
    change::SdpAnswer,
    media::{Direction, MediaKind},
    net::{Protocol, Receive},
};

const MS: Duration = Duration::from_millis(1);
/// 180p, 360p and 720p as Chromium sends them, in bits a second.
const RATES: [u64; 3] = [170_000, 600_000, 2_300_000];
/// One way.
const DELAY: Duration = Duration::from_millis(20);
/// What waits at the narrow place before the rest is lost.
const QUEUE: Duration = Duration::from_millis(200);
/// A switch waits for a keyframe for so long,
const KEYFRAME_IN: Duration = Duration::from_millis(150);
/// which is so many times as large as other frames.
const KEYFRAME: f64 = 4.0;

fn client() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 9))
}

fn server() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 7880))
}

/// xorshift64*.
struct Chance(u64);

impl Chance {
    fn share(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// A viewer behind a link, and what it is sent.
struct Network {
    peer: Peer,
    client: Rtc,
    chooser: Chooser,
    pictures: Pictures,
    began: Instant,
    now: Instant,
    chance: Chance,
    /// Of the link to the viewer: bits a second, share lost, and until when it is busy.
    rate: Option<u64>,
    loss: f64,
    busy: Instant,
    down: VecDeque<(Instant, Vec<u8>)>,
    up: VecDeque<(Instant, Vec<u8>)>,
    /// Which size is on the viewer's line, and from when on which other.
    played: usize,
    switch: Option<(usize, Instant)>,
    key_due: bool,
    seq: u64,
    frames: u64,
    /// Each change of size, and when.
    steps: Vec<(Duration, usize)>,
    /// What leaves next.
    unsent: Vec<Outgoing>,
    /// When each packet was written, and how much later it was there.
    written: Vec<Duration>,
    took: HashMap<u64, Duration>,
}

impl Network {
    fn new(seed: u64) -> Self {
        let now = Instant::now();
        let mut rtc = RtcConfig::new().set_rtp_mode(true).build(now);
        rtc.add_local_candidate(Candidate::host(client(), "udp").unwrap());
        let mut api = rtc.sdp_api();
        api.add_media(MediaKind::Video, Direction::RecvOnly, None, None, None);
        let (offer, pending) = api.apply().unwrap();
        let ours = Addresses { candidates: vec![server()], mapped: false, tcp: false };
        let (peer, answer) = Peer::answer(&offer.to_sdp_string(), &ours, Side::Egress, now).unwrap();
        rtc.sdp_api().accept_answer(pending, SdpAnswer::from_sdp_string(&answer).unwrap()).unwrap();
        let all = RATES
            .iter()
            .enumerate()
            .map(|(at, bitrate)| {
                let height = 180 << at;
                let key = TrackKey { epoch: Epoch(1), index: at as u8 };
                let track = Track { key, codec: Codec::Vp8, rid: None, clock_rate: 90_000 };
                let size = Some(Size { width: height / 9 * 16, height });
                let version = Version {
                    track: track.key,
                    decodes: true,
                    flows: true,
                    runs: true,
                    size,
                    bitrate: *bitrate,
                };
                Shown { track: Arc::new(track), version, since: now }
            })
            .collect();
        let mut network = Self {
            peer,
            client: rtc,
            chooser: Chooser::default(),
            pictures: Pictures { all, ..Pictures::default() },
            began: now,
            now,
            chance: Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            rate: None,
            loss: 0.0,
            busy: now,
            down: VecDeque::new(),
            up: VecDeque::new(),
            played: 0,
            switch: None,
            key_due: true,
            seq: 1,
            frames: 0,
            steps: Vec::new(),
            unsent: Vec::new(),
            written: Vec::new(),
            took: HashMap::new(),
        };
        while !network.peer.connected {
            network.step();
        }
        network.began = network.now;
        network
    }

    fn since(&self) -> Duration {
        self.now - self.began
    }

    /// Plays for a while.
    fn play(&mut self, time: Duration) {
        for _ in 0..time.as_millis() {
            self.step();
            let ms = self.since().as_millis() as u64;
            if ms * 30 / 1000 >= self.frames {
                self.frames += 1;
                self.frame();
            }
            if ms.is_multiple_of(100) || self.chooser.is_due {
                self.choose();
            }
        }
    }

    fn choose(&mut self) {
        let choice = self.chooser.choose(&self.pictures, |_| true, self.now);
        if let Some(bits) = self.chooser.news() {
            self.peer.want(bits);
        }
        let wanted = choice.picture.map_or(0, |track| usize::from(track.index));
        if wanted != self.played && self.switch.is_none_or(|(to, _)| to != wanted) {
            self.switch = Some((wanted, self.now + KEYFRAME_IN));
        }
    }

    fn frame(&mut self) {
        if let Some((to, _)) = self.switch.take_if(|(_, at)| *at <= self.now) {
            self.played = to;
            self.key_due = true;
            self.steps.push((self.since(), to));
        }
        let scale = 0.7 + 0.6 * self.chance.share();
        let scale = if std::mem::take(&mut self.key_due) { KEYFRAME } else { scale };
        let mut left = (RATES[self.played] as f64 / 240.0 * scale) as usize;
        while left > 0 {
            let bytes = left.min(1100);
            left -= bytes;
            self.unsent.push(Outgoing {
                codec: Codec::Vp8,
                seq: self.seq,
                time: self.frames as u32 * 3000,
                captured: self.now,
                arrived: None,
                marker: left == 0,
                payload: vec![0x10; bytes].into(),
                quarter_turns: None,
                picture: None,
                redundant: None,
                stands_for: self.now,
            });
            self.written.push(self.since());
            self.seq += 1;
        }
    }

    fn step(&mut self) {
        self.now += MS;
        self.peer.advance(self.now).unwrap();
        self.drain();
        while let Some((_, datagram)) = self.up.pop_front_if(|(at, _)| *at <= self.now) {
            let route = Route { proto: Protocol::Udp, local: server(), remote: client() };
            self.peer.receive(route, &datagram, self.now).unwrap();
            self.drain();
        }
        self.client(None);
        while let Some((_, datagram)) = self.down.pop_front_if(|(at, _)| *at <= self.now) {
            self.client(Some(&datagram));
        }
    }

    fn drain(&mut self) {
        let mut out = Segmenter::new(1);
        let mut events = Vec::new();
        let unsent = std::mem::take(&mut self.unsent);
        self.peer.drain(&unsent, &mut out, &mut Vec::new(), |event| events.push(event), false).unwrap();
        let mut datagrams = Vec::new();
        out.drain(|run| datagrams.push(run.bytes.to_vec()));
        for datagram in datagrams {
            let start = self.busy.max(self.now);
            if start - self.now > QUEUE || self.chance.share() < self.loss {
                continue;
            }
            let takes = self.rate.map_or(0.0, |rate| datagram.len() as f64 * 8.0 / rate as f64);
            self.busy = start + Duration::from_secs_f64(takes);
            // A little unrest, as everywhere.
            let last = self.down.back().map_or(self.busy, |(at, _)| *at);
            let at = last.max(self.busy + DELAY + MS.mul_f64(self.chance.share() * 3.0));
            self.down.push_back((at, datagram));
        }
        for event in events {
            match event {
                Event::Estimated(bits) => self.chooser.estimated(bits),
                Event::Measured(Measured { estimate, loss, round_trip }) => {
                    self.chooser.sampled(Sample { estimate, loss, round_trip }, self.now);
                }
                _ => {}
            }
        }
    }

    fn client(&mut self, datagram: Option<&[u8]>) {
        let input = match datagram {
            Some(datagram) => {
                Input::Receive(self.now, Receive::new(Protocol::Udp, server(), client(), datagram).unwrap())
            }
            None => Input::Timeout(self.now),
        };
        self.client.handle_input(input).unwrap();
        loop {
            match self.client.poll_output().unwrap() {
                Output::Transmit(transmit) => {
                    if self.chance.share() >= self.loss {
                        self.up.push_back((self.now + DELAY, transmit.contents.to_vec()));
                    }
                }
                Output::Timeout(_) => return,
                Output::Event(str0m::Event::RtpPacket(packet)) => {
                    // The sequence number begins with one.
                    let seq = *packet.seq_no;
                    if let Some(at) = self.written.get(seq as usize - 1) {
                        let took = self.since() - *at;
                        self.took.entry(seq).or_insert(took);
                    }
                }
                Output::Event(_) => {}
            }
        }
    }

    /// When it played a size that fits for good, counted from `mark`.
    fn settled(&self, mark: Duration, fits: impl Fn(usize) -> bool) -> Option<Duration> {
        let before = self.steps.iter().rev().find(|(at, _)| *at <= mark).map(|(_, to)| *to);
        let mut since = before.filter(|at| fits(*at)).map(|_| mark);
        for (at, to) in self.steps.iter().filter(|(at, _)| *at > mark) {
            since = if fits(*to) { since.or(Some(*at)) } else { None };
        }
        since.map(|at| at - mark)
    }
}

#[test]
fn a_rate_that_falls_and_recovers_is_followed_down_in_three_seconds_and_up_in_fifteen() {
    let mut late = Vec::new();
    for seed in 1..=8 {
        let mut network = Network::new(seed);
        let narrowest = 300_000 + seed % 6 * 80_000;
        network.rate = Some(4_000_000);
        network.play(Duration::from_secs(20));
        let narrow = network.since();
        network.rate = Some(narrowest);
        network.play(Duration::from_secs(20));
        let down = network.settled(narrow, |at| at < 2);
        let wide = network.since();
        network.rate = Some(4_000_000);
        network.play(Duration::from_secs(25));
        let up = network.settled(wide, |at| at == 2);
        println!("seed {seed}: down {down:?}, up {up:?}; {:?}", network.steps);
        if down.is_none_or(|down| down > Duration::from_secs(3))
            || up.is_none_or(|up| up > Duration::from_secs(15))
        {
            late.push(seed);
        }
    }
    assert!(late.is_empty(), "{late:?}");
}

#[test]
fn of_a_tenth_that_is_lost_hardly_anything_comes_too_late_for_its_picture() {
    let (mut all, mut late) = (0, 0);
    for seed in 1..=4 {
        let mut network = Network::new(seed);
        network.rate = Some(8_000_000);
        network.play(Duration::from_secs(4));
        network.loss = 0.1;
        // Until the loss has been measured.
        network.play(Duration::from_secs(2));
        let first = network.seq;
        network.play(Duration::from_secs(15));
        let last = network.seq;
        network.play(Duration::from_secs(1));
        let is_late = |seq: &u64| network.took.get(seq).is_none_or(|took| *took > MS * 200);
        all += last - first;
        late += (first..last).filter(is_late).count() as u64;
    }
    println!("{late} of {all} late");
    assert!(late * 400 < all, "{late} of {all} came late");
}
