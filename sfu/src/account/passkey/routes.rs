//! Passkeys over HTTP: a person adds and removes them, and anybody signs in with one.

use super::{rules, service::PasskeyError};
use crate::{
    account::{
        routes::{Account, came, user_agent},
        service::Accounts,
    },
    http::{
        extract::{Json, Paging, Path},
        login::{self, SignedIn},
        peer::Peer,
        problem::ProblemResponse,
    },
};
use axum::{
    Json as Answer,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use shared::{
    account::Me,
    id::PasskeyId,
    page::{Page, PageQuery},
    passkey::{AddPasskey, Passkey, PasskeyOptions, RenamePasskey, SignInWithPasskey, StartPasskey},
};
use utoipa_axum::{router::OpenApiRouter, routes};

/// `/me/passkeys` and `/login/passkey`.
pub fn routes(service: Accounts) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(start))
        .routes(routes!(rename, remove))
        .routes(routes!(start_sign_in))
        .routes(routes!(sign_in))
        .with_state(Account::new(service))
}

/// Passkeys of the account
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/me/passkeys",
    operation_id = "listPasskeys",
    tag = "account",
    params(PageQuery),
    responses(
        (status = 200, body = Page<Passkey>, description = "A page of passkeys"),
        (status = 400, description = "The cursor or the limit can't be taken"),
        (status = 403, description = "The token lacks the scope"),
    ),
    security(("login" = []), ("token" = ["read"]))
)]
async fn list(
    State(account): State<Account>,
    who: SignedIn,
    Paging(wanted): Paging,
) -> Result<Answer<Page<Passkey>>, ProblemResponse> {
    Ok(Answer(account.service.passkeys.list(&who.actor, &wanted).await?))
}

/// Begin to add a passkey
///
/// What a browser's `navigator.credentials.create` needs, good for one passkey within five minutes. The password is needed
/// unless this browser signed in within the last ten minutes.
#[utoipa::path(
    post,
    path = "/me/passkeys/options",
    operation_id = "startPasskey",
    tag = "account",
    request_body(content = StartPasskey, example = json!({"password": "correct horse battery"})),
    responses(
        (status = 200, body = PasskeyOptions, description = "What to make the passkey with"),
        (status = 403, description = "A token can't do this"),
        (status = 409, description = "The account has as many as it may, or the server's address has no name"),
        (status = 422, description = "The password is needed, or is wrong"),
        (status = 429, description = "Too many tries"),
    ),
    security(("login" = []))
)]
async fn start(
    State(account): State<Account>,
    peer: Peer,
    who: SignedIn,
    Json(request): Json<StartPasskey>,
) -> Result<Answer<PasskeyOptions>, ProblemResponse> {
    let login = who.login()?;
    Ok(Answer(account.service.start_passkey((&who.actor, login), request, &peer.base_url).await?))
}

/// Add a passkey
///
/// Takes what `toJSON()` gives of the credential that the browser made.
#[utoipa::path(
    post,
    path = "/me/passkeys",
    operation_id = "addPasskey",
    tag = "account",
    request_body(content = AddPasskey, example = json!({"label": "My phone", "credential": {
        "id": "AbCd…", "rawId": "AbCd…", "type": "public-key", "clientExtensionResults": {},
        "response": {"clientDataJSON": "eyJ0…", "attestationObject": "o2Nm…"}
    }})),
    responses(
        (status = 201, body = Passkey, description = "The passkey"),
        (status = 403, description = "A token can't do this"),
        (status = 409, description = "It took too long, the passkey is in use already, or the account has as many as it may"),
        (status = 422, description = "The passkey can't be taken"),
    ),
    security(("login" = []))
)]
async fn add(
    State(account): State<Account>,
    peer: Peer,
    headers: HeaderMap,
    who: SignedIn,
    Json(request): Json<AddPasskey>,
) -> Result<Response, ProblemResponse> {
    let by = (&who.actor, who.login()?);
    let from = (peer.base_url.as_str(), user_agent(&headers));
    let passkey = account.service.add_passkey(by, request, from).await?;
    Ok((StatusCode::CREATED, Answer(passkey)).into_response())
}

/// Rename a passkey
#[utoipa::path(
    patch,
    path = "/me/passkeys/{id}",
    operation_id = "renamePasskey",
    tag = "account",
    params(("id" = PasskeyId, Path, description = "Which passkey")),
    request_body(content = RenamePasskey, example = json!({"label": "The key on my ring"})),
    responses(
        (status = 200, body = Passkey, description = "The passkey as it is now"),
        (status = 403, description = "A token can't do this"),
        (status = 404, description = "No such passkey"),
    ),
    security(("login" = []))
)]
async fn rename(
    State(account): State<Account>,
    who: SignedIn,
    Path(id): Path<PasskeyId>,
    Json(request): Json<RenamePasskey>,
) -> Result<Answer<Passkey>, ProblemResponse> {
    who.login()?;
    Ok(Answer(account.service.passkeys.rename(&who.actor, &id, &request.label).await?))
}

