//! A codec and a payload.

use crate::input::Input;
use sfu::{
    broadcast::payload::{b_slice, keyframe, vp8_picture},
    rtc::red,
};
use shared::broadcast::Codec;

pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let Some(codec) = input.byte() else { return };
    let payload = input.0;
    let codec = [Codec::Vp8, Codec::Vp9, Codec::H264, Codec::Av1, Codec::Opus][usize::from(codec % 5)];
    let found = keyframe(codec, payload);
    assert!(found.is_none() || codec != Codec::Opus && !payload.is_empty());
    let is_b = b_slice(codec, payload);
    assert_eq!(is_b.is_some(), codec == Codec::H264);
    if is_b == Some(true) {
        // No unit is a keyframe and predicted from a later picture; of those that are gathered, each may be either.
        assert!(found.is_none() || payload[0] & 0x1f == 24);
    }
    if codec == Codec::Opus {
        redundant(payload);
    }
    if codec == Codec::Vp8
        && let Some(picture) = vp8_picture(payload)
    {
        assert!(picture.id <= if picture.is_wide { 0x7fff } else { 0x7f });
        // The WebRTC library writes numbers where this reads them, or not at all.
        if let Ok(descriptor) = str0m::rtp::Vp8Descriptor::parse(payload) {
            let patch = descriptor.patch().picture_id(picture.id);
            let _ = match picture.base {
                Some(base) => patch.tl0_pic_idx(base).build(),
                None => patch.build(),
            };
        }
    }
    // A payload that is cut short is read as far as it goes.
    for length in 0..payload.len().min(64) {
        keyframe(codec, &payload[..length]);
        vp8_picture(&payload[..length]);
        b_slice(codec, &payload[..length]);
        red::unpack(&payload[..length]);
    }
}

/// Frames of redundant sound lie in its payload, one behind the other, with a header before each.
fn redundant(payload: &[u8]) {
    let Some(unpacked) = red::unpack(payload) else { return };
    assert!(payload.ends_with(unpacked.primary) && !unpacked.primary.is_empty());
    assert!(unpacked.inner < 0x80);
    let earlier = unpacked.previous.map_or(0, |previous| {
        assert!((1..1 << 14).contains(&previous.ticks) && !previous.payload.is_empty());
        4 + previous.payload.len()
    });
    assert!(1 + earlier + unpacked.primary.len() <= payload.len());
}
