//! Raids: who watches is sent on, the other channel is told, and either side can say no.

use serde_json::{Value, json};
use std::time::Duration;
use weir_tests::{
    chat::{self, By, Reader, call},
    http::{Request, Response},
    peer::{Peer, Source},
    server::{Login, Weir},
};

/// A raid has left by then.
const LEAVES: Duration = Duration::from_secs(25);

fn raid(weir: &Weir, by: By<'_>, to: &str) -> Response {
    call(weir.http, "POST", "ada/chat/raid", by, Some(&json!({ "to": to })))
}

/// A second channel, somebody else's: their login and its key.
fn second(weir: &Weir) -> (Login, String) {
    let grace = chat::account(weir, "grace");
    let body = json!({ "name": "grace", "displayName": "Grace Hopper" });
    let made = Request::new("POST", "/api/v1/channels").header("cookie", grace.cookie.as_str());
    assert_eq!(made.json(&body).send(weir.http).status, 201);
    let key = stream_key(weir, &grace, "grace");
    (grace, key)
}

fn stream_key(weir: &Weir, login: &Login, channel: &str) -> String {
    let made = call(weir.http, "POST", &format!("{channel}/stream-key"), By::Login(login), Some(&json!({})));
    made.json()["streamKey"].as_str().expect("a key").to_owned()
}

fn publish(weir: &Weir, channel: &str, key: &str) -> Peer {
    let peer = Peer::publish(weir.http, channel, key, Source::new(1));
    weir.until_state(channel, "live", crate::SOON);
    peer
}

#[test]
fn a_raid_takes_along_and_is_told_where_it_goes() {
    let weir = Weir::start();
    let ada = weir.set_up("ada");
    let key = stream_key(&weir, &ada, "ada");
    let (grace, other_key) = second(&weir);
    let (by_ada, by_grace) = (By::Login(&ada), By::Login(&grace));
    assert_eq!(raid(&weir, by_ada, "grace").problem(409).kind, "/problems/raid-not-live");
    let _here = publish(&weir, "ada", &key);
    assert_eq!(raid(&weir, by_ada, "grace").problem(409).kind, "/problems/raid-not-live");
    let _there = publish(&weir, "grace", &other_key);

    raid(&weir, by_grace, "grace").problem(403);
    raid(&weir, By::Nobody, "grace").problem(401);
    raid(&weir, by_ada, "nobody").problem(404);
    assert_eq!(raid(&weir, by_ada, "ada").problem(422).field.as_deref(), Some("to"));

    let (mut from, mut to) = (Reader::join(weir.http, "ada"), Reader::join(weir.http, "grace"));
    let given =
        call(weir.http, "POST", "ada/chat/commands", by_ada, Some(&json!({ "text": "/raid @grace" })));
    assert_eq!(given.status, 200, "{}", given.text());
    let told = from.hear();
    assert_eq!(
        (&told["type"], &told["raid"]["to"], &told["raid"]["name"]),
        (&json!("raid"), &json!("grace"), &json!("Grace Hopper"))
    );
    let room = call(weir.http, "GET", "ada/chat", By::Nobody, None).json();
    assert_eq!(room["raid"], told["raid"], "who comes now is taken along too");
    let again = raid(&weir, by_ada, "grace").problem(429);
    assert_eq!(again.kind, "/problems/raid-too-soon");
    assert!(again.retry_after.is_some_and(|seconds| (1..=60).contains(&seconds)), "{again:?}");

    let raided = to.try_hear(LEAVES).expect("the raid");
    let name = call(weir.http, "GET", "ada", By::Nobody, None).json()["displayName"].clone();
    assert_eq!(raided, json!({ "type": "raided", "from": "ada", "name": name, "viewers": 0 }));
    let room = call(weir.http, "GET", "ada/chat", By::Nobody, None).json();
    assert_eq!(room["raid"], Value::Null, "it has left");
    let kinds = call(weir.http, "GET", "ada/chat/actions", by_ada, None).json();
    assert_eq!((&kinds["items"][0]["kind"], &kinds["items"][0]["detail"]), (&json!("raid"), &json!("grace")));
    // Both who look after the one channel and the other see it among what happened.
    let happened = |by: By<'_>, path: &str| call(weir.http, "GET", path, by, None).json()["items"].clone();
    let left = happened(by_ada, "ada/activity?kind=raidOut");
    let came = happened(by_grace, "grace/activity?kind=raidIn");
    assert_eq!(left.as_array().map(Vec::len), Some(1), "{left}");
    assert_eq!(
        (&left[0]["channel"], &left[0]["name"], &left[0]["viewers"]),
        (&json!("grace"), &json!("Grace Hopper"), &json!(0))
    );
    assert_eq!(came.as_array().map(Vec::len), Some(1), "{came}");
    assert_eq!((&came[0]["channel"], &came[0]["viewers"]), (&json!("ada"), &json!(0)));
}

#[test]
fn either_side_says_no() {
    let weir = Weir::start();
    let ada = weir.set_up("ada");
    let key = stream_key(&weir, &ada, "ada");
    let (grace, other_key) = second(&weir);
    let (by_ada, by_grace) = (By::Login(&ada), By::Login(&grace));
    let (_here, _there) = (publish(&weir, "ada", &key), publish(&weir, "grace", &other_key));
    let rules = |raids: bool| {
        let edit = json!({ "raids": raids });
        assert_eq!(call(weir.http, "PATCH", "grace/chat", by_grace, Some(&edit)).status, 200);
    };
    rules(false);
    assert_eq!(raid(&weir, by_ada, "grace").problem(403).kind, "/problems/raid-refused");
    rules(true);
    let adas = call(weir.http, "GET", "ada/chat", by_ada, None).json()["you"]["id"].clone();
    let ban = json!({ "person": adas });
    assert_eq!(call(weir.http, "POST", "grace/chat/bans", by_grace, Some(&ban)).status, 201);
    assert_eq!(raid(&weir, by_ada, "grace").problem(403).kind, "/problems/raid-refused");
    let path = format!("grace/chat/bans/{}", adas.as_str().expect("an id"));
    assert_eq!(call(weir.http, "DELETE", &path, by_grace, None).status, 204);

    let mut from = Reader::join(weir.http, "ada");
    call(weir.http, "DELETE", "ada/chat/raid", by_ada, None).problem(404);
    assert_eq!(raid(&weir, by_ada, "grace").status, 201);
    assert_eq!(from.hear()["type"], "raid");
    assert_eq!(call(weir.http, "DELETE", "ada/chat/raid", by_ada, None).status, 204);
    assert_eq!(from.hear(), json!({ "type": "raidOff" }));
    let room = call(weir.http, "GET", "ada/chat", By::Nobody, None).json();
    assert_eq!(room["raid"], Value::Null);
}
