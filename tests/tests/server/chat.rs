//! Chat: what is written is kept and told, in order, to everybody, once.

use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};
use weir_tests::{
    chat::{self, By, Guest, Reader, call, say, text_of},
    events::{self, Events},
    http::Request,
    server::Weir,
};

#[test]
fn what_somebody_writes_is_told_to_everybody() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let mut first = Reader::join(weir.http, "ada");
    assert!(first.complete);
    let ben = chat::guest(weir.http, "Ben");
    let mut socket = Events::open(weir.http);
    let sent = chat::send(&mut socket, "m1", "ada", "Hello @ada :wave: https://weir.example/x.", Some(&ben));
    assert_eq!(sent["event"], "chat:send_message:v1:success", "{sent}");
    let message = first.hear();
    assert_eq!((&message["type"], &message["id"]), (&json!("message"), &sent["payload"]["id"]));
    assert_eq!(message["sequence"], sent["payload"]["sequence"]);
    assert_eq!(message["author"]["badges"], json!(["guest"]));
    let kinds: Vec<_> = message["fragments"].as_array().unwrap().iter().map(|f| f["type"].clone()).collect();
    assert_eq!(kinds, ["text", "mention", "text", "emote", "text", "link", "text"]);
    let wave = message["fragments"][3]["url"].as_str().unwrap().to_owned();
    let picture = Request::new("GET", &wave).send(weir.http);
    assert_eq!((picture.status, picture.header("content-type")), (200, Some("image/svg+xml")));
    assert!(picture.header("cache-control").unwrap().contains("immutable"));
    assert_eq!(
        picture.header("content-security-policy"),
        Some("default-src 'none'; style-src 'unsafe-inline'")
    );

    let answer = json!({ "text": "Hello Ben", "replyTo": message["id"] });
    let response = call(weir.http, "POST", "ada/chat/messages", By::Login(&owner), Some(&answer));
    assert_eq!(response.status, 201, "{}", response.text());
    let reply = first.hear();
    assert_eq!(
        (&reply["author"]["badges"], &reply["author"]["account"]),
        (&json!(["owner", "staff"]), &json!("ada"))
    );
    assert_eq!(reply["replyTo"]["name"], "Ben");
    assert!(reply["replyTo"]["excerpt"].as_str().unwrap().starts_with("Hello @ada :wave:"));

    // A newcomer is given the last messages, and goes on from there.
    let mut second = Reader::join(weir.http, "ada");
    assert_eq!(
        [second.hear()["id"].clone(), second.hear()["id"].clone()],
        [message["id"].clone(), reply["id"].clone()]
    );
    assert_eq!(say(weir.http, "ada", By::Guest(&ben), "again").status, 201);
    assert_eq!((text_of(&first.hear()), text_of(&second.hear())), ("again".to_owned(), "again".to_owned()));

    let room = call(weir.http, "GET", "ada/chat", By::Guest(&ben), None).json();
    assert_eq!((&room["you"]["name"], &room["canModerate"]), (&json!("Ben"), &json!(false)));
    assert!(room["emotes"].as_array().unwrap().len() >= 24);
    let page = call(weir.http, "GET", "ada/chat/messages?limit=2", By::Nobody, None).json();
    assert_eq!(
        (page["items"][0]["fragments"][0]["text"].clone(), page["items"].as_array().unwrap().len()),
        (json!("again"), 2)
    );
    let next = format!("ada/chat/messages?limit=2&cursor={}", page["next"].as_str().unwrap());
    let rest = call(weir.http, "GET", &next, By::Nobody, None).json();
    assert_eq!((rest["items"].as_array().unwrap().len(), &rest["next"]), (1, &json!(null)));
}

/// Says something that must be taken.
#[track_caller]
fn said(weir: &Weir, by: By<'_>, text: &str) -> Value {
    let response = say(weir.http, "ada", by, text);
    assert_eq!(response.status, 201, "{}", response.text());
    response.json()
}

