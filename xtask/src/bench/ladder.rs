//! The ladder's encoder: how fast, how good, how true to its rate, beside others that ffmpeg brings.

mod distance;

use self::distance::{Distance, TIMES_LIBRAV1E, distances, of_distances};
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
/// How many times as long as alone, in the same run, it may take beside ladders: one step of what times are counted in.
const TIMES_ALONE: f64 = 1.25;
/// How far a rung may be from its rate over any two seconds, in percent.
const RATE_ERROR: f64 = 10.0;

/// Runs the encoders in a process of its own, and reports.
pub fn run(context: &Context, json: Option<&Path>) -> Result<()> {
    apt::ensure(&[Need::program(&["ffmpeg"], "ffmpeg")])?;
    let mut cargo = context.cargo();
    cargo.args(["build", "--release", "--bin", "fanout-load"]);
    for example in ["ladder", "pipeline", "children"] {
        cargo.args(["--example", example]);
    }
    command::run(native(&mut cargo))?;
    let rows = encoders(context)?;
    let pipeline = told(example(context, "pipeline"))?;
    let mut whole = example(context, "children");
    whole.arg(context.weir());
    let children = told(whole)?;
    let forwarding = forwarding(context)?;
    let compared = distances(&rows);
    println!(
        "\n{}\n{}\n{}\n{}{}",
        table(&rows),
        of_distances(&compared),
        of_pipeline(&pipeline),
        of_children(&children),
        of_forwarding(&forwarding)
    );
    if let Some(file) = json {
        let document = json!({
            "bench": "ladder",
            "machine": report::machine(),
            "aims": {
                "coreShare": CORE_SHARE, "delayMs": DELAY, "rateErrorPercent": RATE_ERROR, "timesLibrav1e": TIMES_LIBRAV1E,
                "startMs": START, "lostPercent": LOST, "forwardingMs": FORWARDING, "forwardingTimesAlone": TIMES_ALONE,
            },
            "rows": rows,
            "atEqualSsim": compared.iter().map(Distance::json).collect::<Vec<_>>(),
            "pipeline": pipeline,
            "children": children,
            "forwarding": forwarding.json(),
        });
        let text = serde_json::to_string_pretty(&document)?;
        fs::write(file, text + "\n").doing(|| format!("can't write {}", file.display()))?;
    }
    Ok(())
}

/// One of the programs that measure. It says on the terminal how far it is.
fn example(context: &Context, name: &str) -> Command {
    let mut program = Command::new(context.target.join("release/examples").join(name));
    command::clean(&mut program);
    program.stderr(Stdio::inherit());
    program
}

/// The rows that a program prints.
fn told(mut program: Command) -> Result<Vec<Value>> {
    Ok(serde_json::from_str(&command::output(&mut program)?)?)
}

