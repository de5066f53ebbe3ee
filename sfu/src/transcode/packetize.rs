//! A rung's frames as RTP payloads (AV1's payload format, v1.0.0): all of a frame's equally long but the last, which may be
//! shorter, so that one segmented send carries them.

use std::sync::Arc;

/// No payload is longer: 1,200 bytes with RTP's header, its extensions and SRTP's tag.
pub const MOST_PAYLOAD: usize = 1130;

const SEQUENCE_HEADER: u8 = 1;
const TEMPORAL_DELIMITER: u8 = 2;
/// The most elements that a packet can have without the last one's length being written.
const COUNTED: usize = 3;

/// Cuts one rung's frames. It keeps the sequence header: each keyframe needs it.
#[derive(Debug, Default)]
pub struct Packetizer {
    sequence_header: Option<Vec<u8>>,
}

/// An OBU without its size.
struct Unit {
    bytes: Vec<u8>,
}

impl Packetizer {
    /// The payloads of a frame, in order, whose last one ends it. `data` is a temporal unit of OBUs with sizes; none come of
    /// one that isn't.
    pub fn packets(&mut self, data: &[u8], keyframe: bool) -> Vec<Arc<[u8]>> {
        let Some(mut units) = units(data).filter(|units| !units.is_empty()) else { return Vec::new() };
        let is_sequence = |unit: &Unit| unit.bytes[0] >> 3 & 0x0f == SEQUENCE_HEADER;
        match units.iter().find(|unit| is_sequence(unit)) {
            Some(unit) => self.sequence_header = Some(unit.bytes.clone()),
            None if keyframe => {
                let kept = self.sequence_header.iter().map(|kept| Unit { bytes: kept.clone() });
                units.splice(0..0, kept);
            }
            None => {}
        }
        let lengths: Vec<usize> = units.iter().map(|unit| unit.bytes.len()).collect();
        let plan = plan(&lengths);
        plan.iter()
            .enumerate()
            .map(|(index, packet)| written(packet, &units, keyframe && index == 0))
            .collect()
    }
}

/// The OBUs of a temporal unit, without sizes and temporal delimiters. `None`: it can't be read.
fn units(mut data: &[u8]) -> Option<Vec<Unit>> {
    let mut units = Vec::new();
    while let Some(&header) = data.first() {
        let extended = header & 0x04 != 0;
        let head = data.get(..1 + usize::from(extended))?;
        let mut rest = &data[head.len()..];
        let mut length = rest.len();
        if header & 0x02 != 0 {
            let (said, used) = super::depacketize::leb128(rest)?;
            rest = &rest[used..];
            length = said;
        }
        let body = rest.get(..length)?;
        if header >> 3 & 0x0f != TEMPORAL_DELIMITER {
            let mut bytes = Vec::with_capacity(head.len() + body.len());
            bytes.push(header & !0x02);
            bytes.extend_from_slice(&head[1..]);
            bytes.extend_from_slice(body);
            units.push(Unit { bytes });
        }
        data = &rest[length..];
    }
    Some(units)
}

/// A part of a unit in a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    unit: usize,
    from: usize,
    to: usize,
    /// Its length is written before it.
    measured: bool,
}

/// What is in one packet.
#[derive(Debug, Default, PartialEq, Eq)]
struct Plan {
    parts: Vec<Part>,
    /// The first part goes on with a unit; the last one's unit goes on.
    continues: bool,
    goes_on: bool,
}

impl Plan {
    fn length(&self) -> usize {
        let part = |part: &Part| {
            let bytes = part.to - part.from;
            bytes + if part.measured { leb128_length(bytes) } else { 0 }
        };
        1 + self.parts.iter().map(part).sum::<usize>()
    }
}

fn leb128_length(value: usize) -> usize {
    (usize::BITS - (value | 1).leading_zeros()).div_ceil(7) as usize
}

