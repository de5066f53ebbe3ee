//! What `cargo xtask bench ladder` runs: clips that are made here, through the ladder's encoder and through others by way of
//! ffmpeg. Prints rows of JSON. `ladder FOLDER [FFMPEG]`: where clips may be written, and an ffmpeg that knows VMAF.

#![expect(clippy::unwrap_used, reason = "a program for measuring may stop")]

use picture::{
    Picture, Scaler, View, alike,
    decode::{self, Decoder},
    footage::{Clip, Kind},
    rav1e::{Encoder, EncoderConfig, Settings},
};
use rav1e::prelude::{
    BlockSize, PartitionRange, PredictionModesSetting, SegmentationLevel, SpeedSettings, Tune,
};
use rustix::time::{ClockId, clock_gettime};
use shared::{
    broadcast::Codec,
    unit::{Bitrate, Size},
};
use std::{
    env,
    fmt::Write as _,
    fs,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

const SOURCE: Size = Size { width: 1280, height: 720 };
const SECONDS: u64 = 5;

struct Rung {
    name: &'static str,
    size: Size,
    divisor: u64,
    bitrate: u64,
}

const RUNGS: [Rung; 3] = [
    Rung { name: "540p30", size: Size { width: 960, height: 540 }, divisor: 1, bitrate: 1_200_000 },
    Rung { name: "360p30", size: Size { width: 640, height: 360 }, divisor: 1, bitrate: 600_000 },
    Rung { name: "180p15", size: Size { width: 320, height: 180 }, divisor: 2, bitrate: 150_000 },
];

/// CPU time of this process, in seconds.
fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// CPU time of processes that were started here and have ended, in seconds.
fn children() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<f64> =
        stat.rsplit(") ").next().unwrap().split(' ').map(|field| field.parse().unwrap_or(0.0)).collect();
    (fields[13] + fields[14]) / 100.0
}

/// What an encoder made of a clip.
struct Outcome {
    /// Seconds of CPU for all pictures.
    cpu: f64,
    frames: Vec<Vec<u8>>,
    psnr: f64,
    ssim: f64,
    /// None without a tool for it.
    vmaf: Option<f64>,
}

/// VMAF of what is decoded against what was encoded, as ffmpeg tells it.
fn vmaf(frames: &[Vec<u8>], pictures: &[Picture]) -> Option<f64> {
    let mut arguments = env::args().skip(1);
    let (folder, ffmpeg) = (PathBuf::from(arguments.next()?), arguments.next()?);
    let mut decoder = decode::open(Codec::Av1).unwrap();
    let (seen, wanted) = (folder.join("seen.y4m"), folder.join("wanted.y4m"));
    let (mut ours, mut theirs) = (y4m(&seen, pictures[0].size, 30), y4m(&wanted, pictures[0].size, 30));
    for (data, picture) in frames.iter().zip(pictures) {
        let Ok(Some(view)) = decoder.decode(data) else { continue };
        ours.write_all(b"FRAME\n").unwrap();
        for row in view.planes.iter().flat_map(|plane| plane.rows()) {
            ours.write_all(row).unwrap();
        }
        theirs.write_all(b"FRAME\n").unwrap();
        picture.planes.iter().for_each(|plane| theirs.write_all(plane).unwrap());
    }
    drop((ours, theirs));
    let told = Command::new(ffmpeg)
        .args(["-nostdin", "-hide_banner", "-i"])
        .arg(seen)
        .arg("-i")
        .arg(wanted)
        .args(["-lavfi", "libvmaf", "-f", "null", "-"])
        .output()
        .ok()?;
    let told = String::from_utf8_lossy(&told.stderr);
    told.split("VMAF score: ").nth(1)?.split_whitespace().next()?.parse().ok()
}

