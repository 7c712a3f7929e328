//! Which libraries a process gets when something is opened, who asked for each, and how it was found.

use crate::files::{At, Case, Files};
use crate::image::Image;
use crate::loader::{Loader, Rules};
use crate::paths;
use crate::providers::{Presence, Providers};
use crate::words;
use camino::{Utf8Path, Utf8PathBuf};
use objfile::{Architecture, NeededKind};
use std::cell::Cell;
use std::collections::{HashMap, HashSet};
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
    by_name: HashMap<Box<str>, MemberId>,
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
                write!(f, "the RPATH of `{owner}` leads to `{path}`, but the requirer's own RUNPATH makes the loader ignore it")
            }
            Self::RunpathNotTransitive { owner, path } => {
                write!(f, "the RUNPATH of `{owner}` leads to `{path}`, but a RUNPATH serves only its own object's needs")
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
    let mut walk = Walk {
        files,
        loader,
        providers,
        architecture: loader.architecture(),
        members: Vec::new(),
        edges: Vec::new(),
        first_edge: Vec::new(),
        by_name: HashMap::new(),
        by_image: HashMap::new(),
        root: None,
        budget: Cell::new(Walk::BUDGET),
    };
    for name in providers.loaded() {
        walk.add_external(name, Presence::Present, None, None);
    }
    let mut opened = Vec::with_capacity(openings.len());
    for (index, opening) in (0..).zip(openings) {
        let root = walk.open(&opening.path, index);
        opened.push((opening.clone(), root));
        walk.follow(index);
    }
    let gave_up = walk.budget.get() == 0;
    let mut closure = Closure {
        members: walk.members,
        edges: walk.edges,
        openings: opened,
        gave_up,
        first_edge: walk.first_edge,
        by_name: walk.by_name,
    };
    mark_required(&mut closure);
    closure
}

/// Marks what cannot be left out, and which missing libraries therefore matter.
fn mark_required(closure: &mut Closure) {
    let mut queue: Vec<MemberId> = closure.openings.iter().filter_map(|(_, root)| root.as_ref().ok().copied()).collect();
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

/// The process while it grows.
pub(crate) struct Walk<'a> {
    pub(crate) files: &'a dyn Files,
    pub(crate) providers: &'a dyn Providers,
    pub(crate) members: Vec<Member>,
    loader: &'a Loader,
    architecture: Architecture,
    edges: Vec<Edge>,
    first_edge: Vec<u32>,
    by_name: HashMap<Box<str>, MemberId>,
    by_image: HashMap<*const Image, MemberId>,
    root: Option<MemberId>,
    budget: Cell<u32>,
}

/// What a loader's search found.
pub(crate) enum Located {
    Loaded(MemberId),
    File(Arc<Image>, Utf8PathBuf, By),
    External(Presence, By),
}

