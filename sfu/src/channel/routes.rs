//! Channels over HTTP.

use super::{
    listing::{Filter, Place},
    service::{ChannelError, Channels},
};
use crate::actor::{Embed, Visitor};
use crate::http::{
    extract::{Json, Path, Query, bad_cursor},
    login::{self, HasLogins, Logins, SignedIn},
    peer::Peer,
    problem::ProblemResponse,
};
use axum::{
    Json as Answer,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use shared::{
    account::Scope,
    broadcast::ChannelState,
    channel::{
        CategoryCard, Channel, ChannelCard, ChannelQuery, CreateChannel, EditChannel, NewChannel,
        NewStreamKey,
    },
    embed::{CreateEmbedLink, EMBED_LINK_MOST_SECONDS, EmbedLink, EmbedRules},
    id::ChannelName,
    ladder::{LadderState, SetLadder},
    page::{Page, PageQuery},
    publish::PublishToken,
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

/// The list of channels, channels, their states and their keys.
pub fn routes(channels: Channels, logins: Arc<dyn Logins>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(categories))
        .routes(routes!(read, edit))
        .routes(routes!(state))
        .routes(routes!(embedding))
        .routes(routes!(embed_link, revoke_embed_links))
        .routes(routes!(rotate))
        .routes(routes!(ladder, set_ladder))
        .routes(routes!(publish_token))
        .routes(routes!(end))
        .with_state(Api { channels, logins })
}

/// Where a publisher posts its offer.
pub fn whip_url(base_url: &str, channel: &ChannelName) -> String {
    format!("{base_url}/whip/{channel}")
}

/// Public channels
///
/// Live ones first, most watched first, then the most recently live.
#[utoipa::path(
    get,
    path = "/channels",
    operation_id = "listChannels",
    tag = "channels",
    params(ChannelQuery),
    responses(
        (status = 200, body = Page<ChannelCard>, description = "A page of channels and what they do"),
        (status = 400, description = "The cursor or the limit can't be taken"),
    )
)]
async fn list(
    State(api): State<Api>,
    Query(query): Query<ChannelQuery>,
) -> Result<Answer<Page<ChannelCard>>, ProblemResponse> {
    let ChannelQuery { cursor, limit, search, category, tag } = query;
    let after = match &cursor {
        Some(text) => Some(Place::parse(text).ok_or_else(bad_cursor)?),
        None => None,
    };
    let filter = Filter::new(&search.unwrap_or_default(), category.as_ref(), tag.as_ref());
    let limit = PageQuery { cursor: None, limit }.limit();
    Ok(Answer(api.channels.list(&filter, after, limit).await?))
}

/// What there is to watch
///
/// Categories of public channels: most watched first, then those of the most channels; at most 200.
#[utoipa::path(
    get,
    path = "/categories",
    operation_id = "listCategories",
    tag = "channels",
    responses(
        (status = 200, body = Page<CategoryCard>, description = "All of them, on one page"),
    )
)]
async fn categories(State(api): State<Api>) -> Result<Answer<Page<CategoryCard>>, ProblemResponse> {
    Ok(Answer(Page { items: api.channels.categories().await?, next: None }))
}