/// A file for pictures of this size.
fn y4m(path: &Path, Size { width, height }: Size, rate: u64) -> BufWriter<fs::File> {
    let mut file = BufWriter::new(fs::File::create(path).unwrap());
    writeln!(file, "YUV4MPEG2 W{width} H{height} F{rate}:1 Ip A1:1 C420jpeg").unwrap();
    file
}

fn score(frames: &[Vec<u8>], pictures: &[Picture]) -> (f64, f64) {
    let mut decoder = decode::open(Codec::Av1).unwrap();
    let (mut psnr, mut ssim, mut count) = (0.0, 0.0, 0.0);
    for (data, picture) in frames.iter().zip(pictures) {
        let Ok(Some(view)) = decoder.decode(data) else { continue };
        psnr += alike::psnr(&view, &picture.view());
        ssim += alike::ssim(&view, &picture.view());
        count += 1.0;
    }
    (psnr / count, ssim / count)
}

fn ours(pictures: &[Picture], rung: &Rung, bitrate: u64, change: impl FnOnce(&mut EncoderConfig)) -> Outcome {
    let rate = 30.0 / rung.divisor as f64;
    let settings = Settings {
        size: rung.size,
        colour: pictures[0].colour,
        rate,
        bitrate: Bitrate(bitrate),
        keyframes: 100,
        finest: 0,
    };
    let begun = cpu();
    let mut encoder = Encoder::open_with(settings, change).unwrap();
    let every = (rate * 2.0) as usize;
    let mut frames = Vec::new();
    for (number, picture) in pictures.iter().enumerate() {
        if (number + Encoder::AHEAD).is_multiple_of(every) {
            encoder.keyframe();
        }
        frames.push(encoder.encode(&picture.view()).unwrap().unwrap().data);
    }
    let cpu = cpu() - begun;
    let (psnr, ssim) = score(&frames, pictures);
    Outcome { cpu, psnr, ssim, vmaf: vmaf(&frames, pictures), frames }
}

/// The same pictures through ffmpeg.
fn theirs(folder: &Path, pictures: &[Picture], rung: &Rung, options: &[&str]) -> Option<Outcome> {
    let (from, to) = (folder.join("clip.y4m"), folder.join("clip.ivf"));
    let mut file = y4m(&from, rung.size, 30 / rung.divisor);
    for picture in pictures {
        file.write_all(b"FRAME\n").unwrap();
        for plane in &picture.planes {
            file.write_all(plane).unwrap();
        }
    }
    drop(file);
    let group = (60 / rung.divisor).to_string();
    let rate = rung.bitrate.to_string();
    let begun = children();
    let done = Command::new("ffmpeg")
        .args(["-nostdin", "-loglevel", "error", "-y", "-i"])
        .arg(&from)
        .args(options)
        .args(["-b:v", &rate, "-g", &group, "-f", "ivf"])
        .arg(&to)
        .stderr(Stdio::null())
        .status()
        .ok()?;
    let cpu = children() - begun;
    if !done.success() {
        return None;
    }
    let data = fs::read(&to).ok()?;
    let mut frames = Vec::new();
    let mut rest = data.get(32..)?;
    while let Some(length) = rest.first_chunk::<4>().map(|length| u32::from_le_bytes(*length) as usize) {
        frames.push(rest.get(12..12 + length)?.to_vec());
        rest = &rest[12 + length..];
    }
    let (psnr, ssim) = score(&frames, pictures);
    Some(Outcome { cpu, psnr, ssim, vmaf: vmaf(&frames, pictures), frames })
}

