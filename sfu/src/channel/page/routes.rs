//! What a channel's page shows, over HTTP.

use super::{Place, service::PageError};
use crate::{
    channel::service::{ChannelError, Channels},
    http::{
        extract::{Json, Path},
        fallback, headers,
        login::{self, HasLogins, Logins, SignedIn},
        problem::ProblemResponse,
    },
    portrait::{BYTES_MOST, Kind, PortraitError},
};
use axum::{
    Json as Answer, Router,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use shared::{
    account::Scope,
    channel::{About, Channel, PreviewAbout, SetPicture},
    id::ChannelName,
    schedule::{ENTRIES_MOST, Schedule, SetSchedule},
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

/// Pictures, the about and the schedule.
pub fn routes(channels: Channels, logins: Arc<dyn Logins>) -> OpenApiRouter {
    // A picture in base64, and the words around it.
    let room = DefaultBodyLimit::max(BYTES_MOST / 3 * 4 + 1024);
    let pictures = OpenApiRouter::new()
        .routes(routes!(set_avatar, remove_avatar))
        .routes(routes!(set_banner, remove_banner));
    OpenApiRouter::new()
        .routes(routes!(about))
        .routes(routes!(preview))
        .routes(routes!(schedule, set_schedule))
        .merge(pictures.layer(room))
        .with_state(Api { channels, logins })
}

/// `/channel-pictures/{hash}`: pictures that the server made. Their address changes with them.
pub fn pictures(channels: Channels) -> Router {
    Router::new().route("/channel-pictures/{hash}", get(picture)).with_state(channels)
}

async fn picture(
    State(channels): State<Channels>,
    Path(hash): Path<String>,
) -> Result<Response, ProblemResponse> {
    let picture = channels.picture(&hash).await?.ok_or_else(fallback::not_found)?;
    let kind = match picture.kind {
        Kind::Png => "image/png",
        Kind::Jpeg => "image/jpeg",
    };
    let mut response = picture.bytes.into_response();
    let set = response.headers_mut();
    set.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    set.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    // It is nothing but pixels; should a browser take it for anything else all the same, that can do nothing.
    let policy = HeaderValue::from_static("default-src 'none'; sandbox");
    set.insert(header::CONTENT_SECURITY_POLICY, policy);
    headers::open_to_all(set);
    Ok(response)
}

/// What a channel tells of itself
///
/// At length: the Markdown as it was written, and the tree of words that it becomes. HTML in it stays text, pictures become
/// links, and links lead to http, https and mailto alone. It is changed with `about` of `editChannel`.
#[utoipa::path(
    get,
    path = "/channels/{name}/about",
    operation_id = "readAbout",
    tag = "channels",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    responses(
        (status = 200, body = About, description = "The text, and what it becomes"),
        (status = 403, description = "The signed embed has expired, or isn't valid"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security((), ("login" = []), ("token" = ["read"]), ("embed" = []))
)]
async fn about(
    State(api): State<Api>,
    who: Option<SignedIn>,
    headers: HeaderMap,
    Path(name): Path<ChannelName>,
) -> Result<Answer<About>, ProblemResponse> {
    Ok(Answer(api.channels.about(login::visitor(who.as_ref(), &headers), &name).await?))
}

/// What a text would become
///
/// Of what is being written, for the owner and editors. Nothing of it is kept.
#[utoipa::path(
    post,
    path = "/channels/{name}/about/preview",
    operation_id = "previewAbout",
    tag = "channels",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    request_body(content = PreviewAbout, example = json!({"about": "## Hello\n\nI build **rivers**."})),
    responses(
        (status = 200, body = About, description = "The text, and what it becomes"),
        (status = 403, description = "Somebody else's channel, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn preview(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
    Json(request): Json<PreviewAbout>,
) -> Result<Answer<About>, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    Ok(Answer(api.channels.preview_about(&who.actor, &name, request.about).await?))
}

/// What a channel plans
///
/// What is next comes in UTC. Times by the clocks of the schedule's time zone are kept when those are changed: what is planned
/// for an hour that is left out begins as much later, and what is planned for one that comes twice begins at the first.
#[utoipa::path(
    get,
    path = "/channels/{name}/schedule",
    operation_id = "readSchedule",
    tag = "channels",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    responses(
        (status = 200, body = Schedule, description = "What is planned, and when it is next"),
        (status = 403, description = "The signed embed has expired, or isn't valid"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security((), ("login" = []), ("token" = ["read"]), ("embed" = []))
)]
async fn schedule(
    State(api): State<Api>,
    who: Option<SignedIn>,
    headers: HeaderMap,
    Path(name): Path<ChannelName>,
) -> Result<Answer<Schedule>, ProblemResponse> {
    Ok(Answer(api.channels.schedule(login::visitor(who.as_ref(), &headers), &name).await?))
}

/// Say what a channel plans
///
/// All of it: what was planned before and isn't sent is gone.
#[utoipa::path(
    put,
    path = "/channels/{name}/schedule",
    operation_id = "setSchedule",
    tag = "channels",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    request_body(content = SetSchedule, example = json!({"timeZone": "Europe/Vienna", "entries": [
        {"title": "Friday night", "category": "Music", "on": {"weekday": "friday"}, "time": "20:00", "minutes": 120},
        {"title": "Leap day", "on": {"date": "2028-02-29"}, "time": "12:00", "minutes": 60},
    ]})),
    responses(
        (status = 200, body = Schedule, description = "What is planned, and when it is next"),
        (status = 403, description = "Somebody else's channel, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
        (status = 422, description = "There is no such time zone, or more is planned than a schedule has room for"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn set_schedule(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
    Json(request): Json<SetSchedule>,
) -> Result<Answer<Schedule>, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    Ok(Answer(api.channels.set_schedule(&who.actor, &name, request).await?))
}

/// Set a channel's picture
///
/// In the place of its owner's. The server makes its own of it, 256 pixels square. Of one that moves, the first picture is taken.
#[utoipa::path(
    put,
    path = "/channels/{name}/avatar",
    operation_id = "setChannelAvatar",
    tag = "channels",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    request_body(content = SetPicture, example = json!({"image": "iVBORw0KGgo…"})),
    responses(
        (status = 200, body = Channel, description = "The channel, with the picture's address"),
        (status = 403, description = "Somebody else's channel, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
        (status = 422, description = "It is no picture that is taken, or too large"),
        (status = 429, description = "Too often"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn set_avatar(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
    Json(request): Json<SetPicture>,
) -> Result<Answer<Channel>, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    Ok(Answer(api.channels.set_picture(&who.actor, &name, Place::Avatar, &request.image).await?))
}

/// Remove a channel's picture
///
/// Its owner's is shown again.
#[utoipa::path(
    delete,
    path = "/channels/{name}/avatar",
    operation_id = "removeChannelAvatar",
    tag = "channels",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    responses(
        (status = 200, body = Channel, description = "The channel, without a picture of its own"),
        (status = 403, description = "Somebody else's channel, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn remove_avatar(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
) -> Result<Answer<Channel>, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    Ok(Answer(api.channels.remove_picture(&who.actor, &name, Place::Avatar).await?))
}

/// Set a channel's banner
///
/// The wide picture on its page. The server makes its own of it, 1500 by 375 pixels, of the middle. Of one that moves, the first
/// picture is taken.
#[utoipa::path(
    put,
    path = "/channels/{name}/banner",
    operation_id = "setChannelBanner",
    tag = "channels",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    request_body(content = SetPicture, example = json!({"image": "iVBORw0KGgo…"})),
    responses(
        (status = 200, body = Channel, description = "The channel, with the banner's address"),
        (status = 403, description = "Somebody else's channel, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
        (status = 422, description = "It is no picture that is taken, or too large"),
        (status = 429, description = "Too often"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn set_banner(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
    Json(request): Json<SetPicture>,
) -> Result<Answer<Channel>, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    Ok(Answer(api.channels.set_picture(&who.actor, &name, Place::Banner, &request.image).await?))
}

/// Remove a channel's banner
#[utoipa::path(
    delete,
    path = "/channels/{name}/banner",
    operation_id = "removeChannelBanner",
    tag = "channels",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    responses(
        (status = 200, body = Channel, description = "The channel, without a banner"),
        (status = 403, description = "Somebody else's channel, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn remove_banner(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
) -> Result<Answer<Channel>, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    Ok(Answer(api.channels.remove_picture(&who.actor, &name, Place::Banner).await?))
}

impl From<PageError> for ChannelError {
    fn from(error: PageError) -> Self {
        Self::Page(error)
    }
}

impl From<PageError> for ProblemResponse {
    fn from(error: PageError) -> Self {
        let invalid = |field, title: &str, detail: String| {
            Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", title, detail).field(field)
        };
        let picture = |detail: &str| invalid("image", "This picture can't be taken", detail.to_owned());
        match error {
            PageError::NotBase64 => picture("The picture must be sent in base64."),
            PageError::Picture(error) => picture(match error {
                PortraitError::TooLarge => "A picture has at most 4 MiB. Make it smaller.",
                PortraitError::Kind => "A picture is a PNG, JPEG, WebP or GIF. This is something else.",
                PortraitError::TooManyPixels => {
                    "A picture has at most 8,192 pixels a side, and 40 million in all. Make it smaller."
                }
                PortraitError::Broken => "This picture is broken and can't be read. Try another.",
            }),
            PageError::TooMany { wait } => {
                let seconds = wait.as_secs() + 1;
                Self::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    "too-fast",
                    "Too many pictures",
                    format!("You sent many pictures in a short time. Wait {seconds} s, then try again."),
                )
                .retry_after(seconds)
            }
            PageError::Busy => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "busy",
                "Many pictures at this moment",
                "The server makes many pictures at this moment. Try again in a few seconds.",
            )
            .retry_after(3),
            PageError::TooManyEntries => invalid(
                "entries",
                "Too much is planned",
                format!("A schedule has at most {ENTRIES_MOST} entries. Leave some out."),
            ),
            PageError::UnknownZone => invalid(
                "timeZone",
                "There is no such time zone",
                "A time zone is called like Europe/Vienna or America/New_York. Check how it is written."
                    .to_owned(),
            ),
        }
    }
}
