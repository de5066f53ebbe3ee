//! Chat over HTTP, and its emotes.

use super::{
    StreamChatService, appeal, badge, emote, everywhere, held, moderation, poll, raid,
    service::{By, Chat},
};
use crate::http::{
    extract::{Json, Paging, Path},
    fallback,
    login::{self, HasLogins, Logins, SignedIn},
    peer::Peer,
    problem::ProblemResponse,
};
use crate::page::Place;
use axum::{
    Json as Answer, Router,
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use shared::{
    account::Scope,
    chat::{ChatMessage, ChatRoom, ChatSettings, CreateGuest, EditChat, NewGuest, NewMessage, Sent},
    id::{ChannelName, MessageId},
    page::{Page, PageQuery},
};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

/// What handlers work with.
#[derive(Clone)]
pub(super) struct Api {
    /// Rooms, to be read and written.
    rooms: Arc<dyn StreamChatService>,
    /// All that there is beside that.
    pub(super) chat: Chat,
    logins: Arc<dyn Logins>,
}

impl HasLogins for Api {
    fn logins(&self) -> &Arc<dyn Logins> {
        &self.logins
    }
}

/// Rooms, messages, time-outs, moderators and guests.
pub fn routes(chat: Chat, logins: Arc<dyn Logins>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(read, edit))
        .routes(routes!(messages, send))
        .routes(routes!(remove))
        .routes(routes!(new_guest))
        .merge(moderation::routes::routes())
        .merge(held::routes::routes())
        .merge(appeal::routes::routes())
        .merge(poll::routes::routes())
        .merge(raid::routes::routes())
        .merge(emote::routes::routes())
        .merge(badge::routes::routes())
        .merge(everywhere::routes::routes())
        .with_state(Api { rooms: Arc::new(chat.clone()), chat, logins })
}

/// `/emotes/{file}`: our own drawings, and the pictures that were made for channels.
pub fn emotes(chat: Chat) -> Router {
    Router::new().route("/emotes/{file}", get(picture)).with_state(chat)
}

/// Who asks: a login, or the guest of the header `Weir-Guest`; with a signed embed as the Bearer, perhaps.
pub(super) fn by<'a>(who: &'a Option<SignedIn>, headers: &'a HeaderMap, peer: &Peer) -> By<'a> {
    By {
        who: who.as_ref().map(|who| &who.actor),
        guest: headers.get("weir-guest").and_then(|value| value.to_str().ok()),
        embed: login::embed_of(headers),
        address: peer.address,
    }
}

/// A program's token must be for this; a login and a guest may always try.
fn may(who: &Option<SignedIn>, scope: Scope) -> Result<(), ProblemResponse> {
    who.as_ref().map_or(Ok(()), |who| who.may(scope))
}

/// A channel's chat room
///
/// Its rules, its emotes, and what the one who asks may do.
#[utoipa::path(
    get,
    path = "/channels/{name}/chat",
    operation_id = "readChat",
    tag = "chat",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    responses(
        (status = 200, body = ChatRoom, description = "The room"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security((), ("login" = []), ("token" = ["read"]), ("guest" = []), ("embed" = []))
)]
async fn read(
    State(api): State<Api>,
    who: Option<SignedIn>,
    peer: Peer,
    headers: HeaderMap,
    Path(name): Path<ChannelName>,
) -> Result<Answer<ChatRoom>, ProblemResponse> {
    Ok(Answer(api.rooms.read(by(&who, &headers, &peer), &name).await?))
}

/// Change a room's rules
///
/// What is absent stays.
#[utoipa::path(
    patch,
    path = "/channels/{name}/chat",
    operation_id = "editChat",
    tag = "chat",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    request_body(content = EditChat, example = json!({"slowSeconds": 5})),
    responses(
        (status = 200, body = ChatSettings, description = "The rules as they are now"),
        (status = 403, description = "Only the owner and moderators may, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["chat:moderate"]))
)]
async fn edit(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
    Json(request): Json<EditChat>,
) -> Result<Answer<ChatSettings>, ProblemResponse> {
    who.may(Scope::ChatModerate)?;
    Ok(Answer(api.chat.edit(&who.actor, &name, request).await?))
}

/// What was written
///
/// Newest first; without what was deleted.
#[utoipa::path(
    get,
    path = "/channels/{name}/chat/messages",
    operation_id = "listMessages",
    tag = "chat",
    params(("name" = ChannelName, Path, description = "The channel's name"), PageQuery),
    responses(
        (status = 200, body = Page<ChatMessage>, description = "A page of messages"),
        (status = 400, description = "The cursor or the limit can't be taken"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security((), ("login" = []), ("token" = ["read"]), ("embed" = []))
)]
async fn messages(
    State(api): State<Api>,
    who: Option<SignedIn>,
    headers: HeaderMap,
    Path(name): Path<ChannelName>,
    Paging(wanted): Paging,
) -> Result<Answer<Page<ChatMessage>>, ProblemResponse> {
    let rows = api.rooms.messages(login::visitor(who.as_ref(), &headers), &name, &wanted).await?;
    let place = |message: &ChatMessage| Place { at: message.sequence.0 as i64, id: message.id.to_string() };
    Ok(Answer(wanted.page(rows, place)))
}

