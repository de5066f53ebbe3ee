//! The far end of one `Rtc`: str0m's state machine with what a shard needs to know of it.

use super::{
    demux,
    dtls::{self, KeySlot},
    egress::{Egress, Format, News, header::Numbers, line::Line},
    path::{Path, Route},
    prefetch::prefetch,
    sdp,
};
use shared::broadcast::Codec;
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};
use str0m::{
    Input, Rtc, RtcError,
    change::SdpOffer,
    format::PayloadParams,
    media::{KeyframeRequestKind, MediaKind, Mid, Pt, Rid},
    net::{Receive, TcpType},
    rtp::{Extension, RtpPacket, Ssrc, VideoOrientation},
    stats::MediaIngressStats,
};

mod drain;

/// One peer, unique while the server runs. Later peers have higher numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerKey(pub u64);

/// A packet to be written on one of a peer's lines.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// What it is coded in; decides the payload type.
    pub codec: Codec,
    /// Extended sequence number in the peer's stream.
    pub seq: u64,
    /// RTP timestamp in the peer's stream.
    pub time: u32,
    /// The moment that the timestamp stands for, for sender reports.
    pub stands_for: Instant,
    /// When the media was captured.
    pub captured: Instant,
    /// When it arrived here, if how long it takes is to be measured.
    pub arrived: Option<Instant>,
    /// RTP marker bit.
    pub marker: bool,
    /// Shared payload.
    pub payload: Arc<[u8]>,
    /// Quarter turns clockwise, if the publisher says.
    pub quarter_turns: Option<u8>,
    /// Picture id and TL0PICIDX to put into a VP8 payload in place of its own.
    pub picture: Option<(u16, Option<u8>)>,
    /// The same with the frame before it once more (RFC 2198), and the payload type that it says of what is in it.
    pub redundant: Option<(Arc<[u8]>, u8)>,
}

/// How often str0m says what it knows: how a publisher's media arrives, and which way ICE has chosen.
const STATS_EVERY: Duration = Duration::from_secs(1);

/// What a peer is for, as far as its transport differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// It sends to us.
    Ingest,
    /// We send to it, as much as the congestion controller says.
    Egress,
    /// We send to it, whatever its network carries: to measure what the congestion controller costs.
    Unmetered,
}

/// What is known of the way to a viewer.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Measured {
    /// Bits a second that it carries, as far as the viewer tells.
    pub estimate: Option<u64>,
    /// Packets lost in the last second, before repair, 0 to 1.
    pub loss: Option<f32>,
    /// The last round trip.
    pub round_trip: Option<Duration>,
}

/// Something happened at a peer.
#[derive(Debug)]
pub enum Event {
    /// ICE and DTLS are up.
    Connected,
    /// It said goodbye.
    Closed,
    /// A packet came from a publisher.
    Packet(Box<RtpPacket>),
    /// How a publisher's media arrives.
    Arrives(Box<MediaIngressStats>),
    /// A round trip to a publisher.
    RoundTrip(Duration),
    /// A viewer wants a keyframe.
    KeyframeWanted,
    /// The way to a viewer is estimated to carry so many bits a second.
    Estimated(u64),
    /// What is known of the way to a viewer, once a second.
    Measured(Measured),
}

impl From<News> for Event {
    fn from(news: News) -> Self {
        match news {
            News::KeyframeWanted => Self::KeyframeWanted,
            News::Estimated(bits) => Self::Estimated(bits),
            News::Measured(measured) => Self::Measured(measured),
        }
    }
}

