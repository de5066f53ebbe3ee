//! Every decoder with streams of its codec: whole ones, and all that can be wrong with one.

#![expect(clippy::unwrap_used, reason = "a test may stop")]

mod streams;

use picture::{
    alike,
    decode::{self, DecodeError, libvpx::Version},
};
use shared::{broadcast::Codec, unit::Size};
use streams::{Form, av1_as, b_frames, clip, stream, vpx};

const CODECS: [Codec; 4] = [Codec::Av1, Codec::Vp8, Codec::Vp9, Codec::H264];
const SMALL: Size = Size { width: 160, height: 96 };

/// The same numbers every time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most.max(1)
    }
}

#[test]
fn what_was_encoded_is_seen() {
    for codec in CODECS {
        let mut decoder = decode::open(codec).unwrap();
        for (number, (data, keyframe)) in stream(codec, SMALL, 6).iter().enumerate() {
            assert_eq!(*keyframe, number == 0, "{codec:?}");
            let view = decoder.decode(data).unwrap().unwrap();
            let alike = alike::psnr(&view, &clip(SMALL).picture(number as u64).view());
            assert!(alike > 30.0, "{codec:?} {number}: {alike} dB");
        }
    }
}

#[test]
fn odd_sizes_are_kept() {
    let odd = Size { width: 161, height: 97 };
    for codec in [Codec::Vp8, Codec::Vp9] {
        let (data, _) = &stream(codec, odd, 1)[0];
        let mut decoder = decode::open(codec).unwrap();
        let view = decoder.decode(data).unwrap().unwrap();
        assert_eq!(view.size(), odd);
        assert_eq!((view.planes[1].width, view.planes[1].height), (81, 49));
        assert!(alike::psnr(&view, &clip(odd).picture(0).view()) > 28.0, "{codec:?}");
    }
}

#[test]
fn a_size_that_changes_in_the_middle_is_followed() {
    for codec in CODECS {
        let mut decoder = decode::open(codec).unwrap();
        for size in [SMALL, Size { width: 96, height: 160 }, Size { width: 320, height: 192 }, SMALL] {
            for (data, _) in stream(codec, size, 2) {
                let view = decoder.decode(&data).unwrap().unwrap();
                assert_eq!(view.size(), size, "{codec:?}");
            }
        }
    }
}

#[test]
fn full_chroma_and_ten_bits_become_what_the_ladder_takes() {
    let pictures: Vec<_> = (0..2).map(|number| clip(SMALL).picture(number)).collect();
    for form in [Form::Full, Form::Deep] {
        let mut decoder = decode::open(Codec::Vp9).unwrap();
        for ((data, _), picture) in vpx(Version::Vp9, form, &pictures).iter().zip(&pictures) {
            let view = decoder.decode(data).unwrap().unwrap();
            assert_eq!((view.planes[1].width, view.planes[1].height), (80, 48), "{form:?}");
            let alike = alike::psnr(&view, &picture.view());
            assert!(alike > 28.0, "{form:?}: {alike} dB");
        }
    }
}

#[test]
fn av1_of_full_chroma_and_ten_bits_becomes_what_the_ladder_takes() {
    let pictures: Vec<_> = (0..3).map(|number| clip(SMALL).picture(number)).collect();
    for form in [Form::Full, Form::Deep] {
        let frames = av1_as(form, &pictures);
        assert_eq!(frames.len(), pictures.len());
        let mut decoder = decode::open(Codec::Av1).unwrap();
        for (data, picture) in frames.iter().zip(&pictures) {
            let view = decoder.decode(data).unwrap().unwrap();
            assert_eq!((view.planes[1].width, view.planes[1].height), (80, 48), "{form:?}");
            let alike = alike::psnr(&view, &picture.view());
            assert!(alike > 28.0, "{form:?}: {alike} dB");
        }
    }
}

#[test]
fn b_frames_come_out_in_the_order_in_which_they_are_shown() {
    let clip = clip(Size { width: 96, height: 64 });
    let mut decoder = decode::open(Codec::H264).unwrap();
    let units = b_frames();
    assert_eq!(units.len(), 10);
    let mut shown = 0;
    for unit in &units {
        if let Some(view) = decoder.decode(unit).unwrap() {
            let of = |number: u64| alike::psnr(&view, &clip.picture(number).view());
            let best = (0..10).max_by(|one, other| of(*one).total_cmp(&of(*other))).unwrap();
            assert_eq!(best, shown, "{} dB", of(best));
            shown += 1;
        }
    }
    assert!(shown >= 7, "{shown}: the last ones may be held back");
}

