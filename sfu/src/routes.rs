//! Every URL, on one page.

use crate::{
    account::{
        self,
        oidc::{self, service::Oidc},
        service::Accounts,
    },
    analytics::{self, service::Analytics},
    audit::{self, service::Audit},
    channel::{self, embed, live::Figures, service::Channels},
    chat::{self, service::Chat},
    event::websocket::{self, Gateway},
    http::{
        assets::{self, Assets},
        csrf, fallback,
        headers::{self, Policy},
        login::{Logins, Prove},
        openapi,
        peer::Site,
        problem::ProblemResponse,
    },
    notification::{
        self,
        delivery::{self, service::Push},
        mail::{self, service::Mail},
        service::Notifications,
    },
    social::{
        self,
        activity::{self, service::Activities},
        service::Social,
        subscription::{self, service::Subscriptions},
    },
    telemetry::{
        health::{self, Readiness},
        metrics::{self, Metrics},
    },
    webhook::{self, service::Webhooks},
};
use axum::{
    Extension, Json, Router,
    extract::{DefaultBodyLimit, State},
    middleware::{from_fn, from_fn_with_state, map_response},
    response::Response,
    routing::{any, get, get_service},
};
use shared::instance::Instance;
use std::sync::Arc;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::{router::OpenApiRouter, routes};

/// No request to the control plane is larger.
const BODY_MOST: usize = 64 * 1024;

/// What answers.
pub struct Parts {
    /// The instance's name.
    pub name: String,
    /// How the server is reached.
    pub site: Site,
    /// People.
    pub accounts: Accounts,
    /// Signing in by a provider.
    pub oidc: Oidc,
    /// Channels.
    pub channels: Channels,
    /// Figures.
    pub analytics: Analytics,
    /// Who follows whom.
    pub social: Social,
    /// What happened on channels.
    pub activities: Activities,
    /// What people are told.
    pub notifications: Notifications,
    /// Browsers that are told by push.
    pub push: Push,
    /// E-mail.
    pub mail: Mail,
    /// Who subscribes to what.
    pub subscriptions: Subscriptions,
    /// What was done.
    pub audit: Audit,
    /// What is sent elsewhere.
    pub webhooks: Webhooks,
    /// Figures, for the compact live API.
    pub figures: Arc<dyn Figures>,
    /// Rooms.
    pub chat: Chat,
    /// Live updates.
    pub gateway: Gateway,
    /// The frontend.
    pub assets: Assets,
    /// Metrics.
    pub metrics: Metrics,
    /// Readiness.
    pub readiness: Readiness,
    /// `/whip…` and `/whep…`, with limits and CORS of their own.
    pub media: Router,
}

