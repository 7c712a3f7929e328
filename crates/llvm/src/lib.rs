//! LLVM as it lies on a disk: where installations are, which one a requirement picks, what its libraries are called.
//!
//! Knows LLVM's file layouts, CMake files and library names on every platform. Must not know wheels, Python, or how
//! a process is run: the one program it may want to ask (`llvm-config` in an unusual layout) is asked by the caller.
#![forbid(unsafe_code)]

mod cmake;
mod find;
mod installation;
mod names;
mod pick;
mod places;
mod soname;
mod version;

pub use find::{AskLlvmConfig, Findings, Look, Search, Seen, find};
pub use installation::{Explicit, Installation, Origin, SharedLibrary};
pub use names::{LlvmName, recognise};
pub use pick::{NoLlvm, NotTaken, Refusal, Requirement};
pub use places::{Place, SYSTEM_PLACES};
pub use version::{Linkage, LlvmVersion, LlvmVersionError, SERIES, VersionRange, VersionRangeError};
