//! Making an account, invites and the instance's settings over HTTP.

use crate::{
    account::{
        routes::{Account, came},
        service::Accounts,
    },
    http::{
        extract::{Json, Paging, Path},
        login::{self, ByScope, SignedIn},
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
    account::{CreateInvite, Invite, Me, NewAccount, NewInvite, Scope},
    id::InviteId,
    instance::{EditInstance, InstanceSettings},
    page::{Page, PageQuery},
};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Signing up, invites, how the instance runs.
pub fn routes(service: Accounts) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(sign_up))
        .routes(routes!(settings, edit_settings))
        .routes(routes!(invites, invite))
        .routes(routes!(revoke))
        .with_state(Account::new(service))
}

/// Make an account
///
/// And sign in. `signUp` of the instance says whether anybody may, whoever has an invite, or nobody.
#[utoipa::path(
    post,
    path = "/sign-up",
    operation_id = "signUp",
    tag = "account",
    request_body(content = NewAccount, example = json!({"name": "ben", "displayName": "Ben", "password": "correct horse battery", "invite": "weir_inv_…"})),
    responses(
        (status = 201, body = Me, description = "The account, and a login cookie", headers(("Set-Cookie" = String))),
        (status = 403, description = "Nobody may, or it takes an invite that works"),
        (status = 409, description = "The name is somebody's, or too much like somebody's"),
        (status = 429, description = "Too many tries"),
    )
)]
async fn sign_up(
    State(account): State<Account>,
    peer: Peer,
    headers: HeaderMap,
    Json(request): Json<NewAccount>,
) -> Result<Response, ProblemResponse> {
    let (me, secret) = account.service.sign_up(request, came(&peer, &headers)).await?;
    let cookie = login::cookie(&secret, peer.secure);
    Ok((StatusCode::CREATED, [(header::SET_COOKIE, cookie)], Answer(me)).into_response())
}

/// How the instance runs
///
/// For its owner and admins.
#[utoipa::path(
    get,
    path = "/instance/settings",
    operation_id = "readInstanceSettings",
    tag = "instance",
    responses(
        (status = 200, body = InstanceSettings, description = "The settings"),
        (status = 403, description = "Only those who run the instance may, or the token lacks the scope"),
    ),
    security(("login" = []), ("token" = ["instance:read"]))
)]
async fn settings(
    State(account): State<Account>,
    ByScope(who): ByScope,
) -> Result<Answer<InstanceSettings>, ProblemResponse> {
    who.may(Scope::InstanceRead)?;
    Ok(Answer(account.service.instance_settings(&who.actor).await?))
}

/// Change how the instance runs
///
/// What is absent stays.
#[utoipa::path(
    patch,
    path = "/instance/settings",
    operation_id = "editInstanceSettings",
    tag = "instance",
    request_body(content = EditInstance, example = json!({"signUp": "open"})),
    responses(
        (status = 200, body = InstanceSettings, description = "The settings as they are now"),
        (status = 403, description = "Only those who run the instance may, or the token lacks the scope"),
    ),
    security(("login" = []), ("token" = ["instance:manage"]))
)]
async fn edit_settings(
    State(account): State<Account>,
    who: SignedIn,
    Json(request): Json<EditInstance>,
) -> Result<Answer<InstanceSettings>, ProblemResponse> {
    who.may(Scope::InstanceManage)?;
    Ok(Answer(account.service.edit_instance(&who.actor, request).await?))
}

/// Invites
///
/// Newest first; those that are used up or over, too.
#[utoipa::path(
    get,
    path = "/invites",
    operation_id = "listInvites",
    tag = "instance",
    params(PageQuery),
    responses(
        (status = 200, body = Page<Invite>, description = "A page of invites"),
        (status = 400, description = "The cursor or the limit can't be taken"),
        (status = 403, description = "Only those who run the instance may, or the token lacks the scope"),
    ),
    security(("login" = []), ("token" = ["instance:read"]))
)]
async fn invites(
    State(account): State<Account>,
    ByScope(who): ByScope,
    Paging(wanted): Paging,
) -> Result<Answer<Page<Invite>>, ProblemResponse> {
    who.may(Scope::InstanceRead)?;
    Ok(Answer(account.service.invites(&who.actor, &wanted).await?))
}

/// Make an invite
///
/// Its secret is shown this once.
#[utoipa::path(
    post,
    path = "/invites",
    operation_id = "createInvite",
    tag = "instance",
    request_body(content = CreateInvite, example = json!({"label": "The band", "uses": 4, "days": 14})),
    responses(
        (status = 201, body = NewInvite, description = "The invite and its secret"),
        (status = 403, description = "Only those who run the instance may, or the token lacks the scope"),
        (status = 409, description = "There are as many as there may be"),
    ),
    security(("login" = []), ("token" = ["instance:manage"]))
)]
async fn invite(
    State(account): State<Account>,
    who: SignedIn,
    peer: Peer,
    Json(request): Json<CreateInvite>,
) -> Result<Response, ProblemResponse> {
    who.may(Scope::InstanceManage)?;
    let (invite, secret) = account.service.invite(&who.actor, request).await?;
    let secret = secret.reveal();
    let url = format!("{}/sign-up?invite={secret}", peer.base_url);
    Ok((StatusCode::CREATED, Answer(NewInvite { invite, secret, url })).into_response())
}

/// Revoke an invite
///
/// Who came by it stays.
#[utoipa::path(
    delete,
    path = "/invites/{id}",
    operation_id = "revokeInvite",
    tag = "instance",
    params(("id" = InviteId, Path, description = "Which invite")),
    responses(
        (status = 204, description = "It doesn't work any more"),
        (status = 403, description = "Only those who run the instance may, or the token lacks the scope"),
        (status = 404, description = "No such invite"),
    ),
    security(("login" = []), ("token" = ["instance:manage"]))
)]
async fn revoke(
    State(account): State<Account>,
    who: SignedIn,
    Path(id): Path<InviteId>,
) -> Result<StatusCode, ProblemResponse> {
    who.may(Scope::InstanceManage)?;
    account.service.revoke_invite(&who.actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