#[test]
fn who_comes_back_gets_exactly_what_was_missed() {
    let mut weir = Weir::start();
    let owner = weir.set_up("ada");
    let owner = By::Login(&owner);
    let ids: Vec<Value> = (0..5).map(|n| said(&weir, owner, &format!("m{n}"))).collect();
    let mut reader = Reader::join(weir.http, "ada");
    let first = reader.hear();
    assert_eq!(text_of(&first), "m0");
    for _ in 1..5 {
        reader.hear();
    }
    let seen = reader.cursor;
    drop(reader);
    for n in 5..10 {
        said(&weir, owner, &format!("m{n}"));
    }
    let gone = said(&weir, owner, "gone");
    for id in [&ids[1]["id"], &gone["id"]] {
        let path = format!("ada/chat/messages/{}", id.as_str().unwrap());
        assert_eq!(call(weir.http, "DELETE", &path, owner, None).status, 204);
        assert_eq!(
            call(weir.http, "DELETE", &path, owner, None).problem(404).kind,
            "/problems/unknown-message"
        );
    }
    // What a busy room does is told a tenth of a second later.
    Reader::resume(weir.http, "ada", gone["sequence"].as_u64().unwrap())
        .until(|update| update["messages"][0] == gone["id"]);
    let what = |reader: &mut Reader| -> Vec<String> {
        (0..7)
            .map(|_| {
                let update = reader.hear();
                if update["type"] == "deleted" {
                    format!("-{}", update["messages"])
                } else {
                    text_of(&update)
                }
            })
            .collect()
    };
    let deleted = [&ids[1]["id"], &gone["id"]].map(|id| format!("-[{id}]"));
    let expected = ["m5", "m6", "m7", "m8", "m9", &deleted[0], &deleted[1]];
    let mut from_memory = Reader::resume(weir.http, "ada", seen);
    assert!(from_memory.complete);
    assert_eq!(what(&mut from_memory), expected);
    // The same from the database, after the process that had it in memory is gone.
    weir.crash();
    weir.start_again();
    let mut from_disk = Reader::resume(weir.http, "ada", seen);
    assert!(from_disk.complete);
    assert_eq!(what(&mut from_disk), expected);
    let last = from_disk.cursor;
    let sequence = said(&weir, owner, "after")["sequence"].as_u64().unwrap();
    assert!(sequence > last, "sequences go on after a restart");
    assert_eq!(text_of(&from_disk.hear()), "after");
    let mut all = Reader::resume(weir.http, "ada", sequence);
    assert!(all.complete);
    said(&weir, owner, "and on");
    assert_eq!(text_of(&all.hear()), "and on", "nothing comes that was seen");
    // A cursor that no server of this database gave.
    let mut stranger = Reader::resume(weir.http, "ada", 1_000_000);
    assert!(!stranger.complete);
    assert_eq!(text_of(&stranger.hear()), "m0");
}

#[test]
fn nothing_is_lost_and_nothing_comes_twice_over_many_reconnects() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let server = weir.http;
    const MESSAGES: usize = 600;
    let writing = std::thread::spawn(move || {
        for n in 0..MESSAGES {
            let response = say(server, "ada", By::Login(&owner), &format!("{n}"));
            assert_eq!(response.status, 201, "{}", response.text());
        }
    });
    let mut got: Vec<usize> = Vec::new();
    let mut reader = Reader::join(server, "ada");
    let mut connections = 1;
    while got.len() < MESSAGES {
        // Cut off in the middle, at all kinds of places; a batch that was read in part is seen as a whole.
        for _ in 0..1 + connections % 3 {
            if got.len() == MESSAGES {
                break;
            }
            got.push(text_of(&reader.hear()).parse().unwrap());
        }
        got.extend(reader.rest().iter().map(|update| text_of(update).parse::<usize>().unwrap()));
        let seen = reader.cursor;
        drop(reader);
        reader = Reader::resume(server, "ada", seen);
        assert!(reader.complete);
        connections += 1;
    }
    writing.join().unwrap();
    assert_eq!(got, (0..MESSAGES).collect::<Vec<_>>());
    assert!(connections > 5, "{connections}");
}

#[test]
fn a_message_sent_again_with_its_key_is_taken_once() {
    let mut weir = Weir::start();
    weir.set_up("ada");
    let ben = chat::guest(weir.http, "Ben");
    let body = json!({ "text": "once", "key": "k-1" });
    let send = |weir: &Weir, by| call(weir.http, "POST", "ada/chat/messages", by, Some(&body));
    let first = send(&weir, By::Guest(&ben)).json();
    for _ in 0..20 {
        assert_eq!(send(&weir, By::Guest(&ben)).json(), first, "however often, and it costs nothing");
    }
    weir.crash();
    weir.start_again();
    assert_eq!(send(&weir, By::Guest(&ben)).json(), first, "and over a restart");
    let cid = chat::guest(weir.http, "Cid");
    assert_ne!(send(&weir, By::Guest(&cid)).json(), first, "a key is its sender's own");
    let page = call(weir.http, "GET", "ada/chat/messages", By::Nobody, None).json();
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
}

