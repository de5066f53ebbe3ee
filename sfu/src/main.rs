//! The `weir` binary.

fn main() -> std::process::ExitCode {
    sfu::cli::main()
}
