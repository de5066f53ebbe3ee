//! Debian packages: which are missing, and getting them when that is allowed.

use crate::{
    command::{self, which},
    failure::{Failure, Result},
    step::Outcome,
};
use std::{env, fs, path::Path, process::Command};

/// Something the machine must have, and the Debian package that brings it.
#[derive(Debug, Clone)]
pub struct Need {
    package: String,
    here: bool,
}

impl Need {
    /// A program on the PATH, under any of these names.
    pub fn program(names: &[&str], package: &str) -> Self {
        Self { package: package.to_owned(), here: names.iter().any(|name| which(name).is_some()) }
    }

    /// A Python that can make virtual environments. Debian keeps that part in a package of its own.
    pub fn python_venv() -> Self {
        let here = command::output(Command::new("python3").args(["-c", "import venv, ensurepip"])).is_ok();
        Self { package: "python3-venv".to_owned(), here }
    }

    /// A package that is no program, asked from dpkg.
    pub fn package(package: &str) -> Self {
        let asked =
            command::output(Command::new("dpkg-query").args(["-W", "-f=${db:Status-Status}", package]));
        Self { package: package.to_owned(), here: asked.is_ok_and(|status| status == "installed") }
    }
}

/// What building needs.
pub fn for_building() -> Vec<Need> {
    vec![
        Need::program(&["cc", "gcc", "clang"], "build-essential"),
        // For libopus.
        Need::program(&["cmake"], "cmake"),
        // For rav1e and rav1d.
        Need::program(&["nasm"], "nasm"),
        // For VP8 and VP9; its bindings are made when Weir is built.
        Need::package("libvpx-dev"),
        Need::package("libclang-dev"),
        Need::program(&["pkg-config"], "pkg-config"),
        Need::program(&["node"], "nodejs"),
        Need::program(&["npm"], "npm"),
    ]
}

/// What the tests need on top.
pub fn for_testing(interop: Option<&Path>) -> Result<Vec<Need>> {
    let mut needs = vec![
        Need::program(&["git"], "git"),
        Need { package: "chromium".to_owned(), here: chromium().is_some() },
        Need { package: "firefox-esr".to_owned(), here: firefox().is_some() },
    ];
    if let Some(folder) = interop {
        needs.push(Need::program(&["python3"], "python3"));
        needs.push(Need::python_venv());
        // One package a line: the programs the interop tests publish and watch with.
        let list = folder.join("packages.txt");
        if list.is_file() {
            needs.extend(package_names(&fs::read_to_string(list)?).map(Need::package));
        }
    }
    Ok(needs)
}

fn package_names(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(|line| line.split('#').next().unwrap_or("").trim()).filter(|line| !line.is_empty())
}

/// The Chromium the tests drive. `CHROMIUM` names another one.
pub fn chromium() -> Option<String> {
    browser("CHROMIUM", &["chromium", "chromium-browser", "google-chrome"])
}

/// The Firefox the tests drive. `FIREFOX` names another one.
pub fn firefox() -> Option<String> {
    browser("FIREFOX", &["firefox-esr", "firefox"])
}

fn browser(variable: &str, names: &[&str]) -> Option<String> {
    let chosen = env::var(variable).ok().filter(|path| !path.is_empty());
    chosen
        .or_else(|| names.iter().find_map(|name| which(name)).map(|path| path.to_string_lossy().into_owned()))
}

/// Installs what is missing, or says the one line that does.
pub fn ensure(needs: &[Need]) -> Result<Outcome> {
    let missing: Vec<&str> =
        needs.iter().filter(|need| !need.here).map(|need| need.package.as_str()).collect();
    if missing.is_empty() {
        return Ok(Outcome::Unchanged);
    }
    let by_hand = format!("sudo apt-get update && sudo apt-get install -y {}", missing.join(" "));
    let Some(prefix) = privilege() else {
        return Failure::err(format!("missing: {}. Install with:\n    {by_hand}", missing.join(", ")));
    };
    if install(&prefix, &missing).is_err() {
        // The usual reason is a package list that is absent or too old.
        let updated = command::run(&mut apt_get(&prefix, &["update"]));
        updated.and_then(|()| install(&prefix, &missing)).map_err(|failure| {
            Failure::new(format!("{failure}. Still missing: {}. Try:\n    {by_hand}", missing.join(", ")))
        })?;
    }
    Ok(Outcome::Done)
}

fn install(prefix: &[&str], packages: &[&str]) -> Result<()> {
    let arguments: Vec<&str> =
        ["install", "-y", "--no-install-recommends"].iter().chain(packages).copied().collect();
    command::run(&mut apt_get(prefix, &arguments))
}

fn apt_get(prefix: &[&str], arguments: &[&str]) -> Command {
    let mut words =
        prefix.iter().chain(&["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]).chain(arguments);
    let mut command = Command::new(words.next().copied().unwrap_or("env"));
    command.args(words);
    command
}

/// The words in front of a command that make it run as root; none when this user can't.
fn privilege() -> Option<Vec<&'static str>> {
    which("apt-get")?;
    if command::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0") {
        return Some(Vec::new());
    }
    which("sudo")?;
    command::output(Command::new("sudo").args(["-n", "true"])).is_ok().then(|| vec!["sudo", "-n"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_missing_is_unchanged() {
        let needs = [Need::program(&["sh"], "dash"), Need::program(&["no-such-program", "sh"], "dash")];
        assert_eq!(ensure(&needs).unwrap(), Outcome::Unchanged);
    }

    #[test]
    fn a_program_that_is_not_there_is_missing() {
        assert!(!Need::program(&["no-such-program"], "no-such-package").here);
        assert!(!Need::package("no-such-package").here);
    }

    #[test]
    fn apt_never_asks() {
        let command = apt_get(&["sudo", "-n"], &["install", "x"]);
        let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
        assert_eq!(command.get_program(), "sudo");
        assert_eq!(words, ["-n", "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "x"]);
        assert_eq!(apt_get(&[], &["update"]).get_program(), "env");
    }

    #[test]
    fn package_lists_may_have_comments() {
        let names: Vec<_> = package_names("# tools\nffmpeg\n\n gstreamer1.0-tools # whip\n").collect();
        assert_eq!(names, ["ffmpeg", "gstreamer1.0-tools"]);
    }
}
