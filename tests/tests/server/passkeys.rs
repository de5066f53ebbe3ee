//! Passkeys: added, used, removed, and whatever somebody sends who has none.

use serde_json::{Value, json};
use std::cell::RefCell;
use weir_tests::{
    authenticator::{Authenticator, PRESENT, VERIFIED, base64url},
    chat::account,
    http::Response,
    server::{Login, Weir},
};

const SITE: &str = "https://tv.example";
const KEYS: &str = "/api/v1/me/passkeys";
const BEGIN: &str = "/api/v1/me/passkeys/options";
const SIGN_IN: &str = "/api/v1/login/passkey";
const BEGIN_SIGN_IN: &str = "/api/v1/login/passkey/options";

fn start() -> Weir {
    Weir::start_with(&[("WEIR_HTTP_PUBLIC_URL", SITE)])
}

/// From an address of its own where there is one, so that tests of many tries don't run into the limits of one.
fn call_from(
    weir: &Weir,
    (login, address): (Option<&Login>, Option<usize>),
    (method, path): (&str, &str),
    body: &Value,
) -> Response {
    let mut request = weir.same_origin(method, path);
    if let Some(login) = login {
        request = request.header("cookie", login.cookie.as_str());
    }
    if let Some(address) = address {
        request =
            request.header("x-forwarded-for", format!("198.51.{}.{}", address / 250, address % 250 + 1));
    }
    match body {
        Value::Null => request.send(weir.http),
        body => request.json(body).send(weir.http),
    }
}

fn call(weir: &Weir, login: Option<&Login>, method: &str, path: &str, body: &Value) -> Response {
    call_from(weir, (login, None), (method, path), body)
}

#[track_caller]
fn ok(response: &Response) -> Value {
    assert!((200..300).contains(&response.status), "{} {}", response.status, response.text());
    if response.body.is_empty() { Value::Null } else { response.json() }
}

fn begin(weir: &Weir, login: &Login) -> Value {
    ok(&call(weir, Some(login), "POST", BEGIN, &json!({})))
}

fn begin_sign_in(weir: &Weir) -> Value {
    ok(&call(weir, None, "POST", BEGIN_SIGN_IN, &json!({})))
}

fn add(weir: &Weir, login: &Login, credential: &Value) -> Response {
    call(weir, Some(login), "POST", KEYS, &json!({ "label": "A key", "credential": credential }))
}

fn sign_in(weir: &Weir, credential: &Value) -> Response {
    call(weir, None, "POST", SIGN_IN, &json!({ "credential": credential }))
}

/// An authenticator with a passkey of this account, and the passkey's id.
fn added(weir: &Weir, login: &Login) -> (Authenticator, String) {
    let mut key = Authenticator::new(SITE);
    let made = key.create(&begin(weir, login));
    let passkey = ok(&add(weir, login, &made));
    (key, passkey["id"].as_str().expect("an id").to_owned())
}

fn name_of(response: &Response) -> Value {
    ok(response)["name"].clone()
}

/// What makes an authenticator lie.
type Lie = fn(&mut Authenticator);

