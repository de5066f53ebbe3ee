//! Accounts over HTTP.

use super::{
    argon2::HashError,
    service::{AccountError, Accounts},
    token,
};
use crate::http::{
    extract::{Json, Paging, Path},
    login::{self, HasLogins, Logins, SignedIn},
    peer::Peer,
    problem::ProblemResponse,
};
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use shared::{
    account::{SetUp, SignIn},
    id::LoginId,
};
use std::sync::Arc;

/// What these routes work with.
#[derive(Clone)]
struct Account {
    service: Accounts,
    logins: Arc<dyn Logins>,
}

impl HasLogins for Account {
    fn logins(&self) -> &Arc<dyn Logins> {
        &self.logins
    }
}

/// Set-up, signing in and out, me and my logins.
pub fn routes(service: Accounts) -> Router {
    let logins: Arc<dyn Logins> = Arc::new(service.clone());
    Router::new()
        .route("/setup", post(set_up))
        .route("/login", post(sign_in))
        .route("/logout", post(sign_out))
        .route("/me", get(me))
        .route("/me/logins", get(logins_of_me))
        .route("/me/logins/{id}", delete(revoke))
        .with_state(Account { service: service.clone(), logins: logins.clone() })
        .merge(token::routes::routes(service.tokens().clone(), logins))
}

async fn set_up(
    State(account): State<Account>,
    peer: Peer,
    headers: HeaderMap,
    Json(request): Json<SetUp>,
) -> Result<Response, ProblemResponse> {
    let (me, secret) = account.service.set_up(request, user_agent(&headers), peer.address).await?;
    let cookie = login::cookie(&secret, peer.secure);
    Ok((StatusCode::CREATED, [(header::SET_COOKIE, cookie)], axum::Json(me)).into_response())
}

async fn sign_in(
    State(account): State<Account>,
    peer: Peer,
    headers: HeaderMap,
    Json(request): Json<SignIn>,
) -> Result<Response, ProblemResponse> {
    let (me, secret) = account.service.sign_in(request, user_agent(&headers), peer.address).await?;
    let cookie = login::cookie(&secret, peer.secure);
    Ok(([(header::SET_COOKIE, cookie)], axum::Json(me)).into_response())
}

/// Ends the login, and takes the cookie back even if there is none.
async fn sign_out(
    State(account): State<Account>,
    peer: Peer,
    who: Option<SignedIn>,
) -> Result<Response, ProblemResponse> {
    if let Some(who) = who {
        match account.service.revoke(&who.actor, who.login()?).await {
            Ok(()) | Err(AccountError::UnknownLogin) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, login::no_cookie(peer.secure))]).into_response())
}

async fn me(State(account): State<Account>, who: SignedIn) -> Result<Response, ProblemResponse> {
    Ok(axum::Json(account.service.me(&who.actor).await?).into_response())
}

async fn logins_of_me(
    State(account): State<Account>,
    who: SignedIn,
    Paging(wanted): Paging,
) -> Result<Response, ProblemResponse> {
    Ok(axum::Json(account.service.logins(&who, &wanted).await?).into_response())
}

async fn revoke(
    State(account): State<Account>,
    who: SignedIn,
    Path(id): Path<LoginId>,
) -> Result<StatusCode, ProblemResponse> {
    who.login()?;
    account.service.revoke(&who.actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn user_agent(headers: &HeaderMap) -> &str {
    headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

impl From<AccountError> for ProblemResponse {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::WrongPassword => Self::new(
                StatusCode::UNAUTHORIZED,
                "wrong-password",
                "Not signed in",
                "The name or the password is wrong. Check both and try again.",
            ),
            AccountError::TooMany { wait } => {
                let seconds = wait.as_secs() + 1;
                Self::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    "too-many-tries",
                    "Too many tries",
                    format!("There were too many tries. Wait {seconds} s, then try again."),
                )
                .retry_after(seconds)
            }
            AccountError::StaleLink => Self::new(
                StatusCode::FORBIDDEN,
                "stale-set-up-link",
                "This set-up link no longer works",
                "It was used, or the server has been started again since. If nobody has set Weir up yet, \
                 the newest link is on the server's console.",
            )
            .field("token"),
            AccountError::ChannelTaken => Self::taken("channel"),
            AccountError::NameTaken => Self::taken("name"),
            AccountError::UnknownLogin => Self::new(
                StatusCode::NOT_FOUND,
                "unknown-login",
                "No such login",
                "That browser is signed out already.",
            ),
            AccountError::SignedOut => Self::signed_out(),
            AccountError::Hash(HashError::Busy) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "busy",
                "Many people are signing in",
                "Too many people are signing in at this moment. Try again in a few seconds.",
            )
            .retry_after(3),
            AccountError::Hash(error) => Self::internal(&error),
            AccountError::Store(error) => error.into(),
        }
    }
}
