//! Webhooks: a real receiver is told what happens, signed, once it can be; and nothing that isn't public is called.

use crate::SOON;
use serde_json::{Value, json};
use std::{collections::HashSet, time::Duration};
use weir_tests::{
    chat, eventually,
    http::Response,
    peer::{Peer, Source},
    receiver::Receiver,
    server::{Login, Weir},
};

/// What is tried again comes after 5 s, and the next time after a minute, should the machine be busy.
const AGAIN: Duration = Duration::from_secs(90);
/// Tests' receivers are on this machine.
const ALLOWED: (&str, &str) = ("WEIR_OUTGOING_ALLOW", "127.0.0.1");

fn call(weir: &Weir, login: &Login, method: &str, path: &str, body: &Value) -> Response {
    let path = format!("/api/v1/{path}");
    let request = weir.same_origin(method, &path).header("cookie", login.cookie.as_str());
    if body.is_null() { request.send(weir.http) } else { request.json(body).send(weir.http) }
}

fn ok(response: &Response) -> Value {
    assert!(response.status < 300, "{}", response.text());
    if response.body.is_empty() { Value::Null } else { response.json() }
}

/// A webhook's id and its secret.
fn hook(weir: &Weir, login: &Login, url: &str, kinds: &[&str]) -> (String, String) {
    let made = call(weir, login, "POST", "channels/ada/webhooks", &json!({ "url": url, "kinds": kinds }));
    let made = ok(&made);
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    (text(&made["webhook"]["id"]), text(&made["secret"]))
}

fn deliveries(weir: &Weir, login: &Login, id: &str) -> Vec<Value> {
    let page = ok(&call(weir, login, "GET", &format!("channels/ada/webhooks/{id}/deliveries"), &Value::Null));
    page["items"].as_array().expect("items").clone()
}

/// The newest delivery, once it is in a state.
fn until_state(weir: &Weir, login: &Login, id: &str, state: &str) -> Value {
    eventually(&format!("a delivery is {state}"), SOON, || {
        deliveries(weir, login, id).into_iter().next().filter(|one| one["state"] == state)
    })
}

fn edit(weir: &Weir, login: &Login, title: &str) {
    ok(&call(weir, login, "PATCH", "channels/ada", &json!({ "title": title })));
}

#[test]
fn a_receiver_is_told_what_it_chose_signed_and_nothing_else() {
    let weir = Weir::start_with(&[ALLOWED]);
    let login = weir.set_up("ada");
    let receiver = Receiver::start();
    let kinds = ["StreamStarted", "StreamEnded", "ChannelEdited", "ActionTaken"];
    let (id, secret) = hook(&weir, &login, &receiver.url("/in?x=1"), &kinds);
    // That it was made is the first action that it is told of.
    let first = receiver.next(SOON);
    assert_eq!(first.path, "/in?x=1");
    let body = first.verified(&secret);
    assert_eq!((&body["type"], &body["data"]["action"]), (&json!("ActionTaken"), &json!("webhook.made")));
    assert_eq!((&body["data"]["channel"], &body["data"]["actor"]["name"]), (&json!("ada"), &json!("ada")));
    edit(&weir, &login, "Late shift");
    let mut seen = HashSet::new();
    for _ in 0..2 {
        let told = receiver.next(SOON);
        let body = told.verified(&secret);
        seen.insert(body["type"].as_str().expect("a type").to_owned());
        assert_eq!(body["data"]["channel"], "ada");
    }
    assert_eq!(seen, HashSet::from(["ActionTaken".to_owned(), "ChannelEdited".to_owned()]));
    let key = ok(&call(&weir, &login, "POST", "channels/ada/stream-key", &Value::Null));
    assert_eq!(receiver.next(SOON).verified(&secret)["data"]["action"], "channel.streamKey");
    let publisher =
        Peer::publish(weir.http, "ada", key["streamKey"].as_str().expect("a key"), Source::new(1));
    let started = receiver.next(SOON);
    let body = started.verified(&secret);
    assert_eq!((&body["type"], &body["data"]["title"]), (&json!("StreamStarted"), &json!("Late shift")));
    let stream = body["data"]["streamId"].clone();
    assert_eq!(started.id(), format!("{}-started", stream.as_str().expect("an id")));
    ok(&call(&weir, &login, "POST", "channels/ada/end", &Value::Null));
    let ended: Vec<Value> = (0..2).map(|_| receiver.next(SOON).verified(&secret)).collect();
    let body = ended.iter().find(|body| body["type"] == "StreamEnded").expect("its end");
    assert_eq!(body["data"]["streamId"], stream);
    assert!(ended.iter().any(|body| body["data"]["action"] == "channel.ended"), "{ended:?}");
    drop(publisher);
    until_state(&weir, &login, &id, "delivered");
    assert!(receiver.rest().is_empty());
    // Another secret: for a day, both sign.
    let replaced =
        ok(&call(&weir, &login, "POST", &format!("channels/ada/webhooks/{id}/secret"), &Value::Null));
    let new = replaced["secret"].as_str().expect("a secret");
    let told = receiver.next(SOON);
    assert_ne!(new, secret);
    told.verified(new);
    told.verified(&secret);
    let listed = call(&weir, &login, "GET", "channels/ada/webhooks", &Value::Null);
    assert!(!listed.text().contains("whsec_") && !listed.text().contains(&new[6..]), "shown once");
}

