//! Library policies: what every system that a platform tag stands for has, and with that, what a wheel's binaries may
//! need without carrying it.
//!
//! Linux policies (PEP 600 manylinux, PEP 656 musllinux) are sets of symbol versions per architecture, a whitelist of
//! libraries, and per library a blacklist of symbols that some of the systems lack. They are sets, not ceilings:
//! `GLIBC_ABI_DT_RELR` and `CXXABI_TM_1` have no place in an order of numbers. The facts stand in `policies/*.tsv`,
//! with their source; they are parsed once, when first asked for. [`macos`] and [`windows`] have rules of another kind.
//!
//! [`Needs`] collects what binaries ask of the system, [`why_not`] answers which of it a policy does not give, and
//! [`widest`] which policy gives it all and runs on the most systems.

mod loader;
pub mod macos;
mod table;
mod verdict;
pub mod windows;

pub use loader::{Libc, is_loader, is_loader_or_libc, musl_reserved, musl_soname};
pub use verdict::{Need, Needs, Refusal, why_not, widest};

use crate::platform_tag::MajorMinor;
use crate::target::{Arch, Os};
use table::table;

/// A manylinux or musllinux policy: what all systems of a C library's version and newer have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Name without the architecture: `manylinux_2_28`.
    pub name: &'static str,
    /// Names from before PEP 600: `manylinux2014`.
    pub aliases: Vec<&'static str>,
    /// The higher, the more systems it runs on; auditwheel's own numbers, from 100 down.
    pub priority: u16,
    /// The C library it is about.
    pub libc: Libc,
    /// The oldest version of that C library.
    pub version: MajorMinor,
    /// The architectures it is defined for.
    pub arches: Vec<Arch>,
    /// Place among the policies of its C library, from the oldest on.
    rank: usize,
}

/// The policies of a C library for an architecture, from the most widely usable (the oldest C library) on.
pub fn policies(libc: Libc, arch: Arch) -> impl DoubleEndedIterator<Item = &'static Policy> {
    Policy::all(libc).iter().filter(move |policy| policy.has_arch(arch))
}

/// Whether any policy of either C library counts `library` (a soname) as the system's.
pub fn whitelisted_anywhere(library: &str) -> bool {
    Libc::ALL.into_iter().filter_map(|libc| Policy::all(libc).last()).any(|newest| newest.allows_library(library))
}

impl Policy {
    /// Every policy of a C library, from the most widely usable on.
    pub fn all(libc: Libc) -> &'static [Self] {
        &table(libc).policies
    }

    /// The policy called so, by its name or one from before PEP 600, without an architecture: `manylinux_2_17`,
    /// `manylinux2014`, `musllinux_1_2`.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        Libc::ALL.into_iter().flat_map(Self::all).find(|policy| policy.name == name || policy.aliases.contains(&name))
    }

    /// Whether it is defined for `arch`.
    pub fn has_arch(&self, arch: Arch) -> bool {
        self.arches.contains(&arch)
    }

    /// The platform tag of wheels that meet it: `manylinux_2_28_x86_64`.
    pub fn platform_tag(&self, arch: Arch) -> String {
        format!("{}_{}", self.name, arch.tag(Os::Linux))
    }

    /// The same platform in the names from before PEP 600: `manylinux2014_x86_64`.
    pub fn alias_tags(&self, arch: Arch) -> Vec<String> {
        self.aliases.iter().map(|alias| format!("{alias}_{}", arch.tag(Os::Linux))).collect()
    }

    /// Whether every system of this policy has `library` (a soname). Loaders (`ld-linux-x86-64.so.2`) always count.
    pub fn allows_library(&self, library: &str) -> bool {
        if is_loader(library) {
            return true;
        }
        // The policies say `libc.so`; what the systems' binaries need is that library's soname.
        let library = if self.libc == Libc::Musl && loader::is_musl_libc(library) { "libc.so" } else { library };
        table(self.libc).libraries.get(library).is_some_and(|since| *since <= self.rank)
    }

    /// The sonames that every system of this policy has, sorted. For musl the C library stands as `libc.so`; its
    /// soname is [`musl_soname`].
    pub fn system_libraries(&self) -> Vec<&'static str> {
        let known = table(self.libc).libraries.iter();
        let mut libraries: Vec<_> = known.filter(|(_, since)| **since <= self.rank).map(|(name, _)| *name).collect();
        libraries.sort_unstable();
        libraries
    }

    /// Whether policies of this C library say anything about a symbol version: `GLIBC_2.28` yes, `OPENSSL_3.0.0` no.
    pub fn governs(&self, version: &str) -> bool {
        namespace(version).is_some_and(|(namespace, _)| table(self.libc).namespaces.contains(namespace))
    }

    /// Whether every system of this policy has a symbol version (`GLIBC_2.28`, `CXXABI_TM_1`) on `arch`. Versions that
    /// no policy governs ([`Self::governs`]) are allowed: the library that defines them is judged instead.
    pub fn allows_version(&self, arch: Arch, version: &str) -> bool {
        !self.governs(version)
            || namespace(version).is_some_and(|key| {
                table(self.libc)
                    .versions
                    .get(&key)
                    .into_iter()
                    .flatten()
                    .any(|(a, since)| *a == arch && *since <= self.rank)
            })
    }

    /// The versions of a namespace (`GLIBC`) that every system of this policy has on `arch`, without the namespace:
    /// numbers in their order, then what is no number.
    pub fn versions(&self, arch: Arch, namespace: &str) -> Vec<&'static str> {
        let known = table(self.libc).versions.iter();
        let mut versions: Vec<&'static str> = known
            .filter(|((ns, _), since)| *ns == namespace && since.iter().any(|(a, s)| *a == arch && *s <= self.rank))
            .map(|((_, version), _)| *version)
            .collect();
        versions.sort_by_key(|version| (numbers(version).is_none(), numbers(version), *version));
        versions
    }

    /// The highest of [`Self::versions`] that is a number: `2.28`.
    pub fn highest(&self, arch: Arch, namespace: &str) -> Option<&'static str> {
        self.versions(arch, namespace).into_iter().rfind(|version| numbers(version).is_some())
    }

    /// The symbols of a library (a soname) that some of this policy's systems lack, though all have the library.
    pub fn blacklisted(&self, library: &str) -> Vec<&'static str> {
        let known = table(self.libc).blacklist.iter();
        let mut symbols: Vec<&'static str> = known
            .filter(|((lib, _), until)| *lib == library && self.rank <= **until)
            .map(|((_, symbol), _)| *symbol)
            .collect();
        symbols.sort_unstable();
        symbols
    }

    /// Whether `symbol` is one of [`Self::blacklisted`].
    pub fn blacklists(&self, library: &str, symbol: &str) -> bool {
        table(self.libc).blacklist.get(&(library, symbol)).is_some_and(|until| self.rank <= *until)
    }
}

/// `GLIBC_ABI_DT_RELR` is `ABI_DT_RELR` of `GLIBC`.
fn namespace(version: &str) -> Option<(&str, &str)> {
    version.split_once('_')
}

/// A version of numbers alone, for comparison: `3.4.10` is above `3.4.9`.
fn numbers(version: &str) -> Option<Vec<u32>> {
    version.split('.').map(|part| part.parse().ok()).collect()
}
