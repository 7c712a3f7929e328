//! ELF: by name and version, in the order of the scope (`do_lookup_x` and `check_match` in glibc's `elf/dl-lookup.c`).

use super::{Binding, Context, Fallback};
use crate::closure::{MemberId, What};
use crate::image::{Image, Import};
use crate::loader::Loader;
use crate::providers::Wanted;
use crate::scope::Source;
use crate::symbols::{self, DEFAULT, NONE};
use objfile::SymbolKind;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};

/// The scopes of all openings, every source looked up once.
pub(super) fn lookups<'a>(context: &Context<'a>) -> Vec<Lookup<'a>> {
    let places = |scope: &Vec<Source>| scope.iter().filter_map(|source| Place::of(context, *source)).collect();
    context.scopes.iter().map(|scope| Lookup { places: places(scope), ..Lookup::default() }).collect()
}

pub(super) fn bind<'a>(
    context: &Context<'a>,
    lookups: &mut [Lookup<'a>],
    member: MemberId,
    image: &'a Image,
) -> Vec<Binding> {
    let versioned = matches!(context.loader, Loader::Glibc(_));
    let symbolic = versioned && image.elf.as_ref().is_some_and(|elf| elf.symbolic);
    let opening = context.closure.member(member).and_then(|member| member.opening);
    let mut none = Lookup::default();
    let lookup = opening.and_then(|opening| lookups.get_mut(opening as usize)).unwrap_or(&mut none);
    image
        .imports()
        .zip(&image.symbols.imports)
        .map(|(import, record)| {
            if symbolic && let Some(export) = find(image, import.name, record.hash, import.version, versioned) {
                return Binding::Export { member, export };
            }
            lookup.bind(context, &import, record.hash, versioned)
        })
        .collect()
}

/// What one scope says to names. Many files of a scope ask for the same ones, and a scope can be long.
#[derive(Default)]
pub(super) struct Lookup<'a> {
    places: Vec<Place<'a>>,
    /// Who of a long scope has exports of a hash, and who has to be asked about any name; in the order of the scope.
    index: Option<(Definers, Vec<u32>)>,
    known: HashMap<Asked<'a>, Binding>,
}

impl<'a> Lookup<'a> {
    fn bind(&mut self, context: &Context<'a>, import: &Import<'a>, hash: u32, versioned: bool) -> Binding {
        if self.places.len() <= Definers::WORTH_IT {
            return self.search(context, import, hash, versioned, 0..self.places.len() as u32);
        }
        let asked = Asked { hash, name: import.name, version: import.version, kind: import.kind, weak: import.weak };
        if let Some(binding) = self.known.get(&asked) {
            return *binding;
        }
        let (definers, others) = self.index.get_or_insert_with(|| {
            let images = self.places.iter().zip(0..).filter_map(|(place, rank)| match place {
                Place::Image(_, image) => Some((rank, *image)),
                Place::External(_) | Place::Program => None,
            });
            let others = self.places.iter().zip(0..).filter(|(place, _)| !matches!(place, Place::Image(..)));
            (Definers::of(images), others.map(|(_, rank)| rank).collect())
        });
        let mut ranks: Vec<u32> = definers.of_hash(hash).chain(others.iter().copied()).collect();
        ranks.sort_unstable();
        let binding = self.search(context, import, hash, versioned, ranks);
        self.known.insert(asked, binding);
        binding
    }

    /// Asks the places of these ranks, one after the other.
    fn search(
        &self,
        context: &Context<'a>,
        import: &Import<'a>,
        hash: u32,
        versioned: bool,
        ranks: impl IntoIterator<Item = u32>,
    ) -> Binding {
        let wanted = Wanted::of(import);
        let mut fallback = Fallback::default();
        for place in ranks.into_iter().filter_map(|rank| self.places.get(rank as usize)) {
            let answer = match place {
                Place::Image(id, other) => match find(other, import.name, hash, import.version, versioned) {
                    Some(export) => return Binding::Export { member: *id, export },
                    None => continue,
                },
                Place::External(id) => match context.what(*id) {
                    Some((member, What::External(presence))) => context.ask_external(*id, member, presence, wanted),
                    _ => continue,
                },
                Place::Program => context.ask_program(wanted),
            };
            if let Some(binding) = fallback.weigh(answer) {
                return binding;
            }
        }
        fallback.settle(import.weak)
    }
}

