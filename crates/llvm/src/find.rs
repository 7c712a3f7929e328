//! Looks for LLVM: what lies at each place, and what is said of one where nothing useful lies. The places are in `places`.
//!
//! Files are read directly. Running each `llvm-config` would take longer than all of this together; only one whose
//! installation has an unusual layout is asked.

use std::{collections::BTreeSet, time::UNIX_EPOCH};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use platform::{Os, paths};

use crate::{
    Installation, LlvmVersion, Origin, SharedLibrary, cmake, names,
    places::{self, Place},
    soname,
};

/// Where to look. Every place is a value, so that a test looks at a tree of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// Which system's places are looked at; without it every system's.
    pub os: Option<Os>,
    /// The environment's `LLVM_DIR`: a prefix, or the folder of `LLVMConfig.cmake`.
    pub llvm_dir: Option<Utf8PathBuf>,
    /// The folder that the configuration names; the same two kinds.
    pub configured: Option<Utf8PathBuf>,
    /// The folders of PATH, for `llvm-config` and `llvm-config-N`.
    pub path: Vec<Utf8PathBuf>,
    /// The roots of file systems, for [`crate::SYSTEM_PLACES`]: `/`, or `C:\`.
    pub roots: Vec<Utf8PathBuf>,
    /// The values of `%ProgramFiles%`, such as `C:\Program Files`.
    pub program_files: Vec<Utf8PathBuf>,
    /// Prefixes of conda environments.
    pub conda: Vec<Utf8PathBuf>,
    /// Prefixes of Homebrew, such as `/opt/homebrew`.
    pub homebrew: Vec<Utf8PathBuf>,
    /// What vcpkg installed for this machine: `C:\vcpkg\installed\x64-windows*`, with a `*`.
    pub vcpkg: Vec<Utf8PathBuf>,
    /// The folders of Scoop, such as `C:\Users\me\scoop`.
    pub scoop: Vec<Utf8PathBuf>,
}

/// What was found and where it was looked for, in the order of looking.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// Each installation once, by its real prefix.
    pub installations: Vec<Installation>,
    /// Every place where something might have been.
    pub looked_at: Vec<Look>,
}

/// One place that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// The folder or program; may hold a `*`.
    pub place: Utf8PathBuf,
    /// Why it was looked at.
    pub origin: Origin,
    /// What was there.
    pub seen: Seen,
}

/// What was at a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seen {
    /// An installation, by its prefix.
    Installation(Utf8PathBuf),
    /// One that was already found elsewhere, by its prefix.
    SameAs(Utf8PathBuf),
    /// The place does not exist, or holds nothing of LLVM.
    Nothing,
    /// The library that programs need at run time, without the files to build with.
    RuntimeOnly(Utf8PathBuf),
    /// Something that cannot be used, with the reason.
    Unusable(String),
}

/// Runs an `llvm-config` with arguments; gives its output, or nothing if it failed.
pub type AskLlvmConfig<'a> = &'a dyn Fn(&Utf8Path, &[&str]) -> Option<String>;

/// Looks at every place of the search. Never fails: what is unreadable is said of its place.
pub fn find(search: &Search, ask: AskLlvmConfig<'_>) -> Findings {
    let mut looking = Looking::default();
    for (folder, origin) in [(&search.llvm_dir, Origin::LlvmDir), (&search.configured, Origin::Configuration)] {
        if let Some(folder) = folder {
            looking.at_prefix(folder, &origin, Mention::Always, None);
        }
    }
    for folder in &search.path {
        for program in matching(folder, is_llvm_config) {
            looking.at_program(&program, ask);
        }
    }
    let here = |place: &Place| search.os.is_none_or(|os| place.systems.contains(&os));
    for folder in &search.program_files {
        let place = places::PROGRAM_FILES;
        let origin = Origin::System(format!("%ProgramFiles%/{}", place.pattern));
        looking.at_pattern(&paths::join(folder, place.pattern), &origin, place.otherwise);
    }
    for root in &search.roots {
        for place in places::SYSTEM_PLACES.iter().filter(|place| here(place)) {
            let origin = Origin::System(format!("/{}", place.pattern));
            looking.at_pattern(&paths::join(root, place.pattern), &origin, place.otherwise);
        }
        for place in places::RUNTIME_FOLDERS.iter().filter(|place| here(place)) {
            looking.for_runtime(&paths::join(root, place.pattern), &Origin::System(format!("/{}", place.pattern)));
        }
    }
    for prefix in &search.homebrew {
        for place in places::KEGS {
            looking.at_pattern(&paths::join(prefix, place), &Origin::Homebrew, None);
        }
    }
    for prefix in &search.conda {
        for place in places::CONDA_PLACES.iter().filter(|place| here(place)) {
            looking.at_prefix(&paths::join(prefix, place.pattern), &Origin::Conda, Mention::IfThere, None);
        }
    }
    for pattern in &search.vcpkg {
        looking.at_pattern(pattern, &Origin::Vcpkg, None);
    }
    for folder in &search.scoop {
        looking.at_pattern(&paths::join(folder, places::SCOOP.pattern), &Origin::Scoop, places::SCOOP.otherwise);
    }
    looking.findings
}

