//! What a bench found: a table for people, JSON for comparing, and whether the aims were met.

use crate::failure::{Result, While};
use serde_json::{Value, json};
use std::{fs, path::Path, thread};

/// One measured quantity, smaller being better.
#[derive(Debug, Clone)]
pub struct Measure {
    /// What it is.
    pub name: &'static str,
    /// What it is counted in.
    pub unit: &'static str,
    /// The most it should be.
    pub aim: f64,
    /// Every value taken.
    pub values: Vec<f64>,
}

impl Measure {
    fn met(&self) -> bool {
        quantile(&self.values, 0.5) <= self.aim
    }
}

/// The value below which this share of them lies (nearest rank). Nothing measured has no quantile.
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

/// Prints the table and writes the JSON.
pub fn finish(bench: &str, measures: &[Measure], json: Option<&Path>) -> Result<()> {
    println!("\n{}", table(measures));
    if let Some(file) = json {
        let text = serde_json::to_string_pretty(&document(bench, measures))?;
        fs::write(file, text + "\n").doing(|| format!("can't write {}", file.display()))?;
    }
    Ok(())
}

fn table(measures: &[Measure]) -> String {
    let mut text = format!("{:<28} {:>10} {:>10} {:>10} {:>4}\n", "", "median", "p95", "aim", "n");
    for measure in measures {
        text.push_str(&format!(
            "{:<28} {:>10.1} {:>10.1} {:>10.0} {:>4}  {}\n",
            format!("{} ({})", measure.name, measure.unit),
            quantile(&measure.values, 0.5),
            quantile(&measure.values, 0.95),
            measure.aim,
            measure.values.len(),
            if measure.met() { "met" } else { "MISSED" },
        ));
    }
    text
}

fn document(bench: &str, measures: &[Measure]) -> Value {
    let measures: Vec<_> = measures
        .iter()
        .map(|measure| {
            json!({
                "name": measure.name,
                "unit": measure.unit,
                "aim": measure.aim,
                "met": measure.met(),
                "median": quantile(&measure.values, 0.5),
                "p95": quantile(&measure.values, 0.95),
                "values": measure.values,
            })
        })
        .collect();
    json!({ "bench": bench, "machine": machine(), "measures": measures })
}

/// What of the machine makes numbers comparable. No names, no addresses.
pub fn machine() -> Value {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    json!({
        "cores": thread::available_parallelism().map_or(1, |cores| cores.get()),
        "cpu": field(&cpu, "model name"),
        "memory": field(&memory, "MemTotal"),
        "kernel": kernel.trim(),
        "loadBefore": load.split(' ').next().and_then(|load| load.parse::<f64>().ok()),
    })
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measure(values: &[f64]) -> Measure {
        Measure { name: "time", unit: "ms", aim: 10.0, values: values.to_vec() }
    }

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let values: Vec<f64> = (1..=20).rev().map(f64::from).collect();
        assert_eq!(quantile(&values, 0.5), 10.0);
        assert_eq!(quantile(&values, 0.95), 19.0);
        assert_eq!(quantile(&[7.0], 0.95), 7.0);
        assert!(quantile(&[], 0.5).is_nan());
    }

    #[test]
    fn nothing_measured_meets_no_aim() {
        assert!(measure(&[10.0]).met());
        assert!(!measure(&[10.1]).met());
        assert!(!measure(&[]).met());
    }

    #[test]
    fn the_document_has_what_comparing_needs() {
        let document = document("start", &[measure(&[1.0, 2.0, 3.0])]);
        assert_eq!(document["measures"][0]["median"], 2.0);
        assert!(document["machine"]["cores"].as_u64().is_some_and(|cores| cores > 0));
    }

    #[test]
    fn reads_fields_of_proc_files() {
        assert_eq!(field("MemTotal:   12 kB\nMemFree: 3 kB", "MemFree"), Some("3 kB"));
        assert_eq!(field("x", "MemFree"), None);
    }
}
