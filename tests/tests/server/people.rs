//! Signing up, invites, profiles, roles, following: what people do with each other, and what nobody can do to another.

use crate::SOON;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use weir_tests::{
    events::Events,
    http::{Request, Response},
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

fn sign_up(weir: &Weir, name: &str, more: Value) -> Response {
    let mut body = json!({ "name": name, "displayName": name, "password": PASSWORD });
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    call(weir, None, "POST", "sign-up", &body)
}

fn open(weir: &Weir, owner: &Login) {
    ok(&call(weir, Some(owner), "PATCH", "instance/settings", &json!({ "signUp": "open" })));
}

fn joined(weir: &Weir, name: &str) -> Login {
    let response = sign_up(weir, name, json!({}));
    assert_eq!(response.status, 201, "{}", response.text());
    Login::from_response(&response)
}

#[test]
fn the_door_is_open_takes_an_invite_or_is_shut() {
    let mut weir = Weir::start();
    let owner = weir.set_up("ada");
    let mode =
        |mode: &str| ok(&call(&weir, Some(&owner), "PATCH", "instance/settings", &json!({ "signUp": mode })));
    let shown = || Request::new("GET", "/api/v1/instance").send(weir.http).json()["signUp"].clone();
    assert_eq!(shown(), "invite", "until somebody says otherwise");
    assert_eq!(sign_up(&weir, "ben", json!({})).problem(403).kind, "/problems/invite-needed");
    for bad in ["", "weir_inv_x", &format!("weir_inv_{}", "A".repeat(43))] {
        let problem = sign_up(&weir, "ben", json!({ "invite": bad })).problem(403);
        assert_eq!(
            (problem.kind.as_str(), problem.field.as_deref()),
            ("/problems/invite-needed", Some("invite"))
        );
    }
    let made = ok(&call(
        &weir,
        Some(&owner),
        "POST",
        "invites",
        &json!({ "label": "The band", "uses": 2, "days": 3 }),
    ));
    let secret = made["secret"].as_str().expect("a secret").to_owned();
    assert!(made["url"].as_str().expect("a url").ends_with(&format!("/sign-up?invite={secret}")), "{made}");
    for (name, status) in [("ben", 201), ("cleo", 201), ("dora", 403)] {
        assert_eq!(sign_up(&weir, name, json!({ "invite": secret })).status, status, "{name}");
    }
    let listed = ok(&call(&weir, Some(&owner), "GET", "invites", &Value::Null));
    assert_eq!((&listed["items"][0]["uses"], &listed["items"][0]["usesMost"]), (&json!(2), &json!(2)));
    assert!(!listed.to_string().contains(&secret), "the secret is shown once");
    let again = ok(&call(&weir, Some(&owner), "POST", "invites", &json!({})));
    let id = again["invite"]["id"].as_str().expect("an id");
    assert_eq!(call(&weir, Some(&owner), "DELETE", &format!("invites/{id}"), &Value::Null).status, 204);
    assert_eq!(sign_up(&weir, "dora", json!({ "invite": again["secret"] })).status, 403, "it was revoked");
    assert_eq!(call(&weir, Some(&owner), "DELETE", &format!("invites/{id}"), &Value::Null).status, 404);
    for bad in [json!({ "uses": 0 }), json!({ "uses": 1001 }), json!({ "days": 0 }), json!({ "days": 366 })] {
        call(&weir, Some(&owner), "POST", "invites", &bad).problem(422);
    }
    mode("closed");
    let last = ok(&call(&weir, Some(&owner), "POST", "invites", &json!({})));
    let shut = sign_up(&weir, "dora", json!({ "invite": last["secret"] }));
    assert_eq!(shut.problem(403).kind, "/problems/sign-up-closed");
    mode("open");
    assert_eq!((shown(), sign_up(&weir, "dora", json!({})).status), (json!("open"), 201));
    // It outlives the process.
    weir.crash();
    weir.start_again();
    assert_eq!(Request::new("GET", "/api/v1/instance").send(weir.http).json()["signUp"], "open");
    assert_eq!(sign_up(&weir, "ben", json!({})).problem(409).kind, "/problems/name-taken");
}

#[test]
fn an_invite_for_one_lets_one_in_of_many_at_once() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let secret = ok(&call(&weir, Some(&owner), "POST", "invites", &json!({})))["secret"].clone();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..6)
            .map(|n| {
                let (weir, secret) = (&weir, &secret);
                scope.spawn(move || sign_up(weir, &format!("one{n}"), json!({ "invite": secret })).status)
            })
            .collect();
        tries.into_iter().map(|one| one.join().expect("an answer")).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
}

