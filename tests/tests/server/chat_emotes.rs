//! Emotes of a channel's own: made anew from what is uploaded, typed by everybody there, and gone when they are taken away.

use serde_json::{Value, json};
use weir_tests::{
    chat::{self, By, Reader, call, say},
    http::{Request, Response},
    server::Weir,
};

/// One pixel.
const STILL: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
/// One pixel, red and then blue.
const MOVING: &str = "R0lGODlhAQABAIAAAP8AAAAA/yH/C05FVFNDQVBFMi4wAwEAAAAh+QQEBQAAACwAAAAAAQABAAACAkQBACH5BAQFAAAALAAAAAABAAEAAAICTAEAOw==";

fn put(weir: &Weir, by: By<'_>, name: &str, image: &str) -> Response {
    call(weir.http, "PUT", &format!("ada/emotes/{name}"), by, Some(&json!({ "image": image })))
}

fn picture(weir: &Weir, url: &str) -> Response {
    Request::new("GET", url).send(weir.http)
}

#[test]
fn a_channels_own_emotes_are_typed_there_and_nowhere_else() {
    let mut weir = Weir::start();
    let owner = weir.set_up("ada");
    let sam = chat::account(&weir, "sam");
    let (by_owner, by_sam) = (By::Login(&owner), By::Login(&sam));
    put(&weir, by_sam, "hype", STILL).problem(403);
    put(&weir, By::Nobody, "hype", STILL).problem(401);
    let mut reader = Reader::join(weir.http, "ada");
    let made = put(&weir, by_owner, "hype", STILL);
    assert_eq!(made.status, 200, "{}", made.text());
    let url = made.json()["url"].as_str().expect("an address").to_owned();
    let told = reader.hear();
    assert_eq!(
        (&told["type"], &told["emotes"][0]),
        (&json!("emotes"), &json!({ "code": ":hype:", "url": url, "own": true }))
    );

    assert_eq!(say(weir.http, "ada", by_sam, "so :hype: much :wave:").status, 201);
    let fragments = reader.hear()["fragments"].clone();
    assert_eq!(fragments[1], json!({ "type": "emote", "text": ":hype:", "url": url }));
    assert_eq!(fragments[3]["text"], ":wave:");
    let shown = picture(&weir, &url);
    assert_eq!((shown.status, shown.header("content-type")), (200, Some("image/png")));
    assert_eq!(shown.header("content-security-policy"), Some("default-src 'none'; sandbox"));
    assert!(shown.header("cache-control").is_some_and(|value| value.contains("immutable")));

    let second = Request::new("POST", "/api/v1/channels").header("cookie", owner.cookie.as_str());
    assert_eq!(second.json(&json!({ "name": "second" })).send(weir.http).status, 201);
    let mut other = Reader::join(weir.http, "second");
    assert_eq!(say(weir.http, "second", by_sam, ":hype:").status, 201);
    assert_eq!(other.hear()["fragments"][0]["type"], "text", "another channel has none of that name");

    weir.crash();
    weir.start_again();
    let room = call(weir.http, "GET", "ada/chat", By::Nobody, None).json();
    assert_eq!(room["emotes"][0]["code"], ":hype:", "they are kept, and come first");
    assert_eq!(
        call(weir.http, "DELETE", "ada/emotes/hype", by_sam, None).problem(403).kind,
        "/problems/not-yours"
    );
    assert_eq!(call(weir.http, "DELETE", "ada/emotes/hype", by_owner, None).status, 204);
    call(weir.http, "DELETE", "ada/emotes/hype", by_owner, None).problem(404);
    assert_eq!(picture(&weir, &url).status, 404, "what was taken away is shown nowhere");
    let list = call(weir.http, "GET", "ada/emotes", By::Nobody, None).json();
    assert_eq!(list["items"], json!([]));
    let actions = call(weir.http, "GET", "ada/chat/actions", by_owner, None).json();
    let kinds: Vec<&Value> =
        actions["items"].as_array().expect("a list").iter().map(|one| &one["kind"]).collect();
    assert_eq!(kinds, ["removeEmote", "setEmote"]);
}

