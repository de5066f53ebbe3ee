//! The starter set of emotes: small drawings of our own, in the picker's order; and where those are that channels add. Pure.

pub mod picture;
pub mod routes;
pub mod service;
pub mod store;

use super::everywhere::Everywhere;
use crate::{
    permission::{Permission, Standings},
    secret::hex,
};
use sha2::{Digest, Sha256};
use shared::{
    chat::Emote,
    emote::{ChannelEmote, InstanceEmote},
    subscription::Tier,
};
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
        let version = hex(&hash[..4]);
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

/// What is typed for an emote of this name.
pub fn code(name: &str) -> String {
    format!(":{name}:")
}

/// A channel's own, as its room tells of them.
pub fn own(own: Vec<ChannelEmote>) -> Vec<Emote> {
    let told = |ChannelEmote { name, url, tier }| Emote { code: code(name.as_str()), url, own: true, tier };
    own.into_iter().map(told).collect()
}

/// What can be typed in a room: the channel's own, what those who run the instance added, and the starter set. Of those of the
/// same code the channel's own is there alone.
pub fn all(own: &[Emote], everywhere: &[InstanceEmote]) -> Vec<Emote> {
    let of_all = |code: String, url: String| Emote { code, url, own: false, tier: None };
    let added = everywhere.iter().map(|emote| of_all(code(emote.name.as_str()), emote.url.clone()));
    let starter = DRAWINGS.iter().map(|drawing| of_all(code(drawing.name), drawing.url()));
    let is_there = |emote: &Emote| own.iter().any(|one| one.code == emote.code);
    let rest = added.chain(starter).filter(|emote| !is_there(emote));
    own.iter().cloned().chain(rest).collect()
}

/// Whether somebody may type an emote that is for a tier.
pub fn opens(is: Standings, tier: Option<Tier>) -> bool {
    tier.is_none_or(|tier| {
        is.may(match tier {
            Tier::One => Permission::TypeTier1Emotes,
            Tier::Two => Permission::TypeTier2Emotes,
            Tier::Three => Permission::TypeTier3Emotes,
        })
    })
}

/// Where the picture is of an emote that somebody types: of the starter set, the channel's own, or of all channels. A channel's own
/// has its code for itself, for those, too, to whom it isn't open.
pub fn typed(code: &str, own: Option<&Emote>, is: Standings, everywhere: &Everywhere) -> Option<String> {
    url(code).or_else(|| match own {
        Some(own) => opens(is, own.tier).then(|| own.url.clone()),
        None => everywhere.url(code),
    })
}

/// The highest tier whose emotes somebody may type.
pub fn opened(is: Standings) -> Option<Tier> {
    Tier::ALL.into_iter().rev().find(|tier| opens(is, Some(*tier)))
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
    use crate::permission::Standing;
    use shared::account::Role;

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

    fn own_of(name: &str, tier: Option<Tier>) -> ChannelEmote {
        ChannelEmote { name: name.parse().unwrap(), url: format!("/emotes/own-{name}.png"), tier }
    }

    #[test]
    fn a_channels_own_comes_first_and_in_the_place_of_one_that_is_everywhere() {
        let own = own(vec![own_of("hype", Some(Tier::Two)), own_of("gg2", None)]);
        let instance = |name: &str| InstanceEmote {
            name: name.parse().unwrap(),
            url: format!("/emotes/all-{name}.png"),
        };
        let all = all(&own, &[instance("hype"), instance("river")]);
        let codes: Vec<(&str, bool)> =
            all.iter().take(4).map(|emote| (emote.code.as_str(), emote.own)).collect();
        assert_eq!(codes, [(":hype:", true), (":gg2:", true), (":river:", false), (":wave:", false)]);
        assert_eq!((all[0].tier, all[0].url.as_str()), (Some(Tier::Two), "/emotes/own-hype.png"));
        assert_eq!(all.len(), own.len() + 1 + DRAWINGS.len());
    }

    #[test]
    fn an_emote_of_a_tier_opens_to_that_tier_and_above_and_to_those_who_keep_the_room() {
        let viewer = Standings::of_account(Role::Owner).and(Standing::Follower).and(Standing::Vip);
        assert_eq!((opened(Standings::GUEST), opened(viewer)), (None, None));
        for (standing, most) in [
            (Standing::Tier1, Tier::One),
            (Standing::Tier2, Tier::Two),
            (Standing::Tier3, Tier::Three),
            (Standing::Moderator, Tier::Three),
            (Standing::Owner, Tier::Three),
        ] {
            let is = Standings::of_account(Role::Member).and(standing);
            assert_eq!(opened(is), Some(most), "{standing:?}");
            for tier in Tier::ALL {
                assert_eq!(opens(is, Some(tier)), tier <= most, "{standing:?} {tier:?}");
            }
        }
        for is in [Standings::GUEST, viewer] {
            assert!(opens(is, None), "what is for everybody is");
            assert!(!opens(is, Some(Tier::One)));
        }
    }

    #[test]
    fn an_own_emote_has_its_code_for_itself_also_where_it_is_locked() {
        let url_of = |name: &str| format!("/emotes/all-{name}.png");
        let instance = |name: &str| InstanceEmote { name: name.parse().unwrap(), url: url_of(name) };
        let everywhere = Everywhere::new(vec![instance("hype"), instance("river")]);
        let own = own(vec![own_of("hype", Some(Tier::Two))]).remove(0);
        let viewer = Standings::of_account(Role::Member);
        let subscriber = viewer.and(Standing::Tier2);
        assert_eq!(typed(":hype:", Some(&own), viewer, &everywhere), None, "the word stays");
        assert_eq!(typed(":hype:", Some(&own), subscriber, &everywhere), Some(own.url.clone()));
        assert_eq!(typed(":hype:", None, Standings::GUEST, &everywhere), Some(url_of("hype")));
        assert_eq!(typed(":river:", None, viewer, &everywhere), Some(url_of("river")));
        assert_eq!(typed(":nothing:", None, subscriber, &everywhere), None);
        assert_eq!(typed(":wave:", None, Standings::GUEST, &everywhere), url(":wave:"));
    }

    #[test]
    fn what_is_no_emote_has_no_address() {
        for code in ["", ":", "::", "wave", ":wave", ":../x:", ":WAVE:"] {
            assert_eq!(url(code), None, "{code}");
        }
    }
}
