//! VP8 (RFC 7741).

use super::{Broken, Format, Whole};

/// Puts VP8 frames together.
#[derive(Debug, Default)]
pub struct Vp8 {
    data: Vec<u8>,
}

/// The length of the payload descriptor, and whether a frame begins behind it.
fn descriptor(payload: &[u8]) -> Option<(usize, bool)> {
    let first = *payload.first()?;
    let begins = first & 0x10 != 0 && first & 0x07 == 0;
    let mut length = 1;
    if first & 0x80 != 0 {
        let flags = *payload.get(1)?;
        length = 2;
        if flags & 0x80 != 0 {
            length += if payload.get(2)? & 0x80 != 0 { 2 } else { 1 };
        }
        length += usize::from(flags & 0x40 != 0) + usize::from(flags & 0x30 != 0);
    }
    Some((length, begins))
}

impl Format for Vp8 {
    fn may_begin(&self, payload: &[u8]) -> bool {
        descriptor(payload).is_some_and(|(_, begins)| begins)
    }

    fn take(&mut self, payload: &[u8]) -> Result<(), Broken> {
        let (length, begins) = descriptor(payload).ok_or(Broken)?;
        let part = payload.get(length..).ok_or(Broken)?;
        if begins != self.data.is_empty() || part.is_empty() {
            return Err(Broken);
        }
        self.data.extend_from_slice(part);
        Ok(())
    }

    fn held(&self) -> usize {
        self.data.len()
    }

    fn finish(&mut self) -> Result<Option<Whole>, Broken> {
        let data = std::mem::take(&mut self.data);
        let Some(first) = data.first() else { return Ok(None) };
        let keyframe = first & 1 == 0;
        Ok(Some(Whole { data, keyframe }))
    }

    fn clear(&mut self) {
        self.data.clear();
    }
}
