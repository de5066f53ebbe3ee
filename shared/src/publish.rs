//! What a publisher's studio needs: a token to publish with, and what arrives at the server.

use crate::{
    broadcast::{BroadcastState, Codec, Rendition},
    id::{BroadcastId, ChannelName, EventId, SessionId},
    unit::{Bitrate, Millis, Timestamp},
};
use serde::{Deserialize, Deserializer, Serialize, de::Error};

/// `POST /api/v1/channels/{name}/publish-token` by its owner: lets the studio publish by WHIP as the stream key would,
/// without the key leaving the person's notes. Answered 201.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
    /// What the publisher should change, the gravest first.
    #[serde(default)]
    pub findings: Vec<Finding>,
}

/// What the publisher doctor looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum FindingKind {
    /// Keyframes are too far apart to join and switch quickly.
    KeyframeInterval,
    /// B-frames, which WebRTC shows late or out of order.
    BFrames,
    /// Packets are lost on the way here.
    Loss,
    /// Packets that were asked for again didn't come.
    UnansweredNacks,
    /// Sound arrives and no picture.
    AudioWithoutVideo,
    /// The sound is silent.
    Silence,
    /// The sound is so loud that it is cut off.
    Clipping,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// It could be better.
    Hint,
    /// Viewers may notice.
    Warning,
    /// Viewers notice.
    Problem,
}

// Read by hand, as derived readers of enums are large and every page loads them.
impl<'de> Deserialize<'de> for FindingKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match &*String::deserialize(deserializer)? {
            "keyframeInterval" => Self::KeyframeInterval,
            "bFrames" => Self::BFrames,
            "loss" => Self::Loss,
            "unansweredNacks" => Self::UnansweredNacks,
            "audioWithoutVideo" => Self::AudioWithoutVideo,
            "silence" => Self::Silence,
            "clipping" => Self::Clipping,
            _ => return Err(D::Error::custom("no finding")),
        })
    }
}

impl<'de> Deserialize<'de> for Severity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match &*String::deserialize(deserializer)? {
            "hint" => Self::Hint,
            "warning" => Self::Warning,
            "problem" => Self::Problem,
            _ => return Err(D::Error::custom("no severity")),
        })
    }
}

/// One finding of the publisher doctor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Which.
    pub kind: FindingKind,
    /// How much it matters.
    pub severity: Severity,
    /// What is the matter, with its figure, in a sentence.
    pub what: String,
    /// What to change, in the words of the program that publishes.
    pub advice: String,
}

/// What happened to a broadcast's media room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RoomAction {
    /// A publisher or a viewer came.
    PeerJoined,
    /// One left.
    PeerLeft,
    /// The broadcast's state changed.
    StateChanged,
}

/// The topic `media:stream_rooms:v1`: the media room of a channel's broadcast, as it changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RoomUpdate {
    /// `{channel}:{streamId}`.
    pub room_key: String,
    /// Which broadcast.
    pub stream_id: BroadcastId,
    /// What happened.
    pub action: RoomAction,
    /// Publishers and viewers after it.
    pub peer_count: u32,
    /// The broadcast's state after it.
    pub state: BroadcastState,
    /// When.
    pub timestamp: Timestamp,
}

/// What a peer is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum PeerRole {
    /// It sends.
    Publisher,
    /// It watches.
    Viewer,
}

/// One WebRTC connection of a broadcast.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PeerStatus {
    /// Stable for the connection; not its session's name, which is a secret.
    pub peer: EventId,
    /// What it is there for.
    pub role: PeerRole,
    /// Since when it is connected; null while it connects.
    pub connected_at: Option<Timestamp>,
    /// The rendition that a viewer gets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rendition: Option<String>,
    /// Its codec.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codec: Option<Codec>,
    /// What the network carries to a viewer, as the congestion controller estimates it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Bitrate>,
}

/// The topic `media:stream_peers:v1` (every 2 s, to the channel's owner): who is connected, at most 500 of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Peers {
    /// Whose channel.
    pub channel: ChannelName,
    /// All that are connected.
    pub peer_count: u32,
    /// Publishers first, then the longest connected.
    pub peers: Vec<PeerStatus>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_read_as_they_are_written() {
        use FindingKind::{
            AudioWithoutVideo, BFrames, Clipping, KeyframeInterval, Loss, Silence, UnansweredNacks,
        };
        for kind in [KeyframeInterval, BFrames, Loss, UnansweredNacks, AudioWithoutVideo, Silence, Clipping] {
            for severity in [Severity::Hint, Severity::Warning, Severity::Problem] {
                let finding = Finding { kind, severity, what: "What.".into(), advice: "Do.".into() };
                let written = serde_json::to_string(&finding).unwrap();
                assert_eq!(serde_json::from_str::<Finding>(&written).unwrap(), finding);
            }
        }
        assert!(serde_json::from_str::<FindingKind>("\"whim\"").is_err());
        assert!(serde_json::from_str::<Severity>("7").is_err());
    }
}