/// As few packets as can be, about as long as each other: the last one would be short otherwise.
fn plan(lengths: &[usize]) -> Vec<Plan> {
    let fullest = filled(lengths, MOST_PAYLOAD);
    let count = fullest.len();
    let total: usize = fullest.iter().map(Plan::length).sum();
    let is_even = |plan: &Vec<Plan>| {
        let size = plan.first().map_or(0, Plan::length);
        plan.len() == count
            && plan.split_last().is_none_or(|(last, others)| {
                last.length() <= size && others.iter().all(|packet| packet.length() == size)
            })
    };
    let least = total.div_ceil(count.max(1));
    let even = (least..(least + 16).min(MOST_PAYLOAD)).map(|size| filled(lengths, size)).find(is_even);
    even.or_else(|| {
        (least + 16..=MOST_PAYLOAD).rev().take(16).map(|size| filled(lengths, size)).find(is_even)
    })
    .unwrap_or(fullest)
}

/// Packets of `size` bytes, but where a length can't be written so that it comes out even, and the last.
fn filled(lengths: &[usize], size: usize) -> Vec<Plan> {
    let mut packets = Vec::new();
    let mut packet = Plan::default();
    // What is left in the packet after the aggregation header.
    let mut left = size - 1;
    for (unit, &length) in lengths.iter().enumerate() {
        let mut from = 0;
        while from < length {
            let remains = length - from;
            // The last part needs no length if the parts are counted.
            let is_counted = packet.parts.len() < COUNTED;
            let needs = |bytes: usize| bytes + leb128_length(bytes);
            let (bytes, measured) = if is_counted && remains >= left {
                (left, false)
            } else if needs(remains) <= left {
                (remains, true)
            } else {
                // As much as fits behind its length.
                let most = (0..left).rev().find(|bytes| needs(*bytes) <= left).unwrap_or(0);
                (most.min(remains), true)
            };
            if bytes == 0 {
                (packet, left) = next(&mut packets, packet, size, from > 0);
                continue;
            }
            packet.parts.push(Part { unit, from, to: from + bytes, measured });
            left -= bytes + if measured { leb128_length(bytes) } else { 0 };
            from += bytes;
            let is_all = from == length && unit + 1 == lengths.len();
            if (left == 0 || from < length) && !is_all {
                packet.goes_on = from < length;
                (packet, left) = next(&mut packets, packet, size, from < length);
            }
        }
    }
    if !packet.parts.is_empty() {
        // The last packet's last part needs no length either.
        let is_counted = packet.parts.len() <= COUNTED;
        if let Some(last) = packet.parts.last_mut().filter(|_| is_counted) {
            last.measured = false;
        }
        packets.push(packet);
    }
    packets
}

fn next(packets: &mut Vec<Plan>, packet: Plan, size: usize, continues: bool) -> (Plan, usize) {
    packets.push(packet);
    (Plan { continues, ..Plan::default() }, size - 1)
}

