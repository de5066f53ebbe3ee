//! A WHIP publisher and a WHEP viewer without a browser: full ICE, real sockets, packets that say which they are.
//!
//! Each peer has a thread that drives its connection. What it sees is shared; tests wait on that.

mod source;

pub use source::{Sound, Source, marks};

use crate::{
    http::{Request, Response},
    link::Link,
    relay::Relay,
    vp8,
};
use source::Sending;
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, Once,
        mpsc::{Receiver, Sender, TryRecvError, channel},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};
use str0m::{
    Candidate, Event, Input, Output, Rtc, RtcConfig,
    change::{SdpAnswer, SdpOffer, SdpPendingOffer},
    format::Codec,
    media::{Direction, KeyframeRequestKind, MediaKind, Mid},
    net::{Receive, TcpType},
};

/// What a WHIP or WHEP request and answer are coded in.
pub const SDP: &str = "application/sdp";
/// What a PATCH carries.
pub const FRAGMENT: &str = "application/trickle-ice-sdpfrag";

/// A command is taken this long after it was given, at most.
const ATTENTION: Duration = Duration::from_millis(5);
/// While a connection is being made, what is due is done without delay, as browsers do.
const EAGER: Duration = Duration::from_millis(1);

/// A media packet that arrived.
#[derive(Debug, Clone)]
pub struct Arrived {
    /// Audio or video.
    pub video: bool,
    /// The extended sequence number.
    pub sequence: u64,
    /// The RTP timestamp.
    pub time: u32,
    /// When it came.
    pub at: Instant,
    /// The stream's SSRC.
    pub ssrc: u32,
    /// The last packet of a frame.
    pub marker: bool,
    /// The payload.
    pub payload: Arc<[u8]>,
}

impl Arrived {
    /// What a video packet says of itself.
    ///
    /// # Panics
    /// When the payload isn't one that a [`Source`] sent.
    pub fn parsed(&self) -> vp8::Parsed {
        vp8::parse(&self.payload)
            .unwrap_or_else(|| panic!("not ours: {:02x?}", &self.payload[..8.min(self.payload.len())]))
    }
}

/// What a peer has seen so far.
#[derive(Debug, Default)]
pub struct Seen {
    /// ICE and DTLS are done.
    pub connected: bool,
    /// The connection is over.
    pub closed: bool,
    /// Packets in the order in which they came.
    pub packets: Vec<Arrived>,
    /// Keyframe requests that reached this publisher.
    pub keyframe_requests: usize,
    /// Video frames that this publisher sent.
    pub frames_sent: u32,
}

impl Seen {
    /// The video packets.
    pub fn video(&self) -> impl Iterator<Item = &Arrived> {
        self.packets.iter().filter(|packet| packet.video)
    }
}

#[derive(Debug)]
enum Command {
    AskForKeyframe,
    Restart(Sender<String>),
    Restarted { ufrag: String, password: String },
    Freeze,
    Send(Source),
    Stop { politely: bool },
}

type Board = Arc<(Mutex<Seen>, Condvar)>;

/// One publisher or viewer.
pub struct Peer {
    board: Board,
    commands: Sender<Command>,
    thread: Option<JoinHandle<()>>,
    /// The session resource's path.
    pub session: String,
    /// The session's entity tag, as last told.
    pub etag: String,
    /// The answer, as it came.
    pub answer: String,
    server: SocketAddr,
    bearer: Option<String>,
}

/// An offer, and what is needed to take the answer to it.
pub struct Offering {
    rtc: Rtc,
    link: Link,
    pending: SdpPendingOffer,
    video: Option<Mid>,
    audio: Option<Mid>,
    /// The offer, as a client would post it.
    pub sdp: String,
}

impl Offering {
    /// An offer to send (`Direction::SendOnly`) or to receive with one of `codecs` as the picture's.
    pub fn new(direction: Direction, codecs: &[Codec]) -> Self {
        Self::from(Ipv4Addr::LOCALHOST.into(), direction, codecs)
    }

    /// The same, by a socket on another address.
    pub fn from(ip: IpAddr, direction: Direction, codecs: &[Codec]) -> Self {
        Self::build(ip, direction, codecs, false)
    }

    /// An offer of VP8 and of sound that may be redundant (RFC 2198).
    pub fn with_redundant_sound(direction: Direction) -> Self {
        Self::build(Ipv4Addr::LOCALHOST.into(), direction, &[Codec::Vp8], true)
    }