#[test]
fn nothing_is_shown_before_a_keyframe() {
    for codec in CODECS {
        let mut decoder = decode::open(codec).unwrap();
        for (data, _) in &stream(codec, SMALL, 4)[1..] {
            assert!(!matches!(decoder.decode(data), Ok(Some(_))), "{codec:?}");
        }
    }
}

#[test]
fn frames_that_are_cut_or_altered_end_no_process() {
    // rav1d 1.1.0 aborts where a frame breaks off inside a tile: the transcoding child ends then, and another one starts.
    for codec in [Codec::Vp8, Codec::Vp9, Codec::H264] {
        let frames = stream(codec, SMALL, 4);
        let mut chance = Chance(7);
        for _ in 0..100 {
            let mut decoder = decode::open(codec).unwrap();
            for (data, _) in &frames {
                let mut data = data.clone();
                match chance.below(4) {
                    0 => data.truncate(chance.below(data.len() + 1)),
                    1 => {
                        for _ in 0..1 + chance.below(6) {
                            let at = chance.below(data.len());
                            data[at] ^= 1 << chance.below(8);
                        }
                    }
                    2 => data
                        .extend((0..chance.below(60)).map(|_| chance.below(256) as u8).collect::<Vec<_>>()),
                    _ => {}
                }
                if let Ok(Some(view)) = decoder.decode(&data) {
                    let rows: usize = view.planes.iter().map(|plane| plane.rows().count()).sum();
                    assert!(rows > 0);
                }
            }
        }
    }
}

#[test]
fn chance_is_no_picture() {
    for codec in CODECS {
        let mut chance = Chance(99);
        for _ in 0..200 {
            let mut decoder = decode::open(codec).unwrap();
            let length = chance.below(400);
            let data: Vec<u8> = (0..length).map(|_| chance.below(256) as u8).collect();
            assert!(!matches!(decoder.decode(&data), Ok(Some(_))), "{codec:?} {data:?}");
        }
    }
}

fn refusal(codec: Codec, data: &[u8]) -> String {
    match decode::open(codec).unwrap().decode(data) {
        Err(DecodeError::Refused(why)) => why,
        other => panic!("{codec:?}: {other:?}"),
    }
}

#[test]
fn pictures_beyond_measure_are_refused_before_there_is_memory_for_them() {
    let mut vp8 = stream(Codec::Vp8, SMALL, 1).remove(0).0;
    vp8[6..10].copy_from_slice(&[0xff, 0x3f, 0xff, 0x3f]);
    assert!(refusal(Codec::Vp8, &vp8).contains("16383×16383"));
    let mut vp9 = stream(Codec::Vp9, SMALL, 1).remove(0).0;
    // Profile 0, a keyframe: its size follows three bytes of sync and four bits of colour.
    let size = |value: u16, data: &mut [u8], bit: usize| {
        for place in 0..16 {
            let (byte, shift) = ((bit + place) / 8, 7 - (bit + place) % 8);
            data[byte] = data[byte] & !(1 << shift) | ((value >> (15 - place) & 1) as u8) << shift;
        }
    };
    size(65534, &mut vp9, 8 + 24 + 4);
    size(65534, &mut vp9, 8 + 24 + 4 + 16);
    assert!(refusal(Codec::Vp9, &vp9).contains("65535×65535"));
    // An AV1 sequence header of the short kind: profile, still, reduced, level, bits of both sides, and the sides.
    let sequence = |width: u32, height: u32| {
        let fields = [(0, 3), (1, 1), (1, 1), (31, 5), (15, 4), (15, 4), (width - 1, 16), (height - 1, 16)];
        let bits: Vec<bool> = fields
            .iter()
            .flat_map(|(value, length)| (0..*length).rev().map(move |bit| value >> bit & 1 == 1))
            .collect();
        let mut unit: Vec<u8> = bits
            .chunks(8)
            .map(|byte| byte.iter().enumerate().fold(0, |sum, (at, bit)| sum | u8::from(*bit) << (7 - at)))
            .collect();
        unit.extend([0, 0x80]);
        let mut data = vec![0x0a, unit.len() as u8];
        data.extend(unit);
        data.extend([0x32, 3, 0x10, 0, 0]);
        data
    };
    assert!(refusal(Codec::Av1, &sequence(65536, 65536)).contains("65536×65536"));
    assert!(refusal(Codec::Av1, &sequence(4097, 16)).contains("4097×16"));
    let fits = decode::open(Codec::Av1).unwrap().decode(&sequence(4096, 4096)).map(|view| view.is_some());
    assert_eq!(fits, Err(DecodeError::Broken), "what follows it is nothing");
}

