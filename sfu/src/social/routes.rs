//! Following over HTTP.

use super::{
    service::{FollowError, Social},
    store::FOLLOWED_MOST,
};
use crate::http::{
    extract::{Paging, Path},
    login::{self, HasLogins, Logins, SignedIn},
    problem::ProblemResponse,
};
use axum::{
    Json as Answer,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use shared::{
    account::Scope,
    channel::ChannelCard,
    id::ChannelName,
    page::{Page, PageQuery},
    social::{Follower, Following, Recommendation},
};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

#[derive(Clone)]
struct Api {
    social: Social,
    logins: Arc<dyn Logins>,
}

impl HasLogins for Api {
    fn logins(&self) -> &Arc<dyn Logins> {
        &self.logins
    }
}

/// Following, followers, and what one follows.
pub fn routes(social: Social, logins: Arc<dyn Logins>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(read, follow, unfollow))
        .routes(routes!(followers))
        .routes(routes!(followed))
        .routes(routes!(recommendations))
        .with_state(Api { social, logins })
}

/// How many follow a channel
///
/// And since when whoever asks does.
#[utoipa::path(
    get,
    path = "/channels/{name}/follow",
    operation_id = "readFollow",
    tag = "social",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    responses(
        (status = 200, body = Following, description = "How many, and since when"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security((), ("login" = []), ("token" = ["read"]))
)]
async fn read(
    State(api): State<Api>,
    who: Option<SignedIn>,
    headers: HeaderMap,
    Path(name): Path<ChannelName>,
) -> Result<Answer<Following>, ProblemResponse> {
    Ok(Answer(api.social.of(login::visitor(who.as_ref(), &headers), &name).await?))
}

/// Follow a channel
///
/// Who does already goes on.
#[utoipa::path(
    put,
    path = "/channels/{name}/follow",
    operation_id = "follow",
    tag = "social",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    responses(
        (status = 200, body = Following, description = "How many do now"),
        (status = 403, description = "The token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
        (status = 409, description = "It is one's own, or one follows as many as one may"),
        (status = 429, description = "Too often"),
    ),
    security(("login" = []), ("token" = ["follow:write"]))
)]
async fn follow(
    State(api): State<Api>,
    who: SignedIn,
    headers: HeaderMap,
    Path(name): Path<ChannelName>,
) -> Result<Answer<Following>, ProblemResponse> {
    who.may(Scope::FollowWrite)?;
    Ok(Answer(api.social.follow(&who.actor, login::embed_of(&headers), &name).await?))
}

/// Don't follow a channel any more
#[utoipa::path(
    delete,
    path = "/channels/{name}/follow",
    operation_id = "unfollow",
    tag = "social",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    responses(
        (status = 200, body = Following, description = "How many do now"),
        (status = 403, description = "The token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
        (status = 429, description = "Too often"),
    ),
    security(("login" = []), ("token" = ["follow:write"]))
)]
async fn unfollow(
    State(api): State<Api>,
    who: SignedIn,
    headers: HeaderMap,
    Path(name): Path<ChannelName>,
) -> Result<Answer<Following>, ProblemResponse> {
    who.may(Scope::FollowWrite)?;
    Ok(Answer(api.social.unfollow(&who.actor, login::embed_of(&headers), &name).await?))
}

/// Who follows a channel
///
/// Newest first. For its owner and editors.
#[utoipa::path(
    get,
    path = "/channels/{name}/followers",
    operation_id = "listFollowers",
    tag = "social",
    params(("name" = ChannelName, Path, description = "The channel's name"), PageQuery),
    responses(
        (status = 200, body = Page<Follower>, description = "A page of followers"),
        (status = 400, description = "The cursor or the limit can't be taken"),
        (status = 403, description = "Only the owner and editors may, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["read"]))
)]
async fn followers(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
    Paging(wanted): Paging,
) -> Result<Answer<Page<Follower>>, ProblemResponse> {
    Ok(Answer(api.social.followers(&who.actor, &name, &wanted).await?))
}

/// What you follow
///
/// The last one first, with what each is doing. A channel that is private now is left out, so that a page may have fewer than
/// its limit.
#[utoipa::path(
    get,
    path = "/me/following",
    operation_id = "listFollowed",
    tag = "social",
    params(PageQuery),
    responses(
        (status = 200, body = Page<ChannelCard>, description = "A page of channels"),
        (status = 400, description = "The cursor or the limit can't be taken"),
        (status = 403, description = "The token lacks the scope"),
    ),
    security(("login" = []), ("token" = ["read"]))
)]
async fn followed(
    State(api): State<Api>,
    who: SignedIn,
    Paging(wanted): Paging,
) -> Result<Answer<Page<ChannelCard>>, ProblemResponse> {
    Ok(Answer(api.social.followed(&who.actor, &wanted).await?))
}

/// What people follow who follow the same as you
///
/// Public channels alone, at most 12, those first that most people follow together with one of yours. Nobody is named: of what people
/// follow, about half is counted, which half only the server knows, and a channel is named once five of those follow both. Worked out
/// anew every ten minutes.
#[utoipa::path(
    get,
    path = "/me/recommendations",
    operation_id = "listRecommendations",
    tag = "social",
    responses(
        (status = 200, body = Page<Recommendation>, description = "All of them on one page"),
        (status = 403, description = "The token lacks the scope"),
    ),
    security(("login" = []), ("token" = ["read"]))
)]
async fn recommendations(
    State(api): State<Api>,
    who: SignedIn,
) -> Result<Answer<Page<Recommendation>>, ProblemResponse> {
    Ok(Answer(Page { items: api.social.recommendations(&who.actor).await?, next: None }))
}

impl From<FollowError> for ProblemResponse {
    fn from(error: FollowError) -> Self {
        match error {
            FollowError::OwnChannel => Self::new(
                StatusCode::CONFLICT,
                "own-channel",
                "This is your own channel",
                "Nobody follows their own channel.",
            ),
            FollowError::TooMany => Self::new(
                StatusCode::CONFLICT,
                "follows-too-many",
                "You follow very many channels",
                format!("One follows at most {FOLLOWED_MOST} channels. Leave one first."),
            ),
            FollowError::TooFast { wait } => {
                let seconds = wait.as_secs() + 1;
                Self::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    "too-fast",
                    "Too fast",
                    format!("That was very often in a short time. Wait {seconds} s, then try again."),
                )
                .retry_after(seconds)
            }
            FollowError::Refused(problem) => problem,
            FollowError::Store(error) => error.into(),
        }
    }
}
