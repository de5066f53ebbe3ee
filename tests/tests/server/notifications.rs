//! What people are told: by the bell, by push, once each, also over a crash.

use crate::SOON;
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};
use weir_tests::{
    events::Events,
    eventually,
    http::{Request, Response},
    peer::{Peer, Source},
    push::{Browser, PushService, Pushed, assert_signed},
    server::{Login, Weir},
};

const ALLOW: (&str, &str) = ("WEIR_OUTGOING_ALLOW", "127.0.0.1");

pub(crate) fn call(weir: &Weir, login: &Login, method: &str, path: &str, body: &Value) -> Response {
    let path = format!("/api/v1/{path}");
    let request = weir.same_origin(method, &path).header("cookie", login.cookie.as_str());
    if body.is_null() { request.send(weir.http) } else { request.json(body).send(weir.http) }
}

pub(crate) fn ok(response: &Response) -> Value {
    assert!(response.status < 300, "{}", response.text());
    if response.body.is_empty() { Value::Null } else { response.json() }
}

pub(crate) fn joined(weir: &Weir, owner: &Login, name: &str) -> Login {
    ok(&call(weir, owner, "PATCH", "instance/settings", &json!({ "signUp": "open" })));
    let body = json!({ "name": name, "displayName": name, "password": "correct horse battery" });
    Login::from_response(&weir.same_origin("POST", "/api/v1/sign-up").json(&body).send(weir.http))
}

pub(crate) fn follow(weir: &Weir, login: &Login, channel: &str) {
    ok(&call(weir, login, "PUT", &format!("channels/{channel}/follow"), &Value::Null));
}

pub(crate) fn told(weir: &Weir, login: &Login) -> Vec<Value> {
    ok(&call(weir, login, "GET", "me/notifications", &Value::Null))["items"]
        .as_array()
        .expect("items")
        .clone()
}

/// Asks the database, or changes what has no other way in: that time has passed.
pub(crate) fn in_database(weir: &Weir, statement: &str) -> u64 {
    let script = "import sqlite3,sys; d=sqlite3.connect(sys.argv[1],30); c=d.execute(sys.argv[2]); r=c.fetchone(); d.commit(); print(r[0] if r else max(c.rowcount, 0))";
    let done = std::process::Command::new("python3")
        .args(["-c", script])
        .arg(weir.data().join("weir.db"))
        .arg(statement)
        .output()
        .expect("python3");
    let said = String::from_utf8_lossy(&done.stdout);
    said.trim().parse().unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&done.stderr)))
}

/// Makes everything in an outbox due, as if the time had passed; how much there is.
pub(crate) fn make_due(weir: &Weir, outbox: &str) -> u64 {
    in_database(weir, &format!("UPDATE {outbox} SET due_at = 0"))
}

