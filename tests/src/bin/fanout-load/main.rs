//! Load for `cargo xtask bench fanout`: one publisher that replays a recorded broadcast, and many viewers, each a whole WebRTC
//! client (ICE, DTLS, SRTP, receiver reports, transport-wide feedback), in a process of its own, so that the server's CPU
//! seconds are the server's alone. Prints JSON.
//!
//! `fanout-load --record HTTP_ADDRESS CHANNEL` watches a channel instead and prints what its publisher sends, as a recording.

mod publisher;
mod trace;
mod viewer;

use mio::{Events, Poll, Token};
use publisher::Publisher;
use serde_json::{Value, json};
use std::{
    fs,
    io::ErrorKind,
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use str0m::{
    Candidate, Rtc, RtcConfig,
    change::SdpPendingOffer,
    media::{Direction, MediaKind, Mid},
};
use trace::Entry;
use viewer::{BUFFER, Counted, Viewer};
use weir_tests::{
    http::Request,
    server::{Weir, binary},
};

/// 720p at 30 pictures a second and 1.5 Mbit/s with sound, as Chromium sent it.
const TRACE: &str = include_str!("720p30.trace");
/// How many viewers there are at each step.
const STEPS: &[usize] = &[1, 50, 100, 200, 400];
/// One more where the server's half of the cores and the load's have room for it.
const BEYOND: usize = 600;
/// How many there are where ways of forwarding are compared.
const COMPARED: usize = 200;
const WARM: Duration = Duration::from_secs(2);
const MEASURED: Duration = Duration::from_secs(6);
/// How long a recording is.
const RECORDED: Duration = Duration::from_secs(10);
/// The longest step of the bench's loop.
const PACE: Duration = Duration::from_millis(5);

/// The machine's cores, counted before any are given away.
static CORES: AtomicUsize = AtomicUsize::new(1);

fn main() {
    CORES.store(std::thread::available_parallelism().map_or(1, usize::from), Relaxed);
    str0m::crypto::from_feature_flags().install_process_default();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--record", server, channel] => record(server.parse().expect("an address"), channel),
        // For profiling: this many viewers for so long, where cores may sleep.
        ["--viewers", viewers, seconds] => {
            let mut bench = Bench::start(Way { may_sleep: true, ..DEFAULT });
            bench.grow(viewers.parse().expect("a number"));
            let lasts = Duration::from_secs(seconds.parse().expect("seconds"));
            println!("{}", bench.measure(lasts));
        }
        [] => bench(),
        _ => panic!("usage: fanout-load [--record HTTP_ADDRESS CHANNEL | --viewers COUNT SECONDS]"),
    }
}

/// An offer of sound and picture (VP8), with the lines of both.
fn offer(address: SocketAddr, direction: Direction) -> (Rtc, SdpPendingOffer, String, (Mid, Mid)) {
    let mut rtc = RtcConfig::new()
        .set_rtp_mode(true)
        .clear_codecs()
        .enable_opus(true, false)
        .enable_vp8(true)
        .build(Instant::now());
    rtc.add_local_candidate(Candidate::host(address, "udp").expect("a candidate"));
    let mut changes = rtc.sdp_api();
    let mut line = |kind, name: &str| {
        changes.add_media(kind, direction, Some("weir".to_owned()), Some(name.to_owned()), None)
    };
    let lines = (line(MediaKind::Audio, "audio"), line(MediaKind::Video, "video"));
    let (offer, pending) = changes.apply().expect("something to offer");
    (rtc, pending, offer.to_sdp_string(), lines)
}

fn bench() {
    let mut rows = Vec::new();
    let mut bench = Bench::start(DEFAULT);
    for &step in STEPS {
        bench.grow(step);
        rows.push(bench.measure(MEASURED));
    }
    let cores = CORES.load(Relaxed) as f64;
    let used = |row: &Value, name: &str| row[name].as_f64().unwrap_or(f64::INFINITY);
    let last = rows.last().expect("a row");
    let busiest = used(last, "serverCores").max(used(last, "loadCores"));
    if busiest * BEYOND as f64 / used(last, "viewers") < 0.45 * cores {
        bench.grow(BEYOND);
        rows.push(bench.measure(MEASURED));
    }
    drop(bench);
    for way in COMPARED_WAYS {
        let mut bench = Bench::start(way);
        bench.grow(COMPARED);
        rows.push(bench.measure(MEASURED));
    }
    rows.push(beside_ladders());
    eprintln!();
    println!("{}", Value::Array(rows));
}

