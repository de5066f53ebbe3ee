//! Deleting channels over HTTP.

use crate::{
    channel::service::Channels,
    http::{
        extract::{Json, Path},
        login::{HasLogins, Logins, Prove, SignedIn},
        problem::ProblemResponse,
    },
};
use axum::{extract::State, http::StatusCode};
use shared::{channel::DeleteChannel, id::ChannelName};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

#[derive(Clone)]
struct Api {
    channels: Channels,
    logins: Arc<dyn Logins>,
    prove: Prove,
}

impl HasLogins for Api {
    fn logins(&self) -> &Arc<dyn Logins> {
        &self.logins
    }
}

/// `/channels/{name}/delete`.
pub fn routes(channels: Channels, logins: Arc<dyn Logins>, prove: Prove) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(delete)).with_state(Api { channels, logins, prove })
}

/// Delete a channel
///
/// Its broadcast ends, everybody who watches is let go, and all that is its own goes with it: chat, emotes, pictures, roles,
/// subscriptions, webhooks, stream keys, figures. What the record says of it stays. Nobody else is given its name for 30 days, and
/// nobody at all that of one that was suspended; its owner can't delete it while it is. There is no way back.
#[utoipa::path(
    post,
    path = "/channels/{name}/delete",
    operation_id = "deleteChannel",
    tag = "channels",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    request_body(content = DeleteChannel, example = json!({"confirm": "evenings", "password": "correct horse battery"})),
    responses(
        (status = 204, description = "It is gone, and that is on disk"),
        (status = 403, description = "Somebody else's channel or an admin's, its owner asks while it is suspended, a token can't do this, or the login is too old to do it without a password"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
        (status = 409, description = "It is the instance owner's channel"),
        (status = 422, description = "`confirm` is not the channel's name, the password is needed, or it is wrong"),
        (status = 429, description = "Too many tries"),
    ),
    security(("login" = []))
)]
async fn delete(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
    Json(request): Json<DeleteChannel>,
) -> Result<StatusCode, ProblemResponse> {
    let login = who.login()?.clone();
    let record = api.channels.to_delete(&who.actor, &name, &request.confirm).await?;
    (api.prove)(who.actor.clone(), login, request.password).await?;
    api.channels.delete(&who.actor, &record).await?;
    Ok(StatusCode::NO_CONTENT)
}
