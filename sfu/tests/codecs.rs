//! Rungs of a source in each codec: what they show, and what becomes of them when frames are lost, when the size changes, and
//! when pictures come in another order than they are shown in.

#![expect(clippy::unwrap_used, reason = "a test may stop")]

#[allow(dead_code, reason = "other tests need the rest of the streams")]
#[path = "../picture/tests/streams/mod.rs"]
mod streams;

use picture::{
    Colour, Picture, Scaler, alike, decode,
    rav1e::{Encoder, Settings},
};
use sfu::transcode::{
    frame::{Made, MediaTime, Rung, RungFrame, RungId, SourceFrame},
    pipeline::Pipeline,
};
use shared::{
    broadcast::Codec,
    unit::{Bitrate, Size},
};
use std::time::{Duration, Instant};
use streams::{Frame, b_frames, clip, stream};

const CODECS: [Codec; 4] = [Codec::Av1, Codec::Vp8, Codec::Vp9, Codec::H264];
/// Between two pictures, 30 of which make a second.
const STEP: i64 = 3000;
const SOURCE: Size = Size { width: 192, height: 128 };
const RUNG: Rung =
    Rung { id: RungId(0), size: Size { width: 96, height: 64 }, divisor: 1, bitrate: Bitrate(300_000) };

/// Frames in the order in which they come, with the numbers of the pictures in them.
fn source(codec: Codec, frames: impl IntoIterator<Item = (u64, Frame)>) -> Vec<SourceFrame> {
    let frames = frames.into_iter().map(|(number, (data, keyframe))| SourceFrame {
        codec,
        time: MediaTime(number as i64 * STEP),
        keyframe,
        after_gap: false,
        decode_only: false,
        data: data.into(),
    });
    frames.collect()
}

fn run(frames: &[SourceFrame]) -> Vec<Made> {
    let mut pipeline = Pipeline::new();
    pipeline.set_rungs(&[RUNG]);
    let (begin, mut made) = (Instant::now(), Vec::new());
    for (number, frame) in frames.iter().enumerate() {
        pipeline.push(frame, begin + Duration::from_micros(number as u64 * 33_333), &mut made);
    }
    made
}

fn frames(made: &[Made]) -> Vec<&RungFrame> {
    let frames = made.iter().filter_map(|made| match made {
        Made::Frame(frame) => Some(frame),
        _ => None,
    });
    frames.collect()
}

/// How alike the rung's frames are to the clip's pictures that their times name, at least, in dB. `size`: the source's by number.
fn likeness(frames: &[&RungFrame], first: u64, size: impl Fn(u64) -> Size) -> f64 {
    let mut decoder = decode::open(Codec::Av1).unwrap();
    let alike = frames.iter().map(|frame| {
        let number = (frame.time.0 / STEP) as u64;
        let shown = clip(size(number)).picture(number % first);
        let mut wanted = Picture::new(RUNG.size, shown.colour);
        assert!(Scaler::default().scale(&shown.view(), RUNG.size, &mut wanted));
        let view = decoder.decode(&frame.data).unwrap().unwrap();
        alike::psnr(&view, &wanted.view())
    });
    alike.fold(f64::INFINITY, f64::min)
}

#[test]
fn what_is_lost_is_waited_for_and_never_shown_broken() {
    for codec in CODECS {
        // Two groups of pictures; of the first one a frame is lost.
        let groups = [stream(codec, SOURCE, 12), stream(codec, SOURCE, 12)].concat();
        let mut frames_in = source(codec, (0..).zip(groups));
        frames_in.remove(5);
        frames_in[5].after_gap = true;
        let made = run(&frames_in);
        assert!(made.contains(&Made::NeedsKeyframe), "{codec:?}");
        let frames = frames(&made);
        let numbers: Vec<i64> = frames.iter().map(|frame| frame.time.0 / STEP).collect();
        assert_eq!(numbers, (0..5).chain(12..24).collect::<Vec<_>>(), "{codec:?}: the last picture stands");
        let alike = likeness(&frames, 12, |_| SOURCE);
        assert!(alike > 24.0, "{codec:?}: {alike} dB");
    }
}

