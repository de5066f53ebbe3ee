//! The token of a signed embed: a channel and an expiry, under HMAC-SHA256 (RFC 2104) with the channel's own key. Pure:
//! nothing of a token is kept, so whoever has the key can tell at any time what a token admits to.
//!
//! As text it is `weir_emb_` and base64url without padding (RFC 4648, 5) of: the version, 1 byte; the expiry in milliseconds
//! since 1970, 8 bytes, big-endian; the channel's id; 32 bytes of HMAC over all before. It goes into addresses as it is.

use crate::actor::EmbedError;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use shared::{id::ChannelId, unit::Timestamp};
use std::fmt;

/// What every token begins with.
pub const PREFIX: &str = "weir_emb_";
const VERSION: u8 = 1;
/// Bytes before the channel's id.
const HEAD: usize = 1 + 8;
/// Bytes of the HMAC.
const MAC: usize = 32;
/// No token is longer: an id has at most 64 characters.
const TEXT_MOST: usize = PREFIX.len() + (HEAD + 64 + MAC).div_ceil(3) * 4;

/// A channel's signing key: 256 random bits. Whoever knows it makes tokens, so it is shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct EmbedKey([u8; 32]);

impl EmbedKey {
    /// From 256 random bits.
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// As the store keeps it: unlike other secrets as it is, because tokens are made with it.
    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// As the store kept it.
    pub fn from_text(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    fn mac(&self, signed: &[u8]) -> Option<Hmac<Sha256>> {
        // HMAC takes keys of any length; that it could refuse one is the trait's doing.
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(&self.0).ok()?;
        mac.update(signed);
        Some(mac)
    }
}

impl fmt::Debug for EmbedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmbedKey(…)")
    }
}

/// A token that admits to a channel until then.
pub fn encode(key: &EmbedKey, channel: &ChannelId, until: Timestamp) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend(until.as_millis().to_be_bytes());
    bytes.extend(channel.as_str().as_bytes());
    if let Some(mac) = key.mac(&bytes) {
        bytes.extend(mac.finalize().into_bytes());
    }
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// Until when a token admits to a channel. That it has expired is told only of one that the key made.
pub fn verify(
    key: &EmbedKey,
    channel: &ChannelId,
    token: &str,
    now: Timestamp,
) -> Result<Timestamp, EmbedError> {
    let until = signed(key, channel, token).ok_or(EmbedError::Invalid)?;
    if now < until { Ok(until) } else { Err(EmbedError::Expired) }
}

