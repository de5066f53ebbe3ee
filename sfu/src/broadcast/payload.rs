//! What a video payload says of its frame: whether a keyframe starts here, and its size.
//!
//! Sources: VP8 RFC 7741, VP9 RFC 9628, H.264 RFC 6184 and ITU-T H.264 7.3.2.1.1, AV1 RTP v1.0.0 and AV1 5.5.

use super::packet::Picture;
use shared::{broadcast::Codec, unit::Size};

/// What the first packet of a keyframe tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keyframe {
    /// The picture's size, where this packet carries it.
    pub size: Option<Size>,
}

/// Looks at one RTP payload. `None` unless a keyframe starts in it. Reads hostile bytes: never panics.
pub fn keyframe(codec: Codec, payload: &[u8]) -> Option<Keyframe> {
    match codec {
        Codec::Vp8 => vp8(payload),
        Codec::Vp9 => vp9(payload),
        Codec::H264 => h264(payload),
        Codec::Av1 => av1(payload),
        Codec::Opus => None,
    }
}

/// The numbers that a VP8 payload descriptor gives its picture, if any.
pub fn vp8_picture(payload: &[u8]) -> Option<Picture> {
    let (first, flags) = (payload.first()?, payload.get(1)?);
    if first & 0x80 == 0 || flags & 0x80 == 0 {
        return None;
    }
    let high = *payload.get(2)?;
    let is_wide = high & 0x80 != 0;
    let id = if is_wide { u16::from_be_bytes([high & 0x7f, *payload.get(3)?]) } else { u16::from(high) };
    let base = if flags & 0x40 != 0 { Some(*payload.get(if is_wide { 4 } else { 3 })?) } else { None };
    Some(Picture { id, is_wide, base })
}

fn vp8(payload: &[u8]) -> Option<Keyframe> {
    let first = *payload.first()?;
    let (extended, starts_partition, partition) = (first & 0x80 != 0, first & 0x10 != 0, first & 0x07);
    if !starts_partition || partition != 0 {
        return None;
    }
    let mut at = 1;
    if extended {
        let flags = *payload.get(1)?;
        at = 2;
        if flags & 0x80 != 0 {
            at += if payload.get(at)? & 0x80 != 0 { 2 } else { 1 };
        }
        at += usize::from(flags & 0x40 != 0);
        at += usize::from(flags & 0x30 != 0);
    }
    let frame = payload.get(at..)?;
    if frame.first()? & 0x01 != 0 {
        return None;
    }
    let size = match frame.get(3..10) {
        Some([0x9d, 0x01, 0x2a, w0, w1, h0, h1]) => Some(Size {
            width: u16::from_le_bytes([*w0, *w1]) & 0x3fff,
            height: u16::from_le_bytes([*h0, *h1]) & 0x3fff,
        }),
        _ => None,
    };
    Some(Keyframe { size })
}

fn vp9(payload: &[u8]) -> Option<Keyframe> {
    let first = *payload.first()?;
    let has = |bit: u8| first & bit != 0;
    let (picture_id, predicted, layers, flexible, begins, structure) =
        (has(0x80), has(0x40), has(0x20), has(0x10), has(0x08), has(0x02));
    if predicted || !begins {
        return None;
    }
    let mut at = 1;
    if picture_id {
        at += if payload.get(at)? & 0x80 != 0 { 2 } else { 1 };
    }
    if layers {
        let spatial = (payload.get(at)? >> 1) & 0x07;
        if spatial != 0 {
            return None;
        }
        at += if flexible { 1 } else { 2 };
    }
    let mut size = None;
    if structure {
        let head = *payload.get(at)?;
        at += 1;
        if head & 0x10 != 0 {
            // The largest spatial layer is the last one.
            for layer in 0..=(head >> 5) {
                let [w0, w1, h0, h1] = payload.get(at + usize::from(layer) * 4..)?.first_chunk::<4>()?;
                size = Some(Size {
                    width: u16::from_be_bytes([*w0, *w1]),
                    height: u16::from_be_bytes([*h0, *h1]),
                });
            }
        }
    }
    Some(Keyframe { size })
}

