//! Media over networks that lose, reorder, jitter, fall silent and change a viewer's address.

use crate::SOON;
use std::{collections::BTreeMap, time::Duration};
use weir_tests::{
    peer::{Peer, Seen, Source},
    relay::{Conditions, Relay, Way},
    server::{NewChannel, Weir},
};

/// Longer than repair takes at the worst of these networks.
const REPAIRED: u64 = 120;

fn start() -> (Weir, NewChannel) {
    let weir = Weir::start();
    let channel = weir.create_channel("ada");
    (weir, channel)
}

/// How many of the viewer's packets came, and how many are missing between the first and the one that repair has reached.
fn tally(seen: &Seen) -> (usize, Vec<u64>) {
    let by_sequence: BTreeMap<u64, bool> = seen.video().map(|packet| (packet.sequence, true)).collect();
    let Some((&first, &last)) = by_sequence
        .first_key_value()
        .map(|(first, _)| first)
        .zip(by_sequence.last_key_value().map(|(last, _)| last))
    else {
        return (0, Vec::new());
    };
    let missing = (first..last.saturating_sub(REPAIRED))
        .filter(|sequence| !by_sequence.contains_key(sequence))
        .collect();
    (by_sequence.len(), missing)
}

/// A publisher and a viewer, each behind a network that is so both ways; everything that the publisher sent arrives.
#[track_caller]
fn assert_repaired(conditions: Conditions) {
    let (weir, channel) = start();
    let (to_publisher, to_viewer) = (Relay::start(3), Relay::start(4));
    let delayed = Conditions { delay: Duration::from_millis(15), ..conditions };
    let publisher = Peer::publish_through(&to_publisher, weir.http, "ada", &channel.key, Source::new(1));
    weir.until_state("ada", "live", SOON);
    let viewer = Peer::watch_through(&to_viewer, weir.http, "ada");
    viewer.more_video(10);
    to_publisher.set_both(delayed);
    to_viewer.set_both(delayed);
    // How much a network loses in bursts varies, so the time goes on until enough was.
    let enough_lost = || {
        conditions.loss == 0.0
            || (to_viewer.count(Way::Down).lost > 10 && to_publisher.count(Way::Up).lost > 10)
    };
    viewer.until("ten seconds of picture and some losses, whole", Duration::from_secs(40), |seen| {
        let (count, missing) = tally(seen);
        (count > 900 && missing.is_empty() && enough_lost()).then_some(())
    });
    drop((publisher, viewer));
}

#[test]
fn what_is_lost_on_either_side_is_repaired() {
    assert_repaired(Conditions { loss: 0.05, ..Conditions::default() });
}

#[test]
fn bursts_and_disorder_are_repaired() {
    assert_repaired(Conditions {
        loss: 0.02,
        burst: 3.0,
        reorder: 0.03,
        jitter: Duration::from_millis(30),
        ..Conditions::default()
    });
}

#[test]
fn a_viewer_whose_address_changes_keeps_its_session_and_its_picture() {
    let (weir, channel) = start();
    let _publisher = Peer::publish(weir.http, "ada", &channel.key, Source::new(1));
    weir.until_state("ada", "live", SOON);
    let relay = Relay::start(1);
    let viewer = Peer::watch_through(&relay, weir.http, "ada");
    viewer.more_video(60);
    relay.rebind();
    let before = viewer.seen().video().count();
    // Nothing comes until the server hears of the new address, by the viewer's next check.
    viewer.until("picture at the new address", Duration::from_secs(15), |seen| {
        (seen.video().count() > before + 60).then_some(())
    });
    assert!(!viewer.seen().closed);
}

#[test]
fn after_a_silence_the_picture_goes_on_in_the_same_session() {
    let (weir, channel) = start();
    let publisher = Peer::publish(weir.http, "ada", &channel.key, Source::new(1));
    weir.until_state("ada", "live", SOON);
    let relay = Relay::start(1);
    let viewer = Peer::watch_through(&relay, weir.http, "ada");
    viewer.more_video(60);
    let frame = viewer.seen().video().last().map(|packet| packet.parsed().label.frame).expect("a picture");
    relay.black_out(true);
    let sent = publisher.seen().frames_sent;
    publisher.until("three seconds to be missed", SOON, |seen| (seen.frames_sent > sent + 90).then_some(()));
    relay.black_out(false);
    viewer.until("the frames of now", SOON, |seen| {
        let newest = seen.video().map(|packet| packet.parsed().label.frame).max()?;
        (newest > frame + 100).then_some(())
    });
}
