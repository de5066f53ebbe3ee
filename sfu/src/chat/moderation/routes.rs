//! Moderation over HTTP: commands, time-outs, bans, the pinned message, the record, and who is what.

use crate::{
    chat::{
        command,
        routes::{Api, by},
    },
    http::{
        extract::{Json, Paging, Path},
        login::SignedIn,
        peer::Peer,
        problem::ProblemResponse,
    },
    page::Place,
    permission::Permission,
};
use axum::{
    Json as Answer,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use shared::{
    account::Scope,
    id::{ChannelName, PersonId},
    moderation::{Ban, ChatAction, CommandDone, GiveCommand, Moderator, NewBan, NewPin, NewSilence, Silence},
    page::{Page, PageQuery},
    text::AccountName,
};
use utoipa_axum::{router::OpenApiRouter, routes};

/// All of it.
pub(in crate::chat) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(give))
        .routes(routes!(silences, silence))
        .routes(routes!(unsilence))
        .routes(routes!(bans, ban))
        .routes(routes!(unban))
        .routes(routes!(pin, unpin))
        .routes(routes!(clear))
        .routes(routes!(actions))
        .routes(routes!(moderators))
        .routes(routes!(add_moderator, remove_moderator))
}

/// Give a command
///
/// As people type it in chat: `/timeout ben 10m`. `/help` says which there are.
#[utoipa::path(
    post,
    path = "/channels/{name}/chat/commands",
    operation_id = "giveCommand",
    tag = "chat",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    request_body(content = GiveCommand, example = json!({"text": "/slow 30"})),
    responses(
        (status = 200, body = CommandDone, description = "It is done; what to tell the one who gave it"),
        (status = 403, description = "Not for this person, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
        (status = 422, description = "No such command, or it is given otherwise; the detail says how"),
    ),
    security(("login" = []), ("guest" = []), ("token" = ["chat:moderate"]))
)]
async fn give(
    State(api): State<Api>,
    who: Option<SignedIn>,
    peer: Peer,
    headers: HeaderMap,
    Path(name): Path<ChannelName>,
    Json(request): Json<GiveCommand>,
) -> Result<Answer<CommandDone>, ProblemResponse> {
    if let Some(who) = &who {
        who.may(Scope::ChatModerate)?;
        // What is no matter of chat by its own route is none by a command, either.
        if matches!(command::needs(&request.text), Some(Permission::Appoint | Permission::Raid)) {
            who.may(Scope::ChannelWrite)?;
        }
        if command::needs(&request.text) == Some(Permission::OwnAccount) {
            who.login()?;
        }
    }
    Ok(Answer(api.chat.command(by(&who, &headers, &peer), &name, request).await?))
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

/// Who is banned
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/channels/{name}/chat/bans",
    operation_id = "listBans",
    tag = "chat",
    params(("name" = ChannelName, Path, description = "The channel's name"), PageQuery),
    responses(
        (status = 200, body = Page<Ban>, description = "A page of bans"),
        (status = 400, description = "The cursor or the limit can't be taken"),
        (status = 403, description = "Only the owner and moderators may, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["read"]))
)]
async fn bans(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
    Paging(wanted): Paging,
) -> Result<Answer<Page<Ban>>, ProblemResponse> {
    let rows = api.chat.bans(&who.actor, &name, &wanted).await?;
    Ok(Answer(wanted.page(rows, |ban| Place { at: ban.at.as_millis(), id: ban.person.to_string() })))
}

/// Ban somebody
///
/// Until it is lifted. What they wrote in the last hour is deleted.
#[utoipa::path(
    post,
    path = "/channels/{name}/chat/bans",
    operation_id = "banPerson",
    tag = "chat",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    request_body(content = NewBan, example = json!({"person": "guest-1", "reason": "Advertising"})),
    responses(
        (status = 201, body = Ban, description = "The ban"),
        (status = 403, description = "Only the owner and moderators may, or the token lacks the scope"),
        (status = 404, description = "Nobody by that id wrote here"),
    ),
    security(("login" = []), ("token" = ["chat:moderate"]))
)]
async fn ban(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
    Json(request): Json<NewBan>,
) -> Result<Response, ProblemResponse> {
    who.may(Scope::ChatModerate)?;
    let ban = api.chat.ban(&who.actor, &name, request).await?;
    Ok((StatusCode::CREATED, Answer(ban)).into_response())
}

