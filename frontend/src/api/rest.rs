//! The REST interface, one function for one operation.

use super::{Failure, reading_state};
use crate::browser::{
    fetch::{Request, fetch},
    page::encoded,
};
use serde::{Serialize, de::DeserializeOwned};
use shared::{
    account::{ApiToken, CreateApiToken, Me, NewApiToken, SetUp, SignIn},
    analytics::{BroadcastAnalytics, BroadcastSummary, ViewReport},
    broadcast::ChannelState,
    channel::{Channel, ChannelCard, CreateChannel, Directory, EditChannel, NewChannel, NewStreamKey},
    embed::EmbedRules,
    id::{BroadcastId, ChannelName, TokenId},
    instance::Instance,
    page::Page,
    publish::PublishToken,
};

pub(super) type Answer<T> = Result<T, Failure>;

pub(super) async fn send(
    guest: Option<&str>,
    method: &str,
    path: &str,
    body: Option<String>,
) -> Answer<(u16, String)> {
    if method == "GET" {
        super::precedence::turn().await;
    }
    let url = format!("/api/v1/{path}");
    // An empty object is sent where nothing is to say: a request that changes something is always JSON.
    let body = body.or_else(|| (method == "POST").then(|| "{}".to_owned()));
    let is_json = body.is_some() || method != "GET";
    let bearer = super::embed_token().map(|token| format!("Bearer {token}"));
    let mut headers = Vec::new();
    headers.extend(is_json.then_some(("content-type", "application/json")));
    headers.extend(guest.map(|guest| ("weir-guest", guest)));
    headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
    let request =
        Request { method, url: &url, headers: &headers, body: body.as_deref(), ..Request::default() };
    let reply = fetch(request).await?;
    if (200..300).contains(&reply.status) { Ok((reply.status, reply.text)) } else { Err(Failure::of(&reply)) }
}

async fn typed<T: DeserializeOwned>(method: &str, path: &str, body: Option<String>) -> Answer<T> {
    let (status, text) = send(None, method, path, body).await?;
    super::parse(&text).ok_or(Failure::Unexpected(status))
}

/// What is read by hand from JSON.
async fn read<T>(path: &str, by: fn(serde_json::Value) -> Option<T>) -> Answer<T> {
    let (status, text) = send(None, "GET", path, None).await?;
    serde_json::from_str(&text).ok().and_then(by).ok_or(Failure::Unexpected(status))
}

/// What is asked and answered as JSON that nobody has a type for here; null where the answer has no body.
pub(super) async fn plain(method: &str, path: &str, body: Option<String>) -> Answer<serde_json::Value> {
    let (_, text) = send(None, method, path, body).await?;
    Ok(serde_json::from_str(&text).unwrap_or_default())
}

async fn done(method: &str, path: &str) -> Answer<()> {
    send(None, method, path, None).await.map(|_| ())
}

pub(super) fn json(value: &impl Serialize) -> Option<String> {
    serde_json::to_string(value).ok()
}

/// What this instance is.
pub async fn instance() -> Answer<Instance> {
    typed("GET", "instance", None).await
}

/// Makes the owner's account and channel, and signs in.
pub async fn set_up(body: &SetUp) -> Answer<Me> {
    typed("POST", "setup", json(body)).await
}

/// Signs in.
pub async fn sign_in(body: &SignIn) -> Answer<Me> {
    typed("POST", "login", json(body)).await
}

/// What this browser needs to make a passkey.
pub async fn start_passkey(body: serde_json::Value) -> Answer<serde_json::Value> {
    plain("POST", "me/passkeys/options", Some(body.to_string())).await
}

/// Adds the passkey that this browser made.
pub async fn add_passkey(body: serde_json::Value) -> Answer<serde_json::Value> {
    plain("POST", "me/passkeys", Some(body.to_string())).await
}

/// What this browser needs to sign in with a passkey.
pub async fn start_passkey_sign_in() -> Answer<serde_json::Value> {
    plain("POST", "login/passkey/options", None).await
}

