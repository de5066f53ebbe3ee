//! Analytics over HTTP.

use super::{
    csv,
    service::{Analytics, AnalyticsError, Desk, ReportError},
};
use crate::{
    http::{
        extract::{self, Paging, Path},
        login::{ByScope, HasLogins, Logins, SignedIn},
        peer::Peer,
        problem::ProblemResponse,
    },
    permission::{Permission, Standings},
};
use axum::{
    Json as Answer,
    body::Bytes,
    extract::{DefaultBodyLimit, Request, State, rejection::BytesRejection},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
};
use shared::{
    account::Scope,
    analytics::{BroadcastAnalytics, BroadcastSummary, InstanceAnalytics, ViewReport},
    id::{BroadcastId, ChannelName, ViewId},
    page::{Page, PageQuery},
};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

/// No report is longer.
const REPORT_MOST: usize = 4 * 1024;

#[derive(Clone)]
struct Api {
    analytics: Analytics,
    logins: Arc<dyn Logins>,
}

impl HasLogins for Api {
    fn logins(&self) -> &Arc<dyn Logins> {
        &self.logins
    }
}

/// Figures, for owners.
pub fn routes(analytics: Analytics, logins: Arc<dyn Logins>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(whole))
        .routes(routes!(as_json))
        .routes(routes!(as_csv))
        .routes(routes!(instance))
        .with_state(Api { analytics, logins })
}

/// Players' reports, from pages of any origin and without cookies: what names the view is its key.
pub fn reports(desk: Desk) -> OpenApiRouter {
    let (schemas, paths, report) = routes!(report);
    OpenApiRouter::new()
        .routes((schemas, paths, report.options(report_options).fallback(wrong_method)))
        .layer(DefaultBodyLimit::max(REPORT_MOST))
        .layer(from_fn(cors))
        .with_state(desk)
}

/// A channel's broadcasts and their figures in short
///
/// Newest first; for the owner.
#[utoipa::path(
    get,
    path = "/channels/{name}/broadcasts",
    operation_id = "listBroadcasts",
    tag = "analytics",
    params(("name" = ChannelName, Path, description = "The channel's name"), PageQuery),
    responses(
        (status = 200, body = Page<BroadcastSummary>, description = "A page of broadcasts"),
        (status = 400, description = "The cursor or the limit can't be taken"),
        (status = 403, description = "Only the owner may, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["read"]))
)]
async fn list(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
    Paging(wanted): Paging,
) -> Result<Answer<Page<BroadcastSummary>>, ProblemResponse> {
    let channel = api.analytics.owners().managed(&who.actor, &name).await?;
    Ok(Answer(api.analytics.list(&channel, &wanted).await?))
}

/// Who watched a broadcast, and how well it played
///
/// For the owner.
#[utoipa::path(
    get,
    path = "/broadcasts/{id}/analytics",
    operation_id = "readAnalytics",
    tag = "analytics",
    params(("id" = BroadcastId, Path, description = "Which broadcast")),
    responses(
        (status = 200, body = BroadcastAnalytics, description = "All of it"),
        (status = 403, description = "Only the owner may, or the token lacks the scope"),
        (status = 404, description = "No such broadcast, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["read"]))
)]
async fn whole(
    State(api): State<Api>,
    who: SignedIn,
    Path(id): Path<BroadcastId>,
) -> Result<Answer<BroadcastAnalytics>, ProblemResponse> {
    Ok(Answer(api.analytics.of(&who.actor, &id).await?))
}

/// The same as a file of JSON
#[utoipa::path(
    get,
    path = "/broadcasts/{id}/analytics.json",
    operation_id = "exportAnalyticsJson",
    tag = "analytics",
    params(("id" = BroadcastId, Path, description = "Which broadcast")),
    responses(
        (status = 200, body = BroadcastAnalytics, description = "A file to keep"),
        (status = 403, description = "Only the owner may, or the token lacks the scope"),
        (status = 404, description = "No such broadcast, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["read"]))
)]
async fn as_json(
    State(api): State<Api>,
    who: SignedIn,
    Path(id): Path<BroadcastId>,
) -> Result<Response, ProblemResponse> {
    let analytics = api.analytics.of(&who.actor, &id).await?;
    let body = serde_json::to_vec_pretty(&analytics).map_err(|error| ProblemResponse::internal(&error))?;
    Ok(file(&analytics, "json", "application/json", body))
}

/// The same as a file of CSV
#[utoipa::path(
    get,
    path = "/broadcasts/{id}/analytics.csv",
    operation_id = "exportAnalyticsCsv",
    tag = "analytics",
    params(("id" = BroadcastId, Path, description = "Which broadcast")),
    responses(
        (status = 200, body = String, content_type = "text/csv", description = "A file to keep"),
        (status = 403, description = "Only the owner may, or the token lacks the scope"),
        (status = 404, description = "No such broadcast, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["read"]))
)]
async fn as_csv(
    State(api): State<Api>,
    who: SignedIn,
    Path(id): Path<BroadcastId>,
) -> Result<Response, ProblemResponse> {
    let analytics = api.analytics.of(&who.actor, &id).await?;
    let body = csv::csv(&analytics).into_bytes();
    Ok(file(&analytics, "csv", "text/csv; charset=utf-8", body))
}

