//! The list of public channels in pages: live ones first, most watched first, then the most recently live. Pure.
//!
//! A cursor names the last channel that was seen by what it is ordered by, so that the next page goes on behind it even if
//! that channel has moved meanwhile.

use super::{Live, rules::Record};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use shared::{
    broadcast::BroadcastState,
    channel::Channel,
    id::ChannelName,
    text::{Category, Tag},
};
use std::cmp::Reverse;

/// The most words that are searched for.
const WORDS_MOST: usize = 6;
/// The most letters of one.
const WORD_MOST: usize = 40;

/// Which channels are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    words: Vec<String>,
    category: Option<String>,
    tag: Option<String>,
}

impl Filter {
    /// With all of these words, of this category, with this tag; capitals don't count.
    pub fn new(search: &str, category: Option<&Category>, tag: Option<&Tag>) -> Self {
        let words = search.split_whitespace().take(WORDS_MOST);
        Self {
            words: words
                .map(|word| word.chars().take(WORD_MOST).collect::<String>().to_lowercase())
                .collect(),
            category: category.map(|category| category.as_str().to_lowercase()),
            tag: tag.map(|tag| tag.as_str().to_lowercase()),
        }
    }

    /// Whether all are wanted.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether this one is.
    pub fn takes(&self, channel: &Channel) -> bool {
        let category = channel.category.as_str().to_lowercase();
        let mut tags = channel.tags.iter().map(|tag| tag.as_str().to_lowercase());
        if self.category.as_ref().is_some_and(|wanted| *wanted != category) {
            return false;
        }
        let tags: Vec<String> = tags.by_ref().collect();
        if self.tag.as_ref().is_some_and(|wanted| !tags.contains(wanted)) {
            return false;
        }
        let title = channel.title.as_str().to_lowercase();
        let shown = channel.display_name.as_str().to_lowercase();
        let texts = [channel.name.as_str(), &shown, &title, &category];
        self.words.iter().all(|word| {
            texts.iter().any(|text| text.contains(word)) || tags.iter().any(|tag| tag.contains(word))
        })
    }
}

/// A channel's place in the list; lower comes first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// It is live or waiting: by viewers, then by its start.
    On(Reverse<u32>, Reverse<i64>, ChannelName),
    /// It isn't: by the end of its last broadcast, 0 for none.
    Off(Reverse<i64>, ChannelName),
}

impl Place {
    /// The place of a channel that is on.
    pub fn on(record: &Record, live: &Live) -> Self {
        let start = live.start_time.map_or(0, |at| at.as_millis());
        Self::On(Reverse(live.viewer_count), Reverse(start), record.channel.name.clone())
    }

    /// The place of one that isn't, as the store orders it.
    pub fn off(record: &Record) -> Self {
        Self::Off(
            Reverse(record.past.map_or(0, |past| past.ended_at.as_millis())),
            record.channel.name.clone(),
        )
    }

    /// As a client keeps it.
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(match self {
            Self::On(viewers, start, name) => format!("on.{}.{}.{name}", viewers.0, start.0),
            Self::Off(ended, name) => format!("off.{}.{name}", ended.0),
        })
    }

    /// From what a client kept; `None` if it can't be one.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let parts: Vec<&str> = std::str::from_utf8(&bytes).ok()?.split('.').collect();
        match parts[..] {
            ["on", viewers, start, name] => Some(Self::On(
                Reverse(viewers.parse().ok()?),
                Reverse(start.parse().ok()?),
                name.parse().ok()?,
            )),
            ["off", ended, name] => Some(Self::Off(Reverse(ended.parse().ok()?), name.parse().ok()?)),
            _ => None,
        }
    }
}

/// Whether a channel belongs to the list's first part.
pub fn is_on(live: &Live) -> bool {
    matches!(live.state, BroadcastState::Live | BroadcastState::Waiting)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(viewers: u32, start: i64, name: &str) -> Place {
        Place::On(Reverse(viewers), Reverse(start), name.parse().unwrap())
    }

    fn off(ended: i64, name: &str) -> Place {
        Place::Off(Reverse(ended), name.parse().unwrap())
    }

    #[test]
    fn a_filter_takes_what_has_every_word_and_no_more() {
        let channel = Channel {
            id: "c".parse().unwrap(),
            name: "ada".parse().unwrap(),
            display_name: "Ada Lovelace".parse().unwrap(),
            avatar: None,
            own_avatar: false,
            banner: None,
            title: "Digging a RIVER".parse().unwrap(),
            description: "secret".parse().unwrap(),
            category: "Making things".parse().unwrap(),
            tags: vec!["Garten".parse().unwrap(), "Öl".parse().unwrap()],
            visibility: shared::channel::Visibility::Public,
            embedding: shared::embed::Embedding::default(),
            created_at: shared::unit::Timestamp::from_millis(0),
            suspended: false,
        };
        for search in ["", "ada", "LOVE", "river digging", "making garten", "öl", "  ada   river "] {
            assert!(Filter::new(search, None, None).takes(&channel), "{search:?}");
        }
        for search in ["bob", "ada bob", "secret", "%", "_"] {
            assert!(!Filter::new(search, None, None).takes(&channel), "{search:?}");
        }
        let category = |text: &str| text.parse::<Category>().unwrap();
        let tag = |text: &str| text.parse::<Tag>().unwrap();
        assert!(Filter::new("", Some(&category("making THINGS")), Some(&tag("garten"))).takes(&channel));
        assert!(!Filter::new("", Some(&category("making")), None).takes(&channel));
        assert!(!Filter::new("", None, Some(&tag("gart"))).takes(&channel));
        assert!(Filter::new(" ", None, None).is_empty());
        let long = Filter::new(&"x ".repeat(1000), None, None);
        assert_eq!(long.words.len(), WORDS_MOST);
    }

    #[test]
    fn live_comes_first_then_most_watched_then_most_recent() {
        let ordered = [
            on(9, 5, "zz"),
            on(1, 9, "bb"),
            on(1, 5, "aa"),
            on(1, 5, "cc"),
            off(9, "aa"),
            off(0, "aa"),
            off(0, "bb"),
        ];
        assert!(ordered.is_sorted());
    }

    #[test]
    fn a_cursor_comes_back_and_nothing_else_is_one() {
        for place in [on(3, 1_795_000_000_123, "ada-1_x"), off(0, "ada")] {
            assert_eq!(Place::parse(&place.encode()), Some(place));
        }
        let made = |text: &str| URL_SAFE_NO_PAD.encode(text);
        for bad in ["", "on.1.ada", "on.-1.0.ada", "off.x.ada", "off.1.a b", "off.1.ada.b", "no.1.ada"] {
            assert_eq!(Place::parse(&made(bad)), None, "{bad}");
        }
        assert_eq!(Place::parse("!"), None);
    }
}
