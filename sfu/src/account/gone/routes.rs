//! Deleting accounts over HTTP.

use crate::{
    account::{routes::Account, service::Accounts},
    http::{
        extract::{Json, Path},
        login::{self, SignedIn},
        peer::Peer,
        problem::ProblemResponse,
    },
};
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use shared::{account::DeleteAccount, text::AccountName};
use utoipa_axum::{router::OpenApiRouter, routes};

/// `/me/delete` and `/people/{account}/delete`.
pub fn routes(service: Accounts) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(delete_me))
        .routes(routes!(delete_person))
        .with_state(Account::new(service))
}

/// Delete one's account
///
/// With it go its channels, logins, passkeys, e-mail address, provider connections, notifications, follows, subscriptions and
/// roles. What one wrote in others' chats stays, without name, colour, badges and picture, and so does what one did there as a
/// moderator. The name stays where the record has it, in what others were notified of and in what webhooks were told already,
/// until that is forgotten, and where others wrote it. Nobody is given it for 30 days. There is no way back.
#[utoipa::path(
    post,
    path = "/me/delete",
    operation_id = "deleteMe",
    tag = "account",
    request_body(content = DeleteAccount, example = json!({"confirm": "ada", "password": "correct horse battery"})),
    responses(
        (status = 204, description = "It is gone, and that is on disk; takes the cookie back"),
        (status = 403, description = "A token can't do this, or the login is too old to do it without a password"),
        (status = 409, description = "It is the last owner of the instance"),
        (status = 422, description = "`confirm` is not one's name, the password is needed, or it is wrong"),
        (status = 429, description = "Too many tries"),
    ),
    security(("login" = []))
)]
async fn delete_me(
    State(account): State<Account>,
    who: SignedIn,
    peer: Peer,
    Json(request): Json<DeleteAccount>,
) -> Result<Response, ProblemResponse> {
    let login = who.login()?;
    account.service.delete_me(&who.actor, login, request).await?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, login::no_cookie(peer.secure))]).into_response())
}

/// Delete somebody's account
///
/// As they could by themselves. For those who run the instance; an admin's only by its owner.
#[utoipa::path(
    post,
    path = "/people/{account}/delete",
    operation_id = "deletePerson",
    tag = "instance",
    params(("account" = AccountName, Path, description = "What they sign in with")),
    request_body(content = DeleteAccount, example = json!({"confirm": "ben", "password": "correct horse battery"})),
    responses(
        (status = 204, description = "It is gone, and that is on disk"),
        (status = 403, description = "Only those who run the instance may, or only its owner"),
        (status = 404, description = "Nobody of this name"),
        (status = 409, description = "It is the instance's owner, or oneself"),
        (status = 422, description = "`confirm` is not their name, the password is needed, or it is wrong"),
        (status = 429, description = "Too many tries"),
    ),
    security(("login" = []))
)]
async fn delete_person(
    State(account): State<Account>,
    who: SignedIn,
    Path(name): Path<AccountName>,
    Json(request): Json<DeleteAccount>,
) -> Result<StatusCode, ProblemResponse> {
    let login = who.login()?;
    account.service.delete_person(&who.actor, login, &name, request).await?;
    Ok(StatusCode::NO_CONTENT)
}
