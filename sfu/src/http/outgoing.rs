//! Requests that the server makes to addresses that people gave it: only to what the public internet is, unless whoever runs
//! the server allows more. Each goes to the very address that was looked at, so that no name changes its mind in between, and
//! no redirect is followed.

use hyper::{
    Method, Request,
    body::Incoming,
    header::{HeaderName, HeaderValue, RETRY_AFTER},
};
use hyper_util::rt::TokioIo;
use ipnet::IpNet;
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::TlsConnector;
use url::{Host, Url};

/// All of one request takes at most this long.
const MOST: Duration = Duration::from_secs(10);
/// Of it, how long each address of a name is tried.
const CONNECT: Duration = Duration::from_secs(3);
/// No address is longer.
const URL_MOST: usize = 2048;

/// Networks that people have at home and at work.
const INSIDE: &[&str] =
    &["10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7"];

/// Why a request was not made, or has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutgoingError {
    /// Not an address that is called.
    #[error("the address must begin with https:// and name a host")]
    Address,
    /// Nothing on the public internet.
    #[error("the address is not on the public internet")]
    Private,
    /// The name is nobody's.
    #[error("the host's name is not known")]
    Unknown,
    /// Nobody is there.
    #[error("the host can't be reached")]
    Unreachable,
    /// What is there isn't whom it says it is.
    #[error("the host could not prove who it is")]
    Tls,
    /// It took too long.
    #[error("the host took too long to answer")]
    Slow,
    /// What came back is no answer.
    #[error("the host's answer could not be understood")]
    Answer,
}

/// A body may be this long, where one is read.
const BODY_MOST: usize = 256 * 1024;
/// All of a request whose body is read takes at most this long: somebody waits for it.
const FETCH_MOST: Duration = Duration::from_secs(5);

/// What came back, with its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// What came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// After how many seconds it is worth trying again, if it says so.
    pub retry_after: Option<u64>,
}

/// Makes requests; cheap to clone.
#[derive(Clone)]
pub struct Outgoing {
    allowed: Arc<[IpNet]>,
    tls: TlsConnector,
}

impl Outgoing {
    /// One that reaches these networks, too, though they aren't public; there also without TLS.
    pub fn new(allowed: Arc<[IpNet]>) -> Self {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap_or_else(|_| unreachable!("the provider has TLS 1.2 and 1.3"))
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { allowed, tls: TlsConnector::from(Arc::new(config)) }
    }

    /// One for an address that whoever runs the server set, which may be inside their own network.
    pub fn inside() -> Self {
        Self::new(INSIDE.iter().filter_map(|network| network.parse().ok()).collect())
    }

    /// Whether an address may be called at all, as far as can be told without asking for its name.
    pub fn check(&self, address: &str) -> Result<Url, OutgoingError> {
        let url = Url::parse(address).map_err(|_| OutgoingError::Address)?;
        let fits = address.len() <= URL_MOST && url.username().is_empty() && url.password().is_none();
        if !fits || !matches!(url.scheme(), "https" | "http") {
            return Err(OutgoingError::Address);
        }
        let literal = match url.host().ok_or(OutgoingError::Address)? {
            Host::Ipv4(address) => Some(IpAddr::V4(address)),
            Host::Ipv6(address) => Some(IpAddr::V6(address)),
            Host::Domain(_) => None,
        };
        if literal.is_some_and(|address| !self.reaches(address)) {
            return Err(OutgoingError::Private);
        }
        // Without TLS only to where no stranger is in between.
        if url.scheme() == "http" && literal.is_some_and(is_public) {
            return Err(OutgoingError::Address);
        }
        Ok(url)
    }

    fn reaches(&self, address: IpAddr) -> bool {
        is_public(address) || self.is_allowed(address)
    }

    fn is_allowed(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.allowed.iter().any(|network| network.contains(&address))
    }

    /// Posts a body; what was answered.
    pub async fn post(
        &self,
        address: &str,
        headers: Vec<(HeaderName, HeaderValue)>,
        body: Vec<u8>,
    ) -> Result<Reply, OutgoingError> {
        let url = self.check(address)?;
        let send = async {
            let stream = self.connect(&url).await?;
            // What it says beyond its head is of no interest.
            let (answer, _connection) = exchange(stream, &url, headers, Some(body)).await?;
            let retry_after =
                answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            Ok(Reply { status: answer.status().as_u16(), retry_after })
        };
        timeout(MOST, send).await.map_err(|_| OutgoingError::Slow)?
    }

