//! A publisher without a network, and the peer that answered it: for tests of what of it arrives and what it is told.

use super::*;
use crate::rtc::{segment::Segmenter, shard::Peers};
use str0m::{
    Output, RtcConfig,
    change::SdpAnswer,
    media::Direction,
    net::Protocol,
    rtp::{ExtensionValues, RawPacket, RtpWrite, rtcp::Rtcp},
};

const MS: Duration = Duration::from_millis(1);
const CLIENT: ([u8; 4], u16) = ([127, 0, 0, 1], 9);
const SERVER: ([u8; 4], u16) = ([127, 0, 0, 1], 7880);

/// The publisher's peer.
pub(crate) const KEY: PeerKey = PeerKey(7);

/// What a publisher sends.
pub(crate) struct Sent {
    pub(crate) seq: u64,
    pub(crate) time: u32,
    pub(crate) payload: Vec<u8>,
    pub(crate) values: ExtensionValues,
}

/// See the module.
pub(crate) struct Uplink {
    client: Rtc,
    /// Of sound, and of the picture.
    lines: [Mid; 2],
    /// The one peer that there is.
    pub(crate) peers: Peers,
    pub(crate) now: Instant,
    /// Packets that the peer told of.
    pub(crate) packets: Vec<RtpPacket>,
    /// What the publisher was told, and when.
    pub(crate) told: Vec<(Instant, Rtcp)>,
    /// Media that is under way for as long as a test wants.
    pub(crate) held: Option<Vec<Vec<u8>>>,
}

impl Uplink {
    pub(crate) fn connected() -> Self {
        let now = Instant::now();
        let mut client = RtcConfig::new()
            .set_rtp_mode(true)
            .enable_raw_packets(true)
            .enable_opus(true, true)
            .set_rtcp_report_interval_audio(MS * 500)
            .set_rtcp_report_interval_video(MS * 500)
            .set_extension(9, Extension::AbsoluteCaptureTime)
            .build(now);
        client.add_local_candidate(str0m::Candidate::host(CLIENT.into(), "udp").unwrap());
        let mut api = client.sdp_api();
        let lines = [MediaKind::Audio, MediaKind::Video]
            .map(|kind| api.add_media(kind, Direction::SendOnly, None, None, None));
        let (offer, pending) = api.apply().unwrap();
        let ours = Addresses { candidates: vec![SERVER.into()], mapped: false, tcp: false };
        let (peer, answer) = Peer::answer(&offer.to_sdp_string(), &ours, Side::Ingest, now).unwrap();
        client.sdp_api().accept_answer(pending, SdpAnswer::from_sdp_string(&answer).unwrap()).unwrap();
        let peers = Peers::one(KEY, peer);
        let (packets, told) = (Vec::new(), Vec::new());
        let mut uplink = Self { client, lines, peers, now, packets, told, held: None };
        for _ in 0..2000 {
            uplink.pass(MS * 5);
            if uplink.peer().connected && uplink.client.is_connected() {
                return uplink;
            }
        }
        panic!("they don't connect");
    }

    fn peer(&mut self) -> &mut Peer {
        self.peers.get_mut(KEY).unwrap()
    }

    /// Time passes, in steps of a millisecond.
    pub(crate) fn pass(&mut self, time: Duration) {
        for _ in 0..time.as_millis() {
            self.now += MS;
            self.client(Input::Timeout(self.now));
            let now = self.now;
            self.peer().advance(now).unwrap();
            self.carry();
        }
    }

    /// What the peer has to say goes to the publisher.
    fn carry(&mut self) {
        let (mut out, mut events) = (Segmenter::new(1), Vec::new());
        self.peer().drain(&[], &mut out, &mut Vec::new(), |event| events.push(event), false).unwrap();
        let arrived = events.into_iter().filter_map(|event| match event {
            Event::Packet(packet) => Some(*packet),
            _ => None,
        });
        self.packets.extend(arrived);
        let mut datagrams = Vec::new();
        out.drain(|run| datagrams.push(run.bytes.to_vec()));
        for datagram in datagrams {
            let receive = Receive::new(Protocol::Udp, SERVER.into(), CLIENT.into(), &datagram).unwrap();
            self.client(Input::Receive(self.now, receive));
        }
    }

    fn client(&mut self, input: Input<'_>) {
        self.client.handle_input(input).unwrap();
        loop {
            match self.client.poll_output().unwrap() {
                Output::Transmit(transmit) => {
                    let datagram = transmit.contents.to_vec();
                    match self.held.as_mut().filter(|_| demux::is_rtp(&datagram)) {
                        Some(held) => held.push(datagram),
                        None => self.arrive(&datagram),
                    }
                }
                Output::Event(str0m::Event::RawPacket(raw)) => {
                    if let RawPacket::RtcpRx(told) = *raw {
                        self.told.push((self.now, told));
                    }
                }
                Output::Event(_) => {}
                Output::Timeout(_) => break,
            }
        }
    }

    /// A datagram of the publisher's is there.
    pub(crate) fn arrive(&mut self, datagram: &[u8]) {
        let route = Route { proto: Protocol::Udp, local: SERVER.into(), remote: CLIENT.into() };
        let now = self.now;
        self.peer().receive(route, datagram, now).unwrap();
    }

    /// The payload types of sound: plain, and redundant.
    pub(crate) fn sound(&self) -> (Pt, Pt) {
        let mut all = self.client.codec_config().params().iter();
        let params = all.find(|params| sdp::codec(params.spec().codec) == Some(Codec::Opus)).unwrap();
        (params.pt(), params.red().unwrap())
    }

    /// The payload type of VP8.
    pub(crate) fn picture(&self) -> Pt {
        let mut all = self.client.codec_config().params().iter();
        all.find(|params| sdp::codec(params.spec().codec) == Some(Codec::Vp8)).unwrap().pt()
    }

    /// The publisher sends a packet, on the line of sound or that of the picture.
    pub(crate) fn send(&mut self, pt: Pt, sent: Sent) {
        let (sound, redundant) = self.sound();
        let is_audio = pt == sound || pt == redundant;
        let mid = self.lines[usize::from(!is_audio)];
        let write =
            RtpWrite::new(pt, sent.seq.into(), sent.time, self.now, sent.payload).ext_vals(sent.values);
        self.client.direct_api().stream_tx_by_mid(mid, None).unwrap().write_rtp(write);
        self.client(Input::Timeout(self.now));
        self.carry();
    }
}
