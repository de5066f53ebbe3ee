//! `cargo xtask fuzz`: the targets of `tests/fuzz` under libFuzzer, guided by coverage.
//!
//! The compiler's coverage passes are LLVM's and need no nightly. Everything is compiled with them into a folder of its
//! own, the WebRTC library too, since its parsers are what strangers reach first.

use crate::{
    apt, command,
    context::Context,
    failure::{Failure, Result, While},
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// All targets together, in the short form.
const SHORT_FORM: u32 = 600;
/// What makes code tell libFuzzer where it goes and what it compares.
const COVERAGE: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];
/// An input that takes longer than this is a find, in seconds.
const SLOW: u32 = 10;
/// A target that needs more memory than this is a find, in MB.
const MOST_MEMORY: u32 = 1024;
/// The most that one target's kept corpus has; a test of `tests/fuzz` says the same.
const MOST_KEPT: usize = 24 << 10;

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan<'a> {
    target: Option<&'a str>,
    /// In all.
    seconds: u32,
    /// Whether the corpora in the repository take in what was found.
    keep: bool,
}

impl<'a> Plan<'a> {
    /// From the words after `fuzz`.
    pub fn parse(mut words: &[&'a str]) -> Result<Self> {
        let mut plan = Self { target: None, seconds: SHORT_FORM, keep: false };
        loop {
            words = match words {
                [] => return Ok(plan),
                ["--keep", rest @ ..] => {
                    plan.keep = true;
                    rest
                }
                ["--seconds", seconds, rest @ ..] => {
                    plan.seconds = seconds
                        .parse()
                        .map_err(|_| Failure::new(format!("`{seconds}` is not a whole number of seconds")))?;
                    rest
                }
                [name, rest @ ..] if plan.target.is_none() && !name.starts_with('-') => {
                    plan.target = Some(name);
                    rest
                }
                _ => return Failure::err("usage: cargo xtask fuzz [TARGET] [--seconds N] [--keep]"),
            }
        }
    }
}

/// Fuzzes, prints what came of it, and fails when something was found.
pub fn run(context: &Context, plan: &Plan<'_>) -> Result<()> {
    apt::ensure(&apt::for_building())?;
    let folder = context.target.join("fuzz");
    let engine = build(context, &folder)?;
    let all = targets(context)?;
    let chosen: Vec<&str> = match plan.target {
        None => all.iter().map(String::as_str).collect(),
        Some(name) if all.iter().any(|target| target == name) => vec![name],
        Some(name) => return Failure::err(format!("no target `{name}`; there are: {}", all.join(", "))),
    };
    let each = (plan.seconds / chosen.len() as u32).max(1);
    println!("{} targets, {each} s each: {}\n", chosen.len(), chosen.join(", "));
    println!(
        "{:<10} {:>12} {:>9} {:>9} {:>9} {:>8} {:>8}",
        "target", "runs", "runs/s", "edges", "features", "corpus", "MB"
    );
    let mut finds = Vec::new();
    for name in chosen {
        let work = Work::prepare(context, &folder, name)?;
        let log = work.fuzz(&engine, each)?;
        let told = Told::read(&log);
        println!(
            "{name:<10} {:>12} {:>9} {:>9} {:>9} {:>8} {:>8}",
            told.runs, told.runs_a_second, told.edges, told.features, told.corpus, told.memory
        );
        finds.extend(work.finds()?.into_iter().map(|find| (name, find)));
        if plan.keep {
            work.keep(&engine)?;
        }
    }
    println!("\nwhat was found on the way is in {}", folder.join("corpus").display());
    if finds.is_empty() {
        return Ok(());
    }
    for (name, find) in &finds {
        println!("\nFOUND by {name}: {}", find.display());
        println!("  repeat:  cargo run --package weir-fuzz -- {name} {}", find.display());
        println!("  keep:    add this line to tests/fuzz/corpus/{name}.txt\n{}", line(&fs::read(find)?));
        println!("  told in: {}", folder.join(format!("logs/{name}.log")).display());
    }
    Failure::err(format!("{} finds", finds.len()))
}

/// Compiles the targets with coverage and the engine, and gives the program.
fn build(context: &Context, folder: &Path) -> Result<PathBuf> {
    let version = command::output(Command::new("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.ok_or_else(|| Failure::new("rustc doesn't say what it compiles for"))?;
    let mut cargo = context.cargo();
    cargo
        .env("CARGO_ENCODED_RUSTFLAGS", COVERAGE.join("\u{1f}"))
        .env("WEIR_FRONTEND_DIR", context.frontend_embedded())
        .args(["build", "--profile", "fuzz", "--package", "weir-fuzz", "--features", "libfuzzer"])
        // Named, so that build scripts are compiled without coverage: they have no engine to tell.
        .args(["--target", host, "--target-dir"])
        .arg(folder);
    command::run(&mut cargo).doing(|| "can't compile the fuzz targets".to_owned())?;
    Ok(folder.join(host).join("fuzz/weir-fuzz"))
}

/// Every target has a corpus, and the name of it.
fn targets(context: &Context) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(context.root.join("tests/fuzz/corpus"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        names.extend(name.strip_suffix(".txt").map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

/// One target's folders.
struct Work {
    name: String,
    /// Grows from run to run.
    corpus: PathBuf,
    /// Where libFuzzer puts what it found in this run.
    found: PathBuf,
    log: PathBuf,
    dictionary: Option<PathBuf>,
    kept: PathBuf,
}

impl Work {
    fn prepare(context: &Context, folder: &Path, name: &str) -> Result<Self> {
        let repository = context.root.join("tests/fuzz/corpus");
        // Offers as text and offers that are answered are made of the same words.
        let words = if name == "answer" { "sdp" } else { name };
        let dictionary = Some(repository.join(format!("{words}.dict"))).filter(|file| file.is_file());
        let (corpus, found) = (folder.join("corpus").join(name), folder.join("found").join(name));
        if found.exists() {
            fs::remove_dir_all(&found)?;
        }
        for made in [&corpus, &found, &folder.join("logs")] {
            fs::create_dir_all(made)?;
        }
        Ok(Self {
            name: name.to_owned(),
            corpus,
            found,
            log: folder.join(format!("logs/{name}.log")),
            dictionary,
            kept: repository.join(format!("{name}.txt")),
        })
    }

    fn engine(&self, engine: &Path) -> Command {
        let mut command = Command::new(engine);
        // It writes the kept inputs to the corpus before it reads that.
        command.env("WEIR_FUZZ", &self.name).env("WEIR_FUZZ_SEEDS", &self.corpus).stdin(Stdio::null());
        command
    }

    /// Fuzzes for so long; answers what libFuzzer said.
    fn fuzz(&self, engine: &Path, seconds: u32) -> Result<String> {
        let said = fs::File::create(&self.log)?;
        let mut fuzzer = self.engine(engine);
        if let Some(dictionary) = &self.dictionary {
            fuzzer.arg(format!("-dict={}", dictionary.display()));
        }
        let status = fuzzer
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-timeout={SLOW}"))
            .arg(format!("-rss_limit_mb={MOST_MEMORY}"))
            .arg(format!("-artifact_prefix={}/", self.found.display()))
            .args(["-print_final_stats=1", "-use_value_profile=1", "-reload=0"])
            .arg(&self.corpus)
            .stdout(said.try_clone()?)
            .stderr(said)
            .status()?;
        let log = String::from_utf8_lossy(&fs::read(&self.log)?).into_owned();
        if !status.success() && self.finds()?.is_empty() {
            let last: Vec<&str> = log.lines().rev().take(5).collect();
            return Failure::err(format!(
                "{} ended with {status} and left no input:\n{}",
                self.name,
                last.into_iter().rev().collect::<Vec<_>>().join("\n")
            ));
        }
        Ok(log)
    }

    fn finds(&self) -> Result<Vec<PathBuf>> {
        let mut finds = Vec::new();
        for entry in fs::read_dir(&self.found)? {
            finds.push(entry?.path());
        }
        finds.sort();
        Ok(finds)
    }

    /// Makes the repository's corpus of the shortest inputs that reach everything, as far as there is room, behind those
    /// that are in it: they were written or found for a reason.
    fn keep(&self, engine: &Path) -> Result<()> {
        let least = self.found.with_extension("least");
        if least.exists() {
            fs::remove_dir_all(&least)?;
        }
        fs::create_dir_all(&least)?;
        let mut merge = self.engine(engine);
        merge.arg("-merge=1").arg(&least).arg(&self.corpus).stdout(Stdio::null()).stderr(Stdio::null());
        command::run(&mut merge)?;
        let mut lines = Vec::new();
        for entry in fs::read_dir(&least)? {
            lines.push(line(&fs::read(entry?.path())?));
        }
        fs::write(&self.kept, kept(&fs::read_to_string(&self.kept)?, lines))?;
        Ok(fs::remove_dir_all(&least)?)
    }
}

/// A corpus with more lines, the shortest first, as many as fit.
fn kept(corpus: &str, mut more: Vec<String>) -> String {
    let known: Vec<&str> = corpus.lines().collect();
    more.retain(|line| !line.is_empty() && !known.contains(&line.as_str()));
    more.sort_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
    more.dedup();
    let mut text = corpus.to_owned();
    for line in more {
        if text.len() + line.len() >= MOST_KEPT {
            break;
        }
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// An input as a line of a corpus.
fn line(input: &[u8]) -> String {
    let line = input.escape_ascii().to_string();
    match line.strip_prefix('#') {
        Some(rest) => format!("\\x23{rest}"),
        None => line,
    }
}

/// What libFuzzer tells at the end.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    runs: String,
    runs_a_second: String,
    edges: String,
    features: String,
    corpus: String,
    memory: String,
}

impl Told {
    fn read(log: &str) -> Self {
        let stat = |name: &str| {
            let line = log.lines().rev().find_map(|line| line.strip_prefix(&format!("stat::{name}:")));
            line.map_or("?", str::trim).to_owned()
        };
        let state = log.lines().rev().find(|line| line.starts_with('#') && line.contains(" cov: "));
        let word = |name: &str| {
            let mut words = state.unwrap_or_default().split_whitespace();
            words.find(|word| *word == name);
            words.next().unwrap_or("?").to_owned()
        };
        Self {
            runs: stat("number_of_executed_units"),
            runs_a_second: stat("average_exec_per_sec"),
            edges: word("cov:"),
            features: word("ft:"),
            corpus: word("corp:").split('/').next().unwrap_or("?").to_owned(),
            memory: stat("peak_rss_mb"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_names_a_target_a_time_and_whether_to_keep() {
        assert_eq!(Plan::parse(&[]).unwrap(), Plan { target: None, seconds: SHORT_FORM, keep: false });
        assert_eq!(
            Plan::parse(&["sdp", "--seconds", "30", "--keep"]).unwrap(),
            Plan { target: Some("sdp"), seconds: 30, keep: true }
        );
        assert!(Plan::parse(&["--seconds", "long"]).unwrap_err().to_string().contains("whole number"));
        assert!(Plan::parse(&["a", "b"]).unwrap_err().to_string().contains("usage"));
    }

    #[test]
    fn a_corpus_keeps_what_it_has_and_takes_the_shortest_more() {
        let more = vec!["x".repeat(MOST_KEPT), "bb".to_owned(), "a".to_owned(), "old".to_owned()];
        assert_eq!(kept("# why\nold\n", more), "# why\nold\na\nbb\n");
    }

    #[test]
    fn what_libfuzzer_says_is_found_in_its_words() {
        let log = "#4\tREDUCE cov: 5 ft: 6 corp: 1/1b exec/s: 0 rss: 30Mb\n#99\tDONE   cov: 120 ft: 340 corp: 56/7Kb lim: 9 exec/s: 3 rss: 40Mb\n\
                   stat::number_of_executed_units: 99\nstat::average_exec_per_sec:     3\nstat::peak_rss_mb:              40\n";
        let told = Told::read(log);
        assert_eq!((told.edges.as_str(), told.features.as_str(), told.corpus.as_str()), ("120", "340", "56"));
        assert_eq!((told.runs.as_str(), told.runs_a_second.as_str()), ("99", "3"));
        assert_eq!(Told::read("").runs, "?");
    }
}
