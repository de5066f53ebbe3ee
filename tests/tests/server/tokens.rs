//! API tokens: what a program may do with one, and what not.

use crate::notifications::in_database;
use serde_json::{Value, json};
use weir_tests::{
    events,
    http::{Request, Response},
    server::{Login, Weir},
};

fn as_person(weir: &Weir, login: &Login, method: &str, path: &str, body: Option<&Value>) -> Response {
    let request = weir.same_origin(method, path).header("cookie", login.cookie.as_str());
    match body {
        Some(body) => request.json(body).send(weir.http),
        None => request.send(weir.http),
    }
}

fn as_program(weir: &Weir, secret: &str, method: &str, path: &str, body: Option<&Value>) -> Response {
    let request = Request::new(method, path).bearer(secret);
    match body {
        Some(body) => request.json(body).send(weir.http),
        None => request.send(weir.http),
    }
}

/// A token with these scopes: its id and its secret.
fn token(weir: &Weir, login: &Login, scopes: &[&str]) -> (String, String) {
    let body = json!({ "label": "a test", "scopes": scopes });
    let made = as_person(weir, login, "POST", "/api/v1/me/tokens", Some(&body));
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    (text(&made["token"]["id"]), text(&made["secret"]))
}

#[test]
fn a_program_does_what_its_token_s_scopes_say() {
    let weir = Weir::start();
    let login = weir.set_up("ada");
    let (_, reads) = token(&weir, &login, &["read"]);
    let (_, writes) = token(&weir, &login, &["channel:write"]);
    let title = |title: &str| json!({ "title": title });

    assert_eq!(as_program(&weir, &reads, "GET", "/api/v1/me", None).json()["name"], "ada");
    let edit = as_program(&weir, &writes, "PATCH", "/api/v1/channels/ada", Some(&title("by a program")));
    assert_eq!(edit.json()["title"], "by a program");

    let refused = as_program(&weir, &reads, "PATCH", "/api/v1/channels/ada", Some(&title("no")));
    let challenge = refused.header("www-authenticate").expect("a challenge");
    assert!(
        challenge.contains("insufficient_scope") && challenge.contains("scope=\"channel:write\""),
        "{challenge}"
    );
    let problem = refused.problem(403);
    assert_eq!(problem.kind, "/problems/missing-scope");
    assert!(problem.detail.contains("channel:write"), "{}", problem.detail);
    let refused = as_program(&weir, &writes, "GET", "/api/v1/me", None).problem(403);
    assert!(refused.detail.contains("read"), "{}", refused.detail);

    // What is private is seen with the scope for reading alone; what is public by everybody.
    let private = json!({ "visibility": "PRIVATE" });
    assert_eq!(as_program(&weir, &writes, "PATCH", "/api/v1/channels/ada", Some(&private)).status, 200);
    assert_eq!(as_program(&weir, &reads, "GET", "/api/v1/channels/ada", None).status, 200);
    as_program(&weir, &writes, "GET", "/api/v1/channels/ada", None).problem(404);
    assert_eq!(as_program(&weir, &writes, "GET", "/api/v1/instance", None).status, 200);
}

#[test]
fn a_program_can_t_give_itself_more() {
    let weir = Weir::start();
    let login = weir.set_up("ada");
    let (id, all) = token(&weir, &login, &["read", "chat:write", "chat:moderate", "channel:write"]);
    let more = json!({ "label": "more", "scopes": ["read"] });
    let logins = as_person(&weir, &login, "GET", "/api/v1/me/logins", None).json();
    let login_path = format!("/api/v1/me/logins/{}", logins["items"][0]["id"].as_str().expect("an id"));
    let token_path = format!("/api/v1/me/tokens/{id}");
    for (method, path, body) in [
        ("POST", "/api/v1/me/tokens", Some(&more)),
        ("DELETE", token_path.as_str(), None),
        ("DELETE", login_path.as_str(), None),
        ("POST", "/api/v1/logout", Some(&json!({}))),
    ] {
        let problem = as_program(&weir, &all, method, path, body).problem(403);
        assert_eq!(problem.kind, "/problems/login-needed", "{method} {path}");
    }
    assert_eq!(as_person(&weir, &login, "GET", "/api/v1/me", None).status, 200, "the login goes on");
}

