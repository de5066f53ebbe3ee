//! A room's modes: followers, subscribers, emotes, nothing twice. What they ask of a message and of its author. Pure.

use crate::permission::{Permission, Standings};
use shared::{
    chat::{ChatSettings, Fragment},
    unit::Timestamp,
};
use std::{
    collections::{HashMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

/// Messages that are remembered, so that nothing is said twice.
const LATELY: usize = 1_000;

/// What somebody says, as far as modes care.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Said {
    /// It is emotes and spaces alone.
    pub is_emotes: bool,
    /// The same for whatever differs in case, spaces and signs alone.
    pub print: u64,
}

impl Said {
    /// Of a message's pieces.
    pub fn of(fragments: &[Fragment]) -> Self {
        let is_emote = |fragment: &Fragment| match fragment {
            Fragment::Emote { .. } => true,
            Fragment::Text { text } => text.trim().is_empty(),
            _ => false,
        };
        let mut hasher = DefaultHasher::new();
        let mut letters = 0;
        for fragment in fragments {
            let (Fragment::Text { text }
            | Fragment::Mention { text, .. }
            | Fragment::Emote { text, .. }
            | Fragment::Link { text, .. }) = fragment;
            for c in text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase) {
                c.hash(&mut hasher);
                letters += 1;
            }
        }
        if letters == 0 {
            // Signs alone: they are all there is to compare.
            super::fragment::plain(fragments).hash(&mut hasher);
        }
        Self { is_emotes: fragments.iter().all(is_emote), print: hasher.finish() }
    }
}

/// Which mode keeps somebody from writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Barred {
    /// Only who follows the channel writes.
    #[error("followers only")]
    Followers {
        /// For how many minutes they must have followed by then.
        minutes: u32,
        /// How long until then, for one who follows.
        wait: Option<Duration>,
    },
    /// Only who subscribes writes.
    #[error("subscribers only")]
    Subscribers,
    /// Emotes alone.
    #[error("emotes only")]
    Emotes,
    /// It was said lately.
    #[error("said lately")]
    Repeated,
}

/// Whether the modes let somebody say it who has followed the channel since then. Moderators aren't asked.
pub fn check(
    settings: &ChatSettings,
    is: Standings,
    follows_since: Option<Timestamp>,
    said: Said,
    lately: &Lately,
    now: Timestamp,
) -> Result<(), Barred> {
    let is_among_subscribers = is.may(Permission::WriteAmongSubscribers);
    if settings.subscribers && !is_among_subscribers {
        return Err(Barred::Subscribers);
    }
    if settings.followers && !is_among_subscribers {
        let minutes = settings.followers_minutes;
        let needed = Duration::from_secs(u64::from(minutes) * 60);
        // A clock that was set back makes nobody a follower of tomorrow.
        let follows = follows_since.map(|since| now.since(since));
        match follows {
            Some(follows) if follows >= needed => {}
            Some(follows) => return Err(Barred::Followers { minutes, wait: Some(needed - follows) }),
            None => return Err(Barred::Followers { minutes, wait: None }),
        }
    }
    if settings.emote_only && !said.is_emotes {
        return Err(Barred::Emotes);
    }
    if settings.unique && lately.has(said) {
        return Err(Barred::Repeated);
    }
    Ok(())
}

/// What was said lately, by fingerprints.
#[derive(Debug, Default)]
pub struct Lately {
    order: VecDeque<u64>,
    count: HashMap<u64, u32>,
}

impl Lately {
    /// Whether this was.
    pub fn has(&self, said: Said) -> bool {
        self.count.contains_key(&said.print)
    }

    /// It was said now.
    pub fn add(&mut self, said: Said) {
        self.order.push_back(said.print);
        *self.count.entry(said.print).or_default() += 1;
        if self.order.len() > LATELY
            && let Some(oldest) = self.order.pop_front()
        {
            self.forget(oldest);
        }
    }

    /// It was not said after all.
    pub fn take_back(&mut self, said: Said) {
        if let Some(at) = self.order.iter().rposition(|print| *print == said.print) {
            self.order.remove(at);
            self.forget(said.print);
        }
    }

