//! What a publisher sends: a picture whose packets say which they are, and sound.

use crate::vp8::{self, Shape};
use std::time::{Duration, Instant};
use str0m::{
    Rtc,
    format::Codec,
    media::{Mid, Pt},
    rtp::{RedDecoder, RedEncoder, RedundantBlock, RtpWrite},
};

const FRAME: Duration = Duration::from_nanos(33_333_333);
const VIDEO_CLOCK: u32 = 90_000;
const AUDIO_EVERY: Duration = Duration::from_millis(20);
const AUDIO_STEP: u32 = 960;
/// What a packet of Opus begins with here: 20 ms, stereo, one frame.
const OPUS: u8 = 0xfc;
/// A sequence parameter set of H.264: constrained baseline, 1280×720.
const H264_SEQUENCE: [u8; 25] = [
    0x67, 0x42, 0xc0, 0x1f, 0xd9, 0x00, 0x50, 0x05, 0xbb, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00,
    0x00, 0x03, 0x03, 0xc0, 0xf1, 0x83, 0x24, 0x80,
];

/// What a publisher's sound is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sound {
    /// Packets with numbers in them, which sound like nothing in particular.
    Marks,
    /// Real Opus: a tone of 440 Hz, this loud. Above 1 it is cut off; 0 is silence.
    Tone(f32),
    /// The same marks, each packet with the one before once more (RFC 2198), where that was agreed to. Each packet whose
    /// number is a multiple of `lost` never leaves.
    Redundant {
        /// At least two, as what is lost twice in a row is lost.
        lost: u32,
    },
}

/// What a publisher sends.
#[derive(Debug, Clone, Copy)]
pub struct Source {
    /// A number in every packet, to tell publishers apart.
    pub id: u32,
    /// How many packets a frame has.
    pub shape: Shape,
    /// A keyframe every so many frames; only the first one without.
    pub keyframe_every: Option<u32>,
    /// Also send a keyframe when the server asks for one.
    pub answers_requests: bool,
    /// The first packet's sequence number.
    pub first_sequence: u16,
    /// Whether there is a picture at all.
    pub picture: bool,
    /// VP8, or what stands for H.264.
    pub codec: Codec,
    /// Every third frame is sent after the one that it is shown before. H.264 alone.
    pub b_frames: bool,
    /// What is asked for again is sent again.
    pub repairs: bool,
    /// What the sound is.
    pub sound: Sound,
}

impl Source {
    /// A source that sends one keyframe and then only when it is asked.
    pub fn new(id: u32) -> Self {
        Self {
            id,
            shape: Shape::default(),
            keyframe_every: None,
            answers_requests: true,
            first_sequence: 1000,
            picture: true,
            codec: Codec::Vp8,
            b_frames: false,
            repairs: true,
            sound: Sound::Marks,
        }
    }
}

/// Where a publisher stands in what it sends.
pub(super) struct Sending {
    pub source: Source,
    pub started: Option<Instant>,
    pub frame: u32,
    sequence: u64,
    audio: u32,
    encoder: opus::Encoder,
    pub key_wanted: bool,
}

impl Sending {
    pub fn new(source: Source) -> Self {
        Self {
            source,
            started: None,
            frame: 0,
            sequence: source.first_sequence.into(),
            audio: 0,
            encoder: opus::Encoder::new(48_000, opus::Channels::Stereo, opus::Application::Audio)
                .expect("an encoder"),
            key_wanted: true,
        }
    }

    /// When something is to be sent next.
    pub fn due(&self) -> Option<Instant> {
        let started = self.started?;
        Some((started + FRAME * self.frame).min(started + AUDIO_EVERY * self.audio))
    }

    /// The next 20 ms.
    fn sound(&mut self) -> Vec<u8> {
        match self.source.sound {
            Sound::Marks | Sound::Redundant { .. } => mark(self.audio),
            Sound::Tone(amplitude) => {
                let sample = |at: u32| {
                    let time = (self.audio * AUDIO_STEP + at / 2) as f32 / 48_000.0;
                    ((time * 440.0 * std::f32::consts::TAU).sin() * amplitude).clamp(-1.0, 1.0)
                };
                let pcm: Vec<f32> = (0..AUDIO_STEP * 2).map(sample).collect();
                self.encoder.encode_vec_float(&pcm, 1200).expect("a packet")
            }
        }
    }