    /// Gets what is there, or posts a body; what was answered, if it is not long.
    pub async fn fetch(
        &self,
        address: &str,
        headers: Vec<(HeaderName, HeaderValue)>,
        body: Option<Vec<u8>>,
    ) -> Result<Fetched, OutgoingError> {
        let url = self.check(address)?;
        let fetch = async {
            let stream = self.connect(&url).await?;
            let (answer, _connection) = exchange(stream, &url, headers, body).await?;
            let status = answer.status().as_u16();
            let body = axum::body::to_bytes(axum::body::Body::new(answer.into_body()), BODY_MOST).await;
            Ok(Fetched { status, body: body.map_err(|_| OutgoingError::Answer)?.to_vec() })
        };
        timeout(FETCH_MOST, fetch).await.map_err(|_| OutgoingError::Slow)?
    }

    /// Whether all that a name led to may be called. It is asked with the very addresses that are then connected to, each time
    /// anew: a name that leads elsewhere by the next try, or between the question and the call, gains nothing.
    fn may_connect(&self, found: &[SocketAddr], is_plain: bool) -> Result<(), OutgoingError> {
        if found.is_empty() {
            return Err(OutgoingError::Unknown);
        }
        // One private address among public ones is no accident.
        if found.iter().any(|address| !self.reaches(address.ip())) {
            return Err(OutgoingError::Private);
        }
        if is_plain && found.iter().any(|address| !self.is_allowed(address.ip())) {
            return Err(OutgoingError::Address);
        }
        Ok(())
    }

    async fn connect(&self, url: &Url) -> Result<Box<dyn Stream>, OutgoingError> {
        let port = url.port_or_known_default().ok_or(OutgoingError::Address)?;
        let host = url.host_str().ok_or(OutgoingError::Address)?.trim_matches(['[', ']']).to_owned();
        let found = lookup_host((host.as_str(), port)).await.map_err(|_| OutgoingError::Unknown)?;
        let found: Vec<SocketAddr> = found.collect();
        let is_plain = url.scheme() == "http";
        self.may_connect(&found, is_plain)?;
        let mut stream = Err(OutgoingError::Unreachable);
        for address in found {
            // One that doesn't answer leaves time for the next.
            if let Ok(Ok(connected)) = timeout(CONNECT, TcpStream::connect(address)).await {
                stream = Ok(connected);
                break;
            }
        }
        let stream = stream?;
        if is_plain {
            return Ok(Box::new(stream));
        }
        let name = ServerName::try_from(host).map_err(|_| OutgoingError::Address)?;
        let stream = self.tls.connect(name, stream).await.map_err(|_| OutgoingError::Tls)?;
        Ok(Box::new(stream))
    }
}

/// A connection, with TLS or without.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Sends a request, a `POST` if there is a body. The connection lasts for as long as the second part is kept.
async fn exchange(
    stream: Box<dyn Stream>,
    url: &Url,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Option<Vec<u8>>,
) -> Result<(hyper::Response<Incoming>, JoinSet<hyper::Result<()>>), OutgoingError> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|_| OutgoingError::Answer)?;
    // Ends with whoever waits for the answer.
    let mut running = JoinSet::new();
    running.spawn(connection);
    let target = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let authority = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let method = if body.is_some() { Method::POST } else { Method::GET };
    let mut request = Request::builder()
        .method(method)
        .uri(target)
        .header(hyper::header::HOST, authority)
        .header(hyper::header::USER_AGENT, concat!("Weir/", env!("CARGO_PKG_VERSION")))
        .header(hyper::header::CONNECTION, "close");
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let body = axum::body::Body::from(body.unwrap_or_default());
    let request = request.body(body).map_err(|_| OutgoingError::Address)?;
    let answer = sender.send_request(request).await.map_err(|_| OutgoingError::Answer)?;
    Ok((answer, running))
}

