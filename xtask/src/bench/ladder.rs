//! The ladder's encoder: how fast, how good, how true to its rate, beside others that ffmpeg brings.

use super::report;
use crate::{
    apt::{self, Need},
    build::native,
    command,
    context::Context,
    failure::{Failure, Result, While},
};
use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

/// What decoding, scaling and encoding 360p30 and 180p15 may take of one core.
const CORE_SHARE: f64 = 2.0 / 3.0;
/// The most that the ladder may add to the source's delay, in milliseconds.
const DELAY: f64 = 200.0;
/// From a viewer's wish to the first packet, in milliseconds.
const START: f64 = 1000.0;
/// An ffmpeg that knows VMAF, which Debian's doesn't: a package of PyPI's that has it inside.
const VMAF: &str = "imageio-ffmpeg==0.8.1";
/// How many viewers are forwarded to while the ladder runs flat out, and for how many seconds.
const VIEWERS: &str = "200";
const FORWARDS: &str = "6";
/// Longer than that takes: it is ended then.
const FLAT_OUT: &str = "120";
/// What forwarding may lose, in percent, and how long it may take in the server at p99, in milliseconds, as without a ladder.
const LOST: f64 = 0.1;
const FORWARDING: f64 = 5.0;
/// How far a rung may be from its rate over any two seconds, in percent.
const RATE_ERROR: f64 = 10.0;

/// Runs the encoders in a process of its own, and reports.
pub fn run(context: &Context, json: Option<&Path>) -> Result<()> {
    apt::ensure(&[Need::program(&["ffmpeg"], "ffmpeg")])?;
    let mut cargo = context.cargo();
    cargo.args([
        "build",
        "--release",
        "--example",
        "ladder",
        "--example",
        "children",
        "--bin",
        "fanout-load",
    ]);
    command::run(native(&mut cargo))?;
    let folder = context.target.join("bench-ladder");
    fs::create_dir_all(&folder)?;
    let mut encoders = Command::new(context.target.join("release/examples/ladder"));
    command::clean(&mut encoders);
    encoders.arg(&folder);
    match vmaf(context) {
        Ok(ffmpeg) => drop(encoders.arg(ffmpeg)),
        Err(why) => println!("VMAF is left out: {why}"),
    }
    let told = command::output(&mut encoders);
    fs::remove_dir_all(&folder)?;
    let rows: Vec<Value> = serde_json::from_str(&told?)?;
    let mut whole = Command::new(context.target.join("release/examples/children"));
    command::clean(&mut whole);
    let children: Vec<Value> = serde_json::from_str(&command::output(whole.arg(context.weir()))?)?;
    let (alone, beside) = forwarding(context)?;
    println!("\n{}\n{}{}", table(&rows), of_children(&children), of_forwarding(&alone, &beside));
    if let Some(file) = json {
        let document = json!({
            "bench": "ladder",
            "machine": report::machine(),
            "aims": { "coreShare": CORE_SHARE, "delayMs": DELAY, "rateErrorPercent": RATE_ERROR, "timesLibrav1e": 2.0 },
            "timesLibrav1eAtEqualSsim": times(&rows, "librav1e speed 10"),
            "timesSvtAv1AtEqualSsim": times(&rows, "SVT-AV1 preset 12"),
            "rows": rows,
            "children": children,
            "forwarding": { "alone": alone, "besideLaddersFlatOut": beside },
        });
        let text = serde_json::to_string_pretty(&document)?;
        fs::write(file, text + "\n").doing(|| format!("can't write {}", file.display()))?;
    }
    Ok(())
}

/// Where an ffmpeg is that knows VMAF.
fn vmaf(context: &Context) -> Result<String> {
    let folder = context.cache.join("vmaf");
    let python = folder.join("bin/python");
    if !python.is_file() {
        command::run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    }
    command::run(Command::new(&python).args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        VMAF,
    ]))?;
    let mut asked = Command::new(&python);
    asked.args(["-c", "import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())"]);
    Ok(command::output(&mut asked)?.trim().to_owned())
}

/// What whole children took: to begin, and of memory and cores.
fn of_children(rows: &[Value]) -> String {
    let mut text = String::new();
    for row in rows {
        match word(row, "of") {
            "start" => {
                for (path, what) in [("/coldMs", "a new child"), ("/warmMs", "a child that is there")] {
                    let at = |share: &str| number(row, &format!("{path}/{share}"));
                    text.push_str(&format!(
                        "from demand to the first frame of 360p, {what}: {:.0} ms at the median, {:.0} at p95, {:.0} at \
                         most  {}\n",
                        at("p50"),
                        at("p95"),
                        at("most"),
                        verdict(at("p95") <= START),
                    ));
                }
            }
            _ => text.push_str(&format!(
                "a child of 720p30 in AV1 with {}: {:.0} MB, {:.2} cores\n",
                word(row, "rungs"),
                number(row, "/megabytes"),
                number(row, "/cores"),
            )),
        }
    }
    text
}

