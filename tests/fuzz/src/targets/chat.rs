//! What people type: kept once, it stays as it is, and taken apart it is still what they typed.

use sfu::chat::{
    fragment::{self, Lookup, is_name_byte},
    name::Taken,
    text::{ChatText, clean, excerpt},
};
use shared::{
    chat::{Fragment, GRAPHEMES_MOST},
    id::PersonId,
    text::DisplayName,
};

/// Everybody exists, and every emote that begins with `a`.
struct Room;

impl Lookup for Room {
    fn emote(&self, code: &str) -> Option<String> {
        code.starts_with(":a").then(|| format!("/emotes/{}.svg", code.trim_matches(':')))
    }

    fn mention(&self, rest: &str) -> Option<(usize, PersonId)> {
        let bytes = rest.find(|c: char| !is_name_byte(c)).unwrap_or(rest.len());
        let person =
            "p0123456789abcdef".parse().or_else(|_| "0123456789abcdef0123456789abcdef".parse()).ok()?;
        (bytes > 0).then_some((bytes, person))
    }
}

pub fn run(data: &[u8]) {
    let typed = String::from_utf8_lossy(data);
    let once = clean(&typed);
    assert_eq!(clean(&once), once, "cleaning twice changes nothing");
    if let Ok(name) = typed.parse::<DisplayName>() {
        let _ = Taken::new(["ada", "Grace Hopper"]).check(&name);
    }
    let Ok(text) = ChatText::parse(&typed) else { return };
    assert!(!text.as_str().chars().any(char::is_control));
    let fragments = fragment::parse(text.as_str(), &Room);
    assert_eq!(fragment::plain(&fragments), text.as_str(), "nothing is lost or added");
    for fragment in &fragments {
        match fragment {
            Fragment::Text { text } => assert!(!text.is_empty()),
            Fragment::Link { url, .. } => assert!(url.starts_with("http://") || url.starts_with("https://")),
            Fragment::Mention { text, .. } => assert!(text.starts_with('@')),
            Fragment::Emote { text, .. } => assert!(text.starts_with(":a")),
        }
    }
    assert!(fragment::mentioned(text.as_str(), 5).len() <= 5);
    assert!(excerpt(text.as_str(), 80).chars().count() <= text.as_str().chars().count() + 1);
    assert!(text.as_str().len() <= typed.len().max(GRAPHEMES_MOST * 64));
}
