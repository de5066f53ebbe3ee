//! A publisher's RTP payloads put together to whole frames.
//!
//! Packets may come in any order, late, twice or never: what is missing is waited for a little, and then what came after it
//! goes on, told that it comes after a gap. Whatever arrives, so much is kept at most.

mod av1;
mod h264;
mod vp8;
mod vp9;

use super::frame::{MediaTime, SourceFrame};
use shared::broadcast::Codec;
use std::{collections::BTreeMap, sync::Arc};

/// No frame is larger: more than two seconds of 30 Mbit/s. One that grows beyond it is dropped.
pub const MOST_FRAME: usize = 8 << 20;
/// The most packets that wait for one that is missing, and their bytes.
const MOST_WAITING: usize = 256;
const MOST_WAITING_BYTES: usize = 1 << 20;
/// How long a missing packet is waited for, by the media that came behind it, in ticks of 90 kHz: 200 ms. A repair takes one
/// round trip.
const PATIENCE: i32 = 18_000;

/// One packet of a track, as the hub forwards it.
#[derive(Debug, Clone)]
pub struct Received {
    /// Sequence number, extended so that it doesn't wrap.
    pub seq: u64,
    /// RTP timestamp, in ticks of 90 kHz.
    pub time: u32,
    /// The last packet of its frame.
    pub marker: bool,
    /// RTP payload without its header.
    pub payload: Arc<[u8]>,
}

/// What was put together of a frame, with whether decoding can start with it.
struct Whole {
    data: Vec<u8>,
    keyframe: bool,
}

/// It can't be put together: a part is missing, or it isn't what the payload format says.
#[derive(Debug, PartialEq, Eq)]
struct Broken;

/// What a payload format knows. Reads hostile bytes: never panics.
trait Format: Send {
    /// Whether a frame may begin with this payload. Asked after a gap only.
    fn may_begin(&self, payload: &[u8]) -> bool;
    /// Takes the next payload of the frame.
    fn take(&mut self, payload: &[u8]) -> Result<(), Broken>;
    /// How many bytes it holds.
    fn held(&self) -> usize;
    /// Hands out the frame, if there is a picture in it, and is as new.
    fn finish(&mut self) -> Result<Option<Whole>, Broken>;
    /// Forgets what it holds of a frame.
    fn clear(&mut self);
}

/// See the module. One for each track and codec.
pub struct Depacketizer {
    codec: Codec,
    format: Box<dyn Format>,
    /// What came too early, by sequence number.
    waiting: BTreeMap<u64, Received>,
    waiting_bytes: usize,
    /// The sequence number that is next.
    next: Option<u64>,
    /// The last timestamp, as it came and unwrapped.
    clock: Option<(u32, i64)>,
    state: State,
    /// Something was lost since the last frame.
    lost: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The next packet begins a frame.
    Between,
    /// In the frame of this time.
    Within(i64),
    /// In the frame of this time, which is lost.
    Passing(i64),
}

impl Depacketizer {
    /// For a picture's codec. `None`: it is sound's.
    pub fn new(codec: Codec) -> Option<Self> {
        let format: Box<dyn Format> = match codec {
            Codec::Vp8 => Box::<vp8::Vp8>::default(),
            Codec::Vp9 => Box::<vp9::Vp9>::default(),
            Codec::H264 => Box::<h264::H264>::default(),
            Codec::Av1 => Box::<av1::Av1>::default(),
            Codec::Opus => return None,
        };
        Some(Self {
            codec,
            format,
            waiting: BTreeMap::new(),
            waiting_bytes: 0,
            next: None,
            clock: None,
            // Whether it begins with a frame is to be seen.
            state: State::Passing(i64::MIN),
            lost: true,
        })
    }

