//! Secrets that the server hands out: 256 random bits, shown once, kept as a SHA-256 hash.
//!
//! A plain hash is enough: nobody can search 256 random bits, as they could a person's password.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use std::fmt;
use subtle::ConstantTimeEq;

/// A secret on its way to or from the person that it belongs to. Never shown in `Debug`, never logged.
#[derive(Clone)]
pub struct Secret([u8; 32]);

impl Secret {
    /// From 256 random bits.
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// From its text; `None` if that can't be one.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 43 {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }

    /// The text to hand out.
    pub fn reveal(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// What is kept of it.
    pub fn hash(&self) -> SecretHash {
        SecretHash(Sha256::digest(self.0).into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Bytes as two small digits each.
pub fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is kept of a [`Secret`]. Two compare in constant time.
#[derive(Clone, Eq)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    /// As the store keeps it.
    pub fn to_hex(&self) -> String {
        hex(self.0)
    }

    /// As the store kept it.
    pub fn from_hex(text: &str) -> Option<Self> {
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        let mut bytes = [0; 32];
        for (place, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[place * 2..place * 2 + 2], 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl PartialEq for SecretHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_comes_back_from_its_text_and_nothing_else_does() {
        let secret = Secret::from_random([7; 32]);
        let text = secret.reveal();
        assert_eq!(Secret::parse(&text).unwrap().hash(), secret.hash());
        assert_ne!(Secret::from_random([8; 32]).hash(), secret.hash());
        for bad in ["", "x", &"!".repeat(43), &"A".repeat(44), &"é".repeat(22)] {
            assert!(Secret::parse(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn neither_a_secret_nor_its_hash_shows_in_debug_output() {
        let secret = Secret::from_random([7; 32]);
        assert!(!format!("{secret:?}").contains(&secret.reveal()));
        assert!(!format!("{:?}", secret.hash()).contains(&secret.hash().to_hex()));
    }

    #[test]
    fn a_hash_comes_back_from_the_store() {
        let hash = Secret::from_random([7; 32]).hash();
        assert_eq!(SecretHash::from_hex(&hash.to_hex()), Some(hash));
        for bad in ["", "zz", &"g".repeat(64), &"é".repeat(32)] {
            assert_eq!(SecretHash::from_hex(bad), None);
        }
    }
}
