//! What is sent to a viewer, from a packet of a broadcast to the sealed datagram, and what the viewer reports of it. str0m
//! makes the connection (ICE, DTLS) and agrees on what is sent (SDP); media goes past it, as this is the part that every
//! packet pays for as often as there are viewers. Each packet is written, sealed and left in the buffer that the kernel reads
//! it from.

pub mod clock;
pub mod estimate;
pub mod exit;
pub mod header;
pub mod kept;
pub mod line;
pub mod log;
pub mod repair;
mod reports;
pub mod rtcp;
pub mod srtp;
pub mod window;

use super::{
    peer::{Measured, Outgoing},
    prefetch::prefetch,
};
use clock::ntp;
use estimate::Estimator;
use exit::Exit;
use header::{Head, Values};
use kept::{Kept, Sent};
use line::Line;
use log::SendLog;
use repair::{Allowance, Allowed, Doubling};
use reports::REPORTS;
use shared::broadcast::Codec;
use srtp::{Keys, Opener, Sealer};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Packets of a frame that differ by no more than this are padded to one size, so that they leave in one segmented send.
const MOST_PADDING: usize = 24;
/// The first report follows a stream's first packet after this time, in which its other packets and the other stream come.
const FIRST_REPORT: Duration = Duration::from_millis(20);
/// A packet isn't sent again twice within most of a round trip, in which the first repair may still be on its way, and of
/// this at most: who asks once more after that has waited.
const ROUND_TRIP: Duration = Duration::from_millis(60);
/// The shortest time between two packets of a probe that leave by themselves.
const SHORTEST: Duration = Duration::from_millis(1);
/// The least and the most that a picture is to wait at the viewer's before it is shown, in hundredths of a second: whatever its
/// network did, it stays below a second. A most of half a second or less would have Chromium give up its jitter buffer.
const PLAYOUT: (u16, u16) = (0, 100);
/// One packet in so many is measured on its way.
const MEASURE_EVERY: u64 = 8;

/// What a viewer takes, by codec.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// The codec.
    pub codec: Codec,
    /// Its payload type, and that of its repairs.
    pub payload_type: u8,
    /// See `payload_type`.
    pub repairs: Option<u8>,
}

/// Something that a viewer said, or that became known of the way to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum News {
    /// It wants a keyframe of its picture.
    KeyframeWanted,
    /// The estimate of what the way carries, in bits a second.
    Estimated(u64),
    /// Once a second.
    Measured(Measured),
}

/// See the module.
pub struct Egress {
    ciphers: Option<(Box<Sealer>, Box<Opener>)>,
    audio: Option<Line>,
    video: Option<Line>,
    formats: Vec<Format>,
    /// The payload type of redundant sound, if it is taken.
    red: Option<u8>,
    kept: Kept,
    /// Packets that are to be sent again.
    missing: Vec<Sent>,
    allowance: Allowance,
    doubling: Doubling,
    log: SendLog,
    /// Without one, what the way carries is nobody's concern.
    estimator: Option<Box<Estimator>>,
    told: Option<u64>,
    /// What the picture lost, as the viewer reported since it was looked at last.
    lost: Option<f32>,
    round_trip: Option<Duration>,
    /// Whose time was told, which, and when.
    time: Option<(u32, u32, Instant)>,
    report_due: Option<Instant>,
    measure_due: Option<Instant>,
    name: String,
}

impl Egress {
    /// Nothing is sent yet. `meters`: what the way carries is to be estimated, if the viewer tells.
    pub fn new(meters: bool, name: String, now: Instant) -> Self {
        Self {
            ciphers: None,
            audio: None,
            video: None,
            formats: Vec::new(),
            red: None,
            kept: Kept::default(),
            missing: Vec::new(),
            allowance: Allowance::new(now),
            doubling: Doubling::default(),
            log: SendLog::default(),
            estimator: meters.then(Box::default),
            told: None,
            lost: None,
            round_trip: None,
            time: None,
            report_due: None,
            measure_due: None,
            name,
        }
    }

    /// The keys of the session are there.
    pub fn secure(&mut self, keys: &Keys) -> Result<(), srtp::Unfit> {
        let (sealer, opener) = srtp::ciphers(keys)?;
        self.ciphers = Some((Box::new(sealer), Box::new(opener)));
        Ok(())
    }

    /// The line of sound, or that of the picture.
    pub fn line(&self, audio: bool) -> Option<&Line> {
        if audio { self.audio.as_ref() } else { self.video.as_ref() }
    }

    /// Asks for the memory that sending looks at, of what this points to.
    pub fn prefetch(&self) {
        self.ciphers.iter().for_each(|(sealer, _)| sealer.prefetch());
        self.estimator.iter().for_each(|estimator| prefetch(&**estimator));
        self.kept.prefetch();
        self.log.prefetch();
    }