#[test]
fn rules_say_how_long_to_wait() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let ben = chat::guest(weir.http, "Ben");
    for n in 0..5 {
        said(&weir, By::Guest(&ben), &format!("{n}"));
    }
    let problem = say(weir.http, "ada", By::Guest(&ben), "too much").problem(429);
    assert_eq!((problem.kind.as_str(), problem.retry_after), ("/problems/too-fast", Some(2)));
    let mut socket = Events::open(weir.http);
    let failed = chat::send(&mut socket, "s", "ada", "too much", Some(&ben));
    assert_eq!(
        (&failed["payload"]["type"], &failed["payload"]["retryAfter"]),
        (&json!("/problems/too-fast"), &json!(2))
    );
    let mut reader = Reader::join(weir.http, "ada");
    reader.until(|update| text_of(update) == "4");
    let settings = json!({ "guests": true, "slowSeconds": 600 });
    let patched = call(weir.http, "PATCH", "ada/chat", By::Login(&owner), Some(&settings));
    let rules = |guests: bool, slow: u32| {
        json!({ "guests": guests, "slowSeconds": slow, "followers": false, "followersMinutes": 0,
                "subscribers": false, "emoteOnly": false, "unique": false, "raids": true })
    };
    assert_eq!((patched.status, patched.json()), (200, rules(true, 600)));
    assert_eq!(reader.hear()["settings"]["slowSeconds"], 600);
    let cid = chat::guest(weir.http, "Cid");
    said(&weir, By::Guest(&cid), "one");
    let problem = say(weir.http, "ada", By::Guest(&cid), "two").problem(429);
    assert_eq!(problem.kind, "/problems/slow-mode");
    assert!((598..=600).contains(&problem.retry_after.unwrap()));
    call(weir.http, "PATCH", "ada/chat", By::Login(&owner), Some(&json!({ "guests": false })));
    let dan = chat::guest(weir.http, "Dan");
    assert_eq!(say(weir.http, "ada", By::Guest(&dan), "hi").problem(403).kind, "/problems/guests-off");
    assert_eq!(call(weir.http, "GET", "ada/chat", By::Nobody, None).json()["settings"], rules(false, 600));
    for body in [json!({ "slowSeconds": 601 }), json!({ "slowSeconds": -1 }), json!({ "more": 1 })] {
        call(weir.http, "PATCH", "ada/chat", By::Login(&owner), Some(&body)).problem(422);
    }
    for by in [By::Nobody, By::Guest(&ben)] {
        call(weir.http, "PATCH", "ada/chat", by, Some(&json!({ "guests": true }))).problem(401);
    }
}

