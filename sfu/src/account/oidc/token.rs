//! Whether an ID token is to be believed (OpenID Connect Core 1.0, section 3.1.3.7). Pure: the time is an argument.

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::Jwk};
use serde::Deserialize;
use serde_json::Value;
use shared::unit::Timestamp;

/// How far the provider's clock may be from ours, in seconds.
const SKEW: f64 = 60.0;
/// No subject is longer (section 2).
const SUBJECT_MOST: usize = 255;
/// No token is longer.
const TOKEN_MOST: usize = 64 * 1024;

/// Why it isn't believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// No token, or signed in a way that isn't taken: what isn't RS256 or ES256, such as `none` or a shared secret.
    #[error("it is no token that is signed with RS256 or ES256")]
    Shape,
    /// No key of the provider's made its signature.
    #[error("its signature is not the provider's")]
    Signature,
    /// It lacks what it must say, or says it in another way.
    #[error("what it says can't be read: {0}")]
    Claims(String),
    /// Another provider's.
    #[error("it is another issuer's")]
    Issuer,
    /// For somebody else.
    #[error("it is for another client")]
    Audience,
    /// It is over, or not good yet.
    #[error("it is not of this time")]
    Time,
    /// For another sign-in.
    #[error("its nonce is another's")]
    Nonce,
    /// It is of nobody.
    #[error("its subject is empty or too long")]
    Subject,
}

/// What a token's head says of its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// How it is signed.
    pub algorithm: Algorithm,
    /// With which key.
    pub key: Option<String>,
}

/// Reads it, from a token that nobody has looked at yet.
///
/// # Errors
/// [`TokenError::Shape`] for any algorithm but the two that are taken.
pub fn head(token: &str) -> Result<Head, TokenError> {
    if token.len() > TOKEN_MOST {
        return Err(TokenError::Shape);
    }
    let head = decode_header(token).map_err(|_| TokenError::Shape)?;
    match head.alg {
        Algorithm::RS256 | Algorithm::ES256 => Ok(Head { algorithm: head.alg, key: head.kid }),
        _ => Err(TokenError::Shape),
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// What a token says, once its signature is the provider's.
#[derive(Debug, Clone, Deserialize)]
pub struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: f64,
    iat: f64,
    nbf: Option<f64>,
    nonce: Option<String>,
    azp: Option<String>,
    // Of no weight: what can't be read is as if it weren't there.
    #[serde(default)]
    preferred_username: Value,
    #[serde(default)]
    name: Value,
}

/// What it must say.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The provider.
    pub issuer: &'a str,
    /// This instance.
    pub client_id: &'a str,
    /// This sign-in.
    pub nonce: &'a str,
}

/// Who the provider says is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Who, for ever: by this and the issuer alone somebody is known again.
    pub subject: String,
    /// What they call themselves there.
    pub preferred: Option<String>,
    /// And their full name.
    pub full: Option<String>,
}

/// What it says, if one of these keys signed it in the way that its head says.
///
/// # Errors
/// [`TokenError::Signature`] or, for what was signed and makes no sense, [`TokenError::Claims`].
pub fn signed(token: &str, head: &Head, keys: &[Jwk]) -> Result<Claims, TokenError> {
    let mut validation = Validation::new(head.algorithm);
    // Time and everybody's names are held against what is expected below, at a time that is given.
    (validation.validate_exp, validation.validate_nbf, validation.validate_aud) = (false, false, false);
    validation.required_spec_claims.clear();
    for key in keys {
        let Ok(key) = DecodingKey::from_jwk(key) else { continue };
        match decode::<Value>(token, &key, &validation) {
            Ok(data) => {
                return serde_json::from_value(data.claims)
                    .map_err(|error| TokenError::Claims(error.to_string()));
            }
            Err(_) => continue,
        }
    }
    Err(TokenError::Signature)
}

impl Claims {
    /// Who is there, if all of it is as expected.
    ///
    /// # Errors
    /// [`TokenError`] for the first that isn't.
    pub fn check(&self, expected: Expected<'_>, now: Timestamp) -> Result<Identity, TokenError> {
        if self.iss != expected.issuer {
            return Err(TokenError::Issuer);
        }
        let (is_ours, has_others) = match &self.aud {
            Audience::One(one) => (one == expected.client_id, false),
            Audience::Several(all) => (
                all.iter().any(|one| one == expected.client_id),
                all.iter().any(|one| one != expected.client_id),
            ),
        };
        let party = self.azp.as_deref();
        let is_party = party == Some(expected.client_id) || (party.is_none() && !has_others);
        if !is_ours || !is_party {
            return Err(TokenError::Audience);
        }
        let now = now.as_millis() as f64 / 1000.0;
        let is_of_now =
            now < self.exp + SKEW && self.iat <= now + SKEW && self.nbf.is_none_or(|at| at <= now + SKEW);
        if !is_of_now {
            return Err(TokenError::Time);
        }
        if self.nonce.as_deref() != Some(expected.nonce) {
            return Err(TokenError::Nonce);
        }
        let fits = (1..=SUBJECT_MOST).contains(&self.sub.len()) && !self.sub.chars().any(char::is_control);
        if !fits {
            return Err(TokenError::Subject);
        }
        let text = |value: &Value| value.as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned);
        Ok(Identity {
            subject: self.sub.clone(),
            preferred: text(&self.preferred_username),
            full: text(&self.name),
        })
    }
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
