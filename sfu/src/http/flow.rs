//! The cookie by which a browser is known that was sent elsewhere to sign in, until it is back.

use super::login;
use crate::secret::Secret;
use axum::http::{HeaderMap, HeaderValue};

/// Its name.
const COOKIE: &str = "weir_oidc";
/// It goes nowhere else.
const PATH: &str = "/api/v1/oidc";

/// The secret that comes with a request, if it can be one.
pub fn of(headers: &HeaderMap) -> Option<Secret> {
    login::cookie_of(headers, COOKIE).and_then(Secret::parse)
}

/// Its cookie, for ten minutes. `Lax`, as the browser comes back by a link of another site's.
pub fn cookie(secret: &Secret, secure: bool) -> HeaderValue {
    let text = format!("{COOKIE}={}; Path={PATH}; HttpOnly; SameSite=Lax; Max-Age=600", secret.reveal());
    login::set_cookie(text, secure)
}

/// Takes the cookie back.
pub fn no_cookie(secure: bool) -> HeaderValue {
    login::set_cookie(format!("{COOKIE}=; Path={PATH}; HttpOnly; SameSite=Lax; Max-Age=0"), secure)
}
