//! The rules themselves, each a function from a file to what is wrong with it.

use super::source::{is_below, paths, without_tests};

/// A tracked file.
#[derive(Debug, Clone)]
pub struct File {
    /// Where, from the workspace's root, with `/`.
    pub path: String,
    /// What is in it.
    pub contents: Vec<u8>,
}

/// What the server does, folder by folder.
const CAPABILITIES: &[&str] = &[
    "account",
    "analytics",
    "audit",
    "broadcast",
    "channel",
    "chat",
    "cluster",
    "content",
    "event",
    "hls",
    "moderation",
    "notification",
    "publish",
    "recording",
    "social",
    "transcode",
    "watch",
    "webhook",
];

/// Folders of the server that know a technology and no capability.
const ADAPTER_FOLDERS: &[&str] = &["http", "rtc", "store", "telemetry"];

/// What puts capabilities together, and so may name all of them.
const COMPOSES: &[&str] = &["app", "app.rs", "lib.rs", "routes.rs"];

/// What of a capability an adapter may name: the board that everybody reads.
const READABLE_BY_ADAPTERS: &[&str] = &["crate::broadcast::live"];

/// In a capability folder, a file with one of these names is an adapter: the name says which technology it speaks, or
/// that it is what keeps the others running. Every other file is pure.
const ADAPTER_FILES: &[&str] = &[
    "argon2",
    "bus",
    "child",
    "confine",
    "cookie",
    "feed",
    "http",
    "libvpx",
    "maxminddb",
    "measure",
    "mod",
    "nats",
    "openh264",
    "opus",
    "postgres",
    "process",
    "rav1d",
    "rav1e",
    "rest",
    "routes",
    "rtmp",
    "s3",
    "service",
    "shard",
    "smtp",
    "sqlite",
    "store",
    "task",
    "thread",
    "web_push",
    "webauthn",
    "webhook",
    "websocket",
    "whep",
    "whip",
];

/// Those of them that are folders, too.
const ADAPTER_FOLDERS_WITHIN: &[&str] = &["process"];

/// Crates that pure code does without: I/O, runtimes, the browser, randomness.
const IMPURE: &[&str] = &[
    "axum",
    "getrandom",
    "gloo",
    "gloo_net",
    "hyper",
    "js_sys",
    "mio",
    "quinn_udp",
    "rand",
    "reqwest",
    "socket2",
    "sqlx",
    "str0m",
    "tokio",
    "tower",
    "tower_http",
    "web_sys",
];

/// Ways to read a clock.
const CLOCKS: &[&str] =
    &["Instant::now", "SystemTime::now", "OffsetDateTime::now_utc", "UtcDateTime::now", "Date::now"];

/// Ways to hand a page text that it reads as markup or as code.
const MARKUP: &[&str] = &[
    "from_html_unchecked",
    "VRaw",
    "set_inner_html",
    "set_outer_html",
    "insert_adjacent_html",
    "set_srcdoc",
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    "srcdoc",
    "document.write",
    "eval(",
    "new Function",
];

const LONG: usize = 500;
const TOO_LONG: usize = 700;
const MAIN_LINES: usize = 20;

/// What is wrong with one file, and what is worth saying.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Broken rules.
    pub errors: Vec<String>,
    /// Near misses.
    pub warnings: Vec<String>,
}

/// Holds one file against every rule.
pub fn check(file: &File) -> Findings {
    let mut findings = Findings::default();
    let errors = &mut findings.errors;
    tracked(file, errors);
    let Ok(text) = std::str::from_utf8(&file.contents) else { return findings };
    clean_text(&file.path, text, errors);
    no_markup(&file.path, text, errors);
    if is_test(&file.path) {
        return findings;
    }
    if file.path.ends_with(".rs") {
        let code = without_tests(text);
        let named = paths(code);
        pure(&file.path, code, &named, errors);
        apart(&file.path, &named, errors);
        frontend(&file.path, &named, errors);
        short_main(&file.path, text, errors);
    }
    length(&file.path, text, &mut findings);
    findings
}