#[test]
fn a_passkey_signs_in_until_it_is_removed() {
    let mut weir = start();
    let ada = weir.set_up("ada");
    let mut key = Authenticator::new(SITE);
    let options = begin(&weir, &ada);
    assert_eq!(options["publicKey"]["rp"]["id"], "tv.example");
    let made = key.create(&options);
    let answer = add(&weir, &ada, &made);
    assert_eq!(answer.status, 201, "{}", answer.text());
    let passkey = answer.json();
    assert_eq!((&passkey["label"], &passkey["lastUsedAt"]), (&json!("A key"), &Value::Null));

    // The authenticator is told of what it has, so that it makes no second one.
    let again = begin(&weir, &ada);
    assert_eq!(again["publicKey"]["excludeCredentials"][0]["id"], base64url(&key.id));

    let answer = sign_in(&weir, &key.get(&begin_sign_in(&weir)));
    assert_eq!(name_of(&answer), "ada");
    let login = Login::from_response(&answer);
    assert_eq!(name_of(&call(&weir, Some(&login), "GET", "/api/v1/me", &Value::Null)), "ada");
    let logins = ok(&call(&weir, Some(&login), "GET", "/api/v1/me/logins", &Value::Null));
    assert_eq!(logins["items"].as_array().map(Vec::len), Some(2), "a login like any other");
    let list = ok(&call(&weir, Some(&ada), "GET", KEYS, &Value::Null));
    assert!(list["items"][0]["lastUsedAt"].is_string(), "{list}");

    // It outlives the process, and the name can be changed.
    weir.crash();
    weir.start_again();
    assert_eq!(name_of(&sign_in(&weir, &key.get(&begin_sign_in(&weir)))), "ada");
    let path = format!("{KEYS}/{}", passkey["id"].as_str().expect("an id"));
    let renamed = ok(&call(&weir, Some(&ada), "PATCH", &path, &json!({ "label": "The blue one" })));
    assert_eq!(renamed["label"], "The blue one");
    call(&weir, Some(&ada), "PATCH", &path, &json!({ "label": "" })).problem(422);

    ok(&call(&weir, Some(&ada), "DELETE", &path, &Value::Null));
    let problem = call(&weir, Some(&ada), "DELETE", &path, &Value::Null).problem(404);
    assert_eq!(problem.kind, "/problems/unknown-passkey");
    call(&weir, Some(&ada), "PATCH", &path, &json!({ "label": "x" })).problem(404);
    let problem = sign_in(&weir, &key.get(&begin_sign_in(&weir))).problem(401);
    assert_eq!(problem.kind, "/problems/wrong-passkey");

    // All of it is on record, and its owner was told.
    let record = ok(&call(&weir, Some(&ada), "GET", "/api/v1/audit?action=passkey", &Value::Null));
    let mut actions: Vec<_> = record["items"].as_array().expect("a list").iter().collect();
    actions.sort_by_key(|entry| entry["id"].to_string());
    assert_eq!(
        actions.iter().map(|entry| (&entry["action"], &entry["target"]["name"])).collect::<Vec<_>>(),
        [(&json!("passkey.added"), &json!("A key")), (&json!("passkey.removed"), &json!("The blue one"))]
    );
    let told = call(&weir, Some(&ada), "GET", "/api/v1/me/notifications", &Value::Null).text();
    for title in ["A passkey was added: A key", "A passkey was removed: The blue one"] {
        assert!(told.contains(title), "{told}");
    }
}

#[test]
fn a_passkey_without_a_name_is_called_like_its_browser() {
    let weir = start();
    let ada = weir.set_up("ada");
    let made = Authenticator::new(SITE).create(&begin(&weir, &ada));
    let passkey = ok(&call(&weir, Some(&ada), "POST", KEYS, &json!({ "credential": made })));
    assert_eq!(passkey["label"], "An unknown device");
}

#[test]
fn where_there_is_no_name_there_are_no_passkeys_and_localhost_is_one() {
    let weir = Weir::start();
    let ada = weir.set_up("ada");
    for (login, path) in [(Some(&ada), BEGIN), (None, BEGIN_SIGN_IN)] {
        let problem = call(&weir, login, "POST", path, &json!({})).problem(409);
        assert_eq!(problem.kind, "/problems/passkeys-need-a-name");
    }
    let weir = Weir::start_with(&[("WEIR_HTTP_PUBLIC_URL", "http://localhost:8080")]);
    let ada = weir.set_up("ada");
    let mut key = Authenticator::new("http://localhost:8080");
    let made = key.create(&begin(&weir, &ada));
    ok(&add(&weir, &ada, &made));
    assert_eq!(name_of(&sign_in(&weir, &key.get(&begin_sign_in(&weir)))), "ada");
}

