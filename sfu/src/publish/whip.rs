//! WHIP (RFC 9725): how publishers come in.

use crate::{
    http::{extract::Path, problem::ProblemResponse},
    rtc::{
        sdp,
        session::{self, OpenError, Opened, Posted, Sessions},
    },
};
use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::from_fn,
    response::{IntoResponse, Response},
    routing::post,
};
use futures_util::future::BoxFuture;
use shared::{
    id::{BroadcastId, ChannelId, ChannelName, SessionId},
    text::{Category, Title},
};
use std::sync::Arc;

/// What a Bearer entitles to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The channel.
    pub channel: ChannelId,
    /// Its address.
    pub name: ChannelName,
    /// What a broadcast is called.
    pub title: Title,
    /// What it is of.
    pub category: Category,
    /// The broadcast that begins with the media, where one was announced.
    pub reserved: Option<BroadcastId>,
    /// Whether renditions are to be made of it.
    pub ladder: bool,
}

/// Why a publisher is turned away.
#[derive(Debug)]
pub enum Refused {
    /// The key is nobody's.
    WrongKey,
    /// The key is somebody's, but not that channel's. Whether there is such a channel is not told.
    OtherChannel,
    /// It can't be looked up now.
    Unavailable(ProblemResponse),
}

/// Who may publish.
pub trait Gate: Send + Sync + 'static {
    /// Whose channel a Bearer publishes to; with a channel named, it must be that one's.
    fn admit<'a>(
        &'a self,
        channel: Option<&'a ChannelName>,
        bearer: &'a str,
    ) -> BoxFuture<'a, Result<Grant, Refused>>;
}

/// Where publishers' sessions live.
pub trait Ingest: Sessions {
    /// Answers a publisher's offer.
    fn publish<'a>(
        &'a self,
        grant: Grant,
        user_agent: String,
        offer: &'a str,
    ) -> BoxFuture<'a, Result<Opened, OpenError>>;

    /// Whose channel a publisher's session is on.
    fn channel_of(&self, session: &SessionId) -> Option<ChannelId>;
}

#[derive(Clone)]
struct Whip {
    gate: Arc<dyn Gate>,
    ingest: Arc<dyn Ingest>,
    links: Arc<[HeaderValue]>,
}

/// With the `Link`s that clients are told: `/whip`, `/whip/{channel}` and `/whip/{channel}/{session}`.
pub fn routes(gate: Arc<dyn Gate>, ingest: Arc<dyn Ingest>, links: Arc<[HeaderValue]>) -> Router {
    let endpoint = || post(open).options(session::endpoint_options).fallback(session::method_not_allowed);
    let resource = axum::routing::patch(patch)
        .delete(delete)
        .options(session::session_options)
        .fallback(session::method_not_allowed);
    Router::new()
        .route("/whip", endpoint())
        .route("/whip/{channel}", endpoint())
        .route("/whip/{channel}/{session}", resource)
        .layer(DefaultBodyLimit::max(sdp::MOST_BYTES))
        .layer(from_fn(session::cors))
        .with_state(Whip { gate, ingest, links })
}

async fn open(
    State(whip): State<Whip>,
    channel: Option<axum::extract::Path<String>>,
    headers: HeaderMap,
    body: Posted,
) -> Result<Response, ProblemResponse> {
    let grant = match admit(&whip, channel.as_ref().map(|name| name.0.as_str()), &headers).await {
        Ok(grant) => grant,
        Err(response) => return Ok(response),
    };
    let offer = session::offer_of(&headers, &body)?;
    let path = format!("/whip/{}", grant.name);
    let user_agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or("");
    let user_agent = user_agent.chars().take(200).collect();
    let opened = whip.ingest.publish(grant, user_agent, offer).await?;
    // Asked again now that there is a session: one that came while its key was replaced, or its owner suspended, was too late
    // to be ended with the others.
    if let Err(refused) = admit(&whip, channel.as_ref().map(|name| name.0.as_str()), &headers).await {
        whip.ingest.let_go(&opened.id);
        return Ok(refused);
    }
    Ok(session::created(&path, &opened, &whip.links))
}

