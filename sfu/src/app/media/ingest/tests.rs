//! What becomes of a publisher's packets, from its datagrams on.

use super::*;
use crate::rtc::{
    egress::clock::wall,
    peer::uplink::{KEY, Sent, Uplink},
};
use str0m::rtp::{AbsCaptureTime, ExtensionValues, RedEncoder, RedundantBlock};

const MS: Duration = Duration::from_millis(1);

/// A publisher, and what the ingest makes of it.
struct Ingest {
    uplink: Uplink,
    publisher: Publisher,
}

impl Ingest {
    fn new() -> Self {
        Self { uplink: Uplink::connected(), publisher: Publisher::new(KEY) }
    }

    /// What came since it was asked last.
    fn packets(&mut self) -> Vec<Packet> {
        let Self { uplink, publisher } = self;
        let came = std::mem::take(&mut uplink.packets);
        came.into_iter()
            .flat_map(|packet| publisher.packets(packet, &mut uplink.peers, uplink.now))
            .flatten()
            .collect()
    }

    /// Sends the one packet of a frame, and gives what comes of it.
    fn frame(&mut self, codec: Codec, seq: u64, captured: Option<AbsCaptureTime>) -> Packet {
        let is_audio = codec == Codec::Opus;
        let pt = if is_audio { self.uplink.sound().0 } else { self.uplink.picture() };
        let time = seq as u32 * if is_audio { 960 } else { 1800 };
        let values = ExtensionValues { abs_capture_time: captured, ..ExtensionValues::default() };
        self.uplink.send(pt, Sent { seq, time, payload: vec![0x10; 100], values });
        let mut packets = self.packets();
        assert_eq!(packets.len(), 1, "{codec:?} {seq}");
        packets.remove(0)
    }

    /// Sends a frame of 20 ms of sound, with the one before once more.
    fn redundant(&mut self, seq: u64) -> Vec<Packet> {
        let (_, pt) = self.uplink.sound();
        let payload = redundant(*self.uplink.sound().0, seq);
        let time = seq as u32 * 960;
        self.uplink.send(pt, Sent { seq, time, payload, values: ExtensionValues::default() });
        self.packets()
    }
}

fn redundant(inner: u8, seq: u64) -> Vec<u8> {
    let before = RedundantBlock { pt: inner, timestamp_offset: 960, payload: vec![seq as u8 - 1; 20] };
    RedEncoder::encode(inner, &[seq as u8; 20], &[before])
}

/// A moment by a clock that is so many seconds ahead of the sender's.
fn stamp(at: Instant, ahead: f64) -> AbsCaptureTime {
    let wall = wall(at);
    let off = Duration::from_secs_f64(f64::abs(ahead));
    let capture_time = if ahead < 0.0 { wall - off } else { wall + off };
    let mut stamp = AbsCaptureTime { capture_time, clock_offset: None };
    if ahead != 0.0 {
        stamp.set_clock_offset(ahead);
    }
    stamp
}

fn apart(one: Instant, other: Instant) -> Duration {
    one.max(other).duration_since(one.min(other))
}

#[test]
fn capture_times_date_packets_whatever_clock_the_capture_has() {
    for ahead in [0.0, 1.5, -1.5] {
        let mut ingest = Ingest::new();
        let start = ingest.uplink.now;
        let sound = ingest.frame(Codec::Opus, 1, Some(stamp(start - MS * 10, 0.0)));
        let picture = ingest.frame(Codec::Vp8, 1, Some(stamp(start - MS * 50, ahead)));
        let distance = sound.captured.saturating_duration_since(picture.captured);
        assert!(distance.abs_diff(MS * 40) < MS, "{distance:?} where 40 ms were due, {ahead} s ahead");

        // What brings none is counted on from the last one.
        ingest.uplink.pass(MS * 35);
        let next = ingest.frame(Codec::Vp8, 2, None);
        let step = next.captured.duration_since(picture.captured);
        assert!(step.abs_diff(MS * 20) < MS, "{step:?} where 20 ms were due");
    }
}

#[test]
fn a_capture_time_counts_more_than_a_report() {
    let mut ingest = Ingest::new();
    let first = ingest.frame(Codec::Opus, 1, None);
    assert!(apart(first.captured, ingest.uplink.now) < MS, "nothing is known yet");
    // By then the sender has said that a packet's timestamp stands for when it left.
    let mut seq = 1;
    for _ in 0..300 {
        seq += 1;
        ingest.uplink.pass(MS * 20);
        ingest.frame(Codec::Opus, seq, None);
        ingest.frame(Codec::Vp8, seq, None);
    }
    let now = ingest.uplink.now;
    let reported = ingest.frame(Codec::Opus, seq + 1, None);
    let stamped = ingest.frame(Codec::Vp8, seq + 1, Some(stamp(now - MS * 300, 0.0)));
    let distance = reported.captured.saturating_duration_since(stamped.captured);
    assert!((MS * 250..MS * 350).contains(&distance), "{distance:?}");
}

#[test]
fn one_lost_frame_of_redundant_sound_comes_with_the_next_packet() {
    let mut ingest = Ingest::new();
    let inner = *ingest.uplink.sound().0;
    for seq in 1..=2 {
        assert_eq!(ingest.redundant(seq).len(), 1);
        ingest.uplink.pass(MS * 20);
    }
    ingest.uplink.held = Some(Vec::new());
    assert!(ingest.redundant(3).is_empty());
    let late = ingest.uplink.held.take().unwrap();
    assert_eq!(late.len(), 1);
    ingest.uplink.pass(MS * 20);

    let packets = ingest.redundant(4);
    let [lost, own] = &packets[..] else { panic!("{packets:?}") };
    assert_eq!((lost.seq + 1, lost.time.wrapping_add(960)), (own.seq, own.time));
    assert_eq!((&lost.payload[..], &own.payload[..]), (&[3; 20][..], &[4; 20][..]));
    assert!(own.captured.duration_since(lost.captured).abs_diff(MS * 20) < MS);
    assert!(lost.redundant.is_none(), "what was in its own packet, nobody knows");
    let whole = own.redundant.as_ref().unwrap();
    assert_eq!((&whole.payload[..], whole.inner), (&redundant(inner, 4)[..], inner), "passed on whole");

    ingest.uplink.arrive(&late[0]);
    ingest.uplink.pass(MS);
    assert_eq!(ingest.uplink.packets.len(), 1, "it came after all");
    assert!(ingest.packets().is_empty(), "twice would be once too often");
    let next = ingest.redundant(5);
    assert_eq!(next.iter().map(|packet| packet.payload[0]).collect::<Vec<_>>(), [5]);
    assert_eq!(next[0].seq, own.seq + 1);
}

#[test]
fn sound_that_is_only_late_is_passed_on_late() {
    let mut ingest = Ingest::new();
    let plain = ingest.uplink.sound().0;
    ingest.frame(Codec::Opus, 1, None);
    ingest.uplink.held = Some(Vec::new());
    let values = ExtensionValues::default();
    ingest.uplink.send(plain, Sent { seq: 2, time: 1920, payload: vec![2; 20], values });
    let late = ingest.uplink.held.take().unwrap();
    let after = ingest.frame(Codec::Opus, 3, None);
    ingest.uplink.arrive(&late[0]);
    ingest.uplink.pass(MS);
    let packets = ingest.packets();
    assert_eq!(packets.iter().map(|packet| packet.seq).collect::<Vec<_>>(), [after.seq - 1]);
    assert_eq!(&packets[0].payload[..], [2; 20]);
}
