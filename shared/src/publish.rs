//! What a publisher's studio needs: a token to publish with, and what arrives at the server.

use crate::{
    broadcast::Rendition,
    id::{ChannelName, SessionId},
    unit::{Bitrate, Millis, Timestamp},
};
use serde::{Deserialize, Serialize};

/// `POST /api/v1/channels/{name}/publish-token` by its owner: lets the studio publish by WHIP as the stream key would,
/// without the key leaving the person's notes. Answered 201.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PublishToken {
    /// The Bearer token.
    pub token: String,
    /// Where to post the offer.
    pub whip_url: String,
    /// Until when it starts sessions; one that runs is not cut.
    pub expires_at: Timestamp,
}

/// The topic `media:stream_webrtc:v1` (every 2 s, to the channel's owner): what arrives from the publisher.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PublisherHealth {
    /// Whose.
    pub channel: ChannelName,
    /// The publisher's session; none while nobody publishes.
    pub session: Option<SessionId>,
    /// The program that publishes, as its user agent says.
    pub user_agent: String,
    /// Sessions that watch.
    pub viewers: u32,
    /// Media bits a second that arrive, audio and video.
    pub bitrate: Bitrate,
    /// Video frames a second that arrive.
    pub frame_rate: f32,
    /// Packets lost on the way here over the last seconds, 0 to 1, after repair.
    pub loss: f32,
    /// Round trip to the publisher.
    pub round_trip: Option<Millis>,
    /// Time between the last two keyframes.
    pub keyframe_interval: Option<Millis>,
    /// What arrives, by rendition.
    pub renditions: Vec<Rendition>,
}
