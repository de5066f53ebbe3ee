//! Browsers that are told by push, over HTTP; and the service worker that shows it there.

use super::{
    service::{Push, PushBrowserError},
    store::BROWSERS_MOST,
};
use crate::http::{
    extract::{Json, Path},
    login::{HasLogins, Logins, SignedIn},
    problem::ProblemResponse,
};
use axum::{
    Json as Answer, Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use shared::{
    id::PushId,
    notification::{AddPush, PushBrowser, PushKey},
    page::Page,
    text::DeviceLabel,
};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Names a browser by its user agent.
pub type Device = fn(&str) -> DeviceLabel;

#[derive(Clone)]
struct Api {
    push: Push,
    logins: Arc<dyn Logins>,
    device: Device,
}

impl HasLogins for Api {
    fn logins(&self) -> &Arc<dyn Logins> {
        &self.logins
    }
}

/// The key, and one's browsers.
pub fn routes(push: Push, logins: Arc<dyn Logins>, device: Device) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(key))
        .routes(routes!(list, add))
        .routes(routes!(remove))
        .with_state(Api { push, logins, device })
}

/// `/sw.js`: what runs in the browser while no page is open. It must be at the top, to be there for all pages.
pub fn worker() -> Router {
    let script = async || -> Response {
        let headers =
            [(header::CONTENT_TYPE, "text/javascript; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")];
        (headers, include_str!("sw.js")).into_response()
    };
    Router::new().route("/sw.js", get(script))
}

/// What browsers subscribe with
///
/// The server's key for push services (VAPID, RFC 8292).
#[utoipa::path(
    get,
    path = "/push",
    operation_id = "readPushKey",
    tag = "notifications",
    responses(
        (status = 200, body = PushKey, description = "The key"),
    )
)]
async fn key(State(api): State<Api>) -> Answer<PushKey> {
    Answer(api.push.key())
}

/// Browsers that are told by push
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/me/push",
    operation_id = "listPushBrowsers",
    tag = "notifications",
    responses(
        (status = 200, body = Page<PushBrowser>, description = "All of them, on one page"),
        (status = 403, description = "The token lacks the scope"),
    ),
    security(("login" = []), ("token" = ["read"]))
)]
async fn list(State(api): State<Api>, who: SignedIn) -> Result<Answer<Page<PushBrowser>>, ProblemResponse> {
    Ok(Answer(Page { items: api.push.browsers(&who.actor).await?, next: None }))
}

/// Tell a browser by push
///
/// The body is its `PushSubscription.toJSON()`. It is told until its login ends.
#[utoipa::path(
    post,
    path = "/me/push",
    operation_id = "addPushBrowser",
    tag = "notifications",
    request_body(content = AddPush, example = json!({
        "endpoint": "https://push.example/send/abc", "keys": {"p256dh": "BCVxsr7N…", "auth": "BTBZMqHH6r4Tts7J_aSIgg"},
    })),
    responses(
        (status = 201, body = PushBrowser, description = "It is told from now on"),
        (status = 403, description = "A token can't do this"),
        (status = 409, description = "The account has as many as it may"),
        (status = 422, description = "The address or the keys can't be used"),
    ),
    security(("login" = []))
)]
async fn add(
    State(api): State<Api>,
    who: SignedIn,
    headers: HeaderMap,
    Json(request): Json<AddPush>,
) -> Result<Response, ProblemResponse> {
    let login = who.login()?;
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let browser = api.push.add((&who.actor, login), request, (api.device)(agent)).await?;
    Ok((StatusCode::CREATED, Answer(browser)).into_response())
}

/// Don't tell a browser any more
#[utoipa::path(
    delete,
    path = "/me/push/{id}",
    operation_id = "removePushBrowser",
    tag = "notifications",
    params(("id" = PushId, Path, description = "Which browser")),
    responses(
        (status = 204, description = "It isn't told any more"),
        (status = 403, description = "A token can't do this"),
        (status = 404, description = "No such browser"),
    ),
    security(("login" = []))
)]
async fn remove(
    State(api): State<Api>,
    who: SignedIn,
    Path(id): Path<PushId>,
) -> Result<StatusCode, ProblemResponse> {
    who.login()?;
    api.push.remove(&who.actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<PushBrowserError> for ProblemResponse {
    fn from(error: PushBrowserError) -> Self {
        let invalid = |field: &str, detail: &str| {
            let title = "This browser can't be told";
            Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", title, detail).field(field)
        };
        match error {
            PushBrowserError::Endpoint => {
                invalid("endpoint", "The push service's address must be https:// and on the public internet.")
            }
            PushBrowserError::Keys => {
                invalid("keys", "The browser's keys for push can't be used. Try another browser.")
            }
            PushBrowserError::TooMany => Self::new(
                StatusCode::CONFLICT,
                "too-many-browsers",
                "Too many browsers",
                format!(
                    "At most {BROWSERS_MOST} browsers are told by push. Remove one that you don't use any more."
                ),
            ),
            PushBrowserError::Unknown => Self::new(
                StatusCode::NOT_FOUND,
                "unknown-browser",
                "No such browser",
                "This browser isn't told any more already.",
            ),
            PushBrowserError::Store(error) => error.into(),
        }
    }
}