fn h264(payload: &[u8]) -> Option<Keyframe> {
    const IDR: u8 = 5;
    const SPS: u8 = 7;
    let nal = |unit: &[u8]| -> Option<Keyframe> {
        match unit.first()? & 0x1f {
            SPS => Some(Keyframe { size: h264_sps_size(unit) }),
            IDR => Some(Keyframe { size: None }),
            _ => None,
        }
    };
    match payload.first()? & 0x1f {
        1..=23 => nal(payload),
        24 => {
            let mut rest = payload.get(1..)?;
            let mut found: Option<Keyframe> = None;
            while let Some((length, after)) = rest.split_first_chunk::<2>() {
                let length = usize::from(u16::from_be_bytes(*length));
                let unit = after.get(..length)?;
                if let Some(keyframe) = nal(unit) {
                    found = Some(Keyframe { size: found.and_then(|f| f.size).or(keyframe.size) });
                }
                rest = after.get(length..)?;
            }
            found
        }
        28 => {
            let header = *payload.get(1)?;
            let starts = header & 0x80 != 0;
            (starts && header & 0x1f == IDR).then_some(Keyframe { size: None })
        }
        _ => None,
    }
}

/// Whether a B-slice begins in a payload, one that is predicted from a later picture (H.264 7.4.3, slice types 1 and 6).
/// `None` for codecs that have nothing like it over RTP. Reads hostile bytes: never panics.
pub fn b_slice(codec: Codec, payload: &[u8]) -> Option<bool> {
    if codec != Codec::H264 {
        return None;
    }
    let is_b = |header: u8, slice: &[u8]| {
        // Slices, whole or in partitions, that aren't a keyframe's.
        if !matches!(header & 0x1f, 1 | 2) {
            return false;
        }
        let mut bits = Bits { bytes: slice, at: 0 };
        bits.golomb().and_then(|_first_block| bits.golomb()).is_some_and(|kind| kind % 5 == 1)
    };
    let found = match payload {
        [first, rest @ ..] if first & 0x1f == 24 => {
            let (mut rest, mut found) = (rest, false);
            while let Some((length, after)) = rest.split_first_chunk::<2>() {
                let length = usize::from(u16::from_be_bytes(*length)).min(after.len());
                let (unit, more) = after.split_at(length);
                found |= unit.split_first().is_some_and(|(header, slice)| is_b(*header, slice));
                rest = more;
            }
            found
        }
        [first, header, slice @ ..] if first & 0x1f == 28 => header & 0x80 != 0 && is_b(*header, slice),
        [header, slice @ ..] => is_b(*header, slice),
        [] => false,
    };
    Some(found)
}

/// A reader of bits, most significant first. Past the end it answers `None`.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: u32) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            let byte = *self.bytes.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }

    fn flag(&mut self) -> Option<bool> {
        self.take(1).map(|bit| bit == 1)
    }

    /// Unsigned Exp-Golomb, bounded to 32 bits.
    fn golomb(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        Some(((1u64 << zeros) - 1 + u64::from(self.take(zeros)?)) as u32)
    }
}

