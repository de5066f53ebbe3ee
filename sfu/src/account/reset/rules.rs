//! Pure rules of links to a new password: what is asked for, how long one works, when a letter is tried again.

use shared::{
    text::{AccountName, EmailAddress},
    unit::Timestamp,
};
use std::time::Duration;

/// How long a link works.
pub const LASTS: i64 = 60 * 60 * 1000;
/// A letter that the mail server didn't take is tried again after these.
const WAITS: [u64; 3] = [30, 120, 480];

/// Who wants a new password.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Asked {
    /// By what they sign in with.
    Name(AccountName),
    /// By their address, in small letters.
    Address(String),
}

impl Asked {
    /// From what somebody typed; `None` if it can be neither.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.contains('@') {
            let address = text.parse::<EmailAddress>().ok()?;
            return Some(Self::Address(address.as_str().to_ascii_lowercase()));
        }
        text.parse().ok().map(Self::Name)
    }

    /// The name and the address that it is looked up by; the one that it isn't is nobody's.
    pub fn keys(&self) -> (&str, &str) {
        match self {
            Self::Name(name) => (name.as_str(), ""),
            Self::Address(address) => ("", address),
        }
    }
}

/// Until when a link works that is made now.
pub fn expires(now: Timestamp) -> Timestamp {
    Timestamp::from_millis(now.as_millis().saturating_add(LASTS))
}

/// How long to wait before a letter is tried once more after so many tries; `None` to give it up.
pub fn again(tries: usize) -> Option<Duration> {
    WAITS.get(tries.checked_sub(1)?).copied().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_asked_for_by_name_or_address() {
        let name = Asked::parse(" ada ").unwrap();
        assert_eq!(name, Asked::Name("ada".parse().unwrap()));
        assert_eq!(name.keys(), ("ada", ""));
        let address = Asked::parse("Ada@Example.org").unwrap();
        assert_eq!(address.keys(), ("", "ada@example.org"));
        assert_eq!(Asked::parse("ada@EXAMPLE.org"), Some(address));
        for neither in ["", "  ", "a b", "@", "ada@", "x".repeat(300).as_str(), "ada@x\r\nBcc: y@z", "'; --"]
        {
            assert_eq!(Asked::parse(neither), None, "{neither}");
        }
    }

    #[test]
    fn a_link_works_for_an_hour_and_its_letter_is_given_up_before() {
        let now = Timestamp::from_millis(1000);
        assert_eq!(expires(now).since(now), Duration::from_secs(3600));
        assert_eq!(expires(Timestamp::from_millis(i64::MAX)), Timestamp::from_millis(i64::MAX));
        let waits: Vec<Duration> = (1..).map_while(again).collect();
        assert_eq!(waits.len(), 3);
        assert!(waits.iter().sum::<Duration>() < Duration::from_secs(3600));
        assert_eq!(again(0), None);
    }
}
