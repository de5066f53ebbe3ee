//! What a request's transport tells: where it comes from, by which name it reached us, whether it was encrypted.

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, header, request::Parts},
};
use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

/// How the server is reached, as configured.
#[derive(Debug, Clone, Default)]
pub struct Site {
    /// `http.public_url`: scheme, host and port, without a slash at the end.
    pub public_url: Option<Arc<str>>,
}

/// A request's transport.
#[derive(Debug, Clone)]
pub struct Peer {
    /// The client's address, for counting tries. Never logged, never stored.
    pub address: Option<IpAddr>,
    /// Whether the client's side is encrypted.
    pub secure: bool,
    /// What the client's browser has in its address bar: scheme, host and port.
    pub base_url: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let socket = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let public_url = parts.extensions.get::<Site>().and_then(|site| site.public_url.as_deref());
        Ok(of(socket, &parts.headers, public_url))
    }
}

/// What a proxy says is believed when it runs on this machine; anyone else could make it up.
fn of(socket: Option<IpAddr>, headers: &HeaderMap, public_url: Option<&str>) -> Peer {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_proxied = socket.is_some_and(|address| address.to_canonical().is_loopback());
    let forwarded = || {
        let last = text("x-forwarded-for")?.rsplit(',').next()?;
        last.trim().parse::<IpAddr>().ok()
    };
    let address = if is_proxied { forwarded().or(socket) } else { socket };
    let forwarded_https = is_proxied && text("x-forwarded-proto") == Some("https");
    let host = text(header::HOST.as_str()).filter(|host| is_host(host)).unwrap_or("localhost");
    let base_url = match public_url {
        Some(url) => url.to_owned(),
        None => format!("{}://{host}", if forwarded_https { "https" } else { "http" }),
    };
    Peer { address, secure: base_url.starts_with("https:"), base_url }
}

fn is_host(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b);
    (1..=255).contains(&text.len()) && text.bytes().all(allowed)
}

/// Whether an `Origin` header names the site that the request came to.
pub fn is_same_origin(origin: &str, headers: &HeaderMap, site: &Site) -> bool {
    if site.public_url.as_deref() == Some(origin) {
        return true;
    }
    let authority = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok());
    match (authority, host) {
        (Some(authority), Some(host)) => authority.eq_ignore_ascii_case(host),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_proxy_is_believed_on_this_machine_alone() {
        let said = headers(&[
            ("x-forwarded-for", "6.6.6.6, 198.51.100.7"),
            ("x-forwarded-proto", "https"),
            ("host", "tv.example"),
        ]);
        let near = of(Some("127.0.0.1".parse().unwrap()), &said, None);
        assert_eq!(near.address, Some("198.51.100.7".parse().unwrap()));
        assert_eq!((near.secure, near.base_url.as_str()), (true, "https://tv.example"));
        let far = of(Some("203.0.113.9".parse().unwrap()), &said, None);
        assert_eq!(far.address, Some("203.0.113.9".parse().unwrap()));
        assert_eq!((far.secure, far.base_url.as_str()), (false, "http://tv.example"));
    }

    #[test]
    fn a_hostile_host_reaches_no_link() {
        let peer = of(None, &headers(&[("host", "evil/\"><script>")]), None);
        assert_eq!(peer.base_url, "http://localhost");
        assert_eq!(
            of(None, &headers(&[("host", "x")]), Some("https://tv.example")).base_url,
            "https://tv.example"
        );
    }

    #[test]
    fn an_origin_is_the_same_by_host_and_port() {
        let site = Site { public_url: Some("https://tv.example".into()) };
        let here = headers(&[("host", "localhost:8080")]);
        assert!(is_same_origin("http://localhost:8080", &here, &site));
        assert!(is_same_origin("https://tv.example", &here, &site));
        for other in [
            "null",
            "http://localhost",
            "http://localhost:8081",
            "https://tv.example.evil",
            "file://localhost:8080",
        ] {
            assert!(!is_same_origin(other, &here, &site), "{other}");
        }
    }
}
