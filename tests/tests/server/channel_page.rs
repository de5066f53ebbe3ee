//! What a channel's page shows: its pictures, what it tells of itself at length, and what it plans.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use weir_tests::{
    chat,
    http::{Request, Response},
    server::{Login, Weir},
};

/// A PNG of one pixel.
const PIXEL: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
/// A GIF of one pixel, another picture than that.
const GIF: &str = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

fn call(weir: &Weir, cookie: Option<&str>, method: &str, path: &str, body: &Value) -> Response {
    let path = format!("/api/v1/channels/{path}");
    let mut request = weir.same_origin(method, &path);
    if let Some(cookie) = cookie {
        request = request.header("cookie", cookie);
    }
    if body.is_null() { request.send(weir.http) } else { request.json(body).send(weir.http) }
}

#[track_caller]
fn ok(response: &Response) -> Value {
    assert!(response.status < 300, "{} {}", response.status, response.text());
    response.json()
}

fn at(weir: &Weir, address: &str) -> Response {
    Request::new("GET", address).send(weir.http)
}

#[track_caller]
fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// A server with a channel, `ada`, whose owner is signed in.
fn stage() -> (Weir, Login) {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    (weir, owner)
}

#[test]
fn a_channel_has_pictures_of_its_own_that_the_server_made() {
    let (mut weir, owner) = stage();
    let own = |weir: &Weir, method: &str, path: &str, body: Value| {
        call(weir, Some(&owner.cookie), method, path, &body)
    };
    let put = |weir: &Weir, place: &str, image: &str| {
        ok(&own(weir, "PUT", &format!("ada/{place}"), json!({ "image": image })))
    };
    let before = ok(&own(&weir, "GET", "ada", Value::Null));
    assert_eq!(
        (&before["avatar"], &before["ownAvatar"], &before["banner"]),
        (&Value::Null, &json!(false), &Value::Null)
    );

    // The owner's picture stands in until the channel has its own.
    let path = "/api/v1/me/avatar";
    let request = weir.same_origin("PUT", path).header("cookie", owner.cookie.as_str());
    assert_eq!(request.json(&json!({ "image": PIXEL })).send(weir.http).status, 200);
    let lent = ok(&own(&weir, "GET", "ada", Value::Null));
    let lent_address = text(&lent["avatar"]);
    assert!(lent_address.starts_with("/avatars/") && lent["ownAvatar"] == false, "{lent}");

    let set = put(&weir, "avatar", GIF);
    let avatar = text(&set["avatar"]);
    assert!(avatar.starts_with("/channel-pictures/") && set["ownAvatar"] == true, "{set}");
    let banner = text(&put(&weir, "banner", PIXEL)["banner"]);
    assert!(banner.starts_with("/channel-pictures/") && banner != avatar, "{banner}");
    for (address, kinds) in [(&avatar, ["image/png", "image/jpeg"]), (&banner, ["image/jpeg", "image/jpeg"])]
    {
        let shown = at(&weir, address);
        assert_eq!(shown.status, 200, "{address}");
        assert!(kinds.contains(&shown.header("content-type").expect("a type")), "{address}");
        assert_eq!(shown.header("content-security-policy"), Some("default-src 'none'; sandbox"));
        assert!(shown.header("cache-control").is_some_and(|value| value.contains("immutable")));
        assert!(![PIXEL, GIF].contains(&STANDARD.encode(&shown.body).as_str()), "it is the server's own");
    }

    // Whoever lists channels sees them, too; and they outlive the process.
    weir.crash();
    weir.start_again();
    let listed = at(&weir, "/api/v1/channels").json();
    let card = &listed["items"][0]["channel"];
    assert_eq!((&card["avatar"], &card["banner"]), (&json!(avatar), &json!(banner)));
    assert_eq!((at(&weir, &avatar).status, at(&weir, &banner).status), (200, 200));

    // What was replaced or removed is shown nowhere.
    let other = text(&put(&weir, "banner", GIF)["banner"]);
    if other != banner {
        assert_eq!(at(&weir, &banner).status, 404);
    }
    let removed = ok(&own(&weir, "DELETE", "ada/avatar", Value::Null));
    assert_eq!((&removed["avatar"], &removed["ownAvatar"]), (&json!(lent_address), &json!(false)));
    assert_eq!(ok(&own(&weir, "DELETE", "ada/banner", Value::Null))["banner"], Value::Null);
    assert_eq!(
        ok(&own(&weir, "DELETE", "ada/banner", Value::Null))["banner"],
        Value::Null,
        "twice is no fault"
    );
    assert_eq!((at(&weir, &avatar).status, at(&weir, &other).status), (404, 404));
    let missing = format!("/channel-pictures/{}", "0".repeat(64));
    for address in [missing.as_str(), "/channel-pictures/x", "/channel-pictures/..%2Favatars"] {
        assert_eq!(at(&weir, address).status, 404, "{address}");
    }

    // Each is on the record, once.
    let record = ok(&own(&weir, "GET", "ada/audit?action=channel.edited", Value::Null));
    let said: Vec<String> =
        record["items"].as_array().expect("a list").iter().map(|entry| text(&entry["detail"])).collect();
    assert_eq!(said, ["banner (removed)", "avatar (removed)", "banner", "banner", "avatar"]);
}

