//! The HTTP face that WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep) share: an offer is posted, a session resource
//! answers PATCH and DELETE.

use super::sdp::{self, OfferError};
use crate::http::problem::ProblemResponse;
use axum::{
    body::Bytes,
    extract::{Request, rejection::BytesRejection},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::future::BoxFuture;
use shared::id::SessionId;

/// The media type of offers and answers.
pub const SDP: &str = "application/sdp";
/// The media type of a PATCH (RFC 8840).
pub const FRAGMENT: &str = "application/trickle-ice-sdpfrag";

/// A request's body, or why it could not be taken whole.
pub type Posted = Result<Bytes, BytesRejection>;

/// A session that was just opened.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The last part of its resource's path.
    pub id: SessionId,
    /// Names the ICE session.
    pub etag: String,
    /// The SDP answer.
    pub answer: String,
}

/// Why an offer got no session.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The offer is at fault.
    #[error(transparent)]
    Offer(#[from] OfferError),
    /// No codec of the offer is one that is published.
    #[error("none of the offered codecs is published: the broadcast is in {0}")]
    NoCodec(String),
    /// Nothing is published.
    #[error("the channel isn't live")]
    NotLive,
    /// No room.
    #[error("the server is at its limit")]
    Full,
    /// The server is about to stop.
    #[error("the server is about to restart")]
    Draining,
}

/// What a PATCH did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Patched {
    /// Candidates were taken.
    Accepted,
    /// ICE was restarted.
    Restarted {
        /// Names the new ICE session.
        etag: String,
        /// Our side of it.
        fragment: String,
    },
}

/// Why a PATCH or DELETE did nothing.
#[derive(Debug, thiserror::Error)]
pub enum PatchError {
    /// No such session, for the one who asks.
    #[error("there is no such session")]
    Unknown,
    /// `If-Match` names another ICE session than the current one.
    #[error("the ICE session is another by now")]
    Outdated,
    /// The fragment is at fault.
    #[error(transparent)]
    Offer(#[from] OfferError),
    /// No room.
    #[error("the server is at its limit")]
    Full,
}

/// A condition of a PATCH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IfMatch {
    /// `*`: whichever ICE session there is; an ICE restart.
    Any,
    /// A certain one.
    Etag(String),
}

/// What both faces ask of the media plane.
pub trait Sessions: Send + Sync + 'static {
    /// Adds candidates, or restarts ICE.
    fn patch<'a>(
        &'a self,
        id: &'a SessionId,
        condition: IfMatch,
        fragment: &'a str,
    ) -> BoxFuture<'a, Result<Patched, PatchError>>;

    /// Ends a session because its peer says so.
    fn close<'a>(&'a self, id: &'a SessionId) -> BoxFuture<'a, Result<(), PatchError>>;

    /// Ends a session because the server wants it, now or as soon as there is room to say so.
    fn let_go(&self, id: &SessionId);
}

/// The body of a POST as SDP text.
pub fn offer_of<'a>(headers: &HeaderMap, body: &'a Posted) -> Result<&'a str, ProblemResponse> {
    body_of(headers, body, SDP)
}

fn body_of<'a>(headers: &HeaderMap, body: &'a Posted, expected: &str) -> Result<&'a str, ProblemResponse> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let essence = given.split(';').next().unwrap_or("").trim();
    if !essence.eq_ignore_ascii_case(expected) {
        return Err(ProblemResponse::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "wrong-media-type",
            "The body has the wrong type",
            format!("Send the body as {expected}."),
        ));
    }
    let body = body.as_ref().map_err(|_| too_large())?;
    std::str::from_utf8(body).map_err(|_| malformed("the body isn't UTF-8 text"))
}

fn too_large() -> ProblemResponse {
    ProblemResponse::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "too-large",
        "The body is too large",
        format!("An offer has at most {} KiB.", sdp::MOST_BYTES / 1024),
    )
}

fn malformed(detail: impl Into<String>) -> ProblemResponse {
    ProblemResponse::new(StatusCode::BAD_REQUEST, "malformed-sdp", "This isn't a usable SDP offer", detail)
}

/// The `Link` headers that tell clients of STUN and TURN servers (RFC 9725, 4.6).
pub fn ice_server_links(
    servers: &[String],
    username: Option<&str>,
    credential: Option<&str>,
) -> Vec<HeaderValue> {
    let link = |server: &String| {
        let mut text = format!("<{server}>; rel=\"ice-server\"");
        if let (true, Some(username), Some(credential)) = (server.starts_with("turn"), username, credential) {
            text.push_str(&format!(
                "; username=\"{username}\"; credential=\"{credential}\"; credential-type=\"password\""
            ));
        }
        HeaderValue::from_str(&text).ok()
    };
    servers.iter().filter_map(link).collect()
}

/// 201 with the answer. `path` is the endpoint's, to which the session's id is added.
pub fn created(path: &str, opened: &Opened, links: &[HeaderValue]) -> Response {
    let mut response = opened.answer.clone().into_response();
    *response.status_mut() = StatusCode::CREATED;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(SDP));
    headers.insert(HeaderName::from_static("accept-patch"), HeaderValue::from_static(FRAGMENT));
    for (name, value) in
        [(header::LOCATION, format!("{path}/{}", opened.id)), (header::ETAG, opened.etag.clone())]
    {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    for link in links {
        headers.append(header::LINK, link.clone());
    }
    response
}