#[test]
fn what_fails_is_sent_again_with_the_same_id_and_nothing_is_lost_when_the_server_is_killed() {
    let mut weir = Weir::start_with(&[ALLOWED]);
    let login = weir.set_up("ada");
    let receiver = Receiver::start();
    let (id, secret) = hook(&weir, &login, &receiver.url("/"), &["ChannelEdited"]);
    receiver.answer(500);
    for title in ["one", "two", "three"] {
        edit(&weir, &login, title);
    }
    let mut failed: HashSet<String> = HashSet::new();
    while failed.len() < 3 {
        let told = receiver.next(SOON);
        told.verified(&secret);
        failed.insert(told.id().to_owned());
    }
    let waiting = until_state(&weir, &login, &id, "waiting");
    eventually("the failure is written down", SOON, || {
        let all = deliveries(&weir, &login, &id);
        all.iter().all(|one| one["lastStatus"] == 500 && one["nextAt"].is_string()).then_some(())
    });
    assert_eq!(waiting["kind"], "ChannelEdited");
    let hooks = ok(&call(&weir, &login, "GET", "channels/ada/webhooks", &Value::Null));
    assert!(hooks["items"][0]["failingSince"].is_string() && hooks["items"][0]["disabledAt"].is_null());
    // One more, and the server is gone at once.
    edit(&weir, &login, "four");
    weir.crash();
    receiver.rest();
    receiver.answer(204);
    weir.start_again();
    let mut taken: HashSet<String> = HashSet::new();
    while taken.len() < 4 {
        let told = receiver.next(AGAIN);
        told.verified(&secret);
        taken.insert(told.id().to_owned());
    }
    assert!(failed.is_subset(&taken), "each with its own id");
    eventually("all are delivered", SOON, || {
        let all = deliveries(&weir, &login, &id);
        all.iter().all(|one| one["state"] == "delivered" && one["lastStatus"] == 204).then_some(())
    });
    let hooks = ok(&call(&weir, &login, "GET", "channels/ada/webhooks", &Value::Null));
    assert!(hooks["items"][0]["failingSince"].is_null(), "{hooks}");
}

