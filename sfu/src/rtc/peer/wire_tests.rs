//! What a viewer gets of a peer, datagram by datagram, over a network that loses what a test wants it to.

use super::*;
use crate::rtc::{egress::clock::wall, segment::Segmenter};
use str0m::{
    Output, RtcConfig,
    change::SdpAnswer,
    media::Direction,
    net::Protocol,
    rtp::{RawPacket, RedEncoder, RedundantBlock, RtpPacket, rtcp::Rtcp, rtcp::SenderInfo},
};

const MS: Duration = Duration::from_millis(1);
const CLIENT: ([u8; 4], u16) = ([127, 0, 0, 1], 9);
const SERVER: ([u8; 4], u16) = ([127, 0, 0, 1], 7880);

/// A viewer without a network, and the peer that answered it.
pub(in crate::rtc) struct Pair {
    client: Rtc,
    pub(in crate::rtc) peer: Peer,
    pub(in crate::rtc) now: Instant,
    /// When its last check arrived, of which none do any more if it is `unchecked`.
    pub(in crate::rtc) checked: Instant,
    pub(in crate::rtc) unchecked: bool,
    packets: Vec<RtpPacket>,
    reports: Vec<(Instant, SenderInfo)>,
    /// Of the datagrams to the viewer, by their place since the pair was connected.
    lost: Box<dyn FnMut(usize) -> bool>,
    sent: usize,
    /// What leaves next.
    written: Vec<Outgoing>,
}

impl Pair {
    pub(in crate::rtc) fn connected(config: RtcConfig) -> Self {
        let now = Instant::now();
        let config = config
            .set_rtp_mode(true)
            .enable_raw_packets(true)
            .set_extension(9, Extension::AbsoluteCaptureTime)
            .set_extension(12, Extension::PlayoutDelay);
        let mut client = config.build(now);
        client.add_local_candidate(str0m::Candidate::host(CLIENT.into(), "udp").unwrap());
        let mut api = client.sdp_api();
        api.add_media(MediaKind::Audio, Direction::RecvOnly, None, None, None);
        api.add_media(MediaKind::Video, Direction::RecvOnly, None, None, None);
        let (offer, pending) = api.apply().unwrap();
        let ours = Addresses { candidates: vec![SERVER.into()], mapped: false, tcp: false };
        let (peer, answer) = Peer::answer(&offer.to_sdp_string(), &ours, Side::Egress, now).unwrap();
        client.sdp_api().accept_answer(pending, SdpAnswer::from_sdp_string(&answer).unwrap()).unwrap();
        let (packets, reports, lost) = (Vec::new(), Vec::new(), Box::new(|_| false));
        let (checked, unchecked, written) = (now, false, Vec::new());
        let mut pair =
            Self { client, peer, now, checked, unchecked, packets, reports, lost, sent: 0, written };
        for _ in 0..2000 {
            pair.pass(MS * 5);
            if pair.peer.connected && pair.client.is_connected() {
                pair.sent = 0;
                return pair;
            }
        }
        panic!("they don't connect");
    }

    /// Time passes, in steps of a millisecond.
    pub(in crate::rtc) fn pass(&mut self, time: Duration) {
        for _ in 0..time.as_millis() {
            self.now += MS;
            self.peer.advance(self.now).unwrap();
            self.carry();
            self.client(Input::Timeout(self.now));
            self.carry();
        }
    }

    /// What the peer has to say goes to the viewer, unless it is lost.
    fn carry(&mut self) {
        let mut out = Segmenter::new(1);
        let written = std::mem::take(&mut self.written);
        self.peer.drain(&written, &mut out, &mut Vec::new(), |_| {}, false).unwrap();
        let mut datagrams = Vec::new();
        out.drain(|run| datagrams.push(run.bytes.to_vec()));
        for datagram in datagrams {
            self.sent += 1;
            if !(self.lost)(self.sent) {
                let receive = Receive::new(Protocol::Udp, SERVER.into(), CLIENT.into(), &datagram).unwrap();
                self.client(Input::Receive(self.now, receive));
            }
        }
    }

    /// The viewer is told something; what it has to say goes to the peer at once.
    fn client(&mut self, input: Input<'_>) {
        self.client.handle_input(input).unwrap();
        loop {
            match self.client.poll_output().unwrap() {
                Output::Transmit(transmit) => {
                    if demux::stun_check(&transmit.contents).is_some() {
                        if self.unchecked {
                            continue;
                        }
                        self.checked = self.now;
                    }
                    let route = Route { proto: Protocol::Udp, local: SERVER.into(), remote: CLIENT.into() };
                    self.peer.receive(route, &transmit.contents, self.now).unwrap();
                }
                Output::Event(str0m::Event::RtpPacket(packet)) => self.packets.push(packet),
                Output::Event(str0m::Event::RawPacket(raw)) => {
                    if let RawPacket::RtcpRx(Rtcp::SenderReport(report)) = *raw {
                        self.reports.push((self.now, report.sender_info));
                    }
                }
                Output::Event(_) => {}
                Output::Timeout(_) => break,
            }
        }
    }

    pub(in crate::rtc) fn write(&mut self, codec: Codec, seq: u64, time: u32, captured: Instant) {
        self.written.push(Outgoing {
            codec,
            seq,
            time,
            stands_for: captured,
            captured,
            arrived: None,
            marker: true,
            payload: vec![0x10; 700].into(),
            quarter_turns: None,
            picture: None,
            redundant: None,
        });
    }

    fn video(&self) -> Vec<u64> {
        let mut seqs: Vec<u64> = self
            .packets
            .iter()
            .filter(|packet| packet.payload.len() == 700)
            .map(|packet| *packet.seq_no)
            .collect();
        seqs.sort_unstable();
        seqs
    }
}

