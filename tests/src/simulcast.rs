//! A WHIP publisher that sends one picture in several sizes (RFC 8853), each encoding by its `Rid` and none by an SSRC that
//! was declared, as browsers and OBS do.

use crate::{
    peer::post_whip,
    vp8::{self, Shape},
};
use std::{
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};
use str0m::{
    Candidate, Event, Input, Output, Rtc, RtcConfig,
    change::SdpAnswer,
    format::Codec,
    media::{Direction, MediaKind, Mid, Rid, Simulcast, SimulcastLayer},
    net::{Protocol, Receive},
    rtp::RtpWrite,
};

const FRAME: Duration = Duration::from_nanos(33_333_333);
const SOUND: Duration = Duration::from_millis(20);
/// Where a keyframe's first packet says how large it is: behind the payload descriptor, the frame tag and the start code.
const SIZE_AT: usize = 10;

/// One encoding. What its packets say of their source is the number that its `Rid` has among the encodings.
#[derive(Debug, Clone, Copy)]
pub struct Encoding {
    /// Its name.
    pub rid: &'static str,
    /// The size that its keyframes tell.
    pub size: (u16, u16),
    /// What a frame is cut into.
    pub shape: Shape,
    /// VP8, or what stands for AV1.
    pub codec: Codec,
}

/// 720p of 1.7 Mbit/s, 360p of 500 kbit/s and 180p of 150 kbit/s, 30 frames a second each: what Chromium makes of a camera.
pub const CAMERA: [Encoding; 3] = [
    Encoding {
        rid: "f",
        size: (1280, 720),
        shape: Shape { key: 24, delta: 7, bytes: 1000 },
        codec: Codec::Vp8,
    },
    Encoding {
        rid: "h",
        size: (640, 360),
        shape: Shape { key: 9, delta: 2, bytes: 1000 },
        codec: Codec::Vp8,
    },
    Encoding { rid: "q", size: (320, 180), shape: Shape { key: 5, delta: 1, bytes: 600 }, codec: Codec::Vp8 },
];

/// In each of what stands for AV1's packets.
pub const AV1_MARK: &[u8] = b"\x30like AV1";
/// A sequence header of 1280×720, main profile (AV1, 5.5).
const AV1_SEQUENCE: [u8; 10] = [9, 0x08, 0x00, 0x00, 0x00, 0x2d, 0x4c, 0xff, 0xb3, 0xc0];

/// Set where a packet of AV1 is the first of a keyframe.
const AV1_STARTS: u8 = 0x08;

/// A packet that begins as AV1's do (its RTP payload format, 4.4), with a mark and the frame's number where the picture
/// would be.
fn like_av1(frame: u32, starts_keyframe: bool, bytes: usize) -> Vec<u8> {
    let mut payload = vec![if starts_keyframe { AV1_STARTS } else { 0 }];
    if starts_keyframe {
        payload.extend(AV1_SEQUENCE);
    }
    payload.push(100);
    let picture = payload.len();
    payload.extend(AV1_MARK);
    payload.extend(frame.to_be_bytes());
    payload.resize(picture + 100, 0);
    // Another element, as long as the rest.
    let rest = bytes.saturating_sub(payload.len() + 2).max(1);
    payload.extend([(rest & 0x7f) as u8 | 0x80, (rest >> 7) as u8, 0x30]);
    payload.resize(payload.len() - 1 + rest, 7);
    payload
}

/// Which frame a packet of what stands for AV1 is of, and whether a keyframe begins with it; `None` if it is no such packet.
pub fn parse_av1(payload: &[u8]) -> Option<(u32, bool)> {
    let at = payload.windows(AV1_MARK.len()).position(|bytes| bytes == AV1_MARK)?;
    let frame = payload.get(at + AV1_MARK.len()..)?.first_chunk()?;
    Some((u32::from_be_bytes(*frame), payload[0] & AV1_STARTS != 0))
}

