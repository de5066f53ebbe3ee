//! Subscriptions: what owners give, gift codes, and what comes of both.

use crate::SOON;
use serde_json::{Value, json};
use shared::unit::Timestamp;
use weir_tests::{
    chat,
    events::Events,
    http::Response,
    server::{Login, Weir},
};

fn call(weir: &Weir, cookie: &str, method: &str, path: &str, body: &Value) -> Response {
    let path = format!("/api/v1/{path}");
    let request = weir.same_origin(method, &path).header("cookie", cookie);
    if body.is_null() { request.send(weir.http) } else { request.json(body).send(weir.http) }
}

#[track_caller]
fn ok(response: &Response) -> Value {
    assert!(response.status < 300, "{} {}", response.status, response.text());
    if response.body.is_empty() { Value::Null } else { response.json() }
}

fn codes(weir: &Weir, owner: &Login, wanted: Value) -> (Vec<String>, String) {
    let made = ok(&call(weir, &owner.cookie, "POST", "channels/ada/gift-codes", &wanted));
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let codes = made["codes"].as_array().expect("codes").iter().map(text).collect();
    (codes, text(&made["batch"]["id"]))
}

fn redeem(weir: &Weir, cookie: &str, code: &str) -> Response {
    call(weir, cookie, "POST", "me/subscriptions", &json!({ "code": code }))
}

