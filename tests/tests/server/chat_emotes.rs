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
        (&json!("emotes"), &json!({ "code": ":hype:", "url": url }))
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