/// How the encodings fare, in their order.
#[derive(Debug, Default)]
pub struct Fares {
    /// The transport is up.
    pub connected: bool,
    /// Keyframes that were asked for.
    pub asked: [usize; 3],
    /// Encodings that are paused: nothing of them is sent.
    pub paused: [bool; 3],
}

/// See the module. Ends with its value.
pub struct Publisher {
    fares: Arc<Mutex<Fares>>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    /// The server's answer.
    pub answer: String,
}

impl Publisher {
    /// Publishes `encodings` to `/whip/{channel}`.
    ///
    /// # Panics
    /// When the server doesn't take them.
    pub fn start(server: SocketAddr, channel: &str, key: &str, encodings: [Encoding; 3]) -> Self {
        str0m::crypto::from_feature_flags().install_process_default();
        let mut rtc = RtcConfig::new()
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_opus(true, false)
            .enable_vp8(true)
            .enable_av1(encodings.iter().any(|encoding| encoding.codec == Codec::Av1))
            .build(Instant::now());
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a UDP socket");
        let address = socket.local_addr().expect("its address");
        rtc.add_local_candidate(Candidate::host(address, "udp").expect("a candidate"));
        let mut changes = rtc.sdp_api();
        let audio = changes.add_media(MediaKind::Audio, Direction::SendOnly, None, None, None);
        let send = encodings.iter().map(|encoding| SimulcastLayer::new(encoding.rid)).collect();
        let layers = Simulcast { send, recv: Vec::new() };
        let video = changes.add_media(MediaKind::Video, Direction::SendOnly, None, None, Some(layers));
        let (offer, pending) = changes.apply().expect("something to offer");
        // Whoever sends simulcast declares no SSRC: the encodings are told apart by their packets' header extensions.
        let declares = |line: &&str| line.starts_with("a=ssrc");
        let offer: String = offer
            .to_sdp_string()
            .lines()
            .filter(|line| !declares(line))
            .map(|line| format!("{line}\r\n"))
            .collect();
        let response = post_whip(server, &format!("/whip/{channel}"), key, &offer);
        assert_eq!(response.status, 201, "{}", response.text());
        let answer = response.text();
        let parsed = SdpAnswer::from_sdp_string(&answer).expect("an SDP answer");
        rtc.sdp_api().accept_answer(pending, parsed).expect("an answer that fits");
        let (fares, over) = (Arc::<Mutex<Fares>>::default(), Arc::new(AtomicBool::new(false)));
        let sender = Sender {
            rtc,
            socket,
            encodings,
            lines: (audio, video),
            fares: Arc::clone(&fares),
            over: Arc::clone(&over),
            started: None,
            sound: 0,
            frame: 0,
            sequences: [100, 20_000, 65_000],
            wanted: [true; 3],
        };
        let thread = Some(std::thread::spawn(move || sender.run()));
        Self { fares, over, thread, answer }
    }

    /// How its encodings fare; a paused one can be let go on.
    pub fn fares(&self) -> MutexGuard<'_, Fares> {
        self.fares.lock().unwrap_or_else(PoisonError::into_inner)
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
    encodings: [Encoding; 3],
    lines: (Mid, Mid),
    fares: Arc<Mutex<Fares>>,
    over: Arc<AtomicBool>,
    started: Option<Instant>,
    sound: u32,
    frame: u32,
    sequences: [u64; 3],
    wanted: [bool; 3],
}

impl Sender {
    fn run(mut self) {
        let own = self.socket.local_addr().expect("its address");
        let mut buffer = vec![0; 2000];
        while !self.over.load(Relaxed) {
            let Some(timeout) = self.drain() else { return };
            let now = Instant::now();
            let due =
                self.started.map(|started| (started + FRAME * self.frame).min(started + SOUND * self.sound));
            let until = timeout.min(due.unwrap_or(timeout)).min(now + Duration::from_millis(5));
            let wait = until.saturating_duration_since(now).max(Duration::from_micros(100));
            self.socket.set_read_timeout(Some(wait)).expect("a timeout");
            let received = self.socket.recv_from(&mut buffer).ok();
            let now = Instant::now();
            let input = received.and_then(|(size, source)| {
                let contents = buffer[..size].try_into().ok()?;
                Some(Input::Receive(
                    now,
                    Receive { proto: Protocol::Udp, source, destination: own, contents },
                ))
            });
            if self.rtc.handle_input(input.unwrap_or(Input::Timeout(now))).is_err() {
                return;
            }
            self.send(now);
        }
    }

