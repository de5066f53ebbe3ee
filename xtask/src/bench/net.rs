//! What bad networks do to a viewer: the player in a real browser behind a relay that is bad by a seed; driven from Node.

use crate::{
    apt,
    build::native,
    command,
    context::Context,
    failure::Result,
    test::{ensure_node_packages, with_browsers},
};
use std::{path::Path, process::Command};

/// Runs the matrix in `tests/browser`, with three seeds.
pub fn run(context: &Context, json: Option<&Path>) -> Result<()> {
    matrix(context, json, &[])
}

/// The same with one seed.
pub fn quick(context: &Context, json: Option<&Path>) -> Result<()> {
    matrix(context, json, &["--quick"])
}

fn matrix(context: &Context, json: Option<&Path>, words: &[&str]) -> Result<()> {
    apt::ensure(&apt::for_testing(None)?)?;
    let folder = context.root.join("tests/browser");
    ensure_node_packages(&folder)?;
    let mut cargo = context.cargo();
    cargo.args(["build", "--release", "--bin", "weir", "--bin", "net-relay"]);
    command::run(native(&mut cargo))?;
    let mut node = Command::new("node");
    command::clean(&mut node);
    with_browsers(context, &mut node)?;
    node.env("WEIR_RELAY", context.target.join("release").join("net-relay"));
    node.current_dir(&context.root).arg(folder.join("bench-net.mjs")).args(words);
    if let Some(json) = json {
        node.arg("--json").arg(json);
    }
    command::run(&mut node)
}