/// PATCH on a session's resource (RFC 9725, 4.3).
pub async fn patch(sessions: &dyn Sessions, id: &SessionId, headers: &HeaderMap, body: &Posted) -> Response {
    let fragment = match body_of(headers, body, FRAGMENT) {
        Ok(fragment) => fragment,
        Err(problem) => return problem.into_response(),
    };
    let condition = match headers.get(header::IF_MATCH).map(|value| value.to_str().unwrap_or("")) {
        // The RFC's own example has the asterisk in quotes.
        Some("*" | "\"*\"") => IfMatch::Any,
        Some(etag) => IfMatch::Etag(etag.to_owned()),
        None => {
            return ProblemResponse::new(
                StatusCode::PRECONDITION_REQUIRED,
                "if-match-needed",
                "If-Match is needed",
                "Send If-Match with the session's ETag to add candidates, or * to restart ICE.",
            )
            .into_response();
        }
    };
    match sessions.patch(id, condition, fragment).await {
        Ok(Patched::Accepted) => StatusCode::NO_CONTENT.into_response(),
        Ok(Patched::Restarted { etag, fragment }) => {
            let mut response = fragment.into_response();
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(FRAGMENT));
            if let Ok(etag) = HeaderValue::from_str(&etag) {
                response.headers_mut().insert(header::ETAG, etag);
            }
            response
        }
        Err(error) => ProblemResponse::from(error).into_response(),
    }
}

/// DELETE on a session's resource. OBS expects exactly 200.
pub async fn delete(sessions: &dyn Sessions, id: &SessionId) -> Response {
    match sessions.close(id).await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => ProblemResponse::from(error).into_response(),
    }
}

/// OPTIONS on an endpoint: what it takes (RFC 9725, 4.2).
pub async fn endpoint_options() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static("accept-post"), HeaderValue::from_static(SDP));
    headers.insert(header::ALLOW, HeaderValue::from_static("OPTIONS, POST"));
    response
}

/// OPTIONS on a session's resource.
pub async fn session_options() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static("accept-patch"), HeaderValue::from_static(FRAGMENT));
    headers.insert(header::ALLOW, HeaderValue::from_static("OPTIONS, PATCH, DELETE"));
    response
}

/// GET, HEAD, PUT and the like on an endpoint or a session: 405, as the RFCs reserve them.
pub async fn method_not_allowed(method: Method) -> Response {
    ProblemResponse::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "wrong-method",
        "This can't be done here",
        format!("{method} isn't one of OPTIONS, POST, PATCH and DELETE."),
    )
    .into_response()
}

/// Lets pages of any origin publish and watch: what guards a channel is its key, not the page. No cookie is taken from
/// another origin, as credentials are not allowed.
pub async fn cors(request: Request, next: Next) -> Response {
    let is_cross = request.headers().contains_key(header::ORIGIN);
    let mut response = next.run(request).await;
    if is_cross {
        let headers = response.headers_mut();
        for (name, value) in [
            (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
            (header::ACCESS_CONTROL_ALLOW_METHODS, "OPTIONS, GET, POST, PUT, PATCH, DELETE"),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, if-match"),
            (
                header::ACCESS_CONTROL_EXPOSE_HEADERS,
                "location, etag, link, accept-post, accept-patch, retry-after, www-authenticate, weir-view",
            ),
            (header::ACCESS_CONTROL_MAX_AGE, "86400"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    response
}

impl From<OpenError> for ProblemResponse {
    fn from(error: OpenError) -> Self {
        let detail = error.to_string();
        match error {
            OpenError::Offer(error) => Self::from(error),
            OpenError::NoCodec(_) => Self::new(
                StatusCode::NOT_ACCEPTABLE,
                "no-common-codec",
                "No codec in common",
                format!("{detail}. Use a browser or program that decodes it."),
            ),
            OpenError::NotLive => Self::new(
                StatusCode::CONFLICT,
                "not-live",
                "The channel isn't live",
                "Nothing is being broadcast. Try again when it is.",
            )
            .retry_after(5),
            OpenError::Full => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "full",
                "This server is at its limit",
                "There is no room for another session at the moment. Try again shortly.",
            )
            .retry_after(10),
            OpenError::Draining => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "draining",
                "The server is about to restart",
                "It takes no new sessions. Try again in a few seconds.",
            )
            .retry_after(5),
        }
    }
}

impl From<OfferError> for ProblemResponse {
    fn from(error: OfferError) -> Self {
        match &error {
            OfferError::Malformed(_) | OfferError::TooManyLines(_) => malformed(error.to_string()),
            OfferError::Unusable(_) | OfferError::Refused(_) => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "unusable-offer",
                "The offer can't be answered",
                error.to_string(),
            ),
        }
    }
}

impl From<PatchError> for ProblemResponse {
    fn from(error: PatchError) -> Self {
        match error {
            PatchError::Unknown => Self::new(
                StatusCode::NOT_FOUND,
                "unknown-session",
                "There is no such session",
                "It may have ended. Post a new offer to begin another.",
            ),
            PatchError::Outdated => Self::new(
                StatusCode::PRECONDITION_FAILED,
                "outdated",
                "The ICE session is another by now",
                "Use the ETag of the last answer, or If-Match: * to restart ICE.",
            ),
            PatchError::Offer(error) => Self::from(error),
            PatchError::Full => Self::from(OpenError::Full),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turn_servers_come_with_what_they_ask_for_and_stun_servers_without() {
        let servers = ["stun:stun.example.org".to_owned(), "turn:turn.example.org?transport=udp".to_owned()];
        let links = ice_server_links(&servers, Some("weir"), Some("secret"));
        assert_eq!(links[0], "<stun:stun.example.org>; rel=\"ice-server\"");
        let turn = links[1].to_str().unwrap();
        assert!(turn.starts_with(
            "<turn:turn.example.org?transport=udp>; rel=\"ice-server\"; username=\"weir\"; credential="
        ));
    }
}
