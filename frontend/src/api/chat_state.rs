//! Reads what the server says of chats, by hand: what the derived readers of tagged enums bring with them weighs more than
//! all of the chat's own code. A test holds it against the derived ones.

use serde::de::DeserializeOwned;
use serde_json::Value;
use shared::{
    chat::{
        BadgePicture, ChatAuthor, ChatMessage, ChatRoom, ChatSettings, ChatUpdate, ChatUpdates, Emote,
        Fragment, NewGuest, ReplyTo, Sent,
    },
    event::Cursor,
    moderation::{Ban, CommandDone, CommandHelp, Moderator, Silence},
    poll::{Poll, PollOption, Voted},
    raid::Raid,
    subscription::Tier,
    unit::Timestamp,
};
use std::str::FromStr;

/// What can be read from JSON.
pub trait Read: Sized {
    /// It, or `None` if the JSON is of another shape.
    fn read(value: &Value) -> Option<Self>;
}

pub(super) fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str()
}

pub(super) fn owned(value: &Value, name: &str) -> Option<String> {
    text(value, name).map(str::to_owned)
}

pub(super) fn parsed<T: FromStr>(value: &Value, name: &str) -> Option<T> {
    text(value, name)?.parse().ok()
}

/// By the type's own reader, for the few that have one anyway.
fn derived<T: DeserializeOwned>(value: &Value, name: &str) -> Option<T> {
    serde_json::from_value(value.get(name)?.clone()).ok()
}

pub(super) fn time(value: &Value, name: &str) -> Option<Timestamp> {
    derived(value, name)
}

pub(super) fn all<T>(value: Option<&Value>, read: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    value?.as_array()?.iter().map(read).collect()
}

/// What may be absent or null.
pub(super) fn optional<T>(
    value: &Value,
    name: &str,
    read: impl Fn(&Value) -> Option<T>,
) -> Option<Option<T>> {
    match value.get(name) {
        None | Some(Value::Null) => Some(None),
        Some(value) => read(value).map(Some),
    }
}

fn id(value: &Value) -> Option<shared::id::MessageId> {
    value.as_str()?.parse().ok()
}

/// What a word means; `Some(None)` for one that is yet to come: a page stays open while the server becomes a newer one.
pub(super) fn word<T: FromStr>(value: &Value) -> Option<Option<T>> {
    Some(value.as_str()?.parse().ok())
}

pub(super) fn author(value: &Value) -> Option<ChatAuthor> {
    Some(ChatAuthor {
        id: parsed(value, "id")?,
        name: parsed(value, "name")?,
        account: optional(value, "account", |name| name.as_str()?.parse().ok())?,
        badges: match value.get("badges") {
            None => Vec::new(),
            badges => all(badges, word)?.into_iter().flatten().collect(),
        },
        colour: optional(value, "colour", word)?.flatten(),
    })
}

pub(super) fn fragment(value: &Value) -> Option<Fragment> {
    let (kind, text) = (text(value, "type")?, owned(value, "text")?);
    Some(match kind {
        "text" => Fragment::Text { text },
        "mention" => Fragment::Mention { text, person: parsed(value, "person")? },
        "emote" => Fragment::Emote { text, url: owned(value, "url")? },
        "link" => Fragment::Link { text, url: owned(value, "url")? },
        _ => return None,
    })
}

pub(super) fn reply(value: &Value) -> Option<ReplyTo> {
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
        action: flag(value, "action")?,
    })
}

/// What may be absent, and is not so then.
pub(super) fn flag(value: &Value, name: &str) -> Option<bool> {
    value.get(name).map_or(Some(false), Value::as_bool)
}

fn number(value: &Value) -> Option<u32> {
    u32::try_from(value.as_u64()?).ok()
}

