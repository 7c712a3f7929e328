//! The program for Windows and macOS beside the one for this system.
//!
//! `cargo xtask test --tier systems` builds both and names them to these tests. The Windows program runs under wine and must
//! answer as this system's does; the macOS program cannot run here, so it is read.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // a test that cannot go on panics; what is printed shows when it fails

mod binaries;
mod compare;
mod paths;
mod planning;
mod reading;
mod rough;
mod systems;
