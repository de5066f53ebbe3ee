//! Redundant sound (RFC 2198, "RED"): each packet brings an earlier frame once more, so that a lost one costs nothing.
//!
//! It is passed on as it came to who takes it, and unpacked for everybody else.

use str0m::rtp::RedDecoder;

/// What a packet holds.
#[derive(Debug, PartialEq, Eq)]
pub struct Unpacked<'a> {
    /// The frame that the packet is of.
    pub primary: &'a [u8],
    /// The payload type that it says of the frames in it.
    pub inner: u8,
    /// The newest of the earlier frames.
    pub previous: Option<Previous<'a>>,
}

/// An earlier frame that a packet brings once more.
#[derive(Debug, PartialEq, Eq)]
pub struct Previous<'a> {
    /// How many ticks of the RTP clock before the packet's own frame.
    pub ticks: u32,
    /// The frame.
    pub payload: &'a [u8],
}

/// Takes a packet apart. `None`: it is malformed, or has no frame of its own.
pub fn unpack(payload: &[u8]) -> Option<Unpacked<'_>> {
    let blocks = RedDecoder::decode(payload).ok()?;
    let (primary, earlier) = blocks.split_last()?;
    if !primary.is_primary || primary.payload.is_empty() {
        return None;
    }
    let previous = earlier
        .iter()
        .filter(|block| block.pt == primary.pt && block.timestamp_offset > 0 && !block.payload.is_empty())
        .min_by_key(|block| block.timestamp_offset)
        .map(|block| Previous { ticks: block.timestamp_offset, payload: block.payload });
    Some(Unpacked { primary: primary.payload, inner: primary.pt, previous })
}

#[cfg(test)]
mod tests {
    use super::*;
    use str0m::rtp::{RedEncoder, RedundantBlock};

    #[test]
    fn the_newest_of_the_earlier_frames_is_found() {
        let block = |ticks, byte| RedundantBlock { pt: 111, timestamp_offset: ticks, payload: vec![byte; 3] };
        let packet = RedEncoder::encode(111, &[9, 9], &[block(1920, 1), block(960, 2)]);
        let previous = Some(Previous { ticks: 960, payload: &[2, 2, 2] });
        assert_eq!(unpack(&packet), Some(Unpacked { primary: &[9, 9], inner: 111, previous }));
        let alone = RedEncoder::encode(111, &[9], &[]);
        assert_eq!(unpack(&alone), Some(Unpacked { primary: &[9], inner: 111, previous: None }));
    }

    #[test]
    fn another_codec_s_frame_is_not_taken_for_one_of_this() {
        let other = RedundantBlock { pt: 0, timestamp_offset: 960, payload: vec![1] };
        let packet = RedEncoder::encode(111, &[9], &[other]);
        assert_eq!(unpack(&packet).unwrap().previous, None);
    }

    #[test]
    fn whatever_comes_is_refused_without_a_panic() {
        let mut state = 1u64;
        for length in 0..400usize {
            let bytes: Vec<u8> = (0..length % 40)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    (state >> 33) as u8
                })
                .collect();
            if let Some(unpacked) = unpack(&bytes) {
                assert!(unpacked.primary.len() < bytes.len());
            }
        }
        assert_eq!(unpack(&[]), None);
        assert_eq!(unpack(&[0x80, 0, 0]), None);
        assert_eq!(unpack(&[111]), None, "nothing of its own");
    }
}
