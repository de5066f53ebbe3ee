//! What viewers get is what the publisher sent, through joins, restarts and takeovers.

use crate::SOON;
use std::{collections::BTreeMap, time::Duration};
use weir_tests::{
    events::Events,
    peer::{Arrived, Peer, Seen, Source},
    server::{NewChannel, Weir},
    vp8::{self, Label},
};

fn start() -> (Weir, NewChannel) {
    let weir = Weir::start();
    let channel = weir.create_channel("ada");
    (weir, channel)
}

/// Asserts that each packet is one that its source sent, none twice, and that sequence numbers leave no gap.
#[track_caller]
fn assert_whole(seen: &Seen, sources: &[Source]) -> Vec<Label> {
    // The network of one machine loses nothing, but may hand packets over in another order.
    let mut packets: BTreeMap<u64, &Arrived> = BTreeMap::new();
    for packet in seen.video() {
        assert!(packets.insert(packet.sequence, packet).is_none(), "packet {} twice", packet.sequence);
    }
    let sequences: Vec<_> = packets.keys().copied().collect();
    for pair in sequences.windows(2) {
        assert_eq!(pair[1], pair[0] + 1, "a gap in the sequence");
    }
    let ssrcs: std::collections::BTreeSet<_> = packets.values().map(|packet| packet.ssrc).collect();
    assert_eq!(ssrcs.len(), 1, "one stream");
    let mut labels = Vec::new();
    for packet in packets.values() {
        let parsed = packet.parsed();
        let source =
            sources.iter().find(|source| source.id == parsed.label.source).expect("a source of ours");
        assert!(parsed.body == vp8::body(parsed.label, source.shape), "{:?} arrived changed", parsed.label);
        let parts = if parsed.label.key { source.shape.key } else { source.shape.delta };
        assert_eq!(packet.marker, parsed.label.part as usize == parts - 1, "{:?}", parsed.label);
        labels.push(parsed.label);
    }
    labels
}

/// Asserts that `labels` are whole frames of one source, each once and in order, from a keyframe on.
#[track_caller]
fn assert_in_order(labels: &[Label], source: Source) {
    let first = labels.first().expect("a packet");
    assert!(first.key && first.part == 0, "begins with a keyframe's first packet: {first:?}");
    let mut expected = *first;
    for label in labels {
        assert_eq!((label.frame, label.part), (expected.frame, expected.part), "in order");
        let parts = if label.key { source.shape.key } else { source.shape.delta };
        if label.part as usize + 1 < parts {
            expected.part += 1;
        } else {
            expected.part = 0;
            expected.frame += 1;
        }
    }
}

#[test]
fn a_viewer_gets_the_very_packets_that_were_sent() {
    let (weir, channel) = start();
    let source = Source::new(7);
    let publisher = Peer::publish(weir.http, "ada", &channel.key, source);
    weir.until_state("ada", "live", SOON);
    let viewer = Peer::watch(weir.http, "ada");
    viewer.more_video(150);
    let labels = assert_whole(&viewer.seen(), &[source]);
    assert_in_order(&labels, source);
    let sound = viewer.seen().packets.iter().filter(|packet| !packet.video).count();
    assert!(sound > 20, "{sound} audio packets");
    drop(publisher);
}

#[test]
fn a_newcomer_starts_from_the_kept_keyframe_and_the_publisher_is_not_asked() {
    let (weir, channel) = start();
    let source = Source { answers_requests: false, ..Source::new(3) };
    let publisher = Peer::publish(weir.http, "ada", &channel.key, source);
    weir.until_state("ada", "live", SOON);
    let first = Peer::watch(weir.http, "ada");
    first.more_video(60);
    let asked = publisher.seen().keyframe_requests;
    let now = publisher.seen().frames_sent;
    let newcomers: Vec<_> = (0..3).map(|_| Peer::watch(weir.http, "ada")).collect();
    for viewer in &newcomers {
        // Faster than real time: what was kept arrives at once, not at thirty frames a second.
        viewer.until("the frame that is now", SOON, |seen| {
            seen.video().any(|packet| packet.parsed().label.frame >= now + 15).then_some(())
        });
        let labels = assert_whole(&viewer.seen(), &[source]);
        assert_in_order(&labels, source);
        assert_eq!(labels[0].frame, 0, "the only keyframe there is");
    }
    assert_eq!(publisher.seen().keyframe_requests, asked, "joining disturbed the publisher");
}