#[test]
fn moderators_time_people_out_and_delete() {
    let mut weir = Weir::start();
    let owner = weir.set_up("ada");
    let mia = chat::account(&weir, "mia");
    let member = chat::account(&weir, "sam");
    let ben = chat::guest_from(weir.http, "Ben", "192.0.2.9");
    let from_bens = |guest: &Guest, text: &str| {
        Request::new("POST", "/api/v1/channels/ada/chat/messages")
            .header("weir-guest", guest.token.as_str())
            .header("x-forwarded-for", "192.0.2.9")
            .json(&json!({ "text": text }))
            .send(weir.http)
    };
    let said_by_ben: Vec<Value> =
        ["spam", "more spam"].iter().map(|text| from_bens(&ben, text).json()["id"].clone()).collect();
    let time_out = json!({ "person": ben.id, "seconds": 600, "reason": "spam" });
    // Nobody but the owner makes moderators, and nobody else times out.
    for by in [By::Login(&mia), By::Login(&member)] {
        call(weir.http, "POST", "ada/chat/silences", by, Some(&time_out)).problem(403);
        call(weir.http, "PUT", "ada/moderators/mia", by, None).problem(403);
        call(weir.http, "GET", "ada/chat/silences", by, None).problem(403);
    }
    call(weir.http, "POST", "ada/chat/silences", By::Guest(&ben), Some(&time_out)).problem(401);
    let made = call(weir.http, "PUT", "ada/moderators/mia", By::Login(&owner), None);
    assert_eq!((made.status, &made.json()["account"]), (201, &json!("mia")));
    assert_eq!(call(weir.http, "PUT", "ada/moderators/mia", By::Login(&owner), None).status, 200);
    call(weir.http, "PUT", "ada/moderators/nobody", By::Login(&owner), None).problem(404);
    call(weir.http, "PUT", "ada/moderators/ada", By::Login(&owner), None).problem(422);
    assert_eq!(call(weir.http, "GET", "ada/chat", By::Login(&mia), None).json()["canModerate"], true);
    let listed = call(weir.http, "GET", "ada/moderators", By::Login(&mia), None).json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);

    let mut reader = Reader::join(weir.http, "ada");
    reader.until(|update| text_of(update) == "more spam");
    let silence = call(weir.http, "POST", "ada/chat/silences", By::Login(&mia), Some(&time_out));
    assert_eq!(silence.status, 201, "{}", silence.text());
    assert_eq!(silence.json()["name"], "Ben");
    let told = reader.hear();
    assert_eq!(
        (&told["type"], &told["person"], &told["until"]),
        (&json!("silenced"), &json!(ben.id), &silence.json()["until"])
    );
    let deleted = reader.hear();
    let ids: BTreeSet<String> =
        deleted["messages"].as_array().unwrap().iter().map(Value::to_string).collect();
    assert_eq!(ids, said_by_ben.iter().map(Value::to_string).collect());
    let problem = from_bens(&ben, "again").problem(403);
    assert_eq!(problem.kind, "/problems/timed-out");
    assert!((590..=600).contains(&problem.retry_after.unwrap()));
    // A new name from the same address is timed out too; somebody else is not, nor is the neighbour's account.
    let again = chat::guest_from(weir.http, "Not Ben", "192.0.2.9");
    assert_eq!(from_bens(&again, "me again").problem(403).kind, "/problems/timed-out");
    let cid = chat::guest_from(weir.http, "Cid", "192.0.2.10");
    said(&weir, By::Guest(&cid), "hello");
    assert!(call(weir.http, "GET", "ada/chat", By::Guest(&ben), None).json()["silencedUntil"].is_string());

    // It outlives the process; lifting it works too.
    weir.crash();
    weir.start_again();
    let ben_says = |text| say(weir.http, "ada", By::Guest(&ben), text);
    ben_says("after the restart").problem(403);
    let listed = call(weir.http, "GET", "ada/chat/silences", By::Login(&mia), None).json();
    assert_eq!(
        (&listed["items"][0]["person"], &listed["items"][0]["reason"]),
        (&json!(ben.id), &json!("spam"))
    );
    let lift = format!("ada/chat/silences/{}", ben.id);
    assert_eq!(call(weir.http, "DELETE", &lift, By::Login(&mia), None).status, 204);
    call(weir.http, "DELETE", &lift, By::Login(&mia), None).problem(404);
    assert_eq!(ben_says("back").status, 201);

    // Who can't be timed out, and what a time-out can't be.
    let id_of =
        |login| call(weir.http, "GET", "ada/chat", By::Login(login), None).json()["you"]["id"].clone();
    for (person, status) in
        [(id_of(&owner), 403), (id_of(&mia), 403), (json!("guest-nobody"), 404), (json!("<b>"), 422)]
    {
        let body = json!({ "person": person, "seconds": 60 });
        call(weir.http, "POST", "ada/chat/silences", By::Login(&mia), Some(&body)).problem(status);
    }
    for seconds in [0, 1_209_601] {
        let body = json!({ "person": ben.id, "seconds": seconds });
        call(weir.http, "POST", "ada/chat/silences", By::Login(&mia), Some(&body)).problem(422);
    }
    assert_eq!(call(weir.http, "DELETE", "ada/moderators/mia", By::Login(&owner), None).status, 204);
    call(weir.http, "POST", "ada/chat/silences", By::Login(&mia), Some(&time_out)).problem(403);
}

#[test]
fn people_delete_their_own_messages_and_nobody_elses() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let ben = chat::guest(weir.http, "Ben");
    let cid = chat::guest(weir.http, "Cid");
    let bens = said(&weir, By::Guest(&ben), "mine");
    let path = format!("ada/chat/messages/{}", bens["id"].as_str().unwrap());
    call(weir.http, "DELETE", &path, By::Guest(&cid), None).problem(403);
    call(weir.http, "DELETE", &path, By::Nobody, None).problem(401);
    call(weir.http, "DELETE", &path.replace("ada/", "nobody/"), By::Guest(&ben), None).problem(404);
    assert_eq!(call(weir.http, "DELETE", &path, By::Guest(&ben), None).status, 204);
    let reply = json!({ "text": "what?", "replyTo": bens["id"] });
    let answer = call(weir.http, "POST", "ada/chat/messages", By::Login(&owner), Some(&reply));
    assert_eq!(answer.problem(404).kind, "/problems/unknown-message");
}

