//! What the record may be asked. Pure.

use crate::page::{Place, Wanted};
use shared::{
    audit::{AuditAction, AuditQuery},
    page::PageQuery,
};

/// The most entries of one export.
pub const EXPORT_MOST: u32 = 10_000;
/// No name, id or action is longer.
const TEXT_MOST: usize = 64;

/// Which entries are wanted; an empty text for all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// By whom, by id or name.
    pub actor: String,
    /// An action.
    pub action: String,
    /// To whom or what, by id or name.
    pub target: String,
    /// Not before, in milliseconds.
    pub since: i64,
    /// Before, in milliseconds.
    pub until: i64,
}

/// A part of a question that can't be taken, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct QueryError {
    /// Which.
    pub field: &'static str,
    /// Why.
    pub why: &'static str,
}

/// What is asked for, and which part of it.
pub fn question(query: AuditQuery) -> Result<(Filter, Wanted), QueryError> {
    let AuditQuery { cursor, limit, actor, action, target, since, until } = query;
    let text = |field, text: Option<String>| {
        let text = text.unwrap_or_default();
        let text = text.trim().trim_start_matches('@');
        let why = "This is longer than any name or id.";
        if text.chars().count() > TEXT_MOST { Err(QueryError { field, why }) } else { Ok(text.to_owned()) }
    };
    let action = text("action", action)?;
    if !action.is_empty() && !is_action(&action) {
        let why =
            "There is no such action. Ask for one like “chat.timedOut”, or for all of a kind like “chat”.";
        return Err(QueryError { field: "action", why });
    }
    let after = match cursor.as_deref().map(Place::parse) {
        Some(None) => {
            let why =
                "This cursor is not one that this list gave. Leave it out, to begin with the first page.";
            return Err(QueryError { field: "cursor", why });
        }
        after => after.flatten(),
    };
    let filter = Filter {
        actor: text("actor", actor)?,
        action,
        target: text("target", target)?,
        since: since.map_or(0, |at| at.as_millis()),
        until: until.map_or(i64::MAX, |at| at.as_millis()),
    };
    Ok((filter, Wanted { after, limit: PageQuery { cursor: None, limit }.limit() }))
}

/// Whether it is an action's name, or what the names of several begin with.
fn is_action(text: &str) -> bool {
    let begins = |action: &AuditAction| action.name().split('.').next() == Some(text);
    AuditAction::ALL.iter().any(|action| action.name() == text || begins(action))
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::unit::Timestamp;

    fn asked(change: impl FnOnce(&mut AuditQuery)) -> Result<(Filter, Wanted), &'static str> {
        let mut query = AuditQuery::default();
        change(&mut query);
        question(query).map_err(|error| error.field)
    }

    #[test]
    fn what_is_not_said_is_not_asked_for() {
        let (filter, wanted) = asked(|_| {}).unwrap();
        assert_eq!(filter, Filter { until: i64::MAX, ..Filter::default() });
        assert_eq!((wanted.after, wanted.limit), (None, 50));
    }

    #[test]
    fn actions_are_known_and_the_rest_is_bounded() {
        for good in ["chat", "chat.timedOut", "account", "webhook.secret", ""] {
            assert!(asked(|query| query.action = Some(good.to_owned())).is_ok(), "{good}");
        }
        for bad in ["chat.", "cha", "chat.timedout", "%", "chat.%", "timedOut"] {
            assert_eq!(asked(|query| query.action = Some(bad.to_owned())).err(), Some("action"), "{bad}");
        }
        assert_eq!(asked(|query| query.actor = Some("a".repeat(65))).err(), Some("actor"));
        assert_eq!(asked(|query| query.target = Some("a".repeat(65))).err(), Some("target"));
        assert_eq!(asked(|query| query.cursor = Some("x".to_owned())).err(), Some("cursor"));
        assert_eq!(asked(|query| query.limit = Some(100_000)).unwrap().1.limit, 200);
        let (filter, _) = asked(|query| {
            query.actor = Some(" @ada ".to_owned());
            query.since = Some(Timestamp::from_millis(5));
        })
        .unwrap();
        assert_eq!((filter.actor.as_str(), filter.since), ("ada", 5));
    }
}