#[test]
fn one_delivery_is_replayed_and_one_tried_out() {
    let weir = Weir::start_with(&[ALLOWED]);
    let login = weir.set_up("ada");
    let receiver = Receiver::start();
    let (id, secret) = hook(&weir, &login, &receiver.url("/"), &["StreamStarted"]);
    let at = |rest: &str| format!("channels/ada/webhooks/{id}/{rest}");
    assert_eq!(call(&weir, &login, "POST", &at("test"), &Value::Null).status, 202);
    let first = receiver.next(SOON);
    let body = first.verified(&secret);
    assert_eq!((&body["type"], &body["data"]), (&json!("Ping"), &json!({ "channel": "ada" })));
    let delivered = until_state(&weir, &login, &id, "delivered");
    assert_eq!((&delivered["id"], &delivered["tries"]), (&json!(first.id()), &json!(1)));
    let replay = at(&format!("deliveries/{}/replay", first.id()));
    assert_eq!(call(&weir, &login, "POST", &replay, &Value::Null).status, 202);
    let again = receiver.next(SOON);
    again.verified(&secret);
    assert_eq!((again.id(), &again.body), (first.id(), &first.body));
    assert_eq!(call(&weir, &login, "POST", &at("deliveries/none/replay"), &Value::Null).status, 404);
    // Who says that it is gone is told nothing more, until its owner says so.
    receiver.answer(410);
    assert_eq!(call(&weir, &login, "POST", &at("test"), &Value::Null).status, 202);
    receiver.next(SOON);
    let hooks = eventually("it is disabled", SOON, || {
        let hooks = ok(&call(&weir, &login, "GET", "channels/ada/webhooks", &Value::Null));
        hooks["items"][0]["disabledAt"].is_string().then_some(hooks)
    });
    assert_eq!(hooks["items"][0]["disabledBy"], "gone");
    receiver.answer(204);
    assert_eq!(call(&weir, &login, "POST", &at("test"), &Value::Null).status, 202);
    let on = ok(&call(
        &weir,
        &login,
        "PATCH",
        &format!("channels/ada/webhooks/{id}"),
        &json!({ "enabled": true }),
    ));
    assert!(on["disabledAt"].is_null());
    receiver.next(SOON).verified(&secret);
    assert_eq!(
        call(&weir, &login, "DELETE", &format!("channels/ada/webhooks/{id}"), &Value::Null).status,
        204
    );
    assert_eq!(call(&weir, &login, "GET", &at("deliveries"), &Value::Null).status, 404);
    assert!(receiver.rest().is_empty());
}

#[test]
fn nothing_that_is_not_public_is_called() {
    let weir = Weir::start();
    let login = weir.set_up("ada");
    let receiver = Receiver::start();
    let port = receiver.address.port();
    let make = |url: &str| {
        let body = json!({ "url": url, "kinds": ["ChannelEdited"] });
        call(&weir, &login, "POST", "channels/ada/webhooks", &body)
    };
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::ffff:10.0.0.1]",
        "[::127.0.0.1]",
        "[fe80::1]",
        "[fd00::1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[2001:0:1::1]",
    ] {
        for scheme in ["http", "https"] {
            let problem = make(&format!("{scheme}://{host}:{port}/")).problem(422);
            assert_eq!(problem.field.as_deref(), Some("url"), "{scheme} {host}");
        }
    }
    for url in [
        "",
        "example.com",
        "ftp://example.com/",
        "https://a:b@example.com/",
        "http://1.1.1.1/",
        "file:///etc/passwd",
    ] {
        assert_eq!(make(url).problem(422).field.as_deref(), Some("url"), "{url}");
    }
    // A name is looked up when it is called.
    let (id, _) = hook(&weir, &login, &format!("https://localhost:{port}/"), &["ChannelEdited"]);
    edit(&weir, &login, "x");
    let refused = eventually("it was tried", SOON, || {
        deliveries(&weir, &login, &id).into_iter().find(|one| one["tries"] != 0)
    });
    assert_eq!(refused["lastError"], "the address is not on the public internet");
    // And again when it is tried again.
    let replay =
        format!("channels/ada/webhooks/{id}/deliveries/{}/replay", refused["id"].as_str().expect("an id"));
    assert_eq!(call(&weir, &login, "POST", &replay, &Value::Null).status, 202);
    eventually("it was tried again", SOON, || {
        let now = deliveries(&weir, &login, &id).into_iter().next().expect("it");
        (now["lastAt"] != refused["lastAt"] && now["tries"] == 1).then_some(())
    });
    assert!(receiver.rest().is_empty(), "nobody was called");
}

#[test]
fn no_redirect_is_followed() {
    let weir = Weir::start_with(&[ALLOWED]);
    let login = weir.set_up("ada");
    let (receiver, inside) = (Receiver::start(), Receiver::start());
    let (id, _) = hook(&weir, &login, &receiver.url("/"), &["ChannelEdited"]);
    for status in [301, 302, 303, 307, 308] {
        for to in
            [inside.url("/"), "http://169.254.169.254/".to_owned(), "http://[::ffff:127.0.0.1]/".to_owned()]
        {
            receiver.answer_with(status, &format!("location: {to}\r\n"));
            assert_eq!(
                call(&weir, &login, "POST", &format!("channels/ada/webhooks/{id}/test"), &Value::Null).status,
                202
            );
            let told = receiver.next(SOON);
            let refused = eventually("it was tried", SOON, || {
                deliveries(&weir, &login, &id)
                    .into_iter()
                    .find(|one| one["id"] == told.id() && one["tries"] != 0)
            });
            assert_eq!(refused["state"], "waiting");
            assert!(
                refused["lastStatus"].as_u64().is_some_and(|status| (301..309).contains(&status)),
                "{refused}"
            );
            assert_eq!(refused["lastError"], "redirects are not followed");
            receiver.rest();
        }
    }
    assert!(inside.rest().is_empty(), "nobody was called");
}

