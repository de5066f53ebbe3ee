//! What is shown beside a name: badges, the channel's own pictures for them, and the colour that somebody chose.

use serde_json::{Value, json};
use std::time::Duration;
use weir_tests::{
    chat::{self, By, Reader, call, say},
    eventually,
    http::{Request, Response},
    server::{Login, Weir},
};

/// One pixel.
const STILL: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

/// A request to `/api/v1/{path}` of somebody signed in.
fn own(weir: &Weir, login: &Login, method: &str, path: &str, body: &Value) -> Response {
    let path = format!("/api/v1/{path}");
    let request = Request::new(method, &path).header("cookie", login.cookie.as_str());
    if body.is_null() { request.send(weir.http) } else { request.json(body).send(weir.http) }
}

fn badges(reader: &mut Reader) -> Value {
    reader.hear()["author"]["badges"].clone()
}

#[test]
fn badges_are_of_the_moment_in_which_a_message_is_taken() {
    let mut weir = Weir::start();
    let owner = weir.set_up("ada");
    let sam = chat::account(&weir, "sam");
    let (by_owner, by_sam) = (By::Login(&owner), By::Login(&sam));
    let mut reader = Reader::join(weir.http, "ada");
    assert_eq!(say(weir.http, "ada", by_owner, "mine").status, 201);
    assert_eq!(badges(&mut reader), json!(["owner", "staff"]));
    assert_eq!(say(weir.http, "ada", by_sam, "nobody yet").status, 201);
    assert_eq!(badges(&mut reader), Value::Null);

    // What ties somebody to the channel is known at once, and shown beside what they are there.
    assert!([200, 201, 204].contains(&own(&weir, &sam, "PUT", "channels/ada/follow", &json!({})).status));
    assert_eq!(say(weir.http, "ada", by_sam, "a follower").status, 201);
    assert_eq!(badges(&mut reader), json!(["follower"]));
    for (tier, badge) in [("one", "subscriber"), ("two", "subscriber2"), ("three", "subscriber3")] {
        let grant = json!({ "tier": tier, "days": 30 });
        let given = call(weir.http, "PUT", "ada/subscribers/sam", by_owner, Some(&grant));
        assert_eq!(given.status, 200, "{}", given.text());
        assert_eq!(say(weir.http, "ada", by_sam, &format!("in tier {tier}")).status, 201);
        assert_eq!(badges(&mut reader), json!([badge, "follower"]));
    }
    assert!(call(weir.http, "PUT", "ada/moderators/sam", by_owner, Some(&json!({}))).status < 300);
    assert_eq!(say(weir.http, "ada", by_sam, "a moderator").status, 201);
    assert_eq!(badges(&mut reader), json!(["moderator", "subscriber3", "follower"]));
    let you = call(weir.http, "GET", "ada/chat", by_sam, None).json()["you"].clone();
    assert_eq!(you["badges"], json!(["moderator", "subscriber3", "follower"]));

    // They are kept with the message, whatever becomes of its author.
    assert!(call(weir.http, "DELETE", "ada/moderators/sam", by_owner, None).status < 300);
    weir.crash();
    weir.start_again();
    let page = call(weir.http, "GET", "ada/chat/messages", By::Nobody, None).json();
    assert_eq!(page["items"][0]["author"]["badges"], json!(["moderator", "subscriber3", "follower"]));
    assert_eq!(page["items"][4]["author"]["badges"], json!(["follower"]));
    let card = call(
        weir.http,
        "GET",
        &format!("ada/chat/people/{}", you["id"].as_str().unwrap()),
        By::Login(&owner),
        None,
    );
    assert_eq!(card.json()["badges"], json!(["moderator", "subscriber3", "follower"]));
}

#[test]
fn a_vip_and_a_follower_are_shown_as_such_for_as_long_as_they_are() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let sam = chat::account(&weir, "sam");
    let (by_owner, by_sam) = (By::Login(&owner), By::Login(&sam));
    let mut reader = Reader::join(weir.http, "ada");
    let command = |text: &str| {
        let done = call(weir.http, "POST", "ada/chat/commands", by_owner, Some(&json!({ "text": text })));
        assert_eq!(done.status, 200, "{text}: {}", done.text());
    };
    let own_badges = || call(weir.http, "GET", "ada/chat", by_sam, None).json()["you"]["badges"].clone();
    command("/vip sam");
    assert!([200, 201, 204].contains(&own(&weir, &sam, "PUT", "channels/ada/follow", &json!({})).status));
    assert_eq!(say(weir.http, "ada", by_sam, "a guest of honour").status, 201);
    assert_eq!(badges(&mut reader), json!(["vip", "follower"]));
    // Who moderates is shown as that alone.
    assert!(call(weir.http, "PUT", "ada/moderators/sam", by_owner, Some(&json!({}))).status < 300);
    assert_eq!(own_badges(), json!(["moderator", "follower"]));
    assert!(call(weir.http, "DELETE", "ada/moderators/sam", by_owner, None).status < 300);
    assert_eq!(own_badges(), json!(["vip", "follower"]));
    command("/unvip sam");
    assert_eq!(own_badges(), json!(["follower"]));
    // What a room knows of a follower it knows for a while.
    let left = own(&weir, &sam, "DELETE", "channels/ada/follow", &Value::Null).status;
    assert!([200, 204].contains(&left), "{left}");
    eventually("the follower's badge is gone", Duration::from_secs(30), || {
        own_badges().as_array().is_none_or(Vec::is_empty).then_some(())
    });
    assert_eq!(say(weir.http, "ada", by_sam, "nobody again").status, 201);
    assert_eq!(badges(&mut reader), Value::Null);
}