fn settings(value: &Value) -> Option<ChatSettings> {
    // As the derived reader does, it takes none that it doesn't know.
    const NAMES: [&str; 8] = [
        "guests",
        "slowSeconds",
        "followers",
        "followersMinutes",
        "subscribers",
        "emoteOnly",
        "unique",
        "raids",
    ];
    if value.as_object()?.keys().any(|name| !NAMES.contains(&name.as_str())) {
        return None;
    }
    Some(ChatSettings {
        guests: value.get(NAMES[0])?.as_bool()?,
        slow_seconds: number(value.get(NAMES[1])?)?,
        followers: flag(value, NAMES[2])?,
        followers_minutes: value.get(NAMES[3]).map_or(Some(0), number)?,
        subscribers: flag(value, NAMES[4])?,
        emote_only: flag(value, NAMES[5])?,
        unique: flag(value, NAMES[6])?,
        raids: value.get(NAMES[7]).map_or(Some(true), Value::as_bool)?,
    })
}

fn poll(value: &Value) -> Option<Poll> {
    let option =
        |value: &Value| Some(PollOption { text: owned(value, "text")?, votes: number(value.get("votes")?)? });
    Some(Poll {
        id: parsed(value, "id")?,
        question: owned(value, "question")?,
        options: all(value.get("options"), option)?,
        ends_at: time(value, "endsAt")?,
        ended: value.get("ended")?.as_bool()?,
    })
}

fn emote(value: &Value) -> Option<Emote> {
    Some(Emote {
        code: owned(value, "code")?,
        url: owned(value, "url")?,
        own: flag(value, "own")?,
        tier: optional(value, "tier", tier)?,
    })
}

fn tier(value: &Value) -> Option<Tier> {
    Some(match value.as_str()? {
        "one" => Tier::One,
        "two" => Tier::Two,
        "three" => Tier::Three,
        _ => return None,
    })
}

fn badge_picture(value: &Value) -> Option<BadgePicture> {
    Some(BadgePicture { tier: tier(value.get("tier")?)?, url: owned(value, "url")? })
}

fn raid(value: &Value) -> Option<Raid> {
    Some(Raid { to: parsed(value, "to")?, name: parsed(value, "name")?, leaves_at: time(value, "leavesAt")? })
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
        "banned" => ChatUpdate::Banned { person: parsed(value, "person")?, name: parsed(value, "name")? },
        "unbanned" => ChatUpdate::Unbanned { person: parsed(value, "person")? },
        "cleared" => ChatUpdate::Cleared {},
        "pinned" => ChatUpdate::Pinned { pin: Box::new(message(value.get("pin")?)?) },
        "unpinned" => ChatUpdate::Unpinned {},
        "raid" => ChatUpdate::Raid { raid: raid(value.get("raid")?)? },
        "emotes" => ChatUpdate::Emotes { emotes: all(value.get("emotes"), emote)? },
        "emoteEverywhere" => ChatUpdate::EmoteEverywhere {
            code: owned(value, "code")?,
            url: optional(value, "url", |url| url.as_str().map(str::to_owned))?,
        },
        "badges" => ChatUpdate::Badges { badges: all(value.get("badges"), badge_picture)? },
        "raidOff" => ChatUpdate::RaidOff {},
        "raided" => ChatUpdate::Raided {
            from: parsed(value, "from")?,
            name: parsed(value, "name")?,
            viewers: number(value.get("viewers")?)?,
        },
        "poll" => ChatUpdate::Poll { poll: Box::new(poll(value.get("poll")?)?) },
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
        let sequence = Cursor(value.get("sequence")?.as_u64()?);
        Some(Self { id: parsed(value, "id")?, sequence, held: flag(value, "held")? })
    }
}