#[test]
fn reports_follow_the_first_packets_and_tie_them_to_their_captures() {
    let mut pair = Pair::connected(RtcConfig::new());
    pair.pass(MS * 3000);
    assert_eq!(pair.reports, [], "nothing can be said of what was never sent");
    let captured = pair.now - MS * 40;
    let (audio, video) = (960 * 7, 90_000 * 5);
    pair.write(Codec::Opus, 1, audio, captured);
    pair.write(Codec::Vp8, 1, video, captured);
    pair.pass(MS * 1100);
    assert_eq!(pair.reports.len(), 6, "three of sound, three of picture: at once, and twice a second");
    for (at, info) in &pair.reports {
        let time = info.rtp_time.numer() as u32;
        let (rate, sent) = if time < 90_000 * 4 { (48_000.0, audio) } else { (90_000.0, video) };
        let since = *at - captured;
        let expected = sent + (since.as_secs_f64() * rate) as u32;
        assert!(time.abs_diff(expected) < (rate * 0.003) as u32, "{time} where {expected} was due");
        let wall = info.ntp_time.duration_since(wall(*at)).unwrap_or_else(|early| early.duration());
        assert!(wall < MS * 20, "{wall:?} off the clock by which captures are stamped");
    }
}

#[test]
fn what_is_lost_is_sent_again() {
    let mut pair = Pair::connected(RtcConfig::new());
    pair.lost = Box::new(|place| place % 11 == 3);
    for seq in 1..=400u64 {
        if seq == 390 {
            // That the last ones are missing, nobody could know.
            pair.lost = Box::new(|_| false);
        }
        let now = pair.now;
        pair.write(Codec::Vp8, seq, seq as u32 * 450, now);
        pair.pass(MS * 5);
    }
    pair.pass(MS * 500);
    assert_eq!(pair.video(), (1..=400).collect::<Vec<_>>());
}

#[test]
fn what_is_older_than_a_second_is_not_sent_again() {
    let mut pair = Pair::connected(RtcConfig::new());
    for seq in 1..=20u64 {
        let now = pair.now;
        pair.lost = Box::new(move |_| seq == 10);
        pair.write(Codec::Vp8, seq, seq as u32 * 450, now);
        pair.pass(MS);
    }
    // Dark for longer than what is sent again is kept; what is asked for then is of a picture that is over.
    pair.lost = Box::new(|_| true);
    for seq in 21..=80u64 {
        let now = pair.now;
        pair.write(Codec::Vp8, seq, seq as u32 * 1800, now);
        pair.pass(MS * 20);
    }
    pair.lost = Box::new(|_| false);
    for seq in 81..=100u64 {
        let now = pair.now;
        pair.write(Codec::Vp8, seq, seq as u32 * 1800, now);
        pair.pass(MS * 20);
    }
    pair.pass(MS * 1000);
    let got = pair.video();
    assert!(!got.contains(&25), "sent again after more than a second");
    assert!(got.contains(&79) && got.contains(&100), "{got:?}");
}

#[test]
fn captures_are_stamped_in_the_server_s_clock_where_the_viewer_takes_it() {
    let mut pair = Pair::connected(RtcConfig::new());
    let captured = pair.now - MS * 30;
    for seq in 1..=3 {
        pair.write(Codec::Vp8, seq, 3000, captured);
    }
    pair.write(Codec::Opus, 1, 960, captured);
    pair.pass(MS * 5);
    let stamps: Vec<_> =
        pair.packets.iter().filter_map(|packet| packet.header.ext_vals.abs_capture_time).collect();
    assert_eq!(stamps.len(), 2, "a picture's first packet, and the first of the sound");
    for stamp in stamps {
        let off = stamp.capture_time.duration_since(wall(captured)).unwrap_or_else(|early| early.duration());
        assert!(off < MS, "{off:?}");
        assert_eq!(stamp.clock_offset, Some(0));
    }
}

#[test]
fn a_picture_is_to_wait_a_second_at_most_and_half_of_that_is_never_asked_for() {
    let mut pair = Pair::connected(RtcConfig::new());
    let captured = pair.now;
    (1..=3).for_each(|seq| pair.write(Codec::Vp8, seq, 3000, captured));
    pair.write(Codec::Opus, 1, 960, captured);
    pair.pass(MS * 5);
    let of_most = |packet: &RtpPacket| packet.header.ext_vals.play_delay_max.map(|most| most.as_seconds());
    let hints: Vec<f64> = pair.packets.iter().filter_map(of_most).collect();
    assert_eq!(hints, [1.0], "a picture's first packet alone");
}

#[test]
fn redundant_sound_goes_to_who_takes_it_and_plain_sound_to_everybody_else() {
    let before = RedundantBlock { pt: 111, timestamp_offset: 960, payload: vec![1; 20] };
    let redundant: Arc<[u8]> = RedEncoder::encode(111, &[2; 20], &[before]).into();
    for takes_it in [true, false] {
        let mut pair = Pair::connected(RtcConfig::new().enable_opus(true, takes_it));
        let captured = pair.now;
        pair.written.push(Outgoing {
            codec: Codec::Opus,
            seq: 1,
            time: 960,
            stands_for: captured,
            captured,
            arrived: None,
            marker: false,
            payload: vec![2; 20].into(),
            quarter_turns: None,
            picture: None,
            redundant: Some((Arc::clone(&redundant), 111)),
        });
        pair.pass(MS * 5);
        let expected: &[u8] = if takes_it { &redundant } else { &[2; 20] };
        assert_eq!(pair.packets.len(), 1);
        assert_eq!(&*pair.packets[0].payload, expected, "takes it: {takes_it}");
    }
}
