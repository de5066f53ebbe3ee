//! Subscriptions over HTTP.

use super::{
    billing::Unsettled,
    rules::OutOfRange,
    service::{SubscriptionError, Subscriptions},
};
use crate::http::{
    extract::{Json, Paging, Path},
    login::{self, HasLogins, Logins, SignedIn},
    peer::Peer,
    problem::ProblemResponse,
};
use axum::{
    Json as Answer,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use shared::{
    account::Scope,
    id::{ChannelName, GiftBatchId},
    page::{Page, PageQuery},
    subscription::{
        BATCHES_MOST, CODE_DAYS_MOST, CODES_MOST, CreateGiftCodes, DAYS_MOST, GiftBatch, GrantSubscription,
        NewGiftCodes, RedeemCode, Subscriber, Subscription, SubscriptionOffer,
    },
    text::AccountName,
};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

#[derive(Clone)]
struct Api {
    subscriptions: Subscriptions,
    logins: Arc<dyn Logins>,
}

impl HasLogins for Api {
    fn logins(&self) -> &Arc<dyn Logins> {
        &self.logins
    }
}

/// Subscribing, and giving subscriptions.
pub fn routes(subscriptions: Subscriptions, logins: Arc<dyn Logins>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(offer))
        .routes(routes!(own, redeem))
        .routes(routes!(subscribers))
        .routes(routes!(grant, end))
        .routes(routes!(batches, make_codes))
        .routes(routes!(withdraw))
        .with_state(Api { subscriptions, logins })
}

/// What there is to subscribe to
///
/// A channel's tiers, and what whoever asks has of them.
#[utoipa::path(
    get,
    path = "/channels/{name}/subscription",
    operation_id = "readSubscription",
    tag = "social",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    responses(
        (status = 200, body = SubscriptionOffer, description = "One's own, and the tiers"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security((), ("login" = []), ("token" = ["read"]))
)]
async fn offer(
    State(api): State<Api>,
    who: Option<SignedIn>,
    headers: HeaderMap,
    Path(name): Path<ChannelName>,
) -> Result<Answer<SubscriptionOffer>, ProblemResponse> {
    Ok(Answer(api.subscriptions.offer(login::visitor(who.as_ref(), &headers), &name).await?))
}

/// What you subscribe to
///
/// The latest end first. Of a channel in which you have two tiers, both.
#[utoipa::path(
    get,
    path = "/me/subscriptions",
    operation_id = "listSubscriptions",
    tag = "social",
    params(PageQuery),
    responses(
        (status = 200, body = Page<Subscription>, description = "A page of subscriptions"),
        (status = 400, description = "The cursor or the limit can't be taken"),
        (status = 403, description = "The token lacks the scope"),
    ),
    security(("login" = []), ("token" = ["read"]))
)]
async fn own(
    State(api): State<Api>,
    who: SignedIn,
    Paging(wanted): Paging,
) -> Result<Answer<Page<Subscription>>, ProblemResponse> {
    Ok(Answer(api.subscriptions.of(&who.actor, &wanted).await?))
}

/// Redeem a gift code
///
/// Once. By the same person again, it is answered with what they have.
#[utoipa::path(
    post,
    path = "/me/subscriptions",
    operation_id = "redeemCode",
    tag = "social",
    request_body(content = RedeemCode, example = json!({"code": "0123-4567-89AB-CDEF-GHJK"})),
    responses(
        (status = 200, body = Subscription, description = "What it brought"),
        (status = 403, description = "The token lacks the scope"),
        (status = 409, description = "Somebody else redeemed it"),
        (status = 410, description = "Nobody redeemed it in time"),
        (status = 422, description = "There is no such code"),
        (status = 429, description = "Too many tries; `retryAfter` says when"),
    ),
    security(("login" = []), ("token" = ["follow:write"]))
)]
async fn redeem(
    State(api): State<Api>,
    who: SignedIn,
    peer: Peer,
    Json(RedeemCode { code }): Json<RedeemCode>,
) -> Result<Answer<Subscription>, ProblemResponse> {
    who.may(Scope::FollowWrite)?;
    Ok(Answer(api.subscriptions.redeem(&who.actor, code, peer.address).await?))
}

