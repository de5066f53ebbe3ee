//! Metrics in Prometheus' text format. Every part of the server registers its own in the one registry.

use crate::http::problem::ProblemResponse;
use axum::{
    extract::{MatchedPath, Request, State},
    http::header,
    middleware::Next,
    response::{IntoResponse, Response},
};
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::Registry,
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};
use tracing::Instrument;

/// The one registry; cheap to clone.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
    requests: Family<RequestLabels, Counter>,
    seconds: Family<RouteLabels, Histogram, fn() -> Histogram>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: String,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

fn seconds() -> Histogram {
    Histogram::new([0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0])
}

impl Metrics {
    /// With what the process says of itself; `started` in seconds since 1970.
    pub fn new(started: i64) -> Self {
        let mut registry = Registry::with_prefix("weir");
        registry.register(
            "build",
            "The version that runs",
            Info::new([("version", env!("CARGO_PKG_VERSION"))]),
        );
        let start = Gauge::<i64>::default();
        start.set(started);
        registry.register("start_time_seconds", "When the process started, in seconds since 1970", start);
        let requests = Family::<RequestLabels, Counter>::default();
        registry.register("http_requests", "HTTP requests that were answered", requests.clone());
        let seconds = Family::<RouteLabels, Histogram, fn() -> Histogram>::new_with_constructor(seconds);
        registry.register("http_request_seconds", "How long answers took", seconds.clone());
        Self { registry: Arc::new(Mutex::new(registry)), requests, seconds }
    }

    /// Registers more.
    pub fn register(&self, work: impl FnOnce(&mut Registry)) {
        work(&mut self.registry.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn text(&self) -> Result<String, std::fmt::Error> {
        let mut out = String::new();
        text::encode(&mut out, &self.registry.lock().unwrap_or_else(PoisonError::into_inner))?;
        Ok(out)
    }
}

/// `GET /metrics`.
pub async fn serve(State(metrics): State<Metrics>) -> Result<Response, ProblemResponse> {
    let text = metrics.text().map_err(|error| ProblemResponse::internal(&error))?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store")], text).into_response())
}

/// Counts and logs each request by its route, which has no name, key or address in it.
pub async fn observe(State(metrics): State<Metrics>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("page", MatchedPath::as_str).to_owned();
    // Methods are an open set: a client must not make labels at will.
    let method = match request.method().as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS") => known.to_owned(),
        _ => "other".to_owned(),
    };
    let span = tracing::info_span!("request", method, route);
    let began = Instant::now();
    let response = next.run(request).instrument(span.clone()).await;
    let took = began.elapsed();
    let status = response.status().as_u16();
    span.in_scope(|| tracing::debug!(status, ms = took.as_millis() as u64, "answered"));
    metrics.seconds.get_or_create(&RouteLabels { route: route.clone() }).observe(took.as_secs_f64());
    metrics.requests.get_or_create(&RequestLabels { method, route, status }).inc();
    response
}
