//! Notifications over HTTP.

use super::service::{NotificationError, Notifications};
use crate::http::{
    extract::{Json, Paging},
    login::{ByScope, HasLogins, Logins, SignedIn},
    problem::ProblemResponse,
};
use axum::{Json as Answer, extract::State, http::StatusCode};
use shared::{
    account::Scope,
    notification::{Bell, MarkRead, Notification, Preferences},
    page::{Page, PageQuery},
};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

#[derive(Clone)]
struct Api {
    notifications: Notifications,
    logins: Arc<dyn Logins>,
}

impl HasLogins for Api {
    fn logins(&self) -> &Arc<dyn Logins> {
        &self.logins
    }
}

/// What one was told, and what one wants to be told.
pub fn routes(notifications: Notifications, logins: Arc<dyn Logins>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(mark_read))
        .routes(routes!(preferences, set_preferences))
        .with_state(Api { notifications, logins })
}

/// What you were told
///
/// Newest first, for 30 days. What is alike is gathered into one until it is read.
#[utoipa::path(
    get,
    path = "/me/notifications",
    operation_id = "listNotifications",
    tag = "notifications",
    params(PageQuery),
    responses(
        (status = 200, body = Page<Notification>, description = "A page of notifications"),
        (status = 400, description = "The cursor or the limit can't be taken"),
        (status = 403, description = "The token lacks the scope"),
    ),
    security(("login" = []), ("token" = ["read"]), ("token" = ["notifications:read"]))
)]
async fn list(
    State(api): State<Api>,
    ByScope(who): ByScope,
    Paging(wanted): Paging,
) -> Result<Answer<Page<Notification>>, ProblemResponse> {
    who.may_by(&[Scope::Read, Scope::NotificationsRead])?;
    Ok(Answer(api.notifications.list(&who.actor, &wanted).await?))
}

/// Mark notifications as read
///
/// All that came until then; what comes meanwhile stays unread.
#[utoipa::path(
    put,
    path = "/me/notifications/read",
    operation_id = "markNotificationsRead",
    tag = "notifications",
    request_body(content = MarkRead, example = json!({"until": "2026-11-20T12:00:00Z"})),
    responses(
        (status = 200, body = Bell, description = "What still waits"),
        (status = 403, description = "A token can't do this"),
    ),
    security(("login" = []))
)]
async fn mark_read(
    State(api): State<Api>,
    who: SignedIn,
    Json(request): Json<MarkRead>,
) -> Result<Answer<Bell>, ProblemResponse> {
    who.login()?;
    Ok(Answer(api.notifications.mark_read(&who.actor, request.until).await?))
}

/// What you want to be told
#[utoipa::path(
    get,
    path = "/me/notification-preferences",
    operation_id = "readNotificationPreferences",
    tag = "notifications",
    responses(
        (status = 200, body = Preferences, description = "By kind and way, and when not"),
        (status = 403, description = "The token lacks the scope"),
    ),
    security(("login" = []), ("token" = ["read"]), ("token" = ["notifications:read"]))
)]
async fn preferences(
    State(api): State<Api>,
    ByScope(who): ByScope,
) -> Result<Answer<Preferences>, ProblemResponse> {
    who.may_by(&[Scope::Read, Scope::NotificationsRead])?;
    Ok(Answer(api.notifications.preferences(&who.actor).await?))
}

/// Change what you want to be told
#[utoipa::path(
    put,
    path = "/me/notification-preferences",
    operation_id = "setNotificationPreferences",
    tag = "notifications",
    request_body(content = Preferences, example = json!({
        "wentLive": {"inApp": true, "push": true}, "mention": {"inApp": true, "push": false},
        "follower": {"inApp": true, "push": false}, "moderation": {"inApp": true, "push": false},
        "subscription": {"inApp": true, "push": true}, "system": {"inApp": true, "push": true},
        "quiet": {"from": 1320, "to": 420, "zone": "Europe/Vienna"},
    })),
    responses(
        (status = 200, body = Preferences, description = "As they are now"),
        (status = 403, description = "A token can't do this"),
    ),
    security(("login" = []))
)]
async fn set_preferences(
    State(api): State<Api>,
    who: SignedIn,
    Json(request): Json<Preferences>,
) -> Result<Answer<Preferences>, ProblemResponse> {
    who.login()?;
    Ok(Answer(api.notifications.set_preferences(&who.actor, request).await?))
}

impl From<NotificationError> for ProblemResponse {
    fn from(error: NotificationError) -> Self {
        match error {
            NotificationError::QuietHours => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid",
                "These quiet hours can't be",
                "Quiet hours begin and end at different minutes of the day, 0 to 1439, a clock is at most 14 hours off UTC, and a time zone is one that there is, like Europe/Vienna.",
            )
            .field("quiet"),
            NotificationError::Store(error) => error.into(),
        }
    }
}
