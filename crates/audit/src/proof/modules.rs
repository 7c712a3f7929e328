//! Extension modules by the names of their files: which Python looks for which file, whether that has the function that
//! `import` calls, and which Pythons of the tags find no file at all.
//!
//! A file named like a module need not be one: setuptools builds libraries for ctypes under such names. So one without that
//! function refutes a wheel only where nothing but `import` can be meant, and is an assumption elsewhere.

use super::aim::{Platform, Pythons, System};
use super::assumption::Assumptions;
use super::contents::{Binary, Contents};
use super::process::{Role, Root};
use super::rules;
use super::trouble::{Trouble, Troubles};
use crate::python::{self, Aim, spoken};
use camino::Utf8Path;
use capi::Python;
use diagnostics::Severity;
use linkage::Image;
use platform::Arch;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// What a file's name says to `import`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ModuleName {
    /// As it is imported: `pkg._core`.
    pub(super) dotted: String,
    /// The last part, after which the file's function is named. For a package's `__init__` that is the folder's name.
    last: String,
    /// Which Pythons look for it.
    aim: Aim,
}

impl ModuleName {
    /// Of a file below site-packages; nothing if no `import` on this system leads there.
    pub(super) fn of(path: &Utf8Path, platform: &Platform) -> Option<Self> {
        let extension = if matches!(platform.system, System::Windows) { "pyd" } else { "so" };
        if path.extension() != Some(extension) || path.as_str().starts_with("..") {
            return None;
        }
        let file = path.file_name()?;
        let aim = python::of_file_name(file);
        let (stem, _) = file.rsplit_once('.')?;
        let stem = if aim == Aim::Unstated { stem } else { stem.rsplit_once('.')?.0 };
        let folders = path.parent()?.components().map(|part| part.as_str()).filter(|part| !part.is_empty());
        let mut parts: Vec<&str> = folders.collect();
        if stem != "__init__" {
            parts.push(stem);
        }
        let identifier = |part: &&str| !part.is_empty() && part.chars().all(|c| c == '_' || c.is_alphanumeric());
        let last = (*parts.last()?).to_owned();
        parts.iter().all(identifier).then(|| Self { dotted: parts.join("."), last, aim })
    }

    /// Whether the name says for which Python it is: then the file is hardly anything but a module.
    fn is_stated(&self) -> bool {
        self.aim != Aim::Unstated
    }

    /// The Pythons of the wheel that look for it; nothing where none does.
    pub(super) fn fitting(&self, pythons: &Pythons) -> Option<Vec<Python>> {
        match &self.aim {
            Aim::Unstated | Aim::Stable { .. } => Some(pythons.list.clone()),
            Aim::Exact(named) => {
                let both: Vec<Python> = pythons.list.iter().copied().filter(|python| named.contains(python)).collect();
                (!both.is_empty()).then_some(both)
            }
            Aim::Foreign => pythons.foreign.then(Vec::new),
        }
    }

    /// The function that `import` calls: for people.
    fn function(&self) -> String {
        if self.last.is_ascii() { format!("PyInit_{}", self.last) } else { "PyInitU_…".to_owned() }
    }

    /// Whether an image has that function. Python 3.15 looks for `PyModExport_` first (PEP 793).
    fn starts(&self, image: &Image) -> Start {
        let has = |ascii: &str, others: &str| {
            image.exports_named(&format!("{ascii}{}", self.last)).next().is_some()
                || (!self.last.is_ascii() && image.exports().any(|export| export.name.starts_with(others)))
        };
        if has("PyInit_", "PyInitU_") {
            Start::Any
        } else if has("PyModExport_", "PyModExportU_") {
            Start::From(15)
        } else {
            Start::Never
        }
    }

    /// The Pythons of the wheel that import `image` under this name.
    pub(super) fn importing(&self, image: &Image, pythons: &Pythons) -> Option<Vec<Python>> {
        let fitting = self.fitting(pythons)?;
        match self.starts(image) {
            Start::Any => Some(fitting),
            Start::Never => None,
            Start::From(first) => {
                let able: Vec<Python> = fitting.into_iter().filter(|python| python.minor >= first).collect();
                (!able.is_empty()).then_some(able)
            }
        }
    }
}

/// Which Pythons find the function that they call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// All.
    Any,
    /// From this minor version on.
    From(u8),
    /// None.
    Never,
}

/// Whether a file is an extension module by its name and what it exports, whatever machine and Python it is for.
pub(super) fn is_module(path: &Utf8Path, image: &Image, platform: &Platform) -> bool {
    ModuleName::of(path, platform).is_some_and(|name| name.starts(image) != Start::Never)
}

/// Whether a Python of the wheel on this platform looks for a file of this name, which says for which Python it is.
pub(super) fn is_looked_for(path: &Utf8Path, platform: &Platform, pythons: &Pythons) -> bool {
    let name = ModuleName::of(path, platform);
    names_machine(path, platform) && name.is_some_and(|name| name.is_stated() && name.fitting(pythons).is_some())
}