/// Whether a place without anything is worth a line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mention {
    Always,
    IfThere,
}

#[derive(Default)]
struct Looking {
    findings: Findings,
    /// Real prefixes and library files that were seen.
    seen: BTreeSet<Utf8PathBuf>,
}

impl Looking {
    fn note(&mut self, place: &Utf8Path, origin: &Origin, seen: Seen) {
        self.findings.looked_at.push(Look { place: place.to_owned(), origin: origin.clone(), seen });
    }

    fn at_pattern(&mut self, pattern: &Utf8Path, origin: &Origin, otherwise: Option<&str>) {
        let places = expand(pattern);
        // Where not even the folder around it exists, it is the layout of another system and not worth a line.
        if places.is_empty() && pattern.parent().is_some_and(Utf8Path::is_dir) {
            self.note(pattern, origin, Seen::Nothing);
        }
        let mut refused = BTreeSet::new();
        for place in places {
            // Xcode goes by several names on one machine; for one that cannot be used the first will do.
            let again = otherwise.is_some() && disk::real(&place).is_ok_and(|real| !refused.insert(real));
            if !again {
                self.at_prefix(&place, origin, Mention::Always, otherwise);
            }
        }
    }

    fn at_prefix(&mut self, folder: &Utf8Path, origin: &Origin, mention: Mention, otherwise: Option<&str>) {
        let seen = match (locate(folder), otherwise) {
            (Located::CmakeDir(cmake_dir), _) => self.installation(&cmake_dir, origin, None),
            (_, Some(reason)) if folder.is_dir() => Seen::Unusable(reason.to_owned()),
            (Located::Library(library), _) => Seen::RuntimeOnly(library),
            (Located::Nothing, _) => Seen::Nothing,
        };
        if seen != Seen::Nothing || mention == Mention::Always {
            self.note(folder, origin, seen);
        }
    }

    fn at_program(&mut self, program: &Utf8Path, ask: AskLlvmConfig<'_>) {
        let origin = Origin::LlvmConfigOnPath(program.file_name().unwrap_or_default().to_owned());
        let seen = match disk::real(program) {
            Err(error) => Seen::Unusable(error.to_string()),
            Ok(real) => match real.parent().and_then(Utf8Path::parent).map(locate) {
                Some(Located::CmakeDir(cmake_dir)) => self.installation(&cmake_dir, &origin, Some(program)),
                _ => match ask(program, &["--cmakedir"]) {
                    None => Seen::Unusable(format!("`{program} --cmakedir` does not answer")),
                    Some(answer) => match locate(Utf8Path::new(answer.trim())) {
                        Located::CmakeDir(cmake_dir) => self.installation(&cmake_dir, &origin, Some(program)),
                        _ => self.without_cmake(program, &origin, ask),
                    },
                },
            },
        };
        self.note(program, &origin, seen);
    }

    /// An llvm-config that works although its CMake files are not there: listed, so that the error can say so.
    fn without_cmake(&mut self, program: &Utf8Path, origin: &Origin, ask: AskLlvmConfig<'_>) -> Seen {
        let answer = |argument| ask(program, &[argument]).map(|text| text.trim().to_owned());
        let (Some(version), Some(prefix), Some(library_dir)) =
            (answer("--version").and_then(|v| v.parse().ok()), answer("--prefix"), answer("--libdir"))
        else {
            return Seen::Unusable(format!("`{program}` does not say version, prefix and library folder"));
        };
        // As everything else is written: on Windows it answers with either slash.
        let plain = |path: String| disk::real(Utf8Path::new(&path)).unwrap_or_else(|_| path.into());
        let prefix = plain(prefix);
        if let Some(reason) = places::foreign(&prefix, origin) {
            return Seen::Unusable(reason.to_owned());
        }
        if !self.seen.insert(prefix.clone()) {
            return Seen::SameAs(prefix);
        }
        let library_dir = plain(library_dir);
        self.findings.installations.push(Installation {
            shared: shared_library(&prefix, &library_dir, &version),
            static_archives: has_archives(&library_dir),
            version,
            cmake_dir: None,
            library_dir,
            llvm_config: Some(program.to_owned()),
            origin: origin.clone(),
            rtti: None,
            assertions: None,
            cmake_packages: Vec::new(),
            prefix: prefix.clone(),
        });
        Seen::Installation(prefix)
    }

