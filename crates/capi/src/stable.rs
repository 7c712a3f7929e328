//! The stable ABI (PEP 384, PEP 652): what an extension tagged `abi3` may use.

use crate::{System, lookup};

/// What the stable ABI says of a name, for a file that promises to run from some version on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Abi3 {
    /// It belongs to it.
    Stable {
        /// Since 3.`since`, which is not newer than the file's floor.
        since: u8,
    },
    /// It belongs to it, but only since a version newer than the file's floor.
    Newer {
        /// Since 3.`since`.
        since: u8,
    },
    /// It belongs to it on other systems only (what needs `fork`; what is Windows' own).
    OtherSystem {
        /// Since 3.`since`.
        since: u8,
    },
    /// It does not belong to it.
    NotStable,
}

/// What the stable ABI says of `name` for an `abi3` file whose tag names 3.`floor`; `None` if it is not a name of the C API.
pub fn judge_abi3(name: &str, floor: u8, system: System) -> Option<Abi3> {
    let entry = lookup(name)?;
    Some(match entry.abi3_since() {
        None => Abi3::NotStable,
        Some(since) if !entry.abi3_on(system) => Abi3::OtherSystem { since },
        Some(since) if since > floor => Abi3::Newer { since },
        Some(since) => Abi3::Stable { since },
    })
}
