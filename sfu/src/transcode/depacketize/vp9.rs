//! VP9 (RFC 9628). A picture in several spatial layers becomes one superframe (VP9's Annex B), of which a decoder shows the
//! largest.

use super::{Broken, Format, Whole};

/// A superframe has no more frames.
const MOST_LAYERS: usize = 8;

/// Puts VP9 pictures together.
#[derive(Debug, Default)]
pub struct Vp9 {
    data: Vec<u8>,
    /// Where in it each layer's frame begins.
    layers: Vec<usize>,
}

/// What a payload descriptor says of what is behind it.
struct Descriptor {
    length: usize,
    begins: bool,
    spatial: u8,
}

fn descriptor(payload: &[u8]) -> Option<Descriptor> {
    let first = *payload.first()?;
    let has = |bit: u8| first & bit != 0;
    let (numbered, predicted, layered, flexible, begins, structured) =
        (has(0x80), has(0x40), has(0x20), has(0x10), has(0x08), has(0x02));
    let (mut at, mut spatial) = (1, 0);
    if numbered {
        at += if payload.get(at)? & 0x80 != 0 { 2 } else { 1 };
    }
    if layered {
        spatial = payload.get(at)? >> 1 & 0x07;
        at += if flexible { 1 } else { 2 };
    }
    if predicted && flexible {
        // At most three references.
        for _ in 0..3 {
            at += 1;
            if payload.get(at - 1)? & 1 == 0 {
                break;
            }
        }
    }
    if structured {
        let head = *payload.get(at)?;
        at += 1;
        if head & 0x10 != 0 {
            at += (usize::from(head >> 5) + 1) * 4;
        }
        if head & 0x08 != 0 {
            let pictures = *payload.get(at)?;
            at += 1;
            for _ in 0..pictures {
                at += 1 + usize::from(payload.get(at)? >> 2 & 0x03);
            }
        }
    }
    Some(Descriptor { length: at, begins, spatial })
}

/// Whether a frame's header says that it is a keyframe (VP9 6.2).
fn is_keyframe(frame: &[u8]) -> bool {
    let Some(&first) = frame.first() else { return false };
    let profile = first >> 5 & 1 | first >> 3 & 2;
    // In profile 3 there is one more bit before what counts: whether an old frame is shown, and the type.
    let flags = if profile == 3 { first << 5 } else { first << 4 };
    first >> 6 == 2 && flags & 0xc0 == 0
}

impl Format for Vp9 {
    fn may_begin(&self, payload: &[u8]) -> bool {
        descriptor(payload).is_some_and(|found| found.begins && found.spatial == 0)
    }

    fn take(&mut self, payload: &[u8]) -> Result<(), Broken> {
        let found = descriptor(payload).ok_or(Broken)?;
        let part = payload.get(found.length..).filter(|part| !part.is_empty()).ok_or(Broken)?;
        if found.begins {
            if self.layers.len() == MOST_LAYERS {
                return Err(Broken);
            }
            self.layers.push(self.data.len());
        } else if self.layers.is_empty() {
            return Err(Broken);
        }
        self.data.extend_from_slice(part);
        Ok(())
    }

    fn held(&self) -> usize {
        self.data.len()
    }

    fn finish(&mut self) -> Result<Option<Whole>, Broken> {
        let (mut data, layers) = (std::mem::take(&mut self.data), std::mem::take(&mut self.layers));
        if data.is_empty() {
            return Ok(None);
        }
        let keyframe = is_keyframe(&data);
        if layers.len() > 1 {
            // Sizes of four bytes, and how many there are.
            let marker = 0xc0 | 3 << 3 | (layers.len() - 1) as u8;
            let ends: Vec<usize> = layers.iter().skip(1).copied().chain([data.len()]).collect();
            data.push(marker);
            for (begin, end) in layers.iter().zip(ends) {
                data.extend_from_slice(&((end - begin) as u32).to_le_bytes());
            }
            data.push(marker);
        }
        Ok(Some(Whole { data, keyframe }))
    }

    fn clear(&mut self) {
        self.data.clear();
        self.layers.clear();
    }
}
