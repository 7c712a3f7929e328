//! Windows' search, as CPython 3.8 and later call it for extensions: `LoadLibraryExW` with
//! `LOAD_LIBRARY_SEARCH_DEFAULT_DIRS | LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR`.
//!
//! What is loaded is recognised by its base name, whatever its folder. API sets are no files. Known DLLs come from
//! the system before any folder is looked at. Then: the folder of the DLL that was opened (not of the requirer),
//! the program's folder, those added by `os.add_dll_directory`, the system's. The first file of that name ends the
//! search. A delay import is loaded later, by a call without these flags: neither the DLL's folder nor the added
//! ones are searched then.

use super::Rules;
use crate::closure::{By, Hint, MemberId, Missing};
use crate::files::Case;
use crate::image::Image;
use crate::paths;
use crate::walk::{Located, Search, Walk};
use camino::{Utf8Path, Utf8PathBuf};
use objfile::{Architecture, NeededKind};
use std::collections::BTreeSet;

pub(super) const RULES: Rules = Rules { case: Case::Insensitive, other_architecture_stops: true, unusable_stops: true };

/// DLLs that Windows maps before anything else and never looks for in folders
/// (`HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\KnownDLLs` of Windows 10 and 11).
const KNOWN: [&str; 34] = [
    "advapi32.dll",
    "clbcatq.dll",
    "combase.dll",
    "comdlg32.dll",
    "coml2.dll",
    "difxapi.dll",
    "gdi32.dll",
    "gdiplus.dll",
    "imagehlp.dll",
    "imm32.dll",
    "kernel32.dll",
    "kernelbase.dll",
    "msctf.dll",
    "msvcrt.dll",
    "normaliz.dll",
    "nsi.dll",
    "ntdll.dll",
    "ole32.dll",
    "oleaut32.dll",
    "psapi.dll",
    "rpcrt4.dll",
    "sechost.dll",
    "setupapi.dll",
    "shcore.dll",
    "shell32.dll",
    "shlwapi.dll",
    "user32.dll",
    "wldap32.dll",
    "wow64.dll",
    "wow64base.dll",
    "wow64con.dll",
    "wow64cpu.dll",
    "wow64win.dll",
    "ws2_32.dll",
];

/// What tells Windows' loader where to look.
#[derive(Debug, Clone)]
pub struct Windows {
    /// The architecture of the process.
    pub architecture: Architecture,
    /// Folders added by `os.add_dll_directory`.
    pub added: Vec<Utf8PathBuf>,
    /// The program's folder.
    pub program_folder: Option<Utf8PathBuf>,
    /// Folders that stand in for those where libraries will be.
    pub extra: Vec<Utf8PathBuf>,
}

impl Windows {
    /// A clean environment.
    pub const fn new(architecture: Architecture) -> Self {
        Self { architecture, added: Vec::new(), program_folder: None, extra: Vec::new() }
    }

    pub(super) fn locate(
        &self,
        walk: &Walk<'_>,
        from: MemberId,
        name: &str,
        kind: NeededKind,
    ) -> Result<Located, Missing> {
        let base = base_name(name);
        if let Some(loaded) = walk.loaded(&base) {
            return Ok(Located::Loaded(loaded));
        }
        let mut search = Search::new(walk, from, RULES);
        let found = self.search(&mut search, name, &base, kind);
        match found {
            Some(Ok(located)) => Ok(located),
            Some(Err(())) => Err(search.fail(name)),
            None => {
                if kind == NeededKind::Lazy {
                    for folder in load_folder(walk).into_iter().chain(self.added.iter().map(|folder| &**folder)) {
                        let path = paths::join(folder, paths::file_name(name));
                        if search.would_serve(&path) {
                            search.hint(Hint::Elsewhere(path));
                            break;
                        }
                    }
                }
                Err(search.fail(name))
            }
        }
    }

    fn search(
        &self,
        search: &mut Search<'_, '_>,
        name: &str,
        base: &str,
        kind: NeededKind,
    ) -> Option<Result<Located, ()>> {
        if base.starts_with("api-") || base.starts_with("ext-") {
            return search.provider(name, By::ApiSet);
        }
        if KNOWN.contains(&base)
            && let Some(found) = search.provider(name, By::Provider)
        {
            return Some(found);
        }
        let file = paths::file_name(name);
        let program = self.program_folder.as_deref();
        let folders: [(Vec<&Utf8Path>, By); 4] = [
            (load_folder(search.walk).into_iter().collect(), By::LoadFolder),
            (program.into_iter().collect(), By::ProgramFolder),
            (self.added.iter().map(|folder| &**folder).collect(), By::AddedFolder),
            (self.extra.iter().map(|folder| &**folder).collect(), By::Extra),
        ];
        for (folders, by) in folders {
            if kind == NeededKind::Lazy && matches!(by, By::LoadFolder | By::AddedFolder) {
                continue;
            }
            for folder in folders {
                if let Some(found) = search.at(paths::join(folder, file), by) {
                    return Some(found);
                }
            }
        }
        search.provider(name, By::Provider)
    }
}

/// The folder of the DLL that was opened.
fn load_folder<'w>(walk: &'w Walk<'_>) -> Option<&'w Utf8Path> {
    walk.root().and_then(|root| walk.member(root)).and_then(|member| member.path.parent())
}

/// How Windows compares names of loaded DLLs: the last component, ASCII case aside, `.dll` added where there is no
/// extension.
pub(crate) fn base_name(name: &str) -> Box<str> {
    let mut base = paths::file_name(name).to_ascii_lowercase();
    if !base.contains('.') {
        base.push_str(".dll");
    }
    base.into()
}

/// The DLLs of an image's forwarders, each once, with their extension.
pub(super) fn forwarded(image: &Image) -> Vec<String> {
    let symbols = &image.symbols;
    let libraries = symbols.forwards.iter().map(|forward| symbols.text.get(forward.library));
    let distinct: BTreeSet<&str> = libraries.collect();
    distinct.into_iter().map(dll_of_forward).collect()
}

/// A forwarder names its DLL without `.dll`, even where the name has dots.
pub(crate) fn dll_of_forward(library: &str) -> String {
    let has_extension =
        library.len() >= 4 && library.get(library.len() - 4..).is_some_and(|end| end.eq_ignore_ascii_case(".dll"));
    if has_extension { library.to_owned() } else { format!("{library}.dll") }
}
