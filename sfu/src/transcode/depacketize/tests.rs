use super::*;

/// A seeded source of numbers (xorshift).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x1234_5678_9abc_def1);
        let mut mixed = self.0;
        mixed ^= mixed >> 29;
        mixed = mixed.wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ mixed >> 32
    }

    pub fn below(&mut self, most: u64) -> u64 {
        self.next() % most
    }

    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }
}

const CODECS: [Codec; 4] = [Codec::Vp8, Codec::Vp9, Codec::H264, Codec::Av1];

/// A frame's payloads as a publisher's packetizer makes them, and the frame as it is to come out.
fn packetized(codec: Codec, key: bool, random: &mut Random) -> (Vec<Vec<u8>>, Vec<u8>) {
    let length = 2 + random.below(4000) as usize;
    let mut body = random.bytes(length);
    let cut = |body: &[u8]| body.chunks(900).map(<[u8]>::to_vec).collect::<Vec<_>>();
    match codec {
        Codec::Vp8 => {
            body[0] = body[0] & !1 | u8::from(!key);
            let payload = |(at, part): (usize, Vec<u8>)| {
                let begin = if at == 0 { 0x10 } else { 0 };
                [vec![0x80 | begin, 0x80, 0x81, at as u8], part].concat()
            };
            (cut(&body).into_iter().enumerate().map(payload).collect(), body)
        }
        Codec::Vp9 => {
            body[0] = 0x82 | u8::from(!key) << 2;
            let parts = cut(&body);
            let last = parts.len() - 1;
            let payload = |(at, part): (usize, Vec<u8>)| {
                let flags = if at == 0 { 0x08 } else { 0 } | if at == last { 0x04 } else { 0 };
                let predicted = if key { 0 } else { 0x40 };
                [vec![0x80 | predicted | flags, 0x05], part].concat()
            };
            (parts.into_iter().enumerate().map(payload).collect(), body)
        }
        Codec::H264 => {
            let header = if key { 0x65 } else { 0x41 };
            body[0] |= 0x80;
            let (mut payloads, mut whole) = (Vec::new(), Vec::new());
            if key {
                let (sps, pps) = ([0x67, 0x42, 0xc0, 0x1f, 0xd9], [0x68, 0xce, 0x3c]);
                payloads.push([&[0x78, 0, 5][..], &sps, &[0, 3], &pps].concat());
                whole.extend([START, &sps, START, &pps].concat());
            }
            whole.extend([START, &[header], &body].concat());
            let parts = cut(&body);
            let last = parts.len() - 1;
            if last == 0 {
                payloads.push([&[header], &body[..]].concat());
            } else {
                payloads.extend(parts.into_iter().enumerate().map(|(at, part)| {
                    let flags = if at == 0 { 0x80 } else { 0 } | if at == last { 0x40 } else { 0 };
                    [vec![header & 0xe0 | 28, flags | header & 0x1f], part].concat()
                }));
            }
            (payloads, whole)
        }
        _ => {
            body[0] = if key { 0x10 } else { 0x30 };
            let unit = [&[0x30], &body[..]].concat();
            let parts = cut(&unit);
            let last = parts.len() - 1;
            let payload = |(at, part): (usize, Vec<u8>)| {
                let flags = if at > 0 { 0x80 } else { 0 } | if at < last { 0x40 } else { 0 };
                if key && at == 0 {
                    [vec![flags | 0x28, 3, 0x08, 0, 7], part].concat()
                } else {
                    [vec![flags | 0x10], part].concat()
                }
            };
            let mut whole = if key { vec![0x0a, 2, 0, 7] } else { Vec::new() };
            whole.push(0x32);
            av1::push_leb128(&mut whole, body.len());
            whole.extend(&body);
            (parts.into_iter().enumerate().map(payload).collect(), whole)
        }
    }
}

const START: &[u8] = &[0, 0, 0, 1];

