//! Sound that a publisher sends with each frame twice (RFC 2198, "RED"), so that a lost packet costs nothing.

use crate::SOON;
use std::collections::BTreeSet;
use str0m::media::Direction;
use weir_tests::{
    peer::{Arrived, Offering, Peer, Seen, Sound, Source, marks, post_whep, post_whip},
    server::Weir,
};

/// One packet of so many is lost.
const LOST: u32 = 25;

fn sounds(seen: &Seen) -> Vec<&Arrived> {
    let mut sounds: Vec<_> = seen.packets.iter().filter(|packet| !packet.video).collect();
    sounds.sort_by_key(|packet| packet.sequence);
    sounds
}

/// Asserts that `numbers` leave out none between the first and the last, and that some were lost among them.
#[track_caller]
fn assert_whole(numbers: &BTreeSet<u32>) {
    let (first, last) = (*numbers.first().expect("sound"), *numbers.last().expect("sound"));
    let missing: Vec<_> = (first..last).filter(|number| !numbers.contains(number)).collect();
    assert!(missing.is_empty(), "{missing:?} are missing of {first} to {last}");
    let lost = (first + 1..last).filter(|number| number.is_multiple_of(LOST)).count();
    assert!(lost >= 3, "{lost} were lost on the way in");
}

#[test]
fn who_takes_redundant_sound_and_who_does_not_get_every_frame_though_packets_are_lost() {
    let weir = Weir::start();
    let key = weir.create_channel("ada").key;
    let offering = Offering::with_redundant_sound(Direction::SendOnly);
    let response = post_whip(weir.http, "/whip/ada", &key, &offering.sdp);
    let source = Source { sound: Sound::Redundant { lost: LOST }, ..Source::new(1) };
    let _publisher = offering.start(weir.http, &response, Some(&key), Some(source));
    weir.until_state("ada", "live", SOON);
    let offering = Offering::with_redundant_sound(Direction::RecvOnly);
    let response = post_whep(weir.http, "ada", &offering.sdp);
    let takes_it = offering.start(weir.http, &response, None, None);
    let plain = Peer::watch(weir.http, "ada");
    let enough = |seen: &Seen| (sounds(seen).len() > 5 * LOST as usize).then_some(());
    for viewer in [&takes_it, &plain] {
        viewer.until("sound", SOON * 2, enough);
    }

    let seen = takes_it.seen();
    let brought: Vec<_> = sounds(&seen).iter().map(|packet| marks(&packet.payload)).collect();
    assert_whole(&brought.iter().flatten().copied().collect());
    let redundant = brought.iter().filter(|numbers| numbers.len() == 2).count();
    assert!(redundant > brought.len() / 2, "{redundant} of {} are redundant", brought.len());
    drop(seen);

    let seen = plain.seen();
    let sounds = sounds(&seen);
    let brought: Vec<_> = sounds.iter().map(|packet| marks(&packet.payload)).collect();
    assert!(brought.iter().all(|numbers| numbers.len() == 1), "plain sound");
    assert_whole(&brought.iter().flatten().copied().collect());
    for (pair, numbers) in sounds.windows(2).zip(brought.windows(2)) {
        assert_eq!(pair[1].sequence, pair[0].sequence + 1, "no gap in the sequence");
        assert_eq!(numbers[1][0], numbers[0][0] + 1, "in order");
        assert_eq!(pair[1].time.wrapping_sub(pair[0].time), 960, "in time");
    }
}