    /// Adds the line of sound, or that of the picture.
    pub fn set_line(&mut self, audio: bool, line: Line) {
        *(if audio { &mut self.audio } else { &mut self.video }) = Some(line);
    }

    /// What the viewer takes of a codec.
    pub fn format(&self, codec: Codec) -> Option<&Format> {
        self.formats.iter().find(|format| format.codec == codec)
    }

    /// Adds what it takes of a codec; the first one of each counts.
    pub fn add_format(&mut self, format: Format, red: Option<u8>) {
        if self.format(format.codec).is_none() {
            self.formats.push(format);
            if format.codec == Codec::Opus {
                self.red = red;
            }
        }
    }

    /// How many bits a second there would be use for; 0: whatever there is.
    pub fn want(&mut self, bits: u64) {
        if let Some(estimator) = &mut self.estimator {
            estimator.want(bits);
        }
    }

    /// Those of `numbers` that are kept and did not leave again within a round trip are to be sent again.
    fn is_missing(&mut self, numbers: impl Iterator<Item = u16>, now: Instant) {
        let patience = self.round_trip.unwrap_or(ROUND_TRIP).min(ROUND_TRIP).mul_f32(0.7);
        for number in numbers {
            let Some(size) = self.kept.missing(number, patience, now) else { continue };
            match self.allowance.allows(size, now) {
                Allowed::Now => self.missing.extend(self.kept.again(number, now)),
                Allowed::Later => return,
                Allowed::Storm => {
                    tracing::debug!("a viewer asks for more repair than it can have lost");
                    self.kept.forget();
                    return;
                }
            }
        }
    }

    /// Sends `packets`, a picture's before sound, so that sound ends the picture's segmented send, and what is due. Answers
    /// when it is to be called again.
    pub fn poll(
        &mut self,
        packets: &[Outgoing],
        now: Instant,
        mut exit: Exit<'_>,
        mut news: impl FnMut(News),
    ) -> Option<Instant> {
        self.ciphers.as_ref()?;
        for frame in packets.chunk_by(|one, next| (one.codec, one.time) == (next.codec, next.time)) {
            self.send_frame(frame, now, &mut exit);
        }
        self.send_missing(now, &mut exit);
        self.probe(now, &mut exit);
        if self.report_due.is_some_and(|due| due <= now) {
            self.report(now, &mut exit);
        }
        if *self.measure_due.get_or_insert(now + REPORTS) <= now {
            self.measure_due = Some(now + REPORTS);
            news(News::Measured(self.measured(now)));
        }
        let probe = self.estimator.as_mut().and_then(|estimator| {
            estimator.expire(now);
            estimator.next()
        });
        // A probe that has nothing to send with must not keep the shard from everything else.
        let probe = probe.map(|at| at.max(now + SHORTEST));
        [self.report_due, self.measure_due, probe].into_iter().flatten().min()
    }