#[test]
fn somebody_who_subscribes_is_told_of_once_and_again_in_a_higher_tier() {
    let weir = Weir::start_with(&[ALLOWED]);
    let login = weir.set_up("ada");
    let ben = chat::account(&weir, "ben");
    let receiver = Receiver::start();
    let (_, secret) = hook(&weir, &login, &receiver.url("/"), &["SubscriptionCreated"]);
    let give = |tier: &str| {
        let body = json!({ "tier": tier, "days": 30 });
        ok(&call(&weir, &login, "PUT", "channels/ada/subscribers/ben", &body));
    };
    let told = |tier: &str| {
        let body = receiver.next(SOON).verified(&secret);
        assert_eq!(body["type"], "SubscriptionCreated");
        let data = &body["data"];
        assert_eq!((&data["tier"], &data["subscribers"]), (&json!(tier), &json!(1)));
        assert_eq!((&data["channel"], &data["subscriber"]["account"]), (&json!("ada"), &json!("ben")));
    };
    give("one");
    told("one");
    // Longer is no news, and less than one has is none, either.
    give("one");
    give("two");
    told("two");
    give("one");
    let made = ok(&call(
        &weir,
        &login,
        "POST",
        "channels/ada/gift-codes",
        &json!({ "tier": "three", "days": 1, "count": 1 }),
    ));
    let code = json!({ "code": made["codes"][0] });
    let request = weir.same_origin("POST", "/api/v1/me/subscriptions").header("cookie", ben.cookie.as_str());
    ok(&request.json(&code).send(weir.http));
    told("three");
    assert!(receiver.rest().is_empty());
}

/// What is gathered into one delivery has come by then.
const GATHERED: Duration = Duration::from_secs(30);

#[test]
fn what_is_written_in_chat_is_told_together_and_deleted_words_stay_nowhere() {
    let weir = Weir::start_with(&[ALLOWED]);
    let login = weir.set_up("ada");
    let receiver = Receiver::start();
    let (id, secret) = hook(&weir, &login, &receiver.url("/"), &["ChatMessageSent"]);
    // Before the first window is over, one is deleted.
    let say = |text: &str| {
        let sent = ok(&call(&weir, &login, "POST", "channels/ada/chat/messages", &json!({ "text": text })));
        sent["id"].as_str().expect("an id").to_owned()
    };
    let rude = say("something rude");
    let delete = |message: &str| {
        let path = format!("channels/ada/chat/messages/{message}");
        assert_eq!(call(&weir, &login, "DELETE", &path, &Value::Null).status, 204);
    };
    delete(&rude);
    let kept: Vec<String> = (0..5).map(|n| say(&format!("evening {n}"))).collect();
    let (mut heard, mut told, mut events) = (Vec::new(), 0, Vec::new());
    while told < 6 {
        let delivery = receiver.next(GATHERED);
        let body = delivery.verified(&secret);
        assert_eq!((&body["type"], &body["data"]["channel"]), (&json!("ChatMessageSent"), &json!("ada")));
        told += body["data"]["count"].as_u64().expect("a count");
        for message in body["data"]["messages"].as_array().expect("messages") {
            heard.push(message["id"].as_str().expect("an id").to_owned());
        }
        assert!(!body.to_string().contains("rude"), "{body}");
        events.push(delivery.id().to_owned());
    }
    assert_eq!(heard, kept, "in their order, each once");
    assert!(events.len() <= 3, "they are told together: {events:?}");
    until_state(&weir, &login, &id, "delivered");
    let log = json!(deliveries(&weir, &login, &id)).to_string();
    assert!(log.contains("count") && !log.contains("evening") && !log.contains("rude"), "{log}");
    let words = "SELECT COUNT(*) FROM webhook_deliveries WHERE body LIKE '%evening%' OR body LIKE '%rude%'";
    assert_eq!(crate::notifications::in_database(&weir, words), 0);
    // Sent again, it is what is there by then.
    kept.iter().for_each(|message| delete(message));
    let replay = format!("channels/ada/webhooks/{id}/deliveries/{}/replay", events[0]);
    assert_eq!(call(&weir, &login, "POST", &replay, &Value::Null).status, 202);
    let again = receiver.next(SOON);
    let body = again.verified(&secret);
    assert_eq!((again.id(), &body["data"]["messages"]), (events[0].as_str(), &json!([])));
}

