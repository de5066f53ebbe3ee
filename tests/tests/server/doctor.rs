//! What the publisher doctor finds in real media reaches the channel's owner, and goes when it is mended.

use serde_json::{Value, json};
use std::time::Duration;
use str0m::{format::Codec, media::Direction};
use weir_tests::{
    events::Events,
    http::Request,
    peer::{Offering, Peer, SDP, Sound, Source},
    relay::{Conditions, Relay, Way},
    server::Weir,
    vp8::Shape,
};

/// The longest that a finding waits before it is told is 10 s, and before it goes 6 s.
const PATIENCE: Duration = Duration::from_secs(30);
const OBS: &str = "Mozilla/5.0 (OBS-Studio/30.1.2; Linux x86_64; en-US)";

/// A server, its channel's key, and the owner's event socket with the publisher's health.
fn start() -> (Weir, String, Events) {
    let weir = Weir::start();
    let login = weir.set_up("ada");
    let cookie = login.cookie.as_str();
    let request = weir.same_origin("POST", "/api/v1/channels/ada/stream-key").header("cookie", cookie);
    let key =
        request.json(&json!({})).send(weir.http).json()["streamKey"].as_str().expect("a key").to_owned();
    let mut events = Events::open_as(weir.http, cookie);
    events.request("media:stream_webrtc:v1", "health", Some("ada"));
    (weir, key, events)
}

fn kinds(message: &Value) -> Option<Vec<&str>> {
    let findings = message["payload"]["findings"].as_array()?;
    Some(findings.iter().filter_map(|finding| finding["kind"].as_str()).collect())
}

/// Waits until what is found is just that; gives the findings.
#[track_caller]
fn found(events: &mut Events, expected: &[&str]) -> Vec<Value> {
    let fits = |message: &Value| {
        let is_live = message["payload"]["session"].is_string();
        is_live && kinds(message).is_some_and(|kinds| kinds == expected)
    };
    let message = events.until(&format!("found {expected:?}"), PATIENCE, fits);
    message["payload"]["findings"].as_array().expect("findings").clone()
}

/// Nothing is to be found in this.
fn well() -> Source {
    Source { keyframe_every: Some(30), answers_requests: false, sound: Sound::Tone(0.3), ..Source::new(1) }
}

/// OBS as it publishes, by way of `relay`.
fn publish_through(relay: &Relay, weir: &Weir, key: &str, source: Source, codec: Codec) -> Peer {
    let offering = Offering::new(Direction::SendOnly, &[codec]);
    let request = Request::new("POST", "/whip/ada").bearer(key).header("user-agent", OBS);
    let response = request.body(SDP, offering.sdp.as_str()).send(weir.http);
    offering.start_through(relay, weir.http, response, Some(key), Some(source))
}

#[test]
fn packets_that_get_lost_are_found_where_they_are_not_repaired_until_they_arrive_again() {
    let (weir, key, mut events) = start();
    let relay = Relay::start(5);
    // So much more picture, which is repaired, than sound, which isn't, that most of what is lost comes again.
    let source = Source { shape: Shape { key: 12, delta: 6, bytes: 900 }, ..well() };
    let _publisher = publish_through(&relay, &weir, &key, source, Codec::Vp8);
    found(&mut events, &[]);
    relay.set(Way::Up, Conditions { loss: 0.1, ..Conditions::default() });
    let findings = found(&mut events, &["loss"]);
    let text = |name: &str| findings[0][name].as_str().expect("a sentence");
    assert!(text("what").ends_with(" % of your packets get lost on the way here."), "{findings:?}");
    assert!(text("advice").contains("Bitrate"), "{findings:?}");
    assert!(relay.count(Way::Up).lost > 10, "nothing was lost");
    relay.set(Way::Up, Conditions::default());
    found(&mut events, &[]);
}