#[test]
fn what_another_site_s_page_or_a_careless_device_made_is_not_taken() {
    let weir = start();
    let ada = weir.set_up("ada");
    let lies: [(&str, Lie); 9] = [
        ("another origin", |key| key.origin = "https://evil.example".to_owned()),
        ("an origin that begins alike", |key| key.origin = "https://tv.example.evil.example".to_owned()),
        ("no encryption", |key| key.origin = "http://tv.example".to_owned()),
        ("an opaque origin", |key| key.origin = "null".to_owned()),
        ("no origin", |key| key.origin = String::new()),
        ("another port", |key| key.origin = "https://tv.example:8443".to_owned()),
        ("another site", |key| key.site = "evil.example".to_owned()),
        ("no verification", |key| key.flags = PRESENT),
        ("nobody there", |key| key.flags = VERIFIED),
    ];
    for (lie, tell) in lies {
        let mut key = Authenticator::new(SITE);
        tell(&mut key);
        let made = key.create(&begin(&weir, &ada));
        let problem = add(&weir, &ada, &made).problem(422);
        assert_eq!(problem.kind, "/problems/passkey-refused", "{lie}");
    }
    assert_eq!(ok(&call(&weir, Some(&ada), "GET", KEYS, &Value::Null))["items"], json!([]));
}

#[test]
fn a_challenge_is_for_one_answer_of_whoever_asked() {
    let weir = start();
    let ada = weir.set_up("ada");
    let ben = account(&weir, "ben");
    let mut key = Authenticator::new(SITE);

    // What one asked for, another can't answer, and then nobody can.
    let options = begin(&weir, &ada);
    let made = key.create(&options);
    assert_eq!(add(&weir, &ben, &made).problem(409).kind, "/problems/passkey-stale");
    assert_eq!(add(&weir, &ada, &made).problem(409).kind, "/problems/passkey-stale");

    // Nor can another browser of the same person.
    let body = json!({ "name": "ada", "password": "correct horse battery" });
    let elsewhere = call(&weir, None, "POST", "/api/v1/login", &body);
    let elsewhere = Login::from_response(&elsewhere);
    let made = key.create(&begin(&weir, &ada));
    assert_eq!(add(&weir, &elsewhere, &made).problem(409).kind, "/problems/passkey-stale");

    // A replay, and a challenge that nobody put.
    let made = key.create(&begin(&weir, &ada));
    ok(&add(&weir, &ada, &made));
    assert_eq!(add(&weir, &ada, &made).problem(409).kind, "/problems/passkey-stale");
    let invented = json!({ "publicKey": { "challenge": base64url(&[7; 16]) } });
    assert_eq!(sign_in(&weir, &key.get(&invented)).problem(409).kind, "/problems/passkey-stale");

    // The same to sign in; and a challenge for the one is none for the other.
    let asserted = key.get(&begin_sign_in(&weir));
    ok(&sign_in(&weir, &asserted));
    assert_eq!(sign_in(&weir, &asserted).problem(409).kind, "/problems/passkey-stale");
    let for_adding = key.get(&begin(&weir, &ada));
    assert_eq!(sign_in(&weir, &for_adding).problem(409).kind, "/problems/passkey-stale");
    let for_signing_in = Authenticator::new(SITE).create(&begin_sign_in(&weir));
    assert_eq!(add(&weir, &ada, &for_signing_in).problem(409).kind, "/problems/passkey-stale");

    // A passkey is of one account.
    let made = key.create(&begin(&weir, &ben));
    assert_eq!(add(&weir, &ben, &made).problem(409).kind, "/problems/passkey-known");
}