/// To be kept, under a name that says of what and of when.
fn file(analytics: &BroadcastAnalytics, ending: &str, kind: &'static str, body: Vec<u8>) -> Response {
    let started = csv::time(analytics.summary.start_time);
    let minute: String = started.chars().take(16).map(|c| if c.is_ascii_digit() { c } else { '-' }).collect();
    let name = format!("attachment; filename=\"{}-{minute}.{ending}\"", analytics.summary.channel);
    let mut response = ([(header::CONTENT_TYPE, kind)], body).into_response();
    if let Ok(name) = HeaderValue::from_str(&name) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    response
}

/// Figures of the instance as a whole
///
/// For its owner and admins.
#[utoipa::path(
    get,
    path = "/instance/analytics",
    operation_id = "readInstanceAnalytics",
    tag = "analytics",
    responses(
        (status = 200, body = InstanceAnalytics, description = "The figures"),
        (status = 403, description = "Only the instance's owner and admins may, or the token lacks the scope"),
    ),
    security(("login" = []), ("token" = ["read"]), ("token" = ["instance:read"]))
)]
async fn instance(
    State(api): State<Api>,
    ByScope(who): ByScope,
) -> Result<Answer<InstanceAnalytics>, ProblemResponse> {
    who.may_by(&[Scope::Read, Scope::InstanceRead])?;
    if !Standings::of_account(who.actor.role).may(Permission::SeeInstanceFigures) {
        return Err(ProblemResponse::new(
            StatusCode::FORBIDDEN,
            "not-yours",
            "The instance owner's figures",
            "Only those who run this instance may see these figures. Sign in as its owner or an admin.",
        ));
    }
    Ok(Answer(api.analytics.instance().await?))
}

/// What a player measured since its view began
///
/// From pages of any origin, without cookies: the view's id, which WHEP's answer tells in `Weir-View`, is its key. Totals, so
/// that a lost report loses nothing.
#[utoipa::path(
    post,
    path = "/views/{view}/report",
    operation_id = "reportView",
    tag = "analytics",
    params(("view" = ViewId, Path, description = "Which view")),
    request_body(content = ViewReport, example = json!({"sequence": 1, "joinTime": 240, "freezes": 0, "frozenTime": 0, "latency": 310})),
    responses(
        (status = 204, description = "Heard"),
        (status = 404, description = "It ended more than a minute ago, or never was"),
        (status = 429, description = "More than one in ten seconds"),
    )
)]
async fn report(
    State(desk): State<Desk>,
    peer: Peer,
    Path(view): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, ProblemResponse> {
    let view: ViewId = view.parse().map_err(|_| ReportError::Unknown)?;
    // `fetch` with `keepalive` sends JSON; `navigator.sendBeacon` of a text says that it is plain.
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    if !["application/json", "text/plain"].iter().any(|kind| essence.eq_ignore_ascii_case(kind)) {
        return Err(extract::unsupported_media_type());
    }
    let body = body.map_err(|_| extract::too_large())?;
    let report: ViewReport = extract::parse(&body)?;
    desk.report(&view, &report, &peer.base_url).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn report_options() -> Response {
    let allow = [(header::ALLOW, "OPTIONS, POST")];
    (StatusCode::NO_CONTENT, allow).into_response()
}

async fn wrong_method(method: Method) -> ProblemResponse {
    ProblemResponse::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "wrong-method",
        "This can't be done here",
        format!("{method} isn't one of OPTIONS and POST."),
    )
}

/// A player may be framed without an origin of its own. No cookie is taken, as credentials are not allowed.
async fn cors(request: Request, next: Next) -> Response {
    let is_cross = request.headers().contains_key(header::ORIGIN);
    let mut response = next.run(request).await;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if is_cross {
        for (name, value) in [
            (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
            (header::ACCESS_CONTROL_ALLOW_METHODS, "OPTIONS, POST"),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type"),
            (header::ACCESS_CONTROL_EXPOSE_HEADERS, "retry-after"),
            (header::ACCESS_CONTROL_MAX_AGE, "86400"),
        ] {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
    }
    response
}

impl From<ReportError> for ProblemResponse {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Unknown => Self::new(
                StatusCode::NOT_FOUND,
                "unknown-view",
                "There is no such view",
                "It ended more than a minute ago, or never was. The header Weir-View of WHEP's answer names a player's view.",
            ),
            ReportError::TooMany { after } => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too-many-reports",
                "Too many reports",
                "A player reports once in ten seconds; what it says are totals, so nothing is lost. Send the next one later.",
            )
            .retry_after(after.as_millis().div_ceil(1000) as u64),
            ReportError::Store(error) => error.into(),
        }
    }
}

impl From<AnalyticsError> for ProblemResponse {
    fn from(error: AnalyticsError) -> Self {
        match error {
            AnalyticsError::Unknown => Self::new(
                StatusCode::NOT_FOUND,
                "unknown-broadcast",
                "No such broadcast",
                "There is no broadcast with this id. The list of a channel's broadcasts has theirs.",
            ),
            AnalyticsError::Refused(problem) => problem,
            AnalyticsError::Store(error) => error.into(),
        }
    }
}
