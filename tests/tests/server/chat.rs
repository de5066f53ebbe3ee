//! Chat: what is written is kept and told, in order, to everybody, once.

use serde_json::json;
use weir_tests::{
    chat::{self, By, Reader, call, say, text_of},
    events::Events,
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
    let message = first.next();
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
    let reply = first.next();
    assert_eq!((&reply["author"]["badges"], &reply["author"]["account"]), (&json!(["owner"]), &json!("ada")));
    assert_eq!(reply["replyTo"]["name"], "Ben");
    assert!(reply["replyTo"]["excerpt"].as_str().unwrap().starts_with("Hello @ada :wave:"));

    // A newcomer is given the last messages, and goes on from there.
    let mut second = Reader::join(weir.http, "ada");
    assert_eq!(
        [second.next()["id"].clone(), second.next()["id"].clone()],
        [message["id"].clone(), reply["id"].clone()]
    );
    assert_eq!(say(weir.http, "ada", By::Guest(&ben), "again").status, 201);
    assert_eq!((text_of(&first.next()), text_of(&second.next())), ("again".to_owned(), "again".to_owned()));

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
