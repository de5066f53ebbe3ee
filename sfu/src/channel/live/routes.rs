//! The compact live API over HTTP.

use super::{Figures, service::LiveError};
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
    Json as Answer,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use shared::{
    account::Scope,
    id::BroadcastId,
    live::{LiveAnalytics, LiveStarted, LiveStatus, StartLive},
};
use std::{collections::BTreeMap, sync::Arc};
use utoipa_axum::{router::OpenApiRouter, routes};

#[derive(Clone)]
struct Api {
    channels: Channels,
    figures: Arc<dyn Figures>,
    logins: Arc<dyn Logins>,
}

impl HasLogins for Api {
    fn logins(&self) -> &Arc<dyn Logins> {
        &self.logins
    }
}

/// `/live/start`, `/live/status/{streamId}` and `/live/analytics/{streamId}`.
pub fn routes(channels: Channels, figures: Arc<dyn Figures>, logins: Arc<dyn Logins>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(start))
        .routes(routes!(status))
        .routes(routes!(analytics))
        .with_state(Api { channels, figures, logins })
}

/// Make a channel ready for a broadcast
///
/// Sets its title, description and visibility, reserves the id of the broadcast that begins with its next media, and makes a
/// secret to publish that with. The channel's lasting stream key stays as it is. `rtmpUrl` is null on servers that take no
/// RTMP, as this one.
#[utoipa::path(
    post,
    path = "/live/start",
    operation_id = "startLive",
    tag = "live",
    request_body(content = StartLive, example = json!({"title": "Evening", "description": "With guests", "visibility": "PUBLIC", "quality": "1080p"})),
    responses(
        (status = 201, body = LiveStarted, description = "Where to publish, and where to watch"),
        (status = 403, description = "Somebody else's channel, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
        (status = 409, description = "The channel is live already, or the account has none"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
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

/// How a broadcast stands
#[utoipa::path(
    get,
    path = "/live/status/{streamId}",
    operation_id = "readLiveStatus",
    tag = "live",
    params(("streamId" = BroadcastId, Path, description = "Which broadcast")),
    responses(
        (status = 200, body = LiveStatus, description = "Ready, live or over"),
        (status = 404, description = "No such broadcast, as far as the one who asks may know"),
    ),
    security((), ("login" = []), ("token" = ["read"]))
)]
async fn status(
    State(api): State<Api>,
    who: Option<SignedIn>,
    Path(id): Path<BroadcastId>,
) -> Result<Answer<LiveStatus>, ProblemResponse> {
    Ok(Answer(api.channels.live_status(login::reader(who.as_ref()), &id).await?))
}

/// Who watched a broadcast, in short
///
/// For the channel's owner. `/broadcasts/{id}/analytics` tells all of it.
#[utoipa::path(
    get,
    path = "/live/analytics/{streamId}",
    operation_id = "readLiveAnalytics",
    tag = "live",
    params(("streamId" = BroadcastId, Path, description = "Which broadcast")),
    responses(
        (status = 200, body = LiveAnalytics, description = "The figures; nothing but zeros before it begins"),
        (status = 403, description = "Somebody else's channel, or the token lacks the scope"),
        (status = 404, description = "No such broadcast, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["read"]))
)]
async fn analytics(
    State(api): State<Api>,
    who: SignedIn,
    Path(id): Path<BroadcastId>,
) -> Result<Answer<LiveAnalytics>, ProblemResponse> {
    api.channels.own_broadcast(&who.actor, &id).await?;
    let figures = api.figures.of(&who.actor, &id).await?;
    Ok(Answer(figures.unwrap_or_else(|| LiveAnalytics {
        stream_id: id,
        peak_viewers: 0,
        total_views: 0,
        average_watch_time: 0.0,
        top_regions: Vec::new(),
        device_types: BTreeMap::new(),
    })))
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