/// Lift a ban
#[utoipa::path(
    delete,
    path = "/channels/{name}/chat/bans/{person}",
    operation_id = "unbanPerson",
    tag = "chat",
    params(("name" = ChannelName, Path, description = "The channel's name"), ("person" = PersonId, Path, description = "Who")),
    responses(
        (status = 204, description = "The person may write again"),
        (status = 403, description = "Only the owner and moderators may, or the token lacks the scope"),
        (status = 404, description = "Not banned"),
    ),
    security(("login" = []), ("token" = ["chat:moderate"]))
)]
async fn unban(
    State(api): State<Api>,
    who: SignedIn,
    Path((name, person)): Path<(ChannelName, PersonId)>,
) -> Result<StatusCode, ProblemResponse> {
    who.may(Scope::ChatModerate)?;
    api.chat.unban(&who.actor, &name, person).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Pin a message
///
/// It is shown above all others, in the place of the one that was.
#[utoipa::path(
    put,
    path = "/channels/{name}/chat/pin",
    operation_id = "pinMessage",
    tag = "chat",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    request_body(content = NewPin, example = json!({"message": "01m7wdz29w03j42rh873nf9zn0"})),
    responses(
        (status = 204, description = "It is pinned"),
        (status = 403, description = "Only the owner and moderators may, or the token lacks the scope"),
        (status = 404, description = "No such message"),
    ),
    security(("login" = []), ("token" = ["chat:moderate"]))
)]
async fn pin(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
    Json(request): Json<NewPin>,
) -> Result<StatusCode, ProblemResponse> {
    who.may(Scope::ChatModerate)?;
    api.chat.pin(&who.actor, &name, request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take the pinned message down
#[utoipa::path(
    delete,
    path = "/channels/{name}/chat/pin",
    operation_id = "unpinMessage",
    tag = "chat",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    responses(
        (status = 204, description = "No message is pinned any more"),
        (status = 403, description = "Only the owner and moderators may, or the token lacks the scope"),
        (status = 404, description = "None was"),
    ),
    security(("login" = []), ("token" = ["chat:moderate"]))
)]
async fn unpin(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
) -> Result<StatusCode, ProblemResponse> {
    who.may(Scope::ChatModerate)?;
    api.chat.unpin(&who.actor, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Clear the room
///
/// Nothing that was written before is shown any more.
#[utoipa::path(
    delete,
    path = "/channels/{name}/chat/messages",
    operation_id = "clearChat",
    tag = "chat",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    responses(
        (status = 204, description = "It is cleared"),
        (status = 403, description = "Only the owner and moderators may, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["chat:moderate"]))
)]
async fn clear(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
) -> Result<StatusCode, ProblemResponse> {
    who.may(Scope::ChatModerate)?;
    api.chat.clear(&who.actor, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What moderators did
///
/// Newest first. Never changed.
#[utoipa::path(
    get,
    path = "/channels/{name}/chat/actions",
    operation_id = "listChatActions",
    tag = "chat",
    params(("name" = ChannelName, Path, description = "The channel's name"), PageQuery),
    responses(
        (status = 200, body = Page<ChatAction>, description = "A page of the record"),
        (status = 400, description = "The cursor or the limit can't be taken"),
        (status = 403, description = "Only the owner and moderators may, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["read"]))
)]
async fn actions(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
    Paging(wanted): Paging,
) -> Result<Answer<Page<ChatAction>>, ProblemResponse> {
    let rows = api.chat.actions(&who.actor, &name, None, &wanted).await?;
    Ok(Answer(wanted.page(rows, |action| Place { at: action.at.as_millis(), id: action.id.to_string() })))
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
