//! A client that can do anything: it speaks ICE and DTLS like a browser, keeps what it sent, and protects whatever it
//! is told to send as RTP or RTCP, however wrong.

use crate::{
    http::Response,
    peer::{post_whep, post_whip},
};
use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use str0m::{
    Candidate, Event, Input, Output, Rtc, RtcConfig,
    change::SdpAnswer,
    crypto::{
        CryptoError, CryptoProvider,
        dtls::{
            DtlsCert, DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, DtlsVersion, ProtocolVersion,
        },
        from_feature_flags,
    },
    media::{Direction, MediaKind},
    net::{Protocol, Receive},
};

/// The longest a handshake may take on a machine that runs other tests.
const HANDSHAKE: Duration = Duration::from_secs(15);

/// DTLS that gives its keys away.
struct Telltale(Arc<Mutex<Option<Keys>>>);

struct Handshake {
    inner: Box<dyn DtlsInstance>,
    keys: Arc<Mutex<Option<Keys>>>,
}

/// What SRTP's keys are derived from, as seen from this side.
#[derive(Clone)]
struct Keys {
    master: Vec<u8>,
    salt: Vec<u8>,
}

impl fmt::Debug for Telltale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Telltale")
    }
}

impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handshake")
    }
}

impl DtlsProvider for Telltale {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        from_feature_flags().dtls_provider.generate_certificate()
    }

    fn new_dtls(
        &self,
        cert: &DtlsCert,
        now: Instant,
        version: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        let inner = from_feature_flags().dtls_provider.new_dtls(cert, now, version, mtu)?;
        Ok(Box::new(Handshake { inner, keys: Arc::clone(&self.0) }))
    }
}

impl DtlsInstance for Handshake {
    fn set_active(&mut self, active: bool) {
        self.inner.set_active(active);
    }
    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        self.inner.handle_packet(packet)
    }
    fn poll_output<'a>(&mut self, buf: &'a mut [u8]) -> DtlsOutput<'a> {
        let is_client = self.inner.is_active();
        let output = self.inner.poll_output(buf);
        if let DtlsOutput::KeyingMaterial(material, _) = &output {
            // RFC 5764, 4.2: both keys, then both salts, the DTLS client's first.
            let salt_bytes = if material.len() == 60 { 14 } else { 12 };
            let key_bytes = material.len() / 2 - salt_bytes;
            let side = usize::from(!is_client);
            let salts = &material[2 * key_bytes..];
            *self.keys.lock().expect("the keys") = Some(Keys {
                master: material[side * key_bytes..][..key_bytes].to_vec(),
                salt: salts[side * salt_bytes..][..salt_bytes].to_vec(),
            });
        }
        output
    }
    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.inner.handle_timeout(now)
    }
    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        self.inner.send_application_data(data)
    }
    fn is_active(&self) -> bool {
        self.inner.is_active()
    }
    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.inner.protocol_version()
    }
    fn is_closing(&self) -> bool {
        self.inner.is_closing()
    }
    fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }
    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.inner.close()
    }
}

impl Keys {
    /// RFC 3711, 4.3: AES in counter mode over the salt and a label.
    fn derive(&self, label: u8, bytes: usize) -> Vec<u8> {
        let srtp = from_feature_flags().srtp_provider;
        let mut input = [0; 16];
        input[..self.salt.len()].copy_from_slice(&self.salt);
        input[7] ^= label;
        let mut derived = Vec::new();
        for round in 0_u16.. {
            if derived.len() >= bytes {
                break;
            }
            input[14..].copy_from_slice(&round.to_be_bytes());
            let mut block = [0; 32];
            if self.master.len() == 32 {
                srtp.srtp_aes_256_ecb_round(&self.master, &input, &mut block);
            } else {
                srtp.srtp_aes_128_ecb_round(&self.master, &input, &mut block);
            }
            derived.extend_from_slice(&block[..16]);
        }
        derived.truncate(bytes);
        derived
    }

    /// Seals with AES-GCM (RFC 7714).
    fn seal(&self, label: u8, iv: &[u8; 12], aad: &[u8], plain: &[u8]) -> Vec<u8> {
        let srtp = from_feature_flags().srtp_provider;
        let key = self.derive(label, self.master.len());
        let mut sealed = vec![0; plain.len() + 16];
        match <[u8; 32]>::try_from(&key[..]) {
            Ok(key) => srtp.aead_aes_256_gcm().create_cipher(key, true).encrypt(iv, aad, plain, &mut sealed),
            Err(_) => {
                let key = key[..16].try_into().expect("16 bytes");
                srtp.aead_aes_128_gcm().create_cipher(key, true).encrypt(iv, aad, plain, &mut sealed)
            }
        }
        .expect("to seal");
        sealed
    }

