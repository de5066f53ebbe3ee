//! Accounts over HTTP.

use super::{
    argon2::HashError,
    gone,
    join::{self, rules::Shut},
    passkey, people, profile, reset,
    service::{AccountError, Accounts},
    threat::service::Came,
    token,
};
use crate::{
    http::{
        extract::{Json, Paging, Path},
        login::{self, HasLogins, Logins, SignedIn},
        peer::Peer,
        problem::ProblemResponse,
    },
    portrait::PortraitError,
};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use shared::{
    account::{Login, Me, SetUp, SignIn},
    id::LoginId,
    page::{Page, PageQuery},
};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

/// What these routes work with.
#[derive(Clone)]
pub(super) struct Account {
    pub(super) service: Accounts,
    logins: Arc<dyn Logins>,
}

impl Account {
    pub(super) fn new(service: Accounts) -> Self {
        let logins = Arc::new(service.clone());
        Self { service, logins }
    }
}

impl HasLogins for Account {
    fn logins(&self) -> &Arc<dyn Logins> {
        &self.logins
    }
}

/// Set-up, signing in and out, me and my logins.
pub fn routes(service: Accounts) -> OpenApiRouter {
    let logins: Arc<dyn Logins> = Arc::new(service.clone());
    OpenApiRouter::new()
        .routes(routes!(set_up))
        .routes(routes!(sign_in))
        .routes(routes!(sign_out))
        .routes(routes!(me))
        .routes(routes!(logins_of_me))
        .routes(routes!(revoke))
        .with_state(Account { service: service.clone(), logins })
        .merge(join::routes::routes(service.clone()))
        .merge(profile::routes::routes(service.clone()))
        .merge(passkey::routes::routes(service.clone()))
        .merge(people::routes::routes(service.clone()))
        .merge(gone::routes::routes(service.clone()))
        .merge(reset::routes::routes(reset::service::PasswordResets::new(service.clone())))
        .merge(token::routes::routes(service))
}

/// Set the server up
///
/// Makes the owner's account and first channel with the one-time link from the console, and signs in.
#[utoipa::path(
    post,
    path = "/setup",
    operation_id = "setUp",
    tag = "account",
    request_body(content = SetUp, example = json!({"token": "…", "name": "ada", "displayName": "Ada", "password": "correct horse battery", "channel": "ada"})),
    responses(
        (status = 201, body = Me, description = "The owner, and a login cookie", headers(("Set-Cookie" = String))),
        (status = 403, description = "The link was used, or is from an earlier start"),
        (status = 409, description = "There is a channel with this name"),
        (status = 429, description = "Too many tries"),
    )
)]
async fn set_up(
    State(account): State<Account>,
    peer: Peer,
    headers: HeaderMap,
    Json(request): Json<SetUp>,
) -> Result<Response, ProblemResponse> {
    let (me, secret) = account.service.set_up(request, came(&peer, &headers)).await?;
    let cookie = login::cookie(&secret, peer.secure);
    Ok((StatusCode::CREATED, [(header::SET_COOKIE, cookie)], axum::Json(me)).into_response())
}

/// Sign in
#[utoipa::path(
    post,
    path = "/login",
    operation_id = "signIn",
    tag = "account",
    request_body(content = SignIn, example = json!({"name": "ada", "password": "correct horse battery"})),
    responses(
        (status = 200, body = Me, description = "Who signed in, and a login cookie", headers(("Set-Cookie" = String))),
        (status = 401, description = "The name or the password is wrong"),
        (status = 429, description = "Too many tries"),
    )
)]
async fn sign_in(
    State(account): State<Account>,
    peer: Peer,
    headers: HeaderMap,
    Json(request): Json<SignIn>,
) -> Result<Response, ProblemResponse> {
    let (me, secret) = account.service.sign_in(request, came(&peer, &headers)).await?;
    let cookie = login::cookie(&secret, peer.secure);
    Ok(([(header::SET_COOKIE, cookie)], axum::Json(me)).into_response())
}

/// Sign out
///
/// Ends the login, and takes the cookie back even if there is none.
#[utoipa::path(
    post,
    path = "/logout",
    operation_id = "signOut",
    tag = "account",
    responses(
        (status = 204, description = "Signed out"),
        (status = 403, description = "A token can't do this"),
    ),
    security((), ("login" = []))
)]
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

/// Who is signed in
#[utoipa::path(
    get,
    path = "/me",
    operation_id = "readMe",
    tag = "account",
    responses(
        (status = 200, body = Me, description = "The account and its channels"),
        (status = 403, description = "The token lacks the scope"),
    ),
    security(("login" = []), ("token" = ["read"]))
)]
async fn me(State(account): State<Account>, who: SignedIn) -> Result<Response, ProblemResponse> {
    Ok(axum::Json(account.service.me(&who.actor).await?).into_response())
}

/// Where the account is signed in
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/me/logins",
    operation_id = "listLogins",
    tag = "account",
    params(PageQuery),
    responses(
        (status = 200, body = Page<Login>, description = "A page of logins"),
        (status = 400, description = "The cursor or the limit can't be taken"),
        (status = 403, description = "The token lacks the scope"),
    ),
    security(("login" = []), ("token" = ["read"]))
)]
async fn logins_of_me(
    State(account): State<Account>,
    who: SignedIn,
    Paging(wanted): Paging,
) -> Result<Response, ProblemResponse> {
    Ok(axum::Json(account.service.logins(&who, &wanted).await?).into_response())
}