/// See the module.
pub struct Peer {
    rtc: Rtc,
    /// The time of the last input.
    now: Instant,
    /// When str0m wants to be told that time passed, and whether it was told something since it was last asked.
    due: Instant,
    is_touched: bool,
    is_alive: bool,
    /// When the shard's timer was last asked to wake it, if that has not come.
    timer: Option<Instant>,
    /// Our ufrag: STUN requests that name it are for this peer.
    pub ufrag: String,
    /// When it was made.
    pub opened: Instant,
    /// When anything valid last came from it.
    pub heard: Instant,
    /// Whether ICE and DTLS are up.
    pub connected: bool,
    path: Path,
    keys: KeySlot,
    /// What is sent to it, if it is a viewer.
    egress: Option<Box<Egress>>,
    /// What it said that nobody was told yet.
    news: Vec<News>,
    is_closing: bool,
}

/// The addresses that a peer may reach a shard by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// Host candidates, in order of preference, with the shard's port.
    pub candidates: Vec<SocketAddr>,
    /// Whether they are public addresses that a NAT maps to this machine: then what the socket says of a datagram's
    /// destination isn't one of them.
    pub mapped: bool,
    /// Whether the same ports are open for TCP.
    pub tcp: bool,
}

impl Addresses {
    /// The candidate that a datagram to `local` came to.
    pub fn candidate(&self, local: Option<IpAddr>, source: SocketAddr) -> Option<SocketAddr> {
        let exact = self.candidates.iter().find(|candidate| Some(candidate.ip()) == local);
        let same_family = || self.candidates.iter().find(|candidate| candidate.is_ipv4() == source.is_ipv4());
        if self.mapped { exact.or_else(same_family) } else { exact }.copied()
    }
}

impl Peer {
    /// Answers an offer. Runs on any thread; costs about a millisecond.
    ///
    /// # Errors
    /// [`sdp::OfferError`] if the offer can't be used.
    pub fn answer(
        text: &str,
        addresses: &Addresses,
        side: Side,
        now: Instant,
    ) -> Result<(Self, String), sdp::OfferError> {
        let offer = sdp::offer(text)?;
        let config = sdp::config(&sdp::preference(text)).set_stats_interval(Some(STATS_EVERY));
        let (mut rtc, keys) = dtls::with_keys(|| config.build(now));
        for candidate in candidates(addresses) {
            rtc.add_local_candidate(candidate?);
        }
        let answer =
            rtc.sdp_api().accept_offer(offer).map_err(|error| sdp::OfferError::Refused(error.to_string()))?;
        let ufrag = rtc.direct_api().local_ice_credentials().ufrag;
        let answer = answer.to_sdp_string();
        let egress = (side != Side::Ingest)
            .then(|| Box::new(Egress::new(side == Side::Egress, canonical_name(&answer), now)));
        let mut peer = Self {
            rtc,
            now,
            due: now,
            is_touched: true,
            is_alive: true,
            timer: None,
            ufrag,
            opened: now,
            heard: now,
            connected: false,
            path: Path::new(now),
            keys,
            egress,
            news: Vec::new(),
            is_closing: false,
        };
        for mid in answer.lines().filter_map(|line| line.strip_prefix("a=mid:")) {
            peer.note_line(mid.trim().into());
        }
        Ok((peer, if side == Side::Ingest { sdp::with_start_bitrate(text, &answer) } else { answer }))
    }

    /// Answers a new offer of the same peer, with other ICE credentials: an ICE restart.
    pub fn restart_ice(&mut self, offer: SdpOffer) -> Result<String, sdp::OfferError> {
        // Lines without a stream would be given other SSRCs than those that the peer was told. str0m has them for the answer
        // alone: a stream of its own would report.
        let lines: Vec<(Ssrc, Option<Ssrc>, Mid)> = [true, false]
            .into_iter()
            .filter_map(|audio| self.egress.as_ref()?.line(audio))
            .map(|line| (line.ssrc.into(), line.repairs.map(Ssrc::from), line.mid.as_str().into()))
            .collect();
        for (ssrc, repairs, mid) in &lines {
            self.rtc.direct_api().declare_stream_tx(*ssrc, *repairs, *mid, None);
        }
        let answer = self.rtc.sdp_api().accept_offer(offer);
        for (ssrc, ..) in &lines {
            self.rtc.direct_api().remove_stream_tx(*ssrc);
        }
        self.is_touched = true;
        let answer = answer.map_err(|error| sdp::OfferError::Refused(error.to_string()))?;
        self.ufrag = self.rtc.direct_api().local_ice_credentials().ufrag;
        Ok(answer.to_sdp_string())
    }