#[test]
fn one_that_moves_can_stand_still() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let made = put(&weir, By::Login(&owner), "blink", MOVING).json();
    let url = made["url"].as_str().expect("an address").to_owned();
    assert!(url.contains(".moving."), "{url}");
    let (moving, still) = (picture(&weir, &url), picture(&weir, &url.replace(".moving.", ".")));
    let is_moving = |response: &Response| response.body.windows(4).any(|bytes| bytes == b"acTL");
    assert_eq!((moving.status, still.status), (200, 200));
    assert!(is_moving(&moving) && !is_moving(&still));
    // Another picture under the same name is another address.
    let other = put(&weir, By::Login(&owner), "blink", STILL).json();
    assert_ne!(other["url"], made["url"]);
    assert_eq!(picture(&weir, &url).status, 404);
}

#[test]
fn what_is_no_picture_and_what_is_taken_is_refused() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let by = By::Login(&owner);
    // An SVG with a script, a page, half a picture, no base64.
    for image in [
        "PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciPjxzY3JpcHQ+YWxlcnQoMSk8L3NjcmlwdD48L3N2Zz4=",
        "PCFkb2N0eXBlIGh0bWw+PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
        &STILL[..40],
        "not base64!",
        "",
    ] {
        assert_eq!(put(&weir, by, "bad", image).problem(422).field.as_deref(), Some("image"), "{image}");
    }
    assert_eq!(put(&weir, by, "wave", STILL).problem(409).kind, "/problems/emote-taken");
    for name in ["a", "a-b", "a%2Fb", &"x".repeat(25)] {
        let status = put(&weir, by, name, STILL).status;
        assert!([400, 404, 422].contains(&status), "{name}: {status}");
    }
    for file in [
        "x.png",
        "..%2F..%2Fetc%2Fpasswd",
        &format!("{}.png", "0".repeat(64)),
        &format!("{}.svg", "0".repeat(64)),
    ] {
        assert_eq!(picture(&weir, &format!("/emotes/{file}")).status, 404, "{file}");
    }
}

/// What a message of this text is made of, by kind.
fn kinds(reader: &mut Reader) -> Vec<String> {
    let message = reader.hear();
    let fragments = message["fragments"].as_array().expect("fragments").iter();
    fragments.map(|one| one["type"].as_str().expect("a type").to_owned()).collect()
}