#[test]
fn nobody_is_taken_for_another() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    open(&weir, &owner);
    for (name, shown) in [
        ("ben", "Ada"),
        ("ben", "АDА"),
        ("ben", "a d a"),
        ("ben", "Moderator"),
        ("ada_", "Ben"),
        ("ben", "🜁"),
        ("ben", "A\u{301}d\u{301}a"),
    ] {
        let status = sign_up(&weir, name, json!({ "displayName": shown })).status;
        assert!(matches!(status, 409 | 422), "{name} as {shown}: {status}");
    }
    for name in ["support", "admin", "settings"] {
        assert_eq!(sign_up(&weir, name, json!({ "displayName": "Ben" })).status, 409, "{name}");
    }
    for (name, password) in [("a", PASSWORD), ("a b", PASSWORD), ("ben", "short"), ("<b>", PASSWORD)] {
        let body = json!({ "name": name, "displayName": "Ben", "password": password });
        call(&weir, None, "POST", "sign-up", &body).problem(422);
    }
    let ben = joined(&weir, "ben");
    let rename = |name: &str| call(&weir, Some(&ben), "PATCH", "me", &json!({ "displayName": name })).status;
    assert_eq!((rename("Ada"), rename("Aԁa"), rename("Ben"), rename("Benjamin")), (409, 409, 200, 200));
}

#[test]
fn signing_up_and_guessing_get_slow() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    open(&weir, &owner);
    let statuses: Vec<u16> =
        (0..24).map(|n| sign_up(&weir, &format!("script{n}"), json!({})).status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 20, "{statuses:?}");
    let last = sign_up(&weir, "script99", json!({}));
    assert!(last.problem(429).retry_after.is_some_and(|seconds| seconds > 60));
}

#[test]
fn a_changed_password_ends_every_other_login() {
    let weir = Weir::start();
    let here = weir.set_up("ada");
    let body = json!({ "name": "ada", "password": PASSWORD });
    let there = Login::from_response(&call(&weir, None, "POST", "login", &body));
    let change = |current: &str, new: &str| {
        call(&weir, Some(&here), "PUT", "me/password", &json!({ "current": current, "new": new }))
    };
    let wrong = change("wrong horse battery", "another horse battery").problem(422);
    assert_eq!(wrong.field.as_deref(), Some("current"));
    assert_eq!(change(PASSWORD, "short").problem(422).field.as_deref(), Some("new"));
    assert_eq!(call(&weir, Some(&there), "GET", "me", &Value::Null).status, 200);
    assert_eq!(change(PASSWORD, "another horse battery").status, 204);
    assert_eq!(call(&weir, Some(&there), "GET", "me", &Value::Null).status, 401);
    assert_eq!(call(&weir, Some(&here), "GET", "me", &Value::Null).status, 200);
    assert_eq!(call(&weir, None, "POST", "login", &body).status, 401, "the old one");
    let body = json!({ "name": "ada", "password": "another horse battery" });
    let there = Login::from_response(&call(&weir, None, "POST", "login", &body));
    assert_eq!(call(&weir, Some(&here), "POST", "me/logins/end-others", &json!({})).status, 204);
    assert_eq!(call(&weir, Some(&there), "GET", "me", &Value::Null).status, 401);
    assert!(!weir.console().contains("horse"));
}

/// A PNG of one pixel, and of more with the same bytes to follow.
const PIXEL: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

