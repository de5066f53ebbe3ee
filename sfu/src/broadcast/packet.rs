//! A packet on its way through a broadcast, shared by all who get it.

use shared::broadcast::Codec;
use std::{sync::Arc, time::Instant};

/// Which publisher a packet is from. Later publishers of a channel have higher numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Epoch(pub u64);

/// One track of one publisher's session, unique while the server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrackKey {
    /// The publisher.
    pub epoch: Epoch,
    /// Its position among that publisher's tracks.
    pub index: u8,
}

/// Positions from here on are of tracks that the server makes of a publisher's.
const MADE: u8 = 64;

impl TrackKey {
    /// A track that the server makes of this publisher's media, by a number below 64.
    pub fn made(epoch: Epoch, number: u8) -> Self {
        Self { epoch, index: MADE | number }
    }

    /// Its number, if the server makes it and no publisher sends it.
    pub fn made_number(self) -> Option<u8> {
        (self.index & MADE != 0).then_some(self.index & !MADE)
    }

    /// Whether the server makes it.
    pub fn is_made(self) -> bool {
        self.made_number().is_some()
    }
}

/// One audio or video line, or one encoding of a simulcast line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Track {
    /// Which.
    pub key: TrackKey,
    /// What it is coded in.
    pub codec: Codec,
    /// The simulcast encoding's `Rid`, if it is one of several; the name of one that the server makes.
    pub rid: Option<String>,
    /// RTP ticks a second: 90,000 for video, 48,000 for Opus.
    pub clock_rate: u32,
}

impl Track {
    /// Whether it is a sound track.
    pub fn is_audio(&self) -> bool {
        self.codec == Codec::Opus
    }

    /// Its name as a rendition: the `Rid`, or `source`.
    pub fn rendition(&self) -> &str {
        self.rid.as_deref().unwrap_or("source")
    }
}

/// The numbers of a VP8 picture (RFC 7741, 4.2), which must not jump back in one viewer's stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picture {
    /// The picture id.
    pub id: u16,
    /// Whether it has 15 bits, or 7.
    pub is_wide: bool,
    /// The number of the lowest temporal layer's picture, TL0PICIDX.
    pub base: Option<u8>,
}

/// One RTP packet as it came from the publisher. The payload is shared, never copied per viewer.
#[derive(Debug, Clone)]
pub struct Packet {
    /// The track it belongs to.
    pub track: Arc<Track>,
    /// Sequence number, extended beyond 16 bits.
    pub seq: u64,
    /// RTP timestamp in ticks of the track's clock.
    pub time: u32,
    /// The last packet of a frame (video) or the first of a talk spurt (audio).
    pub marker: bool,
    /// The first packet of a keyframe.
    pub starts_keyframe: bool,
    /// The numbers that a VP8 payload gives its picture.
    pub picture: Option<Picture>,
    /// When the media was captured, in the server's clock, as far as sender reports tell; else when it arrived.
    pub captured: Instant,
    /// When it arrived at the server.
    pub arrived: Instant,
    /// RTP payload without its header.
    pub payload: Arc<[u8]>,
    /// Quarter turns clockwise that a player should make, if the publisher says (3GPP video orientation).
    pub quarter_turns: Option<u8>,
    /// Sound as the publisher sent it, if that is redundant.
    pub redundant: Option<Redundant>,
}

/// A frame of sound with an earlier one once more (RFC 2198).
#[derive(Debug, Clone)]
pub struct Redundant {
    /// RTP payload without its header.
    pub payload: Arc<[u8]>,
    /// The payload type that it says of the frames in it.
    pub inner: u8,
}