fn row(clip: &str, rung: &Rung, encoder: &str, outcome: &Outcome) -> String {
    let count = outcome.frames.len() as f64;
    let rate = 30.0 / rung.divisor as f64;
    let target = rung.bitrate as f64 / 8.0;
    let sizes: Vec<usize> = outcome.frames.iter().map(Vec::len).collect();
    // The first picture may be what it likes.
    let windows = sizes[1..].windows((rate * 2.0) as usize);
    let off = windows.map(|window| window.iter().sum::<usize>() as f64 / target / 2.0 - 1.0);
    let worst = off.fold(0.0, |worst: f64, off| if off.abs() > worst.abs() { off } else { worst });
    let bits = sizes.iter().sum::<usize>() as f64 * 8.0 / (count / rate);
    let largest = sizes[1..].iter().max().copied().unwrap_or(0) as f64 / (target / 2.0);
    format!(
        "{{\"clip\":\"{clip}\",\"rung\":\"{}\",\"encoder\":\"{encoder}\",\"picturesPerSecond\":{:.1},\
         \"cpuSecondsPerMinute\":{:.1},\"kilobitsPerSecond\":{:.0},\"rateErrorPercent\":{:.1},\
         \"largestOfHalfSecond\":{largest:.2},\"psnr\":{:.2},\"ssim\":{:.4},\"vmaf\":{}}}",
        rung.name,
        count / outcome.cpu,
        outcome.cpu / (count / rate) * 60.0,
        bits / 1000.0,
        worst * 100.0,
        outcome.psnr,
        outcome.ssim,
        outcome.vmaf.map_or("null".to_owned(), |vmaf| format!("{vmaf:.1}")),
    )
}

