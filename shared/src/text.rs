//! Text that people write. Each type holds trimmed, bounded text without control characters;
//! it is never HTML, and whoever shows it sets it as text.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Why a text is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing is left after trimming, where something is needed.
    #[error("{what} can't be empty")]
    Empty {
        /// The field in words.
        what: &'static str,
    },
    /// More characters than fit.
    #[error("{what} has at most {most} characters, and this has {count}")]
    TooLong {
        /// The field in words.
        what: &'static str,
        /// The limit in Unicode scalar values.
        most: usize,
        /// What was given.
        count: usize,
    },
    /// A control or direction-changing character.
    #[error("{what} has a character that can't be shown (U+{code:04X})")]
    Unprintable {
        /// The field in words.
        what: &'static str,
        /// The character's code point.
        code: u32,
    },
}

/// Bidirectional overrides and isolates can make a page's own words run backwards.
fn is_unprintable(c: char, lines: bool) -> bool {
    (c.is_control() && !(lines && c == '\n'))
        || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' | '\u{FEFF}')
}

fn parse(
    text: &str,
    what: &'static str,
    least: usize,
    most: usize,
    lines: bool,
) -> Result<Box<str>, TextError> {
    let text = text.trim();
    let count = text.chars().count();
    if count < least {
        return Err(TextError::Empty { what });
    }
    if count > most {
        return Err(TextError::TooLong { what, most, count });
    }
    if let Some(c) = text.chars().find(|&c| is_unprintable(c, lines)) {
        return Err(TextError::Unprintable { what, code: c as u32 });
    }
    Ok(text.into())
}

macro_rules! text {
    ($(#[doc = $doc:literal])* $name:ident, $what:literal, $least:literal..=$most:literal, lines: $lines:literal) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// The most characters (Unicode scalar values) it holds.
            pub const MOST: usize = $most;

            /// The text, to be shown as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = TextError;

            fn from_str(text: &str) -> Result<Self, TextError> {
                parse(text, $what, $least, $most, $lines).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = TextError;

            fn try_from(text: String) -> Result<Self, TextError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> String {
                text.0.into()
            }
        }

        #[cfg(feature = "openapi")]
        crate::openapi::schema!($name, {
            crate::openapi::text(concat!($($doc),*).trim()).min_length(Some($least)).max_length(Some($most)).build()
        });

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text!(
    /// A broadcast's title. May be empty: the page then shows the channel's name.
    Title, "a title", 0..=140, lines: false
);
text!(
    /// What a channel is about, in lines of plain text.
    Description, "a description", 0..=2000, lines: true
);
text!(
    /// The name a person or a channel shows, in any script.
    DisplayName, "a display name", 1..=40, lines: false
);
text!(
    /// What a broadcast is of: a game, "Music", "Talk". May be empty.
    Category, "a category", 0..=40, lines: false
);
text!(
    /// One word or two that a viewer may search by.
    Tag, "a tag", 1..=25, lines: false
);
text!(
    /// Which browser or device a login belongs to, as its user agent says.
    DeviceLabel, "a device label", 0..=120, lines: false
);

text!(
    /// What a person says of themselves, in lines of plain text.
    Bio, "a text about oneself", 0..=300, lines: true
);
text!(
    /// Whom an invite is for.
    InviteLabel, "an invite's label", 0..=60, lines: false
);
text!(
    /// What an API token is for.
    TokenLabel, "a token's label", 1..=60, lines: false
);

impl Default for Title {
    fn default() -> Self {
        Self("".into())
    }
}

impl Default for Description {
    fn default() -> Self {
        Self("".into())
    }
}

impl Default for Bio {
    fn default() -> Self {
        Self("".into())
    }
}

impl Default for InviteLabel {
    fn default() -> Self {
        Self("".into())
    }
}

impl Default for Category {
    fn default() -> Self {
        Self("".into())
    }
}

/// What a person types to sign in: the same alphabet as a channel name, without the reserved list.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountName(Box<str>);

impl AccountName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountName {
    type Err = AccountNameError;

    fn from_str(text: &str) -> Result<Self, AccountNameError> {
        let name = text.trim().to_ascii_lowercase();
        let fits = (2..=25).contains(&name.len())
            && name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if fits { Ok(Self(name.into())) } else { Err(AccountNameError) }
    }
}

/// The text is not an account name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an account name has 2 to 25 of the letters a to z, digits, hyphens and underscores")]
pub struct AccountNameError;

impl TryFrom<String> for AccountName {
    type Error = AccountNameError;

    fn try_from(text: String) -> Result<Self, AccountNameError> {
        text.parse()
    }
}

impl From<AccountName> for String {
    fn from(name: AccountName) -> String {
        name.0.into()
    }
}

#[cfg(feature = "openapi")]
crate::openapi::schema!(AccountName, {
    crate::openapi::text("What a person types to sign in.")
        .pattern(Some("^[a-z0-9][a-z0-9_-]{1,24}$"))
        .build()
});

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A password on its way to be hashed: 10 to 256 characters. Never shown, logged or serialised back.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Password(Box<str>);

impl Password {
    /// The fewest characters.
    pub const LEAST: usize = 10;

    /// The secret itself, for hashing alone.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// A password is too short or too long.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a password has 10 to 256 characters")]
pub struct PasswordError;

impl TryFrom<String> for Password {
    type Error = PasswordError;

    fn try_from(text: String) -> Result<Self, PasswordError> {
        let fits = (Self::LEAST..=256).contains(&text.chars().count());
        if fits { Ok(Self(text.into())) } else { Err(PasswordError) }
    }
}

impl Serialize for Password {
    /// Only a request carries a password, from the browser to the server.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(feature = "openapi")]
crate::openapi::schema!(Password, {
    crate::openapi::text("Never shown again.").min_length(Some(Self::LEAST)).max_length(Some(256)).build()
});

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_trimmed_bounded_and_cannot_turn_a_page_around() {
        assert_eq!("  Hello ".parse::<Title>().unwrap().as_str(), "Hello");
        assert_eq!("".parse::<DisplayName>(), Err(TextError::Empty { what: "a display name" }));
        let long = "é".repeat(141);
        assert_eq!(long.parse::<Title>(), Err(TextError::TooLong { what: "a title", most: 140, count: 141 }));
        for bad in ["a\u{202E}b", "a\u{2066}b", "a\nb", "a\u{0}b", "a\u{7f}b"] {
            assert!(matches!(bad.parse::<Title>(), Err(TextError::Unprintable { .. })), "{bad:?}");
        }
        assert_eq!("a\nb".parse::<Description>().unwrap().as_str(), "a\nb");
    }

    #[test]
    fn html_is_kept_as_the_text_it_is() {
        let text = "<script>alert(1)</script>";
        assert_eq!(text.parse::<Title>().unwrap().as_str(), text);
    }

    #[test]
    fn a_password_never_shows_in_debug_output() {
        let password = Password::try_from("correct horse".to_owned()).unwrap();
        assert!(!format!("{password:?}").contains("horse"));
        assert_eq!(Password::try_from("short".to_owned()).unwrap_err(), PasswordError);
    }
}
