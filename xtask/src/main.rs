//! The entry of `cargo xtask`: the program, and what only this repository needs.

mod bench;
mod docs;
mod suite;

use std::process::ExitCode;

fn main() -> ExitCode {
    wheelproof::main_with(&[suite::extra(), bench::extra(), docs::extra()])
}
