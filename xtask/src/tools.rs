//! Programs the build uses, of exactly the versions it was tried with, in a cache of their own: nothing is installed
//! among the person's own programs, and what they already have of the right version is used.

use crate::{
    command::{self, is_executable, which},
    context::Context,
    failure::{Failure, Result, While},
    step::Outcome,
};
use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const TRUNK: &str = "0.21.14";
const BINARYEN: &str = "132.0.0";
const TERSER: &str = "5.51.2";

/// Makes sure trunk is there.
pub fn ensure_trunk(context: &Context) -> Result<Outcome> {
    let folder = context.tool(&format!("trunk-{TRUNK}"));
    if is_there("trunk", TRUNK, &folder.join("bin")) {
        return Ok(Outcome::Unchanged);
    }
    // It only ever works offline here, so its own TLS and update check are left out.
    cargo_install("trunk", TRUNK, &folder, &["--no-default-features", "--locked"])
        .or_else(|_| cargo_install("trunk", TRUNK, &folder, &["--locked"]))?;
    Ok(Outcome::Done)
}

/// Makes sure wasm-bindgen's program matches its library: they only understand each other at the same version.
pub fn ensure_wasm_bindgen(context: &Context) -> Result<Outcome> {
    let version = wasm_bindgen_version(context)?;
    let folder = context.tool(&format!("wasm-bindgen-{version}"));
    if is_there("wasm-bindgen", &version, &folder.join("bin")) {
        return Ok(Outcome::Unchanged);
    }
    // A registry mirror may lag behind the versions its lock file names.
    cargo_install("wasm-bindgen-cli", &version, &folder, &["--locked"])
        .or_else(|_| cargo_install("wasm-bindgen-cli", &version, &folder, &[]))?;
    Ok(Outcome::Done)
}

/// Makes sure wasm-opt is there.
pub fn ensure_wasm_opt(context: &Context) -> Result<Outcome> {
    npm_install(context, "binaryen", BINARYEN, "wasm-opt")
}

/// Makes sure the minifier for JavaScript is there.
pub fn ensure_terser(context: &Context) -> Result<Outcome> {
    npm_install(context, "terser", TERSER, "terser")
}

fn npm_install(context: &Context, package: &str, version: &str, program: &str) -> Result<Outcome> {
    let folder = context.tool(&format!("{package}-{version}"));
    let program = npm_programs(&folder).join(program);
    if is_executable(&program) {
        return Ok(Outcome::Unchanged);
    }
    fs::create_dir_all(&folder).doing(|| format!("can't write {}", folder.display()))?;
    command::run(
        Command::new("npm")
            .current_dir(&folder)
            .args(["install", "--no-fund", "--no-audit", "--loglevel=error", "--prefix"])
            .arg(&folder)
            .arg(format!("{package}@{version}")),
    )?;
    if is_executable(&program) {
        Ok(Outcome::Done)
    } else {
        Failure::err(format!("npm installed {package}, but {} isn't there", program.display()))
    }
}

fn npm_programs(folder: &Path) -> PathBuf {
    folder.join("node_modules/.bin")
}

/// A PATH on which these tools are found first.
pub fn path(context: &Context) -> Result<OsString> {
    let folders = [
        context.tool(&format!("trunk-{TRUNK}")).join("bin"),
        context.tool(&format!("wasm-bindgen-{}", wasm_bindgen_version(context)?)).join("bin"),
        npm_programs(&context.tool(&format!("binaryen-{BINARYEN}"))),
        npm_programs(&context.tool(&format!("terser-{TERSER}"))),
    ];
    Ok(command::path_with(&folders))
}

/// The versions as one word, for knowing when a build must be done again.
pub fn versions(context: &Context) -> Result<String> {
    let mut rustc = Command::new("rustc");
    command::clean(&mut rustc);
    let rustc = command::output(rustc.arg("--version"))?;
    Ok(format!(
        "{} trunk {TRUNK} wasm-bindgen {} binaryen {BINARYEN} terser {TERSER}",
        rustc.trim(),
        wasm_bindgen_version(context)?
    ))
}

fn is_there(program: &str, version: &str, cached_in: &Path) -> bool {
    let cached = cached_in.join(program);
    [Some(cached), which(program)].into_iter().flatten().any(|program| {
        is_executable(&program)
            && command::output(Command::new(&program).arg("--version"))
                .is_ok_and(|text| says_version(&text, version))
    })
}

/// `trunk 0.21.14`, `wasm-bindgen 0.2.130 (…)`: the version is a word of its own.
fn says_version(text: &str, version: &str) -> bool {
    text.split_whitespace().any(|word| word == version)
}

fn wasm_bindgen_version(context: &Context) -> Result<String> {
    let lock =
        fs::read_to_string(context.root.join("Cargo.lock")).doing(|| "can't read Cargo.lock".to_owned())?;
    locked_version(&lock, "wasm-bindgen").ok_or_else(|| Failure::new("Cargo.lock has no wasm-bindgen"))
}

fn locked_version(lock: &str, package: &str) -> Option<String> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name);
    lines.nth(1)?.strip_prefix("version = \"")?.strip_suffix('"').map(str::to_owned)
}

fn cargo_install(package: &str, version: &str, folder: &Path, more: &[&str]) -> Result<()> {
    fs::create_dir_all(folder).doing(|| format!("can't write {}", folder.display()))?;
    let mut cargo = command::cargo();
    cargo
        // Away from the workspace: its settings are not these tools' settings.
        .current_dir(folder)
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("RUSTFLAGS")
        // They run for a second or two per build: compiling them fast is worth more than having them fast.
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "0")
        .env("CARGO_PROFILE_RELEASE_STRIP", "symbols")
        .args(["install", package, "--version", version, "--root"])
        .arg(folder)
        .args(more);
    command::run(&mut cargo)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_version_from_the_lock_file() {
        let lock = "[[package]]\nname = \"wasm-bindgen-futures\"\nversion = \"0.4.1\"\n\n[[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(locked_version(lock, "wasm-bindgen").as_deref(), Some("0.2.130"));
        assert_eq!(locked_version(lock, "wasm"), None);
    }

    #[test]
    fn compares_whole_versions() {
        assert!(says_version("wasm-bindgen 0.2.130 (abc)", "0.2.130"));
        assert!(!says_version("wasm-bindgen 0.2.130", "0.2.13"));
    }
}
