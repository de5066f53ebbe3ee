//! What looks like an attack: who is told of it, and what the record says.

use crate::SOON;
use serde_json::{Value, json};
use weir_tests::{
    eventually,
    http::Response,
    peer::{Offering, post_whip},
    server::{Login, Weir},
};

const PASSWORD: &str = "correct horse battery";

fn call(weir: &Weir, login: Option<&Login>, method: &str, path: &str, body: &Value) -> Response {
    let path = format!("/api/v1/{path}");
    let mut request = weir.same_origin(method, &path);
    if let Some(login) = login {
        request = request.header("cookie", login.cookie.as_str());
    }
    if body.is_null() { request.send(weir.http) } else { request.json(body).send(weir.http) }
}

fn ok(response: &Response) -> Value {
    assert!(response.status < 300, "{}", response.text());
    if response.body.is_empty() { Value::Null } else { response.json() }
}

/// From an address of one's own, as a proxy on this machine tells it, with a browser.
fn sign_in_from(weir: &Weir, name: &str, password: &str, (address, browser): (&str, &str)) -> Response {
    let request = weir.same_origin("POST", "/api/v1/login");
    let request = request.header("x-forwarded-for", address).header("user-agent", browser);
    request.json(&json!({ "name": name, "password": password })).send(weir.http)
}

fn notifications(weir: &Weir, login: &Login) -> Vec<Value> {
    ok(&call(weir, Some(login), "GET", "me/notifications", &Value::Null))["items"]
        .as_array()
        .expect("items")
        .clone()
}

fn titled<'a>(all: &'a [Value], title: &str) -> Vec<&'a Value> {
    all.iter().filter(|one| one["title"].as_str().is_some_and(|text| text.contains(title))).collect()
}

fn record(weir: &Weir, owner: &Login, query: &str) -> Vec<Value> {
    let path = format!("audit?{query}");
    ok(&call(weir, Some(owner), "GET", &path, &Value::Null))["items"].as_array().expect("entries").clone()
}

#[test]
fn guesses_at_a_password_raise_one_alert_to_those_who_run_the_instance() {
    let mut weir = Weir::start();
    let ada = weir.set_up("ada");
    ok(&call(&weir, Some(&ada), "PATCH", "instance/settings", &json!({ "signUp": "open" })));
    let join = |name: &str| {
        let body = json!({ "name": name, "displayName": name, "password": PASSWORD });
        Login::from_response(&call(&weir, None, "POST", "sign-up", &body))
    };
    let (ben, cleo) = (join("ben"), join("cleo"));
    ok(&call(&weir, Some(&ada), "PATCH", "people/ben", &json!({ "role": "admin" })));
    let guess =
        |n: u8| sign_in_from(&weir, "cleo", "wrong horse battery", (&format!("198.51.100.{n}"), "curl/8"));
    for n in 0..14 {
        let status = guess(n).status;
        assert!(matches!(status, 401 | 429), "{status}");
    }
    assert!(record(&weir, &ada, "action=instance.alert").is_empty(), "these may be mistakes");
    for n in 14..40 {
        guess(n);
    }
    for who in [&ada, &ben] {
        let told = eventually("they are told", SOON, || {
            let all = notifications(&weir, who);
            Some(all).filter(|all| !titled(all, "guessing a password").is_empty())
        });
        assert_eq!(titled(&told, "guessing a password").len(), 1, "once: {told:?}");
        assert_eq!(titled(&told, "guessing a password")[0]["kind"], "system");
    }
    assert!(titled(&notifications(&weir, &cleo), "guessing").is_empty(), "it isn't theirs to look after");
    let alerts = record(&weir, &ada, "action=instance.alert");
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert!(alerts[0]["actor"].is_null() && alerts[0]["detail"].as_str().expect("words").contains("“cleo”"));
    // Failures are counted, and are one entry: at the latest when the server stops.
    assert!(record(&weir, &ada, "action=account.signInsFailed").is_empty());
    weir.terminate(SOON);
    weir.start_again();
    let failed = record(&weir, &ada, "action=account.signInsFailed");
    assert_eq!(failed.len(), 1, "{failed:?}");
    let words = failed[0]["detail"].as_str().expect("words");
    assert!(words.starts_with("40 sign-ins failed, to 1 account, from 40 networks"), "{words}");
}

#[test]
fn wrong_stream_keys_raise_one_alert() {
    let weir = Weir::start();
    let ada = weir.set_up("ada");
    let offer = Offering::to_send().sdp;
    let wrong = format!("weir_key_{}", "A".repeat(43));
    for _ in 0..70 {
        assert_eq!(post_whip(weir.http, "/whip/ada", &wrong, &offer).status, 401);
    }
    let told = eventually("the owner is told", SOON, || {
        let all = notifications(&weir, &ada);
        Some(all).filter(|all| !titled(all, "stream keys").is_empty())
    });
    assert_eq!(titled(&told, "stream keys").len(), 1, "{told:?}");
    assert_eq!(record(&weir, &ada, "action=instance.alert").len(), 1);
}

