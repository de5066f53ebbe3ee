//! Messages as text. The payload is serialised once and shared by all who get it.

use shared::{
    event::{Cursor, Phase, Topic},
    id::RequestId,
    unit::Timestamp,
};

/// Which operation a message is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Label {
    /// One that exists.
    Topic(Topic),
    /// One that was asked for and does not exist: `domain:action:version`, of harmless characters.
    Unknown(Box<str>),
}

impl Label {
    /// From an event's name that could not be parsed; `None` if it can't be sent back.
    pub fn of_unknown(event: &str) -> Option<Self> {
        let name = event.rsplit_once(':').map_or(event, |(name, _)| name);
        let is_harmless = |b: u8| b.is_ascii_alphanumeric() || b":_-.".contains(&b);
        let fits = (1..=80).contains(&name.len()) && name.bytes().all(is_harmless);
        fits.then(|| Self::Unknown(name.into()))
    }

    fn as_str(&self) -> &str {
        match self {
            Self::Topic(topic) => topic.name(),
            Self::Unknown(name) => name,
        }
    }
}

/// A [`shared::event::ServerMessage`] whose payload is JSON already. Names, ids and times need no escape.
pub fn compose(
    label: &Label,
    phase: Phase,
    id: &RequestId,
    cursor: Option<Cursor>,
    at: Timestamp,
    payload: &str,
) -> String {
    let cursor = cursor.map(|cursor| format!(r#""cursor":{},"#, cursor.0)).unwrap_or_default();
    let at = serde_json::to_string(&at).unwrap_or_else(|_| "null".to_owned());
    let (label, phase) = (label.as_str(), phase.name());
    format!(r#"{{"event":"{label}:{phase}","id":"{id}",{cursor}"timestamp":{at},"payload":{payload}}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::event::{Payload, ServerMessage, Started};

    #[test]
    fn what_is_composed_is_what_the_frontend_parses() {
        let payload = serde_json::to_string(&Payload::Started(Started { complete: true })).unwrap();
        let id = "r-1".parse().unwrap();
        let at = Timestamp::from_millis(1_795_000_000_123);
        let text =
            compose(&Label::Topic(Topic::ChannelEvents), Phase::Started, &id, Some(Cursor(7)), at, &payload);
        let message: ServerMessage = serde_json::from_str(&text).unwrap();
        assert_eq!((message.cursor, message.timestamp, &message.id), (Some(Cursor(7)), at, &id));
        assert_eq!(message.parse(), Some(Payload::Started(Started { complete: true })));
        let text = compose(&Label::Topic(Topic::Directory), Phase::Heartbeat, &id, None, at, "{}");
        let message: ServerMessage = serde_json::from_str(&text).unwrap();
        assert_eq!(message.cursor, None);
        assert_eq!(message.parse(), Some(Payload::Empty {}));
    }

    #[test]
    fn an_unknown_name_comes_back_unless_it_could_do_harm() {
        assert_eq!(
            Label::of_unknown("chat:stream:v1:requested"),
            Some(Label::Unknown("chat:stream:v1".into()))
        );
        for bad in ["", ":", "a\"b:requested", "a\\:x", "é:x", &"x".repeat(200)] {
            assert_eq!(Label::of_unknown(bad), None, "{bad:?}");
        }
    }
}