/// What a server forwards to many viewers: alone, and while as many children as there are cores run flat out.
fn forwarding(context: &Context) -> Result<(Value, Value)> {
    let measured = || -> Result<Value> {
        let mut load = Command::new(context.target.join("release/fanout-load"));
        command::clean(&mut load);
        load.args(["--viewers", VIEWERS, FORWARDS]).env("WEIR_BIN", context.weir());
        Ok(serde_json::from_str(&command::output(&mut load)?)?)
    };
    let alone = measured()?;
    let mut ladders = Command::new(context.target.join("release/examples/children"));
    command::clean(&mut ladders);
    ladders.arg(context.weir()).args(["flat", FLAT_OUT]).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut ladders = Ended(ladders.spawn().doing(|| "can't start the ladders".to_owned())?);
    // A line for each child that works.
    let told = ladders.0.stdout.take().into_iter().flat_map(|out| BufReader::new(out).lines());
    let working = told.take(std::thread::available_parallelism().map_or(1, usize::from)).count();
    let beside = measured()?;
    if working == 0 || !matches!(ladders.0.try_wait(), Ok(None)) {
        return Failure::err("the ladders ended before forwarding was measured");
    }
    Ok((alone, beside))
}

/// A process that ends with this. Its own children end when they find it gone.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn of_forwarding(alone: &Value, beside: &Value) -> String {
    let mut text = String::new();
    for (row, what) in [(alone, "alone"), (beside, "beside ladders flat out")] {
        let (lost, most) = (number(row, "/lostPercent"), number(row, "/forwardingMs/p99"));
        text.push_str(&format!(
            "forwarding to {VIEWERS} viewers, {what}: {lost:.3} % lost, in the server {:.2} ms at the median, {most:.2} at p99  {}\n",
            number(row, "/forwardingMs/p50"),
            verdict(lost <= LOST && most <= FORWARDING),
        ));
    }
    text
}

fn number(row: &Value, path: &str) -> f64 {
    row.pointer(path).and_then(Value::as_f64).unwrap_or(f64::NAN)
}

fn word<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().unwrap_or("")
}

fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "MISSED" }
}

fn table(rows: &[Value]) -> String {
    let mut text = format!(
        "{:<9} {:<8} {:<30} {:>7} {:>9} {:>7} {:>7} {:>9} {:>7} {:>7} {:>6}\n",
        "clip", "rung", "encoder", "fps", "CPU s/min", "kbit/s", "2 s off", "largest", "PSNR", "SSIM", "VMAF"
    );
    for row in rows.iter().filter(|row| row.get("ssim").is_some()) {
        text.push_str(&format!(
            "{:<9} {:<8} {:<30} {:>7.1} {:>9.1} {:>7.0} {:>6.1}% {:>9.2} {:>7.2} {:>7.4} {:>6.1}{}\n",
            word(row, "clip"),
            word(row, "rung"),
            word(row, "encoder"),
            number(row, "/picturesPerSecond"),
            number(row, "/cpuSecondsPerMinute"),
            number(row, "/kilobitsPerSecond"),
            number(row, "/rateErrorPercent"),
            number(row, "/largestOfHalfSecond"),
            number(row, "/psnr"),
            number(row, "/ssim"),
            number(row, "/vmaf"),
            if word(row, "encoder") == "the ladder" {
                format!("  {}", verdict(number(row, "/rateErrorPercent").abs() <= RATE_ERROR))
            } else {
                String::new()
            },
        ));
    }
    for row in rows.iter().filter(|row| row.get("coreShare").is_some()) {
        let (share, delay) = (number(row, "/coreShare"), number(row, "/delayMs/p95"));
        text.push_str(&format!(
            "\n{} in real time, from H.264 at {:.1} Mbit/s: {:.2} of one core (decoding {:.2}, scaling {:.2})  {}\n",
            word(row, "rung"),
            number(row, "/sourceKilobitsPerSecond") / 1000.0,
            share,
            number(row, "/decodeShare"),
            number(row, "/scaleShare"),
            verdict(share <= CORE_SHARE),
        ));
        text.push_str(&format!(
            "delay added: {} pictures; {:.0} ms at the median, {:.0} at p95, {:.0} at most  {}\n",
            number(row, "/delayFrames"),
            number(row, "/delayMs/p50"),
            delay,
            number(row, "/delayMs/most"),
            verdict(delay <= DELAY),
        ));
    }
    if let Some(times) = times(rows, "librav1e speed 10") {
        let met = verdict(times >= 2.0);
        text.push_str(&format!(
            "360p30, film, at equal SSIM: {times:.2} times as fast as librav1e at speed 10  {met}\n"
        ));
    }
    if let Some(times) = times(rows, "SVT-AV1 preset 12") {
        text.push_str(&format!("and {times:.2} times as fast as SVT-AV1 at preset 12\n"));
    }
    text
}

