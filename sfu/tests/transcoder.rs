//! The transcoding child as a real process: what confines it, how it ends, and that another one comes.

mod film;

use film::{Film, cut};
use picture::{
    Colour, Picture,
    rav1e::{Encoder, Settings},
};
use sfu::transcode::{
    frame::{Made, MediaTime, Rung, RungFrame, RungId, SourceFrame},
    ladder,
    process::{Config, Event, Transcoder},
    wire::{Sound, Stats},
};
use shared::{
    broadcast::Codec,
    unit::{Bitrate, Size},
};
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::mpsc::{self, Receiver},
    time::{Duration, Instant},
};

/// For what takes a moment on a machine that does nothing else.
const PATIENCE: Duration = Duration::from_secs(30);

struct Subject {
    transcoder: Transcoder,
    events: Receiver<Event>,
}

impl Subject {
    fn start(config: Config) -> Self {
        let (tell, events) = mpsc::channel();
        let sink = move |event| {
            // Nobody listens any more when a test is over.
            let _ = tell.send(event);
        };
        Self { transcoder: Transcoder::spawn(config, sink).expect("a thread"), events }
    }

    fn weir() -> Self {
        Self::start(config())
    }

    /// The first event that is what is looked for.
    #[track_caller]
    fn until<T>(&self, what: &str, mut find: impl FnMut(&Event) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(event) = self.events.recv_timeout(left) else { panic!("no {what}; there was {seen:?}") };
            if let Some(found) = find(&event) {
                return found;
            }
            seen.push(event);
        }
    }

    #[track_caller]
    fn started(&self) -> u32 {
        self.until("start", |event| matches!(event, Event::Started(_)).then_some(()));
        self.transcoder.pid().expect("a process")
    }

    #[track_caller]
    fn ended(&self) -> (String, Duration) {
        self.until("end", |event| match event {
            Event::Ended { reason, retry_in } => Some((reason.clone(), *retry_in)),
            _ => None,
        })
    }

    #[track_caller]
    fn frame(&self) -> RungFrame {
        self.until("frame", |event| match event {
            Event::Made(Made::Frame(frame)) => Some(frame.clone()),
            _ => None,
        })
    }

    /// Is kept at work, with some frames waiting, until something comes of them that is looked for.
    #[track_caller]
    fn works(&self, film: &mut Film, mut is_it: impl FnMut(&Event) -> bool) {
        const WAITING: usize = 4;
        let deadline = Instant::now() + PATIENCE;
        let (mut seen, mut done) = (Vec::new(), film.next);
        while Instant::now() < deadline {
            while film.next < done + WAITING {
                if self.transcoder.frame(film.frame()).is_err() {
                    // It goes on at a keyframe.
                    film.again();
                    done = film.next;
                    break;
                }
            }
            match self.events.recv_timeout(Duration::from_millis(500)) {
                Ok(event) if is_it(&event) => return,
                Ok(event @ Event::Ended { .. }) => panic!("{event:?}"),
                Ok(Event::Made(Made::Frame(frame))) => {
                    done = done.max((frame.time.0 / Film::STEP) as usize + 1);
                }
                // What it left out makes no frame.
                Err(_) => done += 1,
                Ok(event) => seen.push(event),
            }
        }
        panic!("it makes nothing; there was {seen:?}");
    }

    /// Is at work on three rungs: several frames of each come, from a keyframe on.
    #[track_caller]
    fn makes_all(&self, film: &mut Film) {
        let mut made: BTreeMap<RungId, usize> = BTreeMap::new();
        self.works(film, |event| {
            if let Event::Made(Made::Frame(frame)) = event {
                let count = made.entry(frame.rung).or_default();
                assert!(*count > 0 || frame.keyframe, "{frame:?}");
                *count += 1;
            }
            made.len() == ladder::MOST_RUNGS && made.values().all(|count| *count >= 5)
        });
    }

    #[track_caller]
    fn stats(&self) -> Stats {
        self.until("figures", |event| match event {
            Event::Stats(stats) => Some(stats.clone()),
            _ => None,
        })
    }
}

fn config() -> Config {
    Config { program: PathBuf::from(env!("CARGO_BIN_EXE_weir")), ..Config::new("test") }
}

/// A program in the child's place.
fn script(folder: &Path, text: &str) -> Config {
    let program = folder.join("child");
    fs::write(&program, format!("#!/bin/sh\n{text}\n")).expect("a script");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("to be run");
    Config { program, ..Config::new("test") }
}

fn rung() -> Rung {
    Rung { id: RungId(1), size: Size { width: 64, height: 36 }, divisor: 1, bitrate: Bitrate(50_000) }
}