#[test]
fn an_emote_of_a_tier_is_for_that_tier_and_those_who_keep_the_room() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let sam = chat::account(&weir, "sam");
    let (by_owner, by_sam) = (By::Login(&owner), By::Login(&sam));
    assert_eq!(put(&weir, by_owner, "hype", STILL).status, 200);
    let set_tier = |by: By<'_>, emote: &str, tier: &Value| {
        call(weir.http, "PUT", &format!("ada/emotes/{emote}/tier"), by, Some(&json!({ "tier": tier })))
    };
    set_tier(by_sam, "hype", &json!("two")).problem(403);
    assert_eq!(set_tier(by_owner, "nothing", &json!("two")).problem(404).kind, "/problems/unknown-emote");
    let mut reader = Reader::join(weir.http, "ada");
    let marked = set_tier(by_owner, "hype", &json!("two"));
    assert_eq!((marked.status, &marked.json()["tier"]), (200, &json!("two")), "{}", marked.text());
    let told = reader.hear();
    assert_eq!((&told["type"], &told["emotes"][0]["tier"]), (&json!("emotes"), &json!("two")));

    // For who isn't of the tier, the word stays; the room says what would open it.
    let most = |by: By<'_>| call(weir.http, "GET", "ada/chat", by, None).json()["emoteTier"].clone();
    assert_eq!(say(weir.http, "ada", by_sam, ":hype:").status, 201);
    assert_eq!((kinds(&mut reader), most(by_sam)), (vec!["text".to_owned()], Value::Null));
    for (tier, kind) in [("one", "text"), ("two", "emote"), ("three", "emote")] {
        let grant = json!({ "tier": tier, "days": 30 });
        assert_eq!(call(weir.http, "PUT", "ada/subscribers/sam", by_owner, Some(&grant)).status, 200);
        assert_eq!(say(weir.http, "ada", by_sam, ":hype:").status, 201);
        assert_eq!((kinds(&mut reader), most(by_sam)), (vec![kind.to_owned()], json!(tier)));
    }
    assert_eq!(call(weir.http, "DELETE", "ada/subscribers/sam", by_owner, None).status, 204);
    assert_eq!(say(weir.http, "ada", by_sam, ":hype:").status, 201);
    assert_eq!(kinds(&mut reader), ["text"], "what ended opens nothing any more");
    assert_eq!(say(weir.http, "ada", by_owner, ":hype:").status, 201);
    assert_eq!((kinds(&mut reader), most(by_owner)), (vec!["emote".to_owned()], json!("three")));
    let ben = chat::guest(weir.http, "Ben");
    assert_eq!(say(weir.http, "ada", By::Guest(&ben), ":hype:").status, 201);
    assert_eq!(kinds(&mut reader), ["text"]);

    // What was checked when it was typed stands, whatever ends while a moderator looks at it.
    let mia = chat::account(&weir, "mia");
    let grant = json!({ "tier": "two", "days": 30 });
    assert_eq!(call(weir.http, "PUT", "ada/subscribers/mia", by_owner, Some(&grant)).status, 200);
    let mut filters = call(weir.http, "GET", "ada/chat/filters", by_owner, None).json();
    filters["words"] = json!(["badword"]);
    assert_eq!(call(weir.http, "PUT", "ada/chat/filters", by_owner, Some(&filters)).status, 200);
    let held = say(weir.http, "ada", By::Login(&mia), ":hype: badword");
    assert_eq!((held.status, &held.json()["held"]), (202, &json!(true)), "{}", held.text());
    assert_eq!(call(weir.http, "DELETE", "ada/subscribers/mia", by_owner, None).status, 204);
    let id = held.json()["id"].as_str().expect("an id").to_owned();
    let path = format!("ada/chat/held/{id}");
    let approved = call(weir.http, "POST", &path, by_owner, Some(&json!({ "approve": true })));
    assert_eq!(approved.status, 200, "{}", approved.text());
    assert_eq!(kinds(&mut reader), ["emote", "text"]);

    // Another picture leaves it to the tier; null opens it to everybody.
    assert_eq!(put(&weir, by_owner, "hype", MOVING).json()["tier"], "two");
    assert_eq!(reader.hear()["type"], "emotes");
    assert_eq!(set_tier(by_owner, "hype", &Value::Null).json()["tier"], Value::Null);
    assert_eq!(reader.hear()["type"], "emotes");
    assert_eq!(say(weir.http, "ada", By::Guest(&ben), ":hype:").status, 201);
    assert_eq!(kinds(&mut reader), ["emote"]);
    let record = call(weir.http, "GET", "ada/audit?action=emote.tier", by_owner, None).json();
    let details: Vec<&Value> =
        record["items"].as_array().expect("a list").iter().map(|one| &one["detail"]).collect();
    assert_eq!(details, ["hype: everybody", "hype: tier 2"]);
}

