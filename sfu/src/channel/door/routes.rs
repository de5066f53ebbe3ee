//! Ways into private channels over HTTP.

use super::{HashFailed, service::DoorError};
use crate::{
    channel::service::{ChannelError, Channels},
    http::{
        extract::{Json, Paging, Path},
        login::{self, HasLogins, Logins, SignedIn},
        passes,
        peer::Peer,
        problem::ProblemResponse,
    },
};
use axum::{
    Json as Answer,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use shared::{
    access::{
        AccessLink, Admitted, ChannelAccess, CreateAccessLink, EditAccess, Enter, LINK_DAYS_MOST,
        LINK_USES_MOST, LINKS_MOST, LISTED_MOST, NewAccessLink, SetChannelPassword,
    },
    account::Scope,
    id::{AccessLinkId, ChannelName},
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

/// Getting in, and saying who does.
pub fn routes(channels: Channels, logins: Arc<dyn Logins>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(enter))
        .routes(routes!(access, edit_access))
        .routes(routes!(set_password, remove_password))
        .routes(routes!(admitted))
        .routes(routes!(admit, unadmit))
        .routes(routes!(links, add_link))
        .routes(routes!(revoke_link))
        .with_state(Api { channels, logins })
}

/// Get into a private channel
///
/// By its password, or by what a link into it holds. What is wrong is answered as on a channel that isn't there.
#[utoipa::path(
    post,
    path = "/channels/{name}/entry",
    operation_id = "enterChannel",
    tag = "channels",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    request_body(content = Enter, example = json!({"password": "correct horse battery"})),
    responses(
        (status = 204, description = "In; with a cookie that lets in from now on, if one is needed"),
        (status = 403, description = "This lets nobody into a channel of this name"),
        (status = 429, description = "Too many tries; `retryAfter` says when"),
    ),
    security((), ("login" = []), ("token" = ["read"]))
)]
async fn enter(
    State(api): State<Api>,
    who: Option<SignedIn>,
    peer: Peer,
    headers: HeaderMap,
    Path(name): Path<ChannelName>,
    Json(shown): Json<Enter>,
) -> Result<Response, ProblemResponse> {
    let visitor = login::visitor(who.as_ref(), &headers);
    let passes = api.channels.enter(visitor, &name, shown, peer.address).await?;
    Ok(match passes {
        Some(value) => {
            let cookie = passes::cookie(&value, super::pass::LASTS_DAYS, peer.secure);
            (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response()
        }
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

/// The ways into a channel
///
/// While it is private: whether it has a password, how many are on its list, how many links there are.
#[utoipa::path(
    get,
    path = "/channels/{name}/access",
    operation_id = "readAccess",
    tag = "channels",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    responses(
        (status = 200, body = ChannelAccess, description = "The ways in"),
        (status = 403, description = "Somebody else's channel, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["read"]))
)]
async fn access(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
) -> Result<Answer<ChannelAccess>, ProblemResponse> {
    Ok(Answer(api.channels.access(&who.actor, &name).await?))
}

/// Say which subscribers get in
#[utoipa::path(
    patch,
    path = "/channels/{name}/access",
    operation_id = "editAccess",
    tag = "channels",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    request_body(content = EditAccess, example = json!({"subscribers": "two"})),
    responses(
        (status = 200, body = ChannelAccess, description = "The ways in as they are now"),
        (status = 403, description = "Somebody else's channel, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn edit_access(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
    Json(edit): Json<EditAccess>,
) -> Result<Answer<ChannelAccess>, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    Ok(Answer(api.channels.edit_access(&who.actor, &name, edit).await?))
}

/// Give a private channel a password
///
/// Whoever came in by another one is out.
#[utoipa::path(
    put,
    path = "/channels/{name}/password",
    operation_id = "setChannelPassword",
    tag = "channels",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    request_body(content = SetChannelPassword, example = json!({"password": "correct horse battery"})),
    responses(
        (status = 204, description = "It has this one now"),
        (status = 403, description = "Somebody else's channel, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
        (status = 503, description = "Too many passwords are looked at in this moment"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn set_password(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
    Json(SetChannelPassword { password }): Json<SetChannelPassword>,
) -> Result<StatusCode, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    api.channels.set_channel_password(&who.actor, &name, Some(password)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take a private channel's password away
///
/// Whoever came in by it is out.
#[utoipa::path(
    delete,
    path = "/channels/{name}/password",
    operation_id = "removeChannelPassword",
    tag = "channels",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    responses(
        (status = 204, description = "It has none any more"),
        (status = 403, description = "Somebody else's channel, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn remove_password(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
) -> Result<StatusCode, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    api.channels.set_channel_password(&who.actor, &name, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The list of a private channel
///
/// Who gets in by name, by what they sign in with. For the owner.
#[utoipa::path(
    get,
    path = "/channels/{name}/admitted",
    operation_id = "listAdmitted",
    tag = "channels",
    params(("name" = ChannelName, Path, description = "The channel's name"), PageQuery),
    responses(
        (status = 200, body = Page<Admitted>, description = "A page of people"),
        (status = 400, description = "The cursor or the limit can't be taken"),
        (status = 403, description = "Only the owner may, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["read"]))
)]
async fn admitted(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
    Paging(wanted): Paging,
) -> Result<Answer<Page<Admitted>>, ProblemResponse> {
    Ok(Answer(api.channels.admitted_people(&who.actor, &name, &wanted).await?))
}

/// Put somebody on the list
#[utoipa::path(
    put,
    path = "/channels/{name}/admitted/{account}",
    operation_id = "admitPerson",
    tag = "channels",
    params(
        ("name" = ChannelName, Path, description = "The channel's name"),
        ("account" = AccountName, Path, description = "What they sign in with"),
    ),
    responses(
        (status = 200, body = Admitted, description = "They are on it"),
        (status = 403, description = "Somebody else's channel, or the token lacks the scope"),
        (status = 404, description = "No such channel or account, as far as the one who asks may know"),
        (status = 409, description = "It is as long as it may be"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn admit(
    State(api): State<Api>,
    who: SignedIn,
    Path((name, account)): Path<(ChannelName, AccountName)>,
) -> Result<Answer<Admitted>, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    Ok(Answer(api.channels.admit(&who.actor, &name, account).await?))
}

/// Take somebody off the list
///
/// They are out, if nothing else lets them in.
#[utoipa::path(
    delete,
    path = "/channels/{name}/admitted/{account}",
    operation_id = "unadmitPerson",
    tag = "channels",
    params(
        ("name" = ChannelName, Path, description = "The channel's name"),
        ("account" = AccountName, Path, description = "What they sign in with"),
    ),
    responses(
        (status = 204, description = "They aren't on it any more"),
        (status = 403, description = "Somebody else's channel, or the token lacks the scope"),
        (status = 404, description = "No such channel, or nobody of this name is on its list"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn unadmit(
    State(api): State<Api>,
    who: SignedIn,
    Path((name, account)): Path<(ChannelName, AccountName)>,
) -> Result<StatusCode, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    api.channels.unadmit(&who.actor, &name, account).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Links into a private channel
///
/// Newest first; those that are used up or over, too. For the owner.
#[utoipa::path(
    get,
    path = "/channels/{name}/access-links",
    operation_id = "listAccessLinks",
    tag = "channels",
    params(("name" = ChannelName, Path, description = "The channel's name"), PageQuery),
    responses(
        (status = 200, body = Page<AccessLink>, description = "A page of links"),
        (status = 400, description = "The cursor or the limit can't be taken"),
        (status = 403, description = "Only the owner may, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
    ),
    security(("login" = []), ("token" = ["read"]))
)]
async fn links(
    State(api): State<Api>,
    who: SignedIn,
    Path(name): Path<ChannelName>,
    Paging(wanted): Paging,
) -> Result<Answer<Page<AccessLink>>, ProblemResponse> {
    Ok(Answer(api.channels.access_links(&who.actor, &name, &wanted).await?))
}

/// Make a link into a private channel
///
/// Its address is shown this once.
#[utoipa::path(
    post,
    path = "/channels/{name}/access-links",
    operation_id = "createAccessLink",
    tag = "channels",
    params(("name" = ChannelName, Path, description = "The channel's name")),
    request_body(content = CreateAccessLink, example = json!({"label": "The band", "uses": 4, "days": 14})),
    responses(
        (status = 201, body = NewAccessLink, description = "The link and its address"),
        (status = 403, description = "Somebody else's channel, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know"),
        (status = 409, description = "There are as many as there may be"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn add_link(
    State(api): State<Api>,
    who: SignedIn,
    peer: Peer,
    Path(name): Path<ChannelName>,
    Json(wanted): Json<CreateAccessLink>,
) -> Result<Response, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    let (link, secret) = api.channels.add_access_link(&who.actor, &name, wanted).await?;
    let secret = secret.reveal();
    // Behind `#`, it reaches no log on the way; the page reads it and shows it to the server.
    let url = format!("{}/{name}#link={secret}", peer.base_url);
    Ok((StatusCode::CREATED, Answer(NewAccessLink { link, secret, url })).into_response())
}

/// Revoke a link into a private channel
///
/// Whoever came by it is out.
#[utoipa::path(
    delete,
    path = "/channels/{name}/access-links/{id}",
    operation_id = "revokeAccessLink",
    tag = "channels",
    params(
        ("name" = ChannelName, Path, description = "The channel's name"),
        ("id" = AccessLinkId, Path, description = "Which link"),
    ),
    responses(
        (status = 204, description = "It lets nobody in any more"),
        (status = 403, description = "Somebody else's channel, or the token lacks the scope"),
        (status = 404, description = "No such channel, as far as the one who asks may know, or no such link"),
    ),
    security(("login" = []), ("token" = ["channel:write"]))
)]
async fn revoke_link(
    State(api): State<Api>,
    who: SignedIn,
    Path((name, id)): Path<(ChannelName, AccessLinkId)>,
) -> Result<StatusCode, ProblemResponse> {
    who.may(Scope::ChannelWrite)?;
    api.channels.revoke_access_link(&who.actor, &name, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<DoorError> for ChannelError {
    fn from(error: DoorError) -> Self {
        Self::Door(error)
    }
}

impl From<DoorError> for ProblemResponse {
    fn from(error: DoorError) -> Self {
        match error {
            DoorError::Wrong => Self::new(
                StatusCode::FORBIDDEN,
                "not-let-in",
                "This lets nobody in",
                "There is no channel of this name that this lets you into. Check both: passwords tell capital letters apart, and links end or are revoked.",
            ),
            DoorError::Nothing => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid",
                "Show a password or a link",
                "Send either “password” or “link”.",
            ),
            DoorError::TooMany { wait } => {
                let seconds = wait.as_secs() + 1;
                Self::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    "too-many-tries",
                    "Too many tries",
                    format!("That was tried very often in a short time. Wait {seconds} s, then try again."),
                )
                .retry_after(seconds)
            }
            DoorError::Hash(HashFailed::Busy) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "busy",
                "Many people come in at this moment",
                "The server looks at many passwords at this moment. Try again in a few seconds.",
            )
            .retry_after(2),
            DoorError::Hash(HashFailed::Broken(error)) => {
                tracing::error!(error, "a channel's password could not be hashed");
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "internal",
                    "The password can't be looked at",
                    "The server failed at that. Its log says more; try again, or tell whoever runs it.",
                )
            }
            DoorError::NotListed => Self::new(
                StatusCode::NOT_FOUND,
                "not-listed",
                "Nobody of this name is on the list",
                "Nobody of this name is on the list. Check how it is written.",
            )
            .field("account"),
            DoorError::ListFull => Self::new(
                StatusCode::CONFLICT,
                "list-full",
                "The list is full",
                format!("A channel lists at most {LISTED_MOST} people. Take some off, or make a link."),
            ),
            DoorError::TooManyLinks => Self::new(
                StatusCode::CONFLICT,
                "too-many-links",
                "Too many links",
                format!("A channel has at most {LINKS_MOST} links. Revoke some, as those that are over."),
            ),
            DoorError::UnknownLink => Self::new(
                StatusCode::NOT_FOUND,
                "unknown-link",
                "No such link",
                "There is no such link: it was revoked already.",
            ),
            DoorError::OutOfRange(field) => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid",
                "A link can't be like that",
                format!("A link lets in 1 to {LINK_USES_MOST} people, and for 1 to {LINK_DAYS_MOST} days, or any number."),
            )
            .field(field),
        }
    }
}
