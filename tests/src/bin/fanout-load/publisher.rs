//! The publisher: replays a recorded broadcast on a thread of its own, so that the load's own work doesn't change its bursts.

use crate::{offer, trace::Entry};
use std::{
    io::ErrorKind,
    net::{SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};
use str0m::{
    Event, Input, Output, Rtc,
    change::SdpAnswer,
    format::Codec,
    media::{Direction, Mid},
    net::{Protocol, Receive},
    rtp::RtpWrite,
};
use weir_tests::peer::post_whip;

/// Where a payload that is long enough has the microseconds since the load began at which it was sent.
pub const STAMP: std::ops::Range<usize> = 16..24;
const PICTURE: (u16, u16) = (1280, 720);

/// A running publisher; ends with its value.
pub struct Publisher {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Publisher {
    /// Publishes to a channel until dropped.
    pub fn start(server: SocketAddr, channel: &str, key: &str, trace: Arc<[Entry]>, began: Instant) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a UDP socket");
        let (mut rtc, pending, sdp, lines) =
            offer(socket.local_addr().expect("its address"), Direction::SendOnly);
        let response = post_whip(server, &format!("/whip/{channel}"), key, &sdp);
        assert_eq!(response.status, 201, "{}", response.text());
        let answer = SdpAnswer::from_sdp_string(&response.text()).expect("an SDP answer");
        rtc.sdp_api().accept_answer(pending, answer).expect("an answer that fits");
        let stop = Arc::new(AtomicBool::new(false));
        let replay = Replay {
            rtc,
            socket,
            lines,
            trace,
            began,
            next: 0,
            round: None,
            offsets: (0, 0),
            sequence: (1, 1),
            picture: 0,
            at_start: true,
            key_wanted: false,
        };
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || replay.run(&stopped));
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            // Its panic has been printed; whoever waits for its media fails.
            let _ = thread.join();
        }
    }
}

struct Replay {
    rtc: Rtc,
    socket: UdpSocket,
    lines: (Mid, Mid),
    trace: Arc<[Entry]>,
    began: Instant,
    next: usize,
    /// When the current round of the recording began.
    round: Option<Instant>,
    /// The timestamps of sound and picture when it did.
    offsets: (u32, u32),
    sequence: (u64, u64),
    picture: u16,
    at_start: bool,
    key_wanted: bool,
}

impl Replay {
    fn run(mut self, stopped: &AtomicBool) {
        let address = self.socket.local_addr().expect("an address");
        let mut buffer = vec![0; 2000];
        while !stopped.load(Relaxed) {
            let Some(timeout) = self.drain() else { return };
            let due = self.round.map_or(timeout, |round| round + self.trace[self.next].at);
            let now = Instant::now();
            let wait = timeout.min(due).min(now + Duration::from_millis(20)).saturating_duration_since(now);
            if wait.is_zero() {
                self.socket.set_nonblocking(true).expect("a socket that doesn't block");
            } else {
                self.socket.set_nonblocking(false).expect("a socket that blocks");
                self.socket.set_read_timeout(Some(wait)).expect("a timeout");
            }
            let outcome = match self.socket.recv_from(&mut buffer) {
                Ok((size, source)) => {
                    let Ok(contents) = buffer[..size].try_into() else { continue };
                    let receive = Receive { proto: Protocol::Udp, source, destination: address, contents };
                    self.rtc.handle_input(Input::Receive(Instant::now(), receive))
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    self.rtc.handle_input(Input::Timeout(Instant::now()))
                }
                Err(_) => self.rtc.handle_input(Input::Timeout(Instant::now())),
            };
            outcome.expect("a connection that holds");
            while self.send_next() {
                self.rtc.handle_input(Input::Timeout(Instant::now())).expect("a connection that holds");
                if self.drain().is_none() {
                    return;
                }
            }
        }
    }

    fn drain(&mut self) -> Option<Instant> {
        loop {
            match self.rtc.poll_output().expect("a connection that holds") {
                Output::Timeout(at) => return self.rtc.is_alive().then_some(at),
                Output::Transmit(transmit) => {
                    let _ = self.socket.send_to(&transmit.contents, transmit.destination);
                }
                Output::Event(Event::Connected) => self.round = Some(Instant::now()),
                Output::Event(Event::KeyframeRequest(_)) => self.key_wanted = true,
                Output::Event(_) => {}
            }
        }
    }

    /// Writes the next packet if it is due. The recording begins anew at its end, and, between two frames, when a keyframe
    /// is wanted, as it begins with one.
    fn send_next(&mut self) -> bool {
        let Some(round) = self.round else { return false };
        let entry = self.trace[self.next];
        let now = Instant::now();
        if now < round + entry.at {
            return false;
        }
        if self.at_start && std::mem::take(&mut self.key_wanted) {
            self.start_again(now);
            return true;
        }
        let since = now.duration_since(self.began).as_micros() as u64;
        let mut payload = vec![0xa5; entry.size];
        let ticks = |hertz: u64| (entry.at.as_micros() as u64 * hertz / 1_000_000) as u32;
        let (mid, codec, sequence, time) = if entry.is_audio {
            self.sequence.0 += 1;
            // Sound has a packet each 20 ms, whenever it is sent.
            self.offsets.0 = self.offsets.0.wrapping_add(960);
            (self.lines.0, Codec::Opus, self.sequence.0, self.offsets.0)
        } else {
            self.sequence.1 += 1;
            self.frame_header(entry, &mut payload);
            (self.lines.1, Codec::Vp8, self.sequence.1, self.offsets.1.wrapping_add(ticks(90_000)))
        };
        if let Some(stamp) = payload.get_mut(STAMP) {
            stamp.copy_from_slice(&since.to_be_bytes());
        }
        let pt = self.rtc.codec_config().find(|params| params.spec().codec == codec).expect("a codec").pt();
        let mut api = self.rtc.direct_api();
        let stream = api.stream_tx_by_mid(mid, None).expect("a stream");
        stream.write_rtp(
            RtpWrite::new(pt, sequence.into(), time, now, payload)
                .marker(entry.is_last)
                .nackable(!entry.is_audio),
        );
        self.next += 1;
        if self.next == self.trace.len() {
            self.start_again(now);
        }
        true
    }

    fn start_again(&mut self, now: Instant) {
        // A thirtieth of a second after the last frame.
        let last = self.trace[self.next.saturating_sub(1)].at;
        let step = (last.as_micros() as u64 * 90_000 / 1_000_000) as u32 + 3000;
        self.offsets.1 = self.offsets.1.wrapping_add(step);
        self.round = Some(now + Duration::from_millis(33));
        self.next = 0;
        self.at_start = true;
    }

    /// A VP8 payload descriptor with a 15-bit picture id (RFC 7741, 4.2), and the frame's own header where it begins.
    fn frame_header(&mut self, entry: Entry, payload: &mut [u8]) {
        if self.at_start {
            self.picture = (self.picture + 1) & 0x7fff;
        }
        let starts = std::mem::replace(&mut self.at_start, entry.is_last);
        let [high, low] = (self.picture | 0x8000).to_be_bytes();
        let mut header = vec![0x80 | if starts { 0x10 } else { 0 }, 0x80, high, low];
        if starts && entry.is_key {
            let ([w0, w1], [h0, h1]) = (PICTURE.0.to_le_bytes(), PICTURE.1.to_le_bytes());
            header.extend([0x10, 0, 0, 0x9d, 0x01, 0x2a, w0, w1, h0, h1]);
        } else if starts {
            header.extend([0x11, 0, 0]);
        }
        for (to, from) in payload.iter_mut().zip(header) {
            *to = from;
        }
    }
}
