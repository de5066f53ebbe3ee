//! A WHIP publisher of real pictures, for what decodes them: a clip in AV1 of the least size that has three rungs, 600×600, at five
//! pictures a second: little enough work for a busy machine.

use std::{
    collections::HashSet,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    sync::{
        Arc, LazyLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};
use str0m::{
    Candidate, Event, Input, Output, Rtc, RtcConfig,
    change::SdpAnswer,
    format::Codec,
    media::{Direction, MediaKind, Mid},
    net::{Protocol, Receive},
    rtp::RtpWrite,
};
use weir_tests::peer::post_whip;

/// From one picture to the next, and in ticks.
const PICTURE: Duration = Duration::from_millis(200);
const STEP: u32 = 18_000;
const MOST_PAYLOAD: usize = 1100;
/// What an OBU's first byte says of its kind, and that its size follows.
const TEMPORAL_DELIMITER: u8 = 2;
const HAS_SIZE: u8 = 0x02;

/// The clip's OBUs by picture, without sizes: `ffmpeg -f lavfi -i gradients=size=600x600:rate=5:n=4:speed=0.05:seed=3 -t 4 -c:v
/// libaom-av1 -usage realtime -b:v 100k`.
static PICTURES: LazyLock<Vec<Vec<Vec<u8>>>> = LazyLock::new(|| {
    let text = include_str!("film.txt");
    text.split("\n\n").map(|unit| obus(&bytes(unit))).collect()
});
static PAYLOADS: LazyLock<HashSet<Vec<u8>>> =
    LazyLock::new(|| PICTURES.iter().flat_map(|picture| payloads(picture)).collect());

/// Whether a packet is the publisher's own, and no rung's.
pub fn is_source(payload: &[u8]) -> bool {
    PAYLOADS.contains(payload)
}

fn bytes(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("digits"), 16).expect("hex");
    digits.chunks(2).map(byte).collect()
}

fn obus(mut unit: &[u8]) -> Vec<Vec<u8>> {
    let mut obus = Vec::new();
    while let [header, rest @ ..] = unit {
        let digits = 1 + rest.iter().take_while(|byte| **byte & 0x80 != 0).count();
        let size = rest[..digits].iter().rev().fold(0, |size, byte| size << 7 | usize::from(byte & 0x7f));
        let (body, after) = rest[digits..].split_at(size);
        if header >> 3 & 0x0f != TEMPORAL_DELIMITER {
            obus.push([&[header & !HAS_SIZE], body].concat());
        }
        unit = after;
    }
    obus
}

/// A picture as AV1's payload format has it (v1.0.0, section 4): what comes before the frame goes into its first packet.
fn payloads(obus: &[Vec<u8>]) -> Vec<Vec<u8>> {
    const CONTINUES: u8 = 0x80;
    const GOES_ON: u8 = 0x40;
    const NEW_SEQUENCE: u8 = 0x08;
    let (frame, before) = obus.split_last().expect("a frame");
    let count = frame.chunks(MOST_PAYLOAD).count();
    let packet = |(at, part): (usize, &[u8])| {
        let (is_first, is_last) = (at == 0, at + 1 == count);
        let head: &[Vec<u8>] = if is_first { before } else { &[] };
        let mut flags = (1 + head.len() as u8) << 4;
        flags |= if is_first { 0 } else { CONTINUES } | if is_last { 0 } else { GOES_ON };
        flags |= if head.is_empty() { 0 } else { NEW_SEQUENCE };
        // An element that isn't the last one is told its size, which is below 128 here.
        let head = head.iter().flat_map(|obu| [&[obu.len() as u8], &obu[..]].concat());
        [flags].into_iter().chain(head).chain(part.iter().copied()).collect()
    };
    frame.chunks(MOST_PAYLOAD).enumerate().map(packet).collect()
}

