//! glibc's exports per library, architecture and symbol version.

use super::packed::Packed;
use super::release;
use crate::platform_tag::MajorMinor;
use crate::policy::is_loader;
use crate::target::Arch;
use std::fmt;
use std::sync::LazyLock;

static LIST: LazyLock<Packed> = LazyLock::new(|| Packed::new(include_bytes!("../../data/glibc.exports")));

/// The release that took libpthread, libdl, librt, libutil, libanl and much of libresolv into libc.so.6; their old
/// symbols are there since, under their old versions (glibc's NEWS for 2.34).
const MERGED: MajorMinor = (2, 34);

/// What glibc exports on one architecture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glibc {
    arch: Arch,
}

/// What a symbol is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SymbolKind {
    /// Code.
    Function,
    /// Data.
    Object,
    /// Data of each thread.
    Tls,
}

/// The versions under which a library exports a symbol, from the oldest on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions {
    /// What the symbol is.
    pub kind: SymbolKind,
    /// Never empty.
    versions: Vec<Version>,
}

/// A version under which a symbol is exported. Prints as `GLIBC_2.34`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// `2.2.5`.
    pub number: &'static str,
    /// The first release of glibc in which the library exports the symbol under this version.
    pub since: MajorMinor,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GLIBC_{}", self.number)
    }
}

/// glibc's exports on an architecture.
pub fn glibc(arch: Arch) -> Option<&'static Glibc> {
    static ALL: [Glibc; Arch::ALL.len()] = {
        let mut all = [Glibc { arch: Arch::X86_64 }; Arch::ALL.len()];
        let mut at = 0;
        while at < all.len() {
            all[at].arch = Arch::ALL[at];
            at += 1;
        }
        all
    };
    ALL.iter().find(|glibc| glibc.arch == arch)
}

impl Glibc {
    /// The newest release in the list.
    pub fn latest_known(&self) -> MajorMinor {
        release(LIST.latest())
    }

    /// Whether the list has this library (a soname): all of libc, libm, libpthread, libdl, librt, libutil, libanl,
    /// libresolv and the loader. Not in it are libmvec (see [`gnu`](super::gnu())), libnsl, libcrypt and what does not
    /// belong to glibc. A symbol of a known library that [`Self::find`] does not find is in no release up to
    /// [`Self::latest_known`], unless its version is `GLIBC_PRIVATE`.
    pub fn knows(&self, library: &str) -> bool {
        library != "ld" && LIST.has_library(listed(library))
    }

    /// The libraries that are known, sorted; the loader as `ld`.
    pub fn libraries(&self) -> Vec<&'static str> {
        let mut libraries: Vec<&str> = LIST.libraries().collect();
        libraries.sort_unstable();
        libraries
    }

    /// The versions under which a library (a soname) exports a symbol, in some release.
    pub fn find(&self, library: &str, symbol: &str) -> Option<Versions> {
        let own = self.read(library, symbol, (0, 0));
        // What was elsewhere before is in libc.so.6 too, under its old versions.
        let moved: Vec<(SymbolKind, Version)> = if library == "libc.so.6" {
            let others = LIST.libraries().filter(|other| !["libc.so.6", "ld"].contains(other));
            // libm was not merged, yet libc has some of its functions; those count only where libc lists them as well.
            let others = others.filter(|other| *other != "libm.so.6" || !own.is_empty());
            others.flat_map(|other| self.read(other, symbol, MERGED)).collect()
        } else {
            Vec::new()
        };
        let mut found: Vec<(SymbolKind, Version)> = own;
        for (kind, version) in moved {
            if !found.iter().any(|(_, known)| known.number == version.number) {
                found.push((kind, version));
            }
        }
        found.sort_by_key(|(_, version)| parts(version.number));
        let (kind, _) = found.first()?;
        Some(Versions { kind: *kind, versions: found.iter().map(|(_, version)| *version).collect() })
    }

    fn read(self, library: &str, symbol: &str, at_least: MajorMinor) -> Vec<(SymbolKind, Version)> {
        let arch = self.arch.tag(crate::target::Os::Linux);
        let mut found = Vec::new();
        for cells in LIST.find(listed(library), symbol).into_iter().flat_map(|(_, groups)| groups) {
            let [kind, arches, versions] = cells.as_slice() else { continue };
            if !arches.split(' ').any(|one| one == arch) {
                continue;
            }
            let kind = match *kind {
                "object" => SymbolKind::Object,
                "tls" => SymbolKind::Tls,
                _ => SymbolKind::Function,
            };
            found.extend(
                versions.split(' ').map(|number| (kind, Version { number, since: release(number).max(at_least) })),
            );
        }
        found
    }
}

impl Versions {
    /// From the oldest on.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Version> {
        self.versions.iter()
    }

    /// Whether `GLIBC_2.2.5` is one of them.
    pub fn has(&self, version: &str) -> bool {
        self.get(version).is_some()
    }

    /// The version called so: `GLIBC_2.2.5`.
    pub fn get(&self, version: &str) -> Option<&Version> {
        let number = version.strip_prefix("GLIBC_")?;
        self.versions.iter().find(|known| known.number == number)
    }

    /// Those that a release exports, from the oldest on.
    pub fn in_release(&self, release: MajorMinor) -> impl DoubleEndedIterator<Item = &Version> {
        self.versions.iter().filter(move |version| version.since <= release)
    }

    /// The one that programs are linked with on a release (`symbol@@version`): its newest. (A few obsolete functions,
    /// such as `gets`, have none any more.)
    pub fn default_in(&self, release: MajorMinor) -> Option<&Version> {
        self.in_release(release).next_back()
    }
}

/// The list's name of a library.
fn listed(library: &str) -> &str {
    if is_loader(library) && !library.starts_with("ld-musl-") { "ld" } else { library }
}

fn parts(number: &str) -> Vec<u16> {
    number.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}
