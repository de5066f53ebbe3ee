//! The frontend, embedded in the binary.

use super::{fallback::not_found, headers::open_to_all, problem::ProblemResponse};
use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use shared::id::BACKSTAGE;
use std::{collections::HashMap, sync::Arc};

/// One file of the frontend.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// Its path, without a slash in front.
    pub path: &'static str,
    /// Its bytes.
    pub plain: &'static [u8],
    /// Its bytes after brotli.
    pub brotli: Option<&'static [u8]>,
}

/// What the build embedded.
pub static EMBEDDED: &[Asset] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

const MISSING: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Weir</title>\
<h1>Weir is running, without its pages</h1>\
<p>This binary was built without the frontend. <code>cargo xtask run</code> builds both and starts the server; \
<code>cargo xtask build</code> makes one binary with both inside.</p>\
<p>The API, WHIP and WHEP work as always.</p></html>";

/// The files, ready to be served; cheap to clone.
#[derive(Debug, Clone)]
pub struct Assets(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    files: HashMap<&'static str, Asset>,
    app: Document,
    backstage: Document,
    player: Document,
    embed_script: Option<Document>,
}

/// A file whose name stays while its content changes.
#[derive(Debug, Clone)]
struct Document {
    file: Asset,
    /// Of its content, without quotes.
    tag: String,
}

/// A page that other sites may show in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framed {
    /// The whole app.
    App,
    /// The player alone, with as little code as it can; the whole app where that wasn't built.
    Player,
}

impl Assets {
    /// From files.
    pub fn new(files: &[Asset]) -> Self {
        let files: HashMap<_, _> = files.iter().map(|file| (file.path, *file)).collect();
        let built_in = Asset { path: "index.html", plain: MISSING.as_bytes(), brotli: None };
        let app = Document::new(files.get("index.html").copied().unwrap_or(built_in));
        let backstage = files.get("backstage.html").copied().map_or_else(|| app.clone(), Document::new);
        let player = files.get("embed.html").copied().map_or_else(|| app.clone(), Document::new);
        let embed_script = ["embed.js", "assets/embed.js"].iter().find_map(|path| files.get(path));
        let embed_script = embed_script.copied().map(Document::new);
        Self(Arc::new(Inner { files, app, backstage, player, embed_script }))
    }

    /// Hashes of the pages' inline scripts, for their content security policy.
    pub fn script_hashes(&self) -> Vec<String> {
        let pages = [&self.0.app, &self.0.backstage, &self.0.player].map(|page| page.file.plain);
        let scripts = pages.into_iter().filter_map(|page| std::str::from_utf8(page).ok());
        let mut hashes: Vec<String> = scripts
            .flat_map(inline_scripts)
            .map(|script| STANDARD.encode(Sha256::digest(script.as_bytes())))
            .collect();
        hashes.sort();
        hashes.dedup();
        hashes
    }

    /// A page for frames. What it is sent with beside itself goes into `salt`, so that a browser that knows the page takes
    /// it anew when that changes.
    pub fn framed(&self, page: Framed, headers: &HeaderMap, salt: &str) -> Response {
        let page = match page {
            Framed::App => &self.0.app,
            Framed::Player => &self.0.player,
        };
        let salted = format!("{} {salt}", page.tag);
        page.response(&hash(salted.as_bytes()), headers, "no-cache")
    }

    /// The script by which other sites show the player.
    pub fn embed_script(&self, headers: &HeaderMap) -> Result<Response, ProblemResponse> {
        let script = self.0.embed_script.as_ref().ok_or_else(not_found)?;
        let caching = "public, max-age=300, stale-while-revalidate=86400";
        let mut response = script.response(&script.tag, headers, caching);
        open_to_all(response.headers_mut());
        Ok(response)
    }

    fn answer(&self, method: &Method, path: &str, headers: &HeaderMap) -> Result<Response, ProblemResponse> {
        if method != Method::GET && method != Method::HEAD {
            return Err(not_found());
        }
        let path = path.trim_start_matches('/');
        if path == "embed.js" || path == "assets/embed.js" {
            return self.embed_script(headers);
        }
        if let Some(file) = self.0.files.get(path).filter(|_| !path.ends_with(".html")) {
            // The build puts a hash of their content into the names of files there.
            let forever = path.starts_with("assets/");
            let caching =
                if forever { "public, max-age=31536000, immutable" } else { "public, max-age=3600" };
            let mut response = sent(file, headers, caching);
            // A page in a sandboxed frame has no origin of its own: to it, this server is another site.
            open_to_all(response.headers_mut());
            return Ok(response);
        }
        // Every other page is the app's own; a missing file is not a page.
        if path.starts_with("assets/") || path.starts_with("api/") || !accepts_html(headers) {
            return Err(not_found());
        }
        let first = path.split('/').next().unwrap_or_default().to_ascii_lowercase();
        let is_backstage = BACKSTAGE.contains(&first.as_str());
        let page = if is_backstage { &self.0.backstage } else { &self.0.app };
        Ok(page.response(&page.tag, headers, "no-cache"))
    }
}

