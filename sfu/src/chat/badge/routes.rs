//! Pictures for subscribers' badges over HTTP.

use crate::{
    chat::routes::Api,
    http::{
        extract::{Json, Path},
        login::{self, SignedIn},
        problem::ProblemResponse,
    },
};
use axum::{
    Json as Answer,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode},
};
use shared::{
    account::Scope, badge::NewBadge, chat::BadgePicture, emote::EMOTE_BYTES_MOST, id::ChannelName,
    page::Page, subscription::Tier,
};
use utoipa_axum::{router::OpenApiRouter, routes};

/// All of it.
pub(in crate::chat) fn routes() -> OpenApiRouter<Api> {
    // A picture in base64, and the words around it.
    let room = DefaultBodyLimit::max(EMOTE_BYTES_MOST / 3 * 4 + 1024);
    OpenApiRouter::new()
        .routes(routes!(list))
        .merge(OpenApiRouter::new().routes(routes!(set, remove)).layer(room))
}

/// A channel's own pictures for its subscribers' badges
///
/// By tier, all on one page. Of a tier that isn't there the badge is that of every channel.
#[utoipa::path(
    get,
    path = "/channels/{name}/badges",
    operation_id = "listBadges",
    tag = "chat",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    responses(
        (status = 200, body = Page<BadgePicture>, description = "The pictures"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security((), ("login" = []), ("token" = ["read"]), ("embed" = []))
)]
async fn list(
    State(api): State<Api>,
    who: Option<SignedIn>,
    headers: HeaderMap,
    Path(name): Path<ChannelName>,
) -> Result<Answer<Page<BadgePicture>>, ProblemResponse> {
    let items = api.chat.badge_pictures(login::visitor(who.as_ref(), &headers), &name).await?;
    Ok(Answer(Page { items, next: None }))
}

/// Set the picture of a tier's badge
///
/// The server makes a picture of its own, at most 112 pixels a side. One that moves goes on moving.
#[utoipa::path(
    put,
    path = "/channels/{name}/badges/{tier}",
    operation_id = "setBadge",
    tag = "chat",
    params(
        ("name" = ChannelName, Path, description = "The channel's name"),
        ("tier" = Tier, Path, description = "Whose badge"),
    ),
    request_body(content = NewBadge, example = json!({"image": "iVBORw0KGgo…"})),
    responses(
        (status = 200, body = BadgePicture, description = "It is shown from now on, beside what was written before, too"),
        (status = 403, description = "Only the owner and editors may, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
        (status = 422, description = "It is no picture that is taken, or too large"),
        (status = 429, description = "Too often"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn set(
    State(api): State<Api>,
    who: SignedIn,
    Path((name, tier)): Path<(ChannelName, Tier)>,
    Json(request): Json<NewBadge>,
) -> Result<Answer<BadgePicture>, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    Ok(Answer(api.chat.set_badge(&who.actor, &name, tier, &request).await?))
}

/// Take the picture of a tier's badge away
///
/// The badge is that of every channel again.
#[utoipa::path(
    delete,
    path = "/channels/{name}/badges/{tier}",
    operation_id = "removeBadge",
    tag = "chat",
    params(
        ("name" = ChannelName, Path, description = "The channel's name"),
        ("tier" = Tier, Path, description = "Whose badge"),
    ),
    responses(
        (status = 204, description = "It is gone"),
        (status = 403, description = "Only the owner and editors may, or the token lacks the scope"),
        (status = 404, description = "No such channel, or no picture of its own for this tier"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn remove(
    State(api): State<Api>,
    who: SignedIn,
    Path((name, tier)): Path<(ChannelName, Tier)>,
) -> Result<StatusCode, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    api.chat.remove_badge(&who.actor, &name, tier).await?;
    Ok(StatusCode::NO_CONTENT)
}