impl Walk<'_> {
    /// Places looked at in one closure. The largest wheels need some ten thousand.
    const BUDGET: u32 = 4_000_000;

    fn open(&mut self, path: &Utf8Path, opening: u32) -> Result<MemberId, Missing> {
        let path = paths::normalise(path.as_str(), true);
        let case = self.loader.rules().case;
        let miss = match self.files.at(&path, self.architecture, case) {
            At::Image(image) => {
                let id = self.add_image(image, path, Some(opening), None);
                self.root = Some(id);
                return Ok(id);
            }
            At::Absent => Miss::Absent,
            At::OtherArchitecture(other) => Miss::OtherArchitecture(other),
            At::Unusable(why) => Miss::Unusable(why),
        };
        let refused = match &miss {
            Miss::Absent => None,
            Miss::OtherArchitecture(other) => Some(format!("it is for {other}")),
            Miss::Unusable(why) => Some(why.to_string()),
        };
        let looked = vec![Looked { path, by: By::Path, miss }];
        Err(Missing { fatal: true, looked, refused, ..Missing::default() })
    }

    /// Follows the dependencies of all members that were added since, breadth first.
    fn follow(&mut self, opening: u32) {
        while let Some(member) = self.members.get(self.first_edge.len()) {
            let from = MemberId(self.first_edge.len() as u32);
            self.first_edge.push(self.edges.len() as u32);
            let What::Image(image) = &member.what else { continue };
            let image = Arc::clone(image);
            for (need, place) in image.needed.iter().zip(0..) {
                self.add_edge(from, &need.name, need.kind, Some(place), opening);
            }
            for library in self.loader.forwarded(&image) {
                self.add_edge(from, &library, NeededKind::Lazy, None, opening);
            }
        }
    }

    fn add_edge(&mut self, from: MemberId, name: &str, kind: NeededKind, need: Option<u32>, opening: u32) {
        let edge = EdgeId(self.edges.len() as u32);
        let located = self.loader.locate(self, from, name, kind);
        let outcome = match located {
            Ok(located) => {
                let (to, by) = match located {
                    Located::Loaded(to) => (to, By::Loaded),
                    Located::File(image, path, by) => (self.add_image(image, path, Some(opening), Some((from, edge))), by),
                    Located::External(presence, by) => {
                        (self.add_external(name, presence, Some(opening), Some((from, edge))), by)
                    }
                };
                for key in self.loader.keys_of_request(name, by) {
                    self.by_name.entry(key).or_insert(to);
                }
                Outcome::Found { to, by }
            }
            Err(missing) => Outcome::Missing(missing),
        };
        self.edges.push(Edge { from, name: name.into(), kind, need, outcome });
    }

    fn add_image(
        &mut self,
        image: Arc<Image>,
        path: Utf8PathBuf,
        opening: Option<u32>,
        brought: Option<(MemberId, EdgeId)>,
    ) -> MemberId {
        let key = Arc::as_ptr(&image);
        if let Some(&known) = self.by_image.get(&key) {
            return known;
        }
        let id = MemberId(self.members.len() as u32);
        self.by_image.insert(key, id);
        for key in self.loader.keys_of_image(&image, &path) {
            self.by_name.entry(key).or_insert(id);
        }
        let nearest_rpath = if image.rpaths.is_empty() {
            brought.and_then(|(from, _)| self.members.get(from.0 as usize)?.nearest_rpath)
        } else {
            Some(id)
        };
        self.members.push(Member {
            what: What::Image(image),
            path,
            opening,
            brought_by: brought.map(|(_, edge)| edge),
            required: false,
            nearest_rpath,
            parent: brought.map(|(from, _)| from),
        });
        id
    }

    fn add_external(
        &mut self,
        name: &str,
        presence: Presence,
        opening: Option<u32>,
        brought: Option<(MemberId, EdgeId)>,
    ) -> MemberId {
        let key = self.loader.key(name);
        if let Some(&known) = self.by_name.get(&*key) {
            return known;
        }
        let id = MemberId(self.members.len() as u32);
        self.by_name.insert(key, id);
        self.members.push(Member {
            what: What::External(presence),
            path: name.into(),
            opening,
            brought_by: brought.map(|(_, edge)| edge),
            required: false,
            nearest_rpath: None,
            parent: brought.map(|(from, _)| from),
        });
        id
    }

    pub(crate) fn loaded(&self, key: &str) -> Option<MemberId> {
        self.by_name.get(key).copied()
    }

    pub(crate) fn image(&self, id: MemberId) -> Option<&Arc<Image>> {
        match &self.members.get(id.0 as usize)?.what {
            What::Image(image) => Some(image),
            What::External(_) => None,
        }
    }

    pub(crate) fn member(&self, id: MemberId) -> Option<&Member> {
        self.members.get(id.0 as usize)
    }

    /// What was opened last.
    pub(crate) const fn root(&self) -> Option<MemberId> {
        self.root
    }

    /// `from` itself if it has a search path, and all with one that brought it, nearest first.
    pub(crate) fn rpath_owners(&self, from: MemberId) -> impl Iterator<Item = (MemberId, &Arc<Image>)> {
        let nearest = |id: MemberId| self.member(id).and_then(|member| member.nearest_rpath);
        let next = move |&id: &MemberId| self.member(id).and_then(|member| member.parent).and_then(nearest);
        std::iter::successors(nearest(from), next)
            .take_while(|_| self.spend())
            .filter_map(|id| self.image(id).map(|image| (id, image)))
    }

    /// Takes one from the budget; false if there is none left.
    fn spend(&self) -> bool {
        let left = self.budget.get();
        self.budget.set(left.saturating_sub(1));
        left > 1
    }
}