    fn installation(&mut self, cmake_dir: &Utf8Path, origin: &Origin, program: Option<&Utf8Path>) -> Seen {
        let cmake_dir = match disk::real(cmake_dir) {
            Ok(real) => real,
            Err(error) => return Seen::Unusable(error.to_string()),
        };
        let Some((prefix, library_dir)) = prefix_of(&cmake_dir) else {
            return Seen::Unusable(format!("`{cmake_dir}` lies in no prefix"));
        };
        let (prefix, library_dir) = (prefix.as_path(), library_dir.as_path());
        if let Some(reason) = places::foreign(prefix, origin) {
            return Seen::Unusable(reason.to_owned());
        }
        if !self.seen.insert(prefix.to_owned()) {
            if let Some(known) = self.findings.installations.iter_mut().find(|known| known.prefix == prefix) {
                known.llvm_config = known.llvm_config.take().or_else(|| program.map(Utf8Path::to_owned));
            }
            return Seen::SameAs(prefix.to_owned());
        }
        let facts = match cmake::read(&cmake_dir) {
            Ok(facts) => facts,
            Err(error) => return Seen::Unusable(error.to_string()),
        };
        let Some(version) = facts.version else {
            return Seen::Unusable(format!("`{cmake_dir}/{}` does not say a version", cmake::CONFIG));
        };
        let shared = shared_library(prefix, library_dir, &version);
        if let Some(library) = &shared {
            self.seen.insert(library.path.clone());
        }
        self.findings.installations.push(Installation {
            prefix: prefix.to_owned(),
            shared,
            static_archives: has_archives(library_dir),
            library_dir: library_dir.to_owned(),
            version,
            llvm_config: program.map(Utf8Path::to_owned).or_else(|| own_llvm_config(prefix)),
            origin: origin.clone(),
            rtti: facts.rtti,
            assertions: facts.assertions,
            cmake_packages: facts.packages,
            cmake_dir: Some(cmake_dir.clone()),
        });
        Seen::Installation(prefix.to_owned())
    }

    /// Libraries of LLVM that belong to no installation that was found.
    fn for_runtime(&mut self, pattern: &Utf8Path, origin: &Origin) {
        for folder in expand(pattern) {
            for library in matching(&folder, |name| names::recognise(name).is_some()) {
                if let Ok(real) = disk::real(&library)
                    && self.seen.insert(real.clone())
                {
                    self.note(&folder, origin, Seen::RuntimeOnly(real));
                }
            }
        }
    }
}

/// The prefix and the folder of libraries to `<prefix>/<lib>/cmake/llvm`, or to vcpkg's `<prefix>/share/llvm`.
fn prefix_of(cmake_dir: &Utf8Path) -> Option<(Utf8PathBuf, Utf8PathBuf)> {
    let above = cmake_dir.parent()?;
    if above.file_name() == Some("share") {
        let prefix = above.parent()?;
        return Some((prefix.to_owned(), prefix.join("lib")));
    }
    let library_dir = above.parent()?;
    Some((library_dir.parent()?.to_owned(), library_dir.to_owned()))
}

enum Located {
    CmakeDir(Utf8PathBuf),
    Library(Utf8PathBuf),
    Nothing,
}

