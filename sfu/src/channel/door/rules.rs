//! Pure rules of links into private channels: how they are written, how many and for how long they let in.

use crate::secret::{Secret, SecretHash};
use shared::{
    access::{LINK_DAYS_MOST, LINK_USES_MOST},
    unit::Timestamp,
};

const PREFIX: &str = "weir_link_";
const DAY: i64 = 24 * 60 * 60 * 1000;

/// What a link into a private channel holds. Its text begins with `weir_link_`.
#[derive(Debug, Clone)]
pub struct LinkSecret(Secret);

impl LinkSecret {
    /// From 256 random bits.
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Self(Secret::from_random(bytes))
    }

    /// From its text; `None` if that can't be one.
    pub fn parse(text: &str) -> Option<Self> {
        Secret::parse(text.trim().strip_prefix(PREFIX)?).map(Self)
    }

    /// The text to show, once.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", self.0.reveal())
    }

    /// What is kept of it.
    pub fn hash(&self) -> SecretHash {
        self.0.hash()
    }
}

/// A number that can't be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the number is out of range")]
pub struct OutOfRange;

/// How many get in by a link, if a number is said.
pub fn uses(wanted: Option<u32>) -> Result<Option<u32>, OutOfRange> {
    match wanted {
        Some(uses) if !(1..=LINK_USES_MOST).contains(&uses) => Err(OutOfRange),
        wanted => Ok(wanted),
    }
}

/// Until when a link that is made now can be used, if a time is said.
pub fn expiry(days: Option<u32>, now: Timestamp) -> Result<Option<Timestamp>, OutOfRange> {
    match days {
        Some(days) if !(1..=LINK_DAYS_MOST).contains(&days) => Err(OutOfRange),
        days => {
            Ok(days.map(|days| Timestamp::from_millis(now.as_millis().saturating_add(i64::from(days) * DAY))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_s_secret_is_read_as_it_was_shown_and_as_nothing_else() {
        let secret = LinkSecret::from_random([3; 32]);
        let text = secret.reveal();
        assert_eq!(LinkSecret::parse(&format!(" {text}\n")).unwrap().hash(), secret.hash());
        for bad in ["", PREFIX, &text[1..], "weir_inv_x", &format!("{text}A"), &text.replace("link", "inv")] {
            assert!(LinkSecret::parse(bad).is_none(), "{bad}");
        }
        assert!(!format!("{secret:?}").contains(&text[PREFIX.len()..]));
    }

    #[test]
    fn a_link_is_for_anybody_and_for_good_unless_it_is_said() {
        let now = Timestamp::from_millis(1000);
        assert_eq!((uses(None), expiry(None, now)), (Ok(None), Ok(None)));
        assert_eq!(uses(Some(LINK_USES_MOST)), Ok(Some(LINK_USES_MOST)));
        assert_eq!(expiry(Some(1), now), Ok(Some(Timestamp::from_millis(1000 + DAY))));
        // A clock that is far off makes no time that isn't one.
        assert_eq!(
            expiry(Some(1), Timestamp::from_millis(i64::MAX)),
            Ok(Some(Timestamp::from_millis(i64::MAX)))
        );
        for bad in [0, u32::MAX] {
            assert_eq!((uses(Some(bad)), expiry(Some(bad), now)), (Err(OutOfRange), Err(OutOfRange)));
        }
    }
}
