//! musl's search (`load_library` in `ldso/dynlink.c`).
//!
//! A handful of names are musl itself. What is loaded is recognised by its file name if a search found it, and by
//! its inode; sonames play no part. Any other name without a slash is looked for in `LD_LIBRARY_PATH`, then in the
//! search paths of the requirer and of all that brought it (RUNPATH, or RPATH where there is none; both reach
//! through), then in the system's folders. The first file of that name ends the search, whatever it is. A search
//! path with a `$` that is not `$ORIGIN` is ignored as a whole.

use super::Rules;
use crate::closure::{By, MemberId, Missing, What};
use crate::files::Case;
use crate::image::Image;
use crate::paths;
use crate::providers::Presence;
use crate::walk::{Located, Search, Walk};
use camino::{Utf8Path, Utf8PathBuf};
use objfile::{Architecture, RpathKind};

pub(super) const RULES: Rules = Rules { case: Case::Sensitive, other_architecture_stops: true, unusable_stops: true };

/// What tells musl's loader where to look.
#[derive(Debug, Clone)]
pub struct Musl {
    /// The architecture of the process.
    pub architecture: Architecture,
    /// `LD_LIBRARY_PATH`.
    pub library_path: Vec<Utf8PathBuf>,
    /// Folders that stand in for those where libraries will be.
    pub extra: Vec<Utf8PathBuf>,
    /// `/etc/ld-musl-*.path` or the default folders; empty: the providers alone answer for the system.
    pub system: Vec<Utf8PathBuf>,
}

impl Musl {
    /// A clean environment.
    pub const fn new(architecture: Architecture) -> Self {
        Self { architecture, library_path: Vec::new(), extra: Vec::new(), system: Vec::new() }
    }

    pub(super) fn locate(&self, walk: &Walk<'_>, from: MemberId, name: &str) -> Result<Located, Missing> {
        if is_reserved(name) {
            let own = walk
                .members
                .iter()
                .zip(0..)
                .find(|(member, _)| matches!(member.what, What::External(_)) && is_reserved(member.path.as_str()));
            return Ok(match own {
                Some((_, id)) => Located::Loaded(MemberId(id)),
                None => Located::External(Presence::Present, By::Reserved),
            });
        }
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
        if name.contains('/') {
            return search.at(paths::normalise(name, false), By::Path);
        }
        for folder in &self.library_path {
            if let Some(found) = search.at(paths::join(folder, name), By::LibraryPath) {
                return Some(found);
            }
        }
        for (owner, image) in search.walk.rpath_owners(search.from) {
            let origin = search.walk.member(owner).and_then(|member| member.path.parent());
            let runpath = image.rpaths.iter().any(|rpath| rpath.kind == RpathKind::Runpath);
            for folder in folders(image, origin.unwrap_or(Utf8Path::new(""))) {
                let by = if runpath && owner == search.from { By::Runpath } else { By::Rpath(owner) };
                if let Some(found) = search.at(paths::join(&folder, name), by) {
                    return Some(found);
                }
            }
        }
        for (folders, by) in [(&self.extra, By::Extra), (&self.system, By::System)] {
            for folder in folders {
                if let Some(found) = search.at(paths::join(folder, name), by) {
                    return Some(found);
                }
            }
        }
        search.provider(name, By::Provider)
    }
}

fn folders(image: &Image, origin: &Utf8Path) -> Vec<Utf8PathBuf> {
    let runpath = image.rpaths.iter().any(|rpath| rpath.kind == RpathKind::Runpath);
    let kind = if runpath { RpathKind::Runpath } else { RpathKind::Rpath };
    let origin = if origin.as_str().is_empty() { "." } else { origin.as_str() };
    let expanded = image
        .rpaths
        .iter()
        .filter(|rpath| rpath.kind == kind && !rpath.path.is_empty())
        .map(|rpath| paths::expand(&rpath.path, &[("ORIGIN", origin)], true))
        .map(|path| path.map(|path| paths::normalise(&path, false)));
    expanded.collect::<Option<Vec<_>>>().unwrap_or_default()
}

/// Names that musl answers itself: `lib{c,pthread,rt,m,dl,util,xnet}.` and whatever follows, and its own file.
fn is_reserved(name: &str) -> bool {
    const RESERVED: [&str; 7] = ["c", "pthread", "rt", "m", "dl", "util", "xnet"];
    if name.starts_with("ld-musl-") {
        return true;
    }
    let stem = name.strip_prefix("lib").and_then(|rest| rest.split_once('.'));
    stem.is_some_and(|(stem, _)| RESERVED.contains(&stem))
}
