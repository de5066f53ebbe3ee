//! The ladder's switch and its state, as a channel's owner uses them, and what becomes of its process. What it makes is tested
//! with real browsers.

use crate::SOON;
use serde_json::{Value, json};
use std::{fs, path::Path, time::Duration};
use weir_tests::{
    eventually,
    http::{Request, Response},
    peer::{Arrived, Peer, Sound, Source},
    server::{Login, Weir, signal},
};

/// A child that hangs is noticed after 1.5 s, or after 6 s on a machine that is busy, and the third follows a second later.
const CHILDREN_WITHIN: Duration = Duration::from_secs(30);

/// The transcoding processes of a server.
fn children(weir: &Weir) -> Vec<u32> {
    let of_weir = |pid: &u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)?.parse().ok());
        parent == Some(weir.pid()) && command.windows(8).any(|word| word == b"--memory")
    };
    let entries = fs::read_dir("/proc").expect("processes");
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).filter(of_weir).collect()
}

#[track_caller]
fn another(weir: &Weir, than: &[u32]) -> u32 {
    eventually("a transcoding process", CHILDREN_WITHIN, || {
        children(weir).into_iter().find(|pid| !than.contains(pid))
    })
}

#[test]
fn a_child_that_dies_or_hangs_takes_nothing_with_it() {
    let mut weir = Weir::start();
    let channel = weir.create_channel("ada");
    // Its pictures are none to a decoder: a child that does its best, and needs a keyframe again and again.
    let _publisher = Peer::publish(weir.http, "ada", &channel.key, Source::new(1));
    weir.until_state("ada", "live", SOON);
    let viewer = Peer::watch(weir.http, "ada");
    viewer.more_video(30);
    eventually("rungs", SOON * 4, || {
        let renditions = weir.state("ada")["renditions"].as_array()?.clone();
        renditions.iter().any(|rendition| rendition["name"] == "180p").then_some(())
    });
    chooses(&weir, &viewer, r#"{"rendition":"180p"}"#);
    let first = another(&weir, &[]);
    viewer.more_video(30);
    signal(first, "KILL");
    viewer.more_video(30);
    let second = another(&weir, &[first]);
    signal(second, "STOP");
    viewer.more_video(60);
    let third = another(&weir, &[first, second]);
    eventually("the end of the one that hung", SOON, || {
        (!Path::new(&format!("/proc/{second}")).exists()).then_some(())
    });
    viewer.more_video(30);
    let metrics = Request::new("GET", "/metrics").send(weir.http).text();
    for line in [
        r#"weir_ladder_children_ended_total{reason="killed"} 1"#,
        r#"weir_ladder_children_ended_total{reason="hung"} 1"#,
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
    assert_eq!(weir.state("ada")["viewerCount"], 1, "it is still the same view");
    weir.assert_healthy();
    // What the server had to leave behind doesn't outlive it.
    weir.crash();
    eventually("the end of its child", SOON, || {
        (!Path::new(&format!("/proc/{third}")).exists()).then_some(())
    });
}

fn chooses(weir: &Weir, viewer: &Peer, wish: &str) {
    let path = format!("{}/rendition", viewer.session);
    assert_eq!(Request::new("PUT", &path).body("application/json", wish).send(weir.http).status, 204);
}

/// Waits until a viewer hears this rendition of the sound.
#[track_caller]
fn hears(weir: &Weir, viewer: &Peer, sound: &str) {
    eventually(&format!("the sound of {sound}"), SOON * 3, || {
        let playing = Request::new("GET", &format!("{}/rendition", viewer.session)).send(weir.http).json();
        (playing["sound"] == sound).then_some(())
    });
}

/// The sound that a viewer got, from the packet at this place on.
fn heard(viewer: &Peer, from: usize) -> Vec<Arrived> {
    viewer.seen().packets.iter().filter(|packet| !packet.video).skip(from).cloned().collect()
}

#[test]
fn sound_alone_is_small_and_nothing_of_it_is_missing() {
    let mut weir = Weir::start();
    let channel = weir.create_channel("ada");
    let tone = Source { sound: Sound::Tone(0.5), keyframe_every: Some(30), ..Source::new(1) };
    let _publisher = Peer::publish(weir.http, "ada", &channel.key, tone);
    weir.until_state("ada", "live", SOON);
    let viewer = Peer::watch(weir.http, "ada");
    let other = Peer::watch(weir.http, "ada");
    viewer.more_video(30);
    hears(&weir, &viewer, "source");
    eventually("the low sound is offered", SOON, || {
        let renditions = weir.state("ada")["renditions"].as_array()?.clone();
        renditions.iter().any(|one| one["name"] == "mono" && one["codec"] == "Opus").then_some(())
    });
    chooses(&weir, &viewer, r#"{"audioOnly":true}"#);
    hears(&weir, &viewer, "mono");
    let before = heard(&viewer, 0).len();
    viewer.until("two seconds of it", SOON, |seen| {
        (seen.packets.iter().filter(|packet| !packet.video).count() >= before + 100).then_some(())
    });
    let low = heard(&viewer, before);
    let bytes: usize = low.iter().map(|packet| packet.payload.len()).sum();
    assert!((1_000..9_000).contains(&(bytes * 100 / low.len())), "{bytes} bytes of {} packets", low.len());
    for packet in &low {
        let channels = opus::packet::get_nb_channels(&packet.payload).expect("a packet of Opus");
        assert_eq!(channels, opus::Channels::Mono);
    }
    assert_eq!(children(&weir).len(), 1);
    chooses(&weir, &viewer, "{}");
    hears(&weir, &viewer, "source");
    viewer.more_video(30);
    let all = heard(&viewer, 0);
    for pair in all.windows(2) {
        assert_eq!(pair[1].sequence, pair[0].sequence + 1);
        let step = pair[1].time.wrapping_sub(pair[0].time);
        assert!((1..48_000).contains(&step), "{step} ticks from one packet to the next");
    }
    hears(&weir, &other, "source");
    weir.assert_healthy();
}

#[test]
fn a_publisher_without_keyframes_is_told_that_they_are_missing() {
    let mut weir = Weir::start();
    let channel = weir.create_channel("ada");
    let login = weir.set_up("ada");
    // What seems to be keyframes are none to a decoder.
    let _publisher = Peer::publish(weir.http, "ada", &channel.key, Source::new(1));
    weir.until_state("ada", "live", SOON);
    let viewer = Peer::watch(weir.http, "ada");
    viewer.more_video(30);
    eventually("a rung", SOON * 4, || {
        let renditions = weir.state("ada")["renditions"].as_array()?.clone();
        renditions.iter().any(|rendition| rendition["name"] == "180p").then_some(())
    });
    chooses(&weir, &viewer, r#"{"rendition":"180p"}"#);
    eventually("a word of keyframes", SOON * 2, || {
        let state = asked(&weir, &login, "GET", None).json();
        state["note"].as_str()?.contains("sends no keyframe").then_some(())
    });
    // It is the source that everybody goes on with.
    viewer.more_video(60);
    weir.assert_healthy();
}

#[test]
fn an_owner_of_the_server_who_wants_none_has_none() {
    let weir = Weir::start_with(&[("WEIR_LADDER_ENABLED", "false")]);
    let login = weir.set_up("ada");
    let channel = weir.create_channel("bob");
    let _publisher = Peer::publish(weir.http, "bob", &channel.key, Source::new(1));
    weir.until_state("bob", "live", SOON);
    let viewer = Peer::watch(weir.http, "bob");
    viewer.more_video(60);
    let renditions = weir.state("bob")["renditions"].clone();
    assert!(
        renditions.as_array().is_some_and(|all| all.iter().all(|one| one["codec"] != "AV1")),
        "{renditions}"
    );
    assert!(children(&weir).is_empty());
    assert_eq!(asked(&weir, &login, "GET", None).status, 200);
}

fn asked(weir: &Weir, login: &Login, method: &str, body: Option<&Value>) -> Response {
    let request =
        weir.same_origin(method, "/api/v1/channels/ada/ladder").header("cookie", login.cookie.as_str());
    match body {
        Some(body) => request.json(body).send(weir.http),
        None => request.send(weir.http),
    }
}

#[test]
fn the_owner_turns_it_off_for_good() {
    let mut weir = Weir::start();
    let login = weir.set_up("ada");
    let state = asked(&weir, &login, "GET", None).json();
    assert_eq!(state, json!({"enabled": true, "rungs": []}), "nothing is live");
    let off = asked(&weir, &login, "PUT", Some(&json!({"enabled": false})));
    assert_eq!(off.json()["enabled"], false);
    assert_eq!(asked(&weir, &login, "PUT", Some(&json!({"enabled": 1}))).status, 422);
    weir.crash();
    weir.start_again();
    assert_eq!(asked(&weir, &login, "GET", None).json()["enabled"], false, "also after a restart");
}

#[test]
fn nobody_else_sees_or_sets_it() {
    let weir = Weir::start();
    weir.set_up("ada");
    for method in ["GET", "PUT"] {
        let request = weir.same_origin(method, "/api/v1/channels/ada/ladder");
        assert_eq!(request.json(&json!({"enabled": false})).send(weir.http).status, 401);
    }
}
