//! What is told by name or of a private channel: to whom it is open by whichever way, to whom moderators deal with, to who
//! subscribes, and to nobody else.

use crate::{
    SOON,
    notifications::{call, follow, in_database, joined, ok, told},
};
use serde_json::{Value, json};
use weir_tests::{
    chat, eventually,
    peer::{Peer, Source},
    server::{Login, Weir},
};

fn of_kind(weir: &Weir, login: &Login, kind: &str) -> Vec<Value> {
    told(weir, login).into_iter().filter(|one| one["kind"] == kind).collect()
}

fn until_told(weir: &Weir, login: &Login, kind: &str, count: usize, what: &str) -> Vec<Value> {
    eventually(what, SOON * 2, || Some(of_kind(weir, login, kind)).filter(|all| all.len() == count))
}

fn own(weir: &Weir, owner: &Login, method: &str, path: &str, body: Value) -> Value {
    ok(&call(weir, owner, method, &format!("channels/ada{path}"), &body))
}

/// Makes the channel live.
fn publish(weir: &Weir, owner: &Login) -> Peer {
    let token = own(weir, owner, "POST", "/publish-token", json!({}));
    let token = token["token"].as_str().expect("a token").to_owned();
    let publisher = Peer::publish(weir.http, "ada", &token, Source::new(1));
    until_state(weir, owner, "live");
    publisher
}

/// As its owner sees it, since nobody else may.
fn until_state(weir: &Weir, owner: &Login, wanted: &str) {
    eventually(wanted, SOON * 2, || {
        let state = call(weir, owner, "GET", "channels/ada/state", &Value::Null);
        (state.status == 200 && state.json()["state"] == wanted).then_some(())
    });
}

#[test]
fn that_a_private_channel_is_live_is_told_to_followers_whom_it_is_open_to() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let inside = ["listed", "paying", "modest", "editing", "favoured"];
    let outside = ["cheap", "lapsed", "outsider", "expelled", "knows-the-word"];
    let people = inside.iter().chain(&outside).map(|name| chat::account(&weir, name));
    let people: Vec<Login> = people.collect();
    // All of them followed while anybody could.
    people.iter().for_each(|login| follow(&weir, login, "ada"));
    let own = |method: &str, path: &str, body: Value| own(&weir, &owner, method, path, body);
    own("PATCH", "", json!({ "visibility": "PRIVATE" }));
    own("PATCH", "/access", json!({ "subscribers": "two" }));
    for (name, tier) in [("paying", "two"), ("cheap", "one"), ("lapsed", "three")] {
        own("PUT", &format!("/subscribers/{name}"), json!({ "tier": tier, "days": 30 }));
    }
    own("DELETE", "/subscribers/lapsed", Value::Null);
    for name in ["listed", "expelled"] {
        own("PUT", &format!("/admitted/{name}"), Value::Null);
    }
    own("DELETE", "/admitted/expelled", Value::Null);
    own("PUT", "/moderators/modest", json!({}));
    own("PUT", "/roles/editing", json!({ "role": "editor" }));
    own("PUT", "/roles/favoured", json!({ "role": "vip" }));
    // A pass is a browser's, and no account's: who has one is told nothing by name.
    own("PUT", "/password", json!({ "password": "a rather long word" }));
    let publisher = publish(&weir, &owner);
    for (name, login) in inside.iter().zip(&people) {
        let live = until_told(&weir, login, "wentLive", 1, &format!("{name} is told"));
        assert_eq!((&live[0]["title"], &live[0]["url"]), (&json!("ada is live"), &json!("/ada")));
    }
    for (name, login) in outside.iter().zip(&people[inside.len()..]) {
        assert!(of_kind(&weir, login, "wentLive").is_empty(), "{name} hears nothing");
    }
    drop(publisher);
}

#[test]
fn nobody_hears_twice_of_a_private_broadcast_or_after_they_are_out() {
    let mut weir = Weir::start();
    let owner = weir.set_up("ada");
    let [ben, cleo] = ["ben", "cleo"].map(|name| joined(&weir, &owner, name));
    for login in [&ben, &cleo] {
        follow(&weir, login, "ada");
    }
    own(&weir, &owner, "PATCH", "", json!({ "visibility": "PRIVATE" }));
    own(&weir, &owner, "PUT", "/admitted/ben", Value::Null);
    let publisher = publish(&weir, &owner);
    until_told(&weir, &ben, "wentLive", 1, "ben is told");
    eventually("the broadcast is on disk", SOON, || {
        (in_database(&weir, "SELECT COUNT(*) FROM broadcasts") == 1).then_some(())
    });
    weir.crash();
    weir.start_again();
    until_state(&weir, &owner, "waiting");
    // Told again after the start: who is let in by then hears of it, and nobody twice.
    assert_eq!(of_kind(&weir, &ben, "wentLive").len(), 1);
    assert!(of_kind(&weir, &cleo, "wentLive").is_empty());
    drop(publisher);
}