#[test]
fn a_tier_has_a_picture_of_the_channels_own_until_it_is_taken_away() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let sam = chat::account(&weir, "sam");
    let (by_owner, by_sam) = (By::Login(&owner), By::Login(&sam));
    let image = json!({ "image": STILL });
    call(weir.http, "PUT", "ada/badges/two", by_sam, Some(&image)).problem(403);
    call(weir.http, "PUT", "ada/badges/two", By::Nobody, Some(&image)).problem(401);
    let none = call(weir.http, "PUT", "ada/badges/four", by_owner, Some(&image)).status;
    assert!([400, 404, 422].contains(&none), "{none}");
    let bad = call(weir.http, "PUT", "ada/badges/two", by_owner, Some(&json!({ "image": "PHN2Zz4=" })));
    assert_eq!(bad.problem(422).field.as_deref(), Some("image"));

    let mut reader = Reader::join(weir.http, "ada");
    let made = call(weir.http, "PUT", "ada/badges/two", by_owner, Some(&image));
    assert_eq!(made.status, 200, "{}", made.text());
    let url = made.json()["url"].as_str().expect("an address").to_owned();
    let expected = json!([{ "tier": "two", "url": url }]);
    assert_eq!(reader.hear(), json!({ "type": "badges", "badges": expected }));
    assert_eq!(call(weir.http, "GET", "ada/chat", By::Nobody, None).json()["badges"], expected);
    assert_eq!(call(weir.http, "GET", "ada/badges", By::Nobody, None).json()["items"], expected);
    let shown = Request::new("GET", &url).send(weir.http);
    assert_eq!((shown.status, shown.header("content-type")), (200, Some("image/png")));

    // An emote of the same picture that goes leaves it to the badge.
    assert_eq!(call(weir.http, "PUT", "ada/emotes/hype", by_owner, Some(&image)).status, 200);
    assert_eq!(call(weir.http, "DELETE", "ada/emotes/hype", by_owner, None).status, 204);
    assert_eq!(Request::new("GET", &url).send(weir.http).status, 200);

    assert_eq!(call(weir.http, "DELETE", "ada/badges/two", by_owner, None).status, 204);
    call(weir.http, "DELETE", "ada/badges/two", by_owner, None).problem(404);
    assert_eq!(Request::new("GET", &url).send(weir.http).status, 404, "what nothing shows is kept no longer");
    assert_eq!(call(weir.http, "GET", "ada/chat", By::Nobody, None).json()["badges"], json!([]));
    let record = call(weir.http, "GET", "ada/audit?action=badge", by_owner, None).json();
    let done: Vec<&Value> =
        record["items"].as_array().expect("a list").iter().map(|one| &one["action"]).collect();
    assert_eq!(done, ["badge.removed", "badge.set"]);
}

#[test]
fn a_name_has_the_colour_that_its_owner_chose() {
    let mut weir = Weir::start();
    let _owner = weir.set_up("ada");
    let sam = chat::account(&weir, "sam");
    let by_sam = By::Login(&sam);
    let mut reader = Reader::join(weir.http, "ada");
    assert_eq!(say(weir.http, "ada", by_sam, "plain").status, 201);
    assert_eq!(reader.hear()["author"]["colour"], Value::Null);

    let set = |colour: Value| own(&weir, &sam, "PUT", "me/colour", &json!({ "colour": colour }));
    for wrong in [json!("#ff0000"), json!("Teal"), json!("red;background:url(x)"), json!(7)] {
        let refused = set(wrong.clone()).status;
        assert!([400, 422].contains(&refused), "{wrong}: {refused}");
    }
    let chosen = set(json!("teal"));
    assert_eq!((chosen.status, &chosen.json()["colour"]), (200, &json!("teal")), "{}", chosen.text());
    // Chat knows at once, and whoever asks next sees it.
    let command = |text: &str, by: By<'_>| {
        call(weir.http, "POST", "ada/chat/commands", by, Some(&json!({ "text": text })))
    };
    let said = command("/color Pink", by_sam);
    assert_eq!(said.status, 200, "{}", said.text());
    assert_eq!(say(weir.http, "ada", by_sam, "in pink").status, 201);
    assert_eq!(reader.hear()["author"]["colour"], "pink");
    assert_eq!(own(&weir, &sam, "GET", "me", &Value::Null).json()["colour"], "pink");
    assert_eq!(command("/color puce", by_sam).problem(422).kind, "/problems/command");
    let ben = chat::guest(weir.http, "Ben");
    assert_eq!(command("/color red", By::Guest(&ben)).problem(403).kind, "/problems/no-account");
    assert_eq!(command("/color auto", by_sam).status, 200);
    assert_eq!(say(weir.http, "ada", by_sam, "plain again").status, 201);
    assert_eq!(reader.hear()["author"]["colour"], Value::Null);

    weir.crash();
    weir.start_again();
    let page = call(weir.http, "GET", "ada/chat/messages", By::Nobody, None).json();
    let colours: Vec<&Value> =
        page["items"].as_array().expect("a list").iter().map(|one| &one["author"]["colour"]).collect();
    assert_eq!(colours, [&Value::Null, &json!("pink"), &Value::Null]);
}
