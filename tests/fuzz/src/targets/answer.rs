//! An offer as a WHIP or WHEP request brings it: what is answered stands, and can be answered again.

use sfu::rtc::{
    peer::{Addresses, Peer, Side},
    sdp,
    segment::Segmenter,
};
use std::{net::SocketAddr, time::Instant};
use str0m::change::SdpAnswer;

pub fn run(data: &[u8]) {
    let offer = sdp::completed(&String::from_utf8_lossy(data));
    let addresses =
        Addresses { candidates: vec![SocketAddr::from(([127, 0, 0, 1], 7880))], mapped: false, tcp: true };
    let now = Instant::now();
    let Ok((mut peer, answer)) = Peer::answer(&offer, &addresses, Side::Egress, now) else { return };
    SdpAnswer::from_sdp_string(&answer).expect("an answer that can be parsed");
    let lines = |text: &str| text.lines().filter(|line| line.starts_with("m=")).count();
    assert!(lines(&answer) <= lines(&offer));
    assert_eq!(sdp::ufrag(&answer), Some(peer.ufrag.as_str()));
    let fragment = sdp::answer_fragment(&answer);
    assert!(fragment.contains("a=ice-pwd:") && fragment.matches("m=").count() <= 1);
    let mut out = Segmenter::new(8);
    // Whether it goes on or refuses to is its own business, as long as it says so.
    let _ = peer.advance(now);
    let _ = peer.drain(&[], &mut out, &mut Vec::new(), |_| {}, false);
    let again = sdp::with_credentials(&offer, "abcd", "0123456789012345678901");
    if let Ok(offer) = sdp::offer(&again)
        && let Ok(answer) = peer.restart_ice(offer)
    {
        SdpAnswer::from_sdp_string(&answer).expect("an answer to a restart");
        let _ = peer.advance(now);
        let _ = peer.drain(&[], &mut out, &mut Vec::new(), |_| {}, false);
    }
}
