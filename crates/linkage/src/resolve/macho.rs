//! Mach-O: by library ordinal (two-level namespace) with re-exports, or flat.

use super::{Answer, Binding, Context, Fallback, found};
use crate::closure::{Edge, MemberId, Mode, What};
use crate::image::{Image, Import};
use crate::providers::Wanted;
use crate::scope::Source;
use crate::symbols;
use objfile::{NeededKind, Provider};
use std::collections::{HashMap, HashSet};

pub(super) fn bind(context: &Context<'_>, member: MemberId, image: &Image) -> Vec<Binding> {
    let targets = context.targets(member);
    let mut flat = None;
    image
        .imports()
        .zip(&image.symbols.imports)
        .map(|(import, record)| match import.from {
            Provider::Library(library) => bound(context, &targets, library, &import, record.hash),
            Provider::SelfImage => match image.symbols.find(import.name, record.hash).next() {
                Some(export) => Binding::Export { member, export },
                None => Fallback::default().settle(import.weak),
            },
            Provider::MainExecutable => from_program(context, &import, record.hash),
            Provider::BadOrdinal(_) => Binding::Unresolved(u32::MAX),
            Provider::Flat | Provider::Unbound => {
                let order = flat.get_or_insert_with(|| flat_order(context, member));
                in_order(context, order, &import, record.hash)
            }
        })
        .collect()
}

fn bound(
    context: &Context<'_>,
    targets: &HashMap<&str, &Edge>,
    library: &str,
    import: &Import<'_>,
    hash: u32,
) -> Binding {
    let mut fallback = Fallback::default();
    let Some(edge) = targets.get(library) else { return fallback.settle(import.weak) };
    let Some(to) = found(edge) else {
        return fallback.settle(import.weak || edge.kind == NeededKind::Weak);
    };
    let answer = exported(context, to, Wanted::of(import), hash, &mut HashSet::new());
    fallback.weigh(answer).unwrap_or_else(|| fallback.settle(import.weak))
}

fn from_program(context: &Context<'_>, import: &Import<'_>, hash: u32) -> Binding {
    let wanted = Wanted::of(import);
    let answer = match context.program {
        Some(program) => exported(context, program, wanted, hash, &mut HashSet::new()),
        None => context.ask_program(wanted),
    };
    let mut fallback = Fallback::default();
    fallback.weigh(answer).unwrap_or_else(|| fallback.settle(import.weak))
}

/// Whether a library exports a symbol, itself or through what it re-exports.
fn exported(
    context: &Context<'_>,
    library: MemberId,
    wanted: Wanted<'_>,
    hash: u32,
    seen: &mut HashSet<MemberId>,
) -> Answer {
    // Iterative: chains of re-exports in a made-up file can be as long as the file.
    let mut queue = vec![library];
    let mut assumed = None;
    while let Some(id) = queue.pop() {
        if !seen.insert(id) {
            continue;
        }
        let Some((member, what)) = context.what(id) else { continue };
        let image = match what {
            What::External(presence) => match context.ask_external(id, member, presence, wanted) {
                Answer::No => continue,
                Answer::Assumed(source) => {
                    assumed.get_or_insert(source);
                    continue;
                }
                yes @ Answer::Yes(_) => return yes,
            },
            What::Image(image) => image,
        };
        if let Some(export) = image.symbols.find(wanted.name, hash).next() {
            return followed(context, id, export, wanted);
        }
        let edges = context.closure.edges_of(id).iter().rev();
        queue.extend(edges.filter(|edge| edge.kind == NeededKind::Reexport).filter_map(found));
    }
    assumed.map_or(Answer::No, Answer::Assumed)
}

/// Follows an export that only passes another library's on.
fn followed(context: &Context<'_>, member: MemberId, export: u32, wanted: Wanted<'_>) -> Answer {
    /// Longer chains than anyone builds.
    const CHAIN: usize = 16;
    let (mut member, mut export) = (member, export);
    for _ in 0..CHAIN {
        let Some((library, symbol)) = context.closure.image(member).and_then(|image| image.symbols.forward(export))
        else {
            return Answer::Yes(Binding::Export { member, export });
        };
        let edge = context.closure.edges_of(member).iter().find(|edge| &*edge.name == library);
        let Some(to) = edge.and_then(found) else { return Answer::No };
        let Some((next, what)) = context.what(to) else { return Answer::No };
        match what {
            What::External(presence) => {
                let wanted = Wanted { name: symbol, ..wanted };
                return context.ask_external(to, next, presence, wanted);
            }
            What::Image(image) => {
                let Some(found) = image.symbols.find(symbol, symbols::hash(symbol)).next() else {
                    return Answer::No;
                };
                (member, export) = (to, found);
            }
        }
    }
    Answer::No
}

/// All that a flat lookup sees: the program, what is loaded, in load order; of what was opened with `RTLD_LOCAL` only
/// the libraries, and the importer's own opening.
fn flat_order(context: &Context<'_>, member: MemberId) -> Vec<Source> {
    let closure = context.closure;
    let own = closure.member(member).and_then(|member| member.opening);
    let hidden: HashSet<MemberId> = closure
        .openings
        .iter()
        .zip(0_u32..)
        .filter(|((opening, _), index)| opening.mode == Mode::Local && Some(*index) != own)
        .filter_map(|((_, root), _)| root.as_ref().ok().copied())
        .collect();
    let members = (0..closure.members.len() as u32).map(MemberId).filter(|id| !hidden.contains(id));
    let program = context.program.is_none().then_some(Source::Program);
    program.into_iter().chain(members.map(Source::Member)).collect()
}

fn in_order(context: &Context<'_>, order: &[Source], import: &Import<'_>, hash: u32) -> Binding {
    let wanted = Wanted::of(import);
    let mut fallback = Fallback::default();
    for source in order {
        let answer = match source {
            Source::Program => context.ask_program(wanted),
            Source::Member(id) => match context.what(*id) {
                Some((_, What::Image(image))) => match image.symbols.find(import.name, hash).next() {
                    Some(export) => followed(context, *id, export, wanted),
                    None => continue,
                },
                Some((member, What::External(presence))) => context.ask_external(*id, member, presence, wanted),
                None => continue,
            },
        };
        if let Some(binding) = fallback.weigh(answer) {
            return binding;
        }
    }
    fallback.settle(import.weak)
}