/// Write a message
///
/// Answered once it is on disk. Sent again with the same `key`, it is taken once.
#[utoipa::path(
    post,
    path = "/channels/{name}/chat/messages",
    operation_id = "sendMessage",
    tag = "chat",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    request_body(content = NewMessage, example = json!({"text": "Hello :wave:", "key": "m-1"})),
    responses(
        (status = 201, body = Sent, description = "It is on disk"),
        (status = 202, body = Sent, description = "It is on disk, and waits for a moderator"),
        (status = 403, description = "Timed out, banned, a mode of the room, no guests here, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
        (status = 429, description = "Too fast; `retryAfter` says when"),
        (status = 503, description = "More is written than can be saved"),
    ),
    security(("login" = []), ("guest" = []), ("token" = ["chat:write"]))
)]
async fn send(
    State(api): State<Api>,
    who: Option<SignedIn>,
    peer: Peer,
    headers: HeaderMap,
    Path(name): Path<ChannelName>,
    Json(request): Json<NewMessage>,
) -> Result<Response, ProblemResponse> {
    may(&who, Scope::ChatWrite)?;
    let sent = api.rooms.send(by(&who, &headers, &peer), &name, request).await?;
    let status = if sent.held { StatusCode::ACCEPTED } else { StatusCode::CREATED };
    Ok((status, Answer(sent)).into_response())
}

/// Delete a message
///
/// One's own, or as owner or moderator any.
#[utoipa::path(
    delete,
    path = "/channels/{name}/chat/messages/{id}",
    operation_id = "deleteMessage",
    tag = "chat",
    params(("name" = ChannelName, Path, description = "The channel's name"), ("id" = MessageId, Path, description = "Which message")),
    responses(
        (status = 204, description = "It is shown no more"),
        (status = 403, description = "Only the owner and moderators may, or the token lacks the scope"),
        (status = 404, description = "No such message"),
    ),
    security(("login" = []), ("guest" = []), ("token" = ["chat:moderate"]))
)]
async fn remove(
    State(api): State<Api>,
    who: Option<SignedIn>,
    peer: Peer,
    headers: HeaderMap,
    Path((name, id)): Path<(ChannelName, MessageId)>,
) -> Result<StatusCode, ProblemResponse> {
    may(&who, Scope::ChatModerate)?;
    api.rooms.delete(by(&who, &headers, &peer), &name, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Choose a name to write under without an account
#[utoipa::path(
    post,
    path = "/chat/guests",
    operation_id = "createGuest",
    tag = "chat",
    request_body(content = CreateGuest, example = json!({"name": "Ben"})),
    responses(
        (status = 201, body = NewGuest, description = "The name, and the token that proves it"),
        (status = 409, description = "The name is somebody's, or looks like it"),
        (status = 429, description = "Many names were chosen from that network"),
    )
)]
async fn new_guest(
    State(api): State<Api>,
    peer: Peer,
    Json(request): Json<CreateGuest>,
) -> Result<Response, ProblemResponse> {
    let guest = api.chat.new_guest(request.name, peer.address).await?;
    Ok((StatusCode::CREATED, Answer(guest)).into_response())
}

/// A picture. Its address changes with it.
async fn picture(
    State(chat): State<Chat>,
    Path(file): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, ProblemResponse> {
    let Some(bytes) = chat.emote_picture(&file).await? else { return drawing(&file, query.as_deref()) };
    let headers = [
        (header::CONTENT_TYPE, "image/png"),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        // It is nothing but pixels; should a browser take it for anything else all the same, that can do nothing.
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
    ];
    Ok((headers.map(|(name, value)| (name, HeaderValue::from_static(value))), bytes).into_response())
}

/// A drawing. With its version in the address it never changes.
fn drawing(file: &str, query: Option<&str>) -> Result<Response, ProblemResponse> {
    let drawing = file.strip_suffix(".svg").and_then(emote::drawing).ok_or_else(fallback::not_found)?;
    let is_versioned = query.and_then(|query| query.strip_prefix("v=")) == Some(drawing.version.as_str());
    let caching = if is_versioned { "public, max-age=31536000, immutable" } else { "public, max-age=3600" };
    let headers = [
        (header::CONTENT_TYPE, "image/svg+xml"),
        (header::CACHE_CONTROL, caching),
        // Opened by itself it is a page, and may do nothing.
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"),
    ];
    Ok((headers.map(|(name, value)| (name, HeaderValue::from_static(value))), drawing.svg).into_response())
}
