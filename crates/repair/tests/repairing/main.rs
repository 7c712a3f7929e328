//! Repairs of small and of published wheels, with the real tools where they are to be had, and with a false one where a
//! real one's failure has to happen.
//!
//! Quick by default: small binaries, tools that were made before. With `WHEELPROOF_REAL=1` the tools are installed, and
//! published wheels of 70 MB are taken apart and put together again.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::similar_names)] // stories: what does not hold ends them

mod bench;
mod failures;
mod installed;
mod linux;
mod macos;
mod options;
mod published;
mod windows;
