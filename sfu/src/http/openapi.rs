//! The API's description of itself (OpenAPI 3.1), and the page that shows it.
//!
//! Handlers say what they take and answer; what holds for all of them is added here.

use super::{
    assets::{Asset, sent},
    problem::ProblemResponse,
};
use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::Value;
use shared::{
    activity::{ActivityKind, ActivityState},
    analytics::BroadcastAnalytics,
    channel::Directory,
    chat::{ChatUpdates, Sent},
    event::{ChannelEvent, ClientMessage, ServerMessage, Started},
    id::ViewId,
    notification::Bell,
    problem::{PROBLEM_MEDIA_TYPE, Problem},
    publish::{Peers, PublisherHealth, RoomUpdate},
};
use utoipa::{
    OpenApi,
    openapi::{
        Content, Ref, RefOr, ResponseBuilder,
        path::{Operation, PathItem},
        security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme},
    },
};

/// What a login is called in the document: the cookie that signing in sets.
const LOGIN: &str = "login";
/// What an API token is called in the document.
const TOKEN: &str = "token";
/// What the token of a signed embed is called in the document.
const EMBED: &str = "embed";
/// What a guest's token for chat is called in the document.
const GUEST: &str = "guest";

#[derive(OpenApi)]
#[openapi(
    paths(as_json),
    components(schemas(
        Problem,
        ClientMessage,
        ServerMessage,
        Started,
        ChannelEvent,
        Directory,
        BroadcastAnalytics,
        ActivityKind,
        ActivityState,
        PublisherHealth,
        RoomUpdate,
        Peers,
        ChatUpdates,
        Sent,
        ViewId,
        Bell
    )),
    info(
        title = "Weir",
        description = "Live video, chat and who watched, over HTTP. Video itself goes over WHIP (RFC 9725, `/whip`) and WHEP \
            (`/whep/{channel}`); what changes is told on the event socket (`/api/v1/events`).\n\n\
            Programs send an API token as `Authorization: Bearer …`; each operation says which scope it needs. Requests and \
            answers are JSON in camelCase, times RFC 3339 in UTC. Lists come in pages: ask again with `?cursor=` and the `next` \
            of the page before, until there is none. What fails is answered with a problem document (RFC 9457), whose `type` \
            is stable."
    )
)]
struct Described;

/// The API as JSON
#[utoipa::path(
    get,
    path = "/api/v1/openapi.json",
    operation_id = "readOpenApi",
    tag = "instance",
    responses((status = 200, description = "This document", content_type = "application/json", body = Object))
)]
async fn as_json(State(json): State<Bytes>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        // It holds no more than what every server of this version says.
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
    ];
    (headers, json).into_response()
}