#[test]
fn followers_hear_that_a_channel_is_live_once_by_bell_and_push() {
    let service = PushService::start(&[]);
    let mut weir = Weir::start_with(&[ALLOW]);
    let owner = weir.set_up("ada");
    let ben = joined(&weir, &owner, "ben");
    follow(&weir, &ben, "ada");
    let browser = Browser::new(7);
    let subscription = browser.subscription(&format!("{}/send/ben", service.origin));
    let added = call(&weir, &ben, "POST", "me/push", &subscription);
    assert_eq!(added.status, 201, "{}", added.text());
    let mut bell = Events::open_as(weir.http, &ben.cookie);
    bell.request("account:stream_notifications:v1", "b", None);
    let first = bell.until("the bell", SOON, |message| message["payload"]["unread"].is_number());
    assert_eq!(first["payload"]["unread"], 0);
    let token = ok(&call(&weir, &owner, "POST", "channels/ada/publish-token", &json!({})));
    let token = token["token"].as_str().expect("a token").to_owned();
    ok(&call(&weir, &owner, "PATCH", "channels/ada", &json!({ "title": "Evening" })));
    let publisher = Peer::publish(weir.http, "ada", &token, Source::new(1));
    weir.until_state("ada", "live", SOON);
    let rung = bell.until("it rings", SOON, |message| message["payload"]["unread"] == 1);
    assert_eq!(rung["payload"]["latest"]["title"], "ada is live");
    let pushed = service.next();
    assert_eq!((pushed.path.as_str(), pushed.header("content-encoding")), ("/send/ben", "aes128gcm"));
    assert!(pushed.header("ttl").parse::<u32>().is_ok_and(|seconds| seconds > 0));
    assert_signed(&weir, &pushed, &service.origin);
    let text = browser.open(&pushed.body);
    assert_eq!(
        (&text["title"], &text["body"], &text["url"]),
        (&json!("ada is live"), &json!("Evening"), &json!("/ada"))
    );
    assert_eq!(pushed.header("topic"), text["id"].as_str().expect("an id"));
    eventually("it is written that it left", SOON, || {
        (in_database(&weir, "SELECT COUNT(*) FROM outbox") == 0).then_some(())
    });
    // Killed and started again while it is live: nobody is told twice.
    weir.crash();
    weir.start_again();
    weir.until_state("ada", "waiting", SOON * 2);
    let others = told(&weir, &ben);
    assert_eq!(others.len(), 1, "{others:?}");
    assert!(service.is_quiet(), "one push each");
    let until = others[0]["at"].clone();
    let bell = ok(&call(&weir, &ben, "PUT", "me/notifications/read", &json!({ "until": until })));
    assert_eq!(bell["unread"], 0);
    assert_eq!(told(&weir, &ben)[0]["read"], true);
    drop(publisher);
}

#[test]
fn what_was_to_leave_outlives_a_crash_and_a_service_that_is_away() {
    let service = PushService::start(&[503, 301, 410]);
    let mut weir = Weir::start_with(&[ALLOW]);
    let owner = weir.set_up("ada");
    let wishes = json!({
        "wentLive": { "inApp": true, "push": true }, "mention": { "inApp": true, "push": true },
        "follower": { "inApp": true, "push": true }, "system": { "inApp": true, "push": true }, "quiet": null,
    });
    ok(&call(&weir, &owner, "PUT", "me/notification-preferences", &wishes));
    let browser = Browser::new(9);
    for path in ["a", "b", "c"] {
        let subscription = browser.subscription(&format!("{}/{path}", service.origin));
        assert_eq!(call(&weir, &owner, "POST", "me/push", &subscription).status, 201);
    }
    let ben = joined(&weir, &owner, "ben");
    follow(&weir, &ben, "ada");
    // One is to come later, one is refused for ever (a redirect is followed nowhere), one is gone.
    let first: Vec<Pushed> = (0..3).map(|_| service.next()).collect();
    assert!(first.iter().all(|pushed| browser.open(&pushed.body)["title"] == "ben follows ada"));
    eventually("what became of them is written", SOON, || {
        let metrics = Request::new("GET", "/metrics").send(weir.http).text();
        metrics.contains("weir_push_failed_total 3").then_some(())
    });
    let left = ok(&call(&weir, &owner, "GET", "me/push", &Value::Null));
    assert_eq!(left["items"].as_array().map(Vec::len), Some(2), "the one that is gone is forgotten");
    assert!(service.has_said_all());
    weir.crash();
    // What waits for its next try is made to be due, as if the time had passed.
    assert_eq!(make_due(&weir, "outbox"), 1, "one message waits");
    weir.start_again();
    let again = service.next();
    assert_eq!(browser.open(&again.body)["title"], "ben follows ada");
    assert!(
        first
            .iter()
            .any(|pushed| pushed.path == again.path && pushed.header("topic") == again.header("topic"))
    );
    assert_eq!(told(&weir, &owner).len(), 1, "the bell has it once");
}

