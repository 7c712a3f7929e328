//! Which definition each symbol gets, by the rules of each format's loader.

mod elf;
mod macho;
mod pe;

pub use crate::scope::Source;

use crate::closure::{Closure, Edge, Member, MemberId, Outcome, What};
use crate::demangle::demangle;
use crate::explain;
use crate::files::Files;
use crate::loader::Loader;
use crate::providers::{Lack, Presence, Providers, Verdict, Wanted};
use crate::scope::scopes;
use crate::versions::{VersionFault, faults};
use crate::words;
use objfile::{Architecture, Format};
use std::collections::HashMap;

pub(crate) use elf::{Definers, find as find_elf, versions_of};

/// What became of all symbols.
#[derive(Debug, Clone, Default)]
pub struct Resolution {
    /// For each member its imports' bindings, in the order of the file; none for what is outside.
    bindings: Vec<Vec<Binding>>,
    /// What nobody provides, in load order.
    pub unresolved: Vec<Unresolved>,
    /// ELF: versions that are needed and not defined where they should be.
    pub versions: Vec<VersionFault>,
}

/// What a symbol is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// This definition.
    Export {
        /// Whose.
        member: MemberId,
        /// Which of its exports.
        export: u32,
    },
    /// A library outside that has it.
    External(MemberId),
    /// The program.
    Program,
    /// Taken to be there: nobody who is known has it, and this one's exports are not known.
    Assumed(Source),
    /// Nobody has it, and nothing fails for it.
    WeakMissing,
    /// Nobody has it: the index into [`Resolution::unresolved`].
    Unresolved(u32),
}

/// A symbol that nobody provides.
#[derive(Debug, Clone)]
pub struct Unresolved {
    /// Who needs it.
    pub member: MemberId,
    /// Which of its imports.
    pub import: u32,
    /// Loading fails. Otherwise the first call does (PE delay imports).
    pub eager: bool,
    /// Why it is not there; never empty.
    pub reasons: Vec<Reason>,
}

/// Why a symbol is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Nothing that is known defines it.
    Absent,
    /// The library that should have it does not.
    Lacks {
        /// Which.
        library: String,
        /// In what way.
        lack: Lack,
    },
    /// A library in the scope has it with other versions.
    OtherVersions {
        /// Which.
        library: String,
        /// The versions it has; `` for none.
        versions: Vec<String>,
    },
    /// This one defines it, but is not among what is searched.
    OutsideScope {
        /// Its path.
        path: String,
    },
    /// This one defines it, for another architecture.
    OtherArchitecture {
        /// Its path.
        path: String,
        /// For which.
        architecture: Architecture,
    },
    /// A library that may have had it was not found.
    LibraryMissing {
        /// Its name as written.
        library: String,
    },
    /// The file names a library by a number it does not have.
    BadOrdinal(i64),
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Absent => f.write_str("nothing in its scope defines it"),
            Self::Lacks { library, lack } => write!(f, "`{library}` {lack}"),
            Self::OtherVersions { library, versions } => {
                let shown = versions.iter().map(|version| if version.is_empty() { "no version" } else { version });
                write!(f, "`{library}` has it as {}", words::list(shown))
            }
            Self::OutsideScope { path } => {
                write!(f, "`{path}` defines it, but is not loaded for this or not visible to it")
            }
            Self::OtherArchitecture { path, architecture } => write!(f, "`{path}` defines it, for {architecture}"),
            Self::LibraryMissing { library } => write!(f, "`{library}` was not found"),
            Self::BadOrdinal(ordinal) => write!(f, "its library ordinal {ordinal} stands for none"),
        }
    }
}

impl Resolution {
    /// What an import of a member is bound to.
    pub fn binding(&self, member: MemberId, import: u32) -> Option<Binding> {
        self.bindings(member).get(import as usize).copied()
    }

    /// What the imports of a member are bound to, in the order of the file.
    pub fn bindings(&self, member: MemberId) -> &[Binding] {
        self.bindings.get(member.0 as usize).map(Vec::as_slice).unwrap_or_default()
    }

    /// All bindings that rest on an assumption: who is taken to provide, who needs, which of its imports.
    pub fn assumed(&self) -> impl Iterator<Item = (Source, MemberId, u32)> {
        self.bindings.iter().zip(0..).flat_map(|(bindings, member)| {
            bindings.iter().zip(0..).filter_map(move |(binding, import)| match binding {
                Binding::Assumed(source) => Some((*source, MemberId(member), import)),
                _ => None,
            })
        })
    }

    /// The symbols without which loading fails.
    pub fn fatal<'a>(&'a self, closure: &'a Closure) -> impl Iterator<Item = &'a Unresolved> {
        let required = |member: MemberId| closure.member(member).is_some_and(|member| member.required);
        self.unresolved.iter().filter(move |unresolved| unresolved.eager && required(unresolved.member))
    }

    /// An unresolved symbol as a sentence.
    pub fn sentence(&self, closure: &Closure, unresolved: &Unresolved) -> String {
        let import = closure.image(unresolved.member).and_then(|image| image.import(unresolved.import));
        let Some(import) = import else { return String::new() };
        let label = import.label();
        let plain = demangle(import.name);
        let shown = if plain == import.name { format!("`{label}`") } else { format!("`{plain}` (`{label}`)") };
        let reasons: Vec<String> = unresolved.reasons.iter().map(Reason::to_string).collect();
        format!("{shown}, needed by `{}`: {}", closure.name(unresolved.member), reasons.join("; "))
    }
}