#[test]
fn nobody_signs_in_by_what_isn_t_signed_with_the_key() {
    let weir = start();
    let ada = weir.set_up("ada");
    let (mut key, _) = added(&weir, &ada);
    let (mut other, _) = added(&weir, &account(&weir, "ben"));
    let wrong = |credential: &Value, what: &str| {
        let problem = sign_in(&weir, credential).problem(401);
        assert_eq!(problem.kind, "/problems/wrong-passkey", "{what}");
        problem.detail
    };
    // Whatever is wrong, the same is said.
    let mut said = Vec::new();
    let mut stranger = Authenticator::new(SITE);
    stranger.user = key.user.clone();
    said.push(wrong(&stranger.get(&begin_sign_in(&weir)), "a key that nobody added"));
    stranger.id = key.id.clone();
    said.push(wrong(&stranger.get(&begin_sign_in(&weir)), "somebody else's signature"));
    let mut mixed = other.get(&begin_sign_in(&weir));
    mixed["response"]["userHandle"] = json!(key.user);
    said.push(wrong(&mixed, "another account's handle"));
    for field in ["signature", "authenticatorData"] {
        let mut forged = key.get(&begin_sign_in(&weir));
        let text = forged["response"][field].as_str().expect("base64").to_owned();
        // A signature of another message, and data that wasn't signed.
        let of_another = key.get(&begin_sign_in(&weir));
        forged["response"][field] = of_another["response"][field].clone();
        assert_ne!(forged["response"][field], json!(text));
        said.push(wrong(&forged, field));
    }
    for origin in ["https://evil.example", "http://tv.example", "https://tv.example:444"] {
        key.origin = origin.to_owned();
        said.push(wrong(&key.get(&begin_sign_in(&weir)), origin));
    }
    key.origin = SITE.to_owned();
    key.site = "evil.example".to_owned();
    said.push(wrong(&key.get(&begin_sign_in(&weir)), "another site"));
    key.site = "tv.example".to_owned();
    for flags in [PRESENT, VERIFIED, 0] {
        key.flags = flags;
        said.push(wrong(&key.get(&begin_sign_in(&weir)), "nobody was there or it wasn't made sure who"));
    }
    key.flags = PRESENT | VERIFIED;
    said.dedup();
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!(name_of(&sign_in(&weir, &key.get(&begin_sign_in(&weir)))), "ada", "and it works all the same");
}

#[test]
fn a_counter_that_goes_back_is_a_copy_and_signs_nobody_in() {
    let weir = start();
    let ada = weir.set_up("ada");
    let (mut key, _) = added(&weir, &ada);
    key.counter = 41;
    ok(&sign_in(&weir, &key.get(&begin_sign_in(&weir))));
    for counter in [41, 40, 0] {
        // It counts up by one before it signs: once more as often as before, then less often.
        key.counter = counter;
        let asserted = key.get(&begin_sign_in(&weir));
        sign_in(&weir, &asserted).problem(401);
    }
    key.counter = 42;
    ok(&sign_in(&weir, &key.get(&begin_sign_in(&weir))));
    assert!(weir.console().contains("counter went back"), "whoever runs the server sees it");
}

#[test]
fn who_is_suspended_is_told_so_once_they_have_proved_who_they_are() {
    let weir = start();
    let ada = weir.set_up("ada");
    let ben = account(&weir, "ben");
    let (mut key, _) = added(&weir, &ben);
    ok(&call(&weir, Some(&ada), "PATCH", "/api/v1/people/ben", &json!({ "suspended": true })));
    let problem = sign_in(&weir, &key.get(&begin_sign_in(&weir))).problem(403);
    assert_eq!(problem.kind, "/problems/suspended");
    key.flags = PRESENT;
    sign_in(&weir, &key.get(&begin_sign_in(&weir))).problem(401);
    key.flags = PRESENT | VERIFIED;
    ok(&call(&weir, Some(&ada), "PATCH", "/api/v1/people/ben", &json!({ "suspended": false })));
    assert_eq!(name_of(&sign_in(&weir, &key.get(&begin_sign_in(&weir)))), "ben");
}

