//! Chat over HTTP, and its emotes.

use super::{
    emote,
    error::ChatError,
    name::NameError,
    room::Refused,
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
    chat::{
        ChatMessage, ChatRoom, ChatSettings, CreateGuest, EditChat, Moderator, NewGuest, NewMessage,
        NewSilence, Sent, Silence,
    },
    id::{ChannelName, MessageId, PersonId},
    page::{Page, PageQuery},
    text::AccountName,
};
use std::{sync::Arc, time::Duration};
use utoipa_axum::{router::OpenApiRouter, routes};

#[derive(Clone)]
struct Api {
    chat: Chat,
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
        .routes(routes!(silences, silence))
        .routes(routes!(unsilence))
        .routes(routes!(moderators))
        .routes(routes!(add_moderator, remove_moderator))
        .routes(routes!(new_guest))
        .with_state(Api { chat, logins })
}

/// `/emotes/{name}.svg`.
pub fn emotes() -> Router {
    Router::new().route("/emotes/{file}", get(drawing))
}

/// Who asks: a login, or the guest of the header `Weir-Guest`; with a signed embed as the Bearer, perhaps.
fn by<'a>(who: &'a Option<SignedIn>, headers: &'a HeaderMap, peer: &Peer) -> By<'a> {
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
    Ok(Answer(api.chat.read(by(&who, &headers, &peer), &name).await?))
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
        (status = 403, description = "Only the owner may, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn edit(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
    Json(request): Json<EditChat>,
) -> Result<Answer<ChatSettings>, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
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
    let rows = api.chat.messages(login::visitor(who.as_ref(), &headers), &name, &wanted).await?;
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
        (status = 403, description = "Timed out, no guests here, or the token lacks the scope"),
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
    let sent = api.chat.send(by(&who, &headers, &peer), &name, request).await?;
    Ok((StatusCode::CREATED, Answer(sent)).into_response())
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
    api.chat.delete(by(&who, &headers, &peer), &name, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Time-outs that run
#[utoipa::path(
    get,
    path = "/channels/{name}/chat/silences",
    operation_id = "listSilences",
    tag = "chat",
    params(("name" = ChannelName, Path, description = "The channel's name"), PageQuery),
    responses(
        (status = 200, body = Page<Silence>, description = "A page of time-outs"),
        (status = 400, description = "The cursor or the limit can't be taken"),
        (status = 403, description = "Only the owner and moderators may, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["read"]))
)]
async fn silences(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
    Paging(wanted): Paging,
) -> Result<Answer<Page<Silence>>, ProblemResponse> {
    let rows = api.chat.silences(&who.actor, &name, &wanted).await?;
    Ok(Answer(wanted.page(rows, |silence| Place { at: 0, id: silence.person.to_string() })))
}

/// Time somebody out
///
/// What they wrote in the last ten minutes is deleted.
#[utoipa::path(
    post,
    path = "/channels/{name}/chat/silences",
    operation_id = "silencePerson",
    tag = "chat",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    request_body(content = NewSilence, example = json!({"person": "guest-1", "seconds": 600, "reason": "Advertising"})),
    responses(
        (status = 201, body = Silence, description = "The time-out"),
        (status = 403, description = "Only the owner and moderators may, or the token lacks the scope"),
        (status = 404, description = "Nobody by that id wrote here"),
    ),
    security(("login" = []), ("token" = ["chat:moderate"]))
)]
async fn silence(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
    Json(request): Json<NewSilence>,
) -> Result<Response, ProblemResponse> {
    who.may(Scope::ChatModerate)?;
    let silence = api.chat.silence(&who.actor, &name, request).await?;
    Ok((StatusCode::CREATED, Answer(silence)).into_response())
}

