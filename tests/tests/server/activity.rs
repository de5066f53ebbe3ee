//! What happened on a channel, for those who look after it; who has subscribed for long; and what people follow besides.

use crate::{
    SOON,
    notifications::{call, follow, in_database, joined, ok, told},
};
use serde_json::{Value, json};
use weir_tests::{
    events::Events,
    eventually,
    http::Request,
    peer::{Peer, Source},
    server::{Login, Weir},
};

const DAY: u64 = 24 * 60 * 60 * 1000;

fn activity(weir: &Weir, login: &Login, query: &str) -> Vec<Value> {
    let page = ok(&call(weir, login, "GET", &format!("channels/ada/activity{query}"), &Value::Null));
    page["items"].as_array().expect("items").clone()
}

fn kinds(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|one| one["kind"].as_str().expect("a kind")).collect()
}

fn unfollow(weir: &Weir, login: &Login) {
    ok(&call(weir, login, "DELETE", "channels/ada/follow", &Value::Null));
}

fn open_channel(weir: &Weir, login: &Login, name: &str) {
    assert_eq!(call(weir, login, "POST", "channels", &json!({ "name": name })).status, 201);
}

#[test]
fn who_follows_and_subscribes_is_listed_newest_first_for_those_who_look_after_the_channel() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let [ben, cleo, dora] = ["ben", "cleo", "dora"].map(|name| joined(&weir, &owner, name));
    follow(&weir, &ben, "ada");
    let give = json!({ "tier": "two", "days": 30 });
    ok(&call(&weir, &owner, "PUT", "channels/ada/subscribers/cleo", &give));
    let wanted = json!({ "label": "Raffle", "tier": "one", "days": 31, "count": 1 });
    let made = ok(&call(&weir, &owner, "POST", "channels/ada/gift-codes", &wanted));
    let code = made["codes"][0].as_str().expect("a code");
    for _ in 0..2 {
        ok(&call(&weir, &dora, "POST", "me/subscriptions", &json!({ "code": code })));
    }
    let all = activity(&weir, &owner, "");
    assert_eq!(
        kinds(&all),
        ["subscription", "subscription", "follow"],
        "a code that is shown again is no news"
    );
    let who = |entry: &Value| entry["person"]["account"].clone();
    assert_eq!((who(&all[0]), who(&all[1]), who(&all[2])), (json!("dora"), json!("cleo"), json!("ben")));
    assert_eq!(
        (&all[0]["by"], &all[0]["tier"], &all[0]["days"], &all[0]["new"]),
        (&json!("code"), &json!("one"), &json!(31), &json!(true))
    );
    assert_eq!((&all[1]["by"], &all[1]["tier"]), (&json!("granted"), &json!("two")));
    // Of one kind, and in pages without leaving anything out.
    assert_eq!(activity(&weir, &owner, "?kind=follow").len(), 1);
    assert!(activity(&weir, &owner, "?kind=raidIn").is_empty());
    let (mut seen, mut path) = (Vec::new(), "channels/ada/activity?limit=1".to_owned());
    loop {
        let page = ok(&call(&weir, &owner, "GET", &path, &Value::Null));
        seen.extend(page["items"].as_array().expect("items").iter().map(|one| one["id"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("channels/ada/activity?limit=1&cursor={next}");
    }
    assert_eq!(seen, all.iter().map(|one| one["id"].clone()).collect::<Vec<_>>());
    for bad in ["?kind=nothing", "?cursor=x", "?limit=x", "?more=1"] {
        call(&weir, &owner, "GET", &format!("channels/ada/activity{bad}"), &Value::Null).problem(400);
    }
    // Moderators and editors see it, and nobody else.
    call(&weir, &ben, "GET", "channels/ada/activity", &Value::Null).problem(403);
    ok(&call(&weir, &owner, "PUT", "channels/ada/moderators/ben", &json!({})));
    ok(&call(&weir, &owner, "PUT", "channels/ada/roles/cleo", &json!({ "role": "editor" })));
    assert_eq!((activity(&weir, &ben, "").len(), activity(&weir, &cleo, "").len()), (3, 3));
    call(&weir, &dora, "GET", "channels/ada/activity", &Value::Null).problem(403);
    Request::new("GET", "/api/v1/channels/ada/activity").send(weir.http).problem(401);
    ok(&call(&weir, &owner, "PATCH", "channels/ada", &json!({ "visibility": "PRIVATE" })));
    call(&weir, &joined(&weir, &owner, "eve"), "GET", "channels/ada/activity", &Value::Null).problem(404);
}

#[test]
fn whoever_follows_again_is_news_once_a_month() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let ben = joined(&weir, &owner, "ben");
    let count = || told(&weir, &owner).iter().map(|one| one["count"].as_u64().expect("a count")).sum::<u64>();
    follow(&weir, &ben, "ada");
    let first = activity(&weir, &owner, "");
    assert_eq!((first.len(), count()), (1, 1));
    for _ in 0..3 {
        unfollow(&weir, &ben);
        follow(&weir, &ben, "ada");
        // To ask for it once more while one does is no news, either.
        follow(&weir, &ben, "ada");
    }
    assert_eq!(activity(&weir, &owner, ""), first, "nobody rings all the time");
    assert_eq!(count(), 1);
    let month = 30 * DAY + 1000;
    in_database(&weir, &format!("UPDATE activities SET at = at - {month}"));
    in_database(&weir, &format!("UPDATE notified SET at = at - {month}"));
    in_database(&weir, &format!("UPDATE follows SET followed_at = followed_at - {month}"));
    follow(&weir, &ben, "ada");
    unfollow(&weir, &ben);
    assert_eq!(count(), 1, "who goes on to follow is no news");
    follow(&weir, &ben, "ada");
    let again = activity(&weir, &owner, "");
    assert_eq!((again.len(), count()), (1, 2));
    assert_ne!(again[0]["id"], first[0]["id"]);
}

#[test]
fn broadcasts_are_listed_once_also_over_a_crash_and_whoever_listens_hears_at_once() {
    let mut weir = Weir::start();
    let owner = weir.set_up("ada");
    let ben = joined(&weir, &owner, "ben");
    let mut live = Events::open_as(weir.http, &owner.cookie);
    live.request("channel:stream_activity:v1", "a", Some("ada"));
    let first = live
        .until("the first state", SOON, |message| message["event"] == "channel:stream_activity:v1:stream");
    assert!(first["payload"]["newest"].is_null(), "{first}");
    follow(&weir, &ben, "ada");
    let newest = live.until("somebody follows", SOON, |message| message["payload"]["newest"].is_string());
    assert_eq!(newest["payload"]["newest"], activity(&weir, &owner, "")[0]["id"]);
    let mut other = Events::open_as(weir.http, &ben.cookie);
    other.request("channel:stream_activity:v1", "a", Some("ada"));
    other.until("it isn't theirs", SOON, |message| message["payload"]["status"] == 403);

    ok(&call(&weir, &owner, "PATCH", "channels/ada", &json!({ "title": "Evening" })));
    let key = ok(&call(&weir, &owner, "POST", "channels/ada/stream-key", &Value::Null));
    let key = key["streamKey"].as_str().expect("a key").to_owned();
    let publisher = Peer::publish(weir.http, "ada", &key, Source::new(1));
    let started = eventually("it is listed", SOON, || {
        activity(&weir, &owner, "?kind=streamStarted").into_iter().next()
    });
    assert_eq!(started["title"], "Evening");
    weir.crash();
    weir.start_again();
    weir.until_state("ada", "waiting", SOON * 2);
    ok(&call(&weir, &owner, "POST", "channels/ada/end", &Value::Null));
    let ended = eventually("its end is listed", SOON, || {
        activity(&weir, &owner, "?kind=streamEnded").into_iter().next()
    });
    assert_eq!(ended["streamId"], started["streamId"]);
    assert!(ended["duration"].is_u64());
    weir.crash();
    weir.start_again();
    let all = activity(&weir, &owner, "");
    assert_eq!(kinds(&all), ["streamEnded", "streamStarted", "follow"], "each once");
    drop(publisher);
}

#[test]
fn what_is_old_or_too_much_goes() {
    let mut weir = Weir::start();
    let owner = weir.set_up("ada");
    let [ben, cleo] = ["ben", "cleo"].map(|name| joined(&weir, &owner, name));
    follow(&weir, &ben, "ada");
    in_database(&weir, &format!("UPDATE activities SET at = at - {}", 91 * DAY));
    weir.crash();
    weir.start_again();
    eventually("it is forgotten", SOON, || activity(&weir, &owner, "").is_empty().then_some(()));
    in_database(
        &weir,
        "INSERT INTO activities (id, channel_id, occasion, kind, at, data)
         WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 5050)
         SELECT '00' || x, id, 'n' || x, 'streamStarted', 9000000000000 + x, '{\"streamId\":\"b\",\"title\":\"\"}'
         FROM n, channels WHERE channels.name = 'ada'",
    );
    // Whatever the clocks said of the others, it is the newest.
    follow(&weir, &cleo, "ada");
    weir.crash();
    weir.start_again();
    eventually("what is too much goes", SOON, || {
        (in_database(&weir, "SELECT COUNT(*) FROM activities") == 5000).then_some(())
    });
    assert_eq!(activity(&weir, &owner, "?limit=1")[0]["person"]["account"], "cleo");
}