/// The same while as many encoders as there are cores run flat out, as transcoding children run: what forwarding loses by it.
fn beside_ladders() -> Value {
    let mut bench = Bench::start(Way { name: "beside ladders", may_sleep: true, ..DEFAULT });
    bench.grow(COMPARED);
    let is_over = AtomicBool::new(false);
    let all = all_cores();
    let cores = CORES.load(Relaxed);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while !is_over.load(Relaxed) {
                    let mut encoder = Command::new("taskset");
                    encoder.args(["-c", &all]).arg(binary());
                    let done = encoder.args(["transcode", "--measure"]).stdout(Stdio::null()).status();
                    assert!(done.is_ok_and(|status| status.success()), "an encoder");
                }
            });
        }
        bench.run(Instant::now() + WARM);
        let row = bench.measure(MEASURED);
        is_over.store(true, Relaxed);
        row
    })
}

/// A way of forwarding that is measured.
#[derive(Clone, Copy)]
struct Way {
    name: &'static str,
    environment: &'static [(&'static str, &'static str)],
    /// The server and the load have cores of their own, so that what the load does isn't in the server's figures.
    is_apart: bool,
    /// Cores that have nothing to do may sleep. How a core is woken, and what a virtual machine's host did with it meanwhile,
    /// costs a server that is hardly busy more than its own work does, and one whose core is full nothing.
    may_sleep: bool,
}

const DEFAULT: Way = Way { name: "default", environment: &[], is_apart: true, may_sleep: false };
const COMPARED_WAYS: [Way; 6] = [
    DEFAULT,
    Way { name: "cores may sleep", may_sleep: true, ..DEFAULT },
    Way {
        name: "no congestion control",
        environment: &[("WEIR_MEDIA_CONGESTION_CONTROL", "off")],
        ..DEFAULT
    },
    Way { name: "no segmentation", environment: &[("WEIR_MEDIA_SEGMENTATION", "off")], ..DEFAULT },
    Way { name: "with the load, all shards", is_apart: false, ..DEFAULT },
    Way {
        name: "with the load, one shard",
        environment: &[("WEIR_MEDIA_SHARDS", "1")],
        is_apart: false,
        ..DEFAULT
    },
];

impl Way {
    /// Starts the server, which inherits this thread's cores, and takes the others for what this thread starts after that.
    fn start(self) -> Weir {
        let cores = CORES.load(Relaxed);
        let (servers, own) = if cores < 2 || !self.is_apart {
            (all_cores(), all_cores())
        } else {
            (format!("0-{}", cores / 2 - 1), format!("{}-{}", cores / 2, cores - 1))
        };
        run_on(&servers);
        let weir = Weir::start_with(self.environment);
        run_on(&own);
        weir
    }
}

/// Keeps cores awake by doing nothing on each, whenever nobody else has anything to do there (`SCHED_IDLE`).
struct Awake(Vec<Child>);

impl Awake {
    fn keep() -> Self {
        let spin = |core: usize| {
            let mut spin = Command::new("taskset");
            spin.args(["-c", &core.to_string(), "chrt", "--idle", "0", "sh", "-c", "while :; do :; done"]);
            spin.spawn().expect("taskset and chrt")
        };
        Self((0..CORES.load(Relaxed)).map(spin).collect())
    }
}

impl Drop for Awake {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn all_cores() -> String {
    format!("0-{}", CORES.load(Relaxed) - 1)
}

/// Keeps this thread, and what it starts, on these cores.
fn run_on(cores: &str) {
    let own = std::process::id().to_string();
    let status = Command::new("taskset").args(["-p", "-c", cores, &own]).stdout(Stdio::null()).status();
    assert!(status.is_ok_and(|status| status.success()), "taskset -p -c {cores}");
}

/// A server with a broadcast and those who watch it.
struct Bench {
    way: &'static str,
    _awake: Option<Awake>,
    // Before the server, so that it says goodbye to one that is still there.
    _publisher: Publisher,
    weir: Weir,
    poll: Poll,
    events: Events,
    buffers: Vec<Vec<u8>>,
    viewers: Vec<Viewer>,
    began: Instant,
    /// From the publisher's hands to a viewer's, in tenths of a millisecond.
    times: Vec<u32>,
    /// Bytes of the server's memory before anybody watched.
    memory: f64,
}

impl Bench {
    fn start(way: Way) -> Self {
        let weir = way.start();
        let channel = weir.create_channel("ada");
        let trace: Arc<[Entry]> = trace::read(TRACE).into();
        let began = Instant::now();
        let publisher = Publisher::start(weir.http, &channel.name, &channel.key, trace, began);
        weir.until_state("ada", "live", Duration::from_secs(10));
        std::thread::sleep(WARM);
        let memory = resident(weir.pid());
        Self {
            way: way.name,
            _awake: (!way.may_sleep).then(Awake::keep),
            _publisher: publisher,
            weir,
            poll: Poll::new().expect("epoll"),
            events: Events::with_capacity(1024),
            buffers: vec![vec![0; BUFFER]; 4],
            viewers: Vec::new(),
            began,
            times: vec![0; 10_001],
            memory,
        }
    }

