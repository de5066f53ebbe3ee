//! Profiles, pictures and passwords over HTTP.

use crate::{
    account::{routes::Account, service::Accounts},
    http::{
        extract::{Json, Path},
        fallback, headers,
        login::SignedIn,
        problem::ProblemResponse,
    },
    portrait::{BYTES_MOST, Kind},
};
use axum::{
    Json as Answer, Router,
    extract::{DefaultBodyLimit, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use shared::{
    account::{ChangePassword, EditMe, Me, PublicProfile, SetAvatar, SetColour},
    text::AccountName,
};
use utoipa_axum::{router::OpenApiRouter, routes};

/// What a person says of themselves, their picture, their password.
pub fn routes(service: Accounts) -> OpenApiRouter {
    // A picture in base64, and the words around it.
    let room = DefaultBodyLimit::max(BYTES_MOST / 3 * 4 + 1024);
    let account = Account::new(service);
    OpenApiRouter::new()
        .routes(routes!(profile))
        .routes(routes!(edit))
        .routes(routes!(colour))
        .routes(routes!(password))
        .routes(routes!(end_other_logins))
        .merge(OpenApiRouter::new().routes(routes!(set_avatar, remove_avatar)).layer(room))
        .with_state(account)
}

/// `/avatars/{hash}`: pictures that the server made. Their address changes with them.
pub fn avatars(service: Accounts) -> Router {
    Router::new().route("/avatars/{hash}", get(avatar)).with_state(service)
}

async fn avatar(
    State(accounts): State<Accounts>,
    Path(hash): Path<String>,
) -> Result<Response, ProblemResponse> {
    let portrait = accounts.avatar(&hash).await?.ok_or_else(fallback::not_found)?;
    let kind = match portrait.kind {
        Kind::Png => "image/png",
        Kind::Jpeg => "image/jpeg",
    };
    let mut response = portrait.bytes.into_response();
    let set = response.headers_mut();
    set.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    set.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    // It is nothing but pixels; should a browser take it for anything else all the same, that can do nothing.
    let policy = HeaderValue::from_static("default-src 'none'; sandbox");
    set.insert(header::CONTENT_SECURITY_POLICY, policy);
    headers::open_to_all(set);
    Ok(response)
}

/// What everybody may know of a person
#[utoipa::path(
    get,
    path = "/people/{account}",
    operation_id = "readProfile",
    tag = "account",
    params(("account" = AccountName, Path, description = "What they sign in with")),
    responses(
        (status = 200, body = PublicProfile, description = "Their profile, and their public channels"),
        (status = 404, description = "Nobody of this name"),
    )
)]
async fn profile(
    State(account): State<Account>,
    Path(name): Path<AccountName>,
) -> Result<Answer<PublicProfile>, ProblemResponse> {
    Ok(Answer(account.service.profile(&name).await?))
}

/// Change what you say of yourself
///
/// What is absent stays.
#[utoipa::path(
    patch,
    path = "/me",
    operation_id = "editMe",
    tag = "account",
    request_body(content = EditMe, example = json!({"displayName": "Ada Lovelace", "bio": "Rivers and engines."})),
    responses(
        (status = 200, body = Me, description = "The account as it is now"),
        (status = 403, description = "A token can't do this"),
        (status = 409, description = "The name is too much like somebody's"),
    ),
    security(("login" = []))
)]
async fn edit(
    State(account): State<Account>,
    who: SignedIn,
    Json(request): Json<EditMe>,
) -> Result<Answer<Me>, ProblemResponse> {
    who.login()?;
    Ok(Answer(account.service.edit_me(&who.actor, request).await?))
}

/// Choose the colour of your name in chats
///
/// One of the hues that there are, which pages show so that it can be read on their ground. With null it has the one again that
/// goes by who you are.
#[utoipa::path(
    put,
    path = "/me/colour",
    operation_id = "setColour",
    tag = "account",
    request_body(content = SetColour, example = json!({"colour": "teal"})),
    responses(
        (status = 200, body = Me, description = "The account as it is now"),
        (status = 403, description = "A token can't do this"),
        (status = 422, description = "There is no such colour"),
        (status = 429, description = "Too often"),
    ),
    security(("login" = []))
)]
async fn colour(
    State(account): State<Account>,
    who: SignedIn,
    Json(request): Json<SetColour>,
) -> Result<Answer<Me>, ProblemResponse> {
    who.login()?;
    account.service.set_colour(&who.actor.account, request.colour).await?;
    Ok(Answer(account.service.me(&who.actor).await?))
}

/// Set your picture
///
/// The server makes its own of it, 256 pixels square. Of one that moves, the first picture is taken.
#[utoipa::path(
    put,
    path = "/me/avatar",
    operation_id = "setAvatar",
    tag = "account",
    request_body(content = SetAvatar, example = json!({"image": "iVBORw0KGgo…"})),
    responses(
        (status = 200, body = Me, description = "The account, with the picture's address"),
        (status = 403, description = "A token can't do this"),
        (status = 422, description = "It is no picture that is taken, or too large"),
        (status = 429, description = "Too often"),
    ),
    security(("login" = []))
)]
async fn set_avatar(
    State(account): State<Account>,
    who: SignedIn,
    Json(request): Json<SetAvatar>,
) -> Result<Answer<Me>, ProblemResponse> {
    who.login()?;
    Ok(Answer(account.service.set_avatar(&who.actor, &request.image).await?))
}

/// Remove your picture
#[utoipa::path(
    delete,
    path = "/me/avatar",
    operation_id = "removeAvatar",
    tag = "account",
    responses(
        (status = 200, body = Me, description = "The account, without a picture"),
        (status = 403, description = "A token can't do this"),
    ),
    security(("login" = []))
)]
async fn remove_avatar(State(account): State<Account>, who: SignedIn) -> Result<Answer<Me>, ProblemResponse> {
    who.login()?;
    Ok(Answer(account.service.remove_avatar(&who.actor).await?))
}

/// Change your password
///
/// Every other login ends; API tokens go on.
#[utoipa::path(
    put,
    path = "/me/password",
    operation_id = "changePassword",
    tag = "account",
    request_body(content = ChangePassword, example = json!({"current": "correct horse battery", "new": "another horse battery"})),
    responses(
        (status = 204, description = "The new one works, and the old one doesn't"),
        (status = 403, description = "A token can't do this"),
        (status = 422, description = "The current one is wrong"),
        (status = 429, description = "Too many tries"),
    ),
    security(("login" = []))
)]
async fn password(
    State(account): State<Account>,
    who: SignedIn,
    Json(request): Json<ChangePassword>,
) -> Result<StatusCode, ProblemResponse> {
    let login = who.login()?;
    account.service.change_password(&who.actor, login, request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sign out everywhere else
#[utoipa::path(
    post,
    path = "/me/logins/end-others",
    operation_id = "endOtherLogins",
    tag = "account",
    responses(
        (status = 204, description = "This login is the only one"),
        (status = 403, description = "A token can't do this"),
    ),
    security(("login" = []))
)]
async fn end_other_logins(
    State(account): State<Account>,
    who: SignedIn,
) -> Result<StatusCode, ProblemResponse> {
    let login = who.login()?;
    account.service.end_other_logins(&who.actor, login).await?;
    Ok(StatusCode::NO_CONTENT)
}