    /// A candidate that the peer found later.
    pub fn add_candidate(&mut self, candidate: str0m::Candidate) {
        self.rtc.add_remote_candidate(candidate);
        self.is_touched = true;
    }

    /// This machine is reached by other addresses now. Those that are gone stay known; nothing comes by them.
    pub fn add_addresses(&mut self, addresses: &Addresses) {
        candidates(addresses).flatten().for_each(|candidate| {
            self.rtc.add_local_candidate(candidate);
        });
    }

    /// Takes a datagram if it is this peer's; false if it isn't. An address that has not been validated by ICE is refused
    /// here, whatever the demultiplexer thought, and so is a check that is a copy of one from elsewhere.
    pub fn receive(&mut self, route: Route, datagram: &[u8], now: Instant) -> Result<bool, RtcError> {
        if let Some(egress) = self.egress.as_mut().filter(|_| demux::is_media(datagram)) {
            // A viewer sends nothing but reports.
            let news = &mut self.news;
            let is_taken = self.path.knows(route)
                && !demux::is_rtp(datagram)
                && egress.receive(datagram, now, |what| news.push(what));
            if is_taken {
                self.now = self.now.max(now);
                self.heard = self.now;
                self.path.heard(route, now);
            }
            return Ok(is_taken);
        }
        let check = demux::stun_check(datagram);
        if check.is_some_and(|check| self.path.is_copy(route, &check)) {
            return Ok(false);
        }
        let Ok(receive) = Receive::new(route.proto, route.remote, route.local, datagram) else {
            return Ok(false);
        };
        let input = Input::Receive(now.max(self.now), receive);
        if !self.rtc.accepts(&input) {
            return Ok(false);
        }
        self.now = self.now.max(now);
        self.heard = self.now;
        self.is_touched = true;
        self.rtc.handle_input(input)?;
        match check {
            Some(check) => self.path.checked(route, &check, now),
            None => self.path.heard(route, now),
        }
        Ok(true)
    }

    /// A way to it is no more.
    pub fn lost(&mut self, route: Route) {
        self.path.lost(route);
    }

    /// Whether it may still be sent to (RFC 7675). Those who only send need no consent: they get a report now and then.
    pub fn has_consent(&self, now: Instant) -> bool {
        !(self.has_line(true) || self.has_line(false)) || self.path.has_consent(now)
    }

    /// Time passed, or something was written.
    pub fn advance(&mut self, now: Instant) -> Result<(), RtcError> {
        self.now = self.now.max(now);
        // What is written to a viewer is not str0m's concern.
        if self.egress.is_none() || self.due <= self.now {
            self.is_touched = true;
            self.rtc.handle_input(Input::Timeout(self.now))?;
        }
        Ok(())
    }

    /// Asks for the memory that [`Self::drain`] looks at, step by step, as the next step's place is only known from the one
    /// before: 0, 1, and then 2.
    pub fn prefetch(&self, step: usize) {
        match (step, &self.egress) {
            (0, _) => {
                prefetch(&self.egress);
                prefetch(&self.path);
                prefetch(&self.now);
                prefetch(&self.news);
                prefetch(&self.timer);
            }
            (1, Some(egress)) => prefetch(&**egress),
            (2, Some(egress)) => egress.prefetch(),
            _ => {}
        }
    }

    /// Whether it still does anything.
    pub fn is_alive(&self) -> bool {
        self.is_alive
    }

    /// The timer that [`Self::drain`] asked for has run out.
    pub fn timer_ran(&mut self) {
        self.timer = None;
    }