/// Publishes the clip, again and again. Ends with its value.
pub struct Publisher {
    breaks_off: Arc<AtomicBool>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Publisher {
    /// To `/whip/{channel}`.
    pub fn start(server: SocketAddr, channel: &str, key: &str) -> Self {
        str0m::crypto::from_feature_flags().install_process_default();
        let mut rtc =
            RtcConfig::new().set_rtp_mode(true).clear_codecs().enable_av1(true).build(Instant::now());
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a UDP socket");
        let address = socket.local_addr().expect("its address");
        rtc.add_local_candidate(Candidate::host(address, "udp").expect("a candidate"));
        let mut changes = rtc.sdp_api();
        let video = changes.add_media(MediaKind::Video, Direction::SendOnly, None, None, None);
        let (offer, pending) = changes.apply().expect("something to offer");
        let response = post_whip(server, &format!("/whip/{channel}"), key, &offer.to_sdp_string());
        assert_eq!(response.status, 201, "{}", response.text());
        let answer = SdpAnswer::from_sdp_string(&response.text()).expect("an SDP answer");
        rtc.sdp_api().accept_answer(pending, answer).expect("an answer that fits");
        if let Some(stream) = rtc.direct_api().stream_tx_by_mid(video, None) {
            stream.set_rtx_cache(1024, Duration::from_secs(1), None);
        }
        let (breaks_off, over) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let sender = Sender {
            rtc,
            socket,
            video,
            breaks_off: Arc::clone(&breaks_off),
            over: Arc::clone(&over),
            started: None,
            sent: 0,
            at: 0,
            sequence: 1,
        };
        Self { breaks_off, over, thread: Some(std::thread::spawn(move || sender.run())) }
    }

    /// From now on each picture ends halfway, and its packets say nothing of that.
    pub fn break_off(&self) {
        self.breaks_off.store(true, Relaxed);
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.over.store(true, Relaxed);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
            && !std::thread::panicking()
        {
            panic!("the publisher's thread failed");
        }
    }
}

struct Sender {
    rtc: Rtc,
    socket: UdpSocket,
    video: Mid,
    breaks_off: Arc<AtomicBool>,
    over: Arc<AtomicBool>,
    started: Option<Instant>,
    /// Pictures so far, and which one of the clip is next.
    sent: u32,
    at: usize,
    sequence: u64,
}

impl Sender {
    fn run(mut self) {
        let destination = self.socket.local_addr().expect("its address");
        let mut buffer = vec![0; 2000];
        while !self.over.load(Relaxed) {
            let Some(timeout) = self.drain() else { return };
            let now = Instant::now();
            let due = self.started.map_or(timeout, |started| started + PICTURE * self.sent);
            let until = timeout.min(due).min(now + Duration::from_millis(5));
            let wait = until.saturating_duration_since(now).max(Duration::from_micros(100));
            self.socket.set_read_timeout(Some(wait)).expect("a timeout");
            let received = self.socket.recv_from(&mut buffer).ok();
            let now = Instant::now();
            let input = received.and_then(|(size, source)| {
                let contents = buffer[..size].try_into().ok()?;
                Some(Input::Receive(now, Receive { proto: Protocol::Udp, source, destination, contents }))
            });
            if self.rtc.handle_input(input.unwrap_or(Input::Timeout(now))).is_err() {
                return;
            }
            if self.started.is_some_and(|started| now >= started + PICTURE * self.sent) {
                self.send(now);
            }
        }
    }

    fn drain(&mut self) -> Option<Instant> {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) => return self.rtc.is_alive().then_some(at),
                Ok(Output::Transmit(transmit)) => {
                    // Refused once the server is down; the connection finds out by itself.
                    let _ = self.socket.send_to(&transmit.contents, transmit.destination);
                }
                Ok(Output::Event(Event::Connected)) => {
                    self.started.get_or_insert_with(Instant::now);
                }
                // The clip's one keyframe is its first.
                Ok(Output::Event(Event::KeyframeRequest(_))) => self.at = 0,
                Ok(Output::Event(_)) => {}
                Err(_) => return None,
            }
        }
    }

    fn send(&mut self, now: Instant) {
        let mut picture = PICTURES[self.at].clone();
        if self.breaks_off.load(Relaxed)
            && let Some(frame) = picture.last_mut()
        {
            frame.truncate(frame.len() / 2);
        }
        let parts = payloads(&picture);
        let last = parts.len() - 1;
        let params = self.rtc.codec_config().find(|params| params.spec().codec == Codec::Av1).copied();
        let mut direct = self.rtc.direct_api();
        if let (Some(params), Some(stream)) = (params, direct.stream_tx_by_mid(self.video, None)) {
            for (at, payload) in parts.into_iter().enumerate() {
                let time = self.sent.wrapping_mul(STEP);
                let packet = RtpWrite::new(params.pt(), self.sequence.into(), time, now, payload);
                stream.write_rtp(packet.marker(at == last).nackable(true));
                self.sequence += 1;
            }
        }
        self.sent += 1;
        self.at = (self.at + 1) % PICTURES.len();
        // What was written leaves with the next turn.
        let _ = self.rtc.handle_input(Input::Timeout(now));
    }
}