/// Signs in with the passkey that the person chose.
pub async fn sign_in_with_passkey(body: serde_json::Value) -> Answer<Me> {
    typed("POST", "login/passkey", Some(body.to_string())).await
}

/// Makes an account, and signs in.
pub async fn sign_up(body: serde_json::Value) -> Answer<Me> {
    typed("POST", "sign-up", Some(body.to_string())).await
}

/// Begins something at the provider, `oidc/start` or `me/oidc`: its page to go to.
pub async fn to_provider(path: &str, body: &serde_json::Value) -> Answer<String> {
    let started = plain("POST", path, Some(body.to_string())).await?;
    started["url"].as_str().map(str::to_owned).ok_or(Failure::Unexpected(200))
}

/// Who came from the provider and has to choose a name.
pub async fn newcomer() -> Answer<serde_json::Value> {
    plain("GET", "oidc/newcomer", None).await
}

/// Makes their account, and signs in.
pub async fn name_newcomer(body: &serde_json::Value) -> Answer<Me> {
    typed("POST", "oidc/sign-up", Some(body.to_string())).await
}

/// Changes what the account says of itself.
pub async fn edit_me(body: serde_json::Value) -> Answer<Me> {
    typed("PATCH", "me", Some(body.to_string())).await
}

/// Sets the colour of the person's name in chats.
pub async fn set_colour(body: serde_json::Value) -> Answer<Me> {
    typed("PUT", "me/colour", Some(body.to_string())).await
}

/// Sets the account's picture, or takes it away.
pub async fn set_avatar(body: Option<serde_json::Value>) -> Answer<Me> {
    let method = if body.is_some() { "PUT" } else { "DELETE" };
    typed(method, "me/avatar", body.map(|body| body.to_string())).await
}

/// Signs this browser out.
pub async fn sign_out() -> Answer<()> {
    done("POST", "logout").await
}

/// Who is signed in.
pub async fn me() -> Answer<Me> {
    typed("GET", "me", None).await
}

/// The account's API tokens: the newest 200.
pub async fn tokens() -> Answer<Page<ApiToken>> {
    read("me/tokens?limit=200", reading_state::page).await
}

/// Makes an API token.
pub async fn create_token(body: &CreateApiToken) -> Answer<NewApiToken> {
    typed("POST", "me/tokens", json(body)).await
}

/// Revokes an API token.
pub async fn revoke_token(token: &TokenId) -> Answer<()> {
    done("DELETE", &format!("me/tokens/{token}")).await
}

/// Public channels, live ones first: as many as the directory's topic tells, which takes over.
pub async fn channels() -> Answer<Directory> {
    let page: Page<ChannelCard> = typed("GET", "channels?limit=200", None).await?;
    Ok(Directory { channels: page.items })
}

/// Makes a channel.
pub async fn create_channel(body: &CreateChannel) -> Answer<NewChannel> {
    typed("POST", "channels", json(body)).await
}

/// What a channel says of itself.
pub async fn channel(name: &ChannelName) -> Answer<Channel> {
    typed("GET", &format!("channels/{name}"), None).await
}

/// Gets into a private channel by a password or a link.
pub async fn enter(name: &ChannelName, shown: &serde_json::Value) -> Answer<()> {
    send(None, "POST", &format!("channels/{name}/entry"), Some(shown.to_string())).await.map(|_| ())
}

/// Changes what a channel says of itself.
pub async fn edit_channel(name: &ChannelName, body: &EditChannel) -> Answer<Channel> {
    typed("PATCH", &format!("channels/{name}"), json(body)).await
}

/// Sets a channel's `avatar` or `banner`, or takes it away.
pub async fn set_channel_picture(
    name: &ChannelName,
    place: &str,
    body: Option<serde_json::Value>,
) -> Answer<Channel> {
    let method = if body.is_some() { "PUT" } else { "DELETE" };
    typed(method, &format!("channels/{name}/{place}"), body.map(|body| body.to_string())).await
}

/// What a channel is doing.
pub async fn channel_state(name: &ChannelName) -> Answer<ChannelState> {
    typed("GET", &format!("channels/{name}/state"), None).await
}

