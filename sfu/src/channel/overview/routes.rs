//! Every channel there is, over HTTP.

use super::ruling::RulingError;
use crate::{
    channel::service::Channels,
    http::{
        extract::{self, Json, Path, Query},
        login::{ByScope, HasLogins, Logins, SignedIn},
        problem::ProblemResponse,
    },
};
use axum::{Json as Answer, extract::State, http::StatusCode};
use shared::{
    account::Scope,
    channel::{EditInstanceChannel, InstanceChannel, InstanceChannelQuery},
    id::ChannelName,
    page::{Page, PageQuery},
};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

#[derive(Clone)]
struct Api {
    channels: Channels,
    logins: Arc<dyn Logins>,
}

impl HasLogins for Api {
    fn logins(&self) -> &Arc<dyn Logins> {
        &self.logins
    }
}

impl From<RulingError> for ProblemResponse {
    fn from(error: RulingError) -> Self {
        match error {
            RulingError::Untouchable => Self::new(
                StatusCode::CONFLICT,
                "untouchable",
                "This can't be done to this channel",
                "The channels of the instance's owner can't be suspended nor deleted by others, and nobody suspends their own or lets it in again.",
            ),
            RulingError::Admins => Self::new(
                StatusCode::FORBIDDEN,
                "not-yours",
                "An admin's channel",
                "Only the owner of this instance may do this to an admin's channel. Ask them.",
            ),
            RulingError::Suspended => Self::new(
                StatusCode::FORBIDDEN,
                "channel-suspended",
                "This channel is suspended",
                "Its owner can't delete it while it is. Ask those who run this instance why it is suspended.",
            ),
            RulingError::Channel(error) => error.into(),
        }
    }
}

/// Every channel, for those who run the instance.
pub fn routes(channels: Channels, logins: Arc<dyn Logins>) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(edit)).with_state(Api { channels, logins })
}

/// Every channel
///
/// By address, private ones, too. For the instance's owner and admins.
#[utoipa::path(
    get,
    path = "/instance/channels",
    operation_id = "listInstanceChannels",
    tag = "instance",
    params(InstanceChannelQuery),
    responses(
        (status = 200, body = Page<InstanceChannel>, description = "A page of channels, whose they are, and what they do"),
        (status = 400, description = "The cursor or the limit can't be taken"),
        (status = 403, description = "Only those who run the instance may, or the token lacks the scope"),
    ),
    security(("login" = []), ("token" = ["instance:read"]))
)]
async fn list(
    State(api): State<Api>,
    ByScope(who): ByScope,
    Query(query): Query<InstanceChannelQuery>,
) -> Result<Answer<Page<InstanceChannel>>, ProblemResponse> {
    who.may(Scope::InstanceRead)?;
    let InstanceChannelQuery { cursor, limit, search } = query;
    let wanted = extract::wanted(PageQuery { cursor, limit })?;
    let search: String = search.unwrap_or_default().trim().chars().take(40).collect();
    Ok(Answer(api.channels.overview(&who.actor, &search, &wanted).await?))
}

/// Suspend a channel, or let it in again
///
/// A suspended channel can't publish, and nobody but its owner and those who run the instance sees it: all others are told that
/// it is suspended. What it broadcasts ends. Nothing of it is deleted.
#[utoipa::path(
    patch,
    path = "/instance/channels/{name}",
    operation_id = "editInstanceChannel",
    tag = "instance",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    request_body(content = EditInstanceChannel, example = json!({"suspended": false})),
    responses(
        (status = 200, body = InstanceChannel, description = "The channel, as it is now"),
        (status = 403, description = "Only those who run the instance may, only its owner with an admin's channel, or the token lacks the scope"),
        (status = 404, description = "No such channel"),
        (status = 409, description = "It is the instance owner's channel, or one's own"),
    ),
    security(("login" = []), ("token" = ["instance:manage"]))
)]
async fn edit(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
    Json(request): Json<EditInstanceChannel>,
) -> Result<Answer<InstanceChannel>, ProblemResponse> {
    who.may(Scope::InstanceManage)?;
    Ok(Answer(api.channels.edit_as_instance(&who.actor, &name, request).await?))
}
