//! Which libraries a process gets when something is opened, who asked for each, and how it was found.

use crate::files::Files;
use crate::image::Image;
use crate::loader::Loader;
use crate::providers::{Presence, Providers};
use crate::walk::Walk;
use crate::words;
use camino::Utf8PathBuf;
use objfile::{Architecture, NeededKind};
use std::collections::HashMap;
use std::sync::Arc;

/// One of [`Closure::members`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MemberId(pub u32);

/// One of [`Closure::edges`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EdgeId(pub u32);

/// Something that is loaded into the process on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// The file, as [`Files`] knows it.
    pub path: Utf8PathBuf,
    /// How.
    pub mode: Mode,
}

impl Opening {
    /// Opened with `RTLD_LOCAL`, as Python opens extensions.
    pub fn local(path: impl Into<Utf8PathBuf>) -> Self {
        Self { path: path.into(), mode: Mode::Local }
    }

    /// Opened with `RTLD_GLOBAL`, as packages preload libraries.
    pub fn global(path: impl Into<Utf8PathBuf>) -> Self {
        Self { path: path.into(), mode: Mode::Global }
    }

    /// The program itself, where its file is known. Then [`Providers::program`] is not asked.
    pub fn program(path: impl Into<Utf8PathBuf>) -> Self {
        Self { path: path.into(), mode: Mode::Program }
    }
}

/// How something is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The process starts with it.
    Program,
    /// What it and its libraries define, all see that come later.
    Global,
    /// What it and its libraries define, only they see.
    Local,
}

/// What is in the process.
#[derive(Debug, Clone)]
pub struct Closure {
    /// In load order; first the libraries of [`Providers::loaded`].
    pub members: Vec<Member>,
    /// In the order of the search.
    pub edges: Vec<Edge>,
    /// What was opened, in the order given, and the member it became, or why not.
    pub openings: Vec<(Opening, Result<MemberId, Missing>)>,
    /// The search was longer than any real one and was given up; what was not looked for is missing here.
    pub gave_up: bool,
    /// Where a member's edges begin in `edges`; edges of one member follow one another.
    pub(crate) first_edge: Vec<u32>,
    pub(crate) by_name: HashMap<Box<str>, MemberId>,
}

/// One library, extension or program in the process.
#[derive(Debug, Clone)]
pub struct Member {
    /// What it is.
    pub what: What,
    /// The path it was found at; for what is outside the name it was asked for by.
    pub path: Utf8PathBuf,
    /// Which of [`Closure::openings`] brought it; `None` if it was there before.
    pub opening: Option<u32>,
    /// The edge that brought it; `None` for what was opened.
    pub brought_by: Option<EdgeId>,
    /// Whether the process cannot start without it: it is not reached through weak or lazy dependencies alone.
    pub required: bool,
    /// The nearest of itself and those that brought it that has a search path of its own.
    pub(crate) nearest_rpath: Option<MemberId>,
    /// Who brought it.
    pub(crate) parent: Option<MemberId>,
}

/// What a member is.
#[derive(Debug, Clone)]
pub enum What {
    /// A file that was read.
    Image(Arc<Image>),
    /// A library for which the providers answer.
    External(Presence),
}

/// One dependency.
#[derive(Debug, Clone)]
pub struct Edge {
    /// Who asks.
    pub from: MemberId,
    /// The name as written.
    pub name: Box<str>,
    /// How it asks.
    pub kind: NeededKind,
    /// Its place in [`Image::needed`]; `None` for a library that only an export is forwarded to.
    pub need: Option<u32>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a dependency.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It is this member.
    Found {
        /// Which.
        to: MemberId,
        /// How it was found.
        by: By,
    },
    /// It is not there.
    Missing(Missing),
}

/// A library that was not found.
#[derive(Debug, Clone, Default)]
pub struct Missing {
    /// Loading fails because of it: it is neither weak nor lazy, and who asks is itself needed.
    pub fatal: bool,
    /// Where it was looked for; at most 64 places.
    pub looked: Vec<Looked>,
    /// Why the search stopped early: the file that was found cannot be loaded.
    pub refused: Option<String>,
    /// What the provider says about it.
    pub outside: Option<String>,
    /// What would explain it.
    pub hints: Vec<Hint>,
}

/// A place that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// The path.
    pub path: Utf8PathBuf,
    /// What led there.
    pub by: By,
    /// What was there.
    pub miss: Miss,
}

/// Why a place did not serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Miss {
    /// Nothing there.
    Absent,
    /// A library for another architecture.
    OtherArchitecture(Architecture),
    /// No usable file.
    Unusable(Arc<str>),
}