/// Make a channel
///
/// Its stream key is shown this once.
#[utoipa::path(
    post,
    path = "/channels",
    operation_id = "createChannel",
    tag = "channels",
    request_body(content = CreateChannel, example = json!({"name": "evenings", "displayName": "Evenings with Ada"})),
    responses(
        (status = 201, body = NewChannel, description = "The channel and its stream key"),
        (status = 403, description = "The token lacks the scope"),
        (status = 409, description = "The name is taken or too much like another, or the account has as many channels as it may"),
        (status = 429, description = "Too often"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn create(
    State(api): State<Api>,
    who: SignedIn,
    peer: Peer,
    Json(request): Json<CreateChannel>,
) -> Result<Response, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    let made = api.channels.create_for(&who.actor, request.name, request.display_name).await?;
    let (channel, stream_key) = made;
    let whip_url = whip_url(&peer.base_url, &channel.name);
    Ok((StatusCode::CREATED, Answer(NewChannel { channel, stream_key, whip_url })).into_response())
}

/// What a channel says of itself
#[utoipa::path(
    get,
    path = "/channels/{name}",
    operation_id = "readChannel",
    tag = "channels",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    responses(
        (status = 200, body = Channel, description = "The channel"),
        (status = 403, description = "The signed embed has expired, or isn't valid"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security((), ("login" = []), ("token" = ["read"]), ("embed" = []))
)]
async fn read(
    State(api): State<Api>,
    who: Option<SignedIn>,
    headers: HeaderMap,
    Path(name): Path<ChannelName>,
) -> Result<Answer<Channel>, ProblemResponse> {
    let record = api.channels.seen(login::visitor(who.as_ref(), &headers), &name).await?;
    Ok(Answer(record.channel.clone()))
}

/// Change what a channel says of itself
///
/// What is absent stays.
#[utoipa::path(
    patch,
    path = "/channels/{name}",
    operation_id = "editChannel",
    tag = "channels",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    request_body(content = EditChannel, example = json!({"title": "Late shift", "tags": ["music"], "visibility": "PUBLIC"})),
    responses(
        (status = 200, body = Channel, description = "The channel as it is now"),
        (status = 403, description = "Somebody else's channel, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
        (status = 409, description = "The name is too much like another"),
        (status = 429, description = "Too often"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn edit(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
    Json(request): Json<EditChannel>,
) -> Result<Answer<Channel>, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    Ok(Answer(api.channels.edit(&who.actor, &name, request).await?))
}

/// What a channel is doing
#[utoipa::path(
    get,
    path = "/channels/{name}/state",
    operation_id = "readChannelState",
    tag = "channels",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    responses(
        (status = 200, body = ChannelState, description = "Live or not, how many watch, which renditions there are"),
        (status = 403, description = "The signed embed has expired, or isn't valid"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security((), ("login" = []), ("token" = ["read"]), ("embed" = []))
)]
async fn state(
    State(api): State<Api>,
    who: Option<SignedIn>,
    headers: HeaderMap,
    Path(name): Path<ChannelName>,
) -> Result<Answer<ChannelState>, ProblemResponse> {
    let record = api.channels.seen(login::visitor(who.as_ref(), &headers), &name).await?;
    Ok(Answer(api.channels.state_of(&record)))
}

/// Which pages may show a channel
#[utoipa::path(
    get,
    path = "/channels/{name}/embedding",
    operation_id = "readEmbedding",
    tag = "channels",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    responses(
        (status = 200, body = EmbedRules, description = "The rules"),
        (status = 403, description = "The signed embed has expired, or isn't valid"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security((), ("login" = []), ("token" = ["read"]), ("embed" = []))
)]
async fn embedding(
    State(api): State<Api>,
    who: Option<SignedIn>,
    headers: HeaderMap,
    Path(name): Path<ChannelName>,
) -> Result<Answer<EmbedRules>, ProblemResponse> {
    // A player whose signed embed has expired must still know which page it may tell so.
    let Visitor { actor, embed } = login::visitor(who.as_ref(), &headers);
    let visitor = Visitor { actor, embed: embed.map(|embed| Embed { goes_on: true, ..embed }) };
    let record = api.channels.seen(visitor, &name).await?;
    Ok(Answer(EmbedRules { embedding: record.channel.embedding.clone() }))
}

/// Make a signed embed
///
/// With it, others watch the channel on other pages until it expires, whoever may see the channel otherwise. Nothing of it is
/// kept.
#[utoipa::path(
    post,
    path = "/channels/{name}/embed-links",
    operation_id = "createEmbedLink",
    tag = "embeds",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    request_body(content = CreateEmbedLink, example = json!({"expiresInSeconds": 3600})),
    responses(
        (status = 201, body = EmbedLink, description = "The token, and addresses that hold it"),
        (status = 403, description = "Somebody else's channel, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn embed_link(
    State(api): State<Api>,
    who: SignedIn,
    peer: Peer,
    Path(name): Path<ChannelName>,
    Json(request): Json<CreateEmbedLink>,
) -> Result<Response, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    let seconds = request.expires_in_seconds;
    let link: EmbedLink = api.channels.embed_link(&who.actor, &name, seconds, &peer.base_url).await?;
    Ok((StatusCode::CREATED, Answer(link)).into_response())
}

/// Revoke all signed embeds
///
/// None that was made admits any more, and what is watched by one ends.
#[utoipa::path(
    delete,
    path = "/channels/{name}/embed-links",
    operation_id = "revokeEmbedLinks",
    tag = "embeds",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    responses(
        (status = 204, description = "None of them admits any more"),
        (status = 403, description = "Somebody else's channel, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn revoke_embed_links(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
) -> Result<StatusCode, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    api.channels.revoke_embeds(&who.actor, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Make a new stream key
///
/// It is shown this once. What could publish before can't any more, and what does is ended.
#[utoipa::path(
    post,
    path = "/channels/{name}/stream-key",
    operation_id = "rotateStreamKey",
    tag = "channels",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    responses(
        (status = 200, body = NewStreamKey, description = "The new key"),
        (status = 403, description = "Somebody else's channel, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
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

/// The ladder
///
/// Which renditions the server makes or could make of what the channel publishes, who gets them, and why others aren't made.
#[utoipa::path(
    get,
    path = "/channels/{name}/ladder",
    operation_id = "readLadder",
    tag = "channels",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    responses(
        (status = 200, body = LadderState, description = "The ladder"),
        (status = 403, description = "Somebody else's channel, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn ladder(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
) -> Result<Answer<LadderState>, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    Ok(Answer(api.channels.ladder(&who.actor, &name).await?))
}

/// Turn the ladder on or off
///
/// Kept for later broadcasts. Viewers of what isn't made any more get the source.
#[utoipa::path(
    put,
    path = "/channels/{name}/ladder",
    operation_id = "setLadder",
    tag = "channels",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    request_body(content = SetLadder, example = json!({"enabled": false})),
    responses(
        (status = 200, body = LadderState, description = "The ladder"),
        (status = 403, description = "Somebody else's channel, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn set_ladder(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
    Json(request): Json<SetLadder>,
) -> Result<Answer<LadderState>, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    Ok(Answer(api.channels.set_ladder(&who.actor, &name, request.enabled).await?))
}

/// Make a publish token
///
/// Publishes by WHIP as the stream key would, for sessions that start within 12 hours.
#[utoipa::path(
    post,
    path = "/channels/{name}/publish-token",
    operation_id = "createPublishToken",
    tag = "channels",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    responses(
        (status = 201, body = PublishToken, description = "The token"),
        (status = 403, description = "Somebody else's channel, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
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

/// End the broadcast
///
/// Nothing of it is forwarded any more once this is answered.
#[utoipa::path(
    post,
    path = "/channels/{name}/end",
    operation_id = "endBroadcast",
    tag = "channels",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    responses(
        (status = 204, description = "Nothing is live there"),
        (status = 403, description = "Somebody else's channel, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
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
                "Only the channel's owner may do this, or somebody whom they let. Sign in as the owner.",
            ),
            ChannelError::UnknownAccount => Self::new(
                StatusCode::NOT_FOUND,
                "unknown-account",
                "Nobody of this name",
                "Nobody has an account with this name, or none of the kind that was asked for. Check how it is written.",
            )
            .field("account"),
            ChannelError::IsOwner => Self::new(
                StatusCode::CONFLICT,
                "is-owner",
                "They own the channel",
                "The channel's owner may do everything already.",
            )
            .field("account"),
            ChannelError::TooManyRoles => Self::new(
                StatusCode::CONFLICT,
                "too-many-roles",
                "Too many roles",
                format!("A channel has at most {} editors and VIPs. Remove some.", shared::channel::ROLES_MOST),
            ),
            ChannelError::NotAllowed => Self::new(
                StatusCode::FORBIDDEN,
                "not-yours",
                "For those who run the instance",
                "Only those who run this instance may do this. Sign in as one of them.",
            ),
            ChannelError::Suspended => Self::channel_suspended(),
            ChannelError::Confirm => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid",
                "This is not the channel's name",
                "Type the channel's name as its address has it, so that no other channel is meant.",
            )
            .field("confirm"),
            ChannelError::Taken => Self::taken("name"),
            ChannelError::LookAlike { field } => Self::look_alike(field),
            ChannelError::TooFast { wait } => {
                let seconds = wait.as_secs() + 1;
                Self::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    "too-fast",
                    "Too fast",
                    format!("Channels can't be named or deleted so often. Wait {seconds} s, then try again."),
                )
                .retry_after(seconds)
            }
            ChannelError::TooManySites => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid",
                "Too many sites",
                "A channel lists at most 20 sites that may show it. Remove some.",
            )
            .field("embedding"),
            ChannelError::EmbedTime => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid",
                "A signed embed can't be good for so long",
                format!(
                    "A signed embed is good for 1 to {EMBED_LINK_MOST_SECONDS} seconds, which is a year."
                ),
            )
            .field("expiresInSeconds"),
            ChannelError::Embed(error) => error.into(),
            ChannelError::Door(error) => error.into(),
            ChannelError::Page(error) => error.into(),
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
