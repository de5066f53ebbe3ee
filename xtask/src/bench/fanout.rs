//! One publisher and many viewers: what a server core forwards, how long that takes, what a viewer costs.

use super::report;
use crate::{
    build::native,
    command,
    context::Context,
    failure::{Result, While},
};
use serde_json::{Value, json};
use std::{fs, path::Path, process::Command};

const GIGABITS_LEAST: f64 = 3.0;
const VIEWERS_LEAST: f64 = 2000.0;
const LOST_MOST: f64 = 0.1;
const FORWARDING_MOST: f64 = 5.0;
const KILOBYTES_MOST: f64 = 150.0;
/// A viewer among 400 may cost this much more than one among 50.
const GROWTH_MOST: f64 = 1.1;

/// Runs the load in a process of its own, and reports what it measured.
pub fn run(context: &Context, json: Option<&Path>) -> Result<()> {
    let mut cargo = context.cargo();
    cargo.args(["build", "--release", "--bin", "weir", "--bin", "fanout-load"]);
    command::run(native(&mut cargo))?;
    // A socket a viewer is more files than a shell allows at first.
    let mut load = Command::new("sh");
    command::clean(&mut load);
    load.args(["-c", "ulimit -n \"$(ulimit -H -n)\"; exec \"$0\""])
        .arg(context.target.join("release").join("fanout-load"))
        .env("WEIR_BIN", context.weir());
    let rows: Vec<Value> = serde_json::from_str(&command::output(&mut load)?)?;
    let aims = aims(&rows);
    println!("\n{}\n{}", table(&rows), verdicts(&aims));
    if let Some(file) = json {
        let aims: Vec<_> = aims
            .iter()
            .map(|aim| json!({ "name": aim.name, "aim": aim.aim, "found": aim.found, "met": aim.met }))
            .collect();
        let document = json!({ "bench": "fanout", "machine": report::machine(), "aims": aims, "rows": rows });
        let text = serde_json::to_string_pretty(&document)?;
        fs::write(file, text + "\n").doing(|| format!("can't write {}", file.display()))?;
    }
    Ok(())
}

fn number(row: &Value, path: &str) -> f64 {
    row.pointer(path).and_then(Value::as_f64).unwrap_or(f64::NAN)
}

/// What is hoped for, what was found, and whether that is enough.
struct Aim {
    name: &'static str,
    aim: f64,
    found: f64,
    met: bool,
}

/// The aims hold for the steps of the default way with enough viewers for the figures to mean something: 100 and more.
fn aims(rows: &[Value]) -> Vec<Aim> {
    let steps: Vec<&Value> = rows
        .iter()
        .take_while(|row| row["way"] == "default")
        .filter(|row| number(row, "/viewers") >= 100.0)
        .collect();
    let worst = |path: &str| steps.iter().map(|row| number(row, path)).fold(f64::NAN, f64::max);
    let least = |path: &str| steps.iter().map(|row| number(row, path)).fold(f64::NAN, f64::min);
    let cost = |viewers: f64| {
        let row = rows.iter().find(|row| number(row, "/viewers") == viewers);
        row.map_or(f64::NAN, |row| number(row, "/cpuSecondsPerGigabit"))
    };
    let at_least = |name, aim, found: f64| Aim { name, aim, found, met: found >= aim };
    let at_most = |name, aim, found: f64| Aim { name, aim, found, met: found <= aim };
    let beside = |path: &str| {
        rows.iter().find(|row| row["way"] == "beside ladders").map_or(f64::NAN, |row| number(row, path))
    };
    vec![
        at_least("Gbit/s a core", GIGABITS_LEAST, least("/gigabitsPerCoreSecond")),
        at_least("viewers a core", VIEWERS_LEAST, least("/viewersPerCore")),
        at_most("lost, %", LOST_MOST, worst("/lostPercent")),
        at_most("in the server, p99 ms", FORWARDING_MOST, worst("/forwardingMs/p99")),
        at_most("kB a viewer", KILOBYTES_MOST, worst("/kilobytesPerViewer")),
        at_most("cost of one among 400 to one among 50", GROWTH_MOST, cost(400.0) / cost(50.0)),
        at_most("beside ladders flat out: lost, %", LOST_MOST, beside("/lostPercent")),
        at_most("beside ladders flat out: p99 ms", FORWARDING_MOST, beside("/forwardingMs/p99")),
    ]
}

