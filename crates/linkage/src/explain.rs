//! Why nobody provides a symbol: looked into only for those that nobody does.

use crate::closure::{MemberId, Outcome, What};
use crate::files::Files;
use crate::image::{Image, Import};
use crate::loader::Loader;
use crate::providers::{Lack, Verdict, Wanted};
use crate::resolve::{Context, Definers, Reason, find_elf, found, versions_of};
use crate::scope::Source;
use crate::symbols;
use objfile::{Format, Provider};
use std::collections::HashSet;
use std::sync::Arc;

/// Explains, within bounds.
pub(crate) struct Explainer<'c, 'a> {
    context: &'c Context<'a>,
    files: &'c dyn Files,
    /// All files of the package, fetched once it is needed.
    all: Option<Vec<Arc<Image>>>,
    /// Who of them exports what, once so much is asked that it is worth it.
    definers: Option<Definers>,
    left: u32,
    /// The images in the scope of the opening that was asked about last.
    scope: (Option<u32>, HashSet<*const Image>),
}

impl<'c, 'a> Explainer<'c, 'a> {
    /// So many symbols are explained in one closure; more nobody reads, and each costs a walk over all files.
    const EXPLAINED: u32 = 4096;
    /// So many are explained by going through all files; for more it is gathered what these export.
    const FEW: u32 = 64;
    /// So many reasons of one kind are given.
    const EACH: usize = 3;

    pub(crate) fn new(context: &'c Context<'a>, files: &'c dyn Files) -> Self {
        Self { context, files, all: None, definers: None, left: Self::EXPLAINED, scope: (None, HashSet::new()) }
    }

    pub(crate) fn reasons(&mut self, member: MemberId, image: &Image, import: &Import<'_>) -> Vec<Reason> {
        if self.left == 0 {
            return vec![Reason::Absent];
        }
        self.left -= 1;
        let mut reasons = Vec::new();
        match import.from {
            Provider::BadOrdinal(ordinal) => reasons.push(Reason::BadOrdinal(ordinal)),
            Provider::SelfImage => {
                reasons.push(Reason::Lacks { library: image.path.to_string(), lack: Lack::Absent });
            }
            Provider::MainExecutable => {
                let lack = match self.context.providers.program(Wanted::of(import)) {
                    Verdict::No(lack) => lack,
                    _ => Lack::Absent,
                };
                reasons.push(Reason::Lacks { library: "the program".into(), lack });
            }
            Provider::Library(library) => self.bound(&mut reasons, member, import, library),
            Provider::Unbound | Provider::Flat => self.missing_libraries(&mut reasons, member),
        }
        if image.format == Format::Elf {
            self.in_scope(&mut reasons, member, import);
        }
        self.elsewhere(&mut reasons, member, image, import);
        if reasons.is_empty() {
            reasons.push(Reason::Absent);
        }
        reasons
    }

    /// The library that the file names.
    fn bound(&self, reasons: &mut Vec<Reason>, member: MemberId, import: &Import<'_>, library: &str) {
        let closure = self.context.closure;
        let edge = closure.edges_of(member).iter().find(|edge| &*edge.name == library);
        let target = match edge {
            Some(edge) => found(edge),
            None => closure.named(library),
        };
        let Some(target) = target else {
            reasons.push(Reason::LibraryMissing { library: library.to_owned() });
            return;
        };
        let Some(member) = closure.member(target) else { return };
        let lack = match &member.what {
            What::External(_) => match self.context.providers.provides(member.path.as_str(), Wanted::of(import)) {
                Verdict::No(lack) => lack,
                Verdict::Yes | Verdict::Unknown => Lack::Absent,
            },
            What::Image(image) => {
                let versions = versions_of(image, import.name);
                match image.format {
                    Format::Elf if !versions.is_empty() => Lack::OtherVersions(versions),
                    Format::Pe => forward_lack(image, import),
                    _ => Lack::Absent,
                }
            }
        };
        reasons.push(Reason::Lacks { library: member.path.to_string(), lack });
    }

    /// The libraries that whoever brought the importer should have had.
    fn missing_libraries(&self, reasons: &mut Vec<Reason>, member: MemberId) {
        let missing =
            self.context.closure.edges_of(member).iter().filter(|edge| matches!(edge.outcome, Outcome::Missing(_)));
        reasons.extend(missing.take(Self::EACH).map(|edge| Reason::LibraryMissing { library: edge.name.to_string() }));
    }

