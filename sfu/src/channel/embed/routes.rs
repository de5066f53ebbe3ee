//! The pages and addresses by which other sites show a channel. None of them reads or sets a cookie.

use super::{ANY_PAGE, OWN_PAGES, frame_ancestors, oembed};
use crate::{
    actor::{Embed, EmbedError, Visitor},
    channel::{
        rules::Admission,
        service::{ChannelError, Channels},
    },
    fresh,
    http::{
        assets::{Assets, Framed},
        headers::{self, Policy},
        login,
        peer::Peer,
        problem::ProblemResponse,
    },
};
use axum::{
    Json,
    extract::{Path, Query, RawQuery, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;
use shared::{
    embed::{Embedding, OEmbed},
    id::ChannelName,
};
use std::sync::Arc;

use utoipa_axum::{router::OpenApiRouter, routes};

#[derive(Clone)]
struct Embeds {
    channels: Channels,
    assets: Assets,
    policy: Policy,
    instance: Arc<str>,
}

/// `/embed/{channel}`, `/embed/{channel}/chat`, `/embed.js` and `/oembed`; `instance` is this instance's name.
pub fn routes(channels: Channels, assets: Assets, policy: Policy, instance: &str) -> OpenApiRouter {
    OpenApiRouter::new()
        .route("/embed/{channel}", get(player))
        .route("/embed/{channel}/chat", get(chat))
        .route("/embed.js", get(script))
        .routes(routes!(oembed))
        .with_state(Embeds { channels, assets, policy, instance: instance.into() })
}

async fn player(
    State(embeds): State<Embeds>,
    Path(channel): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    page(&embeds, Framed::Player, &channel, query.as_deref(), &headers).await
}

async fn chat(
    State(embeds): State<Embeds>,
    Path(channel): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    page(&embeds, Framed::App, &channel, query.as_deref(), &headers).await
}

/// A channel that isn't there, or that strangers must not know of, has a page too, which says so; no other site shows it.
/// One whose signed embed doesn't admit says that, on the page that shows it.
async fn page(
    embeds: &Embeds,
    page: Framed,
    channel: &str,
    query: Option<&str>,
    headers: &HeaderMap,
) -> Response {
    let token = query.and_then(oembed::token_of);
    let (ancestors, status) = match shown_by(embeds, channel, token.as_deref(), false).await {
        Ok(ancestors) => (ancestors, None),
        Err(ChannelError::Embed(EmbedError::Expired)) => {
            // It was made for this channel: whoever has it knows which pages may show it.
            let rules = shown_by(embeds, channel, token.as_deref(), true).await;
            (rules.unwrap_or_else(|_| OWN_PAGES.to_owned()), Some(StatusCode::FORBIDDEN))
        }
        // Nothing of any channel is on that page, and there is the same one where there is no channel. To somebody who is
        // signed in it could still show what is theirs.
        Err(ChannelError::Embed(EmbedError::Invalid)) if login::credential(headers).is_none() => {
            (ANY_PAGE.to_owned(), Some(StatusCode::FORBIDDEN))
        }
        Err(ChannelError::Embed(EmbedError::Invalid)) => (OWN_PAGES.to_owned(), Some(StatusCode::FORBIDDEN)),
        Err(ChannelError::Store(error)) => {
            tracing::warn!(%error, "whether a channel may be embedded could not be read");
            (OWN_PAGES.to_owned(), Some(StatusCode::SERVICE_UNAVAILABLE))
        }
        Err(_) => (OWN_PAGES.to_owned(), Some(StatusCode::NOT_FOUND)),
    };
    let none = HeaderMap::new();
    // Only a page that is there can be known already; one whose address holds a token is kept nowhere.
    let asked = if status.is_some() || token.is_some() { &none } else { headers };
    let mut response = embeds.assets.framed(page, asked, &ancestors);
    if let Some(status) = status {
        *response.status_mut() = status;
    }
    let headers = response.headers_mut();
    embeds.policy.admit(headers, &ancestors);
    if token.is_some() {
        headers.remove(header::ETAG);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        // No link and no request may pass the token on to another site, or to a log.
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    }
    response
}

/// The pages that may show a channel to somebody with this token, or without one. `goes_on`: it is enough that it was good.
async fn shown_by(
    embeds: &Embeds,
    channel: &str,
    token: Option<&str>,
    goes_on: bool,
) -> Result<String, ChannelError> {
    let embed = token.map(|token| Embed { token, goes_on });
    let name: ChannelName = match (channel.parse(), embed) {
        (Ok(name), _) => name,
        (Err(_), Some(_)) => return Err(ChannelError::Embed(EmbedError::Invalid)),
        (Err(_), None) => return Err(ChannelError::Unknown),
    };
    let record = embeds.channels.seen(Visitor { actor: None, embed }, &name).await?;
    Ok(frame_ancestors(&record.channel.embedding))
}

async fn script(State(embeds): State<Embeds>, headers: HeaderMap) -> Result<Response, ProblemResponse> {
    embeds.assets.embed_script(&headers)
}

/// As oEmbed names its parameters; others are allowed and mean nothing here.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// The address of a channel's page or player on this server.
    #[param(required, example = "https://tv.example/ada")]
    url: Option<String>,
    /// `json`, which it is without it too.
    format: Option<String>,
    /// The most pixels across.
    maxwidth: Option<String>,
    /// The most pixels down.
    maxheight: Option<String>,
}

/// How to show a channel (oEmbed 1.0)
#[utoipa::path(
    get,
    path = "/oembed",
    operation_id = "readOEmbed",
    tag = "embeds",
    params(Asked),
    responses(
        (status = 200, body = OEmbed, description = "An iframe, and what it shows"),
        (status = 400, description = "A parameter can't be taken"),
        (status = 403, description = "The channel isn't shown on other pages"),
        (status = 404, description = "No channel that anybody may see has this address, nor does it hold a token that admits"),
        (status = 501, description = "Another format than JSON"),
    )
)]
async fn oembed(
    State(embeds): State<Embeds>,
    peer: Peer,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let mut response = match asked {
        Ok(Query(asked)) => answer(&embeds, &peer, asked).await.unwrap_or_else(IntoResponse::into_response),
        Err(_) => bad_query("url", "Each parameter may be given once.").into_response(),
    };
    headers::open_to_all(response.headers_mut());
    response
}

