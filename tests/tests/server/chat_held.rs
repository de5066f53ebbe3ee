//! What a room holds: filters, the queue that moderators work through, and people's cards.

use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};
use weir_tests::{
    chat::{self, By, Guest, Reader, call, say, text_of},
    events::Events,
    eventually,
    http::{Request, Response},
    server::Weir,
};

fn set_filters(weir: &Weir, by: By<'_>, filters: &Value) -> Response {
    call(weir.http, "PUT", "ada/chat/filters", by, Some(filters))
}

fn decide(weir: &Weir, by: By<'_>, id: &Value, approve: bool) -> Response {
    let path = format!("ada/chat/held/{}", id.as_str().expect("an id"));
    call(weir.http, "POST", &path, by, Some(&json!({ "approve": approve })))
}

fn queue(weir: &Weir, by: By<'_>) -> Vec<Value> {
    let page = call(weir.http, "GET", "ada/chat/held?limit=200", by, None).json();
    page["items"].as_array().expect("items").clone()
}

/// Says something that must be held; its id.
#[track_caller]
fn held(weir: &Weir, guest: &Guest, text: &str) -> Value {
    let response = say(weir.http, "ada", By::Guest(guest), text);
    let sent = response.json();
    assert_eq!((response.status, &sent["held"], &sent["sequence"]), (202, &json!(true), &json!(0)), "{sent}");
    sent["id"].clone()
}

#[test]
fn what_is_held_waits_until_a_moderator_decides() {
    let mut weir = Weir::start();
    let owner = weir.set_up("ada");
    let mia = chat::account(&weir, "mia");
    call(weir.http, "PUT", "ada/moderators/mia", By::Login(&owner), None);
    let (owner, mia) = (By::Login(&owner), By::Login(&mia));
    let filters = json!({ "words": ["badword", "spam*"], "links": "hold", "hosts": ["weir.example"], "repeats": true,
        "capitals": true, "lookAlikes": true });
    let set = set_filters(&weir, mia, &filters);
    assert_eq!((set.status, set.json()), (200, filters.clone()));
    let mut reader = Reader::join(weir.http, "ada");
    let mut socket = Events::open(weir.http);
    socket.request("channel:stream_events:v1", "e", Some("ada"));
    let mut ids = Vec::new();
    for (n, (text, reason)) in [
        ("what a b.a.d.w.o.r.d", "word"),
        ("see https://evil.example/", "link"),
        ("see evil.com", "link"),
        ("buy buy buy buy buy buy buy buy", "repeats"),
        ("WHY DOES NOBODY EVER ANSWER", "capitals"),
        ("log in at pаypal", "lookAlikes"),
    ]
    .into_iter()
    .enumerate()
    {
        let guest = chat::guest(weir.http, &format!("Guest {n}"));
        let id = held(&weir, &guest, text);
        let waits = queue(&weir, mia);
        assert_eq!(
            (waits.len(), &waits[n]["id"], &waits[n]["reasons"]),
            (n + 1, &id, &json!([reason])),
            "{text}"
        );
        ids.push(id);
    }
    let told =
        socket.until("word of it", crate::SOON, |message| message["payload"]["type"] == "ChatMessageHeld");
    assert_eq!(told["payload"]["messageId"], ids[0]);
    let ben = chat::guest(weir.http, "Ben");
    for text in ["nothing wrong here", "see https://weir.example/x", "Hello THERE", "мир и hello"] {
        assert_eq!(say(weir.http, "ada", By::Guest(&ben), text).status, 201, "{text}");
        assert_eq!(text_of(&reader.hear()), text, "what waits is told nobody");
    }
    // The owner and moderators are not held.
    assert_eq!(say(weir.http, "ada", owner, "badword https://evil.example/").status, 201);
    reader.hear();
    // What waits outlives the process.
    weir.crash();
    weir.start_again();
    let mut reader = Reader::resume(weir.http, "ada", reader.cursor);
    assert_eq!(queue(&weir, owner).len(), 6);
    let approved = decide(&weir, mia, &ids[0], true);
    assert_eq!((approved.status, &approved.json()["approved"]), (200, &json!(true)));
    let shown = reader.hear();
    assert_eq!((&shown["id"], text_of(&shown).as_str()), (&ids[0], "what a b.a.d.w.o.r.d"));
    let refused = decide(&weir, mia, &ids[1], false);
    assert_eq!((refused.status, &refused.json()["byName"]), (200, &json!("mia")));
    assert_eq!(reader.hear()["messages"], json!([ids[1]]), "its author's page hears of it");
    // Who is second gets what the first decided, and nothing happens.
    let second = decide(&weir, owner, &ids[0], false).json();
    assert_eq!((&second["approved"], &second["byName"]), (&json!(true), &json!("mia")));
    assert_eq!(decide(&weir, owner, &ids[1], true).json()["approved"], false);
    decide(&weir, owner, &json!("nothing"), true).problem(404);
    let actions = call(weir.http, "GET", "ada/chat/actions", owner, None).json();
    let kinds: Vec<&Value> = actions["items"].as_array().unwrap().iter().map(|one| &one["kind"]).collect();
    assert_eq!(kinds, ["refuse", "approve", "filters", "addModerator"]);
    assert_eq!(actions["items"][1]["personName"], "Guest 0");
    assert!(!actions.to_string().contains("badword"), "the list itself is not on record");
    assert_eq!(queue(&weir, mia).len(), 4);
}

