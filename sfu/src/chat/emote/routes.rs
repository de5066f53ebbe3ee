//! A channel's own emotes over HTTP.

use crate::{
    chat::routes::Api,
    http::{
        extract::{Json, Paging, Path},
        login::{self, SignedIn},
        problem::ProblemResponse,
    },
    page::Place,
};
use axum::{
    Json as Answer,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode},
};
use shared::{
    account::Scope,
    emote::{ChannelEmote, EMOTE_BYTES_MOST, EmoteName, NewEmote, SetEmoteTier},
    id::ChannelName,
    page::{Page, PageQuery},
};
use utoipa_axum::{router::OpenApiRouter, routes};

/// All of it.
pub(in crate::chat) fn routes() -> OpenApiRouter<Api> {
    // A picture in base64, and the words around it.
    let room = DefaultBodyLimit::max(EMOTE_BYTES_MOST / 3 * 4 + 1024);
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(set_tier))
        .merge(OpenApiRouter::new().routes(routes!(set, remove)).layer(room))
}

/// A channel's own emotes
///
/// By name. Those that every channel has are in its chat room.
#[utoipa::path(
    get,
    path = "/channels/{name}/emotes",
    operation_id = "listEmotes",
    tag = "chat",
    params(("name" = ChannelName, Path, description = "The channel's name"), PageQuery),
    responses(
        (status = 200, body = Page<ChannelEmote>, description = "A page of emotes"),
        (status = 400, description = "The cursor or the limit can't be taken"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security((), ("login" = []), ("token" = ["read"]), ("embed" = []))
)]
async fn list(
    State(api): State<Api>,
    who: Option<SignedIn>,
    headers: HeaderMap,
    Path(name): Path<ChannelName>,
    Paging(wanted): Paging,
) -> Result<Answer<Page<ChannelEmote>>, ProblemResponse> {
    let rows = api.chat.emotes(login::visitor(who.as_ref(), &headers), &name, &wanted).await?;
    Ok(Answer(wanted.page(rows, |emote| Place { at: 0, id: emote.name.to_string() })))
}

/// Add an emote, or change its picture
///
/// The server makes a picture of its own, at most 112 pixels a side. One that moves goes on moving.
#[utoipa::path(
    put,
    path = "/channels/{name}/emotes/{emote}",
    operation_id = "setEmote",
    tag = "chat",
    params(
        ("name" = ChannelName, Path, description = "The channel's name"),
        ("emote" = EmoteName, Path, description = "What is typed, without the colons"),
    ),
    request_body(content = NewEmote, example = json!({"image": "iVBORw0KGgo…"})),
    responses(
        (status = 200, body = ChannelEmote, description = "It can be typed from now on"),
        (status = 403, description = "Only the owner and editors may, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
        (status = 409, description = "Every channel has an emote of this name, or this one has as many as it may"),
        (status = 422, description = "It is no picture that is taken, or too large"),
        (status = 429, description = "Too often"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn set(
    State(api): State<Api>,
    who: SignedIn,
    Path((name, emote)): Path<(ChannelName, EmoteName)>,
    Json(request): Json<NewEmote>,
) -> Result<Answer<ChannelEmote>, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    Ok(Answer(api.chat.set_emote(&who.actor, &name, emote, &request).await?))
}

/// Say who may type an emote
///
/// Those who subscribe in this tier or a higher one, the owner and moderators; with null everybody. For others its name stands as
/// it was typed. What was written before stays.
#[utoipa::path(
    put,
    path = "/channels/{name}/emotes/{emote}/tier",
    operation_id = "setEmoteTier",
    tag = "chat",
    params(
        ("name" = ChannelName, Path, description = "The channel's name"),
        ("emote" = EmoteName, Path, description = "What is typed, without the colons"),
    ),
    request_body(content = SetEmoteTier, example = json!({"tier": "two"})),
    responses(
        (status = 200, body = ChannelEmote, description = "The emote as it is now"),
        (status = 403, description = "Only the owner and editors may, or the token lacks the scope"),
        (status = 404, description = "No such channel or emote"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn set_tier(
    State(api): State<Api>,
    who: SignedIn,
    Path((name, emote)): Path<(ChannelName, EmoteName)>,
    Json(request): Json<SetEmoteTier>,
) -> Result<Answer<ChannelEmote>, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    Ok(Answer(api.chat.set_emote_tier(&who.actor, &name, emote, request.tier).await?))
}

/// Take an emote away
///
/// Where it was used, its name stands.
#[utoipa::path(
    delete,
    path = "/channels/{name}/emotes/{emote}",
    operation_id = "removeEmote",
    tag = "chat",
    params(
        ("name" = ChannelName, Path, description = "The channel's name"),
        ("emote" = EmoteName, Path, description = "What is typed, without the colons"),
    ),
    responses(
        (status = 204, description = "It is gone"),
        (status = 403, description = "Only the owner and editors may, or the token lacks the scope"),
        (status = 404, description = "No such channel or emote"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn remove(
    State(api): State<Api>,
    who: SignedIn,
    Path((name, emote)): Path<(ChannelName, EmoteName)>,
) -> Result<StatusCode, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    api.chat.remove_emote(&who.actor, &name, emote).await?;
    Ok(StatusCode::NO_CONTENT)
}