/// What encoders write before the size of their pictures is passed over rightly: else these would seem to be of another one.
#[test]
fn av1_of_the_largest_sizes_is_taken() {
    for size in [Size { width: 4096, height: 16 }, Size { width: 16, height: 4096 }] {
        let (data, _) = stream(Codec::Av1, size, 1).remove(0);
        let mut decoder = decode::open(Codec::Av1).unwrap();
        assert_eq!(decoder.decode(&data).unwrap().unwrap().size(), size);
    }
    let wide = Size { width: 4112, height: 16 };
    assert!(refusal(Codec::Av1, &stream(Codec::Av1, wide, 1)[0].0).contains("4112×16"));
}

#[test]
fn h264_of_other_kinds_is_refused_with_the_reason() {
    let golomb = |bits: &mut Vec<bool>, value: u32| {
        let value = value + 1;
        let length = 32 - value.leading_zeros();
        bits.extend((1..length).map(|_| false));
        bits.extend((0..length).rev().map(|bit| value >> bit & 1 == 1));
    };
    let set = |profile: u8, chroma: u32, depth: u32, (width, height): (u32, u32), fields: bool| {
        let mut bits = Vec::new();
        golomb(&mut bits, 0);
        if profile >= 100 {
            golomb(&mut bits, chroma);
            if chroma == 3 {
                bits.push(false);
            }
            golomb(&mut bits, depth - 8);
            golomb(&mut bits, depth - 8);
            bits.extend([false, false]);
        }
        golomb(&mut bits, 0);
        golomb(&mut bits, 2);
        golomb(&mut bits, 1);
        bits.push(false);
        golomb(&mut bits, width / 16 - 1);
        golomb(&mut bits, height / 16 - 1);
        bits.push(!fields);
        bits.extend([false; 4]);
        let mut data = vec![0, 0, 0, 1, 0x67, profile, 0, 31];
        data.extend(bits.chunks(8).map(|byte| {
            byte.iter().enumerate().fold(0u8, |sum, (place, bit)| sum | u8::from(*bit) << (7 - place))
        }));
        data.push(0x80);
        data
    };
    let hd = (1280, 720);
    assert!(refusal(Codec::H264, &set(244, 3, 8, hd, false)).contains("4:4:4"));
    assert!(refusal(Codec::H264, &set(122, 2, 8, hd, false)).contains("4:2:2"));
    assert!(refusal(Codec::H264, &set(110, 1, 10, hd, false)).contains("10 bits"));
    assert!(refusal(Codec::H264, &set(77, 1, 8, hd, true)).contains("interlaced"));
    assert!(refusal(Codec::H264, &set(66, 1, 8, (65520, 65520), false)).contains("too large"));
    assert!(!matches!(
        decode::open(Codec::H264).unwrap().decode(&set(66, 1, 8, hd, false)),
        Err(DecodeError::Refused(_))
    ));
}

#[test]
fn av1_units_that_lie_about_their_size_are_broken() {
    let (whole, _) = stream(Codec::Av1, SMALL, 1).remove(0);
    for lie in [0u8, 1, 0x7f, 0xff] {
        let mut data = whole.clone();
        data[1] = lie;
        let mut decoder = decode::open(Codec::Av1).unwrap();
        assert!(!matches!(decoder.decode(&data), Ok(Some(_))), "{lie}");
    }
    let mut decoder = decode::open(Codec::Av1).unwrap();
    let endless = [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    assert!(decoder.decode(&endless).is_err());
}
