//! What macOS's libSystem and the libraries that it re-exports export.

use super::packed::Packed;
use super::release;
use crate::platform_tag::MajorMinor;
use crate::target::{Arch, Os};
use std::collections::HashMap;
use std::sync::LazyLock;

static LIST: LazyLock<Packed> = LazyLock::new(|| Packed::new(include_bytes!("../../data/macos.exports")));

/// The libraries that a library re-exports on an architecture, sorted.
static RE_EXPORTS: LazyLock<HashMap<(&'static str, Arch), Vec<&'static str>>> = LazyLock::new(|| {
    let targets = LIST.libraries().flat_map(|library| Os::MacOs.arches().iter().map(move |arch| (library, *arch)));
    targets
        .map(|(library, arch)| {
            let mut names = LIST.list(library, |cells| cells.first() == Some(&"reexport") && has_arch(cells, arch));
            names.sort_unstable();
            ((library, arch), names)
        })
        .filter(|(_, names)| !names.is_empty())
        .collect()
});

/// What macOS's libraries export, in the newest SDK that the list was made from. The list does not say since when:
/// an older macOS may lack what it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MacOs;

/// An exported symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MacExport {
    /// The install name of the library that defines it, one of those that the library asked about re-exports or itself.
    pub library: &'static str,
    /// Whether it is a weak definition, which another library's may replace.
    pub weak: bool,
}

/// macOS's exports.
pub fn macos() -> &'static MacOs {
    &MacOs
}

impl MacOs {
    /// The macOS whose SDK the list was made from.
    pub fn latest_known(&self) -> MajorMinor {
        release(LIST.latest())
    }

    /// Whether the list has this library: `/usr/lib/libSystem.B.dylib` and the `/usr/lib/system/` libraries that it
    /// re-exports. Not in it are libc++, libobjc, libz and the frameworks.
    pub fn knows(&self, install_name: &str) -> bool {
        LIST.has_library(install_name)
    }

    /// The symbol (with its leading underscore) as a library gives it on an architecture, itself or by a re-export.
    pub fn find(&self, install_name: &str, symbol: &str, arch: Arch) -> Option<MacExport> {
        if let Some(own) = find_own(install_name, symbol, arch) {
            return Some(own);
        }
        let re_exported = RE_EXPORTS.get(&(install_name, arch))?;
        re_exported.iter().find_map(|library| find_own(library, symbol, arch))
    }
}

fn find_own(install_name: &str, symbol: &str, arch: Arch) -> Option<MacExport> {
    let (_, groups) = LIST.find(install_name, symbol)?;
    let mut kinds = groups.iter().filter(|cells| has_arch(cells, arch)).filter_map(|cells| cells.first());
    let kind = kinds.find(|kind| **kind != "reexport")?;
    Some(MacExport { library: LIST.library_name(install_name)?, weak: *kind == "weak" })
}

fn has_arch(cells: &[&str], arch: Arch) -> bool {
    cells.last().is_some_and(|arches| arches.split(' ').any(|one| one == arch.tag(Os::MacOs)))
}