impl Read for ChatRoom {
    fn read(value: &Value) -> Option<Self> {
        let command =
            |value: &Value| Some(CommandHelp { usage: owned(value, "usage")?, help: owned(value, "help")? });
        Some(Self {
            settings: settings(value.get("settings")?)?,
            you: optional(value, "you", author)?,
            can_moderate: value.get("canModerate")?.as_bool()?,
            silenced_until: derived(value, "silencedUntil").unwrap_or_default(),
            banned: value.get("banned")?.as_bool()?,
            pin: optional(value, "pin", message)?,
            poll: optional(value, "poll", poll)?,
            vote: optional(value, "vote", number)?,
            raid: optional(value, "raid", raid)?,
            commands: all(value.get("commands"), command)?,
            emotes: all(value.get("emotes"), emote)?,
            emote_tier: optional(value, "emoteTier", tier)?,
            badges: match value.get("badges") {
                None => Vec::new(),
                badges => all(badges, badge_picture)?,
            },
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
            at: optional(value, "at", |value| serde_json::from_value(value.clone()).ok())?,
            until: time(value, "until")?,
            by: parsed(value, "by")?,
            reason: owned(value, "reason")?,
        })
    }
}

impl Read for Ban {
    fn read(value: &Value) -> Option<Self> {
        Some(Self {
            person: parsed(value, "person")?,
            name: parsed(value, "name")?,
            at: time(value, "at")?,
            by: parsed(value, "by")?,
            reason: owned(value, "reason")?,
        })
    }
}

impl Read for Voted {
    fn read(value: &Value) -> Option<Self> {
        Some(Self { option: number(value.get("option")?)? })
    }
}

impl Read for CommandDone {
    fn read(value: &Value) -> Option<Self> {
        Some(Self { said: all(value.get("said"), |value| Some(value.as_str()?.to_owned()))? })
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
    use shared::chat::{Badge, NameColour};

    fn whole_author() -> Value {
        let badges = ["owner", "staff", "subscriber2", "follower1Year", "guest"];
        json!({"id": "a1", "name": "Ada", "account": "ada", "badges": badges, "colour": "teal"})
    }

    fn whole_poll() -> Value {
        json!({"id": "p1", "question": "What next?", "endsAt": "2026-11-18T11:06:40Z", "ended": false,
            "options": [{"text": "Clay", "votes": 2}, {"text": "Stones", "votes": 0}]})
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
            json!({"type": "banned", "person": "b1", "name": "Ben"}),
            json!({"type": "unbanned", "person": "b1"}),
            json!({"type": "cleared"}),
            json!({"type": "pinned", "pin": {"id": "m2", "sequence": 8, "at": "2026-11-18T11:06:40Z", "fragments": [],
                "action": true, "author": {"id": "guest-1", "name": "Zoë", "badges": ["vip", "subscriber"]}}}),
            json!({"type": "unpinned"}),
            json!({"type": "emotes", "emotes": [{"code": ":a:", "url": "/emotes/a.png", "own": true, "tier": "three"},
                {"code": ":b:", "url": "/emotes/b.png", "tier": null}]}),
            json!({"type": "emoteEverywhere", "code": ":a:", "url": "/emotes/a.png"}),
            json!({"type": "emoteEverywhere", "code": ":a:"}),
            json!({"type": "badges", "badges": [{"tier": "one", "url": "/emotes/a.png"}]}),
            json!({"type": "poll", "poll": whole_poll()}),
            json!({"type": "settings", "settings": {"guests": false, "slowSeconds": 30, "followers": true,
                "followersMinutes": 10, "subscribers": true, "emoteOnly": true, "unique": true}}),
            json!({"type": "settings", "settings": {"guests": false, "slowSeconds": 30}}),
        ]
    }

