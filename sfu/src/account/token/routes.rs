//! API tokens over HTTP: a person makes and revokes them, and a program with [`Scope::Read`] sees the list.
//!
//! [`Scope::Read`]: shared::account::Scope::Read

use super::{rules, service::TokenError};
use crate::{
    account::{routes::Account, service::Accounts},
    http::{
        extract::{Json, Paging, Path},
        login::SignedIn,
        problem::ProblemResponse,
    },
};
use axum::{
    Json as Answer,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use shared::{
    account::{ApiToken, CreateApiToken, NewApiToken},
    id::TokenId,
    page::{Page, PageQuery},
};
use utoipa_axum::{router::OpenApiRouter, routes};

/// `/me/tokens`.
pub fn routes(service: Accounts) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(revoke))
        .with_state(Account::new(service))
}

/// API tokens of the account
///
/// Newest first; without their secrets.
#[utoipa::path(
    get,
    path = "/me/tokens",
    operation_id = "listTokens",
    tag = "account",
    params(PageQuery),
    responses(
        (status = 200, body = Page<ApiToken>, description = "A page of tokens"),
        (status = 400, description = "The cursor or the limit can't be taken"),
        (status = 403, description = "The token lacks the scope"),
    ),
    security(("login" = []), ("token" = ["read"]))
)]
async fn list(
    State(account): State<Account>,
    who: SignedIn,
    Paging(wanted): Paging,
) -> Result<Answer<Page<ApiToken>>, ProblemResponse> {
    Ok(Answer(account.service.tokens().list(&who.actor, &wanted).await?))
}

/// Make an API token
///
/// Its secret is shown this once. One with `instance:read` or `instance:manage` is for those who run the instance, and needs the
/// password unless this browser signed in within the last ten minutes.
#[utoipa::path(
    post,
    path = "/me/tokens",
    operation_id = "createToken",
    tag = "account",
    request_body(content = CreateApiToken, example = json!({"label": "Stream deck", "scopes": ["read", "channel:write"], "days": 365})),
    responses(
        (status = 201, body = NewApiToken, description = "The token and its secret"),
        (status = 403, description = "A token can't do this, or the account doesn't run the instance"),
        (status = 409, description = "The account has as many as it may"),
        (status = 422, description = "The password is needed, or something can't be taken"),
        (status = 429, description = "Too many tries"),
    ),
    security(("login" = []))
)]
async fn create(
    State(account): State<Account>,
    who: SignedIn,
    Json(request): Json<CreateApiToken>,
) -> Result<Response, ProblemResponse> {
    let login = who.login()?;
    let made = account.service.create_token((&who.actor, login), request).await?;
    Ok((StatusCode::CREATED, Answer(made)).into_response())
}

/// Revoke an API token
#[utoipa::path(
    delete,
    path = "/me/tokens/{id}",
    operation_id = "revokeToken",
    tag = "account",
    params(("id" = TokenId, Path, description = "Which token")),
    responses(
        (status = 204, description = "It doesn't work any more"),
        (status = 403, description = "A token can't do this"),
        (status = 404, description = "No such token"),
    ),
    security(("login" = []))
)]
async fn revoke(
    State(account): State<Account>,
    who: SignedIn,
    Path(id): Path<TokenId>,
) -> Result<StatusCode, ProblemResponse> {
    who.login()?;
    account.service.tokens().revoke(&who.actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<TokenError> for ProblemResponse {
    fn from(error: TokenError) -> Self {
        let invalid = |field: &str, title: &str, detail: String| {
            Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", title, detail).field(field)
        };
        match error {
            TokenError::NoScope => invalid(
                "scopes",
                "The token could do nothing",
                "Choose at least one thing that the token may do.".to_owned(),
            ),
            TokenError::Days => invalid(
                "days",
                "The token can't be good for so long",
                format!(
                    "A token is good for 1 to {} days, or for ever if “days” is left out.",
                    rules::DAYS_MOST
                ),
            ),
            TokenError::TooMany => Self::new(
                StatusCode::CONFLICT,
                "too-many-tokens",
                "Too many tokens",
                format!(
                    "An account has at most {} tokens. Revoke one that isn't used any more.",
                    rules::TOKENS_MOST
                ),
            ),
            TokenError::Unknown => Self::new(
                StatusCode::NOT_FOUND,
                "unknown-token",
                "No such token",
                "This token was revoked already.",
            ),
            TokenError::Account(error) => error.into(),
            TokenError::Store(error) => error.into(),
        }
    }
}