    fn build(ip: IpAddr, direction: Direction, codecs: &[Codec], redundant_sound: bool) -> Self {
        static CRYPTO: Once = Once::new();
        CRYPTO.call_once(|| str0m::crypto::from_feature_flags().install_process_default());
        let has = |codec| codecs.contains(&codec);
        let mut rtc = RtcConfig::new()
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_opus(true, redundant_sound)
            .enable_vp8(has(Codec::Vp8))
            .enable_vp9(has(Codec::Vp9))
            .enable_h264(has(Codec::H264))
            .enable_av1(has(Codec::Av1))
            .build(Instant::now());
        let link = Link::udp(ip);
        rtc.add_local_candidate(Candidate::host(link.address(), "udp").expect("a candidate"));
        let mut changes = rtc.sdp_api();
        let audio =
            changes.add_media(MediaKind::Audio, direction, Some("weir".into()), Some("audio".into()), None);
        let video =
            changes.add_media(MediaKind::Video, direction, Some("weir".into()), Some("video".into()), None);
        let (offer, pending) = changes.apply().expect("something to offer");
        let sdp = offer.to_sdp_string();
        Self { rtc, link, pending, video: Some(video), audio: Some(audio), sdp }
    }

    /// A publisher's offer, VP8.
    pub fn to_send() -> Self {
        Self::new(Direction::SendOnly, &[Codec::Vp8])
    }

    /// A viewer's offer, any codec.
    pub fn to_receive() -> Self {
        Self::new(Direction::RecvOnly, &[Codec::Vp8, Codec::Vp9, Codec::H264, Codec::Av1])
    }

    /// The same, behind a bad network.
    pub fn start_through(
        self,
        relay: &Relay,
        server: SocketAddr,
        mut response: Response,
        bearer: Option<&str>,
        source: Option<Source>,
    ) -> Peer {
        assert_eq!(response.status, 201, "{}", response.text());
        response.body = relay.through(&response.text()).into_bytes();
        self.start(server, &response, bearer, source)
    }

    /// Takes the answer and starts.
    pub fn start(
        self,
        server: SocketAddr,
        response: &Response,
        bearer: Option<&str>,
        source: Option<Source>,
    ) -> Peer {
        assert_eq!(response.status, 201, "{}", response.text());
        self.start_with(server, response, &response.text(), bearer, source)
    }

    /// Takes the answer's TCP candidates alone, connects to the first, and starts: a network that lets no UDP through.
    pub fn start_over_tcp(
        mut self,
        server: SocketAddr,
        response: &Response,
        bearer: Option<&str>,
        source: Option<Source>,
    ) -> Peer {
        assert_eq!(response.status, 201, "{}", response.text());
        let text = response.text();
        let is_udp = |line: &&str| line.starts_with("a=candidate:") && line.contains(" udp ");
        let answer: String =
            text.lines().filter(|line| !is_udp(line)).map(|line| format!("{line}\r\n")).collect();
        let passive = answer.lines().find(|line| line.contains(" tcptype passive")).expect("a TCP candidate");
        let words: Vec<&str> = passive.split(' ').collect();
        let address = SocketAddr::new(words[4].parse().expect("an IP"), words[5].parse().expect("a port"));
        self.link = Link::tcp(address);
        let active = Candidate::builder().tcp().host(self.link.address()).tcptype(TcpType::Active).build();
        self.rtc.add_local_candidate(active.expect("a candidate"));
        self.start_with(server, response, &answer, bearer, source)
    }

    /// Takes `answer` as the response's and starts.
    pub fn start_with(
        mut self,
        server: SocketAddr,
        response: &Response,
        answer: &str,
        bearer: Option<&str>,
        source: Option<Source>,
    ) -> Peer {
        let answer = SdpAnswer::from_sdp_string(answer).expect("an SDP answer");
        self.rtc.sdp_api().accept_answer(self.pending, answer).expect("an answer that fits");
        if let Some(video) = self.video
            && let Some(stream) = self.rtc.direct_api().stream_tx_by_mid(video, None)
        {
            // As a browser has it: whatever is asked for is sent again.
            stream.set_rtx_cache(1024, Duration::from_secs(1), None);
        }
        let board = Board::default();
        let (commands, inbox) = channel();
        let driver = Driver {
            rtc: self.rtc,
            link: self.link,
            board: Arc::clone(&board),
            inbox,
            pending: None,
            answer: response.text(),
            video: self.video,
            audio: self.audio,
            sending: source.map(Sending::new),
        };
        let thread = std::thread::spawn(move || driver.run());
        let location = response.header("location").expect("a Location");
        let session = location.strip_prefix(&format!("http://{server}")).unwrap_or(location).to_owned();
        Peer {
            board,
            commands,
            thread: Some(thread),
            session,
            etag: response.header("etag").unwrap_or_default().to_owned(),
            answer: response.text(),
            server,
            bearer: bearer.map(str::to_owned),
        }
    }
}