fn keyframe(number: i64) -> SourceFrame {
    SourceFrame {
        codec: Codec::Vp8,
        time: MediaTime(number * 3000),
        keyframe: true,
        after_gap: false,
        decode_only: false,
        data: vec![1, 2, 3].into(),
    }
}

fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status().expect("kill");
    assert!(status.success());
}

fn is_there(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

/// A field of `/proc/PID/status`.
fn status(pid: u32, field: &str) -> String {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).expect("its status");
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("no {field}")).trim().to_owned()
}

#[test]
fn a_child_gives_up_what_it_has_no_need_of() {
    // A secret, and a descriptor that would be inherited.
    let subject = Subject::weir();
    let pid = subject.started();
    subject.stats();
    assert_eq!(status(pid, "Seccomp"), "2", "a filter");
    assert_eq!(status(pid, "NoNewPrivs"), "1");
    let environment = fs::read_to_string(format!("/proc/{pid}/environ")).expect("its environment");
    let others: Vec<_> = environment
        .split('\0')
        .filter(|entry| !entry.is_empty() && !entry.starts_with("LD_LIBRARY_PATH="))
        .collect();
    assert!(others.is_empty(), "{others:?}");
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).expect("its limits");
    for line in [
        "Max core file size        0 ",
        "Max data size             1073741824 ",
        "Max open files            16 ",
    ] {
        assert!(limits.contains(line), "{line} in {limits}");
    }
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("its figures");
    let nice = stat.rsplit(')').next().and_then(|rest| rest.split(' ').nth(17));
    assert_eq!(nice, Some("10"), "{stat}");
    let open: Vec<_> = fs::read_dir(format!("/proc/{pid}/fd"))
        .expect("its descriptors")
        .map(|entry| fs::read_link(entry.expect("an entry").path()).expect("a link").display().to_string())
        .collect();
    let is_its_own =
        |link: &&String| link.starts_with("socket:") || *link == "/dev/null" || link.ends_with("/statm");
    assert!(open.iter().all(|link| is_its_own(&link)), "{open:?}");
    subject.transcoder.end();
    assert!(!is_there(pid));
}

#[test]
fn one_that_is_killed_at_work_comes_back_with_its_rungs() {
    let (subject, mut film) = (Subject::weir(), Film::new());
    subject.transcoder.set_rungs(ladder::rungs(Film::SIZE));
    let first = subject.started();
    subject.makes_all(&mut film);
    signal(first, "KILL");
    let (reason, retry_in) = subject.ended();
    assert_eq!((&*reason, retry_in), ("it was killed (signal 9)", Duration::from_millis(500)));
    film.again();
    assert!(subject.transcoder.frame(film.frame()).is_err(), "there is nobody to take it");
    let second = subject.started();
    assert_ne!(first, second);
    assert!(!is_there(first));
    subject.makes_all(&mut film);
    signal(second, "ILL");
    let (reason, retry_in) = subject.ended();
    assert_eq!((&*reason, retry_in), ("it crashed (signal 4)", Duration::from_secs(1)));
}

#[test]
fn one_that_hangs_at_work_is_killed_and_comes_back_with_its_rungs() {
    let (subject, mut film) = (Subject::weir(), Film::new());
    subject.transcoder.set_rungs(ladder::rungs(Film::SIZE));
    let pid = subject.started();
    subject.makes_all(&mut film);
    signal(pid, "STOP");
    let stopped = Instant::now();
    // What is given to it meanwhile is never waited for.
    let refused = (0..2000).filter(|_| subject.transcoder.frame(film.frame()).is_err()).count();
    assert!(refused > 0, "its queues are short");
    assert!(stopped.elapsed() < Duration::from_secs(1), "{:?}", stopped.elapsed());
    assert_eq!(subject.ended().0, "it didn't answer for 1.5 s");
    assert!(stopped.elapsed() < Duration::from_secs(10));
    assert!(!is_there(pid));
    subject.started();
    subject.makes_all(&mut film);
}

