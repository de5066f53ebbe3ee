//! VP8 over RTP (RFC 7741) that says by itself which packet of which frame it is.

/// How many packets a synthetic frame has.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// A keyframe.
    pub key: usize,
    /// Any other frame.
    pub delta: usize,
    /// Bytes in a packet, descriptor included.
    pub bytes: usize,
}

impl Default for Shape {
    fn default() -> Self {
        Self { key: 6, delta: 2, bytes: 900 }
    }
}

/// What a packet says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label {
    /// Whose frame.
    pub source: u32,
    /// Which frame, from 0.
    pub frame: u32,
    /// Which packet of it, from 0.
    pub part: u32,
    /// Whether the frame can be decoded without another.
    pub key: bool,
}

/// A packet's payload in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// The first packet of a frame.
    pub start: bool,
    /// The 15-bit picture id, if there is one.
    pub picture: Option<u16>,
    /// What it says of itself.
    pub label: Label,
    /// Everything after the payload descriptor.
    pub body: Vec<u8>,
}

const MAGIC: &[u8; 4] = b"weir";
const KEYFRAME_HEADER: usize = 10;
const DELTA_HEADER: usize = 3;

/// The payloads of one frame.
pub fn frame(source: u32, number: u32, key: bool, shape: Shape) -> Vec<Vec<u8>> {
    let parts = if key { shape.key } else { shape.delta };
    (0..parts)
        .map(|part| packet(Label { source, frame: number, part: part as u32, key }, shape.bytes))
        .collect()
}

fn packet(label: Label, bytes: usize) -> Vec<u8> {
    let picture = (label.frame as u16) & 0x7fff;
    // X, S on the first packet; I with a 15-bit picture id.
    let start = if label.part == 0 { 0x10 } else { 0 };
    let mut payload = vec![0x80 | start, 0x80, 0x80 | (picture >> 8) as u8, picture as u8];
    if label.part == 0 {
        // The frame tag: not a keyframe in bit 0, shown in bit 4; then the size of the first partition.
        let first_partition = 1000_u32;
        let tag = u32::from(!label.key) | 0x10 | (first_partition << 5);
        payload.extend_from_slice(&tag.to_le_bytes()[..3]);
        if label.key {
            payload.extend_from_slice(&[0x9d, 0x01, 0x2a]);
            payload.extend_from_slice(&1280_u16.to_le_bytes());
            payload.extend_from_slice(&720_u16.to_le_bytes());
        }
    }
    payload.extend_from_slice(MAGIC);
    for word in [label.source, label.frame, label.part, u32::from(label.key)] {
        payload.extend_from_slice(&word.to_be_bytes());
    }
    // Bytes that follow from the label, so that a mixed-up packet shows.
    let mut noise = label.source.wrapping_mul(31) ^ label.frame.wrapping_mul(2_654_435_761) ^ label.part;
    while payload.len() < bytes {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        payload.push((noise >> 24) as u8);
    }
    payload
}

/// Takes a payload apart; `None` if it is no VP8 of ours.
pub fn parse(payload: &[u8]) -> Option<Parsed> {
    let first = *payload.first()?;
    let mut at = 1;
    let mut picture = None;
    if first & 0x80 != 0 {
        let extension = *payload.get(at)?;
        at += 1;
        if extension & 0x80 != 0 {
            let high = *payload.get(at)?;
            if high & 0x80 != 0 {
                picture = Some(u16::from(high & 0x7f) << 8 | u16::from(*payload.get(at + 1)?));
                at += 2;
            } else {
                picture = Some(u16::from(high));
                at += 1;
            }
        }
        at += usize::from(extension & 0x40 != 0) + usize::from(extension & 0x30 != 0);
    }
    let start = first & 0x10 != 0 && first & 0x0f == 0;
    let body = payload.get(at..)?;
    let header = match (start, body.first()? & 1) {
        (true, 0) => KEYFRAME_HEADER,
        (true, _) => DELTA_HEADER,
        _ => 0,
    };
    let marked = body.get(header..)?.strip_prefix(MAGIC)?;
    let word = |i: usize| -> Option<u32> {
        Some(u32::from_be_bytes(marked.get(i * 4..i * 4 + 4)?.try_into().ok()?))
    };
    let label = Label { source: word(0)?, frame: word(1)?, part: word(2)?, key: word(3)? == 1 };
    Some(Parsed { start, picture, label, body: body.to_vec() })
}

/// The very body that a label's packet was sent with.
pub fn body(label: Label, shape: Shape) -> Vec<u8> {
    parse(&packet(label, shape.bytes)).map(|parsed| parsed.body).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_says_which_it_is() {
        for key in [true, false] {
            for (part, payload) in frame(7, 40_000, key, Shape::default()).iter().enumerate() {
                let parsed = parse(payload).unwrap();
                assert_eq!(parsed.label, Label { source: 7, frame: 40_000, part: part as u32, key });
                assert_eq!(parsed.start, part == 0);
                assert_eq!(parsed.picture, Some(40_000 & 0x7fff));
                assert_eq!(parsed.body, body(parsed.label, Shape::default()));
            }
        }
        assert_eq!(parse(&[0x10, 0, 0]), None);
    }
}
