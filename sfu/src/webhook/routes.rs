//! Webhooks over HTTP.

use super::service::{WebhookError, Webhooks};
use crate::http::{
    extract::{Json, Paging, Path},
    login::{HasLogins, Logins, SignedIn},
    outgoing::OutgoingError,
    problem::ProblemResponse,
};
use axum::{Json as Answer, extract::State, http::StatusCode};
use shared::{
    account::Scope,
    id::{ChannelName, EventId, WebhookId},
    page::{Page, PageQuery},
    webhook::{CreateWebhook, Delivery, EditWebhook, NewWebhook, Webhook},
};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

#[derive(Clone)]
struct Api {
    webhooks: Webhooks,
    logins: Arc<dyn Logins>,
}

impl HasLogins for Api {
    fn logins(&self) -> &Arc<dyn Logins> {
        &self.logins
    }
}

/// `/channels/{name}/webhooks`, and what is below it.
pub fn routes(webhooks: Webhooks, logins: Arc<dyn Logins>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(edit, remove))
        .routes(routes!(replace_secret))
        .routes(routes!(ping))
        .routes(routes!(deliveries))
        .routes(routes!(replay))
        .with_state(Api { webhooks, logins })
}

impl From<WebhookError> for ProblemResponse {
    fn from(error: WebhookError) -> Self {
        let invalid = |field: &str, detail: &str| {
            let title = "Something in the request can't be taken";
            Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", title, detail).field(field)
        };
        match error {
            WebhookError::Address(OutgoingError::Private) => invalid(
                "url",
                "This address is not on the public internet. Whoever runs the server can allow others in its configuration (outgoing_allow).",
            ),
            WebhookError::Address(_) => invalid(
                "url",
                "A webhook's address begins with https:// and has no name or password in it, like https://example.com/weir.",
            ),
            WebhookError::Kinds => {
                invalid("kinds", "Choose at least one kind of event. “Ping” is sent by trying it.")
            }
            WebhookError::TooMany => Self::new(
                StatusCode::CONFLICT,
                "too-many-webhooks",
                "Too many webhooks",
                "A channel has at most 20 webhooks. Remove one that isn't used any more.",
            ),
            WebhookError::Unknown => Self::new(
                StatusCode::NOT_FOUND,
                "unknown-webhook",
                "No such webhook",
                "This channel has no such webhook, or not any more.",
            ),
            WebhookError::UnknownDelivery => Self::new(
                StatusCode::NOT_FOUND,
                "unknown-delivery",
                "No such delivery",
                "This webhook has no such delivery. They are kept for 30 days.",
            ),
            WebhookError::TooFast { wait } => {
                let seconds = wait.as_secs() + 1;
                Self::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    "too-fast",
                    "Too fast",
                    format!("That was very often in a short time. Wait {seconds} s, then try again."),
                )
                .retry_after(seconds)
            }
            WebhookError::Channel(problem) => problem,
            WebhookError::Store(error) => error.into(),
        }
    }
}

/// A channel's webhooks
///
/// All of them, oldest first; without their secrets. For the owner.
#[utoipa::path(
    get,
    path = "/channels/{name}/webhooks",
    operation_id = "listWebhooks",
    tag = "webhooks",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    responses(
        (status = 200, body = Page<Webhook>, description = "The webhooks"),
        (status = 403, description = "Only the owner may, or the token lacks the scope"),
        (status = 404, description = "No such channel, webhook or delivery, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["read"]))
)]
async fn list(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
) -> Result<Answer<Page<Webhook>>, ProblemResponse> {
    Ok(Answer(Page { items: api.webhooks.list(&who.actor, &name).await?, next: None }))
}

/// Have a channel's events sent to an address
///
/// Each event is posted as JSON, signed as Standard Webhooks has it, and sent again for three days until it is taken. The secret to check signatures with is shown this once.
#[utoipa::path(
    post,
    path = "/channels/{name}/webhooks",
    operation_id = "createWebhook",
    tag = "webhooks",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    request_body(content = CreateWebhook, example = json!({"url": "https://hooks.example.com/weir", "kinds": ["StreamStarted", "StreamEnded"]})),
    responses(
        (status = 201, body = NewWebhook, description = "The webhook and its secret"),
        (status = 409, description = "The channel has as many as it may"),
        (status = 422, description = "The address can't be called, or no kind was chosen"),
        (status = 403, description = "Only the owner may, or the token lacks the scope"),
        (status = 404, description = "No such channel, webhook or delivery, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn create(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
    Json(request): Json<CreateWebhook>,
) -> Result<(StatusCode, Answer<NewWebhook>), ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    let made = api.webhooks.create(&who.actor, &name, request).await?;
    Ok((StatusCode::CREATED, Answer(made)))
}

/// Change a webhook, or switch it off and on
///
/// One that was disabled because it failed is told again when it is switched on, and is sent what waited.
#[utoipa::path(
    patch,
    path = "/channels/{name}/webhooks/{id}",
    operation_id = "editWebhook",
    tag = "webhooks",
    params(("name" = ChannelName, Path, description = "The channel's name"), ("id" = WebhookId, Path, description = "Which webhook")),
    request_body(content = EditWebhook, example = json!({"enabled": true})),
    responses(
        (status = 200, body = Webhook, description = "It as it is now"),
        (status = 422, description = "The address can't be called, or no kind was chosen"),
        (status = 403, description = "Only the owner may, or the token lacks the scope"),
        (status = 404, description = "No such channel, webhook or delivery, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn edit(
    State(api): State<Api>,
    who: SignedIn,
    Path((name, id)): Path<(ChannelName, WebhookId)>,
    Json(request): Json<EditWebhook>,
) -> Result<Answer<Webhook>, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    Ok(Answer(api.webhooks.edit(&who.actor, &name, &id, request).await?))
}

