//! Polls over HTTP.

use crate::{
    chat::routes::{Api, by},
    http::{
        extract::{Json, Path},
        login::SignedIn,
        peer::Peer,
        problem::ProblemResponse,
    },
};
use axum::{
    Json as Answer,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use shared::{
    account::Scope,
    id::{ChannelName, PollId},
    poll::{NewPoll, Poll, Vote, Voted},
};
use utoipa_axum::{router::OpenApiRouter, routes};

/// All of it.
pub(in crate::chat) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(start)).routes(routes!(end)).routes(routes!(vote))
}

/// Begin a poll
///
/// A room has one at a time.
#[utoipa::path(
    post,
    path = "/channels/{name}/chat/polls",
    operation_id = "startPoll",
    tag = "chat",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    request_body(content = NewPoll, example = json!({"question": "What next?", "options": ["Clay", "Stones"], "seconds": 60})),
    responses(
        (status = 201, body = Poll, description = "It is open"),
        (status = 403, description = "Only the owner and moderators may, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
        (status = 409, description = "Another one is open"),
    ),
    security(("login" = []), ("token" = ["chat:moderate"]))
)]
async fn start(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
    Json(request): Json<NewPoll>,
) -> Result<Response, ProblemResponse> {
    who.may(Scope::ChatModerate)?;
    let poll = api.chat.start_poll(&who.actor, &name, request).await?;
    Ok((StatusCode::CREATED, Answer(poll)).into_response())
}

/// End the open poll before its time
#[utoipa::path(
    delete,
    path = "/channels/{name}/chat/polls",
    operation_id = "endPoll",
    tag = "chat",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    responses(
        (status = 200, body = Poll, description = "What came of it"),
        (status = 403, description = "Only the owner and moderators may, or the token lacks the scope"),
        (status = 404, description = "None is open"),
    ),
    security(("login" = []), ("token" = ["chat:moderate"]))
)]
async fn end(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
) -> Result<Answer<Poll>, ProblemResponse> {
    who.may(Scope::ChatModerate)?;
    Ok(Answer(api.chat.end_poll(&who.actor, &name).await?))
}

/// Vote in a poll
///
/// Once a person, and of guests once a network; the first vote stands.
#[utoipa::path(
    post,
    path = "/channels/{name}/chat/polls/{id}/votes",
    operation_id = "votePoll",
    tag = "chat",
    params(("name" = ChannelName, Path, description = "The channel's name"), ("id" = PollId, Path, description = "Which poll")),
    request_body(content = Vote, example = json!({"option": 0})),
    responses(
        (status = 200, body = Voted, description = "The vote that stands; it is on disk"),
        (status = 403, description = "Timed out, banned, no guests here, or the token lacks the scope"),
        (status = 404, description = "No such poll is open"),
    ),
    security(("login" = []), ("guest" = []), ("token" = ["chat:write"]))
)]
async fn vote(
    State(api): State<Api>,
    who: Option<SignedIn>,
    peer: Peer,
    headers: HeaderMap,
    Path((name, id)): Path<(ChannelName, PollId)>,
    Json(request): Json<Vote>,
) -> Result<Answer<Voted>, ProblemResponse> {
    if let Some(who) = &who {
        who.may(Scope::ChatWrite)?;
    }
    Ok(Answer(api.chat.vote(by(&who, &headers, &peer), &name, &id, request).await?))
}
