//! A codec and a payload.

use crate::input::Input;
use sfu::broadcast::payload::{keyframe, vp8_picture};
use shared::broadcast::Codec;

pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let Some(codec) = input.byte() else { return };
    let payload = input.0;
    let codec = [Codec::Vp8, Codec::Vp9, Codec::H264, Codec::Av1, Codec::Opus][usize::from(codec % 5)];
    let found = keyframe(codec, payload);
    assert!(found.is_none() || codec != Codec::Opus && !payload.is_empty());
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
    }
}
