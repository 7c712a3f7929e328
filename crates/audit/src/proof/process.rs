//! The processes that are proven: one for each extension module, as `import` in a fresh interpreter makes it, and one for
//! each binary that no module brings.

use super::aim::{Platform, Pythons, System};
use super::contents::{Binary, Contents};
use super::modules::ModuleName;
use super::options::ProofOptions;
use super::sources::Source;
use crate::python::{self, Aim};
use camino::{Utf8Path, Utf8PathBuf};
use capi::Python;
use linkage::{Closure, Dyld, Glibc, Image, Loader, MemberId, Musl, Opening, Providers, Reason, Resolution, Windows};
use objfile::ObjectKind;
use platform::policy::Libc;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

/// What opens a binary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Role {
    /// `import` of this module.
    Module(String),
    /// The same, but the package does without.
    Optional,
    /// The package's own code, from this file.
    Opened(String),
    /// A program of the wheel that is started.
    Program,
    /// Nobody that is known.
    Unknown,
}

impl Role {
    /// Whether the package does not work without it.
    pub(super) const fn refutes(&self) -> bool {
        matches!(self, Self::Module(_) | Self::Opened(_))
    }
}

/// A binary that a process opens.
pub(super) struct Root<'a> {
    pub(super) binary: &'a Binary,
    pub(super) role: Role,
    /// The Pythons that open it; those of the wheel unless its name says less.
    pub(super) pythons: Vec<Python>,
}

/// A process and what became of it.
pub(super) struct Process {
    pub(super) closure: Closure,
    pub(super) resolution: Resolution,
    /// Libraries that the package's code opens before, each with the file of that code.
    pub(super) preloaded: BTreeMap<Utf8PathBuf, String>,
}

/// What no module brings: libraries that code opens, programs, and what nobody is known to use.
pub(super) fn leftovers<'a>(
    contents: &'a Contents,
    platform: &Platform,
    pythons: &Pythons,
    covered: &BTreeSet<Utf8PathBuf>,
    has_modules: bool,
    turn: Turn,
) -> Vec<Root<'a>> {
    let rest: Vec<(&Binary, &Arc<Image>)> = contents
        .images()
        .filter(|(binary, image)| platform.takes(image) && !covered.contains(&binary.path))
        .filter(|(_, image)| is_opened(image.kind))
        .filter(|(binary, _)| !is_for_others(&binary.path, platform, pythons))
        .collect();
    let needed: BTreeSet<&str> = rest
        .iter()
        .flat_map(|(_, image)| &image.needed)
        .map(|need| need.name.rsplit(['/', '\\']).next().unwrap_or(&need.name))
        .collect();
    let is_needed = |image: &Image, binary: &Binary| {
        let names = [image.identity.as_deref(), binary.path.file_name()];
        names.into_iter().flatten().any(|name| needed.contains(name.rsplit('/').next().unwrap_or(name)))
    };
    rest.iter()
        .map(|(binary, image)| {
            let role = if image.kind == ObjectKind::Executable {
                Role::Program
            } else {
                let opener = contents.opener(&binary.path);
                match opener {
                    Some(source) => Role::Opened(source.path.clone()),
                    // A wheel of libraries alone is there to have them opened.
                    None if !has_modules && !is_needed(image, binary) => Role::Opened("the package".to_owned()),
                    None => Role::Unknown,
                }
            };
            (is_needed(image, binary), Root { binary, role, pythons: pythons.list.clone() })
        })
        .filter(|(needed, root)| match turn {
            Turn::Opened => root.role != Role::Unknown,
            Turn::Heads => root.role == Role::Unknown && !needed,
            Turn::Rest => root.role == Role::Unknown,
        })
        .map(|(_, root)| root)
        .collect()
}

/// Which of the leftovers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Those that code opens, and programs.
    Opened,
    /// Of the others those that no other needs.
    Heads,
    /// All others.
    Rest,
}

pub(super) const fn is_opened(kind: ObjectKind) -> bool {
    matches!(kind, ObjectKind::SharedLibrary | ObjectKind::Extension | ObjectKind::Executable)
}

/// An extension module of a Python that never takes this wheel.
fn is_for_others(path: &Utf8Path, platform: &Platform, pythons: &Pythons) -> bool {
    !matches!(python::of_file_name(path.file_name().unwrap_or_default()), Aim::Unstated | Aim::Stable { .. })
        && ModuleName::of(path, platform).is_none_or(|name| name.fitting(pythons).is_none())
}

