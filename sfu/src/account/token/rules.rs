//! Pure rules of API tokens: how they are written, what they may do, when they are over.

use crate::secret::{Secret, SecretHash};
use shared::{account::Scope, unit::Timestamp};

/// The most tokens of one account, those that are over counted.
pub const TOKENS_MOST: i64 = 50;
/// The longest that a token which ends is good.
pub const DAYS_MOST: u32 = 3650;

const PREFIX: &str = "weir_api_";
const DAY: i64 = 24 * 60 * 60 * 1000;

/// A program's secret. Its text begins with `weir_api_`.
#[derive(Debug, Clone)]
pub struct ApiSecret(Secret);

impl ApiSecret {
    /// From 256 random bits.
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Self(Secret::from_random(bytes))
    }

    /// From its text; `None` if that can't be one.
    pub fn parse(text: &str) -> Option<Self> {
        Secret::parse(text.strip_prefix(PREFIX)?).map(Self)
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

/// Scopes without repetition, in one order; `None` if there are none.
pub fn scopes(mut given: Vec<Scope>) -> Option<Vec<Scope>> {
    given.sort();
    given.dedup();
    (!given.is_empty()).then_some(given)
}

/// Whether with these scopes a token runs the instance, or sees how it is run.
pub fn runs_instance(scopes: &[Scope]) -> bool {
    scopes.iter().any(|scope| matches!(scope, Scope::InstanceRead | Scope::InstanceManage))
}

/// When a token ends that is made now: never if nothing is said. `None` for a number of days that can't be.
pub fn expiry(days: Option<u32>, now: Timestamp) -> Option<Option<Timestamp>> {
    let end = |days: u32| Timestamp::from_millis(now.as_millis() + i64::from(days) * DAY);
    match days {
        None => Some(None),
        Some(days @ 1..=DAYS_MOST) => Some(Some(end(days))),
        Some(_) => None,
    }
}

/// Whether a token is over.
pub fn is_over(expires_at: Option<Timestamp>, now: Timestamp) -> bool {
    expires_at.is_some_and(|at| at <= now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_instance_is_seen_and_run_by_is_told_from_the_rest() {
        let run: Vec<Scope> = Scope::ALL.into_iter().filter(|scope| runs_instance(&[*scope])).collect();
        assert_eq!(run, [Scope::InstanceRead, Scope::InstanceManage]);
        assert!(runs_instance(&[Scope::Read, Scope::InstanceManage]) && !runs_instance(&[]));
    }

    #[test]
    fn a_secret_is_told_from_every_other() {
        let secret = ApiSecret::from_random([7; 32]);
        let text = secret.reveal();
        assert_eq!(ApiSecret::parse(&text).map(|secret| secret.hash()), Some(secret.hash()));
        for bad in ["", PREFIX, &text[1..], &text.replace("api", "key"), &format!("{text}A")] {
            assert!(ApiSecret::parse(bad).is_none(), "{bad}");
        }
        assert!(!format!("{secret:?}").contains(&text[PREFIX.len()..]));
    }

    #[test]
    fn a_token_may_something_and_ends_when_it_was_said() {
        assert_eq!(scopes(Vec::new()), None);
        let twice = vec![Scope::ChannelWrite, Scope::Read, Scope::ChannelWrite];
        assert_eq!(scopes(twice), Some(vec![Scope::Read, Scope::ChannelWrite]));
        let now = Timestamp::from_millis(1_000);
        assert_eq!(expiry(None, now), Some(None));
        let tomorrow = Timestamp::from_millis(1_000 + DAY);
        assert_eq!(expiry(Some(1), now), Some(Some(tomorrow)));
        for bad in [0, DAYS_MOST + 1, u32::MAX] {
            assert_eq!(expiry(Some(bad), now), None);
        }
        assert!(
            is_over(Some(tomorrow), tomorrow) && !is_over(Some(tomorrow), now) && !is_over(None, tomorrow)
        );
    }
}
