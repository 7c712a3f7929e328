//! What this machine has: interpreters, tools, package managers, the state of the sources; the facts of [`World`].
//!
//! Knows how to find and ask what is there, and how a package manager would be asked for what is not. Must not know
//! stages: what a plan, a build or a repair does with the facts is theirs. Probing starts processes but changes
//! nothing on the machine; only [`sources::copy`] writes, and only where it is told to.
// Windows' own calls in `system/windows.rs`; nothing else.
#![deny(unsafe_code)]

mod cached;
mod compilers;
mod environment;
mod fingerprints;
pub mod interpreters;
pub mod loaded;
pub mod packages;
mod probe;
pub mod sources;
mod system;
pub mod toolenv;
mod tools;
mod world;

pub use interpreters::{Duplicate, Interpreter, InterpreterOrigin, Rejected};
pub use probe::{Probe, probe, relevant_environment};
pub use world::{Libc, LibcKind, World, WorldError};
