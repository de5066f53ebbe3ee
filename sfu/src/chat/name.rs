//! Guests' names, and whose they must not look like. Pure.

use super::text;
use shared::text::DisplayName;
use std::collections::HashSet;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use unicode_security::confusable_detection::skeleton;

/// Nobody is these.
const OFFICES: &[&str] = &[
    "admin",
    "administrator",
    "bot",
    "broadcaster",
    "mod",
    "moderator",
    "owner",
    "root",
    "server",
    "staff",
    "streamer",
    "support",
    "system",
    "weir",
];

/// Why a guest can't have a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Characters that can't be seen, or turn text around.
    #[error("this name has characters that can't be shown: leave them out")]
    Unshowable,
    /// No letter or digit.
    #[error("a name needs a letter or a digit")]
    Nameless,
    /// It could be taken for somebody else.
    #[error("this name is too much like somebody's who has an account here: choose another")]
    LookAlike,
}

/// Names that belong to somebody, as they look.
#[derive(Debug, Clone, Default)]
pub struct Taken(HashSet<String>);

impl Taken {
    /// Of these names.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let looks = names.into_iter().chain(OFFICES.iter().copied()).flat_map(looks);
        Self(looks.filter(|look| !look.is_empty()).collect())
    }

    /// Whether a guest may have the name.
    pub fn check(&self, name: &DisplayName) -> Result<(), NameError> {
        let given = name.as_str();
        if text::clean(given) != given {
            return Err(NameError::Unshowable);
        }
        if !given.chars().any(char::is_alphanumeric) {
            return Err(NameError::Nameless);
        }
        let is_taken = looks(given).iter().any(|look| self.0.contains(look));
        if is_taken { Err(NameError::LookAlike) } else { Ok(()) }
    }
}

/// How a name looks: its confusables skeleton (UTS 39), of the name as it is written and of it in small letters, as a
/// capital I looks like a small l and a small i doesn't. Accents, spaces and signs are left out.
fn looks(name: &str) -> [String; 2] {
    let look = |name: &str| -> String {
        // Compatibility forms first: letters in circles, wide ones, mathematical ones.
        let name: String = name.nfkc().collect();
        let skeleton: String = skeleton(&name).filter(|c| !is_combining_mark(*c)).collect();
        // The skeleton of a capital may be another capital: once more, in small letters.
        let small = self::skeleton(&skeleton.to_lowercase()).collect::<String>().to_lowercase();
        // In most typefaces i, l, I and 1 are told apart by a dot or less.
        small.chars().filter(|c| c.is_alphanumeric()).map(|c| if c == 'i' { 'l' } else { c }).collect()
    };
    [look(name), look(&name.to_lowercase())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str) -> Result<(), NameError> {
        Taken::new(["ada", "Ada Lovelace", "bill", "Müller", "x1", "мария"]).check(&name.parse().unwrap())
    }

    #[test]
    fn names_that_are_nobodys_are_free() {
        for name in
            ["Ben", "adam", "Bea", "山田", "Иван", "María", "Li 2", "x2", "🦊 Fox", "O'Neil", "user_17"]
        {
            assert_eq!(check(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn look_alikes_of_somebody_are_refused() {
        for name in [
            "ada",
            "Ada",
            "ADA",
            "аda",
            "аdа",
            "Аdа",
            "a d a",
            "a.d.a",
            "_ada_",
            "Ádä",
            "ａｄａ",
            "𝐚𝐝𝐚",
            "𝓪𝓭𝓪",
            "ⓐⓓⓐ",
            "ada!",
            "ADA LOVELACE",
            "AdaLovelace",
            "Ada Love1ace",
            "Ada LoveIace",
            "Ada Lоvelace",
            "b1ll",
            "biII",
            "BILL",
            "bi|l",
            "Muller",
            "muller",
            "МАРИЯ",
            "X1",
            "xl",
            "xI",
            "Moderator",
            "M0derator",
            "0wner",
            "ΟWNER",
            "Weir",
            "ᴡeir",
            "m o d",
        ] {
            assert_eq!(check(name), Err(NameError::LookAlike), "{name}");
        }
    }

    #[test]
    fn what_cannot_be_shown_is_refused() {
        for name in [
            "a\u{200B}da",
            "a\u{200D}b",
            "Be\u{00AD}n",
            "a  b",
            "\u{3164}x",
            "B\u{0301}\u{0301}\u{0301}\u{0301}\u{0301}\u{0301}\u{0301}",
        ] {
            assert_eq!(check(name), Err(NameError::Unshowable), "{name:?}");
        }
        for name in ["!!!", "🦊", "-", "…"] {
            assert_eq!(check(name), Err(NameError::Nameless), "{name:?}");
        }
    }
}
