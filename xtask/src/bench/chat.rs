//! One room with many connections: what a server core delivers, how long that takes, what a connection costs.

use super::report;
use crate::{
    build::native,
    command,
    context::Context,
    failure::{Result, While},
};
use serde_json::{Value, json};
use std::{fs, path::Path, process::Command};

/// The most that 99 of 100 acknowledgements should take, in milliseconds. What is acknowledged is on disk.
const ACKNOWLEDGED_MOST: f64 = 50.0;
/// What one core of the server should deliver in a second, where there is as much to deliver.
const DELIVERED_LEAST: f64 = 300_000.0;
/// The most that 99 of 100 deliveries should take, in milliseconds.
const DELIVERY_MOST: f64 = 100.0;
/// The most that a connection should take, in bytes.
const CONNECTION_MOST: f64 = 24_000.0;

/// Runs the load in a process of its own, and reports what it measured.
pub fn run(context: &Context, json: Option<&Path>) -> Result<()> {
    let mut cargo = context.cargo();
    cargo.args(["build", "--release", "--bin", "weir", "--bin", "chat-load"]);
    command::run(native(&mut cargo))?;
    // Ten thousand connections are more files than a shell allows at first.
    let mut load = Command::new("sh");
    command::clean(&mut load);
    load.args(["-c", "ulimit -n \"$(ulimit -H -n)\"; exec \"$0\""])
        .arg(context.target.join("release").join("chat-load"))
        .env("WEIR_BIN", context.weir());
    let rows: Vec<Value> = serde_json::from_str(&command::output(&mut load)?)?;
    println!("\n{}", table(&rows));
    if let Some(file) = json {
        let document = json!({
            "bench": "chat",
            "machine": report::machine(),
            "aims": {
                "acknowledgedMs": { "p99": ACKNOWLEDGED_MOST },
                "deliveriesPerCoreSecond": DELIVERED_LEAST,
                "deliveryMs": { "p99": DELIVERY_MOST },
                "bytesPerConnection": CONNECTION_MOST,
            },
            "rows": rows,
        });
        let text = serde_json::to_string_pretty(&document)?;
        fs::write(file, text + "\n").doing(|| format!("can't write {}", file.display()))?;
    }
    Ok(())
}

fn table(rows: &[Value]) -> String {
    let mut text = format!(
        "{:>11} {:>10} {:>12} {:>14} {:>12} {:>16} {:>20} {:>8}\n",
        "connections",
        "messages/s",
        "deliveries/s",
        "per core and s",
        "server cores",
        "delivered p50/99",
        "acknowledged p50/99",
        "bytes/c"
    );
    for row in rows {
        let number = |path: &str| row.pointer(path).and_then(Value::as_f64).unwrap_or(f64::NAN);
        let both = |name: &str| {
            let quantile = |which| number(&format!("/{name}/{which}"));
            format!("{:.1}/{:.1} ms", quantile("p50"), quantile("p99"))
        };
        text.push_str(&format!(
            "{:>11.0} {:>10.0} {:>12.0} {:>14.0} {:>12.2} {:>16} {:>20} {:>8.0}  {}\n",
            number("/connections"),
            number("/messagesPerSecond"),
            number("/deliveriesPerSecond"),
            number("/deliveriesPerCoreSecond"),
            number("/serverCores"),
            both("deliveryMs"),
            both("acknowledgedMs"),
            number("/bytesPerConnection"),
            missed(row),
        ));
    }
    text
}

/// Which aims a row misses. What a core delivers is asked of it where at least half of that is there to be delivered: with less,
/// what a message costs by itself is most of it.
fn missed(row: &Value) -> String {
    let number = |path: &str| row.pointer(path).and_then(Value::as_f64).unwrap_or(f64::NAN);
    let is_busy = number("/deliveriesPerSecond") >= DELIVERED_LEAST / 2.0;
    let aims = [
        ("acknowledged", number("/acknowledgedMs/p99") <= ACKNOWLEDGED_MOST),
        ("delivered", number("/deliveryMs/p99") <= DELIVERY_MOST),
        ("memory", number("/bytesPerConnection") <= CONNECTION_MOST),
        ("per core", !is_busy || number("/deliveriesPerCoreSecond") >= DELIVERED_LEAST),
    ];
    let missed: Vec<&str> = aims.iter().filter(|(_, is_met)| !is_met).map(|(name, _)| *name).collect();
    if missed.is_empty() { "met".to_owned() } else { format!("MISSED: {}", missed.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_which_rows_met_the_aim() {
        let row = |p99: f64| {
            json!({
                "connections": 100, "messagesPerSecond": 10, "deliveriesPerSecond": 1000, "deliveriesPerCoreSecond": 50_000,
                "serverCores": 0.02, "deliveryMs": { "p50": 1.0, "p99": 2.0 },
                "acknowledgedMs": { "p50": 1.0, "p99": p99 }, "bytesPerConnection": 20_000,
            })
        };
        let text = table(&[row(49.9), row(50.1)]);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[1].ends_with("met") && lines[2].ends_with("MISSED: acknowledged"), "{text}");
        assert!(lines[1].contains("1.0/49.9 ms"));
    }
}