    /// Says goodbye; what it says still has to be drained.
    pub fn close(&mut self) {
        self.is_closing = true;
        self.is_touched = true;
        if self.rtc.close().is_err() {
            self.rtc.disconnect();
        }
    }

    /// Notes a line that the offer brought, if it is one to send on.
    fn note_line(&mut self, mid: Mid) {
        let Some(egress) = &mut self.egress else { return };
        let Some(media) = self.rtc.media(mid).filter(|media| media.direction().is_sending()) else { return };
        let is_audio = media.kind() == MediaKind::Audio;
        // The one-byte form has these numbers (RFC 8285, 4.2); others are more than anybody needs.
        let number =
            |extension| media.remote_extmap().id_of(extension).filter(|number| (1..=14).contains(number));
        let numbers = Numbers {
            mid: number(Extension::RtpMid),
            transport: number(Extension::TransportSequenceNumber),
            orientation: number(Extension::VideoOrientation).filter(|_| !is_audio),
            capture: number(Extension::AbsoluteCaptureTime),
            playout: number(Extension::PlayoutDelay).filter(|_| !is_audio),
        };
        let mut api = self.rtc.direct_api();
        let Some((ssrc, repairs)) =
            api.stream_tx_by_mid(mid, None).map(|stream| (stream.ssrc(), stream.rtx()))
        else {
            return;
        };
        // A stream of str0m's would report of what was never sent.
        api.remove_stream_tx(ssrc);
        if egress.line(is_audio).is_some() {
            return;
        }
        let clock_rate = if is_audio { 48_000 } else { 90_000 };
        egress.set_line(
            is_audio,
            Line::new(mid.to_string(), (*ssrc, repairs.map(|ssrc| *ssrc)), clock_rate, numbers),
        );
        let Some(media) = self.rtc.media(mid) else { return };
        let remote = media.remote_pts();
        for params in self.rtc.codec_config().params() {
            let Some(codec) = sdp::codec(params.spec().codec) else { continue };
            let usable = (codec == Codec::Opus) == is_audio;
            if usable && remote.contains(&params.pt()) && is_common_profile(params) {
                let repairs = params.resend().map(|pt| *pt);
                let format = Format { codec, payload_type: *params.pt(), repairs };
                egress.add_format(format, params.red().map(|pt| *pt));
            }
        }
    }

    /// The codecs that this peer takes.
    pub fn decodes(&self, codec: Codec) -> bool {
        self.egress.as_ref().is_some_and(|egress| egress.format(codec).is_some())
    }

    /// Whether a line of that kind is sent to it.
    pub fn has_line(&self, audio: bool) -> bool {
        self.egress.as_ref().is_some_and(|egress| egress.line(audio).is_some())
    }

    /// How many bits a second there would be use for: as much is probed for, and nothing at all for 0.
    pub fn want(&mut self, bits: u64) {
        if let Some(egress) = &mut self.egress {
            egress.want(bits);
        }
    }

    /// Asks the peer for a keyframe of what it sends, by the message that it understands.
    pub fn request_keyframe(&mut self, mid: Mid, rid: Option<Rid>) {
        let fir_only = self.rtc.media(mid).is_some_and(|media| {
            let pts = media.remote_pts();
            let mut params =
                self.rtc.codec_config().params().iter().filter(|params| pts.contains(&params.pt()));
            params.clone().any(PayloadParams::fb_fir) && !params.any(PayloadParams::fb_pli)
        });
        let kind = if fir_only { KeyframeRequestKind::Fir } else { KeyframeRequestKind::Pli };
        if let Some(stream) = self.rtc.direct_api().stream_rx_by_mid(mid, rid) {
            stream.request_keyframe(kind);
        }
    }

    /// Which line and encoding a received SSRC belongs to.
    pub fn origin(&mut self, ssrc: Ssrc) -> Option<(Mid, Option<Rid>)> {
        self.rtc.direct_api().stream_rx(&ssrc).map(|stream| (stream.mid(), stream.rid()))
    }

