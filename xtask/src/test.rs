//! Every check and every test, in the order in which they tell most for their time.

use crate::{
    apt, build, command,
    context::Context,
    failure::{Failure, Result},
    stamp::{self, Stamp},
    step::{self, OnFailure, Outcome, Step},
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Runs all of it, or those checks whose name holds one of `words`.
pub fn run(context: &Context, words: &[&str]) -> Result<()> {
    let interop = Some(context.root.join("tests/interop")).filter(|folder| folder.is_dir());
    let mut needs = apt::for_building();
    needs.extend(apt::for_testing(interop.as_deref())?);
    let mut steps = build::set_up_steps(context, needs);
    steps.push(Step::check("Format", || format(context)));
    steps.extend(build::make_steps(context));
    steps.push(Step::check("Native tests", || cargo_test(context, build::native)));
    steps.push(Step::check("Frontend tests", || cargo_test(context, frontend)));
    steps.push(Step::check("Shared tests in WebAssembly", || shared_in_wasm(context)));
    steps.push(Step::check("Browser tests", || browser(context)));
    if let Some(folder) = &interop {
        steps.push(Step::check("Interop tests", || interop_tests(context, folder)));
    }
    steps.push(Step::check("Clippy", || clippy(context)));
    step::run(chosen(steps, words)?)
}

fn chosen<'a>(steps: Vec<Step<'a>>, words: &[&str]) -> Result<Vec<Step<'a>>> {
    let is_asked = |step: &Step<'_>| {
        let name = step.name().to_lowercase();
        words.is_empty() || words.iter().any(|word| name.contains(&word.to_lowercase()))
    };
    let checks: Vec<_> = steps.iter().filter(|step| step.on_failure() == OnFailure::GoOn).collect();
    if !checks.iter().any(|step| is_asked(step)) {
        let names: Vec<_> = checks.iter().map(|step| step.name()).collect();
        return Failure::err(format!("no such check; there are: {}", names.join(", ")));
    }
    Ok(steps.into_iter().filter(|step| step.on_failure() == OnFailure::Stop || is_asked(step)).collect())
}

fn format(context: &Context) -> Result<Outcome> {
    command::run(context.cargo().args(["fmt", "--all", "--check"]))
        .map_err(|_| Failure::new("`cargo fmt` would change something"))?;
    Ok(Outcome::Done)
}

fn clippy(context: &Context) -> Result<Outcome> {
    for choose in [build::native, frontend] {
        let mut cargo = context.cargo();
        // The one native profile, so that build scripts and procedural macros are there already.
        cargo.args(["clippy", "--quiet", "--release", "--all-targets"]);
        command::run(build::locked_in_ci(choose(&mut cargo)).args(["--", "--deny", "warnings"]))?;
    }
    Ok(Outcome::Done)
}

fn frontend(cargo: &mut Command) -> &mut Command {
    cargo.args(["--package", "weir-frontend"])
}

fn cargo_test(context: &Context, choose: fn(&mut Command) -> &mut Command) -> Result<Outcome> {
    let mut cargo = context.cargo();
    cargo.args(["test", "--quiet", "--release", "--no-fail-fast"]).env("WEIR_BIN", context.weir());
    command::run(build::locked_in_ci(choose(&mut cargo)))?;
    Ok(Outcome::Done)
}

/// Runs the very same tests of `shared` as WebAssembly, in Node: what both sides rely on must hold on both.
fn shared_in_wasm(context: &Context) -> Result<Outcome> {
    let runner = context.root.join("xtask/src/run-wasm-tests.mjs");
    // A list, and JSON's strings are TOML's: the path may have spaces.
    let runner = serde_json::json!(["node", runner]);
    let mut cargo = context.cargo();
    cargo
        .args(["test", "--quiet", "--release", "--lib", "--package", "weir-shared"])
        .args(["--target", "wasm32-unknown-unknown"])
        .args(["--config", &format!("target.wasm32-unknown-unknown.runner={runner}")]);
    command::run(build::locked_in_ci(&mut cargo))?;
    Ok(Outcome::Done)
}

fn browser(context: &Context) -> Result<Outcome> {
    let folder = context.root.join("tests/browser");
    let tests = test_files(&folder)?;
    if tests.is_empty() {
        return Ok(Outcome::Skipped("there are none".to_owned()));
    }
    ensure_node_packages(&folder)?;
    // The bad network that some of them put between a page and the server.
    let mut cargo = context.cargo();
    cargo.args(["build", "--quiet", "--release", "--bin", "net-relay"]);
    command::run(build::locked_in_ci(build::native(&mut cargo)))?;
    let mut node = Command::new("node");
    command::clean(&mut node);
    with_browsers(context, &mut node)?;
    node.env("WEIR_RELAY", context.target.join("release").join("net-relay"));
    // A file has a server and up to three browsers with software codecs: more than one for two cores measures the load.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let files = format!("--test-concurrency={}", (cores / 2).max(1));
    node.current_dir(&context.root).args(["--test", &files]).args(tests);
    command::run(&mut node)?;
    Ok(Outcome::Done)
}