#[test]
fn an_owner_gives_lengthens_lists_and_ends_subscriptions() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let [ben, cleo] = ["ben", "cleo"].map(|name| chat::account(&weir, name).cookie);
    let own = |method: &str, path: &str, body: Value| {
        call(&weir, &owner.cookie, method, &format!("channels/ada/{path}"), &body)
    };
    let mut events = Events::open(weir.http);
    events.request("channel:stream_events:v1", "e", Some("ada"));
    events.until("it follows", SOON, |message| message["event"] == "channel:stream_events:v1:started");
    let created = |events: &mut Events| {
        let event =
            events.until("a subscriber", SOON, |told| told["payload"]["type"] == "SubscriptionCreated");
        assert!(event["payload"].get("account").is_none(), "who it is, is the owner's to know");
        (event["payload"]["tier"].clone(), event["payload"]["subscribers"].clone())
    };

    let first = ok(&own("PUT", "subscribers/ben", json!({ "tier": "one", "days": 30 })));
    assert_eq!(first["benefits"], json!({ "badge": true, "emotes": true, "adFree": false }));
    assert_eq!(created(&mut events), (json!("one"), json!(1)));
    let longer = ok(&own("PUT", "subscribers/ben", json!({ "tier": "one", "days": 30 })));
    assert_eq!(longer["since"], first["since"]);
    assert!(longer["endsAt"].as_str() > first["endsAt"].as_str());
    ok(&own("PUT", "subscribers/cleo", json!({ "tier": "two", "days": 1 })));
    assert_eq!(created(&mut events), (json!("two"), json!(2)), "to be given more of the same is no news");
    ok(&own("PUT", "subscribers/ben", json!({ "tier": "three", "days": 1 })));
    assert_eq!(created(&mut events), (json!("three"), json!(2)));

    let told = ok(&call(&weir, &ben, "GET", "channels/ada/subscription", &Value::Null));
    assert_eq!(told["own"]["tier"], "three", "the highest counts");
    assert_eq!(told["tiers"].as_array().map(Vec::len), Some(3));
    assert!(told["tiers"][0]["checkoutUrl"].is_null());
    let mine = ok(&call(&weir, &ben, "GET", "me/subscriptions", &Value::Null));
    let tiers: Vec<&Value> =
        mine["items"].as_array().expect("a page").iter().map(|one| &one["tier"]).collect();
    assert_eq!(tiers, ["one", "three"], "the latest end first");

    // In pages, without leaving anybody out.
    let mut seen = Vec::new();
    let mut path = "subscribers?limit=1".to_owned();
    loop {
        let page = ok(&own("GET", &path, Value::Null));
        seen.extend(page["items"].as_array().expect("a page").iter().map(|one| one["account"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("subscribers?limit=1&cursor={next}");
    }
    seen.sort_by_key(ToString::to_string);
    assert_eq!(seen, ["ben", "ben", "cleo"]);

    for (account, body, status) in [
        ("nobody", json!({ "tier": "one", "days": 1 }), 404),
        ("ben", json!({ "tier": "one", "days": 0 }), 422),
        ("ben", json!({ "tier": "one", "days": 367 }), 422),
        ("ben", json!({ "tier": "four", "days": 1 }), 422),
        ("ben", json!({ "tier": "one" }), 422),
    ] {
        own("PUT", &format!("subscribers/{account}"), body).problem(status);
    }
    let by_cleo =
        call(&weir, &cleo, "PUT", "channels/ada/subscribers/cleo", &json!({ "tier": "three", "days": 9 }));
    by_cleo.problem(403);
    assert_eq!(own("DELETE", "subscribers/ben", Value::Null).status, 204);
    own("DELETE", "subscribers/ben", Value::Null).problem(404);
    let told = ok(&call(&weir, &ben, "GET", "channels/ada/subscription", &Value::Null));
    assert!(told["own"].is_null());
}

#[test]
fn a_gift_code_is_shown_once_and_redeemed_once() {
    let mut weir = Weir::start();
    let owner = weir.set_up("ada");
    let [ben, cleo] = ["ben", "cleo"].map(|name| chat::account(&weir, name).cookie);
    let wanted = json!({ "label": "Raffle", "tier": "two", "days": 31, "count": 3 });
    let (made, batch) = codes(&weir, &owner, wanted);
    assert_eq!(made.len(), 3);
    assert!(
        made.iter().all(|code| code.len() == 24 && made.iter().filter(|other| *other == code).count() == 1)
    );
    let list = |weir: &Weir| ok(&call(weir, &owner.cookie, "GET", "channels/ada/gift-codes", &Value::Null));
    let listed = list(&weir);
    assert!(made.iter().all(|code| !listed.to_string().contains(code.as_str())));
    let first = &listed["items"][0];
    assert_eq!(
        (&first["label"], &first["count"], &first["redeemed"]),
        (&json!("Raffle"), &json!(3), &json!(0))
    );

    // However people type it, and again without an effect by the same person.
    let typed = made[0].to_lowercase().replace('-', " ");
    let got = ok(&redeem(&weir, &ben, &typed));
    assert_eq!((&got["channel"], &got["tier"]), (&json!("ada"), &json!("two")));
    assert_eq!(ok(&redeem(&weir, &ben, &made[0]))["endsAt"], got["endsAt"]);
    assert_eq!(redeem(&weir, &cleo, &made[0]).problem(409).kind, "/problems/code-used");
    // It outlives the process.
    weir.crash();
    weir.start_again();
    assert_eq!(ok(&redeem(&weir, &ben, &made[0]))["endsAt"], got["endsAt"]);
    assert_eq!(redeem(&weir, &cleo, &made[0]).problem(409).kind, "/problems/code-used");
    // A second one makes it longer.
    assert!(ok(&redeem(&weir, &ben, &made[1]))["endsAt"].as_str() > got["endsAt"].as_str());
    assert_eq!(list(&weir)["items"][0]["redeemed"], 2);

    let path = format!("channels/ada/gift-codes/{batch}");
    call(&weir, &cleo, "DELETE", &path, &Value::Null).problem(403);
    assert_eq!(call(&weir, &owner.cookie, "DELETE", &path, &Value::Null).status, 204);
    assert_eq!(
        redeem(&weir, &cleo, &made[2]).problem(422).kind,
        "/problems/unknown-code",
        "it was withdrawn"
    );
    let kept = list(&weir);
    assert_eq!((&kept["items"][0]["count"], &kept["items"][0]["redeemed"]), (&json!(2), &json!(2)));
    // What the owner ended, a code that was redeemed brings back for nobody.
    assert_eq!(
        call(&weir, &owner.cookie, "DELETE", "channels/ada/subscribers/ben", &Value::Null).status,
        204
    );
    assert_eq!(redeem(&weir, &ben, &made[0]).problem(410).kind, "/problems/code-over");
    let (more, batch) = codes(&weir, &owner, json!({ "tier": "one", "days": 1, "count": 1 }));
    let path = format!("channels/ada/gift-codes/{batch}");
    assert_eq!(call(&weir, &owner.cookie, "DELETE", &path, &Value::Null).status, 204);
    call(&weir, &owner.cookie, "DELETE", &path, &Value::Null).problem(404);
    redeem(&weir, &ben, &more[0]).problem(422);
    for bad in [
        json!({ "tier": "one", "days": 1, "count": 0 }),
        json!({ "tier": "one", "days": 1, "count": 101 }),
        json!({ "tier": "one", "days": 0, "count": 1 }),
        json!({ "tier": "one", "days": 1, "count": 1, "redeemWithinDays": 0 }),
    ] {
        call(&weir, &owner.cookie, "POST", "channels/ada/gift-codes", &bad).problem(422);
    }
    assert!(made.iter().all(|code| !weir.console().contains(code.as_str())));
}

#[test]
fn a_code_that_many_redeem_at_once_is_one_person_s() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let people: Vec<String> = (0..6).map(|n| chat::account(&weir, &format!("one{n}")).cookie).collect();
    let (made, _) = codes(&weir, &owner, json!({ "tier": "one", "days": 31, "count": 1 }));
    for round in 0..2 {
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let tries: Vec<_> = people
                .iter()
                .enumerate()
                // Each asks twice at once, as somebody who presses the button again.
                .flat_map(|one| [one, one])
                .map(|(number, cookie)| {
                    let (weir, code) = (&weir, json!({ "code": made[0] }));
                    scope.spawn(move || {
                        let request = weir.same_origin("POST", "/api/v1/me/subscriptions");
                        let request = request.header("x-forwarded-for", format!("198.51.100.{number}"));
                        request.header("cookie", cookie.as_str()).json(&code).send(weir.http).status
                    })
                })
                .collect();
            tries.into_iter().map(|one| one.join().expect("an answer")).collect()
        });
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 2, "{round}: {statuses:?}");
        assert!(statuses.iter().all(|status| matches!(status, 200 | 409)), "{statuses:?}");
    }
    let listed = ok(&call(&weir, &owner.cookie, "GET", "channels/ada/subscribers", &Value::Null));
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
    let at = |field: &str| {
        let time = serde_json::from_value::<Timestamp>(listed["items"][0][field].clone());
        time.expect("a time").as_millis()
    };
    assert_eq!(at("endsAt") - at("since"), 31 * 24 * 60 * 60 * 1000, "it is credited once");
    let batch = ok(&call(&weir, &owner.cookie, "GET", "channels/ada/gift-codes", &Value::Null));
    assert_eq!(batch["items"][0]["redeemed"], 1);
}

