//! WHEP, as any player uses it.

use crate::SOON;
use std::time::Duration;
use str0m::{format::Codec, media::Direction};
use weir_tests::{
    http::Request,
    peer::{FRAGMENT, Offering, Peer, SDP, Source, post_whep},
    server::{NewChannel, Weir},
};

fn live() -> (Weir, NewChannel, Peer) {
    let weir = Weir::start();
    let channel = weir.create_channel("ada");
    let publisher = Peer::publish(weir.http, "ada", &channel.key, Source::new(1));
    weir.until_state("ada", "live", SOON);
    (weir, channel, publisher)
}

#[test]
fn an_offer_is_answered_with_one_picture_and_one_sound() {
    let (weir, _, _publisher) = live();
    let offer = Offering::to_receive();
    let response = post_whep(weir.http, "ada", &offer.sdp);
    assert_eq!(response.status, 201, "{}", response.text());
    assert_eq!(response.header("content-type"), Some(SDP));
    assert!(response.header("location").expect("a Location").contains("/whep/ada/"));
    assert!(response.header("etag").is_some());
    assert_eq!(response.header("accept-patch"), Some(FRAGMENT));
    let answer = response.text();
    assert_eq!(
        (answer.matches("\nm=audio").count(), answer.matches("\nm=video").count()),
        (1, 1),
        "{answer}"
    );
    assert_eq!(answer.matches("a=sendonly").count(), 2, "{answer}");
    assert!(answer.contains("a=ice-lite") && answer.contains(" typ host"), "{answer}");
    let viewer = offer.start(weir.http, &response, None, None);
    viewer.more_video(10);
    viewer.until("sound", SOON, |seen| seen.packets.iter().any(|packet| !packet.video).then_some(()));
}

#[test]
fn a_channel_that_is_not_live_says_when_to_ask_again() {
    let weir = Weir::start();
    weir.create_channel("ada");
    let offer = Offering::to_receive().sdp;
    let response = post_whep(weir.http, "ada", &offer);
    response.problem(409);
    let seconds: u64 = response.header("retry-after").expect("Retry-After").parse().expect("seconds");
    assert!((1..=60).contains(&seconds), "{seconds}");
    post_whep(weir.http, "nobody", &offer).problem(404);
}

#[test]
fn a_browser_without_the_codec_is_told() {
    let (weir, _, _publisher) = live();
    weir_tests::eventually("the codec to be known", SOON, || {
        let state = weir.state("ada");
        state["renditions"].as_array()?.iter().any(|rendition| rendition["codec"] == "VP8").then_some(())
    });
    let offer = Offering::new(Direction::RecvOnly, &[Codec::H264]).sdp;
    let problem = post_whep(weir.http, "ada", &offer).problem(406);
    assert!(problem.detail.contains("VP8"), "says which codec it would take: {problem:?}");
}

#[test]
fn wrong_requests_are_refused_in_words() {
    let (weir, _, _publisher) = live();
    let offer = Offering::to_receive().sdp;
    Request::new("POST", "/whep/ada").body("application/json", offer.as_str()).send(weir.http).problem(415);
    Request::new("POST", "/whep/ada").body(SDP, "a=x\r\n".repeat(1_000_000)).send(weir.http).problem(413);
    Request::new("DELETE", "/whep/ada/not-a-session").send(weir.http).problem(404);
    let patch = Request::new("PATCH", "/whep/ada/not-a-session").header("if-match", "*");
    patch.body(FRAGMENT, "a=ice-ufrag:aaaa\r\n").send(weir.http).problem(404);
    let sending = Offering::to_send().sdp;
    let response = post_whep(weir.http, "ada", &sending);
    assert!((400..500).contains(&response.status), "{}", response.text());
    for method in ["GET", "HEAD", "PUT"] {
        let response = Request::new(method, "/whep/ada").header("accept", "text/html").send(weir.http);
        assert_eq!(response.status, 405, "{method}");
    }
}

#[test]
fn a_player_on_another_page_may_watch() {
    let (weir, _, _publisher) = live();
    let response = Request::new("OPTIONS", "/whep/ada")
        .header("origin", "https://elsewhere.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type")
        .send(weir.http);
    assert!(matches!(response.status, 200 | 204), "{}", response.status);
    assert!(response.header("access-control-allow-origin").is_some());
    assert_eq!(response.header("accept-post"), Some(SDP));
    let response = Request::new("POST", "/whep/ada")
        .header("origin", "https://elsewhere.example")
        .body(SDP, Offering::to_receive().sdp)
        .send(weir.http);
    assert_eq!(response.status, 201);
    let exposed = response.header("access-control-expose-headers").expect("exposed headers").to_lowercase();
    assert!(exposed.contains("location") && exposed.contains("etag"), "{exposed}");
}

#[test]
fn a_viewer_counts_while_it_watches() {
    let (weir, _, _publisher) = live();
    let viewers = |count: u64| {
        weir_tests::eventually(&format!("{count} viewers"), SOON, || {
            (weir.state("ada")["viewerCount"] == count).then_some(())
        });
    };
    viewers(0);
    let one = Peer::watch(weir.http, "ada");
    one.more_video(5);
    viewers(1);
    let two = Peer::watch(weir.http, "ada");
    two.more_video(5);
    viewers(2);
    assert_eq!(one.leave().status, 200);
    viewers(1);
    // Without a goodbye it takes until the silence is noticed.
    two.vanish();
    weir_tests::eventually("nobody watches", Duration::from_secs(40), || {
        (weir.state("ada")["viewerCount"] == 0).then_some(())
    });
}

#[test]
fn a_viewer_whose_network_changes_restarts_ice_and_keeps_its_place() {
    let (weir, _, _publisher) = live();
    let mut viewer = Peer::watch(weir.http, "ada");
    viewer.more_video(30);
    let before = viewer.etag.clone();
    viewer.restart_ice();
    assert_ne!(viewer.etag, before);
    viewer.more_video(120);
    let seen = viewer.seen();
    let ssrcs: std::collections::BTreeSet<_> = seen.video().map(|packet| packet.ssrc).collect();
    assert_eq!(ssrcs.len(), 1, "the same stream goes on");
    drop(seen);
    viewer
        .request("PATCH")
        .header("if-match", before)
        .body(FRAGMENT, "a=mid:0\r\n")
        .send(weir.http)
        .problem(412);
    viewer.request("PATCH").body(FRAGMENT, "a=mid:0\r\n").send(weir.http).problem(428);
}
