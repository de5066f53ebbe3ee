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
    /// What a channel tells of itself at length, in Markdown.
    AboutText, "an about", 0..=5000, lines: true
);
text!(
    /// What is planned.
    ScheduleTitle, "what is planned", 1..=80, lines: false
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
    /// What a webhook is for.
    WebhookLabel, "a webhook's label", 0..=60, lines: false
);
text!(
    /// What an API token is for.
    TokenLabel, "a token's label", 1..=60, lines: false
);
text!(
    /// Which passkey it is, in its owner's words.
    PasskeyLabel, "a passkey's name", 1..=60, lines: false
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

impl Default for AboutText {
    fn default() -> Self {
        Self("".into())
    }
}

impl Default for Bio {
    fn default() -> Self {
        Self("".into())
    }
}

impl Default for WebhookLabel {
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

/// Where somebody gets e-mail. Whether it is theirs is another question.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(Box<str>);

/// The text is not an e-mail address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an e-mail address is like name@example.org, without spaces, and has at most 254 characters")]
pub struct EmailAddressError;

impl EmailAddress {
    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EmailAddress {
    type Err = EmailAddressError;

    fn from_str(text: &str) -> Result<Self, EmailAddressError> {
        let text = text.trim();
        let local = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&b);
        let domain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
        let dotted = |part: &str| !part.is_empty() && part.split('.').all(|piece| !piece.is_empty());
        let fits = text.len() <= 254
            && text.split_once('@').is_some_and(|(name, host)| {
                name.len() <= 64
                    && name.bytes().all(local)
                    && host.bytes().all(domain)
                    && dotted(name)
                    && dotted(host)
            });
        if fits { Ok(Self(text.into())) } else { Err(EmailAddressError) }
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = EmailAddressError;

    fn try_from(text: String) -> Result<Self, EmailAddressError> {
        text.parse()
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> String {
        address.0.into()
    }
}

#[cfg(feature = "openapi")]
crate::openapi::schema!(EmailAddress, {
    crate::openapi::text("An e-mail address, like name@example.org.").max_length(Some(254)).build()
});

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
    fn an_e_mail_address_has_a_name_and_a_host_and_nothing_else() {
        for good in ["ada@example.org", " a.b+c@sub.example.org ", "x@localhost", "o'hara@example.org"] {
            assert!(good.parse::<EmailAddress>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "ada",
            "@example.org",
            "ada@",
            "a b@example.org",
            "ada@example..org",
            ".ada@example.org",
            "ada@exa mple.org",
            "ada@example.org\r\nBcc: all@example.org",
            "<ada@example.org>",
            "ada@example.org,bob@example.org",
            "\"a\"@example.org",
            "ada@[127.0.0.1]",
            "äda@example.org",
        ] {
            assert!(bad.parse::<EmailAddress>().is_err(), "{bad}");
        }
        assert!(format!("{}@example.org", "a".repeat(65)).parse::<EmailAddress>().is_err());
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