/// The search for one library.
pub(crate) struct Search<'w, 'a> {
    pub(crate) walk: &'w Walk<'a>,
    pub(crate) from: MemberId,
    rules: Rules,
    missing: Missing,
    tried: HashSet<Utf8PathBuf>,
}

impl<'w, 'a> Search<'w, 'a> {
    const LOOKED: usize = 64;

    pub(crate) fn new(walk: &'w Walk<'a>, from: MemberId, rules: Rules) -> Self {
        Self { walk, from, rules, missing: Missing::default(), tried: HashSet::new() }
    }

    /// Looks at one place. `Some`: the search is over.
    pub(crate) fn at(&mut self, path: Utf8PathBuf, by: By) -> Option<Result<Located, ()>> {
        if self.tried.contains(&path) {
            return None;
        }
        if !self.walk.spend() {
            self.missing.refused = Some("the search was given up after too many places".into());
            return Some(Err(()));
        }
        let miss = match self.walk.files.at(&path, self.walk.architecture, self.rules.case) {
            At::Image(image) => return Some(Ok(Located::File(image, path, by))),
            At::Absent => Miss::Absent,
            At::OtherArchitecture(architecture) => Miss::OtherArchitecture(architecture),
            At::Unusable(why) => Miss::Unusable(why),
        };
        let stops = match &miss {
            Miss::Absent => None,
            Miss::OtherArchitecture(architecture) if self.rules.other_architecture_stops => {
                Some(format!("`{path}` is for {architecture}"))
            }
            Miss::OtherArchitecture(_) => None,
            Miss::Unusable(why) => self.rules.unusable_stops.then(|| format!("`{path}`: {why}")),
        };
        if self.missing.looked.len() < Self::LOOKED {
            self.missing.looked.push(Looked { path: path.clone(), by, miss });
        }
        self.tried.insert(path);
        if stops.is_some() {
            self.missing.refused = stops;
            return Some(Err(()));
        }
        None
    }

    /// Asks the providers.
    pub(crate) fn provider(&mut self, name: &str, by: By) -> Option<Result<Located, ()>> {
        match self.walk.providers.library(name) {
            Presence::Absent(why) => {
                self.missing.outside = why;
                None
            }
            present => Some(Ok(Located::External(present, by))),
        }
    }

    pub(crate) fn hint(&mut self, hint: Hint) {
        self.missing.hints.push(hint);
    }

    /// Whether this place would serve: for hints.
    pub(crate) fn would_serve(&self, path: &Utf8Path) -> bool {
        self.walk.spend() && matches!(self.walk.files.at(path, self.walk.architecture, self.rules.case), At::Image(_))
    }

    /// Ends without success: adds where else files of that name lie.
    pub(crate) fn fail(mut self, name: &str) -> Missing {
        /// More places than a reader wants to see.
        const PLACES: usize = 3;
        let named = self.walk.files.named(paths::file_name(name), self.rules.case);
        for path in named.into_iter().filter(|path| !self.tried.contains(path)).take(PLACES) {
            let told = |hint: &Hint| {
                matches!(hint, Hint::ShadowedByRunpath { path: known, .. } | Hint::RunpathNotTransitive { path: known, .. } if *known == path)
            };
            if self.missing.hints.iter().any(told) {
                continue;
            }
            match self.walk.files.at(&path, self.walk.architecture, Case::Sensitive) {
                At::Image(_) => self.missing.hints.push(Hint::Elsewhere(path)),
                At::OtherArchitecture(architecture) => {
                    self.missing.hints.push(Hint::OtherArchitecture { path, architecture });
                }
                At::Absent | At::Unusable(_) => {}
            }
        }
        self.missing
    }
}
