//! Private channels: every entrance, by each way in, for those inside and for everybody else.

use crate::{SOON, notifications::in_database};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use weir_tests::{
    chat,
    events::{self, Events},
    http::{Request, Response},
    peer::{FRAGMENT, Offering, Peer, SDP, Source},
    server::{Login, Weir},
};

/// How soon a change is to be felt by those inside.
const OUT: Duration = Duration::from_secs(2);
const PASSWORD: &str = "a rather long word";

/// A request to `/api/v1/…`, from a network of its own.
fn call(weir: &Weir, cookie: Option<&str>, method: &str, path: &str, body: &Value) -> Response {
    call_from(weir, "192.0.2.1", cookie, method, path, body)
}

fn call_from(
    weir: &Weir,
    address: &str,
    cookie: Option<&str>,
    method: &str,
    path: &str,
    body: &Value,
) -> Response {
    let path = format!("/api/v1/{path}");
    let mut request = weir.same_origin(method, &path).header("x-forwarded-for", address);
    if let Some(cookie) = cookie {
        request = request.header("cookie", cookie);
    }
    if body.is_null() { request.send(weir.http) } else { request.json(body).send(weir.http) }
}

#[track_caller]
fn ok(response: &Response) -> Value {
    assert!(response.status < 300, "{} {}", response.status, response.text());
    if response.body.is_empty() { Value::Null } else { response.json() }
}

/// A private channel, `ada`, that is live.
struct Stage {
    weir: Weir,
    owner: Login,
    _publisher: Peer,
}

impl Stage {
    fn new() -> Self {
        let weir = Weir::start();
        let owner = weir.set_up("ada");
        let own = |method: &str, path: &str, body: Value| {
            ok(&call(&weir, Some(&owner.cookie), method, &format!("channels/ada{path}"), &body))
        };
        let key = own("POST", "/stream-key", json!({}))["streamKey"].as_str().expect("a key").to_owned();
        let publisher = Peer::publish(weir.http, "ada", &key, Source::new(1));
        weir.until_state("ada", "live", SOON);
        own("PATCH", "", json!({ "visibility": "PRIVATE" }));
        Self { weir, owner, _publisher: publisher }
    }

    #[track_caller]
    fn own(&self, method: &str, path: &str, body: Value) -> Value {
        ok(&call(&self.weir, Some(&self.owner.cookie), method, &format!("channels/ada{path}"), &body))
    }

    fn account(&self, name: &str) -> String {
        chat::account(&self.weir, name).cookie
    }

    /// The cookie of whoever comes in by what they show.
    #[track_caller]
    fn enter(&self, shown: &Value) -> String {
        let response = call(&self.weir, None, "POST", "channels/ada/entry", shown);
        assert_eq!(response.status, 204, "{}", response.text());
        pass_of(&response)
    }

    fn link(&self, wanted: Value) -> (String, String) {
        let made = self.own("POST", "/access-links", wanted);
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let url = text(&made["url"]);
        assert!(url.ends_with(&format!("/ada#link={}", text(&made["secret"]))), "{url}");
        (text(&made["secret"]), text(&made["link"]["id"]))
    }

    fn offer(&self, cookie: Option<&str>) -> (Offering, Response) {
        let offering = Offering::to_receive();
        let mut request = self.weir.same_origin("POST", "/whep/ada");
        if let Some(cookie) = cookie {
            request = request.header("cookie", cookie);
        }
        let response = request.body(SDP, offering.sdp.as_str()).send(self.weir.http);
        (offering, response)
    }

    fn socket(&self, cookie: Option<&str>) -> Events {
        let origin = format!("http://{}", self.weir.http);
        events::open(self.weir.http, Some(&origin), cookie).expect("the event socket")
    }

