//! Emotes that a channel, or the instance, adds to those that everybody has.

use crate::subscription::Tier;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The most emotes of a channel's own.
pub const EMOTES_MOST: usize = 100;
/// The most emotes that those who run the instance give to all channels.
pub const INSTANCE_EMOTES_MOST: usize = 100;
/// The most bytes of a picture that an emote is made of.
pub const EMOTE_BYTES_MOST: usize = 1024 * 1024;

/// What is typed for an emote, without its colons: 2 to 24 letters from a to z, digits and underscores.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmoteName(Box<str>);

impl EmoteName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text is no emote's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an emote's name has 2 to 24 letters from a to z, digits and underscores")]
pub struct EmoteNameError;

impl FromStr for EmoteName {
    type Err = EmoteNameError;

    fn from_str(text: &str) -> Result<Self, EmoteNameError> {
        let fits =
            (2..=24).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if fits { Ok(Self(text.into())) } else { Err(EmoteNameError) }
    }
}

impl TryFrom<String> for EmoteName {
    type Error = EmoteNameError;

    fn try_from(text: String) -> Result<Self, EmoteNameError> {
        text.parse()
    }
}

impl From<EmoteName> for String {
    fn from(name: EmoteName) -> String {
        name.0.into()
    }
}

impl fmt::Display for EmoteName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(feature = "openapi")]
crate::openapi::schema!(EmoteName, {
    crate::openapi::text("What is typed for an emote, without its colons.")
        .pattern(Some("^[A-Za-z0-9_]{2,24}$"))
        .build()
});

/// `PUT /api/v1/channels/{name}/emotes/{emote}` by the owner or an editor, answered with [`ChannelEmote`]; `PUT
/// /api/v1/emotes/{emote}` by those who run the instance, answered with [`InstanceEmote`]: what the server makes an emote of.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewEmote {
    /// A PNG, JPEG, WebP or GIF of up to 1 MiB, in base64. It may move, in up to 60 pictures.
    pub image: String,
}

/// One of a channel's own, in `GET /api/v1/channels/{name}/emotes` (a page).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChannelEmote {
    /// What is typed, without the colons.
    pub name: EmoteName,
    /// Where its picture is. One that moves has `.moving.` in it; with `.` in its place it stands still.
    pub url: String,
    /// The tier that it takes to type it; null for everybody.
    #[serde(default)]
    pub tier: Option<Tier>,
}

/// `PUT /api/v1/channels/{name}/emotes/{emote}/tier` by the owner or an editor: who may type an emote of the channel's own.
/// Answered with [`ChannelEmote`].
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetEmoteTier {
    /// The least tier; null for everybody.
    #[serde(default)]
    pub tier: Option<Tier>,
}

/// One that those who run the instance give to all channels, in `GET /api/v1/emotes` (a page).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct InstanceEmote {
    /// What is typed, without the colons.
    pub name: EmoteName,
    /// Where its picture is. One that moves has `.moving.` in it; with `.` in its place it stands still.
    pub url: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_between_two_colons() {
        for good in ["gg", "adaHype", "a_1", &"x".repeat(24)] {
            assert_eq!(good.parse::<EmoteName>().unwrap().as_str(), good);
        }
        for bad in ["", "a", ":a:", "a-b", "a b", "é2", "../x", &"x".repeat(25)] {
            assert_eq!(bad.parse::<EmoteName>(), Err(EmoteNameError), "{bad}");
        }
    }
}