    pub fn send(&mut self, rtc: &mut Rtc, video: Mid, audio: Mid, now: Instant) -> bool {
        let Some(started) = self.started else { return false };
        let mut sent = false;
        if now >= started + AUDIO_EVERY * self.audio {
            let payload = self.sound();
            let time = self.audio.wrapping_mul(AUDIO_STEP).wrapping_add(77);
            let packet = Packet { sequence: 500 + u64::from(self.audio), time, marker: false, payload };
            match self.source.sound {
                Sound::Redundant { lost } if self.audio.is_multiple_of(lost) => {}
                Sound::Redundant { .. } => write_redundant(rtc, audio, now, packet, &mark(self.audio - 1)),
                Sound::Marks | Sound::Tone(_) => write(rtc, audio, Codec::Opus, now, false, packet),
            }
            self.audio += 1;
            sent = true;
        }
        if now >= started + FRAME * self.frame && !self.source.picture {
            self.frame += 1;
            sent = true;
        } else if now >= started + FRAME * self.frame {
            let every = self.source.keyframe_every.is_some_and(|every| self.frame.is_multiple_of(every));
            let key = std::mem::take(&mut self.key_wanted) || every;
            let is_b = self.source.b_frames && !key && self.frame % 3 == 2;
            let parts = match self.source.codec {
                Codec::H264 => like_h264(key, is_b, self.source.shape),
                _ => vp8::frame(self.source.id, self.frame, key, self.source.shape),
            };
            let last = parts.len() - 1;
            let shown = if is_b { self.frame - 2 } else { self.frame };
            // Halfway between two others.
            let shown = 2 * u64::from(shown) + u64::from(is_b);
            let time = ((shown * u64::from(VIDEO_CLOCK) / 60) as u32).wrapping_add(3_000_000);
            for (i, payload) in parts.into_iter().enumerate() {
                let packet = Packet { sequence: self.sequence, time, marker: i == last, payload };
                write(rtc, video, self.source.codec, now, self.source.repairs, packet);
                self.sequence += 1;
            }
            self.frame += 1;
            sent = true;
        }
        sent
    }
}

struct Packet {
    sequence: u64,
    time: u32,
    marker: bool,
    payload: Vec<u8>,
}

/// 20 ms of sound by its number.
fn mark(number: u32) -> Vec<u8> {
    let mut payload = vec![OPUS; 60];
    payload[1..5].copy_from_slice(&number.to_be_bytes());
    payload
}

/// The numbers of the 20 ms of sound that a packet brings, the oldest first: one, or two where they are redundant.
///
/// # Panics
/// When it isn't one that a [`Source`] sent.
pub fn marks(payload: &[u8]) -> Vec<u32> {
    let number = |frame: &[u8]| {
        assert_eq!((frame.len(), frame[0]), (60, OPUS), "not ours");
        u32::from_be_bytes([frame[1], frame[2], frame[3], frame[4]])
    };
    if payload[0] == OPUS {
        return vec![number(payload)];
    }
    RedDecoder::decode(payload).expect("RED").iter().map(|block| number(block.payload)).collect()
}

/// Packets that begin as H.264's do (RFC 6184), one slice each.
fn like_h264(key: bool, is_b: bool, shape: Shape) -> Vec<Vec<u8>> {
    const IDR: [u8; 2] = [0x65, 0x88];
    const P: [u8; 2] = [0x41, 0x9a];
    const B: [u8; 2] = [0x01, 0x9e];
    let (slice, count) = match (key, is_b) {
        (true, _) => (IDR, shape.key),
        (_, true) => (B, shape.delta),
        _ => (P, shape.delta),
    };
    let slices = (0..count).map(|_| {
        let mut payload = slice.to_vec();
        payload.resize(shape.bytes, 0x55);
        payload
    });
    let sets = [H264_SEQUENCE.to_vec(), vec![0x68, 0xce, 0x3c, 0x80]];
    sets.into_iter().filter(|_| key).chain(slices).collect()
}

fn write(rtc: &mut Rtc, mid: Mid, codec: Codec, now: Instant, repairs: bool, packet: Packet) {
    let params = rtc.codec_config().find(|params| params.spec().codec == codec).copied();
    if let Some(params) = params {
        write_as(rtc, mid, params.pt(), now, repairs, packet);
    }
}

fn write_redundant(rtc: &mut Rtc, mid: Mid, now: Instant, packet: Packet, before: &[u8]) {
    let params = rtc.codec_config().find(|params| params.spec().codec == Codec::Opus).copied();
    if let Some((opus, red)) = params.and_then(|params| Some((*params.pt(), params.red()?))) {
        let before = RedundantBlock { pt: opus, timestamp_offset: AUDIO_STEP, payload: before.to_vec() };
        let payload = RedEncoder::encode(opus, &packet.payload, &[before]);
        write_as(rtc, mid, red, now, false, Packet { payload, ..packet });
    }
}

fn write_as(rtc: &mut Rtc, mid: Mid, format: Pt, now: Instant, repairs: bool, packet: Packet) {
    if let Some(stream) = rtc.direct_api().stream_tx_by_mid(mid, None) {
        let Packet { sequence, time, marker, payload } = packet;
        let packet = RtpWrite::new(format, sequence.into(), time, now, payload);
        stream.write_rtp(packet.marker(marker).nackable(repairs));
    }
}
