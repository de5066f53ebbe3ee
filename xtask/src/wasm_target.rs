//! The compiler's WebAssembly target, in whichever way is open on this machine: it is there; rustup brings it; or
//! its standard library is built from the sources that Debian packages for exactly this compiler. And those sources
//! themselves, from which the frontend builds a standard library without words for panics: 6% less over the wire.

use crate::{
    command::{self, which},
    context::Context,
    failure::{Failure, Result, While},
    stamp,
    step::Outcome,
};
use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

const TARGET: &str = "wasm32-unknown-unknown";

/// Debian releases that may carry the compiler's sources; the one with the matching version wins.
const SUITES: [&str; 8] = [
    "trixie-backports",
    "trixie",
    "forky",
    "sid",
    "forky-backports",
    "trixie-updates",
    "bookworm-backports",
    "bookworm",
];

/// Makes sure that the target can be compiled for, and brings the standard library's sources where it can.
pub fn ensure(context: &Context) -> Result<Outcome> {
    let sysroot = sysroot()?;
    let target = ensure_target(context, &sysroot)?;
    if has_sources(&sysroot) {
        return Ok(target);
    }
    if !rustup(&["component", "add", "rust-src"]) || !has_sources(&sysroot) {
        let kept = context.cache.join("rust-src");
        remove(&kept)?;
        fs::create_dir_all(&kept).doing(|| format!("can't write {}", kept.display()))?;
        let linked = fetch_sources(&kept, &compiler_version()?).and_then(|sources| link(&sources, &sysroot));
        if let Err(failure) = linked {
            eprintln!("  {failure}");
            eprintln!("  without the compiler's sources the frontend is built all the same, and 6% larger");
        }
    }
    Ok(Outcome::Done)
}

/// Whether the standard library's sources are where cargo looks for them.
pub fn can_build_std() -> Result<bool> {
    Ok(has_sources(&sysroot()?))
}

/// Brings the crates that the standard library is built with: trunk lets cargo look for none. Answers whether they are there.
pub fn fetch_std() -> Result<bool> {
    if !can_build_std()? {
        return Ok(false);
    }
    let manifest = sources_place(&sysroot()?).join("library/Cargo.toml");
    let mut cargo = Command::new("cargo");
    command::clean(&mut cargo);
    cargo.env("RUSTC_BOOTSTRAP", "1").args([
        "fetch",
        "--quiet",
        "--locked",
        "--target",
        TARGET,
        "--manifest-path",
    ]);
    if let Err(failure) = command::run(cargo.arg(manifest)) {
        eprintln!("  {failure}");
        eprintln!(
            "  without what the standard library is built with, the frontend is built all the same, and 6% larger"
        );
        return Ok(false);
    }
    Ok(true)
}

fn sysroot() -> Result<PathBuf> {
    Ok(PathBuf::from(command::output(rustc().args(["--print", "sysroot"]))?.trim()))
}

/// The one place where cargo looks for the library's sources.
fn sources_place(sysroot: &Path) -> PathBuf {
    sysroot.join("lib/rustlib/src/rust")
}

fn has_sources(sysroot: &Path) -> bool {
    let library = sources_place(sysroot).join("library");
    library.join("std").is_dir() && library.join("Cargo.lock").is_file()
}

fn link(sources: &Path, sysroot: &Path) -> Result<()> {
    let place = sources_place(sysroot);
    if let Some(parent) = place.parent() {
        fs::create_dir_all(parent).doing(|| not_writable(sysroot))?;
    }
    if place.is_symlink() {
        fs::remove_file(&place).doing(|| not_writable(sysroot))?;
    }
    symlink(sources, &place).doing(|| not_writable(sysroot))?;
    Ok(())
}

/// Asks rustup, where there is one; whether it did it.
fn rustup(arguments: &[&str]) -> bool {
    if which("rustup").is_none() {
        return false;
    }
    eprintln!("  asking rustup for {}", arguments.last().unwrap_or(&""));
    let mut rustup = Command::new("rustup");
    command::clean(&mut rustup);
    command::succeeds_within(rustup.args(arguments), Duration::from_secs(60))
}

