//! API tokens over HTTP: a person makes and revokes them, and a program with [`Scope::Read`] sees the list.
//!
//! [`Scope::Read`]: shared::account::Scope::Read

use super::{
    rules,
    service::{TokenError, Tokens},
};
use crate::http::{
    extract::{Json, Paging, Path},
    login::{HasLogins, Logins, SignedIn},
    problem::ProblemResponse,
};
use axum::{
    Json as Answer, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{delete, get},
};
use shared::{
    account::{ApiToken, CreateApiToken},
    id::TokenId,
    page::Page,
};
use std::sync::Arc;

#[derive(Clone)]
struct Api {
    tokens: Tokens,
    logins: Arc<dyn Logins>,
}

impl HasLogins for Api {
    fn logins(&self) -> &Arc<dyn Logins> {
        &self.logins
    }
}

/// `/me/tokens`.
pub fn routes(tokens: Tokens, logins: Arc<dyn Logins>) -> Router {
    Router::new()
        .route("/me/tokens", get(list).post(create))
        .route("/me/tokens/{id}", delete(revoke))
        .with_state(Api { tokens, logins })
}

async fn list(
    State(api): State<Api>,
    who: SignedIn,
    Paging(wanted): Paging,
) -> Result<Answer<Page<ApiToken>>, ProblemResponse> {
    Ok(Answer(api.tokens.list(&who.actor, &wanted).await?))
}

async fn create(
    State(api): State<Api>,
    who: SignedIn,
    Json(request): Json<CreateApiToken>,
) -> Result<Response, ProblemResponse> {
    who.login()?;
    let made = api.tokens.create(&who.actor, request).await?;
    Ok((StatusCode::CREATED, Answer(made)).into_response())
}

async fn revoke(
    State(api): State<Api>,
    who: SignedIn,
    Path(id): Path<TokenId>,
) -> Result<StatusCode, ProblemResponse> {
    who.login()?;
    api.tokens.revoke(&who.actor, &id).await?;
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
            TokenError::Store(error) => error.into(),
        }
    }
}