#[test]
fn owners_are_told_once_who_has_subscribed_for_long() {
    let mut weir = Weir::start();
    let owner = weir.set_up("ada");
    joined(&weir, &owner, "ben");
    let give = |weir: &Weir, days: u64| {
        ok(&call(
            weir,
            &owner,
            "PUT",
            "channels/ada/subscribers/ben",
            &json!({ "tier": "one", "days": days }),
        ));
    };
    give(&weir, 300);
    let milestones = |weir: &Weir| activity(weir, &owner, "?kind=milestone");
    let notified = |weir: &Weir| {
        let is_it =
            |one: &Value| one["title"].as_str().is_some_and(|title| title.contains("has subscribed to"));
        told(weir, &owner).into_iter().filter(is_it).collect::<Vec<_>>()
    };
    // Time passes: what was paid ahead counts as it does.
    let pass = |weir: &mut Weir, days: u64| {
        weir.crash();
        let back = days * DAY;
        let statement = format!(
            "UPDATE subscription_tenures SET since = since - {back}, ends_at = ends_at - {back}, next_at = next_at - {back}"
        );
        in_database(weir, &statement);
        weir.start_again();
    };
    assert!(milestones(&weir).is_empty());
    pass(&mut weir, 91);
    let first = eventually("the first milestone", SOON, || milestones(&weir).into_iter().next());
    assert_eq!((&first["months"], &first["person"]["account"]), (&json!(3), &json!("ben")));
    assert_eq!(notified(&weir)[0]["title"], "\u{2068}ben\u{2069} has subscribed to ada for 3 months");
    // Killed and started again, it is told once.
    pass(&mut weir, 1);
    assert_eq!((milestones(&weir).len(), notified(&weir).len()), (1, 1));
    pass(&mut weir, 100);
    eventually("the second milestone", SOON, || (milestones(&weir).len() == 2).then_some(()));
    assert_eq!(milestones(&weir)[0]["months"], 6);
    // A gap counts for nothing, and takes nothing.
    assert_eq!(call(&weir, &owner, "DELETE", "channels/ada/subscribers/ben", &Value::Null).status, 204);
    give(&weir, 300);
    pass(&mut weir, 170);
    eventually("a year", SOON, || (milestones(&weir).len() == 3).then_some(()));
    assert_eq!(milestones(&weir)[0]["months"], 12);
}

