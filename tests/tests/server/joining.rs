//! How newcomers start, whatever the publisher does about keyframes and wherever they sit.

use crate::SOON;
use std::collections::BTreeMap;
use weir_tests::{
    peer::{Peer, Source},
    server::Weir,
    vp8::{Label, Shape},
};

/// So large that a few seconds of it are much to replay.
const LARGE: Shape = Shape { key: 20, delta: 5, bytes: 1100 };

fn on_two_shards() -> (Weir, String) {
    let weir = Weir::start_with(&[("WEIR_MEDIA_SHARDS", "2")]);
    let key = weir.create_channel("ada").key;
    (weir, key)
}

/// Waits until `viewer` has the frame that the publisher sends as it is called, and a few more.
#[track_caller]
fn is_at_the_edge(viewer: &Peer, publisher: &Peer) -> Vec<Label> {
    let now = publisher.seen().frames_sent;
    viewer.until("the frame that is now", SOON, |seen| {
        seen.video().any(|packet| packet.parsed().label.frame >= now + 5).then_some(())
    });
    let seen = viewer.seen();
    let by_sequence: BTreeMap<u64, Label> =
        seen.video().map(|packet| (packet.sequence, packet.parsed().label)).collect();
    by_sequence.into_values().collect()
}

/// Asserts that `labels` begin with a keyframe and that each frame follows the one before.
#[track_caller]
fn assert_decodable(labels: &[Label]) -> u32 {
    let first = labels.first().expect("a packet");
    assert!(first.key && first.part == 0, "begins with a keyframe's first packet: {first:?}");
    for pair in labels.windows(2) {
        let follows = pair[1].frame == pair[0].frame && pair[1].part == pair[0].part + 1
            || pair[1].frame == pair[0].frame + 1 && pair[1].part == 0;
        assert!(follows, "{:?} after {:?}", pair[1], pair[0]);
    }
    first.frame
}

fn after_frames(publisher: &Peer, frames: u32) {
    publisher.until("a long group of pictures", SOON * 2, |seen| (seen.frames_sent >= frames).then_some(()));
}

#[test]
fn newcomers_start_from_an_old_keyframe_where_the_publisher_gives_no_other() {
    let (weir, key) = on_two_shards();
    let source = Source { shape: LARGE, answers_requests: false, ..Source::new(1) };
    let publisher = Peer::publish(weir.http, "ada", &key, source);
    weir.until_state("ada", "live", SOON);
    after_frames(&publisher, 150);
    for _ in 0..2 {
        let viewers: Vec<_> = (0..4).map(|_| Peer::watch(weir.http, "ada")).collect();
        for viewer in &viewers {
            let labels = is_at_the_edge(viewer, &publisher);
            assert_eq!(assert_decodable(&labels), 0, "the only keyframe there is");
        }
    }
    let asked = publisher.seen().keyframe_requests;
    // Each shard finds out for itself that nothing comes of it.
    assert!(asked <= 2, "asked {asked} times");
}

#[test]
fn many_newcomers_on_several_shards_cost_the_publisher_one_keyframe() {
    let (weir, key) = on_two_shards();
    let source = Source { shape: LARGE, ..Source::new(1) };
    let publisher = Peer::publish(weir.http, "ada", &key, source);
    weir.until_state("ada", "live", SOON);
    after_frames(&publisher, 150);
    let before = publisher.seen().keyframe_requests;
    let began = std::time::Instant::now();
    let viewers: Vec<_> = (0..12).map(|_| Peer::watch(weir.http, "ada")).collect();
    for viewer in &viewers {
        assert_decodable(&is_at_the_edge(viewer, &publisher));
    }
    let asked = publisher.seen().keyframe_requests - before;
    // A keyframe that has been asked for serves all who come in the three seconds after it.
    let most = 1 + began.elapsed().as_secs() as usize / 3;
    assert!((1..=most).contains(&asked), "{asked} requests for twelve viewers");
    let newcomer = Peer::watch(weir.http, "ada");
    assert!(assert_decodable(&is_at_the_edge(&newcomer, &publisher)) >= 150, "starts from that keyframe");
}

#[test]
fn many_newcomers_soon_after_a_keyframe_start_from_it_and_the_publisher_is_not_asked() {
    /// Less than three seconds.
    const EVERY: u32 = 75;
    let (weir, key) = on_two_shards();
    let source = Source { shape: LARGE, keyframe_every: Some(EVERY), ..Source::new(1) };
    let publisher = Peer::publish(weir.http, "ada", &key, source);
    weir.until_state("ada", "live", SOON);
    let newest = || (publisher.seen().frames_sent - 1) / EVERY * EVERY;
    after_frames(&publisher, EVERY + 5);
    let asked = publisher.seen().keyframe_requests;
    for _ in 0..2 {
        let before = newest();
        let viewers: Vec<_> = (0..12).map(|_| Peer::watch(weir.http, "ada")).collect();
        for viewer in &viewers {
            viewer.connected();
            let after = newest();
            let first = assert_decodable(&is_at_the_edge(viewer, &publisher));
            assert!(
                (before..=after).contains(&first),
                "began with {first}, not with one from {before} to {after}"
            );
        }
        assert!(newest() < before + EVERY * 3, "that took too long to tell");
        after_frames(&publisher, newest() + EVERY + 5);
    }
    assert_eq!(publisher.seen().keyframe_requests, asked, "joining disturbed the publisher");
}

#[test]
fn a_keyframe_is_asked_for_while_the_first_viewer_is_on_its_way() {
    let (weir, key) = on_two_shards();
    let source = Source { shape: LARGE, ..Source::new(1) };
    let publisher = Peer::publish(weir.http, "ada", &key, source);
    weir.until_state("ada", "live", SOON);
    after_frames(&publisher, 150);
    let before = publisher.seen().keyframe_requests;
    let offer = weir_tests::peer::Offering::to_receive();
    // Neither of them has connected, or ever will.
    for _ in 0..2 {
        assert_eq!(weir_tests::peer::post_whep(weir.http, "ada", &offer.sdp).status, 201);
    }
    publisher.until("the request", SOON, |seen| (seen.keyframe_requests > before).then_some(()));
}