fn is_test(path: &str) -> bool {
    let stem = stem(path);
    path.starts_with("tests/") || path.contains("/tests/") || stem == "tests" || stem.ends_with("_tests")
}

fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.split('.').next().unwrap_or(name)
}

fn capability(path: &str) -> Option<&str> {
    let folder = path.strip_prefix("sfu/src/")?.split_once('/')?.0;
    is_capability(folder).then_some(folder)
}

fn is_capability(name: &str) -> bool {
    CAPABILITIES.contains(&name)
}

/// Pure: all of `shared`, and in a capability folder every file that is not named after a technology.
fn is_pure(path: &str) -> bool {
    // What an adapter's file became too long for lies in a folder of its name.
    let adapter = ADAPTER_FILES.contains(&stem(path))
        || path.split('/').any(|part| ADAPTER_FOLDERS_WITHIN.contains(&part));
    path.starts_with("shared/src/") || (capability(path).is_some() && !adapter)
}

fn is_pure_machine(path: &str) -> bool {
    let stem = stem(path);
    path.starts_with("frontend/src/") && (stem == "state" || stem == "machine" || stem.ends_with("_state"))
}

fn pure(path: &str, code: &str, named: &[String], errors: &mut Vec<String>) {
    let machine = is_pure_machine(path);
    if !machine && !is_pure(path) {
        return;
    }
    for named in named {
        if IMPURE.iter().any(|krate| is_below(named, krate)) {
            errors.push(format!("{path}: pure code names `{named}`; take its result as an argument"));
        }
        if CLOCKS.iter().any(|clock| named == clock || named.ends_with(&format!("::{clock}"))) {
            errors.push(format!("{path}: pure code reads a clock (`{named}`); take `now` as an argument"));
        }
        let view = ["yew", "wasm_bindgen", "crate::browser", "crate::api"];
        if machine && view.iter().any(|prefix| is_below(named, prefix)) {
            errors.push(format!("{path}: a state machine names `{named}`; only its page does"));
        }
    }
    if code.contains(".elapsed()") {
        errors.push(format!("{path}: pure code reads a clock (`.elapsed()`); take `now` as an argument"));
    }
}

/// Capabilities and adapters stay apart; `app` and `routes` put them together.
fn apart(path: &str, named: &[String], errors: &mut Vec<String>) {
    let Some(inside) = path.strip_prefix("sfu/src/") else { return };
    let top = inside.split('/').next().unwrap_or(inside);
    let own = capability(path);
    let adapter = ADAPTER_FOLDERS.contains(&top);
    if COMPOSES.contains(&top) {
        return;
    }
    for named in named {
        let rest = named
            .strip_prefix("crate::")
            .or_else(|| above(inside, named))
            .or_else(|| named.strip_prefix("sfu::"));
        let Some(rest) = rest else { continue };
        let folder = rest.split("::").next().unwrap_or(rest);
        let readable = adapter && READABLE_BY_ADAPTERS.iter().any(|prefix| is_below(named, prefix));
        if is_capability(folder) && own != Some(folder) && !readable {
            let who = own.map(|own| format!("the capability `{own}`")).unwrap_or_else(|| format!("`{top}`"));
            errors
                .push(format!("{path}: {who} names `{named}`; let `app` connect them by a port or an event"));
        }
    }
}

/// `super::super::x` from two folders down is `crate::x`.
fn above<'a>(inside: &str, named: &'a str) -> Option<&'a str> {
    let is_mod = stem(inside) == "mod";
    let depth = inside.matches('/').count() + usize::from(!is_mod);
    let ups = "super::".repeat(depth);
    (depth > 0).then(|| named.strip_prefix(&ups)).flatten()
}

fn frontend(path: &str, named: &[String], errors: &mut Vec<String>) {
    let Some(inside) = path.strip_prefix("frontend/src/") else { return };
    let (browser, api) = (inside.starts_with("browser/"), inside.starts_with("api/"));
    for named in named {
        if !browser && ["web_sys", "js_sys"].iter().any(|krate| is_below(named, krate)) {
            errors.push(format!("{path}: names `{named}`; only frontend/src/browser/ knows the browser"));
        }
        // `browser` may wrap what `web_sys` has for it; only `api` uses the wrappers.
        let network = ["gloo::net", "gloo_net", "crate::browser::fetch", "crate::browser::socket"];
        if !api && network.iter().any(|prefix| is_below(named, prefix)) {
            errors.push(format!("{path}: names `{named}`; only frontend/src/api/ talks to the network"));
        }
    }
}

