//! The compact live API over HTTP.

use super::service::LiveError;
use crate::{
    channel::{routes::whip_url, service::Channels},
    http::{
        extract::{Json, Path},
        login::{self, HasLogins, Logins, SignedIn},
        peer::Peer,
        problem::ProblemResponse,
    },
};
use axum::{
    Json as Answer, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use shared::{
    account::Scope,
    id::BroadcastId,
    live::{LiveStarted, LiveStatus, StartLive},
};
use std::sync::Arc;

#[derive(Clone)]
struct Api {
    channels: Channels,
    logins: Arc<dyn Logins>,
}

impl HasLogins for Api {
    fn logins(&self) -> &Arc<dyn Logins> {
        &self.logins
    }
}

/// `/live/start` and `/live/status/{streamId}`.
pub fn routes(channels: Channels, logins: Arc<dyn Logins>) -> Router {
    Router::new()
        .route("/live/start", post(start))
        .route("/live/status/{id}", get(status))
        .with_state(Api { channels, logins })
}

async fn start(
    State(api): State<Api>,
    who: SignedIn,
    peer: Peer,
    Json(request): Json<StartLive>,
) -> Result<Response, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    let announced = api.channels.announce(&who.actor, request).await?;
    let started = LiveStarted {
        stream_id: announced.id,
        // This server takes no RTMP.
        rtmp_url: None,
        stream_key: announced.secret,
        whip_url: whip_url(&peer.base_url, &announced.channel),
        playback_url: format!("{}/{}", peer.base_url, announced.channel),
    };
    Ok((StatusCode::CREATED, Answer(started)).into_response())
}

async fn status(
    State(api): State<Api>,
    who: Option<SignedIn>,
    Path(id): Path<BroadcastId>,
) -> Result<Answer<LiveStatus>, ProblemResponse> {
    Ok(Answer(api.channels.live_status(login::reader(who.as_ref()), &id).await?))
}

impl From<LiveError> for ProblemResponse {
    fn from(error: LiveError) -> Self {
        match error {
            LiveError::Unknown => Self::new(
                StatusCode::NOT_FOUND,
                "unknown-broadcast",
                "No such broadcast",
                "There is no broadcast with this id. Check how it is written.",
            ),
            LiveError::AlreadyLive => Self::new(
                StatusCode::CONFLICT,
                "already-live",
                "The channel is live already",
                "A broadcast is on, or waits for its publisher. End it first (POST …/channels/{name}/end), or start on another channel.",
            ),
            LiveError::NoChannel => Self::new(
                StatusCode::CONFLICT,
                "no-channel",
                "There is no channel to be live on",
                "This account has no channel. Make one first (POST …/channels).",
            ),
            LiveError::Channel(error) => error.into(),
        }
    }
}
