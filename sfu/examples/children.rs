//! What `cargo xtask bench ladder` measures of whole transcoding children: `children WEIR` prints rows of JSON, and
//! `children WEIR flat SECONDS` keeps as many of them as there are cores at work, each with as much as it takes, and prints a
//! line for each once it works.

#![expect(clippy::unwrap_used, reason = "a program for measuring may stop")]

use picture::{
    footage::{Clip, Kind},
    rav1e::{Encoder, Settings},
};
use sfu::transcode::{
    frame::{Made, MediaTime, Rung, SourceFrame},
    ladder,
    process::{Config, Event, Transcoder},
    wire::Stats,
};
use shared::{
    broadcast::Codec,
    unit::{Bitrate, Size},
};
use std::{
    path::PathBuf,
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

const SOURCE: Size = Size { width: 1280, height: 720 };
/// Pictures of the clip, which begins anew after them with a keyframe.
const PICTURES: u64 = 60;
const STEP: i64 = 3000;
const PICTURE: Duration = Duration::from_nanos(33_333_333);
/// How often a start is measured.
const STARTS: usize = 12;
/// How long memory is looked at.
const WORKS: Duration = Duration::from_secs(6);
/// More than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// 720p30 in AV1, for ever.
struct Source {
    frames: Vec<(Vec<u8>, bool)>,
    next: u64,
}

impl Source {
    fn new() -> Self {
        let clip = Clip::new(Kind::Film, SOURCE);
        let colour = clip.picture(0).colour;
        let settings = Settings {
            size: SOURCE,
            colour,
            rate: 30.0,
            bitrate: Bitrate(2_500_000),
            keyframes: 1000,
            finest: 0,
        };
        let mut encoder = Encoder::open(settings).unwrap();
        let frames = (0..PICTURES)
            .map(|number| {
                let encoded = encoder.encode(&clip.picture(number).view()).unwrap().unwrap();
                (encoded.data, encoded.keyframe)
            })
            .collect();
        Self { frames, next: 0 }
    }

    /// From its beginning, at a later time.
    fn again(&mut self) {
        self.next = self.next.next_multiple_of(PICTURES);
    }

    fn frame(&mut self) -> SourceFrame {
        let (data, keyframe) = &self.frames[(self.next % PICTURES) as usize];
        let time = MediaTime(self.next as i64 * STEP);
        self.next += 1;
        SourceFrame {
            codec: Codec::Av1,
            time,
            keyframe: *keyframe,
            after_gap: false,
            data: data.clone().into(),
        }
    }
}

struct Child {
    transcoder: Transcoder,
    events: Receiver<Event>,
}

impl Child {
    fn start(program: &str) -> Self {
        let (tell, events) = mpsc::channel();
        let config = Config { program: PathBuf::from(program), ..Config::new("bench") };
        let sink = move |event| {
            // Whoever listened may be done.
            let _ = tell.send(event);
        };
        Self { transcoder: Transcoder::spawn(config, sink).unwrap(), events }
    }

    fn until(&self, is_it: impl Fn(&Event) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_it(&self.events.recv_timeout(deadline.saturating_duration_since(Instant::now())).unwrap()) {
        }
    }

    /// Feeds it at the source's pace until something came out that is looked for.
    fn works(&self, source: &mut Source, mut is_over: impl FnMut(&Event) -> bool) {
        let mut due = Instant::now();
        let deadline = due + PATIENCE;
        loop {
            // Where too many wait, it takes nothing before the next keyframe.
            let _ = self.transcoder.frame(source.frame());
            due += PICTURE;
            loop {
                match self.events.recv_timeout(due.saturating_duration_since(Instant::now())) {
                    Ok(event) if is_over(&event) => return,
                    Ok(_) => {}
                    Err(RecvTimeoutError::Timeout) => break,
                    Err(RecvTimeoutError::Disconnected) => panic!("it is gone"),
                }
            }
            assert!(Instant::now() < deadline, "it makes nothing");
        }
    }
}

fn rungs(names: &[&str]) -> Vec<Rung> {
    let all = ladder::rungs(SOURCE, 30.0);
    all.into_iter().filter(|rung| names.contains(&&*ladder::name(rung.id))).collect()
}

fn is_frame(event: &Event) -> bool {
    matches!(event, Event::Made(Made::Frame(_)))
}

fn millis(times: &mut [f64]) -> String {
    times.sort_by(f64::total_cmp);
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
    format!("{{\"p50\":{:.1},\"p95\":{:.1},\"most\":{:.1}}}", at(50), at(95), at(100))
}

/// From somebody's wish for 360p to its first frame: with a process that has to be started, and with one that is there and
/// makes nothing.
fn starts(program: &str, source: &mut Source) -> String {
    let (mut cold, mut warm) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let wished = Instant::now();
        let child = Child::start(program);
        child.transcoder.set_rungs(rungs(&["360p"]));
        child.until(|event| matches!(event, Event::Started(_)));
        source.again();
        child.works(source, is_frame);
        cold.push(wished.elapsed().as_secs_f64() * 1e3);
        child.transcoder.set_rungs(Vec::new());
        child.until(|event| matches!(event, Event::Stats(stats) if stats.rungs.is_empty()));
        let wished = Instant::now();
        child.transcoder.set_rungs(rungs(&["360p"]));
        source.again();
        child.works(source, is_frame);
        warm.push(wished.elapsed().as_secs_f64() * 1e3);
        child.transcoder.end();
    }
    format!("{{\"of\":\"start\",\"coldMs\":{},\"warmMs\":{}}}", millis(&mut cold), millis(&mut warm))
}