/// How a library was found, or what led to a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// It is in the process already, under this name.
    Loaded,
    /// The path is written out in the name (with `$ORIGIN`, `@loader_path`, `@executable_path` replaced).
    Path,
    /// `DT_RPATH` of this member.
    Rpath(MemberId),
    /// The requirer's own `DT_RUNPATH`.
    Runpath,
    /// `LC_RPATH` of this member.
    LcRpath(MemberId),
    /// The program's own search path.
    ProgramRpath,
    /// `LD_LIBRARY_PATH`.
    LibraryPath,
    /// A folder that the caller added (`--lib-dir`).
    Extra,
    /// A folder of the system.
    System,
    /// The providers answer for it.
    Provider,
    /// musl answers for this name itself.
    Reserved,
    /// dyld's fallback folders.
    Fallback,
    /// The folder of the DLL that was opened.
    LoadFolder,
    /// The program's folder.
    ProgramFolder,
    /// A folder added by `os.add_dll_directory`.
    AddedFolder,
    /// A set of Windows' interfaces, not a file.
    ApiSet,
}

/// What explains that a library was not found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// An RPATH leads to it, but the requirer's RUNPATH makes the loader ignore all RPATHs.
    ShadowedByRunpath {
        /// Whose RPATH.
        owner: Utf8PathBuf,
        /// Where the library lies.
        path: Utf8PathBuf,
    },
    /// A RUNPATH of one that brought the requirer leads to it, but a RUNPATH serves only its own object.
    RunpathNotTransitive {
        /// Whose RUNPATH.
        owner: Utf8PathBuf,
        /// Where the library lies.
        path: Utf8PathBuf,
    },
    /// It lies here, where no search path leads.
    Elsewhere(Utf8PathBuf),
    /// It lies here, for another architecture.
    OtherArchitecture {
        /// Where.
        path: Utf8PathBuf,
        /// For which.
        architecture: Architecture,
    },
    /// It lies in a default folder, which `DF_1_NODEFLIB` forbids.
    NoDefaultLibraries,
}

impl std::fmt::Display for Hint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ShadowedByRunpath { owner, path } => {
                write!(
                    f,
                    "the RPATH of `{owner}` leads to `{path}`, but the requirer's own RUNPATH makes the loader ignore it"
                )
            }
            Self::RunpathNotTransitive { owner, path } => {
                write!(
                    f,
                    "the RUNPATH of `{owner}` leads to `{path}`, but a RUNPATH serves only its own object's needs"
                )
            }
            Self::Elsewhere(path) => write!(f, "`{path}` has that name, but no search path leads there"),
            Self::OtherArchitecture { path, architecture } => write!(f, "`{path}` is for {architecture}"),
            Self::NoDefaultLibraries => {
                f.write_str("the system has it, but `DF_1_NODEFLIB` keeps the loader from its default folders")
            }
        }
    }
}

impl Closure {
    /// A member.
    pub fn member(&self, id: MemberId) -> Option<&Member> {
        self.members.get(id.0 as usize)
    }

    /// The image of a member that is a file.
    pub fn image(&self, id: MemberId) -> Option<&Arc<Image>> {
        match &self.member(id)?.what {
            What::Image(image) => Some(image),
            What::External(_) => None,
        }
    }

    /// The members that are files, in load order.
    pub fn images(&self) -> impl Iterator<Item = (MemberId, &Arc<Image>)> {
        self.members.iter().zip(0..).filter_map(|(member, id)| match &member.what {
            What::Image(image) => Some((MemberId(id), image)),
            What::External(_) => None,
        })
    }

    /// The members that the providers answer for, with the names they were asked for by.
    pub fn externals(&self) -> impl Iterator<Item = (MemberId, &str, &Presence)> {
        self.members.iter().zip(0..).filter_map(|(member, id)| match &member.what {
            What::Image(_) => None,
            What::External(presence) => Some((MemberId(id), member.path.as_str(), presence)),
        })
    }

    /// A member's path or name.
    pub fn name(&self, id: MemberId) -> &str {
        self.member(id).map_or("?", |member| member.path.as_str())
    }

    /// What a member asks for, in the order of its file.
    pub fn edges_of(&self, id: MemberId) -> &[Edge] {
        let bound = |id: u32| self.first_edge.get(id as usize).map_or(self.edges.len(), |edge| *edge as usize);
        self.edges.get(bound(id.0)..bound(id.0.saturating_add(1))).unwrap_or_default()
    }

