use crate::transcode::{
    frame::{Made, MediaTime, Rung, RungFrame, RungId, SourceFrame},
    pipeline::Pipeline,
};
use picture::{
    Picture, Scaler, alike, decode,
    footage::{Clip, Kind},
    rav1e::{Encoder, Settings},
};
use shared::{
    broadcast::Codec,
    unit::{Bitrate, Size},
};
use std::time::{Duration, Instant};

/// Between two pictures, 30 of which make a second.
const STEP: i64 = 3000;
const SOURCE: Size = Size { width: 320, height: 180 };
const SMALL: Size = Size { width: 160, height: 90 };

/// A stream that a publisher would send.
struct Source {
    clip: Clip,
    frames: Vec<SourceFrame>,
}

impl Source {
    /// So many frames of this size, with keyframes at these places besides the first.
    fn new(kind: Kind, size: Size, count: u64, keys: &[u64]) -> Self {
        let clip = Clip::new(kind, size);
        let settings = Settings {
            size,
            colour: clip.picture(0).colour,
            rate: 30.0,
            bitrate: Bitrate(1_500_000),
            keyframes: 3000,
            finest: 0,
        };
        let mut encoder = Encoder::open(settings).unwrap();
        let frames = (0..count).map(|number| {
            if keys.contains(&(number + Encoder::AHEAD as u64)) {
                encoder.keyframe();
            }
            let encoded = encoder.encode(&clip.picture(number).view()).unwrap().unwrap();
            SourceFrame {
                codec: Codec::Av1,
                time: MediaTime(number as i64 * STEP),
                keyframe: encoded.keyframe,
                after_gap: false,
                data: encoded.data.into(),
            }
        });
        let frames = frames.collect();
        Self { clip, frames }
    }
}

fn rung(id: u8, size: Size, divisor: u8, bitrate: u64) -> Rung {
    Rung { id: RungId(id), size, divisor, bitrate: Bitrate(bitrate) }
}

fn pipeline(rungs: &[Rung]) -> Pipeline {
    let mut pipeline = Pipeline::new();
    pipeline.set_rungs(rungs);
    pipeline
}

/// Pushes frames as they would come, one each 33 ms, whatever their times say.
fn run(pipeline: &mut Pipeline, frames: &[SourceFrame], begin: Instant) -> Vec<Made> {
    let mut out = Vec::new();
    for (number, frame) in frames.iter().enumerate() {
        pipeline.push(frame, begin + Duration::from_micros(number as u64 * 33_333), &mut out);
    }
    out
}

fn of(made: &[Made], id: u8) -> Vec<&RungFrame> {
    let frames = made.iter().filter_map(|made| match made {
        Made::Frame(frame) if frame.rung == RungId(id) => Some(frame),
        _ => None,
    });
    frames.collect()
}

fn count(made: &[Made], what: &Made) -> usize {
    made.iter().filter(|made| *made == what).count()
}

#[test]
fn rungs_show_what_the_source_shows() {
    let source = Source::new(Kind::Film, SOURCE, 12, &[]);
    let mut pipeline = pipeline(&[rung(0, SMALL, 1, 300_000), rung(1, SMALL, 2, 150_000)]);
    let made = run(&mut pipeline, &source.frames, Instant::now());
    assert_eq!(made[0], Made::Source(SOURCE));
    let (all, half) = (of(&made, 0), of(&made, 1));
    assert_eq!((all.len(), half.len()), (12, 6));
    assert!(all[0].keyframe && half[0].keyframe);
    assert_eq!(all[3].time, MediaTime(3 * STEP), "a picture comes out when it has gone in");
    assert_eq!(half[2].time, MediaTime(4 * STEP));
    let mut decoder = decode::open(Codec::Av1).unwrap();
    for frame in all {
        let view = decoder.decode(&frame.data).unwrap().unwrap();
        assert_eq!((view.size(), view.colour.matrix), (SMALL, 1));
        let shown = source.clip.picture((frame.time.0 / STEP) as u64);
        let mut wanted = Picture::new(SMALL, shown.colour);
        assert!(Scaler::default().scale(&shown.view(), SMALL, &mut wanted));
        let alike = alike::psnr(&view, &wanted.view());
        assert!(alike > 26.0, "{alike} dB");
    }
}

#[test]
fn keyframes_come_every_two_seconds_at_the_same_pictures_in_all_rungs_and_when_asked_for() {
    let source = Source::new(Kind::Film, SMALL, 200, &[]);
    let mut pipeline = pipeline(&[rung(0, SMALL, 1, 300_000), rung(1, SMALL, 2, 200_000)]);
    let begin = Instant::now();
    let mut made = run(&mut pipeline, &source.frames[..150], begin);
    pipeline.request_keyframe(RungId(1));
    made.extend(run(&mut pipeline, &source.frames[150..], begin + Duration::from_secs(5)));
    let keys = |id| -> Vec<i64> {
        of(&made, id).iter().filter(|frame| frame.keyframe).map(|frame| frame.time.0 / STEP).collect()
    };
    assert_eq!(keys(0), [0, 60, 120, 180]);
    let asked = 150 + 2 * Encoder::AHEAD as i64;
    assert_eq!(keys(1), [0, 60, 120, asked, 180]);
}