/// The server's answer to a publisher's offer.
pub fn post_whip(server: SocketAddr, path: &str, key: &str, offer: &str) -> Response {
    Request::new("POST", path).bearer(key).body(SDP, offer).send(server)
}

/// The server's answer to a viewer's offer.
pub fn post_whep(server: SocketAddr, channel: &str, offer: &str) -> Response {
    Request::new("POST", &format!("/whep/{channel}")).body(SDP, offer).send(server)
}

impl Peer {
    /// Publishes to `/whip/{channel}`.
    pub fn publish(server: SocketAddr, channel: &str, key: &str, source: Source) -> Self {
        let offering = Offering::to_send();
        let response = post_whip(server, &format!("/whip/{channel}"), key, &offering.sdp);
        offering.start(server, &response, Some(key), Some(source))
    }

    /// The same as the program that this user agent is of.
    pub fn publish_as(
        server: SocketAddr,
        channel: &str,
        key: &str,
        source: Source,
        user_agent: &str,
    ) -> Self {
        let offering = Offering::to_send();
        let path = format!("/whip/{channel}");
        let request = Request::new("POST", &path).bearer(key);
        let response = request.header("user-agent", user_agent).body(SDP, offering.sdp.as_str()).send(server);
        offering.start(server, &response, Some(key), Some(source))
    }

    /// Sends something else from now on.
    pub fn send(&self, source: Source) {
        self.commands.send(Command::Send(source)).expect("the peer");
    }

    /// Watches `/whep/{channel}`.
    pub fn watch(server: SocketAddr, channel: &str) -> Self {
        let offering = Offering::to_receive();
        let response = post_whep(server, channel, &offering.sdp);
        offering.start(server, &response, None, None)
    }

    /// Publishes to `/whip/{channel}` by TCP alone.
    pub fn publish_over_tcp(server: SocketAddr, channel: &str, key: &str, source: Source) -> Self {
        let offering = Offering::to_send();
        let response = post_whip(server, &format!("/whip/{channel}"), key, &offering.sdp);
        offering.start_over_tcp(server, &response, Some(key), Some(source))
    }

    /// Watches `/whep/{channel}` by TCP alone.
    pub fn watch_over_tcp(server: SocketAddr, channel: &str) -> Self {
        let offering = Offering::to_receive();
        let response = post_whep(server, channel, &offering.sdp);
        offering.start_over_tcp(server, &response, None, None)
    }

    /// Publishes to `/whip/{channel}` through a bad network.
    pub fn publish_through(
        relay: &Relay,
        server: SocketAddr,
        channel: &str,
        key: &str,
        source: Source,
    ) -> Self {
        let offering = Offering::to_send();
        let response = post_whip(server, &format!("/whip/{channel}"), key, &offering.sdp);
        offering.start_through(relay, server, response, Some(key), Some(source))
    }

    /// Watches `/whep/{channel}` through a bad network.
    pub fn watch_through(relay: &Relay, server: SocketAddr, channel: &str) -> Self {
        let offering = Offering::to_receive();
        let response = post_whep(server, channel, &offering.sdp);
        offering.start_through(relay, server, response, None, None)
    }