    /// The dependencies that were not found and stop the loading.
    pub fn missing(&self) -> impl Iterator<Item = (&Edge, &Missing)> {
        self.edges.iter().filter_map(|edge| match &edge.outcome {
            Outcome::Missing(missing) if missing.fatal => Some((edge, missing)),
            _ => None,
        })
    }

    /// The member that a name stands for in this process.
    pub fn named(&self, name: &str) -> Option<MemberId> {
        self.by_name.get(name).copied()
    }

    /// What led somewhere, in words: `the RPATH of pkg/_core.so`.
    pub fn by(&self, by: By) -> String {
        match by {
            By::Loaded => "it is loaded already".into(),
            By::Path => "its path is written out".into(),
            By::Rpath(owner) => format!("the RPATH of `{}`", self.name(owner)),
            By::Runpath => "the requirer's RUNPATH".into(),
            By::LcRpath(owner) => format!("the LC_RPATH of `{}`", self.name(owner)),
            By::ProgramRpath => "the program's search path".into(),
            By::LibraryPath => "LD_LIBRARY_PATH".into(),
            By::Extra => "a folder given by the user".into(),
            By::System => "the system's folders".into(),
            By::Provider => "the system".into(),
            By::Reserved => "musl itself".into(),
            By::Fallback => "dyld's fallback folders".into(),
            By::LoadFolder => "the folder of the DLL that was opened".into(),
            By::ProgramFolder => "the program's folder".into(),
            By::AddedFolder => "a folder added by os.add_dll_directory".into(),
            By::ApiSet => "Windows' API sets".into(),
        }
    }

    /// A missing library as a sentence.
    pub fn sentence(&self, edge: &Edge) -> String {
        let requirer = self.name(edge.from);
        match &edge.outcome {
            Outcome::Found { to, by } => {
                format!("`{}`, needed by `{requirer}`, is `{}`: {}", edge.name, self.name(*to), self.by(*by))
            }
            Outcome::Missing(missing) => {
                let mut text = format!("`{}`, needed by `{requirer}`, {}", edge.name, missing.why());
                for hint in &missing.hints {
                    text.push_str("; ");
                    text.push_str(&hint.to_string());
                }
                text
            }
        }
    }
}

impl Missing {
    /// The end of a sentence that begins with the library's name.
    pub fn why(&self) -> String {
        if let Some(refused) = &self.refused {
            return format!("cannot be loaded: {refused}");
        }
        let mut text = String::from("was not found");
        if let Some(outside) = &self.outside {
            text.push_str(": ");
            text.push_str(outside);
        }
        let others: Vec<_> =
            self.looked.iter().filter(|looked| matches!(looked.miss, Miss::OtherArchitecture(_))).collect();
        if !others.is_empty() {
            text.push_str("; skipped for their architecture: ");
            text.push_str(&words::list(others.iter().map(|looked| looked.path.as_str())));
        }
        text
    }
}

/// Loads `openings` one after the other into one process.
pub fn closure(openings: &[Opening], files: &dyn Files, loader: &Loader, providers: &dyn Providers) -> Closure {
    let mut walk = Walk::new(files, loader, providers);
    let opened = openings.iter().zip(0..).map(|(opening, index)| {
        let root = walk.open(&opening.path, index);
        walk.follow(index);
        (opening.clone(), root)
    });
    let opened = opened.collect();
    let mut closure = walk.finish(opened);
    mark_required(&mut closure);
    closure
}

/// Marks what cannot be left out, and which missing libraries therefore matter.
fn mark_required(closure: &mut Closure) {
    let mut queue: Vec<MemberId> =
        closure.openings.iter().filter_map(|(_, root)| root.as_ref().ok().copied()).collect();
    while let Some(id) = queue.pop() {
        let Some(member) = closure.members.get_mut(id.0 as usize) else { continue };
        if std::mem::replace(&mut member.required, true) {
            continue;
        }
        queue.extend(closure.edges_of(id).iter().filter_map(|edge| match edge.outcome {
            Outcome::Found { to, .. } if !is_optional(edge.kind) => Some(to),
            _ => None,
        }));
    }
    for edge in &mut closure.edges {
        if let Outcome::Missing(missing) = &mut edge.outcome {
            let required = closure.members.get(edge.from.0 as usize).is_some_and(|member| member.required);
            missing.fatal = required && !is_optional(edge.kind);
        }
    }
}

const fn is_optional(kind: NeededKind) -> bool {
    matches!(kind, NeededKind::Weak | NeededKind::Lazy)
}
