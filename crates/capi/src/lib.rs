//! CPython's C API as binaries see it: which name which Python exports on which platform.
//!
//! Knows names, for 3.8 to 3.15, both builds (with the GIL, free-threaded) and three systems: [`judge`] says of a name
//! whether a Python exports it and whose it is; [`judge_abi3`] whether the stable ABI promises it; [`scan_cstrings`] and
//! [`scan_packed`] find names among string literals. The table is static data, made from `data/*.tsv` when the crate is
//! built: nothing is parsed at run time. How the data came about stands in `data/README.md`.
//!
//! Must not know: findings and severities, object files, paths, wheels. Names are C names: whoever reads Mach-O or i686
//! COFF has stripped the one leading underscore already.
#![forbid(unsafe_code)]

mod entry;
mod exports;
mod framework;
mod hash;
mod judge;
mod python;
mod scan;
mod stable;
mod versions;

pub use entry::{Entry, Kind, Late, Place, Replacement, Through, Tier, entries, lookup, lookup_bytes, names};
pub use exports::{abi3_exports, exports, is_exported};
pub use framework::{Framework, Frameworks, Marker};
pub use judge::{Class, Missing, Presence, Standing, judge};
pub use python::{Build, Evidence, Python, Release, System, evidence};
pub use scan::{Hit, scan_cstrings, scan_packed};
pub use stable::{Abi3, judge_abi3};
pub use versions::{NEWEST, OLDEST, Versions};
