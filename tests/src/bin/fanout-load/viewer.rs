//! One viewer: a whole WebRTC client, and what it counts.

use crate::{offer, publisher::STAMP};
use mio::{Interest, Poll, Token, net::UdpSocket};
use quinn_udp::{RecvMeta, UdpSockRef, UdpSocketState};
use std::{
    io::{ErrorKind, IoSliceMut},
    net::SocketAddr,
    time::{Duration, Instant},
};
use str0m::{
    Event, Input, Output, Rtc,
    change::SdpAnswer,
    media::Direction,
    net::{Protocol, Receive},
    rtp::{RtpPacket, Ssrc},
};
use weir_tests::peer::post_whep;

/// With receive offload a run of datagrams lies in one buffer.
pub const BUFFER: usize = 1 << 16;
/// The kernel's buffer: the burst of a keyframe and what comes while the load is busy with others.
const SOCKET_BUFFER: usize = 4 << 20;

/// One stream as it arrives.
#[derive(Debug, Default, Clone, Copy)]
struct Line {
    ssrc: u32,
    /// The highest sequence number seen.
    highest: u64,
    /// Where counting began.
    from: u64,
    /// Packets since, repaired ones too.
    packets: u64,
    /// Datagrams since that came without repair, and their bytes.
    datagrams: u64,
    bytes: u64,
}

/// What was counted since counting began.
#[derive(Debug, Default, Clone, Copy)]
pub struct Counted {
    /// Packets that were sent, by their sequence numbers.
    pub sent: u64,
    /// Those that came.
    pub came: u64,
    /// Those that came, or were repaired.
    pub repaired: u64,
    /// Bytes of media's datagrams.
    pub bytes: u64,
    /// Bytes of datagrams with repair and padding.
    pub other_bytes: u64,
}

impl std::ops::AddAssign for Counted {
    fn add_assign(&mut self, other: Self) {
        self.sent += other.sent;
        self.came += other.came;
        self.repaired += other.repaired;
        self.bytes += other.bytes;
        self.other_bytes += other.other_bytes;
    }
}

/// See the module.
pub struct Viewer {
    rtc: Rtc,
    socket: UdpSocket,
    state: UdpSocketState,
    address: SocketAddr,
    /// When time matters to it next.
    pub due: Instant,
    /// Its transport is up.
    pub connected: bool,
    lines: Vec<Line>,
    other_bytes: u64,
}

/// A packet that arrived, as long as it is on its way to whoever looks at it.
pub type Seen<'a> = &'a mut dyn FnMut(&RtpPacket);

impl Viewer {
    /// Asks for a channel.
    pub fn join(server: SocketAddr, channel: &str, poll: &Poll, token: Token) -> Self {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a UDP socket");
        let state = UdpSocketState::new(UdpSockRef::from(&socket)).expect("a UDP socket");
        // Where the kernel gives less, bursts may be lost here, and are counted as lost.
        let _ = state.set_recv_buffer_size(UdpSockRef::from(&socket), SOCKET_BUFFER);
        let address = socket.local_addr().expect("its address");
        let (mut rtc, pending, sdp, _) = offer(address, Direction::RecvOnly);
        let response = post_whep(server, channel, &sdp);
        assert_eq!(response.status, 201, "{}", response.text());
        let answer = SdpAnswer::from_sdp_string(&response.text()).expect("an SDP answer");
        rtc.sdp_api().accept_answer(pending, answer).expect("an answer that fits");
        let mut socket = UdpSocket::from_std(socket);
        poll.registry().register(&mut socket, token, Interest::READABLE).expect("to listen");
        let due = Instant::now();
        Self { rtc, socket, state, address, due, connected: false, lines: Vec::new(), other_bytes: 0 }
    }