#[test]
fn a_private_channels_chat_is_its_owners_alone() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let ben = chat::guest(weir.http, "Ben");
    let mut stranger = Reader::join(weir.http, "ada");
    let mut own = Reader::follow(Events::open_as(weir.http, &owner.cookie), "ada", None);
    let hide = Request::new("PATCH", "/api/v1/channels/ada").header("cookie", owner.cookie.as_str());
    assert_eq!(hide.json(&json!({ "visibility": "PRIVATE" })).send(weir.http).status, 200);
    let cut = stranger.events.next(Duration::from_secs(5)).expect("the end");
    assert_eq!(
        (&cut["event"], &cut["payload"]["type"]),
        (&json!("chat:stream_messages:v1:failed"), &json!("/problems/unknown-channel"))
    );
    said(&weir, By::Login(&owner), "alone");
    assert_eq!(text_of(&own.hear()), "alone");
    for path in ["ada/chat", "ada/chat/messages"] {
        call(weir.http, "GET", path, By::Guest(&ben), None).problem(404);
    }
    say(weir.http, "ada", By::Guest(&ben), "let me in").problem(404);
    let mut socket = Events::open(weir.http);
    socket.request(chat::MESSAGES, "c", Some("ada"));
    assert_eq!(socket.next(Duration::from_secs(5)).unwrap()["payload"]["type"], "/problems/unknown-channel");
}

#[test]
fn a_program_writes_and_moderates_as_its_token_says() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let token = |scopes: &[&str]| -> String {
        let body = json!({ "label": "a bot", "scopes": scopes });
        let request = weir.same_origin("POST", "/api/v1/me/tokens").header("cookie", owner.cookie.as_str());
        request.json(&body).send(weir.http).json()["secret"].as_str().expect("a secret").to_owned()
    };
    let (reads, writes, moderates) = (token(&["read"]), token(&["chat:write"]), token(&["chat:moderate"]));
    let send = |secret: &str| {
        let bearer = format!("Bearer {secret}");
        let mut socket =
            events::open_with(weir.http, &[("authorization", &bearer)]).expect("the event socket");
        chat::send(&mut socket, "b", "ada", "from a program", None)
    };
    assert_eq!(send(&reads)["payload"]["type"], "/problems/missing-scope");
    assert_eq!(send(&moderates)["payload"]["type"], "/problems/missing-scope");
    let sent = send(&writes);
    assert_eq!(sent["event"], "chat:send_message:v1:success", "{sent}");
    let path = format!("/api/v1/channels/ada/chat/messages/{}", sent["payload"]["id"].as_str().unwrap());
    fn as_program<'a>(secret: &'a str, method: &'a str, path: &'a str) -> Request<'a> {
        Request::new(method, path).bearer(secret)
    }
    for (method, path, body) in [
        ("POST", "/api/v1/channels/ada/chat/messages", json!({ "text": "x" })),
        ("POST", "/api/v1/channels/ada/chat/silences", json!({ "person": "guest-x", "seconds": 1 })),
        ("PATCH", "/api/v1/channels/ada/chat", json!({ "guests": false })),
    ] {
        let refused = as_program(&reads, method, path).json(&body).send(weir.http).problem(403);
        assert_eq!(refused.kind, "/problems/missing-scope", "{path}");
    }
    for secret in [&reads, &writes] {
        let refused = as_program(secret, "DELETE", &path).send(weir.http).problem(403);
        assert_eq!(refused.kind, "/problems/missing-scope");
    }
    assert_eq!(as_program(&moderates, "DELETE", &path).send(weir.http).status, 204);
    let command = |secret: &str, text: &str| {
        let request = as_program(secret, "POST", "/api/v1/channels/ada/chat/commands");
        request.json(&json!({ "text": text })).send(weir.http)
    };
    assert_eq!(command(&moderates, "/slow 5").status, 200);
    // Who is what on a channel takes the scope of its own route, however it is written.
    for text in ["/mod sam", " /VIP sam", "/raid grace", "/m\u{200B}od sam"] {
        assert_eq!(command(&moderates, text).problem(403).kind, "/problems/missing-scope", "{text}");
    }
    let both = token(&["chat:moderate", "channel:write"]);
    assert_eq!(command(&both, "/mod sam").problem(404).kind, "/problems/unknown-account");
}