#[test]
fn who_is_dealt_with_is_told_what_and_why_and_not_by_whom() {
    let mut weir = Weir::start();
    let owner = weir.set_up("ada");
    let [ben, mo] = ["ben", "mo"].map(|name| joined(&weir, &owner, name));
    own(&weir, &owner, "PUT", "/moderators/mo", json!({}));
    ok(&call(&weir, &ben, "POST", "channels/ada/chat/messages", &json!({ "text": "Buy this" })));
    let person = ok(&call(&weir, &ben, "GET", "me", &Value::Null))["id"].clone();
    let deal = |weir: &Weir, path: &str, body: Value| {
        ok(&call(weir, &mo, "POST", &format!("channels/ada/chat/{path}"), &body));
    };
    deal(&weir, "silences", json!({ "person": person, "seconds": 60, "reason": "spam" }));
    let first = until_told(&weir, &ben, "moderation", 1, "the time-out is told");
    assert_eq!(first[0]["title"], "You were timed out in the chat of ada");
    assert_eq!(first[0]["detail"], "60 s spam");
    deal(&weir, "bans", json!({ "person": person, "reason": "more spam" }));
    until_told(&weir, &ben, "moderation", 2, "the ban is told, too");
    let lifted = format!("channels/ada/chat/bans/{}", person.as_str().expect("an id"));
    assert_eq!(call(&weir, &mo, "DELETE", &lifted, &Value::Null).status, 204);
    let all = until_told(&weir, &ben, "moderation", 3, "that it was lifted is told");
    assert_eq!(all[0]["title"], "You may write in the chat of ada again");
    assert!(all.iter().all(|one| !one.to_string().contains("\"mo\"")), "{all:?}");
    for other in [&owner, &mo] {
        assert!(of_kind(&weir, other, "moderation").is_empty(), "it is told to one person");
    }
    // A guest has no bell, and breaks nothing.
    let guest = chat::guest(weir.http, "Eve");
    chat::say(weir.http, "ada", chat::By::Guest(&guest), "Boo");
    deal(&weir, "bans", json!({ "person": guest.id }));
    // What is told again after a crash is told once.
    weir.crash();
    weir.start_again();
    deal(&weir, "silences", json!({ "person": person, "seconds": 5 }));
    until_told(&weir, &ben, "moderation", 4, "the next one is told after the start");
    // Who wants to hear nothing of it hears nothing.
    let mut wishes = ok(&call(&weir, &ben, "GET", "me/notification-preferences", &Value::Null));
    wishes["moderation"] = json!({ "inApp": false, "push": false, "email": false });
    ok(&call(&weir, &ben, "PUT", "me/notification-preferences", &wishes));
    deal(&weir, "silences", json!({ "person": person, "seconds": 5 }));
    own(&weir, &owner, "PUT", "/subscribers/ben", json!({ "tier": "one", "days": 30 }));
    until_told(&weir, &ben, "subscription", 1, "what comes after it is told");
    assert_eq!(of_kind(&weir, &ben, "moderation").len(), 4);
}

#[test]
fn in_a_private_channel_who_may_not_see_it_is_told_of_no_ban_there() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let [ben, cleo] = ["ben", "cleo"].map(|name| joined(&weir, &owner, name));
    own(&weir, &owner, "PATCH", "", json!({ "visibility": "PRIVATE" }));
    own(&weir, &owner, "PUT", "/admitted/cleo", Value::Null);
    for login in [&ben, &cleo] {
        let person = ok(&call(&weir, login, "GET", "me", &Value::Null))["id"].clone();
        own(&weir, &owner, "POST", "/chat/bans", json!({ "person": person }));
    }
    until_told(&weir, &cleo, "moderation", 1, "who is inside is told");
    assert!(
        told(&weir, &ben).is_empty(),
        "who was banned first doesn't even know that there is such a channel"
    );
}

#[test]
fn who_subscribes_is_told_what_they_were_given_and_when_it_ends() {
    let mut weir = Weir::start();
    let owner = weir.set_up("ada");
    let [ben, cleo] = ["ben", "cleo"].map(|name| joined(&weir, &owner, name));
    let give = |weir: &Weir, name: &str, days: u32| {
        own(weir, &owner, "PUT", &format!("/subscribers/{name}"), json!({ "tier": "two", "days": days }));
    };
    give(&weir, "ben", 30);
    // One entry for each channel, which says what was last.
    let said = |weir: &Weir, title: &str, detail: &str| {
        eventually(title, SOON * 2, || {
            let all = of_kind(weir, &ben, "subscription");
            let [one] = all.as_slice() else { return None };
            (one["title"] == title && one["detail"].as_str().is_some_and(|said| said.starts_with(detail)))
                .then_some(())
        });
    };
    said(&weir, "You were given a subscription to ada", "Tier 2, for 30 days.");
    give(&weir, "ben", 1);
    said(&weir, "You were given a subscription to ada", "Tier 2, for 1 day.");
    give(&weir, "cleo", 2);
    until_told(&weir, &cleo, "subscription", 1, "so is the other one");
    // It is about to run out, as if the time had passed.
    weir.crash();
    in_database(
        &weir,
        "UPDATE subscriptions SET since = since - 2500000000, ends_at = ends_at - 2500000000
         WHERE account_id = (SELECT id FROM accounts WHERE name = 'ben')",
    );
    weir.start_again();
    said(&weir, "Your subscription to ada runs out soon", "Tier 2, in less than ");
    weir.crash();
    weir.start_again();
    own(&weir, &owner, "DELETE", "/subscribers/ben", Value::Null);
    said(&weir, "Your subscription to ada was ended", "");
    assert_eq!(of_kind(&weir, &cleo, "subscription").len(), 1, "what lasts two days runs out without a word");
    assert!(of_kind(&weir, &owner, "subscription").is_empty());
}
