//! What a request's transport tells: where it comes from, by which name it reached us, whether it was encrypted.

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, header, request::Parts},
};
use ipnet::IpNet;
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
    /// Proxies that are believed, besides those on this machine.
    pub trusted_proxies: Arc<[IpNet]>,
    /// Whether the record of what is done keeps, for a while, from where.
    pub keeps_addresses: bool,
}

impl Site {
    /// Whether a proxy at this address is believed.
    fn trusts(&self, address: IpAddr) -> bool {
        // An IPv4 client of a socket for both shows as an IPv6 address.
        let address = address.to_canonical();
        address.is_loopback() || self.trusted_proxies.iter().any(|network| network.contains(&address))
    }
}

/// A request's transport.
#[derive(Debug, Clone)]
pub struct Peer {
    /// The client's address, for counting tries. Never logged; stored by [`kept_address`] alone, where the instance keeps it.
    pub address: Option<IpAddr>,
    /// The same, where the instance keeps it.
    pub kept_address: Option<IpAddr>,
    /// Whether the client's side is encrypted.
    pub secure: bool,
    /// What the client's browser has in its address bar: scheme, host and port.
    pub base_url: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let socket = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let site = parts.extensions.get::<Site>().cloned().unwrap_or_default();
        Ok(of(socket, &parts.headers, &site))
    }
}

/// [`kept_address`], for handlers that need no login.
#[derive(Debug, Clone, Copy)]
pub struct KeptAddress(pub Option<IpAddr>);

impl<S: Send + Sync> FromRequestParts<S> for KeptAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(kept_address(parts)))
    }
}

/// From where a request comes, where the instance keeps that.
pub fn kept_address(parts: &Parts) -> Option<IpAddr> {
    let site = parts.extensions.get::<Site>().filter(|site| site.keeps_addresses)?;
    let socket = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    of(socket, &parts.headers, site).address
}

/// What a proxy says is believed when it runs on this machine or is known; anyone else could make it up.
fn of(socket: Option<IpAddr>, headers: &HeaderMap, site: &Site) -> Peer {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_proxied = socket.is_some_and(|address| site.trusts(address));
    let address = if is_proxied { forwarded(headers, site).or(socket) } else { socket };
    let forwarded_https = is_proxied && text("x-forwarded-proto") == Some("https");
    let host = text(header::HOST.as_str()).filter(|host| is_host(host)).unwrap_or("localhost");
    let base_url = match site.public_url.as_deref() {
        Some(url) => url.to_owned(),
        None => format!("{}://{host}", if forwarded_https { "https" } else { "http" }),
    };
    let kept_address = address.filter(|_| site.keeps_addresses);
    Peer { address, kept_address, secure: base_url.starts_with("https:"), base_url }
}

/// Who came to the first proxy that is believed. Each adds at the end where it was asked from, so that only what stands behind
/// the last stranger was written by one of ours.
fn forwarded(headers: &HeaderMap, site: &Site) -> Option<IpAddr> {
    let values = headers.get_all("x-forwarded-for").into_iter().rev();
    let texts = values.map_while(|value| value.to_str().ok()).flat_map(|text| text.rsplit(','));
    let mut nearest = None;
    for text in texts {
        let Ok(address) = text.trim().parse::<IpAddr>() else { break };
        nearest = Some(address);
        if !site.trusts(address) {
            break;
        }
    }
    nearest
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
        let site = Site::default();
        let near = of(Some("127.0.0.1".parse().unwrap()), &said, &site);
        assert_eq!(near.address, Some("198.51.100.7".parse().unwrap()));
        assert_eq!((near.secure, near.base_url.as_str()), (true, "https://tv.example"));
        let far = of(Some("203.0.113.9".parse().unwrap()), &said, &site);
        assert_eq!(far.address, Some("203.0.113.9".parse().unwrap()));
        assert_eq!((far.secure, far.base_url.as_str()), (false, "http://tv.example"));
    }

    #[test]
    fn known_proxies_are_believed_one_behind_the_other_and_nobody_else() {
        let networks = ["10.0.0.0/8", "2001:db8:1::/48", "192.0.2.7/32"].map(|text| text.parse().unwrap());
        let site = Site { trusted_proxies: networks.into(), ..Site::default() };
        let address = |socket: &str, said: &[&str]| {
            let said: Vec<_> = said.iter().map(|text| ("x-forwarded-for", *text)).collect();
            let mut all = HeaderMap::new();
            for (name, value) in said {
                all.append(name, value.parse().unwrap());
            }
            of(Some(socket.parse().unwrap()), &all, &site).address.unwrap().to_string()
        };
        assert_eq!(address("10.1.2.3", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(address("::ffff:10.1.2.3", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(address("2001:db8:1::9", &["2001:db8:2::1"]), "2001:db8:2::1");
        assert_eq!(address("10.1.2.3", &["6.6.6.6, 198.51.100.7, 192.0.2.7, 10.9.9.9"]), "198.51.100.7");
        assert_eq!(address("10.1.2.3", &["6.6.6.6, 198.51.100.7", "192.0.2.7"]), "198.51.100.7");
        assert_eq!(address("127.0.0.1", &["198.51.100.7, 10.9.9.9"]), "198.51.100.7");
        assert_eq!(address("10.1.2.3", &["10.4.4.4, 10.5.5.5"]), "10.4.4.4", "somebody inside");
        assert_eq!(
            address("10.1.2.3", &["6.6.6.6, nonsense, 10.5.5.5"]),
            "10.5.5.5",
            "no further than it is readable"
        );
        assert_eq!(address("10.1.2.3", &["nonsense"]), "10.1.2.3");
        assert_eq!(address("10.1.2.3", &[]), "10.1.2.3");
        for stranger in ["11.0.0.1", "192.0.2.8", "2001:db8:3::1"] {
            assert_eq!(address(stranger, &["6.6.6.6"]), stranger);
        }
    }

    #[test]
    fn a_hostile_host_reaches_no_link() {
        let peer = of(None, &headers(&[("host", "evil/\"><script>")]), &Site::default());
        assert_eq!(peer.base_url, "http://localhost");
        let site = Site { public_url: Some("https://tv.example".into()), ..Site::default() };
        assert_eq!(of(None, &headers(&[("host", "x")]), &site).base_url, "https://tv.example");
    }

    #[test]
    fn an_origin_is_the_same_by_host_and_port() {
        let site = Site { public_url: Some("https://tv.example".into()), ..Site::default() };
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