#[test]
fn an_account_has_twenty_at_most_and_its_own_alone() {
    let weir = start();
    let ada = weir.set_up("ada");
    let ben = account(&weir, "ben");
    let (_, of_ben) = added(&weir, &ben);
    // One more is begun while there is room, and isn't taken when there is none any more.
    let mut late = Authenticator::new(SITE);
    let made_late = late.create(&begin(&weir, &ada));
    for _ in 0..20 {
        added(&weir, &ada);
    }
    let problem = call(&weir, Some(&ada), "POST", BEGIN, &json!({})).problem(409);
    assert_eq!(problem.kind, "/problems/too-many-passkeys");
    assert_eq!(add(&weir, &ada, &made_late).problem(409).kind, "/problems/too-many-passkeys");
    let list = ok(&call(&weir, Some(&ada), "GET", &format!("{KEYS}?limit=15"), &Value::Null));
    let next = list["next"].as_str().expect("another page");
    let rest = ok(&call(&weir, Some(&ada), "GET", &format!("{KEYS}?limit=15&cursor={next}"), &Value::Null));
    assert_eq!(rest["items"].as_array().map(Vec::len), Some(5));
    // Of others there is nothing to see or to do.
    let path = format!("{KEYS}/{of_ben}");
    call(&weir, Some(&ada), "DELETE", &path, &Value::Null).problem(404);
    call(&weir, Some(&ada), "PATCH", &path, &json!({ "label": "mine" })).problem(404);
    for (method, path) in [("GET", KEYS), ("POST", KEYS), ("POST", BEGIN), ("DELETE", path.as_str())] {
        let body = if method == "POST" { json!({ "credential": {} }) } else { Value::Null };
        call(&weir, None, method, path, &body).problem(401);
    }
}

#[test]
fn tries_are_limited_by_address() {
    let weir = start();
    let from = |address| (None, Some(address));
    let try_once = |address, path: &str| {
        call_from(&weir, from(address), ("POST", path), &json!({ "credential": {} })).status
    };
    let beginning: Vec<u16> = (0..40).map(|_| try_once(1, BEGIN_SIGN_IN)).collect();
    assert_eq!((beginning[0], beginning[39]), (200, 429));
    let ending: Vec<u16> = (0..40).map(|_| try_once(2, SIGN_IN)).collect();
    assert_eq!((ending[0], ending[39]), (422, 429));
    let body = json!({ "name": "ada", "password": "correct horse battery" });
    let password = call_from(&weir, from(2), ("POST", "/api/v1/login"), &body);
    assert_eq!(password.status, 429, "they are counted with passwords");
    assert_eq!(try_once(3, BEGIN_SIGN_IN), 200, "and others are let in");
}

/// What a field of a browser's answer may be in place of what it should be.
fn rubbish() -> Vec<Value> {
    let mut all = vec![
        Value::Null,
        json!(7),
        json!(-1.5),
        json!(true),
        json!([]),
        json!({}),
        json!(""),
        json!("!"),
        json!("===="),
        json!("AA="),
        json!("A"),
        json!("a b"),
        json!("\u{0}"),
        json!("é"),
        json!("A".repeat(4_000)),
    ];
    // CBOR that promises what doesn't come, nests without end, or is something else.
    let cbor: [&[u8]; 12] = [
        b"\xa3",
        b"\xa3\x63fmt",
        b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x5b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58\x00",
        b"\xa3\x63fmt\x66packed\x67attStmt\xa0\x68authData\x40",
        b"\xbf\xff",
        b"\x9f\x9f\x9f\x9f\x9f\x9f",
        b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x7f\x61a",
        b"\xf6",
        b"\xff",
        b"{}",
    ];
    all.extend(cbor.map(|bytes| json!(base64url(bytes))));
    all.push(json!(base64url(&[0x81; 2_000])));
    all.push(json!(base64url(&[0xa1; 2_000])));
    all
}

/// Each field of a browser's answer, replaced by each piece of rubbish, and cut off where it is binary. `attempt` sends an answer
/// that would be taken, but for what is done to it.
#[track_caller]
fn assert_survives(weir: &Weir, whole: &Value, attempt: impl Fn(usize, &dyn Fn(&mut Value)) -> Response) {
    let mut tries = 0;
    let mut check = |what: &str, change: &dyn Fn(&mut Value)| {
        tries += 1;
        let response = attempt(tries, change);
        assert!(matches!(response.status, 401 | 422), "{what}: {} {}", response.status, response.text());
        assert_eq!(response.header("content-type"), Some("application/problem+json"), "{what}");
    };
    let fields = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
    let fields: Vec<_> = fields.into_iter().filter(|field| whole["response"].get(field).is_some()).collect();
    for bad in rubbish() {
        check(&format!("the whole as {bad}"), &|credential| *credential = bad.clone());
        for field in ["id", "rawId", "type", "response"] {
            // `rawId` and `type` may be absent, as they say nothing more.
            if !bad.is_null() || field == "id" || field == "response" {
                check(&format!("{field} as {bad}"), &|credential| credential[field] = bad.clone());
            }
        }
        for field in &fields {
            check(&format!("{field} as {bad}"), &|credential| credential["response"][*field] = bad.clone());
        }
    }
    for field in &fields {
        let length = whole["response"][*field].as_str().expect("text").len();
        // A signature is not always as long: what is cut off must be more than that differs.
        for most in (0..length - 12).step_by(length / 24 + 1) {
            check(&format!("{most} letters of {field}"), &|credential| {
                let text = credential["response"][*field].as_str().expect("text")[..most].to_owned();
                credential["response"][*field] = json!(text);
            });
        }
    }
    assert!(tries > 200, "{tries}");
    assert!(!weir.console().contains("panic"), "{}", weir.console());
}