/// Makes a new stream key; the old one stops working.
pub async fn rotate_stream_key(name: &ChannelName) -> Answer<NewStreamKey> {
    typed("POST", &format!("channels/{name}/stream-key"), None).await
}

/// A token to publish with from this page.
pub async fn publish_token(name: &ChannelName) -> Answer<PublishToken> {
    typed("POST", &format!("channels/{name}/publish-token"), None).await
}

/// What the server makes of a channel's picture, after it was turned on or off if that is said.
pub async fn ladder(name: &ChannelName, enabled: Option<bool>) -> Answer<serde_json::Value> {
    let method = if enabled.is_some() { "PUT" } else { "GET" };
    let body = enabled.map(|enabled| format!("{{\"enabled\":{enabled}}}"));
    typed(method, &format!("channels/{name}/ladder"), body).await
}

/// Ends the broadcast.
pub async fn end(name: &ChannelName) -> Answer<()> {
    done("POST", &format!("channels/{name}/end")).await
}

/// Broadcasts a page of the list has.
const BROADCASTS: u32 = 20;

/// A channel's broadcasts, newest first.
pub async fn broadcasts(name: &ChannelName, cursor: Option<&str>) -> Answer<Page<BroadcastSummary>> {
    let cursor = cursor.map(|cursor| format!("&cursor={}", encoded(cursor))).unwrap_or_default();
    read(&format!("channels/{name}/broadcasts?limit={BROADCASTS}{cursor}"), reading_state::broadcasts).await
}

/// Who watched a broadcast, and how well it played.
pub async fn analytics(id: &BroadcastId) -> Answer<BroadcastAnalytics> {
    read(&format!("broadcasts/{id}/analytics"), reading_state::analytics).await
}

/// The address of the same as a file: `csv` or `json`.
pub fn analytics_file(id: &BroadcastId, kind: &str) -> String {
    format!("/api/v1/broadcasts/{id}/analytics.{kind}")
}

/// Who may show and steer a channel's player.
pub async fn embed_rules(name: &ChannelName) -> Answer<EmbedRules> {
    typed("GET", &format!("channels/{name}/embedding"), None).await
}

/// Makes a signed embed that is good for so many seconds: the iframe to paste.
pub async fn embed_link(name: &ChannelName, seconds: &str) -> Answer<String> {
    let body = format!("{{\"expiresInSeconds\":{seconds}}}");
    let (status, text) = send(None, "POST", &format!("channels/{name}/embed-links"), Some(body)).await?;
    let value: Option<serde_json::Value> = super::parse(&text);
    let html = value.as_ref().and_then(|value| value["html"].as_str()).map(str::to_owned);
    html.ok_or(Failure::Unexpected(status))
}

/// Makes all signed embeds of a channel worthless.
pub async fn revoke_embed_links(name: &ChannelName) -> Answer<()> {
    done("DELETE", &format!("channels/{name}/embed-links")).await
}

/// What people call a channel. Read by itself, so that a player alone brings no reader of whole channels.
pub async fn display_name(name: &ChannelName) -> Answer<String> {
    let (status, text) = send(None, "GET", &format!("channels/{name}"), None).await?;
    let value: Option<serde_json::Value> = super::parse(&text);
    let display_name = value.as_ref().and_then(|value| value["displayName"].as_str()).map(str::to_owned);
    display_name.ok_or(Failure::Unexpected(status))
}

/// Tells what a player measured. `last`: the page may be gone before there is an answer.
pub async fn report_view(view: &str, report: &ViewReport, last: bool) -> Answer<()> {
    let Some(body) = json(report) else { return Ok(()) };
    let url = format!("/api/v1/views/{view}/report");
    let headers = &[("content-type", "application/json")];
    let request =
        Request { method: "POST", url: &url, headers, body: Some(&body), keep_alive: last, anonymous: true };
    let reply = fetch(request).await?;
    if reply.status < 300 { Ok(()) } else { Err(Failure::of(&reply)) }
}