fn ensure_target(context: &Context, sysroot: &Path) -> Result<Outcome> {
    if has_std(sysroot) {
        return Ok(Outcome::Unchanged);
    }
    if rustup(&["target", "add", TARGET]) && has_std(sysroot) {
        return Ok(Outcome::Done);
    }
    eprintln!("  rustup can't bring it; building it from Debian's sources of the compiler");
    let version = compiler_version()?;
    build_from_sources(context, sysroot, &version).map_err(|failure| {
        Failure::new(format!(
            "{failure}\n  The {TARGET} target is missing. Either of these brings it:\n    \
             rustup target add {TARGET}\n    \
             the Debian package rust-src of version {version}, unpacked so that {} exists; then run this again",
            sources_place(sysroot).join("library").display()
        ))
    })?;
    if has_std(sysroot) {
        Ok(Outcome::Done)
    } else {
        Failure::err("the target was built and is still not found")
    }
}

fn rustc() -> Command {
    let mut rustc = Command::new("rustc");
    command::clean(&mut rustc);
    rustc
}

fn compiler_version() -> Result<String> {
    let text = command::output(rustc().arg("--version"))?;
    parse_version(&text)
        .ok_or_else(|| Failure::new(format!("can't read the compiler's version from `{text}`")))
}

/// `rustc 1.95.0 (…)` → `1.95.0`.
fn parse_version(text: &str) -> Option<String> {
    let version = text.split_whitespace().nth(1)?;
    version.starts_with(|first: char| first.is_ascii_digit()).then(|| version.to_owned())
}

fn target_lib(sysroot: &Path) -> PathBuf {
    sysroot.join("lib/rustlib").join(TARGET).join("lib")
}

/// Whether the standard library is there, not only its folder.
fn has_std(sysroot: &Path) -> bool {
    let Ok(entries) = fs::read_dir(target_lib(sysroot)) else { return false };
    let names: Vec<_> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    ["libstd-", "libcore-", "liballoc-"]
        .iter()
        .all(|library| names.iter().any(|name| name.starts_with(library) && name.ends_with(".rlib")))
}

fn build_from_sources(context: &Context, sysroot: &Path, version: &str) -> Result<()> {
    let work = context.cache.join("wasm-std");
    // Left-overs of an interrupted try could mix two versions' libraries.
    remove(&work)?;
    fs::create_dir_all(&work).doing(|| format!("can't write {}", work.display()))?;
    let built = build_in(&work, sysroot, version);
    remove(&work)?;
    built
}

fn build_in(work: &Path, sysroot: &Path, version: &str) -> Result<()> {
    let place = sources_place(sysroot);
    let here_already = place.join("library/std").is_dir();
    if !here_already {
        link(&fetch_sources(work, version)?, sysroot)?;
    }
    let built = build_std(work);
    if !here_already {
        fs::remove_file(&place)?;
        // Only goes when nothing else is in it.
        let _ = place.parent().map(fs::remove_dir);
    }
    install(&built?, sysroot)
}

fn not_writable(sysroot: &Path) -> String {
    format!("the compiler's folder {} can't be written by this user", sysroot.display())
}

/// Builds `std` for the target and answers the folder with the libraries.
fn build_std(work: &Path) -> Result<PathBuf> {
    let krate = work.join("empty");
    fs::create_dir_all(krate.join("src"))?;
    fs::write(krate.join("src/lib.rs"), "")?;
    fs::write(
        krate.join("Cargo.toml"),
        "[package]\nname = \"empty\"\nedition = \"2024\"\n[workspace]\n[profile.release]\ndebug = false\n",
    )?;
    let target = work.join("target");
    command::run(
        command::cargo()
            .current_dir(&krate)
            // Building std is a nightly feature; the sources are this very compiler's, so it may be used.
            .env("RUSTC_BOOTSTRAP", "1")
            // Without bitcode in the libraries, a release build with LTO can't link them.
            .env("RUSTFLAGS", "-Cembed-bitcode=yes")
            .env("CARGO_TARGET_DIR", &target)
            .args(["build", "--quiet", "--release", "-Zbuild-std=std,panic_abort,test", "--target", TARGET]),
    )?;
    Ok(target.join(TARGET).join("release/deps"))
}