/// Packets of some frames, the first of them a keyframe, and the frames.
fn stream(codec: Codec, count: u32, random: &mut Random) -> (Vec<Received>, Vec<Vec<u8>>) {
    let (mut packets, mut frames) = (Vec::new(), Vec::new());
    for number in 0..count {
        let (payloads, whole) = packetized(codec, number % 10 == 0, random);
        let count = payloads.len();
        for (at, payload) in payloads.into_iter().enumerate() {
            let seq = 1000 + packets.len() as u64;
            // The clock wraps on the way.
            let time = (u32::MAX - 20_000).wrapping_add(number * 3000);
            packets.push(Received { seq, time, marker: at + 1 == count, payload: payload.into() });
        }
        frames.push(whole);
    }
    (packets, frames)
}

fn all(codec: Codec, packets: impl IntoIterator<Item = Received>) -> Vec<SourceFrame> {
    let mut depacketizer = Depacketizer::new(codec).unwrap();
    packets.into_iter().flat_map(|packet| depacketizer.push(packet)).collect()
}

#[test]
fn what_is_packetized_comes_out_whole() {
    for codec in CODECS {
        for seed in 0..100 {
            let (packets, frames) = stream(codec, 30, &mut Random(seed));
            let came = all(codec, packets);
            assert_eq!(came.len(), frames.len(), "{codec:?} {seed}");
            for (number, (came, frame)) in came.iter().zip(&frames).enumerate() {
                assert!(came.data[..] == frame[..], "{codec:?} {seed} {number}");
                assert_eq!(came.keyframe, number % 10 == 0, "{codec:?} {seed} {number}");
                assert!(!came.after_gap);
                let first = i64::from(u32::MAX - 20_000);
                assert_eq!(came.time, MediaTime(first + number as i64 * 3000), "times don't wrap");
            }
        }
    }
}

#[test]
fn order_and_duplicates_do_not_matter() {
    for codec in CODECS {
        for seed in 0..100 {
            let mut random = Random(seed);
            let (mut packets, frames) = stream(codec, 30, &mut random);
            for at in 1..packets.len() - 8 {
                let other = at + random.below(6) as usize;
                packets.swap(at, other);
                if random.below(10) == 0 {
                    packets.insert(other, packets[at].clone());
                }
            }
            let came = all(codec, packets);
            let data: Vec<&[u8]> = came.iter().map(|frame| &frame.data[..]).collect();
            // What is far behind may count as lost, by its time; most isn't.
            assert!(data.len() + 6 >= frames.len(), "{codec:?} {seed}: {}", data.len());
            let known = data.iter().filter(|data| frames.iter().any(|frame| frame == *data)).count();
            assert_eq!(known, data.len(), "{codec:?} {seed}: only what was sent comes out");
        }
    }
}

#[test]
fn without_markers_a_frame_ends_where_the_next_one_begins() {
    for codec in CODECS {
        let (mut packets, frames) = stream(codec, 20, &mut Random(7));
        packets.iter_mut().for_each(|packet| packet.marker = false);
        assert_eq!(all(codec, packets).len(), frames.len() - 1, "{codec:?}");
    }
}

#[test]
fn what_is_lost_takes_its_frame_with_it_and_the_next_one_is_told_of_it() {
    for codec in CODECS {
        for seed in 0..300 {
            let mut random = Random(seed);
            let (packets, frames) = stream(codec, 40, &mut random);
            let lost: Vec<usize> =
                (0..3).map(|_| 4 + random.below(packets.len() as u64 - 4) as usize).collect();
            let mut of = Vec::new();
            let mut number = 0;
            for packet in &packets {
                of.push(number);
                number += usize::from(packet.marker);
            }
            let hit: Vec<usize> = lost.iter().map(|at| of[*at]).collect();
            let left = packets.iter().enumerate().filter(|(at, _)| !lost.contains(at));
            // More behind it, so that nothing is waited for at the end.
            let last = packets.last().unwrap();
            let more = Received { seq: last.seq + 300, time: last.time.wrapping_add(90_000), ..last.clone() };
            let came = all(codec, left.map(|(_, packet)| packet.clone()).chain([more]));
            let mut told = None;
            for frame in &came {
                let at = (frame.time.0 - i64::from(u32::MAX - 20_000)) / 3000;
                // It ends with one that was sent for this only.
                let Ok(at) = usize::try_from(at) else { continue };
                let Some(sent) = frames.get(at) else { continue };
                // Parameter sets that were lost are put in again.
                assert!(
                    sent[..] == frame.data[..] || codec == Codec::H264 && frame.keyframe,
                    "{codec:?} {seed}"
                );
                let is_after = hit.iter().any(|hit| *hit < at && told.is_none_or(|told| *hit > told));
                if is_after && !frame.keyframe {
                    assert!(frame.after_gap, "{codec:?} {seed}: frame {at} of {hit:?}");
                }
                told = Some(at);
            }
            let kept =
                came.iter().filter(|frame| frames.iter().any(|sent| sent[..] == frame.data[..])).count();
            assert!(kept + 3 >= frames.len() && kept < frames.len(), "{codec:?} {seed}: {kept}");
        }
    }
}