    /// Waits until what the peer has seen makes `found` give something.
    ///
    /// # Panics
    /// When it doesn't within `timeout`.
    #[track_caller]
    pub fn until<T>(&self, what: &str, timeout: Duration, mut found: impl FnMut(&Seen) -> Option<T>) -> T {
        let deadline = Instant::now() + timeout;
        let (seen, changed) = &*self.board;
        let mut seen = seen.lock().expect("what was seen");
        loop {
            if let Some(found) = found(&seen) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let last: Vec<_> = seen
                    .packets
                    .iter()
                    .rev()
                    .take(4)
                    .map(|last| (last.video, last.sequence, last.time))
                    .collect();
                panic!(
                    "{what}: not within {timeout:?}; connected {}, closed {}, {} packets, {} frames sent, last {last:?}",
                    seen.connected,
                    seen.closed,
                    seen.packets.len(),
                    seen.frames_sent,
                );
            }
            seen = changed.wait_timeout(seen, left).expect("what was seen").0;
        }
    }

    /// Waits until the connection stands.
    #[track_caller]
    pub fn connected(&self) {
        self.until("connected", Duration::from_secs(5), |seen| seen.connected.then_some(()));
    }

    /// Waits until `count` more video packets have arrived.
    #[track_caller]
    pub fn more_video(&self, count: usize) {
        self.more_video_within(count, Duration::from_secs(5));
    }

    /// Waits for at most `timeout` until `count` more video packets have arrived.
    #[track_caller]
    pub fn more_video_within(&self, count: usize, timeout: Duration) {
        let before = self.seen().video().count();
        self.until("more video", timeout, |seen| (seen.video().count() >= before + count).then_some(()));
    }

    /// What the peer has seen so far.
    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.board.0.lock().expect("what was seen")
    }

    /// A request on the session resource.
    pub fn request<'a>(&'a self, method: &'a str) -> Request<'a> {
        let request = Request::new(method, &self.session);
        match &self.bearer {
            Some(key) => request.bearer(key),
            None => request,
        }
    }

    /// Restarts ICE by PATCH, as RFC 9725 has it, and takes the server's new credentials.
    pub fn restart_ice(&mut self) -> Response {
        let (reply, fragment) = channel();
        self.commands.send(Command::Restart(reply)).expect("the peer");
        let fragment = fragment.recv_timeout(Duration::from_secs(5)).expect("an offer");
        let response =
            self.request("PATCH").header("if-match", "*").body(FRAGMENT, fragment).send(self.server);
        assert_eq!(response.status, 200, "{}", response.text());
        let text = response.text();
        let value = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_else(|| panic!("no {name} in {text}")).trim().to_owned()
        };
        let (ufrag, password) = (value("a=ice-ufrag:"), value("a=ice-pwd:"));
        self.commands.send(Command::Restarted { ufrag, password }).expect("the peer");
        self.etag = response.header("etag").unwrap_or_default().to_owned();
        response
    }

    /// Asks for a keyframe (PLI), as a decoder does that can't go on.
    pub fn ask_for_keyframe(&self) {
        self.commands.send(Command::AskForKeyframe).expect("the peer");
    }

    /// Stays connected and does nothing any more: reads nothing, says nothing.
    pub fn freeze(&self) {
        self.commands.send(Command::Freeze).expect("the peer");
    }

    /// Ends the session by DELETE.
    pub fn leave(mut self) -> Response {
        let response = self.request("DELETE").send(self.server);
        self.stop(true);
        response
    }

    /// Is gone from one moment to the next: nothing more is sent, not even a goodbye.
    pub fn vanish(mut self) {
        self.stop(false);
    }

    fn stop(&mut self, politely: bool) {
        let _ = self.commands.send(Command::Stop { politely });
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
            && !std::thread::panicking()
        {
            panic!("the peer's thread failed");
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.stop(false);
    }
}

struct Driver {
    rtc: Rtc,
    link: Link,
    board: Board,
    inbox: Receiver<Command>,
    pending: Option<SdpPendingOffer>,
    answer: String,
    video: Option<Mid>,
    audio: Option<Mid>,
    sending: Option<Sending>,
}

impl Driver {
    fn run(mut self) {
        let address = self.link.address();
        let mut buffer = vec![0; 2000];
        loop {
            match self.inbox.try_recv() {
                Ok(Command::Stop { politely }) => return self.stop(politely),
                Ok(Command::Freeze) => {
                    let is_stop = |command: &Command| matches!(command, Command::Stop { .. });
                    self.inbox.iter().find(is_stop);
                    return;
                }
                Ok(command) => self.obey(command),
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => return,
            }
            let Some(timeout) = self.drain() else { return self.note(|seen| seen.closed = true) };
            let due = self.sending.as_ref().and_then(Sending::due);
            let now = Instant::now();
            let attention = if self.rtc.is_connected() { ATTENTION } else { EAGER };
            let until = timeout.min(due.unwrap_or(timeout)).min(now + attention);
            let wait = until.saturating_duration_since(now).max(Duration::from_micros(100));
            let outcome = match self.link.receive(&mut buffer, wait) {
                Ok(Some((size, source))) => match buffer[..size].try_into() {
                    Ok(contents) => {
                        let proto = self.link.protocol();
                        let receive = Receive { proto, source, destination: address, contents };
                        self.rtc.handle_input(Input::Receive(Instant::now(), receive))
                    }
                    Err(_) => Ok(()),
                },
                // The server's port is closed while it is down.
                Ok(None) | Err(_) => self.rtc.handle_input(Input::Timeout(Instant::now())),
            };
            if outcome.is_err() {
                return self.note(|seen| seen.closed = true);
            }
            self.send();
        }
    }

    fn send(&mut self) {
        let (Some(video), Some(audio)) = (self.video, self.audio) else { return };
        loop {
            let now = Instant::now();
            let Some(sending) = &mut self.sending else { return };
            if !sending.send(&mut self.rtc, video, audio, now) {
                return;
            }
            let frames = sending.frame;
            self.note(|seen| seen.frames_sent = frames);
            if self.rtc.handle_input(Input::Timeout(now)).is_err() || self.drain().is_none() {
                return;
            }
        }
    }

