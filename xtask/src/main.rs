//! Set-up, builds, tests and benches of Weir. No product logic.

use std::process::ExitCode;

fn main() -> ExitCode {
    xtask::cli::main(std::env::args().skip(1).collect())
}