#[test]
fn a_busy_room_fills_few_deliveries_and_a_crash_loses_none() {
    let mut weir = Weir::start_with(&[ALLOWED]);
    let login = weir.set_up("ada");
    let receiver = Receiver::start();
    let (_, secret) = hook(&weir, &login, &receiver.url("/"), &["ChatMessageSent"]);
    let wanted = 40;
    for n in 0..wanted {
        ok(&call(
            &weir,
            &login,
            "POST",
            "channels/ada/chat/messages",
            &json!({ "text": format!("line {n}") }),
        ));
    }
    weir.crash();
    weir.start_again();
    let (mut heard, mut deliveries) = (HashSet::new(), HashSet::new());
    while heard.len() < wanted {
        let delivery = receiver.next(AGAIN);
        deliveries.insert(delivery.id().to_owned());
        let body = delivery.verified(&secret);
        for message in body["data"]["messages"].as_array().expect("messages") {
            heard.insert(message["id"].as_str().expect("an id").to_owned());
        }
    }
    assert!(deliveries.len() < wanted / 2, "{} deliveries", deliveries.len());
}

#[test]
fn who_begins_to_watch_is_counted() {
    let weir = Weir::start_with(&[ALLOWED]);
    let login = weir.set_up("ada");
    let key = ok(&call(&weir, &login, "POST", "channels/ada/stream-key", &Value::Null));
    let key = key["streamKey"].as_str().expect("a key");
    let publisher = Peer::publish(weir.http, "ada", key, Source::new(1));
    weir.until_state("ada", "live", SOON);
    let receiver = Receiver::start();
    let (_, secret) = hook(&weir, &login, &receiver.url("/"), &["ViewerJoined"]);
    let viewers: Vec<Peer> = (0..3).map(|_| Peer::watch(weir.http, "ada")).collect();
    viewers.iter().for_each(Peer::connected);
    let (mut joined, mut deliveries) = (0, 0);
    while joined < 3 {
        let body = receiver.next(GATHERED).verified(&secret);
        assert_eq!(body["type"], "ViewerJoined");
        assert_eq!(body["data"]["streamId"], weir.state("ada")["streamId"]);
        joined += body["data"]["joined"].as_u64().expect("a count");
        deliveries += 1;
    }
    assert_eq!(joined, 3, "each once");
    assert!(deliveries < 3, "together");
    drop((viewers, publisher));
}

#[test]
fn nobody_is_called_all_the_time_at_an_owner_s_wish() {
    let weir = Weir::start_with(&[ALLOWED]);
    let login = weir.set_up("ada");
    let receiver = Receiver::start();
    let (id, _) = hook(&weir, &login, &receiver.url("/"), &["StreamStarted"]);
    let path = format!("channels/ada/webhooks/{id}/test");
    let answers: Vec<Response> = (0..30).map(|_| call(&weir, &login, "POST", &path, &Value::Null)).collect();
    let refused = answers.iter().find(|answer| answer.status == 429).expect("it is too often");
    assert!(refused.problem(429).retry_after.is_some_and(|seconds| (1..=10).contains(&seconds)));
    let taken = answers.iter().filter(|answer| answer.status == 202).count();
    assert!((15..30).contains(&taken), "{taken}");
    let deliveries =
        ok(&call(&weir, &login, "GET", &format!("channels/ada/webhooks/{id}/deliveries"), &Value::Null));
    let replay = |event: &str| format!("channels/ada/webhooks/{id}/deliveries/{event}/replay");
    let known = replay(deliveries["items"][0]["id"].as_str().expect("an id"));
    assert_eq!(call(&weir, &login, "POST", &known, &Value::Null).status, 429, "of both together");
    assert_eq!(
        call(&weir, &login, "POST", &replay("none"), &Value::Null).status,
        404,
        "what isn't there costs nothing"
    );
}