fn install(built: &Path, sysroot: &Path) -> Result<()> {
    let lib = target_lib(sysroot);
    fs::create_dir_all(&lib).doing(|| not_writable(sysroot))?;
    // A half-written target must not look complete: std is what the check looks for, so it comes last.
    let mut libraries: Vec<_> =
        stamp::files_under(built)?.into_iter().filter(|file| is_std_library(file)).collect();
    libraries.sort_by_key(|file| file_name(file).starts_with("libstd-"));
    for file in &libraries {
        fs::copy(file, lib.join(file_name(file))).doing(|| not_writable(sysroot))?;
    }
    Ok(())
}

fn is_std_library(file: &Path) -> bool {
    let name = file_name(file);
    name.ends_with(".rlib") && !name.starts_with("libempty-")
}

fn file_name(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Downloads and unpacks Debian's `rust-src` of this version; answers the folder that holds `library/`.
fn fetch_sources(work: &Path, version: &str) -> Result<PathBuf> {
    if which("apt-get").is_none() || which("dpkg-deb").is_none() {
        return Failure::err("there is no apt here to get the compiler's sources from");
    }
    let mirrors = mirrors(&command::output(Command::new("apt-get").args([
        "indextargets",
        "--format",
        "$(REPO_URI)|$(SIGNED_BY)",
        "Created-By: Packages",
    ]))?);
    for mirror in &mirrors {
        for suite in SUITES {
            if let Some(sources) = fetch_from(work, mirror, suite, version)? {
                return Ok(sources);
            }
        }
    }
    Failure::err(format!("no Debian release within reach has rust-src {version}"))
}

/// A Debian archive of this machine's own apt configuration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Mirror {
    uri: String,
    signed_by: Option<String>,
}

fn mirrors(index_targets: &str) -> Vec<Mirror> {
    let all: BTreeSet<_> = index_targets
        .lines()
        .filter_map(|line| line.split_once('|'))
        .filter(|(uri, _)| uri.trim_end_matches('/').ends_with("/debian"))
        .map(|(uri, key)| Mirror {
            uri: uri.to_owned(),
            // apt leaves the variable's name standing where it has no value.
            signed_by: key.starts_with('/').then(|| key.to_owned()),
        })
        .collect();
    all.into_iter().collect()
}

