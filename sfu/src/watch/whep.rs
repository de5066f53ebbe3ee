//! WHEP (draft-ietf-wish-whep): how viewers come in.

use crate::{
    audience::Audience,
    http::{
        extract::{self, Path},
        peer::Peer as RequestPeer,
        problem::ProblemResponse,
    },
    rtc::{
        sdp,
        session::{self, OpenError, Opened, PatchError, Posted, Sessions},
    },
};
use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Query, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::from_fn,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use futures_util::future::BoxFuture;
use serde::Deserialize;
use shared::{
    analytics::VIEW_HEADER,
    id::{AccountId, ChannelId, ChannelName, SessionId, ViewId},
    watch::{ChooseRendition, Playing, PlayoutClock},
};
use std::{net::IpAddr, sync::Arc};

/// A rid has at most 255 characters (RFC 8852), and they are ASCII.
const MOST_NAME_BYTES: usize = 255;

/// Who may watch.
pub trait Gate: Send + Sync + 'static {
    /// The channel of that name, if the one who asks may watch it. `headers` are the request's, as a login or a signed embed
    /// comes in them; `token` is the signed embed of the address.
    fn admit<'a>(
        &'a self,
        channel: &'a ChannelName,
        headers: &'a HeaderMap,
        token: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Option<Ticket>, ProblemResponse>>;
}

/// Somebody may watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// What.
    pub channel: ChannelId,
    /// By a signed embed alone: it ends when that is revoked.
    pub by_embed: bool,
    /// Who is signed in: it ends when they are suspended.
    pub account: Option<AccountId>,
}

/// How somebody comes to watch.
#[derive(Debug, Clone)]
pub enum Arrival {
    /// A page shows the broadcast beside others: nobody is counted as watching.
    Preview,
    /// As a viewer.
    Counted {
        /// The view that it goes on with, if that is one of the broadcast that is on.
        returns_to: Option<ViewId>,
        /// With what it watches, and where.
        audience: Audience,
    },
}

/// Tells what a viewer watches with, and where. The address is looked at and forgotten.
pub trait Classify: Send + Sync + 'static {
    /// From the `User-Agent` and the address that a request comes from.
    fn audience(&self, user_agent: &str, address: Option<IpAddr>) -> Audience;
}

/// Where viewers' sessions live.
pub trait Egress: Sessions {
    /// Answers a viewer's offer, and says which view it counts as; none for a preview.
    fn watch<'a>(
        &'a self,
        ticket: Ticket,
        name: ChannelName,
        arrival: Arrival,
        offer: &'a str,
    ) -> BoxFuture<'a, Result<(Opened, Option<ViewId>), OpenError>>;

    /// The viewer wants a rendition by name, or leaves it to the server.
    fn choose<'a>(
        &'a self,
        id: &'a SessionId,
        wish: ChooseRendition,
    ) -> BoxFuture<'a, Result<(), PatchError>>;

    /// What the viewer gets, and why.
    fn playing<'a>(&'a self, id: &'a SessionId) -> BoxFuture<'a, Result<Playing, PatchError>>;

    /// Ties the session's RTP timestamps to the server's clock; `None` before its first picture.
    fn clock<'a>(&'a self, id: &'a SessionId) -> BoxFuture<'a, Result<Option<PlayoutClock>, PatchError>>;

    /// Whether a viewer's session of that name is on the channel of that name.
    fn is_of(&self, session: &SessionId, name: &ChannelName) -> bool;
}

/// What a page may add to the endpoint's address.
#[derive(Debug, Default, Deserialize)]
struct Options {
    /// It shows the broadcast beside others: nobody is counted as watching.
    preview: Option<String>,
    /// The view that the player had before, and goes on with.
    view: Option<String>,
    /// A signed embed, for players that can send no Bearer.
    token: Option<String>,
}

#[derive(Clone)]
struct Whep {
    gate: Arc<dyn Gate>,
    egress: Arc<dyn Egress>,
    classify: Arc<dyn Classify>,
    links: Arc<[HeaderValue]>,
}

