//! Analytics from outside: viewers of known behaviour, and figures that are exactly theirs.
//!
//! How long somebody watched is held between two times that hold on any machine: from when the server was seen to count
//! it until it was told to go, and from before it came until the server was seen to have let it go.

mod regions;
mod reports;

use crate::SOON;
use serde_json::{Value, json};
use shared::unit::Timestamp;
use std::time::{Duration, Instant};
use weir_tests::{
    chat::{self, By},
    events::Events,
    http::{Request, Response},
    peer::{Offering, Peer, SDP, Source},
    server::{Login, Weir},
};

const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";
const DESKTOP: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// A channel that is live, and its owner.
struct Evening {
    weir: Weir,
    login: Login,
    key: String,
    broadcast: String,
    /// What all views together have watched, at least and at most.
    watched: (Duration, Duration),
}

/// Somebody who watches, and what WHEP called the view.
struct Viewer {
    peer: Peer,
    view: String,
    /// Before it came, and after it was counted.
    came: (Instant, Instant),
}

impl Evening {
    fn begin() -> (Self, Peer) {
        Self::begin_with(&[])
    }

    fn begin_with(environment: &[(&str, &str)]) -> (Self, Peer) {
        let weir = Weir::start_with(environment);
        let login = weir.set_up("ada");
        let request = weir.same_origin("POST", "/api/v1/channels/ada/stream-key");
        let key = request.header("cookie", login.cookie.as_str()).send(weir.http).json();
        let key = key["streamKey"].as_str().expect("a key").to_owned();
        let watched = (Duration::ZERO, Duration::ZERO);
        let mut evening = Self { weir, login, key, broadcast: String::new(), watched };
        let publisher = evening.publish();
        (evening, publisher)
    }

    fn publish(&mut self) -> Peer {
        let publisher = Peer::publish(self.weir.http, "ada", &self.key, Source::new(1));
        let state = self.weir.until_state("ada", "live", SOON);
        self.broadcast = state["streamId"].as_str().expect("an id").to_owned();
        // The record follows what is live by a moment.
        let path = format!("/api/v1/broadcasts/{}/analytics", self.broadcast);
        let recorded = eventually_or(SOON, || (self.get(&path).status == 200).then_some(()));
        assert!(recorded.is_some(), "the broadcast isn't recorded");
        publisher
    }

    fn get(&self, path: &str) -> Response {
        self.weir.same_origin("GET", path).header("cookie", self.login.cookie.as_str()).send(self.weir.http)
    }

    fn figures(&self) -> Value {
        let response = self.get(&format!("/api/v1/broadcasts/{}/analytics", self.broadcast));
        assert_eq!(response.status, 200, "{}", response.text());
        response.json()
    }

    /// Waits until the record says so.
    #[track_caller]
    fn until(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let found = eventually_or(SOON, || {
            last = self.figures();
            fits(&last).then(|| last.clone())
        });
        found.unwrap_or_else(|| panic!("{what}: {last:#}"))
    }

    #[track_caller]
    fn watching(&self, count: u64) {
        self.until(&format!("{count} watch"), |seen| seen["concurrentViewers"] == count);
    }

    fn offer(&self, query: &str, headers: &[(&str, &str)]) -> (Offering, Response) {
        let offering = Offering::to_receive();
        let path = format!("/whep/ada{query}");
        let request = Request::new("POST", &path).body(SDP, offering.sdp.as_str());
        let request = headers.iter().fold(request, |request, (name, value)| request.header(name, *value));
        let response = request.send(self.weir.http);
        (offering, response)
    }

    /// Somebody comes, and is the `count`th who watches.
    #[track_caller]
    fn come(&self, query: &str, headers: &[(&str, &str)], count: u64) -> Viewer {
        let before = Instant::now();
        let (offering, response) = self.offer(query, headers);
        let view = response.header("weir-view").expect("a view").to_owned();
        let peer = offering.start(self.weir.http, &response, None, None);
        peer.connected();
        self.watching(count);
        Viewer { peer, view, came: (before, Instant::now()) }
    }

