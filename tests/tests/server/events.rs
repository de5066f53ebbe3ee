//! The event socket's lifecycle: requested, started, stream, heartbeat, success or failed.

use crate::SOON;
use serde_json::{Value, json};
use std::time::Duration;
use weir_tests::{
    events::Events,
    eventually,
    peer::{Peer, Source},
    server::Weir,
};

#[test]
fn a_topic_goes_through_its_lifecycle() {
    let weir = Weir::start();
    let channel = weir.create_channel("ada");
    let mut events = Events::open(weir.http);
    events.request("channel:stream_state:v1", "s1", Some("ada"));
    let started = events.next(SOON).expect("an answer");
    assert_eq!(
        (&started["event"], &started["id"]),
        (&json!("channel:stream_state:v1:started"), &json!("s1"))
    );
    assert!(started["timestamp"].is_string());
    let offline = events.next(SOON).expect("the state");
    assert_eq!(offline["event"], "channel:stream_state:v1:stream");
    assert_eq!(
        (&offline["payload"]["state"], &offline["payload"]["channel"]),
        (&json!("offline"), &json!("ada"))
    );
    let publisher = Peer::publish(weir.http, "ada", &channel.key, Source::new(1));
    let live = events.until("live", SOON, |message| message["payload"]["state"] == "live");
    assert!(live["payload"]["streamId"].is_string() && live["payload"]["startTime"].is_string(), "{live}");
    // The first seconds' figures may be of a few packets.
    events.until("a measured rendition", Duration::from_secs(6), |message| {
        message["payload"]["renditions"].as_array().is_some_and(|renditions| {
            renditions.iter().any(|rendition| {
                rendition["codec"] == "VP8"
                    && rendition["size"]["height"] == 720
                    && rendition["bitrate"].as_u64() > Some(1000)
                    && rendition["frameRate"].as_f64().is_some_and(|rate| rate > 5.0 && rate < 40.0)
            })
        })
    });
    let viewer = Peer::watch(weir.http, "ada");
    events.until("one viewer", SOON, |message| message["payload"]["viewerCount"] == 1);
    viewer.leave();
    events.until("no viewer", SOON, |message| message["payload"]["viewerCount"] == 0);
    publisher.leave();
    events.until("the end", Duration::from_secs(3), |message| message["payload"]["state"] == "ended");
    events.send(&json!({ "event": "channel:stream_state:v1:cancelled", "id": "s1" }));
    events.until("success", SOON, |message| message["event"] == "channel:stream_state:v1:success");
}

#[test]
fn occurrences_are_told_in_order_and_resumed_after_a_lost_connection() {
    let weir = Weir::start();
    let channel = weir.create_channel("ada");
    let topic = "channel:stream_events:v1";
    let mut events = Events::open(weir.http);
    events.request(topic, "e1", Some("ada"));
    events.until("started", SOON, |message| message["event"] == format!("{topic}:started"));
    let publisher = Peer::publish(weir.http, "ada", &channel.key, Source::new(1));
    let started =
        events.until("StreamStarted", SOON, |message| message["payload"]["type"] == "StreamStarted");
    let cursor = started["cursor"].clone();
    assert!(cursor.is_number(), "{started}");
    assert!(
        started["payload"]["eventId"].is_string() && started["payload"]["streamId"].is_string(),
        "{started}"
    );
    drop(events);
    let viewer = Peer::watch(weir.http, "ada");
    viewer.more_video(5);
    viewer.leave();
    // It is heard of by its network, which is another way than the publisher's.
    eventually("no viewer", SOON, || (weir.state("ada")["viewerCount"] == 0).then_some(()));
    publisher.leave();
    weir.until_state("ada", "ended", Duration::from_secs(3));
    let mut events = Events::open(weir.http);
    events.send(&json!({ "event": format!("{topic}:requested"), "id": "e2", "payload": { "channel": "ada" }, "after": cursor }));
    let answer = events.until("started", SOON, |message| message["event"] == format!("{topic}:started"));
    assert_eq!(answer["payload"]["complete"], true, "{answer}");
    for wanted in ["ViewerJoined", "ViewerLeft", "StreamEnded"] {
        let message = events.next(SOON).expect("what was missed");
        assert_eq!(message["payload"]["type"], wanted, "{message}");
        assert!(message["cursor"].as_u64() > cursor.as_u64());
    }
}