    fn iv(&self, label: u8, mut iv: [u8; 12]) -> [u8; 12] {
        iv.iter_mut().zip(self.derive(label, 12)).for_each(|(byte, salt)| *byte ^= salt);
        iv
    }
}

/// See the module.
pub struct Attacker {
    rtc: Rtc,
    /// Its socket: the address that the server knows it by.
    pub socket: UdpSocket,
    /// Where the server listens.
    pub server: SocketAddr,
    keys: Arc<Mutex<Option<Keys>>>,
    /// Every datagram that it sent by itself.
    pub sent: Vec<Vec<u8>>,
    /// Keyframes that the server asked for.
    pub keyframe_requests: usize,
    /// Media packets that came.
    pub received: usize,
    /// The source of the picture that it is sent.
    pub video_ssrc: Option<u32>,
    /// The handshake is done.
    pub connected: bool,
    /// The answer to its offer.
    pub answer: String,
    /// The sources that its offer named, in this order: of sound and of the picture, without those of resends.
    pub sources: Vec<u32>,
    rtcp_index: u32,
}

impl Attacker {
    /// Publishes VP8 and Opus to a channel, as far as the offer goes.
    pub fn publish(http: SocketAddr, channel: &str, key: &str) -> Self {
        Self::open(Direction::SendOnly, |sdp| post_whip(http, &format!("/whip/{channel}"), key, sdp))
    }

    /// Watches a channel, as far as the offer goes.
    pub fn watch(http: SocketAddr, channel: &str) -> Self {
        Self::open(Direction::RecvOnly, |sdp| post_whep(http, channel, sdp))
    }

    fn open(direction: Direction, post: impl FnOnce(&str) -> Response) -> Self {
        let keys = Arc::default();
        // A provider is static; a test's few are never given back.
        let dtls = Box::leak(Box::new(Telltale(Arc::clone(&keys))));
        let provider = Arc::new(CryptoProvider { dtls_provider: dtls, ..from_feature_flags() });
        let mut rtc = RtcConfig::new()
            .set_crypto_provider(provider)
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_opus(true, false)
            .enable_vp8(true)
            .build(Instant::now());
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
        let address = socket.local_addr().expect("its address");
        rtc.add_local_candidate(Candidate::host(address, "udp").expect("a candidate"));
        let mut changes = rtc.sdp_api();
        for kind in [MediaKind::Audio, MediaKind::Video] {
            changes.add_media(kind, direction, None, None, None);
        }
        let (offer, pending) = changes.apply().expect("something to offer");
        let offer = offer.to_sdp_string();
        let response = post(&offer);
        assert_eq!(response.status, 201, "{}", response.text());
        let answer = response.text();
        let accepted = SdpAnswer::from_sdp_string(&answer).expect("an answer");
        rtc.sdp_api().accept_answer(pending, accepted).expect("an answer that fits");
        let candidate =
            answer.lines().find_map(|line| line.strip_prefix("a=candidate:")).expect("a candidate");
        let words: Vec<&str> = candidate.split_whitespace().collect();
        let server = format!("{}:{}", words[4], words[5]).parse().expect("the server's address");
        let resends: Vec<&str> = offer
            .lines()
            .filter_map(|line| line.strip_prefix("a=ssrc-group:FID ")?.split_whitespace().nth(1))
            .collect();
        let mut sources: Vec<u32> = offer
            .lines()
            .filter_map(|line| line.strip_prefix("a=ssrc:")?.split_whitespace().next())
            .filter(|ssrc| !resends.contains(ssrc))
            .filter_map(|ssrc| ssrc.parse().ok())
            .collect();
        sources.dedup();
        Self {
            rtc,
            socket,
            server,
            keys,
            sources,
            sent: Vec::new(),
            keyframe_requests: 0,
            received: 0,
            video_ssrc: None,
            connected: false,
            answer,
            rtcp_index: 1 << 20,
        }
    }

