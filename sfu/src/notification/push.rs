//! What a push message is: encrypted for one browser (RFC 8291, RFC 8188), and signed by this server (VAPID, RFC 8292). Pure.

use aws_lc_rs::{
    aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    agreement::{self, ECDH_P256, PrivateKey, UnparsedPublicKey},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use shared::unit::Timestamp;

/// Push services take 4,096 bytes in all; this leaves room for what encryption adds.
pub const PLAIN_MOST: usize = 3000;
/// How long a signature is good, in seconds.
const SIGNED_FOR: i64 = 12 * 60 * 60;
const RECORD: u32 = 4096;

/// Why a message was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// The browser's keys are none.
    #[error("the browser's keys can't be used")]
    Keys,
    /// More than a push service takes.
    #[error("the message is too long")]
    TooLong,
    /// The random bytes make no key; others will.
    #[error("these random bytes make no key")]
    Unlucky,
}

/// A browser's keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrowserKeys {
    public: [u8; 65],
    secret: [u8; 16],
}

impl BrowserKeys {
    /// From base64url, as browsers give them.
    pub fn parse(p256dh: &str, auth: &str) -> Option<Self> {
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok();
        let public: [u8; 65] = decode(p256dh)?.try_into().ok()?;
        let secret = decode(auth)?.try_into().ok()?;
        // That it is a point of the curve shows with the first use.
        let trial = PrivateKey::from_private_key(&ECDH_P256, &[1; 32]).ok()?;
        agreement::agree(&trial, UnparsedPublicKey::new(&ECDH_P256, public), (), |_| Ok(())).ok()?;
        Some(Self { public, secret })
    }
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let Ok(mut mac) = <Hmac<Sha256> as Mac>::new_from_slice(key) else {
        unreachable!("HMAC takes keys of any length")
    };
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

/// Encrypts a text for a browser, with a key and a salt that were never used before.
pub fn encrypt(
    plain: &[u8],
    browser: &BrowserKeys,
    private: &[u8; 32],
    salt: &[u8; 16],
) -> Result<Vec<u8>, PushError> {
    if plain.len() > PLAIN_MOST {
        return Err(PushError::TooLong);
    }
    let private = PrivateKey::from_private_key(&ECDH_P256, private).map_err(|_| PushError::Unlucky)?;
    let public = private.compute_public_key().map_err(|_| PushError::Unlucky)?;
    let peer = UnparsedPublicKey::new(&ECDH_P256, browser.public);
    let shared = agreement::agree(&private, peer, PushError::Keys, |shared| Ok(shared.to_vec()))?;
    let prk_key = hmac(&browser.secret, &[&shared]);
    let ikm = hmac(&prk_key, &[b"WebPush: info\0", &browser.public, public.as_ref(), &[1]]);
    let prk = hmac(salt, &[&ikm]);
    let key = hmac(&prk, &[b"Content-Encoding: aes128gcm\0", &[1]]);
    let nonce = hmac(&prk, &[b"Content-Encoding: nonce\0", &[1]]);
    let key = UnboundKey::new(&AES_128_GCM, &key[..16]).map_err(|_| PushError::Keys)?;
    let nonce = Nonce::try_assume_unique_for_key(&nonce[..12]).map_err(|_| PushError::Keys)?;
    let mut sealed = plain.to_vec();
    // The last record ends with this.
    sealed.push(2);
    let key = LessSafeKey::new(key);
    key.seal_in_place_append_tag(nonce, Aad::empty(), &mut sealed).map_err(|_| PushError::TooLong)?;
    let mut message = Vec::with_capacity(86 + sealed.len());
    message.extend_from_slice(salt);
    message.extend_from_slice(&RECORD.to_be_bytes());
    message.push(65);
    message.extend_from_slice(public.as_ref());
    message.extend_from_slice(&sealed);
    Ok(message)
}

/// What this server proves itself with to push services.
#[derive(Clone)]
pub struct Vapid {
    private: [u8; 32],
    public: Vec<u8>,
}

impl std::fmt::Debug for Vapid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vapid(…)")
    }
}

impl Vapid {
    /// From 32 random bytes; nearly all make a key.
    pub fn new(private: [u8; 32]) -> Result<Self, PushError> {
        let key = PrivateKey::from_private_key(&ECDH_P256, &private).map_err(|_| PushError::Unlucky)?;
        let public = key.compute_public_key().map_err(|_| PushError::Unlucky)?.as_ref().to_vec();
        Ok(Self { private, public })
    }

