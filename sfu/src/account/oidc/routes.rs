//! Signing in by a provider over HTTP.

use super::{
    http::ProviderError,
    service::{Brought, Comer, Finished, Oidc, OidcError},
};
use crate::{
    account::routes::user_agent,
    http::{
        extract::Json,
        flow,
        login::{self, HasLogins, Logins, SignedIn},
        peer::{KeptAddress, Peer},
        problem::ProblemResponse,
    },
};
use axum::{
    Json as Answer,
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{AppendHeaders, IntoResponse, Response},
};
use shared::{
    account::Me,
    oidc::{ConnectOidc, OidcConnection, OidcNewcomer, OidcSignUp, OidcStarted, StartOidc},
};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

#[derive(Clone)]
struct Work {
    service: Oidc,
    logins: Arc<dyn Logins>,
}

impl HasLogins for Work {
    fn logins(&self) -> &Arc<dyn Logins> {
        &self.logins
    }
}

/// Signing in, making an account, connecting one.
pub fn routes(service: Oidc) -> OpenApiRouter {
    let logins = Arc::new(service.accounts().clone());
    OpenApiRouter::new()
        .routes(routes!(start))
        .routes(routes!(finish))
        .routes(routes!(newcomer))
        .routes(routes!(sign_up))
        .routes(routes!(connection, connect, disconnect))
        .with_state(Work { service, logins })
}

/// Begin to sign in by the provider
///
/// `provider` of the instance says whether there is one. The browser goes to the address in the answer, and comes back to
/// `/oidc/callback` with the cookie that is set here, within ten minutes.
#[utoipa::path(
    post,
    path = "/oidc/start",
    operation_id = "startOidc",
    tag = "account",
    request_body(content = StartOidc, example = json!({"returnTo": "/studio"})),
    responses(
        (status = 200, body = OidcStarted, description = "Where to go, and a cookie", headers(("Set-Cookie" = String))),
        (status = 404, description = "There is no provider"),
        (status = 429, description = "Too many tries"),
        (status = 502, description = "The provider doesn't answer, or not as it should"),
    )
)]
async fn start(
    State(work): State<Work>,
    peer: Peer,
    Json(request): Json<StartOidc>,
) -> Result<Response, ProblemResponse> {
    let started = work.service.start(request, &peer.base_url, peer.address).await?;
    let cookie = flow::cookie(&started.browser, peer.secure);
    Ok(([(header::SET_COOKIE, cookie)], Answer(OidcStarted { url: started.url })).into_response())
}

