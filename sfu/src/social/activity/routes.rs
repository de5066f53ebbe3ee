//! What happened on a channel, over HTTP.

use super::service::Activities;
use crate::http::{
    extract::{self, Path, Query},
    login::{HasLogins, Logins, SignedIn},
    problem::ProblemResponse,
};
use axum::{Json as Answer, extract::State};
use shared::{
    activity::{Activity, ActivityQuery},
    id::ChannelName,
    page::{Page, PageQuery},
};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

#[derive(Clone)]
struct Api {
    activities: Activities,
    logins: Arc<dyn Logins>,
}

impl HasLogins for Api {
    fn logins(&self) -> &Arc<dyn Logins> {
        &self.logins
    }
}

/// `/channels/{name}/activity`.
pub fn routes(activities: Activities, logins: Arc<dyn Logins>) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(list)).with_state(Api { activities, logins })
}

/// What happened on a channel
///
/// Who followed, subscribed and raided, and when it was live; as it was written down, newest first, for 90 days and the newest 5,000
/// entries, beyond which they go each hour. For its owner, editors and moderators.
#[utoipa::path(
    get,
    path = "/channels/{name}/activity",
    operation_id = "listActivity",
    tag = "social",
    params(("name" = ChannelName, Path, description = "The channel's name"), ActivityQuery),
    responses(
        (status = 200, body = Page<Activity>, description = "A page of entries"),
        (status = 400, description = "The cursor, the limit or the kind can't be taken"),
        (status = 403, description = "Only the owner, editors and moderators may, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["read"]))
)]
async fn list(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
    Query(query): Query<ActivityQuery>,
) -> Result<Answer<Page<Activity>>, ProblemResponse> {
    let ActivityQuery { cursor, limit, kind } = query;
    let wanted = extract::wanted(PageQuery { cursor, limit })?;
    Ok(Answer(api.activities.list(&who.actor, &name, kind, &wanted).await?))
}