/// Remove a passkey
///
/// Nobody can sign in with it any more. Browsers that did stay signed in.
#[utoipa::path(
    delete,
    path = "/me/passkeys/{id}",
    operation_id = "removePasskey",
    tag = "account",
    params(("id" = PasskeyId, Path, description = "Which passkey")),
    responses(
        (status = 204, description = "It doesn't work any more"),
        (status = 403, description = "A token can't do this"),
        (status = 404, description = "No such passkey"),
    ),
    security(("login" = []))
)]
async fn remove(
    State(account): State<Account>,
    who: SignedIn,
    Path(id): Path<PasskeyId>,
) -> Result<StatusCode, ProblemResponse> {
    who.login()?;
    account.service.remove_passkey(&who.actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Begin to sign in with a passkey
///
/// What a browser's `navigator.credentials.get` needs, good for one answer within five minutes. It is the same for everybody.
#[utoipa::path(
    post,
    path = "/login/passkey/options",
    operation_id = "startPasskeySignIn",
    tag = "account",
    responses(
        (status = 200, body = PasskeyOptions, description = "What to use the passkey with"),
        (status = 409, description = "The server's address has no name"),
        (status = 429, description = "Too many tries"),
    )
)]
async fn start_sign_in(
    State(account): State<Account>,
    peer: Peer,
) -> Result<Answer<PasskeyOptions>, ProblemResponse> {
    Ok(Answer(account.service.start_passkey_sign_in(&peer.base_url, peer.address)?))
}

/// Sign in with a passkey
///
/// Takes what `toJSON()` gives of the credential that the browser got.
#[utoipa::path(
    post,
    path = "/login/passkey",
    operation_id = "signInWithPasskey",
    tag = "account",
    request_body(content = SignInWithPasskey, example = json!({"credential": {
        "id": "AbCd…", "rawId": "AbCd…", "type": "public-key", "clientExtensionResults": {},
        "response": {"clientDataJSON": "eyJ0…", "authenticatorData": "SZYN…", "signature": "MEUC…", "userHandle": "MDFq…"}
    }})),
    responses(
        (status = 200, body = Me, description = "Who signed in, and a login cookie", headers(("Set-Cookie" = String))),
        (status = 401, description = "The passkey doesn't work here"),
        (status = 403, description = "The account is suspended"),
        (status = 409, description = "It took too long, or was answered already"),
        (status = 422, description = "It is no answer of a browser"),
        (status = 429, description = "Too many tries"),
    )
)]
async fn sign_in(
    State(account): State<Account>,
    peer: Peer,
    headers: HeaderMap,
    Json(request): Json<SignInWithPasskey>,
) -> Result<Response, ProblemResponse> {
    let came = came(&peer, &headers);
    let signed_in = account.service.sign_in_with_passkey(&request.credential, &peer.base_url, came);
    let (me, secret) = signed_in.await?;
    let cookie = login::cookie(&secret, peer.secure);
    Ok(([(header::SET_COOKIE, cookie)], Answer(me)).into_response())
}

impl From<PasskeyError> for ProblemResponse {
    fn from(error: PasskeyError) -> Self {
        let refused = |status, kind, title, detail: &str| Self::new(status, kind, title, detail);
        match error {
            PasskeyError::NoName => refused(
                StatusCode::CONFLICT,
                "passkeys-need-a-name",
                "Passkeys don't work at this address",
                "Browsers take passkeys for a site with a name, not for a numeric address. Whoever runs the server can give it \
                 one, with HTTPS, and set http.public_url to it.",
            ),
            PasskeyError::Unreadable => refused(
                StatusCode::UNPROCESSABLE_ENTITY,
                "passkey-unreadable",
                "The passkey can't be read",
                "What came is no passkey as browsers send them. Try again, or with another browser.",
            )
            .field("credential"),
            PasskeyError::Stale => refused(
                StatusCode::CONFLICT,
                "passkey-stale",
                "This took too long",
                "A passkey is asked for within five minutes, and each time anew. Try again.",
            ),
            PasskeyError::Refused => refused(
                StatusCode::UNPROCESSABLE_ENTITY,
                "passkey-refused",
                "The passkey can't be taken",
                "This passkey is for another site, or doesn't check that it is you. Try again, or with another device.",
            )
            .field("credential"),
            PasskeyError::Known => refused(
                StatusCode::CONFLICT,
                "passkey-known",
                "This passkey is in use already",
                "An account has this passkey already. Use another device, or remove it first.",
            ),
            PasskeyError::TooMany => Self::new(
                StatusCode::CONFLICT,
                "too-many-passkeys",
                "Too many passkeys",
                format!(
                    "An account has at most {} passkeys. Remove one that isn't used any more.",
                    rules::PASSKEYS_MOST
                ),
            ),
            PasskeyError::Unknown => refused(
                StatusCode::NOT_FOUND,
                "unknown-passkey",
                "No such passkey",
                "This passkey was removed already.",
            ),
            PasskeyError::Wrong | PasskeyError::Copied => refused(
                StatusCode::UNAUTHORIZED,
                "wrong-passkey",
                "Not signed in",
                "This passkey doesn't work here. It may have been removed: sign in with your name and password.",
            ),
            PasskeyError::Broken => Self::internal(&error),
            PasskeyError::Account(error) => error.into(),
            PasskeyError::Store(error) => error.into(),
        }
    }
}
