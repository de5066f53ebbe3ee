//! Publishers that come, go, change codecs and send anything; newcomers, and viewers who ask for keyframes.

use crate::input::Input;
use sfu::broadcast::{
    hub::{Hub, KEYFRAME_REQUEST_EVERY, Start},
    packet::{Epoch, Packet, Track, TrackKey},
};
use shared::broadcast::Codec;
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

const KEY: &[u8] = &[0x10, 0x00, 0x00, 0x00, 0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x02];
const DELTA: &[u8] = &[0x10, 0x01, 0x00, 0x00];
const MOST_TRACKS: usize = 8;

pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let start = Instant::now();
    let mut now = start;
    let mut hub = Hub::default();
    let mut next: HashMap<TrackKey, (u64, u32)> = HashMap::new();
    let mut asked: HashMap<TrackKey, Instant> = HashMap::new();
    let mut kept: Vec<Arc<Packet>> = Vec::new();
    while let (Some(act), Some(which)) = (input.byte(), input.byte()) {
        let key = TrackKey { epoch: Epoch(u64::from(which >> 6)), index: which & 15 };
        match act % 8 {
            0 => now += Duration::from_millis(u64::from(which) * 20),
            1 => {
                let (seq, time) = next.entry(key).or_insert((1 << 20, 0));
                *seq = seq.saturating_add_signed(i64::from(input.short().unwrap_or(0).cast_signed()));
                *time = time.wrapping_add(input.word().unwrap_or(0));
            }
            2 => {
                if hub.request_keyframe(key, now) {
                    // A track that was forgotten with its publisher and came back is a new one.
                    let is_soon =
                        asked.insert(key, now).is_some_and(|last| now - last < KEYFRAME_REQUEST_EVERY);
                    assert!(!is_soon, "the publisher was asked twice within a second");
                }
            }
            3 => match hub.start(key, (which >= 8).then_some(usize::from(which) << 12), now) {
                Start::Replay => {
                    let first = hub.cached(key).first().expect("something to replay");
                    assert!(first.starts_keyframe, "a replay begins with a keyframe");
                }
                Start::Wait { ask: true } => {
                    asked.insert(key, now);
                }
                Start::Wait { ask: false } => {}
            },
            4 => {
                hub.publisher_left(key.epoch);
                asked.retain(|asked, _| asked.epoch != key.epoch);
            }
            5 => {
                let (renditions, interval) = hub.measure(now);
                assert!(renditions.len() <= MOST_TRACKS);
                assert!(renditions.iter().all(|rendition| (0.0..1e6).contains(&rendition.frame_rate)));
                assert!(interval.is_none_or(|interval| interval <= now - start));
                assert!(hub.largest_video(|codec| codec == Codec::Opus).is_none());
            }
            6 => {
                if let Some(packet) = kept.get(usize::from(which)).cloned() {
                    hub.adopt(&packet, now);
                }
            }
            act => {
                let (seq, time) = next.entry(key).or_insert((1 << 20, 0));
                (*seq, *time) = (*seq + 1, time.wrapping_add(u32::from(which & 3) * 3000));
                let shape = input.byte().unwrap_or(0);
                let codec = [Codec::Vp8, Codec::Vp8, Codec::H264, Codec::Opus][usize::from(shape >> 6)];
                let payload = match shape % 3 {
                    0 => KEY,
                    1 => DELTA,
                    _ => input.bytes().unwrap_or_default(),
                };
                let clock_rate = if codec == Codec::Opus { 48_000 } else { 90_000 };
                let packet = Packet {
                    track: Arc::new(Track { key, codec, rid: None, clock_rate }),
                    seq: *seq,
                    time: *time,
                    marker: act & 8 == 0,
                    starts_keyframe: false,
                    picture: None,
                    captured: now,
                    arrived: now,
                    payload: payload.into(),
                    quarter_turns: None,
                    redundant: None,
                };
                let before = hub.publisher();
                let taken = hub.push(packet, now);
                if let Some(before) = before {
                    assert!(taken.is_none() || key.epoch >= before, "an older publisher was heard");
                }
                if hub.publisher() != before {
                    asked.clear();
                }
                kept.extend(taken);
            }
        }
        assert!(hub.tracks().count() <= MOST_TRACKS);
        for track in hub.tracks() {
            let cached = hub.cached(track.key);
            assert!(cached.windows(2).all(|pair| pair[0].seq < pair[1].seq), "a cache is in order");
            assert!(cached.iter().all(|packet| packet.track.codec == track.codec), "a cache has one codec");
            assert!(cached.first().is_none_or(|first| first.starts_keyframe));
        }
    }
}
