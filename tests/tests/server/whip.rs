//! WHIP, RFC 9725, as any publisher uses it.

use crate::SOON;
use std::time::Duration;
use weir_tests::{
    http::Request,
    peer::{FRAGMENT, Offering, Peer, SDP, Source, post_whip},
    server::Weir,
};

#[test]
fn an_offer_is_answered_with_a_session() {
    let weir = Weir::start();
    let channel = weir.create_channel("ada");
    let offer = Offering::to_send();
    let response = post_whip(weir.http, "/whip/ada", &channel.key, &offer.sdp);
    assert_eq!(response.status, 201, "{}", response.text());
    assert_eq!(response.header("content-type"), Some(SDP));
    let location = response.header("location").expect("a Location");
    assert!(location.contains("/whip/ada/"), "{location}");
    let etag = response.header("etag").expect("an ETag");
    assert!(etag.starts_with('"') && etag.ends_with('"') && etag.len() > 2, "a strong entity tag: {etag}");
    assert_eq!(response.header("accept-patch"), Some(FRAGMENT));
    let answer = response.text();
    for line in ["a=ice-lite", "a=setup:passive", "a=recvonly", "a=rtcp-mux", "a=group:BUNDLE"] {
        assert!(answer.contains(line), "no {line} in:\n{answer}");
    }
    assert!(answer.contains("a=candidate:") && answer.contains(" typ host"), "{answer}");
    assert_eq!(answer.matches("\nm=").count(), 2, "{answer}");
    assert!(!format!("{:?}", response).contains(&channel.key), "the key is not repeated");
}

#[test]
fn the_key_alone_says_which_channel() {
    let weir = Weir::start();
    let channel = weir.create_channel("ada");
    weir.create_channel("bob");
    let offer = Offering::to_send();
    let response = post_whip(weir.http, "/whip", &channel.key, &offer.sdp);
    let peer = offer.start(weir.http, &response, Some(&channel.key), Some(Source::new(1)));
    assert!(peer.session.starts_with("/whip/ada/"), "{}", peer.session);
    weir.until_state("ada", "live", SOON);
    assert_eq!(weir.state("bob")["state"], "offline");
}

#[test]
fn who_has_no_key_is_told_how_to_bring_one() {
    let weir = Weir::start();
    let channel = weir.create_channel("ada");
    let other = weir.create_channel("bob");
    let offer = Offering::to_send().sdp;
    for path in ["/whip", "/whip/ada"] {
        let response = Request::new("POST", path).body(SDP, offer.as_str()).send(weir.http);
        response.problem(401);
        let challenge = response.header("www-authenticate").expect("a challenge").to_lowercase();
        assert!(challenge.starts_with("bearer"), "{challenge}");
    }
    let wrong = "x".repeat(43);
    for key in ["", "wrong", &wrong, &channel.key[1..], &format!("{}x", channel.key), "a\u{e9}b"] {
        for path in ["/whip", "/whip/ada"] {
            let response = post_whip(weir.http, path, key, &offer);
            assert!(matches!(response.status, 401 | 403), "{path} with {key:?}: {}", response.status);
            response.problem(response.status);
        }
    }
    let response = post_whip(weir.http, "/whip/ada", &other.key, &offer);
    assert!(matches!(response.status, 401 | 403), "another channel's key: {}", response.status);
    for scheme in ["Basic", "bearer", "BEARER"] {
        let request =
            Request::new("POST", "/whip/ada").header("authorization", format!("{scheme} {}", channel.key));
        let status = request.body(SDP, offer.as_str()).send(weir.http).status;
        // The scheme's name is case-insensitive (RFC 9110).
        assert_eq!(status, if scheme == "Basic" { 401 } else { 201 }, "{scheme}");
    }
    assert!(!weir.console().contains(&channel.key), "a key is in the log");
}

#[test]
fn an_unknown_channel_is_refused() {
    let weir = Weir::start();
    let channel = weir.create_channel("ada");
    let offer = Offering::to_send().sdp;
    // As with another channel's key: who has a key doesn't learn which channels there are.
    post_whip(weir.http, "/whip/nobody", &channel.key, &offer).problem(403);
    for name in ["UPPER%20CASE", "%00", "a", "..%2Fada", &"a".repeat(300)] {
        let response = post_whip(weir.http, &format!("/whip/{name}"), &channel.key, &offer);
        assert!((400..500).contains(&response.status), "{name}: {}", response.status);
    }
}