#[test]
fn a_gap_is_waited_for_a_little_and_no_longer() {
    let (packets, _) = stream(Codec::Vp8, 40, &mut Random(3));
    let mut depacketizer = Depacketizer::new(Codec::Vp8).unwrap();
    let mut came = Vec::new();
    for packet in packets.iter().filter(|packet| packet.seq != packets[8].seq) {
        for frame in depacketizer.push(packet.clone()) {
            came.push((frame.time, packet.time));
        }
    }
    let waited = came.windows(2).any(|pair| pair[0].1 == pair[1].1);
    assert!(waited, "several came at once");
    let (shown, pushed) = came.last().unwrap();
    assert_eq!(shown.0 as u32, *pushed, "and then none is late");
}

#[test]
fn whatever_arrives_no_panic_and_no_more_memory_than_is_said() {
    for codec in CODECS {
        for seed in 0..400 {
            let mut random = Random(seed);
            let (mut packets, _) = stream(codec, 8, &mut random);
            for packet in &mut packets {
                let mut payload = packet.payload.to_vec();
                match random.below(8) {
                    0 => payload.truncate(random.below(6) as usize),
                    1 => {
                        let at = random.below(payload.len().min(8) as u64) as usize;
                        payload[at] = random.next() as u8;
                    }
                    2 => payload = random.bytes(40),
                    3 => packet.time = random.next() as u32,
                    4 => packet.seq = random.next() >> random.below(64),
                    5 => packet.marker = !packet.marker,
                    _ => {}
                }
                packet.payload = payload.into();
            }
            let mut depacketizer = Depacketizer::new(codec).unwrap();
            for packet in packets {
                for frame in depacketizer.push(packet) {
                    assert!(!frame.data.is_empty());
                }
                assert!(depacketizer.waiting.len() <= MOST_WAITING);
                assert!(depacketizer.waiting_bytes <= MOST_WAITING_BYTES);
                assert_eq!(
                    depacketizer.waiting_bytes,
                    depacketizer.waiting.values().map(|packet| packet.payload.len()).sum::<usize>()
                );
            }
        }
    }
}

#[test]
fn a_frame_that_never_ends_is_dropped_and_the_next_one_comes() {
    for codec in CODECS {
        let (begin, more): (Vec<u8>, Vec<u8>) = match codec {
            Codec::Vp8 => ([&[0x10][..], &[0; 1000]].concat(), vec![0; 1000]),
            Codec::Vp9 => ([&[0x08, 0x82][..], &[0; 1000]].concat(), vec![0; 1000]),
            Codec::H264 => {
                ([&[0x7c, 0x85][..], &[0x80; 1000]].concat(), [&[0x7c, 0x05][..], &[1; 1000]].concat())
            }
            _ => ([&[0x50, 0x30][..], &[0x10; 1000]].concat(), [&[0xd0][..], &[1; 1000]].concat()),
        };
        let mut depacketizer = Depacketizer::new(codec).unwrap();
        let mut most = 0;
        for seq in 0..10_000u64 {
            let payload = if seq == 0 { begin.clone() } else { more.clone() }.into();
            let frames = depacketizer.push(Received { seq, time: 5, marker: false, payload });
            assert!(frames.is_empty());
            most = most.max(depacketizer.format.held());
        }
        assert!((MOST_FRAME - 2000..=MOST_FRAME).contains(&most), "{codec:?}: {most}");
        assert_eq!(depacketizer.format.held(), 0);
        let (packets, frames) = stream(codec, 2, &mut Random(1));
        let after = packets.into_iter().map(|packet| Received { seq: packet.seq + 9_000, ..packet });
        let came: Vec<SourceFrame> = after.flat_map(|packet| depacketizer.push(packet)).collect();
        assert_eq!(came.len(), frames.len(), "{codec:?}");
    }
}