#[test]
fn wishes_are_heeded_and_alike_is_gathered() {
    let service = PushService::start(&[]);
    let weir = Weir::start_with(&[ALLOW]);
    let owner = weir.set_up("ada");
    let browser = Browser::new(3);
    ok(&call(&weir, &owner, "POST", "me/push", &browser.subscription(&format!("{}/ada", service.origin))));
    for name in ["ben", "cleo", "dora"] {
        let login = joined(&weir, &owner, name);
        follow(&weir, &login, "ada");
        ok(&call(&weir, &login, "DELETE", "channels/ada/follow", &Value::Null));
        follow(&weir, &login, "ada");
    }
    let all = told(&weir, &owner);
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(
        (&all[0]["count"], &all[0]["title"]),
        (&json!(3), &json!("3 people follow ada, dora the last of them"))
    );
    assert!(service.is_quiet(), "followers ring no browser unless one wishes it");
    let ben = joined(&weir, &owner, "evan");
    let text = json!({ "text": "Hello @ada, and @ada again" });
    ok(&call(&weir, &ben, "POST", "channels/ada/chat/messages", &text));
    let pushed = service.next();
    let said = browser.open(&pushed.body);
    assert_eq!(
        (&said["title"], &said["body"]),
        (&json!("evan mentioned you in the chat of ada"), &text["text"])
    );
    ok(&call(&weir, &ben, "POST", "channels/ada/chat/messages", &json!({ "text": "@ada?" })));
    eventually("both are gathered", SOON, || {
        told(&weir, &owner).iter().any(|one| one["count"] == 2).then_some(())
    });
    assert!(service.is_quiet(), "who hasn't read the first isn't rung up again");
    let silent = json!({
        "wentLive": { "inApp": false, "push": false, "email": false },
        "mention": { "inApp": false, "push": false, "email": false },
        "follower": { "inApp": false, "push": false, "email": false },
        "moderation": { "inApp": false, "push": false, "email": false },
        "subscription": { "inApp": false, "push": false, "email": false },
        "system": { "inApp": true, "push": true, "email": false },
        "quiet": { "from": 60, "to": 120, "offset": 0 },
    });
    ok(&call(&weir, &owner, "PUT", "me/notification-preferences", &silent));
    assert_eq!(ok(&call(&weir, &owner, "GET", "me/notification-preferences", &Value::Null)), silent);
    let before = told(&weir, &owner).len();
    let login = joined(&weir, &owner, "fred");
    follow(&weir, &login, "ada");
    assert_eq!(told(&weir, &owner).len(), before, "who wants to hear nothing hears nothing");
    for bad in [
        json!({ "from": 60, "to": 60, "offset": 0 }),
        json!({ "from": 1440, "to": 0, "offset": 0 }),
        json!({ "from": 60, "to": 120, "zone": "Europe/Nowhere" }),
        json!({ "from": 60, "to": 120, "zone": "'; --" }),
    ] {
        let mut wishes = silent.clone();
        wishes["quiet"] = bad;
        call(&weir, &owner, "PUT", "me/notification-preferences", &wishes).problem(422);
    }
    // By a zone's clocks, or by a clock that stays as it is.
    for good in [
        json!({ "from": 60, "to": 120, "offset": 0, "zone": "Europe/Vienna" }),
        json!({ "from": 60, "to": 120, "offset": -600 }),
    ] {
        let mut wishes = silent.clone();
        wishes["quiet"] = good;
        ok(&call(&weir, &owner, "PUT", "me/notification-preferences", &wishes));
        let kept = ok(&call(&weir, &owner, "GET", "me/notification-preferences", &Value::Null));
        assert_eq!(kept["quiet"], wishes["quiet"]);
    }
}

#[test]
fn push_goes_to_no_address_inside() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let browser = Browser::new(5);
    for endpoint in [
        "http://127.0.0.1:9/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://[::ffff:10.0.0.1]/x",
        "https://169.254.169.254/latest/meta-data",
        "https://0x7f000001/x",
        "http://example.com/x@",
        "ftp://example.com/x",
        "file:///etc/passwd",
        "https://user:pass@example.com/",
        "",
    ] {
        let answer = call(&weir, &owner, "POST", "me/push", &browser.subscription(endpoint));
        // An address without TLS whose name nobody has looked up yet is taken, and refused when it is called.
        let named = endpoint.starts_with("http://example");
        assert!(answer.status == 422 || named, "{endpoint}: {}", answer.text());
    }
    let mut keys = browser.subscription("https://push.example/x");
    keys["keys"]["p256dh"] = json!("BAAA");
    assert_eq!(call(&weir, &owner, "POST", "me/push", &keys).problem(422).field.as_deref(), Some("keys"));
    assert_eq!(call(&weir, &owner, "DELETE", "me/push/01m7", &Value::Null).status, 404);
    assert!(!weir.console().contains("push.example"));
}