#[test]
fn what_is_no_picture_is_refused_and_what_was_there_stays() {
    let (mut weir, owner) = stage();
    let pixel = STANDARD.decode(PIXEL).expect("base64");
    let mut wide = pixel.clone();
    wide[16..20].copy_from_slice(&60_000u32.to_be_bytes());
    let hostile = [
        ("SVG", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>".to_vec()),
        ("HTML", b"<!doctype html><script>alert(1)</script>".to_vec()),
        ("a GIF's beginning", b"GIF89a=1;alert(1)".to_vec()),
        ("half a file", pixel[..40].to_vec()),
        ("a BMP", [b"BM".as_slice(), &[0; 60]].concat()),
        ("too many pixels", wide),
        ("nothing", Vec::new()),
    ];
    for place in ["avatar", "banner"] {
        let path = format!("ada/{place}");
        let put = |image: &str| call(&weir, Some(&owner.cookie), "PUT", &path, &json!({ "image": image }));
        let kept = ok(&put(PIXEL))[place].clone();
        for (what, file) in &hostile {
            let problem = put(&STANDARD.encode(file)).problem(422);
            assert_eq!(problem.field.as_deref(), Some("image"), "{what}");
        }
        assert_eq!(put("not base64!").problem(422).field.as_deref(), Some("image"));
        assert!(matches!(put(&"A".repeat(7 * 1024 * 1024)).status, 413 | 422));
        assert_eq!(ok(&call(&weir, None, "GET", "ada", &Value::Null))[place], kept);
        // What hangs on behind a picture is left behind.
        let both = [pixel.as_slice(), b"<script>alert(1)</script>"].concat();
        let address = text(&ok(&put(&STANDARD.encode(both)))[place]);
        let shown = at(&weir, &address);
        assert!(!shown.body.windows(7).any(|bytes| bytes == b"<script"));
    }
    weir.assert_healthy();
}

#[test]
fn pictures_are_made_only_so_often() {
    let (weir, owner) = stage();
    let put = || call(&weir, Some(&owner.cookie), "PUT", "ada/avatar", &json!({ "image": "AAAA" }));
    let statuses: Vec<u16> = (0..24).map(|_| put().status).collect();
    assert!(statuses[..20].iter().all(|status| *status == 422), "{statuses:?}");
    assert!(statuses[20..].contains(&429), "{statuses:?}");
    assert!(put().problem(429).retry_after.is_some());
}

#[test]
fn another_s_channel_is_left_as_it_is() {
    let (weir, _) = stage();
    let ben = chat::account(&weir, "ben").cookie;
    let plan = json!({ "timeZone": "UTC", "entries": [] });
    for (method, path, body) in [
        ("PUT", "ada/avatar", json!({ "image": PIXEL })),
        ("PUT", "ada/banner", json!({ "image": PIXEL })),
        ("DELETE", "ada/avatar", Value::Null),
        ("DELETE", "ada/banner", Value::Null),
        ("PUT", "ada/schedule", plan),
        ("POST", "ada/about/preview", json!({ "about": "x" })),
        ("PATCH", "ada", json!({ "about": "x" })),
    ] {
        assert_eq!(
            call(&weir, Some(&ben), method, path, &body).problem(403).kind,
            "/problems/not-yours",
            "{method} {path}"
        );
        call(&weir, None, method, path, &body).problem(401);
    }
    assert_eq!(ok(&call(&weir, None, "GET", "ada/about", &Value::Null))["text"], "");
}

#[test]
fn an_about_is_markdown_and_nothing_of_it_runs() {
    let (mut weir, owner) = stage();
    let own = |weir: &Weir, method: &str, path: &str, body: Value| {
        call(weir, Some(&owner.cookie), method, path, &body)
    };
    let about = "# Hello\n\nI build **rivers**: [see](https://example.org) or [don't](javascript:alert(1)).\n\n<script>alert(1)</script>\n\n![a lake](https://example.org/lake.png)";
    let shown = ok(&own(&weir, "POST", "ada/about/preview", json!({ "about": about })));
    assert_eq!(ok(&own(&weir, "GET", "ada/about", Value::Null))["text"], "", "a look at it keeps nothing");
    ok(&own(&weir, "PATCH", "ada", json!({ "about": about })));
    let kept = ok(&call(&weir, None, "GET", "ada/about", &Value::Null));
    assert_eq!((&kept, &kept["text"]), (&shown, &json!(about)));
    let blocks = kept["blocks"].as_array().expect("blocks");
    assert_eq!(blocks[0], json!({ "kind": "heading", "level": 1, "spans": [{ "text": "Hello" }] }));
    assert_eq!(blocks[1]["spans"][1], json!({ "text": "rivers", "strong": true }));
    assert_eq!(blocks[2], json!({ "kind": "paragraph", "spans": [{ "text": "<script>alert(1)</script>" }] }));
    assert_eq!(
        blocks[3]["spans"],
        json!([{ "text": "a lake", "href": "https://example.org/lake.png" }]),
        "a picture from elsewhere is a link to it"
    );
    let hrefs = kept["blocks"].to_string().matches("\"href\"").count();
    assert_eq!(hrefs, 2, "{kept}");
    assert!(!kept["blocks"].to_string().contains("javascript:"), "{kept}");

    // As long as may be, and what is worst for a reader of Markdown.
    for worst in ["*", "[", "> ", "<", "`", "![", "- "] {
        let text = worst.repeat(5000 / worst.len());
        ok(&own(&weir, "POST", "ada/about/preview", json!({ "about": text })));
    }
    let long = own(&weir, "PATCH", "ada", json!({ "about": "x".repeat(5001) })).problem(422);
    assert_eq!(long.field.as_deref(), Some("about"));
    own(&weir, "PATCH", "ada", json!({ "about": "a\u{202E}b" })).problem(422);

    weir.crash();
    weir.start_again();
    assert_eq!(ok(&call(&weir, None, "GET", "ada/about", &Value::Null)), kept);
    let record = ok(&own(&weir, "GET", "ada/audit?action=channel.edited", Value::Null));
    assert_eq!(record["items"][0]["detail"], "about");
    // Nothing is a text, too.
    ok(&own(&weir, "PATCH", "ada", json!({ "about": "" })));
    assert_eq!(ok(&call(&weir, None, "GET", "ada/about", &Value::Null))["blocks"], json!([]));
}

#[test]
fn a_schedule_says_when_it_is_next() {
    let (mut weir, owner) = stage();
    let own = |weir: &Weir, method: &str, path: &str, body: Value| {
        call(weir, Some(&owner.cookie), method, path, &body)
    };
    let empty = ok(&call(&weir, None, "GET", "ada/schedule", &Value::Null));
    assert_eq!((&empty["entries"], &empty["next"]), (&json!([]), &json!([])));
    let entry = |on: Value| json!({ "title": "Etudes", "category": "Music", "on": on, "time": "20:00", "minutes": 120 });
    let plan = json!({ "timeZone": "europe/vienna", "entries": [
        entry(json!({ "date": "2020-02-29" })),
        entry(json!({ "date": "2999-12-31" })),
        entry(json!({ "weekday": "friday" })),
    ] });
    let set = ok(&own(&weir, "PUT", "ada/schedule", plan.clone()));
    assert_eq!((&set["timeZone"], &set["entries"]), (&json!("Europe/Vienna"), &plan["entries"]));
    let next = set["next"].as_array().expect("what is next");
    let entries: Vec<&Value> = next.iter().map(|airing| &airing["entry"]).collect();
    assert_eq!(entries, [&json!(2), &json!(1)], "the soonest first, and without what is over");
    assert_eq!(next[1]["startsAt"], "2999-12-31T19:00:00Z");
    assert_eq!(next[1]["endsAt"], "2999-12-31T21:00:00Z");
    assert!(next[0]["endsAt"].as_str() > set["serverTime"].as_str(), "{set}");

    for (bad, field) in [
        (json!({ "timeZone": "Europe/Atlantis", "entries": [] }), "timeZone"),
        (json!({ "timeZone": "UTC", "entries": vec![entry(json!({ "weekday": "monday" })); 21] }), "entries"),
    ] {
        let problem = own(&weir, "PUT", "ada/schedule", bad).problem(422);
        assert_eq!(problem.field.as_deref(), Some(field));
    }
    for bad in [
        json!({ "timeZone": "UTC" }),
        json!({ "timeZone": "UTC", "entries": [entry(json!({ "date": "2027-02-29" }))] }),
        json!({ "timeZone": "UTC", "entries": [entry(json!({ "weekday": "someday" }))] }),
        json!({ "timeZone": "UTC", "entries": [entry(json!(["monday"]))] }),
        json!({ "timeZone": "../../etc/passwd", "entries": [] }),
    ] {
        assert_eq!(own(&weir, "PUT", "ada/schedule", bad.clone()).status, 422, "{bad}");
    }
    weir.crash();
    weir.start_again();
    let kept = ok(&call(&weir, None, "GET", "ada/schedule", &Value::Null));
    assert_eq!((&kept["entries"], &kept["timeZone"]), (&set["entries"], &set["timeZone"]));
    let record = ok(&own(&weir, "GET", "ada/audit?action=channel.edited", Value::Null));
    assert_eq!(record["items"][0]["detail"], "schedule");
    ok(&own(&weir, "PUT", "ada/schedule", json!({ "timeZone": "UTC", "entries": [] })));
    assert_eq!(ok(&call(&weir, None, "GET", "ada/schedule", &Value::Null))["next"], json!([]));
}

#[test]
fn of_a_private_channel_no_word_and_no_picture_gets_out() {
    let (weir, owner) = stage();
    let own =
        |method: &str, path: &str, body: Value| ok(&call(&weir, Some(&owner.cookie), method, path, &body));
    let secret = "the cellar door";
    own("PATCH", "ada", json!({ "about": secret, "visibility": "PRIVATE" }));
    own("PUT", "ada/avatar", json!({ "image": PIXEL }));
    let hash = text(&own("PUT", "ada/banner", json!({ "image": PIXEL }))["banner"]);
    let entry = json!({ "title": secret, "on": { "weekday": "friday" }, "time": "20:00", "minutes": 60 });
    own("PUT", "ada/schedule", json!({ "timeZone": "UTC", "entries": [entry] }));
    let ben = chat::account(&weir, "ben").cookie;
    for cookie in [None, Some(ben.as_str())] {
        for path in ["ada", "ada/about", "ada/schedule"] {
            let hidden = call(&weir, cookie, "GET", path, &Value::Null);
            let missing = call(&weir, cookie, "GET", &path.replace("ada", "nobody"), &Value::Null);
            assert_eq!((hidden.status, hidden.text()), (404, missing.text()), "{path}: no more than of none");
        }
    }
    for path in ["/api/v1/channels", "/api/v1/categories", "/ada", "/oembed?url=/ada"] {
        let shown = at(&weir, path).text();
        assert!(!shown.contains(secret) && !shown.contains(&hash), "{path}");
    }
    call(&weir, Some(&ben), "PUT", "ada/avatar", &json!({ "image": PIXEL })).problem(404);
    // Those whom the owner lets in see all of it.
    own("PUT", "ada/roles/ben", json!({ "role": "vip" }));
    assert_eq!(ok(&call(&weir, Some(&ben), "GET", "ada/about", &Value::Null))["text"], secret);
    assert_eq!(ok(&call(&weir, Some(&ben), "GET", "ada", &Value::Null))["banner"], hash);
    own("PUT", "ada/roles/ben", json!({ "role": "editor" }));
    let edited = call(&weir, Some(&ben), "PATCH", "ada", &json!({ "about": "by Ben" }));
    assert_eq!(edited.status, 200, "{}", edited.text());
}
