//! What of a room's moderation the record of what was done keeps. Pure.

use super::commit::work::{Act, Work};
use crate::store::audit::Entry;
use serde_json::Value;
use shared::{
    audit::AuditAction,
    id::ChannelId,
    moderation::{ActionKind, ChatAction},
};

/// The record's name for what a moderator does; none where somebody else records it.
fn action(kind: ActionKind) -> Option<AuditAction> {
    Some(match kind {
        ActionKind::Delete => AuditAction::MessageDeleted,
        ActionKind::TimeOut => AuditAction::TimedOut,
        ActionKind::LiftTimeOut => AuditAction::TimeOutLifted,
        ActionKind::Ban => AuditAction::Banned,
        ActionKind::Unban => AuditAction::BanLifted,
        ActionKind::AcceptAppeal => AuditAction::AppealAccepted,
        ActionKind::DeclineAppeal => AuditAction::AppealDeclined,
        ActionKind::Clear => AuditAction::ChatCleared,
        ActionKind::Rules => AuditAction::ChatEdited,
        ActionKind::AddModerator => AuditAction::ModeratorAdded,
        ActionKind::RemoveModerator => AuditAction::ModeratorRemoved,
        ActionKind::Pin => AuditAction::MessagePinned,
        ActionKind::Unpin => AuditAction::MessageUnpinned,
        ActionKind::Filters => AuditAction::FiltersSet,
        ActionKind::Approve => AuditAction::MessageApproved,
        ActionKind::Refuse => AuditAction::MessageRefused,
        ActionKind::StartPoll => AuditAction::PollStarted,
        ActionKind::EndPoll => AuditAction::PollEnded,
        ActionKind::Raid => AuditAction::RaidStarted,
        ActionKind::EndRaid => AuditAction::RaidEnded,
        ActionKind::SetEmote => AuditAction::EmoteSet,
        ActionKind::RemoveEmote => AuditAction::EmoteRemoved,
        ActionKind::TierEmote => AuditAction::EmoteTierSet,
        ActionKind::SetBadge => AuditAction::BadgeSet,
        ActionKind::RemoveBadge => AuditAction::BadgeRemoved,
        // The channel's roles are written down where they are given.
        ActionKind::AddVip | ActionKind::RemoveVip => return None,
    })
}

/// The fields of an object, as a sentence lists them.
fn listed(rules: Option<Value>) -> String {
    let Some(Value::Object(rules)) = rules else { return String::new() };
    let set = rules.into_iter().filter(|(_, value)| !value.is_null());
    let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    set.map(|(rule, value)| format!("{rule}: {}", text(value))).collect::<Vec<_>>().join(", ")
}

/// The entry of a piece of work that changed something, if it is one that is kept.
pub fn entry<'a>(
    channel: &'a ChannelId,
    act: &'a Act,
    deed: &'a ChatAction,
    work: &'a Work,
) -> Option<Entry<'a>> {
    let mut entry = Entry::new(action(act.kind)?, act.who.as_ref()).on(channel);
    let person = deed.person.as_ref().zip(deed.person_name.as_ref());
    entry = match (person, &deed.message) {
        // Accounts are called by what they sign in with, as everywhere; a guest's name the room alone knows.
        (Some((person, name)), _) if person.as_str().starts_with("guest-") => {
            entry.to(person.as_str()).called(name.as_str())
        }
        // It is found by whom it was done to, whatever became of which of their messages.
        (Some((person, _)), _) => entry.to(person.as_str()),
        (None, Some(message)) => entry.to(message.as_str()),
        (None, None) => entry,
    };
    Some(entry.saying(match work {
        // What was taken away is for moderators to see, and for nobody whom the record is sent to.
        Work::Delete { .. } => String::new(),
        Work::Silence { silence, .. } => {
            let until = serde_json::to_value(silence.until).unwrap_or_default();
            let until = until.as_str().unwrap_or_default();
            let because = if silence.reason.is_empty() { "" } else { ": " };
            format!("until {until}{because}{}", silence.reason)
        }
        Work::Settings(edit) => listed(serde_json::to_value(edit).ok()),
        Work::Filters(_) => listed(serde_json::from_str(&act.detail).ok()),
        _ => act.detail.clone(),
    }))
}