/// By these ways of everything, and never quiet.
pub(crate) fn wishes(in_app: bool, push: bool, email: bool) -> Value {
    let ways = json!({ "inApp": in_app, "push": push, "email": email });
    json!({
        "wentLive": ways, "mention": ways, "follower": ways, "moderation": ways, "subscription": ways,
        "system": ways, "quiet": null,
    })
}

/// Somebody who wants these, told in a browser of theirs.
fn pushed_to(weir: &Weir, login: &Login, browser: &Browser, service: &PushService, wishes: &Value) {
    ok(&call(weir, login, "PUT", "me/notification-preferences", wishes));
    let subscription = browser.subscription(&format!("{}/{}", service.origin, login.cookie.len()));
    assert_eq!(call(weir, login, "POST", "me/push", &subscription).status, 201);
}

fn say(weir: &Weir, login: &Login, text: &str) {
    ok(&call(weir, login, "POST", "channels/ada/chat/messages", &json!({ "text": text })));
}

/// Quiet hours that have begun and won't be over within this test.
fn quiet_now() -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs() / 60;
    json!({ "from": (now + 1430) % 1440, "to": (now + 60) % 1440, "offset": 0 })
}

#[test]
fn quiet_hours_keep_what_rings_until_they_are_over_and_what_is_read_meanwhile_never_rings() {
    let service = PushService::start(&[]);
    let weir = Weir::start_with(&[ALLOW]);
    let owner = weir.set_up("ada");
    let browser = Browser::new(4);
    let mut quiet = wishes(true, true, false);
    quiet["quiet"] = quiet_now();
    pushed_to(&weir, &owner, &browser, &service, &quiet);
    let ben = joined(&weir, &owner, "ben");
    follow(&weir, &ben, "ada");
    assert_eq!(told(&weir, &owner).len(), 1, "the bell makes no noise");
    let waiting = "SELECT COUNT(*) FROM outbox";
    assert_eq!(in_database(&weir, waiting), 1);
    ok(&call(&weir, &owner, "PUT", "me/notifications/read", &json!({ "until": "2100-01-01T00:00:00Z" })));
    assert_eq!(in_database(&weir, waiting), 0, "it was read");
    follow(&weir, &joined(&weir, &owner, "cleo"), "ada");
    assert_eq!(in_database(&weir, waiting), 1);
    // Made due all the same, as a try that failed before the quiet hours may be.
    make_due(&weir, "outbox");
    let mut silent = wishes(true, false, false);
    silent["mention"]["push"] = json!(true);
    silent["quiet"] = quiet["quiet"].clone();
    ok(&call(&weir, &owner, "PUT", "me/notification-preferences", &silent));
    eventually("nobody wants it any more", SOON, || (in_database(&weir, waiting) == 0).then_some(()));
    say(&weir, &ben, "Good night @ada");
    eventually("it waits", SOON, || (in_database(&weir, waiting) == 1).then_some(()));
    make_due(&weir, "outbox");
    ok(&call(&weir, &owner, "PUT", "me/notification-preferences", &silent));
    let later = "SELECT COUNT(*) FROM outbox WHERE due_at > 0";
    eventually("it waits for the morning", SOON, || (in_database(&weir, later) == 1).then_some(()));
    assert!(service.is_quiet(), "nothing left the server");
    silent["quiet"] = Value::Null;
    ok(&call(&weir, &owner, "PUT", "me/notification-preferences", &silent));
    assert_eq!(browser.open(&service.next().body)["title"], "ben mentioned you in the chat of ada");
}

