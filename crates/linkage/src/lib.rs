//! What a loader would find: dependency closure, scopes and symbol resolution against providers that are handed in.
//!
//! [`Image`] keeps the facts of one binary; [`Files`] says which lie where; [`Loader`] is the search of one
//! system's loader; [`Providers`] answers for what is outside. [`closure`] then says which libraries a process
//! gets, [`resolve`] which definition each symbol gets, [`refusals`] what else makes a loader refuse, [`hazards`]
//! what it accepts and should not be there. All are pure functions over values and run the same on every host.
//!
//! Knows the rules of ld.so (glibc, musl), dyld and Windows' loader. Must not know CPython, LLVM, wheels, findings,
//! disks.
//!
//! Sources of the rules: glibc's `elf/dl-load.c`, `dl-lookup.c`, `dl-version.c`, `dl-deps.c`; musl's
//! `ldso/dynlink.c`; dyld's documentation (`dyld(1)`) and sources; Microsoft's "Dynamic-link library search order"
//! and `LoadLibraryExW`.
#![forbid(unsafe_code)]

mod closure;
mod demangle;
mod explain;
mod files;
mod hazards;
mod image;
mod loader;
mod paths;
mod providers;
mod refusals;
mod resolve;
mod scope;
mod stem;
mod symbols;
mod traits;
mod versions;
mod walk;
mod words;

pub use closure::{
    By, Closure, Edge, EdgeId, Hint, Looked, Member, MemberId, Miss, Missing, Mode, Opening, Outcome, What, closure,
};
pub use demangle::demangle;
pub use files::{At, Case, Files, OnDemand, Opened, Tree};
pub use hazards::{Hazard, hazards};
pub use image::{Export, Image, Import, Need, SearchPath};
pub use loader::{Dyld, Glibc, Loader, Musl, Windows};
pub use objfile::Provider as BoundTo;
pub use providers::{Lack, Nothing, Presence, Providers, Verdict, Wanted};
pub use refusals::{Machine, Refusal, RefusalKind, refusals};
pub use resolve::{Binding, Reason, Resolution, Source, Unresolved, resolve};
pub use stem::stem;
pub use traits::{ElfTraits, MachOTraits, PeTraits, Signature, VersionNeed};
pub use versions::{VersionFault, VersionProblem};