/// Binds every import of every file of a closure.
pub fn resolve(closure: &Closure, files: &dyn Files, loader: &Loader, providers: &dyn Providers) -> Resolution {
    let context = Context { closure, providers, loader, scopes: scopes(closure), program: program(closure) };
    let mut resolution = Resolution { bindings: vec![Vec::new(); closure.members.len()], ..Resolution::default() };
    let mut explainer = explain::Explainer::new(&context, files);
    let mut lookups = elf::lookups(&context);
    for (member, image) in closure.images() {
        let bindings: Vec<Binding> = match image.format {
            Format::Elf => elf::bind(&context, &mut lookups, member, image),
            Format::MachO => macho::bind(&context, member, image),
            Format::Pe => pe::bind(&context, member, image),
            Format::Coff => Vec::new(),
        };
        let numbered = bindings.into_iter().zip(0..).map(|(binding, index)| {
            if !matches!(binding, Binding::Unresolved(_)) {
                return binding;
            }
            let Some(import) = image.import(index) else { return binding };
            let number = resolution.unresolved.len() as u32;
            let reasons = explainer.reasons(member, image, &import);
            resolution.unresolved.push(Unresolved { member, import: index, eager: !import.delayed, reasons });
            Binding::Unresolved(number)
        });
        let numbered = numbered.collect();
        if let Some(slot) = resolution.bindings.get_mut(member.0 as usize) {
            *slot = numbered;
        }
    }
    if let Loader::Glibc(loader) = loader {
        resolution.versions = faults(closure, loader, providers);
    }
    resolution
}

fn program(closure: &Closure) -> Option<MemberId> {
    closure.openings.iter().find_map(|(opening, root)| {
        (opening.mode == crate::Mode::Program).then(|| root.as_ref().ok().copied()).flatten()
    })
}

/// What all formats need.
pub(crate) struct Context<'a> {
    pub(crate) closure: &'a Closure,
    pub(crate) providers: &'a dyn Providers,
    pub(crate) loader: &'a Loader,
    /// One for each opening.
    pub(crate) scopes: Vec<Vec<Source>>,
    /// The program, if its file is known.
    pub(crate) program: Option<MemberId>,
}

/// What one source says to one question.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    Yes(Binding),
    No,
    Assumed(Source),
}

impl<'a> Context<'a> {
    pub(crate) fn scope_of(&self, member: MemberId) -> &[Source] {
        let opening = self.closure.member(member).and_then(|member| member.opening);
        opening.and_then(|opening| self.scopes.get(opening as usize)).map(Vec::as_slice).unwrap_or_default()
    }

    /// Asks the provider that answers for the program.
    pub(crate) fn ask_program(&self, wanted: Wanted<'_>) -> Answer {
        match self.providers.program(wanted) {
            Verdict::Yes => Answer::Yes(Binding::Program),
            Verdict::No(_) => Answer::No,
            Verdict::Unknown => Answer::Assumed(Source::Program),
        }
    }

    /// Asks the provider that answers for a member.
    pub(crate) fn ask_external(
        &self,
        id: MemberId,
        member: &Member,
        presence: &Presence,
        wanted: Wanted<'_>,
    ) -> Answer {
        match (self.providers.provides(member.path.as_str(), wanted), presence) {
            (Verdict::No(_), _) => Answer::No,
            (Verdict::Yes, Presence::Present) => Answer::Yes(Binding::External(id)),
            _ => Answer::Assumed(Source::Member(id)),
        }
    }

    /// The members that a file's libraries are, by the name as written; the first of several.
    pub(crate) fn targets(&self, member: MemberId) -> HashMap<&'a str, &'a Edge> {
        let mut targets = HashMap::new();
        for edge in self.closure.edges_of(member) {
            targets.entry(&*edge.name).or_insert(edge);
        }
        targets
    }

    pub(crate) fn what(&self, id: MemberId) -> Option<(&'a Member, &'a What)> {
        self.closure.member(id).map(|member| (member, &member.what))
    }
}

/// A fallback among answers: remembers the first who may have it.
#[derive(Default)]
pub(crate) struct Fallback(Option<Source>);

impl Fallback {
    /// `Some` if the answer settles it.
    pub(crate) fn weigh(&mut self, answer: Answer) -> Option<Binding> {
        match answer {
            Answer::Yes(binding) => Some(binding),
            Answer::No => None,
            Answer::Assumed(source) => {
                self.0.get_or_insert(source);
                None
            }
        }
    }

    /// What remains when nobody settled it.
    pub(crate) fn settle(self, weak: bool) -> Binding {
        match self.0 {
            _ if weak && self.0.is_none() => Binding::WeakMissing,
            Some(source) => Binding::Assumed(source),
            None => Binding::Unresolved(u32::MAX),
        }
    }
}

/// The target of an edge that was found.
pub(crate) const fn found(edge: &Edge) -> Option<MemberId> {
    match edge.outcome {
        Outcome::Found { to, .. } => Some(to),
        Outcome::Missing(_) => None,
    }
}