#[test]
fn a_size_that_changes_is_followed_and_the_rung_stays_as_it_is() {
    let sizes = [SOURCE, Size { width: 144, height: 96 }, Size { width: 240, height: 160 }];
    for codec in CODECS {
        let groups: Vec<Frame> = sizes.iter().flat_map(|size| stream(codec, *size, 6)).collect();
        let made = run(&source(codec, (0..).zip(groups)));
        let changes: Vec<Size> = made
            .iter()
            .filter_map(|made| match made {
                Made::Source(size) => Some(*size),
                _ => None,
            })
            .collect();
        assert_eq!(changes, sizes, "{codec:?}");
        let frames = frames(&made);
        assert_eq!(frames.len(), 18, "{codec:?}");
        let alike = likeness(&frames, 6, |number| sizes[number as usize / 6]);
        assert!(alike > 24.0, "{codec:?}: {alike} dB");
    }
}

#[test]
fn pictures_of_b_frames_keep_the_times_at_which_they_are_shown() {
    // The order in which x264 coded them: a P-picture comes before the two B-pictures that are shown before it.
    let shown = [0, 3, 1, 2, 6, 4, 5, 9, 7, 8];
    let units = b_frames().into_iter().enumerate().map(|(at, data)| (data, at == 0));
    let made = run(&source(Codec::H264, shown.into_iter().zip(units)));
    let frames = frames(&made);
    assert!(frames.len() >= 7, "{}: the last ones may be held back", frames.len());
    let numbers: Vec<i64> = frames.iter().map(|frame| frame.time.0 / STEP).collect();
    assert_eq!(numbers, (0..frames.len() as i64).collect::<Vec<_>>());
    let alike = likeness(&frames, 10, |_| RUNG.size);
    assert!(alike > 24.0, "{alike} dB: each shows the picture of its time");
}

#[test]
fn odd_sizes_and_h264_that_is_cropped_make_whole_rungs() {
    let odd = Size { width: 193, height: 129 };
    for (codec, size) in [
        (Codec::Vp8, odd),
        (Codec::Vp9, odd),
        // Coded in blocks of 16, of which the last ones are cropped.
        (Codec::H264, Size { width: 180, height: 122 }),
        (Codec::Av1, Size { width: 180, height: 122 }),
    ] {
        let made = run(&source(codec, (0..).zip(stream(codec, size, 4))));
        assert_eq!(made[0], Made::Source(size), "{codec:?}");
        let frames = frames(&made);
        assert_eq!(frames.len(), 4, "{codec:?}");
        let alike = likeness(&frames, 4, |_| size);
        assert!(alike > 24.0, "{codec:?}: {alike} dB");
    }
}

#[test]
fn colours_are_meant_as_the_source_meant_them() {
    for (full_range, matrix) in [(false, 1), (true, 1), (true, 6), (false, 6)] {
        let mut picture = clip(SOURCE).picture(0);
        picture.colour = Colour { full_range, matrix, ..picture.colour };
        let settings = Settings {
            size: SOURCE,
            colour: picture.colour,
            rate: 30.0,
            bitrate: Bitrate(800_000),
            keyframes: 300,
            finest: 0,
        };
        let encoded = Encoder::open(settings).unwrap().encode(&picture.view()).unwrap().unwrap();
        let made = run(&source(Codec::Av1, [(0, (encoded.data, true))]));
        let mut decoder = decode::open(Codec::Av1).unwrap();
        let rung = decoder.decode(&frames(&made)[0].data).unwrap().unwrap();
        assert_eq!((rung.colour.full_range, rung.colour.matrix), (full_range, matrix));
    }
}
