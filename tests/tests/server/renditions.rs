//! What a viewer gets of a picture that is published in several sizes: what fits, what it asks for, and the sound always.

use crate::SOON;
use std::time::{Duration, Instant};
use str0m::{format::Codec, media::Direction};
use weir_tests::{
    eventually,
    http::Request,
    peer::{Arrived, Offering, Peer, Seen, post_whep},
    relay::{Conditions, Relay, Way},
    server::Weir,
    simulcast::{self, CAMERA, Encoding, Publisher},
    vp8,
};

/// Which of the encodings a packet is of, as it says by itself.
const F: u32 = 0;
const H: u32 = 1;
const Q: u32 = 2;

/// Longer than the promised times by what a busy machine may take; what it took is printed.
const DOWN_WITHIN: Duration = Duration::from_secs(10);
const UP_WITHIN: Duration = Duration::from_secs(40);

fn live() -> (Weir, Publisher) {
    let weir = Weir::start();
    let channel = weir.create_channel("ada");
    let publisher = Publisher::start(weir.http, "ada", &channel.key, CAMERA);
    weir.until_state("ada", "live", SOON);
    eventually("three renditions with their sizes", SOON, || {
        let renditions = weir.state("ada")["renditions"].as_array()?.clone();
        let video: Vec<_> = renditions.iter().filter(|rendition| rendition["codec"] == "VP8").collect();
        let named = ["f", "h", "q"].iter().all(|name| {
            video.iter().any(|rendition| rendition["name"] == *name && rendition["size"]["width"].is_u64())
        });
        (video.len() == 3 && named).then_some(())
    });
    (weir, publisher)
}

fn choose(weir: &Weir, viewer: &Peer, wish: &str) {
    let path = format!("{}/rendition", viewer.session);
    let response = Request::new("PUT", &path).body("application/json", wish).send(weir.http);
    assert_eq!(response.status, 204, "{}", response.text());
}

fn playing(weir: &Weir, viewer: &Peer) -> serde_json::Value {
    let response = Request::new("GET", &format!("{}/rendition", viewer.session)).send(weir.http);
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(response.header("cache-control"), Some("no-store"));
    serde_json::from_slice(&response.body).expect("JSON")
}

/// Whether the last picture that arrived is of `encoding`.
fn shows(seen: &Seen, encoding: u32) -> Option<()> {
    let last = seen.packets.iter().rev().find(|packet| packet.video)?;
    (vp8::parse(&last.payload)?.label.source == encoding).then_some(())
}

/// What a packet of a picture says of itself, whatever its codec: its encoding, its frame, and whether a keyframe begins.
fn shown(packet: &Arrived) -> (u32, u32, bool) {
    if let Some((frame, starts)) = simulcast::parse_av1(&packet.payload) {
        return (F, frame, starts);
    }
    let label = packet.parsed().label;
    (label.source, label.frame, label.key && label.part == 0)
}

/// Asserts that each switch began with a keyframe, and that time and sequence went on over it by just what passed; gives
/// how many there were.
#[track_caller]
fn assert_unbroken(seen: &Seen) -> usize {
    /// Some frames: what is captured is timed by when it came until the publisher's first report.
    const OFF: f64 = 0.1;
    let mut packets: Vec<_> = seen.video().collect();
    packets.sort_by_key(|packet| packet.sequence);
    let mut switches = 0;
    for pair in packets.windows(2) {
        let (before, after) = (shown(pair[0]), shown(pair[1]));
        // Where the network lost something, what came before is not known.
        if before.0 != after.0 && pair[1].sequence == pair[0].sequence + 1 {
            switches += 1;
            assert!(after.2, "{before:?} then {after:?}");
            let ticks = pair[1].time.wrapping_sub(pair[0].time).cast_signed();
            let step = f64::from(ticks) / 90_000.0;
            // An earlier frame is from the cache, and is timed as if it were of now.
            let passed = match after.1.checked_sub(before.1) {
                Some(frames) => f64::from(frames) / 30.0,
                None => pair[1].at.saturating_duration_since(pair[0].at).as_secs_f64(),
            };
            assert!(
                ticks > 0 && (step - passed).abs() < OFF,
                "time went on by {step} s instead of {passed} from {before:?} to {after:?}"
            );
        }
    }
    switches
}