#[test]
fn the_same_key_takes_over_and_viewers_stay() {
    let (weir, channel) = start();
    let one = Source::new(1);
    let two = Source { first_sequence: 61_000, ..Source::new(2) };
    let first = Peer::publish(weir.http, "ada", &channel.key, one);
    let broadcast = weir.until_state("ada", "live", SOON)["streamId"].clone();
    let viewer = Peer::watch(weir.http, "ada");
    viewer.more_video(60);
    let second = Peer::publish(weir.http, "ada", &channel.key, two);
    viewer.until("the second publisher's picture", SOON, |seen| {
        (seen.video().filter(|packet| packet.parsed().label.source == 2).count() > 90).then_some(())
    });
    let labels = assert_whole(&viewer.seen(), &[one, two]);
    let change = labels.iter().position(|label| label.source == 2).expect("the second's packets");
    assert!(labels[change..].iter().all(|label| label.source == 2), "never back and forth");
    assert_in_order(&labels[..change], one);
    assert_in_order(&labels[change..], two);
    // Timestamps go on, too: a jump back would freeze the picture.
    let times: Vec<_> = viewer.seen().video().map(|packet| packet.time).collect();
    for pair in times.windows(2) {
        let step = pair[1].wrapping_sub(pair[0]) as i32;
        assert!((0..90_000 * 3).contains(&step), "timestamps go from {} to {}", pair[0], pair[1]);
    }
    let state = weir.state("ada");
    assert_eq!((&state["state"], &state["streamId"]), (&"live".into(), &broadcast), "the same broadcast");
    first.until("the first publisher to be let go", SOON, |seen| seen.closed.then_some(()));
    drop(second);
}

#[test]
fn picture_ids_go_on_through_a_takeover() {
    let (weir, channel) = start();
    let first = Peer::publish(weir.http, "ada", &channel.key, Source::new(1));
    weir.until_state("ada", "live", SOON);
    let viewer = Peer::watch(weir.http, "ada");
    viewer.more_video(60);
    let second = Peer::publish(weir.http, "ada", &channel.key, Source::new(2));
    viewer.until("the second publisher's picture", SOON, |seen| {
        (seen.video().filter(|packet| packet.parsed().label.source == 2).count() > 60).then_some(())
    });
    let mut packets: Vec<_> = viewer.seen().video().cloned().collect();
    packets.sort_by_key(|packet| packet.sequence);
    let mut pictures: Vec<u16> = packets.iter().filter_map(|packet| packet.parsed().picture).collect();
    pictures.dedup();
    for pair in pictures.windows(2) {
        let step = pair[1].wrapping_sub(pair[0]) & 0x7fff;
        assert!((1..0x4000).contains(&step), "picture ids go from {} to {}", pair[0], pair[1]);
    }
    drop((first, second));
}

#[test]
fn a_publisher_that_vanishes_is_waited_for() {
    let (weir, channel) = start();
    let one = Source::new(1);
    let publisher = Peer::publish(weir.http, "ada", &channel.key, one);
    let live = weir.until_state("ada", "live", SOON);
    let viewer = Peer::watch(weir.http, "ada");
    viewer.more_video(30);
    let mut events = Events::open(weir.http);
    events.request("channel:stream_events:v1", "e1", Some("ada"));
    events.request("channel:stream_state:v1", "s1", Some("ada"));
    events.until("the state", SOON, |message| message["payload"]["state"] == "live");
    publisher.vanish();
    let told = std::time::Instant::now();
    events.until("that the publisher is gone", Duration::from_secs(3), |message| {
        message["event"] == "channel:stream_events:v1:stream"
            && message["payload"]["type"] == "StreamInterrupted"
    });
    events.until("waiting", Duration::from_secs(3).saturating_sub(told.elapsed()), |message| {
        message["payload"]["state"] == "waiting" && message["payload"]["waitingSince"].is_string()
    });
    let two = Source { first_sequence: 9, ..Source::new(2) };
    let back = Peer::publish(weir.http, "ada", &channel.key, two);
    events.until("that it is back", SOON, |message| message["payload"]["type"] == "StreamResumed");
    viewer.until("the picture", SOON, |seen| {
        (seen.video().filter(|packet| packet.parsed().label.source == 2).count() > 30).then_some(())
    });
    let labels = assert_whole(&viewer.seen(), &[one, two]);
    let change = labels.iter().position(|label| label.source == 2).expect("the second's packets");
    assert_in_order(&labels[change..], two);
    assert_eq!(weir.state("ada")["streamId"], live["streamId"], "the same broadcast");
    drop(back);
}