/// Whether an address is one of the public internet's, however it is written.
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(matches!(a, 0 | 10 | 127 | 224..)
        || (a == 100 && (64..128).contains(&b))
        || (a == 169 && b == 254)
        || (a == 172 && (16..32).contains(&b))
        || (a == 192 && (b == 168 || (b == 0 && matches!(c, 0 | 2)) || (b, c) == (88, 99)))
        || (a == 198 && (matches!(b, 18 | 19) || (b, c) == (51, 100)))
        || (a, b, c) == (203, 0, 113))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let [a, b, ..] = segments;
    let inside = |high: u16, low: u16| {
        let [x, y] = high.to_be_bytes();
        let [z, w] = low.to_be_bytes();
        is_public_v4(Ipv4Addr::new(x, y, z, w))
    };
    match (a, b) {
        // NAT64 and 6to4 lead to an IPv4 address.
        (0x64, 0xff9b) => segments[2..6] == [0; 4] && inside(segments[6], segments[7]),
        (0x2002, _) => inside(segments[1], segments[2]),
        // Teredo, documentation, benchmarking, and addresses that are keys.
        (0x2001, 0..=0x1ff | 0xdb8) | (0x3fff, 0..=0xfff) => false,
        // What is given out to the internet is 2000::/3, and nothing else.
        _ => (0x2000..0x4000).contains(&a),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_the_public_internet_is_known_however_it_is_written() {
        for private in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "2001:0:1:2::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:a00:1::",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "4000::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in [
            "1.1.1.1",
            "9.255.255.255",
            "100.63.255.255",
            "172.32.0.1",
            "192.0.1.1",
            "223.255.255.255",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
            "2002:101:101::1",
            "2606:4700:4700::1111",
            "2a00:1450::1",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn addresses_that_are_never_called_are_refused_at_once() {
        let outgoing = Outgoing::new([].into());
        for bad in [
            "",
            "example.com",
            "ftp://example.com/",
            "file:///etc/passwd",
            "https://",
            "https://user:password@example.com/",
            "https://user@example.com/",
            "http://93.184.215.14/",
            &format!("https://example.com/{}", "a".repeat(URL_MOST)),
        ] {
            assert_eq!(outgoing.check(bad), Err(OutgoingError::Address), "{bad:.60}");
        }
        for private in [
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://127.1/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://169.254.169.254/latest/meta-data/",
            "http://10.0.0.1/",
        ] {
            assert_eq!(outgoing.check(private), Err(OutgoingError::Private), "{private}");
        }
        assert!(outgoing.check("https://push.example.com/send/x?y=z").is_ok());
        let inside = Outgoing::new(["127.0.0.0/8".parse().unwrap()].into());
        assert!(inside.check("http://127.0.0.1:8080/hook").is_ok());
        assert!(inside.check("http://[::ffff:127.0.0.1]:8080/hook").is_ok());
        assert_eq!(inside.check("http://10.0.0.1/"), Err(OutgoingError::Private));
    }

    #[test]
    fn a_name_that_leads_elsewhere_by_the_next_try_is_judged_anew() {
        let outgoing = Outgoing::new(["10.7.0.0/16".parse().unwrap()].into());
        let found = |all: &[&str]| {
            all.iter().map(|one| SocketAddr::new(one.parse().unwrap(), 443)).collect::<Vec<_>>()
        };
        for (all, is_plain, wanted) in [
            (&["1.1.1.1"][..], false, Ok(())),
            (&["127.0.0.1"], false, Err(OutgoingError::Private)),
            (&["1.1.1.1", "127.0.0.1"], false, Err(OutgoingError::Private)),
            (&["1.1.1.1", "::ffff:169.254.169.254"], false, Err(OutgoingError::Private)),
            (&["2606:4700:4700::1111", "fd00::1"], false, Err(OutgoingError::Private)),
            (&["64:ff9b::7f00:1"], false, Err(OutgoingError::Private)),
            (&["10.7.1.1"], true, Ok(())),
            (&["::ffff:10.7.1.1"], true, Ok(())),
            (&["10.7.1.1", "1.1.1.1"], true, Err(OutgoingError::Address)),
            (&["10.8.1.1"], true, Err(OutgoingError::Private)),
            (&[], false, Err(OutgoingError::Unknown)),
        ] {
            assert_eq!(outgoing.may_connect(&found(all), is_plain), wanted, "{all:?}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_refused_when_it_is_called() {
        let outgoing = Outgoing::new([].into());
        let refused = outgoing.post("https://localhost:9/", Vec::new(), Vec::new()).await;
        assert_eq!(refused, Err(OutgoingError::Private));
    }
}
