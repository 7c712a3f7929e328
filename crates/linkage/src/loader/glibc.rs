//! glibc's search (`_dl_map_object` in `elf/dl-load.c`).
//!
//! What is loaded is recognised by the name it was asked for by, its path, its soname, its inode. A name with a
//! slash is a path. Any other is looked for in: the RPATHs of the requirer and of those that brought it, each only
//! if that object has no RUNPATH, and none at all if the requirer has one; the program's RPATH; `LD_LIBRARY_PATH`;
//! the requirer's RUNPATH; the cache and the default folders, unless `DF_1_NODEFLIB`. In each folder first below
//! `glibc-hwcaps/`. A file of another class or machine is skipped; one that is no ELF at all ends the search.

use super::Rules;
use crate::closure::{By, Hint, MemberId, Missing};
use crate::files::Case;
use crate::image::Image;
use crate::paths;
use crate::walk::{Located, Search, Walk};
use camino::{Utf8Path, Utf8PathBuf};
use objfile::{Architecture, RpathKind};

pub(super) const RULES: Rules = Rules { case: Case::Sensitive, other_architecture_stops: false, unusable_stops: true };

/// What tells glibc's loader where to look.
#[derive(Debug, Clone)]
pub struct Glibc {
    /// The architecture of the process.
    pub architecture: Architecture,
    /// `LD_LIBRARY_PATH`.
    pub library_path: Vec<Utf8PathBuf>,
    /// Folders that stand in for those where libraries will be: searched after the requirer's own paths.
    pub extra: Vec<Utf8PathBuf>,
    /// `ld.so.conf` and the default folders; empty: the providers alone answer for the system.
    pub system: Vec<Utf8PathBuf>,
    /// Subfolders of `glibc-hwcaps/` that this machine uses, best first: `x86-64-v3`, `x86-64-v2`.
    pub hwcaps: Vec<String>,
    /// What `$LIB` stands for.
    pub lib: String,
    /// What `$PLATFORM` stands for.
    pub platform: String,
    /// The program's `DT_RPATH`, expanded.
    pub program_rpaths: Vec<Utf8PathBuf>,
    /// The oldest release that it may be; `None`: any.
    pub oldest: Option<(u16, u16)>,
}

/// From this release on a symbol with a version may be bound to a library without a version table; before, the loader
/// ended the process (assertion in `check_match`, elf/dl-lookup.c). Debian's 2.36 stops and its 2.41 goes on; where in
/// between that changed was not looked at, so the releases there count as those that stop.
const BINDS_WITHOUT_VERSIONS: (u16, u16) = (2, 41);

impl Glibc {
    /// A clean environment: no `LD_LIBRARY_PATH`, no folders of the system, no hwcaps; `$LIB` as upstream has it.
    pub fn new(architecture: Architecture) -> Self {
        let wide = !matches!(architecture, Architecture::I686 | Architecture::Armv7l);
        Self {
            architecture,
            library_path: Vec::new(),
            extra: Vec::new(),
            system: Vec::new(),
            hwcaps: Vec::new(),
            lib: if wide { "lib64" } else { "lib" }.into(),
            platform: architecture.name().into(),
            program_rpaths: Vec::new(),
            oldest: None,
        }
    }

    /// Whether it ends the process when a symbol with a version is found in a library without a version table.
    pub(crate) fn stops_without_versions(&self) -> bool {
        self.oldest.is_none_or(|oldest| oldest < BINDS_WITHOUT_VERSIONS)
    }

    pub(super) fn locate(&self, walk: &Walk<'_>, from: MemberId, name: &str) -> Result<Located, Missing> {
        if let Some(loaded) = walk.loaded(name) {
            return Ok(Located::Loaded(loaded));
        }
        let mut search = Search::new(walk, from, RULES);
        match self.search(&mut search, name) {
            Some(Ok(located)) => Ok(located),
            Some(Err(())) => Err(search.fail(name)),
            None => {
                self.explain(&mut search, name);
                Err(search.fail(name))
            }
        }
    }

