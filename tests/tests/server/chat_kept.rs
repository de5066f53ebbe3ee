//! What chat keeps, over a restart and over what fails half-way, and what it forgets.

use crate::notifications::in_database;
use serde_json::{Value, json};
use weir_tests::{
    chat::{self, By, Guest, Reader, call, say},
    http::{Request, Response},
    server::Weir,
};

fn says_from(weir: &Weir, guest: &Guest, address: &str, text: &str) -> Response {
    Request::new("POST", "/api/v1/channels/ada/chat/messages")
        .header("weir-guest", guest.token.as_str())
        .header("x-forwarded-for", address)
        .json(&json!({ "text": text }))
        .send(weir.http)
}

/// What somebody is told who has seen as far as this: all updates up to one with this text.
fn missed(weir: &Weir, after: u64, end: &str) -> Vec<Value> {
    Reader::resume(weir.http, "ada", after).until(|update| chat::text_of(update) == end)
}

#[test]
fn a_pinned_message_s_words_go_with_the_message() {
    let mut weir = Weir::start();
    let owner = weir.set_up("ada");
    let owner = By::Login(&owner);
    let mut follower = Reader::join(weir.http, "ada");
    let seen = follower.cursor;
    let mut pins = Vec::new();
    for text in ["the first secret", "the second secret", "no secret"] {
        let sent = say(weir.http, "ada", owner, text).json();
        let pin = json!({ "message": sent["id"] });
        assert_eq!(call(weir.http, "PUT", "ada/chat/pin", owner, Some(&pin)).status, 204);
        pins.push(sent["id"].as_str().unwrap().to_owned());
    }
    assert_eq!(say(weir.http, "ada", owner, "middle").status, 201);
    let told = missed(&weir, seen, "middle");
    assert_eq!(told.iter().rfind(|update| update["type"] == "pinned").unwrap()["pin"]["id"], json!(pins[2]));
    for id in &pins[..2] {
        assert_eq!(call(weir.http, "DELETE", &format!("ada/chat/messages/{id}"), owner, None).status, 204);
    }
    assert_eq!(say(weir.http, "ada", owner, "the end").status, 201);
    // Told of it are those who are there, and then it is gone for whoever comes back.
    follower.until(|update| chat::text_of(update) == "the end");
    // From memory first, then from the database.
    for round in 0..2 {
        let told = missed(&weir, seen, "the end");
        let words = Value::from(told.clone()).to_string();
        assert!(
            !words.contains("the first secret") && !words.contains("the second secret"),
            "{round}: {words}"
        );
        let last = told.iter().rfind(|update| update["type"] == "pinned").expect("a pin");
        assert_eq!(
            (&last["pin"]["id"], chat::text_of(&last["pin"]).as_str()),
            (&json!(pins[2]), "no secret")
        );
        weir.crash();
        weir.start_again();
    }
    assert_eq!(call(weir.http, "DELETE", "ada/chat/messages", owner, None).status, 204);
    assert_eq!(say(weir.http, "ada", owner, "after all").status, 201);
    for _ in 0..2 {
        let told = missed(&weir, seen, "after all");
        assert!(!Value::from(told).to_string().contains("secret"), "cleared, it is gone as well");
        weir.crash();
        weir.start_again();
    }
    assert_eq!(in_database(&weir, "SELECT COUNT(*) FROM chat_changes WHERE change LIKE '%secret%'"), 0);
}