/// The loader of a platform, with the folders of the options and, on Windows, those that the package adds before
/// `root` is imported.
pub(super) fn loader(contents: &Contents, platform: &Platform, options: &ProofOptions, root: &Root<'_>) -> Loader {
    let architecture = platform.architecture();
    match platform.system {
        System::Linux { libc: Libc::Glibc, oldest, .. } => {
            let mut loader = Glibc::new(architecture);
            loader.oldest = Some(oldest);
            loader.extra.clone_from(&options.lib_dirs);
            if options.host {
                loader.system = super::host::folders(architecture);
            }
            Loader::Glibc(loader)
        }
        System::Linux { libc: Libc::Musl, .. } => {
            let mut loader = Musl::new(architecture);
            loader.extra.clone_from(&options.lib_dirs);
            Loader::Musl(loader)
        }
        System::MacOs { .. } => {
            let mut loader = Dyld::new(architecture);
            loader.extra.clone_from(&options.lib_dirs);
            Loader::Dyld(loader)
        }
        System::Windows => {
            let mut loader = Windows::new(architecture);
            loader.extra.clone_from(&options.lib_dirs);
            loader.added = added_folders(contents, platform, root).into_iter().map(|(folder, _)| folder).collect();
            Loader::Windows(loader)
        }
    }
}

/// The folders of the wheel that its code adds to the search for DLLs, each with the file that does so.
pub(super) fn added_folders(contents: &Contents, platform: &Platform, root: &Root<'_>) -> Vec<(Utf8PathBuf, Source)> {
    let folders: BTreeSet<&Utf8Path> = contents
        .images()
        .filter(|(_, image)| platform.takes(image) && image.kind != ObjectKind::Executable)
        .filter_map(|(binary, _)| binary.path.parent())
        .filter(|folder| Some(*folder) != root.binary.path.parent())
        .collect();
    let adders: Vec<&Source> = contents.sources.iter().filter(|source| source.adds_folders).collect();
    let mut added = Vec::new();
    for folder in folders {
        let name = folder.file_name().unwrap_or_default();
        let named = adders.iter().filter(|source| source.literals.contains(name) || own_folder(source, folder));
        // The `__init__` of a package that is imported before is the surest.
        if let Some(source) = named.max_by_key(|source| source.runs_before(root.binary.path.as_str())) {
            added.push((folder.to_owned(), (*source).clone()));
        }
    }
    added
}

/// `os.add_dll_directory(os.path.dirname(__file__))` names no folder.
fn own_folder(source: &Source, folder: &Utf8Path) -> bool {
    Utf8Path::new(&source.path).parent() == Some(folder)
}

/// Opens `root` as `loader` does; where something lacks that the package's code plausibly opens before, that is opened
/// first.
pub(super) fn run(contents: &Contents, loader: &Loader, providers: &dyn Providers, root: &Root<'_>) -> Process {
    const ROUNDS: usize = 4;
    let mut preloaded: BTreeMap<Utf8PathBuf, String> = BTreeMap::new();
    let mut round = 0;
    loop {
        let mut openings: Vec<Opening> = preloaded.keys().map(Opening::global).collect();
        openings.push(match root.role {
            Role::Program => Opening::program(&root.binary.path),
            _ => Opening::local(&root.binary.path),
        });
        let closure = linkage::closure(&openings, &contents.tree, loader, providers);
        let resolution = linkage::resolve(&closure, &contents.tree, loader, providers);
        round += 1;
        let more = if round < ROUNDS { preloads(contents, &closure, &resolution, root) } else { BTreeMap::new() };
        let before = preloaded.len();
        preloaded.extend(more);
        if preloaded.len() == before {
            return Process { closure, resolution, preloaded };
        }
    }
}

/// What the package's code opens of that which this process lacks.
fn preloads(
    contents: &Contents,
    closure: &Closure,
    resolution: &Resolution,
    root: &Root<'_>,
) -> BTreeMap<Utf8PathBuf, String> {
    let mut found = BTreeMap::new();
    if !contents.sources.iter().any(|source| source.opens) {
        return found;
    }
    let mut consider = |binary: &Binary| {
        if binary.path == root.binary.path {
            return;
        }
        if let Some(source) = contents.opener(&binary.path) {
            found.insert(binary.path.clone(), source.path.clone());
        }
    };
    for (edge, _) in closure.missing() {
        let wanted = edge.name.rsplit(['/', '\\']).next().unwrap_or(&edge.name);
        let has_name = |binary: &&Binary| {
            let identities = binary.images.iter().filter_map(|image| image.identity.as_deref());
            binary.path.file_name() == Some(wanted) || identities.into_iter().any(|identity| identity == &*edge.name)
        };
        contents.binaries.iter().filter(has_name).for_each(&mut consider);
    }
    for unresolved in &resolution.unresolved {
        for reason in &unresolved.reasons {
            if let Reason::OutsideScope { path } = reason {
                contents.binaries.iter().filter(|binary| binary.path == *path).for_each(&mut consider);
            }
        }
    }
    found
}

/// The paths of the wheel that a process brought, as far as no other claims them.
pub(super) fn brought(closure: &Closure, claimed: &HashSet<MemberId>) -> Vec<Utf8PathBuf> {
    closure.images().filter(|(id, _)| claimed.contains(id)).map(|(_, image)| image.path.clone()).collect()
}
