//! Tokens that are to be believed, and all that aren't.

use super::*;
use aws_lc_rs::{
    encoding::AsDer,
    rand::SystemRandom,
    rsa::{KeySize, PublicKeyComponents},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use hmac::{Hmac, Mac};
use serde_json::json;
use sha2::Sha256;
use std::sync::LazyLock;

static RSA: LazyLock<RsaKeyPair> = LazyLock::new(|| RsaKeyPair::generate(KeySize::Rsa2048).unwrap());
static CURVE: LazyLock<EcdsaKeyPair> =
    LazyLock::new(|| EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap());

const NOW: i64 = 1_800_000_000;
const EXPECTED: Expected<'static> =
    Expected { issuer: "https://login.example.org", client_id: "weir", nonce: "n1" };

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

fn rsa_key() -> Jwk {
    let parts = PublicKeyComponents::<Vec<u8>>::from(RSA.public_key());
    let (n, e) = (BASE64.encode(parts.n), BASE64.encode(parts.e));
    serde_json::from_value(json!({ "kty": "RSA", "n": n, "e": e })).unwrap()
}

fn curve_key() -> Jwk {
    let point = CURVE.public_key().as_ref();
    let (x, y) = (BASE64.encode(&point[1..33]), BASE64.encode(&point[33..]));
    serde_json::from_value(json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y })).unwrap()
}

fn claims() -> Value {
    json!({
        "iss": EXPECTED.issuer, "sub": "248289761001", "aud": "weir", "exp": NOW + 300, "iat": NOW, "nonce": "n1",
        "preferred_username": "ada", "name": "Ada Lovelace",
    })
}

fn input(head: &Value, claims: &Value) -> String {
    format!("{}.{}", BASE64.encode(head.to_string()), BASE64.encode(claims.to_string()))
}

fn rs256(head: &Value, claims: &Value) -> String {
    let input = input(head, claims);
    let mut signature = vec![0; RSA.public_modulus_len()];
    RSA.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), input.as_bytes(), &mut signature).unwrap();
    format!("{input}.{}", BASE64.encode(signature))
}

fn es256(head: &Value, claims: &Value) -> String {
    let input = input(head, claims);
    let signature = CURVE.sign(&SystemRandom::new(), input.as_bytes()).unwrap();
    format!("{input}.{}", BASE64.encode(signature))
}

fn read(token: &str, keys: &[Jwk]) -> Result<Claims, TokenError> {
    signed(token, &head(token)?, keys)
}

/// What becomes of claims of which one is another.
fn with(field: &str, value: Value) -> Result<Identity, TokenError> {
    let mut claims = claims();
    match value {
        Value::Null => drop(claims.as_object_mut().unwrap().remove(field)),
        value => claims[field] = value,
    }
    let token = rs256(&json!({ "alg": "RS256" }), &claims);
    read(&token, &[rsa_key()])?.check(EXPECTED, at(NOW))
}

#[test]
fn a_token_with_either_signature_says_who_is_there() {
    let ada = Identity {
        subject: "248289761001".to_owned(),
        preferred: Some("ada".to_owned()),
        full: Some("Ada Lovelace".to_owned()),
    };
    let keys = [curve_key(), rsa_key()];
    for token in [
        rs256(&json!({ "alg": "RS256", "kid": "a", "typ": "JWT" }), &claims()),
        es256(&json!({ "alg": "ES256" }), &claims()),
    ] {
        assert_eq!(read(&token, &keys).unwrap().check(EXPECTED, at(NOW)), Ok(ada.clone()));
    }
    let token = rs256(&json!({ "alg": "RS256", "kid": "a" }), &claims());
    assert_eq!(head(&token), Ok(Head { algorithm: Algorithm::RS256, key: Some("a".to_owned()) }));
    // Names are a courtesy.
    assert_eq!(with("preferred_username", json!(7)).unwrap().preferred, None);
    assert_eq!(with("name", json!(" ")).unwrap().full, None);
}

