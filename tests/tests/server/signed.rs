//! Signed embeds: who gets to see a private channel by one, where, and for how long.

use crate::SOON;
use serde_json::{Value, json};
use weir_tests::{
    chat::{self, By},
    events::Events,
    http::{Request, Response},
    peer::{Offering, Peer, SDP, Source},
    server::{Login, Weir},
};

const HOUR: u32 = 3600;

fn own(weir: &Weir, login: &Login, method: &str, path: &str, body: Option<&Value>) -> Response {
    let path = format!("/api/v1/channels/{path}");
    let request = weir.same_origin(method, &path).header("cookie", login.cookie.as_str());
    match body {
        Some(body) => request.json(body).send(weir.http),
        None => request.send(weir.http),
    }
}

fn link(weir: &Weir, login: &Login, channel: &str, seconds: u32) -> Value {
    let body = json!({ "expiresInSeconds": seconds });
    let made = own(weir, login, "POST", &format!("{channel}/embed-links"), Some(&body));
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(made.header("cache-control"), Some("no-store"));
    made.json()
}

fn token(weir: &Weir, login: &Login, channel: &str, seconds: u32) -> String {
    link(weir, login, channel, seconds)["token"].as_str().expect("a token").to_owned()
}

fn edit(weir: &Weir, login: &Login, channel: &str, change: &Value) {
    assert_eq!(own(weir, login, "PATCH", channel, Some(change)).status, 200);
}

/// A private channel, and another one of the same owner's.
fn private() -> (Weir, Login) {
    let weir = Weir::start();
    let login = weir.set_up("ada");
    let made = weir.same_origin("POST", "/api/v1/channels").header("cookie", login.cookie.as_str());
    assert_eq!(made.json(&json!({ "name": "other" })).send(weir.http).status, 201);
    for channel in ["ada", "other"] {
        edit(&weir, &login, channel, &json!({ "visibility": "PRIVATE" }));
    }
    (weir, login)
}

fn live(weir: &Weir, login: &Login, channel: &str) -> Peer {
    let key = own(weir, login, "POST", &format!("{channel}/stream-key"), Some(&json!({}))).json();
    let key = key["streamKey"].as_str().expect("a key").to_owned();
    let publisher = Peer::publish(weir.http, channel, &key, Source::new(1));
    weir_tests::eventually("it is live", SOON, || {
        let state = own(weir, login, "GET", &format!("{channel}/state"), None).json();
        (state["state"] == "live").then_some(())
    });
    publisher
}

fn offer(weir: &Weir, channel: &str, query: &str, bearer: Option<&str>) -> (Offering, Response) {
    let offering = Offering::to_receive();
    let path = format!("/whep/{channel}{query}");
    let mut request = Request::new("POST", &path).body(SDP, offering.sdp.as_str());
    if let Some(bearer) = bearer {
        request = request.bearer(bearer);
    }
    let response = request.send(weir.http);
    (offering, response)
}

/// What came of a request: a status, and the last part of the problem's type.
fn outcome(response: &Response) -> (u16, String) {
    let is_problem =
        response.header("content-type").is_some_and(|kind| kind.starts_with("application/problem+json"));
    let kind = if is_problem { response.problem(response.status).kind } else { String::new() };
    (response.status, kind.replace("/problems/", ""))
}