/// Until when a token admits, or did, if the key made it for this channel.
pub fn signed(key: &EmbedKey, channel: &ChannelId, token: &str) -> Option<Timestamp> {
    if token.len() > TEXT_MOST {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(token.strip_prefix(PREFIX)?).ok()?;
    let (signed, mac) = bytes.split_at_checked(bytes.len().checked_sub(MAC)?)?;
    // In constant time, and before anything that it says is looked at.
    key.mac(signed)?.verify_slice(mac).ok()?;
    let (head, id) = signed.split_at_checked(HEAD)?;
    let (version, until) = head.split_first()?;
    let until = Timestamp::from_millis(i64::from_be_bytes(until.try_into().ok()?));
    (*version == VERSION && id == channel.as_str().as_bytes()).then_some(until)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

    const UNTIL: i64 = 1_800_000_000_000;

    fn key() -> EmbedKey {
        EmbedKey::from_random([7; 32])
    }

    fn channel() -> ChannelId {
        "01m7wdz2a303ah6eksjpwp0xga".parse().unwrap()
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn token() -> String {
        encode(&key(), &channel(), at(UNTIL))
    }

    fn verdict(token: &str) -> Result<Timestamp, EmbedError> {
        verify(&key(), &channel(), token, at(UNTIL - 1))
    }

    fn of_bytes(bytes: &[u8]) -> String {
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    fn bytes() -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(&token()[PREFIX.len()..]).unwrap()
    }

    /// What the key would sign, if it were asked to.
    fn forged_with_the_key(signed: &[u8]) -> String {
        let mac = key().mac(signed).unwrap().finalize().into_bytes();
        of_bytes(&[signed, &mac].concat())
    }

    #[test]
    fn a_token_admits_to_its_channel_until_it_expires() {
        assert_eq!(verdict(&token()), Ok(at(UNTIL)));
        assert_eq!(verify(&key(), &channel(), &token(), at(0)), Ok(at(UNTIL)));
        for late in [UNTIL, UNTIL + 1, i64::MAX] {
            assert_eq!(verify(&key(), &channel(), &token(), at(late)), Err(EmbedError::Expired));
        }
        for until in [i64::MIN, -1, 0, 1, i64::MAX] {
            let token = encode(&key(), &channel(), at(until));
            assert_eq!(signed(&key(), &channel(), &token), Some(at(until)));
        }
    }

    #[test]
    fn it_goes_into_an_address_as_it_is_and_is_short() {
        let token = token();
        assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
        assert!(token.len() < 110, "{}", token.len());
        let long = encode(&key(), &"x".repeat(64).parse().unwrap(), at(UNTIL));
        assert!(long.len() <= TEXT_MOST);
        assert!(signed(&key(), &"x".repeat(64).parse().unwrap(), &long).is_some());
    }

    #[test]
    fn every_bit_counts() {
        let bytes = bytes();
        for place in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[place] ^= 1 << bit;
                assert_eq!(verdict(&of_bytes(&changed)), Err(EmbedError::Invalid), "{place}.{bit}");
            }
        }
    }

    #[test]
    fn every_character_counts() {
        let token = token();
        for place in 0..token.len() {
            for other in ['A', 'z', '0', '-', '_', '=', '.', ' ', '%', '\u{0}', 'é'] {
                let mut changed: Vec<char> = token.chars().collect();
                if changed[place] == other {
                    continue;
                }
                changed[place] = other;
                let changed: String = changed.into_iter().collect();
                assert_eq!(verdict(&changed), Err(EmbedError::Invalid), "{changed}");
            }
        }
    }

    #[test]
    fn nothing_shorter_or_longer_admits() {
        let (token, bytes) = (token(), bytes());
        for length in 0..token.len() {
            assert_eq!(verdict(&token[..length]), Err(EmbedError::Invalid), "{length}");
            assert_eq!(verdict(&token[token.len() - length..]), Err(EmbedError::Invalid), "{length}");
        }
        for length in 0..bytes.len() {
            assert_eq!(verdict(&of_bytes(&bytes[..length])), Err(EmbedError::Invalid), "{length}");
        }
        for more in ["A", "AA", "AAAA", "=", "==", "&", "#x", "\n", " "] {
            assert_eq!(verdict(&format!("{token}{more}")), Err(EmbedError::Invalid), "{more:?}");
            assert_eq!(verdict(&format!("{more}{token}")), Err(EmbedError::Invalid), "{more:?}");
        }
        for huge in [TEXT_MOST + 1, 4096, 1 << 20] {
            let huge = format!("{PREFIX}{}", "A".repeat(huge));
            assert_eq!(verdict(&huge), Err(EmbedError::Invalid));
        }
    }

    #[test]
    fn a_token_is_written_in_one_way_alone() {
        let bytes = bytes();
        for text in [URL_SAFE.encode(&bytes), STANDARD.encode(&bytes)] {
            let other = format!("{PREFIX}{text}");
            assert_eq!(verdict(&other).is_ok(), other == token(), "{other}");
        }
        // The last character of 67 bytes has bits to spare; set, they would be a second way to write the same.
        let spare: Vec<ChannelId> = ["c", "cc", "ccc"].map(|id| id.parse().unwrap()).into();
        for channel in spare {
            let token = encode(&key(), &channel, at(UNTIL));
            let same = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
                .chars()
                .filter(|last| {
                    let other = format!("{}{last}", &token[..token.len() - 1]);
                    signed(&key(), &channel, &other).is_some()
                })
                .count();
            assert_eq!(same, 1);
        }
        for bearer in
            ["", "weir_emb_", "weir_emb", "WEIR_EMB_x", "weir_api_x", "weir_key_x", "eyJhbGciOiJub25lIn0"]
        {
            assert_eq!(verdict(bearer), Err(EmbedError::Invalid), "{bearer}");
        }
    }

    #[test]
    fn another_key_and_another_channel_are_not_this_one_s() {
        let other: ChannelId = "01m7wdz2a303ah6eksjpwp0xgb".parse().unwrap();
        assert_eq!(verify(&key(), &other, &token(), at(0)), Err(EmbedError::Invalid));
        for seed in 0..=255u8 {
            let other = EmbedKey::from_random([seed; 32]);
            let verdict = verify(&other, &channel(), &token(), at(UNTIL + 1));
            let expected = if seed == 7 { EmbedError::Expired } else { EmbedError::Invalid };
            assert_eq!(verdict, Err(expected), "what another key made is never said to have expired");
        }
    }

    #[test]
    fn what_is_signed_is_read_strictly() {
        let signed =
            |version: u8, until: &[u8], id: &[u8]| forged_with_the_key(&[&[version], until, id].concat());
        let (until, id) = (UNTIL.to_be_bytes(), channel());
        let id = id.as_str().as_bytes();
        assert_eq!(verdict(&signed(VERSION, &until, id)), Ok(at(UNTIL)));
        for version in (0..=255).filter(|version| *version != VERSION) {
            assert_eq!(verdict(&signed(version, &until, id)), Err(EmbedError::Invalid));
        }
        for bad in [
            signed(VERSION, &until, b""),
            signed(VERSION, &until, &id[1..]),
            signed(VERSION, &until, &[id, b"x"].concat()),
            signed(VERSION, &until[1..], id),
            signed(VERSION, b"", b""),
            forged_with_the_key(b""),
        ] {
            assert_eq!(verdict(&bad), Err(EmbedError::Invalid), "{bad}");
        }
    }

    #[test]
    fn a_key_comes_back_from_the_store_and_shows_nowhere() {
        assert_eq!(EmbedKey::from_text(&key().to_text()), Some(key()));
        for bad in ["", "x", &"A".repeat(42), &"A".repeat(44), &"!".repeat(43)] {
            assert_eq!(EmbedKey::from_text(bad), None, "{bad}");
        }
        assert!(!format!("{:?}", key()).contains(&key().to_text()));
    }
}
