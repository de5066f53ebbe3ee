//! Roles on channels over HTTP.

use crate::{
    channel::service::Channels,
    http::{
        extract::{Json, Paging, Path},
        login::{HasLogins, Logins, SignedIn},
        problem::ProblemResponse,
    },
};
use axum::{Json as Answer, extract::State, http::StatusCode};
use shared::{
    account::Scope,
    channel::{RoleHolder, SetRole},
    id::ChannelName,
    page::{Page, PageQuery},
    text::AccountName,
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

/// Editors and VIPs.
pub fn routes(channels: Channels, logins: Arc<dyn Logins>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(set, remove))
        .with_state(Api { channels, logins })
}

/// Editors and VIPs
///
/// By what they sign in with. For the owner and editors.
#[utoipa::path(
    get,
    path = "/channels/{name}/roles",
    operation_id = "listRoles",
    tag = "channels",
    params(("name" = ChannelName, Path, description = "The channel's name"), PageQuery),
    responses(
        (status = 200, body = Page<RoleHolder>, description = "A page of people with a role"),
        (status = 400, description = "The cursor or the limit can't be taken"),
        (status = 403, description = "Only the owner and editors may, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["read"]))
)]
async fn list(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
    Paging(wanted): Paging,
) -> Result<Answer<Page<RoleHolder>>, ProblemResponse> {
    Ok(Answer(api.channels.roles(&who.actor, &name, &wanted).await?))
}

/// Make somebody an editor or a VIP
///
/// What they were before on this channel, they aren't any more; a moderator of its chat stays one.
#[utoipa::path(
    put,
    path = "/channels/{name}/roles/{account}",
    operation_id = "setRole",
    tag = "channels",
    params(
        ("name" = ChannelName, Path, description = "The channel's name"),
        ("account" = AccountName, Path, description = "What they sign in with"),
    ),
    request_body(content = SetRole, example = json!({"role": "editor"})),
    responses(
        (status = 200, body = RoleHolder, description = "They are"),
        (status = 403, description = "Somebody else's channel, or the token lacks the scope"),
        (status = 404, description = "No such channel or account, as far as the one who asks may know"),
        (status = 409, description = "It is the owner, or the channel has as many as it may"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn set(
    State(api): State<Api>,
    who: SignedIn,
    Path((name, account)): Path<(ChannelName, AccountName)>,
    Json(request): Json<SetRole>,
) -> Result<Answer<RoleHolder>, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    Ok(Answer(api.channels.set_role(&who.actor, &name, account, request.role).await?))
}

/// Take somebody's role away
#[utoipa::path(
    delete,
    path = "/channels/{name}/roles/{account}",
    operation_id = "removeRole",
    tag = "channels",
    params(
        ("name" = ChannelName, Path, description = "The channel's name"),
        ("account" = AccountName, Path, description = "What they sign in with"),
    ),
    responses(
        (status = 204, description = "They have none any more"),
        (status = 403, description = "Somebody else's channel, or the token lacks the scope"),
        (status = 404, description = "No such channel, or nobody of this name has a role there"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn remove(
    State(api): State<Api>,
    who: SignedIn,
    Path((name, account)): Path<(ChannelName, AccountName)>,
) -> Result<StatusCode, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    api.channels.remove_role(&who.actor, &name, account).await?;
    Ok(StatusCode::NO_CONTENT)
}
