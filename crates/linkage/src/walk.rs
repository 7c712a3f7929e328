//! The process while it grows, and the search for one library.

use crate::closure::{
    By, Closure, Edge, EdgeId, Hint, Looked, Member, MemberId, Miss, Missing, Opening, Outcome, What,
};
use crate::files::{At, Case, Files};
use crate::image::Image;
use crate::loader::{Loader, Rules};
use crate::paths;
use crate::providers::{Presence, Providers};
use camino::{Utf8Path, Utf8PathBuf};
use objfile::{Architecture, NeededKind};
use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

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

impl<'a> Walk<'a> {
    /// A process before anything is opened.
    pub(crate) fn new(files: &'a dyn Files, loader: &'a Loader, providers: &'a dyn Providers) -> Self {
        let mut walk = Self {
            files,
            providers,
            members: Vec::new(),
            loader,
            architecture: loader.architecture(),
            edges: Vec::new(),
            first_edge: Vec::new(),
            by_name: HashMap::new(),
            by_image: HashMap::new(),
            root: None,
            budget: Cell::new(Self::BUDGET),
        };
        for name in providers.loaded() {
            walk.add_external(name, Presence::Present, None, None);
        }
        walk
    }

    pub(crate) fn finish(self, openings: Vec<(Opening, Result<MemberId, Missing>)>) -> Closure {
        Closure {
            members: self.members,
            edges: self.edges,
            openings,
            gave_up: self.budget.get() == 0,
            first_edge: self.first_edge,
            by_name: self.by_name,
        }
    }

    /// Places looked at in one closure. The largest wheels need some ten thousand.
    const BUDGET: u32 = 1_000_000;

    pub(crate) fn open(&mut self, path: &Utf8Path, opening: u32) -> Result<MemberId, Missing> {
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
    pub(crate) fn follow(&mut self, opening: u32) {
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
        // A forwarder is followed while its DLL is loaded, with the search of that load: it is no delay import.
        let located = self.loader.locate(self, from, name, if need.is_some() { kind } else { NeededKind::Normal });
        let outcome = match located {
            Ok(located) => {
                let (to, by) = match located {
                    Located::Loaded(to) => (to, By::Loaded),
                    Located::File(image, path, by) => {
                        (self.add_image(image, path, Some(opening), Some((from, edge))), by)
                    }
                    Located::External(presence, by) => {
                        (self.add_external(name, presence, Some(opening), Some((from, edge))), by)
                    }
                };
                if let Some(key) = self.loader.keys_of_request(name, by) {
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
            At::Image(image) => {
                let path = if self.rules.case == Case::Insensitive { image.path.clone() } else { path };
                return Some(Ok(Located::File(image, path, by)));
            }
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
            let told = |hint: &Hint| match hint {
                Hint::ShadowedByRunpath { path: known, .. }
                | Hint::RunpathNotTransitive { path: known, .. }
                | Hint::Elsewhere(known) => *known == path,
                Hint::OtherArchitecture { .. } | Hint::NoDefaultLibraries => false,
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