/// Remove a webhook
///
/// What it was still to be told goes with it.
#[utoipa::path(
    delete,
    path = "/channels/{name}/webhooks/{id}",
    operation_id = "removeWebhook",
    tag = "webhooks",
    params(("name" = ChannelName, Path, description = "The channel's name"), ("id" = WebhookId, Path, description = "Which webhook")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 403, description = "Only the owner may, or the token lacks the scope"),
        (status = 404, description = "No such channel, webhook or delivery, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn remove(
    State(api): State<Api>,
    who: SignedIn,
    Path((name, id)): Path<(ChannelName, WebhookId)>,
) -> Result<StatusCode, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    api.webhooks.remove(&who.actor, &name, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give a webhook another secret
///
/// Shown this once. For a day, deliveries are signed with the one before, too.
#[utoipa::path(
    post,
    path = "/channels/{name}/webhooks/{id}/secret",
    operation_id = "replaceWebhookSecret",
    tag = "webhooks",
    params(("name" = ChannelName, Path, description = "The channel's name"), ("id" = WebhookId, Path, description = "Which webhook")),
    responses(
        (status = 200, body = NewWebhook, description = "The webhook and its new secret"),
        (status = 403, description = "Only the owner may, or the token lacks the scope"),
        (status = 404, description = "No such channel, webhook or delivery, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn replace_secret(
    State(api): State<Api>,
    who: SignedIn,
    Path((name, id)): Path<(ChannelName, WebhookId)>,
) -> Result<Answer<NewWebhook>, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    Ok(Answer(api.webhooks.replace_secret(&who.actor, &name, &id).await?))
}

/// Try whether a webhook is reached
///
/// Sends an event of the kind `Ping`, whatever the webhook is told else. What came of it is among the deliveries.
#[utoipa::path(
    post,
    path = "/channels/{name}/webhooks/{id}/test",
    operation_id = "testWebhook",
    tag = "webhooks",
    params(("name" = ChannelName, Path, description = "The channel's name"), ("id" = WebhookId, Path, description = "Which webhook")),
    responses(
        (status = 202, description = "It is sent"),
        (status = 429, description = "Too often"),
        (status = 403, description = "Only the owner may, or the token lacks the scope"),
        (status = 404, description = "No such channel, webhook or delivery, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn ping(
    State(api): State<Api>,
    who: SignedIn,
    Path((name, id)): Path<(ChannelName, WebhookId)>,
) -> Result<StatusCode, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    api.webhooks.ping(&who.actor, &name, &id).await?;
    Ok(StatusCode::ACCEPTED)
}

/// What a webhook was told and is to be
///
/// Newest first, for 30 days, with what came of the last try.
#[utoipa::path(
    get,
    path = "/channels/{name}/webhooks/{id}/deliveries",
    operation_id = "listDeliveries",
    tag = "webhooks",
    params(("name" = ChannelName, Path, description = "The channel's name"), ("id" = WebhookId, Path, description = "Which webhook"), PageQuery),
    responses(
        (status = 200, body = Page<Delivery>, description = "A page of deliveries"),
        (status = 400, description = "The cursor or the limit can't be taken"),
        (status = 403, description = "Only the owner may, or the token lacks the scope"),
        (status = 404, description = "No such channel, webhook or delivery, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["read"]))
)]
async fn deliveries(
    State(api): State<Api>,
    who: SignedIn,
    Path((name, id)): Path<(ChannelName, WebhookId)>,
    Paging(wanted): Paging,
) -> Result<Answer<Page<Delivery>>, ProblemResponse> {
    Ok(Answer(api.webhooks.deliveries(&who.actor, &name, &id, &wanted).await?))
}

/// Send a delivery again
///
/// With the same id and body, and a new signature. One that was given up is tried from the beginning.
#[utoipa::path(
    post,
    path = "/channels/{name}/webhooks/{id}/deliveries/{event}/replay",
    operation_id = "replayDelivery",
    tag = "webhooks",
    params(("name" = ChannelName, Path, description = "The channel's name"), ("id" = WebhookId, Path, description = "Which webhook"), ("event" = EventId, Path, description = "Which delivery")),
    responses(
        (status = 202, body = Delivery, description = "It is sent"),
        (status = 429, description = "Too often"),
        (status = 403, description = "Only the owner may, or the token lacks the scope"),
        (status = 404, description = "No such channel, webhook or delivery, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn replay(
    State(api): State<Api>,
    who: SignedIn,
    Path((name, id, event)): Path<(ChannelName, WebhookId, EventId)>,
) -> Result<(StatusCode, Answer<Delivery>), ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    let again = api.webhooks.replay(&who.actor, &name, (&id, &event)).await?;
    Ok((StatusCode::ACCEPTED, Answer(again)))
}
