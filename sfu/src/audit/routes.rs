//! The record over HTTP: in pages, and as files to keep.

use super::{
    export::csv,
    rules::{self, QueryError},
    service::{Audit, View},
};
use crate::http::{
    extract::{Path, Query, invalid_query},
    login::{ByScope, HasLogins, Logins, SignedIn},
    problem::ProblemResponse,
};
use axum::{
    Json as Answer,
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use shared::{
    account::Scope,
    audit::{AuditEntry, AuditQuery},
    id::ChannelName,
    page::Page,
};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

#[derive(Clone)]
struct Api {
    audit: Audit,
    logins: Arc<dyn Logins>,
}

impl HasLogins for Api {
    fn logins(&self) -> &Arc<dyn Logins> {
        &self.logins
    }
}

impl From<QueryError> for ProblemResponse {
    fn from(error: QueryError) -> Self {
        invalid_query(Some(error.field), error.why)
    }
}

/// `/audit`, and the same of each channel.
pub fn routes(audit: Audit, logins: Arc<dyn Logins>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(as_csv))
        .routes(routes!(as_json))
        .routes(routes!(list_of))
        .routes(routes!(csv_of))
        .routes(routes!(json_of))
        .with_state(Api { audit, logins })
}

async fn page(
    api: &Api,
    view: &View,
    query: AuditQuery,
) -> Result<Answer<Page<AuditEntry>>, ProblemResponse> {
    let (filter, wanted) = rules::question(query)?;
    Ok(Answer(api.audit.list(view, &filter, &wanted).await?))
}

async fn table(api: &Api, view: &View, query: AuditQuery) -> Result<Response, ProblemResponse> {
    let (filter, _) = rules::question(query)?;
    let entries = api.audit.export(view, &filter).await?;
    Ok(file("csv", "text/csv; charset=utf-8", csv(&entries).into_bytes()))
}

async fn array(api: &Api, view: &View, query: AuditQuery) -> Result<Response, ProblemResponse> {
    let (filter, _) = rules::question(query)?;
    let entries = api.audit.export(view, &filter).await?;
    let body = serde_json::to_vec_pretty(&entries).map_err(|error| ProblemResponse::internal(&error))?;
    Ok(file("json", "application/json", body))
}

fn file(ending: &str, kind: &'static str, body: Vec<u8>) -> Response {
    let mut response = ([(header::CONTENT_TYPE, kind)], body).into_response();
    if let Ok(name) = HeaderValue::from_str(&format!("attachment; filename=\"audit.{ending}\"")) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    response
}

/// What was done on the instance
///
/// Newest first: roles, suspensions, invites, tokens, settings, and what was done on every channel. For the instance's owner and admins.
#[utoipa::path(
    get,
    path = "/audit",
    operation_id = "listAudit",
    tag = "instance",
    params(AuditQuery),
    responses(
        (status = 200, body = Page<AuditEntry>, description = "A page of entries"),
        (status = 400, description = "The question can't be taken"),
        (status = 403, description = "Only those who run the instance may, or the token lacks the scope"),
    ),
    security(("login" = []), ("token" = ["instance:read"]))
)]
async fn list(
    State(api): State<Api>,
    ByScope(who): ByScope,
    Query(query): Query<AuditQuery>,
) -> Result<Answer<Page<AuditEntry>>, ProblemResponse> {
    who.may(Scope::InstanceRead)?;
    let view = api.audit.whole(&who.actor)?;
    page(&api, &view, query).await
}

/// The same as a file of CSV
///
/// The newest 10,000 entries; ask with `until` for those before.
#[utoipa::path(
    get,
    path = "/audit.csv",
    operation_id = "exportAuditCsv",
    tag = "instance",
    params(AuditQuery),
    responses(
        (status = 200, body = String, content_type = "text/csv", description = "A file to keep"),
        (status = 400, description = "The question can't be taken"),
        (status = 403, description = "Only those who run the instance may, or the token lacks the scope"),
    ),
    security(("login" = []), ("token" = ["instance:read"]))
)]
async fn as_csv(
    State(api): State<Api>,
    ByScope(who): ByScope,
    Query(query): Query<AuditQuery>,
) -> Result<Response, ProblemResponse> {
    who.may(Scope::InstanceRead)?;
    let view = api.audit.whole(&who.actor)?;
    table(&api, &view, query).await
}

/// The same as a file of JSON
///
/// The newest 10,000 entries; ask with `until` for those before.
#[utoipa::path(
    get,
    path = "/audit.json",
    operation_id = "exportAuditJson",
    tag = "instance",
    params(AuditQuery),
    responses(
        (status = 200, body = Vec<AuditEntry>, description = "A file to keep"),
        (status = 400, description = "The question can't be taken"),
        (status = 403, description = "Only those who run the instance may, or the token lacks the scope"),
    ),
    security(("login" = []), ("token" = ["instance:read"]))
)]
async fn as_json(
    State(api): State<Api>,
    ByScope(who): ByScope,
    Query(query): Query<AuditQuery>,
) -> Result<Response, ProblemResponse> {
    who.may(Scope::InstanceRead)?;
    let view = api.audit.whole(&who.actor)?;
    array(&api, &view, query).await
}

/// What was done on a channel
///
/// Newest first: roles, moderation, settings, keys, webhooks. For the owner.
#[utoipa::path(
    get,
    path = "/channels/{name}/audit",
    operation_id = "listChannelAudit",
    tag = "channels",
    params(("name" = ChannelName, Path, description = "The channel's name"), AuditQuery),
    responses(
        (status = 200, body = Page<AuditEntry>, description = "A page of entries"),
        (status = 400, description = "The question can't be taken"),
        (status = 403, description = "Only the channel's owner may, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["read"]))
)]
async fn list_of(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
    Query(query): Query<AuditQuery>,
) -> Result<Answer<Page<AuditEntry>>, ProblemResponse> {
    let view = api.audit.of(&who.actor, &name).await?;
    page(&api, &view, query).await
}

/// The same as a file of CSV
///
/// The newest 10,000 entries; ask with `until` for those before.
#[utoipa::path(
    get,
    path = "/channels/{name}/audit.csv",
    operation_id = "exportChannelAuditCsv",
    tag = "channels",
    params(("name" = ChannelName, Path, description = "The channel's name"), AuditQuery),
    responses(
        (status = 200, body = String, content_type = "text/csv", description = "A file to keep"),
        (status = 400, description = "The question can't be taken"),
        (status = 403, description = "Only the channel's owner may, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["read"]))
)]
async fn csv_of(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
    Query(query): Query<AuditQuery>,
) -> Result<Response, ProblemResponse> {
    let view = api.audit.of(&who.actor, &name).await?;
    table(&api, &view, query).await
}

/// The same as a file of JSON
///
/// The newest 10,000 entries; ask with `until` for those before.
#[utoipa::path(
    get,
    path = "/channels/{name}/audit.json",
    operation_id = "exportChannelAuditJson",
    tag = "channels",
    params(("name" = ChannelName, Path, description = "The channel's name"), AuditQuery),
    responses(
        (status = 200, body = Vec<AuditEntry>, description = "A file to keep"),
        (status = 400, description = "The question can't be taken"),
        (status = 403, description = "Only the channel's owner may, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["read"]))
)]
async fn json_of(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
    Query(query): Query<AuditQuery>,
) -> Result<Response, ProblemResponse> {
    let view = api.audit.of(&who.actor, &name).await?;
    array(&api, &view, query).await
}
