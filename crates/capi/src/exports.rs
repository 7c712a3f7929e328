//! The export set of a Python, for whoever resolves imports against it.

use crate::{Entry, Evidence, Place, Presence, Python, System, Tier, entries, evidence, lookup};

/// The names that `python` exports on `system`, sorted: every release of that minor version, and those that later
/// releases added. Nothing for a Python outside the table, and no `PyInit_…` of modules that only some distributors link in.
pub fn exports(python: Python, system: System) -> impl Iterator<Item = &'static str> {
    entries().iter().filter(move |entry| has(entry, python, system) == Some(true)).map(Entry::name)
}

/// The names that an `abi3` file whose tag names 3.`floor` may import on `system`, sorted; on Windows these are what
/// python3.dll forwards.
pub fn abi3_exports(floor: u8, system: System) -> impl Iterator<Item = &'static str> {
    entries()
        .iter()
        .filter(move |e| e.abi3_since().is_some_and(|since| since <= floor) && e.abi3_on(system))
        .filter(|e| e.abi3_place() != Place::DebugBuilds)
        .map(Entry::name)
}

/// Whether `python` exports `name` on `system` (in some release of that minor version at least). `None`: the table does not
/// say, because the name or the Python is not in it, or because the distributor decides.
pub fn is_exported(name: &str, python: Python, system: System) -> Option<bool> {
    has(lookup(name)?, python, system)
}

fn has(entry: &Entry, python: Python, system: System) -> Option<bool> {
    if evidence(python, system) == Evidence::None || entry.tier() == Tier::BuiltinInit {
        return None;
    }
    Some(!matches!(entry.presence(python, system), Presence::Missing(_)))
}
