//! ELF: by name and version, in the order of the scope (`do_lookup_x` and `check_match` in glibc's `elf/dl-lookup.c`).

use super::{Binding, Context, Fallback};
use crate::closure::{MemberId, What};
use crate::image::Image;
use crate::loader::Loader;
use crate::providers::Wanted;
use crate::scope::Source;
use crate::symbols::{self, DEFAULT, NONE};

/// The scopes of all openings, every source looked up once.
pub(super) fn places<'a>(context: &Context<'a>) -> Vec<Vec<Place<'a>>> {
    let places = |scope: &Vec<Source>| scope.iter().filter_map(|source| Place::of(context, *source)).collect();
    context.scopes.iter().map(places).collect()
}

pub(super) fn bind(context: &Context<'_>, places: &[Vec<Place<'_>>], member: MemberId, image: &Image) -> Vec<Binding> {
    let versioned = matches!(context.loader, Loader::Glibc(_));
    let symbolic = versioned && image.elf.as_ref().is_some_and(|elf| elf.symbolic);
    let own = symbolic.then(|| Place::of(context, Source::Member(member))).flatten();
    let opening = context.closure.member(member).and_then(|member| member.opening);
    let scope = opening.and_then(|opening| places.get(opening as usize)).map(Vec::as_slice).unwrap_or_default();
    image
        .imports()
        .zip(&image.symbols.imports)
        .map(|(import, record)| {
            let wanted = Wanted::of(&import);
            let mut fallback = Fallback::default();
            for place in own.iter().chain(scope) {
                let answer = match place {
                    Place::Image(id, other) => match find(other, import.name, record.hash, import.version, versioned) {
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
        })
        .collect()
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