#[test]
fn only_sdp_is_taken() {
    let weir = Weir::start();
    let channel = weir.create_channel("ada");
    let offer = Offering::to_send().sdp;
    for kind in ["application/json", "text/plain", "application/sdpx", ""] {
        let request = Request::new("POST", "/whip/ada").bearer(&channel.key);
        request.body(kind, offer.as_str()).send(weir.http).problem(415);
    }
    let request = Request::new("POST", "/whip/ada").bearer(&channel.key);
    assert_eq!(request.body("Application/SDP; charset=utf-8", offer.as_str()).send(weir.http).status, 201);
}

#[test]
fn an_offer_to_play_is_no_offer_to_publish() {
    let weir = Weir::start();
    let channel = weir.create_channel("ada");
    let offer = Offering::to_receive().sdp;
    let response = post_whip(weir.http, "/whip/ada", &channel.key, &offer);
    assert!((400..500).contains(&response.status), "{}", response.text());
    response.problem(response.status);
}

#[test]
fn a_browser_on_another_origin_may_publish() {
    let weir = Weir::start();
    let channel = weir.create_channel("ada");
    for path in ["/whip", "/whip/ada", "/whip/ada/some-session"] {
        let response = Request::new("OPTIONS", path)
            .header("origin", "https://studio.example")
            .header("access-control-request-method", if path.ends_with("session") { "PATCH" } else { "POST" })
            .header("access-control-request-headers", "authorization, content-type, if-match")
            .send(weir.http);
        assert!(matches!(response.status, 200 | 204), "{path}: {}", response.status);
        assert!(matches!(
            response.header("access-control-allow-origin"),
            Some("*" | "https://studio.example")
        ));
        let allowed = response.header("access-control-allow-methods").expect("methods").to_uppercase();
        for method in if path.ends_with("session") { ["PATCH", "DELETE"] } else { ["POST", "OPTIONS"] } {
            assert!(allowed.contains(method), "{path}: {allowed}");
        }
        let allowed = response.header("access-control-allow-headers").expect("headers").to_lowercase();
        for header in ["authorization", "content-type", "if-match"] {
            assert!(allowed.contains(header), "{path}: {allowed}");
        }
        assert_eq!(response.header("access-control-allow-credentials"), None, "keys, not cookies");
    }
    let response = Request::new("POST", "/whip/ada")
        .bearer(&channel.key)
        .header("origin", "https://studio.example")
        .body(SDP, Offering::to_send().sdp)
        .send(weir.http);
    assert_eq!(response.status, 201);
    assert!(matches!(response.header("access-control-allow-origin"), Some("*" | "https://studio.example")));
    let exposed = response.header("access-control-expose-headers").expect("exposed headers").to_lowercase();
    for header in ["location", "etag", "link", "accept-patch"] {
        assert!(exposed.contains(header), "{exposed}");
    }
    // An answer that says no must be readable as well.
    let response =
        Request::new("POST", "/whip/ada").header("origin", "https://studio.example").send(weir.http);
    assert!((400..500).contains(&response.status));
    assert!(response.header("access-control-allow-origin").is_some());
}

#[test]
fn options_say_what_can_be_posted() {
    let weir = Weir::start();
    weir.create_channel("ada");
    let response = Request::new("OPTIONS", "/whip/ada").send(weir.http);
    assert!(matches!(response.status, 200 | 204), "{}", response.status);
    assert_eq!(response.header("accept-post"), Some(SDP));
}

#[test]
fn reserved_methods_are_refused() {
    let weir = Weir::start();
    let channel = weir.create_channel("ada");
    let peer = Peer::publish(weir.http, "ada", &channel.key, Source::new(1));
    peer.connected();
    for path in ["/whip", "/whip/ada", &peer.session] {
        for method in ["GET", "HEAD", "PUT"] {
            let response =
                Request::new(method, path).bearer(&channel.key).header("accept", "text/html").send(weir.http);
            assert_eq!(response.status, 405, "{method} {path}");
            assert!(response.header("allow").is_some(), "{method} {path}");
        }
    }
}

#[test]
fn candidates_may_trickle() {
    let weir = Weir::start();
    let channel = weir.create_channel("ada");
    let peer = Peer::publish(weir.http, "ada", &channel.key, Source::new(1));
    let ufrag = |sdp: &str| sdp.lines().find_map(|l| l.strip_prefix("a=ice-ufrag:")).map(str::to_owned);
    let _ = ufrag(&peer.answer).expect("a ufrag");
    let fragment = "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n\
        a=candidate:1 1 udp 2130706431 192.0.2.7 50000 typ host\r\na=end-of-candidates\r\n";
    let patch = || peer.request("PATCH");
    let response = patch().header("if-match", peer.etag.as_str()).body(FRAGMENT, fragment).send(weir.http);
    assert_eq!((response.status, response.body.len()), (204, 0), "{}", response.text());
    patch().header("if-match", "\"another\"").body(FRAGMENT, fragment).send(weir.http).problem(412);
    patch().body(FRAGMENT, fragment).send(weir.http).problem(428);
    patch().header("if-match", peer.etag.as_str()).body(SDP, fragment).send(weir.http).problem(415);
    for broken in
        ["", "nonsense", "a=candidate:", "a=candidate:1 1 udp x y z\r\n", "m=\r\na=ice-ufrag\r\n", "\0\0\0"]
    {
        let response = patch().header("if-match", peer.etag.as_str()).body(FRAGMENT, broken).send(weir.http);
        // A candidate that makes no sense may be ignored; it must not be a fault of the server.
        assert!(matches!(response.status, 204 | 400 | 422), "{broken:?}: {}", response.status);
    }
    peer.connected();
    weir.until_state("ada", "live", SOON);
}

