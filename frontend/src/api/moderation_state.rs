//! Reads what the server tells moderators, by hand as the rest of chat. A test holds it against the derived readers.

use super::{
    chat::WaitingAppeals,
    chat_state::{Read, all, author, flag, fragment, optional, owned, parsed, reply, text, time, word},
};
use serde_json::Value;
use shared::{
    appeal::{Against, Appeal},
    moderation::{
        ActionKind, ChatAction, Decided, Filters, HeldMessage, HoldReason, LinkRule, PastMessage, PersonCard,
    },
};

fn reason(value: &Value) -> Option<HoldReason> {
    Some(match value.as_str()? {
        "word" => HoldReason::Word,
        "link" => HoldReason::Link,
        "repeats" => HoldReason::Repeats,
        "capitals" => HoldReason::Capitals,
        "lookAlikes" => HoldReason::LookAlikes,
        _ => return None,
    })
}

impl Read for HeldMessage {
    fn read(value: &Value) -> Option<Self> {
        Some(Self {
            id: parsed(value, "id")?,
            at: time(value, "at")?,
            author: author(value.get("author")?)?,
            fragments: all(value.get("fragments"), fragment)?,
            reply_to: optional(value, "replyTo", reply)?,
            action: flag(value, "action")?,
            reasons: all(value.get("reasons"), reason)?,
        })
    }
}

impl Read for Appeal {
    fn read(value: &Value) -> Option<Self> {
        Some(Self {
            id: parsed(value, "id")?,
            at: time(value, "at")?,
            person: parsed(value, "person")?,
            name: parsed(value, "name")?,
            account: parsed(value, "account")?,
            text: owned(value, "text")?,
            against: Against::of_name(text(value, "against")?)?,
            since: optional(value, "since", |value| serde_json::from_value(value.clone()).ok())?,
            until: optional(value, "until", |value| serde_json::from_value(value.clone()).ok())?,
            reason: owned(value, "reason")?,
            by: parsed(value, "by")?,
            by_name: optional(value, "byName", |value| value.as_str()?.parse().ok())?,
        })
    }
}

impl Read for WaitingAppeals {
    fn read(value: &Value) -> Option<Self> {
        let has_more = value.get("next").is_some_and(|next| !next.is_null());
        Some(Self { appeals: Read::read(value)?, has_more })
    }
}

impl Read for Decided {
    fn read(value: &Value) -> Option<Self> {
        Some(Self {
            approved: value.get("approved")?.as_bool()?,
            by: parsed(value, "by")?,
            by_name: parsed(value, "byName")?,
        })
    }
}

impl Read for ChatAction {
    fn read(value: &Value) -> Option<Self> {
        Some(Self {
            id: parsed(value, "id")?,
            at: time(value, "at")?,
            by: parsed(value, "by")?,
            by_name: parsed(value, "byName")?,
            kind: ActionKind::of_name(text(value, "kind")?)?,
            person: optional(value, "person", |value| value.as_str()?.parse().ok())?,
            person_name: optional(value, "personName", |value| value.as_str()?.parse().ok())?,
            message: optional(value, "message", |value| value.as_str()?.parse().ok())?,
            detail: owned(value, "detail")?,
        })
    }
}

fn words(value: &Value, name: &str) -> Option<Vec<String>> {
    all(value.get(name), |word| Some(word.as_str()?.to_owned()))
}

impl Read for Filters {
    fn read(value: &Value) -> Option<Self> {
        Some(Self {
            words: words(value, "words")?,
            links: match text(value, "links")? {
                "allow" => LinkRule::Allow,
                "hold" => LinkRule::Hold,
                "refuse" => LinkRule::Refuse,
                _ => return None,
            },
            hosts: words(value, "hosts")?,
            repeats: flag(value, "repeats")?,
            capitals: flag(value, "capitals")?,
            look_alikes: flag(value, "lookAlikes")?,
        })
    }
}

fn past(value: &Value) -> Option<PastMessage> {
    Some(PastMessage {
        id: parsed(value, "id")?,
        at: time(value, "at")?,
        text: owned(value, "text")?,
        deleted: value.get("deleted")?.as_bool()?,
    })
}