/// Lift a time-out
#[utoipa::path(
    delete,
    path = "/channels/{name}/chat/silences/{person}",
    operation_id = "unsilencePerson",
    tag = "chat",
    params(("name" = ChannelName, Path, description = "The channel's name"), ("person" = PersonId, Path, description = "Who")),
    responses(
        (status = 204, description = "The person may write again"),
        (status = 403, description = "Only the owner and moderators may, or the token lacks the scope"),
        (status = 404, description = "Not timed out"),
    ),
    security(("login" = []), ("token" = ["chat:moderate"]))
)]
async fn unsilence(
    State(api): State<Api>,
    who: SignedIn,
    Path((name, person)): Path<(ChannelName, PersonId)>,
) -> Result<StatusCode, ProblemResponse> {
    who.may(Scope::ChatModerate)?;
    api.chat.unsilence(&who.actor, &name, person).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A channel's moderators
#[utoipa::path(
    get,
    path = "/channels/{name}/moderators",
    operation_id = "listModerators",
    tag = "chat",
    params(("name" = ChannelName, Path, description = "The channel's name"), PageQuery),
    responses(
        (status = 200, body = Page<Moderator>, description = "A page of moderators"),
        (status = 400, description = "The cursor or the limit can't be taken"),
        (status = 403, description = "Only the owner may, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["read"]))
)]
async fn moderators(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
    Paging(wanted): Paging,
) -> Result<Answer<Page<Moderator>>, ProblemResponse> {
    let rows = api.chat.moderators(&who.actor, &name, &wanted).await?;
    Ok(Answer(wanted.page(rows, |moderator| Place { at: 0, id: moderator.account.to_string() })))
}

/// Make somebody a moderator
#[utoipa::path(
    put,
    path = "/channels/{name}/moderators/{account}",
    operation_id = "addModerator",
    tag = "chat",
    params(("name" = ChannelName, Path, description = "The channel's name"), ("account" = AccountName, Path, description = "What they sign in with")),
    responses(
        (status = 200, body = Moderator, description = "They were one already"),
        (status = 201, body = Moderator, description = "They are one now"),
        (status = 403, description = "Only the owner may, or the token lacks the scope"),
        (status = 404, description = "No such channel or account"),
        (status = 409, description = "A channel has at most 100"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn add_moderator(
    State(api): State<Api>,
    who: SignedIn,
    Path((name, account)): Path<(ChannelName, AccountName)>,
) -> Result<Response, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    let (moderator, is_new) = api.chat.add_moderator(&who.actor, &name, &account).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Answer(moderator)).into_response())
}

/// Take the role from a moderator
#[utoipa::path(
    delete,
    path = "/channels/{name}/moderators/{account}",
    operation_id = "removeModerator",
    tag = "chat",
    params(("name" = ChannelName, Path, description = "The channel's name"), ("account" = AccountName, Path, description = "What they sign in with")),
    responses(
        (status = 204, description = "They are one no more"),
        (status = 403, description = "Only the owner may, or the token lacks the scope"),
        (status = 404, description = "They were none"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn remove_moderator(
    State(api): State<Api>,
    who: SignedIn,
    Path((name, account)): Path<(ChannelName, AccountName)>,
) -> Result<StatusCode, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    api.chat.remove_moderator(&who.actor, &name, &account).await?;
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

/// A drawing. With its version in the address it never changes.
async fn drawing(Path(file): Path<String>, RawQuery(query): RawQuery) -> Result<Response, ProblemResponse> {
    let drawing = file.strip_suffix(".svg").and_then(emote::drawing).ok_or_else(fallback::not_found)?;
    let is_versioned =
        query.as_deref().and_then(|query| query.strip_prefix("v=")) == Some(drawing.version.as_str());
    let caching = if is_versioned { "public, max-age=31536000, immutable" } else { "public, max-age=3600" };
    let headers = [
        (header::CONTENT_TYPE, "image/svg+xml"),
        (header::CACHE_CONTROL, caching),
        // Opened by itself it is a page, and may do nothing.
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"),
    ];
    Ok((headers.map(|(name, value)| (name, HeaderValue::from_static(value))), drawing.svg).into_response())
}

fn invalid(field: &str, detail: &str) -> ProblemResponse {
    ProblemResponse::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "invalid",
        "Something in the request can't be taken",
        detail,
    )
    .field(field)
}

fn seconds(wait: Duration) -> u64 {
    wait.as_millis().div_ceil(1000).max(1) as u64
}

impl From<ChatError> for ProblemResponse {
    fn from(error: ChatError) -> Self {
        let forbidden = |kind, title, detail| Self::new(StatusCode::FORBIDDEN, kind, title, detail);
        let unknown = |kind, title, detail| Self::new(StatusCode::NOT_FOUND, kind, title, detail);
        match error {
            ChatError::UnknownChannel => unknown(
                "unknown-channel",
                "No such channel",
                "There is no channel with this name. Check how it is written.",
            ),
            ChatError::Embed(error) => error.into(),
            ChatError::Nobody => Self::new(
                StatusCode::UNAUTHORIZED,
                "signed-out",
                "Nobody writes",
                "Sign in or choose a name first, then write.",
            ),
            ChatError::UnknownGuest => Self::new(
                StatusCode::UNAUTHORIZED,
                "unknown-guest",
                "This name is over",
                "Your guest name is no longer known here. Choose a name again, then write.",
            ),
            ChatError::Text(error) => invalid("text", &sentence(&error.to_string())),
            ChatError::Refused(refused) => of_refused(refused),
            ChatError::Name(error) => {
                let (status, kind, title) = match error {
                    NameError::LookAlike => (StatusCode::CONFLICT, "name-taken", "This name is taken"),
                    _ => (StatusCode::UNPROCESSABLE_ENTITY, "invalid", "This name can't be had"),
                };
                Self::new(status, kind, title, sentence(&error.to_string())).field("name")
            }
            ChatError::TooManyGuests { wait } => {
                let seconds = seconds(wait);
                let detail = format!("Many names were chosen from your network. Wait {seconds} s, then try again.");
                Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many-guests", "Too many names", detail)
                    .retry_after(seconds)
            }
            ChatError::UnknownMessage => {
                unknown("unknown-message", "No such message", "This message is not there, or was deleted.")
            }
            ChatError::UnknownPerson => {
                unknown("unknown-person", "Nobody by that id", "Nobody by that id wrote here.")
            }
            ChatError::UnknownAccount => unknown(
                "unknown-account",
                "No such account",
                "There is no such account, or it is no moderator here. Check how the name is written.",
            ),
            ChatError::NotSilenced => {
                unknown("not-timed-out", "Not timed out", "This person is not timed out, or not any more.")
            }
            ChatError::NotModerator => forbidden(
                "not-moderator",
                "Not a moderator here",
                "Only the channel's owner and its moderators may do this. Your own messages you can delete yourself.",
            ),
            ChatError::NotOwner => forbidden(
                "not-yours",
                "Somebody else's channel",
                "Only the channel's owner may do this. Sign in as the owner.",
            ),
            ChatError::Untouchable => forbidden(
                "untouchable",
                "Not to be timed out",
                "The owner, moderators and you yourself can't be timed out. The owner can take the moderator's role away first.",
            ),
            ChatError::IsOwner => invalid("account", "The owner may do all that moderators may already."),
            ChatError::TooManyModerators => Self::new(
                StatusCode::CONFLICT,
                "too-many-moderators",
                "Too many moderators",
                "A channel has at most 100 moderators. Take the role from one first.",
            ),
            ChatError::Invalid { field, detail } => invalid(field, detail),
            ChatError::Busy => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "chat-busy",
                "Chat is busy",
                "More is written at this moment than the server can save. Your message was not sent. Try again in a moment.",
            )
            .retry_after(2),
            ChatError::Store(error) => error.as_ref().into(),
        }
    }
}

