//! What goes into the ladder and what comes out of it: encoded frames, before and after.

use shared::{
    broadcast::Codec,
    unit::{Bitrate, Size},
};
use std::{sync::Arc, time::Duration};

/// A rung's place in a broadcast's ladder, from the largest, 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RungId(pub u8);

/// What a rung is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rung {
    /// Which.
    pub id: RungId,
    /// Its pictures' size; both sides even.
    pub size: Size,
    /// One picture in so many of those taken of the source is encoded: 1, or 2 for half the frame rate.
    pub divisor: u8,
    /// What it is held to.
    pub bitrate: Bitrate,
}

impl Rung {
    /// Pictures a second that are taken of a source at most: what comes faster is thinned before rungs are made of it.
    pub const FASTEST: u8 = 30;

    /// Its pictures a second, of a source with so many. A rate that nobody knows yet is most likely the fastest.
    pub fn frame_rate(&self, source: f32) -> f32 {
        let fastest = f32::from(Self::FASTEST);
        let taken = if source.is_finite() && source >= 1.0 { source.min(fastest) } else { fastest };
        taken / f32::from(self.divisor.max(1))
    }
}

/// Media time: ticks of 90 kHz, extended from the RTP timestamps of one source so that it doesn't wrap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MediaTime(pub i64);

/// One frame as the publisher encoded it, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFrame {
    /// What it is coded in: a picture's codec.
    pub codec: Codec,
    /// When it is to be shown.
    pub time: MediaTime,
    /// Whether decoding can start here.
    pub keyframe: bool,
    /// Whether something before it is missing: what is decoded from it may be garbage until the next keyframe.
    pub after_gap: bool,
    /// Of the past: what follows is decoded from it, and it is not shown itself.
    pub decode_only: bool,
    /// H.264: an access unit in Annex B (start codes). AV1: a temporal unit of OBUs with sizes. VP8, VP9: a frame, with VP9's
    /// superframe if it is one.
    pub data: Arc<[u8]>,
}

/// One frame of a rung.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RungFrame {
    /// The rung that it belongs to.
    pub rung: RungId,
    /// The source's time of the picture in it.
    pub time: MediaTime,
    /// Whether decoding can start here.
    pub keyframe: bool,
    /// An AV1 temporal unit of OBUs with sizes, without its temporal delimiter.
    pub data: Vec<u8>,
    /// How long the encoder was busy with it.
    pub encoding: Duration,
}

/// What comes out of decoding, scaling and encoding, besides pictures.
#[derive(Debug, Clone, PartialEq)]
pub enum Made {
    /// A frame of a rung.
    Frame(RungFrame),
    /// What the source turned out to be: size of its pictures, told at each change.
    Source(Size),
    /// Decoding can't go on before the publisher's next keyframe.
    NeedsKeyframe,
    /// Something of the source can't be used; a sentence for the studio. Others go on.
    Refused(String),
}
