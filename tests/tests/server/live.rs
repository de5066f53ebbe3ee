//! The compact live API, field for field, as a program uses it.

use crate::SOON;
use serde_json::{Value, json};
use weir_tests::{
    eventually,
    http::{Request, Response},
    peer::{Offering, Peer, Source, post_whip},
    server::{Login, Weir},
};

/// A program with a token of its own.
struct Program<'a> {
    weir: &'a Weir,
    secret: String,
}

impl<'a> Program<'a> {
    fn new(weir: &'a Weir, login: &Login) -> Self {
        let body = json!({ "label": "a test", "scopes": ["read", "channel:write"] });
        let request = weir.same_origin("POST", "/api/v1/me/tokens").header("cookie", login.cookie.as_str());
        let made = request.json(&body).send(weir.http).json();
        Self { weir, secret: made["secret"].as_str().expect("a secret").to_owned() }
    }

    fn start(&self, body: &Value) -> Response {
        Request::new("POST", "/api/v1/live/start").bearer(&self.secret).json(body).send(self.weir.http)
    }

    /// The announced broadcast's id, and the secret that begins it.
    fn announce(&self, body: &Value) -> (String, String) {
        let response = self.start(body);
        assert_eq!(response.status, 201, "{}", response.text());
        let text = |name: &str| response.json()[name].as_str().expect("text").to_owned();
        (text("streamId"), text("streamKey"))
    }

    fn status(&self, id: &str) -> Value {
        let path = format!("/api/v1/live/status/{id}");
        let response = Request::new("GET", &path).bearer(&self.secret).send(self.weir.http);
        assert_eq!(response.status, 200, "{}", response.text());
        response.json()
    }

    #[track_caller]
    fn until(&self, id: &str, status: &str) -> Value {
        eventually(&format!("{id} is {status}"), SOON, || {
            Some(self.status(id)).filter(|seen| seen["status"] == status)
        })
    }

