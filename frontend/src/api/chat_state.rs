//! Reads what the server says of chats, by hand: what the derived readers of tagged enums bring with them weighs more than
//! all of the chat's own code. A test holds it against the derived ones.

use serde::de::DeserializeOwned;
use serde_json::Value;
use shared::{
    chat::{
        Badge, ChatAuthor, ChatMessage, ChatRoom, ChatSettings, ChatUpdate, ChatUpdates, Emote, Fragment,
        Moderator, NewGuest, ReplyTo, Sent, Silence,
    },
    event::Cursor,
    unit::Timestamp,
};
use std::str::FromStr;

/// What can be read from JSON.
pub trait Read: Sized {
    /// It, or `None` if the JSON is of another shape.
    fn read(value: &Value) -> Option<Self>;
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str()
}

fn owned(value: &Value, name: &str) -> Option<String> {
    text(value, name).map(str::to_owned)
}

fn parsed<T: FromStr>(value: &Value, name: &str) -> Option<T> {
    text(value, name)?.parse().ok()
}

/// By the type's own reader, for the few that have one anyway.
fn derived<T: DeserializeOwned>(value: &Value, name: &str) -> Option<T> {
    serde_json::from_value(value.get(name)?.clone()).ok()
}

fn time(value: &Value, name: &str) -> Option<Timestamp> {
    derived(value, name)
}

fn all<T>(value: Option<&Value>, read: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    value?.as_array()?.iter().map(read).collect()
}

/// What may be absent or null.
fn optional<T>(value: &Value, name: &str, read: impl Fn(&Value) -> Option<T>) -> Option<Option<T>> {
    match value.get(name) {
        None | Some(Value::Null) => Some(None),
        Some(value) => read(value).map(Some),
    }
}

fn id(value: &Value) -> Option<shared::id::MessageId> {
    value.as_str()?.parse().ok()
}

fn badge(value: &Value) -> Option<Badge> {
    Some(match value.as_str()? {
        "owner" => Badge::Owner,
        "moderator" => Badge::Moderator,
        "guest" => Badge::Guest,
        _ => return None,
    })
}

fn author(value: &Value) -> Option<ChatAuthor> {
    Some(ChatAuthor {
        id: parsed(value, "id")?,
        name: parsed(value, "name")?,
        account: optional(value, "account", |name| name.as_str()?.parse().ok())?,
        badges: match value.get("badges") {
            None => Vec::new(),
            badges => all(badges, badge)?,
        },
    })
}

fn fragment(value: &Value) -> Option<Fragment> {
    let (kind, text) = (text(value, "type")?, owned(value, "text")?);
    Some(match kind {
        "text" => Fragment::Text { text },
        "mention" => Fragment::Mention { text, person: parsed(value, "person")? },
        "emote" => Fragment::Emote { text, url: owned(value, "url")? },
        "link" => Fragment::Link { text, url: owned(value, "url")? },
        _ => return None,
    })
}

fn reply(value: &Value) -> Option<ReplyTo> {
    Some(ReplyTo {
        id: parsed(value, "id")?,
        name: parsed(value, "name")?,
        excerpt: owned(value, "excerpt")?,
    })
}

fn message(value: &Value) -> Option<ChatMessage> {
    Some(ChatMessage {
        id: parsed(value, "id")?,
        sequence: Cursor(value.get("sequence")?.as_u64()?),
        at: time(value, "at")?,
        author: author(value.get("author")?)?,
        fragments: all(value.get("fragments"), fragment)?,
        reply_to: optional(value, "replyTo", reply)?,
    })
}

fn settings(value: &Value) -> Option<ChatSettings> {
    let slow = value.get("slowSeconds")?.as_u64()?;
    Some(ChatSettings { guests: value.get("guests")?.as_bool()?, slow_seconds: u32::try_from(slow).ok()? })
}

fn update(value: &Value) -> Option<ChatUpdate> {
    Some(match text(value, "type")? {
        "message" => ChatUpdate::Message(Box::new(message(value)?)),
        "deleted" => ChatUpdate::Deleted { messages: all(value.get("messages"), id)? },
        "silenced" => ChatUpdate::Silenced {
            person: parsed(value, "person")?,
            name: parsed(value, "name")?,
            until: time(value, "until")?,
        },
        "unsilenced" => ChatUpdate::Unsilenced { person: parsed(value, "person")? },
        "settings" => ChatUpdate::Settings { settings: settings(value.get("settings")?)? },
        _ => return None,
    })
}

impl Read for ChatUpdates {
    /// One update that can't be read, as of a newer server, takes no other with it.
    fn read(value: &Value) -> Option<Self> {
        let updates = value.get("updates")?.as_array()?.iter().filter_map(update).collect();
        Some(Self { updates })
    }
}

impl Read for Sent {
    fn read(value: &Value) -> Option<Self> {
        Some(Self { id: parsed(value, "id")?, sequence: Cursor(value.get("sequence")?.as_u64()?) })
    }
}

impl Read for ChatRoom {
    fn read(value: &Value) -> Option<Self> {
        let emote = |value: &Value| Some(Emote { code: owned(value, "code")?, url: owned(value, "url")? });
        Some(Self {
            settings: settings(value.get("settings")?)?,
            you: optional(value, "you", author)?,
            can_moderate: value.get("canModerate")?.as_bool()?,
            silenced_until: derived(value, "silencedUntil").unwrap_or_default(),
            emotes: all(value.get("emotes"), emote)?,
        })
    }
}

impl Read for NewGuest {
    fn read(value: &Value) -> Option<Self> {
        Some(Self { author: author(value.get("author")?)?, token: owned(value, "token")? })
    }
}

