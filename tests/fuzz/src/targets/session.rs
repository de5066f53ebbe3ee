//! A session as its shard has it, with a real client at the other end of a wire on which anything may happen: datagrams
//! that are broken, repeated, late, lost, somebody else's; before the handshake, during it and after. Its media goes the way of
//! a publisher's, into the hub.

use crate::input::Input;
use sfu::{
    app::media::ingest::Publisher,
    broadcast::hub::Hub,
    rtc::{
        demux::{Demux, Kind, kind},
        dtls,
        path::Route,
        peer::{Addresses, Event, Peer, PeerKey, Side},
        segment::Segmenter,
        shard::Peers,
    },
};
use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::OnceLock,
    time::{Duration, Instant},
};
use str0m::{
    Candidate, Input as RtcInput, Output, Rtc, RtcConfig,
    change::SdpAnswer,
    crypto::dtls::DtlsCert,
    media::{Direction, MediaKind, Mid},
    net::{Protocol, Receive},
    rtp::RtpWrite,
};

const KEY: PeerKey = PeerKey(1);
/// More of a client's datagrams than are ever worth repeating.
const MOST_KEPT: usize = 64;
const MOST_TRACKS: u8 = 8;
/// What a datagram carries.
const MOST_PAYLOAD: usize = 2000;

fn server() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 7880))
}

fn own() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 5000))
}

fn stranger() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 6000))
}

struct Wire {
    demux: Demux,
    peers: Peers,
    /// What comes of its media.
    publisher: Publisher,
    hub: Hub,
    addresses: Addresses,
    client: Rtc,
    lines: Vec<Mid>,
    now: Instant,
    /// From the client, and on their way.
    coming: VecDeque<Vec<u8>>,
    /// All that the client said lately.
    said: VecDeque<Vec<u8>>,
    going: VecDeque<Vec<u8>>,
    out: Segmenter,
    /// Whether a datagram of the client's was repeated from elsewhere: ICE takes that for the client's new address.
    moved: bool,
    is_over: bool,
}

pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let Some(direction) = input.byte() else { return };
    let mut wire = Wire::new(direction & 1 == 0);
    while let (false, Some(act)) = (wire.is_over, input.byte()) {
        match act & 7 {
            0 => wire.exchange(),
            1 => {
                let Some(mut datagram) = wire.coming.pop_front() else { continue };
                let (at, change) = (input.short().unwrap_or(0), input.byte().unwrap_or(1));
                let length = datagram.len().max(1);
                if let Some(byte) = datagram.get_mut(usize::from(at) % length) {
                    *byte ^= change;
                }
                if act & 8 != 0 {
                    datagram.truncate(usize::from(at) % length);
                }
                wire.take(own(), &datagram);
            }
            2 => {
                if let Some(datagram) = wire.coming.pop_front() {
                    wire.take(own(), &datagram);
                }
            }
            3 => wire.take(own(), input.bytes().unwrap_or_default()),
            4 => wire.take(stranger(), input.bytes().unwrap_or_default()),
            5 => wire.pass(Duration::from_millis(u64::from(act >> 3) * 40)),
            6 => {
                let (seq, time) = (input.short().unwrap_or(0), input.word().unwrap_or(0));
                wire.write(usize::from(act >> 3 & 1), seq, time, input.bytes().unwrap_or_default());
            }
            _ => {
                let which = usize::from(input.byte().unwrap_or(0)) % wire.said.len().max(1);
                let Some(datagram) = wire.said.get(which).cloned() else { continue };
                wire.moved |= act & 8 != 0;
                wire.take(if act & 8 != 0 { stranger() } else { own() }, &datagram);
            }
        }
    }
}

impl Wire {
    fn new(publishes: bool) -> Self {
        let now = Instant::now();
        // Making one takes longer than everything else.
        static CERTIFICATE: OnceLock<DtlsCert> = OnceLock::new();
        let provider = dtls::provider();
        let certificate = CERTIFICATE
            .get_or_init(|| provider.dtls_provider.generate_certificate().expect("a certificate"))
            .clone();
        let mut client = RtcConfig::new()
            .set_crypto_provider(provider)
            .set_dtls_cert(certificate)
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_opus(true, false)
            .enable_vp8(true)
            .build(now);
        client.add_local_candidate(Candidate::host(own(), "udp").expect("a candidate"));
        let mut changes = client.sdp_api();
        let direction = if publishes { Direction::SendOnly } else { Direction::RecvOnly };
        let lines = [MediaKind::Audio, MediaKind::Video]
            .map(|kind| changes.add_media(kind, direction, None, None, None))
            .to_vec();
        let (offer, pending) = changes.apply().expect("something to offer");
        let addresses = Addresses { candidates: vec![server()], mapped: false, tcp: false };
        let side = if publishes { Side::Ingest } else { Side::Egress };
        let (peer, answer) = Peer::answer(&offer.to_sdp_string(), &addresses, side, now).expect("an answer");
        let answer = SdpAnswer::from_sdp_string(&answer).expect("an answer that can be parsed");
        client.sdp_api().accept_answer(pending, answer).expect("an answer that fits");
        let mut demux = Demux::default();
        demux.add_ufrag(peer.ufrag.clone(), KEY);
        let mut wire = Self {
            demux,
            peers: Peers::one(KEY, peer),
            publisher: Publisher::new(KEY),
            hub: Hub::default(),
            addresses,
            client,
            lines,
            now,
            coming: VecDeque::new(),
            said: VecDeque::new(),
            going: VecDeque::new(),
            out: Segmenter::new(8),
            moved: false,
            is_over: false,
        };
        wire.settle();
        wire
    }

