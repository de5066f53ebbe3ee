//! Polls: one a room, votes that are kept and count once, results that come as people vote.

use serde_json::{Value, json};
use weir_tests::{
    chat::{self, By, Guest, Reader, call, say},
    http::{Request, Response},
    server::Weir,
};

fn start(weir: &Weir, by: By<'_>, seconds: u32) -> Response {
    let body =
        json!({ "question": "What next?", "options": ["Clay", "Stones", "Reeds"], "seconds": seconds });
    call(weir.http, "POST", "ada/chat/polls", by, Some(&body))
}

fn vote(weir: &Weir, by: By<'_>, poll: &Value, option: u32) -> Response {
    let path = format!("ada/chat/polls/{}/votes", poll["id"].as_str().expect("an id"));
    call(weir.http, "POST", &path, by, Some(&json!({ "option": option })))
}

fn vote_from(weir: &Weir, guest: &Guest, address: &str, poll: &Value, option: u32) -> Response {
    let path = format!("/api/v1/channels/ada/chat/polls/{}/votes", poll["id"].as_str().expect("an id"));
    Request::new("POST", &path)
        .header("weir-guest", guest.token.as_str())
        .header("x-forwarded-for", address)
        .json(&json!({ "option": option }))
        .send(weir.http)
}

fn votes(poll: &Value) -> Vec<u64> {
    poll["options"]
        .as_array()
        .expect("options")
        .iter()
        .map(|one| one["votes"].as_u64().expect("a number"))
        .collect()
}

#[test]
fn a_vote_counts_once_and_is_kept() {
    let mut weir = Weir::start();
    let owner = weir.set_up("ada");
    let sam = chat::account(&weir, "sam");
    let (by_owner, by_sam) = (By::Login(&owner), By::Login(&sam));
    let mut reader = Reader::join(weir.http, "ada");
    let started = start(&weir, by_owner, 3600);
    assert_eq!(started.status, 201, "{}", started.text());
    let poll = started.json();
    assert_eq!(reader.hear()["poll"]["id"], poll["id"]);
    assert_eq!(start(&weir, by_owner, 60).problem(409).kind, "/problems/poll-open");
    start(&weir, by_sam, 60).problem(403);
    assert_eq!(vote(&weir, by_sam, &poll, 1).json(), json!({ "option": 1 }));
    assert_eq!(vote(&weir, by_sam, &poll, 0).json(), json!({ "option": 1 }), "the first vote stands");
    let names = ["One", "Two", "Three"].map(|name| chat::guest(weir.http, name));
    assert_eq!(vote_from(&weir, &names[0], "192.0.2.1", &poll, 0).status, 200);
    let second = vote_from(&weir, &names[1], "192.0.2.1", &poll, 2);
    assert_eq!(second.json(), json!({ "option": 0 }), "another name of the same network has voted");
    assert_eq!(vote_from(&weir, &names[2], "192.0.2.2", &poll, 2).status, 200);
    reader.until(|update| update["type"] == "poll" && votes(&update["poll"]) == [1, 1, 1]);
    vote(&weir, by_sam, &poll, 3).problem(422);
    vote(&weir, by_sam, &json!({ "id": "nothing" }), 0).problem(404);
    vote(&weir, By::Nobody, &poll, 0).problem(401);
    let room = call(weir.http, "GET", "ada/chat", by_sam, None).json();
    assert_eq!((&room["vote"], votes(&room["poll"])), (&json!(1), vec![1, 1, 1]));
    // It outlives the process, and goes on.
    weir.crash();
    weir.start_again();
    let room = call(weir.http, "GET", "ada/chat", by_sam, None).json();
    assert_eq!((&room["vote"], &room["poll"]["ended"]), (&json!(1), &json!(false)));
    assert_eq!(vote(&weir, by_owner, &poll, 0).status, 200);
    let ended = call(weir.http, "DELETE", "ada/chat/polls", by_owner, None);
    assert_eq!((ended.status, &ended.json()["ended"]), (200, &json!(true)));
    assert_eq!(votes(&ended.json()), [2, 1, 1], "the end counts everything");
    call(weir.http, "DELETE", "ada/chat/polls", by_owner, None).problem(404);
    assert_eq!(vote(&weir, by_owner, &poll, 0).problem(404).kind, "/problems/no-poll");
    assert_eq!(start(&weir, by_owner, 10).status, 201, "and there is room for another");
    let ben = chat::guest(weir.http, "Ben");
    assert_eq!(say(weir.http, "ada", By::Guest(&ben), "hi").status, 201);
    let ban = json!({ "person": ben.id });
    call(weir.http, "POST", "ada/chat/bans", by_owner, Some(&ban));
    let poll = call(weir.http, "GET", "ada/chat", By::Nobody, None).json()["poll"].clone();
    assert_eq!(vote(&weir, By::Guest(&ben), &poll, 0).problem(403).kind, "/problems/banned");
    // It ends by itself.
    let mut reader = Reader::join(weir.http, "ada");
    reader.until_slowly(|update| update["type"] == "poll" && update["poll"]["ended"] == true);
}

#[test]
fn a_poll_is_given_as_a_command() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let by = By::Login(&owner);
    let give = |text: &str| call(weir.http, "POST", "ada/chat/commands", by, Some(&json!({ "text": text })));
    assert_eq!(give("/poll 10m What next? | Clay | Stones").status, 200);
    give("/poll again? | a | b").problem(409);
    assert_eq!(give("/poll end").status, 200);
    give("/poll end").problem(404);
    give("/poll a question").problem(422);
    give("/poll q | a | a").problem(422);
    let actions = call(weir.http, "GET", "ada/chat/actions", by, None).json();
    let kinds: Vec<&Value> = actions["items"].as_array().unwrap().iter().map(|one| &one["kind"]).collect();
    assert_eq!(kinds, ["endPoll", "startPoll"]);
}