    fn end(&self) {
        let request = Request::new("POST", "/api/v1/channels/ada/end").bearer(&self.secret);
        assert_eq!(request.json(&json!({})).send(self.weir.http).status, 204);
    }
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[test]
fn a_broadcast_is_announced_begins_and_ends() {
    let mut weir = Weir::start();
    let login = weir.set_up("ada");
    let lasting =
        weir.same_origin("POST", "/api/v1/channels/ada/stream-key").header("cookie", login.cookie.as_str());
    let lasting =
        lasting.json(&json!({})).send(weir.http).json()["streamKey"].as_str().expect("a key").to_owned();
    let program = Program::new(&weir, &login);
    let asked = json!({ "title": "Evening", "description": "With guests", "visibility": "UNLISTED", "quality": "1080p" });
    let started = program.start(&asked);
    assert_eq!(started.status, 201, "{}", started.text());
    let started = started.json();
    assert_eq!(keys(&started), ["playbackUrl", "rtmpUrl", "streamId", "streamKey", "whipUrl"]);
    let base = format!("http://{}", weir.http);
    assert_eq!(started["playbackUrl"], format!("{base}/ada"));
    assert_eq!(started["whipUrl"], format!("{base}/whip/ada"));
    assert_eq!(started["rtmpUrl"], Value::Null);
    let channel = Request::new("GET", "/api/v1/channels/ada").send(weir.http).json();
    for field in ["title", "description", "visibility"] {
        assert_eq!(channel[field], asked[field], "{field}");
    }
    let id = started["streamId"].as_str().expect("an id").to_owned();
    let key = started["streamKey"].as_str().expect("a key").to_owned();

    let before = program.status(&id);
    assert_eq!(keys(&before), ["duration", "quality", "startTime", "status", "streamId", "viewerCount"]);
    assert_eq!((&before["status"], &before["startTime"]), (&json!("processing"), &Value::Null));
    assert_eq!((&before["quality"], &before["duration"]), (&json!("1080p"), &json!(0.0)));
    let early = Request::new("GET", &format!("/api/v1/live/analytics/{id}"))
        .bearer(&program.secret)
        .send(weir.http)
        .json();
    assert_eq!((&early["totalViews"], &early["deviceTypes"]), (&json!(0), &json!({})));
    // Announced is kept.
    let secret = program.secret.clone();
    weir.crash();
    weir.start_again();
    let program = Program { weir: &weir, secret };
    assert_eq!(program.status(&id)["status"], "processing");

    let publisher = Peer::publish(weir.http, "ada", &key, Source::new(1));
    let live = program.until(&id, "live");
    assert!(live["startTime"].is_string());
    assert_eq!(weir.state("ada")["streamId"], id.as_str(), "it is this very broadcast");
    let measured = eventually("its measured height", SOON, || {
        let quality = program.status(&id)["quality"].as_str().expect("text").to_owned();
        (quality != "1080p").then_some(quality)
    });
    assert!(measured.ends_with('p'), "{measured}");
    let viewer = Peer::watch(weir.http, "ada");
    viewer.more_video(5);
    eventually("one viewer", SOON, || (program.status(&id)["viewerCount"] == 1).then_some(()));
    let other = json!({ "title": "Another", "visibility": "PRIVATE" });
    assert_eq!(program.start(&other).problem(409).kind, "/problems/already-live");
    let channel = Request::new("GET", "/api/v1/channels/ada").send(weir.http).json();
    assert_eq!(channel["title"], "Evening", "what is refused changes nothing");

    let analytics = |id: &str| {
        let path = format!("/api/v1/live/analytics/{id}");
        Request::new("GET", &path).bearer(&program.secret).send(weir.http)
    };
    let figures = eventually("a view", SOON, || {
        Some(analytics(&id).json()).filter(|figures| figures["totalViews"] == 1)
    });
    let fields = ["averageWatchTime", "deviceTypes", "peakViewers", "streamId", "topRegions", "totalViews"];
    assert_eq!(keys(&figures), fields);
    assert_eq!((&figures["peakViewers"], &figures["streamId"]), (&json!(1), &json!(id)));
    assert_eq!(figures["topRegions"], json!([]));
    Request::new("GET", &format!("/api/v1/live/analytics/{id}")).send(weir.http).problem(401);
    analytics("nothing").problem(404);

    program.end();
    let over = program.until(&id, "offline");
    assert_eq!((&over["viewerCount"], &over["startTime"]), (&json!(0), &live["startTime"]));
    assert!(over["duration"].as_f64().expect("seconds") > 0.0);
    publisher.until("its end", SOON, |seen| seen.closed.then_some(()));
    assert_eq!(
        post_whip(weir.http, "/whip/ada", &key, &Offering::to_send().sdp).status,
        401,
        "the secret was for that broadcast"
    );

    // The channel's lasting key still works, and begins another broadcast.
    let _again = Peer::publish(weir.http, "ada", &lasting, Source::new(2));
    let next = weir.until_state("ada", "live", SOON);
    assert_ne!(next["streamId"], id.as_str());
    let past = program.status(&id);
    assert_eq!(
        (&past["status"], &past["quality"]),
        (&json!("offline"), &json!(measured)),
        "what was measured is kept"
    );
}

#[test]
fn whoever_publishes_next_begins_the_announced_broadcast() {
    let weir = Weir::start();
    let login = weir.set_up("ada");
    let token = weir
        .same_origin("POST", "/api/v1/channels/ada/publish-token")
        .header("cookie", login.cookie.as_str());
    let token = token.json(&json!({})).send(weir.http).json()["token"].as_str().expect("a token").to_owned();
    let program = Program::new(&weir, &login);
    let (first, first_key) = program.announce(&json!({ "title": "First" }));
    let (second, _) = program.announce(&json!({ "title": "Second", "quality": "4K", "channel": "ada" }));
    assert_eq!(program.status(&first)["status"], "offline", "a later one took its place");
    assert_eq!(program.status(&second)["quality"], "4K");
    assert_eq!(post_whip(weir.http, "/whip/ada", &first_key, &Offering::to_send().sdp).status, 401);
    let _publisher = Peer::publish(weir.http, "ada", &token, Source::new(1));
    program.until(&second, "live");
    assert_eq!(weir.state("ada")["title"], "Second");
}

#[test]
fn a_new_stream_key_ends_what_was_announced() {
    let weir = Weir::start();
    let login = weir.set_up("ada");
    let program = Program::new(&weir, &login);
    let (id, key) = program.announce(&json!({ "title": "x" }));
    let rotate = Request::new("POST", "/api/v1/channels/ada/stream-key").bearer(&program.secret);
    assert_eq!(rotate.json(&json!({})).send(weir.http).status, 200);
    assert_eq!(post_whip(weir.http, "/whip", &key, &Offering::to_send().sdp).status, 401);
    assert_eq!(program.status(&id)["status"], "offline");
}

#[test]
fn what_can_t_be_started_is_said() {
    let weir = Weir::start();
    let login = weir.set_up("ada");
    let program = Program::new(&weir, &login);
    for (body, field) in [
        (json!({ "title": "x".repeat(141) }), "title"),
        (json!({ "description": "no title" }), "title"),
        (json!({ "title": "x", "visibility": "SECRET" }), "visibility"),
        (json!({ "title": "x", "quality": "8K" }), "quality"),
        (json!({ "title": "x", "channel": "a b" }), "channel"),
        (json!({ "title": "x", "streamKey": "mine" }), "streamKey"),
    ] {
        assert_eq!(program.start(&body).problem(422).field.as_deref(), Some(field), "{body}");
    }
    program.start(&json!({ "title": "x", "channel": "nobody" })).problem(404);
    Request::new("POST", "/api/v1/live/start").json(&json!({ "title": "x" })).send(weir.http).problem(401);
    for id in ["nothing", "a%20b", "01j", "%00"] {
        Request::new("GET", &format!("/api/v1/live/status/{id}")).send(weir.http).problem(404);
    }
    let (id, _) = program.announce(&json!({ "title": "x", "visibility": "PRIVATE" }));
    Request::new("GET", &format!("/api/v1/live/status/{id}")).send(weir.http).problem(404);
    assert_eq!(program.status(&id)["status"], "processing");
}