/// What people write reaches a page as text nodes and attributes alone, whatever is in it.
fn no_markup(path: &str, text: &str, errors: &mut Vec<String>) {
    let is_script =
        ["js", "mjs", "html"].iter().any(|kind| path.rsplit_once('.').is_some_and(|(_, end)| end == *kind));
    let is_page = path.starts_with("frontend/");
    let is_ours = is_script && !path.starts_with("tests/") && !path.starts_with("xtask/");
    if !is_page && !is_ours {
        return;
    }
    for found in MARKUP.iter().filter(|word| text.contains(**word)) {
        errors.push(format!(
            "{path}: has `{found}`; a page shows texts as text and never reads them as markup"
        ));
    }
}

fn short_main(path: &str, text: &str, errors: &mut Vec<String>) {
    let lines = text.lines().count();
    if path.ends_with("src/main.rs") && lines >= MAIN_LINES {
        errors.push(format!("{path}: {lines} lines; a main has fewer than {MAIN_LINES}"));
    }
}

fn length(path: &str, text: &str, findings: &mut Findings) {
    let extension = path.rsplit('.').next().unwrap_or_default();
    let lines = match extension {
        "rs" => without_tests(text).lines().count(),
        "css" | "js" | "mjs" | "html" | "py" => text.lines().count(),
        _ => return,
    };
    if lines > TOO_LONG {
        findings
            .errors
            .push(format!("{path}: {lines} lines without tests; more than {TOO_LONG} are two files"));
    } else if lines > LONG {
        findings.warnings.push(format!("{path}: {lines} lines without tests; it is asking to be two files"));
    }
}

/// Only sources are tracked: nothing that a build makes, and no binaries but the pictures in docs.
fn tracked(file: &File, errors: &mut Vec<String>) {
    let path = &file.path;
    let built = ["target", "dist", "node_modules", "__pycache__"];
    if path.split('/').any(|folder| built.contains(&folder)) {
        errors.push(format!("{path}: is generated and should not be tracked"));
    }
    let picture = [".png", ".webp"].iter().any(|extension| path.ends_with(extension));
    let in_docs = path.starts_with("docs/") && path.matches('/').count() == 1;
    let binary = file.contents.iter().take(8_000).any(|byte| *byte == 0)
        || std::str::from_utf8(&file.contents).is_err();
    if binary && !(picture && in_docs) {
        errors.push(format!("{path}: is binary and should not be tracked"));
    }
}

/// No text names a package registry or a folder of the machine it was written on.
fn clean_text(path: &str, text: &str, errors: &mut Vec<String>) {
    for (number, line) in text.lines().enumerate() {
        let at = format!("{path}:{}", number + 1);
        for host in registry_hosts() {
            if line.contains(&host) {
                errors.push(format!("{at}: names the package registry {host}"));
            }
        }
        for folder in machine_folders() {
            if names_folder(line, &folder) {
                errors.push(format!("{at}: names a folder of one machine, {folder}"));
            }
        }
    }
    if path.ends_with("package-lock.json") && text.contains("\"resolved\":") {
        errors.push(format!(
            "{path}: has `resolved`; set npm's omit-lockfile-registry-resolved and make it again"
        ));
    }
}

/// Put together here, so that this file does not break its own rule.
fn registry_hosts() -> [String; 9] {
    [
        ["index.", "crates.io"],
        ["static.", "crates.io"],
        ["registry.", "npmjs.org"],
        ["registry.", "yarnpkg.com"],
        ["pypi", ".org"],
        ["pythonhosted", ".org"],
        ["deb.", "debian.org"],
        ["security.", "debian.org"],
        ["pkg", ".dev"],
    ]
    .map(|pieces| pieces.concat())
}

fn machine_folders() -> [String; 4] {
    ["work", "root", "home", "Users"].map(|name| format!("/{name}/"))
}

