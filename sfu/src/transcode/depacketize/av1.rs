//! AV1 (its RTP payload format, v1.0.0), to OBUs with sizes. What a decoder has no use for is left out: temporal delimiters,
//! metadata, padding, tile lists.

use super::{Broken, Format, MOST_FRAME, Whole, leb128};

const SEQUENCE_HEADER: u8 = 1;
const TEMPORAL_DELIMITER: u8 = 2;
const FRAME_HEADER: u8 = 3;
const TILE_GROUP: u8 = 4;
const FRAME: u8 = 6;
const REDUNDANT_FRAME_HEADER: u8 = 7;

/// Puts AV1 temporal units together.
#[derive(Debug, Default)]
pub struct Av1 {
    data: Vec<u8>,
    /// The OBU that goes on in the next packet.
    open: Option<Vec<u8>>,
    has_sequence: bool,
    /// The sequence is of still pictures, whose headers are short.
    is_still: bool,
    /// What the first frame is, once its header came.
    keyframe: Option<bool>,
}

fn kind(header: u8) -> u8 {
    header >> 3 & 0x0f
}

impl Av1 {
    /// Takes a whole OBU, with or without a size of its own.
    fn unit(&mut self, unit: &[u8]) -> Result<(), Broken> {
        let header = *unit.first().ok_or(Broken)?;
        let (extended, sized) = (header & 0x04 != 0, header & 0x02 != 0);
        if header & 0x80 != 0 {
            return Err(Broken);
        }
        let (head, mut body) = unit.split_at_checked(1 + usize::from(extended)).ok_or(Broken)?;
        if sized {
            let (length, used) = leb128(body).ok_or(Broken)?;
            body = &body[used..];
            if body.len() != length {
                return Err(Broken);
            }
        }
        match kind(header) {
            SEQUENCE_HEADER => {
                self.has_sequence = true;
                self.is_still = body.first().ok_or(Broken)? & 0x08 != 0;
            }
            FRAME_HEADER | FRAME => {
                let first = *body.first().ok_or(Broken)?;
                // Bits: an old frame is shown, two of the type; 0 is a keyframe's.
                self.keyframe.get_or_insert(self.is_still || first & 0xe0 == 0);
            }
            TILE_GROUP | REDUNDANT_FRAME_HEADER => {}
            _ => return Ok(()),
        }
        self.data.push(header | 0x02);
        self.data.extend_from_slice(&head[1..]);
        push_leb128(&mut self.data, body.len());
        self.data.extend_from_slice(body);
        Ok(())
    }
}

/// Writes a number of AV1's.
pub(super) fn push_leb128(to: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        to.push(value as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}

impl Format for Av1 {
    fn may_begin(&self, payload: &[u8]) -> bool {
        let Some((&aggregation, rest)) = payload.split_first() else { return false };
        let skip = if aggregation >> 4 & 3 == 1 { Some(0) } else { leb128(rest).map(|(_, used)| used) };
        let first = skip.and_then(|skip| rest.get(skip));
        aggregation & 0x80 == 0
            && first.is_some_and(|header| {
                matches!(kind(*header), SEQUENCE_HEADER | TEMPORAL_DELIMITER | FRAME_HEADER | FRAME)
            })
    }

    fn take(&mut self, payload: &[u8]) -> Result<(), Broken> {
        let (&aggregation, mut rest) = payload.split_first().ok_or(Broken)?;
        let (continues, goes_on) = (aggregation & 0x80 != 0, aggregation & 0x40 != 0);
        let count = usize::from(aggregation >> 4 & 3);
        if continues != self.open.is_some() || rest.is_empty() {
            return Err(Broken);
        }
        let mut index = 0;
        while !rest.is_empty() {
            index += 1;
            let element = if index == count {
                std::mem::take(&mut rest)
            } else {
                let (length, used) = leb128(rest).ok_or(Broken)?;
                let (element, after) = rest[used..].split_at_checked(length).ok_or(Broken)?;
                rest = after;
                element
            };
            let mut begun = self.open.take();
            if rest.is_empty() && goes_on {
                let open = self.open.insert(begun.unwrap_or_default());
                open.extend_from_slice(element);
                if self.data.len() + open.len() > MOST_FRAME {
                    return Err(Broken);
                }
            } else if let Some(begun) = &mut begun {
                begun.extend_from_slice(element);
                self.unit(begun)?;
            } else if !element.is_empty() {
                self.unit(element)?;
            }
        }
        if count != 0 && index != count {
            return Err(Broken);
        }
        Ok(())
    }

    fn held(&self) -> usize {
        self.data.len() + self.open.as_ref().map_or(0, Vec::len)
    }

    fn finish(&mut self) -> Result<Option<Whole>, Broken> {
        if self.open.is_some() {
            return Err(Broken);
        }
        let data = std::mem::take(&mut self.data);
        let keyframe = self.has_sequence && self.keyframe == Some(true);
        let has_picture = self.keyframe.is_some();
        self.clear();
        Ok(has_picture.then_some(Whole { data, keyframe }))
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}
