//! rav1e as the ladder sets it: at once, within its rate, a keyframe when one is asked for.

#![expect(clippy::unwrap_used, reason = "a test may stop")]

use picture::{
    Picture, Scaler, alike, decode,
    footage::{Clip, Kind},
    rav1e::{Encoded, Encoder, Settings},
};
use shared::{
    broadcast::Codec,
    unit::{Bitrate, Size},
};

const SIZE: Size = Size { width: 320, height: 180 };

fn settings(clip: &Clip, bitrate: u64) -> Settings {
    let colour = clip.picture(0).colour;
    Settings { size: SIZE, colour, rate: 30.0, bitrate: Bitrate(bitrate), keyframes: 100, finest: 0 }
}

fn encode(kind: Kind, bitrate: u64, count: u64, keys: &[u64]) -> Vec<Encoded> {
    let clip = Clip::new(kind, SIZE);
    let mut encoder = Encoder::open(settings(&clip, bitrate)).unwrap();
    (0..count)
        .map(|number| {
            if keys.contains(&(number + Encoder::AHEAD as u64)) {
                encoder.keyframe();
            }
            encoder.encode(&clip.picture(number).view()).unwrap().expect("every picture comes out at once")
        })
        .collect()
}

#[test]
fn a_picture_comes_out_when_it_went_in_and_looks_like_itself() {
    let clip = Clip::new(Kind::Film, SIZE);
    let mut decoder = decode::open(Codec::Av1).unwrap();
    for (number, encoded) in encode(Kind::Film, 500_000, 20, &[]).iter().enumerate() {
        let view = decoder.decode(&encoded.data).unwrap().unwrap();
        let (own, next) = (clip.picture(number as u64), clip.picture(number as u64 + 1));
        let alike = alike::psnr(&view, &own.view());
        assert!(alike > 28.0, "{number}: {alike} dB");
        assert!(alike > alike::psnr(&view, &next.view()), "{number} is not its neighbour");
    }
}

#[test]
fn keyframes_are_where_they_were_asked_for_and_stand_alone() {
    let encoded = encode(Kind::Film, 500_000, 40, &[12, 30]);
    let keys: Vec<usize> = (0..40).filter(|number| encoded[*number].keyframe).collect();
    assert_eq!(keys, [0, 12, 30]);
    let mut decoder = decode::open(Codec::Av1).unwrap();
    assert!(decoder.decode(&encoded[30].data).unwrap().is_some());
    assert!(decoder.decode(&encoded[31].data).unwrap().is_some());
}

#[test]
fn the_rate_is_held_over_any_two_seconds() {
    let keys = [60, 120, 180];
    for (kind, bitrate) in [(Kind::Film, 200_000), (Kind::Noise, 3_000_000)] {
        let encoded = encode(kind, bitrate, 210, &keys);
        let target = bitrate as f64 / 8.0 * 2.0;
        // The first picture may be what it likes.
        for window in encoded[1..].windows(60) {
            let sum: usize = window.iter().map(|encoded| encoded.data.len()).sum();
            let off = sum as f64 / target - 1.0;
            // Noise has more to say than it may: it stays below, and far below with the ceiling that text needs (docs/ladder.md).
            let least = if kind == Kind::Noise { -0.6 } else { -0.1 };
            assert!((least..0.1).contains(&off), "{kind:?}: {:+.0} %", off * 100.0);
        }
    }
}

#[test]
fn a_scaled_picture_keeps_its_content_and_its_meaning() {
    let large = Clip::new(Kind::Film, Size { width: 640, height: 360 }).picture(3);
    let mut half = Picture::new(SIZE, large.colour);
    assert!(Scaler::default().scale(&large.view(), SIZE, &mut half));
    assert_eq!(half.colour, large.colour);
    // Against the mean of four, the plainest way to halve a picture.
    let mut plain = half.clone();
    for (y, row) in plain.planes[0].chunks_exact_mut(320).enumerate() {
        for (x, value) in row.iter_mut().enumerate() {
            let at = |dy: usize, dx: usize| u32::from(large.planes[0][(2 * y + dy) * 640 + 2 * x + dx]);
            *value = ((at(0, 0) + at(0, 1) + at(1, 0) + at(1, 1) + 2) / 4) as u8;
        }
    }
    let alike = alike::psnr(&half.view(), &plain.view());
    assert!(alike > 34.0, "{alike} dB");
    let flat = Picture::new(Size { width: 641, height: 363 }, large.colour);
    assert!(Scaler::default().scale(&flat.view(), SIZE, &mut half));
    assert!(
        half.planes[0].iter().all(|value| *value == 16) && half.planes[2].iter().all(|value| *value == 128)
    );
}
