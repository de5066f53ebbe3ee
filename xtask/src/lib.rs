//! Everything behind `cargo xtask`. Each file is one job; `cli` says what is run when.

pub mod apt;
pub mod bench;
pub mod build;
pub mod cli;
pub mod command;
pub mod context;
pub mod failure;
pub mod frontend;
pub mod fuzz;
mod glue;
pub mod stamp;
pub mod step;

pub mod test;
pub mod tidy;
pub mod tools;
pub mod wasm_target;
