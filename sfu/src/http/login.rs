//! The login cookie, and the extractor that says who is signed in.

use super::problem::ProblemResponse;
use crate::{actor::Actor, secret::Secret, store::StoreError};
use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::{HeaderMap, HeaderValue, header, request::Parts},
};
use futures_util::future::BoxFuture;
use shared::id::LoginId;
use std::sync::Arc;

/// A person, and the login through which they ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// Who.
    pub actor: Actor,
    /// Through which login.
    pub login: LoginId,
}

/// Tells whose a login cookie is.
pub trait Logins: Send + Sync + 'static {
    /// `None` if the token is nobody's, or its login is over.
    fn who<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Option<SignedIn>, StoreError>>;
}

/// A router's state that knows the logins, so that its handlers may ask for [`SignedIn`].
pub trait HasLogins {
    /// The logins.
    fn logins(&self) -> &Arc<dyn Logins>;
}

const COOKIE: &str = "weir_login";
/// Browsers keep it as long as an unused login lasts, and get it anew with each sign-in.
const MAX_AGE: u64 = 400 * 24 * 60 * 60;

/// The cookie of a new login.
pub fn cookie(secret: &Secret, secure: bool) -> HeaderValue {
    header_value(
        format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age={MAX_AGE}", secret.reveal()),
        secure,
    )
}

/// Takes the cookie back.
pub fn no_cookie(secure: bool) -> HeaderValue {
    header_value(format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"), secure)
}

fn header_value(mut text: String, secure: bool) -> HeaderValue {
    if secure {
        text.push_str("; Secure");
    }
    let mut value = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

/// The token that came with a request.
pub fn token_of(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, token)| token)
}

/// Who is signed in, if anyone.
pub async fn who(headers: &HeaderMap, logins: &dyn Logins) -> Result<Option<SignedIn>, StoreError> {
    match token_of(headers) {
        Some(token) => logins.who(token).await,
        None => Ok(None),
    }
}

impl<S: HasLogins + Send + Sync> FromRequestParts<S> for SignedIn {
    type Rejection = ProblemResponse;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ProblemResponse> {
        who(&parts.headers, state.logins().as_ref()).await?.ok_or_else(ProblemResponse::signed_out)
    }
}

impl<S: HasLogins + Send + Sync> OptionalFromRequestParts<S> for SignedIn {
    type Rejection = ProblemResponse;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, ProblemResponse> {
        Ok(who(&parts.headers, state.logins().as_ref()).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_found_among_others_and_kept_from_scripts() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=b; xweir_login=no"));
        headers.append(header::COOKIE, HeaderValue::from_static("weir_login=yes; c=d"));
        assert_eq!(token_of(&headers), Some("yes"));
        let secret = Secret::from_random([1; 32]);
        let value = cookie(&secret, true);
        let text = value.to_str().unwrap();
        assert!(text.contains("HttpOnly") && text.contains("SameSite=Lax") && text.ends_with("; Secure"));
        assert!(!cookie(&secret, false).to_str().unwrap().contains("Secure"));
        assert!(!format!("{value:?}").contains(&secret.reveal()));
    }
}
