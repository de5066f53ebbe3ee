//! The far end of one `Rtc`: str0m's state machine with what a shard needs to know of it.

use super::{
    demux,
    kept::{self, Kept},
    path::{Path, Route},
    report::Reports,
    resend::{Allowance, Doubling},
    sdp,
};
use shared::broadcast::Codec;
use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, LazyLock},
    time::{Duration, Instant, SystemTime},
};
use str0m::{
    Input, Rtc, RtcError,
    bwe::Bitrate,
    change::{DirectApi, SdpOffer},
    format::PayloadParams,
    media::{KeyframeRequestKind, MediaKind, Mid, Pt, Rid},
    net::{Receive, TcpType},
    rtp::{
        AbsCaptureTime, Extension, ExtensionValues, RtpWrite, Ssrc, StreamTx, VideoOrientation,
        Vp8Descriptor, Vp8Patch,
    },
};

mod drain;

pub use drain::PUT_OFF;

/// What was sent is kept for this long, to be sent again: what comes later than that is of a picture that is over.
const KEPT_FOR: Duration = Duration::from_secs(1);
/// The largest share of repairs in what is sent. Beyond it the network is full, and more would only make it worse.
const MOST_REPAIR: f32 = 0.25;
/// How often sound says when it was captured; pictures say it once each.
const SOUND_STAMPED_EVERY: Duration = Duration::from_secs(1);

/// One peer, unique while the server runs. Later peers have higher numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerKey(pub u64);

/// A line that is sent to a peer.
#[derive(Debug, Clone, Copy)]
struct SendLine {
    mid: Mid,
    ssrc: Ssrc,
    rtx: Option<Ssrc>,
    /// Whether str0m has its stream, which it gets with the first packet.
    is_declared: bool,
    /// Whether the peer takes abs-capture-time on it.
    takes_capture_time: bool,
    /// The timestamp of the last packet, and when the last one was stamped with its capture time.
    last_time: Option<u32>,
    stamped: Option<Instant>,
}

impl SendLine {
    /// Whether a packet is to say when it was captured: a picture's first one, or one of sound now and then.
    fn is_due(&mut self, time: u32, is_audio: bool, captured: Instant) -> bool {
        let begins = self.last_time.replace(time) != Some(time);
        let is_due = self.takes_capture_time
            && begins
            && (!is_audio
                || self.stamped.is_none_or(|last| {
                    captured.checked_duration_since(last).is_none_or(|since| since >= SOUND_STAMPED_EVERY)
                }));
        if is_due {
            self.stamped = Some(captured);
        }
        is_due
    }
}

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

/// What the congestion controller takes a viewer's network to carry before it has measured anything, in bits a second. It
/// decides how hard the first probes are (three and six times as much), not when the picture leaves: that isn't paced.
const START_ESTIMATE: u64 = 2_000_000;
/// How often a peer's statistics are taken: loss, round trip and, towards viewers, the estimate as it is now.
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

/// See the module.
pub struct Peer {
    rtc: Rtc,
    side: Side,
    /// The time of the last input, and the one that str0m was told last, which a burst takes ahead of it.
    now: Instant,
    told: Instant,
    /// Our ufrag: STUN requests that name it are for this peer.
    pub ufrag: String,
    /// When it was made.
    pub opened: Instant,
    /// When anything valid last came from it.
    pub heard: Instant,
    /// Whether ICE and DTLS are up.
    pub connected: bool,
    path: Path,
    audio: Option<SendLine>,
    video: Option<SendLine>,
    /// The payload type by codec that is used towards this peer.
    payload_types: Vec<(Codec, Pt)>,
    /// Packets that are measured on their way: stream, sequence number, when they arrived.
    measured: Vec<(Ssrc, u16, Instant)>,
    /// How much of the picture is kept to be sent again.
    kept: Kept,
    /// That of redundant sound, if it takes it.
    red: Option<Pt>,
    /// What may leave beyond what is written.
    allowance: Allowance,
    doubling: Doubling,
    reports: Reports,
    /// Packets that were written and have not left.
    written: usize,
    /// Whether something else than them leaves in this turn.
    repairs: bool,
    /// Whether the congestion controller may probe.
    looks: bool,
    /// Reports that wait for the next turn, with the time at which they came.
    late: Vec<(Route, Box<[u8]>, Instant)>,
}

