//! A provider's keys (RFC 7517), and when they are asked for again. Pure.

use jsonwebtoken::{
    Algorithm,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::Value;
use shared::unit::Timestamp;
use std::time::Duration;

/// The most keys that are looked at.
const KEYS_MOST: usize = 64;
/// Keys are good for this long before they are asked for again.
const FRESH: Duration = Duration::from_secs(60 * 60);
/// They are asked for a key that isn't among them no more often than this, whatever comes.
const PAUSE: Duration = Duration::from_secs(60);
/// And a provider that doesn't answer no more often than this.
const PATIENCE: Duration = Duration::from_secs(5);

/// The keys as far as they are known.
#[derive(Debug, Default)]
pub struct Keys {
    keys: Vec<Jwk>,
    /// When the provider gave them.
    read_at: Option<Timestamp>,
    /// When it was asked last, as they were not known or too old.
    asked_at: Option<Timestamp>,
    /// When it was asked last for a key that was not among them.
    missed_at: Option<Timestamp>,
}

/// What to do for a token's key.
#[derive(Debug, Clone, PartialEq)]
pub enum Look {
    /// It is one of these.
    Among(Vec<Jwk>),
    /// Ask the provider, then look again.
    Ask,
    /// There is none.
    Nowhere,
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

impl Keys {
    /// Looks for the keys that may have signed a token with this head.
    pub fn look(&self, algorithm: Algorithm, id: Option<&str>, now: Timestamp) -> Look {
        let may_ask = match within(self.read_at, FRESH, now) {
            true => !within(self.missed_at, PAUSE, now),
            false => !within(self.asked_at, PATIENCE, now),
        };
        let fitting: Vec<Jwk> = self.keys.iter().filter(|key| fits(key, algorithm, id)).cloned().collect();
        match (fitting.is_empty(), within(self.read_at, FRESH, now), may_ask) {
            (_, false, true) | (true, _, true) => Look::Ask,
            (true, _, false) => Look::Nowhere,
            (false, ..) => Look::Among(fitting),
        }
    }

    /// The provider is asked now.
    pub fn ask(&mut self, now: Timestamp) {
        let why = if within(self.read_at, FRESH, now) { &mut self.missed_at } else { &mut self.asked_at };
        *why = Some(now);
    }

    /// It gave this; false if that is no set of keys. One that can't be read is left out and spoils no other (section 5).
    pub fn read(&mut self, body: &[u8], now: Timestamp) -> bool {
        let Ok(set) = serde_json::from_slice::<Set>(body) else { return false };
        let keys = set.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok());
        self.keys = keys.take(KEYS_MOST).collect();
        self.read_at = Some(now);
        true
    }
}

fn within(at: Option<Timestamp>, time: Duration, now: Timestamp) -> bool {
    at.is_some_and(|at| now.since(at) < time)
}

fn fits(key: &Jwk, algorithm: Algorithm, id: Option<&str>) -> bool {
    let common = &key.common;
    let kind = match (&key.algorithm, algorithm) {
        (AlgorithmParameters::RSA(_), Algorithm::RS256) => true,
        (AlgorithmParameters::EllipticCurve(key), Algorithm::ES256) => key.curve == EllipticCurve::P256,
        _ => false,
    };
    let own = match common.key_algorithm {
        Some(KeyAlgorithm::RS256) => algorithm == Algorithm::RS256,
        Some(KeyAlgorithm::ES256) => algorithm == Algorithm::ES256,
        Some(_) => false,
        None => true,
    };
    let signs = matches!(common.public_key_use, None | Some(PublicKeyUse::Signature));
    kind && own && signs && id.is_none_or(|id| common.key_id.as_deref() == Some(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_000_000 + seconds * 1000)
    }

    fn set(ids: &[&str]) -> Vec<u8> {
        let key = |id: &&str| json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": id, "use": "sig" });
        json!({ "keys": ids.iter().map(key).collect::<Vec<_>>() }).to_string().into_bytes()
    }

    fn found(keys: &Keys, id: &str, now: Timestamp) -> Look {
        match keys.look(Algorithm::RS256, Some(id), now) {
            Look::Among(found) => {
                assert_eq!(found.len(), 1);
                Look::Among(Vec::new())
            }
            other => other,
        }
    }

    const FOUND: Look = Look::Among(Vec::new());

    #[test]
    fn an_unknown_key_is_asked_for_once_a_minute_at_most() {
        let mut keys = Keys::default();
        assert_eq!(found(&keys, "a", at(0)), Look::Ask);
        keys.ask(at(0));
        assert_eq!(found(&keys, "a", at(4)), Look::Nowhere, "the provider didn't answer");
        assert_eq!(found(&keys, "a", at(5)), Look::Ask);
        keys.ask(at(5));
        assert!(keys.read(&set(&["a"]), at(5)));
        assert_eq!(found(&keys, "a", at(6)), FOUND);
        assert_eq!(found(&keys, "b", at(7)), Look::Ask, "they may have been changed since");
        keys.ask(at(7));
        assert!(keys.read(&set(&["a"]), at(7)));
        assert_eq!(found(&keys, "b", at(66)), Look::Nowhere, "asked less than a minute ago");
        assert_eq!(found(&keys, "b", at(67)), Look::Ask);
        keys.ask(at(67));
        assert!(keys.read(&set(&["b"]), at(67)));
        assert_eq!((found(&keys, "b", at(68)), found(&keys, "a", at(68))), (FOUND, Look::Nowhere));
        assert_eq!(found(&keys, "b", at(3666)), FOUND);
        assert_eq!(found(&keys, "b", at(3667)), Look::Ask, "an hour is over: it may have been revoked");
        keys.ask(at(3667));
        assert_eq!(found(&keys, "b", at(3668)), FOUND, "while the provider is away");
    }

    #[test]
    fn what_can_not_be_read_spoils_no_other_key() {
        let mut keys = Keys::default();
        let mixed = json!({ "keys": [
            { "kty": "quantum", "kid": "a" }, 7, { "kty": "RSA" }, null, { "kid": "a" },
            { "kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "a", "x5t#S256": "x", "more": [1] },
        ] });
        assert!(keys.read(mixed.to_string().as_bytes(), at(0)));
        assert_eq!(found(&keys, "a", at(0)), FOUND);
        for bad in [&b"<html>"[..], b"", b"{}", b"{\"keys\":1}", b"[]"] {
            assert!(!keys.read(bad, at(1)));
        }
        assert_eq!(found(&keys, "a", at(1)), FOUND, "what was known stays");
        let many: Vec<String> = (0..1000).map(|number| number.to_string()).collect();
        keys.read(&set(&many.iter().map(String::as_str).collect::<Vec<_>>()), at(2));
        assert_eq!(keys.keys.len(), KEYS_MOST);
    }

    #[test]
    fn a_key_serves_for_what_it_is_made_for_and_nothing_else() {
        let fits = |key: Value, algorithm, id| fits(&serde_json::from_value(key).unwrap(), algorithm, id);
        let rsa = json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB" });
        let with = |name: &str, value: &str| {
            let mut key = rsa.clone();
            key[name] = json!(value);
            key
        };
        assert!(fits(rsa.clone(), Algorithm::RS256, None));
        assert!(
            !fits(rsa.clone(), Algorithm::RS256, Some("a")) && !fits(rsa.clone(), Algorithm::ES256, None)
        );
        assert!(fits(with("alg", "RS256"), Algorithm::RS256, None));
        assert!(!fits(with("alg", "RSA-OAEP"), Algorithm::RS256, None));
        assert!(!fits(with("alg", "PS256"), Algorithm::RS256, None));
        assert!(!fits(with("use", "enc"), Algorithm::RS256, None));
        let curve = |name: &str| json!({ "kty": "EC", "crv": name, "x": "AQAB", "y": "AQAB" });
        assert!(fits(curve("P-256"), Algorithm::ES256, None));
        assert!(
            !fits(curve("P-384"), Algorithm::ES256, None) && !fits(curve("P-256"), Algorithm::RS256, None)
        );
        let secret = json!({ "kty": "oct", "k": "AQAB", "alg": "HS256" });
        for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::HS256] {
            assert!(!fits(secret.clone(), algorithm, None));
        }
    }
}