    /// Takes what there is.
    pub fn receive(&mut self, buffers: &mut [Vec<u8>], now: Instant, seen: Seen<'_>) {
        loop {
            let mut metas = [RecvMeta::default(); 4];
            let mut slices: Vec<_> = buffers.iter_mut().map(|buffer| IoSliceMut::new(buffer)).collect();
            let many = slices.len();
            let count = match self.state.recv(UdpSockRef::from(&self.socket), &mut slices, &mut metas[..many])
            {
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => panic!("{error}"),
            };
            for (buffer, meta) in buffers.iter().zip(&metas).take(count) {
                for datagram in buffer[..meta.len].chunks(meta.stride.max(1)) {
                    self.datagram(datagram, meta.addr, now, seen);
                }
            }
            if count < many {
                return;
            }
        }
    }

    fn datagram(&mut self, datagram: &[u8], source: SocketAddr, now: Instant, seen: Seen<'_>) {
        self.count(datagram);
        let Ok(contents) = datagram.try_into() else { return };
        let receive = Receive { proto: Protocol::Udp, source, destination: self.address, contents };
        self.rtc.handle_input(Input::Receive(now, receive)).expect("a connection that holds");
        self.drain(seen);
    }

    /// Counts what an RTP datagram is of: media, or repair and padding.
    fn count(&mut self, datagram: &[u8]) {
        let is_rtp = matches!(datagram, [128..=191, kind, ..] if !(192..=223).contains(kind));
        let Some(ssrc) = datagram.get(8..12).filter(|_| is_rtp) else { return };
        let ssrc = u32::from_be_bytes([ssrc[0], ssrc[1], ssrc[2], ssrc[3]]);
        match self.lines.iter_mut().find(|line| line.ssrc == ssrc) {
            Some(line) => {
                line.datagrams += 1;
                line.bytes += datagram.len() as u64;
            }
            None => self.other_bytes += datagram.len() as u64,
        }
    }

    /// Time passed.
    pub fn advance(&mut self, now: Instant, seen: Seen<'_>) {
        self.rtc.handle_input(Input::Timeout(now)).expect("a connection that holds");
        self.drain(seen);
    }

    fn drain(&mut self, seen: Seen<'_>) {
        loop {
            match self.rtc.poll_output().expect("a connection that holds") {
                Output::Timeout(at) => {
                    // At most once a millisecond, as browsers do.
                    self.due = at.max(Instant::now() + Duration::from_millis(1));
                    return;
                }
                Output::Transmit(transmit) => {
                    let _ = self.socket.send_to(&transmit.contents, transmit.destination);
                }
                Output::Event(Event::Connected) => self.connected = true,
                Output::Event(Event::RtpPacket(packet)) => {
                    self.note(packet.header.ssrc, *packet.seq_no);
                    seen(&packet);
                }
                Output::Event(_) => {}
            }
        }
    }

    fn note(&mut self, ssrc: Ssrc, seq: u64) {
        let at = self.lines.iter().position(|line| line.ssrc == *ssrc).unwrap_or_else(|| {
            self.lines.push(Line { ssrc: *ssrc, ..Line::default() });
            self.lines.len() - 1
        });
        let line = &mut self.lines[at];
        line.highest = line.highest.max(seq);
        line.packets += u64::from(seq >= line.from);
    }

    /// Sound and picture have come.
    pub fn plays(&self) -> bool {
        self.lines.len() >= 2
    }

    /// Counts anew from here.
    pub fn begin(&mut self) {
        self.other_bytes = 0;
        for line in &mut self.lines {
            *line =
                Line { ssrc: line.ssrc, highest: line.highest, from: line.highest + 1, ..Line::default() };
        }
    }

    /// What was counted since.
    pub fn counted(&self) -> Counted {
        let mut counted = Counted { other_bytes: self.other_bytes, ..Counted::default() };
        for line in &self.lines {
            let sent = (line.highest + 1).saturating_sub(line.from);
            counted += Counted {
                sent,
                came: line.datagrams.min(sent),
                repaired: line.packets.min(sent),
                bytes: line.bytes,
                other_bytes: 0,
            };
        }
        counted
    }
}

/// When a packet was sent, if it says so: microseconds since the load began.
pub fn sent(packet: &RtpPacket) -> Option<u64> {
    let stamp = packet.payload.get(STAMP)?;
    Some(u64::from_be_bytes(stamp.try_into().ok()?))
}
