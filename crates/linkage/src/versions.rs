//! ELF: the versions a file needs against those its libraries define, checked when it is loaded, whether or not a
//! symbol uses them (`_dl_check_map_versions` in glibc's `elf/dl-version.c`).

use crate::closure::{Closure, MemberId, Outcome, What};
use crate::image::Image;
use crate::loader::Glibc;
use crate::providers::{Lack, Providers, Verdict};
use crate::words;
use objfile::Provider;
use std::fmt;

/// A version that is not defined where it is needed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionFault {
    /// Who needs it.
    pub member: MemberId,
    /// Its path.
    pub needed_by: String,
    /// The file that should define it, as the version need names it.
    pub library: String,
    /// The version.
    pub version: String,
    /// What is wrong.
    pub problem: VersionProblem,
}

/// What is wrong with a version need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionProblem {
    /// The library defines versions, but not this one. glibc refuses to load.
    NotDefined {
        /// What the library lacks, with what it has.
        lack: Lack,
        /// The need is weak: glibc goes on.
        weak: bool,
    },
    /// The library defines no versions at all: glibc goes on ("no version information available").
    NoVersions {
        /// Unless the library has no version table either and a symbol is bound to it: then glibc before 2.41 stops
        /// with a failed assertion.
        aborts: bool,
    },
    /// The file is nobody's name in the process: glibc stops with a failed assertion (`needed != NULL`). Tools that
    /// rename a needed library and forget the version needs make such files.
    NotLoaded,
}

impl VersionFault {
    /// Whether loading fails.
    pub const fn is_fatal(&self) -> bool {
        match self.problem {
            VersionProblem::NotDefined { weak, .. } => !weak,
            VersionProblem::NoVersions { aborts } => aborts,
            VersionProblem::NotLoaded => true,
        }
    }
}

impl fmt::Display for VersionFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { needed_by, library, version, .. } = self;
        write!(f, "`{needed_by}` needs version `{version}` of `{library}`, ")?;
        match &self.problem {
            VersionProblem::NotDefined { lack: Lack::Absent, .. } => f.write_str("which does not define it"),
            VersionProblem::NotDefined { lack: Lack::OtherVersions(versions), .. } => {
                write!(f, "which defines {}", words::list(versions.iter().map(String::as_str)))
            }
            VersionProblem::NotDefined { lack: Lack::Because(why), .. } => write!(f, "which {why}"),
            VersionProblem::NoVersions { .. } => f.write_str("which defines no versions"),
            VersionProblem::NotLoaded => {
                f.write_str("but no library of that name is loaded: the need was not renamed with the library")
            }
        }
    }
}

/// Checks all files of a closure.
pub(crate) fn faults(closure: &Closure, loader: &Glibc, providers: &dyn Providers) -> Vec<VersionFault> {
    let mut faults = Vec::new();
    for (member, image) in closure.images() {
        let Some(elf) = &image.elf else { continue };
        for need in &elf.version_needs {
            let edge = closure.edges_of(member).iter().find(|edge| edge.name == need.file);
            let library = match edge.map(|edge| &edge.outcome) {
                Some(Outcome::Found { to, .. }) => Some(*to),
                Some(Outcome::Missing(_)) => continue,
                None => closure.named(&need.file),
            };
            let mut aborts = None;
            for (version, weak) in &need.versions {
                let problem = match library.and_then(|library| closure.member(library)) {
                    None => Some(VersionProblem::NotLoaded),
                    Some(library) => match &library.what {
                        What::External(_) => match providers.version(library.path.as_str(), version) {
                            Verdict::Yes | Verdict::Unknown => None,
                            Verdict::No(lack) => Some(VersionProblem::NotDefined { lack, weak: *weak }),
                        },
                        What::Image(other) => problem(other, version, *weak, || {
                            *aborts.get_or_insert_with(|| {
                                loader.stops_without_versions() && aborts_on(image, &need.file, other)
                            })
                        }),
                    },
                };
                if let Some(problem) = problem {
                    faults.push(VersionFault {
                        member,
                        needed_by: image.path.to_string(),
                        library: need.file.to_string(),
                        version: version.to_string(),
                        problem,
                    });
                }
            }
        }
    }
    faults
}

fn problem(library: &Image, version: &str, weak: bool, aborts: impl FnOnce() -> bool) -> Option<VersionProblem> {
    let elf = library.elf.as_ref()?;
    if !elf.has_version_definitions {
        return Some(VersionProblem::NoVersions { aborts: aborts() });
    }
    if elf.version_definitions.iter().any(|(defined, _)| &**defined == version) {
        return None;
    }
    let has: Vec<String> = elf.version_definitions.iter().map(|(defined, _)| defined.to_string()).collect();
    let lack = if has.is_empty() { Lack::Absent } else { Lack::OtherVersions(has) };
    Some(VersionProblem::NotDefined { lack, weak })
}

/// Whether a symbol with a version of `file` would be found in a library without a version table.
fn aborts_on(image: &Image, file: &str, library: &Image) -> bool {
    !library.elf.as_ref().is_some_and(|elf| elf.has_version_table)
        && image
            .imports()
            .any(|import| import.from == Provider::Library(file) && library.exports_named(import.name).next().is_some())
}
