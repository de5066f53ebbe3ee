//! Pure rules of invites: how they are written, what they may let in, when they are over.

use crate::secret::{Secret, SecretHash};
use shared::{
    instance::SignUp,
    text::{AccountName, DisplayName},
    unit::Timestamp,
};

/// The most people that come by one invite.
pub const USES_MOST: u32 = 1000;
/// The longest that one is good.
pub const DAYS_MOST: u32 = 365;
/// How long one is good if nothing is said.
const DAYS: u32 = 7;
/// The most invites there are, those that are over counted.
pub const INVITES_MOST: i64 = 1000;

const PREFIX: &str = "weir_inv_";
const DAY: i64 = 24 * 60 * 60 * 1000;

/// An invite's secret. Its text begins with `weir_inv_`.
#[derive(Debug, Clone)]
pub struct InviteSecret(Secret);

impl InviteSecret {
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

/// What somebody comes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// Nothing is asked of them.
    Freely,
    /// An invite, which must still be good when the account is made.
    ByInvite(SecretHash),
}

/// Why somebody can't make an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Shut {
    /// Nobody can.
    #[error("nobody can make an account here")]
    Closed,
    /// An invite is needed, and there is none, or none that works.
    #[error("an account takes an invite")]
    NeedsInvite,
}

/// How somebody may come in, with the invite that they may have.
pub fn way(mode: SignUp, invite: Option<&str>) -> Result<Way, Shut> {
    match mode {
        SignUp::Open => Ok(Way::Freely),
        SignUp::Closed => Err(Shut::Closed),
        SignUp::Invite => {
            let secret = invite.and_then(InviteSecret::parse).ok_or(Shut::NeedsInvite)?;
            Ok(Way::ByInvite(secret.hash()))
        }
    }
}

/// How many may come by an invite; `None` for a number that can't be.
pub fn uses(wanted: Option<u32>) -> Option<u32> {
    Some(wanted.unwrap_or(1)).filter(|uses| (1..=USES_MOST).contains(uses))
}

/// When an invite ends that is made now; `None` for a number of days that can't be.
pub fn expiry(days: Option<u32>, now: Timestamp) -> Option<Timestamp> {
    let days = Some(days.unwrap_or(DAYS)).filter(|days| (1..=DAYS_MOST).contains(days))?;
    Some(Timestamp::from_millis(now.as_millis() + i64::from(days) * DAY))
}

/// Whether a new account's names are none that Weir's own pages have, as in “support”.
pub fn is_of_weir(name: &AccountName, display_name: &DisplayName) -> bool {
    let is = |text: &str| shared::id::RESERVED_NAMES.contains(&text.to_lowercase().as_str());
    is(name.as_str()) || is(display_name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_door_is_open_or_takes_an_invite_or_is_shut() {
        let secret = InviteSecret::from_random([3; 32]);
        let text = secret.reveal();
        let by_invite = Way::ByInvite(secret.hash());
        assert_eq!(way(SignUp::Open, None), Ok(Way::Freely));
        assert_eq!(way(SignUp::Open, Some("nonsense")), Ok(Way::Freely));
        assert_eq!(way(SignUp::Invite, Some(&text)), Ok(by_invite.clone()));
        assert_eq!(way(SignUp::Invite, Some(&format!(" {text}\n"))), Ok(by_invite));
        for bad in [None, Some(""), Some("weir_inv_"), Some(&text[1..]), Some("weir_api_x")] {
            assert_eq!(way(SignUp::Invite, bad), Err(Shut::NeedsInvite), "{bad:?}");
        }
        assert_eq!(way(SignUp::Closed, Some(&text)), Err(Shut::Closed));
        assert!(!format!("{secret:?}").contains(&text[PREFIX.len()..]));
    }

    #[test]
    fn an_invite_is_for_one_person_and_a_week_unless_it_is_said() {
        let now = Timestamp::from_millis(1000);
        assert_eq!((uses(None), expiry(None, now)), (Some(1), Some(Timestamp::from_millis(1000 + 7 * DAY))));
        assert_eq!(uses(Some(USES_MOST)), Some(USES_MOST));
        assert_eq!(expiry(Some(1), now), Some(Timestamp::from_millis(1000 + DAY)));
        for bad in [0, u32::MAX] {
            assert_eq!((uses(Some(bad)), expiry(Some(bad), now)), (None, None));
        }
    }

    #[test]
    fn nobody_is_called_as_a_part_of_weir() {
        let of = |name: &str, shown: &str| is_of_weir(&name.parse().unwrap(), &shown.parse().unwrap());
        assert!(of("support", "Ada") && of("ada", "Support") && of("admin", "x"));
        assert!(!of("ada", "Ada Lovelace"));
    }
}
