//! Where things are on this machine.

use crate::{
    command,
    failure::{Failure, Result},
};
use std::{
    env,
    path::{Path, PathBuf},
};

/// The folders everything works in.
#[derive(Debug, Clone)]
pub struct Context {
    /// The workspace's root.
    pub root: PathBuf,
    /// Cargo's target folder.
    pub target: PathBuf,
    /// Tools and Python environments of this user, kept between clones.
    pub cache: PathBuf,
}

impl Context {
    /// The context of this clone and this user.
    pub fn detect() -> Result<Self> {
        // `cargo run` says where this clone is now; the built-in path is for a binary started by hand.
        let manifest_dir =
            env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
        let root = Path::new(&manifest_dir)
            .parent()
            .filter(|root| root.join("Cargo.lock").is_file())
            .ok_or_else(|| Failure::new("can't find the workspace: start this as `cargo xtask`"))?;
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => root.join(folder),
            None => root.join("target"),
        };
        let cache = match (env::var_os("XDG_CACHE_HOME"), env::var_os("HOME")) {
            (Some(folder), _) if !folder.is_empty() => PathBuf::from(folder),
            (_, Some(home)) => PathBuf::from(home).join(".cache"),
            _ => {
                return Failure::err(
                    "neither XDG_CACHE_HOME nor HOME is set: there is nowhere to keep tools",
                );
            }
        };
        Ok(Self { root: root.to_owned(), target, cache: cache.join("weir") })
    }

    /// Where a tool of one version lives.
    pub fn tool(&self, name_and_version: &str) -> PathBuf {
        self.cache.join("tools").join(name_and_version)
    }

    /// What trunk builds.
    pub fn frontend_dist(&self) -> PathBuf {
        self.target.join("frontend")
    }

    /// What the server embeds: what trunk built, and each file's brotli beside it.
    pub fn frontend_embedded(&self) -> PathBuf {
        self.target.join("frontend-embedded")
    }

    /// The server.
    pub fn weir(&self) -> PathBuf {
        self.target.join("release").join("weir")
    }

    /// Cargo in the workspace, told where the frontend is.
    pub fn cargo(&self) -> std::process::Command {
        let mut cargo = command::cargo();
        cargo.current_dir(&self.root);
        // Only when it is not where the server looks by itself: a variable that is set here and not in a `cargo build`
        // by hand would compile the server again for each of the two.
        if self.target != self.root.join("target") {
            cargo.env("WEIR_FRONTEND_DIR", self.frontend_embedded());
        }
        cargo
    }
}
