//! What a viewer's page asks of its WHEP session beyond WHEP itself.

use serde::{Deserialize, Serialize};

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

/// `PUT /whep/{channel}/{session}/rendition`: which rendition the viewer wants. Answered 204.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChooseRendition {
    /// A rendition's name; automatic if absent. One that isn't there (any more), or that the viewer can't decode, counts as
    /// absent.
    #[serde(default)]
    pub rendition: Option<String>,
}
