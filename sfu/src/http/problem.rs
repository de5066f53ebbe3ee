//! Errors as problem documents (RFC 9457).

use crate::{actor::EmbedError, store::StoreError};
use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use shared::problem::{PROBLEM_MEDIA_TYPE, Problem};
use std::fmt;

/// A request that failed, on its way out.
#[derive(Debug, Clone)]
pub struct ProblemResponse(pub Box<Problem>, Challenge);

/// What an answer says of how to prove oneself (RFC 6750), beside the problem.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Challenge {
    /// That it is done by a Bearer, where nobody did.
    #[default]
    Plain,
    /// That the Bearer is nobody's.
    InvalidToken,
    /// What the Bearer must be allowed to.
    Scope(&'static str),
}

impl ProblemResponse {
    /// `kind` is the last part of the problem's stable name.
    pub fn new(status: StatusCode, kind: &str, title: &str, detail: impl Into<String>) -> Self {
        Self(
            Box::new(Problem {
                kind: format!("/problems/{kind}"),
                title: title.to_owned(),
                status: status.as_u16(),
                detail: detail.into(),
                field: None,
                retry_after: None,
            }),
            Challenge::Plain,
        )
    }

    /// Names the request field that is at fault.
    #[must_use]
    pub fn field(mut self, field: &str) -> Self {
        self.0.field = Some(field.to_owned());
        self
    }

    /// Says when trying again makes sense.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after = Some(seconds);
        self
    }

    /// Nobody is signed in.
    pub fn signed_out() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "signed-out", "Not signed in", "Sign in first, then try again.")
    }

    /// The Bearer is no API token that works.
    pub fn wrong_token(detail: &str) -> Self {
        let title = "The token doesn't work";
        let Self(problem, _) = Self::new(StatusCode::UNAUTHORIZED, "wrong-token", title, detail);
        Self(problem, Challenge::InvalidToken)
    }

    /// The token lets its program do other things, not this.
    pub fn missing_scope(scope: &'static str) -> Self {
        let detail = format!(
            "This token lacks the scope “{scope}”. Make one that has it, in the settings of your account."
        );
        let title = "The token isn't allowed to do this";
        let Self(problem, _) = Self::new(StatusCode::FORBIDDEN, "missing-scope", title, detail);
        Self(problem, Challenge::Scope(scope))
    }

    /// Only a person who is signed in may do it, not a program.
    pub fn login_needed() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "login-needed",
            "A token can't do this",
            "Programs may not do this, whatever their token's scopes. Sign in with a browser.",
        )
    }

    /// The name is somebody's already.
    pub fn taken(field: &str) -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "name-taken",
            "This name is taken",
            "Somebody has this name already. Choose another.",
        )
        .field(field)
    }

    /// Those who run the instance keep a channel from publishing and from being watched.
    pub fn channel_suspended() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "channel-suspended",
            "This channel is suspended",
            "Those who run this instance have suspended this channel: it can't publish nor be watched. Ask them why.",
        )
    }

    /// The name could be taken for somebody else's.
    pub fn look_alike(field: &str) -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "look-alike",
            "This name is too much like another",
            "This name could be taken for somebody else's here, or can't be shown as it is. Choose another.",
        )
        .field(field)
    }

    /// A fault of ours: the log has the reason, the answer doesn't.
    pub fn internal(error: &dyn fmt::Display) -> Self {
        tracing::error!(%error, "a request failed inside");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Weir made a mistake",
            "This is a fault in the server and not in what you did. Try again; if it stays, the server's log has the reason.",
        )
    }
}

impl From<ProblemResponse> for Problem {
    fn from(response: ProblemResponse) -> Self {
        *response.0
    }
}

impl From<StoreError> for ProblemResponse {
    fn from(error: StoreError) -> Self {
        Self::from(&error)
    }
}

impl From<&StoreError> for ProblemResponse {
    fn from(error: &StoreError) -> Self {
        let unavailable = |kind, title, detail: &str, retry_after| {
            tracing::warn!(%error, "the store can't do what a request needs");
            Self::new(StatusCode::SERVICE_UNAVAILABLE, kind, title, detail).retry_after(retry_after)
        };
        match error {
            StoreError::Full => unavailable(
                "disk-full",
                "The server's disk is full",
                "The server's disk is full, so nothing can be saved. Live video goes on. Whoever runs the server must free some space; then try again.",
                60,
            ),
            StoreError::ReadOnly | StoreError::DataDir { .. } => unavailable(
                "read-only",
                "The server can't save",
                "The server's database is read-only, so nothing can be saved. Live video goes on. Whoever runs the server must make its data directory writable; then try again.",
                60,
            ),
            StoreError::Busy => unavailable(
                "store-busy",
                "The server is busy",
                "The server's database is busy. Try again in a moment.",
                2,
            ),
            StoreError::Damaged | StoreError::Version(_) | StoreError::Unsupported | StoreError::Row(_) => {
                unavailable(
                    "store-damaged",
                    "The server can't read its database",
                    "The server can't read its database. Whoever runs it finds the reason in its log.",
                    300,
                )
            }
            StoreError::Taken => Self::new(
                StatusCode::CONFLICT,
                "conflict",
                "Somebody was faster",
                "Somebody changed the same thing at the same moment. Load it again, then try again.",
            ),
            StoreError::Other(_) => unavailable(
                "store-unavailable",
                "The server's database does not answer",
                "The server's database does not answer. Try again in a moment.",
                5,
            ),
        }
    }
}

impl From<EmbedError> for ProblemResponse {
    fn from(error: EmbedError) -> Self {
        match error {
            EmbedError::Expired => Self::new(
                StatusCode::FORBIDDEN,
                "embed-link-expired",
                "This signed embed has expired",
                "The access that this embed gave has expired. Load the page that shows it again: it may have a new one.",
            ),
            EmbedError::Invalid => Self::new(
                StatusCode::FORBIDDEN,
                "embed-link-invalid",
                "This signed embed doesn't admit",
                "This embed gives no access: it was taken back, isn't whole, or is for another channel. Ask whoever runs the page that shows it for a new one.",
            ),
        }
    }
}

impl IntoResponse for ProblemResponse {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self.0).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() =
            StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_MEDIA_TYPE));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let challenge = match (self.1, self.0.status) {
            (Challenge::InvalidToken, _) => Some("Bearer realm=\"weir\", error=\"invalid_token\"".to_owned()),
            (Challenge::Scope(scope), _) => {
                Some(format!("Bearer realm=\"weir\", error=\"insufficient_scope\", scope=\"{scope}\""))
            }
            (Challenge::Plain, 401) => Some("Bearer realm=\"weir\"".to_owned()),
            (Challenge::Plain, _) => None,
        };
        if let Some(challenge) = challenge.and_then(|text| HeaderValue::from_str(&text).ok()) {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = self.0.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