#[test]
fn malformed_answers_are_problems_by_the_dozen_and_never_a_panic() {
    let weir = start();
    let ada = weir.set_up("ada");
    let (key, id) = added(&weir, &ada);
    let key = RefCell::new(key);
    // Each begins anew, and an account may begin forty times in a row.
    let people = RefCell::new(Vec::new());
    let whole = Authenticator::new(SITE).create(&begin(&weir, &ada));
    assert_survives(&weir, &whole, |number, change| {
        let mut people = people.borrow_mut();
        while people.len() <= number / 35 {
            let name = format!("person{}", people.len());
            people.push(account(&weir, &name));
        }
        let login = people.last().expect("somebody");
        let mut made = Authenticator::new(SITE).create(&begin(&weir, login));
        change(&mut made);
        add(&weir, login, &made)
    });
    for login in people.borrow().iter() {
        assert_eq!(ok(&call(&weir, Some(login), "GET", KEYS, &Value::Null))["items"], json!([]));
    }
    let asserted = |number: usize| {
        let from = (None, Some(number));
        key.borrow_mut().get(&ok(&call_from(&weir, from, ("POST", BEGIN_SIGN_IN), &json!({}))))
    };
    let send = |number: usize, credential: &Value| {
        call_from(&weir, (None, Some(number)), ("POST", SIGN_IN), &json!({ "credential": credential }))
    };
    assert_survives(&weir, &asserted(0), |number, change| {
        let mut credential = asserted(number);
        change(&mut credential);
        send(number, &credential)
    });
    // Challenges and keys of client data that are none.
    for client in [
        "",
        "{}",
        "[]",
        "null",
        r#"{"type":"webauthn.get"}"#,
        r#"{"type":"webauthn.get","challenge":7,"origin":"x"}"#,
        r#"{"type":"webauthn.get","challenge":"AA","origin":"https://tv.example","crossOrigin":false}"#,
        r#"{"type":"webauthn.create","challenge":"AAAAAAAAAAAAAAAAAAAAAA","origin":"https://tv.example"}"#,
        "\u{feff}{",
        "{\"challenge\":\"\\ud800\"}",
    ] {
        let mut credential = asserted(5_000);
        credential["response"]["clientDataJSON"] = json!(base64url(client.as_bytes()));
        let response = send(5_000, &credential);
        assert!(matches!(response.status, 409 | 422), "{client}: {} {}", response.status, response.text());
    }
    // What isn't what the address takes at all.
    for body in [json!({}), json!({ "credential": {}, "name": "ada" }), json!([])] {
        let status = call_from(&weir, (None, Some(6_000)), ("POST", SIGN_IN), &body).status;
        assert!(matches!(status, 400 | 422), "{body}: {status}");
    }
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    let request =
        weir.same_origin("POST", SIGN_IN).body("application/json", format!("{{\"credential\":{deep}}}"));
    assert!(matches!(request.send(weir.http).status, 400 | 422));
    let list = ok(&call(&weir, Some(&ada), "GET", KEYS, &Value::Null));
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1), "nothing of it was taken");
    assert_eq!(list["items"][0]["id"], json!(id));
    assert_eq!(name_of(&sign_in(&weir, &asserted(7_000))), "ada", "and it goes on");
}