    #[test]
    fn it_reads_what_the_derived_reader_reads() {
        let all = json!({"updates": updates()});
        assert_eq!(ChatUpdates::read(&all), serde_json::from_value(all).unwrap());
        let sent = json!({"id": "m1", "sequence": 0, "held": true});
        assert_eq!(Sent::read(&sent), serde_json::from_value(sent).unwrap());
        let sent = json!({"id": "m1", "sequence": 9});
        assert_eq!(Sent::read(&sent), serde_json::from_value(sent).unwrap());
        let mut pin = whole_message();
        pin.as_object_mut().unwrap().remove("type");
        for room in [
            json!({"settings": {"guests": true, "slowSeconds": 0}, "you": whole_author(), "canModerate": true,
                "silencedUntil": "2026-11-18T11:06:40Z", "banned": true, "pin": pin, "poll": whole_poll(), "vote": 1,
                "commands": [{"usage": "/help", "help": "Says."}], "emotes": [{"code": ":wave:", "url": "/emotes/wave.svg"}],
                "emoteTier": "two", "badges": [{"tier": "two", "url": "/emotes/b.png"}]}),
            json!({"settings": {"guests": true, "slowSeconds": 0}, "you": null, "canModerate": false,
                "silencedUntil": null, "banned": false, "pin": null, "poll": null, "vote": null, "commands": [], "emotes": []}),
        ] {
            assert_eq!(ChatRoom::read(&room), serde_json::from_value(room).unwrap());
        }
        let moderators = json!({"items": [{"id": "b1", "account": "ben", "name": "Ben"}], "next": "x"});
        let page: shared::page::Page<Moderator> = serde_json::from_value(moderators.clone()).unwrap();
        assert_eq!(Vec::<Moderator>::read(&moderators), Some(page.items));
        let silences = json!({"items": [{"person": "b1", "name": "Ben", "at": "2026-11-18T10:06:40Z", "until": "2026-11-18T11:06:40Z", "by": "a1",
            "reason": ""}]});
        let page: shared::page::Page<Silence> = serde_json::from_value(silences.clone()).unwrap();
        assert_eq!(Vec::<Silence>::read(&silences), Some(page.items));
        let bans = json!({"items": [{"person": "b1", "name": "Ben", "at": "2026-11-18T11:06:40Z", "by": "a1",
            "reason": "x"}]});
        let page: shared::page::Page<Ban> = serde_json::from_value(bans.clone()).unwrap();
        assert_eq!(Vec::<Ban>::read(&bans), Some(page.items));
        let done = json!({"said": ["a", "b"]});
        assert_eq!(CommandDone::read(&done), serde_json::from_value(done).unwrap());
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

    /// The same without those badges and colours of authors that it skips.
    fn without_unknown_words(value: &Value) -> Value {
        let mut value = value.clone();
        let of_pin = value.get("pin").is_some();
        let message = if of_pin { value.get_mut("pin") } else { Some(&mut value) };
        let author = message.and_then(|message| message.get_mut("author")).and_then(Value::as_object_mut);
        if let Some(author) = author {
            if let Some(badges) = author.get_mut("badges").and_then(Value::as_array_mut) {
                badges.retain(|badge| badge.as_str().is_none_or(|name| name.parse::<Badge>().is_ok()));
            }
            let colour = author.get("colour").and_then(Value::as_str);
            if colour.is_some_and(|name| name.parse::<NameColour>().is_err()) {
                author.remove("colour");
            }
        }
        value
    }

    #[test]
    fn it_refuses_what_the_derived_reader_refuses() {
        let mut count = 0;
        for whole in updates() {
            for one in spoilt(&whole) {
                let derived = serde_json::from_value::<ChatUpdate>(without_unknown_words(&one)).ok();
                assert_eq!(update(&one), derived, "{one}");
                count += 1;
            }
        }
        assert!(count > 200, "{count}");
    }

    #[test]
    fn a_badge_and_a_colour_that_are_yet_to_come_take_no_message_with_them() {
        let mut whole = whole_message();
        whole["author"]["badges"] = json!(["owner", "of a newer server", "guest"]);
        whole["author"]["colour"] = json!("of a newer server");
        let all = ChatUpdates::read(&json!({"updates": [whole]})).unwrap();
        let ChatUpdate::Message(message) = &all.updates[0] else { panic!("{all:?}") };
        assert_eq!(
            (&*message.author.badges, message.author.colour),
            (&[Badge::Owner, Badge::Guest][..], None)
        );
    }

    #[test]
    fn an_update_of_a_kind_that_is_yet_to_come_takes_no_other_with_it() {
        let all = json!({"updates": [{"type": "of a newer server"}, whole_message()]});
        assert_eq!(ChatUpdates::read(&all).unwrap().updates.len(), 1);
    }
}
