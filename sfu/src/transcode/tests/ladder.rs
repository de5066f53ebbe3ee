use crate::transcode::{
    decode,
    frame::{Made, MediaTime, Rung, RungFrame, RungId, SourceFrame},
    pipeline::Pipeline,
};
use picture::{
    Colour, Picture, Scaler, alike,
    footage::{self, Kind},
    rav1e::{Encoder, Settings},
};
use shared::{
    broadcast::Codec,
    unit::{Bitrate, Size},
};
use std::time::{Duration, Instant};

const STEP: i64 = 3000;

fn size(width: u16, height: u16) -> Size {
    Size { width, height }
}

fn scene(size: Size, number: u64) -> Picture {
    footage::picture(Kind::Film, size, number)
}

fn av1(size: Size, count: u64) -> Vec<SourceFrame> {
    let settings = Settings {
        size,
        colour: Colour { primaries: 1, transfer: 1, matrix: 1, full_range: false },
        rate: 30.0,
        bitrate: Bitrate(1_500_000),
        keyframes: 300,
    };
    let mut encoder = Encoder::open(settings).unwrap();
    (0..count)
        .map(|number| {
            let encoded = encoder.encode(&scene(size, number).view()).unwrap().unwrap();
            SourceFrame {
                codec: Codec::Av1,
                time: MediaTime(number as i64 * STEP),
                keyframe: encoded.keyframe,
                after_gap: false,
                data: encoded.data.into(),
            }
        })
        .collect()
}

fn rung(id: u8, size: Size, divisor: u8, bitrate: u64) -> Rung {
    Rung { id: RungId(id), size, divisor, bitrate: Bitrate(bitrate) }
}

fn run(pipeline: &mut Pipeline, frames: &[SourceFrame], begin: Instant) -> Vec<Made> {
    let mut out = Vec::new();
    for frame in frames {
        let now = begin + Duration::from_micros((frame.time.0.max(0) * 100 / 9) as u64);
        pipeline.push(frame, now, &mut out);
    }
    out
}

fn of(made: &[Made], id: u8) -> Vec<&RungFrame> {
    made.iter()
        .filter_map(|made| match made {
            Made::Frame(frame) if frame.rung == RungId(id) => Some(frame),
            _ => None,
        })
        .collect()
}

#[test]
fn rungs_show_what_the_source_shows() {
    let (source, small) = (size(640, 360), size(320, 180));
    let frames = av1(source, 12);
    let mut pipeline = Pipeline::new();
    pipeline.set_rungs(&[rung(0, small, 1, 600_000), rung(1, size(160, 90), 2, 200_000)]);
    let made = run(&mut pipeline, &frames, Instant::now());
    assert!(made.contains(&Made::Source(source)));
    let (large, little) = (of(&made, 0), of(&made, 1));
    assert_eq!((large.len(), little.len()), (12, 6));
    assert!(large[0].keyframe && little[0].keyframe);
    assert_eq!(large[3].time, MediaTime(3 * STEP), "a picture comes out when it has gone in");
    let mut decoder = decode::open(Codec::Av1).unwrap();
    for frame in large {
        let view = decoder.decode(&frame.data).unwrap().unwrap();
        assert_eq!(view.size(), small);
        assert_eq!(view.colour.matrix, 1);
        let mut wanted = Picture::new(small, Colour::default());
        let shown = scene(source, (frame.time.0 / STEP) as u64);
        assert!(Scaler::default().scale(&shown.view(), small, &mut wanted));
        let alike = alike::psnr(&view, &wanted.view());
        assert!(alike > 28.0, "{alike} dB");
    }
}
