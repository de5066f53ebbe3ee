//! Headers that keep pages safe.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use std::sync::Arc;

/// The content security policy of every page: scripts are ours, or one of the inline ones with known hashes. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Policy {
    /// All of it but for who may show the page in a frame.
    rules: Arc<str>,
    page: HeaderValue,
}

const PERMISSIONS: HeaderName = HeaderName::from_static("permissions-policy");
const OPENER: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const EMBEDDER: HeaderName = HeaderName::from_static("cross-origin-embedder-policy");

impl Policy {
    /// For pages whose inline scripts have these hashes.
    pub fn new(script_hashes: &[String]) -> Self {
        let hashes: String = script_hashes.iter().map(|hash| format!(" 'sha256-{hash}'")).collect();
        let rules: Arc<str> = format!(
            "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'{hashes}; connect-src 'self' ws: wss:; \
             img-src 'self' data: blob:; media-src 'self' blob: mediastream:; style-src 'self' 'unsafe-inline'; \
             object-src 'none'; base-uri 'none'; form-action 'self'"
        )
        .into();
        let page = with_ancestors(&rules, "'none'");
        Self { rules, page }
    }

    /// Lets pages show this one in a frame: `ancestors` are the sources of `frame-ancestors`.
    pub fn admit(&self, headers: &mut HeaderMap, ancestors: &str) {
        headers.insert(header::CONTENT_SECURITY_POLICY, with_ancestors(&self.rules, ancestors));
        // The page around grants these by `allow`; the player needs no more of them.
        headers.insert(
            PERMISSIONS,
            HeaderValue::from_static(
                "autoplay=(self), fullscreen=(self), picture-in-picture=(self), camera=(), microphone=(), \
                 display-capture=(), geolocation=(), payment=(), usb=()",
            ),
        );
        headers.insert(OPENER, HeaderValue::from_static("unsafe-none"));
        // So that pages that isolate themselves from other origins can show it too: whatever it loads is ours.
        headers.insert(EMBEDDER, HeaderValue::from_static("require-corp"));
        headers.insert(RESOURCE, HeaderValue::from_static("cross-origin"));
    }
}

/// Lets every site load this response.
pub fn open_to_all(headers: &mut HeaderMap) {
    headers.insert(RESOURCE, HeaderValue::from_static("cross-origin"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
}

/// Sources that no header can hold admit nobody.
fn with_ancestors(rules: &str, ancestors: &str) -> HeaderValue {
    let policy = |ancestors| HeaderValue::from_str(&format!("{rules}; frame-ancestors {ancestors}"));
    policy(ancestors)
        .or_else(|_| policy("'none'"))
        .unwrap_or(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"))
}

/// Adds them to every response that does not have its own.
pub async fn add(State(policy): State<Policy>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: HeaderValue| {
        headers.entry(name).or_insert(value);
    };
    set(header::CONTENT_SECURITY_POLICY, policy.page);
    set(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    set(header::REFERRER_POLICY, HeaderValue::from_static("strict-origin-when-cross-origin"));
    set(
        PERMISSIONS,
        HeaderValue::from_static(
            "camera=(self), microphone=(self), display-capture=(self), geolocation=(), payment=(), usb=()",
        ),
    );
    set(OPENER, HeaderValue::from_static("same-origin"));
    response
}