/// What the document begins with, before the routes add what they do.
pub fn described() -> utoipa::openapi::OpenApi {
    let mut document = Described::openapi();
    document.info.version = env!("CARGO_PKG_VERSION").to_owned();
    document.info.contact = None;
    let components = document.components.get_or_insert_default();
    let cookie = ApiKeyValue::with_description(
        super::login::COOKIE,
        "A browser that is signed in. A request that changes something must come from Weir's own pages.",
    );
    components.add_security_scheme(LOGIN, SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    let mut bearer = Http::new(HttpAuthScheme::Bearer);
    bearer.description =
        Some("An API token, made in the settings of an account; begins with `weir_api_`.".to_owned());
    components.add_security_scheme(TOKEN, SecurityScheme::Http(bearer));
    let mut embed = Http::new(HttpAuthScheme::Bearer);
    embed.description = Some(
        "A signed embed's token, which admits to its private channel alone; begins with `weir_emb_`."
            .to_owned(),
    );
    components.add_security_scheme(EMBED, SecurityScheme::Http(embed));
    let guest = ApiKeyValue::with_description(
        "Weir-Guest",
        "The token of somebody who chats under a name without an account.",
    );
    components.add_security_scheme(GUEST, SecurityScheme::ApiKey(ApiKey::Header(guest)));
    document
}

/// Adds what holds for every operation: problems are problem documents, and any operation may fail by one.
pub fn complete(document: &mut utoipa::openapi::OpenApi) {
    for item in document.paths.paths.values_mut() {
        for operation in operations(item) {
            let secured = operation.security.as_ref().is_some_and(|ways| !ways.is_empty());
            let responses = &mut operation.responses.responses;
            if secured && !responses.contains_key("401") {
                let words = "Nobody is signed in, or the token doesn't work";
                responses
                    .insert("401".to_owned(), RefOr::T(ResponseBuilder::new().description(words).build()));
            }
            for (status, response) in responses.iter_mut() {
                let RefOr::T(response) = response else { continue };
                if status.starts_with(['4', '5']) && response.content.is_empty() {
                    response.content.insert(PROBLEM_MEDIA_TYPE.to_owned(), problem());
                }
            }
            let other = ResponseBuilder::new()
                .description("Any other problem, e.g. a body that can't be taken (400, 415, 422), or a fault of the server (5xx)")
                .content(PROBLEM_MEDIA_TYPE, problem());
            responses.entry("default".to_owned()).or_insert_with(|| RefOr::T(other.build()));
        }
    }
}

/// Descriptions come from the code's comments, whose links mean nothing outside: [`Self::stream_key`] becomes `streamKey`.
fn clear_links(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                match field {
                    Value::String(text) if name == "description" => *text = without_links(text),
                    other => clear_links(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(clear_links),
        _ => {}
    }
}

fn without_links(text: &str) -> String {
    let mut clear = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("[`") {
        let Some((path, behind)) = after.split_once("`]") else { break };
        let is_item = |segment: &&str| !matches!(*segment, "crate" | "Self");
        let mut segments: Vec<String> = path.split("::").filter(is_item).map(camel_case).collect();
        let is_module = |segment: &String| segment.starts_with(|c: char| c.is_ascii_lowercase());
        // `chat::NewMessage` is `NewMessage`; `Channel::title` is `Channel.title`.
        while segments.len() > 1 && is_module(&segments[0]) {
            segments.remove(0);
        }
        clear.push_str(before);
        clear.push('`');
        clear.push_str(&segments.join("."));
        clear.push('`');
        rest = behind;
    }
    clear.push_str(rest);
    clear
}

fn camel_case(name: &str) -> String {
    let mut parts = name.split('_');
    let mut camel = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        camel.extend(part.chars().take(1).map(|c| c.to_ascii_uppercase()));
        camel.push_str(part.get(1..).unwrap_or_default());
    }
    camel
}

fn problem() -> Content {
    Content::new(Some(Ref::from_schema_name("Problem")))
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete].into_iter().flatten()
}

/// What the build took out of Swagger UI.
static SWAGGER_UI: &[Asset] = include!(concat!(env!("OUT_DIR"), "/docs.rs"));

/// Our own part of the page.
static PAGE: &[Asset] = &[
    Asset { path: "index.html", plain: include_bytes!("docs/index.html"), brotli: None },
    Asset { path: "docs.js", plain: include_bytes!("docs/docs.js"), brotli: None },
    Asset { path: "docs.css", plain: include_bytes!("docs/docs.css"), brotli: None },
];

/// `/api/v1/openapi.json`, and `/api/docs` with a page for people.
pub fn routes(document: &utoipa::openapi::OpenApi) -> Router {
    let mut document = serde_json::to_value(document).unwrap_or_default();
    clear_links(&mut document);
    let json = Bytes::from(document.to_string());
    Router::new()
        .route("/api/v1/openapi.json", get(as_json).with_state(json))
        .route("/api/docs", get(async |headers: HeaderMap| shown("index.html", &headers)))
        .route(
            "/api/docs/{file}",
            get(async |Path(file): Path<String>, headers: HeaderMap| shown(&file, &headers)),
        )
}

fn shown(name: &str, headers: &HeaderMap) -> Result<Response, ProblemResponse> {
    let asset = PAGE.iter().chain(SWAGGER_UI).find(|asset| asset.path == name);
    asset.map(|asset| sent(asset, headers, "public, max-age=3600")).ok_or_else(super::fallback::not_found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_name_what_is_on_the_wire() {
        assert_eq!(without_links("The secret, [`Self::stream_key`]."), "The secret, `streamKey`.");
        assert_eq!(
            without_links("See [`crate::chat::NewMessage`] [`Channel::display_name`]"),
            "See `NewMessage` `Channel.displayName`"
        );
        assert_eq!(without_links("a [`b"), "a [`b");
    }

    #[test]
    fn the_page_has_all_that_it_names() {
        let page = std::str::from_utf8(PAGE[0].plain).unwrap();
        let named = page.split("/api/docs/").skip(1).filter_map(|rest| rest.split('"').next());
        let mut count = 0;
        for name in named {
            assert!(shown(name, &HeaderMap::new()).is_ok(), "{name}");
            count += 1;
        }
        assert!(count >= 4);
        assert!(shown("../Cargo.toml", &HeaderMap::new()).is_err());
        assert!(!page.contains("<script>"), "the content security policy allows none");
    }
}
