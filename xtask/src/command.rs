//! Running other programs.

use crate::failure::{Failure, Result, While};
use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Runs it with the terminal's output and fails when it fails.
pub fn run(command: &mut Command) -> Result<()> {
    let text = describe(command);
    let status = command.stdin(Stdio::null()).status().doing(|| format!("can't start `{text}`"))?;
    if status.success() { Ok(()) } else { Failure::err(format!("`{text}` ended with {status}")) }
}

/// Runs it and answers what it printed; on failure the end of its error output becomes the sentence.
pub fn output(command: &mut Command) -> Result<String> {
    let text = describe(command);
    let output = command.stdin(Stdio::null()).output().doing(|| format!("can't start `{text}`"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let tail: Vec<_> = stderr.lines().rev().take(3).collect();
    let tail = tail.into_iter().rev().collect::<Vec<_>>().join(" / ");
    Failure::err(format!("`{text}` ended with {}: {tail}", output.status))
}

/// Runs it for at most `limit`; answers whether it succeeded in time.
pub fn succeeds_within(command: &mut Command, limit: Duration) -> bool {
    let Ok(mut child) = command.stdin(Stdio::null()).spawn() else { return false };
    let deadline = Instant::now() + limit;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(50)),
            _ => {
                // It is over its time or can't be asked: either way it must not stay behind.
                let _ = child.kill();
                let _ = child.wait();
                return false;
            }
        }
    }
}

/// The program's path, when it is on the PATH.
pub fn which(program: &str) -> Option<PathBuf> {
    which_in(program, &env::var_os("PATH")?)
}

fn which_in(program: &str, path: &OsString) -> Option<PathBuf> {
    env::split_paths(path).map(|folder| folder.join(program)).find(|file| is_executable(file))
}

/// Whether this is a file that can be run.
pub fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// `PATH` with these folders in front.
pub fn path_with(folders: &[PathBuf]) -> OsString {
    let old = env::var_os("PATH").unwrap_or_default();
    let all = folders.iter().cloned().chain(env::split_paths(&old));
    env::join_paths(all).unwrap_or(old)
}

/// Cargo as a person at a shell would start it.
///
/// `cargo run` leaves variables about xtask itself in the environment. They would reach build scripts, and the
/// same crate would be built once for `cargo xtask` and once for `cargo build`.
pub fn cargo() -> Command {
    let mut command = Command::new("cargo");
    clean(&mut command);
    command
}

/// Takes what `cargo run` added out of a command's environment.
pub fn clean(command: &mut Command) {
    for (name, value) in env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if is_left_by_cargo(&name) {
            command.env_remove(&name);
        } else if name == "LD_LIBRARY_PATH" {
            let kept: Vec<_> =
                env::split_paths(&value).filter(|folder| !is_cargo_library_path(folder)).collect();
            match env::join_paths(&kept) {
                Ok(paths) if !kept.is_empty() => command.env(&name, paths),
                _ => command.env_remove(&name),
            };
        }
    }
}

fn is_left_by_cargo(name: &str) -> bool {
    const ONES: [&str; 7] = [
        "CARGO",
        "CARGO_BIN_NAME",
        "CARGO_CRATE_NAME",
        "CARGO_MANIFEST_DIR",
        "CARGO_MANIFEST_PATH",
        "CARGO_PRIMARY_PACKAGE",
        "OUT_DIR",
    ];
    ONES.contains(&name) || name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
}

fn is_cargo_library_path(folder: &Path) -> bool {
    let text = folder.to_string_lossy();
    text.contains("/release")
        || text.contains("/debug")
        || text.contains("/toolchains/")
        || text.contains("/rustlib/")
}

fn describe(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_only_what_can_be_run() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tool");
        std::fs::write(&file, "").unwrap();
        let path = folder.path().as_os_str().to_owned();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(which_in("tool", &path), None);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(which_in("tool", &path), Some(file));
    }

    #[test]
    fn says_which_command_failed_and_what_it_said() {
        let failure = output(Command::new("sh").args(["-c", "echo broken >&2; exit 3"])).unwrap_err();
        assert!(failure.to_string().contains("broken"), "{failure}");
        assert!(failure.to_string().contains("exit status: 3"), "{failure}");
    }

    #[test]
    fn ends_what_takes_too_long() {
        let started = Instant::now();
        assert!(!succeeds_within(Command::new("sleep").arg("30"), Duration::from_millis(10)));
        assert!(started.elapsed() < Duration::from_secs(10));
        assert!(succeeds_within(&mut Command::new("true"), Duration::from_secs(10)));
    }

    #[test]
    fn keeps_the_persons_own_cargo_settings() {
        assert!(is_left_by_cargo("CARGO_PKG_VERSION"));
        assert!(!is_left_by_cargo("CARGO_HOME"));
        assert!(!is_left_by_cargo("CARGO_TARGET_DIR"));
    }
}
