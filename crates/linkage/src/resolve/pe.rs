//! PE: each symbol from the DLL it names, by name or ordinal, through forwarders.

use super::{Answer, Binding, Context, Fallback, found};
use crate::closure::{MemberId, What};
use crate::image::Image;
use crate::loader::windows;
use crate::providers::Wanted;
use crate::symbols;
use objfile::Provider;

pub(super) fn bind(context: &Context<'_>, member: MemberId, image: &Image) -> Vec<Binding> {
    let targets = context.targets(member);
    image
        .imports()
        .map(|import| {
            let fallback = Fallback::default();
            let Provider::Library(library) = import.from else { return fallback.settle(false) };
            let Some(to) = targets.get(library).and_then(|edge| found(edge)) else { return fallback.settle(false) };
            let mut fallback = fallback;
            let answer = exported(context, to, Wanted::of(&import));
            fallback.weigh(answer).unwrap_or_else(|| fallback.settle(false))
        })
        .collect()
}

/// Follows forwarders to the definition.
fn exported(context: &Context<'_>, library: MemberId, wanted: Wanted<'_>) -> Answer {
    /// Windows itself has chains of three or four.
    const CHAIN: usize = 16;
    let mut library = library;
    let mut name = wanted.name.to_owned();
    let mut ordinal = wanted.ordinal;
    for _ in 0..CHAIN {
        let Some((member, what)) = context.what(library) else { return Answer::No };
        let image = match what {
            What::External(presence) => {
                let wanted = Wanted { name: &name, ordinal, ..wanted };
                return context.ask_external(library, member, presence, wanted);
            }
            What::Image(image) => image,
        };
        let export = match ordinal.filter(|_| name.is_empty()) {
            Some(ordinal) => image.symbols.find_ordinal(ordinal),
            None => image.symbols.find(&name, symbols::hash(&name)).next(),
        };
        let Some(export) = export else { return Answer::No };
        let Some((next, symbol)) = image.symbols.forward(export) else {
            return Answer::Yes(Binding::Export { member: library, export });
        };
        let base = windows::base_name(&windows::dll_of_forward(next));
        let Some(to) = context.closure.named(&base) else { return Answer::No };
        ordinal = symbol.strip_prefix('#').and_then(|number| number.parse().ok());
        name = if ordinal.is_some() { String::new() } else { symbol.to_owned() };
        library = to;
    }
    Answer::No
}