#[test]
fn a_viewer_that_cannot_decode_asks_and_the_publisher_hears_it_once() {
    let (weir, channel) = start();
    // Without a keyframe at all, the server has to ask for one itself.
    let publisher =
        Peer::publish(weir.http, "ada", &channel.key, Source { keyframe_every: Some(600), ..Source::new(1) });
    weir.until_state("ada", "live", SOON);
    let viewers: Vec<_> = (0..5).map(|_| Peer::watch(weir.http, "ada")).collect();
    for viewer in &viewers {
        viewer.more_video(10);
    }
    let before = publisher.seen().keyframe_requests;
    for viewer in &viewers {
        viewer.ask_for_keyframe();
    }
    publisher.until("a request", SOON, |seen| (seen.keyframe_requests > before).then_some(()));
    viewers[0].until("a keyframe", SOON, |seen| {
        seen.video().any(|packet| packet.parsed().label.key && packet.parsed().label.frame > 0).then_some(())
    });
    let asked = publisher.seen().keyframe_requests - before;
    assert!(asked <= 2, "five viewers at once made {asked} requests");
}

#[test]
fn sound_and_picture_of_one_moment_stay_together() {
    let (weir, channel) = start();
    let _publisher = Peer::publish(weir.http, "ada", &channel.key, Source::new(1));
    weir.until_state("ada", "live", SOON);
    let viewer = Peer::watch(weir.http, "ada");
    viewer.until("a second of sound", SOON, |seen| {
        (seen.packets.iter().filter(|packet| !packet.video).count() > 50).then_some(())
    });
    let sound: Vec<_> = viewer.seen().packets.iter().filter(|packet| !packet.video).cloned().collect();
    for pair in sound.windows(2) {
        assert_eq!(pair[1].sequence, pair[0].sequence + 1, "audio without a gap");
        assert_eq!(pair[1].time.wrapping_sub(pair[0].time), 960);
        let number = |packet: &Arrived| {
            u32::from_be_bytes([packet.payload[1], packet.payload[2], packet.payload[3], packet.payload[4]])
        };
        assert_eq!(number(&pair[1]), number(&pair[0]) + 1);
    }
}

#[test]
fn a_broadcast_is_measured_once_however_many_shards_its_viewers_sit_on() {
    let weir = Weir::start_with(&[("WEIR_MEDIA_SHARDS", "2")]);
    let channel = weir.create_channel("ada");
    let source = Source::new(1);
    let _publisher = Peer::publish(weir.http, "ada", &channel.key, source);
    weir.until_state("ada", "live", SOON);
    // The first sits where the publisher doesn't; the next one, beside the publisher, must not get the first one's cache.
    let mut viewers = vec![Peer::watch(weir.http, "ada")];
    viewers[0].until("much to replay", SOON, |seen| {
        (seen.video().map(|packet| packet.parsed().label.frame).max()? >= 75).then_some(())
    });
    viewers.extend((0..3).map(|_| Peer::watch(weir.http, "ada")));
    for _ in 0..40 {
        viewers[0].more_video(10);
        let state = weir.state("ada");
        for rendition in state["renditions"].as_array().expect("renditions") {
            let rate = rendition["frameRate"].as_f64().expect("a frame rate");
            assert!(rate < 45.0, "{rate} frames a second of 30 that were sent");
        }
    }
    for viewer in viewers {
        assert_whole(&viewer.seen(), &[source]);
    }
}