fn verdicts(aims: &[Aim]) -> String {
    let mut text = "Figures a core are the server's CPU seconds extrapolated to a whole core, over loopback, where sending \
                    includes the receiver's part of the kernel's work. The server has one half of the cores and the load the \
                    other, but for the rows with the load. Cores are kept awake by loops of idle priority, but for the rows that say \
                    so and those beside ladders: waking costs a core that is hardly busy more than its work.\nAims, by the worst of the steps from 100 viewers on:\n"
        .to_owned();
    for aim in aims {
        let verdict = if aim.met { "met" } else { "MISSED" };
        text.push_str(&format!("{:>40} {:>9.2} (aim {:>7}) {verdict}\n", aim.name, aim.found, aim.aim));
    }
    text
}

fn table(rows: &[Value]) -> String {
    let mut text = format!(
        "{:<27} {:>7} {:>7} {:>7} {:>7} {:>21} {:>14} {:>9} {:>7} {:>7} {:>6} {:>11} {:>9}\n",
        "",
        "viewers",
        "Gbit/s",
        "lost %",
        "fixed %",
        "server p50/99/99.9 ms",
        "whole way ms",
        "CPU s/Gb",
        "Gb/core",
        "v./core",
        "µs/pkt",
        "cores (own)",
        "kB/viewer"
    );
    for row in rows {
        let at = |path: &str| number(row, path);
        let forwarding = format!(
            "{:.2}/{:.2}/{:.2}",
            at("/forwardingMs/p50"),
            at("/forwardingMs/p99"),
            at("/forwardingMs/p999")
        );
        let whole = format!("{:.1}/{:.1}", at("/sentToReceivedMs/p50"), at("/sentToReceivedMs/p99"));
        let cores = format!("{:.2} ({:.2})", at("/serverCores"), at("/loadCores"));
        text.push_str(&format!(
            "{:<27} {:>7.0} {:>7.3} {:>7.3} {:>7.3} {:>21} {:>14} {:>9.3} {:>7.2} {:>7.0} {:>6.2} {:>11} {:>9.0}\n",
            row["way"].as_str().unwrap_or_default(),
            at("/viewers"),
            at("/gigabitsPerSecond"),
            at("/lostPercent"),
            at("/lostAfterRepairPercent"),
            forwarding,
            whole,
            at("/cpuSecondsPerGigabit"),
            at("/gigabitsPerCoreSecond"),
            at("/viewersPerCore"),
            at("/microsecondsPerPacket"),
            cores,
            at("/kilobytesPerViewer"),
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(way: &str, viewers: u32, cost: f64) -> Value {
        json!({
            "way": way, "viewers": viewers, "gigabitsPerSecond": 0.6, "lostPercent": 0.0, "lostAfterRepairPercent": 0.0,
            "forwardingMs": { "p50": 0.5, "p99": 3.0, "p999": 6.0 }, "sentToReceivedMs": { "p50": 1.0, "p99": 4.0 },
            "cpuSecondsPerGigabit": cost, "gigabitsPerCoreSecond": 1.0 / cost, "viewersPerCore": 1300.0 / cost / 2.0,
            "microsecondsPerPacket": 2.0, "serverCores": 0.3, "loadCores": 0.4, "kilobytesPerViewer": 140.0,
        })
    }

    #[test]
    fn aims_are_held_against_the_default_way_alone_and_against_many_viewers_alone() {
        let rows = [
            row("default", 1, 9.0),
            row("default", 50, 0.32),
            row("default", 100, 0.3),
            row("default", 400, 0.31),
            row("with the load, one shard", 200, 0.8),
            row("beside ladders", 200, 0.4),
        ];
        let aims = aims(&rows);
        assert!(aims.iter().all(|aim| aim.met), "{}", verdicts(&aims));
        let slower = [row("default", 50, 0.3), row("default", 400, 0.34)];
        let missed: Vec<_> =
            super::aims(&slower).into_iter().filter(|aim| !aim.met).map(|aim| aim.name).collect();
        assert_eq!(missed.len(), 5, "{missed:?}");
    }

    #[test]
    fn what_was_not_measured_is_not_met() {
        assert!(aims(&[]).iter().all(|aim| !aim.met));
    }

    #[test]
    fn the_table_has_a_line_for_each_row() {
        assert_eq!(
            table(&[row("default", 1, 1.0), row("with the load, one shard", 200, 1.0)]).lines().count(),
            3
        );
    }
}