#[test]
fn after_a_gap_nothing_is_shown_until_the_next_keyframe_which_is_asked_for() {
    let mut source = Source::new(Kind::Film, SMALL, 40, &[30]);
    source.frames[10].after_gap = true;
    let mut pipeline = pipeline(&[rung(0, SMALL, 1, 300_000)]);
    let made = run(&mut pipeline, &source.frames, Instant::now());
    let times: Vec<i64> = of(&made, 0).iter().map(|frame| frame.time.0 / STEP).collect();
    assert_eq!(times, (0..10).chain(30..40).collect::<Vec<_>>());
    assert_eq!(count(&made, &Made::NeedsKeyframe), 2, "at once, and again after half a second");
}

#[test]
fn a_source_without_keyframes_is_asked_again_and_again_and_nothing_else_happens() {
    let source = Source::new(Kind::Film, SMALL, 2, &[]);
    let mut pipeline = pipeline(&[rung(0, SMALL, 1, 300_000)]);
    let frames: Vec<SourceFrame> = (0..900)
        .map(|number| SourceFrame { time: MediaTime(number * STEP), ..source.frames[1].clone() })
        .collect();
    let made = run(&mut pipeline, &frames, Instant::now());
    assert_eq!(made.len(), count(&made, &Made::NeedsKeyframe));
    assert!((50..=60).contains(&made.len()), "{}", made.len());
}

#[test]
fn a_frame_that_only_says_it_is_a_keyframe_shows_nothing() {
    let source = Source::new(Kind::Film, SMALL, 4, &[]);
    let mut pipeline = pipeline(&[rung(0, SMALL, 1, 300_000)]);
    let lie = SourceFrame { keyframe: true, ..source.frames[2].clone() };
    let made = run(&mut pipeline, &[lie], Instant::now());
    assert!(of(&made, 0).is_empty());
}

#[test]
fn a_source_that_changes_its_size_is_followed() {
    let mut pipeline = pipeline(&[rung(0, SMALL, 1, 300_000)]);
    let mut begin = Instant::now();
    for size in [SOURCE, Size { width: 180, height: 320 }, SMALL] {
        let source = Source::new(Kind::Film, size, 3, &[]);
        let made = run(&mut pipeline, &source.frames, begin);
        assert_eq!(count(&made, &Made::Source(size)), 1);
        assert_eq!(of(&made, 0).len(), 3);
        begin += Duration::from_secs(1);
    }
}

#[test]
fn what_is_refused_is_said_once_and_no_keyframe_is_asked_for() {
    let header = [0x10, 0, 0, 0x9d, 0x01, 0x2a, 0xff, 0x3f, 0xff, 0x3f, 0, 0];
    let frames: Vec<SourceFrame> = (0..90)
        .map(|number| SourceFrame {
            codec: Codec::Vp8,
            time: MediaTime(number * STEP),
            keyframe: number % 30 == 0,
            after_gap: false,
            data: header.into(),
        })
        .collect();
    let made = run(&mut pipeline(&[rung(0, SMALL, 1, 300_000)]), &frames, Instant::now());
    assert!(matches!(&made[..], [Made::Refused(why)] if why.contains("16383×16383")), "{made:?}");
}

#[test]
fn two_hundred_and_forty_a_second_are_thinned() {
    let source = Source::new(Kind::Film, SMALL, 240, &[]);
    let frames: Vec<SourceFrame> = source
        .frames
        .iter()
        .enumerate()
        .map(|(number, frame)| SourceFrame { time: MediaTime(number as i64 * 375), ..frame.clone() })
        .collect();
    let mut out = Vec::new();
    let mut pipeline = pipeline(&[rung(0, SMALL, 1, 300_000)]);
    let begin = Instant::now();
    for (number, frame) in frames.iter().enumerate() {
        pipeline.push(frame, begin + Duration::from_micros(number as u64 * 4166), &mut out);
    }
    let made = of(&out, 0).len();
    assert!((28..=32).contains(&made), "{made}");
}