    /// ELF: who in the scope has it otherwise.
    fn in_scope(&self, reasons: &mut Vec<Reason>, member: MemberId, import: &Import<'_>) {
        let closure = self.context.closure;
        let told: HashSet<String> = reasons
            .iter()
            .filter_map(|reason| if let Reason::Lacks { library, .. } = reason { Some(library.clone()) } else { None })
            .collect();
        for source in self.context.scope_of(member) {
            let (library, versions) = match source {
                Source::Program => match self.context.providers.program(Wanted::of(import)) {
                    Verdict::No(Lack::Absent) | Verdict::Yes | Verdict::Unknown => continue,
                    Verdict::No(lack) => {
                        reasons.push(Reason::Lacks { library: "the program".into(), lack });
                        continue;
                    }
                },
                Source::Member(id) => match closure.member(*id).map(|member| (&member.what, member.path.as_str())) {
                    Some((What::Image(image), path)) => (path.to_owned(), versions_of(image, import.name)),
                    Some((What::External(_), name)) => {
                        match self.context.providers.provides(name, Wanted::of(import)) {
                            Verdict::No(Lack::OtherVersions(versions)) => (name.to_owned(), versions),
                            _ => continue,
                        }
                    }
                    None => continue,
                },
            };
            if !versions.is_empty() && !told.contains(&library) {
                reasons.push(Reason::OtherVersions { library, versions });
            }
            if reasons.len() > 2 * Self::EACH {
                return;
            }
        }
    }

    /// Who else in the package has it.
    fn elsewhere(&mut self, reasons: &mut Vec<Reason>, member: MemberId, image: &Image, import: &Import<'_>) {
        if import.name.is_empty() {
            return;
        }
        let versioned = matches!(self.context.loader, Loader::Glibc(_));
        let opening = self.context.closure.member(member).and_then(|member| member.opening);
        if image.format == Format::Elf && self.scope.0 != opening {
            let scope = self.context.scope_of(member).iter().filter_map(|source| self.image_of(*source));
            self.scope = (opening, scope.collect());
        }
        let scope = &self.scope.1;
        let named: HashSet<String> = reasons
            .iter()
            .filter_map(|reason| if let Reason::Lacks { library, .. } = reason { Some(library.clone()) } else { None })
            .collect();
        let files = self.files;
        let all = self.all.get_or_insert_with(|| files.images());
        let hash = symbols::hash(import.name);
        let fitting = |other: &&Arc<Image>| {
            let seen = std::ptr::eq(Arc::as_ptr(other), image)
                || (image.format == Format::Elf && scope.contains(&Arc::as_ptr(other)));
            other.format == image.format
                && !seen
                && !named.contains(other.path.as_str())
                && match image.format {
                    Format::Elf => find_elf(other, import.name, hash, import.version, versioned).is_some(),
                    _ => other.symbols.find(import.name, hash).next().is_some(),
                }
        };
        let by_name: Vec<u32> = if self.left + Self::FEW > Self::EXPLAINED {
            (0..all.len() as u32).collect()
        } else {
            let images = || all.iter().zip(0..).map(|(image, at)| (at, &**image));
            self.definers.get_or_insert_with(|| Definers::of(images())).of_hash(hash).collect()
        };
        let others = by_name.into_iter().filter_map(|at| all.get(at as usize));
        for other in others.filter(fitting).take(Self::EACH) {
            let path = other.path.to_string();
            reasons.push(if other.architecture == image.architecture {
                Reason::OutsideScope { path }
            } else {
                Reason::OtherArchitecture { path, architecture: other.architecture }
            });
        }
    }

    fn image_of(&self, source: Source) -> Option<*const Image> {
        match source {
            Source::Program => None,
            Source::Member(id) => self.context.closure.image(id).map(Arc::as_ptr),
        }
    }
}

/// A DLL that has the name, but only as a forwarder into nothing.
fn forward_lack(image: &Image, import: &Import<'_>) -> Lack {
    let forward = image.exports_named(import.name).find_map(|export| export.forward);
    match forward.filter(|_| !import.name.is_empty()) {
        Some((library, symbol)) => {
            Lack::Because(format!("forwards it to `{library}`, which has no `{symbol}` or was not found"))
        }
        None => Lack::Absent,
    }
}
