//! The player on other people's pages: who may show it, how a page finds out how, and what page and player tell each other.

use crate::unit::Timestamp;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A site: scheme, host and port, as browsers write an origin (RFC 6454), e.g. `https://example.org` or `http://localhost:3000`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SiteOrigin(Box<str>);

/// The text is not a site's origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a site is written like https://example.org, with no path behind it")]
pub struct SiteOriginError;

impl SiteOrigin {
    /// The origin as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SiteOrigin {
    type Err = SiteOriginError;

    /// Takes what a person pastes: capitals, a final slash and a default port go.
    fn from_str(text: &str) -> Result<Self, SiteOriginError> {
        let text = text.trim().to_ascii_lowercase();
        let text = text.strip_suffix('/').unwrap_or(&text);
        let (scheme, rest) = text.split_once("://").ok_or(SiteOriginError)?;
        let default_port = match scheme {
            "https" => ":443",
            "http" => ":80",
            _ => return Err(SiteOriginError),
        };
        let rest = rest.strip_suffix(default_port).unwrap_or(rest);
        let (host, port) = match rest.rsplit_once(':') {
            // An IPv6 address has colons of its own, inside its brackets.
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (rest, None),
        };
        let is_name = !host.is_empty()
            && !host.starts_with(['.', '-'])
            && host.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
        let inside = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let is_v6 = inside.is_some_and(|host| host.parse::<std::net::Ipv6Addr>().is_ok());
        // As browsers write it: digits alone, and no zero in front.
        let is_port = |port: &str| {
            port.parse::<u16>().is_ok() && port.starts_with(|digit| ('1'..='9').contains(&digit))
        };
        let has_port = port.is_none_or(is_port);
        let fits = rest.len() <= 253 && (is_name || is_v6) && has_port;
        if fits { Ok(Self(format!("{scheme}://{rest}").into())) } else { Err(SiteOriginError) }
    }
}

impl TryFrom<String> for SiteOrigin {
    type Error = SiteOriginError;

    fn try_from(text: String) -> Result<Self, SiteOriginError> {
        text.parse()
    }
}

impl From<SiteOrigin> for String {
    fn from(origin: SiteOrigin) -> String {
        origin.0.into()
    }
}

#[cfg(feature = "openapi")]
crate::openapi::schema!(SiteOrigin, {
    crate::openapi::text("A site: scheme, host and port, e.g. `https://example.org`.")
        .max_length(Some(261))
        .build()
});

impl fmt::Display for SiteOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The most sites that a channel lists.
pub const SITES_MOST: usize = 20;

/// Which pages may show a channel's player and chat: its `frame-ancestors`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "allow", rename_all = "camelCase", deny_unknown_fields)]
pub enum Embedding {
    /// All.
    #[default]
    Anywhere,
    /// None but this server's own.
    Nowhere,
    /// Those of these sites, and this server's own.
    Sites {
        /// Up to 20.
        sites: Vec<SiteOrigin>,
    },
}

impl Embedding {
    /// Whether a page of that origin may.
    pub fn admits(&self, origin: &str) -> bool {
        match self {
            Self::Anywhere => true,
            Self::Nowhere => false,
            Self::Sites { sites } => sites.iter().any(|site| site.as_str() == origin),
        }
    }
}

/// `GET /api/v1/channels/{name}/embedding`: what the player needs to check whom it talks to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct EmbedRules {
    /// Who may show and steer it.
    pub embedding: Embedding,
}

/// The longest that a signed embed is good for: a year.
pub const EMBED_LINK_MOST_SECONDS: u32 = 365 * 24 * 3600;

/// `POST /api/v1/channels/{name}/embed-links` by its owner (API tokens: `channel:write`): makes a signed embed, with which
/// others watch a private channel until it expires. Answered 201.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateEmbedLink {
    /// From now on, 1 to 31,536,000.
    pub expires_in_seconds: u32,
}

/// A signed embed. Nothing of it is kept: it holds as long as the channel's signing key does, which
/// `DELETE /api/v1/channels/{name}/embed-links` replaces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct EmbedLink {
    /// What `?token=` and the Bearer of WHEP carry.
    pub token: String,
    /// The player's address, with the token.
    pub embed_url: String,
    /// The chat's address, with the token.
    pub chat_url: String,
    /// The iframe to paste.
    pub html: String,
    /// Until when it starts sessions.
    pub expires_at: Timestamp,
}