    fn drain(&mut self) -> Option<Instant> {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) => return self.rtc.is_alive().then_some(at),
                Ok(Output::Transmit(transmit)) => {
                    // Refused while the server is down; the connection finds out by itself.
                    let _ = self.socket.send_to(&transmit.contents, transmit.destination);
                }
                Ok(Output::Event(Event::Connected)) => {
                    self.started.get_or_insert_with(Instant::now);
                    self.fares.lock().unwrap_or_else(PoisonError::into_inner).connected = true;
                }
                Ok(Output::Event(Event::KeyframeRequest(request))) => {
                    let is_it = |encoding: &Encoding| request.rid == Some(Rid::from(encoding.rid));
                    if let Some(at) = self.encodings.iter().position(is_it) {
                        self.wanted[at] = true;
                        self.fares.lock().unwrap_or_else(PoisonError::into_inner).asked[at] += 1;
                    }
                }
                Ok(Output::Event(_)) => {}
                Err(_) => return None,
            }
        }
    }

    fn send(&mut self, now: Instant) {
        let Some(started) = self.started else { return };
        let (audio, video) = self.lines;
        while now >= started + SOUND * self.sound {
            let mut payload = vec![0xfc; 100];
            payload[1..5].copy_from_slice(&self.sound.to_be_bytes());
            let (seq, time) = (u64::from(self.sound) + 9, self.sound.wrapping_mul(960));
            self.write(audio, None, Codec::Opus, (seq, time), now, false, payload);
            self.sound += 1;
        }
        while now >= started + FRAME * self.frame {
            let paused = self.fares.lock().unwrap_or_else(PoisonError::into_inner).paused;
            for at in (0..3).filter(|at| !paused[*at]) {
                let Encoding { rid, size, shape, codec } = self.encodings[at];
                let key = std::mem::take(&mut self.wanted[at]);
                let parts = vp8::frame(at as u32, self.frame, key, shape);
                let last = parts.len() - 1;
                for (part, mut payload) in parts.into_iter().enumerate() {
                    if key && part == 0 {
                        payload[SIZE_AT..SIZE_AT + 2].copy_from_slice(&size.0.to_le_bytes());
                        payload[SIZE_AT + 2..SIZE_AT + 4].copy_from_slice(&size.1.to_le_bytes());
                    }
                    if codec == Codec::Av1 {
                        payload = like_av1(self.frame, key && part == 0, shape.bytes);
                    }
                    let place = (self.sequences[at], self.frame.wrapping_mul(3000));
                    self.write(video, Some(rid.into()), codec, place, now, part == last, payload);
                    self.sequences[at] += 1;
                }
            }
            self.frame += 1;
        }
        // What was written leaves with the next turn.
        let _ = self.rtc.handle_input(Input::Timeout(now));
    }

    #[expect(clippy::too_many_arguments, reason = "one packet's fields")]
    fn write(
        &mut self,
        mid: Mid,
        rid: Option<Rid>,
        codec: Codec,
        (sequence, time): (u64, u32),
        now: Instant,
        marker: bool,
        payload: Vec<u8>,
    ) {
        let params = self.rtc.codec_config().find(|params| params.spec().codec == codec).copied();
        let mut direct = self.rtc.direct_api();
        if let (Some(params), Some(stream)) = (params, direct.stream_tx_by_mid(mid, rid)) {
            let packet = RtpWrite::new(params.pt(), sequence.into(), time, now, payload);
            stream.write_rtp(packet.marker(marker).nackable(codec.is_video()));
        }
    }
}
