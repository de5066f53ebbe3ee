//! The ladder as the studio shows it: which renditions the server makes beside what is published, and why not others.

use crate::unit::{Bitrate, Size};
use serde::{Deserialize, Deserializer, Serialize, de::Error};

/// Where a rung stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum RungState {
    /// Nobody needs it.
    Idle,
    /// It was asked for and has no frame yet.
    Starting,
    /// It is being made.
    Running,
    /// Viewers would get it, but the machine has no room for it.
    Shed,
    /// What makes it failed, and is tried again.
    Failed,
}

// Read by hand, as derived readers of enums are large.
impl<'de> Deserialize<'de> for RungState {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match &*String::deserialize(deserializer)? {
            "idle" => Self::Idle,
            "starting" => Self::Starting,
            "running" => Self::Running,
            "shed" => Self::Shed,
            "failed" => Self::Failed,
            _ => return Err(D::Error::custom("no state of a rung")),
        })
    }
}

/// One rung, measured over the last seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RungStatus {
    /// Its rendition's name, e.g. `360p`.
    pub name: String,
    /// Its pictures' size.
    pub size: Size,
    /// Frames a second that it makes; while it doesn't run, that it would.
    pub frame_rate: f32,
    /// Bits a second that it makes; while it doesn't run, that it is to be held to.
    pub bitrate: Bitrate,
    /// Viewers who get it.
    pub viewers: u32,
    /// How long the encoder takes for a picture, on average, in milliseconds; 0 while it doesn't run.
    pub encode_ms: f32,
    /// Where it stands.
    pub state: RungState,
    /// Why it stands there, where that isn't plain; a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A broadcast's ladder.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LadderState {
    /// Whether the channel's owner wants it.
    pub enabled: bool,
    /// From the largest; none where there can't be any.
    pub rungs: Vec<RungStatus>,
    /// What the server did with it and why, or why there is none; a sentence or two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// `PUT /api/v1/channels/{name}/ladder` by its owner. Answered with [`LadderState`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetLadder {
    /// Whether renditions are to be made of what is published, now and later.
    pub enabled: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ladder_comes_back_the_same() {
        let states =
            [RungState::Idle, RungState::Starting, RungState::Running, RungState::Shed, RungState::Failed];
        let rungs = states.map(|state| RungStatus {
            name: "360p".to_owned(),
            size: Size { width: 640, height: 360 },
            frame_rate: 30.0,
            bitrate: Bitrate(600_000),
            viewers: 3,
            encode_ms: 12.5,
            state,
            reason: (state == RungState::Shed).then(|| "No room.".to_owned()),
        });
        let ladder = LadderState { enabled: true, rungs: rungs.to_vec(), note: None };
        let text = serde_json::to_string(&ladder).unwrap();
        assert!(text.contains("\"encodeMs\":12.5") && !text.contains("note"), "{text}");
        assert_eq!(serde_json::from_str::<LadderState>(&text).unwrap(), ladder);
        assert!(serde_json::from_str::<RungState>("\"lost\"").is_err());
    }
}