    /// What came of each entrance: open, or shut as where there is no channel.
    fn entrances(&self, cookie: Option<&str>) -> Vec<(String, bool)> {
        let weir = &self.weir;
        let is_open = |what: &str, response: &Response| {
            if response.status < 300 {
                return (what.to_owned(), true);
            }
            assert_eq!(response.problem(404).kind, "/problems/unknown-channel", "{what}");
            assert!(!response.text().contains("avatar"), "{what} tells of no picture");
            (what.to_owned(), false)
        };
        let mut all = vec![is_open("WHEP", &self.offer(cookie).1)];
        for path in ["", "/state", "/embedding", "/chat", "/chat/messages", "/follow", "/subscription"] {
            let response = call(weir, cookie, "GET", &format!("channels/ada{path}"), &Value::Null);
            all.push(is_open(path, &response));
        }
        let mut socket = self.socket(cookie);
        for (number, topic) in [
            "channel:stream_state:v1",
            "channel:stream_events:v1",
            "media:stream_rooms:v1",
            "chat:stream_messages:v1",
        ]
        .into_iter()
        .enumerate()
        {
            let id = format!("t{number}");
            socket.request(topic, &id, Some("ada"));
            let first = socket.until("an answer", SOON, |message| message["id"] == id.as_str());
            let is_started = first["event"] == format!("{topic}:started");
            if !is_started {
                assert_eq!(first["payload"]["type"], "/problems/unknown-channel", "{first}");
            }
            all.push((topic.to_owned(), is_started));
        }
        all
    }

    /// What is shown on other sites' pages is so to whoever has a signed embed, and to nobody else.
    fn assert_embeds_are_shut(&self, cookie: Option<&str>) {
        let oembed = format!("/oembed?url=http%3A%2F%2F{}%2Fada", self.weir.http);
        for path in ["/embed/ada", "/embed/ada/chat", &oembed] {
            let mut request = Request::new("GET", path);
            if let Some(cookie) = cookie {
                request = request.header("cookie", cookie);
            }
            let page = request.send(self.weir.http);
            assert_eq!(page.status, 404, "{path}");
            assert!(!page.text().contains("/avatars/"), "{path}");
        }
    }
}