impl Read for PersonCard {
    fn read(value: &Value) -> Option<Self> {
        let moment = |name: &str| optional(value, name, |value| serde_json::from_value(value.clone()).ok());
        Some(Self {
            person: parsed(value, "person")?,
            name: parsed(value, "name")?,
            account: optional(value, "account", |value| value.as_str()?.parse().ok())?,
            badges: match value.get("badges") {
                None => Vec::new(),
                badges => all(badges, word)?.into_iter().flatten().collect(),
            },
            colour: optional(value, "colour", word)?.flatten(),
            first_at: moment("firstAt")?,
            messages: value.get("messages")?.as_u64()?,
            silenced_until: moment("silencedUntil")?,
            banned: value.get("banned")?.as_bool()?,
            recent: all(value.get("recent"), past)?,
            // A kind of a newer server takes no other with it.
            actions: value.get("actions")?.as_array()?.iter().filter_map(ChatAction::read).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn it_reads_what_the_derived_reader_reads() {
        let author = json!({"id": "guest-1", "name": "Zoë", "badges": ["guest"]});
        let at = "2026-11-18T11:06:40Z";
        let held = json!({"id": "m1", "at": at, "author": author, "fragments": [{"type": "text", "text": "BUY"}],
            "replyTo": {"id": "m0", "name": "Ben", "excerpt": "x"}, "action": true,
            "reasons": ["word", "link", "repeats", "capitals", "lookAlikes"]});
        assert_eq!(HeldMessage::read(&held), serde_json::from_value(held).unwrap());
        let later = "2026-11-18T12:06:40Z";
        for (against, since, until, by) in [
            ("ban", json!(at), json!(null), json!("Ada")),
            ("timeOut", json!(at), json!(later), json!(null)),
            ("timeOut", json!(null), json!(later), json!("Ada")),
        ] {
            let appeal = json!({"id": "p1", "at": at, "person": "b1", "name": "Zoë", "account": "zoe", "text": "Sorry",
                "against": against, "since": since, "until": until, "reason": "", "by": "a1", "byName": by});
            assert_eq!(Appeal::read(&appeal), serde_json::from_value(appeal).unwrap());
        }
        for (page, has_more) in [(json!({"items": [], "next": "x"}), true), (json!({"items": []}), false)] {
            assert_eq!(WaitingAppeals::read(&page), Some(WaitingAppeals { appeals: Vec::new(), has_more }));
        }
        let decided = json!({"approved": true, "by": "a1", "byName": "Ada"});
        assert_eq!(Decided::read(&decided), serde_json::from_value(decided).unwrap());
        let action = json!({"id": "x1", "at": at, "by": "a1", "byName": "Ada", "kind": "timeOut", "person": "guest-1",
            "personName": "Zoë", "message": "m1", "detail": "600 s"});
        assert_eq!(ChatAction::read(&action), serde_json::from_value(action.clone()).unwrap());
        let short = json!({"id": "x1", "at": at, "by": "a1", "byName": "Ada", "kind": "clear", "detail": ""});
        assert_eq!(ChatAction::read(&short), serde_json::from_value(short).unwrap());
        let filters = json!({"words": ["a"], "links": "hold", "hosts": ["b.example"], "repeats": true,
            "capitals": false, "lookAlikes": true});
        assert_eq!(Filters::read(&filters), serde_json::from_value(filters).unwrap());
        for (first, account) in [(json!(at), json!("zoe")), (json!(null), json!(null))] {
            let card = json!({"person": "guest-1", "name": "Zoë", "account": account, "firstAt": first, "messages": 2,
                "badges": ["vip", "follower1Month"], "colour": "pink",
                "silencedUntil": first, "banned": true,
                "recent": [{"id": "m1", "at": at, "text": "hi", "deleted": true}], "actions": [action]});
            assert_eq!(PersonCard::read(&card), serde_json::from_value(card).unwrap());
        }
    }
}