async fn answer(embeds: &Embeds, peer: &Peer, asked: Asked) -> Result<Response, ProblemResponse> {
    if asked.format.as_deref().is_some_and(|format| format != "json") {
        return Err(ProblemResponse::new(
            StatusCode::NOT_IMPLEMENTED,
            "json-alone",
            "Only JSON is spoken here",
            "Ask with format=json.",
        )
        .field("format"));
    }
    let url = asked.url.ok_or_else(|| bad_query("url", "Give the address of a channel's page as “url”."))?;
    let size = oembed::size(
        pixels("maxwidth", asked.maxwidth.as_deref())?,
        pixels("maxheight", asked.maxheight.as_deref())?,
    );
    let (name, token) = oembed::channel_of(&url, &peer.base_url).ok_or_else(unknown)?;
    let embed = token.as_deref().map(|token| Embed { token, goes_on: false });
    // As everywhere, a stranger is told no more of a private channel than of one that isn't there.
    let (record, by) = match embeds.channels.admitted(Visitor { actor: None, embed }, &name).await {
        Ok(admitted) => admitted,
        Err(ChannelError::Store(error)) => return Err(error.into()),
        Err(_) => return Err(unknown()),
    };
    let channel = &record.channel;
    let is_shown = match &channel.embedding {
        Embedding::Anywhere => true,
        Embedding::Nowhere => false,
        Embedding::Sites { sites } => !sites.is_empty(),
    };
    if !is_shown {
        return Err(ProblemResponse::new(
            StatusCode::FORBIDDEN,
            "not-embeddable",
            "This channel isn't shown on other pages",
            "Its owner allows no other site to show it. Link to its page instead.",
        ));
    }
    let token = token.as_deref().filter(|_| by != Admission::Anyway);
    let mut answer = oembed::answer(channel, token, &embeds.instance, &peer.base_url, size);
    let mut caching = format!("public, max-age={}", oembed::CACHE_AGE);
    if let Admission::ByEmbed(until) | Admission::ByPass(until) = by {
        let left = until.since(fresh::now()).as_secs();
        answer.cache_age = answer.cache_age.min(left.try_into().unwrap_or(u32::MAX));
        caching = "no-store".to_owned();
    }
    Ok(([(header::CACHE_CONTROL, caching)], Json(answer)).into_response())
}

/// Adds to a channel's page where its oEmbed is. Whether there is such a channel, oEmbed tells.
pub async fn announce(peer: Peer, request: Request, next: Next) -> Response {
    let name = request.uri().path().trim_matches('/').parse::<ChannelName>().ok();
    let mut response = next.run(request).await;
    let is_page = |response: &Response| {
        let content_type = response.headers().get(header::CONTENT_TYPE);
        response.status() == StatusCode::NOT_MODIFIED
            || content_type.is_some_and(|value| value.as_bytes().starts_with(b"text/html"))
    };
    if let Some(name) = name.filter(|_| is_page(&response))
        && let Ok(link) = HeaderValue::from_str(&oembed::link(&name, &peer.base_url))
    {
        response.headers_mut().append(header::LINK, link);
    }
    response
}

fn pixels(field: &str, text: Option<&str>) -> Result<Option<u32>, ProblemResponse> {
    let Some(text) = text else { return Ok(None) };
    let pixels = text.parse::<u32>().ok().filter(|pixels| *pixels > 0);
    pixels.map(Some).ok_or_else(|| bad_query(field, &format!("“{field}” is a number of pixels above 0.")))
}

fn bad_query(field: &str, detail: &str) -> ProblemResponse {
    ProblemResponse::new(StatusCode::BAD_REQUEST, "invalid-query", "The question can't be taken", detail)
        .field(field)
}

fn unknown() -> ProblemResponse {
    ProblemResponse::new(
        StatusCode::NOT_FOUND,
        "unknown-channel",
        "No such channel",
        "This is not the address of a channel on this server. Check how it is written.",
    )
}
