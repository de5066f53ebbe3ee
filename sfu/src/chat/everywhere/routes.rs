//! Emotes of all channels over HTTP.

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
    extract::{DefaultBodyLimit, State},
    http::StatusCode,
};
use shared::{
    emote::{EMOTE_BYTES_MOST, EmoteName, InstanceEmote, NewEmote},
    page::{Page, PageQuery},
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

/// Emotes of all channels
///
/// By name: those that whoever runs the instance added. They can be typed in every channel, but where a channel has one of its
/// own of the same name.
#[utoipa::path(
    get,
    path = "/emotes",
    operation_id = "listInstanceEmotes",
    tag = "instance",
    params(PageQuery),
    responses(
        (status = 200, body = Page<InstanceEmote>, description = "A page of emotes"),
        (status = 400, description = "The cursor or the limit can't be taken"),
    )
)]
async fn list(
    State(api): State<Api>,
    Paging(wanted): Paging,
) -> Result<Answer<Page<InstanceEmote>>, ProblemResponse> {
    let rows = api.chat.emotes_everywhere(&wanted).await?;
    Ok(Answer(wanted.page(rows, |emote| Place { at: 0, id: emote.name.to_string() })))
}

/// Add an emote of all channels, or change its picture
///
/// The server makes a picture of its own, at most 112 pixels a side. One that moves goes on moving.
#[utoipa::path(
    put,
    path = "/emotes/{emote}",
    operation_id = "setInstanceEmote",
    tag = "instance",
    params(("emote" = EmoteName, Path, description = "What is typed, without the colons")),
    request_body(content = NewEmote, example = json!({"image": "iVBORw0KGgo…"})),
    responses(
        (status = 200, body = InstanceEmote, description = "It can be typed everywhere from now on"),
        (status = 403, description = "Only those who run the instance may, and no token"),
        (status = 409, description = "An emote of the starter set has this name, or there are as many as there may be"),
        (status = 422, description = "It is no picture that is taken, or too large"),
        (status = 429, description = "Too often"),
    ),
    security(("login" = []))
)]
async fn set(
    State(api): State<Api>,
    who: SignedIn,
    Path(emote): Path<EmoteName>,
    Json(request): Json<NewEmote>,
) -> Result<Answer<InstanceEmote>, ProblemResponse> {
    who.login()?;
    Ok(Answer(api.chat.set_everywhere(&who.actor, emote, &request).await?))
}

/// Take an emote of all channels away
///
/// Where it was used, its name stands.
#[utoipa::path(
    delete,
    path = "/emotes/{emote}",
    operation_id = "removeInstanceEmote",
    tag = "instance",
    params(("emote" = EmoteName, Path, description = "What is typed, without the colons")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 403, description = "Only those who run the instance may, and no token"),
        (status = 404, description = "No such emote"),
    ),
    security(("login" = []))
)]
async fn remove(
    State(api): State<Api>,
    who: SignedIn,
    Path(emote): Path<EmoteName>,
) -> Result<StatusCode, ProblemResponse> {
    who.login()?;
    api.chat.remove_everywhere(&who.actor, emote).await?;
    Ok(StatusCode::NO_CONTENT)
}
