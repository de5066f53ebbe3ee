//! From a fresh clone to `target/release/weir` with the frontend inside.

use crate::{
    apt,
    context::Context,
    failure::Result,
    frontend,
    step::{Outcome, Step},
    tools, wasm_target,
};
use std::{env, process::Command, time::SystemTime};

/// The steps that make the server.
pub fn steps(context: &Context) -> Vec<Step<'_>> {
    let mut steps = set_up_steps(context, apt::for_building());
    steps.extend(make_steps(context));
    steps
}

/// What must be on the machine.
pub fn set_up_steps(context: &Context, needs: Vec<apt::Need>) -> Vec<Step<'_>> {
    vec![
        Step::new("System packages", move || apt::ensure(&needs)),
        Step::new("WebAssembly target", || wasm_target::ensure(context)),
        Step::new("trunk", || tools::ensure_trunk(context)),
        Step::new("wasm-bindgen", || tools::ensure_wasm_bindgen(context)),
        Step::new("wasm-opt", || tools::ensure_wasm_opt(context)),
        Step::new("terser", || tools::ensure_terser(context)),
    ]
}

/// What is compiled.
pub fn make_steps(context: &Context) -> Vec<Step<'_>> {
    vec![Step::new("Frontend", || frontend::build(context)), Step::new("Server", || server(context))]
}

fn server(context: &Context) -> Result<Outcome> {
    let written =
        || -> Option<SystemTime> { context.weir().metadata().and_then(|meta| meta.modified()).ok() };
    let before = written();
    let mut cargo = context.cargo();
    cargo.args(["build", "--release", "--bin", "weir"]);
    if env::var_os("CI").is_some() {
        // A person wants to see that it is getting on; a log does not.
        cargo.arg("--quiet");
    }
    crate::command::run(locked_in_ci(native(&mut cargo)))?;
    Ok(if before.is_some() && written() == before { Outcome::Unchanged } else { Outcome::Done })
}

/// Chooses what runs natively, always all of it: cargo gives dependencies the features that the chosen packages ask
/// for together, so any other choice would compile the server and what it shares with the tests a second time.
pub fn native(cargo: &mut Command) -> &mut Command {
    for package in ["weir-shared", "weir-picture", "weir-sfu", "weir-tests", "weir-fuzz", "xtask"] {
        cargo.args(["--package", package]);
    }
    cargo
}

/// Where nobody could commit it, a lock file that would have to change is a mistake.
pub fn locked_in_ci(cargo: &mut Command) -> &mut Command {
    if env::var_os("CI").is_some() { cargo.arg("--locked") } else { cargo }
}
