//! What of a room's moderation the record of what was done keeps. Pure.

use super::task::Work;
use crate::{actor::Actor, store::audit::Entry};
use shared::{
    audit::AuditAction,
    id::{ChannelId, PersonId},
};

/// Whom it is done to, where that may be a guest, whose name the room alone knows.
pub fn person(work: &Work) -> Option<&PersonId> {
    match work {
        Work::Silence(silence) => Some(&silence.person),
        Work::Unsilence { person } => Some(person),
        _ => None,
    }
}

/// The entry of a piece of work, if it is one that is kept. `name` is what the room calls whom it is done to.
pub fn entry<'a>(
    channel: &'a ChannelId,
    by: &'a Actor,
    work: &'a Work,
    name: Option<&'a str>,
) -> Option<Entry<'a>> {
    let entry = |action| Entry::new(action, Some(by)).on(channel);
    let of = |action, person: &'a PersonId| {
        let entry = entry(action).to(person.as_str());
        // Accounts are called by what they sign in with, as everywhere.
        match name.filter(|_| person.as_str().starts_with("guest-")) {
            Some(name) => entry.called(name),
            None => entry,
        }
    };
    Some(match work {
        Work::Message(_) => return None,
        Work::Delete { message, .. } => entry(AuditAction::MessageDeleted).to(message.as_str()),
        Work::Silence(silence) => {
            let until = serde_json::to_value(silence.until).unwrap_or_default();
            let until = until.as_str().unwrap_or_default();
            let because = if silence.reason.is_empty() { "" } else { ": " };
            of(AuditAction::TimedOut, &silence.person)
                .saying(format!("until {until}{because}{}", silence.reason))
        }
        Work::Unsilence { person } => of(AuditAction::TimeOutLifted, person),
        Work::Settings(edit) => {
            let guests = edit.guests.map(|may| format!("guests: {}", if may { "on" } else { "off" }));
            let slow = edit.slow_seconds.map(|seconds| format!("slow mode: {seconds} s"));
            let changes: Vec<String> = guests.into_iter().chain(slow).collect();
            entry(AuditAction::ChatEdited).saying(changes.join(", "))
        }
        Work::Moderator { account, is_moderator } => {
            let action =
                if *is_moderator { AuditAction::ModeratorAdded } else { AuditAction::ModeratorRemoved };
            entry(action).to(account.as_str())
        }
    })
}