#[test]
fn a_picture_is_made_anew_and_what_is_none_is_refused() {
    let mut weir = Weir::start();
    let owner = weir.set_up("ada");
    let put = |image: &str| call(&weir, Some(&owner), "PUT", "me/avatar", &json!({ "image": image }));
    let me = ok(&put(PIXEL));
    let address = me["avatar"].as_str().expect("an address").to_owned();
    let picture = Request::new("GET", &address).send(weir.http);
    assert_eq!(picture.status, 200);
    assert!(picture.header("content-type").is_some_and(|kind| kind.starts_with("image/")));
    assert_eq!(picture.header("x-content-type-options"), Some("nosniff"));
    assert!(
        picture.header("content-security-policy").is_some_and(|policy| policy.contains("default-src 'none'"))
    );
    assert!(picture.header("cache-control").is_some_and(|caching| caching.contains("immutable")));
    assert_ne!(STANDARD.encode(&picture.body), PIXEL, "it is the server's own");
    let channel = Request::new("GET", "/api/v1/channels/ada").send(weir.http).json();
    assert_eq!(channel["avatar"], address.as_str(), "the channel shows it");
    let script = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
    let mut both = STANDARD.decode(PIXEL).expect("base64");
    both.extend_from_slice(script);
    let made = ok(&put(&STANDARD.encode(&both)))["avatar"].as_str().expect("an address").to_owned();
    let made = Request::new("GET", &made).send(weir.http);
    assert!(!made.body.windows(7).any(|bytes| bytes == b"<script"), "a file that is two comes back as one");
    for (what, file) in [
        ("SVG", script.to_vec()),
        ("HTML", b"<!doctype html><script>alert(1)</script>".to_vec()),
        ("a GIF that is a script", b"GIF89a=1;alert(1)".to_vec()),
        ("half a file", STANDARD.decode(PIXEL).expect("base64")[..40].to_vec()),
        ("nothing", Vec::new()),
        ("a PDF", b"%PDF-1.7 and so on".to_vec()),
    ] {
        let problem = put(&STANDARD.encode(file)).problem(422);
        assert_eq!(problem.field.as_deref(), Some("image"), "{what}");
    }
    assert_eq!(put("not base64!").problem(422).field.as_deref(), Some("image"));
    let large = "A".repeat(6 * 1024 * 1024);
    assert_eq!(put(&large).status, 413);
    assert_eq!(call(&weir, Some(&owner), "PATCH", "me", &json!({ "bio": "x".repeat(70_000) })).status, 413);
    let gone = ok(&call(&weir, Some(&owner), "DELETE", "me/avatar", &Value::Null));
    assert!(gone["avatar"].is_null());
    assert_eq!(Request::new("GET", &address).send(weir.http).status, 404, "nobody has it any more");
    for wrong in ["/avatars/x", "/avatars/..%2f..%2fweir.db", "/avatars/'%20OR%201=1"] {
        assert_eq!(Request::new("GET", wrong).send(weir.http).status, 404, "{wrong}");
    }
    weir.assert_healthy();
}

#[test]
fn pictures_and_guesses_are_slowed_down() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let statuses: Vec<u16> = (0..14)
        .map(|_| call(&weir, Some(&owner), "PUT", "me/avatar", &json!({ "image": PIXEL })).status)
        .collect();
    assert!(statuses.contains(&429) && statuses[0] == 200, "{statuses:?}");
    let wrong = json!({ "current": "wrong horse battery", "new": "another horse battery" });
    let statuses: Vec<u16> =
        (0..14).map(|_| call(&weir, Some(&owner), "PUT", "me/password", &wrong).status).collect();
    assert!(statuses.contains(&429), "{statuses:?}");
}

#[test]
fn editors_and_vips_may_what_the_owner_lets_them() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    open(&weir, &owner);
    let (ben, cleo, dora) = (joined(&weir, "ben"), joined(&weir, "cleo"), joined(&weir, "dora"));
    let give = |account: &str, role: &str| {
        call(&weir, Some(&owner), "PUT", &format!("channels/ada/roles/{account}"), &json!({ "role": role }))
    };
    assert_eq!(ok(&give("ben", "vip"))["role"], "vip");
    assert_eq!(ok(&give("ben", "editor"))["role"], "editor", "another takes the place of the first");
    ok(&give("cleo", "vip"));
    give("nobody", "vip").problem(404);
    assert_eq!(give("ada", "editor").problem(409).kind, "/problems/is-owner");
    give("ben", "owner").problem(422);
    let names = |login: &Login| {
        let listed = ok(&call(&weir, Some(login), "GET", "channels/ada/roles", &Value::Null));
        listed["items"]
            .as_array()
            .expect("items")
            .iter()
            .map(|one| one["account"].to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&owner), ["\"ben\"", "\"cleo\""]);
    let edit = |login: &Login, body: Value| call(&weir, Some(login), "PATCH", "channels/ada", &body).status;
    let (title, private) = (json!({ "title": "Evening" }), json!({ "visibility": "PRIVATE" }));
    assert_eq!((edit(&ben, title.clone()), edit(&cleo, title.clone())), (200, 403));
    assert_eq!(
        (edit(&ben, private.clone()), edit(&owner, private)),
        (403, 200),
        "who sees it is the owner's to say"
    );
    let sees = |login: &Login| call(&weir, Some(login), "GET", "channels/ada", &Value::Null).status;
    assert_eq!((sees(&ben), sees(&cleo), sees(&dora)), (200, 200, 404));
    let edits = ok(&call(&weir, Some(&ben), "GET", "me", &Value::Null))["edits"].clone();
    assert_eq!(edits[0]["name"], "ada");
    let take = |account: &str| {
        call(&weir, Some(&owner), "DELETE", &format!("channels/ada/roles/{account}"), &Value::Null).status
    };
    assert_eq!((take("ben"), take("ben"), take("cleo")), (204, 404, 204));
    assert_eq!((sees(&ben), sees(&cleo)), (404, 404));
}

