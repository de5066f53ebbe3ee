//! Passes: what a browser keeps of having entered a private channel, under HMAC-SHA256 (RFC 2104) with the key of what let it in.
//! Pure: nothing of a pass is kept, and one dies with its key, when the password is replaced or the link revoked.
//!
//! A browser has all its passes in one cookie: `weir_pass_`, and then each in base64url without padding (RFC 4648, 5), with full
//! stops between them, the oldest first. One is: the version, 1 byte; which key, 8 bytes; its expiry in milliseconds since 1970,
//! 8 bytes, big-endian; 32 bytes of HMAC over the channel's id and all of this.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use shared::{id::ChannelId, unit::Timestamp};
use std::fmt;

/// What the cookie's value begins with.
pub const PREFIX: &str = "weir_pass_";
/// The most passes that a browser keeps; the oldest go first.
pub const PASSES_MOST: usize = 12;
/// How long a pass is good.
pub const LASTS_DAYS: u32 = 30;

const VERSION: u8 = 1;
const TAG: usize = 8;
const HEAD: usize = 1 + TAG + 8;
const MAC: usize = 32;
/// Characters of a pass.
const TEXT: usize = (HEAD + MAC) * 4 / 3 + 1;

/// What signs the passes of a password or a link: 256 random bits. Whoever knows it makes passes, so it is shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct PassKey([u8; 32]);

impl PassKey {
    /// From 256 random bits.
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// As the store keeps it: as it is, because passes are made with it.
    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// As the store kept it.
    pub fn from_text(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// Tells this key's passes from those of others, so that a cookie costs few signatures. It says nothing of the key.
    fn tag(&self) -> [u8; TAG] {
        let mut tag = [0; TAG];
        tag.copy_from_slice(&Sha256::digest(self.0)[..TAG]);
        tag
    }

    fn mac(&self, channel: &ChannelId, head: &[u8]) -> Option<Hmac<Sha256>> {
        // HMAC takes keys of any length; that it could refuse one is the trait's doing.
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(&self.0).ok()?;
        mac.update(channel.as_str().as_bytes());
        // No id has this in it, so that where the id ends is signed, too.
        mac.update(&[0]);
        mac.update(head);
        Some(mac)
    }
}

impl fmt::Debug for PassKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PassKey(…)")
    }
}

/// A pass into a channel until then.
fn encode(key: &PassKey, channel: &ChannelId, until: Timestamp) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend(key.tag());
    bytes.extend(until.as_millis().to_be_bytes());
    if let Some(mac) = key.mac(channel, &bytes) {
        bytes.extend(mac.finalize().into_bytes());
    }
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes before the HMAC, and it.
fn parts(pass: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    if pass.len() > TEXT {
        return None;
    }
    let mut bytes = URL_SAFE_NO_PAD.decode(pass).ok()?;
    if bytes.len() != HEAD + MAC || bytes[0] != VERSION {
        return None;
    }
    let mac = bytes.split_off(HEAD);
    Some((bytes, mac))
}

/// Whether a text claims to be passes.
pub fn are_passes(text: &str) -> bool {
    text.starts_with(PREFIX)
}

/// Each pass of a cookie, the oldest first; no more than a browser keeps.
fn each(cookie: &str) -> impl Iterator<Item = &str> {
    let passes = cookie.strip_prefix(PREFIX).unwrap_or_default();
    passes.split('.').filter(|pass| !pass.is_empty()).take(PASSES_MOST)
}

/// Until when passes let into a channel whose passes these keys sign. `goes_on`: it is enough that one did.
pub fn admits(
    keys: &[PassKey],
    channel: &ChannelId,
    cookie: &str,
    now: Timestamp,
    goes_on: bool,
) -> Option<Timestamp> {
    let until_of = |pass: &str| {
        let (head, mac) = parts(pass)?;
        let tag = &head[1..1 + TAG];
        let key = keys.iter().find(|key| key.tag() == tag)?;
        // In constant time, and before the expiry is looked at.
        key.mac(channel, &head)?.verify_slice(&mac).ok()?;
        let until = Timestamp::from_millis(i64::from_be_bytes(head[1 + TAG..].try_into().ok()?));
        (goes_on || now < until).then_some(until)
    };
    each(cookie).filter_map(until_of).max()
}