    fn forget(&mut self, print: u64) {
        if let Some(count) = self.count.get_mut(&print) {
            *count -= 1;
            if *count == 0 {
                self.count.remove(&print);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::permission::Standing;
    use shared::account::Role;

    fn text(text: &str) -> Said {
        Said::of(&[Fragment::Text { text: text.to_owned() }])
    }

    fn emote(code: &str) -> Fragment {
        Fragment::Emote { text: code.to_owned(), url: "/emotes/x.svg".to_owned() }
    }

    fn now() -> Timestamp {
        Timestamp::from_millis(1_000_000_000)
    }

    fn viewer() -> Standings {
        Standings::of_account(Role::Member)
    }

    fn passes(settings: ChatSettings, is: Standings, said: Said) -> Result<(), Barred> {
        check(&settings, is, None, said, &Lately::default(), now())
    }

    #[test]
    fn what_is_the_same_but_for_case_spaces_and_signs_is_the_same() {
        assert_eq!(text("Hello  World!").print, text("hello world").print);
        assert_eq!(text("h.e.l.l.o w-o-r-l-d").print, text("HELLO WORLD").print);
        assert_ne!(text("hello").print, text("hallo").print);
        assert_ne!(text("!!!").print, text("???").print);
        assert_eq!(text("!!!").print, text("!!!").print);
    }

    #[test]
    fn followers_must_have_followed_for_long_enough() {
        let settings = ChatSettings { followers: true, followers_minutes: 10, ..ChatSettings::default() };
        let follows = |settings: &ChatSettings, seconds: i64| {
            let since = Timestamp::from_millis(now().as_millis() - seconds * 1000);
            check(settings, viewer(), Some(since), text("a"), &Lately::default(), now())
        };
        let wait = |seconds| Err(Barred::Followers { minutes: 10, wait: Some(Duration::from_secs(seconds)) });
        assert_eq!(follows(&settings, 600), Ok(()));
        assert_eq!(follows(&settings, 590), wait(10));
        assert_eq!(follows(&settings, -50), wait(600), "followed in the future");
        assert_eq!(passes(settings, viewer(), text("a")), Err(Barred::Followers { minutes: 10, wait: None }));
        let any = ChatSettings { followers_minutes: 0, ..settings };
        assert_eq!(follows(&any, 0), Ok(()));
        for exempt in [Standing::Tier1, Standing::Tier3, Standing::Vip, Standing::Editor] {
            assert_eq!(passes(settings, viewer().and(exempt), text("a")), Ok(()), "{exempt:?}");
        }
    }

    #[test]
    fn subscribers_and_vips_pass_where_others_do_not() {
        let settings = ChatSettings { subscribers: true, ..ChatSettings::default() };
        assert_eq!(passes(settings, viewer(), text("a")), Err(Barred::Subscribers));
        assert_eq!(passes(settings, viewer().and(Standing::Tier3), text("a")), Ok(()));
        assert_eq!(passes(settings, viewer().and(Standing::Vip), text("a")), Ok(()));
    }

    #[test]
    fn emotes_alone_pass_and_hold_for_vips_too() {
        let settings = ChatSettings { emote_only: true, ..ChatSettings::default() };
        let vip = viewer().and(Standing::Vip);
        let space = Fragment::Text { text: " ".to_owned() };
        assert_eq!(passes(settings, vip, Said::of(&[emote(":a:"), space, emote(":b:")])), Ok(()));
        assert_eq!(passes(settings, vip, text("a")), Err(Barred::Emotes));
        let both = Said::of(&[emote(":a:"), Fragment::Text { text: "!".to_owned() }]);
        assert_eq!(passes(settings, viewer(), both), Err(Barred::Emotes));
    }

    #[test]
    fn nothing_is_said_twice_within_a_thousand() {
        let settings = ChatSettings { unique: true, ..ChatSettings::default() };
        let mut lately = Lately::default();
        let says = |lately: &Lately, words| check(&settings, viewer(), None, text(words), lately, now());
        lately.add(text("first"));
        assert_eq!(says(&lately, "FIRST!"), Err(Barred::Repeated));
        lately.take_back(text("first"));
        assert_eq!(says(&lately, "first"), Ok(()));
        lately.add(text("first"));
        lately.add(text("first"));
        for n in 0..LATELY - 1 {
            lately.add(text(&n.to_string()));
        }
        assert_eq!(says(&lately, "first"), Err(Barred::Repeated), "once more within the thousand");
        lately.add(text("x"));
        assert_eq!(says(&lately, "first"), Ok(()));
        assert_eq!(lately.order.len(), LATELY);
        assert!(lately.count.len() <= LATELY);
    }
}