    /// Somebody leaves, and `count` watch still.
    #[track_caller]
    fn leave(&mut self, viewer: Viewer, count: u64) {
        self.watched.0 += viewer.came.1.elapsed();
        assert_eq!(viewer.peer.leave().status, 200);
        self.watching(count);
        self.watched.1 += viewer.came.0.elapsed();
    }

    /// The publisher says that it ends.
    fn end(&self, publisher: Peer) -> Value {
        assert_eq!(publisher.leave().status, 200);
        self.weir.until_state("ada", "ended", SOON);
        self.until("the end", |seen| !seen["endTime"].is_null())
    }

    /// The times of the views add up to what their viewers know.
    #[track_caller]
    fn holds(&self, figures: &Value) {
        let total = figures["totalWatchTime"].as_f64().expect("seconds");
        // Each span's start and end are whole milliseconds.
        let (least, most) = (self.watched.0.as_secs_f64() - 0.02, self.watched.1.as_secs_f64() + 0.02);
        assert!((least..=most).contains(&total), "{total} s, and not {least} to {most}: {figures:#}");
        let views = figures["totalViews"].as_f64().expect("a number");
        let average = figures["averageWatchTime"].as_f64().expect("seconds");
        assert!((average * views - total).abs() < 0.001 * views + 1e-6, "{average} × {views} is {total}");
    }
}