/// All that an answer depends on.
#[derive(PartialEq, Eq)]
struct Asked<'a> {
    hash: u32,
    name: &'a str,
    version: Option<&'a str>,
    kind: SymbolKind,
    weak: bool,
}

impl Hash for Asked<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u32(self.hash);
    }
}

/// Which of many images export something of a hash.
#[derive(Debug, Default)]
pub(crate) struct Definers(HashMap<u32, Vec<u32>>);

impl Definers {
    /// So many images are asked one by one in less time than it takes to gather what all of them export.
    pub(crate) const WORTH_IT: usize = 16;

    /// Of images with their places in an order.
    pub(crate) fn of<'a>(images: impl Iterator<Item = (u32, &'a Image)>) -> Self {
        let mut found: HashMap<u32, Vec<u32>> = HashMap::new();
        for (rank, image) in images {
            for hash in image.symbols.hashes() {
                let ranks = found.entry(hash).or_default();
                // The hashes are sorted: those of one image follow one another.
                if ranks.last() != Some(&rank) {
                    ranks.push(rank);
                }
            }
        }
        Self(found)
    }

    /// Their places, in order.
    pub(crate) fn of_hash(&self, hash: u32) -> impl Iterator<Item = u32> + '_ {
        self.0.get(&hash).into_iter().flatten().copied()
    }
}

/// A source, looked up once.
pub(super) enum Place<'a> {
    Image(MemberId, &'a Image),
    External(MemberId),
    Program,
}

impl<'a> Place<'a> {
    fn of(context: &Context<'a>, source: Source) -> Option<Self> {
        Some(match source {
            Source::Program => Self::Program,
            Source::Member(id) => match context.what(id)?.1 {
                What::Image(image) => Self::Image(id, image),
                What::External(_) => Self::External(id),
            },
        })
    }
}

/// The index of the first version a library defines; 1 is `VER_NDX_GLOBAL`.
const FIRST: u16 = 2;

/// The export that a reference to `name` with this version finds in an image.
///
/// A reference with a version takes the definition of that version, or one without a version. A reference without
/// takes a definition without, or of the first version defined (index 2, hidden or not), else the one definition
/// that is not hidden, if it is the only one. musl takes the first that is not hidden.
pub(crate) fn find(image: &Image, name: &str, hash: u32, version: Option<&str>, versioned: bool) -> Option<u32> {
    let table = &image.symbols;
    let mut candidates = table.find(name, hash);
    let flags =
        |export: u32| table.exports.get(export as usize).map_or((NONE, 0), |export| (export.version, export.flags));
    if !versioned {
        return candidates.find(|export| flags(*export).1 & DEFAULT != 0);
    }
    if let Some(version) = version {
        return candidates.find(|export| match flags(*export).0 {
            NONE => true,
            defined => table.version(defined) == Some(version),
        });
    }
    let mut visible = None;
    let mut count = 0;
    for export in candidates {
        let (defined, flags) = flags(export);
        if defined == NONE || table.version_index(defined) == FIRST {
            return Some(export);
        }
        if flags & DEFAULT != 0 {
            visible.get_or_insert(export);
            count += 1;
        }
    }
    visible.filter(|_| count == 1)
}

/// All versions of a name that an image defines; an empty text for a definition without.
pub(crate) fn versions_of(image: &Image, name: &str) -> Vec<String> {
    let exports = image.symbols.find(name, symbols::hash(name));
    exports
        .filter_map(|export| image.export(export))
        .map(|export| export.version.map_or(String::new(), |version| version.name.to_owned()))
        .collect()
}