/// `GET /oembed?url=…` (oEmbed 1.0, type `video`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OEmbed {
    /// `video`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `1.0`.
    pub version: String,
    /// The broadcast's title, or the channel's name.
    pub title: String,
    /// The channel's name as people read it.
    pub author_name: String,
    /// The channel's page.
    pub author_url: String,
    /// The instance's name.
    pub provider_name: String,
    /// Its first page.
    pub provider_url: String,
    /// The iframe.
    pub html: String,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Seconds that the answer may be kept.
    pub cache_age: u32,
}

/// What a page tells a player in an iframe, by `postMessage`. It is heard only from the parent window, and only if the
/// channel's [`Embedding`] admits the parent's origin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum PlayerCommand {
    /// Says that the page listens; answered with [`PlayerEvent::State`]. Events go to the origin that said it.
    Hello,
    /// Plays.
    Play,
    /// Pauses.
    Pause,
    /// Silences.
    Mute,
    /// Makes audible.
    Unmute,
    /// Sets the volume.
    SetVolume {
        /// 0 to 1; clamped.
        volume: f64,
    },
}

impl PlayerCommand {
    /// Its `type`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Hello => "hello",
            Self::Play => "play",
            Self::Pause => "pause",
            Self::Mute => "mute",
            Self::Unmute => "unmute",
            Self::SetVolume { .. } => "setVolume",
        }
    }
}

/// What a player tells the page around it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum PlayerEvent {
    /// The state, once after `hello` and whenever it changed.
    #[serde(rename_all = "camelCase")]
    State {
        /// Which channel.
        channel: String,
        /// `connecting`, `playing`, `paused`, `waiting`, `ended`, `offline` or `error`.
        playback: String,
        /// Whether it is silenced.
        muted: bool,
        /// 0 to 1.
        volume: f64,
        /// Glass to glass, in milliseconds, once measured.
        latency_ms: Option<f64>,
    },
    /// A command that could not be done: what to do, in a sentence. E.g. the browser wants a tap before sound.
    Refused {
        /// The command's `type`.
        command: String,
        /// Why.
        detail: String,
    },
}

/// The envelope of both directions, so that neither side mistakes other messages for its own: `{"weir":1, …}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Envelope<T> {
    /// The version, 1.
    pub weir: u8,
    /// The message.
    #[serde(flatten)]
    pub message: T,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_browsers_say_and_nothing_else() {
        let good = [
            ("https://Example.org/", "https://example.org"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("https://example.org:443", "https://example.org"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ];
        for (text, origin) in good {
            assert_eq!(text.parse::<SiteOrigin>().unwrap().as_str(), origin);
        }
        let bad = [
            "example.org",
            "https://",
            "https://a/b",
            "https://a b",
            "javascript://x",
            "https://a:0",
            "https://a:+443",
            "https://a:0443",
            "https://a:",
            "https://a:99999",
            "https://*.example.org",
            "https://a;script-src *",
            "https://[zz]",
            "null",
            "*",
        ];
        for text in bad {
            assert_eq!(text.parse::<SiteOrigin>(), Err(SiteOriginError), "{text}");
        }
    }

    #[test]
    fn the_json_of_each_rule() {
        let json = |rule: &Embedding| serde_json::to_string(rule).unwrap();
        assert_eq!(json(&Embedding::Anywhere), r#"{"allow":"anywhere"}"#);
        let sites = Embedding::Sites { sites: vec!["https://a.example".parse().unwrap()] };
        assert_eq!(json(&sites), r#"{"allow":"sites","sites":["https://a.example"]}"#);
        assert!(sites.admits("https://a.example") && !sites.admits("https://b.example"));
        let message = Envelope { weir: 1, message: PlayerCommand::SetVolume { volume: 0.5 } };
        let text = serde_json::to_string(&message).unwrap();
        assert_eq!(text, r#"{"weir":1,"type":"setVolume","volume":0.5}"#);
        assert_eq!(serde_json::from_str::<Envelope<PlayerCommand>>(&text).unwrap(), message);
    }
}
