//! What makes an appeal, and where one stands. Pure.

use crate::chat::text;
use shared::{
    appeal::{APPEAL_MOST, AppealState, SHORT_SILENCE},
    unit::Timestamp,
};

/// An appeal as it is kept: what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Nobody has decided.
    Waiting,
    /// A moderator lifted what it was against.
    Accepted,
    /// A moderator declined it.
    Declined,
    /// What it was against was lifted in another way, or another one took its place.
    Over,
}

impl Fate {
    const NAMES: [(Self, &'static str); 4] = [
        (Self::Waiting, "waiting"),
        (Self::Accepted, "accepted"),
        (Self::Declined, "declined"),
        (Self::Over, "over"),
    ];

    /// As it is written down.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(fate, _)| *fate == self).map_or("", |(_, name)| name)
    }

    /// From what was written down.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(fate, _)| *fate)
    }

    /// Where that leaves its author, by whether what it is against holds still: a time-out runs out by itself.
    pub fn state(self, holds: bool) -> AppealState {
        match self {
            Self::Declined if holds => AppealState::Declined,
            Self::Waiting if holds => AppealState::Waiting,
            _ => AppealState::Lifted,
        }
    }
}

/// When a time-out began, as far as that was kept: 0 says that it is from before it was.
pub fn beginning(kept: i64) -> Option<Timestamp> {
    (kept != 0).then(|| Timestamp::from_millis(kept))
}

/// Whether somebody appeals against a time-out: not if it is a short one. Of one whose beginning is unknown, what is left counts.
pub fn is_long(began: Option<Timestamp>, until: Timestamp, now: Timestamp) -> bool {
    let began = began.unwrap_or(now);
    until.as_millis().saturating_sub(began.as_millis()) > i64::from(SHORT_SILENCE) * 1000
}

/// What an appeal says, or why it can't.
pub fn said(typed: &str) -> Result<String, &'static str> {
    match answer(typed)? {
        text if text.is_empty() => Err("An appeal says something: write why it should be lifted."),
        text => Ok(text),
    }
}

/// What the moderators answer, which may be nothing.
pub fn answer(typed: &str) -> Result<String, &'static str> {
    let text = text::clean(typed).trim().to_owned();
    if text.chars().count() > APPEAL_MOST { Err("This has at most 500 characters.") } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_appeal_is_bounded_and_says_something() {
        assert_eq!(said("  I was  only\njoking \u{202E}"), Ok("I was only joking".to_owned()));
        for empty in ["", " \n", "\u{202E}\u{200B}"] {
            assert!(said(empty).is_err(), "{empty:?}");
            assert_eq!(answer(empty), Ok(String::new()));
        }
        assert!(said(&"é".repeat(500)).is_ok());
        assert!(said(&"é".repeat(501)).is_err() && answer(&"x".repeat(60_000)).is_err());
    }

    #[test]
    fn short_time_outs_are_nobody_s_appeal() {
        let at = Timestamp::from_millis;
        let is_long = |began: i64, until: i64, now: i64| is_long(beginning(began), at(until), at(now));
        assert!(!is_long(1_000, 601_000, 1_000) && is_long(1_000, 601_001, 1_000));
        assert!(is_long(1_000, 601_001, 601_000), "of one whose beginning is known, all of it counts");
        assert!(!is_long(5_000, 1_000, 5_000), "a clock that was set back makes none long");
        let until = 1_800_000_000_000;
        assert!(!is_long(0, until, until - 600_000), "one from before its beginning was kept");
        assert!(is_long(0, until, until - 600_001), "one of those that lasts on for long");
    }

    #[test]
    fn its_author_is_told_where_it_stands() {
        for (fate, holds, state) in [
            (Fate::Waiting, true, AppealState::Waiting),
            (Fate::Waiting, false, AppealState::Lifted),
            (Fate::Declined, true, AppealState::Declined),
            (Fate::Declined, false, AppealState::Lifted),
            (Fate::Accepted, false, AppealState::Lifted),
            (Fate::Over, true, AppealState::Lifted),
        ] {
            assert_eq!(fate.state(holds), state, "{fate:?} {holds}");
            assert_eq!(Fate::of_name(fate.name()), Some(fate));
        }
        assert_eq!(Fate::of_name("x"), None);
    }
}
