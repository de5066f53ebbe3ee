//! The cookie in which a browser keeps what lets it into private channels. What it says is the channels' to know.

use super::login;
use axum::http::{HeaderMap, HeaderValue};

/// Its name.
const COOKIE: &str = "weir_passes";
/// What its value begins with, so that it isn't taken for anything else that somebody may show.
const PREFIX: &str = "weir_pass_";

/// The passes that come with a request.
pub fn of(headers: &HeaderMap) -> Option<&str> {
    login::cookie_of(headers, COOKIE).filter(|value| value.starts_with(PREFIX))
}

/// The cookie of these passes, which a browser keeps for so many days. A channel that is private to strangers is so to their
/// pages, too: no other site's page sends it along.
pub fn cookie(passes: &str, days: u32, secure: bool) -> HeaderValue {
    let age = u64::from(days) * 24 * 60 * 60;
    let text = format!("{COOKIE}={passes}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}");
    login::set_cookie(text, secure)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::header;

    #[test]
    fn passes_are_found_among_other_cookies_and_kept_from_scripts() {
        assert_eq!(PREFIX, crate::channel::door::pass::PREFIX);
        let passes = |value: &'static str| {
            let headers = HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_static(value))]);
            of(&headers).map(str::to_owned)
        };
        assert_eq!(passes("weir_login=x; weir_passes=weir_pass_a.b").as_deref(), Some("weir_pass_a.b"));
        assert_eq!(passes("weir_passes=weir_emb_a"), None);
        assert_eq!(passes("weir_login=weir_pass_a"), None);
        let cookie = cookie("weir_pass_a", 1, true);
        let text = cookie.to_str().unwrap();
        assert!(
            text.contains("HttpOnly; SameSite=Lax; Max-Age=86400") && text.ends_with("; Secure"),
            "{text}"
        );
        assert!(!format!("{cookie:?}").contains("weir_pass_a"));
    }
}
