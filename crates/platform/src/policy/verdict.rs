//! Which policy a set of binaries meets, and what stands in the way of a more widely usable one.

use super::table::table;
use super::{Libc, Policy, is_loader, policies};
use crate::target::Arch;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// One thing that a policy's systems may or may not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need<'a> {
    /// The policy has to be defined for the architecture.
    Architecture(Arch),
    /// A library that the wheel does not bring, by its soname.
    Library(&'a str),
    /// A symbol version of a library (the file of a version need).
    Version {
        /// `libc.so.6`.
        library: &'a str,
        /// `GLIBC_2.34`.
        version: &'a str,
    },
    /// A symbol that only some systems' copies of a library have.
    Symbol {
        /// `libz.so.1`.
        library: &'a str,
        /// `inflate_table`.
        symbol: &'a str,
    },
}

/// What the binaries of a wheel ask of the system. Borrows their names.
#[derive(Debug, Clone, Default)]
pub struct Needs<'a> {
    by_need: BTreeMap<Need<'a>, BTreeSet<&'a str>>,
}

/// Why a policy is not met: something it does not give, and who needs that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal<'a> {
    /// The policy asked about.
    pub policy: &'static Policy,
    /// What it does not give.
    pub need: Need<'a>,
    /// The binaries that need it, sorted.
    pub needed_by: Vec<&'a str>,
    /// For a version: the highest one of that kind that the policy gives, such as `2.28`.
    pub allowed: Option<&'static str>,
    /// The most widely usable policy that does give it, if any does.
    pub met_from: Option<&'static Policy>,
}

impl<'a> Needs<'a> {
    /// Adds a binary.
    ///
    /// `libraries` are what it needs (DT_NEEDED) and the wheel does not bring; `versions` its version needs, (library,
    /// version); `strong_undefined` the symbols it must be given. Give the version needs of libraries that the wheel
    /// brings too where auditwheel's verdict is wanted, which counts them.
    pub fn add(
        &mut self,
        binary: &'a str,
        libraries: impl IntoIterator<Item = &'a str>,
        versions: impl IntoIterator<Item = (&'a str, &'a str)>,
        strong_undefined: impl IntoIterator<Item = &'a str>,
    ) {
        let direct: BTreeSet<&str> = libraries.into_iter().collect();
        for (library, version) in versions {
            if !is_loader(library) {
                self.insert(Need::Version { library, version }, binary);
            }
        }
        // Of the symbols only those matter that some blacklist has for a library which this binary itself needs.
        let judged: BTreeSet<&str> = direct.iter().copied().filter(|library| has_blacklist(library)).collect();
        if !judged.is_empty() {
            for symbol in strong_undefined {
                for library in judged.iter().copied().filter(|library| is_blacklisted(library, symbol)) {
                    self.insert(Need::Symbol { library, symbol }, binary);
                }
            }
        }
        for library in direct {
            self.insert(Need::Library(library), binary);
        }
    }

    /// Everything asked for, and by whom.
    pub fn iter(&self) -> impl Iterator<Item = (Need<'a>, impl Iterator<Item = &'a str>)> {
        self.by_need.iter().map(|(need, binaries)| (*need, binaries.iter().copied()))
    }

    fn insert(&mut self, need: Need<'a>, binary: &'a str) {
        self.by_need.entry(need).or_default().insert(binary);
    }
}

/// What of `needs` the systems of `policy` do not all give on `arch`; nothing when the policy is met.
pub fn why_not<'a>(policy: &'static Policy, arch: Arch, needs: &Needs<'a>) -> Vec<Refusal<'a>> {
    if !policy.has_arch(arch) {
        let need = Need::Architecture(arch);
        let met_from = policies(policy.libc, arch).next();
        return vec![Refusal { policy, need, needed_by: Vec::new(), allowed: None, met_from }];
    }
    let refused = needs.by_need.iter().filter(|(need, _)| !gives(policy, arch, need));
    refused
        .map(|(need, binaries)| Refusal {
            policy,
            need: *need,
            needed_by: binaries.iter().copied().collect(),
            allowed: match need {
                Need::Version { version, .. } => {
                    version.split_once('_').and_then(|(namespace, _)| policy.highest(arch, namespace))
                }
                _ => None,
            },
            met_from: policies(policy.libc, arch).find(|other| gives(other, arch, need)),
        })
        .collect()
}

/// The most widely usable policy that gives all of `needs` on `arch`; `None` where not even the newest does.
pub fn widest(libc: Libc, arch: Arch, needs: &Needs<'_>) -> Option<&'static Policy> {
    policies(libc, arch).find(|policy| needs.by_need.keys().all(|need| gives(policy, arch, need)))
}

fn gives(policy: &Policy, arch: Arch, need: &Need<'_>) -> bool {
    match need {
        Need::Architecture(arch) => policy.has_arch(*arch),
        Need::Library(library) => policy.allows_library(library),
        Need::Version { version, .. } => policy.allows_version(arch, version),
        Need::Symbol { library, symbol } => !policy.blacklists(library, symbol),
    }
}

fn has_blacklist(library: &str) -> bool {
    Libc::ALL.into_iter().any(|libc| table(libc).blacklist.keys().any(|(lib, _)| *lib == library))
}

fn is_blacklisted(library: &str, symbol: &str) -> bool {
    Libc::ALL.into_iter().any(|libc| table(libc).blacklist.contains_key(&(library, symbol)))
}

/// A sentence without a full stop: "`libc.so.6` has versions up to GLIBC_2.28 in manylinux_2_28, not GLIBC_2.34; needed
/// by `a.so`".
impl fmt::Display for Refusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let policy = self.policy.name;
        match self.need {
            Need::Architecture(arch) => write!(f, "{policy} is not defined for {arch}")?,
            Need::Library(library) => write!(f, "`{library}` is not a system library of {policy}")?,
            Need::Version { library, version } => match (version.split_once('_'), self.allowed) {
                (Some((namespace, _)), Some(allowed)) => {
                    write!(f, "`{library}` has {namespace} up to {allowed} in {policy}, not `{version}`")?;
                }
                _ => write!(f, "`{library}` does not have `{version}` in {policy}")?,
            },
            Need::Symbol { library, symbol } => {
                write!(f, "`{symbol}` is not in every `{library}` of {policy}'s systems")?;
            }
        }
        match self.needed_by.as_slice() {
            [] => Ok(()),
            [one] => write!(f, "; needed by `{one}`"),
            [first, second] => write!(f, "; needed by `{first}` and `{second}`"),
            [first, rest @ ..] => write!(f, "; needed by `{first}` and {} more", rest.len()),
        }
    }
}