#[test]
fn a_token_ends_when_it_is_revoked_and_never_shows_again() {
    let mut weir = Weir::start();
    let login = weir.set_up("ada");
    let (id, secret) = token(&weir, &login, &["read"]);
    assert!(secret.starts_with("weir_api_"));
    let me = |weir: &Weir| as_program(weir, &secret, "GET", "/api/v1/me", None);
    assert_eq!(me(&weir).status, 200);
    weir.crash();
    weir.start_again();
    assert_eq!(me(&weir).status, 200, "a token outlives the server");

    let list = as_person(&weir, &login, "GET", "/api/v1/me/tokens", None);
    assert!(!list.text().contains(&secret) && !list.text().contains("secret"), "{}", list.text());
    let listed = &list.json()["items"][0];
    assert_eq!((&listed["label"], &listed["scopes"]), (&json!("a test"), &json!(["read"])));
    assert!(listed["lastUsedAt"].is_string() && listed["expiresAt"].is_null(), "{listed}");

    let path = format!("/api/v1/me/tokens/{id}");
    assert_eq!(as_person(&weir, &login, "DELETE", &path, None).status, 204);
    as_person(&weir, &login, "DELETE", &path, None).problem(404);
    let refused = me(&weir);
    let challenge = refused.header("www-authenticate").expect("a challenge").to_owned();
    assert!(challenge.starts_with("Bearer") && challenge.contains("invalid_token"), "{challenge}");
    assert_eq!(refused.problem(401).kind, "/problems/wrong-token");

    let data = std::fs::read_dir(weir.data()).expect("the data directory");
    for file in data.flatten().filter(|file| file.path().is_file()) {
        let bytes = std::fs::read(file.path()).expect("a file");
        let is_there = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!is_there, "the secret is in {}", file.path().display());
    }
    assert!(!weir.console().contains(&secret));
}

#[test]
fn whatever_is_no_token_is_refused_and_never_nobody() {
    let weir = Weir::start();
    let login = weir.set_up("ada");
    let long = "x".repeat(5000);
    let almost = format!("weir_api_{}", "A".repeat(43));
    for bad in ["x", "weir_api_", "weir_key_abc", almost.as_str(), long.as_str(), "' OR 1=1 --"] {
        for path in ["/api/v1/me", "/api/v1/channels", "/api/v1/channels/ada"] {
            let response = as_program(&weir, bad, "GET", path, None);
            // The directory belongs to nobody, and asks nobody.
            if path != "/api/v1/channels" {
                assert!(response.header("www-authenticate").is_some(), "{path}");
                response.problem(401);
            }
        }
        let origin = format!("http://{}", weir.http);
        let bearer = format!("Bearer {bad}");
        assert_eq!(
            events::open_with(weir.http, &[("origin", &origin), ("authorization", &bearer)]).err(),
            Some(401)
        );
    }
    // A proxy's own Bearer beside a cookie doesn't sign anybody out; a wrong one of ours does not fall back to the cookie.
    let both = |bearer: &str| {
        Request::new("GET", "/api/v1/me")
            .header("cookie", login.cookie.as_str())
            .bearer(bearer)
            .send(weir.http)
            .status
    };
    assert_eq!((both("eyJhbGciOi"), both(&almost)), (200, 401));
}

#[test]
fn what_a_token_is_made_of_is_checked() {
    let weir = Weir::start();
    let login = weir.set_up("ada");
    let make = |body: Value| as_person(&weir, &login, "POST", "/api/v1/me/tokens", Some(&body));
    for (body, field) in [
        (json!({ "label": "x", "scopes": [] }), "scopes"),
        (json!({ "label": "x", "scopes": ["admin"] }), "scopes"),
        (json!({ "label": "", "scopes": ["read"] }), "label"),
        (json!({ "label": "x".repeat(61), "scopes": ["read"] }), "label"),
        (json!({ "label": "x", "scopes": ["read"], "days": 0 }), "days"),
        (json!({ "label": "x", "scopes": ["read"], "days": 3651 }), "days"),
        (json!({ "label": "x", "scopes": ["read"], "owner": "bob" }), "owner"),
    ] {
        assert_eq!(make(body.clone()).problem(422).field.as_deref(), Some(field), "{body}");
    }
    let made = make(json!({ "label": "x", "scopes": ["read", "read"], "days": 1 })).json();
    assert_eq!(made["token"]["scopes"], json!(["read"]));
    assert!(made["token"]["expiresAt"].is_string());
    for _ in 1..50 {
        assert_eq!(make(json!({ "label": "x", "scopes": ["read"] })).status, 201);
    }
    assert_eq!(
        make(json!({ "label": "x", "scopes": ["read"] })).problem(409).kind,
        "/problems/too-many-tokens"
    );
}