fn h264_sps_size(unit: &[u8]) -> Option<Size> {
    let mut raw = Vec::with_capacity(unit.len().min(256));
    for &byte in unit.iter().skip(1).take(256) {
        // An emulation prevention byte follows two zeros.
        if byte == 3 && raw.ends_with(&[0, 0]) {
            continue;
        }
        raw.push(byte);
    }
    let mut bits = Bits { bytes: &raw, at: 0 };
    let profile = bits.take(8)?;
    bits.take(16)?;
    bits.golomb()?;
    let mut chroma = 1;
    if matches!(profile, 100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135) {
        chroma = bits.golomb()?;
        if chroma == 3 {
            bits.flag()?;
        }
        bits.golomb()?;
        bits.golomb()?;
        bits.flag()?;
        if bits.flag()? {
            // Scaling matrices are rare in live video and their size doesn't matter enough to parse them.
            return None;
        }
    }
    bits.golomb()?;
    match bits.golomb()? {
        0 => {
            bits.golomb()?;
        }
        1 => {
            bits.flag()?;
            bits.golomb()?;
            bits.golomb()?;
            for _ in 0..bits.golomb()?.min(255) {
                bits.golomb()?;
            }
        }
        _ => {}
    }
    bits.golomb()?;
    bits.flag()?;
    let width_mbs = bits.golomb()?.checked_add(1)?;
    let height_units = bits.golomb()?.checked_add(1)?;
    let frames_only = bits.flag()?;
    if !frames_only {
        bits.flag()?;
    }
    bits.flag()?;
    let (mut crop_x, mut crop_y) = (0u32, 0u32);
    if bits.flag()? {
        let (left, right) = (bits.golomb()?, bits.golomb()?);
        let (top, bottom) = (bits.golomb()?, bits.golomb()?);
        let unit_x = if matches!(chroma, 1 | 2) { 2 } else { 1 };
        let unit_y = if chroma == 1 { 2 } else { 1 } * if frames_only { 1 } else { 2 };
        crop_x = left.checked_add(right)?.checked_mul(unit_x)?;
        crop_y = top.checked_add(bottom)?.checked_mul(unit_y)?;
    }
    let width = width_mbs.checked_mul(16)?.checked_sub(crop_x)?;
    let height = height_units.checked_mul(if frames_only { 16 } else { 32 })?.checked_sub(crop_y)?;
    Some(Size { width: u16::try_from(width).ok()?, height: u16::try_from(height).ok()? })
}

fn leb128(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0usize;
    for (i, &byte) in bytes.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            return Some((value, i + 1));
        }
    }
    None
}

fn av1(payload: &[u8]) -> Option<Keyframe> {
    let aggregation = *payload.first()?;
    let (continues, elements, new_sequence) =
        (aggregation & 0x80 != 0, aggregation >> 4 & 3, aggregation & 0x08 != 0);
    if continues || !new_sequence {
        return None;
    }
    let mut rest = payload.get(1..)?;
    let mut index = 0;
    // With W = 0 every element has a length; else the last of W has none.
    while !rest.is_empty() {
        // There may be more empty ones than a byte counts.
        index = u8::saturating_add(index, 1);
        let element = if elements != 0 && index == elements {
            std::mem::take(&mut rest)
        } else {
            let (length, used) = leb128(rest)?;
            let element = rest.get(used..used.checked_add(length)?)?;
            rest = rest.get(used + length..)?;
            element
        };
        if let Some(size) = av1_sequence_size(element) {
            return Some(Keyframe { size: Some(size) });
        }
    }
    Some(Keyframe { size: None })
}

