//! What a publisher proves itself with: the channel's lasting stream key, or a token that the studio was given.

use crate::secret::{Secret, SecretHash};

/// A channel's lasting secret, for OBS and its like. Its text begins with `weir_key_`.
#[derive(Debug, Clone)]
pub struct StreamKey(Secret);

/// The studio's short-lived secret. Its text begins with `weir_pub_`.
#[derive(Debug, Clone)]
pub struct PublishToken(Secret);

const KEY_PREFIX: &str = "weir_key_";
const TOKEN_PREFIX: &str = "weir_pub_";

impl StreamKey {
    /// From 256 random bits.
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Self(Secret::from_random(bytes))
    }

    /// From its text; `None` if that can't be one.
    pub fn parse(text: &str) -> Option<Self> {
        Secret::parse(text.strip_prefix(KEY_PREFIX)?).map(Self)
    }

    /// The text to show, once.
    pub fn reveal(&self) -> String {
        format!("{KEY_PREFIX}{}", self.0.reveal())
    }

    /// What is kept of it.
    pub fn hash(&self) -> SecretHash {
        self.0.hash()
    }
}

impl PublishToken {
    /// From 256 random bits.
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Self(Secret::from_random(bytes))
    }

    /// From its text; `None` if that can't be one.
    pub fn parse(text: &str) -> Option<Self> {
        Secret::parse(text.strip_prefix(TOKEN_PREFIX)?).map(Self)
    }

    /// The text to hand to the studio.
    pub fn reveal(&self) -> String {
        format!("{TOKEN_PREFIX}{}", self.0.reveal())
    }

    /// What is kept of it.
    pub fn hash(&self) -> SecretHash {
        self.0.hash()
    }
}

/// What came as `Authorization: Bearer`.
#[derive(Debug, Clone)]
pub enum Bearer {
    /// A stream key.
    Key(StreamKey),
    /// A publish token.
    Token(PublishToken),
}

impl Bearer {
    /// From the header's credentials; `None` if they can be neither.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        StreamKey::parse(text).map(Self::Key).or_else(|| PublishToken::parse(text).map(Self::Token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearer_tells_keys_from_tokens() {
        let key = StreamKey::from_random([1; 32]);
        let token = PublishToken::from_random([1; 32]);
        assert!(matches!(Bearer::parse(&key.reveal()), Some(Bearer::Key(k)) if k.hash() == key.hash()));
        assert!(matches!(Bearer::parse(&format!(" {} ", token.reveal())), Some(Bearer::Token(_))));
        assert!(StreamKey::parse(&token.reveal()).is_none());
        for bad in ["", "weir_key_", "weir_key_<script>", &"A".repeat(100_000)] {
            assert!(Bearer::parse(bad).is_none());
        }
    }

    #[test]
    fn a_key_never_shows_in_debug_output() {
        let key = StreamKey::from_random([1; 32]);
        let shown = format!("{key:?} {:?}", Bearer::parse(&key.reveal()));
        assert!(!shown.contains(key.reveal().trim_start_matches(KEY_PREFIX)));
    }
}
