//! Raids over HTTP.

use crate::{
    chat::routes::Api,
    http::{
        extract::{Json, Path},
        login::SignedIn,
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
    id::ChannelName,
    raid::{NewRaid, Raid},
};
use utoipa_axum::{router::OpenApiRouter, routes};

/// All of it.
pub(in crate::chat) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(start, end))
}

/// Send those who watch on to another channel
///
/// In 15 seconds, in which it can be called off, and whoever wants to can stay. Both channels have to be live.
#[utoipa::path(
    post,
    path = "/channels/{name}/chat/raid",
    operation_id = "startRaid",
    tag = "chat",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    request_body(content = NewRaid, example = json!({"to": "grace"})),
    responses(
        (status = 201, body = Raid, description = "It leaves soon"),
        (status = 403, description = "Only the owner and editors may, the other channel takes no raids, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
        (status = 409, description = "One of the two isn't live"),
        (status = 422, description = "It is the same channel"),
        (status = 429, description = "Another raid was a moment ago"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn start(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
    Json(request): Json<NewRaid>,
) -> Result<Response, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    let raid = api.chat.start_raid(&who.actor, &name, request).await?;
    Ok((StatusCode::CREATED, Answer(raid)).into_response())
}

/// Call a raid off
#[utoipa::path(
    delete,
    path = "/channels/{name}/chat/raid",
    operation_id = "endRaid",
    tag = "chat",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    responses(
        (status = 204, description = "Everybody stays"),
        (status = 403, description = "Only the owner and editors may, or the token lacks the scope"),
        (status = 404, description = "No raid is about to leave"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn end(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
) -> Result<StatusCode, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    api.chat.end_raid(&who.actor, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