/// Who subscribes
///
/// The latest end first. For the owner.
#[utoipa::path(
    get,
    path = "/channels/{name}/subscribers",
    operation_id = "listSubscribers",
    tag = "social",
    params(("name" = ChannelName, Path, description = "The channel's name"), PageQuery),
    responses(
        (status = 200, body = Page<Subscriber>, description = "A page of subscribers"),
        (status = 400, description = "The cursor or the limit can't be taken"),
        (status = 403, description = "Only the owner may, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["read"]))
)]
async fn subscribers(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
    Paging(wanted): Paging,
) -> Result<Answer<Page<Subscriber>>, ProblemResponse> {
    Ok(Answer(api.subscriptions.subscribers(&who.actor, &name, &wanted).await?))
}

/// Give somebody a subscription
///
/// What they have of that tier already is made longer.
#[utoipa::path(
    put,
    path = "/channels/{name}/subscribers/{account}",
    operation_id = "grantSubscription",
    tag = "social",
    params(
        ("name" = ChannelName, Path, description = "The channel's name"),
        ("account" = AccountName, Path, description = "What they sign in with"),
    ),
    request_body(content = GrantSubscription, example = json!({"tier": "one", "days": 31})),
    responses(
        (status = 200, body = Subscription, description = "What they have of that tier now"),
        (status = 403, description = "Somebody else's channel, or the token lacks the scope"),
        (status = 404, description = "No such channel or account, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn grant(
    State(api): State<Api>,
    who: SignedIn,
    Path((name, account)): Path<(ChannelName, AccountName)>,
    Json(wanted): Json<GrantSubscription>,
) -> Result<Answer<Subscription>, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    Ok(Answer(api.subscriptions.grant(&who.actor, &name, &account, wanted).await?))
}

