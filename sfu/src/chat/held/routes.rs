//! The queue of held messages over HTTP, what is held, and people's cards.

use crate::{
    chat::routes::Api,
    http::{
        extract::{Json, Paging, Path},
        login::SignedIn,
        problem::ProblemResponse,
    },
    page::Place,
};
use axum::{Json as Answer, extract::State};
use shared::{
    account::Scope,
    id::{ChannelName, MessageId, PersonId},
    moderation::{Decide, Decided, Filters, HeldMessage, PersonCard},
    page::{Page, PageQuery},
};
use utoipa_axum::{router::OpenApiRouter, routes};

/// All of it.
pub(in crate::chat) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(filters, set_filters))
        .routes(routes!(held))
        .routes(routes!(decide))
        .routes(routes!(card))
}

/// What a room holds
#[utoipa::path(
    get,
    path = "/channels/{name}/chat/filters",
    operation_id = "readChatFilters",
    tag = "chat",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    responses(
        (status = 200, body = Filters, description = "What is held until a moderator looked at it"),
        (status = 403, description = "Only the owner and moderators may, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["read"]))
)]
async fn filters(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
) -> Result<Answer<Filters>, ProblemResponse> {
    Ok(Answer(api.chat.filters(&who.actor, &name).await?))
}

/// Set what a room holds
///
/// All of it: what is absent is off.
#[utoipa::path(
    put,
    path = "/channels/{name}/chat/filters",
    operation_id = "setChatFilters",
    tag = "chat",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    request_body(content = Filters, example = json!({"words": ["badword", "spam*"], "links": "hold", "repeats": true})),
    responses(
        (status = 200, body = Filters, description = "What is held now"),
        (status = 403, description = "Only the owner and moderators may, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
        (status = 422, description = "Too many words or hosts, or one that can't be one"),
    ),
    security(("login" = []), ("token" = ["chat:moderate"]))
)]
async fn set_filters(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
    Json(request): Json<Filters>,
) -> Result<Answer<Filters>, ProblemResponse> {
    who.may(Scope::ChatModerate)?;
    Ok(Answer(api.chat.set_filters(&who.actor, &name, request).await?))
}

/// Messages that wait for a moderator
///
/// Oldest first.
#[utoipa::path(
    get,
    path = "/channels/{name}/chat/held",
    operation_id = "listHeldMessages",
    tag = "chat",
    params(("name" = ChannelName, Path, description = "The channel's name"), PageQuery),
    responses(
        (status = 200, body = Page<HeldMessage>, description = "A page of the queue"),
        (status = 400, description = "The cursor or the limit can't be taken"),
        (status = 403, description = "Only the owner and moderators may, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["read"]))
)]
async fn held(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
    Paging(wanted): Paging,
) -> Result<Answer<Page<HeldMessage>>, ProblemResponse> {
    let rows = api.chat.held(&who.actor, &name, &wanted).await?;
    Ok(Answer(wanted.page(rows, |held| Place { at: held.at.as_millis(), id: held.id.to_string() })))
}

/// Let a held message through, or refuse it
///
/// Of two moderators at once, both get what the first decided.
#[utoipa::path(
    post,
    path = "/channels/{name}/chat/held/{id}",
    operation_id = "decideHeldMessage",
    tag = "chat",
    params(("name" = ChannelName, Path, description = "The channel's name"), ("id" = MessageId, Path, description = "Which message")),
    request_body(content = Decide, example = json!({"approve": true})),
    responses(
        (status = 200, body = Decided, description = "What became of it, now or before"),
        (status = 403, description = "Only the owner and moderators may, or the token lacks the scope"),
        (status = 404, description = "No such message waits or waited"),
    ),
    security(("login" = []), ("token" = ["chat:moderate"]))
)]
async fn decide(
    State(api): State<Api>,
    who: SignedIn,
    Path((name, id)): Path<(ChannelName, MessageId)>,
    Json(request): Json<Decide>,
) -> Result<Answer<Decided>, ProblemResponse> {
    who.may(Scope::ChatModerate)?;
    Ok(Answer(api.chat.decide(&who.actor, &name, &id, request).await?))
}

/// What moderators know of somebody
#[utoipa::path(
    get,
    path = "/channels/{name}/chat/people/{person}",
    operation_id = "readPersonCard",
    tag = "chat",
    params(("name" = ChannelName, Path, description = "The channel's name"), ("person" = PersonId, Path, description = "Who")),
    responses(
        (status = 200, body = PersonCard, description = "Their last messages, and what moderators did about them"),
        (status = 403, description = "Only the owner and moderators may, or the token lacks the scope"),
        (status = 404, description = "Nobody by that id wrote here"),
    ),
    security(("login" = []), ("token" = ["read"]))
)]
async fn card(
    State(api): State<Api>,
    who: SignedIn,
    Path((name, person)): Path<(ChannelName, PersonId)>,
) -> Result<Answer<PersonCard>, ProblemResponse> {
    Ok(Answer(api.chat.card(&who.actor, &name, person).await?))
}
