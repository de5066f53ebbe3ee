//! Channels over HTTP.

use super::{
    listing::Place,
    service::{ChannelError, Channels},
};
use crate::http::{
    extract::{Json, Path, Query, bad_cursor},
    login::{self, HasLogins, Logins, SignedIn},
    peer::Peer,
    problem::ProblemResponse,
};
use axum::{
    Json as Answer, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use shared::{
    account::Scope,
    broadcast::ChannelState,
    channel::{Channel, ChannelCard, CreateChannel, EditChannel, NewChannel, NewStreamKey},
    embed::EmbedRules,
    id::ChannelName,
    page::{Page, PageQuery},
    publish::PublishToken,
};
use std::sync::Arc;

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

/// The list of channels, channels, their states and their keys.
pub fn routes(channels: Channels, logins: Arc<dyn Logins>) -> Router {
    Router::new()
        .route("/channels", get(list).post(create))
        .route("/channels/{name}", get(read).patch(edit))
        .route("/channels/{name}/state", get(state))
        .route("/channels/{name}/embedding", get(embedding))
        .route("/channels/{name}/stream-key", post(rotate))
        .route("/channels/{name}/publish-token", post(publish_token))
        .route("/channels/{name}/end", post(end))
        .with_state(Api { channels, logins })
}

/// Where a publisher posts its offer.
pub fn whip_url(base_url: &str, channel: &ChannelName) -> String {
    format!("{base_url}/whip/{channel}")
}

async fn list(
    State(api): State<Api>,
    Query(query): Query<PageQuery>,
) -> Result<Answer<Page<ChannelCard>>, ProblemResponse> {
    let after = match &query.cursor {
        Some(text) => Some(Place::parse(text).ok_or_else(bad_cursor)?),
        None => None,
    };
    Ok(Answer(api.channels.list(after, query.limit()).await?))
}

async fn create(
    State(api): State<Api>,
    who: SignedIn,
    peer: Peer,
    Json(request): Json<CreateChannel>,
) -> Result<Response, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    let made = api.channels.create(Some(&who.actor.account), request.name, request.display_name).await?;
    let (channel, stream_key) = made;
    let whip_url = whip_url(&peer.base_url, &channel.name);
    Ok((StatusCode::CREATED, Answer(NewChannel { channel, stream_key, whip_url })).into_response())
}

async fn read(
    State(api): State<Api>,
    who: Option<SignedIn>,
    Path(name): Path<ChannelName>,
) -> Result<Answer<Channel>, ProblemResponse> {
    let record = api.channels.seen(login::reader(who.as_ref()), &name).await?;
    Ok(Answer(record.channel.clone()))
}

async fn edit(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
    Json(request): Json<EditChannel>,
) -> Result<Answer<Channel>, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    Ok(Answer(api.channels.edit(&who.actor, &name, request).await?))
}

async fn state(
    State(api): State<Api>,
    who: Option<SignedIn>,
    Path(name): Path<ChannelName>,
) -> Result<Answer<ChannelState>, ProblemResponse> {
    let record = api.channels.seen(login::reader(who.as_ref()), &name).await?;
    Ok(Answer(api.channels.state_of(&record)))
}

async fn embedding(
    State(api): State<Api>,
    who: Option<SignedIn>,
    Path(name): Path<ChannelName>,
) -> Result<Answer<EmbedRules>, ProblemResponse> {
    let record = api.channels.seen(login::reader(who.as_ref()), &name).await?;
    Ok(Answer(EmbedRules { embedding: record.channel.embedding.clone() }))
}

async fn rotate(
    State(api): State<Api>,
    who: SignedIn,
    peer: Peer,
    Path(name): Path<ChannelName>,
) -> Result<Answer<NewStreamKey>, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    let stream_key = api.channels.rotate(&who.actor, &name).await?;
    Ok(Answer(NewStreamKey { stream_key, whip_url: whip_url(&peer.base_url, &name) }))
}

async fn publish_token(
    State(api): State<Api>,
    who: SignedIn,
    peer: Peer,
    Path(name): Path<ChannelName>,
) -> Result<Response, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    let (token, expires_at) = api.channels.publish_token(&who.actor, &name).await?;
    let token = PublishToken { token, whip_url: whip_url(&peer.base_url, &name), expires_at };
    Ok((StatusCode::CREATED, Answer(token)).into_response())
}

async fn end(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
) -> Result<StatusCode, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    api.channels.end(&who.actor, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<ChannelError> for ProblemResponse {
    fn from(error: ChannelError) -> Self {
        match error {
            ChannelError::Unknown => Self::new(
                StatusCode::NOT_FOUND,
                "unknown-channel",
                "No such channel",
                "There is no channel with this name. Check how it is written.",
            ),
            ChannelError::NotYours => Self::new(
                StatusCode::FORBIDDEN,
                "not-yours",
                "Somebody else's channel",
                "Only the channel's owner may do this. Sign in as the owner.",
            ),
            ChannelError::Taken => Self::taken("name"),
            ChannelError::TooManySites => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid",
                "Too many sites",
                "A channel lists at most 20 sites that may show it. Remove some.",
            )
            .field("embedding"),
            ChannelError::TooManyTags => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid",
                "Too many tags",
                format!("A channel has at most {} tags. Leave some out.", shared::channel::TAGS_MOST),
            )
            .field("tags"),
            ChannelError::TooMany => Self::new(
                StatusCode::CONFLICT,
                "too-many-channels",
                "Too many channels",
                format!("An account has at most {} channels.", super::rules::CHANNELS_MOST),
            ),
            ChannelError::Store(error) => error.into(),
        }
    }
}