#[test]
fn who_is_told_by_push_alone_is_told_each_time() {
    let service = PushService::start(&[]);
    let weir = Weir::start_with(&[ALLOW]);
    let owner = weir.set_up("ada");
    let browser = Browser::new(6);
    pushed_to(&weir, &owner, &browser, &service, &wishes(false, true, false));
    let ben = joined(&weir, &owner, "ben");
    for text in ["@ada, one", "@ada, two"] {
        say(&weir, &ben, text);
        assert_eq!(
            browser.open(&service.next().body)["body"],
            text,
            "no bell shows it, so that nobody reads it"
        );
        eventually("it has left", SOON, || {
            (in_database(&weir, "SELECT COUNT(*) FROM outbox") == 0).then_some(())
        });
    }
    assert!(told(&weir, &owner).is_empty());
}

#[test]
fn a_browser_is_told_until_its_login_ends() {
    let service = PushService::start(&[]);
    let weir = Weir::start_with(&[ALLOW]);
    let owner = weir.set_up("ada");
    let browser = Browser::new(8);
    let ben = joined(&weir, &owner, "ben");
    follow(&weir, &ben, "ada");
    pushed_to(&weir, &ben, &browser, &service, &wishes(true, true, false));
    let cleo = joined(&weir, &owner, "cleo");
    say(&weir, &cleo, "Are you there, @ben?");
    service.next();
    let mut quiet = wishes(true, true, false);
    quiet["quiet"] = quiet_now();
    ok(&call(&weir, &ben, "PUT", "me/notification-preferences", &quiet));
    ok(&call(&weir, &ben, "PUT", "me/notifications/read", &json!({ "until": "2100-01-01T00:00:00Z" })));
    say(&weir, &cleo, "Good night, @ben");
    eventually("it waits", SOON, || (in_database(&weir, "SELECT COUNT(*) FROM outbox") == 1).then_some(()));
    ok(&call(&weir, &owner, "PATCH", "people/ben", &json!({ "suspended": true })));
    assert_eq!(in_database(&weir, "SELECT COUNT(*) FROM push_browsers"), 0);
    assert_eq!(in_database(&weir, "SELECT COUNT(*) FROM outbox"), 0, "what was to go there goes nowhere");
    let before = in_database(&weir, "SELECT COUNT(*) FROM notified");
    say(&weir, &cleo, "And now, @ben?");
    say(&weir, &cleo, "And you, @ada?");
    eventually("the next is told", SOON, || {
        told(&weir, &owner).iter().any(|one| one["kind"] == "mention").then_some(())
    });
    assert_eq!(
        in_database(&weir, "SELECT COUNT(*) FROM notified"),
        before + 1,
        "nobody tells who may not be here"
    );
}

#[test]
fn whose_password_is_changed_hears_of_it() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let ben = joined(&weir, &owner, "ben");
    let change = json!({ "current": "correct horse battery", "new": "battery staple correct" });
    ok(&call(&weir, &ben, "PUT", "me/password", &change));
    let all = told(&weir, &ben);
    assert_eq!((&all[0]["kind"], &all[0]["url"]), (&json!("system"), &json!("/settings")));
    assert!(told(&weir, &owner).is_empty());
}

#[test]
fn what_was_said_just_before_a_crash_is_told_after_it() {
    let mut weir = Weir::start();
    let owner = weir.set_up("ada");
    let ben = joined(&weir, &owner, "ben");
    say(&weir, &ben, "Good evening @ada");
    say(&weir, &ben, "Good evening, everybody");
    let mentioned =
        |weir: &Weir| told(weir, &owner).iter().filter(|one| one["kind"] == "mention").count() == 1;
    eventually("it is told", SOON, || mentioned(&weir).then_some(()));
    // As if it had ended between the message and the notification.
    weir.crash();
    in_database(&weir, "DELETE FROM notifications");
    assert_eq!(in_database(&weir, "DELETE FROM notified"), 1);
    weir.start_again();
    eventually("it is told after all", SOON, || mentioned(&weir).then_some(()));
    weir.crash();
    weir.start_again();
    say(&weir, &ben, "Still there, @ada?");
    eventually("the next is gathered", SOON, || {
        told(&weir, &owner).iter().any(|one| one["count"] == 2).then_some(())
    });
    assert!(mentioned(&weir), "nothing is told twice");
}