/// One packet in so many is measured on its way.
const MEASURE_EVERY: u16 = 8;
/// The most that are measured at a time: what isn't sent soon is never sent.
const MOST_MEASURED: usize = 64;

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
        let mut config = sdp::config(&sdp::preference(text)).set_stats_interval(Some(STATS_EVERY));
        if side == Side::Egress {
            config = config.enable_bwe(Some(Bitrate::bps(START_ESTIMATE)));
        }
        let mut rtc = config.build(now);
        for candidate in candidates(addresses) {
            rtc.add_local_candidate(candidate?);
        }
        let answer =
            rtc.sdp_api().accept_offer(offer).map_err(|error| sdp::OfferError::Refused(error.to_string()))?;
        let ufrag = rtc.direct_api().local_ice_credentials().ufrag;
        let mut peer = Self {
            rtc,
            side,
            now,
            told: now,
            ufrag,
            opened: now,
            heard: now,
            connected: false,
            path: Path::new(now),
            audio: None,
            video: None,
            payload_types: Vec::new(),
            measured: Vec::new(),
            kept: Kept::default(),
            red: None,
            allowance: Allowance::new(now),
            doubling: Doubling::default(),
            reports: Reports::default(),
            written: 0,
            repairs: false,
            looks: true,
            late: Vec::new(),
        };
        let answer = answer.to_sdp_string();
        for mid in answer.lines().filter_map(|line| line.strip_prefix("a=mid:")) {
            peer.note_line(mid.trim().into());
        }
        Ok((peer, if side == Side::Ingest { sdp::with_start_bitrate(text, &answer) } else { answer }))
    }

    /// Answers a new offer of the same peer, with other ICE credentials: an ICE restart.
    pub fn restart_ice(&mut self, offer: SdpOffer) -> Result<String, sdp::OfferError> {
        // Lines without a stream would be given other SSRCs than those that the peer was told.
        let mut api = self.rtc.direct_api();
        for line in [&mut self.audio, &mut self.video].into_iter().flatten() {
            if !line.is_declared {
                self.reports.opened(*line.ssrc);
            }
            declare(&mut api, line);
        }
        let answer = self
            .rtc
            .sdp_api()
            .accept_offer(offer)
            .map_err(|error| sdp::OfferError::Refused(error.to_string()))?;
        self.ufrag = self.rtc.direct_api().local_ice_credentials().ufrag;
        Ok(answer.to_sdp_string())
    }

    /// A candidate that the peer found later.
    pub fn add_candidate(&mut self, candidate: str0m::Candidate) {
        self.rtc.add_remote_candidate(candidate);
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
        let check = demux::stun_check(datagram);
        if check.is_some_and(|check| self.path.is_copy(route, &check)) {
            return Ok(false);
        }
        let Ok(receive) = Receive::new(route.proto, route.remote, route.local, datagram) else {
            return Ok(false);
        };
        // What was put off is of another time: round trips are measured by it.
        let input = Input::Receive(if now < self.now { now } else { now.max(self.told) }, receive);
        if !self.rtc.accepts(&input) {
            return Ok(false);
        }
        self.heard = self.heard.max(now);
        self.now = self.now.max(now);
        self.told = self.told.max(now);
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
        (self.audio.is_none() && self.video.is_none()) || self.path.has_consent(now)
    }

    /// Time passed, or something was written.
    pub fn advance(&mut self, now: Instant) -> Result<(), RtcError> {
        self.now = now;
        self.tick(now)
    }

    /// Whether it still does anything.
    pub fn is_alive(&self) -> bool {
        self.rtc.is_alive()
    }

    /// Says goodbye; what it says still has to be drained.
    pub fn close(&mut self) {
        if self.rtc.close().is_err() {
            self.rtc.disconnect();
        }
    }

    /// Notes a line that the offer brought, if it is one to send on.
    fn note_line(&mut self, mid: Mid) {
        let Some(media) = self.rtc.media(mid) else { return };
        let kind = media.kind();
        if !media.direction().is_sending() {
            return;
        }
        let takes_capture_time = media.remote_extmap().id_of(Extension::AbsoluteCaptureTime).is_some();
        let mut api = self.rtc.direct_api();
        let Some((ssrc, rtx)) = api.stream_tx_by_mid(mid, None).map(|stream| (stream.ssrc(), stream.rtx()))
        else {
            return;
        };
        let line = SendLine {
            mid,
            ssrc,
            rtx,
            is_declared: false,
            takes_capture_time,
            last_time: None,
            stamped: None,
        };
        match kind {
            MediaKind::Audio if self.audio.is_none() => self.audio = Some(line),
            MediaKind::Video if self.video.is_none() => self.video = Some(line),
            _ => return,
        }
        // A stream reports from the moment when it is there; it is made with its first packet.
        api.remove_stream_tx(ssrc);
        let Some(media) = self.rtc.media(mid) else { return };
        let remote: Vec<Pt> = media.remote_pts().to_vec();
        for params in self.rtc.codec_config().params() {
            let Some(codec) = sdp::codec(params.spec().codec) else { continue };
            let usable = codec != Codec::Opus || kind == MediaKind::Audio;
            if !usable || !remote.contains(&params.pt()) || !is_common_profile(params) {
                continue;
            }
            if !self.payload_types.iter().any(|(known, _)| *known == codec) {
                self.payload_types.push((codec, params.pt()));
                if codec == Codec::Opus {
                    self.red = params.red();
                }
            }
        }
    }

    /// The codecs that this peer takes.
    pub fn decodes(&self, codec: Codec) -> bool {
        self.payload_types.iter().any(|(known, _)| *known == codec)
    }

    /// Whether a line of that kind is sent to it.
    pub fn has_line(&self, audio: bool) -> bool {
        if audio { self.audio.is_some() } else { self.video.is_some() }
    }

    /// Writes a packet on the line of its kind. It leaves with the next [`Self::advance`] and [`Self::drain`].
    pub fn write(&mut self, packet: Outgoing) {
        let is_audio = packet.codec == Codec::Opus;
        let Some(line) = (if is_audio { &mut self.audio } else { &mut self.video }) else { return };
        let Some((_, pt)) = self.payload_types.iter().find(|(codec, _)| *codec == packet.codec) else {
            return;
        };
        if let Some(arrived) = packet.arrived
            && packet.seq.is_multiple_of(MEASURE_EVERY.into())
        {
            if self.measured.len() >= MOST_MEASURED {
                self.measured.clear();
            }
            self.measured.push((line.ssrc, packet.seq as u16, arrived));
        }
        let mut extensions = ExtensionValues {
            video_orientation: packet.quarter_turns.map(orientation),
            ..ExtensionValues::default()
        };
        if line.is_due(packet.time, is_audio, packet.captured) {
            // In the server's own clock, by which its sender reports are, too: the capture's clock is no step away from it.
            let capture_time = wall(packet.captured);
            extensions.abs_capture_time = Some(AbsCaptureTime { capture_time, clock_offset: Some(0) });
        }
        let mut api = self.rtc.direct_api();
        if !line.is_declared {
            self.reports.opened(*line.ssrc);
        }
        let Some(stream) = declare(&mut api, line) else { return };
        if !is_audio && let Some(size) = self.kept.sent(self.now) {
            stream.set_rtx_cache(size, KEPT_FOR, Some(MOST_REPAIR));
        }
        let patch = packet.picture.and_then(|picture| vp8_patch(&packet.payload, picture));
        // What it says of the payload type inside must hold here, too.
        let redundant = self.red.zip(packet.redundant).filter(|(_, (_, inner))| **pt == *inner);
        let (pt, payload) = match redundant {
            Some((red, (payload, _))) => (red, payload),
            None => (*pt, packet.payload),
        };
        let rtp = RtpWrite::new(pt, packet.seq.into(), packet.time, packet.stands_for, payload)
            .marker(packet.marker)
            .ext_vals(extensions)
            .nackable(!is_audio);
        self.allowance.written();
        self.written += 1;
        stream.write_rtp(match patch {
            Some(patch) => rtp.vp8_patch(patch),
            None => rtp,
        });
    }

    /// Keeps nothing more of what was sent before: what was asked for of it isn't sent again.
    fn forget_sent(&mut self) {
        tracing::debug!(ufrag = %self.ufrag, "a peer asks for more repair than it can have lost");
        let Some(line) = self.video else { return };
        if let Some(stream) = self.rtc.direct_api().stream_tx(&line.ssrc) {
            keep_sent(stream);
        }
    }

    /// How many bits a second there would be use for: the congestion controller probes for as much, and not at all for 0.
    /// With an estimate to begin `afresh` from it forgets everything else. It takes effect with the next [`Self::advance`].
    pub fn set_desired_bitrate(&mut self, bits: u64, afresh: Option<u64>) {
        self.looks = bits > 0;
        if let Some(estimate) = afresh {
            self.rtc.bwe().reset(Bitrate::bps(estimate));
        }
        self.rtc.bwe().set_bitrate(Bitrate::ZERO, Bitrate::bps(bits));
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

    /// The video line's mid, to tell keyframe requests for it from others.
    pub fn video_mid(&self) -> Option<Mid> {
        self.video.map(|line| line.mid)
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

/// str0m's stream of a line, made if this is the first time.
fn declare<'a>(api: &'a mut DirectApi<'_>, line: &mut SendLine) -> Option<&'a mut StreamTx> {
    if !std::mem::replace(&mut line.is_declared, true) {
        let stream = api.declare_stream_tx(line.ssrc, line.rtx, line.mid, None);
        keep_sent(stream);
        // The publisher's own pacer has spread the packets already. What is too much is to show on the path, where the
        // estimator sees it and a smaller rendition is chosen; queued here it would only be late.
        stream.set_unpaced(true);
    }
    api.stream_tx(&line.ssrc)
}

/// Begins anew with what is kept to be sent again.
fn keep_sent(stream: &mut StreamTx) {
    stream.set_rtx_cache(kept::MOST, KEPT_FOR, Some(MOST_REPAIR));
}

/// The wall clock's time of a moment, on a clock that was set once and then runs evenly, as str0m's of its sender reports.
fn wall(at: Instant) -> SystemTime {
    static SET: LazyLock<(Instant, SystemTime)> = LazyLock::new(|| (Instant::now(), SystemTime::now()));
    let (instant, system) = *SET;
    match at.checked_duration_since(instant) {
        Some(since) => system + since,
        None => system - instant.duration_since(at),
    }
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

fn vp8_patch(payload: &[u8], (id, base): (u16, Option<u8>)) -> Option<Vp8Patch> {
    let patch = Vp8Descriptor::parse(payload).ok()?.patch().picture_id(id);
    match base {
        Some(base) => patch.tl0_pic_idx(base).build().ok(),
        None => patch.build().ok(),
    }
}

fn orientation(quarter_turns: u8) -> VideoOrientation {
    match quarter_turns & 3 {
        0 => VideoOrientation::Deg0,
        1 => VideoOrientation::Deg90,
        2 => VideoOrientation::Deg180,
        _ => VideoOrientation::Deg270,
    }
}

/// The reverse of what [`Peer::write`] sets.
pub fn quarter_turns(orientation: VideoOrientation) -> u8 {
    match orientation {
        VideoOrientation::Deg0 => 0,
        VideoOrientation::Deg90 => 1,
        VideoOrientation::Deg180 => 2,
        VideoOrientation::Deg270 => 3,
    }
}

#[cfg(test)]
mod wire_tests;

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
            peer.drain(&mut out, &mut Vec::new(), |_| {}, false).unwrap();
            out.drain(|run| {
                let receive = Receive::new(Protocol::Udp, peer_address, client_address, &run.bytes).unwrap();
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
        for seq in 1..=300u16 {
            peer.write(Outgoing {
                codec: Codec::Vp8,
                seq: seq.into(),
                time: 0,
                stands_for: now,
                captured: now,
                arrived: None,
                marker: seq == 300,
                payload: vec![0; 1100].into(),
                quarter_turns: None,
                picture: None,
                redundant: None,
            });
        }
        peer.advance(now).unwrap();
        let mut out = Segmenter::new(64);
        let due = peer.drain(&mut out, &mut Vec::new(), |_| {}, false).unwrap();
        let mut left = 0;
        out.drain(|run| left += run.bytes.len() / run.segment * usize::from(run.segment > 1100));
        assert!(left >= 300, "{left} of 300 left, the next at {:?}", due.saturating_duration_since(now));
    }

    #[test]
    fn nothing_is_sent_to_a_publisher() {
        let peer = answer(&offer(RtcConfig::new(), Direction::SendOnly));
        assert!(!peer.has_line(true) && !peer.has_line(false));
    }
}