/// What a child holds at most that makes these rungs.
fn memory(program: &str, source: &mut Source, names: &[&str]) -> String {
    let child = Child::start(program);
    child.transcoder.set_rungs(rungs(names));
    child.until(|event| matches!(event, Event::Started(_)));
    source.again();
    let (until, mut most, mut last) = (Instant::now() + WORKS, 0, Stats::default());
    child.works(source, |event| {
        if let Event::Stats(stats) = event {
            most = most.max(stats.memory);
            last = stats.clone();
        }
        Instant::now() >= until
    });
    child.transcoder.end();
    format!(
        "{{\"of\":\"memory\",\"rungs\":\"{}\",\"megabytes\":{:.1},\"cores\":{:.2}}}",
        names.join(", "),
        most as f64 / 1e6,
        last.cpu.as_secs_f64() / WORKS.as_secs_f64(),
    )
}

/// As many children as cores, each given pictures as soon as it has room for more.
fn flat(program: &str, lasts: Duration) {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let until = Instant::now() + lasts;
    let work = || {
        let mut source = Source::new();
        let child = Child::start(program);
        child.transcoder.set_rungs(rungs(&["540p", "360p", "180p"]));
        child.until(|event| matches!(event, Event::Started(_)));
        child.works(&mut source, is_frame);
        println!("works");
        while Instant::now() < until {
            if child.transcoder.frame(source.frame()).is_err() {
                source.again();
                // What it makes meanwhile is heard, so that it never waits for us.
                let _ = child.events.recv_timeout(Duration::from_millis(5));
            }
            while child.events.try_recv().is_ok() {}
        }
        child.transcoder.end();
    };
    thread::scope(|scope| (0..cores).for_each(|_| drop(scope.spawn(work))));
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        [program, "flat", seconds] => flat(program, Duration::from_secs(seconds.parse().unwrap())),
        [program] => {
            let mut source = Source::new();
            let rows = [
                starts(program, &mut source),
                memory(program, &mut source, &["180p"]),
                memory(program, &mut source, &["360p", "180p"]),
                memory(program, &mut source, &["540p", "360p", "180p"]),
            ];
            println!("[{}]", rows.join(",\n"));
        }
        _ => panic!("usage: children WEIR [flat SECONDS]"),
    }
}
