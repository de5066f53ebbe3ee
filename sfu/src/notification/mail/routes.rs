//! E-mail over HTTP.

use super::service::{EmailError, Mail};
use crate::http::{
    extract::{Json, Query},
    login::{HasLogins, Logins, Prove, SignedIn},
    problem::ProblemResponse,
};
use axum::{
    Json as Answer, Router,
    extract::State,
    http::StatusCode,
    routing::{MethodRouter, post},
};
use futures_util::future::BoxFuture;
use serde::Deserialize;
use shared::{
    id::AccountId,
    notification::{EmailState, EmailToken, SetEmail},
};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

/// What somebody signs in with, by their id.
pub type NameOf = Arc<dyn Fn(AccountId) -> BoxFuture<'static, String> + Send + Sync>;

#[derive(Clone)]
struct Api {
    mail: Mail,
    logins: Arc<dyn Logins>,
    name_of: NameOf,
    prove: Prove,
}

impl HasLogins for Api {
    fn logins(&self) -> &Arc<dyn Logins> {
        &self.logins
    }
}

/// One's address, and the links in letters.
pub fn routes(mail: Mail, logins: Arc<dyn Logins>, name_of: NameOf, prove: Prove) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(read, set, remove))
        .routes(routes!(confirm))
        .routes(routes!(unsubscribe))
        .with_state(Api { mail, logins, name_of, prove })
}

/// `/unsubscribe?token=…`: a page for people; `POST` is a mail program's, with one press and without a page (RFC 8058). It comes
/// from anywhere, and the token is all that counts.
pub fn one_click(mail: Mail, page: MethodRouter) -> Router {
    Router::new().route("/unsubscribe", post(pressed).with_state(mail).merge(page))
}

#[derive(Deserialize)]
struct Pressed {
    token: String,
}

async fn pressed(
    State(mail): State<Mail>,
    Query(query): Query<Pressed>,
) -> Result<StatusCode, ProblemResponse> {
    mail.unsubscribe(&query.token).await?;
    Ok(StatusCode::OK)
}

/// Your address
#[utoipa::path(
    get,
    path = "/me/email",
    operation_id = "readEmail",
    tag = "notifications",
    responses(
        (status = 200, body = EmailState, description = "The address, and whether it is confirmed"),
        (status = 403, description = "A token can't do this"),
    ),
    security(("login" = []))
)]
async fn read(State(api): State<Api>, who: SignedIn) -> Result<Answer<EmailState>, ProblemResponse> {
    who.login()?;
    Ok(Answer(api.mail.state(&who.actor.account).await?))
}

/// Set your address
///
/// A letter goes there with a link that confirms it. Until then nothing else does, and an address that was confirmed before stays.
#[utoipa::path(
    put,
    path = "/me/email",
    operation_id = "setEmail",
    tag = "notifications",
    request_body(content = SetEmail, example = json!({"address": "ada@example.org"})),
    responses(
        (status = 200, body = EmailState, description = "The address, and the one that isn't confirmed yet"),
        (status = 403, description = "A token can't do this"),
        (status = 409, description = "This server sends no e-mail"),
        (status = 422, description = "The password is needed, as they signed in a while ago; or it is wrong"),
        (status = 429, description = "Too often"),
        (status = 503, description = "The mail server did not take the letter"),
    ),
    security(("login" = []))
)]
async fn set(
    State(api): State<Api>,
    who: SignedIn,
    Json(request): Json<SetEmail>,
) -> Result<Answer<EmailState>, ProblemResponse> {
    let login = who.login()?;
    (api.prove)(who.actor.clone(), login.clone(), request.password).await?;
    let name = (api.name_of)(who.actor.account.clone()).await;
    Ok(Answer(api.mail.set(&who.actor, &name, request.address).await?))
}

/// Remove your address
#[utoipa::path(
    delete,
    path = "/me/email",
    operation_id = "removeEmail",
    tag = "notifications",
    responses(
        (status = 200, body = EmailState, description = "There is none any more"),
        (status = 403, description = "A token can't do this"),
    ),
    security(("login" = []))
)]
async fn remove(State(api): State<Api>, who: SignedIn) -> Result<Answer<EmailState>, ProblemResponse> {
    who.login()?;
    Ok(Answer(api.mail.remove(&who.actor).await?))
}

/// Confirm an address
///
/// With the token of the link that was sent there.
#[utoipa::path(
    post,
    path = "/email/confirm",
    operation_id = "confirmEmail",
    tag = "notifications",
    request_body(content = EmailToken, example = json!({"token": "…"})),
    responses(
        (status = 204, description = "It is confirmed"),
        (status = 403, description = "The link is over, or isn't whole"),
    )
)]
async fn confirm(
    State(api): State<Api>,
    Json(request): Json<EmailToken>,
) -> Result<StatusCode, ProblemResponse> {
    api.mail.confirm(&request.token).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Get no more e-mail of some kinds
///
/// With the token of the link at the end of a letter; nobody need sign in.
#[utoipa::path(
    post,
    path = "/email/unsubscribe",
    operation_id = "unsubscribeEmail",
    tag = "notifications",
    request_body(content = EmailToken, example = json!({"token": "…"})),
    responses(
        (status = 204, description = "No more comes"),
        (status = 403, description = "The link isn't whole"),
    )
)]
async fn unsubscribe(
    State(api): State<Api>,
    Json(request): Json<EmailToken>,
) -> Result<StatusCode, ProblemResponse> {
    api.mail.unsubscribe(&request.token).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<EmailError> for ProblemResponse {
    fn from(error: EmailError) -> Self {
        match error {
            EmailError::Unavailable => Self::new(
                StatusCode::CONFLICT,
                "no-email",
                "This server sends no e-mail",
                "Whoever runs this server has set no mail server. Ask them, or be told by push.",
            ),
            EmailError::TooMany { wait } => {
                let seconds = wait.as_secs() + 1;
                Self::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    "too-many-letters",
                    "Too many letters",
                    format!("Several letters were sent already. Wait {seconds} s before the next."),
                )
                .retry_after(seconds)
            }
            EmailError::NotSent => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "email-not-sent",
                "The letter could not be sent",
                "The mail server did not take the letter. Check the address, and try again in a while.",
            )
            .retry_after(60),
            EmailError::StaleLink => Self::new(
                StatusCode::FORBIDDEN,
                "stale-link",
                "This link doesn't work",
                "It was used, is older than a day, or isn't whole. Copy all of it, or ask for another letter.",
            )
            .field("token"),
            EmailError::Store(error) => error.into(),
        }
    }
}