#[test]
fn a_time_out_holds_for_its_network_over_a_restart_and_no_longer_than_it_lasts() {
    let mut weir = Weir::start();
    let owner = weir.set_up("ada");
    let sam = chat::account(&weir, "sam");
    let ben = chat::guest_from(weir.http, "Ben", "192.0.2.60");
    assert_eq!(says_from(&weir, &ben, "192.0.2.60", "spam").status, 201);
    // From the network that `call` names.
    assert_eq!(say(weir.http, "ada", By::Login(&sam), "spam, too").status, 201);
    let sams = call(weir.http, "GET", "ada/chat", By::Login(&sam), None).json()["you"]["id"].clone();
    for person in [json!(ben.id), sams.clone()] {
        let body = json!({ "person": person, "seconds": 3600 });
        assert_eq!(call(weir.http, "POST", "ada/chat/silences", By::Login(&owner), Some(&body)).status, 201);
    }
    for round in 0..3 {
        for (n, address) in ["192.0.2.60", "192.0.2.1"].into_iter().enumerate() {
            let again = chat::guest_from(weir.http, &format!("Again {round} {n}"), address);
            let problem = says_from(&weir, &again, address, "me again").problem(403);
            assert_eq!(problem.kind, "/problems/timed-out", "{round} {address}");
        }
        let cid = chat::guest_from(weir.http, &format!("Cid {round}"), "192.0.2.61");
        assert_eq!(says_from(&weir, &cid, "192.0.2.61", &format!("hello {round}")).status, 201);
        weir.crash();
        weir.start_again();
    }
    assert_eq!(in_database(&weir, "SELECT COUNT(*) FROM chat_silences WHERE network_hash LIKE '%192.0%'"), 0);
    // Lifted for one, it is lifted for their network, and over a restart.
    let lift = format!("ada/chat/silences/{}", ben.id);
    assert_eq!(call(weir.http, "DELETE", &lift, By::Login(&owner), None).status, 204);
    weir.crash();
    weir.start_again();
    let back = chat::guest_from(weir.http, "Back", "192.0.2.60");
    assert_eq!(says_from(&weir, &back, "192.0.2.60", "thank you").status, 201);
    let other = chat::guest_from(weir.http, "Other", "192.0.2.1");
    assert_eq!(says_from(&weir, &other, "192.0.2.1", "me").problem(403).kind, "/problems/timed-out");
    // Once it has run out, no trace of a network is left with the next one.
    in_database(&weir, "UPDATE chat_silences SET until_at = 1");
    weir.crash();
    weir.start_again();
    assert_eq!(says_from(&weir, &other, "192.0.2.1", "back").status, 201);
    let body = json!({ "person": ben.id, "seconds": 60 });
    assert_eq!(call(weir.http, "POST", "ada/chat/silences", By::Login(&owner), Some(&body)).status, 201);
    let kept = "SELECT COUNT(*) FROM chat_silences WHERE network_hash IS NOT NULL";
    assert_eq!(in_database(&weir, kept), 0);
}

#[test]
fn what_was_refused_is_not_said_over_and_over() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let owner = By::Login(&owner);
    let filters = json!({ "repeats": true, "words": ["badword"] });
    assert_eq!(call(weir.http, "PUT", "ada/chat/filters", owner, Some(&filters)).status, 200);
    let sam = chat::account(&weir, "sam");
    let says = |text: &str| say(weir.http, "ada", By::Login(&sam), text);
    // Refused by slow mode many times, it is still the first time that anybody hears it.
    let rules =
        |rules: Value| assert_eq!(call(weir.http, "PATCH", "ada/chat", owner, Some(&rules)).status, 200);
    rules(json!({ "slowSeconds": 600 }));
    assert_eq!(says("before").status, 201);
    for _ in 0..6 {
        assert_eq!(says("good evening").problem(429).kind, "/problems/slow-mode");
    }
    rules(json!({ "slowSeconds": 0 }));
    let first = says("good evening");
    assert_eq!(first.status, 201, "{}", first.text());
    // What is held nobody has heard: others may say it, though nothing may be said twice.
    rules(json!({ "unique": true }));
    let max = chat::account(&weir, "max");
    for login in [&sam, &max] {
        assert_eq!(say(weir.http, "ada", By::Login(login), "a badword").status, 202);
    }
    let held = call(weir.http, "GET", "ada/chat/held", owner, None).json()["items"].clone();
    assert_eq!(held.as_array().unwrap().len(), 2);
    // Let through, it is said, and not again.
    let path = format!("ada/chat/held/{}", held[0]["id"].as_str().unwrap());
    assert_eq!(call(weir.http, "POST", &path, owner, Some(&json!({ "approve": true }))).status, 200);
    assert_eq!(
        say(weir.http, "ada", By::Login(&max), "a badword").problem(403).kind,
        "/problems/said-lately"
    );
}

#[test]
fn somebody_becomes_a_vip_with_what_is_written_of_it_or_not_at_all() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let owner = By::Login(&owner);
    chat::account(&weir, "sam");
    let give =
        |text: &str| call(weir.http, "POST", "ada/chat/commands", owner, Some(&json!({ "text": text })));
    let roles = || call(weir.http, "GET", "ada/roles", owner, None).json()["items"].as_array().unwrap().len();
    let items =
        |path: &str| call(weir.http, "GET", path, owner, None).json()["items"].as_array().unwrap().len();
    let counts = || (roles(), items("ada/chat/actions"), items("ada/audit?action=role"));
    let before = counts();
    // The second of the two can't be written: neither is.
    in_database(
        &weir,
        "CREATE TRIGGER no_deeds BEFORE INSERT ON chat_actions BEGIN SELECT RAISE(ABORT, 'no'); END",
    );
    assert!(give("/vip sam").status >= 500);
    assert_eq!(counts(), before);
    in_database(&weir, "DROP TRIGGER no_deeds");
    assert_eq!(give("/vip sam").status, 200);
    let after = counts();
    assert_eq!(after, (before.0 + 1, before.1 + 1, before.2 + 1));
    in_database(
        &weir,
        "CREATE TRIGGER no_deeds BEFORE INSERT ON chat_actions BEGIN SELECT RAISE(ABORT, 'no'); END",
    );
    assert!(give("/unvip sam").status >= 500);
    assert_eq!(counts(), after, "nor is it taken without a word of it");
}