    /// What a received payload type stands for.
    pub fn codec_of(&self, pt: Pt) -> Option<Codec> {
        let is_it = |params: &&PayloadParams| params.pt() == pt || params.red() == Some(pt);
        let params = self.rtc.codec_config().params().iter().find(is_it)?;
        sdp::codec(params.spec().codec)
    }

    /// Whether a received payload type is redundant sound.
    pub fn is_redundant(&self, pt: Pt) -> bool {
        self.rtc.codec_config().params().iter().any(|params| params.red() == Some(pt))
    }
}

/// What a peer may try to reach this machine by: UDP first, as TCP makes live media late when a packet is lost.
fn candidates(addresses: &Addresses) -> impl Iterator<Item = Result<str0m::Candidate, sdp::OfferError>> {
    let udp = addresses.candidates.iter().map(|address| str0m::Candidate::host(*address, "udp"));
    let tcp =
        addresses.candidates.iter().filter(|_| addresses.tcp).map(|address| {
            str0m::Candidate::builder().tcp().host(*address).tcptype(TcpType::Passive).build()
        });
    udp.chain(tcp).map(|candidate| candidate.map_err(|error| sdp::OfferError::Refused(error.to_string())))
}

/// The name that an answer gives its sources (RFC 3550, 6.5.1).
fn canonical_name(answer: &str) -> String {
    let found = answer.lines().find_map(|line| line.strip_prefix("a=ssrc:")?.split_once(" cname:"));
    found.map_or("weir", |(_, name)| name.trim()).to_owned()
}

/// The variant of a codec that publishers send: packetization mode 1 for H.264, profile 0 for VP9 and AV1.
fn is_common_profile(params: &PayloadParams) -> bool {
    let format = params.spec().format;
    match params.spec().codec {
        str0m::format::Codec::H264 => format.packetization_mode == Some(1),
        str0m::format::Codec::Vp9 => format.profile_id.is_none_or(|profile| profile == 0),
        str0m::format::Codec::Av1 => format.profile.is_none_or(|profile| profile == 0),
        _ => true,
    }
}

/// Quarter turns clockwise.
pub fn quarter_turns(orientation: VideoOrientation) -> u8 {
    match orientation {
        VideoOrientation::Deg0 => 0,
        VideoOrientation::Deg90 => 1,
        VideoOrientation::Deg180 => 2,
        VideoOrientation::Deg270 => 3,
    }
}

