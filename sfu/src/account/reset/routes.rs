//! New passwords for those who forgot theirs, over HTTP.

use super::service::PasswordResets;
use crate::http::{extract::Json, peer::Peer, problem::ProblemResponse};
use axum::{extract::State, http::StatusCode};
use shared::account::{AskPasswordReset, ResetPassword};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Asking for a link, and using it.
pub fn routes(resets: PasswordResets) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(ask)).routes(routes!(reset)).with_state(resets)
}

/// Ask for a new password
///
/// Who has an account with a confirmed address gets a letter with a link that works once, for an hour. The answer is the same
/// whether there is such an account or not.
#[utoipa::path(
    post,
    path = "/password-reset",
    operation_id = "askPasswordReset",
    tag = "account",
    request_body(content = AskPasswordReset, example = json!({"account": "ada"})),
    responses(
        (status = 202, description = "A letter is on its way, if there is somebody to get it"),
        (status = 409, description = "This server sends no e-mail"),
        (status = 429, description = "Too often"),
    )
)]
async fn ask(
    State(resets): State<PasswordResets>,
    peer: Peer,
    Json(request): Json<AskPasswordReset>,
) -> Result<StatusCode, ProblemResponse> {
    resets.ask(&request.account, peer.address)?;
    Ok(StatusCode::ACCEPTED)
}

/// Set a new password
///
/// With the token of the link. Every login ends; API tokens go on.
#[utoipa::path(
    post,
    path = "/password-reset/confirm",
    operation_id = "resetPassword",
    tag = "account",
    request_body(content = ResetPassword, example = json!({"token": "…", "password": "another horse battery"})),
    responses(
        (status = 204, description = "It is the password now"),
        (status = 403, description = "The link was used, is over, or isn't whole"),
        (status = 429, description = "Too many tries"),
    )
)]
async fn reset(
    State(resets): State<PasswordResets>,
    peer: Peer,
    Json(request): Json<ResetPassword>,
) -> Result<StatusCode, ProblemResponse> {
    resets.reset(&request.token, request.password, peer.address).await?;
    Ok(StatusCode::NO_CONTENT)
}