    fn peer(&mut self) -> &mut Peer {
        self.peers.get_mut(KEY).expect("it is there")
    }

    /// A datagram reaches the shard.
    fn take(&mut self, source: SocketAddr, datagram: &[u8]) {
        if self.demux.peer(source, datagram).is_none() {
            return;
        }
        let Some(destination) = self.addresses.candidate(Some(server().ip()), source) else { return };
        let route = Route { proto: Protocol::Udp, local: destination, remote: source };
        let now = self.now;
        match self.peer().receive(route, datagram, now) {
            Ok(true) if kind(datagram) == Kind::Stun => {
                assert!(source == own() || self.moved, "a stranger's address was validated");
                self.demux.validate(source, KEY);
            }
            Ok(_) => {}
            Err(_) => self.is_over = true,
        }
        self.settle();
    }

    /// All that is on its way arrives, both ways.
    fn exchange(&mut self) {
        for datagram in std::mem::take(&mut self.coming) {
            self.take(own(), &datagram);
        }
        for datagram in std::mem::take(&mut self.going) {
            let receive = Receive::new(Protocol::Udp, server(), own(), &datagram);
            let Ok(receive) = receive else { panic!("the server sent what can't be read: {datagram:02x?}") };
            if self.client.handle_input(RtcInput::Receive(self.now, receive)).is_err() {
                self.is_over = true;
            }
        }
        self.pass(Duration::from_millis(1));
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.is_over |= self.client.handle_input(RtcInput::Timeout(self.now)).is_err();
        let now = self.now;
        self.is_over |= self.peer().advance(now).is_err();
        self.settle();
    }

    fn write(&mut self, line: usize, seq: u16, time: u32, payload: &[u8]) {
        let Some(&mid) = self.lines.get(line) else { return };
        let pt = self.client.media(mid).and_then(|media| media.remote_pts().first().copied());
        if let (Some(pt), Some(stream)) = (pt, self.client.direct_api().stream_tx_by_mid(mid, None)) {
            stream.write_rtp(RtpWrite::new(pt, u64::from(seq).into(), time, self.now, payload.to_vec()));
        }
        self.pass(Duration::ZERO);
    }

    fn settle(&mut self) {
        if self.is_over {
            return;
        }
        let client = &mut self.client;
        let peer = self.peers.get_mut(KEY).expect("it is there");
        let (mut events, mut packets) = (Vec::new(), Vec::new());
        let mut framed = Vec::new();
        let drained = peer.drain(&[], &mut self.out, &mut framed, |event| events.push(event), false);
        assert!(framed.is_empty(), "nobody came by TCP");
        if drained.is_err() || !peer.is_alive() {
            self.is_over = true;
            return;
        }
        for event in events {
            if let Event::Packet(packet) = event {
                let origin = peer.origin(packet.header.ssrc);
                assert!(origin.is_some(), "a packet of no line");
                packets.push(*packet);
            }
        }
        for packet in packets {
            let two = self.publisher.packets(packet, &mut self.peers, self.now);
            for packet in two.into_iter().flatten() {
                assert!(packet.track.key.index < MOST_TRACKS, "a track too many");
                assert!(packet.payload.len() <= MOST_PAYLOAD, "more came out than went in");
                self.publisher.note(&packet, self.now);
                self.hub.push(packet, self.now);
            }
        }
        for track in self.hub.tracks() {
            let cached = self.hub.cached(track.key);
            assert!(cached.windows(2).all(|pair| pair[0].seq < pair[1].seq), "a cache is in order");
        }
        let moved = self.moved;
        let going = &mut self.going;
        self.out.drain(|run| {
            assert!(run.destination == own() || moved, "something was sent to a stranger");
            going.extend(run.bytes.chunks(run.segment.max(1)).map(<[u8]>::to_vec));
        });
        loop {
            match client.poll_output() {
                Ok(Output::Transmit(transmit)) => {
                    let datagram = transmit.contents.to_vec();
                    self.said.push_back(datagram.clone());
                    if self.said.len() > MOST_KEPT {
                        self.said.pop_front();
                    }
                    self.coming.push_back(datagram);
                }
                Ok(Output::Event(_)) => {}
                Ok(Output::Timeout(_)) => return,
                Err(_) => {
                    self.is_over = true;
                    return;
                }
            }
        }
    }
}