    /// Adds viewers until there are so many that play.
    fn grow(&mut self, to: usize) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while self.viewers.len() < to {
            let token = Token(self.viewers.len());
            self.viewers.push(Viewer::join(self.weir.http, "ada", &self.poll, token));
            self.run(Instant::now());
        }
        while !self.viewers.iter().all(Viewer::plays) {
            assert!(Instant::now() < deadline, "not all viewers play:\n{}", self.weir.console());
            self.run(Instant::now() + PACE);
        }
        self.run(Instant::now() + WARM);
    }

    /// Serves the viewers until then.
    fn run(&mut self, until: Instant) {
        loop {
            let now = Instant::now();
            let wait = until.saturating_duration_since(now).min(PACE);
            match self.poll.poll(&mut self.events, Some(wait)) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => panic!("{error}"),
            }
            let (began, times) = (self.began, &mut self.times);
            let mut seen = |packet: &_| {
                let Some(sent) = viewer::sent(packet) else { return };
                let took = (began.elapsed().as_micros() as u64).saturating_sub(sent);
                let last = times.len() - 1;
                times[(took as usize / 100).min(last)] += 1;
            };
            for event in &self.events {
                let now = Instant::now();
                self.viewers[event.token().0].receive(&mut self.buffers, now, &mut seen);
            }
            let now = Instant::now();
            for viewer in self.viewers.iter_mut().filter(|viewer| viewer.due <= now) {
                viewer.advance(now, &mut seen);
            }
            if now >= until {
                return;
            }
        }
    }

    /// What one step costs.
    fn measure(&mut self, lasts: Duration) -> Value {
        let (server, own) = (self.weir.pid(), std::process::id());
        self.viewers.iter_mut().for_each(Viewer::begin);
        self.times.fill(0);
        let forwarded = forwarding(&self.weir);
        let (began, cpu, own_cpu) = (Instant::now(), cpu_seconds(server), cpu_seconds(own));
        self.run(began + lasts);
        let (cpu, own_cpu) = (cpu_seconds(server) - cpu, cpu_seconds(own) - own_cpu);
        let seconds = began.elapsed().as_secs_f64();
        let memory = resident(server) - self.memory;
        let inside: Vec<(f64, u64)> = forwarding(&self.weir)
            .into_iter()
            .zip(forwarded)
            .map(|((end, after), (_, before))| (end, after - before))
            .collect();
        let mut all = Counted::default();
        self.viewers.iter().for_each(|viewer| all += viewer.counted());
        let viewers = self.viewers.len() as f64;
        let gigabits = all.bytes as f64 * 8.0 / 1e9;
        let lost = |came: u64| 100.0 * (1.0 - came as f64 / all.sent.max(1) as f64);
        eprint!(".");
        json!({
            "way": self.way,
            "viewers": viewers,
            "gigabitsPerSecond": round(gigabits / seconds),
            "packetsPerSecond": (all.came as f64 / seconds).round(),
            "lostPercent": round(lost(all.came)),
            "lostAfterRepairPercent": round(lost(all.repaired)),
            "repairAndPaddingPercent": round(100.0 * all.other_bytes as f64 / all.bytes.max(1) as f64),
            "forwardingMs": {
                "p50": round(within(&inside, 0.5) * 1e3),
                "p99": round(within(&inside, 0.99) * 1e3),
                "p999": round(within(&inside, 0.999) * 1e3),
            },
            "sentToReceivedMs": { "p50": self.quantile(0.5), "p99": self.quantile(0.99) },
            "cpuSecondsPerGigabit": round(cpu / gigabits),
            "gigabitsPerCoreSecond": round(gigabits / cpu),
            "viewersPerCore": (viewers * seconds / cpu).round(),
            "microsecondsPerPacket": round(cpu * 1e6 / all.came as f64),
            "serverCores": round(cpu / seconds),
            "loadCores": round(own_cpu / seconds),
            "kilobytesPerViewer": round(memory / viewers / 1e3),
        })
    }

    fn quantile(&self, share: f64) -> f64 {
        let count: u64 = self.times.iter().map(|count| u64::from(*count)).sum();
        let buckets: Vec<_> =
            self.times.iter().zip(1u32..).map(|(n, end)| (f64::from(end), u64::from(*n))).collect();
        if count == 0 { f64::NAN } else { within(&buckets, share) / 10.0 }
    }
}

