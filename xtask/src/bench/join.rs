//! How long a viewer waits for its first keyframe, and a browser for its first picture; what joining asks of the publisher.

use super::report;
use crate::{
    apt,
    build::native,
    command,
    context::Context,
    failure::{Result, While},
    test::{ensure_node_packages, with_browsers},
};
use serde_json::{Value, json};
use std::{fs, path::Path, process::Command};

/// The most that 95 of 100 viewers should wait for a whole keyframe, in milliseconds since their request.
const KEYFRAME_MOST: f64 = 50.0;

/// Runs the load in a process of its own, then the browsers, and reports what they measured.
pub fn run(context: &Context, json: Option<&Path>) -> Result<()> {
    apt::ensure(&apt::for_testing(None)?)?;
    let folder = context.root.join("tests/browser");
    ensure_node_packages(&folder)?;
    let mut cargo = context.cargo();
    cargo.args(["build", "--release", "--bin", "weir", "--bin", "join-load"]);
    command::run(native(&mut cargo))?;
    let mut load = Command::new(context.target.join("release").join("join-load"));
    command::clean(&mut load);
    load.env("WEIR_BIN", context.weir());
    let rows: Vec<Value> = serde_json::from_str(&command::output(&mut load)?)?;
    println!("\n{}", table(&rows));

    let browsers = context.target.join("bench-join.json");
    let mut node = Command::new("node");
    command::clean(&mut node);
    with_browsers(context, &mut node)?;
    node.current_dir(&context.root).arg(folder.join("bench-join.mjs")).arg("--json").arg(&browsers);
    command::run(&mut node)?;
    if let Some(file) = json {
        let text = fs::read_to_string(&browsers).doing(|| format!("can't read {}", browsers.display()))?;
        let document = json!({
            "bench": "join",
            "machine": report::machine(),
            "aims": { "keyframeMs": { "p95": KEYFRAME_MOST } },
            "rows": rows,
            "browser": serde_json::from_str::<Value>(&text)?,
        });
        let text = serde_json::to_string_pretty(&document)?;
        fs::write(file, text + "\n").doing(|| format!("can't write {}", file.display()))?;
    }
    Ok(())
}

fn table(rows: &[Value]) -> String {
    let mut text = format!(
        "{:<24} {:<9} {:>5} {:>14} {:>16} {:>22} {:>9} {:>15}\n",
        "publisher",
        "joins",
        "n",
        "answer p50/95",
        "connected p50/95",
        "whole keyframe p50/95",
        "requests",
        "server CPU/join"
    );
    for row in rows {
        let number = |path: &str| row.pointer(path).and_then(Value::as_f64).unwrap_or(f64::NAN);
        let word = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let both = |name: &str| {
            let quantile = |which| number(&format!("/{name}/{which}"));
            format!("{:.0}/{:.0} ms", quantile("p50"), quantile("p95"))
        };
        text.push_str(&format!(
            "{:<24} {:<9} {:>5.0} {:>14} {:>16} {:>22} {:>9.0} {:>12.1} ms  {}\n",
            word("publisher"),
            word("how"),
            number("/joins"),
            both("answerMs"),
            both("connectedMs"),
            both("keyframeMs"),
            number("/keyframeRequests"),
            number("/serverCpuSeconds") * 1000.0 / number("/joins"),
            if number("/keyframeMs/p95") <= KEYFRAME_MOST { "met" } else { "MISSED" },
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_which_rows_met_the_aim() {
        let row = |p95: f64| {
            json!({
                "publisher": "keyframes each 2 s", "how": "in a row", "joins": 200,
                "answerMs": { "p50": 3.0, "p95": 5.0 }, "connectedMs": { "p50": 9.0, "p95": 12.0 },
                "keyframeMs": { "p50": 10.0, "p95": p95 }, "keyframeRequests": 0, "serverCpuSeconds": 0.5,
            })
        };
        let text = table(&[row(50.0), row(50.1)]);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[1].ends_with("met") && lines[2].ends_with("MISSED"), "{text}");
        assert!(lines[1].contains("10/50 ms") && lines[1].contains("2.5 ms"), "{text}");
    }
}
