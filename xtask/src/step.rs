//! Steps: what is being done, how long it took, and the table at the end.

use crate::failure::{Failure, Result};
use std::time::{Duration, Instant};

/// How a step ended when it did not fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Something was done.
    Done,
    /// Everything was there already.
    Unchanged,
    /// It does not apply here, and why.
    Skipped(String),
}

/// What a failing step means for the ones after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// Nothing after it makes sense.
    Stop,
    /// The others can still tell something.
    GoOn,
}

/// One step of a plan.
pub struct Step<'a> {
    name: &'static str,
    on_failure: OnFailure,
    action: Box<dyn FnOnce() -> Result<Outcome> + 'a>,
}

impl<'a> Step<'a> {
    /// A step the later ones stand on.
    pub fn new(name: &'static str, action: impl FnOnce() -> Result<Outcome> + 'a) -> Self {
        Self { name, on_failure: OnFailure::Stop, action: Box::new(action) }
    }

    /// A check: when it fails, the remaining steps are still tried, and the whole fails in the end.
    pub fn check(name: &'static str, action: impl FnOnce() -> Result<Outcome> + 'a) -> Self {
        Self { on_failure: OnFailure::GoOn, ..Self::new(name, action) }
    }

    /// What it is called.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether the later ones stand on it.
    pub fn on_failure(&self) -> OnFailure {
        self.on_failure
    }
}

/// One line of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    name: &'static str,
    result: String,
    time: Option<Duration>,
}

/// Runs the steps in order, saying which one runs and how long each took.
pub fn run(steps: Vec<Step<'_>>) -> Result<()> {
    let total = steps.len();
    let start = Instant::now();
    let mut rows = Vec::new();
    let mut failed = Vec::new();
    let mut stopped = false;
    for (index, step) in steps.into_iter().enumerate() {
        let head = format!("[{}/{total}] {} …", index + 1, step.name);
        if stopped {
            rows.push(Row { name: step.name, result: "not reached".into(), time: None });
            continue;
        }
        eprintln!("{head}");
        let started = Instant::now();
        let result = (step.action)();
        let time = started.elapsed();
        let (line, word) = match &result {
            Ok(Outcome::Done) => (format!("done in {}", seconds(time)), "done".to_owned()),
            Ok(Outcome::Unchanged) => ("unchanged".to_owned(), "unchanged".to_owned()),
            Ok(Outcome::Skipped(why)) => (format!("skipped: {why}"), "skipped".to_owned()),
            Err(failure) => (format!("FAILED after {}: {failure}", seconds(time)), "FAILED".to_owned()),
        };
        eprintln!("{head} {line}");
        rows.push(Row { name: step.name, result: word, time: Some(time) });
        if result.is_err() {
            failed.push(step.name);
            stopped = step.on_failure == OnFailure::Stop;
        }
    }
    eprint!("\n{}", table(&rows, start.elapsed()));
    if failed.is_empty() { Ok(()) } else { Err(Failure::new(format!("failed: {}", failed.join(", ")))) }
}

fn table(rows: &[Row], total: Duration) -> String {
    let width = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0).max("Total".len());
    let line = |name: &str, result: &str, time: String| format!("{name:<width$}  {result:<11}  {time:>9}\n");
    let mut text: String = rows
        .iter()
        .map(|row| line(row.name, &row.result, row.time.map(seconds).unwrap_or_default()))
        .collect();
    text.push_str(&line("Total", "", seconds(total)));
    text
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[test]
    fn a_failed_step_stops_the_rest() {
        let log = RefCell::new(Vec::new());
        let note = |what| {
            log.borrow_mut().push(what);
            Ok(Outcome::Done)
        };
        let result = run(vec![
            Step::new("one", || note(1)),
            Step::new("two", || Failure::err("no")),
            Step::new("three", || note(3)),
        ]);
        assert_eq!(result.unwrap_err().to_string(), "failed: two");
        assert_eq!(*log.borrow(), [1]);
    }

    #[test]
    fn a_failed_check_lets_the_rest_run_and_fails_the_whole() {
        let log = RefCell::new(Vec::new());
        let result = run(vec![
            Step::check("one", || Failure::err("no")),
            Step::check("two", || {
                log.borrow_mut().push(2);
                Ok(Outcome::Unchanged)
            }),
        ]);
        assert_eq!(result.unwrap_err().to_string(), "failed: one");
        assert_eq!(*log.borrow(), [2]);
    }

    #[test]
    fn the_table_lines_up() {
        let rows = [
            Row { name: "Set-up", result: "done".into(), time: Some(Duration::from_millis(1_240)) },
            Row { name: "Tests", result: "not reached".into(), time: None },
        ];
        let text = table(&rows, Duration::from_secs(2));
        assert_eq!(
            text,
            "Set-up  done             1.2 s\nTests   not reached           \nTotal                    2.0 s\n"
        );
    }
}