#[cfg(test)]
mod ingest_tests;
#[cfg(test)]
pub(crate) mod uplink;
#[cfg(test)]
pub(in crate::rtc) mod wire_tests;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtc::segment::Segmenter;
    use str0m::{Output, RtcConfig, media::Direction, net::Protocol};

    /// An offer of one line each way of a peer that has `codecs` alone.
    fn offer(config: RtcConfig, direction: Direction) -> String {
        let mut rtc = config.build(Instant::now());
        let mut api = rtc.sdp_api();
        api.add_media(MediaKind::Audio, direction, None, None, None);
        api.add_media(MediaKind::Video, direction, None, None, None);
        api.apply().unwrap().0.to_sdp_string()
    }

    fn answer(offer: &str) -> Peer {
        let addresses = Addresses {
            candidates: vec![SocketAddr::from(([127, 0, 0, 1], 7880))],
            mapped: false,
            tcp: true,
        };
        Peer::answer(offer, &addresses, Side::Egress, Instant::now()).unwrap().0
    }

    #[test]
    fn a_peer_takes_the_codecs_that_it_offered_and_no_others() {
        let h264_only = RtcConfig::new().clear_codecs().enable_opus(true, false).enable_h264(true);
        let peer = answer(&offer(h264_only, Direction::RecvOnly));
        assert!(peer.decodes(Codec::H264) && peer.decodes(Codec::Opus));
        assert!(peer.has_line(true) && peer.has_line(false));
        for codec in [Codec::Vp8, Codec::Vp9, Codec::Av1] {
            assert!(!peer.decodes(codec), "{codec:?}");
        }
        let all = answer(&offer(RtcConfig::new(), Direction::RecvOnly));
        for codec in [Codec::H264, Codec::Vp8, Codec::Vp9, Codec::Av1, Codec::Opus] {
            assert!(all.decodes(codec), "{codec:?}");
        }
        assert!(all.has_line(true) && all.has_line(false));
    }

    /// Lets a client and the peer that answered it speak with each other until both are connected.
    fn connect(client: &mut Rtc, peer: &mut Peer, addresses: [SocketAddr; 2], now: &mut Instant) {
        let [client_address, peer_address] = addresses;
        for _ in 0..2000 {
            *now += Duration::from_millis(5);
            client.handle_input(Input::Timeout(*now)).unwrap();
            peer.advance(*now).unwrap();
            while let Output::Transmit(transmit) = client.poll_output().unwrap() {
                let route = Route { proto: Protocol::Udp, local: peer_address, remote: client_address };
                peer.receive(route, &transmit.contents, *now).unwrap();
            }
            let mut out = Segmenter::new(1);
            peer.drain(&[], &mut out, &mut Vec::new(), |_| {}, false).unwrap();
            out.drain(|run| {
                let receive = Receive::new(Protocol::Udp, peer_address, client_address, run.bytes).unwrap();
                client.handle_input(Input::Receive(*now, receive)).unwrap();
            });
            if peer.connected && client.is_connected() {
                return;
            }
        }
        panic!("they don't connect");
    }

    #[test]
    fn a_burst_leaves_whole_although_congestion_is_controlled() {
        let addresses = [SocketAddr::from(([127, 0, 0, 1], 9)), SocketAddr::from(([127, 0, 0, 1], 7880))];
        let mut now = Instant::now();
        let mut client = RtcConfig::new().set_rtp_mode(true).build(now);
        client.add_local_candidate(str0m::Candidate::host(addresses[0], "udp").unwrap());
        let mut api = client.sdp_api();
        api.add_media(MediaKind::Video, Direction::RecvOnly, None, None, None);
        let (offer, pending) = api.apply().unwrap();
        let ours = Addresses { candidates: vec![addresses[1]], mapped: false, tcp: false };
        let (mut peer, answer) = Peer::answer(&offer.to_sdp_string(), &ours, Side::Egress, now).unwrap();
        assert!(answer.contains("transport-cc"), "{answer}");
        let answer = str0m::change::SdpAnswer::from_sdp_string(&answer).unwrap();
        client.sdp_api().accept_answer(pending, answer).unwrap();
        connect(&mut client, &mut peer, addresses, &mut now);

        now += Duration::from_millis(5);
        let packets: Vec<Outgoing> = (1..=300u16)
            .map(|seq| Outgoing {
                codec: Codec::Vp8,
                seq: seq.into(),
                time: 0,
                stands_for: now,
                captured: now,
                arrived: None,
                marker: seq == 300,
                // As publishers cut a frame: not quite equal.
                payload: vec![0; 1100 + usize::from(seq % 2)].into(),
                quarter_turns: None,
                picture: None,
                redundant: None,
            })
            .collect();
        peer.advance(now).unwrap();
        let mut out = Segmenter::new(64);
        peer.drain(&packets, &mut out, &mut Vec::new(), |_| {}, false).unwrap();
        let (mut left, mut runs) = (0, 0);
        out.drain(|run| {
            left += run.bytes.len() / run.segment * usize::from(run.segment > 1100);
            runs += 1;
        });
        assert_eq!(left, 300);
        assert!(runs <= 300 / 52 + 2, "{runs} runs: packets of one frame are padded to one size");
    }

    #[test]
    fn nothing_is_sent_to_a_publisher() {
        let peer = answer(&offer(RtcConfig::new(), Direction::SendOnly));
        assert!(!peer.has_line(true) && !peer.has_line(false));
    }
}