#[test]
fn two_moderators_at_once_get_one_result() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let moderators: Vec<_> = ["mia", "max"].map(|name| chat::account(&weir, name)).into();
    for name in ["mia", "max"] {
        call(weir.http, "PUT", &format!("ada/moderators/{name}"), By::Login(&owner), None);
    }
    set_filters(&weir, By::Login(&owner), &json!({ "words": ["badword"] }));
    let mut reader = Reader::join(weir.http, "ada");
    for round in 0..10 {
        let ben = chat::guest(weir.http, &format!("Ben {round}"));
        let id = held(&weir, &ben, &format!("badword {round}"));
        let results: Vec<Value> = std::thread::scope(|scope| {
            let asked: Vec<_> = moderators
                .iter()
                .enumerate()
                .map(|(n, login)| {
                    let (weir, id) = (&weir, &id);
                    scope.spawn(move || decide(weir, By::Login(login), id, n == 0).json())
                })
                .collect();
            asked.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(results[0], results[1], "both are told the same");
        let told = reader.hear();
        let kind = if results[0]["approved"] == true { "message" } else { "deleted" };
        assert_eq!(told["type"], kind, "and that is what happened, once");
    }
    let actions = call(weir.http, "GET", "ada/chat/actions?limit=200", By::Login(&owner), None).json();
    let decided = actions["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["kind"] == "approve" || one["kind"] == "refuse");
    assert_eq!(decided.count(), 10);
}

#[test]
fn a_held_message_is_held_once_and_goes_with_its_author() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let owner = By::Login(&owner);
    set_filters(&weir, owner, &json!({ "words": ["badword"] }));
    let ben = chat::guest(weir.http, "Ben");
    let body = json!({ "text": "badword", "key": "k-1" });
    let send = || call(weir.http, "POST", "ada/chat/messages", By::Guest(&ben), Some(&body)).json();
    let first = send();
    for _ in 0..5 {
        assert_eq!(send(), first);
    }
    assert_eq!(queue(&weir, owner).len(), 1);
    let card = |person: &str| call(weir.http, "GET", &format!("ada/chat/people/{person}"), owner, None);
    let before = card(&ben.id).json();
    assert_eq!(
        (&before["name"], &before["messages"]),
        (&json!("Ben"), &json!(0)),
        "nothing of theirs was shown yet"
    );
    card("guest-nobody").problem(404);
    assert_eq!(say(weir.http, "ada", By::Guest(&ben), "harmless").status, 201);
    let ban = json!({ "person": ben.id, "reason": "spam" });
    assert_eq!(call(weir.http, "POST", "ada/chat/bans", owner, Some(&ban)).status, 201);
    assert!(queue(&weir, owner).is_empty(), "what waits of somebody who is banned waits no more");
    let card = card(&ben.id).json();
    assert_eq!(
        (&card["name"], &card["messages"], &card["banned"], &card["recent"][0]["deleted"]),
        (&json!("Ben"), &json!(1), &json!(true), &json!(true))
    );
    assert_eq!((&card["actions"][0]["kind"], &card["actions"][0]["detail"]), (&json!("ban"), &json!("spam")));
}

#[test]
fn links_are_refused_and_the_queue_has_an_end() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let sam = chat::account(&weir, "sam");
    let owner = By::Login(&owner);
    set_filters(&weir, owner, &json!({ "links": "refuse" }));
    let problem = say(weir.http, "ada", By::Login(&sam), "https://evil.example/").problem(403);
    assert_eq!(problem.kind, "/problems/links-refused");
    set_filters(&weir, owner, &json!({ "words": ["badword"] }));
    let mut waiting = 0;
    let mut ids = BTreeSet::new();
    // Each from a network of its own, as one alone is stopped long before.
    'full: for n in 0..700 {
        let address = format!("198.51.{}.{}", 100 + n / 200, n % 200);
        let guest = chat::guest_from(weir.http, &format!("Guest {n}"), &address);
        for m in 0..5 {
            let send = || {
                Request::new("POST", "/api/v1/channels/ada/chat/messages")
                    .header("weir-guest", guest.token.as_str())
                    .header("x-forwarded-for", address.as_str())
                    .json(&json!({ "text": format!("badword {n} {m}") }))
                    .send(weir.http)
            };
            // A room that is busy takes it a moment later.
            let response = eventually("the room has a turn", Duration::from_secs(10), || {
                Some(send()).filter(|response| {
                    response.status == 202 || response.json()["type"].as_str() != Some("/problems/room-busy")
                })
            });
            if response.status != 202 {
                assert_eq!(response.problem(429).kind, "/problems/queue-full");
                break 'full;
            }
            waiting += 1;
            ids.insert(response.json()["id"].to_string());
        }
    }
    assert_eq!((waiting, ids.len()), (500, 500));
    // The room itself is busy for a moment.
    let sams = |text: &str, wanted: u16| {
        (0..500)
            .map(|_| say(weir.http, "ada", By::Login(&sam), text))
            .find(|response| response.status == wanted)
    };
    assert!(sams("harmless", 201).is_some(), "others write on");
    let first = queue(&weir, owner)[0]["id"].clone();
    assert_eq!(decide(&weir, owner, &first, false).status, 200);
    assert!(sams("badword", 202).is_some(), "and there is room again");
}