/// With the `Link`s that clients are told: `/whep/{channel}` and `/whep/{channel}/{session}`.
pub fn routes(
    gate: Arc<dyn Gate>,
    egress: Arc<dyn Egress>,
    classify: Arc<dyn Classify>,
    links: Arc<[HeaderValue]>,
) -> Router {
    let endpoint = post(open).options(session::endpoint_options).fallback(session::method_not_allowed);
    let resource = axum::routing::patch(patch)
        .delete(delete)
        .options(session::session_options)
        .fallback(session::method_not_allowed);
    Router::new()
        .route("/whep/{channel}", endpoint)
        .route("/whep/{channel}/{session}", resource)
        .route("/whep/{channel}/{session}/clock", get(clock).options(clock_options))
        .route("/whep/{channel}/{session}/rendition", get(playing).put(choose).options(rendition_options))
        .layer(DefaultBodyLimit::max(sdp::MOST_BYTES))
        .layer(from_fn(session::cors))
        .with_state(Whep { gate, egress, classify, links })
}

async fn open(
    State(whep): State<Whep>,
    Path(channel): Path<String>,
    Query(options): Query<Options>,
    peer: RequestPeer,
    headers: HeaderMap,
    body: Posted,
) -> Result<Response, ProblemResponse> {
    let name: ChannelName = channel.parse().map_err(|_| unknown_channel())?;
    let admitted = || whep.gate.admit(&name, &headers, options.token.as_deref());
    let ticket = admitted().await?.ok_or_else(unknown_channel)?;
    let offer = session::offer_of(&headers, &body)?;
    let path = format!("/whep/{name}");
    let arrival = match options.preview {
        Some(_) => Arrival::Preview,
        None => {
            let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
            let audience = whep.classify.audience(agent.unwrap_or_default(), peer.address);
            Arrival::Counted {
                returns_to: options.view.as_deref().and_then(|view| view.parse().ok()),
                audience,
            }
        }
    };
    let (opened, view) = whep.egress.watch(ticket, name.clone(), arrival, offer).await?;
    // Asked again now that there is a session: one that came while its channel was hidden, or its signed embed revoked, was
    // too late to be let go with the others.
    if let Err(refused) = admitted().await.and_then(|ticket| ticket.ok_or_else(unknown_channel)) {
        whep.egress.let_go(&opened.id);
        return Err(refused);
    }
    let mut response = session::created(&path, &opened, &whep.links);
    if let Some(view) = view.and_then(|view| HeaderValue::from_str(view.as_str()).ok()) {
        response.headers_mut().insert(HeaderName::from_static(VIEW_HEADER), view);
    }
    Ok(response)
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

async fn clock(
    State(whep): State<Whep>,
    Path((channel, id)): Path<(String, String)>,
) -> Result<Response, ProblemResponse> {
    let id = own(&whep, &channel, &id)?;
    let no_store = [(header::CACHE_CONTROL, "no-store")];
    Ok(match whep.egress.clock(&id).await? {
        Some(clock) => (no_store, Json(clock)).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

async fn choose(
    State(whep): State<Whep>,
    Path((channel, id)): Path<(String, String)>,
    extract::Json(wanted): extract::Json<ChooseRendition>,
) -> Result<StatusCode, ProblemResponse> {
    let id = own(&whep, &channel, &id)?;
    // No rendition's name is longer: a longer one is of none.
    let rendition = wanted.rendition.filter(|name| name.len() <= MOST_NAME_BYTES);
    whep.egress.choose(&id, ChooseRendition { rendition, ..wanted }).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn playing(
    State(whep): State<Whep>,
    Path((channel, id)): Path<(String, String)>,
) -> Result<([(HeaderName, &'static str); 1], Json<Playing>), ProblemResponse> {
    let id = own(&whep, &channel, &id)?;
    let playing = whep.egress.playing(&id).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(playing)))
}

async fn clock_options() -> impl IntoResponse {
    (StatusCode::NO_CONTENT, [(header::ALLOW, "OPTIONS, GET")])
}

async fn rendition_options() -> impl IntoResponse {
    (StatusCode::NO_CONTENT, [(header::ALLOW, "OPTIONS, GET, PUT")])
}

/// The name of a viewer's session is its key: 80 random bits that only the one who opened it was told.
fn own(whep: &Whep, channel: &str, id: &str) -> Result<SessionId, ProblemResponse> {
    let unknown = || ProblemResponse::from(PatchError::Unknown);
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
