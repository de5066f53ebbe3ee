//! The owner, logins, and what may change without a person's will: nothing.

use crate::SOON;
use serde_json::{Value, json};
use weir_tests::{
    chat,
    http::{Request, Response},
    peer::{Offering, Peer, Source, post_whip},
    server::{Login, Weir},
};

const PASSWORD: &str = "correct horse battery";

fn sign_in(weir: &Weir, name: &str, password: &str) -> Response {
    weir.same_origin("POST", "/api/v1/login")
        .json(&json!({ "name": name, "password": password }))
        .send(weir.http)
}

fn me(weir: &Weir, login: &Login) -> Response {
    Request::new("GET", "/api/v1/me").header("cookie", login.cookie.as_str()).send(weir.http)
}

fn patch(weir: &Weir, login: &Login, channel: &str, change: &Value) -> Response {
    weir.same_origin("PATCH", &format!("/api/v1/channels/{channel}"))
        .header("cookie", login.cookie.as_str())
        .json(change)
        .send(weir.http)
}

#[test]
fn the_set_up_link_works_once() {
    let weir = Weir::start();
    let instance = Request::new("GET", "/api/v1/instance").send(weir.http).json();
    assert_eq!(instance["needsSetUp"], true);
    let token = weir.set_up_token();
    let body = |token: &str| json!({ "token": token, "name": "ada", "displayName": "Ada", "password": PASSWORD, "channel": "ada" });
    let post = |body: &Value| weir.same_origin("POST", "/api/v1/setup").json(body).send(weir.http);
    let wrong = post(&body("wrong"));
    assert!(matches!(wrong.status, 401 | 403), "{}", wrong.text());
    wrong.problem(wrong.status);
    let made = post(&body(&token));
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(made.json()["role"], "owner");
    assert_eq!(made.json()["channels"][0]["name"], "ada");
    let cookie = made.header("set-cookie").expect("a cookie");
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    let again = post(&body(&token));
    assert!((400..500).contains(&again.status), "{}", again.text());
    let instance = Request::new("GET", "/api/v1/instance").send(weir.http).json();
    assert_eq!(instance["needsSetUp"], false);
    assert_eq!(me(&weir, &Login::from_response(&made)).status, 200);
    assert!(!weir.console().contains(PASSWORD));
}

#[test]
fn signing_in_and_out() {
    let weir = Weir::start();
    weir.set_up("ada");
    Request::new("GET", "/api/v1/me").send(weir.http).problem(401);
    for (name, password) in [("ada", "wrong horse battery"), ("nobody", PASSWORD), ("ada", "")] {
        let response = sign_in(&weir, name, password);
        assert!(matches!(response.status, 400 | 401 | 422), "{name}: {}", response.text());
        assert!(response.header("set-cookie").is_none());
    }
    let response = sign_in(&weir, "ADA", PASSWORD);
    assert_eq!(response.status, 200, "{}", response.text());
    let login = Login::from_response(&response);
    assert_eq!(me(&weir, &login).json()["name"], "ada");
    let out =
        weir.same_origin("POST", "/api/v1/logout").header("cookie", login.cookie.as_str()).json(&json!({}));
    assert_eq!(out.send(weir.http).status, 204);
    me(&weir, &login).problem(401);
}

#[test]
fn a_login_that_somebody_planted_becomes_nobody_s() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let eve = chat::account(&weir, "eve");
    let name = eve.cookie.split('=').next().expect("a name").to_owned();
    let invented = format!("{name}={}", "A".repeat(43));
    // Whoever signs in gets a login of their own, whatever their browser brought along.
    for planted in [eve.cookie.as_str(), &invented, &format!("{invented}; {}", eve.cookie)] {
        let response = weir
            .same_origin("POST", "/api/v1/login")
            .header("cookie", planted)
            .json(&json!({ "name": "ada", "password": PASSWORD }))
            .send(weir.http);
        assert_eq!(response.status, 200, "{}", response.text());
        let fresh = Login::from_response(&response);
        assert!(!planted.contains(&fresh.cookie) && fresh.cookie != owner.cookie);
        assert_eq!(me(&weir, &fresh).json()["name"], "ada");
    }
    assert_eq!(me(&weir, &eve).json()["name"], "eve", "what was planted is who it was");
    assert_eq!(me(&weir, &Login { cookie: invented }).status, 401);
    // Nor does an address carry one.
    for query in [eve.cookie.clone(), format!("login={}", eve.cookie)] {
        let response = Request::new("GET", &format!("/api/v1/me?{query}")).send(weir.http);
        assert_eq!(response.status, 401, "{}", response.text());
    }
}