    /// Sends packets of one frame on one line.
    fn send_frame(&mut self, frame: &[Outgoing], now: Instant, exit: &mut Exit<'_>) {
        let Some((sealer, _)) = &self.ciphers else { return };
        let Some(first) = frame.first() else { return };
        let is_audio = first.codec == Codec::Opus;
        let Some(format) = self.formats.iter().find(|format| format.codec == first.codec) else { return };
        let Some(line) = (if is_audio { &mut self.audio } else { &mut self.video }) else { return };
        let tells_capture = line.numbers.capture.is_some()
            && line.state.tells_capture(first.time, first.captured, line.clock_rate);
        let mut values = Values {
            mid: (!line.state.is_known).then_some(&line.mid),
            transport: line.numbers.transport.map(|_| 0),
            ..Values::default()
        };
        let tells_delay = tells_capture || !line.state.is_known;
        let numbers = line.numbers;
        let heads = |packet: &Outgoing, at: usize, values: &mut Values<'_>| {
            values.quarter_turns = packet.quarter_turns;
            values.capture = (tells_capture && at == 0).then(|| ntp(packet.captured));
            values.playout = (tells_delay && at == 0).then_some(PLAYOUT);
            numbers.length(values)
        };
        let largest = (frame.len() > 1).then(|| {
            let sizes = frame.iter().enumerate();
            sizes.map(|(at, packet)| heads(packet, at, &mut values) + packet.payload.len()).max().unwrap_or(0)
        });
        for (at, packet) in frame.iter().enumerate() {
            if !line.state.sealed.is_new(packet.seq) {
                continue;
            }
            line.state.sealed.note(packet.seq);
            let length = heads(packet, at, &mut values);
            // What it says of the payload type inside must hold here, too.
            let redundant = self
                .red
                .zip(packet.redundant.as_ref())
                .filter(|(_, (_, inner))| format.payload_type == *inner);
            let (payload_type, payload) = match redundant {
                Some((red, (payload, _))) => (red, payload),
                None => (format.payload_type, &packet.payload),
            };
            let plain = length + payload.len();
            let padding = largest.map_or(0, |largest| largest.saturating_sub(plain));
            let padding = if padding <= MOST_PADDING { padding } else { 0 };
            let size = plain + padding + sealer.rtp_overhead();
            if line.numbers.transport.is_some() {
                values.transport = Some(self.log.next() as u16);
                let probe = self.estimator.as_mut().and_then(|estimator| estimator.left(size, now));
                self.log.left(now, size, probe);
            }
            let head = Head {
                marker: packet.marker,
                payload_type,
                seq: packet.seq as u16,
                time: packet.time,
                ssrc: line.ssrc,
            };
            let arrived = packet.arrived.filter(|_| packet.seq.is_multiple_of(MEASURE_EVERY));
            exit.put(size, arrived, |out| {
                numbers.write(out, &head, &values, padding > 0);
                let body = &mut out[length..length + payload.len()];
                body.copy_from_slice(payload);
                if let Some(picture) = packet.picture {
                    header::renumber_vp8(body, picture);
                }
                pad(&mut out[plain..plain + padding]);
                sealer.seal_rtp(out, length, packet.seq);
            });
            let state = &mut line.state;
            state.packets = state.packets.wrapping_add(1);
            state.bytes = state.bytes.wrapping_add(payload.len() as u32);
            state.tie = Some((packet.time, packet.stands_for));
            self.allowance.sent(size);
            if let (false, Some(repairs)) = (is_audio, format.repairs.filter(|_| line.repairs.is_some())) {
                let times = (packet.time, packet.marker);
                let mut sent = Sent::new(packet.seq, times, repairs, Arc::clone(payload));
                (sent.picture, sent.quarter_turns) = (packet.picture, packet.quarter_turns);
                self.kept.keep(sent, now);
            }
        }
        if line.state.began.is_none() {
            line.state.began = Some(now);
            self.report_due = Some(now + FIRST_REPORT);
        }
    }

    /// Sends again what is missing (RFC 4588).
    fn send_missing(&mut self, now: Instant, exit: &mut Exit<'_>) {
        if self.missing.is_empty() {
            return;
        }
        for sent in std::mem::take(&mut self.missing) {
            self.send_again(&sent, now, exit);
            if self.doubling.is_on && self.allowance.allows(sent.payload.len(), now) == Allowed::Now {
                self.send_again(&sent, now, exit);
            }
        }
    }

    /// Sends a packet again.
    fn send_again(&mut self, sent: &Sent, now: Instant, exit: &mut Exit<'_>) {
        let (Some((sealer, _)), Some(line)) = (&self.ciphers, &mut self.video) else { return };
        let Some(ssrc) = line.repairs else { return };
        line.state.repair_seq += 1;
        let seq = line.state.repair_seq;
        let values = Values {
            mid: (!line.state.is_known).then_some(&line.mid),
            transport: line.numbers.transport.map(|_| self.log.next() as u16),
            quarter_turns: sent.quarter_turns,
            ..Values::default()
        };
        let length = line.numbers.length(&values);
        let size = length + 2 + sent.payload.len() + sealer.rtp_overhead();
        if line.numbers.transport.is_some() {
            let probe = self.estimator.as_mut().and_then(|estimator| estimator.left(size, now));
            self.log.left(now, size, probe);
        }
        let head = Head {
            marker: sent.marker,
            payload_type: sent.payload_type,
            seq: seq as u16,
            time: sent.time,
            ssrc,
        };
        exit.put(size, None, |out| {
            line.numbers.write(out, &head, &values, false);
            out[length..length + 2].copy_from_slice(&(sent.seq as u16).to_be_bytes());
            let body = &mut out[length + 2..length + 2 + sent.payload.len()];
            body.copy_from_slice(&sent.payload);
            if let Some(picture) = sent.picture {
                header::renumber_vp8(body, picture);
            }
            sealer.seal_rtp(out, length, seq);
        });
    }

    /// Sends what finds out whether the way carries more: packets that were sent already, as only their pace counts.
    fn probe(&mut self, now: Instant, exit: &mut Exit<'_>) {
        let can_probe = self
            .video
            .as_ref()
            .is_some_and(|line| line.repairs.is_some() && line.numbers.transport.is_some());
        if !can_probe || !self.estimator.as_ref().is_some_and(|estimator| estimator.may_probe(now)) {
            return;
        }
        let Some(sent) = self.kept.largest().cloned() else { return };
        while self.estimator.as_mut().is_some_and(|estimator| estimator.probes(now)) {
            self.send_again(&sent, now, exit);
        }
    }
}

/// RTP's padding: nothing, and at its end how much of it (RFC 3550, 5.1).
fn pad(room: &mut [u8]) {
    let count = room.len() as u8;
    if let Some((last, rest)) = room.split_last_mut() {
        rest.fill(0);
        *last = count;
    }
}
