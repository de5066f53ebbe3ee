//! Refuses requests that change something when another site's page sends them.
//!
//! Browsers say where a request comes from; a page can't forge it. A client that says nothing is not a browser,
//! and carries no cookie that it wasn't given on purpose.

use super::{
    extract::{is_json, unsupported_media_type},
    login,
    peer::{Site, is_same_origin},
    problem::ProblemResponse,
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// The check, as a layer on the API.
pub async fn same_origin(State(site): State<Site>, request: Request, next: Next) -> Response {
    match check(request.method(), request.headers(), &site) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

fn check(method: &Method, headers: &HeaderMap, site: &Site) -> Result<(), ProblemResponse> {
    if method.is_safe() || login::is_by_token_alone(headers) {
        return Ok(());
    }
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("null"));
    let is_ours = match (text("sec-fetch-site"), text("origin")) {
        (Some("same-origin" | "none"), _) => true,
        // A proxy that changes `Host` does not change the configured origin.
        (Some(_), Some(origin)) => site.public_url.as_deref() == Some(origin),
        (Some(_), None) => false,
        (None, Some(origin)) => is_same_origin(origin, headers, site),
        (None, None) => true,
    };
    if !is_ours {
        return Err(cross_origin());
    }
    // A form can send no JSON, so this holds even where a browser says nothing.
    if headers.contains_key(header::CONTENT_TYPE) && !is_json(headers) {
        return Err(unsupported_media_type());
    }
    Ok(())
}

/// Another site's page asks.
pub fn cross_origin() -> ProblemResponse {
    ProblemResponse::new(
        StatusCode::FORBIDDEN,
        "cross-origin",
        "Another site's page sent this",
        "Only Weir's own pages may do this. If this is Weir's own page behind a proxy, set http.public_url to its address.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(pairs: &[(&'static str, &'static str)]) -> bool {
        let mut headers: HeaderMap =
            pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        headers.insert("host", "localhost:8080".parse().unwrap());
        let site = Site { public_url: Some("https://tv.example".into()), ..Site::default() };
        assert!(check(&Method::GET, &headers, &site).is_ok(), "reading is open");
        check(&Method::POST, &headers, &site).is_ok()
    }

    #[test]
    fn only_our_own_pages_and_programs_pass() {
        assert!(verdict(&[]));
        assert!(verdict(&[("sec-fetch-site", "same-origin")]));
        assert!(verdict(&[("sec-fetch-site", "none")]));
        let token = ("authorization", "Bearer weir_api_x");
        assert!(verdict(&[("sec-fetch-site", "cross-site"), token]), "no other page could add it");
        assert!(!verdict(&[("sec-fetch-site", "cross-site"), token, ("cookie", "weir_login=c")]));
        assert!(!verdict(&[("sec-fetch-site", "cross-site"), ("authorization", "Bearer eyJ")]));
        assert!(verdict(&[("origin", "http://localhost:8080")]));
        assert!(verdict(&[("sec-fetch-site", "same-site"), ("origin", "https://tv.example")]));
        for bad in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "cross-site"), ("origin", "http://localhost:8080")],
            &[("origin", "null")],
            &[("origin", "https://evil.example")],
            &[("content-type", "text/plain")],
            &[("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "same-origin")],
        ] {
            assert!(!verdict(bad), "{bad:?}");
        }
    }
}
