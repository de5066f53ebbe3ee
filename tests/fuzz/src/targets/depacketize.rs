//! A publisher's RTP payloads, put together to frames: in any order, with any numbers, times and bytes.

use crate::input::Input;
use sfu::transcode::{
    depacketize::{Depacketizer, MOST_FRAME, Received},
    packetize::{MOST_PAYLOAD, Packetizer},
};
use shared::broadcast::Codec;

pub fn vp8(data: &[u8]) {
    run(Codec::Vp8, data);
}

pub fn vp9(data: &[u8]) {
    run(Codec::Vp9, data);
}

pub fn h264(data: &[u8]) {
    run(Codec::H264, data);
}

pub fn av1(data: &[u8]) {
    run(Codec::Av1, data);
}

/// Each packet: what its numbers do, a byte of length, its payload.
fn run(codec: Codec, data: &[u8]) {
    let mut input = Input(data);
    let Some(mut depacketizer) = Depacketizer::new(codec) else { return };
    let (mut seq, mut time) = (1 << 20, 0u32);
    let (mut given, mut made) = (0, 0);
    while let (Some(act), Some(payload)) = (input.byte(), input.bytes()) {
        // Mostly the next one; now and then one is missing, or comes twice or late, or is of another time.
        seq = match act >> 5 {
            0 => seq + 2,
            1 => seq - 1,
            2 => seq,
            3 => seq + 1000,
            _ => seq + 1,
        };
        time = match act >> 2 & 7 {
            0 => time.wrapping_add(3000),
            1 => time.wrapping_sub(3000),
            2 => time.wrapping_add(1 << 31),
            _ => time,
        };
        given += payload.len() + 1;
        let packet = Received { seq, time, marker: act & 1 == 0, payload: payload.into() };
        for frame in depacketizer.push(packet) {
            assert_eq!(frame.codec, codec);
            assert!(!frame.data.is_empty() && frame.data.len() <= MOST_FRAME * 3);
            assert!(!(frame.keyframe && frame.after_gap));
            made += frame.data.len();
            if codec == Codec::Av1 {
                repacked(&frame.data, frame.keyframe);
            }
        }
    }
    // Start codes, sizes, and parameter sets before each keyframe.
    assert!(made <= given * 5 + given * 16 * 1100, "{made} bytes of {given}");
}

/// What came out of packets goes into packets again, and is the same when it comes out of those.
fn repacked(data: &[u8], keyframe: bool) {
    let packets = Packetizer::default().packets(data, keyframe);
    let Some(mut depacketizer) = Depacketizer::new(Codec::Av1) else { return };
    let mut frames = Vec::new();
    for (at, payload) in packets.iter().enumerate() {
        assert!((2..=MOST_PAYLOAD).contains(&payload.len()));
        let (seq, marker) = (at as u64, at + 1 == packets.len());
        frames.extend(depacketizer.push(Received { seq, time: 0, marker, payload: payload.clone() }));
    }
    // One that doesn't begin as a frame does isn't taken up in the middle of a stream.
    assert!(frames.len() <= 1);
    assert!(frames.iter().all(|frame| frame.data[..] == *data));
}