#[test]
fn what_people_follow_who_follow_the_same_is_recommended_and_tells_of_nobody() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let people: Vec<Login> = ["grace", "hedy"].iter().map(|name| joined(&weir, &owner, name)).collect();
    open_channel(&weir, &people[0], "grace-live");
    open_channel(&weir, &people[1], "hedy-live");
    let recommended = |login: &Login| {
        let page = ok(&call(&weir, login, "GET", "me/recommendations", &Value::Null));
        page["items"].as_array().expect("items").clone()
    };
    // Four people are fewer than are ever told of; of forty, about twenty are counted.
    let crowd = |from: u32, to: u32| {
        for statement in [
            format!(
                "INSERT INTO accounts (id, name, display_name, role, password_hash, created_at)
                 WITH RECURSIVE n(x) AS (SELECT {from} UNION ALL SELECT x + 1 FROM n WHERE x < {to})
                 SELECT 'crowd' || x, 'crowd' || x, 'Crowd', 'member', '', 0 FROM n"
            ),
            "INSERT INTO follows (channel_id, account_id, followed_at)
             SELECT channels.id, accounts.id, 0 FROM channels, accounts WHERE accounts.name LIKE 'crowd%'
             AND channels.name IN ('ada', 'grace-live', 'hedy-live') ON CONFLICT (channel_id, account_id) DO NOTHING"
                .to_owned(),
        ] {
            in_database(&weir, &statement);
        }
    };
    crowd(1, 4);
    let early = joined(&weir, &owner, "early");
    follow(&weir, &early, "ada");
    assert!(recommended(&early).is_empty(), "four people are too few to be told of");
    crowd(5, 40);
    ok(&call(&weir, &people[0], "PATCH", "channels/grace-live", &json!({ "visibility": "PRIVATE" })));
    let reader = joined(&weir, &owner, "reader");
    follow(&weir, &reader, "ada");
    let found = recommended(&reader);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (&found[0]["card"]["channel"]["name"], &found[0]["because"]),
        (&json!("hedy-live"), &json!("ada"))
    );
    assert!(!json!(found).to_string().to_lowercase().contains("crowd"), "nobody is named");
    // What is private by now isn't shown, and neither is what one follows by now, however long the rest stands.
    ok(&call(&weir, &people[1], "PATCH", "channels/hedy-live", &json!({ "visibility": "PRIVATE" })));
    assert!(recommended(&reader).is_empty());
    ok(&call(&weir, &people[1], "PATCH", "channels/hedy-live", &json!({ "visibility": "PUBLIC" })));
    assert_eq!(recommended(&reader).len(), 1);
    follow(&weir, &reader, "hedy-live");
    assert!(recommended(&reader).is_empty());
    // Nobody is recommended their own.
    follow(&weir, &people[1], "ada");
    assert!(recommended(&people[1]).is_empty());
    assert!(recommended(&joined(&weir, &owner, "nobody-yet")).is_empty());
    Request::new("GET", "/api/v1/me/recommendations").send(weir.http).problem(401);
}
