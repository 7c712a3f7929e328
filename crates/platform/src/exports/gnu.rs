//! What GCC's runtime libraries, zlib and libmvec export, as far as binaries of them were to be had.

use super::packed::Packed;
use crate::target::{Arch, Os};
use std::collections::HashSet;
use std::sync::LazyLock;

static LIST: LazyLock<Packed> = LazyLock::new(|| Packed::new(include_bytes!("../../data/gnu.exports")));

/// The symbol versions that occur in the list.
static VERSIONS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    let groups = LIST.libraries().flat_map(|library| LIST.groups(library));
    groups.filter_map(|cells| cells.first().copied()).collect()
});

/// The libraries that are no glibc but that every manylinux system has, on one architecture: `libstdc++.so.6`,
/// `libgcc_s.so.1`, `libatomic.so.1`, `libz.so.1`, `libmvec.so.1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gnu {
    arch: Arch,
}

/// The exports of these libraries on an architecture; of most architectures nothing is known.
pub const fn gnu(arch: Arch) -> Gnu {
    Gnu { arch }
}

impl Gnu {
    /// Whether the list has something of this library (a soname) on this architecture.
    pub fn knows(self, library: &str) -> bool {
        LIST.groups(library).any(|cells| self.has(&cells))
    }

    /// Whether the list has all of this library that a symbol version can be about: then a symbol that
    /// [`Self::find`] does not find under it is not there. `version` is what is asked for (`GLIBCXX_3.4.21`), or empty.
    /// Newer versions than the list has, and the libstdc++ of other architectures than x86_64, are no ground for that.
    pub fn is_whole(self, library: &str, version: &str) -> bool {
        let read_whole = self.arch == Arch::X86_64 || library == "libgcc_s.so.1";
        read_whole && self.knows(library) && (version.is_empty() || VERSIONS.contains(version))
    }

    /// The versions under which a library exports a symbol (`GLIBCXX_3.4.21`), sorted as text; an empty one where it
    /// has none.
    pub fn find(self, library: &str, symbol: &str) -> Option<Vec<&'static str>> {
        let (_, groups) = LIST.find(library, symbol)?;
        let here = groups.iter().filter(|cells| self.has(cells));
        let mut versions: Vec<&'static str> = here.filter_map(|cells| cells.first().copied()).collect();
        versions.sort_unstable();
        (!versions.is_empty()).then_some(versions)
    }

    fn has(self, cells: &[&str]) -> bool {
        let arch = self.arch.tag(Os::Linux);
        cells.last().is_some_and(|arches| arches.split(' ').any(|one| one == arch))
    }
}