/// Looks into one release with an apt set-up of its own, so that the machine's stays as it is.
fn fetch_from(work: &Path, mirror: &Mirror, suite: &str, version: &str) -> Result<Option<PathBuf>> {
    let apt = work.join("apt").join(suite);
    for folder in ["lists/partial", "cache/archives/partial", "parts"] {
        fs::create_dir_all(apt.join(folder))?;
    }
    fs::write(apt.join("status"), "")?;
    let keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
    let key = mirror.signed_by.as_deref().or_else(|| Path::new(keyring).is_file().then_some(keyring));
    let key = key.map(|key| format!("[signed-by={key}] ")).unwrap_or_default();
    fs::write(apt.join("sources.list"), format!("deb {key}{} {suite} main\n", mirror.uri))?;
    let option = |name: &str, value: &Path| ["-o".to_owned(), format!("{name}={}", value.display())];
    let options: Vec<String> = [
        option("Dir::Etc::sourcelist", &apt.join("sources.list")),
        option("Dir::Etc::sourceparts", &apt.join("parts")),
        option("Dir::Etc::preferences", &apt.join("none")),
        option("Dir::Etc::preferencesparts", &apt.join("parts")),
        option("Dir::State", &apt),
        option("Dir::State::lists", &apt.join("lists")),
        option("Dir::State::status", &apt.join("status")),
        option("Dir::Cache", &apt.join("cache")),
        // apt drops to a user that may not be able to reach this folder.
        ["-o".to_owned(), "APT::Sandbox::User=".to_owned()],
        ["-o".to_owned(), "Acquire::Languages=none".to_owned()],
    ]
    .concat();
    eprintln!("  looking for the compiler's sources in Debian {suite}");
    if command::output(Command::new("apt-get").args(&options).args(["-qq", "update"])).is_err() {
        return Ok(None);
    }
    let listing = command::output(Command::new("apt-cache").args(&options).args(["madison", "rust-src"]));
    let Some(found) = matching_version(&listing.unwrap_or_default(), version) else { return Ok(None) };
    command::output(Command::new("apt-get").current_dir(&apt).args(&options).args([
        "-qq",
        "download",
        &format!("rust-src={found}"),
    ]))?;
    let package = stamp::files_under(&apt)?.into_iter().find(|file| file_name(file).ends_with(".deb"));
    let package =
        package.ok_or_else(|| Failure::new("apt said it downloaded rust-src, but there is no file"))?;
    let unpacked = work.join("rust-src");
    command::output(Command::new("dpkg-deb").arg("-x").args([&package, &unpacked]))?;
    let usr_src = unpacked.join("usr/src");
    for entry in
        fs::read_dir(&usr_src).doing(|| "rust-src is laid out in another way than expected".to_owned())?
    {
        let folder = entry?.path();
        if folder.join("library/std").is_dir() {
            return Ok(Some(folder));
        }
    }
    Failure::err("rust-src holds no standard library")
}

/// From `apt-cache madison`, the full Debian version whose upstream part is exactly `version`.
fn matching_version(madison: &str, version: &str) -> Option<String> {
    madison
        .lines()
        .filter_map(|line| line.split('|').nth(1))
        .map(str::trim)
        .find(|debian| debian.split(['+', '-', '~']).next() == Some(version))
        .map(str::to_owned)
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).doing(|| format!("can't remove {}", folder.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_compilers_version() {
        assert_eq!(parse_version("rustc 1.95.0 (59807616e 2026-04-14)").as_deref(), Some("1.95.0"));
        assert_eq!(parse_version("rustc"), None);
    }

    #[test]
    fn takes_only_exactly_the_compilers_version() {
        let madison = " rust-src | 1.96.0+dfsg1-1 | x\n rust-src | 1.95.0+dfsg1-1~bpo13+1 | x\n";
        assert_eq!(matching_version(madison, "1.95.0").as_deref(), Some("1.95.0+dfsg1-1~bpo13+1"));
        assert_eq!(matching_version(madison, "1.95"), None);
        assert_eq!(matching_version("", "1.95.0"), None);
    }

    #[test]
    fn finds_the_archives_apt_is_set_up_with() {
        let text = "http://mirror.example/debian/|/usr/share/keyrings/a.gpg\n\
                    http://mirror.example/debian/|/usr/share/keyrings/a.gpg\n\
                    http://mirror.example/debian-security/|$(SIGNED_BY)\n\
                    http://other.example/debian|$(SIGNED_BY)\n";
        let found = mirrors(text);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].signed_by.as_deref(), Some("/usr/share/keyrings/a.gpg"));
        assert_eq!(found[1], Mirror { uri: "http://other.example/debian".into(), signed_by: None });
    }

    #[test]
    fn an_empty_or_half_copied_target_is_not_there() {
        let sysroot = tempfile::tempdir().unwrap();
        assert!(!has_std(sysroot.path()));
        let lib = target_lib(sysroot.path());
        fs::create_dir_all(&lib).unwrap();
        fs::write(lib.join("libcore-1.rlib"), "").unwrap();
        fs::write(lib.join("liballoc-1.rlib"), "").unwrap();
        assert!(!has_std(sysroot.path()));
        fs::write(lib.join("libstd-1.rlib"), "").unwrap();
        assert!(has_std(sysroot.path()));
    }
}