#[test]
fn filters_and_the_queue_are_for_moderators() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let sam = chat::account(&weir, "sam");
    let ben = chat::guest(weir.http, "Ben");
    say(weir.http, "ada", By::Guest(&ben), "hello");
    let owner = By::Login(&owner);
    for (by, status) in [(By::Login(&sam), 403), (By::Nobody, 401), (By::Guest(&ben), 401)] {
        for path in ["ada/chat/filters", "ada/chat/held", &format!("ada/chat/people/{}", ben.id)] {
            call(weir.http, "GET", path, by, None).problem(status);
        }
        set_filters(&weir, by, &json!({})).problem(status);
        decide(&weir, by, &json!("x"), true).problem(status);
    }
    for (filters, field) in [
        (json!({ "words": ["x".repeat(41)] }), "words"),
        (json!({ "words": ["*"] }), "words"),
        (json!({ "words": vec!["x"; 201] }), "words"),
        (json!({ "hosts": ["https://a.example"] }), "hosts"),
        (json!({ "links": "burn" }), "links"),
        (json!({ "more": 1 }), "more"),
    ] {
        assert_eq!(set_filters(&weir, owner, &filters).problem(422).field.as_deref(), Some(field));
    }
    assert_eq!(
        call(weir.http, "GET", "ada/chat/filters", owner, None).json(),
        json!({ "words": [], "links": "allow", "hosts": [], "repeats": false, "capitals": false, "lookAlikes": false })
    );
    // Another channel's queue is another's.
    set_filters(&weir, owner, &json!({ "words": ["badword"] }));
    let id = held(&weir, &ben, "badword");
    let made = Request::new("POST", "/api/v1/channels");
    let By::Login(login) = owner else { unreachable!("the owner signs in") };
    assert_eq!(
        made.header("cookie", login.cookie.as_str())
            .json(&json!({ "name": "second" }))
            .send(weir.http)
            .status,
        201
    );
    let path = format!("second/chat/held/{}", id.as_str().unwrap());
    call(weir.http, "POST", &path, owner, Some(&json!({ "approve": true }))).problem(404);
    call(weir.http, "GET", &format!("second/chat/people/{}", ben.id), owner, None).problem(404);
}