fn av1_sequence_size(obu: &[u8]) -> Option<Size> {
    const SEQUENCE_HEADER: u8 = 1;
    let header = *obu.first()?;
    if header >> 3 & 0x0f != SEQUENCE_HEADER {
        return None;
    }
    let mut at = if header & 0x04 != 0 { 2 } else { 1 };
    if header & 0x02 != 0 {
        at += leb128(obu.get(at..)?)?.1;
    }
    let mut bits = Bits { bytes: obu.get(at..)?, at: 0 };
    bits.take(3)?;
    bits.flag()?;
    if bits.flag()? {
        bits.take(5)?;
    } else {
        let mut decoder_model = false;
        let mut delay_bits = 0;
        if bits.flag()? {
            bits.take(32)?;
            bits.take(32)?;
            if bits.flag()? {
                bits.golomb()?;
            }
            decoder_model = bits.flag()?;
            if decoder_model {
                delay_bits = bits.take(5)? + 1;
                bits.take(32)?;
                bits.take(10)?;
            }
        }
        let initial_delay = bits.flag()?;
        for _ in 0..=bits.take(5)? {
            bits.take(12)?;
            if bits.take(5)? > 7 {
                bits.flag()?;
            }
            if decoder_model && bits.flag()? {
                bits.take(delay_bits)?;
                bits.take(delay_bits)?;
                bits.flag()?;
            }
            if initial_delay && bits.flag()? {
                bits.take(4)?;
            }
        }
    }
    let (width_bits, height_bits) = (bits.take(4)? + 1, bits.take(4)? + 1);
    let width = bits.take(width_bits)?.checked_add(1)?;
    let height = bits.take(height_bits)?.checked_add(1)?;
    Some(Size { width: u16::try_from(width).ok()?, height: u16::try_from(height).ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HD: Option<Size> = Some(Size { width: 1280, height: 720 });

    #[test]
    fn vp8_keyframes_start_partition_zero_and_tell_their_size() {
        let key = [0x10, 0x00, 0x00, 0x00, 0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x02];
        assert_eq!(keyframe(Codec::Vp8, &key), Some(Keyframe { size: HD }));
        let extended = [&[0x90, 0x80, 0x81, 0x02][..], &key[1..]].concat();
        assert_eq!(keyframe(Codec::Vp8, &extended), Some(Keyframe { size: HD }));
        let delta = [0x10, 0x01, 0x00, 0x00];
        assert_eq!(keyframe(Codec::Vp8, &delta), None);
        let later_packet = [0x00, 0x00, 0x00];
        assert_eq!(keyframe(Codec::Vp8, &later_packet), None);
    }

    #[test]
    fn vp8_pictures_have_numbers_of_7_or_15_bits_or_none() {
        assert_eq!(
            vp8_picture(&[0x90, 0xc0, 0x81, 0x02, 0x09]),
            Some(Picture { id: 0x102, is_wide: true, base: Some(9) })
        );
        assert_eq!(
            vp8_picture(&[0x90, 0x80, 0x7f, 0x00]),
            Some(Picture { id: 127, is_wide: false, base: None })
        );
        assert_eq!(vp8_picture(&[0x10, 0x00, 0x00]), None);
        assert_eq!(vp8_picture(&[0x90, 0xc0, 0x81]), None, "cut short");
    }

    #[test]
    fn vp9_keyframes_are_unpredicted_beginnings_of_the_lowest_layer() {
        let with_structure = [0x8a, 0x81, 0x02, 0x10, 0x05, 0x00, 0x02, 0xd0];
        assert_eq!(keyframe(Codec::Vp9, &with_structure), Some(Keyframe { size: HD }));
        assert_eq!(keyframe(Codec::Vp9, &[0x88, 0x01]), Some(Keyframe { size: None }));
        assert_eq!(keyframe(Codec::Vp9, &[0xc8, 0x01]), None, "predicted");
        assert_eq!(keyframe(Codec::Vp9, &[0x80, 0x01]), None, "not a beginning");
        assert_eq!(keyframe(Codec::Vp9, &[0xa8, 0x01, 0x02, 0x00]), None, "an upper layer");
    }

    #[test]
    fn h264_keyframes_start_at_a_parameter_set_or_an_idr_slice() {
        // Constrained baseline, 1280x720, as libx264 writes it.
        let sps = [
            0x67, 0x42, 0xc0, 0x1f, 0xd9, 0x00, 0x50, 0x05, 0xbb, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10,
            0x00, 0x00, 0x03, 0x03, 0xc0, 0xf1, 0x83, 0x24, 0x80,
        ];
        assert_eq!(keyframe(Codec::H264, &sps), Some(Keyframe { size: HD }));
        let mut aggregate = vec![0x78, 0x00, sps.len() as u8];
        aggregate.extend(sps);
        aggregate.extend([0x00, 0x02, 0x68, 0xce]);
        assert_eq!(keyframe(Codec::H264, &aggregate), Some(Keyframe { size: HD }));
        assert_eq!(
            keyframe(Codec::H264, &[0x7c, 0x85, 0x00]),
            Some(Keyframe { size: None }),
            "first fragment"
        );
        assert_eq!(keyframe(Codec::H264, &[0x7c, 0x05, 0x00]), None, "later fragment");
        assert_eq!(keyframe(Codec::H264, &[0x41, 0x9a]), None, "predicted slice");
        assert_eq!(keyframe(Codec::H264, &[0x78, 0xff, 0xff, 0x67]), None, "a lying length");
    }

    #[test]
    fn av1_keyframes_start_a_coded_video_sequence() {
        // Sequence header, main profile, one operating point at level 5 (3.1), 1280x720.
        let mut bits = String::new();
        bits += "000"; // profile
        bits += "0"; // still picture
        bits += "0"; // reduced header
        bits += "0"; // timing info
        bits += "0"; // initial display delay
        bits += "00000"; // operating points − 1
        bits += "000000000000"; // idc
        bits += "00101"; // level
        bits += "1010"; // width bits − 1 = 10
        bits += "1001"; // height bits − 1 = 9
        bits += "10011111111"; // 1279
        bits += "1011001111"; // 719
        bits += "00000";
        let bytes: Vec<u8> = bits
            .as_bytes()
            .chunks(8)
            .map(|chunk| chunk.iter().enumerate().fold(0, |byte, (i, bit)| byte | (bit - b'0') << (7 - i)))
            .collect();
        let mut payload = vec![0x08 | 0x20, bytes.len() as u8 + 1, 0x08];
        payload.extend(&bytes);
        payload.extend([0x30, 0x00]);
        assert_eq!(keyframe(Codec::Av1, &payload), Some(Keyframe { size: HD }));
        assert_eq!(keyframe(Codec::Av1, &[0x10, 0x30, 0x00]), None, "no new sequence");
        assert_eq!(keyframe(Codec::Av1, &[0x88, 0x30]), None, "goes on from the packet before");
    }

    #[test]
    fn b_slices_are_told_from_others() {
        // First block 0 (`1`), then the slice type: P 0 (`1`), B 1 (`010`), I 2 (`011`), and the same for whole pictures.
        let (p, b, i) = (0b1100_0000, 0b1010_0000, 0b1011_0000);
        let (all_p, all_b) = (0b1001_1000, 0b1001_1100);
        for (slice, is_b) in [(p, false), (b, true), (i, false), (all_p, false), (all_b, true)] {
            for payload in [
                vec![0x41, slice, 0x9a],
                vec![0x01, slice, 0x9a],
                vec![0x7c, 0x81, slice, 0x9a],
                vec![0x18, 0, 2, 0x09, 0x10, 0, 3, 0x41, slice, 0x9a],
                vec![0x18, 0, 9, 0x41, slice, 0x9a],
                vec![0x78, 0, 2, 0x67, 0x42, 0, 3, 0x41, slice, 0x9a],
            ] {
                assert_eq!(b_slice(Codec::H264, &payload), Some(is_b), "{payload:02x?}");
            }
            assert_eq!(b_slice(Codec::H264, &[0x7c, 0x01, slice, 0x9a]), Some(false), "a later fragment");
            assert_eq!(b_slice(Codec::H264, &[0x65, slice, 0x9a]), Some(false), "a keyframe's slice");
            assert_eq!(b_slice(Codec::Vp8, &[0x41, slice, 0x9a]), None);
        }
        assert_eq!(b_slice(Codec::H264, &[]), Some(false));
        assert_eq!(b_slice(Codec::H264, &[0x41]), Some(false), "cut short");
    }

    #[test]
    fn no_bytes_whatever_make_it_panic() {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        for round in 0..200_000 {
            let mut payload = Vec::new();
            for _ in 0..round % 48 {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                payload.push(state as u8);
            }
            for codec in [Codec::Vp8, Codec::Vp9, Codec::H264, Codec::Av1, Codec::Opus] {
                let _ = keyframe(codec, &payload);
                let _ = b_slice(codec, &payload);
            }
            let _ = vp8_picture(&payload);
        }
    }
}