/// A cookie's passes with another one, which takes the place of others into that channel.
pub fn with(
    cookie: Option<&str>,
    key: &PassKey,
    keys: &[PassKey],
    channel: &ChannelId,
    now: Timestamp,
) -> String {
    let until = now.as_millis().saturating_add(i64::from(LASTS_DAYS) * 24 * 60 * 60 * 1000);
    let is_other = |pass: &&str| {
        parts(pass).is_some_and(|(head, _)| !keys.iter().any(|key| key.tag() == head[1..1 + TAG]))
    };
    let mut passes: Vec<String> =
        cookie.into_iter().flat_map(each).filter(is_other).map(str::to_owned).collect();
    passes.push(encode(key, channel, Timestamp::from_millis(until)));
    let too_many = passes.len().saturating_sub(PASSES_MOST);
    format!("{PREFIX}{}", passes.split_off(too_many).join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 60 * 60 * 1000;

    fn key(number: u8) -> PassKey {
        PassKey::from_random([number; 32])
    }

    fn ada() -> ChannelId {
        "ada".parse().unwrap()
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn lets_in(keys: &[PassKey], channel: &ChannelId, cookie: &str, now: i64) -> bool {
        admits(keys, channel, cookie, at(now), false).is_some()
    }

    #[test]
    fn a_pass_lets_into_its_channel_until_it_is_over_and_its_key_is_gone() {
        let cookie = with(None, &key(1), &[], &ada(), at(0));
        let keys = [key(2), key(1)];
        for (now, is_in) in
            [(i64::MIN, true), (0, true), (30 * DAY - 1, true), (30 * DAY, false), (i64::MAX, false)]
        {
            assert_eq!(lets_in(&keys, &ada(), &cookie, now), is_in, "{now}");
            assert!(admits(&keys, &ada(), &cookie, at(now), true).is_some(), "what began goes on");
        }
        // A clock that is set back revives what it ended, and nothing that was revoked.
        assert!(lets_in(&keys, &ada(), &cookie, 30 * DAY - 1));
        assert!(!lets_in(&[key(2)], &ada(), &cookie, 0));
        assert!(!lets_in(&[], &ada(), &cookie, 0));
        assert!(!lets_in(&keys, &"other".parse().unwrap(), &cookie, 0));
        assert!(!lets_in(&keys, &"ad".parse().unwrap(), &cookie, 0));
    }

    #[test]
    fn whatever_is_changed_lets_nobody_in() {
        let cookie = with(None, &key(1), &[], &ada(), at(0));
        let pass = cookie.strip_prefix(PREFIX).unwrap();
        assert_eq!(pass.len(), TEXT);
        let bytes = URL_SAFE_NO_PAD.decode(pass).unwrap();
        for place in 0..bytes.len() {
            for bit in 0..8 {
                let mut other = bytes.clone();
                other[place] ^= 1 << bit;
                let forged = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(other));
                assert!(!lets_in(&[key(1)], &ada(), &forged, 0), "{place} {bit}");
            }
        }
        for bad in
            ["", "weir_pass_", "weir_pass_....", pass, "weir_emb_x", &format!("{cookie}A"), "weir_pass_é.é"]
        {
            assert!(!lets_in(&[key(1)], &ada(), bad, 0), "{bad}");
        }
        let long = format!("{PREFIX}{}", "A".repeat(1 << 20));
        assert!(!lets_in(&[key(1)], &ada(), &long, 0));
    }

    #[test]
    fn a_cookie_holds_a_pass_a_channel_and_forgets_the_oldest() {
        let channel = |number: usize| format!("c{number}").parse::<ChannelId>().unwrap();
        let mut cookie: Option<String> = None;
        for number in 0..20 {
            let key = key(number as u8);
            for _ in 0..2 {
                let keys = std::slice::from_ref(&key);
                cookie = Some(with(cookie.as_deref(), &key, keys, &channel(number), at(0)));
            }
        }
        let cookie = cookie.unwrap();
        assert_eq!(each(&cookie).count(), PASSES_MOST);
        assert!(cookie.len() < 1024, "it goes along with each request");
        for number in 0..20 {
            let is_in = lets_in(&[key(number as u8)], &channel(number), &cookie, 0);
            assert_eq!(is_in, number >= 20 - PASSES_MOST, "{number}");
        }
        // What isn't a pass is left out, however much there is of it.
        let rubbish = format!("{PREFIX}{}", "x.".repeat(5000));
        let cleaned = with(Some(&rubbish), &key(1), &[], &ada(), at(0));
        assert_eq!(each(&cleaned).count(), 1);
    }

    #[test]
    fn a_key_comes_back_from_the_store_and_shows_in_no_debug_output() {
        assert_eq!(PassKey::from_text(&key(1).to_text()), Some(key(1)));
        for bad in ["", "x", "!!", &"A".repeat(44)] {
            assert_eq!(PassKey::from_text(bad), None, "{bad}");
        }
        assert_eq!(format!("{:?}", key(1)), "PassKey(…)");
    }
}