#[test]
fn av1_that_breaks_off_ends_one_child_at_most_and_no_other() {
    let (hostile, other) = (Subject::weir(), Subject::weir());
    hostile.transcoder.set_rungs(vec![rung()]);
    other.transcoder.set_rungs(vec![rung()]);
    hostile.started();
    let pid = other.started();
    let (mut film, mut whole) = (Film::new(), Film::new());
    let mut ends = Vec::new();
    for (first, others) in [(7, 7), (8, 4), (1, 1)] {
        // Each cut inside a tile, or the keyframe whole.
        film.again();
        for number in 0..4 {
            let frame = film.frame();
            let data = cut(&frame.data, if number == 0 { first } else { others }).into();
            // It may be gone already.
            let _ = hostile.transcoder.frame(SourceFrame { data, ..frame });
        }
        // Once it says that it needs a keyframe, or ends, it has looked at them.
        let looked = hostile.until("a word", |event| match event {
            Event::Made(Made::NeedsKeyframe | Made::Refused(_)) => Some(None),
            Event::Ended { reason, .. } => Some(Some(reason.clone())),
            _ => None,
        });
        if let Some(reason) = looked {
            ends.push(reason);
            hostile.started();
        }
        other.works(&mut whole, |event| matches!(event, Event::Made(Made::Frame(_))));
        assert_eq!(other.transcoder.pid(), Some(pid), "the same child");
    }
    // rav1d aborts at such frames, which is told as what it is.
    assert!(ends.iter().all(|reason| reason == "it crashed (signal 6)"), "{ends:?}");
    film.again();
    hostile.works(&mut film, |event| matches!(event, Event::Made(Made::Frame(_))));
}

#[test]
fn nothing_is_left_when_it_is_dropped() {
    let subject = Subject::weir();
    let pid = subject.started();
    drop(subject.transcoder);
    let deadline = Instant::now() + PATIENCE;
    while is_there(pid) {
        assert!(Instant::now() < deadline, "it is still there");
        std::thread::yield_now();
    }
    assert!(subject.events.iter().all(|event| !matches!(event, Event::Ended { .. })), "that is no failure");
}

#[test]
fn what_talks_nonsense_is_ended() {
    let folder = tempfile::tempdir().expect("a folder");
    for (text, reason) in [
        ("exec cat >&0 </dev/zero", "it said what can't be: a message of no known kind"),
        ("exec yes >&0", "it said what can't be: a message of 2030729482 bytes"),
        (
            "printf '\\0\\0\\0\\1\\002' >&0; sleep 60",
            "it said what can't be: a message of kind 2 that makes no sense",
        ),
        ("exit 3", "it gave up (exit code 3)"),
        ("kill -SEGV $$", "it crashed (signal 11)"),
        ("while :; do printf '\\0\\0\\0\\001\\010\\0\\0\\0\\001\\010\\0\\0\\0\\001\\010'; done >&0", ""),
    ] {
        let subject = Subject::start(script(folder.path(), text));
        if reason.is_empty() {
            // Signs of life alone make no child.
            assert!(subject.transcoder.frame(keyframe(0)).is_err());
        } else {
            assert_eq!(subject.ended().0, reason, "{text}");
        }
        subject.transcoder.end();
    }
}

#[test]
fn one_that_floods_is_ended() {
    let folder = tempfile::tempdir().expect("a folder");
    // Sentences of 300 bytes about what can't be used, as fast as they go.
    let text = "awk 'BEGIN { m = sprintf(\"%c%c\", 1, 45) ; t = \"\"; for (i = 0; i < 300; i++) t = t \"x\"; while (1) printf \"%c%c%c%c%c%s\", 0, 0, 1, 45, 5, t }' >&0";
    let subject = Subject::start(script(folder.path(), text));
    assert_eq!(subject.ended().0, "it made more than 16 MB in a second");
}

#[test]
fn a_program_that_is_not_there_is_tried_again() {
    let subject =
        Subject::start(Config { program: PathBuf::from("/nonexistent/weir"), ..Config::new("test") });
    let (reason, first) = subject.ended();
    assert!(reason.starts_with("it can't be started: "), "{reason}");
    let (_, second) = subject.ended();
    assert_eq!(second, first * 2);
    subject.transcoder.end();
}

/// A source in AV1, by the encoder that the child has, too.
struct Source {
    encoder: Encoder,
    number: i64,
}

impl Source {
    const SIZE: Size = Size { width: 128, height: 72 };

    fn new() -> Self {
        let settings = Settings {
            size: Self::SIZE,
            colour: Colour::default(),
            rate: 30.0,
            bitrate: Bitrate(200_000),
            keyframes: 30,
            finest: 0,
        };
        Self { encoder: Encoder::open(settings).expect("an encoder"), number: 0 }
    }