/// One that admits to `ada`, and others that don't, with what is said of each.
fn tokens(weir: &Weir, login: &Login) -> (String, Vec<(String, &'static str)>) {
    let revoked = token(weir, login, "ada", HOUR);
    assert_eq!(own(weir, login, "DELETE", "ada/embed-links", None).status, 204);
    let good = token(weir, login, "ada", HOUR);
    let other = token(weir, login, "other", HOUR);
    let expired = token(weir, login, "ada", 1);
    weir_tests::eventually("it expires", SOON, || {
        let read = Request::new("GET", "/api/v1/channels/ada").bearer(&expired).send(weir.http);
        (read.status == 403).then_some(())
    });
    let at = good.len() / 2;
    let instead = if &good[at..=at] == "A" { "B" } else { "A" };
    let changed = format!("{}{instead}{}", &good[..at], &good[at + 1..]);
    let bad = vec![
        (expired, "embed-link-expired"),
        (revoked, "embed-link-invalid"),
        (other, "embed-link-invalid"),
        (changed, "embed-link-invalid"),
        (good[..at].to_owned(), "embed-link-invalid"),
        ("weir_emb_".to_owned(), "embed-link-invalid"),
        (format!("weir_emb_{}", "A".repeat(5000)), "embed-link-invalid"),
    ];
    (good, bad)
}

#[test]
fn the_owner_makes_one_and_nobody_else() {
    let (weir, login) = private();
    let made = link(&weir, &login, "ada", HOUR);
    let token = made["token"].as_str().expect("a token");
    assert!(token.starts_with("weir_emb_") && token.len() < 150, "{token}");
    let base = format!("http://{}", weir.http);
    assert_eq!(made["embedUrl"], format!("{base}/embed/ada?token={token}"));
    assert_eq!(made["chatUrl"], format!("{base}/embed/ada/chat?token={token}"));
    let html = made["html"].as_str().expect("html");
    assert!(html.starts_with(&format!("<iframe src=\"{base}/embed/ada?token={token}\"")), "{html}");
    assert!(made["expiresAt"].is_string());
    for seconds in [json!(0), json!(-1), json!(31_536_001), json!("1"), json!(1.5)] {
        let body = json!({ "expiresInSeconds": seconds });
        let refused = own(&weir, &login, "POST", "ada/embed-links", Some(&body));
        assert_eq!(refused.problem(422).field.as_deref(), Some("expiresInSeconds"), "{seconds}");
    }
    link(&weir, &login, "ada", 31_536_000);

    let body = json!({ "expiresInSeconds": HOUR });
    let ben = chat::account(&weir, "ben");
    let made = weir.same_origin("POST", "/api/v1/channels").header("cookie", ben.cookie.as_str());
    assert_eq!(made.json(&json!({ "name": "bens" })).send(weir.http).status, 201);
    for (method, body) in [("POST", Some(&body)), ("DELETE", None)] {
        let path = "/api/v1/channels/ada/embed-links";
        let mut nobody = Request::new(method, path);
        let mut embedded = Request::new(method, path).bearer(token);
        if let Some(body) = body {
            (nobody, embedded) = (nobody.json(body), embedded.json(body));
        }
        nobody.send(weir.http).problem(401);
        embedded.send(weir.http).problem(401);
        own(&weir, &ben, method, "ada/embed-links", body).problem(404);
        edit(&weir, &login, "ada", &json!({ "visibility": "UNLISTED" }));
        own(&weir, &ben, method, "ada/embed-links", body).problem(403);
        edit(&weir, &login, "ada", &json!({ "visibility": "PRIVATE" }));
    }
    // A program may, with the scope for it.
    for (scope, status) in [("read", 403), ("channel:write", 201)] {
        let body = json!({ "label": "a site", "scopes": [scope] });
        let made = weir.same_origin("POST", "/api/v1/me/tokens").header("cookie", login.cookie.as_str());
        let secret = made.json(&body).send(weir.http).json()["secret"].as_str().expect("a secret").to_owned();
        let asked = Request::new("POST", "/api/v1/channels/ada/embed-links").bearer(&secret);
        assert_eq!(asked.json(&json!({ "expiresInSeconds": HOUR })).send(weir.http).status, status);
    }
}

/// What an embed reads, and what it may not.
const READS: [&str; 5] = ["ada", "ada/state", "ada/embedding", "ada/chat", "ada/chat/messages"];
const NOT_ITS: [(&str, &str); 8] = [
    ("GET", "ada/broadcasts"),
    ("GET", "ada/moderators"),
    ("GET", "ada/chat/silences"),
    ("PATCH", "ada"),
    ("PATCH", "ada/chat"),
    ("POST", "ada/end"),
    ("POST", "ada/stream-key"),
    ("POST", "ada/publish-token"),
];

#[test]
fn it_lets_read_what_a_player_needs_and_nothing_else() {
    let (weir, login) = private();
    let (good, bad) = tokens(&weir, &login);
    let with = |method: &str, path: &str, bearer: Option<&str>| {
        let path = format!("/api/v1/channels/{path}");
        let mut request = Request::new(method, &path);
        if let Some(bearer) = bearer {
            request = request.bearer(bearer);
        }
        outcome(&if method == "GET" { request } else { request.json(&json!({})) }.send(weir.http))
    };
    for path in READS {
        assert_eq!(with("GET", path, None), (404, "unknown-channel".to_owned()), "{path}");
        assert_eq!(with("GET", path, Some(&good)), (200, String::new()), "{path}");
        let elsewhere = path.replace("ada", "other");
        assert_eq!(with("GET", &elsewhere, Some(&good)), (403, "embed-link-invalid".to_owned()));
        let absent = path.replace("ada", "nobody");
        assert_eq!(with("GET", &absent, Some(&good)), (403, "embed-link-invalid".to_owned()));
    }
    for (method, path) in NOT_ITS {
        assert_eq!(with(method, path, Some(&good)), (401, "signed-out".to_owned()), "{method} {path}");
    }
    for (bad, problem) in bad {
        for path in READS {
            // A player must know whom it may tell that it has expired.
            let is_told = path == "ada/embedding" && problem == "embed-link-expired";
            let expected = if is_told { (200, String::new()) } else { (403, problem.to_owned()) };
            assert_eq!(with("GET", path, Some(&bad)), expected, "{path} {bad}");
        }
    }
    // To whoever may see the channel anyway, it makes no difference.
    let both = weir.same_origin("GET", "/api/v1/channels/ada").header("cookie", login.cookie.as_str());
    assert_eq!(both.bearer("weir_emb_x").send(weir.http).status, 200);
    edit(&weir, &login, "ada", &json!({ "visibility": "PUBLIC" }));
    assert_eq!(with("GET", "ada", Some("weir_emb_x")).0, 200);
}

#[test]
fn it_plays_until_it_expires_and_a_session_that_began_goes_on() {
    let (weir, login) = private();
    let _publisher = live(&weir, &login, "ada");
    let (good, bad) = tokens(&weir, &login);
    for (query, bearer) in [("", Some(good.as_str())), (format!("?token={good}").as_str(), None)] {
        let (offering, response) = offer(&weir, "ada", query, bearer);
        assert!(response.header("weir-view").is_some(), "it counts as any other view");
        offering.start(weir.http, &response, bearer, None).more_video(20);
    }
    assert_eq!(outcome(&offer(&weir, "ada", "", None).1), (404, "unknown-channel".to_owned()));
    for (bad, problem) in bad {
        for (query, bearer) in [("", Some(bad.as_str())), (format!("?token={bad}").as_str(), None)] {
            let told = outcome(&offer(&weir, "ada", query, bearer).1);
            assert_eq!(told, (403, problem.to_owned()), "{bad}");
        }
    }
    let short = token(&weir, &login, "ada", 2);
    let (offering, response) = offer(&weir, "ada", "", Some(&short));
    let view = response.header("weir-view").expect("a view").to_owned();
    let viewer = offering.start(weir.http, &response, Some(&short), None);
    viewer.more_video(5);
    weir_tests::eventually("it expires", SOON, || {
        let again = outcome(&offer(&weir, "ada", &format!("?view={view}"), Some(&short)).1);
        (again == (403, "embed-link-expired".to_owned())).then_some(())
    });
    viewer.more_video(30);
    assert_eq!(viewer.leave().status, 200);
}

#[test]
fn revoking_ends_what_was_begun_with_it_and_nothing_else() {
    let (weir, login) = private();
    let _publisher = live(&weir, &login, "ada");
    let good = token(&weir, &login, "ada", HOUR);
    let (offering, response) = offer(&weir, "ada", "", Some(&good));
    let embedded = offering.start(weir.http, &response, Some(&good), None);
    let offering = Offering::to_receive();
    let request = weir.same_origin("POST", "/whep/ada").header("cookie", login.cookie.as_str());
    let response = request.body(SDP, offering.sdp.as_str()).send(weir.http);
    let owner = offering.start(weir.http, &response, None, None);
    embedded.more_video(5);
    owner.more_video(5);
    let viewers = |count: u64| {
        weir_tests::eventually(&format!("{count} watch"), SOON, || {
            let state = own(&weir, &login, "GET", "ada/state", None).json();
            (state["viewerCount"] == count).then_some(())
        });
    };
    viewers(2);
    let mut events = Events::open(weir.http);
    let payload = json!({ "channel": "ada", "token": good });
    events.send(&json!({ "event": "channel:stream_state:v1:requested", "id": "s", "payload": payload }));
    events.until("the state", SOON, |message| message["event"] == "channel:stream_state:v1:stream");
    events.send(&json!({ "event": "chat:stream_messages:v1:requested", "id": "c", "payload": payload }));
    events.until("the chat", SOON, |message| message["event"] == "chat:stream_messages:v1:started");

    assert_eq!(own(&weir, &login, "DELETE", "ada/embed-links", None).status, 204);
    weir_tests::eventually("its session is over", SOON, || {
        let patch =
            embedded.request("PATCH").header("if-match", "*").body(weir_tests::peer::FRAGMENT, "a=mid:0\r\n");
        (patch.send(weir.http).status == 404).then_some(())
    });
    viewers(1);
    let mut failed: Vec<String> = (0..2)
        .map(|_| {
            let over = events.until("the end", SOON, |message| {
                message["event"].as_str().is_some_and(|event| event.ends_with(":failed"))
            });
            assert_eq!(over["payload"]["type"], "/problems/embed-link-invalid", "{over}");
            over["id"].as_str().expect("an id").to_owned()
        })
        .collect();
    failed.sort();
    assert_eq!(failed, ["c", "s"]);
    owner.more_video(60);
    assert_eq!(outcome(&offer(&weir, "ada", "", Some(&good)).1), (403, "embed-link-invalid".to_owned()));
    let new = token(&weir, &login, "ada", HOUR);
    assert_eq!(offer(&weir, "ada", "", Some(&new)).1.status, 201);
}

#[test]
fn it_outlives_the_server_and_is_in_no_log() {
    let (mut weir, login) = private();
    let good = token(&weir, &login, "ada", HOUR);
    let read = |weir: &Weir| {
        let page = format!("/embed/ada?token={good}");
        assert_eq!(Request::new("GET", &page).send(weir.http).status, 200);
        Request::new("GET", "/api/v1/channels/ada").bearer(&good).send(weir.http).status
    };
    assert_eq!(read(&weir), 200);
    weir.crash();
    weir.start_again();
    assert_eq!(read(&weir), 200);
    let _publisher = live(&weir, &login, "ada");
    let (offering, response) = offer(&weir, "ada", &format!("?token={good}"), None);
    offering.start(weir.http, &response, None, None).more_video(5);
    assert!(!weir.console().contains(&good) && !weir.console().contains("weir_emb_"));
    let metrics = Request::new("GET", "/metrics").send(weir.http).text();
    assert!(!metrics.contains("weir_emb_"));
}

fn follow(weir: &Weir, topic: &str, payload: &Value) -> (String, Value) {
    let mut events = Events::open(weir.http);
    events.send(&json!({ "event": format!("{topic}:requested"), "id": "a", "payload": payload }));
    let first = events.until("an answer", SOON, |message| message["id"] == "a");
    let phase = first["event"].as_str().expect("an event").rsplit(':').next().expect("a phase").to_owned();
    (phase, first["payload"]["type"].clone())
}

#[test]
fn the_event_socket_s_topics_of_its_channel_are_open_to_it() {
    let (weir, login) = private();
    let (good, bad) = tokens(&weir, &login);
    let topics = [
        "channel:stream_state:v1",
        "channel:stream_events:v1",
        "media:stream_rooms:v1",
        "chat:stream_messages:v1",
    ];
    for topic in topics {
        let payload = |token: &str| json!({ "channel": "ada", "token": token });
        assert_eq!(follow(&weir, topic, &payload(&good)).0, "started", "{topic}");
        let nobody = follow(&weir, topic, &json!({ "channel": "ada" }));
        assert_eq!(nobody, ("failed".to_owned(), json!("/problems/unknown-channel")), "{topic}");
        for (bad, problem) in &bad {
            let told = follow(&weir, topic, &payload(bad));
            assert_eq!(told, ("failed".to_owned(), json!(format!("/problems/{problem}"))), "{topic} {bad}");
        }
        let elsewhere = follow(&weir, topic, &json!({ "channel": "other", "token": good }));
        assert_eq!(elsewhere.1, json!("/problems/embed-link-invalid"), "{topic}");
    }
    for topic in ["channel:stream_analytics:v1", "media:stream_webrtc:v1", "media:stream_peers:v1"] {
        let told = follow(&weir, topic, &json!({ "channel": "ada", "token": good }));
        assert_eq!(told, ("failed".to_owned(), json!("/problems/signed-out")), "{topic}");
    }
}

#[test]
fn guests_write_where_the_room_admits_them() {
    let (weir, login) = private();
    let (good, bad) = tokens(&weir, &login);
    let ben = chat::guest(weir.http, "Ben");
    let write = |bearer: Option<&str>, guest: bool| {
        let mut request = Request::new("POST", "/api/v1/channels/ada/chat/messages");
        if let Some(bearer) = bearer {
            request = request.bearer(bearer);
        }
        if guest {
            request = request.header("weir-guest", ben.token.as_str());
        }
        outcome(&request.json(&json!({ "text": "Hello" })).send(weir.http))
    };
    assert_eq!(write(None, true), (404, "unknown-channel".to_owned()));
    assert_eq!(write(Some(&good), false), (401, "signed-out".to_owned()));
    assert_eq!(write(Some(&good), true).0, 201);
    let mut events = Events::open(weir.http);
    let payload = json!({ "channel": "ada", "text": "Hello again", "guest": ben.token, "token": good });
    events.send(&json!({ "event": "chat:send_message:v1:requested", "id": "m", "payload": payload }));
    events.until("it is on disk", SOON, |message| message["event"] == "chat:send_message:v1:success");
    let mut without = payload.clone();
    without["token"] = Value::Null;
    events.send(&json!({ "event": "chat:send_message:v1:requested", "id": "n", "payload": without }));
    events.until("it is refused", SOON, |message| message["event"] == "chat:send_message:v1:failed");
    for (bad, problem) in bad {
        assert_eq!(write(Some(&bad), true), (403, problem.to_owned()));
    }
    // No more than a guest: what others wrote stays, and the room's rules hold.
    let said = chat::say(weir.http, "ada", By::Login(&login), "Welcome").json();
    let path = format!("/api/v1/channels/ada/chat/messages/{}", said["id"].as_str().expect("an id"));
    let delete = Request::new("DELETE", &path).bearer(&good).header("weir-guest", ben.token.as_str());
    assert_eq!(delete.send(weir.http).status, 403);
    let closed = own(&weir, &login, "PATCH", "ada/chat", Some(&json!({ "guests": false })));
    assert_eq!(closed.status, 200);
    assert_eq!(write(Some(&good), true), (403, "guests-off".to_owned()));
}

#[test]
fn what_follows_on_a_connection_goes_on_after_it_expired() {
    let (weir, login) = private();
    let short = token(&weir, &login, "ada", 2);
    let ben = chat::guest(weir.http, "Ben");
    let mut events = Events::open(weir.http);
    let payload = json!({ "channel": "ada", "token": short });
    events.send(&json!({ "event": "chat:stream_messages:v1:requested", "id": "c", "payload": payload }));
    events.until("the chat", SOON, |message| message["event"] == "chat:stream_messages:v1:started");
    weir_tests::eventually("it expires", SOON, || {
        (follow(&weir, "channel:stream_state:v1", &payload).0 == "failed").then_some(())
    });
    let mut message = json!({ "channel": "ada", "text": "Still here", "guest": ben.token, "token": short });
    events.send(&json!({ "event": "chat:send_message:v1:requested", "id": "m", "payload": message }));
    events.until("it is told", SOON, |told| {
        told["event"] == "chat:stream_messages:v1:stream" && told.to_string().contains("Still here")
    });
    // An edit makes followers be asked again.
    edit(&weir, &login, "ada", &json!({ "title": "Late" }));
    assert_eq!(chat::say(weir.http, "ada", By::Login(&login), "Welcome").status, 201);
    events.until("it goes on", SOON, |told| told.to_string().contains("Welcome"));
    message["token"] = json!(format!("{short}x"));
    events.send(&json!({ "event": "chat:send_message:v1:requested", "id": "n", "payload": message }));
    let refused = events
        .until("another", SOON, |told| told["id"] == "n" && told["event"] != "chat:send_message:v1:started");
    assert_eq!(refused["payload"]["type"], "/problems/embed-link-invalid");
}

/// Status, who may show it, and what becomes of the address.
fn page(weir: &Weir, path: &str, cookie: Option<&str>) -> (u16, String, [Option<String>; 3]) {
    let mut request = Request::new("GET", path).header("accept", "text/html");
    if let Some(cookie) = cookie {
        request = request.header("cookie", cookie);
    }
    let page = request.send(weir.http);
    let policy = page.header("content-security-policy").expect("a policy");
    let ancestors = policy.rsplit_once("frame-ancestors ").expect("who may show it").1.to_owned();
    let header = |name: &str| page.header(name).map(str::to_owned);
    (page.status, ancestors, [header("cache-control"), header("referrer-policy"), header("etag")])
}

#[test]
fn its_pages_are_shown_where_the_channel_s_rule_says() {
    let (weir, login) = private();
    let secret = [Some("no-store".to_owned()), Some("no-referrer".to_owned()), None];
    let (good, bad) = tokens(&weir, &login);
    let rules = [
        (json!({ "allow": "anywhere" }), "*"),
        (json!({ "allow": "sites", "sites": ["https://a.example"] }), "'self' https://a.example"),
        (json!({ "allow": "nowhere" }), "'self'"),
    ];
    for (rule, ancestors) in rules {
        edit(&weir, &login, "ada", &json!({ "embedding": rule }));
        for place in ["", "/chat"] {
            let of = |channel: &str, token: &str| format!("/embed/{channel}{place}?muted=1&token={token}");
            assert_eq!(page(&weir, &of("ada", &good), None), (200, ancestors.to_owned(), secret.clone()));
            assert_eq!(page(&weir, &format!("/embed/ada{place}"), None).0, 404);
            for (bad, problem) in &bad {
                let told = page(&weir, &of("ada", bad), None);
                if *problem == "embed-link-expired" {
                    assert_eq!(told, (403, ancestors.to_owned(), secret.clone()));
                    continue;
                }
                // It says why on any page, and no more than where there is no channel.
                assert_eq!(told, (403, "*".to_owned(), secret.clone()));
                for absent in ["nobody", "not%20a%20name", "a"] {
                    assert_eq!(page(&weir, &of(absent, bad), None), told);
                }
                let signed_in = page(&weir, &of("ada", bad), Some(&login.cookie));
                assert_eq!((signed_in.0, signed_in.1.as_str()), (403, "'self'"));
            }
        }
    }
    edit(&weir, &login, "ada", &json!({ "visibility": "PUBLIC" }));
    assert_eq!(page(&weir, "/embed/ada?token=weir_emb_x", None), (200, "'self'".to_owned(), secret));
}

#[test]
fn oembed_answers_to_whoever_has_one() {
    let (weir, login) = private();
    let base = format!("http://{}", weir.http);
    let ask = |url: &str| {
        let url = url.replace('?', "%3F").replace('=', "%3D");
        Request::new("GET", &format!("/oembed?url={url}")).send(weir.http)
    };
    let (good, bad) = tokens(&weir, &login);
    let url = format!("{base}/embed/ada?token={good}");
    let answer = ask(&url);
    assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")), "{}", answer.text());
    let answer = answer.json();
    assert!(answer["html"].as_str().expect("html").contains(&format!("src=\"{url}\"")), "{answer}");
    assert_eq!(answer["cache_age"], 300);
    let brief = token(&weir, &login, "ada", 60);
    let age = ask(&format!("{base}/embed/ada?token={brief}")).json()["cache_age"].as_u64();
    assert!(age.is_some_and(|age| age <= 60), "{age:?}");
    let absent = outcome(&ask(&format!("{base}/embed/nobody?token={good}")));
    assert_eq!(absent, (404, "unknown-channel".to_owned()));
    assert_eq!(outcome(&ask(&format!("{base}/embed/ada"))), absent);
    for (bad, _) in bad {
        assert_eq!(outcome(&ask(&format!("{base}/embed/ada?token={bad}"))), absent, "{bad}");
    }
    edit(&weir, &login, "ada", &json!({ "embedding": { "allow": "nowhere" } }));
    ask(&url).problem(403);
    edit(&weir, &login, "ada", &json!({ "visibility": "PUBLIC", "embedding": { "allow": "anywhere" } }));
    let open = ask(&url);
    assert!(!open.text().contains(&good), "whoever may see it needs none");
    assert!(open.header("cache-control").is_some_and(|caching| caching.contains("max-age=300")));
}