    fn search(&self, search: &mut Search<'_, '_>, name: &str) -> Option<Result<Located, ()>> {
        let requirer = search.walk.image(search.from)?;
        if name.contains('/') {
            return search.at(paths::normalise(&self.expand(name, search.walk, search.from), false), By::Path);
        }
        if !has_runpath(requirer) {
            for (owner, image) in search.walk.rpath_owners(search.from) {
                if has_runpath(image) {
                    continue;
                }
                for folder in self.folders(image, search.walk, owner, RpathKind::Rpath) {
                    if let Some(found) = self.in_folder(search, &folder, name, By::Rpath(owner)) {
                        return Some(found);
                    }
                }
            }
            for folder in &self.program_rpaths {
                if let Some(found) = self.in_folder(search, folder, name, By::ProgramRpath) {
                    return Some(found);
                }
            }
        }
        let own = self.folders(requirer, search.walk, search.from, RpathKind::Runpath);
        let groups = [(&self.library_path, By::LibraryPath), (&own, By::Runpath), (&self.extra, By::Extra)];
        for (folders, by) in groups {
            for folder in folders {
                if let Some(found) = self.in_folder(search, folder, name, by) {
                    return Some(found);
                }
            }
        }
        if is_confined(requirer) {
            return None;
        }
        for folder in &self.system {
            if let Some(found) = self.in_folder(search, folder, name, By::System) {
                return Some(found);
            }
        }
        search.provider(name, By::Provider)
    }

    fn in_folder(
        &self,
        search: &mut Search<'_, '_>,
        folder: &Utf8Path,
        name: &str,
        by: By,
    ) -> Option<Result<Located, ()>> {
        for hwcap in &self.hwcaps {
            let path = paths::join(folder, &format!("glibc-hwcaps/{hwcap}/{name}"));
            if let Some(found) = search.at(path, by) {
                return Some(found);
            }
        }
        search.at(paths::join(folder, name), by)
    }

    /// Looks where the loader did not, to say why.
    fn explain(&self, search: &mut Search<'_, '_>, name: &str) {
        let walk = search.walk;
        let Some(requirer) = walk.image(search.from) else { return };
        let mut hints = Vec::new();
        for (owner, image) in walk.rpath_owners(search.from) {
            let kind = if has_runpath(image) { RpathKind::Runpath } else { RpathKind::Rpath };
            for folder in self.folders(image, walk, owner, kind) {
                let path = paths::join(&folder, name);
                if !search.would_serve(&path) {
                    continue;
                }
                let owner = image.path.clone();
                hints.push(match kind {
                    RpathKind::Runpath => Hint::RunpathNotTransitive { owner, path },
                    _ => Hint::ShadowedByRunpath { owner, path },
                });
            }
        }
        if is_confined(requirer) && search.provider(name, By::Provider).is_some() {
            hints.push(Hint::NoDefaultLibraries);
        }
        for hint in hints.into_iter().take(3) {
            search.hint(hint);
        }
    }

    /// An object's folders of one kind, expanded.
    fn folders(&self, image: &Image, walk: &Walk<'_>, owner: MemberId, kind: RpathKind) -> Vec<Utf8PathBuf> {
        let of_kind = image.rpaths.iter().filter(|rpath| rpath.kind == kind && !rpath.path.is_empty());
        of_kind.map(|rpath| paths::normalise(&self.expand(&rpath.path, walk, owner), false)).collect()
    }

    fn expand(&self, text: &str, walk: &Walk<'_>, owner: MemberId) -> String {
        let origin = walk.member(owner).and_then(|member| member.path.parent()).map_or("", Utf8Path::as_str);
        // `$ORIGIN/../x` of something at the top would become `/../x`.
        let origin = if origin.is_empty() { "." } else { origin };
        let tokens = [("ORIGIN", origin), ("LIB", &*self.lib), ("PLATFORM", &*self.platform)];
        paths::expand(text, &tokens, false).unwrap_or_default()
    }
}

fn has_runpath(image: &Image) -> bool {
    image.rpaths.iter().any(|rpath| rpath.kind == RpathKind::Runpath)
}

fn is_confined(image: &Image) -> bool {
    image.elf.as_ref().is_some_and(|elf| elf.no_default_libraries)
}
