//! Serves HTTP/1.1 on a listener, and keeps strangers from holding what is meant for everybody: a bounded number of
//! connections, of all and of one network, and a time by which a request's head is there.

use crate::limit::network_of;
use axum::{Router, body::Body, extract::ConnectInfo};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use ipnet::IpNet;
use std::{
    collections::HashMap,
    io::ErrorKind,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::sleep,
};
use tower::ServiceExt;

/// The most connections. Whoever comes beyond is closed at once. Event sockets count only among their own.
const CONNECTIONS_MOST: usize = 16_384;
/// The most of one network. An office, or a provider's customers behind one address, have as many pages open.
const OF_NETWORK_MOST: usize = 4_096;
/// By then a request's head is there; also how long a connection may wait for its next request.
const HEAD_WITHIN: Duration = Duration::from_secs(15);
/// A request's head.
const HEAD_MOST: usize = 64 * 1024;
/// How long to wait when the system has no descriptors left.
const BREATH: Duration = Duration::from_millis(100);

/// How many connections there are, of all and of each network.
#[derive(Debug, Default)]
struct Count {
    all: usize,
    of: HashMap<IpAddr, usize>,
}

/// The connections of all listeners.
#[derive(Debug, Clone, Default)]
pub struct Places {
    count: Arc<Mutex<Count>>,
    proxies: Arc<[IpNet]>,
}

/// One connection's place. Given back when dropped.
#[derive(Debug)]
struct Place {
    places: Places,
    network: Option<IpAddr>,
}

impl Places {
    /// With proxies that speak for everybody behind them.
    pub fn new(proxies: Arc<[IpNet]>) -> Self {
        Self { count: Arc::default(), proxies }
    }

    fn enter(&self, address: IpAddr) -> Option<Place> {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        if count.all >= CONNECTIONS_MOST {
            return None;
        }
        // A proxy, on this machine or beside it or one that is known, speaks for everybody.
        let is_proxy = self.proxies.iter().any(|network| network.contains(&address.to_canonical()));
        let network = (!is_near(address) && !is_proxy).then(|| network_of(address));
        if let Some(network) = network {
            let own = count.of.entry(network).or_default();
            if *own >= OF_NETWORK_MOST {
                return None;
            }
            *own += 1;
        }
        count.all += 1;
        Some(Place { places: self.clone(), network })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut count = self.places.count.lock().unwrap_or_else(PoisonError::into_inner);
        count.all -= 1;
        if let Some(network) = self.network
            && let Some(own) = count.of.get_mut(&network)
        {
            *own -= 1;
            if *own == 0 {
                count.of.remove(&network);
            }
        }
    }
}

/// Whether an address is of this machine or of a private network.
fn is_near(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local(),
    }
}

/// Serves until `stopping` turns true; then answers what is under way, and ends when that is done.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    places: Places,
    mut stopping: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    let of_connections = stopping.clone();
    let mut stop = pin!(told(&mut stopping));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, remote)) => {
                let Some(place) = places.enter(remote.ip()) else {
                    tracing::debug!("a connection was closed at once: there are too many");
                    continue;
                };
                let (router, stopping) = (router.clone(), of_connections.clone());
                connections.spawn(async move {
                    answer(stream, remote, router, stopping).await;
                    drop(place);
                });
            }
            // Whoever it was has gone again.
            Err(error)
                if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset) => {}
            Err(error) => {
                tracing::error!(%error, "a connection could not be accepted");
                sleep(BREATH).await;
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn answer(stream: TcpStream, remote: SocketAddr, router: Router, mut stopping: watch::Receiver<bool>) {
    // Small messages must not wait for each other.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps Nagle's delay");
    }
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(remote));
        router.clone().oneshot(request.map(Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(HEAD_MOST)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = told(&mut stopping) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}

/// Waits until the server stops; if nobody can say so any more, it does.
async fn told(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_network_does_not_take_every_place_and_a_proxy_nearby_may() {
        let places = Places::new([IpNet::from(IpAddr::from([198, 51, 100, 9]))].into());
        let far = |last: u8| IpAddr::from([203, 0, 113, last]);
        let held: Vec<_> = (0..OF_NETWORK_MOST).map(|_| places.enter(far(1)).unwrap()).collect();
        assert!(places.enter(far(1)).is_none());
        assert!(places.enter(far(2)).is_some());
        let known: Vec<_> =
            (0..=OF_NETWORK_MOST).map(|_| places.enter(IpAddr::from([198, 51, 100, 9])).unwrap()).collect();
        let near: Vec<_> = std::iter::from_fn(|| places.enter(IpAddr::from([127, 0, 0, 1]))).collect();
        assert_eq!(near.len() + held.len() + known.len(), CONNECTIONS_MOST);
        assert!(places.enter(far(2)).is_none());
        drop((held, near, known));
        assert!(places.enter(far(1)).is_some());
        let count = places.count.lock().unwrap();
        assert_eq!((count.all, count.of.len()), (0, 0));
    }
}
