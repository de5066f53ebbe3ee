//! How a delivery proves that it is from here: the signatures of Standard Webhooks. Pure.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::fmt;

/// What a secret begins with, as its owner is shown it.
const PREFIX: &str = "whsec_";

/// What deliveries are signed with. Kept as it is, since signing takes all of it; never shown in `Debug`, never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningSecret([u8; 32]);

impl SigningSecret {
    /// From 256 random bits.
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// As the store keeps it.
    pub fn to_text(&self) -> String {
        STANDARD.encode(self.0)
    }

    /// As the store kept it.
    pub fn from_text(text: &str) -> Option<Self> {
        Some(Self(STANDARD.decode(text).ok()?.try_into().ok()?))
    }

    /// As its owner is shown it, once.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", self.to_text())
    }

    /// The signature of one delivery: of its id, the second it is sent at, and its body.
    pub fn sign(&self, id: &str, timestamp: i64, body: &str) -> String {
        // A key of any length is one.
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0).unwrap_or_else(|_| unreachable!("HMAC takes any key"));
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body.as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(…)")
    }
}

/// The header with a delivery's signatures: by each of the secrets, the newest first.
pub fn signatures(secrets: &[SigningSecret], id: &str, timestamp: i64, body: &str) -> String {
    secrets.iter().map(|secret| secret.sign(id, timestamp, body)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_of_the_standard() {
        // Worked out with another implementation, Python's.
        for (key, id, timestamp, body, expected) in VECTORS {
            let secret = SigningSecret(**key);
            assert_eq!(secret.sign(id, *timestamp, body), format!("v1,{expected}"), "{id}");
        }
    }

    #[test]
    fn a_secret_comes_back_from_the_store_and_shows_nowhere() {
        let secret = SigningSecret::from_random([7; 32]);
        assert_eq!(SigningSecret::from_text(&secret.to_text()), Some(secret.clone()));
        for bad in ["", "!", "AAAA", &secret.reveal()] {
            assert_eq!(SigningSecret::from_text(bad), None, "{bad}");
        }
        assert!(!format!("{secret:?}").contains(&secret.to_text()));
    }

    #[test]
    fn id_time_and_body_each_change_it_and_both_secrets_sign() {
        let (new, old) = (SigningSecret([1; 32]), SigningSecret([2; 32]));
        let one = new.sign("a", 1, "{}");
        for other in
            [new.sign("b", 1, "{}"), new.sign("a", 2, "{}"), new.sign("a", 1, "{ }"), old.sign("a", 1, "{}")]
        {
            assert_ne!(one, other);
        }
        let both = signatures(&[new.clone(), old.clone()], "a", 1, "{}");
        assert_eq!(both, format!("{one} {}", old.sign("a", 1, "{}")));
    }

    /// Key, id, time, body, and what it comes to.
    const VECTORS: &[(&[u8; 32], &str, i64, &str, &str)] = &[
        (&[0; 32], "msg_1", 0, r#""#, "b+SXZMJEVpLSiGYYsGgI4SMVyZQr9Y1FbkdGklQZKWE="),
        (
            &[
                0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
                26, 27, 28, 29, 30, 31,
            ],
            "01m7wdz2a303ah6eksjpwp0xga",
            1614265330,
            r#"{"test": 2432232314}"#,
            "tr4PVOQBEZkkiWoqMXO6TVpSXM8aajswfxMlyukLhPw=",
        ),
        (
            &[255; 32],
            "01m7wdz2a303ah6eksjpwp0xga-started",
            1795996800,
            r#"{"type":"StreamStarted","timestamp":"2026-11-30T00:00:00Z","data":{"channel":"ada","title":"Grüße 🎥"}}"#,
            "AytSOXV+rMXWYL4z7xuU72j2y8Jfgzd5an2CTtMbX4M=",
        ),
    ];
}