#[test]
fn logins_are_listed_and_revoked() {
    let weir = Weir::start();
    let first = weir.set_up("ada");
    let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0";
    let body = json!({ "name": "ada", "password": PASSWORD });
    let response =
        weir.same_origin("POST", "/api/v1/login").header("user-agent", agent).json(&body).send(weir.http);
    let second = Login::from_response(&response);
    let list = |login: &Login| {
        Request::new("GET", "/api/v1/me/logins").header("cookie", login.cookie.as_str()).send(weir.http)
    };
    let logins = list(&second).json();
    let logins = logins["items"].as_array().expect("a list");
    assert_eq!(logins.len(), 2);
    assert_eq!((&logins[0]["current"], &logins[1]["current"]), (&json!(true), &json!(false)), "newest first");
    assert!(logins[0]["device"].as_str().expect("a device").contains("Firefox"), "{}", logins[0]);
    let id = logins[1]["id"].as_str().expect("an id");
    let path = format!("/api/v1/me/logins/{id}");
    let revoke =
        || weir.same_origin("DELETE", &path).header("cookie", second.cookie.as_str()).send(weir.http);
    assert_eq!(revoke().status, 204);
    me(&weir, &first).problem(401);
    assert_eq!(me(&weir, &second).status, 200);
    assert_eq!(list(&second).json()["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(revoke().status, 404);
}

#[test]
fn another_site_cannot_act_for_a_person() {
    let weir = Weir::start();
    let login = weir.set_up("ada");
    let cookie = login.cookie.as_str();
    let change = json!({ "title": "taken over" }).to_string();
    let foreign = [
        [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")],
        [("origin", "https://evil.example"), ("x-nothing", "")],
        [("origin", "null"), ("sec-fetch-site", "cross-site")],
        [("x-nothing", ""), ("sec-fetch-site", "cross-site")],
        [("x-nothing", ""), ("sec-fetch-site", "same-site")],
    ];
    for headers in foreign {
        let mut request = Request::new("PATCH", "/api/v1/channels/ada").header("cookie", cookie);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.body("application/json", change.as_str()).send(weir.http).problem(403);
        let mut request = Request::new("POST", "/api/v1/logout").header("cookie", cookie);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.body("application/json", "{}").send(weir.http).problem(403);
    }
    // A form of another page can send these types without asking.
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        let request = weir.same_origin("PATCH", "/api/v1/channels/ada").header("cookie", cookie);
        let status = request.body(kind, change.as_str()).send(weir.http).status;
        assert_eq!(status, 415, "{kind}");
    }
    let channel = Request::new("GET", "/api/v1/channels/ada").send(weir.http).json();
    assert_ne!(channel["title"], "taken over");
    assert_eq!(me(&weir, &login).status, 200);
}

#[test]
fn nobody_else_touches_a_channel() {
    let weir = Weir::start();
    let login = weir.set_up("ada");
    let stranger = Login { cookie: "weir=nonsense".to_owned() };
    for (method, path) in [
        ("PATCH", "/api/v1/channels/ada"),
        ("POST", "/api/v1/channels"),
        ("POST", "/api/v1/channels/ada/stream-key"),
        ("POST", "/api/v1/channels/ada/publish-token"),
        ("POST", "/api/v1/channels/ada/end"),
    ] {
        for cookie in [None, Some(&stranger.cookie)] {
            let mut request = weir.same_origin(method, path).json(&json!({ "title": "x", "name": "other" }));
            if let Some(cookie) = cookie {
                request = request.header("cookie", cookie.as_str());
            }
            let response = request.send(weir.http);
            assert!(matches!(response.status, 400 | 401 | 422), "{method} {path}: {}", response.status);
        }
        let response = weir.same_origin(method, path).json(&json!({})).send(weir.http);
        assert!((400..500).contains(&response.status));
    }
    // A channel made from the shell belongs to nobody who signs in by the web unless it is theirs.
    assert_eq!(me(&weir, &login).json()["channels"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_new_key_ends_what_the_old_one_began() {
    let weir = Weir::start();
    let login = weir.set_up("ada");
    let rotate = || {
        let request = weir.same_origin("POST", "/api/v1/channels/ada/stream-key").json(&json!({}));
        let response = request.header("cookie", login.cookie.as_str()).send(weir.http);
        assert!(matches!(response.status, 200 | 201), "{}", response.text());
        response.json()
    };
    let first = rotate();
    let key = first["streamKey"].as_str().expect("a key").to_owned();
    assert!(key.len() >= 43, "256 bits take 43 letters: {}", key.len());
    assert!(first["whipUrl"].as_str().is_some_and(|url| url.contains("/whip")), "{first}");
    let publisher = Peer::publish(weir.http, "ada", &key, Source::new(1));
    weir.until_state("ada", "live", SOON);
    let second = rotate();
    assert_ne!(second["streamKey"], first["streamKey"]);
    publisher.until("its end", SOON, |seen| seen.closed.then_some(()));
    weir_tests::eventually("not live", SOON, || (weir.state("ada")["state"] != "live").then_some(()));
    let refused = post_whip(weir.http, "/whip/ada", &key, &Offering::to_send().sdp);
    assert!(matches!(refused.status, 401 | 403), "{}", refused.status);
    let key = second["streamKey"].as_str().expect("a key");
    assert_eq!(post_whip(weir.http, "/whip/ada", key, &Offering::to_send().sdp).status, 201);
    assert!(!weir.console().contains(key));
}

#[test]
fn the_studio_publishes_with_a_token_and_ends() {
    let weir = Weir::start();
    let login = weir.set_up("ada");
    let request = weir.same_origin("POST", "/api/v1/channels/ada/publish-token").json(&json!({}));
    let response = request.header("cookie", login.cookie.as_str()).send(weir.http);
    assert_eq!(response.status, 201, "{}", response.text());
    let token = response.json()["token"].as_str().expect("a token").to_owned();
    assert!(response.json()["expiresAt"].is_string());
    let publisher = Peer::publish(weir.http, "ada", &token, Source::new(1));
    weir.until_state("ada", "live", SOON);
    let viewer = Peer::watch(weir.http, "ada");
    viewer.more_video(10);
    let end = weir.same_origin("POST", "/api/v1/channels/ada/end").header("cookie", login.cookie.as_str());
    assert_eq!(end.json(&json!({})).send(weir.http).status, 204);
    weir.until_state("ada", "ended", std::time::Duration::from_secs(3));
    publisher.until("its end", SOON, |seen| seen.closed.then_some(()));
}

#[test]
fn texts_are_kept_as_they_are_or_refused_with_the_field_s_name() {
    let mut weir = Weir::start();
    let login = weir.set_up("ada");
    let html = "<img src=x onerror=alert(1)>&amp;\"'<script>";
    let change = json!({
        "title": html, "description": html, "displayName": "<b>Ada</b>", "category": "<i>x</i>", "tags": ["<u>a</u>"],
    });
    let response = patch(&weir, &login, "ada", &change);
    assert_eq!(response.status, 200, "{}", response.text());
    let channel = Request::new("GET", "/api/v1/channels/ada").send(weir.http);
    assert!(channel.header("content-type").is_some_and(|kind| kind.starts_with("application/json")));
    let channel = channel.json();
    for field in ["title", "description", "displayName", "category", "tags"] {
        assert_eq!(channel[field], change[field], "{field}");
    }
    let long = "x".repeat(5000);
    let many: Vec<_> = (0..50).map(|i| format!("tag {i}")).collect();
    for (field, value) in [
        ("title", json!(long)),
        ("description", json!(long)),
        ("displayName", json!("")),
        ("category", json!(long)),
        ("tags", json!([long])),
        ("tags", json!(many)),
        ("visibility", json!("SECRET")),
        ("title", json!(7)),
        ("title", json!("a\u{202e}b")),
        ("title", json!("a\u{0}b")),
        ("nothing", json!("x")),
        ("tags", json!("x")),
    ] {
        let response = patch(&weir, &login, "ada", &json!({ field: value }));
        assert!(matches!(response.status, 400 | 422), "{field}: {}", response.text());
        let problem = response.problem(response.status);
        let said = format!("{} {}", problem.field.unwrap_or_default(), problem.detail);
        let word = field.trim_end_matches('s').to_lowercase().replace("displayname", "display");
        assert!(said.to_lowercase().contains(&word), "{field} is not named: {said}");
    }
    for body in ["", "{", "[]", "null", "\"x\"", "{\"title\":", "{\"title\":\"\u{0}\"}"] {
        let request =
            weir.same_origin("PATCH", "/api/v1/channels/ada").header("cookie", login.cookie.as_str());
        let response = request.body("application/json", body).send(weir.http);
        assert!(matches!(response.status, 400 | 422), "{body}: {}", response.status);
        response.problem(response.status);
    }
    for name in ["studio", "a", "A B", "<b>", "ada"] {
        let request = weir.same_origin("POST", "/api/v1/channels").header("cookie", login.cookie.as_str());
        let response = request.json(&json!({ "name": name })).send(weir.http);
        assert!(matches!(response.status, 400 | 409 | 422), "{name}: {}", response.text());
        response.problem(response.status);
    }
    weir.assert_healthy();
}

#[test]
fn guessing_passwords_gets_slow() {
    let weir = Weir::start();
    weir.set_up("ada");
    let statuses: Vec<_> =
        (0..40).map(|i| sign_in(&weir, "ada", &format!("wrong horse {i:04}")).status).collect();
    assert!(statuses.contains(&429), "forty guesses in a row were all taken: {statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 401 | 429)), "{statuses:?}");
}