#[test]
fn each_encoding_is_a_rendition_and_the_best_is_played() {
    let (weir, publisher) = live();
    assert!(publisher.answer.contains("a=simulcast:recv f;h;q"), "{}", publisher.answer);
    let viewer = Peer::watch(weir.http, "ada");
    viewer.until("the largest", SOON, |seen| shows(seen, F));
    let told = playing(&weir, &viewer);
    assert_eq!((told["rendition"].as_str(), told["reason"].as_str()), (Some("f"), Some("best")), "{told}");
    eventually("an estimate", SOON, || playing(&weir, &viewer)["estimate"].as_u64());
}

#[test]
fn what_a_person_chooses_is_played_and_said_so() {
    let (weir, _publisher) = live();
    let viewer = Peer::watch(weir.http, "ada");
    viewer.until("the largest", SOON, |seen| shows(seen, F));
    choose(&weir, &viewer, r#"{"rendition":"q"}"#);
    viewer.until("the smallest", SOON, |seen| shows(seen, Q));
    let told = playing(&weir, &viewer);
    assert_eq!((told["rendition"].as_str(), told["reason"].as_str()), (Some("q"), Some("chosen")), "{told}");
    choose(&weir, &viewer, r#"{"audioOnly":true}"#);
    eventually("sound alone", SOON, || {
        let told = playing(&weir, &viewer);
        (told["reason"] == "audioOnly" && told["rendition"].is_null()).then_some(())
    });
    let pictures = viewer.seen().video().count();
    let sounds = viewer.seen().packets.len() - pictures;
    viewer.until("more sound", SOON, |seen| {
        (seen.packets.len() - seen.video().count() > sounds + 50).then_some(())
    });
    assert!(viewer.seen().video().count() <= pictures + 20, "pictures go on");
    choose(&weir, &viewer, r#"{"size":{"width":640,"height":360}}"#);
    viewer.until("the one that fits the player", SOON, |seen| shows(seen, H));
    eventually("the reason", SOON, || (playing(&weir, &viewer)["reason"] == "playerSize").then_some(()));
    choose(&weir, &viewer, r#"{"hidden":true}"#);
    viewer.until("the smallest", SOON, |seen| shows(seen, Q));
    // What can't be is as if nothing had been said.
    let longest = "x".repeat(4000);
    choose(&weir, &viewer, &format!(r#"{{"rendition":"{longest}","size":{{"width":0,"height":65535}}}}"#));
    viewer.until("the largest", SOON * 2, |seen| shows(seen, F));
    assert!(assert_unbroken(&viewer.seen()) >= 4, "to q, to h, to q and to f");
}

#[test]
fn hostile_wishes_are_refused_in_words() {
    let (weir, _publisher) = live();
    let viewer = Peer::watch(weir.http, "ada");
    viewer.connected();
    let path = format!("{}/rendition", viewer.session);
    for wish in [
        r#"{"size":{"width":-1,"height":5}}"#,
        r#"{"size":{"width":65536,"height":5}}"#,
        r#"{"size":{"width":1e99,"height":5}}"#,
        r#"{"size":7}"#,
        r#"{"rendition":7}"#,
        r#"{"hidden":"yes"}"#,
        r#"{"unknown":true}"#,
        "[]",
        "",
    ] {
        let response = Request::new("PUT", &path).body("application/json", wish).send(weir.http);
        assert!((400..=422).contains(&response.status), "{wish}: {}", response.status);
        response.problem(response.status);
    }
    Request::new("GET", "/whep/ada/nobody/rendition").send(weir.http).problem(404);
    let options = Request::new("OPTIONS", &path).header("origin", "https://else.example").send(weir.http);
    assert_eq!((options.status, options.header("allow")), (204, Some("OPTIONS, GET, PUT")));
    assert!(options.header("access-control-allow-methods").is_some_and(|methods| methods.contains("PUT")));
    assert_eq!(Request::new("POST", &path).body("application/json", "{}").send(weir.http).status, 405);
}

#[test]
fn who_lacks_a_codec_gets_what_it_decodes_while_others_have_the_best() {
    let weir = Weir::start();
    let channel = weir.create_channel("ada");
    let [best, half, quarter] = CAMERA;
    let encodings = [Encoding { codec: Codec::Av1, ..best }, half, quarter];
    let publisher = Publisher::start(weir.http, "ada", &channel.key, encodings);
    weir.until_state("ada", "live", SOON);
    eventually("AV1 and VP8, measured", SOON, || {
        let renditions = weir.state("ada")["renditions"].as_array()?.clone();
        let has = |codec: &str, width: u64| {
            renditions.iter().any(|one| one["codec"] == codec && one["size"]["width"].as_u64() == Some(width))
        };
        (has("AV1", 1280) && has("VP8", 640) && has("VP8", 320)).then_some(())
    });
    let is_av1 = |seen: &Seen| {
        let last = seen.packets.iter().rev().find(|packet| packet.video)?;
        simulcast::parse_av1(&last.payload).map(drop)
    };
    let all = Peer::watch(weir.http, "ada");
    let offering = Offering::new(Direction::RecvOnly, &[Codec::Vp8]);
    let response = post_whep(weir.http, "ada", &offering.sdp);
    let without = offering.start(weir.http, &response, None, None);
    all.until("AV1", SOON, is_av1);
    without.until("VP8", SOON, |seen| shows(seen, H));
    assert_eq!(playing(&weir, &all)["rendition"], "f");
    let told = playing(&weir, &without);
    assert_eq!((told["rendition"].as_str(), told["reason"].as_str()), (Some("h"), Some("best")), "{told}");
    // One line carries both codecs, for whom has both.
    choose(&weir, &all, r#"{"rendition":"h"}"#);
    all.until("VP8 in its place", SOON, |seen| shows(seen, H));
    choose(&weir, &all, "{}");
    all.until("AV1 again", SOON * 2, is_av1);
    choose(&weir, &without, r#"{"rendition":"f"}"#);
    without.more_video(60);
    without.until("VP8 still", SOON, |seen| shows(seen, H));
    assert!(assert_unbroken(&all.seen()) >= 2, "to the other codec and back");
    assert_unbroken(&without.seen());
    drop(publisher);
}

#[test]
fn an_encoding_that_is_paused_is_left_for_the_next_and_taken_again() {
    let (weir, publisher) = live();
    let viewer = Peer::watch(weir.http, "ada");
    viewer.until("the largest", SOON, |seen| shows(seen, F));
    publisher.fares().paused[0] = true;
    viewer.until("the next", SOON * 2, |seen| shows(seen, H));
    publisher.fares().paused[0] = false;
    viewer.until("the largest again", SOON * 4, |seen| shows(seen, F));
    assert!(assert_unbroken(&viewer.seen()) >= 2, "down and up");
}

#[test]
fn a_viewer_that_is_squeezed_gets_less_and_when_released_more_and_the_sound_never_stops() {
    let (weir, publisher) = live();
    let relay = Relay::start(7);
    let offering = Offering::to_receive();
    let mut response = post_whep(weir.http, "ada", &offering.sdp);
    response.body = relay.through(&response.text()).into_bytes();
    let viewer = offering.start(weir.http, &response, None, None);
    let beside = Peer::watch(weir.http, "ada");
    viewer.until("the largest", SOON, |seen| shows(seen, F));
    // Some seconds in which the controller finds out what there is.
    let sounds = |seen: &Seen| seen.packets.iter().filter(|packet| !packet.video).count();
    viewer.until("five seconds of sound", SOON * 3, |seen| (sounds(seen) > 250).then_some(()));
    assert!(shows(&viewer.seen(), F).is_some(), "{}", playing(&weir, &viewer));

    relay.set(Way::Down, Conditions { rate: Some(700_000), ..Conditions::default() });
    let squeezed = Instant::now();
    viewer.until("less", DOWN_WITHIN, |seen| {
        let last = seen.packets.iter().rev().find(|packet| packet.video)?;
        (last.parsed().label.source != F).then_some(())
    });
    eprintln!("squeezed: a smaller one after {:?}", squeezed.elapsed());
    let told = playing(&weir, &viewer);
    assert_eq!(told["reason"], "network", "{told}");
    // It stays at what fits, with its sound whole but for what was in the queue when it happened.
    let before = sounds(&viewer.seen());
    viewer.until("ten seconds of sound", SOON * 4, |seen| (sounds(seen) > before + 450).then_some(()));
    assert!(shows(&viewer.seen(), F).is_none());

    relay.set(Way::Down, Conditions::default());
    let released = Instant::now();
    viewer.until("the largest again", UP_WITHIN, |seen| shows(seen, F));
    eprintln!("released: the largest again after {:?}", released.elapsed());
    assert_unbroken(&viewer.seen());
    // Whoever watches beside is not touched.
    assert!(beside.seen().video().all(|packet| packet.parsed().label.source == F));
    let asked = publisher.fares().asked;
    assert!(asked.iter().sum::<usize>() < 20, "the publisher was asked {asked:?} times");
}
