//! The starter set of emotes: small drawings of our own, in the picker's order; and where those are that channels add. Pure.

pub mod picture;
pub mod routes;
pub mod service;
pub mod store;

use sha2::{Digest, Sha256};
use shared::{chat::Emote, emote::ChannelEmote};
use std::{collections::HashMap, sync::LazyLock};

/// One drawing.
#[derive(Debug)]
pub struct Drawing {
    /// What is typed, without the colons.
    pub name: &'static str,
    /// SVG.
    pub svg: &'static str,
    /// Changes when the drawing does.
    pub version: String,
}

macro_rules! drawings {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("emotes/", $name, ".svg")))),+]
    };
}

static DRAWINGS: LazyLock<Vec<Drawing>> = LazyLock::new(|| {
    drawings![
        "wave", "hi", "smile", "laugh", "love", "cool", "wow", "think", "cry", "angry", "sleepy", "facepalm",
        "clap", "yes", "no", "heart", "fire", "star", "party", "gg", "100", "eyes", "rip", "weir",
    ]
    .into_iter()
    .map(|(name, svg)| {
        let hash = Sha256::digest(svg);
        let version = hash[..4].iter().map(|byte| format!("{byte:02x}")).collect();
        Drawing { name, svg, version }
    })
    .collect()
});

static BY_NAME: LazyLock<HashMap<&'static str, &'static Drawing>> =
    LazyLock::new(|| DRAWINGS.iter().map(|drawing| (drawing.name, drawing)).collect());

/// A drawing by name.
pub fn drawing(name: &str) -> Option<&'static Drawing> {
    BY_NAME.get(name).copied()
}

/// The address of an emote's picture, by its code with the colons.
pub fn url(code: &str) -> Option<String> {
    let name = code.strip_prefix(':')?.strip_suffix(':')?;
    drawing(name).map(Drawing::url)
}

/// All of them.
pub fn all() -> Vec<Emote> {
    DRAWINGS.iter().map(|drawing| Emote { code: format!(":{}:", drawing.name), url: drawing.url() }).collect()
}

/// What can be typed in a room, the channel's own first.
pub fn with_own(own: Vec<ChannelEmote>) -> Vec<Emote> {
    let told = |ChannelEmote { name, url }| Emote { code: format!(":{name}:"), url };
    own.into_iter().map(told).chain(all()).collect()
}

/// Where a channel's own emote has its picture.
pub fn picture_url(hash: &str, is_moving: bool) -> String {
    let ending = if is_moving { "moving.png" } else { "png" };
    format!("/emotes/{hash}.{ending}")
}

/// The hash of the picture in a file, and whether it is wanted as it moves.
pub fn picture_of(file: &str) -> Option<(&str, bool)> {
    let (hash, ending) = file.split_once('.')?;
    let is_hash = hash.len() == 64 && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    match ending {
        "png" if is_hash => Some((hash, false)),
        "moving.png" if is_hash => Some((hash, true)),
        _ => None,
    }
}

impl Drawing {
    fn url(&self) -> String {
        format!("/emotes/{}.svg?v={}", self.name, self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_emote_is_a_small_drawing_that_runs_and_loads_nothing() {
        assert!(DRAWINGS.len() >= 24);
        for drawing in DRAWINGS.iter() {
            let Drawing { name, svg, .. } = drawing;
            assert!(
                svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 56 56\""),
                "{name}"
            );
            assert!(
                svg.trim_end().ends_with("</svg>") && svg.len() < 2_500,
                "{name} has {} bytes",
                svg.len()
            );
            for bad in ["<script", "href", "url(", "foreignObject", " on", "<!"] {
                assert!(!svg.contains(bad), "{name} has {bad}");
            }
            // Whoever wants less motion gets none.
            assert!(!svg.contains("<animate"), "{name}: only CSS can ask for reduced motion");
            if svg.contains("animation:") {
                assert!(svg.contains("prefers-reduced-motion:no-preference"), "{name}");
            }
            assert_eq!(url(&format!(":{name}:")), Some(drawing.url()));
        }
        assert!(DRAWINGS.iter().filter(|drawing| drawing.svg.contains("animation:")).count() >= 4);
    }

    #[test]
    fn a_picture_is_found_at_its_address() {
        let hash = "0a".repeat(32);
        for moves in [true, false] {
            let url = picture_url(&hash, moves);
            assert_eq!(picture_of(url.strip_prefix("/emotes/").unwrap()), Some((hash.as_str(), moves)));
        }
        let wrong =
            [format!("{hash}.svg"), format!("{hash}.gif.png"), format!("{}.png", &hash[1..]), hash.clone()];
        for file in wrong.iter().map(String::as_str).chain(["", ".png", "../x.png"]) {
            assert_eq!(picture_of(file), None, "{file}");
        }
    }

    #[test]
    fn what_is_no_emote_has_no_address() {
        for code in ["", ":", "::", "wave", ":wave", ":../x:", ":WAVE:"] {
            assert_eq!(url(code), None, "{code}");
        }
    }
}
