//! What a viewer's page asks of its WHEP session beyond WHEP itself.

use crate::unit::{Bitrate, Size};
use serde::{Deserialize, Serialize};

/// The name of the sound that the server makes of the publisher's: mono, at a low bitrate.
pub const LOW_SOUND: &str = "mono";

/// `GET /whep/{channel}/{session}/clock`: ties the RTP timestamps of the session's picture to the server's clock, so that a
/// player that knows which frame it shows (`rtpTimestamp` of `requestVideoFrameCallback`) can tell how old it is.
///
/// A frame's capture is dated by the publisher's sender reports, taken over into the server's clock by the fastest packet
/// less half the round trip to the publisher. What stays out is the least time that the publisher's encoder takes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlayoutClock {
    /// The RTP timestamp of a frame, in ticks of 90 kHz, as this session sees it.
    pub rtp_timestamp: u32,
    /// When that frame was captured: milliseconds of the server's clock.
    pub captured_at: f64,
    /// The server's clock now.
    pub server_time: f64,
}

/// `PUT /whep/{channel}/{session}/rendition`: what the viewer wants and what there is room for on its page. Answered 204.
/// Sent whole each time: what is absent counts as not wanted or not known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChooseRendition {
    /// A rendition's name; automatic if absent. One that isn't there (any more), or that the viewer can't decode, counts as
    /// absent.
    #[serde(default)]
    pub rendition: Option<String>,
    /// Sound without a picture.
    #[serde(default)]
    pub audio_only: bool,
    /// How large the picture is shown, in device pixels. Automatic choice sends nothing much larger.
    #[serde(default)]
    pub size: Option<Size>,
    /// Nobody sees the page (`document.hidden`): automatic choice sends the smallest picture, or none.
    #[serde(default)]
    pub hidden: bool,
}

/// Why a viewer gets the rendition that it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Reason {
    /// The viewer chose it.
    Chosen,
    /// It is the best there is that the browser decodes.
    Best,
    /// More doesn't fit through the network.
    Network,
    /// More wouldn't be seen at the player's size.
    PlayerSize,
    /// The page is hidden.
    Hidden,
    /// The viewer wants sound alone.
    AudioOnly,
    /// Nothing that is sent can be decoded.
    Codec,
    /// What the viewer chose isn't there now: this is the best of what is.
    Gone,
}

/// `GET /whep/{channel}/{session}/rendition`: what the viewer gets, and why. Asked while a menu or an overlay shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Playing {
    /// The rendition of the picture; none while there is none.
    pub rendition: Option<String>,
    /// What decided.
    pub reason: Reason,
    /// What the network carries to this viewer, as the congestion controller estimates it.
    pub estimate: Option<Bitrate>,
    /// The rendition of the sound: `source`, or `mono`, which the server makes for narrow networks and for sound alone; none
    /// while there is none.
    #[serde(default)]
    pub sound: Option<String>,
}