/// A folder at the start of a path, not in its middle.
fn names_folder(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|before| !before.is_alphanumeric() && !"_-./$*})]".contains(before))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(path: &str, text: &str) -> Vec<String> {
        check(&File { path: path.to_owned(), contents: text.as_bytes().to_vec() }).errors
    }

    #[track_caller]
    fn refused(path: &str, text: &str, why: &str) {
        let errors = errors(path, text);
        assert!(
            errors.iter().any(|error| error.contains(why)),
            "{path} should be refused for {why:?}: {errors:?}"
        );
    }

    #[track_caller]
    fn fine(path: &str, text: &str) {
        let errors = errors(path, text);
        assert!(errors.is_empty(), "{path}: {errors:?}");
    }

    #[test]
    fn pure_files_import_no_technology() {
        refused("sfu/src/broadcast/hub.rs", "use tokio::sync::mpsc;", "`tokio::sync::mpsc`");
        refused("sfu/src/watch/select.rs", "use {std::fmt, rand::{rng, Rng}};", "`rand::rng`");
        refused("sfu/src/chat/room.rs", "fn f() { ::axum::serve() }", "`axum::serve`");
        refused("shared/src/id.rs", "use web_sys::Window;", "`web_sys::Window`");
        fine(
            "sfu/src/broadcast/hub.rs",
            "// like tokio::sync\nuse std::time::{Duration, Instant};\nfn f(now: Instant) {}",
        );
        fine("sfu/src/broadcast/hub.rs", "fn f() {}\n#[cfg(test)]\nmod tests { use tokio::test; }");
        fine("sfu/src/publish/whip.rs", "use axum::Router;");
        fine("sfu/src/watch/whep.rs", "use axum::Router;");
        fine("sfu/src/transcode/process/listener.rs", "fn f() { std::time::Instant::now(); }");
        fine("sfu/src/account/store.rs", "use sqlx::Any;");
        fine("sfu/src/rtc/peer.rs", "use str0m::Rtc;");
    }

    #[test]
    fn pure_files_read_no_clock() {
        refused("sfu/src/broadcast/hub.rs", "let now = Instant::now();", "reads a clock");
        refused("sfu/src/broadcast/hub.rs", "let now = std::time::SystemTime::now();", "reads a clock");
        refused("sfu/src/broadcast/hub.rs", "if last.elapsed() > limit {}", "reads a clock");
        refused("shared/src/unit.rs", "time::OffsetDateTime::now_utc()", "reads a clock");
    }

    #[test]
    fn capabilities_do_not_import_each_other() {
        refused(
            "sfu/src/publish/whip.rs",
            "use crate::watch::Session;",
            "`publish` names `crate::watch::Session`",
        );
        refused(
            "sfu/src/publish/whip.rs",
            "use crate::{http::Problem, channel::{Channel}};",
            "`crate::channel::Channel`",
        );
        refused("sfu/src/publish/whip.rs", "super::super::event::bus()", "`super::super::event::bus`");
        refused("sfu/src/publish/mod.rs", "use super::account;", "`super::account`");
        refused("sfu/src/chat/deep/room.rs", "use super::super::super::account::Me;", "account");
        fine("sfu/src/publish/whip.rs", "use crate::publish::Key; use crate::{http, store, telemetry, rtc};");
        fine("sfu/src/publish/whip.rs", "use super::session::Session; use shared::channel::Channel;");
    }

    #[test]
    fn adapters_know_no_capability() {
        refused("sfu/src/rtc/shard.rs", "use crate::broadcast::hub::Hub;", "`rtc` names");
        refused("sfu/src/store/sqlite.rs", "use crate::account::Account;", "`store` names");
        refused("sfu/src/config.rs", "use crate::account::Account;", "`config.rs` names");
        fine("sfu/src/rtc/shard.rs", "use crate::broadcast::live::LiveBoard;");
        fine("sfu/src/app.rs", "use crate::{account, broadcast, watch};");
        fine("sfu/src/app/wire.rs", "use crate::{account, broadcast, watch};");
        fine("sfu/src/routes.rs", "use crate::{account, broadcast, watch};");
    }

    #[test]
    fn the_frontend_keeps_browser_and_network_in_their_folders() {
        refused("frontend/src/player/mod.rs", "use web_sys::HtmlVideoElement;", "knows the browser");
        refused("frontend/src/api/rest.rs", "use js_sys::Date;", "knows the browser");
        refused("frontend/src/studio/page.rs", "use gloo::{net::http::Request};", "talks to the network");
        refused(
            "frontend/src/chat/view.rs",
            "use crate::browser::{socket::Socket, video};",
            "talks to the network",
        );
        fine("frontend/src/api/events.rs", "use crate::browser::socket::Socket;");
        fine("frontend/src/browser/socket.rs", "use web_sys::{Window, WebSocket};");
        fine("frontend/src/browser/video.rs", "use web_sys::HtmlVideoElement;");
        fine("frontend/src/api/rest.rs", "use gloo::net::http::Request;");
    }

    #[test]
    fn state_machines_know_neither_yew_nor_browser() {
        refused("frontend/src/player/state.rs", "use yew::Callback;", "state machine names");
        refused("frontend/src/studio/machine.rs", "use crate::browser::clock;", "state machine names");
        refused(
            "frontend/src/chat/log_state.rs",
            "gloo::timers::callback::Timeout::new()",
            "pure code names",
        );
        fine("frontend/src/player/view.rs", "use yew::Callback; use crate::browser::clock;");
        fine("frontend/src/player/state.rs", "use shared::channel::Channel;");
    }

    #[test]
    fn pages_read_no_text_as_markup() {
        refused("frontend/src/ui/prose.rs", "Html::from_html_unchecked(words)", "never reads them as markup");
        refused(
            "frontend/src/browser/page.rs",
            "element.set_inner_html(&words)",
            "never reads them as markup",
        );
        refused(
            "sfu/src/notification/delivery/sw.js",
            "document.body.innerHTML = words;",
            "never reads them as markup",
        );
        refused("embed.html", "<script>eval(words)</script>", "never reads them as markup");
        fine("frontend/src/ui/prose.rs", "html! { <p>{ words }</p> }");
    }

    #[test]
    fn mains_are_short_and_files_not_long() {
        refused("sfu/src/main.rs", &"\n".repeat(20), "20 lines");
        fine("sfu/src/main.rs", &"\n".repeat(19));
        refused("sfu/src/app.rs", &"\n".repeat(701), "701 lines");
        refused("frontend/style/base.css", &"\n".repeat(701), "701 lines");
        fine("sfu/src/app.rs", &format!("{}#[cfg(test)]\n{}", "\n".repeat(400), "\n".repeat(400)));
        fine("tests/browser/watch.test.mjs", &"\n".repeat(900));
        let long = check(&File { path: "sfu/src/app.rs".into(), contents: "\n".repeat(600).into_bytes() });
        assert_eq!((long.errors.len(), long.warnings.len()), (0, 1));
    }

    #[test]
    fn nothing_built_or_binary_is_tracked() {
        refused("frontend/app.wasm", "\0asm", "is binary");
        refused("frontend/icon.png", "\u{89}PNG\0", "is binary");
        refused("docs/deep/picture.png", "PNG\0", "is binary");
        refused("frontend/dist/app.js", "x", "is generated");
        fine("docs/home.png", "PNG\0");
        fine("docs/map.svg", "<svg/>");
    }

    #[test]
    fn no_text_names_a_registry_or_a_machine() {
        for host in registry_hosts() {
            refused("README.md", &format!("see https://{host}/x"), "names the package registry");
        }
        for folder in machine_folders() {
            refused("README.md", &format!("cd {folder}main"), "names a folder");
            refused("README.md", &format!("\"{folder}main\""), "names a folder");
            fine("README.md", &format!("cd ./x{folder}main"));
        }
        fine("Cargo.lock", "source = \"registry+https://github.com/rust-lang/crates.io-index\"");
        let resolved = "{\"resolved\": \"x\"}";
        refused("tests/browser/package-lock.json", resolved, "resolved");
    }
}