#[test]
fn the_older_name_of_a_channel_is_understood() {
    let weir = Weir::start();
    weir.create_channel("ada");
    let mut events = Events::open(weir.http);
    events.request("campaign:stream_state:v1", "s1", Some("ada"));
    events.until("the state", SOON, |message| message["payload"]["state"] == "offline");
}

#[test]
fn what_cannot_be_had_fails_in_words() {
    let weir = Weir::start();
    weir.set_up("ada");
    let mut events = Events::open(weir.http);
    for (topic, channel) in [
        ("channel:stream_state:v1", Some("nobody")),
        ("channel:stream_state:v1", None),
        // Only the owner sees what arrives from the publisher.
        ("media:stream_webrtc:v1", Some("ada")),
    ] {
        events.request(topic, "x1", channel);
        let failed = events.until("failed", SOON, |message| message["event"] == format!("{topic}:failed"));
        assert!(failed["payload"]["detail"].as_str().is_some_and(|detail| detail.contains(' ')), "{failed}");
        assert!(failed["payload"]["type"].is_string(), "{failed}");
    }
}

#[test]
fn the_owner_sees_what_arrives_every_two_seconds() {
    let weir = Weir::start();
    let login = weir.set_up("ada");
    let response = weir
        .same_origin("POST", "/api/v1/channels/ada/stream-key")
        .header("cookie", login.cookie.as_str())
        .json(&json!({}))
        .send(weir.http);
    let key = response.json()["streamKey"].as_str().expect("a key").to_owned();
    let publisher =
        Peer::publish(weir.http, "ada", &key, Source { keyframe_every: Some(30), ..Source::new(1) });
    weir.until_state("ada", "live", SOON);
    let mut events = Events::open_as(weir.http, &login.cookie);
    events.request("media:stream_webrtc:v1", "h1", Some("ada"));
    let health = events.until("health", Duration::from_secs(8), |message| {
        message["payload"]["bitrate"].as_u64() > Some(100_000)
            && message["payload"]["keyframeInterval"].is_number()
    });
    let health = &health["payload"];
    assert_eq!(health["session"].as_str(), publisher.session.rsplit('/').next(), "{health}");
    assert!((900..1200).contains(&health["keyframeInterval"].as_u64().unwrap_or_default()), "{health}");
    assert_eq!(health["loss"].as_f64(), Some(0.0), "{health}");
    let next =
        events.until("the next", Duration::from_secs(4), |message| message["payload"]["bitrate"].is_number());
    assert!(next["timestamp"].is_string());
}

#[test]
fn the_directory_lists_live_channels_first() {
    let weir = Weir::start();
    let ada = weir.create_channel("ada");
    weir.create_channel("bob");
    let mut events = Events::open(weir.http);
    events.request("instance:stream_directory:v1", "d1", None);
    events.until("both channels", SOON, |message| {
        message["payload"]["channels"].as_array().is_some_and(|channels| channels.len() == 2)
    });
    let _publisher = Peer::publish(weir.http, "ada", &ada.key, Source::new(1));
    events.until("ada live and first", SOON, |message| {
        let first = &message["payload"]["channels"][0];
        first["channel"]["name"] == "ada" && first["state"]["state"] == "live"
    });
}