/// How many times as fast the ladder encodes film at 360p30 as another encoder, once it has the bits that make its pictures as
/// alike: between two rates, CPU time goes as SSIM does. None if even the higher rate doesn't.
fn times(rows: &[Value], other: &str) -> Option<f64> {
    let find = |encoder: &str| {
        rows.iter().find(|row| {
            word(row, "clip") == "film" && word(row, "rung") == "360p30" && word(row, "encoder") == encoder
        })
    };
    let (plain, more, other) = (find("the ladder")?, find("the ladder, 1.5 times the rate")?, find(other)?);
    let cost = |row: &Value| number(row, "/cpuSecondsPerMinute");
    let wanted = number(other, "/ssim");
    let (low, high) = (number(plain, "/ssim"), number(more, "/ssim"));
    let share = if high > low { ((wanted - low) / (high - low)).max(0.0) } else { 0.0 };
    (share <= 1.0).then(|| cost(other) / (cost(plain) + share * (cost(more) - cost(plain))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(encoder: &str, cpu: f64, ssim: f64) -> Value {
        json!({
            "clip": "film", "rung": "360p30", "encoder": encoder, "picturesPerSecond": 60.0, "cpuSecondsPerMinute": cpu,
            "kilobitsPerSecond": 600.0, "rateErrorPercent": -4.0, "largestOfHalfSecond": 0.4, "psnr": 38.0, "ssim": ssim,
        })
    }

    #[test]
    fn speed_is_compared_where_pictures_are_as_alike() {
        let rows = [
            row("the ladder", 20.0, 0.90),
            row("the ladder, 1.5 times the rate", 30.0, 0.94),
            row("librav1e speed 10", 75.0, 0.92),
            row("SVT-AV1 preset 12", 10.0, 0.95),
        ];
        assert!((times(&rows, "librav1e speed 10").unwrap() - 3.0).abs() < 1e-9);
        assert_eq!(times(&rows, "SVT-AV1 preset 12"), None, "out of reach");
        assert!(table(&rows).contains("3.00 times as fast as librav1e"));
    }

    #[test]
    fn the_table_says_what_was_met() {
        let share = json!({
            "clip": "film", "rung": "360p30 and 180p15", "encoder": "the ladder", "coreShare": 0.7, "decodeShare": 0.1,
            "scaleShare": 0.05, "delayFrames": 0, "delayMs": { "p50": 20.0, "p95": 60.0, "most": 90.0 },
        });
        let text = table(&[share]);
        assert!(text.contains("0.70 of one core (decoding 0.10, scaling 0.05)  MISSED"), "{text}");
        assert!(text.contains("60 at p95, 90 at most  met"), "{text}");
        let rows = [
            json!({ "of": "start", "coldMs": { "p50": 300.0, "p95": 400.0, "most": 500.0 },
                "warmMs": { "p50": 80.0, "p95": 1400.0, "most": 1500.0 } }),
            json!({ "of": "memory", "rungs": "360p, 180p", "megabytes": 80.0, "cores": 0.9 }),
        ];
        let text = of_children(&rows);
        assert!(text.contains("a new child: 300 ms at the median, 400 at p95, 500 at most  met"), "{text}");
        assert!(text.contains("1400 at p95, 1500 at most  MISSED"), "{text}");
        assert!(text.contains("with 360p, 180p: 80 MB, 0.90 cores"), "{text}");
        let forwarded = |lost: f64, most: f64| json!({ "lostPercent": lost, "forwardingMs": { "p50": 0.4, "p99": most } });
        let text = of_forwarding(&forwarded(0.0, 2.0), &forwarded(0.0, 7.5));
        assert!(
            text.contains("alone: 0.000 % lost, in the server 0.40 ms at the median, 2.00 at p99  met"),
            "{text}"
        );
        assert!(text.contains("7.50 at p99  MISSED"), "{text}");
    }
}
