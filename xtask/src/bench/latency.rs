//! Browser to browser through the server; the browsers are driven from Node.

use crate::{
    apt, command,
    context::Context,
    failure::Result,
    test::{ensure_node_packages, with_browsers},
};
use std::{path::Path, process::Command};

/// Runs the measurement in `tests/browser`.
pub fn run(context: &Context, json: Option<&Path>) -> Result<()> {
    apt::ensure(&apt::for_testing(None)?)?;
    let folder = context.root.join("tests/browser");
    ensure_node_packages(&folder)?;
    let mut node = Command::new("node");
    command::clean(&mut node);
    with_browsers(context, &mut node)?;
    node.current_dir(&context.root).arg(folder.join("bench-latency.mjs"));
    if let Some(json) = json {
        node.arg("--json").arg(json);
    }
    command::run(&mut node)
}
