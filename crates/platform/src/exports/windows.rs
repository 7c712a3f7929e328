//! What Windows' system libraries export.

use super::packed::Packed;
use crate::target::Arch;
use std::sync::LazyLock;

static LIST: LazyLock<Packed> = LazyLock::new(|| Packed::new(include_bytes!("../../data/windows.exports")));

/// What Windows exports on one architecture.
///
/// The names are nearly whole: of 34,000 imports by name in 33 published wheels for the three architectures the list
/// lacked none. A name that only the newest edition has may be missing, and is on few machines. Ordinals are known for
/// three libraries only ([`Windows::knows_ordinals`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    arch: Arch,
}

/// What an import asks a library for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wanted<'a> {
    /// A symbol by its name, as exported: for functions of 32-bit code without the `@12` that compilers put there.
    Name(&'a str),
    /// A symbol by its number.
    Ordinal(u16),
}

/// Windows' exports on an architecture; `None` for one that it does not run on.
pub fn windows(arch: Arch) -> Option<&'static Windows> {
    static ALL: [Windows; 3] =
        [Windows { arch: Arch::X86_64 }, Windows { arch: Arch::Arm64 }, Windows { arch: Arch::I686 }];
    ALL.iter().find(|windows| windows.arch == arch)
}

impl Windows {
    /// Whether the list has names for this library (its file name, in any case) on this architecture.
    pub fn knows(&self, library: &str) -> bool {
        let library = library.to_ascii_lowercase();
        LIST.groups(&library).any(|cells| self.has(&cells, "name"))
    }

    /// Whether the list has the ordinals of this library: only those few that programs import by number by custom.
    pub fn knows_ordinals(&self, library: &str) -> bool {
        let library = library.to_ascii_lowercase();
        LIST.groups(&library).any(|cells| self.has(&cells, "ordinal"))
    }

    /// The name of the exported symbol that an import means.
    pub fn find(&self, library: &str, wanted: Wanted<'_>) -> Option<&'static str> {
        let library = library.to_ascii_lowercase();
        match wanted {
            Wanted::Name(name) => {
                let (name, cells) = LIST.find(&library, name)?;
                cells.into_iter().any(|cells| self.has(&cells, "name")).then_some(name)
            }
            Wanted::Ordinal(ordinal) => {
                let entries = LIST.list(&library, |cells| self.has(cells, "ordinal"));
                entries.into_iter().find_map(|entry| {
                    let (number, name) = entry.split_once(' ')?;
                    (number.parse() == Ok(ordinal)).then_some(name)
                })
            }
        }
    }

    fn has(self, cells: &[&str], kind: &str) -> bool {
        let arch = self.arch;
        let [group, arches] = cells else { return false };
        *group == kind && arches.split(' ').any(|one| one == arch.name())
    }
}