#[test]
fn who_runs_the_instance_keeps_people_out_and_lets_them_in_again() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    open(&weir, &owner);
    let (ben, cleo) = (joined(&weir, "ben"), joined(&weir, "cleo"));
    let change = |by: &Login, account: &str, body: Value| {
        call(&weir, Some(by), "PATCH", &format!("people/{account}"), &body)
    };
    assert_eq!(ok(&change(&owner, "ben", json!({ "role": "admin" })))["role"], "admin");
    change(&ben, "cleo", json!({ "role": "admin" })).problem(403);
    change(&cleo, "ben", json!({ "suspended": true })).problem(403);
    for (by, account) in [(&ben, "ada"), (&ben, "ben"), (&owner, "ada")] {
        assert_eq!(
            change(by, account, json!({ "suspended": true })).problem(409).kind,
            "/problems/untouchable"
        );
    }
    change(&owner, "ben", json!({ "role": "owner" })).problem(409);
    let made = ok(&call(&weir, Some(&cleo), "POST", "channels", &json!({ "name": "cleo" })));
    let key = made["streamKey"].as_str().expect("a key").to_owned();
    let token =
        ok(&call(&weir, Some(&cleo), "POST", "me/tokens", &json!({ "label": "x", "scopes": ["read"] })));
    let secret = token["secret"].as_str().expect("a secret").to_owned();
    let person = ok(&change(&ben, "cleo", json!({ "suspended": true })));
    assert!(person["suspendedAt"].is_string());
    assert_eq!(call(&weir, Some(&cleo), "GET", "me", &Value::Null).status, 401);
    assert_eq!(Request::new("GET", "/api/v1/me").bearer(&secret).send(weir.http).status, 401);
    let offer = Offering::to_send().sdp;
    let published = post_whip(weir.http, "/whip/cleo", &key, &offer);
    assert!(matches!(published.status, 401 | 403), "{}", published.status);
    let body = json!({ "name": "cleo", "password": PASSWORD });
    assert_eq!(call(&weir, None, "POST", "login", &body).problem(403).kind, "/problems/suspended");
    let wrong = json!({ "name": "cleo", "password": "wrong horse battery" });
    call(&weir, None, "POST", "login", &wrong).problem(401);
    Request::new("GET", "/api/v1/people/cleo").send(weir.http).problem(404);
    let found = ok(&call(&weir, Some(&ben), "GET", "people?search=CLE", &Value::Null));
    assert_eq!(found["items"].as_array().map(Vec::len), Some(1));
    for search in ["%25", "_", "'%20OR%201=1--", "%5C"] {
        let found = ok(&call(&weir, Some(&ben), "GET", &format!("people?search={search}"), &Value::Null));
        assert_eq!(found["items"].as_array().map(Vec::len), Some(0), "{search}");
    }
    ok(&change(&ben, "cleo", json!({ "suspended": false })));
    assert_eq!(call(&weir, None, "POST", "login", &body).status, 200);
    assert_eq!(post_whip(weir.http, "/whip/cleo", &key, &offer).status, 201);
    // An admin that the owner suspends is none of those who let themselves in again.
    ok(&change(&owner, "ben", json!({ "suspended": true })));
    assert_eq!(change(&ben, "ben", json!({ "suspended": false })).status, 401);
}