#[test]
fn times_that_jump_both_ways_stop_nothing() {
    let source = Source::new(Kind::Film, SMALL, 40, &[]);
    let frames: Vec<SourceFrame> = source
        .frames
        .iter()
        .enumerate()
        .map(|(number, frame)| {
            let jump = [0, 1 << 40, -(1 << 50), i64::MIN / 2][number / 10];
            SourceFrame { time: MediaTime(frame.time.0.saturating_add(jump)), ..frame.clone() }
        })
        .collect();
    let made = run(&mut pipeline(&[rung(0, SMALL, 1, 300_000)]), &frames, Instant::now());
    let times: Vec<MediaTime> = of(&made, 0).iter().map(|frame| frame.time).collect();
    assert!(times.len() >= 36, "{}", times.len());
    assert!(times.iter().all(|time| frames.iter().any(|frame| frame.time == *time)));
}

#[test]
fn what_comes_too_late_is_decoded_and_not_encoded() {
    let source = Source::new(Kind::Film, SMALL, 60, &[]);
    let mut pipeline = pipeline(&[rung(0, SMALL, 1, 300_000)]);
    let mut out = Vec::new();
    let begin = Instant::now();
    for (number, frame) in source.frames.iter().enumerate() {
        // Ten pictures are held up for a while.
        let late = if (20..30).contains(&number) { 300 } else { 0 };
        let now = begin + Duration::from_micros(number as u64 * 33_333) + Duration::from_millis(late);
        pipeline.push(frame, now, &mut out);
    }
    let times: Vec<i64> = of(&out, 0).iter().map(|frame| frame.time.0 / STEP).collect();
    assert_eq!(times, (0..20).chain(30..60).collect::<Vec<_>>());
    assert_eq!(count(&out, &Made::NeedsKeyframe), 0);
}

/// Bytes of a rung's frames over each two seconds, after the first frame, as shares of what its rate allows; and its largest
/// frame after the first as a share of half a second.
fn rates(frames: &[&RungFrame], bitrate: u64, seconds: i64) -> (Vec<f64>, f64) {
    let second = bitrate as f64 / 8.0;
    let at = |from: i64| {
        let is_in = |frame: &&&RungFrame| (from..from + 60 * STEP).contains(&frame.time.0);
        let bytes: usize = frames.iter().filter(is_in).map(|frame| frame.data.len()).sum();
        bytes as f64 / (second * 2.0)
    };
    let windows = (1..(seconds - 2) * 30).map(|number| at(number * STEP)).collect();
    let largest = frames[1..].iter().map(|frame| frame.data.len()).max().unwrap_or(0);
    (windows, largest as f64 / (second / 2.0))
}

#[test]
fn a_rung_keeps_to_its_rate_whatever_is_shown() {
    const SECONDS: i64 = 8;
    const BITRATE: u64 = 120_000;
    for kind in [Kind::Film, Kind::Screen, Kind::Noise] {
        let source = Source::new(kind, SOURCE, SECONDS as u64 * 30, &[]);
        let mut pipeline = pipeline(&[rung(0, SMALL, 1, BITRATE)]);
        let made = run(&mut pipeline, &source.frames, Instant::now());
        let frames = of(&made, 0);
        let (windows, largest) = rates(&frames, BITRATE, SECONDS);
        let most = windows.iter().copied().fold(0.0, f64::max);
        let least = windows.iter().copied().fold(f64::MAX, f64::min);
        println!("{kind:?}: {least:.2} to {most:.2} over 2 s, {largest:.2}, {} frames", frames.len());
        assert!(largest <= 1.0, "{kind:?}: {largest} of half a second");
        assert!(most <= 1.1, "{kind:?}: {most} of its rate over two seconds");
    }
}

#[test]
fn a_size_that_changes_with_every_frame_is_followed() {
    let sizes: Vec<Size> =
        (0..40u16).map(|at| Size { width: 64 + at % 7 * 34, height: 48 + at % 5 * 22 }).collect();
    let frames: Vec<SourceFrame> = sizes
        .iter()
        .zip(0..)
        .map(|(size, number)| {
            let mut frame = Source::new(Kind::Film, *size, 1, &[]).frames.remove(0);
            frame.time = MediaTime(number * STEP);
            frame
        })
        .collect();
    let mut pipeline = pipeline(&[rung(0, SMALL, 1, 300_000)]);
    let made = run(&mut pipeline, &frames, Instant::now());
    let changes: Vec<Size> = made
        .iter()
        .filter_map(|made| match made {
            Made::Source(size) => Some(*size),
            _ => None,
        })
        .collect();
    assert_eq!(changes, sizes);
    let frames = of(&made, 0);
    assert_eq!(frames.len(), sizes.len(), "the rung goes on as it is");
    assert_eq!(frames.iter().filter(|frame| frame.keyframe).count(), 1);
    let mut decoder = decode::open(Codec::Av1).unwrap();
    for frame in frames {
        assert_eq!(decoder.decode(&frame.data).unwrap().unwrap().size(), SMALL);
    }
}