#[test]
fn a_publisher_that_sends_nothing_again_is_found() {
    let (weir, key, mut events) = start();
    let relay = Relay::start(6);
    let deaf = Source { repairs: false, ..well() };
    let publisher = publish_through(&relay, &weir, &key, deaf, Codec::Vp8);
    found(&mut events, &[]);
    relay.set(Way::Up, Conditions { loss: 0.1, ..Conditions::default() });
    let findings = found(&mut events, &["loss", "unansweredNacks"]);
    assert_eq!(findings[0]["severity"], "problem", "{findings:?}");
    let text = |name: &str| findings[1][name].as_str().expect("a sentence");
    assert!(text("what").ends_with(" % of the packets that got lost weren’t sent again."), "{findings:?}");
    assert!(text("advice").contains("simulcast"), "{findings:?}");
    relay.set(Way::Up, Conditions::default());
    found(&mut events, &[]);
    drop(publisher);
}

#[test]
fn b_frames_are_found_until_they_are_turned_off() {
    let (weir, key, mut events) = start();
    let relay = Relay::start(7);
    let source = Source { codec: Codec::H264, ..well() };
    let publisher = publish_through(&relay, &weir, &key, Source { b_frames: true, ..source }, Codec::H264);
    let findings = found(&mut events, &["bFrames"]);
    assert_eq!(findings[0]["severity"], "problem", "{findings:?}");
    let text = |name: &str| findings[0][name].as_str().expect("a sentence");
    assert!(text("what").contains(" % of your frames are B-frames"), "{findings:?}");
    assert!(text("advice").contains("B-frames: 0"), "{findings:?}");
    publisher.send(source);
    found(&mut events, &[]);
}

#[test]
fn keyframes_that_are_far_apart_and_silence_are_found_and_go_when_they_are_mended() {
    let (weir, key, mut events) = start();
    let good = Source {
        keyframe_every: Some(60),
        answers_requests: false,
        sound: Sound::Tone(0.3),
        ..Source::new(1)
    };
    let bad = Source { keyframe_every: Some(300), sound: Sound::Tone(0.0), ..good };
    let publisher = Peer::publish_as(weir.http, "ada", &key, bad, OBS);
    let findings = found(&mut events, &["keyframeInterval", "silence"]);
    let text = |at: usize, name: &str| findings[at][name].as_str().expect("a sentence");
    assert!(text(0, "what").starts_with("Your keyframes are "), "{findings:?}");
    assert!(text(0, "advice").contains("Keyframe Interval: 2 s"), "{findings:?}");
    assert!(text(1, "what").starts_with("Your sound has been silent for 1"), "{findings:?}");
    assert!(text(1, "advice").contains("Audio Mixer"), "{findings:?}");
    publisher.send(good);
    found(&mut events, &[]);
    publisher.send(Source { sound: Sound::Tone(8.0), ..good });
    let findings = found(&mut events, &["clipping"]);
    assert!(findings[0]["what"].as_str().expect("a sentence").contains(" %"), "{findings:?}");
    publisher.send(good);
    found(&mut events, &[]);
}

#[test]
fn sound_without_a_picture_is_found_until_the_picture_comes() {
    let (weir, key, mut events) = start();
    let sound = Source { picture: false, sound: Sound::Tone(0.3), ..Source::new(1) };
    let publisher = Peer::publish_as(weir.http, "ada", &key, sound, "Lavf/62.3.100");
    let findings = found(&mut events, &["audioWithoutVideo"]);
    assert_eq!(findings[0]["severity"], "warning");
    assert!(findings[0]["advice"].as_str().expect("a sentence").contains("FFmpeg"), "{findings:?}");
    publisher.send(Source { picture: true, keyframe_every: Some(60), ..sound });
    found(&mut events, &[]);
    publisher.send(sound);
    let findings = found(&mut events, &["audioWithoutVideo"]);
    assert_eq!(findings[0]["severity"], "problem", "a picture that stops is graver");
}
