//! A clip as somebody publishes it: 720p30 in H.264, by x264 through ffmpeg. OpenH264's own encoder holds no rate without leaving
//! pictures out.

use picture::footage::{Clip, Kind};
use sfu::transcode::frame::{MediaTime, SourceFrame};
use shared::{broadcast::Codec, unit::Size};
use std::{
    io::{BufWriter, Write as _},
    process::{Command, Stdio},
    sync::Arc,
    thread,
};

/// What is published.
pub const SOURCE: Size = Size { width: 1280, height: 720 };
/// Pictures a second of it.
pub const RATE: u64 = 30;
/// Ticks of media time from one picture to the next.
pub const STEP: i64 = 90_000 / RATE as i64;
/// At a rate that people publish at, with a keyframe every two seconds.
const X264: &[&str] = &[
    "-c:v",
    "libx264",
    "-preset",
    "veryfast",
    "-tune",
    "zerolatency",
    "-profile:v",
    "baseline",
    "-pix_fmt",
    "yuv420p",
    "-b:v",
    "2500k",
    "-maxrate",
    "2500k",
    "-bufsize",
    "2500k",
    "-g",
    "60",
    "-x264-params",
    "aud=1:threads=1:sliced-threads=0:scenecut=0",
    "-f",
    "h264",
    "pipe:1",
];

/// So many seconds of a clip, in order, from a keyframe on.
pub fn published(kind: Kind, seconds: u64) -> Vec<SourceFrame> {
    const DELIMITER: [u8; 5] = [0, 0, 0, 1, 9];
    let mut ffmpeg = Command::new("ffmpeg")
        .args(["-nostdin", "-loglevel", "error", "-i", "pipe:0"])
        .args(X264)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut to = BufWriter::new(ffmpeg.stdin.take().unwrap());
    let writing = thread::spawn(move || {
        let clip = Clip::new(kind, SOURCE);
        let Size { width, height } = SOURCE;
        writeln!(to, "YUV4MPEG2 W{width} H{height} F{RATE}:1 Ip A1:1 C420jpeg").unwrap();
        for number in 0..seconds * RATE {
            to.write_all(b"FRAME\n").unwrap();
            clip.picture(number).planes.iter().for_each(|plane| to.write_all(plane).unwrap());
        }
    });
    let done = ffmpeg.wait_with_output().unwrap();
    writing.join().unwrap();
    assert!(done.status.success(), "ffmpeg has no x264");
    let data = done.stdout;
    let is_start = |at: &usize| data[*at..].starts_with(&DELIMITER);
    let starts: Vec<usize> = (0..data.len()).filter(is_start).chain([data.len()]).collect();
    let units = starts.windows(2).map(|pair| &data[pair[0]..pair[1]]);
    let frames: Vec<SourceFrame> = units.zip(0..).map(|(unit, number)| frame(unit, number)).collect();
    assert_eq!(frames.len() as u64, seconds * RATE, "an access unit for each picture");
    frames
}

fn frame(unit: &[u8], number: i64) -> SourceFrame {
    // A slice of an IDR picture has type 5.
    let keyframe = unit.windows(4).any(|bytes| bytes[..3] == [0, 0, 1] && bytes[3] & 0x1f == 5);
    SourceFrame {
        codec: Codec::H264,
        time: MediaTime(number * STEP),
        keyframe,
        after_gap: false,
        decode_only: false,
        data: Arc::from(unit),
    }
}
