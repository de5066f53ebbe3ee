//! H.264 (RFC 6184), in packetization modes 0 and 1: single units, STAP-A and FU-A, to Annex B.
//!
//! Parameter sets are kept and put before keyframes that come without: a decoder may begin with any of them.

use super::{Broken, Format, Whole};

const IDR: u8 = 5;
const SPS: u8 = 7;
const PPS: u8 = 8;
const DELIMITER: u8 = 9;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;
const START: &[u8] = &[0, 0, 0, 1];
/// The most that is kept of each kind of parameter set. Encoders send one or two, of about 30 bytes.
const MOST_SETS: usize = 8;
const MOST_SET: usize = 1024;

/// Puts H.264 access units together.
#[derive(Debug, Default)]
pub struct H264 {
    data: Vec<u8>,
    /// Where in it the unit begins that comes in fragments.
    open: bool,
    has_picture: bool,
    keyframe: bool,
    /// What it has of parameter sets.
    has: [bool; 2],
    /// The last sequence and picture parameter sets, each as a unit, by what it begins with: its id is in there.
    sets: [Vec<Vec<u8>>; 2],
}

fn kind(header: u8) -> u8 {
    header & 0x1f
}

/// Whether an access unit may begin with this unit: `begin` are its first two bytes.
fn is_first(begin: &[u8]) -> bool {
    match begin {
        // A slice that has the first block: that number is written as one bit.
        [header, slice, ..] if matches!(kind(*header), 1 | IDR) => slice & 0x80 != 0,
        [header, ..] => matches!(kind(*header), SPS | DELIMITER),
        [] => false,
    }
}

/// The id of a parameter set, as far as one is told from another. A sequence parameter set's is behind three bytes of
/// profile and level.
fn set_id(unit: &[u8]) -> u32 {
    let at = if unit.first().is_some_and(|header| kind(*header) == SPS) { 4 } else { 1 };
    let bits = unit.iter().skip(at).take(4).fold(0u32, |bits, byte| bits << 8 | u32::from(*byte));
    let length = bits.leading_zeros();
    // Exp-Golomb: as many bits behind the first one as there are zeros before it.
    if length > 15 { u32::MAX } else { bits >> (31 - 2 * length) }
}

impl H264 {
    /// Notes what a unit is; its bytes are in `data`, from `at` on.
    fn note(&mut self, at: usize) {
        let unit = &self.data[at..];
        let Some(header) = unit.first() else { return };
        match kind(*header) {
            IDR => (self.has_picture, self.keyframe) = (true, true),
            1..=4 => self.has_picture = true,
            set @ (SPS | PPS) if unit.len() <= MOST_SET => {
                let which = usize::from(set - SPS);
                self.has[which] = true;
                let (unit, id) = (unit.to_vec(), set_id(unit));
                let sets = &mut self.sets[which];
                match sets.iter().position(|known| set_id(known) == id) {
                    Some(at) => sets[at] = unit,
                    None if sets.len() < MOST_SETS => sets.push(unit),
                    None => sets[0] = unit,
                }
            }
            _ => {}
        }
    }

    fn unit(&mut self, unit: &[u8]) {
        self.data.extend_from_slice(START);
        let at = self.data.len();
        self.data.extend_from_slice(unit);
        self.note(at);
    }
}

impl Format for H264 {
    fn may_begin(&self, payload: &[u8]) -> bool {
        match payload {
            [header, _, _, rest @ ..] if kind(*header) == STAP_A => is_first(rest),
            [indicator, header, rest @ ..] if kind(*indicator) == FU_A => {
                header & 0x80 != 0 && is_first(&[*header, rest.first().copied().unwrap_or_default()])
            }
            unit => is_first(unit),
        }
    }

    fn take(&mut self, payload: &[u8]) -> Result<(), Broken> {
        let header = *payload.first().ok_or(Broken)?;
        let is_fragment = kind(header) == FU_A;
        if self.open && !is_fragment {
            return Err(Broken);
        }
        match kind(header) {
            1..=23 => self.unit(payload),
            STAP_A => {
                let mut rest = &payload[1..];
                while let Some((length, after)) = rest.split_first_chunk::<2>() {
                    let length = usize::from(u16::from_be_bytes(*length));
                    let unit = after.get(..length).ok_or(Broken)?;
                    if !unit.first().is_some_and(|header| matches!(kind(*header), 1..=23)) {
                        return Err(Broken);
                    }
                    self.unit(unit);
                    rest = &after[length..];
                }
                if !rest.is_empty() {
                    return Err(Broken);
                }
            }
            FU_A => {
                let [_, flags, part @ ..] = payload else { return Err(Broken) };
                let (starts, ends) = (flags & 0x80 != 0, flags & 0x40 != 0);
                if starts == self.open || part.is_empty() {
                    return Err(Broken);
                }
                if starts {
                    let whole = header & 0xe0 | kind(*flags);
                    // Parameter sets are never so large that they come in parts.
                    if !matches!(kind(whole), 1..=6) {
                        return Err(Broken);
                    }
                    self.data.extend_from_slice(START);
                    let at = self.data.len();
                    self.data.push(whole);
                    self.note(at);
                }
                self.data.extend_from_slice(part);
                self.open = !ends;
            }
            // What is for other modes, or for nobody.
            _ => return Err(Broken),
        }
        Ok(())
    }

    fn held(&self) -> usize {
        self.data.len()
    }

    fn finish(&mut self) -> Result<Option<Whole>, Broken> {
        if self.open {
            return Err(Broken);
        }
        let (has_picture, keyframe, has) = (self.has_picture, self.keyframe, self.has);
        let mut data = std::mem::take(&mut self.data);
        self.clear();
        if !has_picture {
            return Ok(None);
        }
        if keyframe && has != [true, true] {
            let mut whole = Vec::with_capacity(data.len() + 128);
            let missing = self.sets.iter().zip(has).filter(|(_, has)| !has);
            for set in missing.flat_map(|(sets, _)| sets) {
                whole.extend_from_slice(START);
                whole.extend_from_slice(set);
            }
            whole.append(&mut data);
            data = whole;
        }
        Ok(Some(Whole { data, keyframe }))
    }

    fn clear(&mut self) {
        self.data.clear();
        (self.open, self.has_picture, self.keyframe, self.has) = (false, false, false, [false; 2]);
    }
}
