//! `/healthz`: the process is alive. `/readyz`: it can do its work.

use crate::store::Store;
use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, time::timeout};

/// Says why a part of the server is not ready; nothing if it is.
pub type Check = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// What `/readyz` asks.
#[derive(Clone)]
pub struct Readiness {
    /// Must answer.
    pub store: Store,
    /// Must be up.
    pub media: Check,
    /// Turns true when the server is about to stop.
    pub draining: watch::Receiver<bool>,
}

#[derive(Serialize)]
struct Report {
    ready: bool,
    reasons: Vec<String>,
}

/// `GET /healthz`.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: 200, or 503 with the reasons.
pub async fn readyz(State(readiness): State<Readiness>) -> Response {
    let mut reasons = Vec::new();
    if *readiness.draining.borrow() {
        reasons.push("the server is about to stop".to_owned());
    }
    match timeout(Duration::from_secs(2), readiness.store.ping()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => reasons.push(error.to_string()),
        Err(_) => reasons.push("the database did not answer within 2 s".to_owned()),
    }
    if let Err(reason) = (readiness.media)() {
        reasons.push(reason);
    }
    let ready = reasons.is_empty();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(header::CACHE_CONTROL, "no-store")], Json(Report { ready, reasons })).into_response()
}