/// Come back from the provider
///
/// For browsers alone. Whatever comes of it, they are led to a page: to the one that they wanted, signed in by a new login
/// cookie; to choose a name, `/sign-up/name`; or to one that says in words why nothing came of it.
#[utoipa::path(
    get,
    path = "/oidc/callback",
    operation_id = "finishOidc",
    tag = "account",
    params(
        ("code" = Option<String>, Query, description = "To redeem"),
        ("state" = Option<String>, Query, description = "What was begun"),
        ("error" = Option<String>, Query, description = "Why there is no code"),
        ("iss" = Option<String>, Query, description = "The provider"),
    ),
    responses((status = 303, description = "To a page", headers(("Location" = String), ("Set-Cookie" = String))))
)]
async fn finish(
    State(work): State<Work>,
    peer: Peer,
    KeptAddress(kept_address): KeptAddress,
    who: Option<SignedIn>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, ProblemResponse> {
    let browser = flow::of(&headers);
    let comer = Comer {
        browser: browser.as_ref(),
        who: who.as_ref(),
        user_agent: user_agent(&headers),
        address: peer.address,
        kept_address,
    };
    let finished = work.service.finish(brought(query.as_deref().unwrap_or_default()), comer).await;
    let (cookies, to) = match finished {
        Finished::SignedIn { login, to } => {
            (vec![flow::no_cookie(peer.secure), login::cookie(&login, peer.secure)], to)
        }
        Finished::Newcomer { browser, to } => (vec![flow::cookie(&browser, peer.secure)], to),
        Finished::Back { to } => (vec![flow::no_cookie(peer.secure)], to),
    };
    let cookies = AppendHeaders(cookies.into_iter().map(|cookie| (header::SET_COOKIE, cookie)));
    let to = HeaderValue::from_str(&to).unwrap_or(HeaderValue::from_static("/"));
    // The address has a code in it: nobody is told where the browser comes from.
    let headers =
        [(header::LOCATION, to), (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"))];
    Ok((StatusCode::SEE_OTHER, cookies, headers).into_response())
}

/// What an address says, nothing of it twice.
fn brought(query: &str) -> Brought {
    let mut brought = Brought::default();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let place = match &*name {
            "code" => &mut brought.code,
            "state" => &mut brought.state,
            "error" => &mut brought.error,
            "iss" => &mut brought.iss,
            _ => continue,
        };
        if place.is_some() {
            return Brought::default();
        }
        *place = Some(value.into_owned());
    }
    brought
}

/// Who has to choose a name
///
/// As the provider calls them, who was led to `/sign-up/name` in this browser.
#[utoipa::path(
    get,
    path = "/oidc/newcomer",
    operation_id = "readOidcNewcomer",
    tag = "account",
    responses(
        (status = 200, body = OidcNewcomer, description = "What they could be called"),
        (status = 404, description = "There is no provider"),
        (status = 410, description = "Nobody, or it took more than ten minutes"),
    )
)]
async fn newcomer(
    State(work): State<Work>,
    headers: HeaderMap,
) -> Result<Answer<OidcNewcomer>, ProblemResponse> {
    Ok(Answer(work.service.newcomer(flow::of(&headers).as_ref())?))
}

/// Make an account by the provider
///
/// With the name that they chose; and sign in. It has no password.
#[utoipa::path(
    post,
    path = "/oidc/sign-up",
    operation_id = "signUpByOidc",
    tag = "account",
    request_body(content = OidcSignUp, example = json!({"name": "ben", "displayName": "Ben"})),
    responses(
        (status = 201, body = Me, description = "The account, and a login cookie", headers(("Set-Cookie" = String))),
        (status = 403, description = "Nobody may, or it takes an invite that works"),
        (status = 404, description = "There is no provider"),
        (status = 409, description = "The name is somebody's, or too much like somebody's"),
        (status = 410, description = "Nobody came from the provider, or it took more than ten minutes"),
        (status = 429, description = "Too many tries"),
    )
)]
async fn sign_up(
    State(work): State<Work>,
    peer: Peer,
    KeptAddress(kept_address): KeptAddress,
    headers: HeaderMap,
    Json(request): Json<OidcSignUp>,
) -> Result<Response, ProblemResponse> {
    let browser = flow::of(&headers);
    let comer = Comer {
        browser: browser.as_ref(),
        who: None,
        user_agent: user_agent(&headers),
        address: peer.address,
        kept_address,
    };
    let (me, secret) = work.service.sign_up(request, comer).await?;
    let cookies = [flow::no_cookie(peer.secure), login::cookie(&secret, peer.secure)];
    let cookies = AppendHeaders(cookies.map(|cookie| (header::SET_COOKIE, cookie)));
    Ok((StatusCode::CREATED, cookies, Answer(me)).into_response())
}

/// Whether the account is connected with the provider
#[utoipa::path(
    get,
    path = "/me/oidc",
    operation_id = "readOidcConnection",
    tag = "account",
    responses(
        (status = 200, body = OidcConnection, description = "Since when, if at all"),
        (status = 403, description = "The token lacks the scope"),
        (status = 404, description = "There is no provider"),
    ),
    security(("login" = []), ("token" = ["read"]))
)]
async fn connection(
    State(work): State<Work>,
    who: SignedIn,
) -> Result<Answer<OidcConnection>, ProblemResponse> {
    Ok(Answer(work.service.connection(&who.actor).await?))
}