/// Sign another browser out
#[utoipa::path(
    delete,
    path = "/me/logins/{id}",
    operation_id = "revokeLogin",
    tag = "account",
    params(("id" = LoginId, Path, description = "Which login")),
    responses(
        (status = 204, description = "That login is over"),
        (status = 403, description = "A token can't do this"),
        (status = 404, description = "No such login"),
    ),
    security(("login" = []))
)]
async fn revoke(
    State(account): State<Account>,
    who: SignedIn,
    Path(id): Path<LoginId>,
) -> Result<StatusCode, ProblemResponse> {
    who.login()?;
    account.service.revoke(&who.actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// How somebody comes to sign in.
pub(super) fn came<'a>(peer: &Peer, headers: &'a HeaderMap) -> Came<'a> {
    Came { user_agent: user_agent(headers), address: peer.address, kept_address: peer.kept_address }
}

pub(super) fn user_agent(headers: &HeaderMap) -> &str {
    headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

impl From<AccountError> for ProblemResponse {
    fn from(error: AccountError) -> Self {
        let invalid = |field: &str, detail: &str| {
            let title = "Something in the request can't be taken";
            Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", title, detail).field(field)
        };
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
            AccountError::Suspended => Self::new(
                StatusCode::FORBIDDEN,
                "suspended",
                "This account is suspended",
                "Those who run this instance have suspended this account. Ask them why.",
            ),
            AccountError::Shut(Shut::Closed) => Self::new(
                StatusCode::FORBIDDEN,
                "sign-up-closed",
                "No accounts are made here",
                "Nobody can make an account on this instance. Ask whoever runs it.",
            ),
            AccountError::Shut(Shut::NeedsInvite) => Self::new(
                StatusCode::FORBIDDEN,
                "invite-needed",
                "An invite is needed",
                "An account here takes an invite that works. This one is used up, is over or isn't whole, or there is none: ask for one.",
            )
            .field("invite"),
            AccountError::LookAlike { field } => Self::look_alike(field),
            AccountError::NotAllowed => Self::new(
                StatusCode::FORBIDDEN,
                "not-yours",
                "For those who run the instance",
                "Only those who run this instance may do this, and some of it only its owner. Sign in as one of them.",
            ),
            AccountError::UnknownPerson => Self::new(
                StatusCode::NOT_FOUND,
                "unknown-account",
                "Nobody of this name",
                "Nobody has an account with this name. Check how it is written.",
            ),
            AccountError::Untouchable => Self::new(
                StatusCode::CONFLICT,
                "untouchable",
                "This can't be done to them",
                "The owner of the instance stays its owner and can't be suspended, and nobody can do this to themselves.",
            ),
            AccountError::UnknownInvite => Self::new(
                StatusCode::NOT_FOUND,
                "unknown-invite",
                "No such invite",
                "This invite was revoked already.",
            ),
            AccountError::InviteDays => invalid("days", "An invite is good for 1 to 365 days."),
            AccountError::InviteUses => invalid("uses", "An invite is for 1 to 1,000 people."),
            AccountError::TooManyInvites => Self::new(
                StatusCode::CONFLICT,
                "too-many-invites",
                "Too many invites",
                "There are as many invites as there may be. Revoke some that aren't used any more.",
            ),
            AccountError::WrongCurrentPassword => {
                invalid("current", "This is not your current password. Check it: capital letters count.")
            }
            AccountError::NoLetters => Self::new(
                StatusCode::CONFLICT,
                "no-email",
                "This server sends no e-mail",
                "Whoever runs this server has set no mail server. Ask them for a link to a new password: they make one in the server's shell.",
            ),
            AccountError::StaleReset => Self::new(
                StatusCode::FORBIDDEN,
                "stale-link",
                "This link doesn't work",
                "It was used, is older than an hour, or isn't whole. Copy all of it, or ask for another one.",
            )
            .field("token"),
            AccountError::SignInAgain => Self::new(
                StatusCode::FORBIDDEN,
                "sign-in-again",
                "Sign in again first",
                "You signed in more than ten minutes ago, and your account has no password to ask for. Sign out, sign in again, and do it then.",
            ),
            AccountError::PasswordNeeded => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "password-needed",
                "Your password is needed",
                "You signed in a while ago. Enter your password, so that nobody else opens a way into your account at a browser that you left.",
            )
            .field("password"),
            AccountError::NotThePassword => {
                invalid("password", "This is not your password. Check it: capital letters count.")
            }
            AccountError::Confirm => {
                invalid("confirm", "Type the account's name as it signs in, so that no other one is meant.")
            }
            AccountError::NotBase64 => invalid("image", "The picture must be sent in base64."),
            AccountError::Portrait(error) => invalid(
                "image",
                match error {
                    PortraitError::TooLarge => "A picture has at most 4 MiB. Make it smaller.",
                    PortraitError::Kind => "A picture is a PNG, JPEG, WebP or GIF. This is something else.",
                    PortraitError::TooManyPixels => "A picture has at most 8,192 pixels a side, and 40 million in all. Make it smaller.",
                    PortraitError::Broken => "This picture is broken and can't be read. Try another.",
                },
            ),
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