#[test]
fn nothing_but_the_provider_s_own_signature_is_taken() {
    let keys = [rsa_key()];
    let none = format!("{}.", input(&json!({ "alg": "none" }), &claims()));
    assert_eq!(head(&none), Err(TokenError::Shape));
    // The oldest trick: the public key, which everybody has, as a shared secret.
    let der = AsDer::<aws_lc_rs::encoding::PublicKeyX509Der>::as_der(RSA.public_key()).unwrap();
    let pem =
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", BASE64.encode(der.as_ref()));
    for secret in [der.as_ref(), pem.as_bytes(), RSA.public_key().as_ref(), b"hush"] {
        let input = input(&json!({ "alg": "HS256" }), &claims());
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
        mac.update(input.as_bytes());
        let token = format!("{input}.{}", BASE64.encode(mac.finalize().into_bytes()));
        assert_eq!(head(&token), Err(TokenError::Shape));
        // And not even if the head were believed to be another.
        let lie = Head { algorithm: Algorithm::RS256, key: None };
        assert_eq!(signed(&token, &lie, &keys).unwrap_err(), TokenError::Signature);
    }
    for other in ["RS384", "RS512", "PS256", "ES384", "EdDSA", "HS512", "none", "NONE", "", "rs256"] {
        assert_eq!(head(&rs256(&json!({ "alg": other }), &claims())), Err(TokenError::Shape), "{other}");
    }
    let good = rs256(&json!({ "alg": "RS256" }), &claims());
    assert_eq!(read(&good, &[curve_key()]).unwrap_err(), TokenError::Signature, "another's key");
    assert_eq!(read(&good, &[]).unwrap_err(), TokenError::Signature);
    let mut parts: Vec<&str> = good.split('.').collect();
    let mut richer = claims();
    richer["sub"] = json!("1");
    let richer = BASE64.encode(richer.to_string());
    parts[1] = &richer;
    assert_eq!(read(&parts.join("."), &keys).unwrap_err(), TokenError::Signature, "changed on the way");
    let es = es256(&json!({ "alg": "RS256" }), &claims());
    assert_eq!(read(&es, &[curve_key(), rsa_key()]).unwrap_err(), TokenError::Signature);
    let critical = rs256(&json!({ "alg": "RS256", "crit": ["exp"], "exp": 1 }), &claims());
    assert!(read(&critical, &keys).is_err(), "what must be understood isn't");
}

#[test]
fn what_is_no_token_is_no_fault_of_ours() {
    let good = rs256(&json!({ "alg": "RS256" }), &claims());
    let long = "a".repeat(TOKEN_MOST + 1);
    let twice = format!("{good}.{good}");
    for bad in ["", ".", "..", "...", "a.b.c", "é.é.é", &good[..good.len() / 2], &long, &twice, "<html>"] {
        assert!(read(bad, &[rsa_key()]).is_err(), "{bad:.20}");
    }
    for payload in [json!([]), json!(7), json!("x"), json!({})] {
        let token = rs256(&json!({ "alg": "RS256" }), &payload);
        let refused = read(&token, &[rsa_key()]);
        assert!(
            matches!(refused, Err(TokenError::Claims(_) | TokenError::Signature)),
            "{payload} {refused:?}"
        );
    }
}

#[test]
fn a_token_of_another_issuer_client_or_sign_in_is_refused() {
    for other in ["https://login.example.org/", "https://evil.example", "", "HTTPS://login.example.org"] {
        assert_eq!(with("iss", json!(other)), Err(TokenError::Issuer), "{other}");
    }
    for other in
        [json!("other"), json!(""), json!([]), json!(["other"]), json!("Weir"), json!(["other", "wei"])]
    {
        assert_eq!(with("aud", other.clone()), Err(TokenError::Audience), "{other}");
    }
    assert!(with("aud", json!(["weir"])).is_ok());
    // Meant for several, it must name for whom it was made.
    assert_eq!(with("aud", json!(["weir", "other"])), Err(TokenError::Audience));
    assert_eq!(with("azp", json!("other")), Err(TokenError::Audience));
    assert!(with("azp", json!("weir")).is_ok());
    for other in [json!("n2"), json!(""), Value::Null] {
        assert_eq!(with("nonce", other.clone()), Err(TokenError::Nonce), "{other}");
    }
    for other in [String::new(), "x".repeat(256), "a\nb".to_owned()] {
        assert_eq!(with("sub", json!(other)), Err(TokenError::Subject));
    }
    for field in ["iss", "sub", "aud", "exp", "iat"] {
        assert!(matches!(with(field, Value::Null), Err(TokenError::Claims(_))), "without {field}");
        let other = with(field, json!({}));
        assert!(
            matches!(other, Err(TokenError::Claims(_) | TokenError::Signature)),
            "another kind of {field}: {other:?}"
        );
    }
}

#[test]
fn a_token_is_of_its_time_give_or_take_a_minute() {
    let token = rs256(&json!({ "alg": "RS256" }), &claims());
    let claims = read(&token, &[rsa_key()]).unwrap();
    for (now, good) in
        [(-61, false), (-60, true), (0, true), (300, true), (359, true), (360, false), (99_999, false)]
    {
        let expected = if good { Ok(()) } else { Err(TokenError::Time) };
        assert_eq!(claims.check(EXPECTED, at(NOW + now)).map(drop), expected, "{now}");
    }
    assert_eq!(with("exp", json!(NOW - 60)), Err(TokenError::Time));
    assert!(with("exp", json!(NOW as f64 - 59.5)).is_ok());
    assert_eq!(with("iat", json!(NOW + 61)), Err(TokenError::Time));
    assert_eq!(with("nbf", json!(NOW + 61)), Err(TokenError::Time));
    assert!(with("nbf", json!(NOW + 60)).is_ok());
    for absurd in [json!(1e308), json!(-1e308)] {
        let refused = with("exp", absurd.clone());
        assert_eq!(refused.is_ok(), absurd.as_f64().unwrap() > 0.0);
    }
}