#[test]
fn an_emote_of_all_channels_is_typed_everywhere_but_where_a_channel_has_its_own() {
    let mut weir = Weir::start();
    let owner = weir.set_up("ada");
    let sam = chat::account(&weir, "sam");
    let by_sam = By::Login(&sam);
    let everywhere = |method: &str, by: &str, name: &str| {
        let path = format!("/api/v1/emotes/{name}");
        let request = Request::new(method, &path).header("cookie", by);
        match method {
            "PUT" => request.json(&json!({ "image": STILL })).send(weir.http),
            _ => request.send(weir.http),
        }
    };
    assert_eq!(everywhere("PUT", &sam.cookie, "river").problem(403).kind, "/problems/not-admin");
    assert_eq!(everywhere("PUT", &owner.cookie, "wave").problem(409).kind, "/problems/emote-taken");
    let own_channel = Request::new("POST", "/api/v1/channels").header("cookie", sam.cookie.as_str());
    assert_eq!(own_channel.json(&json!({ "name": "second" })).send(weir.http).status, 201);
    let made = call(weir.http, "PUT", "second/emotes/river", by_sam, Some(&json!({ "image": MOVING })));
    assert_eq!(made.status, 200, "{}", made.text());
    let own_url = made.json()["url"].clone();

    let mut first = Reader::join(weir.http, "ada");
    let mut second = Reader::join(weir.http, "second");
    let made = everywhere("PUT", &owner.cookie, "river");
    assert_eq!(made.status, 200, "{}", made.text());
    let url = made.json()["url"].as_str().expect("an address").to_owned();
    let told = json!({ "type": "emoteEverywhere", "code": ":river:", "url": url });
    assert_eq!((first.hear(), second.hear()), (told.clone(), told));
    let shown = picture(&weir, &url);
    assert_eq!((shown.status, shown.header("content-type")), (200, Some("image/png")));

    let ben = chat::guest(weir.http, "Ben");
    assert_eq!(say(weir.http, "ada", By::Guest(&ben), ":river:").status, 201);
    assert_eq!(first.hear()["fragments"][0], json!({ "type": "emote", "text": ":river:", "url": url }));
    assert_eq!(say(weir.http, "second", by_sam, ":river:").status, 201);
    assert_eq!(second.hear()["fragments"][0]["url"], own_url, "its own comes in the place of the other");
    let listed = |channel: &str| {
        let room = call(weir.http, "GET", &format!("{channel}/chat"), By::Nobody, None).json();
        let all = room["emotes"].as_array().expect("emotes").clone();
        all.into_iter().filter(|one| one["code"] == ":river:").collect::<Vec<_>>()
    };
    assert_eq!(listed("ada"), [json!({ "code": ":river:", "url": url })]);
    assert_eq!(listed("second"), [json!({ "code": ":river:", "url": own_url, "own": true })]);

    // A channel's own that goes leaves its code to the other.
    assert_eq!(call(weir.http, "DELETE", "second/emotes/river", by_sam, None).status, 204);
    assert_eq!(second.hear()["type"], "emotes");
    assert_eq!(listed("second"), [json!({ "code": ":river:", "url": url })]);

    weir.crash();
    weir.start_again();
    let list = Request::new("GET", "/api/v1/emotes").send(weir.http).json();
    assert_eq!(list["items"], json!([{ "name": "river", "url": url }]));
    let mut again = Reader::join(weir.http, "ada");
    while again.hear()["fragments"][0]["url"] != json!(url) {}
    let gone = Request::new("DELETE", "/api/v1/emotes/river").header("cookie", owner.cookie.as_str());
    assert_eq!(gone.send(weir.http).status, 204);
    assert_eq!(again.hear(), json!({ "type": "emoteEverywhere", "code": ":river:", "url": null }));
    let twice = Request::new("DELETE", "/api/v1/emotes/river").header("cookie", owner.cookie.as_str());
    twice.send(weir.http).problem(404);
    assert_eq!(say(weir.http, "ada", By::Nobody, "x").status, 401);
    assert_eq!(picture(&weir, &url).status, 404, "what was taken away is shown nowhere");
    let record = Request::new("GET", "/api/v1/audit?action=instance").header("cookie", owner.cookie.as_str());
    let record = record.send(weir.http).json();
    let done: Vec<(&Value, &Value)> = record["items"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| (&one["action"], &one["detail"]))
        .filter(|(action, _)| action.as_str().is_some_and(|name| name.contains("emote")))
        .collect();
    let river = json!("river");
    assert_eq!(done, [(&json!("instance.emoteRemoved"), &river), (&json!("instance.emoteSet"), &river)]);
}

#[test]
fn of_changes_of_an_emote_in_a_row_the_last_is_told_last() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let mut reader = Reader::join(weir.http, "ada");
    let change = |method: &str, path: &str| {
        let request = Request::new(method, path).header("cookie", owner.cookie.as_str());
        let request = if method == "PUT" { request.json(&json!({ "image": STILL })) } else { request };
        request.send(weir.http).status
    };
    for round in 0..5 {
        let path = format!("/api/v1/emotes/river{round}");
        assert_eq!((change("PUT", &path), change("DELETE", &path)), (200, 204));
        let told = [reader.hear(), reader.hear()];
        let code = json!(format!(":river{round}:"));
        assert_eq!((&told[0]["code"], &told[1]["code"]), (&code, &code));
        assert_eq!(told[1]["url"], Value::Null, "{told:?}");
    }
}