fn pass_of(response: &Response) -> String {
    let cookie = response.header("set-cookie").expect("a cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    cookie.split(';').next().expect("a value").to_owned()
}

#[test]
fn every_entrance_is_open_to_whom_the_owner_lets_in_and_shut_to_everybody_else() {
    let stage = Stage::new();
    let picture =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    ok(&call(&stage.weir, Some(&stage.owner.cookie), "PUT", "me/avatar", &json!({ "image": picture })));
    let names = ["listed", "paying", "cheap", "mod", "editor", "vip", "admin", "stranger"];
    let cookies = names.map(|name| (name, stage.account(name)));
    let of = |name: &str| {
        cookies.iter().find(|(of, _)| *of == name).map(|(_, cookie)| cookie.as_str()).expect("somebody")
    };
    stage.own("PUT", "/admitted/listed", Value::Null);
    stage.own("PUT", "/subscribers/paying", json!({ "tier": "two", "days": 30 }));
    stage.own("PUT", "/subscribers/cheap", json!({ "tier": "one", "days": 30 }));
    stage.own("PATCH", "/access", json!({ "subscribers": "two" }));
    stage.own("PUT", "/moderators/mod", json!({}));
    stage.own("PUT", "/roles/editor", json!({ "role": "editor" }));
    stage.own("PUT", "/roles/vip", json!({ "role": "vip" }));
    let admin = json!({ "role": "admin" });
    ok(&call(&stage.weir, Some(&stage.owner.cookie), "PATCH", "people/admin", &admin));
    stage.own("PUT", "/password", json!({ "password": PASSWORD }));
    let knows = stage.enter(&json!({ "password": PASSWORD }));
    let came = stage.enter(&json!({ "link": stage.link(json!({})).0 }));
    let access = stage.own("GET", "/access", Value::Null);
    assert_eq!(access, json!({ "hasPassword": true, "subscribers": "two", "listed": 1, "links": 1 }));

    let signed_in = format!("{}; {knows}", of("stranger"));
    let inside = [&stage.owner.cookie, &knows, &came, &signed_in].map(String::as_str);
    let by_name = ["listed", "paying", "mod", "editor", "vip", "admin"].map(of);
    for cookie in inside.into_iter().chain(by_name) {
        for (entrance, is_open) in stage.entrances(Some(cookie)) {
            assert!(is_open, "{entrance} for {cookie}");
        }
        stage.assert_embeds_are_shut(Some(cookie));
    }
    let mut forged = knows.clone();
    forged.replace_range(forged.len() - 6.., "AAAAAA");
    let outside = [None, Some(of("stranger")), Some(of("cheap")), Some(forged.as_str())];
    for cookie in
        outside.into_iter().chain([Some("weir_passes=weir_pass_"), Some("weir_passes=weir_pass_A.B.C")])
    {
        for (entrance, is_open) in stage.entrances(cookie) {
            assert!(!is_open, "{entrance} for {cookie:?}");
        }
        stage.assert_embeds_are_shut(cookie);
    }
    // None of the ways into one channel is one into another.
    let other = json!({ "name": "other" });
    ok(&call(&stage.weir, Some(&stage.owner.cookie), "POST", "channels", &other));
    let hide = json!({ "visibility": "PRIVATE" });
    ok(&call(&stage.weir, Some(&stage.owner.cookie), "PATCH", "channels/other", &hide));
    for cookie in [of("listed"), of("paying"), of("mod"), of("editor"), of("vip"), &knows, &came] {
        assert_eq!(call(&stage.weir, Some(cookie), "GET", "channels/other", &Value::Null).status, 404);
    }
    // What lets in is no right to more.
    for cookie in [of("listed"), of("paying"), of("vip"), of("mod")] {
        for (method, path) in
            [("GET", "access"), ("GET", "admitted"), ("GET", "access-links"), ("GET", "subscribers")]
        {
            let path = format!("channels/ada/{path}");
            assert_eq!(call(&stage.weir, Some(cookie), method, &path, &Value::Null).status, 403, "{path}");
        }
    }
    assert!(!stage.weir.console().contains("weir_pass_") && !stage.weir.console().contains("weir_link_"));
}

/// Somebody who watches and follows what happens.
struct Inside {
    server: SocketAddr,
    viewer: Peer,
    socket: Events,
}

impl Inside {
    fn new(stage: &Stage, cookie: Option<&str>) -> Self {
        let (offering, response) = stage.offer(cookie);
        assert_eq!(response.status, 201, "{}", response.text());
        let viewer = offering.start(stage.weir.http, &response, None, None);
        viewer.more_video(5);
        let mut socket = stage.socket(cookie);
        for (topic, id) in [
            ("channel:stream_state:v1", "s"),
            ("chat:stream_messages:v1", "c"),
            ("channel:stream_events:v1", "e"),
        ] {
            socket.request(topic, id, Some("ada"));
            socket.until("it follows", SOON, |message| {
                message["id"] == id && message["event"] == format!("{topic}:started")
            });
        }
        Self { server: stage.weir.http, viewer, socket }
    }

    fn is_watching(&self) -> bool {
        let patch = self.viewer.request("PATCH").header("if-match", "*").body(FRAGMENT, "a=mid:0\r\n");
        patch.send(self.server).status != 404
    }

    /// Waits until all is over, and says that it was so in time.
    #[track_caller]
    fn assert_out(mut self, what: &str, since: Instant) {
        let left = || OUT.saturating_sub(since.elapsed());
        weir_tests::eventually(&format!("{what}: the session is over"), left(), || {
            (!self.is_watching()).then_some(())
        });
        for _ in 0..3 {
            let over = self.socket.until(&format!("{what}: a topic is over"), left(), |message| {
                message["event"].as_str().is_some_and(|event| event.ends_with(":failed"))
            });
            assert_eq!(over["payload"]["type"], "/problems/unknown-channel", "{what}: {over}");
        }
    }
}

#[test]
fn those_inside_are_out_within_two_seconds_of_a_change() {
    let stage = Stage::new();
    let [listed, paying, moderator, stranger] =
        ["listed", "paying", "mod", "stranger"].map(|name| stage.account(name));
    stage.own("PUT", "/admitted/listed", Value::Null);
    stage.own("PUT", "/subscribers/paying", json!({ "tier": "one", "days": 30 }));
    stage.own("PATCH", "/access", json!({ "subscribers": "one" }));
    stage.own("PUT", "/moderators/mod", json!({}));
    stage.own("PUT", "/password", json!({ "password": PASSWORD }));
    let (secret, id) = stage.link(json!({}));
    let came = stage.enter(&json!({ "link": secret }));
    let stays = Inside::new(&stage, Some(&stage.owner.cookie));

    let inside = Inside::new(&stage, Some(&stage.enter(&json!({ "password": PASSWORD }))));
    let since = Instant::now();
    stage.own("PUT", "/password", json!({ "password": "quite another word" }));
    inside.assert_out("the password is another", since);

    let knows = stage.enter(&json!({ "password": "quite another word" }));
    let inside = Inside::new(&stage, Some(&knows));
    let since = Instant::now();
    stage.own("DELETE", "/password", Value::Null);
    inside.assert_out("there is no password", since);
    assert_eq!(stage.offer(Some(&knows)).1.status, 404);

    let inside = Inside::new(&stage, Some(&came));
    let since = Instant::now();
    stage.own("DELETE", &format!("/access-links/{id}"), Value::Null);
    inside.assert_out("the link is revoked", since);

    let inside = Inside::new(&stage, Some(&listed));
    let since = Instant::now();
    stage.own("DELETE", "/admitted/listed", Value::Null);
    inside.assert_out("they are off the list", since);

    let inside = Inside::new(&stage, Some(&moderator));
    let since = Instant::now();
    stage.own("DELETE", "/moderators/mod", Value::Null);
    inside.assert_out("they don't moderate any more", since);

    let inside = Inside::new(&stage, Some(&paying));
    let since = Instant::now();
    stage.own("DELETE", "/subscribers/paying", Value::Null);
    inside.assert_out("the subscription is ended", since);

    stage.own("PUT", "/subscribers/paying", json!({ "tier": "one", "days": 30 }));
    let inside = Inside::new(&stage, Some(&paying));
    let soon =
        "UPDATE subscriptions SET ends_at = CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) + 500";
    assert_eq!(in_database(&stage.weir, soon), 1);
    inside.assert_out("the subscription ran out", Instant::now() + Duration::from_millis(500));

    assert!(stays.is_watching(), "none of this is the owner's to feel");
    stays.viewer.more_video(5);

    stage.own("PUT", "/subscribers/paying", json!({ "tier": "one", "days": 30 }));
    let inside = Inside::new(&stage, Some(&paying));
    let since = Instant::now();
    stage.own("PATCH", "/access", json!({ "subscribers": null }));
    inside.assert_out("subscribers don't get in any more", since);

    stage.own("PATCH", "", json!({ "visibility": "UNLISTED" }));
    let (nobody, somebody) = (Inside::new(&stage, None), Inside::new(&stage, Some(&stranger)));
    let since = Instant::now();
    stage.own("PATCH", "", json!({ "visibility": "PRIVATE" }));
    nobody.assert_out("it is private: nobody", since);
    somebody.assert_out("it is private: a stranger", since);
}

#[test]
fn passwords_are_guessed_slowly_and_nothing_tells_whether_there_is_a_channel() {
    let stage = Stage::new();
    stage.own("PUT", "/password", json!({ "password": PASSWORD }));
    let guess = |address: &str, channel: &str, shown: Value| {
        call_from(&stage.weir, address, None, "POST", &format!("channels/{channel}/entry"), &shown)
    };
    let word = |text: &str| json!({ "password": text });
    // Wrong, too short, of no channel, and links that are none: all the same.
    for (channel, shown) in [
        ("ada", word("the wrong word altogether")),
        ("ada", word("x")),
        ("ada", json!({ "link": "weir_link_x" })),
        ("ada", json!({ "link": format!("weir_link_{}", "A".repeat(43)) })),
        ("nobody", word("the wrong word altogether")),
        ("nobody", json!({ "link": format!("weir_link_{}", "A".repeat(43)) })),
    ] {
        let problem = guess("198.51.100.1", channel, shown).problem(403);
        assert_eq!(problem.kind, "/problems/not-let-in");
    }
    for bad in [json!({}), json!({ "password": PASSWORD, "link": "x" })] {
        guess("198.51.100.1", "ada", bad).problem(422);
    }
    let statuses: Vec<u16> =
        (0..6).map(|n| guess("198.51.100.1", "ada", word(&format!("a wrong word {n}"))).status).collect();
    assert_eq!(statuses.last(), Some(&429), "{statuses:?}");
    let late = guess("198.51.100.1", "ada", word(PASSWORD));
    assert!(late.problem(429).retry_after.is_some(), "not even the right one");
    assert_eq!(guess("198.51.100.2", "ada", word(PASSWORD)).status, 204, "others aren't kept out");
    // Who knows it may come as often as they like.
    for _ in 0..12 {
        assert_eq!(guess("198.51.100.3", "ada", word(PASSWORD)).status, 204);
    }
    // Another site's page can't try for somebody.
    let from = Request::new("POST", "/api/v1/channels/ada/entry").header("origin", "https://evil.example");
    from.json(&word(PASSWORD)).send(stage.weir.http).problem(403);
    let console = stage.weir.console();
    assert!(!console.contains(PASSWORD) && !console.contains("wrong word"));
}

#[test]
fn a_pass_outlives_the_server_and_dies_with_its_password_alone() {
    let mut stage = Stage::new();
    stage.own("PUT", "/password", json!({ "password": PASSWORD }));
    let knows = stage.enter(&json!({ "password": PASSWORD }));
    let (secret, _) = stage.link(json!({}));
    let sees = |stage: &Stage, cookie: &str| {
        call(&stage.weir, Some(cookie), "GET", "channels/ada", &Value::Null).status
    };
    stage.weir.crash();
    stage.weir.start_again();
    assert_eq!(sees(&stage, &knows), 200);
    // Who is in needs nothing, and a link is not used up for them.
    let again = call(&stage.weir, Some(&knows), "POST", "channels/ada/entry", &json!({ "link": secret }));
    assert_eq!((again.status, again.header("set-cookie")), (204, None));
    let links = stage.own("GET", "/access-links", Value::Null);
    assert_eq!(links["items"][0]["uses"], 0);
    assert!(!links.to_string().contains(&secret), "it is shown once");
    // The same password set anew is another one.
    stage.own("PUT", "/password", json!({ "password": PASSWORD }));
    assert_eq!(sees(&stage, &knows), 404);
    let both = call(&stage.weir, Some(&knows), "POST", "channels/ada/entry", &json!({ "link": secret }));
    let came = pass_of(&both);
    assert_eq!(sees(&stage, &came), 200);
    stage.own("DELETE", "/password", Value::Null);
    assert_eq!(sees(&stage, &came), 200, "the link's stays");
    // While the channel is open, a pass is neither asked for nor given.
    stage.own("PATCH", "", json!({ "visibility": "PUBLIC" }));
    let open = call(&stage.weir, None, "POST", "channels/ada/entry", &json!({ "link": secret }));
    assert_eq!((open.status, open.header("set-cookie")), (204, None));
}

#[test]
fn a_link_lets_in_as_many_as_it_is_for_of_many_at_once() {
    let stage = Stage::new();
    let (secret, id) = stage.link(json!({ "label": "The band", "uses": 3, "days": 1 }));
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..8)
            .map(|n| {
                let (weir, shown) = (&stage.weir, json!({ "link": secret }));
                let address = format!("198.51.100.{n}");
                scope.spawn(move || {
                    call_from(weir, &address, None, "POST", "channels/ada/entry", &shown).status
                })
            })
            .collect();
        tries.into_iter().map(|one| one.join().expect("an answer")).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 204).count(), 3, "{statuses:?}");
    let listed = stage.own("GET", "/access-links", Value::Null);
    assert_eq!((&listed["items"][0]["uses"], &listed["items"][0]["usesMost"]), (&json!(3), &json!(3)));
    for bad in [json!({ "uses": 0 }), json!({ "uses": 10_001 }), json!({ "days": 0 }), json!({ "days": 366 })]
    {
        let refused = call(&stage.weir, Some(&stage.owner.cookie), "POST", "channels/ada/access-links", &bad);
        refused.problem(422);
    }
    stage.own("DELETE", &format!("/access-links/{id}"), Value::Null);
    let again = format!("channels/ada/access-links/{id}");
    call(&stage.weir, Some(&stage.owner.cookie), "DELETE", &again, &Value::Null).problem(404);
}

#[test]
fn the_list_is_the_owner_s_alone() {
    let stage = Stage::new();
    let ben = stage.account("ben");
    let on = |name: &str, method: &str, cookie: &str| {
        call(&stage.weir, Some(cookie), method, &format!("channels/ada/admitted/{name}"), &Value::Null).status
    };
    let owner = stage.owner.cookie.as_str();
    assert_eq!(
        (on("nobody", "PUT", owner), on("ben", "PUT", owner), on("ben", "PUT", owner)),
        (404, 200, 200)
    );
    let listed = stage.own("GET", "/admitted", Value::Null);
    assert_eq!(
        (listed["items"].as_array().map(Vec::len), &listed["items"][0]["account"]),
        (Some(1), &json!("ben"))
    );
    assert_eq!((on("ada", "PUT", &ben), on("ben", "DELETE", &ben)), (403, 403));
    assert_eq!((on("ben", "DELETE", owner), on("ben", "DELETE", owner)), (204, 404));
    assert_eq!(on("ben", "PUT", &ben), 404, "of a channel that isn't there for them");
}