impl Document {
    fn new(file: Asset) -> Self {
        Self { file, tag: hash(file.plain) }
    }

    /// The file, or that what the client has is still it.
    fn response(&self, tag: &str, headers: &HeaderMap, caching: &'static str) -> Response {
        let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
        let etag = format!("\"{tag}\"");
        let is_known = known
            .is_some_and(|known| known.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag));
        let mut response = if is_known {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            sent(&self.file, headers, caching)
        };
        if let Ok(etag) = HeaderValue::from_str(&etag) {
            response.headers_mut().insert(header::ETAG, etag);
        }
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
        response
    }
}

/// 132 bits of a SHA-256, in characters that an `ETag` may have.
fn hash(content: &[u8]) -> String {
    STANDARD.encode(Sha256::digest(content))[..22].to_owned()
}

/// The last fallback: a file, the app's page, or a problem. hyper leaves the body out for HEAD.
pub async fn serve(State(assets): State<Assets>, request: Request) -> Response {
    match assets.answer(request.method(), request.uri().path(), request.headers()) {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

/// A file as it is sent, packed if the client takes that.
pub fn sent(file: &Asset, headers: &HeaderMap, caching: &'static str) -> Response {
    let packed = file.brotli.filter(|_| accepts_brotli(headers));
    let mut response = Response::new(Body::from(packed.unwrap_or(file.plain)));
    let set = response.headers_mut();
    set.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(file.path)));
    set.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    if packed.is_some() {
        set.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
    }
    if file.brotli.is_some() {
        set.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    response
}

/// Without `Accept` anything is acceptable.
fn accepts_html(headers: &HeaderMap) -> bool {
    let Some(accept) = headers.get(header::ACCEPT) else { return true };
    let accept = accept.to_str().unwrap_or_default();
    ["text/html", "text/*", "*/*"].iter().any(|kind| accept.contains(kind))
}

fn accepts_brotli(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_brotli = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("br"));
        let weight = parts.find_map(|part| part.strip_prefix("q=")).and_then(|q| q.parse::<f32>().ok());
        is_brotli && weight != Some(0.0)
    })
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or(path, |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" | "LICENSE" | "NOTICE" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// The text of every script in a page that isn't loaded from elsewhere.
fn inline_scripts(page: &str) -> Vec<&str> {
    let mut scripts = Vec::new();
    let mut rest = page;
    while let Some(start) = rest.find("<script") {
        let Some(open) = rest[start..].find('>') else { break };
        let (attributes, body) = (&rest[start..start + open], &rest[start + open + 1..]);
        let Some(end) = body.find("</script") else { break };
        if !attributes.contains(" src=") {
            scripts.push(&body[..end]);
        }
        rest = &body[end..];
    }
    scripts
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: &[Asset] = &[
        Asset {
            path: "index.html",
            plain: b"<script>a()</script><script src=\"/x.js\"></script>",
            brotli: None,
        },
        Asset { path: "assets/app-1f.wasm", plain: b"plain", brotli: Some(b"br") },
        Asset { path: "favicon.svg", plain: b"<svg/>", brotli: None },
    ];

    fn get(path: &str, pairs: &[(&'static str, &str)]) -> Result<Response, ProblemResponse> {
        let headers: HeaderMap =
            pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        Assets::new(FILES).answer(&Method::GET, path, &headers)
    }

    fn header_of(response: &Response, name: header::HeaderName) -> &str {
        response.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[test]
    fn hashed_files_are_packed_and_kept_forever() {
        let packed = get("/assets/app-1f.wasm", &[("accept-encoding", "gzip, br;q=0.8")]).unwrap();
        assert_eq!(header_of(&packed, header::CONTENT_ENCODING), "br");
        assert_eq!(header_of(&packed, header::CONTENT_TYPE), "application/wasm");
        assert!(header_of(&packed, header::CACHE_CONTROL).contains("immutable"));
        let plain = get("/assets/app-1f.wasm", &[("accept-encoding", "gzip, br;q=0")]).unwrap();
        assert_eq!(header_of(&plain, header::CONTENT_ENCODING), "");
        assert_eq!(header_of(&plain, header::VARY), "accept-encoding");
    }

    #[test]
    fn every_page_is_the_app_and_a_missing_file_is_none() {
        for page in ["/", "/index.html", "/ada", "/studio/ada", "/set-up"] {
            let response = get(page, &[("accept", "text/html,*/*;q=0.8")]).unwrap();
            assert_eq!(header_of(&response, header::CACHE_CONTROL), "no-cache");
            assert!(header_of(&response, header::CONTENT_TYPE).starts_with("text/html"));
        }
        assert!(get("/assets/app-2e.wasm", &[("accept", "*/*")]).is_err());
        assert!(get("/ada.png", &[("accept", "image/png")]).is_err());
        assert!(get("/../Cargo.toml", &[("accept", "image/*")]).is_err());
        assert!(Assets::new(FILES).answer(&Method::POST, "/", &HeaderMap::new()).is_err());
    }

    #[test]
    fn a_page_that_is_known_is_not_sent_again() {
        let first = get("/", &[]).unwrap();
        let etag = header_of(&first, header::ETAG).to_owned();
        let again = get("/ada", &[("if-none-match", &format!("\"other\", W/{etag}"))]).unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    }

    #[test]
    fn a_framed_page_is_taken_anew_when_who_may_show_it_changes() {
        let etag = |salt| {
            header_of(&Assets::new(FILES).framed(Framed::Player, &HeaderMap::new(), salt), header::ETAG)
                .to_owned()
        };
        assert_ne!(etag("*"), etag("'self'"));
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, etag("*").parse().unwrap());
        let status = |salt| Assets::new(FILES).framed(Framed::Player, &headers, salt).status();
        assert_eq!((status("*"), status("'self'")), (StatusCode::NOT_MODIFIED, StatusCode::OK));
    }

    #[test]
    fn the_player_s_own_page_and_script_are_served_where_they_were_built() {
        assert!(get("/embed.js", &[]).is_err());
        let script = Asset { path: "assets/embed.js", plain: b"script", brotli: Some(b"br") };
        let page = Asset { path: "embed.html", plain: b"<script>b()</script>", brotli: None };
        let files = [FILES, &[script, page]].concat();
        let assets = Assets::new(&files);
        assert_eq!(assets.script_hashes().len(), 2);
        for path in ["/embed.js", "/assets/embed.js"] {
            let script = assets.answer(&Method::GET, path, &HeaderMap::new()).unwrap();
            assert_eq!(header_of(&script, header::CONTENT_TYPE), "text/javascript; charset=utf-8");
            assert!(header_of(&script, header::CACHE_CONTROL).contains("max-age=300"));
            assert_eq!(header_of(&script, header::ACCESS_CONTROL_ALLOW_ORIGIN), "*");
        }
        let framed = assets.framed(Framed::Player, &HeaderMap::new(), "");
        assert_ne!(
            header_of(&framed, header::ETAG),
            header_of(&assets.framed(Framed::App, &HeaderMap::new(), ""), header::ETAG)
        );
        let direct = assets.answer(&Method::GET, "/embed.html", &HeaderMap::new()).unwrap();
        assert_eq!(header_of(&direct, header::ETAG), header_of(&get("/", &[]).unwrap(), header::ETAG));
    }

    #[test]
    fn the_pages_backstage_are_a_program_of_their_own_where_it_was_built() {
        let page = Asset { path: "backstage.html", plain: b"<script>c()</script>", brotli: None };
        let assets = Assets::new(&[FILES, &[page]].concat());
        let etag = |path: &str| {
            let answer = assets.answer(&Method::GET, path, &HeaderMap::new()).unwrap();
            header_of(&answer, header::ETAG).to_owned()
        };
        assert_eq!(assets.script_hashes().len(), 2);
        for path in ["/studio", "/studio/ada", "/Settings", "/admin", "/analytics/ada/x"] {
            assert_ne!(etag(path), etag("/"), "{path}");
        }
        for path in ["/ada", "/ada/studio", "/studios", "/backstage.html", "/sign-in"] {
            assert_eq!(etag(path), etag("/"), "{path}");
        }
        assert_eq!(header_of(&get("/studio", &[]).unwrap(), header::ETAG), etag("/"), "the app has it all");
    }

    #[test]
    fn inline_scripts_are_allowed_by_hash() {
        assert_eq!(
            inline_scripts("<script type=\"module\">a()</script><script src=\"/x.js\"></script>"),
            ["a()"]
        );
        assert_eq!(Assets::new(FILES).script_hashes().len(), 1);
        assert_eq!(Assets::new(&[]).script_hashes().len(), 0);
    }
}