#[test]
fn a_message_whose_answer_a_crash_cut_off_is_the_same_once_more() {
    let service = PushService::start(&[0]);
    let mut weir = Weir::start_with(&[ALLOW]);
    let owner = weir.set_up("ada");
    let browser = Browser::new(2);
    pushed_to(&weir, &owner, &browser, &service, &wishes(true, true, false));
    follow(&weir, &joined(&weir, &owner, "ben"), "ada");
    let first = service.next();
    weir.crash();
    weir.start_again();
    let again = service.next();
    assert_ne!(first.body, again.body, "no key is used twice");
    let (said, once_more) = (browser.open(&first.body), browser.open(&again.body));
    assert_eq!(said, once_more);
    assert_eq!((first.header("topic"), &said["id"]), (again.header("topic"), &once_more["id"]));
    let topic = first.header("topic");
    assert!(!topic.is_empty() && topic.len() <= 32, "as RFC 8030 has it: {topic}");
    eventually("it is done", SOON, || (in_database(&weir, "SELECT COUNT(*) FROM outbox") == 0).then_some(()));
    assert!(service.is_quiet());
}

#[test]
fn a_push_service_that_never_answers_holds_up_nobody_else() {
    let (silent, prompt) = (PushService::start(&[0; 20]), PushService::start(&[]));
    let weir = Weir::start_with(&[ALLOW]);
    let owner = weir.set_up("ada");
    let (browser, ben) = (Browser::new(1), joined(&weir, &owner, "ben"));
    for place in 0..20 {
        let subscription = browser.subscription(&format!("{}/{place}", silent.origin));
        assert_eq!(call(&weir, &ben, "POST", "me/push", &subscription).status, 201);
    }
    let one_more = browser.subscription(&format!("{}/21", silent.origin));
    assert_eq!(
        call(&weir, &ben, "POST", "me/push", &one_more).problem(409).kind,
        "/problems/too-many-browsers"
    );
    pushed_to(&weir, &owner, &browser, &prompt, &wishes(true, true, false));
    let cleo = joined(&weir, &owner, "cleo");
    say(&weir, &cleo, "Hello @ben");
    (0..20).for_each(|_| drop(silent.next()));
    say(&weir, &cleo, "Hello @ada");
    prompt.next();
    let metrics = Request::new("GET", "/metrics").send(weir.http).text();
    assert!(metrics.contains("weir_push_failed_total 0"), "nobody had to lose patience for it");
}

#[test]
fn in_a_private_channel_a_mention_is_told_to_whom_it_is_open_by_whichever_way() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let own = |method: &str, path: &str, body: Value| {
        ok(&call(&weir, &owner, method, &format!("channels/ada{path}"), &body))
    };
    let names = ["mo", "sub", "listed", "gone"];
    let people = names.map(|name| joined(&weir, &owner, name));
    own("PATCH", "", json!({ "visibility": "PRIVATE" }));
    own("PUT", "/moderators/mo", json!({}));
    own("PUT", "/subscribers/sub", json!({ "tier": "one", "days": 30 }));
    own("PATCH", "/access", json!({ "subscribers": "one" }));
    for name in ["listed", "gone"] {
        own("PUT", &format!("/admitted/{name}"), Value::Null);
    }
    // Who wrote is known there by name.
    for person in &people {
        ok(&call(&weir, person, "POST", "channels/ada/chat/messages", &json!({ "text": "Here" })));
    }
    own("DELETE", "/admitted/gone", Value::Null);
    own("POST", "/chat/messages", json!({ "text": "@gone @mo @sub @listed On we go" }));
    for (person, name) in people.iter().zip(names).take(3) {
        eventually(&format!("{name} is told"), SOON, || {
            told(&weir, person).iter().any(|one| one["kind"] == "mention").then_some(())
        });
    }
    assert!(told(&weir, &people[3]).is_empty(), "who was mentioned first is out");
}