#[test]
fn a_publisher_whose_network_changes_restarts_ice_and_goes_on() {
    let weir = Weir::start();
    let channel = weir.create_channel("ada");
    let mut peer = Peer::publish(weir.http, "ada", &channel.key, Source::new(1));
    weir.until_state("ada", "live", SOON);
    let viewer = Peer::watch(weir.http, "ada");
    viewer.more_video(20);
    let before = peer.etag.clone();
    let response = peer.restart_ice();
    assert_eq!(response.header("content-type"), Some(FRAGMENT));
    assert_ne!(peer.etag, before, "the ICE session's tag changes");
    assert!(peer.etag.len() > 2);
    let fragment = response.text();
    let old = peer.answer.lines().find(|line| line.starts_with("a=ice-ufrag:")).expect("a ufrag");
    assert!(!fragment.contains(old), "new credentials: {fragment}");
    // Late by one restart.
    let stale = "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=end-of-candidates\r\n";
    peer.request("PATCH").header("if-match", before).body(FRAGMENT, stale).send(weir.http).problem(412);
    viewer.more_video(120);
    assert_eq!(weir.state("ada")["state"], "live");
}

#[test]
fn the_tag_for_any_session_may_be_quoted() {
    // The RFC's own example writes `If-Match: "*"`.
    let weir = Weir::start();
    let channel = weir.create_channel("ada");
    let peer = Peer::publish(weir.http, "ada", &channel.key, Source::new(1));
    let fragment = "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n";
    let request = peer.request("PATCH").header("if-match", "\"*\"").body(FRAGMENT, fragment);
    let response = request.send(weir.http);
    assert_eq!(response.status, 200, "{}", response.text());
    assert!(response.text().contains("a=ice-pwd:"));
}

#[test]
fn the_end_of_a_session_ends_the_broadcast() {
    let weir = Weir::start();
    let channel = weir.create_channel("ada");
    let peer = Peer::publish(weir.http, "ada", &channel.key, Source::new(1));
    weir.until_state("ada", "live", SOON);
    let session = peer.session.clone();
    let stranger = Request::new("DELETE", &session).send(weir.http);
    stranger.problem(401);
    let wrong = Request::new("DELETE", &session).bearer("wrong").send(weir.http);
    assert!(matches!(wrong.status, 401 | 403), "{}", wrong.status);
    assert_eq!(weir.state("ada")["state"], "live");
    // OBS takes nothing but 200 for an answer.
    assert_eq!(peer.leave().status, 200);
    let state = weir.until_state("ada", "ended", Duration::from_secs(3));
    assert!(state["endedAt"].is_string() && state["duration"].is_number(), "{state}");
    let again = Request::new("DELETE", &session).bearer(&channel.key).send(weir.http);
    again.problem(404);
}

#[test]
fn a_session_of_one_channel_is_out_of_reach_for_another_ones_key() {
    let weir = Weir::start();
    let channel = weir.create_channel("ada");
    let other = weir.create_channel("bob");
    let peer = Peer::publish(weir.http, "ada", &channel.key, Source::new(1));
    weir.until_state("ada", "live", SOON);
    let session = peer.session.clone();
    let moved = session.replace("/whip/ada/", "/whip/bob/");
    for (path, key) in [(&session, &other.key), (&moved, &other.key), (&moved, &channel.key)] {
        let response = Request::new("DELETE", path).bearer(key).send(weir.http);
        assert!((401..=404).contains(&response.status), "{path}: {}", response.status);
    }
    assert_eq!(weir.state("ada")["state"], "live");
}

#[test]
fn a_body_without_end_is_refused() {
    let weir = Weir::start();
    let channel = weir.create_channel("ada");
    let huge = "a=x\r\n".repeat(1_000_000);
    Request::new("POST", "/whip/ada").bearer(&channel.key).body(SDP, huge).send(weir.http).problem(413);
}