    /// The next frame, at 30 a second.
    fn frame(&mut self) -> SourceFrame {
        loop {
            let mut picture = Picture::new(Self::SIZE, Colour::default());
            for (at, sample) in picture.planes[0].iter_mut().enumerate() {
                *sample = (at as i64 * 7 + self.number * 5) as u8;
            }
            let time = MediaTime(self.number * 3000);
            self.number += 1;
            if let Some(encoded) = self.encoder.encode(&picture.view()).expect("to encode") {
                return SourceFrame {
                    codec: Codec::Av1,
                    time,
                    keyframe: encoded.keyframe,
                    after_gap: false,
                    decode_only: false,
                    data: encoded.data.into(),
                };
            }
        }
    }
}

#[test]
fn a_confined_child_decodes_and_encodes() {
    let subject = Subject::weir();
    subject.transcoder.set_rungs(vec![rung(), Rung { id: RungId(2), divisor: 2, ..rung() }]);
    subject.started();
    let mut source = Source::new();
    subject.transcoder.frame(source.frame()).expect("room");
    let first = subject.frame();
    assert!(first.keyframe && first.time == MediaTime(0) && first.encoding > Duration::ZERO, "{first:?}");
    let stats = loop {
        // Where too many wait they are left out, and the next keyframe is taken.
        let _ = subject.transcoder.frame(source.frame());
        match subject.events.recv_timeout(Duration::from_millis(30)) {
            Ok(Event::Stats(stats)) if stats.rungs.iter().all(|rung| rung.encoded > 4) => break stats,
            Ok(Event::Ended { reason, .. }) => panic!("{reason}"),
            _ => assert!(source.number < 1000, "no frames"),
        }
    };
    assert!(stats.cpu > Duration::ZERO && stats.memory > 1 << 20 && stats.decoded >= 10, "{stats:?}");
    // What is taken away is heard of no more.
    subject.transcoder.set_rungs(vec![rung()]);
    subject.transcoder.frame(source.frame()).expect("room");
    subject.until("no rung 2", |event| match event {
        Event::Stats(stats) => (stats.rungs.len() == 1).then_some(()),
        _ => None,
    });
}

#[test]
fn garbage_asks_for_a_keyframe_and_harms_nobody() {
    let subject = Subject::weir();
    subject.transcoder.set_rungs(vec![rung()]);
    let pid = subject.started();
    let mut state = 1_u64;
    for number in 0..200_i64 {
        let mut bytes = vec![0; 1 + (number as usize * 37) % 2000];
        for byte in &mut bytes {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (state >> 33) as u8;
        }
        let codec = [Codec::Av1, Codec::Vp9, Codec::Vp8, Codec::H264][number as usize % 4];
        let frame = SourceFrame { codec, data: bytes.into(), time: MediaTime(number * 3000), ..keyframe(0) };
        // Some are left out, as they come all at once.
        let _ = subject.transcoder.frame(frame);
    }
    subject.until("a word", |event| {
        matches!(event, Event::Made(Made::NeedsKeyframe | Made::Refused(_))).then_some(())
    });
    let mut source = Source::new();
    let mut given = source.frame();
    given.time = MediaTime(given.time.0 + 10_000_000);
    while subject.transcoder.frame(given.clone()).is_err() {
        std::thread::yield_now();
    }
    subject.frame();
    assert_eq!(subject.transcoder.pid(), Some(pid), "the same child");
}
#[test]
fn one_that_needs_too_much_memory_is_ended_and_says_so() {
    let subject = Subject::start(Config { memory: 48 << 20, ..config() });
    let large = Rung { size: Size { width: 1920, height: 1080 }, bitrate: Bitrate(2_000_000), ..rung() };
    subject.transcoder.set_rungs(vec![large]);
    subject.started();
    let mut source = Source::new();
    let (reason, _) = loop {
        let _ = subject.transcoder.frame(source.frame());
        match subject.events.recv_timeout(Duration::from_millis(100)) {
            Ok(Event::Ended { reason, retry_in }) => break (reason, retry_in),
            _ => assert!(source.number < 300, "it goes on"),
        }
    };
    // A crash tells why only if the last figures did.
    assert!(reason.contains("memory") || reason.contains("crashed"), "{reason}");
    subject.started();
}

#[test]
fn sound_comes_back_small() {
    let subject = Subject::weir();
    subject.started();
    // 20 ms of silence in stereo, by CELT alone (RFC 6716, section 3.1).
    let silence = Sound { time: 960, data: [0xfc, 0xff, 0xfe].into() };
    subject.transcoder.audio(silence.clone());
    let heard = subject.until("sound", |event| match event {
        Event::Audio(sound) => Some(sound.clone()),
        _ => None,
    });
    assert_eq!(heard.time, silence.time);
    assert!((1..200).contains(&heard.data.len()), "{} bytes", heard.data.len());
}
