//! The Linux policies' data files, read once. A row says since (or until) which policy a fact holds.

use super::{Libc, Policy};
use crate::target::Arch;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

const MANYLINUX: &str = include_str!("../../policies/manylinux.tsv");
const MUSLLINUX: &str = include_str!("../../policies/musllinux.tsv");

/// A policy's place among those of its C library, from the oldest on.
type Rank = usize;

/// What one file says.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) policies: Vec<Policy>,
    /// `GLIBC`, `CXXABI`, … .
    pub(super) namespaces: HashSet<&'static str>,
    /// (namespace, version) and since when per architecture.
    pub(super) versions: HashMap<(&'static str, &'static str), Vec<(Arch, Rank)>>,
    /// Library and since when.
    pub(super) libraries: HashMap<&'static str, Rank>,
    /// (library, symbol) and until when.
    pub(super) blacklist: HashMap<(&'static str, &'static str), Rank>,
}

/// The policies of a C library. The files are part of the program and tested to be whole, so there is no error.
pub(super) fn table(libc: Libc) -> &'static Table {
    static GLIBC: LazyLock<Table> = LazyLock::new(|| parse(Libc::Glibc, MANYLINUX).unwrap_or_default());
    static MUSL: LazyLock<Table> = LazyLock::new(|| parse(Libc::Musl, MUSLLINUX).unwrap_or_default());
    match libc {
        Libc::Glibc => &GLIBC,
        Libc::Musl => &MUSL,
    }
}

/// `Err` is the row that is not understood.
fn parse(libc: Libc, text: &'static str) -> Result<Table, &'static str> {
    let mut table = Table::default();
    for row in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        read(&mut table, libc, row).ok_or(row)?;
    }
    Ok(table)
}

fn read(table: &mut Table, libc: Libc, row: &'static str) -> Option<()> {
    let mut cells = row.split('\t');
    let mut words = || cells.next().unwrap_or_default().split(' ').filter(|word| !word.is_empty());
    let kind = words().next()?;
    let name = words().next()?;
    let rank = || table.policies.iter().position(|policy| policy.name == name);
    match kind {
        "policy" => {
            let priority = words().next()?.parse().ok()?;
            let arches = words().map(Arch::from_machine).collect::<Option<_>>()?;
            let aliases = words().collect();
            let mut parts = name.split('_').skip(1);
            let version = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
            let rank = table.policies.len();
            table.policies.push(Policy { name, aliases, priority, libc, version, arches, rank });
        }
        "version" => {
            let rank = rank()?;
            let arches: Vec<Arch> = words().map(Arch::from_machine).collect::<Option<_>>()?;
            let namespace = words().next()?;
            table.namespaces.insert(namespace);
            for version in words() {
                let since = table.versions.entry((namespace, version)).or_default();
                since.extend(arches.iter().map(|arch| (*arch, rank)));
            }
        }
        "library" => {
            let rank = rank()?;
            table.libraries.extend(words().map(|library| (library, rank)));
        }
        "blacklist" => {
            let rank = rank()?;
            let library = words().next()?;
            table.blacklist.extend(words().map(|symbol| ((library, symbol), rank)));
        }
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Os;

    #[test]
    fn both_files_are_whole() {
        for (libc, text, policies) in [(Libc::Glibc, MANYLINUX, 16), (Libc::Musl, MUSLLINUX, 2)] {
            let table = parse(libc, text).unwrap();
            assert_eq!(table.policies.len(), policies);
            assert!(table.policies.is_sorted_by(|a, b| a.priority > b.priority && a.version < b.version));
            for policy in &table.policies {
                assert!(policy.arches.iter().all(|arch| Os::Linux.arches().contains(arch)), "{}", policy.name);
            }
        }
    }

    #[test]
    fn a_row_that_is_not_understood_is_named() {
        for row in ["polcy\tx", "library\tmanylinux_2_99\tliba.so", "policy\tmanylinux_2_5\thigh\tx86_64", "version"] {
            assert_eq!(parse(Libc::Glibc, row).map(|_| ()), Err(row));
        }
    }
}
