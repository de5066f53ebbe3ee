//! What frames say of themselves before they are decoded: sizes that are too large, kinds of picture that a decoder
//! doesn't take.

use super::{DecodeError, fits};
use crate::{Colour, UNSAID};

/// Looks at a VP8 frame (RFC 6386, section 9.1): a keyframe says its size.
pub fn vp8(data: &[u8]) -> Result<(), DecodeError> {
    let Some(&first) = data.first() else { return Err(DecodeError::Broken) };
    if first & 1 != 0 {
        return Ok(());
    }
    let &[_, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1, ..] = data else { return Err(DecodeError::Broken) };
    let side = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
    fits(side(w0, w1), side(h0, h1))
}

/// Looks at a VP9 frame, or at each in a superframe (VP9 bitstream specification, section 6.2 and annex B). A frame that
/// isn't a keyframe may say a new size, too.
pub fn vp9(data: &[u8]) -> Result<(), DecodeError> {
    let Some(&last) = data.last() else { return Err(DecodeError::Broken) };
    if last & 0xe0 == 0xc0 {
        let (count, bytes) = (usize::from(last & 7) + 1, usize::from(last >> 3 & 3) + 1);
        let index = 2 + count * bytes;
        if let Some(start) = data.len().checked_sub(index)
            && data[start] == last
        {
            let mut rest = &data[..start];
            for size in data[start + 1..data.len() - 1].chunks_exact(bytes) {
                let size = size.iter().rev().fold(0usize, |sum, byte| sum << 8 | usize::from(*byte));
                let Some((frame, after)) = rest.split_at_checked(size) else {
                    return Err(DecodeError::Broken);
                };
                if !frame.is_empty() {
                    vp9_frame(frame)?;
                }
                rest = after;
            }
            return Ok(());
        }
    }
    vp9_frame(data)
}

fn vp9_frame(data: &[u8]) -> Result<(), DecodeError> {
    vp9_sizes(&mut Bits::new(data)).unwrap_or(Err(DecodeError::Broken))
}

/// None if the header ends too soon.
fn vp9_sizes(bits: &mut Bits<'_>) -> Option<Result<(), DecodeError>> {
    if bits.read(2)? != 2 {
        return Some(Err(DecodeError::Broken));
    }
    let profile = bits.read(1)? | bits.read(1)? << 1;
    if profile == 3 {
        bits.read(1)?;
    }
    if bits.flag()? {
        return Some(Ok(())); // shows what is there already
    }
    let keyframe = !bits.flag()?;
    let shown = bits.flag()?;
    let resilient = bits.flag()?;
    if keyframe {
        bits.read(24)?;
        vp9_colour(bits, profile)?;
    } else {
        let intra_only = !shown && bits.flag()?;
        if !resilient {
            bits.read(2)?;
        }
        if intra_only {
            bits.read(24)?;
            if profile > 0 {
                vp9_colour(bits, profile)?;
            }
            bits.read(8)?;
        } else {
            bits.read(8 + 3 * 4)?;
            for _ in 0..3 {
                if bits.flag()? {
                    return Some(Ok(())); // as large as a picture that is there already
                }
            }
        }
    }
    let (width, height) = (bits.read(16)? + 1, bits.read(16)? + 1);
    Some(fits(width, height))
}

fn vp9_colour(bits: &mut Bits<'_>, profile: u32) -> Option<()> {
    const SRGB: u32 = 7;
    if profile >= 2 {
        bits.read(1)?;
    }
    if bits.read(3)? != SRGB {
        bits.read(1)?;
        if profile & 1 == 1 {
            bits.read(3)?;
        }
    } else if profile & 1 == 1 {
        bits.read(1)?;
    }
    Some(())
}

/// Looks at an AV1 temporal unit of OBUs with sizes for sequence headers (AV1 specification, section 5.5): they say how large a
/// picture can be. rav1d would take what is too large for damaged.
pub fn av1(data: &[u8]) -> Result<(), DecodeError> {
    let mut rest = data;
    while !rest.is_empty() {
        let (kind, unit, others) = av1_unit(rest).ok_or(DecodeError::Broken)?;
        if kind == AV1_SEQUENCE {
            let (width, height) = av1_sides(&mut Bits::new(unit)).ok_or(DecodeError::Broken)?;
            fits(width, height)?;
        }
        rest = others;
    }
    Ok(())
}

