//! Appeals over HTTP.

use crate::{
    chat::routes::Api,
    http::{
        extract::{Json, Paging, Path},
        login::SignedIn,
        problem::ProblemResponse,
    },
    page::Place,
};
use axum::{
    Json as Answer,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use shared::{
    account::Scope,
    appeal::{Appeal, AppealDecided, Appealing, DecideAppeal, NewAppeal},
    id::{AppealId, ChannelName},
    page::{Page, PageQuery},
};
use utoipa_axum::{router::OpenApiRouter, routes};

/// All of it.
pub(in crate::chat) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(own, make)).routes(routes!(list)).routes(routes!(decide))
}

/// One's own appeal
///
/// What the one who asks can appeal against here, and the appeal that they made.
#[utoipa::path(
    get,
    path = "/channels/{name}/chat/appeal",
    operation_id = "readAppeal",
    tag = "chat",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    responses(
        (status = 200, body = Appealing, description = "What holds, and what was said against it"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["read"]))
)]
async fn own(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
) -> Result<Answer<Appealing>, ProblemResponse> {
    Ok(Answer(api.chat.appealing(&who.actor, &name).await?))
}

/// Appeal against a ban or a time-out
///
/// Once for each ban, and for each time-out of more than ten minutes. Moderators decide.
#[utoipa::path(
    post,
    path = "/channels/{name}/chat/appeal",
    operation_id = "makeAppeal",
    tag = "chat",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    request_body(content = NewAppeal, example = json!({"text": "That was a quote, and not meant for you."})),
    responses(
        (status = 201, body = Appealing, description = "It waits for the moderators"),
        (status = 403, description = "The token lacks the scope"),
        (status = 404, description = "No such channel, or neither banned nor timed out for long there"),
        (status = 409, description = "They appealed against that already"),
        (status = 422, description = "It says nothing, or has more than 500 characters"),
        (status = 429, description = "Many appeals at once; `retryAfter` says when"),
    ),
    security(("login" = []), ("token" = ["chat:write"]))
)]
async fn make(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
    Json(request): Json<NewAppeal>,
) -> Result<Response, ProblemResponse> {
    who.may(Scope::ChatWrite)?;
    let appealing = api.chat.appeal(&who.actor, &name, request).await?;
    Ok((StatusCode::CREATED, Answer(appealing)).into_response())
}

/// Appeals that wait for a moderator
///
/// Oldest first. One against what holds no more waits no more.
#[utoipa::path(
    get,
    path = "/channels/{name}/chat/appeals",
    operation_id = "listAppeals",
    tag = "chat",
    params(("name" = ChannelName, Path, description = "The channel's name"), PageQuery),
    responses(
        (status = 200, body = Page<Appeal>, description = "A page of appeals"),
        (status = 400, description = "The cursor or the limit can't be taken"),
        (status = 403, description = "Only the owner and moderators may, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["read"]))
)]
async fn list(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
    Paging(wanted): Paging,
) -> Result<Answer<Page<Appeal>>, ProblemResponse> {
    let rows = api.chat.appeals(&who.actor, &name, &wanted).await?;
    Ok(Answer(wanted.page(rows, |appeal| Place { at: appeal.at.as_millis(), id: appeal.id.to_string() })))
}

/// Accept an appeal, or decline it
///
/// To accept it lifts the ban or time-out. The person is told the answer, and not whose it is.
#[utoipa::path(
    post,
    path = "/channels/{name}/chat/appeals/{id}",
    operation_id = "decideAppeal",
    tag = "chat",
    params(("name" = ChannelName, Path, description = "The channel's name"), ("id" = AppealId, Path, description = "Which appeal")),
    request_body(content = DecideAppeal, example = json!({"accept": true, "answer": "We took it for something else."})),
    responses(
        (status = 200, body = AppealDecided, description = "It is decided"),
        (status = 403, description = "Only the owner and moderators may, nobody about their own, or the token lacks the scope"),
        (status = 404, description = "No such appeal"),
        (status = 409, description = "Another moderator was first, or what it was against holds no more"),
        (status = 422, description = "The answer has more than 500 characters"),
    ),
    security(("login" = []), ("token" = ["chat:moderate"]))
)]
async fn decide(
    State(api): State<Api>,
    who: SignedIn,
    Path((name, id)): Path<(ChannelName, AppealId)>,
    Json(request): Json<DecideAppeal>,
) -> Result<Answer<AppealDecided>, ProblemResponse> {
    who.may(Scope::ChatModerate)?;
    Ok(Answer(api.chat.decide_appeal(&who.actor, &name, &id, request).await?))
}
