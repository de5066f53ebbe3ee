//! How many instructions the small steps of a packet's path take. Counted and not timed, so that a busy machine says the same
//! as an idle one, and a change of one in a hundred shows.

use super::report;
use crate::{
    apt::{self, Need},
    build::native,
    command,
    context::Context,
    failure::{Failure, Result, While},
};
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The count over this many rounds is taken from the count over ten times as many: what is left is the rounds alone.
const ROUNDS: u64 = 2_000;

/// Counts, and reports.
pub fn run(context: &Context, json: Option<&Path>) -> Result<()> {
    apt::ensure(&[Need::program(&["valgrind"], "valgrind")])?;
    let mut cargo = context.cargo();
    cargo.args(["build", "--release", "--example", "micro"]);
    command::run(native(&mut cargo))?;
    let program = context.target.join("release/examples/micro");
    let names = command::output(&mut Command::new(&program))?;
    let mut rows = Vec::new();
    for name in names.lines() {
        let (few, many) = (count(&program, name, ROUNDS)?, count(&program, name, ROUNDS * 10)?);
        rows.push((name.to_owned(), many.saturating_sub(few) as f64 / (ROUNDS * 9) as f64));
    }
    println!("\n{}", table(&rows));
    if let Some(file) = json {
        let rows: Vec<_> =
            rows.iter().map(|(name, found)| json!({ "name": name, "instructions": found })).collect();
        let document = json!({ "bench": "micro", "machine": report::machine(), "rows": rows });
        let text = serde_json::to_string_pretty(&document)?;
        fs::write(file, text + "\n").doing(|| format!("can't write {}", file.display()))?;
    }
    Ok(())
}

/// The instructions of a whole process.
fn count(program: &PathBuf, name: &str, rounds: u64) -> Result<u64> {
    let mut valgrind = Command::new("valgrind");
    command::clean(&mut valgrind);
    valgrind
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args([name, &rounds.to_string()]);
    let output = valgrind.output().doing(|| "can't run valgrind".to_owned())?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    match collected(&said) {
        Some(count) if output.status.success() => Ok(count),
        _ => Failure::err(format!(
            "Valgrind could not count `{name}`: it may not know this processor's instructions.\n{said}"
        )),
    }
}

/// What Valgrind says that it counted.
fn collected(said: &str) -> Option<u64> {
    let (_, count) = said.lines().find_map(|line| line.split_once("Collected : "))?;
    count.trim().parse().ok()
}

fn table(rows: &[(String, f64)]) -> String {
    let mut text = format!("{:<20} {:>14}\n", "", "instructions");
    for (name, found) in rows {
        text.push_str(&format!("{name:<20} {found:>14.1}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_valgrind_says() {
        let said =
            "==7== Events    : Ir\n==7== Collected : 1234567\n==7== \n==7== I   refs:      1,234,567\n";
        assert_eq!(collected(said), Some(1_234_567));
        assert_eq!(collected("==7== Fatal error at startup"), None);
    }

    #[test]
    fn the_table_names_each_step() {
        assert!(table(&[("demux-media".to_owned(), 61.25)]).contains("demux-media                    61.2"));
    }
}
