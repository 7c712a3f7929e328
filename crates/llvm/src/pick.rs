//! Which installation a requirement takes, and for each of the others why not.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Explicit, Findings, Installation, Linkage, LlvmVersion, Look, Seen, VersionRange};

/// What a project asks of its LLVM.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requirement {
    /// Which versions will do; by default any.
    #[serde(default)]
    pub version: VersionRange,
    /// How it will be linked.
    #[serde(default)]
    pub linkage: Linkage,
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let range = self.version.to_string();
        write!(f, "{}, {}", if range.is_empty() { "any version" } else { &range }, self.linkage)
    }
}

/// No LLVM satisfies the requirement. Displayed with a line for every place that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub struct NoLlvm {
    /// What was asked for.
    pub requirement: Requirement,
    /// Every place, in the order of looking.
    pub places: Vec<NotTaken>,
}

impl fmt::Display for NoLlvm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no LLVM satisfies the requirement ({})", self.requirement)?;
        let width = self.places.iter().map(|place| place.place.chars().count()).max().unwrap_or(0).min(48);
        for NotTaken { place, there, why } in &self.places {
            match why {
                Refusal::NothingThere => write!(f, "\n  {place:<width$}  {why}")?,
                _ => write!(f, "\n  {place:<width$}  {there}: {why}")?,
            }
        }
        Ok(())
    }
}

/// A place, what was there, and why it was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotTaken {
    /// The folder or program.
    pub place: String,
    /// `LLVM 14.0.6`, `libLLVM-15.so.1`, or empty.
    pub there: String,
    /// The reason.
    pub why: Refusal,
}

/// Why a place did not give the LLVM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// The place does not exist or is empty.
    NothingThere,
    /// The version is outside the range.
    Version {
        /// The version that is there.
        found: LlvmVersion,
        /// The range that was asked for.
        wanted: VersionRange,
    },
    /// Linkage shared, and there is no libLLVM.
    NoSharedLibrary,
    /// Linkage shared, and the only library is one of the C API, to which C++ does not link.
    CApiOnly(String),
    /// Linkage static, and there are no archives.
    NoStaticArchives,
    /// The program is there, but not the files that `find_package(LLVM)` reads.
    NoCmakeFiles,
    /// The library for running programs, without the files to build with.
    RuntimeOnly,
    /// Something else is wrong with it.
    Unusable(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingThere => f.write_str("no LLVM there"),
            Self::Version { found, wanted } => write!(f, "version {found} is not {wanted}"),
            Self::NoSharedLibrary => f.write_str("it has no shared libLLVM, only static archives"),
            Self::CApiOnly(library) => write!(f, "its only shared library is `{library}`, which has no C++ API"),
            Self::NoStaticArchives => f.write_str("it has no static archives"),
            Self::NoCmakeFiles => f.write_str("it has no CMake files; the development package is missing"),
            Self::RuntimeOnly => f.write_str("only the run-time library, without headers and CMake files"),
            Self::Unusable(reason) => f.write_str(reason),
        }
    }
}

impl Requirement {
    /// Why this installation cannot be taken, or `None` if it can.
    pub fn refuses(&self, installation: &Installation) -> Option<Refusal> {
        if !self.version.contains(&installation.version) {
            return Some(Refusal::Version { found: installation.version.clone(), wanted: self.version.clone() });
        }
        if installation.cmake_dir.is_none() {
            return Some(Refusal::NoCmakeFiles);
        }
        match (self.linkage, &installation.shared) {
            (Linkage::Shared, None) => Some(Refusal::NoSharedLibrary),
            (Linkage::Shared, Some(library)) if library.c_api_only => Some(Refusal::CApiOnly(library.soname.clone())),
            (Linkage::Shared, Some(_)) => None,
            (Linkage::Static, _) => (!installation.static_archives).then_some(Refusal::NoStaticArchives),
        }
    }
}

impl Findings {
    /// The installation to build with: one that `LLVM_DIR` or the configuration names if it satisfies, else the
    /// newest that does; of the same version the one found first.
    pub fn pick(&self, requirement: &Requirement) -> Result<&Installation, NoLlvm> {
        let suitable = || self.installations.iter().filter(|found| requirement.refuses(found).is_none());
        suitable()
            .find(|found| found.origin.explicit() == Explicit::Yes)
            .or_else(|| suitable().rev().max_by(|a, b| a.version.cmp(&b.version)))
            .ok_or_else(|| self.none(requirement))
    }

    fn none(&self, requirement: &Requirement) -> NoLlvm {
        let places = self.looked_at.iter().filter_map(|look| self.refusal(look, requirement)).collect();
        NoLlvm { requirement: requirement.clone(), places }
    }

    fn refusal(&self, look: &Look, requirement: &Requirement) -> Option<NotTaken> {
        let (there, why) = match &look.seen {
            Seen::Nothing => (String::new(), Refusal::NothingThere),
            // Said once, where it was found first.
            Seen::SameAs(_) => return None,
            Seen::Installation(prefix) => {
                let found = self.installations.iter().find(|found| found.prefix == *prefix)?;
                (format!("LLVM {}", found.version), requirement.refuses(found)?)
            }
            Seen::RuntimeOnly(library) => {
                // The world may be another system's.
                let name = library.as_str().rsplit(['/', '\\']).next().unwrap_or_default();
                (name.to_owned(), Refusal::RuntimeOnly)
            }
            Seen::Unusable(reason) => ("something of LLVM".to_owned(), Refusal::Unusable(reason.clone())),
        };
        Some(NotTaken { place: look.place.to_string(), there, why })
    }
}