/// Below which value this share lies, by counts in buckets with their upper ends.
fn within(buckets: &[(f64, u64)], share: f64) -> f64 {
    let wanted = (buckets.iter().map(|(_, count)| count).sum::<u64>() as f64 * share).ceil() as u64;
    let mut seen = 0;
    let found = buckets.iter().find(|(_, count)| {
        seen += count;
        seen >= wanted.max(1)
    });
    found.map_or(f64::NAN, |(end, _)| *end)
}

/// What the server says of how long packets took inside it: counts in buckets, by their upper ends in seconds.
fn forwarding(weir: &Weir) -> Vec<(f64, u64)> {
    const NAME: &str = "weir_media_forwarding_seconds_bucket{le=\"";
    let text = Request::new("GET", "/metrics").send(weir.http).text();
    let mut before = 0;
    text.lines()
        .filter_map(|line| line.strip_prefix(NAME)?.split_once("\"} "))
        .map(|(end, count)| {
            let count: u64 = count.parse().expect("a count");
            let own = count - before;
            before = count;
            // What took longer than the last end is reported as a second.
            (end.parse().map_or(1.0, |end: f64| end.min(1.0)), own)
        })
        .collect()
}

/// Watches a channel and prints what is sent from its first keyframe on that was asked for.
fn record(server: SocketAddr, channel: &str) {
    let mut poll = Poll::new().expect("epoll");
    let mut events = Events::with_capacity(64);
    let mut viewer = Viewer::join(server, channel, &poll, Token(0));
    let mut buffers = vec![vec![0; BUFFER]; 4];
    let began = Instant::now();
    let mut entries: Vec<Entry> = Vec::new();
    let mut first: Option<Instant> = None;
    while first.is_none_or(|first| first.elapsed() < RECORDED) {
        let wait = viewer.due.saturating_duration_since(Instant::now());
        poll.poll(&mut events, Some(wait.min(PACE))).expect("to wait");
        let now = Instant::now();
        let mut seen = |packet: &str0m::rtp::RtpPacket| {
            let is_audio = packet.header.payload_type == 111.into();
            // A VP8 frame's first bit after the descriptor is clear in a keyframe.
            let is_start = !is_audio && packet.payload.first().is_some_and(|first| first & 0x17 == 0x10);
            let is_key = is_start && vp8_frame(&packet.payload).is_some_and(|frame| frame & 1 == 0);
            // What comes at first is replayed from a cache.
            if first.is_none() && is_key && began.elapsed() > RECORDED {
                first = Some(now);
            }
            let Some(first) = first else { return };
            let goes_on = entries
                .iter()
                .rev()
                .find(|entry| !entry.is_audio)
                .is_some_and(|last| last.is_key && !last.is_last);
            entries.push(Entry {
                at: now - first,
                size: packet.payload.len(),
                is_audio,
                is_key: !is_audio && (is_key || goes_on),
                is_last: !is_audio && packet.header.marker,
            });
        };
        viewer.receive(&mut buffers, now, &mut seen);
        if viewer.due <= now {
            viewer.advance(now, &mut seen);
        }
    }
    print!("{}", trace::write(&entries));
}

/// The first byte of a VP8 frame after its payload descriptor (RFC 7741, 4.2).
fn vp8_frame(payload: &[u8]) -> Option<u8> {
    let mut at = 1;
    if payload.first()? & 0x80 != 0 {
        let extended = *payload.get(1)?;
        at += 1;
        if extended & 0x80 != 0 {
            at += if payload.get(at)? & 0x80 != 0 { 2 } else { 1 };
        }
        at += usize::from(extended & 0x40 != 0) + usize::from(extended & 0x30 != 0);
    }
    payload.get(at).copied()
}

/// Seconds that a process has used of any core, as the scheduler counts them.
fn cpu_seconds(pid: u32) -> f64 {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("the process");
    let nanos = |task: fs::DirEntry| {
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    };
    tasks.flatten().filter_map(nanos).sum::<f64>() / 1e9
}

fn resident(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    line.split_whitespace().next().and_then(|kib| kib.parse::<f64>().ok()).expect("a number") * 1024.0
}

fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
