//! What `cargo xtask bench ladder` measures of the ladder as the server runs it, in one process: `pipeline` prints rows of JSON,
//! and `pipeline rungs` the rungs that a source of 720p30 has, for others to be measured at the same sizes and rates.

#![expect(clippy::unwrap_used, reason = "a program for measuring may stop")]

mod published;

use picture::{Picture, Scaler, decode, footage::Kind};
use published::{RATE, SOURCE, STEP, published};
use rustix::time::{ClockId, clock_gettime};
use sfu::transcode::{
    frame::{Made, Rung, RungFrame, SourceFrame},
    ladder,
    pipeline::Pipeline,
};
use shared::broadcast::Codec;
use std::time::{Duration, Instant};

/// How long each clip is.
const SECONDS: u64 = 10;
/// Rates are held over any two seconds.
const SPAN: i64 = 180_000;

fn cpu() -> f64 {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap().as_secs_f64()
}

fn rungs() -> Vec<Rung> {
    ladder::rungs(SOURCE)
}

/// `540p30`: its name with its pictures a second.
fn name(rung: &Rung) -> String {
    format!("{}{}", ladder::name(rung.id), rung.frame_rate(RATE as f32))
}

/// What comes of the source in these rungs, each picture given at its time: how fast this machine is makes no difference.
fn made(frames: &[SourceFrame], rungs: &[Rung]) -> Vec<RungFrame> {
    let mut pipeline = Pipeline::new();
    pipeline.set_rungs(rungs);
    let begun = Instant::now();
    let mut out = Vec::new();
    for frame in frames {
        let at = Duration::from_secs_f64(frame.time.0 as f64 / 90_000.0);
        pipeline.push(frame, begun + at, &mut out);
    }
    let frames = out.into_iter().filter_map(|made| match made {
        Made::Frame(frame) => Some(frame),
        _ => None,
    });
    frames.collect()
}

/// How a rung keeps its rate: over any two seconds, the first picture included, and in its largest picture but the first.
fn rate(clip: &str, rung: &Rung, frames: &[RungFrame]) -> String {
    let frames: Vec<&RungFrame> = frames.iter().filter(|frame| frame.rung == rung.id).collect();
    let bytes = rung.bitrate.0 as f64 / 8.0;
    let end = (SECONDS * RATE) as i64 * STEP;
    // A span begins with each of the source's pictures, also with one that was left out.
    let off = (0..=end - SPAN).step_by(STEP as usize).map(|from| {
        let within = frames.iter().filter(|frame| (from..from + SPAN).contains(&frame.time.0));
        within.map(|frame| frame.data.len()).sum::<usize>() as f64 / bytes / 2.0 - 1.0
    });
    let (low, high) = off.fold((f64::MAX, f64::MIN), |(low, high), off| (low.min(off), high.max(off)));
    let largest = frames.iter().skip(1).map(|frame| frame.data.len()).max().unwrap_or(0);
    let expected = SECONDS * RATE / u64::from(rung.divisor);
    let sum: usize = frames.iter().map(|frame| frame.data.len()).sum();
    format!(
        "{{\"of\":\"rate\",\"clip\":\"{clip}\",\"rung\":\"{}\",\"wantedKilobitsPerSecond\":{:.0},\"kilobitsPerSecond\":{:.0},\
         \"mostOverPercent\":{:.1},\"mostUnderPercent\":{:.1},\"largestOfHalfSecond\":{:.2},\"pictures\":{},\"leftOut\":{}}}",
        name(rung),
        rung.bitrate.0 as f64 / 1000.0,
        sum as f64 * 8.0 / SECONDS as f64 / 1000.0,
        high * 100.0,
        -low * 100.0,
        largest as f64 / (bytes / 2.0),
        frames.len(),
        expected.saturating_sub(frames.len() as u64),
    )
}

/// What of a core it takes to decode the source and to scale it for these rungs.
fn shares<'a>(frames: &[SourceFrame], rungs: &'a [Rung]) -> (f64, f64) {
    let mut decoder = decode::open(Codec::H264).unwrap();
    let mut lines: Vec<(Scaler, Picture, &'a Rung)> = Vec::new();
    let (mut decoding, mut scaling) = (0.0, 0.0);
    for (frame, number) in frames.iter().zip(0..) {
        let from = cpu();
        let Ok(Some(view)) = decoder.decode(&frame.data) else { continue };
        decoding += cpu() - from;
        if lines.is_empty() {
            let line = |rung: &'a Rung| (Scaler::default(), Picture::new(rung.size, view.colour), rung);
            lines = rungs.iter().map(line).collect();
        }
        let from = cpu();
        for (scaler, picture, rung) in &mut lines {
            if u64::is_multiple_of(number, rung.divisor.into()) {
                scaler.scale(&view, rung.size, picture);
            }
        }
        scaling += cpu() - from;
    }
    (decoding / SECONDS as f64, scaling / SECONDS as f64)
}

/// The two lowest rungs together: what of one core they take in real time.
fn together(frames: &[SourceFrame]) -> String {
    let rungs = &rungs()[1..];
    let names: Vec<String> = rungs.iter().map(name).collect();
    let from = cpu();
    made(frames, rungs);
    let share = (cpu() - from) / SECONDS as f64;
    let (decoding, scaling) = shares(frames, rungs);
    let bytes: usize = frames.iter().map(|frame| frame.data.len()).sum();
    format!(
        "{{\"of\":\"core\",\"clip\":\"film\",\"rung\":\"{}\",\"coreShare\":{share:.3},\"sourceKilobitsPerSecond\":{:.0},\
         \"decodeShare\":{decoding:.3},\"scaleShare\":{scaling:.3}}}",
        names.join(" and "),
        bytes as f64 * 8.0 / SECONDS as f64 / 1000.0,
    )
}

fn main() {
    if std::env::args().nth(1).as_deref() == Some("rungs") {
        for rung in rungs() {
            let (width, height) = (rung.size.width, rung.size.height);
            println!("{} {width} {height} {} {}", name(&rung), rung.divisor, rung.bitrate.0);
        }
        return;
    }
    let mut rows = Vec::new();
    for (clip, kind) in [("film", Kind::Film), ("screen", Kind::Screen), ("noise", Kind::Noise)] {
        let frames = published(kind, SECONDS);
        let rungs = rungs();
        let made = made(&frames, &rungs);
        rows.extend(rungs.iter().map(|rung| rate(clip, rung, &made)));
        if kind == Kind::Film {
            rows.push(together(&frames));
        }
        eprintln!("the ladder as a whole, {clip}: done");
    }
    println!("[{}]", rows.join(",\n"));
}