impl Read for Moderator {
    fn read(value: &Value) -> Option<Self> {
        Some(Self {
            id: parsed(value, "id")?,
            account: parsed(value, "account")?,
            name: parsed(value, "name")?,
        })
    }
}

impl Read for Silence {
    fn read(value: &Value) -> Option<Self> {
        Some(Self {
            person: parsed(value, "person")?,
            name: parsed(value, "name")?,
            until: time(value, "until")?,
            by: parsed(value, "by")?,
            reason: owned(value, "reason")?,
        })
    }
}

/// The first page of a list.
impl<T: Read> Read for Vec<T> {
    fn read(value: &Value) -> Option<Self> {
        all(value.get("items"), T::read)
    }
}

/// What was done, and says no more.
impl Read for () {
    fn read(_: &Value) -> Option<Self> {
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn whole_author() -> Value {
        json!({"id": "a1", "name": "Ada", "account": "ada", "badges": ["owner", "moderator", "guest"]})
    }

    fn whole_message() -> Value {
        json!({
            "type": "message", "id": "m1", "sequence": 7, "at": "2026-11-18T11:06:40.123Z", "author": whole_author(),
            "replyTo": {"id": "m0", "name": "Ben", "excerpt": "<b>"},
            "fragments": [
                {"type": "text", "text": "hi "},
                {"type": "mention", "text": "@ben", "person": "b1"},
                {"type": "emote", "text": ":wave:", "url": "/emotes/wave.svg"},
                {"type": "link", "text": "http://x", "url": "http://x/"},
            ],
        })
    }

    /// Each kind of update, whole and with as little as it may have.
    fn updates() -> Vec<Value> {
        vec![
            whole_message(),
            json!({"type": "message", "id": "m2", "sequence": 8, "at": "2026-11-18T11:06:40Z", "fragments": [],
                "author": {"id": "guest-1", "name": "Zoë"}}),
            json!({"type": "deleted", "messages": ["m1", "m2"]}),
            json!({"type": "silenced", "person": "b1", "name": "Ben", "until": "2026-11-18T11:06:40Z"}),
            json!({"type": "unsilenced", "person": "b1"}),
            json!({"type": "settings", "settings": {"guests": false, "slowSeconds": 30}}),
        ]
    }

    #[test]
    fn it_reads_what_the_derived_reader_reads() {
        let all = json!({"updates": updates()});
        assert_eq!(ChatUpdates::read(&all), serde_json::from_value(all).unwrap());
        let sent = json!({"id": "m1", "sequence": 9});
        assert_eq!(Sent::read(&sent), serde_json::from_value(sent).unwrap());
        for room in [
            json!({"settings": {"guests": true, "slowSeconds": 0}, "you": whole_author(), "canModerate": true,
                "silencedUntil": "2026-11-18T11:06:40Z", "emotes": [{"code": ":wave:", "url": "/emotes/wave.svg"}]}),
            json!({"settings": {"guests": true, "slowSeconds": 0}, "you": null, "canModerate": false,
                "silencedUntil": null, "emotes": []}),
        ] {
            assert_eq!(ChatRoom::read(&room), serde_json::from_value(room).unwrap());
        }
        let moderators = json!({"items": [{"id": "b1", "account": "ben", "name": "Ben"}], "next": "x"});
        let page: shared::page::Page<Moderator> = serde_json::from_value(moderators.clone()).unwrap();
        assert_eq!(Vec::<Moderator>::read(&moderators), Some(page.items));
        let silences = json!({"items": [{"person": "b1", "name": "Ben", "until": "2026-11-18T11:06:40Z", "by": "a1",
            "reason": ""}]});
        let page: shared::page::Page<Silence> = serde_json::from_value(silences.clone()).unwrap();
        assert_eq!(Vec::<Silence>::read(&silences), Some(page.items));
        let guest = json!({"author": whole_author(), "token": "secret"});
        assert_eq!(NewGuest::read(&guest).unwrap().token, "secret");
    }

    /// Takes each field away, and makes each field nonsense, everywhere.
    fn spoilt(value: &Value) -> Vec<Value> {
        let mut all = Vec::new();
        if let Value::Object(fields) = value {
            for (name, field) in fields {
                let mut without = fields.clone();
                without.remove(name);
                all.push(Value::Object(without));
                let instead = [json!(null), json!(-1), json!("\u{202E} /"), json!([1]), json!({"a": 1})];
                for other in instead.into_iter().chain(spoilt(field)) {
                    let mut with = fields.clone();
                    with.insert(name.clone(), other);
                    all.push(Value::Object(with));
                }
            }
        }
        if let Value::Array(items) = value {
            for (at, item) in items.iter().enumerate() {
                for other in spoilt(item) {
                    let mut with = items.clone();
                    with[at] = other;
                    all.push(Value::Array(with));
                }
            }
        }
        all
    }

    #[test]
    fn it_refuses_what_the_derived_reader_refuses() {
        let mut count = 0;
        for whole in updates() {
            for one in spoilt(&whole) {
                let derived = serde_json::from_value::<ChatUpdate>(one.clone()).ok();
                assert_eq!(update(&one), derived, "{one}");
                count += 1;
            }
        }
        assert!(count > 200, "{count}");
    }

    #[test]
    fn an_update_of_a_kind_that_is_yet_to_come_takes_no_other_with_it() {
        let all = json!({"updates": [{"type": "pinned"}, whole_message()]});
        assert_eq!(ChatUpdates::read(&all).unwrap().updates.len(), 1);
    }
}