#[test]
fn a_sign_in_from_elsewhere_tells_its_person_and_all_are_on_record() {
    let weir = Weir::start();
    let ada = weir.set_up("ada");
    let (chrome, firefox) =
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0", "Mozilla/5.0 (X11; Linux x86_64) Firefox/153.0");
    let news = || titled(&notifications(&weir, &ada), "A new sign-in").len();
    let sign_in = |place: (&str, &str)| assert_eq!(sign_in_from(&weir, "ada", PASSWORD, place).status, 200);
    // Set up by a program on this machine: a new browser there is no stranger, nor the same one elsewhere.
    sign_in(("127.0.0.1", chrome));
    sign_in(("198.51.100.7", chrome));
    assert_eq!(news(), 0);
    sign_in(("203.0.113.9", firefox));
    eventually("its person is told", SOON, || (news() == 1).then_some(()));
    let all = notifications(&weir, &ada);
    assert!(titled(&all, "Firefox on Linux").len() == 1, "{all:?}");
    // What is known by now is no news.
    sign_in(("203.0.113.9", firefox));
    sign_in(("203.0.113.9", chrome));
    assert_eq!(news(), 1);
    let signed_in = record(&weir, &ada, "action=account.signedIn");
    let ways: Vec<_> = signed_in.iter().rev().map(|one| one["detail"].as_str().expect("words")).collect();
    assert_eq!(ways[0], "by the set-up link");
    assert_eq!(ways[1..], ["by password"; 5]);
    assert!(signed_in.iter().all(|one| one["target"]["name"] == "ada"));
    let kept = std::fs::read_dir(weir.data()).expect("the data directory");
    for file in kept.flatten().filter(|file| file.path().is_file()) {
        let bytes = std::fs::read(file.path()).expect("a file");
        for address in ["203.0.113.9", "198.51.100.7"] {
            let is_there = bytes.windows(address.len()).any(|window| window == address.as_bytes());
            assert!(!is_there, "an address is in {}", file.path().display());
        }
    }
}

#[test]
fn one_person_s_own_sign_ins_don_t_fill_the_record() {
    let weir = Weir::start();
    let ada = weir.set_up("ada");
    for n in 0..40 {
        let place = (format!("198.51.100.{n}"), "curl/8");
        assert_eq!(sign_in_from(&weir, "ada", PASSWORD, (&place.0, place.1)).status, 200);
    }
    let signed_in = record(&weir, &ada, "action=account.signedIn&limit=200");
    assert_eq!(signed_in.len(), 20);
}

#[test]
fn a_program_sees_notifications_or_runs_the_instance_by_the_scope_for_it() {
    let weir = Weir::start();
    let ada = weir.set_up("ada");
    let token = |scope: &str| {
        let body = json!({ "label": scope, "scopes": [scope] });
        let made = ok(&call(&weir, Some(&ada), "POST", "me/tokens", &body));
        made["secret"].as_str().expect("a secret").to_owned()
    };
    let (told, reads, manages) =
        (token("notifications:read"), token("instance:read"), token("instance:manage"));
    let ask = |secret: &str, method: &str, path: &str, body: &Value| {
        let path = format!("/api/v1/{path}");
        let request = weir_tests::http::Request::new(method, &path).bearer(secret);
        let request = if body.is_null() { request } else { request.json(body) };
        request.send(weir.http).status
    };
    let nothing = Value::Null;
    for path in ["me/notifications", "me/notification-preferences"] {
        assert_eq!(
            (ask(&told, "GET", path, &nothing), ask(&reads, "GET", path, &nothing)),
            (200, 403),
            "{path}"
        );
    }
    assert_eq!(ask(&told, "GET", "me", &nothing), 403);
    for path in [
        "people",
        "instance/settings",
        "instance/channels",
        "instance/analytics",
        "invites",
        "audit",
        "audit.csv",
    ] {
        assert_eq!(
            (ask(&reads, "GET", path, &nothing), ask(&told, "GET", path, &nothing)),
            (200, 403),
            "{path}"
        );
    }
    let open = json!({ "signUp": "open" });
    assert_eq!(ask(&reads, "PATCH", "instance/settings", &open), 403);
    assert_eq!(ask(&manages, "PATCH", "instance/settings", &open), 200);
    assert_eq!(ask(&manages, "GET", "people", &nothing), 403, "managing isn't reading");
    let body = json!({ "name": "ben", "displayName": "Ben", "password": PASSWORD });
    assert_eq!(call(&weir, None, "POST", "sign-up", &body).status, 201);
    assert_eq!(ask(&manages, "PATCH", "people/ben", &json!({ "suspended": true })), 200);
    assert_eq!(
        ask(&manages, "PATCH", "people/ben", &json!({ "role": "admin" })),
        403,
        "that is for people to say"
    );
    assert_eq!(ask(&manages, "POST", "people/ben/delete", &json!({ "confirm": "ben" })), 403);
}

#[test]
fn the_key_of_a_suspended_account_is_no_guess() {
    let weir = Weir::start();
    let ada = weir.set_up("ada");
    ok(&call(&weir, Some(&ada), "PATCH", "instance/settings", &json!({ "signUp": "open" })));
    let body = json!({ "name": "ben", "displayName": "Ben", "password": PASSWORD });
    let ben = Login::from_response(&call(&weir, None, "POST", "sign-up", &body));
    ok(&call(&weir, Some(&ben), "POST", "channels", &json!({ "name": "stage" })));
    let made = ok(&call(&weir, Some(&ben), "POST", "channels/stage/stream-key", &Value::Null));
    let key = made["streamKey"].as_str().expect("a key");
    ok(&call(&weir, Some(&ada), "PATCH", "people/ben", &json!({ "suspended": true })));
    let offer = Offering::to_send().sdp;
    for _ in 0..40 {
        assert_eq!(post_whip(weir.http, "/whip", key, &offer).status, 401);
    }
    // Those that come after raise one: had the others counted, there were one already.
    let wrong = format!("weir_key_{}", "A".repeat(43));
    for _ in 0..29 {
        post_whip(weir.http, "/whip", &wrong, &offer);
    }
    assert!(record(&weir, &ada, "action=instance.alert").is_empty());
    post_whip(weir.http, "/whip", &wrong, &offer);
    eventually("the alert", SOON, || {
        (!record(&weir, &ada, "action=instance.alert").is_empty()).then_some(())
    });
}