/// Tells a program that drives browsers which, and which server.
pub fn with_browsers(context: &Context, command: &mut Command) -> Result<()> {
    let chromium =
        apt::chromium().ok_or_else(|| Failure::new("there is no Chromium: `apt-get install chromium`"))?;
    let firefox =
        apt::firefox().ok_or_else(|| Failure::new("there is no Firefox: `apt-get install firefox-esr`"))?;
    command.env("WEIR_BIN", context.weir()).env("CHROMIUM", chromium).env("FIREFOX", firefox);
    Ok(())
}

fn test_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(".test.mjs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Installs a folder's Node packages when what it asks for changed.
pub fn ensure_node_packages(folder: &Path) -> Result<()> {
    if !folder.join("package.json").is_file() {
        return Ok(());
    }
    let stamp = || -> Result<String> {
        Ok(Stamp::default().path(folder, "package.json")?.path(folder, "package-lock.json")?.finish())
    };
    let kept = folder.join("node_modules/.stamp");
    if stamp::is_current(&kept, &stamp()?) {
        return Ok(());
    }
    let command = if folder.join("package-lock.json").is_file() { "ci" } else { "install" };
    command::run(
        Command::new("npm")
            .current_dir(folder)
            // The browsers are Debian's.
            .env("PUPPETEER_SKIP_DOWNLOAD", "1")
            // A lock file that names no registry works with any.
            .args([
                command,
                "--omit-lockfile-registry-resolved",
                "--no-fund",
                "--no-audit",
                "--loglevel=error",
            ]),
    )?;
    // Only now: the first installation writes the lock file.
    stamp::keep(&kept, &stamp()?)
}

fn interop_tests(context: &Context, folder: &Path) -> Result<Outcome> {
    let python = ensure_python(context, folder)?;
    let mut pytest = Command::new(python);
    command::clean(&mut pytest);
    with_browsers(context, &mut pytest)?;
    pytest.current_dir(&context.root).env("PYTHONDONTWRITEBYTECODE", "1").args([
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
    ]);
    command::run(pytest.arg(folder))?;
    Ok(Outcome::Done)
}

/// A Python with what the interop tests ask for; one environment for each set of requirements.
fn ensure_python(context: &Context, folder: &Path) -> Result<PathBuf> {
    let version = command::output(Command::new("python3").arg("--version"))?;
    let stamp = Stamp::default().word(version.trim()).path(folder, "requirements.txt")?.finish();
    let venv = context.cache.join(format!("python-{stamp}"));
    let python = venv.join("bin/python");
    let kept = venv.join(".stamp");
    if python.is_file() && stamp::is_current(&kept, &stamp) {
        return Ok(python);
    }
    command::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
    command::run(
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
            .arg(folder.join("requirements.txt")),
    )?;
    stamp::keep(&kept, &stamp)?;
    Ok(python)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps<'a>() -> Vec<Step<'a>> {
        vec![
            Step::new("Server", || Ok(Outcome::Done)),
            Step::check("Format", || Ok(Outcome::Done)),
            Step::check("Browser tests", || Ok(Outcome::Done)),
        ]
    }

    fn names(words: &[&str]) -> Vec<&'static str> {
        chosen(steps(), words).unwrap().iter().map(Step::name).collect()
    }

    #[test]
    fn words_choose_checks_and_keep_what_they_stand_on() {
        assert_eq!(names(&[]), ["Server", "Format", "Browser tests"]);
        assert_eq!(names(&["browser"]), ["Server", "Browser tests"]);
    }

    #[test]
    fn an_unknown_word_says_what_there_is() {
        let Err(failure) = chosen(steps(), &["nothing"]) else { panic!("should refuse") };
        assert!(failure.to_string().contains("Format, Browser tests"));
    }

    #[test]
    fn only_test_files_are_run() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.test.mjs", "a.test.mjs", "helper.mjs"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let files = test_files(folder.path()).unwrap();
        assert_eq!(files, [folder.path().join("a.test.mjs"), folder.path().join("b.test.mjs")]);
        assert!(test_files(&folder.path().join("gone")).unwrap().is_empty());
    }
}