#[test]
fn layers_of_vp9_become_a_superframe() {
    let mut depacketizer = Depacketizer::new(Codec::Vp9).unwrap();
    // Two layers of a keyframe, the upper one predicted from the lower.
    let layer = |spatial: u8, seq: u64, marker: bool, body: &[u8]| {
        let descriptor = [0xac, 0x07, spatial << 1 | u8::from(spatial > 0), 0];
        Received { seq, time: 0, marker, payload: [&descriptor[..], body].concat().into() }
    };
    assert!(depacketizer.push(layer(0, 1, false, &[0x82, 1, 2])).is_empty());
    let frames = depacketizer.push(layer(1, 2, true, &[0x86, 3]));
    assert_eq!(frames[0].data[..], [0x82, 1, 2, 0x86, 3, 0xd9, 3, 0, 0, 0, 2, 0, 0, 0, 0xd9]);
    assert!(frames[0].keyframe);
}

#[test]
fn parameter_sets_are_put_before_keyframes_that_come_without() {
    let mut depacketizer = Depacketizer::new(Codec::H264).unwrap();
    let (sps, pps, key) = ([0x67, 0x42, 0, 0x1f, 0xd9], [0x68, 0xce], [0x65, 0x88, 1]);
    let mut seq = 0;
    let mut push = |time: u32, marker: bool, payload: &[u8]| {
        seq += 1;
        depacketizer.push(Received { seq, time, marker, payload: payload.into() })
    };
    assert!(push(0, false, &sps).is_empty());
    assert!(push(0, true, &pps).is_empty(), "no picture in it");
    let whole = [START, &sps, START, &pps, START, &key].concat();
    assert_eq!(push(3000, true, &key)[0].data[..], whole[..]);
    assert_eq!(push(6000, true, &key)[0].data[..], whole[..], "again");
    let frames = push(9000, true, &[0x41, 0x9a]);
    assert_eq!(frames[0].data[..], [START, &[0x41, 0x9a]].concat()[..]);
    // Another of the same id takes its place.
    let other = [0x67, 0x64, 0, 0x28, 0xd9];
    push(12_000, true, &other);
    let whole = [START, &other, START, &pps, START, &key].concat();
    assert_eq!(push(15_000, true, &key)[0].data[..], whole[..]);
}

#[test]
fn obus_lose_what_no_decoder_needs_and_get_their_sizes() {
    let mut depacketizer = Depacketizer::new(Codec::Av1).unwrap();
    // A temporal delimiter with a size, a sequence header, metadata, a keyframe.
    let payload = [0x00, 2, 0x12, 0, 3, 0x08, 0, 7, 2, 0x28, 9, 3, 0x30, 0x10, 5];
    let frames = depacketizer.push(Received { seq: 1, time: 0, marker: true, payload: payload.into() });
    assert_eq!(frames[0].data[..], [0x0a, 2, 0, 7, 0x32, 2, 0x10, 5]);
    assert!(frames[0].keyframe);
    // Sizes that lie.
    for lying in
        [&[0x10, 0x32, 9, 0x10, 5][..], &[0x00, 9, 0x30, 0x10], &[0x00, 0xff, 0xff, 0xff, 0xff, 0xff]]
    {
        let frames = depacketizer.push(Received { seq: 2, time: 3000, marker: true, payload: lying.into() });
        assert!(frames.is_empty());
    }
}