/// Begin to connect the account with the provider
///
/// As with signing in, the browser goes to the address in the answer; it comes back to the settings.
#[utoipa::path(
    post,
    path = "/me/oidc",
    operation_id = "connectOidc",
    tag = "account",
    request_body(content = ConnectOidc, example = json!({})),
    responses(
        (status = 200, body = OidcStarted, description = "Where to go, and a cookie", headers(("Set-Cookie" = String))),
        (status = 403, description = "A token can't do this"),
        (status = 404, description = "There is no provider"),
        (status = 409, description = "It is connected already"),
        (status = 422, description = "The password is needed, as they signed in a while ago; or it is wrong"),
        (status = 429, description = "Too many tries"),
        (status = 502, description = "The provider doesn't answer, or not as it should"),
    ),
    security(("login" = []))
)]
async fn connect(
    State(work): State<Work>,
    who: SignedIn,
    peer: Peer,
    Json(request): Json<ConnectOidc>,
) -> Result<Response, ProblemResponse> {
    let login = who.login()?;
    let started =
        work.service.start_connecting((&who.actor, login), request, &peer.base_url, peer.address).await?;
    let cookie = flow::cookie(&started.browser, peer.secure);
    Ok(([(header::SET_COOKIE, cookie)], Answer(OidcStarted { url: started.url })).into_response())
}

/// Disconnect the account from the provider
///
/// Not where it is the only way to sign in.
#[utoipa::path(
    delete,
    path = "/me/oidc",
    operation_id = "disconnectOidc",
    tag = "account",
    responses(
        (status = 204, description = "It is not connected any more"),
        (status = 403, description = "A token can't do this"),
        (status = 404, description = "There is no provider"),
        (status = 409, description = "It isn't connected, or there is no other way to sign in"),
    ),
    security(("login" = []))
)]
async fn disconnect(State(work): State<Work>, who: SignedIn) -> Result<StatusCode, ProblemResponse> {
    who.login()?;
    work.service.disconnect(&who.actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<OidcError> for ProblemResponse {
    fn from(error: OidcError) -> Self {
        match error {
            OidcError::NoProvider => Self::new(
                StatusCode::NOT_FOUND,
                "no-provider",
                "No provider to sign in by",
                "This instance has no provider to sign in by. Sign in with a name and a password.",
            ),
            OidcError::Provider(error) => {
                tracing::warn!(%error, "the provider is of no help");
                match error {
                    ProviderError::Unreachable { .. } | ProviderError::Status { .. } => Self::new(
                        StatusCode::BAD_GATEWAY,
                        "provider-unreachable",
                        "The provider does not answer",
                        "Who you would sign in with does not answer at this moment. Try again in a minute, or sign in with a password if you have one.",
                    ),
                    _ => Self::new(
                        StatusCode::BAD_GATEWAY,
                        "provider-untrue",
                        "The provider's answer can't be used",
                        "What the provider answered can't be used. Whoever runs this instance finds the reason in the server's log.",
                    ),
                }
            }
            OidcError::Expired => Self::new(
                StatusCode::GONE,
                "provider-expired",
                "This took too long",
                "This took more than ten minutes, or was done already. Begin again.",
            ),
            OidcError::OnlyWay => Self::new(
                StatusCode::CONFLICT,
                "only-way-in",
                "It is the only way to sign in",
                "Without the provider nobody could sign in to this account, as it has no password; or it isn't connected any more.",
            ),
            OidcError::Connected => Self::new(
                StatusCode::CONFLICT,
                "already-connected",
                "It is connected already",
                "This account is connected already. Load the page again to see how.",
            ),
            OidcError::Account(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_address_says_twice_it_does_not_say() {
        let one = brought("code=a%20b&state=s&iss=https%3A%2F%2Fx&more=1&more=2");
        assert_eq!((one.code.as_deref(), one.state.as_deref()), (Some("a b"), Some("s")));
        assert_eq!((one.iss.as_deref(), one.error), (Some("https://x"), None));
        for twice in ["code=a&code=b&state=s", "state=a&state=a", "code=a&state=s&error=x&error=y"] {
            let said = brought(twice);
            assert!(said.code.is_none() && said.state.is_none() && said.error.is_none(), "{twice}");
        }
        assert!(brought("").code.is_none() && brought("%ff=%ff&&&=").code.is_none());
    }
}