/// The whole of it.
pub fn router(parts: Parts) -> Router {
    let Parts {
        name,
        site,
        accounts,
        oidc,
        channels,
        analytics,
        social,
        activities,
        notifications,
        push,
        mail,
        subscriptions,
        audit,
        webhooks,
        figures,
        chat,
        gateway,
        assets,
        metrics,
        readiness,
        media,
    } = parts;
    let logins: Arc<dyn Logins> = Arc::new(accounts.clone());
    let people = accounts.clone();
    let pictured = channels.clone();
    let letters = mail.clone();
    let names = accounts.clone();
    let name_of: mail::routes::NameOf = Arc::new(move |id| {
        let names = names.clone();
        Box::pin(async move {
            let known = names.by_id(&id).await.ok().flatten();
            known.map(|account| account.name.to_string()).unwrap_or_default()
        })
    });
    let provers = accounts.clone();
    let prove: Prove = Arc::new(move |who, login, password| {
        let provers = provers.clone();
        Box::pin(async move { Ok(provers.prove(&who, &login, password).await?) })
    });
    let policy = Policy::new(&assets.script_hashes());

    // GET   /api/v1/instance                        GET   /api/v1/openapi.json    (and /api/docs, for people)
    // POST  /api/v1/setup                           POST  /api/v1/login           POST /api/v1/logout
    // POST  /api/v1/sign-up                         GET   /api/v1/people/{account}
    // POST  /api/v1/password-reset                  POST  /api/v1/password-reset/confirm
    // POST  /api/v1/login/passkey/options           POST  /api/v1/login/passkey
    // POST  /api/v1/me/passkeys/options             GET   /api/v1/me/passkeys     POST /api/v1/me/passkeys
    // PATCH /api/v1/me/passkeys/{id}                DELETE /api/v1/me/passkeys/{id}
    // POST  /api/v1/oidc/start                      GET   /api/v1/oidc/callback
    // GET   /api/v1/oidc/newcomer                   POST  /api/v1/oidc/sign-up
    // GET   /api/v1/me/oidc                         POST  /api/v1/me/oidc         DELETE /api/v1/me/oidc
    // GET   /api/v1/people                          PATCH /api/v1/people/{account}
    // POST  /api/v1/people/{account}/delete         POST  /api/v1/me/delete
    // GET   /api/v1/instance/settings               PATCH /api/v1/instance/settings
    // GET   /api/v1/invites                         POST  /api/v1/invites         DELETE /api/v1/invites/{id}
    // GET   /api/v1/me                              GET   /api/v1/me/logins       DELETE /api/v1/me/logins/{id}
    // PUT   /api/v1/me/colour
    // PATCH /api/v1/me                              PUT   /api/v1/me/avatar       DELETE /api/v1/me/avatar
    // PUT   /api/v1/me/password                     POST  /api/v1/me/logins/end-others
    // GET   /api/v1/me/tokens                       POST  /api/v1/me/tokens       DELETE /api/v1/me/tokens/{id}
    // GET   /api/v1/channels                        POST  /api/v1/channels
    // GET   /api/v1/categories                      GET   /api/v1/me/following
    // GET   /api/v1/me/notifications                PUT   /api/v1/me/notifications/read
    // GET   /api/v1/me/notification-preferences     PUT   /api/v1/me/notification-preferences
    // GET   /api/v1/push                            GET   /api/v1/me/push
    // POST  /api/v1/me/push                         DELETE /api/v1/me/push/{id}
    // GET   /api/v1/me/email                        PUT   /api/v1/me/email        DELETE /api/v1/me/email
    // POST  /api/v1/email/confirm                   POST  /api/v1/email/unsubscribe
    // GET   /api/v1/channels/{name}/follow          PUT   /api/v1/channels/{name}/follow
    // DELETE /api/v1/channels/{name}/follow         GET   /api/v1/channels/{name}/followers
    // GET   /api/v1/channels/{name}/activity        GET   /api/v1/me/recommendations
    // GET   /api/v1/channels/{name}                 PATCH /api/v1/channels/{name}
    // GET   /api/v1/channels/{name}/state           POST  /api/v1/channels/{name}/end
    // POST  /api/v1/channels/{name}/delete
    // GET   /api/v1/instance/channels               PATCH /api/v1/instance/channels/{name}
    // GET   /api/v1/channels/{name}/embedding
    // GET   /api/v1/channels/{name}/about           POST  /api/v1/channels/{name}/about/preview
    // GET   /api/v1/channels/{name}/schedule        PUT   /api/v1/channels/{name}/schedule
    // PUT   /api/v1/channels/{name}/avatar          DELETE /api/v1/channels/{name}/avatar
    // PUT   /api/v1/channels/{name}/banner          DELETE /api/v1/channels/{name}/banner
    // POST  /api/v1/channels/{name}/embed-links     DELETE /api/v1/channels/{name}/embed-links
    // GET   /api/v1/channels/{name}/roles
    // PUT   /api/v1/channels/{name}/roles/{account}       DELETE /api/v1/channels/{name}/roles/{account}
    // POST  /api/v1/channels/{name}/entry
    // GET   /api/v1/channels/{name}/access          PATCH /api/v1/channels/{name}/access
    // PUT   /api/v1/channels/{name}/password        DELETE /api/v1/channels/{name}/password
    // GET   /api/v1/channels/{name}/admitted
    // PUT   /api/v1/channels/{name}/admitted/{account}    DELETE /api/v1/channels/{name}/admitted/{account}
    // GET   /api/v1/channels/{name}/access-links    POST  /api/v1/channels/{name}/access-links
    // DELETE /api/v1/channels/{name}/access-links/{id}
    // GET   /api/v1/channels/{name}/subscription
    // GET   /api/v1/me/subscriptions                POST  /api/v1/me/subscriptions
    // GET   /api/v1/channels/{name}/subscribers
    // PUT   /api/v1/channels/{name}/subscribers/{account} DELETE /api/v1/channels/{name}/subscribers/{account}
    // GET   /api/v1/channels/{name}/gift-codes      POST  /api/v1/channels/{name}/gift-codes
    // DELETE /api/v1/channels/{name}/gift-codes/{id}
    // GET   /api/v1/channels/{name}/ladder           PUT   /api/v1/channels/{name}/ladder
    // POST  /api/v1/channels/{name}/stream-key      POST  /api/v1/channels/{name}/publish-token
    // POST  /api/v1/live/start                      GET   /api/v1/live/status/{streamId}
    // GET   /api/v1/live/analytics/{streamId}
    // GET   /api/v1/channels/{name}/broadcasts      GET   /api/v1/instance/analytics
    // GET   /api/v1/broadcasts/{id}/analytics       GET   /api/v1/broadcasts/{id}/analytics.json
    // GET   /api/v1/broadcasts/{id}/analytics.csv
    // GET   /api/v1/channels/{name}/chat            PATCH /api/v1/channels/{name}/chat
    // GET   /api/v1/channels/{name}/chat/messages   POST  /api/v1/channels/{name}/chat/messages
    // DELETE /api/v1/channels/{name}/chat/messages/{id}
    // GET   /api/v1/channels/{name}/chat/silences   POST  /api/v1/channels/{name}/chat/silences
    // DELETE /api/v1/channels/{name}/chat/messages     DELETE /api/v1/channels/{name}/chat/silences/{person}
    // GET   /api/v1/channels/{name}/chat/bans       POST  /api/v1/channels/{name}/chat/bans
    // DELETE /api/v1/channels/{name}/chat/bans/{person}
    // PUT   /api/v1/channels/{name}/chat/pin        DELETE /api/v1/channels/{name}/chat/pin
    // POST  /api/v1/channels/{name}/chat/commands   GET   /api/v1/channels/{name}/chat/actions
    // GET   /api/v1/channels/{name}/chat/filters    PUT   /api/v1/channels/{name}/chat/filters
    // GET   /api/v1/channels/{name}/chat/held       POST  /api/v1/channels/{name}/chat/held/{id}
    // GET   /api/v1/channels/{name}/chat/appeal     POST  /api/v1/channels/{name}/chat/appeal
    // GET   /api/v1/channels/{name}/chat/appeals    POST  /api/v1/channels/{name}/chat/appeals/{id}
    // GET   /api/v1/channels/{name}/chat/people/{person}
    // POST  /api/v1/channels/{name}/chat/polls      DELETE /api/v1/channels/{name}/chat/polls
    // POST  /api/v1/channels/{name}/chat/polls/{id}/votes
    // GET   /api/v1/channels/{name}/emotes
    // PUT   /api/v1/channels/{name}/emotes/{emote}  DELETE /api/v1/channels/{name}/emotes/{emote}
    // PUT   /api/v1/channels/{name}/emotes/{emote}/tier
    // GET   /api/v1/channels/{name}/badges
    // PUT   /api/v1/channels/{name}/badges/{tier}   DELETE /api/v1/channels/{name}/badges/{tier}
    // GET   /api/v1/emotes
    // PUT   /api/v1/emotes/{emote}                  DELETE /api/v1/emotes/{emote}
    // POST  /api/v1/channels/{name}/chat/raid       DELETE /api/v1/channels/{name}/chat/raid
    // GET   /api/v1/channels/{name}/moderators
    // PUT   /api/v1/channels/{name}/moderators/{account}   DELETE /api/v1/channels/{name}/moderators/{account}
    // POST  /api/v1/chat/guests
    // GET   /api/v1/audit                           GET   /api/v1/audit.csv       GET  /api/v1/audit.json
    // GET   /api/v1/channels/{name}/audit
    // GET   /api/v1/channels/{name}/audit.csv       GET   /api/v1/channels/{name}/audit.json
    // GET   /api/v1/channels/{name}/webhooks        POST  /api/v1/channels/{name}/webhooks
    // PATCH /api/v1/channels/{name}/webhooks/{id}   DELETE /api/v1/channels/{name}/webhooks/{id}
    // POST  /api/v1/channels/{name}/webhooks/{id}/secret  POST  /api/v1/channels/{name}/webhooks/{id}/test
    // GET   /api/v1/channels/{name}/webhooks/{id}/deliveries
    // POST  /api/v1/channels/{name}/webhooks/{id}/deliveries/{event}/replay
    // GET   /api/v1/events                          WebSocket
    let embeds = embed::routes::routes(channels.clone(), assets.clone(), policy.clone(), &name);
    let (embeds, embeds_described) = embeds.split_for_parts();
    let pages = any(assets::serve).layer(from_fn(embed::routes::announce)).with_state(assets);
    let (reports, reports_described) = analytics::routes::reports(analytics.desk().clone()).split_for_parts();
    let (api, described) = OpenApiRouter::new()
        .routes(routes!(instance))
        .with_state((name, accounts.clone(), oidc.name().map(str::to_owned)))
        .merge(account::routes::routes(accounts))
        .merge(oidc::routes::routes(oidc))
        .merge(channel::live::routes::routes(channels.clone(), figures, logins.clone()))
        .merge(analytics::routes::routes(analytics.clone(), logins.clone()))
        .merge(social::routes::routes(social, logins.clone()))
        .merge(activity::routes::routes(activities, logins.clone()))
        .merge(notification::routes::routes(notifications, logins.clone()))
        .merge(mail::routes::routes(mail.clone(), logins.clone(), name_of, prove.clone()))
        .merge(delivery::routes::routes(push, logins.clone(), account::device::label))
        .merge(subscription::routes::routes(subscriptions, logins.clone()))
        .merge(channel::door::routes::routes(channels.clone(), logins.clone()))
        .merge(audit::routes::routes(audit, logins.clone()))
        .merge(webhook::routes::routes(webhooks, logins.clone()))
        .merge(channel::role::routes::routes(channels.clone(), logins.clone()))
        .merge(channel::page::routes::routes(channels.clone(), logins.clone()))
        .merge(channel::overview::routes::routes(channels.clone(), logins.clone()))
        .merge(channel::gone::routes::routes(channels.clone(), logins.clone(), prove))
        .merge(channel::routes::routes(channels, logins.clone()))
        .merge(chat::routes::routes(chat.clone(), logins))
        .merge(websocket::routes(gateway))
        .split_for_parts();
    let api = api
        .fallback(fallback::unknown)
        .method_not_allowed_fallback(fallback::wrong_method)
        .layer(from_fn_with_state(site.clone(), csrf::same_origin))
        .layer(map_response(uncached))
        .layer(DefaultBodyLimit::max(BODY_MOST));

    let mut document = openapi::described().nest("/api/v1", described).nest("/api/v1", reports_described);
    document.merge(embeds_described);
    openapi::complete(&mut document);
    Router::new()
        // POST  /api/v1/views/{view}/report             from pages of any origin
        .nest("/api/v1", api.merge(reports))
        .merge(openapi::routes(&document))
        .route("/api/{*rest}", any(fallback::unknown))
        .merge(media)
        // GET   /embed/{channel}                        GET   /embed/{channel}/chat
        // GET   /embed.js                               GET   /oembed
        .merge(embeds)
        // GET   /emotes/{name}.svg
        .merge(chat::routes::emotes(chat))
        // GET   /avatars/{hash}                         GET   /channel-pictures/{hash}
        // GET   /sw.js
        .merge(delivery::routes::worker())
        // GET   /unsubscribe                            POST  /unsubscribe           by mail programs
        .merge(mail::routes::one_click(letters, get_service(pages.clone())))
        .merge(account::profile::routes::avatars(people))
        .merge(channel::page::routes::pictures(pictured))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz).with_state(readiness))
        .route("/metrics", get(metrics::serve).with_state(metrics.clone()))
        // Files of the frontend, and its one page for every other address.
        .fallback_service(pages)
        .method_not_allowed_fallback(fallback::wrong_method)
        .layer(CatchPanicLayer::custom(fallback::panicked))
        .layer(from_fn_with_state(policy, headers::add))
        .layer(from_fn_with_state(metrics, metrics::observe))
        .layer(Extension(site))
}

/// The server as a whole
#[utoipa::path(
    get,
    path = "/instance",
    operation_id = "readInstance",
    tag = "instance",
    responses(
        (status = 200, body = Instance, description = "Its name and version"),
    )
)]
async fn instance(
    State((name, accounts, provider)): State<(String, Accounts, Option<String>)>,
) -> Result<Json<Instance>, ProblemResponse> {
    let needs_set_up = accounts.needs_set_up().await?;
    let sign_up = accounts.sign_up_mode().await?;
    let version = env!("CARGO_PKG_VERSION").to_owned();
    Ok(Json(Instance { name, version, needs_set_up, sign_up, provider }))
}

/// Answers of the API depend on who asks, and change by the second.
async fn uncached(mut response: Response) -> Response {
    let no_store = axum::http::HeaderValue::from_static("no-store");
    response.headers_mut().entry(axum::http::header::CACHE_CONTROL).or_insert(no_store);
    response
}
