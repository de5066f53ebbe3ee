//! Load for `cargo xtask bench join`: viewers that join a broadcast one after the other and many at once, in a process of its
//! own. Prints JSON. A viewer's time runs from posting its offer until the last packet of the first keyframe is there.

use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    sync::{Arc, Barrier},
    thread,
    time::{Duration, Instant},
};
use weir_tests::{
    peer::{Offering, Peer, Source, post_whep},
    server::Weir,
    vp8::Shape,
};

/// 720p30 at 1.5 Mbit/s, with keyframes of five times a usual picture.
const SHAPE: Shape = Shape { key: 28, delta: 5, bytes: 1_150 };
const TWO_SECONDS: u32 = 60;
const TEN_SECONDS: u32 = 300;
const IN_A_ROW: usize = 200;
/// Where they are spread over ten seconds, fewer are enough.
const FEWER: usize = 100;
const SPREAD: Duration = Duration::from_millis(100);
const AT_ONCE: usize = 100;
const PATIENCE: Duration = Duration::from_secs(15);
/// The kernel counts CPU time in hundredths of a second.
const TICKS: f64 = 100.0;

/// What a publisher does about keyframes.
struct Publisher {
    name: &'static str,
    keyframe_every: Option<u32>,
    answers_requests: bool,
    joins: usize,
    /// How far joins in a row are apart at least.
    apart: Duration,
}

/// As a program, as OBS at its longest, and as a browser.
const PUBLISHERS: [Publisher; 3] = [
    Publisher {
        name: "keyframes each 2 s",
        keyframe_every: Some(TWO_SECONDS),
        answers_requests: false,
        joins: IN_A_ROW,
        apart: Duration::ZERO,
    },
    Publisher {
        name: "each 10 s, never asked",
        keyframe_every: Some(TEN_SECONDS),
        answers_requests: false,
        joins: FEWER,
        apart: SPREAD,
    },
    Publisher {
        name: "only when asked",
        keyframe_every: None,
        answers_requests: true,
        joins: FEWER,
        apart: SPREAD,
    },
];

/// How long one join took, in milliseconds since its request.
struct Join {
    answer: f64,
    connected: f64,
    keyframe: f64,
}

fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

fn join(server: SocketAddr, offer: Offering) -> (Join, Peer) {
    let asked = Instant::now();
    let response = post_whep(server, "ada", &offer.sdp);
    let answer = millis(asked);
    let viewer = offer.start(server, &response, None, None);
    let connected = viewer.until("a connection", PATIENCE, |seen| seen.connected.then(|| millis(asked)));
    let keyframe = viewer.until("a whole keyframe", PATIENCE, |seen| {
        let packets = seen.video().filter(|packet| packet.parsed().label.key);
        (packets.count() >= SHAPE.key).then(|| millis(asked))
    });
    (Join { answer, connected, keyframe }, viewer)
}

fn in_a_row(server: SocketAddr, joins: usize, apart: Duration) -> Vec<Join> {
    let began = Instant::now();
    (0..joins)
        .map(|number| {
            thread::sleep((began + apart * number as u32).saturating_duration_since(Instant::now()));
            let (join, viewer) = join(server, Offering::to_receive());
            viewer.leave();
            join
        })
        .collect()
}

fn at_once(server: SocketAddr) -> Vec<Join> {
    let start = Arc::new(Barrier::new(AT_ONCE));
    let viewers: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let start = Arc::clone(&start);
            thread::spawn(move || {
                let offer = Offering::to_receive();
                start.wait();
                join(server, offer)
            })
        })
        .collect();
    // Nobody leaves before the last one is served: those who watch already are part of the load.
    let joined: Vec<_> = viewers.into_iter().map(|viewer| viewer.join().expect("a viewer")).collect();
    joined
        .into_iter()
        .map(|(join, viewer)| {
            viewer.leave();
            join
        })
        .collect()
}

/// Seconds that a process has used of any core.
fn cpu_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process");
    let (_, fields) = stat.rsplit_once(')').expect("its name");
    let field =
        |number: usize| fields.split_whitespace().nth(number).and_then(|text| text.parse::<f64>().ok());
    // User and system time are fields 14 and 15 of all, and the name is the second.
    (field(11).expect("user time") + field(12).expect("system time")) / TICKS
}

fn quantiles(joins: &[Join], which: impl Fn(&Join) -> f64) -> Value {
    let mut sorted: Vec<f64> = joins.iter().map(which).collect();
    sorted.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let rank = (share * sorted.len() as f64).ceil() as usize;
        sorted.get(rank.saturating_sub(1)).map(|value| (value * 10.0).round() / 10.0)
    };
    json!({ "p50": at(0.5), "p95": at(0.95), "most": at(1.0) })
}

fn measure(weir: &Weir, publisher: &Peer, name: &str, how: &str, act: impl FnOnce() -> Vec<Join>) -> Value {
    let asked = publisher.seen().keyframe_requests;
    let (before, own_before) = (cpu_seconds(weir.pid()), cpu_seconds(std::process::id()));
    let began = Instant::now();
    let joins = act();
    let row = json!({
        "publisher": name,
        "how": how,
        "joins": joins.len(),
        "answerMs": quantiles(&joins, |join| join.answer),
        "connectedMs": quantiles(&joins, |join| join.connected),
        "keyframeMs": quantiles(&joins, |join| join.keyframe),
        "keyframeRequests": publisher.seen().keyframe_requests - asked,
        "seconds": began.elapsed().as_secs_f64(),
        "serverCpuSeconds": cpu_seconds(weir.pid()) - before,
        "loadCpuSeconds": cpu_seconds(std::process::id()) - own_before,
    });
    eprint!(".");
    row
}

fn main() {
    let mut rows = Vec::new();
    for Publisher { name, keyframe_every, answers_requests, joins, apart } in PUBLISHERS {
        let weir = Weir::start();
        let channel = weir.create_channel("ada");
        let source = Source { shape: SHAPE, keyframe_every, answers_requests, ..Source::new(1) };
        let publisher = Peer::publish(weir.http, "ada", &channel.key, source);
        weir.until_state("ada", "live", PATIENCE);
        rows.push(measure(&weir, &publisher, name, "in a row", || in_a_row(weir.http, joins, apart)));
        rows.push(measure(&weir, &publisher, name, "at once", || at_once(weir.http)));
    }
    eprintln!();
    println!("{}", Value::Array(rows));
}