    /// From what is kept.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::new(URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?).ok()
    }

    /// What is kept.
    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.private)
    }

    /// A key for something else, which tells nothing of this one.
    pub fn derived(&self, purpose: &str) -> [u8; 32] {
        hmac(&self.private, &[b"weir ", purpose.as_bytes()])
    }

    /// What browsers subscribe with.
    pub fn public(&self) -> String {
        URL_SAFE_NO_PAD.encode(&self.public)
    }

    /// The value of `Authorization` for a push service at this origin. `contact` is an address where whoever runs the
    /// service finds whoever runs this server.
    pub fn authorization(&self, origin: &str, contact: &str, now: Timestamp) -> Result<String, PushError> {
        let pair = EcdsaKeyPair::from_private_key_and_public_key(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            &self.private,
            &self.public,
        );
        let pair = pair.map_err(|_| PushError::Keys)?;
        let claims = serde_json::json!({
            "aud": origin, "exp": now.as_millis() / 1000 + SIGNED_FOR, "sub": contact,
        });
        let head = URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"ES256"}"#);
        let text = format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = pair.sign(&SystemRandom::new(), text.as_bytes()).map_err(|_| PushError::Keys)?;
        let signature = URL_SAFE_NO_PAD.encode(signature.as_ref());
        Ok(format!("vapid t={text}.{signature}, k={}", self.public()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{self, ECDSA_P256_SHA256_FIXED};

    fn bytes<const N: usize>(text: &str) -> [u8; N] {
        URL_SAFE_NO_PAD.decode(text).unwrap().try_into().unwrap()
    }

    #[test]
    fn a_message_is_encrypted_as_rfc_8291_shows_it() {
        let browser = BrowserKeys::parse(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "BTBZMqHH6r4Tts7J_aSIgg",
        )
        .unwrap();
        let private = bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw");
        let salt = bytes("DGv6ra1nlYgDCS1FRnbzlw");
        let message =
            encrypt(b"When I grow up, I want to be a watermelon", &browser, &private, &salt).unwrap();
        assert_eq!(
            URL_SAFE_NO_PAD.encode(message),
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
        );
    }

    #[test]
    fn keys_that_are_none_are_refused() {
        let (good, auth) = (
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "BTBZMqHH6r4Tts7J_aSIgg",
        );
        assert!(BrowserKeys::parse(good, auth).is_some());
        let off_curve = URL_SAFE_NO_PAD.encode([4; 65]);
        let infinity = URL_SAFE_NO_PAD.encode([0; 65]);
        for (public, secret) in [
            ("", auth),
            (good, ""),
            (&good[1..], auth),
            (good, good),
            (&off_curve, auth),
            (&infinity, auth),
            ("!", auth),
        ] {
            assert!(BrowserKeys::parse(public, secret).is_none(), "{public} {secret}");
        }
        let browser = BrowserKeys::parse(good, auth).unwrap();
        assert_eq!(encrypt(&[0; PLAIN_MOST + 1], &browser, &[1; 32], &[0; 16]), Err(PushError::TooLong));
        assert_eq!(encrypt(b"", &browser, &[0; 32], &[0; 16]), Err(PushError::Unlucky));
        assert_eq!(encrypt(b"", &browser, &[255; 32], &[0; 16]), Err(PushError::Unlucky));
    }

    #[test]
    fn a_push_service_can_tell_that_it_was_this_server() {
        let vapid = Vapid::new([7; 32]).unwrap();
        let now = Timestamp::from_millis(1_800_000_000_000);
        let value = vapid.authorization("https://push.example", "mailto:a@b.example", now).unwrap();
        let (token, key) = value.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
        assert_eq!(key, vapid.public());
        let (text, signature) = token.rsplit_once('.').unwrap();
        let public = signature::UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &vapid.public);
        public.verify(text.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
        let claims = URL_SAFE_NO_PAD.decode(text.split_once('.').unwrap().1).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims["aud"], "https://push.example");
        assert_eq!(claims["exp"], 1_800_000_000 + SIGNED_FOR);
        assert_eq!(Vapid::from_text(&vapid.to_text()).unwrap().public(), vapid.public());
        assert!(!format!("{vapid:?}").contains(&vapid.to_text()));
    }
}
