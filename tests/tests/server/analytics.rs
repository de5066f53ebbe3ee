//! Analytics from outside: viewers of known behaviour, and figures that are exactly theirs.

use crate::SOON;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use weir_tests::{
    eventually,
    http::{Request, Response},
    peer::{Offering, Peer, SDP, Source},
    server::{Login, Weir},
};

const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";
const DESKTOP: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// Somebody who watches, and what WHEP called the view.
struct Viewer {
    peer: Peer,
    view: String,
    since: Instant,
}

/// A player's offer, with what it says of itself.
fn offer(weir: &Weir, query: &str, headers: &[(&str, &str)]) -> (Offering, Response) {
    let offering = Offering::to_receive();
    let path = format!("/whep/ada{query}");
    let request = Request::new("POST", &path).body(SDP, offering.sdp.as_str());
    let request = headers.iter().fold(request, |request, (name, value)| request.header(name, *value));
    let response = request.send(weir.http);
    (offering, response)
}

impl Viewer {
    fn come(weir: &Weir, query: &str, headers: &[(&str, &str)]) -> Self {
        let (offering, response) = offer(weir, query, headers);
        let view = response.header("weir-view").expect("a view").to_owned();
        let peer = offering.start(weir.http, &response, None, None);
        peer.connected();
        Self { peer, view, since: Instant::now() }
    }

    /// Leaves; how long it was there.
    fn leave(self) -> Duration {
        let watched = self.since.elapsed();
        assert_eq!(self.peer.leave().status, 200);
        watched
    }
}

fn get(weir: &Weir, login: &Login, path: &str) -> Response {
    weir.same_origin("GET", path).header("cookie", login.cookie.as_str()).send(weir.http)
}

fn live() -> (Weir, Login, Peer, String) {
    let weir = Weir::start();
    let login = weir.set_up("ada");
    let request = weir.same_origin("POST", "/api/v1/channels/ada/stream-key");
    let key = request.header("cookie", login.cookie.as_str()).send(weir.http).json();
    let publisher =
        Peer::publish(weir.http, "ada", key["streamKey"].as_str().expect("a key"), Source::new(1));
    let id = weir.until_state("ada", "live", SOON)["streamId"].as_str().expect("an id").to_owned();
    (weir, login, publisher, id)
}

fn analytics(weir: &Weir, login: &Login, id: &str) -> Value {
    let response = get(weir, login, &format!("/api/v1/broadcasts/{id}/analytics"));
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()
}

/// Waits until the record has caught up.
#[track_caller]
fn until(weir: &Weir, login: &Login, id: &str, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
    eventually(what, SOON, || Some(analytics(weir, login, id)).filter(|seen| fits(seen)))
}

fn report(weir: &Weir, view: &str, report: &Value) -> Response {
    Request::new("POST", &format!("/api/v1/views/{view}/report")).json(report).send(weir.http)
}

#[test]
fn viewers_of_known_behaviour_give_exactly_their_figures() {
    let (weir, login, publisher, id) = live();
    let one = Viewer::come(&weir, "", &[("user-agent", PHONE)]);
    let two = Viewer::come(&weir, "", &[("user-agent", DESKTOP)]);
    let three = Viewer::come(&weir, "", &[]);
    let preview = {
        let (offering, response) = offer(&weir, "?preview", &[]);
        assert_eq!(response.header("weir-view"), None, "a preview is no view");
        offering.start(weir.http, &response, None, None)
    };
    preview.connected();
    let seen = until(&weir, &login, &id, "three", |seen| seen["concurrentViewers"] == 3);
    assert_eq!((&seen["peakViewers"], &seen["totalViews"]), (&json!(3), &json!(3)));
    let mut watched = one.leave();
    until(&weir, &login, &id, "one left", |seen| seen["concurrentViewers"] == 2);
    // It comes back to its view, and isn't counted again.
    let view = two.view.clone();
    watched += two.leave();
    let again = Viewer::come(&weir, &format!("?view={view}"), &[]);
    assert_eq!(again.view, view);
    until(&weir, &login, &id, "back", |seen| seen["concurrentViewers"] == 2);
    let measured = json!({ "sequence": 1, "joinTime": 250, "latency": 180, "codec": "VP8",
        "size": { "width": 1280, "height": 720 }, "referrer": "https://blog.example/post" });
    assert_eq!(report(&weir, &view, &measured).status, 204);
    watched += again.leave() + three.leave();
    assert_eq!(publisher.leave().status, 200);
    weir.until_state("ada", "ended", SOON);
    let seen = until(&weir, &login, &id, "the end", |seen| !seen["endTime"].is_null());
    assert_eq!(
        (&seen["totalViews"], &seen["peakViewers"], &seen["concurrentViewers"]),
        (&json!(3), &json!(3), &json!(0))
    );
    let total = seen["totalWatchTime"].as_f64().expect("seconds");
    assert!((total - watched.as_secs_f64()).abs() < 1.0, "{total} s of {watched:?}");
    assert_eq!(seen["averageWatchTime"].as_f64().map(|time| (time * 3.0 - total).abs() < 0.01), Some(true));
    assert_eq!(seen["devices"].as_array().map(Vec::len), Some(3));
    assert_eq!(seen["referrers"], json!([{ "name": "https://blog.example", "views": 1 }]));
    assert_eq!(seen["quality"]["latency"], json!({ "p50": 180.0, "p95": 180.0, "samples": 1 }));
    let list = get(&weir, &login, "/api/v1/channels/ada/broadcasts").json();
    assert_eq!(list["items"][0]["totalViews"], 3);
    assert_eq!(list["items"][0]["totalWatchTime"], seen["totalWatchTime"]);
}