fn eventually_or<T>(timeout: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + timeout;
    loop {
        if let Some(found) = ask() {
            return Some(found);
        }
        if Instant::now() > deadline {
            return None;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn kinds(figures: &Value) -> Vec<&str> {
    let markers = figures["markers"].as_array().expect("markers");
    markers.iter().filter_map(|marker| marker["kind"].as_str()).collect()
}

#[test]
fn viewers_of_known_behaviour_give_exactly_their_figures() {
    let (mut evening, publisher) = Evening::begin();
    let one = evening.come("", &[("user-agent", PHONE)], 1);
    let two = evening.come("", &[("user-agent", DESKTOP)], 2);
    let three = evening.come("", &[], 3);
    let (offering, response) = evening.offer("?preview", &[]);
    assert_eq!(response.header("weir-view"), None, "a preview is no view");
    let preview = offering.start(evening.weir.http, &response, None, None);
    preview.more_video(5);
    let seen = evening.figures();
    assert_eq!((&seen["concurrentViewers"], &seen["totalViews"]), (&json!(3), &json!(3)));
    evening.leave(one, 2);
    // It comes back to its view, and isn't counted again.
    let view = two.view.clone();
    evening.leave(two, 1);
    let again = evening.come(&format!("?view={view}"), &[], 2);
    assert_eq!(again.view, view);
    evening.leave(again, 1);
    evening.leave(three, 0);
    let figures = evening.end(publisher);
    evening.holds(&figures);
    assert_eq!(
        (&figures["totalViews"], &figures["peakViewers"], &figures["concurrentViewers"]),
        (&json!(3), &json!(3), &json!(0))
    );
    assert!(time_of(&figures["peakAt"]) > time_of(&figures["startTime"]));
    let one_of = |name: &str| json!({ "name": name, "views": 1 });
    assert_eq!(figures["devices"], json!([one_of("desktop"), one_of("phone"), one_of("unknown")]));
    assert_eq!(figures["browsers"], json!([one_of("Firefox"), one_of("Safari"), one_of("unknown")]));
    assert_eq!(figures["regions"], json!([{ "name": "unknown", "views": 3 }]));
    assert_eq!(figures["retention"][0], 1.0);
    assert_eq!(kinds(&figures), ["started", "ended"]);
    let timeline = &figures["timeline"];
    let viewers: Vec<u64> =
        timeline["viewers"].as_array().expect("steps").iter().filter_map(Value::as_u64).collect();
    assert_eq!((viewers.iter().max(), &timeline["step"]), (Some(&3), &json!(5)));
    for list in ["chatMessages", "freezes", "latency"] {
        assert_eq!(timeline[list].as_array().map(Vec::len), Some(viewers.len()), "{list}");
    }
    let list = evening.get("/api/v1/channels/ada/broadcasts").json();
    for field in ["streamId", "totalViews", "peakViewers", "totalWatchTime", "averageWatchTime", "endTime"] {
        assert_eq!(list["items"][0][field], figures[field], "{field}");
    }
}

/// Times can't be compared as text: one that ends in a zero is written without it.
fn time_of(value: &Value) -> Timestamp {
    serde_json::from_value(value.clone()).expect("a time")
}

#[test]
fn an_orderly_restart_in_the_middle_loses_nothing() {
    let (mut evening, publisher) = Evening::begin();
    let leaves = evening.come("", &[], 1);
    let stays = evening.come("", &[], 2);
    evening.leave(leaves, 1);
    let before = evening.broadcast.clone();
    evening.watched.0 += stays.came.1.elapsed();
    evening.weir.terminate(Duration::from_secs(15));
    evening.watched.1 += stays.came.0.elapsed();
    evening.weir.start_again();
    let gap = evening.figures();
    evening.holds(&gap);
    assert_eq!(gap["concurrentViewers"], 0);
    drop(publisher);
    let publisher = evening.publish();
    assert_eq!(evening.broadcast, before, "the same broadcast goes on");
    let back = evening.come(&format!("?view={}", stays.view), &[], 1);
    assert_eq!(back.view, stays.view);
    let new = evening.come("", &[], 2);
    evening.leave(back, 1);
    evening.leave(new, 0);
    let figures = evening.end(publisher);
    evening.holds(&figures);
    assert_eq!((&figures["totalViews"], &figures["peakViewers"]), (&json!(3), &json!(2)));
    assert_eq!(kinds(&figures), ["started", "interrupted", "resumed", "ended"]);
}

#[test]
fn a_kill_in_the_middle_costs_less_than_what_the_last_heartbeat_saw() {
    let (mut evening, publisher) = Evening::begin();
    let stays = evening.come("", &[], 1);
    let leaves = evening.come("", &[], 2);
    evening.leave(leaves, 1);
    // What was shown is on disk: a heartbeat has seen this much.
    let counted = stays.came.1.elapsed().as_secs_f64() + 1.5;
    let others = evening.watched.1.as_secs_f64();
    let seen = evening.until("a heartbeat", |seen| {
        seen["totalWatchTime"].as_f64().is_some_and(|total| total >= counted + others)
    });
    let at_least = seen["totalWatchTime"].as_f64().expect("seconds");
    evening.watched.1 += stays.came.0.elapsed();
    evening.weir.crash();
    evening.watched.1 += Duration::from_millis(500);
    evening.weir.start_again();
    let after = evening.figures();
    evening.holds(&after);
    assert!(after["totalWatchTime"].as_f64() >= Some(at_least - 0.001), "{at_least}: {after:#}");
    assert_eq!((&after["concurrentViewers"], &after["totalViews"]), (&json!(0), &json!(2)));
    drop(publisher);
    let publisher = evening.publish();
    let back = evening.come(&format!("?view={}", stays.view), &[], 1);
    assert_eq!(back.view, stays.view);
    evening.leave(back, 0);
    let figures = evening.end(publisher);
    evening.holds(&figures);
    assert_eq!((&figures["totalViews"], &figures["peakViewers"]), (&json!(2), &json!(2)));
    assert_eq!(kinds(&figures), ["started", "interrupted", "resumed", "ended"]);
}

#[test]
fn a_player_whose_old_session_still_seems_to_be_there_takes_its_place() {
    let (mut evening, publisher) = Evening::begin();
    let old = evening.come("", &[], 1);
    let query = format!("?view={}", old.view);
    let (offering, response) = evening.offer(&query, &[]);
    assert_eq!(response.header("weir-view"), Some(old.view.as_str()));
    let peer = offering.start(evening.weir.http, &response, None, None);
    peer.connected();
    old.peer.until("the old one to be let go", SOON, |seen| seen.closed.then_some(()));
    peer.more_video(5);
    assert_eq!(evening.figures()["concurrentViewers"], 1);
    assert_eq!(evening.weir.state("ada")["viewerCount"], 1);
    evening.leave(Viewer { peer, view: old.view.clone(), came: old.came }, 0);
    let figures = evening.end(publisher);
    evening.holds(&figures);
    assert_eq!((&figures["totalViews"], &figures["peakViewers"]), (&json!(1), &json!(1)));
}

#[test]
fn a_viewer_that_is_missed_was_there_until_it_was_last_heard() {
    let (mut evening, publisher) = Evening::begin();
    let viewer = evening.come("", &[], 1);
    viewer.peer.more_video(30);
    evening.watched.1 += viewer.came.0.elapsed();
    let before = Instant::now();
    viewer.peer.vanish();
    evening.watched.1 += before.elapsed();
    let gone = eventually_or(Duration::from_secs(40), || {
        (evening.weir.state("ada")["viewerCount"] == 0).then_some(())
    });
    assert!(gone.is_some(), "nobody notices");
    let figures = evening.end(publisher);
    evening.holds(&figures);
}

#[test]
fn views_that_are_forged_over_or_another_s_are_new_ones() {
    let (mut evening, publisher) = Evening::begin();
    let first = evening.come("", &[], 1);
    let old = first.view.clone();
    evening.leave(first, 0);
    evening.end(publisher);
    let publisher = evening.publish();
    let forged = ["01forged", &old, "", "a%27%20OR%201%3D1--", "%00", &"x".repeat(200), "..%2F..%2Fx"];
    let viewers: Vec<Viewer> = (1..)
        .zip(forged)
        .map(|(count, forged)| evening.come(&format!("?view={forged}"), &[], count))
        .collect();
    for viewer in &viewers {
        assert!(!forged.contains(&viewer.view.as_str()), "{}", viewer.view);
    }
    let figures = evening.end(publisher);
    assert_eq!(figures["totalViews"], forged.len());
    assert_eq!(figures["previous"]["totalViews"], 1, "the one before stays as it was");
    evening.weir.assert_healthy();
}

#[test]
fn an_interruption_keeps_its_viewers_and_is_marked() {
    let (mut evening, publisher) = Evening::begin();
    let viewer = evening.come("", &[], 1);
    publisher.vanish();
    evening.weir.until_state("ada", "waiting", Duration::from_secs(20));
    assert_eq!(evening.figures()["concurrentViewers"], 1);
    let publisher = evening.publish();
    viewer.peer.more_video(5);
    let edit = evening.weir.same_origin("PATCH", "/api/v1/channels/ada");
    let edit = edit.header("cookie", evening.login.cookie.as_str()).json(&json!({ "title": "=2+3" }));
    assert_eq!(edit.send(evening.weir.http).status, 200);
    evening.until("the title", |seen| kinds(seen).contains(&"title"));
    evening.leave(viewer, 0);
    let figures = evening.end(publisher);
    evening.holds(&figures);
    assert_eq!(figures["totalViews"], 1);
    assert_eq!(kinds(&figures), ["started", "interrupted", "resumed", "title", "ended"]);
    assert_eq!(figures["markers"][3]["text"], "=2+3");
}

#[test]
fn broadcasts_are_listed_in_pages_and_their_owner_alone_sees_them() {
    let (mut evening, mut publisher) = Evening::begin();
    let mut ids = vec![evening.broadcast.clone()];
    for _ in 0..2 {
        evening.end(publisher);
        publisher = evening.publish();
        ids.push(evening.broadcast.clone());
    }
    ids.reverse();
    let page = |query: &str| evening.get(&format!("/api/v1/channels/ada/broadcasts{query}")).json();
    let first = page("?limit=2");
    let listed = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().expect("items");
        items.iter().filter_map(|item| item["streamId"].as_str().map(str::to_owned)).collect()
    };
    assert_eq!(listed(&first), ids[..2]);
    assert_eq!(
        (&first["items"][0]["endTime"], first["items"][1]["endTime"].is_null()),
        (&Value::Null, false)
    );
    let second = page(&format!("?limit=2&cursor={}", first["next"].as_str().expect("another page")));
    assert_eq!((listed(&second).as_slice(), second.get("next")), (&ids[2..], None));
    evening.get("/api/v1/channels/ada/broadcasts?cursor=%27").problem(400);
    let paths = [
        "/api/v1/channels/ada/broadcasts".to_owned(),
        format!("/api/v1/broadcasts/{}/analytics", ids[0]),
        format!("/api/v1/broadcasts/{}/analytics.csv", ids[0]),
        format!("/api/v1/broadcasts/{}/analytics.json", ids[0]),
        "/api/v1/instance/analytics".to_owned(),
    ];
    for path in &paths {
        Request::new("GET", path).send(evening.weir.http).problem(401);
    }
    let other = chat::account(&evening.weir, "bob");
    let as_other = |path: &str| {
        evening.weir.same_origin("GET", path).header("cookie", other.cookie.as_str()).send(evening.weir.http)
    };
    for path in &paths {
        as_other(path).problem(403);
    }
    let hide =
        evening.weir.same_origin("PATCH", "/api/v1/channels/ada").json(&json!({ "visibility": "PRIVATE" }));
    assert_eq!(hide.header("cookie", evening.login.cookie.as_str()).send(evening.weir.http).status, 200);
    for path in &paths[..4] {
        as_other(path).problem(404);
    }
    evening.get("/api/v1/broadcasts/01nothing/analytics").problem(404);
    evening.get("/api/v1/broadcasts/a%20b/analytics").problem(404);
    evening.get("/api/v1/channels/nobody/broadcasts").problem(404);
    let sums = evening.get("/api/v1/instance/analytics").json();
    assert_eq!((&sums["broadcasts"], &sums["totalViews"]), (&json!(3), &json!(0)));
}

#[test]
fn what_was_written_is_counted_with_the_broadcast_it_was_written_in() {
    let (evening, publisher) = Evening::begin();
    let guest = chat::guest(evening.weir.http, "Grace");
    let say = |by: By<'_>, text: &str| {
        let sent = chat::say(evening.weir.http, "ada", by, text);
        assert!((200..300).contains(&sent.status), "{}", sent.text());
    };
    say(By::Login(&evening.login), "one");
    say(By::Login(&evening.login), "two");
    say(By::Guest(&guest), "three");
    let figures = evening.end(publisher);
    say(By::Login(&evening.login), "after the end");
    assert_eq!((&figures["chatMessages"], &figures["chatters"]), (&json!(3), &json!(2)));
    let steps = figures["timeline"]["chatMessages"].as_array().expect("steps");
    assert_eq!(steps.iter().filter_map(Value::as_u64).sum::<u64>(), 3);
    assert!(figures["chatRate"].as_f64() > Some(0.0));
    let list = evening.get("/api/v1/channels/ada/broadcasts").json();
    assert_eq!(list["items"][0]["chatMessages"], 3);
}

#[test]
fn the_topic_tells_the_owner_every_five_seconds() {
    let (evening, _publisher) = Evening::begin();
    let _viewer = evening.come("", &[], 1);
    let mut stranger = Events::open(evening.weir.http);
    stranger.request("channel:stream_analytics:v1", "a1", Some("ada"));
    let failed = stranger.until("a refusal", SOON, |message| message["id"] == "a1");
    assert_eq!(failed["event"], "channel:stream_analytics:v1:failed");
    let mut owner = Events::open_as(evening.weir.http, &evening.login.cookie);
    owner.request("channel:stream_analytics:v1", "a2", Some("ada"));
    let told = |message: &Value| message["event"] == "channel:stream_analytics:v1:stream";
    let first = owner.until("figures", SOON, told);
    assert_eq!(first["payload"]["streamId"], evening.broadcast.as_str());
    assert_eq!(first["payload"]["totalViews"], 1);
    assert_eq!(first["payload"]["retention"], json!([]));
    let second = owner.until("figures again", Duration::from_secs(15), told);
    assert!(second["payload"]["totalWatchTime"].as_f64() > first["payload"]["totalWatchTime"].as_f64());
    assert!(second["payload"]["timeline"]["viewers"].as_array().is_some_and(|steps| steps.len() <= 12));
}