/// What a folder is: that of the CMake files, a prefix with them, or one with no more than the library.
fn locate(folder: &Utf8Path) -> Located {
    if folder.join(cmake::CONFIG).is_file() {
        return Located::CmakeDir(folder.to_owned());
    }
    for below in places::CMAKE_FOLDERS {
        let cmake_dir = paths::join(folder, below);
        if cmake_dir.join(cmake::CONFIG).is_file() {
            return Located::CmakeDir(cmake_dir);
        }
    }
    // `/usr` and the like are not LLVM's own: a library there is looked for by `for_runtime`.
    if !folder.file_name().is_some_and(|name| name.to_ascii_lowercase().starts_with("llvm")) {
        return Located::Nothing;
    }
    places::LIBRARY_FOLDERS
        .iter()
        .chain(&["bin"])
        .flat_map(|library_folder| matching(&folder.join(library_folder), |name| names::recognise(name).is_some()))
        .next()
        .map_or(Located::Nothing, Located::Library)
}

/// The libLLVM of this version among all names for it: in `/usr/lib64` several versions may lie side by side.
fn shared_library(prefix: &Utf8Path, library_dir: &Utf8Path, version: &LlvmVersion) -> Option<SharedLibrary> {
    // On Windows a DLL lies with the programs.
    let mut candidates: Vec<(bool, Utf8PathBuf)> = [library_dir.to_owned(), prefix.join("bin")]
        .iter()
        .flat_map(|folder| matching(folder, |name| names::recognise(name).is_some()))
        .filter_map(|file| {
            let name = names::recognise(file.file_name()?)?;
            let real = disk::real(&file).ok()?;
            let major = name.major.or_else(|| names::recognise(real.file_name()?)?.major);
            major.is_none_or(|major| major == version.major).then_some((name.c_api_only, real))
        })
        .collect();
    candidates.sort();
    let (c_api_only, path) = candidates.into_iter().next()?;
    let metadata = fs_err::metadata(&path).ok()?;
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    Some(SharedLibrary {
        soname: soname::read(&path).or_else(|| path.file_name().map(str::to_owned))?,
        path,
        c_api_only,
        size: metadata.len(),
        modified: modified.map_or(0, |time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)),
    })
}

fn has_archives(library_dir: &Utf8Path) -> bool {
    ["libLLVMCore.a", "LLVMCore.lib"].iter().any(|name| library_dir.join(name).is_file())
}

fn own_llvm_config(prefix: &Utf8Path) -> Option<Utf8PathBuf> {
    ["llvm-config", "llvm-config.exe"]
        .iter()
        .map(|name| prefix.join("bin").join(name))
        .find(|program| program.is_file())
}

/// `llvm-config`, `llvm-config-19`, `llvm-config-19.1`, `llvm-config19` (Alpine, FreeBSD), `llvm-config-64` (Fedora).
fn is_llvm_config(name: &str) -> bool {
    let name = name.strip_suffix(".exe").or_else(|| name.strip_suffix(".EXE")).unwrap_or(name);
    let Some(rest) = name.strip_prefix("llvm-config") else { return false };
    rest.trim_start_matches('-').chars().all(|c| c.is_ascii_digit() || c == '.')
}

/// The folders that a pattern means, in which any part may have a `*`s; without one the folder itself if it is there.
fn expand(pattern: &Utf8Path) -> Vec<Utf8PathBuf> {
    let Some(name) = pattern.file_name().filter(|_| pattern.as_str().contains('*')) else {
        return if pattern.is_dir() { vec![pattern.to_owned()] } else { Vec::new() };
    };
    let Some(parent) = pattern.parent() else { return Vec::new() };
    let below = |parent: Utf8PathBuf| {
        if name.contains('*') { matching(&parent, |entry| fits(entry, name)) } else { vec![parent.join(name)] }
    };
    expand(parent).into_iter().flat_map(below).filter(|path| path.is_dir()).collect()
}

/// Whether a name is what a pattern with `*` means.
fn fits(name: &str, pattern: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = name.strip_prefix(pieces.next().unwrap_or_default()) else { return false };
    let mut pieces = pieces.peekable();
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        let Some(at) = rest.find(piece) else { return false };
        rest = rest.get(at + piece.len()..).unwrap_or_default();
    }
    rest.is_empty()
}

/// The entries of a folder by name, sorted; none if it cannot be read, names that are not UTF-8 left out.
fn matching(folder: &Utf8Path, wanted: impl Fn(&str) -> bool) -> Vec<Utf8PathBuf> {
    let Ok(entries) = folder.read_dir_utf8() else { return Vec::new() };
    let mut found: Vec<Utf8PathBuf> = entries
        .filter_map(Result::ok)
        .filter(|entry| wanted(entry.file_name()))
        .map(camino::Utf8DirEntry::into_path)
        .collect();
    found.sort();
    found
}