/// Rows for every setting that was tried: what it costs and gives beside ours.
fn settings(clip: &str, pictures: &[Picture], rung: &Rung, rows: &mut Vec<String>) {
    type Change = (&'static str, fn(&mut EncoderConfig));
    let changes: [Change; 24] = [
        ("ours", |_| {}),
        ("preset 10 as it is", |config| {
            let ahead = config.speed_settings.rdo_lookahead_frames;
            let scenes = config.speed_settings.scene_detection_mode;
            config.speed_settings = SpeedSettings::from_preset(10);
            config.speed_settings.rdo_lookahead_frames = ahead;
            config.speed_settings.scene_detection_mode = scenes;
            config.tune = Tune::Psychovisual;
        }),
        ("blocks of 64", |config| blocks(config, BlockSize::BLOCK_64X64, BlockSize::BLOCK_64X64)),
        ("blocks of 32 and 64", |config| blocks(config, BlockSize::BLOCK_32X32, BlockSize::BLOCK_64X64)),
        ("blocks of 16", |config| blocks(config, BlockSize::BLOCK_16X16, BlockSize::BLOCK_16X16)),
        ("blocks of 16 and 32", |config| blocks(config, BlockSize::BLOCK_16X16, BlockSize::BLOCK_32X32)),
        ("rate by estimate", |config| config.speed_settings.transform.tx_domain_rate = true),
        ("tuned for PSNR", |config| config.tune = Tune::Psnr),
        ("tuned for PSNR, by samples", |config| {
            config.tune = Tune::Psnr;
            config.speed_settings.transform.tx_domain_distortion = false;
        }),
        ("tuned for PSNR, by estimate", |config| {
            config.tune = Tune::Psnr;
            config.speed_settings.transform.tx_domain_rate = true;
        }),
        ("no split transforms", |config| config.speed_settings.transform.enable_inter_tx_split = false),
        ("all transforms", |config| config.speed_settings.transform.reduced_tx_set = false),
        ("transforms tried", |config| config.speed_settings.transform.rdo_tx_decision = true),
        ("plain intra directions", |config| config.speed_settings.prediction.fine_directional_intra = false),
        ("more intra in keyframes", |config| {
            config.speed_settings.prediction.prediction_modes = PredictionModesSetting::ComplexKeyframes;
        }),
        ("near motion vectors", |config| config.speed_settings.motion.include_near_mvs = true),
        ("motion by SATD", |config| config.speed_settings.motion.use_satd_subpel = true),
        ("full motion search", |config| config.speed_settings.motion.me_allow_full_search = true),
        ("several references", |config| config.speed_settings.multiref = true),
        ("no CDEF", |config| config.speed_settings.cdef = false),
        ("loop restoration", |config| config.speed_settings.lrf = true),
        ("thorough deblocking", |config| config.speed_settings.fast_deblock = false),
        ("no segmentation", |config| config.speed_settings.segmentation = SegmentationLevel::Disabled),
        ("two tiles", |config| config.tiles = 2),
    ];
    for (name, change) in changes {
        let outcome = ours(pictures, rung, rung.bitrate, change);
        rows.push(row(clip, rung, name, &outcome));
    }
}

fn blocks(config: &mut EncoderConfig, smallest: BlockSize, largest: BlockSize) {
    config.speed_settings.partition.partition_range = PartitionRange::new(smallest, largest);
}

/// The clip in H.264 at a rate that people publish at, by x264: OpenH264's own encoder holds no rate without leaving pictures out.
fn published(folder: &Path, clip: &Clip) -> Vec<Vec<u8>> {
    const DELIMITER: [u8; 5] = [0, 0, 0, 1, 9];
    let (from, to) = (folder.join("source.y4m"), folder.join("source.h264"));
    let mut file = y4m(&from, SOURCE, 30);
    for number in 0..SECONDS * 30 {
        file.write_all(b"FRAME\n").unwrap();
        clip.picture(number).planes.iter().for_each(|plane| file.write_all(plane).unwrap());
    }
    drop(file);
    let done = Command::new("ffmpeg")
        .args(["-nostdin", "-loglevel", "error", "-y", "-i"])
        .arg(&from)
        .args(["-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-profile:v", "baseline"])
        .args(["-pix_fmt", "yuv420p", "-b:v", "2500k", "-maxrate", "2500k", "-bufsize", "2500k", "-g", "60"])
        .args(["-x264-params", "aud=1:threads=1:sliced-threads=0", "-f", "h264"])
        .arg(&to)
        .status()
        .unwrap();
    assert!(done.success(), "ffmpeg has no x264");
    let data = fs::read(&to).unwrap();
    let is_start = |at: &usize| data[*at..].starts_with(&DELIMITER);
    let starts: Vec<usize> = (0..data.len()).filter(is_start).chain([data.len()]).collect();
    starts.windows(2).map(|pair| data[pair[0]..pair[1]].to_vec()).collect()
}

/// The two lowest rungs together as in the ladder, from a source in H.264: what a picture takes from its arrival on.
fn together(folder: &Path, clip: &Clip) -> String {
    let frames = published(folder, clip);
    let mut decoder: Box<dyn Decoder> = decode::open(Codec::H264).unwrap();
    let mut scaler = Scaler::default();
    let mut lines: Vec<(Encoder, Picture, &Rung)> = Vec::new();
    let (begun, mut decoding, mut scaling, mut delays) = (cpu(), 0.0, 0.0, Vec::new());
    for (number, data) in frames.iter().enumerate() {
        let arrived = Instant::now();
        let from = cpu();
        let Ok(Some(view)) = decoder.decode(data) else { continue };
        decoding += cpu() - from;
        if lines.is_empty() {
            lines = RUNGS[1..].iter().map(|rung| line(rung, &view)).collect();
        }
        for (encoder, picture, rung) in &mut lines {
            if !(number as u64).is_multiple_of(rung.divisor) {
                continue;
            }
            let from = cpu();
            scaler.scale(&view, rung.size, picture);
            scaling += cpu() - from;
            encoder.encode(&picture.view()).unwrap();
        }
        delays.push(arrived.elapsed().as_secs_f64() * 1e3);
    }
    let total = cpu() - begun;
    delays.sort_by(f64::total_cmp);
    let seconds = SECONDS as f64;
    format!(
        "{{\"clip\":\"film\",\"rung\":\"360p30 and 180p15\",\"encoder\":\"the ladder\",\"coreShare\":{:.3},\
         \"sourceKilobitsPerSecond\":{:.0},\"decodeShare\":{:.3},\"scaleShare\":{:.3},\"delayFrames\":0,\"delayMs\":{{\"p50\":{:.1},\"p95\":{:.1},\"most\":{:.1}}}}}",
        total / seconds,
        frames.iter().map(Vec::len).sum::<usize>() as f64 * 8.0 / seconds / 1000.0,
        decoding / seconds,
        scaling / seconds,
        delays[delays.len() / 2],
        delays[delays.len() * 95 / 100],
        delays[delays.len() - 1],
    )
}

fn line<'a>(rung: &'a Rung, view: &View<'_>) -> (Encoder, Picture, &'a Rung) {
    let settings = Settings {
        size: rung.size,
        colour: view.colour,
        rate: 30.0 / rung.divisor as f64,
        bitrate: Bitrate(rung.bitrate),
        keyframes: 60 / rung.divisor,
        finest: 0,
    };
    (Encoder::open(settings).unwrap(), Picture::new(rung.size, view.colour), rung)
}