/// End somebody's subscription
///
/// In every tier. What it alone let them into, they are out of.
#[utoipa::path(
    delete,
    path = "/channels/{name}/subscribers/{account}",
    operation_id = "endSubscription",
    tag = "social",
    params(
        ("name" = ChannelName, Path, description = "The channel's name"),
        ("account" = AccountName, Path, description = "What they sign in with"),
    ),
    responses(
        (status = 204, description = "They don't subscribe any more"),
        (status = 403, description = "Somebody else's channel, or the token lacks the scope"),
        (status = 404, description = "No such channel, or nobody of this name subscribes"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn end(
    State(api): State<Api>,
    who: SignedIn,
    Path((name, account)): Path<(ChannelName, AccountName)>,
) -> Result<StatusCode, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    api.subscriptions.end(&who.actor, &name, &account).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gift codes
///
/// By the batches in which they were made, newest first; the codes themselves were shown once.
#[utoipa::path(
    get,
    path = "/channels/{name}/gift-codes",
    operation_id = "listGiftCodes",
    tag = "social",
    params(("name" = ChannelName, Path, description = "The channel's name"), PageQuery),
    responses(
        (status = 200, body = Page<GiftBatch>, description = "A page of batches"),
        (status = 400, description = "The cursor or the limit can't be taken"),
        (status = 403, description = "Only the owner may, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["read"]))
)]
async fn batches(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
    Paging(wanted): Paging,
) -> Result<Answer<Page<GiftBatch>>, ProblemResponse> {
    Ok(Answer(api.subscriptions.batches(&who.actor, &name, &wanted).await?))
}

/// Make gift codes
///
/// They are shown this once. Each brings one person a subscription.
#[utoipa::path(
    post,
    path = "/channels/{name}/gift-codes",
    operation_id = "createGiftCodes",
    tag = "social",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    request_body(content = CreateGiftCodes, example = json!({"label": "Raffle", "tier": "one", "days": 31, "count": 5})),
    responses(
        (status = 201, body = NewGiftCodes, description = "The codes"),
        (status = 403, description = "Somebody else's channel, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
        (status = 409, description = "There are as many batches as there may be"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn make_codes(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
    Json(wanted): Json<CreateGiftCodes>,
) -> Result<Response, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    let made: NewGiftCodes = api.subscriptions.make_codes(&who.actor, &name, wanted).await?;
    Ok((StatusCode::CREATED, Answer(made)).into_response())
}

/// Withdraw gift codes
///
/// Those of a batch that nobody redeemed. What was redeemed stays.
#[utoipa::path(
    delete,
    path = "/channels/{name}/gift-codes/{id}",
    operation_id = "withdrawGiftCodes",
    tag = "social",
    params(
        ("name" = ChannelName, Path, description = "The channel's name"),
        ("id" = GiftBatchId, Path, description = "Which batch"),
    ),
    responses(
        (status = 204, description = "None of them can be redeemed any more"),
        (status = 403, description = "Somebody else's channel, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know, or no such batch"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn withdraw(
    State(api): State<Api>,
    who: SignedIn,
    Path((name, id)): Path<(ChannelName, GiftBatchId)>,
) -> Result<StatusCode, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    api.subscriptions.withdraw(&who.actor, &name, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<SubscriptionError> for ProblemResponse {
    fn from(error: SubscriptionError) -> Self {
        match error {
            SubscriptionError::Unsettled(Unsettled::Unknown) => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "unknown-code",
                "No such code",
                "There is no such code, or it was withdrawn. Check how it is written.",
            )
            .field("code"),
            SubscriptionError::Unsettled(Unsettled::Used) => Self::new(
                StatusCode::CONFLICT,
                "code-used",
                "The code was redeemed",
                "Somebody redeemed this code already: each works once. Ask whoever gave it to you.",
            )
            .field("code"),
            SubscriptionError::Unsettled(Unsettled::Over) => Self::new(
                StatusCode::GONE,
                "code-over",
                "The code is over",
                "This code's time is over. Ask whoever gave it to you for another.",
            )
            .field("code"),
            SubscriptionError::Unsettled(Unsettled::Store(error)) | SubscriptionError::Store(error) => {
                error.into()
            }
            SubscriptionError::OutOfRange(OutOfRange(field)) => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid",
                "The number is out of range",
                format!(
                    "A subscription lasts 1 to {DAYS_MOST} days; 1 to {CODES_MOST} codes are made at once, to be redeemed within 1 to {CODE_DAYS_MOST} days."
                ),
            )
            .field(field),
            SubscriptionError::TooMany { wait } => {
                let seconds = wait.as_secs() + 1;
                Self::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    "too-many-tries",
                    "Too many tries",
                    format!("That was tried very often in a short time. Wait {seconds} s, then try again."),
                )
                .retry_after(seconds)
            }
            SubscriptionError::UnknownAccount => Self::new(
                StatusCode::NOT_FOUND,
                "unknown-account",
                "Nobody of this name",
                "Nobody has an account with this name. Check how it is written.",
            )
            .field("account"),
            SubscriptionError::NotSubscribed => Self::new(
                StatusCode::NOT_FOUND,
                "not-subscribed",
                "They don't subscribe",
                "They have no subscription to this channel: it ended already.",
            )
            .field("account"),
            SubscriptionError::TooManyBatches => Self::new(
                StatusCode::CONFLICT,
                "too-many-codes",
                "Too many batches of codes",
                format!("A channel has at most {BATCHES_MOST} batches of gift codes. Withdraw some."),
            ),
            SubscriptionError::UnknownBatch => Self::new(
                StatusCode::NOT_FOUND,
                "unknown-codes",
                "No such codes",
                "There is no such batch of gift codes: it was withdrawn already.",
            ),
            SubscriptionError::Refused(problem) => problem,
        }
    }
}