#[test]
fn lists_come_in_pages() {
    let weir = Weir::start();
    let login = weir.set_up("ada");
    let mut made: Vec<String> = (0..7).map(|_| token(&weir, &login, &["read"]).0).collect();
    // The newest first; of one millisecond, by the rest of their ids.
    made.sort();
    made.reverse();
    let mut seen = Vec::new();
    let mut path = "/api/v1/me/tokens?limit=3".to_owned();
    let mut sizes = Vec::new();
    loop {
        let page = as_person(&weir, &login, "GET", &path, None).json();
        let items = page["items"].as_array().expect("items");
        sizes.push(items.len());
        seen.extend(items.iter().map(|item| item["id"].as_str().expect("an id").to_owned()));
        // One that is made meanwhile moves nothing.
        token(&weir, &login, &["read"]);
        match page["next"].as_str() {
            Some(next) => path = format!("/api/v1/me/tokens?limit=3&cursor={next}"),
            None => break,
        }
    }
    assert_eq!((seen, sizes), (made, vec![3, 3, 1]));
    for (query, field) in
        [("cursor=x", "cursor"), ("cursor=", "cursor"), ("limit=many", "limit"), ("page=2", "page")]
    {
        for list in ["me/tokens", "me/logins"] {
            let problem =
                as_person(&weir, &login, "GET", &format!("/api/v1/{list}?{query}"), None).problem(400);
            assert_eq!(
                (problem.kind.as_str(), problem.field.as_deref()),
                ("/problems/invalid-query", Some(field))
            );
        }
    }
}

#[test]
fn a_program_follows_events_with_its_token() {
    let weir = Weir::start();
    let login = weir.set_up("ada");
    let private = json!({ "visibility": "PRIVATE" });
    assert_eq!(as_person(&weir, &login, "PATCH", "/api/v1/channels/ada", Some(&private)).status, 200);
    let first_answer = |secret: &str| {
        let bearer = format!("Bearer {secret}");
        let mut events =
            events::open_with(weir.http, &[("authorization", &bearer)]).expect("the event socket");
        events.request("media:stream_webrtc:v1", "a", Some("ada"));
        events.next(crate::SOON).expect("an answer")
    };
    let (_, reads) = token(&weir, &login, &["read"]);
    assert_eq!(first_answer(&reads)["event"], "media:stream_webrtc:v1:started");
    let (_, chats) = token(&weir, &login, &["chat:write"]);
    let refused = first_answer(&chats);
    assert_eq!(refused["event"], "media:stream_webrtc:v1:failed");
    assert_eq!(refused["payload"]["type"], "/problems/missing-scope");
}

#[test]
fn a_token_that_runs_the_instance_is_for_those_who_do_and_show_that_it_is_they() {
    let weir = Weir::start();
    let ada = weir.set_up("ada");
    let open = json!({ "signUp": "open" });
    assert_eq!(as_person(&weir, &ada, "PATCH", "/api/v1/instance/settings", Some(&open)).status, 200);
    let join = json!({ "name": "ben", "displayName": "Ben", "password": "correct horse battery" });
    let ben = Login::from_response(&weir.same_origin("POST", "/api/v1/sign-up").json(&join).send(weir.http));
    let make = |who: &Login, scopes: &[&str], password: Option<&str>| {
        let mut body = json!({ "label": "a test", "scopes": scopes });
        if let Some(password) = password {
            body["password"] = json!(password);
        }
        as_person(&weir, who, "POST", "/api/v1/me/tokens", Some(&body))
    };
    for scope in ["instance:read", "instance:manage"] {
        // It would wait for the day that its owner helps to run the instance.
        assert_eq!(make(&ben, &["read", scope], None).problem(403).kind, "/problems/not-yours");
        assert_eq!(make(&ada, &["read", scope], None).status, 201, "she signed in just now");
    }
    assert_eq!(make(&ben, &["read"], None).status, 201);

    in_database(&weir, "UPDATE logins SET created_at = created_at - 3600000");
    for scope in ["instance:read", "instance:manage"] {
        let needed = make(&ada, &[scope], None).problem(422);
        assert_eq!(
            (needed.kind.as_str(), needed.field.as_deref()),
            ("/problems/password-needed", Some("password"))
        );
        let wrong = make(&ada, &[scope], Some("wrong horse battery")).problem(422);
        assert_eq!(wrong.field.as_deref(), Some("password"));
        assert_eq!(make(&ada, &[scope], Some("correct horse battery")).status, 201);
    }
    assert_eq!(make(&ada, &["read", "channel:write"], None).status, 201, "what is hers alone needs none");
    let tokens = as_person(&weir, &ada, "GET", "/api/v1/me/tokens", None);
    assert!(!tokens.text().contains("horse") && tokens.json()["items"].as_array().map(Vec::len) == Some(5));
}