fn main() {
    let folder = env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let mut rows = Vec::new();
    for (name, kind) in [("film", Kind::Film), ("screen", Kind::Screen), ("noise", Kind::Noise)] {
        let clip = Clip::new(kind, SOURCE);
        let mut scaled: Vec<Vec<Picture>> = RUNGS.iter().map(|_| Vec::new()).collect();
        let mut scaler = Scaler::default();
        for number in 0..SECONDS * 30 {
            let picture = clip.picture(number);
            for (rung, pictures) in RUNGS.iter().zip(&mut scaled) {
                if number.is_multiple_of(rung.divisor) {
                    let mut small = Picture::new(rung.size, picture.colour);
                    assert!(scaler.scale(&picture.view(), rung.size, &mut small));
                    pictures.push(small);
                }
            }
        }
        for (rung, pictures) in RUNGS.iter().zip(&scaled) {
            let first = ours(pictures, rung, rung.bitrate, |_| {});
            rows.push(row(name, rung, "the ladder", &first));
            if rung.name == "540p30" {
                continue;
            }
            for (encoder, options) in [
                (
                    "librav1e speed 10",
                    &[
                        "-c:v",
                        "librav1e",
                        "-speed",
                        "10",
                        "-threads",
                        "1",
                        "-rav1e-params",
                        "low_latency=true",
                    ][..],
                ),
                (
                    "SVT-AV1 preset 12",
                    &["-c:v", "libsvtav1", "-preset", "12", "-svtav1-params", "rc=2:pred-struct=1:lp=1"],
                ),
                (
                    "libaom real time",
                    &[
                        "-c:v",
                        "libaom-av1",
                        "-usage",
                        "realtime",
                        "-cpu-used",
                        "10",
                        "-lag-in-frames",
                        "0",
                        "-threads",
                        "1",
                    ],
                ),
                (
                    "libaom real time",
                    &[
                        "-c:v",
                        "libaom-av1",
                        "-usage",
                        "realtime",
                        "-cpu-used",
                        "8",
                        "-lag-in-frames",
                        "0",
                        "-threads",
                        "1",
                    ],
                ),
            ] {
                // An older ffmpeg takes less.
                if rows.last().is_some_and(|row: &String| row.contains(encoder)) {
                    continue;
                }
                if let Some(outcome) = theirs(Path::new(&folder), pictures, rung, options) {
                    rows.push(row(name, rung, encoder, &outcome));
                }
            }
            // With more bits, to be held against others where both look the same.
            if rung.name == "360p30" && kind != Kind::Noise {
                let more = ours(pictures, rung, rung.bitrate * 3 / 2, |_| {});
                rows.push(row(name, rung, "the ladder, 1.5 times the rate", &more));
            }
        }
        if kind == Kind::Film {
            rows.push(together(Path::new(&folder), &clip));
        }
        if kind != Kind::Noise {
            settings(name, &scaled[1][..75], &RUNGS[1], &mut rows);
        }
    }
    let mut text = String::new();
    let _ = write!(text, "[{}]", rows.join(",\n"));
    println!("{text}");
}
