//! A source for transcoding children: real pictures, and what they are when they break off.

use picture::{
    footage::{Clip, Kind},
    rav1e::{Encoder, Settings},
};
use sfu::transcode::frame::{MediaTime, SourceFrame};
use shared::{
    broadcast::Codec,
    unit::{Bitrate, Size},
};
use std::sync::Arc;

/// A film of the least size that has three rungs, in AV1 at ten pictures a second, again and again.
pub struct Film {
    frames: Vec<Arc<[u8]>>,
    /// The number of the next one, which tells its time.
    pub next: usize,
}

impl Film {
    /// Its pictures' size.
    pub const SIZE: Size = Size { width: 600, height: 600 };
    /// Ticks from one picture to the next.
    pub const STEP: i64 = 9000;
    const PICTURES: usize = 30;

    /// Encodes it.
    pub fn new() -> Self {
        let clip = Clip::new(Kind::Film, Self::SIZE);
        let settings = Settings {
            size: Self::SIZE,
            colour: clip.picture(0).colour,
            rate: 10.0,
            bitrate: Bitrate(600_000),
            keyframes: 1000,
            finest: 0,
        };
        let mut encoder = Encoder::open(settings).expect("an encoder");
        let picture = |number: usize| {
            let view = clip.picture(number as u64 * 3);
            encoder.encode(&view.view()).expect("to encode").expect("a frame").data.into()
        };
        Self { frames: (0..Self::PICTURES).map(picture).collect(), next: 0 }
    }

    /// The next frame. Time goes on when the film begins anew.
    pub fn frame(&mut self) -> SourceFrame {
        let number = self.next;
        self.next += 1;
        let data = Arc::clone(&self.frames[number % Self::PICTURES]);
        let is_first = number.is_multiple_of(Self::PICTURES);
        SourceFrame {
            codec: Codec::Av1,
            time: MediaTime(number as i64 * Self::STEP),
            keyframe: is_first,
            after_gap: false,
            decode_only: false,
            data,
        }
    }

    /// Begins anew.
    pub fn again(&mut self) {
        self.next = self.next.next_multiple_of(Self::PICTURES);
    }
}

/// A temporal unit whose last OBU ends after so many eighths, and says so.
pub fn cut(data: &[u8], eighths: usize) -> Vec<u8> {
    let (mut at, mut whole) = (0, Vec::new());
    loop {
        let (mut size, mut digits) = (0, 0);
        for byte in &data[at + 1..] {
            size |= usize::from(byte & 0x7f) << (7 * digits);
            digits += 1;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let body = at + 1 + digits;
        if body + size < data.len() {
            at = body + size;
            continue;
        }
        whole.extend_from_slice(&data[..=at]);
        let left = size * eighths / 8;
        whole.extend([left as u8 | 0x80, (left >> 7) as u8 | 0x80, (left >> 14) as u8]);
        whole.extend_from_slice(&data[body..body + left]);
        return whole;
    }
}
