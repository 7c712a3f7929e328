//! What musl's one library exports.

use super::packed::Packed;
use super::release;
use crate::platform_tag::MajorMinor;
use crate::policy::{Libc, musl_reserved};
use crate::target::{Arch, Os};
use std::sync::LazyLock;

static LIST: LazyLock<Packed> = LazyLock::new(|| Packed::new(include_bytes!("../../data/musl.exports")));

/// What musl exports on one architecture. musl has no symbol versions, and the list does not say since when: an older
/// musl may lack what it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Musl {
    arch: Arch,
}

/// musl's exports on an architecture.
pub const fn musl(arch: Arch) -> Musl {
    Musl { arch }
}

impl Musl {
    /// The musl that the list was made from.
    pub fn latest_known(self) -> MajorMinor {
        release(LIST.latest())
    }

    /// Whether a needed library is musl's own, under any of the names that its loader answers itself.
    pub fn knows(self, library: &str) -> bool {
        musl_reserved(library) || Libc::of_library(library) == Some(Libc::Musl)
    }

    /// The symbol, if musl exports it.
    pub fn find(self, symbol: &str) -> Option<&'static str> {
        let (symbol, groups) = LIST.find("libc", symbol)?;
        let arch = self.arch.tag(Os::Linux);
        let here = |cells: &Vec<&str>| cells.last().is_some_and(|arches| arches.split(' ').any(|one| one == arch));
        groups.iter().any(here).then_some(symbol)
    }
}
