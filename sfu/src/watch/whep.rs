//! WHEP (draft-ietf-wish-whep): how viewers come in.

use crate::{
    http::problem::ProblemResponse,
    rtc::{
        sdp,
        session::{self, OpenError, Opened, Posted, Sessions},
    },
};
use axum::{
    Router,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderMap, HeaderValue, StatusCode},
    middleware::from_fn,
    response::{IntoResponse, Response},
    routing::post,
};
use futures_util::future::BoxFuture;
use shared::id::{ChannelId, ChannelName, SessionId};
use std::sync::Arc;

/// Who may watch.
pub trait Gate: Send + Sync + 'static {
    /// The channel of that name, if the one who asks may watch it. `headers` are the request's, as a login comes in them.
    fn admit<'a>(
        &'a self,
        channel: &'a ChannelName,
        headers: &'a HeaderMap,
    ) -> BoxFuture<'a, Result<Option<ChannelId>, ProblemResponse>>;
}

/// Where viewers' sessions live.
pub trait Egress: Sessions {
    /// Answers a viewer's offer.
    fn watch<'a>(
        &'a self,
        channel: ChannelId,
        name: ChannelName,
        offer: &'a str,
    ) -> BoxFuture<'a, Result<Opened, OpenError>>;

    /// Whether a viewer's session of that name is on the channel of that name.
    fn is_of(&self, session: &SessionId, name: &ChannelName) -> bool;
}

#[derive(Clone)]
struct Whep {
    gate: Arc<dyn Gate>,
    egress: Arc<dyn Egress>,
    links: Arc<[HeaderValue]>,
}

/// With the `Link`s that clients are told: `/whep/{channel}` and `/whep/{channel}/{session}`.
pub fn routes(gate: Arc<dyn Gate>, egress: Arc<dyn Egress>, links: Arc<[HeaderValue]>) -> Router {
    let endpoint = post(open).options(session::endpoint_options).fallback(session::method_not_allowed);
    let resource = axum::routing::patch(patch)
        .delete(delete)
        .options(session::session_options)
        .fallback(session::method_not_allowed);
    Router::new()
        .route("/whep/{channel}", endpoint)
        .route("/whep/{channel}/{session}", resource)
        .layer(DefaultBodyLimit::max(sdp::MOST_BYTES))
        .layer(from_fn(session::cors))
        .with_state(Whep { gate, egress, links })
}

async fn open(
    State(whep): State<Whep>,
    Path(channel): Path<String>,
    headers: HeaderMap,
    body: Posted,
) -> Result<Response, ProblemResponse> {
    let name: ChannelName = channel.parse().map_err(|_| unknown_channel())?;
    let id = whep.gate.admit(&name, &headers).await?.ok_or_else(unknown_channel)?;
    let offer = session::offer_of(&headers, &body)?;
    let path = format!("/whep/{name}");
    let opened = whep.egress.watch(id, name, offer).await?;
    Ok(session::created(&path, &opened, &whep.links))
}

async fn patch(
    State(whep): State<Whep>,
    Path((channel, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Posted,
) -> Response {
    match own(&whep, &channel, &id) {
        Ok(id) => session::patch(&*whep.egress, &id, &headers, &body).await,
        Err(problem) => problem.into_response(),
    }
}

async fn delete(State(whep): State<Whep>, Path((channel, id)): Path<(String, String)>) -> Response {
    match own(&whep, &channel, &id) {
        Ok(id) => session::delete(&*whep.egress, &id).await,
        Err(problem) => problem.into_response(),
    }
}

/// The name of a viewer's session is its key: 80 random bits that only the one who opened it was told.
fn own(whep: &Whep, channel: &str, id: &str) -> Result<SessionId, ProblemResponse> {
    let unknown = || ProblemResponse::from(session::PatchError::Unknown);
    let id: SessionId = id.parse().map_err(|_| unknown())?;
    let name: ChannelName = channel.parse().map_err(|_| unknown())?;
    if whep.egress.is_of(&id, &name) { Ok(id) } else { Err(unknown()) }
}

fn unknown_channel() -> ProblemResponse {
    ProblemResponse::new(
        StatusCode::NOT_FOUND,
        "unknown-channel",
        "There is no such channel",
        "Check the address: no channel has this name, or it is private.",
    )
}
