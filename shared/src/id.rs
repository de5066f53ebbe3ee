//! Stable names. Each is a newtype, so that two kinds of id can't be swapped in a call.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Why a text is not an id or a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// An id has 1 to 64 characters from `A-Z a-z 0-9 _ -`.
    #[error("an id has 1 to 64 letters, digits, underscores or hyphens")]
    Malformed,
    /// A channel name has 2 to 25 characters.
    #[error("a channel name has 2 to 25 characters")]
    NameLength,
    /// A channel name is lower-case ASCII.
    #[error(
        "a channel name has only the letters a to z, digits, hyphens and underscores, and starts with a letter or digit"
    )]
    NameCharacters,
    /// The name is a page of Weir itself.
    #[error("the name “{0}” belongs to a page of Weir: choose another")]
    NameReserved(String),
}

macro_rules! text_id {
    ($(#[doc = $doc:literal])* $name:ident) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let fits = (1..=64).contains(&text.len())
                    && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
                if fits { Ok(Self(text.into())) } else { Err(IdError::Malformed) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.into()
            }
        }

        #[cfg(feature = "openapi")]
        crate::openapi::schema!($name, {
            crate::openapi::text(concat!($($doc),*).trim()).pattern(Some("^[A-Za-z0-9_-]{1,64}$")).build()
        });

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(
    /// One live occurrence. Public JSON calls it `streamId`.
    BroadcastId
);
text_id!(
    /// A streamer's lasting address, independent of its name.
    ChannelId
);
text_id!(
    /// A person with an account.
    AccountId
);
text_id!(
    /// One signed-in browser.
    LoginId
);
text_id!(
    /// One WHIP or WHEP session (RFC 9725).
    SessionId
);
text_id!(
    /// Chosen by a client to recognise the answers to one request on the event socket.
    RequestId
);
text_id!(
    /// One message on the event bus.
    EventId
);
text_id!(
    /// One started watch. Only its own player is told, and reports by it: whoever has it can speak for that view.
    ViewId
);
text_id!(
    /// Somebody who chats: an account's id, or `guest-` and a guest's.
    PersonId
);
text_id!(
    /// One chat message.
    MessageId
);
text_id!(
    /// One thing that a moderator did.
    ActionId
);
text_id!(
    /// One appeal against a ban or a time-out.
    AppealId
);
text_id!(
    /// One poll in a chat.
    PollId
);
text_id!(
    /// One API token, to revoke it by; not its secret.
    TokenId
);
text_id!(
    /// One passkey of an account, to remove it by; not what its authenticator calls it.
    PasskeyId
);
text_id!(
    /// One invite, to revoke it by; not its secret.
    InviteId
);
text_id!(
    /// One way into a private channel that its owner hands out as a link; not its secret.
    AccessLinkId
);
text_id!(
    /// Gift codes that were made together, to withdraw them by; not one of them.
    GiftBatchId
);
text_id!(
    /// One webhook of a channel.
    WebhookId
);

text_id!(
    /// One notification.
    NotificationId
);
text_id!(
    /// One browser that is told by push.
    PushId
);

/// First path segments of the pages that only who is signed in needs, and where letters lead: they are a program of their own, so
/// that whoever only watches doesn't load them.
pub const BACKSTAGE: [&str; 9] = [
    "admin",
    "analytics",
    "confirm-email",
    "moderation",
    "notifications",
    "reset-password",
    "settings",
    "studio",
    "unsubscribe",
];

/// First path segments that are pages or interfaces of Weir, so that no channel may have them.
pub const RESERVED_NAMES: &[&str] = &[
    "about",
    "account",
    "admin",
    "analytics",
    "api",
    "assets",
    "avatars",
    "browse",
    "categories",
    "category",
    "channel",
    "channel-pictures",
    "channels",
    "chat",
    "confirm-email",
    "docs",
    "embed",
    "emotes",
    "favicon",
    "feed",
    "following",
    "health",
    "healthz",
    "help",
    "home",
    "index",
    "legal",
    "live",
    "login",
    "logout",
    "manifest",
    "metrics",
    "moderation",
    "notifications",
    "oembed",
    "people",
    "privacy",
    "readyz",
    "reset-password",
    "robots",
    "rss",
    "search",
    "set-up",
    "settings",
    "setup",
    "sign-in",
    "sign-out",
    "sign-up",
    "sitemap",
    "static",
    "studio",
    "sw",
    "support",
    "system",
    "terms",
    "unsubscribe",
    "video",
    "videos",
    "weir",
    "whep",
    "whip",
    "you",
];

/// A channel's name: its address is `/{name}`. 2 to 25 of `a-z 0-9 - _`, not [reserved](RESERVED_NAMES).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ChannelName(Box<str>);

impl ChannelName {
    /// The name as it stands in an address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ChannelName {
    type Err = IdError;

    /// Folds ASCII upper case, as people type names with capitals.
    fn from_str(text: &str) -> Result<Self, IdError> {
        let name = text.to_ascii_lowercase();
        if !(2..=25).contains(&name.chars().count()) {
            return Err(IdError::NameLength);
        }
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
        let starts_well = name.starts_with(|c: char| c.is_ascii_alphanumeric());
        if !starts_well || !name.bytes().all(allowed) {
            return Err(IdError::NameCharacters);
        }
        if RESERVED_NAMES.contains(&name.as_str()) {
            return Err(IdError::NameReserved(name));
        }
        Ok(Self(name.into()))
    }
}

impl TryFrom<String> for ChannelName {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<ChannelName> for String {
    fn from(name: ChannelName) -> String {
        name.0.into()
    }
}

#[cfg(feature = "openapi")]
crate::openapi::schema!(ChannelName, {
    crate::openapi::text(
        "A channel's name: its address is `/{name}`. Pages of Weir itself have some names of this form.",
    )
    .pattern(Some("^[a-z0-9][a-z0-9_-]{1,24}$"))
    .build()
});

impl fmt::Display for ChannelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channel_names_fold_case_and_refuse_what_an_address_cannot_hold() {
        assert_eq!("Ada".parse::<ChannelName>().unwrap().as_str(), "ada");
        assert_eq!("a".parse::<ChannelName>(), Err(IdError::NameLength));
        assert_eq!("a".repeat(26).parse::<ChannelName>(), Err(IdError::NameLength));
        for bad in ["a b", "ada/", "ädä", "-ada", "_ada", "<b>", "a.b", "a\u{0}b", "аda"] {
            assert_eq!(bad.parse::<ChannelName>(), Err(IdError::NameCharacters), "{bad:?}");
        }
        assert!(matches!("Studio".parse::<ChannelName>(), Err(IdError::NameReserved(_))));
    }

    #[test]
    fn ids_refuse_what_could_leave_a_path_or_a_header() {
        for bad in ["", "a/b", "a b", "a\r\nb", "é", &"x".repeat(65)] {
            assert_eq!(bad.parse::<SessionId>(), Err(IdError::Malformed), "{bad:?}");
        }
        let id: SessionId = "01J-x_9".parse().unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"01J-x_9\"");
    }
}