/// Whether the machine in a file's suffix is the platform's, as far as one is named that is known here.
fn names_machine(path: &Utf8Path, platform: &Platform) -> bool {
    const MACHINES: [(&str, Arch); 11] = [
        ("x86_64-linux", Arch::X86_64),
        ("aarch64-linux", Arch::Arm64),
        ("i386-linux", Arch::I686),
        ("i686-linux", Arch::I686),
        ("arm-linux", Arch::Armv7l),
        ("powerpc64le-linux", Arch::Ppc64le),
        ("s390x-linux", Arch::S390x),
        ("riscv64-linux", Arch::Riscv64),
        ("win_amd64", Arch::X86_64),
        ("win_arm64", Arch::Arm64),
        ("win32", Arch::I686),
    ];
    let Some(suffix) = path.file_name().and_then(|name| name.rsplit('.').nth(1)) else { return true };
    let linux = matches!(platform.system, System::Linux { .. });
    if suffix.ends_with("-darwin") {
        return matches!(platform.system, System::MacOs { .. });
    }
    if suffix.contains("-linux-") && !linux {
        return false;
    }
    MACHINES.iter().find(|(name, _)| suffix.contains(name)).is_none_or(|(_, arch)| *arch == platform.arch)
}

/// The extension modules for a platform.
pub(super) fn roots<'a>(contents: &'a Contents, platform: &Platform, pythons: &Pythons) -> Vec<Root<'a>> {
    let images = contents.images().filter(|(_, image)| platform.takes(image));
    images
        .filter(|(binary, _)| names_machine(&binary.path, platform))
        .filter_map(|(binary, image)| {
            let name = ModuleName::of(&binary.path, platform)?;
            let pythons = name.importing(image, pythons)?;
            Some(Root { binary, role: Role::Module(name.dotted), pythons })
        })
        .collect()
}

/// Files that Pythons of the tags look for and cannot import, and modules that some of these Pythons have no file for.
pub(super) fn judge(
    contents: &Contents,
    platform: &Platform,
    pythons: &Pythons,
    roots: &[Root<'_>],
    troubles: &mut Troubles,
    assumptions: &mut Assumptions,
) {
    let needed = contents.images().flat_map(|(_, image)| &image.needed).map(|need| file_of(&need.name)).collect();
    let bench = Bench { contents, platform, pythons, roots, needed };
    bench.without_function(troubles, assumptions);
    bench.without_file(troubles, assumptions);
}

struct Bench<'a> {
    contents: &'a Contents,
    platform: &'a Platform,
    pythons: &'a Pythons,
    roots: &'a [Root<'a>],
    /// The libraries that some binary needs, by the names of their files.
    needed: HashSet<&'a str>,
}

impl<'a> Bench<'a> {
    /// The images of this platform with names of modules.
    fn named(&self) -> impl Iterator<Item = (&'a Binary, &'a Image, ModuleName)> {
        let images = self.contents.images().filter(|(_, image)| self.platform.takes(image));
        images.filter_map(|(binary, image)| Some((binary, &**image, ModuleName::of(&binary.path, self.platform)?)))
    }

    /// Files that a Python looks for, without the function that it calls then.
    fn without_function(&self, troubles: &mut Troubles, assumptions: &mut Assumptions) {
        for (binary, image, name) in self.named().filter(|(_, _, name)| name.is_stated()) {
            let Some(fitting) = name.fitting(self.pythons).filter(|_| names_machine(&binary.path, self.platform))
            else {
                continue;
            };
            let importing = name.importing(image, self.pythons);
            let able = importing.clone().unwrap_or_default();
            let lacking: Vec<Python> = fitting.into_iter().filter(|python| !able.contains(python)).collect();
            if (lacking.is_empty() && importing.is_some()) || self.is_library(binary, image, &name.dotted) {
                continue;
            }
            let importer = self.contents.mentions().plain(&name.dotted);
            let refutes = importer.is_some() || self.nothing_else(&name.dotted, &lacking);
            let others: Vec<&str> =
                image.exports().map(|export| export.name).filter(|name| is_start(name)).take(2).collect();
            let has = match others.as_slice() {
                _ if importing.is_some() => {
                    format!("only `PyModExport_{}`, which Python 3.15 is the first to call", name.last)
                }
                [] => "no such function".to_owned(),
                [one, ..] => format!("`{one}` instead, the function of another name"),
            };
            let function = name.function();
            let message = format!("`import {}` calls `{function}` in it, and it has {has}", name.dotted);
            let trouble = Trouble {
                rule: &rules::NO_INIT_FUNCTION,
                member: binary.member.clone(),
                symbol: Some(function.clone()),
                message,
                help: None,
                notes: importer.map(|file| format!("`{file}` imports it")).into_iter().collect(),
                only: (!refutes).then_some(Severity::Warning),
                pythons: (!lacking.is_empty()).then_some(lacking),
            };
            troubles.add(&Role::Module(name.dotted.clone()), trouble);
            if !refutes {
                let why = format!("it has no `{function}`: something else than `import` is taken to open it");
                assumptions.note(&binary.member, &why);
            }
        }
    }