fn of_refused(refused: Refused) -> ProblemResponse {
    let too_many = |kind, title, detail: String, seconds| {
        ProblemResponse::new(StatusCode::TOO_MANY_REQUESTS, kind, title, detail).retry_after(seconds)
    };
    match refused {
        Refused::GuestsOff => ProblemResponse::new(
            StatusCode::FORBIDDEN,
            "guests-off",
            "Guests can't write here",
            "In this room only people with an account write. Sign in, then write.",
        ),
        Refused::Silenced { until } => {
            let seconds = seconds(until.since(crate::fresh::now()));
            ProblemResponse::new(
                StatusCode::FORBIDDEN,
                "timed-out",
                "You are timed out",
                format!("A moderator timed you out. You can write again in {seconds} s."),
            )
            .retry_after(seconds)
        }
        Refused::Slow { wait } => {
            let seconds = seconds(wait);
            too_many(
                "slow-mode",
                "Slow mode",
                format!("This room is in slow mode. Write again in {seconds} s."),
                seconds,
            )
        }
        Refused::TooFast { wait } => {
            let seconds = seconds(wait);
            too_many(
                "too-fast",
                "Too fast",
                format!("You wrote a lot at once. Write again in {seconds} s."),
                seconds,
            )
        }
        Refused::RoomBusy { wait } => {
            let seconds = seconds(wait);
            too_many(
                "room-busy",
                "The room is full of voices",
                format!(
                    "So many people write here at this moment that nobody could read it. Try again in {seconds} s."
                ),
                seconds,
            )
        }
    }
}

fn sentence(message: &str) -> String {
    let mut text = message.to_owned();
    if let Some(first) = text.chars().next() {
        text.replace_range(..first.len_utf8(), &first.to_uppercase().to_string());
    }
    text.push('.');
    text
}