#[test]
fn codes_are_guessed_slowly() {
    let weir = Weir::start();
    weir.set_up("ada");
    let [ben, cleo] = ["ben", "cleo"].map(|name| chat::account(&weir, name).cookie);
    let guess = |cookie: &str, address: &str, n: usize| {
        let request = weir.same_origin("POST", "/api/v1/me/subscriptions").header("x-forwarded-for", address);
        let code = json!({ "code": format!("0000-0000-0000-0000-{n:04}") });
        request.header("cookie", cookie).json(&code).send(weir.http)
    };
    let statuses: Vec<u16> = (0..14).map(|n| guess(&ben, &format!("198.51.100.{n}"), n).status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 422).count(), 10, "one person: {statuses:?}");
    assert_eq!(statuses.last(), Some(&429));
    let refused = guess(&ben, "198.51.100.99", 0).problem(429);
    assert!(refused.retry_after.is_some_and(|seconds| seconds > 1));
    let statuses: Vec<u16> = (0..14).map(|n| guess(&cleo, "203.0.113.1", n).status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 422).count(), 10, "{statuses:?}");
    for rubbish in ["", "x", "'; DROP TABLE gift_codes; --", &"0".repeat(5000)] {
        let request = weir.same_origin("POST", "/api/v1/me/subscriptions").header("cookie", ben.as_str());
        let response = request.json(&json!({ "code": rubbish })).send(weir.http);
        assert!(matches!(response.status, 422 | 429), "{rubbish:.30}: {}", response.status);
    }
    let nobody = weir.same_origin("POST", "/api/v1/me/subscriptions").json(&json!({ "code": "x" }));
    nobody.send(weir.http).problem(401);
}