#[test]
fn a_room_tells_who_comes_and_goes_and_resumes() {
    let weir = Weir::start();
    let login = weir.set_up("ada");
    let channel = weir.create_channel("other");
    let mut events = Events::open(weir.http);
    events.request("media:stream_rooms:v1", "r", Some("other"));
    let started = events.until("started", SOON, |message| message["id"] == "r");
    assert_eq!(started["event"], "media:stream_rooms:v1:started");
    let mut next = |what: &str, action: &str, count: u64, state: &str| {
        let message = events.until(what, SOON, |message| message["event"] == "media:stream_rooms:v1:stream");
        let update = &message["payload"];
        assert_eq!(
            (&update["action"], &update["peerCount"], &update["state"]),
            (&json!(action), &json!(count), &json!(state)),
            "{what}: {message:#}"
        );
        message
    };
    let publisher = Peer::publish(weir.http, "other", &channel.key, Source::new(1));
    let began = next("the start", "state_changed", 1, "live");
    let stream = began["payload"]["streamId"].as_str().expect("an id").to_owned();
    assert_eq!(began["payload"]["roomKey"], format!("other:{stream}"));
    next("the publisher", "peer_joined", 1, "live");
    let viewer = Peer::watch(weir.http, "other");
    viewer.more_video(1);
    let joined = next("a viewer", "peer_joined", 2, "live");
    assert_eq!(viewer.leave().status, 200);
    let left = next("its goodbye", "peer_left", 1, "live");
    assert_eq!(publisher.leave().status, 200);
    next("the end", "state_changed", 0, "ended");

    // Somebody who comes back gets exactly what was missed.
    let mut again = Events::open(weir.http);
    let request = json!({
        "event": "media:stream_rooms:v1:requested", "id": "b", "payload": { "channel": "other" }, "after": joined["cursor"],
    });
    again.send(&request);
    let started = again.until("started", SOON, |message| message["id"] == "b");
    assert_eq!(started["payload"]["complete"], true);
    let missed =
        again.until("what was missed", SOON, |message| message["event"] == "media:stream_rooms:v1:stream");
    assert_eq!((&missed["cursor"], &missed["payload"]), (&left["cursor"], &left["payload"]));
    drop(login);
}

#[test]
fn the_owner_sees_who_is_there_and_no_session_s_name() {
    let weir = Weir::start();
    let login = weir.set_up("ada");
    let key =
        weir.same_origin("POST", "/api/v1/channels/ada/stream-key").header("cookie", login.cookie.as_str());
    let key = key.json(&json!({})).send(weir.http).json()["streamKey"].as_str().expect("a key").to_owned();
    let publisher = Peer::publish(weir.http, "ada", &key, Source::new(1));
    weir.until_state("ada", "live", SOON);
    let viewer = Peer::watch(weir.http, "ada");
    viewer.more_video(3);
    let mut stranger = Events::open(weir.http);
    stranger.request("media:stream_peers:v1", "p", Some("ada"));
    let refused = stranger.until("an answer", SOON, |message| message["id"] == "p");
    assert_eq!(refused["event"], "media:stream_peers:v1:failed");
    let mut events = Events::open_as(weir.http, &login.cookie);
    events.request("media:stream_peers:v1", "p", Some("ada"));
    let both = |message: &Value| message["payload"]["peers"].as_array().is_some_and(|peers| peers.len() == 2);
    let message = events.until("both", SOON, both);
    let peers = &message["payload"]["peers"];
    assert_eq!((&peers[0]["role"], &peers[1]["role"]), (&json!("publisher"), &json!("viewer")));
    assert_eq!((&peers[1]["rendition"], &peers[1]["codec"]), (&json!("source"), &json!("VP8")));
    assert_eq!(message["payload"]["peerCount"], 2);
    assert!(peers[0]["connectedAt"].is_string() && peers[1]["connectedAt"].is_string());
    let text = message.to_string();
    for session in [&publisher.session, &viewer.session] {
        let secret = session.rsplit('/').next().expect("a name");
        assert!(!text.contains(secret), "a session's name is told");
    }
    let again = events.until("the next one", SOON, both);
    assert_eq!(again["payload"]["peers"][1]["peer"], peers[1]["peer"], "a peer keeps its name");
}
