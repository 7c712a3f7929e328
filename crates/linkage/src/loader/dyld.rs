//! dyld's search.
//!
//! What is loaded is recognised by its path and its install name. `@loader_path` and `@executable_path` stand for
//! the requirer's and the program's folder; `@rpath` for each `LC_RPATH` of the requirer, then of those that
//! brought it, then of the program. A path that leads nowhere is tried by its file name in the fallback folders.
//! System libraries are not files (they are in the shared cache): the providers answer for the install name as
//! written. A file without the right architecture is passed over.

use super::Rules;
use crate::closure::{By, MemberId, Missing};
use crate::files::Case;
use crate::paths;
use crate::walk::{Located, Search, Walk};
use camino::{Utf8Path, Utf8PathBuf};
use objfile::Architecture;

pub(super) const RULES: Rules = Rules { case: Case::Sensitive, other_architecture_stops: false, unusable_stops: false };

/// What tells dyld where to look.
#[derive(Debug, Clone)]
pub struct Dyld {
    /// The architecture of the process.
    pub architecture: Architecture,
    /// The program's path, for `@executable_path`.
    pub program: Utf8PathBuf,
    /// The program's `LC_RPATH`, expanded.
    pub program_rpaths: Vec<Utf8PathBuf>,
    /// `DYLD_FALLBACK_LIBRARY_PATH`: `/usr/local/lib` and `/usr/lib` by default. Whether anything lies there
    /// [`crate::Files`] says.
    pub fallback: Vec<Utf8PathBuf>,
    /// Folders that stand in for those where libraries will be: searched by file name, last.
    pub extra: Vec<Utf8PathBuf>,
}

impl Dyld {
    /// A clean environment, the program in a folder where nothing else lies.
    pub fn new(architecture: Architecture) -> Self {
        Self {
            architecture,
            program: "/nowhere/bin/python".into(),
            program_rpaths: Vec::new(),
            fallback: vec!["/usr/local/lib".into(), "/usr/lib".into()],
            extra: Vec::new(),
        }
    }

    pub(super) fn locate(&self, walk: &Walk<'_>, from: MemberId, name: &str) -> Result<Located, Missing> {
        if let Some(loaded) = walk.loaded(name) {
            return Ok(Located::Loaded(loaded));
        }
        let mut search = Search::new(walk, from, RULES);
        match self.search(&mut search, name) {
            Some(Ok(located)) => Ok(located),
            _ => Err(search.fail(name)),
        }
    }

    fn search(&self, search: &mut Search<'_, '_>, name: &str) -> Option<Result<Located, ()>> {
        if let Some(rest) = name.strip_prefix("@rpath/") {
            for (owner, image) in search.walk.rpath_owners(search.from) {
                for rpath in &image.rpaths {
                    let folder = self.expand(&rpath.path, search.walk, owner);
                    if let Some(found) = search.at(paths::join(&folder, rest), By::LcRpath(owner)) {
                        return Some(found);
                    }
                }
            }
            for folder in &self.program_rpaths {
                if let Some(found) = search.at(paths::join(folder, rest), By::ProgramRpath) {
                    return Some(found);
                }
            }
        } else if let Some(found) = search.at(self.expand(name, search.walk, search.from), By::Path) {
            return Some(found);
        }
        if let Some(found) = search.provider(name, By::Provider) {
            return Some(found);
        }
        let leaf = paths::file_name(name);
        for (folders, by) in [(&self.fallback, By::Fallback), (&self.extra, By::Extra)] {
            for folder in folders {
                if let Some(found) = search.at(paths::join(folder, leaf), by) {
                    return Some(found);
                }
            }
        }
        None
    }

    fn expand(&self, path: &str, walk: &Walk<'_>, owner: MemberId) -> Utf8PathBuf {
        let relative = |folder: Option<&Utf8Path>, rest: &str| {
            paths::join(
                folder.filter(|folder| !folder.as_str().is_empty()).unwrap_or(Utf8Path::new(".")),
                &format!("./{rest}"),
            )
        };
        // `@loader_path` alone is the folder too.
        let after = |token: &str| path.strip_prefix(token).filter(|rest| rest.is_empty() || rest.starts_with('/'));
        if let Some(rest) = after("@loader_path") {
            return relative(walk.member(owner).and_then(|member| member.path.parent()), rest);
        }
        if let Some(rest) = after("@executable_path") {
            return relative(self.program.parent(), rest);
        }
        paths::normalise(path, false)
    }
}