/// The encoders alone: ours and others, with the rungs of the server's ladder.
fn encoders(context: &Context) -> Result<Vec<Value>> {
    let rungs = command::output(example(context, "pipeline").arg("rungs"))?;
    let folder = context.target.join("bench-ladder");
    fs::create_dir_all(&folder)?;
    let mut encoders = example(context, "ladder");
    encoders.arg(&folder).arg(rungs);
    match vmaf(context) {
        Ok(ffmpeg) => drop(encoders.arg(ffmpeg)),
        Err(why) => println!("VMAF is left out: {why}"),
    }
    let rows = told(encoders);
    fs::remove_dir_all(&folder)?;
    rows
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

/// What the ladder as a whole made of its rates, and what it takes of a core.
fn of_pipeline(rows: &[Value]) -> String {
    let mut text = "The ladder as a whole, from H.264: how far rungs are from their rate over any two seconds, and how much of half a \
                    second's rate their largest picture has, but for the first\n"
        .to_owned();
    for row in rows {
        if word(row, "of") == "core" {
            let share = number(row, "/coreShare");
            text.push_str(&format!(
                "{} in real time, from H.264 at {:.1} Mbit/s: {share:.2} of one core (decoding {:.2}, scaling {:.2})  {}\n",
                word(row, "rung"),
                number(row, "/sourceKilobitsPerSecond") / 1000.0,
                number(row, "/decodeShare"),
                number(row, "/scaleShare"),
                verdict(share <= CORE_SHARE),
            ));
            continue;
        }
        let (over, under) = (number(row, "/mostOverPercent"), number(row, "/mostUnderPercent"));
        let largest = number(row, "/largestOfHalfSecond");
        text.push_str(&format!(
            "{:<9} {:<8} {:>4.0} of {:>4.0} kbit/s, at most {over:>5.1} % over ({}) and {under:>5.1} % under ({}), largest {largest:.2} \
             ({}), {} of {} pictures left out\n",
            word(row, "clip"),
            word(row, "rung"),
            number(row, "/kilobitsPerSecond"),
            number(row, "/wantedKilobitsPerSecond"),
            verdict(over <= RATE_ERROR),
            verdict(under <= RATE_ERROR),
            verdict(largest <= 1.0),
            number(row, "/leftOut"),
            number(row, "/leftOut") + number(row, "/pictures"),
        ));
    }
    text
}

/// What whole children took: to begin, from a source's frame to a rung's, and of memory and cores.
fn of_children(rows: &[Value]) -> String {
    let mut text = String::new();
    for row in rows {
        let at = |path: &str| number(row, path);
        match word(row, "of") {
            "start" => {
                text.push_str(
                    "From demand, as the child's owner hears of it, to the first frame of 360p that is back from the child, with a \
                     keyframe of the source at hand; a viewer's choice, a request to the publisher and the network come on top:\n",
                );
                let ways = [
                    ("/coldMs", "with the start of a process"),
                    ("/warmMs", "by a process that is there"),
                ];
                for (path, what) in ways {
                    text.push_str(&format!("{what}: {}\n", spread(row, path, START)));
                }
            }
            "delay" => text.push_str(&format!(
                "added to the source's delay, from its frame's arrival at its pace to {}'s back from a child that makes {}: {}, {} of {} \
                 pictures left out\n",
                word(row, "rung"),
                word(row, "beside"),
                spread(row, "/delayMs", DELAY),
                at("/leftOut"),
                at("/pictures"),
            )),
            _ => text.push_str(&format!(
                "a child of 720p30 in AV1 with {}: {:.0} MB, {:.2} cores\n",
                word(row, "rungs"),
                at("/megabytes"),
                at("/cores"),
            )),
        }
    }
    text
}

/// Times in milliseconds, of which 95 in a hundred are to be below an aim.
fn spread(row: &Value, path: &str, aim: f64) -> String {
    let at = |share: &str| number(row, &format!("{path}/{share}"));
    format!(
        "{:.0} ms at the median, {:.0} at p95, {:.0} at most ({})",
        at("p50"),
        at("p95"),
        at("most"),
        verdict(at("p95") <= aim),
    )
}

/// What a server forwards to many viewers: alone, while as many children as there are cores run flat out, and alone again.
struct Forwarding {
    alone: [Value; 2],
    beside: Value,
}

impl Forwarding {
    fn json(&self) -> Value {
        let [before, after] = &self.alone;
        let (more, times) = self.compared();
        json!({
            "alone": before, "aloneAgain": after, "besideLaddersFlatOut": self.beside, "lostMorePercent": more, "p99TimesAlone": times,
        })
    }

    /// What was lost more beside ladders, and how many times as long it took at p99, both against the worse run alone.
    fn compared(&self) -> (f64, f64) {
        let worse = |path: &str| self.alone.iter().map(|row| number(row, path)).fold(f64::NAN, f64::max);
        let beside = |path: &str| number(&self.beside, path);
        (
            beside("/lostPercent") - worse("/lostPercent"),
            beside("/forwardingMs/p99") / worse("/forwardingMs/p99"),
        )
    }
}

fn forwarding(context: &Context) -> Result<Forwarding> {
    let measured = || -> Result<Value> {
        let mut load = Command::new(context.target.join("release/fanout-load"));
        command::clean(&mut load);
        load.args(["--viewers", VIEWERS, FORWARDS]).env("WEIR_BIN", context.weir());
        Ok(serde_json::from_str(&command::output(&mut load)?)?)
    };
    let before = measured()?;
    eprintln!("forwarding alone: done");
    let mut ladders = example(context, "children");
    ladders.arg(context.weir()).args(["flat", FLAT_OUT]).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut ladders = Ended(ladders.spawn().doing(|| "can't start the ladders".to_owned())?);
    // A line for each child that works.
    let told = ladders.0.stdout.take().into_iter().flat_map(|out| BufReader::new(out).lines());
    let working = told.take(std::thread::available_parallelism().map_or(1, usize::from)).count();
    let beside = measured()?;
    if working == 0 || !matches!(ladders.0.try_wait(), Ok(None)) {
        return Failure::err("the ladders ended before forwarding was measured");
    }
    drop(ladders);
    eprintln!("forwarding beside ladders flat out: done");
    Ok(Forwarding { alone: [before, measured()?], beside })
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

fn of_forwarding(forwarding: &Forwarding) -> String {
    let mut text = String::new();
    let [before, after] = &forwarding.alone;
    for (row, what) in
        [(before, "alone"), (after, "alone again"), (&forwarding.beside, "beside ladders flat out")]
    {
        let (lost, most) = (number(row, "/lostPercent"), number(row, "/forwardingMs/p99"));
        text.push_str(&format!(
            "forwarding to {VIEWERS} viewers, {what}: {lost:.3} % lost, in the server {:.2} ms at the median, {most:.2} at p99  {}\n",
            number(row, "/forwardingMs/p50"),
            verdict(lost <= LOST && most <= FORWARDING),
        ));
    }
    let (more, times) = forwarding.compared();
    text.push_str(&format!(
        "beside ladders against the worse run alone: {more:+.3} % lost ({}), p99 {times:.2} times as long, aim {TIMES_ALONE} ({})\n",
        verdict(more <= 0.0),
        verdict(times <= TIMES_ALONE),
    ));
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
            "{:<9} {:<8} {:<30} {:>7.1} {:>9.1} {:>7.0} {:>6.1}% {:>9.2} {:>7.2} {:>7.4} {:>6.1}\n",
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
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_ladder_is_held_to_its_rates_and_its_share() {
        let share = json!({
            "of": "core", "rung": "360p30 and 180p15", "coreShare": 0.7, "decodeShare": 0.1, "scaleShare": 0.05,
            "sourceKilobitsPerSecond": 2500,
        });
        let rate = |over: f64, under: f64, largest: f64| {
            json!({
                "of": "rate", "clip": "film", "rung": "360p30", "wantedKilobitsPerSecond": 400, "kilobitsPerSecond": 396,
                "mostOverPercent": over, "mostUnderPercent": under, "largestOfHalfSecond": largest, "pictures": 295, "leftOut": 5,
            })
        };
        let text = of_pipeline(&[share, rate(9.9, 10.1, 0.9), rate(10.1, 3.0, 1.01)]);
        assert!(text.contains("0.70 of one core (decoding 0.10, scaling 0.05)  MISSED"), "{text}");
        assert!(
            text.contains("9.9 % over (met) and  10.1 % under (MISSED), largest 0.90 (met), 5 of 300"),
            "{text}"
        );
        assert!(
            text.contains("10.1 % over (MISSED) and   3.0 % under (met), largest 1.01 (MISSED)"),
            "{text}"
        );
    }

    #[test]
    fn what_children_take_is_told() {
        let rows = [
            json!({ "of": "start", "coldMs": { "p50": 300.0, "p95": 400.0, "most": 500.0 },
                "warmMs": { "p50": 80.0, "p95": 1400.0, "most": 1500.0 } }),
            json!({ "of": "memory", "rungs": "360p, 180p", "megabytes": 80.0, "cores": 0.9 }),
            json!({ "of": "delay", "rung": "360p", "beside": "360p, 180p", "pictures": 330, "leftOut": 2,
                "delayMs": { "p50": 40.0, "p95": 60.0, "most": 90.0 } }),
            json!({ "of": "delay", "rung": "180p", "beside": "180p", "pictures": 165, "leftOut": 165, "delayMs": null }),
        ];
        let text = of_children(&rows);
        assert!(text.contains("process: 300 ms at the median, 400 at p95, 500 at most (met)"), "{text}");
        assert!(text.contains("1400 at p95, 1500 at most (MISSED)"), "{text}");
        assert!(text.contains("with 360p, 180p: 80 MB, 0.90 cores"), "{text}");
        assert!(text.contains("60 at p95, 90 at most (met), 2 of 330 pictures left out"), "{text}");
        assert!(text.contains("(MISSED), 165 of 165 pictures left out"), "{text}");
    }

    #[test]
    fn forwarding_beside_ladders_is_held_against_forwarding_alone() {
        let forwarded = |lost: f64, most: f64| json!({ "lostPercent": lost, "forwardingMs": { "p50": 0.4, "p99": most } });
        let text = |beside: Value| {
            of_forwarding(&Forwarding { alone: [forwarded(0.0, 2.0), forwarded(0.01, 1.6)], beside })
        };
        let fine = text(forwarded(0.01, 2.4));
        assert!(
            fine.contains("alone: 0.000 % lost, in the server 0.40 ms at the median, 2.00 at p99  met"),
            "{fine}"
        );
        assert!(fine.contains("+0.000 % lost (met), p99 1.20 times as long, aim 1.25 (met)"), "{fine}");
        let worse = text(forwarded(0.05, 4.0));
        assert!(worse.contains("4.00 at p99  met"), "{worse}");
        assert!(
            worse.contains("+0.040 % lost (MISSED), p99 2.00 times as long, aim 1.25 (MISSED)"),
            "{worse}"
        );
    }
}
