//! Gift codes: 100 random bits that people can read out and type, kept as a hash. Pure.

use crate::secret::{Secret, SecretHash};
use std::fmt;

/// Crockford's base 32: nothing in it looks like anything else in it.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CHARACTERS: usize = 20;
/// Characters between two hyphens.
const GROUP: usize = 4;
/// What is typed is looked at so far.
const TYPED_MOST: usize = 64;

/// A gift code. Never shown in `Debug`, never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct GiftCode([u8; CHARACTERS]);

impl GiftCode {
    /// From random bytes.
    pub fn from_random(bytes: [u8; 32]) -> Self {
        let mut code = [0; CHARACTERS];
        for (character, byte) in code.iter_mut().zip(bytes) {
            *character = ALPHABET[usize::from(byte) % ALPHABET.len()];
        }
        Self(code)
    }

    /// As it was typed: case, hyphens and spaces don't matter, nor what looks alike. `None` if it can't be one.
    pub fn parse(text: &str) -> Option<Self> {
        let mut code = Vec::with_capacity(CHARACTERS);
        if text.len() > TYPED_MOST {
            return None;
        }
        for character in text.chars() {
            let folded = match character.to_ascii_uppercase() {
                '-' | ' ' | '\t' | '\n' | '\r' => continue,
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            };
            let byte = u8::try_from(folded).ok().filter(|byte| ALPHABET.contains(byte))?;
            code.push(byte);
        }
        code.try_into().ok().map(Self)
    }

    /// As people read it: `XXXX-XXXX-XXXX-XXXX-XXXX`.
    pub fn reveal(&self) -> String {
        let groups: Vec<String> =
            self.0.chunks(GROUP).map(|group| String::from_utf8_lossy(group).into_owned()).collect();
        groups.join("-")
    }

    /// What is kept of it.
    pub fn hash(&self) -> SecretHash {
        let mut bytes = [0; 32];
        bytes[..CHARACTERS].copy_from_slice(&self.0);
        Secret::from_random(bytes).hash()
    }
}

impl fmt::Debug for GiftCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GiftCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_people_type_it() {
        let code = GiftCode::from_random(std::array::from_fn(|n| n as u8));
        let text = code.reveal();
        assert_eq!(text, "0123-4567-89AB-CDEF-GHJK");
        for typed in [
            text.clone(),
            text.to_lowercase(),
            text.replace('-', ""),
            text.replace('-', " "),
            format!(" {text}\n"),
            text.replace('0', "O").replace('1', "l"),
            text.replace('1', "I"),
        ] {
            assert_eq!(GiftCode::parse(&typed), Some(code.clone()), "{typed}");
            assert_eq!(GiftCode::parse(&typed).unwrap().hash(), code.hash());
        }
        assert!(!format!("{code:?}").contains("0123"));
    }

    #[test]
    fn what_is_no_code_is_none() {
        let long = "0".repeat(1 << 20);
        for bad in [
            "",
            "0123",
            "0123-4567-89AB-CDEF-GHJKM",
            "0123-4567-89AB-CDEF-GHJU",
            "0123-4567-89AB-CDEF-GHJé",
            &long,
            "'; DROP TABLE gift_codes",
        ] {
            assert_eq!(GiftCode::parse(bad), None, "{bad:.40}");
        }
    }

    #[test]
    fn every_character_is_as_likely() {
        let mut counts = [0; 32];
        for byte in 0..=255 {
            let code = GiftCode::from_random([byte; 32]);
            counts[ALPHABET.iter().position(|c| *c == code.0[0]).unwrap()] += 1;
        }
        assert!(counts.iter().all(|count| *count == 8), "{counts:?}");
    }
}