fn written(packet: &Plan, units: &[Unit], begins_sequence: bool) -> Arc<[u8]> {
    let is_counted = packet.parts.last().is_some_and(|last| !last.measured);
    let count = if is_counted { packet.parts.len() as u8 } else { 0 };
    let mut bytes = Vec::with_capacity(packet.length());
    let flag = |is: bool, bit: u8| if is { bit } else { 0 };
    bytes.push(
        flag(packet.continues, 0x80) | flag(packet.goes_on, 0x40) | count << 4 | flag(begins_sequence, 0x08),
    );
    for part in &packet.parts {
        if part.measured {
            let mut length = part.to - part.from;
            while length >= 0x80 {
                bytes.push(length as u8 | 0x80);
                length >>= 7;
            }
            bytes.push(length as u8);
        }
        bytes.extend_from_slice(&units[part.unit].bytes[part.from..part.to]);
    }
    bytes.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcode::depacketize::{Depacketizer, Received, tests::Random};
    use shared::broadcast::Codec;

    fn obu(kind: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![kind << 3 | 2];
        let mut length = body.len();
        while length >= 0x80 {
            bytes.push(length as u8 | 0x80);
            length >>= 7;
        }
        bytes.push(length as u8);
        bytes.extend_from_slice(body);
        bytes
    }

    /// A frame as rav1e makes them, of random tiles.
    fn frame(random: &mut Random, key: bool) -> Vec<u8> {
        let mut data = Vec::new();
        if key {
            data.extend(obu(SEQUENCE_HEADER, &[0x00, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
        }
        let header: &[u8] = if key { &[0x10, 1, 2] } else { &[0x30, 1, 2] };
        if random.below(2) == 0 {
            let length = random.below(5000) as usize;
            data.extend(obu(6, &[header, &random.bytes(length)].concat()));
        } else {
            data.extend(obu(3, header));
            for _ in 0..=random.below(5) {
                let length =
                    [random.below(20), random.below(400), random.below(4000)][random.below(3) as usize];
                data.extend(obu(4, &random.bytes(length as usize)));
            }
        }
        data
    }

    #[test]
    fn frames_come_back_the_same_in_equal_packets() {
        let (mut uneven, mut many) = (0, 0);
        for seed in 0..2_000 {
            let mut random = Random(seed);
            let (mut packetizer, mut seq) = (Packetizer::default(), 1);
            let mut depacketizer = Depacketizer::new(Codec::Av1).unwrap();
            for number in 0..3u32 {
                let data = frame(&mut random, number == 0);
                let packets = packetizer.packets(&data, number == 0);
                let (last, others) = packets.split_last().unwrap();
                assert!(packets.iter().all(|packet| packet.len() <= MOST_PAYLOAD));
                many += usize::from(!others.is_empty());
                uneven += usize::from(
                    others.iter().any(|packet| packet.len() != packets[0].len())
                        || last.len() > packets[0].len(),
                );
                let mut frames = Vec::new();
                for (at, payload) in packets.iter().enumerate() {
                    let marker = at + 1 == packets.len();
                    assert_eq!(payload[0] & 0x08 != 0, number == 0 && at == 0, "N on a keyframe's first");
                    let (time, payload) = (number * 3000, payload.clone());
                    frames.extend(depacketizer.push(Received { seq, time, marker, payload }));
                    seq += 1;
                }
                assert_eq!(frames.len(), 1, "seed {seed}");
                assert!(frames[0].data[..] == data[..], "seed {seed}");
                assert_eq!(frames[0].keyframe, number == 0);
            }
        }
        assert!(many > 2_000, "{many}");
        assert!(uneven * 1000 <= many, "{uneven} of {many} uneven");
    }

    #[test]
    fn the_last_packet_of_a_large_frame_is_about_as_long_as_the_others() {
        let data = obu(6, &[0x30; 20_000]);
        let packets = Packetizer::default().packets(&data, false);
        assert_eq!(packets.len(), 18);
        assert!(packets[17].len() + 18 >= packets[0].len(), "{}", packets[17].len());
    }

    #[test]
    fn a_keyframe_without_its_sequence_header_gets_the_last_one() {
        let mut packetizer = Packetizer::default();
        let header = obu(SEQUENCE_HEADER, &[0x00, 7, 7]);
        let key = obu(6, &[0x10, 1]);
        packetizer.packets(&[header.clone(), key.clone()].concat(), true);
        let packets = packetizer.packets(&key, true);
        assert_eq!(packets[0][..], [0x28, 4, 0x08, 0, 7, 7, 0x30, 0x10, 1]);
        let packets = packetizer.packets(&obu(6, &[0x30, 1]), false);
        assert_eq!(packets[0][..], [0x10, 0x30, 0x30, 1]);
    }

    #[test]
    fn temporal_delimiters_are_left_out_and_what_is_no_obu_gives_nothing() {
        let mut packetizer = Packetizer::default();
        let data = [obu(TEMPORAL_DELIMITER, &[]), obu(6, &[0x30])].concat();
        assert_eq!(packetizer.packets(&data, false).len(), 1);
        assert!(packetizer.packets(&[0x32, 0xff, 0xff], false).is_empty());
        assert!(packetizer.packets(&[], true).is_empty());
    }
}