    /// Whether a file is a library, in spite of its name: by its own name, or because code or another binary uses it as one.
    fn is_library(&self, binary: &Binary, image: &Image, module: &str) -> bool {
        let file = binary.path.file_name().unwrap_or_default();
        let identity = image.identity.as_deref().map(file_of);
        file.starts_with("lib")
            || self.contents.opener(&binary.path).is_some()
            || (self.opens_any() && self.contents.mentions().is_quoted(module))
            || [Some(file), identity].into_iter().flatten().any(|name| self.needed.contains(name))
    }

    /// Whether the wheel's code opens any library.
    fn opens_any(&self) -> bool {
        self.contents.sources.iter().any(|source| source.opens)
    }

    /// Whether nothing else in the wheel than this module could be what it is there for: no other module that one of these
    /// Pythons imports, no code that opens any library, no `try` around its imports.
    fn nothing_else(&self, module: &str, pythons: &[Python]) -> bool {
        let imports = |root: &&Root<'_>| {
            root.pythons.is_empty() || pythons.is_empty() || root.pythons.iter().any(|python| pythons.contains(python))
        };
        !self.roots.iter().any(|root| imports(&root))
            && !self.opens_any()
            && self.contents.mentions().guard(module).is_none()
    }

    /// Modules with files for other Pythons alone.
    fn without_file(&self, troubles: &mut Troubles, assumptions: &mut Assumptions) {
        // By the module: a file of it, and the Pythons that find one.
        let mut modules: BTreeMap<String, (Vec<&Binary>, BTreeSet<Python>, bool)> = BTreeMap::new();
        for (binary, image, name) in self.named() {
            if name.starts(image) == Start::Never {
                continue;
            }
            let found = name.importing(image, self.pythons).filter(|_| names_machine(&binary.path, self.platform));
            let (files, able, any) = modules.entry(name.dotted).or_default();
            files.push(binary);
            *any |= found.is_some();
            able.extend(found.into_iter().flatten());
        }
        let list = &self.pythons.list;
        let served: BTreeSet<Python> = modules.values().flat_map(|(_, able, _)| able.iter().copied()).collect();
        let any_served = modules.values().any(|(.., any)| *any);
        for (module, (files, able, any)) in &modules {
            let missing: Vec<Python> = list.iter().copied().filter(|python| !able.contains(python)).collect();
            let (Some(first), false) = (files.first(), missing.is_empty() && (*any || !list.is_empty())) else {
                continue;
            };
            if self.has_source(module) {
                continue;
            }
            // Tags that name their Pythons promise them a module; `py3` is for what does without.
            let unserved: Vec<Python> = missing.iter().copied().filter(|python| !served.contains(python)).collect();
            let promised = self.pythons.is_stated && (!unserved.is_empty() || !any_served);
            let guard = self.contents.mentions().guard(module).filter(|_| promised);
            if let Some(guard) = &guard {
                let why = format!(
                    "it does not import, and `{guard}` imports it inside `try` alone: the package does without"
                );
                assumptions.note(module, &why);
            }
            let names: Vec<String> =
                files.iter().take(3).filter_map(|binary| Some(format!("`{}`", binary.path.file_name()?))).collect();
            let refutes = promised && guard.is_none();
            let mut add = |pythons: Vec<Python>, only| {
                let whom = if pythons.is_empty() { "no Python of the tags".to_owned() } else { spoken(&pythons) };
                let looks = if pythons.is_empty() { "looks" } else { "of the tags does not look" };
                let whom = if pythons.is_empty() { whom } else { format!("Python {whom}") };
                let trouble = Trouble {
                    rule: &rules::NO_FILE_FOR_PYTHON,
                    member: first.member.clone(),
                    symbol: None,
                    message: format!("`{module}` is there as {} alone, for which {whom} {looks}", names.join(", ")),
                    help: None,
                    notes: Vec::new(),
                    only,
                    pythons: (!pythons.is_empty()).then_some(pythons),
                };
                troubles.add(&Role::Module(module.clone()), trouble);
            };
            if !refutes {
                add(missing, Some(Severity::Warning));
                continue;
            }
            let partly: Vec<Python> = missing.iter().copied().filter(|python| served.contains(python)).collect();
            add(unserved, None);
            if !partly.is_empty() {
                add(partly, Some(Severity::Warning));
            }
        }
    }

    /// Whether a module has a file of Python code as well.
    fn has_source(&self, module: &str) -> bool {
        let path = module.replace('.', "/");
        let archive = &self.contents.wheel.archive;
        [format!("{path}.py"), format!("{path}/__init__.py")].iter().any(|name| archive.member(name).is_some())
    }
}

/// The last part of a path of any system.
fn file_of(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// Whether a name is one of the functions by which Python starts a module.
fn is_start(export: &str) -> bool {
    ["PyInit_", "PyInitU_", "PyModExport_", "PyModExportU_"].iter().any(|start| export.starts_with(start))
}