const AV1_SEQUENCE: u8 = 1;

/// The first unit's kind, what is in it, and what comes after it (section 5.3). None if it is longer than what there is.
fn av1_unit(data: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&header, rest) = data.split_first()?;
    let (kind, has_extension, has_size) = (header >> 3 & 15, header & 4 != 0, header & 2 != 0);
    let rest = rest.get(usize::from(has_extension)..)?;
    if !has_size {
        // It is the last one.
        return Some((kind, rest, &[]));
    }
    let mut size = 0u64;
    for (place, byte) in rest.iter().enumerate().take(8) {
        size |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            let (unit, others) = rest[place + 1..].split_at_checked(usize::try_from(size).ok()?)?;
            return Some((kind, unit, others));
        }
    }
    None
}

/// The largest width and height of a sequence header's pictures. None if it ends too soon.
fn av1_sides(bits: &mut Bits<'_>) -> Option<(u32, u32)> {
    bits.read(4)?;
    let is_reduced = bits.flag()?;
    if is_reduced {
        bits.read(5)?;
    } else {
        av1_operation(bits)?;
    }
    let (across, down) = (bits.read(4)? as usize + 1, bits.read(4)? as usize + 1);
    Some((bits.read(across)? + 1, bits.read(down)? + 1))
}

/// How long pictures are shown, how a decoder's buffer fills, and what of the layers can be decoded: passed over.
fn av1_operation(bits: &mut Bits<'_>) -> Option<()> {
    let mut delay_length = None;
    if bits.flag()? {
        bits.read(32)?;
        bits.read(32)?;
        if bits.flag()? {
            bits.golomb()?;
        }
        if bits.flag()? {
            delay_length = Some(bits.read(5)? as usize + 1);
            bits.read(32)?;
            bits.read(10)?;
        }
    }
    let has_delays = bits.flag()?;
    for _ in 0..=bits.read(5)? {
        bits.read(12)?;
        if bits.read(5)? > 7 {
            bits.read(1)?;
        }
        if let Some(length) = delay_length
            && bits.flag()?
        {
            bits.read(length)?;
            bits.read(length)?;
            bits.read(1)?;
        }
        if has_delays && bits.flag()? {
            bits.read(4)?;
        }
    }
    Some(())
}

/// Looks at an H.264 access unit (Annex B) for sequence parameter sets: whether OpenH264 takes such pictures, and how their
/// colours are meant if it says so.
pub fn h264(data: &[u8]) -> Result<Option<Colour>, DecodeError> {
    const SEQUENCE: u8 = 7;
    let mut told = None;
    for unit in units(data) {
        if unit.first().is_some_and(|first| first & 0x1f == SEQUENCE) {
            // What prevents start codes inside goes first; a parameter set is short.
            let mut plain = Vec::with_capacity(unit.len().min(256));
            for &byte in unit.iter().take(256) {
                if !(byte == 3 && plain.ends_with(&[0, 0])) {
                    plain.push(byte);
                }
            }
            told = Some(sequence(&mut Bits::new(&plain)).unwrap_or(Err(DecodeError::Broken))?);
        }
    }
    Ok(told)
}

/// The units between start codes.
fn units(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = data;
    std::iter::from_fn(move || {
        let start = rest.windows(3).position(|bytes| bytes == [0, 0, 1])? + 3;
        let unit = &rest[start..];
        let end = unit.windows(3).position(|bytes| bytes == [0, 0, 1]).unwrap_or(unit.len());
        rest = &unit[end..];
        Some(&unit[..end])
    })
}

