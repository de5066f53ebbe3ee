//! What people type: kept once, it stays as it is, and taken apart it is still what they typed.

use sfu::chat::{
    command::{self, Command},
    filter::{Filter, Verdict},
    fragment::{self, Lookup, is_name_byte},
    name::Taken,
    text::{ChatText, clean, excerpt},
};
use shared::{
    chat::{Fragment, GRAPHEMES_MOST},
    id::PersonId,
    moderation::{Filters, LinkRule},
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

impl command::Names for Room {
    fn person(&self, rest: &str) -> Option<(usize, PersonId)> {
        self.mention(rest)
    }
}

/// What begins like a command is one or says why not, and says no more than was typed.
fn give(typed: &str) {
    let Some((name, rest)) = command::split(typed) else { return };
    assert!(!name.is_empty() && typed.contains(name) && typed.contains(rest));
    match command::parse(name, rest, &Room) {
        Ok(Command::Timeout { seconds, reason, .. }) => {
            assert!((1..=1_209_600).contains(&seconds) && typed.contains(&reason));
        }
        Ok(Command::Ban { reason, .. }) => assert!(typed.contains(&reason)),
        Ok(Command::Rules(edit)) => {
            assert!(edit.slow_seconds.is_none_or(|slow| slow <= 600));
            assert!(edit.followers_minutes.is_none_or(|minutes| minutes <= command::FOLLOWERS_MINUTES_MOST));
        }
        Ok(Command::Poll(new)) => {
            assert!(new.options.len() >= 2 && new.options.iter().all(|one| typed.contains(one)))
        }
        Ok(Command::Me(words)) => assert!(!words.is_empty()),
        Ok(_) => assert!(command::spec_of(name).is_some()),
        Err(error) => {
            let said = error.to_string();
            assert!(said.chars().count() < 300 && !said.chars().any(char::is_control), "{said}");
        }
    }
}

thread_local! {
    static FILTER: Filter = Filter::new(Filters {
        words: ["badword", "two words", "*any*"].map(str::to_owned).to_vec(),
        links: LinkRule::Hold,
        hosts: vec!["weir.example".to_owned()],
        repeats: true,
        capitals: true,
        look_alikes: true,
    })
    .expect("filters that can be taken");
}

pub fn run(data: &[u8]) {
    let typed = String::from_utf8_lossy(data);
    give(&typed);
    // What moderators put into a list is theirs to choose, and compares with itself.
    let word = typed.trim_matches('*').to_owned();
    if let Ok(filter) = Filter::new(Filters { words: vec![word.clone()], ..Filters::default() }) {
        assert_ne!(filter.judge(&[Fragment::Text { text: word }], 1), Verdict::Pass);
    }
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
    FILTER.with(|filter| assert_ne!(filter.judge(&fragments, 1), Verdict::RefuseLink));
    assert!(fragment::mentioned(text.as_str(), 5).len() <= 5);
    assert!(excerpt(text.as_str(), 80).chars().count() <= text.as_str().chars().count() + 1);
    assert!(text.as_str().len() <= typed.len().max(GRAPHEMES_MOST * 64));
}
