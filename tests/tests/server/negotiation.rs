//! What publishers and viewers are told with the answer to their offer.

use crate::SOON;
use weir_tests::{
    http::{Request, Response},
    peer::{Offering, Peer, SDP, Source},
    server::Weir,
};

/// The answers of a live channel to a publisher's offer and to a viewer's, to a page of another origin.
fn answers(weir: &Weir, to_publish: &str, to_watch: &str) -> [Response; 2] {
    let key = weir.create_channel("ada").key;
    let publisher = Peer::publish(weir.http, "ada", &key, Source::new(1));
    weir.until_state("ada", "live", SOON);
    let post = |request: Request<'_>, offer: &str| {
        let response = request.header("origin", "https://else.example").body(SDP, offer).send(weir.http);
        assert_eq!(response.status, 201, "{}", response.text());
        response
    };
    let watched = post(Request::new("POST", "/whep/ada"), to_watch);
    // The same key takes over.
    let published = post(Request::new("POST", "/whip/ada").bearer(&key), to_publish);
    drop(publisher);
    [published, watched]
}

/// The parameters of Opus.
fn of_opus(sdp: &str) -> Vec<&str> {
    let format = sdp.lines().find_map(|line| {
        let (format, name) = line.strip_prefix("a=rtpmap:")?.split_once(' ')?;
        name.eq_ignore_ascii_case("opus/48000/2").then_some(format)
    });
    let prefix = format!("a=fmtp:{} ", format.expect("Opus"));
    let parameters = sdp.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap_or_default();
    parameters.split(';').map(str::trim).collect()
}

#[test]
fn ice_servers_are_told_of_to_publishers_and_viewers() {
    let servers = "stun:stun.example.org:3478,turn:turn.example.org:3478?transport=udp";
    let weir = Weir::start_with(&[
        ("WEIR_MEDIA_ICE_SERVERS", servers),
        ("WEIR_MEDIA_ICE_USERNAME", "ada"),
        ("WEIR_MEDIA_ICE_CREDENTIAL", "lovelace"),
    ]);
    for response in answers(&weir, &Offering::to_send().sdp, &Offering::to_receive().sdp) {
        assert_eq!(
            response.headers("link"),
            [
                r#"<stun:stun.example.org:3478>; rel="ice-server""#,
                concat!(
                    r#"<turn:turn.example.org:3478?transport=udp>; rel="ice-server"; username="ada"; "#,
                    r#"credential="lovelace"; credential-type="password""#,
                ),
            ]
        );
        let exposed = response.header("access-control-expose-headers").expect("exposed headers");
        let mut exposed = exposed.split(',').map(str::trim);
        assert!(exposed.any(|name| name.eq_ignore_ascii_case("link")), "a page may not read the links");
    }
}

#[test]
fn where_there_are_no_ice_servers_none_are_told_of() {
    let weir = Weir::start();
    for response in answers(&weir, &Offering::to_send().sdp, &Offering::to_receive().sdp) {
        assert_eq!(response.headers("link"), [""; 0]);
    }
}

#[test]
fn error_correction_in_opus_is_agreed_to() {
    let weir = Weir::start();
    let (to_send, to_receive) = (Offering::to_send().sdp, Offering::to_receive().sdp);
    for offer in [&to_send, &to_receive] {
        assert!(of_opus(offer).contains(&"useinbandfec=1"), "{offer}");
    }
    for response in answers(&weir, &to_send, &to_receive) {
        let answer = response.text();
        assert!(of_opus(&answer).contains(&"useinbandfec=1"), "{answer}");
    }
}