    /// Sends what is to be sent; gives when time matters next, or `None` when the connection is over.
    fn drain(&mut self) -> Option<Instant> {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) => return self.rtc.is_alive().then_some(at),
                Ok(Output::Transmit(transmit)) => {
                    // Refused while the server is down; the connection finds out by itself.
                    if transmit.proto == self.link.protocol() {
                        let _ = self.link.send(&transmit.contents, transmit.destination);
                    }
                }
                Ok(Output::Event(event)) => self.event(event),
                Err(_) => return None,
            }
        }
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Connected => {
                if let Some(sending) = &mut self.sending {
                    sending.started.get_or_insert_with(Instant::now);
                }
                self.note(|seen| seen.connected = true);
            }
            Event::KeyframeRequest(_) => {
                if let Some(sending) = &mut self.sending
                    && sending.source.answers_requests
                {
                    sending.key_wanted = true;
                }
                self.note(|seen| seen.keyframe_requests += 1);
            }
            Event::RtpPacket(packet) => {
                let params = self.rtc.codec_config().find(|params| params.pt() == packet.header.payload_type);
                let video = params.is_some_and(|params| params.spec().codec.is_video());
                let arrived = Arrived {
                    video,
                    sequence: *packet.seq_no,
                    time: packet.header.timestamp,
                    at: packet.timestamp,
                    ssrc: *packet.header.ssrc,
                    marker: packet.header.marker,
                    payload: packet.payload,
                };
                self.note(|seen| seen.packets.push(arrived));
            }
            _ => {}
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::AskForKeyframe => {
                if let Some(video) = self.video
                    && let Some(stream) = self.rtc.direct_api().stream_rx_by_mid(video, None)
                {
                    stream.request_keyframe(KeyframeRequestKind::Pli);
                }
            }
            Command::Restart(reply) => {
                let mut changes = self.rtc.sdp_api();
                changes.ice_restart(true);
                let (offer, pending) = changes.apply().expect("a restart");
                self.pending = Some(pending);
                let _ = reply.send(fragment(&offer));
            }
            Command::Restarted { ufrag, password } => {
                let lines = self.answer.lines().map(|line| {
                    if line.starts_with("a=ice-ufrag:") {
                        format!("a=ice-ufrag:{ufrag}\r\n")
                    } else if line.starts_with("a=ice-pwd:") {
                        format!("a=ice-pwd:{password}\r\n")
                    } else {
                        format!("{line}\r\n")
                    }
                });
                let answer = SdpAnswer::from_sdp_string(&lines.collect::<String>()).expect("an answer");
                if let Some(pending) = self.pending.take() {
                    self.rtc.sdp_api().accept_answer(pending, answer).expect("an answer that fits");
                }
            }
            Command::Send(source) => {
                if let Some(sending) = &mut self.sending {
                    sending.key_wanted |= source.picture && !sending.source.picture;
                    sending.source = source;
                }
            }
            Command::Freeze | Command::Stop { .. } => {}
        }
    }

    fn stop(mut self, politely: bool) {
        if politely {
            let _ = self.rtc.close();
            let _ = self.drain();
        }
    }

    fn note(&self, change: impl FnOnce(&mut Seen)) {
        let (seen, changed) = &*self.board;
        change(&mut seen.lock().expect("what is seen"));
        changed.notify_all();
    }
}

/// The part of an offer that a PATCH carries: credentials and candidates of the first m-line.
fn fragment(offer: &SdpOffer) -> String {
    let sdp = offer.to_sdp_string();
    let keep =
        ["a=group:", "m=", "a=mid:", "a=ice-ufrag:", "a=ice-pwd:", "a=candidate:", "a=end-of-candidates"];
    let second_media = sdp.match_indices("\r\nm=").nth(1).map_or(sdp.len(), |(at, _)| at + 2);
    sdp[..second_media]
        .lines()
        .filter(|line| keep.iter().any(|prefix| line.starts_with(prefix)))
        .map(|line| format!("{line}\r\n"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fragment_has_credentials_and_one_media_line() {
        let offering = Offering::to_receive();
        let offer = SdpOffer::from_sdp_string(&offering.sdp).unwrap();
        let fragment = fragment(&offer);
        assert_eq!(fragment.matches("m=").count(), 1);
        assert_eq!(fragment.matches("a=ice-ufrag:").count(), 1);
        assert!(fragment.contains("a=candidate:"), "{fragment}");
    }
}