async fn patch(
    State(whip): State<Whip>,
    Path((channel, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Posted,
) -> Response {
    match own(&whip, &channel, &id, &headers).await {
        Ok(id) => session::patch(&*whip.ingest, &id, &headers, &body).await,
        Err(response) => response,
    }
}

async fn delete(
    State(whip): State<Whip>,
    Path((channel, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    match own(&whip, &channel, &id, &headers).await {
        Ok(id) => session::delete(&*whip.ingest, &id).await,
        Err(response) => response,
    }
}

async fn admit(whip: &Whip, channel: Option<&str>, headers: &HeaderMap) -> Result<Grant, Response> {
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    let Some(bearer) = bearer else {
        return Err(unauthorized("Send the stream key as Authorization: Bearer …"));
    };
    let wrong = || {
        unauthorized(
            "The stream key is wrong, or was replaced. The channel's owner finds or renews it in the studio.",
        )
    };
    // A name that can't exist has no key either; who asks learns no more than that.
    let name = match channel.map(str::parse::<ChannelName>) {
        Some(Err(_)) => return Err(wrong()),
        Some(Ok(name)) => Some(name),
        None => None,
    };
    match whip.gate.admit(name.as_ref(), bearer).await {
        Ok(grant) => Ok(grant),
        Err(Refused::WrongKey) => Err(wrong()),
        Err(Refused::OtherChannel) => Err(ProblemResponse::new(
            StatusCode::FORBIDDEN,
            "other-channel",
            "This stream key is another channel's",
            "Post to /whip alone, where the key says which channel it is, or to that channel's own address.",
        )
        .into_response()),
        Err(Refused::Unavailable(problem)) => Err(problem.into_response()),
    }
}

/// A session that the Bearer of the request may touch: one on its own channel.
async fn own(whip: &Whip, channel: &str, id: &str, headers: &HeaderMap) -> Result<SessionId, Response> {
    let grant = admit(whip, Some(channel), headers).await?;
    let unknown = || ProblemResponse::from(session::PatchError::Unknown).into_response();
    let id: SessionId = id.parse().map_err(|_| unknown())?;
    if whip.ingest.channel_of(&id) == Some(grant.channel) { Ok(id) } else { Err(unknown()) }
}

fn unauthorized(detail: &str) -> Response {
    let problem = ProblemResponse::new(
        StatusCode::UNAUTHORIZED,
        "wrong-stream-key",
        "The stream key is missing or wrong",
        detail,
    );
    let mut response = problem.into_response();
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtc::session::{IfMatch, PatchError, Patched};
    use axum::{body::Body, http::Request};
    use futures_util::FutureExt;
    use std::sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    };
    use tower::ServiceExt;

    /// Admits so many times, and then nobody.
    struct Admits(AtomicUsize);

    impl Gate for Admits {
        fn admit<'a>(
            &'a self,
            _: Option<&'a ChannelName>,
            _: &'a str,
        ) -> BoxFuture<'a, Result<Grant, Refused>> {
            let left = self.0.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1));
            let grant = || Grant {
                channel: "c".parse().unwrap(),
                name: "ada".parse().unwrap(),
                title: Title::default(),
                category: Category::default(),
                reserved: None,
                ladder: true,
            };
            async move { left.map(|_| grant()).map_err(|_| Refused::WrongKey) }.boxed()
        }
    }

    /// Opens one session, and remembers whom it let go.
    #[derive(Default)]
    struct Remembers(Mutex<Vec<SessionId>>);

    impl Sessions for Remembers {
        fn patch<'a>(
            &'a self,
            _: &'a SessionId,
            _: IfMatch,
            _: &'a str,
        ) -> BoxFuture<'a, Result<Patched, PatchError>> {
            async { Err(PatchError::Unknown) }.boxed()
        }

        fn close<'a>(&'a self, _: &'a SessionId) -> BoxFuture<'a, Result<(), PatchError>> {
            async { Err(PatchError::Unknown) }.boxed()
        }

        fn let_go(&self, id: &SessionId) {
            self.0.lock().unwrap().push(id.clone());
        }
    }

    impl Ingest for Remembers {
        fn publish<'a>(
            &'a self,
            _: Grant,
            _: String,
            _: &'a str,
        ) -> BoxFuture<'a, Result<Opened, OpenError>> {
            let (etag, answer) = ("\"e\"".to_owned(), "v=0".to_owned());
            async { Ok(Opened { id: "s".parse().unwrap(), etag, answer }) }.boxed()
        }

        fn channel_of(&self, _: &SessionId) -> Option<ChannelId> {
            None
        }
    }

    #[tokio::test]
    async fn who_may_not_publish_any_more_when_the_session_is_there_is_let_go() {
        for (times, status, let_go) in [(2, 201, 0), (1, 401, 1), (0, 401, 0)] {
            let ingest = Arc::new(Remembers::default());
            let gate = Arc::new(Admits(times.into()));
            let offer = Request::post("/whip/ada")
                .header(header::AUTHORIZATION, "Bearer k")
                .header(header::CONTENT_TYPE, session::SDP)
                .body(Body::from("v=0"))
                .unwrap();
            let answer = routes(gate, ingest.clone(), Arc::new([])).oneshot(offer).await.unwrap();
            assert_eq!(answer.status().as_u16(), status, "admitted {times} times");
            assert_eq!(ingest.0.lock().unwrap().len(), let_go, "admitted {times} times");
        }
    }
}