    /// What it puts together.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// Takes a packet; answers the frames that are whole now, in order. Their times go on from the first packet's timestamp.
    pub fn push(&mut self, packet: Received) -> Vec<SourceFrame> {
        let mut frames = Vec::new();
        let mut next = *self.next.get_or_insert(packet.seq);
        if packet.seq < next || self.waiting.contains_key(&packet.seq) {
            return frames;
        }
        self.waiting_bytes += packet.payload.len();
        self.waiting.insert(packet.seq, packet);
        while let Some(first) = self.waiting.first_entry() {
            let is_next = *first.key() == next;
            if !is_next && !is_overdue(&self.waiting, self.waiting_bytes) {
                break;
            }
            let Some((seq, packet)) = self.waiting.pop_first() else { break };
            self.waiting_bytes -= packet.payload.len();
            next = seq.saturating_add(1);
            self.in_order(&packet, !is_next, &mut frames);
        }
        self.next = Some(next);
        frames
    }

    fn unwrapped(&mut self, time: u32) -> i64 {
        let unwrapped = match self.clock {
            Some((last, at)) => at.saturating_add(i64::from(time.wrapping_sub(last).cast_signed())),
            None => i64::from(time),
        };
        self.clock = Some((time, unwrapped));
        unwrapped
    }

    fn in_order(&mut self, packet: &Received, after_gap: bool, frames: &mut Vec<SourceFrame>) {
        if after_gap {
            self.lost = true;
            if let State::Within(time) = self.state {
                self.format.clear();
                self.state = State::Passing(time);
            }
        }
        // Padding, which probes for bandwidth, is of no frame.
        if packet.payload.is_empty() {
            return;
        }
        let time = self.unwrapped(packet.time);
        match self.state {
            State::Within(at) if at != time => {
                // It ended without saying so.
                self.finish(at, frames);
                self.begin(packet, time, after_gap);
            }
            State::Passing(at) if at != time => self.begin(packet, time, true),
            State::Between => self.begin(packet, time, after_gap),
            State::Within(_) | State::Passing(_) => {}
        }
        if let State::Within(at) = self.state {
            let fits = self.format.held() + packet.payload.len() <= MOST_FRAME;
            if !fits || self.format.take(&packet.payload).is_err() {
                self.give_up(at);
            }
        }
        if packet.marker {
            if let State::Within(at) = self.state {
                self.finish(at, frames);
            }
            self.state = State::Between;
        }
    }

    fn begin(&mut self, packet: &Received, time: i64, is_doubtful: bool) {
        let begins = !is_doubtful || self.format.may_begin(&packet.payload);
        self.state = if begins { State::Within(time) } else { State::Passing(time) };
        self.lost |= !begins;
    }

    fn give_up(&mut self, time: i64) {
        self.format.clear();
        self.state = State::Passing(time);
        self.lost = true;
    }

    fn finish(&mut self, time: i64, frames: &mut Vec<SourceFrame>) {
        self.state = State::Between;
        match self.format.finish() {
            Ok(Some(Whole { data, keyframe })) => {
                // A keyframe doesn't mind what is missing before it.
                let after_gap = std::mem::take(&mut self.lost) && !keyframe;
                let (codec, time, data) = (self.codec, MediaTime(time), data.into());
                frames.push(SourceFrame { codec, time, keyframe, after_gap, decode_only: false, data });
            }
            Ok(None) => {}
            Err(Broken) => {
                self.format.clear();
                self.lost = true;
            }
        }
    }
}

fn is_overdue(waiting: &BTreeMap<u64, Received>, bytes: usize) -> bool {
    let (Some((_, first)), Some((_, last))) = (waiting.first_key_value(), waiting.last_key_value()) else {
        return false;
    };
    waiting.len() > MOST_WAITING
        || bytes > MOST_WAITING_BYTES
        || last.time.wrapping_sub(first.time).cast_signed() > PATIENCE
}

/// A number of AV1's (4.10.5), and how many bytes it has. `None`: it is cut off or longer than 32 bits.
pub(super) fn leb128(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0u64;
    for (at, &byte) in bytes.iter().take(8).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((usize::try_from(u32::try_from(value).ok()?).ok()?, at + 1));
        }
    }
    None
}

#[cfg(test)]
pub(super) mod tests;