    /// Gives what its own state machine wants to send, and takes what came in the next few milliseconds.
    pub fn turn(&mut self, mut send: impl FnMut(&UdpSocket, SocketAddr, &[u8])) {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Transmit(transmit)) => {
                    self.sent.push(transmit.contents.to_vec());
                    send(&self.socket, transmit.destination, &transmit.contents);
                }
                Ok(Output::Event(Event::Connected)) => self.connected = true,
                Ok(Output::Event(Event::KeyframeRequest(_))) => self.keyframe_requests += 1,
                Ok(Output::Event(Event::RtpPacket(packet))) => {
                    self.received += 1;
                    let params =
                        self.rtc.codec_config().find(|params| params.pt() == packet.header.payload_type);
                    if params.is_some_and(|params| params.spec().codec.is_video()) {
                        self.video_ssrc = Some(*packet.header.ssrc);
                    }
                }
                Ok(Output::Event(_)) => {}
                Ok(Output::Timeout(_)) | Err(_) => break,
            }
        }
        let own = self.socket.local_addr().expect("its address");
        self.socket.set_read_timeout(Some(Duration::from_millis(2))).expect("a timeout");
        let mut buffer = [0; 2000];
        let mut input = Input::Timeout(Instant::now());
        if let Ok((size, source)) = self.socket.recv_from(&mut buffer)
            && let Ok(receive) = Receive::new(Protocol::Udp, source, own, &buffer[..size])
        {
            input = Input::Receive(Instant::now(), receive);
        }
        // It may well be thrown out: that is the server's right.
        let _ = self.rtc.handle_input(input);
    }

    /// The same, sending honestly.
    pub fn honest_turn(&mut self) {
        self.turn(|socket, to, datagram| drop(socket.send_to(datagram, to)));
    }

    /// Goes on honestly until the connection stands.
    ///
    /// # Panics
    /// When it never does.
    pub fn connect(&mut self) {
        let deadline = Instant::now() + HANDSHAKE;
        while !self.connected || self.keys.lock().expect("the keys").is_none() {
            assert!(Instant::now() < deadline, "the handshake was not done in {HANDSHAKE:?}");
            self.honest_turn();
        }
    }

    /// Sends a datagram as it is.
    pub fn raw(&self, datagram: &[u8]) {
        let _ = self.socket.send_to(datagram, self.server);
    }

    /// Protects an RTP packet and sends it. `plain` begins with a header of `header` bytes, of which any may be a lie;
    /// `rollover` is how often its sequence number has wrapped.
    pub fn rtp(&self, plain: &[u8], header: usize, rollover: u32) -> Vec<u8> {
        let keys = self.keys();
        let mut iv = [0; 12];
        iv[2..6].copy_from_slice(&plain[8..12]);
        iv[6..10].copy_from_slice(&rollover.to_be_bytes());
        iv[10..].copy_from_slice(&plain[2..4]);
        let mut packet = plain[..header].to_vec();
        packet.extend(keys.seal(0, &keys.iv(2, iv), &plain[..header], &plain[header..]));
        self.raw(&packet);
        packet
    }

    /// Protects a compound RTCP packet, of which anything but the first eight bytes' place may be a lie, and sends it.
    pub fn rtcp(&mut self, plain: &[u8]) {
        let keys = self.keys();
        self.rtcp_index += 1;
        let index = (0x8000_0000 | self.rtcp_index).to_be_bytes();
        let mut iv = [0; 12];
        iv[2..6].copy_from_slice(&plain[4..8]);
        iv[8..].copy_from_slice(&self.rtcp_index.to_be_bytes());
        let mut packet = plain[..8].to_vec();
        let aad: Vec<u8> = plain[..8].iter().chain(&index).copied().collect();
        packet.extend(keys.seal(3, &keys.iv(5, iv), &aad, &plain[8..]));
        packet.extend(index);
        self.raw(&packet);
    }

    fn keys(&self) -> Keys {
        self.keys.lock().expect("the keys").clone().expect("a handshake that is done")
    }
}

/// An RTP header without extensions.
pub fn rtp_header(pt: u8, marker: bool, seq: u16, time: u32, ssrc: u32) -> Vec<u8> {
    let mut header = vec![0x80, pt | u8::from(marker) << 7];
    header.extend(seq.to_be_bytes());
    header.extend(time.to_be_bytes());
    header.extend(ssrc.to_be_bytes());
    header
}