/// A sequence parameter set (H.264, section 7.3.2.1.1). None if it ends too soon.
fn sequence(bits: &mut Bits<'_>) -> Option<Result<Colour, DecodeError>> {
    bits.read(8)?;
    let profile = bits.read(8)?;
    bits.read(16)?;
    bits.golomb()?;
    if [44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244].contains(&profile) {
        let chroma = bits.golomb()?;
        if chroma == 3 {
            bits.read(1)?;
        }
        let (luma_depth, chroma_depth) = (bits.golomb()? + 8, bits.golomb()? + 8);
        if chroma > 1 {
            let name = if chroma == 2 { "4:2:2" } else { "4:4:4" };
            return Some(refuse(&format!("with {name} chroma")));
        }
        if luma_depth != 8 || chroma_depth != 8 {
            return Some(refuse(&format!("of {} bits", luma_depth.max(chroma_depth))));
        }
        bits.read(1)?;
        if bits.flag()? {
            for list in 0..8 {
                if bits.flag()? {
                    skip_scaling(bits, if list < 6 { 16 } else { 64 })?;
                }
            }
        }
    }
    bits.golomb()?;
    match bits.golomb()? {
        0 => {
            bits.golomb()?;
        }
        1 => {
            bits.read(1)?;
            bits.golomb()?;
            bits.golomb()?;
            for _ in 0..bits.golomb()?.min(255) {
                bits.golomb()?;
            }
        }
        _ => {}
    }
    bits.golomb()?;
    bits.read(1)?;
    let across = bits.golomb()?.saturating_add(1).saturating_mul(16);
    let units = bits.golomb()?.saturating_add(1);
    let frames_only = bits.flag()?;
    let down = units.saturating_mul(if frames_only { 16 } else { 32 });
    if let Err(error) = fits(across, down) {
        return Some(Err(error));
    }
    if !frames_only {
        return Some(refuse("in fields (interlaced)"));
    }
    bits.read(1)?;
    if bits.flag()? {
        for _ in 0..4 {
            bits.golomb()?;
        }
    }
    // What follows may be missing without harm: nothing is said of colours then.
    Some(Ok(usability(bits).unwrap_or_default()))
}

fn refuse<T>(what: &str) -> Result<T, DecodeError> {
    Err(DecodeError::Refused(format!(
        "The H.264 picture is coded {what}, which the ladder can't decode. Publish 8-bit 4:2:0, progressive."
    )))
}

fn skip_scaling(bits: &mut Bits<'_>, count: usize) -> Option<()> {
    let (mut last, mut next) = (8i64, 8i64);
    for _ in 0..count {
        if next != 0 {
            let code = i64::from(bits.golomb()?);
            let delta = if code & 1 == 1 { code / 2 + 1 } else { -(code / 2) };
            next = (last + delta).rem_euclid(256);
        }
        last = if next == 0 { last } else { next };
    }
    Some(())
}

/// Video usability information (H.264, section E.1.1), as far as colours.
fn usability(bits: &mut Bits<'_>) -> Option<Colour> {
    const EXTENDED: u32 = 255;
    let mut colour = Colour::default();
    if !bits.flag()? {
        return Some(colour);
    }
    if bits.flag()? && bits.read(8)? == EXTENDED {
        bits.read(32)?;
    }
    if bits.flag()? {
        bits.read(1)?;
    }
    if bits.flag()? {
        bits.read(3)?;
        colour.full_range = bits.flag()?;
        if bits.flag()? {
            let mut point = || bits.read(8).map(|point| if point == 0 { UNSAID } else { point as u8 });
            colour.primaries = point()?;
            colour.transfer = point()?;
            colour.matrix = point()?;
        }
    }
    Some(colour)
}

/// Bits from the left.
struct Bits<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> Bits<'a> {
    fn new(data: &'a [u8]) -> Self {
        Self { data, at: 0 }
    }

    /// So many bits, at most 32.
    fn read(&mut self, count: usize) -> Option<u32> {
        let mut value = 0u32;
        for _ in 0..count {
            let byte = self.data.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }

    fn flag(&mut self) -> Option<bool> {
        self.read(1).map(|bit| bit == 1)
    }

    /// An Exp-Golomb code, unsigned (H.264, section 9.1).
    fn golomb(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        Some((1u32 << zeros) - 1 + self.read(zeros)?)
    }
}