#[test]
fn following_is_counted_once_and_told() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    open(&weir, &owner);
    let ben = joined(&weir, "ben");
    let mut events = Events::open(weir.http);
    events.request("channel:stream_events:v1", "e", Some("ada"));
    events.until("the start", SOON, |message| message["event"] == "channel:stream_events:v1:started");
    let follow =
        |login: &Login, method: &str| call(&weir, Some(login), method, "channels/ada/follow", &Value::Null);
    assert_eq!(ok(&follow(&ben, "PUT"))["followers"], 1);
    let again = ok(&follow(&ben, "PUT"));
    assert_eq!(again["followers"], 1);
    assert!(again["since"].is_string());
    assert_eq!(follow(&owner, "PUT").problem(409).kind, "/problems/own-channel");
    assert_eq!(call(&weir, None, "PUT", "channels/ada/follow", &Value::Null).status, 401);
    let event = events.until("a follower", SOON, |message| message["payload"]["type"] == "FollowCreated");
    assert_eq!(event["payload"]["followers"], 1);
    assert!(!event.to_string().contains("ben"), "who it is, is not told to everybody");
    let shown = Request::new("GET", "/api/v1/channels/ada/follow").send(weir.http).json();
    assert_eq!((&shown["followers"], &shown["since"]), (&json!(1), &Value::Null));
    let followers = ok(&call(&weir, Some(&owner), "GET", "channels/ada/followers", &Value::Null));
    assert_eq!(followers["items"][0]["account"], "ben");
    assert_eq!(call(&weir, Some(&ben), "GET", "channels/ada/followers", &Value::Null).status, 403);
    let following = ok(&call(&weir, Some(&ben), "GET", "me/following", &Value::Null));
    assert_eq!(following["items"][0]["channel"]["name"], "ada");
    ok(&call(&weir, Some(&owner), "PATCH", "channels/ada", &json!({ "visibility": "PRIVATE" })));
    assert_eq!(follow(&ben, "GET").status, 404);
    let following = ok(&call(&weir, Some(&ben), "GET", "me/following", &Value::Null));
    assert_eq!(following["items"], json!([]), "a private channel is nobody's to see, followed or not");
    ok(&call(&weir, Some(&owner), "PATCH", "channels/ada", &json!({ "visibility": "PUBLIC" })));
    assert_eq!(ok(&follow(&ben, "DELETE"))["followers"], 0);
    assert_eq!(ok(&follow(&ben, "DELETE"))["followers"], 0);
}

#[test]
fn channels_are_found_by_words_category_and_tag() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    for (name, category, tags, title) in [
        ("bea", "Music", json!(["Piano", "calm"]), "Etudes by night"),
        ("carl", "Music", json!(["drums"]), "LOUD %_"),
        ("dora", "Making things", json!(["garden"]), "A river"),
    ] {
        ok(&call(&weir, Some(&owner), "POST", "channels", &json!({ "name": name })));
        let edit = json!({ "category": category, "tags": tags, "title": title });
        ok(&call(&weir, Some(&owner), "PATCH", &format!("channels/{name}"), &edit));
    }
    ok(&call(&weir, Some(&owner), "PATCH", "channels/dora", &json!({ "visibility": "UNLISTED" })));
    let names = |query: &str| -> Vec<String> {
        let found = Request::new("GET", &format!("/api/v1/channels?{query}")).send(weir.http).json();
        let name = |card: &Value| card["channel"]["name"].as_str().expect("a name").to_owned();
        found["items"].as_array().expect("items").iter().map(name).collect()
    };
    assert_eq!(names("search=etudes"), ["bea"]);
    assert_eq!(names("search=night%20MUSIC"), ["bea"], "each of the words, wherever it stands");
    assert_eq!(names("category=music"), ["bea", "carl"]);
    assert_eq!(names("category=music&limit=1").len(), 1);
    assert_eq!(names("tag=piano&category=Music"), ["bea"]);
    assert_eq!(names("search=%25_"), ["carl"], "signs stand for themselves");
    assert!(names("search=river").is_empty(), "what isn't listed isn't found");
    let mut walked = Vec::new();
    let mut path = "/api/v1/channels?search=a&limit=1".to_owned();
    loop {
        let page = Request::new("GET", &path).send(weir.http).json();
        walked.extend(
            page["items"].as_array().expect("items").iter().map(|card| card["channel"]["name"].clone()),
        );
        match page["next"].as_str() {
            Some(next) => path = format!("/api/v1/channels?search=a&limit=1&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(walked, ["ada", "bea", "carl"], "page by page");
    let categories = Request::new("GET", "/api/v1/categories").send(weir.http).json();
    assert_eq!(categories["items"], json!([{ "category": "Music", "channels": 2, "live": 0, "viewers": 0 }]));
}
